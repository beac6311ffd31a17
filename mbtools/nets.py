"""Whole networks as tuples of layers, built from the papers' own tables.

No torch here: a net is a list of shapes, and its cost is a sum. V1 is
arXiv:1704.04861, V2 is arXiv:1801.04381.
"""

import math
import re
from dataclasses import dataclass
from itertools import groupby
from numbers import Integral, Real

from .cost import KINDS, Layer

# V1, Table 1: (out_channels, stride) of each depthwise separable block.
V1_BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),  # Table 1 prints stride 2, but its input and output are both 7x7
)

# V2, Table 2: (expansion t, out_channels c, repeats n, stride s).
V2_BLOCKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

STEM = 32  # channels of the first convolution, in both nets
V2_LAST = 1280  # channels of V2's last 1x1 convolution
MIN_RESOLUTION = 32  # five layers of stride 2 leave one pixel of it


@dataclass(frozen=True)
class Net:
    """A network as its layers, first to last, for one square RGB picture."""

    name: str
    alpha: float
    resolution: int
    classes: int
    layers: tuple

    @property
    def macs(self):
        """Multiply-adds for one picture."""
        return sum(layer.macs for layer in self.layers)

    @property
    def params(self):
        """Parameters as torch counts them (batch norm and biases in)."""
        return sum(layer.params for layer in self.layers)

    @property
    def weights(self):
        """Weights alone, as the papers count them."""
        return sum(layer.weights for layer in self.layers)

    def shares(self, quantity="macs"):
        """How a total splits over the kinds of layers (V1, Table 2).

        quantity: "macs", "params" or "weights". Returns {kind: share}, the
        shares adding up to 1, in the order of ``cost.KINDS``.
        """
        if quantity not in ("macs", "params", "weights"):
            raise ValueError(
                f"quantity must be macs, params or weights; got {quantity!r}"
            )
        total = getattr(self, quantity)
        return {
            kind: sum(getattr(x, quantity) for x in self.layers if x.kind == kind)
            / total
            for kind in KINDS
        }

    @property
    def blocks(self):
        """The layers in groups: the stem, each block, each layer after them."""
        groups = groupby(self.layers, block_name)
        return tuple(tuple(layers) for _, layers in groups)

    def peak_memory(self, bytes_per_value=4, parts=1):
        """Bytes of activations at the worst moment, weights not counted.

        The maximum of ``block_memory`` over the blocks; with ``parts`` = 1
        this is V2's equation 2 (section 5.1), layer by layer.
        """
        return max(block_memory(x, parts, bytes_per_value) for x in self.blocks)

    def __repr__(self):
        return (
            f"{self.name}(alpha={self.alpha:g}, resolution={self.resolution}): "
            f"{len(self.layers)} layers, {self.macs:,} multiply-adds, "
            f"{self.params:,} parameters"
        )


def make_divisible(value, divisor=8):
    """The official rounding of channel counts: to a multiple of ``divisor``.

    To the nearest multiple, one step more where that would lose over 10 % of
    ``value``, and never below ``divisor`` (TensorFlow's slim/nets/mobilenet).

    Raises ValueError if value is not above 0.
    """
    if not value > 0:
        raise ValueError(f"value must be above 0; got {value!r}")
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def block_name(layer):
    """The block that a layer is in, as "block 3"; outside, the layer's name."""
    return re.match(r"block \d+|.*", layer.name)[0]


def block_memory(block, parts=1, bytes_per_value=4):
    """Bytes of activations in memory while one block runs (V2, section 5.1).

    block: its layers, an item of ``Net.blocks``.
    parts: with 1 the layers run one after the other, and the worst of them
        counts: its input, its output and what a shortcut holds. With more,
        the block is one operation: its input and output stay whole, the
        tensors between its layers come in so many slices of channels, one
        at a time. More parts than channels make slices of one channel.

    Raises ValueError if parts is not an integer >= 1.
    """
    if not isinstance(parts, Integral) or parts < 1:
        raise ValueError(f"parts must be an integer >= 1; got {parts!r}")
    first, last = block[0], block[-1]
    if parts == 1 or len(block) == 1:
        return max(layer.activation_bytes(bytes_per_value) for layer in block)
    # the inner layers of a block all have as many channels as its last reads
    channels = last.in_channels
    slice_channels = math.ceil(channels / parts)
    inner = sum(layer.out_size**2 for layer in block[:-1]) * slice_channels
    return (first.in_values + inner + last.out_values) * bytes_per_value


def mobilenet_v1(alpha=1.0, resolution=224, classes=1000):
    """MobileNet V1 (Table 1) at width ``alpha`` and input ``resolution``.

    Channel counts are cut to int(alpha * channels), as in the official code.
    The resolution multiplier is rho = resolution / 224 (section 3.4).

    Raises ValueError naming the bound: alpha >= 1/32 (one of the first 32
    channels must be left), resolution an integer >= 32, classes >= 1.
    """
    layers = _v1_layers(alpha, resolution, classes, V1_BLOCKS, _separable)
    return Net("MobileNetV1", alpha, resolution, classes, layers)


def conv_mobilenet(alpha=1.0, resolution=224, classes=1000):
    """V1 with a standard 3x3 convolution for each separable one (Table 4).

    Raises ValueError as ``mobilenet_v1`` does.
    """
    layers = _v1_layers(alpha, resolution, classes, V1_BLOCKS, _standard)
    return Net("ConvMobileNet", alpha, resolution, classes, layers)


def shallow_mobilenet(alpha=1.0, resolution=224, classes=1000):
    """V1 without its five 14x14 blocks of 512 channels (Table 5).

    Raises ValueError as ``mobilenet_v1`` does.
    """
    blocks = tuple(block for block in V1_BLOCKS if block != (512, 1))
    layers = _v1_layers(alpha, resolution, classes, blocks, _separable)
    return Net("ShallowMobileNet", alpha, resolution, classes, layers)


def mobilenet_v2(alpha=1.0, resolution=224, classes=1000, rounding=make_divisible):
    """MobileNet V2 (Table 2) at width ``alpha`` and input ``resolution``.

    The last 1280 channels grow with alpha above 1 but do not shrink below
    it, as in the official code.

    rounding: what makes alpha times the table's channels a whole number; the
        official ``make_divisible``, or a function to compare with it.

    Raises ValueError naming the bound: alpha > 0, resolution an integer
    >= 32, classes >= 1.
    """
    _check(alpha, resolution, classes, smallest_alpha=0)
    stem = rounding(STEM * alpha)
    layers = [Layer("conv", 3, stem, 3, 2, resolution, name="stem")]
    for number, block in enumerate(v2_blocks(alpha, rounding), 1):
        size = layers[-1].out_size
        layers += inverted_residual(*block, size, f"block {number}")
    channels, size = layers[-1].out_channels, layers[-1].out_size
    last = rounding(V2_LAST * max(1.0, alpha))
    layers.append(Layer("pointwise", channels, last, in_size=size, name="last"))
    layers.append(_classifier(last, classes))
    return Net("MobileNetV2", alpha, resolution, classes, tuple(layers))


def v2_blocks(alpha=1.0, rounding=make_divisible):
    """V2's blocks, row by row of Table 2, at width ``alpha``.

    Yields (in_channels, out_channels, stride, expansion). Only the first of
    a row's repeats has the row's stride.
    """
    channels = rounding(STEM * alpha)
    for expansion, out, repeats, first_stride in V2_BLOCKS:
        out_channels = rounding(out * alpha)
        for stride in (first_stride, *(1,) * (repeats - 1)):
            yield channels, out_channels, stride, expansion
            channels = out_channels


def _v1_layers(alpha, resolution, classes, blocks, block):
    _check(alpha, resolution, classes, smallest_alpha=1 / STEM)
    channels = int(STEM * alpha)
    layers = [Layer("conv", 3, channels, 3, 2, resolution, name="stem")]
    for number, (out, stride) in enumerate(blocks, 1):
        size, out_channels = layers[-1].out_size, int(out * alpha)
        layers += block(channels, out_channels, stride, size, f"block {number}")
        channels = out_channels
    return (*layers, _classifier(channels, classes))


def _separable(channels, out_channels, stride, size, name):
    depthwise = Layer(
        "depthwise", channels, channels, 3, stride, size, name=f"{name} depthwise"
    )
    pointwise = Layer(
        "pointwise",
        channels,
        out_channels,
        in_size=depthwise.out_size,
        name=f"{name} pointwise",
    )
    return depthwise, pointwise


def _standard(channels, out_channels, stride, size, name):
    return (Layer("conv", channels, out_channels, 3, stride, size, name=name),)


def inverted_residual(
    in_channels, out_channels, stride, expansion, in_size=1, name="block"
):
    """The layers of V2's block (Table 1): expand 1x1, depthwise 3x3, project 1x1.

    With ``expansion`` 1 there is nothing to expand, and that layer is left
    out. At stride 1 with equal channels a shortcut holds the input.

    Raises ValueError as ``cost.Layer`` does.
    """
    inner = expansion * in_channels
    shortcut = stride == 1 and in_channels == out_channels
    held = in_channels * in_size**2 if shortcut else 0
    layers = []
    if expansion != 1:
        layers.append(
            Layer(
                "pointwise", in_channels, inner, in_size=in_size, name=f"{name} expand"
            )
        )
    layers.append(
        Layer(
            "depthwise",
            inner,
            inner,
            3,
            stride,
            in_size,
            held=held if layers else 0,  # alone, it reads that tensor itself
            name=f"{name} depthwise",
        )
    )
    layers.append(
        Layer(
            "pointwise",
            inner,
            out_channels,
            in_size=layers[-1].out_size,
            held=held,
            name=f"{name} project",
        )
    )
    return layers


def _classifier(channels, classes):
    return Layer("linear", channels, classes, norm=False, bias=True, name="classifier")


def _check(alpha, resolution, classes, smallest_alpha):
    if isinstance(alpha, bool) or not isinstance(alpha, Real):
        raise ValueError(f"alpha must be a number; got {alpha!r}")
    if not math.isfinite(alpha) or alpha <= 0:
        raise ValueError(f"alpha must be a finite number above 0; got {alpha!r}")
    if alpha < smallest_alpha:
        raise ValueError(
            f"alpha must be at least 1/{STEM} = {smallest_alpha:g}, so that one of "
            f"the first {STEM} channels is left; got {alpha!r}"
        )
    if not isinstance(resolution, Integral) or resolution < MIN_RESOLUTION:
        raise ValueError(
            f"resolution must be an integer >= {MIN_RESOLUTION} (pixels), because "
            f"five layers of stride 2 halve it; got {resolution!r}"
        )
    if not isinstance(classes, Integral) or classes < 1:
        raise ValueError(f"classes must be an integer >= 1; got {classes!r}")
