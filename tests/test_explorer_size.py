"""The size explorer: its Python side, and alone in a page."""

import itertools

import numpy as np
import pytest
import traitlets
from helpers import VISIT, control, problems_by_theme, shown

from mbtools import nets
from mbtools.explorer import SizeExplorer

DATA = {"drawn patterns": (60, 120), "solar cells": (60, 60)}
PICTURES = (60, 480)
# from the smallest to the largest
NETS = {
    "PDLightModel 0.25": (nets.pd_light_model, 0.25),
    "PDModel 0.25": (nets.pd_model, 0.25),
    "PDLightModel 1": (nets.pd_light_model, 1.0),
    "PDModel 1": (nets.pd_model, 1.0),
}
SETTINGS = list(itertools.product(DATA, PICTURES, NETS))
VALUES = dict(
    zip(
        SETTINGS,
        np.random.default_rng(0).uniform(30, 100, (len(SETTINGS), 5)),
        strict=True,
    )
)


def built(data, net):
    build, alpha = NETS[net]
    return build(alpha, DATA[data])


def results():
    # the explorer puts counts and nets in order
    for data, pictures, net in itertools.product(DATA, PICTURES[::-1], [*NETS][::-1]):
        yield data, pictures, built(data, net), VALUES[data, pictures, net]


def make(**choices):
    return SizeExplorer(results(), **choices)


def test_text_and_table_of_the_size_explorer():
    explorer = make(data="solar cells", pictures=60, net="PDModel 1")
    values = VALUES["solar cells", 60, "PDModel 1"]
    net = built("solar cells", "PDModel 1")
    accuracy = f"{values.mean():.1f} ± {values.std(ddof=1):.1f} %"
    assert repr(explorer) == (
        "SizeExplorer(data='solar cells', pictures=60, net='PDModel 1'): 734,246 "
        f"parameters, {net.macs:,} multiply-adds, {accuracy} over 5 seeds"
    )
    assert explorer.current == net
    assert explorer.accuracies == pytest.approx(values)
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/plain"] == repr(explorer)
    rows = bundle["text/html"].split("<tr>")[2:]
    for name, row in zip(NETS, rows, strict=True):
        net, values = built("solar cells", name), VALUES["solar cells", 60, name]
        for told in (
            f">{name}<",
            f">{net.params:,}<",
            f">{4 * net.params:,}<",
            f">{net.macs:,}<",
            f">{values.mean():.1f} ± {values.std(ddof=1):.1f} %<",
        ):
            assert told in row


def test_it_starts_with_the_first_data_the_most_pictures_the_largest_net():
    explorer = make()
    assert (explorer.data, explorer.pictures) == ("drawn patterns", 480)
    assert explorer.net == "PDModel 1"


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"data": "digits"}, "data must be one of drawn .*, solar cells; got 'digits'"),
        ({"pictures": 61}, "pictures must be one of 60, 480; got 61"),
        ({"net": "PDModel 2"}, "net must be one of PDLightModel 0.25, .*; got"),
    ],
)
def test_a_choice_that_there_is_not_is_named(choice, says):
    with pytest.raises(traitlets.TraitError, match=says):
        make(**choice)


def test_what_is_missing_or_doubled_is_named():
    rows = list(results())
    with pytest.raises(ValueError, match=r"no result of \('drawn patterns', 480, 'PDM"):
        SizeExplorer(rows[1:])
    with pytest.raises(ValueError, match=r"once.*'PDLightModel 0.25'\) with 5"):
        SizeExplorer([*rows, rows[-1]])
    with pytest.raises(ValueError, match=r"two seeds or more.*with 1"):
        SizeExplorer([(*rows[0][:3], [90.0]), *rows[1:]])
    for wrong in ([], [(*rows[0][:2], nets.mobilenet_v1(), [1, 2]), *rows]):
        with pytest.raises(ValueError, match="one or two kinds of nets; got"):
            SizeExplorer(wrong)


# In a page


def test_page_shows_what_was_measured_at_every_setting(mounted):
    box, watch = mounted(make())
    visits = [
        (data, PICTURES.index(pictures), list(NETS).index(net))
        for data, pictures, net in SETTINGS
    ]
    pages = box.evaluate(VISIT, [("data", "pictures", "net"), visits])
    for (data, pictures, net), page in zip(SETTINGS, pages, strict=True):
        values, counted = VALUES[data, pictures, net], built(data, net)
        expected = {
            "params": counted.params,
            "bytes": 4 * counted.params,
            "macs": counted.macs,
            "accuracy": pytest.approx(values.mean(), abs=5e-5),
        }
        assert {key: page[key] for key in expected} == expected
        for told in (
            f"± {values.std(ddof=1):.1f}, 5 seeds",
            f"{counted.params:,}",
            net,
            f"{pictures} pictures",
        ):
            assert told in page["text"], (net, told)
    assert not watch.problems


def test_points_stand_where_size_and_accuracy_are(mounted):
    box, _ = mounted(make())
    box.evaluate(VISIT, [("data", "pictures"), [("solar cells", 0)]])
    plot = box.locator(".mbx-plot").bounding_box()
    dots = [x.bounding_box() for x in box.locator(".mbx-plot .mbx-point").all()]
    right = [x["x"] + x["width"] / 2 for x in dots]
    sizes = [np.log10(built("solar cells", name).params) for name in NETS]
    assert np.corrcoef(right, sizes)[0, 1] > 0.999
    up = [plot["y"] + plot["height"] - x["y"] - x["height"] / 2 for x in dots]
    means = [VALUES["solar cells", 60, name].mean() for name in NETS]
    assert np.corrcoef(up, means)[0, 1] > 0.999
    bars = [x.bounding_box()["height"] for x in box.locator(".mbx-spread").all()]
    spreads = [VALUES["solar cells", 60, name].std(ddof=1) for name in NETS]
    assert np.corrcoef(bars, spreads)[0, 1] > 0.99


def test_nets_that_are_always_right_stand_at_the_top(mounted):
    rows = [(*row[:3], [100, 100]) for row in results()]
    box, _ = mounted(SizeExplorer(rows))
    assert box.locator(".mbx-level").all_inner_texts() == ["80 %", "100 %"]
    plot = box.locator(".mbx-plot").bounding_box()
    for dot in box.locator(".mbx-plot .mbx-point").all():
        place = dot.bounding_box()
        assert place["y"] + place["height"] / 2 == pytest.approx(plot["y"], abs=2)


def test_keyboard_and_a_press_move_it(mounted):
    box, _ = mounted(make())
    control(box, "net").press("Home")
    assert shown(box, "params") == built("drawn patterns", "PDLightModel 0.25").params
    control(box, "net").press("ArrowRight")
    assert shown(box, "params") == built("drawn patterns", "PDModel 0.25").params
    assert control(box, "net").get_attribute("aria-valuetext") == "PDModel 0.25"
    control(box, "pictures").press("Home")
    control(box, "data").nth(1).check()
    said = box.locator("[aria-live]")
    said.filter(has_text="PDModel 0.25, solar cells, 60 pictures: ").wait_for(
        state="attached"
    )
    box.locator(".mbx-plot .mbx-point").nth(2).click()
    assert shown(box, "macs") == built("solar cells", "PDLightModel 1").macs


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_a_page_with_it_is_healthy(mounted, width):
    box, watch = mounted(make(), width=width)
    assert not problems_by_theme(box.page, watch)
