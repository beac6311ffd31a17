"""A whole net: its cost and accuracy at each width and resolution."""

from functools import cache

import traitlets

from .. import cost, nets, published
from .base import NAMES, Explorer, compact, html_table, script

ALPHAS = {  # V2 alone was published above 1
    "v1": tuple(step / 100 for step in range(25, 101, 5)),
    "v2": tuple(step / 100 for step in range(25, 141, 5)),
}
RESOLUTIONS = tuple(range(96, 257, 32))


def pareto_front(points):
    """The (cost, gain) pairs that no other pair beats, cheapest first.

    A pair is beaten if another costs no more and gains no less, and is better
    in one of the two.
    """
    front = []
    for point in sorted(set(points), key=lambda pair: (pair[0], -pair[1])):
        if not front or point[1] > front[-1][1]:
            front.append(point)
    return front


class CostExplorer(Explorer):
    """What a MobileNet costs at each width and resolution, as sliders.

    net: "v1" or "v2"; alpha: one of ``ALPHAS[net]``; resolution: one of
    ``RESOLUTIONS``; max_macs, max_params: the budgets in millions, None for
    no limit. Another value raises ``traitlets.TraitError``. Going from V2 to
    V1 takes an alpha above 1 back to 1.
    """

    _esm = script("cost_explorer")
    net = traitlets.Enum(tuple(ALPHAS), "v1").tag(sync=True)
    alpha = traitlets.Float(1.0).tag(sync=True)
    resolution = traitlets.Int(224).tag(sync=True)
    max_macs = traitlets.Float(None, allow_none=True).tag(sync=True)
    max_params = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(
        self, net="v1", alpha=1.0, resolution=224, max_macs=None, max_params=None
    ):
        super().__init__(
            _table=_cost_table(),
            net=net,
            alpha=alpha,
            resolution=resolution,
            max_macs=max_macs,
            max_params=max_params,
        )

    @property
    def cost(self):
        """The ``nets.Net`` at the current setting."""
        return published.BUILDERS[self.net](self.alpha, self.resolution)

    @property
    def published(self):
        """The published rows of exactly this setting, as ``published.Published``."""
        return [
            row
            for row in _float_rows()
            if (row.net, row.alpha, row.resolution)
            == (self.net, self.alpha, self.resolution)
        ]

    @traitlets.validate("alpha")
    def _check_alpha(self, proposal):
        name = f"alpha of {NAMES[self.net]}"
        return _on_grid(name, round(proposal["value"], 9), ALPHAS[self.net])

    @traitlets.validate("resolution")
    def _check_resolution(self, proposal):
        return _on_grid("resolution", proposal["value"], RESOLUTIONS)

    @traitlets.validate("max_macs", "max_params")
    def _check_budget(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if value is not None and not value > 0:
            raise traitlets.TraitError(
                f"{name} is in millions and must be above 0, or None; got {value!r}"
            )
        return value

    @traitlets.observe("net")
    def _clamp_alpha(self, change):
        self.alpha = min(self.alpha, ALPHAS[self.net][-1])

    def __repr__(self):
        net = self.cost
        return (
            f"CostExplorer(net={self.net!r}, alpha={self.alpha:.2f}, "
            f"resolution={self.resolution}): {net.macs:,} multiply-adds, "
            f"{net.params:,} parameters"
        )

    def _fallback(self):
        net = self.cost
        shares = net.shares("macs"), net.shares("params")
        printed = ", ".join(f"{row.top1} % ({row.source})" for row in self.published)
        return html_table(
            "cost-explorer",
            f"{NAMES[self.net]}, α = {self.alpha:.2f}, "
            f"{self.resolution} × {self.resolution} pixels",
            ("layers", "multiply-adds", "parameters, as torch counts"),
            [
                ("all", f"{net.macs:,}", f"{net.params:,}"),
                *(
                    (kind, *(f"{100 * by[kind]:.2f} %" for by in shares))
                    for kind in cost.KINDS
                ),
            ],
            f"Peak activation memory in float32: {net.peak_memory():,} bytes. "
            f"Published ImageNet top-1: {printed or 'none for this setting'}.",
        )


def _float_rows():
    """The rows of V1 and V2 in float32, those the explorer shows."""
    return [
        row for row in published.ROWS if row.net in ALPHAS and row.precision == "float"
    ]


@cache
def _cost_table():
    """All that cost_explorer.js looks up, as one JSON string.

    Costs stand at 32 pixels: each layer's side is then a whole number, so at
    every resolution of the grid all but the classifier's multiply-adds are
    these times (resolution / 32)².
    """
    unit = nets.MIN_RESOLUTION
    table = {
        "kinds": cost.KINDS,
        "resolutions": RESOLUTIONS,
        "areas": [(resolution // unit) ** 2 for resolution in RESOLUTIONS],
        "nets": {},
        "settings": _published_settings(),
    }
    for key, alphas in ALPHAS.items():
        units = [published.BUILDERS[key](alpha, unit) for alpha in alphas]
        table["nets"][key] = {
            "name": NAMES[key],
            "alphas": alphas,
            "macs": [_by_kind(net, "macs") for net in units],
            "params": [_by_kind(net, "params") for net in units],
            "peak": [net.peak_memory() for net in units],
        }
    return compact(table)


def _published_settings():
    """Every published setting once, cheapest first, with all its accuracies."""
    rows = _float_rows()
    front = pareto_front((row.build().macs, row.top1) for row in rows)
    settings = {}
    for row in sorted(rows, key=lambda row: row.build().macs):
        setting = settings.setdefault((row.net, row.alpha, row.resolution), {})
        same = setting.get((row.top1, row.pixel1_ms))
        setting[row.top1, row.pixel1_ms] = {
            "top1": row.top1,
            "source": f"{same['source']}, {row.source}" if same else row.source,
            "ms": row.pixel1_ms,
            "front": (row.build().macs, row.top1) in front,
        }
    return [
        {
            "net": net,
            "alpha": alpha,
            "resolution": resolution,
            "results": [*results.values()],
        }
        for (net, alpha, resolution), results in settings.items()
    ]


def _by_kind(net, quantity):
    return [
        sum(getattr(layer, quantity) for layer in net.layers if layer.kind == kind)
        for kind in cost.KINDS
    ]


def _on_grid(name, value, grid):
    if not grid[0] <= value <= grid[-1]:
        raise traitlets.TraitError(
            f"{name} must be from {grid[0]} to {grid[-1]}; got {value}"
        )
    if value not in grid:
        below = max(step for step in grid if step < value)
        above = min(step for step in grid if step > value)
        raise traitlets.TraitError(
            f"{name} goes in steps: the nearest are {below} and {above}; got {value}"
        )
    return value
