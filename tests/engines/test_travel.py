"""Routes: fewest days, and of equally long ones the smaller code sequence."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest

from nts_sim.engine.travel import RouteMap, routes
from nts_sim.testing import toy_world
from nts_sim.world.links import road_legs
from nts_sim.world.model import Roads

SHARES = np.array([1.0, 0.7, 0.4, 0.15])


def roads(legs: dict[tuple[int, int], float], n: int) -> Roads:
    back = {(b, a): km for (a, b), km in legs.items()}
    return Roads(road_legs(legs | back, n), 400.0, 1.0, 0.25, 0.25, SHARES)


def test_of_equally_long_routes_the_smaller_code_sequence_is_taken():
    square = roads({(0, 2): 100.0, (2, 3): 100.0, (0, 1): 100.0, (1, 3): 100.0}, 4)
    assert RouteMap(square, (0, 0, 0, 0)).trip(0, 3).stops == (1, 3)


def test_a_flooded_place_is_driven_around():
    square = roads({(0, 2): 100.0, (2, 3): 100.0, (0, 1): 100.0, (1, 3): 100.0}, 4)
    assert RouteMap(square, (0, 3, 0, 0)).trip(0, 3).stops == (2, 3)


@pytest.mark.parametrize("seed", range(20))
def test_routes_take_as_long_as_another_library_says(seed):
    draw = np.random.default_rng(seed)  # fixed seed: the case is data
    n = 9
    pairs = [pair for pair in itertools.combinations(range(n), 2) if draw.random() < 0.4]
    chain = [(i, i + 1) for i in range(n - 1)]
    legs = {pair: float(draw.integers(1, 9)) * 50.0 for pair in {*pairs, *chain}}
    severity = tuple(int(s) for s in draw.integers(0, 4, n))
    made = RouteMap(roads(legs, n), severity)
    graph = nx.Graph()
    for (a, b), km in legs.items():
        graph.add_edge(a, b, days=km / 400.0 / min(SHARES[severity[a]], SHARES[severity[b]]))
    for source, place in itertools.permutations(range(n), 2):
        known = nx.shortest_path_length(graph, source, place, weight="days")
        stops = (source, *made.trip(source, place).stops)
        days = sum(graph.edges[leg]["days"] for leg in itertools.pairwise(stops))
        assert days == pytest.approx(known)
        assert made.road_days[source, place] == pytest.approx(known)


def test_the_route_map_is_remembered_by_the_state_of_the_roads():
    world = toy_world()
    calm = np.zeros(2, dtype=np.int64)
    assert routes(world, calm) is routes(world, calm.copy())
    assert routes(world, calm) is not routes(world, calm + 1)
