"""A dense layer split in two: what each rank costs, and what it keeps."""

import math
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate, pairwise

import traitlets

from ..cost import break_even
from .base import Explorer, compact, html_table, script, style

# what a layer is for, from the last word of the name that nets gives it
ROLES = {
    "expand": "expansion",
    "project": "projection",
    "last": "last",
    "classifier": "classifier",
}


class RankExplorer(Explorer):
    """Layers whose weight matrix is split by its singular values into two.

    A layer from M to N channels has a matrix of N rows and M columns. At rank r
    it becomes two layers, M to r and r to N: r (M + N) weights instead of M N,
    so fewer below the break-even rank M N / (M + N). The r largest singular
    values make the nearest matrix of that rank (Eckart and Young,
    doi:10.1007/BF02288367).

    layers: ``cost.Layer`` of kind "pointwise" or "linear"; values: for each its
    min(M, N) singular values, the largest first, kept with four digits.

    layer: 0 for the first, at first the one with the most weights; rank: from 1
    to min(M, N), at first the least that keeps enough; keep: what is enough, 90,
    95 or 99 % of the squared singular values. A layer with fewer singular values
    takes the rank down to their number.

    Raises ValueError if layers and values do not fit, and
    ``traitlets.TraitError`` for a choice that there is not.
    """

    _esm = script("rank_explorer")
    _css = style("rank_explorer")
    layer = traitlets.Int(0).tag(sync=True)
    rank = traitlets.Int(1).tag(sync=True)
    keep = traitlets.Enum((90, 95, 99), 99).tag(sync=True)

    def __init__(self, layers, values, layer=None, rank=None, keep=99):
        self._layers, values = tuple(layers), tuple(values)
        if not self._layers or len(self._layers) != len(values):
            raise ValueError(
                f"each layer needs its singular values; got {len(self._layers)} "
                f"layers and the values of {len(values)}"
            )
        rounded = [_checked(*x) for x in zip(self._layers, values, strict=True)]
        # for each rank the squares that it drops, summed from the smallest on
        self._dropped = [
            tuple(accumulate((x * x for x in reversed(few)), initial=0.0))[::-1]
            for few in rounded
        ]
        sizes = [x.weights for x in self._layers]
        super().__init__(
            _table=_table(self._layers, rounded),
            layer=sizes.index(max(sizes)) if layer is None else layer,
            keep=keep,
        )
        self.rank = self.needed if rank is None else rank

    @property
    def current(self):
        """The ``cost.Layer`` you are at."""
        return self._layers[self.layer]

    @property
    def break_even(self):
        """The rank at which the two layers cost what the one costs."""
        return break_even(self.current.in_channels, self.current.out_channels)

    @property
    def needed(self):
        """The least rank that keeps ``keep`` % of the squared singular values."""
        return self._needed(self.layer)

    @property
    def weights(self):
        """Weights of the two layers together."""
        return _weights(self.current, self.rank)

    @property
    def macs(self):
        """Multiply-adds of the two layers together."""
        return self.weights * self.current.out_pixels

    @property
    def kept(self):
        """Share of the squared singular values that the rank keeps."""
        return 1 - self._lost

    @property
    def error(self):
        """Norm of what the rank drops over the norm of the matrix."""
        return math.sqrt(self._lost)

    @property
    def _lost(self):
        dropped = self._dropped[self.layer]
        return dropped[self.rank] / dropped[0]

    def _needed(self, index):
        whole, *dropped = self._dropped[index]
        enough = (100 * rest <= (100 - self.keep) * whole for rest in dropped)
        return 1 + next(i for i, fits in enumerate(enough) if fits)

    @traitlets.validate("layer")
    def _check_layer(self, proposal):
        return _check_range("layer", proposal["value"], 0, len(self._layers) - 1)

    @traitlets.validate("rank")
    def _check_rank(self, proposal):
        name = f"rank of {self.current.name}"
        return _check_range(name, proposal["value"], 1, _full_rank(self.current))

    @traitlets.observe("layer")
    def _clamp_rank(self, change):
        self.rank = min(self.rank, _full_rank(self.current))

    def __repr__(self):
        layer = self.current
        return (
            f"RankExplorer(layer={self.layer}, rank={self.rank}, keep={self.keep}): "
            f"{layer.name}, {layer.in_channels} → {self.rank} → {layer.out_channels}, "
            f"{_verdict(layer, self.rank)}, keeps {_percent(self.kept, 2)} of the "
            f"squared singular values, error {_percent(self.error)}"
        )

    def _fallback(self):
        rows, saved = [], 0
        for index, layer in enumerate(self._layers):
            needed = self._needed(index)
            saved += max(0, layer.weights - _weights(layer, needed))
            limit = break_even(layer.in_channels, layer.out_channels)
            rows.append(
                (
                    *(layer.name, f"{layer.in_channels} → {layer.out_channels}"),
                    *(_fixed(limit), str(needed)),
                    _verdict(layer, needed),
                )
            )
        share = saved / sum(layer.weights for layer in self._layers)
        return html_table(
            "rank-explorer",
            f"Each layer split in two, at the rank that keeps {self.keep} % of the "
            "squared singular values",
            (
                "layer",
                "channels",
                "break-even rank",
                f"rank for {self.keep} %",
                "verdict",
            ),
            rows,
            f"Split where that saves, the layers have {_percent(share)} fewer weights.",
        )


def _full_rank(layer):
    return min(layer.in_channels, layer.out_channels)


def _weights(layer, rank):
    return rank * (layer.in_channels + layer.out_channels)


def _verdict(layer, rank):
    ratio = _weights(layer, rank) / layer.weights
    if ratio == 1:
        return "costs the same"
    if ratio < 1:
        return f"saves {_percent(1 - ratio)}"
    return f"costs {_percent(ratio - 1)} more"


def _fixed(x, digits=1):
    """A number as the scripts round it: half up, where Python takes the even."""
    return str(Decimal(x).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def _percent(x, digits=1):
    return f"{_fixed(100 * x, digits)} %"


def _checked(layer, values):
    """The singular values with four digits, if they can be the layer's."""
    if layer.kind not in ("pointwise", "linear"):
        raise ValueError(
            f"only pointwise and linear layers are one matrix; {layer.name} is "
            f"{layer.kind}"
        )
    numbers = [float(x) for x in values]
    if len(numbers) != _full_rank(layer):
        raise ValueError(
            f"{layer.name} has {_full_rank(layer)} singular values; got {len(numbers)}"
        )
    falling = all(a >= b for a, b in pairwise([*numbers, 0.0]))
    if not falling or not 0 < numbers[0] < math.inf:
        raise ValueError(
            f"singular values must be finite, the largest first, none below 0 and "
            f"not all 0; those of {layer.name} are not"
        )
    return [float(f"{x:.4g}") for x in numbers]


def _check_range(name, value, low, high):
    if not low <= value <= high:
        raise traitlets.TraitError(f"{name} must be from {low} to {high}; got {value}")
    return value


def _table(layers, values):
    """All that rank_explorer.js looks up, as one JSON string."""
    fields = "name", "role", "inputs", "outputs", "pixels", "values"
    rows = [
        (
            *(x.name, ROLES.get(x.name.rpartition(" ")[2], x.kind)),
            *(x.in_channels, x.out_channels, x.out_pixels, few),
        )
        for x, few in zip(layers, values, strict=True)
    ]
    return compact({"fields": fields, "layers": rows})
