"""Every page of the built book, in a browser: wide and narrow, light and dark."""

import json
import re

import pytest
from conftest import BOOK, GOOD, ROOT
from helpers import parsed, problems_of

from tools.serve import serving

PAGES = sorted(
    path.relative_to(BOOK).as_posix()
    for path in BOOK.rglob("*.html")
    if "_static" not in path.parts and path != BOOK / "index.html"
)


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


def test_what_nobody_scrolled_to_is_drawn_on_paper(open_page):
    page = open_page("book/explorers.html")
    charts = page.locator(".mbx-chart")
    drawn = "charts => charts.filter((chart) => chart.hasAttribute('width')).length"
    assert charts.evaluate_all(drawn) < 3, "none waits for the window"
    page.pdf()
    assert charts.evaluate_all(drawn) == charts.count() == 3


def test_what_the_first_screen_can_do_without_is_in_files():
    asked = set()
    for path in PAGES:
        text = (BOOK / path).read_text("utf-8")
        assert "data:image/webp" not in text, path
        asked |= set(re.findall(r'src="../_parts/([^"]+)"', text))
        for script in parsed(path).select(".mb-widget > script"):
            values = json.loads(script.text)["state"].values()
            parts = [x["part"] for x in values if isinstance(x, dict) and "part" in x]
            asked |= {f"{part}.js" for part in parts}
            assert len(script.text) < 3000, path
    assert {file.name for file in (BOOK / "_parts").iterdir()} == asked


def test_pages_that_are_mended_stay_as_they_are(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book/_ext")
    from book_fixes import mended

    for path in PAGES:  # as the next build finds them
        text = (BOOK / path).read_text("utf-8")
        assert mended(text) == text, path


def test_links_inside_the_book_lead_somewhere():
    ids = {path: {tag["id"] for tag in parsed(path).select("[id]")} for path in PAGES}
    broken = []
    for path in PAGES:
        for href in {tag["href"] for tag in parsed(path).select("a[href]")}:
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
    "out of proportion": '<img width="90" height="20" alt="a picture" src="data:image/'
    "svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E\">",
    "scrolls sideways": '<p style="width: 3000px">wide</p>',
    "visible h1": "<h1>Another</h1>",
    "raw TeX": r"<p>costs $D_K^2 \cdot M$</p>",
    "a raw directive": "<p>{ref}`x`</p>",
    "axe color-contrast": '<p style="color: #ccc; background: #fff">pale</p>',
    "axe aria-roles": '<pre><span role="no-such">code</span></pre>',
    "X is not mounted": WIDGET % "throw Error('broken')",
    "a widget failed": WIDGET % "export default { render() { throw Error('broken') } }",
    "_parts/x.js": (WIDGET % "").replace('"_esm": ""', '"_esm": {"part": "x"}'),
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


def test_code_that_is_pale_in_one_theme_is_found(watched, tmp_path):
    dark = "@media (prefers-color-scheme: dark) { .rare { color: #ccc } }"
    usual = "<pre>" + 9 * '<span class="usual">def</span>\n' + "</pre>"
    rare = '<pre><span class="rare">while</span></pre>'
    page = GOOD.replace("{}", f"<style>{dark}</style>{usual}{rare}{usual}")
    (tmp_path / "index.html").write_text(page)
    with serving(tmp_path) as address:
        page, watch = watched(address)
        assert not problems_of(page, watch)
        assert page.locator(".usual").count() < 18, "not all of it needs a look"
        page.emulate_media(color_scheme="dark")
        (problem,) = problems_of(page, watch, structure=False)
    assert "axe color-contrast" in problem and "while" in problem
