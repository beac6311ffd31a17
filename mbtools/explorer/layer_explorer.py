"""One layer: a standard convolution against a separable one."""

import traitlets

from .. import cost
from .base import Explorer, compact, html_table, script

KERNELS = (1, 3, 5, 7)
CHANNELS = tuple(2**power for power in range(11))
SIZES = (7, 14, 28, 56, 112, 128, 224)


class LayerExplorer(Explorer):
    """A standard convolution against a separable one, as sliders.

    kernel: D_K, one of ``KERNELS``; in_channels, out_channels: M and N, each
    one of ``CHANNELS``; size: D_F, the side of the output, one of ``SIZES``.
    Another value raises ``traitlets.TraitError``.
    """

    _esm = script("layer_explorer")
    kernel = traitlets.Enum(KERNELS, 3).tag(sync=True)
    in_channels = traitlets.Enum(CHANNELS, 64).tag(sync=True)
    out_channels = traitlets.Enum(CHANNELS, 128).tag(sync=True)
    size = traitlets.Enum(SIZES, 128).tag(sync=True)

    def __init__(self, kernel=3, in_channels=64, out_channels=128, size=128):
        super().__init__(
            _table=compact(
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
        return html_table(
            "layer-explorer",
            f"A {self.kernel} × {self.kernel} convolution from {self.in_channels} "
            f"to {self.out_channels} channels, {self.size} × {self.size} outputs",
            ("convolution", "multiply-adds", "weights"),
            [(name, *(f"{x:,}" for x in row)) for name, row in counts.items()],
            f"Separable over standard: 1/N + 1/D_K² = 1/{self.out_channels} + "
            f"1/{self.kernel**2} = {reduction:.4f}",
        )
