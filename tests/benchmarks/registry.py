"""Every benchmark there is, subject by subject."""

from __future__ import annotations

from tests.benchmarks import (
    desk,
    engines,
    naive,
    planning_epochs,
    planning_first,
    planning_modellers,
    planning_stages,
    processes,
    scaling,
    spread,
    startup,
    sweeps,
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
    *planning_epochs.CASES,
    *planning_stages.CASES,
    *planning_modellers.CASES,
    *planning_first.CASES,
    *sweeps.CASES,
)
