"""Checkers of chapter 6's exercises."""

import random

from .. import nets
from .asking import ask, ask_number, exercise


@exercise
def unroll(answer):
    """Chapter 6: answer(table, in_channels) -> [(in, out, stride, expansion)].

    table: rows of (expansion, out_channels, repeats, stride), as V2's Table 2.
    """
    rng = random.Random(6)
    tables = [(nets.V2_BLOCKS, 32)]
    for _ in range(5):
        rows = [
            (rng.randrange(1, 7), 8 * rng.randrange(1, 9), rng.randrange(1, 5), 2)
            for _ in range(4)
        ]
        tables.append((tuple(rows), 8 * rng.randrange(5, 9)))
    for table, in_channels in tables:
        got, right, channels = ask(answer, table, in_channels), [], in_channels
        for expansion, out_channels, repeats, stride in table:
            for repeat in range(repeats):
                first = stride if repeat == 0 else 1
                right.append((channels, out_channels, first, expansion))
                channels = out_channels
        assert isinstance(got, list | tuple), f"return a list of tuples; got {got!r}"
        assert len(got) == len(right), (
            f"for {table} you get {len(got)} blocks, not {len(right)}: a row stands "
            f"for as many blocks as it has repeats"
        )
        for number, (ours, theirs) in enumerate(zip(got, right, strict=True), 1):
            hint = "(in_channels, out_channels, stride, expansion)"
            if ours[2:3] != theirs[2:3]:
                hint = "only the first block of a row has the row's stride"
            elif ours[:1] != theirs[:1]:
                hint = "a block reads what the block before it wrote"
                if number == 1:
                    hint = f"the first one reads in_channels maps, here {in_channels}"
            assert tuple(ours) == theirs, (
                f"for {table} block {number} is {ours}, not {theirs}: {hint}"
            )
    return "right for V2's table and five others"


@exercise
def streamed_bytes(answer):
    """Chapter 6: answer(in_channels, out_channels, stride, expansion, size, parts).

    Returns the bytes in float16 while the block runs in slices; ``size`` is
    the side of its input and even, ``parts`` divides the expanded channels.
    """
    for block in nets.v2_blocks():
        in_channels, out_channels, stride, expansion = block
        if expansion == 1:
            continue
        for size, parts in ((14, 2), (28, 4), (56, 8), (28, expansion * in_channels)):
            got = ask_number(answer, *block, size, parts)
            layers = nets.inverted_residual(*block, size)
            right = nets.block_memory(layers, parts, 2)
            inner = expansion * in_channels // parts * (size**2 + (size // stride) ** 2)
            ends = in_channels * size**2 + out_channels * (size // stride) ** 2
            mistakes = {
                ends + inner: "float16 has two bytes a number",
                4 * (ends + inner): "float16 has two bytes a number, not four",
                2 * ends: "the slice inside the block is missing",
                2 * (ends + parts * inner): "one slice at a time, not all of them",
                2 * (in_channels * size**2 + inner): "the output is missing",
                2 * (ends + inner // 2): "a slice stands before and after the 3 × 3",
            }
            hint = mistakes.get(got, "add up input, one slice inside, and output")
            assert got == right, (
                f"for {block} at {size} pixels in {parts} parts you get {got:,}, "
                f"not {right:,}: {hint}"
            )
    return "right for 16 blocks of V2, four ways each"


@exercise
def pool(answer):
    """Chapter 6: answer(features) -> (B, C), for features (B, C, H, W)."""
    import torch

    generator = torch.Generator().manual_seed(6)
    for count, height, width in (
        (2, 7, 7),
        (2, 5, 5),
        (2, 6, 6),
        (1, 14, 14),
        (2, 7, 10),
        (1, 1, 1),
    ):
        features = torch.randn(count, 8, height, width, generator=generator)
        got = ask(answer, features)
        assert isinstance(got, torch.Tensor), f"return a tensor; got {got!r}"
        assert got.shape == (count, 8), (
            f"from {tuple(features.shape)} you get {tuple(got.shape)}, not "
            f"({count}, 8): one number for each map, and a picture stays one row"
        )
        right = features.sum(dim=(2, 3)) / (height * width)
        assert torch.allclose(got, right, atol=1e-6), (
            f"maps of {height} × {width} pixels: the mean over all pixels is another "
            f"(sum over a map, and divide by {height * width})"
        )
    return "the mean of each map, for six sizes"
