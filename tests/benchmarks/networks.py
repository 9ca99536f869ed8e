"""Worlds of any size, made in seconds: the country's communes, and a planar net of n places.

No array here is places × places. Places next to each other are joined by roads and by links of
each threat; at a place, each threat may bring on the next.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from nts_sim.testing import toy_mechanisms, toy_nodes, toy_threats, toy_world
from nts_sim.world.model import (
    Cells,
    Floats,
    Fund,
    Hazard,
    Inject,
    Ints,
    Links,
    Nodes,
    Roads,
    Threats,
    World,
)

COMMUNES = Path(__file__).parents[3] / "shared" / "data"
N_COMMUNES = 3321

_TEAMS_PER_100K, _SUPPLIES_PER_100K = 2.0, 1000.0
_REQUIREMENT_PER_100K = (1000.0, 20_000.0)
_EXPOSED_SHARE = (0.01, 0.03, 0.1)
_HARM_BN_PER_PERSON_DAY = 1e-5
_ONSET_SHARE = 0.01
_LAND, _SELF = (0.6, 2.0), (0.2, 1.0)
"""Probability and mean lag in days, to the next place and to the next threat."""


@dataclass(frozen=True, eq=False)
class Map:
    """Places and which of them touch.

    Attributes
    ----------
    population : float array [place], persons
    latitude, longitude : float array [place], degrees
    start, end : int array [border], places on both sides, each border once
    km : float array [border], centre to centre
    """

    population: Floats
    latitude: Floats
    longitude: Floats
    start: Ints
    end: Ints
    km: Floats


def commune_map(folder: Path = COMMUNES) -> Map:
    """Read the country's communes and their borders."""
    places = _columns(folder / "communes.csv")
    borders = _columns(folder / "communes_adjacency.csv")
    number = {code: i for i, code in enumerate(places["code"])}
    return Map(
        population=np.array(places["population_model"], dtype=np.float64),
        latitude=np.array(places["lat"], dtype=np.float64),
        longitude=np.array(places["lon"], dtype=np.float64),
        start=np.array([number[code] for code in borders["code_a"]]),
        end=np.array([number[code] for code in borders["code_b"]]),
        km=np.array(borders["centre_distance_km"], dtype=np.float64),
    )


def _columns(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    return dict(zip(head, map(list, zip(*rows, strict=True)), strict=True))


def grid_map(n_places: int) -> Map:
    """Make a planar net: a grid with one diagonal in every square, places a little off centre."""
    rng = np.random.default_rng(n_places)
    width = int(np.ceil(np.sqrt(n_places)))
    place = np.arange(n_places)
    row, column = place // width, place % width
    inner = column < width - 1
    rising = rng.random(n_places) < 0.5
    steps = [
        (place[inner], 1), (place, width), (place[inner & rising], width + 1),
        (place[(column > 0) & ~np.roll(rising, 1)], width - 1),
    ]  # fmt: skip
    start = np.concatenate([here for here, _ in steps])
    end = np.concatenate([here + step for here, step in steps])
    start, end = start[end < n_places], end[end < n_places]
    east, north = (10.0 * (axis + rng.uniform(-0.3, 0.3, n_places)) for axis in (column, row))
    return Map(
        population=rng.lognormal(np.log(30_000.0), 0.6, n_places),
        latitude=8.0 + north / 111.0,
        longitude=102.0 + east / 108.0,
        start=start,
        end=end,
        km=np.hypot(east[start] - east[end], north[start] - north[end]),
    )


def commune_network(folder: Path = COMMUNES, *, n_threats: int = 6) -> World:
    """Make the communes' world from the data, or one of the same size where they are not there."""
    known = (folder / "communes.csv").exists()
    return network(commune_map(folder) if known else grid_map(N_COMMUNES), n_threats=n_threats)


def grid_network(n_places: int, *, n_threats: int = 1, horizon_days: int = 60) -> World:
    """Make a generated world of any number of places."""
    return network(grid_map(n_places), n_threats=n_threats, horizon_days=horizon_days)


def network(land: Map, *, n_threats: int, horizon_days: int = 60) -> World:
    """Make a world on a map: one team and one supply, stocked by population; one place in a
    hundred hit in the first week; the first threat blocks roads.
    """
    n = len(land.population)
    nodes = replace(
        toy_nodes(land.population.tolist()), latitude=land.latitude, longitude=land.longitude
    )
    threats = toy_threats(
        n_threats, relief=0.5, containment_gain=0.5, spread_reduction=0.3,
        stay_days=(5.0, 4.0, 4.0), escalation_days=(8.0, 12.0, np.inf), immunity_days=15.0,
        distribution="exponential",
    )  # fmt: skip
    threats = replace(threats, blocks_roads=np.arange(n_threats) == 0)
    toy = toy_world(stock=((0.0, 0.0),), is_team=(True, False), requirement_per_100k=(0.0, 0.0))
    per_100k = np.array([_TEAMS_PER_100K, _SUPPLIES_PER_100K])
    stock = np.ceil(land.population[:, None] / 1e5 * per_100k)
    cells = _cells(nodes, threats)
    return replace(
        toy, name=f"network of {n}", horizon_days=horizon_days,
        epoch_days=tuple(float(day) for day in range(horizon_days)),
        nodes=nodes, threats=threats, cells=cells, links=_links(land, cells), roads=_roads(land),
        resources=replace(toy.resources, stock=stock), level_desks=np.zeros((n, 3), np.int64),
        mechanisms=toy_mechanisms(n, 2), hazard=_hazard(n, n_threats),
        funds=tuple(Fund(f"{kind} p{i}", kind, i, 1000.0)
                    for kind in ("account", "reserve") for i in range(n)),
    )  # fmt: skip


def _cells(nodes: Nodes, threats: Threats) -> Cells:
    """Every threat at every place, in that order."""
    n, n_threats = nodes.n_places, len(threats.name)
    of = np.arange(n * n_threats).reshape(n, n_threats)
    place = np.repeat(np.arange(n), n_threats)
    exposed = nodes.population[place, None] * np.array(_EXPOSED_SHARE)
    return Cells(
        node=place, threat=np.tile(np.arange(n_threats), n), place=place, of=of, exposed=exposed,
        requirement=exposed[:, :, None] * np.array(_REQUIREMENT_PER_100K) / 1e5,
        harm_rate=exposed * _HARM_BN_PER_PERSON_DAY, protection=np.ones(len(place)),
        at_place=tuple(of),
    )  # fmt: skip


def _links(land: Map, cells: Cells) -> Links:
    """Each threat to the places next door, and at each place to the threat that follows it."""
    start, end = np.append(land.start, land.end), np.append(land.end, land.start)
    sources = (cells.of[start].ravel(), cells.of[:, :-1].ravel())
    targets = (cells.of[end].ravel(), cells.of[:, 1:].ravel())
    source, target = np.concatenate(sources), np.concatenate(targets)
    order = np.lexsort((target, source))
    per_layer = [len(part) for part in sources]
    probability, lag_days = (
        np.repeat(pair, per_layer)[order] for pair in zip(_LAND, _SELF, strict=True)
    )
    n, firsts = len(source), np.searchsorted(source[order], np.arange(1, len(cells)))
    return Links(
        source=source[order], target=target[order],
        layer=tuple(np.repeat(["land", "self"], per_layer)[order].tolist()),
        probability=probability, lag_days=lag_days, distribution=("exponential",) * n,
        repeats=np.zeros(n, dtype=np.bool_), stops=np.ones(n, dtype=np.bool_),
        out=tuple(np.split(np.arange(n), firsts)),
    )  # fmt: skip


def _roads(land: Map) -> Roads:
    """One leg each way over every border."""
    n = len(land.population)
    start, end = np.append(land.start, land.end), np.append(land.end, land.start)
    legs = csr_array((np.append(land.km, land.km), (start, end)), shape=(n, n))
    return Roads(legs, 400.0, 1.35, 0.25, 0.25, np.array([1.0, 0.7, 0.4, 0.15]))


def _hazard(n: int, n_threats: int) -> Hazard:
    """Script the first onsets: places anywhere, threats and days in turn over a week."""
    first = np.random.default_rng(n).permutation(n)[: max(1, round(n * _ONSET_SHARE))]
    injects = tuple(
        Inject(int(place) * n_threats + i % n_threats, 1 + i % 3, 7.0 * i / len(first))
        for i, place in enumerate(first)
    )
    return Hazard(injects, (), np.zeros(n_threats), np.ones(n_threats))
