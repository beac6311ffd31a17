"""Checkers of chapter 4's exercises."""

import math

from .asking import ask, ask_number, exercise


def _layers(inputs=2, count=12):
    """Random (points, layer): (P, inputs) and (n, inputs), the same each time."""
    import numpy as np

    rng = np.random.default_rng(4)
    for _ in range(count):
        channels = int(rng.integers(inputs + 1, 12))
        yield rng.normal(size=(20, inputs)), rng.normal(size=(channels, inputs))


@exercise
def live_units(answer):
    """Chapter 4: answer(curve, layer) -> live units of each point, (P,)."""
    import numpy as np

    for curve, layer in _layers():
        got, values = ask(answer, curve, layer), curve @ layer.T
        right = (values > 0).sum(1)
        shape = f"{len(curve)} points and {len(layer)} units"
        assert isinstance(got, np.ndarray), f"return an array; got {got!r}"
        assert got.shape == right.shape, (
            f"for {shape} the result is {got.shape}, not {right.shape}: count over "
            f"the units, one number for each point"
        )
        hint = "a unit is live where its value, a row of the layer times x, is above 0"
        if np.array_equal(got, len(layer) - right):
            hint = "these are the dead ones"
        elif np.allclose(got, np.maximum(values, 0).sum(1)):
            hint = "count the units above 0, do not add up their values"
        assert np.array_equal(got, right), (
            f"for {shape} the first point has {got[0]:g} live units, not {right[0]}: "
            f"{hint}"
        )
    return "right for 12 random layers"


@exercise
def loss_probability(answer):
    """Chapter 4: answer(channels, inputs) -> chance that fewer units are live."""
    from ..manifold import collapse_probability

    for channels, inputs in ((2, 2), (8, 4), (15, 2), (6, 1), (24, 4), (3, 3)):
        got = ask_number(answer, channels, inputs)
        right = collapse_probability(channels, inputs)
        hint = "add up the ways to have 0, 1, … live units, over 2 to the power n"
        if math.isclose(got, collapse_probability(channels, inputs + 1)):
            hint = "fewer than d: exactly d live units are enough"
        elif math.isclose(got, 1 - right):
            hint = "this is the chance that nothing is lost"
        elif math.isclose(got, math.comb(channels, inputs - 1) / 2**channels):
            hint = "this is exactly d - 1 live units; fewer are lost as well"
        elif math.isclose(got, (channels + 1) / 2**channels):
            hint = "this holds for two inputs only"
        assert math.isclose(got, right), (
            f"for {channels} channels and {inputs} inputs you get {got:.4g}, "
            f"not {right:.4g}: {hint}"
        )
    return "right for six layers"


@exercise
def invert(answer):
    """Chapter 4: answer(layer, code) -> x, (2,), from a code behind ReLU6."""
    import numpy as np

    for curve, layer in _layers():
        for x in 4 * curve:
            code = np.clip(layer @ x, 0, 6)
            if ((code > 0) & (code < 6)).sum() < 2:
                continue
            got = ask(answer, layer, code)
            assert isinstance(got, np.ndarray), f"return an array; got {got!r}"
            assert got.shape == (2,), f"x has shape (2,); got {got.shape}"
            hint = "solve the rows of the units between 0 and 6 for x"
            if np.allclose(got, np.linalg.pinv(layer) @ code):
                hint = (
                    "the dead units' zeros are not values of T x, nor are the sixes: "
                    "use the rows with 0 < code < 6 alone"
                )
            elif np.allclose(got, 2 * np.linalg.pinv(layer) @ code):
                hint = "twice the decoder is right on average only; x can be exact"
            elif np.allclose(got, np.linalg.pinv(layer[code > 0]) @ code[code > 0]):
                hint = "a unit that was cut at 6 says only that its value is not below"
            assert np.allclose(got, x), (
                f"for {len(layer)} units you get {got.round(3)}, not {x.round(3)}: "
                f"{hint}"
            )
    return "every point with two units between 0 and 6, exactly"
