"""Prints the built book as one PDF: python -m tools.paper

paper.js makes the pages one, so that links between them stay links and the
headings make one outline. Answers and solutions move to the end: on paper,
too, one predicts first.
"""

from io import BytesIO
from pathlib import Path

import pikepdf
from playwright.sync_api import sync_playwright

from tools.browser import ARGUMENTS, found
from tools.serve import serving
from tools.take_along import BOOK, PDF, offer

PATIENCE = 300_000  # ms, for a busy machine
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .filter((heading) => heading.checkVisibility())
    .map(({ tagName, innerText }) => [tagName, innerText])"""
NUMBER = """(numbers) => document.querySelectorAll(".mb-number").forEach(
    (place, i) => { place.textContent = numbers[i]; })"""


def assemble(page):
    """Make the first page of the built book the whole book, for paper."""
    page.set_default_timeout(PATIENCE)
    page.emulate_media(media="print")
    page.evaluate((Path(__file__).parent / "paper.js").read_text("utf-8"))
    page.locator("html[data-mb-widgets]").wait_for(state="attached")
    page.evaluate("document.fonts.ready")


def entries(parent):
    """The entries of a PDF's outline, from its first page to its last."""
    entry = parent.get("/First")
    while entry is not None:
        yield entry
        yield from entries(entry)
        entry = entry.get("/Next")


def printed(page):
    """The page as a PDF, and the number of the sheet that each h1 stands on."""
    headings = page.evaluate(HEADINGS)
    pdf = pikepdf.open(
        BytesIO(
            page.pdf(
                prefer_css_page_size=True,
                print_background=True,
                tagged=True,
                outline=True,
            )
        )
    )
    numbers = []
    for entry, (tag, title) in zip(entries(pdf.Root.Outlines), headings, strict=True):
        # Chromium doubles titles, and drops the space where a line ends
        entry.Title = title
        if tag == "H1":
            numbers.append(pikepdf.Page(entry.Dest[0]).index + 1)
    return pdf, numbers


def main():
    browser = found()
    with serving(BOOK) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=ARGUMENTS)
        page = chromium.new_page()
        page.goto(f"{address}book/index.html")
        assemble(page)
        _, numbers = printed(page)
        page.evaluate(NUMBER, numbers[1:])  # the first is the table of contents
        pdf, _ = printed(page)
        chromium.close()
    # the tags of 200 pages, packed: half the size
    pdf.save(PDF, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    offer()
    size = PDF.stat().st_size / 1e6
    print(f"{PDF}: {len(pdf.pages)} pages, {size:.1f} MB")


if __name__ == "__main__":
    main()
