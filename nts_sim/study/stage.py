"""Policies simulated on planning draws, in processes that stay: what plans learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.stats import t as student

from nts_sim.decision.model import Policy
from nts_sim.engine.choice import EngineName
from nts_sim.engine.session import simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.measures import outcomes_of
from nts_sim.planning.truth import helped_path
from nts_sim.spec.models import Study
from nts_sim.study.chunks import PolicySource, follow_parent
from nts_sim.study.engines import engine_for
from nts_sim.study.runner import stop_pool, worker_context, worker_count
from nts_sim.world.model import Floats, World

_EASIER = 0.9
"""Requirements are made so much smaller to see what more help would do."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """A policy on the planning draws of every member of a set.

    Attributes
    ----------
    weight : float array [member]
    burden : float array [member, draw], harm and cost, bn VND
    harm : float array [member, draw], harm inside the plan's window, bn VND
    path, covered : float array [member, draw, cell, 3, period], see `truth.helped_path`
    """

    weight: Floats
    burden: Floats
    harm: Floats
    path: Floats
    covered: Floats

    @property
    def mean(self) -> float:
        """Mean burden, over the set."""
        return float(self.weight @ self.burden.mean(axis=1))

    @property
    def mean_harm(self) -> float:
        """Mean harm, over the set."""
        return float(self.weight @ self.harm.mean(axis=1))

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval of the mean burden."""
        n = self.burden.shape[1]
        variance = float(self.weight**2 @ self.burden.var(axis=1, ddof=1))
        return float(student.ppf(0.975, n - 1) * np.sqrt(variance / n))


@dataclass
class _Bench:
    """What a worker keeps: worlds, and policies once made."""

    worlds: Sequence[World]
    edges_days: Floats
    seed: int
    engine: EngineName
    made: dict[int, Policy] = field(default_factory=dict)

    @cached_property
    def easier(self) -> tuple[World, ...]:
        """The worlds with requirements that are a little smaller."""
        return tuple(
            replace(
                world,
                cells=replace(world.cells, requirement=world.cells.requirement * _EASIER),
            )
            for world in self.worlds
        )

    def one(self, task: _Task) -> tuple[float, float, Floats, Floats]:
        """Simulate one draw: burden, harm in the window, path and what was covered."""
        if task.number not in self.made:
            self.made[task.number] = task.make()
        world = (self.easier if task.easier else self.worlds)[task.member]
        luck = Luck(self.seed, DrawSet.PLANNING, task.draw)
        run = simulate(world, self.made[task.number], luck, self.engine)
        values = {(metric, key): value for metric, key, value in outcomes_of(run, world)}
        path, covered = helped_path(world, run.trace, self.edges_days)
        relief = world.threats.relief_effect[world.cells.threat][:, None, None]
        left = (path - relief * covered) * np.diff(self.edges_days)
        harm = float((world.cells.harm_rate[:, :, None] * left).sum())
        return values["total_burden_bn_vnd", "all"], harm, path, covered


@dataclass(frozen=True, slots=True)
class _Task:
    """One draw of one policy; policies are told apart by their number."""

    number: int
    make: PolicySource
    member: int
    draw: int
    easier: bool


_benches: list[_Bench] = []


def _set_up(worlds: Sequence[World], edges_days: Floats, seed: int, engine: EngineName) -> None:
    follow_parent()
    _benches[:] = [_Bench(worlds, edges_days, seed, engine)]


def _work(task: _Task) -> tuple[float, float, Floats, Floats]:
    return _benches[0].one(task)


class Stage:
    """Simulates policies on the same planning draws, one after the other; a context manager.

    Parameters
    ----------
    members : (weight, world)
    edges_days : float array [period + 1], the plan's periods
    """

    def __init__(
        self,
        study: Study,
        members: Sequence[tuple[float, World]],
        edges_days: Floats,
        n_draws: int,
    ) -> None:
        self.study, self.members, self.edges_days, self.n_draws = (
            study,
            members,
            edges_days,
            n_draws,
        )
        given = ([world for _, world in members], edges_days, study.seed, engine_for(study))
        self._bench = _Bench(*given)
        self._makes: list[PolicySource] = []
        workers = worker_count(study.workers, n_draws)
        self._pool = (
            None if workers == 1 else ProcessPoolExecutor(workers, worker_context(), _set_up, given)
        )

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            stop_pool(self._pool)

    def simulate(self, make: PolicySource, *, easier: bool = False) -> Simulated:
        """Simulate a policy on every draw of every member, in worlds made easier if asked."""
        if make not in self._makes:
            self._makes.append(make)
        number = self._makes.index(make)
        tasks = [
            _Task(number, make, member, draw, easier)
            for member in range(len(self.members))
            for draw in range(self.n_draws)
        ]
        burden, harm, path, covered = zip(*self._done(tasks), strict=True)
        shape = (len(self.members), self.n_draws)
        return Simulated(
            weight=np.array([weight for weight, _ in self.members]),
            burden=np.array(burden).reshape(shape),
            harm=np.array(harm).reshape(shape),
            path=np.stack(path).reshape(*shape, *path[0].shape),
            covered=np.stack(covered).reshape(*shape, *path[0].shape),
        )

    def _done(self, tasks: Sequence[_Task]) -> Iterator[tuple[float, float, Floats, Floats]]:
        if self._pool is None:
            return map(self._bench.one, tasks)
        return self._pool.map(_work, tasks, chunksize=2)
