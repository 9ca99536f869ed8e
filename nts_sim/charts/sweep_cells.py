"""What charts of a sweep share: cells, the shape of their grid, names of axes and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from nts_sim.charts.frame import Chart, View, open_chart, shortened
from nts_sim.charts.style import (
    NO_NEED,
    SOFT_INK,
    policy_colour,
    policy_marker,
    readable,
)
from nts_sim.outcomes.insight.axes import is_numeric, named, varied
from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.words import is_known, name_of, number, say, sentence

DECIDES = "total_burden_bn_vnd"
Shape = Literal["none", "one number", "one name", "two", "more", "scattered"]
_MOST_PANELS = 12


@dataclass(frozen=True, eq=False)
class Sweep:
    """One metric of a sweep, ready to draw.

    Attributes
    ----------
    view : View
    metric, unit : of the numbers
    cells : table `cells`
    rows : rows of table `summary` for the metric, where there is a mean
    axes : those that differ between cells
    policies : in order of appearance, the baseline first
    focus : the policy that charts of one policy are about
    """

    view: View
    metric: str
    unit: str
    cells: pd.DataFrame
    rows: pd.DataFrame
    axes: tuple[str, ...]
    policies: tuple[str, ...]
    focus: str

    @property
    def compared(self) -> bool:
        """There is a baseline and another policy."""
        return self.view.baseline in self.policies and len(self.policies) > 1

    @property
    def missing(self) -> int:
        """Cells without a result."""
        return int((~self.cells["cell"].isin(self.rows["cell"])).sum())

    @property
    def sign(self) -> float:
        """+1 where less is better, −1 where more is."""
        return 1.0 if BY_NAME[self.metric].lower_is_better else -1.0

    def better(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows that are clearly better than the baseline."""
        return rows[rows["separable"].astype(bool) & (self.sign * rows["diff"] < 0.0)]

    def of(self, policy: str) -> pd.DataFrame:
        """Give the rows of one policy."""
        return self.rows[self.rows["policy"] == policy]

    def numeric(self, axis: str) -> bool:
        """Tell whether an axis holds numbers."""
        return is_numeric(self.cells[axis])

    def values(self, axis: str) -> list[Any]:
        """Values of an axis: numbers upwards, names in order of appearance."""
        found = list(dict.fromkeys(self.cells[axis]))
        return sorted(found) if self.numeric(axis) else found


def sweep_of(
    cells: pd.DataFrame, summary: pd.DataFrame, axes: Sequence[str], view: View, metric: str
) -> Sweep:
    """Choose what to draw of a sweep's tables.

    Of a set of scenarios the set is drawn, not its members; where the scenario is an axis, each
    cell's own.
    """
    cells, summary = named(cells, axes), named(summary, axes)
    rows = summary[(summary["metric"] == metric) & np.isfinite(summary["mean"])]
    if "scenario" not in axes and (rows["scenario"] == view.asked).any():
        rows = rows[rows["scenario"] == view.asked]
    policies = [str(policy) for policy in dict.fromkeys(rows["policy"])]
    policies.sort(key=lambda policy: policy != view.baseline)
    kept = tuple(varied(cells, [axis for axis in axes if axis != "policy"]))
    unit = name_of("unit", BY_NAME[metric].unit)
    focus = _focus(rows, policies, view, BY_NAME[metric].lower_is_better)
    return Sweep(view, metric, unit, cells, rows, kept, tuple(policies), focus)


def _focus(rows: pd.DataFrame, policies: Sequence[str], view: View, lower_is_better: bool) -> str:
    """Take the policy asked for, or the best one on average that is not the baseline."""
    if view.policy in policies and (view.policy != view.baseline or len(policies) == 1):
        return view.policy
    others = rows[rows["policy"] != view.baseline]
    means = (others if len(others) else rows).groupby("policy")["mean"].mean()
    if means.empty:
        return view.policy
    return str(means.idxmin() if lower_is_better else means.idxmax())


def shape_of(sweep: Sweep) -> Shape:
    """Tell the shape of the grid; designs that are no full grid are scattered."""
    axes = sweep.axes
    if not axes:
        return "none"
    if len(axes) == 1:
        return "one number" if sweep.numeric(axes[0]) else "one name"
    counts = [len(sweep.values(axis)) for axis in axes]
    distinct = len(sweep.cells[list(axes)].drop_duplicates())
    if distinct < int(np.prod(counts)):
        return "scattered"
    if len(axes) == 2:
        return "two" if max(counts) <= 40 else "scattered"
    panels = int(np.prod([len(sweep.values(axis)) for axis in further_axes(sweep)]))
    return "more" if panels <= _MOST_PANELS else "scattered"


def inner_axes(sweep: Sweep) -> tuple[str, str]:
    """Choose the two axes of each heat-map: numbers before names, the most values first."""

    def weight(axis: str) -> tuple[bool, int]:
        return (not sweep.numeric(axis), -len(sweep.values(axis)))

    first, second = sorted(sweep.axes, key=weight)[:2]
    return first, second


def further_axes(sweep: Sweep) -> list[str]:
    """Name the axes that are not inside a heat-map."""
    inner = inner_axes(sweep)
    return [axis for axis in sweep.axes if axis not in inner]


def lowest(rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Give the row with the lowest value."""
    return rows.sort_values(column, kind="stable").iloc[0]


def highest(rows: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Give the row with the highest value."""
    return rows.sort_values(column, kind="stable").iloc[-1]


def axis_name(key: str) -> str:
    """Name an axis as planners do; one that the catalogue does not know keeps its key's words."""
    if is_known(f"name.axis.{key}"):
        return name_of("axis", key)
    head, _, tail = key.rpartition(".")
    name = tail.replace("_", " ")
    return f"{head.replace('_', ' ')}: {name}" if head else name_of("group", tail)


def value_name(axis: str, value: Any) -> str:
    """Write a value of an axis."""
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        return number(float(value))
    return name_of(axis, str(value))


def told_below(sweep: Sweep, text: str, key: str = "chart.sweep.missing") -> str:
    """Add to the line below a title how many cells have no result."""
    if not sweep.missing:
        return sentence(text)
    return f"{sentence(text)} {say(key, n=sweep.missing, of=len(sweep.cells))}"


def nothing_chart(view: View, title: str, why: str, foot: str | None = None) -> Chart:
    """Say why there is nothing to draw; `foot` as in `open_chart`."""
    why = sentence(why)
    chart = open_chart(view, (9.0, 2.2), title, why, why, f"{sentence(title)}. {why}", foot)
    left, bottom, right, top = chart.body
    chart.text((left + right) / 2, (bottom + top) / 2, why, ha="center", va="center", size=11,
               color=SOFT_INK, style="italic", wrap=True)  # fmt: skip
    return chart


def legend_column(axes: Axes, policies: Sequence[str], letters: int = 26) -> None:
    """List policies with their markers to the right of a panel."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    inch = 1.0 / (axes.get_position().width * figure.get_figwidth())
    for i, policy in enumerate(policies):
        y, colour = 1.0 - (i + 0.5) / max(len(policies), 8), policy_colour(policy)
        axes.plot([1.0 + 0.15 * inch], [y], marker=policy_marker(policy), color=colour,
                  clip_on=False, markeredgecolor=readable(colour),
                  transform=axes.transAxes)  # fmt: skip
        axes.text(1.0 + 0.28 * inch, y, shortened(name_of("policy", policy), letters), va="center",
                  size=8.0, color=readable(colour), transform=axes.transAxes)  # fmt: skip


def gap(axes: Axes, x: float, y: float, width: float, height: float, transform: Any = None) -> None:
    """Hatch where a cell has no result."""
    axes.add_patch(Rectangle((x, y), width, height, facecolor=NO_NEED, edgecolor="#B5B5B5",
                             hatch="////", linewidth=0.0, zorder=0.5,
                             transform=transform or axes.transData))  # fmt: skip
