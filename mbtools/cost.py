"""What one convolution costs: multiply-adds, parameters, memory.

One symbol for each quantity, as in the MobileNet V1 paper (arXiv:1704.04861,
section 3.1): kernel size D_K is ``kernel``, the side of the output feature
map D_F is ``size``, input channels M are ``in_channels`` and output channels
N are ``out_channels``. A multiply-add counts once; batch norm, biases,
activations and pooling are not counted, as in the papers.
"""

from dataclasses import dataclass
from numbers import Integral

KINDS = ("conv", "depthwise", "pointwise", "linear")


def standard_macs(kernel, in_channels, out_channels, size):
    """Multiply-adds of a standard convolution (V1, equation 2).

    One output value takes D_K * D_K * M multiply-adds; there are
    N * D_F * D_F output values.
    """
    return kernel**2 * in_channels * out_channels * size**2


def depthwise_macs(kernel, channels, size):
    """Multiply-adds of a depthwise convolution (V1, equation 4)."""
    return kernel**2 * channels * size**2


def pointwise_macs(in_channels, out_channels, size):
    """Multiply-adds of a 1x1 convolution (V1, section 3.1)."""
    return in_channels * out_channels * size**2


def separable_macs(kernel, in_channels, out_channels, size):
    """Depthwise, then pointwise: the separable convolution (V1, eq. 5)."""
    depthwise = depthwise_macs(kernel, in_channels, size)
    return depthwise + pointwise_macs(in_channels, out_channels, size)


def reduction(kernel, out_channels):
    """Separable cost over standard cost: 1/N + 1/D_K^2 (V1, section 3.1)."""
    return 1 / out_channels + 1 / kernel**2


def break_even(in_channels, out_channels):
    """The rank at which two layers have as many weights as one, M N / (M + N)."""
    return in_channels * out_channels / (in_channels + out_channels)


def roof_seconds(layer, peak, bandwidth, bytes_per_value=4, batch=1):
    """What a layer's multiply-adds take at least, and what its bytes take.

    peak: multiply-adds a second; bandwidth: bytes a second. The longer of the
    two binds the layer (the roofline model, doi:10.1145/1498765.1498785).
    """
    moved = layer.bytes_moved(bytes_per_value, batch)
    return batch * layer.macs / peak, moved / bandwidth


@dataclass(frozen=True)
class Layer:
    """One layer and what it costs for one picture.

    The input is (M, D, D) with M = ``in_channels`` and D = ``in_size``, the
    output (N, D', D') with N = ``out_channels`` and D' = ``out_size``.
    Convolutions are padded so that only the stride shrinks the picture:
    D' = D / stride, rounded up. A picture that is not square has (height,
    width) for D, and for D'.

    kind: "conv", "depthwise", "pointwise" or "linear" (in_size 1).
    norm, bias: what stands beside the weights: a batch norm (a scale and a
        shift for each output channel), a bias (one number for each).
    held: values of an earlier tensor that must stay in memory while this
        layer runs, because a shortcut adds it back later.

    Raises ValueError if the kind is unknown, a size is below one or not an
    integer, the kernel is even, or the shape does not fit the kind.
    """

    kind: str
    in_channels: int
    out_channels: int
    kernel: int = 1
    stride: int = 1
    in_size: int = 1
    norm: bool = True
    bias: bool = False
    held: int = 0
    name: str = ""

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(
                f"kind must be one of {', '.join(KINDS)}; got {self.kind!r}"
            )
        for field in ("in_channels", "out_channels", "kernel", "stride"):
            _check_count(field, getattr(self, field))
        for side in _sides(self.in_size):
            _check_count("in_size", side)
        if self.kernel % 2 == 0:
            raise ValueError(
                f"kernel must be odd, so that padding keeps the size; got {self.kernel}"
            )
        if self.kind == "depthwise" and self.in_channels != self.out_channels:
            raise ValueError(
                f"a depthwise layer has one filter for each channel: "
                f"out_channels must be {self.in_channels}; got {self.out_channels}"
            )
        if self.kind in ("pointwise", "linear") and self.kernel != 1:
            raise ValueError(f"a {self.kind} layer has kernel 1; got {self.kernel}")
        if self.kind == "linear" and self.in_size != 1:
            raise ValueError(
                f"a linear layer sees a vector: in_size must be 1; got {self.in_size}"
            )

    @property
    def out_size(self):
        """Side of the output, in pixels: in_size / stride, rounded up."""
        sides = tuple(-(-side // self.stride) for side in _sides(self.in_size))
        return sides if isinstance(self.in_size, tuple) else sides[0]

    @property
    def weights(self):
        """Weights alone, as the papers count them (no batch norm, no bias)."""
        # a 1x1 output visits each weight exactly once
        if self.kind == "depthwise":
            return depthwise_macs(self.kernel, self.in_channels, 1)
        return standard_macs(self.kernel, self.in_channels, self.out_channels, 1)

    @property
    def params(self):
        """Parameters as torch counts them: weights, batch norm, bias."""
        return self.weights + self.out_channels * (2 * self.norm + self.bias)

    @property
    def macs(self):
        """Multiply-adds for one picture: each weight once for an output pixel."""
        return self.weights * self.out_pixels

    @property
    def in_values(self):
        """Numbers in the input tensor, M * D * D."""
        return self.in_channels * _pixels(self.in_size)

    @property
    def out_pixels(self):
        """Pixels of the output, D' * D'."""
        return _pixels(self.out_size)

    @property
    def out_values(self):
        """Numbers in the output tensor, N * D' * D'."""
        return self.out_channels * self.out_pixels

    def activation_bytes(self, bytes_per_value=4):
        """Bytes in memory while the layer runs: input, output, held tensor.

        The terms of V2's equation 2 (arXiv:1801.04381, section 5.1), in
        float32 unless ``bytes_per_value`` says otherwise (V2 uses 2).
        """
        return (self.in_values + self.out_values + self.held) * bytes_per_value

    def bytes_moved(self, bytes_per_value=4, batch=1):
        """Bytes that must move to run the layer, the least there can be.

        Each of ``batch`` pictures has its input and its output; the weights,
        with the batch norm folded in, move once for all of them. What a
        shortcut holds stays where it is.
        """
        tensors = batch * (self.in_values + self.out_values)
        return (tensors + self.weights) * bytes_per_value


def _sides(size):
    """(height, width); of a square, its side twice."""
    return size if isinstance(size, tuple) and len(size) == 2 else (size, size)


def _pixels(size):
    height, width = _sides(size)
    return height * width


def _check_count(field, value):
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{field} must be an integer >= 1; got {value!r}")
