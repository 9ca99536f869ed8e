"""What is prepared before day 0, in whole units, and what rounding loses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nts_sim.decision.model import Preparation
from nts_sim.engine.prepared import preparation_problems
from nts_sim.planning.plan import Plan, read_plan, whole_units
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import ScenarioPlan
from nts_sim.planning.solve import Highs
from nts_sim.planning.stages import TwoStage, TwoStageSolution
from nts_sim.planning.twostage import solve_two_stage
from nts_sim.world.model import Floats, World

_DUST = 1e-6


@dataclass(frozen=True, eq=False)
class FirstPlan:
    """The plan of a scenario before it begins, as it can be carried out.

    Attributes
    ----------
    problem : ScenarioPlan
    divisible : TwoStageSolution, with units that can be divided
    plan : Plan, with what is prepared in whole units
    preparation : what is done before day 0; None: nothing may be done
    """

    problem: ScenarioPlan
    divisible: TwoStageSolution
    plan: Plan
    preparation: Preparation | None

    @property
    def rounding_loss_bn_vnd(self) -> float:
        """What whole units cost more."""
        return self.plan.solution.objective - self.divisible.objective


def first_plan(problem: ScenarioPlan, risk: Risk, highs: Highs, *, gap: float = 1e-3) -> FirstPlan:
    """Solve a scenario's problem and round what is prepared to whole units.

    Raises
    ------
    NoAcceptableSolution
        Where no plan is known when time ends.
    """
    filled = problem.filled
    solution = solve_two_stage(filled.two_stage, risk, highs, start=filled.start, gap=gap)
    plan = read_plan(filled, solution)
    if problem.template.problem.preparing is None:
        return FirstPlan(problem, solution, plan, None)
    bought, posted, preparation = _in_whole_units(problem.world, plan)
    fixed = _fixed(problem, plan, bought, posted)
    start = filled.start if solution.ended is None else solution.ended
    again = solve_two_stage(fixed, risk, highs, start=start, gap=gap)
    return FirstPlan(problem, solution, read_plan(filled, again), preparation)


def _in_whole_units(world: World, plan: Plan) -> tuple[Floats, Floats, Preparation]:
    """Round down and give back what was lost where terms allow; else round down alone."""
    repaired = _rounded(plan, repair=True)
    made = preparation_of_plan(world, plan, *repaired)
    if preparation_problems(world, made):
        repaired = _rounded(plan, repair=False)
        made = preparation_of_plan(world, plan, *repaired)
    return *repaired, made


def _rounded(plan: Plan, *, repair: bool) -> tuple[Floats, Floats]:
    """Bought [place, R] and posted [arc, R] in whole units, where resources come in them."""
    sets = plan.template.sets
    bought, posted = (np.where(x > _DUST, x, 0.0) for x in (plan.bought, plan.posted))
    resource = np.arange(len(sets.resource))
    by_place = sets.arc_to[:, None] * len(resource) + resource
    groups = (np.broadcast_to(resource, bought.shape), by_place)
    made = []
    for amount, group in zip((bought, posted), groups, strict=True):
        limit = np.ceil(amount) if repair else np.floor(amount + _DUST)
        whole = whole_units(amount.ravel(), group.ravel(), limit.ravel()).reshape(amount.shape)
        made.append(np.where(sets.whole, whole, amount))
    return made[0], made[1]


def preparation_of_plan(world: World, plan: Plan, bought: Floats, posted: Floats) -> Preparation:
    """Return what a plan prepares, with other units bought [place, R] and posted [arc, R]."""
    sets = plan.template.sets
    units = np.zeros_like(world.resources.stock)
    units[: sets.n_places, sets.resource] = bought
    at = np.argwhere(posted > 0.0).tolist()
    preparing = plan.template.problem.preparing
    assert preparing is not None
    return Preparation(
        bought=units,
        posted=tuple(
            (
                int(sets.arc_from[arc]), int(sets.arc_to[arc]), int(sets.resource[r]),
                float(posted[arc, r]),
            )
            for arc, r in at
        ),
        depots=frozenset(np.flatnonzero(plan.depots).tolist()),
        ready=frozenset(
            m for m, yes in zip(preparing.readiness, plan.ready.tolist(), strict=True) if yes
        ),
    )  # fmt: skip


def _fixed(problem: ScenarioPlan, plan: Plan, bought: Floats, posted: Floats) -> TwoStage:
    """Return the problem with what is prepared decided."""
    filled, columns = problem.filled, problem.template.columns.prepare
    width = len(problem.template.program.cost) + 1
    value = np.full(width, np.nan)
    decided = (
        (columns.buy, bought), (columns.post, posted), (columns.depot, plan.depots),
        (columns.ready, plan.ready),
    )  # fmt: skip
    for block, amounts in decided:
        there = block >= 0
        value[block[there]] = np.asarray(amounts, dtype=np.float64)[there]
    value = value[filled.columns]
    program = filled.two_stage.program
    lower = np.where(np.isnan(value), program.lower, value)
    upper = np.where(np.isnan(value), program.upper, value)
    return replace(filled.two_stage, program=program.with_(lower=lower, upper=upper))
