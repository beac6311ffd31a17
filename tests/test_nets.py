"""Whole nets, against the papers' tables, torchvision and torch's counter."""

import itertools
from operator import le

import numpy as np
import pytest
import torch
import torchvision
from helpers import torch_macs
from torch import nn

from mbtools import nets
from mbtools.cost import KINDS
from mbtools.published import ROWS, TF_SLIM, V1_PAPER

# V1, Table 1, typed from the paper: type and stride, filter shape, input size.
TABLE_1 = """
Conv 2  3 3 3 32      224
dw 1    3 3 32        112
Conv 1  1 1 32 64     112
dw 2    3 3 64        112
Conv 1  1 1 64 128    56
dw 1    3 3 128       56
Conv 1  1 1 128 128   56
dw 2    3 3 128       56
Conv 1  1 1 128 256   28
dw 1    3 3 256       28
Conv 1  1 1 256 256   28
dw 2    3 3 256       28
Conv 1  1 1 256 512   14
dw 1    3 3 512       14
Conv 1  1 1 512 512   14
dw 1    3 3 512       14
Conv 1  1 1 512 512   14
dw 1    3 3 512       14
Conv 1  1 1 512 512   14
dw 1    3 3 512       14
Conv 1  1 1 512 512   14
dw 1    3 3 512       14
Conv 1  1 1 512 512   14
dw 2    3 3 512       14
Conv 1  1 1 512 1024  7
dw 1    3 3 1024      7
Conv 1  1 1 1024 1024 7
"""


def v1_module(alpha=1.0, classes=1000, separable=True, skip=()):
    """V1 in torch, from Table 1 above and not from ``nets``."""
    scaled, layers = lambda c: c if c == 3 else int(c * alpha), []
    rows = [line.split() for line in TABLE_1.split("\n") if line]
    for number, row in enumerate(rows):
        if number in skip:
            continue
        stride, kernel, channels = int(row[1]), int(row[2]), int(row[4])
        if row[0] == "dw":
            if not separable:  # the standard 3x3 takes over stride and kernel
                pending = (kernel, stride)
                continue
            groups = out = scaled(channels)
        else:
            groups, out = 1, scaled(int(row[5]))
            if not separable and number:
                kernel, stride = pending
        layers += [
            nn.Conv2d(
                scaled(channels),
                out,
                kernel,
                stride,
                kernel // 2,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        ]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(out, classes)
    )


def agrees(net, module):
    macs, out = torch_macs(module.eval(), 1, 3, net.resolution, net.resolution)
    assert net.macs == macs
    assert net.params == sum(p.numel() for p in module.parameters())
    assert out == (1, net.classes)


@pytest.mark.parametrize("alpha", (0.25, 0.35, 0.5, 0.75, 1.0))
@pytest.mark.parametrize("resolution", (96, 128, 160, 224, 225))
def test_v1_agrees_with_torch(alpha, resolution):
    agrees(nets.mobilenet_v1(alpha, resolution, 10), v1_module(alpha, 10))


def test_v1_at_full_size():
    net = nets.mobilenet_v1()
    assert net.macs == 568_740_352
    assert net.params == 4_231_976
    assert len(net.layers) == 28
    agrees(net, v1_module())


def test_the_twins_agree_with_torch():
    agrees(nets.conv_mobilenet(0.5, 128), v1_module(0.5, separable=False))
    five_blocks = range(13, 23)
    agrees(nets.shallow_mobilenet(), v1_module(skip=five_blocks))


@pytest.mark.parametrize("alpha", (0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4))
@pytest.mark.parametrize("resolution", (96, 160, 224))
def test_v2_agrees_with_torchvision(alpha, resolution):
    module = torchvision.models.mobilenet_v2(width_mult=alpha, num_classes=10)
    agrees(nets.mobilenet_v2(alpha, resolution, 10), module)


def test_v2_at_full_size():
    net = nets.mobilenet_v2()
    assert net.macs == 300_774_272
    assert net.params == 3_504_872
    assert sum(repeats for _, _, repeats, _ in nets.V2_BLOCKS) == 17


def test_v1_table_2():
    net = nets.mobilenet_v1()
    percent = {
        quantity: {k: round(100 * v, 2) for k, v in net.shares(quantity).items()}
        for quantity in ("macs", "weights")
    }
    # the paper prints 1.19 for the first: its column then adds up to 99.29
    assert percent["macs"] == dict(
        conv=1.91, depthwise=3.06, pointwise=94.86, linear=0.18
    )
    assert percent["weights"] == dict(
        conv=0.02, depthwise=1.06, pointwise=74.59, linear=24.33
    )


def test_shares_add_up():
    for quantity in ("macs", "params", "weights"):
        shares = nets.mobilenet_v2(0.5, 160).shares(quantity)
        assert tuple(shares) == KINDS
        assert sum(shares.values()) == pytest.approx(1)
    with pytest.raises(ValueError, match="macs, params or weights; got 'flops'"):
        nets.mobilenet_v1().shares("flops")


# Printed rows over 1 % away from ours, by (net, alpha, resolution), and why.
SLIM_V1_OFF = {("v1", 0.75, r) for r in (224, 192, 160, 128)}  # without the stem
SLIM_V1_OFF |= {("v1", 0.25, 192)}  # 34 printed, 30.2 counted; 41 at 224 is right
V1_ROUNDING = {("v1", 0.25, 128)}  # 13.57 rounds to the 14 printed


@pytest.mark.parametrize("row", V1_PAPER, ids=str)
def test_v1_paper_macs_within_one_percent(row):
    assert row.build().macs / 1e6 == pytest.approx(row.macs, rel=0.01)


def test_slim_macs():
    """Every row within 1 %, or within its own rounding, or listed above."""
    for row in TF_SLIM:
        if row.net not in ("v1", "v2"):
            continue
        setting, macs = (row.net, row.alpha, row.resolution), row.build().macs / 1e6
        close = macs == pytest.approx(row.macs, rel=0.01)
        if row.net == "v2":  # printed truncated
            assert close or int(macs) == row.macs, row
        elif setting in V1_ROUNDING:
            assert round(macs) == row.macs, row
        else:
            assert close == (setting not in SLIM_V1_OFF), row
        if setting in SLIM_V1_OFF and row.alpha == 0.75:
            without = macs - row.build().layers[0].macs / 1e6
            assert int(without) == row.macs, row


def test_wider_nets_and_larger_pictures_are_better_and_slower():
    rows = [row for row in ROWS if row.top1]
    kin = itertools.groupby(sorted(rows, key=family), key=family)
    for _, members in kin:
        for small, large in itertools.permutations(members, 2):
            settings = [(x.alpha, x.resolution) for x in (small, large)]
            if settings[0] == settings[1] or not all(map(le, *settings)):
                continue
            for name in ("top1", "top5", "pixel1_ms"):
                low, high = getattr(small, name), getattr(large, name)
                assert None in (low, high) or low < high, (small, large, name)
    assert all(row.top5 > row.top1 for row in rows if row.top5)


def test_two_sources_say_nearly_the_same_of_a_net():
    told = {}
    for row in ROWS:
        if row.top1 and row.precision == "float":
            key = row.net, row.alpha, row.resolution
            told.setdefault(key, []).append(row.top1)
    doubled = [values for values in told.values() if len(values) > 1]
    assert len(doubled) >= 9
    assert all(max(values) - min(values) < 1.5 for values in doubled), doubled


def family(row):
    return row.source.split()[0], row.net, row.precision


def test_printed_params():
    """Weights as the papers count, to the last printed digit or 1 %."""
    for row in ROWS:
        if row.net not in ("v1", "v2", "conv", "shallow") or row.source == "V2 Table 4":
            continue
        net = row.build()
        digits = 1 if row.source != "TF-slim" and row.params != 1.32 else 2
        printed = {round(count / 1e6, digits) for count in (net.weights, net.params)}
        near = net.params / 1e6 == pytest.approx(row.params, rel=0.01)
        assert row.params in printed or near, (row, net)


def test_v2_table_4_params():
    one, wide = nets.mobilenet_v2(), nets.mobilenet_v2(1.4)
    assert int(one.weights / 1e5) / 10 == 3.4  # cut, not rounded
    # the paper's 6.9 M at 1.4 cannot be had: TF's own page says 6.06
    assert round(wide.weights / 1e6, 2) == 6.06
    assert wide.macs / 1e6 == pytest.approx(585, rel=0.01)


def test_peak_memory_is_the_worst_layer():
    # V1: the 32 -> 64 pointwise at 112x112; float16 as in V2, section 5.1
    assert nets.mobilenet_v1().peak_memory(2) == (32 + 64) * 112**2 * 2
    # V2: the first depthwise of stride 2, 96 channels in at 112, out at 56
    assert nets.mobilenet_v2().peak_memory(2) == 96 * (112**2 + 56**2) * 2
    assert nets.mobilenet_v2().peak_memory() == 2 * nets.mobilenet_v2().peak_memory(2)


def test_blocks_are_the_papers():
    assert [len(block) for block in nets.mobilenet_v1().blocks] == [1, *[2] * 13, 1]
    lengths = [1, 2, *[3] * 16, 1, 1]  # the first of V2's blocks expands nothing
    assert [len(block) for block in nets.mobilenet_v2().blocks] == lengths
    assert len(nets.conv_mobilenet().blocks) == 15
    for net in (nets.mobilenet_v1(), nets.mobilenet_v2()):
        assert sum(net.blocks, ()) == net.layers


def test_block_memory_by_hand():
    block = nets.mobilenet_v2().blocks[2]  # 16 -> 96 -> 24 channels, 112 -> 56
    ends = 16 * 112**2 + 24 * 56**2
    assert nets.block_memory(block, 1, 2) == 2 * 96 * (112**2 + 56**2)
    assert nets.block_memory(block, 3, 2) == 2 * (ends + 32 * (112**2 + 56**2))
    assert nets.block_memory(block, 7, 1) == ends + 14 * (112**2 + 56**2)  # 96/7
    for parts in (96, 97, 10_000):
        assert nets.block_memory(block, parts, 1) == ends + 112**2 + 56**2
    stem = nets.mobilenet_v2().blocks[0]  # nothing inside to slice
    for parts in (1, 5):
        assert nets.block_memory(stem, parts) == 4 * (3 * 224**2 + 32 * 112**2)
    for wrong in (0, -1, 1.5, "2"):
        with pytest.raises(ValueError, match="parts must be an integer >= 1; got"):
            nets.block_memory(block, wrong)


def test_streaming_helps_v2_and_not_v1():
    v1, v2 = nets.mobilenet_v1(), nets.mobilenet_v2()
    assert v2.peak_memory(2) > v1.peak_memory(2)
    # the ends of the first block, 32 and 16 channels, and one channel inside
    assert v2.peak_memory(2, parts=1280) == 2 * (32 + 16 + 1) * 112**2
    assert v1.peak_memory(2, parts=1024) > v1.peak_memory(2)


def test_a_shortcut_is_held_over_its_block():
    by_name = {layer.name: layer for layer in nets.mobilenet_v2().layers}
    # block 3 is 24 -> 24 at 56x56 with a shortcut, block 2 has stride 2
    assert by_name["block 3 depthwise"].held == 24 * 56**2
    assert by_name["block 3 project"].held == 24 * 56**2
    assert by_name["block 3 expand"].held == 0  # its input is the held tensor
    assert by_name["block 2 depthwise"].held == 0
    shortcuts = [x for x in by_name.values() if x.held and "project" in x.name]
    assert len(shortcuts) == 10


def test_layers_fit_each_other():
    for net in (nets.mobilenet_v1(0.35, 130), nets.mobilenet_v2(0.35, 130)):
        for before, after in zip(net.layers[:-2], net.layers[1:-1], strict=True):
            assert before.out_channels == after.in_channels
            assert before.out_size == after.in_size


def test_partial_discharge_nets_at_full_size():
    heavy, light = nets.pd_model(), nets.pd_light_model()
    assert (heavy.params, heavy.macs) == (734_246, 99_740_864)
    assert (light.params, light.macs) == (202_950, 20_548_448)
    assert [x.in_size for x in heavy.layers[:4]] == [
        (60, 120),
        (30, 60),
        (15, 30),
        (7, 15),
    ]
    assert heavy.layers[4].in_channels == 5376  # 256 channels of 3x7
    # by stride, halves are rounded up: 4x8, where max-pooling leaves 3x7
    assert light.layers[-2].out_size == (4, 8)
    assert len(light.blocks) == 1 + 9 + 1 + 1


@pytest.mark.parametrize("build", (nets.pd_model, nets.pd_light_model))
def test_partial_discharge_nets_that_cannot_exist(build):
    with pytest.raises(ValueError, match=r"integer >= 16 \(pixels\).*got 15"):
        build(resolution=(15, 120))
    with pytest.raises(ValueError, match=r"integer >= 16 \(pixels\).*got 120.5"):
        build(resolution=(60, 120.5))
    for wrong in (60, (60,), "60"):
        with pytest.raises(ValueError, match=r"must be \(rows, columns\); got .*60"):
            build(resolution=wrong)
    with pytest.raises(ValueError, match="classes must be an integer >= 1; got 0"):
        build(classes=0)
    with pytest.raises(ValueError, match="finite number above 0; got 0"):
        build(alpha=0)
    assert build(1 / 32, (16, 16), 1).macs > 0


def test_a_wide_picture_is_streamed_too():
    light = nets.pd_light_model()
    block = light.blocks[2]  # 16 channels to 96 to 24, stride 2
    assert nets.block_memory(block, 96, 4) == 4 * (
        16 * 30 * 60 + (30 * 60 + 15 * 30) + 24 * 15 * 30
    )
    shortcut = light.blocks[3][1]
    assert shortcut.held == 24 * 15 * 30


def test_make_divisible_is_torchvisions():
    from torchvision.models._utils import _make_divisible

    for value in np.arange(0.5, 1300, 0.7):
        assert nets.make_divisible(value) == _make_divisible(value, 8)
    with pytest.raises(ValueError, match="above 0; got 0"):
        nets.make_divisible(0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(alpha=0.03), r"at least 1/32 = 0.03125.*got 0.03"),
        (dict(alpha=0), "finite number above 0; got 0"),
        (dict(alpha=-1), "finite number above 0; got -1"),
        (dict(alpha=float("nan")), "finite number above 0; got nan"),
        (dict(alpha=float("inf")), "finite number above 0; got inf"),
        (dict(alpha="1.0"), "alpha must be a number; got '1.0'"),
        (dict(resolution=31), r"integer >= 32 \(pixels\).*got 31"),
        (dict(resolution=224.0), r"integer >= 32 \(pixels\).*got 224.0"),
        (dict(classes=0), "classes must be an integer >= 1; got 0"),
    ],
)
def test_nets_that_cannot_exist(arguments, message):
    builders = [nets.mobilenet_v1, nets.conv_mobilenet, nets.shallow_mobilenet]
    if arguments.get("alpha") != 0.03:  # V2 keeps at least 8 channels
        builders.append(nets.mobilenet_v2)
    for build in builders:
        with pytest.raises(ValueError, match=message):
            build(**arguments)


def test_the_smallest_nets_exist():
    agrees(nets.mobilenet_v1(1 / 32, 32, 2), v1_module(1 / 32, 2))
    module = torchvision.models.mobilenet_v2(width_mult=0.01, num_classes=2)
    agrees(nets.mobilenet_v2(0.01, 32, 2), module)


def test_repr_names_the_cost():
    assert repr(nets.mobilenet_v1()) == (
        "MobileNetV1(alpha=1, resolution=224): 28 layers, "
        "568,740,352 multiply-adds, 4,231,976 parameters"
    )


def test_numpy_integers_are_integers():
    assert nets.mobilenet_v1(resolution=np.int64(224)) == nets.mobilenet_v1()


def test_no_torch_is_needed():
    import subprocess
    import sys

    code = (
        "import sys, mbtools.cost, mbtools.nets, mbtools.published\n"
        "assert not {'torch', 'numpy'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_torch_macs_counts():
    # the oracle itself, on a layer one can count by hand
    assert torch_macs(nn.Conv2d(2, 3, 1), 1, 2, 4, 4) == (
        2 * 3 * 16,
        torch.Size((1, 3, 4, 4)),
    )
