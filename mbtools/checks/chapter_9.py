"""Checkers of chapter 9's exercises."""

import math

from .asking import ask_number, exercise, hint_for


@exercise
def checkpoint_bytes(answer):
    """Chapter 9: answer(params, optimizer) -> bytes of a checkpoint in float32."""
    copies = {"none": 1, "sgd": 1, "momentum": 2, "adam": 3}
    for params in (202_950, 734_246):
        for optimizer, numbers in copies.items():
            got, right = ask_number(answer, params, optimizer), 4 * params * numbers
            mistakes = {
                right // 4: "a number in float32 has four bytes",
                right - 4 * params: "the parameters themselves are in it, too",
                4 * params: "the optimizer keeps numbers for each parameter, too",
            }
            if optimizer == "none":
                mistakes[2 * right] = "these are numbers of eight bytes"
            hint = mistakes.get(
                got, "momentum keeps one number for each parameter, Adam two, SGD none"
            )
            assert got == right, (
                f"for {params:,} parameters and {optimizer!r} you get {got:,}, not "
                f"{right:,}: {hint}"
            )
    return "right for two nets and four optimizers"


@exercise
def least_loss(answer):
    """Chapter 9: answer(classes) -> least cross-entropy of probabilities."""
    for classes in (2, 6, 10, 1000):
        got = ask_number(answer, classes)
        right = math.log(1 + (classes - 1) / math.e)
        mistakes = {
            0: "that is the least of logits, which may be as large as they like; a "
            "probability is at most 1",
            math.log(classes): "a net that knows nothing has this loss",
            -right: "a loss is minus the logarithm",
            1 / (1 + (classes - 1) / math.e): "this is the probability; the loss is "
            "minus its logarithm",
        }
        hint = hint_for(
            got,
            mistakes,
            "put 1 for the right class and 0 for each other into a softmax",
        )
        assert math.isclose(got, right, rel_tol=1e-4), (
            f"for {classes} classes you get {got:.4f}, not {right:.4f}: {hint}"
        )
    return "right for 2, 6, 10 and 1000 classes"


@exercise
def standard_errors(answer):
    """Chapter 9: answer(small, large) -> mean difference over its standard error."""
    import numpy as np

    rng = np.random.default_rng(9)
    for seeds in (3, 5, 10):
        luck = rng.normal(80, 5, seeds)  # a hard seed is hard for both nets
        small, large = luck + rng.normal([[-2], [0]], 1, (2, seeds))
        got = ask_number(answer, small.copy(), large.copy())
        gaps = small - large
        mean, spread = gaps.mean(), gaps.std(ddof=1)
        right = mean / spread * seeds**0.5
        apart = (small.var(ddof=1) + large.var(ddof=1)) / seeds
        mistakes = {
            -right: "the sign says which net is ahead: small minus large",
            mean / spread: "a mean of n differences has the error std / √n",
            mean / gaps.std() * seeds**0.5: "from a few seeds take the standard "
            "deviation with ddof=1",
            mean / apart**0.5: "take the spread of the differences, seed by seed, "
            "not that of each net",
            mean: "this is the mean difference; divide it by its standard error",
        }
        hint = hint_for(
            got, mistakes, "the mean of the differences, over their std divided by √n"
        )
        assert math.isclose(got, right, rel_tol=1e-4), (
            f"for {seeds} seeds you get {got:.3f}, not {right:.3f}: {hint}"
        )
    return "right for 3, 5 and 10 seeds"
