"""The commands finetune and predict: as they are typed, killed and misused."""

import csv
import io
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from shutil import copytree

import pytest
import torch
from helpers import CLASSES, draw, seal
from PIL import Image

from mbtools import finetune, painting, pictures, predict, training

ROOT = Path(__file__).parent.parent
QUICK = ["--from-scratch", "--alpha=0.35", "--resolution=32", "--zoom=1"]
QUICK += ["--batch-size=8", "--epochs=4", "--head-lr=0.01"]
# a subprocess must sum in the same order as we do: on one thread, on the CPU
QUIET = os.environ | {
    "ACCELERATE_USE_CPU": "true",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(ROOT),
    "TQDM_DISABLE": "1",
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def command(capsys):
    """command(main, argument, …): the exit code, and what was printed."""

    def run(main, *arguments):
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err.rpartition("\r")[2]  # after the progress bars

    return run


def rows(out):
    """history.csv without its times."""
    with (out / "history.csv").open() as file:
        return [row for row in csv.reader(file) if row.pop() or True]


def weights(path):
    return torch.cat(
        [x.flatten() for x in training.load(path)[0].state_dict().values()]
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """30 pictures to train on and 9 to test on: uneven shares for two processes."""
    folder = tmp_path_factory.mktemp("data")
    draw(folder / "train")
    draw(folder / "test", range(100, 103))
    return folder


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A run that was left alone, of 4 epochs of 3 steps, and what it printed."""
    out = tmp_path_factory.mktemp("finished")
    with redirect_stdout(io.StringIO()) as said:
        assert finetune.main(typed(data, out)) == 0
    return out, said.getvalue()


def typed(data, out):
    return ["--data", str(data), "--out", str(out), *QUICK]


def assert_finished(out, finished):
    """A run is, to the bit, the one that was left alone."""
    assert rows(out) == rows(finished[0])
    for name in ("best.pt", "last.pt"):
        assert torch.equal(weights(out / name), weights(finished[0] / name))


# As it should go


def test_what_it_says(data, finished):
    out, said = finished
    lines = said.splitlines()
    assert lines[0] == "To train on: Pictures(24: forest 8, sea 8, street 8)"
    assert lines[1] == "To choose by: Pictures(6: forest 2, sea 2, street 2)"
    assert lines[2] == "To test on: Pictures(9: forest 3, sea 3, street 3)"
    assert [line.split(":")[0] for line in lines[3:8]] == [
        f"epoch {epoch}" for epoch in range(5)
    ]
    history = list(csv.DictReader((out / "history.csv").open()))
    best = max(
        history,
        key=lambda x: (float(x["validation_accuracy"]), -float(x["validation_loss"])),
    )
    assert lines[8] == f"{out / 'best.pt'} is epoch {best['epoch']}"
    net, _, recipe = training.load(out / "best.pt")
    test, _ = pictures.read_classes(data / "test")
    logits, labels = training.evaluate(net, test, recipe)
    right = int((logits.argmax(1) == labels).sum())
    assert lines[9].startswith(f"Test: {right} of 9 right, {right / 9:.1%} (95 %")


def test_the_help_has_every_option(command):
    code, out, _ = command(finetune.main, "--help")
    assert code == 0
    for option in ("--data", "--out", "--resume", "--validation", "--workers"):
        assert option in out
    for name in finetune.OPTIONS:
        assert f"--{name.replace('_', '-')} " in out
        assert f"(default {getattr(training.Recipe(), name):g})" in " ".join(
            out.split()
        )


# Killed, interrupted, out of room


def test_a_killed_run_resumed_is_the_run_that_was_left_alone(
    data, finished, tmp_path, command
):
    out = tmp_path / "run"
    delay = random.uniform(0, 0.3)
    line = [sys.executable, "-m", "mbtools.finetune", *typed(data, out)]
    with subprocess.Popen(line, env=QUIET, stdout=subprocess.PIPE) as run:
        for line in run.stdout:
            if line.startswith(b"epoch 0"):  # last.pt is there
                break
        time.sleep(delay)
        run.kill()
    assert run.returncode == -signal.SIGKILL, f"too late, after {delay} s"
    assert len(rows(out)) < len(rows(finished[0]))
    # the recipe is in the file: no option is needed
    code, said, _ = command(finetune.main, "--data", data, "--out", out, "--resume")
    assert code == 0, f"killed after {delay} s"
    assert "Resumed after epoch" in said
    assert_finished(out, finished)


@pytest.fixture
def reads(monkeypatch):
    """reads(n, act): act() when the n-th picture is read for a net."""

    def set_up(number, act):
        seen = []

        def open_picture(path):
            seen.append(path)
            if len(seen) == number:
                act()
            return own(path)

        monkeypatch.setattr(pictures, "open_picture", open_picture)

    own = pictures.open_picture
    yield set_up


# 24 pictures for the last layer, 6 to judge it; then 24 of epoch 1, 6 to judge it
@pytest.mark.parametrize(
    "number, read, epoch",
    (
        (signal.SIGINT, 10, 1),
        (signal.SIGTERM, 24 + 6 + 9, 1),
        (signal.SIGINT, 24 + 6 + 24 + 6 + 20, 2),
    ),
)
def test_an_interrupted_run_loses_nothing(
    data, finished, tmp_path, command, reads, number, read, epoch
):
    before = signal.getsignal(number)
    reads(read, lambda: signal.raise_signal(number))
    code, out, err = command(finetune.main, *typed(data, tmp_path))
    assert code == finetune.INTERRUPTED == 130
    assert f"Interrupted in epoch {epoch}, step " in out and "--resume" in out
    assert signal.getsignal(number) == before
    code, out, err = command(
        finetune.main, "--data", data, "--out", tmp_path, "--resume"
    )
    assert (code, err) == (0, "")
    assert_finished(tmp_path, finished)


@pytest.mark.parametrize("pause, step", ((0, 1), (1.1, 0)))
def test_who_asks_again_does_not_wait(data, tmp_path, command, reads, pause, step):
    def twice():
        signal.raise_signal(signal.SIGINT)
        time.sleep(pause)  # accelerate's launcher repeats it at once
        signal.raise_signal(signal.SIGINT)

    reads(24 + 6 + 9, twice)
    code, out, err = command(finetune.main, *typed(data, tmp_path))
    assert code == 130
    assert "nothing is lost" in out if step else "untouched" in err
    state = training.read_checkpoint(tmp_path / "last.pt")
    assert (state["epoch"], state["step"]) == (0, step)


def test_interrupted_before_it_trains(data, tmp_path, command, monkeypatch):
    def interrupted(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(pictures, "read_splits", interrupted)
    code, _, err = command(finetune.main, *typed(data, tmp_path / "out"))
    assert code == 130 and "untouched" in err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def limit():
    """limit(bytes): from now on no file can be larger, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def set_limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield set_limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_no_earlier_checkpoint(
    data, finished, tmp_path, command, limit
):
    # after epoch 1 the optimizer's averages make the file three times as large
    limit(3_000_000)
    code, _, err = command(finetune.main, *typed(data, tmp_path))
    assert code == 1
    assert "cannot write" in err and "File too large" in err
    assert "What was written before is untouched: mend that, then resume" in err
    assert {path.name for path in tmp_path.iterdir()} == {
        "best.pt",
        "last.pt",
        "history.csv",
    }
    for name in ("best.pt", "last.pt"):
        assert training.read_checkpoint(tmp_path / name)["epoch"] == 0
        training.load(tmp_path / name)
    limit(resource.RLIM_INFINITY)
    assert command(finetune.main, *typed(data, tmp_path), "--resume")[0] == 0
    assert_finished(tmp_path, finished)


def test_where_to_write_is_tried_before_the_work(data, tmp_path, command, reads):
    reads(1, lambda: pytest.fail("it worked for nothing"))
    (tmp_path / "run").touch()
    code, _, err = command(finetune.main, *typed(data, tmp_path / "run"))
    assert code == 1 and "cannot write " in err


# Misused: (more arguments; what spoils the set or the run; exit code, what is said)


def spoilt(state):
    """A way to spoil a run: its last.pt holds something else."""

    def spoil(data, out):
        path = out / "last.pt"
        path.write_bytes(state(path.read_bytes()))

    return spoil


def flip(place):
    return spoilt(lambda x: x[:place] + bytes([x[place] ^ 1]) + x[place + 1 :])


def another_net(data, out):
    torch.save(training.build(3, training.Recipe()).state_dict(), out / "last.pt")


def no_optimizer(data, out):
    state = training.read_checkpoint(out / "last.pt")
    del state["optimizer"]
    torch.save(state, out / "last.pt")


def one_picture(data, out):
    for path in list((data / "train" / "sea").iterdir())[1:]:
        path.unlink()


def no_pictures(data, out):
    for path in (data / "train" / "sea").iterdir():
        path.write_text("no picture")


def other_test_classes(data, out):
    (data / "test" / "sea").rename(data / "test" / "lake")


def one_class(data, out):
    for name in ("sea", "street"):
        (data / "train" / name).rename(data / f"{name} put away")


def another_picture(data, out):
    painting.draw("sea", 50).save(data / "train" / "sea" / "50.jpg")


NEW = ["--out", "new"]
USAGE = {
    "no arguments": ([], "required: --data, --out"),
    "no data": (["--out", "new"], "required: --data"),
    "no out": (["--data", "data"], "required: --out"),
    "unknown option": (
        ["--data", "data", *NEW, "--speed", "9"],
        "unrecognized arguments: --speed 9",
    ),
    "epochs in words": ([*NEW, "--epochs", "six"], "--epochs: invalid int value"),
    "half an epoch": ([*NEW, "--epochs", "1.5"], "--epochs: invalid int value"),
    "lr in words": ([*NEW, "--lr", "small"], "--lr: invalid float value"),
    "nothing after": ([*NEW, "--seed"], "--seed: expected one argument"),
}
ARGUMENTS = {
    "epochs": (["--epochs", -1], "epochs must be 0 or more; got -1"),
    "small pictures": (["--resolution", 7], "resolution must be from 32 to 1024"),
    "large pictures": (["--resolution", 9999], "resolution must be from 32 to 1024"),
    "zoom": (["--zoom", 9], "zoom must be from 0.5 to 2; got 9"),
    "no width": (["--alpha", 0], "alpha must be above 0 and up to 4; got 0"),
    "width that is none": (["--alpha", "nan"], "alpha must be above 0"),
    "lr": (["--lr", 0], "lr must be above 0 and up to 1; got 0"),
    "lr that is none": (["--lr", "nan"], "lr must be above 0 and up to 1; got nan"),
    "lr without end": (["--lr", "inf"], "lr must be above 0 and up to 1; got inf"),
    "head lr": (["--head-lr", -1], "head_lr must be above 0 and up to 1; got -1"),
    "a batch of one": (["--batch-size", 1], "batch_size must be 2 or more; got 1"),
    "seed": (["--seed", -1], "seed must be from 0 to below 2**31; got -1"),
    "nothing to choose by": (["--validation", 0], "between 0 and 1; got 0"),
    "nothing to train on": (["--validation", 1], "between 0 and 1; got 1"),
    "two sets of it": (["--validation", 2], "between 0 and 1; got 2"),
    "a share that is none": (["--validation", "nan"], "between 0 and 1; got nan"),
    "workers": (["--workers", -1], "num_workers option should be non-negative"),
}
FOLDERS = {
    "missing": (["--data", "nowhere"], None, "there is no folder "),
    "a file": (["--data", "data/train/sea/1.jpg"], None, "is a file; expected"),
    "empty": (["--data", "empty"], None, "found none"),
    "one class": ([], one_class, "must have a folder for each class, two or more"),
    "one picture": ([], one_picture, "a class with one picture cannot be split"),
    "no pictures": (
        [],
        no_pictures,
        "sea has no picture that can be used; 10 left out",
    ),
    "other classes": ([], other_test_classes, "Missing: sea; too many: lake"),
    "file for a folder": (["--out", "run/last.pt"], None, "cannot write "),
    "folder in a file": (["--out", "run/last.pt/new"], None, "cannot write "),
    "taken": (["--out", "run"], None, "last.pt exists: --resume goes on with it"),
}
RESUMED = {
    "nothing to resume": (["--out", "empty"], None, "there is no checkpoint empty/"),
    "an empty file": ([], spoilt(lambda x: b""), "last.pt is damaged, or no"),
    "a text": ([], spoilt(lambda x: b"no net"), "last.pt is damaged, or no"),
    "cut off": ([], spoilt(lambda x: x[: len(x) // 2]), "last.pt is damaged, or no"),
    "the last byte": ([], spoilt(lambda x: x[:-1]), "last.pt is damaged, or no"),
    "a byte of the head": ([], flip(5), "last.pt is damaged, or no"),
    "a byte of a weight": ([], flip(1_000_000), "last.pt is damaged, or no"),
    "a byte of the table": ([], flip(-200), "last.pt is damaged, or no"),
    "another net": ([], another_net, "last.pt is damaged, or no"),
    "missing keys": ([], no_optimizer, "last.pt is damaged, or no"),
    "more epochs": (["--epochs", 9], None, "another recipe: {'epochs': 4}, and now"),
    "another share": (["--validation", 0.3], None, "another training pictures: 24"),
    "another picture": ([], another_picture, "another training pictures: 24 files"),
}


@pytest.fixture
def around(data, finished, tmp_path, monkeypatch):
    """A working folder with data/, run/ and empty/, to spoil."""
    copytree(data, tmp_path / "data")
    copytree(finished[0], tmp_path / "run")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("arguments, told", USAGE.values(), ids=USAGE)
def test_a_slip_of_the_pen(around, command, arguments, told):
    code, out, err = command(finetune.main, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("usage: python -m mbtools.finetune") and told in err


@pytest.mark.parametrize("arguments, told", ARGUMENTS.values(), ids=ARGUMENTS)
def test_an_argument_out_of_its_range(around, command, arguments, told):
    arguments = ["--data", "data", *NEW, *QUICK, *arguments]
    code, _, err = command(finetune.main, *arguments)
    assert code == 1
    assert err.startswith("Stopped: ") and told in err
    assert not Path("new").exists()


def test_a_narrow_net_needs_another_start(around, command):
    code, _, err = command(finetune.main, "--data", "data", *NEW, "--alpha", "0.5")
    assert code == 1 and "there are ImageNet weights for alpha 1, not for 0.5" in err


@pytest.mark.parametrize("arguments, spoil, told", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_cannot_be_used(around, command, arguments, spoil, told):
    if spoil:
        spoil(Path("data"), Path("run"))
    before = Path("run/last.pt").read_bytes()
    code, _, err = command(
        finetune.main, "--data", "data", *NEW, *QUICK, "--epochs", 0, *arguments
    )
    assert code == 1
    assert err.startswith("Stopped: ") and told in err
    assert Path("run/last.pt").read_bytes() == before
    assert not Path("new").exists()


@pytest.mark.parametrize("arguments, spoil, told", RESUMED.values(), ids=RESUMED)
def test_a_run_that_cannot_be_resumed(around, command, arguments, spoil, told):
    if spoil:
        spoil(Path("data"), Path("run"))
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    code, _, err = command(
        finetune.main, "--data", "data", "--out", "run", "--resume", *arguments
    )
    assert code == 1
    assert err.startswith("Stopped: ") and told in err
    assert {path: path.read_bytes() for path in Path("run").iterdir()} == before


# What the net says


def answers(out):
    header, *found = csv.reader(io.StringIO(out))
    assert header == ["path", "class", "confidence"]
    return found


def test_it_says_what_the_net_says(around, command):
    paths = sorted(Path("data/test/sea").iterdir())
    Path("data/test/sea/.hidden").touch()
    code, out, err = command(
        predict.main, "run/best.pt", "data/test/sea", "data/train/forest/1.jpg"
    )
    assert (code, err) == (0, "")
    net, classes, recipe = training.load("run/best.pt")
    view = training.plain_view(recipe)
    expected = []
    for path in (*paths, Path("data/train/forest/1.jpg")):
        with torch.inference_mode():
            sure = net(view(Image.open(path))[None]).softmax(1)[0]
        label = sure.argmax()
        expected.append([str(path), classes[label], f"{sure[label]:.4f}"])
    assert answers(out) == expected
    assert len(expected) == 4 and classes == CLASSES


def test_it_draws_a_grid(around, command):
    code, out, _ = command(
        predict.main, "run/best.pt", "data/test/sea", "--grid", "grid.png"
    )
    assert code == 0 and len(answers(out)) == 3
    with Image.open("grid.png") as grid:
        assert grid.format == "PNG" and min(grid.size) > 100
        assert len(grid.convert("RGB").getcolors(grid.width * grid.height)) > 1000


def half(path):
    content = Path("data/test/sea/100.jpg").read_bytes()
    path.write_bytes(content[: len(content) // 2])


BAD_PICTURES = {
    "missing": (lambda path: None, "x.jpg"),
    "text": (lambda path: path.write_text("sea"), "x.jpg is not a picture"),
    "empty": (Path.touch, "x.jpg is empty"),
    "half": (half, "x.jpg is damaged"),
    "gibberish": (lambda path: path.write_bytes(b"\xff\xd8\xff" * 9), "x.jpg is "),
}


@pytest.mark.parametrize("make, told", BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_a_bad_picture_is_listed_and_the_others_named(around, command, make, told):
    make(Path("x.jpg"))
    code, out, err = command(
        predict.main, "run/best.pt", "x.jpg", "data/test/sea/100.jpg"
    )
    assert code == 1
    assert [row[0] for row in answers(out)] == ["data/test/sea/100.jpg"]
    assert err.startswith("Left out: ") and told in err


NO_ANSWERS = {
    "no file": (["run/best.pt", "empty"], None, "there is no file in empty"),
    "no checkpoint": (["no.pt", "data"], None, "there is no checkpoint no.pt"),
    "a folder": (["run", "data"], None, "there is no checkpoint run"),
    "empty": (["run/last.pt", "x.jpg"], spoilt(lambda x: b""), "is damaged, or no"),
    "text": (["run/last.pt", "x.jpg"], spoilt(lambda x: b"a net"), "is damaged, or"),
    "cut off": (["run/last.pt", "x.jpg"], spoilt(lambda x: x[:-999]), "is damaged"),
    "a byte": (["run/last.pt", "x.jpg"], flip(-70), "is damaged, or no"),
    "another net": (["run/last.pt", "x.jpg"], another_net, "is damaged, or no"),
}


@pytest.mark.parametrize("arguments, spoil, told", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_nothing_to_ask_or_nobody_to_answer(around, command, arguments, spoil, told):
    if spoil:
        spoil(Path("data"), Path("run"))
    code, out, err = command(predict.main, *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("Stopped: ") and told in err


def test_a_checkpoint_of_another_architecture(around, command):
    state = training.read_checkpoint("run/best.pt")
    seal(state | {"architecture": {"name": "MobileNetV9"}}, Path("v9.pt"))
    code, _, err = command(predict.main, "v9.pt", "data/test/sea")
    assert code == 1 and "v9.pt holds a MobileNetV9, not a MobileNetV2" in err


def test_a_grid_of_too_many_shows_the_first(around, command, monkeypatch):
    monkeypatch.setattr(predict, "COLUMNS", 1)
    heights = []
    for most, told in ((3, ""), (2, "The grid shows the first 2\n")):
        monkeypatch.setattr(predict, "DRAWN", most)
        code, out, err = command(
            predict.main, "run/best.pt", "data/test/sea", "--grid", "grid.png"
        )
        assert (code, len(answers(out)), err) == (0, 3, told)
        with Image.open("grid.png") as grid:
            heights.append(grid.height)
    assert heights[1] < 0.8 * heights[0]


def test_an_interrupt_keeps_the_answers_so_far(around, command, monkeypatch):
    opened, seen = pictures.open_picture, []

    def interrupted(path):
        if seen:
            raise KeyboardInterrupt
        seen.append(path)
        return opened(path)

    monkeypatch.setattr(pictures, "open_picture", interrupted)
    code, out, err = command(predict.main, "run/best.pt", "data/test/sea")
    assert code == 130 and err.startswith("Interrupted")
    assert [row[0] for row in answers(out)] == [str(path) for path in seen]


@pytest.mark.parametrize("grid", ("grid.txt", "nowhere/grid.png"))
def test_a_grid_that_cannot_be_written_costs_no_answer(around, command, grid):
    code, out, err = command(
        predict.main, "run/best.pt", "data/test/sea", "--grid", grid
    )
    assert code == 1 and len(answers(out)) == 3
    assert err.startswith("Stopped: ") and grid.split(".")[-1] in err


# Two processes


def in_halves():
    """``training.steps`` as two processes take them, each with half of a batch.

    Each has its own batch norm and dropout; their gradients are averaged, and the
    first one's batch norm is kept.
    """
    one, places = training.steps, itertools.count()

    def steps(net, batches, loss_of, optimizer, schedule=None, frozen=()):
        if not schedule:  # the last layer alone: each process trains all of it
            yield from one(net, batches, loss_of, optimizer)
            return
        net.train()
        for inputs, labels in batches:
            optimizer.zero_grad()
            place, losses = next(places), []
            before = {name: buffer.clone() for name, buffer in net.named_buffers()}
            for process in (1, 0):  # the first one's batch norm stays
                net.load_state_dict(before, strict=False)
                torch.manual_seed(2 * place + process)
                own, truth = inputs.chunk(2)[process], labels.chunk(2)[process]
                loss = loss_of(net(own), truth) / 2
                loss.backward()
                losses.append(loss.item())
            optimizer.step()
            schedule.step()
            yield sum(losses)

    return steps


def test_two_processes_are_one_that_takes_halves(data, tmp_path, monkeypatch):
    # features that stand nearly still: batch norm over four pictures makes
    # float noise large, and the nets would drift apart
    line = [*QUICK, "--data", str(data), "--lr=1e-7", "--out"]
    monkeypatch.setattr(training, "steps", in_halves())
    with redirect_stdout(io.StringIO()) as said:
        assert finetune.main([*line, str(tmp_path / "one")]) == 0
    launch = ["accelerate.commands.launch", "--multi_gpu", "--num_processes=2"]
    launch += ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no"]
    launch += ["--main_process_port=0", "-m", "mbtools.finetune"]
    done = subprocess.run(
        [sys.executable, "-m", *launch, *line, str(tmp_path / "two")],
        env=QUIET,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    # one of them speaks, of the same pictures and epochs
    said = said.getvalue().splitlines(), done.stdout.splitlines()
    heads = [[line.split("loss")[0] for line in lines[:8]] for lines in said]
    assert heads[0] == heads[1]
    assert len(said[0]) == len(said[1])
    # one of them writes
    outs = tmp_path / "one", tmp_path / "two"
    names = {path.name for path in outs[1].iterdir()}
    assert names == {"best.pt", "last.pt", "history.csv"}
    tables = [rows(out) for out in outs]
    assert tables[0][0] == tables[1][0]
    one, two = (torch.tensor([[*map(float, row)] for row in x[1:]]) for x in tables)
    # the last layer sees the same pictures in the same order: float noise
    assert torch.allclose(one[0], two[0], atol=1e-5)
    # in each epoch the same halves, crops and dropout: without the halves, 6 % off
    assert torch.allclose(one, two, rtol=1e-3)
    assert torch.allclose(*(weights(out / "last.pt") for out in outs), atol=0.01)
    # the gradient is the mean of both: that of one is about its norm away
    states = [training.read_checkpoint(out / "last.pt")["optimizer"] for out in outs]
    one_step, two_step = (
        torch.cat([x["exp_avg"].flatten() for x in state["state"].values()])
        for state in states
    )
    assert (one_step - two_step).norm() < 0.1 * one_step.norm()
    # what was judged is what was saved, batch norm's averages too
    net, _, recipe = training.load(outs[1] / "last.pt")
    train, *_ = pictures.read_splits(data)
    _, validation = train.split(0.15, recipe.seed)
    logits, labels = training.evaluate(net, validation, recipe)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    assert loss.item() == pytest.approx(two[-1, 2].item(), abs=1e-5)
