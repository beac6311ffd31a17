"""Checkers of chapter 7's exercises."""

import math

from .asking import ask, ask_number, exercise, hint_for


@exercise
def confusion(answer):
    """Chapter 7: answer(truth, says, classes) -> counts, a row for each truth."""
    import numpy as np

    rng = np.random.default_rng(7)
    for classes in (2, 3, 6):
        truth, says = rng.integers(0, classes, (2, 200))
        says = np.where(rng.random(200) < 0.6, truth, says)
        truth[truth == classes - 1] = 0  # a class that is said and never true
        got = np.asarray(ask(answer, truth, says, classes))
        assert got.shape == (classes, classes), (
            f"for {classes} classes return {classes} rows of {classes} counts; got "
            f"the shape {got.shape}"
        )
        right = np.array(
            [
                [np.sum((truth == row) & (says == column)) for column in range(classes)]
                for row in range(classes)
            ]
        )
        hint = "count the pictures of class `row` that the net calls `column`"
        if np.array_equal(got, right.T):
            hint = "rows and columns are swapped: a row is what is true"
        elif np.array_equal(got, right > 0):
            hint = "counts[truth, says] += 1 adds once for a repeated pair"
        assert np.array_equal(got, right), (
            f"for {classes} classes you get {got.tolist()}, not {right.tolist()}: "
            f"{hint}"
        )
    return "right for 2, 3 and 6 classes"


@exercise
def calibration_error(answer):
    """Chapter 7: answer(confidence, right, bins) -> expected calibration error."""
    import numpy as np

    rng = np.random.default_rng(7)
    for bins in (5, 10, 15):
        # some bins are empty: no net is less sure than one of six
        confidence = 1 - rng.beta(1, 4, 400) * (5 / 6)
        right = rng.random(400) < confidence**2
        got = ask_number(answer, confidence, right, bins)
        place = np.minimum((confidence * bins).astype(int), bins - 1)
        gaps = [
            (np.sum(place == b), right[place == b], confidence[place == b])
            for b in range(bins)
            if np.any(place == b)
        ]
        signed = [(n, r.mean() - c.mean()) for n, r, c in gaps]
        error = sum(n * abs(gap) for n, gap in signed) / 400
        mistakes = {
            np.mean([abs(gap) for _, gap in signed]): "weigh each bin with its "
            "share of the pictures",
            abs(sum(n * gap for n, gap in signed)) / 400: "take each bin's gap "
            "without its sign, before you add",
            100 * error: "return a share, not per cent",
        }
        hint = hint_for(
            got,
            mistakes,
            "in each bin: the share that is right against the mean confidence",
        )
        assert not math.isnan(got), "an empty bin has no mean: leave it out"
        assert math.isclose(got, error, rel_tol=1e-6, abs_tol=1e-9), (
            f"with {bins} bins you get {got:.4f}, not {error:.4f}: {hint}"
        )
    return "right with 5, 10 and 15 bins, some of them empty"


@exercise
def parameter_groups(answer):
    """Chapter 7: answer(net, lr, head_lr) -> parameter groups for an optimizer."""
    import torch

    from .. import models

    net = models.MobileNetV2(0.35, classes=6)
    groups = ask(answer, net, 1e-4, 1e-2)
    try:
        optimizer = torch.optim.AdamW(groups)
    except (TypeError, ValueError) as error:
        raise AssertionError(
            f'return a list of {{"params": …, "lr": …}}: {error}'
        ) from error
    rates = {
        p: group["lr"] for group in optimizer.param_groups for p in group["params"]
    }
    for name, parameter in net.named_parameters():
        wanted = 1e-2 if name.startswith("classifier") else 1e-4
        assert parameter in rates, f"{name} is in no group: it would never be trained"
        assert rates[parameter] == wanted, (
            f"{name} gets the rate {rates[parameter]:g}, not {wanted:g}: the last "
            "layer is net.classifier, all else is pretrained"
        )
    return "every parameter once, at its own rate"
