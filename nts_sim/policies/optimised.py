"""Policies that plan: the named planners, each a way to see the future and to weigh it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nts_sim.decision.model import Foresee, Observation, Order, Policy, Preparation
from nts_sim.planning.classes import Futures, joined
from nts_sim.planning.numbers import need_of, numbers_of
from nts_sim.planning.plan import OrderWriter
from nts_sim.planning.problem import Sets
from nts_sim.planning.solve import Highs
from nts_sim.policies.planner import Planner, futures_of, plan_for, planner_template
from nts_sim.policies.settings import Settings, settings_of
from nts_sim.spec.models import PolicySpec, SolverSpec
from nts_sim.world.model import World

GAP = 1e-3
"""Relative gap at which a plan is good enough: sampling is off by far more."""


def planned(
    name: str,
    spec: PolicySpec,
    solver: SolverSpec | None = None,
    first_stage: Sequence[Order] | None = None,
    *,
    preparation: Preparation | None = None,
    lever_factor: float = 1.0,
    serve_targets: bool | None = None,
) -> Policy:
    """Plan with foresight, re-solved at each epoch on what is observed.

    `first_stage` holds the orders of day 0 where one plan is made for a scenario set; `preparation`
    what was planned to be done before. The others are what rounds of simulating and planning find
    (see `Settings`).

    Pre-positions during warning days, corrects reports, sends its own visitors home, and names for
    each order its reason and runner-up. Deterministic: the same observations give the same orders.
    """
    settings = replace(settings_of(name, spec), lever_factor=lever_factor)
    if serve_targets is not None:
        settings = replace(settings, serve_targets=serve_targets)
    limit_s = (solver or SolverSpec(name="highs")).time_limit_s

    def open_one(world: World, foresee: Foresee | None = None) -> Planner:
        return Planner(world, settings, Highs(limit_s, GAP), first_stage, foresee)

    knows = settings.futures == "truth"
    return Policy(
        name=name,
        open=open_one,
        manages_returns=True,
        settings=settings.told(),
        open_knowing=open_one if knows else None,
        prepare=None if preparation is None else _Given(preparation),
    )


@dataclass(frozen=True, eq=False)
class _Given:
    """Prepares what was planned, whatever the world."""

    preparation: Preparation

    def __call__(self, world: World) -> Preparation:
        """Return the preparation."""
        return self.preparation


def plan_for_set(
    name: str, members: Sequence[tuple[float, World, Observation]], spec: PolicySpec
) -> list[Order]:
    """Return the orders of day 0 of one plan for a scenario set, before it is known which comes.

    The futures are those of all members, each with its member's weight.

    Parameters
    ----------
    members : (weight, world, observation of day 0); the worlds differ in their hazards only
    spec : settings of the policy
    """
    settings = settings_of(name, spec)
    _, world, observation = members[0]
    template = planner_template(world, settings)
    futures = _futures_of_set(template.sets, members, settings)
    correct = settings.correct_reports
    need = need_of(world, template.sets, observation, futures, correct_reports=correct)
    numbers = numbers_of(world, template.sets, observation, need)
    plan = plan_for(template, numbers, settings, Highs(gap=GAP))
    return OrderWriter(world, plan, observation, 0).orders()


def _futures_of_set(
    sets: Sets, members: Sequence[tuple[float, World, Observation]], settings: Settings
) -> Futures:
    """Join the members' futures; a regret is over scenarios, so a member is then one future."""
    by_scenario = settings.risk == "minimax_regret"
    seen_as = replace(settings, futures="mean") if by_scenario else settings
    futures = joined([
        (weight, futures_of(world, sets, seen, seen_as, np.zeros(len(world.cells))))
        for weight, world, seen in members
    ])  # fmt: skip
    expected = settings.futures in ("mean", "mean_path")
    return Futures(futures.mean[None], np.ones(1)) if expected else futures
