"""One layer's cost, against the papers and against torch's own counter."""

import itertools
from dataclasses import replace

import pytest
from helpers import torch_macs
from torch import nn

from mbtools import cost
from mbtools.cost import Layer


def as_module(layer):
    """The torch module of a layer, padded as the docstring says."""
    if layer.kind == "linear":
        return nn.Linear(layer.in_channels, layer.out_channels, bias=layer.bias)
    conv = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel,
        layer.stride,
        padding=(layer.kernel - 1) // 2,
        groups=layer.in_channels if layer.kind == "depthwise" else 1,
        bias=layer.bias,
    )
    norm = [nn.BatchNorm2d(layer.out_channels)] if layer.norm else []
    return nn.Sequential(conv, *norm)


CONVOLUTIONS = [
    Layer(kind, 8, 8 if kind == "depthwise" else 12, kernel, stride, size, norm, bias)
    for kind, kernel, stride, size, norm, bias in itertools.product(
        ("conv", "depthwise", "pointwise"),
        (1, 3, 5),
        (1, 2, 3),
        (7, 8, 13),
        (True, False),
        (True, False),
    )
    if not (kind == "pointwise" and kernel > 1)
]


def test_layers_agree_with_torch():
    for layer in CONVOLUTIONS:
        module = as_module(layer)
        shape = (1, layer.in_channels, layer.in_size, layer.in_size)
        macs, out = torch_macs(module, *shape)
        assert layer.macs == macs, layer
        assert layer.out_size == out[-1], layer
        assert layer.out_values == out.numel(), layer
        assert layer.params == sum(p.numel() for p in module.parameters()), layer


@pytest.mark.parametrize("size", [(7, 12), (8, 5), (1, 6)])
def test_pictures_need_not_be_square(size):
    for layer in CONVOLUTIONS:
        layer = replace(layer, in_size=size)
        macs, out = torch_macs(as_module(layer), 1, layer.in_channels, *size)
        assert (layer.macs, layer.out_size) == (macs, tuple(out[2:])), layer
        assert layer.in_values == layer.in_channels * size[0] * size[1]
        assert layer.out_values == out.numel()


@pytest.mark.parametrize("bias", (True, False))
def test_linear_agrees_with_torch(bias):
    layer = Layer("linear", 1024, 1000, norm=False, bias=bias)
    module = as_module(layer)
    assert layer.macs == torch_macs(module, 1, 1024)[0]
    assert layer.params == sum(p.numel() for p in module.parameters())


def test_the_worked_example_of_the_reviews():
    # D_K = 3, M = 64, N = 128, D_F = 128
    assert cost.standard_macs(3, 64, 128, 128) == 1_207_959_552
    assert cost.separable_macs(3, 64, 128, 128) == 143_654_912


def test_v1_table_3():
    # one 14x14 layer, 512 to 512 channels; alpha 0.75 and rho 0.714 add up
    rows = [
        (cost.standard_macs(3, 512, 512, 14), 462),
        (cost.separable_macs(3, 512, 512, 14), 52.3),
        (cost.separable_macs(3, 384, 384, 14), 29.6),
        (cost.separable_macs(3, 384, 384, 10), 15.1),
    ]
    for macs, printed in rows:
        assert macs / 1e6 == pytest.approx(printed, rel=1e-2, abs=0.05)
    weights = [
        (Layer("conv", 512, 512, 3, in_size=14).weights, 2.36),
        (cost.separable_macs(3, 512, 512, 1), 0.27),
        (cost.separable_macs(3, 384, 384, 1), 0.15),
    ]
    for count, printed in weights:
        assert round(count / 1e6, 2) == printed


def test_reduction_is_the_exact_ratio():
    shapes = itertools.product((1, 3, 5), (1, 16, 512), (1, 64, 999), (14,))
    for kernel, channels, out, size in shapes:
        separable = cost.separable_macs(kernel, channels, out, size)
        ratio = separable / cost.standard_macs(kernel, channels, out, size)
        assert cost.reduction(kernel, out) == pytest.approx(ratio, rel=1e-12)


def test_activation_bytes_counts_what_is_held():
    layer = Layer("pointwise", 4, 8, in_size=10, held=50)
    assert layer.activation_bytes() == (400 + 800 + 50) * 4
    assert layer.activation_bytes(2) == (400 + 800 + 50) * 2


def test_bytes_moved_of_layers_of_v1_table_1():
    depthwise = Layer("depthwise", 512, 512, 3, in_size=14)
    # 512 x 14 x 14 = 100,352 values come in and as many go out; 9 x 512 weights
    assert depthwise.bytes_moved() == (100_352 + 100_352 + 4_608) * 4
    assert depthwise.bytes_moved(1, batch=16) == 16 * 200_704 + 4_608
    assert depthwise.macs / depthwise.bytes_moved() == pytest.approx(1.10, abs=0.005)
    halved = Layer("depthwise", 512, 512, 3, stride=2, in_size=14)
    assert halved.bytes_moved(2) == (100_352 + 25_088 + 4_608) * 2
    classifier = Layer("linear", 1024, 1000, norm=False, bias=True)
    assert classifier.bytes_moved() == (1_024 + 1_000 + 1_024_000) * 4
    assert classifier.bytes_moved(batch=64) == (64 * 2_024 + 1_024_000) * 4


def test_bytes_moved_leaves_out_what_is_held():
    assert Layer("pointwise", 4, 8, in_size=10, held=50).bytes_moved(1) == 1_232


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("dw", 8, 8), "kind must be one of conv, depthwise, pointwise, linear"),
        (("conv", 0, 8), "in_channels must be an integer >= 1; got 0"),
        (("conv", 8, 8.5), "out_channels must be an integer >= 1; got 8.5"),
        (("conv", 8, 8, 3, 0), "stride must be an integer >= 1; got 0"),
        (("conv", 8, 8, 2), "kernel must be odd"),
        (("depthwise", 8, 16, 3), "out_channels must be 8; got 16"),
        (("pointwise", 8, 16, 3), "a pointwise layer has kernel 1; got 3"),
        (("linear", 8, 16, 1, 1, 7), "in_size must be 1; got 7"),
        (("conv", 8, 8, 3, 1, (7, 0)), "in_size must be an integer >= 1; got 0"),
        (("conv", 8, 8, 3, 1, (7, 7, 7)), r"in_size .* got \(7, 7, 7\)"),
    ],
)
def test_impossible_layers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Layer(*arguments)
