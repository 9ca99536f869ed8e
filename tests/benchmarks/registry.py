"""Every benchmark there is, subject by subject."""

from __future__ import annotations

from tests.benchmarks import engines, naive, processes, scaling, spread, startup
from tests.benchmarks.case import Case

CASES: tuple[Case, ...] = (
    *spread.CASES,
    *engines.CASES,
    *naive.CASES,
    *startup.CASES,
    *scaling.CASES,
    *processes.CASES,
)
