"""Training: against plain torch, and a run that was stopped against one that was not.

The nets are narrow, the pictures drawn and small: what is tested is that the
numbers are the same, not that they are good.
"""

import csv
import os
import weakref
from copy import deepcopy
from dataclasses import replace
from itertools import count

import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from helpers import CLASSES, draw, seal
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from mbtools import models, painting, pictures, training

SMALL = training.Recipe(
    alpha=0.35,
    pretrained=False,
    resolution=32,
    zoom=1.0,
    head_epochs=2,
    epochs=2,
    batch_size=8,
)


def numbers(history):
    """A history without its times."""
    return [{k: row[k] for k in row if k != "seconds"} for row in history]


def same(one, two):
    """Whether two state dicts are equal to the bit."""
    return one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)


def after(number):
    """A ``stop`` that says so after a number of steps."""
    steps = count(1)
    return lambda: next(steps) == number


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """24 pictures to train on, three steps of an epoch; 6 to choose by."""
    everything, _ = pictures.read_classes(draw(tmp_path_factory.mktemp("set") / "set"))
    return everything.split(0.2)


@pytest.fixture(scope="module")
def unbroken(sets, tmp_path_factory):
    run = training.Run(sets[0], SMALL, sets[1], tmp_path_factory.mktemp("unbroken"))
    assert run.train()
    return run


# The recipe

OUT_OF_RANGE = {
    "alpha": (0, -1, 5, float("nan")),
    "resolution": (7, 0, 2000),
    "zoom": (0.1, 3),
    "head_epochs": (-1,),
    "epochs": (-1,),
    "batch_size": (1, 0),
    "lr": (0, -1e-3, float("nan"), float("inf")),
    "head_lr": (0, float("nan")),
    "weight_decay": (-0.1, float("inf")),
    "label_smoothing": (-0.1, 1),
    "crop": (0, 1.1),
    "seed": (-1, 2**31),
}


@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_a_recipe_names_what_is_out_of_its_range(name):
    for value in OUT_OF_RANGE[name]:
        with pytest.raises(ValueError, match=rf"^{name} must be .*; got {value}$"):
            replace(SMALL, **{name: value})


def test_there_are_imagenet_weights_for_one_width():
    with pytest.raises(
        ValueError, match=r"for alpha 1, not for 0\.5.*pretrained=False"
    ):
        training.Recipe(alpha=0.5)


def test_pictures_are_larger_in_use():
    sizes = [replace(SMALL, resolution=r, zoom=1.25).test_resolution for r in (96, 130)]
    assert sizes == [120, 160]


# Pictures to batches


def test_a_training_view_crops_and_mirrors():
    _, crop, mirror, *_ = training.training_view(replace(SMALL, crop=0.6)).transforms
    assert isinstance(crop, v2.RandomResizedCrop) and crop.scale == (0.6, 1.0)
    assert isinstance(mirror, v2.RandomHorizontalFlip) and mirror.p == 0.5


def numbered(number=10):
    """Pictures whose label is their place."""
    return [(painting.draw("sea", place), place) for place in range(number)]


def all_of(loader):
    parts = zip(*loader, strict=True)
    return tuple(torch.cat(part) for part in parts)


@pytest.mark.parametrize("seed", (None, 5))
def test_workers_change_nothing(seed):
    view = training.training_view(SMALL)
    one, two = (
        all_of(training.batches(numbered(), view, 4, seed, workers))
        for workers in (0, 2)
    )
    assert all(map(torch.equal, one, two))
    assert len(one[1]) == 10


def test_a_last_batch_of_one_is_not_learnt_from():
    view = training.plain_view(SMALL)
    lengths = {
        seed: [
            len(labels) for _, labels in training.batches(numbered(9), view, 4, seed)
        ]
        for seed in (None, 5)
    }
    assert lengths == {None: [4, 4, 1], 5: [4, 4]}


def test_each_epoch_has_its_order_and_its_views():
    loader = training.batches(numbered(8), training.training_view(SMALL), 4, seed=5)
    seen = []
    for epoch in (0, 1, 0):
        loader.set_epoch(epoch)
        images, labels = all_of(loader)
        assert sorted(labels.tolist()) == list(range(8))
        seen.append((labels, images[labels.argsort()]))
    (order, views), (other_order, other_views), again = seen
    assert not torch.equal(order, other_order)
    assert not any(map(torch.equal, views, other_views)), "the same crop twice"
    assert torch.equal(order, again[0]) and torch.equal(views, again[1])


def test_another_seed_is_another_order():
    view = training.plain_view(SMALL)
    orders = [all_of(training.batches(numbered(), view, 5, s))[1] for s in (1, 2)]
    assert not torch.equal(*orders)


def test_a_view_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    dataset = training.batches(numbered(2), training.training_view(SMALL), 2, 5).dataset
    dataset[0, 123]
    assert torch.equal(torch.rand(3), expected)


def test_the_shares_of_two_processes_are_the_batches_of_one():
    loader = training.batches(numbered(8), training.training_view(SMALL), 4, seed=5)
    shares = [
        list(BatchSamplerShard(loader.batch_sampler, 2, place, split_batches=True))
        for place in (0, 1)
    ]
    for (images, labels), one, two in zip(loader, *shares, strict=True):
        pairs = [loader.dataset[key] for key in one + two]
        assert labels.tolist() == [label for _, label in pairs]
        assert torch.equal(images, torch.stack([image for image, _ in pairs]))


def test_a_picture_in_use_goes_through_what_the_papers_do(sets):
    recipe = replace(SMALL, resolution=96, zoom=1.25)
    path = sets[1].paths[0]
    wide = pictures.open_picture(path).resize((200, 140))
    pixels = functional.pil_to_tensor(wide)
    pixels = functional.resize(pixels, [120, 171], antialias=True)[:, :, 26:146]
    mean, std = (torch.tensor(x)[:, None, None] for x in (recipe.mean, recipe.std))
    expected = (pixels / 255 - mean) / std
    assert training.plain_view(recipe)(wide).shape == (3, 120, 120)
    assert torch.allclose(training.plain_view(recipe)(wide), expected, atol=1e-5)


# The loop


def random_batches(number=4):
    generator = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(6, 3, 32, 32, generator=generator),
            torch.randint(3, (6,), generator=generator),
        )
        for _ in range(number)
    ]


def with_optimizer(net):
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, 10)


def test_the_loop_is_plain_torch_to_the_bit():
    ours = training.build(3, SMALL)
    theirs = deepcopy(ours)

    torch.manual_seed(1)  # for dropout
    optimizer, schedule = with_optimizer(theirs)
    expected = []
    theirs.train()
    for inputs, labels in random_batches():
        optimizer.zero_grad()
        loss = cross_entropy(theirs(inputs), labels)
        loss.backward()
        optimizer.step()
        schedule.step()
        expected.append(loss.item())

    torch.manual_seed(1)
    ours.eval()
    losses = list(
        training.steps(ours, random_batches(), cross_entropy, *with_optimizer(ours))
    )
    assert losses == expected
    assert same(ours.state_dict(), theirs.state_dict())


def test_evaluation_is_plain_torch(sets):
    net = training.build(3, SMALL).train()
    logits, labels = training.evaluate(net, sets[0], SMALL)
    view = training.plain_view(SMALL)
    with torch.inference_mode():
        net.eval()
        expected = torch.cat([net(view(picture)[None]) for picture, _ in sets[0]])
    assert torch.allclose(logits, expected, atol=1e-6)
    assert tuple(labels.tolist()) == sets[0].labels


def test_accuracy_is_the_share_that_is_right():
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0]])
    assert training.accuracy(logits, torch.tensor([0, 1, 1])) == pytest.approx(2 / 3)


# R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 3
WILSON = {
    (81, 263): (0.2553, 0.3662),
    (15, 148): (0.0624, 0.1605),
    (0, 20): (0.0, 0.1611),
    (1, 29): (0.0061, 0.1718),
}


@pytest.mark.parametrize("seen", WILSON)
def test_the_interval_is_wilsons(seen):
    right, number = seen
    low, high = training.interval(right, number)
    assert (low, high) == pytest.approx(WILSON[seen], abs=5e-5)
    mirrored = training.interval(number - right, number)
    assert mirrored == pytest.approx((1 - high, 1 - low))
    assert low >= 0 and mirrored[1] <= 1


@pytest.mark.parametrize("right, number", ((0, 0), (-1, 5), (6, 5), (-3, -2)))
def test_an_impossible_share_has_no_interval(right, number):
    with pytest.raises(ValueError, match=f"no share: {right} of {number}"):
        training.interval(right, number)


# The net and its head


def test_a_new_net_is_imagenets_but_for_its_last_layer():
    recipe = training.Recipe()
    one, again, other = (
        training.build(6, replace(recipe, seed=seed)).state_dict() for seed in (0, 0, 1)
    )
    weights = models.imagenet_weights()
    inner = [name for name in weights if not name.startswith("classifier")]
    assert len(inner) == len(weights) - 2 == len(one) - 2
    assert all(torch.equal(one[name], weights[name]) for name in inner)
    assert same(one, again)
    name = "classifier.1.weight"
    assert one[name].shape == (6, 1280) and not torch.equal(one[name], other[name])


def test_features_and_head_are_the_net(sets):
    net = training.build(3, SMALL)
    inputs, labels = training.features(net, sets[0], SMALL)
    assert inputs.shape == (24, 1280)
    assert tuple(labels.tolist()) == sets[0].labels
    with torch.inference_mode():
        logits = net.classifier[-1](inputs)
    expected, _ = training.evaluate(net, sets[0], SMALL)
    assert torch.allclose(logits, expected, atol=1e-6)


def test_a_head_learns_what_can_be_learnt():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(90) % 3
    inputs = torch.eye(3).repeat(1, 4)[labels]
    inputs = inputs + torch.randn(90, 12, generator=generator) / 4
    head = torch.nn.Linear(12, 3)
    recipe = replace(SMALL, head_epochs=30, head_lr=1e-2)
    losses = training.train_head(head, inputs, labels, recipe)
    assert len(losses) == 30 and losses[-1] < losses[0] / 2
    assert training.accuracy(head(inputs), labels) > 0.95


def test_a_head_trains_as_its_recipe_says():
    generator = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(20, 5, generator=generator), torch.arange(20) % 3
    recipe = replace(SMALL, head_lr=0.02, label_smoothing=0.2, seed=4)
    head = torch.nn.Linear(5, 3)
    twin = deepcopy(head)
    optimizer = torch.optim.AdamW(twin.parameters(), 0.02, weight_decay=0.01)
    data = TensorDataset(inputs, labels)
    order = torch.Generator().manual_seed(4)
    loader = DataLoader(data, 8, shuffle=True, generator=order)
    expected = []
    for _ in range(2):
        losses = []
        for some, truth in loader:
            loss = cross_entropy(twin(some), truth, label_smoothing=0.2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        expected.append(sum(losses) / 3)
    assert training.train_head(head, inputs, labels, recipe) == expected
    assert same(head.state_dict(), twin.state_dict())


# A whole run


def test_a_run_trains_as_its_recipe_says(sets):
    recipe = replace(
        SMALL,
        head_epochs=0,
        epochs=2,
        lr=1e-3,
        head_lr=1e-2,
        weight_decay=0.3,
        label_smoothing=0.2,
    )
    run = training.Run(sets[0], recipe)
    net = deepcopy(run.net).train()
    parts = [{"params": part.parameters()} for part in (net.features, net.classifier)]
    optimizer = torch.optim.AdamW(parts, weight_decay=0.3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [1e-3, 1e-2], total_steps=6
    )
    places = count()
    for epoch in range(2):
        run.batches.set_epoch(epoch)
        for inputs, labels in run.batches:
            torch.manual_seed(next(places))  # for dropout
            loss = cross_entropy(net(inputs), labels, label_smoothing=0.2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    assert run.train()
    assert same(run.net.state_dict(), net.state_dict())


def resumed(run, out):
    """The same run, as another process would take it up from its folder."""
    fresh = training.Run(run.pictures, run.recipe, run.validation, out, run.workers)
    fresh.resume()
    return fresh


@pytest.mark.parametrize("step", (3, 4))  # the last of an epoch, the first of one
def test_a_run_stopped_and_resumed_is_the_run_that_never_stopped(
    unbroken, tmp_path, step
):
    run = training.Run(unbroken.pictures, SMALL, unbroken.validation, tmp_path)
    assert not run.train(stop=after(step))
    run = resumed(run, tmp_path)
    assert (run.epoch, run.step) == (0, step) if step <= 3 else (1, step - 3)
    assert run.train()
    assert numbers(run.history) == numbers(unbroken.history)
    assert same(run.net.state_dict(), unbroken.net.state_dict())


def test_a_run_stopped_at_every_step_is_the_run_that_never_stopped(unbroken, tmp_path):
    run = training.Run(unbroken.pictures, SMALL, unbroken.validation, tmp_path)
    stops = 0
    while not run.train(stop=after(1)):
        run, stops = resumed(run, tmp_path), stops + 1
    assert stops == 6
    assert numbers(run.history) == numbers(unbroken.history)
    assert same(run.net.state_dict(), unbroken.net.state_dict())
    files = [folder / "history.csv" for folder in (tmp_path, unbroken.out)]
    assert [len(file.read_text().splitlines()) for file in files] == [4, 4]


def test_a_run_that_goes_on_in_the_same_process(unbroken):
    run = training.Run(unbroken.pictures, SMALL, unbroken.validation)
    assert not run.train(stop=after(2))
    assert run.train()
    assert numbers(run.history) == numbers(unbroken.history)


def test_workers_do_not_change_a_run(unbroken):
    run = training.Run(unbroken.pictures, SMALL, unbroken.validation, workers=2)
    assert run.train()
    assert numbers(run.history) == numbers(unbroken.history)
    assert same(run.net.state_dict(), unbroken.net.state_dict())


def test_a_run_that_has_ended_stays_as_it_is(unbroken):
    before = {path: path.read_bytes() for path in unbroken.out.iterdir()}
    run = resumed(unbroken, unbroken.out)
    assert run.train(stop=lambda: pytest.fail("a step was taken"))
    assert {path: path.read_bytes() for path in unbroken.out.iterdir()} == before


def test_a_kill_while_an_epoch_is_written(unbroken, tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    # so that best.pt is written in epoch 2
    monkeypatch.setattr(training.Run, "best", property(lambda run: run.history[-1]))
    replace_file = os.replace
    run = training.Run(unbroken.pictures, SMALL, unbroken.validation, tmp_path)
    for name in ("history.csv", "best.pt", "last.pt"):

        def killed(source, target, name=name, run=run):
            if target.name == name and run.epoch == 2:
                raise Killed
            replace_file(source, target)

        monkeypatch.setattr(os, "replace", killed)
        with pytest.raises(Killed):
            run.train()
        run = resumed(run, tmp_path)
        assert run.epoch == 1
    monkeypatch.setattr(os, "replace", replace_file)
    assert run.train()
    assert numbers(run.history) == numbers(unbroken.history)
    rows = list(csv.DictReader((tmp_path / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    states = [training.read_checkpoint(tmp_path / f"{x}.pt") for x in ("best", "last")]
    assert [state["epoch"] for state in states] == [2, 2]


def test_what_the_files_hold(unbroken):
    names = {path.name for path in unbroken.out.iterdir()}
    assert names == {"best.pt", "last.pt", "history.csv"}
    for name, row in (("best", unbroken.best), ("last", unbroken.history[-1])):
        net, classes, recipe = training.load(unbroken.out / f"{name}.pt")
        assert (classes, recipe) == (CLASSES, SMALL) and not net.training
        logits, labels = training.evaluate(net, unbroken.validation, recipe)
        assert cross_entropy(logits, labels).item() == row["validation_loss"]
        assert training.accuracy(logits, labels) == row["validation_accuracy"]
    assert unbroken.best is not unbroken.history[-1], "the test needs two nets"
    state = torch.load(unbroken.out / "best.pt", weights_only=True)  # torch alone
    assert state["architecture"] == {"name": "MobileNetV2", "alpha": 0.35}
    rows = list(csv.DictReader((unbroken.out / "history.csv").open()))
    assert [{k: float(row[k]) for k in row} for row in rows] == unbroken.history


def test_the_best_is_most_often_right_then_least_wrong(unbroken):
    run = training.Run(unbroken.pictures, SMALL, unbroken.validation)
    run.history = [
        {"validation_accuracy": share, "validation_loss": loss}
        for share, loss in ((0.5, 1.0), (0.6, 2.0), (0.6, 1.5), (0.6, 1.5), (0.4, 0.1))
    ]
    assert run.best is run.history[2]
    run.validation = None
    assert run.best is run.history[4]


def test_a_run_without_validation_and_without_a_folder(sets):
    run = training.Run(sets[0], replace(SMALL, epochs=1))
    rows = []
    assert run.train(report=rows.append)
    assert [list(row) for row in rows] == [["epoch", "train_loss", "seconds"]] * 2
    assert rows == run.history


def test_earlier_runs_are_forgotten(sets):
    run = training.Run(sets[0], replace(SMALL, epochs=0))
    run.train()
    net = weakref.ref(run.net)
    run = training.Run(sets[0], SMALL)
    assert net() is None


@pytest.mark.parametrize("frozen", (True, False))
def test_batch_norm_keeps_the_statistics_it_came_with(sets, frozen):
    pretrained = replace(SMALL, alpha=1.0, pretrained=True, epochs=1)
    run = training.Run(sets[0], replace(pretrained, frozen_norm=frozen))
    run.train()
    before, after = models.imagenet_weights(), run.net.state_dict()
    for name in before:
        if "running" in name:  # the means and variances
            assert torch.equal(before[name], after[name]) == frozen
        elif name.startswith("features") and "tracked" not in name:  # it learns
            assert not torch.equal(before[name], after[name])


def test_from_random_weights_batch_norm_learns_its_statistics(unbroken):
    assert unbroken.recipe.frozen_norm and not unbroken.recipe.pretrained
    norm = unbroken.net.features[0][1]
    assert not torch.equal(norm.running_mean, torch.zeros(len(norm.running_mean)))


# What a run does not go on with

OTHERS = {
    "recipe": (
        lambda rest, part: (rest, replace(SMALL, lr=5e-4), part),
        r"another recipe: \{'lr': 0\.0001\}, and now it is \{'lr': 0\.0005\}",
    ),
    "classes": (
        lambda rest, part: (
            replace(rest, classes=("forest", "sea", "road")),
            SMALL,
            part,
        ),
        "another classes: .*'street'.* and now it is .*'road'",
    ),
    "pictures": (
        lambda rest, part: (rest.subset(range(23)), SMALL, part),
        "another training pictures: 24 files, .* and now it is 23 files, ",
    ),
    "order": (
        lambda rest, part: (rest.subset(range(23, -1, -1)), SMALL, part),
        "another training pictures: 24 files, .* and now it is 24 files, ",
    ),
    "validation": (
        lambda rest, part: (rest, SMALL, part.subset(range(5))),
        "another validation pictures: 6 files, .* and now it is 5 files, ",
    ),
    "no validation": (
        lambda rest, part: (rest, SMALL, None),
        "another validation pictures: 6 files, .* and now it is none",
    ),
}


@pytest.mark.parametrize("change, told", OTHERS.values(), ids=OTHERS)
def test_another_run_is_not_gone_on_with(unbroken, change, told):
    other = change(unbroken.pictures, unbroken.validation)
    run = training.Run(*other, unbroken.out)
    with pytest.raises(ValueError, match=told) as caught:
        run.resume()
    assert str(unbroken.out / "last.pt") in str(caught.value)
    assert "choose a new folder" in str(caught.value)


# Checkpoints


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_no_code_of_a_checkpoint_is_run(tmp_path):
    seal({"recipe": Bomb(tmp_path / "run")}, tmp_path / "bomb.pt")
    with pytest.raises(ValueError, match=r"bomb\.pt holds more than numbers"):
        training.load(tmp_path / "bomb.pt")
    assert not (tmp_path / "run").exists()


def test_no_altered_byte_is_overlooked(unbroken, tmp_path):
    content = bytearray((unbroken.out / "best.pt").read_bytes())
    path = tmp_path / "altered.pt"
    # its last kilobytes are names and places, which torch takes on trust
    for place in (0, 40, len(content) // 2, *range(-3000, 0, 97), -1):
        content[place] ^= 16
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"altered\.pt is damaged, or no check"):
            training.read_checkpoint(path)
        content[place] ^= 16
    path.write_bytes(content)
    assert training.read_checkpoint(path)["epoch"] == unbroken.best["epoch"]


def test_a_net_of_another_kind_is_refused(unbroken, tmp_path):
    state = training.read_checkpoint(unbroken.out / "best.pt")
    path = tmp_path / "other.pt"
    cases = (
        (
            {"architecture": {"name": "MobileNetV1", "alpha": 1.0}},
            "holds a MobileNetV1, not a MobileNetV2",
        ),
        ({"architecture": {"name": "MobileNetV2", "alpha": 0.5}}, "of another net"),
        ({"classes": ["sea", "street"]}, "of another net: .*size mismatch"),
        ({"recipe": state["recipe"] | {"mixup": 0.2}}, "another version of mbtools"),
        ({"recipe": {}}, "another version of mbtools"),
    )
    for change, told in cases:
        seal(state | change, path)
        with pytest.raises(ValueError, match=rf"(?s)other\.pt .*{told}"):
            training.load(path)
    seal([state], path)
    with pytest.raises(ValueError, match="another version of mbtools"):
        training.load(path)
