"""One block: V2's inverted residual against what could stand in its place."""

import traitlets

from .. import nets
from ..cost import Layer
from .base import Explorer, compact, html_table, script

WIDTHS = (8, 16, 24, 32, 48, 64, 96, 160, 320)
EXPANSIONS = tuple(range(1, 11))
SIDES = (7, 10, 14, 28, 56, 112)
BYTES = 2  # float16, as in V2's Table 3
REDUCTION = 4  # ResNet-50's block has a quarter of its output's channels inside


class BlockDesigner(Explorer):
    """V2's block against three rivals with the same input and output.

    in_channels, out_channels: M and N, each one of ``WIDTHS``; expansion: t,
    from 1 to 10; stride: 1 or 2; size: h = w of the input, one of ``SIDES``.
    Another value raises ``traitlets.TraitError``. Memory is of activations,
    in float16, of each layer (``Layer.activation_bytes``) and of each block
    (``nets.block_memory``).
    """

    _esm = script("block_designer")
    in_channels = traitlets.Enum(WIDTHS, 16).tag(sync=True)
    out_channels = traitlets.Enum(WIDTHS, 16).tag(sync=True)
    expansion = traitlets.Enum(EXPANSIONS, 6).tag(sync=True)
    stride = traitlets.Enum((1, 2), 1).tag(sync=True)
    size = traitlets.Enum(SIDES, 14).tag(sync=True)

    def __init__(self, in_channels=16, out_channels=16, expansion=6, stride=1, size=14):
        super().__init__(
            _table=compact(
                {
                    "in_channels": WIDTHS,
                    "out_channels": WIDTHS,
                    "expansion": EXPANSIONS,
                    "size": SIDES,
                    "bytes": BYTES,
                    "reduction": REDUCTION,
                }
            ),
            in_channels=in_channels,
            out_channels=out_channels,
            expansion=expansion,
            stride=stride,
            size=size,
        )

    @property
    def block(self):
        """The layers of the inverted residual, as ``cost.Layer``."""
        return nets.inverted_residual(
            self.in_channels, self.out_channels, self.stride, self.expansion, self.size
        )

    @property
    def rivals(self):
        """The layers of each rival: {name: layers}.

        "bottleneck" is ResNet's (arXiv:1512.03385), its stride in the 3x3
        convolution. It has a shortcut where the inverted residual has one;
        ResNet's 1x1 convolution on the other shortcuts is left out.
        """
        m, n = self.in_channels, self.out_channels
        stride, size = self.stride, self.size
        half = self.block[-1].out_size
        thin = n // REDUCTION
        held = self.block[-1].held
        return {
            "standard": [Layer("conv", m, n, 3, stride, size)],
            "separable": [
                Layer("depthwise", m, m, 3, stride, size, name="depthwise"),
                Layer("pointwise", m, n, in_size=half, name="pointwise"),
            ],
            "bottleneck": [
                Layer("pointwise", m, thin, in_size=size, name="reduce"),
                Layer("conv", thin, thin, 3, stride, size, held=held, name="standard"),
                Layer("pointwise", thin, n, in_size=half, held=held, name="expand"),
            ],
        }

    @property
    def shortcut(self):
        """Whether the block adds its input to its output."""
        return self.block[-1].held > 0

    def __repr__(self):
        blocks = {"inverted": self.block} | self.rivals
        macs = ", ".join(f"{name} {_sum(x, 'macs'):,}" for name, x in blocks.items())
        return (
            f"BlockDesigner(in_channels={self.in_channels}, "
            f"out_channels={self.out_channels}, expansion={self.expansion}, "
            f"stride={self.stride}, size={self.size}): multiply-adds {macs}"
        )

    def _fallback(self):
        blocks = {"inverted residual": self.block} | self.rivals
        blocks["ResNet block"] = blocks.pop("bottleneck")  # V2 has its own bottlenecks
        rows = []
        for name, layers in blocks.items():
            sliced = f"{nets.block_memory(layers, layers[-1].in_channels, BYTES):,}"
            if name == "ResNet block":  # its 3 × 3 reads all of its channels at once
                sliced = "–"
            rows.append((*_row(name, layers), sliced))
            rows += [(*_row(f"{name}: {x.name}", [x]), "–") for x in layers if x.name]
        return html_table(
            "block-designer",
            f"From {self.in_channels} to {self.out_channels} channels, t = "
            f"{self.expansion}, stride {self.stride}, input {self.size} × {self.size}",
            ("block", "multiply-adds", "weights", "bytes by layer", "bytes by channel"),
            rows,
            f"Shortcut: {'yes' if self.shortcut else 'no'}. Activations in float16.",
        )


def _row(name, layers):
    memory = nets.block_memory(layers, 1, BYTES)
    return name, *(f"{_sum(layers, x):,}" for x in ("macs", "weights")), f"{memory:,}"


def _sum(layers, quantity):
    return sum(getattr(layer, quantity) for layer in layers)
