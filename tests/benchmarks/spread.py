"""Epidemics on graphs against EoN, which is made for them and for nothing else.

The luck differs, so both sides do the same amount of work only on average; each case says within
what share of it the infections and recoveries of a pair must agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import networkx as nx
import numpy as np

from nts_sim.trace.model import Kind, Trace
from tests.benchmarks.case import Case, Sides, Size, about, timed
from tests.benchmarks.runs import replicate
from tests.theory.graphs import graph_world

_DEGREE = 6
_SIR = (0.3, 0.25, 60)
"""Infections a day and edge, recoveries a day, days: nearly all are reached, all recover."""
_SIS = (0.1, 0.25, 100)
_FIRST_INFECTED = 20


def _turns(traces: Sequence[Trace]) -> int:
    """Infections and recoveries after the start, which is what EoN counts."""
    return sum(int(np.isin(t["kind"], (Kind.SPREAD, Kind.FALL)).sum()) for t in traces)


def _sir(n_nodes: int, size: Size) -> Sides:
    from EoN import fast_SIR

    graph = nx.random_regular_graph(_DEGREE, n_nodes if size == "full" else 500, seed=1)
    infection, recovery, days = _SIR
    infected = range(_FIRST_INFECTED)
    world = graph_world(graph, infection, recovery, infected, days)

    def peer(number: int) -> Sequence[np.ndarray]:
        rng = np.random.default_rng(number)
        return fast_SIR(graph, infection, recovery, infected, tmax=days, rng=rng)

    # Nodes reached: SD of 0.6 % of their mean at 10 000 nodes; 5 % is beyond 5 SD of a difference.
    return Sides(
        timed(replicate(world, "compiled", 1), _turns),
        timed(peer, lambda found: len(found[0]) - 1),
        about(0.05 if size == "full" else 0.2),
    )


def _sis(size: Size) -> Sides:
    from EoN import fast_SIS

    graph = nx.random_regular_graph(_DEGREE, 54, seed=1)
    replications = 1000 if size == "full" else 20
    infection, recovery, days = _SIS
    infected = range(_FIRST_INFECTED)
    world = graph_world(graph, infection, recovery, infected, days, sis=True)

    def peer(number: int) -> int:
        rng = np.random.default_rng(number)
        runs = (
            fast_SIS(graph, infection, recovery, infected, tmax=days, rng=rng)
            for _ in range(replications)
        )
        return sum(len(found[0]) - 1 for found in runs)

    return Sides(
        timed(replicate(world, "compiled", replications), _turns),
        timed(peer, int),
        about(0.05 if size == "full" else 0.5),
    )


CASES = (
    *(
        Case(
            f"sir_{n}", f"SIR on a random graph of {n:,} nodes and degree {_DEGREE}, 60 days",
            "compiled, with trace", "EoN.fast_SIR", target, "at least", partial(_sir, n),
            amount="infections and recoveries", needs=("EoN",),
        )
        for n, target in ((10_000, 60.0), (100_000, 40.0))
    ),
    Case(
        "sis_54", f"SIS on a random graph of 54 nodes and degree {_DEGREE}, 100 days, "
        "1,000 replications",
        "compiled, with trace", "EoN.fast_SIS", 30.0, "at least", _sis,
        amount="infections and recoveries", needs=("EoN",),
    ),
)  # fmt: skip
