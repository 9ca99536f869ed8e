"""What a plan of a shipped scenario says of itself, at the size it has."""

from __future__ import annotations

import pytest

from nts_sim.planning.marginal import FALLEN, lead_values, marginal_money
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import draw_samples, plan_of_scenario, scenario_template
from nts_sim.planning.shapley import contributions
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import solve_two_stage
from nts_sim.planning.value import worth_of_planning
from nts_sim.planning.variants import in_template, reduced
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from tests.system.study import study

MEAN = Risk()


@pytest.mark.slow
def test_a_storm_with_little_money_to_prepare():
    terms = ("preparation.budget_bn_vnd=2", "preparation.depot_cost_bn_vnd=0")
    made = study("scenario=typhoon_north", "preparation=standard", *terms)
    world = build_world(made, made.scenario, load_tables())
    edges = scenario_template(world).sets.edges_days
    plan = plan_of_scenario([(1.0, world, draw_samples(world, edges, 1, range(40), 4))])
    highs = Highs()
    solution = solve_two_stage(plan.filled.two_stage, MEAN, highs, start=plan.filled.start)
    worth = worth_of_planning(plan, solution, highs)
    assert worth.wait_and_see < worth.plan_bound <= worth.plan <= worth.mean_plan
    few, x = reduced(plan, 2), in_template(plan.filled, solution.x)
    money = [value for value in marginal_money(few, x, MEAN, 60.0) if value.dual > 0.0]
    assert [value.source for value in money] == ["preparation"]
    assert 1.0 < money[0].difference <= money[0].dual
    assert money[0].holds_to is not None
    if money[0].holds_to >= 1.0:
        assert money[0].difference >= (1.0 - FALLEN) * money[0].dual
    leads = lead_values(few, x, MEAN, 60.0)
    assert leads[-1].saved >= max(value.saved for value in leads) - 1e-6
    shares = contributions(few, MEAN, 60.0, exact_players=3, orders=4)
    assert sum(s.share for s in shares.shares) == pytest.approx(shares.saved)
    assert shares.saved > 10.0
