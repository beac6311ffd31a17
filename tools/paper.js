// Makes the book one page to print: runs in the first page of the built book.
async () => {
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const link = (name, ...children) => make("a", { href: `#${name}` }, ...children);
  const REPEATED = ["exercises", "explorers"]; // pages of what the chapters have
  const nameOf = (address) => address.split("/").at(-1).replace(".html", "");

  // A page's article. Its places, and the links to them, are named after the page.
  const bring = async (address) => {
    const response = await fetch(address);
    if (!response.ok) throw Error(`${address}: ${response.status}; run make book again`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const style of page.querySelectorAll("link[rel=stylesheet]")) {
      const href = style.getAttribute("href");
      if (!document.querySelector(`link[href="${href}"]`)) document.head.append(style);
    }
    const article = document.adoptNode(page.querySelector("article.bd-article > section"));
    for (const none of article.querySelectorAll(".headerlink, .mb-downloads")) none.remove();
    const name = nameOf(address);
    for (const element of [article, ...article.querySelectorAll("[id]")]) {
      if (!element.closest("svg")) element.id = `${name}--${element.id}`;
    }
    for (const a of article.querySelectorAll("a[href]")) {
      const [target, place] = a.getAttribute("href").split("#");
      if (target.includes(":")) continue;
      if (REPEATED.includes(nameOf(target))) {
        a.replaceWith(...a.childNodes);
        continue;
      }
      a.href = [`#${target ? nameOf(target) : name}`, ...(place ? [place] : [])].join("--");
    }
    return make("section", { id: name, className: "mb-chapter" }, article);
  };

  // Questions and exercises keep a link to their answers, which are returned.
  const takeAnswers = (article) => {
    const folds = [...article.querySelectorAll(".mb-quiz, section > details")];
    return folds.map((fold, i) => {
      const answer = fold.cloneNode(true);
      answer.id = `${article.id}--answer-${i + 1}`;
      for (const details of [answer, ...answer.querySelectorAll("details")]) details.open = true;
      if (fold.matches("details")) {
        const exercise = fold.parentElement;
        const title = exercise.querySelector(":scope > :is(h2, h3)").textContent;
        const summary = answer.querySelector("summary");
        const what = summary.textContent.startsWith("Solution") ? "Solution" : "Answer";
        summary.replaceChildren(link(exercise.id, title));
        fold.replaceWith(make("p", {}, link(answer.id, `${what}, at the end`)));
      } else {
        fold.append(make("p", {}, link(answer.id, "Answer, at the end")));
      }
      return answer;
    });
  };

  const contents = make("nav", { className: "mb-contents mb-chapter" }, make("h1", {}, "Contents"));
  const book = make("article", { className: "bd-article" });
  const answers = make("section", { id: "answers", className: "mb-chapter" },
    make("h1", {}, "Answers and solutions"));
  const add = (chapter) => {
    const title = chapter.querySelector("h1").textContent;
    contents.append(link(chapter.id, title, make("span", { className: "mb-leader" }),
      make("span", { className: "mb-number" })));
    book.append(chapter);
    return title;
  };

  for (const item of document.querySelectorAll("nav.bd-links :is(p.caption, a)")) {
    if (item.matches("p")) {
      contents.append(make("p", { className: "mb-part" }, item.innerText));
    } else if (!REPEATED.includes(nameOf(item.href))) {
      const chapter = await bring(item.href.replace(/#.*/, ""));
      const found = takeAnswers(chapter);
      const title = add(chapter);
      if (found.length) answers.append(make("h2", {}, link(chapter.id, title)), ...found);
    }
  }
  add(answers);

  const first = book.firstChild;
  const cover = make("div", { className: "mb-cover" },
    make("p", { className: "mb-title" }, first.querySelector("h1").textContent),
    first.querySelector("p").cloneNode(true),
    make("p", {}, "Printed from the pages of the book. There the sliders move, and the code "
      + "of the figures and their numbers can be unfolded."),
    make("p", {}, `${new Date().toISOString().slice(0, 10)}. `
      + "Text and figures: CC BY 4.0. Code: BSD-3-Clause."));
  book.prepend(cover, contents);

  let whole = book;
  for (const name of ["bd-article-container", "bd-content", "bd-main"]) {
    whole = make("div", { className: name }, whole);
  }
  document.title = document.title.split(" — ")[0];
  document.body.replaceChildren(whole);

  delete document.documentElement.dataset.mbWidgets;
  document.body.append(make("script", { src: "../_static/widgets.js" }));
}
