"""Admission: what an order gets, decided once, outside the engines.

Eligibility, ceilings, funds, earmarks, triggers, delegation, trimming to whole free units, route
and the draws of its works are settled here when an order is applied; engines receive numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from nts_sim.decision.model import Order, OrderKind, Refusal, Ruling
from nts_sim.engine.cashier import round_down
from nts_sim.engine.contract import Admitted, Engine
from nts_sim.engine.facts import facts_of
from nts_sim.engine.grants import Counter, Grant
from nts_sim.engine.orderbook import OrderBook
from nts_sim.engine.outlook import Outlook
from nts_sim.engine.sums import in_turn
from nts_sim.engine.travel import RouteMap, Trip, routes
from nts_sim.engine.works import Works
from nts_sim.luck.draws import Luck
from nts_sim.trace.model import Kind
from nts_sim.units import days
from nts_sim.world.model import World

_REFUSALS = tuple(Refusal)


def _meant(order: Order) -> Order:
    """Take off what does not apply: levels and money are of no resource."""
    if order.resource >= 0 and order.kind in (OrderKind.DECLARE, OrderKind.DRAW):
        return replace(order, resource=-1)
    return order


class _Parts(NamedTuple):
    """How a grant is handed over: days from first to last part, and how much there is in all."""

    last_days: float
    to_come: float


def _parts(admitted: Admitted, grant: Grant) -> _Parts:
    if admitted.kind is OrderKind.DECLARE:
        return _Parts(0.0, grant.quantity)
    tranches = admitted.tranches
    last = float(tranches[-1][0]) if tranches else 0.0
    return _Parts(last, in_turn(amount for _, amount in tranches))


class Admission:
    """The shared order layer of one replication.

    Parameters
    ----------
    world, luck : World, Luck
    outlook : forewarned onsets count for triggers
    engine : carries admitted orders out
    book : where rulings are entered
    """

    def __init__(
        self, world: World, luck: Luck, outlook: Outlook, engine: Engine, book: OrderBook
    ) -> None:
        self.world = world
        self._engine, self._book = engine, book
        self._counter = Counter(world, engine, outlook, book)
        self._no_home = world.nodes.n_places
        self._works = Works(world, luck)
        self._facts = facts_of(world)
        self._map: RouteMap

    def apply(self, orders: Sequence[Order], automatic: int = 0) -> tuple[Ruling, ...]:
        """Decide what each order gets and carry it into the engine.

        Parameters
        ----------
        orders : applied by kind, then in list order
        automatic : the first so many were written by the shared return rule
        """
        if not orders:
            return ()
        self._map = routes(self.world, self._engine.state.road_hit())
        written = [(_meant(order), position < automatic) for position, order in enumerate(orders)]
        written.sort(key=lambda pair: pair[0].kind)
        first = len(self._book.rulings)
        admitted = [self._admit(order, by_rule) for order, by_rule in written]
        self._engine.submit([item for item in admitted if item is not None])
        self._book.pledged.clear()
        return tuple(self._book.rulings[first:])

    # --- one order --------------------------------------------------------------------------

    def _admit(self, order: Order, automatic: bool) -> Admitted | None:
        grant = self._counter.grant(order, self._map)
        number, now = len(self._book.rulings), self._engine.now
        admitted, travel, parts = None, 0.0, _Parts(0.0, grant.quantity)
        if grant.quantity > 0.0 and order.kind is not OrderKind.SERVE:
            admitted = self._as_numbers(order, grant, number, days(now))
            travel, parts = self._typical_travel(admitted), _parts(admitted, grant)
        ruling = Ruling(
            number=number, tick=now, order=order, granted=grant.quantity, refusal=grant.refusal,
            mechanism=grant.mechanism, source=grant.source, fund=grant.fund,
            cost_bn_vnd=grant.cost_bn_vnd, desk=grant.desk, automatic=automatic,
            expected_day=days(now) + self._typical_lead(grant) + travel,
            travel_days=travel, last_part_days=parts.last_days, to_come=parts.to_come,
        )  # fmt: skip
        self._book.enter(ruling, admitted, travel)
        self._tell(ruling)
        return admitted

    # --- as numbers for an engine -------------------------------------------------------------

    def _trip(self, source: int, place: int) -> Trip | None:
        """Return the way that units take; None where nothing is on the road."""
        stays = source < 0 or place in (source, self._no_home)
        return None if stays else self._map.trip(source, place)

    def _as_numbers(self, order: Order, grant: Grant, number: int, day: float) -> Admitted:
        tranches = self._tranches(order, grant)
        handed_over = in_turn(amount for _, amount in tranches) / grant.quantity
        destination = grant.home if order.kind is OrderKind.RETURN else order.place
        trip, roads = self._trip(grant.source, destination), self.world.roads
        return Admitted(
            number=number, kind=order.kind, desk=grant.desk,
            approval_days=self._works.approval_days(order, grant.desk, day),
            handover_days=self._works.handover_days(order, grant.mechanism),
            place=-1 if destination == self._no_home else destination,
            source=grant.source if grant.source >= 0 else order.place,
            resource=order.resource, home=grant.home,
            creates=order.kind is OrderKind.MOBILISE,
            tranches=tranches, route=trip.stops if trip else (),
            leg_days=trip.leg_days if trip else (),
            fixed_days=roads.load_days if trip else roads.own_place_days,
            quantity=grant.quantity, priority=order.priority,
            spend_bn_vnd=grant.cost_bn_vnd * handed_over,
            first_shipment=self._book.next_shipment,
        )  # fmt: skip

    def _tranches(self, order: Order, grant: Grant) -> tuple[tuple[int, float], ...]:
        """Return (days after handover, amount) of every part in which a grant is handed over."""
        if order.kind is OrderKind.DECLARE:
            return ()
        ramps = grant.mechanism >= 0 and order.kind is not OrderKind.MOVE
        ramp = self.world.mechanisms[grant.mechanism].ramp if ramps else ()
        if not ramp:
            return ((0, grant.quantity),)
        whole = order.resource >= 0 and self._facts.whole_units[order.resource]
        tranches, given = [], 0.0
        for day, share in ramp:
            total = grant.quantity * share
            total = round_down(total, whole)
            if total > given:
                tranches.append((day, total - given))
                given = total
        return tuple(tranches)

    def _typical_lead(self, grant: Grant) -> float:
        approval = self._facts.approval_days[grant.desk] if grant.desk >= 0 else 0.0
        return approval + (self._facts.lead_days[grant.mechanism] if grant.mechanism >= 0 else 0.0)

    def _typical_travel(self, admitted: Admitted) -> float:
        if admitted.resource < 0:
            return 0.0
        on_road = admitted.route != ()
        road = self._map.trip(admitted.source, admitted.place).days if on_road else 0.0
        return admitted.fixed_days + road

    def _tell(self, ruling: Ruling) -> None:
        """Write the ruling into the trace; a target is set in the same breath."""
        order = ruling.order
        if order.kind is OrderKind.SERVE and ruling.refusal is None:
            self._engine.aim(order.cell, order.quantity, ruling.number)
            return
        if ruling.granted > 0.0:
            self._engine.note(
                ruling.number, Kind.ADMIT, order.place, order.resource, ruling.granted,
                ruling.cost_bn_vnd,
            )  # fmt: skip
        if ruling.refusal is not None:
            self._engine.note(
                ruling.number, Kind.REFUSE, order.place, order.resource,
                max(0.0, order.quantity - ruling.granted), _REFUSALS.index(ruling.refusal),
            )  # fmt: skip
