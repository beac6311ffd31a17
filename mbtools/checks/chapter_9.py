"""Checkers of chapter 9's exercises."""

import math

from .asking import ask_number, exercise


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
        hint = "put 1 for the right class and 0 for each other into a softmax"
        for mistake, words in mistakes.items():
            if math.isclose(got, mistake, rel_tol=1e-6):
                hint = words
        assert math.isclose(got, right, rel_tol=1e-4), (
            f"for {classes} classes you get {got:.4f}, not {right:.4f}: {hint}"
        )
    return "right for 2, 6, 10 and 1000 classes"


@exercise
def smallest_test(answer):
    """Chapter 9: answer(percent, digits) -> the fewest pictures that can give it."""
    for right, count, digits in ((84, 85, 3), (77, 83, 2), (1, 3, 1), (19, 20, 1)):
        percent = round(100 * right / count, digits)
        got = ask_number(answer, percent, digits)
        assert got >= 2 and got == int(got), (
            f"return a whole number of pictures, 2 or more; got {got!r}"
        )
        nearest = round(100 * round(got * percent / 100) / got, digits)
        assert nearest == percent, (
            f"{percent} % of {got} pictures: {round(got * percent / 100)} right are "
            f"{nearest} %. Round what so many pictures can give to {digits} digits, "
            f"and compare"
        )
        assert got == count, (
            f"{got} pictures can give {percent} %, but so can {count}: start from few"
        )
    return "right for four accuracies"
