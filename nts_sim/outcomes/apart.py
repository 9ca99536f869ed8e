"""Told apart, however often one looked: differences declared while replications still come in.

A test at 5 % made again after each batch finds a difference sooner or later where there is none.
So the m-th look may err with probability α/(m(m + 1)) only, which sums to α over any number of
looks, and each of the pairs takes its part of that (Bonferroni), because which policy is chosen
depends on the outcomes. Whenever the selection stops, and whatever it chooses, policies of the
same law are told apart in at most 5 % of selections, as far as means are normal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from nts_sim.outcomes.compare import LEVEL
from nts_sim.world.model import Floats, Ints

_SLACK = 1e-12
"""Differences below this share of the values compared are rounding, not differences."""


def differences(values: Floats, chosen: Floats) -> Floats:
    """Values less those of the chosen, on the luck both had; float array [replication]."""
    n = min(len(values), len(chosen))
    made = values[:n] - chosen[:n]
    scale = np.fmax(np.abs(values[:n]), np.abs(chosen[:n]))
    return np.where(np.abs(made) <= _SLACK * scale, 0.0, made)


def told_apart(
    values: Sequence[Floats], looks: Ints, chosen: int, level: float = LEVEL
) -> list[bool]:
    """Say of each policy whether it was told apart from the chosen at any look.

    Parameters
    ----------
    values : of each policy, float array [replication]
    looks : int array [look, policy], replications there were of each
    chosen : number of the policy
    level : chance of telling any two of the same law apart
    """
    k, order = len(values), np.arange(1, len(looks) + 1)
    levels = level / (order * (order + 1)) / (k * (k - 1) / 2.0)
    return [
        bool((_p_values(differences(one, values[chosen]), n) < levels).any())
        for one, n in zip(values, np.minimum(looks, looks[:, [chosen]]).T, strict=True)
    ]


def _p_values(difference: Floats, counts: Ints) -> Floats:
    """Two-sided t-tests of mean 0 on the first so many differences; 1 for no difference at all.

    Sums are taken around the mean of the first look, so that little is lost to rounding.
    """
    centre = difference[: counts[0]].mean()
    moved = difference - centre
    last = counts - 1
    shift = np.cumsum(moved)[last] / counts
    squares = np.maximum(np.cumsum(moved**2)[last] - counts * shift**2, 0.0)
    error = np.sqrt(squares / np.maximum(counts - 1, 1) / counts)
    size = np.abs(centre + shift)
    statistic = np.divide(size, error, out=np.full(len(size), np.inf), where=error > 0.0)
    return np.where(size == 0.0, 1.0, 2.0 * special.stdtr(counts - 1.0, -statistic))
