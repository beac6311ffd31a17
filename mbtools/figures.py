"""One look for the book's figures and tables, on light and dark pages.

A figure is shown as an inline SVG that takes its ink from the page, with a
text for those who cannot see it and its numbers in a table behind a fold.
"""

import base64
import html
import inspect
import io
import os
import re
from numbers import Integral

import matplotlib.pyplot as plt
from IPython.display import HTML, Markdown, display

# Okabe and Ito's colours, which colour-blind readers can tell apart, in the
# shades that stand out (3:1) on white and on near-black paper alike.
BLUE, ORANGE, GREEN, PURPLE = "#2c7fb8", "#d95f02", "#1b9e77", "#a467b5"
GREY = "#808080"

INK = "#010203"  # drawn in this, shown in the page's own text colour

STYLE = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlesize": "medium",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.prop_cycle": plt.cycler(color=[BLUE, ORANGE, GREEN, PURPLE]),
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "font.size": 11,
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "legend.frameon": False,
    "lines.linewidth": 2,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.fonttype": "none",
}


def figure(width=5.4, height=3.4, **subplots):
    """A figure and its axes in the book's look; sizes in inches.

    ``subplots`` goes to ``plt.subplots``. Narrow on purpose: the text stays
    legible when a telephone shrinks the picture. The look stays set for what
    is drawn afterwards, because labels and legends read it when they are made.
    """
    plt.rcParams.update(STYLE)
    return plt.subplots(figsize=(width, height), layout="constrained", **subplots)


def svg(fig, alt):
    """A figure as SVG text, with ``alt`` for a screen reader; closes it.

    alt: one or two sentences that say what the figure shows.

    Raises ValueError if alt is too short to say anything.
    """
    label = _label(alt)
    file = io.StringIO()
    # the salt makes ids that are stable from run to run and unique in a page
    with plt.rc_context({"svg.hashsalt": alt}):
        fig.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    plt.close(fig)
    text = file.getvalue()
    text = text[text.index("<svg") :].strip().replace(INK, "currentColor")
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.S)
    # names such as "axes_1" recur in every figure; nothing points to them
    text = re.sub(r' id="[^"]+_[0-9]+"', "", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def photo(picture, alt, width=320):
    """Display a PIL picture, shrunk to ``width`` pixels, with a text for it.

    alt: as for ``svg``.

    Raises ValueError if alt is too short to say anything.
    """
    label = _label(alt)
    height = round(picture.height * width / picture.width)
    file = io.BytesIO()
    picture.resize((width, height)).save(file, "WEBP", quality=60, method=6)
    data = base64.b64encode(file.getvalue()).decode()
    # the class keeps the page's theme from framing it in the dark
    display(
        HTML(
            f'<img class="dark-light" src="data:image/webp;base64,{data}" '
            f'alt="{label}" width="{width}" height="{height}">'
        )
    )


def show(fig, alt, header, rows):
    """Display a figure, close it, and fold the numbers drawn below it.

    alt: as for ``svg``. header, rows: the numbers, as for ``table``.
    """
    numbers = _table(header, rows, name="The numbers in this figure")
    display(
        HTML(
            f'<figure class="mb-figure">\n{svg(fig, alt)}\n<details><summary>The '
            f"numbers in this figure</summary>\n{numbers}\n</details></figure>"
        )
    )


def table(header, rows, caption):
    """Display rows under a header; the first cell of a row names it.

    Integers get thousands separators; give other numbers as text, rounded
    as they should be read.

    Raises ValueError if there are no rows.
    """
    display(
        HTML(
            f"<figure><figcaption>{html.escape(caption)}</figcaption>\n"
            f"{_table(header, rows, name=caption)}</figure>"
        )
    )


def full_or_fast(full, fast):
    """``full``; with MBTOOLS_FAST=1, as in the tests, ``fast`` and a banner.

    For how long and how often a chapter trains: {name: number} each.

    Raises ValueError if the two do not have the same names.
    """
    if set(full) != set(fast):
        raise ValueError(f"full and fast must have one set of names: {full}, {fast}")
    if os.environ.get("MBTOOLS_FAST") != "1":
        return full
    changed = ", ".join(f"{fast[x]} {x} instead of {full[x]}" for x in full)
    display(Markdown(f"> **Small sample** (`MBTOOLS_FAST=1`): {changed}."))
    return fast


def source(*things):
    """Display the source code of functions or classes, as it stands here."""
    code = "\n\n\n".join(inspect.getsource(thing).rstrip() for thing in things)
    display(Markdown(f"```python\n{code}\n```"))


def _label(alt):
    if len(alt.split()) < 8:
        raise ValueError(f"alt must say what the figure shows; got {alt!r}")
    return html.escape(alt, quote=True)


def _table(header, rows, name):
    if not rows:
        raise ValueError(f"a table needs rows; {name!r} has none")

    def cell(value):
        counts = isinstance(value, Integral) and not isinstance(value, bool)
        return f"{value:,}" if counts else html.escape(str(value))

    # a wide table scrolls in a narrow page; tabindex lets the keyboard do it
    name = html.escape(name, quote=True)
    lines = [f'<div class="mb-table" role="group" tabindex="0" aria-label="{name}">']
    # words stand at the left of their column, numbers at the right
    words = [
        "" if _is_numeric(column) else ' class="mb-word"'
        for column in list(zip(*rows, strict=True))[1:]
    ]
    heads = f'<th scope="col">{cell(header[0])}</th>' + "".join(
        f'<th scope="col"{word}>{cell(x)}</th>'
        for word, x in zip(words, header[1:], strict=True)
    )
    lines.append(f"<table><thead><tr>{heads}</tr></thead><tbody>")
    for first, *rest in rows:
        cells = "".join(
            f"<td{word}>{cell(x)}</td>" for word, x in zip(words, rest, strict=True)
        )
        lines.append(f'<tr><th scope="row">{cell(first)}</th>{cells}</tr>')
    return "\n".join([*lines, "</tbody></table></div>"])


def _is_numeric(column):
    """Whether a column is of numbers, some of them perhaps missing: no phrases."""
    texts = [str(x) for x in column]
    starts = any(re.match(r"[-+–\d]", text) for text in texts)
    return starts and max(map(len, texts)) <= 24
