const sub = (letter, below) => [letter, h("sub", {}, below)];

function layerExplorer(model) {
  const table = JSON.parse(model.get("_table"));
  const id = newId();
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
      : area === 1
        ? ": a standard 1 × 1 convolution is a pointwise one already."
        : ": with one map out, filtering alone costs as much.";
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
      count.textContent = `${copies} ${copies === 1 ? "filter" : "filters"}`;
      what.textContent = `${kernel} × ${kernel} × ${channels}`;
    },
  };
}

export default widget(layerExplorer);
