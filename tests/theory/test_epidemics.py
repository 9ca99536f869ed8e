"""SIR and SIS on graphs, against EoN (Kiss, Miller & Simon 2017) and against their Markov chains.

Each comparison is of two independent samples of equal size, or of a sample and an exact mean, and
holds within 4 standard errors, repeated on fresh seeds where |z| > 2: see `findings.examine`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import EoN
import networkx as nx
import numpy as np
import pytest
from scipy.linalg import expm

from nts_sim.engine.session import EngineName
from nts_sim.trace.model import Kind, Trace
from nts_sim.world.model import Floats
from tests.engines.helpers import LUCK
from tests.theory.findings import (
    SEED,
    Finding,
    Subject,
    against_number,
    against_sample,
    beyond,
    examine,
    replicate,
    run_alone,
)
from tests.theory.graphs import cases_over_time, final_size, graph_world

RECOVERY_RATE = 1.0


@dataclass(frozen=True)
class Outbreak:
    """An epidemic on a graph, with the days on which the active are counted."""

    graph: nx.Graph
    infection_rate: float
    infected: tuple[int, ...]
    days: tuple[int, ...]
    horizon_days: int


def _hubs_and_leaves() -> nx.Graph:
    """Make a configuration-model graph: 30 nodes of degree 1, 15 of 3, 5 of 9, as simple graph."""
    graph = nx.Graph(nx.configuration_model([9] * 5 + [3] * 15 + [1] * 30, seed=3))
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


SIR = {
    "complete": Outbreak(nx.complete_graph(20), 0.09, (0,), (1, 3, 6), 30),
    "ring": Outbreak(nx.cycle_graph(60), 3.0, (0, 30), (1, 3, 6), 40),
    "path": Outbreak(nx.path_graph(40), 4.0, (0,), (1, 3, 6), 40),
    "Erdős-Rényi": Outbreak(nx.gnp_random_graph(60, 0.1, seed=2), 0.4, (0, 1), (1, 3, 6), 30),
    "star": Outbreak(nx.star_graph(40), 1.0, (1,), (1, 3, 6), 30),
    "configuration": Outbreak(_hubs_and_leaves(), 0.8, (0,), (1, 3, 6), 30),
}
SIS = {
    "complete": Outbreak(nx.complete_graph(20), 0.1, (0, 1), (1, 3, 8), 8),
    "ring": Outbreak(nx.cycle_graph(40), 1.5, (0, 20), (1, 3, 8), 8),
    "Erdős-Rényi": Outbreak(nx.gnp_random_graph(30, 0.15, seed=2), 0.4, (0, 1), (1, 3, 8), 8),
    "star": Outbreak(nx.star_graph(30), 0.4, (0,), (1, 3, 8), 8),
    "configuration": Outbreak(_hubs_and_leaves(), 0.5, (0,), (1, 3, 8), 8),
}


def ours(outbreak: Outbreak, sis: bool, engine: EngineName, seed: int, count: int) -> Floats:
    """Active nodes at each day, then infections by the horizon; array [replication, column]."""
    world = graph_world(
        outbreak.graph, outbreak.infection_rate, RECOVERY_RATE, outbreak.infected,
        outbreak.horizon_days, sis,
    )  # fmt: skip

    def read(trace: Trace) -> list[float]:
        return [*cases_over_time(trace, outbreak.days), final_size(trace)]

    return replicate(world, engine, seed, count, read)


@lru_cache
def theirs(name: str, sis: bool, seed: int, count: int) -> Floats:
    """Return the same columns from EoN's event-driven simulations."""
    outbreak = (SIS if sis else SIR)[name]
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (EoN draws from the global generators)
    simulate = EoN.fast_SIS if sis else EoN.fast_SIR
    rows = []
    for _ in range(count):
        time, _, active, *_ = simulate(
            outbreak.graph, outbreak.infection_rate, RECOVERY_RATE,
            initial_infecteds=outbreak.infected, tmax=outbreak.horizon_days,
        )  # fmt: skip
        at = np.searchsorted(time, outbreak.days, "right") - 1
        infections = len(outbreak.infected) + (np.diff(active) > 0).sum()
        rows.append([*active[at], infections])
    return np.array(rows, dtype=np.float64)


def columns(title: str, outbreak: Outbreak) -> Iterator[str]:
    """Name the columns of an outbreak."""
    yield from (f"{title}, active on day {day}" for day in outbreak.days)
    yield f"{title}, infections by day {outbreak.horizon_days}"


def against_eon(name: str, sis: bool, engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Prevalence at several days, and the final size (of SIS, infections by the horizon)."""
    outbreak = (SIS if sis else SIR)[name]
    titles = columns(f"{'SIS' if sis else 'SIR'} on {name} graph, EoN", outbreak)
    pairs = zip(ours(outbreak, sis, engine, seed, count).T, theirs(name, sis, seed, count).T,
                strict=True)  # fmt: skip
    return [against_sample(title, a, b) for title, (a, b) in zip(titles, pairs, strict=True)]


# --- exact: the number infected on a complete graph is a Markov chain -----------------------------


def _chain_mean(
    states: list[tuple[int, int]], moves: Callable[[int, int], Iterator[tuple[int, int, float]]],
    start: tuple[int, int], day: float,
) -> tuple[float, float]:  # fmt: skip
    """Mean of both coordinates at a day, by the exponential of the chain's generator."""
    index = {state: i for i, state in enumerate(states)}
    entries = [
        (index[to_a, to_b], index[a, b], rate)
        for a, b in states
        for to_a, to_b, rate in moves(a, b)
    ]
    to, origin, rate = zip(*entries, strict=True)
    generator = np.zeros((len(states), len(states)))
    generator[to, origin] = rate
    np.fill_diagonal(generator, -generator.sum(axis=0))
    first, second = expm(generator * day)[:, index[start]] @ np.array(states)
    return float(first), float(second)


@lru_cache
def sir_chain(n: int, infection_rate: float, infected: int, day: float) -> tuple[float, float]:
    """Mean (susceptible, active) of SIR on a complete graph of n nodes."""

    def moves(s: int, i: int) -> Iterator[tuple[int, int, float]]:
        if s and i:
            yield s - 1, i + 1, infection_rate * s * i
        if i:
            yield s, i - 1, RECOVERY_RATE * i

    states = [(s, i) for s in range(n + 1) for i in range(n + 1 - s)]
    return _chain_mean(states, moves, (n - infected, infected), day)


@lru_cache
def sis_chain(n: int, infection_rate: float, infected: int, day: float) -> tuple[float, float]:
    """Mean (susceptible, active) of SIS on a complete graph of n nodes."""

    def moves(s: int, i: int) -> Iterator[tuple[int, int, float]]:
        if s and i:
            yield s - 1, i + 1, infection_rate * s * i
        if i:
            yield s + 1, i - 1, RECOVERY_RATE * i

    return _chain_mean([(s, n - s) for s in range(n + 1)], moves, (n - infected, infected), day)


def against_chain(sis: bool, engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Mean prevalence on a complete graph is exact; in SIR, so is the mean final size."""
    outbreak = (SIS if sis else SIR)["complete"]
    n, infected = outbreak.graph.number_of_nodes(), len(outbreak.infected)
    chain = partial(sis_chain if sis else sir_chain, n, outbreak.infection_rate, infected)
    expected = [chain(float(day))[1] for day in outbreak.days]
    if not sis:
        expected.append(n - chain(float(outbreak.horizon_days))[0])
    titles = columns(f"{'SIS' if sis else 'SIR'} on complete graph, Markov chain", outbreak)
    values = ours(outbreak, sis, engine, seed, count).T
    return [against_number(*row) for row in zip(titles, values, expected, strict=False)]


SUBJECTS = (
    *(Subject(f"SIR {name}", partial(against_eon, name, False), 500) for name in SIR),
    *(Subject(f"SIS {name}", partial(against_eon, name, True), 300) for name in SIS),
    Subject("SIR exact", partial(against_chain, False), 500),
    Subject("SIS exact", partial(against_chain, True), 300),
)


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_epidemics_on_graphs(subject: Subject, engine: EngineName) -> None:
    """11 graphs, 44 comparisons with EoN and 7 with exact means, of 500 (SIR) or 300 (SIS)
    replications: all within 4 SE, first and fresh. All together cry wolf for 1 seed in 300."""
    assert not beyond(examine(subject, engine))


@pytest.mark.slow
def test_the_chain_would_notice_a_quarter_more_contacts() -> None:
    """Negative control: 500 replications against the chain of a rate 25 % higher."""
    outbreak = SIR["complete"]
    final = ours(outbreak, False, "simpy", SEED, 500)[:, -1]
    susceptible = sir_chain(20, 1.25 * outbreak.infection_rate, 1, 30.0)[0]
    assert beyond([against_number("final size", final, 20 - susceptible)])


@pytest.mark.slow
def test_eon_would_notice_hits_that_outlive_their_source() -> None:
    """Negative control: SIR on a ring whose hits in flight do not die with their source."""
    outbreak = SIR["ring"]
    world = graph_world(outbreak.graph, outbreak.infection_rate, RECOVERY_RATE, outbreak.infected,
                        outbreak.horizon_days)  # fmt: skip
    deathless = replace(world, links=replace(world.links, stops=~world.links.stops))
    sizes = replicate(deathless, "simpy", SEED, 100, final_size)
    assert beyond([against_sample("size", sizes, theirs("ring", False, SEED, 500)[:, -1])])


# --- by hand --------------------------------------------------------------------------------------


def test_nobody_is_infected_twice_in_sir(engine: EngineName) -> None:
    world = graph_world(nx.complete_graph(8), 3.0, 1.0, (0,), 30)
    trace = run_alone(world, LUCK, engine)
    begun = trace["node"][np.isin(trace["kind"], (Kind.ONSET, Kind.SPREAD))]
    assert len(np.unique(begun)) == len(begun) == final_size(trace)
    assert cases_over_time(trace, [30.0]).tolist() == [0]


def test_a_path_is_infected_in_order_when_nobody_recovers(engine: EngineName) -> None:
    """Nodes named by letters, the far end first hit: counts and directions read off the trace."""
    graph = nx.path_graph(list("dcba"))
    trace = run_alone(graph_world(graph, 5.0, 1e-9, ("a",), 30), LUCK, engine)
    begun = trace[np.isin(trace["kind"], (Kind.ONSET, Kind.SPREAD))]
    assert begun["node"].tolist() == [3, 2, 1, 0]
    assert cases_over_time(trace, [0.0, 30.0]).tolist() == [1, 4]


def test_a_graph_world_holds_nothing_quadratic() -> None:
    """2 000 nodes, 4 000 links: no array of the world is longer than 10 numbers a node."""
    world = graph_world(nx.cycle_graph(2_000), 1.0, 1.0, (0,), 10)
    parts = [vars(part) for part in vars(world).values() if hasattr(part, "__dict__")]
    sizes = [value.size for part in parts for value in part.values() if hasattr(value, "size")]
    assert len(sizes) > 20
    assert max(sizes) <= 10 * 2_000
