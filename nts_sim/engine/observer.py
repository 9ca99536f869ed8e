"""The observer: what a policy gets to see of the truth, and how late."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np

from nts_sim.decision.model import Observation, Visiting
from nts_sim.engine.contract import Engine
from nts_sim.engine.orderbook import OrderBook
from nts_sim.engine.outlook import Outlook
from nts_sim.engine.reports import basis_of, report
from nts_sim.luck.draws import Luck, Stream, duration
from nts_sim.luck.keys import cell_keys
from nts_sim.trace.model import Kind, Row
from nts_sim.units import NEVER, TICKS_PER_DAY, days, ticks
from nts_sim.world.model import Floats, Ints, World

_SEVERITY_KINDS = frozenset((Kind.ONSET, Kind.SPREAD, Kind.RISE, Kind.FALL))
_BEGIN_KINDS = frozenset((Kind.ONSET, Kind.SPREAD))

_Array = TypeVar("_Array", Floats, Ints)


class Observer:
    """Follows the trace a lag behind and words the observation of an epoch.

    Parameters
    ----------
    world, luck : World, Luck
    outlook : forewarned onsets
    known : what was reported before, where a replication starts on an observation
    """

    def __init__(
        self, world: World, luck: Luck, outlook: Outlook, known: Observation | None = None
    ) -> None:
        self._world, self._luck, self._outlook = world, luck, outlook
        self._basis, self._keys = basis_of(world), cell_keys(world)
        n_cells = len(world.cells)
        self._waiting: list[tuple[int, int, int, bool]] = []
        self._severity = np.zeros(n_cells, dtype=np.int64)
        self._since = np.zeros(n_cells, dtype=np.int64)
        self._noticed = np.full(n_cells, NEVER, dtype=np.int64)
        self._times_begun: dict[int, int] = {}
        if known is not None:
            self._resume(known)

    def _resume(self, known: Observation) -> None:
        told = ticks(known.reported_day)
        self._severity = known.severity.copy()
        self._since = told - np.rint(known.age_days * TICKS_PER_DAY).astype(np.int64)
        self._noticed = np.where(known.severity > 0, told, NEVER)

    def follow(self, rows: Iterable[Row]) -> None:
        """Take in what the engine wrote since the last epoch."""
        cell_of = self._world.cells.of
        for row in rows:
            if row[4] in _SEVERITY_KINDS:
                cell = cell_of.item(row[5], row[6])
                self._waiting.append((row[0], cell, int(row[9]), row[4] in _BEGIN_KINDS))

    def observe(self, engine: Engine, book: OrderBook) -> Observation:
        """Word what is known at the present tick."""
        now = engine.now
        told = now - self._lag(days(now))
        self._report(told)
        severity, age_days, exposed, reported_share, road_severity = report(
            told, self._severity, self._since, self._noticed, *self._basis
        )
        held, ledger, visitors = engine.state.holdings(), book.ledger, book.visitors.listed()
        return Observation(
            day=days(now), reported_day=days(max(0, told)), severity=_told(severity),
            age_days=_told(age_days), exposed=_told(exposed),
            reported_share=_told(reported_share),
            road_severity=_told(road_severity), warnings=self._outlook.warnings(now),
            on_hand=_told(held.on_hand), free=_told(held.free),
            own=_told(_without(held.free, visitors)), visitors=visitors,
            target=_told(held.target), inbound=tuple(book.pipeline.values()),
            balance=_told(ledger.balance.copy()), committed=_told(ledger.committed.copy()),
            level=_told(book.level.copy()), uses=_told(book.uses.copy()),
            mobilised=book.mobilised_so_far(), away=_told(book.away.copy()),
            idle_days=_told((now - held.last_used) / TICKS_PER_DAY),
        )  # fmt: skip

    def _lag(self, day: float) -> int:
        """Ticks by which reports lag on a day."""
        measure = self._world.measure
        return ticks(self._world.information.lag_days * measure.factor(measure.lag_factor, day))

    def _report(self, until: int) -> None:
        """Bring the reported state up to tick `until`."""
        due = [change for change in self._waiting if change[0] <= until]
        self._waiting = self._waiting[len(due) :]
        for tick, cell, severity, begins in due:
            self._severity[cell] = severity
            if begins:
                self._since[cell] = tick
                self._noticed[cell] = tick + self._detection(cell)

    def _detection(self, cell: int) -> int:
        """Draw the ticks after which an activation is noticed."""
        mean = self._world.information.detection_days
        if mean <= 0.0:
            return 0
        before = self._times_begun.get(cell, 0)
        self._times_begun[cell] = before + 1
        uniform = self._luck.one(Stream.DETECTION, int(self._keys[cell]), before)
        return ticks(duration("exponential", mean, uniform))


def _told(array: _Array) -> _Array:
    """Make an array read-only."""
    array.setflags(write=False)
    return array


def _without(free: Floats, visitors: Iterable[Visiting]) -> Floats:
    """Free units of the places themselves."""
    own = free.copy()
    for place, resource, _, units in visitors:
        own[place, resource] -= units
    return own
