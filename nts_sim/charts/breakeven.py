"""Breakeven: the difference of the preferred policy to its best rival over one parameter."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from nts_sim.charts.frame import (
    Chart,
    View,
    light_grid,
    open_chart,
    panel,
    plain_numbers,
    shortened,
)
from nts_sim.charts.style import INK, ORANGE, SMALL_PT, SOFT_INK, policy_colour, readable, styled
from nts_sim.charts.sweep_cells import axis_name, nothing_chart
from nts_sim.outcomes.insight.breakeven import Breakeven, Crossing
from nts_sim.words import name_of, number, policy_in_text, say, sentence


def breakeven_sentence(found: Breakeven, axis: str, policy: str, rival: str) -> str:
    """Say at which value another policy is preferred, and where neither is told to be better.

    Parameters
    ----------
    found : Breakeven
    axis : key of the parameter
    policy, rival : preferred at the value in use; the one preferred beyond the change
    """
    told = {"axis": axis_name(axis), "policy": policy_in_text(policy), "low": found.low,
            "rival": policy_in_text(rival), "high": found.high,
            "shipped": found.shipped}  # fmt: skip
    nearest = found.nearest
    if nearest is None:
        return say("chart.breakeven.none", **told)
    key = "chart.breakeven.up" if nearest.side == "up" else "chart.breakeven.down"
    return say(key, near=nearest.near, far=nearest.far, **told)


@styled
def breakeven_line(
    found: Breakeven, axis: str, policy: str, rival: str, unit: str, view: View
) -> Chart:
    """Draw the difference at every value looked at, and where the preferred policy changes."""
    if not found.points:
        return nothing_chart(view, say("chart.breakeven.nothing"), say("chart.breakeven.no_value"))
    finding = breakeven_sentence(found, axis, policy, rival)
    listed = "; ".join(f"{number(p.value)}: {number(p.mean, 'signed')}" for p in found.points)
    told = {"policy": policy_in_text(policy), "unit": name_of("unit", unit)}
    below = say("chart.breakeven.below", **told)
    if found.nearest is not None and found.nearest.unsure_near != found.nearest.unsure_far:
        below += " " + say("chart.breakeven.unsure", low=_ends(found.nearest)[0],
                           high=_ends(found.nearest)[1])  # fmt: skip
    alt = say("chart.breakeven.alt", finding=sentence(finding), listed=listed)
    chart = open_chart(view, (9.0, 4.8), finding, sentence(below), say("chart.breakeven.reading"),
                       alt)  # fmt: skip
    _draw(panel(chart, 0.09, 0.13, 0.97, 0.93), found, policy)
    axes = chart.axes[0]
    axes.set_xlabel(sentence(shortened(axis_name(axis), 70)))
    axes.set_ylabel(say("axis.difference", unit=name_of("unit", unit)))
    return chart


def _ends(crossing: Crossing) -> tuple[float, float]:
    """Order the ends of the unsure stretch, the lower one first."""
    ends = sorted((crossing.unsure_near, crossing.unsure_far))
    return ends[0], ends[1]


def _draw(axes: Axes, found: Breakeven, policy: str) -> None:
    x, mean, low, high = (np.array([getattr(point, name) for point in found.points])
                          for name in ("value", "mean", "low", "high"))  # fmt: skip
    colour = policy_colour(policy)
    axes.axhline(0.0, color=INK, linewidth=1.0)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0.0)
    axes.plot(x, mean, color=colour, linewidth=1.4, marker="o", markersize=3.5,
              markeredgecolor=readable(colour))  # fmt: skip
    place = axes.get_xaxis_transform()
    for crossing in found.crossings:
        axes.axvspan(*_ends(crossing), color=ORANGE, alpha=0.14, linewidth=0.0)
        axes.axvspan(min(crossing.near, crossing.far), max(crossing.near, crossing.far),
                     color=ORANGE, alpha=0.8)  # fmt: skip
        axes.text(crossing.at, 1.01, say("chart.breakeven.at", at=crossing.at), size=SMALL_PT,
                  ha="center", va="bottom", transform=place)  # fmt: skip
    axes.axvline(found.shipped, color=SOFT_INK, linewidth=0.9, linestyle=":")
    left_half = found.shipped <= (x[0] + x[-1]) / 2.0
    axes.text(found.shipped, 0.02, f" {say('chart.breakeven.shipped')} ", size=SMALL_PT,
              ha="left" if left_half else "right", color=SOFT_INK, va="bottom",
              transform=place)  # fmt: skip
    axes.set_xlim(x[0], x[-1])
    plain_numbers(axes, "x", ticks=6)
    plain_numbers(axes, "y", "signed")
    light_grid(axes, "y")
