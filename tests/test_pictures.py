"""Folders of pictures with every fault that a folder can have."""

import hashlib
import os
import random
import re
import shutil
import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from mbtools import painting, pictures

CLASSES = ("forest", "sea", "street")
PICTURE = painting.draw("sea", 99)

drawn = cache(painting.draw)


def fill(folder, classes=CLASSES, seeds=range(3)):
    """A folder of drawn scenes for each class."""
    for name in classes:
        (folder / name).mkdir(parents=True)
        for seed in seeds:
            drawn(name, seed).save(folder / name / f"{seed}.png")
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("clean") / "set")


@pytest.fixture
def folder(clean, tmp_path):
    """Three classes of three good pictures, to spoil."""
    return shutil.copytree(clean, tmp_path / "set")


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def alter(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


# What is left out: (what spoils the set, what is found, pictures left over)


def cut_jpeg(path):
    PICTURE.save(path)
    cut(path, 0.5)


def cut_png(path):
    PICTURE.save(path)
    cut(path, 0.5)


def cut_to_its_head(path):
    PICTURE.save(path)
    path.write_bytes(path.read_bytes()[:12])


def altered_png(path):
    PICTURE.save(path)
    alter(path, 60)


def huge(path):
    """A PNG of 200 million pixels, to believe its head."""
    PICTURE.save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 20_000, 10_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)


def fractions(path):
    Image.fromarray(np.zeros((9, 9), np.float32)).save(path)


def twin(path):
    shutil.copy(path.parent / "1.png", path)


def with_file(path):
    path.mkdir()
    PICTURE.save(path / "inside.png")


def link_up(path):
    path.symlink_to(path.parent.parent, target_is_directory=True)


LEFT_OUT = {
    "empty": ("sea/x.jpg", Path.touch, "empty"),
    "text": ("sea/x.jpg", lambda p: p.write_text("hello"), "not a picture"),
    "thumbs": ("sea/Thumbs.db", lambda p: p.write_bytes(b"\xd0\xcf"), "not a picture"),
    "half a jpeg": ("sea/x.jpg", cut_jpeg, "damaged: .*truncated"),
    "half a png": ("sea/x.png", cut_png, "damaged: .*truncated"),
    "head only": ("sea/x.jpg", cut_to_its_head, "not a picture|damaged"),
    "altered png": ("sea/x.png", altered_png, "damaged: broken"),
    "bomb": ("sea/x.png", huge, r"too large: .*200000000 pixels"),
    "fractions": ("sea/x.tiff", fractions, "damaged: its pixels are fractions"),
    "hidden file": ("sea/.DS_Store", Path.touch, "hidden"),
    "mac's shadow": ("sea/._1.png", lambda p: p.write_bytes(b"\0\5\x16\7"), "hidden"),
    "copy": ("sea/x.png", twin, r"the same file as 1\.png"),
    "folder inside": ("sea/more", with_file, "a folder inside a class"),
    "checkpoints inside": ("sea/.ipynb_checkpoints", with_file, "hidden"),
    "checkpoints": (".ipynb_checkpoints", with_file, "hidden"),
    "mac's archive": ("__MACOSX", with_file, "hidden"),
    "readme": ("README.md", Path.touch, "a file beside the classes"),
    "link to nothing": ("sea/x.png", lambda p: p.symlink_to("gone"), "neither a file"),
    "link to itself": ("sea/x.png", lambda p: p.symlink_to(p), "neither a file"),
    "link up": ("sea/x", link_up, "a link back to where it lies"),
    "link up beside": ("x", lambda p: p.symlink_to(p.parent), "a link back"),
    "pipe": ("sea/x.png", os.mkfifo, "neither a file nor a folder"),
}


@pytest.mark.parametrize("name, spoil, what", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_cannot_be_used_is_left_out_and_listed(folder, name, spoil, what):
    spoil(folder / name)
    found, findings = pictures.read_classes(folder)
    assert found.counts == dict.fromkeys(CLASSES, 3)
    assert [finding.path for finding in findings] == [folder / name]
    assert not findings[0].kept
    told = str(findings[0])
    assert name in told and told.endswith(", left out")
    assert re.search(what, findings[0].what)


def test_the_same_file_under_two_labels_is_used_under_none(folder):
    shutil.copy(folder / "sea" / "1.png", folder / "street" / "x.png")
    found, findings = pictures.read_classes(folder)
    assert found.counts == {"forest": 3, "sea": 2, "street": 3}
    for finding, path in zip(findings, ("sea/1.png", "street/x.png"), strict=True):
        assert finding == pictures.Finding(
            folder / path, "the same file is under sea and street", kept=False
        )


def test_a_file_that_may_not_be_read_is_left_out(folder, monkeypatch):
    opened = Path.open

    def locked(path, *arguments):
        if path == folder / "sea" / "1.png":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", locked)
    found, findings = pictures.read_classes(folder)
    assert found.counts["sea"] == 2
    assert findings[0].what == "cannot be read: Permission denied"


@pytest.mark.parametrize("suffix", ("jpg", "png", "gif", "webp", "bmp"))
def test_no_altered_byte_stops_the_reading(tmp_path, suffix):
    chance = random.Random(0)
    exif = {"exif": turned()} if suffix in ("jpg", "png", "webp") else {}
    small = PICTURE.resize((40, 30))
    for i in range(60):
        path = tmp_path / f"{i}.{suffix}"
        small.save(path, **exif)
        for _ in range(chance.choice((1, 2, 20))):
            alter(path, chance.randrange(min(path.stat().st_size, 300)))
    found, findings = pictures.read_flat(tmp_path)
    lost = [finding for finding in findings if not finding.kept]
    assert lost and len(found) + len(lost) == 60
    for picture, label in found:
        assert (picture.mode, label) == ("RGB", -1)


# What is kept, and listed all the same


def in_mode(mode, suffix):
    def save(path):
        PICTURE.convert(mode).save(path)

    return f"sea/x.{suffix}", save, f"{mode}, converted to RGB"


def sixteen_bits(path):
    levels = np.asarray(PICTURE.convert("L")).astype(np.uint16) * 256 + 99
    Image.fromarray(levels).save(path)


KEPT = {
    "1": in_mode("1", "png"),
    "L": in_mode("L", "jpg"),
    "LA": in_mode("LA", "png"),
    "P": in_mode("P", "gif"),
    "RGBA": in_mode("RGBA", "png"),
    "CMYK": in_mode("CMYK", "jpg"),
    "LAB": in_mode("LAB", "tiff"),
    "16 bits": ("sea/x.png", sixteen_bits, "I(;16)?, converted to RGB"),
    "size": (
        "sea/x.png",
        lambda path: PICTURE.crop((0, 0, 150, 76)).save(path),
        "150×76 pixels, not 150×150",
    ),
}


@pytest.mark.parametrize("name, spoil, what", KEPT.values(), ids=KEPT)
def test_what_is_odd_is_kept_and_listed(folder, name, spoil, what):
    spoil(folder / name)
    found, findings = pictures.read_classes(folder, size=(150, 150))
    assert found.counts == {"forest": 3, "sea": 4, "street": 3}
    (finding,) = findings
    assert finding.path == folder / name and finding.kept
    assert re.fullmatch(what, finding.what)
    picture, label = found[found.paths.index(folder / name)]
    assert (picture.mode, label) == ("RGB", 1)
    expected = np.asarray(PICTURE.crop((0, 0, *picture.size)), float)
    error = np.abs(np.asarray(picture).mean((0, 1)) - expected.mean((0, 1)))
    assert error.max() < 40, "another picture"


# What makes a set useless


def emptied(folder):
    for path in (folder / "sea").iterdir():
        path.unlink()


def spoiled(folder):
    for path in (folder / "sea").iterdir():
        cut(path, 0.5)


def one_left(folder):
    for name in ("forest", "sea"):
        shutil.rmtree(folder / name)


def wrapped(folder):
    inner = folder.rename(folder.with_name("inner"))
    folder.mkdir()
    inner.rename(folder / "inner")


def none_left(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def a_file(folder):
    shutil.rmtree(folder)
    folder.touch()


def forests(folder):
    (folder / "sea").rename(folder / "lake")


USELESS = {
    "missing": (shutil.rmtree, FileNotFoundError, "there is no folder .*set$"),
    "a file": (a_file, ValueError, "set is a file; expected a folder"),
    "nothing": (none_left, ValueError, "a folder for each class.*found none"),
    "one class": (one_left, ValueError, "two or more; found street"),
    "wrapped": (wrapped, ValueError, "did you mean .*set/inner"),
    "empty class": (emptied, ValueError, "set/sea has no picture that can be used$"),
    "spoiled class": (
        spoiled,
        ValueError,
        "set/sea has no .*; 3 left out, first set/sea/0.png: damaged",
    ),
}


@pytest.mark.parametrize("spoil, error, told", USELESS.values(), ids=USELESS)
def test_a_useless_set_says_why(folder, spoil, error, told):
    spoil(folder)
    for read in (pictures.read_classes, pictures.read_splits):
        with pytest.raises(error, match=told):
            read(folder)


def test_the_classes_must_be_the_ones_expected(folder):
    with pytest.raises(ValueError, match=r"Missing: lake; too many: sea, street$"):
        pictures.read_classes(folder, classes=("forest", "lake"))
    found, _ = pictures.read_classes(folder, classes=CLASSES[::-1])
    assert found.classes == CLASSES[::-1]
    assert [found.classes[label] for label in found.labels] == [
        path.parent.name for path in found.paths
    ]


def test_a_folder_that_may_not_be_listed(folder, monkeypatch):
    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", locked)
    with pytest.raises(ValueError, match="set cannot be listed: Permission denied"):
        pictures.read_classes(folder)


def test_a_flat_folder_needs_pictures(folder):
    with pytest.raises(ValueError, match=r"set has no picture that can be used$"):
        pictures.read_flat(folder)
    found, findings = pictures.read_flat(folder / "sea")
    assert (found.labels, found.classes, findings) == ((-1,) * 3, (), ())
    assert repr(found) == "Pictures(3: unlabelled)"


# Sets in parts

KAGGLE = {
    "train": "seg_train/seg_train",
    "test": "seg_test/seg_test",
    "unlabelled": "seg_pred/seg_pred",
}
LAYOUTS = {
    "nested": KAGGLE,
    "flat": {"train": "seg_train", "test": "seg_test", "unlabelled": "seg_pred"},
    "capitals": {"train": "Train", "test": "Test", "unlabelled": "Unlabeled"},
    "val": {"train": "training", "test": "val", "unlabelled": "pred"},
}


@pytest.fixture
def parts(tmp_path):
    """parts(names): a set of three pictures a class, two, and two unlabelled."""

    def build(names=KAGGLE):
        root = tmp_path / "parts"
        fill(root / names["train"])
        fill(root / names["test"], seeds=(10, 11))
        (root / names["unlabelled"]).mkdir(parents=True)
        for seed in (20, 21):
            drawn("sea", seed).save(root / names["unlabelled"] / f"{seed}.png")
        return root

    return build


@pytest.mark.parametrize("names", LAYOUTS.values(), ids=LAYOUTS)
def test_a_set_is_read_as_it_comes(parts, names):
    root = parts(names)
    train, test, unlabelled, findings = pictures.read_splits(root)
    assert (train.counts, test.counts) == (
        dict.fromkeys(CLASSES, 3),
        dict.fromkeys(CLASSES, 2),
    )
    assert len(unlabelled) == 2 and findings == ()
    for part, name in zip((train, test, unlabelled), names.values(), strict=True):
        assert all(path.is_relative_to(root / name) for path in part.paths)


def test_kaggles_nest_is_not_a_class(parts):
    nest = parts() / "seg_train"
    assert ImageFolder(nest).classes == ["seg_train"]  # the trap
    found, _ = pictures.read_classes(nest)
    assert found.classes == CLASSES
    (nest / ".DS_Store").touch()
    train, _, _, findings = pictures.read_splits(nest)
    assert train.classes == CLASSES
    assert [str(finding) for finding in findings] == [
        "parts/seg_train/.DS_Store: hidden, left out"
    ]
    alone, _ = pictures.read_flat(nest.with_name("seg_pred"))
    assert len(alone) == 2


def test_a_folder_of_classes_is_all_for_training(folder):
    (folder / "sea").rename(folder / "train")  # a class may be called so
    train, *others = pictures.read_splits(folder)
    assert train.counts == {"forest": 3, "street": 3, "train": 3}
    assert others == [None, None, ()]


def test_what_is_no_part_is_listed(parts):
    root = parts({"train": "train", "test": "test", "unlabelled": "pred"})
    fill(root / "val")
    (root / "notes.txt").touch()
    (root / ".git").mkdir()
    *_, findings = pictures.read_splits(root)
    assert {finding.path.name: finding.what for finding in findings} == {
        ".git": "hidden",
        "notes.txt": "a file beside the parts",
        "val": "not a part that is read",
    }


NEEDED = {
    "no train": ("seg_train", r"no train pictures: .*train or .*found seg_pred, seg_t"),
    "no test": ("seg_test", r"no test pictures: .* seg_test or .*found seg_pred, seg_"),
    "no unlabelled": ("seg_pred", r"no unlabelled pictures: .*found seg_test, seg_tra"),
}


@pytest.mark.parametrize("name, told", NEEDED.values(), ids=NEEDED)
def test_a_part_that_is_needed(parts, name, told):
    root = parts()
    shutil.rmtree(root / name)
    with pytest.raises(ValueError, match=told):
        pictures.read_splits(root, needs=("train", "test", "unlabelled"))


def test_training_pictures_are_always_needed(parts):
    root = parts()
    shutil.rmtree(root / "seg_train")
    with pytest.raises(ValueError, match="no train pictures"):
        pictures.read_splits(root, needs=("test",))


def test_the_parts_must_have_the_same_classes(parts):
    root = parts()
    (root / KAGGLE["test"] / "sea").rename(root / KAGGLE["test"] / "lake")
    with pytest.raises(ValueError, match=r"seg_test must .*: sea; too many: lake"):
        pictures.read_splits(root)


@pytest.mark.parametrize("label", ("sea", "street"))
def test_what_is_tested_is_not_trained_on(parts, label):
    root = parts()
    source = root / KAGGLE["test"] / "sea" / "10.png"
    leak = root / KAGGLE["train"] / label / "x.png"
    PICTURE.convert("L").save(source)
    shutil.copy(source, leak)
    train, test, _, findings = pictures.read_splits(root)
    assert train.counts == dict.fromkeys(CLASSES, 3)
    assert source in test.paths
    assert pictures.Finding(leak, "in test too, as sea/10.png", False) in findings
    # said once of each: left out of train, converted in test
    assert sorted(finding.path for finding in findings) == sorted((source, leak))


def test_a_class_of_nothing_but_leaks(parts):
    root = parts()
    shutil.rmtree(root / KAGGLE["train"] / "sea")
    shutil.copytree(root / KAGGLE["test"] / "sea", root / KAGGLE["train"] / "sea")
    told = "seg_train/sea has no .*2 left out, first seg_train/sea/10.png: in test too"
    with pytest.raises(ValueError, match=told):
        pictures.read_splits(root)


# Pictures


@pytest.fixture(scope="module")
def many():
    """Pictures without files: 100, 10 and 3 of three classes, mixed."""
    labels = np.repeat((0, 1, 2), (100, 10, 3))
    labels = tuple(np.random.default_rng(0).permutation(labels).tolist())
    names = tuple(f"{i:03}" for i in range(len(labels)))
    return pictures.Pictures(names, labels, CLASSES, names)


@pytest.mark.parametrize("share", (0.01, 0.2, 0.5, 0.99))
def test_a_split_has_its_share_of_each_class(many, share):
    rest, part = many.split(share, seed=1)
    assert sorted(rest.paths + part.paths) == list(many.paths)
    for name, count in many.counts.items():
        assert 1 <= part.counts[name] <= count - 1
        assert abs(part.counts[name] - share * count) <= 1
    for half in (rest, part):
        assert list(half.paths) == sorted(half.paths) == list(half.sha256)
        assert half.labels == tuple(many.labels[int(path)] for path in half.paths)
    assert many.split(share, seed=1)[1].paths == part.paths
    assert many.split(share, seed=2)[1].paths != part.paths


def test_a_sample_has_as_many_of_each_class(many):
    sample = many.sample(3, seed=1)
    assert sample.counts == dict.fromkeys(CLASSES, 3)
    assert many.sample(3, seed=1).paths == sample.paths
    assert many.sample(3, seed=2).paths != sample.paths
    assert repr(sample) == "Pictures(9: forest 3, sea 3, street 3)"


def test_what_cannot_be_drawn_is_refused(many):
    with pytest.raises(ValueError, match=r"4 a class are more than .*street 3\)"):
        many.sample(4)
    for few in (0, -1):
        with pytest.raises(ValueError, match=f"per_class must be 1 or more; got {few}"):
            many.sample(few)
    for share in (0, 1, -0.1, float("nan")):
        with pytest.raises(ValueError, match="share must be between 0 and 1; got"):
            many.split(share)
    with pytest.raises(ValueError, match="a class with one picture cannot be split"):
        many.subset([many.labels.index(0)]).split(0.5)


def test_workers_can_load_them(clean):
    found, _ = pictures.read_classes(clean)
    loader = DataLoader(found, batch_size=4, num_workers=1, collate_fn=list)
    loaded = [pair for batch in loader for pair in batch]
    assert [label for _, label in loaded] == [0] * 3 + [1] * 3 + [2] * 3
    expected = painting.draw("forest", 0)
    assert np.array_equal(loaded[0][0], expected)


# One picture


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    return exif


def test_a_picture_stands_upright(tmp_path):
    path = tmp_path / "turned.png"
    wide = PICTURE.crop((0, 0, 150, 76))
    wide.save(path, exif=turned())
    opened = pictures.open_picture(path)
    assert np.array_equal(opened, np.rot90(wide, -1))


def test_sixteen_bits_keep_their_shades(tmp_path):
    sixteen_bits(tmp_path / "deep.png")
    opened = pictures.open_picture(tmp_path / "deep.png")
    assert np.array_equal(opened, PICTURE.convert("L").convert("RGB"))


@pytest.mark.parametrize("mode", ("RGBA", "LA", "P"))
def test_what_is_transparent_is_white(tmp_path, mode):
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear.paste((90, 90, 90, 255), (0, 0, 4, 8))
    clear.convert(mode).save(tmp_path / "clear.png")
    opened = pictures.open_picture(tmp_path / "clear.png")
    assert opened.getpixel((6, 1)) == (255, 255, 255)
    assert opened.getpixel((1, 1)) == (90, 90, 90)


def test_a_picture_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.jpg"):
        pictures.open_picture(tmp_path / "nothing.jpg")
    for name, spoil, what in LEFT_OUT.values():
        path = tmp_path / Path(name).name
        if re.match("empty|not a picture|damaged|too large", what):
            spoil(path)
            with pytest.raises(ValueError, match=rf"{path.name} is ({what})"):
                pictures.open_picture(path)


# The real set


@pytest.mark.skipif("MBTOOLS_SCENES" not in os.environ, reason="it is not set")
def test_the_real_sets_faults_are_found():
    root = Path(os.environ["MBTOOLS_SCENES"]).expanduser()
    train, test, _, findings = pictures.read_splits(root)
    places = {}
    for path in sorted(root.rglob("*.jpg")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        places.setdefault(digest, []).append(path.relative_to(root).parts)
    expected = set()
    for same in places.values():
        trained = [place for place in same if place[0] == "seg_train"]
        tested = [place for place in same if place[0] == "seg_test"]
        for part, leaked in ((trained, bool(tested)), (tested, False)):
            doubted = len({place[-2] for place in part}) > 1
            expected.update(part if doubted or leaked else part[1:])
    lost = {
        finding.path.relative_to(root).parts
        for finding in findings
        if not finding.kept and finding.path.parts[-2] in train.classes
    }
    assert lost == expected and lost
    counted = [part for paths in places.values() for part in paths]
    for part, name in ((train, "seg_train"), (test, "seg_test")):
        files = sum(place[0] == name for place in counted)
        assert len(part) == files - sum(place[0] == name for place in expected)
