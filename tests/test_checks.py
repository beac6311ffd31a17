"""The checkers accept what is right and name what is wrong."""

import pytest
import torch
import torch.nn.functional as F

from mbtools import checks, cost
from mbtools.nets import make_divisible


def dense(depthwise, pointwise):
    return pointwise * depthwise.transpose(0, 1)


def conv(x, depthwise, pointwise):
    x = F.conv2d(x, depthwise, padding=depthwise.shape[-1] // 2, groups=len(depthwise))
    return F.conv2d(x, pointwise)


def scaled(kernel, m, n, size, alpha, rho):
    return cost.separable_macs(kernel, int(alpha * m), int(alpha * n), int(rho * size))


def best(rows, max_macs, max_params, smallest=0):
    fits = [
        row
        for row in rows
        if row.build().macs <= max_macs * 1e6 and row.build().params <= max_params * 1e6
    ]
    return max(fits, key=lambda row: row.top1, default=None)


RIGHT = [
    (checks.separable_cost, cost.separable_macs),
    (checks.separable_conv, conv),
    (checks.dense_kernel, dense),
    (checks.scaled_cost, scaled),
    (checks.divisible, make_divisible),
    (checks.best_under, best),
]


@pytest.mark.parametrize("check, answer", RIGHT)
def test_right_answers_pass(check, answer, capsys):
    check(answer)
    assert capsys.readouterr().out.startswith(f"✓ {answer.__name__}: ")


@pytest.mark.parametrize("check", [check for check, _ in RIGHT])
def test_empty_answers_are_told_so(check, capsys):
    def nothing_yet(*arguments): ...

    check(nothing_yet)
    assert capsys.readouterr().out.startswith("… nothing_yet is not written yet")
    with pytest.raises(TypeError, match="hand over the function itself"):
        check(7)


WRONG = [
    (checks.separable_cost, cost.standard_macs, "cost of a standard convolution"),
    (
        checks.separable_cost,
        lambda k, m, n, d: cost.depthwise_macs(k, m, d),
        "pointwise step that mixes the channels is missing",
    ),
    (
        checks.separable_cost,
        lambda k, m, n, d: cost.pointwise_macs(m, n, d),
        "depthwise step that filters each channel is missing",
    ),
    (
        checks.separable_cost,
        lambda k, m, n, d: cost.separable_macs(k, n, m, d),
        "in_channels and out_channels are swapped",
    ),
    (
        checks.separable_cost,
        lambda k, m, n, d: 2 * cost.separable_macs(k, m, n, d),
        "a multiply-add counts once",
    ),
    (
        checks.separable_cost,
        lambda k, m, n, d: cost.separable_macs(k, m, n, 1),
        "these are the weights",
    ),
    (checks.separable_cost, lambda k, m, n, d: "many", "return a number; got 'many'"),
    (
        checks.separable_conv,
        lambda x, d, p: F.conv2d(F.conv2d(x, d, groups=len(d)), p),
        r"pad by kernel // 2",
    ),
    (
        checks.separable_conv,
        lambda x, d, p: conv(x, d, p).relu(),
        "the shape is right but values are off",
    ),
    (checks.separable_conv, lambda x, d, p: 3, "return a tensor; got 3"),
    (
        checks.dense_kernel,
        lambda d, p: dense(d, p).transpose(0, 1),
        "one D_K × D_K filter for each pair",
    ),
    (
        checks.dense_kernel,
        lambda d, p: dense(d, p).flip(-1),
        "filter m of output n must be",
    ),
    (checks.dense_kernel, lambda d, p: "w", "return a tensor; got 'w'"),
    (
        checks.scaled_cost,
        lambda k, m, n, d, a, r: a**2 * r**2 * cost.separable_macs(k, m, n, d),
        "the depthwise part has one factor of alpha",
    ),
    (
        checks.scaled_cost,
        lambda k, m, n, d, a, r: scaled(k, m, n, d, a, 1),
        "rho is missing",
    ),
    (
        checks.scaled_cost,
        lambda k, m, n, d, a, r: r * scaled(k, m, n, d, a, 1),
        "rho counts twice",
    ),
    (
        checks.scaled_cost,
        lambda k, m, n, d, a, r: cost.separable_macs(k, m, n, d),
        "scale M and N by alpha",
    ),
    (checks.divisible, lambda v: max(9, int(v)), "is not a multiple of 8"),
    (checks.divisible, lambda v: int(v + 4) // 8 * 8, "never fewer than 8"),
    (
        checks.divisible,
        lambda v: max(8, int(v + 4) // 8 * 8),
        "loses more than 10 % of the channels",
    ),
    (checks.divisible, lambda v: -int(-v // 8) * 8, "rounds up always"),
    (
        checks.best_under,
        lambda rows, m, p: best(rows, m, 100),
        "v2 1.4-224 needs 582.2 M and 6.11 M by our count, which is too much",
    ),
    (
        checks.best_under,
        lambda rows, m, p: min(rows, key=lambda row: row.build().macs + row.params),
        r"fits with .* %, but .* has",
    ),
    (checks.best_under, lambda rows, m, p: "v1", "return one of the rows; got 'v1'"),
    (
        checks.best_under,
        lambda rows, m, p: best(rows, m, p) or rows[0],
        "no row fits under 1 M and 1 M: return None",
    ),
]


@pytest.mark.parametrize("check, answer, message", WRONG)
def test_wrong_answers_are_explained(check, answer, message):
    with pytest.raises(AssertionError, match=message):
        check(answer)


def test_the_reference_is_torchs_grouped_convolution():
    x, depthwise, pointwise = next(checks._tensors())
    by_hand = checks._separable_by_hand(x, depthwise, pointwise)
    assert torch.allclose(by_hand, conv(x, depthwise, pointwise))


def test_predict_needs_one_right_option():
    with pytest.raises(ValueError, match="one option must be right, not 0, for 5"):
        checks.predict("How many?", {"two": (2, ""), "three": (3, "")}, answer=5)
    with pytest.raises(ValueError, match="one option must be right, not 2, for 2"):
        checks.predict("How many?", {"two": (2, ""), "also": (2.0, "")}, answer=2)


def test_predict_shows_question_options_and_replies(monkeypatch):
    shown = []
    monkeypatch.setattr(checks, "display", shown.append)
    options = {"two": (2, "1 & 1"), "three": (3, "one too many")}
    checks.predict("2 < 3?", options, answer=2.01)
    page = shown[0].data
    assert "2 &lt; 3?" in page and "<strong>Predict.</strong>" in page
    assert "<summary>two</summary><p><strong>Yes.</strong> 1 &amp; 1</p>" in page
    assert "<summary>three</summary><p><strong>No.</strong> one too many</p>" in page
