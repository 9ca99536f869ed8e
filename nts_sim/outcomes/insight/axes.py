"""Inputs that a sweep varied: numbers, or options; and each cell's own scenario."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

Value = str | int | float | bool


def is_numeric(column: pd.Series) -> bool:
    """Tell whether an axis holds numbers; yes and no are names, not numbers."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def named(frame: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """Write "none" where an axis is set to nothing; the other values of such an axis are names."""
    empty = [axis for axis in axes if frame[axis].isna().any()]
    return frame.assign(**{axis: [_name(value) for value in frame[axis]] for axis in empty})


def _name(value: Value | None) -> str:
    if pd.isna(value):
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def varied(cells: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    """Name the axes that differ between cells."""
    return [axis for axis in axes if cells[axis].nunique(dropna=False) > 1]


def own_rows(cells: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Rows of each cell's own scenario or set, the members of a set left out.

    Parameters
    ----------
    cells, summary : tables of a sweep, both with columns cell and scenario
    """
    return summary.merge(cells[["cell", "scenario"]], on=["cell", "scenario"])
