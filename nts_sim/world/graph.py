"""The network as a `networkx` multigraph, for paths, connectivity and drawing."""

from __future__ import annotations

import networkx as nx
import numpy as np

from nts_sim.world.model import NodeKind, World


def to_networkx(world: World) -> nx.MultiDiGraph:
    """Return nodes, roads and spread links as a multigraph.

    Nodes carry name, kind, latitude and longitude (agencies those of their place). Edges have the
    layer as key: ``road`` with km between seats of government, and one per spread layer with the
    highest probability among the links of that layer between the two nodes.
    """
    nodes = world.nodes
    graph = nx.MultiDiGraph(name=world.name)
    for node, code in enumerate(nodes.code):
        place = int(nodes.place[node])
        graph.add_node(
            code, name=nodes.name[node], kind=NodeKind(int(nodes.kind[node])).name.lower(),
            latitude=float(nodes.latitude[place]), longitude=float(nodes.longitude[place]),
        )  # fmt: skip
    legs = world.roads.leg_km.tocoo()
    columns = (np.asarray(column).tolist() for column in (*legs.coords, legs.data))
    for source, target, km in zip(*columns, strict=True):
        graph.add_edge(nodes.code[source], nodes.code[target], key="road", km=km)
    _add_links(graph, world)
    return graph


def _add_links(graph: nx.MultiDiGraph, world: World) -> None:
    links, cells, code = world.links, world.cells, world.nodes.code
    ends = (cells.node[links.source].tolist(), cells.node[links.target].tolist())
    chances = links.probability.tolist()
    for source, target, layer, chance in zip(*ends, links.layer, chances, strict=True):
        known = graph.get_edge_data(code[source], code[target], key=layer)
        best = max(chance, known["probability"]) if known else chance
        graph.add_edge(code[source], code[target], key=layer, probability=best)


def road_pieces(world: World) -> list[list[str]]:
    """Return the provinces in each piece of the road network, the largest piece first."""
    codes = world.nodes.code[: world.nodes.n_provinces]
    joined = np.transpose(world.roads.leg_km.nonzero()).tolist()
    graph = nx.Graph()
    graph.add_nodes_from(codes)
    graph.add_edges_from((codes[a], codes[b]) for a, b in joined)
    return sorted((sorted(piece) for piece in nx.connected_components(graph)), key=len)[::-1]
