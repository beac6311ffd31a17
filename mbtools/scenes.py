"""Intel's scenes: real photographs, or scenes that ``painting`` draws.

The set "Intel Image Classification": six classes of 150×150 pixels, 14,034
pictures to train, 3,000 to test, 7,301 without labels.
"""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

from IPython.display import Markdown, display

from . import pictures
from .painting import CLASSES, SIZE, draw
from .pictures import Pictures

# with its version: what is in the cache is then found without a network
KAGGLE = "puneet6060/intel-image-classification/versions/2"


@dataclass(frozen=True)
class Scenes:
    """Three sets of scenes, what the checks found, and where all came from.

    origin: one line; real: photographs, not drawn; findings: of all sets.
    """

    origin: str
    real: bool
    train: Pictures
    test: Pictures
    unlabelled: Pictures
    findings: tuple = field(repr=False)  # it holds the paths


def load(train=40, test=20, unlabelled=30):
    """Intel's scenes: photographs if there are any, else drawn ones.

    They come from the folder that MBTOOLS_SCENES names; else from Kaggle, which
    asks for no sign-in, once; else, where Kaggle does not answer or MBTOOLS_FAST
    is 1, ``painting.draw`` makes them: so many of each class to train and to
    test, and so many without labels. Drawn ones have the faults of the real set
    as well: a file under two labels, one in both train and test, one of another
    size. Prints which they are.

    Raises FileNotFoundError or ValueError, as ``pictures.read_splits`` does, if
    the folder is not laid out as Kaggle's.
    """
    drawn = None
    if named := os.environ.get("MBTOOLS_SCENES"):
        folder, origin = named, "the folder in MBTOOLS_SCENES"
    elif os.environ.get("MBTOOLS_FAST") == "1":
        drawn = "MBTOOLS_FAST=1"
    else:
        import kagglehub  # takes a second, and needed only here
        from requests import RequestException

        try:
            folder, origin = kagglehub.dataset_download(KAGGLE), f"Kaggle's {KAGGLE}"
        except RequestException as error:
            drawn = f"Kaggle does not answer ({type(error).__name__})"
    if drawn:
        folder = _drawn(train, test, unlabelled).name
        origin = f"drawn by mbtools because {drawn}"
    *parts, findings = pictures.read_splits(
        folder, CLASSES, SIZE, needs=("train", "test", "unlabelled")
    )
    scenes = Scenes(origin, not drawn, *parts, findings)
    print(_says(scenes))
    return scenes


def banner(scenes):
    """Display whether the numbers below are about photographs."""
    about = "Numbers below are about photographs of real scenes."
    if not scenes.real:
        about = (
            "No number below is about real scenes. Go online, or let "
            "`MBTOOLS_SCENES` name the folder with Kaggle's pictures."
        )
    kind, _, rest = _says(scenes).partition(":")
    display(Markdown(f"> **{kind}.**{rest}. {about}"))


def _says(scenes):
    counts = " + ".join(
        f"{len(part):,}" for part in (scenes.train, scenes.test, scenes.unlabelled)
    )
    kind = "Real scenes" if scenes.real else "Drawn scenes"
    return f"{kind}: {counts} (train + test + unlabelled), {scenes.origin}"


@cache
def _drawn(train, test, unlabelled):
    """A folder of drawn scenes in Kaggle's layout; it goes when the process ends."""
    temporary = TemporaryDirectory(prefix="drawn-scenes-")
    trains, tests, unknown = (
        Path(temporary.name, part, part)
        for part in ("seg_train", "seg_test", "seg_pred")
    )

    def save(label, seed, folder, height=SIZE[1]):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{seed:05}.jpg"
        draw(label, seed).crop((0, 0, SIZE[0], height)).save(path, quality=90)
        return path

    for label in CLASSES:
        for seed in range(train):
            save(label, seed, trains / label)
        for seed in range(test):
            save(label, 10_000 + seed, tests / label)
    for seed in range(unlabelled):
        save(CLASSES[seed % len(CLASSES)], 20_000 + seed, unknown)
    save("sea", 0, trains / "sea", height=113)
    copy(save("buildings", 30_000, trains / "buildings"), trains / "street")
    copy(tests / "buildings" / "10000.jpg", trains / "street")
    return temporary
