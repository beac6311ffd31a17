"""Checkers of chapter 3's exercises."""

import math
import random

from .. import cost, nets
from .asking import ask, ask_number, exercise, random_shapes


@exercise
def scaled_cost(answer):
    """Chapter 3: answer(kernel, in_channels, out_channels, size, alpha, rho)."""
    rng, cases = random.Random(3), []
    for kernel, in_channels, out_channels, size in random_shapes():
        alpha, rho = rng.choice((0.25, 0.5, 0.75)), rng.choice((0.5, 1.0))
        shape = (kernel, 4 * in_channels, 4 * out_channels, 2 * size)
        cases.append((shape, alpha, rho))
    cases.append(((3, 512, 512, 14), 0.75, 0.714))  # V1's Table 3: 15.1 M
    cases.append(((3, 30, 50, 10), 0.75, 0.714))  # 22.5 and 37.5 channels
    for shape, alpha, rho in cases:
        kernel, in_channels, out_channels, size = shape
        got = ask_number(answer, *shape, alpha, rho)
        thin = (kernel, int(alpha * in_channels), int(alpha * out_channels))
        side = round(rho * size)
        right, full = cost.separable_macs(*thin, side), cost.separable_macs(*shape)
        hint = "scale M and N by alpha and D_F by rho, then count"
        if math.isclose(got, alpha**2 * rho**2 * full):
            hint = (
                "the depthwise part has one factor of alpha, not two: it has no "
                "output channels of its own"
            )
        elif math.isclose(got, cost.separable_macs(*thin, size)):
            hint = "rho is missing: it shrinks both sides of the feature map"
        elif math.isclose(got, rho * cost.separable_macs(*thin, size)):
            hint = "rho counts twice, for the height and for the width"
        elif math.isclose(
            got,
            cost.separable_macs(
                kernel, alpha * in_channels, alpha * out_channels, side
            ),
        ):
            hint = f"cut the channels: {alpha * in_channels:g} are {thin[1]}"
        elif got == cost.separable_macs(*thin, int(rho * size)):
            hint = f"round the side: {rho * size:.3f} pixels are {side}"
        assert got == right, (
            f"for {shape}, alpha {alpha}, rho {rho} you get {got:,}, "
            f"not {right:,}: {hint}"
        )
    return "right on 20 random layers, the 15.1 M of Table 3, and with halves to cut"


@exercise
def divisible(answer):
    """Chapter 3: answer(value) -> channels, by the official rounding."""
    alphas = [step / 20 for step in range(1, 29)]
    widths = 16, 24, 32, 64, 96, 160, 320, 1280
    halves = 44, 52, 84, 100
    for value in [*(alpha * c for alpha in alphas for c in widths), *halves]:
        got, right = ask_number(answer, value), nets.make_divisible(value)
        hint = "go to the nearest multiple of 8, halves up"
        if got % 8:
            hint = f"{got} is not a multiple of 8"
        elif got < 8:
            hint = "never fewer than 8 channels"
        elif got < 0.9 * value:
            hint = "this loses more than 10 % of the channels: go one step up"
        elif got == 8 * math.ceil(value / 8):
            hint = "this rounds up always; the rule goes to the nearest multiple"
        elif value % 8 == 4:
            hint = f"{value:g} lies half-way: halves go up"
        assert got == right, f"for {value:g} you get {got}, not {right}: {hint}"
    return "right on every width of the explorer, and on halves"


@exercise
def best_under(answer):
    """Chapter 3: answer(rows, max_macs, max_params) -> a row, or None.

    rows are ``published.Published``; the budgets are in millions and hold
    for our own counts, ``row.build()``.
    """
    from ..published import TF_SLIM

    rows = [r for r in TF_SLIM if r.net in ("v1", "v2") and r.precision == "float"]
    counts = {row: (row.build().macs / 1e6, row.build().params / 1e6) for row in rows}
    for max_macs, max_params in ((600, 5), (100, 5), (50, 2), (1000, 0.5), (30, 1.7)):
        fits = [
            row
            for row, (macs, params) in counts.items()
            if macs <= max_macs and params <= max_params
        ]
        best = max(fits, key=lambda row: row.top1)
        got = answer(rows, max_macs, max_params)
        asked = f"under {max_macs} M multiply-adds and {max_params} M parameters"
        if got is None or got is ...:  # None is an answer, unless all rows fit
            ask(answer, rows, 1e9, 1e9)
            name = f"{best.net} {best.alpha:g}-{best.resolution}"
            raise AssertionError(f"{asked}: {name} fits; are your units millions?")
        assert got in rows, f"{asked}: return one of the rows; got {got!r}"
        name = f"{got.net} {got.alpha:g}-{got.resolution}"
        macs, params = counts[got]
        assert got in fits, (
            f"{asked}: {name} needs {macs:.1f} M and {params:.2f} M by our count, "
            f"which is too much"
        )
        assert got.top1 == best.top1, (
            f"{asked}: {name} fits with {got.top1} %, but {best.net} "
            f"{best.alpha:g}-{best.resolution} has {best.top1} %"
        )
    assert answer(rows, 1, 1) is None, "no row fits under 1 M and 1 M: return None"
    return "the best row under five budgets, and None when nothing fits"
