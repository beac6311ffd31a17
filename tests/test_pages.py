"""Every page of the built book, in a browser: wide and narrow, light and dark."""

from importlib import resources

import pytest
from bs4 import BeautifulSoup
from conftest import BOOK, GOOD, serving

PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.rglob("*.html")
    if "_static" not in path.parts and path != BOOK / "index.html"
)

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
AXE_RUN = """async ([structure, contrast]) => {
  const options = {
    resultTypes: ["violations"],  // where all is well it need not say where
    preload: false,  // it would fetch style sheets from wrong addresses
  };
  const found = [];
  if (structure) {
    const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                    "best-practice"];
    const rules = { "color-contrast": { enabled: false } };
    const runOnly = { type: "tag", values };
    found.push(await axe.run(document, { ...options, rules, runOnly }));
  }
  if (contrast) {
    const include = samples();
    const runOnly = { type: "rule", values: ["color-contrast"] };
    if (include.length) found.push(await axe.run({ include }, { ...options, runOnly }));
  }
  return found.flatMap(({ violations }) => violations).map(({ id, help, nodes }) =>
    `axe ${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);

  // Three visible texts of each look: a page of code has thousands of each.
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
                    !!element.closest("[disabled], [aria-disabled=true]")].join();
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
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate(AXE_RUN, [structure, contrast])
    return page.evaluate(LOOK) + found + watch.problems


def test_the_root_leads_to_the_first_page(site):
    assert "book/index.html" in PAGES
    assert "url=book/index.html" in (BOOK / "index.html").read_text("utf-8")


# A page loads in one theme and is switched to the other, as a device does at dusk;
# one width starts light and the other dark, so that each theme is loaded once.
@pytest.mark.parametrize(
    ("width", "themes"),
    [(1280, ("light", "dark")), (390, ("dark", "light"))],
    ids=["wide", "narrow"],
)
@pytest.mark.parametrize("path", PAGES)
def test_page_is_healthy(site, watched, path, width, themes):
    page, watch = watched(site + path, width=width, dark=themes[0] == "dark")
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        page.locator(f"html[data-theme={theme}]").wait_for()
        first = theme == themes[0]
        problems = problems_of(page, watch, contrast=width > 500, structure=first)
        assert not problems, "\n".join([f"in the {theme} theme:", *problems])


@pytest.mark.parametrize("path", PAGES)
def test_page_reads_without_javascript(site, watched, path):
    page, watch = watched(site + path, width=390, javascript=False)
    for fallback in page.locator(".mb-widget").all():
        assert len(fallback.inner_text()) > 50, "the default state cannot be read"
        assert fallback.is_visible()
    assert not watch.problems


def test_links_inside_the_book_lead_somewhere():
    soups = {
        path: BeautifulSoup((BOOK / path).read_bytes(), "html.parser") for path in PAGES
    }
    ids = {path: {tag["id"] for tag in soups[path].select("[id]")} for path in PAGES}
    broken = []
    for path, soup in soups.items():
        for href in {tag["href"] for tag in soup.select("a[href]")}:
            if ":" in href.split("/")[0]:
                continue
            target, _, anchor = href.partition("#")
            file = (BOOK / path).parent / target if target else BOOK / path
            name = file.resolve().relative_to(BOOK.resolve()).as_posix()
            if not file.is_file():
                broken.append(f"{path}: {href}: no such file")
            elif anchor and name in ids and anchor not in ids[name]:
                broken.append(f"{path}: {href}: no such place")
    assert not broken, "\n".join(broken)


# The detectors detect: each of these pages has one fault.

WIDGET = (
    '<div class="mb-widget" data-name="X"><div class="mb-fallback">default</div>'
    '<script type="application/json">{"id": "x", "state": {"_esm": "%s"}}</script>'
    '</div><script defer src="widgets.js"></script>'
)
FAULTS = {
    "page error": '<script>throw Error("no")</script>',
    "leaves the host": '<img src="http://example.org/x.png" alt="a picture">',
    "404": '<img src="missing.png" alt="a picture">',
    "no alt text": '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">',
    "a file name": '<svg role="img" aria-label="the x.png"></svg>',
    "scrolls sideways": '<p style="width: 3000px">wide</p>',
    "visible h1": "<h1>Another</h1>",
    "raw TeX": r"<p>costs $D_K^2 \cdot M$</p>",
    "a raw directive": "<p>{ref}`x`</p>",
    "axe color-contrast": '<p style="color: #ccc; background: #fff">pale</p>',
    "X is not mounted": WIDGET % "throw Error('broken')",
    "a widget failed": WIDGET % "export default { render() { throw Error('broken') } }",
}


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_a_fault_is_found(watched, tmp_path, fault):
    (tmp_path / "index.html").write_text(GOOD.replace("{}", FAULTS.get(fault, "")))
    (tmp_path / "widgets.js").write_text((BOOK / "_static/widgets.js").read_text())
    with serving(tmp_path) as address:
        problems = problems_of(*watched(address))
    if fault is None:
        assert not problems
    else:
        assert any(fault in problem for problem in problems), problems
