"""Which inputs matter: bars with intervals (Sobol, Morris), and the plane of Morris."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nts_sim.charts.frame import (
    Chart,
    View,
    body_share,
    light_grid,
    open_chart,
    panel,
    plain_numbers,
    shortened,
    spread_apart,
)
from nts_sim.charts.style import BLUE, INK, SKY, SMALL_PT, SOFT_INK, styled
from nts_sim.charts.sweep_cells import axis_name, nothing_chart
from nts_sim.words import name_of, number, policy_in_text, say, sentence

_MOST = 15
_MOST_SHARE = 1.05
"""Intervals of shares of variance are cut off here: they mean nothing above 1."""
_VAGUE = 0.25
"""A share of variance known no better than to this, either way, names no first input."""
_MATTERS = 0.1
"""Of the largest effect: smaller ones are not named as bent."""
_ONE_WAY = 0.8
"""An input of which so much of the effect has one sign pushes one way."""


def sensitivity_charts(rows: pd.DataFrame, view: View) -> dict[str, Chart]:
    """Draw a study of sensitivity of one outcome, by name.

    Parameters
    ----------
    rows : table `sensitivity`, of one scenario, policy and metric
    view : View
    """
    made = {"sensitivity": sensitivity_bars(rows, view)}
    if len(rows) and rows["method"].iloc[0] == "morris" and rows["value"].notna().any():
        made["morris_plane"] = morris_plane(rows, view)
    return made


def sensitivity_sentence(rows: pd.DataFrame) -> str:
    """Say which input matters most, and how sure that is."""
    if rows.empty or rows["value"].isna().all():
        return say("chart.sensitivity.flat", **_told(rows))
    table = _by_axis(rows)
    top = table.iloc[0]
    told = _told(rows) | {"axis": axis_name(str(top.name)), "low": top["low"], "high": top["high"]}
    vague = rows["method"].iloc[0] == "sobol" and top["high"] - top["value"] > _VAGUE
    if vague or not top["low"] > 0.0:
        return say("chart.sensitivity.none_told", **told)
    if rows["method"].iloc[0] == "morris":
        return say("chart.sensitivity.morris", value=top["value"], **told)
    together = max(0.0, 1.0 - float(rows.loc[rows["measure"] == "alone", "value"].sum()))
    return say("chart.sensitivity.sobol", value=top["value"], alone=max(0.0, top["second"]),
               together=together, **told)  # fmt: skip


def _told(rows: pd.DataFrame) -> dict[str, object]:
    """Name the outcome and its unit."""
    if rows.empty:
        return {"outcome": name_of("metric", "total_burden_bn_vnd"), "unit": ""}
    first = rows.iloc[0]
    names = {"metric": name_of("metric", first["metric"]),
             "policy": policy_in_text(first["policy"])}  # fmt: skip
    outcome = say("chart.sensitivity.outcome", **names) if not first["baseline"] else say(
        "chart.sensitivity.difference", baseline=policy_in_text(first["baseline"]), **names
    )  # fmt: skip
    return {"outcome": outcome, "unit": name_of("unit", first["unit"])}


def _by_axis(rows: pd.DataFrame) -> pd.DataFrame:
    """One row an input, the most important first: value, low, high, and the second measure."""
    lead, other = (("effect", "signed_effect") if rows["method"].iloc[0] == "morris"
                   else ("in_all", "alone"))  # fmt: skip
    table = rows[rows["measure"] == lead].set_index("axis")[["value", "low", "high"]]
    second = rows[rows["measure"] == other].set_index("axis")
    table = table.assign(second=second["value"], second_low=second["low"],
                         second_high=second["high"])  # fmt: skip
    return table.sort_values("value", ascending=False, kind="stable")


@styled
def sensitivity_bars(rows: pd.DataFrame, view: View) -> Chart:
    """Draw how much each input matters, the most important first.

    Parameters
    ----------
    rows : table `sensitivity`, of one scenario, policy and metric
    view : View

    Returns
    -------
    Chart
        Sobol: shares of variance in all (light) and alone (dark). Morris: mean effect of going
        over the whole range. Lines are 95 % intervals.
    """
    finding = sensitivity_sentence(rows)
    if rows.empty or rows["value"].isna().all():
        return nothing_chart(view, finding, say("chart.sensitivity.nothing"))
    method, table = str(rows["method"].iloc[0]), _by_axis(rows)
    shown = table.head(_MOST)
    key = (
        "chart.sensitivity.below_morris" if method == "morris" else "chart.sensitivity.below_sobol"
    )
    below = say(key, **_told(rows))
    if len(table) > len(shown):
        below += " " + say("chart.sensitivity.some", n=len(shown), of=len(table))
    listed = "; ".join(f"{axis_name(str(axis))} {number(float(v))}"
                       for axis, v in table["value"].items())  # fmt: skip
    chart = open_chart(
        view, (9.0, 2.1 + 0.42 * len(shown)), finding, sentence(below),
        say("chart.sensitivity.reading"),
        say("chart.sensitivity.alt", finding=sentence(finding), listed=listed),
    )  # fmt: skip
    axes = panel(chart, 0.36, body_share(chart, 0.5), 0.83, 0.98)
    _bars(axes, shown, method)
    unit = _told(rows)["unit"] if method == "morris" else say("chart.sensitivity.share")
    axes.set_xlabel(str(unit))
    return chart


def _bars(axes: Axes, table: pd.DataFrame, method: str) -> None:
    at = np.arange(len(table))
    sobol = method == "sobol"
    _barred(axes, at, table, ("value", "low", "high"), SKY if sobol else BLUE, 0.66)
    if sobol:
        _barred(axes, at + 0.12, table, ("second", "second_low", "second_high"), BLUE, 0.28)
    most = float(np.nanmax(table[["high", "value", "second_high"]].to_numpy()))
    most = min(most, _MOST_SHARE) if sobol else most
    for y, row in zip(at, table.to_dict("records"), strict=True):
        text = number(row["value"], "percent") if sobol else _direction(row)
        axes.text(
            1.02, float(y), text, va="center", size=SMALL_PT, transform=axes.get_yaxis_transform()
        )
    axes.set_yticks(at, [sentence(shortened(axis_name(str(axis)), 44)) for axis in table.index])
    axes.invert_yaxis()
    least = float(np.nanmin(table[["low", "second_low"]].to_numpy())) if sobol else 0.0
    axes.set_xlim(max(min(0.0, least), -0.1), 1.02 * most)
    axes.axvline(0.0, color=SOFT_INK, linewidth=0.6)
    plain_numbers(axes, "x", "percent" if sobol else "short")
    light_grid(axes, "x")


def _barred(
    axes: Axes, at: np.ndarray, table: pd.DataFrame, columns: tuple[str, str, str], colour: str,
    height: float,
) -> None:  # fmt: skip
    """Draw bars and their intervals."""
    value, low, high = (table[column].to_numpy(dtype=np.float64) for column in columns)
    axes.barh(at, np.maximum(value, 0.0), color=colour, height=height)
    axes.errorbar(value, at, xerr=[value - low, high - value], fmt="none", ecolor=INK,
                  elinewidth=1.0, capsize=2.5)  # fmt: skip


def _direction(row: dict[Any, Any]) -> str:
    """Write an effect and which way more of the input pushes."""
    if row["value"] == 0.0:
        return number(0.0)
    if abs(row["second"]) < _ONE_WAY * row["value"]:
        return say("chart.sensitivity.both", value=row["value"])
    key = "chart.sensitivity.up" if row["second"] > 0.0 else "chart.sensitivity.down"
    return say(key, value=row["value"])


@styled
def morris_plane(rows: pd.DataFrame, view: View) -> Chart:
    """Draw each input's mean effect against how much that effect varies."""
    if rows.empty or rows["value"].isna().all():
        return nothing_chart(view, sensitivity_sentence(rows), say("chart.sensitivity.nothing"))
    table = rows.pivot_table(index="axis", columns="measure", values="value", dropna=False)
    x, y = table["effect"].to_numpy(), table["spread"].to_numpy()
    bent = [axis_name(str(axis)) for axis in table.index[(y > x) & (x > _MATTERS * x.max())]]
    key = "chart.morris.bent" if bent else "chart.morris.straight"
    finding = say(key, n=len(bent), of=len(table), listed=", ".join(bent[:3]), **_told(rows))
    listed = "; ".join(f"{axis_name(str(a))} {number(float(u))}, {number(float(v))}"
                       for a, u, v in zip(table.index, x, y, strict=True))  # fmt: skip
    alt = say("chart.morris.alt", finding=sentence(finding), listed=listed)
    chart = open_chart(view, (9.0, 6.0), finding, say("chart.morris.below", **_told(rows)),
                       say("chart.morris.reading"), alt)  # fmt: skip
    axes = panel(chart, 0.09, 0.11, 0.66, 0.97)
    reach_x, reach_y = 1.08 * float(x.max()), 1.15 * max(float(y.max()), 0.3 * float(x.max()))
    axes.plot([0.0, min(reach_x, reach_y)], [0.0, min(reach_x, reach_y)], color=SOFT_INK,
              linewidth=0.8, linestyle="--")  # fmt: skip
    axes.scatter(x, y, s=34, color=BLUE, zorder=3)
    axes.set(xlim=(0.0, reach_x), ylim=(-0.03 * reach_y, reach_y))
    _labels(axes, [str(axis) for axis in table.index], x, y, (reach_x, reach_y))
    plain_numbers(axes, "x")
    plain_numbers(axes, "y")
    light_grid(axes, "y")
    unit = _told(rows)["unit"]
    axes.set_xlabel(say("chart.morris.x", unit=unit))
    axes.set_ylabel(say("chart.morris.y", unit=unit))
    return chart


def _labels(
    axes: Axes, names: list[str], x: np.ndarray, y: np.ndarray, reach: tuple[float, float]
) -> None:
    """Write names to the right of the plane, joined to their points."""
    chosen = np.argsort(-(x + y), kind="stable")[:_MOST]
    heights = spread_apart([float(y[i]) for i in chosen], 0.06 * reach[1], 0.0, 0.98 * reach[1])
    for i, height in zip(chosen, heights, strict=True):
        axes.plot([x[i], 1.01 * reach[0]], [y[i], height], color="#BFBFBF", linewidth=0.6,
                  clip_on=False, zorder=1)  # fmt: skip
        axes.text(1.02 * reach[0], height, sentence(shortened(axis_name(names[i]), 40)),
                  size=SMALL_PT, va="center")  # fmt: skip
