// Brings the notebooks' anywidgets to life in a page without a kernel: each
// .mb-widget carries its model's state, with the widget's own script and style; what
// is long in it is a part, a script of its own: {part: name} stands in its place.
(() => {
  const folder = new URL("../_parts/", document.currentScript.src);
  class Model {
    #state;
    #listeners = {};
    constructor(state) { this.#state = state; }
    get(name) { return this.#state[name]; }
    set(name, value) {
      const changes = typeof name === "string" ? { [name]: value } : name;
      const changed = Object.keys(changes).filter((key) => this.#state[key] !== changes[key]);
      for (const key of changed) this.#state[key] = changes[key];
      for (const key of changed) this.#emit(`change:${key}`, changes[key]);
      if (changed.length) this.#emit("change");
    }
    #emit(event, ...values) {
      for (const listener of [...(this.#listeners[event] ?? [])]) listener(this, ...values);
    }
    on(events, listener) {
      for (const event of events.split(" ")) (this.#listeners[event] ??= new Set()).add(listener);
    }
    off(events, listener) {
      for (const event of events?.split(" ") ?? Object.keys(this.#listeners)) {
        if (listener) this.#listeners[event]?.delete(listener);
        else delete this.#listeners[event];
      }
    }
    save_changes() {} // no kernel listens
  }

  const models = new Map(); // two views of one model move together
  const modules = new Map();
  const parts = new Map();
  const styles = new Set(); // widgets may share one

  const fetched = (name) => {
    if (!parts.has(name)) {
      parts.set(name, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = new URL(`${name}.js`, folder);
        script.onload = () => resolve(window.mbParts[name]);
        script.onerror = () => reject(Error(`no ${script.src}`));
        document.head.append(script);
      }));
    }
    return parts.get(name);
  };

  const load = ({ _esm, _css }) => {
    if (_css && !styles.has(_css)) {
      styles.add(_css);
      const style = document.createElement("style");
      style.textContent = _css;
      document.head.append(style);
    }
    if (!modules.has(_esm)) {
      modules.set(_esm, import(URL.createObjectURL(new Blob([_esm], { type: "text/javascript" }))));
    }
    return modules.get(_esm);
  };

  const mount = async (box) => {
    const { id, state } = JSON.parse(box.querySelector("script").textContent);
    await Promise.all(Object.entries(state).map(async ([trait, value]) => {
      if (value?.part) state[trait] = await fetched(value.part);
    }));
    if (!models.has(id)) models.set(id, new Model(state));
    const model = models.get(id);
    let widget = (await load(state)).default;
    if (typeof widget === "function") widget = await widget();
    const el = document.createElement("div");
    await widget.initialize?.({ model });
    await widget.render?.({ model, el });
    box.querySelector(".mb-fallback").replaceWith(el);
  };

  const start = async () => {
    const boxes = [...document.querySelectorAll(".mb-widget:has(> script)")];
    const done = await Promise.allSettled(boxes.map(mount));
    for (const { reason } of done) if (reason) console.error("a widget failed:", reason);
    document.documentElement.dataset.mbWidgets = "mounted";
  };
  start();
})();
