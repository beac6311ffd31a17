"""The collapse explorer of chapter 4: its Python side, and the built page."""

import itertools

import numpy as np
import pytest
import traitlets
from helpers import VISIT, box_of, control, shown

from mbtools import manifold
from mbtools.explorer import CollapseExplorer
from mbtools.explorer.collapse_explorer import CHANNELS, MEDIAN_SEEDS, POINTS, SEEDS

CURVE = manifold.spiral(POINTS)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: CollapseExplorer(1), "'channels' trait .* not be less than 2"),
        (lambda: CollapseExplorer(31), "'channels' trait .* not be greater than 30"),
        (lambda: CollapseExplorer(3, 12), "'seed' trait .* not be greater than 11"),
        (lambda: CollapseExplorer(2.5), "'channels' trait .* int"),
    ],
)
def test_a_widget_names_the_bound(make, says):
    with pytest.raises(traitlets.TraitError, match=says):
        make()


def errors_of(layers):
    codes = manifold.encode(CURVE, layers)
    return {
        "pseudo-inverse": manifold.pinv_error(CURVE, layers, codes),
        "best affine": manifold.affine_error(CURVE, codes),
        "nearest neighbour": manifold.neighbour_error(CURVE, codes),
    }


def test_text_and_table_of_the_collapse_explorer():
    explorer = CollapseExplorer(2, 5)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    live = (CURVE @ np.random.default_rng(5).normal(size=(2, 2)).T > 0).sum(1)
    collapsed = (live < 2).sum()
    assert repr(explorer).startswith(
        f"CollapseExplorer(channels=2, seed=5): {collapsed} of 300 points with fewer "
        "than two live units; errors "
    )
    told = [f"{collapsed} of 300", "(n + 1)/2ⁿ = 75 %"]
    for name, errors in errors_of(manifold.random_layers(2, [5])).items():
        assert f"{errors[0]:.2f} {name}" in repr(explorer)
        told += [name, f"{errors[0]:.2f}"]
    for text in told:
        assert text in bundle["text/html"]


def test_what_the_page_carries_is_small():
    assert len(CollapseExplorer()._table) < 40_000


@pytest.fixture
def collapse_box(open_page):
    page = open_page("notebooks/04_relu_collapse.html")
    return box_of(page, "collapse-explorer")


def test_collapse_explorer_shows_what_manifold_computes(collapse_box):
    frames = list(itertools.product(CHANNELS, SEEDS))
    visits = [(n - CHANNELS[0], seed) for n, seed in frames]
    pages = iter(collapse_box.evaluate(VISIT, [("channels", "seed"), visits]))
    for n in CHANNELS:
        layers = manifold.random_layers(n, SEEDS)
        collapsed = manifold.collapsed(CURVE, layers) * POINTS
        read = manifold.read_back(layers, manifold.encode(CURVE, layers))
        outside = (np.abs(read).max(2) > 1.1).sum(1)
        errors = errors_of(layers)
        medians = {
            f"median.{name}": pytest.approx(np.median(found), rel=1e-4)
            for name, found in errors_of(
                manifold.random_layers(n, MEDIAN_SEEDS)
            ).items()
        }
        for seed in SEEDS:
            page = next(pages)
            expected = medians | {
                "collapsed": round(collapsed[seed]),
                "outside": outside[seed],
                "chance": (n + 1) / 2**n,
            }
            for name, found in errors.items():
                expected[f"error.{name}"] = pytest.approx(found[seed], rel=1e-4)
            assert {key: page[key] for key in expected} == expected, (n, seed)
            told = [f"({n} + 1)/2", f"{round(collapsed[seed])} of 300 points"]
            told += [f"{found[seed]:.3f}" for found in errors.values()]
            if outside[seed]:
                told.append(f"{outside[seed]} of 300 points are read back outside")
            for text in told:
                assert text in page["text"], (n, seed, text)


# The points that the two pictures draw, as numbers of the plane.
DRAWN = """
(box) => [...box.querySelectorAll(".mbx-plane")].map((picture) => {
  const points = (path, shift) =>
    [...path.getAttribute("d").matchAll(/M(\\S+) (-?[\\d.]+)/g)]
      .map(([, x, y]) => [(+x + shift) / 100, -y / 100]);
  return {
    live: [...picture.querySelectorAll("path[style]")].flatMap((x) => points(x, 0)),
    hollow: points(picture.querySelector(".mbx-hollow"), 2),
  };
})
"""


def test_pictures_draw_the_points_of_manifold(collapse_box):
    for n in CHANNELS:
        seed = n % len(SEEDS)
        layers = manifold.random_layers(n, [seed])
        codes = manifold.encode(CURVE, layers)
        collapse_box.evaluate(VISIT, [("channels", "seed"), [(n - 2, seed)]])
        pictures = collapse_box.evaluate(DRAWN)
        lost = (codes[0] > 0).sum(1) < 2
        for picture, points in zip(
            pictures, (CURVE, manifold.read_back(layers, codes)[0]), strict=True
        ):
            inside = np.abs(points).max(1) <= 1.1
            for key, which in (("live", inside & ~lost), ("hollow", inside & lost)):
                drawn = np.array(picture[key]).reshape(-1, 2)
                assert drawn == pytest.approx(points[which], abs=1e-4), (n, key)


def test_keyboard_moves_the_collapse_sliders(collapse_box):
    channels, seed = control(collapse_box, "channels"), control(collapse_box, "seed")
    channels.press("End")
    seed.press("ArrowRight")
    layers = manifold.random_layers(30, [1])
    error = errors_of(layers)["pseudo-inverse"][0]
    assert shown(collapse_box, "error.pseudo-inverse") == pytest.approx(error, rel=1e-4)
    assert channels.get_attribute("aria-valuetext") == "30 channels"
    assert seed.get_attribute("aria-valuetext") == "seed 1"
    said = collapse_box.locator("[aria-live]")
    said.filter(has_text="30 channels, seed 1: 0.0 % of the points").wait_for(
        state="attached"
    )
