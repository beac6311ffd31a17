function blockDesigner(model) {
  const table = JSON.parse(model.get("_table"));
  const id = newId();
  const root = frameOf("block-designer", "Block designer");
  const labels = {
    in_channels: ["input channels ", h("i", {}, "M")],
    out_channels: ["output channels ", h("i", {}, "N")],
    expansion: ["expansion ", h("i", {}, "t")],
    size: ["size of the input"],
  };
  const keys = Object.keys(labels);
  const sliders = keys.map((key) => slider(id, key, labels[key], table[key]));
  const strides = choice(id, "stride", "stride", [[1, "stride 1"], [2, "stride 2"]],
    (stride) => push({ stride }));
  const added = h("span", { class: "mbx-note" });
  root.append(
    h("div", { class: "mbx-pair" }, ...sliders.map((x) => x.node)),
    h("div", { class: "mbx-top" }, strides.node, added));

  const names = {
    inverted: "inverted residual", standard: "standard 3 × 3", separable: "separable pair",
    bottleneck: "ResNet block",
  };
  const rivals = Object.keys(names).slice(1);
  const pictures = { inverted: chain(names.inverted), bottleneck: chain(names.bottleneck) };
  root.append(h("div", { class: "mbx-pair" }, ...Object.values(pictures).map((x) => x.node)));

  const ratios = Object.fromEntries(rivals.map((name) => [name, datum(`ratio.${name}`)]));
  root.append(h("p", { class: "mbx-ratios" }, "Multiply-adds of the inverted residual: ",
    h("strong", {}, ratios.standard.node), " the standard convolution’s, ",
    h("strong", {}, ratios.separable.node), " the separable pair’s, ",
    h("strong", {}, ratios.bottleneck.node), " the ResNet block’s."));

  // a bar is in pieces, a layer each; no block has more than three
  const pieces = Object.fromEntries(Object.keys(names).map((name) => [name, [h("span"), h("span"), h("span")]]));
  root.append(h("div", { class: "mbx-bars", "aria-hidden": "true" }, ...Object.entries(names).flatMap(([key, name]) =>
    [h("span", {}, name), h("div", { class: "mbx-bar" }, ...pieces[key])])));

  const stages = { // the layers of those blocks that have more than one
    inverted: { expand: "pointwise", depthwise: "depthwise", project: "pointwise" },
    separable: { depthwise: "depthwise", pointwise: "pointwise" },
    bottleneck: { reduce: "pointwise", standard: "conv", expand: "pointwise" },
  };
  const cells = [];
  const row = (columns, name, stage, ...title) => h("tr", {}, h("th", { scope: "row" }, ...title),
    ...columns.map((column) => {
      const { node, show } = datum([column, name, stage].filter(Boolean).join("."));
      cells.push({ column, name, stage, show });
      return h("td", {}, node);
    }));
  const rows = (columns, detail) => Object.entries(names).flatMap(([name, title]) => [
    row(columns, name, "", title),
    ...Object.entries(detail[name] ?? {}).map(([stage, kind]) => row(columns, name, stage, swatch(kind), stage)),
  ]);
  const { inverted } = stages;
  root.append(
    tableOf(["block", "multiply-adds", "weights"], rows(["macs", "weights"], { inverted })),
    tableOf(["bytes, float16", "layer by layer", "by channel"], rows(["memory", "sliced"], stages)),
    h("p", { class: "mbx-note" }, "A layer holds its input, its output and what a shortcut keeps; layer by layer, "
      + "the fullest counts. By channel: the tensors inside come one channel at a time. The ResNet block, inside as "
      + "wide as a quarter of its output, cannot do that: its 3\u00a0×\u00a03 convolution reads all channels for each "
      + "output."));

  function draw() {
    const { in_channels: k, out_channels: out, expansion: t, stride, size } = state;
    const shortcut = stride === 1 && k === out;
    const text = { in_channels: k, out_channels: out, expansion: t, size: `${size} × ${size}` };
    keys.forEach((key, i) => sliders[i].show(table[key].indexOf(state[key]), text[key], text[key]));
    strides.show(stride);
    const why = [stride === 2 && "stride 2: the sizes differ", k !== out && `${k} channels in, ${out} out`];
    added.textContent = shortcut ? "Shortcut: the input is added to the output."
      : `No shortcut: ${why.filter(Boolean).join("; ")}.`;

    const blocks = blocksOf(state, table.reduction);
    const { inverted, bottleneck } = blocks;
    const total = (layers, key) => layers.reduce((sum, layer) => sum + layer[key], 0);
    const most = Math.max(...Object.values(blocks).map((layers) => total(layers, "macs")));
    const whole = {};
    for (const [name, layers] of Object.entries(blocks)) {
      const held = shortcut && layers.length > 1 && name !== "separable" ? k * size ** 2 : 0;
      layers.forEach((x, i) => { x.memory = table.bytes * (x.reads + x.writes + (i && held)); });
      const inside = layers.slice(0, -1).reduce((sum, { to }) => sum + to ** 2, 0);
      whole[name] = {
        macs: total(layers, "macs"),
        weights: total(layers, "weights"),
        memory: Math.max(...layers.map((x) => x.memory)),
        sliced: name === "bottleneck" ? undefined : table.bytes * (layers[0].reads + inside + layers.at(-1).writes),
      };
      pieces[name].forEach((piece, i) => {
        piece.hidden = !layers[i];
        if (piece.hidden) return;
        piece.className = `mbx-seg mbx-${layers[i].kind}`;
        piece.style.width = `${(100 * layers[i].macs) / most}%`;
      });
    }
    for (const { column, name, stage, show } of cells) {
      const part = stage ? blocks[name].find(({ title }) => title.startsWith(stage)) : whole[name];
      const count = part?.[column]; // at t = 1 no layer expands
      if (count === undefined) show("", "–");
      else show(count, exact(count));
    }
    for (const name of rivals) {
      const ratio = whole.inverted.macs / whole[name].macs;
      ratios[name].show(ratio, `${ratio.toLocaleString("en-US", { maximumSignificantDigits: 3 })}\u00a0×`);
    }
    const widest = Math.max(...[...inverted, ...bottleneck].flatMap((x) => [x.inputs, x.outputs]));
    for (const name in pictures) pictures[name].show(blocks[name], widest, shortcut);
    screen.say(`Multiply-adds: ${Object.keys(names).map((name) =>
      `${names[name]} ${exact(whole[name].macs)}`).join(", ")}. ${added.textContent}`);
  }

  const screen = stage(root, draw);
  const { state, push, stop } = connect(model, [...keys, "stride"], screen.ask);
  keys.forEach((key, i) => sliders[i].input.addEventListener("input", (event) =>
    push({ [key]: table[key][+event.target.value] })));
  draw();
  return { root, stop() { stop(); screen.stop(); } };
}

/** The layers of each block, as BlockDesigner.block and .rivals have them in Python. */
function blocksOf({ in_channels: k, out_channels: out, expansion: t, stride, size }, reduction) {
  const half = Math.ceil(size / stride), wide = t * k, thin = Math.floor(out / reduction);
  const layer = (title, kind, kernel, inputs, outputs, from, to) => {
    const weights = kernel ** 2 * outputs * (kind === "depthwise" ? 1 : inputs);
    return {
      title, kind, inputs, outputs, from, to, weights,
      macs: weights * to ** 2, reads: inputs * from ** 2, writes: outputs * to ** 2,
    };
  };
  const expand = layer("expand 1 × 1, ReLU6", "pointwise", 1, k, wide, size, size);
  return {
    inverted: [
      ...(t === 1 ? [] : [expand]),
      layer("depthwise 3 × 3, ReLU6", "depthwise", 3, wide, wide, size, half),
      layer("project 1 × 1, linear", "pointwise", 1, wide, out, half, half),
    ],
    standard: [layer("standard 3 × 3, ReLU", "conv", 3, k, out, size, half)],
    separable: [
      layer("depthwise 3 × 3, ReLU", "depthwise", 3, k, k, size, half),
      layer("pointwise 1 × 1, ReLU", "pointwise", 1, k, out, half, half),
    ],
    bottleneck: [
      layer("reduce 1 × 1, ReLU", "pointwise", 1, k, thin, size, size),
      layer("standard 3 × 3, ReLU", "conv", 3, thin, thin, size, half),
      layer("expand 1 × 1, ReLU", "pointwise", 1, thin, out, half, half),
    ],
  };
}

/** A block's tensors and layers from top to bottom, as wide as they have channels. */
function chain(title) {
  const rows = Array.from({ length: 7 }, () => {
    const form = h("span", { "aria-hidden": "true" }), text = h("span");
    return { node: h("li", {}, form, text), form, text };
  });
  const list = h("ol", { class: "mbx-chain" }, ...rows.map(({ node }) => node));
  const shape = (channels, size) => `${channels} × ${size} × ${size}`.replaceAll(" ", "\u00a0");
  return {
    node: h("figure", {}, h("figcaption", {}, title), list),
    show(layers, widest, shortcut) {
      list.classList.toggle("mbx-added", shortcut);
      const last = layers.at(-1);
      const steps = [
        ...layers.flatMap((x) => [
          ["tensor", x.inputs, x.inputs, shape(x.inputs, x.from)], [x.kind, x.inputs, x.outputs, x.title],
        ]),
        ["tensor", last.outputs, last.outputs, shape(last.outputs, last.to)],
      ];
      rows.forEach(({ node, form, text }, i) => {
        node.hidden = i >= steps.length;
        if (node.hidden) return;
        const [part, above, below, words] = steps[i];
        const [a, b] = [above, below].map((x) => Math.max(0.5, (50 * x) / widest)); // a hair is seen
        form.className = `mbx-form mbx-${part}`;
        form.style.clipPath = `polygon(${50 - a}% 0, ${50 + a}% 0, ${50 + b}% 100%, ${50 - b}% 100%)`;
        text.textContent = words;
      });
    },
  };
}

export default widget(blockDesigner);
