"""Routes over land: fewest travel days at the present state of the roads."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nts_sim.world.model import Floats, Ints, Roads, World

_MEMORY = 4096
_EQUALLY_LONG_DAYS = 1e-9
"""Routes that differ by less take equally long."""


class RouteMap:
    """Fewest-days routes between all provinces, for one state of the roads.

    Attributes
    ----------
    road_days : float array [province, province], days on the road; inf where unreachable
    """

    def __init__(self, roads: Roads, road_severity: tuple[int, ...]) -> None:
        free_days = roads.leg_km * (roads.detour_factor / roads.speed_km_per_day)
        share = roads.speed_share[np.asarray(road_severity, dtype=np.int64)]
        slowed = free_days / np.minimum(share[:, None], share[None, :])
        self._slowed = slowed
        self.road_days: Floats = dijkstra(csr_array(np.where(np.isfinite(slowed), slowed, 0.0)))
        self._free_days = free_days
        self._leg_km = roads.leg_km
        self._touching = [np.flatnonzero(np.isfinite(row)).tolist() for row in slowed]
        self._routes: dict[tuple[int, int], tuple[int, ...]] = {}

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
        left = self.road_days[here, place] + _EQUALLY_LONG_DAYS
        on_a_best_route = (
            stop
            for stop in self._touching[here]
            if self._slowed[here, stop] + self.road_days[stop, place] <= left
        )
        return next(on_a_best_route)

    def legs(self, source: int, route: tuple[int, ...]) -> tuple[tuple[float, ...], float]:
        """Return the days of each leg at full road speed, and the straight length in km."""
        stops = (source, *route)
        pairs = list(itertools.pairwise(stops))
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
    return _route_map(world, tuple(road_severity[: world.nodes.n_provinces].tolist()))


def travel_days(world: World, road_severity: Ints) -> Floats:
    """Door-to-door days between provinces: loading and road, or the local trip on the diagonal.

    Returns
    -------
    float array [province, province]
    """
    days = routes(world, road_severity).road_days + world.roads.load_days
    np.fill_diagonal(days, world.roads.own_place_days)
    return days
