"""Questions to the reader, and checkers for the exercises.

A checker takes the reader's function, calls it on random shapes and says
what is right or wrong. It prints a line with a tick, or raises an
AssertionError that names the mistake; an empty function is told so kindly.
"""

import functools
import html
import math
import random
from numbers import Real

from IPython.display import HTML, display

from . import cost, nets


def predict(question, options, answer):
    """Display a question whose options open to say whether they are right.

    options: {text: (value, reply)}. The right one has the value within 2 % of
        ``answer`` (or equal to it), which the caller computes; its reply says
        why, the others' what is wrong with them.

    Raises ValueError unless exactly one option is right.
    """

    def is_right(value):
        if isinstance(value, str) or isinstance(answer, str):
            return value == answer
        return math.isclose(value, answer, rel_tol=0.02)

    right = [text for text, (value, _) in options.items() if is_right(value)]
    if len(right) != 1:
        raise ValueError(f"one option must be right, not {len(right)}, for {answer!r}")
    lines = [f"<p><strong>Predict.</strong> {html.escape(question)}</p>"]
    for text, (_, reply) in options.items():
        verdict = "Yes." if text in right else "No."
        lines.append(
            f"<details><summary>{html.escape(text)}</summary>"
            f"<p><strong>{verdict}</strong> {html.escape(reply)}</p></details>"
        )
    display(HTML('<div class="mb-quiz">\n' + "\n".join(lines) + "\n</div>"))


class _NotWritten(Exception):
    """The reader's function returned nothing yet."""


def _ask(answer, *arguments):
    result = answer(*arguments)
    if result is None or result is ...:
        raise _NotWritten
    return result


def _ask_number(answer, *arguments):
    result = _ask(answer, *arguments)
    assert isinstance(result, Real), f"return a number; got {result!r}"
    return result


def _exercise(check):
    """Make a checker: talk to the reader, let wrong answers raise."""

    @functools.wraps(check)
    def checker(answer):
        if not callable(answer):
            raise TypeError(
                f"hand over the function itself, without calling it; got {answer!r}"
            )
        try:
            message = check(answer)
        except _NotWritten:
            print(f"… {answer.__name__} is not written yet: replace the dots")
        else:
            print(f"✓ {answer.__name__}: {message}")

    return checker


def _shapes(count=20):
    """Random (kernel, in_channels, out_channels, size), the same each time."""
    rng = random.Random(count)
    for _ in range(count):
        yield (
            rng.choice((3, 5, 7)),
            rng.randrange(2, 100),
            rng.randrange(2, 100),
            rng.randrange(2, 30),
        )


@_exercise
def separable_cost(answer):
    """Chapter 1: answer(kernel, in_channels, out_channels, size) -> macs."""
    for shape in _shapes():
        kernel, in_channels, out_channels, size = shape
        got, right = _ask_number(answer, *shape), cost.separable_macs(*shape)
        mistakes = {
            cost.standard_macs(*shape): "this is the cost of a standard convolution",
            cost.depthwise_macs(kernel, in_channels, size): (
                "the pointwise step that mixes the channels is missing"
            ),
            cost.pointwise_macs(in_channels, out_channels, size): (
                "the depthwise step that filters each channel is missing"
            ),
            cost.separable_macs(kernel, out_channels, in_channels, size): (
                "in_channels and out_channels are swapped: the depthwise step "
                "runs on the channels that come in"
            ),
            2 * right: "a multiply-add counts once, not as two operations",
            right // size**2: "these are the weights; each is used at every pixel",
        }
        hint = mistakes.get(got, "add up D_K² · M · D_F² and M · N · D_F²")
        assert got == right, f"for {shape} you get {got:,}, not {right:,}: {hint}"
    return "right on 20 random layers"


def _tensors(count=8):
    """Random (x, depthwise, pointwise) in torch, the same each time."""
    import torch

    generator = torch.Generator().manual_seed(count)
    for kernel, in_channels, out_channels, size in _shapes(count):
        shapes = (
            (2, in_channels, size, size + 1),
            (in_channels, 1, kernel, kernel),
            (out_channels, in_channels, 1, 1),
        )
        yield [
            torch.randn(shape, generator=generator, dtype=torch.float64)
            for shape in shapes
        ]


def _separable_by_hand(x, depthwise, pointwise):
    """The reference, without a convolution: patches and one einsum."""
    import torch

    (batch, channels, height, width), kernel = x.shape, depthwise.shape[-1]
    patches = torch.nn.functional.unfold(x, kernel, padding=kernel // 2)
    patches = patches.view(batch, channels, kernel**2, height, width)
    filters, mix = depthwise.flatten(1), pointwise.flatten(1)
    return torch.einsum("bmkhw,mk,nm->bnhw", patches, filters, mix)


@_exercise
def separable_conv(answer):
    """Chapter 1: answer(x, depthwise, pointwise) -> (B, N, H, W).

    x is (B, M, H, W), depthwise (M, 1, D_K, D_K), pointwise (N, M, 1, 1).
    """
    import torch

    for x, depthwise, pointwise in _tensors():
        right = _separable_by_hand(x, depthwise, pointwise)
        got = _ask(answer, x, depthwise, pointwise)
        assert isinstance(got, torch.Tensor), f"return a tensor; got {got!r}"
        assert got.shape == right.shape, (
            f"for x {tuple(x.shape)} and kernel {depthwise.shape[-1]} the output is "
            f"{tuple(got.shape)}, not {tuple(right.shape)}: pad by kernel // 2 to "
            f"keep height and width, and mix into {len(pointwise)} channels"
        )
        error = (got - right).abs().max().item()
        assert torch.allclose(got, right), (
            f"the shape is right but values are off by up to {error:.3g}: filter "
            f"each channel by itself (groups), then mix, with nothing in between"
        )
    return "right shapes and values on 8 random layers"


@_exercise
def dense_kernel(answer):
    """Chapter 1: answer(depthwise, pointwise) -> (N, M, D_K, D_K)."""
    import torch

    for x, depthwise, pointwise in _tensors():
        got = _ask(answer, depthwise, pointwise)
        shape = (len(pointwise), len(depthwise), *depthwise.shape[-2:])
        assert isinstance(got, torch.Tensor), f"return a tensor; got {got!r}"
        assert got.shape == shape, (
            f"the kernel is {tuple(got.shape)}, not {shape}: one D_K × D_K filter "
            f"for each pair of an output and an input channel"
        )
        dense = torch.nn.functional.conv2d(x, got, padding=shape[-1] // 2)
        assert torch.allclose(dense, _separable_by_hand(x, depthwise, pointwise)), (
            "a standard convolution with your kernel gives another output: filter "
            "m of output n must be the depthwise filter m times the weight (n, m)"
        )
    return "one standard convolution does the work of the two"


@_exercise
def last_size(answer):
    """Chapter 2: answer(resolution) -> side of V1's last map, in pixels."""
    for resolution in range(224, 31, -3):
        got = _ask_number(answer, resolution)
        right = nets.mobilenet_v1(resolution=resolution).layers[-2].out_size
        hint = "five layers have stride 2, and each halves the side"
        if got == resolution / 32 or got == resolution // 32:
            hint = "a padded layer of stride 2 rounds an odd side up, each time"
        elif got == math.ceil(resolution / 64):
            hint = "the second stride 2 of Table 1's last rows is a misprint"
        assert got == right, f"for {resolution} you get {got}, not {right}: {hint}"
    return "right for 65 sizes of pictures"


def _kinds_of(module):
    """The module's convolutions as "depthwise", "pointwise" or "conv"."""
    import torch

    found = {}
    for part in module.modules():
        if isinstance(part, torch.nn.Conv2d):
            depthwise = 1 < part.groups == part.in_channels
            pointwise = part.kernel_size == (1, 1) and part.groups == 1
            kind = "pointwise" if pointwise else "conv"
            found[part] = "depthwise" if depthwise else kind
    return found


@_exercise
def separable_block(answer):
    """Chapter 2: answer(in_channels, out_channels, stride) -> torch module."""
    import torch

    for in_channels, out_channels, stride in ((4, 6, 1), (6, 12, 2), (16, 8, 1)):
        asked = f"for ({in_channels}, {out_channels}, {stride})"
        block = _ask(answer, in_channels, out_channels, stride)
        assert isinstance(block, torch.nn.Module), f"return a module; got {block!r}"
        kinds = list(_kinds_of(block).values())
        assert kinds == ["depthwise", "pointwise"], (
            f"{asked} the convolutions are {kinds}, not depthwise, then pointwise: "
            f"depthwise has groups=in_channels, pointwise has kernel 1"
        )
        torch.manual_seed(0)
        x = torch.randn(2, in_channels, 9, 10)
        shape, got = (2, out_channels, -(-9 // stride), 10 // stride), block(x)
        assert got.shape == shape, (
            f"{asked} the output of a (2, {in_channels}, 9, 10) input is "
            f"{tuple(got.shape)}, not {shape}: the depthwise step has the stride "
            f"and padding 1"
        )
        assert got.min() >= 0, f"{asked} values below 0 come out: the last ReLU is gone"
        parts = [type(part) for part in block.modules()]
        for kind, name in (
            (torch.nn.BatchNorm2d, "batch norm"),
            (torch.nn.ReLU, "ReLU"),
        ):
            assert parts.count(kind) == 2, (
                f"{asked} there are {parts.count(kind)} {name} layers: V1 has one "
                f"after each of the two convolutions"
            )
        right = cost.Layer("depthwise", in_channels, in_channels, 3).params
        right += cost.Layer("pointwise", in_channels, out_channels).params
        count = sum(parameter.numel() for parameter in block.parameters())
        assert count == right, (
            f"{asked} there are {count} parameters, not {right}: a convolution before "
            f"a batch norm needs no bias, and the depthwise kernel is 3 × 3"
        )
    return "right parts, shapes and parameters in three blocks"


@_exercise
def decay_groups(answer):
    """Chapter 2: answer(module, weight_decay) -> parameter groups for torch.optim."""
    import torch

    from .models import MobileNetV1

    module, decay = MobileNetV1(0.25, classes=10), 4e-5
    groups = _ask(answer, module, decay)
    assert isinstance(groups, list | tuple) and all(
        isinstance(group, dict) and {"params", "weight_decay"} <= set(group)
        for group in groups
    ), f"return a list of dicts with params and weight_decay; got {groups!r}"
    given = [
        (id(parameter), group["weight_decay"])
        for group in groups
        for parameter in group["params"]
    ]
    decays, names = dict(given), {id(p): name for name, p in module.named_parameters()}
    assert len(given) == len(decays), "a parameter is in two groups"
    lost = [name for key, name in names.items() if key not in decays]
    assert not lost, f"{len(lost)} parameters are in no group, such as {lost[0]}"
    depthwise = {
        id(part.weight)
        for part, kind in _kinds_of(module).items()
        if kind == "depthwise"
    }
    for key, name in names.items():
        expected = 0 if key in depthwise else decay
        kind = "a depthwise filter" if key in depthwise else "no depthwise filter"
        assert decays[key] == expected, (
            f"{name} is {kind}: its weight decay must be {expected}, not {decays[key]}"
        )
    torch.optim.RMSprop(groups, lr=0.045)
    return f"decay for all but {len(depthwise)} depthwise filters"


@_exercise
def scaled_cost(answer):
    """Chapter 3: answer(kernel, in_channels, out_channels, size, alpha, rho)."""
    rng = random.Random(3)
    for kernel, in_channels, out_channels, size in _shapes():
        alpha, rho = rng.choice((0.25, 0.5, 0.75)), rng.choice((0.5, 1.0))
        in_channels, out_channels, size = 4 * in_channels, 4 * out_channels, 2 * size
        shape = (kernel, in_channels, out_channels, size)
        got = _ask_number(answer, *shape, alpha, rho)
        scaled = (int(alpha * in_channels), int(alpha * out_channels), int(rho * size))
        right, full = cost.separable_macs(kernel, *scaled), cost.separable_macs(*shape)
        hint = "scale M and N by alpha and D_F by rho, then count"
        if math.isclose(got, alpha**2 * rho**2 * full):
            hint = (
                "the depthwise part has one factor of alpha, not two: it has no "
                "output channels of its own"
            )
        elif math.isclose(got, cost.separable_macs(kernel, *scaled[:2], size)):
            hint = "rho is missing: it shrinks both sides of the feature map"
        elif math.isclose(got, rho * cost.separable_macs(kernel, *scaled[:2], size)):
            hint = "rho counts twice, for the height and for the width"
        assert got == right, (
            f"for {shape}, alpha {alpha}, rho {rho} you get {got:,}, "
            f"not {right:,}: {hint}"
        )
    return "right on 20 random layers"


@_exercise
def divisible(answer):
    """Chapter 3: answer(value) -> channels, by the official rounding."""
    alphas = [step / 20 for step in range(1, 29)]
    for value in [alpha * c for alpha in alphas for c in (16, 24, 32, 96, 160, 320)]:
        got, right = _ask_number(answer, value), nets.make_divisible(value)
        hint = "go to the nearest multiple of 8, halves up"
        if got % 8:
            hint = f"{got} is not a multiple of 8"
        elif got < 8:
            hint = "never fewer than 8 channels"
        elif got < 0.9 * value:
            hint = "this loses more than 10 % of the channels: go one step up"
        elif got == 8 * math.ceil(value / 8):
            hint = "this rounds up always; the rule goes to the nearest multiple"
        assert got == right, f"for {value:g} you get {got}, not {right}: {hint}"
    return "right on every width of the explorer"


@_exercise
def best_under(answer):
    """Chapter 3: answer(rows, max_macs, max_params) -> a row, or None.

    rows are ``published.Published``; the budgets are in millions and hold
    for our own counts, ``row.build()``.
    """
    from .published import TF_SLIM

    rows = [r for r in TF_SLIM if r.net in ("v1", "v2") and r.precision == "float"]
    counts = {row: (row.build().macs / 1e6, row.build().params / 1e6) for row in rows}
    for max_macs, max_params in ((600, 5), (100, 5), (50, 2), (1000, 0.5), (30, 1.7)):
        fits = [
            row
            for row, (macs, params) in counts.items()
            if macs <= max_macs and params <= max_params
        ]
        best = max(fits, key=lambda row: row.top1)
        got = _ask(answer, rows, max_macs, max_params)
        asked = f"under {max_macs} M multiply-adds and {max_params} M parameters"
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


@_exercise
def unroll(answer):
    """Chapter 6: answer(table, in_channels) -> [(in, out, stride, expansion)].

    table: rows of (expansion, out_channels, repeats, stride), as V2's Table 2.
    """
    rng = random.Random(6)
    tables = [nets.V2_BLOCKS]
    for _ in range(5):
        tables.append(
            tuple(
                (rng.randrange(1, 7), 8 * rng.randrange(1, 9), rng.randrange(1, 5), 2)
                for _ in range(4)
            )
        )
    for table in tables:
        got, right, channels = _ask(answer, table, 32), [], 32
        for expansion, out_channels, repeats, stride in table:
            for repeat in range(repeats):
                first = stride if repeat == 0 else 1
                right.append((channels, out_channels, first, expansion))
                channels = out_channels
        assert isinstance(got, list | tuple), f"return a list of tuples; got {got!r}"
        assert len(got) == len(right), (
            f"for {table} you get {len(got)} blocks, not {len(right)}: a row stands "
            f"for as many blocks as it has repeats"
        )
        for number, (ours, theirs) in enumerate(zip(got, right, strict=True), 1):
            hint = "(in_channels, out_channels, stride, expansion)"
            if ours[2:3] != theirs[2:3]:
                hint = "only the first block of a row has the row's stride"
            elif ours[:1] != theirs[:1]:
                hint = "a block reads what the block before it wrote"
            assert tuple(ours) == theirs, (
                f"for {table} block {number} is {ours}, not {theirs}: {hint}"
            )
    return "right for V2's table and five others"


@_exercise
def streamed_bytes(answer):
    """Chapter 6: answer(in_channels, out_channels, stride, expansion, size, parts).

    Returns the bytes in float16 while the block runs in slices; ``size`` is
    the side of its input and even, ``parts`` divides the expanded channels.
    """
    for block in nets.v2_blocks():
        in_channels, out_channels, stride, expansion = block
        if expansion == 1:
            continue
        for size, parts in ((14, 2), (28, 4), (56, 8), (28, expansion * in_channels)):
            got = _ask_number(answer, *block, size, parts)
            layers = nets.inverted_residual(*block, size)
            right = nets.block_memory(layers, parts, 2)
            inner = expansion * in_channels // parts * (size**2 + (size // stride) ** 2)
            ends = in_channels * size**2 + out_channels * (size // stride) ** 2
            mistakes = {
                ends + inner: "float16 has two bytes a number",
                4 * (ends + inner): "float16 has two bytes a number, not four",
                2 * ends: "the slice inside the block is missing",
                2 * (ends + parts * inner): "one slice at a time, not all of them",
                2 * (in_channels * size**2 + inner): "the output is missing",
                2 * (ends + inner // 2): "a slice stands before and after the 3 × 3",
            }
            hint = mistakes.get(got, "add up input, one slice inside, and output")
            assert got == right, (
                f"for {block} at {size} pixels in {parts} parts you get {got:,}, "
                f"not {right:,}: {hint}"
            )
    return "right for 16 blocks of V2, four ways each"


@_exercise
def pool(answer):
    """Chapter 6: answer(features) -> (B, C), for features (B, C, H, W)."""
    import torch

    generator = torch.Generator().manual_seed(6)
    for height, width in ((7, 7), (5, 5), (6, 6), (14, 14), (7, 10), (1, 1)):
        features = torch.randn(2, 8, height, width, generator=generator)
        got = _ask(answer, features)
        assert isinstance(got, torch.Tensor), f"return a tensor; got {got!r}"
        assert got.shape == (2, 8), (
            f"from {tuple(features.shape)} you get {tuple(got.shape)}, not (2, 8): one "
            f"number for each map, and a picture stays one row"
        )
        right = features.sum(dim=(2, 3)) / (height * width)
        assert torch.allclose(got, right, atol=1e-6), (
            f"maps of {height} × {width} pixels: the mean over all pixels is another "
            f"(sum over a map, and divide by {height * width})"
        )
    return "the mean of each map, for six sizes"


def _layers(inputs=2, count=12):
    """Random (points, layer): (P, inputs) and (n, inputs), the same each time."""
    import numpy as np

    rng = np.random.default_rng(4)
    for _ in range(count):
        channels = int(rng.integers(inputs + 1, 12))
        yield rng.normal(size=(20, inputs)), rng.normal(size=(channels, inputs))


@_exercise
def live_units(answer):
    """Chapter 4: answer(curve, layer) -> live units of each point, (P,)."""
    import numpy as np

    for curve, layer in _layers():
        got, values = _ask(answer, curve, layer), curve @ layer.T
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


@_exercise
def loss_probability(answer):
    """Chapter 4: answer(channels, inputs) -> chance that fewer units are live."""
    from .manifold import collapse_probability

    for channels, inputs in ((2, 2), (8, 4), (15, 2), (6, 1), (24, 4), (3, 3)):
        got = _ask_number(answer, channels, inputs)
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


@_exercise
def invert(answer):
    """Chapter 4: answer(layer, code) -> x, (2,), from the live units."""
    import numpy as np

    for curve, layer in _layers():
        for x in curve:
            code = np.maximum(layer @ x, 0)
            if (code > 0).sum() < 2:
                continue
            got = _ask(answer, layer, code)
            assert isinstance(got, np.ndarray), f"return an array; got {got!r}"
            assert got.shape == (2,), f"x has shape (2,); got {got.shape}"
            hint = "solve the rows of the live units for x"
            if np.allclose(got, np.linalg.pinv(layer) @ code):
                hint = (
                    "the dead units' zeros are not values of T x: use the rows with "
                    "code > 0 alone"
                )
            elif np.allclose(got, 2 * np.linalg.pinv(layer) @ code):
                hint = "twice the read-out is right on average only; x can be exact"
            assert np.allclose(got, x), (
                f"for {len(layer)} units you get {got.round(3)}, not {x.round(3)}: "
                f"{hint}"
            )
    return "every point with two live units, exactly"


@_exercise
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
        got = _ask_number(answer, k, n, stride, t, size)
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


@_exercise
def inverted_residual(answer):
    """Chapter 5: answer(in_channels, out_channels, stride, expansion) -> module."""
    import torch

    for k, n, stride, t in ((8, 8, 1, 6), (8, 12, 1, 4), (8, 8, 2, 6), (4, 4, 1, 3)):
        asked = f"for ({k}, {n}, {stride}, {t})"
        block = _ask(answer, k, n, stride, t)
        assert isinstance(block, torch.nn.Module), f"return a module; got {block!r}"
        kinds = list(_kinds_of(block).values())
        assert kinds == ["pointwise", "depthwise", "pointwise"], (
            f"{asked} the convolutions are {kinds}: expand (pointwise), filter "
            f"(depthwise), project (pointwise)"
        )
        inner = [part.out_channels for part in _kinds_of(block)]
        assert inner == [t * k, t * k, n], (
            f"{asked} the convolutions put out {inner} channels, not "
            f"{[t * k, t * k, n]}"
        )
        torch.manual_seed(0)
        x = torch.randn(2, k, 8, 8)
        got, shape = block.eval()(x), (2, n, 8 // stride, 8 // stride)
        assert got.shape == shape, (
            f"{asked} the output of a (2, {k}, 8, 8) input is {tuple(got.shape)}, not "
            f"{shape}: the depthwise step has the stride and padding 1"
        )
        *_, last = (p for p in block.modules() if isinstance(p, torch.nn.BatchNorm2d))
        assert last.num_features == n, f"{asked} the last batch norm is missing"
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


@_exercise
def quantise(answer):
    """Chapter 5: answer(x, top) -> x in 256 levels from 0 to top."""
    import torch

    generator = torch.Generator().manual_seed(5)
    for top in (6.0, 2.0, 12.0):
        x = 8 * torch.randn(2000, generator=generator)
        got, step = _ask(answer, x, top), top / 255
        assert isinstance(got, torch.Tensor), f"return a tensor; got {got!r}"
        assert got.shape == x.shape, f"keep the shape {tuple(x.shape)}"
        assert got.min() >= 0 and got.max() <= top + 1e-5, (
            f"for top {top} values reach from {got.min():.2f} to {got.max():.2f}: cut "
            f"them to 0 and {top} first"
        )
        assert len(got.unique()) <= 256, (
            f"for top {top} there are {len(got.unique())} levels: 8 bits have 256"
        )
        right = (x.clamp(0, top) / step).round() * step
        error = (got - x.clamp(0, top)).abs().max().item()
        hint = "levels lie top / 255 apart, 0 and top among them"
        if torch.allclose(got, (x.clamp(0, top) / step).floor() * step, atol=1e-5):
            hint = "round to the nearest level, not down"
        elif got.max() > 1 and torch.allclose(got, right / step, atol=1e-3):
            hint = "go back from the number of the level to its value"
        assert torch.allclose(got, right, atol=1e-4), (
            f"for top {top} a value moves by up to {error:.3f}, more than half a step "
            f"of {step:.3f}: {hint}"
        )
    return "256 levels, each value at its nearest"


@_exercise
def confusion(answer):
    """Chapter 7: answer(truth, says, classes) -> counts, a row for each truth."""
    import numpy as np

    rng = np.random.default_rng(7)
    for classes in (2, 3, 6):
        truth, says = rng.integers(0, classes, (2, 200))
        says = np.where(rng.random(200) < 0.6, truth, says)
        truth[truth == classes - 1] = 0  # a class that is said and never true
        got = np.asarray(_ask(answer, truth, says, classes))
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


@_exercise
def calibration_error(answer):
    """Chapter 7: answer(confidence, right, bins) -> expected calibration error."""
    import numpy as np

    rng = np.random.default_rng(7)
    for bins in (5, 10, 15):
        # some bins are empty: no net is less sure than one of six
        confidence = 1 - rng.beta(1, 4, 400) * (5 / 6)
        right = rng.random(400) < confidence**2
        got = _ask_number(answer, confidence, right, bins)
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
        hint = "in each bin: the share that is right against the mean confidence"
        for mistake, words in mistakes.items():
            if math.isclose(got, mistake, rel_tol=1e-6):
                hint = words
        assert not math.isnan(got), "an empty bin has no mean: leave it out"
        assert math.isclose(got, error, rel_tol=1e-6, abs_tol=1e-9), (
            f"with {bins} bins you get {got:.4f}, not {error:.4f}: {hint}"
        )
    return "right with 5, 10 and 15 bins, some of them empty"


@_exercise
def parameter_groups(answer):
    """Chapter 7: answer(net, lr, head_lr) -> parameter groups for an optimizer."""
    import torch

    from . import models

    net = models.MobileNetV2(0.35, classes=6)
    groups = _ask(answer, net, 1e-4, 1e-2)
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


@_exercise
def intensity(answer):
    """Chapter 8: answer(kernel, in_channels, out_channels, size, groups) -> MACs/B."""
    for kernel, m, n, size in _shapes():
        for groups in (1, m):
            n_out = n if groups == 1 else m
            got = _ask_number(answer, kernel, m, n_out, size, groups)
            kind = "conv" if groups == 1 else "depthwise"
            layer = cost.Layer(kind, m, n_out, kernel, in_size=size)
            right = layer.macs / layer.bytes_moved()
            without = layer.macs / (4 * (layer.in_values + layer.out_values))
            mistakes = {
                4 * right: "a number of float32 has four bytes",
                without: "the weights must be read as well",
                layer.macs / layer.bytes_moved(1): "a number of float32 has four bytes",
                1 / right: "multiply-adds over bytes, not bytes over multiply-adds",
                groups * right: "a group reads only its own channels: divide by groups",
            }
            hint = "multiply-adds over four times the numbers in input, output, weights"
            for mistake, words in mistakes.items():
                if math.isclose(got, mistake, rel_tol=1e-6):
                    hint = words
            assert math.isclose(got, right, rel_tol=1e-6), (
                f"for kernel {kernel}, {m} channels in, {n_out} out, size {size}, "
                f"{groups} groups you get {got:.4f}, not {right:.4f}: {hint}"
            )
    return "right for 20 shapes, standard and depthwise"


@_exercise
def roof(answer):
    """Chapter 8: answer(intensity, peak, bandwidth) -> attainable MACs/s."""
    rng = random.Random(8)
    for _ in range(20):
        peak, bandwidth = rng.uniform(10, 1000), rng.uniform(1, 100)  # in billions
        for part in (0.1, 0.9, 1.1, 10):  # of the ridge
            own = part * peak / bandwidth
            got, right = _ask_number(answer, own, peak, bandwidth), part * peak
            side = "below" if part < 1 else "above"
            limit = "bandwidth" if part < 1 else "peak"
            right = min(right, peak)
            assert math.isclose(got, right, rel_tol=1e-6), (
                f"at {own:.2f} multiply-adds a byte you get {got:.4g}, not "
                f"{right:.4g}: it lies {side} the ridge, where the {limit} limits"
            )
    return "right on both sides of 20 ridges"


@_exercise
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
        got = _ask(answer, weight, gamma, beta, mean, variance, eps)
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


@_exercise
def checkpoint_bytes(answer):
    """Chapter 9: answer(params, optimizer) -> bytes of a checkpoint in float32."""
    copies = {"none": 1, "sgd": 1, "momentum": 2, "adam": 3}
    for params in (202_950, 734_246):
        for optimizer, numbers in copies.items():
            got, right = _ask_number(answer, params, optimizer), 4 * params * numbers
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


@_exercise
def least_loss(answer):
    """Chapter 9: answer(classes) -> least cross-entropy of probabilities."""
    for classes in (2, 6, 10, 1000):
        got = _ask_number(answer, classes)
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


@_exercise
def smallest_test(answer):
    """Chapter 9: answer(percent, digits) -> the fewest pictures that can give it."""
    for right, count, digits in ((84, 85, 3), (77, 83, 2), (1, 3, 1), (19, 20, 1)):
        percent = round(100 * right / count, digits)
        got = _ask_number(answer, percent, digits)
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


@_exercise
def prune_smallest(answer):
    """Chapter 10: answer(weight, share) -> weight, the smallest of it at zero."""
    import torch

    generator = torch.Generator().manual_seed(10)
    for n, m, share in ((20, 30, 0.5), (64, 16, 0.9), (10, 10, 0.0)):
        weight = torch.randn(n, m, 1, 1, generator=generator)
        before = weight.clone()
        got = _ask(answer, weight, share)
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


@_exercise
def two_layers(answer):
    """Chapter 10: answer(weight, rank) -> first (rank, M), second (N, rank)."""
    import torch

    generator = torch.Generator().manual_seed(10)
    for n, m, rank in ((48, 32, 8), (16, 40, 3), (24, 24, 1)):
        weight = torch.randn(n, m, generator=generator)
        got = _ask(answer, weight, rank)
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


@_exercise
def soft_targets(answer):
    """Chapter 10: answer(logits, taught, temperature) -> the teacher's loss."""
    import torch
    from torch.nn.functional import softmax

    generator = torch.Generator().manual_seed(10)
    for temperature in (1.0, 4.0, 0.5):
        logits, taught = 3 * torch.randn(2, 7, 6, generator=generator)
        got = _ask(answer, logits, taught, temperature)
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
