"""Solar cells photographed while they glow: a real set of industrial pictures.

The package elpv-dataset has 2,624 electroluminescence pictures of single cells,
300x300 and grey, each with the probability of a defect that experts gave it:
0, 1/3, 2/3 or 1 (Buerhop-Lutz et al., EU PVSEC 2018; Deitsch et al., Solar
Energy 185, 455, 2019). CC BY-NC-SA 4.0. Its files are read, its code is not run.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image

PACKAGE = "elpv-dataset"
CLASSES = ("functional", "defective")
COUNT, SIDE = 2624, 300


class Missing(Exception):
    """The set is not installed, or not whole; says which, and what to do."""


def load(learn, test, size=60, seed=0):
    """Cells to learn from, and others to test on, so many of each class.

    A cell counts as defective if its probability is above one half. Returns
    ((2 * learn, 1, size, size) float32 pictures of 0 to 1, their (2 * learn,)
    labels, indices of ``CLASSES``), and the same with ``test``. The seed
    chooses the cells, the test cells first: they do not depend on ``learn``.

    Raises Missing, and ValueError if there are not so many cells of a class.
    """
    files, labels = _index()
    rng = np.random.default_rng(seed)
    parts = [], []
    for label, name in enumerate(CLASSES):
        own = rng.permutation(np.flatnonzero(labels == label))
        if learn + test > len(own):
            raise ValueError(
                f"{learn} + {test} cells are wanted of each class, but only "
                f"{len(own)} are {name}"
            )
        parts[0].extend(own[test : test + learn])
        parts[1].extend(own[:test])
    return tuple(
        (
            torch.stack([_read(files[i], size) for i in part]),
            torch.from_numpy(labels[part]),
        )
        for part in parts
    )


def _index():
    """The files of all cells, and their labels."""
    package = find_spec(PACKAGE.replace("-", "_"))
    if not package:
        raise Missing(f"{PACKAGE} is not installed: pip install {PACKAGE} (91 MB)")
    folder = Path(package.submodule_search_locations[0], "data")
    try:
        lines = (folder / "labels.csv").read_text("utf-8").splitlines()
        rows = [line.split() for line in lines]
        files = [folder / name for name, _, _ in rows]
        labels = np.array([int(float(chance) > 0.5) for _, chance, _ in rows])
    except (OSError, ValueError) as error:
        raise Missing(_damaged("labels.csv cannot be read")) from error
    if len(rows) != COUNT:
        raise Missing(_damaged(f"labels.csv has {len(rows)} rows, not {COUNT}"))
    return files, labels


def _read(file, size):
    """A cell as (1, size, size), shrunk by averaging."""
    try:
        with Image.open(file) as picture:
            if (picture.mode, picture.size) != ("L", (SIDE, SIDE)):
                raise Missing(_damaged(f"{file.name} is not a grey {SIDE}x{SIDE}"))
            small = picture.resize((size, size), Image.Resampling.BOX)
    except OSError as error:
        raise Missing(_damaged(f"{file.name} cannot be read")) from error
    return torch.from_numpy(np.asarray(small, np.float32) / 255)[None]


def _damaged(what):
    return f"{PACKAGE} is damaged, {what}: pip install --force-reinstall {PACKAGE}"
