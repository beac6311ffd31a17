"""What a fine-tuned net says about pictures, from the command line.

    python -m mbtools.predict RUN/best.pt PICTURES… > answers.csv

PICTURES are files, or folders whose files are taken.
"""

import argparse
import csv
import sys
from math import ceil
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from . import pictures, training

COLUMNS = 4  # of the grid


def main(arguments=None):
    """Run the command; returns 0, or 1 if a picture or the checkpoint is bad."""
    parser = argparse.ArgumentParser(
        prog="python -m mbtools.predict",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--grid", type=Path, help="also draw them into this file")
    options = parser.parse_args(arguments)
    try:
        net, classes, recipe = training.load(options.checkpoint)
        answers, bad = predict(net, classes, recipe, _files(options.pictures))
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["path", "class", "confidence"])
        writer.writerows((path, name, f"{sure:.4f}") for path, name, sure in answers)
        for problem in bad:
            print(f"Left out: {problem}", file=sys.stderr)
        if options.grid:
            _draw(answers, options.grid)
    except (OSError, ValueError) as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 1
    return 1 if bad else 0


def predict(net, classes, recipe, paths):
    """([(path, class, confidence)], [what is wrong with a picture]) of files."""
    view = training.plain_view(recipe)
    answers, bad = [], []
    for path in paths:
        try:
            picture = pictures.open_picture(path)
        except (OSError, ValueError) as error:
            bad.append(str(error))
            continue
        with torch.inference_mode():
            inputs = view(picture)[None].to(training.accelerator().device)
            sure, label = net(inputs).softmax(1)[0].max(0)
        answers.append((path, classes[label], sure.item()))
    return answers, bad


def _files(paths):
    """Files as they are, and the visible files of folders."""
    files = []
    for path in paths:
        if path.is_dir():
            inside = [x for x in path.iterdir() if x.is_file()]
            files += sorted(x for x in inside if not x.name.startswith("."))
        else:
            files.append(path)
    if not files:
        raise ValueError(f"there is no file in {', '.join(map(str, paths))}")
    return files


def _draw(answers, path):
    rows = max(1, ceil(len(answers) / COLUMNS))
    fig, axes = plt.subplots(
        rows, COLUMNS, figsize=(2.2 * COLUMNS, 2.5 * rows), squeeze=False
    )
    for ax in axes.flat:
        ax.axis("off")
    for ax, (file, name, sure) in zip(axes.flat, answers, strict=False):
        ax.imshow(pictures.open_picture(file))
        ax.set_title(f"{name}, {sure:.0%}", fontsize=10)
    fig.savefig(path, bbox_inches="tight")
    plt.close(fig)


if __name__ == "__main__":
    sys.exit(main())
