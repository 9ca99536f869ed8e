"""Sweeps over one axis: lines with bands over numbers, dots with intervals over names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nts_sim.charts.comparison import axis_range
from nts_sim.charts.frame import (
    Chart,
    body_share,
    light_grid,
    open_chart,
    panel,
    plain_numbers,
    shortened,
)
from nts_sim.charts.style import RULE, policy_colour, policy_marker, readable, styled
from nts_sim.charts.sweep_cells import (
    Sweep,
    axis_name,
    gap,
    highest,
    legend_column,
    lowest,
    told_below,
    value_name,
)
from nts_sim.words import name_of, number, policy_in_text, say, sentence

Columns = tuple[str, str, str]
"""(Middle, lower end, upper end) of what is drawn."""
MEANS: Columns = ("mean", "low", "high")
DIFFERENCES: Columns = ("diff", "diff_low", "diff_high")


@styled
def sweep_lines(sweep: Sweep) -> Chart:
    """Draw a metric, and its difference to the baseline, over an axis of numbers."""
    chart = _opened(sweep, 4.9)
    for axes, columns in _panels(sweep, chart, floor=0.14, top=0.9):
        _heading(axes, sweep, columns)
        _bands(axes, sweep, columns)
        axes.set_xlabel(sentence(axis_name(sweep.axes[0])))
        plain_numbers(axes, "y", "signed" if columns == DIFFERENCES else "short")
        _ticks(axes, sweep)
        light_grid(axes, "y")
    return chart


@styled
def sweep_dots(sweep: Sweep) -> Chart:
    """Draw a metric, and its difference to the baseline, for each option of an axis of names."""
    values = sweep.values(sweep.axes[0])
    height = 2.4 + len(values) * (0.25 + 0.13 * len(sweep.policies))
    chart = _opened(sweep, height)
    for axes, columns in _panels(
        sweep, chart, floor=body_share(chart, 0.5), top=1.0 - body_share(chart, 0.35)
    ):
        _heading(axes, sweep, columns)
        _dots(axes, sweep, columns, values)
        first = columns == MEANS
        labels = [shortened(value_name(sweep.axes[0], v), 26) if first else "" for v in values]
        axes.set_yticks(range(len(values)), labels[::-1])
        axes.tick_params(axis="y", length=0)
        plain_numbers(axes, "x", "short" if first else "signed")
        light_grid(axes, "x")
        axes.set_xlabel(sweep.unit)
    return chart


def _ticks(axes: Axes, sweep: Sweep) -> None:
    """Mark the values that were run, where there are few."""
    values = sweep.values(sweep.axes[0])
    if len(values) <= 8:
        axes.set_xticks(values, [number(float(value)) for value in values])
    else:
        plain_numbers(axes, "x", ticks=6)


def _opened(sweep: Sweep, height: float) -> Chart:
    axis, metric = axis_name(sweep.axes[0]), name_of("metric", sweep.metric)
    finding = _finding(sweep)
    base = policy_in_text(sweep.view.baseline)
    below = (say("chart.sweep_one.below", baseline=base, unit=sweep.unit) if sweep.compared
             else say("chart.sweep_one.below_alone", unit=sweep.unit))  # fmt: skip
    listed = "; ".join(
        f"{value_name(sweep.axes[0], row[sweep.axes[0]])} {number(row['mean'])}"
        for row in _ordered(sweep, sweep.of(sweep.focus)).to_dict("records")
    )
    alt = say("chart.sweep_one.alt", finding=sentence(finding), metric=metric, axis=axis,
              policy=policy_in_text(sweep.focus), listed=listed)  # fmt: skip
    return open_chart(sweep.view, (10.0, height), finding, told_below(sweep, below),
                      say("chart.sweep_one.reading"), alt)  # fmt: skip


def _finding(sweep: Sweep) -> str:
    axis, rows = sweep.axes[0], sweep.of(sweep.focus)
    if not sweep.compared:
        least, most = lowest(rows, "mean"), highest(rows, "mean")
        return say("chart.sweep_one.alone", metric=name_of("metric", sweep.metric),
                   policy=policy_in_text(sweep.focus), axis=axis_name(axis), unit=sweep.unit,
                   least=float(least["mean"]), most=float(most["mean"]),
                   at_least=value_name(axis, least[axis]),
                   at_most=value_name(axis, most[axis]))  # fmt: skip
    clear = sweep.better(rows)
    widest = lowest(rows.assign(worth=sweep.sign * rows["diff"]), "worth")
    told = {"policy": policy_in_text(sweep.focus), "axis": axis_name(axis), "of": len(rows),
            "baseline": policy_in_text(sweep.view.baseline), "n": len(clear)}  # fmt: skip
    if clear.empty:
        return say("chart.sweep_one.nowhere", **told)
    return say("chart.sweep_one.better", at=value_name(axis, widest[axis]), unit=sweep.unit,
               diff=float(widest["diff"]), **told)  # fmt: skip


def _panels(sweep: Sweep, chart: Chart, floor: float, top: float) -> list[tuple[Axes, Columns]]:
    """Make one panel of means and, where policies are compared, one of differences."""
    left = 0.02 if sweep.numeric(sweep.axes[0]) else 0.15
    if sweep.compared:
        middle = (left + 0.78) / 2.0
        spans = [(left, middle - 0.03, MEANS), (middle + 0.04, 0.78, DIFFERENCES)]
    else:
        spans = [(left, 0.76, MEANS)]
    made = [(panel(chart, x0 + 0.04, floor, x1, top), columns) for x0, x1, columns in spans]
    legend_column(made[-1][0], sweep.policies, letters=24)
    return made


def _heading(axes: Axes, sweep: Sweep, columns: Columns) -> None:
    if columns == DIFFERENCES:
        text = say("chart.sweep_one.difference", baseline=policy_in_text(sweep.view.baseline))
        text = shortened(text, 48)
    else:
        text = sentence(name_of("metric", sweep.metric))
    axes.set_title(f"{text}, {sweep.unit}", loc="left", size=9.0, weight="bold")


def _shown(sweep: Sweep, columns: Columns) -> list[str]:
    """Policies that have a line: the baseline has no difference to itself."""
    return [policy for policy in sweep.policies
            if columns == MEANS or policy != sweep.view.baseline]  # fmt: skip


def _bands(axes: Axes, sweep: Sweep, columns: Columns) -> None:
    axis, values = sweep.axes[0], np.array(sweep.values(sweep.axes[0]), dtype=np.float64)
    middle, low, high = columns
    if columns == DIFFERENCES:
        axes.axhline(0.0, color=policy_colour(sweep.view.baseline), linewidth=1.2)
    for policy in _shown(sweep, columns):
        rows = sweep.of(policy).drop_duplicates(axis).set_index(axis).reindex(values)
        colour = policy_colour(policy)
        axes.fill_between(values, rows[low].to_numpy(), rows[high].to_numpy(), color=colour,
                          alpha=0.18, linewidth=0.0)  # fmt: skip
        axes.plot(values, rows[middle].to_numpy(), color=colour, linewidth=1.5)
        hollow = columns == DIFFERENCES and ~rows["separable"].eq(True).to_numpy()
        for at, y, empty in np.broadcast(values, rows[middle].to_numpy(), hollow):
            axes.plot([at], [y], marker=policy_marker(policy), markersize=6, color=colour,
                      markerfacecolor="white" if empty else colour,
                      markeredgecolor=readable(colour), markeredgewidth=0.8)  # fmt: skip
    _gaps(axes, sweep, values)


def _gaps(axes: Axes, sweep: Sweep, values: Any) -> None:
    """Hatch the values that have no result."""
    known = set(sweep.rows[sweep.axes[0]])
    half = 0.25 * float(np.diff(values).min())
    for value in values:
        if value not in known:
            gap(axes, value - half, 0.0, 2.0 * half, 1.0, axes.get_xaxis_transform())
    margin = 0.04 * float(values[-1] - values[0])
    axes.set_xlim(values[0] - max(margin, half), values[-1] + max(margin, half))


def _dots(axes: Axes, sweep: Sweep, columns: Columns, values: Sequence[Any]) -> None:
    axis, (middle, low, high) = sweep.axes[0], columns
    shown = _shown(sweep, columns)
    step, places = 0.8 / len(shown), {v: len(values) - 1 - i for i, v in enumerate(values)}
    for j, policy in enumerate(shown):
        colour = policy_colour(policy)
        for row in sweep.of(policy).to_dict("records"):
            y = places[row[axis]] + 0.4 - step * (j + 0.5)
            hollow = columns == DIFFERENCES and not row["separable"]
            axes.plot([row[low], row[high]], [y, y], color=colour, linewidth=1.6)
            axes.plot([row[middle]], [y], marker=policy_marker(policy), markersize=5.5,
                      color=colour, markerfacecolor="white" if hollow else colour,
                      markeredgecolor=readable(colour), markeredgewidth=0.7)  # fmt: skip
    axes.set_ylim(-0.5, len(values) - 0.5)
    for edge in range(1, len(values)):
        axes.axhline(edge - 0.5, color=RULE, linewidth=0.6)
    known = set(sweep.rows[axis])
    for value in values:
        if value not in known:
            gap(axes, 0.0, places[value] - 0.4, 1.0, 0.8, axes.get_yaxis_transform())
    if columns == DIFFERENCES:
        ends = sweep.rows[[low, high]].dropna()
        axes.set_xlim(*axis_range(ends[low].tolist(), ends[high].tolist()))
        axes.axvline(0.0, color=policy_colour(sweep.view.baseline), linewidth=1.2)


def _ordered(sweep: Sweep, rows: pd.DataFrame) -> pd.DataFrame:
    places = {value: i for i, value in enumerate(sweep.values(sweep.axes[0]))}
    return rows.sort_values(sweep.axes[0], key=lambda column: column.map(places))
