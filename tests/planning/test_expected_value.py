"""The policy: when it acts, what it never does, and that it pays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import OrderKind, Policy
from nts_sim.engine.session import simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.optimised import planned
from nts_sim.policies.settings import NAMED, settings_of
from nts_sim.spec.models import PolicySpec
from nts_sim.testing import toy_mechanism, toy_supply, toy_threats, toy_world
from nts_sim.units import TICKS_PER_DAY
from nts_sim.world.model import Effect, Information, Inject
from tests.planning.instances import first_observation, outcome, random_world

LUCK = Luck(3, DrawSet.PLANNING, 0)
SILENT = Policy("silent", lambda world: lambda observation: [])


def storm_world(**changes):
    """A storm at place 0 on day 3, forewarned three days; help stands at place 2."""
    world = toy_world(
        stock=((0.0,), (0.0,), (50.0,)), requirement_per_100k=(100.0,), horizon_days=12,
        injects=(Inject(0, 3, 3.0),), threats=toy_threats(stay_days=(3.0, 3.0, 3.0)),
    )  # fmt: skip
    hazard = replace(world.hazard, warning_days=np.array([3.0]))
    return replace(world, hazard=hazard, **changes)


def orders_of(world, **settings):
    run = simulate(world, planned("expected_value", PolicySpec(**settings)), LUCK)
    return [r for r in run.rulings if r.order.kind is not OrderKind.DECLARE]


def test_nothing_happens_where_nothing_happens():
    assert simulate(toy_world(), planned("expected_value", PolicySpec()), LUCK).rulings == ()


def test_it_sends_help_ahead_of_a_warning_and_only_if_told_to():
    ahead = [r for r in orders_of(storm_world()) if r.tick < 3 * TICKS_PER_DAY]
    assert {r.order.place for r in ahead} == {0}
    assert all(r.tick >= 3 * TICKS_PER_DAY for r in orders_of(storm_world(), preposition=False))


def test_a_level_is_declared_with_the_warning():
    run = simulate(storm_world(), planned("expected_value", PolicySpec()), LUCK)
    first = run.rulings[0]
    assert (first.order.kind, first.order.place, first.order.quantity) == (
        OrderKind.DECLARE,
        0,
        3.0,
    )
    assert first.tick == 0


def test_it_brings_its_visitors_home_again():
    run = simulate(storm_world(), planned("expected_value", PolicySpec(lookahead_days=3)), LUCK)
    back = [r for r in run.rulings if r.order.kind is OrderKind.RETURN and not r.automatic]
    assert sum(r.granted for r in back) > 0.0


def test_every_order_says_why_and_what_else():
    for ruling in orders_of(storm_world()):
        assert ruling.order.reason
        if ruling.order.kind in (OrderKind.MOVE, OrderKind.MOBILISE):
            assert ruling.order.runner_up


def test_without_reoptimising_only_the_first_plan_is_carried_out():
    again, once = (orders_of(storm_world(), reoptimise=flag) for flag in (True, False))
    assert {r.tick for r in once} < {r.tick for r in again}
    assert once[0].order == again[0].order
    assert max(r.tick for r in once) - min(r.tick for r in once) <= 2 * TICKS_PER_DAY


def test_correcting_reports_asks_for_what_is_hidden():
    """A tenth is reported: uncorrected orders come to about a tenth."""
    hidden = Information("late", 0.0, 0.0, ((0.0, 0.1), (90.0, 0.1)))
    world = storm_world(
        information=hidden,
        mechanisms=(
            toy_mechanism("army", Effect.GOODS, 3, supplies=(toy_supply(0, 3),), fund_kind=None),
        ),
        resources=replace(storm_world().resources, stock=np.zeros((3, 1))),
    )  # fmt: skip
    world = replace(world, hazard=replace(world.hazard, warning_days=np.zeros(1)))
    most = {
        flag: sum(r.granted for r in orders_of(world, correct_reports=flag) if r.tick == 3 * 65536)
        for flag in (True, False)
    }
    assert most[True] == pytest.approx(10.0)
    assert most[False] == pytest.approx(1.0)


def test_the_same_observations_give_the_same_orders_whatever_came_before():
    """A decision maker opened after another world was run decides as a fresh one."""
    world = storm_world()
    first = simulate(world, planned("expected_value", PolicySpec()), LUCK)
    simulate(random_world(1), planned("expected_value", PolicySpec()), LUCK)
    again = simulate(world, planned("expected_value", PolicySpec()), LUCK)
    assert first.rulings == again.rulings
    assert np.array_equal(first.trace, again.trace)


def test_orders_are_whole_known_and_never_refused_for_units_that_are_not_there():
    for seed in range(25):
        world = random_world(seed)
        whole = replace(
            world.resources, whole_units=np.ones(len(world.resources.name), dtype=np.bool_)
        )
        world = replace(world, resources=whole)
        for ruling in simulate(world, planned("expected_value", PolicySpec()), LUCK).rulings:
            order = ruling.order
            assert order.quantity >= 0.0
            assert 0 <= order.place < world.nodes.n_provinces
            if order.kind in (OrderKind.MOVE, OrderKind.MOBILISE, OrderKind.RETURN):
                assert order.quantity == np.floor(order.quantity)
                assert ruling.refusal is None or ruling.refusal.value != "stock"


def test_it_pays_on_average_over_random_worlds():
    """Burden (harm and cost) falls against doing nothing, summed over 40 worlds."""
    worlds = [random_world(seed) for seed in range(40)]
    burden = {
        policy.name: sum(sum(outcome(world, simulate(world, policy, LUCK))) for world in worlds)
        for policy in (SILENT, planned("expected_value", PolicySpec()))
    }
    assert burden["expected_value"] < 0.97 * burden["silent"]


def test_settings_take_what_is_set_and_keep_the_rest():
    settings = settings_of("expected_value", PolicySpec(lookahead_days=5, futures="mean_path"))
    assert settings == replace(NAMED["expected_value"], lookahead_days=5, futures="mean_path")


def test_an_observation_is_not_changed():
    world = storm_world()
    seen = first_observation(world)
    before = seen.visitors
    planned("expected_value", PolicySpec()).open(world)(seen)
    assert seen.visitors == before
