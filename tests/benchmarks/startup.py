"""From the start of a second process to its first result."""

from __future__ import annotations

import time

from tests.benchmarks.case import Case, Sides, Size, timed
from tests.benchmarks.runs import in_fresh_process


def _first_result(_size: Size) -> Sides:
    run = timed(
        lambda _number: in_fresh_process("first"),
        lambda sample: sample.amount,
        clock=time.perf_counter,
    )
    return Sides(run)


CASES = (
    Case(
        "first_result", "typhoon_north, current_practice, one replication",
        "a fresh process, from its start to its end", None, 1.5, "at most", _first_result,
        unit="s", amount="rows",
    ),
)  # fmt: skip
