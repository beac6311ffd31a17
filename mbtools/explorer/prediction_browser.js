const ALL = "all", UNLABELLED = "unlabelled", RIGHT = "right", WRONG = "wrong";
const LEAST_FIRST = "least sure first", SUREST_FIRST = "surest first";
const EVERYTHING = { says: ALL, truth: ALL, verdict: ALL, confidence: [0, 100] };
const UNIT = 10_000; // probabilities come as whole numbers of this part of 1

const truly = (truth) => (truth === UNLABELLED ? truth : `truly ${truth}`);
const verdictOf = (says, truth) => (truth === UNLABELLED ? truth : says === truth ? RIGHT : WRONG);

function predictionBrowser(model) {
  const table = JSON.parse(model.get("_table"));
  const { classes, columns } = table;
  const id = newId();
  const root = frameOf("prediction-browser", "Prediction browser");

  // one sheet holds all pictures; the style of each says which part it shows
  const bytes = Uint8Array.from(atob(table.sheet), (x) => x.charCodeAt(0));
  const sheet = URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
  const rows = Math.ceil(table.said.length / columns);
  root.style.setProperty("--mbx-sheet", `url(${sheet})`);
  root.style.setProperty("--mbx-columns", columns);
  const share = (place, of) => `${of > 1 ? (100 * place) / (of - 1) : 0}%`;
  const part = (i) => `${share(i % columns, columns)} ${share(Math.floor(i / columns), rows)}`;

  const pictures = table.said.map((k, i) => {
    const says = classes[k], truth = classes[table.labels[i]] ?? UNLABELLED;
    const verdict = verdictOf(says, truth);
    const confidence = table.probabilities[i][k];
    const sure = percent(confidence / UNIT, 0), label = `${says} ${sure}, ${truly(truth)}`;
    const button = h("button", { type: "button", class: `mbx-thumb mbx-${verdict}`, "aria-label": label, tabindex: -1 },
      h("span", { class: "mbx-picture", style: `background-position: ${part(i)}` }),
      h("span", { class: "mbx-said" }, h("span", {}, says), " ", h("span", {}, sure)));
    button.addEventListener("click", () => push({ index: i }));
    return { i, says, truth, verdict, confidence, label, button };
  });
  const orders = { [LEAST_FIRST]: table.ascending.map((i) => pictures[i]) };
  orders[SUREST_FIRST] = orders[LEAST_FIRST].toReversed();
  const known = pictures.some((x) => x.truth !== UNLABELLED);
  const unknown = pictures.some((x) => x.truth === UNLABELLED);
  const truths = [...(known ? classes : []), ...(unknown ? [UNLABELLED] : [])];

  // prediction_browser.py has the same rule
  const fits = (x, { says, truth, verdict, confidence: [least, most] }) =>
    (says === ALL || x.says === says) && (truth === ALL || x.truth === truth)
    && (verdict === ALL || x.verdict === verdict)
    && x.confidence * 100 >= least * UNIT && x.confidence * 100 <= most * UNIT;
  const shown = (filters) => orders[filters.order].filter((x) => fits(x, filters));
  const narrow = (changes) => {
    const left = shown({ ...state, ...changes });
    const hidden = left.length && !left.includes(pictures[state.index]);
    push({ ...changes, index: hidden ? left[0].i : state.index });
  };

  // the filters, and how many pictures they leave
  const selects = [
    ["says", "the net says", [ALL, ...classes]],
    ...(known ? [["truth", "truth", [ALL, ...truths]], ["verdict", "verdict", [ALL, RIGHT, WRONG]]] : []),
    ["order", "order", [LEAST_FIRST, SUREST_FIRST]],
  ].map(([name, label, options]) => {
    const select = h("select", { id: `${id}-${name}`, "data-control": name },
      ...options.map((x) => h("option", { value: x }, x)));
    select.addEventListener("input", () => narrow({ [name]: select.value }));
    return { name, select, node: h("div", { class: "mbx-field" }, h("label", { for: select.id }, label), select) };
  });
  const percents = Array.from({ length: 101 }, (_, x) => x);
  const ends = ["least", "most"].map((end) => slider(id, end, [`confidence at ${end}`], percents));
  const [least, most] = ends.map((x) => x.input); // the one takes the other along
  least.addEventListener("input", () =>
    narrow({ confidence: [+least.value, Math.max(least.value, state.confidence[1])] }));
  most.addEventListener("input", () =>
    narrow({ confidence: [Math.min(most.value, state.confidence[0]), +most.value] }));
  const clear = h("button", { type: "button", class: "mbx-button" }, "show all");
  clear.addEventListener("click", () => {
    narrow(EVERYTHING);
    selects[0].select.focus(); // the button goes grey and would lose it
  });
  const counts = { shown: datum("shown"), [RIGHT]: datum(RIGHT), [WRONG]: datum(WRONG) };
  root.append(
    h("div", { class: "mbx-filters" }, ...selects.map((x) => x.node)),
    h("div", { class: "mbx-pair" }, ...ends.map((x) => x.node)),
    h("div", { class: "mbx-counts" },
      h("p", {}, counts.shown.node, ` of ${exact(pictures.length)} pictures`,
        ...(known ? [": ", counts[RIGHT].node, " right, ", counts[WRONG].node, " wrong"] : [])),
      clear));

  // the pictures, and the one looked at
  const grid = h("div", { class: "mbx-pictures", role: "group", "aria-label": "Pictures" });
  arrows(grid, () => shown(state).map((x) => x.button),
    () => getComputedStyle(grid).gridTemplateColumns.split(" ").length, (button) => button.click());
  const none = h("p", { class: "mbx-none" }, "No picture fits. Widen a filter, or show all.");
  const scroll = h("div", { class: "mbx-scroll" }, grid, none);
  const large = h("div", { class: "mbx-picture" });
  const index = datum("index"), heard = h("strong"), held = h("strong"), judged = h("span");
  const bars = classes.map((name) => ({ name, node: h("li"), number: datum(`p.${name}`) }));
  const detail = h("figure", { class: "mbx-detail" }, large,
    h("figcaption", {}, h("span", {}, "picture ", index.node), h("span", {}, "the net says ", heard),
      h("span", {}, "truth: ", held, judged)),
    h("ul", { "aria-label": "Probabilities" }, ...bars.map((x) => x.node)));
  root.append(h("div", { class: "mbx-look" }, scroll, detail));

  // a cell counts what a press on it shows
  const cells = truths.flatMap((row) => classes.map((column) => {
    const cell = { says: column, truth: row, verdict: ALL };
    const count = datum(`cell.${row}.${column}`);
    const button = h("button", { type: "button", tabindex: -1 }, count.node);
    const pressed = () => state.says === column && state.truth === row;
    button.addEventListener("click", () => narrow(pressed() ? { says: ALL, truth: ALL } : cell));
    return { cell, count, button, pressed };
  }));
  const buttons = cells.map((x) => x.button);
  buttons[0].tabIndex = 0;
  const confusion = h("table", { class: "mbx-table mbx-confusion" },
    h("caption", {}, "Truth in rows, what the net says in columns, "
      + "at this confidence. A number shows its pictures."),
    h("thead", {}, h("tr", {}, h("td"), ...classes.map((x) => h("th", { scope: "col" }, h("span", {}, x))))),
    h("tbody", {}, ...truths.map((name) => h("tr", {}, h("th", { scope: "row" }, name),
      ...cells.filter((x) => x.cell.truth === name).map(({ cell, button }) =>
        h("td", { class: `mbx-${verdictOf(cell.says, name)}` }, button))))));
  arrows(confusion, () => buttons, () => classes.length, () => {});
  confusion.addEventListener("focusin", ({ target }) => {
    for (const x of buttons) x.tabIndex = x === target ? 0 : -1;
  });
  root.append(h("div", { class: "mbx-confusions" }, confusion));

  let drawn = {}, reached; // what the page shows; the picture that the Tab key reaches
  function draw() {
    const moved = (...keys) => keys.some((key) => drawn[key] !== state[key]);
    const left = shown(state), fitting = new Set(left), current = pictures[state.index];
    for (const { name, select } of selects) select.value = state[name];
    ends.forEach((end, i) => end.show(state.confidence[i], `${state.confidence[i]} %`, `${state.confidence[i]} %`));
    clear.disabled = Object.entries(EVERYTHING).every(([key, x]) => String(state[key]) === String(x));
    counts.shown.show(left.length, exact(left.length));
    for (const name of [RIGHT, WRONG]) {
      const count = left.filter((x) => x.verdict === name).length;
      counts[name].show(count, exact(count));
    }

    if (moved("order")) grid.append(...orders[state.order].map((x) => x.button));
    for (const x of pictures) {
      if (x.button.hidden === fitting.has(x)) x.button.hidden = !fitting.has(x);
    }
    if (moved("order", ...Object.keys(EVERYTHING))) scroll.scrollTop = 0;
    none.hidden = left.length > 0;
    detail.classList.toggle("mbx-gone", !left.length);
    const first = fitting.has(current) ? current : left[0];
    if (reached !== first) {
      reached?.button.setAttribute("tabindex", -1);
      first?.button.setAttribute("tabindex", 0);
      reached = first;
    }
    if (moved("index")) {
      pictures[drawn.index]?.button.removeAttribute("aria-current");
      current.button.setAttribute("aria-current", "true");
      enlarge(current);
    }

    const inside = pictures.filter((x) => fits(x, { ...EVERYTHING, confidence: state.confidence }));
    for (const { cell, count, button, pressed } of cells) {
      if (moved("says", "truth")) button.setAttribute("aria-pressed", pressed());
      const number = inside.filter((x) => x.says === cell.says && x.truth === cell.truth).length;
      if (count.node.value === String(number)) continue;
      count.show(number, exact(number));
      button.setAttribute("aria-label", `${number} ${cell.says}, ${truly(cell.truth)}`);
    }
    screen.say(`${left.length} of ${pictures.length} pictures. Looking at ${current.label}.`);
    drawn = { ...state };
  }

  function enlarge({ i, says, truth, verdict }) {
    large.style.backgroundPosition = part(i);
    index.show(i, i);
    heard.textContent = says;
    held.textContent = truth;
    judged.textContent = { [RIGHT]: ", right", [WRONG]: ", wrong ✗" }[verdict] ?? "";
    bars.forEach(({ name, node, number }, k) => {
      const probability = table.probabilities[i][k] / UNIT;
      number.show(probability, percent(probability, 2));
      node.style.setProperty("--mbx-share", `${100 * probability}%`);
      node.replaceChildren(name === truth ? `${name}, the truth` : name, " ", number.node);
    });
  }

  const screen = stage(root, draw);
  const { state, push, stop } = connect(model, [...Object.keys(EVERYTHING), "order", "index"], screen.ask);
  draw();
  return { root, stop() { stop(); screen.stop(); URL.revokeObjectURL(sheet); } };
}

/** The arrow keys walk the buttons of a grid; go(button) is where they arrive. */
function arrows(node, buttons, columns, go) {
  node.addEventListener("keydown", (event) => {
    const all = buttons(), at = all.indexOf(event.target), row = columns();
    const to = {
      ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row,
      Home: 0, End: all.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault(); // the page would scroll
    if (!all[to]) return;
    go(all[to]);
    all[to].focus();
  });
}

export default widget(predictionBrowser);
