"""The drawn patterns: their shape, and what each kind of defect must show."""

import numpy as np
import pytest
import torch

from mbtools import discharge
from mbtools.discharge import KINDS


@pytest.fixture(scope="module")
def patterns():
    return discharge.draw(24, seed=0)


def profile(patterns, kind):
    """Mean darkness of a kind's pictures by phase, in sixths of a cycle."""
    pictures, labels = patterns
    mean = pictures[labels == KINDS.index(kind)].mean(0)[0]
    return mean.reshape(60, 6, 20).mean((0, 2))


def test_as_many_of_each_kind_in_the_promised_form(patterns):
    pictures, labels = patterns
    assert pictures.shape == (6 * 24, 1, 60, 120) and pictures.dtype == torch.float32
    assert labels.bincount().tolist() == [24] * 6
    assert pictures.amin() >= 0 and (pictures.amax((1, 2, 3)) == 1).all()
    assert labels[:24].unique().numel() == 6, "the order must be random"
    assert len(set(KINDS)) == 6


def test_the_seed_decides_all(patterns):
    again = discharge.draw(24, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(patterns, again, strict=True))
    other, _ = discharge.draw(24, seed=1)
    seen = {picture.numpy().tobytes() for picture in torch.cat([patterns[0], other])}
    assert len(seen) == 2 * 6 * 24


def test_no_picture_is_nothing_to_draw():
    with pytest.raises(ValueError, match="per_class must be 1 or more; got 0"):
        discharge.draw(0, seed=0)


def test_a_tip_fires_where_it_is_negative(patterns):
    # the voltage peaks at 90 and at 270 degrees: in the second and fifth sixth
    assert profile(patterns, "tip on the conductor").argmax() == 4
    assert profile(patterns, "tip on the enclosure").argmax() == 1


@pytest.mark.parametrize(
    "kind", ["floating part", "void in the insulator", "free particle"]
)
def test_half_cycles_are_alike(patterns, kind):
    first, second = profile(patterns, kind).reshape(2, 3).sum(1).tolist()
    assert first == pytest.approx(second, rel=0.15)


def pulses(function, **options):
    rng = np.random.default_rng(0)
    for _ in range(20):
        yield function(rng, cycles=100, **options)


def test_a_gap_is_charged_again_by_the_voltage():
    """From peak to peak the voltage changes by 2: enough for 2 / threshold sparks."""
    rng = np.random.default_rng(0)
    phases, charges = discharge._gap(rng, cycles=3, threshold=0.45, lag=0, rest=0)
    assert len(phases) == 3 * 2 * int(2 / 0.45)
    assert charges.min() > 0.45 and charges.max() < 0.5
    # it fires while the voltage rises, from 270 to 90 degrees, or falls
    assert ((phases % 180 < 95) | (phases % 180 > 105)).all()


def test_a_floating_parts_charges_are_more_alike_than_a_voids():
    spreads = {
        kind: np.median([sizes.std() / sizes.mean() for _, sizes in pulses(kind)])
        for kind in (discharge._floating, discharge._void)
    }
    assert 2 * spreads[discharge._floating] < spreads[discharge._void]


def test_half_cycles_of_a_particle_on_an_insulator_differ():
    def imbalance(kind):
        half = [phases < 180 for phases, _ in pulses(kind)]
        sizes = [sizes for _, sizes in pulses(kind)]
        return np.median(
            [
                abs(np.log(y[x].mean() / y[~x].mean()))
                for x, y in zip(half, sizes, strict=True)
            ]
        )

    assert imbalance(discharge._surface) > 3 * imbalance(discharge._void)


def test_it_takes_more_than_the_mean_picture(patterns):
    pictures, labels = (x.flatten(1) if x.ndim > 1 else x for x in patterns)
    means = torch.stack([pictures[labels == k].mean(0) for k in range(6)])
    fresh, truth = discharge.draw(24, seed=1)
    nearest = torch.cdist(fresh.flatten(1), means).argmin(1)
    assert 1 / 6 < (nearest == truth).float().mean() < 0.9
