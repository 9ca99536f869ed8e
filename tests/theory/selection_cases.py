"""Selections of known answer: laws of policies, and many selections on fresh luck ("macro-runs").

Burdens are in units of the indifference, which is 1, except where a case says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nts_sim.outcomes.apart import told_apart
from nts_sim.outcomes.selection import (
    Effort,
    Indifference,
    Sample,
    Selection,
    Wanted,
    fixed,
    kn,
    ocba,
    share_of,
)
from nts_sim.world.model import Floats

CONFIDENCE = 0.95
BLOCK = 200
ONE = fixed(1.0)
Block = Callable[[np.random.Generator], Floats]
"""Draws `BLOCK` replications of every policy: float array [replication, policy]."""


@dataclass(frozen=True, eq=False)
class Case:
    """Policies whose means are known.

    Attributes
    ----------
    means : of each policy
    block : draws replications
    indifference : as the procedure is told it
    """

    name: str
    means: Floats
    block: Block
    indifference: Indifference = ONE

    def sample(self, seed: int) -> Sample:
        """Replications of one macro-run, the same whoever asks for them in what order."""
        rng, blocks = np.random.default_rng([*self.name.encode(), seed]), []

        def sample(asked: Sequence[Wanted]) -> list[Floats]:
            while len(blocks) * BLOCK < max(one.last for one in asked):
                blocks.append(self.block(rng))
            made = np.concatenate(blocks)
            return [made[one.first : one.last, one.policy] for one in asked]

        return sample

    def is_right(self, chosen: int) -> bool:
        """Whether the chosen is less than the indifference of 1 worse than the best."""
        return bool(self.means[chosen] < self.means.min() + 1.0 - 1e-9)


def normal(means: Floats, spread: float | Floats, correlation: float = 0.0) -> Block:
    """Normal burdens; of each policy the share `correlation` of the variance is common luck."""

    def block(rng: np.random.Generator) -> Floats:
        common = rng.normal(size=(BLOCK, 1)) * math.sqrt(correlation)
        own = rng.normal(size=(BLOCK, len(means))) * math.sqrt(1.0 - correlation)
        return means + spread * (common + own)

    return block


ARRIVALS, CUSTOMERS = 0.8, 40


def queues(waits: Floats, *, common: bool) -> Block:
    """Mean wait of 40 customers of a stationary M/M/1 queue: skewed, with a known mean.

    The first customer meets a queue in its steady state, W = 0 with probability 1 − ρ, else
    exponential at rate μ − λ, so every customer's mean wait is ρ/(μ − λ). With common luck all
    queues have the same customers.
    """
    # W = λ/(μ(μ − λ)) solved for μ
    rate = (ARRIVALS + np.sqrt(ARRIVALS**2 + 4.0 * ARRIVALS / waits)) / 2.0
    shape = (BLOCK, 1 if common else len(waits))

    def block(rng: np.random.Generator) -> Floats:
        load = ARRIVALS / rate
        u = rng.random(shape)
        wait = np.where(u < 1.0 - load, 0.0, -np.log((1.0 - u) / load) / (rate - ARRIVALS))
        total = wait.copy()
        for _ in range(CUSTOMERS - 1):
            work, gap = rng.exponential(size=(2, *shape))
            wait = np.maximum(0.0, wait + work / rate - gap / ARRIVALS)
            total += wait
        return total / CUSTOMERS

    return block


def _case(
    name: str, means: Sequence[float], spread: float | Sequence[float] = 4.0,
    correlation: float = 0.0, indifference: Indifference = ONE,
) -> Case:  # fmt: skip
    listed = np.array(means, dtype=float)
    return Case(name, listed, normal(listed, np.asarray(spread), correlation), indifference)


def slippage(k: int) -> list[float]:
    """One best, all others worse by just the indifference: the hardest case."""
    return [0.0, *[1.0] * (k - 1)]


WAITS = np.array([3.0, 4.0, 4.0, 4.0, 4.0])
CASES = (
    _case("slippage, 2 policies", slippage(2)),
    _case("slippage, 5 policies", slippage(5)),
    _case("slippage, 10 policies", slippage(10)),
    _case("slippage, 10 policies, common luck", slippage(10), correlation=0.8),
    _case("slippage, 5 policies, the best varies most", slippage(5), [8, 2, 2, 2, 2]),
    _case("slippage, 5 policies, the best varies least", slippage(5), [2, 4, 4, 8, 8]),
    _case("steps of 1, 10 policies", range(10)),
    _case("steps of 1, 10 policies, common luck", range(10), correlation=0.8),
    _case("steps of a half, 10 policies", np.arange(10) / 2.0),
    _case("steps of 0.9, 10 policies", np.arange(10) * 0.9),
    _case(
        "slippage around 100, 5 policies, indifference 1 % of the first 20",
        [100.0, *[101.0] * 4], 20.0, 0.98, share_of(0, 1.0),
    ),
    Case("waits in 5 queues, slippage", WAITS, queues(WAITS, common=False)),
    Case("waits in 5 queues, slippage, common luck", WAITS, queues(WAITS, common=True)),
)  # fmt: skip
ALIKE = (
    _case("2 policies of one law", [0.0] * 2),
    _case("5 policies of one law", [0.0] * 5),
    _case("5 policies of one law, common luck", [0.0] * 5, correlation=0.8),
    Case("5 queues of one law", np.full(5, 4.0), queues(np.full(5, 4.0), common=False)),
)
SPREAD = _case("steps of 1, 10 policies, spread 6", range(10), 6.0)
SPREAD_COMMON = _case("steps of 1, 10 policies, spread 12, common luck", range(10), 12.0, 0.8)

Procedure = Callable[[int, Sample, Indifference], Selection]


def by_kn(n_policies: int, sample: Sample, indifference: Indifference) -> Selection:
    """Run the sequential procedure as the command does, without a budget."""
    return kn(n_policies, sample, Effort(20, 8, 10**7), CONFIDENCE, indifference)


def by_first_look(n_policies: int, sample: Sample, indifference: Indifference) -> Selection:
    """Stop after the first stage: a procedure that must fail."""
    return kn(n_policies, sample, Effort(20, 8, 20 * n_policies), CONFIDENCE, indifference)


def by_ocba(budget: int) -> Procedure:
    """Spend a budget by ratios; every difference counts."""

    def procedure(n_policies: int, sample: Sample, _: Indifference) -> Selection:
        return ocba(n_policies, sample, Effort(20, 40, budget), fixed(1e-9))

    return procedure


def by_equal(budget: int) -> Procedure:
    """Spend a budget in equal parts and choose the best mean."""

    def procedure(n_policies: int, sample: Sample, _: Indifference) -> Selection:
        each = budget // n_policies
        values = tuple(sample([Wanted(p, 0, each) for p in range(n_policies)]))
        chosen = int(np.argmin([one.mean() for one in values]))
        return Selection(chosen, values, np.full((1, n_policies), each), 1.0, math.nan, "budget")

    return procedure


def macro_runs(case: Case, procedure: Procedure, runs: int) -> Iterator[Selection]:
    """Select again and again on fresh luck."""
    for seed in range(runs):
        yield procedure(len(case.means), case.sample(seed), case.indifference)


@dataclass(frozen=True, slots=True)
class Found:
    """What many selections came to.

    Attributes
    ----------
    right : share of macro-runs that chose rightly
    replications : mean, of all policies together
    share : of what as many of every policy as of the one with the most would be, mean
    runs : macro-runs
    """

    right: float
    replications: float
    share: float
    runs: int


def examine(case: Case, procedure: Procedure, runs: int) -> Found:
    """Select many times and count."""
    made = [
        (case.is_right(one.chosen), one.spent, one.spent / one.equal_share)
        for one in macro_runs(case, procedure, runs)
    ]
    right, spent, share = np.array(made, dtype=float).mean(axis=0)
    return Found(float(right), float(spent), float(share), runs)


def tolerance(share: float, runs: int) -> float:
    """Three standard errors of a share found in so many macro-runs."""
    return 3.0 * math.sqrt(share * (1.0 - share) / runs)


def told_apart_share(case: Case, runs: int, *, careful: bool = True) -> float:
    """Share of selections that tell any policy apart from the chosen, though all are of one law.

    Parameters
    ----------
    careful : as the command does; else by a test at 5 % after each batch, as one must not
    """
    found = 0
    for made in macro_runs(case, by_kn, runs):
        if careful:
            found += any(told_apart(made.values, made.looks, made.chosen))
        else:
            found += any(_carelessly(made, policy) for policy in range(len(case.means)))
    return found / runs


def _carelessly(made: Selection, policy: int) -> bool:
    if policy == made.chosen:
        return False
    counts = np.minimum(made.looks[:, policy], made.looks[:, made.chosen])
    both = [made.values[policy], made.values[made.chosen]]
    return any(stats.ttest_rel(both[0][:n], both[1][:n]).pvalue < 0.05 for n in set(counts))
