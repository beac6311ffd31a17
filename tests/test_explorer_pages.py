"""The widgets' front end, in the built pages."""

import itertools
import json

import pytest
from helpers import VISIT, box_of, control, shown, wait_for_frame
from test_explorer import GRID, ROWS, build, by_kind

from mbtools import cost, nets, published
from mbtools.explorer import (
    ALPHAS,
    CHANNELS,
    KERNELS,
    PARTS,
    RESOLUTIONS,
    SIZES,
    FilterTable,
)


def millions(count):
    return f"{count / 1e6:.{2 if count < 1e7 else 1}f} M"


@pytest.fixture
def cost_box(open_page):
    page = open_page("notebooks/03_width_and_resolution.html")
    return box_of(page, "cost-explorer")


@pytest.fixture
def layer_box(open_page):
    page = open_page("notebooks/01_depthwise_separable.html")
    return box_of(page, "layer-explorer")


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
    assert shown(cost_box, "macs") == build("v2", 1.0, 224).macs
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


# one page for all budgets, as a reader types one after the other
def test_budget_finder_lists_what_fits(cost_box):
    top1 = {}
    for row in ROWS:
        setting = row.net, row.alpha, row.resolution
        top1[setting] = max(row.top1, top1.get(setting, 0))
    built = {setting: build(*setting) for setting in {*top1, *GRID}}

    def setting_of(button):
        net, alpha, resolution = (
            button.get_attribute(f"data-{x}") for x in ("net", "alpha", "resolution")
        )
        return net, float(alpha), int(resolution)

    for budget in [
        ("", ""),
        ("100", "2"),
        ("300", ""),
        ("", ".5"),
        ("568.8", "4.3"),
        ("10", ""),
    ]:
        control(cost_box, "max_macs").fill(budget[0])
        control(cost_box, "max_params").fill(budget[1])
        max_macs, max_params = (float(x or "inf") * 1e6 for x in budget)
        fits = {
            setting
            for setting, net in built.items()
            if net.macs <= max_macs and net.params <= max_params
        }
        expected = [setting for setting in top1 if setting in fits]
        expected.sort(key=lambda setting: (-top1[setting], built[setting].macs))
        assert shown(cost_box, "published_fit") == len(expected), budget
        assert shown(cost_box, "grid_fit") == len(fits & set(GRID)), budget

        buttons = cost_box.locator(".mbx-results button").all()
        found = [setting_of(button) for button in buttons]
        assert found == expected[:5], budget
        for button, setting in zip(buttons, expected, strict=False):
            assert f"{top1[setting]:.1f} %" in button.inner_text(), budget
        largest = max(built[x].macs for x in fits & set(GRID) - set(top1))
        unpublished = cost_box.locator(".mbx-largest button")
        assert built[setting_of(unpublished)].macs == largest, budget
        unpublished.click()
        assert shown(cost_box, "macs") == largest, budget


def test_bad_budget_is_named_and_nothing_is_lost(cost_box):
    field, message = control(cost_box, "max_macs"), cost_box.locator(".mbx-message")
    for bad in ("many", "2,5", "-3", "0", "1e", "50000000", "9" * 400):
        field.fill("100")
        fitting = shown(cost_box, "published_fit")
        field.fill(bad)
        assert shown(cost_box, "published_fit") == fitting, bad
        assert field.input_value() == bad
        assert field.get_attribute("aria-invalid") == "true", bad
        assert f"“{bad}”: write a number of millions" in message.inner_text()
        assert "100 M multiply-adds stays the limit" in message.inner_text(), bad
        field.fill("")
        assert shown(cost_box, "grid_fit") == len(GRID), bad
        assert message.inner_text() == "", bad


def test_budget_below_the_smallest_net_says_which(cost_box):
    smallest = build("v1", 0.25, 96)
    for name, budget, says, amount in (
        ("max_macs", "7", "Nothing fits in 7 M multiply-adds", smallest.macs),
        ("max_params", "0.4", "Nothing fits in 0.4 M parameters", smallest.params),
    ):
        control(cost_box, name).fill(budget)
        assert shown(cost_box, "grid_fit") == 0, name
        message = cost_box.locator(".mbx-message").inner_text()
        assert says in message
        assert "the smallest net here, V1, α = 0.25, 96 px" in message
        assert millions(amount) in message
        control(cost_box, name).fill("")
        assert shown(cost_box, "grid_fit") == len(GRID), name


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


@pytest.fixture
def browser_box(open_page):
    page = open_page("notebooks/02_mobilenet_v1.html")
    return box_of(page, "layer-browser")


@pytest.fixture
def walk_box(open_page):
    page = open_page("notebooks/06_mobilenet_v2.html")
    return box_of(page, "memory-walk")


@pytest.fixture
def table_box(open_page):
    return box_of(open_page("notebooks/ledger.html"), "filter-table")


def plain(text):
    return text.replace("\u00a0", " ")


def test_layer_browser_shows_each_layer_of_each_net(browser_box):
    nets_ = {key: build(key, 1.0, 224) for key in published.BUILDERS}
    stops = [(key, i) for key in nets_ for i in range(len(nets_[key].layers))]
    pages = browser_box.evaluate(VISIT, [("net", "layer"), stops])
    for (key, i), page in zip(stops, pages, strict=True):
        net, layer = nets_[key], nets_[key].layers[i]
        memory = layer.activation_bytes()
        expected = {
            "macs": layer.macs,
            "params": layer.params,
            "weights": layer.weights,
            "memory": memory,
            "memory_share": pytest.approx(memory / net.peak_memory()),
        }
        for quantity in ("macs", "params", "weights"):
            share = getattr(layer, quantity) / getattr(net, quantity)
            expected[f"{quantity}_share"] = pytest.approx(share)
        for quantity in ("macs", "weights"):
            for kind in (*cost.KINDS, "all"):
                expected[f"{quantity}.{kind}"] = sum(
                    getattr(x, quantity)
                    for x in net.layers[: i + 1]
                    if kind in (x.kind, "all")
                )
        assert {name: page[name] for name in expected} == expected, (key, i)
        told = [layer.name, f"{i + 1} of {len(net.layers)}", f"{layer.macs:,}"]
        told += [
            f"{x} × {y} × {y}"
            for x, y in (
                (layer.in_channels, layer.in_size),
                (layer.out_channels, layer.out_size),
            )
        ]
        for text in told:
            assert text in plain(page["text"]), (key, i, text)


def test_layer_browser_ends_at_table_2(browser_box):
    control(browser_box, "layer").press("End")
    browser_box.get_by_text("classifier", exact=True).first.wait_for()
    for kind, macs, weights in (  # V1, Table 2, where 1.91 is printed as 1.19
        ("conv", "1.91 %", "0.02 %"),
        ("depthwise", "3.06 %", "1.06 %"),
        ("pointwise", "94.86 %", "74.59 %"),
        ("linear", "0.18 %", "24.33 %"),
    ):
        row = browser_box.locator("tr", has_text=kind).inner_text()
        assert row.split("\t") == [kind, macs, weights]


def test_buttons_and_bars_walk_the_layers(browser_box):
    layers = build("v1", 1.0, 224).layers
    back, on = browser_box.locator(".mbx-button").all()
    assert back.is_disabled()
    on.click()
    on.click()
    back.click()
    assert shown(browser_box, "macs") == layers[1].macs
    on.evaluate("(button) => { button.click(); button.click(); }")  # in one frame
    assert shown(browser_box, "macs") == layers[3].macs
    strip = browser_box.locator(".mbx-strip")
    for i in (0, 13, 27):
        x = (i + 0.5) / 28 * strip.bounding_box()["width"]
        strip.click(position={"x": x, "y": 10})
        assert shown(browser_box, "params") == layers[i].params
    assert on.is_disabled()
    control(browser_box, "net").nth(2).check()  # the shallow net ends earlier
    assert shown(browser_box, "macs.all") == build("shallow", 1.0, 224).macs


def test_bars_are_to_scale(browser_box):
    for quantity in ("memory", "params", "macs"):
        browser_box.locator(f'[data-control="quantity"][value="{quantity}"]').check()
        wait_for_frame(browser_box.page)
        heights = browser_box.locator(".mbx-strip").evaluate(
            """(strip) => [...strip.children].map((x) =>
              parseFloat(x.lastChild.style.height))"""
        )
        counts = [
            layer.activation_bytes()
            if quantity == "memory"
            else getattr(layer, quantity)
            for layer in build("v1", 1.0, 224).layers
        ]
        expected = [100 * x / max(counts) for x in counts]
        assert heights == pytest.approx(expected, rel=1e-4), quantity


def test_memory_walk_shows_each_block_at_each_slicing(walk_box):
    nets_ = {key: build(key, 1.0, 224) for key in ("v1", "v2")}
    slicings = [*itertools.product((2, 4), range(len(PARTS)))]
    peaks = {
        (size, p): {f"peak.{x}": nets_[x].peak_memory(size, PARTS[p]) for x in nets_}
        for size, p in slicings
    }
    stops = [
        (key, size, p, block)
        for key in nets_
        for size, p in slicings
        for block in range(len(nets_[key].blocks))
    ]
    visits = [(key, str(size), p, block) for key, size, p, block in stops]
    controls = ("net", "bytes_per_value", "parts", "block")
    pages = walk_box.evaluate(VISIT, [controls, visits])
    for (key, size, p, i), page in zip(stops, pages, strict=True):
        block, parts = nets_[key].blocks[i], PARTS[p]
        held = nets.block_memory(block, parts, size)
        assert page["together"] == held, (key, size, parts, i)
        assert page["input"] + page["inside"] + page["output"] == held
        if parts > 1:  # a streamed block holds its input and output whole
            assert page["input"] == block[0].in_values * size
            assert page["output"] == block[-1].out_values * size
        for name, peak in peaks[size, p].items():
            assert page[name] == peak
        assert f"{held:,}" in page["text"]
        first, last = block[0], block[-1]
        for channels, side in (
            (first.in_channels, first.in_size),
            (last.out_channels, last.out_size),
        ):
            assert f"{channels} × {side} × {side}" in plain(page["text"])


def test_streaming_turns_v2_below_v1(walk_box):
    assert "2,408 kB" in walk_box.inner_text()  # V1
    assert "3,011 kB" in walk_box.inner_text()  # V2
    control(walk_box, "parts").press("End")
    assert shown(walk_box, "peak.v2") == 1_229_312
    assert shown(walk_box, "peak.v1") == 2_433_536
    assert "one channel inside at a time" in walk_box.inner_text()


def test_memory_bars_are_to_one_scale(walk_box):
    heights = """(strip) => [...strip.children].map((x) =>
      [...x.children].reduce((sum, y) => sum + parseFloat(y.style.height), 0))"""
    highest = build("v2", 1.0, 224).peak_memory()
    for parts in (1, 4):
        index = PARTS.index(parts)
        walk_box.evaluate(VISIT, [("net", "parts"), [("v1", index)]])
        bars = walk_box.locator(".mbx-strip").evaluate(heights)
        blocks = build("v1", 1.0, 224).blocks
        held = [100 * nets.block_memory(x, parts) / highest for x in blocks]
        assert bars == pytest.approx(held, rel=1e-4)


QUERIES = [
    ("", {}),
    ("V2", {}),
    ("Table 2", {}),
    ("  table  1 ", {"verdict": "typo"}),
    ("TF-slim 0.75", {}),
    ("param (M)", {}),
    ("α²", {}),
    ("multiply-adds", {"source": "TF-slim"}),
    ("", {"source": "TF-slim", "verdict": "rounding"}),
    ("<script> no such words", {}),
    ("1.4", {"verdict": "not reproducible"}),
]


def test_filter_table_shows_in_the_page_what_it_shows_in_python(table_box):
    script = table_box.page.locator('.mb-widget[data-name="FilterTable"] > script')
    stored = json.loads(script.first.text_content())["state"]
    part = table_box.page.evaluate("(x) => mbParts[x.part]", stored["_table"])
    table = FilterTable(**json.loads(part))
    search, clear = control(table_box, "query"), table_box.locator(".mbx-button")
    for query, chosen in QUERIES:
        search.fill(query)
        for name in table.filters:
            control(table_box, name).select_option(label=chosen.get(name, "all"))
        table.query, table.chosen = query, chosen
        assert shown(table_box, "shown") == len(table.shown), (query, chosen)
        rows = table_box.locator("tbody:not([hidden])").evaluate_all(
            """(rows) => rows.map((row) =>
              [...row.querySelectorAll("td")].map((cell) => cell.textContent))"""
        )
        # a remark below its row is the last column's, and an empty one is left out
        assert [tuple(row) for row in rows] == [
            row if row[-1] else row[:-1] for row in table.shown
        ]
        says = table_box.locator(".mbx-none")
        assert says.is_visible() == (not table.shown)
        assert clear.is_enabled() == bool(query or chosen)
    clear.click()
    assert shown(table_box, "shown") == len(table.rows)
    assert search.input_value() == ""


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_filtered_rows_take_no_room(open_page, width):
    page = open_page("notebooks/ledger.html", width=width)
    box = box_of(page, "filter-table")
    control(box, "query").fill("classifier")
    left = shown(box, "shown")
    assert 0 < left < 50
    height = box.locator("table").bounding_box()["height"]
    assert height < 250 * (left + 1)
    scroll = "(x) => x.scrollWidth <= x.clientWidth"
    assert box.locator(".mbx-scroll").evaluate(scroll)
