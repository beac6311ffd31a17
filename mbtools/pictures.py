"""Folders of pictures: found, checked one by one, split.

Public sets are seldom clean: files cut off, the same file under two labels, or
in both the training and the test set. What cannot be used is left out and
listed; it never stops the reading. What makes a set useless raises.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torch.utils.data import Dataset
from tqdm import tqdm  # not tqdm.auto: TQDM_DISABLE cannot silence that
from tqdm.contrib.concurrent import thread_map

# names that the parts of a set go by, in small letters
SPLITS = {
    "train": ("train", "training", "seg_train"),
    "test": ("test", "testing", "seg_test", "val", "valid", "validation"),
    "unlabelled": ("unlabelled", "unlabeled", "pred", "seg_pred"),
}
UNKNOWN = -1  # the label of a picture without one


@dataclass(frozen=True)
class Finding:
    """What a check found in a file or folder; kept: it is used all the same."""

    path: Path
    what: str
    kept: bool

    def __str__(self):
        place = "/".join(self.path.parts[-3:])
        return f"{place}: {self.what}, {'kept' if self.kept else 'left out'}"


@dataclass(frozen=True, repr=False, eq=False)
class Pictures(Dataset):
    """Pictures in files. ``pictures[i]`` is (PIL picture in RGB, upright; label).

    paths, labels, sha256 (of the files): tuples of one length. A label is an
    index into ``classes``, a tuple of names, or -1 where it is unknown.
    """

    paths: tuple
    labels: tuple
    classes: tuple
    sha256: tuple

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return open_picture(self.paths[index]), self.labels[index]

    def __repr__(self):
        counts = [f"{name} {n}" for name, n in self.counts.items()]
        return f"Pictures({len(self)}: {', '.join(counts) or 'unlabelled'})"

    @property
    def counts(self):
        """Pictures of each class: {name: number}."""
        return {name: self.labels.count(i) for i, name in enumerate(self.classes)}

    def subset(self, indices):
        """The pictures at these indices, in their order."""
        paths, labels, sha256 = (
            tuple(column[i] for i in indices)
            for column in (self.paths, self.labels, self.sha256)
        )
        return Pictures(paths, labels, self.classes, sha256)

    def sample(self, per_class, seed=0):
        """So many pictures of each class (or of the unlabelled), by chance.

        Raises ValueError if a class has fewer, or per_class is below 1.
        """
        if per_class < 1:
            raise ValueError(f"per_class must be 1 or more; got {per_class}")
        return self.subset(self._draw(lambda count: per_class, seed))

    def split(self, share, seed=0):
        """(rest, part): part has this share of each class, rest the others.

        Both keep the order. Each gets at least one picture of each class.

        Raises ValueError if share is not between 0 and 1, or a class has a
        single picture.
        """
        if not 0 < share < 1:
            raise ValueError(f"share must be between 0 and 1; got {share}")
        if 1 in self.counts.values():
            raise ValueError(f"a class with one picture cannot be split: {self}")
        part = self._draw(lambda n: min(max(round(n * share), 1), n - 1), seed)
        rest = sorted(set(range(len(self))) - set(part))
        return self.subset(rest), self.subset(part)

    def _draw(self, how_many, seed):
        rng = np.random.default_rng(seed)
        drawn = []
        for label in sorted(set(self.labels)):
            members = [i for i, own in enumerate(self.labels) if own == label]
            wanted = how_many(len(members))
            if wanted > len(members):
                raise ValueError(f"{wanted} a class are more than there are: {self}")
            drawn.extend(rng.permutation(members)[:wanted].tolist())
        return sorted(drawn)


def open_picture(path):
    """An RGB picture, upright as the camera's note (EXIF) says.

    Greys, palettes and CMYK become RGB, 16 bits become 8, and what is
    transparent becomes white.

    Raises OSError if the file cannot be read (FileNotFoundError if there is
    none), ValueError if it is no picture, is damaged, or is too large for Pillow.
    """
    with open(path, "rb") as file:
        try:
            return _decode(file)[0]
        except ValueError as error:
            raise ValueError(f"{path} is {error}") from error


def read_classes(folder, classes=None, size=None):
    """The pictures of a folder with a folder for each class: (Pictures, findings).

    A folder that holds only one of its own name, as Kaggle packs them, is
    entered.
    classes: the names that must be there; without it those found, sorted.
    size: (width, height) that all should have; others are kept and listed.

    Raises FileNotFoundError if there is no folder, ValueError if it has fewer
    than two classes, other classes than it must, or a class without pictures.
    """
    folder, stray, folders, findings = _list(folder)
    findings += [Finding(path, "a file beside the classes", False) for path in stray]
    found = {path.name: path for path in folders}
    if classes is None:
        classes = tuple(found)
        _refuse_few(folder, folders)
    elif set(classes) != set(found):
        missing = ", ".join(sorted(set(classes) - set(found))) or "none"
        extra = ", ".join(sorted(set(found) - set(classes))) or "none"
        raise ValueError(
            f"{folder} must have one folder for each class: {', '.join(classes)}. "
            f"Missing: {missing}; too many: {extra}"
        )
    paths, labels = [], []
    for label, name in enumerate(classes):
        _, files, nested, hidden = _list(found[name], enter=False)
        findings += hidden
        findings += [Finding(path, "a folder inside a class", False) for path in nested]
        paths += files
        labels += [label] * len(files)
    pictures, checked = _check(folder, paths, labels, tuple(classes), size)
    return pictures, _in_order(findings + checked)


def read_flat(folder, size=None):
    """The pictures that lie in a folder, without labels: (Pictures, findings).

    folder, size: as for ``read_classes``.

    Raises FileNotFoundError if there is no folder, ValueError if it has no
    picture.
    """
    folder, files, folders, findings = _list(folder)
    findings += [Finding(path, "a folder beside pictures", False) for path in folders]
    pictures, checked = _check(folder, files, [UNKNOWN] * len(files), (), size)
    return pictures, _in_order(findings + checked)


def read_splits(folder, classes=None, size=None, needs=("train",)):
    """A set as it comes: (train, test, unlabelled, findings).

    Either train/ with a folder for each class, and beside it test/ or val/ with
    the same classes, and unlabelled/ (SPLITS has more names, Kaggle's too); or a
    folder for each class, which are all for training. Where there are test/ and
    val/, val/ is not read: pictures to choose a net by are cut from train. What
    is in test is left out of train. A part that is not there is None.

    classes, size: as for ``read_classes``.
    needs: the parts that must be there, of "train" (which always must), "test",
        "unlabelled".

    Raises FileNotFoundError if there is no folder, ValueError if a part that it
    needs is not there, or as ``read_classes`` does.
    """
    root, stray, folders, findings = _list(folder)
    parts = {
        part: next(
            (f for name in names for f in folders if f.name.lower() == name), None
        )
        for part, names in SPLITS.items()
    }
    # a class may be called train: then pictures lie in it, and no folders
    if any(parts[part] and _list(parts[part])[2] for part in ("train", "test")):
        others = [path for path in folders if path not in parts.values()]
        findings += [Finding(path, "not a part that is read", False) for path in others]
        findings += [Finding(path, "a file beside the parts", False) for path in stray]
    else:
        parts, findings = {"train": folder, "test": None, "unlabelled": None}, []
    for part in ("train", *needs):
        if parts[part] is None:
            names = ", ".join(path.name for path in folders) or "no folder"
            raise ValueError(
                f"{root} has no {part} pictures: expected a folder called "
                f"{' or '.join(SPLITS[part])}; found {names}"
            )
    train, found = read_classes(parts["train"], classes, size)
    test = unlabelled = None
    if parts["test"]:
        test, more = read_classes(parts["test"], train.classes, size)
        train, found = _without_leaks(train, found, test)
        found += more
    if parts["unlabelled"]:
        unlabelled, more = read_flat(parts["unlabelled"], size)
        found += more
    return train, test, unlabelled, tuple(findings) + found


def _list(folder, enter=True):
    """(folder, files in it, folders in it, findings about the rest), sorted.

    enter: as long as a folder holds nothing but one of its own name, list that.
    """
    folder = Path(folder).expanduser().absolute()
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {folder}")
    if not folder.is_dir():
        raise ValueError(f"{folder} is a file; expected a folder of pictures")
    files, folders, findings = [], [], []
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise ValueError(f"{folder} cannot be listed: {error.strerror}") from error
    for path in inside:
        if path.name.startswith((".", "__")):  # .DS_Store, __MACOSX, …
            findings.append(Finding(path, "hidden", False))
        elif path.is_file():
            files.append(path)
        elif not path.is_dir():
            findings.append(Finding(path, "neither a file nor a folder", False))
        elif folder.resolve().is_relative_to(path.resolve()):
            findings.append(Finding(path, "a link back to where it lies", False))
        else:
            folders.append(path)
    if enter and not files and [path.name for path in folders] == [folder.name]:
        inner, files, folders, more = _list(folders[0])
        return inner, files, folders, findings + more
    return folder, files, folders, findings


def _refuse_few(folder, folders):
    if len(folders) == 1 and _list(folders[0])[2]:
        raise ValueError(
            f"{folder} has a single folder, and that has folders too: did you mean "
            f"{_list(folders[0])[0]}?"
        )
    if len(folders) < 2:
        names = ", ".join(path.name for path in folders) or "none"
        raise ValueError(
            f"{folder} must have a folder for each class, two or more; found {names}"
        )


def _check(folder, paths, labels, classes, size):
    """Pictures of the files that can be used, and findings about the others."""
    bar = {"tqdm_class": tqdm, "desc": folder.name, "unit": "picture", "leave": False}
    looks = thread_map(partial(_look, size=size), paths, **bar)
    findings = [finding for digest, notes in looks if not digest for finding in notes]
    same = defaultdict(list)
    for i, (digest, _) in enumerate(looks):
        if digest:
            same[digest].append(i)
    kept = []
    for first, *copies in same.values():
        names = sorted({classes[labels[i]] for i in (first, *copies) if classes})
        if len(names) > 1:  # nobody knows which is right
            what = f"the same file is under {' and '.join(names)}"
            copies = [first, *copies]
        else:
            what = f"the same file as {paths[first].name}"
            kept.append(first)
            findings += looks[first][1]
        findings += [Finding(paths[i], what, False) for i in copies]
    everything = Pictures(
        tuple(paths), tuple(labels), classes, tuple(digest for digest, _ in looks)
    )
    pictures = everything.subset(kept)
    _refuse_empty(folder, pictures, findings)
    return pictures, findings


def _look(path, size):
    """(sha256 of the file, findings); None for a file that cannot be used."""
    try:
        with path.open("rb") as file:
            picture, mode = _decode(file)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except ValueError as error:
        return None, [Finding(path, str(error), False)]
    except OSError as error:
        return None, [Finding(path, f"cannot be read: {error.strerror}", False)]
    findings = []
    if mode != "RGB":
        findings.append(Finding(path, f"{mode}, converted to RGB", True))
    if size and picture.size != size:
        what = "{}×{} pixels, not {}×{}".format(*picture.size, *size)
        findings.append(Finding(path, what, True))
    return digest, findings


def _decode(file):
    """(RGB picture, upright; the mode that it had in the file).

    Raises ValueError with words that go on after "the file is".
    """
    if not file.peek(1):
        raise ValueError("empty")
    try:
        with Image.open(file) as picture:
            return _rgb(ImageOps.exif_transpose(picture)), picture.mode
    except UnidentifiedImageError as error:
        raise ValueError("not a picture that Pillow can read") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"too large: {error}") from error
    except Exception as error:  # altered bytes make Pillow raise errors of any kind
        raise ValueError(f"damaged: {error}") from error


def _rgb(picture):
    if picture.mode == "RGB":
        return picture
    if picture.mode == "F":
        raise ValueError("its pixels are fractions, of a scale that is not known")
    if picture.mode.startswith("I"):  # 16 bits, of which Pillow would cut off 8
        levels = np.asarray(picture).clip(0, 65535) // 256
        picture = Image.fromarray(levels.astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def _refuse_empty(folder, pictures, findings):
    """folder: of the whole set; its classes are the folders in it."""
    counts = pictures.counts or {"": len(pictures)}
    for name, count in counts.items():
        if not count:
            place = folder / name
            lost = [f for f in findings if f.path.parent == place and not f.kept]
            why = f"; {len(lost)} left out, first {lost[0]}" if lost else ""
            raise ValueError(f"{place} has no picture that can be used{why}")


def _without_leaks(train, findings, test):
    """train without the pictures that test has, and the findings after that."""
    place = {digest: path for digest, path in zip(test.sha256, test.paths, strict=True)}
    leaked = {
        path: Finding(
            path, "in test too, as " + "/".join(place[digest].parts[-2:]), False
        )
        for path, digest in zip(train.paths, train.sha256, strict=True)
        if digest in place
    }
    kept = [i for i, path in enumerate(train.paths) if path not in leaked]
    pictures = train.subset(kept)
    others = [finding for finding in findings if finding.path not in leaked]
    findings = _in_order([*others, *leaked.values()])
    _refuse_empty(train.paths[0].parent.parent, pictures, findings)
    return pictures, findings


def _in_order(findings):
    return tuple(sorted(findings, key=lambda finding: finding.path))
