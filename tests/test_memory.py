"""The recorder counts what is made, as long as it lives, and nothing else."""

import torch
from torch import nn

from mbtools.memory import LiveBytes


def test_what_is_made_counts_while_it_lives():
    x = torch.zeros(1000)
    with LiveBytes() as memory:
        for _ in range(3):
            y = x + 1  # the one before lives until this one has its name
    assert (memory.peak, memory.now) == (8000, 4000)
    del y
    assert memory.now == 0


def test_a_view_makes_nothing():
    with LiveBytes() as memory:
        x = torch.zeros(1000)
        x[:10].view(5, 2)
    assert memory.peak == 4000


def test_a_slice_of_a_weight_is_no_new_memory():
    layer, x = nn.Conv2d(64, 64, 1), torch.zeros(1, 64, 2, 2)
    with LiveBytes([x, *layer.parameters()]) as memory:
        y = nn.functional.conv2d(x[:, :32], layer.weight[:1, :32], layer.bias[:1])
    assert memory.peak == y.nbytes


def test_a_batch_norms_statistics_are_no_new_memory():
    norm, x = nn.BatchNorm2d(64).eval(), torch.zeros(1, 8, 2, 2)
    made = norm.weight, norm.bias, norm.running_mean, norm.running_var
    with torch.inference_mode(), LiveBytes([*norm.parameters(), *norm.buffers()]) as m:
        weight, bias, mean, variance = (tensor[:8] for tensor in made)
        y = nn.functional.batch_norm(x, mean, variance, weight, bias)
    # torch may make a scale and a shift of its own, 8 channels each
    assert y.nbytes <= m.peak <= y.nbytes + 2 * 8 * 4 + 2 * 8 * 4
