"""Epidemics on graphs: worlds whose spread is exactly SIR or SIS, and readers of their traces.

Every node of the graph is a place with one cell and no need of help, so nothing is shared between
nodes but the contacts. Nothing here is quadratic in the nodes: 100 000 of them take seconds.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from itertools import chain

import networkx as nx
import numpy as np

from nts_sim.testing import toy_resources, toy_roads, toy_threats, toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import ticks
from nts_sim.world.model import Cells, Distribution, Hazard, Inject, Ints, Links, Nodes, World

BEYOND_EVERY_HORIZON_DAYS = 1e15
"""Mean immunity of SIR: shorter than a horizon of 100 days for 1 cell in 10¹³."""


def graph_world(
    graph: nx.Graph, infection_rate: float, recovery_rate: float, infected: Iterable[Hashable],
    horizon_days: int, sis: bool = False,
) -> World:  # fmt: skip
    """Make a world whose spread is Markovian SIR, or SIS, on a graph.

    An infected node recovers at `recovery_rate` and infects each susceptible neighbour at
    `infection_rate`: stays and lags are exponential, and a hit in flight dies with its source. In
    SIR one hit an edge is enough, since the target is never susceptible again; in SIS the contacts
    of an infected node go on.

    Parameters
    ----------
    graph : undirected graph; node i of the world is the i-th node of its iteration order
    infection_rate, recovery_rate : a day (and edge)
    infected : nodes of the graph that are infected on day 0
    horizon_days : int
    sis : recovered nodes are susceptible at once; otherwise never again
    """
    n_nodes = graph.number_of_nodes()
    index = {node: i for i, node in enumerate(graph)}
    stay_days = (1.0 / recovery_rate,) * 3
    threats = toy_threats(
        stay_days=stay_days, distribution="exponential",
        immunity_days=0.0 if sis else BEYOND_EVERY_HORIZON_DAYS,
    )  # fmt: skip
    injects = tuple(Inject(index[node], 1, 0.0) for node in infected)
    empty = toy_world(stock=((),), is_team=(), requirement_per_100k=())
    return replace(
        empty, name="graph", horizon_days=horizon_days, epoch_days=(), threats=threats,
        nodes=_nodes(n_nodes), cells=_cells(n_nodes), roads=toy_roads(1),
        links=_contacts(graph, index, 1.0 / infection_rate, repeats=sis),
        resources=toy_resources(np.zeros((n_nodes, 0)).tolist(), ()),
        level_desks=np.zeros((n_nodes, 3), dtype=np.int64), mechanisms=(), funds=(),
        hazard=Hazard(injects, (), np.zeros(1), np.ones(1)),
    )  # fmt: skip


def _nodes(n: int) -> Nodes:
    """Make `n` places in which nobody lives."""
    return Nodes(
        code=tuple(f"n{i}" for i in range(n)), name=tuple(f"Node {i}" for i in range(n)),
        kind=np.zeros(n, dtype=np.int64), place=np.arange(n), n_places=n, n_provinces=n,
        population=np.zeros(n), latitude=np.zeros(n), longitude=np.zeros(n), region=("R",) * n,
    )  # fmt: skip


def _cells(n: int) -> Cells:
    """Make one cell a place, of the only threat, in need of nothing."""
    one_each = np.arange(n).reshape(n, 1)
    return Cells(
        node=np.arange(n), threat=np.zeros(n, dtype=np.int64), place=np.arange(n), of=one_each,
        exposed=np.zeros((n, 3)), requirement=np.zeros((n, 3, 0)), harm_rate=np.zeros((n, 3)),
        protection=np.ones(n), at_place=tuple(one_each),
    )  # fmt: skip


def _contacts(
    graph: nx.Graph, index: dict[Hashable, int], lag_days: float, *, repeats: bool
) -> Links:
    """Make the links of a graph, both ways, certain to succeed when they land in time."""
    ends = np.fromiter(map(index.__getitem__, chain.from_iterable(graph.edges())), dtype=np.int64)
    a, b = ends[0::2], ends[1::2]
    source, target = np.concatenate((a, b)), np.concatenate((b, a))
    order = np.lexsort((target, source))
    source, n_links = source[order], len(order)
    law: Distribution = "exponential"
    first = np.searchsorted(source, np.arange(1, len(index)))
    return Links(
        source=source, target=target[order], layer=("contact",) * n_links,
        probability=np.ones(n_links), lag_days=np.full(n_links, lag_days),
        distribution=(law,) * n_links, repeats=np.full(n_links, repeats),
        stops=np.ones(n_links, dtype=np.bool_), out=tuple(np.split(np.arange(n_links), first)),
    )  # fmt: skip


def cases_over_time(trace: Trace, at_days: Sequence[float]) -> Ints:
    """Count the active cells at each of some days, what happens at that instant included."""
    begun = trace["tick"][np.isin(trace["kind"], (Kind.ONSET, Kind.SPREAD))]
    over = trace["tick"][(trace["kind"] == Kind.FALL) & (trace["quantity"] == 0.0)]
    at = [ticks(day) for day in at_days]
    return np.searchsorted(begun, at, "right") - np.searchsorted(over, at, "right")


def final_size(trace: Trace) -> int:
    """Count the activations: in SIR, the nodes ever infected."""
    return int(np.isin(trace["kind"], (Kind.ONSET, Kind.SPREAD)).sum())
