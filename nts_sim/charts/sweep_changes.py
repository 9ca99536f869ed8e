"""Cells against the first cell, policy by policy on the same luck: dots with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nts_sim.charts.frame import Chart, light_grid, open_chart, panel, plain_numbers, shortened
from nts_sim.charts.style import INK, RULE, policy_colour, policy_marker, readable, styled
from nts_sim.charts.sweep_cells import Sweep, highest, nothing_chart
from nts_sim.charts.sweep_labels import MOST_TOLD, cell_labels
from nts_sim.words import name_of, number, policy_in_text, say, sentence

_NOTHING: Final = 1e-4
"""A change below this share of the first cell's mean is none, however narrow its interval."""
_MOST_ROWS: Final = 30
_LETTERS, _END = 40, 14
"""Letters of a label, and of its end."""


@dataclass(frozen=True, eq=False)
class _Changes:
    """What of a sweep is drawn.

    Attributes
    ----------
    rows : rows of table `summary` of the cells drawn, with `told`: the change is not luck alone
    labels : by cell
    policy : the one the title speaks of
    of : cells that are compared with the first
    alike : of these, how many are told from it under no policy
    lesser : how many are told from it, but too many differ more
    """

    sweep: Sweep
    rows: pd.DataFrame
    labels: Mapping[int, str]
    policy: str
    of: int
    alike: int
    lesser: int


def has_changes(sweep: Sweep) -> bool:
    """Tell whether any cell can be compared with the first."""
    return len(_compared(sweep)) > 0


def changes_one_thing_at_a_time(sweep: Sweep) -> bool:
    """Tell whether the first cell is a reference and others change little of it.

    That is so where on every axis no value is as common as that of the first cell, and most cells
    differ from it on a few axes only. Cells drawn at random, or going together, are not so.
    """
    values = sweep.cells.set_index("cell")[list(sweep.axes)]
    first = values.loc[0]
    few = (values.drop(index=0) != first).sum(axis=1) <= MOST_TOLD
    return bool(few.mean() > 0.5) and all(
        values[axis].value_counts().drop(first[axis]).max() < (values[axis] == first[axis]).sum()
        for axis in sweep.axes
    )


@styled
def sweep_changes(sweep: Sweep) -> Chart:
    """Draw how each cell differs from cell 0, a row a cell, a dot with its interval a policy.

    Cells that are told from cell 0 under no policy are left out and counted.

    Parameters
    ----------
    sweep : its rows have columns change, change_low and change_high: the policy in this cell less
        the same policy in cell 0, paired by replication, with its 95 % interval
    """
    found = _changes(sweep)
    finding, below = _finding(found), _below(found)
    if found.rows.empty:
        return nothing_chart(sweep.view, finding, below)
    listed = "; ".join(
        f"{found.labels[row['cell']]} {number(row['change'], 'signed')}"
        for row in found.rows[found.rows["policy"] == found.policy].to_dict("records")
    )
    alt = say("chart.sweep_changes.alt", finding=sentence(finding), unit=sweep.unit, listed=listed,
              metric=name_of("metric", sweep.metric),
              policy=policy_in_text(found.policy))  # fmt: skip
    return _drawn(found, finding, below, alt)


def _compared(sweep: Sweep) -> pd.DataFrame:
    """Rows with a change, of all cells but the first."""
    known: pd.Series[bool] = np.isfinite(sweep.rows["change"])
    return sweep.rows[(sweep.rows["cell"] != 0) & known]


def _changes(sweep: Sweep) -> _Changes:
    compared = _compared(sweep)
    first = sweep.rows[sweep.rows["cell"] == 0].set_index("policy")["mean"].abs()
    large = compared["change"].abs() > _NOTHING * compared["policy"].map(first)
    clear = (compared["change_low"] > 0.0) | (compared["change_high"] < 0.0)
    rows = compared.assign(told=large & clear)
    apart = rows[rows["told"]]
    reach = apart["change"].abs().groupby(apart["cell"]).max()
    kept = reach.sort_values(ascending=False, kind="stable").index[:_MOST_ROWS]
    policies = set(compared["policy"])
    policy = next(p for p in (sweep.focus, *sweep.policies) if p in policies)
    cells = compared["cell"].nunique()
    return _Changes(
        sweep, rows[rows["cell"].isin(kept)], _labels(sweep), policy, cells, cells - len(reach),
        len(reach) - len(kept),
    )  # fmt: skip


def _labels(sweep: Sweep) -> dict[int, str]:
    """Name cells; those that would be called the same, by their number too."""
    labels = cell_labels(sweep.cells, sweep.axes)
    times = Counter(labels.values())
    return {
        cell: say("chart.sweep_changes.numbered", n=cell, label=name)
        if cell and times[name] > 1
        else name
        for cell, name in labels.items()
    }


def _first(found: _Changes) -> str:
    label = found.labels[0]
    if not label:
        return say("chart.sweep_changes.first")
    return say("chart.sweep_changes.first_named", label=shortened(label, _LETTERS))


def _finding(found: _Changes) -> str:
    mine = found.rows[(found.rows["policy"] == found.policy) & found.rows["told"]]
    told = {"policy": policy_in_text(found.policy), "of": found.of, "first": _first(found)}
    if mine.empty:
        return say("chart.sweep_changes.nowhere", **told)
    better = int((found.sweep.sign * mine["change"] < 0.0).sum())
    furthest = highest(mine.assign(reach=mine["change"].abs()), "reach")
    return say("chart.sweep_changes.finding", better=better, worse=len(mine) - better,
               label=shortened(found.labels[furthest["cell"]], 60), unit=found.sweep.unit,
               change=float(furthest["change"]), **told)  # fmt: skip


def _below(found: _Changes) -> str:
    sweep, told = found.sweep, []
    if found.rows.empty:
        told.append(say("chart.sweep_changes.nothing", first=_first(found)))
    else:
        about = {"metric": sentence(name_of("metric", sweep.metric)), "unit": sweep.unit,
                 "first": _first(found)}  # fmt: skip
        told.append(say("chart.sweep_changes.below", **about) if sweep.sign > 0.0
                    else say("chart.sweep_changes.below_more", **about))  # fmt: skip
        if found.alike:
            told.append(say("chart.sweep_changes.alike", n=found.alike))
    if found.lesser:
        told.append(say("chart.sweep_changes.lesser", n=found.lesser))
    unlike = len(sweep.cells) - sweep.missing - found.of - 1
    if unlike:
        told.append(say("chart.sweep_changes.unlike", n=unlike))
    if sweep.missing:
        told.append(say("chart.sweep_changes.missing", n=sweep.missing, of=len(sweep.cells)))
    return " ".join(told)


def _drawn(found: _Changes, finding: str, below: str, alt: str) -> Chart:
    cells = list(dict.fromkeys(found.rows["cell"]))
    policies = [p for p in found.sweep.policies if (found.rows["policy"] == p).any()]
    legend = 0.2 * -(-len(policies) // 3) + 0.1
    rows = len(cells) * (0.13 + 0.14 * len(policies))
    chart = open_chart(found.sweep.view, (10.0, 2.2 + legend + rows), finding, below,
                       say("chart.sweep_changes.reading"), alt)  # fmt: skip
    _, bottom, _, top = chart.body
    inch = 1.0 / ((top - bottom) * chart.get_figheight())
    axes = panel(chart, 0.31, 0.45 * inch, 0.98, 1.0 - (legend + 0.1) * inch)
    _marks(axes, found, cells, policies)
    labels = [_cut(found.labels[cell]) for cell in cells]
    axes.set_yticks(range(len(cells)), labels)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(cells) - 0.5, -0.5)
    axes.set_xlabel(found.sweep.unit)
    plain_numbers(axes, "x", "signed")
    light_grid(axes, "x")
    return chart


def _cut(label: str) -> str:
    """Cut a long label in its middle: its end says the value."""
    if len(label) <= _LETTERS:
        return label
    return f"{label[: _LETTERS - _END - 1].rstrip()}…{label[-_END:]}"


def _marks(axes: Axes, found: _Changes, cells: list[int], policies: list[str]) -> None:
    step, row_of = 0.8 / len(policies), {cell: row for row, cell in enumerate(cells)}
    for place, policy in enumerate(policies):
        colour, marker = policy_colour(policy), policy_marker(policy)
        look: dict[str, Any] = {
            "marker": marker, "color": colour, "markersize": 5.5, "linestyle": "none",
            "markeredgecolor": readable(colour), "markeredgewidth": 0.7,
        }  # fmt: skip
        for row in found.rows[found.rows["policy"] == policy].to_dict("records"):
            y = row_of[row["cell"]] - 0.4 + step * (place + 0.5)
            axes.plot([row["change_low"], row["change_high"]], [y, y], color=colour, linewidth=1.6)
            axes.plot([row["change"]], [y], **look,
                      markerfacecolor=colour if row["told"] else "white")  # fmt: skip
        axes.plot([], [], **look, label=shortened(name_of("policy", policy), 26))
    for edge in range(1, len(cells)):
        axes.axhline(edge - 0.5, color=RULE, linewidth=0.6)
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 1.0), frameon=False, fontsize=8.0)
