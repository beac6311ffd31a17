"""The checkers accept what is right and name what is wrong."""

import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.utils.flop_counter import FlopCounterMode

from mbtools import checks, cost
from mbtools.nets import inverted_residual, make_divisible


def macs(kernel, m, n, size, stride, groups):
    with FlopCounterMode(display=False) as counter:
        conv = nn.Conv2d(m, n, kernel, stride, kernel // 2, groups=groups)
        conv(torch.zeros(1, m, size, size))
    return counter.get_total_flops() // 2


def found(weight, output=None):
    """By the singular value decomposition, or by the windows of one output."""
    kernel = weight.shape[-1]
    windows = weight.transpose(0, 1).flatten(2)
    if output is None:
        depthwise = torch.linalg.svd(windows).Vh[:, 0]
    else:
        depthwise = windows[:, output]
    pointwise = torch.einsum("mnk,mk->nm", windows, depthwise)
    pointwise /= depthwise.square().sum(1)
    return depthwise.view(-1, 1, kernel, kernel), pointwise[:, :, None, None]


def conv(x, depthwise, pointwise):
    x = F.conv2d(x, depthwise, padding=depthwise.shape[-1] // 2, groups=len(depthwise))
    return F.conv2d(x, pointwise)


def scaled(kernel, m, n, size, alpha, rho, whole=round):
    side = whole(rho * size)
    return cost.separable_macs(kernel, int(alpha * m), int(alpha * n), side)


def best(rows, max_macs, max_params, smallest=0):
    fits = [
        row
        for row in rows
        if row.build().macs <= max_macs * 1e6 and row.build().params <= max_params * 1e6
    ]
    return max(fits, key=lambda row: row.top1, default=None)


def mean(features):
    return F.adaptive_avg_pool2d(features, 1).flatten(1)


def halve(resolution, times=5, up=1):
    for _ in range(times):
        resolution = (resolution + up) // 2
    return resolution


def pair(m, n, stride, padding=1, groups=None, bias=False, last=nn.ReLU):
    return nn.Sequential(
        nn.Conv2d(m, m, 3, stride, padding, groups=groups or m, bias=bias),
        nn.BatchNorm2d(m),
        nn.ReLU(),
        nn.Conv2d(m, n, 1, bias=bias),
        nn.BatchNorm2d(n),
        last(),
    )


class FunctionalPair(nn.Module):
    """The pair with one ReLU for both, and that one a function."""

    def __init__(self, m, n, stride):
        super().__init__()
        self.first, self.norm_1, _, self.second, self.norm_2, _ = pair(m, n, stride)

    def forward(self, x):
        return F.relu(self.norm_2(self.second(F.relu(self.norm_1(self.first(x))))))


def groups(module, decay, chosen=lambda part: part.groups > 1):
    parts = [p for p in module.modules() if isinstance(p, nn.Conv2d)]
    filters = [part.weight for part in parts if chosen(part)]
    known = {id(parameter) for parameter in filters}
    rest = [p for p in module.parameters() if id(p) not in known]
    return [
        {"params": filters, "weight_decay": 0},
        {"params": rest, "weight_decay": decay},
    ]


def unrolled(table, channels, first=True, chained=True):
    blocks = []
    for expansion, out_channels, repeats, stride in table:
        for repeat in range(repeats):
            now = stride if repeat == 0 or not first else 1
            blocks.append((channels, out_channels, now, expansion))
            if chained:
                channels = out_channels
    return blocks


def sliced(m, n, stride, expansion, size, parts, values=2, both=True, ends=True):
    layers = inverted_residual(m, n, stride, expansion, size)
    piece = sum(x.out_values for x in layers[: 1 + both]) // parts
    return values * (ends * (layers[0].in_values + layers[-1].out_values) + piece)


def live(curve, layer, axis=1):
    return (curve @ layer.T > 0).sum(axis)


def loss(channels, inputs):
    return sum(math.comb(channels, i) for i in range(inputs)) / 2**channels


def solved(layer, code, scale=1, rows=slice(None)):
    return scale * np.linalg.pinv(layer[rows]) @ code[rows]


def block_macs(k, n, stride, t, size, skip=None):
    macs = [layer.macs for layer in inverted_residual(k, n, stride, t, size)]
    return sum(part for i, part in enumerate(macs) if i != skip)


class Inverted(nn.Module):
    def __init__(
        self, k, n, stride, t, last=nn.Identity, shortcut=None, padding=1, **inside
    ):
        super().__init__()
        inside = {"norm": nn.BatchNorm2d, "bend": nn.ReLU6, "bias": False} | inside
        norm, bend, bias = inside.values()
        self.conv = nn.Sequential(
            *(nn.Conv2d(k, t * k, 1, bias=bias), norm(t * k), bend()),
            nn.Conv2d(t * k, t * k, 3, stride, padding, groups=t * k, bias=False),
            *(nn.BatchNorm2d(t * k), nn.ReLU6()),
            *(nn.Conv2d(t * k, n, 1, bias=False), nn.BatchNorm2d(n), last()),
        )
        same = stride == 1 and k == n
        self.shortcut = same if shortcut is None else shortcut and n >= k

    def forward(self, x):
        out = self.conv(x)
        if not self.shortcut:
            return out
        return out + nn.functional.adaptive_avg_pool2d(
            nn.functional.pad(x, (0, 0, 0, 0, 0, out.shape[1] - x.shape[1])),
            out.shape[2:],
        )


def smallest(m, n, more=0, window=9, lowest=2):
    return max(lowest, 9 * n // (m + window + n) + 1 + more)


def counted(truth, says, classes):
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (truth, says), 1)
    return counts


def counted_once(truth, says, classes):
    counts = np.zeros((classes, classes), int)
    counts[truth, says] += 1
    return counts


def gaps(confidence, right, bins):
    """The share of the pictures in each bin, and how much more are right."""
    edges = np.linspace(0, 1, bins + 1)
    for low, high in pairwise(edges):
        own = (confidence >= low) & (confidence < high)
        if own.any():
            yield own.mean(), right[own].mean() - confidence[own].mean()


def calibration(confidence, right, bins):
    return sum(share * abs(gap) for share, gap in gaps(confidence, right, bins))


def at_rates(net, lr, head_lr):
    return [
        {"params": [p], "lr": head_lr if name.startswith("classifier") else lr}
        for name, p in net.named_parameters()
    ]


def macs_a_byte(kernel, m, n, size, groups, bytes_per_value=4):
    conv = nn.Conv2d(m, n, kernel, padding=kernel // 2, groups=groups, bias=False)
    x = torch.zeros(1, m, size, size)
    y = conv(x)
    values = x.numel() + y.numel() + conv.weight.numel()
    return y[0, 0].numel() * conv.weight.numel() / values / bytes_per_value


def folded(weight, gamma, beta, mean, variance, eps):
    weight, bias = fuse_conv_bn_weights(weight, None, mean, variance, eps, gamma, beta)
    return weight.detach(), bias.detach()


def kept(params, optimizer, numbers=(1, 1, 2, 3), size=4):
    names = "none", "sgd", "momentum", "adam"
    return size * params * numbers[names.index(optimizer)]


def floor_of(classes):
    one = torch.zeros(1, classes, dtype=torch.double)
    one[0, 0] = 1
    return F.cross_entropy(one, torch.tensor([0])).item()


def errors_from_0(small, large):
    return stats.ttest_rel(small, large).statistic


def sparse(weight, share):
    where = weight.flatten().abs().argsort()[: round(share * weight.numel())]
    return weight.flatten().index_fill(0, where, 0).view_as(weight)


def thin(weight, rank):
    """By the eigenvectors of W Wᵀ, not by a singular value decomposition."""
    vectors = torch.linalg.eigh(weight @ weight.T).eigenvectors[:, -rank:]
    return vectors.T @ weight, vectors


def unscaled(weight, rank, power=0):
    """The same, with the singular values left out, or to a power."""
    first, second = thin(weight, rank)
    return first * first.norm(dim=1, keepdim=True) ** (power - 1), second


def taught(logits, teacher, temperature, reduction="batchmean"):
    log_pupil = F.log_softmax(logits / temperature, 1)
    aim = F.softmax(teacher / temperature, 1)
    return F.kl_div(log_pupil, aim, reduction=reduction) * temperature**2


RIGHT = [
    (checks.prune_smallest, sparse),
    (checks.two_layers, thin),
    (checks.soft_targets, taught),
    (checks.checkpoint_bytes, kept),
    (checks.least_loss, floor_of),
    (checks.standard_errors, errors_from_0),
    (checks.intensity, macs_a_byte),
    (checks.roof, lambda i, peak, bandwidth: peak * min(1, i / (peak / bandwidth))),
    (checks.fold, folded),
    (checks.confusion, counted),
    (checks.calibration_error, calibration),
    (checks.parameter_groups, at_rates),
    (checks.block_cost, block_macs),
    (checks.inverted_residual, Inverted),
    (checks.dearer_from, smallest),
    (checks.live_units, live),
    (checks.loss_probability, loss),
    (checks.invert, lambda t, y: solved(t, y, rows=(y > 0) & (y < 6))),
    (checks.last_size, halve),
    (checks.separable_block, pair),
    (checks.separable_block, FunctionalPair),
    (checks.decay_groups, groups),
    (checks.unroll, unrolled),
    (checks.streamed_bytes, sliced),
    (checks.pool, mean),
    (checks.conv_cost, macs),
    (checks.separable_conv, conv),
    (checks.find_pair, found),
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
    assert capsys.readouterr().out.startswith("… nothing_yet returns nothing yet: ")
    with pytest.raises(TypeError, match="hand over the function itself"):
        check(7)


def test_an_answer_needs_no_name(capsys):
    checks.pool(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    checks.pool(partial(torch.mean, dim=(2, 3)))
    assert capsys.readouterr().out.count("✓ your answer: ") == 2


@pytest.mark.parametrize("check, answer", RIGHT)
def test_a_checker_does_not_seed_the_notebook(check, answer):
    drawn = set()
    for seed in (1, 2):
        torch.manual_seed(seed)
        check(answer)
        drawn.add(torch.rand(1).item())
    assert len(drawn) == 2


WRONG = [
    (checks.prune_smallest, lambda w, share: sparse(w, share / 2), "sort the sizes"),
    (checks.prune_smallest, lambda w, share: w.mul_(0), "work on a copy"),
    (checks.prune_smallest, lambda w, share: 2 * sparse(w, share), "as it was"),
    (checks.prune_smallest, lambda w, share: sparse(w, share)[0], "keep the shape"),
    (
        checks.prune_smallest,
        lambda w, share: w * (w > w.flatten().quantile(share)),
        "without the sign",
    ),
    (checks.two_layers, lambda w, rank: thin(w, rank)[0], "return a pair"),
    (checks.two_layers, lambda w, rank: thin(w, rank)[::-1], "is 48 × 8, not 8 × 32"),
    (checks.two_layers, lambda w, rank: (1.0, 2.0), "is no tensor"),
    (checks.two_layers, unscaled, "must carry them"),
    (checks.two_layers, lambda w, rank: unscaled(w, rank, 2), "counts once"),
    (
        checks.two_layers,
        lambda w, rank: (w[:rank], w.new_zeros(len(w), rank)),
        "keep the largest",
    ),
    (
        checks.soft_targets,
        lambda z, t, T: taught(z, t, T) / T**2,
        "temperature's square",
    ),
    (checks.soft_targets, lambda z, t, T: taught(t, z, T), "not the pupil's"),
    (checks.soft_targets, lambda z, t, T: z, "return one number"),
    (
        checks.soft_targets,
        lambda z, t, T: taught(z, t, T, "mean"),
        "sum over the classes",
    ),
    (checks.soft_targets, lambda z, t, T: taught(z, t, T, "sum"), "not the sum"),
    (
        checks.soft_targets,
        lambda z, t, T: F.cross_entropy(z / T, F.softmax(t / T, 1)) * T**2,
        "the teacher's own entropy",
    ),
    (checks.soft_targets, lambda z, t, T: taught(z, t, 1), "soften both"),
    (checks.checkpoint_bytes, lambda n, o: kept(n, o, size=1), "has four bytes"),
    (checks.checkpoint_bytes, lambda n, o: kept(n, o, size=8), "of eight bytes"),
    (checks.checkpoint_bytes, lambda n, o: 4 * n, "keeps numbers for each parameter"),
    (
        checks.checkpoint_bytes,
        lambda n, o: kept(n, o, (1, 1, 1, 2)),
        "'momentum' you get .* keeps numbers for each parameter",
    ),
    (checks.checkpoint_bytes, lambda n, o: kept(n, o, (1, 2, 2, 3)), "SGD none"),
    (checks.checkpoint_bytes, lambda n, o: kept(n, o, (0, 0, 1, 2)), "themselves are"),
    (checks.least_loss, lambda n: 0, "a probability is at most 1"),
    (checks.least_loss, math.log, "knows nothing"),
    (checks.least_loss, lambda n: math.exp(-floor_of(n)), "this is the probability"),
    (checks.least_loss, lambda n: -floor_of(n), "minus the logarithm"),
    (checks.least_loss, lambda n: n, "put 1 for the right class"),
    (checks.standard_errors, lambda a, b: errors_from_0(b, a), "small minus large"),
    (checks.standard_errors, lambda a, b: abs(errors_from_0(a, b)), "the sign says"),
    (checks.standard_errors, lambda a, b: (a - b).mean(), "the mean difference"),
    (
        checks.standard_errors,
        lambda a, b: (a - b).mean() / (a - b).std(ddof=1),
        "of n differences has the error",
    ),
    (
        checks.standard_errors,
        lambda a, b: (a - b).mean() / ((a - b).std() / len(a) ** 0.5),
        "with ddof=1",
    ),
    (
        checks.standard_errors,
        lambda a, b: stats.ttest_ind(a, b, equal_var=False).statistic,
        "the spread of the differences",
    ),
    (checks.standard_errors, lambda a, b: 0, "over their std divided by"),
    (checks.confusion, lambda t, s, n: counted(t, s, n).T, "swapped"),
    (checks.confusion, counted_once, "adds once for a repeated pair"),
    (checks.confusion, lambda t, s, n: counted(t, s, n)[:-1], "the shape"),
    (checks.confusion, lambda t, s, n: counted(t, s, n) + 1, "count the pictures"),
    (checks.intensity, lambda *shape: macs_a_byte(*shape, 1), "has four bytes"),
    (checks.intensity, lambda *shape: 1 / macs_a_byte(*shape), "not bytes over"),
    (checks.intensity, lambda *s: s[-1] * macs_a_byte(*s), "its own channels"),
    (checks.intensity, lambda k, m, n, d, g: k * k / 8, "over four times the numbers"),
    (
        checks.intensity,
        lambda k, m, n, d, g: k * k * m * n / g / (4 * (m + n)),
        "the weights must be read",
    ),
    (checks.roof, lambda i, peak, bandwidth: peak, "the bandwidth limits"),
    (checks.roof, lambda i, peak, bandwidth: i * bandwidth, "the peak limits"),
    (checks.fold, lambda w, *rest: folded(w, *rest)[0], "return a pair"),
    (checks.fold, lambda w, *rest: (w, folded(w, *rest)[1]), "must be scaled too"),
    (checks.fold, lambda w, g, b, *rest: (folded(w, g, b, *rest)[0], b), "is right;"),
    (checks.fold, lambda *a: folded(*a[:-1], 0.0), "the scale is γ"),
    (checks.fold, lambda w, *rest: (w, w), "the bias has the shape"),
    (checks.fold, lambda w, *rest: (w, 1.0), "the bias is no tensor"),
    (
        checks.calibration_error,
        lambda c, r, b: np.mean([abs(gap) for _, gap in gaps(c, r, b)]),
        "weigh each bin",
    ),
    (
        checks.calibration_error,
        lambda c, r, b: abs(sum(share * gap for share, gap in gaps(c, r, b))),
        "without its sign",
    ),
    (
        checks.calibration_error,
        lambda c, r, b: 100 * calibration(c, r, b),
        "not per cent",
    ),
    (checks.calibration_error, lambda c, r, b: float("nan"), "leave it out"),
    (checks.calibration_error, lambda c, r, b: 0.0, "in each bin"),
    (
        checks.parameter_groups,
        lambda net, lr, head_lr: at_rates(net, head_lr, lr),
        "features.0.0.weight gets the rate 0.01, not 0.0001",
    ),
    (
        checks.parameter_groups,
        lambda net, lr, head_lr: at_rates(net, lr, head_lr)[:-2],
        "classifier.1.weight is in no group",
    ),
    (checks.parameter_groups, lambda *_: [1, 2], "return a list"),
    (checks.conv_cost, lambda *a: macs(*a[:5], 1), "sees only the maps of its group"),
    (checks.conv_cost, lambda *a: macs(*a) // a[5], "that is one group of them"),
    (
        checks.conv_cost,
        lambda *a: macs(*a) // halve(a[3], a[4] - 1) * a[3],
        "thins rows and columns both",
    ),
    (
        checks.conv_cost,
        lambda k, m, n, d, s, g: macs(k, m, n, d, 1, g),
        "every second row and column",
    ),
    (
        checks.conv_cost,
        lambda k, m, n, d, s, g: macs(k, m, n, d // s, 1, g),
        "an odd side is rounded up",
    ),
    (checks.conv_cost, lambda *a: 2 * macs(*a), "a multiply-add counts once"),
    (checks.conv_cost, lambda *a: macs(*a[:3], 1, 1, a[5]), "these are the weights"),
    (checks.conv_cost, lambda *a: 7, "times the pixels that come out"),
    (checks.conv_cost, lambda *a: "many", "return a number; got 'many'"),
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
    (checks.find_pair, lambda w: found(w)[::-1], "the pair is .* and .*, not"),
    (checks.find_pair, lambda w: w, "return a pair of tensors"),
    (checks.find_pair, lambda w: found(w, output=0), "some numbers are not finite"),
    (
        checks.find_pair,
        lambda w: (found(w)[0], found(w)[1].abs()),
        "times the pointwise weight",
    ),
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
        lambda *layer: scaled(*layer, whole=int),
        "not 15,091,200: round the side: 9.996 pixels are 10",
    ),
    (
        checks.scaled_cost,
        lambda k, m, n, d, a, r: cost.separable_macs(k, m, n, d),
        "scale M and N by alpha",
    ),
    (
        checks.scaled_cost,
        lambda k, m, n, d, a, r: cost.separable_macs(k, a * m, a * n, round(r * d)),
        "cut the channels: 22.5 are 22",
    ),
    (checks.divisible, lambda v: max(9, int(v)), "is not a multiple of 8"),
    (
        checks.divisible,
        lambda v: make_divisible(v - 0.01 * (v % 8 == 4)),
        "44 lies half-way: halves go up",
    ),
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
    (
        checks.best_under,
        lambda rows, m, p: best(rows, m / 1e6, p / 1e6),
        "v2 1-224 fits; are your units millions",
    ),
    (checks.best_under, lambda rows, m, p: "v1", "return one of the rows; got 'v1'"),
    (
        checks.best_under,
        lambda rows, m, p: best(rows, m, p) or rows[0],
        "no row fits under 1 M and 1 M: return None",
    ),
    (checks.last_size, lambda r: r // 32, "rounds an odd side up, each time"),
    (checks.last_size, lambda r: halve(r, times=4), "five layers have stride 2"),
    (checks.last_size, lambda r: -(-r // 64), "is a misprint"),
    (checks.last_size, lambda r: "7", "return a number; got '7'"),
    (
        checks.separable_block,
        lambda m, n, s: pair(m, n, s, groups=1),
        "not depthwise, then pointwise",
    ),
    (
        checks.separable_block,
        lambda m, n, s: pair(m, n, s, padding=0),
        "the depthwise step has the stride and padding 1",
    ),
    (
        checks.separable_block,
        lambda m, n, s: pair(m, n, s, last=nn.Identity),
        "the last ReLU is gone",
    ),
    (
        checks.separable_block,
        lambda m, n, s: nn.Sequential(*pair(m, n, s)[:2], *pair(m, n, s)[3:]),
        r"for \(4, 6, 1\) with your weights other numbers come out",
    ),
    (
        checks.separable_block,
        lambda m, n, s: nn.Sequential(*(pair(m, n, s)[i] for i in (0, 2, 1, 3, 4, 5))),
        "other numbers come out",
    ),
    (
        checks.separable_block,
        lambda m, n, s: nn.Sequential(*(pair(m, n, s)[i] for i in (0, 1, 3, 4, 2, 5))),
        "other numbers come out",
    ),
    (
        checks.separable_block,
        lambda m, n, s: nn.Sequential(
            pair(m, n, 1)[0],
            *pair(m, n, s)[1:3],
            nn.Conv2d(m, n, 1, s, bias=False),
            *pair(m, n, s)[4:],
        ),
        r"for \(6, 12, 2\) with your weights other numbers come out",
    ),
    (
        checks.separable_block,
        lambda m, n, s: pair(m, n, s, bias=True),
        "a convolution before a batch norm needs no bias",
    ),
    (checks.separable_block, lambda m, n, s: "w", "return a module; got 'w'"),
    (
        checks.decay_groups,
        lambda module, decay: groups(module, decay, lambda part: False),
        r"is a depthwise filter: its weight decay must be 0",
    ),
    (
        checks.decay_groups,
        lambda module, decay: groups(module, decay, lambda part: True),
        r"is no depthwise filter: its weight decay must be 4e-05, not 0",
    ),
    (
        checks.decay_groups,
        lambda module, decay: groups(module, decay)[1:],
        "13 parameters are in no group, such as features.1.0.weight",
    ),
    (
        checks.decay_groups,
        lambda module, decay: 2 * groups(module, decay),
        "a parameter is in two groups",
    ),
    (
        checks.decay_groups,
        lambda module, decay: [
            group | {"params": [parameter]}
            for group in groups(module, decay)
            for parameter in group["params"]
        ],
        "return two groups; got 83",
    ),
    (checks.decay_groups, lambda module, decay: [1], "return a list of dicts"),
    (
        checks.unroll,
        lambda table, c: unrolled(table, c, first=False),
        "only the first block of a row has the row's stride",
    ),
    (
        checks.unroll,
        lambda table, c: unrolled(table, c, chained=False),
        "a block reads what the block before it wrote",
    ),
    (checks.unroll, lambda table, c: unrolled(table, 32), "reads in_channels maps"),
    (checks.unroll, lambda table, c: unrolled(table, c)[1:], "16 blocks, not 17"),
    (checks.unroll, lambda table, c: 17, "return a list of tuples; got 17"),
    (
        checks.streamed_bytes,
        lambda *block: sliced(*block, values=1),
        "float16 has two bytes a number",
    ),
    (
        checks.streamed_bytes,
        lambda *block: sliced(*block, values=4),
        "two bytes a number, not four",
    ),
    (
        checks.streamed_bytes,
        lambda *block: sliced(*block[:5], 10**9),
        "the slice inside the block is missing",
    ),
    (
        checks.streamed_bytes,
        lambda *block: sliced(*block[:5], 1),
        "one slice at a time, not all of them",
    ),
    (
        checks.streamed_bytes,
        lambda *block: sliced(*block, ends=False),
        "add up input, one slice inside, and output",
    ),
    (checks.pool, lambda f: f.mean(dim=3), r"not \(2, 8\): one number for each map"),
    (
        checks.pool,
        lambda f: F.avg_pool2d(f, min(7, *f.shape[2:])).reshape(-1, 8),
        "a picture stays one row",
    ),
    (checks.pool, lambda f: f.mean((2, 3)).squeeze(), "a picture stays one row"),
    (checks.pool, lambda f: f.sum((2, 3)) / 49, "divide by 25"),
    (checks.pool, lambda f: "p", "return a tensor; got 'p'"),
    (checks.live_units, lambda c, t: len(t) - live(c, t), "these are the dead ones"),
    (checks.live_units, lambda c, t: live(c, t, axis=0), "one number for each point"),
    (
        checks.live_units,
        lambda c, t: np.maximum(c @ t.T, 0).sum(1),
        "do not add up their values",
    ),
    (checks.live_units, lambda c, t: 3, "return an array; got 3"),
    (checks.loss_probability, lambda n, d: loss(n, d + 1), "exactly d live units are"),
    (checks.loss_probability, lambda n, d: 1 - loss(n, d), "that nothing is lost"),
    (
        checks.loss_probability,
        lambda n, d: math.comb(n, d - 1) / 2**n,
        "fewer are lost as well",
    ),
    (checks.loss_probability, lambda n, d: (n + 1) / 2**n, "two inputs only"),
    (checks.invert, solved, "the dead units' zeros are not values"),
    (checks.invert, lambda t, y: solved(t, y, scale=2), "right on average only"),
    (checks.invert, lambda t, y: solved(t, y, rows=y > 0), "that was cut at 6"),
    (checks.invert, lambda t, y: y, r"x has shape \(2,\); got"),
    (checks.invert, lambda t, y: "x", "return an array; got 'x'"),
    (
        checks.block_cost,
        lambda k, n, s, t, d: d**2 * t * k * (k + 9 + n),
        "after a stride of 2 a quarter of the pixels is left",
    ),
    (checks.block_cost, lambda *b: block_macs(*b, skip=0), "the expanding 1 × 1 is"),
    (checks.block_cost, lambda *b: block_macs(*b, skip=1), "the depthwise 3 × 3 is"),
    (checks.block_cost, lambda *b: block_macs(*b, skip=2), "the projecting 1 × 1 is"),
    (checks.block_cost, lambda *b: 2 * block_macs(*b), "a multiply-add counts once"),
    (
        checks.inverted_residual,
        lambda *b: Inverted(*b, last=nn.ReLU6),
        "the projection is linear",
    ),
    (
        checks.inverted_residual,
        lambda *b: Inverted(*b, shortcut=False),
        "the shortcut is missing",
    ),
    (
        checks.inverted_residual,
        lambda *b: Inverted(*b, shortcut=True),
        "something is added to the output",
    ),
    (
        checks.inverted_residual,
        lambda k, n, s, t: Inverted(k, n, s, t + 1),
        r"put out \[56, 56, 8\] channels, not \[48, 48, 8\]",
    ),
    (
        checks.inverted_residual,
        lambda *b: Inverted(*b, bend=nn.ReLU),
        r"\(8, 8, 1, 6\) .* depthwise .* from 0 to .*: ReLU6 is missing",
    ),
    (
        checks.inverted_residual,
        lambda *b: Inverted(*b, bend=nn.Identity),
        r"depthwise .* from -.* to .*: ReLU6 is missing",
    ),
    (
        checks.inverted_residual,
        lambda *b: Inverted(*b, norm=nn.Identity),
        r"theirs have \[48, 8\] channels, not \[48, 48, 8\]",
    ),
    (
        checks.inverted_residual,
        lambda *b: Inverted(*b, bias=True),
        "a convolution has a bias",
    ),
    (
        checks.inverted_residual,
        lambda *b: Inverted(*b, padding=0, shortcut=False),
        "the stride and padding 1",
    ),
    (checks.inverted_residual, lambda *b: pair(b[0], b[1], b[2]), "expand .pointwise."),
    (checks.inverted_residual, lambda *b: 1, "return a module; got 1"),
    (checks.dearer_from, lambda m, n: smallest(m, n, -1), "costs no more yet"),
    (checks.dearer_from, lambda m, n: 9 * n / (m + 9 + n), "return a whole number"),
    (checks.dearer_from, lambda m, n: smallest(n, m), "are swapped"),
    (checks.dearer_from, lambda m, n: smallest(m, n, window=0), "3 × 3 is missing"),
    (checks.dearer_from, lambda m, n: smallest(m, n, lowest=1), "start from 2"),
    (checks.dearer_from, lambda m, n: 99, "compare t · M"),
    (checks.dearer_from, lambda m, n: max(2, -(-9 * n // (m + 9 + n))), "no more yet"),
]


@pytest.mark.parametrize("check, answer, message", WRONG)
def test_wrong_answers_are_explained(check, answer, message):
    with pytest.raises(AssertionError, match=message):
        check(answer)


def test_the_reference_is_torchs_grouped_convolution():
    x, depthwise, pointwise = next(checks.chapter_1._tensors())
    by_hand = checks.chapter_1._separable_by_hand(x, depthwise, pointwise)
    assert torch.allclose(by_hand, conv(x, depthwise, pointwise))


def test_predict_needs_one_right_option():
    with pytest.raises(ValueError, match="one option must be right, not 0, for 5"):
        checks.predict("How many?", {"two": (2, ""), "three": (3, "")}, answer=5)
    with pytest.raises(ValueError, match="one option must be right, not 2, for 2"):
        checks.predict("How many?", {"two": (2, ""), "also": (2.0, "")}, answer=2)


def test_predict_shows_question_options_and_replies(monkeypatch):
    shown = []
    monkeypatch.setattr(checks.asking, "display", shown.append)
    options = {"two": (2, "1 & 1"), "three": (3, "one too many")}
    checks.predict("2 < 3?", options, answer=2.01)
    page = shown[0].data
    assert "2 &lt; 3?" in page and "<strong>Predict.</strong>" in page
    assert "<summary>two</summary><p><strong>Yes.</strong> 1 &amp; 1</p>" in page
    assert "<summary>three</summary><p><strong>No.</strong> one too many</p>" in page
