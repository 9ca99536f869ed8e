"""What a policy costs, what harm it leaves, how evenly it serves, and which are beaten in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nts_sim.charts.frame import (
    Chart,
    View,
    body_share,
    empty_chart,
    light_grid,
    open_chart,
    panel,
    plain_numbers,
    shortened,
)
from nts_sim.charts.style import SMALL_PT, SOFT_INK, policy_colour, policy_marker, readable, styled
from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.words import name_of, number, policy_in_text, say, sentence

AIMS: Final = ("cost_bn_vnd", "harm_bn_vnd", "served_share_worst")
"""Money, harm, and how the province served worst fares."""
_COST, _HARM, _EVEN = AIMS
_MOST_NAMED = 3
_PALE = 0.35
_INCHES = 5.2


def aims_of(summary: pd.DataFrame, scenario: str) -> pd.DataFrame:
    """Arrange means and intervals of the three aims: one row a policy, columns (aim, figure).

    Parameters
    ----------
    summary : columns scenario, policy, metric, key, mean, low, high
    scenario : the one in which policies are judged

    Returns
    -------
    DataFrame
        Policies of which one of the means is not known are left out; least harm first.
    """
    rows = summary[(summary["scenario"] == scenario) & (summary["key"] == "all")
                   & summary["metric"].isin(AIMS)]  # fmt: skip
    if rows.empty or set(rows["metric"]) != set(AIMS):
        return pd.DataFrame()
    wide = rows.pivot_table(index="policy", columns="metric", values=["mean", "low", "high"],
                            dropna=False)  # fmt: skip
    wide = wide.swaplevel(axis="columns")
    known = wide[[(aim, "mean") for aim in AIMS]].notna().all(axis=1)
    return wide[known].sort_values((_HARM, "mean"), kind="stable")


def unbeaten(table: pd.DataFrame) -> list[str]:
    """Name the policies that no other beats: as good in all three aims, and better in one.

    Means that a reader sees as the same number, at three significant figures, count as equal. This
    is Pareto's order.

    Parameters
    ----------
    table : as made by `aims_of`
    """
    burdens = np.array([
        [_three_figures(row[aim, "mean"]) * (1 if BY_NAME[aim].lower_is_better else -1)
         for aim in AIMS]
        for _, row in table.iterrows()
    ])  # fmt: skip
    return [
        str(policy)
        for policy, mine in zip(table.index, burdens, strict=True)
        if not any(np.all(other <= mine) and np.any(other < mine) for other in burdens)
    ]


def _three_figures(value: float) -> float:
    return float(f"{value:.3g}")


@styled
def tradeoff(summary: pd.DataFrame, view: View) -> Chart:
    """Draw cost against harm, and beside it the share served in the worst served province.

    Parameters
    ----------
    summary : table `summary`
    view : View

    Returns
    -------
    Chart
        Crosses are 95 % intervals of the means. Policies that another beats in all three are pale.
    """
    table = aims_of(summary, view.asked)
    if len(table) < 2 or not table[[(_COST, "mean"), (_HARM, "mean")]].abs().to_numpy().sum() > 0.0:
        return empty_chart(view, say("chart.tradeoff.name"))
    best = unbeaten(table)
    finding = _finding(best, len(table))
    listed = "; ".join(_told(policy, row) for policy, row in table.iterrows())
    height = _INCHES + 0.18 * max(0, len(table) - 10)
    alt = say("chart.tradeoff.alt", finding=sentence(finding), listed=listed)
    chart = open_chart(view, (10.0, height), finding, say("chart.tradeoff.below"),
                       say("chart.tradeoff.reading"), alt)  # fmt: skip
    floor, top = body_share(chart, 0.5), 1.0 - body_share(chart, 0.3)
    _plane(panel(chart, 0.07, floor, 0.5, top), table, best)
    _evenness(panel(chart, 0.76, floor, 0.94, top), table, best)
    return chart


def _finding(best: Sequence[str], of: int) -> str:
    names = [policy_in_text(policy) for policy in best[:_MOST_NAMED]]
    listed = say("chart.tradeoff.and").join(names)
    left = len(best) - len(names)
    if left:
        listed += say("chart.tradeoff.more", n=left)
    if len(best) == of:
        return say("chart.tradeoff.all", of=of)
    return say("chart.tradeoff.finding", n=len(best), of=of, listed=listed)


def _told(policy: object, row: pd.Series[Any]) -> str:
    return say("chart.tradeoff.one", policy=name_of("policy", str(policy)),
               cost=row[_COST, "mean"], harm=row[_HARM, "mean"],
               share=row[_EVEN, "mean"])  # fmt: skip


def _plane(axes: Axes, table: pd.DataFrame, best: Sequence[str]) -> None:
    for policy, row in table.iloc[::-1].iterrows():
        name, colour = str(policy), policy_colour(str(policy))
        alpha = 1.0 if name in best else _PALE
        x, y = row[_COST, "mean"], row[_HARM, "mean"]
        axes.plot([row[_COST, "low"], row[_COST, "high"]], [y, y], color=colour, alpha=0.6 * alpha)
        axes.plot([x, x], [row[_HARM, "low"], row[_HARM, "high"]], color=colour, alpha=0.6 * alpha)
        axes.plot([x], [y], marker=policy_marker(name), color=colour, alpha=alpha, markersize=8,
                  markeredgecolor=readable(colour), markeredgewidth=0.8, zorder=3)  # fmt: skip
    axes.set_ylim(bottom=max(0.0, axes.get_ylim()[0]))
    axes.set_xlim(left=max(0.0, axes.get_xlim()[0]))
    _heading(axes, say("chart.tradeoff.plane"))
    plain_numbers(axes, "x")
    plain_numbers(axes, "y")
    light_grid(axes, "x")
    light_grid(axes, "y")
    axes.set_xlabel(say("chart.tradeoff.cost"))
    axes.set_ylabel(say("chart.tradeoff.harm"))
    _labels(axes, table, best)


def _heading(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", size=9.5, weight="bold")


def _labels(axes: Axes, table: pd.DataFrame, best: Sequence[str]) -> None:
    """Name the points at the right, most harm on top, each joined to its point by a line."""
    low, high = axes.get_ylim()
    at = [(row[_HARM, "mean"] - low) / (high - low) for _, row in table.iterrows()]
    heights = [(i + 0.5) / len(table) for i in range(len(table))]
    left, right = axes.get_xlim()
    for (policy, row), y, to in zip(table.iterrows(), at, heights, strict=True):
        name, colour = str(policy), policy_colour(str(policy))
        alpha = 1.0 if name in best else 0.75
        x = (row[_COST, "mean"] - left) / (right - left)
        axes.plot([x, 1.02, 1.04], [y, to, to], transform=axes.transAxes, clip_on=False,
                  color=colour, linewidth=0.6, alpha=alpha, zorder=1)  # fmt: skip
        axes.plot([1.06], [to], transform=axes.transAxes, clip_on=False, color=colour,
                  marker=policy_marker(name), markersize=6, alpha=alpha,
                  markeredgecolor=readable(colour), markeredgewidth=0.7)  # fmt: skip
        axes.text(1.09, to, shortened(name_of("policy", name), 26), transform=axes.transAxes,
                  va="center", size=SMALL_PT + 0.5,
                  color=readable(colour) if name in best else SOFT_INK,
                  weight="bold" if name in best else "normal")  # fmt: skip


def _evenness(axes: Axes, table: pd.DataFrame, best: Sequence[str]) -> None:
    """Draw the third aim, each policy in the row of its name; numbers stand at the right."""
    for y, (policy, row) in enumerate(table.iterrows()):
        name, colour = str(policy), policy_colour(str(policy))
        alpha = 1.0 if name in best else _PALE
        ends = [max(0.0, row[_EVEN, "low"]), min(1.0, row[_EVEN, "high"])]
        axes.plot(ends, [y, y], color=colour, alpha=alpha, linewidth=1.8)
        axes.plot([row[_EVEN, "mean"]], [y], marker=policy_marker(name), color=colour,
                  alpha=alpha, markersize=6.5, markeredgecolor=readable(colour),
                  markeredgewidth=0.8)  # fmt: skip
        axes.text(1.04, y, number(row[_EVEN, "mean"], "percent"), size=SMALL_PT, va="center",
                  transform=axes.get_yaxis_transform(), color=SOFT_INK)  # fmt: skip
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-0.5, len(table) - 0.5)
    axes.set_yticks(range(len(table)), [""] * len(table))
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([0.0, 0.5, 1.0], [number(share, "percent") for share in (0.0, 0.5, 1.0)])
    axes.spines["left"].set_visible(False)
    light_grid(axes, "x")
    light_grid(axes, "y")
    _heading(axes, say("chart.tradeoff.even"))
    axes.set_xlabel(say("chart.tradeoff.even_axis"))
