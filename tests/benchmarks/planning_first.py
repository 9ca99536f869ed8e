"""Whole runs with plans in them: a plan of a scenario before it begins, and a comparison."""

from __future__ import annotations

import time

from nts_sim.planning.network import problem_of
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import plan_of_scenario
from nts_sim.planning.solve import Highs
from nts_sim.planning.template import template_of
from nts_sim.planning.whole import FirstPlan, first_plan
from nts_sim.policies.optimised import GAP
from nts_sim.study.runner import run_comparison
from nts_sim.study.tables import Results
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from tests.benchmarks.case import Case, Sides, Size, timed
from tests.benchmarks.planning_worlds import samples_of, storm
from tests.system.study import study

POLICIES = (
    "current_practice", "informed_practice", "do_nothing", "equal_share", "per_capita",
    "nearest_first", "greedy", "expected_value", "stochastic",
)  # fmt: skip


def _first_plan(size: Size) -> Sides:
    world = storm("preparation=standard")
    n_samples = 50 if size == "full" else 4

    def run(_number: int) -> FirstPlan:
        template_of.cache_clear()
        problem_of.cache_clear()
        problem = plan_of_scenario([(1.0, world, samples_of(world, n_samples))])
        made = first_plan(problem, Risk(), Highs(gap=GAP))
        assert made.plan.solution.gap <= GAP
        return made

    def n_planned(made: FirstPlan) -> int:
        return made.problem.filled.two_stage.n_samples

    return Sides(timed(run, n_planned, lambda made: made.plan.solution.objective))


def _comparison(size: Size) -> Sides:
    terms = () if size == "full" else ("replications=2",)
    made = study("experiment=typhoon_north", f"policy=[{','.join(POLICIES)}]", "workers=2", *terms)
    world = build_world(made, made.scenario, load_tables())

    def run(_number: int) -> Results:
        return run_comparison(made, [(made.scenario.name, 1.0, world)])

    def replications(results: Results) -> int:
        return int(results.frames["summary"]["n"].max())

    return Sides(timed(run, replications, clock=time.perf_counter))


CASES = (
    Case(
        "first_plan", "typhoon_north, standard preparation, 50 samples",
        "template, samples, fill, solve, whole units", None, 5.0, "at most", _first_plan,
        amount="samples",
    ),
    Case(
        "comparison", "typhoon_north as shipped, with stochastic, 200 replications, 2 processes",
        "compare", None, 60.0, "at most", _comparison, unit="s", amount="replications",
    ),
)  # fmt: skip
