"""Schedule of the accountable plan: who does what until when (Gantt chart)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from nts_sim.charts.frame import (
    Chart,
    View,
    empty_chart,
    light_grid,
    open_chart,
    panel,
    shortened,
)
from nts_sim.charts.style import BLUE, INK, SKY, SMALL_PT, SOFT_INK, VERMILLION, YELLOW, styled
from nts_sim.words import number, say
from nts_sim.words.dates import month_name

_MOST: Final = 25
_NAMES: Final = 0.5
"""Share of the width that is names."""
_LETTERS: Final = 62
_STEPS: Final = (
    ("approval", "start_day", "approved_day", YELLOW),
    ("handover", "approved_day", "handover_day", SKY),
    ("travel", "handover_day", "due_day", BLUE),
)
_SHORTEST_DAYS: Final = 0.04
"""Shown of a task that takes no time."""


@styled
def gantt(tasks: pd.DataFrame, view: View) -> Chart:
    """Draw the tasks that cost most, by unit in charge, each in its steps.

    Parameters
    ----------
    tasks : columns task, day_zero, start_day, approved_day, handover_day, due_day, forecast_day,
        quantity, kind, cost_bn_vnd, legal_basis_checked, and in words: unit, work
    """
    if tasks.empty:
        return empty_chart(view, say("chart.gantt.name"))
    shown = _dearest(tasks)
    late = int((tasks["forecast_day"] > tasks["due_day"] + 1e-6).sum())
    last = _date(str(tasks["day_zero"].iloc[0]), float(tasks["due_day"].max()) - 1e-6)
    told = {"n": len(tasks), "late": late, "date": last}
    lines = len(shown) + shown["unit"].nunique()
    chart = open_chart(
        view, (11.0, 2.2 + 0.245 * lines), say("chart.gantt.finding", **told),
        say("chart.gantt.below", shown=len(shown), n=len(tasks)), say("chart.gantt.reading"),
        say("chart.gantt.alt", listed="; ".join(shown["work"].head(5)), **told),
        say("chart.gantt.foot", run=view.run_id),
    )  # fmt: skip
    height = float(chart.get_size_inches()[1])
    axes = panel(chart, _NAMES, 0.75 / height, 0.99, 1.0 - 0.15 / height)
    _draw(axes, shown)
    _axis(axes, shown)
    _legend(axes, height)
    return chart


def _dearest(tasks: pd.DataFrame) -> pd.DataFrame:
    """Choose the tasks of most money, drawn or charged; by unit, in the order of their starts."""
    money = tasks["cost_bn_vnd"] + tasks["quantity"].where(tasks["kind"] == "draw", 0.0)
    kept = tasks.loc[list(money.sort_values(ascending=False, kind="stable").index[:_MOST])]
    first = kept.groupby("unit")["start_day"].transform("min")
    return kept.assign(first=first).sort_values(["first", "unit", "start_day", "task"])


def _draw(axes: Axes, shown: pd.DataFrame) -> None:
    """Draw a bar a task below the name of its unit."""
    y = 0.0
    beside = axes.get_yaxis_transform()
    for unit, mine in shown.groupby("unit", sort=False):
        axes.text(-_NAMES / (0.99 - _NAMES), y, shortened(str(unit), _LETTERS), size=SMALL_PT + 0.5,
                  weight="bold", va="center", color=INK, transform=beside)  # fmt: skip
        y += 1.0
        for row in mine.to_dict("records"):
            _bar(axes, y, row)
            told = shortened(f"{row['task']}  {row['work']}", _LETTERS + 20)
            checked = row["legal_basis_checked"] != "not checked"
            mark = "" if checked else " *"
            axes.text(-0.98 * _NAMES / (0.99 - _NAMES), y, told + mark, size=SMALL_PT, va="center",
                      color=INK, transform=beside)  # fmt: skip
            y += 1.0
    axes.set_ylim(y - 0.4, -0.6)


def _bar(axes: Axes, y: float, row: dict[object, object]) -> None:
    """Draw the steps of a task, and when it is in place in the simulated course."""
    days = {name: float(str(row[name])) for name in ("start_day", "approved_day", "handover_day",
                                                     "due_day", "forecast_day")}  # fmt: skip
    for _, left, right, colour in _STEPS:
        width = days[right] - days[left]
        if width > 0.0:
            axes.barh(y, width, left=days[left], height=0.62, color=colour, linewidth=0)
    if days["due_day"] - days["start_day"] < _SHORTEST_DAYS:
        axes.barh(y, _SHORTEST_DAYS, left=days["start_day"], height=0.62, color=BLUE)
    if np.isfinite(days["forecast_day"]):
        late = days["forecast_day"] > days["due_day"] + 1e-6
        axes.plot([days["forecast_day"]], [y], linestyle="none", marker="D", markersize=4.2,
                  markerfacecolor=VERMILLION if late else "white",
                  markeredgecolor=VERMILLION if late else INK, markeredgewidth=0.8)  # fmt: skip


def _axis(axes: Axes, shown: pd.DataFrame) -> None:
    zero = str(shown["day_zero"].iloc[0])
    ends = float(np.nanmax(shown[["due_day", "forecast_day"]].to_numpy()))
    begins = float(shown["start_day"].min())
    room = 0.02 * max(ends - begins, 1.0)
    left, right = begins - room, ends + 2 * room
    ticks = MaxNLocator(7, integer=True).tick_values(left, right)
    days = [float(day) for day in ticks if left <= day <= right]
    axes.set_xlim(left, right)
    axes.set_xticks(days, [_date(zero, day) for day in days])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    light_grid(axes, "x")


def _date(day_zero: str, day: float) -> str:
    at = date.fromisoformat(day_zero) + timedelta(days=int(np.floor(day)))
    return say("chart.gantt.date", day=number(at.day, "0"), month=month_name(at.month))


def _legend(axes: Axes, height: float) -> None:
    handles = [Patch(color=colour, label=say(f"chart.gantt.{name}"))
               for name, _, _, colour in _STEPS]  # fmt: skip
    marks = [
        Line2D([], [], linestyle="none", marker="D", markersize=4.5, markerfacecolor=face,
               markeredgecolor=edge, label=say(f"chart.gantt.{name}"))
        for name, face, edge in (("in_place", "white", INK), ("late", VERMILLION, VERMILLION))
    ]  # fmt: skip
    axes.legend(
        handles=[*handles, *marks], loc="upper right", ncols=5, frameon=False,
        bbox_to_anchor=(1.0, -0.3 / max(height - 2.0, 1.0)), fontsize=SMALL_PT + 0.5,
        handlelength=1.2, columnspacing=1.2, labelcolor=SOFT_INK,
    )  # fmt: skip
