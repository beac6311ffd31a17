"""The block designer of chapter 5: its Python side, and the built page."""

import itertools
import re

import pytest
import torch
import traitlets
from helpers import VISIT, box_of, control, shown
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.resnet import Bottleneck

from mbtools import nets
from mbtools.explorer import BlockDesigner
from mbtools.explorer.block_designer import EXPANSIONS, SIDES, WIDTHS


@pytest.mark.parametrize(
    ("make", "says"),
    [
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
    # by channel: its input, its output and one channel of each inner tensor
    assert f"<td>{(8 + 1 + 1 + 16) * 100 * 2:,}</td></tr>" in html
    assert f"<td>{(8 + 1 + 16) * 100 * 2:,}</td></tr>" in html  # the pair
    assert '<th scope="row">ResNet block</th>' in html


@pytest.fixture
def block_box(open_page):
    page = open_page("notebooks/05_inverted_residuals.html")
    return box_of(page, "block-designer")


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
