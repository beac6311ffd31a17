"""Checkers of chapter 5's exercises."""

import random

from .. import cost, nets
from .asking import ask, ask_number, exercise, kinds_of


@exercise
def block_cost(answer):
    """Chapter 5: answer(in_channels, out_channels, stride, expansion, size)."""
    rng = random.Random(5)
    for _ in range(20):
        k, n = rng.randrange(4, 60), rng.randrange(4, 60)
        stride, t, size = (
            rng.choice((1, 2)),
            rng.randrange(2, 8),
            2 * rng.randrange(3, 20),
        )
        got = ask_number(answer, k, n, stride, t, size)
        layers = nets.inverted_residual(k, n, stride, t, size)
        expand, depthwise, project = (layer.macs for layer in layers)
        right = expand + depthwise + project
        mistakes = {
            size**2 * t * k * (k + 9 + n): "after a stride of 2 a quarter of the "
            "pixels is left: for the depthwise and the projecting step",
            expand + project: "the depthwise 3 × 3 is missing",
            depthwise + project: "the expanding 1 × 1 is missing",
            expand + depthwise: "the projecting 1 × 1 is missing",
            (expand + project) // t + depthwise: "the expansion widens the 1 × 1 "
            "layers too: t · k channels stand between them",
            2 * right: "a multiply-add counts once",
        }
        hint = mistakes.get(got, "add up expand, depthwise and project")
        assert got == right, (
            f"for {k} to {n} channels, stride {stride}, t = {t}, {size} pixels you "
            f"get {got:,}, not {right:,}: {hint}"
        )
    return "right for 20 random blocks"


@exercise
def inverted_residual(answer):
    """Chapter 5: answer(in_channels, out_channels, stride, expansion) -> module."""
    import torch

    generator = torch.Generator().manual_seed(5)
    for k, n, stride, t in ((8, 8, 1, 6), (8, 12, 1, 4), (8, 8, 2, 6), (4, 4, 1, 3)):
        asked = f"for ({k}, {n}, {stride}, {t})"
        block = ask(answer, k, n, stride, t)
        assert isinstance(block, torch.nn.Module), f"return a module; got {block!r}"
        kinds = list(kinds_of(block).values())
        assert kinds == ["pointwise", "depthwise", "pointwise"], (
            f"{asked} the convolutions are {kinds}: expand (pointwise), filter "
            f"(depthwise), project (pointwise)"
        )
        inner = [part.out_channels for part in kinds_of(block)]
        assert inner == [t * k, t * k, n], (
            f"{asked} the convolutions put out {inner} channels, not "
            f"{[t * k, t * k, n]}"
        )
        norms = [
            part.num_features
            for part in block.modules()
            if isinstance(part, torch.nn.BatchNorm2d)
        ]
        assert norms == inner, (
            f"{asked} a batch norm belongs after each convolution: theirs have "
            f"{norms} channels, not {inner}"
        )
        biased = [part for part in kinds_of(block) if part.bias is not None]
        assert not biased, f"{asked} a convolution has a bias: {biased[0]}"
        x = torch.randn(2, k, 8, 8, generator=generator)
        got, shape = block.eval()(x), (2, n, 8 // stride, 8 // stride)
        assert got.shape == shape, (
            f"{asked} the output of a (2, {k}, 8, 8) input is {tuple(got.shape)}, not "
            f"{shape}: the depthwise step has the stride and padding 1"
        )
        *_, last = (p for p in block.modules() if isinstance(p, torch.nn.BatchNorm2d))
        for place, low, high in _ranges(block, 1000 * x):
            assert (low, high) == (0, 6), (
                f"{asked} what comes into the {place} convolution should be cut at 0 "
                f"and 6, and reaches from {low:.3g} to {high:.3g}: ReLU6 is missing"
            )
        assert got.min() < 0, f"{asked} no value is below 0: the projection is linear"
        with torch.no_grad():
            last.weight.zero_()
            last.bias.zero_()
            silent = block(x)
        if stride == 1 and k == n:
            assert torch.allclose(silent, x), (
                f"{asked} the shortcut is missing: input and output have one shape"
            )
        else:
            assert not silent.any(), (
                f"{asked} something is added to the output: a shortcut needs stride 1 "
                f"and equal channels"
            )
    return "right parts, shapes and shortcuts in four blocks"


def _ranges(block, x):
    """(which, least, largest value) of what comes into the later convolutions."""
    _, *later = kinds_of(block)
    seen, hooks = [], []
    for place, part in zip(("depthwise", "projecting"), later, strict=True):

        def look(part, inputs, place=place):
            seen.append((place, inputs[0].min().item(), inputs[0].max().item()))
            return 1000 * inputs[0]  # so that what follows would leave the range

        hooks.append(part.register_forward_pre_hook(look))
    block(x)
    for hook in hooks:
        hook.remove()
    return seen


@exercise
def dearer_from(answer):
    """Chapter 5: answer(in_channels, out_channels) -> expansion t, from 2 on."""
    # in the last the costs are equal at t = 3
    for m, n in ((24, 24), (64, 96), (8, 16), (160, 320), (8, 64), (320, 16), (7, 8)):
        got = ask_number(answer, m, n)
        standard = cost.standard_macs(3, m, n, 14)

        def dearer(t, m=m, n=n, standard=standard):
            layers = nets.inverted_residual(m, n, 1, t, in_size=14)
            return sum(layer.macs for layer in layers) > standard

        right = next(t for t in range(2, 20) if dearer(t))
        share = 9 * n / (m + 9 + n)
        mistakes = {
            share: "return a whole number, the next above this",
            9 * m // (m + 9 + n) + 1: "in_channels and out_channels are swapped",
            9 * n // (m + n) + 1: "the depthwise 3 × 3 is missing",
            right - 1: "there the block costs no more yet",
            1: "at t = 1 the block has no expanding 1 × 1: start from 2",
        }
        hint = mistakes.get(got, "compare t · M (M + 9 + N) with 9 · M · N")
        assert got == right, (
            f"for {m} to {n} channels you get {got:g}, not {right}: {hint}"
        )
    return "right for seven pairs of ends"
