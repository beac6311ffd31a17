function rankExplorer(model) {
  const { fields, layers } = JSON.parse(model.get("_table"));
  const all = layers.map((row) => spectrum(Object.fromEntries(row.map((x, i) => [fields[i], x]))));
  const id = newId();
  const root = frameOf("rank-explorer", "A layer in two, by rank");

  const sign = h("span"), name = h("strong"), form = h("span"), size = h("span");
  root.append(h("p", { class: "mbx-place" }, h("span", {}, sign, name), form, size));
  const go = (rank) => connection.push({ rank });
  const chart = spectrumChart(go);
  const ranks = slider(id, "rank", ["rank"], []);
  ranks.input.min = 1;
  ranks.input.addEventListener("input", () => go(+ranks.input.value));
  root.append(chart.node, ranks.node);

  const totals = Object.fromEntries(Object.entries({
    ratio: "two layers against one", kept: "they keep", error: "relative error",
  }).map(([key, title]) => [key, { title, count: datum(key), more: h("span") }]));
  root.append(h("dl", { class: "mbx-totals" }, ...Object.values(totals).map(({ title, count, more }) =>
    h("div", {}, h("dt", {}, title), h("dd", {}, count.node, more)))));
  totals.kept.more.textContent = "of the squared singular values";
  totals.error.more.textContent = "the least at this rank";
  const one = h("td"), two = h("td");
  const costs = ["weights", "macs"].map((key) => ({ key, one: datum(`one.${key}`), two: datum(key) }));
  root.append(tableOf(["cost", "one layer", "two layers"], [
    h("tr", {}, h("th", { scope: "row" }, "channels"), one, two),
    ...costs.map(({ key, one, two }) => h("tr", {},
      h("th", { scope: "row" }, key === "macs" ? "multiply-adds" : key), h("td", {}, one.node), h("td", {}, two.node))),
  ]));

  const roles = [...new Set(all.map((x) => x.role))];
  const keeps = choice(id, "keep", "squared singular values to keep", [90, 95, 99].map((x) => [x, `${x} %`]),
    (keep) => connection.push({ keep }));
  const walker = walk(id, "layer", (layer) => connection.push({ layer, rank: inside(layer, state.rank) }));
  const inside = (layer, rank) => Math.min(rank, all[layer].full);
  const highest = Math.max(...all.map((x) => x.full / x.even)); // one scale for all shares
  walker.node.style.setProperty("--mbx-level", 1 / highest);
  const needs = h("span", { class: "mbx-needs" }), worth = h("strong"), take = h("button", { type: "button", class: "mbx-button" });
  take.addEventListener("click", () => go(all[state.layer].needed(state.keep)));
  const sums = [...roles, "all"].map((role) => ({
    role, some: all.filter((x) => role === "all" || x.role === role),
    cells: ["pays", "weights", "macs"].map((key) => datum(`${key}.${role}`)),
  }));
  root.append(h("div", { class: "mbx-all" },
    h("p", { class: "mbx-title" }, `All ${all.length} layers: the rank that each needs to keep`),
    h("div", { class: "mbx-top" }, keeps.node,
      h("ul", { class: "mbx-legend" }, ...roles.map((role) => h("li", {}, swatch(role), role)))),
    walker.node,
    h("p", { class: "mbx-note" }, "A bar is the rank that a layer needs, the dashed line its break-even rank: "
      + "above the line two layers cost more than one."),
    h("div", { class: "mbx-top" }, needs, take),
    tableOf(["layers", "pay", "weights saved", "multiply-adds saved"], sums.map(({ role, cells }) => h("tr", {},
      h("th", { scope: "row" }, role === "all" ? "" : swatch(role), role),
      ...cells.map((x) => h("td", {}, x.node)))))));

  let drawn = {};
  function draw() {
    const { layer: index, rank, keep } = state, here = all[index];
    const needed = here.needed(keep);
    if (drawn.layer !== index) {
      sign.className = `mbx-swatch mbx-${here.role}`;
      name.textContent = here.name;
      form.textContent = `${here.inputs} → ${here.outputs} channels`;
      size.textContent = here.pixels === 1 ? "1 pixel" : `${exact(here.pixels)} pixels`;
      ranks.input.max = here.full;
      chart.fill(here);
      one.textContent = `${here.inputs} → ${here.outputs}`;
    }
    if (drawn.keep !== keep) {
      keeps.show(keep);
      walker.fill(all.map((x) => [[x.role, x.needed(keep) / x.even / highest]]));
      for (const { some, cells: [pays, ...saved] } of sums) {
        const paying = some.filter((x) => x.ratio(x.needed(keep)) < 1);
        pays.show(paying.length, `${paying.length} of ${some.length}`);
        ["weights", "macs"].forEach((key, i) => {
          const total = (few, part) => few.reduce((sum, x) => sum + x[key] * part(x), 0);
          const share = total(paying, (x) => 1 - x.ratio(x.needed(keep))) / total(some, () => 1);
          saved[i].show(share, percent(share, 1));
        });
      }
    }
    drawn = { ...state };
    const place = `${here.name}, ${index + 1} of ${all.length}`;
    walker.show(index, place);
    ranks.show(rank, `${rank} of ${here.full}`, `${rank} of ${here.full}`);
    chart.show(rank, needed, keep);

    const ratio = here.ratio(rank), lost = here.lost(rank);
    const kept = percent(1 - lost, 2), error = percent(Math.sqrt(lost), 1);
    totals.ratio.count.show(ratio, `${ratio.toFixed(2)} ×`);
    totals.ratio.more.textContent = verdict(ratio);
    totals.kept.count.show(1 - lost, kept);
    totals.error.count.show(Math.sqrt(lost), error);
    two.textContent = `${here.inputs} → ${rank} → ${here.outputs}`;
    for (const { key, one, two } of costs) {
      one.show(here[key], exact(here[key]));
      const count = rank * (here.inputs + here.outputs) * (key === "macs" ? here.pixels : 1);
      two.show(count, exact(count));
    }
    worth.textContent = verdict(here.ratio(needed));
    needs.replaceChildren(`${here.name} needs rank ${needed} for ${keep} %: `, worth);
    take.textContent = `take rank ${needed}`;
    take.disabled = rank === needed;
    screen.say(`${place}, rank ${rank}: ${verdict(ratio)}, keeps ${kept} of the squared singular values, `
      + `relative error ${error}.`);
  }

  const screen = stage(root, draw);
  const connection = connect(model, ["layer", "rank", "keep"], () => {
    connection.state.rank = inside(connection.state.layer, connection.state.rank); // the kernel's clamp follows
    screen.ask();
  });
  const { state } = connection;
  draw();
  return { root, stop() { connection.stop(); screen.stop(); chart.stop(); } };
}

/** A layer with what its ranks cost and drop, as RankExplorer has it in Python. */
function spectrum(layer) {
  const { inputs, outputs, pixels, values } = layer, weights = inputs * outputs;
  const dropped = Array(values.length + 1).fill(0); // the squares that a rank drops
  for (let rank = values.length; rank--;) dropped[rank] = dropped[rank + 1] + values[rank] * values[rank];
  return {
    ...layer, weights, macs: weights * pixels, full: values.length, even: weights / (inputs + outputs),
    ratio: (rank) => (rank * (inputs + outputs)) / weights,
    lost: (rank) => dropped[rank] / dropped[0],
    needed: (keep) => dropped.findIndex((rest, i) => i && 100 * rest <= (100 - keep) * dropped[0]),
  };
}

const verdict = (ratio) => (ratio === 1 ? "costs the same"
  : ratio < 1 ? `saves ${percent(1 - ratio, 1)}` : `costs ${percent(ratio - 1, 1)} more`);

// --- the picture: the singular values, kept and dropped --------------------

function spectrumChart(go) {
  const MARGIN = { left: 44, right: 12, top: 36, bottom: 40 }, HEIGHT = 240;
  const bottom = HEIGHT - MARGIN.bottom;
  const axes = s("g"), dear = s("rect", { class: "mbx-budget", y: MARGIN.top, height: bottom - MARGIN.top });
  const [dropped, kept] = ["dropped", "kept"].map((part) => s("path", { class: `mbx-${part}` }));
  const cut = s("rect", { y: 0, height: HEIGHT }), clip = s("clipPath", { id: newId() }, cut);
  kept.setAttribute("clip-path", `url(#${clip.id})`);
  const even = s("path", { class: "mbx-even" }), enough = s("path", { class: "mbx-enough" });
  const evenText = s("text", { y: 12 }), enoughText = s("text", { y: 28 });
  const svg = s("svg", { role: "img", class: "mbx-chart mbx-over", height: HEIGHT },
    clip, axes, dear, dropped, kept, even, enough, evenText, enoughText);
  const node = h("figure", { class: "mbx-figure" }, svg, h("figcaption", {},
    "The layer’s singular values, those that the rank keeps and those that it drops. "
    + "Beyond the break-even rank two layers cost more than one."));

  let width = 0, layer, now;
  const x = (rank) => MARGIN.left + (width - MARGIN.left - MARGIN.right) * rank / layer.full;
  const y = (value) => bottom - (bottom - MARGIN.top) * value / layer.values[0];

  function layout() {
    const { values, full, even: rank } = layer, parts = [];
    svg.setAttribute("width", width);
    const text = (content, attributes) => parts.push(s("text", attributes, content));
    text(`${values[0]}`, { x: MARGIN.left - 6, y: MARGIN.top + 4, "text-anchor": "end" });
    text("0", { x: MARGIN.left - 6, y: bottom + 4, "text-anchor": "end" });
    for (const each of [0, full / 2, full]) text(each, { x: x(each), y: bottom + 17, "text-anchor": "middle" });
    text("singular value by rank", { x: x(full), y: HEIGHT - 4, "text-anchor": "end" });
    axes.replaceChildren(...parts);
    const steps = values.map((value, i) => `V${y(value)}H${x(i + 1)}`).join("");
    for (const path of [dropped, kept]) path.setAttribute("d", `M${x(0)} ${bottom}${steps}V${bottom}z`);
    cut.setAttribute("x", x(0));
    dear.setAttribute("x", x(rank));
    dear.setAttribute("width", x(full) - x(rank));
    even.setAttribute("d", `M${x(rank)} 16V${bottom}`);
    label(evenText, rank, `break-even ${rank.toFixed(1)}`);
  }
  function label(node, rank, text) {
    const right = x(rank) > width / 2;
    node.textContent = text;
    node.setAttribute("x", x(rank) + (right ? -6 : 6));
    node.setAttribute("text-anchor", right ? "end" : "start");
  }

  function show() {
    const { rank, needed, keep } = now;
    cut.setAttribute("width", x(rank) - x(0));
    enough.setAttribute("d", `M${x(needed)} 32V${bottom}`);
    label(enoughText, needed, `${keep} % at ${needed}`);
  }
  function name() { // also while it waits for the window, without a width
    const { rank, needed, keep } = now;
    svg.setAttribute("aria-label", `The ${layer.full} singular values of ${layer.name} fall from `
      + `${layer.values[0]} to ${layer.values.at(-1)}. Rank ${rank} keeps the first ${rank}. Break-even is `
      + `rank ${layer.even.toFixed(1)}, and ${keep} % of the squares need rank ${needed}.`);
  }

  svg.addEventListener("click", (event) => {
    const share = (event.clientX - svg.getBoundingClientRect().left - x(0)) / (x(layer.full) - x(0));
    go(Math.max(1, Math.min(layer.full, Math.ceil(share * layer.full))));
  });
  const stop = sized(node, (wide) => {
    width = wide;
    layout();
    show();
  });
  return {
    node,
    fill(next) { layer = next; if (width) layout(); },
    show(rank, needed, keep) { now = { rank, needed, keep }; name(); if (width) show(); },
    stop,
  };
}

export default widget(rankExplorer);
