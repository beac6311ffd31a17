"""The ledger: what is printed about classifiers, beside our own count.

Ours is always the same: multiply-adds of convolutions and linear layers,
weights without batch norm and biases; for the size of a file, all parameters
in float32. Rules decide what agrees. Where a
source counts in another way, that way is run, and must give the printed
number as well. What is left needs a reason, in ``REASONS``.
"""

import math
import re
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache
from itertools import groupby
from typing import NamedTuple

from . import cost, nets, published
from .cost import Layer

VERDICTS = {
    "agrees": "within 1 % of ours; counts of layers, blocks and channels, numbers "
    "printed in full, shapes and words must be the same",
    "rounding": "over 1 % off, yet ours rounded or cut to the printed digits",
    "convention": "another way of counting, intended or not, gives the printed "
    "number, to 1 % or to its digits",
    "typo": "a slip: the same source shows elsewhere that it cannot be",
    "not reproducible": "no way of counting that we know gives it",
    "wrong": "a statement that the count contradicts",
}

REVIEWS = {
    "review 1": "a reading of the V1 paper, section by section",
    "review 2": "V1 and V2 side by side",
    "review 3": "a short note on V2 (it states no number)",
    "review 4": "V2 with an implementation in PyTorch",
    "review 5": "how an engineer shrank a classifier of partial discharges",
}


class Entry(NamedTuple):
    """One printed number, ours, and what to think of it.

    difference: how far the printed number is from ours, "–" for words.
    verdict: a key of ``VERDICTS``. why: empty where the number agrees.
    """

    source: str
    item: str
    published: str
    computed: str
    difference: str
    verdict: str
    why: str


REASONS = {
    ("V1 Table 1", "row 18"): (
        "typo",
        "with stride 2 the next row could not start from 7×7",
    ),
    ("V1 Table 2", "Conv 3×3, multiply-adds (%)"): (
        "typo",
        "the printed column adds up to 99.29; with 1.91 it is 100.01",
    ),
    ("V1 Table 9", "Squeezenet, multiply-adds (M)"): (
        "wrong",
        "twice the multiply-adds: operations, as it seems, two for each",
    ),
    ("V1 text", "0.50-160: times fewer than Squeezenet"): (
        "wrong",
        "takes the 1700 of Table 9 for multiply-adds",
    ),
    ("V1 Table 12", "0.25 MobileNet-224, no classifier, multiply-adds (M)"): (
        "not reproducible",
        "Table 6 prints 41 with the classifier",
    ),
    ("V1 Table 12", "0.25 MobileNet-128, no classifier, multiply-adds (M)"): (
        "not reproducible",
        "13 % too much; the row at 224 pixels has 10 % too much",
    ),
    ("V1 Table 14", "row 2: 1.0 MobileNet-160, no classifier, multiply-adds (M)"): (
        "not reproducible",
        "Table 7 prints 290 with the classifier, which takes 1",
    ),
    ("V1 Table 14", "row 4: 0.75 MobileNet-128, no classifier, multiply-adds (M)"): (
        "typo",
        "two rows have one name; this is the cost of 0.75 MobileNet-160",
    ),
    ("V1 Table 14", "row 5: 0.75 MobileNet-128, no classifier, multiply-adds (M)"): (
        "not reproducible",
        "the head of this net is not described",
    ),
    **{
        ("V1 Table 14", f"row {row}, no classifier, parameters (M)"): (
            "not reproducible",
            "the head of this net is not described",
        )
        for row in (
            "2: 1.0 MobileNet-160",
            "3: 1.0 MobileNet-128",
            "4: 0.75 MobileNet-128",
            "5: 0.75 MobileNet-128",
        )
    },
    ("V1 text", "PlaNet: multiply-adds (M)"): (
        "typo",
        "million for billion: Table 6 prints 569 million for nearly this net",
    ),
    ("V1 text", "face attributes: parameters of the baseline (M)"): (
        "not reproducible",
        "text and table contradict each other; this net cannot be counted here",
    ),
    ("V2 Table 3", "7×7, V1, memory (kB)"): (
        "typo",
        "half of the row above, 512 channels at 14×14: 100",
    ),
    # not a rule: rounding up would pass TF-slim's 0.47 for 0.4636, too
    ("V2 Table 3", "7×7, V2, memory (kB)"): (
        "rounding",
        "rounded up, where the table cuts its 62.7 to 62",
    ),
    ("V2 Table 4", "MobileNetV1, multiply-adds (M)"): (
        "not reproducible",
        "the V1 paper prints 569 for this net",
    ),
    ("V2 Table 4", "MobileNetV2 (1.4), parameters (M)"): (
        "not reproducible",
        "the authors' own page prints 6.06 for this net",
    ),
    ("V2 text", "residual bottleneck layers"): (
        "typo",
        "the n of Table 2 add up to 17; 19 has the first and last convolution in it",
    ),
    ("V2 text", "smallest net (0.35, 96 pixels), multiply-adds (M)"): (
        "not reproducible",
        "the authors' own page prints 11; α = 0.25 at 96 pixels would be 7.9",
    ),
    ("V2 text", "largest net (1.4, 224 pixels), parameters (M)"): (
        "not reproducible",
        "the authors' own page prints 6.06 for this net",
    ),
    ("TF-slim", "V1 0.25-192, multiply-adds (M)"): (
        "typo",
        "the 41 of its row at 224 pixels, times (192/224)², is 30",
    ),
    ("review 1", "3×3 on 64×64, stride 1, no padding: side of the output"): (
        "wrong",
        "the window fits at 62 places; 64 needs a padding of 1",
    ),
    ("review 1", "separable, 64 to 128, 128×128: times fewer"): (
        "wrong",
        "11.9 % is left: 88.1 % is saved, not a tenth, and not nine tenths",
    ),
    ("review 2", "third resolution of V1's table"): ("typo", "the table has 160"),
    ("review 2", "convolution blocks of V2"): (
        "typo",
        "the n of the table that it shows add up to 17",
    ),
    ("review 2", "blocks with t = 6"): ("wrong", "the first block has t = 1"),
    ("review 2", "blocks with their row's stride s"): (
        "wrong",
        "only the first of a row's n repeats has it; the others have 1, the s of "
        "their row for two of them",
    ),
    ("review 4", "blocks with t = 6"): ("wrong", "the first block has t = 1"),
    ("review 4", "both from 8 to 16: convolution over block (times)"): (
        "wrong",
        "the 26 compares a block from 8 to 16 with a layer from 48 to 96",
    ),
    ("review 4", "both from 8 to 16: separable over block (times)"): (
        "wrong",
        "the 3 compares a block from 8 to 16 with a layer from 48 to 96",
    ),
    ("review 5", "PDModel, size of the model (MB)"): (
        "not reproducible",
        "float32 weights take about half; the format of the file is not told",
    ),
    ("review 5", "PDLightModel, row 9: input"): (
        "typo",
        "64 channels, as the row before puts out; and 4 rows, 8 columns",
    ),
    ("review 5", "PDLightModel, row 12: output channels"): (
        "typo",
        "pooling keeps the channels; the next row starts with 256",
    ),
}


@cache
def ledger():
    """All entries: the papers, TensorFlow's checkpoints, the reviews.

    Raises ValueError if a printed number disagrees and has no reason, or if
    a reason is left over.
    """
    entries = tuple(
        entry
        for part in (_v1, _v2, _tf_slim, _review_1, _review_2, _review_4, _review_5)
        for entry in part()
    )
    cells = [entry[:2] for entry in entries]
    for cell in REASONS:
        if cell not in cells:
            raise ValueError(f"REASONS has {cell}, but the ledger has no such cell")
    return entries


def where(source, pattern=""):
    """The entries of one source that neither agree nor differ by rounding.

    pattern: a regular expression that the item must contain.

    Raises LookupError if there are none.
    """
    found = [
        entry
        for entry in ledger()
        if entry.source == source
        and re.search(pattern, entry.item)
        and entry.verdict not in ("agrees", "rounding")
    ]
    if not found:
        raise LookupError(f"no disagreement of {source!r} matches {pattern!r}")
    return found


def compare(source, item, printed, ours, otherwise=()):
    """An ``Entry`` for a printed number, with the verdict by rule.

    ours: a float is held to 1 % or the printed digits, an integer and a text
        must be equal.
    otherwise: {name: number} of other ways of counting, tried in order if
        ours disagrees.

    Raises ValueError if nothing agrees and ``REASONS`` does not know the
    cell, or if it agrees and ``REASONS`` has one nevertheless.
    """
    printed, reason = str(printed), REASONS.get((source, item))
    computed = _written(ours, printed)
    verdict, why = _judge(printed, ours)
    for name, number in dict(otherwise).items():
        if not verdict and _judge(printed, number)[0]:
            verdict, why = "convention", f"{name}: {_written(number, printed)}"
    if verdict and reason:
        raise ValueError(f"{source}, {item}: {verdict}, but REASONS has {reason}")
    if not verdict and not reason:
        raise ValueError(
            f"{source}, {item}: printed {printed}, ours {computed}. Correct one of "
            f"them, or say why in REASONS"
        )
    if not verdict:
        verdict, why = reason
    return Entry(
        source, item, printed, computed, _difference(printed, ours), verdict, why
    )


def _judge(printed, ours):
    """(verdict, why) if a printed number is ours, else (None, "")."""
    if isinstance(ours, str):
        return ("agrees", "") if printed == ours else (None, "")
    number = Decimal(printed.replace(",", ""))
    if isinstance(ours, int):
        return ("agrees", "") if number == ours else (None, "")
    if math.isclose(number, ours, rel_tol=0.01):
        return "agrees", ""
    last_digit = Decimal(1).scaleb(number.as_tuple().exponent)
    for rounding, why in ((ROUND_HALF_UP, "rounded"), (ROUND_DOWN, "cut")):
        if number == Decimal(ours).quantize(last_digit, rounding):
            return "rounding", f"{why} to the digits printed"
    return None, ""


def _written(ours, printed):
    """Ours as text, with two digits more than were printed."""
    if isinstance(ours, float):
        decimals = len(printed.partition(".")[2]) + 2
        return f"{ours:,.{decimals}f}"
    return f"{ours:,}" if isinstance(ours, int) else ours


def _difference(printed, ours):
    if isinstance(ours, str):
        return "–"
    return f"{100 * (float(printed.replace(',', '')) / ours - 1):+z.2f} %"


# The parts of the ledger, each a generator of entries


def _v1():
    net = nets.mobilenet_v1()
    kinds = ("pointwise", "depthwise", "conv", "linear")
    shares = net.shares("macs"), net.shares("weights")
    for kind, (name, *printed) in zip(kinds, published.V1_TABLE_2.rows, strict=True):
        for what, share, percent in zip(
            ("multiply-adds (%)", "parameters (%)"), shares, printed, strict=True
        ):
            yield compare("V1 Table 2", f"{name}, {what}", percent, 100.0 * share[kind])
    for row, layers in zip(published.V1_TABLE_3.rows, _table_3_layers(), strict=True):
        yield from _costs("V1 Table 3", *row, layers)
    for row in published.V1_PAPER:
        if row.source == "V1 Table 9":  # below, with its table
            continue
        name = {"conv": "Conv MobileNet", "shallow": "Shallow MobileNet"}.get(
            row.net, f"{row.alpha} MobileNet-{row.resolution}"
        )
        yield from _costs(row.source, name, row.macs, row.params, row.build().layers)
    for table in (published.V1_TABLE_8, published.V1_TABLE_9):
        name, _, *printed = table.rows[0]
        yield from _costs(table.source, name, *printed, _named(name).layers)
    name, _, *printed = published.V1_TABLE_9.rows[1]
    units = "multiply-adds (M)", "parameters (M)"
    for unit, number, ours in zip(units, printed, squeezenet(), strict=True):
        yield compare("V1 Table 9", f"{name}, {unit}", number, ours / 1e6)
    for name, _, *printed in published.V1_TABLE_10.rows[1:]:
        dogs = _named(name, classes=120)
        yield from _costs("V1 Table 10", f"{name}, 120 classes", *printed, dogs.layers)
    for name, _, *printed in published.V1_TABLE_12.rows[:-1]:
        layers = _named(name).layers[:-1]
        yield from _costs("V1 Table 12", f"{name}, no classifier", *printed, layers)
    for number, (name, _, *printed) in enumerate(published.V1_TABLE_14.rows, 1):
        if name != "FaceNet":
            item = f"row {number}: {name}, no classifier"
            yield from _costs("V1 Table 14", item, *printed, _named(name).layers[:-1])
    yield from _v1_table_1(net)
    yield from _v1_text(net)


def _v1_table_1(net):
    rows = []
    for layer in net.layers[:-1]:
        channels, side = layer.in_channels, layer.in_size
        depthwise = layer.kind == "depthwise"
        filters = f"{channels} dw" if depthwise else f"{channels}×{layer.out_channels}"
        rows.append(
            (
                f"Conv dw / s{layer.stride}"
                if depthwise
                else f"Conv / s{layer.stride}",
                f"{layer.kernel}×{layer.kernel}×{filters}",
                f"{side}×{side}×{channels}",
            )
        )
    times = {row: f"{rows.count(row)}× " if rows.count(row) > 1 else "" for row in rows}
    rows = [(times[row] + row[0], *row[1:]) for row in times]
    last, classifier = net.layers[-2:]
    rows += [
        (
            "Avg Pool / s1",
            f"Pool {last.out_size}×{last.out_size}",
            f"{last.out_size}×{last.out_size}×{last.out_channels}",
        ),
        (
            "FC / s1",
            f"{classifier.in_channels}×{classifier.out_channels}",
            f"1×1×{classifier.in_channels}",
        ),
        ("Softmax / s1", "Classifier", f"1×1×{classifier.out_channels}"),
    ]
    table = zip(published.V1_TABLE_1.rows, rows, strict=True)
    for number, (printed, ours) in enumerate(table, 1):
        yield compare(
            "V1 Table 1", f"row {number}", ", ".join(printed), ", ".join(ours)
        )


def _table_3_layers():
    """The layers that each row of V1's Table 3 counts."""
    thin, small = int(0.75 * 512), round(160 / 224 * 14)  # ρ = 0.714
    yield (Layer("conv", 512, 512, 3, in_size=14),)
    for channels, size in ((512, 14), (thin, 14), (thin, small)):
        yield (
            Layer("depthwise", channels, channels, 3, in_size=size),
            Layer("pointwise", channels, channels, in_size=size),
        )


def _v1_text(net):
    savings = [
        1 / cost.reduction(depthwise.kernel, pointwise.out_channels)
        for depthwise, pointwise in (block for block in net.blocks if len(block) == 2)
    ]
    macs, weights = (
        share["pointwise"] for share in map(net.shares, ("macs", "weights"))
    )
    half = nets.mobilenet_v1(0.5, 160)
    tiny_face = sum(layer.macs for layer in nets.mobilenet_v1(0.25, 128).layers[:-1])
    google, (_, _, vgg_macs, vgg_params) = published.V1_TABLE_8.rows[1:]
    faster = google[2] * 1e6 / net.macs
    *_, (_, _, alex_macs, alex_params) = published.V1_TABLE_9.rows
    *body, classifier = net.layers
    places = 10e6  # weights of PlaNet's last layer, as printed; each is used once
    _, _, face_macs, face_params = published.V1_TABLE_12.rows[-1]
    for item, printed, ours in (
        ("layers of MobileNet", 28, len(net.layers)),
        ("3×3 separable: times fewer multiply-adds, at least", 8, min(savings)),
        ("3×3 separable: times fewer multiply-adds, at most", 9, max(savings)),
        ("share of the multiply-adds in 1×1 layers (%)", 95, 100 * macs),
        ("share of the parameters in 1×1 layers (%)", 75, 100 * weights),
        ("times smaller than VGG 16", 32, vgg_params * 1e6 / net.weights),
        ("times fewer multiply-adds than VGG 16", 27, vgg_macs * 1e6 / net.macs),
        (
            "times fewer multiply-adds than GoogleNet",
            "more than 2.5",
            f"{'more' if faster > 2.5 else 'less'} than 2.5",
        ),
        ("0.50-160: times smaller than AlexNet", 45, alex_params * 1e6 / half.weights),
        ("0.50-160: times fewer than AlexNet", 9.4, alex_macs * 1e6 / half.macs),
        ("0.50-160: times fewer than Squeezenet", 22, squeezenet()[0] / half.macs),
        (
            "PlaNet: parameters without the last layer (M)",
            3,
            sum(layer.weights for layer in body) / 1e6,
        ),
        (
            "PlaNet: parameters (M)",
            13,
            (net.weights - classifier.weights + places) / 1e6,
        ),
        (
            "PlaNet: multiply-adds (M)",
            0.58,
            (net.macs - classifier.macs + places) / 1e6,
        ),
        (
            "face attributes: smallest net over the baseline, multiply-adds (%)",
            1,
            100 * tiny_face / (face_macs * 1e6),
        ),
        (
            "face attributes: parameters of the baseline (M)",
            75,
            f"Table 12: {face_params}",
        ),
    ):
        yield compare("V1 text", item, printed, ours)


def _v2():
    net = nets.mobilenet_v2()
    yield from _v2_table_2(net)
    yield from _v2_table_3(net)
    names = ("MobileNetV1", "MobileNetV2", "MobileNetV2 (1.4)")
    for name, row in zip(names, published.V2_PAPER, strict=True):
        yield from _costs("V2 Table 4", name, row.macs, row.params, row.build().layers)
    blocks = [block for block in net.blocks if len(block) > 1]
    yield compare("V2 text", "residual bottleneck layers", 19, len(blocks))
    for item, alpha, resolution, macs, params in (
        ("smallest net (0.35, 96 pixels)", 0.35, 96, 7, 1.7),
        ("largest net (1.4, 224 pixels)", 1.4, 224, 585, 6.9),
    ):
        layers = nets.mobilenet_v2(alpha, resolution).layers
        yield from _costs("V2 text", item, macs, params, layers)


def _v2_table_2(net):
    blocks = [block for block in net.blocks if len(block) > 1]
    stem, last, classifier = net.layers[0], net.layers[-2], net.layers[-1]
    rows = [(_map(stem), "conv2d", None, stem.out_channels, 1, stem.stride)]
    for channels, repeats in groupby(blocks, lambda block: block[-1].out_channels):
        first, *others = repeats
        rows.append(
            (
                _map(first[0]),
                "bottleneck",
                first[-1].in_channels // first[0].in_channels,
                channels,
                1 + len(others),
                max(layer.stride for layer in first),
            )
        )
    rows += [
        (_map(last), "conv2d 1x1", None, last.out_channels, 1, last.stride),
        (
            f"{last.out_size}²×{last.out_channels}",
            f"avgpool {last.out_size}x{last.out_size}",
            *(None, None, 1, None),
        ),
        (f"1×1×{classifier.in_channels}", "conv2d 1x1", None, "k", None, None),
    ]
    table = zip(published.V2_TABLE_2.rows, rows, strict=True)
    for number, pair in enumerate(table, 1):
        printed, ours = (
            ", ".join("–" if cell is None else str(cell) for cell in row)
            for row in pair
        )
        yield compare(
            "V2 Table 2", f"row {number}: input, operator, t, c, n, s", printed, ours
        )


def _v2_table_3(net):
    """The largest map of each size that must stand in memory, 16 bits a value.

    V1 keeps every layer's output. V2 keeps what leaves a block: the stem runs
    with the first block, the last convolution with the pooling after it.
    """
    kept = {"V1": nets.mobilenet_v1().layers[:-1]}
    kept["V2"] = [block[-1] for block in net.blocks if len(block) > 1]
    vector = {"V1": kept["V1"][-1].out_channels, "V2": net.layers[-2].out_channels}
    most = {"V1": 0, "V2": 0}
    for name, *cells, _ in published.V2_TABLE_3.rows[:-1]:
        side = int(name.partition("×")[0])
        for version, cell in zip(kept, cells, strict=True):
            maps = [x for x in kept[version] if x.out_size == side]
            channels = max((x.out_channels for x in maps), default=vector[version])
            # what the rows of Table 2 that start from this size put out
            ahead = [
                row[3]
                for row in published.V2_TABLE_2.rows
                if row[0].startswith(f"{side}²") and row[1] == "bottleneck"
            ]
            later = max(ahead, default=channels)
            memory = channels * side**2 * 2 / 1000
            most[version] = max(most[version], memory)
            printed_channels, printed_memory = cell.split("/")
            item, next_row = f"{name}, {version}", "channels of the next row of Table 2"
            yield compare(
                "V2 Table 3",
                f"{item}, channels",
                printed_channels,
                channels,
                {next_row: later} if version == "V2" else {},
            )
            yield compare(
                "V2 Table 3",
                f"{item}, memory (kB)",
                printed_memory,
                memory,
                {next_row: later * side**2 * 2 / 1000} if version == "V2" else {},
            )
    for (version, memory), printed in zip(
        most.items(), published.V2_TABLE_3.rows[-1][1:3], strict=True
    ):
        yield compare("V2 Table 3", f"max, {version}, memory (kB)", printed, memory)


def _tf_slim():
    for row in published.TF_SLIM:
        if row.net in ("v1", "v2") and row.precision == "float":
            net = row.build()
            yield from _costs(
                "TF-slim",
                f"{row.net.upper()} {row.alpha}-{row.resolution}",
                row.macs,
                row.params,
                net.layers,
                {
                    "without the first convolution": (net.macs - net.layers[0].macs)
                    / 1e6
                },
                {"with batch norm and biases": net.params / 1e6},
            )


def _review_1():
    layer = dict(kernel=3, in_channels=64, out_channels=128, size=128)
    standard, separable = cost.standard_macs(**layer), cost.separable_macs(**layer)
    small = cost.separable_macs(**layer | {"size": 64})
    one, thin = nets.mobilenet_v1(), nets.mobilenet_v1(0.5)
    shares = {what: one.shares(what)["pointwise"] for what in ("macs", "weights")}
    image = Layer("pointwise", 3, 100, in_size=64)
    for item, printed, ours in (
        ("3×3 on 64×64, stride 1, no padding: side of the output", 64, 64 - 3 + 1),
        (
            "100 filters of 1×1 on 3×64×64: output",
            "100×64×64",
            f"{image.out_channels}×{image.out_size}×{image.out_size}",
        ),
        ("3×3, 64 to 128, 128×128: multiply-adds", "1,207,959,552", standard),
        ("3×3, 64 to 128, 128×128, in words (billion)", 1.2, standard / 1e9),
        ("separable, 64 to 128, 128×128: multiply-adds", "143,654,912", separable),
        ("separable, 64 to 128, 128×128, in words (billion)", 0.14, separable / 1e9),
        ("separable, 64 to 128, 128×128: times fewer", 10, standard / separable),
        (
            "separable, 64 to 128, 128×128 at ρ = 0.5: share left",
            0.25,
            small / separable,
        ),
        ("time in 1×1 layers (%), as multiply-adds", 95, 100 * shares["macs"]),
        ("parameters in 1×1 layers (%)", 75, 100 * shares["weights"]),
        ("parameters elsewhere (%)", 25, 100 - 100 * shares["weights"]),
    ):
        yield compare("review 1", item, printed, ours)
    for what, name in (("macs", "multiply-adds"), ("weights", "parameters")):
        left, all_of_it = (
            sum(getattr(x, what) for x in net.layers if x.kind == "pointwise")
            for net in (thin, one)
        )
        yield compare(
            "review 1",
            f"V1 at α = 0.5: share of the {name} left, as α²",
            0.25,
            getattr(thin, what) / getattr(one, what),
            {"the pointwise layers alone": left / all_of_it},
        )


def _review_2():
    blocks = list(nets.v2_blocks())
    sixes = [block for block in blocks if block[3] == 6]
    kept = sum(row[2] for row in nets.V2_BLOCKS if row[3] == 1)
    kept += sum(row[3] == 2 for row in nets.V2_BLOCKS)
    table_7 = [row for row in published.V1_PAPER if row.source == "V1 Table 7"]
    for item, printed, ours in (
        (
            "times fewer multiply-adds, 3×3 and 128 outputs",
            8,
            1 / cost.reduction(3, 128),
        ),
        ("layers of V1", 28, len(nets.mobilenet_v1().layers)),
        ("third resolution of V1's table", 169, table_7[2].resolution),
        ("convolution blocks of V2", 18, len(blocks)),
        ("blocks with t = 6", "all", _of(sixes, blocks)),
        ("blocks with their row's stride s", "all", f"{kept} of {len(blocks)}"),
    ):
        yield compare("review 2", item, printed, ours)


def squeezenet():
    """Multiply-adds and parameters of SqueezeNet 1.0 (arXiv:1602.07360, Table 1).

    For a picture of 227×227 pixels, as in its Caffe file.
    """
    layers, channels, size = [(7, 3, 96, 111)], 96, 55
    for number, squeeze in enumerate((16, 16, 32, 32, 48, 48, 64, 64), 2):
        wide = 4 * squeeze
        layers += [
            (1, channels, squeeze, size),
            (1, squeeze, wide, size),
            (3, squeeze, wide, size),
        ]
        channels = 2 * wide
        if number in (4, 8):  # a pooling follows
            size //= 2
    layers.append((1, channels, 1000, size))
    macs = sum(cost.standard_macs(*layer) for layer in layers)
    return macs, sum(k**2 * m * n + n for k, m, n, _ in layers)


def _review_4():
    block = nets.inverted_residual(8, 16, 1, 6, 10)
    costs = {"block": sum(layer.macs for layer in block)}
    for inputs, outputs in ((48, 96), (8, 16)):
        costs["conv", inputs] = cost.standard_macs(3, inputs, outputs, 10)
        costs["separable", inputs] = cost.separable_macs(3, inputs, outputs, 10)
    blocks = list(nets.v2_blocks())
    v2 = nets.mobilenet_v2()
    last = v2.layers[-2]
    joined = [block for block in v2.blocks if any(x.held for x in block)]
    level = [block for block in joined if all(x.stride == 1 for x in block)]
    savings = [1 / cost.reduction(3, outputs) for outputs, _ in nets.V1_BLOCKS]
    for item, printed, ours in (
        ("3×3 separable: times fewer multiply-adds, at least", 8, min(savings)),
        ("3×3 separable: times fewer multiply-adds, at most", 9, max(savings)),
        ("blocks with t = 6", "all", _of([b for b in blocks if b[3] == 6], blocks)),
        (
            "blocks with a shortcut: those of stride 1",
            "all",
            "all" if level == joined else _of(level, joined),
        ),
        ("block 10×10, t = 6, k = 8: channels inside", 48, block[-1].in_channels),
        ("block 10×10, t = 6, from 8 to 16: multiply-adds", 158400, costs["block"]),
        ("convolution from 48 to 96: multiply-adds", 4147200, costs["conv", 48]),
        ("separable from 48 to 96: multiply-adds", 504000, costs["separable", 48]),
        (
            "convolution 48 to 96 over block 8 to 16 (times)",
            26,
            costs["conv", 48] / costs["block"],
        ),
        (
            "separable 48 to 96 over block 8 to 16 (times)",
            3,
            costs["separable", 48] / costs["block"],
        ),
        (
            "both from 8 to 16: convolution over block (times)",
            26,
            costs["conv", 8] / costs["block"],
        ),
        (
            "both from 8 to 16: separable over block (times)",
            3,
            costs["separable", 8] / costs["block"],
        ),
        (
            "shapes around the last convolution",
            "320×7×7 → 1280×7×7",
            f"{last.in_channels}×{last.in_size}×{last.in_size} → "
            f"{last.out_channels}×{last.out_size}×{last.out_size}",
        ),
    ):
        yield compare("review 4", item, printed, ours)


def review_4_net(alpha):
    """The V2 that review 4's code builds: another way to thin it.

    Channels are rounded up to a multiple of 8. The stem's 32 and the first
    block's 16 do not follow ``alpha``. At alpha = 1 it is V2.
    """
    layers = [Layer("conv", 3, nets.STEM, 3, 2, 224)]
    for expansion, out, repeats, first_stride in nets.V2_BLOCKS:
        out_channels = out if expansion == 1 else math.ceil(out * alpha / 8) * 8
        for stride in (first_stride, *(1,) * (repeats - 1)):
            channels, size = layers[-1].out_channels, layers[-1].out_size
            layers += nets.inverted_residual(
                channels, out_channels, stride, expansion, size
            )
    channels, size = layers[-1].out_channels, layers[-1].out_size
    last = math.ceil(nets.V2_LAST * max(1.0, alpha) / 8) * 8
    layers.append(Layer("pointwise", channels, last, in_size=size))
    layers.append(Layer("linear", last, 1000, norm=False, bias=True))
    return nets.Net("Review4MobileNetV2", alpha, 224, 1000, tuple(layers))


def _review_5():
    width, height = 120, 60
    for number in range(1, 5):
        printed = ("120→60, 60→30", "60→30, 30→15", "30→15, 15→7", "15→7, 7→3")
        item = f"PDModel, pooling {number}: width, height"
        halves = f"{width}→{width // 2}, {height}→{height // 2}"
        yield compare("review 5", item, printed[number - 1], halves)
        width, height = width // 2, height // 2
    flat = 256 * height * width
    yield compare("review 5", "PDModel, values before the linear layers", 5376, flat)

    big, light = nets.pd_model(), nets.pd_light_model()
    starts = [block[0] for block in light.blocks]
    last = light.layers[-2]  # before the pooling
    shapes = [(x.in_channels, *x.in_size) for x in starts[:-1]]
    shapes += [(last.out_channels, *last.out_size)]
    inputs, pooled = [], []
    for channels, height, width in shapes:
        times = 2 ** round(math.log2(60 / height))
        inputs.append(f"{channels}×{height}×{width}")
        pooled.append(f"{channels}×{60 // times}×{120 // times}")
    inputs.append(f"{starts[-1].in_channels}")
    pooled.append("")
    printed_inputs = (
        *("1×60×120", "32×30×60", "16×30×60", "24×15×30", "24×15×30", "32×7×15"),
        *("32×7×15", "32×7×15", "61×3×7", "64×3×7", "64×3×7", "256×3×7", "256"),
    )
    rows = enumerate(zip(printed_inputs, inputs, pooled, strict=True), 1)
    for number, (printed, ours, other) in rows:
        item = f"PDLightModel, row {number}: input"
        yield compare(
            "review 5", item, printed, ours, {"with pooling, rounded down": other}
        )
    outputs = starts[-1].in_channels
    yield compare("review 5", "PDLightModel, row 12: output channels", 1, outputs)
    linear = [layer for layer in light.layers if layer.kind == "linear"]
    yield compare("review 5", "linear layers of PDLightModel", 1, len(linear))
    for net, printed in ((big, 5.54), (light, 1.62)):
        yield compare(
            "review 5",
            f"{net.name}, size of the model (MB)",
            printed,
            4 * net.params / 1e6,
            {"eight bytes a parameter": 8 * net.params / 1e6},
        )
    yield compare(
        "review 5",
        "PDLightModel over PDModel, size (%)",
        29.2,
        100 * light.params / big.params,
        {"the quotient of the two printed sizes": 100 * 1.62 / 5.54},
    )


def _named(name, classes=1000):
    """The V1 that the tables call "0.75 MobileNet-160"."""
    alpha, resolution = name.split(" MobileNet-")
    return nets.mobilenet_v1(float(alpha), int(resolution), classes)


def _costs(source, name, macs, params, layers, other_macs=(), other_params=()):
    """Two entries: a net's multiply-adds and its parameters, in millions."""
    ours = sum(layer.macs for layer in layers) / 1e6
    yield compare(source, f"{name}, multiply-adds (M)", macs, ours, other_macs)
    ours = sum(layer.weights for layer in layers) / 1e6
    yield compare(source, f"{name}, parameters (M)", params, ours, other_params)


def _map(layer):
    """A layer's input as V2's Table 2 writes it."""
    return f"{layer.in_size}²×{layer.in_channels}"


def _of(some, every):
    return f"{len(some)} of {len(every)}"
