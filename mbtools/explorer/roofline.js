const TAP = 24; // px around a mark that count as a tap on it
const ROOM = 120; // px that a text beside the ridge needs
const SHAPES = {
  conv: "M-4.5-4.5h9v9h-9z",
  depthwise: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
  pointwise: "M0-6L6 5H-6z",
  linear: "M0-6.5L6.5 0 0 6.5-6.5 0z",
};
const { format: short } = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 }); // made once: it is slow
const time = (seconds) => {
  const [unit, scale] = seconds < 1e-3 ? ["µs", 1e6] : seconds < 1 ? ["ms", 1e3] : ["s", 1];
  return `${short(scale * seconds)} ${unit}`;
};

function roofline(model) {
  const { kinds, formats, batches, peaks, bandwidths, fields, nets } = JSON.parse(model.get("_table"));
  for (const net of Object.values(nets)) {
    net.layers = net.layers.map((row) => Object.fromEntries(row.map((x, i) => [fields[i], x])));
  }
  const id = newId();
  const root = frameOf("roofline", "Roofline");

  const netChoice = choice(id, "net", "network", Object.entries(nets).map(([key, { name }]) => [key, name]),
    (net) => connection.push({ net, layer: inside(net, state.layer) }));
  const sizes = choice(id, "bytes_per_value", "bytes of a number", formats,
    (bytes_per_value) => connection.push({ bytes_per_value }));
  const inside = (net, layer) => Math.min(layer, nets[net].layers.length - 1);
  const knobs = [
    ["peak", "peak of the machine", peaks, (x) => `${short(x)} GMAC/s`],
    ["bandwidth", "bandwidth of its memory", bandwidths, (x) => `${short(x)} GB/s`],
    ["batch", "batch", batches, pictures],
  ].map(([key, label, steps, told]) => {
    const { node, input, show } = slider(id, key, [label], steps);
    input.addEventListener("input", () => connection.push({ [key]: steps[+input.value] }));
    return {
      node,
      show(value) {
        if (!steps.includes(value)) { // what a machine measured becomes a step
          steps.push(value);
          steps.sort((a, b) => a - b);
          input.max = steps.length - 1;
        }
        show(steps.indexOf(value), told(value), told(value));
      },
    };
  });
  const [peak, bandwidth, batch] = knobs.map((x) => x.node);
  root.append(
    h("div", { class: "mbx-top" }, netChoice.node),
    h("div", { class: "mbx-pair" }, peak, bandwidth, batch, sizes.node));

  const chart = roofChart(kinds, (layer) => connection.push({ layer }));
  const layers = walk(id, "layer", (layer) => connection.push({ layer }));
  root.append(chart.node, layers.node);

  const sign = h("span"), name = h("strong"), form = h("span"), shapes = h("span");
  root.append(h("p", { class: "mbx-place" }, h("span", {}, sign, name), form, shapes));
  const totals = Object.fromEntries(Object.entries({
    intensity: "multiply-adds a byte", seconds: "the layer, at least", "net.seconds": "the net, at least",
  }).map(([key, title]) => [key, { title, count: datum(key), more: h("span") }]));
  root.append(h("dl", { class: "mbx-totals" }, ...Object.values(totals).map(({ title, count, more }) =>
    h("div", {}, h("dt", {}, title), h("dd", {}, count.node, more)))));
  const cells = Object.entries({
    macs: "multiply-adds", tensors: "activation bytes", weights: "weight bytes", moved: "bytes moved",
    speed: "GMAC/s", each: "each picture",
  }).map(([key, title]) => ({ key, title, here: datum(key), net: datum(`net.${key}`) }));
  root.append(tableOf(["for the batch", "this layer", "the net"], cells.map(({ title, here, net }) =>
    h("tr", {}, h("th", { scope: "row" }, title), h("td", {}, here.node), h("td", {}, net.node)))));

  /** What a layer does and moves and the least time of it, as Roofline has it in Python. */
  function work(layer) {
    const macs = state.batch * layer.macs;
    const tensors = state.bytes_per_value * state.batch * layer.values;
    const weights = state.bytes_per_value * layer.weights, moved = tensors + weights;
    const computing = macs / (1e9 * state.peak), moving = moved / (1e9 * state.bandwidth);
    const bound = moving > computing ? "memory" : "compute";
    return { ...timed(macs, Math.max(computing, moving)), macs, tensors, weights, moved, bound };
  }
  const timed = (macs, seconds) => ({ seconds, each: seconds / state.batch, speed: macs / seconds / 1e9 });

  let drawn = {}, works, net;
  function draw() {
    const { layer: index } = state, all = nets[state.net].layers;
    if (drawn.net !== state.net) chart.fill(all.map((x) => x.kind));
    if (machine.some((key) => drawn[key] !== state[key])) {
      netChoice.show(state.net);
      sizes.show(state.bytes_per_value);
      ["peak", "bandwidth", "batch"].forEach((key, i) => knobs[i].show(state[key]));
      works = all.map(work);
      const sum = (key, some = works) => some.reduce((total, x) => total + x[key], 0);
      net = Object.fromEntries(["macs", "tensors", "weights", "moved"].map((key) => [key, sum(key)]));
      Object.assign(net, timed(net.macs, sum("seconds")));
      net.waiting = sum("seconds", works.filter((x) => x.bound === "memory")) / net.seconds;
      const longest = Math.max(...works.map((x) => x.seconds));
      layers.fill(all.map(({ kind }, i) => [[kind, works[i].seconds / longest]]));
      chart.roof(state.peak, state.bandwidth, works);
    }
    drawn = { ...state };
    const layer = all[index], here = works[index], place = `${index + 1} of ${all.length}`;
    layers.show(index, place);
    chart.here(index, layer.name);
    sign.className = `mbx-swatch mbx-${layer.kind}`;
    name.textContent = layer.name;
    const { kernel: k, stride } = layer;
    form.textContent = layer.kind === "linear" ? layer.kind : `${layer.kind} ${k} × ${k}, stride ${stride}`;
    shapes.textContent = `${layer.input} → ${layer.output}`;

    const { intensity, seconds, "net.seconds": whole } = totals;
    const ratio = here.macs / here.moved, share = here.seconds / net.seconds;
    intensity.count.show(ratio, short(ratio));
    intensity.more.replaceChildren("bound by ", h("strong", {}, here.bound));
    seconds.count.show(here.seconds, time(here.seconds));
    seconds.more.textContent = `${percent(share, 2)} of the net’s`;
    whole.count.show(net.seconds, time(net.seconds));
    whole.more.textContent = `${percent(net.waiting, 1)} bound by memory`;
    for (const { key, here: one, net: all } of cells) {
      const text = { speed: short, each: time }[key] ?? exact;
      one.show(here[key], text(here[key]));
      all.show(net[key], text(net[key]));
    }
    screen.say(`Layer ${place}, ${layer.name}: ${short(ratio)} multiply-adds a byte, bound by ${here.bound}, `
      + `at least ${time(here.seconds)}, ${percent(share, 2)} of the net’s ${time(net.seconds)}.`);
  }

  const screen = stage(root, draw);
  const machine = ["net", "bytes_per_value", "batch", "peak", "bandwidth"];
  const connection = connect(model, [...machine, "layer"], () => {
    connection.state.layer = inside(connection.state.net, connection.state.layer); // the kernel's clamp follows
    screen.ask();
  });
  const { state } = connection;
  draw();
  return { root, stop() { connection.stop(); screen.stop(); chart.stop(); } };
}

const pictures = (count) => (count === 1 ? "1 picture" : `${count} pictures`);

// --- the picture: what a machine can do for each layer ---------------------

function roofChart(kinds, go) {
  const MARGIN = { left: 58, right: 12, top: 24, bottom: 40 };
  const X = [0.2, 3000]; // each layer at each setting is inside
  const axes = s("g"), marks = s("g"), roof = s("path", { class: "mbx-roof" });
  const ridge = s("path", { class: "mbx-ridge" }), knee = s("text");
  const sides = ["memory", "compute"].map((bound) => s("text", {}, `bound by ${bound}`));
  const line = s("path", { class: "mbx-line" }), label = s("text", { class: "mbx-line-label", y: MARGIN.top - 10 });
  const ring = s("circle", { class: "mbx-ring", r: 10 });
  const svg = s("svg", { role: "img", class: "mbx-chart mbx-over" },
    axes, roof, ridge, knee, ...sides, line, label, marks, ring);
  const mark = (kind) => s("path", { class: `mbx-face mbx-${kind}`, d: SHAPES[kind] });
  const node = h("figure", { class: "mbx-figure" },
    h("ul", { class: "mbx-legend" }, ...kinds.map((kind) => h("li", {},
      s("svg", { width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true" }, mark(kind)), kind))),
    svg,
    h("figcaption", {}, "A mark is a layer, as fast as the machine can run it: on the slope its bytes bind it, "
      + "on the flat roof its multiply-adds. Tap a mark to go to its layer."));

  let width = 0, height = 0, low, high, peak, bandwidth, works, current;
  const x = (intensity) => MARGIN.left
    + (width - MARGIN.left - MARGIN.right) * Math.log(intensity / X[0]) / Math.log(X[1] / X[0]);
  const y = (speed) => height - MARGIN.bottom
    - (height - MARGIN.top - MARGIN.bottom) * (Math.log10(speed) - low) / (high - low);
  const place = ({ macs, moved, speed }) => [x(macs / moved), y(speed)];

  function layout() {
    const bottom = height - MARGIN.bottom, right = width - MARGIN.right, parts = [];
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const text = (content, attributes) => parts.push(s("text", attributes, content));
    for (let decade = low; decade <= high; decade++) {
      const speed = 10 ** decade;
      parts.push(s("path", { class: "mbx-grid", d: `M${MARGIN.left} ${y(speed)}H${right}` }));
      text(short(speed), { x: MARGIN.left - 8, y: y(speed) + 4, "text-anchor": "end" });
    }
    for (const intensity of [1, 10, 100, 1000]) {
      parts.push(s("path", { class: "mbx-grid", d: `M${x(intensity)} ${MARGIN.top}V${bottom}` }));
      text(short(intensity), { x: x(intensity), y: bottom + 17, "text-anchor": "middle" });
    }
    text("GMAC/s", { x: 2, y: 12 });
    text("multiply-adds a byte (both scales log)", { x: right, y: height - 4, "text-anchor": "end" });
    axes.replaceChildren(...parts);
  }

  function showRoof() {
    // the axis grows by whole decades, so that within them it is the roof that moves
    const lowest = Math.min(0, Math.floor(Math.log10(Math.min(peak, bandwidth * X[0]) / 2)));
    const highest = Math.max(3, Math.ceil(Math.log10(peak)));
    if (low !== lowest || high !== highest) {
      [low, high] = [lowest, highest];
      layout();
    }
    const bottom = height - MARGIN.bottom, at = Math.max(X[0], Math.min(X[1], peak / bandwidth));
    const corners = [X[0], at, X[1]].map((each) => [x(each), y(Math.min(peak, bandwidth * each))]);
    const [kneeX, kneeY] = corners[1];
    roof.setAttribute("d", `M${x(X[0])} ${bottom}L${corners.join("L")}V${bottom}z`);
    ridge.setAttribute("d", `M${kneeX} ${kneeY}V${bottom}`);
    const rooms = [kneeX - MARGIN.left, width - MARGIN.right - kneeX].map((room) => room > ROOM);
    const write = (node, rise, right) => {
      node.setAttribute("text-anchor", right ? "start" : "end");
      node.setAttribute("transform", `translate(${kneeX + (right ? 8 : -8)} ${bottom - rise})`);
    };
    knee.textContent = `ridge at ${short(peak / bandwidth)}`;
    write(knee, 26, rooms[1]);
    sides.forEach((side, i) => {
      write(side, 8, i);
      side.setAttribute("visibility", rooms[i] ? "visible" : "hidden");
    });
    works.forEach((work, i) => marks.children[i].setAttribute("transform", `translate(${place(work)})`));
  }

  function showHere() {
    const { macs, moved } = works[current.index], [px, py] = place(works[current.index]);
    ring.setAttribute("transform", `translate(${px} ${py})`);
    line.setAttribute("d", `M${px} ${MARGIN.top - 4}V${py - ring.r.baseVal.value}`);
    label.textContent = `${short(macs / moved)} a byte`;
    label.setAttribute("x", Math.min(Math.max(px, 90), width - 50));
  }

  function name() { // also while it waits for the window, without a width
    const { macs, moved, bound } = works[current.index];
    svg.setAttribute("aria-label", `The roof of the machine rises with ${short(bandwidth)} GB/s to `
      + `${short(peak)} GMAC/s at ${short(peak / bandwidth)} multiply-adds a byte and is flat from there. `
      + `${current.name} has ${short(macs / moved)} a byte and is bound by ${bound}.`);
  }

  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const away = works.map((work) => {
      const [px, py] = place(work);
      return Math.hypot(box.left + px - event.clientX, box.top + py - event.clientY);
    });
    const nearest = Math.min(...away);
    if (nearest <= TAP) go(away.indexOf(nearest));
  });

  const stop = sized(node, (wide) => {
    width = wide;
    height = width < 480 ? 280 : 340;
    low = undefined; // the axes are of another size
    showRoof();
    showHere();
  });
  return {
    node,
    fill(kinds) { marks.replaceChildren(...kinds.map(mark)); },
    roof(...now) { [peak, bandwidth, works] = now; if (width) showRoof(); },
    here(index, layer) { current = { index, name: layer }; name(); if (width) showHere(); },
    stop,
  };
}

export default widget(roofline);
