"""Routes over land: fewest travel days at the present state of the roads."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from nts_sim.world.model import Floats, Ints, Roads, World

_MEMORY = 4096


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
        graph = csr_array(np.where(np.isfinite(slowed), slowed, 0.0))
        days, before = dijkstra(graph, return_predecessors=True)
        self.road_days: Floats = days
        self._before: Ints = before.astype(np.int64)
        self._free_days = free_days
        self._leg_km = roads.leg_km

    def route(self, source: int, place: int) -> tuple[int, ...]:
        """Places after `source` up to `place`, in order; empty when they are the same."""
        stops: list[int] = []
        stop = place
        while stop != source:
            stops.append(stop)
            stop = int(self._before[source, stop])
        return tuple(reversed(stops))

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
