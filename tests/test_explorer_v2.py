"""The widgets of chapters 4 and 5: their Python side, and the built pages."""

import itertools
import re

import numpy as np
import pytest
import torch
import traitlets
from helpers import VISIT, control, shown
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.resnet import Bottleneck

from mbtools import manifold, nets
from mbtools.explorer import BlockDesigner, CollapseExplorer
from mbtools.explorer.block_designer import EXPANSIONS, SIDES, WIDTHS
from mbtools.explorer.collapse_explorer import CHANNELS, MEDIAN_SEEDS, POINTS, SEEDS

CURVE = manifold.spiral(POINTS)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: CollapseExplorer(1), "'channels' trait .* not be less than 2"),
        (lambda: CollapseExplorer(31), "'channels' trait .* not be greater than 30"),
        (lambda: CollapseExplorer(3, 12), "'seed' trait .* not be greater than 11"),
        (lambda: CollapseExplorer(2.5), "'channels' trait .* int"),
        (lambda: BlockDesigner(in_channels=3), "'in_channels' trait .* any of"),
        (lambda: BlockDesigner(out_channels=400), "'out_channels' trait .* any of"),
        (lambda: BlockDesigner(expansion=0), "'expansion' trait .* any of"),
        (lambda: BlockDesigner(stride=3), "'stride' trait .* any of"),
        (lambda: BlockDesigner(size=224), "'size' trait .* any of"),
    ],
)
def test_a_widget_names_the_bound(make, says):
    with pytest.raises(traitlets.TraitError, match=says):
        make()


# Chapter 4


def errors_of(layers):
    codes = manifold.encode(CURVE, layers)
    return {
        "pseudo-inverse": manifold.pinv_error(CURVE, layers, codes),
        "best affine": manifold.affine_error(CURVE, codes),
        "nearest neighbour": manifold.neighbour_error(CURVE, codes),
    }


def test_text_and_table_of_the_collapse_explorer():
    explorer = CollapseExplorer(2, 5)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    live = (CURVE @ np.random.default_rng(5).normal(size=(2, 2)).T > 0).sum(1)
    collapsed = (live < 2).sum()
    assert repr(explorer).startswith(
        f"CollapseExplorer(channels=2, seed=5): {collapsed} of 300 points with fewer "
        "than two live units; errors "
    )
    told = [f"{collapsed} of 300", "(n + 1)/2ⁿ = 75 %"]
    for name, errors in errors_of(manifold.random_layers(2, [5])).items():
        assert f"{errors[0]:.2f} {name}" in repr(explorer)
        told += [name, f"{errors[0]:.2f}"]
    for text in told:
        assert text in bundle["text/html"]


def test_what_the_page_carries_is_small():
    assert len(CollapseExplorer()._table) < 40_000


@pytest.fixture
def collapse_box(open_page):
    page = open_page("notebooks/04_relu_collapse.html")
    return page.locator('[data-widget="collapse-explorer"]').first


def test_collapse_explorer_shows_what_manifold_computes(collapse_box):
    frames = list(itertools.product(CHANNELS, SEEDS))
    visits = [(n - CHANNELS[0], seed) for n, seed in frames]
    pages = iter(collapse_box.evaluate(VISIT, [("channels", "seed"), visits]))
    for n in CHANNELS:
        layers = manifold.random_layers(n, SEEDS)
        collapsed = manifold.collapsed(CURVE, layers) * POINTS
        read = manifold.read_back(layers, manifold.encode(CURVE, layers))
        outside = (np.abs(read).max(2) > 1.1).sum(1)
        errors = errors_of(layers)
        medians = {
            f"median.{name}": pytest.approx(np.median(found), rel=1e-4)
            for name, found in errors_of(
                manifold.random_layers(n, MEDIAN_SEEDS)
            ).items()
        }
        for seed in SEEDS:
            page = next(pages)
            expected = medians | {
                "collapsed": round(collapsed[seed]),
                "outside": outside[seed],
                "chance": (n + 1) / 2**n,
            }
            for name, found in errors.items():
                expected[f"error.{name}"] = pytest.approx(found[seed], rel=1e-4)
            assert {key: page[key] for key in expected} == expected, (n, seed)
            told = [f"({n} + 1)/2", f"{round(collapsed[seed])} of 300 points"]
            told += [f"{found[seed]:.3f}" for found in errors.values()]
            if outside[seed]:
                told.append(f"{outside[seed]} of 300 points are read back outside")
            for text in told:
                assert text in page["text"], (n, seed, text)


# The points that the two pictures draw, as numbers of the plane.
DRAWN = """
(box) => [...box.querySelectorAll(".mbx-plane")].map((picture) => {
  const points = (path, shift) =>
    [...path.getAttribute("d").matchAll(/M(\\S+) (-?[\\d.]+)/g)]
      .map(([, x, y]) => [(+x + shift) / 100, -y / 100]);
  return {
    live: [...picture.querySelectorAll("path[style]")].flatMap((x) => points(x, 0)),
    hollow: points(picture.querySelector(".mbx-hollow"), 2),
  };
})
"""


def test_pictures_draw_the_points_of_manifold(collapse_box):
    for n in CHANNELS:
        seed = n % len(SEEDS)
        layers = manifold.random_layers(n, [seed])
        codes = manifold.encode(CURVE, layers)
        collapse_box.evaluate(VISIT, [("channels", "seed"), [(n - 2, seed)]])
        pictures = collapse_box.evaluate(DRAWN)
        lost = (codes[0] > 0).sum(1) < 2
        for picture, points in zip(
            pictures, (CURVE, manifold.read_back(layers, codes)[0]), strict=True
        ):
            inside = np.abs(points).max(1) <= 1.1
            for key, which in (("live", inside & ~lost), ("hollow", inside & lost)):
                drawn = np.array(picture[key]).reshape(-1, 2)
                assert drawn == pytest.approx(points[which], abs=1e-4), (n, key)


def test_keyboard_moves_the_collapse_sliders(collapse_box):
    channels, seed = control(collapse_box, "channels"), control(collapse_box, "seed")
    channels.press("End")
    seed.press("ArrowRight")
    layers = manifold.random_layers(30, [1])
    error = errors_of(layers)["pseudo-inverse"][0]
    assert shown(collapse_box, "error.pseudo-inverse") == pytest.approx(error, rel=1e-4)
    assert channels.get_attribute("aria-valuetext") == "30 channels"
    assert seed.get_attribute("aria-valuetext") == "seed 1"
    said = collapse_box.locator("[aria-live]")
    said.filter(has_text="30 channels, seed 1: 0.0 % of the points").wait_for(
        state="attached"
    )


# Chapter 5


def macs(layers):
    return sum(layer.macs for layer in layers)


def weights(layers):
    return sum(layer.weights for layer in layers)


def test_the_reviews_example():
    designer = BlockDesigner(8, 16, size=10)
    counted = {name: macs(layers) for name, layers in designer.rivals.items()}
    assert macs(designer.block) == 158_400
    assert (counted["standard"], counted["separable"]) == (115_200, 20_000)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("k", "out"), [(64, 64), (24, 160), (320, 96)])
def test_the_bottleneck_is_torchvisions(k, out, stride):
    designer = BlockDesigner(k, out, stride=stride, size=14)
    theirs = Bottleneck(k, out // 4, stride)
    path = torch.nn.Sequential(theirs.conv1, theirs.conv2, theirs.conv3)
    with FlopCounterMode(display=False) as counter:
        path(torch.zeros(1, k, 14, 14))
    layers = designer.rivals["bottleneck"]
    assert macs(layers) == counter.get_total_flops() / 2
    assert weights(layers) == sum(x.numel() for x in path.parameters())


def test_a_shortcut_holds_the_input_after_the_first_layer():
    designer = BlockDesigner(64, 64, size=7)
    image = 64 * 7 * 7
    for layers in (designer.block, designer.rivals["bottleneck"]):
        assert [layer.held for layer in layers] == [0, image, image]
    designer.expansion = 1
    assert nets.block_memory(designer.block, 1, 2) == 3 * image * 2
    designer.stride = 2
    layers = [*designer.block, *designer.rivals["bottleneck"]]
    assert not any(layer.held for layer in layers)


def test_text_and_table_of_the_block_designer():
    designer = BlockDesigner(8, 16, size=10)
    assert repr(designer) == (
        "BlockDesigner(in_channels=8, out_channels=16, expansion=6, stride=1, "
        "size=10): multiply-adds inverted 158,400, standard 115,200, "
        "separable 20,000, bottleneck 24,000"
    )
    html = designer._repr_mimebundle_()[0]["text/html"]
    for told in ("block expand", "38,400", "158,400", "115,200", "Shortcut: no"):
        assert told in html
    # 8, 48, 48 and 16 channels, each 10 x 10 in float16, two at a time
    for told in ("11,200", "19,200", "12,800"):
        assert f"<td>{told}</td>" in html


@pytest.fixture
def block_box(open_page):
    page = open_page("notebooks/05_inverted_residuals.html")
    return page.locator('[data-widget="block-designer"]').first


KNOBS = ("in_channels", "out_channels", "expansion", "stride", "size")
# each 23rd block has all values of each control; and all blocks with a shortcut
BLOCKS = [
    *[*itertools.product(WIDTHS, WIDTHS, EXPANSIONS, (1, 2), SIDES)][::23],
    *((k, k, t, 1, 10) for k in WIDTHS for t in EXPANSIONS),
]


def visit(k, out, t, stride, size):
    places = WIDTHS.index(k), WIDTHS.index(out), EXPANSIONS.index(t)
    return *places, str(stride), SIDES.index(size)


def shape(channels, size):
    return f"{channels}\u00a0×\u00a0{size}\u00a0×\u00a0{size}"


def test_block_designer_shows_what_nets_computes(block_box):
    pages = block_box.evaluate(VISIT, [KNOBS, [visit(*block) for block in BLOCKS]])
    for (k, out, t, stride, size), page in zip(BLOCKS, pages, strict=True):
        designer = BlockDesigner(k, out, t, stride, size)
        block, rivals = designer.block, designer.rivals
        expected = {f"{x}.inverted.expand": 0 for x in ("macs", "weights", "memory")}
        told = [shape(k, size), shape(out, block[-1].out_size), shape(t * k, size)]
        for layer in block:
            stage = f"inverted.{layer.name.split()[-1]}"
            expected |= {f"macs.{stage}": layer.macs, f"weights.{stage}": layer.weights}
        for name, layers in ({"inverted": block} | rivals).items():
            expected |= {
                f"macs.{name}": macs(layers),
                f"weights.{name}": weights(layers),
                f"memory.{name}": nets.block_memory(layers, 1, 2),
            }
            if len(layers) > 1:
                expected |= {
                    f"memory.{name}.{layer.name.split()[-1]}": layer.activation_bytes(2)
                    for layer in layers
                }
            told.append(f"{macs(layers):,}")
            if name != "bottleneck":
                inner = layers[-1].in_channels
                expected[f"sliced.{name}"] = nets.block_memory(layers, inner, 2)
        for name, layers in rivals.items():
            expected[f"ratio.{name}"] = pytest.approx(macs(block) / macs(layers))
        setting = k, out, t, stride, size
        assert {key: page[key] for key in expected} == expected, setting
        if stride == 1 and k == out:
            told.append("Shortcut: the input is added")
        if stride == 2:
            told.append("stride 2: the sizes differ")
        if k != out:
            told.append(f"{k} channels in, {out} out")
        for text in told:
            assert text in page["text"], (setting, text)


def test_the_drawing_is_as_wide_as_the_channels(block_box):
    block_box.evaluate(VISIT, [KNOBS, [visit(16, 96, 4, 2, 28)]])
    forms = block_box.locator(".mbx-chain").first.locator("li:visible .mbx-form")
    widths = []
    for form in forms.all():
        polygon = form.evaluate("(form) => form.style.clipPath")
        left, right = re.findall(r"([\d.]+)% 0", polygon)[:2]
        widths.append(float(right) - float(left))
    # input, expand's upper side, wide, depthwise, wide, project's upper side, output
    channels = 16, 16, 64, 64, 64, 64, 96
    assert widths == pytest.approx([100 * x / 96 for x in channels], abs=0.01)


def test_each_control_moves_the_block_designer(block_box):
    control(block_box, "in_channels").press("Home")
    control(block_box, "out_channels").press("End")
    control(block_box, "expansion").press("ArrowLeft")
    control(block_box, "size").press("Home")
    for _ in range(3):
        control(block_box, "size").press("ArrowRight")
    control(block_box, "stride").nth(1).check()
    block = nets.inverted_residual(8, 320, 2, 5, 28)
    assert shown(block_box, "macs.inverted") == macs(block)
    assert control(block_box, "size").get_attribute("aria-valuetext") == "28 × 28"
    said = block_box.locator("[aria-live]")
    said.filter(has_text=f"inverted residual {macs(block):,}").wait_for(
        state="attached"
    )
