"""Who can give what, how soon, how far and at what price: what rules know of the world."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from nts_sim.engine.sums import in_turn
from nts_sim.engine.travel import RouteMap, routes
from nts_sim.luck.draws import mean_from_median
from nts_sim.words.why import quoted
from nts_sim.world.model import Effect, Mechanism, Supply, World

_STANDBY_LEAD_DAYS = 1.0
_LEAST_COUNTED_SHARE = 0.2
"""What a slow supply counts at least, so that it is not ordered over and over."""
_WORLDS_REMEMBERED = 16
_ROADS_REMEMBERED = 512


@dataclass(frozen=True, eq=False)
class Giver:
    """One resource of one mechanism that creates units.

    Attributes
    ----------
    told : its mechanism, as a reason says it
    lead_days : typical days from order to half of the units, travel from a hub not included
    counted_share : share of an order that counts as there: all of a team, of a supply what is
        handed over within the days that an order is meant to cover
    hub_units : at all hubs together on day 0
    contested : several places draw on the same amount (national ceiling or hubs)
    standby : may be put on call for a forewarned onset: stands everywhere, needs no declared
        level and is there within a day
    """

    mechanism: int
    told: str
    supply: Supply
    lead_days: float
    counted_share: float
    hub_units: float
    contested: bool
    standby: bool


@dataclass(frozen=True, eq=False)
class Means:
    """The ways to get help in one world.

    Attributes
    ----------
    own : by resource, givers on the spot that serve each place apart, fastest first
    shared : by resource, givers that several places compete for, fastest first
    standing : by resource, givers that may be put on call, fastest first
    money : mechanisms that credit an account: the place's own funds first, those that wait for
        another to be exhausted next, the centre's last
    transfer, gate : mechanism index, -1 where there is none
    credit_days : typical days from a draw to its first tranche, by mechanism
    transfer_days : typical days from order to departure of a donor's units
    donor_share : share of a donor's stock not required at home that may be away
    travel_cost : by resource, bn VND per unit and 100 km one way
    turns : by resource, trips paid at once: a team's return is paid with its outward trip
    whole_units : by resource
    near : by province, those that touch it
    code : of every place, as a reason says it
    """

    own: tuple[tuple[Giver, ...], ...]
    shared: tuple[tuple[Giver, ...], ...]
    standing: tuple[tuple[Giver, ...], ...]
    money: tuple[int, ...]
    transfer: int
    gate: int
    credit_days: tuple[float, ...]
    transfer_days: float
    donor_share: float
    travel_cost: tuple[float, ...]
    turns: tuple[float, ...]
    whole_units: tuple[bool, ...]
    near: tuple[frozenset[int], ...]
    code: tuple[str, ...]


@lru_cache(maxsize=_WORLDS_REMEMBERED)
def means_of(world: World, cover_days: float) -> Means:
    """Return the ways to get help, worked out once for each world.

    Parameters
    ----------
    world : World
    cover_days : days of need that an order of supplies is meant to cover
    """
    resources = world.resources
    givers = [_givers(world, resource, cover_days) for resource in range(len(resources.name))]
    transfer = _first(world, Effect.TRANSFER)
    aid = world.mechanisms[transfer] if transfer >= 0 else None
    return Means(
        own=tuple(tuple(g for g in of if not g.contested) for of in givers),
        shared=tuple(tuple(g for g in of if g.contested) for of in givers),
        standing=tuple(tuple(g for g in of if g.standby) for of in givers),
        money=_money(world),
        transfer=transfer,
        gate=_first(world, Effect.GATE),
        credit_days=tuple(_first_days(world, mechanism) for mechanism in world.mechanisms),
        transfer_days=_lead_days(world, aid) if aid else math.inf,
        donor_share=aid.donor_share if aid else 0.0,
        travel_cost=tuple(resources.move_cost.tolist()),
        turns=tuple(np.where(resources.is_team, 2.0, 1.0).tolist()),
        whole_units=tuple(resources.whole_units.tolist()),
        near=_near(world),
        code=tuple(map(quoted, world.nodes.code)),
    )


class Trips:
    """Travel between provinces at one state of the roads, worked out when first asked for."""

    def __init__(self, world: World, road_severity: tuple[int, ...]) -> None:
        self._world, self._road_severity = world, road_severity
        self._to: dict[int, list[float]] = {}
        self._soonest: dict[tuple[int, float], list[tuple[float, int]]] = {}
        self._nearest: dict[tuple[Giver, int], int] = {}

    @cached_property
    def _routes(self) -> RouteMap:
        return routes(self._world, np.array(self._road_severity, dtype=np.int64))

    def days(self, source: int, place: int) -> float:
        """Days door to door: loading and road, or the local trip; inf where there is no road."""
        if source == place:
            return self._world.roads.own_place_days
        return self._days_to(place)[source]

    def _days_to(self, place: int) -> list[float]:
        """Days of loading and road to a place, by province."""
        if place not in self._to:
            load_days = self._world.roads.load_days
            self._to[place] = [days + load_days for days in self._routes.days_to(place)]
        return self._to[place]

    def soonest(self, place: int, lead_days: float = 0.0) -> list[tuple[float, int]]:
        """Other provinces as (days, source) from order to service at `place`, soonest first."""
        key = place, lead_days
        if key not in self._soonest:
            ways = enumerate(self._days_to(place))
            self._soonest[key] = sorted((lead_days + days, s) for s, days in ways if s != place)
        return self._soonest[key]

    def nearest_hub(self, giver: Giver, place: int) -> int:
        """Hub of a giver that is nearest to a place, or the place itself where there is none."""
        key = giver, place
        if key not in self._nearest:
            hubs = giver.supply.hub_stock
            soonest = min(((self.days(hub, place), hub) for hub in hubs), default=(0.0, place))
            self._nearest[key] = soonest[1]
        return self._nearest[key]


@lru_cache(maxsize=_ROADS_REMEMBERED)
def trips(world: World, road_severity: tuple[int, ...]) -> Trips:
    """Return the trips at a state of the roads: by place, worst road-blocking severity."""
    return Trips(world, road_severity)


@lru_cache(maxsize=_WORLDS_REMEMBERED)
def _clear_routes(world: World) -> RouteMap:
    return routes(world, np.zeros(world.nodes.n_places, dtype=np.int64))


def clear_km(world: World, source: int, place: int) -> float:
    """Kilometres between two provinces by the fastest route over clear roads; 0 to itself."""
    if source == place:
        return 0.0
    roads = world.roads
    km_per_day = roads.speed_km_per_day / roads.detour_factor
    return _clear_routes(world).days(source, place) * km_per_day


def _near(world: World) -> tuple[frozenset[int], ...]:
    """Provinces that touch each province."""
    km = world.roads.leg_km
    ends = zip(km.indptr.tolist(), km.indptr[1:].tolist(), strict=False)
    return tuple(frozenset(km.indices[start:end].tolist()) for start, end in ends)


def _first(world: World, effect: Effect) -> int:
    """Index of the first enabled mechanism with an effect; -1 where there is none."""
    found = (i for i, m in enumerate(world.mechanisms) if m.effect is effect and m.enabled)
    return next(found, -1)


def _givers(world: World, resource: int, cover_days: float) -> list[Giver]:
    found = [
        _giver(world, index, supply, cover_days)
        for index, mechanism in enumerate(world.mechanisms)
        if mechanism.effect is Effect.GOODS and mechanism.enabled
        for supply in mechanism.supplies
        if supply.resource == resource
    ]
    return sorted(found, key=lambda giver: (giver.lead_days, giver.mechanism))


def _giver(world: World, index: int, supply: Supply, cover_days: float) -> Giver:
    mechanism = world.mechanisms[index]
    lead = _lead_days(world, mechanism)
    everywhere = supply.scope == "national" and not supply.hub_stock
    at_once = lead <= _STANDBY_LEAD_DAYS and mechanism.trigger.declared_level == 0
    return Giver(
        mechanism=index,
        told=f"why.mechanism?mechanism={quoted(mechanism.name)}",
        supply=supply,
        lead_days=lead,
        counted_share=_counted_share(world, mechanism, supply, cover_days),
        hub_units=in_turn(supply.hub_stock.values()),
        contested=supply.scope == "national" or bool(supply.hub_stock),
        standby=everywhere and at_once,
    )


def _first_days(world: World, mechanism: Mechanism) -> float:
    """Typical days from order to the first handover: desk and handover."""
    desk = world.desks[int(mechanism.desk[0])]
    approval = mean_from_median(desk.distribution, desk.approval_days)
    return approval + mean_from_median(mechanism.distribution, mechanism.handover_days)


def _lead_days(world: World, mechanism: Mechanism) -> float:
    """Typical days from order to the handover of half the units."""
    half = next((day for day, share in mechanism.ramp if share >= 0.5), 0)
    return _first_days(world, mechanism) + half


def _counted_share(world: World, mechanism: Mechanism, supply: Supply, cover_days: float) -> float:
    if world.resources.is_team[supply.resource] or not mechanism.ramp:
        return 1.0
    left_days = cover_days - _first_days(world, mechanism)
    shares = [share for day, share in mechanism.ramp if day <= left_days]
    return max([_LEAST_COUNTED_SHARE, *shares])


def _money(world: World) -> tuple[int, ...]:
    found = [
        (mechanism.fund_is_central, mechanism.trigger.after_fund is not None, index)
        for index, mechanism in enumerate(world.mechanisms)
        if mechanism.effect is Effect.MONEY and mechanism.enabled
    ]
    return tuple(index for _, _, index in sorted(found))
