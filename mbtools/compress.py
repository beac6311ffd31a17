"""Smaller nets out of a trained one: fewer weights, channels, ranks.

What takes a net gives a new one and leaves it as it was, but for ``settled``. A
net that is masked must be settled first: what else takes it raises ValueError.
Pointwise layers are what there is to cut: they have most of V2's multiply-adds,
and nearly all of its weights but the classifier's.
"""

import copy

import torch
from torch import nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax
from torch.nn.utils import prune

from .cost import break_even
from .models import InvertedResidual
from .nets import make_divisible


def pointwise_layers(net):
    """{name: layer} of a net's pointwise convolutions, from first to last.

    One in groups mixes too little to be one.
    """
    return {
        name: part
        for name, part in net.named_modules()
        if isinstance(part, nn.Conv2d)
        and (part.kernel_size, part.groups) == ((1, 1), 1)
    }


def _copy(net):
    """One to cut. Of a masked net torch makes none, or one that breaks in use."""
    if prune.is_pruned(net):
        raise ValueError("the net is masked: call settled() on it first")
    return copy.deepcopy(net)


def _check_share(share):
    if not 0 <= share < 1:
        raise ValueError(f"share must be from 0 to below 1; got {share}")


# ---------------------------------------------------------------- fewer weights


def sparsified(net, share):
    """The net with that share of its pointwise weights at zero: the smallest.

    They are compared over all layers at once (Han et al., arXiv:1506.02626,
    have a threshold for each layer), and stay zero in training, because torch
    masks them. ``settled`` makes plain
    weights of masked ones.

    Raises ValueError if share is not from 0 to below 1.
    """
    _check_share(share)
    net = _copy(net)
    weights = [(layer, "weight") for layer in pointwise_layers(net).values()]
    prune.global_unstructured(weights, prune.L1Unstructured, amount=share)
    return net


def settled(net):
    """Take the masks off a ``sparsified`` net, in place; the zeros stay.

    A net without masks stays as it is.
    """
    for layer in pointwise_layers(net).values():
        if prune.is_pruned(layer):
            prune.remove(layer, "weight")
    return net


# --------------------------------------------------------------- fewer channels


def slimmed(net, share):
    """A ``MobileNetV2`` without that share of each block's hidden channels.

    Nothing outside a block reads its hidden channels, so they can go without
    touching a shortcut. Those go that the projection hears least: the norm of
    its weights for a channel, times the scale that batch norm gives the channel
    (after Liu et al., arXiv:1708.06519). A multiple of 8 stays. The first
    block, which expands nothing, stays whole.

    Raises ValueError if share is not from 0 to below 1.
    """
    _check_share(share)
    net = _copy(net)
    for block in net.modules():
        if isinstance(block, InvertedResidual) and len(block.conv) == 4:
            _slim(block.conv, share)
    return net


def _slim(conv, share):
    expand, depthwise, project, _ = conv
    stay = make_divisible((1 - share) * project.in_channels)
    heard = project.weight.detach().flatten(1).norm(dim=0)
    scale = depthwise[1].weight.detach().abs()
    keep = (heard * scale).topk(stay).indices.sort().values
    for layer, norm, _ in (expand, depthwise):
        _take(layer, "weight", keep)
        layer.out_channels = norm.num_features = stay
        for name in ("weight", "bias", "running_mean", "running_var"):
            _take(norm, name, keep)
    _take(project, "weight", (slice(None), keep))
    depthwise[0].in_channels = depthwise[0].groups = project.in_channels = stay


def _take(part, name, where):
    """Keep of a tensor what is at these places; what learns, goes on learning."""
    values = getattr(part, name)
    getattr(part, name).data = values.data[where].clone()


# ------------------------------------------------------------------ lower ranks


def factorised(net, energy):
    """The net with two thin pointwise layers for one, where that saves weights.

    A layer's weights are a matrix, (out_channels, in_channels). Of its singular
    values the largest stay, so many that their squares make up that share of
    the sum: the best approximation of that rank (Eckart and Young, 1936). A
    layer whose rank is not below ``break_even`` stays as it is.

    Raises ValueError if energy is not above 0 and up to 1.
    """
    if not 0 < energy <= 1:
        raise ValueError(f"energy must be above 0 and up to 1; got {energy}")
    net = _copy(net)
    for name, layer in pointwise_layers(net).items():
        matrix = layer.weight.detach().flatten(1)
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        rank = rank_for(values, energy)
        if rank < break_even(layer.in_channels, layer.out_channels):
            parent, _, own = name.rpartition(".")
            two = _two(layer, left[:, :rank] * values[:rank], right[:rank])
            setattr(net.get_submodule(parent), own, two)
    return net


def rank_for(values, energy):
    """How many singular values, (n,), have that share of their squares' sum."""
    kept = values.double().square().cumsum(0) / values.double().square().sum()
    return min(len(values), 1 + int((kept < energy).sum()))


def _two(layer, left, right):
    """(out, rank) and (rank, in) as convolutions, the thin one first."""
    first = nn.Conv2d(layer.in_channels, len(right), 1, layer.stride, bias=False)
    second = nn.Conv2d(len(right), layer.out_channels, 1, bias=layer.bias is not None)
    first.weight.data = right[:, :, None, None].contiguous()
    second.weight.data = left[:, :, None, None].contiguous()
    second.bias = layer.bias
    return nn.Sequential(first, second)


# -------------------------------------------------------------------- a teacher


def distillation(logits, truth, temperature=4.0, share=0.7, label_smoothing=0.0):
    """Loss of a pupil: that share from its teacher, the rest from the labels.

    logits: (B, classes); truth: labels (B,) and the teacher's logits
    (B, classes). Both sides' logits are divided by the temperature, so that
    the small probabilities count; its square keeps the gradient's size (Hinton
    et al., arXiv:1503.02531, section 2). The labels may be smoothed.
    """
    labels, taught = truth
    softened = kl_div(
        log_softmax(logits / temperature, 1),
        log_softmax(taught / temperature, 1),
        reduction="batchmean",
        log_target=True,
    )
    hard = cross_entropy(logits, labels, label_smoothing=label_smoothing)
    return share * temperature**2 * softened + (1 - share) * hard
