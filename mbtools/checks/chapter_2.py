"""Checkers of chapter 2's exercises."""

import math

from .. import cost, nets
from .asking import ask, ask_number, exercise, kinds_of


@exercise
def last_size(answer):
    """Chapter 2: answer(resolution) -> side of V1's last map, in pixels."""
    for resolution in range(224, 31, -3):
        got = ask_number(answer, resolution)
        right = nets.mobilenet_v1(resolution=resolution).layers[-2].out_size
        hint = "five layers have stride 2, and each halves the side"
        if got == resolution / 32 or got == resolution // 32:
            hint = "a padded layer of stride 2 rounds an odd side up, each time"
        elif got == math.ceil(resolution / 64):
            hint = "the second stride 2 of Table 1's last rows is a misprint"
        assert got == right, f"for {resolution} you get {got}, not {right}: {hint}"
    return "right for 65 sizes of pictures"


@exercise
def separable_block(answer):
    """Chapter 2: answer(in_channels, out_channels, stride) -> torch module."""
    import torch
    from torch.nn import functional as F

    def bent(x):
        return F.batch_norm(x, None, None, training=True).relu()

    generator = torch.Generator().manual_seed(2)
    for in_channels, out_channels, stride in ((4, 6, 1), (6, 12, 2), (16, 8, 1)):
        asked = f"for ({in_channels}, {out_channels}, {stride})"
        block = ask(answer, in_channels, out_channels, stride)
        assert isinstance(block, torch.nn.Module), f"return a module; got {block!r}"
        kinds = list(kinds_of(block).values())
        assert kinds == ["depthwise", "pointwise"], (
            f"{asked} the convolutions are {kinds}, not depthwise, then pointwise: "
            f"depthwise has groups=in_channels, pointwise has kernel 1"
        )
        x = torch.randn(2, in_channels, 9, 10, generator=generator)
        shape, got = (2, out_channels, -(-9 // stride), 10 // stride), block(x)
        assert got.shape == shape, (
            f"{asked} the output of a (2, {in_channels}, 9, 10) input is "
            f"{tuple(got.shape)}, not {shape}: the depthwise step has the stride "
            f"and padding 1"
        )
        assert got.min() >= 0, f"{asked} values below 0 come out: the last ReLU is gone"
        right = cost.Layer("depthwise", in_channels, in_channels, 3).params
        right += cost.Layer("pointwise", in_channels, out_channels).params
        count = sum(parameter.numel() for parameter in block.parameters())
        assert count == right, (
            f"{asked} there are {count} parameters, not {right}: a convolution before "
            f"a batch norm needs no bias, there are two batch norms, and the "
            f"depthwise kernel is 3 × 3"
        )
        first, second = (part.weight for part in kinds_of(block))
        right = bent(F.conv2d(x, first, None, stride, 1, groups=in_channels))
        right = bent(F.conv2d(right, second))
        assert torch.allclose(block.train()(x), right, atol=1e-4), (
            f"{asked} with your weights other numbers come out than from depthwise "
            f"with the stride, batch norm, ReLU, pointwise, batch norm, ReLU, in "
            f"this order"
        )
    return "right parts, shapes and parameters in three blocks"


@exercise
def decay_groups(answer):
    """Chapter 2: answer(module, weight_decay) -> parameter groups for torch.optim."""
    import torch

    from ..models import MobileNetV1

    module, decay = MobileNetV1(0.25, classes=10), 4e-5
    groups = ask(answer, module, decay)
    assert isinstance(groups, list | tuple) and all(
        isinstance(group, dict) and {"params", "weight_decay"} <= set(group)
        for group in groups
    ), f"return a list of dicts with params and weight_decay; got {groups!r}"
    given = [
        (id(parameter), group["weight_decay"])
        for group in groups
        for parameter in group["params"]
    ]
    decays, names = dict(given), {id(p): name for name, p in module.named_parameters()}
    assert len(given) == len(decays), "a parameter is in two groups"
    lost = [name for key, name in names.items() if key not in decays]
    assert not lost, f"{len(lost)} parameters are in no group, such as {lost[0]}"
    assert len(groups) == 2, f"return two groups; got {len(groups)}"
    depthwise = {
        id(part.weight)
        for part, kind in kinds_of(module).items()
        if kind == "depthwise"
    }
    for key, name in names.items():
        expected = 0 if key in depthwise else decay
        kind = "a depthwise filter" if key in depthwise else "no depthwise filter"
        assert decays[key] == expected, (
            f"{name} is {kind}: its weight decay must be {expected}, not {decays[key]}"
        )
    torch.optim.RMSprop(groups, lr=0.045)
    return f"decay for all but {len(depthwise)} depthwise filters"
