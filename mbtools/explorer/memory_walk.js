function memoryWalk(model) {
  const { parts, manners, nets } = JSON.parse(model.get("_table"));
  const id = newId();
  const root = frameOf("memory-walk", "Memory walk");
  const sum = (held) => held.reduce((a, b) => a + b);
  const kilo = (bytes) => `${exact(Math.round(bytes / 1000))} kB`;
  const places = ["input", "inside", "output"];
  // one scale for both nets and all parts, so that a bar shrinks as one sees it
  const scale = Math.max(...Object.values(nets).flatMap(({ blocks }) =>
    blocks.flatMap(({ held }) => held.map(sum))));

  const netChoice = choice(id, "net", "network", Object.entries(nets).map(([key, { name }]) => [key, name]),
    (net) => connection.push({ net, block: inside(net, state.block) }));
  const sizes = choice(id, "bytes_per_value", "bytes of a number", [[2, "float16"], [4, "float32"]],
    (bytes_per_value) => connection.push({ bytes_per_value }));
  const inside = (net, block) => Math.min(block, nets[net].blocks.length - 1);
  const slices = slider(id, "parts", ["run each block"], parts);
  const blocks = walk(id, "block", (block) => connection.push({ block }));
  root.append(h("div", { class: "mbx-top" }, netChoice.node, sizes.node), slices.node);

  const peaks = Object.entries(nets).map(([key, { name }]) => ({
    key, name, count: datum(`peak.${key}`), where: h("span"),
  }));
  root.append(h("dl", { class: "mbx-totals mbx-two" }, ...peaks.map(({ name, count, where }) =>
    h("div", {}, h("dt", {}, `${name}, peak`), h("dd", {}, count.node, where)))));

  root.append(
    h("ul", { class: "mbx-legend" }, ...places.map((place) => h("li", {}, swatch(place), place))),
    blocks.node);

  const name = h("strong"), total = h("strong"), how = h("span");
  root.append(h("p", { class: "mbx-place" }, name, total, how));
  const cells = [...places, "together"].map((place) => ({ place, shape: h("td"), count: datum(place) }));
  root.append(tableOf(["tensor", "its shape", "bytes held"], cells.map(({ place, shape, count }) =>
    h("tr", {}, h("th", { scope: "row" }, place === "together" ? "" : swatch(place), place),
      shape, h("td", {}, count.node)))));

  let drawn = {};
  function draw() {
    const { net, block: index, bytes_per_value: size } = state;
    const p = parts.indexOf(state.parts), all = nets[net].blocks, block = all[index];
    if (drawn.net !== net || drawn.parts !== state.parts) {
      netChoice.show(net);
      slices.show(p, manners[p], manners[p]);
      blocks.fill(all.map(({ held }) => places.map((place, i) => [place, held[p][i] / scale])));
    }
    if (drawn.bytes_per_value !== size || drawn.parts !== state.parts) {
      sizes.show(size);
      for (const { key, count, where } of peaks) {
        const most = nets[key].blocks.reduce((a, b) => (sum(b.held[p]) > sum(a.held[p]) ? b : a));
        const peak = sum(most.held[p]) * size;
        count.show(peak, kilo(peak));
        where.textContent = `in ${most.name}`;
      }
    }
    drawn = { ...state };
    const together = sum(block.held[p]) * size, place = `${index + 1} of ${all.length}`;
    blocks.show(index, `${block.name}, ${place}`);
    name.textContent = block.name;
    total.textContent = kilo(together);
    const [input, tensors, output] = block.shapes;
    const width = Math.ceil(block.channels / state.parts);
    if (!tensors.length) how.textContent = "one layer, nothing inside";
    else if (p === 0) how.textContent = `fullest while “${block.fullest}” runs`;
    else how.textContent = `${width === 1 ? "one channel" : `${width} channels`} inside at a time`;
    const texts = [input, tensors.join(" and ") || "–", output, ""];
    cells.forEach(({ shape, count }, i) => {
      const bytes = i < 3 ? block.held[p][i] * size : together;
      shape.textContent = texts[i];
      count.show(bytes, exact(bytes));
    });
    screen.say(`${block.name}: ${kilo(together)}. Peaks, ${manners[p]}: `
      + peaks.map((x) => `${x.name} ${x.count.node.textContent}`).join(", ") + ".");
  }

  const screen = stage(root, draw);
  const connection = connect(model, ["net", "parts", "block", "bytes_per_value"], () => {
    connection.state.block = inside(connection.state.net, connection.state.block); // the kernel's clamp follows
    screen.ask();
  });
  const { state } = connection;
  slices.input.addEventListener("input", (event) => connection.push({ parts: parts[+event.target.value] }));
  draw();
  return { root, stop() { connection.stop(); screen.stop(); } };
}

export default widget(memoryWalk);
