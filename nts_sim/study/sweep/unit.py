"""The work of one worker in a sweep: some replications of some policies in one cell.

A unit carries all it needs as plain data, so that any process of any machine with the same code
can do it, and does it to the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np

from nts_sim.engine.choice import EngineName
from nts_sim.engine.session import simulate
from nts_sim.errors import InvalidInput, Problem
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.layout import layout_of
from nts_sim.outcomes.measures import measure
from nts_sim.outcomes.metrics import METRICS
from nts_sim.study.chunks import Bench, Failure, told
from nts_sim.study.one_plan import with_one_plan
from nts_sim.study.runner import policy_sources
from nts_sim.study.sweep.cell import Cell, Own
from nts_sim.tables.load import Tables, load_tables
from nts_sim.words import DEFAULT, say, speaking
from nts_sim.world.build import build_world
from nts_sim.world.model import Floats, World

PART: Final = 10
"""Replications of a part: what is kept, and taken up again, as one."""
COLUMNS: Final = tuple(metric.name for metric in METRICS if metric.by == "all" or metric.with_total)
"""Outcomes kept of each replication, those with the key 'all'."""
_ONE_AT_A_TIME = Lock()
"""A worker of a cluster may have several threads; policies and solvers are for one."""
_OPEN_CELLS = 2
"""Cells of which a worker keeps the worlds; units of one cell follow each other."""


@dataclass(frozen=True, slots=True)
class Want:
    """Replications first … last − 1 of a policy, wanted under a key of their own."""

    policy: str
    first: int
    last: int
    key: str


@dataclass(frozen=True, eq=False)
class Unit:
    """Work for one worker.

    Attributes
    ----------
    digest : what the outcomes of the cell depend on, policies aside; names it in a worker's cache
    wants : what is to be simulated
    own : the planner's own policies, by name
    tables : a planner's own tables; None: the shipped ones
    """

    cell: Cell
    digest: str
    wants: tuple[Want, ...]
    engine: EngineName
    own: Mapping[str, Own]
    tables: Tables | None


@dataclass(frozen=True, eq=False)
class Part:
    """Outcomes of some replications of one policy in one cell.

    Attributes
    ----------
    values : float array [scenario of the set, replication, column of `COLUMNS`]; NaN where failed
    failures : (number of the scenario, failure)
    """

    values: Floats
    failures: tuple[tuple[int, Failure], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Opening:
    """A unit as the key of what its cell opens to."""

    unit: Unit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Opening) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        unit = self.unit
        policies = unit.cell.study.policies.items()
        specs = tuple((name, spec.model_dump_json()) for name, spec in policies)
        return unit.digest, specs, tuple(sorted(unit.own.items())), unit.engine


def do_unit(unit: Unit) -> list[tuple[Want, Part]]:
    """Simulate what a unit wants; what fails is told, in English, and left out."""
    with _ONE_AT_A_TIME, speaking(DEFAULT):
        return [(want, _part(want, unit)) for want in unit.wants]


def failed_part(unit: Unit, want: Want, error: str, message: str) -> Part:
    """Return the part of which every replication failed for one reason."""
    shape = (len(unit.cell.scenarios), want.last - want.first, len(COLUMNS))
    failures = tuple(
        (scenario, Failure(number, error, message))
        for scenario in range(shape[0])
        for number in range(want.first, want.last)
    )
    return Part(np.full(shape, np.nan), failures)


def worlds_of(cell: Cell, tables: Tables) -> list[World]:
    """Build the worlds of a cell, one for each scenario."""
    return [build_world(cell.study, scenario, tables) for _, _, scenario in cell.scenarios]


def columns_of(world: World) -> list[int]:
    """Positions of `COLUMNS` among the outcomes of a world."""
    columns = layout_of(world).columns
    return [columns.index((name, "all")) for name in COLUMNS]


def _part(want: Want, unit: Unit) -> Part:
    try:
        benches = _opened(_Opening(unit))
        benches.policy(want.policy)
    except Exception as error:
        return failed_part(unit, want, type(error).__name__, told(error))
    made = failed_part(unit, want, "", "")
    failures = []
    for scenario, at, number in _numbers(unit, want):
        try:
            made.values[scenario, at] = _simulated(benches, scenario, want.policy, number)
        except Exception as error:
            failure = Failure(number, type(error).__name__, told(error))
            failures.append((scenario, failure))
    return Part(made.values, tuple(failures))


def _numbers(unit: Unit, want: Want) -> Iterator[tuple[int, int, int]]:
    for scenario in range(len(unit.cell.scenarios)):
        for at, number in enumerate(range(want.first, want.last)):
            yield scenario, at, number


def _simulated(bench: Bench, scenario: int, policy: str, number: int) -> Floats:
    world = bench.worlds[scenario]
    luck = Luck(bench.seed, DrawSet.EVALUATION, number)
    run = simulate(world, bench.policy(policy), luck, bench.engine)
    return measure(run, world).values[columns_of(world)]


@lru_cache(maxsize=_OPEN_CELLS)
def _opened(opening: _Opening) -> Bench:
    """Open a cell: worlds, and how to make its policies."""
    unit = opening.unit
    study, tables = unit.cell.study, unit.tables or load_tables(None)
    sources = policy_sources(study, {name: _where(name, own) for name, own in unit.own.items()})
    weighted = [(weight, scenario) for _, weight, scenario in unit.cell.scenarios]
    made = with_one_plan(study, weighted, tables, sources)
    return Bench(worlds_of(unit.cell, tables), made, study.seed, unit.engine)


def _where(name: str, own: Own) -> str:
    """Return where a planner's own policy is, if it is still the one the sweep began with."""
    path = Path(own.where.rpartition(":")[0])
    if hashlib.sha256(path.read_bytes()).hexdigest() != own.digest:
        what = say("said.policy.file_changed", policy=name)
        raise InvalidInput([Problem(path.name, what)])
    return own.where
