"""Intel's scenes: where they come from, and when they are drawn."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import kagglehub
import pytest
import requests

from mbtools import scenes

REAL = os.environ.get("MBTOOLS_SCENES")
FEW = {"train": 4, "test": 2, "unlabelled": 3}


@pytest.fixture(autouse=True)
def reader(monkeypatch):
    """Someone without a folder, without the tests' setting, without a network."""
    monkeypatch.delenv("MBTOOLS_SCENES", raising=False)
    monkeypatch.delenv("MBTOOLS_FAST", raising=False)

    def unreachable(handle):
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(kagglehub, "dataset_download", unreachable)


@pytest.fixture(scope="module")
def kaggle(tmp_path_factory):
    """A copy of drawn scenes, laid out as Kaggle's."""
    made = scenes._drawn(**FEW).name
    return shutil.copytree(made, tmp_path_factory.mktemp("kaggle") / "set")


# Where they come from


def test_without_kaggle_they_are_drawn(capsys):
    found = scenes.load(**FEW)
    assert not found.real
    assert found.origin == (
        "drawn by mbtools because Kaggle does not answer (ConnectionError)"
    )
    told = "Drawn scenes: 24 + 12 + 3 (train + test + unlabelled), " + found.origin
    assert capsys.readouterr().out == told + "\n"


def test_in_the_tests_nobody_is_asked(monkeypatch):
    def never(handle):
        raise AssertionError("asked the network")

    monkeypatch.setattr(kagglehub, "dataset_download", never)
    monkeypatch.setenv("MBTOOLS_FAST", "1")
    found = scenes.load(**FEW)
    assert found.origin == "drawn by mbtools because MBTOOLS_FAST=1"
    assert found.train.counts == dict.fromkeys(scenes.CLASSES, 4)
    assert found.test.counts == dict.fromkeys(scenes.CLASSES, 2)
    assert len(found.unlabelled) == 3


def test_what_kaggle_sends_is_read(monkeypatch, kaggle, capsys):
    asked = []

    def answer(handle):
        asked.append(handle)
        return str(kaggle)

    monkeypatch.setattr(kagglehub, "dataset_download", answer)
    found = scenes.load()
    assert asked == ["puneet6060/intel-image-classification/versions/2"]
    assert found.real and asked[0] in capsys.readouterr().out
    assert all(path.is_relative_to(kaggle) for path in found.train.paths)


def test_only_a_network_may_fail(monkeypatch):
    def broken(handle):
        raise ValueError("a full disk, or a fault in kagglehub")

    monkeypatch.setattr(kagglehub, "dataset_download", broken)
    with pytest.raises(ValueError, match="a full disk"):
        scenes.load(**FEW)


@pytest.mark.parametrize("fast", ("0", "1"))
def test_the_readers_folder_comes_first(monkeypatch, kaggle, fast):
    monkeypatch.setenv("MBTOOLS_FAST", fast)
    monkeypatch.setenv("HOME", str(kaggle.parent))
    monkeypatch.setenv("MBTOOLS_SCENES", "~/set")
    found = scenes.load()
    assert (found.real, found.origin) == (True, "the folder in MBTOOLS_SCENES")
    assert str(kaggle) not in repr(found)


def without_test(folder):
    shutil.rmtree(folder / "seg_test")


def without_unlabelled(folder):
    shutil.rmtree(folder / "seg_pred")


def without_sea(folder):
    shutil.rmtree(folder / "seg_train" / "seg_train" / "sea")


def with_desert(folder):
    for part in ("seg_train/seg_train", "seg_test/seg_test"):
        shutil.copytree(folder / part / "sea", folder / part / "desert")


def only_train(folder):
    shutil.rmtree(folder / "seg_test")
    shutil.rmtree(folder / "seg_pred")
    (folder / "seg_train" / "seg_train").rename(folder / "buildings")


WRONG = {
    "missing": (shutil.rmtree, FileNotFoundError, "there is no folder"),
    "no test": (without_test, ValueError, "no test pictures: .*called test or"),
    "no unlabelled": (without_unlabelled, ValueError, "no unlabelled pictures"),
    "five classes": (without_sea, ValueError, "Missing: sea; too many: none"),
    "seven classes": (with_desert, ValueError, "Missing: none; too many: desert"),
    "one level off": (only_train, ValueError, "has no test pictures"),
}


@pytest.mark.parametrize("spoil, error, told", WRONG.values(), ids=WRONG)
def test_a_wrong_folder_is_never_replaced(
    monkeypatch, kaggle, tmp_path, spoil, error, told
):
    folder = shutil.copytree(kaggle, tmp_path / "set")
    spoil(folder)
    monkeypatch.setenv("MBTOOLS_SCENES", str(folder))
    with pytest.raises(error, match=told):
        scenes.load()


@pytest.mark.skipif(not REAL, reason="MBTOOLS_SCENES is not set")
def test_the_real_scenes_load(monkeypatch):
    monkeypatch.setenv("MBTOOLS_SCENES", REAL)
    found = scenes.load()
    assert found.real and found.train.classes == scenes.CLASSES
    assert min(found.train.counts.values()) > max(found.test.counts.values())
    assert len(found.unlabelled) > 0
    sizes = [finding for finding in found.findings if "not 150×150" in finding.what]
    assert sizes and all(finding.kept for finding in sizes)


@pytest.mark.parametrize(
    "real, told",
    ((True, "> **Real scenes.** 24 +"), (False, "> **Drawn scenes.** 24 +")),
)
def test_the_banner_says_which(monkeypatch, kaggle, real, told):
    shown = []
    monkeypatch.setattr(scenes, "display", lambda thing: shown.append(thing.data))
    if real:
        monkeypatch.setenv("MBTOOLS_SCENES", str(kaggle))
    scenes.banner(scenes.load(**FEW))
    assert shown[0].startswith(told) and "\n" not in shown[0]
    assert ("No number below is about real scenes" in shown[0]) is not real


# What the drawn ones are worth


def test_drawn_scenes_have_the_real_sets_faults():
    found = scenes.load(**FEW)
    assert [str(finding) for finding in found.findings] == [
        "seg_train/buildings/30000.jpg: the same file is under buildings and street, "
        "left out",
        "seg_train/sea/00000.jpg: 150×113 pixels, not 150×150, kept",
        "seg_train/street/10000.jpg: in test too, as buildings/10000.jpg, left out",
        "seg_train/street/30000.jpg: the same file is under buildings and street, "
        "left out",
    ]


def test_drawn_scenes_go_with_the_process():
    code = "from mbtools import scenes; print(scenes.load(1, 1, 1).train.paths[0])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"MBTOOLS_FAST": "1", "TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    path = Path(done.stdout.splitlines()[-1])
    assert path.name == "00000.jpg" and not path.parents[3].exists()
