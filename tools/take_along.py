"""Packs the built book into a zip that works from disk: tools/take_along.py

What is made to take along lies in the built book, and its first page links to it.
"""

import re
import zipfile
from pathlib import Path

BOOK = Path("_build/html")
FIRST = BOOK / "book/index.html"
PDF, ZIP = BOOK / "mobilenets-measured.pdf", BOOK / "mobilenets-measured.zip"
OFFERS = {ZIP: "all pages, to read without a network", PDF: "the book on paper"}


def offering(page, files):
    """The first page's HTML with links to these files, in place of those it has."""
    links = [
        f'<a href="../{file.name}">{file.name}</a>: {OFFERS[file]}'
        f" ({file.stat().st_size / 1e6:.1f} MB)"
        for file in files
    ]
    page, places = re.subn(
        r'(<p class="mb-downloads">).*?(?=</p>)',
        lambda place: place[1] + "<br/>".join(links),
        page,
        flags=re.S,
    )
    if places != 1:
        raise ValueError(
            f'{places} times <p class="mb-downloads"> in the first page: put one into '
            "book/index.md, then run make book"
        )
    return page


def offer():
    """Let the first page link to what has been made."""
    made = [file for file in OFFERS if file.is_file()]
    FIRST.write_text(offering(FIRST.read_text("utf-8"), made), "utf-8")


def pack(target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(set(BOOK.rglob("*")) - set(OFFERS)):
            name = Path(target.stem, path.relative_to(BOOK)).as_posix()
            if path == FIRST:
                packed.writestr(name, offering(path.read_text("utf-8"), []))
            else:
                packed.write(path, name)


if __name__ == "__main__":
    pack(ZIP)
    offer()
    print(f"{ZIP}: {ZIP.stat().st_size / 1e6:.1f} MB; unpack it, open index.html")
