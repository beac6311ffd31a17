// What the reader answered and did, kept in this browser alone: shown in each chapter,
// on the first page and in the list of exercises.
(() => {
  const root = new URL(document.documentElement.dataset.content_root, location);
  const KEY = `mobilenets-measured ${root.pathname}`; // a host may have two copies
  const KEPT = "This is kept in your browser and goes nowhere.";
  const NOT_KEPT = "Your browser lets this page keep nothing: it will forget your answers.";
  const chapterOf = (path) => path.match(/notebooks\/(\w+)\.html$/)?.[1];
  const here = chapterOf(location.pathname);

  let all = {}, kept = true;
  const recall = () => {
    try {
      all = JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch { // forbidden, or not ours
      kept = false;
    }
  };
  const keep = () => {
    try {
      if (Object.keys(all).length) localStorage.setItem(KEY, JSON.stringify(all));
      else localStorage.removeItem(KEY);
    } catch { // forbidden, or full
      kept = false;
    }
    show();
  };
  const of = (chapter) => ({ answers: {}, done: [], ...all[chapter] });
  const forget = (chapter) => {
    delete all[chapter];
    keep();
  };

  const element = (tag, attributes, ...children) => {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...children);
    return made;
  };
  const shown = []; // each brings a part of the page up to date
  const show = () => { for (const part of shown) part(); };

  // A question is answered by the first option that is opened.
  const questions = document.querySelectorAll(".mb-quiz");
  for (const quiz of questions) {
    const question = quiz.querySelector("p").textContent;
    for (const option of quiz.querySelectorAll("details")) {
      const summary = option.querySelector("summary"), text = summary.textContent;
      const right = option.querySelector("strong").textContent === "Yes.";
      const mark = element("span", { className: "mb-answer" });
      summary.append(mark);
      summary.addEventListener("click", () => {
        const own = of(here);
        own.answers[question] ??= { text, right };
        all[here] = own;
        keep();
      });
      shown.push(() => {
        const mine = of(here).answers[question]?.text === text;
        mark.textContent = mine ? ` – your answer, ${right ? "right" : "wrong"}` : "";
      });
    }
  }

  // An exercise is done when the reader says so.
  const exercise = (heading, chapter, id) => {
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      const own = of(chapter), others = own.done.filter((name) => name !== id);
      all[chapter] = { ...own, done: box.checked ? [...others, id] : others };
      keep();
    });
    const name = heading.firstChild.textContent;
    heading.after(element("label", { className: "mb-done", title: name }, box, " done"));
    shown.push(() => { box.checked = of(chapter).done.includes(id); });
  };
  const exercises = here ? document.querySelectorAll("section[id^=exercise-]") : [];
  for (const { id, firstElementChild } of exercises) exercise(firstElementChild, here, id);
  for (const link of document.querySelectorAll("section[id^=all-] h3 > a:first-child")) {
    const { pathname, hash } = new URL(link.href);
    exercise(link.parentElement, chapterOf(pathname), hash.slice(1));
  }

  const counts = (chapter) => {
    const { answers, done } = of(chapter), given = Object.values(answers);
    return [given.length, given.filter(({ right }) => right).length, done.length];
  };
  const report = (text, name, action) => {
    const line = element("span", { role: "status" });
    const button = element("button", { type: "button", onclick: action }, name);
    shown.push(() => {
      line.textContent = kept ? text() : NOT_KEPT;
      button.hidden = !kept || !text();
    });
    return element("p", { className: "mb-progress" }, line, " ", button);
  };

  if (exercises.length) {
    exercises[exercises.length - 1].parentElement.append(report(() => {
      const [answered, right, done] = counts(here);
      return `Answered: ${answered} of ${questions.length} questions, ${right} right at first. `
        + `Exercises done: ${done} of ${exercises.length}. ${KEPT}`;
    }, "Forget this chapter", () => forget(here)));
  }
  const list = document.querySelector("#what-you-will-learn > ul");
  if (list) {
    for (const link of list.querySelectorAll("a")) {
      const chapter = chapterOf(link.pathname), place = element("span", { className: "mb-progress" });
      link.closest("p").append(place);
      shown.push(() => {
        const [answered, right, done] = counts(chapter);
        const parts = [answered && `${answered} answered, ${right} right`, done && `${done} done`];
        const told = parts.filter(Boolean).join("; ");
        place.textContent = told ? ` (${told})` : "";
      });
    }
    list.after(report(() => (Object.keys(all).length ? KEPT : ""), "Forget all", () => {
      all = {};
      keep();
    }));
  }

  addEventListener("storage", () => { // another page of the book
    recall();
    show();
  });
  recall();
  show();
})();
