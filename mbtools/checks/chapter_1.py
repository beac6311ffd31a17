"""Checkers of chapter 1's exercises."""

import random

from .. import cost
from .asking import ask, ask_number, exercise, random_shapes


@exercise
def conv_cost(answer):
    """Chapter 1: answer(kernel, in_channels, out_channels, in_size, stride, groups).

    -> multiply-adds of a padded convolution.
    """
    rng = random.Random(1)
    for kernel, in_channels, out_channels, size in random_shapes():
        groups, stride = rng.choice((1, 3, 5)), rng.choice((1, 2))
        size += 3  # of an odd side, as of the first, the hints below all differ
        shape = (kernel, groups * in_channels, groups * out_channels, size)
        side = -(-size // stride)
        standard = cost.standard_macs(*shape[:3], side)
        got, right = ask_number(answer, *shape, stride, groups), standard // groups
        mistakes = {
            2 * right: "a multiply-add counts once, not as two operations",
            standard: "a map that comes out sees only the maps of its group",
            standard // groups**2: (
                "that is one group of them: each has in_channels / groups maps in "
                "and out_channels / groups out"
            ),
            right // side * size: "the stride thins rows and columns both",
            right // side**2 * size**2: "stride 2 leaves every second row and column",
            right // side**2 * (size // stride) ** 2: (
                "an odd side is rounded up: of 15 rows, 8 come out"
            ),
            right // side**2: "these are the weights; each is used at every pixel",
        }
        hint = mistakes.get(got, "the weights, times the pixels that come out")
        asked = f"{shape}, stride {stride}, groups {groups}"
        assert got == right, f"for {asked} you get {got:,}, not {right:,}: {hint}"
    return "right on 20 random layers"


def _tensors(count=8):
    """Random (x, depthwise, pointwise) in torch, the same each time."""
    import torch

    generator = torch.Generator().manual_seed(count)
    for kernel, in_channels, out_channels, size in random_shapes(count):
        shapes = (
            (2, in_channels, size, size + 1),
            (in_channels, 1, kernel, kernel),
            (out_channels, in_channels, 1, 1),
        )
        yield [
            torch.randn(shape, generator=generator, dtype=torch.float64)
            for shape in shapes
        ]


def _separable_by_hand(x, depthwise, pointwise):
    """The reference, without a convolution: patches and one einsum."""
    import torch

    (batch, channels, height, width), kernel = x.shape, depthwise.shape[-1]
    patches = torch.nn.functional.unfold(x, kernel, padding=kernel // 2)
    patches = patches.view(batch, channels, kernel**2, height, width)
    filters, mix = depthwise.flatten(1), pointwise.flatten(1)
    return torch.einsum("bmkhw,mk,nm->bnhw", patches, filters, mix)


@exercise
def separable_conv(answer):
    """Chapter 1: answer(x, depthwise, pointwise) -> (B, N, H, W).

    x is (B, M, H, W), depthwise (M, 1, D_K, D_K), pointwise (N, M, 1, 1).
    """
    import torch

    for x, depthwise, pointwise in _tensors():
        right = _separable_by_hand(x, depthwise, pointwise)
        got = ask(answer, x, depthwise, pointwise)
        assert isinstance(got, torch.Tensor), f"return a tensor; got {got!r}"
        assert got.shape == right.shape, (
            f"for x {tuple(x.shape)} and kernel {depthwise.shape[-1]} the output is "
            f"{tuple(got.shape)}, not {tuple(right.shape)}: pad by kernel // 2 to "
            f"keep height and width, and mix into {len(pointwise)} channels"
        )
        error = (got - right).abs().max().item()
        assert torch.allclose(got, right), (
            f"the shape is right but values are off by up to {error:.3g}: filter "
            f"each channel by itself (groups), then mix, with nothing in between"
        )
    return "right shapes and values on 8 random layers"


@exercise
def find_pair(answer):
    """Chapter 1: answer(weight) -> (depthwise, pointwise).

    weight is (N, M, D_K, D_K), merged from a pair (M, 1, D_K, D_K), (N, M, 1, 1).
    """
    import torch

    for _, depthwise, pointwise in _tensors():
        pointwise[0, ::2] = 0  # output 0 does not see every map
        weight = pointwise * depthwise.transpose(0, 1)
        got = ask(answer, weight.clone())
        assert (
            isinstance(got, tuple | list)
            and len(got) == 2
            and all(isinstance(part, torch.Tensor) for part in got)
        ), f"return a pair of tensors, depthwise and pointwise; got {got!r}"
        shapes = [tuple(part.shape) for part in got]
        right = [tuple(depthwise.shape), tuple(pointwise.shape)]
        assert shapes == right, (
            f"for weights {tuple(weight.shape)} the pair is {shapes[0]} and "
            f"{shapes[1]}, not {right[0]} and {right[1]}"
        )
        finite = all(part.isfinite().all() for part in got)
        assert finite, (
            "some numbers are not finite: output 0 gives some maps the weight 0, "
            "so its window there is 0; take each map's window from another output"
        )
        merged = got[1] * got[0].transpose(0, 1)
        wrong = ~torch.isclose(merged, weight).flatten(2).all(2)
        n, m = wrong.nonzero()[0].tolist() if wrong.any() else (0, 0)
        assert not wrong.any(), (
            f"merged again, the window from map {m} to output {n} is another: the "
            f"depthwise window of map {m} times the pointwise weight ({n}, {m}) "
            f"must give it"
        )
    return "eight pairs found, which do what the merged weights do"
