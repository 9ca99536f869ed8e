"""The named planners: each sees and weighs the future its own way, and forgets between runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import OrderKind
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.planning.classes import Futures
from nts_sim.planning.filling import fill
from nts_sim.planning.numbers import need_of, numbers_of
from nts_sim.planning.plan import read_plan
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import Risk, solve_two_stage
from nts_sim.policies.optimised import planned
from nts_sim.policies.planner import first_risk, planner_template
from nts_sim.policies.registry import BOUND, PLANNERS, make_policy
from nts_sim.policies.settings import NAMED, Settings, settings_of
from nts_sim.spec.models import PolicySpec
from tests.planning.instances import first_observation, outcome, prepared_world, random_world
from tests.planning.test_expected_value import storm_world

LUCK = Luck(5, DrawSet.EVALUATION, 0)
SPEC = PolicySpec()


@pytest.mark.parametrize("name", PLANNERS)
def test_every_planner_sends_help_to_a_storm_and_says_what_it_is(name):
    policy = make_policy(name, SPEC)
    run = simulate(storm_world(), policy, LUCK)
    assert policy.name == name
    assert policy.settings["futures"] == NAMED[name].futures
    helps = (OrderKind.MOVE, OrderKind.MOBILISE)
    assert any(ruling.order.kind in helps for ruling in run.rulings)


@pytest.mark.parametrize("name", ["stochastic", "mean_cvar", "minimax_regret", "equitable"])
def test_what_was_planned_before_changes_no_plan(name):
    """One handle solves all epochs of a replication; no memory reaches the next."""
    policy = planned(name, SPEC)
    alone = simulate(random_world(3), policy, Luck(5, DrawSet.PLANNING, 1)).rulings
    policy = planned(name, SPEC)
    for number in (4, 0):
        simulate(random_world(3), policy, Luck(5, DrawSet.PLANNING, number))
    again = simulate(random_world(3), policy, Luck(5, DrawSet.PLANNING, 1)).rulings
    assert again == alone


def test_one_class_is_the_expected_value():
    one = planned("stochastic", PolicySpec(n_samples=1, n_futures=32))
    orders = [r.order for r in simulate(storm_world(), one, LUCK).rulings]
    mean = [r.order for r in simulate(storm_world(), planned("expected_value", SPEC), LUCK).rulings]
    assert orders == mean


def test_only_the_bound_is_told_the_luck():
    assert [name for name in PLANNERS if make_policy(name, SPEC).open_knowing] == [BOUND]


def test_knowing_what_comes_is_worth_more_than_its_mean():
    """Over random worlds whose strikes nobody is forewarned of."""
    cost = dict.fromkeys(("expected_value", BOUND), 0.0)
    for seed in range(12):
        world = random_world(seed)
        for name in cost:
            cost[name] += sum(outcome(world, simulate(world, planned(name, SPEC), LUCK)))
    assert cost[BOUND] < cost["expected_value"]


def test_what_a_planner_sets_comes_before_what_its_name_says():
    made = settings_of("mean_cvar", PolicySpec(risk_weight=0.25, n_samples=9))
    assert (made.risk, made.risk_weight, made.n_samples) == ("mean_cvar", 0.25, 9)
    assert made.futures == NAMED["mean_cvar"].futures


def two_futures(world, chance=0.1):
    """Places 0 and 1 may be struck; the second only rarely, and then harder."""
    template = planner_template(world, Settings())
    path = np.zeros((2, len(world.cells), 3, template.sets.n_periods))
    path[0, 0, 0], path[1, 1, 2] = 1.0, 1.0
    futures = Futures(path, np.array([1.0 - chance, chance]))
    seen = first_observation(world)
    need = need_of(world, template.sets, seen, futures)
    return template, numbers_of(world, template.sets, seen, need)


def harms(numbers, template, risk, equity=None):
    """Expected cost, worst future's cost and the plan."""
    filled = fill(template, numbers, equity=equity)
    solution = solve_two_stage(filled.two_stage, risk, Highs(), start=filled.start)
    cost, chance = solution.sample_cost, filled.two_stage.probability
    return float(chance @ cost), float(cost.max()), read_plan(filled, solution)


def test_a_planner_averse_to_catastrophe_gives_up_some_mean_for_a_better_worst():
    template, numbers = two_futures(storm_world())
    mean, worst, _ = harms(numbers, template, Risk())
    averse_mean, averse_worst, _ = harms(numbers, template, Risk("mean_cvar", 1.0, 0.9))
    assert averse_mean >= mean - 1e-9
    assert averse_worst < worst - 1e-3


def test_a_floor_on_served_shares_helps_the_place_that_is_worst_served():
    template, numbers = two_futures(storm_world(), chance=0.5)
    served = {}
    for name in ("stochastic", "equitable"):
        equity = replace(NAMED[name], equity_price=50.0).equity
        _, _, plan = harms(numbers, template, first_risk(NAMED[name]), equity)
        days = (plan.served * template.sets.lengths_days).sum(axis=(2, 3))
        need = (numbers.need.persons * template.sets.lengths_days).sum(axis=(2, 3))
        share = np.divide(days, need, out=np.ones_like(days), where=need > 0.0)
        served[name] = share.min()
    assert served["equitable"] >= served["stochastic"]


def test_what_is_prepared_is_there_on_day_0():
    world = prepared_world(3)
    from nts_sim.planning.scenario import draw_samples, plan_of_scenario, scenario_template
    from nts_sim.planning.whole import first_plan

    edges = scenario_template(world).sets.edges_days
    samples = draw_samples(world, edges, 5, range(6))
    plan = first_plan(plan_of_scenario([(1.0, world, samples)]), Risk(), Highs())
    assert plan.preparation is not None
    policy = planned("stochastic", SPEC, preparation=plan.preparation)
    run = simulate(world, policy, LUCK)
    assert run.preparation is not None
    assert np.array_equal(run.preparation.bought, plan.preparation.bought)


def test_targets_are_told_only_where_asked_for():
    world = random_world(8)
    for asked in (False, True):
        policy = planned("stochastic", PolicySpec(serve_targets=asked))
        session = LocalSession(world, LUCK, manages_returns=True)
        decide, kinds = policy.open(world), set()
        for day in range(world.horizon_days):
            session.advance(day * 65536)
            orders = decide(session.observe())
            session.apply(orders)
            kinds |= {order.kind for order in orders}
        assert (OrderKind.SERVE in kinds) == asked
