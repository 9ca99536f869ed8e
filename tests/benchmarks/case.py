"""What a benchmark is: two ways to do the same work, or one way to be kept within a limit.

Every comparison reads the same way round: ratio = cost of B / cost of A, taken pair by pair.
"""

from __future__ import annotations

import gc
import hashlib
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nts_sim.trace.model import Kind, Trace

Size = Literal["full", "quick"]
"""Quick: tiny, so that a test can show that a benchmark still runs."""


@dataclass(frozen=True)
class Sample:
    """One run of one side.

    Attributes
    ----------
    cost : in the unit of the case
    amount : work done (events, replications), so that doing less cannot look like speed
    output : what must be the same on both sides; None where only the amount can be compared
    remark : what else a reader would like to know
    """

    cost: float
    amount: int
    output: object = None
    remark: str = ""


Side = Callable[[int], Sample]
"""Runs round 0, 1, …; the same round of both sides has the same luck."""


def equal(a: Sample, b: Sample) -> bool:
    """Both did the same, exactly."""
    return a.amount > 0 and (a.amount, a.output) == (b.amount, b.output)


def about(share: float) -> Callable[[Sample, Sample], bool]:
    """Both did the same amount, to within a share of it; for sides with different luck."""
    return lambda a, b: a.amount > 0 and abs(a.amount - b.amount) <= share * b.amount


@dataclass(frozen=True)
class Sides:
    """What is run, once everything that is not measured has been made."""

    a: Side
    b: Side | None = None
    same: Callable[[Sample, Sample], bool] = equal


@dataclass(frozen=True)
class Case:
    """A benchmark with its target.

    Attributes
    ----------
    work : what is done, in words
    a, b : the two sides, in words; without b the cost of A itself has the target
    unit : of the cost
    target, sense : the median ratio B / A (or the median cost) is to be at least or at most that
    prepare : makes worlds and inputs, unmeasured
    amount : what the amount of work counts
    needs : modules without which the case cannot run
    """

    name: str
    work: str
    a: str
    b: str | None
    target: float
    sense: Literal["at least", "at most"]
    prepare: Callable[[Size], Sides]
    unit: str = "CPU s"
    amount: str = "events"
    needs: tuple[str, ...] = ()


def cpu_seconds() -> float:
    """CPU time of this process and of the children it has waited for, s."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(
    run: Callable[[int], object],
    amount: Callable[[object], int],
    output: Callable[[object], object] = lambda _result: None,
    clock: Callable[[], float] = cpu_seconds,
) -> Side:
    """Make a side that costs time; what `amount` and `output` read from a result is not timed."""

    def side(number: int) -> Sample:
        gc.collect()
        begin = clock()
        result = run(number)
        cost = clock() - begin
        return Sample(cost, amount(result), output(result))

    return side


def events(traces: Sequence[Trace]) -> int:
    """Count what happened to cells: onsets, hits of every outcome, changes of severity."""
    return sum(int((trace["kind"] <= Kind.SUSCEPTIBLE).sum()) for trace in traces)


def digest(traces: Sequence[Trace]) -> str:
    """Fingerprint of traces, to the byte."""
    return hashlib.sha256(b"".join(trace.tobytes() for trace in traces)).hexdigest()
