"""Run cases, interleaved A B A B, and judge them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from tests.benchmarks.case import Case, Sample, Sides, Size

PAIRS = 5


class OutputsDiffer(AssertionError):
    """Two sides did not do the same work, so their costs say nothing."""


@dataclass(frozen=True)
class Finding:
    """What a case came to.

    Attributes
    ----------
    a, b : samples by round; `b` empty where there is one side
    trouble : why there is nothing to judge
    """

    case: Case
    a: Sequence[Sample] = ()
    b: Sequence[Sample] = ()
    trouble: str | None = None

    @property
    def values(self) -> list[float]:
        """What the target is about, by round: ratios B / A, or costs of the only side."""
        if self.case.b is None:
            return [sample.cost for sample in self.a]
        return [b.cost / a.cost for a, b in zip(self.a, self.b, strict=True)]

    @property
    def missed_by(self) -> float:
        """Share of the target by which the median misses it; at most 0 where it is met."""
        share = statistics.median(self.values) / self.case.target - 1.0
        return -share if self.case.sense == "at least" else share


def missing(case: Case) -> list[str]:
    """Modules that the case needs and that are not installed."""
    return [name for name in case.needs if find_spec(name) is None]


def measure(case: Case, size: Size = "full", pairs: int = PAIRS) -> Finding:
    """Run a case; round 0 warms both sides up and is not counted.

    Raises
    ------
    OutputsDiffer
        Where the sides of a pair did not do the same.
    """
    sides = case.prepare(size)
    rounds = [_pair(case, sides, number) for number in range(pairs + 1)][1:]
    return Finding(case, [a for a, _ in rounds], [b for _, b in rounds if b is not None])


def _pair(case: Case, sides: Sides, number: int) -> tuple[Sample, Sample | None]:
    a = sides.a(number)
    if sides.b is None:
        return a, None
    b = sides.b(number)
    if not sides.same(a, b):
        raise OutputsDiffer(
            f"{case.name}, round {number}: {_did(case.a, case, a)}, {_did(case.b or '', case, b)}"
        )
    return a, b


def _did(side: str, case: Case, sample: Sample) -> str:
    told = "" if sample.output is None else f" ({str(sample.output)[:80]})"
    return f"{side} did {sample.amount} {case.amount}{told}"
