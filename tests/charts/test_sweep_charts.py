"""Charts of sweeps and of what they teach: the right kind, the right numbers, no gap hidden."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.patches import Rectangle

from nts_sim.charts import Chart, View, figure_bytes
from nts_sim.charts.breakeven import breakeven_line, breakeven_sentence
from nts_sim.charts.discovery import discovery_chart, discovery_sentence
from nts_sim.charts.regret import regret_heat, robustness_sentence
from nts_sim.charts.sensitivity import sensitivity_bars, sensitivity_charts, sensitivity_sentence
from nts_sim.charts.sweep import sweep_charts, sweep_view
from nts_sim.charts.sweep_cells import axis_name, shape_of, sweep_of
from nts_sim.charts.sweep_changes import sweep_changes
from nts_sim.charts.sweep_labels import cell_labels
from nts_sim.outcomes.insight.breakeven import breakeven
from nts_sim.outcomes.insight.discovery import Failing, discover, holds
from nts_sim.outcomes.insight.robustness import regret_table, robustness_table
from nts_sim.outcomes.insight.sensitivity import Design, morris_design, sensitivity_table
from nts_sim.outcomes.insight.sensitivity import sobol_design as sobol
from nts_sim.words import number
from tests.charts.test_charts import _faults as _all_faults
from tests.charts.test_charts import _texts
from tests.insight.sweeps import (
    METRIC,
    axes_of,
    cells_of,
    grid,
    results_of,
    summary_of,
    uniforms,
)

BASE, PLAN, SCENARIO = "current_practice", "stochastic", "typhoon_north"
LONG = "a_policy_whose_planner_gave_it_a_name_that_would_not_fit_on_any_page_at_all"
OPTION = "an_option_with_a_name_that_goes_on_and_on_without_ever_coming_to_an_end"
POLICIES = [BASE, PLAN, "greedy", LONG]
VIEW = View(SCENARIO, SCENARIO, PLAN, BASE, "sweep-3f9a2c71", 20)
TIMES = "\N{MULTIPLICATION SIGN}"
LAGS, STOCKS = [0.0, 1.0, 2.0, 3.0, 4.0], [0.4, 0.7, 1.0]


def _faults(chart: Chart) -> list[str]:
    """Faults of what is drawn: labels of ticks beyond the ends of an axis are not."""
    FigureCanvasAgg(chart).draw()
    for axes in chart.axes:
        for axis, ends in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in axis.get_major_ticks():
                tick.label1.set_visible(min(ends) <= tick.get_loc() <= max(ends))
    return _all_faults(chart)


def _burden(at: Mapping[str, Any], policy: str) -> float:
    """The plan gains 60 bn at no lag, 20 less a day: it breaks even at a lag of three days."""
    lag = float(at.get("information.lag_days", 1.0))
    base = 2600.0 + 180.0 * lag - 400.0 * float(at.get("resources.stock_factor", 1.0))
    own = {BASE: 0.0, PLAN: 20.0 * lag - 60.0, "greedy": -5.0, LONG: 40.0, "do_nothing": 900.0}
    return base + own[policy]


def _random(n: int = 40) -> pd.DataFrame:
    u = uniforms((n, 4), 4)
    return cells_of(pd.DataFrame({
        "information.lag_days": 5.0 * u[:, 0], "resources.stock_factor": 0.2 + 1.8 * u[:, 1],
        "preparation": np.where(u[:, 2] < 0.5, "none", OPTION), "crews": (9 * u[:, 3]).astype(int),
    }))  # fmt: skip


def _one_at_a_time() -> pd.DataFrame:
    """As it is, and one thing of it changed in each cell."""
    as_it_is = {
        "information.lag_days": 1.0, "resources.stock_factor": 1.0,
        "mechanism.changes.military.enabled": "true", "mechanism.desk_servers.PM": 2,
    }  # fmt: skip
    others = [
        {"information.lag_days": 4.0}, {"information.lag_days": 0.0},
        {"resources.stock_factor": 2.0}, {"mechanism.changes.military.enabled": "false"},
        {"mechanism.desk_servers.PM": 4},
    ]  # fmt: skip
    return cells_of(pd.DataFrame([as_it_is, *({**as_it_is, **other} for other in others)]))


SHAPES: dict[str, tuple[pd.DataFrame, str]] = {
    "one number": (grid(information__lag_days=LAGS), "sweep_lines"),
    "one name": (grid(preparation=["none", "standard", OPTION]), "sweep_dots sweep_changes"),
    "one at a time": (_one_at_a_time(), "sweep_changes"),
    "two": (grid(information__lag_days=LAGS, resources__stock_factor=STOCKS), "sweep_heat"),
    "two names": (grid(preparation=["none", OPTION], measure=["none", "training"]), "sweep_heat"),
    "three": (grid(information__lag_days=LAGS, resources__stock_factor=STOCKS,
                   preparation=["none", "standard", OPTION]), "sweep_heat"),
    "five": (grid(information__lag_days=LAGS[:3], resources__stock_factor=STOCKS, crews=[1, 2],
                  preparation=["none", "rich"], measure=["none", "training"]), "sweep_heat"),
    "too many panels": (grid(information__lag_days=[0.0, 1.0], crews=[1, 2], desks=[1, 2],
                             teams=[1, 2], preparation=["none", "rich"], trucks=[1, 2]),
                        "sweep_scatter"),
    "random": (_random(), "sweep_scatter"),
    "zipped": (cells_of(pd.DataFrame({"information.lag_days": LAGS, "crews": [1, 2, 3, 4, 5]})),
               "sweep_scatter"),
}  # fmt: skip


def _drawn(
    cells: pd.DataFrame, policies: Sequence[str] = POLICIES, lost: Sequence[int] = (), **kwargs: Any
) -> dict[str, Chart]:
    axes = axes_of(cells)
    summary = summary_of(results_of(cells, policies, _burden, **kwargs), axes, BASE)
    summary = summary[~summary["cell"].isin(lost)]
    view = sweep_view(summary, SCENARIO, VIEW.run_id, BASE)
    return sweep_charts(cells, summary, axes, view)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("policies", [POLICIES, [PLAN]])
def test_the_shape_of_the_grid_chooses_the_chart(name: str, policies: list[str]) -> None:
    cells, kinds = SHAPES[name]
    charts = _drawn(cells, policies, lost=(1,), replications=4)
    assert list(charts) == kinds.split()
    for chart in charts.values():
        assert _faults(chart) == []
        assert any(character.isdigit() for character in chart.finding)
        assert chart.finding in chart.alt and chart.reading.endswith(".")
        told = " ".join(_texts(chart))
        assert f"1 of {len(cells)} cells, which has no result" in told
        assert "sweep-3f9a2c71" in told


def test_a_single_axis_of_many_is_one_axis() -> None:
    cells = grid(information__lag_days=LAGS, crews=[3])
    assert list(_drawn(cells, replications=4)) == ["sweep_lines"]
    assert _drawn(grid(crews=[3]), replications=4) == {}


def test_the_finding_counts_what_the_table_says() -> None:
    """At lags 0, 1 and 2 the plan is better, at 3 equal, at 4 worse."""
    chart = _drawn(grid(information__lag_days=LAGS), own_noise=10.0)["sweep_lines"]
    assert "better than current practice at 3 of 5 values of reporting lag (days)" in chart.finding
    assert f"most at 0 ({number(-60.0, 'signed')[0]}" in chart.finding
    heat = _drawn(SHAPES["two"][0], own_noise=10.0)["sweep_heat"]
    assert "clearly better than current practice in 9 of 15 cells" in heat.finding
    assert "clearly worse in 3" in heat.finding


def test_lines_are_the_means_and_stop_where_a_result_is_missing() -> None:
    cells = grid(information__lag_days=LAGS)
    results = results_of(cells, [BASE, PLAN], _burden)
    summary = summary_of(results, axes_of(cells), BASE)
    holed = summary[summary["cell"] != 2]
    chart = sweep_charts(cells, holed, axes_of(cells), VIEW)["sweep_lines"]
    means, differences = chart.axes
    lines = [line.get_ydata() for line in means.lines if len(line.get_xdata()) == len(LAGS)]
    expected = summary[summary["policy"] == PLAN]["mean"].to_numpy().copy()
    expected[2] = np.nan
    assert any(np.allclose(line, expected, equal_nan=True) for line in lines)
    assert all(_hatched(axes) == 1 for axes in (means, differences))
    whole = sweep_charts(cells, summary, axes_of(cells), VIEW)["sweep_lines"]
    assert all(_hatched(axes) == 0 for axes in whole.axes)


def _hatched(axes: Any) -> int:
    return sum(1 for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_hatch())


def test_heat_maps_write_the_numbers_and_mark_what_is_not_told() -> None:
    cells = SHAPES["two"][0]
    summary = summary_of(results_of(cells, [BASE, PLAN], _burden, own_noise=10.0),
                         axes_of(cells), BASE)  # fmt: skip
    chart = sweep_charts(cells, summary[summary["cell"] != 4], axes_of(cells), VIEW)["sweep_heat"]
    texts = [text.get_text() for text in chart.axes[0].texts]
    rows = summary[(summary["policy"] == PLAN) & (summary["cell"] != 4)]
    assert len(texts) == 14 and _hatched(chart.axes[0]) == 1
    assert sum(text.startswith("≈ ") for text in texts) == (~rows["separable"]).sum() > 0
    assert rows["diff"].iloc[0] == pytest.approx(-60.0, abs=3.0)
    assert number(float(rows["diff"].iloc[0]), "signed") in texts


def test_small_multiples_share_one_scale_and_name_their_setting() -> None:
    chart = _drawn(SHAPES["three"][0], replications=4)["sweep_heat"]
    titles = [axes.get_title("left") for axes in chart.axes if axes.get_title("left")]
    assert len(titles) == 3 and titles[0] == "Preparation: none"


def test_colours_turn_where_more_is_better() -> None:
    """A policy with a higher served share is drawn in the colour of better, blue."""
    cells = grid(information__lag_days=[0.0, 1.0], resources__stock_factor=[1.0, 2.0])
    summary = summary_of(results_of(cells, [BASE, PLAN], _burden), axes_of(cells), BASE)
    served = summary.assign(metric="served_share", mean=-summary["mean"], diff=-summary["diff"])
    for metric, rows in ((METRIC, summary), ("served_share", served)):
        chart = sweep_charts(cells, rows, axes_of(cells), VIEW, metric)["sweep_heat"]
        first = next(p for p in chart.axes[0].patches if isinstance(p, Rectangle))
        red, _, blue, _ = first.get_facecolor()
        assert blue > red
        assert "clearly better than current practice in 4 of 4 cells" in chart.finding


def test_a_scatter_has_every_cell_and_crosses_for_the_lost() -> None:
    chart = _drawn(SHAPES["random"][0], lost=(0, 1, 2), replications=4)["sweep_scatter"]
    for axes in chart.axes:
        points = sum(len(c.get_offsets()) for c in axes.collections
                     if isinstance(c, PathCollection))  # fmt: skip
        crosses = [line for line in axes.lines if line.get_marker() == "x"]
        assert points == 37 and len(crosses[0].get_xdata()) == 3
    assert "goes most with reporting lag (days)" in chart.finding


@pytest.mark.filterwarnings("error")
def test_a_policy_drawn_as_a_cross_can_be_hollow() -> None:
    chart = _drawn(SHAPES["random"][0], [BASE, "do_nothing"], replications=4)["sweep_scatter"]
    assert _faults(chart) == []


# --- cells against the first ------------------------------------------------------------------


def _changes_summary(cells: pd.DataFrame, policies: Sequence[str] = (BASE, PLAN)) -> pd.DataFrame:
    return summary_of(results_of(cells, policies, _burden, own_noise=0.5), axes_of(cells), BASE)


def _changes_chart(cells: pd.DataFrame, summary: pd.DataFrame, metric: str = METRIC) -> Chart:
    return sweep_changes(sweep_of(cells, summary, axes_of(cells), VIEW, metric))


def _rows(chart: Chart) -> list[str]:
    return [label.get_text() for label in chart.axes[0].get_yticklabels()]


def _points(chart: Chart) -> list[tuple[float, bool]]:
    """Changes drawn, and whether their sign is hollow."""
    return [(float(line.get_xdata()[0]), line.get_markerfacecolor() == "white")
            for line in chart.axes[0].lines
            if len(line.get_xdata()) == 1 and line.get_marker() != "None"]  # fmt: skip


def test_changes_are_those_of_the_table_and_what_is_luck_is_left_out() -> None:
    """Three days more cost 540 bn VND, under the plan 600; army and desks matter to nobody."""
    cells = _one_at_a_time()
    summary = _changes_summary(cells)
    chart = _changes_chart(cells, summary)
    assert _rows(chart) == [
        "reporting lag (days) = 4", "reporting lag (days) = 0", f"stock held {TIMES}2",
    ]  # fmt: skip
    rows = summary[summary["cell"].isin([1, 2, 3])]
    assert sorted(_points(chart)) == sorted((change, False) for change in rows["change"])
    plan = summary[(summary["cell"] == 1) & (summary["policy"] == PLAN)].iloc[0]
    assert plan["change"] == pytest.approx(600.0, abs=3.0)
    assert "reporting lag (days) = 4 (+" in chart.finding
    assert "of 5 cells 2 clearly better, 1 clearly worse" in chart.finding
    told = " ".join(_texts(chart)).replace("\n", " ")
    assert "2 more cells are not told from it" in told and "left of the line is better" in told


def test_a_change_under_one_policy_only_leaves_the_other_hollow() -> None:
    cells = _one_at_a_time()
    summary = _changes_summary(cells)
    unsure = (summary["cell"] == 1) & (summary["policy"] == BASE)
    summary.loc[unsure, ["change", "change_low", "change_high"]] = 30.0, -10.0, 70.0
    assert [hollow for change, hollow in _points(_changes_chart(cells, summary))
            if change == 30.0] == [True]  # fmt: skip
    both = summary.assign(change_low=-1.0, change_high=1.0)
    nothing = _changes_chart(cells, both)
    assert "none of 5 cells is clearly better or worse" in nothing.finding
    assert not nothing.axes and _faults(nothing) == []
    tiny = summary.assign(change=0.01, change_low=0.009, change_high=0.011)
    assert not _changes_chart(cells, tiny).axes, "one part in 260,000 is nothing"


def test_where_no_cell_can_be_compared_with_the_first_others_are_drawn() -> None:
    """The first cell has no result: no change is known."""
    for cells, kind in ((_one_at_a_time(), "sweep_scatter"), (SHAPES["one name"][0], "sweep_dots")):
        lost = _changes_summary(cells).assign(change=np.nan, change_low=np.nan, change_high=np.nan)
        lost = lost[lost["cell"] != 0]
        assert list(sweep_charts(cells, lost, axes_of(cells), VIEW)) == [kind]


@pytest.mark.parametrize("design", [morris_design, sobol])
@pytest.mark.parametrize("inputs", [2, 3, 8])
def test_a_sampled_design_has_no_reference(design: Callable[..., Design], inputs: int) -> None:
    names = [f"group.input_{number}" for number in range(inputs)]
    cells = cells_of(pd.DataFrame(design(names, 8, 1).shares, columns=names))
    charts = sweep_charts(cells, _changes_summary(cells), names, VIEW)
    assert list(charts) == ["sweep_scatter"]


def test_changes_turn_where_more_is_better() -> None:
    cells = _one_at_a_time()
    chart = _changes_chart(cells, _changes_summary(cells).assign(metric="served_share"),
                           "served_share")  # fmt: skip
    told = " ".join(_texts(chart)).replace("\n", " ")
    assert "right of the line is better" in told
    assert "1 clearly better, 2 clearly worse" in chart.finding


def test_many_changes_are_cut_and_counted() -> None:
    cells = grid(preparation=[f"option {number}" for number in range(40)])
    changed = summary_of(
        results_of(cells, [BASE, PLAN], lambda at, _: 100.0 * int(at["preparation"][7:])),
        axes_of(cells), BASE,
    )  # fmt: skip
    chart = _changes_chart(cells, changed)
    assert _rows(chart) == [f"option {number}" for number in range(10, 40)]
    assert _faults(chart) == []
    told = " ".join(_texts(chart)).replace("\n", " ")
    assert "9 more cells differ less" in told and "the first cell (option 0)" in told


def test_cells_on_other_luck_are_counted_not_compared() -> None:
    cells = _one_at_a_time()
    summary = _changes_summary(cells)
    other = summary["cell"].isin([1, 2])
    summary.loc[other, ["change", "change_low", "change_high"]] = np.nan
    chart = _changes_chart(cells, summary)
    told = " ".join(_texts(chart)).replace("\n", " ")
    assert _rows(chart) == [f"stock held {TIMES}2"]
    assert "2 more cells have another scenario" in told


def test_cells_are_named_after_what_differs_from_the_first() -> None:
    first = {
        "mechanism.changes.military.enabled": "true",
        "mechanism.changes.military.ceiling_factor": 1.0,
        "resources.stock_factors.boat_crew": 1.0, "mechanism.approval_factor": 1.0,
        "mechanism.desk_servers.PM": 1, "scenario": "typhoon_north", "my.new_key": 1,
    }  # fmt: skip
    others = [
        {"mechanism.changes.military.enabled": "false"},
        {"mechanism.changes.military.ceiling_factor": 2.0, "scenario": "calm_year",
         "resources.stock_factors.boat_crew": 0.5},
        {"mechanism.approval_factor": 0.0, "mechanism.desk_servers.PM": 3, "my.new_key": 7},
        dict.fromkeys(list(first)[1:5], 9),
        {},
    ]  # fmt: skip
    cells = cells_of(pd.DataFrame([first, *({**first, **other} for other in others)]))
    assert cell_labels(cells, axes_of(cells)) == {
        0: "", 1: "without army and militia",
        2: f"army and militia: ceiling {TIMES}2, boats with crew {TIMES}0.5, scenario = calm year",
        3: f"approval times {TIMES}0, desk servers: PM = 3, my: new key = 7",
        4: "4 settings (mechanisms, stock factors, desk servers)", 5: "",
    }  # fmt: skip
    assert cell_labels(cells, ["my.new_key"]) == {0: "1", 1: "", 2: "", 3: "7", 4: "", 5: ""}


def test_cells_called_the_same_are_told_apart_by_number() -> None:
    desks = [f"mechanism.desk_servers.{name}" for name in ("PM", "MOH", "MOD", "MOF")]
    cells = cells_of(pd.DataFrame([
        dict.fromkeys(desks, n) | {"information.lag_days": lag}
        for n, lag in ((1, 1.0), (1, 0.0), (2, 2.0), (3, 4.0))
    ]))  # fmt: skip
    assert _rows(_changes_chart(cells, _changes_summary(cells))) == [
        "reporting lag (days) = 0", "cell 2: 5 settings (desk…, information)",
        "cell 3: 5 settings (desk…, information)",
    ]  # fmt: skip


def test_nothing_to_draw_is_said() -> None:
    cells = SHAPES["two"][0]
    chart = _drawn(cells, lost=range(len(cells)), replications=2)["sweep"]
    assert "None of the 15 cells has a result" in " ".join(_texts(chart)) and _faults(chart) == []
    empty = _drawn(cells, lost=range(len(cells)), replications=2)
    assert list(empty) == ["sweep"]
    summary = summary_of(results_of(cells, [PLAN], _burden, replications=2), axes_of(cells), BASE)
    none = sweep_charts(cells.iloc[:0], summary.iloc[:0], axes_of(cells), VIEW)
    assert "no cells" in " ".join(_texts(none["sweep"]))


def test_an_axis_set_to_nothing_is_a_value_of_its_own() -> None:
    cells = grid(preparation__budget_bn_vnd=[None, 50.0, 100.0], information__lag_days=[0.0, 1.0])
    assert cells["preparation.budget_bn_vnd"].isna().sum() == 2
    made = grid(preparation__budget_bn_vnd=["?", 50.0, 100.0], information__lag_days=[0.0, 1.0])
    summary = summary_of(results_of(made, [BASE, PLAN], _burden), axes_of(made), BASE)
    budget = pd.to_numeric(summary["preparation.budget_bn_vnd"], errors="coerce")
    summary = summary.assign(**{"preparation.budget_bn_vnd": budget})
    chart = sweep_charts(cells, summary, axes_of(cells), VIEW)["sweep_heat"]
    labels = [label.get_text() for label in chart.axes[0].get_yticklabels()]
    assert labels == ["none", "50", "100"] and _hatched(chart.axes[0]) == 0


def test_members_of_a_set_are_not_drawn_over_the_set() -> None:
    cells = grid(information__lag_days=LAGS)
    made = [results_of(cells, [BASE, PLAN], _burden, scenario=name, replications=3)
            for name in ("all_hazards", "typhoon_north")]  # fmt: skip
    both = [summary_of(results, axes_of(cells), BASE) for results in made]
    sweep = sweep_of(cells, pd.concat(both), axes_of(cells), replace(VIEW, asked="all_hazards"),
                     METRIC)  # fmt: skip
    assert set(sweep.rows["scenario"]) == {"all_hazards"} and shape_of(sweep) == "one number"


def test_axes_have_planners_names_and_others_keep_theirs() -> None:
    assert axis_name("information.lag_days") == "reporting lag (days)"
    assert axis_name("fund") == "funds"
    assert axis_name("policy.stochastic.n_samples") == "policy.stochastic: n samples"


def test_the_same_tables_give_the_same_bytes() -> None:
    one, other = (_drawn(SHAPES["three"][0], replications=3)["sweep_heat"] for _ in range(2))
    assert figure_bytes(one, "svg") == figure_bytes(other, "svg")


# --- sensitivity ------------------------------------------------------------------------------

INPUTS = ("information.lag_days", "resources.stock_factor", "preparation", f"a.{LONG}")


def _table(design: Design, outcome: Callable[..., float]) -> pd.DataFrame:
    """Lag 0 to 4 days, stock 0.3 to 2, one of two preparations, and what does not matter."""
    values = np.array([
        outcome(4.0 * lag, 0.3 + 1.7 * stock, "standard" if mode >= 0.5 else "none", idle)
        for lag, stock, mode, idle in design.shares
    ])  # fmt: skip
    return sensitivity_table(design, values, SCENARIO, PLAN, METRIC, "bn VND")


def _model(lag: float, stock: float, preparation: str, idle: float) -> float:
    return 3000.0 + 200.0 * lag - 100.0 * stock - 60.0 * lag * (preparation == "standard")


def test_bars_of_variance_name_the_first_input() -> None:
    table = _table(sobol(INPUTS, 256, 1), _model)
    charts = sensitivity_charts(table, VIEW)
    assert list(charts) == ["sensitivity"] and _faults(charts["sensitivity"]) == []
    assert charts["sensitivity"].finding.startswith("Reporting lag (days) matters most: ")
    top = table[(table["measure"] == "in_all") & (table["axis"] == "information.lag_days")].iloc[0]
    assert f"{100 * top['value']:.0f}\u00a0%" in charts["sensitivity"].finding


def test_bars_of_effects_tell_which_way_and_the_plane_who_bends() -> None:
    charts = sensitivity_charts(_table(morris_design(INPUTS, 20, 1), _model), VIEW)
    assert list(charts) == ["sensitivity", "morris_plane"]
    assert [_faults(chart) for chart in charts.values()] == [[], []]
    told = " ".join(_texts(charts["sensitivity"]))
    assert "170, more lowers it" in told and "more raises it" in told
    plane = charts["morris_plane"].axes[0].collections[0].get_offsets()
    assert len(plane) == 4


def test_the_outcome_may_be_a_difference() -> None:
    table = _table(morris_design(INPUTS, 20, 1), _model).assign(baseline=BASE)
    assert " and current practice by " in sensitivity_sentence(table)
    assert all(_faults(chart) == [] for chart in sensitivity_charts(table, VIEW).values())


def test_no_change_and_no_certainty_are_said() -> None:
    flat = _table(sobol(INPUTS, 8, 1), lambda *_: 5.0)
    assert "the same in every cell" in sensitivity_sentence(flat)
    assert _faults(sensitivity_bars(flat, VIEW)) == []
    noise = dict(zip(range(24), uniforms((24,), 3), strict=True))
    count = iter(range(24))
    unsure = _table(sobol(INPUTS, 4, 1), lambda *_: noise[next(count)])
    assert "take a larger design" in sensitivity_sentence(unsure)
    assert _faults(sensitivity_bars(unsure, VIEW)) == []


# --- discovery, regret, breakeven -------------------------------------------------------------


def _discovered(limit: float = 2500.0) -> Any:
    cells = _random(80)
    summary = summary_of(results_of(cells, [BASE, PLAN], _burden, replications=3, noise=0.0,
                                    own_noise=0.0), axes_of(cells), BASE)  # fmt: skip
    return cells, discover(
        cells, summary, axes_of(cells), Failing(PLAN, METRIC, SCENARIO, limit), 1
    )


def test_a_box_is_told_in_words_and_drawn() -> None:
    _, found = _discovered()
    chart = discovery_chart(found, VIEW)
    first = found.boxes[found.boxes["box"] == 1]
    inside = holds(found.cells, first)
    n, failing = int(first["cells"].iloc[0]), int(first["failing"].iloc[0])
    assert (inside.sum(), found.hit[inside].sum()) == (n, failing)
    assert f"fails in {failing} of {n}" in chart.finding and _faults(chart) == []
    assert "harm and cost together above 2,500 bn VND" in chart.finding
    assert "reporting lag (days) is above" in chart.finding


def test_no_box_never_and_always_are_said() -> None:
    for limit, words in ((1e6, "in none of 80"), (0.0, "in all 80")):
        _, found = _discovered(limit)
        assert words in discovery_sentence(found, BASE)
        assert _faults(discovery_chart(found, VIEW)) == []
    _, found = _discovered()
    empty = replace(found, boxes=found.boxes.iloc[:0])
    assert "no box of inputs stands out" in discovery_sentence(empty, BASE)
    loses = replace(empty, failing=Failing(PLAN, METRIC, SCENARIO))
    assert "clearly worse than current practice" in discovery_sentence(loses, BASE)


@pytest.mark.parametrize("cells", [SHAPES["two"][0], SHAPES["random"][0], SHAPES["one name"][0]])
def test_regret_has_a_tile_for_every_policy_and_future(cells: pd.DataFrame) -> None:
    results = results_of(cells, POLICIES, _burden, replications=5)
    results = results[results["cell"] != 1]
    regret = regret_table(results, METRIC)
    chart = regret_heat(regret, cells, axes_of(cells), VIEW)
    tiles = [p for p in chart.axes[0].patches if isinstance(p, Rectangle) and not p.get_hatch()]
    assert len(tiles) == len(POLICIES) * (len(cells) - 1) and _hatched(chart.axes[0]) == 1
    assert _faults(chart) == []


def test_the_least_largest_regret_is_told() -> None:
    """At a lag of 4 days the plan is 20 bn behind practice; practice is 60 behind at none."""
    cells = grid(information__lag_days=LAGS)
    regret = regret_table(results_of(cells, [BASE, PLAN], _burden, own_noise=2.0), METRIC)
    text = robustness_sentence(robustness_table(regret), cells, axes_of(cells))
    assert text.startswith("the plan for several futures has the least largest regret: at worst ")
    assert "at reporting lag (days)\u00a0=\u00a04" in text and "not told" not in text
    assert "next comes current practice" in text
    none = regret_heat(regret.iloc[:0], cells, axes_of(cells), VIEW)
    assert "No cell has results of all policies" in none.finding


def test_a_breakeven_is_told_with_its_interval() -> None:
    def evaluate(value: float) -> np.ndarray:
        return 20.0 * value - 60.0 + np.linspace(-5.0, 5.0, 20)

    found = breakeven(evaluate, 1.0, 0.0, 6.0, tolerance=0.1)
    text = breakeven_sentence(found, "information.lag_days", PLAN, BASE)
    assert "until reporting lag (days) rises to between" in text and "1 is in use" in text
    chart = breakeven_line(found, "information.lag_days", PLAN, BASE, "bn VND", VIEW)
    assert _faults(chart) == [] and "neither is told to be better" in " ".join(_texts(chart))
    down = breakeven(lambda v: -evaluate(v), 5.0, 0.0, 6.0)
    assert "falls to between" in breakeven_sentence(down, "information.lag_days", PLAN, BASE)
    none = breakeven(evaluate, 1.0, 0.0, 2.0)
    assert "between 0 and 2" in breakeven_sentence(none, "information.lag_days", PLAN, BASE)
    assert _faults(breakeven_line(none, f"a.{LONG}", LONG, BASE, "bn VND", VIEW)) == []
