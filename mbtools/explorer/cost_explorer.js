const TAP = 24; // px around a point that count as a tap on it

function costExplorer(model) {
  const table = JSON.parse(model.get("_table"));
  const { kinds, resolutions, areas, settings } = table;
  const id = newId();
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
  const nets = choice(id, "net", "network", Object.entries(table.nets).map(([key, { name }]) => [key, name]),
    (net) => connection.push({ net, alpha: Math.min(state.alpha, table.nets[net].alphas.at(-1)) }));
  const alphaSlider = slider(id, "alpha", ["width multiplier ", h("i", {}, "α")], table.nets.v1.alphas);
  const sizeSlider = slider(id, "resolution", ["input resolution"], resolutions);
  const note = h("p", { class: "mbx-note" });
  root.append(h("div", { class: "mbx-top" }, nets.node, note),
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
    h("p", {}, counts.published.node, " published nets fit, and ",
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
    nets.show(state.net);
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
  }

  function name() { // also while it waits for the window, without a width
    const [macs, setting] = current;
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

  const stop = sized(node, (wide) => {
    width = wide;
    height = width < 480 ? 280 : 340;
    layout();
  });
  return {
    node,
    here(macs, setting) { current = [macs, setting]; name(); if (width) showHere(); },
    budget(max, test) { limit = max; fits = test; if (width) showBudget(); },
    stop,
  };
}

export default widget(costExplorer);
