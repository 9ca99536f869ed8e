"""The work of one worker: a chunk of replications of one policy in one scenario.

Chunks have a fixed size, so that sums are made in the same order whoever makes them, and results
do not depend on the number of workers.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nts_sim.decision.model import Policy
from nts_sim.engine.choice import EngineName
from nts_sim.engine.contract import Run
from nts_sim.engine.session import simulate
from nts_sim.errors import InvalidInput
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.accumulate import Tally, merge_all, tally
from nts_sim.outcomes.measures import Replication, measure
from nts_sim.words import DEFAULT, speaking
from nts_sim.world.model import Floats, World

CHUNK = 4
"""Replications in a chunk: small enough that progress shows every second or two."""

PolicySource = Callable[[], Policy]
"""Makes a policy where it is needed; picklable, so that workers can open their own."""


@dataclass(frozen=True, slots=True)
class Task:
    """Replications first … last − 1 of a policy in a scenario (numbers of both)."""

    scenario: int
    policy: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A replication that could not be finished."""

    replication: int
    error: str
    message: str

    @property
    def told(self) -> str:
        """The failure in one sentence."""
        return f"{self.error}: {self.message}"


@dataclass(frozen=True, eq=False)
class Chunk:
    """What a task came to.

    Attributes
    ----------
    values, daily : float arrays [done, column] and [done, series, day]
    done : replication numbers of their rows
    tally : of the replications done; None without any
    failures : of the others
    sample : replication 0, where the chunk holds it
    """

    task: Task
    done: tuple[int, ...]
    values: Floats
    daily: Floats
    tally: Tally | None
    failures: tuple[Failure, ...]
    sample: Run | None


def tasks(n_scenarios: int, policies: Sequence[str], replications: int) -> Iterator[Task]:
    """All tasks, the first replications of everything first."""
    for first in range(0, replications, CHUNK):
        for scenario in range(n_scenarios):
            for policy in policies:
                yield Task(scenario, policy, first, min(first + CHUNK, replications))


@dataclass
class Bench:
    """What a worker keeps between tasks: worlds, and policies once opened.

    `draws` is where luck is taken from: evaluation draws, except where something is chosen by the
    outcomes.
    """

    worlds: Sequence[World]
    sources: Mapping[str, PolicySource]
    seed: int
    engine: EngineName
    draws: DrawSet = DrawSet.EVALUATION
    opened: dict[str, Policy] = field(default_factory=dict)

    def policy(self, name: str) -> Policy:
        """Return the named policy, made once per worker."""
        if name not in self.opened:
            self.opened[name] = self.sources[name]()
        return self.opened[name]


_benches: list[Bench] = []


def set_up(
    worlds: Sequence[World], sources: Mapping[str, PolicySource], seed: int, engine: EngineName
) -> None:
    """Prepare a worker process."""
    follow_parent()
    _benches[:] = [Bench(worlds, sources, seed, engine)]


def follow_parent() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this worker when the process that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def work(task: Task) -> Chunk:
    """Do a task in a worker process."""
    return do(task, _benches[0])


def do(task: Task, bench: Bench) -> Chunk:
    """Simulate and measure a chunk; a replication that fails is told and left out.

    Failures are told in English whatever is spoken, for they become a table of results.
    """
    with speaking(DEFAULT):
        return _done(task, bench)


def _done(task: Task, bench: Bench) -> Chunk:
    done: list[tuple[int, Replication]] = []
    failures: list[Failure] = []
    sample: Run | None = None
    world = bench.worlds[task.scenario]
    for number in range(task.first, task.last):
        try:
            luck = Luck(bench.seed, bench.draws, number)
            run = simulate(world, bench.policy(task.policy), luck, bench.engine)
            done.append((number, measure(run, world)))
        except Exception as error:
            failures.append(Failure(number, type(error).__name__, told(error)))
        else:
            sample = run if number == 0 else sample
    return Chunk(
        task, tuple(number for number, _ in done),
        np.array([replication.values for _, replication in done]),
        np.array([replication.daily for _, replication in done]),
        merge_all(tally(replication) for _, replication in done), tuple(failures), sample,
    )  # fmt: skip


def told(error: Exception) -> str:
    """Tell what went wrong and where, in one line."""
    if isinstance(error, InvalidInput):
        return "; ".join(f"{problem.where}: {problem.what}" for problem in error.problems)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{' '.join(str(error).split())[:300]} ({Path(last.filename).name}, line {last.lineno})"
