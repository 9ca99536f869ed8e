"""The planning problem on cases small enough to work by hand, and what becomes of its orders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import OrderKind
from nts_sim.planning.classes import Futures
from nts_sim.planning.filling import fill
from nts_sim.planning.forecast import occupied
from nts_sim.planning.network import problem_of
from nts_sim.planning.numbers import certain_need, need_of, numbers_of
from nts_sim.planning.plan import OrderWriter, read_plan, whole_units
from nts_sim.planning.problem import Shape, period_edges
from nts_sim.planning.solve import Highs
from nts_sim.planning.template import template_of
from nts_sim.planning.twostage import Risk, solve_two_stage
from nts_sim.testing import toy_mechanism, toy_supply, toy_threats, toy_world
from nts_sim.words.why import why
from nts_sim.world.model import Effect, Fund, Inject, Trigger
from tests.planning.instances import first_observation

SHAPE = Shape(lookahead_days=3, departures=1, daily=True)


def _as_reported(world, sets, seen):
    """The one future in which everything stays as it is reported."""
    path = np.repeat(occupied(world, seen)[:, :, None], sets.n_periods, axis=2)
    return Futures(path[None], np.ones(1))


def solved(filled, start=None):
    return solve_two_stage(filled.two_stage, Risk(), Highs(), start=start)


def plan_for(world, persons=None, observation=None):
    """Plan for the persons given by cell at severity 1, each day alike."""
    template = template_of(problem_of(world, SHAPE))
    sets = template.sets
    seen = observation or first_observation(world)
    if persons is None:
        need = need_of(world, sets, seen, _as_reported(world, sets, seen))
    else:
        table = np.zeros((*sets.persons.shape, sets.n_periods))
        table[:, 0] = np.asarray(persons)[:, None]
        need = certain_need(world, sets, seen, table)
    filled = fill(template, numbers_of(world, sets, seen, need))
    return read_plan(filled, solved(filled, filled.start)), seen


def only(effect, n=2, **changes):
    """A world's mechanisms: just one."""
    return {"mechanisms": (toy_mechanism("one", effect, n, **changes),)}


def test_golden_objective_own_stock_serves_first():
    """1 000 people need 1 unit per 1 000; 10 units at home: all served, at running cost 0.01.

    Relief 0.5 × 0.001 bn a person and day averts 0.5 bn a day; one team in use costs 0.01.
    """
    world = toy_world(injects=(Inject(0, 1, 0.0),), parts={"mechanisms": ()})
    plan, _ = plan_for(world, [1000.0, 0.0])
    assert plan.averted_bn_vnd == pytest.approx(3 * 0.5)
    assert plan.cost_bn_vnd == pytest.approx(3 * 0.01)
    assert plan.solution.objective == pytest.approx(3 * 0.01 + 1.5)  # half of the harm is left


def test_golden_objective_the_scarcest_resource_decides():
    """Two resources, 10 and 2 units; 10 of each needed: a fifth is served, not an average."""
    world = toy_world(
        stock=((10.0, 2.0), (0.0, 0.0)), is_team=(True, True), requirement_per_100k=(1e3, 1e3),
        injects=(Inject(0, 1, 0.0),), parts={"mechanisms": ()},
    )  # fmt: skip
    plan, _ = plan_for(world, [1000.0, 0.0])
    assert plan.served[0, 0, 0] == pytest.approx([200.0] * 3)


def test_golden_objective_supplies_last_as_long_as_they_last():
    """15 units, 10 needed a day: 1.5 days' worth in three days, however it is split."""
    world = toy_world(
        stock=((15.0,), (0.0,)), is_team=(False,), requirement_per_100k=(1e3,),
        injects=(Inject(0, 1, 0.0),), parts={"mechanisms": ()},
    )  # fmt: skip
    plan, _ = plan_for(world, [1000.0, 0.0])
    assert plan.served[0, 0, 0].sum() == pytest.approx(1500.0)


def test_golden_objective_lending_a_neighbours_teams():
    """10 units missing, the neighbour may lend 30 % of 30 = 9; they serve on days 1 and 2.

    Travel: 0.001 × 100 km × 2 ways; running 0.01 a day from departure.
    """
    world = toy_world(
        stock=((0.0,), (30.0,)), requirement_per_100k=(1e3,), injects=(Inject(0, 1, 0.0),),
        parts=only(Effect.TRANSFER, donor_share=0.3),
    )  # fmt: skip
    plan, seen = plan_for(world, [1000.0, 0.0])
    assert plan.served[0, 0, 0] == pytest.approx([0.0, 900.0, 900.0])
    assert plan.cost_bn_vnd == pytest.approx(9 * 0.002 + 9 * 0.01 * 3)
    (order,) = OrderWriter(world, plan, seen, 0).orders()
    assert (order.kind, order.source, order.place) == (OrderKind.MOVE, 1, 0)
    assert order.quantity == 9.0
    told = why(order.reason, {("place", world.nodes.code[0]): "Place 0"})
    assert told.startswith("Place 0 is short of r0; these serve in ")
    assert why(order.runner_up, {}) == "no other source is open in time"


def test_a_closed_trigger_closes_the_mechanism():
    world = toy_world(stock=((0.0,), (0.0,)), injects=(Inject(0, 1, 0.0),))
    for trigger, opened in ((Trigger(), True), (Trigger(min_severity=2), False)):
        goods = only(Effect.GOODS, supplies=(toy_supply(0, 2),), trigger=trigger)
        plan, _ = plan_for(replace(world, **goods), [1000.0, 0.0])
        assert bool(plan.create.sum() > 0.0) == opened


def test_money_limits_what_is_bought_and_earmarks_close_it():
    """Units at 1 bn, 4 bn in the account: four units; none from an account kept for others."""
    world = toy_world(
        stock=((0.0,), (0.0,)), requirement_per_100k=(1e3,), injects=(Inject(0, 1, 0.0),),
        threats=toy_threats(relief=1.0),
        parts=only(Effect.GOODS, supplies=(toy_supply(0, 2, unit_cost_bn_vnd=0.1),)),
    )  # fmt: skip
    for earmark, units in ((None, 4.0), (frozenset({"other"}), 0.0)):
        funds = (Fund("a", "account", 0, 0.4, earmark), Fund("b", "account", 1, 9.0))
        plan, _ = plan_for(replace(world, funds=funds), [1000.0, 0.0])
        assert plan.create.sum() == pytest.approx(units)


def test_of_equal_plans_the_earlier_is_taken():
    resources = toy_world(stock=((0.0,), (0.0,))).resources
    world = toy_world(
        stock=((0.0,), (0.0,)), injects=(Inject(0, 1, 0.0),),
        parts=only(Effect.GOODS, supplies=(toy_supply(0, 2),))
        | {"resources": replace(resources, run_cost=np.zeros(1))},
    )  # fmt: skip
    shape = Shape(lookahead_days=4, departures=3, daily=True)
    template = template_of(problem_of(world, shape))
    seen = first_observation(world)
    persons = np.zeros((2, 3, 4))
    persons[0, 0, 3] = 1000.0
    need = certain_need(world, template.sets, seen, persons)
    filled = fill(template, numbers_of(world, template.sets, seen, need))
    plan = read_plan(filled, solved(filled))
    assert plan.create[0, 0] == pytest.approx([1.0, 0.0, 0.0])


def test_the_first_basis_changes_the_path_and_not_the_answer():
    world = toy_world(stock=((0.0,), (30.0,), (5.0,)), injects=(Inject(0, 3, 0.0),))
    template = template_of(problem_of(world, SHAPE))
    seen = first_observation(world)
    need = need_of(world, template.sets, seen, _as_reported(world, template.sets, seen))
    filled = fill(template, numbers_of(world, template.sets, seen, need))
    cold, warm = solved(filled), solved(filled, filled.start)
    assert warm.objective == pytest.approx(cold.objective, abs=1e-9)
    assert warm.iterations <= cold.iterations


def test_a_possible_worse_severity_asks_for_more_at_a_lower_worth():
    """Chances are split over severities: the first units serve all, the last only the worst."""
    world = toy_world(injects=(), parts={"mechanisms": ()})
    sets = template_of(problem_of(world, SHAPE)).sets
    half_half = np.zeros((2, 3, sets.n_periods))
    half_half[0, 0], half_half[0, 2] = 0.5, 0.5
    need = need_of(world, sets, first_observation(world), Futures(half_half[None], np.ones(1)))
    # 1 000 persons at severity 1, 10 000 at severity 3: the first tenth serves both.
    assert need.persons[0, 0, :, 0] == pytest.approx([1000.0, 0.0, 9000.0])
    per_person = 0.5 * 0.001
    assert need.worth[0, 0, 0, 0] == pytest.approx(0.5 * per_person + 0.5 * per_person)
    assert need.worth[0, 0, 2, 0] == pytest.approx(0.5 * per_person)


def test_whole_units_gives_back_what_rounding_lost():
    amount = np.array([1.5, 2.5, 0.4, 0.4])
    group = np.array([0, 0, 1, 1])
    whole = whole_units(amount, group, np.full(4, 9.0))
    assert whole.tolist() == [2.0, 2.0, 0.0, 0.0]
    assert whole_units(amount, group, np.floor(amount)).tolist() == [1.0, 2.0, 0.0, 0.0]


@pytest.mark.parametrize("step", [1, 7])
def test_periods_are_daily_at_first_and_meet_the_coming_epochs(step):
    edges, departure = period_edges(step, Shape(lookahead_days=9))
    assert edges[:4].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert edges[departure].tolist() == [0.0, step, 2.0 * step]
    assert np.all(np.diff(edges) >= 1.0)
