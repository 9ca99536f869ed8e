"""What more money or time would save a plan, and what each way of helping contributes: bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from nts_sim.charts.style import BLUE, INK, ORANGE, SMALL_PT, mechanism_colour, styled
from nts_sim.words import name_of, number, say, sentence

_MOST = 12
_LEAST = 5e-3
"""Bn VND below which nothing is drawn."""
_NAMES = 0.33
"""Share of the width that is names."""

Bar = tuple[str, float, float, str, str]
"""(Name, value, half of its range, what is written behind it, colour)."""


def plan_charts(frames: Mapping[str, pd.DataFrame], run_id: str) -> dict[str, Chart]:
    """Draw all charts of a plan, by name.

    Parameters
    ----------
    frames : tables of one plan
    """
    first = frames["plan_value"].iloc[0]
    values = frames["plan_value"].set_index("measure")["value"]
    view = View(
        asked=str(first["scenario"]), scenario=str(first["scenario"]),
        policy=str(first["policy"]), baseline="", run_id=run_id,
        replications=int(values["futures"]),
    )  # fmt: skip
    return {
        "plan_more": what_more_saves(frames["marginal_money"], frames["lead_value"], view),
        "plan_contributions": contributions_chart(frames["contributions"], view),
    }


@styled
def what_more_saves(money: pd.DataFrame, days: pd.DataFrame, view: View) -> Chart:
    """Draw what a billion more in a fund, and a day less of a mechanism, would save.

    Parameters
    ----------
    money : columns source, fund, owner, from_day, saved_per_bn_vnd, checked_bn_vnd,
        holds_to_bn_vnd
    days : columns mechanism, saved_bn_vnd, planned_again
    """
    bars = [*_money_bars(money), *_day_bars(days)]
    if not bars:
        return empty_chart(view, say("chart.plan_more.name"))
    bars = sorted(bars, key=lambda bar: -bar[1])[:_MOST]
    name, value = bars[0][0], bars[0][1]
    finding = say("chart.plan_more.finding", name=name, value=value)
    listed = "; ".join(f"{bar[0]} {number(bar[1])}" for bar in bars)
    chart = _opened(view, len(bars), finding, "chart.plan_more", listed)
    _draw(chart, bars)
    return chart


def _money_bars(money: pd.DataFrame) -> list[Bar]:
    worth = money[money["saved_per_bn_vnd"] >= _LEAST].sort_values("from_day")
    worth = worth.drop_duplicates(["source", "fund", "owner"])
    return [
        (
            say("chart.plan_more.money", fund=name_of("fund", row["fund"]), owner=row["owner"]),
            float(row["saved_per_bn_vnd"]),
            abs(float(row["saved_per_bn_vnd"]) - float(row["checked_bn_vnd"])),
            say("chart.plan_more.holds", holds=float(row["holds_to_bn_vnd"])),
            BLUE,
        )
        for _, row in worth.iterrows()
    ]  # fmt: skip


def _day_bars(days: pd.DataFrame) -> list[Bar]:
    worth = days[(days["saved_bn_vnd"] >= _LEAST) & (days["mechanism"] != "all")]
    return [
        (
            say("chart.plan_more.day", mechanism=name_of("mechanism", row["mechanism"])),
            float(row["saved_bn_vnd"]), 0.0, "", ORANGE,
        )
        for _, row in worth.iterrows()
    ]  # fmt: skip


@styled
def contributions_chart(rows: pd.DataFrame, view: View) -> Chart:
    """Draw what each way of helping contributes to what the plan saves.

    Parameters
    ----------
    rows : columns mechanism, share_bn_vnd, share, standard_error_bn_vnd
    """
    kept = rows[rows["share_bn_vnd"] >= _LEAST].sort_values("share_bn_vnd", ascending=False)
    if kept.empty:
        return empty_chart(view, say("chart.plan_shares.name"))
    bars = [
        (
            name_of("mechanism", row["mechanism"]), float(row["share_bn_vnd"]),
            1.96 * float(row["standard_error_bn_vnd"]), number(float(row["share"]), "percent"),
            mechanism_colour(row["mechanism"]),
        )
        for _, row in kept.head(_MOST).iterrows()
    ]  # fmt: skip
    finding = say(
        "chart.plan_shares.finding", mechanism=bars[0][0], share=float(kept["share"].iloc[0]),
        total=float(rows["share_bn_vnd"].sum()),
    )  # fmt: skip
    listed = "; ".join(f"{bar[0]} {number(bar[1])}" for bar in bars)
    chart = _opened(view, len(bars), finding, "chart.plan_shares", listed)
    _draw(chart, bars)
    return chart


def _opened(view: View, n_bars: int, finding: str, key: str, listed: str) -> Chart:
    """Open a chart of bars with its words; it has no replications to count."""
    below, reading, alt = _WORDS[key]
    scenario = name_of("scenario", view.asked)
    return open_chart(
        view, (9.0, 2.0 + 0.36 * n_bars), sentence(finding), say(below, scenario=scenario),
        say(reading), say(alt, finding=sentence(finding), listed=listed),
        say("chart.plan_foot", run=view.run_id, n=view.replications),
    )  # fmt: skip


_WORDS = {
    "chart.plan_more": (
        "chart.plan_more.below", "chart.plan_more.reading", "chart.plan_more.alt",
    ),
    "chart.plan_shares": (
        "chart.plan_shares.below", "chart.plan_shares.reading", "chart.plan_shares.alt",
    ),
}  # fmt: skip


def _draw(chart: Chart, bars: Sequence[Bar]) -> None:
    """Draw bars from the largest at the top down, with ranges and words behind them."""
    axes = panel(chart, _NAMES, body_share(chart, 0.5), 0.97, 0.98)
    at = list(range(len(bars)))
    values, ranges = [bar[1] for bar in bars], [bar[2] for bar in bars]
    axes.barh(at, values, color=[bar[4] for bar in bars], height=0.62)
    ranged = [row for row in at if ranges[row] > _LEAST]
    axes.errorbar([values[row] for row in ranged], ranged, xerr=[ranges[row] for row in ranged],
                  fmt="none", ecolor=INK, elinewidth=1.0, capsize=2.5)  # fmt: skip
    axes.set_yticks(at, [shortened(bar[0], 46) for bar in bars])
    axes.invert_yaxis()
    most = max(value + width for value, width in zip(values, ranges, strict=True))
    axes.set_xlim(0.0, 1.28 * most)
    _written(axes, bars, 0.012 * most)
    plain_numbers(axes, "x")
    light_grid(axes, "x")
    axes.set_xlabel(say("axis.saved"))


def _written(axes: Axes, bars: Sequence[Bar], gap: float) -> None:
    for row, (_, value, width, words, _) in enumerate(bars):
        text = number(value) + (f" ({words})" if words else "")
        axes.text(value + width + gap, row, text, va="center", size=SMALL_PT, color=INK)
