"""Fine-tuning: a loop to read, and what real use needs around it.

A run can be killed at any step: what it had at the last epoch's end (or when
it was asked to stop) is in ``last.pt``, and the run that goes on from there is
the run that never stopped. Each random number follows from the recipe's seed
and the place in the run, so there is no hidden state to restore.
"""

import csv
import hashlib
import io
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import cache, partial
from math import ceil
from pathlib import Path
from pickle import UnpicklingError

import torch
from accelerate import Accelerator, DataLoaderConfiguration, skip_first_batches
from accelerate.utils import broadcast
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset
from torchvision.transforms import v2
from tqdm import tqdm  # not tqdm.auto: TQDM_DISABLE cannot silence that

from . import models

DIGEST = hashlib.sha256().digest_size  # bytes at a checkpoint's end
# what the ImageNet weights were trained with: per channel, of values in 0..1
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HEAD_DECAY = 0.01  # AdamW's weight decay while the last layer alone trains


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune. The defaults are the book's best recipe (chapter 7).

    alpha: the net's width. resolution: pixels a side while training; zoom: how
    much larger pictures are in use, because random crops show things larger
    (Touvron et al., arXiv:1906.06423). head_epochs: of the new last layer
    alone, on features computed once; epochs: of the whole net. lr and head_lr:
    the highest learning rate of the pretrained part and of the last layer.
    crop: the smallest share of a picture that a random crop keeps. mean, std:
    of the channels, as the pretrained net knows them. pretrained: start from
    the ImageNet weights, which exist for alpha 1. frozen_norm: batch norm keeps
    the statistics that came with them; from random weights it cannot.
    batch_size: pictures a step. weight_decay: AdamW's, while the whole net
    trains; the last layer alone has ``HEAD_DECAY``. label_smoothing: the share
    of a label that is spread over all classes. seed: of the weights that are
    new and of the pictures' order and crops.

    Raises ValueError naming the field that is out of its range.
    """

    alpha: float = 1.0
    resolution: int = 128
    zoom: float = 1.5
    head_epochs: int = 40
    epochs: int = 6
    batch_size: int = 32
    lr: float = 1e-4
    head_lr: float = 1e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    crop: float = 0.35
    mean: tuple = MEAN
    std: tuple = STD
    pretrained: bool = True
    frozen_norm: bool = True
    seed: int = 0

    def __post_init__(self):
        within = {
            "alpha": (0 < self.alpha <= 4, "above 0 and up to 4"),
            "resolution": (32 <= self.resolution <= 1024, "from 32 to 1024"),
            "zoom": (0.5 <= self.zoom <= 2, "from 0.5 to 2"),
            "head_epochs": (self.head_epochs >= 0, "0 or more"),
            "epochs": (self.epochs >= 0, "0 or more"),
            "batch_size": (self.batch_size >= 2, "2 or more"),
            "lr": (0 < self.lr <= 1, "above 0 and up to 1"),
            "head_lr": (0 < self.head_lr <= 1, "above 0 and up to 1"),
            "weight_decay": (0 <= self.weight_decay <= 1, "from 0 to 1"),
            "label_smoothing": (0 <= self.label_smoothing < 1, "from 0 to below 1"),
            "crop": (0 < self.crop <= 1, "above 0 and up to 1"),
            "seed": (0 <= self.seed < 2**31, "from 0 to below 2**31"),
        }
        for name, (fine, allowed) in within.items():
            if not fine:
                raise ValueError(f"{name} must be {allowed}; got {getattr(self, name)}")
        if self.pretrained and self.alpha != 1:
            raise ValueError(
                f"there are ImageNet weights for alpha 1, not for {self.alpha}: "
                "start from random ones (pretrained=False, --from-scratch) or take "
                "alpha 1"
            )

    @property
    def test_resolution(self):
        """Pixels a side in use, a multiple of 8."""
        return round(self.resolution * self.zoom / 8) * 8


# ------------------------------------------------------------ pictures to batches


def training_view(recipe):
    """What a training picture goes through: a random crop, maybe mirrored."""
    crop = v2.RandomResizedCrop(recipe.resolution, (recipe.crop, 1.0), antialias=True)
    return _to_tensor(recipe, crop, v2.RandomHorizontalFlip())


def plain_view(recipe):
    """What a picture goes through in use: the middle of its shorter side."""
    size = recipe.test_resolution
    return _to_tensor(recipe, v2.Resize(size, antialias=True), v2.CenterCrop(size))


def _to_tensor(recipe, *steps):
    """PIL to float (3, H, W), normalised; resizing bytes is the fastest."""
    scale = v2.ToDtype(torch.float32, scale=True)
    normalise = v2.Normalize(recipe.mean, recipe.std)
    return v2.Compose([v2.PILToTensor(), *steps, scale, normalise])


@cache
def accelerator():
    """Accelerate's handle on the device and the other processes, if any.

    A batch is split among processes, so that their number changes neither the
    order of the pictures nor the size of a step.
    """
    return Accelerator(dataloader_config=DataLoaderConfiguration(split_batches=True))


def batches(pictures, view, batch_size, seed=None, workers=0):
    """Batches (B, 3, H, W) and labels (B,) on the device, shuffled if seeded.

    pictures: a data set of (picture, label); view: of a picture, a tensor.
    seed: for the order and for what is random in ``view``; ``set_epoch(e)``
    before a pass makes that of epoch e. Without a seed they come in their order.
    Several processes fill a last batch that is not full up from the first one.

    Raises ValueError if several processes cannot share a batch evenly.
    """
    processes = accelerator().num_processes
    if seed is not None:
        batch_size = min(batch_size, len(pictures) // processes * processes)
    if batch_size == 0 or batch_size % processes:
        raise ValueError(
            f"{processes} processes cannot share batches of {batch_size} evenly: "
            f"choose a multiple of {processes}, and at least as many pictures"
        )
    loader = DataLoader(
        _Seen(pictures, view),
        batch_size,
        sampler=_Order(len(pictures), seed),
        # batch norm cannot learn from a last batch of one
        drop_last=seed is not None and len(pictures) % batch_size == 1,
        num_workers=workers,
    )
    return accelerator().prepare(loader)


class _Seen(Dataset):
    """Pictures through a view that draws its random numbers from a seed.

    They depend on the picture and the epoch alone, and so neither on how many
    processes share the work nor on where a run was resumed.
    """

    def __init__(self, pictures, view):
        self.pictures, self.view = pictures, view

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, key):
        index, seed = key
        picture, label = self.pictures[index]
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            return self.view(picture), label


class _Order(Sampler):
    """Indices, each with a seed; an order for each epoch if seeded."""

    def __init__(self, length, seed):
        self.length, self.seed, self.epoch = length, seed, 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return self.length

    def __iter__(self):
        if self.seed is None:
            return iter((index, 0) for index in range(self.length))
        # a prime, so that no epoch of a seed is an epoch of the next seeds
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        order = torch.randperm(self.length, generator=generator)
        seeds = torch.randint(2**62, (self.length,), generator=generator)
        return iter(zip(order.tolist(), seeds.tolist(), strict=True))


# ---------------------------------------------------------------------- the loop


def steps(net, batches, loss_of, optimizer, schedule=None, frozen=()):
    """One pass over the batches: a step for each, whose loss is yielded.

    batches: of inputs and labels; loss_of(logits, labels): a mean over them.
    schedule: of the learning rate, step by step. frozen: layers that behave as
    in use, such as batch norm that shall keep its statistics.
    """
    net.train()
    for layer in frozen:
        layer.eval()
    for inputs, labels in batches:
        loss = loss_of(net(inputs), labels)
        optimizer.zero_grad()
        accelerator().backward(loss)
        optimizer.step()
        if schedule:
            schedule.step()
        yield loss.item()


def outputs(net, batches):
    """What the net says of all pictures, in order: (N, …), and labels (N,)."""
    net.eval()
    said, truth = [], []
    with torch.no_grad():  # inference mode: torch 2.5 cannot gather such tensors
        for inputs, labels in batches:
            # of all processes; what filled the last batch up is dropped again
            said_here, labels = accelerator().gather_for_metrics((net(inputs), labels))
            said.append(said_here.cpu())
            truth.append(labels.cpu())
    return torch.cat(said), torch.cat(truth)


def evaluate(net, pictures, recipe, workers=0):
    """Logits (N, classes) and labels (N,) of pictures as used, not trained on."""
    processes = accelerator().num_processes
    size = min(64, ceil(len(pictures) / processes)) * processes
    return outputs(net, batches(pictures, plain_view(recipe), size, workers=workers))


def accuracy(logits, labels):
    """The share of rows whose largest logit is at the label."""
    return (logits.argmax(1) == labels).double().mean().item()


def interval(right, count):
    """Wilson's 95 % interval (low, high) for a share: right of count were seen.

    (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927.)

    Raises ValueError if right is not from 0 to count, or count is 0.
    """
    if not 0 <= right <= count or count == 0:
        raise ValueError(f"no share: {right} of {count}")
    z = 1.96  # standard deviations
    share, square = right / count, z * z / count
    middle = share + square / 2
    reach = z * (share * (1 - share) / count + square / 4 / count) ** 0.5
    return (middle - reach) / (1 + square), (middle + reach) / (1 + square)


# ------------------------------------------------------------- the net and its head


def build(classes, recipe):
    """A ``MobileNetV2`` for so many classes; pretrained but for its last layer."""
    torch.manual_seed(recipe.seed)
    net = models.MobileNetV2(recipe.alpha, classes)
    if recipe.pretrained:
        with accelerator().local_main_process_first():  # one downloads for all
            weights = _imagenet_weights()
        own = net.state_dict()
        last = {name: own[name] for name in own if name.startswith("classifier")}
        net.load_state_dict(weights | last)
    # the layout that convolutions on a CPU and on tensor cores like best
    return net.to(accelerator().device, memory_format=torch.channels_last)


_imagenet_weights = cache(models.imagenet_weights)  # read, checked and told once


def features(net, pictures, recipe, workers=0):
    """What the last layer is given: (N, channels), and labels (N,).

    Computed once, they train a last layer in a second.
    """
    frozen = nn.Sequential(net.features, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return evaluate(frozen, pictures, recipe, workers)


def train_head(head, inputs, labels, recipe):
    """Train a last layer (``nn.Linear``) in place; returns each epoch's mean loss.

    inputs, labels: (N, channels) and (N,), as ``features`` gives them.
    """
    device = next(head.parameters()).device
    generator = torch.Generator().manual_seed(recipe.seed)
    data = TensorDataset(inputs.to(device), labels.to(device))
    loader = DataLoader(data, recipe.batch_size, shuffle=True, generator=generator)
    optimizer = torch.optim.AdamW(
        head.parameters(), recipe.head_lr, weight_decay=HEAD_DECAY
    )
    passes = [
        list(steps(head, loader, _loss(recipe), optimizer))
        for _ in range(recipe.head_epochs)
    ]
    return [sum(losses) / len(losses) for losses in passes]


def _loss(recipe):
    return partial(cross_entropy, label_smoothing=recipe.label_smoothing)


# -------------------------------------------------------------------- a whole run


class Run:
    """A fine-tuning: the net, the recipe, and how far it has come.

    pictures: a ``pictures.Pictures`` to train on; validation: others, to choose
    the best epoch by, or None. out: a folder for ``last.pt``, ``best.pt`` and
    ``history.csv``, made if need be, or None. workers: processes that read
    pictures; their number does not change the result.

    ``history`` has a row for each epoch; row 0 is the last layer alone.
    """

    def __init__(self, pictures, recipe, validation=None, out=None, workers=0):
        accelerator().free_memory()  # it would keep the nets of earlier runs
        self.pictures, self.validation = pictures, validation
        self.recipe, self.workers = recipe, workers
        self.out = out and Path(out)
        self.net = build(len(pictures.classes), recipe)
        keeps = recipe.pretrained and recipe.frozen_norm
        norms = [x for x in self.net.modules() if isinstance(x, nn.BatchNorm2d)]
        self.frozen = norms if keeps else ()
        self.batches = batches(
            pictures, training_view(recipe), recipe.batch_size, recipe.seed, workers
        )
        self.optimizer = torch.optim.AdamW(
            [
                {"params": self.net.features.parameters()},
                {"params": self.net.classifier.parameters()},
            ],
            weight_decay=recipe.weight_decay,
        )
        # sets the two learning rates, and AdamW's beta1 against them
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            [recipe.lr, recipe.head_lr],
            total_steps=max(1, recipe.epochs * len(self.batches)),
        )
        self.epoch = self.step = 0  # whole epochs, and steps of the one begun
        self.losses, self.seconds, self.history = [], 0.0, []

    def train(self, stop=lambda: False, report=lambda row: None):
        """Go on from where the run stands; True when it has come to its end.

        stop: asked after each step; where it says True, in any process, the run
        is saved and ends. report: given each new row of the history.

        Raises OSError if ``out`` cannot be written; what was written stands.
        """
        if not self.history:
            self._train_head()
            report(self.history[-1])
        net, optimizer = accelerator().prepare(self.net, self.optimizer)
        while self.epoch < self.recipe.epochs:
            self.batches.set_epoch(self.epoch)
            rest = skip_first_batches(self.batches, self.step)
            rest.set_epoch(self.epoch)  # accelerate before 1.15 would start at 0
            rest, loss_of = self._seeded(rest), _loss(self.recipe)
            taken = steps(net, rest, loss_of, optimizer, self.schedule, self.frozen)
            start = time.perf_counter()
            for loss in taken:
                share = torch.tensor(loss, device=accelerator().device)
                self.losses.append(accelerator().reduce(share, "mean").item())
                self.step += 1
                if stop():
                    accelerator().set_trigger()
                if accelerator().check_trigger():
                    self.seconds += time.perf_counter() - start
                    self.save("last.pt")
                    return False
            self.seconds += time.perf_counter() - start
            self.epoch, self.step = self.epoch + 1, 0
            self._end_epoch()
            report(self.history[-1])
        return True

    def _train_head(self):
        self._write("history.csv", b"")  # if it cannot be written, say so now
        start = time.perf_counter()
        if self.recipe.head_epochs:
            known = features(self.net, self.pictures, self.recipe, self.workers)
            head = self.net.classifier[-1]
            self.losses = train_head(head, *known, self.recipe)[-1:]
        self.seconds += time.perf_counter() - start
        self._end_epoch()

    def _seeded(self, batches):
        """The batches, each with the random numbers (dropout) of its place.

        They are the same for each seed, whose batches are others.
        """
        first = self.epoch * len(self.batches) + self.step
        processes, own = accelerator().num_processes, accelerator().process_index
        bar = {} if accelerator().is_main_process else {"disable": True}
        bar |= {"desc": f"epoch {self.epoch + 1}", "leave": False}
        for place, batch in enumerate(tqdm(batches, **bar), first):
            torch.manual_seed(place * processes + own)
            yield batch

    def _end_epoch(self):
        """A row of history, and the files; last.pt comes last, as it skips ahead."""
        # each process has its own batch norm statistics: the first one's count
        broadcast(list(self.net.buffers()))
        row = {"epoch": self.epoch, "train_loss": _mean(self.losses)}
        if self.validation:
            logits, labels = evaluate(
                self.net, self.validation, self.recipe, self.workers
            )
            row["validation_loss"] = cross_entropy(logits, labels).item()
            row["validation_accuracy"] = accuracy(logits, labels)
        row["seconds"] = round(self.seconds, 2)
        self.losses = []
        self.history.append(row)
        self._write("history.csv", _as_csv(self.history))
        if row is self.best:
            self.save("best.pt")
        self.save("last.pt")

    @property
    def best(self):
        """The row of history with the best validation, else the last one."""
        if not self.validation:
            return self.history[-1]
        return max(
            self.history,
            key=lambda row: (row["validation_accuracy"], -row["validation_loss"]),
        )

    # what must agree for a saved state to be gone on with
    def _identity(self):
        return {
            "recipe": asdict(self.recipe),
            "classes": list(self.pictures.classes),
            "training pictures": _digest(self.pictures),
            "validation pictures": _digest(self.validation or ()),
        }

    def save(self, name):
        """Write the whole state to a file in ``out``, whole or not at all."""
        state = self._identity() | {
            "architecture": {"name": "MobileNetV2", "alpha": self.recipe.alpha},
            "epoch": self.epoch,
            "step": self.step,
            "losses": self.losses,
            "seconds": self.seconds,
            "history": self.history,
            "model": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        file = io.BytesIO()
        torch.save(state, file)
        content = file.getvalue()
        self._write(name, content + hashlib.sha256(content).digest())

    def _write(self, name, content):
        if not self.out or not accelerator().is_main_process:
            return
        fresh = self.out / f"{name}.part"
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            with open(fresh, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self.out / name)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise OSError(
                f"cannot write {self.out / name} ({error.strerror}). What was "
                "written before is untouched: mend that, then resume"
            ) from error

    def resume(self):
        """Take up the state in ``out``; the run goes on as if never stopped.

        Raises what ``load`` raises, and ValueError naming what differs if the
        state is of other pictures or another recipe.
        """
        path = self.out / "last.pt"
        state = read_checkpoint(path)
        for name, own in self._identity().items():
            if state[name] != own:
                raise ValueError(
                    f"{path} has another {name}: {_difference(state[name], own)}. "
                    "Resume with what it was made with, or choose a new folder"
                )
        self.net.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.epoch, self.step = state["epoch"], state["step"]
        self.losses, self.seconds = state["losses"], state["seconds"]
        self.history = state["history"]


def _mean(values):
    return sum(values) / len(values) if values else float("nan")


def _digest(pictures):
    """What tells sets of pictures apart: their files and labels, in order."""
    if not pictures:
        return "none"
    text = repr((pictures.sha256, pictures.labels))
    return f"{len(pictures)} files, {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _difference(theirs, own):
    if isinstance(own, dict):
        names = [name for name in own if own[name] != theirs.get(name)]
        theirs, own = ({name: x.get(name) for name in names} for x in (theirs, own))
    return f"{theirs}, and now it is {own}"


def _as_csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[-1], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


# -------------------------------------------------------------------- checkpoints


def read_checkpoint(path):
    """A state that ``Run`` saved, as it was: a dictionary.

    Raises FileNotFoundError if there is no such file, ValueError if it is
    damaged or holds something else. Never runs code from the file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    content = path.read_bytes()
    content, digest = content[:-DIGEST], content[-DIGEST:]
    if hashlib.sha256(content).digest() != digest:  # torch would read it all the same
        raise ValueError(f"{path} is damaged, or no checkpoint of mbtools.finetune")
    try:
        state = torch.load(io.BytesIO(content), "cpu", weights_only=True)
    except UnpicklingError as error:
        raise ValueError(f"{path} holds more than numbers: {error}") from error
    known = {field.name for field in fields(Recipe)}
    if not isinstance(state, dict) or state.get("recipe", {}).keys() != known:
        raise ValueError(f"{path} was written by another version of mbtools")
    return state


def load(path):
    """(net, classes, recipe) of a checkpoint, ready to say what pictures show.

    Raises as ``read_checkpoint`` does, and ValueError if its weights are not
    those of the net that it names.
    """
    state = read_checkpoint(path)
    architecture, classes = state["architecture"], tuple(state["classes"])
    if architecture["name"] != "MobileNetV2":
        raise ValueError(f"{path} holds a {architecture['name']}, not a MobileNetV2")
    net = models.MobileNetV2(architecture["alpha"], len(classes))
    try:
        net.load_state_dict(state["model"])
    except RuntimeError as error:
        raise ValueError(f"{path} holds the weights of another net: {error}") from error
    return net.to(accelerator().device).eval(), classes, Recipe(**state["recipe"])
