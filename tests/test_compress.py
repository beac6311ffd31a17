"""What is cut is gone, what stays is what it was, and it still runs."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, softmax
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import mobilenet_v2, resnet18

from mbtools import compress, latency, models, training
from mbtools.cost import break_even

PICTURES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def net():
    """V2 at alpha 0.35, its batch norm used to pictures and not all alike."""
    net = latency.prepared(lambda: models.MobileNetV2(0.35, classes=6), PICTURES)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.weight, 0.5, 1.5)
    return net


def said(net):
    with torch.inference_mode():
        return net(PICTURES)


def params(net):
    return sum(part.numel() for part in net.parameters())


def test_pointwise_layers_are_those_of_torchvision():
    found = compress.pointwise_layers(mobilenet_v2())
    assert len(found) == 34  # two in each of 17 blocks, but one in the first; the last
    assert {layer.kernel_size for layer in found.values()} == {(1, 1)}
    assert [*found] == [*compress.pointwise_layers(models.MobileNetV2())]


@pytest.mark.parametrize("share", [0, 0.5, 0.9])
def test_sparsified_drops_the_smallest_of_all_layers(net, share):
    before = copy.deepcopy(net.state_dict())
    sparse = compress.settled(compress.sparsified(net, share))
    assert sparse.state_dict().keys() == before.keys()
    old = torch.cat(
        [x.weight.flatten() for x in compress.pointwise_layers(net).values()]
    )
    new = torch.cat(
        [x.weight.flatten() for x in compress.pointwise_layers(sparse).values()]
    )
    gone = new == 0
    assert gone.sum() == round(share * len(old))
    assert torch.equal(new[~gone], old[~gone])
    assert not gone.any() or old[gone].abs().max() <= old[~gone].abs().min()
    for name, value in net.state_dict().items():  # the net given is untouched
        assert torch.equal(value, before[name])


def test_what_is_pruned_stays_so_in_training(net):
    sparse = compress.sparsified(net, 0.8)
    optimizer = torch.optim.SGD(sparse.parameters(), 0.1)
    batches = [(PICTURES, torch.tensor([0, 1]))] * 3
    losses = list(training.steps(sparse, batches, cross_entropy, optimizer))
    assert all(map(math.isfinite, losses))
    zeros, moved = 0, False
    fresh = compress.pointwise_layers(net)
    for name, layer in compress.pointwise_layers(compress.settled(sparse)).items():
        zeros += int((layer.weight == 0).sum())
        moved |= not torch.equal(
            layer.weight[layer.weight != 0], fresh[name].weight[layer.weight != 0]
        )
    assert moved
    assert zeros == round(0.8 * sum(x.weight.numel() for x in fresh.values()))


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.9])
def test_slimmed_has_the_channels_it_says(net, share):
    slim = compress.slimmed(net, share)
    for old, new in zip(net.features, slim.features, strict=True):
        if isinstance(old, models.InvertedResidual) and len(old.conv) == 4:
            wide, narrow = (block.conv[2].in_channels for block in (old, new))
            # a multiple of 8 near what was asked for, and not far below
            assert narrow % 8 == 0
            assert 0.9 * (1 - share) * wide <= narrow < (1 - share) * wide + 8
            assert new.conv[1][0].groups == narrow
    assert said(slim).shape == (2, 6)
    assert (share == 0) == torch.equal(said(slim), said(net))


def test_slimming_what_nobody_hears_changes_nothing(net):
    """Half the hidden channels of each block are silenced: those must go."""
    silent = copy.deepcopy(net)
    for block in silent.features:
        if isinstance(block, models.InvertedResidual) and len(block.conv) == 4:
            hidden = block.conv[2].in_channels
            gone = torch.randperm(hidden)[: hidden // 2]
            block.conv[2].weight.data[:, gone] = 0
    slim = compress.slimmed(silent, 0.5)
    assert params(slim) < 0.7 * params(net)
    torch.testing.assert_close(said(slim), said(silent), rtol=1e-4, atol=1e-5)


def test_batch_norm_that_silences_a_channel_counts_as_well(net):
    silent = copy.deepcopy(net)
    for block in silent.features:
        if isinstance(block, models.InvertedResidual) and len(block.conv) == 4:
            norm = block.conv[1][1]
            gone = torch.randperm(norm.num_features)[: norm.num_features // 2]
            norm.weight.data[gone] = norm.bias.data[gone] = 0
    slim = compress.slimmed(silent, 0.5)
    torch.testing.assert_close(said(slim), said(silent), rtol=1e-4, atol=1e-5)


def test_a_slim_net_learns_and_is_counted(net):
    slim = compress.slimmed(net, 0.5)
    optimizer = torch.optim.SGD(slim.parameters(), 0.01)
    labels = torch.tensor([0, 1])
    batches = [(PICTURES, labels)] * 5
    losses = list(training.steps(slim, batches, cross_entropy, optimizer))
    assert losses[-1] < losses[0]
    slim.eval()
    macs, _ = latency.traffic(lambda: copy.deepcopy(slim).to("meta"), 64)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        slim(PICTURES[:1])
    assert 2 * macs == counter.get_total_flops()


@pytest.mark.parametrize("in_channels, out_channels", [(24, 144), (64, 64), (96, 16)])
def test_break_even(in_channels, out_channels):
    """Weights counted on real layers, just below and just above."""
    one = params(nn.Conv2d(in_channels, out_channels, 1, bias=False))
    rank = break_even(in_channels, out_channels)
    for own in (math.ceil(rank) - 1, math.floor(rank) + 1):
        first = nn.Conv2d(in_channels, own, 1, bias=False)
        second = nn.Conv2d(own, out_channels, 1, bias=False)
        assert (params(first) + params(second) < one) == (own < rank)


def test_factorised_is_exact_where_the_rank_is_low(net):
    low = copy.deepcopy(net)
    generator = torch.Generator().manual_seed(3)
    for layer in compress.pointwise_layers(low).values():
        n, m = layer.weight.shape[:2]
        left = torch.randn(n, 3, generator=generator)
        right = torch.randn(3, m, generator=generator)
        layer.weight.data = (left @ right / m**0.5)[:, :, None, None]
    thin = compress.factorised(low, 0.999999)
    assert len(compress.pointwise_layers(thin)) == 2 * len(
        compress.pointwise_layers(low)
    )
    assert params(thin) < params(low)
    torch.testing.assert_close(said(thin), said(low), rtol=1e-3, atol=1e-3)


def test_factorised_keeps_stride_bias_and_groups():
    strided = nn.Conv2d(16, 64, 1, stride=2)
    generator = torch.Generator().manual_seed(3)
    left, right = (torch.randn(x, generator=generator) for x in ((64, 2), (2, 16)))
    strided.weight.data = (left @ right)[:, :, None, None]
    nn.init.normal_(strided.bias)
    grouped = nn.Conv2d(64, 64, 1, groups=4)
    both = nn.Sequential(strided, grouped).eval()
    thin = compress.factorised(both, 0.999999)
    first, second = thin[0]
    assert (first.out_channels, first.stride, second.stride) == (2, (2, 2), (1, 1))
    assert isinstance(thin[1], nn.Conv2d)
    x = torch.randn(2, 16, 9, 9, generator=generator)
    torch.testing.assert_close(thin(x), both(x), rtol=1e-4, atol=1e-4)


def test_factorised_takes_other_nets():
    net = resnet18().eval()  # three of its pointwise layers have stride 2
    thin = compress.factorised(net, 0.5)
    assert params(thin) < params(net) and said(thin).isfinite().all()


@pytest.mark.parametrize("energy", [0.5, 0.9, 0.99])
def test_factorised_keeps_the_energy_and_never_costs_more(net, energy):
    thin = compress.factorised(net, energy)
    assert params(thin) <= params(net)
    assert said(thin).isfinite().all()
    for name, layer in compress.pointwise_layers(net).items():
        now = thin.get_submodule(name)
        weight = layer.weight.flatten(1)
        whole = weight.square().sum()
        if isinstance(now, nn.Sequential):
            first, second = (part.weight.flatten(1) for part in now)
            lost = (weight - second @ first).square().sum() / whole
            assert lost < 1 - energy + 1e-5
            assert first.numel() + second.numel() < weight.numel()
        else:  # it would not have paid
            assert torch.equal(now.weight, layer.weight)
            left, values, right = torch.linalg.svd(weight, full_matrices=False)
            rank = math.ceil(math.prod(weight.shape) / sum(weight.shape)) - 1
            kept = (left[:, :rank] * values[:rank]) @ right[:rank]
            assert 1 - (weight - kept).square().sum() / whole < energy + 1e-5
    assert energy > 0.9 or params(thin) < params(net)


def test_whole_energy_is_the_full_rank():
    values = torch.tensor([3.0, 2.0, 1.0])  # squares 9, 4, 1 of 14
    assert [compress.rank_for(values, x) for x in (0.5, 0.9, 0.95, 1)] == [1, 2, 3, 3]


@pytest.mark.parametrize("make", [compress.sparsified, compress.slimmed])
@pytest.mark.parametrize("share", [-0.1, 1, 50, float("nan")])
def test_wrong_shares_are_named(net, make, share):
    with pytest.raises(ValueError, match=f"from 0 to below 1; got {share}"):
        make(net, share)


@pytest.mark.parametrize("energy", [0, -1, 1.1, float("nan")])
def test_wrong_energies_are_named(net, energy):
    with pytest.raises(ValueError, match=f"above 0 and up to 1; got {energy}"):
        compress.factorised(net, energy)


@pytest.mark.parametrize(
    "make", [compress.sparsified, compress.slimmed, compress.factorised]
)
def test_a_masked_net_is_to_be_settled_first(net, make):
    masked = compress.sparsified(net, 0.5)
    for _ in range(2):  # before it has run, and after
        with pytest.raises(ValueError, match=r"masked: call settled\(\) on it first"):
            make(masked, 0.6)
        said(masked)
    assert said(make(compress.settled(masked), 0.6)).isfinite().all()


def test_a_net_without_masks_is_settled():
    layer = nn.Sequential(nn.Conv2d(4, 4, 1))
    before = layer[0].weight.clone()
    assert torch.equal(compress.settled(layer)[0].weight, before)


def test_distillation_by_hand():
    logits = torch.tensor([[2.0, 0, -1], [0, 3, 1]])
    taught = torch.tensor([[1.0, 1, 0], [2, 0, 2]])
    own, aim = softmax(logits / 4, 1), softmax(taught / 4, 1)
    soft = 16 * (aim * (aim / own).log()).sum(1).mean()
    said = softmax(logits, 1).log()
    hard = -(said[0, 2] + said[1, 0]) / 2
    truth = torch.tensor([2, 0]), taught
    for share in (0, 0.3, 1):
        found = compress.distillation(logits, truth, 4, share)
        torch.testing.assert_close(found, share * soft + (1 - share) * hard)
    # smoothed: a tenth of the truth is spread over the three classes
    smooth = torch.tensor([[1 / 30, 1 / 30, 28 / 30], [28 / 30, 1 / 30, 1 / 30]])
    hard = -(said * smooth).sum(1).mean()
    found = compress.distillation(logits, truth, share=0, label_smoothing=0.1)
    torch.testing.assert_close(found, hard)


def test_distillation_teaches_what_the_teacher_says():
    """Without labels a pupil comes to its teacher's probabilities."""
    torch.manual_seed(0)
    inputs, teacher, pupil = torch.randn(64, 5), nn.Linear(5, 4), nn.Linear(5, 4)
    taught = teacher(inputs).detach()
    optimizer = torch.optim.Adam(pupil.parameters(), 0.05)
    for _ in range(300):
        loss = compress.distillation(
            pupil(inputs), (torch.zeros(64, dtype=int), taught), share=1
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    gap = (softmax(pupil(inputs), 1) - softmax(taught, 1)).abs().max()
    assert gap < 0.01
