"""Charts that weigh one thing against another: aims, money, scenarios."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from nts_sim.charts.comparison import scenario_comparison
from nts_sim.charts.frontier import METRIC, is_money
from nts_sim.charts.gallery import build_charts, compared_regret, view_of
from nts_sim.charts.sweep import frontier_charts, frontier_columns, money_axis, sweep_view
from nts_sim.charts.tradeoff import AIMS, aims_of, tradeoff, unbeaten
from nts_sim.outcomes.insight.steps import STEP_COLUMNS, steps_table
from nts_sim.words import languages, say, speaking
from tests.charts import synthetic
from tests.charts.synthetic import BASELINE, BEST, RUN_ID
from tests.charts.test_charts import LONG, _faults, _texts
from tests.insight.sweeps import axes_of, grid, results_of, summary_of

FRAMES = synthetic.frames()
VIEW = view_of(FRAMES, RUN_ID, BASELINE)


# --- cost, harm and evenness ------------------------------------------------------------------


def _aims(**policies: tuple[float, float, float]) -> pd.DataFrame:
    """Rows of `summary` for policies with their cost, harm and worst served share."""
    rows = [
        ("typhoon_north", policy, metric, "all", "", 9, value, 0.9 * value, 1.1 * value)
        for policy, values in policies.items()
        for metric, value in zip(AIMS, values, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(synthetic.empty_frames()["summary"].columns))


def test_a_policy_is_beaten_only_by_one_as_good_in_all_three() -> None:
    table = aims_of(_aims(
        cheap=(10.0, 900.0, 0.2), good=(90.0, 500.0, 0.6), dear=(95.0, 500.0, 0.6),
        uneven=(80.0, 600.0, 0.1), even=(99.0, 700.0, 0.9),
    ), "typhoon_north")  # fmt: skip
    assert set(unbeaten(table)) == {"cheap", "good", "uneven", "even"}
    assert list(table.index) == ["dear", "good", "uneven", "even", "cheap"]


def test_means_that_look_the_same_beat_nobody() -> None:
    table = aims_of(_aims(one=(10.0, 900.1, 0.2), other=(10.001, 900.0, 0.2)), "typhoon_north")
    assert set(unbeaten(table)) == {"one", "other"}


def test_points_stand_at_cost_and_harm_and_the_beaten_are_pale() -> None:
    chart = tradeoff(_aims(a=(10.0, 500.0, 0.5), b=(20.0, 700.0, 0.4)), replace(VIEW))
    plane, even = chart.axes
    signs = [line for line in plane.lines if line.get_marker() != "None" and line.get_clip_on()]
    points = {(line.get_xdata()[0], line.get_ydata()[0]): line.get_alpha() for line in signs}
    assert set(points) == {(10.0, 500.0), (20.0, 700.0)}
    assert points[10.0, 500.0] == 1.0 > points[20.0, 700.0]
    crosses = [tuple(line.get_xdata()) for line in plane.lines if len(line.get_xdata()) == 2]
    assert (9.0, 11.0) in crosses
    shares = [line.get_xdata()[0] for line in even.lines if len(line.get_xdata()) == 1]
    assert sorted(shares) == [0.4, 0.5]
    assert "1 of 2 policies" in chart.finding and chart.finding.endswith(": a")


def test_one_policy_or_an_aim_that_is_not_known_is_no_trade_off() -> None:
    alone = _aims(a=(10.0, 500.0, 0.5))
    unknown = pd.concat([alone, _aims(b=(10.0, 500.0, np.nan))])
    for rows in (alone, unknown, alone[alone["metric"] != AIMS[0]], alone.iloc[:0]):
        assert say("chart.empty.note") in _texts(tradeoff(rows, VIEW))


# --- the budget frontier --------------------------------------------------------------------------

MONEY = "preparation.budget_bn_vnd"
CELLS = grid(preparation__budget_bn_vnd=[0.0, 10.0, 30.0, 60.0])


def _harm(at: dict[str, float], policy: str) -> float:
    """The plan saves three for each billion up to thirty, then nothing; the rule nothing."""
    return 900.0 - (3.0 * min(at[MONEY], 30.0) if policy == BEST else 0.0)


def _results(**kwargs: int) -> pd.DataFrame:
    made = results_of(CELLS, [BASELINE, BEST], _harm, own_noise=1.0, **kwargs)  # type: ignore[arg-type]
    return made.rename(columns={"total_burden_bn_vnd": METRIC})


def _summary() -> pd.DataFrame:
    made = summary_of(results_of(CELLS, [BASELINE, BEST], _harm, own_noise=1.0),  # type: ignore[arg-type]
                      axes_of(CELLS), BASELINE)  # fmt: skip
    return pd.concat([made, made.assign(metric=METRIC)])


def test_steps_are_paired_differences_by_a_unit_of_money() -> None:
    steps = steps_table(_results(), MONEY, METRIC)
    assert tuple(steps.columns) == STEP_COLUMNS and len(steps) == 6
    mine = steps[steps["policy"] == BEST]
    assert list(zip(mine["start"], mine["end"], strict=True)) == [(0, 10), (10, 30), (30, 60)]
    assert mine["saved"].to_numpy() == pytest.approx([3.0, 3.0, 0.0], abs=0.1)
    assert list(mine["told"]) == [True, True, False]
    results = _results()
    by_hand = results[results["policy"] == BEST].pivot_table(index="replication", columns=MONEY,
                                                             values=METRIC)  # fmt: skip
    assert mine["saved"].iloc[1] == pytest.approx((by_hand[10.0] - by_hand[30.0]).mean() / 20.0)
    assert (mine["low"] < mine["saved"]).all() and (mine["saved"] < mine["high"]).all()


def test_one_value_has_no_step() -> None:
    results = _results()
    assert steps_table(results[results[MONEY] == 0.0], MONEY, METRIC).empty


def test_the_frontier_says_up_to_where_money_pays() -> None:
    view = sweep_view(_summary(), "typhoon_north", RUN_ID, BASELINE)
    charts = frontier_charts(CELLS, _summary(), _results(), MONEY, view)
    chart = charts["budget_frontier"]
    assert "beyond 30 bn VND no saving is told" in chart.finding
    boxes = [patch for patch in chart.axes[1].patches if isinstance(patch, Rectangle)]
    assert [(box.get_x(), box.get_width()) for box in boxes] == [(0, 10), (10, 20), (30, 30)]
    assert [box.get_facecolor()[3] > 0 for box in boxes] == [True, True, False]
    assert _faults(chart) == []
    results = _results()
    rule = results[results["policy"] == BASELINE]
    nowhere = frontier_charts(CELLS, _summary(), rule, MONEY, replace(view, policy=BASELINE))
    assert nowhere["budget_frontier"].finding


def test_only_money_alone_has_a_frontier() -> None:
    assert money_axis(CELLS, [MONEY]) == MONEY
    assert money_axis(CELLS.assign(**{MONEY: 5.0}), [MONEY]) is None
    two = grid(preparation__budget_bn_vnd=[0.0, 1.0], information__lag_days=[0.0, 1.0])
    assert money_axis(two, axes_of(two)) is None
    assert money_axis(grid(information__lag_days=[0.0, 1.0]), ["information.lag_days"]) is None
    assert is_money("fund.balance_factor") and not is_money("resources.stock_factor")
    assert set(frontier_columns(MONEY)) <= set(_results().columns)


# --- scenarios --------------------------------------------------------------------------------

SET = synthetic.set_frames("all_hazards", "typhoon_north", "flood_central")


def test_regret_of_a_comparison_has_a_future_a_member_and_none_for_the_set() -> None:
    view = view_of(SET, RUN_ID, BASELINE)
    regret, cells = compared_regret(SET, view)
    assert list(cells["scenario"]) == ["typhoon_north", "flood_central"]
    assert set(regret["scenario"]) == set(cells["scenario"])
    least = regret[regret["policy"] == BEST]
    assert (least["regret"] == 0.0).all()
    chart = build_charts(SET, synthetic.geojson(), view)["regret"]
    assert _faults(chart) == []


def test_scenarios_without_a_difference_are_counted_too() -> None:
    view = view_of(SET, RUN_ID, BASELINE)
    rows = SET["comparison"]
    same = rows["scenario"].eq("flood_central") & rows["policy"].eq(BEST)
    rows = rows.assign(diff=rows["diff"].where(~same, 0.0))
    assert "in 1 of 2 scenarios" in scenario_comparison(rows, view).finding


@pytest.mark.parametrize("language", languages())
def test_long_names_and_other_languages_fit(language: str) -> None:
    long = {"greedy": LONG.replace(" ", "_"), "threshold": "u_" + LONG.replace(" ", "_")}
    with speaking(language):
        summary = FRAMES["summary"].replace({"policy": long})
        assert _faults(tradeoff(summary, VIEW)) == []
        view = replace(sweep_view(_summary(), "typhoon_north", RUN_ID, BASELINE))
        made = frontier_charts(CELLS, _summary(), _results(), MONEY, view)
        assert _faults(made["budget_frontier"]) == []
