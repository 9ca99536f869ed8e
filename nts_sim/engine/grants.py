"""Grants: what each kind of order may get: entitled, left, signed, paid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from nts_sim.decision.model import Order, OrderKind, Refusal
from nts_sim.engine.cashier import GRAIN, Bill, Cashier, round_down
from nts_sim.engine.contract import Engine
from nts_sim.engine.facts import facts_of
from nts_sim.engine.orderbook import OrderBook
from nts_sim.engine.outlook import Outlook
from nts_sim.engine.travel import RouteMap
from nts_sim.engine.triggers import Triggers
from nts_sim.world.model import Effect, Mechanism, Supply, World


class Grant(NamedTuple):
    """What an order gets before its works are drawn; `refusal` says what cut it."""

    quantity: float
    refusal: Refusal | None = None
    mechanism: int = -1
    source: int = -1
    home: int = -1
    fund: int = -1
    cost_bn_vnd: float = 0.0
    desk: int = -1


def least(asked: float, *limits: tuple[float, Refusal]) -> tuple[float, Refusal | None]:
    """Trim what is asked to the tightest limit; say which limit cut it."""
    quantity, cut = asked, None
    for limit, refusal in limits:
        if limit < quantity:
            quantity, cut = limit, refusal
    return max(0.0, quantity), cut


class Counter:
    """Where orders are granted; reads the present, changes nothing.

    Parameters
    ----------
    world : World
    engine : its state is the present
    outlook : forewarned onsets count for triggers
    book : what was granted before
    """

    def __init__(self, world: World, engine: Engine, outlook: Outlook, book: OrderBook) -> None:
        self.world, self._engine, self._book = world, engine, book
        self._triggers = Triggers(world, engine, outlook, book)
        self._cashier = Cashier(world, engine, book.ledger)
        self._no_home = world.nodes.n_places
        self._facts = facts_of(world)
        self._map: RouteMap

    def grant(self, order: Order, route_map: RouteMap) -> Grant:
        """Return what `order` gets at the present instant."""
        self._map = route_map
        inside = 0 <= order.place < self.world.nodes.n_provinces
        if order.kind is not OrderKind.SERVE and not inside:
            return Grant(0.0, Refusal.AUTHORITY)
        if not 0.0 <= order.quantity < math.inf:
            return Grant(0.0, Refusal.TRIGGER)
        return _RULES[order.kind](self, order)

    def _declare(self, order: Order) -> Grant:
        level = int(order.quantity)
        gate = self._facts.gate
        if gate < 0 or not self.world.mechanisms[gate].enabled:
            return Grant(0.0, Refusal.READY)
        if not 1 <= level <= 3 or level <= self._book.asked_level[order.place]:
            return Grant(0.0, Refusal.TRIGGER, gate)
        desk = int(self.world.level_desks[order.place, level - 1])
        return Grant(float(level), None, gate, desk=desk)

    def _draw(self, order: Order) -> Grant:
        mechanism = self.world.mechanisms[order.mechanism]
        refusal = self._not_usable(mechanism, order, Effect.MONEY)
        fund = self._book.ledger.payer(mechanism, order.place)
        if refusal is None:
            refusal = self._cashier.not_payable(mechanism, fund)
        if refusal is not None:
            return Grant(0.0, refusal, order.mechanism)
        ceiling = (mechanism.ceiling_bn_vnd, Refusal.CEILING)
        left = (self._cashier.open_bn_vnd(fund), Refusal.FUND)
        amount, cut = least(order.quantity, ceiling, left)
        bill = Bill(amount, cut, fund, cost_bn_vnd=amount)
        signed = self._cashier.sign(bill, int(mechanism.desk[order.place]))
        return _granted(signed, order.mechanism)

    def _return(self, order: Order) -> Grant:
        home = self._no_home if order.home < 0 else order.home
        if home == order.place or not self._facts.is_team[order.resource]:
            return Grant(0.0, Refusal.STOCK)
        free = self._free(order.place, home, order.resource)
        quantity, cut = least(order.quantity, (free, Refusal.STOCK))
        quantity, cut = self._in_whole_units(quantity, order.resource, cut)
        return Grant(quantity, cut, source=order.place, home=home)

    def _mobilise(self, order: Order) -> Grant:
        mechanism = self.world.mechanisms[order.mechanism]
        refusal = self._not_usable(mechanism, order, Effect.GOODS)
        supply = next((s for s in mechanism.supplies if s.resource == order.resource), None)
        if refusal is None and supply is None:
            refusal = Refusal.CEILING
        if refusal is not None or supply is None:
            return Grant(0.0, refusal, order.mechanism)
        source, limit = self._from_where(order, supply)
        quantity, cut = least(order.quantity, (limit, Refusal.CEILING))
        unit_cost = supply.unit_cost_bn_vnd + self._travel_cost(order.resource, source, order.place)
        bill = self._paid(order, mechanism, Bill(quantity, cut), unit_cost, order.place)
        return _granted(bill, order.mechanism, source, self._no_home)

    def _from_where(self, order: Order, supply: Supply) -> tuple[int, float]:
        """Return the nearest hub with stock (or the place itself) and what is left to give."""
        given = self._book.mobilised[order.mechanism]
        limit = float(supply.place_ceiling[order.place] - given[order.place, order.resource])
        if supply.scope == "national":
            limit = min(limit, supply.ceiling - float(given[:, order.resource].sum()))
        elif supply.scope == "place":
            limit = min(limit, supply.ceiling - float(given[order.place, order.resource]))
        else:
            limit = min(limit, supply.ceiling)
        if not supply.hub_stock:
            return order.place, limit
        left = {
            hub: self._book.hub_left[order.mechanism, order.resource, hub]
            for hub in supply.hub_stock
        }
        whole = self._facts.whole_units[order.resource]
        stocked = [hub for hub, stock in left.items() if round_down(stock, whole) > 0.0]
        if not stocked:
            return order.place, 0.0
        source = min(stocked, key=lambda hub: (self._map.days(hub, order.place), hub))
        return source, min(limit, left[source])

    def _move(self, order: Order) -> Grant:
        transfer = self._facts.transfer
        if transfer < 0:
            return Grant(0.0, Refusal.READY)
        mechanism = self.world.mechanisms[transfer]
        refusal = self._not_usable(mechanism, order, Effect.TRANSFER)
        if refusal is None and not self._reachable(order.source, order.place):
            refusal = Refusal.AUTHORITY
        if refusal is not None:
            return Grant(0.0, refusal, transfer)
        home = self._home_of(order)
        limits = [(self._free(order.source, home, order.resource), Refusal.STOCK)]
        if home == order.source or not self._facts.is_team[order.resource]:
            limits.append((self._donor_limit(mechanism, order), Refusal.CEILING))
        quantity, cut = least(order.quantity, *limits)
        unit_cost = self._travel_cost(order.resource, order.source, order.place)
        bill = self._paid(order, mechanism, Bill(quantity, cut), unit_cost, order.source)
        return _granted(bill, transfer, order.source, home)

    def _serve(self, order: Order) -> Grant:
        if self.world.cells.place[order.cell] >= self.world.nodes.n_provinces:
            return Grant(0.0, Refusal.AUTHORITY)
        if not self._engine.state.severity(order.cell) or not 0.0 <= order.quantity <= 1.0:
            return Grant(0.0, Refusal.TRIGGER)
        return Grant(order.quantity)

    # --- what limits an order ---------------------------------------------------------------

    def _not_usable(self, mechanism: Mechanism, order: Order, effect: Effect) -> Refusal | None:
        if not mechanism.enabled or mechanism.effect is not effect:
            return Refusal.READY
        return None if self._triggers.open(mechanism, order.place) else Refusal.TRIGGER

    def _free(self, place: int, home: int, resource: int) -> float:
        there = self._engine.state.free(place, resource)
        return self._book.free(place, resource, home, there)

    def _home_of(self, order: Order) -> int:
        if not self._facts.is_team[order.resource]:
            return self._no_home
        return order.source if order.home < 0 else order.home

    def _donor_limit(self, mechanism: Mechanism, order: Order) -> float:
        """Own stock that may still be sent: donor share of what is not required at home."""
        place, resource = order.source, order.resource
        home = place if self._facts.is_team[resource] else self._no_home
        away = self._book.away.item(place, resource)
        own = self._free(place, home, resource) + away
        required = self._engine.state.required(place, resource)
        return mechanism.donor_share * max(0.0, own - required) - away

    def _reachable(self, source: int, place: int) -> bool:
        inside = 0 <= source < self.world.nodes.n_provinces and source != place
        return inside and math.isfinite(self._map.days(source, place))

    def _travel_cost(self, resource: int, source: int, place: int) -> float:
        """Travel of a unit, bn VND; teams' return is paid with the outward order."""
        if source == place:
            return 0.0
        km = self._map.trip(source, place).km
        return (
            float(self._facts.move_cost[resource])
            * km
            / 100.0
            * (2 if self._facts.is_team[resource] else 1)
        )

    def _in_whole_units(
        self, quantity: float, resource: int, cut: Refusal | None
    ) -> tuple[float, Refusal | None]:
        """Round down; part of a unit is refused as stock that does not come in parts."""
        units = round_down(quantity, self._facts.whole_units[resource])
        return units, Refusal.STOCK if cut is None and units < quantity - GRAIN else cut

    def _paid(
        self, order: Order, mechanism: Mechanism, limited: Bill, unit_cost: float, signer: int
    ) -> Bill:
        """Trim to whole units and to what the fund can pay; find who signs."""
        quantity, cut = self._in_whole_units(limited.quantity, order.resource, limited.refusal)
        return self._cashier.pay(
            Bill(quantity, cut), mechanism, order.place, unit_cost, signer,
            whole=self._facts.whole_units[order.resource],
        )  # fmt: skip


_RULES: Mapping[OrderKind, Callable[[Counter, Order], Grant]] = {
    OrderKind.DECLARE: Counter._declare,
    OrderKind.DRAW: Counter._draw,
    OrderKind.RETURN: Counter._return,
    OrderKind.MOBILISE: Counter._mobilise,
    OrderKind.MOVE: Counter._move,
    OrderKind.SERVE: Counter._serve,
}


def _granted(bill: Bill, mechanism: int, source: int = -1, home: int = -1) -> Grant:
    """Make a grant of what was paid for and signed."""
    return Grant(
        bill.quantity, bill.refusal, mechanism, source, home, bill.fund, bill.cost_bn_vnd, bill.desk
    )
