"""Which ways of mobilising help cover the need, day by day."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nts_sim.charts.frame import (
    Chart,
    View,
    empty_chart,
    light_grid,
    open_chart,
    panel,
    plain_numbers,
    shortened,
    spread_apart,
)
from nts_sim.charts.style import SMALL_PT, mechanism_colour, readable, styled
from nts_sim.words import name_of, number, policy_in_text, say, sentence

_MOST_SHOWN = 8
_OWN = "local_on_spot"


def stacked(buildup: pd.DataFrame, view: View) -> pd.DataFrame:
    """Arrange shares of need covered as [day, mechanism]; own stock first, small ones in ``other``.

    Parameters
    ----------
    buildup : columns scenario, policy, day, mechanism, share
    view : View
    """
    rows = buildup[(buildup["scenario"] == view.scenario) & (buildup["policy"] == view.policy)]
    table = rows.pivot_table(index="day", columns="mechanism", values="share", aggfunc="sum",
                             fill_value=0.0)  # fmt: skip
    totals = table.sum().sort_values(ascending=False)
    kept = [str(m) for m in totals.index[totals > 0.0]]
    if _OWN in kept:
        kept = [_OWN, *[m for m in kept if m != _OWN]]
    if len(kept) <= _MOST_SHOWN:
        return table[kept]
    small = kept[_MOST_SHOWN - 1 :]
    return table[kept[: _MOST_SHOWN - 1]].assign(other=table[small].sum(axis=1))


@styled
def mechanism_buildup(buildup: pd.DataFrame, view: View) -> Chart:
    """Draw the share of need covered each day, stacked by mechanism, under the policy in focus.

    Parameters
    ----------
    buildup : columns scenario, policy, day, mechanism, share (of the day's need, in [0, 1])
    view : View
    """
    table = stacked(buildup, view)
    if table.empty or table.shape[1] == 0:
        return empty_chart(view, say("chart.buildup.name"))
    finding, alt = _words(table, view)
    chart = open_chart(view, (10.0, 5.2), finding,
                       say("chart.buildup.below", policy=policy_in_text(view.policy)),
                       say("chart.buildup.reading"), alt)  # fmt: skip
    axes = panel(chart, 0.075, 0.13, 0.76, 0.95)
    _draw(axes, table)
    return chart


def _words(table: pd.DataFrame, view: View) -> tuple[str, str]:
    helped = table[table.sum(axis=1) > 0.0]
    means = helped.mean()
    lead = str(means.idxmax())
    finding = say("chart.buildup.finding", share=float(means.sum()), part=float(means.max()),
                  mechanism=shortened(name_of("mechanism", lead), 40))  # fmt: skip
    listed = "; ".join(
        f"{name_of('mechanism', str(m))} {number(float(v), 'percent')}" for m, v in means.items()
    )
    return finding, say("chart.buildup.alt", finding=sentence(finding), listed=listed,
                        policy=policy_in_text(view.policy))  # fmt: skip


def _draw(axes: Axes, table: pd.DataFrame) -> None:
    days = table.index.to_numpy(dtype=float)
    colours = [mechanism_colour(str(m)) for m in table.columns]
    axes.stackplot(days, table.to_numpy().T, colors=colours, edgecolor="white", linewidth=0.8)
    total = float(table.sum(axis=1).max())
    top = min(1.0, max(0.1, 1.25 * total))
    axes.set_ylim(0.0, top)
    axes.set_xlim(days[0], days[-1] if len(days) > 1 else days[0] + 1.0)
    plain_numbers(axes, "y", "percent")
    plain_numbers(axes, "x", "0", ticks=8)
    light_grid(axes, "y")
    axes.set_ylabel(say("axis.need_covered"))
    axes.set_xlabel(say("axis.day"))
    _labels(axes, table, top)


def _labels(axes: Axes, table: pd.DataFrame, top: float) -> None:
    """Name the layers at the right edge, in the order of the stack, joined to them by a line."""
    ends = np.concatenate([[0.0], table.iloc[-1].cumsum().to_numpy(dtype=float)])
    middles = [(low + high) / 2 / top for low, high in pairwise(ends)]
    heights = spread_apart(middles, 0.062, 0.02, 0.98)
    for mechanism, middle, y in zip(table.columns, middles, heights, strict=True):
        colour = mechanism_colour(str(mechanism))
        axes.plot([1.0, 1.03], [middle, y], transform=axes.transAxes, clip_on=False,
                  color=readable(colour), linewidth=0.7)  # fmt: skip
        axes.plot([1.04], [y], marker="s", transform=axes.transAxes, clip_on=False, color=colour,
                  markersize=7)  # fmt: skip
        axes.text(1.06, y, shortened(name_of("mechanism", str(mechanism)), 24), va="center",
                  transform=axes.transAxes, size=SMALL_PT + 0.5,
                  color=readable(colour))  # fmt: skip
