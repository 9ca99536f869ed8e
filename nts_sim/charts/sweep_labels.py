"""Names of a sweep's cells: in what each differs from the first one, in planners' words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from nts_sim.charts.sweep_cells import axis_name, value_name
from nts_sim.outcomes.insight.axes import named
from nts_sim.words import is_known, name_of, say

MOST_TOLD: Final = 3
"""Settings told one by one; of more, only their number and what they belong to."""
_NAMED_AFTER: Final = {"resources": "resource"}
"""Group of names for a key's first word, where that is another one."""


def cell_labels(cells: pd.DataFrame, axes: Sequence[str]) -> dict[int, str]:
    """Name cells after what differs from cell 0; cell 0 itself after its values, if these are few.

    Parameters
    ----------
    cells : columns cell and one per axis
    axes : keys of the axes

    Returns
    -------
    dict of int to str
        By cell. With one axis, its value alone. Empty for a cell that is as cell 0, and for cell 0
        where it has many axes.
    """
    values = named(cells, axes).set_index("cell")[list(axes)]
    first = values.loc[0]
    made = {}
    for cell, row in values.iterrows():
        is_first = cell == 0 and len(axes) <= MOST_TOLD
        told = [axis for axis in axes if is_first or row[axis] != first[axis]]
        made[int(str(cell))] = _all_told(row, told, alone=len(axes) == 1)
    return made


def _all_told(row: pd.Series[Any], axes: Sequence[str], *, alone: bool) -> str:
    if alone:
        return ", ".join(value_name(axis, row[axis]) for axis in axes)
    if len(axes) <= MOST_TOLD:
        return ", ".join(setting_told(axis, row[axis]) for axis in axes)
    groups = ", ".join(dict.fromkeys(_group(axis) for axis in axes))
    return say("chart.sweep_changes.several", groups=groups, n=len(axes))


def setting_told(axis: str, value: Any) -> str:
    """Write a value of a key: "without army and militia", "boats with crew ×2", "seed = 2"."""
    above, leaf = _ends(axis)
    if leaf == "enabled" and above:
        what = _thing(axis, above)
        if str(value).lower() == "true":
            return say("chart.sweep_changes.with", what=what)
        return say("chart.sweep_changes.without", what=what)
    told = value_name(axis, value)
    if "factor" in above or "factor" in leaf:
        return say("chart.sweep_changes.times", what=_multiplied(axis), value=told)
    return say("chart.sweep_changes.equals", what=_name(axis), value=told)


def _ends(axis: str) -> tuple[str, str]:
    """Last two words of a key; the first of them is empty where there is but one."""
    above, leaf = ["", *axis.split(".")][-2:]
    return above, leaf


def _multiplied(axis: str) -> str:
    """Name what a factor multiplies; names of the catalogue add in brackets what it is × of."""
    above, leaf = _ends(axis)
    if above.endswith("factors"):
        return _thing(axis, leaf)
    return _name(axis).partition(" (")[0].removesuffix(" factor")


def _name(axis: str) -> str:
    """Name a key as planners do: one that changes a mechanism after that mechanism."""
    if axis.count(".") < 2 or is_known(f"name.axis.{axis}"):
        return axis_name(axis)
    above, leaf = _ends(axis)
    if ".changes." in axis:
        return f"{_thing(axis, above)}: {leaf.replace('_', ' ')}"
    return f"{above.replace('_', ' ')}: {_thing(axis, leaf)}"


def _thing(axis: str, ident: str) -> str:
    head = axis.partition(".")[0]
    return name_of(_NAMED_AFTER.get(head, head), ident)


def _group(axis: str) -> str:
    """Name what a key belongs to: a mapping such as desk servers, or a group of the study."""
    head, *between = axis.split(".")[:-1] or [axis]
    if between and between[0] != "changes":
        return between[0].replace("_", " ")
    return name_of("group", head)
