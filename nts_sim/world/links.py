"""Layers of the network and the links by which an active cell reaches another.

Weights in a layer:

=========  ======================================================================================
self       1
river      1 per pair of places, however many rivers join them
land       shared border as a share of the longest border of the source
border     the same, over the land border between provinces and localities abroad
transport  gravity flow P_i·P_j / max(d, 50 km)², as a share of the strongest flow out of the source
digital    as the table says, between kinds of node; provincial kinds within a province
=========  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from nts_sim.spec.models import NetworkSpec, ThreatSpec
from nts_sim.tables.columns import SEA
from nts_sim.tables.load import Tables
from nts_sim.world.model import Cells, Floats, IncidentLaw, Ints, Links, Nodes, Roads, Threats
from nts_sim.world.nodes import nodes_by_kind

Edges = tuple[Ints, Ints, Floats]
"""Source nodes, target nodes, weights."""

_EARTH_RADIUS_KM = 6371.0
_LEAST_KM = 1.0


def road_items(tables: Tables) -> Mapping[str, float]:
    """Travel and mobility values by item."""
    return {str(k): float(v) for k, v in tables.columns("road_speeds", "item", "value")}


def make_roads(tables: Tables, nodes: Nodes, spec: NetworkSpec) -> Roads:
    """Join seats of government of provinces with a land border; borders in water have no road."""
    items = road_items(tables)
    columns = ("from_code", "to_code", "centre_distance_km", "water_only")
    legs = {
        (nodes.index[str(source)], nodes.index[str(target)]): float(km)
        for source, target, km, water in tables.columns("adjacency", *columns)
        if not water
    }
    share = [items[f"speed_share_{severity}"] for severity in range(4)]
    return Roads(
        leg_km=road_legs(legs, nodes.n_provinces),
        speed_km_per_day=spec.road_speed_km_per_day or items["road_speed_km_per_day"],
        detour_factor=spec.detour_factor or items["detour_factor"],
        own_place_days=items["own_place_days"],
        load_days=items["load_days"],
        speed_share=np.array(share) if spec.road_slowdown else np.ones(4),
    )


def road_legs(legs: Mapping[tuple[int, int], float], n: int) -> csr_array[np.float64]:
    """Make the sparse array of legs, km, from (from, to) pairs of places below `n`."""
    ends = np.array(list(legs), dtype=np.int64).reshape(-1, 2).T
    return csr_array((np.array(list(legs.values()), dtype=np.float64), ends), shape=(n, n))


def make_layers(tables: Tables, nodes: Nodes, spec: NetworkSpec) -> Mapping[str, Edges]:
    """Make the directed edges of every layer, weighted as in the module's table."""
    return {
        "self": _self(nodes),
        "land": _scaled(_land(tables, nodes), spec.land_weight),
        "river": _scaled(_river(tables, nodes), spec.river_weight),
        "transport": _scaled(_transport(tables, nodes), spec.transport_weight),
        "border": _scaled(_border(tables, nodes), spec.border_weight),
        "digital": _scaled(_digital(tables, nodes), spec.digital_weight),
    }


def _scaled(edges: Edges, factor: float) -> Edges:
    source, target, weight = edges
    return source, target, weight * factor


def _self(nodes: Nodes) -> Edges:
    every = np.arange(len(nodes.code))
    return every, every, np.ones(len(every))


def _pairs(nodes: Nodes, rows: Iterator[tuple[object, ...]]) -> Edges:
    """Turn rows (from code, to code, size) into edges."""
    listed = [(nodes.index[str(a)], nodes.index[str(b)], float(str(w))) for a, b, w in rows]
    source, target, size = (np.array(column) for column in zip(*listed, strict=True))
    return source.astype(np.int64), target.astype(np.int64), size.astype(np.float64)


def _share_of_strongest(n_nodes: int, edges: Edges) -> Edges:
    """Weigh each edge by its size as a share of the largest out of the same source."""
    source, target, size = edges
    strongest = np.zeros(n_nodes)
    np.maximum.at(strongest, source, size)
    return source, target, size / strongest[source]


def _land(tables: Tables, nodes: Nodes) -> Edges:
    rows = tables.columns("adjacency", "from_code", "to_code", "shared_border_km")
    return _share_of_strongest(len(nodes.code), _pairs(nodes, rows))


def _border(tables: Tables, nodes: Nodes) -> Edges:
    rows = tables.columns("border_links", "foreign_code", "province_code", "shared_border_km")
    abroad, home, km = _pairs(nodes, rows)
    both = (np.r_[abroad, home], np.r_[home, abroad], np.r_[km, km])
    return _share_of_strongest(len(nodes.code), both)


def _river(tables: Tables, nodes: Nodes) -> Edges:
    pairs = {
        (nodes.index[str(source)], nodes.index[str(target)])
        for source, target in tables.columns("rivers", "from_code", "to_code")
        if target != SEA
    }
    ends = np.array(sorted(pairs), dtype=np.int64)
    return ends[:, 0], ends[:, 1], np.ones(len(ends))


def _transport(tables: Tables, nodes: Nodes) -> Edges:
    items = road_items(tables)
    n = nodes.n_provinces
    least_km = max(items["gravity_min_distance_km"], _LEAST_KM)
    apart_km = np.maximum(distances_km(nodes)[:n, :n], least_km)
    people = nodes.population[:n] ** items["gravity_exponent_population"]
    flow = np.outer(people, people) / apart_km ** items["gravity_exponent_distance"]
    source, target = np.nonzero(~np.eye(n, dtype=np.bool_))
    edges = source.astype(np.int64), target.astype(np.int64), flow[source, target]
    return _share_of_strongest(len(nodes.code), edges)


def distances_km(nodes: Nodes) -> Floats:
    """Great-circle distances between places, km, [place, place] (haversine formula)."""
    lat, lon = np.radians(nodes.latitude), np.radians(nodes.longitude)
    half_lat = np.sin((lat[:, None] - lat[None, :]) / 2.0) ** 2
    half_lon = np.sin((lon[:, None] - lon[None, :]) / 2.0) ** 2
    inside = half_lat + np.cos(lat[:, None]) * np.cos(lat[None, :]) * half_lon
    angle: Floats = 2.0 * np.arcsin(np.sqrt(np.minimum(inside, 1.0)))
    return _EARTH_RADIUS_KM * angle


def _digital(tables: Tables, nodes: Nodes) -> Edges:
    """Join kinds of node: province by province, or everyone with a national agency."""
    kinds = nodes_by_kind(tables, nodes)
    parts: list[Edges] = []
    for first, second, weight in tables.columns("digital_links", "from_kind", "to_kind", "value"):
        source, target = np.broadcast_arrays(kinds[str(first)], kinds[str(second)])
        parts.append((source, target, np.full(len(source), float(weight))))
    source, target, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    return source, target, weights


def make_links(
    tables: Tables, nodes: Nodes, threats: Threats, cells: Cells, network: NetworkSpec,
    spec: ThreatSpec,
) -> Links:  # fmt: skip
    """Make a link for each rule of spread and edge of its layer that joins two cells."""
    layers = make_layers(tables, nodes, network)
    parts = []
    for rule in tables.rows("spread_links"):
        first, second = (threats.index.get(rule[end]) for end in ("from_threat", "to_threat"))
        if first is None or second is None:
            continue
        from_node, to_node, weight = layers[rule["layer"]]
        source, target = cells.of[from_node, first], cells.of[to_node, second]
        hit = np.minimum(1.0, rule["probability"] * spec.transmission_factor * weight)
        kept = (source >= 0) & (target >= 0) & (hit > 0.0)
        same = (np.full(int(kept.sum()), rule[c]) for c in ("lag_days", "repeats", "stops"))
        layer = np.full(int(kept.sum()), rule["layer"], dtype=object)
        parts.append((source[kept], target[kept], layer, hit[kept], *same))
    return _ordered(parts, len(cells), spec.distribution)


def _ordered(parts: Sequence[tuple[NDArray[Any], ...]], n_cells: int, law: IncidentLaw) -> Links:
    """Put links in the order (source, target, layer)."""
    empty = tuple(np.zeros(0, dtype=kind) for kind in ("i8", "i8", "O", "f8", "f8", "?", "?"))
    joined = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
    source, target, layer, probability, lag, repeats, stops = joined
    order = np.lexsort((layer.astype(str), target, source))
    source = source[order]
    starts = np.searchsorted(source, np.arange(n_cells + 1))
    every = np.arange(len(source))
    return Links(
        source=source,
        target=target[order],
        layer=tuple(layer[order].tolist()),
        probability=probability[order],
        lag_days=lag[order],
        distribution=(law,) * len(source),
        repeats=repeats[order],
        stops=stops[order],
        out=tuple(every[a:b] for a, b in pairwise(starts)),
    )
