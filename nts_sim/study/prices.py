"""What a little more would be worth to a comparison: money, a day, each way of mobilising.

As `nts_sim.study.judged` prices a plan, but without its rehearsal: needs are those met under the
baseline, on planning draws, and futures are averaged within a few classes.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nts_sim.errors import NoAcceptableSolution
from nts_sim.outcomes.frames import empty
from nts_sim.planning.marginal import lead_values, marginal_money
from nts_sim.planning.scenario import (
    Members,
    plan_of_scenario,
    scenario_template,
    stand_ins,
)
from nts_sim.planning.shapley import contributions
from nts_sim.planning.solve import Highs
from nts_sim.policies.optimised import GAP
from nts_sim.policies.planner import first_risk
from nts_sim.policies.settings import settings_of
from nts_sim.spec.models import PolicySpec, Study
from nts_sim.study.chunks import PolicySource
from nts_sim.study.judged import EXACT_PLAYERS, ORDERS, detailed
from nts_sim.study.plan_tables import price_tables
from nts_sim.study.stage import Stage
from nts_sim.world.model import World

PRICE_TABLES = ("marginal_money", "lead_value", "contributions")


def no_prices() -> dict[str, pd.DataFrame]:
    """Return the tables of prices without rows."""
    return {name: empty(name) for name in PRICE_TABLES}


def prices(
    study: Study, scenario: str, name: str, members: Sequence[tuple[float, World]],
    baseline: PolicySource,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Price a billion more, a day less and each mechanism, by the plan of a planner.

    Parameters
    ----------
    scenario : name of the scenario or of the set
    name : of the planner
    members : (weight, world) to plan for: worlds of a set that differ in their hazards only
    baseline : under which needs are simulated

    Returns
    -------
    dict of str to DataFrame
        The tables of `PRICE_TABLES`, empty where no plan is known when time ends.
    """
    settings = settings_of(name, study.policies.get(name, PolicySpec()))
    risk, limit_s = first_risk(settings), study.solver.time_limit_s
    try:
        problem = plan_of_scenario(_needs(study, members, baseline), settings.equity)
        few, x = detailed(problem, study.plan.detail_samples, risk, Highs(limit_s, GAP))
        money, days = marginal_money(few, x, risk, limit_s), lead_values(few, x, risk, limit_s)
        shares = contributions(
            few, risk, limit_s, exact_players=EXACT_PLAYERS, orders=ORDERS, seed=study.seed
        )
    except NoAcceptableSolution:
        return no_prices()
    return price_tables(scenario, name, members[0][1], money, days, shares)


def _needs(study: Study, members: Sequence[tuple[float, World]], baseline: PolicySource) -> Members:
    """Simulate what will be needed under the baseline, on planning draws."""
    edges = scenario_template(members[0][1]).sets.edges_days
    with Stage(study, members, edges, study.plan.draws) as stage:
        seen = stage.simulate(baseline)
    return [
        (weight, world, stand_ins(path, covered, edges, world, study.plan.samples))
        for (weight, world), path, covered in zip(members, seen.path, seen.covered, strict=True)
    ]
