"""What an epoch costs on all 34 places, and what its warm start is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import highspy
import numpy as np

from nts_sim.decision.model import Observation, Order
from nts_sim.planning.filling import Filled
from nts_sim.planning.linear import LinearProgram
from nts_sim.planning.risk import Risk
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import solve_two_stage
from nts_sim.policies.optimised import GAP
from tests.benchmarks.case import Case, Sample, Side, Sides, Size, cpu_seconds, timed
from tests.benchmarks.planning_direct import handed_over, near
from tests.benchmarks.planning_worlds import epochs, observations, replay, storm

REPLICATIONS = 3


def _works(seen: Observation) -> bool:
    return bool(seen.severity.any() or seen.warnings)


def _decisions(name: str, size: Size) -> Sides:
    """Time a planner on what it saw in some replications; ms an epoch that had work."""
    world = storm()
    number = range(REPLICATIONS if size == "full" else 1)
    seen = [observations(world, name, n)[: None if size == "full" else 8] for n in number]
    n_epochs = sum(map(_works, (one for run in seen for one in run)))
    run = timed(lambda _number: [replay(world, name, one) for one in seen], _orders)
    return Sides(_per(run, n_epochs))


def _orders(runs: list[list[Sequence[Order]]]) -> int:
    return sum(len(orders) for run in runs for orders in run)


def _per(side: Side, n_epochs: int) -> Side:
    def scaled(number: int) -> Sample:
        sample = side(number)
        return replace(sample, cost=1e3 * sample.cost / n_epochs, remark=f"{n_epochs} epochs")

    return scaled


def closed_template(filled: Filled) -> LinearProgram:
    """Set an epoch's numbers of one sample in the whole template, closed columns included."""
    whole, part = filled.template.program, filled.two_stage.sample(0)
    cost, upper, lower = whole.cost.copy(), np.zeros(len(whole.cost)), np.zeros(len(whole.cost))
    cost[filled.columns], upper[filled.columns] = part.cost, part.upper
    row_lower = np.where(filled.rows, whole.row_lower, -np.inf)
    row_upper = np.where(filled.rows, whole.row_upper, np.inf)
    row_lower[filled.rows], row_upper[filled.rows] = part.row_lower, part.row_upper
    return whole.with_(
        cost=cost, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper,
        offset=part.offset,
    )  # fmt: skip


def _cold(program: LinearProgram) -> float:
    """Solve as HiGHS does by itself, without a basis."""
    highs = handed_over(program)
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(highs.getInfo().objective_function_value)


def _warm(filled: Filled, highs: Highs) -> float:
    solution = solve_two_stage(filled.two_stage, Risk(), highs, start=filled.start)
    return solution.objective


def _warm_against_cold(size: Size) -> Sides:
    made = epochs(storm(), "expected_value", 0).filled()
    chosen = [one for one in made if len(one.columns)][:: 3 if size == "full" else 12]
    whole, highs = [closed_template(one) for one in chosen], Highs(gap=GAP)
    for one in chosen:  # blocks are cut and the basis is laid once, as in an epoch
        assert one.start.columns.size == len(one.columns)

    def side(solve: Callable[[], list[float]]) -> Side:
        return timed(lambda _number: solve(), len, tuple, cpu_seconds)

    return Sides(
        side(lambda: [_warm(one, highs) for one in chosen]),
        side(lambda: [_cold(one) for one in whole]),
        same=near(1e-6),
    )


CASES = (
    *(
        Case(
            f"epoch_{short}", f"typhoon_north, an epoch from futures to orders; {told}",
            name, None, target, "at most", partial(_decisions, name), unit="ms", amount="orders",
        )
        for short, told, name, target in (
            ("mean_path", "the mean path", "expected_value_mean_path", 15.0),
            ("futures", "three futures", "stochastic", 30.0),
            ("k8", "8 samples", "stochastic_k8", 60.0),
        )
    ),
    Case(
        "warm_start", "typhoon_north, recorded epochs, one future",
        "the epoch's solve: closed columns left out, stored basis",
        "the whole template, no basis, HiGHS as it comes", 8.0, "at least", _warm_against_cold,
        amount="epochs",
    ),
)  # fmt: skip
