"""Add replications up one by one, so that memory does not grow with their number.

Tallies of consecutive replications merge (Chan, Golub & LeVeque 1983); merging in the order of
replications makes results independent of who computed which.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from nts_sim.outcomes.compare import Summary, summary_of
from nts_sim.outcomes.measures import Replication
from nts_sim.world.model import Floats, Ints


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean and sum of squared deviations of arrays, missing values left out."""

    n: Ints
    mean: Floats
    squares: Floats

    def summary(self) -> Summary:
        """Means with 95 % intervals, flattened."""
        mean = np.where(self.n > 0, self.mean, np.nan)
        return summary_of(self.n.ravel(), mean.ravel(), self.squares.ravel())


def moments(values: Floats) -> Moments:
    """Moments of one value each; NaN counts as missing."""
    known = ~np.isnan(values)
    return Moments(known.astype(np.int64), np.where(known, values, 0.0), np.zeros_like(values))


def merged_moments(a: Moments, b: Moments) -> Moments:
    """Moments of both together."""
    n = a.n + b.n
    share = np.divide(b.n, n, out=np.zeros_like(a.mean), where=n > 0)
    gap = b.mean - a.mean
    return Moments(n, a.mean + gap * share, a.squares + b.squares + gap * gap * a.n * share)


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over replications of one policy in one scenario.

    Attributes
    ----------
    count : int, replications
    places : Moments of [place, metric]
    map_days : float array [4, place, day], sums
    flow_slot : int array, flattened positions in [fund label, mechanism, resource, place]
    flow_units, flow_cost : float arrays, sums at those positions
    served_by : float array [mechanism, day], sums
    need : float array [day], sums of person-days in need
    required, held : float array [2, place, resource] and [place, resource], sums; see `Replication`
    met_days : Moments of [place, resource], of the replications in which the need is met
    needed : int array [place, resource], replications with such a need
    drawn : float array [fund label], sums of bn VND
    """

    count: int
    places: Moments
    map_days: Floats
    flow_slot: Ints
    flow_units: Floats
    flow_cost: Floats
    served_by: Floats
    need: Floats
    required: Floats
    held: Floats
    met_days: Moments
    needed: Ints
    drawn: Floats


def tally(replication: Replication) -> Tally:
    """Tally of one replication."""
    return Tally(
        1, moments(replication.places), replication.map_days, replication.flow_slot,
        replication.flow_units, replication.flow_cost, replication.served_by,
        replication.daily[1], replication.required, replication.held,
        moments(replication.met_day), replication.needed.astype(np.int64), replication.drawn,
    )  # fmt: skip


def merged(a: Tally, b: Tally) -> Tally:
    """Tally of both together."""
    slot = np.union1d(a.flow_slot, b.flow_slot)
    units, cost = np.zeros(len(slot)), np.zeros(len(slot))
    for part in (a, b):
        at = np.searchsorted(slot, part.flow_slot)
        units[at] += part.flow_units
        cost[at] += part.flow_cost
    return Tally(
        a.count + b.count, merged_moments(a.places, b.places), a.map_days + b.map_days, slot,
        units, cost, a.served_by + b.served_by, a.need + b.need,
        a.required + b.required, a.held + b.held,
        merged_moments(a.met_days, b.met_days), a.needed + b.needed, a.drawn + b.drawn,
    )  # fmt: skip


def merge_all(tallies: Iterable[Tally]) -> Tally | None:
    """Tally of all together, in the order given; None without any."""
    listed = list(tallies)
    return reduce(merged, listed) if listed else None
