"""How incidents and unmet need develop, by policy: means of all policies, fans of two."""

from __future__ import annotations

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
from nts_sim.charts.style import SMALL_PT, policy_colour, readable, styled
from nts_sim.words import name_of, number, policy_in_text, say, sentence

_PANELS = ("active_incidents", "people_unmet")


@styled
def fans(daily: pd.DataFrame, view: View) -> Chart:
    """Draw active incidents and people in need who are not served, day by day.

    Parameters
    ----------
    daily : columns scenario, policy, day, series, mean, q05, q25, q50, q75, q95; series
        ``active_incidents`` (incidents) and ``people_unmet`` (people)
    view : View

    Returns
    -------
    Chart
        Lines are means; the fans of the policy in focus and of the baseline hold 50 % and 90 % of
        replications.
    """
    shown = daily[(daily["scenario"] == view.scenario) & daily["series"].isin(_PANELS)]
    if shown.empty or not shown["mean"].abs().sum() > 0.0:
        return empty_chart(view, say("chart.fans.name"))
    finding, alt = _words(shown, view)
    chart = open_chart(view, (10.0, 6.6), finding, say("chart.fans.below"),
                       say("chart.fans.reading"), alt)  # fmt: skip
    for row, series in enumerate(_PANELS):
        top = 0.94 - 0.48 * row
        axes = panel(chart, 0.085, top - 0.36, 0.775, top)
        _draw(axes, shown[shown["series"] == series], view)
        axes.set_title(name_of("series", series), loc="left", size=9.5, weight="bold")
        axes.set_xlabel(say("axis.day") if row else "")
    return chart


def _burdens(shown: pd.DataFrame, series: str) -> pd.Series[float]:
    """Sum of the means over all days, by policy, highest first."""
    rows = shown[shown["series"] == series]
    return rows.groupby("policy")["mean"].sum().sort_values(ascending=False)


def _words(shown: pd.DataFrame, view: View) -> tuple[str, str]:
    burden = _burdens(shown, "people_unmet")
    focus, base = policy_in_text(view.policy), policy_in_text(view.baseline)
    known = view.policy in burden and view.baseline in burden
    if known and view.policy != view.baseline and burden[view.baseline] > 0.0:
        gain = float(burden[view.baseline] - burden[view.policy])
        share = gain / float(burden[view.baseline])
        key_values = {"policy": focus, "baseline": base, "amount": abs(gain), "share": abs(share)}
        finding = (say("chart.fans.fewer", **key_values) if gain >= 0.0
                   else say("chart.fans.more", **key_values))  # fmt: skip
    else:
        rows = shown[shown["series"] == "people_unmet"]
        mine = rows[rows["policy"] == view.policy]
        rows = mine if len(mine) else rows
        worst = (rows if len(rows) else shown).nlargest(1, "mean").iloc[0]
        policy = policy_in_text(str(worst["policy"]))
        finding = say("chart.fans.worst_day", amount=float(worst["mean"]), policy=policy,
                      day=float(worst["day"]))  # fmt: skip
    listed = "; ".join(f"{name_of('policy', str(p))} {number(v)}" for p, v in burden.items())
    return finding, say("chart.fans.alt", finding=sentence(finding), listed=listed)


def _draw(axes: Axes, rows: pd.DataFrame, view: View) -> None:
    by_policy = {str(p): t.sort_values("day") for p, t in rows.groupby("policy")}
    for policy in (view.baseline, view.policy):
        table = by_policy.get(policy)
        if table is not None:
            for low, high, alpha in (("q05", "q95", 0.10), ("q25", "q75", 0.20)):
                axes.fill_between(table["day"], table[low], table[high], linewidth=0,
                                  color=policy_colour(policy), alpha=alpha)  # fmt: skip
    for policy, table in by_policy.items():
        strong = policy in (view.policy, view.baseline)
        axes.plot(table["day"], table["mean"], color=policy_colour(policy), label=policy,
                  linewidth=2.2 if strong else 1.2, zorder=3 if strong else 2,
                  linestyle="--" if policy == "do_nothing" else "-")  # fmt: skip
    last = float(rows["day"].max())
    axes.set_xlim(float(rows["day"].min()), last if last > 0 else 1.0)
    axes.set_ylim(0.0, _ceiling(rows, view))
    plain_numbers(axes, "x", "0", ticks=8)
    plain_numbers(axes, "y")
    light_grid(axes, "y")
    _labels(axes, by_policy)


def _ceiling(rows: pd.DataFrame, view: View) -> float:
    fanned = rows[rows["policy"].isin((view.policy, view.baseline))]
    return 1.05 * max(float(rows["mean"].max()), float(fanned["q95"].max() if len(fanned) else 0.0))


def _labels(axes: Axes, by_policy: dict[str, pd.DataFrame]) -> None:
    """Name the lines at the right, highest total first, each with its own stroke."""
    totals = {policy: float(table["mean"].sum()) for policy, table in by_policy.items()}
    ordered = sorted(totals, key=lambda policy: totals[policy])
    top = axes.get_ylim()[1]
    wanted = [top * (i + 0.5) / max(len(ordered), 6) for i in range(len(ordered))]
    heights = spread_apart(wanted, top / 11.0, 0.03 * top, 0.97 * top)
    for policy, y in zip(ordered, heights, strict=True):
        axes.plot([1.015, 1.045], [y / top, y / top], transform=axes.transAxes, clip_on=False,
                  color=policy_colour(policy), linewidth=2.5,
                  linestyle="--" if policy == "do_nothing" else "-")  # fmt: skip
        axes.text(1.055, y / top, shortened(name_of("policy", policy), 24), va="center",
                  transform=axes.transAxes, size=SMALL_PT + 0.5,
                  color=readable(policy_colour(policy)))  # fmt: skip
