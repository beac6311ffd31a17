"""The widgets: their Python side."""

import json
import random
import re

import pytest
import traitlets

from mbtools import cost, published
from mbtools.explorer import (
    ALPHAS,
    RESOLUTIONS,
    CostExplorer,
    FilterTable,
    LayerBrowser,
    LayerExplorer,
    MemoryWalk,
    pareto_front,
)
from mbtools.explorer.base import HERE

GRID = [
    (net, alpha, resolution)
    for net, alphas in ALPHAS.items()
    for alpha in alphas
    for resolution in RESOLUTIONS
]
ROWS = [row for row in published.ROWS if row.net in ALPHAS and row.precision == "float"]


def build(net, alpha, resolution):
    return published.BUILDERS[net](alpha, resolution)


def test_on_one_page_no_widgets_style_meets_another_widget():
    def classes(path):
        return set(re.findall(r"(?<!--)\bmbx-[a-z-]+", path.read_text("utf-8")))

    shared = classes(HERE / "explorer.css")
    scripts = {path: classes(path) for path in HERE.glob("*.js")}
    assert len(scripts) == 12
    for sheet in {*HERE.glob("*.css")} - {HERE / "explorer.css"}:
        own = classes(sheet) - shared
        met = {x.name for x, names in scripts.items() if names & own}
        assert met <= {f"{sheet.stem}.js"}, (sheet.name, met)


def by_kind(net, quantity):
    return [
        sum(getattr(layer, quantity) for layer in net.layers if layer.kind == kind)
        for kind in cost.KINDS
    ]


def test_table_times_area_is_the_net_at_every_setting():
    table = json.loads(CostExplorer()._table)
    for key, alpha, resolution in GRID:
        entry, net = table["nets"][key], build(key, alpha, resolution)
        i = entry["alphas"].index(alpha)
        area = table["areas"][table["resolutions"].index(resolution)]
        *growing, classifier = entry["macs"][i]
        assert [*(x * area for x in growing), classifier] == by_kind(net, "macs")
        assert entry["params"][i] == by_kind(net, "params")
        assert entry["peak"][i] * area == net.peak_memory()


def test_settings_hold_every_published_result():
    told = {
        (x["net"], x["alpha"], x["resolution"], source, result["top1"], result["ms"])
        for x in json.loads(CostExplorer()._table)["settings"]
        for result in x["results"]
        for source in result["source"].split(", ")
    }
    printed = {
        (r.net, r.alpha, r.resolution, r.source, r.top1, r.pixel1_ms) for r in ROWS
    }
    assert told == printed
    assert {setting[:3] for setting in told} <= set(GRID)


def test_front_is_what_no_result_beats():
    rng = random.Random(0)
    results = [(row.build().macs, row.top1) for row in ROWS]
    coarse = [(rng.randrange(12), rng.randrange(12)) for _ in range(60)]
    for points in (results, coarse, []):
        beaten = {
            (cost_a, gain_a)
            for cost_a, gain_a in points
            for cost_b, gain_b in points
            if cost_b <= cost_a
            and gain_b >= gain_a
            and (cost_b, gain_b) != (cost_a, gain_a)
        }
        assert pareto_front(points) == sorted(set(points) - beaten)
    marked = {
        (build(x["net"], x["alpha"], x["resolution"]).macs, result["top1"])
        for x in json.loads(CostExplorer()._table)["settings"]
        for result in x["results"]
        if result["front"]
    }
    assert marked == set(pareto_front(results))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"net": "v3"}, "v1"),
        ({"alpha": 1.4}, "alpha of MobileNet V1 must be from 0.25 to 1.0; got 1.4"),
        ({"net": "v2", "alpha": 1.45}, "from 0.25 to 1.4; got 1.45"),
        ({"alpha": 0.33}, "the nearest are 0.3 and 0.35; got 0.33"),
        ({"alpha": float("nan")}, "from 0.25 to 1.0; got nan"),
        ({"resolution": 64}, "resolution must be from 96 to 256; got 64"),
        ({"resolution": 200}, "the nearest are 192 and 224; got 200"),
        ({"max_macs": 0}, "max_macs is in millions and must be above 0"),
        ({"max_params": -1}, "max_params is in millions and must be above 0"),
    ],
)
def test_cost_explorer_names_the_bound(wrong, says):
    with pytest.raises(traitlets.TraitError, match=says):
        CostExplorer(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"kernel": 4}, {"in_channels": 3}, {"out_channels": 2048}, {"size": 0}]
)
def test_layer_explorer_names_the_choices(wrong):
    (name,) = wrong
    with pytest.raises(traitlets.TraitError, match=f"'{name}' trait .* any of"):
        LayerExplorer(**wrong)


def test_alpha_goes_back_to_1_with_v1():
    explorer = CostExplorer("v2", 1.4)
    explorer.net = "v1"
    assert (explorer.alpha, explorer.cost) == (1.0, build("v1", 1.0, 224))


def test_your_own_code_can_follow():
    explorer, seen = CostExplorer(), []
    explorer.observe(lambda change: seen.append(explorer.cost.macs), "alpha")
    explorer.alpha = 0.1 + 0.4  # a float's last digit is forgiven
    explorer.alpha = 0.3
    assert seen == [build("v1", alpha, 224).macs for alpha in (0.5, 0.3)]


def test_text_and_table_of_the_cost_explorer():
    explorer = CostExplorer()
    assert repr(explorer) == (
        "CostExplorer(net='v1', alpha=1.00, resolution=224): "
        "568,740,352 multiply-adds, 4,231,976 parameters"
    )
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    assert "application/vnd.jupyter.widget-view+json" in bundle
    for told in ("568,740,352", "4,231,976", "94.86 %", "24.22 %", "4,816,896"):
        assert told in bundle["text/html"]
    for told in ("70.6 % (V1 Table 6)", "70.9 % (TF-slim)"):
        assert told in bundle["text/html"]
    silent = CostExplorer(alpha=0.3)._repr_mimebundle_()[0]["text/html"]
    assert "none for this setting" in silent


def test_text_and_table_of_the_layer_explorer():
    explorer = LayerExplorer()
    assert repr(explorer) == (
        "LayerExplorer(kernel=3, in_channels=64, out_channels=128, size=128): "
        "1,207,959,552 multiply-adds standard, 143,654,912 separable"
    )
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    for told in ("1,207,959,552", "9,437,184", "134,217,728", "143,654,912", "8,768"):
        assert told in bundle["text/html"]
    assert "1/128 + 1/9 = 0.1189" in bundle["text/html"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LayerBrowser(layer=28), "layer of MobileNet V1 must be .* 27; got 28"),
        (lambda: LayerBrowser("v2", 53), "layer of MobileNet V2 must be .* 52; got 53"),
        (lambda: LayerBrowser(layer=-1), "from 0 to 27; got -1"),
        (lambda: LayerBrowser("v3"), "'net' trait .* any of"),
        (lambda: LayerBrowser(quantity="weights"), "'quantity' trait .* any of"),
        (lambda: MemoryWalk(block=20), "block of MobileNet V2 must be .* 19; got 20"),
        (lambda: MemoryWalk("v1", block=15), "block of MobileNet V1 .* 14; got 15"),
        (lambda: MemoryWalk("conv"), "'net' trait .* any of"),
        (lambda: MemoryWalk(parts=5), "'parts' trait .* any of"),
        (lambda: MemoryWalk(bytes_per_value=8), "'bytes_per_value' trait .* any of"),
    ],
)
def test_a_walk_names_the_bound(make, says):
    with pytest.raises(traitlets.TraitError, match=says):
        make()


def test_a_shorter_net_takes_you_to_its_end():
    browser, walk = LayerBrowser("v2", 52), MemoryWalk("v2", block=19)
    browser.net = walk.net = "v1"
    assert browser.current == browser.cost.layers[27]
    assert walk.current == build("v1", 1.0, 224).blocks[14]


def test_text_and_table_of_the_layer_browser():
    browser = LayerBrowser("v1", 3)
    assert repr(browser) == (
        "LayerBrowser(net='v1', layer=3): block 2 depthwise, "
        "1,806,336 multiply-adds, 704 parameters"
    )
    html = browser._repr_mimebundle_()[0]["text/html"]
    assert html.count("<tr>") == 1 + 28
    for told in ("block 2 depthwise", "1,806,336", "568,740,352", "4,231,976"):
        assert told in html


def test_text_and_table_of_the_memory_walk():
    walk = MemoryWalk()
    assert repr(walk) == (
        "MemoryWalk(net='v2', parts=1, block=2, bytes_per_value=2): 3,010,560 bytes "
        "here; peaks: MobileNet V1 2,408,448, MobileNet V2 3,010,560"
    )
    html = walk._repr_mimebundle_()[0]["text/html"]
    assert html.count("<tr>") == 1 + 20
    for told in ("3,010,560", "2,408,448 for MobileNet V1", "layer by layer"):
        assert told in html
    walk.parts = 1024
    assert walk.peaks == {"v1": 2_433_536, "v2": 1_229_312}
    assert "one channel at a time" in walk._repr_mimebundle_()[0]["text/html"]


COLUMNS = ("source", "item", "verdict")
CELLS = [
    ("V1 Table 2", "pointwise share, 74.59 %", "agrees"),
    ("V1 Table 2", "stem's share, 1.19 %", "typo"),
    ("V2 Table 4", "parameters at α = 1.4 <b>& more</b>", "not reproducible"),
    ("TF-slim", 'the "V2" at 1.4', "agrees"),
]


@pytest.mark.parametrize(
    ("query", "chosen", "left"),
    [
        ("", {}, [0, 1, 2, 3]),
        ("v2", {}, [2, 3]),
        ("  TABLE  2", {}, [0, 1]),
        ("1", {}, []),  # 1.19 and 1.4 are other numbers
        ("4", {}, [2]),  # nor is it the 4 of 1.4 or of 74.59
        ("1.4", {}, [2, 3]),
        ("59", {}, []),
        ("sha ste", {}, [1]),
        ("tf-SLIM v2", {}, [3]),
        ("able", {}, []),
        ("share", {"verdict": "typo"}, [1]),
        ("", {"source": "V1 Table 2", "verdict": "agrees"}, [0]),
        ("b> &", {}, [2]),
        ("Α", {}, [2]),
        ("no such words", {}, []),
    ],
)
def test_filter_table_shows_rows_with_all_words_and_choices(query, chosen, left):
    table = FilterTable(COLUMNS, CELLS, ["source", "verdict"], query=query)
    table.chosen = chosen
    assert table.shown == tuple(CELLS[i] for i in left)
    assert repr(table) == f"FilterTable: {len(left)} of 4 rows"


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"rows": [("a", "b")]}, ValueError, "row 0 has 2 cells, the header 3"),
        ({"rows": [("a", "b", 1.5)]}, ValueError, "cells must be text; row 0 is"),
        ({"filters": ["year"]}, ValueError, "source, item, verdict.; got year"),
        ({"chosen": {"item": "x"}}, traitlets.TraitError, "among source; got 'item'"),
        ({"chosen": {"source": "x"}}, traitlets.TraitError, "no row has 'x'"),
    ],
)
def test_filter_table_names_what_does_not_fit(arguments, error, says):
    fitting = {"header": COLUMNS, "rows": CELLS, "filters": ["source"]}
    with pytest.raises(error, match=says):
        FilterTable(**fitting | arguments)


def test_filter_table_reads_whole_without_scripts():
    bundle, _ = FilterTable(COLUMNS, CELLS, caption="a < b")._repr_mimebundle_()
    assert bundle["text/html"].count("<tr>") == 1 + len(CELLS)
    for told in ("a &lt; b", "&lt;b&gt;&amp; more", "stem&#x27;s", "&quot;V2&quot;"):
        assert told in bundle["text/html"]
