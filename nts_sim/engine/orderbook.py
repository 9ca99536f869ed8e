"""The order book: what orders were granted and what has become of them since."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from nts_sim.decision.model import Inbound, Observation, Order, OrderKind, Ruling
from nts_sim.engine.contract import Admitted
from nts_sim.engine.facts import facts_of
from nts_sim.engine.ledger import Ledger
from nts_sim.engine.sums import in_turn
from nts_sim.engine.visitors import Visitors
from nts_sim.trace.model import Kind, Row
from nts_sim.units import days, ticks
from nts_sim.world.model import Floats, World

_SENDING = frozenset((OrderKind.MOBILISE, OrderKind.MOVE, OrderKind.RETURN))


class OrderBook:
    """Orders, levels, ceilings used, units away and money of one replication.

    Attributes
    ----------
    rulings : by order number
    ledger : Ledger
    level : int array [place], declared
    asked_level : by place, declared or waiting for a signature
    uses : int array [mechanism], orders granted
    mobilised : float array [mechanism, place, resource], units granted
    away : float array [place, resource], own units granted away; teams come off when they are home
        again
    hub_left : units left by (mechanism, resource, hub)
    pipeline : units admitted and not yet serving, by shipment number
    visitors : free teams away from home
    pledged : by (place, resource), units granted at this epoch that no engine holds back yet
    """

    def __init__(self, world: World) -> None:
        n_places, n_resources = world.resources.stock.shape
        self.ledger = Ledger(world)
        self.rulings: list[Ruling] = []
        self.level = np.zeros(n_places, dtype=np.int64)
        self.asked_level = [0] * n_places
        self.uses = np.zeros(len(world.mechanisms), dtype=np.int64)
        self.mobilised = np.zeros((len(world.mechanisms), n_places, n_resources))
        self.away = np.zeros((n_places, n_resources))
        self.hub_left = dict(facts_of(world).hub_stock)
        self.pipeline: dict[int, Inbound] = {}
        self.visitors = Visitors()
        self.pledged: dict[tuple[int, int], float] = {}
        self.next_shipment = 0
        self._is_team = facts_of(world).is_team
        self._next_departure: list[int] = []
        self._mobilised_told: Floats | None = None

    @classmethod
    def resume(cls, world: World, observation: Observation) -> OrderBook:
        """Open the book on what is known: commitments count as spent, units on the way as granted.

        Which hub gave what is not told: hubs of a mechanism are taken to be drawn on evenly.
        """
        book = cls(world)
        book.ledger.balance = observation.balance - observation.committed
        book.level, book.uses = observation.level.copy(), observation.uses.copy()
        book.asked_level = observation.level.tolist()
        book.mobilised, book.away = observation.mobilised.copy(), observation.away.copy()
        for place, resource, home, units in observation.visitors:
            book.visitors.arrive(place, resource, home, units)
        for number, inbound in enumerate(on_the_way(observation)):
            book.rulings.append(_as_granted(number, inbound, observation.day))
            book._next_departure.append(number)
            book.pipeline[number] = replace(inbound, number=number)
        book.next_shipment = len(book.pipeline)
        book._draw_on_hubs()
        return book

    def _draw_on_hubs(self) -> None:
        """Take off hubs, evenly, what was mobilised before the book was opened."""
        stocks = dict(self.hub_left)
        for mechanism, resource, hub in stocks:
            total = in_turn(s for key, s in stocks.items() if key[:2] == (mechanism, resource))
            given = float(self.mobilised[mechanism, :, resource].sum())
            left = max(0.0, 1.0 - given / total) if total > 0.0 else 0.0
            self.hub_left[mechanism, resource, hub] = stocks[mechanism, resource, hub] * left

    def enter(self, ruling: Ruling, admitted: Admitted | None, travel_days: float) -> None:
        """Enter a ruling; what it grants is set aside, and its shipments are expected."""
        self.rulings.append(ruling)
        self._next_departure.append(self.next_shipment)
        if admitted is None:
            return
        self.ledger.commit(ruling.fund, ruling.cost_bn_vnd)
        if ruling.mechanism >= 0:
            self.uses[ruling.mechanism] += 1
        kind = ruling.order.kind
        if kind is OrderKind.DECLARE:
            self.asked_level[ruling.order.place] = int(ruling.granted)
        elif kind is OrderKind.MOBILISE:
            self._mobilise(ruling)
        elif kind in (OrderKind.MOVE, OrderKind.RETURN):
            self._promise(ruling, admitted.home)
        if kind in _SENDING:
            self._expect(ruling, admitted, travel_days)
        self.next_shipment += len(admitted.tranches)

    def _mobilise(self, ruling: Ruling) -> None:
        """Count units against ceilings and hubs."""
        place, resource = ruling.order.place, ruling.order.resource
        self.mobilised[ruling.mechanism, place, resource] += ruling.granted
        self._mobilised_told = None
        hub = (ruling.mechanism, resource, ruling.source)
        if hub in self.hub_left:
            self.hub_left[hub] -= ruling.granted

    def mobilised_so_far(self) -> Floats:
        """Return a read-only copy of `mobilised`; the same one until more is granted."""
        if self._mobilised_told is None:
            self._mobilised_told = self.mobilised.copy()
            self._mobilised_told.setflags(write=False)
        return self._mobilised_told

    def _is_own(self, place: int, resource: int, home: int) -> bool:
        """Whether units at a place are its own: teams whose home it is, and all supplies."""
        return home == place or not self._is_team[resource]

    def _promise(self, ruling: Ruling, home: int) -> None:
        """Promise units that are to leave; nothing else may be given them."""
        place, resource = ruling.source, ruling.order.resource
        self.pledged[place, resource] = self.pledged.get((place, resource), 0.0) + ruling.granted
        if not self._is_own(place, resource, home):
            self.visitors.promise(place, resource, home, ruling.granted)
        else:
            self.away[place, resource] += ruling.granted

    def free(self, place: int, resource: int, home: int, free_there: float) -> float:
        """Units of a home that can still be promised, of all that is free at a place."""
        if not self._is_own(place, resource, home):
            return self.visitors.free(place, resource, home)
        pledged = self.pledged.get((place, resource), 0.0)
        return free_there - pledged - self.visitors.all_free(place, resource)

    def _expect(self, ruling: Ruling, admitted: Admitted, travel_days: float) -> None:
        ready = ruling.expected_day - travel_days
        for shipment, (after, amount) in enumerate(admitted.tranches, admitted.first_shipment):
            self.pipeline[shipment] = Inbound(
                number=ruling.number, place=admitted.place, resource=admitted.resource,
                quantity=amount, day=float(math.ceil(ready + after + travel_days)),
                home=admitted.home,
            )  # fmt: skip

    def catch_up(self, rows: Iterable[Row]) -> None:
        """Book what an engine wrote since the last epoch."""
        for row in rows:
            if row[4] in _BOOKINGS:
                _BOOKINGS[row[4]](self, row)

    def _hand_over(self, row: Row) -> None:
        ruling = self.rulings[row[8]]
        self.ledger.spend(ruling.fund, ruling.cost_bn_vnd, row[10])

    def _credit(self, row: Row) -> None:
        self.ledger.credit(self.rulings[row[8]].order.place, row[9])

    def _raise_level(self, row: Row) -> None:
        place = self.rulings[row[8]].order.place
        self.level[place] = max(self.level.item(place), int(row[9]))

    def _depart(self, row: Row) -> None:
        shipment = self._next_departure[row[8]]
        self._next_departure[row[8]] += 1
        waiting = self.pipeline.get(shipment)
        if waiting is not None:
            serves = float(math.ceil(days(row[0]) + row[10]))
            self.pipeline[shipment] = Inbound(
                waiting.number, waiting.place, waiting.resource, waiting.quantity, serves,
                waiting.home,
            )  # fmt: skip

    def _arrive(self, row: Row) -> None:
        place, resource, units, home = row[5], row[7], row[9], int(row[10])
        if place >= 0 and not self._is_own(place, resource, home):
            self.visitors.arrive(place, resource, home, units)
        inbound = self.pipeline.pop(row[3], None)
        if inbound is not None and inbound.place >= 0 and inbound.home == inbound.place:
            self.away[inbound.place, inbound.resource] -= inbound.quantity


def on_the_way(observation: Observation) -> list[Inbound]:
    """Units that will arrive somewhere, as they are listed."""
    return [inbound for inbound in observation.inbound if inbound.place >= 0]


def _as_granted(number: int, inbound: Inbound, day: float) -> Ruling:
    """Word units on the way as an order granted before the book was opened."""
    order = Order(
        OrderKind.MOBILISE, place=inbound.place, resource=inbound.resource,
        quantity=inbound.quantity, reason="why.on_the_way",
    )  # fmt: skip
    return Ruling(
        number=number, tick=ticks(day), order=order, granted=inbound.quantity, refusal=None,
        source=inbound.place, expected_day=inbound.day,
    )  # fmt: skip


_BOOKINGS: Mapping[int, Callable[[OrderBook, Row], None]] = {
    Kind.HANDOVER: OrderBook._hand_over,
    Kind.CREDIT: OrderBook._credit,
    Kind.LEVEL: OrderBook._raise_level,
    Kind.DEPART: OrderBook._depart,
    Kind.ARRIVE: OrderBook._arrive,
}
