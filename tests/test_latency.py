"""The clock, the roof, and nets that stay the same however they are run."""

import csv
import io
import math
import time
from functools import partial

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.fx.proxy import TraceError
from torch.utils.flop_counter import FlopCounterMode

from mbtools import latency, models, nets
from mbtools.cost import Layer


def small():
    """What V2 is made of, few enough layers to be compiled in seconds."""
    return nn.Sequential(
        models.convolution(Layer("conv", 3, 16, 3, 2)),
        models.InvertedResidual(16, 16, 1, 6),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )


@pytest.fixture(scope="module")
def net():
    return latency.prepared(small, pictures())


def pictures(count=4, size=64):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


# The clock


def test_calls_are_warmed_up_and_then_take_turns(monkeypatch):
    monkeypatch.setattr(latency, "SAMPLE", 0)
    seen = []
    calls = {name: partial(seen.append, name) for name in "abc"}
    timings = latency.time_calls(calls, rounds=6)
    assert [seen[:6].count(name) for name in "abc"] == [2, 2, 2]
    rounds = [seen[i : i + 3] for i in range(6, len(seen), 3)]
    assert len(rounds) == 6 and all(sorted(turn) == [*"abc"] for turn in rounds)
    assert len(set(map(tuple, rounds))) > 1  # in changing order
    assert all(len(timing.seconds) == 6 for timing in timings.values())


def test_a_time_is_of_one_call_and_short_calls_are_repeated():
    slept = {
        name: partial(time.sleep, seconds)
        for name, seconds in (("short", 0.002), ("long", 0.03))
    }
    timings = latency.time_calls(slept, rounds=3)
    assert 0.002 <= timings["short"].median < 0.01
    assert 0.03 <= timings["long"].median < 0.06


def test_one_disturbed_round_does_not_move_the_median():
    timing = latency.Timing((0.003, 0.001, 0.002, 0.002, 9.0))
    assert timing.median == 0.002
    low, high = np.quantile(timing.seconds, (0.25, 0.75))
    assert timing.spread == pytest.approx((low, high))
    assert repr(timing) == "2 ms (middle half of 5 rounds: 2 to 3)"


def test_threads_are_set_for_the_calls_and_given_back():
    before, seen = torch.get_num_threads(), []
    calls = {"count": lambda: seen.append(torch.get_num_threads())}
    latency.time_calls(calls, rounds=2, threads=before + 1)
    assert set(seen) == {before + 1} and torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError):
        latency.time_calls({"bad": lambda: 1 / 0}, threads=before + 1)
    assert torch.get_num_threads() == before


def test_too_few_rounds_are_refused():
    with pytest.raises(ValueError, match="rounds must be 2 or more; got 1"):
        latency.time_calls({}, rounds=1)


# The roof


def test_a_layer_takes_what_its_worse_bill_says():
    machine = latency.Machine("paper", 1, peak=10e9, bandwidth=5e9)
    assert machine.ridge == 2
    # 14×14, 512 channels: 9 × 512 × 196 multiply-adds; 2 × 512 × 196 + 9 × 512 numbers
    depthwise = Layer("depthwise", 512, 512, 3, in_size=14)
    assert machine.least_seconds(depthwise) == pytest.approx(4 * 205_312 / 5e9)
    # 512 × 512 × 196 multiply-adds; far above two a byte
    pointwise = Layer("pointwise", 512, 512, in_size=14)
    assert machine.least_seconds(pointwise) == pytest.approx(51_380_224 / 10e9)
    # 1024 × 1000 weights for as many multiply-adds: the memory limits it
    last = Layer("linear", 1024, 1000)
    assert machine.least_seconds(last) == pytest.approx(4 * 1_026_024 / 5e9)


def test_this_machine_says_what_it_is():
    machine = latency.this_machine()
    assert machine.threads == 1 and machine.name == latency.processor()
    assert torch.backends.cpu.get_cpu_capability() in machine.name
    # between a toy and a supercomputer: the units are right
    assert 1e8 < machine.peak < 1e13 and 1e8 < machine.bandwidth < 1e13


def test_the_roof_is_the_best_that_was_seen(monkeypatch):
    def slow_once(calls, **options):
        return {name: latency.Timing((0.5, 0.25, 4.0)) for name in calls}

    monkeypatch.setattr(latency, "time_calls", slow_once)
    machine = latency.this_machine()
    assert machine.peak == 4 * 1024**3
    assert machine.bandwidth == 4 * 2 * 2**28


# What must move


@pytest.mark.parametrize(
    "build, count",
    [(models.MobileNetV1, nets.mobilenet_v1), (models.MobileNetV2, nets.mobilenet_v2)],
)
def test_traffic_agrees_with_the_tables(build, count):
    net = count(resolution=160)
    moved = sum(layer.bytes_moved() for layer in net.layers)
    assert latency.traffic(build, 160) == (net.macs, moved)


@pytest.mark.parametrize("build", list(latency.NETS.values())[-2:])
def test_traffic_counts_as_torch_does(build):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        build().eval()(torch.zeros(1, 3, 96, 96))
    macs, moved = latency.traffic(build, 96)
    assert 2 * macs == counter.get_total_flops()
    assert moved > 4 * sum(p.numel() for p in build().parameters() if p.dim() > 1)


def test_peak_memory_is_what_lives_at_once():
    assert latency.peak_memory(partial(torch.ones, 1000)) == 4000

    def two_then_one():
        sum_of = torch.ones(1000) + torch.ones(1000)  # three live together
        return torch.ones(500) if sum_of[0] else None  # no more than before

    assert latency.peak_memory(two_then_one) == pytest.approx(12_000, abs=200)


@pytest.mark.parametrize(
    "build, count",
    [
        (models.MobileNetV1, nets.mobilenet_v1),
        (models.ShallowMobileNet, nets.shallow_mobilenet),
        (models.MobileNetV2, nets.mobilenet_v2),
    ],
)
def test_peak_memory_is_as_computed(build, count):
    folded, picture = latency.WAYS["both"](build(0.5).eval(), pictures(1, 128), 1)
    measured = latency.peak_memory(partial(folded, picture))
    assert measured == pytest.approx(count(0.5, 128).peak_memory(), rel=0.1)


# Ways to run


@pytest.mark.parametrize("way", [way for way in latency.WAYS if "int8" not in way])
def test_a_net_says_the_same_whichever_way_it_is_run(net, way):
    run, ready = latency.WAYS[way](net, pictures(), 1)
    with torch.inference_mode():
        for mine, picture in zip(ready.split(1), pictures().split(1), strict=True):
            assert torch.allclose(run(mine), net(picture), atol=1e-4)


def test_int8_is_near_and_another_file(net, tmp_path):
    latency.export(net, tmp_path / "net.onnx", pictures(1))
    latency.quantise(tmp_path / "net.onnx", tmp_path / "int8.onnx", pictures())
    with torch.inference_mode():
        expected = net(pictures(1))
    said = latency.onnx_session(tmp_path / "int8.onnx")(pictures(1))
    assert torch.cosine_similarity(said, expected).item() > 0.95
    content = [(tmp_path / f"{x}.onnx").read_bytes() for x in ("net", "int8")]
    weights = net[-1].weight.detach().numpy().tobytes()
    assert weights in content[0] and weights not in content[1]


def test_int8_has_a_scale_for_each_channel(net, tmp_path):
    import onnx

    latency.export(net, tmp_path / "net.onnx", pictures(1))
    latency.quantise(tmp_path / "net.onnx", tmp_path / "int8.onnx", pictures())
    graph = onnx.load(tmp_path / "int8.onnx").graph
    shapes = {x.name: tuple(x.dims) for x in graph.initializer}
    made = {output: node for node in graph.node for output in node.output}
    scales = []
    for node in graph.node:
        if node.op_type == "Conv":
            kernel, scale, *_ = made[node.input[1]].input
            scales.append((shapes[scale], shapes[kernel][:1]))
    assert len(scales) == 4 and all(scale == out for scale, out in scales)


def test_int8_is_calibrated_on_every_picture(net, tmp_path):
    latency.export(net, tmp_path / "net.onnx", pictures(1))
    dark, bright = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    said = []
    for order in ((dark, bright), (bright, dark)):
        latency.quantise(
            tmp_path / "net.onnx", tmp_path / "int8.onnx", torch.cat(order)
        )
        said.append(latency.onnx_session(tmp_path / "int8.onnx")(pictures(1)))
    assert torch.equal(*said)


def test_onnx_runtime_gets_its_threads(net, tmp_path, monkeypatch):
    import onnxruntime

    seen, session = [], onnxruntime.InferenceSession

    def watch(path, options, **rest):
        seen.append(options.intra_op_num_threads)
        return session(path, options, **rest)

    monkeypatch.setattr(onnxruntime, "InferenceSession", watch)
    latency.WAYS["ONNX Runtime"](net, pictures(), 3)
    assert seen == [3]


def test_a_net_in_training_is_not_exported(net, tmp_path):
    training = small()
    with pytest.raises(ValueError, match=r"call \.eval\(\) before the export"):
        latency.export(training, tmp_path / "net.onnx", pictures(1))
    assert not list(tmp_path.iterdir())


def test_a_net_with_a_branch_is_not_exported(tmp_path):
    class Branch(nn.Module):
        def forward(self, pictures):
            return pictures if pictures.sum() > 0 else -pictures

    with pytest.raises(TraceError, match="control flow"):
        latency.export(Branch().eval(), tmp_path / "net.onnx", pictures(1))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "way, package", [("ONNX Runtime", "onnxscript"), ("ONNX Runtime, int8", "onnx")]
)
def test_a_missing_package_is_named(net, monkeypatch, way, package):
    found = latency.find_spec
    monkeypatch.setattr(
        latency, "find_spec", lambda name: None if name == package else found(name)
    )
    with pytest.raises(latency.Unavailable, match=f"pip install.* {package}"):
        latency.WAYS[way](net, pictures(), 1)


def test_without_a_compiler_the_reason_is_told(net, monkeypatch):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    monkeypatch.setattr(config, "force_disable_caches", True)
    torch._dynamo.reset()
    with pytest.raises(latency.Unavailable, match=r"torch\.compile does not work here"):
        latency.WAYS["compiled"](net, pictures(), 1)


def test_what_is_missing_is_listed_and_the_rest_is_run(net, monkeypatch):
    def absent(module, pictures, threads):
        raise latency.Unavailable("not installed: pip install it")

    monkeypatch.setitem(latency.WAYS, "absent", absent)
    timings, missing = latency.compare(
        {"mine": net}, ["eager", "absent"], pictures(), rounds=2
    )
    assert [*timings] == [("mine", "eager")]
    assert missing == {("mine", "absent"): "not installed: pip install it"}


def test_one_picture_is_timed(net, monkeypatch):
    seen = []

    def watch(module, pictures, threads):
        return lambda x: seen.append(x.shape), pictures

    monkeypatch.setitem(latency.WAYS, "watch", watch)
    latency.compare({"mine": net}, ["watch"], pictures(), rounds=2)
    assert {*seen} == {(1, 3, 64, 64)}


def test_values_of_a_prepared_net_do_not_shrink():
    raw = models.MobileNetV2(classes=10).eval()
    ready = latency.prepared(partial(models.MobileNetV2, classes=10), pictures())
    with torch.inference_mode():
        sizes = [x.features(pictures()).std().item() for x in (raw, ready)]
    assert sizes[0] < 1e-3 < 0.1 < sizes[1]
    assert not any(part.training for part in ready.modules())


def test_a_prepared_net_is_the_same_each_time_and_seeds_nothing():
    torch.manual_seed(1)
    one, drawn = latency.prepared(small, pictures()), torch.rand(1)
    torch.manual_seed(2)
    two = latency.prepared(small, pictures())
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name])
    assert not torch.equal(drawn, torch.rand(1))
    assert all(part.requires_grad for part in one.parameters())


# The table


def test_the_stored_table_has_every_net_in_every_way():
    rows = latency.stored()
    pairs = [(row["net"], row["way"]) for row in rows]
    assert sorted(pairs) == sorted((n, w) for n in latency.NETS for w in latency.WAYS)
    assert len({(row["machine"], row["torch"], row["threads"]) for row in rows}) == 1
    for row in rows:
        median, low, high = (float(row[name]) for name in latency.COLUMNS)
        assert 0 < low <= median <= high


def test_the_command_prints_such_a_table(monkeypatch, capsys):
    ways = {name: latency.WAYS[name] for name in ("eager", "both")}

    def absent(module, pictures, threads):
        raise latency.Unavailable("not installed")

    monkeypatch.setattr(latency, "NETS", {"small": small})
    monkeypatch.setattr(latency, "WAYS", ways | {"absent": absent})
    latency.main([])
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["way"] for row in rows] == ["eager", "both"]
    assert rows[0].keys() == latency.stored()[0].keys()
    assert all(math.isfinite(float(row["median_ms"])) for row in rows)
    assert err == "small, absent: not installed\n"


def test_the_command_prints_milliseconds(monkeypatch, capsys):
    timings = {("small", "eager"): latency.Timing((0.002, 0.003, 0.004))}
    monkeypatch.setattr(latency, "compare", lambda *_: (timings, {}))
    monkeypatch.setattr(latency, "NETS", {})
    latency.main([])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert [row[name] for name in latency.COLUMNS] == ["3.00", "2.50", "3.50"]
    assert (row["net"], row["way"], row["threads"]) == ("small", "eager", "1")


def test_the_command_explains_itself_and_measures_nothing(monkeypatch, capsys):
    monkeypatch.setattr(latency, "compare", None)
    with pytest.raises(SystemExit) as end:
        latency.main(["--help"])
    assert end.value.code == 0 and "CSV" in capsys.readouterr().out


def test_the_nets_are_the_ones_that_they_are_called():
    sizes = {"MobileNet V3": 5_483_032, "ResNet-18": 11_689_512}  # torchvision's pages
    for name, size in sizes.items():
        assert sum(p.numel() for p in latency.NETS[name]().parameters()) == size
    assert isinstance(latency.NETS["ResNet-18"](), torchvision.models.ResNet)
    assert isinstance(latency.NETS["MobileNet V2"](), models.MobileNetV2)
