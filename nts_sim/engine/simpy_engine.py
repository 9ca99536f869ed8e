"""The readable engine: SimPy processes tell the story of an incident, an approval, a convoy.

This is the truth that people read. Its trace is the reference for every faster engine; what
happens inside an instant, and in which order, is written in `engine.contract`. Read `incidents`
and `convoys` for the stories, `stockroom` for whom the help serves; here the three meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nts_sim.engine.clockwork import Ticket, slot
from nts_sim.engine.contract import (
    NEWS,
    PHASE_EPOCH,
    PHASE_ONSET,
    PHASE_RESETTLE,
    PHASE_SETTLE,
    Admitted,
    Opening,
    State,
)
from nts_sim.engine.convoys import Convoys
from nts_sim.engine.deck import Deck
from nts_sim.engine.incidents import Incidents
from nts_sim.engine.stage import Stage
from nts_sim.engine.stockroom import Shown
from nts_sim.luck.calendar import Calendar
from nts_sim.trace.model import Kind, Row, Trace, as_trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Floats, World


class SimpyEngine:
    """One replication of the spread and response, told by SimPy.

    Parameters
    ----------
    world : World
    deck : luck of cells and links
    calendar : onsets, fixed before the run
    opening : what is going on, where it does not start on day 0

    Attributes
    ----------
    state : the present
    """

    def __init__(
        self, world: World, deck: Deck, calendar: Calendar, opening: Opening | None = None
    ) -> None:
        start = opening.tick if opening is not None else 0
        self._stage = Stage(world, start)
        self._incidents = Incidents(self._stage, deck)
        self._convoys = Convoys(self._stage)
        self._n_places = world.nodes.n_places
        self._told = 0
        self.state: State = Shown(self._stage.state)
        self._horizon = ticks(world.horizon_days)
        for day in range(start // TICKS_PER_DAY + 1, world.horizon_days):
            self._at(ticks(day), slot(PHASE_SETTLE, 0), self._day_boundary)
        columns = (calendar.tick, calendar.cell, calendar.severity, calendar.mark)
        for tick, cell, severity, mark in zip(*(c.tolist() for c in columns), strict=True):
            if tick < self._horizon:
                self._at(tick, slot(PHASE_ONSET, cell), self._onset(cell, severity, mark))
        if opening is not None:
            self._resume(opening)

    @property
    def now(self) -> int:
        """The present tick."""
        return self._stage.now

    def advance(self, until: int) -> None:
        """Let everything due at or before `until` (and before the horizon) happen."""
        env, last = self._stage.env, min(until, self._horizon - 1)
        while env.peek() <= last:
            env.run_instant()
            self._settle(PHASE_SETTLE)
        end = min(until, self._horizon)
        if env.now < end:
            env.run(until=end)

    def submit(self, orders: Sequence[Admitted]) -> None:
        """Start admitted orders by priority and number; let what follows at once follow."""
        env = self._stage.env
        env.present = slot(PHASE_EPOCH, 1)
        for order in sorted(orders, key=lambda order: (order.priority, order.number)):
            self._convoys.start(order)
        self._follow_at_once()

    def aim(self, cell: int, target: float, order: int) -> None:
        """Set the target of an active cell; it is dropped when the cell changes severity."""
        state = self._stage.state
        state.target[cell] = target
        self._stage.env.present = slot(PHASE_EPOCH, 0, order)
        row = self._stage.write_cell(
            Kind.TARGET, cell, quantity=state.severity[cell], value=target, order=order
        )
        self._stage.mark(int(self._stage.world.cells.place[cell]), row)

    def note(
        self, order: int, kind: Kind, node: int, resource: int, quantity: float, value: float
    ) -> int:
        """Write a row of the shared order layer."""
        self._stage.env.present = slot(PHASE_EPOCH, 0, order)
        row = self._stage.write(
            kind, node, resource=resource, order=order, quantity=quantity, value=value
        )
        if kind is Kind.ADMIT:
            self._convoys.admitted_at(order, row)
        return row

    def close(self) -> None:
        """Charge what was used up to the horizon."""
        self.advance(self._horizon)
        for place in range(self._n_places):
            self._stage.env.present = slot(PHASE_SETTLE, place)
            self._charge(place)

    def news(self) -> Sequence[Row]:
        """Return the rows of kinds in `NEWS` written since last asked."""
        rows = self._stage.rows[self._told :]
        self._told += len(rows)
        return [row for row in rows if row[4] in NEWS]

    def trace(self) -> Trace:
        """Return all rows so far."""
        return as_trace(self._stage.rows)

    def stock_up(self, on_hand: Floats) -> None:
        """Put units where they are, instead of what is there; settle."""
        self._stage.state.stock_up(on_hand)
        self._day_boundary()
        self._settle(PHASE_RESETTLE)

    def _resume(self, opening: Opening) -> None:
        self._stage.env.present = slot(PHASE_EPOCH, 1)
        self._incidents.resume(opening)
        self._follow_at_once()

    def _follow_at_once(self) -> None:
        """Let happen what follows from an epoch without delay; settle."""
        self._stage.env.run_chain()
        self._settle(PHASE_RESETTLE)

    def _at(self, tick: int, place_in_order: int, call: Callable[[], None]) -> None:
        ticket = Ticket(self._stage.env, place_in_order, tick - self.now)
        ticket.callbacks.append(lambda _event: call())

    def _onset(self, cell: int, severity: int, mark: float) -> Callable[[], None]:
        return lambda: self._incidents.onset(cell, severity, mark)

    def _day_boundary(self) -> None:
        for place in self._stage.state.places_in_need():
            self._stage.mark(place)

    def _settle(self, phase: int) -> None:
        """Bring dirty places up to date in ascending order, then the desks."""
        dirty, self._stage.dirty = self._stage.dirty, {}
        for place in sorted(dirty):
            self._stage.env.present = slot(phase, place)
            self._charge(place)
            for cell in self._stage.state.cover(place):
                self._tell_coverage(cell, dirty[place])
        self._convoys.pace_desks()

    def _charge(self, place: int) -> None:
        for resource, used in self._stage.state.charge(place):
            self._stage.write(Kind.CONSUME, place, resource=resource, quantity=used)

    def _tell_coverage(self, cell: int, cause: int) -> None:
        state = self._stage.state
        self._stage.write_cell(
            Kind.COVERAGE, cell, quantity=state.severity[cell], value=state.coverage[cell],
            cause=cause,
        )  # fmt: skip
        self._incidents.pace(cell)
