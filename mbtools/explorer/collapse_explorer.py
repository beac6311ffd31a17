"""A spiral through a random layer and a ReLU, and what comes back."""

from functools import cache

import numpy as np
import traitlets

from .. import manifold
from .base import Explorer, compact, html_table, script

CHANNELS = range(2, 31)
SEEDS = range(12)
MEDIAN_SEEDS = range(200)  # more would make the first widget wait for seconds
POINTS = 300


class CollapseExplorer(Explorer):
    """V2's Figure 1 (section 3.2) for one random layer, as sliders.

    channels: n, the layer's outputs, from 2 to 30; seed: of its random
    numbers, from 0 to 11 (see ``manifold.random_layers``). Another value
    raises ``traitlets.TraitError``. Errors are relative, of a spiral of 300
    points, and compared with their medians over 200 seeds.
    """

    _esm = script("collapse_explorer")
    channels = traitlets.Int(3, min=CHANNELS[0], max=CHANNELS[-1]).tag(sync=True)
    seed = traitlets.Int(0, min=SEEDS[0], max=SEEDS[-1]).tag(sync=True)

    def __init__(self, channels=3, seed=0):
        super().__init__(_table=_table(), channels=channels, seed=seed)

    @property
    def layers(self):
        """The layer's matrix T in a batch of one, (1, channels, 2)."""
        return manifold.random_layers(self.channels, [self.seed])

    @property
    def collapsed(self):
        """How many of the 300 points have fewer than two live units."""
        share = manifold.collapsed(manifold.spiral(POINTS), self.layers)[0]
        return round(share * POINTS)

    @property
    def errors(self):
        """The relative error of each decoder: {name: error}."""
        return {name: error.item() for name, error in _errors(self.layers).items()}

    def __repr__(self):
        errors = ", ".join(f"{x:.2f} {name}" for name, x in self.errors.items())
        return (
            f"CollapseExplorer(channels={self.channels}, seed={self.seed}): "
            f"{self.collapsed} of {POINTS} points with fewer than two live units; "
            f"errors {errors}"
        )

    def _fallback(self):
        medians = _medians()[self.channels]
        chance = manifold.collapse_probability(self.channels)
        return html_table(
            "collapse-explorer",
            f"A spiral through {self.channels} random channels and a ReLU, seed "
            f"{self.seed}: the relative error of three decoders",
            ("decoder", "this layer", f"median of {len(MEDIAN_SEEDS)} layers"),
            [
                (name, f"{error:.2f}", f"{medians[name]:.2f}")
                for name, error in self.errors.items()
            ],
            f"Points with fewer than two live units: {self.collapsed} of {POINTS}. "
            f"On average over all layers, (n + 1)/2ⁿ = {100 * chance:.2g} %.",
        )


def _errors(layers):
    """The relative error of each decoder, layer by layer: {name: (S,)}."""
    curve = manifold.spiral(POINTS)
    codes = manifold.encode(curve, layers)
    return {
        "pseudo-inverse": manifold.pinv_error(curve, layers, codes),
        "best affine": manifold.affine_error(curve, codes),
        "nearest neighbour": manifold.neighbour_error(curve, codes),
    }


@cache
def _errors_by_channels():
    layers = manifold.random_layers(CHANNELS[-1], MEDIAN_SEEDS)
    return {n: _errors(layers[:, :n]) for n in CHANNELS}


def _medians():
    """The median error of each decoder: {channels: {name: error}}."""
    return {
        n: {name: np.median(x) for name, x in errors.items()}
        for n, errors in _errors_by_channels().items()
    }


@cache
def _table():
    """All that collapse_explorer.js draws and shows, as one JSON string.

    The layers are so exact that the script finds the same units live.
    """
    layers = manifold.random_layers(CHANNELS[-1], SEEDS)
    return compact(
        {
            "channels": [*CHANNELS],
            "seeds": [*SEEDS],
            "curve": manifold.spiral(POINTS).round(7).tolist(),
            "layers": layers.round(7).tolist(),
            "chances": [manifold.collapse_probability(n) for n in CHANNELS],
            "median_of": len(MEDIAN_SEEDS),
            "decoders": [*_medians()[CHANNELS[0]]],
            "medians": [[*map(_short, x.values())] for x in _medians().values()],
            "errors": [
                [[*map(_short, error[: len(SEEDS)])] for error in errors.values()]
                for errors in _errors_by_channels().values()
            ],
        }
    )


def _short(x):
    return float(f"{x:.5g}")
