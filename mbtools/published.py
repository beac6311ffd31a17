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


class Table(NamedTuple):
    """A printed table: where it stands, what it shows, its cells as printed.

    Units stand in the header; what was not printed is None.
    """

    source: str
    caption: str
    header: tuple
    rows: tuple


class Published(NamedTuple):
    """One printed row. What was not printed is None.

    net: a key of ``BUILDERS``, or "v3-large", "v3-small", and both with
    "-minimalistic" behind.
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
# V2's multiply-adds are cut there, and V1's at 0.75 leave out the first layer.
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

# Tables that do not fit Published: first those of V1 (arXiv:1704.04861).

V1_TABLE_1 = Table(
    "V1 Table 1",
    "MobileNet body architecture",
    ("type / stride", "filter shape", "input size"),
    (
        ("Conv / s2", "3×3×3×32", "224×224×3"),
        ("Conv dw / s1", "3×3×32 dw", "112×112×32"),
        ("Conv / s1", "1×1×32×64", "112×112×32"),
        ("Conv dw / s2", "3×3×64 dw", "112×112×64"),
        ("Conv / s1", "1×1×64×128", "56×56×64"),
        ("Conv dw / s1", "3×3×128 dw", "56×56×128"),
        ("Conv / s1", "1×1×128×128", "56×56×128"),
        ("Conv dw / s2", "3×3×128 dw", "56×56×128"),
        ("Conv / s1", "1×1×128×256", "28×28×128"),
        ("Conv dw / s1", "3×3×256 dw", "28×28×256"),
        ("Conv / s1", "1×1×256×256", "28×28×256"),
        ("Conv dw / s2", "3×3×256 dw", "28×28×256"),
        ("Conv / s1", "1×1×256×512", "14×14×256"),
        ("5× Conv dw / s1", "3×3×512 dw", "14×14×512"),
        ("5× Conv / s1", "1×1×512×512", "14×14×512"),
        ("Conv dw / s2", "3×3×512 dw", "14×14×512"),
        ("Conv / s1", "1×1×512×1024", "7×7×512"),
        ("Conv dw / s2", "3×3×1024 dw", "7×7×1024"),
        ("Conv / s1", "1×1×1024×1024", "7×7×1024"),
        ("Avg Pool / s1", "Pool 7×7", "7×7×1024"),
        ("FC / s1", "1024×1000", "1×1×1024"),
        ("Softmax / s1", "Classifier", "1×1×1000"),
    ),
)

V1_TABLE_2 = Table(
    "V1 Table 2",
    "Resource per layer type",
    ("type", "multiply-adds (%)", "parameters (%)"),
    (
        ("Conv 1×1", 94.86, 74.59),
        ("Conv DW 3×3", 3.06, 1.06),
        ("Conv 3×3", 1.19, 0.02),
        ("Fully Connected", 0.18, 24.33),
    ),
)

V1_TABLE_3 = Table(  # rows add up: the last has α and ρ
    "V1 Table 3",
    "Resource usage for modifications to a standard convolution: an internal "
    "layer with D_K = 3, M = 512, N = 512, D_F = 14",
    ("layer / modification", "multiply-adds (M)", "parameters (M)"),
    (
        ("Convolution", 462, 2.36),
        ("Depthwise Separable Conv", 52.3, 0.27),
        ("α = 0.75", 29.6, 0.15),
        ("ρ = 0.714", 15.1, 0.15),
    ),
)

V1_TABLE_8 = Table(
    "V1 Table 8",
    "MobileNet comparison to popular models",
    ("model", "ImageNet accuracy (%)", "multiply-adds (M)", "parameters (M)"),
    (
        ("1.0 MobileNet-224", 70.6, 569, 4.2),
        ("GoogleNet", 69.8, 1550, 6.8),
        ("VGG 16", 71.5, 15300, 138),
    ),
)

V1_TABLE_9 = Table(
    "V1 Table 9",
    "Smaller MobileNet comparison to popular models",
    ("model", "ImageNet accuracy (%)", "multiply-adds (M)", "parameters (M)"),
    (
        ("0.50 MobileNet-160", 60.2, 76, 1.32),
        ("Squeezenet", 57.5, 1700, 1.25),
        ("AlexNet", 57.2, 720, 60),
    ),
)

V1_TABLE_10 = Table(
    "V1 Table 10",
    "MobileNet for Stanford Dogs",
    ("model", "top-1 accuracy (%)", "multiply-adds (M)", "parameters (M)"),
    (
        ("Inception V3", 84, 5000, 23.2),
        ("1.0 MobileNet-224", 83.3, 569, 3.3),
        ("0.75 MobileNet-224", 81.9, 325, 1.9),
        ("1.0 MobileNet-192", 81.9, 418, 3.3),
        ("0.75 MobileNet-192", 80.5, 239, 1.9),
    ),
)

V1_TABLE_11 = Table(
    "V1 Table 11",
    "PlaNet with MobileNet: share of the Im2GPS test pictures (%) placed within "
    "a distance of the truth",
    ("scale", "Im2GPS", "PlaNet", "PlaNet MobileNet"),
    (
        ("Continent (2500 km)", 51.9, 77.6, 79.3),
        ("Country (750 km)", 35.4, 64.0, 60.3),
        ("Region (200 km)", 32.1, 51.1, 45.2),
        ("City (25 km)", 21.9, 31.7, 31.7),
        ("Street (1 km)", 2.5, 11.0, 11.4),
    ),
)

V1_TABLE_12 = Table(
    "V1 Table 12",
    "Face attribute classification with MobileNet",
    ("model", "mean AP (%)", "multiply-adds (M)", "parameters (M)"),
    (
        ("1.0 MobileNet-224", 88.7, 568, 3.2),
        ("0.5 MobileNet-224", 88.1, 149, 0.8),
        ("0.25 MobileNet-224", 87.2, 45, 0.2),
        ("1.0 MobileNet-128", 88.1, 185, 3.2),
        ("0.5 MobileNet-128", 87.7, 48, 0.8),
        ("0.25 MobileNet-128", 86.4, 15, 0.2),
        ("Baseline", 86.9, 1600, 7.5),
    ),
)

V1_TABLE_13 = Table(
    "V1 Table 13",
    "COCO object detection with different frameworks and networks",
    (
        "framework and resolution",
        "model",
        "mAP (%)",
        "multiply-adds (billion)",
        "parameters (M)",
    ),
    (
        ("SSD 300", "deeplab-VGG", 21.1, 34.9, 33.1),
        ("SSD 300", "Inception V2", 22.0, 3.8, 13.7),
        ("SSD 300", "MobileNet", 19.3, 1.2, 6.8),
        ("Faster-RCNN 300", "VGG", 22.9, 64.3, 138.5),
        ("Faster-RCNN 300", "Inception V2", 15.4, 118.2, 13.3),
        ("Faster-RCNN 300", "MobileNet", 16.4, 25.2, 6.1),
        ("Faster-RCNN 600", "VGG", 25.7, 149.6, 138.5),
        ("Faster-RCNN 600", "Inception V2", 21.9, 129.6, 13.3),
        ("Faster-RCNN 600", "MobileNet", 19.8, 30.5, 6.1),
    ),
)

V1_TABLE_14 = Table(
    "V1 Table 14",
    "MobileNet distilled from FaceNet",
    ("model", "1e-4 accuracy (%)", "multiply-adds (M)", "parameters (M)"),
    (
        ("FaceNet", 83, 1600, 7.5),
        ("1.0 MobileNet-160", 79.4, 286, 4.9),
        ("1.0 MobileNet-128", 78.3, 185, 5.5),
        ("0.75 MobileNet-128", 75.2, 166, 3.4),
        ("0.75 MobileNet-128", 72.5, 108, 3.8),
    ),
)

# V2 (arXiv:1801.04381v4).

V2_TABLE_2 = Table(
    "V2 Table 2",
    "MobileNetV2: the overall architecture",
    ("input", "operator", "t", "c", "n", "s"),
    (
        ("224²×3", "conv2d", None, 32, 1, 2),
        ("112²×32", "bottleneck", 1, 16, 1, 1),
        ("112²×16", "bottleneck", 6, 24, 2, 2),
        ("56²×24", "bottleneck", 6, 32, 3, 2),
        ("28²×32", "bottleneck", 6, 64, 4, 2),
        ("14²×64", "bottleneck", 6, 96, 3, 1),
        ("14²×96", "bottleneck", 6, 160, 3, 2),
        ("7²×160", "bottleneck", 6, 320, 1, 1),
        ("7²×320", "conv2d 1x1", None, 1280, 1, 1),
        ("7²×1280", "avgpool 7x7", None, None, 1, None),
        ("1×1×1280", "conv2d 1x1", None, "k", None, None),
    ),
)

V2_TABLE_3 = Table(
    "V2 Table 3",
    "The maximum number of channels / memory (kB, 16-bit activations) to keep at "
    "each resolution (an older version of the paper prints 1/O(1) in the first "
    "row, and 800K, 200K and 600K in the last)",
    ("size", "MobileNetV1", "MobileNetV2", "ShuffleNet (2x, g=3)"),
    (
        ("112×112", "64/1600", "16/400", "32/800"),
        ("56×56", "128/800", "32/200", "48/300"),
        ("28×28", "256/400", "64/100", "400/600"),
        ("14×14", "512/200", "160/62", "800/310"),
        ("7×7", "1024/199", "320/32", "1600/156"),
        ("1×1", "1024/2", "1280/2", "1600/3"),
        ("max", "1600", "400", "600"),
    ),
)

V2_TABLE_4 = Table(
    "V2 Table 4",
    "Performance on ImageNet; milliseconds on one large core of a Pixel 1 phone",
    ("network", "top 1 (%)", "parameters (M)", "multiply-adds (M)", "CPU (ms)"),
    (
        ("MobileNetV1", 70.6, 4.2, 575, 113),
        ("ShuffleNet (1.5)", 71.5, 3.4, 292, None),
        ("ShuffleNet (x2)", 73.7, 5.4, 524, None),
        ("NasNet-A", 74.0, 5.3, 564, 183),
        ("MobileNetV2", 72.0, 3.4, 300, 75),
        ("MobileNetV2 (1.4)", 74.7, 6.9, 585, 143),
    ),
)
