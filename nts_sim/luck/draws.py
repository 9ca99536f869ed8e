"""Keyed draws: luck as a pure function of what it concerns.

A draw is a function of (seed, set, replication, stream, entity, occurrence, step) and of nothing
else: the third flood in a province takes the same luck whatever happened elsewhere and whichever
policy is tried, so comparisons between policies are paired by construction. Plans are chosen on
the planning set and judged on the evaluation set, which share no draw.

The hash chains the finaliser of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators") over the fields of the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from nts_sim.luck.compiled import (
    draw,
    draws,
    standard_exponential,
    standard_exponentials,
    stream_hash,
)
from nts_sim.world.model import Distribution, Floats

_LN2 = float(np.log(2.0))
P90_IS_TWICE_MEDIAN = float(np.log(2.0) / ndtri(0.9))
"""Sigma of a lognormal law whose 90th percentile is twice its median."""


class DrawSet(IntEnum):
    """Which half of all luck a replication belongs to."""

    PLANNING = 0
    EVALUATION = 1


class Stream(IntEnum):
    """What a draw decides. Numbers are part of results: never renumber, only append."""

    INJECT = 1  # entity: cell · occurrence: which of its entries in the script
    EVENT_COUNT = 2  # entity: threat · occurrence: month
    EVENT = 3  # entity: threat · occurrence: event · step: day, first, size, severity
    ENTRY_MARK = 4  # entity: cell · occurrence: event
    STAY = 5  # entity: cell · occurrence: activation · step: change of severity
    ESCALATION = 6  # as STAY
    IMMUNITY = 7  # entity: cell · occurrence: activation
    LAG = 8  # entity: link · occurrence: activation of the source · step: repeat
    HIT = 9  # as LAG
    DETECTION = 10  # entity: cell · occurrence: activation
    APPROVAL = 11  # entity: desk, place and resource · occurrence: how many so far
    HANDOVER = 12  # entity: mechanism, place and resource · occurrence: how many so far
    FUTURE = 13  # entity: cell (occurrence 0: immune?) or link (occurrence 1: hit in flight?)
    ORDER = 14  # entity: mechanism, of random orders of mechanisms
    SHUFFLE = 15  # entity: box searched for · occurrence: cell of a sweep · step: shuffle


@dataclass(frozen=True, slots=True)
class Luck:
    """The luck of one replication.

    Parameters
    ----------
    seed : int
    draw_set : DrawSet
    replication : int
    """

    seed: int
    draw_set: DrawSet
    replication: int

    def uniform(
        self, stream: Stream, entity: ArrayLike, occurrence: ArrayLike = 0, step: ArrayLike = 0
    ) -> Floats:
        """Draw uniforms in (0, 1); the key's fields broadcast against each other.

        Returns
        -------
        float array of the broadcast shape
        """
        key = (np.asarray(field, dtype=np.uint64) for field in (entity, occurrence, step))
        return np.asarray(draws(np.uint64(self.stream(stream)), *key))

    def one(self, stream: Stream, entity: int, occurrence: int = 0, step: int = 0) -> float:
        """Draw the uniform in (0, 1) of one key; the same number as `uniform` gives."""
        return draw(self.stream(stream), entity, occurrence, step)

    def stream(self, stream: Stream) -> int:
        """Hash the fields of a key that all draws of a stream share."""
        return stream_hash(self.seed, int(self.draw_set), self.replication, int(stream))


def name_key(name: str) -> int:
    """Fold a name into the entity number its draws are keyed on.

    Keyed by name and not by index, so that a threat, place or resource added to the world changes
    nobody else's luck.
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


def durations(law: Distribution, typical: ArrayLike, uniform: ArrayLike) -> Floats:
    """Turn uniforms into durations, in the unit of `typical`.

    Parameters
    ----------
    law : fixed, exponential or lognormal
    typical : the value itself (fixed), the mean (exponential), the median (lognormal, with the
        90th percentile at twice the median)
    uniform : in (0, 1)
    """
    typical_array = np.asarray(typical, dtype=np.float64)
    u = np.asarray(uniform, dtype=np.float64)
    if law == "fixed":
        return np.broadcast_to(typical_array, np.broadcast_shapes(typical_array.shape, u.shape))
    if law == "exponential":
        return np.asarray(typical_array * standard_exponentials(u))
    return typical_array * np.exp(P90_IS_TWICE_MEDIAN * ndtri(u))


def duration(law: Distribution, typical: float, uniform: float) -> float:
    """Turn one uniform into a duration; the same number as `durations` gives."""
    if law == "fixed":
        return typical
    if law == "exponential":
        return typical * standard_exponential(uniform)
    return typical * float(np.exp(P90_IS_TWICE_MEDIAN * ndtri(uniform)))


def mean_from_median(law: Distribution, median: float) -> float:
    """Mean of a law with the given median (an exponential has mean = median / ln 2)."""
    if law == "fixed":
        return median
    if law == "exponential":
        return median / _LN2
    return median * float(np.exp(P90_IS_TWICE_MEDIAN**2 / 2.0))
