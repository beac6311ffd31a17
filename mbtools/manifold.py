"""What ReLU destroys: V2's Figure 1 as an experiment over many random layers.

A curve in the plane goes through a random linear layer of n channels and a
ReLU; then it is read back (arXiv:1801.04381, section 3.2). Arrays are batched
over seeds: S layers, P points, n channels.
"""

from math import comb

import numpy as np


def spiral(points=1000, turns=2):
    """Points of a spiral, from the centre out to radius 1: (P, 2)."""
    share = np.arange(1, points + 1) / points
    angle = 2 * np.pi * turns * share
    return share[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def random_layers(channels, seeds, inputs=2):
    """Gaussian matrices T, one for each seed: (S, n, inputs).

    With more channels a seed keeps the rows that it had.
    """
    return np.stack(
        [np.random.default_rng(s).normal(size=(channels, inputs)) for s in seeds]
    )


def relu(x):
    """max(x, 0)."""
    return np.maximum(x, 0)


def relu6(x):
    """min(max(x, 0), 6)."""
    return np.clip(x, 0, 6)


def encode(curve, layers, activation=relu, bias=0.0):
    """The codes of the points: activation(T x + bias), (S, P, n).

    curve: (P, inputs); layers: (S, n, inputs); bias: a number, or an array
    that broadcasts to (S, P, n).

    Raises ValueError if the curve has another number of inputs.
    """
    curve = np.asarray(curve, float)
    if curve.ndim != 2 or curve.shape[1] != layers.shape[2]:
        raise ValueError(
            f"the curve must be (points, {layers.shape[2]}), as the layers read it; "
            f"got {curve.shape}"
        )
    return activation(curve @ layers.transpose(0, 2, 1) + bias)


def read_back(layers, codes):
    """The paper's decoder, the codes times the pseudo-inverse of T: (S, P, 2)."""
    return codes @ np.linalg.pinv(layers).transpose(0, 2, 1)


def pinv_error(curve, layers, codes):
    """Relative error of ``read_back``: (S,)."""
    return _relative_error(read_back(layers, codes), curve)


def affine_error(curve, codes):
    """Relative error of the best affine decoder: (S,).

    Fitted by least squares on every second point, measured on the others.
    """
    ones = np.ones((*codes.shape[:2], 1))
    design = np.concatenate([codes, ones], axis=2)
    decoder = np.linalg.pinv(design[:, ::2]) @ curve[::2]
    return _relative_error(design[:, 1::2] @ decoder, curve[1::2])


def neighbour_error(curve, codes):
    """Relative error of a nearest-neighbour decoder: (S,).

    Every second point is remembered; each other point is read as the one
    whose code is nearest. It needs no formula, only that codes differ.
    """
    nearest = np.stack([_distances(code[1::2], code[::2]).argmin(1) for code in codes])
    return _relative_error(curve[::2][nearest], curve[1::2])


def twins(curve, codes, far=0.25):
    """Share of points whose code a far point shares: (S,).

    Shares: the two codes are no further apart than the codes of neighbours
    on the curve are in the root mean square. Far: more than ``far`` apart on the curve.
    """
    apart = _distances(curve, curve) > far**2
    found = []
    for code in codes:
        step = np.square(np.diff(code, axis=0)).sum(1).mean()
        found.append(((_distances(code, code) <= step) & apart).any(1).mean())
    return np.array(found)


def collapsed(curve, layers, fewer_than=2):
    """Share of points with fewer than two live units: (S,).

    A unit is live where it is above 0. With two live units a point in the
    plane can be computed from its code; with fewer it cannot.
    """
    live = (encode(curve, layers) > 0).sum(2)
    return (live < fewer_than).mean(1)


def collapse_probability(channels, fewer_than=2):
    """The chance that fewer than ``fewer_than`` of n Gaussian units are live.

    Each unit is above 0 with probability 1/2, whatever the point: a binomial
    sum, for two inputs (n + 1) / 2**n.
    """
    return sum(comb(channels, live) for live in range(fewer_than)) / 2**channels


def _relative_error(read, curve):
    error = np.square(read - curve).sum((1, 2))
    return np.sqrt(error / np.square(curve).sum())


def _distances(a, b):
    """Squared distances between the rows of two arrays."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    return np.maximum(squares, 0)  # rounding may leave -1e-17
