"""Figures carry their text and their numbers, the same at every run."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mbtools import cost, figures

ALT = "A line that climbs from one to two over the whole width."


def line():
    fig, ax = figures.figure()
    ax.plot([0, 1], [1, 2], label="up")
    ax.annotate("top", (1, 2))
    ax.legend()
    ax.set(title="Up < down", xlabel="time")
    return fig


@pytest.fixture
def shown(monkeypatch):
    found = []
    monkeypatch.setattr(figures, "display", lambda thing: found.append(thing.data))
    return found


def test_svg_is_labelled_themed_and_stable():
    text = figures.svg(line(), ALT)
    assert text == figures.svg(line(), ALT)
    root = ElementTree.fromstring(text)
    assert root.get("aria-label") == ALT and root.get("role") == "img"
    assert "currentColor" in text and figures.INK not in text
    assert "<text" in text, "letters stay text, not paths"
    assert "metadata" not in text
    assert not re.search("#(ffffff|000000)", text), "white or black on some page"


def test_ids_are_unique_in_a_page():
    one, two = figures.svg(line(), ALT), figures.svg(line(), ALT + " Again.")
    ids = [re.findall(r'\bid="([^"]+)"', text) for text in (one, two)]
    assert len(set(ids[0])) == len(ids[0])
    assert not set(ids[0]) & set(ids[1])
    for text, own in zip((one, two), ids, strict=True):
        assert set(re.findall(r"(?:url\(|href=\")#([^\")]+)", text)) <= set(own)


@pytest.mark.parametrize("alt", ("", "figure 1", "image.png"))
def test_a_figure_without_a_text_is_refused(alt):
    with pytest.raises(ValueError, match="alt must say what the figure shows"):
        figures.svg(line(), alt)


def test_show_folds_the_numbers(shown):
    figures.show(line(), ALT, ["x", "y"], [("0", 1), ("1", 2_000_000)])
    root = ElementTree.fromstring(shown[0])
    assert root.find("details/summary").text == "The numbers in this figure"
    cells = [cell.text for cell in root.iter("td")]
    assert cells == ["1", "2,000,000"]


def test_table_escapes_and_names_rows(shown):
    figures.table(["a", "<b>"], [("1 < 2", 1234)], caption="One & only")
    root = ElementTree.fromstring(shown[0])
    assert root.find("figcaption").text == "One & only"
    assert root.find("div").get("aria-label") == "One & only"
    assert [h.text for h in root.find("div/table/thead/tr")] == ["a", "<b>"]
    row = root.find("div/table/tbody/tr")
    assert [(c.tag, c.get("scope"), c.text) for c in row] == [
        ("th", "row", "1 < 2"),
        ("td", None, "1,234"),
    ]


def test_cells_of_a_table(shown):
    row = (np.int64(1234), True, np.float64(0.5), 1234.5, None)
    figures.table([*"abcdef"], [("name", *row)], caption="Kinds")
    cells = [cell.text for cell in ElementTree.fromstring(shown[0]).iter("td")]
    assert cells == ["1,234", "True", "0.5", "1234.5", "None"]
    with pytest.raises(ValueError, match="a table needs rows; 'Kinds' has none"):
        figures.table(["a", "b"], [], caption="Kinds")


def test_a_small_sample_says_so(shown, monkeypatch):
    full, fast = {"seeds": 5, "epochs": 20}, {"seeds": 2, "epochs": 4}
    monkeypatch.delenv("MBTOOLS_FAST", raising=False)
    assert figures.full_or_fast(full, fast) is full and not shown
    monkeypatch.setenv("MBTOOLS_FAST", "1")
    assert figures.full_or_fast(full, fast) is fast
    assert "2 seeds instead of 5, 4 epochs instead of 20" in shown[0]
    with pytest.raises(ValueError, match="must have one set of names"):
        figures.full_or_fast(full, {"seeds": 2})


def test_source_shows_the_very_lines(shown):
    figures.source(cost.reduction, cost.pointwise_macs)
    code = shown[0].removeprefix("```python\n").removesuffix("\n```")
    scope = {}
    exec(code, scope)
    assert scope["reduction"](3, 128) == cost.reduction(3, 128)
    assert scope["pointwise_macs"](2, 3, 4) == 96


def test_words_stand_left_and_numbers_right(shown):
    phrase = "150×124 pixels, not 150×150"
    rows = [("a", "one", "1 kB", "–", phrase), ("b", "two", "−", "+2 %", "a double")]
    header = ["row", "word", "mixed", "number", "phrase"]
    figures.table(header, rows, caption="A table")
    root = ElementTree.fromstring(shown[0])
    cells = [[c.get("class") for c in row] for row in root.iter("tr")]
    assert cells == [[None, "mb-word", None, None, "mb-word"]] * 3


def test_a_photo_carries_its_text(shown):
    picture = Image.new("RGB", (640, 480), (200, 30, 30))
    figures.photo(picture, ALT, width=160)
    found = re.search(
        r'base64,([^"]+)" alt="([^"]+)" width="160" height="120"', shown[0]
    )
    small = Image.open(io.BytesIO(base64.b64decode(found[1])))
    assert (small.size, found[2]) == ((160, 120), ALT)
    assert (
        max(
            abs(a - b)
            for a, b in zip(small.getpixel((9, 9)), (200, 30, 30), strict=True)
        )
        < 5
    )
    with pytest.raises(ValueError, match="alt must say"):
        figures.photo(picture, "china.jpg")
