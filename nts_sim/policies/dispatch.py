"""From wants to orders: who gives, what it costs, which account must be filled first.

Every rule sends its orders through here, so that rules differ in who gets help first and not in
whether they know a mechanism, a ceiling or a fund. What an order gets in the end is decided by the
shared order layer; this module asks for what it expects to get.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from nts_sim.decision.model import Observation, Order, declare, mobilise, move
from nts_sim.engine.travel import travel_days
from nts_sim.policies.means import Giver, Means
from nts_sim.policies.money import PendingDraw, Purse
from nts_sim.policies.needs import Picture, idle_visitors, spare_units
from nts_sim.world.model import Floats, World

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
    short_epochs : by place, epochs in a row with a shortage
    asked_level : by place, highest level asked for
    draws : draws that should be credited some day soon
    """

    short_epochs: list[int]
    asked_level: list[int]
    draws: list[PendingDraw] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Option:
    """One way to fill a shortage; `giver` is None where units of `source` are sent."""

    days: float
    source: int
    home: int
    giver: Giver | None
    title: str


class Dispatch:
    """The orders of one epoch in the making.

    Keeps count of stock, ceilings and money, so that two orders of one epoch do not ask for the
    same unit.

    Attributes
    ----------
    orders : written so far
    purse : what each fund can still pay
    spare, idle : [place][resource], own units and mobilised visitors that can still be sent away
    travel : [place][place], days door to door at the present state of the roads
    """

    def __init__(self, world: World, observation: Observation, seen: Picture, means: Means) -> None:
        self.world, self.observation, self.seen, self.means = world, observation, seen, means
        self.orders: list[Order] = []
        self.purse = Purse(world, observation, seen.worst)
        self.spare: list[list[float]] = spare_units(world, observation, seen.kept).tolist()
        self.idle: list[list[float]] = idle_visitors(world, observation, seen.kept).tolist()
        self.travel: list[list[float]] = travel_days(world, observation.road_severity).tolist()
        self._given: dict[tuple[int, ...], float] = {}

    # --- what there is ------------------------------------------------------------------------

    def pool(self) -> Floats:
        """Units that several places may compete for: [resource].

        Donors' spare, idle visitors and what is left below national ceilings and at hubs, as far
        as some place in need may use the mechanism.
        """
        pool: Floats = np.sum(self.spare, axis=0) + np.sum(self.idle, axis=0)
        places = np.flatnonzero(self.seen.shortage.any(axis=1)).tolist()
        for resource in np.flatnonzero(self.seen.shortage.any(axis=0)).tolist():
            for giver in self.means.givers[resource]:
                users = [place for place in places if self.purse.usable(giver.mechanism, place)]
                if giver.contested and users:
                    pool[resource] += self._left(giver, users[0], whole_hubs=True)
        return pool

    def _left(self, giver: Giver, place: int, *, whole_hubs: bool = False) -> float:
        """Units that a giver may still create for a place, or, with `whole_hubs`, for all."""
        supply, m = giver.supply, giver.mechanism
        r = supply.resource
        granted = self.observation.mobilised[m, :, r]
        here = float(granted[place]) + self._given.get((m, r, place), 0.0)
        everywhere = float(granted.sum()) + self._given.get((m, r), 0.0)
        used = {"place": here, "national": everywhere, "decision": 0.0}[supply.scope]
        left = supply.ceiling - used
        if supply.hub_stock:
            stock = sum(supply.hub_stock.values()) - everywhere
            left = stock if whole_hubs else min(left, stock)
        if not whole_hubs:
            left = min(left, float(supply.place_ceiling[place]) - here)
        return max(0.0, left)

    # --- filling a shortage -------------------------------------------------------------------

    def fill(
        self, place: int, resource: int, want: float, *, stage: Stage = Stage.CENTRE,
        contested: bool = True, standby: bool = False, why: str = "",
    ) -> float:  # fmt: skip
        """Order up to `want` units for a place, fastest first; return how many count as there.

        Parameters
        ----------
        place, resource : indices
        want : units
        stage : how far up help is asked for
        contested : use what others compete for (donors, national ceilings); else the place's own
            mechanisms
        standby : only forces that may be put on call
        why : reason written on the orders
        """
        if standby:
            options = list(self._givers(place, resource, standby=True))
        elif contested:
            options = self._contested(place, resource, stage)
        else:
            options = list(self._givers(place, resource, contested=False))
        counted, donors = 0.0, 0
        for i, option in enumerate(options):
            if counted >= want or (option.giver is None and donors >= _MOST_DONORS):
                continue
            second = options[i + 1].title if i + 1 < len(options) else "leave it short"
            got = self.take(option, place, resource, want - counted, why, second)
            donors += option.giver is None and got > 0.0
            counted += got * (option.giver.counted_share if option.giver else 1.0)
        return counted

    def _givers(
        self, place: int, resource: int, *, contested: bool | None = None, standby: bool = False
    ) -> Iterator[Option]:
        for giver in self.means.givers[resource]:
            wanted = giver.standby if standby else giver.contested is contested
            if wanted and self.purse.usable(giver.mechanism, place):
                source = self._hub(giver.supply.hub_stock, place)
                days = giver.lead_days + self.travel[source][place]
                yield Option(days, source, -1, giver, giver.title)

    def _hub(self, hubs: Mapping[int, float], place: int) -> int:
        """Nearest hub, or the place itself where there is none."""
        return min(hubs, key=lambda hub: (self.travel[hub][place], hub), default=place)

    def _contested(self, place: int, resource: int, stage: Stage) -> list[Option]:
        options = list(self._donors(place, resource, stage))
        if stage is Stage.CENTRE:
            options += self._givers(place, resource, contested=True)
        return sorted(options, key=lambda option: option.days)

    def _donors(self, place: int, resource: int, stage: Stage) -> Iterator[Option]:
        if self.means.transfer < 0 or stage is Stage.PROVINCE:
            return
        near, names = self.means.near[place], self.world.nodes.name
        for source in range(len(self.spare)):
            if source == place or not (stage is Stage.CENTRE or near[source]):
                continue
            days = self.means.transfer_days + self.travel[source][place]
            if self.idle[source][resource] >= 1.0:
                home = self.world.nodes.n_places
                yield Option(days, source, home, None, f"visitors in {names[source]}")
            if self.spare[source][resource] >= 1.0 and math.isfinite(days):
                yield Option(days, source, -1, None, names[source])

    def take(
        self, option: Option, place: int, resource: int, want: float, why: str, second: str
    ) -> float:
        """Order from one option what it has, what is wanted and what can be paid; return units."""
        mechanism = option.giver.mechanism if option.giver else self.means.transfer
        stock = self.idle if option.home >= 0 else self.spare
        left = self._left(option.giver, place) if option.giver else stock[option.source][resource]
        amount = self._whole(min(want, left), resource)
        amount = self.purse.set_aside(
            mechanism, place, amount, self._unit_cost(option, place, resource)
        )
        if amount <= 0.0:
            return 0.0
        if option.giver:
            self._count(option.giver, place, amount)
            order = mobilise(mechanism, place, resource, amount, why, second)
        else:
            stock[option.source][resource] -= amount
            order = move(option.source, place, resource, amount, option.home, why, second)
        self.orders.append(order)
        return amount

    def _whole(self, amount: float, resource: int) -> float:
        whole = self.world.resources.whole_units[resource]
        return float(math.floor(amount + 1e-9)) if whole else amount

    def _count(self, giver: Giver, place: int, amount: float) -> None:
        m, r = giver.mechanism, giver.supply.resource
        for key in ((m, r), (m, r, place)):
            self._given[key] = self._given.get(key, 0.0) + amount

    def _unit_cost(self, option: Option, place: int, resource: int) -> float:
        """Price and travel of a unit, bn VND; a team's return is paid with its outward trip."""
        km = float(self.means.km[option.source, place]) if option.source != place else 0.0
        turns = 2.0 if self.world.resources.is_team[resource] else 1.0
        travel = float(self.world.resources.move_cost[resource]) * km / 100.0 * turns
        return travel + (option.giver.supply.unit_cost_bn_vnd if option.giver else 0.0)

    # --- levels ---------------------------------------------------------------------------------

    def declare_levels(self, memory: Memory, places: Sequence[int]) -> None:
        """Raise the declared level of each place to the worst severity reported there."""
        if self.means.gate < 0:
            return
        for place in places:
            level = int(self.seen.worst[place])
            if level > memory.asked_level[place]:
                memory.asked_level[place] = level
                reason = f"severity {level} reported in {self.world.nodes.name[place]}"
                wait = replace(declare(place, level, reason), runner_up="wait for more reports")
                self.orders.append(wait)
