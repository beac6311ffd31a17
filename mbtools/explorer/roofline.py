"""The layers of a net under the roof of a machine: what binds each of them."""

from functools import cache

import traitlets

from .. import cost, published
from .base import (
    NAMES,
    Explorer,
    check_index,
    compact,
    html_table,
    script,
    shape,
    style,
)

COMPARED = ("v1", "conv", "v2")
FORMATS = {4: "float32", 2: "float16", 1: "int8"}
BATCHES = (1, 2, 4, 8, 16, 32, 64)
# ten steps a decade, rounded as ISO 3 does: three of them double
DECADE = (10, 12.5, 16, 20, 25, 31.5, 40, 50, 63, 80)
BANDWIDTHS = (*(x * 10**k / 100 for k in range(5) for x in DECADE), 1e4)  # GB/s
PEAKS = (*BANDWIDTHS[:-1], *(1e3 * x for x in DECADE), 1e5)  # GMAC/s


class Roofline(Explorer):
    """A net's layers under a machine's roof, at alpha 1 and 224 pixels.

    No layer takes less time than its multiply-adds at the machine's peak, or
    its bytes (``Layer.bytes_moved``) at the machine's bandwidth: the longer of
    the two binds it (the roofline model, doi:10.1145/1498765.1498785).

    net: "v1", "conv" (V1's twin of standard convolutions) or "v2"; layer: 0
    for the first, up to the number of layers less one; bytes_per_value: 4
    (float32), 2 (float16) or 1 (int8); batch: pictures at once, one of
    ``BATCHES``; peak: GMAC/s, from 0.1 to 100,000; bandwidth: GB/s, from 0.1
    to 10,000. Another value raises ``traitlets.TraitError``. A net with fewer
    layers takes you to its last.
    """

    _esm = script("roofline")
    _css = style("roofline")
    net = traitlets.Enum(COMPARED, "v2").tag(sync=True)
    layer = traitlets.Int(1).tag(sync=True)
    bytes_per_value = traitlets.Enum(tuple(FORMATS), 4).tag(sync=True)
    batch = traitlets.Enum(BATCHES, 1).tag(sync=True)
    peak = traitlets.Float(40.0).tag(sync=True)
    bandwidth = traitlets.Float(20.0).tag(sync=True)

    def __init__(
        self, net="v2", layer=1, bytes_per_value=4, batch=1, peak=40.0, bandwidth=20.0
    ):
        super().__init__(
            _table=_table(),
            net=net,
            layer=layer,
            bytes_per_value=bytes_per_value,
            batch=batch,
            peak=peak,
            bandwidth=bandwidth,
        )

    @property
    def current(self):
        """The ``cost.Layer`` you are at."""
        return self._layers[self.layer]

    @property
    def intensity(self):
        """Multiply-adds a byte moved, of the layer you are at."""
        return self._intensity(self.current)

    @property
    def bound(self):
        """What binds the layer you are at: "memory" or "compute"."""
        return self._bound(self.current)

    @property
    def least_seconds(self):
        """The least time of the layer you are at, for the whole batch."""
        return max(self._seconds(self.current))

    @property
    def _layers(self):
        return published.BUILDERS[self.net]().layers

    def _work(self, layer):
        """Multiply-adds and bytes moved, for the batch."""
        moved = layer.bytes_moved(self.bytes_per_value, self.batch)
        return self.batch * layer.macs, moved

    def _intensity(self, layer):
        macs, moved = self._work(layer)
        return macs / moved

    def _seconds(self, layer):
        """What the multiply-adds take at the peak, and the bytes at the bandwidth."""
        roof = 1e9 * self.peak, 1e9 * self.bandwidth
        return cost.roof_seconds(layer, *roof, self.bytes_per_value, self.batch)

    def _bound(self, layer):
        computing, moving = self._seconds(layer)
        return "memory" if moving > computing else "compute"

    @traitlets.validate("layer")
    def _check_layer(self, proposal):
        return check_index("layer", proposal["value"], self.net, self._layers)

    @traitlets.validate("peak", "bandwidth")
    def _check_machine(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        unit, steps = ("GMAC/s", PEAKS) if name == "peak" else ("GB/s", BANDWIDTHS)
        if not steps[0] <= value <= steps[-1]:
            raise traitlets.TraitError(
                f"{name} must be from {steps[0]} to {steps[-1]:,.0f} {unit}; "
                f"got {value}"
            )
        return value

    @traitlets.observe("net")
    def _clamp_layer(self, change):
        self.layer = min(self.layer, len(self._layers) - 1)

    def __repr__(self):
        return (
            f"Roofline(net={self.net!r}, layer={self.layer}, "
            f"bytes_per_value={self.bytes_per_value}, batch={self.batch}, "
            f"peak={self.peak:g}, bandwidth={self.bandwidth:g}): "
            f"{self.current.name}, {self.intensity:.2f} multiply-adds a byte, bound "
            f"by {self.bound}, at least {_micro(self.least_seconds)}"
        )

    def _fallback(self):
        rows, least, waiting = [], 0, 0
        for layer in self._layers:
            macs, moved = self._work(layer)
            seconds, bound = max(self._seconds(layer)), self._bound(layer)
            least += seconds
            waiting += seconds if bound == "memory" else 0
            counts = f"{macs:,}", f"{moved:,}", f"{macs / moved:.2f}"
            rows.append((layer.name, *counts, bound, _micro(seconds)))
        pictures = f"{self.batch} pictures" if self.batch > 1 else "one picture"
        return html_table(
            "roofline",
            f"The layers of {NAMES[self.net]} for {pictures} in "
            f"{FORMATS[self.bytes_per_value]}, on a machine of {self.peak:g} GMAC/s "
            f"and {self.bandwidth:g} GB/s",
            ("layer", "multiply-adds", "bytes", "a byte", "bound by", "at least"),
            rows,
            f"Together at least {1e3 * least:,.3f} ms, {100 * waiting / least:.1f} % "
            "of them in layers bound by memory.",
        )


def _micro(seconds):
    return f"{1e6 * seconds:,.1f} µs"


@cache
def _table():
    """All that roofline.js looks up, as one JSON string."""
    fields = (
        *("name", "kind", "kernel", "stride", "input", "output"),
        *("macs", "values", "weights"),
    )
    return compact(
        {
            "kinds": cost.KINDS,
            "formats": list(FORMATS.items()),
            "batches": BATCHES,
            "peaks": PEAKS,
            "bandwidths": BANDWIDTHS,
            "fields": fields,
            "nets": {
                key: {
                    "name": NAMES[key],
                    "layers": [
                        (
                            *(x.name, x.kind, x.kernel, x.stride),
                            shape(x.in_channels, x.in_size),
                            shape(x.out_channels, x.out_size),
                            *(x.macs, x.in_values + x.out_values, x.weights),
                        )
                        for x in published.BUILDERS[key]().layers
                    ],
                }
                for key in COMPARED
            },
        }
    )
