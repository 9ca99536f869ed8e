"""Routes over land: fewest travel days at the present state of the roads."""

from __future__ import annotations

import itertools
from functools import cached_property, lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nts_sim.world.model import Floats, Ints, Roads, World

_MEMORY = 4096
_ALL_AT_ONCE = 512
"""Provinces up to which all routes are worked out together."""
_EQUALLY_LONG_DAYS = 1e-9
"""Routes that differ by less take equally long."""


class RouteMap:
    """Fewest-days routes between all provinces, for one state of the roads.

    Worked out when first asked for: of a small network at once, of a large one place by place.
    """

    def __init__(self, roads: Roads, road_severity: tuple[int, ...]) -> None:
        km = roads.leg_km
        share = roads.speed_share[np.asarray(road_severity, dtype=np.int64)]
        start = np.repeat(np.arange(km.shape[0]), np.diff(km.indptr))
        self._free_days = km * (roads.detour_factor / roads.speed_km_per_day)
        slowed = self._free_days.data / np.minimum(share[start], share[km.indices])
        self._slowed = csr_array((slowed, km.indices, km.indptr), shape=km.shape)
        self._leg_km = km
        self._rows: dict[int, list[float]] = {}
        self._routes: dict[tuple[int, int], tuple[int, ...]] = {}

    @cached_property
    def road_days(self) -> Floats:
        """Days on the road, float array [province, province]; inf where unreachable."""
        return dijkstra(self._slowed)

    def days(self, source: int, place: int) -> float:
        """Days on the road between two provinces; inf where there is none."""
        return self._from(place)[source]

    def _from(self, place: int) -> list[float]:
        """Days on the road between a province and every other."""
        if not self._rows and self._slowed.shape[0] <= _ALL_AT_ONCE:
            self._rows = dict(enumerate(self.road_days.T.tolist()))
        if place not in self._rows:
            self._rows[place] = dijkstra(self._slowed, indices=place).tolist()
        return self._rows[place]

    def route(self, source: int, place: int) -> tuple[int, ...]:
        """Places after `source` up to `place`, in order; empty when they are the same.

        Of routes that take equally long, the one with the smaller code sequence.
        """
        if (source, place) not in self._routes:
            stops: list[int] = []
            while (here := stops[-1] if stops else source) != place:
                stops.append(self._next_stop(here, place))
            self._routes[source, place] = tuple(stops)
        return self._routes[source, place]

    def _next_stop(self, here: int, place: int) -> int:
        """Return the first neighbour, by code, from which the rest takes no longer."""
        rest = self._from(place)
        left = rest[here] + _EQUALLY_LONG_DAYS
        legs = slice(self._slowed.indptr[here], self._slowed.indptr[here + 1])
        stops, days = self._slowed.indices[legs].tolist(), self._slowed.data[legs].tolist()
        on_a_best_route = (
            stop for stop, leg in sorted(zip(stops, days, strict=True)) if leg + rest[stop] <= left
        )
        return next(on_a_best_route)

    def legs(self, source: int, route: tuple[int, ...]) -> tuple[tuple[float, ...], float]:
        """Return the days of each leg at full road speed, and the straight length in km."""
        pairs = list(itertools.pairwise((source, *route)))
        days = tuple(float(self._free_days[pair]) for pair in pairs)
        return days, float(sum(self._leg_km[pair] for pair in pairs))


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
