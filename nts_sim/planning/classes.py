"""A few futures with their chances, in place of many: what a stochastic plan is made for.

Futures are put in the order of the harm that they bring without help, and cut into classes where
it saves most: so that the squared differences of harm within classes are least (natural breaks;
Fisher 1958). A rare severe future is far from the others and so gets a class of its own, with the
chance it has. A class is either averaged (`aggregated`) or stands behind one of its futures
(`stratified`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.planning.sampled import FUTURES, Incidents, incidents_of, shares
from nts_sim.world.model import Floats, Ints, World

DRAWN = 48
"""Futures drawn to be cut into classes."""


@dataclass(frozen=True, eq=False)
class Futures:
    """What may come.

    Attributes
    ----------
    path : float array [S, cell, 3, period], share of the period spent at each severity
    probability : float array [S]; sums to 1
    """

    path: Floats
    probability: Floats

    @property
    def mean(self) -> Floats:
        """Expected path, float array [cell, 3, period]."""
        return np.asarray(np.einsum("s,scvt->cvt", self.probability, self.path))


def one_mean(
    world: World, observation: Observation, edges_days: Floats, immune: Floats,
    n_futures: int = FUTURES,
) -> Futures:  # fmt: skip
    """Take the mean of sampled futures for certain; it is `sampled_path`."""
    found = incidents_of(world, observation, edges_days, immune, n_futures)
    return _weighted(found, np.ones((1, n_futures)))


def aggregated(
    world: World, observation: Observation, edges_days: Floats, immune: Floats,
    n_futures: int = DRAWN, n_classes: int = 3,
) -> Futures:  # fmt: skip
    """Average sampled futures within classes of like harm; their mean is the futures' own."""
    found = incidents_of(world, observation, edges_days, immune, n_futures)
    of = classes(harm_without_help(world, observation, edges_days, found), n_classes)
    return _weighted(found, np.eye(of.max() + 1)[:, of])


def stratified(
    world: World, observation: Observation, edges_days: Floats, immune: Floats,
    n_samples: int = 8, n_futures: int = DRAWN,
) -> Futures:  # fmt: skip
    """Let one future stand for each class of like harm: the one nearest to its class in harm."""
    found = incidents_of(world, observation, edges_days, immune, n_futures)
    harm = harm_without_help(world, observation, edges_days, found)
    of = classes(harm, n_samples)
    size = np.bincount(of)
    off = np.abs(harm - (np.bincount(of, harm) / size)[of])
    chosen = [int(np.where(of == k, off, np.inf).argmin()) for k in range(len(size))]
    return Futures(shares(found.paths(np.eye(n_futures)[chosen])), size / n_futures)


def _weighted(found: Incidents, members: Floats) -> Futures:
    """Average futures within groups: float array [S, future], 1 where a future is a member."""
    size = members.sum(axis=1, keepdims=True)
    return Futures(shares(found.paths(members / size)), size[:, 0] / found.n_futures)


def joined(parts: Sequence[tuple[float, Futures]]) -> Futures:
    """Join the futures of a scenario set's members, given the members' weights."""
    total = sum(weight for weight, _ in parts)
    return Futures(
        np.concatenate([futures.path for _, futures in parts]),
        np.concatenate([weight / total * futures.probability for weight, futures in parts]),
    )


def harm_without_help(
    world: World, observation: Observation, edges_days: Floats, found: Incidents
) -> Floats:
    """Harm that each future brings without help inside the horizon, float array [future], bn VND.

    The world's harm rates are for everybody exposed at a severity.
    """
    within = np.clip(world.horizon_days - observation.day - edges_days, 0.0, None)
    inside = -np.diff(within) / np.diff(edges_days)
    return found.amount(world.cells.harm_rate[:, None, :] * inside[:, None])


def classes(harm: Floats, n_classes: int) -> Ints:
    """Cut futures into classes of like harm; a later class is more harmful.

    Least squared differences within classes, by dynamic programming over the sorted futures. Ties
    go by the number of the future.

    Returns
    -------
    int array [future], class of each
    """
    order = np.argsort(harm, kind="stable")
    n = len(order)
    loss = _losses(harm[order] - harm.mean())
    best, cuts = loss[0], []
    for _ in range(min(n_classes, n) - 1):
        total = best[:, None] + loss
        cuts.append(total.argmin(axis=0))
        best = total.min(axis=0)
    ends = [n]
    for cut in reversed(cuts):
        ends.append(int(cut[ends[-1]]))
    of = np.empty(n, dtype=np.int64)
    of[order] = np.searchsorted(ends[::-1], np.arange(n), side="right")
    return of


def _losses(harm: Floats) -> Floats:
    """Squared differences from the mean within futures i … j − 1, [i, j]; inf where none."""
    first, second = (np.concatenate(([0.0], np.cumsum(harm**power))) for power in (1, 2))
    size = np.arange(len(first)) - np.arange(len(first))[:, None]
    total = first - first[:, None]
    loss = second - second[:, None] - total**2 / np.maximum(size, 1)
    return np.where(size > 0, np.maximum(loss, 0.0), np.inf)
