"""What a theory test finds: a measured number beside the one that theory expects.

A study makes findings from a seed and a number of replications; a subject is a study with its
number of replications, and `examine` says when it holds. The tests judge what `table` prints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from nts_sim.engine.session import EngineName, LocalSession
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.trace.model import Trace
from nts_sim.units import ticks
from nts_sim.world.model import Floats, World

ENGINES: tuple[EngineName, ...] = get_args(EngineName)
TOLERANCE = 4.0
"""Standard errors that a finding may be away from what is expected."""
SUSPICIOUS = 2.0
"""Standard errors beyond which a study is repeated on fresh seeds."""
FRESH_TIMES = 4
"""Times as many replications when repeated: a true bias of 2 SE stands out as one of 4."""
SEED, FRESH_SEED = 5, 1_000_005


@dataclass(frozen=True, slots=True)
class Finding:
    """One number measured, beside the one expected.

    Attributes
    ----------
    subject : what was measured, with its unit
    measured, expected, error : `error` is the standard error of the difference
    replications : independent ones (of a queue, batches) behind `measured`
    fresh : measured again on fresh seeds, because the first was suspicious
    """

    subject: str
    measured: float
    expected: float
    error: float
    replications: int
    fresh: bool = False

    @property
    def z(self) -> float:
        """Difference in standard errors."""
        difference = self.measured - self.expected
        if difference == 0.0:
            return 0.0
        return difference / self.error if self.error else math.copysign(math.inf, difference)


Study = Callable[[EngineName, int, int], Sequence[Finding]]
"""Findings of an engine, a seed and a number of replications."""


@dataclass(frozen=True)
class Subject:
    """A study and how many replications it takes to be worth reading."""

    name: str
    study: Study
    replications: int

    def __str__(self) -> str:
        return self.name


def examine(subject: Subject, engine: EngineName) -> list[Finding]:
    """Carry a study out; where |z| > 2, again on fresh seeds with four times the replications.

    A subject holds (`beyond` is empty) when every finding, first and fresh, is within 4 SE. A right
    engine cries wolf for 1 seed in 15 000 a finding, and a wrong one that is 2.5 SE off in the
    first try is 5 SE off in the second. Seeds are fixed, so a pass stays a pass.
    """
    first = list(subject.study(engine, SEED, subject.replications))
    suspects = {finding.subject for finding in first if abs(finding.z) > SUSPICIOUS}
    if not suspects:
        return first
    again = subject.study(engine, FRESH_SEED, FRESH_TIMES * subject.replications)
    return first + [replace(found, fresh=True) for found in again if found.subject in suspects]


def beyond(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that theory does not allow."""
    return [finding for finding in findings if not abs(finding.z) <= TOLERANCE]


def against_number(subject: str, values: Floats, expected: float) -> Finding:
    """Compare the mean of a sample with a number."""
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return Finding(subject, float(values.mean()), expected, error, len(values))


def against_sample(subject: str, ours: Floats, theirs: Floats) -> Finding:
    """Compare the means of two samples; theirs counts as expected."""
    error = math.sqrt(ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs))
    return Finding(subject, float(ours.mean()), float(theirs.mean()), error, len(ours))


def run_alone(world: World, luck: Luck, engine: EngineName) -> Trace:
    """Run one replication in which nobody orders anything."""
    session = LocalSession(world, luck, manages_returns=True, engine=engine)
    session.advance(ticks(world.horizon_days))
    return session.trace()


def replicate(
    world: World, engine: EngineName, seed: int, count: int,
    read: Callable[[Trace], float | Sequence[float] | Floats],
) -> Floats:  # fmt: skip
    """Read a number, or a row of them, from each of `count` replications without orders."""
    lucks = (Luck(seed, DrawSet.EVALUATION, replication) for replication in range(count))
    return np.array([read(run_alone(world, luck, engine)) for luck in lucks], dtype=np.float64)
