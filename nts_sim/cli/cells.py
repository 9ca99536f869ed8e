"""The cells of a sweep: each made when it is asked for, all of them checked before any runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from nts_sim.cli.flags import Flags
from nts_sim.cli.gate import Opened
from nts_sim.cli.prepare import (
    Loaded,
    Prepared,
    Wants,
    check_results_place,
    inputs_of,
    load,
    own_policies,
    prepare,
    tables_in,
)
from nts_sim.errors import InvalidInput, Problem
from nts_sim.spec.models import Study
from nts_sim.study.runner import check_policies, policy_sources
from nts_sim.study.sweep.cell import Cell
from nts_sim.tables.load import Tables
from nts_sim.words import say
from nts_sim.world.build import build_world

T = TypeVar("T")
Problems = tuple[Problem, ...]
Known = dict[bytes, Problems]
"""Problems of what was made for some cell, by a digest of what it is made of."""
KEPT = 1_000
"""Cells gone through again and again are composed once; of more, memory would grow."""
MAX_TOLD = 60
"""Different problems after which further cells are not examined: nobody reads more."""
_NOT_OF_A_WORLD = {
    "baseline", "engine", "execution", "experiment", "plan", "policies",
    "replications", "results_dir", "seed", "solver", "tables_dir", "target",
    "workers",
}  # fmt: skip
"""What a study says that its worlds do not depend on."""


@dataclass(frozen=True)
class Common:
    """What all cells of a sweep have in common.

    Attributes
    ----------
    study : of the first cell; `workers`, `execution`, `results_dir` are the same in all
    inputs : SHA-256 of every table and of the planner's own policy file, by name
    own_policies : name → ``FILE.py:function`` of the planner's own policy
    """

    study: Study
    tables: Tables
    inputs: Mapping[str, str]
    own_policies: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class SweptCells:
    """The cells of a command that passed the gate; see `nts_sim.study.sweep.cell.Cells`."""

    opened: Opened
    flags: Flags
    wants: Wants

    @property
    def axes(self) -> tuple[str, ...]:
        """Keys of what differs between cells."""
        return self.opened.grid.axes

    def __len__(self) -> int:
        return len(self.opened.grid)

    def __iter__(self) -> Iterator[Cell]:
        for number in range(len(self)):
            loaded = self.load(number)
            yield Cell(
                number,
                self.opened.grid.values(number),
                (*self._flags(), *self.written(number)),
                loaded.study,
                loaded.scenarios,
            )

    def written(self, number: int) -> tuple[str, ...]:
        """Return the overrides of a cell as a planner writes them."""
        return tuple(text.removeprefix("++") for text in self.opened.grid[number])

    def load(self, number: int) -> Loaded:
        """Compose and check the study of one cell; the first ones are kept, not more."""
        if number in self._kept:
            return self._kept[number]
        composed, origin = self.opened.cell(number)
        loaded = load(composed, origin, self.flags, self.wants)
        if number < KEPT:
            self._kept[number] = loaded
        return loaded

    @cached_property
    def _kept(self) -> dict[int, Loaded]:
        return {}

    def prepare(self, number: int, tables: Tables) -> Prepared:
        """Make everything a verb needs of one cell."""
        composed, origin = self.opened.cell(number)
        return prepare(composed, origin, self.flags, self.wants, tables)

    def tables_dir(self) -> Any:
        """Return the folder of the planner's own tables, which is the same in all cells."""
        return self.opened.cell(0)[0].config.get("tables_dir")

    def _flags(self) -> tuple[str, ...]:
        own = self.flags.policy_file
        return (*self.opened.flags, *(() if own is None else (f"--policy-file={own}",)))


class Checkable(Protocol):
    """Cells that can be checked before any runs: of a command, or of a sweep that is replayed."""

    @property
    def flags(self) -> Flags:
        """Flags of the command, with the planner's own policy."""
        ...

    def __len__(self) -> int: ...

    def load(self, number: int) -> Loaded:
        """Check the study of one cell."""
        ...

    def tables_dir(self) -> Any:
        """Return the folder of the planner's own tables, which is the same in all cells."""
        ...


def check_cells(cells: Checkable, progress: Callable[[int], None]) -> Common:
    """Check every cell as one run would be, its policies and worlds too.

    What is the same in several cells is examined once, and told once.

    Parameters
    ----------
    progress : told the number of each cell that is checked

    Raises
    ------
    InvalidInput
        With the problems of all cells.
    PlaceOrMachine
        Where results cannot be written.
    """
    found = _Found(len(cells))
    folder = found.attempt(0, cells.tables_dir)
    tables = found.attempt(0, tables_in, folder)
    first: Study | None = None
    known: Known = {}
    for number in range(len(cells)):
        progress(number)
        loaded = found.attempt(number, cells.load, number)
        first = first or (loaded.study if loaded else None)
        if loaded and loaded.study.tables_dir != folder:
            found.add(number, (Problem("tables_dir", say("cli.same_for_all_cells")),))
        if loaded and tables:
            _check_parts(number, loaded, tables, cells.flags, known, found)
        if len(found.cells_of) > MAX_TOLD:
            break
    found.stop_if_any()
    assert first is not None and tables is not None
    check_results_place(Path(first.results_dir))
    return Common(first, tables, inputs_of(tables, cells.flags), own_policies(cells.flags))


def _check_parts(
    number: int, loaded: Loaded, tables: Tables, flags: Flags, known: Known, found: _Found
) -> None:
    """Make the policies and worlds of a cell, unless the same were made for another."""
    study = loaded.study
    for name, make in policy_sources(study, own_policies(flags)).items():
        text = study.policies[name].model_dump_json() + study.solver.model_dump_json()
        found.add(number, _problems(known, f"{name} {text}", check_policies, {name: make}))
    text = study.model_dump_json(exclude=_NOT_OF_A_WORLD | {"scenario"})
    for _, _, scenario in loaded.scenarios:
        what = f"{scenario.model_dump_json()} {text}"
        found.add(number, _problems(known, what, build_world, study, scenario, tables))


def _problems(known: Known, what: str, make: Callable[..., Any], *given: Any) -> Problems:
    """Return the problems of making something, found out once for each that is the same."""
    digest = hashlib.blake2b(what.encode(), digest_size=16).digest()
    if digest not in known:
        try:
            make(*given)
            known[digest] = ()
        except InvalidInput as error:
            known[digest] = error.problems
    return known[digest]


@dataclass
class _Found:
    """Problems by the cells that have them."""

    total: int
    cells_of: dict[Problem, set[int]] = field(default_factory=dict)

    def attempt(self, number: int, stage: Callable[..., T], *given: Any) -> T | None:
        """Return what a stage gives, or None after noting the cell's problems."""
        try:
            return stage(*given)
        except InvalidInput as error:
            self.add(number, error.problems)
            return None

    def add(self, number: int, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.cells_of.setdefault(problem, set()).add(number)

    def stop_if_any(self) -> None:
        """Raise every problem once, with the number of cells that have it."""
        if self.cells_of:
            told = [self._told(*item) for item in self.cells_of.items()]
            if len(told) > MAX_TOLD:
                told.append(Problem(say("cli.subject.sweep"), say("cli.cells.more")))
            raise InvalidInput(told)

    def _told(self, problem: Problem, numbers: set[int]) -> Problem:
        if self.total == 1 or len(numbers) == 1:
            return problem
        if len(numbers) == self.total:
            return Problem(problem.where, say("cli.cells.in_all", what=problem.what))
        count = {"n": len(numbers), "of": self.total}
        return Problem(problem.where, say("cli.cells.in_some", what=problem.what, **count))
