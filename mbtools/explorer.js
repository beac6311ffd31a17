// The tables come from Python (mbtools/explorer.py); this file looks numbers up,
// multiplies a cost by an area, and draws. Of the model it uses only
// get, set, on, off and save_changes, so a static page can stand in for Jupyter.

const SVG = "http://www.w3.org/2000/svg";
const SMOOTH_AFTER = 400; // ms of rest before the live region speaks
const TAP = 24; // px around a point that count as a tap on it
let instances = 0;

// --- small helpers ---------------------------------------------------------

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
const h = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
const s = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

const exact = (x) => x.toLocaleString("en-US");
const millions = (x) => {
  const m = x / 1e6;
  return `${m.toFixed(m < 10 ? 2 : 1)} M`;
};
const percent = (x, digits) => `${(100 * x).toFixed(digits)} %`;

/** A number that tests and scripts can read: exact in value, pretty as text. */
function datum(key) {
  const node = h("data", { "data-key": key });
  return {
    node,
    show(value, text) {
      node.value = value;
      node.textContent = text;
    },
  };
}

function slider(id, control, label, values) {
  const input = h("input", {
    type: "range", id: `${id}-${control}`, "data-control": control,
    min: 0, max: values.length - 1, step: 1,
  });
  const output = h("output", { for: input.id });
  const name = h("label", { for: input.id }, ...label);
  const node = h("div", { class: "mbx-slider" }, name, output, input);
  return {
    node, input,
    show(index, text, spoken) {
      input.value = index;
      output.textContent = text;
      input.setAttribute("aria-valuetext", spoken);
    },
  };
}

/** Calls draw at most once a frame; say() speaks when the hand rests. */
function stage(root, draw) {
  const live = h("p", { class: "mbx-sr", "aria-live": "polite" });
  root.append(live);
  let frame = 0, timer = 0, first = true;
  return {
    ask() {
      frame ||= requestAnimationFrame(() => { frame = 0; draw(); });
    },
    say(text) {
      clearTimeout(timer);
      if (first) first = false; // a page that loads says nothing
      else timer = setTimeout(() => { live.textContent = text; }, SMOOTH_AFTER);
    },
    stop() {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    },
  };
}

/** Two-way binding of plain state and model; calls changed() after either moves. */
function connect(model, keys, changed) {
  const state = {};
  let sending = false;
  const pull = () => {
    if (sending) return; // our own set() comes back as change events
    for (const key of keys) state[key] = model.get(key);
    changed();
  };
  for (const key of keys) {
    state[key] = model.get(key);
    model.on(`change:${key}`, pull);
  }
  return {
    state,
    push(changes) {
      Object.assign(state, changes);
      sending = true;
      for (const [key, value] of Object.entries(changes)) model.set(key, value);
      sending = false;
      model.save_changes();
      changed();
    },
    stop() {
      for (const key of keys) model.off(`change:${key}`, pull);
    },
  };
}

function frameOf(kind, label) {
  const root = h("div", {
    class: "mbx", "data-widget": kind, role: "group", "aria-label": label,
    "data-lm-suppress-shortcuts": "true", // JupyterLab: the arrow keys are ours
  });
  root.addEventListener("keydown", (event) => event.stopPropagation()); // notebook 6
  return root;
}

// --- one layer -------------------------------------------------------------

const sub = (letter, below) => [letter, h("sub", {}, below)];

function layerExplorer(model) {
  const table = JSON.parse(model.get("_table"));
  const id = `mbx${++instances}`;
  const root = frameOf("layer-explorer", "Layer cost explorer");
  const keys = ["kernel", "in_channels", "out_channels", "size"];
  const labels = {
    kernel: ["kernel ", h("i", {}, ...sub("D", "K"))],
    in_channels: ["input channels ", h("i", {}, "M")],
    out_channels: ["output channels ", h("i", {}, "N")],
    size: ["feature map ", h("i", {}, ...sub("D", "F"))],
  };
  const sliders = keys.map((key) => slider(id, key, labels[key], table[key]));
  root.append(h("div", { class: "mbx-pair" }, ...sliders.map((x) => x.node)));

  const ratio = datum("ratio"), reduction = datum("reduction");
  const terms = h("span"), why = h("span");
  root.append(
    h("p", { class: "mbx-verdict" }, h("strong", {}, ratio.node), why),
    h("p", { class: "mbx-formula" }, "separable / standard = 1/", h("i", {}, "N"),
      " + 1/", h("i", {}, ...sub("D", "K")), "² = ", terms, reduction.node));

  const shapes = ["standard", "depthwise", "pointwise"].map(kernelPicture);
  const [standard, depthwise, pointwise] = shapes.map((x) => x.node);
  root.append(h("div", { class: "mbx-shapes" },
    standard, h("span", {}, "or"), depthwise, h("span", {}, "then"), pointwise));

  const segment = (part) => h("span", { class: `mbx-seg mbx-${part}` });
  const bars = {
    standard: segment("standard"),
    depthwise: segment("depthwise"), pointwise: segment("pointwise"),
  };
  root.append(h("div", { class: "mbx-bars", "aria-hidden": "true" },
    h("span", {}, "standard"), h("div", { class: "mbx-bar" }, bars.standard),
    h("span", {}, "separable"),
    h("div", { class: "mbx-bar" }, bars.depthwise, bars.pointwise)));

  const cells = {};
  const row = (name) => {
    const data = ["macs", "weights"].map((key) => cells[`${key}.${name}`] = datum(`${key}.${name}`));
    return h("tr", {}, h("th", { scope: "row" }, swatch(name), name),
      ...data.map((x) => h("td", {}, x.node)));
  };
  root.append(tableOf(["convolution", "multiply-adds", "weights"],
    ["standard", "depthwise", "pointwise", "separable"].map(row)));

  function draw() {
    const { kernel: k, in_channels: m, out_channels: n, size: d } = state;
    const index = Object.fromEntries(keys.map((key) => [key, table[key].indexOf(state[key])]));
    const area = table.kernel_area[index.kernel], outputs = table.size_area[index.size];
    const weights = { standard: area * m * n, depthwise: area * m, pointwise: m * n };
    weights.separable = weights.depthwise + weights.pointwise;
    const text = { kernel: `${k} × ${k}`, in_channels: m, out_channels: n, size: `${d} × ${d}` };
    keys.forEach((key, i) => sliders[i].show(index[key], text[key], text[key]));
    for (const [name, count] of Object.entries(weights)) {
      cells[`macs.${name}`].show(count * outputs, exact(count * outputs));
      cells[`weights.${name}`].show(count, exact(count));
    }
    const most = Math.max(weights.standard, weights.separable);
    for (const name in bars) bars[name].style.width = `${(100 * weights[name]) / most}%`;
    shapes[0].show(n, k, m);
    shapes[1].show(m, k, 1);
    shapes[2].show(n, 1, m);
    const fewer = weights.standard / weights.separable;
    const verdict = fewer >= 1 ? `${fewer.toFixed(2)}× fewer` : `${(1 / fewer).toFixed(3)}× more`;
    ratio.show(fewer, verdict);
    why.textContent = fewer >= 1
      ? " multiply-adds, and weights, for the separable convolution."
      : ": a standard 1 × 1 convolution is a pointwise one already.";
    terms.textContent = `1/${n} + 1/${area} = ${(1 / n).toFixed(4)} + ${(1 / area).toFixed(4)} = `;
    reduction.show(1 / n + 1 / area, (1 / n + 1 / area).toFixed(4));
    screen.say(`Standard ${exact(weights.standard * outputs)} multiply-adds, separable `
      + `${exact(weights.separable * outputs)}: ${verdict}.`);
  }

  const screen = stage(root, draw);
  const { state, push, stop } = connect(model, keys, screen.ask);
  keys.forEach((key, i) => sliders[i].input.addEventListener("input", (event) =>
    push({ [key]: table[key][+event.target.value] })));
  draw();
  return { root, stop() { stop(); screen.stop(); } };
}

/** A kernel as a box: its cells to scale, its depth as the logarithm of channels. */
function kernelPicture(part) {
  const CELL = 9, WIDTH = 112, HEIGHT = 96;
  const [top, side, front] = ["top", "side", "front"].map((face) =>
    s("path", { class: `mbx-face mbx-${face}` }));
  const count = h("strong"), what = h("span");
  const node = h("figure", { class: `mbx-kernel mbx-${part}` },
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" }, top, side, front),
    h("figcaption", {}, h("span", {}, part), count, what));
  return {
    node,
    show(copies, kernel, channels) {
      const a = kernel * CELL, depth = 4 + 5 * Math.log2(channels);
      const dx = 0.8 * depth, dy = 0.5 * depth;
      const x = (WIDTH - a - dx) / 2, y = (HEIGHT - a + dy) / 2;
      let cells = `M${x} ${y}h${a}v${a}h${-a}z`;
      for (let i = 1; i < kernel; i++) {
        cells += `M${x + i * CELL} ${y}v${a}M${x} ${y + i * CELL}h${a}`;
      }
      front.setAttribute("d", cells);
      top.setAttribute("d", `M${x} ${y}l${dx} ${-dy}h${a}l${-dx} ${dy}z`);
      side.setAttribute("d", `M${x + a} ${y}l${dx} ${-dy}v${a}l${-dx} ${dy}z`);
      count.textContent = `${copies} ${copies === 1 ? "kernel" : "kernels"}`;
      what.textContent = `${kernel} × ${kernel} × ${channels}`;
    },
  };
}

const swatch = (part) => h("span", { class: `mbx-swatch mbx-${part}`, "aria-hidden": "true" });

const tableOf = (header, rows) => h("table", { class: "mbx-table" },
  h("thead", {}, h("tr", {}, ...header.map((x) => h("th", { scope: "col" }, x)))),
  h("tbody", {}, ...rows));

// --- a whole net -----------------------------------------------------------

function costExplorer(model) {
  const table = JSON.parse(model.get("_table"));
  const { kinds, resolutions, areas, settings } = table;
  const id = `mbx${++instances}`;
  const root = frameOf("cost-explorer", "Cost explorer");
  const keys = ["net", "alpha", "resolution", "max_macs", "max_params"];
  const sum = (xs) => xs.reduce((total, x) => total + x, 0);

  function cost({ net, alpha, resolution }) {
    const t = table.nets[net], i = t.alphas.indexOf(alpha);
    const area = areas[resolutions.indexOf(resolution)];
    // the classifier alone does not see the resolution
    const macs = t.macs[i].map((x, k) => (kinds[k] === "linear" ? x : x * area));
    return {
      macs: sum(macs), params: sum(t.params[i]), peak: t.peak[i] * area,
      kinds: { macs, params: t.params[i] },
    };
  }
  const grid = Object.entries(table.nets).flatMap(([net, { alphas }]) =>
    alphas.flatMap((alpha) => resolutions.map((resolution) => ({ net, alpha, resolution }))));
  for (const setting of [...grid, ...settings]) setting.cost = cost(setting);
  const same = (a, b) =>
    a.net === b.net && a.alpha === b.alpha && a.resolution === b.resolution;
  const nameOf = (x) =>
    `${table.nets[x.net].name.replace("MobileNet ", "")}, α = ${x.alpha.toFixed(2)}, ${x.resolution} px`;
  const best = (x) => x.results.reduce((a, b) => (b.top1 > a.top1 ? b : a));
  const jump = ({ net, alpha, resolution }) => connection.push({ net, alpha, resolution });

  // controls
  const radios = Object.entries(table.nets).map(([key, { name }]) => {
    const input = h("input", {
      type: "radio", name: `${id}-net`, value: key, id: `${id}-${key}`, "data-control": "net",
    });
    input.addEventListener("change", () => {
      const alpha = Math.min(state.alpha, table.nets[key].alphas.at(-1));
      connection.push({ net: key, alpha });
    });
    return input;
  });
  const choice = h("div", { class: "mbx-choice", role: "radiogroup", "aria-label": "network" },
    ...radios.map((input) =>
      h("span", {}, input, h("label", { for: input.id }, table.nets[input.value].name))));
  const alphaSlider = slider(id, "alpha", ["width multiplier ", h("i", {}, "α")], table.nets.v1.alphas);
  const sizeSlider = slider(id, "resolution", ["input resolution"], resolutions);
  const note = h("p", { class: "mbx-note" });
  root.append(h("div", { class: "mbx-top" }, choice, note),
    h("div", { class: "mbx-pair" }, alphaSlider.node, sizeSlider.node));

  // totals
  const totals = ["macs", "params", "peak"].map((key) => ({
    key, count: datum(key), relative: datum(`${key}_relative`),
  }));
  const totalNames = {
    macs: "multiply-adds", params: "parameters, as torch counts", peak: "peak activations, float32",
  };
  root.append(h("dl", { class: "mbx-totals" }, ...totals.map(({ key, count, relative }) =>
    h("div", {}, h("dt", {}, totalNames[key]),
      h("dd", {}, count.node, h("span", {}, relative.node, " of α = 1, 224 px"))))));

  // published accuracy
  const printed = h("p", { class: "mbx-published", "data-key": "published" });
  root.append(printed);
  const link = (setting, ...text) => {
    const button = h("button", {
      type: "button", class: "mbx-link", "data-net": setting.net,
      "data-alpha": setting.alpha, "data-resolution": setting.resolution,
    }, ...text);
    button.addEventListener("click", () => jump(setting));
    return button;
  };
  const steps = (a, b) => Math.abs(a.resolution - b.resolution) / 32 + Math.abs(a.alpha - b.alpha) / 0.05;
  const resultText = ({ top1, source, ms }) =>
    ` (${source}${ms === null ? "" : `; ${ms} ms on a Pixel 1`})`;
  function showPublished() {
    const here = settings.find((x) => same(x, state));
    if (here) {
      const parts = here.results.flatMap((result, i) => [i ? ", " : "",
        h("data", { "data-key": "top1", value: result.top1 }, `${result.top1.toFixed(1)} %`),
        resultText(result)]);
      printed.replaceChildren("Published ImageNet top-1: ", ...parts, ".");
    } else {
      const near = settings.filter((x) => x.net === state.net)
        .reduce((a, b) => (steps(b, state) < steps(a, state) - 1e-9 ? b : a));
      printed.replaceChildren("No published accuracy for this setting. The nearest published: ",
        link(near, nameOf(near)), ` with ${near.results.map((x) => `${x.top1.toFixed(1)} %`).join(", ")}.`);
    }
    return here;
  }

  const chart = accuracyChart(settings, nameOf, jump);
  root.append(chart.node);

  // shares
  const shares = { macs: {}, params: {} }, segments = { macs: {}, params: {} };
  const bar = (quantity) => h("div", { class: "mbx-bar" }, ...kinds.map((kind) =>
    segments[quantity][kind] = h("span", { class: `mbx-seg mbx-${kind}` }, h("span", {}, kind))));
  root.append(
    h("div", { class: "mbx-bars", "aria-hidden": "true" },
      h("span", {}, "multiply-adds"), bar("macs"), h("span", {}, "parameters"), bar("params")),
    tableOf(["share of each kind", "multiply-adds", "parameters"], kinds.map((kind) =>
      h("tr", {}, h("th", { scope: "row" }, swatch(kind), kind), ...["macs", "params"].map((quantity) =>
        h("td", {}, (shares[quantity][kind] = datum(`${quantity}.${kind}`)).node))))));

  // budgets
  const message = h("p", { class: "mbx-message", id: `${id}-message`, "aria-live": "polite" });
  const budgets = { max_macs: "multiply-adds", max_params: "parameters" };
  const fields = Object.entries(budgets).map(([key, what]) => {
    const input = h("input", {
      type: "text", inputmode: "decimal", id: `${id}-${key}`, "data-control": key,
      placeholder: "no limit", autocomplete: "off", "aria-describedby": message.id,
    });
    input.addEventListener("input", () => {
      const limit = limitOf(input.value);
      if (!Number.isNaN(limit) && limit !== state[key]) connection.push({ [key]: limit });
      else showBudget();
    });
    return { key, what, input, node: h("label", {}, "at most ", input, ` M ${what}`) };
  });
  const counts = { published: datum("published_fit"), grid: datum("grid_fit") };
  const list = h("ol", { class: "mbx-results" });
  const columns = ["top-1", "setting", "multiply-adds", "parameters"].map((x) => h("span", {}, x));
  const largest = h("p", { class: "mbx-largest" });
  root.append(h("div", { class: "mbx-finder", role: "group", "aria-label": "Budget finder" },
    h("p", { class: "mbx-title" }, "Which net fits a budget?"),
    h("div", { class: "mbx-fields" }, ...fields.map((x) => x.node)),
    h("p", { class: "mbx-counts" }, counts.published.node, " published nets fit, and ",
      counts.grid.node, " slider positions. The best five:"),
    message, h("div", { class: "mbx-row mbx-head", "aria-hidden": "true" }, ...columns), list, largest));

  const quantity = (x, key) => h("span", {}, millions(x.cost[key]),
    h("span", { class: "mbx-sr" }, ` ${budgets[`max_${key}`]}`));
  function showBudget() {
    const wrong = fields.filter(({ input }) => Number.isNaN(limitOf(input.value)));
    for (const field of fields) {
      field.input.setAttribute("aria-invalid", wrong.includes(field));
      const moved = limitOf(field.input.value) !== state[field.key]; // by your own code
      if (moved && !wrong.includes(field)) field.input.value = state[field.key] ?? "";
    }
    const limit = (key) => (state[key] === null ? Infinity : state[key] * 1e6);
    const fits = ({ cost: c }) => c.macs <= limit("max_macs") && c.params <= limit("max_params");
    const fitting = settings.filter(fits), possible = grid.filter(fits);
    counts.published.show(fitting.length, `${fitting.length} of ${settings.length}`);
    counts.grid.show(possible.length, `${possible.length} of ${grid.length}`);
    const smallest = (key) => grid.reduce((a, b) => (b.cost[key] < a.cost[key] ? b : a));
    const tooSmall = Object.entries(budgets).filter(([key]) => {
      const quantity = key.slice(4);
      return limit(key) < smallest(quantity).cost[quantity];
    });
    message.replaceChildren(...[
      ...wrong.map(({ key, what, input }) =>
        `“${input.value.trim()}”: write a number of millions, such as 300 or 3.5, or nothing. `
        + (state[key] === null ? `${what} have no limit meanwhile.` : `${state[key]} M ${what} stays the limit.`)),
      ...tooSmall.map(([key, what]) => {
        const net = smallest(key.slice(4));
        return `Nothing fits in ${state[key]} M ${what}: the smallest net here, ${nameOf(net)}, `
          + `has ${millions(net.cost[key.slice(4)])}.`;
      }),
    ].map((text) => h("span", {}, text)));
    list.replaceChildren(...fitting.sort((a, b) => best(b).top1 - best(a).top1).slice(0, 5).map((x) =>
      h("li", {}, link(x, h("span", { class: "mbx-row" }, h("b", {}, `${best(x).top1.toFixed(1)} %`),
        h("span", {}, h("u", {}, nameOf(x)), h("small", {}, best(x).source)),
        quantity(x, "macs"), quantity(x, "params"))))));
    const unknown = possible.filter((x) => !settings.some((y) => same(x, y)));
    const biggest = unknown.length && unknown.reduce((a, b) => (b.cost.macs > a.cost.macs ? b : a));
    largest.replaceChildren(...(biggest ? [
      "The largest that fits without a published accuracy: ", link(biggest, nameOf(biggest)),
      ` with ${millions(biggest.cost.macs)} multiply-adds and ${millions(biggest.cost.params)} parameters.`,
    ] : []));
    chart.budget(limit("max_macs"), fits);
  }

  // drawing
  let drawn = {};
  function draw() {
    const top = table.nets[state.net].alphas.at(-1);
    if (drawn.net && state.net !== drawn.net) {
      note.textContent = drawn.alpha > top
        ? `α taken back from ${drawn.alpha.toFixed(2)} to ${top.toFixed(2)}, the widest V1 here.`
        : "";
    } else if (drawn.alpha !== state.alpha) note.textContent = "";
    for (const input of radios) input.checked = input.value === state.net;
    const { alphas } = table.nets[state.net];
    alphaSlider.input.max = alphas.length - 1;
    alphaSlider.show(alphas.indexOf(state.alpha), state.alpha.toFixed(2), state.alpha.toFixed(2));
    const rho = (state.resolution / 224).toFixed(2);
    sizeSlider.show(resolutions.indexOf(state.resolution), `${state.resolution} px, ρ = ${rho}`,
      `${state.resolution} pixels, rho ${rho}`);
    const now = cost(state), full = cost({ net: state.net, alpha: 1, resolution: 224 });
    for (const { key, count, relative } of totals) {
      count.show(now[key], key === "peak" ? `${(now.peak / 1e6).toFixed(2)} MB` : millions(now[key]));
      relative.show(now[key] / full[key], percent(now[key] / full[key], 1));
    }
    for (const quantity in shares) {
      kinds.forEach((kind, k) => {
        const count = now.kinds[quantity][k], share = count / now[quantity];
        shares[quantity][kind].show(count, percent(share, 2));
        segments[quantity][kind].style.width = `${100 * share}%`;
        segments[quantity][kind].firstChild.hidden = share < 0.25;
      });
    }
    const here = showPublished();
    chart.here(now.macs, here);
    if (drawn.max_macs !== state.max_macs || drawn.max_params !== state.max_params) showBudget();
    drawn = { ...state };
    screen.say(`${nameOf(state)}: ${millions(now.macs)} multiply-adds, ${millions(now.params)} parameters. `
      + printed.textContent);
  }

  const screen = stage(root, draw);
  const connection = connect(model, keys, () => {
    const top = table.nets[connection.state.net].alphas.at(-1);
    if (connection.state.alpha > top) connection.state.alpha = top; // the kernel's own clamp follows
    screen.ask();
  });
  const { state } = connection;
  alphaSlider.input.addEventListener("input", (event) =>
    connection.push({ alpha: table.nets[state.net].alphas[+event.target.value] }));
  sizeSlider.input.addEventListener("input", (event) =>
    connection.push({ resolution: resolutions[+event.target.value] }));
  draw();
  return { root, stop() { connection.stop(); screen.stop(); chart.stop(); } };
}

/** The limit a reader typed, in millions: null for none, NaN for no such number. */
function limitOf(text) {
  const trimmed = text.trim().replace(/\s*m$/i, "");
  if (trimmed === "") return null;
  const number = /^(\d+\.?\d*|\.\d+)(e\d)?$/i.test(trimmed) ? Number(trimmed) : NaN;
  return number > 0 && number < 1e5 ? number : NaN; // 50000000 means 50 M
}

// --- the picture: accuracy against cost ------------------------------------

const SHAPES = {
  v1: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
  v2: "M0-6.5L6 5H-6z",
};
const fromPaper = (result) => !result.source.startsWith("TF-slim");
const markClass = (net, paper) => `mbx-mark mbx-${net} ${paper ? "mbx-paper" : "mbx-slim"}`;

function accuracyChart(settings, nameOf, jump) {
  const MARGIN = { left: 40, right: 12, top: 22, bottom: 40 };
  const X = [7e6, 8e8], Y = [40, 77];
  const svg = s("svg", { role: "img", class: "mbx-chart" });
  const hint = h("p", { class: "mbx-hint" });
  const resting = "Tap a point to go to its setting.";
  hint.textContent = resting;
  const legend = [["v1", true, "V1, paper"], ["v1", false, "V1, TF-slim"],
    ["v2", true, "V2, paper"], ["v2", false, "V2, TF-slim"]].map(([net, paper, text]) =>
    h("li", {}, s("svg", { width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true" },
      s("path", { class: markClass(net, paper), d: SHAPES[net] })), text));
  const node = h("figure", { class: "mbx-figure" },
    h("ul", { class: "mbx-legend" }, ...legend), svg, hint,
    h("figcaption", {}, "Accuracy as published, multiply-adds as computed here. The stepped line is the "
      + "Pareto front of these float32 results: no net among them is above it for the same cost."));

  const marks = settings.flatMap((setting) => setting.results.map((result) => ({ setting, result })));
  let width = 0, height = 0, current, limit = Infinity, fits = () => true;
  let line, label, rings, budget, halo;
  const x = (macs) => MARGIN.left
    + (width - MARGIN.left - MARGIN.right) * Math.log(macs / X[0]) / Math.log(X[1] / X[0]);
  const y = (top1) => height - MARGIN.bottom
    - (height - MARGIN.top - MARGIN.bottom) * (top1 - Y[0]) / (Y[1] - Y[0]);
  const place = ({ setting, result }) => [x(setting.cost.macs), y(result.top1)];

  function layout() {
    const bottom = height - MARGIN.bottom;
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const parts = [];
    const text = (content, attributes) => parts.push(s("text", attributes, content));
    for (const top1 of [40, 50, 60, 70]) {
      parts.push(s("path", { class: "mbx-grid", d: `M${MARGIN.left} ${y(top1)}H${width - MARGIN.right}` }));
      text(top1, { x: MARGIN.left - 8, y: y(top1) + 4, "text-anchor": "end" });
    }
    for (const m of width < 480 ? [10, 30, 100, 300] : [10, 20, 50, 100, 200, 500]) {
      parts.push(s("path", { class: "mbx-grid", d: `M${x(m * 1e6)} ${MARGIN.top}V${bottom}` }));
      text(`${m} M`, { x: x(m * 1e6), y: bottom + 17, "text-anchor": "middle" });
    }
    text("top-1, %", { x: 2, y: 12 });
    text("multiply-adds (log scale)", { x: width - MARGIN.right, y: height - 4, "text-anchor": "end" });
    const front = marks.filter(({ result }) => result.front).map(place);
    parts.push(s("path", {
      class: "mbx-pareto",
      d: `M${front[0]}` + front.slice(1).map(([px, py]) => `H${px}V${py}`).join("") + `H${width - MARGIN.right}`,
    }));
    budget = s("g", {}, s("path", { class: "mbx-budget" }), s("text", {
      x: width - MARGIN.right - 6, y: bottom - 8, "text-anchor": "end",
    }, "over the budget"));
    line = s("path", { class: "mbx-line", d: `M0 ${MARGIN.top - 4}V${bottom}` });
    label = s("text", { class: "mbx-line-label", y: MARGIN.top - 10 });
    halo = s("circle", { class: "mbx-halo", r: 11 });
    const most = Math.max(...settings.map((setting) => setting.results.length));
    rings = Array.from({ length: most }, () => s("circle", { class: "mbx-ring", r: 9 }));
    for (const mark of marks) {
      mark.node = s("path", {
        class: markClass(mark.setting.net, fromPaper(mark.result)),
        d: SHAPES[mark.setting.net], transform: `translate(${place(mark)})`,
      });
    }
    const papersLast = [...marks].sort((a, b) => fromPaper(a.result) - fromPaper(b.result));
    svg.replaceChildren(...parts, budget, line, label, ...papersLast.map((mark) => mark.node), ...rings, halo);
    point(null);
    showBudget();
    showHere();
  }

  function showHere() {
    const [macs, setting] = current, px = x(macs);
    line.setAttribute("transform", `translate(${px} 0)`);
    label.textContent = millions(macs);
    label.setAttribute("x", Math.min(Math.max(px, 90), width - 40));
    rings.forEach((ring, i) => {
      const result = setting?.results[i];
      ring.setAttribute("visibility", result ? "visible" : "hidden");
      if (result) ring.setAttribute("transform", `translate(${place({ setting, result })})`);
    });
    svg.setAttribute("aria-label", "Published top-1 accuracy against multiply-adds. The current setting takes "
      + `${millions(macs)}${setting ? ` and reached ${setting.results.map((r) => `${r.top1} %`).join(", ")}` : ""}.`);
  }

  function showBudget() {
    const edge = width - MARGIN.right, at = Math.max(MARGIN.left, Math.min(edge, x(limit)));
    budget.setAttribute("visibility", limit < X[1] ? "visible" : "hidden");
    budget.firstChild.setAttribute("d", `M${at} ${MARGIN.top}H${edge}V${height - MARGIN.bottom}H${at}z`);
    for (const { node: mark, setting } of marks) mark.classList.toggle("mbx-out", !fits(setting));
  }

  function nearest(event) {
    const box = svg.getBoundingClientRect();
    const px = event.clientX - box.left, py = event.clientY - box.top;
    const distance = (mark) => Math.hypot(place(mark)[0] - px, place(mark)[1] - py);
    const mark = marks.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    return distance(mark) <= TAP ? mark : null;
  }
  function point(mark) {
    halo.setAttribute("visibility", mark ? "visible" : "hidden");
    if (mark) halo.setAttribute("transform", `translate(${place(mark)})`);
    svg.classList.toggle("mbx-over", Boolean(mark));
    hint.textContent = mark
      ? `${nameOf(mark.setting)}: ${mark.result.top1.toFixed(1)} % (${mark.result.source}), ${millions(mark.setting.cost.macs)}`
      : resting;
  }
  svg.addEventListener("pointermove", (event) => point(nearest(event)));
  svg.addEventListener("pointerleave", () => point(null));
  svg.addEventListener("click", (event) => {
    const mark = nearest(event);
    if (mark) jump(mark.setting);
  });

  const observer = new ResizeObserver(([{ contentRect }]) => {
    if (!contentRect.width || contentRect.width === width) return;
    width = contentRect.width;
    height = width < 480 ? 280 : 340;
    layout();
  });
  observer.observe(node);
  return {
    node,
    here(macs, setting) { current = [macs, setting]; if (width) showHere(); },
    budget(max, test) { limit = max; fits = test; if (width) showBudget(); },
    stop() { observer.disconnect(); },
  };
}

// ---------------------------------------------------------------------------

const WIDGETS = { "layer-explorer": layerExplorer, "cost-explorer": costExplorer };

export default {
  render({ model, el }) {
    const { root, stop } = WIDGETS[model.get("_kind")](model);
    el.append(root);
    return stop;
  },
};
