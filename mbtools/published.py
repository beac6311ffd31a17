"""The costs and accuracies that others printed, each with its source.

Data only: nothing here is computed by us. ``Published.build()`` gives the
same net with our own counts, to hold beside it.
"""

from typing import NamedTuple

from . import nets

BUILDERS = {
    "v1": nets.mobilenet_v1,
    "v2": nets.mobilenet_v2,
    "conv": nets.conv_mobilenet,
    "shallow": nets.shallow_mobilenet,
}


class Published(NamedTuple):
    """One printed row. What was not printed is None.

    net: a key of ``BUILDERS``, or "v3-large", "v3-small".
    macs, params: in millions, as printed.
    top1, top5: ImageNet accuracy in percent, single crop.
    pixel1_ms: TF-Lite, one large core of a Pixel 1 phone.
    precision: "float" or "int8".
    """

    source: str
    net: str
    alpha: float
    resolution: int
    macs: float
    params: float | None = None
    top1: float | None = None
    top5: float | None = None
    pixel1_ms: float | None = None
    precision: str = "float"

    def build(self):
        """The ``nets.Net`` of this row; KeyError for the V3 nets."""
        return BUILDERS[self.net](self.alpha, self.resolution)


V1_PAPER = (  # arXiv:1704.04861
    Published("V1 Table 4", "conv", 1.0, 224, 4866, 29.3, 71.7),
    Published("V1 Table 5", "shallow", 1.0, 224, 307, 2.9, 65.3),
    Published("V1 Table 6", "v1", 1.0, 224, 569, 4.2, 70.6),
    Published("V1 Table 6", "v1", 0.75, 224, 325, 2.6, 68.4),
    Published("V1 Table 6", "v1", 0.5, 224, 149, 1.3, 63.7),
    Published("V1 Table 6", "v1", 0.25, 224, 41, 0.5, 50.6),
    Published("V1 Table 7", "v1", 1.0, 224, 569, 4.2, 70.6),
    Published("V1 Table 7", "v1", 1.0, 192, 418, 4.2, 69.1),
    Published("V1 Table 7", "v1", 1.0, 160, 290, 4.2, 67.2),
    Published("V1 Table 7", "v1", 1.0, 128, 186, 4.2, 64.4),
    Published("V1 Table 9", "v1", 0.5, 160, 76, 1.32, 60.2),
)

V2_PAPER = (  # arXiv:1801.04381v4
    Published("V2 Table 4", "v1", 1.0, 224, 575, 4.2, 70.6, None, 113),
    Published("V2 Table 4", "v2", 1.0, 224, 300, 3.4, 72.0, None, 75),
    Published("V2 Table 4", "v2", 1.4, 224, 585, 6.9, 74.7, None, 143),
)

# TensorFlow models, research/slim/nets: mobilenet_v1.md and mobilenet/README.md.
# The multiply-adds of V2 are truncated there, some of V1's are wrong (chapter 3).
TF_SLIM = tuple(
    Published("TF-slim", *row)
    for row in (
        ("v1", 1.0, 224, 569, 4.24, 70.9, 89.9),
        ("v1", 1.0, 192, 418, 4.24, 70.0, 89.2),
        ("v1", 1.0, 160, 291, 4.24, 68.0, 87.7),
        ("v1", 1.0, 128, 186, 4.24, 65.2, 85.8),
        ("v1", 0.75, 224, 317, 2.59, 68.4, 88.2),
        ("v1", 0.75, 192, 233, 2.59, 67.2, 87.3),
        ("v1", 0.75, 160, 162, 2.59, 65.3, 86.0),
        ("v1", 0.75, 128, 104, 2.59, 62.1, 83.9),
        ("v1", 0.5, 224, 150, 1.34, 63.3, 84.9),
        ("v1", 0.5, 192, 110, 1.34, 61.7, 83.6),
        ("v1", 0.5, 160, 77, 1.34, 59.1, 81.9),
        ("v1", 0.5, 128, 49, 1.34, 56.3, 79.4),
        ("v1", 0.25, 224, 41, 0.47, 49.8, 74.2),
        ("v1", 0.25, 192, 34, 0.47, 47.7, 72.3),
        ("v1", 0.25, 160, 21, 0.47, 45.5, 70.3),
        ("v1", 0.25, 128, 14, 0.47, 41.5, 66.3),
        ("v1", 1.0, 224, 569, 4.24, 69.7, 89.5, None, "int8"),
        ("v1", 1.0, 192, 418, 4.24, 69.0, 88.9, None, "int8"),
        ("v1", 1.0, 160, 291, 4.24, 67.3, 87.7, None, "int8"),
        ("v1", 1.0, 128, 186, 4.24, 64.0, 85.5, None, "int8"),
        ("v1", 0.75, 224, 317, 2.59, 67.9, 88.1, None, "int8"),
        ("v1", 0.75, 192, 233, 2.59, 66.2, 87.1, None, "int8"),
        ("v1", 0.75, 160, 162, 2.59, 63.9, 85.5, None, "int8"),
        ("v1", 0.75, 128, 104, 2.59, 59.8, 82.8, None, "int8"),
        ("v1", 0.5, 224, 150, 1.34, 62.2, 84.5, None, "int8"),
        ("v1", 0.5, 192, 110, 1.34, 60.4, 83.2, None, "int8"),
        ("v1", 0.5, 160, 77, 1.34, 57.7, 81.3, None, "int8"),
        ("v1", 0.5, 128, 49, 1.34, 54.9, 78.9, None, "int8"),
        ("v1", 0.25, 224, 41, 0.47, 48.2, 73.8, None, "int8"),
        ("v1", 0.25, 192, 34, 0.47, 45.8, 71.9, None, "int8"),
        ("v1", 0.25, 160, 21, 0.47, 43.5, 69.1, None, "int8"),
        ("v1", 0.25, 128, 14, 0.47, 39.9, 65.8, None, "int8"),
        ("v2", 1.4, 224, 582, 6.06, 75.0, 92.5, 138.0),
        ("v2", 1.3, 224, 509, 5.34, 74.4, 92.1, 123.0),
        ("v2", 1.0, 224, 300, 3.47, 71.8, 91.0, 73.8),
        ("v2", 1.0, 192, 221, 3.47, 70.7, 90.1, 55.1),
        ("v2", 1.0, 160, 154, 3.47, 68.8, 89.0, 40.2),
        ("v2", 1.0, 128, 99, 3.47, 65.3, 86.9, 27.6),
        ("v2", 1.0, 96, 56, 3.47, 60.3, 83.2, 17.6),
        ("v2", 0.75, 224, 209, 2.61, 69.8, 89.6, 55.8),
        ("v2", 0.75, 192, 153, 2.61, 68.7, 88.9, 41.6),
        ("v2", 0.75, 160, 107, 2.61, 66.4, 87.3, 30.4),
        ("v2", 0.75, 128, 69, 2.61, 63.2, 85.3, 21.9),
        ("v2", 0.75, 96, 39, 2.61, 58.8, 81.6, 14.2),
        ("v2", 0.5, 224, 97, 1.95, 65.4, 86.4, 28.7),
        ("v2", 0.5, 192, 71, 1.95, 63.9, 85.4, 21.1),
        ("v2", 0.5, 160, 50, 1.95, 61.0, 83.2, 14.9),
        ("v2", 0.5, 128, 32, 1.95, 57.7, 80.8, 9.9),
        ("v2", 0.5, 96, 18, 1.95, 51.2, 75.8, 6.4),
        ("v2", 0.35, 224, 59, 1.66, 60.3, 82.9, 19.7),
        ("v2", 0.35, 192, 43, 1.66, 58.2, 81.2, 14.6),
        ("v2", 0.35, 160, 30, 1.66, 55.7, 79.1, 10.5),
        ("v2", 0.35, 128, 20, 1.66, 50.8, 75.0, 6.9),
        ("v2", 0.35, 96, 11, 1.66, 45.5, 70.4, 4.5),
        ("v3-large", 1.0, 224, 217, 5.4, 75.2, None, 51.2),
        ("v3-large", 0.75, 224, 155, 4.0, 73.3, None, 39.8),
        ("v3-small", 1.0, 224, 66, 2.9, 67.5, None, 15.8),
        ("v3-small", 0.75, 224, 44, 2.4, 65.4, None, 12.8),
        ("v3-large-minimalistic", 1.0, 224, 209, 3.9, 72.3, None, 44.1),
        ("v3-small-minimalistic", 1.0, 224, 65, 2.0, 61.9, None, 12.2),
    )
)

ROWS = V1_PAPER + V2_PAPER + TF_SLIM
