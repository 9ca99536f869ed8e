"""Charts draw the numbers they are given, with one colour a policy, and say what they show."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from nts_sim.charts import Chart, build_charts, figure_bytes, view_of
from nts_sim.charts.buildup import mechanism_buildup, stacked
from nts_sim.charts.comparison import axis_range, policy_comparison, scenario_comparison
from nts_sim.charts.fans import fans
from nts_sim.charts.flow import resource_flow
from nts_sim.charts.frame import spread_apart
from nts_sim.charts.ground import ground_of
from nts_sim.charts.maps import days_shown, incident_map
from nts_sim.charts.style import MAP_COLOURS, NO_NEED, OKABE_ITO, policy_colour, readable
from nts_sim.words import name_of, say
from tests.charts import synthetic
from tests.charts.synthetic import BASELINE, BEST, POLICIES, RUN_ID, SCENARIO

FRAMES = synthetic.frames()
VIEW = view_of(FRAMES, RUN_ID, BASELINE)
GROUND = ground_of(synthetic.geojson())
SHAPES, NAMES = GROUND.shapes, GROUND.names
CHARTS = build_charts(FRAMES, synthetic.geojson(), VIEW)


def _texts(chart: Chart) -> list[str]:
    axes = [text.get_text() for ax in chart.axes for text in ax.texts]
    labels = [tick.get_text() for ax in chart.axes for tick in (*ax.get_yticklabels(),)]
    titles = [part for ax in chart.axes
              for part in (ax.get_title("left"), ax.get_xlabel(), ax.get_ylabel())]  # fmt: skip
    return [text.get_text().replace("\n", " ") for text in chart.texts] + axes + labels + titles


def _built(frames: Mapping[str, pd.DataFrame]) -> dict[str, Chart]:
    view = view_of(frames, RUN_ID, BASELINE)
    return build_charts(frames, synthetic.geojson(), view)


# --- every chart ------------------------------------------------------------------------------


def test_the_expected_charts_are_there() -> None:
    assert list(CHARTS) == [
        "policy_comparison", "tradeoff", "fans", "map", "help_map", "flow", "buildup",
    ]  # fmt: skip
    assert (VIEW.policy, VIEW.baseline, VIEW.scenario) == (BEST, BASELINE, SCENARIO)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_says_what_it_found_how_to_read_it_and_whence_it_comes(name: str) -> None:
    chart = CHARTS[name]
    texts = _texts(chart)
    assert chart.finding in texts
    assert any(character.isdigit() for character in chart.finding)
    assert any(RUN_ID in text and "200 replications" in text for text in texts)
    assert any("not a register" in text for text in texts)
    assert chart.finding in chart.alt and len(chart.alt) > len(chart.finding) + 20
    assert chart.reading.endswith(".")


def test_the_same_tables_give_the_same_bytes() -> None:
    for name, again in _built(FRAMES).items():
        assert figure_bytes(again, "svg") == figure_bytes(CHARTS[name], "svg")
        png = figure_bytes(again, "png")
        assert png.startswith(b"\x89PNG") and png == figure_bytes(again, "png")


def test_svg_fetches_nothing_and_holds_no_script() -> None:
    for chart in CHARTS.values():
        svg = figure_bytes(chart, "svg").decode("utf-8").lower()
        assert "<script" not in svg and "@import" not in svg and "url(http" not in svg
        assert set(re.findall(r'href="([^"]{5})', svg)) <= {"data:", "#mark"} | _inner(svg)


def _inner(svg: str) -> set[str]:
    """Beginnings of links to parts of the same drawing."""
    return {f"#{name}"[:5] for name in re.findall(r'id="([^"]+)"', svg)}


def test_drawing_leaves_the_settings_of_matplotlib_alone() -> None:
    before = _settings()
    _built(FRAMES)
    assert _settings() == before


def _settings() -> dict[str, Any]:
    """All but the backend, which matplotlib chooses by itself when somebody first looks."""
    return {key: mpl.rcParams[key] for key in mpl.rcParams if key != "backend"}


def _faults(chart: Chart) -> list[str]:
    """Texts that a printed page would cut off, and labels written over one another."""
    canvas = FigureCanvasAgg(chart)
    canvas.draw()
    renderer = canvas.get_renderer()
    drawn = [t for t in chart.findobj(mpl.text.Text) if t.get_text().strip() and t.get_visible()]
    page = chart.bbox.padded(1.0)
    cut = [t.get_text() for t in drawn if _on_paper(t) and not _within(page, t, renderer)]
    labels = [(t.get_text(), t.get_window_extent(renderer).padded(-1.0))
              for axes in chart.axes for t in axes.texts]  # fmt: skip
    over = [f"{a} | {b}" for (a, one), (b, other) in combinations(labels, 2) if one.overlaps(other)]
    return cut + over


def _on_paper(text: mpl.text.Text) -> bool:
    """Axes switched off have tick labels that are never drawn."""
    return text.axes is None or text.axes.axison or text in text.axes.texts


def _within(page: Any, text: mpl.text.Text, renderer: Any) -> bool:
    box = text.get_window_extent(renderer)
    return bool(page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1))


OFFICE = "standing_office_for_search_rescue_relief_and_recovery_under_the_steering_committee"
LONG = "a policy whose planner gave it a name that would not fit on any page of any report at all"


def _with_long_names() -> dict[str, pd.DataFrame]:
    made = {}
    for name, table in FRAMES.items():
        changed = {}
        if "policy" in table.columns:
            changed["policy"] = table["policy"].replace({"greedy": LONG.replace(" ", "_")})
        for column in ("mechanism", "resource"):
            if column in table.columns:
                changed[column] = table[column].replace({"military": OFFICE, "rice_t": OFFICE})
        made[name] = table.assign(**changed)
    return made


@pytest.mark.parametrize("frames", [FRAMES, _with_long_names(), synthetic.calm_frames(),
                                    synthetic.empty_frames(),
                                    synthetic.of_policies(FRAMES, "do_nothing")],
                         ids=["usual", "long names", "calm", "no rows", "one policy"])  # fmt: skip
def test_no_text_leaves_the_page_or_hides_another(frames: Mapping[str, pd.DataFrame]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        faults = {name: _faults(chart) for name, chart in _built(frames).items()}
    assert faults == {name: [] for name in faults}


@pytest.mark.parametrize("name", ["tradeoff", "fans", "map", "help_map", "flow", "buildup"])
def test_where_nothing_happened_the_chart_says_so(name: str) -> None:
    for frames in (synthetic.calm_frames(), synthetic.empty_frames()):
        chart = _built(frames)[name]
        assert say("chart.empty.note") in _texts(chart)
        assert not chart.axes


def test_a_single_policy_is_compared_with_nothing() -> None:
    alone = synthetic.of_policies(FRAMES, "do_nothing")
    charts = _built(alone)
    assert "policy_comparison" not in charts
    assert view_of(alone, RUN_ID, BASELINE).baseline == "do_nothing"


def test_unheard_of_names_are_drawn_as_they_are() -> None:
    """Letters of any kind, mathematics and markup in names are plain text."""
    odd = "Ủy ban $x^2$ <b>"
    table = FRAMES["flows"].assign(resource=odd)
    chart = resource_flow(table, VIEW, NAMES)
    assert any(odd in text for text in _texts(chart))
    figure_bytes(chart, "png")


# --- colours ----------------------------------------------------------------------------------


def test_one_colour_a_policy_everywhere() -> None:
    colours = {policy: policy_colour(policy) for policy in POLICIES}
    assert len(set(colours.values())) == len(POLICIES)
    assert set(colours.values()) - {"#999999"} <= set(OKABE_ITO)
    for axes in CHARTS["fans"].axes:
        drawn = {line.get_label(): to_hex(line.get_color()).upper() for line in axes.lines
                 if line.get_label() in colours}  # fmt: skip
        assert drawn == colours
    first = CHARTS["policy_comparison"].axes[0]
    labels = {tick.get_text(): tick.get_color() for tick in first.get_yticklabels()}
    others = {policy: colour for policy, colour in colours.items() if policy != BASELINE}
    assert labels == {name_of("policy", p): readable(c) for p, c in others.items()}


def test_a_planners_own_policy_keeps_its_colour_whoever_else_is_there() -> None:
    fewer = synthetic.of_policies(FRAMES, BASELINE, BEST)
    for frames in (FRAMES, fewer):
        own = frames["daily"].replace({"policy": {BEST: "mine"}})
        axes = fans(own, replace(VIEW, policy="mine")).axes[0]
        (line,) = [line for line in axes.lines if line.get_label() == "mine"]
        assert line.get_color() == policy_colour("mine")


@pytest.mark.parametrize("colour", OKABE_ITO)
def test_text_in_any_colour_can_be_read_on_paper(colour: str) -> None:
    rgb = np.array(mpl.colors.to_rgb(readable(colour)))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    assert 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 4.5


# --- each chart: the data are the data ------------------------------------------------------------


def test_fans_draw_the_means_and_the_quantiles() -> None:
    daily = FRAMES["daily"]
    for axes, series in zip(CHARTS["fans"].axes, ("active_incidents", "people_unmet"), strict=True):
        for policy in POLICIES:
            (line,) = [drawn for drawn in axes.lines if drawn.get_label() == policy]
            rows = daily[(daily["policy"] == policy) & (daily["series"] == series)]
            assert np.array_equal(line.get_ydata(), rows["mean"])
            assert np.array_equal(line.get_xdata(), rows["day"])
        tops = {round(float(c.get_datalim(axes.transData).y1), 6) for c in axes.collections}
        wanted = daily[daily["policy"].isin((BASELINE, BEST)) & (daily["series"] == series)]
        peaks = wanted.groupby("policy")[["q75", "q95"]].max().to_numpy().ravel()
        assert tops == {round(float(peak), 6) for peak in peaks}
        assert axes.get_ylim()[1] > peaks.max()


def test_the_title_of_the_fans_is_the_difference_by_hand() -> None:
    daily = FRAMES["daily"]
    unmet = daily[daily["series"] == "people_unmet"].groupby("policy")["mean"].sum()
    share = round(100 * (1 - unmet[BEST] / unmet[BASELINE]))
    assert f"({share}\u00a0% less)" in CHARTS["fans"].finding


def _markers(axes: Axes) -> dict[int, float]:
    """Where the mean difference of each row stands, rows counted from below."""
    return {int(line.get_ydata()[0]): float(line.get_xdata()[0]) for line in axes.lines
            if line.get_marker() not in ("None", "", "<", ">")}  # fmt: skip


def test_the_comparison_draws_differences_and_intervals() -> None:
    table = FRAMES["comparison"]
    chart = policy_comparison(table, VIEW, ["harm_bn_vnd"])
    (axes,) = chart.axes
    rows = table[table["metric"] == "harm_bn_vnd"].sort_values("diff", ascending=False)
    assert list(_markers(axes).values()) == pytest.approx(rows["diff"].tolist())
    bars = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2][1:]
    assert np.array(bars) == pytest.approx(rows[["low", "high"]].to_numpy())
    assert axes.get_xlabel() == say("axis.difference", unit="bn VND")
    assert "12.0\u00a0%" in chart.finding and "the optimised plan" in chart.finding.lower()


def test_a_far_policy_does_not_squeeze_the_others() -> None:
    low, high = axis_range([-110, -60, 9000], [-90, -40, 9400])
    assert low < -110 and 0 < high < 9000
    assert axis_range([2.0], [3.0])[0] <= 0.0
    assert axis_range([0.0], [0.0]) == (-1.0, 1.0)
    rows = FRAMES["comparison"]
    far = rows.copy()
    its_harm = (far["metric"] == "harm_bn_vnd") & (far["policy"] == "do_nothing")
    far.loc[its_harm, ["diff", "low", "high"]] = (9e5, 8e5, 1e6)
    (axes,) = policy_comparison(far, VIEW, ["harm_bn_vnd"]).axes
    assert any(line.get_marker() == ">" for line in axes.lines)
    assert "+900,000" in " ".join(text.get_text() for text in axes.texts)


@pytest.mark.parametrize(("diff", "separable", "key"), [
    (-50.0, True, "better"), (-50.0, False, "unclear"), (50.0, True, "none_better"),
])  # fmt: skip
def test_the_comparison_claims_no_more_than_was_found(
    diff: float, separable: bool, key: str
) -> None:
    rows = FRAMES["comparison"].query("policy == 'greedy'")
    rows = rows.assign(diff=diff, low=diff - 9, high=diff + 9, separable=separable,
                       relative_pct=diff / 10)  # fmt: skip
    wanted = {"better": "cuts", "unclear": "No policy is clearly better", "none_better":
              "No policy does better"}[key]  # fmt: skip
    assert wanted in policy_comparison(rows, VIEW).finding


def test_scenarios_are_compared_side_by_side() -> None:
    frames = synthetic.set_frames("all_hazards", "calm_year", "typhoon_north")
    calm = frames["summary"]["scenario"] == "calm_year"
    frames["summary"].loc[calm, "mean"] /= 10.0
    view = view_of(frames, RUN_ID, BASELINE)
    assert (view.asked, view.scenario) == ("all_hazards", "typhoon_north")
    charts = build_charts(frames, synthetic.geojson(), view)
    assert "scenario_comparison" in charts
    axes = scenario_comparison(frames["comparison"], view).axes[0]
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert set(labels) >= {name_of("scenario", s) for s in ("typhoon_north", "calm_year")}


def test_the_map_colours_each_province_by_its_share() -> None:
    rows = FRAMES["map_days"]
    chart = incident_map(rows, VIEW, GROUND)
    days = days_shown(rows[rows["policy"] == BEST])
    assert 1 <= len(days) <= 4 and days == sorted(days)
    assert rows.groupby("day")["active_share"].sum().idxmax() in days
    maps = [axes for axes in chart.axes if any(isinstance(c, PolyCollection) and
            len(c.get_paths()) > 30 for c in axes.collections)]  # fmt: skip
    assert len(maps) == 3 * len(days)
    codes = [code for code, rings in SHAPES.items() for _ in rings]
    _check_colours(maps[: len(days)], days, codes, BEST, "active_share")
    _check_colours(maps[len(days) : 2 * len(days)], days, codes, BEST, "served_share")
    _check_colours(maps[2 * len(days) :], days, codes, BASELINE, "served_share")
    assert "Hoàng Sa\n(Đà Nẵng)" in [t.get_text() for t in maps[0].texts]
    assert "Trường Sa\n(Khánh Hòa)" in [t.get_text() for t in maps[0].texts]


def _check_colours(
    maps: list[Axes], days: list[int], codes: list[str], policy: str, column: str
) -> None:
    rows = FRAMES["map_days"]
    for axes, day in zip(maps, days, strict=True):
        then = rows[(rows["day"] == day) & (rows["policy"] == policy)].set_index("place")
        (provinces,) = [c for c in axes.collections if len(c.get_paths()) == len(codes)]
        for code, colour in zip(codes, provinces.get_facecolors(), strict=True):
            known = then.loc[code, "active_share"] > 0.02 and np.isfinite(then.loc[code, column])
            wanted: Any = mpl.colormaps[MAP_COLOURS](then.loc[code, column]) if known else NO_NEED
            assert np.allclose(colour, mpl.colors.to_rgba(wanted)), (code, day)


def test_the_map_has_all_provinces_and_its_title_names_the_worst_served() -> None:
    assert len(SHAPES) == 34 and set(SHAPES) <= set(NAMES)
    assert any(name in CHARTS["map"].finding for name in NAMES.values())
    assert NAMES["31"] == "Hải Phòng"


def test_the_buildup_stacks_to_the_share_covered() -> None:
    rows = FRAMES["buildup"]
    table = stacked(rows, VIEW)
    mine = rows[rows["policy"] == BEST]
    assert table.sum(axis=1).to_numpy() == pytest.approx(mine.groupby("day")["share"].sum())
    assert (table.columns[0], table.columns[-1]) == ("local_on_spot", "other")
    assert table.shape[1] == 8
    axes = mechanism_buildup(rows, VIEW).axes[0]
    layers = [c for c in axes.collections if isinstance(c, PolyCollection)]
    assert len(layers) == 8
    tops = [c.get_paths()[0].vertices[:, 1].max() for c in layers]
    assert tops == pytest.approx(table.cumsum(axis=1).max().tolist())


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    placed = spread_apart([0.5, 0.5, 0.1, 0.52], 0.1, 0.0, 1.0)
    order = sorted(range(4), key=lambda i: placed[i])
    assert order[0] == 2 and placed[3] == max(placed)
    gaps = np.diff(sorted(placed))
    assert gaps.min() >= 0.1 - 1e-12 and min(placed) >= 0.0 and max(placed) <= 1.0
    crowded = spread_apart([0.5] * 21, 0.1, 0.0, 1.0)
    assert np.diff(sorted(crowded)) == pytest.approx([0.05] * 20)
