// What the widgets share; base.py puts it before each one's own script. The
// numbers come from Python, the scripts look them up and draw. Of the model they use
// only get, set, on, off and save_changes, so a static page can stand in for Jupyter.

const SVG = "http://www.w3.org/2000/svg";
const SMOOTH_AFTER = 400; // ms of rest before the live region speaks

// each kind of widget has its own copy of this script, so counting would not do
const newId = () => `mbx-${Math.random().toString(36).slice(2)}`;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
const h = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
const s = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

const exact = (x) => x.toLocaleString("en-US");
const millions = (x) => {
  const m = x / 1e6;
  return `${m.toFixed(m < 10 ? 2 : 1)} M`;
};
const percent = (x, digits) => `${(100 * x).toFixed(digits)} %`;

/** A number that tests and scripts can read: exact in value, pretty as text. */
function datum(key) {
  const node = h("data", { "data-key": key });
  return {
    node,
    show(value, text) {
      node.value = value;
      node.textContent = text;
    },
  };
}

function slider(id, control, label, values) {
  const input = h("input", {
    type: "range", id: `${id}-${control}`, "data-control": control,
    min: 0, max: values.length - 1, step: 1,
  });
  const output = h("output", { for: input.id });
  const name = h("label", { for: input.id }, ...label);
  const node = h("div", { class: "mbx-slider" }, name, output, input);
  return {
    node, input,
    show(index, text, spoken) {
      input.value = index;
      output.textContent = text;
      input.setAttribute("aria-valuetext", spoken);
    },
  };
}

/** Buttons of which one is on; options are [value, text] pairs. */
function choice(id, control, label, options, pick) {
  const inputs = options.map(([value]) => {
    const input = h("input", {
      type: "radio", name: `${id}-${control}`, value, id: `${id}-${control}-${value}`, "data-control": control,
    });
    input.addEventListener("change", () => pick(value));
    return input;
  });
  return {
    node: h("div", { class: "mbx-choice", role: "radiogroup", "aria-label": label },
      ...options.map(([, text], i) =>
        h("span", {}, inputs[i], h("label", { for: inputs[i].id }, text)))),
    show(value) {
      for (const input of inputs) input.checked = input.value === String(value);
    },
  };
}

/** A slider over items, a button at each end of it, and the items as bars above. */
function walk(id, control, go) {
  const { node, input, show } = slider(id, control, [control], []);
  const step = (by, sign, label) => {
    const button = h("button", { type: "button", class: "mbx-button", "aria-label": label }, sign);
    button.addEventListener("click", () => {
      input.value = +input.value + by; // at once: two clicks may come before a frame
      go(+input.value);
    });
    return button;
  };
  const back = step(-1, "‹", `previous ${control}`), on = step(1, "›", `next ${control}`);
  const strip = h("div", { class: "mbx-strip", "aria-hidden": "true" });
  strip.addEventListener("click", (event) => {
    const { left, width } = strip.getBoundingClientRect();
    const share = (event.clientX - left) / width;
    go(Math.max(0, Math.min(strip.childElementCount - 1, Math.floor(share * strip.childElementCount))));
  });
  input.addEventListener("input", () => go(+input.value));
  let now, built;
  return {
    node: h("div", { class: "mbx-walk" }, strip, node, h("div", { class: "mbx-steps" }, back, input, on)),
    /** bars: for each item [part, height] from top to bottom, heights up to 1 */
    fill(bars) {
      const stacks = bars.map((stack) => stack.filter(([, height]) => height));
      const parts = stacks.map((stack) => stack.map(([part]) => `mbx-${part}`));
      if (built !== JSON.stringify(parts)) { // else heights alone change, many times a second
        built = JSON.stringify(parts);
        strip.replaceChildren(...parts.map((names) => h("span", {}, ...names.map((name) => h("span", { class: name })))));
        input.max = bars.length - 1;
      }
      stacks.forEach((stack, i) => stack.forEach(([, height], j) => {
        strip.children[i].children[j].style.height = `${100 * height}%`;
      }));
    },
    show(index, text) {
      show(index, text, text);
      back.disabled = index === 0;
      on.disabled = index === +input.max;
      now?.classList.remove("mbx-now");
      now = strip.children[index];
      now.classList.add("mbx-now");
    },
  };
}

/** Calls draw(width) whenever the node has another one; returns what ends that. */
function sized(node, draw) {
  let width = 0;
  const look = () => {
    if (!node.clientWidth || node.clientWidth === width) return;
    width = node.clientWidth;
    draw(width);
  };
  const observer = new ResizeObserver(look);
  observer.observe(node);
  addEventListener("beforeprint", look); // a page is printed whole, the unseen too
  return () => {
    observer.disconnect();
    removeEventListener("beforeprint", look);
  };
}

/** Calls draw at most once a frame; say() speaks when the hand rests. */
function stage(root, draw) {
  const live = h("p", { class: "mbx-sr", "aria-live": "polite" });
  root.append(live);
  let frame = 0, timer = 0, first = true;
  return {
    ask() {
      frame ||= requestAnimationFrame(() => { frame = 0; draw(); });
    },
    say(text) {
      clearTimeout(timer);
      if (first) first = false; // a page that loads says nothing
      else timer = setTimeout(() => { live.textContent = text; }, SMOOTH_AFTER);
    },
    stop() {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    },
  };
}

/** Two-way binding of plain state and model; calls changed() after either moves. */
function connect(model, keys, changed) {
  const state = {};
  let sending = false;
  const pull = () => {
    if (sending) return; // our own set() comes back as change events
    for (const key of keys) state[key] = model.get(key);
    changed();
  };
  for (const key of keys) {
    state[key] = model.get(key);
    model.on(`change:${key}`, pull);
  }
  return {
    state,
    push(changes) {
      Object.assign(state, changes);
      sending = true;
      for (const [key, value] of Object.entries(changes)) model.set(key, value);
      sending = false;
      model.save_changes();
      changed();
    },
    stop() {
      for (const key of keys) model.off(`change:${key}`, pull);
    },
  };
}

function frameOf(kind, label) {
  const root = h("div", {
    class: "mbx", "data-widget": kind, role: "group", "aria-label": label,
    "data-lm-suppress-shortcuts": "true", // JupyterLab: the arrow keys are ours
  });
  root.addEventListener("keydown", (event) => event.stopPropagation()); // notebook 6
  return root;
}

const swatch = (part) => h("span", { class: `mbx-swatch mbx-${part}`, "aria-hidden": "true" });

const tableOf = (header, rows) => h("table", { class: "mbx-table" },
  h("thead", {}, h("tr", {}, ...header.map((x) => h("th", { scope: "col" }, x)))),
  h("tbody", {}, ...rows));

/** What a front end loads; make(model) gives a root and how to stop it. */
const widget = (make) => ({
  render({ model, el }) {
    const { root, stop } = make(model);
    el.append(root);
    return stop;
  },
});

