"""Compare policies on common luck: intervals, paired differences, rankings.

Replications with the same number share their luck, so policies are compared by differences within
replications. Intervals are Student's t at 95 %. Families of comparisons are kept honest by Holm's
step-down rule (Holm 1979): a difference counts as told apart where its adjusted p-value is below
5 %. Missing values (NaN) drop a replication from what needs it, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from nts_sim.world.model import Floats, Ints

LEVEL: Final = 0.05
MOST_REPLICATIONS: Final = 100_000
"""Estimates of "how many replications would tell" stop here: read it as "at least"."""
_SLACK: Final = 1e-12
"""Differences below this share of the values compared are rounding, not differences."""

BEST, TIED, BEHIND = "best", "tied with the best", "behind the best"


@dataclass(frozen=True, eq=False)
class Summary:
    """Means with 95 % intervals, one per column; arrays of the same length.

    `low` and `high` are NaN with fewer than two values, `mean` with none.
    """

    n: Ints
    mean: Floats
    low: Floats
    high: Floats
    deviation: Floats


def t_quantile(confidence: float, freedom: NDArray[np.floating]) -> Floats:
    """Student's t that a share `confidence` of the law lies below."""
    return np.asarray(special.stdtrit(np.maximum(freedom, 1.0), confidence), dtype=np.float64)


def summarise(values: Floats) -> Summary:
    """Mean and interval of each column.

    Parameters
    ----------
    values : float array [replication, column]; NaN where missing
    """
    present = ~np.isnan(values)
    n = present.sum(axis=0)
    filled = np.where(present, values, 0.0)
    mean = np.divide(filled.sum(axis=0), n, out=np.full(len(n), np.nan), where=n > 0)
    squares = np.where(present, (filled - mean) ** 2, 0.0).sum(axis=0)
    return summary_of(n, mean, squares)


def summary_of(n: Ints, mean: Floats, squares: Floats) -> Summary:
    """Intervals from counts, means and sums of squared deviations."""
    enough = n > 1
    variance = np.divide(squares, n - 1, out=np.full(len(n), np.nan), where=enough)
    deviation = np.sqrt(np.maximum(variance, 0.0))
    half = t_quantile(1.0 - LEVEL / 2.0, n - 1.0) * deviation / np.sqrt(np.maximum(n, 1))
    return Summary(n, mean, mean - half, mean + half, deviation)


def holm(p_values: Floats) -> Floats:
    """Holm-adjusted p-values of one family; NaN stays out of the family.

    The i-th smallest of m is multiplied by m − i + 1 and never falls below the one before it.
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


@dataclass(frozen=True, eq=False)
class Differences:
    """Paired differences of one policy to another, one per column."""

    summary: Summary
    p_value: Floats
    relative_pct: Floats


def paired(values: Floats, baseline: Floats) -> Differences:
    """Difference of each column to the baseline's, replication by replication.

    Parameters
    ----------
    values, baseline : float array [replication, column]; the same row has the same luck
    """
    scale = np.fmax(np.abs(values), np.abs(baseline))
    difference = values - baseline
    difference = np.where(np.abs(difference) <= _SLACK * scale, 0.0, difference)
    summary = summarise(difference)
    both = ~np.isnan(difference)
    base = summarise(np.where(both, baseline, np.nan)).mean
    relative = np.divide(
        100.0 * summary.mean, np.abs(base), out=np.full(len(base), np.nan), where=base != 0.0
    )
    return Differences(summary, _p_values(summary), relative)


def _p_values(summary: Summary) -> Floats:
    """Two-sided t-test of mean 0; 1 for no difference at all, NaN with fewer than two pairs."""
    error = summary.deviation / np.sqrt(np.maximum(summary.n, 1))
    size = np.abs(summary.mean)
    statistic = np.divide(size, error, out=np.full(len(size), np.inf), where=error > 0.0)
    tail = 2.0 * special.stdtr(np.maximum(summary.n - 1.0, 1.0), -statistic)
    p_value = np.where(size == 0.0, 1.0, tail)
    return np.where(summary.n > 1, p_value, np.nan)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Differences of one policy to the baseline; `separable` bool array [column], Holm-adjusted."""

    policy: str
    differences: Differences
    separable: NDArray[np.bool_]


def compare(values: Mapping[str, Floats], baseline: str) -> list[Comparison]:
    """Compare every policy with the baseline; the family is the policies compared on a column."""
    others = [policy for policy in values if policy != baseline]
    found = [paired(values[policy], values[baseline]) for policy in others]
    if not found:
        return []
    p_values = np.stack([differences.p_value for differences in found])
    adjusted = np.column_stack([holm(column) for column in p_values.T])
    return [
        Comparison(policy, differences, row < LEVEL)
        for policy, differences, row in zip(others, found, adjusted, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A policy's place in a ranking.

    `replications_to_tell` is how many in all would tell it from the next in rank; NaN where they
    are told apart already, are identical, or there is no next.
    """

    rank: int
    policy: str
    mean: float
    low: float
    high: float
    verdict: str
    replications_to_tell: float
    separable_from_next: bool


def rank(values: Mapping[str, Floats], *, lower_is_better: bool = True) -> list[Ranked]:
    """Order policies by mean and say which can be told apart.

    Parameters
    ----------
    values : policy → float array [replication]
    """
    names = list(values)
    table = np.column_stack([values[name] for name in names])
    summary = summarise(table)
    signed = summary.mean if lower_is_better else -summary.mean
    order = np.argsort(np.where(np.isnan(signed), np.inf, signed), kind="stable")
    table = table[:, order]
    next_told, wanted = _against_next(table)
    verdicts = _verdicts(table)
    return [
        Ranked(
            position + 1, names[column], float(summary.mean[column]), float(summary.low[column]),
            float(summary.high[column]), verdicts[position], wanted[position], next_told[position],
        )
        for position, column in enumerate(order)
    ]  # fmt: skip


def _against_next(table: Floats) -> tuple[list[bool], list[float]]:
    """Whether each column is told from the next, and the replications it would take."""
    found = paired(table[:, 1:], table[:, :-1])
    adjusted = holm(found.p_value)
    told = [bool(p < LEVEL) for p in adjusted] + [False]
    count = table.shape[1] - 1
    rows = zip(found.summary.mean, found.summary.deviation, told[:-1], strict=True)
    wanted = [
        float("nan") if is_told else replications_to_tell(mean, deviation, LEVEL / count)
        for mean, deviation, is_told in rows
    ]
    return told, [*wanted, float("nan")]


def _verdicts(table: Floats) -> list[str]:
    """Best, tied with the best, or behind it, for columns in order of rank."""
    found = paired(table[:, 1:], table[:, :1])
    behind = holm(found.p_value) < LEVEL
    first = BEST if behind.all() else TIED
    return [first, *(BEHIND if is_behind else TIED for is_behind in behind)]


def replications_to_tell(mean: float, deviation: float, level: float = LEVEL) -> float:
    """Replications after which a difference like this one would be told from 0.

    The smallest n with t(1 − level/2, n − 1) · deviation / √n ≤ |mean|, at most
    `MOST_REPLICATIONS`; NaN where no number would (no difference at all) or nothing is known.
    """
    if mean == 0.0 or not np.isfinite(mean) or not np.isfinite(deviation):
        return float("nan")
    few, many = 2, MOST_REPLICATIONS
    while few < many:
        middle = (few + many) // 2
        t = float(t_quantile(1.0 - level / 2.0, np.array([middle - 1.0]))[0])
        if middle >= (t * deviation / mean) ** 2:
            many = middle
        else:
            few = middle + 1
    return float(many)


@dataclass(frozen=True, slots=True)
class Weighted:
    """Ranking of total burden with harm counted `factor` times."""

    factor: float
    ranking: tuple[Ranked, ...]
    winner_changes: bool


HARM_FACTORS: Final = (0.5, 0.7, 1.0, 1.4, 2.0)


def sweep_harm_weight(
    harm: Mapping[str, Floats], cost: Mapping[str, Floats],
    factors: Sequence[float] = HARM_FACTORS,
) -> list[Weighted]:  # fmt: skip
    """Ask whether another policy wins when harm weighs more or less against cost.

    Policies keep the decisions they took at factor 1; only the accounting changes.
    """

    def ranking(factor: float) -> tuple[Ranked, ...]:
        return tuple(rank({policy: factor * harm[policy] + cost[policy] for policy in harm}))

    winner = ranking(1.0)[0].policy
    rankings = [(factor, ranking(factor)) for factor in factors]
    return [Weighted(factor, made, made[0].policy != winner) for factor, made in rankings]


def weighted_mean(values: Sequence[Floats], weights: Sequence[float]) -> Floats:
    """Weighted mean of scenarios, replication by replication (they share their luck).

    Parameters
    ----------
    values : one float array [replication, column] per scenario
    weights : sum to 1
    """
    return np.asarray(sum(w * v for w, v in zip(weights, values, strict=True)), dtype=np.float64)
