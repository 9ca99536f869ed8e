"""From wants to orders: who gives, what it costs, which account must be filled first.

Every rule sends its orders through here, so that rules differ in who gets help first and not in
whether they know a mechanism, a ceiling or a fund. What an order gets in the end is decided by the
shared order layer; this module asks for what it expects to get.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from itertools import chain, pairwise
from operator import attrgetter
from typing import NamedTuple

from nts_sim.decision.model import Observation, Order, OrderKind, mobilise, move
from nts_sim.policies.means import Giver, Means, Trips, clear_km, trips
from nts_sim.policies.money import PendingDraw, Purse
from nts_sim.policies.needs import Picture, Stock, stock_of
from nts_sim.world.model import World

_MOST_DONORS = 6
"""Donors asked for one resource at one place in one epoch: each signs on its own desk."""


class Stage(IntEnum):
    """How far up help is asked for: the province's own means, its neighbours, the whole country."""

    PROVINCE = 1
    NEIGHBOURS = 2
    CENTRE = 3


@dataclass
class Memory:
    """What a rule remembers between the epochs of one replication.

    Attributes
    ----------
    short_epochs : by place, epochs in a row with a shortage; only places now short
    asked_level : by place, highest level asked for
    draws : draws that should be credited some day soon
    """

    short_epochs: dict[int, int] = field(default_factory=dict)
    asked_level: dict[int, int] = field(default_factory=dict)
    draws: list[PendingDraw] = field(default_factory=list)


class Option(NamedTuple):
    """One way to fill a shortage; `giver` is None where units of `source` are sent."""

    days: float
    source: int
    home: int
    giver: Giver | None
    told: str


class Ceilings:
    """What givers may still create, the orders of this epoch counted."""

    def __init__(self, observation: Observation) -> None:
        self._mobilised = observation.mobilised
        self._before: dict[tuple[int, int], float] = {}
        self._given: dict[tuple[int, ...], float] = {}

    def left(self, giver: Giver, place: int) -> float:
        """Units that a giver may still create for a place."""
        place_ceiling = giver.supply.place_ceiling.item(place)
        left = min(self._below(giver, place), place_ceiling - self._granted_to(giver, place))
        if giver.supply.hub_stock:
            left = min(left, giver.hub_units - self._granted(giver))
        return max(0.0, left)

    def left_for_all(self, giver: Giver, place: int) -> float:
        """Units that a giver may still create for all places, `place` being one; hubs in full."""
        if giver.supply.hub_stock:
            return max(0.0, giver.hub_units - self._granted(giver))
        return max(0.0, self._below(giver, place))

    def count(self, giver: Giver, place: int, units: float) -> None:
        """Note an order of units for a place."""
        m, r = giver.mechanism, giver.supply.resource
        for key in ((m, r), (m, r, place)):
            self._given[key] = self._given.get(key, 0.0) + units

    def _below(self, giver: Giver, place: int) -> float:
        """Units below the ceiling, of whatever that counts."""
        supply = giver.supply
        if supply.scope == "national":
            return supply.ceiling - self._granted(giver)
        if supply.scope == "place":
            return supply.ceiling - self._granted_to(giver, place)
        return supply.ceiling

    def _granted(self, giver: Giver) -> float:
        key = giver.mechanism, giver.supply.resource
        if key not in self._before:
            self._before[key] = float(self._mobilised[key[0], :, key[1]].sum())
        return self._before[key] + self._given.get(key, 0.0)

    def _granted_to(self, giver: Giver, place: int) -> float:
        m, r = giver.mechanism, giver.supply.resource
        return self._mobilised.item(m, place, r) + self._given.get((m, r, place), 0.0)


class Dispatch:
    """The orders of one epoch in the making.

    Keeps count of stock, ceilings and money, so that two orders of one epoch do not ask for the
    same unit. What donors have and how far they are is worked out when first asked for.

    Attributes
    ----------
    orders : written so far
    purse : what each fund can still pay
    ceilings : what each giver may still create
    """

    def __init__(self, world: World, observation: Observation, seen: Picture, means: Means) -> None:
        self.world, self.observation, self.seen, self.means = world, observation, seen, means
        self.orders: list[Order] = []
        self.purse = Purse(world, means, observation, seen.worst)
        self.ceilings = Ceilings(observation)
        self._stocks: dict[int, Stock] = {}

    # --- what there is ------------------------------------------------------------------------

    @cached_property
    def trips(self) -> Trips:
        """Travel at the present state of the roads."""
        return trips(self.world, tuple(self.observation.road_severity.tolist()))

    def stock(self, resource: int) -> Stock:
        """Units of a resource that can still be sent away."""
        if resource not in self._stocks:
            self._stocks[resource] = stock_of(
                self.world, self.observation, self.seen.kept, resource, self.means.donor_share
            )
        return self._stocks[resource]

    def pool(self, resources: Iterable[int]) -> dict[int, float]:
        """Units that several places may compete for, by resource."""
        places = sorted(self.seen.shortage)
        return {resource: self._pooled(resource, places) for resource in resources}

    def _pooled(self, resource: int, places: list[int]) -> float:
        """Units of a resource that some place in need may use.

        Donors' spare, idle visitors and what is left below national ceilings and at hubs.
        """
        units = self.stock(resource).total()
        for giver in self.means.shared[resource]:
            users = [place for place in places if self.purse.usable(giver.mechanism, place)]
            if users:
                units += self.ceilings.left_for_all(giver, users[0])
        return units

    # --- filling a shortage -------------------------------------------------------------------

    def put_on_call(self, place: int, resource: int, want: float, why: str) -> float:
        """Order up to `want` units of standing forces; return how many count as there."""
        standing = self._on_the_spot(self.means.standing[resource], place)
        return self._fill(place, resource, want, standing, why)

    def use_own_means(self, place: int, resource: int, want: float, why: str) -> float:
        """Order up to `want` units by the place's own mechanisms; return how many count."""
        own = self._on_the_spot(self.means.own[resource], place)
        return self._fill(place, resource, want, own, why)

    def use_shared(self, place: int, resource: int, want: float, stage: Stage, why: str) -> float:
        """Order up to `want` units of what others compete for: donors, ceilings, hubs.

        Fastest first, as far up as `stage` says; returns how many count as there.
        """
        options = self._donors(place, resource, stage)
        if stage is Stage.CENTRE:
            options = _by_days(options, self._offers(self.means.shared[resource], place))
        return self._fill(place, resource, want, options, why)

    def _fill(
        self, place: int, resource: int, want: float, options: Iterable[Option], why: str
    ) -> float:
        """Order up to `want` units from the options, in turn; return how many count as there."""
        counted, donors = 0.0, 0
        for option, after in pairwise(chain(options, (None,))):
            if option is None or counted >= want:
                break
            if option.giver is None and donors >= _MOST_DONORS:
                continue
            second = after.told if after else "why.leave_short"
            got = self.take(option, place, resource, want - counted, why, second)
            donors += option.giver is None and got > 0.0
            counted += got * (option.giver.counted_share if option.giver else 1.0)
        return counted

    def _on_the_spot(self, givers: Iterable[Giver], place: int) -> list[Option]:
        """List what usable givers create at a place, in the order of the givers."""
        return [
            Option(giver.lead_days, place, -1, giver, giver.told)
            for giver in givers
            if self.purse.usable(giver.mechanism, place)
        ]

    def _offers(self, givers: Iterable[Giver], place: int) -> list[Option]:
        """List what usable givers bring to a place from their nearest hub, soonest first."""
        offers = []
        for giver in givers:
            if self.purse.usable(giver.mechanism, place):
                source = self.trips.nearest_hub(giver, place)
                days = giver.lead_days + self.trips.days(source, place)
                offers.append(Option(days, source, -1, giver, giver.told))
        return sorted(offers, key=attrgetter("days"))

    def _donors(self, place: int, resource: int, stage: Stage) -> Iterator[Option]:
        """Places with units to send, soonest first: idle visitors, then their own."""
        if self.means.transfer < 0 or stage is Stage.PROVINCE:
            return
        stock, code = self.stock(resource), self.means.code
        able = stock.donors if stage is Stage.CENTRE else stock.donors & self.means.near[place]
        if not able:
            return
        for days, source in self.trips.soonest(place, self.means.transfer_days):
            if source not in able:
                continue
            if stock.visitors.get(source, 0.0) >= 1.0:
                home = self.world.nodes.n_places
                yield Option(days, source, home, None, f"why.visitors?place={code[source]}")
            if stock.own[source] >= 1.0 and math.isfinite(days):
                yield Option(days, source, -1, None, f"why.donor?place={code[source]}")

    def take(
        self, option: Option, place: int, resource: int, want: float, why: str, second: str
    ) -> float:
        """Order from one option what it has, what is wanted and what can be paid; return units."""
        amount = min(want, self._available(option, place, resource))
        if self.means.whole_units[resource]:
            amount = float(math.floor(amount + 1e-9))
        mechanism = option.giver.mechanism if option.giver else self.means.transfer
        if amount > 0.0:
            cost = self._unit_cost(option, place, resource)
            amount = self.purse.set_aside(mechanism, place, amount, cost)
        if amount <= 0.0:
            return 0.0
        if option.giver:
            self.ceilings.count(option.giver, place, amount)
            order = mobilise(mechanism, place, resource, amount, why, second)
        else:
            self._units(option, resource)[option.source] -= amount
            order = move(option.source, place, resource, amount, option.home, why, second)
        self.orders.append(order)
        return amount

    def _available(self, option: Option, place: int, resource: int) -> float:
        """Units that an option can still give."""
        if option.giver:
            return self.ceilings.left(option.giver, place)
        return self._units(option, resource)[option.source]

    def _units(self, option: Option, resource: int) -> list[float] | dict[int, float]:
        """Units by place that an option sends from: visitors or own."""
        stock = self.stock(resource)
        return stock.visitors if option.home >= 0 else stock.own

    def _unit_cost(self, option: Option, place: int, resource: int) -> float:
        """Price and travel of a unit, bn VND; a team's return is paid with its outward trip."""
        km, means = clear_km(self.world, option.source, place), self.means
        travel = means.travel_cost[resource] * km / 100.0 * means.turns[resource]
        return travel + (option.giver.supply.unit_cost_bn_vnd if option.giver else 0.0)

    # --- levels ---------------------------------------------------------------------------------

    def declare_levels(self, memory: Memory, places: Iterable[int]) -> None:
        """Raise the declared level of each place to the worst severity reported there."""
        if self.means.gate < 0:
            return
        for place in places:
            level = self.seen.worst[place]
            if level > memory.asked_level.get(place, 0):
                memory.asked_level[place] = level
                self.orders.append(
                    Order(
                        OrderKind.DECLARE, place, quantity=float(level),
                        reason=f"why.severity?level={level}&place={self.means.code[place]}",
                        runner_up="why.wait_for_reports",
                    )
                )  # fmt: skip


def _by_days(donors: Iterator[Option], offers: list[Option]) -> Iterator[Option]:
    """Merge donors and offers, each soonest first; of equally soon ones, donors first."""
    waiting = iter(offers)
    offer = next(waiting, None)
    for donor in donors:
        while offer and offer.days < donor.days:
            yield offer
            offer = next(waiting, None)
        yield donor
    while offer:
        yield offer
        offer = next(waiting, None)
