function layerBrowser(model) {
  const { kinds, fields, nets } = JSON.parse(model.get("_table"));
  for (const net in nets) {
    nets[net] = nets[net].map((row) => Object.fromEntries(row.map((x, i) => [fields[i], x])));
  }
  const id = newId();
  const root = frameOf("layer-browser", "Layer browser");

  // what the numbers are shares of: memory is used again by the next layer
  const quantities = {
    macs: "multiply-adds", params: "parameters, as torch counts", weights: "weights alone",
    memory: "activation bytes, float32",
  };
  const wholes = (layers) => Object.fromEntries(Object.keys(quantities).map((key) => {
    const counts = layers.map((layer) => layer[key]);
    return [key, key === "memory" ? Math.max(...counts) : counts.reduce((a, b) => a + b)];
  }));

  const short = { v1: "V1", conv: "V1 conv", shallow: "V1 shallow", v2: "V2" };
  const netChoice = choice(id, "net", "network", Object.keys(nets).map((key) => [key, short[key]]),
    (net) => connection.push({ net, layer: inside(net, state.layer) }));
  const bars = choice(id, "quantity", "the bars show",
    [["macs", "multiply-adds"], ["params", "parameters"], ["memory", "memory"]],
    (quantity) => connection.push({ quantity }));
  const inside = (net, layer) => Math.min(layer, nets[net].length - 1);
  const layers = walk(id, "layer", (layer) => connection.push({ layer }));
  root.append(h("div", { class: "mbx-top" }, netChoice.node, bars.node), layers.node);

  const sign = h("span"), name = h("strong"), form = h("span"), shapes = h("span");
  root.append(h("p", { class: "mbx-place" }, h("span", {}, sign, name), form, shapes));
  const counts = Object.keys(quantities).map((key) => ({ key, count: datum(key), share: datum(`${key}_share`) }));
  root.append(tableOf(["this layer", "count", "of the net"], counts.map(({ key, count, share }) =>
    h("tr", {}, h("th", { scope: "row" }, quantities[key]),
      h("td", {}, count.node), h("td", {}, share.node, key === "memory" ? " of the peak" : "")))));

  const summed = { macs: "multiply-adds", weights: "weights" };
  const shares = { macs: {}, weights: {} }, segments = { macs: {}, weights: {} };
  const bar = (quantity) => h("div", { class: "mbx-bar" }, ...kinds.map((kind) =>
    segments[quantity][kind] = h("span", { class: `mbx-seg mbx-${kind}` })));
  root.append(
    h("div", { class: "mbx-bars", "aria-hidden": "true" },
      ...Object.entries(summed).flatMap(([key, what]) => [h("span", {}, what), bar(key)])),
    tableOf(["first layer to this one", ...Object.values(summed)], [...kinds, "all"].map((kind) =>
      h("tr", {}, h("th", { scope: "row" }, kind === "all" ? "" : swatch(kind), kind),
        ...Object.keys(summed).map((key) =>
          h("td", {}, (shares[key][kind] = datum(`${key}.${kind}`)).node))))));

  let drawn = {};
  function draw() {
    const { net, layer: index, quantity } = state;
    const all = nets[net], layer = all[index], whole = wholes(all);
    if (drawn.net !== net || drawn.quantity !== quantity) {
      netChoice.show(net);
      bars.show(quantity);
      const most = Math.max(...all.map((x) => x[quantity]));
      layers.fill(all.map((x) => [[x.kind, x[quantity] / most]]));
    }
    drawn = { ...state };
    const place = `${index + 1} of ${all.length}`;
    layers.show(index, place);
    sign.className = `mbx-swatch mbx-${layer.kind}`;
    name.textContent = layer.name;
    const { kernel: k, stride } = layer;
    form.textContent = layer.kind === "linear" ? layer.kind : `${layer.kind} ${k} × ${k}, stride ${stride}`;
    shapes.textContent = `${layer.input} → ${layer.output}`;
    for (const { key, count, share } of counts) {
      count.show(layer[key], exact(layer[key]));
      share.show(layer[key] / whole[key], percent(layer[key] / whole[key], 2));
    }
    for (const key in summed) {
      const sums = Object.fromEntries([...kinds, "all"].map((kind) => [kind, 0]));
      for (const x of all.slice(0, index + 1)) {
        sums[x.kind] += x[key];
        sums.all += x[key];
      }
      for (const kind in sums) shares[key][kind].show(sums[kind], percent(sums[kind] / whole[key], 2));
      for (const kind of kinds) segments[key][kind].style.width = `${(100 * sums[kind]) / whole[key]}%`;
    }
    screen.say(`Layer ${place}, ${layer.name}: ${exact(layer.macs)} multiply-adds, `
      + `${percent(layer.macs / whole.macs, 2)} of the net.`);
  }

  const screen = stage(root, draw);
  const connection = connect(model, ["net", "layer", "quantity"], () => {
    connection.state.layer = inside(connection.state.net, connection.state.layer); // the kernel's clamp follows
    screen.ask();
  });
  const { state } = connection;
  draw();
  return { root, stop() { connection.stop(); screen.stop(); } };
}

export default widget(layerBrowser);
