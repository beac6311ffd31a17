"""Activation memory along a net, layer by layer or streamed in slices."""

from functools import cache

import traitlets

from .. import nets, published
from .base import NAMES, Explorer, check_index, compact, html_table, script, shape

# no block has more than 1024 inner channels: that is one channel at a time
PARTS = (1, 2, 3, 4, 6, 12, 24, 1024)
WALKED = ("v1", "v2")


class MemoryWalk(Explorer):
    """The bytes that each block of a net holds, at alpha 1 and 224 pixels.

    net: "v1" or "v2"; parts: slices of a block's inner channels, one of
    ``PARTS`` (1: layer by layer, 1024: one channel at a time; see
    ``nets.block_memory``); block: 0 for the stem, up to the number of
    ``Net.blocks`` less one; bytes_per_value: 2 (float16) or 4 (float32).
    Another value raises ``traitlets.TraitError``. A net with fewer blocks
    takes you to its last.
    """

    _esm = script("memory_walk")
    net = traitlets.Enum(WALKED, "v2").tag(sync=True)
    parts = traitlets.Enum(PARTS, 1).tag(sync=True)
    block = traitlets.Int(2).tag(sync=True)
    bytes_per_value = traitlets.Enum((2, 4), 2).tag(sync=True)

    def __init__(self, net="v2", parts=1, block=2, bytes_per_value=2):
        super().__init__(
            _table=_table(),
            net=net,
            parts=parts,
            block=block,
            bytes_per_value=bytes_per_value,
        )

    @property
    def current(self):
        """The layers of the block you are at."""
        return published.BUILDERS[self.net]().blocks[self.block]

    @property
    def memory(self):
        """Bytes that the block you are at holds."""
        return nets.block_memory(self.current, self.parts, self.bytes_per_value)

    @property
    def peaks(self):
        """The most that any block holds, in bytes: {net: peak}."""
        return {
            key: published.BUILDERS[key]().peak_memory(self.bytes_per_value, self.parts)
            for key in WALKED
        }

    @traitlets.validate("block")
    def _check_block(self, proposal):
        blocks = published.BUILDERS[self.net]().blocks
        return check_index("block", proposal["value"], self.net, blocks)

    @traitlets.observe("net")
    def _clamp_block(self, change):
        self.block = min(self.block, len(published.BUILDERS[self.net]().blocks) - 1)

    def __repr__(self):
        peaks = ", ".join(f"{NAMES[key]} {x:,}" for key, x in self.peaks.items())
        return (
            f"MemoryWalk(net={self.net!r}, parts={self.parts}, block={self.block}, "
            f"bytes_per_value={self.bytes_per_value}): {self.memory:,} bytes here; "
            f"peaks: {peaks}"
        )

    def _fallback(self):
        size = self.bytes_per_value
        blocks = published.BUILDERS[self.net]().blocks
        rows = []
        for block in blocks:
            held = [x * size for x in held_values(block, self.parts)]
            rows.append(
                (nets.block_name(block[0]), *(f"{x:,}" for x in (*held, sum(held))))
            )
        peaks = " and ".join(f"{x:,} for {NAMES[key]}" for key, x in self.peaks.items())
        return html_table(
            "memory-walk",
            f"Bytes of activations in each block of {NAMES[self.net]}, in "
            f"float{8 * size}, {_manner(self.parts)}",
            ("block", "input", "inside", "output", "together"),
            rows,
            f"The peaks: {peaks}.",
        )


def held_values(block, parts):
    """Numbers in memory while a block runs: of its input, inside, of its output.

    Their sum is ``nets.block_memory`` with one byte each. Layer by layer
    (parts = 1) it is the fullest layer's: the block's input counts while a
    layer reads it or a shortcut holds it, its output while the last layer
    writes it, all between is inside. Streamed, input and output stay whole.
    """
    first, last = block[0], block[-1]
    runs = _runs(block, parts)
    held = first.in_values if first in runs else runs[0].held
    written = last.out_values if last in runs else 0
    return held, nets.block_memory(block, parts, 1) - held - written, written


def _runs(block, parts):
    """The layers that run together: all, or layer by layer the fullest."""
    if parts > 1:
        return block
    return (max(block, key=lambda layer: layer.activation_bytes()),)


def _manner(parts):
    if parts == 1:
        return "layer by layer"
    return "one channel at a time" if parts == PARTS[-1] else f"in {parts} slices"


@cache
def _table():
    """All that memory_walk.js looks up, as one JSON string."""
    return compact(
        {
            "parts": PARTS,
            "manners": [_manner(parts) for parts in PARTS],
            "nets": {
                key: {
                    "name": NAMES[key],
                    "blocks": [_entry(x) for x in published.BUILDERS[key]().blocks],
                }
                for key in WALKED
            },
        }
    )


def _entry(block):
    first, last = block[0], block[-1]
    return {
        "name": nets.block_name(first),
        "shapes": [
            shape(first.in_channels, first.in_size),
            [shape(x.out_channels, x.out_size) for x in block[:-1]],
            shape(last.out_channels, last.out_size),
        ],
        "fullest": _runs(block, 1)[0].name,
        "channels": last.in_channels,
        "held": [held_values(block, parts) for parts in PARTS],
    }
