const BANDS = 16; // of colour, along the curve
const RADIUS = 2; // of a hollow dot
const RING = `a${RADIUS} ${RADIUS} 0 0 0 ${2 * RADIUS} 0a${RADIUS} ${RADIUS} 0 0 0 ${-2 * RADIUS} 0`;

function collapseExplorer(model) {
  const table = JSON.parse(model.get("_table"));
  const { channels, seeds, curve, layers } = table;
  const id = newId();
  const root = frameOf("collapse-explorer", "Collapse explorer");
  const sliders = {
    channels: slider(id, "channels", ["channels ", h("i", {}, "n")], channels),
    seed: slider(id, "seed", ["seed of the random layer"], seeds),
  };
  root.append(h("div", { class: "mbx-pair" }, sliders.channels.node, sliders.seed.node));

  const before = plane("The spiral that goes in"), after = plane("The spiral as it is read back");
  const outside = datum("outside");
  const figure = (picture, caption) => h("figure", {}, picture.node, h("figcaption", {}, caption));
  root.append(
    h("div", { class: "mbx-planes" },
      figure(before, "goes in"), figure(after, "read back by the pseudo-inverse")),
    h("ul", { class: "mbx-legend" },
      h("li", {}, swatch("near"), "centre of the spiral"), h("li", {}, swatch("far"), "its outer end"),
      h("li", {}, swatch("hollow"), "fewer than two live units")),
    h("p", { class: "mbx-hint" }, "The circles have radius 1. ", outside.node));

  const collapsed = datum("collapsed"), counted = h("span");
  const chance = datum("chance"), formula = h("span");
  root.append(h("dl", { class: "mbx-totals mbx-two" },
    h("div", {}, h("dt", {}, "fewer than two live units"), h("dd", {}, collapsed.node, counted)),
    h("div", {}, h("dt", {}, "on average"), h("dd", {}, chance.node, formula))));
  const cells = table.decoders.map((name) => ({
    name, error: datum(`error.${name}`), median: datum(`median.${name}`),
  }));
  root.append(tableOf(["relative error", "here", `median of ${table.median_of} layers`],
    cells.map(({ name, error, median }) => h("tr", {}, h("th", { scope: "row" }, name),
      h("td", {}, error.node), h("td", {}, median.node)))));

  function draw() {
    const { channels: n, seed } = state;
    const at = channels.indexOf(n);
    sliders.channels.show(at, n, `${n} channels`);
    sliders.seed.show(seeds.indexOf(seed), seed, `seed ${seed}`);
    const read = readBack(layers[seed].slice(0, n), curve);
    const lost = read.map(({ live }) => live < 2);
    before.show(curve, lost);
    const away = after.show(read.map(({ point }) => point), lost);
    outside.show(away, away
      ? `${away} of ${curve.length} points are read back outside the picture.`
      : "All points are read back inside the picture.");

    const count = lost.filter(Boolean).length, share = percent(count / curve.length, 1);
    collapsed.show(count, share);
    counted.textContent = `${count} of ${curve.length} points`;
    const odds = 100 * table.chances[at];
    chance.show(table.chances[at], `${odds.toLocaleString("en-US", { maximumSignificantDigits: 2 })} %`);
    formula.replaceChildren(`(${n} + 1)/2`, h("sup", {}, n), ", all layers");
    cells.forEach(({ error, median }, i) => {
      const here = table.errors[at][i][seed], usual = table.medians[at][i];
      error.show(here, here.toFixed(3));
      median.show(usual, usual.toFixed(3));
    });
    screen.say(`${n} channels, seed ${seed}: ${share} of the points have fewer than two live units. `
      + `Errors: ${cells.map((x) => `${x.name} ${x.error.node.textContent}`).join(", ")}.`);
  }

  const screen = stage(root, draw);
  const { state, push, stop } = connect(model, ["channels", "seed"], screen.ask);
  sliders.channels.input.addEventListener("input", (event) => push({ channels: channels[+event.target.value] }));
  sliders.seed.input.addEventListener("input", (event) => push({ seed: seeds[+event.target.value] }));
  draw();
  return { root, stop() { stop(); screen.stop(); } };
}

/** The points as the pseudo-inverse of the layer reads their codes, and how many
 * units are live in each. The pseudo-inverse of T is inverse(TᵀT) Tᵀ. */
function readBack(layer, curve) {
  let a = 0, b = 0, c = 0; // TᵀT is (a b, b c)
  for (const [u, v] of layer) {
    a += u * u;
    b += u * v;
    c += v * v;
  }
  const determinant = a * c - b * b;
  return curve.map(([x, y]) => {
    let p = 0, q = 0, live = 0; // Tᵀ times the code
    for (const [u, v] of layer) {
      const code = u * x + v * y;
      if (code <= 0) continue;
      live += 1;
      p += u * code;
      q += v * code;
    }
    return { live, point: [(c * p - b * q) / determinant, (a * q - b * p) / determinant] };
  });
}

/** A picture of the plane from -1.1 to 1.1: full dots by colour, collapsed ones hollow. */
function plane(label) {
  const HALF = 110, UNIT = 100;
  const hollow = s("path", { class: "mbx-hollow" });
  const bands = Array.from({ length: BANDS }, (_, i) =>
    s("path", { style: `--mbx-share: ${(100 * i) / (BANDS - 1)}%` }));
  return {
    node: s("svg", { class: "mbx-plane", viewBox: `${-HALF} ${-HALF} ${2 * HALF} ${2 * HALF}`, role: "img", "aria-label": label },
      s("circle", { class: "mbx-grid", r: UNIT }),
      s("path", { class: "mbx-grid", d: `M${-HALF} 0H${HALF}M0 ${-HALF}V${HALF}` }), hollow, ...bands),
    /** Draws the points that fall inside; returns how many do not. */
    show(points, lost) {
      const dots = Array(BANDS).fill("");
      let rings = "", away = 0;
      points.forEach((point, i) => {
        const [x, y] = [UNIT * point[0], -UNIT * point[1]];
        if (Math.max(Math.abs(x), Math.abs(y)) > HALF) away += 1;
        else if (lost[i]) rings += `M${(x - RADIUS).toFixed(2)} ${y.toFixed(2)}${RING}`;
        else dots[Math.floor((BANDS * i) / points.length)] += `M${x.toFixed(2)} ${y.toFixed(2)}h0`;
      });
      hollow.setAttribute("d", rings);
      bands.forEach((band, i) => band.setAttribute("d", dots[i]));
      return away;
    },
  };
}

export default widget(collapseExplorer);
