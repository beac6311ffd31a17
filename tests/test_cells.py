"""The solar cells: a small copy of the package, and the package where it is."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from mbtools import cells


def write(folder, name, value, side=300, mode="L"):
    Image.new(mode, (side, side), value).save(folder / name)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of twelve cells; each cell's grey is its number."""
    folder = tmp_path / "elpv_dataset" / "data"
    (folder / "images").mkdir(parents=True)
    (tmp_path / "elpv_dataset" / "__init__.py").write_text("raise SystemError")
    lines = []
    for i in range(12):
        chance = (0, 1 / 3, 2 / 3, 1)[i % 4]
        lines.append(f"images/cell{i:04}.png  {chance}   mono")
        write(folder, f"images/cell{i:04}.png", 10 * i)
    (folder / "labels.csv").write_text("\n".join(lines))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(cells, "COUNT", 12)
    return folder


def numbers(pictures):
    return (pictures.amax((1, 2, 3)) * 25.5).round().int().tolist()


def test_cells_have_their_labels_and_are_in_one_part_only(package):
    (x, y), (test_x, test_y) = cells.load(4, 2, size=20)
    assert x.shape == (8, 1, 20, 20) and x.dtype == torch.float32
    assert y.bincount().tolist() == [4, 4] and test_y.bincount().tolist() == [2, 2]
    for pictures, labels in ((x, y), (test_x, test_y)):
        # cells 2, 3, 6, 7, … have a chance of 2/3 or 1
        assert [i % 4 >= 2 for i in numbers(pictures)] == labels.bool().tolist()
    assert sorted(numbers(x) + numbers(test_x)) == list(range(12))


def test_the_seed_chooses_and_the_test_cells_do_not_depend_on_the_others(package):
    _, (few, _) = cells.load(1, 2)
    _, (many, _) = cells.load(4, 2)
    assert torch.equal(few, many)
    chosen = {tuple(numbers(cells.load(1, 2, seed=s)[1][0])) for s in range(8)}
    assert len(chosen) > 1


def test_shrinking_takes_means(package):
    stripes = np.tile(np.repeat([0, 200], 1), (300, 150)).astype(np.uint8)
    for i in range(12):
        Image.fromarray(stripes).save(package / f"images/cell{i:04}.png")
    (x, _), _ = cells.load(1, 1, size=30)
    assert torch.allclose(x, torch.full_like(x, 100 / 255))


def test_too_many_cells_are_refused(package):
    with pytest.raises(ValueError, match=r"5 \+ 2 cells .* only 6 are functional"):
        cells.load(5, 2)


def test_absence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(cells.Missing, match="not installed: pip install elpv-dataset"):
        cells.load(1, 1)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda x: (x / "labels.csv").unlink(), "labels.csv cannot be read"),
        (lambda x: (x / "labels.csv").write_text("a b\n"), "labels.csv cannot be"),
        (
            lambda x: (x / "labels.csv").write_text("images/cell0001.png 1 mono"),
            "1 rows, not 12",
        ),
        (
            lambda x: [p.write_bytes(b"\x89PNG") for p in x.glob("images/*")],
            r"cell00\d\d.png cannot be read",
        ),
        (lambda x: [p.unlink() for p in x.glob("images/*")], "cannot be read"),
        (
            lambda x: [write(x, f"images/cell{i:04}.png", 9, 60) for i in range(12)],
            "not a grey 300x300",
        ),
    ],
)
def test_damage_is_named(package, spoil, says):
    spoil(package)
    with pytest.raises(cells.Missing, match=f"{says}.*--force-reinstall"):
        cells.load(2, 2)


def test_a_cut_file_is_damage(package):
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)
    for path in package.glob("images/*"):
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(cells.Missing, match="cannot be read"):
        cells.load(2, 2)


def test_the_real_set():
    (x, y), (test_x, _) = cells.load(40, 40)  # requirements.txt names its package
    assert x.shape == test_x.shape == (80, 1, 60, 60)
    seen = {picture.numpy().tobytes() for picture in torch.cat([x, test_x])}
    assert len(seen) == 160
    assert y.sum() == 40 and 0.1 < x.mean() < 0.9
    with pytest.raises(ValueError, match="only 821 are defective"):
        cells.load(821, 1)
