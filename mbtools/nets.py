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

# An engineer's two classifiers of partial discharge (chapter 9), for grey pictures
# of so many rows and columns: a LeNet, and V2 in small, as in Table 2.
PD_RESOLUTION = 60, 120
PD_CONVOLUTIONS, PD_DENSE = (32, 64, 128, 256), (64, 32)
PD_GRID = 3, 7  # pixels that the first dense layer reads
PD_LIGHT_BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 3, 2))
PD_LIGHT_LAST = 256
PD_MIN_RESOLUTION = 16  # both halve a picture four times

STEM = 32  # channels of the first convolution, in both nets
V2_LAST = 1280  # channels of V2's last 1x1 convolution
MIN_RESOLUTION = 32  # five layers of stride 2 leave one pixel of it


@dataclass(frozen=True)
class Net:
    """A network as its layers, first to last, for one picture.

    resolution: the side of a square picture, or (height, width), in pixels.
    """

    name: str
    alpha: float
    resolution: int | tuple
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
    inner = sum(layer.out_pixels for layer in block[:-1]) * slice_channels
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
    _check(alpha, resolution, classes, 0, MIN_RESOLUTION)
    stem, last = rounding(STEM * alpha), rounding(V2_LAST * max(1.0, alpha))
    blocks = v2_blocks(alpha, rounding)
    layers = _v2_layers(3, stem, blocks, last, resolution, classes)
    return Net("MobileNetV2", alpha, resolution, classes, layers)


def pd_model(alpha=1.0, resolution=PD_RESOLUTION, classes=6):
    """A LeNet for partial discharge (chapter 9), its convolutions ``alpha`` wide.

    Four 3x3 convolutions, each before a max-pooling that halves the picture,
    rounded down. What is left is pooled to 3x7 pixels, which is what 60x120
    leave, for three dense layers. No batch norm; biases everywhere.

    resolution: (rows, columns).

    Raises ValueError naming the bound: alpha >= 1/32, both sides of resolution
    integers >= 16, classes >= 1.
    """
    for side in _sides(resolution):
        _check(alpha, side, classes, 1 / STEM, PD_MIN_RESOLUTION)
    layers, channels, size = [], 1, resolution
    for number, out in enumerate(PD_CONVOLUTIONS, 1):
        plain = {"norm": False, "bias": True, "name": f"convolution {number}"}
        layers.append(Layer("conv", channels, int(out * alpha), 3, 1, size, **plain))
        channels, size = int(out * alpha), tuple(side // 2 for side in size)
    channels *= math.prod(PD_GRID)
    for number, out in enumerate(PD_DENSE, 1):
        layers.append(_classifier(channels, out, f"dense {number}"))
        channels = out
    layers.append(_classifier(channels, classes))
    return Net("PDModel", alpha, resolution, classes, tuple(layers))


def pd_light_model(alpha=1.0, resolution=PD_RESOLUTION, classes=6):
    """V2 in small for partial discharge (chapter 9): nine blocks, grey pictures.

    All its channels are alpha times as many, rounded by ``make_divisible``.

    resolution: (rows, columns).

    Raises ValueError naming the bound: alpha > 0, both sides of resolution
    integers >= 16, classes >= 1.
    """
    for side in _sides(resolution):
        _check(alpha, side, classes, 0, PD_MIN_RESOLUTION)
    stem, last = make_divisible(STEM * alpha), make_divisible(PD_LIGHT_LAST * alpha)
    blocks = v2_blocks(alpha, table=PD_LIGHT_BLOCKS)
    layers = _v2_layers(1, stem, blocks, last, resolution, classes)
    return Net("PDLightModel", alpha, resolution, classes, layers)


def v2_blocks(alpha=1.0, rounding=make_divisible, table=V2_BLOCKS):
    """V2's blocks, row by row of Table 2, at width ``alpha``.

    Yields (in_channels, out_channels, stride, expansion). Only the first of
    a row's repeats has the row's stride. ``table`` may be another net's.
    """
    channels = rounding(STEM * alpha)
    for expansion, out, repeats, first_stride in table:
        out_channels = rounding(out * alpha)
        for stride in (first_stride, *(1,) * (repeats - 1)):
            yield channels, out_channels, stride, expansion
            channels = out_channels


def _v1_layers(alpha, resolution, classes, blocks, block):
    _check(alpha, resolution, classes, 1 / STEM, MIN_RESOLUTION)
    channels = int(STEM * alpha)
    layers = [Layer("conv", 3, channels, 3, 2, resolution, name="stem")]
    for number, (out, stride) in enumerate(blocks, 1):
        size, out_channels = layers[-1].out_size, int(out * alpha)
        layers += block(channels, out_channels, stride, size, f"block {number}")
        channels = out_channels
    return (*layers, _classifier(channels, classes))


def _v2_layers(in_channels, stem, blocks, last, resolution, classes):
    layers = [Layer("conv", in_channels, stem, 3, 2, resolution, name="stem")]
    for number, block in enumerate(blocks, 1):
        size = layers[-1].out_size
        layers += inverted_residual(*block, size, f"block {number}")
    channels, size = layers[-1].out_channels, layers[-1].out_size
    layers.append(Layer("pointwise", channels, last, in_size=size, name="last"))
    return (*layers, _classifier(last, classes))


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
            # without an expanding layer, it reads the held tensor itself
            held=layers[0].in_values if shortcut and layers else 0,
            name=f"{name} depthwise",
        )
    )
    layers.append(
        Layer(
            "pointwise",
            inner,
            out_channels,
            in_size=layers[-1].out_size,
            held=layers[0].in_values if shortcut else 0,
            name=f"{name} project",
        )
    )
    return layers


def _classifier(channels, classes, name="classifier"):
    return Layer("linear", channels, classes, norm=False, bias=True, name=name)


def _sides(resolution):
    if not isinstance(resolution, tuple | list) or len(resolution) != 2:
        raise ValueError(f"resolution must be (rows, columns); got {resolution!r}")
    return resolution


def _check(alpha, resolution, classes, smallest_alpha, smallest):
    if isinstance(alpha, bool) or not isinstance(alpha, Real):
        raise ValueError(f"alpha must be a number; got {alpha!r}")
    if not math.isfinite(alpha) or alpha <= 0:
        raise ValueError(f"alpha must be a finite number above 0; got {alpha!r}")
    if alpha < smallest_alpha:
        raise ValueError(
            f"alpha must be at least 1/{STEM} = {smallest_alpha:g}, so that one of "
            f"the first {STEM} channels is left; got {alpha!r}"
        )
    if not isinstance(resolution, Integral) or resolution < smallest:
        raise ValueError(
            f"resolution must be an integer >= {smallest} (pixels), because it is "
            f"halved {smallest.bit_length() - 1} times; got {resolution!r}"
        )
    if not isinstance(classes, Integral) or classes < 1:
        raise ValueError(f"classes must be an integer >= 1; got {classes!r}")
