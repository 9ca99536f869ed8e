"""Networks for benchmarks are what they say: connected, in order, planar in size, and sparse."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from nts_sim.world.model import World
from tests.benchmarks.networks import (
    COMMUNES,
    N_COMMUNES,
    Map,
    commune_map,
    commune_network,
    grid_map,
    grid_network,
)


def pieces(land: Map) -> int:
    n = len(land.population)
    return int(connected_components(csr_array((land.km, (land.start, land.end)), (n, n)))[0])


def check_links(world: World) -> None:
    """Links stand in order of source and target, once each, and each cell knows its own."""
    links, n_cells = world.links, len(world.cells)
    key = links.source * n_cells + links.target
    assert (np.diff(key) > 0).all()
    assert len(links.out) == n_cells
    for cell in range(0, n_cells, max(1, n_cells // 200)):
        assert (links.out[cell] == np.flatnonzero(links.source == cell)).all()


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1234])
def test_a_grid_is_one_planar_piece(n):
    land = grid_map(n)
    assert len(land.population) == n
    assert pieces(land) == 1
    assert len(
        {frozenset(p) for p in zip(land.start.tolist(), land.end.tolist(), strict=True)}
    ) == (len(land.start))
    assert len(land.start) <= max(1, 3 * n - 6)
    assert (land.km > 0.0).all()


def test_cells_links_and_onsets_of_a_network():
    world = grid_network(150, n_threats=3)
    check_links(world)
    cells = world.cells
    assert (cells.of[cells.node, cells.threat] == np.arange(450)).all()
    assert all((cells.place[at] == place).all() for place, at in enumerate(cells.at_place))
    assert [inject.cell % 3 for inject in world.hazard.injects] == [0, 1]
    land, own = (
        world.links.probability[np.array(world.links.layer) == name] for name in ("land", "self")
    )
    assert len(own) == 150 * 2
    assert len(land) % 6 == 0


@pytest.mark.skipif(not COMMUNES.exists(), reason="the collected data is not at hand")
def test_the_communes_are_those_of_the_data():
    land = commune_map()
    assert len(land.population) == N_COMMUNES
    assert 90e6 < land.population.sum() < 120e6
    assert len(land.start) == 9255
    assert land.km.max() < 200.0


def test_a_country_of_the_same_size_is_made_where_the_data_are_not(tmp_path):
    world = commune_network(tmp_path, n_threats=6)
    assert (world.nodes.n_places, len(world.cells)) == (N_COMMUNES, N_COMMUNES * 6)
    check_links(world)
