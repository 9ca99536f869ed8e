"""Where a policy fails: the limits of a box on their ranges, and the cells it holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from nts_sim.charts.frame import Chart, View, open_chart, panel, plain_numbers, shortened
from nts_sim.charts.style import (
    INK,
    NO_NEED,
    SMALL_PT,
    SOFT_INK,
    VERMILLION,
    readable,
    styled,
)
from nts_sim.charts.sweep_cells import axis_name, nothing_chart, value_name
from nts_sim.outcomes.insight.axes import is_numeric
from nts_sim.outcomes.insight.discovery import Discovery, holds
from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.words import name_of, number, policy_in_text, say, sentence
from nts_sim.world.model import Floats


def discovery_sentence(found: Discovery, baseline: str) -> str:
    """Say how often the policy fails, and where most."""
    told = {"policy": policy_in_text(found.failing.policy), "what": _what(found, baseline),
            "n": int(found.hit.sum()), "of": len(found.hit)}  # fmt: skip
    if not found.hit.any():
        return say("chart.discovery.never", **told)
    if found.hit.all():
        return say("chart.discovery.always", **told)
    if found.boxes.empty:
        return say("chart.discovery.no_box", **told)
    first = found.boxes[found.boxes["box"] == 1]
    inside = {name: int(first[name].iloc[0]) for name in ("failing", "cells")}
    return say("chart.discovery.finding", where=where_text(first), **told, **inside)


def _what(found: Discovery, baseline: str) -> str:
    metric = BY_NAME[found.failing.metric]
    told = {"metric": name_of("metric", metric.name), "baseline": policy_in_text(baseline)}
    if found.failing.limit is None:
        return say("chart.discovery.loses", **told)
    key = "chart.discovery.over" if metric.lower_is_better else "chart.discovery.under"
    unit = name_of("unit", metric.unit)
    return say(key, limit=number(found.failing.limit), unit=unit, **told)


def where_text(box: pd.DataFrame) -> str:
    """Write the limits of a box: "reporting lag is above 1.4 and stock held is below 0.7"."""
    parts = []
    for axis, rows in box.groupby("axis", sort=False):
        sides = {str(row["side"]): row for row in rows.to_dict("records")}
        name = axis_name(str(axis))
        if "options" in sides:
            listed = str(sides["options"]["options"]).split(" | ")
            options = [value_name(str(axis), v) for v in listed]
            either = say("chart.discovery.or").join(options)
            parts.append(say("chart.discovery.is", axis=name, options=either))
        elif len(sides) == 2:
            parts.append(say("chart.discovery.between", axis=name, low=sides["above"]["limit"],
                             high=sides["below"]["limit"]))  # fmt: skip
        else:
            side, key = (("above", "chart.discovery.above") if "above" in sides
                         else ("below", "chart.discovery.below_limit"))  # fmt: skip
            parts.append(say(key, axis=name, limit=sides[side]["limit"]))
    return say("chart.discovery.and").join(parts)


@styled
def discovery_chart(found: Discovery, view: View) -> Chart:
    """Draw the first box: its limits on their ranges, and all cells over its two sharpest limits.

    Other boxes are told in a line each.
    """
    finding = discovery_sentence(found, view.baseline)
    if found.boxes.empty:
        return nothing_chart(view, finding, say("chart.discovery.nothing"))
    first = found.boxes[found.boxes["box"] == 1]
    others = _others(found)
    below = " ".join([_below(first, found), *others])
    axes_of_box = list(dict.fromkeys(first.sort_values("quasi_p")["axis"]))
    height = 4.6 + 0.16 * len(others) + max(0.0, 0.55 * (len(axes_of_box) - 5))
    chart = open_chart(view, (10.0, height), finding, below, say("chart.discovery.reading"),
                       say("chart.discovery.alt", finding=sentence(finding),
                           listed=where_text(first)))  # fmt: skip
    share = min(0.88, 0.18 * len(axes_of_box) + 0.06)
    _ranges(panel(chart, 0.0, 0.91 - share, 0.42, 0.91), found, first, axes_of_box)
    _cells(panel(chart, 0.52, 0.12, 0.97, 0.91), found, first, axes_of_box)
    return chart


def _below(first: pd.DataFrame, found: Discovery) -> str:
    row = first.iloc[0]
    text = say("chart.discovery.below", density=row["density"], coverage=row["coverage"],
               base=float(found.hit.mean()))  # fmt: skip
    missing = say("chart.discovery.missing", n=found.missing) if found.missing else ""
    return f"{text} {missing}".strip()


def _others(found: Discovery) -> list[str]:
    return [
        say("chart.discovery.also", where=where_text(box), failing=int(box["failing"].iloc[0]),
            cells=int(box["cells"].iloc[0]))
        for number_, box in found.boxes.groupby("box") if number_ != 1
    ]  # fmt: skip


def _span(found: Discovery, axis: str) -> tuple[list[Any], Floats]:
    """Options of an axis of names, and where every cell stands on the axis."""
    column = found.cells[axis]
    if is_numeric(column):
        return [], column.to_numpy(dtype=np.float64)
    options = sorted(dict.fromkeys(column), key=str)
    return options, column.map({v: i for i, v in enumerate(options)}).to_numpy(dtype=np.float64)


def _inside(found: Discovery, box: pd.DataFrame, axis: str) -> list[tuple[float, float]]:
    """Intervals of an axis that are inside the box, in the axis's own numbers."""
    options, at = _span(found, axis)
    rows = box[box["axis"] == axis].set_index("side")
    if options:
        chosen = str(rows.loc["options", "options"]).split(" | ") if len(rows) else options
        return [(i - 0.5, i + 0.5) for i, v in enumerate(options) if str(v) in map(str, chosen)]
    ends = rows["limit"].to_dict()
    return [(float(ends.get("above", at.min())), float(ends.get("below", at.max())))]


def _ends(found: Discovery, axis: str) -> tuple[float, float]:
    options, at = _span(found, axis)
    if options:
        return -0.5, len(options) - 0.5
    return float(at.min()), float(at.max())


def _ranges(axes: Axes, found: Discovery, box: pd.DataFrame, names: list[str]) -> None:
    """Draw each limited input's whole range in grey and its part inside the box in colour."""
    axes.set(xlim=(0.0, 1.0), ylim=(len(names) - 0.35, -0.65))
    axes.axis("off")
    for y, axis in enumerate(names):
        low, high = _ends(found, axis)
        axes.add_patch(Rectangle((0.0, y - 0.11), 1.0, 0.22, facecolor=NO_NEED))
        for start, end in _inside(found, box, axis):
            axes.add_patch(Rectangle(((start - low) / (high - low), y - 0.11),
                                     (end - start) / (high - low), 0.22, facecolor=VERMILLION,
                                     edgecolor="white", linewidth=0.8))  # fmt: skip
        axes.text(0.0, y - 0.17, sentence(shortened(axis_name(axis), 44)), size=8.5, weight="bold")
        rows = box[box["axis"] == axis]
        limits = where_text(rows).removeprefix(axis_name(axis)).strip()
        chance = float(rows["quasi_p"].max())
        key = "chart.discovery.limit" if chance >= 5e-4 else "chart.discovery.sharp_limit"
        told = say(key, limits=limits, p=chance)
        axes.text(0.0, y + 0.17, shortened(told, 64), size=SMALL_PT, va="top", color=SOFT_INK)
        if is_numeric(found.cells[axis]):
            text = say("chart.discovery.range", low=low, high=high)
            axes.text(1.0, y - 0.17, text, size=SMALL_PT, ha="right", color=SOFT_INK)


def _cells(axes: Axes, found: Discovery, box: pd.DataFrame, names: list[str]) -> None:
    """Draw all cells over the two sharpest limits, failing ones filled."""
    x, y = (*names, *[a for a in found.cells.columns if a not in ("cell", *names)], "cell")[:2]
    ends_x, ends_y = _ends(found, x), _ends(found, y)
    for start_x, end_x in _inside(found, box, x):
        for start_y, end_y in _inside(found, box, y):
            axes.add_patch(Rectangle((start_x, start_y), end_x - start_x, end_y - start_y,
                                     facecolor=VERMILLION, alpha=0.14, linewidth=0.0))  # fmt: skip
    at_x, at_y = _scattered(found, x), _scattered(found, y)
    inside = holds(found.cells, box)
    for chosen, face, edge, marker in (
        (~found.hit, "white", INK, "o"), (found.hit, VERMILLION, readable(VERMILLION), "X"),
    ):  # fmt: skip
        for place, alpha in ((~inside, 0.35), (inside, 1.0)):
            axes.scatter(at_x[chosen & place], at_y[chosen & place], s=20, marker=marker,
                         facecolors=face, edgecolors=edge, linewidths=0.7, alpha=alpha)  # fmt: skip
    for which, axis, ends in (("x", x, ends_x), ("y", y, ends_y)):
        _marked(axes, found, which, axis, ends)
    axes.set_title(say("chart.discovery.cells"), loc="left", size=8.5)


def _scattered(found: Discovery, axis: str) -> Floats:
    """Where cells stand; those with the same option side by side."""
    options, at = _span(found, axis)
    if not options:
        return at
    return at + (found.cells.groupby(axis).cumcount().to_numpy() % 11 - 5.0) * 0.06


def _marked(axes: Axes, found: Discovery, which: Any, axis: str, ends: tuple[float, float]) -> None:
    margin = 0.03 * (ends[1] - ends[0])
    span = (ends[0] - margin, ends[1] + margin)
    name = sentence(shortened(axis_name(axis), 44))
    options, _ = _span(found, axis)
    if which == "x":
        axes.set_xlim(*span)
        axes.set_xlabel(name)
    else:
        axes.set_ylim(*span)
        axes.set_ylabel(name)
    if not options:
        plain_numbers(axes, which)
        return
    ticks = axes.set_xticks if which == "x" else axes.set_yticks
    letters = max(5, 50 // len(options)) if which == "x" else 12
    ticks(range(len(options)), [shortened(value_name(axis, v), letters) for v in options])
