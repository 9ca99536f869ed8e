"""A cell of a sweep: one choice of a value for every axis, and the study it makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from nts_sim.spec.models import ScenarioSpec, Study
from nts_sim.study.manifest import without_path

Value = str | int | float | bool | None
"""What an axis can be set to: a number, a text or the name of an option."""
_WHERE = frozenset({"workers", "execution", "execution.scheduler", "results_dir"})


@dataclass(frozen=True, eq=False)
class Cell:
    """One cell.

    Attributes
    ----------
    number : 0, 1, …, in the order of the design
    values : value of each axis of the sweep
    overrides : what to write after a verb to get this cell alone
    study : its study
    scenarios : (name, weight in the set, scenario); one of weight 1 where it is no set
    """

    number: int
    values: tuple[Value, ...]
    overrides: tuple[str, ...]
    study: Study
    scenarios: tuple[tuple[str, float, ScenarioSpec], ...]

    @property
    def told(self) -> tuple[str, ...]:
        """The overrides as they are kept: nothing of where and by whom, of paths the last part."""
        kept = (text for text in self.overrides if text.partition("=")[0] not in _WHERE)
        return tuple(without_path(text) for text in kept)


@dataclass(frozen=True, slots=True)
class Own:
    """A planner's own policy: ``FILE.py:function``, and the SHA-256 of the file."""

    where: str
    digest: str


class Cells(Protocol):
    """The cells of a sweep, made anew each time they are gone through, so that few are held."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Keys of what differs between cells."""
        ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Cell]: ...
