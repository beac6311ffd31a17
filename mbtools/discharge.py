"""Drawn patterns of partial discharge: six defects of gas-insulated switchgear.

A phase-resolved pattern counts the pulses of many cycles of the mains by their
phase (columns, 0 to 360 degrees, the voltage being a sine) and their charge
(rows, the largest on top), as devices after IEC 60270 show them. These are
drawn from rules of thumb, not measured; each kind's function gives its reason.
"""

from functools import partial

import numpy as np
import torch

from .nets import PD_RESOLUTION

STEP = 2  # degrees between two looks at the voltage


def draw(per_class, seed):
    """So many drawn patterns of each kind, in a random order.

    Returns (6 * per_class, 1, 60, 120) float32 pictures with values of 0 to 1
    and their (6 * per_class,) labels, which are indices of ``KINDS``. The seed
    decides all.

    Raises ValueError if per_class is below one.
    """
    if per_class < 1:
        raise ValueError(f"per_class must be 1 or more; got {per_class}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(KINDS)), per_class))
    pulses_of = tuple(_PULSES.values())
    pictures = np.stack([_picture(pulses_of[label], rng) for label in labels])
    return torch.from_numpy(pictures[:, None]), torch.from_numpy(labels)


def _picture(pulses_of, rng):
    """One pattern: a defect, the device that records it, and noise."""
    phases, charges = pulses_of(rng, cycles=rng.integers(50, 300))
    # no device knows the phase or the charge exactly
    phases = phases + rng.normal(0, 8) + rng.uniform(0, STEP, len(phases))
    charges = charges * rng.lognormal(0, 0.1, len(charges))
    charges *= rng.uniform(0.4, 0.9) / charges.max()
    stray = rng.poisson(rng.uniform(0.05, 0.5) * len(phases) + 10)
    phases = np.append(phases, rng.uniform(0, 360, stray))
    charges = np.append(charges, rng.exponential(rng.uniform(0.05, 0.3), stray))
    counts, _, _ = np.histogram2d(
        1 - charges, phases % 360, PD_RESOLUTION, ((0, 1), (0, 360))
    )
    grey = np.log1p(counts) + np.abs(rng.normal(0, 0.1, counts.shape))
    return (grey / grey.max()).astype(np.float32)


def _tip(rng, cycles, peak):
    """A sharp point in gas: many small pulses while it is most negative, at ``peak``.

    Well above its onset it fires at the opposite peak too, less often and with
    larger pulses (L. Niemeyer, IEEE Trans. Dielectr. Electr. Insul. 2(4), 1995).
    """
    onset, opposite = rng.uniform(0.6, 0.95), rng.uniform(0.8, 1.1)
    phases = np.tile(np.arange(0, 360, STEP), cycles)
    push = np.cos(np.radians(phases - peak))
    rate = rng.uniform(0.1, 0.4) * (push - onset).clip(0) / (1 - onset)
    rate += rng.uniform(0.05, 0.2) * (-push - opposite).clip(0)
    count = rng.poisson(rate)
    sizes = np.where(push > 0, push, rng.uniform(1.5, 3) * np.abs(push))
    return np.repeat(phases, count), np.repeat(sizes, count)


def _gap(rng, cycles, threshold, lag, rest=0.1, uneven=1.0):
    """A gap that charges up, breaks down, and is discharged by that.

    It can break down above ``threshold``, a share of the voltage's peak,
    which is ``uneven`` times as high when the voltage falls; on average
    ``lag`` degrees later a first electron is there. Then ``rest`` of its
    voltage is left.
    """
    phases = np.arange(-360, 360, STEP)  # a cycle to swing in, one to keep
    electrons = rng.random((len(phases), cycles)) < STEP / (STEP + lag)
    pulses, held = np.zeros(electrons.shape), np.zeros(cycles)
    for i, voltage in enumerate(np.sin(np.radians(phases))):
        across = voltage - held
        breaks = (across > threshold) | (across < -threshold * uneven)
        pulses[i] = across * (breaks & electrons[i])
        held += (1 - rest) * pulses[i]
    kept = pulses[phases >= 0]
    moments, _ = np.nonzero(kept)
    return phases[phases >= 0][moments], np.abs(kept[kept != 0])


def _floating(rng, cycles):
    """A loose metal part: a capacitor that sparks as soon as it is full.

    It needs no first electron, so all its sparks have nearly one charge, in
    both half cycles, while the voltage moves away from its last peak.
    """
    return _gap(rng, cycles, rng.uniform(0.35, 0.9), lag=rng.uniform(0, 2))


def _void(rng, cycles):
    """A bubble in the insulator: it waits for an electron, so charges differ.

    What the last pulse left on its walls helps the next half cycle, which so
    begins before the voltage is zero (Niemeyer 1995, on spherical voids).
    """
    return _gap(rng, cycles, rng.uniform(0.3, 0.8), rng.uniform(8, 40))


def _surface(rng, cycles):
    """A particle on a spacer: a gap with metal on one side and insulator opposite.

    The metal gives electrons more easily, so the half cycles differ (Khan et
    al. 2014, on particles that stick to a spacer).
    """
    uneven = rng.uniform(1.5, 2.2) ** rng.choice((-1, 1))
    return _gap(rng, cycles, rng.uniform(0.3, 0.6), rng.uniform(3, 25), uneven=uneven)


def _particle(rng, cycles):
    """A loose metal splinter: a pulse each time it touches the enclosure.

    It hops over many cycles, so it lands at any phase, and most of the pulse
    comes with the voltage at which it does (Energies 18, 5650, 2025, filmed such
    particles and saw dispersed patterns with large pulses).
    """
    phases = rng.uniform(0, 360, rng.poisson(rng.uniform(0.5, 3) * cycles))
    held = rng.uniform(0.2, 0.6)
    voltage = np.abs(np.sin(np.radians(phases)))
    return phases, (held + (1 - held) * voltage) * rng.lognormal(0, 0.25, len(phases))


_PULSES = {
    "tip on the conductor": partial(_tip, peak=270),
    "tip on the enclosure": partial(_tip, peak=90),
    "floating part": _floating,
    "free particle": _particle,
    "void in the insulator": _void,
    "particle on the insulator": _surface,
}
KINDS = tuple(_PULSES)
