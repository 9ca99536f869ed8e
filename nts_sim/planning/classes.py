"""A few futures with their chances, in place of many: what a stochastic plan is made for.

Futures are put in the order of the harm that they bring without help, and cut into classes where
it saves most: so that the squared differences of harm within classes are least (natural breaks;
Fisher 1958). A rare severe future is far from the others and so gets a class of its own, with the
chance it has.

A class is averaged, with incidents followed in expectation from where and when they begin
(`aggregated`), or stands behind one of its futures, with courses drawn (`stratified`). Of a few
dozen futures, need at a place is known to a quarter only where courses are drawn, and to a
hundredth where they are followed; so samples are scaled until their mean is `sampled_path`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.planning.sampled import (
    FUTURES,
    Incidents,
    changes_of,
    drawn,
    followed,
    mean_of,
    sampled_path,
    shares,
)
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
        return _expectation(self.probability, self.path)


def one_mean(
    world: World, observation: Observation, edges_days: Floats, immune: Floats,
    n_futures: int = FUTURES,
) -> Futures:  # fmt: skip
    """Take the mean of sampled futures for certain; it is `sampled_path`."""
    path = sampled_path(world, observation, edges_days, immune, n_futures)
    return Futures(path[None], np.ones(1))


def aggregated(
    world: World, observation: Observation, edges_days: Floats, immune: Floats,
    n_futures: int = DRAWN, n_classes: int = 3,
) -> Futures:  # fmt: skip
    """Average sampled futures within classes of like harm.

    Incidents are followed in expectation from where and when they begin: a class of few futures
    with drawn courses made plans 1 to 4 % worse on planning draws, as it planned for accidents.
    """
    changes = changes_of(world, observation, edges_days, immune, n_futures)
    found = followed(world, observation, edges_days, changes)
    of = classes(harm_without_help(world, observation, edges_days, found), n_classes)
    size = np.bincount(of)
    paths = found.paths(np.eye(len(size))[:, of] / size[:, None])
    return Futures(shares(paths), size / n_futures)


def stratified(
    world: World, observation: Observation, edges_days: Floats, immune: Floats,
    n_samples: int = 8, n_futures: int = DRAWN,
) -> Futures:  # fmt: skip
    """Let one future stand for each class of like harm: the one nearest to its mean harm."""
    changes = changes_of(world, observation, edges_days, immune, n_futures)
    found = drawn(world, observation, edges_days, changes)
    harm = harm_without_help(world, observation, edges_days, found)
    of = classes(harm, n_samples)
    size = np.bincount(of)
    off = np.abs(harm - (np.bincount(of, harm) / size)[of])
    chosen = [int(np.where(of == k, off, np.inf).argmin()) for k in range(len(size))]
    mean = mean_of(followed(world, observation, edges_days, changes))
    paths = found.paths(np.eye(n_futures)[chosen])
    return Futures(matched(paths, size / n_futures, mean), size / n_futures)


def matched(paths: Floats, probability: Floats, mean: Floats) -> Floats:
    """Scale paths, cell by cell, so that their mean is the one given and shares stay shares.

    What a path that is full up cannot take goes to the others, by the room that they have left.

    Parameters
    ----------
    paths : float array [S, cell, 3, period]; probability : float array [S]
    mean : float array [cell, 3, period]; a cell's shares sum to at most 1
    """
    before = _expectation(probability, paths)
    scale = np.divide(mean, before, out=np.zeros_like(mean), where=before > 0.0)
    made = shares(paths * scale)
    left = np.maximum(mean - _expectation(probability, made), 0.0)
    room = np.maximum(1.0 - made.sum(axis=-2, keepdims=True), 0.0)
    share = np.maximum(_expectation(probability, room), left.sum(axis=-2, keepdims=True))
    return np.asarray(made + room * (left / np.maximum(share, 1e-300)))


def _expectation(probability: Floats, values: Floats) -> Floats:
    return np.asarray(np.tensordot(probability, values, axes=1))


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
