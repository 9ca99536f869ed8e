"""Routes over land: fewest travel days at the present state of the roads.

Roads are as long one way as the other.
"""

from __future__ import annotations

import itertools
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from nts_sim.engine.sums import in_turn
from nts_sim.world.model import Floats, Ints, Roads, World

_MEMORY = 512
_WORLDS = 64
_EQUALLY_LONG_DAYS = 1e-9
"""Routes that differ by less take equally long."""


class _Legs(NamedTuple):
    """Legs of the roads, each both ways, by the province they start from.

    `first` [province + 1] is where each province's legs begin; `start`, `end`, `km` and
    `free_days` (on a clear road) [leg]; `ways` are the number of the leg from each province to each
    neighbour, by code.
    """

    first: Ints
    start: Ints
    end: Ints
    km: Floats
    free_days: Floats
    ways: list[dict[int, int]]


@lru_cache(maxsize=_WORLDS)
def _legs_of(roads: Roads) -> _Legs:
    km = roads.leg_km
    first, end = km.indptr.astype(np.int64), km.indices.astype(np.int64)
    start = np.repeat(np.arange(km.shape[0]), np.diff(first))
    free_days = km.data * (roads.detour_factor / roads.speed_km_per_day)
    ways: list[dict[int, int]] = [{} for _ in range(km.shape[0])]
    for here, stop, leg in sorted(zip(start.tolist(), end.tolist(), range(len(end)), strict=True)):
        ways[here][stop] = leg
    return _Legs(first, start, end, km.data, free_days, ways)


@njit(cache=True)
def _days_from(source: int, first: Ints, end: Ints, leg_days: Floats) -> Floats:
    """Fewest days from one province to every other [province]; inf where there is no way.

    Each time a shorter way to a province is found, the legs from there are tried again, in the
    order of finding, until nothing gets shorter (Bellman-Ford with a queue).
    """
    n = len(first) - 1
    days, queued, queue = np.full(n, np.inf), np.zeros(n, np.bool_), np.empty(n, np.int64)
    days[source], queue[0], head, waiting = 0.0, source, 0, 1
    while waiting:
        here = queue[head]
        head, waiting, queued[here] = (head + 1) % n, waiting - 1, False
        for leg in range(first[here], first[here + 1]):
            there, by_here = end[leg], days[here] + leg_days[leg]
            if by_here < days[there]:
                days[there] = by_here
                if not queued[there]:
                    queue[(head + waiting) % n] = there
                    waiting, queued[there] = waiting + 1, True
    return days


class Trip(NamedTuple):
    """A way over land.

    `stops` are the places after the first, in order; `leg_days` at full road speed; `km` straight
    from centre to centre; `days` on the road as it is now.
    """

    stops: tuple[int, ...]
    leg_days: tuple[float, ...]
    km: float
    days: float


class RouteMap:
    """Fewest-days routes between all provinces, for one state of the roads.

    Worked out place by place, when first asked for.
    """

    def __init__(self, roads: Roads, road_severity: tuple[int, ...]) -> None:
        self._legs = legs = _legs_of(roads)
        share = roads.speed_share[np.asarray(road_severity, dtype=np.int64)]
        self._slowed = legs.free_days / np.minimum(share[legs.start], share[legs.end])
        self._leg_days: list[float] = self._slowed.tolist()
        self._rows: dict[int, list[float]] = {}
        self._trips: dict[tuple[int, int], Trip] = {}

    @cached_property
    def road_days(self) -> Floats:
        """Days on the road, float array [province, province]; inf where unreachable."""
        first, end = self._legs.first, self._legs.end
        return np.array([_days_from(i, first, end, self._slowed) for i in range(len(first) - 1)])

    def days(self, source: int, place: int) -> float:
        """Days on the road between two provinces; inf where there is none."""
        reachable = self.days_to(place)[source] < np.inf
        return self.trip(source, place).days if reachable else np.inf

    def days_to(self, place: int) -> list[float]:
        """Days on the road from every province to one; inf where there is none."""
        if place not in self._rows:
            days = _days_from(place, self._legs.first, self._legs.end, self._slowed)
            self._rows[place] = days.tolist()
        return self._rows[place]

    def trip(self, source: int, place: int) -> Trip:
        """Return the way that takes fewest days; there must be one.

        Of ways that take equally long, the one with the smaller code sequence.
        """
        if (source, place) not in self._trips:
            stops = self._stops(source, place)
            legs = self._numbers(source, stops)
            self._trips[source, place] = Trip(
                stops,
                leg_days=tuple(self._legs.free_days.item(leg) for leg in legs),
                km=in_turn(self._legs.km.item(leg) for leg in legs),
                days=in_turn(self._leg_days[leg] for leg in legs),
            )
        return self._trips[source, place]

    def _numbers(self, source: int, route: tuple[int, ...]) -> list[int]:
        """Leg numbers of a route."""
        ways = self._legs.ways
        return [ways[here][stop] for here, stop in itertools.pairwise((source, *route))]

    def _stops(self, source: int, place: int) -> tuple[int, ...]:
        stops: list[int] = []
        while (here := stops[-1] if stops else source) != place:
            stops.append(self._next_stop(here, place))
        return tuple(stops)

    def _next_stop(self, here: int, place: int) -> int:
        """Return the first neighbour, by code, from which the rest takes no longer."""
        days, rest = self._leg_days, self.days_to(place)
        left = rest[here] + _EQUALLY_LONG_DAYS
        ways = self._legs.ways[here].items()
        return next(stop for stop, leg in ways if days[leg] + rest[stop] <= left)


@lru_cache(maxsize=_MEMORY)
def _route_map(world: World, road_severity: tuple[int, ...]) -> RouteMap:
    return RouteMap(world.roads, road_severity)


def routes(world: World, road_severity: Ints) -> RouteMap:
    """Return the route map for a state of the roads.

    Parameters
    ----------
    world : World
    road_severity : int array [place], worst severity of threats that block roads
    """
    return _route_map(world, tuple(road_severity[: world.roads.leg_km.shape[0]].tolist()))


def travel_days(world: World, road_severity: Ints) -> Floats:
    """Door-to-door days between provinces: loading and road, or the local trip on the diagonal.

    Returns
    -------
    float array [province, province]
    """
    days = routes(world, road_severity).road_days + world.roads.load_days
    np.fill_diagonal(days, world.roads.own_place_days)
    return days
