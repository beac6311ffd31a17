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
DRAWN = 200  # pictures in it, at most: a larger one is no picture any more


def main(arguments=None):
    """Run the command; returns 0, 1 if something is bad, 130 if interrupted."""
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
        files = _files(options.pictures)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["path", "class", "confidence"])
        answers, bad = [], False
        for path, name, sure, problem in predict(net, classes, recipe, files):
            if problem:
                bad = True
                print(f"Left out: {problem}", file=sys.stderr)
            else:
                writer.writerow([path, name, f"{sure:.4f}"])
                answers.append((path, name, sure))
        if options.grid:
            _draw(answers[:DRAWN], options.grid)
            if len(answers) > DRAWN:
                print(f"The grid shows the first {DRAWN}", file=sys.stderr)
    except (OSError, ValueError) as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the answers above are whole", file=sys.stderr)
        return 130  # what a shell expects
    return 1 if bad else 0


def predict(net, classes, recipe, paths):
    """Yields (path, class, confidence, None) of each file, as it is read.

    Of one that is no whole picture: (path, None, None, what is wrong with it).
    """
    view = training.plain_view(recipe)
    for path in paths:
        try:
            picture = pictures.open_picture(path)
        except (OSError, ValueError) as error:
            yield path, None, None, str(error)
            continue
        with torch.inference_mode():
            inputs = view(picture)[None].to(training.accelerator().device)
            sure, label = net(inputs).softmax(1)[0].max(0)
        yield path, classes[label], sure.item(), None


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
