"""Every benchmark there is, subject by subject."""

from __future__ import annotations

from tests.benchmarks import (
    desk,
    engines,
    naive,
    processes,
    scaling,
    spread,
    startup,
    untraced,
)
from tests.benchmarks.case import Case

CASES: tuple[Case, ...] = (
    *spread.CASES,
    *desk.CASES,
    *engines.CASES,
    *naive.CASES,
    *startup.CASES,
    *scaling.CASES,
    *untraced.CASES,
    *processes.CASES,
)
