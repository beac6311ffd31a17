"""The widgets: one layer's cost, and a whole net's cost and accuracy.

Python holds the numbers as compact tables; ``explorer.js`` looks them up,
multiplies a cost by an area and draws. That is why the widgets also answer in
a page without a kernel. Their traits are there for your own code::

    explorer = CostExplorer(net="v2", alpha=0.75, resolution=192)
    explorer.observe(print, "alpha")
    explorer.cost.macs
"""

import json
from functools import cache
from pathlib import Path

import anywidget
import traitlets

from . import cost, nets, published

ALPHAS = {  # V2 alone was published above 1
    "v1": tuple(step / 100 for step in range(25, 101, 5)),
    "v2": tuple(step / 100 for step in range(25, 141, 5)),
}
RESOLUTIONS = tuple(range(96, 257, 32))
NAMES = {"v1": "MobileNet V1", "v2": "MobileNet V2"}

KERNELS = (1, 3, 5, 7)
CHANNELS = tuple(2**power for power in range(11))
SIZES = (7, 14, 28, 56, 112, 128, 224)


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


class _Explorer(anywidget.AnyWidget):
    """What both widgets share: the front end, and how they are displayed."""

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")
    _kind = traitlets.Unicode().tag(sync=True)
    _table = traitlets.Unicode().tag(sync=True)

    # ipywidgets 7 (Colab) would take this road and leave out our text/html
    _ipython_display_ = None

    def _repr_mimebundle_(self, **kwargs):
        """The live widget, and a table of its state for where it cannot live."""
        bundle, metadata = super()._repr_mimebundle_(**kwargs)
        bundle |= {"text/plain": repr(self), "text/html": self._fallback()}
        return bundle, metadata


class LayerExplorer(_Explorer):
    """A standard convolution against a separable one, as sliders.

    kernel: D_K, one of ``KERNELS``; in_channels, out_channels: M and N, each
    one of ``CHANNELS``; size: D_F, the side of the output, one of ``SIZES``.
    Another value raises ``traitlets.TraitError``.
    """

    kernel = traitlets.Enum(KERNELS, 3).tag(sync=True)
    in_channels = traitlets.Enum(CHANNELS, 64).tag(sync=True)
    out_channels = traitlets.Enum(CHANNELS, 128).tag(sync=True)
    size = traitlets.Enum(SIZES, 128).tag(sync=True)

    def __init__(self, kernel=3, in_channels=64, out_channels=128, size=128):
        super().__init__(
            _kind="layer-explorer",
            _table=_compact(
                {
                    "kernel": KERNELS,
                    "in_channels": CHANNELS,
                    "out_channels": CHANNELS,
                    "size": SIZES,
                    "kernel_area": [cost.depthwise_macs(k, 1, 1) for k in KERNELS],
                    "size_area": [cost.pointwise_macs(1, 1, d) for d in SIZES],
                }
            ),
            kernel=kernel,
            in_channels=in_channels,
            out_channels=out_channels,
            size=size,
        )

    @property
    def layers(self):
        """The three layers compared: standard, depthwise and pointwise."""
        k, m, n, d = self.kernel, self.in_channels, self.out_channels, self.size
        return {
            "standard": cost.Layer("conv", m, n, k, in_size=d),
            "depthwise": cost.Layer("depthwise", m, m, k, in_size=d),
            "pointwise": cost.Layer("pointwise", m, n, in_size=d),
        }

    def __repr__(self):
        standard, *separable = self.layers.values()
        return (
            f"LayerExplorer(kernel={self.kernel}, in_channels={self.in_channels}, "
            f"out_channels={self.out_channels}, size={self.size}): "
            f"{standard.macs:,} multiply-adds standard, "
            f"{sum(layer.macs for layer in separable):,} separable"
        )

    def _fallback(self):
        reduction = cost.reduction(self.kernel, self.out_channels)
        counts = {name: (x.macs, x.weights) for name, x in self.layers.items()}
        counts["separable: both"] = tuple(
            depthwise + pointwise
            for depthwise, pointwise in zip(
                counts["depthwise"], counts["pointwise"], strict=True
            )
        )
        return _html_table(
            "layer-explorer",
            f"A {self.kernel} × {self.kernel} convolution from {self.in_channels} "
            f"to {self.out_channels} channels, {self.size} × {self.size} outputs",
            ("convolution", "multiply-adds", "weights"),
            [(name, *(f"{x:,}" for x in row)) for name, row in counts.items()],
            f"Separable over standard: 1/N + 1/D_K² = 1/{self.out_channels} + "
            f"1/{self.kernel**2} = {reduction:.4f}",
        )


class CostExplorer(_Explorer):
    """What a MobileNet costs at each width and resolution, as sliders.

    net: "v1" or "v2"; alpha: one of ``ALPHAS[net]``; resolution: one of
    ``RESOLUTIONS``; max_macs, max_params: the budgets in millions, None for
    no limit. Another value raises ``traitlets.TraitError``. Going from V2 to
    V1 takes an alpha above 1 back to 1.
    """

    net = traitlets.Enum(tuple(ALPHAS), "v1").tag(sync=True)
    alpha = traitlets.Float(1.0).tag(sync=True)
    resolution = traitlets.Int(224).tag(sync=True)
    max_macs = traitlets.Float(None, allow_none=True).tag(sync=True)
    max_params = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(
        self, net="v1", alpha=1.0, resolution=224, max_macs=None, max_params=None
    ):
        super().__init__(
            _kind="cost-explorer",
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
        return _html_table(
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
    """All that explorer.js looks up, as one JSON string.

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
    return _compact(table)


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


def _compact(table):
    # one string: a notebook stores a list one number a line
    return json.dumps(table, separators=(",", ":"))


def _html_table(widget, caption, header, rows, note):
    """A plain table that reads without scripts; our own text, nothing to escape."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td>{cell}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<div data-fallback="{widget}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{note}</p></div>"
    )
