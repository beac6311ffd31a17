"""What a net takes on this machine: time, memory, and the least that it could.

A time is only worth something beside another one that was measured in the
same minute on the same machine, so several things are measured here in turn.

    python -m mbtools.latency > mine.csv
"""

import argparse
import copy
import csv
import json
import logging
import os
import platform
import random
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles

import torch
import torchvision
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.profiler import ProfilerActivity, profile

from . import models
from .cost import roof_seconds

# the profiler would write its own log into the pages
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

SAMPLE = 0.02  # seconds: what is shorter is repeated, so that the clock is exact
STORED = "latency.csv"  # what ``python -m mbtools.latency`` printed for us
COLUMNS = ("median_ms", "low_ms", "high_ms")


class Unavailable(RuntimeError):
    """A way to run a net that this machine does not have; the text says why."""


# ------------------------------------------------------------------------- time


@dataclass(frozen=True)
class Timing:
    """Seconds of one call, a number for each round."""

    seconds: tuple

    @property
    def median(self):
        """Half of the rounds were faster. A disturbed round does not move it."""
        return median(self.seconds)

    @property
    def spread(self):
        """(low, high): the middle half of the rounds lies between them."""
        low, _, high = quantiles(self.seconds, n=4, method="inclusive")
        return low, high

    def __repr__(self):
        low, high = self.spread
        return (
            f"{1e3 * self.median:.3g} ms (middle half of {len(self.seconds)} rounds: "
            f"{1e3 * low:.3g} to {1e3 * high:.3g})"
        )


def time_calls(calls, rounds=15, threads=1):
    """Time calls in turn: {name: Timing}.

    calls: {name: function without arguments}. Each is first called twice, as
    first calls allocate and compile. A round then times each once, in an order
    that is drawn anew, so that a slow second of the machine hits them alike.
    threads: that torch may use.

    Raises ValueError if there are fewer than 2 rounds.
    """
    if rounds < 2:
        raise ValueError(f"rounds must be 2 or more; got {rounds}")
    with _threads(threads), torch.inference_mode():
        repeats = {name: _repeats(call) for name, call in calls.items()}
        seconds = {name: [] for name in calls}
        order = random.Random(0)
        for _ in range(rounds):
            for name in order.sample(list(calls), len(calls)):
                start = time.perf_counter()
                for _ in range(repeats[name]):
                    calls[name]()
                passed = time.perf_counter() - start
                seconds[name].append(passed / repeats[name])
    return {name: Timing(tuple(found)) for name, found in seconds.items()}


def _repeats(call):
    call()
    start = time.perf_counter()
    call()
    return max(1, round(SAMPLE / (time.perf_counter() - start)))


@contextmanager
def _threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


# --------------------------------------------------------------------- the roof


@dataclass(frozen=True)
class Machine:
    """What a machine can do at best (Williams et al., 2009, "Roofline").

    peak: multiply-adds a second; bandwidth: bytes a second, to and from memory.
    """

    name: str
    threads: int
    peak: float
    bandwidth: float

    @property
    def ridge(self):
        """Multiply-adds a byte at which the memory stops being the limit."""
        return self.peak / self.bandwidth

    def least_seconds(self, layer):
        """What a layer takes if computing and moving hide behind each other."""
        return max(roof_seconds(layer, self.peak, self.bandwidth))


def this_machine(threads=1):
    """A ``Machine``, measured now: a large matrix product, and a large copy.

    1024 × 1024 × 1024 multiply-adds in float32; 256 MB read and as many
    written, more than a cache holds. The best of 25: a roof is no ordinary day.
    """
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    source = torch.rand(2**26)
    target = torch.empty_like(source)
    found = time_calls(
        {"product": partial(torch.mm, a, b), "copy": partial(target.copy_, source)},
        rounds=25,
        threads=threads,
    )
    moved = 2 * source.nbytes
    return Machine(
        processor(),
        threads,
        1024**3 / min(found["product"].seconds),
        moved / min(found["copy"].seconds),
    )


def processor():
    """The name of this machine's processor, and what torch uses of it."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")  # Linux alone tells the name there
    if info.exists():
        lines = info.read_text().splitlines()
        named = [line.partition(":")[2] for line in lines if "model name" in line]
        name = named[0].strip() if named else name
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"


# -------------------------------------------------------------- what must move


def traffic(build, resolution=224):
    """(multiply-adds, bytes moved) of a net for one RGB picture, in float32.

    build: makes the net. Of its convolutions and linear layers: input, output
    and weights once each, as ``cost.Layer.bytes_moved``. For nets of which
    ``nets`` has no table. Nothing is computed: shapes are enough.
    """
    macs = moved = 0

    def count(layer, inputs, output):
        nonlocal macs, moved
        values = inputs[0].numel() + output.numel() + layer.weight.numel()
        moved += values * output.element_size()
        macs += output[0, 0].numel() * layer.weight.numel()

    with torch.device("meta"), torch.inference_mode():
        net = build().eval()
        for part in net.modules():
            if isinstance(part, nn.Conv2d | nn.Linear):
                part.register_forward_hook(count)
        net(torch.empty(1, 3, resolution, resolution))
    return macs, moved


def peak_memory(call):
    """Bytes that a call holds at its worst moment, beside what stood before.

    Counted by torch's own allocator, in a second call: the first one may
    prepare what it keeps.
    """
    with torch.inference_mode():
        call()
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
            call()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace.json")
        seen.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    memory = [event for event in events if event.get("name") == "[memory]"]
    return max(event["args"]["Total Allocated"] for event in memory)


# ------------------------------------------------------------------ ways to run


def export(module, path, picture):
    """Write a net as ONNX: input "pictures" like ``picture``, output "logits".

    module: an ``nn.Module`` in use, not in training, that torch.fx can trace;
    picture: (1, C, H, W). Batch norm is folded into the convolutions: here, as
    the exporter needs twice the time for it.

    Raises Unavailable if onnx or onnxscript is not installed, ValueError if the
    module is in training, because dropout would be exported with it, and torch.fx's
    TraceError where a branch depends on the picture.
    """
    if module.training:
        raise ValueError("the net is in training: call .eval() before the export")
    _need("onnx", "onnxscript")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        torch.onnx.export(
            fuse(module),
            (picture,),
            path,
            input_names=["pictures"],
            output_names=["logits"],
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def quantise(path, target, pictures):
    """Write an ONNX net in int8: weights by channel, activations by tensor.

    pictures: (N, C, H, W), like those that the net will see; the range of each
    tensor is measured on them. (ONNX Runtime's static quantisation.)

    Raises Unavailable if onnx or onnxruntime is not installed.
    """
    _need("onnx", "onnxruntime")
    from onnxruntime import quantization

    class Pictures(quantization.CalibrationDataReader):
        rows = iter(pictures.split(1))

        def get_next(self):
            picture = next(self.rows, None)
            return None if picture is None else {"pictures": picture.numpy()}

    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.onnx")
        # every shape is a number here: none is to be inferred as a symbol
        quantization.quant_pre_process(path, ready, skip_symbolic_shape=True)
        quantization.quantize_static(
            ready,
            target,
            Pictures(),
            per_channel=True,
            # with signed ones, the sums of shortcuts would be left in float
            activation_type=quantization.QuantType.QUInt8,
        )


def onnx_session(path, threads=1):
    """A function of pictures (1, C, H, W) that runs an ONNX file: logits.

    Raises Unavailable if onnxruntime is not installed.
    """
    _need("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors alone
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )

    def run(pictures):
        return torch.from_numpy(session.run(None, {"pictures": pictures.numpy()})[0])

    return run


def _need(*packages):
    missing = [name for name in packages if not find_spec(name)]
    if missing:
        raise Unavailable(f"not installed: pip install {' '.join(missing)}")


def _eager(module, pictures, threads):
    return module, pictures


def _channels_last(module, pictures, threads):
    layout = {"memory_format": torch.channels_last}
    return copy.deepcopy(module).to(**layout), pictures.to(**layout)


def _folded(module, pictures, threads):
    return fuse(module), pictures


def _both(module, pictures, threads):
    return _channels_last(fuse(module), pictures, threads)


def _compiled(module, pictures, threads):
    # it would tell each reader without a graphics card that there is none
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    compiled = torch.compile(module)
    try:
        with _threads(threads), torch.inference_mode():
            compiled(pictures[:1])
    except RuntimeError as error:  # no C++ compiler, or a Python it does not know
        reason = str(error).strip().splitlines()[0]
        raise Unavailable(f"torch.compile does not work here: {reason}") from error
    return compiled, pictures


def _onnx(module, pictures, threads):
    with _onnx_file(module, pictures) as path:
        return onnx_session(path, threads), pictures


def _int8(module, pictures, threads):
    with _onnx_file(module, pictures) as path:
        small = path.with_name("int8.onnx")
        quantise(path, small, pictures)
        return onnx_session(small, threads), pictures


@contextmanager
def _onnx_file(module, pictures):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.onnx")
        export(module, path, pictures[:1])
        yield path


# of a net in use and of pictures like those it will see: what runs it, and on what
WAYS = {
    "eager": _eager,
    "channels last": _channels_last,
    "batch norm folded": _folded,
    "both": _both,
    "ONNX Runtime": _onnx,
    "ONNX Runtime, int8": _int8,
    "compiled": _compiled,
}

# ------------------------------------------------------------------ one table

NETS = {
    "Conv MobileNet": models.ConvMobileNet,
    "MobileNet V1": models.MobileNetV1,
    "MobileNet V2": models.MobileNetV2,
    "MobileNet V3": torchvision.models.mobilenet_v3_large,
    "ResNet-18": torchvision.models.resnet18,
}


def prepared(build, pictures):
    """A net in use whose batch norm has seen the pictures; else untrained.

    Its weights do not matter to the clock, the size of its values does: in a
    net as it is built they shrink from layer to layer, and the smallest
    floats are slow.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        net = build()
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = None  # the mean of all it sees
        net(pictures)
    return net.eval()


def compare(nets, ways, pictures, rounds=15, threads=1):
    """Run nets in several ways, on one picture at a time, all in turn.

    nets: {name: net in use}; ways: names out of ``WAYS``; pictures: (N, C, H,
    W), the first is run, all calibrate int8. Returns ({(net, way): Timing},
    {(net, way): why it is missing}).
    """
    calls, missing = {}, {}
    for name, net in nets.items():
        for way in ways:
            try:
                run, fitting = WAYS[way](net, pictures, threads)
            except Unavailable as error:
                missing[name, way] = str(error)
            else:
                calls[name, way] = partial(run, fitting[:1])
    return time_calls(calls, rounds, threads), missing


def stored():
    """Our own run of ``python -m mbtools.latency``: rows as dictionaries."""
    with (files(__package__) / STORED).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main(arguments=None):
    """Print, as CSV, what each net takes in each way here: chapter 8's table."""
    argparse.ArgumentParser(
        prog="python -m mbtools.latency",
        description=f"{main.__doc__} It takes some minutes.",
    ).parse_args(arguments)
    pictures = torch.rand(8, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    ready = {name: prepared(build, pictures) for name, build in NETS.items()}
    timings, missing = compare(ready, WAYS, pictures)
    for (name, way), reason in missing.items():
        print(f"{name}, {way}: {reason}", file=sys.stderr)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["machine", "torch", "threads", "net", "way", *COLUMNS])
    where = [processor(), torch.__version__, 1]
    for (name, way), timing in timings.items():
        low, high = timing.spread
        times = [f"{1e3 * x:.2f}" for x in (timing.median, low, high)]
        writer.writerow([*where, name, way, *times])


if __name__ == "__main__":
    main()
