"""Sweeps whose cells are no grid (random designs, designs from a file): one panel an input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import rankdata

from nts_sim.charts.frame import Chart, light_grid, open_chart, panel, plain_numbers, shortened
from nts_sim.charts.style import SOFT_INK, policy_colour, policy_marker, readable, styled
from nts_sim.charts.sweep_cells import Sweep, axis_name, told_below, value_name
from nts_sim.words import name_of, number, policy_in_text, say, sentence
from nts_sim.world.model import Floats

_MOST_PANELS = 9
_COLUMNS = 3
_FILLED = {"x": "X"}
"""A marker that can be hollow, in place of one that cannot."""


@styled
def sweep_scatter(sweep: Sweep) -> Chart:
    """Draw every cell over each input: difference to the baseline, or with one policy its mean."""
    rows = sweep.of(sweep.focus)
    together = {axis: rank_correlation(sweep, rows, axis) for axis in sweep.axes}
    order = sorted(sweep.axes, key=lambda axis: -abs(together[axis]))
    shown = order[:_MOST_PANELS]
    deep = -(-len(shown) // _COLUMNS)
    finding, below = _words(sweep, rows, order, together)
    listed = "; ".join(f"{axis_name(axis)} {number(together[axis], '2')}" for axis in order)
    alt = say("chart.sweep_scatter.alt", finding=sentence(finding), listed=listed)
    chart = open_chart(sweep.view, (10.0, 1.5 + 2.5 * deep), finding, below,
                       say("chart.sweep_scatter.reading"), alt)  # fmt: skip
    for i, axis in enumerate(shown):
        row, column = divmod(i, _COLUMNS)
        axes = panel(chart, column / _COLUMNS + 0.055, 1.0 - (row + 0.78) / deep,
                     (column + 0.97) / _COLUMNS, 1.0 - (row + 0.04) / deep)  # fmt: skip
        _draw(axes, sweep, rows, axis, first=column == 0)
    return chart


def _measure(sweep: Sweep) -> str:
    return "diff" if sweep.compared else "mean"


def rank_correlation(sweep: Sweep, rows: pd.DataFrame, axis: str) -> float:
    """Spearman's rank correlation of an input with what is drawn; 0 where either never changes.

    Options of a name are put in the order of their means, so that theirs is never below 0.
    """
    y = rows[_measure(sweep)].to_numpy(dtype=np.float64)
    if sweep.numeric(axis):
        x = rows[axis].to_numpy(dtype=np.float64)
    else:
        x = rows.groupby(axis)[_measure(sweep)].transform("mean").to_numpy(dtype=np.float64)
    if len(y) < 2 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return 0.0
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _words(
    sweep: Sweep, rows: pd.DataFrame, order: Sequence[str], together: dict[str, float]
) -> tuple[str, str]:
    policy, metric = policy_in_text(sweep.focus), name_of("metric", sweep.metric)
    told = {"axis": axis_name(order[0]), "r": together[order[0]], "policy": policy,
            "metric": metric, "unit": sweep.unit, "n": len(rows)}  # fmt: skip
    if not sweep.compared:
        finding = say("chart.sweep_scatter.alone", **told)
        below = say("chart.sweep_scatter.below_alone", **told)
    else:
        base = policy_in_text(sweep.view.baseline)
        finding = say("chart.sweep_scatter.finding", baseline=base, clear=len(sweep.better(rows)),
                      **told)  # fmt: skip
        below = say("chart.sweep_scatter.below", baseline=base, **told)
    if len(order) > _MOST_PANELS:
        below += " " + say("chart.sweep_scatter.some", n=_MOST_PANELS, of=len(order))
    return finding, told_below(sweep, below, "chart.sweep_scatter.missing")


def _draw(axes: Axes, sweep: Sweep, rows: pd.DataFrame, axis: str, *, first: bool) -> None:
    colour, y = policy_colour(sweep.focus), rows[_measure(sweep)].to_numpy(dtype=np.float64)
    x = _places(sweep, rows, axis)
    told = rows["separable"].astype(bool).to_numpy() if sweep.compared else np.ones(len(y), bool)
    marker = policy_marker(sweep.focus)
    marker = _FILLED.get(marker, marker)
    for chosen, face in ((told, colour), (~told, "white")):
        axes.scatter(x[chosen], y[chosen], s=14, marker=marker, facecolors=face,
                     edgecolors=readable(colour), linewidths=0.5, alpha=0.8)  # fmt: skip
    if sweep.compared:
        axes.axhline(0.0, color=policy_colour(sweep.view.baseline), linewidth=1.0)
    lost = sweep.cells[~sweep.cells["cell"].isin(rows["cell"])]
    if len(lost):
        axes.plot(_places(sweep, lost, axis), np.full(len(lost), 0.02), "x", markersize=4,
                  color=SOFT_INK, transform=axes.get_xaxis_transform(), clip_on=False)  # fmt: skip
    if sweep.numeric(axis):
        plain_numbers(axes, "x", ticks=4)
    else:
        values = sweep.values(axis)
        letters = max(4, 34 // len(values))
        axes.set_xticks(
            range(len(values)), [shortened(value_name(axis, v), letters) for v in values]
        )
        axes.set_xlim(-0.6, len(values) - 0.4)
    plain_numbers(axes, "y", "signed" if sweep.compared else "short", ticks=4)
    light_grid(axes, "y")
    axes.set_xlabel(sentence(shortened(axis_name(axis), 42)))
    if first:
        axes.set_ylabel(sweep.unit)


def _places(sweep: Sweep, rows: pd.DataFrame, axis: str) -> Floats:
    """Where cells stand on an axis; those with the same option side by side."""
    if sweep.numeric(axis):
        return rows[axis].to_numpy(dtype=np.float64)
    at = {value: float(i) for i, value in enumerate(sweep.values(axis))}
    beside = rows.groupby(axis).cumcount() % 11
    return (rows[axis].map(at) + (beside - 5.0) * 0.05).to_numpy(dtype=np.float64)
