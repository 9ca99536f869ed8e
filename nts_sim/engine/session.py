"""A session joins an engine, the shared order layer and the observer; `simulate` runs it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from nts_sim.decision.model import Observation, Order, Policy, Ruling, Visiting, send_home
from nts_sim.engine.admission import Admission
from nts_sim.engine.choice import EngineName, make_engine
from nts_sim.engine.compiled import CompiledEngine
from nts_sim.engine.contract import Run
from nts_sim.engine.futures import Future, open_future
from nts_sim.engine.observer import Observer
from nts_sim.engine.orderbook import OrderBook
from nts_sim.engine.outlook import Outlook
from nts_sim.engine.prepared import preparation_of, prepared
from nts_sim.luck.calendar import hazard_calendar
from nts_sim.luck.draws import Luck
from nts_sim.trace.model import Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Floats, World


class LocalSession:
    """One replication of one world, open between epochs (see `contract.Session`).

    Parameters
    ----------
    world, luck : World, Luck
    manages_returns : the policy sends idle teams home itself
    engine : which engine carries the replication
    future : where to start, if not on day 0
    """

    def __init__(
        self, world: World, luck: Luck, *, manages_returns: bool = False,
        engine: EngineName = "compiled", future: Future | None = None,
    ) -> None:  # fmt: skip
        known = future.known if future is not None else None
        calendar = hazard_calendar(world, luck) if future is None else future.calendar
        self._world, self._manages_returns = world, manages_returns
        self._has_read = False
        self._outlook = Outlook(calendar)
        self.engine = (
            make_engine(engine, world, luck, calendar) if future is None else future.engine
        )
        self.book = OrderBook(world) if known is None else OrderBook.resume(world, known)
        self._observer = Observer(world, luck, self._outlook, known)
        self._admission = Admission(world, luck, self._outlook, self.engine, self.book)

    @classmethod
    def open_from(
        cls, world: World, observation: Observation, luck: Luck, *, immune: Floats | None = None,
        manages_returns: bool = False, engine: EngineName = "compiled",
    ) -> LocalSession:  # fmt: skip
        """Open a future from what is known: a session at the present of an observation.

        Parameters
        ----------
        observation : all that is known; the true state is not used
        luck : of this future, from the planning set
        immune : float array [cell], chance that a cell is immune; None: none is
        """
        chances = np.zeros(len(world.cells)) if immune is None else immune
        future = open_future(world, observation, luck, chances, engine)
        return cls(world, luck, manages_returns=manages_returns, engine=engine, future=future)

    def advance(self, until: int) -> None:
        """Run to tick `until`, its events and settling included."""
        self.engine.advance(until)
        self._has_read = False

    def observe(self) -> Observation:
        """Return what is known at the present tick."""
        self._catch_up()
        return self._observer.observe(self.engine, self.book)

    def apply(self, orders: Sequence[Order]) -> tuple[Ruling, ...]:
        """Decide what each order gets, carry it into the engine, settle."""
        self._catch_up()
        home = [] if self._manages_returns else self._idle_teams_home()
        self._has_read = False
        return self._admission.apply([*home, *orders], automatic=len(home))

    def trace(self) -> Trace:
        """Return all rows so far, in the order of semantics."""
        return self.engine.trace()

    def _catch_up(self) -> None:
        """Read the engine's news, unless nothing can have happened since."""
        if self._has_read:
            return
        rows, self._has_read = self.engine.news(), True
        self.book.catch_up(rows)
        self._observer.follow(rows)

    def _idle_teams_home(self) -> list[Order]:
        """Send visiting teams home that had no use for a while and expect none."""
        last_used, now = self.engine.state.last_used, self.engine.now
        idle_since = now - self._world.resources.idle_return_days * TICKS_PER_DAY
        idle = [v for v in self.book.visitors if last_used(v.place, v.resource) <= idle_since]
        if not idle:
            return []
        cells = self._world.cells.place
        expecting = {int(cells[warning.cell]) for warning in self._outlook.warnings(now)}
        return [
            send_home(place, resource, units, home, "why.idle")
            for place, resource, home, units in sorted(idle, key=_by_home)
            if place not in expecting
        ]


def _by_home(visiting: Visiting) -> tuple[int, int, int]:
    return visiting.place, visiting.home, visiting.resource


def simulate(world: World, policy: Policy, luck: Luck, engine: EngineName = "compiled") -> Run:
    """Run one replication of `world`, as `policy` prepares it, with the given luck.

    A bound looks ahead on a copy of the engine, which only the compiled one can make; the result is
    the same on both.
    """
    engine = "compiled" if policy.open_knowing else engine
    preparation = preparation_of(policy, world)
    world = prepared(world, preparation)
    session = LocalSession(world, luck, manages_returns=policy.manages_returns, engine=engine)
    foresee = partial(_unaided, session)
    decide = policy.open_knowing(world, foresee) if policy.open_knowing else policy.open(world)
    for day in () if policy.waits else world.epoch_days:
        session.advance(ticks(day))
        session.apply(decide(session.observe()))
    session.advance(ticks(world.horizon_days))
    session.engine.close()
    return Run(policy.name, luck, session.trace(), tuple(session.book.rulings), preparation)


def _unaided(session: LocalSession, until: int) -> Trace:
    """Tell the trace so far, and to tick `until` as it would go on without any help."""
    assert isinstance(session.engine, CompiledEngine)
    future = session.engine.unaided()
    future.advance(until)
    return future.trace()
