"""The prediction browser: its Python side, and alone in a page."""

import base64
import html
import io
import itertools
import random
import re

import numpy as np
import pytest
import torch
import traitlets
from helpers import VISIT, control, problems_by_theme, shown, wait_for_frame
from PIL import Image

from mbtools.explorer import PredictionBrowser

CLASSES = ("forest", "sea", "ice & <snow>")
COUNT = 41
RNG = np.random.default_rng(0)
# the first lie on the bounds of filters, two are equally sure
PROBABILITIES = np.vstack(
    [
        [[0.5, 0.5, 0], [0, 0, 1], [0.75, 0.25, 0], [0.1, 0.75, 0.15]],
        RNG.dirichlet((0.5, 0.5, 0.5), COUNT - 4),
    ]
)
LABELS = RNG.integers(-1, 3, COUNT)
COLOURS = RNG.integers(0, 256, (COUNT, 3))
# wide, high, small, and not all in RGB
PICTURES = [
    Image.new("RGB", (90 + 20 * (i % 3), 100 + 30 * (i % 2)), tuple(map(int, colour)))
    for i, colour in enumerate(COLOURS)
]
PICTURES[7] = PICTURES[7].convert("P")
PICTURES[8] = PICTURES[8].convert("RGBA")


def make(count=COUNT, labels=LABELS, **options):
    labels = labels if labels is None else labels[:count]
    arguments = PICTURES[:count], PROBABILITIES[:count], CLASSES, labels
    return PredictionBrowser(*arguments, **options)


def rows():
    """Each picture as (index, says, truth, verdict, percent), least sure first."""
    for i in np.argsort(PROBABILITIES.max(1), kind="stable"):
        says = CLASSES[PROBABILITIES[i].argmax()]
        truth = "unlabelled" if LABELS[i] < 0 else CLASSES[LABELS[i]]
        verdict = "right" if says == truth else "wrong"
        percent = round(100 * PROBABILITIES[i].max(), 2)
        yield int(i), says, truth, truth if LABELS[i] < 0 else verdict, percent


ROWS = list(rows())


def left(says="all", truth="all", verdict="all", confidence=(0, 100), order="least"):
    """The rows that pass."""
    passed = [
        row
        for row in ROWS
        if all(
            wanted in ("all", has)
            for wanted, has in zip((says, truth, verdict), row[1:4], strict=True)
        )
        and confidence[0] <= row[4] <= confidence[1]
    ]
    return passed if order.startswith("least") else passed[::-1]


WANTED = [
    ("all", *CLASSES),
    ("all", *CLASSES, "unlabelled"),
    ("all", "right", "wrong"),
    ((0, 100), (50, 75), (75, 100), (0, 50), (76, 99), (100, 100), (3, 3)),
    ("least sure first", "surest first"),
]
NAMES = ("says", "truth", "verdict", "confidence", "order")
SETTINGS = random.Random(0).sample(list(itertools.product(*WANTED)), 150)
SETTINGS.append(("all", "all", "all", (0, 100), "least sure first"))


def test_filters_leave_what_passes():
    browser = make()
    for setting in SETTINGS:
        with browser.hold_trait_notifications():
            for name, value in zip(NAMES, setting, strict=True):
                setattr(browser, name, value)
        assert browser.shown == tuple(row[0] for row in left(*setting)), setting


def test_a_filter_that_hides_the_picture_takes_you_to_the_first_left():
    browser = make()
    assert browser.index == browser.shown[0]
    wrong = left(verdict="wrong")[-1][0]
    browser.index = wrong
    browser.verdict = "wrong"
    assert browser.index == wrong
    browser.verdict = "right"
    assert browser.index == browser.shown[0] == left(verdict="right")[0][0]
    # as the page's message sets them: all at once, a list for the pair
    browser.set_state({"verdict": "all", "confidence": [75, 75], "index": 2})
    assert (browser.index, browser.shown) == (2, (2, 3))
    browser.confidence = (2, 3)
    assert (browser.index, browser.shown) == (2, ())
    assert make(order="surest first").index == left(order="surest")[0][0]
    assert make(index=5, says=CLASSES[1]).index == left(says=CLASSES[1])[0][0]


def test_text_of_the_prediction_browser():
    verdicts = [row[3] for row in left(confidence=(50, 100))]
    assert repr(make(confidence=(50, 100))) == (
        f"PredictionBrowser: {len(verdicts)} of 41 pictures, "
        f"{verdicts.count('right')} right, {verdicts.count('wrong')} wrong"
    )
    assert repr(make(labels=None)) == "PredictionBrowser: 41 of 41 pictures"


def test_default_state_reads_without_scripts():
    bundle, _ = make(confidence=(60, 100))._repr_mimebundle_()
    assert bundle["text/plain"] == repr(make(confidence=(60, 100)))
    text = bundle["text/html"]
    for name in CLASSES:
        passed = left(says=name, confidence=(60, 100))
        verdicts = [row[3] for row in passed]
        counts = [len(passed), verdicts.count("right"), verdicts.count("wrong")]
        cells = "".join(f"<td>{count}</td>" for count in counts)
        mean = f"{sum(row[4] for row in passed) / len(passed):.2f} %"
        line = f'<tr><th scope="row">{html.escape(name)}</th>{cells}<td>{mean}</td>'
        assert line in text
        assert f"{html.escape(name)} {passed[-1][4]:.2f} %, " in text
    (data,) = re.findall('src="data:image/webp;base64,([^"]+)"', text)
    strip = Image.open(io.BytesIO(base64.b64decode(data)))
    assert strip.size == (3 * 96, 96)
    for place, name in enumerate(CLASSES):
        colour = COLOURS[left(says=name)[-1][0]]
        middle = strip.convert("RGB").getpixel((96 * place + 48, 48))
        assert middle == pytest.approx(colour, abs=12)
    empty = make(confidence=(3, 3))._repr_mimebundle_()[0]["text/html"]
    assert "0 of 41 pictures" in empty
    assert "<img" not in empty


def test_tensors_and_unknown_labels_in_any_form():
    known = [None if x < 0 else int(x) for x in LABELS]
    tensors = torch.tensor(PROBABILITIES), CLASSES, torch.tensor(LABELS)
    for browser in (make(labels=known), PredictionBrowser(PICTURES, *tensors)):
        assert browser._table == make()._table
    unlabelled = make(labels=None)
    assert unlabelled._table == make(labels=[-1] * COUNT)._table
    unlabelled.truth = "unlabelled"
    assert len(unlabelled.shown) == COUNT


def scene(rng, side=150):
    """A cloudy picture, as hard to compress as a photograph."""
    octaves = [
        Image.fromarray(rng.integers(0, 256, (size, size, 3), np.uint8)).resize(
            (side, side), Image.Resampling.BICUBIC
        )
        for size in (3, 6, 12, 25, 50, 100)
    ]
    weights = np.array([0.3, 0.22, 0.16, 0.12, 0.1, 0.1])
    values = np.tensordot(weights, np.stack(octaves), 1)
    return Image.fromarray(values.astype(np.uint8))


def test_what_the_page_carries_is_small_and_the_same_each_time():
    rng = np.random.default_rng(0)
    pictures = [scene(rng) for _ in range(120)]
    probabilities = rng.dirichlet([0.3] * 6, 120)
    one, two, light = (
        PredictionBrowser(pictures, probabilities, "abcdef", quality=quality)
        for quality in (50, 50, 10)
    )
    assert one._table == two._table
    assert len(light._table) < len(one._table) < 350_000
    assert len(one._repr_mimebundle_()[0]["text/html"]) < 25_000


def changed(row, values):
    probabilities = PROBABILITIES.copy()
    probabilities[row] = values
    return probabilities


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"classes": ("a", "b", "a")}, "different names.*got a, b, a"),
        ({"classes": ("a", "b", "all")}, "none of them 'all'"),
        ({"classes": ("a", "b")}, r"\(pictures, 2\).*got \(41, 3\)"),
        ({"probabilities": PROBABILITIES[0]}, r"got \(3,\)"),
        ({"probabilities": changed(5, (3, -1, -1))}, "row 5 has .3.0, -1.0"),
        ({"probabilities": changed(6, (0.5, 0.4, 0))}, "sum to 1.*; row 6"),
        ({"probabilities": changed(0, (np.nan, 1, 0))}, "; row 0 has .nan, 1.0"),
        ({"labels": LABELS[:-1]}, r"each of 41 pictures; got \(40,\)"),
        ({"labels": [3] * COUNT}, r"from 0 to 2, or -1 .*got \[3\]"),
        ({"labels": [0.5] * COUNT}, r"whole numbers.*got \[0.5\]"),
        ({"pictures": PICTURES[1:]}, "got 40 pictures, 41 rows"),
        (
            {"pictures": [], "probabilities": np.empty((0, 3)), "labels": []},
            "got 0 pictures",
        ),
        ({"pictures": [*PICTURES[1:], "x.jpg"]}, "PIL pictures; number 40 is str"),
        ({"quality": 101}, "invalid"),
        ({"thumb": -1}, "> 0"),
    ],
)
def test_what_does_not_fit_together_is_named(arguments, says):
    fitting = {
        "pictures": PICTURES,
        "probabilities": PROBABILITIES,
        "classes": CLASSES,
        "labels": LABELS,
    }
    with pytest.raises(ValueError, match=says):
        PredictionBrowser(**fitting | arguments)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"says": "lake"}, "says must be one of all, forest, sea, .*; got 'lake'"),
        ({"says": "unlabelled"}, "says must be one of"),
        ({"truth": "lake"}, "truth must be one of all, .*, unlabelled; got 'lake'"),
        ({"verdict": "maybe"}, "verdict must be one of all, right, wrong; got"),
        ({"labels": None, "verdict": "wrong"}, "must be one of all; got 'wrong'"),
        ({"labels": None, "truth": "sea"}, "one of all, unlabelled; got 'sea'"),
        ({"labels": abs(LABELS), "truth": "unlabelled"}, "got 'unlabelled'"),
        ({"confidence": (60, 50)}, r"whole percent.*; got \(60, 50\)"),
        ({"confidence": (0.5, 0.9)}, r"whole percent.*; got \(0.5, 0.9\)"),
        ({"confidence": (0, 101)}, "confidence must be"),
        ({"confidence": (1,)}, "confidence must be"),
        ({"order": "random"}, "'order' trait .* any of"),
        ({"index": 41}, "index must be from 0 to 40; got 41"),
        ({"index": -1}, "from 0 to 40; got -1"),
    ],
)
def test_a_choice_that_there_is_not_is_named(wrong, says):
    with pytest.raises(traitlets.TraitError, match=says):
        make(**wrong)


# In a page


def thumbs(box):
    """The buttons of the pictures that are shown, in order."""
    return box.locator(".mbx-thumb:visible")


def labels_of(box):
    wait_for_frame(box.page)
    return thumbs(box).evaluate_all(
        "(all) => all.map((x) => x.getAttribute('aria-label'))"
    )


def check_labels(found, expected):
    """Labels say what the rows say, percents rounded."""
    assert len(found) == len(expected)
    for label, (_, says, truth, _, percent) in zip(found, expected, strict=True):
        name, rounded, told = re.fullmatch(r"(.+) (\d+) %, (.+)", label).groups()
        assert (name, told) == (
            says,
            truth if truth == "unlabelled" else f"truly {truth}",
        )
        assert abs(int(rounded) - percent) <= 0.5


def test_page_shows_what_python_shows(mounted):
    box, watch = mounted(make())
    some = SETTINGS[::2]
    controls = ("says", "truth", "verdict", "least", "most", "order")
    visits = [(*choices, *confidence, order) for *choices, confidence, order in some]
    pages = box.evaluate(VISIT, [controls, visits, ".mbx-thumb, .mbx-detail"])
    for setting, page in zip(some, pages, strict=True):
        expected = left(*setting)
        # the one shown large has no label
        check_labels([label for label in page["labels"] if label], expected)
        assert (None in page["labels"]) == bool(expected), setting
        verdicts = [row[3] for row in expected]
        numbers = {
            "shown": len(expected),
            "right": verdicts.count("right"),
            "wrong": verdicts.count("wrong"),
        }
        for column, row in itertools.product(CLASSES, (*CLASSES, "unlabelled")):
            cell = left(column, row, "all", setting[3])
            numbers[f"cell.{row}.{column}"] = len(cell)
        assert {key: page[key] for key in numbers} == numbers, setting
        assert f"{len(expected)} of 41 pictures" in page["text"]
        assert ("No picture fits" in page["text"]) == (not expected)
        if expected:
            assert page["index"] in [row[0] for row in expected]
    assert not watch.problems


def test_each_picture_and_its_probabilities_are_its_own(mounted):
    box, _ = mounted(make())
    for (i, says, truth, verdict, _), button in zip(
        ROWS, thumbs(box).all(), strict=True
    ):
        button.click()
        (page,) = box.evaluate(VISIT, [[], []])
        assert page["index"] == i
        assert button.get_attribute("aria-current") == "true"
        for name, probability in zip(CLASSES, PROBABILITIES[i], strict=True):
            assert page[f"p.{name}"] == pytest.approx(probability, abs=5e-5)
            assert f"{100 * probability:.2f} %" in page["text"]
        text = box.locator(".mbx-detail").inner_text()
        assert f"the net says {says}" in text
        assert f"truth: {truth}" in text
        assert ("right" in text, "wrong ✗" in text) == (
            verdict == "right",
            verdict == "wrong",
        )
        if i % 5:
            continue  # a look takes time
        for picture in (button.locator(".mbx-picture"), box.locator("figure > div")):
            drawn = Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
            inside = np.asarray(drawn)[24:-8, 8:-24].reshape(-1, 3)
            assert inside.mean(0) == pytest.approx(COLOURS[i], abs=12)
            assert inside.std(0).max() < 8, "a neighbour shows"
    assert box.locator("[aria-current]").count() == 1


def test_only_wrong_pictures_carry_the_mark(mounted):
    box, _ = mounted(make())
    marks = thumbs(box).evaluate_all(
        "(all) => all.map((x) => getComputedStyle(x, '::before').content)"
    )
    assert ["✗" in mark for mark in marks] == [row[3] == "wrong" for row in ROWS]


def test_keyboard_walks_the_pictures(mounted):
    box, _ = mounted(make())
    page, columns = box.page, 4
    control(box, "order").focus()
    for _ in range(2):
        page.keyboard.press("Tab")  # the two sliders; "show all" is off
    for key, place in [
        ("Tab", 0),
        ("ArrowLeft", 0),
        ("ArrowRight", 1),
        ("ArrowDown", 1 + columns),
        ("ArrowDown", 1 + 2 * columns),
        ("ArrowUp", 1 + columns),
        ("ArrowLeft", columns),
        ("End", COUNT - 1),
        ("ArrowRight", COUNT - 1),
        ("Home", 0),
        ("ArrowUp", 0),
    ]:
        page.keyboard.press(key)
        assert shown(box, "index") == ROWS[place][0], key
        focused = "(all) => all.indexOf(document.activeElement)"
        assert thumbs(box).evaluate_all(focused) == place, key
    page.keyboard.press("Tab")  # one stop for all pictures, one for all cells
    assert page.locator(":focus").get_attribute("aria-pressed") == "false"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body")


def test_a_cell_shows_its_pictures_and_another_press_all(mounted):
    box, _ = mounted(make())
    control(box, "verdict").select_option("right")
    first = box.locator(".mbx-confusion button").first
    first.focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        box.page.keyboard.press(key)
    chosen = left(CLASSES[1], CLASSES[1])
    check_labels(labels_of(box), chosen)
    assert shown(box, f"cell.{CLASSES[1]}.{CLASSES[1]}") == len(chosen)
    for name, value in (("says", "sea"), ("truth", "sea"), ("verdict", "all")):
        assert control(box, name).input_value() == value
    assert box.locator('[aria-pressed="true"]').count() == 1
    box.page.keyboard.press("Enter")
    assert shown(box, "shown") == COUNT


def test_one_end_of_the_confidence_takes_the_other_along(mounted):
    box, _ = mounted(make())
    least, most = control(box, "least"), control(box, "most")
    most.press("Home")
    assert shown(box, "shown") == 0
    least.press("End")
    assert shown(box, "shown") == len(left(confidence=(100, 100)))
    most.press("ArrowLeft")
    assert shown(box, "shown") == len(left(confidence=(99, 99)))
    assert (least.input_value(), most.input_value()) == ("99", "99")
    assert most.get_attribute("aria-valuetext") == "99 %"
    everything = box.get_by_role("button", name="show all")
    everything.click()
    assert shown(box, "shown") == COUNT
    assert everything.is_disabled()
    assert control(box, "says").evaluate("(x) => x === document.activeElement")


def test_two_views_of_one_model_move_together(mounted):
    browser = make()
    boxes, watch = mounted(browser, browser)
    one, two = boxes.all()
    control(one, "verdict").select_option("wrong")
    assert shown(two, "shown") == len(left(verdict="wrong"))
    thumbs(one).nth(2).click()
    assert shown(two, "index") == left(verdict="wrong")[2][0]
    control(two, "order").select_option("surest first")
    check_labels(labels_of(one), left(verdict="wrong", order="surest"))
    assert not watch.problems


def test_the_summary_is_spoken(mounted):
    box, _ = mounted(make())
    control(box, "says").select_option("sea")
    passed = left("sea")
    said = box.locator("[aria-live]").filter(has_text=f"{len(passed)} of 41 pictures")
    said.wait_for(state="attached")
    assert f"Looking at {labels_of(box)[0]}" in said.text_content()


def test_one_picture_without_a_label(mounted):
    box, watch = mounted(make(1, labels=None))
    assert shown(box, "shown") == 1
    assert shown(box, "cell.unlabelled.forest") == 1
    assert control(box, "truth").count() == control(box, "verdict").count() == 0
    assert not watch.problems


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_a_page_with_the_browser_is_healthy(mounted, width):
    box, watch = mounted(make(), make(9, None), width=width)
    control(box.first, "verdict").select_option("wrong")
    control(box.last, "least").press("End")  # no picture fits
    box.last.locator(".mbx-confusion button").first.click()
    assert not problems_by_theme(box.page, watch)
