"""What is swept: axes, those that go together, and the cells they make."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nts_sim.errors import Problem
from nts_sim.study.sweep.cell import Value
from nts_sim.tables.names import nearest
from nts_sim.words import say

MAX_CELLS = 100_000
_DIGITS = 6


class Setting(NamedTuple):
    """One override: its key, the value Hydra reads from it, and its text as Hydra gets it."""

    key: str
    value: Any
    text: str


@dataclass(frozen=True, eq=False)
class Axis:
    """The values one key takes; an override that is not swept is an axis of one value.

    Attributes
    ----------
    values : what each is set to
    texts : each as an override, as Hydra gets it
    file : of a design that names the values row by row, else None
    """

    key: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]
    swept: bool
    file: str | None = None

    def setting(self, index: int) -> Setting:
        """Return one value as an override."""
        return Setting(self.key, self.values[index], self.texts[index])

    def told(self, index: int) -> Value:
        """Return one value for a table: a number, a text, or the text of a list."""
        value = self.values[index]
        plain = value is None or isinstance(value, str | int | float | bool)
        return value if plain else self.texts[index].partition("=")[2]


def part_of(share: float, count: int) -> int:
    """Return which of so many equal parts of [0, 1] holds a share; the last one holds 1."""
    return min(int(share * count), count - 1)


@dataclass(frozen=True, eq=False)
class Interval:
    """An axis of a sampled design: all numbers from `low` to `high`, or the whole ones."""

    key: str
    low: float
    high: float
    whole: bool
    prefix: str
    swept = True

    def at(self, share: float) -> float | int:
        """Return the number at a share in [0, 1] of the way; whole ones have equal shares."""
        if self.whole:
            return int(self.low) + part_of(share, int(self.high) - int(self.low) + 1)
        # Six digits are as fine as any planner means, and can be read and typed again.
        number = float(f"{self.low + share * (self.high - self.low):.{_DIGITS}g}")
        return min(max(number, self.low), self.high)


Bundle = tuple[Axis, ...]
"""Axes of equal length that go together."""


@dataclass(frozen=True, eq=False)
class Grid(Sequence[tuple[str, ...]]):
    """Every combination of bundles, the last changing fastest, as in Hydra's own sweeps.

    As a sequence it holds the overrides of each cell, made when asked for.
    """

    bundles: tuple[Bundle, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """Keys of what is swept."""
        return tuple(axis.key for bundle in self.bundles for axis in bundle if axis.swept)

    @property
    def n_cells(self) -> int:
        """Number of cells, however large."""
        return math.prod(len(bundle[0].texts) for bundle in self.bundles)

    def __len__(self) -> int:
        return self.n_cells

    def __getitem__(self, number: Any) -> Any:
        return tuple(setting.text for setting in self.settings(number))

    def settings(self, number: int) -> tuple[Setting, ...]:
        """Return the overrides of one cell, in the order they were written."""
        return tuple(axis.setting(index) for axis, index in self._chosen(number))

    def values(self, number: int) -> tuple[Value, ...]:
        """Return the value of each swept axis in one cell."""
        return tuple(axis.told(index) for axis, index in self._chosen(number) if axis.swept)

    def places(self, number: int) -> dict[str, str]:
        """Say for each key of a design's file where this cell's value stands in it."""
        return {
            axis.key: say("cli.where.cell", file=axis.file, row=index + 2, column=axis.key)
            for axis, index in self._chosen(number)
            if axis.file
        }

    def _chosen(self, number: int) -> Iterator[tuple[Axis, int]]:
        if not 0 <= number < self.n_cells:
            raise IndexError(number)
        indices = []
        for bundle in reversed(self.bundles):
            number, index = divmod(number, len(bundle[0].texts))
            indices.append(index)
        for bundle, index in zip(self.bundles, reversed(indices), strict=True):
            for axis in bundle:
                yield axis, index


NO_GRID = Grid(())
"""Nothing is written: one cell, as shipped."""


def zipped(
    axes: Sequence[Axis | Interval], zips: Sequence[str]
) -> tuple[list[tuple[Axis | Interval, ...]], list[Problem]]:
    """Bundle axes that are said to go together (``key1,key2``), at the place of their first.

    Returns
    -------
    the bundles in the order of their first axis, and what is wrong with the zips
    """
    swept = {axis.key: axis for axis in axes if isinstance(axis, Axis) and axis.swept}
    together: dict[str, int] = {}
    problems: list[Problem] = []
    for number, text in enumerate(zips):
        keys = [key.strip() for key in text.split(",")]
        problems += _zip_problems(keys, swept, together)
        together |= dict.fromkeys(keys, number)
    bundles: dict[int | str, list[Axis | Interval]] = {}
    for axis in axes:
        bundles.setdefault(together.get(axis.key, axis.key), []).append(axis)
    return [tuple(bundle) for bundle in bundles.values()], problems


def _zip_problems(
    keys: Sequence[str], swept: Mapping[str, Axis], together: Mapping[str, int]
) -> Iterator[Problem]:
    if len(keys) < 2 or len(set(keys)) < len(keys):
        yield Problem("zip", say("cli.grid.zip"))
    for key in keys:
        if key in together:
            yield Problem("zip", say("cli.grid.two_zips", key=key))
        if key not in swept:
            near = nearest(key, swept)
            told = "cli.grid.no_list_near" if near else "cli.grid.no_list"
            yield Problem("zip", say(told, key=repr(key), near=near))
    lengths = {key: len(swept[key].texts) for key in keys if key in swept}
    if len(set(lengths.values())) > 1:
        parts = (say("cli.grid.length", key=key, n=length) for key, length in lengths.items())
        yield Problem("zip", say("cli.grid.lengths", listed=", ".join(parts)))
