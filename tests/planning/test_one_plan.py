"""One plan for a scenario set: day 0 is the same whichever member comes."""

from __future__ import annotations

import pytest

from nts_sim.decision.model import OrderKind
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.errors import NoAcceptableSolution
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.optimised import planned
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec, SolverSpec
from nts_sim.study.one_plan import first_stage
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from tests.system.study import study

SPEC = PolicySpec()
NORTH, CENTRE = "typhoon_north", "flood_central"


@pytest.fixture(scope="module")
def tables():
    return load_tables()


def members(weights):
    return [(weight, study(f"scenario={name}").scenario) for name, weight in weights.items()]


def plan(weights, tables):
    return first_stage("expected_value", study(), members(weights), tables, SPEC)


def test_a_member_without_weight_changes_nothing(tables):
    own = study().scenario
    world = build_world(study(), own, tables)
    session = LocalSession(world, Luck(147, DrawSet.PLANNING, 0))
    session.advance(0)
    alone = [
        order
        for order in planned("expected_value", SPEC).open(world)(session.observe())
        if order.kind is not OrderKind.DECLARE
    ]
    sets = [
        (o.kind, o.place, o.source, o.resource, o.quantity)
        for o in plan({NORTH: 1.0, CENTRE: 0.0}, tables)
    ]
    assert alone
    assert sets == [(o.kind, o.place, o.source, o.resource, o.quantity) for o in alone]


def test_every_member_gets_the_same_orders_of_day_0(tables):
    orders = plan({NORTH: 0.5, "compound": 0.5}, tables)
    assert orders
    for _, member in members({NORTH: 0.5, "compound": 0.5}):
        run = simulate(
            build_world(study(), member, tables),
            planned("expected_value", SPEC, None, tuple(orders)),
            Luck(147, DrawSet.EVALUATION, 0),
        )
        first = [ruling.order for ruling in run.rulings if ruling.tick == 0]
        assert sorted(map(repr, first)) == sorted(map(repr, orders))
        assert any(ruling.tick > 0 for ruling in run.rulings)


def test_a_less_likely_member_is_prepared_for_less(tables):
    sure, unlikely = (
        plan({NORTH: 0.9, CENTRE: 0.1}, tables),
        plan({NORTH: 0.05, CENTRE: 0.95}, tables),
    )
    assert sum(o.quantity for o in unlikely) < sum(o.quantity for o in sure)


def test_the_study_says_how_long_a_solve_may_take(tables):
    world = build_world(study(), study().scenario, tables)
    decide = make_policy("expected_value", SPEC, SolverSpec(name="highs", time_limit_s=1e-9)).open(
        world
    )
    session = LocalSession(world, Luck(147, DrawSet.EVALUATION, 0))
    session.advance(0)
    with pytest.raises(NoAcceptableSolution, match="time limit"):
        decide(session.observe())
