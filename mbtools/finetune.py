"""Fine-tune a MobileNet V2 on your own pictures, from the command line.

    python -m mbtools.finetune --data PICTURES --out RUN

PICTURES has a folder for each class; or train/ and test/ with one for each
class; or is the Intel scenes as Kaggle packs them. RUN gets best.pt, last.pt
and history.csv. On several processes or GPUs:

    accelerate launch -m mbtools.finetune --data PICTURES --out RUN
"""

import argparse
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from . import pictures, training

INTERRUPTED = 130  # what a shell expects of a program that was interrupted
SHOWN = 20  # findings; a set of thousands can have hundreds

# what the command line can change of the recipe, and what it says there
OPTIONS = {
    "epochs": "passes over the training pictures",
    "resolution": "pixels a side while training",
    "zoom": "how much larger pictures are in use than while training",
    "alpha": "width of the net; ones but 1 need --from-scratch",
    "batch_size": "pictures a step, of all processes together",
    "lr": "highest learning rate of the pretrained part",
    "head_lr": "highest learning rate of the last layer",
    "seed": "of all that is random",
}


def main(arguments=None):
    """Run the command; returns its exit code (0, 1, or 130 if interrupted)."""
    options = _parser().parse_args(arguments)
    try:
        return _finetune(options)
    except (OSError, ValueError) as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before training, or for the second time
        print("Interrupted; what stands in --out is untouched", file=sys.stderr)
        return INTERRUPTED


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m mbtools.finetune",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="the pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in --out"
    )
    defaults = training.Recipe()
    for name, text in OPTIONS.items():
        default = getattr(defaults, name)
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=type(default),
            help=f"{text} (default {default:g})",
        )
    parser.add_argument(
        "--from-scratch", action="store_true", help="start without ImageNet weights"
    )
    parser.add_argument(
        "--validation",
        type=float,
        default=0.15,
        metavar="SHARE",
        help="of the training pictures, to choose the best epoch by (default 0.15)",
    )
    parser.add_argument(
        "--workers", type=int, default=0, help="processes that read pictures"
    )
    return parser


def _recipe(options):
    """The run's own recipe if it is resumed, else the best; as the options say."""
    given = {name: getattr(options, name) for name in OPTIONS}
    given = {name: value for name, value in given.items() if value is not None}
    if options.from_scratch:
        given["pretrained"] = False
    last = options.out / "last.pt"
    if options.resume:
        return replace(
            training.Recipe(**training.read_checkpoint(last)["recipe"]), **given
        )
    if last.exists():
        raise ValueError(
            f"{last} exists: --resume goes on with it, another --out begins anew"
        )
    return training.Recipe(**given)


def _finetune(options):
    say = training.accelerator().print  # the first process alone
    recipe = _recipe(options)
    train, test, _, findings = pictures.read_splits(options.data)
    for finding in findings[:SHOWN]:
        say(finding)
    if len(findings) > SHOWN:
        say(f"… and {len(findings) - SHOWN} more findings")
    rest, validation = train.split(options.validation, recipe.seed)
    say(f"To train on: {rest}\nTo choose by: {validation}\nTo test on: {test}")

    run = training.Run(rest, recipe, validation, options.out, options.workers)
    if options.resume:
        run.resume()
        say(f"Resumed after epoch {run.epoch}, step {run.step}")
    with _asked_to_stop() as asked:
        done = run.train(stop=asked, report=lambda row: say(_line(row)))
    if not done:
        say(
            f"Interrupted in epoch {run.epoch + 1}, step {run.step}; nothing is lost: "
            f"the same command with --resume goes on from there"
        )
        return INTERRUPTED

    say(f"{options.out / 'best.pt'} is epoch {run.best['epoch']}")
    if test is None:
        say(
            "There are no test pictures, so nobody knows how good it is on new ones: "
            "the validation pictures chose the epoch, which flatters it"
        )
        return 0
    net, _, recipe = training.load(options.out / "best.pt")
    logits, labels = training.evaluate(net, test, recipe, options.workers)
    right = int((logits.argmax(1) == labels).sum())
    low, high = training.interval(right, len(labels))
    say(
        f"Test: {right} of {len(labels)} right, {right / len(labels):.1%} "
        f"(95 % interval {low:.1%} to {high:.1%})"
    )
    return 0


@contextmanager
def _asked_to_stop():
    """A function that says whether Ctrl-C, or a polite kill, came meanwhile.

    Whoever asks again, later than a second after that, is not made to wait.
    """
    asked = []

    def ask(number, frame):
        asked.append(time.monotonic())
        # accelerate's launcher passes on at once what all have heard already
        if asked[-1] > asked[0] + 1:
            raise KeyboardInterrupt

    before = {
        number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _line(row):
    return (
        f"epoch {row['epoch']}: training loss {row['train_loss']:.3f}, validation "
        f"{row['validation_accuracy']:.1%}, {row['seconds']:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
