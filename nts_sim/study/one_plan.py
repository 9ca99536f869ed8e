"""One plan for a scenario set: the same orders of day 0, whichever member comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from nts_sim.decision.model import Observation, Order, Policy
from nts_sim.engine.session import LocalSession
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.registry import BOUND, PLANNERS
from nts_sim.spec.models import PolicySpec, ScenarioSpec, SolverSpec, Study
from nts_sim.study.chunks import PolicySource
from nts_sim.study.engines import engine_for
from nts_sim.tables.load import Tables
from nts_sim.world.build import build_world
from nts_sim.world.model import World


def with_one_plan(
    study: Study,
    scenarios: Sequence[tuple[float, ScenarioSpec]],
    tables: Tables,
    sources: Mapping[str, PolicySource],
) -> dict[str, PolicySource]:
    """Give the planners among the policies one first stage each for the whole set.

    Rules wait for what is reported, so nothing changes for them; nor where there is no set.

    Parameters
    ----------
    scenarios : (weight, member) of the set
    sources : how to make each policy
    """
    if len(scenarios) < 2:
        return dict(sources)
    made: dict[str, PolicySource] = {}
    for name in set(sources) & set(study.policies) & set(PLANNERS) - {BOUND}:
        spec = study.policies[name]
        orders = first_stage(name, study, scenarios, tables, spec)
        made[name] = partial(_planned, name, spec, study.solver, tuple(orders))
    return {**sources, **made}


def first_stage(
    name: str,
    study: Study,
    scenarios: Sequence[tuple[float, ScenarioSpec]],
    tables: Tables,
    spec: PolicySpec,
) -> list[Order]:
    """Plan day 0 for the expectation over the members, on planning draws."""
    from nts_sim.policies.optimised import plan_for_set

    return plan_for_set(
        name, [_on_day_0(study, *member, scenarios, tables) for member in scenarios], spec
    )


def _on_day_0(
    study: Study,
    weight: float,
    scenario: ScenarioSpec,
    scenarios: Sequence[tuple[float, ScenarioSpec]],
    tables: Tables,
) -> tuple[float, World, Observation]:
    """See a member's day 0 in a world that has the threats of all members."""
    world = shared_world(study, scenario, scenarios, tables)
    luck = Luck(study.seed, DrawSet.PLANNING, 0)
    session = LocalSession(world, luck, engine=engine_for(study, replications=1))
    session.advance(0)
    return weight, world, session.observe()


def shared_world(
    study: Study,
    scenario: ScenarioSpec,
    scenarios: Sequence[tuple[float, ScenarioSpec]],
    tables: Tables,
) -> World:
    """Build a member's world with the threats and the horizon of the whole set."""
    everything = tuple(dict.fromkeys(t for _, member in scenarios for t in member.threats))
    longest = max(member.horizon_days for _, member in scenarios)
    shared = {"threats": everything, "horizon_days": longest, "epoch_every_days": 1}
    return build_world(study, scenario.model_copy(update=shared), tables)


def _planned(name: str, spec: PolicySpec, solver: SolverSpec, orders: tuple[Order, ...]) -> Policy:
    from nts_sim.policies.optimised import planned

    return planned(name, spec, solver, orders)
