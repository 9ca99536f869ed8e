"""The observer: what a policy gets to see of the truth, and how late."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nts_sim.decision.model import Observation, Visiting
from nts_sim.engine.contract import Engine
from nts_sim.engine.orderbook import OrderBook
from nts_sim.engine.outlook import Outlook
from nts_sim.luck.draws import Luck, Stream, durations
from nts_sim.luck.keys import cell_keys
from nts_sim.trace.model import Kind, Row
from nts_sim.units import NEVER, TICKS_PER_DAY, days, ticks
from nts_sim.world.model import Floats, World

_SEVERITY_KINDS = frozenset((Kind.ONSET, Kind.SPREAD, Kind.RISE, Kind.FALL))
_BEGIN_KINDS = frozenset((Kind.ONSET, Kind.SPREAD))


class Observer:
    """Follows the trace a lag behind and words the observation of an epoch.

    Parameters
    ----------
    world, luck : World, Luck
    outlook : forewarned onsets
    """

    def __init__(self, world: World, luck: Luck, outlook: Outlook) -> None:
        self._world, self._luck, self._outlook = world, luck, outlook
        n_cells = len(world.cells)
        self._waiting: list[tuple[int, int, int, bool]] = []
        self._severity = np.zeros(n_cells, dtype=np.int64)
        self._since = np.zeros(n_cells, dtype=np.int64)
        self._noticed = np.full(n_cells, NEVER, dtype=np.int64)
        self._occurrence = np.zeros(n_cells, dtype=np.int64)
        self._curve = np.array(world.information.reported_share).T
        self._blocks = world.threats.blocks_roads[world.cells.threat]
        self._cells = np.arange(n_cells)
        self._keys = cell_keys(world)

    def follow(self, rows: Iterable[Row]) -> None:
        """Take in what the engine wrote since the last epoch."""
        for row in rows:
            if row[4] in _SEVERITY_KINDS:
                cell = int(self._world.cells.of[row[5], row[6]])
                self._waiting.append((row[0], cell, int(row[9]), row[4] in _BEGIN_KINDS))

    def observe(self, engine: Engine, book: OrderBook) -> Observation:
        """Word what is known at the present tick."""
        now = engine.now
        told = now - self._lag(days(now))
        self._report(told)
        seen = self._severity * (self._noticed <= told)
        active = seen > 0
        age = np.where(active, (told - self._since) / TICKS_PER_DAY, 0.0)
        share = np.where(active, np.interp(age, *self._curve), 1.0)
        exposed = self._world.cells.exposed[self._cells, np.maximum(seen, 1) - 1] * active * share
        held, ledger = engine.state.holdings(), book.ledger
        visitors = tuple(book.visitors)
        observation = Observation(
            day=days(now), reported_day=days(max(0, told)), severity=seen, age_days=age,
            exposed=exposed, reported_share=share,
            warnings=self._outlook.warnings(now), road_severity=self._roads(seen),
            on_hand=held.on_hand, free=held.free, own=_without(held.free, visitors),
            visitors=visitors, target=held.target,
            inbound=tuple(book.pipeline.values()),
            balance=np.array(ledger.balance), committed=np.array(ledger.committed),
            level=np.array(book.level, dtype=np.int64), uses=np.array(book.uses, dtype=np.int64),
            mobilised=book.mobilised.copy(), away=book.away.copy(),
            idle_days=(now - held.last_used) / TICKS_PER_DAY,
        )  # fmt: skip
        for value in vars(observation).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        return observation

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
        mean = self._world.information.detection_days
        if mean <= 0.0:
            return 0
        key = self._keys[cell : cell + 1]
        uniform = self._luck.uniform(Stream.DETECTION, key, self._occurrence[cell])[0]
        self._occurrence[cell] += 1
        return ticks(float(durations("exponential", mean, uniform)))

    def _roads(
        self, seen: np.ndarray[tuple[int], np.dtype[np.int64]]
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        worst = np.zeros(self._world.nodes.n_places, dtype=np.int64)
        hit = np.flatnonzero(seen * self._blocks)
        np.maximum.at(worst, self._world.cells.place[hit], seen[hit])
        return worst


def _without(free: Floats, visitors: Iterable[Visiting]) -> Floats:
    """Free units of the places themselves."""
    own = free.copy()
    for place, resource, _, units in visitors:
        own[place, resource] -= units
    return own
