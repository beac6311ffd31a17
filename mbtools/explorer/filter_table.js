const SHORT = 12, LONG = 40; // characters of a cell that does not wrap, that wants room
const LETTER = "[\\p{L}\\p{N}_]";

// the beginning of a word, or a whole number; filter_table.py has the same rule
function finder(word) {
  const escaped = word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(`(?<!${LETTER}|[.,])${escaped}(?!(?<=[0-9])[.,]?${LETTER})`, "u");
}

function filterTable(model) {
  const { header, rows, filters, caption } = JSON.parse(model.get("_table"));
  const id = newId();
  const root = frameOf("filter-table", caption);

  const search = h("input", {
    type: "search", id: `${id}-query`, "data-control": "query", autocomplete: "off",
  });
  const selects = filters.map((name, i) => {
    const values = new Set(rows.map((row) => row[header.indexOf(name)]));
    const select = h("select", { id: `${id}-${i}`, "data-control": name },
      h("option", { value: -1 }, "all"), // an index: a value may be the empty text
      ...[...values].map((value, at) => h("option", { value: at }, value || "(empty)")));
    return { name, select, values: [...values] };
  });
  const field = (input, name) =>
    h("div", { class: "mbx-field" }, h("label", { for: input.id }, name), input);
  const clear = h("button", { type: "button", class: "mbx-button" }, "clear");
  const count = datum("shown");
  root.append(
    h("div", { class: "mbx-filters" }, ...selects.map((x) => field(x.select, x.name)),
      field(search, "search"), clear),
    h("p", {}, count.node, ` of ${exact(rows.length)} rows`));

  // the roles stay where a narrow page shows each row as a card
  const styles = header.map((_, i) => {
    const words = rows.map((row) => row[i]).filter((text) => /\w/.test(text));
    const numbers = words.filter((text) => /^\W*\d/.test(text));
    if (numbers.length > words.length / 2) return "mbx-number";
    return rows.some((row) => row[i].length > LONG) ? "mbx-long" : "";
  });
  const cell = (tag, role, i, text) => h(tag, {
    role, class: text.length > SHORT ? styles[i] : `${styles[i]} mbx-short`, "data-label": header[i],
  }, text);
  // a last column of long texts would squeeze the others: it goes below its row
  const columns = styles.at(-1) === "mbx-long" ? header.length - 1 : header.length;
  const lines = rows.map((row) => {
    const remark = row[columns];
    const node = h("tbody", { role: "rowgroup" }, h("tr", { role: "row", class: remark && "mbx-above" },
      ...row.slice(0, columns).map((text, i) => cell("td", "cell", i, text))));
    if (remark) {
      node.append(h("tr", { role: "row" }, h("td", {
        role: "cell", colspan: columns, class: "mbx-remark", "data-label": header[columns],
      }, remark)));
    }
    return { row, node, text: row.join("\n").toLowerCase() };
  });
  const none = h("p", { class: "mbx-none" }, "No row has all of this. Clear one of the choices.");
  const scroll = h("div", { class: "mbx-scroll", role: "region", tabindex: 0, "aria-label": "Rows" },
    h("table", { class: "mbx-table", role: "table", "aria-label": caption },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
        ...header.slice(0, columns).map((text, i) => cell("th", "columnheader", i, text)))),
      ...lines.map((x) => x.node)),
    none);
  root.append(scroll);

  function draw() {
    if (search.value !== state.query) search.value = state.query;
    for (const { name, select, values } of selects) select.value = values.indexOf(state.chosen[name]);
    const words = state.query.toLowerCase().split(/\s+/).map(finder);
    const choices = Object.entries(state.chosen).map(([name, value]) => [header.indexOf(name), value]);
    let shown = 0;
    for (const { row, text, node } of lines) {
      const fits = choices.every(([i, value]) => row[i] === value)
        && words.every((word) => word.test(text));
      shown += fits;
      if (node.hidden === fits) node.hidden = !fits;
    }
    count.show(shown, exact(shown));
    none.hidden = shown > 0;
    clear.disabled = !state.query && !choices.length;
    scroll.scrollTop = 0;
    screen.say(`${shown} of ${rows.length} rows`);
  }

  const screen = stage(root, draw);
  const { state, push, stop } = connect(model, ["query", "chosen"], screen.ask);
  search.addEventListener("input", () => push({ query: search.value }));
  for (const { name, select, values } of selects) {
    select.addEventListener("change", () => {
      const { [name]: _, ...others } = state.chosen;
      push({ chosen: select.value < 0 ? others : { ...others, [name]: values[select.value] } });
    });
  }
  clear.addEventListener("click", () => {
    push({ query: "", chosen: {} });
    search.focus(); // the button goes grey and would lose it
  });
  draw();
  return { root, stop() { stop(); screen.stop(); } };
}

export default widget(filterTable);
