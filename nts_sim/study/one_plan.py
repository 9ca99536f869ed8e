"""One plan before it is known what comes: what is prepared, and for a set the orders of day 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from nts_sim.decision.model import Observation, Order, Policy, Preparation
from nts_sim.engine.session import LocalSession
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.registry import BOUND, PLANNERS, make_policy
from nts_sim.policies.settings import settings_of
from nts_sim.spec.models import PolicySpec, ScenarioSpec, SolverSpec, Study
from nts_sim.study.chunks import PolicySource
from nts_sim.study.engines import engine_for
from nts_sim.tables.load import Tables
from nts_sim.words import say
from nts_sim.world.build import build_world
from nts_sim.world.model import World

if TYPE_CHECKING:
    from nts_sim.planning.scenario import Samples


DRAWS = 24
"""Planning draws on which needs are simulated before what to prepare is planned."""
SAMPLES = 12
"""Samples of need that stand for them."""
_INCUMBENT = "expected_value_mean_path"
"""Needs are those under this planner: nearly those under any other, and it is the fastest."""


def with_one_plan(
    study: Study,
    scenarios: Sequence[tuple[float, ScenarioSpec]],
    tables: Tables,
    sources: Mapping[str, PolicySource],
    told: Callable[[str], None] = lambda _: None,
) -> dict[str, PolicySource]:
    """Give each planner among the policies one first stage for the scenario, or the whole set.

    Where there is money for it, that is what to prepare before day 0; for a set, also the orders of
    day 0. Rules prepare nothing and wait for what is reported, so nothing changes for them.

    Parameters
    ----------
    scenarios : (weight, member) of the set
    sources : how to make each policy
    told : is told what is being done
    """
    planners = [name for name in sources if name in study.policies and name in PLANNERS]
    prepares = bool(planners) and study.preparation.money_bn_vnd > 0.0
    if not planners or (len(scenarios) < 2 and not prepares):
        return dict(sources)
    members = [in_common_world(study, *member, scenarios, tables) for member in scenarios]
    if prepares:
        told(say("said.doing.preparing"))
    needs = _needs(study, members) if prepares else ()
    made: dict[str, PolicySource] = {}
    for name in planners:
        spec, orders = study.policies[name], None
        if len(scenarios) > 1 and name != BOUND:
            orders = tuple(_orders_of_day_0(name, study, members, spec))
        preparation = _preparation(name, study, needs, spec) if prepares else None
        made[name] = partial(_planned, name, spec, study.solver, orders, preparation)
    return {**sources, **made}


def _needs(
    study: Study, members: Sequence[tuple[float, World]]
) -> tuple[tuple[float, World, Samples], ...]:
    """Simulate what will be needed, on planning draws."""
    from nts_sim.planning.scenario import draw_samples, scenario_template

    incumbent = make_policy(_INCUMBENT, PolicySpec(), study.solver)
    edges = scenario_template(members[0][1]).sets.edges_days
    return tuple(
        (weight, world, draw_samples(world, edges, study.seed, range(DRAWS), SAMPLES, incumbent))
        for weight, world in members
    )


def _preparation(
    name: str, study: Study, needs: Sequence[tuple[float, World, Samples]], spec: PolicySpec
) -> Preparation | None:
    """Plan what to do before day 0, in whole units."""
    from nts_sim.planning.scenario import plan_of_scenario
    from nts_sim.planning.solve import Highs
    from nts_sim.planning.whole import first_plan
    from nts_sim.policies.optimised import GAP
    from nts_sim.policies.planner import first_risk

    settings = settings_of(name, spec)
    problem = plan_of_scenario(needs, settings.equity)
    highs = Highs(study.solver.time_limit_s, GAP)
    return first_plan(problem, first_risk(settings), highs).preparation


def first_stage(
    name: str,
    study: Study,
    scenarios: Sequence[tuple[float, ScenarioSpec]],
    tables: Tables,
    spec: PolicySpec,
) -> list[Order]:
    """Plan day 0 of a set for all members, on planning draws."""
    members = [in_common_world(study, *member, scenarios, tables) for member in scenarios]
    return _orders_of_day_0(name, study, members, spec)


def _orders_of_day_0(
    name: str, study: Study, members: Sequence[tuple[float, World]], spec: PolicySpec
) -> list[Order]:
    from nts_sim.policies.optimised import plan_for_set

    return plan_for_set(
        name, [(weight, world, _day_0(study, world)) for weight, world in members], spec
    )


def in_common_world(
    study: Study,
    weight: float,
    scenario: ScenarioSpec,
    scenarios: Sequence[tuple[float, ScenarioSpec]],
    tables: Tables,
) -> tuple[float, World]:
    """Build a member in a world that has the threats of all members."""
    if len(scenarios) < 2:
        return weight, build_world(study, scenario, tables)
    everything = tuple(dict.fromkeys(t for _, member in scenarios for t in member.threats))
    longest = max(member.horizon_days for _, member in scenarios)
    shared = {"threats": everything, "horizon_days": longest, "epoch_every_days": 1}
    return weight, build_world(study, scenario.model_copy(update=shared), tables)


def _day_0(study: Study, world: World) -> Observation:
    luck = Luck(study.seed, DrawSet.PLANNING, 0)
    session = LocalSession(world, luck, engine=engine_for(study, replications=1))
    session.advance(0)
    return session.observe()


def _planned(
    name: str,
    spec: PolicySpec,
    solver: SolverSpec,
    orders: tuple[Order, ...] | None,
    preparation: Preparation | None,
) -> Policy:
    from nts_sim.policies.optimised import planned

    return planned(name, spec, solver, orders, preparation=preparation)
