"""The widgets: their Python side, then their front end in the built pages."""

import itertools
import json
import random

import pytest
import traitlets

from mbtools import cost, published
from mbtools.explorer import (
    ALPHAS,
    CHANNELS,
    KERNELS,
    RESOLUTIONS,
    SIZES,
    CostExplorer,
    LayerExplorer,
    pareto_front,
)

GRID = [
    (net, alpha, resolution)
    for net, alphas in ALPHAS.items()
    for alpha in alphas
    for resolution in RESOLUTIONS
]
ROWS = [row for row in published.ROWS if row.net in ALPHAS and row.precision == "float"]


def build(net, alpha, resolution):
    return published.BUILDERS[net](alpha, resolution)


def millions(count):
    return f"{count / 1e6:.{2 if count < 1e7 else 1}f} M"


def by_kind(net, quantity):
    return [
        sum(getattr(layer, quantity) for layer in net.layers if layer.kind == kind)
        for kind in cost.KINDS
    ]


# --- Python ----------------------------------------------------------------


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


# --- in the page -----------------------------------------------------------

# Moves the inputs as a hand would and reads what the page shows a frame later.
VISIT = """
async (box, [controls, visits]) => {
  const frame = () => new Promise(requestAnimationFrame);
  const read = () => Object.fromEntries([
    ...[...box.querySelectorAll("data")].map((x) => [x.dataset.key, Number(x.value)]),
    ...[...box.querySelectorAll("output")].map((x) => [x.htmlFor.value, x.value]),
    ["text", box.innerText],
  ]);
  const seen = [];
  for (const visit of visits) {
    controls.forEach((name, i) => {
      const inputs = [...box.querySelectorAll(`[data-control=${name}]`)];
      if (inputs[0].type === "radio") {
        inputs.find((x) => x.value === visit[i]).click();
      } else if (inputs[0].value !== String(visit[i])) {
        inputs[0].value = visit[i];
        inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
    await frame();
    seen.push(read());
  }
  return seen;
}
"""


@pytest.fixture
def cost_box(open_page):
    page = open_page("notebooks/03_width_and_resolution.html")
    return page.locator('[data-widget="cost-explorer"]').first


@pytest.fixture
def layer_box(open_page):
    page = open_page("notebooks/01_depthwise_separable.html")
    return page.locator('[data-widget="layer-explorer"]').first


def control(box, name):
    return box.locator(f'[data-control="{name}"]')


def shown(box, key):
    box.page.evaluate("() => new Promise(requestAnimationFrame)")
    return float(box.locator(f'data[data-key="{key}"]').get_attribute("value"))


def test_page_shows_what_nets_computes_at_every_setting(cost_box):
    controls = ("net", "alpha", "resolution")
    visits = [
        (net, ALPHAS[net].index(alpha), RESOLUTIONS.index(resolution))
        for net, alpha, resolution in GRID
    ]
    pages = cost_box.evaluate(VISIT, [controls, visits])
    for setting, page in zip(GRID, pages, strict=True):
        net, full = build(*setting), build(setting[0], 1.0, 224)
        expected = {
            "macs": net.macs,
            "params": net.params,
            "peak": net.peak_memory(),
            "macs_relative": pytest.approx(net.macs / full.macs),
            "params_relative": pytest.approx(net.params / full.params),
            "peak_relative": pytest.approx(net.peak_memory() / full.peak_memory()),
        }
        for quantity in ("macs", "params"):
            for kind, count in zip(cost.KINDS, by_kind(net, quantity), strict=True):
                expected[f"{quantity}.{kind}"] = count
        assert {key: page[key] for key in expected} == expected, setting
        shares = [
            f"{100 * net.shares(quantity)[kind]:.2f} %"
            for kind in cost.KINDS
            for quantity in ("macs", "params")
        ]
        rho = f"{setting[2]} px, ρ = {setting[2] / 224:.2f}"
        for told in (millions(net.macs), millions(net.params), rho, *shares):
            assert told in page["text"], (setting, told)
        rows = [row for row in ROWS if (row.net, row.alpha, row.resolution) == setting]
        for row in rows:
            assert f"{row.top1:.1f} % (" in page["text"]
            assert row.source in page["text"]
            if row.pixel1_ms:
                assert f"{row.pixel1_ms:g} ms on a Pixel 1" in page["text"]
        silent = "No published accuracy for this setting" in page["text"]
        assert silent == (not rows), setting


def test_nearest_published_setting_is_fewest_slider_steps_away(cost_box):
    cost_box.evaluate(
        VISIT, [("net", "alpha", "resolution"), [("v1", ALPHAS["v1"].index(0.7), 5)]]
    )
    near = cost_box.locator('[data-key="published"] button')
    assert near.inner_text() == "V1, α = 0.75, 224 px"
    near.click()
    assert shown(cost_box, "macs") == build("v1", 0.75, 224).macs


def test_mouse_and_keyboard_move_the_cost_sliders(cost_box):
    alpha, resolution = control(cost_box, "alpha"), control(cost_box, "resolution")
    for slider in (alpha, resolution):
        before = slider.input_value()
        slider.scroll_into_view_if_needed()
        at = slider.bounding_box()
        middle = at["y"] + at["height"] / 2
        mouse = cost_box.page.mouse
        mouse.move(at["x"] + 0.9 * at["width"], middle)
        mouse.down()
        mouse.move(at["x"] + 0.3 * at["width"], middle, steps=12)
        mouse.up()
        assert slider.input_value() != before
    setting = (
        ALPHAS["v1"][int(alpha.input_value())],
        RESOLUTIONS[int(resolution.input_value())],
    )
    assert shown(cost_box, "macs") == build("v1", *setting).macs
    alpha.press("End")
    resolution.press("Home")
    resolution.press("ArrowRight")
    assert shown(cost_box, "macs") == build("v1", 1.0, 128).macs
    assert resolution.get_attribute("aria-valuetext") == "128 pixels, rho 0.57"


def test_going_back_to_v1_takes_alpha_back_and_says_so(cost_box):
    control(cost_box, "net").nth(1).check()
    control(cost_box, "alpha").press("End")
    assert shown(cost_box, "macs") == build("v2", 1.4, 224).macs
    control(cost_box, "net").nth(0).check()
    assert shown(cost_box, "macs") == build("v1", 1.0, 224).macs
    assert "α taken back from 1.40 to 1.00" in cost_box.inner_text()


def test_a_point_of_the_picture_takes_you_there(cost_box):
    at = cost_box.locator(".mbx-chart .mbx-mark.mbx-v2").first
    at.scroll_into_view_if_needed()
    box = at.bounding_box()
    cost_box.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    macs = shown(cost_box, "macs")
    (row,) = [row for row in ROWS if row.net == "v2" and row.build().macs == macs]
    assert shown(cost_box, "top1") == row.top1


@pytest.mark.parametrize(
    ("max_macs", "max_params"),
    [("", ""), ("100", "2"), ("300", ""), ("", ".5"), ("568.8", "4.3"), ("10", "")],
)
def test_budget_finder_lists_what_fits(cost_box, max_macs, max_params):
    control(cost_box, "max_macs").fill(max_macs)
    control(cost_box, "max_params").fill(max_params)

    def fits(setting):
        net = build(*setting)
        return net.macs <= float(max_macs or "inf") * 1e6 and (
            net.params <= float(max_params or "inf") * 1e6
        )

    top1 = {}
    for row in ROWS:
        setting = row.net, row.alpha, row.resolution
        top1[setting] = max(row.top1, top1.get(setting, 0))
    expected = sorted(filter(fits, top1), key=lambda x: (-top1[x], build(*x).macs))
    possible = list(filter(fits, GRID))
    assert shown(cost_box, "published_fit") == len(expected)
    assert shown(cost_box, "grid_fit") == len(possible)

    def setting_of(button):
        net, alpha, resolution = (
            button.get_attribute(f"data-{x}") for x in ("net", "alpha", "resolution")
        )
        return net, float(alpha), int(resolution)

    buttons = cost_box.locator(".mbx-results button").all()
    assert [setting_of(button) for button in buttons] == expected[:5]
    for button, setting in zip(buttons, expected, strict=False):
        assert f"{top1[setting]:.1f} %" in button.inner_text()
    largest = max(set(possible) - set(top1), key=lambda x: build(*x).macs)
    unpublished = cost_box.locator(".mbx-largest button")
    assert build(*setting_of(unpublished)).macs == build(*largest).macs
    unpublished.click()
    assert shown(cost_box, "macs") == build(*largest).macs


@pytest.mark.parametrize("bad", ["many", "2,5", "-3", "0", "1e", "50000000", "9" * 400])
def test_bad_budget_is_named_and_nothing_is_lost(cost_box, bad):
    field, message = control(cost_box, "max_macs"), cost_box.locator(".mbx-message")
    field.fill("100")
    fitting = shown(cost_box, "published_fit")
    field.fill(bad)
    assert shown(cost_box, "published_fit") == fitting
    assert field.input_value() == bad
    assert field.get_attribute("aria-invalid") == "true"
    assert f"“{bad}”: write a number of millions" in message.inner_text()
    assert "100 M multiply-adds stays the limit" in message.inner_text()
    field.fill("")
    assert shown(cost_box, "grid_fit") == len(GRID)
    assert message.inner_text() == ""


@pytest.mark.parametrize(
    ("name", "budget", "says"),
    [
        ("max_macs", "7", "Nothing fits in 7 M multiply-adds"),
        ("max_params", "0.4", "Nothing fits in 0.4 M parameters"),
    ],
)
def test_budget_below_the_smallest_net_says_which(cost_box, name, budget, says):
    control(cost_box, name).fill(budget)
    assert shown(cost_box, "grid_fit") == 0
    message = cost_box.locator(".mbx-message").inner_text()
    smallest = build("v1", 0.25, 96)
    assert says in message
    assert "the smallest net here, V1, α = 0.25, 96 px" in message
    amount = smallest.macs if name == "max_macs" else smallest.params
    assert millions(amount) in message


def test_layer_explorer_shows_what_cost_computes(layer_box):
    controls = ("kernel", "in_channels", "out_channels", "size")
    # each ninth shape: all values of each control, in a few seconds
    shapes = list(itertools.product(KERNELS, CHANNELS, CHANNELS, SIZES))[::9]
    visits = [
        (KERNELS.index(k), CHANNELS.index(m), CHANNELS.index(n), SIZES.index(d))
        for k, m, n, d in shapes
    ]
    pages = layer_box.evaluate(VISIT, [controls, visits])
    for (k, m, n, d), page in zip(shapes, pages, strict=True):
        standard = cost.standard_macs(k, m, n, d)
        separable = cost.separable_macs(k, m, n, d)
        expected = {
            "macs.standard": standard,
            "macs.depthwise": cost.depthwise_macs(k, m, d),
            "macs.pointwise": cost.pointwise_macs(m, n, d),
            "macs.separable": separable,
            "weights.standard": cost.standard_macs(k, m, n, 1),
            "weights.separable": cost.separable_macs(k, m, n, 1),
            "ratio": pytest.approx(standard / separable),
            "reduction": pytest.approx(cost.reduction(k, n)),
        }
        assert {key: page[key] for key in expected} == expected
        verdict = "× fewer" if standard > separable else "× more"
        formula = f"1/{n} + 1/{k * k} = "
        for told in (f"{standard:,}", f"{separable:,}", verdict, formula):
            assert told in page["text"], (k, m, n, d)


def test_keyboard_moves_the_layer_sliders(layer_box):
    control(layer_box, "kernel").press("End")
    control(layer_box, "in_channels").press("Home")
    control(layer_box, "out_channels").press("ArrowRight")
    control(layer_box, "size").press("ArrowLeft")
    assert shown(layer_box, "macs.standard") == cost.standard_macs(7, 1, 256, 112)
