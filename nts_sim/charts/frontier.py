"""The budget frontier: harm over money, and beneath it what one more billion saves at each step."""

from __future__ import annotations

from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from nts_sim.charts.frame import Chart, light_grid, open_chart, panel, plain_numbers
from nts_sim.charts.style import INK, SMALL_PT, policy_colour, policy_marker, readable, styled
from nts_sim.charts.sweep_cells import (
    Sweep,
    axis_name,
    gap,
    legend_column,
    nothing_chart,
    told_below,
)
from nts_sim.words import name_of, number, policy_in_text, say, sentence

FUNDS: Final = "fund.balance_factor"
METRIC: Final = "harm_bn_vnd"


def is_money(axis: str) -> bool:
    """Tell whether an axis is an amount of money, or a multiple of one."""
    return axis == FUNDS or axis.endswith("_bn_vnd")


def _unit(axis: str) -> tuple[float, str]:
    """Say what "more" is on an axis of money: how much of its unit, and in words."""
    if axis == FUNDS:
        return 0.1, say("chart.frontier.tenth")
    return 1.0, say("chart.frontier.billion")


@styled
def budget_frontier(sweep: Sweep, steps: pd.DataFrame) -> Chart:
    """Draw harm by money under every policy, and what more money saves under the one in focus.

    Parameters
    ----------
    sweep : of one axis of money, see `is_money`
    steps : columns `STEP_COLUMNS` of `nts_sim.outcomes.insight.steps`

    Returns
    -------
    Chart
        Bands and boxes are 95 % intervals. Boxes of steps whose saving is not told from nothing are
        hollow.
    """
    mine = steps[steps["policy"] == sweep.focus].sort_values("start")
    if sweep.rows.empty or mine.empty:
        return nothing_chart(sweep.view, say("chart.frontier.nothing"), say("chart.frontier.none"))
    axis = sweep.axes[0]
    size, more = _unit(axis)
    scaled = mine.assign(**{name: mine[name] * size for name in ("saved", "low", "high")})
    finding = _finding(sweep, scaled, more)
    listed = "; ".join(
        say("chart.frontier.one", start=row["start"], end=row["end"], saved=row["saved"],
            low=row["low"], high=row["high"])
        for row in scaled.to_dict("records")
    )  # fmt: skip
    told = {"policy": policy_in_text(sweep.focus), "more": more}
    chart = open_chart(sweep.view, (10.0, 6.8), finding,
                       told_below(sweep, say("chart.frontier.below", **told)),
                       say("chart.frontier.reading", **told),
                       say("chart.frontier.alt", finding=sentence(finding), listed=listed,
                           **told))  # fmt: skip
    _harm(panel(chart, 0.08, 0.55, 0.76, 0.95), sweep)
    _slope(panel(chart, 0.08, 0.09, 0.76, 0.42), sweep, scaled, more)
    return chart


def _finding(sweep: Sweep, steps: pd.DataFrame, more: str) -> str:
    told = {"policy": policy_in_text(sweep.focus), "axis": axis_name(sweep.axes[0]), "more": more}
    pays = steps[steps["told"].astype(bool) & (steps["saved"] > 0.0)]
    if pays.empty:
        return say("chart.frontier.nowhere", **told)
    best = pays.sort_values("saved", kind="stable").iloc[-1]
    to, end = float(pays["end"].max()), float(steps["end"].max())
    key = "chart.frontier.ends" if to < end else "chart.frontier.goes_on"
    amount = _amount(sweep.axes[0])
    return say(key, saved=best["saved"], start=say(amount, value=best["start"]),
               end=say(amount, value=best["end"]), to=say(amount, value=to), **told)  # fmt: skip


def _amount(axis: str) -> str:
    """Key of the text that writes an amount of the axis."""
    return "chart.frontier.times" if axis == FUNDS else "chart.frontier.bn"


def _harm(axes: Axes, sweep: Sweep) -> None:
    axis, values = sweep.axes[0], [float(value) for value in sweep.values(sweep.axes[0])]
    for policy in sweep.policies:
        rows = sweep.of(policy).drop_duplicates(axis).set_index(axis).reindex(values)
        colour = policy_colour(policy)
        axes.fill_between(values, rows["low"].to_numpy(), rows["high"].to_numpy(), color=colour,
                          alpha=0.16, linewidth=0.0)  # fmt: skip
        axes.plot(values, rows["mean"].to_numpy(), color=colour, linewidth=1.5,
                  marker=policy_marker(policy), markersize=6, markeredgewidth=0.8,
                  markeredgecolor=readable(colour))  # fmt: skip
    axes.set_title(f"{sentence(name_of('metric', sweep.metric))}, {sweep.unit}", loc="left",
                   size=9.0, weight="bold")  # fmt: skip
    _money_axis(axes, sweep, values)
    plain_numbers(axes, "y")
    legend_column(axes, sweep.policies, letters=24)


def _money_axis(axes: Axes, sweep: Sweep, values: list[float]) -> None:
    margin = 0.03 * (values[-1] - values[0])
    axes.set_xlim(values[0] - margin, values[-1] + margin)
    known = set(sweep.rows[sweep.axes[0]])
    for value in values:
        if value not in known:
            gap(axes, value - margin, 0.0, 2.0 * margin, 1.0, axes.get_xaxis_transform())
    if len(values) <= 9:
        axes.set_xticks(values, [number(value) for value in values])
    else:
        plain_numbers(axes, "x", ticks=7)
    light_grid(axes, "y")


def _slope(axes: Axes, sweep: Sweep, steps: pd.DataFrame, more: str) -> None:
    colour = policy_colour(sweep.focus)
    axes.axhline(0.0, color=INK, linewidth=1.0)
    for row in steps.to_dict("records"):
        start, wide = row["start"], row["end"] - row["start"]
        told = bool(row["told"])
        axes.add_patch(Rectangle((start, row["low"]), wide, row["high"] - row["low"], alpha=0.3,
                                 facecolor=colour if told else "none", edgecolor=colour,
                                 linestyle="-" if told else "--"))  # fmt: skip
        axes.plot([start, row["end"]], [row["saved"]] * 2, color=readable(colour), linewidth=2.0,
                  linestyle="-" if told else ":")  # fmt: skip
        if len(steps) <= 10:
            text = number(row["saved"]) if told else f"≈ {number(row['saved'])}"
            axes.annotate(text, (start + wide / 2, row["saved"]), (0.0, 2.5),
                          textcoords="offset points", size=SMALL_PT, ha="center", va="bottom",
                          color=readable(colour))  # fmt: skip
    ends = [0.0, *steps["low"].dropna(), *steps["high"].dropna()]
    room = 0.12 * (max(ends) - min(ends)) or 1.0
    axes.set_ylim(min(ends) - room, max(ends) + room)
    title = say("chart.frontier.slope", more=more, policy=policy_in_text(sweep.focus))
    axes.set_title(sentence(title), loc="left", size=9.0, weight="bold")
    axes.set_xlabel(sentence(axis_name(sweep.axes[0])))
    _money_axis(axes, sweep, [float(value) for value in sweep.values(sweep.axes[0])])
    plain_numbers(axes, "y", "signed")
