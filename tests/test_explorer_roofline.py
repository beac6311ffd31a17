"""The roofline: its Python side, and alone in a page."""

import itertools
import math
import random
import re

import pytest
import traitlets
from helpers import VISIT, control, problems_by_theme, shown
from playwright.sync_api import expect

from mbtools import published
from mbtools.explorer import Roofline
from mbtools.explorer.roofline import BANDWIDTHS, BATCHES, COMPARED, PEAKS

LAYERS = {net: published.BUILDERS[net]().layers for net in COMPARED}


def test_the_ridge_parts_memory_from_compute():
    # 14 x 14 x 512 depthwise: 903,168 multiply-adds, 821,248 bytes in float32
    roofline = Roofline("v1", 13, peak=40, bandwidth=20)
    assert roofline.current.name == "block 7 depthwise"
    assert roofline.intensity == pytest.approx(903_168 / 821_248)
    assert roofline.bound == "memory"
    assert roofline.least_seconds == pytest.approx(821_248 / 20e9)
    roofline.peak = 20
    assert roofline.bound == "compute"
    assert roofline.least_seconds == pytest.approx(903_168 / 20e9)


def test_a_batch_lifts_the_classifier_over_the_ridge():
    bounds = []
    for batch in BATCHES:
        classifier = Roofline("v1", 27, batch=batch)
        moved = 4 * (batch * 2_024 + 1_024_000)
        assert classifier.intensity == pytest.approx(batch * 1_024_000 / moved)
        bounds.append(classifier.bound)
    # a quarter of a multiply-add a byte for each picture, and the ridge is at 2
    assert bounds == ["memory"] * 4 + ["compute"] * 3


def test_fewer_bytes_lift_a_layer_until_its_multiply_adds_bind_it():
    seconds = [Roofline("v1", 13, size).least_seconds for size in (4, 2, 1)]
    assert seconds[1] == pytest.approx(max(seconds[0] / 2, 903_168 / 40e9))
    assert seconds[1] == seconds[2] == 903_168 / 40e9


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"net": "shallow"}, "'net' trait .* any of"),
        ({"layer": 53}, "layer of MobileNet V2 must be from 0 to 52; got 53"),
        ({"net": "conv", "layer": 15}, "layer of Conv MobileNet .* 14; got 15"),
        ({"layer": -1}, "from 0 to 52; got -1"),
        ({"bytes_per_value": 8}, "'bytes_per_value' trait .* any of"),
        ({"batch": 3}, "'batch' trait .* any of"),
        ({"peak": 0}, r"peak must be from 0.1 to 100,000 GMAC/s; got 0.0"),
        ({"peak": math.nan}, "peak must be .* got nan"),
        ({"peak": 2e5}, "peak must be .* got 200000.0"),
        ({"peak": "fast"}, "'peak' trait .* float"),
        ({"bandwidth": -1}, r"bandwidth must be from 0.1 to 10,000 GB/s; got -1.0"),
        ({"bandwidth": math.inf}, "bandwidth must be .* got inf"),
    ],
)
def test_roofline_names_what_is_allowed(wrong, says):
    with pytest.raises(traitlets.TraitError, match=says):
        Roofline(**wrong)


def test_a_net_with_fewer_layers_takes_you_to_its_last():
    roofline = Roofline("v2", 52)
    roofline.net = "conv"
    assert roofline.current == LAYERS["conv"][14]


def test_text_and_table_of_the_roofline():
    roofline = Roofline("v1", 13)
    bundle, _ = roofline._repr_mimebundle_()
    assert bundle["text/plain"] == repr(roofline)
    assert repr(roofline) == (
        "Roofline(net='v1', layer=13, bytes_per_value=4, batch=1, peak=40, "
        "bandwidth=20): block 7 depthwise, 1.10 multiply-adds a byte, bound by "
        "memory, at least 41.1 µs"
    )
    html = bundle["text/html"]
    assert html.count("<tr>") == 1 + 28
    cells = ("903,168", "821,248", "1.10", "memory", "41.1 µs")
    assert "".join(f"<td>{cell}</td>" for cell in cells) in html
    assert "for one picture in float32, on a machine of 40 GMAC/s and 20 GB/s" in html
    # with memory out of the way the multiply-adds are all: 568,740,352 / 40 G
    endless = Roofline("v1", 0, bandwidth=10_000)._repr_mimebundle_()[0]["text/html"]
    assert "at least 14.219 ms, 0.0 % of them in layers bound by memory" in endless


def test_what_the_page_carries_is_small():
    assert len(Roofline()._table) < 15_000


# In a page

CONTROLS = ("net", "bytes_per_value", "batch", "peak", "bandwidth", "layer")
# net by net and from its first layer on: a slider's end follows its net in a frame
STATES = sorted(
    random.Random(0).sample(
        [
            (net, size, batch, peak, bandwidth, layer)
            for net, size, batch in itertools.product(COMPARED, (4, 2, 1), BATCHES)
            for peak, bandwidth in itertools.product(PEAKS[::6], BANDWIDTHS[::5])
            for layer in range(len(LAYERS[net]))
        ],
        120,
    ),
    key=lambda state: (state[0], state[-1]),
)


def moves(net, size, batch, peak, bandwidth, layer):
    """A state as the controls take it."""
    machine = PEAKS.index(peak), BANDWIDTHS.index(bandwidth)
    return net, str(size), BATCHES.index(batch), *machine, layer


def expected(net, size, batch, peak, bandwidth, layer):
    """What the page must show: its numbers, and its words."""
    parts = {
        "macs": [batch * x.macs for x in LAYERS[net]],
        "tensors": [size * batch * (x.in_values + x.out_values) for x in LAYERS[net]],
        "weights": [size * x.weights for x in LAYERS[net]],
        "moved": [x.bytes_moved(size, batch) for x in LAYERS[net]],
    }
    seconds = [
        max(macs / peak, moved / bandwidth) / 1e9
        for macs, moved in zip(parts["macs"], parts["moved"], strict=True)
    ]
    numbers = {key: counts[layer] for key, counts in parts.items()}
    numbers |= {f"net.{key}": sum(counts) for key, counts in parts.items()}
    for prefix, least in (("", seconds[layer]), ("net.", sum(seconds))):
        numbers |= {
            f"{prefix}seconds": pytest.approx(least),
            f"{prefix}each": pytest.approx(least / batch),
            f"{prefix}speed": pytest.approx(numbers[f"{prefix}macs"] / least / 1e9),
        }
    numbers["intensity"] = pytest.approx(numbers["macs"] / numbers["moved"])
    waiting = sum(
        least
        for least, moved in zip(seconds, parts["moved"], strict=True)
        if least == moved / bandwidth / 1e9
    )
    words = [
        f"{layer + 1} of {len(LAYERS[net])}",
        *(f"{numbers[key]:,}" for key in ("macs", "moved", "net.macs", "net.moved")),
        f"{100 * seconds[layer] / sum(seconds):.2f} % of the net’s",
        f"{100 * waiting / sum(seconds):.1f} % bound by memory",
    ]
    return numbers, words


def test_page_shows_what_python_computes(mounted):
    box, watch = mounted(Roofline())
    pages = box.evaluate(VISIT, [CONTROLS, [moves(*state) for state in STATES]])
    for state, page in zip(STATES, pages, strict=True):
        net, size, batch, peak, bandwidth, index = state
        roofline = Roofline(net, index, size, batch, peak, bandwidth)
        numbers, words = expected(*state)
        assert {key: page[key] for key in numbers} == numbers, state
        assert numbers["seconds"] == roofline.least_seconds
        words += [roofline.current.name, f"bound by {roofline.bound}"]
        for text in words:
            assert text in page["text"], (state, text)
    assert not watch.problems


# Marks, axes and roof as the picture has them, in pixels.
PICTURE = """
(box) => {
  const svg = box.querySelector(".mbx-chart"), find = (x) => svg.querySelector(x);
  const numbers = (x, name) => x.getAttribute(name).match(/-?[\\d.]+/g).map(Number);
  const marks = [...svg.querySelectorAll(".mbx-face")];
  return {
    labels: [...find("g").querySelectorAll("text")]
      .map((x) => [x.textContent, ...numbers(x, "x"), ...numbers(x, "y")]),
    marks: marks.map((x) => numbers(x, "transform")),
    kinds: marks.map((x) => x.classList[1]),
    ring: numbers(find(".mbx-ring"), "transform"),
    roof: numbers(find(".mbx-roof"), "d"),
    ridge: numbers(find(".mbx-ridge"), "d")[0],
    told: svg.getAttribute("aria-label"),
  };
}
"""


def scale(ticks):
    """The pixel of a value on a logarithmic axis, from two of its ticks."""
    (low, from_), (high, to) = ticks[0], ticks[-1]
    unit = (to - from_) / math.log(high / low)
    return lambda value: from_ + unit * math.log(value / low)


MACHINES = [(40, 20), (0.1, 0.1), (0.1, 10_000), (100_000, 0.1), (100_000, 1_000)]


@pytest.mark.parametrize("width", [1280, 390])
def test_marks_lie_on_the_roof(mounted, width):
    box, watch = mounted(Roofline(), width=width)
    for (net, size, batch), (peak, bandwidth) in itertools.product(
        [("v2", 4, 1), ("v1", 2, 8), ("conv", 1, 64)], MACHINES
    ):
        state = net, size, batch, peak, bandwidth, 3
        box.evaluate(VISIT, [CONTROLS, [moves(*state)]])
        picture = box.evaluate(PICTURE)
        ticks = [
            (float(text.replace(",", "")), x, y)
            for text, x, y in picture["labels"]
            if re.fullmatch(r"[\d.,]+", text)
        ]
        baseline = max(y for _, _, y in ticks)
        to_x = scale([(value, x) for value, x, y in ticks if y == baseline])
        # a text stands four pixels below its line
        to_y = scale([(value, y - 4) for value, x, y in ticks if y < baseline])
        marks = []
        for layer in LAYERS[net]:
            intensity = batch * layer.macs / layer.bytes_moved(size, batch)
            speed = min(peak, bandwidth * intensity)
            marks.append(pytest.approx([to_x(intensity), to_y(speed)], abs=0.1))
        assert picture["marks"] == marks, state
        assert picture["kinds"] == [f"mbx-{x.kind}" for x in LAYERS[net]]
        assert picture["ring"] == picture["marks"][3]
        left, bottom, *_, right, _, _ = picture["roof"]
        assert all(left < x < right and y <= bottom for x, y in picture["marks"])
        if left < to_x(peak / bandwidth) < right:
            assert picture["ridge"] == pytest.approx(to_x(peak / bandwidth), abs=0.1)
        bound = Roofline(net, 3, size, batch, peak, bandwidth).bound
        assert f"is bound by {bound}" in picture["told"]
    assert not watch.problems


def test_a_tap_on_a_mark_goes_to_its_layer(mounted):
    box, _ = mounted(Roofline())
    mark = box.locator(".mbx-chart .mbx-linear")
    mark.scroll_into_view_if_needed()
    mark.click()
    assert shown(box, "macs") == LAYERS["v2"][52].macs
    box.locator(".mbx-chart").click(position={"x": 300, "y": 40})  # far from all
    assert shown(box, "macs") == LAYERS["v2"][52].macs


def test_keyboard_moves_every_control(mounted):
    box, _ = mounted(Roofline(peak=41.7, bandwidth=13.3))
    layer, peak, batch = (control(box, x) for x in ("layer", "peak", "batch"))
    layer.press("End")
    assert shown(box, "macs") == LAYERS["v2"][52].macs
    layer.press("ArrowLeft")
    layer.press("ArrowLeft")
    onwards = box.get_by_role("button", name="next layer")
    expect(onwards).to_be_enabled()  # at the last layer it was not
    onwards.press("Enter")
    assert shown(box, "macs") == LAYERS["v2"][51].macs
    batch.press("ArrowRight")
    control(box, "bytes_per_value").first.focus()
    for _ in range(2):
        box.page.keyboard.press("ArrowRight")
    control(box, "net").nth(2).press("ArrowLeft")
    roofline = Roofline("conv", 14, 1, 2, 41.7, 13.3)
    assert shown(box, "moved") == roofline.current.bytes_moved(1, 2)
    assert shown(box, "seconds") == pytest.approx(roofline.least_seconds)
    said = box.locator("[aria-live]").filter(has_text="Layer 15 of 15, classifier: ")
    said.wait_for(state="attached")
    assert f"bound by {roofline.bound}" in said.text_content()
    # what was measured is a step among the others
    expect(peak).to_have_attribute("aria-valuetext", "41.7 GMAC/s")
    peak.press("ArrowRight")
    expect(peak).to_have_attribute("aria-valuetext", "50 GMAC/s")
    peak.press("ArrowLeft")
    peak.press("ArrowLeft")
    expect(peak).to_have_attribute("aria-valuetext", "40 GMAC/s")
    control(box, "bandwidth").press("Home")
    roofline.peak, roofline.bandwidth = 40, 0.1
    assert shown(box, "seconds") == pytest.approx(roofline.least_seconds)


def test_two_views_of_one_model_move_together(mounted):
    roofline = Roofline("v1", 27)
    both, watch = mounted(roofline, roofline)
    one, two = both.all()
    control(one, "net").nth(1).check()
    control(two, "batch").press("End")
    control(one, "peak").press("Home")
    wanted = Roofline("conv", 14, batch=64, peak=0.1)
    for box in (one, two):
        assert shown(box, "seconds") == pytest.approx(wanted.least_seconds)
        assert control(box, "layer").input_value() == "14"
    assert one.evaluate(PICTURE) == two.evaluate(PICTURE)
    assert not watch.problems


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_a_page_with_the_roofline_is_healthy(mounted, width):
    states = Roofline("conv", 13, batch=64, peak=0.1), Roofline(peak=1e5)
    box, watch = mounted(*states, width=width)
    assert not problems_by_theme(box.page, watch)
