function sizeExplorer(model) {
  const { data, pictures, net: nets, table } = JSON.parse(model.get("_table"));
  const id = newId();
  const root = frameOf("size-explorer", "Accuracy and size");
  const at = () => table[data.indexOf(state.data)][pictures.indexOf(state.pictures)];
  const told = ([, , mean, spread]) => `${mean.toFixed(1)} ± ${spread.toFixed(1)} %`;
  const kilo = (bytes) => `${exact(Math.round(bytes / 1000))} kB`;

  const dataChoice = choice(id, "data", "data", data.map((x) => [x, x]), (x) => connection.push({ data: x }));
  const counts = slider(id, "pictures", ["trained on"], pictures);
  const family = slider(id, "net", ["net, α"], nets);
  root.append(h("div", { class: "mbx-top" }, dataChoice.node), counts.node, family.node);

  const totals = [["params", "parameters"], ["bytes", "bytes in float32"], ["macs", "multiply-adds"],
    ["accuracy", "test accuracy"]].map(([key, name]) => ({ name, shown: datum(key), note: h("span") }));
  const [params, bytes, macs, accuracy] = totals;
  root.append(h("dl", { class: "mbx-totals" }, ...totals.map(({ name, shown, note }) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, shown.node, note)))));

  // One frame for all settings, so that points move and the scale does not.
  const all = table.flat(2);
  const sizes = all.map(([size]) => Math.log10(size));
  const [low, high] = [Math.min(...sizes) - 0.1, Math.max(...sizes) + 0.1];
  const floor = Math.min(80, Math.max(0, 20 * Math.floor(Math.min(...all.map(([, , mean, spread]) => mean - spread)) / 20)));
  const left = (size) => `left: ${100 * (Math.log10(size) - low) / (high - low)}%`;
  const up = (percents) => 100 * (Math.min(100, Math.max(floor, percents)) - floor) / (100 - floor);
  const plot = h("div", { class: "mbx-plot", "aria-hidden": "true" });
  for (let y = floor; y <= 100; y += 20) {
    plot.append(h("span", { class: "mbx-level", style: `bottom: ${up(y)}%` }, `${y} %`));
  }
  for (const size of [1e4, 3e4, 1e5, 3e5, 1e6]) {
    const place = Math.log10(size);
    if (place > low && place < high) plot.append(h("span", { class: "mbx-tick", style: left(size) }, exact(size)));
  }
  const points = nets.map((name) => {
    const kind = name.startsWith(nets[0].split(" ")[0]) ? "mbx-one" : "mbx-other";
    const bar = h("span", { class: `mbx-spread ${kind}` }), dot = h("span", { class: `mbx-point ${kind}` });
    dot.addEventListener("click", () => connection.push({ net: name }));
    plot.append(bar, dot);
    return { bar, dot };
  });
  const kinds = [...new Set(nets.map((name) => name.split(" ")[0]))];
  root.append(
    h("ul", { class: "mbx-legend" }, ...kinds.map((kind, i) =>
      h("li", {}, h("span", { class: `mbx-point ${i ? "mbx-other" : "mbx-one"}`, "aria-hidden": "true" }), kind))),
    h("figure", {}, plot, h("figcaption", { class: "mbx-note" },
      "Test accuracy against parameters, on a logarithmic scale; bars are one standard deviation over the seeds.")));

  function draw() {
    const now = at(), index = nets.indexOf(state.net), here = now[index];
    const count = `${state.pictures} pictures`;
    dataChoice.show(state.data);
    counts.show(pictures.indexOf(state.pictures), count, count);
    family.show(index, state.net, state.net);
    params.shown.show(here[0], exact(here[0]));
    bytes.shown.show(4 * here[0], kilo(4 * here[0]));
    macs.shown.show(here[1], millions(here[1]));
    accuracy.shown.show(here[2], `${here[2].toFixed(1)} %`);
    accuracy.note.textContent = `± ${here[3].toFixed(1)}, ${here[4]} seeds`;
    points.forEach(({ bar, dot }, i) => {
      const [size, , mean, spread] = now[i];
      dot.style = `${left(size)}; bottom: ${up(mean)}%`;
      bar.style = `${left(size)}; bottom: ${up(mean - spread)}%; height: ${up(mean + spread) - up(mean - spread)}%`;
      dot.classList.toggle("mbx-here", i === index);
    });
    screen.say(`${state.net}, ${state.data}, ${count}: ${told(here)}, ${exact(here[0])} parameters.`);
  }

  const screen = stage(root, draw);
  const connection = connect(model, ["data", "pictures", "net"], () => screen.ask());
  const { state } = connection;
  counts.input.addEventListener("input", (event) => connection.push({ pictures: pictures[+event.target.value] }));
  family.input.addEventListener("input", (event) => connection.push({ net: nets[+event.target.value] }));
  draw();
  return { root, stop() { connection.stop(); screen.stop(); } };
}

export default widget(sizeExplorer);
