"""A net layer by layer: shapes, cost, memory, and the shares so far."""

from functools import cache

import traitlets

from .. import cost, published
from .base import NAMES, Explorer, check_index, compact, html_table, script, shape


class LayerBrowser(Explorer):
    """A walk through a net's layers, at alpha 1 and 224 pixels.

    net: a key of ``published.BUILDERS``; layer: 0 for the first, up to the
    number of layers less one; quantity: what the bars show, "macs", "params"
    or "memory" (of activations, in float32). Another value raises
    ``traitlets.TraitError``. A net with fewer layers takes you to its last.
    """

    _esm = script("layer_browser")
    net = traitlets.Enum(tuple(NAMES), "v1").tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    quantity = traitlets.Enum(("macs", "params", "memory"), "macs").tag(sync=True)

    def __init__(self, net="v1", layer=0, quantity="macs"):
        super().__init__(_table=_table(), net=net, layer=layer, quantity=quantity)

    @property
    def cost(self):
        """The whole ``nets.Net``."""
        return published.BUILDERS[self.net]()

    @property
    def current(self):
        """The ``cost.Layer`` you are at."""
        return self.cost.layers[self.layer]

    @traitlets.validate("layer")
    def _check_layer(self, proposal):
        return check_index("layer", proposal["value"], self.net, self.cost.layers)

    @traitlets.observe("net")
    def _clamp_layer(self, change):
        self.layer = min(self.layer, len(self.cost.layers) - 1)

    def __repr__(self):
        layer = self.current
        return (
            f"LayerBrowser(net={self.net!r}, layer={self.layer}): {layer.name}, "
            f"{layer.macs:,} multiply-adds, {layer.params:,} parameters"
        )

    def _fallback(self):
        net = self.cost
        return html_table(
            "layer-browser",
            f"The {len(net.layers)} layers of {NAMES[self.net]}, α = 1, "
            "224 × 224 pixels",
            ("layer", "output", "multiply-adds", "parameters, as torch counts"),
            [(x.name, _output(x), f"{x.macs:,}", f"{x.params:,}") for x in net.layers],
            f"Together: {net.macs:,} multiply-adds, {net.params:,} parameters.",
        )


def _output(layer):
    return shape(layer.out_channels, layer.out_size)


@cache
def _table():
    """All that layer_browser.js looks up, as one JSON string."""
    fields = (
        *("name", "kind", "kernel", "stride", "input", "output"),
        *("macs", "params", "weights", "memory"),
    )
    return compact(
        {
            "kinds": cost.KINDS,
            "fields": fields,
            "nets": {
                key: [
                    (
                        *(x.name, x.kind, x.kernel, x.stride),
                        *(shape(x.in_channels, x.in_size), _output(x)),
                        *(x.macs, x.params, x.weights, x.activation_bytes()),
                    )
                    for x in published.BUILDERS[key]().layers
                ]
                for key in NAMES
            },
        }
    )
