"""The compiled engine: the story of `simpy_engine` on flat tables, many times faster.

Its traces are the SimPy engine's, byte by byte. The story itself is in `_kernel`; here tables are
handed over, and given more room when they fill up.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np

from nts_sim.engine import _kernel
from nts_sim.engine.contract import (
    NEWS,
    PHASE_EPOCH,
    PHASE_RESETTLE,
    Admitted,
    Holdings,
    Opening,
    State,
)
from nts_sim.engine.flat import (
    CHANGE,
    FUTURE,
    Fixed,
    Opened,
    Play,
    filled,
    fixed_tables,
    longer,
    new_play,
)
from nts_sim.luck.calendar import Calendar
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.trace.model import Kind, Row, Trace
from nts_sim.world.model import Bools, Floats, Ints, World

_ROWS_OF_AN_ORDER = 4
"""The most rows that one event of an order writes, besides one for each of its shipments."""
_IS_NEWS: Bools = np.isin(np.arange(len(Kind)), list(NEWS))


class CompiledEngine:
    """One replication of the spread and response, on flat tables.

    Parameters
    ----------
    world : World
    luck : of cells and links
    calendar : onsets, fixed before the run
    opening : what is going on, where it does not start on day 0

    Attributes
    ----------
    state : the present
    """

    def __init__(
        self, world: World, luck: Luck, calendar: Calendar, opening: Opening | None = None
    ) -> None:
        start = opening.tick if opening is not None else 0
        self._fixed, self._play = fixed_tables(world), new_play(world, luck, calendar, start)
        self._control = self._play.control[0]
        self._told = self._n_stops = 0
        self._admit_row: dict[int, int] = {}
        self.state: State = Shown(self._fixed, self._play)
        if opening is not None:
            _kernel.resume(
                self._fixed, self._play, opening.cell, opening.severity, opening.since,
                opening.link, opening.immune,
            )  # fmt: skip
            self._settle()

    @property
    def now(self) -> int:
        """The present tick."""
        return int(self._control["now"])

    def advance(self, until: int) -> None:
        """Let everything due at or before `until` (and before the horizon) happen."""
        while not _kernel.advance(self._fixed, self._play, until):
            self._longer("rows")

    def submit(self, orders: Sequence[Admitted]) -> None:
        """Start admitted orders by priority and number; let what follows at once follow."""
        if orders:
            numbers = self._enter(sorted(orders, key=lambda o: (o.priority, o.number)))
            _kernel.start(self._fixed, self._play, numbers)
        self._settle()

    def _settle(self) -> None:
        """Settle what an epoch changed; nothing else happens."""
        self._control["settling"] = PHASE_RESETTLE
        self.advance(self.now - 1)

    def aim(self, cell: int, target: float, order: int) -> None:
        """Set the target of an active cell; it is dropped when the cell changes severity."""
        self._make_room("rows", int(self._control["n_rows"]) + 1)
        _kernel.aim(self._fixed, self._play, cell, target, order)

    def stock_up(self, on_hand: Floats) -> None:
        """Put units where they are, instead of what is there; settle."""
        self._play.stock["on_hand"] = on_hand
        _kernel.mark_in_need(self._fixed, self._play)
        self._settle()

    def note(
        self, order: int, kind: Kind, node: int, resource: int, quantity: float, value: float
    ) -> int:
        """Write a row of the shared order layer."""
        row = int(self._control["n_rows"])
        self._make_room("rows", row + 1)
        self._play.rows[row] = (
            self._control["now"], PHASE_EPOCH, 0, order, kind, node, -1, resource, order,
            quantity, value, -1,
        )  # fmt: skip
        self._control["n_rows"] = row + 1
        if kind is Kind.ADMIT:
            self._admit_row[order] = row
        return row

    def unaided(self) -> CompiledEngine:
        """Copy the present without a unit anywhere or on its way: what would come without help."""
        other = copy(self)
        other._play = Play._make(table.copy() for table in self._play)
        other._control, other._admit_row = other._play.control[0], {}
        other._play.shipments["amount"] = 0.0
        other.state = Shown(other._fixed, other._play)
        other.stock_up(np.zeros(self._play.stock.shape))
        return other

    def close(self) -> None:
        """Charge what was used up to the horizon."""
        self.advance(int(self._fixed.rules[0]["horizon"]))
        self._make_room("rows", int(self._control["n_rows"]) + self._play.stock.size)
        _kernel.charge_all(self._fixed, self._play)

    def news(self) -> Sequence[Row]:
        """Return the rows of kinds in `NEWS` written since last asked."""
        rows = self._play.rows[self._told : self._control["n_rows"]]
        self._told += len(rows)
        return rows[_IS_NEWS[rows["kind"]]].tolist()  # type: ignore[no-any-return]

    def trace(self) -> Trace:
        """Return all rows so far."""
        return self._play.rows[: self._control["n_rows"]].copy()

    # --- tables ---------------------------------------------------------------------------------

    def _enter(self, orders: Sequence[Admitted]) -> Ints:
        """Write orders, their routes and shipments into the tables."""
        n_shipments = sum(len(order.tranches) for order in orders)
        most = max(len(order.tranches) for order in orders)
        self._control["room"] = max(self._control["room"], most + _ROWS_OF_AN_ORDER)
        ends = max(order.first_shipment + len(order.tranches) for order in orders)
        self._make_room("orders", max(order.number for order in orders) + 1)
        self._make_room("shipments", ends)
        self._make_room("departing", n_shipments)
        last = max(len(self._play.orders), len(self._play.shipments))
        n_clocks = len(self._fixed.slots) + 2 * last
        self._make_room("due", n_clocks)
        self._make_room("agenda", 2 * n_clocks)
        self._make_room("slots", 2 * last)
        self._make_room("works", 2 * len(self._fixed.cells) + last)
        rows = len(orders) * _ROWS_OF_AN_ORDER + n_shipments
        self._make_room("rows", int(self._control["n_rows"]) + rows)
        for order in orders:
            self._enter_one(order)
        return np.array([order.number for order in orders], dtype=np.int64)

    def _enter_one(self, order: Admitted) -> None:
        first_stop, last_stop = self._n_stops, self._n_stops + len(order.route)
        self._make_room("stops", last_stop)
        for at, stop in enumerate(zip(order.route, order.leg_days, strict=True), first_stop):
            self._play.stops[at] = stop
        self._n_stops = last_stop
        for at, (day, amount) in enumerate(order.tranches, order.first_shipment):
            self._play.shipments[at] = (order.number, day, amount, -1)
        self._play.orders[order.number] = (
            order.kind, order.desk, order.approval_days, order.handover_days, order.place,
            order.source, order.resource, order.home, order.creates, order.fixed_days,
            order.quantity, order.priority, order.spend_bn_vnd, order.first_shipment,
            len(order.tranches), first_stop, last_stop, self._admit_row.pop(order.number, -1),
            0, 0, -1, -1, -1, 0, 0,
        )  # fmt: skip

    def _make_room(self, name: str, least: int) -> None:
        if len(getattr(self._play, name)) < least:
            self._longer(name, least)

    def _longer(self, name: str, least: int = 0) -> None:
        self._play = longer(self._play, name, least)
        self.state = Shown(self._fixed, self._play)


def make_ready(world: World) -> None:
    """Compile every function that engines and forecasts call, or load what was compiled before."""
    none = np.zeros(0, dtype=np.int64)
    nothing = Calendar(none, none, none, none.astype(np.float64), none)
    luck = Luck(0, DrawSet.PLANNING, 0)
    engine = CompiledEngine(world, luck, nothing, Opening(0, none, none, none, none, none))
    fixed, play = fixed_tables(world), new_play(world, luck, nothing, 0)
    _kernel.start(fixed, play, none)
    _kernel.required(fixed, play, 0, 0)
    if len(world.cells):
        _kernel.aim(fixed, play, 0, 1.0, 0)
    opened = Opened(none, none, none, filled(FUTURE, 0), none.astype(np.uint64)[None], none, none)
    _kernel.go_alone(fixed, play, play, opened, filled(CHANGE, 0), np.zeros(2, dtype=np.int64), 0)
    engine.stock_up(world.resources.stock)
    engine.close()


class Shown:
    """What is shown of the tables (see `contract.State`)."""

    def __init__(self, fixed: Fixed, play: Play) -> None:
        self._fixed, self._play = fixed, play
        self._severity, self._since = play.live["severity"], play.live["since"]
        self._stock = play.stock

    def severity(self, cell: int) -> int:
        """Severity of a cell, 0 where it is not active."""
        return int(self._severity[cell])

    def since(self, cell: int) -> int:
        """Tick of the latest activation of a cell."""
        return int(self._since[cell])

    def free(self, place: int, resource: int) -> float:
        """Units on hand less those reserved."""
        stock = self._stock[place, resource]
        return float(stock["on_hand"] - stock["held_back"])

    def required(self, place: int, resource: int) -> float:
        """Full requirement of the place's active cells."""
        return float(_kernel.required(self._fixed, self._play, place, resource))

    def last_used(self, place: int, resource: int) -> int:
        """Tick of the last use or arrival."""
        return int(self._stock[place, resource]["last_used"])

    def road_hit(self) -> Ints:
        """Worst severity of the threats that block roads, by place."""
        return self._play.nodes["road_hit"][: len(self._play.spots)].copy()

    def holdings(self) -> Holdings:
        """Copy stock and targets."""
        stock = self._play.stock
        return Holdings(
            stock["on_hand"].copy(), stock["on_hand"] - stock["held_back"],
            stock["last_used"].copy(), self._play.live["target"].copy(),
        )  # fmt: skip
