"""The rank explorer: its Python side, and alone in a page."""

import random
import re
from functools import cache

import numpy as np
import pytest
import traitlets
from helpers import VISIT, control, problems_by_theme, shown
from playwright.sync_api import expect

from mbtools import nets
from mbtools.cost import Layer
from mbtools.explorer import RankExplorer

LAYERS = [
    layer
    for layer in nets.mobilenet_v2(resolution=144, classes=6).layers
    if layer.kind in ("pointwise", "linear")
]
FULL = [min(layer.in_channels, layer.out_channels) for layer in LAYERS]
RNG = np.random.default_rng(0)
# from spectra that hardly fall to such that fall steeply, with four digits
VALUES = [
    [float(f"{x:.4g}") for x in sorted(9 * RNG.uniform(0, 1, full) ** power)[::-1]]
    for full, power in zip(FULL, RNG.uniform(0.1, 4, len(FULL)), strict=True)
]
ROLES = ["projection", "expansion"] * 17 + ["last", "classifier"]
del ROLES[33]  # block 1 does not expand, so the 17th expansion is not there
KEEPS = (90, 95, 99)


def make(**choices):
    return RankExplorer(LAYERS, VALUES, **choices)


def expected_lost(layer, rank):
    squares = np.square(VALUES[layer])
    return squares[rank:].sum() / squares.sum()


@cache
def expected_needed(layer, keep):
    kept = np.cumsum(np.square(VALUES[layer]))
    return 1 + int(np.argmax(kept >= keep / 100 * kept[-1]))


def test_a_rank_keeps_and_costs_what_its_two_matrices_do():
    matrix = np.random.default_rng(1).normal(size=(12, 30))
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    layer = Layer("pointwise", 30, 12, in_size=5)
    explorer = RankExplorer([layer], [values])
    for rank in range(1, 13):
        explorer.rank = rank
        second, first = left[:, :rank] * values[:rank], right[:rank]
        error = np.linalg.norm(matrix - second @ first) / np.linalg.norm(matrix)
        assert explorer.error == pytest.approx(error, rel=1e-3, abs=1e-9)
        assert explorer.kept == pytest.approx(1 - error**2, rel=1e-3)
        assert explorer.weights == first.size + second.size
        assert explorer.macs == 25 * explorer.weights


def test_beyond_the_break_even_rank_two_layers_cost_more():
    explorer = make(layer=33, rank=255)
    assert explorer.current.name == "last"
    assert explorer.break_even == 256  # 320 * 1280 / (320 + 1280)
    verdicts = []
    for explorer.rank in (128, 255, 256, 257, 320):
        verdicts.append(repr(explorer).split(", ")[4])
    assert verdicts == [
        *("saves 50.0 %", "saves 0.4 %", "costs the same"),
        *("costs 0.4 % more", "costs 25.0 % more"),
    ]


@pytest.mark.parametrize("keep", KEEPS)
def test_the_least_rank_that_keeps_enough(keep):
    explorer = make(keep=keep)
    assert explorer.rank == explorer.needed
    for index in range(len(LAYERS)):
        explorer.layer = index
        explorer.rank = explorer.needed
        assert explorer.rank == expected_needed(index, keep)
        assert explorer.kept >= keep / 100
        if explorer.rank > 1:
            explorer.rank -= 1
            assert explorer.kept < keep / 100


def test_it_starts_with_the_most_weights():
    explorer = make()
    assert (explorer.layer, explorer.keep) == (33, 99)
    assert explorer.current.weights == max(layer.weights for layer in LAYERS)


def test_a_layer_with_fewer_singular_values_takes_the_rank_down():
    explorer = make(layer=33, rank=100)
    explorer.layer = 30
    assert explorer.rank == 100
    explorer.layer = 3
    assert explorer.rank == 24
    explorer.layer = 30
    assert explorer.rank == 24


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"layer": 35}, "layer must be from 0 to 34; got 35"),
        ({"layer": -1}, "layer must be from 0 to 34; got -1"),
        ({"layer": 3, "rank": 25}, "rank of block 3 expand must be .* 1 to 24; got 25"),
        ({"rank": 0}, "rank of last must be from 1 to 320; got 0"),
        ({"rank": 1.5}, "'rank' trait .* int"),
        ({"keep": 98}, "'keep' trait .* any of"),
    ],
)
def test_a_choice_that_there_is_not_is_named(wrong, says):
    with pytest.raises(traitlets.TraitError, match=says):
        make(**wrong)


THIN = Layer("pointwise", 8, 2, name="thin")


@pytest.mark.parametrize(
    ("layers", "values", "says"),
    [
        ([], [], "got 0 layers and the values of 0"),
        ([THIN], [[2, 1], [2, 1]], "got 1 layers and the values of 2"),
        ([THIN], [[2, 1, 0.5]], "thin has 2 singular values; got 3"),
        ([THIN], [[1, 2]], "largest first.* those of thin are not"),
        ([THIN], [[1, -1]], "none below 0"),
        ([THIN], [[0, 0]], "not all 0"),
        ([THIN], [[np.inf, 1]], "finite"),
        ([THIN], [[1, np.nan]], "finite"),
        (
            [Layer("conv", 3, 32, 3, name="stem")],
            [[1] * 3],
            "only pointwise and linear layers .*; stem is conv",
        ),
    ],
)
def test_layers_and_values_that_do_not_fit_are_named(layers, values, says):
    with pytest.raises(ValueError, match=says):
        RankExplorer(layers, values)


def test_text_and_table_of_the_rank_explorer():
    # 32 -> 16 channels: 48 weights a rank against 512
    layers = LAYERS[0], Layer("pointwise", 32, 16, in_size=3, name="flat")
    values = [10, 1, *[0] * 14], [1] * 16
    explorer = RankExplorer(layers, values, rank=10)
    assert repr(explorer) == (
        "RankExplorer(layer=0, rank=10, keep=99): block 1 project, 32 → 10 → 16, "
        "saves 6.3 %, keeps 100.00 % of the squared singular values, error 0.0 %"
    )
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    rows = bundle["text/html"].split("<tr>")[2:]
    wanted = [
        ("32 → 16", "10.7", "1", "saves 90.6 %"),
        ("32 → 16", "10.7", "16", "costs 50.0 % more"),
    ]
    for row, cells in zip(rows, wanted, strict=True):
        assert "".join(f"<td>{cell}</td>" for cell in cells) in row
    # the first alone is split: 464 of 1,024 weights
    assert "have 45.3 % fewer weights" in bundle["text/html"]


def test_what_the_page_carries_is_small():
    assert len(make()._table) < 25_000


# In a page

CONTROLS = ("keep", "layer", "rank")
# a tie in rounding, a tie in cost, and both ends
STATES = [(99, 0, 10), (95, 33, 256), (90, 33, 320), (99, 34, 1)]
STATES += random.Random(0).sample(
    [
        (keep, layer, rank)
        for keep in KEEPS
        for layer, full in enumerate(FULL)
        for rank in range(1, full + 1, 5)
    ],
    100,
)
# from many ranks to few: the slider's end follows its layer in a frame
STATES.sort(key=lambda state: -FULL[state[1]])


def expected(keep, index, rank):
    """What the page must show of a layer, and of all of them by role."""
    layer = LAYERS[index]
    weights = rank * (layer.in_channels + layer.out_channels)
    lost = expected_lost(index, rank)
    numbers = {
        "weights": weights,
        "macs": weights * layer.out_pixels,
        "one.weights": layer.weights,
        "one.macs": layer.macs,
        "ratio": pytest.approx(weights / layer.weights),
        "kept": pytest.approx(1 - lost),
        "error": pytest.approx(lost**0.5),
    }
    ratios = [
        expected_needed(i, keep) * (x.in_channels + x.out_channels) / x.weights
        for i, x in enumerate(LAYERS)
    ]
    for role in (*ROLES, "all"):
        some = [i for i, x in enumerate(ROLES) if role in (x, "all")]
        numbers[f"pays.{role}"] = sum(ratios[i] < 1 for i in some)
        for quantity in ("weights", "macs"):
            whole = [getattr(x, quantity) for x in LAYERS]
            saved = sum(max(0, 1 - ratios[i]) * whole[i] for i in some)
            share = saved / sum(whole[i] for i in some)
            numbers[f"{quantity}.{role}"] = pytest.approx(share)
    return numbers


def test_page_shows_what_python_computes(mounted):
    box, watch = mounted(make())
    visits = [(str(keep), layer, rank) for keep, layer, rank in STATES]
    pages = box.evaluate(VISIT, [CONTROLS, visits])
    explorer = make()
    for (keep, layer, rank), page in zip(STATES, pages, strict=True):
        explorer.keep, explorer.layer, explorer.rank = keep, layer, rank
        numbers = expected(keep, layer, rank)
        assert {key: page[key] for key in numbers} == numbers, (keep, layer, rank)
        # the words of the repr, as the page has them
        name, channels, verdict, kept, error = repr(explorer).split(": ")[1].split(", ")
        told = [name, channels, f"{rank} of {FULL[layer]}", f"of {len(LAYERS)}"]
        told += [verdict, *(re.search(r"[\d.]+ %", x)[0] for x in (kept, error))]
        told += [f"needs rank {explorer.needed} for {keep} %"]
        told += [f"{explorer.weights:,}", f"{explorer.macs:,}"]
        for text in told:
            assert text in page["text"], (keep, layer, rank, text)
    assert not watch.problems


# The spectrum as the picture has it, in pixels.
PICTURE = """
(box) => {
  const svg = box.querySelector(".mbx-chart"), find = (x) => svg.querySelector(x);
  const numbers = (x, name) => x.getAttribute(name).match(/-?[\\d.]+/g).map(Number);
  const [left, bottom, ...steps] = numbers(find(".mbx-kept"), "d");
  const cut = find("clipPath rect");
  return {
    left, bottom,
    tops: steps.slice(0, -1).filter((_, i) => i % 2 === 0),
    ends: steps.slice(0, -1).filter((_, i) => i % 2),
    kept: numbers(cut, "x")[0] + numbers(cut, "width")[0],
    even: numbers(find(".mbx-even"), "d")[0],
    enough: numbers(find(".mbx-enough"), "d")[0],
    outlines: ["dropped", "kept"].map((x) => find(`.mbx-${x}`).getAttribute("d")),
    told: svg.getAttribute("aria-label"),
  };
}
"""


@pytest.mark.parametrize("width", [1280, 390])
def test_the_picture_is_to_scale(mounted, width):
    box, watch = mounted(make(), width=width)
    for keep, layer, rank in ((95, 33, 320), (90, 24, 40), (90, 24, 41), (99, 34, 1)):
        explorer = make(keep=keep, layer=layer, rank=rank)
        box.evaluate(VISIT, [CONTROLS, [(str(keep), layer, rank)]])
        picture, full = box.evaluate(PICTURE), FULL[layer]
        left, unit = picture["left"], (picture["ends"][-1] - picture["left"]) / full
        at = [left + unit * i for i in range(full + 1)]
        assert picture["ends"] == pytest.approx(at[1:])
        highest = picture["bottom"] - picture["tops"][0]
        heights = [(picture["bottom"] - y) / highest for y in picture["tops"]]
        scale = VALUES[layer][0]
        assert heights == pytest.approx([x / scale for x in VALUES[layer]])
        assert picture["kept"] == pytest.approx(at[rank])
        assert picture["even"] == pytest.approx(left + unit * explorer.break_even)
        assert picture["enough"] == pytest.approx(at[explorer.needed])
        assert len(set(picture["outlines"])) == 1
        assert f"Rank {rank} keeps the first {rank}." in picture["told"]
    assert not watch.problems


def test_bars_are_ranks_over_break_even(mounted):
    box, _ = mounted(make())
    level = box.locator(".mbx-walk").evaluate(
        "(walk) => Number(walk.style.getPropertyValue('--mbx-level'))"
    )
    for keep in KEEPS:
        box.evaluate(VISIT, [("keep",), [(str(keep),)]])
        bars = box.locator(".mbx-strip").evaluate(
            """(strip) => [...strip.children].map((x) =>
              [x.lastChild.className, parseFloat(x.lastChild.style.height)])"""
        )
        assert [name for name, _ in bars] == [f"mbx-{role}" for role in ROLES]
        shares = [
            expected_needed(i, keep) * (1 / x.in_channels + 1 / x.out_channels)
            for i, x in enumerate(LAYERS)
        ]
        heights = [height / 100 / level for _, height in bars]
        assert heights == pytest.approx(shares, rel=1e-4)


def test_keyboard_taps_and_buttons_move_it(mounted):
    box, _ = mounted(make())
    layer, rank = control(box, "layer"), control(box, "rank")
    rank.press("Home")
    rank.press("ArrowRight")
    assert shown(box, "weights") == 2 * 1600
    layer.press("End")  # the classifier has six singular values
    layer.press("ArrowLeft")
    onwards = box.get_by_role("button", name="next layer")
    expect(onwards).to_be_enabled()  # at the last layer it was not
    onwards.press("Enter")
    rank.press("End")
    assert shown(box, "weights") == 6 * 1286
    assert shown(box, "error") == 0
    control(box, "keep").nth(2).press("ArrowLeft")
    needed = make(layer=34, keep=95).needed
    box.get_by_role("button", name=f"take rank {needed}").press("Enter")
    assert shown(box, "weights") == needed * 1286
    said = box.locator("[aria-live]").filter(has_text=f"35 of 35, rank {needed}: saves")
    said.wait_for(state="attached")
    assert f"relative error {100 * make(layer=34, rank=needed).error:.1f} %" in (
        said.text_content()
    )
    chart = box.locator(".mbx-chart")
    picture = box.evaluate(PICTURE)
    middle = picture["left"] + 3.5 / 6 * (picture["ends"][-1] - picture["left"])
    chart.click(position={"x": middle, "y": 100})
    assert shown(box, "weights") == 4 * 1286
    chart.click(position={"x": 2, "y": 100})
    assert shown(box, "weights") == 1286


def test_two_views_of_one_model_move_together(mounted):
    explorer = make()
    both, watch = mounted(explorer, explorer)
    one, two = both.all()
    control(one, "rank").press("End")
    control(two, "layer").press("Home")
    control(one, "keep").first.check()
    for box in (one, two):
        assert shown(box, "weights") == 16 * 48  # the rank follows its layer
        assert control(box, "rank").input_value() == "16"
    assert one.evaluate(PICTURE) == two.evaluate(PICTURE)
    assert not watch.problems


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_a_page_with_it_is_healthy(mounted, width):
    box, watch = mounted(make(layer=14, rank=40), width=width)
    assert not problems_by_theme(box.page, watch)
