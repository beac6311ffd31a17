"""What several test files use: nets counted by torch, drawn sets, pages looked at."""

import hashlib
import io
from functools import cache
from importlib import resources

import torch
from bs4 import BeautifulSoup
from conftest import BOOK
from torch.utils.flop_counter import FlopCounterMode

from mbtools import painting

CLASSES = ("forest", "sea", "street")


def torch_macs(module, *shape):
    """Multiply-adds of one forward pass: torch counts two FLOPs for each."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        out = module(torch.zeros(*shape))
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2, out.shape


def draw(folder, seeds=range(10)):
    """A folder for each class, with so many drawn scenes."""
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for seed in seeds:
            painting.draw(name, seed).save(folder / name / f"{seed}.jpg")
    return folder


def seal(state, path):
    """Write a state as ``Run`` would: with its digest at the end."""
    file = io.BytesIO()
    torch.save(state, file)
    path.write_bytes(file.getvalue() + hashlib.sha256(file.getvalue()).digest())


# Widgets and pages


@cache
def parsed(path):
    """A page of the built book; reading them all takes seconds."""
    return BeautifulSoup((BOOK / path).read_bytes(), "html.parser")


# Moves the inputs as a hand would and reads what the page shows then. What asks for
# the next frame gets it at once, as the browser's own come 60 times a second; the
# last visit waits for a real one. Without visits it reads what stands there; with a
# selector, the labels of what that finds in sight as well.
VISIT = """
async (box, [controls, visits, labelled]) => {
  const read = () => Object.fromEntries([
    ...[...box.querySelectorAll("data")].map((x) => [x.dataset.key, Number(x.value)]),
    ...[...box.querySelectorAll("output")].map((x) => [x.htmlFor.value, x.value]),
    ["text", box.innerText],
    ["labels", labelled && [...box.querySelectorAll(labelled)]
      .filter((x) => x.checkVisibility({ visibilityProperty: true }) && x.clientWidth)
      .map((x) => x.getAttribute("aria-label"))],
  ]);
  const move = (visit) => controls.forEach((name, i) => {
    const inputs = [...box.querySelectorAll(`[data-control=${name}]`)];
    if (inputs[0].type === "radio") {
      inputs.find((x) => x.value === visit[i]).click();
    } else if (inputs[0].value !== String(visit[i])) {
      inputs[0].value = visit[i];
      inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
    }
  });
  const frame = () => new Promise(requestAnimationFrame);
  const seen = [], asked = [], ask = window.requestAnimationFrame;
  await frame();  // for what was asked before
  window.requestAnimationFrame = (draw) => asked.push(draw);
  for (const visit of visits.slice(0, -1)) {
    move(visit);
    for (const draw of asked.splice(0)) draw(performance.now());
    seen.push(read());
  }
  window.requestAnimationFrame = ask;
  if (visits.length) {
    move(visits.at(-1));
    await frame();
  }
  return [...seen, read()];
}
"""


def box_of(page, name):
    """A page's widget, brought into the window: it is laid out only there."""
    box = page.locator(f'[data-widget="{name}"]').first
    box.evaluate("box => box.scrollIntoView()")
    return box


def control(box, name):
    return box.locator(f'[data-control="{name}"]')


def wait_for_frame(page):
    """What was asked for is drawn then."""
    page.evaluate("() => new Promise(requestAnimationFrame)")


def shown(box, key):
    wait_for_frame(box.page)
    return float(box.locator(f'data[data-key="{key}"]').get_attribute("value"))


AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
AXE_RUN = """async ([structure, contrast]) => {
  for (const element of document.querySelectorAll("[data-sample]")) {
    delete element.dataset.sample;
  }
  if (contrast) for (const element of samples()) element.dataset.sample = "";
  // Axe walks all that there is. The thousands of spans in code have a class and
  // mean its colour: where they are no more than that, and no samples, the text stays.
  const only = (x) => x.matches("span") && x.getAttributeNames().every((name) =>
    name === "class" || name === "id");
  for (const code of document.querySelectorAll("pre")) {
    const plain = [...code.querySelectorAll("*")].every(only);
    if (plain) code.textContent = code.textContent;
  }
  axe.configure({ rules: [{ id: "color-contrast", selector: "[data-sample]" }] });
  const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await axe.run(document, {
    resultTypes: ["violations"],  // where all is well it need not say where
    preload: false,  // it would fetch style sheets from wrong addresses
    runOnly: structure
      ? { type: "tag", values: [...values, "best-practice"] }
      : { type: "rule", values: ["color-contrast"] },
  });
  return violations.map(({ id, help, nodes }) =>
    `axe ${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);

  // Three visible texts of each look: a page of code has thousands of each. In code a
  // class is a look, too: the other theme may paint apart what this one does not.
  function samples() {
    const grounds = new Map(), looks = new Map();
    const ground = (element) => {  // what is painted behind, down to the page
      if (!element) return "";
      if (!grounds.has(element)) {
        const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
        const own = `${backgroundColor} ${backgroundImage} ${opacity}`;
        const clear = own === "rgba(0, 0, 0, 0) none 1";
        grounds.set(element, (clear ? "" : own) + ground(element.parentElement));
      }
      return grounds.get(element);
    };
    for (const element of document.querySelectorAll("body, body *")) {
      const texts = [...element.childNodes].filter((node) => node.nodeType === 3);
      const written = element.value || texts.some((node) => node.data.trim());
      if (!written || !element.checkVisibility({ visibilityProperty: true })) continue;
      const { color, fontSize, fontWeight, textShadow } = getComputedStyle(element);
      const look = [color, fontSize, fontWeight, textShadow, ground(element),
                    !!element.closest("[disabled], [aria-disabled=true]"),
                    element.matches("pre span") && element.className].join();
      looks.set(look, [...(looks.get(look) ?? []), element]);
    }
    return [...looks.values()].flatMap((elements) => elements.slice(0, 3));
  }
}"""

LOOK = r"""() => {
  const PICTURES = "img, figure svg, svg[role=img]";
  const problems = [];
  const check = (fine, problem) => fine || problems.push(problem);
  const root = document.documentElement;
  check(root.scrollWidth <= root.clientWidth,
    `scrolls sideways: ${root.scrollWidth} > ${root.clientWidth} px`);
  check(document.title.length > 3, "no title");
  const description = document.querySelector("meta[name=description]")?.content ?? "";
  check(description.length > 10, "no description");
  check(root.lang, "no language");
  const h1 = [...document.querySelectorAll("h1")].filter((h) => h.checkVisibility());
  check(h1.length === 1, `${h1.length} visible h1`);

  for (const picture of document.querySelectorAll(PICTURES)) {
    if (picture.closest("[aria-hidden=true]")) continue;
    const text = picture.alt ?? picture.getAttribute("aria-label")
      ?? picture.querySelector("title")?.textContent ?? "";
    const what = picture.outerHTML.slice(0, 120);
    const says = text.trim().includes(" ") || picture.closest("a, button");
    check(says, `no alt text: ${what}`);
    check(!/\.(png|svg|jpe?g|gif|webp)$/.test(text), `a file name as text: ${what}`);
    const { naturalWidth, naturalHeight, clientWidth, clientHeight } = picture;
    const squeezed = clientWidth * naturalHeight / (clientHeight * naturalWidth);
    check(!(Math.abs(squeezed - 1) > 0.02), `out of proportion: ${what}`);
  }

  const prose = (document.querySelector("article") ?? document.body).cloneNode(true);
  const other = "pre, code, script, style, .katex";
  for (const element of prose.querySelectorAll(other)) element.remove();
  for (const [what, pattern] of Object.entries({
    "raw TeX": /\$[^\s$][^$]*\$|\\(?:frac|times|cdot|alpha|rho|text|begin)\b/,
    "a raw directive": /```|:::|\{[a-z-]+\}`/,
  })) {
    const found = prose.textContent.match(pattern);
    check(!found, `${what}: ${found}`);
  }
  check(!document.querySelector(".katex-error"), "a formula that KaTeX cannot read");

  for (const widget of document.querySelectorAll(".mb-widget:has(> script)")) {
    const { name } = widget.dataset;
    check(widget.querySelector(".mbx"), `${name} is not mounted`);
    check(!widget.querySelector(".mb-fallback"), `${name} left its fallback`);
  }
  return problems;
}"""


def problems_of(page, watch, contrast=True, structure=True):
    """All that is wrong with a page, as lines.

    Contrast depends on the theme and hardly on the width; of the structure only
    what marks a link does, and each theme is looked at once for that.
    """
    found = page.evaluate(LOOK)  # first, while what is far down still waits
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
        page.add_style_tag(content="* { content-visibility: visible !important }")
        wait_for_frame(page)  # charts are drawn
    if structure or contrast:
        found += page.evaluate(AXE_RUN, [structure, contrast])
    return found + watch.problems


def problems_by_theme(page, watch):
    """The same for a page with nothing but widgets, in both themes.

    Colours depend on the theme alone, so the wide page's are enough.
    """
    found, wide = [], page.viewport_size["width"] > 500
    for theme in ("light", "dark"):
        page.evaluate("(x) => { document.documentElement.dataset.theme = x; }", theme)
        found += [f"{theme}: {x}" for x in problems_of(page, watch, contrast=wide)]
    return found
