"""Drive a sweep: hand out what is missing, keep what comes back, until nothing is missing.

What is missing is asked of the parts on the disk, so a sweep that was stopped at any moment, in any
way, goes on where it was.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nts_sim.policies.registry import PLANNERS
from nts_sim.study.runner import Progress
from nts_sim.study.sweep.asked import Asked, Keyed
from nts_sim.study.sweep.execute import Executor, Finished
from nts_sim.study.sweep.ledger import Ledger
from nts_sim.study.sweep.parts import Parts
from nts_sim.study.sweep.unit import Unit, Want

_UNIT: Final = 40
"""Replications of rules that a worker is given at a time; of planners, which are slow, a part."""


@dataclass(frozen=True, slots=True)
class Count:
    """Replications of policies: of how many, those that failed, and those there before."""

    total: int
    failed: int
    before: int


def drive(
    asked: Asked, parts: Parts, executor: Executor, ledger: Ledger, progress: Progress
) -> Count:
    """Simulate whatever of a sweep is not there yet.

    Returns
    -------
    Count
        Failed replications are left out of the tables and tried again by the same command.
    """
    driver = _Driver(asked, parts, executor, ledger, progress)
    driver.run()
    return Count(driver.total, driver.failed, driver.before)


class _Driver:
    """Knows what is out, what waits and what has come."""

    def __init__(
        self, asked: Asked, parts: Parts, executor: Executor, ledger: Ledger, progress: Progress
    ) -> None:
        self._asked, self._parts, self._executor = asked, parts, executor
        self._ledger, self._progress = ledger, progress
        self._cells = iter(asked)
        self._waiting: deque[tuple[Keyed, Unit]] = deque()
        self._owners: dict[Unit, Keyed] = {}
        self._out: Counter[int] = Counter()
        self._started = time.monotonic()
        self.done = self.failed = self.before = 0
        self.total = sum(len(keyed.study.policies) * keyed.least for keyed in asked)

    def run(self) -> None:
        """Go on until nothing is missing."""
        self._tell()
        while True:
            while self._executor.has_room and (following := self._following()) is not None:
                keyed, unit = following
                self._owners[unit] = keyed
                self._executor.give(unit)
            if not self._owners:
                return
            self._keep(self._executor.wait())

    def _following(self) -> tuple[Keyed, Unit] | None:
        """Return the next unit to hand out, opening cells as they are needed."""
        while not self._waiting:
            keyed = next(self._cells, None)
            if keyed is None:
                return None
            missing = self._missing(keyed)
            there = keyed.n_asked(self._parts) - sum(want.last - want.first for want in missing)
            self.before += there
            self._advance(there)
            self._wait_for(keyed, missing)
        return self._waiting.popleft()

    def _missing(self, keyed: Keyed) -> list[Want]:
        return [want for want in keyed.wants(self._parts) if not self._parts.has(want.key)]

    def _wait_for(self, keyed: Keyed, missing: Sequence[Want]) -> None:
        units = [self._asked.unit(keyed, wants) for wants in _shared_out(missing)]
        self._out[keyed.cell.number] += len(units)
        self._waiting.extend((keyed, unit) for unit in units)

    def _keep(self, finished: Finished) -> None:
        """Keep what came; when a cell has all it waited for, ask whether that is enough."""
        keyed = self._owners.pop(finished.unit)
        for want, part in finished.parts:
            self._parts.put(want.key, part)
            self._ledger.note(
                cell=keyed.cell.number, policy=want.policy, first=want.first, last=want.last,
                failed=len(part.failures), part=want.key,
                at_s=round(time.monotonic() - self._started, 3),
            )  # fmt: skip
            self.failed += len({failure.replication for _, failure in part.failures})
            self._advance(want.last - want.first)
        number = keyed.cell.number
        self._out[number] -= 1
        if not self._out[number]:
            del self._out[number]
            missing = self._missing(keyed)
            if missing:
                self.total += sum(want.last - want.first for want in missing)
                self._wait_for(keyed, missing)

    def _advance(self, replications: int) -> None:
        self.done += replications
        self.total = max(self.total, self.done)
        self._tell()

    def _tell(self) -> None:
        self._progress(self.done, self.total, self.failed)


def _shared_out(wants: Sequence[Want]) -> Iterator[list[Want]]:
    """Put wants together into units: planners alone, rules up to a number of replications."""
    together: list[Want] = []
    for want in wants:
        if want.policy in PLANNERS:
            yield [want]
            continue
        together.append(want)
        if sum(each.last - each.first for each in together) >= _UNIT:
            yield together
            together = []
    if together:
        yield together
