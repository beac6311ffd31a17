"""Checkers of chapter 8's exercises."""

import math
import random

from .. import cost
from .asking import ask, ask_number, exercise, hint_for, random_shapes


@exercise
def intensity(answer):
    """Chapter 8: answer(kernel, in_channels, out_channels, size, groups) -> MACs/B."""
    for kernel, m, n, size in random_shapes():
        for groups in (1, m):
            n_out = n if groups == 1 else m
            got = ask_number(answer, kernel, m, n_out, size, groups)
            kind = "conv" if groups == 1 else "depthwise"
            layer = cost.Layer(kind, m, n_out, kernel, in_size=size)
            right = layer.macs / layer.bytes_moved()
            without = layer.macs / (4 * (layer.in_values + layer.out_values))
            mistakes = {
                4 * right: "a number of float32 has four bytes",
                without: "the weights must be read as well",
                1 / right: "multiply-adds over bytes, not bytes over multiply-adds",
                groups
                * layer.macs
                / (4 * (layer.in_values + layer.out_values + groups * layer.weights)): (
                    "a group reads only its own channels: divide by groups"
                ),
                groups * right: "a group reads only its own channels: divide by groups",
            }
            hint = hint_for(
                got,
                mistakes,
                "multiply-adds over four times the numbers in input, output, weights",
            )
            assert math.isclose(got, right, rel_tol=1e-6), (
                f"for kernel {kernel}, {m} channels in, {n_out} out, size {size}, "
                f"{groups} groups you get {got:.4f}, not {right:.4f}: {hint}"
            )
    return "right for 20 shapes, standard and depthwise"


@exercise
def roof(answer):
    """Chapter 8: answer(intensity, peak, bandwidth) -> attainable MACs/s."""
    rng = random.Random(8)
    for _ in range(20):
        peak, bandwidth = rng.uniform(10, 1000), rng.uniform(1, 100)  # in billions
        for part in (0.1, 0.9, 1.1, 10):  # of the ridge
            own = part * peak / bandwidth
            got, right = ask_number(answer, own, peak, bandwidth), part * peak
            side = "below" if part < 1 else "above"
            limit = "bandwidth" if part < 1 else "peak"
            right = min(right, peak)
            assert math.isclose(got, right, rel_tol=1e-6), (
                f"at {own:.2f} multiply-adds a byte you get {got:.4g}, not "
                f"{right:.4g}: it lies {side} the ridge, where the {limit} limits"
            )
    return "right on both sides of 20 ridges"


@exercise
def fold(answer):
    """Chapter 8: answer(weight, gamma, beta, mean, variance, eps) -> weight, bias."""
    import torch
    from torch.nn.functional import batch_norm, conv2d

    generator = torch.Generator().manual_seed(8)
    for m, n, kernel in ((3, 8, 3), (16, 4, 1), (5, 5, 5)):
        weight = torch.randn(n, m, kernel, kernel, generator=generator)
        beta, mean = torch.randn(2, n, generator=generator)
        gamma, variance = torch.rand(2, n, generator=generator) + 0.01
        eps = 1e-2  # large, so that it is missed if left out
        got = ask(answer, weight, gamma, beta, mean, variance, eps)
        assert isinstance(got, tuple) and len(got) == 2, (
            f"return a pair: the weight and the bias; got {type(got).__name__}"
        )
        new, bias = got
        for name, tensor, shape in (
            ("weight", new, tuple(weight.shape)),
            ("bias", bias, (n,)),
        ):
            assert isinstance(tensor, torch.Tensor), f"the {name} is no tensor"
            assert tuple(tensor.shape) == shape, (
                f"the {name} has the shape {tuple(tensor.shape)}, not {shape}"
            )
        x = torch.randn(2, m, 9, 9, generator=generator)
        right = batch_norm(conv2d(x, weight), mean, variance, gamma, beta, eps=eps)
        error = (conv2d(x, new, bias) - right).abs().max().item()
        hint = "the scale is γ / √(σ² + ε); the weight takes it, and the mean with it"
        scale = gamma / torch.sqrt(variance + eps)
        if torch.equal(new, weight):
            hint = "the weight must be scaled too, channel by channel"
        elif torch.allclose(new, weight * scale[:, None, None, None]):
            hint = "the weight is right; the bias is β − μ times the scale"
        assert error < 1e-3, f"the outputs differ by up to {error:.3g}: {hint}"
    return "one convolution does the work of both, for three shapes"
