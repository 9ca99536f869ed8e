"""Who does the units of a sweep: processes of this machine, or a cluster (`cluster`).

A worker may go at any moment, and take with it the units it was given. They are done again, on
their own, so that one that ends its worker each time is found, told, and left out.
"""

from __future__ import annotations

import queue
from collections import Counter, deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Final, Protocol

from nts_sim.study.chunks import follow_parent
from nts_sim.study.runner import stop_pool, worker_context
from nts_sim.study.sweep.unit import Part, Unit, Want, do_unit, failed_part

TRIES: Final = 5
"""A unit that lost this many workers is not tried again: once in company, then alone.

A worker may also be ended by somebody else, so once is not enough to blame a unit.
"""
LOST: Final = "WorkerLost"
Done = list[tuple[Want, Part]]


@dataclass(frozen=True, eq=False)
class Finished:
    """A unit with what it came to."""

    unit: Unit
    parts: Done


class Executor(Protocol):
    """Does units, in whatever order."""

    @property
    def has_room(self) -> bool:
        """Whether another unit would find, or soon find, a worker free."""
        ...

    def give(self, unit: Unit) -> None:
        """Give a unit to be done."""
        ...

    def wait(self) -> Finished:
        """Wait until one of the given units is finished."""
        ...

    def close(self) -> None:
        """End the work, finished or not."""
        ...


class InProcess:
    """Does units in this process, one after the other."""

    def __init__(self) -> None:
        self._given: deque[Unit] = deque()

    @property
    def has_room(self) -> bool:
        """Whether none waits."""
        return not self._given

    def give(self, unit: Unit) -> None:
        """Put a unit in the queue."""
        self._given.append(unit)

    def wait(self) -> Finished:
        """Do the next unit."""
        unit = self._given.popleft()
        return Finished(unit, do_unit(unit))

    def close(self) -> None:
        """Nothing runs on its own."""


class LocalProcesses:
    """Does units in processes of this machine; those that end are replaced."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._flying: dict[Future[Done], Unit] = {}
        self._landed: queue.SimpleQueue[Future[Done]] = queue.SimpleQueue()
        self._alone: deque[Unit] = deque()
        self._losses: Counter[Unit] = Counter()

    @property
    def has_room(self) -> bool:
        """Whether workers have too little to do; none, while a suspect is to be tried alone."""
        return not self._alone and len(self._flying) < 2 * self._workers

    def give(self, unit: Unit) -> None:
        """Send a unit to the workers."""
        self._give(unit, self._workers)

    def _give(self, unit: Unit, workers: int) -> None:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(workers, worker_context(), follow_parent)
        try:
            future = self._pool.submit(do_unit, unit)
        except BrokenProcessPool:
            self._stop()
            self._alone.append(unit)
            return
        self._flying[future] = unit
        future.add_done_callback(self._landed.put)

    def wait(self) -> Finished:
        """Wait for a unit; those that lost their worker are tried again, one at a time."""
        while True:
            while self._alone and not self._flying:
                self._stop()
                self._give(self._alone.popleft(), 1)
            future = self._landed.get()
            unit = self._flying.pop(future)
            try:
                parts = future.result()
            except BrokenProcessPool:
                self._stop()
                self._losses[unit] += 1
                if self._losses[unit] < TRIES:
                    self._alone.append(unit)
                    continue
                parts = lost(unit)
            if self._losses[unit] and not self._alone:
                self._stop()  # the one worker it had for itself; from now on all of them again
            return Finished(unit, parts)

    def _stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            stop_pool(pool)

    def close(self) -> None:
        """End every worker."""
        self._stop()


def lost(unit: Unit) -> Done:
    """Tell of a unit whose workers ended each time."""
    what = f"the process that simulated it ended {TRIES} times without a word"
    hint = "often too little memory; try workers=1"
    return [(want, failed_part(unit, want, LOST, f"{what} ({hint})")) for want in unit.wants]
