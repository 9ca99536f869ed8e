"""Inputs that a design varies: a range of numbers, or a choice among options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nts_sim.world.model import Floats

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two ends, all equally likely; whole numbers only where `whole`."""

    key: str
    low: float
    high: float
    whole: bool = False

    def at(self, shares: Floats) -> list[Value]:
        """Turn shares of the way from low to high, in [0, 1], into values.

        Of whole numbers each has an equal part of the way, both ends included.
        """
        if not self.whole:
            return [float(value) for value in self.low + shares * (self.high - self.low)]
        count = round(self.high - self.low) + 1
        return [round(self.low) + step for step in _steps(shares, count)]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several options, all equally likely."""

    key: str
    options: tuple[Value, ...]

    def at(self, shares: Floats) -> list[Value]:
        """Turn shares in [0, 1] into options, each with an equal part."""
        return [self.options[step] for step in _steps(shares, len(self.options))]


Axis = Range | Choice


def _steps(shares: Floats, count: int) -> list[int]:
    return [int(step) for step in np.minimum(np.floor(shares * count), count - 1)]


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
