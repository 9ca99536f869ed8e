"""Simulate → plan → simulate, on planning draws, until the plan settles.

Each round simulates the candidate, takes the needs it met and the value of later harm averted from
those simulations, and plans again: what to prepare, and what help is worth. The plan that does best
*in simulation* is kept, a rule too if none does better: rounds may cycle, so at most `ROUNDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from nts_sim.decision.model import Preparation
from nts_sim.engine.prepared import prepared
from nts_sim.planning.levers import averted_later, relieved_by_cover
from nts_sim.planning.scenario import (
    Samples,
    day_zero,
    plan_of_scenario,
    scenario_template,
    stand_ins,
)
from nts_sim.planning.solve import Highs
from nts_sim.planning.whole import FirstPlan, first_plan
from nts_sim.policies.optimised import GAP, planned
from nts_sim.policies.planner import first_risk
from nts_sim.policies.registry import RULE_NAMES, make_policy
from nts_sim.policies.settings import settings_of
from nts_sim.spec.models import PolicySpec, Study
from nts_sim.study.chunks import PolicySource
from nts_sim.study.stage import Simulated, Stage
from nts_sim.words import say
from nts_sim.world.model import Floats, PreparationTerms, World

ROUNDS = 5
SETTLED = 0.1
"""Rounds end when what later harm is worth moves by less than this share of it."""
_MATERIAL = 0.01
"""Later harm averted is looked at where it is at least this share of harm."""


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """What the rounds came to.

    Attributes
    ----------
    path : DataFrame, one row a candidate: round, candidate, lever_factor, serve_targets,
        promised_bn_vnd, simulated_bn_vnd, half_width_bn_vnd, chosen
    first_plan : of the chosen candidate (of the last round where a rule is chosen)
    samples : of each member, what that plan was made for
    policy : how to make the chosen policy
    name : of the chosen policy
    promised_bn_vnd, simulated_bn_vnd : harm and cost, by the plan and on planning draws
    """

    path: pd.DataFrame
    first_plan: FirstPlan
    samples: tuple[Samples, ...]
    policy: PolicySource
    name: str
    promised_bn_vnd: float
    simulated_bn_vnd: float


@dataclass(frozen=True, eq=False)
class _Row:
    """A candidate, simulated after doing its `preparation`; the `plan` is made from what it met.

    A rule has no plan.
    """

    number: int
    name: str
    make: PolicySource
    simulated: Simulated
    lever_factor: float = 1.0
    serve_targets: bool = False
    preparation: Preparation | None = None
    plan: FirstPlan | None = None
    samples: tuple[Samples, ...] = ()

    @property
    def promised(self) -> float:
        """Expected harm and cost by the plan; not known of a rule."""
        if self.plan is None:
            return float("nan")
        solution, chance = self.plan.plan.solution, self.plan.problem.numbers.need.probability
        return float(chance @ solution.sample_cost)

    def told(self, chosen: bool) -> dict[str, object]:
        """Tell the row of the table."""
        return {
            "round": self.number,
            "candidate": self.name,
            "lever_factor": self.lever_factor,
            "serve_targets": self.serve_targets,
            "promised_bn_vnd": self.promised,
            "simulated_bn_vnd": self.simulated.mean,
            "half_width_bn_vnd": self.simulated.half_width,
            "chosen": chosen,
        }


def rehearse(
    study: Study,
    name: str,
    members: Sequence[tuple[float, World]],
    *,
    n_draws: int = 24,
    n_samples: int = 12,
    told: Callable[[str], None] = lambda _: None,
) -> Rehearsal:
    """Let a planner and its plans settle; see the module.

    Parameters
    ----------
    name : of a planner
    members : (weight, world) of a scenario, or of each member of a set; worlds not prepared
    n_draws : planning draws simulated in each round
    n_samples : samples of need that stand for them in the plan
    told : is told what is being done

    Raises
    ------
    NoAcceptableSolution
        Where no plan is known when time ends.
    """
    edges = scenario_template(members[0][1]).sets.edges_days
    with Stage(study, members, edges, n_draws) as stage:
        rounds = list(_rounds(stage, name, n_samples, told))
        finalists = [*rounds, *_others(stage, name, rounds, told)]
        best = min(finalists, key=lambda row: row.simulated.mean)
        planner = _as_done(stage, name, best if best.plan is not None else rounds[-1])
    assert planner.plan is not None
    return Rehearsal(
        path=pd.DataFrame([row.told(row is best) for row in finalists]),
        first_plan=planner.plan,
        samples=planner.samples,
        policy=best.make,
        name=best.name,
        promised_bn_vnd=planner.promised,
        simulated_bn_vnd=planner.simulated.mean,
    )


def _rounds(stage: Stage, name: str, n_samples: int, told: Callable[[str], None]) -> Iterator[_Row]:
    """Simulate, plan, and take what was found into the next round."""
    lever_factor, preparation = 1.0, None
    for number in range(1, ROUNDS + 1):
        draws = stage.n_draws
        told(say("said.doing.round", round=number, candidate=name, draws=draws))
        make = _planner(stage.study, name, preparation, lever_factor, serve_targets=False)
        simulated = stage.simulate(make)
        found = _lever_factor(stage, make, simulated, lever_factor)
        samples = tuple(
            stand_ins(path, covered, stage.edges_days, world, n_samples)
            for path, covered, (_, world) in zip(
                simulated.path, simulated.covered, stage.members, strict=True
            )
        )
        plan = _plan(stage, name, samples, found)
        yield _Row(number, name, make, simulated, lever_factor, False, preparation, plan, samples)
        moved = abs(found - lever_factor) > SETTLED * max(lever_factor, SETTLED)
        if not moved and _same(preparation, plan.preparation):
            return
        lever_factor, preparation = found, plan.preparation


def _others(
    stage: Stage, name: str, rounds: Sequence[_Row], told: Callable[[str], None]
) -> Iterator[_Row]:
    """Simulate the best planner with targets for each place, and every rule."""
    best = min(rounds, key=lambda row: row.simulated.mean)
    told(say("said.doing.rehearsing_rules", candidate=name))
    make = _planner(stage.study, name, best.preparation, best.lever_factor, serve_targets=True)
    yield replace(best, make=make, simulated=stage.simulate(make), serve_targets=True)
    for rule in RULE_NAMES:
        make = partial(make_policy, rule, stage.study.policies.get(rule, PolicySpec()))
        yield _Row(0, rule, make, stage.simulate(make))


def _as_done(stage: Stage, name: str, row: _Row) -> _Row:
    """Return a row with the plan for what it did before day 0, if that is not what its plan says.

    The plan made after a round may prepare otherwise than the round did. Then it is made again with
    money for nothing, where nothing was prepared; or with what was prepared already there.
    """
    assert row.plan is not None
    if _same(row.preparation, row.plan.preparation):
        return row
    nothing = PreparationTerms()
    members = [
        (weight, replace(prepared(world, row.preparation), terms=nothing))
        for weight, world in stage.members
    ]
    plan = _plan(stage, name, row.samples, row.lever_factor, members)
    problem = replace(plan.problem, world=stage.members[0][1])
    return replace(row, plan=replace(plan, problem=problem, preparation=row.preparation))


def _planner(
    study: Study,
    name: str,
    preparation: Preparation | None,
    lever_factor: float,
    *,
    serve_targets: bool,
) -> PolicySource:
    return partial(
        planned, name, study.policies.get(name, PolicySpec()), study.solver,
        preparation=preparation, lever_factor=lever_factor,
        serve_targets=True if serve_targets else None,
    )  # fmt: skip


def _plan(
    stage: Stage,
    name: str,
    samples: Sequence[Samples],
    lever_factor: float,
    worlds: Sequence[tuple[float, World]] | None = None,
) -> FirstPlan:
    settings = settings_of(name, stage.study.policies.get(name, PolicySpec()))
    members = [
        (weight, world, sample)
        for (weight, world), sample in zip(worlds or stage.members, samples, strict=True)
    ]
    problem = plan_of_scenario(members, settings.equity, lever_factor)
    highs = Highs(stage.study.solver.time_limit_s, GAP)
    return first_plan(problem, first_risk(settings), highs)


def _lever_factor(stage: Stage, make: PolicySource, simulated: Simulated, before: float) -> float:
    """Compare what a little more help does in simulation with what the plan thinks it does.

    A finite difference of paired simulations: harm saved beyond what more coverage relieves at
    once, over the same by the lever values around no response. Unchanged where that is immaterial.
    """
    more = stage.simulate(make, easier=True)
    saved = relieved = later = 0.0
    for m, (weight, world) in enumerate(stage.members):
        path = simulated.path[m].mean(axis=0) * np.diff(stage.edges_days)
        gain = _coverage(more, m) - _coverage(simulated, m)
        days = (path * gain).sum(axis=2)
        saved += weight * float((simulated.harm[m] - more.harm[m]).mean())
        relieved += weight * float((relieved_by_cover(world) * days).sum())
        later += weight * float((averted_later(world, day_zero(world)) * days).sum())
    if later < _MATERIAL * simulated.mean_harm or later <= 0.0:
        return before
    return float(np.clip((saved - relieved) / later, 0.0, 2.0))


def _coverage(simulated: Simulated, member: int) -> Floats:
    """Mean coverage of each cell at each severity and period, over all draws, [cell, 3, T]."""
    path, covered = simulated.path[member].sum(axis=0), simulated.covered[member].sum(axis=0)
    return np.asarray(np.divide(covered, path, out=np.zeros_like(path), where=path > 0.0))


def _same(a: Preparation | None, b: Preparation | None) -> bool:
    """Whether two preparations do the same."""
    if a is None or b is None:
        return a is b
    return bool(
        np.array_equal(a.bought, b.bought)
        and (a.posted, a.depots, a.ready) == (b.posted, b.depots, b.ready)
    )
