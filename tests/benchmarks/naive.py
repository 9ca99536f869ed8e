"""Both engines against the SimPy a modeller would write first: a process per incident and link.

The naive model makes no decisions, so both sides carry out the same orders, those of
current_practice in a run that is not timed. The engines are handed them day by day through a
policy and decide again what each gets; the naive model is spared that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

import numpy as np

from nts_sim.decision.model import Order, Policy, Ruling
from nts_sim.engine.session import EngineName, simulate
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import days
from nts_sim.world.model import World
from tests.benchmarks.case import Case, Sides, Size, timed
from tests.benchmarks.measure import PAIRS
from tests.benchmarks.runs import luck
from tests.engines.helpers import scripted
from tests.engines.parity.naive import Incident, naive_run
from tests.engines.test_shipped_worlds import shipped


def _against_naive(engine: EngineName, size: Size) -> Sides:
    world, replications = shipped("typhoon_north"), 10 if size == "full" else 1
    practice = make_policy("current_practice", PolicySpec())
    numbers = range((PAIRS + 1) * replications)
    books = [simulate(world, practice, luck(k), engine="compiled").rulings for k in numbers]
    scripts = [_script(book) for book in books]

    def ours(number: int) -> list[Trace]:
        first = number * replications
        return [
            simulate(world, scripts[k], luck(k), engine).trace
            for k in range(first, first + replications)
        ]

    def naive(number: int) -> list[list[Incident]]:
        first = number * replications
        return [naive_run(world, luck(k), books[k]) for k in range(first, first + replications)]

    def read(traces: Sequence[Trace]) -> list[list[tuple[int, int, int]]]:
        return [_incidents(world, trace) for trace in traces]

    return Sides(
        timed(ours, lambda traces: sum(map(len, read(traces))), read),
        timed(naive, lambda logs: sum(map(len, logs)), _logged),
    )


def _script(book: Sequence[Ruling]) -> Policy:
    """Issue again what was ordered, returns by the shared rule included, on the same days."""
    plan: dict[float, list[Order]] = defaultdict(list)
    for ruling in book:
        plan[days(ruling.tick)].append(ruling.order)
    return scripted(plan)


def _incidents(world: World, trace: Trace) -> list[tuple[int, int, int]]:
    """(tick, kind, cell) of what happened to cells, in an order that both sides can agree on."""
    rows = trace[trace["kind"] <= Kind.SUSCEPTIBLE]
    cell = world.cells.of[rows["node"], rows["threat"]]
    found = np.stack([rows["tick"], rows["kind"], cell], axis=1).tolist()
    return sorted((tick, kind, where) for tick, kind, where in found)


def _logged(logs: Sequence[Sequence[Incident]]) -> list[list[tuple[int, int, int]]]:
    return [sorted((tick, int(kind), cell) for tick, kind, cell, _ in log) for log in logs]


CASES = tuple(
    Case(
        f"naive_{engine}", "typhoon_north, orders of current_practice, 10 replications",
        label, "naive SimPy", target, "at least", partial(_against_naive, engine),
    )
    for engine, label, target in (("compiled", "compiled", 40.0), ("simpy", "SimPy engine", 2.0))
)  # fmt: skip
