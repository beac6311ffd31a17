"""The collapse experiment, against loops, closed forms and scikit-learn."""

import itertools
import math

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from mbtools import manifold

CURVE = manifold.spiral(200)
SEEDS = range(6)


def coded(channels, seeds=SEEDS, curve=CURVE, **options):
    layers = manifold.random_layers(channels, seeds)
    return layers, manifold.encode(curve, layers, **options)


def relative(read, curve):
    return np.linalg.norm(read - curve) / np.linalg.norm(curve)


def test_the_spiral_turns_twice_and_ends_at_radius_one():
    radius = np.linalg.norm(CURVE, axis=1)
    angle = np.unwrap(np.arctan2(CURVE[:, 1], CURVE[:, 0]))
    assert CURVE.shape == (200, 2)
    assert radius[-1] == pytest.approx(1) and (np.diff(radius) > 0).all()
    assert angle[-1] - angle[0] == pytest.approx(4 * np.pi * 199 / 200)


def test_a_seed_is_the_same_layer_at_every_width():
    wide = manifold.random_layers(30, (3, 7))
    assert np.array_equal(wide[:, :5], manifold.random_layers(5, (3, 7)))
    assert not np.array_equal(wide[0], wide[1])
    many = manifold.random_layers(10, range(2000))
    assert abs(many.mean()) < 0.02 and abs(many.std() - 1) < 0.02


@pytest.mark.parametrize("bias", (0.0, 0.5))
def test_codes_are_those_of_a_loop_over_points(bias):
    layers, codes = coded(4, bias=bias)
    for s, p in itertools.product(range(len(SEEDS)), range(0, len(CURVE), 17)):
        for unit in range(4):
            x = sum(layers[s, unit, i] * CURVE[p, i] for i in range(2)) + bias
            assert codes[s, p, unit] == pytest.approx(max(x, 0), abs=1e-12)


def test_relu6_clips_at_six():
    _, codes = coded(3, activation=manifold.relu6, bias=5.0)
    assert codes.max() == 6
    assert np.array_equal(codes, np.minimum(coded(3, bias=5.0)[1], 6))


@pytest.mark.parametrize("curve", (np.zeros((5, 3)), np.zeros(5), [[1, 2, 3]]))
def test_a_curve_outside_the_plane_is_refused(curve):
    layers = manifold.random_layers(4, SEEDS)
    with pytest.raises(ValueError, match=r"the curve must be \(points, 2\)"):
        manifold.encode(curve, layers)


def test_the_papers_read_out():
    layers, codes = coded(7)
    for s, error in enumerate(manifold.pinv_error(CURVE, layers, codes)):
        read, *_ = np.linalg.lstsq(layers[s], codes[s].T, rcond=None)
        assert error == pytest.approx(relative(read.T, CURVE))
    linear = manifold.encode(CURVE, layers, activation=lambda x: x)
    assert manifold.pinv_error(CURVE, layers, linear) == pytest.approx(0, abs=1e-12)


def test_the_decoders_are_scikit_learns():
    _, codes = coded(5)
    affine = manifold.affine_error(CURVE, codes)
    nearest = manifold.neighbour_error(CURVE, codes)
    for s, code in enumerate(codes):
        for errors, decoder in (
            (affine, LinearRegression()),
            (nearest, KNeighborsRegressor(1, algorithm="brute")),
        ):
            read = decoder.fit(code[::2], CURVE[::2]).predict(code[1::2])
            # equal distances (dead points) may be broken either way
            tolerance = 1e-6 if errors is affine else 0.1
            assert errors[s] == pytest.approx(
                relative(read, CURVE[1::2]), abs=tolerance
            )


def test_decoders_lose_nothing_without_relu():
    layers = manifold.random_layers(5, SEEDS)
    linear = manifold.encode(CURVE, layers, activation=lambda x: x)
    assert manifold.affine_error(CURVE, linear) == pytest.approx(0, abs=1e-9)
    # a point is read as the one before or after it, at worst the further one
    step = np.linalg.norm(np.diff(CURVE, axis=0), axis=1).max()
    worst = step * np.sqrt(len(CURVE) / 2) / np.linalg.norm(CURVE[1::2])
    assert (manifold.neighbour_error(CURVE, linear) <= worst).all()
    assert not manifold.twins(CURVE, linear).any()


def test_twins_on_codes_one_can_see():
    curve = np.array([[-1.0, 0], [-0.9, 0], [0.9, 0], [1.0, 0]])
    same = np.zeros((1, 4, 2))
    apart = curve[None]
    folded = np.abs(curve)[None]  # left on right: each point has a far twin
    assert manifold.twins(curve, same) == 1
    assert manifold.twins(curve, apart) == 0
    assert manifold.twins(curve, folded, far=1.5) == 1
    assert manifold.twins(curve, folded, far=3) == 0
    # steps of 1, 3 and 1.9: 1.97 on average, 2.13 in the root mean square
    curve, codes = (
        np.array([[0.0], [0.1], [0.2], [0.3]]),
        np.array([[[0.0], [1], [4], [2.1]]]),
    )
    assert manifold.twins(curve, codes) == 0.5  # the two ends


def test_simulation_agrees_with_the_closed_form():
    layers = manifold.random_layers(15, range(2000))
    for channels in range(2, 16):
        shares = manifold.collapsed(CURVE, layers[:, :channels])
        error = shares.std() / math.sqrt(len(shares))
        chance = manifold.collapse_probability(channels)
        assert chance == (channels + 1) / 2**channels
        # at 3 each layer loses exactly one of two opposite directions
        assert (error == 0) == (channels == 3)
        assert abs(shares.mean() - chance) <= 3 * error


def test_fewer_live_units_than_inputs_in_more_dimensions():
    generator = np.random.default_rng(0)
    layers = generator.normal(size=(20_000, 8, 4))
    point = generator.normal(size=(1, 4))
    share = manifold.collapsed(point, layers, fewer_than=4).mean()
    chance = manifold.collapse_probability(8, fewer_than=4)
    assert chance == (1 + 8 + 28 + 56) / 256
    assert abs(share - chance) <= 3 * math.sqrt(chance * (1 - chance) / 20_000)


def test_two_live_units_are_enough_to_read_the_point():
    layers, codes = coded(6)
    live = codes > 0
    for s, p in itertools.product(range(len(SEEDS)), range(len(CURVE))):
        rows = live[s, p]
        if rows.sum() >= 2:
            read, *_ = np.linalg.lstsq(layers[s, rows], codes[s, p, rows], rcond=None)
            assert read == pytest.approx(CURVE[p], abs=1e-9)
