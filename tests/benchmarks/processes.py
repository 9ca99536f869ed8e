"""What a second process brings, and what more replications cost in memory."""

from __future__ import annotations

import hashlib
import time

from nts_sim.study.runner import run_comparison
from nts_sim.study.tables import Results
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from tests.benchmarks.case import Case, Sides, Size, timed
from tests.benchmarks.runs import in_fresh_process
from tests.system.study import study

TIMES_MORE = 10


def compare(replications: int, workers: int) -> Results:
    """Run typhoon_north under current practice."""
    made = study(
        "scenario=typhoon_north", "policy=current_practice",
        f"replications={replications}", f"workers={workers}",
    )  # fmt: skip
    world = build_world(made, made.scenario, load_tables())
    return run_comparison(made, [(made.scenario.name, 1.0, world)])


def _replications(results: Results) -> int:
    return int(results.frames["summary"]["n"].max())


def _digest(results: Results) -> str:
    parts = (frame.to_csv(index=False) for _, frame in sorted(results.frames.items()))
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _two_processes(size: Size) -> Sides:
    replications = 2000 if size == "full" else 8

    def side(workers: int):
        return timed(
            lambda _number: compare(replications, workers), _replications, _digest,
            time.perf_counter,
        )  # fmt: skip

    return Sides(side(2), side(1))


def _more_replications(size: Size) -> Sides:
    few = 200 if size == "full" else 4
    return Sides(
        lambda _number: in_fresh_process("comparison", str(few)),
        lambda _number: in_fresh_process("comparison", str(few * TIMES_MORE)),
        same=lambda a, b: b.amount == TIMES_MORE * a.amount,
    )


CASES = (
    Case(
        "two_processes", "typhoon_north, current_practice, 2,000 replications with outcomes",
        "2 processes", "1 process", 1.8, "at least", _two_processes,
        unit="s", amount="replications",
    ),
    Case(
        "memory", "typhoon_north, current_practice, peak memory",
        "200 replications", "2,000 replications", 1.2, "at most", _more_replications,
        unit="GiB", amount="replications",
    ),
)  # fmt: skip
