"""Is a policy better than the baseline? Paired differences with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
)
from nts_sim.charts.style import (
    SMALL_PT,
    SOFT_INK,
    policy_colour,
    policy_marker,
    readable,
    styled,
)
from nts_sim.words import name_of, number, policy_in_text, say, sentence

METRICS = ("total_burden_bn_vnd", "harm_bn_vnd", "cost_bn_vnd")
_FAR = 4.0
"""A policy this many times farther out than the others is cut off, its number written instead."""
_NAMES, _PLOT = 0.17, 0.64
"""Width of the column of names, and share of a panel that is plot; its numbers stand beside."""


@styled
def policy_comparison(
    comparison: pd.DataFrame, view: View, metrics: Sequence[str] = METRICS
) -> Chart:
    """Draw paired differences to the baseline, one panel a metric, one row a policy.

    Parameters
    ----------
    comparison : columns scenario, metric, key, unit, policy, baseline, n, diff, low, high,
        relative_pct, separable; `diff` is policy − baseline on common random numbers
    view : View
    metrics : at most three, the first decides the order of the rows

    Returns
    -------
    Chart
        Dots are mean differences, bars their 95 % intervals, the line at 0 the baseline.
    """
    rows = comparison[comparison["scenario"] == view.asked]
    rows = rows[(rows["key"] == "all") & rows["metric"].isin(metrics)]
    shown = [m for m in metrics if (rows["metric"] == m).any()]
    if rows.empty:
        return empty_chart(view, say("chart.comparison.name"))
    lead = rows[rows["metric"] == shown[0]].sort_values("diff", ascending=False)
    order = [str(p) for p in lead["policy"]]
    finding, alt = _words(lead, view)
    chart = open_chart(view, (10.0, 2.3 + 0.40 * len(order)), finding,
                       say("chart.comparison.below", baseline=policy_in_text(view.baseline)),
                       say("chart.comparison.reading"), alt)  # fmt: skip
    floor = 0.62 / chart.get_figheight() + 0.02
    width = (1.0 - _NAMES) / len(shown)
    for column, metric in enumerate(shown):
        x0 = _NAMES + column * width
        axes = panel(chart, x0, floor, x0 + _PLOT * width, 1.0 - 0.62 / chart.get_figheight())
        _draw(axes, rows[rows["metric"] == metric].set_index("policy"), order, view,
              first=column == 0)  # fmt: skip
    return chart


def _words(lead: pd.DataFrame, view: View) -> tuple[str, str]:
    """Make the sentence from the policy with the lowest mean."""
    best = lead.iloc[-1]
    base, metric = policy_in_text(view.baseline), name_of("metric", str(best["metric"]))
    told = {"policy": policy_in_text(str(best["policy"])), "baseline": base, "metric": metric,
            "amount": abs(float(best["diff"])), "unit": name_of("unit", str(best["unit"])),
            "relative": float(best["relative_pct"])}  # fmt: skip
    if float(best["diff"]) >= 0.0:
        finding = say("chart.comparison.none_better", baseline=base, metric=metric)
    elif bool(best["separable"]):
        finding = say("chart.comparison.better", **told)
    else:
        finding = say("chart.comparison.unclear", **told)
    listed = "; ".join(
        say("chart.comparison.one", policy=name_of("policy", r["policy"]), diff=r["diff"],
            low=r["low"], high=r["high"])
        for r in lead.iloc[::-1].to_dict("records")
    )  # fmt: skip
    unit = name_of("unit", str(best["unit"]))
    return finding, say("chart.comparison.alt", finding=sentence(finding), metric=metric, unit=unit,
                        listed=listed)  # fmt: skip


def axis_range(low: Sequence[float], high: Sequence[float]) -> tuple[float, float]:
    """Choose the span shown, so that one far policy does not squeeze all others to a dot.

    Parameters
    ----------
    low, high : ends of the intervals, one each a policy

    Returns
    -------
    (float, float)
        Always with 0 inside.
    """
    reach = np.sort(np.maximum(np.abs(low), np.abs(high)))
    limit = float(reach[-1])
    if len(reach) >= 3 and reach[-1] > _FAR * reach[-2]:
        limit = float(reach[-2]) * 1.6
    least, most = max(float(np.min(low)), -limit), min(float(np.max(high)), limit)
    least, most = min(least, 0.0), max(most, 0.0)
    margin = 0.08 * (most - least) or 1.0
    return least - margin, most + margin


def _draw(axes: Axes, rows: pd.DataFrame, order: Sequence[str], view: View, *, first: bool) -> None:
    metric, unit = str(rows["metric"].iloc[0]), str(rows["unit"].iloc[0])
    span = axis_range(rows["low"].tolist(), rows["high"].tolist())
    axes.set_xlim(*span)
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.axvline(0.0, color=policy_colour("current_practice"), linewidth=1.2)
    for y, policy in enumerate(order):
        if policy in rows.index:
            _row(axes, rows.loc[[policy]].iloc[0], policy, y, span)
    axes.set_yticks(range(len(order)))
    axes.set_yticklabels([shortened(name_of("policy", p), 24) if first else "" for p in order])
    for label, policy in zip(axes.get_yticklabels(), order, strict=True):
        label.set_color(readable(policy_colour(policy)))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    plain_numbers(axes, "x", "signed", ticks=4 if span[1] - span[0] < 1e5 else 3)
    light_grid(axes, "x")
    axes.set_title(sentence(name_of("metric", metric)), loc="left", size=9.5, weight="bold", y=1.06)
    known = rows[np.isfinite(rows["relative_pct"]) & (rows["relative_pct"] != 0.0)]
    if len(known):
        value = 100.0 * float(known["diff"].iloc[0]) / float(known["relative_pct"].iloc[0])
        told = say("chart.comparison.at_baseline", value=value,
                   baseline=shortened(sentence(name_of("policy", view.baseline)), 24))  # fmt: skip
        axes.text(0.0, 1.02, told, transform=axes.transAxes, size=SMALL_PT, color=SOFT_INK)
    axes.set_xlabel(say("axis.difference", unit=name_of("unit", unit)))


def _row(axes: Axes, row: pd.Series[Any], policy: str, y: int, span: tuple[float, float]) -> None:
    colour = policy_colour(policy)
    diff, low, high = float(row["diff"]), float(row["low"]), float(row["high"])
    beyond = diff > span[1] or diff < span[0]
    if beyond:
        inside = 0.03 * (span[1] - span[0])
        edge = span[1] - inside if diff > span[1] else span[0] + inside
        axes.plot([edge], [y], marker=">" if diff > 0 else "<", color=colour, markersize=8)
    else:
        axes.plot([low, high], [y, y], color=colour, linewidth=2.0, solid_capstyle="butt")
        axes.plot([diff], [y], marker=policy_marker(policy), color=colour, markersize=7,
                  markeredgecolor=readable(colour), markeredgewidth=0.8)  # fmt: skip
    text = number(diff, "signed")
    if np.isfinite(float(row["relative_pct"])):
        text += f"\n{number(float(row['relative_pct']), 'change')}"
    axes.text(1.05, y, text, transform=axes.get_yaxis_transform(), size=SMALL_PT, va="center",
              color=readable(colour), linespacing=1.15)  # fmt: skip


@styled
def scenario_comparison(comparison: pd.DataFrame, view: View, metric: str = "harm_bn_vnd") -> Chart:
    """Draw, scenario by scenario, by how many per cent each policy changes the baseline's burden.

    Parameters
    ----------
    comparison : as for `policy_comparison`, with several scenarios
    view : View
    metric : the burden compared
    """
    compared = comparison[(comparison["key"] == "all") & (comparison["metric"] == metric)]
    rows = compared[np.isfinite(compared["relative_pct"]) & (compared["diff"] != 0.0)]
    if rows.empty:
        return empty_chart(view, say("chart.scenarios.name"))
    scenarios = [str(s) for s in dict.fromkeys(rows["scenario"])]
    policies = [str(p) for p in dict.fromkeys(rows["policy"])]
    finding = _scenario_finding(compared, view)
    size = (10.0, 2.0 + 0.55 * len(scenarios) + 0.04 * len(scenarios) * len(policies))
    chart = open_chart(view, size, finding,
                       say("chart.scenarios.below", metric=name_of("metric", metric),
                           baseline=policy_in_text(view.baseline)),
                       say("chart.scenarios.reading"),
                       say("chart.scenarios.alt", finding=sentence(finding)))  # fmt: skip
    axes = panel(chart, 0.2, 0.6 / size[1] + 0.02, 0.78, 0.98)
    _scenario_rows(axes, rows, scenarios, policies)
    return chart


def _scenario_finding(rows: pd.DataFrame, view: View) -> str:
    policy = view.policy
    if policy == view.baseline:
        policy = str(rows.groupby("policy")["relative_pct"].mean().idxmin())
    mine = rows[rows["policy"] == policy]
    if view.asked != view.scenario:  # a set is no further scenario
        mine = mine[mine["scenario"] != view.asked]
    wins = mine[(mine["diff"] < 0.0) & mine["separable"].astype(bool)]
    return say("chart.scenarios.finding", policy=policy_in_text(policy),
               baseline=policy_in_text(view.baseline), n=len(wins), of=len(mine))  # fmt: skip


def _scenario_rows(
    axes: Axes, rows: pd.DataFrame, scenarios: Sequence[str], policies: Sequence[str]
) -> None:
    step = 0.8 / max(1, len(policies))
    scale = (rows["relative_pct"] / rows["diff"]).abs()
    table = rows.assign(low_pct=rows["low"] * scale, high_pct=rows["high"] * scale)
    for row in table.to_dict("records"):
        policy = str(row["policy"])
        y = len(scenarios) - 1 - scenarios.index(str(row["scenario"])) + 0.4
        y -= step * (policies.index(policy) + 0.5)
        axes.plot([row["low_pct"], row["high_pct"]], [y, y], color=policy_colour(policy),
                  linewidth=1.6)  # fmt: skip
        axes.plot([row["relative_pct"]], [y], marker=policy_marker(policy), markersize=5.5,
                  color=policy_colour(policy), markeredgecolor=readable(policy_colour(policy)),
                  markeredgewidth=0.6)  # fmt: skip
    axes.axvline(0.0, color=policy_colour("current_practice"), linewidth=1.2)
    axes.set_xlim(*axis_range(table["low_pct"].tolist(), table["high_pct"].tolist()))
    axes.set_ylim(-0.5, len(scenarios) - 0.5)
    axes.set_yticks(range(len(scenarios)))
    axes.set_yticklabels([shortened(name_of("scenario", s), 26) for s in reversed(scenarios)])
    axes.tick_params(axis="y", length=0)
    for edge in range(1, len(scenarios)):
        axes.axhline(edge - 0.5, color="#D9D9D9", linewidth=0.6)
    plain_numbers(axes, "x", "signed", ticks=6)
    light_grid(axes, "x")
    axes.set_xlabel(say("axis.relative"))
    for i, policy in enumerate(policies):
        y_share = 1.0 - (i + 0.5) / max(len(policies), 8)
        axes.plot([1.03], [y_share], marker=policy_marker(policy), color=policy_colour(policy),
                  markeredgecolor=readable(policy_colour(policy)), transform=axes.transAxes,
                  clip_on=False)  # fmt: skip
        axes.text(1.055, y_share, shortened(name_of("policy", policy), 26), va="center",
                  transform=axes.transAxes, size=SMALL_PT + 0.5,
                  color=readable(policy_colour(policy)))  # fmt: skip
