"""Spread, races and immunity against closed forms.

Means are compared with their closed form within 4 standard errors (SE), repeated on fresh seeds
where |z| > 2 (`findings.examine`): a comparison cries wolf for 1 seed in 15 000. Distribution tests
ask p > 1e-4. Seeds are fixed, so a pass stays a pass. Incidents last for ever where the test is
about arrival times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm
from scipy.optimize import brentq

from nts_sim.engine.session import EngineName
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import Link, toy_links, toy_threats, toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import World
from tests.engines.helpers import LUCK, inject, only
from tests.theory.findings import (
    SEED,
    Finding,
    Subject,
    against_number,
    beyond,
    examine,
    replicate,
    run_alone,
)

FOR_EVER = (1e9,) * 3


def network(
    n: int, links: list[Link], *, horizon: int, stock: float = 0.0,
    repeats: bool = False, stops: bool = True, **threat: object,
) -> World:  # fmt: skip
    """Make `n` places, the first hit on day 0, with exponential lags."""
    made = toy_links(n, links, distribution="exponential", repeats=repeats, stops=stops)
    return toy_world(
        stock=((stock,),) * n, injects=[inject(0)], links=made, horizon_days=horizon,
        threats=toy_threats(**({"distribution": "exponential", "stay_days": FOR_EVER} | threat)),
    )  # fmt: skip


def reached(node: int) -> Callable[[Trace], float]:
    """Day on which a node is first reached; NaN: never."""

    def read(trace: Trace) -> float:
        rows = only(trace, Kind.SPREAD, node=node)
        return float(rows["tick"][0]) / TICKS_PER_DAY if len(rows) else np.nan

    return read


def hits(*kinds: Kind) -> Callable[[Trace], float]:
    """Count rows of some kinds."""
    return lambda trace: float(np.isin(trace["kind"], kinds).sum())


# --- who is reached when --------------------------------------------------------------------------


def first_passage(engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Five places in a row, lags of mean 1.5: Gamma(4, 1.5); its mean and variance."""
    world = network(5, [(i, i + 1, 1.0, 1.5) for i in range(4)], horizon=60)
    days, law = replicate(world, engine, seed, count, reached(4)), stats.gamma(4, scale=1.5)
    return [
        against_number("First passage on a path, mean days", days, law.mean()),
        against_number("First passage on a path, variance", (days - law.mean()) ** 2, law.var()),
    ]


@pytest.mark.slow
def test_first_passage_on_a_path_is_a_sum_of_lags(engine: EngineName) -> None:
    """1 000 replications, Kolmogorov-Smirnov against Gamma(4, 1.5)."""
    world = network(5, [(i, i + 1, 1.0, 1.5) for i in range(4)], horizon=60)
    days = replicate(world, engine, SEED, 1_000, reached(4))
    assert stats.kstest(days, stats.gamma(4, scale=1.5).cdf).pvalue > 1e-4


def complete_graph(engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Nobody recovers, n = 6, lags of mean 2: with k reached the next comes at rate k (n - k) / 2.

    The k-th arrival has mean Σ 2 / (i (n - i)), the last one variance Σ (2 / (i (n - i)))².
    """
    n, lag = 6, 2.0
    links = [(a, b, 1.0, lag) for a in range(n) for b in range(n) if a != b]
    gaps = np.array([lag / (k * (n - k)) for k in range(1, n)])
    days = replicate(
        network(n, links, horizon=60), engine, seed, count,
        lambda trace: only(trace, Kind.SPREAD)["tick"] / TICKS_PER_DAY,
    )  # fmt: skip
    means = [
        against_number(f"Complete graph, day of arrival {k}", days[:, k - 1], gaps[:k].sum())
        for k in range(1, n)
    ]
    variance = (days[:, -1] - gaps.sum()) ** 2
    return [*means, against_number("Complete graph, variance", variance, (gaps**2).sum())]


STARS = (
    (0.0, 0.0, 1.0, 0.3), (0.0, 0.0, 0.5, 0.15), (0.8, 0.5, 1.0, 0.3 * 0.6), (1.0, 1.0, 1.0, 0.0),
)  # fmt: skip
"""Spread reduction, coverage of the centre, protection, chance of each hit."""


def star(sigma: float, stock: float, protection: float) -> World:
    """Make a centre with 8 leaves, p = 0.3; the stock is the centre's coverage."""
    world = network(9, [(0, i, 0.3, 1.0) for i in range(1, 9)], horizon=40, spread_reduction=sigma)
    first = np.array([[stock]] + [[0.0]] * 8)
    return replace(
        world, cells=replace(world.cells, protection=np.full(9, protection)),
        resources=replace(world.resources, stock=first),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("sigma", "stock", "protection", "chance"), STARS)
def test_one_generation_is_binomial(
    sigma: float, stock: float, protection: float, chance: float, engine: EngineName
) -> None:
    """A star of 8: p · (1 - σ · coverage) · protection each. 400 replications, χ² of the law."""
    world = star(sigma, stock, protection)
    landed = replicate(world, engine, SEED, 20, hits(Kind.SPREAD, Kind.MISSED))
    assert landed.tolist() == [8.0] * 20
    counts = replicate(world, engine, SEED, 400, hits(Kind.SPREAD))
    expected = stats.binom(8, chance).pmf(range(9)) * 400
    seen = np.bincount(counts.astype(int), minlength=9)
    assert not seen[expected == 0.0].any()
    if chance:
        kept = expected > 5
        seen = np.append(seen[kept], seen[~kept].sum())
        expected = np.append(expected[kept], expected[~kept].sum())
        assert stats.chisquare(seen, expected).pvalue > 1e-4


def one_generation(engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Mean of the binomials above."""
    return [
        against_number(
            f"Star, reduction {sigma}, coverage {stock}, protection {protection}: reached",
            replicate(star(sigma, stock, protection), engine, seed, count, hits(Kind.SPREAD)),
            8 * chance,
        )
        for sigma, stock, protection, chance in STARS
        if chance
    ]


@pytest.mark.slow
def test_final_size_on_a_triangle(engine: EngineName) -> None:
    """Single-shot links, p = 0.4: P(1) = q², P(2) = 2 p q · q, else 3. 1 500 replications, χ²."""
    p, q = 0.4, 0.6
    links = [(a, b, p, 1.0) for a in range(3) for b in range(3) if a != b]
    world = network(3, links, horizon=60)
    counts = replicate(world, engine, SEED, 1_500, hits(Kind.SPREAD))
    law = np.array([q * q, 2 * p * q * q, 1.0 - q * q - 2 * p * q * q])
    seen = np.bincount(counts.astype(int), minlength=3)
    assert stats.chisquare(seen, 1_500 * law).pvalue > 1e-4


# --- branching ------------------------------------------------------------------------------------


def extinction(title: str, sizes: np.ndarray, offspring: Callable[[float], float]) -> list[Finding]:
    """Compare sizes [replication, generation from 1] of a branching process with its law.

    Extinct by generation g: q ← f(q) from 0, f the offspring's generating function. Extinct in the
    end: with Z reached in the last generation the chance is q^Z, and its mean is the fixed point.
    """
    findings, extinct = [], 0.0
    for g, size in enumerate(sizes.T, start=1):
        extinct = offspring(extinct)
        subject = f"{title}, extinct by generation {g}"
        findings.append(against_number(subject, (size == 0).astype(float), extinct))
    fixed_point = float(brentq(lambda q: offspring(q) - q, 0.0, 1.0 - 1e-6))
    final = fixed_point ** sizes[:, -1]
    return [*findings, against_number(f"{title}, extinct in the end", final, fixed_point)]


def binary_tree(engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Two children, each reached with p = 0.6, five generations: f(q) = (1 - p + p q)²."""
    p, depth = 0.6, 5
    n = 2 ** (depth + 1) - 1
    links = [(i, child, p, 1.0) for i in range(n // 2) for child in (2 * i + 1, 2 * i + 2)]
    generation = np.floor(np.log2(np.arange(1, n + 1))).astype(int)
    sizes = replicate(
        network(n, links, horizon=30), engine, seed, count, reached_by_generation(generation, depth)
    )
    return extinction("Binary tree", sizes, lambda q: (1.0 - p + p * q) ** 2)


def reached_by_generation(generation: np.ndarray, depth: int) -> Callable[[Trace], np.ndarray]:
    """Count the nodes reached in generations 1 … depth."""

    def read(trace: Trace) -> np.ndarray:
        return np.bincount(generation[only(trace, Kind.SPREAD)["node"]], minlength=depth + 1)[1:]

    return read


def poisson_tree(engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Each node has Poisson(m / p) children, reached with p = 0.8: f(q) = exp(m (q - 1)), m = 1.5.

    A tree of its own for every replication.
    """
    mean, p, depth = 1.5, 0.8, 5
    sizes = []
    for replication in range(count):
        rng = np.random.default_rng((seed, replication))
        links, generation = random_tree(rng, mean / p, p, depth)
        world = network(len(generation), links, horizon=30)
        trace = run_alone(world, Luck(seed, DrawSet.EVALUATION, replication), engine)
        sizes.append(reached_by_generation(generation, depth)(trace))
    return extinction("Poisson tree", np.array(sizes), lambda q: float(np.exp(mean * (q - 1.0))))


def random_tree(
    rng: np.random.Generator, children: float, p: float, depth: int
) -> tuple[list[Link], np.ndarray]:
    """Grow a tree of Poisson offspring to a depth; return its links and each node's generation."""
    links: list[Link] = []
    generation, begin = [0], 0
    for g in range(1, depth + 1):
        parents = range(begin, len(generation))
        begin = len(generation)
        for parent in parents:
            for _ in range(rng.poisson(children)):
                links.append((parent, len(generation), p, 1.0))
                generation.append(g)
    return links, np.array(generation)


# --- races ----------------------------------------------------------------------------------------


def race(gain: float, stock: float, engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Stay Exp(3) at speed 1 + κ c, lag Exp(2), and the link stops with its source.

    The hit wins with chance (1/2) / (1/2 + (1 + κ c)/3).
    """
    world = network(2, [(0, 1, 1.0, 2.0)], horizon=90, stay_days=(3.0,) * 3, containment_gain=gain)
    world = replace(world, resources=replace(world.resources, stock=np.array([[stock], [0.0]])))
    won = replicate(world, engine, seed, count, hits(Kind.SPREAD))
    expected = 0.5 / (0.5 + (1.0 + gain * stock) / 3.0)
    return [against_number(f"Race, κ {gain}, coverage {stock}: hit first", won, expected)]


def test_a_link_that_does_not_stop_always_hits(engine: EngineName) -> None:
    world = network(2, [(0, 1, 1.0, 2.0)], horizon=90, stops=False, stay_days=(0.5,) * 3)
    assert replicate(world, engine, SEED, 50, hits(Kind.SPREAD)).tolist() == [1.0] * 50


def repeated_hits(engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Stay Exp(3), lag Exp(1), again after each hit: P(at least k hits) = (3/4)^k, mean 3.

    The target stays active, so all but the first are blocked.
    """
    world = network(2, [(0, 1, 1.0, 1.0)], horizon=200, repeats=True, stay_days=(3.0,) * 3)
    landed = hits(Kind.SPREAD, Kind.BLOCKED, Kind.MISSED)
    counts = replicate(world, engine, seed, count, landed)
    at_least = [
        against_number(f"Repeating link, {k} hits or more", (counts >= k).astype(float), 0.75**k)
        for k in (1, 2, 4, 8)
    ]
    return [against_number("Repeating link, hits", counts, 3.0), *at_least]


def rise_or_fall(engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Severity 1: up at rate (1 - c)/4, down at rate (1 + κ c)/3, c = 0.5, κ = 1.

    Up first with chance 0.125 / (0.125 + 0.5) = 0.2.
    """
    world = network(
        1, [], horizon=80, stock=0.5, stay_days=(3.0,) * 3, containment_gain=1.0,
        escalation_days=(4.0, np.inf, np.inf),
    )  # fmt: skip

    def read(trace: Trace) -> float:
        turns = trace["kind"][np.isin(trace["kind"], (Kind.RISE, Kind.FALL))]
        return float(turns[0] == Kind.RISE)

    return [against_number("Rise before fall", replicate(world, engine, seed, count, read), 0.2)]


SUBJECTS = (
    Subject("first passage", first_passage, 1_000),
    Subject("complete graph", complete_graph, 800),
    Subject("one generation", one_generation, 400),
    Subject("binary tree", binary_tree, 600),
    Subject("Poisson tree", poisson_tree, 400),
    *(
        Subject(f"race {gain}, {stock}", partial(race, gain, stock), 1_500)
        for gain, stock in ((0.0, 0.0), (1.0, 1.0), (2.0, 0.25))
    ),
    Subject("repeated hits", repeated_hits, 1_500),
    Subject("rise or fall", rise_or_fall, 1_500),
)


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_spread_follows_its_closed_form(subject: Subject, engine: EngineName) -> None:
    """32 numbers: within 4 SE, first and fresh. All together cry wolf for 1 seed in 450."""
    assert not beyond(examine(subject, engine))


@pytest.mark.slow
def test_a_race_would_notice_a_faster_rival() -> None:
    """Negative control: 1 500 races at κ c = 1 against the chance at κ c = 0.5."""
    found = race(1.0, 1.0, "simpy", SEED, 1_500)[0]
    assert beyond([replace(found, expected=0.5 / (0.5 + 1.5 / 3.0))])


# --- immunity -------------------------------------------------------------------------------------

S, I, R = range(3)  # noqa: E741


def two_node_law(contact: float, recovery: float, loss: float, t: float) -> np.ndarray:
    """Law of SIRS on two nodes at time t from (I, S), by the exponential of its 9 × 9 generator."""
    generator = np.zeros((9, 9))

    def rate(a: int, b: int, to: tuple[int, int], value: float) -> None:
        generator[3 * a + b, 3 * to[0] + to[1]] += value

    for a in (S, I, R):
        for b in (S, I, R):
            if a == I:
                rate(a, b, (R, b), recovery)
            if b == I:
                rate(a, b, (a, R), recovery)
            if a == R:
                rate(a, b, (S, b), loss)
            if b == R:
                rate(a, b, (a, S), loss)
            if (a, b) in ((I, S), (S, I)):
                rate(a, b, (I, I), contact)
    np.fill_diagonal(generator, generator.diagonal() - generator.sum(axis=1))
    return expm(generator * t)[3 * I + S].reshape(3, 3)


def state_at(day: float) -> Callable[[Trace], float]:
    """State of two nodes at a day, read from the rows: 3 × first + second."""

    def read(trace: Trace) -> float:
        state = [S, S]
        for row in trace[trace["tick"] <= ticks(day)]:
            kind, node = Kind(row["kind"]), int(row["node"])
            if kind in (Kind.ONSET, Kind.SPREAD):
                state[node] = I
            elif kind is Kind.FALL:
                state[node] = R
            elif kind is Kind.SUSCEPTIBLE:
                state[node] = S
        return float(3 * state[0] + state[1])

    return read


@pytest.mark.slow
@pytest.mark.parametrize("day", [1.0, 3.0, 7.0])
def test_immunity_on_two_nodes_is_its_markov_chain(day: float, engine: EngineName) -> None:
    """Contacts at rate 1, recovery at 1/2, loss of immunity at 1/1.5. 2 000 replications, χ² on
    the nine states (pooled where fewer than 5 are expected)."""
    world = network(
        2, [(0, 1, 1.0, 1.0), (1, 0, 1.0, 1.0)], horizon=8, repeats=True,
        stay_days=(2.0,) * 3, immunity_days=1.5,
    )  # fmt: skip
    law = two_node_law(1.0, 0.5, 1.0 / 1.5, day).ravel() * 2_000
    states = replicate(world, engine, SEED, 2_000, state_at(day))
    seen = np.bincount(states.astype(int), minlength=9)
    rare = law < 5.0
    seen = np.append(seen[~rare], seen[rare].sum())
    law = np.append(law[~rare], law[rare].sum())
    assert stats.chisquare(seen[law > 0], law[law > 0]).pvalue > 1e-4


def test_hits_on_immune_cells_are_blocked_until_the_period_ends(engine: EngineName) -> None:
    """Fixed: over on day 2, immune to day 5; onsets on days 1, 3 and 5 find it active, immune,
    and, since immunity ends after onsets of the same instant, still immune; day 6 succeeds."""
    world = toy_world(
        stock=((0.0,),), injects=[inject(0, 1, d) for d in (0.0, 1.0, 3.0, 5.0, 6.0)],
        threats=toy_threats(stay_days=(2.0,) * 3, immunity_days=3.0), horizon_days=7,
    )  # fmt: skip
    trace = run_alone(world, LUCK, engine)
    told = trace[np.isin(trace["kind"], (Kind.ONSET, Kind.BLOCKED, Kind.FALL, Kind.SUSCEPTIBLE))]
    assert [(Kind(r["kind"]).name, r["tick"] / TICKS_PER_DAY) for r in told] == [
        ("ONSET", 0.0), ("BLOCKED", 1.0), ("FALL", 2.0), ("BLOCKED", 3.0), ("BLOCKED", 5.0),
        ("SUSCEPTIBLE", 5.0), ("ONSET", 6.0),
    ]  # fmt: skip
