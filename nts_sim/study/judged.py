"""A plan made and judged: rehearsed, explained, valued, and simulated on draws it never saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from nts_sim.planning.classes import Futures
from nts_sim.planning.explain import Shortage, shortages_of
from nts_sim.planning.marginal import LeadValue, MarginalMoney, lead_values, marginal_money
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import (
    HORIZON_DAYS,
    Members,
    Samples,
    ScenarioPlan,
    plan_of_scenario,
)
from nts_sim.planning.shapley import Contributions, contributions
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import solve_two_stage
from nts_sim.planning.value import (
    SaaGap,
    Stability,
    Worth,
    fresh_batches,
    saa_gap,
    solve_batches,
    stability,
    worth_of_planning,
)
from nts_sim.planning.variants import in_template, reduced
from nts_sim.planning.whole import FirstPlan, first_plan
from nts_sim.policies.optimised import GAP
from nts_sim.policies.planner import first_risk
from nts_sim.policies.registry import make_policy
from nts_sim.policies.settings import settings_of
from nts_sim.spec.models import PolicySpec, Study
from nts_sim.study.chunks import PolicySource
from nts_sim.study.rehearse import Rehearsal, rehearse
from nts_sim.study.runner import run_comparison
from nts_sim.study.stage import Stage
from nts_sim.words import say
from nts_sim.world.model import Floats, MoneySource, World

FRESH_SEEDS = 1_000_003
"""Added to the seed for the draws of batches, so that no plan was made for them."""
ORDERS = 24
"""Orders of mechanisms drawn where there are too many to take all."""
EXACT_PLAYERS = 6
"""Mechanisms up to which every order of them is taken."""

Told = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Judged:
    """A plan of a scenario or of a set, with what it is worth and how far to trust it.

    Attributes
    ----------
    members : (weight, world)
    rehearsal : rounds, and the plan chosen
    shortages : of the plan, the most harmful first
    worth, gap, stability : of the planning model
    money, days, shares : with futures averaged within a few classes
    simulated : tables of the chosen policy and the baseline on evaluation draws
    billion : what one billion would be spent on before day 0, where none is given
    billion_saves : bn VND that the plan would then cost less
    """

    members: tuple[tuple[float, World], ...]
    rehearsal: Rehearsal
    shortages: tuple[Shortage, ...]
    worth: Worth
    gap: SaaGap
    stability: Stability
    money: tuple[MarginalMoney, ...]
    days: tuple[LeadValue, ...]
    shares: Contributions
    simulated: Mapping[str, pd.DataFrame]
    billion: FirstPlan | None
    billion_saves: float

    @property
    def whole_horizon(self) -> bool:
        """Whether the plan looks as far ahead as is simulated: only then do they compare."""
        return max(world.horizon_days for _, world in self.members) <= HORIZON_DAYS


def judge(
    study: Study,
    name: str,
    worlds: Sequence[tuple[str, float, World]],
    shared: Sequence[tuple[float, World]],
    told: Told,
) -> Judged:
    """Make the plan of a planner and judge it.

    Parameters
    ----------
    name : of the planner
    worlds : (scenario, weight, world) to simulate
    shared : (weight, world) to plan for: worlds of a set that differ in their hazards only
    told : is told what is being done

    Raises
    ------
    NoAcceptableSolution
        Where no plan is known when time ends.
    """
    spec = study.plan
    rehearsal = rehearse(study, name, shared, n_draws=spec.draws, n_samples=spec.samples, told=told)
    first = rehearsal.first_plan
    settings = settings_of(name, study.policies.get(name, PolicySpec()))
    risk, highs = first_risk(settings), Highs(study.solver.time_limit_s, GAP)
    told(say("said.doing.shortages"))
    shortages = shortages_of(first.problem, first.divisible)
    told(say("said.doing.value"))
    worth = worth_of_planning(first.problem, first.divisible, highs)
    gap, stable = _on_fresh_draws(study, shared, rehearsal, risk, highs, told)
    simulated = _evaluated(study, worlds, rehearsal, told)
    detail, x = detailed(first.problem, spec.detail_samples, risk, highs)
    limit_s = study.solver.time_limit_s
    told(say("said.doing.funds"))
    money = marginal_money(detail, x, risk, limit_s)
    told(say("said.doing.leads"))
    days = lead_values(detail, x, risk, limit_s)
    told(say("said.doing.shares"))
    shares = contributions(
        detail, risk, limit_s, exact_players=EXACT_PLAYERS, orders=ORDERS, seed=study.seed
    )
    billion, saves = _with_a_billion(detail, shared, rehearsal, spec.detail_samples, risk, highs)
    return Judged(
        tuple(shared), rehearsal, shortages, worth, gap, stable, money, days, shares, simulated,
        billion, saves,
    )  # fmt: skip


def detailed(
    problem: ScenarioPlan, n_samples: int, risk: Risk, highs: Highs
) -> tuple[ScenarioPlan, Floats]:
    """Return the problem with few classes of futures, and its plan in template columns."""
    few = reduced(problem, n_samples)
    solution = solve_two_stage(few.filled.two_stage, risk, highs, start=few.filled.start)
    return few, in_template(few.filled, solution.x)


def _with_a_billion(
    detail: ScenarioPlan, shared: Sequence[tuple[float, World]], rehearsal: Rehearsal,
    n_samples: int, risk: Risk, highs: Highs,
) -> tuple[FirstPlan | None, float]:  # fmt: skip
    """Plan again with one billion to prepare with, where no money is given for it."""
    terms = shared[0][1].terms
    if terms.budget_bn_vnd > 0.0:
        return None, 0.0
    given = replace(terms, sources=(MoneySource("one_billion", 1.0),))
    richer = [
        (weight, replace(world, terms=given), samples)
        for (weight, world), samples in zip(shared, rehearsal.samples, strict=True)
    ]
    problem = plan_of_scenario(richer, detail.equity, detail.lever_factor)
    with_it = first_plan(reduced(problem, n_samples), risk, highs)
    without = solve_two_stage(detail.filled.two_stage, risk, highs, start=detail.filled.start)
    return with_it, without.objective - with_it.plan.solution.objective


def _on_fresh_draws(
    study: Study, shared: Sequence[tuple[float, World]], rehearsal: Rehearsal, risk: Risk,
    highs: Highs, told: Told,
) -> tuple[SaaGap, Stability]:  # fmt: skip
    """Solve the problem on fresh batches; the last one is the test of all plans."""
    told(say("said.doing.simulating_fresh"))
    first, start = rehearsal.first_plan, rehearsal.first_plan.problem.filled.start
    drawn = _fresh(study, shared, rehearsal)
    batches = fresh_batches(first.problem, first.divisible, drawn)
    told(say("said.doing.planning_fresh"))
    start = batches.filled.start
    solved = solve_batches(batches.problems.__getitem__, len(drawn) - 1, risk, highs, start)
    gap = saa_gap(solved, batches.x, highs, start)
    return gap, stability(first.problem, batches, solved, batches.problems[-1], highs)


def _fresh(
    study: Study, shared: Sequence[tuple[float, World]], rehearsal: Rehearsal
) -> list[Members]:
    """Draw needs as they are under the chosen policy, on draws no plan was made for."""
    n, each = study.plan.batches + 1, study.plan.batch_draws
    other = study.model_copy(update={"seed": (study.seed + FRESH_SEEDS) % 2**31})
    edges = rehearsal.first_plan.problem.template.sets.edges_days
    with Stage(other, shared, edges, n * each) as stage:
        seen = stage.simulate(rehearsal.policy)
    chance = np.full(each, 1.0 / each)
    numbers = np.arange(n * each).reshape(n, each)
    return [
        [
            (weight, world, Samples(Futures(path[at], chance), covered[at], at))
            for (weight, world), path, covered in zip(shared, seen.path, seen.covered, strict=True)
        ]
        for at in numbers
    ]


def _evaluated(
    study: Study, worlds: Sequence[tuple[str, float, World]], rehearsal: Rehearsal, told: Told
) -> Mapping[str, pd.DataFrame]:
    """Simulate the chosen policy and the baseline on evaluation draws."""
    n = study.plan.evaluation_draws
    base = study.baseline
    sources: dict[str, PolicySource] = {
        base: partial(make_policy, base, study.policies.get(base, PolicySpec()), study.solver),
        rehearsal.name: rehearsal.policy,
    }
    named = say("said.doing.and").join(sources)
    told(say("said.doing.judging", policies=named, draws=n))
    results = run_comparison(
        study.model_copy(update={"replications": n}), worlds, sources,
        progress=lambda done, total, failed: told(say("said.doing.runs", done=done, total=total)),
    )  # fmt: skip
    return results.frames
