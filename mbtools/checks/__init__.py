"""Questions to the reader, and checkers for the exercises, chapter by chapter.

A checker takes the reader's function, calls it on random shapes and says
what is right or wrong. It prints a line with a tick, or raises an
AssertionError that names the mistake; an empty function is told so kindly.
"""

# each imports torch where it needs it: chapters 3 and 4 do not
from .asking import predict
from .chapter_1 import conv_cost, find_pair, separable_conv
from .chapter_2 import decay_groups, last_size, separable_block
from .chapter_3 import best_under, divisible, scaled_cost
from .chapter_4 import invert, live_units, loss_probability
from .chapter_5 import block_cost, dearer_from, inverted_residual
from .chapter_6 import pool, streamed_bytes, unroll
from .chapter_7 import calibration_error, confusion, parameter_groups
from .chapter_8 import fold, intensity, roof
from .chapter_9 import checkpoint_bytes, least_loss, standard_errors
from .chapter_10 import prune_smallest, soft_targets, two_layers

__all__ = [
    "best_under",
    "block_cost",
    "calibration_error",
    "checkpoint_bytes",
    "confusion",
    "conv_cost",
    "dearer_from",
    "decay_groups",
    "divisible",
    "find_pair",
    "fold",
    "intensity",
    "invert",
    "inverted_residual",
    "last_size",
    "least_loss",
    "live_units",
    "loss_probability",
    "parameter_groups",
    "pool",
    "predict",
    "prune_smallest",
    "roof",
    "scaled_cost",
    "separable_block",
    "separable_conv",
    "soft_targets",
    "standard_errors",
    "streamed_bytes",
    "two_layers",
    "unroll",
]
