"""Spread, races and immunity against closed forms.

Statistical tests compare means with their closed form within Z = 4 standard errors (SE): each
comparison cries wolf for 1 seed in 16 000; seeds are fixed, so a pass stays a pass. Distribution
tests ask p > 1e-4. Incidents last for ever where the test is about arrival times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm

from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import toy_links, toy_threats, toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import World
from tests.engines.helpers import inject, only, open_session

Z = 4.0
FOR_EVER = (1e9,) * 3


def network(
    n: int, links: list[tuple[int, int, float, float]], *, horizon: int, stock: float = 0.0,
    repeats: bool = False, stops: bool = True, **threat: object,
) -> World:  # fmt: skip
    """Make `n` places, the first hit on day 0, with exponential lags."""
    made = toy_links(n, links, distribution="exponential", repeats=repeats, stops=stops)
    return toy_world(
        stock=((stock,),) * n, injects=[inject(0)], links=made, horizon_days=horizon,
        threats=toy_threats(**({"distribution": "exponential", "stay_days": FOR_EVER} | threat)),
    )  # fmt: skip


def replicate(
    world: World, count: int, read: Callable[[Trace], float | np.ndarray], seed: int = 5
) -> np.ndarray:
    """Read a number, or a row of them, from each of `count` replications without orders."""
    found = []
    for replication in range(count):
        session = open_session(world, Luck(seed, DrawSet.EVALUATION, replication))
        session.advance(ticks(world.horizon_days))
        found.append(read(session.trace()))
    return np.array(found)


def within(values: np.ndarray, mean: float) -> bool:
    """Whether a sample's mean is within Z standard errors of `mean`."""
    return bool(abs(values.mean() - mean) < Z * values.std(ddof=1) / np.sqrt(len(values)))


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


@pytest.mark.slow
def test_first_passage_on_a_path_is_a_sum_of_lags() -> None:
    """Five places in a row, lags of mean 1.5: Gamma(4, 1.5). 1 000 replications; mean, variance
    (SE of a Gamma's: √((μ4 − σ⁴)/n)) and Kolmogorov–Smirnov."""
    world = network(5, [(i, i + 1, 1.0, 1.5) for i in range(4)], horizon=60)
    days = replicate(world, 1_000, reached(4))
    law = stats.gamma(4, scale=1.5)
    assert within(days, 6.0)
    kurtosis = float(law.stats("k")) + 3.0
    error = law.var() * np.sqrt((kurtosis - 1.0) / len(days))
    assert abs(days.var(ddof=1) - law.var()) < Z * error
    assert stats.kstest(days, law.cdf).pvalue > 1e-4


@pytest.mark.slow
def test_everybody_is_reached_on_a_complete_graph_as_yule_has_it() -> None:
    """n = 6, lags of mean 2: with k reached the next comes at rate k (n − k) / 2. The k-th arrival
    has mean Σ 2 / (i (n − i)), the last one variance Σ (2 / (i (n − i)))². 800 replications."""
    n, lag = 6, 2.0
    links = [(a, b, 1.0, lag) for a in range(n) for b in range(n) if a != b]
    world = network(n, links, horizon=60)
    gaps = np.array([lag / (k * (n - k)) for k in range(1, n)])
    days = replicate(world, 800, lambda t: only(t, Kind.SPREAD)["tick"] / TICKS_PER_DAY)
    for k in range(1, n):
        assert within(days[:, k - 1], gaps[:k].sum()), k
    assert days[:, -1].std() == pytest.approx(np.sqrt((gaps**2).sum()), rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sigma", "stock", "protection", "chance"),
    [(0.0, 0.0, 1.0, 0.3), (0.0, 0.0, 0.5, 0.15), (0.8, 0.5, 1.0, 0.3 * 0.6), (1.0, 1.0, 1.0, 0.0)],
)
def test_one_generation_is_binomial(
    sigma: float, stock: float, protection: float, chance: float
) -> None:
    """A star of 8: p · (1 − σ · coverage) · protection each; one team is the whole need of the
    centre, so the stock is its coverage. 400 replications; mean, and χ² of the whole law."""
    world = network(9, [(0, i, 0.3, 1.0) for i in range(1, 9)], horizon=40, spread_reduction=sigma)
    first = np.array([[stock]] + [[0.0]] * 8)
    world = replace(
        world, cells=replace(world.cells, protection=np.full(9, protection)),
        resources=replace(world.resources, stock=first),
    )  # fmt: skip
    counts = replicate(world, 400, hits(Kind.SPREAD))
    assert replicate(world, 20, hits(Kind.SPREAD, Kind.MISSED)).tolist() == [8.0] * 20
    if chance == 0.0:
        assert counts.max() == 0.0
        return
    assert within(counts, 8 * chance)
    expected = stats.binom(8, chance).pmf(range(9)) * 400
    seen = np.bincount(counts.astype(int), minlength=9)
    kept = expected > 5
    seen, expected = (
        np.append(seen[kept], seen[~kept].sum()),
        np.append(expected[kept], expected[~kept].sum()),
    )
    assert stats.chisquare(seen, expected).pvalue > 1e-4


@pytest.mark.slow
def test_final_size_on_a_triangle() -> None:
    """Single-shot links, p = 0.4: P(1) = q², P(2) = 2 p q · q, else 3. 1 500 replications, χ²."""
    p, q = 0.4, 0.6
    links = [(a, b, p, 1.0) for a in range(3) for b in range(3) if a != b]
    counts = replicate(network(3, links, horizon=60), 1_500, hits(Kind.SPREAD))
    law = np.array([q * q, 2 * p * q * q, 1.0 - q * q - 2 * p * q * q])
    seen = np.bincount(counts.astype(int), minlength=3)
    assert stats.chisquare(seen, 1_500 * law).pvalue > 1e-4


@pytest.mark.slow
def test_extinction_of_a_branching_process() -> None:
    """A binary tree of six generations, p = 0.6: q₀ = 0, q ← (1 − p + p q)² for the chance that
    no node of the generation is reached. 600 replications, every generation within 4 SE."""
    p, depth = 0.6, 6
    n = 2 ** (depth + 1) - 1
    links = [(i, child, p, 1.0) for i in range(n // 2) for child in (2 * i + 1, 2 * i + 2)]
    world = network(n, links, horizon=70)

    def deepest(trace: Trace) -> float:
        nodes = only(trace, Kind.SPREAD)["node"]
        return float(np.floor(np.log2(nodes.max() + 1))) if len(nodes) else 0.0

    generations = replicate(world, 600, deepest)
    extinct = 0.0
    for generation in range(1, depth + 1):
        extinct = (1.0 - p + p * extinct) ** 2
        assert within((generations < generation).astype(float), extinct), generation


# --- races ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("gain", "stock"), [(0.0, 0.0), (1.0, 1.0), (2.0, 0.5)])
def test_a_hit_races_with_the_end_of_its_source(gain: float, stock: float) -> None:
    """Stay Exp(3) at speed 1 + κ c, lag Exp(2), and the link stops with its source: the hit wins
    with chance (1/2) / (1/2 + (1 + κ c)/3). 1 500 replications."""
    world = network(2, [(0, 1, 1.0, 2.0)], horizon=90, stay_days=(3.0,) * 3, containment_gain=gain)
    world = replace(world, resources=replace(world.resources, stock=np.array([[stock], [0.0]])))
    won = replicate(world, 1_500, hits(Kind.SPREAD))
    assert within(won, 0.5 / (0.5 + (1.0 + gain * stock) / 3.0))


def test_a_link_that_does_not_stop_always_hits() -> None:
    world = network(2, [(0, 1, 1.0, 2.0)], horizon=90, stops=False, stay_days=(0.5,) * 3)
    assert replicate(world, 50, hits(Kind.SPREAD)).tolist() == [1.0] * 50


@pytest.mark.slow
def test_a_link_that_repeats_hits_a_geometric_number_of_times() -> None:
    """Stay Exp(3), lag Exp(1), again after each hit: P(at least k hits) = (3/4)^k, mean 3.
    The target stays active, so all but the first are blocked. 1 500 replications."""
    world = network(2, [(0, 1, 1.0, 1.0)], horizon=200, repeats=True, stay_days=(3.0,) * 3)
    world = replace(world, threats=replace(world.threats, stay_days=np.array([[3.0] * 3])))
    counts = replicate(world, 1_500, hits(Kind.SPREAD, Kind.BLOCKED, Kind.MISSED))
    assert within(counts, 3.0)
    for k in (1, 2, 4, 8):
        assert within((counts >= k).astype(float), 0.75**k), k


@pytest.mark.slow
def test_escalation_races_with_containment() -> None:
    """Severity 1: up at rate (1 − c)/4, down at rate (1 + κ c)/3, c = 0.5, κ = 1: up first with
    chance 0.125 / (0.125 + 0.5) = 0.2. 1 500 replications."""
    world = network(
        1, [], horizon=80, stock=0.5, stay_days=(3.0,) * 3, containment_gain=1.0,
        escalation_days=(4.0, np.inf, np.inf),
    )  # fmt: skip
    first = replicate(
        world,
        1_500,
        lambda t: float(t[np.isin(t["kind"], (Kind.RISE, Kind.FALL))]["kind"][0] == Kind.RISE),
    )
    assert within(first, 0.2)


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
def test_immunity_on_two_nodes_is_its_markov_chain(day: float) -> None:
    """Contacts at rate 1, recovery at 1/2, loss of immunity at 1/1.5. 2 000 replications, χ² on
    the nine states (pooled where fewer than 5 are expected)."""
    world = network(
        2, [(0, 1, 1.0, 1.0), (1, 0, 1.0, 1.0)], horizon=8, repeats=True,
        stay_days=(2.0,) * 3, immunity_days=1.5,
    )  # fmt: skip
    law = two_node_law(1.0, 0.5, 1.0 / 1.5, day).ravel() * 2_000
    seen = np.bincount(replicate(world, 2_000, state_at(day)).astype(int), minlength=9)
    rare = law < 5.0
    seen = np.append(seen[~rare], seen[rare].sum())
    law = np.append(law[~rare], law[rare].sum())
    assert stats.chisquare(seen[law > 0], law[law > 0]).pvalue > 1e-4


def test_hits_on_immune_cells_are_blocked_until_the_period_ends() -> None:
    """Fixed: over on day 2, immune to day 5; onsets on days 1, 3 and 5 find it active, immune,
    and, since immunity ends after onsets of the same instant, still immune; day 6 succeeds."""
    world = toy_world(
        stock=((0.0,),), injects=[inject(0, 1, d) for d in (0.0, 1.0, 3.0, 5.0, 6.0)],
        threats=toy_threats(stay_days=(2.0,) * 3, immunity_days=3.0),
    )  # fmt: skip
    session = open_session(world)
    session.advance(ticks(7))
    trace = session.trace()
    told = trace[np.isin(trace["kind"], (Kind.ONSET, Kind.BLOCKED, Kind.FALL, Kind.SUSCEPTIBLE))]
    assert [(Kind(r["kind"]).name, r["tick"] / TICKS_PER_DAY) for r in told] == [
        ("ONSET", 0.0), ("BLOCKED", 1.0), ("FALL", 2.0), ("BLOCKED", 3.0), ("BLOCKED", 5.0),
        ("SUSCEPTIBLE", 5.0), ("ONSET", 6.0),
    ]  # fmt: skip
