"""The book on paper and on a disk without a network."""

import shutil

import pytest
from conftest import BOOK, ROOT
from test_pages import PAGES

from tools import take_along
from tools.paper import assemble, entries, printed

A4 = 657  # CSS pixels between the margins
ON_PAPER = """(width) => {
  const problems = [];
  const ids = new Set();
  for (const { id } of document.querySelectorAll("[id]:not(svg *, .mbx *)")) {
    if (ids.has(id)) problems.push(`${id}: twice`);
    ids.add(id);
  }
  for (const link of document.querySelectorAll("a[href^='#']")) {
    const to = link.getAttribute("href").slice(1);
    if (!ids.has(to)) problems.push(`a dead link: ${to}`);
  }
  for (const box of document.querySelectorAll("article :not(.katex-mathml *)")) {
    const { right } = box.getBoundingClientRect();
    if (right > width + 1) {
      const place = box.closest("[id]").id;
      problems.push(`wide: ${right} px: ${place}: ${box.outerHTML.slice(0, 80)}`);
    }
  }
  return problems;
}"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The address of the unpacked zip, on the disk."""
    folder = tmp_path_factory.mktemp("disk")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        take_along.pack(folder / "book.zip")
    shutil.unpack_archive(folder / "book.zip", folder)
    return (folder / "book").as_uri() + "/"


def test_sliders_move_from_disk(unpacked, watched):
    page, watch = watched(unpacked + PAGES[0])
    page.goto(unpacked + "index.html")
    page.wait_for_url(unpacked + "book/index.html")
    silent = []
    for path in PAGES:
        page.goto(unpacked + path)
        if page.locator(".mb-widget:has(> script), .mbx").count():
            page.locator("html[data-mb-widgets]").wait_for(state="attached")
        widget = page.locator(".mbx:has(input[type=range])").first
        if not widget.count():
            silent.append(path)
            continue
        slider = widget.locator("input[type=range]").first
        before, at = widget.inner_text(), slider.input_value()
        slider.press("ArrowLeft")
        if slider.input_value() == at:
            slider.press("ArrowRight")
        assert slider.input_value() != at, path
        drawn = [widget.element_handle(), before]  # in the next frame
        page.wait_for_function("([widget, was]) => widget.innerText !== was", arg=drawn)
    with_widgets = [
        path for path in PAGES if 'data-name="' in (BOOK / path).read_text("utf-8")
    ]
    assert set(with_widgets) & set(silent) <= {"notebooks/ledger.html"}
    assert not watch.problems


def test_search_works_from_disk(unpacked, watched):
    page, watch = watched(unpacked + "search.html?q=depthwise")
    page.locator("#search-results li a").first.click()
    assert "depthwise" in page.locator("article").inner_text().lower()
    assert not watch.problems


def test_only_what_was_made_is_offered(tmp_path):
    page = '<p class="mb-downloads"><a href="../gone.zip">gone</a></p><p>kept</p>'
    assert take_along.offering(page, []) == '<p class="mb-downloads"></p><p>kept</p>'
    made = tmp_path / take_along.PDF.name
    made.write_bytes(b"0" * 1_200_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(take_along, "OFFERS", {made: "on paper"})
        offered = take_along.offering(page, [made])
    assert f'href="../{made.name}"' in offered
    assert "1.2 MB" in offered and "gone" not in offered
    with pytest.raises(ValueError, match="put one into"):
        take_along.offering("<p>no place</p>", [])


def test_the_pages_make_one_book(open_page):
    page = open_page("book/index.html", width=A4)
    pages = page.locator("nav.bd-links a").all_text_contents()
    repeating = {"All exercises", "All explorers"}
    titles = [title.strip() for title in pages if title.strip() not in repeating]
    assert len(titles) == len(pages) - 2
    assemble(page)
    entries = page.locator(".mb-contents a").all_text_contents()
    assert entries == [*titles, "Answers and solutions"]
    assert page.evaluate(ON_PAPER, A4) == []
    choices = page.locator(".mbx [role=radiogroup]")
    assert choices.count() == page.locator(".mbx :checked[type=radio]").count() > 5

    asked = page.locator(".mb-chapter:not(#answers)")
    assert not asked.locator(".mb-quiz details[open], section > details").count()
    links = asked.locator("a[href*='--answer-']").count()
    assert page.locator("#answers > [id]").count() == links > 20


def test_chapters_are_found_in_the_pdf(watched):
    page, _ = watched("about:blank")
    titles = ["Contents", "One and " + 20 * "much " + "more", "Two"]
    page.set_content(
        "".join(f"<h1 style='break-before: page'>{title}</h1>" for title in titles)
    )
    pdf, numbers = printed(page)
    assert numbers == [1, 2, 3]
    assert [str(entry.Title) for entry in entries(pdf.Root.Outlines)] == titles
    assert pdf.Root.MarkInfo.Marked  # read aloud in order, with alt texts


def test_a_dark_page_prints_light(open_page):
    page = open_page("book/bibliography.html", dark=True)
    page.evaluate("""() => addEventListener("beforeprint", () => {
        window.printed = document.documentElement.dataset.theme; })""")
    page.pdf()
    assert page.evaluate("printed") == "light"
    page.locator("html[data-theme=dark]").wait_for()
