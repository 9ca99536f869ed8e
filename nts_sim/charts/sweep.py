"""Charts of a sweep, chosen by the shape of its grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pandas as pd

from nts_sim.charts.frame import Chart, View
from nts_sim.charts.frontier import METRIC, budget_frontier, is_money
from nts_sim.charts.style import styled
from nts_sim.charts.sweep_cells import DECIDES, Shape, Sweep, nothing_chart, shape_of, sweep_of
from nts_sim.charts.sweep_changes import (
    changes_one_thing_at_a_time,
    has_changes,
    sweep_changes,
)
from nts_sim.charts.sweep_heat import sweep_heat
from nts_sim.charts.sweep_lines import sweep_dots, sweep_lines
from nts_sim.charts.sweep_scatter import sweep_scatter
from nts_sim.outcomes.insight.axes import is_numeric, varied
from nts_sim.outcomes.insight.steps import steps_table
from nts_sim.words import say

_DRAWN: Final[Mapping[Shape, tuple[str, Callable[[Sweep], Chart]]]] = {
    "one number": ("sweep_lines", sweep_lines),
    "one name": ("sweep_dots", sweep_dots),
    "two": ("sweep_heat", sweep_heat),
    "more": ("sweep_heat", sweep_heat),
    "scattered": ("sweep_scatter", sweep_scatter),
}


@styled
def sweep_charts(
    cells: pd.DataFrame, summary: pd.DataFrame, axes: Sequence[str], view: View,
    metric: str = DECIDES,
) -> dict[str, Chart]:  # fmt: skip
    """Draw the charts of a sweep, by name.

    One axis of numbers: lines with bands; one of names: dots with intervals, and cells against the
    first; two: a heat-map; three and more: small heat-maps, up to twelve. No full grid: cells
    against the first where they change one thing of it at a time, else every cell over each input.
    Without an axis that differs between cells there is no chart.

    Parameters
    ----------
    cells : columns cell, one per axis, done, failed
    summary : columns cell, one per axis, scenario, policy, metric, unit, n, mean, low, high,
        baseline, diff, diff_low, diff_high, relative_pct, separable, change, change_low,
        change_high
    axes : keys of the axes
    view : View
    metric : what is drawn
    """
    sweep = sweep_of(cells, summary, axes, view, metric)
    if sweep.rows.empty:
        why = say("chart.sweep.all_failed", n=len(cells)) if len(cells) else say("chart.sweep.none")
        return {"sweep": nothing_chart(view, say("chart.sweep.nothing"), why)}
    shape = shape_of(sweep)
    if shape == "none":
        return {}
    name, draw = _DRAWN[shape]
    if shape == "one name" and has_changes(sweep):
        return {name: draw(sweep), "sweep_changes": sweep_changes(sweep)}
    if shape == "scattered" and has_changes(sweep) and changes_one_thing_at_a_time(sweep):
        return {"sweep_changes": sweep_changes(sweep)}
    return {name: draw(sweep)}


def money_axis(cells: pd.DataFrame, axes: Sequence[str]) -> str | None:
    """Return the one axis that differs between cells, if it is an amount of money."""
    differ = varied(cells, [axis for axis in axes if axis != "policy"])
    if len(differ) == 1 and is_money(differ[0]) and is_numeric(cells[differ[0]]):
        return str(differ[0])
    return None


def frontier_charts(
    cells: pd.DataFrame, summary: pd.DataFrame, results: pd.DataFrame, axis: str, view: View
) -> dict[str, Chart]:
    """Draw the budget frontier of a sweep over an axis of money.

    Parameters
    ----------
    cells, summary, results : tables of the sweep; of `results` at least the columns
        `frontier_columns`
    axis : as told by `money_axis`
    view : View
    """
    sweep = sweep_of(cells, summary, [axis], view, METRIC)
    mine = results[results["scenario"] == view.asked]
    return {"budget_frontier": budget_frontier(sweep, steps_table(mine, axis, METRIC))}


def frontier_columns(axis: str) -> list[str]:
    """Name the columns of table `results` that the frontier needs."""
    return ["scenario", "policy", "replication", axis, METRIC]


def sweep_view(summary: pd.DataFrame, asked: str, run_id: str, baseline: str) -> View:
    """Say what charts of a sweep are about; the policy in focus is the best one on average.

    Parameters
    ----------
    summary : table `summary` of the sweep
    asked : scenario, or set of them
    run_id, baseline : as in `View`
    """
    rows = summary[summary["metric"] == DECIDES]
    means = rows.groupby("policy")["mean"].mean().dropna()
    best = str(means.idxmin()) if len(means) else baseline
    replications = int(summary["n"].max()) if len(summary) else 0
    return View(asked, asked, best, baseline, run_id, replications)
