"""Checkers of chapter 10's exercises."""

import math
from numbers import Real

from .asking import ask, exercise


@exercise
def prune_smallest(answer):
    """Chapter 10: answer(weight, share) -> weight, the smallest of it at zero."""
    import torch

    generator = torch.Generator().manual_seed(10)
    for n, m, share in ((20, 30, 0.5), (50, 20, 0.9), (10, 10, 0.0)):
        weight = torch.randn(n, m, 1, 1, generator=generator)
        before = weight.clone()
        got = ask(answer, weight, share)
        assert isinstance(got, torch.Tensor), f"return a tensor; got {got!r}"
        assert torch.equal(weight, before), (
            "you changed the weights you were given: work on a copy of them"
        )
        assert got.shape == weight.shape, f"keep the shape {tuple(weight.shape)}"
        gone = int((got == 0).sum())
        expected = round(share * weight.numel())
        assert gone == expected, (
            f"for a share of {share} there are {gone} zeros of {weight.numel()}, not "
            f"{expected}: sort the sizes, and take the value at that place as bound"
        )
        stays = got != 0
        assert torch.equal(got[stays], weight[stays]), "what stays must stay as it was"
        lost, kept = weight[~stays].abs(), weight[stays].abs()
        assert not gone or lost.max() <= kept.min(), (
            f"a weight of size {lost.max():.2f} went, and one of {kept.min():.2f} "
            f"stayed: the size of a weight is its value without the sign"
        )
    return "the smallest go, the others stay, for three shapes"


@exercise
def two_layers(answer):
    """Chapter 10: answer(weight, rank) -> first (rank, M), second (N, rank)."""
    import torch

    generator = torch.Generator().manual_seed(10)
    for n, m, rank in ((48, 32, 8), (16, 40, 3), (24, 24, 1)):
        weight = torch.randn(n, m, generator=generator)
        got = ask(answer, weight, rank)
        assert isinstance(got, tuple) and len(got) == 2, (
            f"return a pair: first and second matrix; got {type(got).__name__}"
        )
        for name, part, shape in zip(
            ("first", "second"), got, ((rank, m), (n, rank)), strict=True
        ):
            assert isinstance(part, torch.Tensor), f"the {name} matrix is no tensor"
            assert tuple(part.shape) == shape, (
                f"for weights {n} × {m} and rank {rank} the {name} matrix is "
                f"{' × '.join(map(str, part.shape))}, not {shape[0]} × {shape[1]}"
            )
        first, second = got
        left, values, right = torch.linalg.svd(weight, full_matrices=False)
        error = (weight - second @ first).norm().item()
        least = values[rank:].norm().item()
        hint = "keep the largest singular values, with their rows and columns"
        if torch.allclose(second @ first, left[:, :rank] @ right[:rank], atol=1e-4):
            hint = "the singular values are missing: one of the two must carry them"
        elif torch.allclose(
            second @ first,
            left[:, :rank] * values[:rank] ** 2 @ right[:rank],
            atol=1e-3,
        ):
            hint = "each singular value counts once, not in both matrices"
        assert error < least * (1 + 1e-4), (
            f"at rank {rank} the product misses the weights by {error:.3f}; the best "
            f"misses them by {least:.3f}: {hint}"
        )
    return "no two matrices of that rank come nearer, for three shapes"


@exercise
def soft_targets(answer):
    """Chapter 10: answer(logits, taught, temperature) -> the teacher's loss."""
    import torch
    from torch.nn.functional import softmax

    generator = torch.Generator().manual_seed(10)
    for temperature in (1.0, 4.0, 0.5):
        logits, taught = 3 * torch.randn(2, 7, 6, generator=generator)
        got = ask(answer, logits, taught, temperature)
        assert isinstance(got, Real) or (
            isinstance(got, torch.Tensor) and got.numel() == 1
        ), f"return one number, the mean over the pictures; got {got!r}"
        got = float(got)
        own, aim = (softmax(x / temperature, 1) for x in (logits, taught))
        mean = (aim * (aim / own).log()).sum(1).mean().item()
        right = temperature**2 * mean
        mistakes = {
            mean: "multiply by the temperature's square, or the gradient shrinks",
            temperature**2 * (own * (own / aim).log()).sum(1).mean().item(): "the "
            "teacher's probabilities are the weights, not the pupil's",
            right / 6: "sum over the classes, take the mean over the pictures alone",
            7 * right: "take the mean over the pictures, not the sum",
            temperature**2 * -(aim * own.log()).sum(1).mean().item(): "this is the "
            "cross-entropy; subtract the teacher's own entropy",
        }
        hint = "soften both with the temperature, then Σ p log(p / q), p the teacher's"
        for mistake, words in mistakes.items():
            if not math.isclose(right, mistake, rel_tol=1e-4) and math.isclose(
                got, mistake, rel_tol=1e-4
            ):
                hint = words
        assert math.isclose(got, right, rel_tol=1e-4), (
            f"at temperature {temperature:g} you get {got:.4f}, not {right:.4f}: {hint}"
        )
    return "right at three temperatures"
