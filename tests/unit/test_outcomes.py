"""Metrics against hand-worked cases, and sums that must agree."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nts_sim.decision.model import (
    Order,
    OrderKind,
    Policy,
    Preparation,
    Ruling,
    declare,
    draw,
    mobilise,
    move,
    send_home,
    serve,
)
from nts_sim.engine.contract import Run
from nts_sim.engine.prepared import prepared
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.accumulate import merge_all, merged, tally
from nts_sim.outcomes.layout import layout_of
from nts_sim.outcomes.measures import measure, outcomes_of
from nts_sim.outcomes.metrics import METRICS, PLACE_METRICS
from nts_sim.outcomes.people import gini, people_of
from nts_sim.testing import toy_mechanism, toy_supply, toy_threats, toy_world
from nts_sim.trace.fold import daily_integral
from nts_sim.trace.model import Kind, as_trace
from nts_sim.units import ticks
from nts_sim.world.model import Effect, Fund, Inject, MoneySource, PreparationTerms
from tests.engines.test_shipped_worlds import shipped

LUCK = Luck(1, DrawSet.EVALUATION, 0)


def row(day, kind, node=0, *, threat=-1, resource=-1, order=-1, quantity=0.0, value=0.0):
    return (ticks(day), 0, 0, 0, int(kind), node, threat, resource, order, quantity, value, -1)


def cover(day, severity, coverage, node=0, threat=0):
    return row(day, Kind.COVERAGE, node, threat=threat, quantity=severity, value=coverage)


def run_of(rows, rulings=()):
    return Run("p", LUCK, as_trace(sorted(rows, key=lambda r: r[0])), tuple(rulings))


def values(rows, world, rulings=()):
    return {(m, k): v for m, k, v in outcomes_of(run_of(rows, rulings), world)}


def flow_table(measured, layout):
    """Units and cost of the flows, [2, fund label, mechanism, resource, place]."""
    shape = (len(layout.funds), len(layout.mechanisms), *layout.stock_shape)
    table = np.zeros((2, math.prod(shape)))
    table[:, measured.flow_slot] = measured.flow_units, measured.flow_cost
    return table.reshape(2, *shape)


def ruling(number, kind, *, place, resource=0, mechanism=-1, source=-1, fund=-1, home=-1, desk=-1):
    order = Order(kind, place=place, resource=resource, quantity=1.0, home=home)
    return Ruling(number, 0, order, 1.0, None, mechanism, source, fund, 0.0, desk)


# The toy place has 100 000 people: 1 000, 3 000, 10 000 exposed at severity 1, 2, 3; harm is 0.001
# bn VND a person-day; relief effect 0.5; 100 units required per 100 000 exposed.
HAND_WORKED = [
    cover(1, 3, 0.5), cover(3, 3, 1.0), cover(5, 2, 0.0), cover(6, 0, 0.0),
    cover(2, 1, 0.25, node=1),
]  # fmt: skip


def test_people_and_harm_of_a_hand_worked_case():
    found = values(HAND_WORKED, toy_world())
    need = 10_000 * 4 + 3_000 * 1 + 1_000 * 8
    served = 10_000 * 2 * 0.5 + 10_000 * 2 + 1_000 * 8 * 0.25
    affected = need - 0.5 * served
    assert found["affected_person_days", "all"] == pytest.approx(affected)
    assert found["affected_person_days", "test"] == pytest.approx(affected)
    assert found["harm_bn_vnd", "t0"] == pytest.approx(affected * 1e-3)
    assert found["irreducible_harm_bn_vnd", "all"] == pytest.approx(0.5 * need * 1e-3)
    assert found["served_share", "all"] == pytest.approx(served / need)
    # unmet: 10 units × half × 2 days + 3 units × 1 day + 1 unit × 0.75 × 8 days
    assert found["unmet_need_unit_days", "r0"] == pytest.approx(10 + 3 + 6)


def test_incidents_and_shares_of_a_hand_worked_case():
    found = values(HAND_WORKED, toy_world())
    assert found["incidents", "all"] == 2
    assert found["peak_active", "all"] == 2
    assert found["days_to_containment", "all"] == pytest.approx((5 + 8) / 2)
    first, second = 30_000 / 43_000, 0.25
    assert found["served_share_worst", "all"] == pytest.approx(second)
    expected = (first - second) / 2 / (first + second)
    assert found["served_share_gini", "all"] == pytest.approx(expected)


def test_total_burden_is_harm_and_cost():
    found = values(HAND_WORKED, toy_world())
    total = found["harm_bn_vnd", "all"] + found["cost_bn_vnd", "all"]
    assert found["total_burden_bn_vnd", "all"] == pytest.approx(total)
    # own teams in use: 5 × 2 + 10 × 2 at the first place, 0.25 × 8 at the second; 0.01 a day
    assert found["running_cost_bn_vnd", "all"] == pytest.approx(0.01 * (30 + 2))


def test_an_incident_that_starts_again_counts_twice_and_a_change_of_severity_does_not():
    rows = [cover(1, 3, 1.0), cover(2, 2, 1.0), cover(3, 0, 0.0), cover(4, 1, 1.0)]
    found = values(rows, toy_world())
    assert found["incidents", "all"] == 2
    assert found["peak_active", "all"] == 1
    assert found["days_to_containment", "all"] == pytest.approx((2 + 6) / 2)


def test_an_instant_does_not_count_as_a_spell():
    rows = [cover(1, 3, 0.0), cover(1, 3, 1.0), cover(3, 0, 0.0)]
    spells = people_of(as_trace(rows), layout_of(toy_world())).spells
    assert spells.coverage.tolist() == [1.0]
    assert spells.days.tolist() == [2.0]


def test_nothing_happened():
    found = values([], toy_world())
    assert found["total_burden_bn_vnd", "all"] == 0
    undefined = {metric for (metric, _), value in found.items() if math.isnan(value)}
    assert undefined == {
        "days_to_containment", "approval_wait_days", "served_share", "served_share_worst",
        "served_share_gini",
    }  # fmt: skip


def test_every_metric_is_declared_and_every_declared_metric_is_measured():
    layout = layout_of(toy_world())
    assert {metric for metric, _ in layout.columns} == {metric.name for metric in METRICS}
    assert len(set(layout.columns)) == len(layout.columns)


def test_a_future_is_measured_from_where_it_opens():
    """Severity 3 for four days anew from day 3, then 2 to the horizon; nothing says it began."""
    world = toy_world(injects=(Inject(0, 3, 1.0),))
    known = LocalSession(world, LUCK)
    known.advance(ticks(3))
    luck = Luck(1, DrawSet.PLANNING, 0)
    opened = LocalSession.open_from(world, known.observe(), luck)
    opened.advance(ticks(10))
    opened.engine.close()
    run = Run("p", luck, opened.trace(), tuple(opened.book.rulings))
    assert not {Kind.ONSET, Kind.SPREAD} & set(run.trace["kind"].tolist())
    found = {(m, k): v for m, k, v in outcomes_of(run, world)}
    need = 10_000 * 4 + 3_000 * 3
    assert found["affected_person_days", "all"] == pytest.approx(0.5 * need)
    assert found["incidents", "all"] == found["peak_active", "all"] == 1
    assert found["days_to_containment", "all"] == pytest.approx(7)
    assert found["running_cost_bn_vnd", "all"] == pytest.approx(0.01 * (10 * 4 + 3 * 3))


# --- effort ------------------------------------------------------------------------------------


def test_force_turns_of_the_record():
    """1 070 teams of 30 posted once are 32 100 turns."""
    world = toy_world()
    world = replace(world, resources=replace(world.resources, people_per_unit=np.array([30.0])))
    army = world.mechanism_index["army"]
    rulings = [ruling(0, OrderKind.MOBILISE, place=0, mechanism=army, source=0)]
    rows = [
        row(1, Kind.DEPART, 0, resource=0, order=0, quantity=1070.0),
        row(2, Kind.ARRIVE, 0, resource=0, order=0, quantity=1070.0, value=-1),
    ]
    found = values(rows, world, rulings)
    assert found["turns_units", "r0"] == 1070
    assert found["force_turns", "all"] == 32_100
    assert found["force_days", "all"] == 32_100 * 9


def test_going_home_is_not_a_turn_and_ends_the_cost():
    aid = toy_world().mechanism_index["mutual_aid"]
    rulings = [
        ruling(0, OrderKind.MOVE, place=0, mechanism=aid, source=1),
        ruling(1, OrderKind.RETURN, place=0, home=1, source=0),
    ]
    rows = [
        row(1, Kind.DEPART, 1, resource=0, order=0, quantity=4.0, value=0.5),
        row(2, Kind.ARRIVE, 0, resource=0, order=0, quantity=4.0, value=1),
        row(5, Kind.DEPART, 0, resource=0, order=1, quantity=3.0, value=0.5),
        row(6, Kind.ARRIVE, 1, resource=0, order=1, quantity=3.0, value=1),
    ]
    found = values(rows, toy_world(), rulings)
    assert found["turns_units", "r0"] == 4
    # three are away from day 1 to day 6, one from day 1 to the horizon, day 10
    assert found["running_cost_bn_vnd", "all"] == pytest.approx(0.01 * (3 * 5 + 1 * 9))


def test_forwarded_teams_are_one_turn_and_cost_once():
    aid = toy_world(stock=((0,), (9,), (0,))).mechanism_index["mutual_aid"]
    rulings = [
        ruling(0, OrderKind.MOVE, place=0, mechanism=aid, source=1),
        ruling(1, OrderKind.MOVE, place=2, mechanism=aid, source=0, home=1),
    ]
    rows = [
        row(1, Kind.DEPART, 1, resource=0, order=0, quantity=4.0),
        row(2, Kind.ARRIVE, 0, resource=0, order=0, quantity=4.0, value=1),
        row(5, Kind.DEPART, 0, resource=0, order=1, quantity=4.0),
        row(6, Kind.ARRIVE, 2, resource=0, order=1, quantity=4.0, value=1),
    ]
    world = toy_world(stock=((0,), (9,), (0,)))
    found = values(rows, world, rulings)
    assert found["turns_units", "r0"] == 4
    assert found["running_cost_bn_vnd", "all"] == pytest.approx(0.01 * 4 * 9)
    flows = flow_table(measure(run_of(rows, rulings), world), layout_of(world))
    cost = flows[1].sum(axis=(0, 1, 2))
    assert cost == pytest.approx([0.01 * 4 * 4, 0.0, 0.01 * 4 * 5])


def test_released_teams_stop_costing():
    army = toy_world().mechanism_index["army"]
    rulings = [
        ruling(0, OrderKind.MOBILISE, place=0, mechanism=army, source=0),
        ruling(1, OrderKind.RETURN, place=0, home=2, source=0),
    ]
    rows = [
        row(1, Kind.DEPART, 0, resource=0, order=0, quantity=2.0),
        row(2, Kind.ARRIVE, 0, resource=0, order=0, quantity=2.0, value=2),
        row(4, Kind.DEPART, 0, resource=0, order=1, quantity=2.0),
        row(5, Kind.ARRIVE, -1, resource=0, order=1, quantity=2.0, value=2),
    ]
    found = values(rows, toy_world(), rulings)
    assert found["running_cost_bn_vnd", "all"] == pytest.approx(0.01 * 2 * 4)


def test_visitors_are_used_before_own_teams():
    army = toy_world().mechanism_index["army"]
    rulings = [ruling(0, OrderKind.MOBILISE, place=0, mechanism=army, source=0)]
    rows = [
        cover(0, 3, 1.0), cover(4, 0, 0.0),
        row(1, Kind.DEPART, 0, resource=0, order=0, quantity=7.0),
        row(2, Kind.ARRIVE, 0, resource=0, order=0, quantity=7.0, value=-1),
    ]  # fmt: skip
    world = toy_world()
    found = values(rows, world, rulings)
    # own: 10 a day for two days, then 3 a day; the seven cost from day 1 to day 10
    assert found["running_cost_bn_vnd", "all"] == pytest.approx(0.01 * (20 + 6 + 63))
    measured, layout = measure(run_of(rows, rulings), world), layout_of(world)
    own = layout.funds.index("own_stock"), layout.local
    assert flow_table(measured, layout)[0][own][0, 0] == 10
    # served by the army: 7 of 10 from day 2 on
    assert measured.served_by[army].tolist() == [0, 0, 7000, 7000, 0, 0, 0, 0, 0, 0]


def test_waiting_counts_only_orders_that_somebody_signs():
    rulings = [
        ruling(0, OrderKind.DECLARE, place=0, desk=0),
        ruling(1, OrderKind.DECLARE, place=0, desk=0),
        ruling(2, OrderKind.RETURN, place=0),
    ]
    rows = [
        row(1, Kind.APPROVED, order=0, value=1.0), row(1, Kind.APPROVED, order=1, value=3.0),
        row(1, Kind.APPROVED, order=2, value=0.0),
    ]  # fmt: skip
    assert values(rows, toy_world(), rulings)["approval_wait_days", "all"] == 2.0


def test_help_that_nobody_requires_is_measured_too():
    world = toy_world(requirement_per_100k=(0.0,))
    rulings = [ruling(0, OrderKind.MOBILISE, place=0, mechanism=0, source=0)]
    rows = [
        cover(0, 3, 1.0), row(1, Kind.DEPART, 0, resource=0, order=0, quantity=7.0),
        row(2, Kind.ARRIVE, 0, resource=0, order=0, quantity=7.0, value=-1),
    ]  # fmt: skip
    measured, layout = measure(run_of(rows, rulings), world), layout_of(world)
    assert measured.served_by.sum() == measured.served_by[layout.local].sum() == 10 * 10_000


# --- money and supplies ------------------------------------------------------------------------


def test_an_account_pays_with_the_money_it_got():
    """An account of 100 with 300 drawn from the reserve pays 3 in 4 with reserve money."""
    world = toy_world()
    world = replace(world, funds=(
        Fund("a", "account", 0, 100.0), Fund("b", "account", 1, 100.0),
        Fund("r", "reserve", 0, 900.0), Fund("s", "reserve", 1, 900.0),
    ))  # fmt: skip
    index = world.mechanism_index
    rulings = [
        ruling(0, OrderKind.DRAW, place=0, mechanism=index["grant"], fund=2),
        ruling(1, OrderKind.MOBILISE, place=0, mechanism=index["army"], source=0, fund=0),
    ]
    rows = [
        row(1, Kind.HANDOVER, order=0, quantity=300.0, value=300.0),
        row(1, Kind.CREDIT, order=0, quantity=300.0),
        row(2, Kind.HANDOVER, resource=0, order=1, quantity=5.0, value=8.0),
    ]
    found = values(rows, world, rulings)
    assert found["spent_by_fund_bn_vnd", "account"] == pytest.approx(2.0)
    assert found["spent_by_fund_bn_vnd", "reserve"] == pytest.approx(6.0)
    assert found["spent_by_mechanism_bn_vnd", "army"] == pytest.approx(8.0)
    assert found["spent_by_mechanism_bn_vnd", "grant"] == 0.0, "drawing is not spending"
    assert found["cost_bn_vnd", "all"] == pytest.approx(8.0)


def supplies_world():
    shop = toy_mechanism(
        "shop", Effect.GOODS, 2, supplies=(toy_supply(0, 2, unit_cost_bn_vnd=0.12),)
    )
    world = toy_world(is_team=(False,), stock=((50.0,), (50.0,)))
    return replace(world, mechanisms=(*world.mechanisms, shop))


@pytest.mark.parametrize(
    ("used", "replaced"), [(20.0, 0.0), (30.0, 0.0), (42.0, 12.0)], ids=["less", "all", "more"]
)
def test_bought_supplies_are_not_paid_twice(used, replaced):
    world = supplies_world()
    shop = world.mechanism_index["shop"]
    rulings = [ruling(0, OrderKind.MOBILISE, place=0, mechanism=shop, source=0)]
    rows = [
        row(1, Kind.DEPART, 0, resource=0, order=0, quantity=30.0),
        row(2, Kind.ARRIVE, 0, resource=0, order=0, quantity=30.0, value=-1),
        row(5, Kind.CONSUME, 0, resource=0, quantity=used),
    ]
    found = values(rows, world, rulings)
    assert found["supplies_used_bn_vnd", "all"] == pytest.approx(0.1 * used)
    assert found["supplies_replaced_bn_vnd", "all"] == pytest.approx(0.1 * replaced)
    assert found["running_cost_bn_vnd", "all"] == 0.0


# 30 units bought for the first place, some used there, some sent on to the second, some used here
# and there afterwards: what had not been bought is replaced, wherever it was used.
@pytest.mark.parametrize(
    ("before", "sent_on", "after", "there", "owned_here", "owned_there", "given"),
    [
        (0.0, 30.0, 0.0, 30.0, 0.0, 0.0, 0.0),
        (0.0, 30.0, 12.0, 30.0, 12.0, 0.0, 0.0),
        (0.0, 20.0, 12.0, 20.0, 2.0, 0.0, 0.0),
        (20.0, 25.0, 0.0, 10.0, 0.0, 0.0, 0.0),
        (20.0, 25.0, 0.0, 25.0, 0.0, 0.0, 15.0),
        (40.0, 25.0, 0.0, 25.0, 10.0, 0.0, 25.0),
        (0.0, 40.0, 0.0, 45.0, 0.0, 5.0, 10.0),
    ],
    ids=["all", "own_after", "part", "own_too", "own_too_used", "only_own", "more_than_sent"],
)
def test_bought_supplies_that_are_sent_on_are_not_paid_twice(
    before, sent_on, after, there, owned_here, owned_there, given
):
    world = supplies_world()
    index = world.mechanism_index
    aid = index["mutual_aid"]
    rulings = [
        ruling(0, OrderKind.MOBILISE, place=0, mechanism=index["shop"], source=0),
        ruling(1, OrderKind.MOVE, place=1, mechanism=aid, source=0),
    ]
    rows = [
        row(1, Kind.DEPART, 0, resource=0, order=0, quantity=30.0),
        row(2, Kind.ARRIVE, 0, resource=0, order=0, quantity=30.0, value=-1),
        row(3, Kind.CONSUME, 0, resource=0, quantity=before),
        row(3, Kind.DEPART, 0, resource=0, order=1, quantity=sent_on),
        row(4, Kind.ARRIVE, 1, resource=0, order=1, quantity=sent_on, value=-1),
        row(5, Kind.CONSUME, 0, resource=0, quantity=after),
        row(5, Kind.CONSUME, 1, resource=0, quantity=there),
    ]
    found = values(rows, world, rulings)
    replaced = 0.1 * (owned_here + owned_there + given)
    assert found["supplies_used_bn_vnd", "all"] == pytest.approx(0.1 * (before + after + there))
    assert found["supplies_replaced_bn_vnd", "all"] == pytest.approx(replaced)
    layout = layout_of(world)
    cost = flow_table(measure(run_of(rows, rulings), world), layout)[1]
    assert cost.sum() == pytest.approx(found["cost_bn_vnd", "all"])
    own, owner = layout.funds.index("own_stock"), layout.funds.index("owner_budget")
    assert cost[own, layout.local, 0] == pytest.approx([0.1 * owned_here, 0.1 * owned_there])
    assert cost[owner, aid, 0] == pytest.approx([0.0, 0.1 * given])


def test_bought_supplies_are_followed_through_every_hand():
    """Bought for the first place, sent to the second, the third and back: paid once."""
    world = toy_world(is_team=(False,), stock=((0.0,), (0.0,), (0.0,)))
    shop = toy_mechanism(
        "shop", Effect.GOODS, 3, supplies=(toy_supply(0, 3, unit_cost_bn_vnd=0.12),)
    )
    world = replace(world, mechanisms=(*world.mechanisms, shop))
    index, legs = world.mechanism_index, ((0, 1), (1, 2), (2, 0))
    rulings = [ruling(0, OrderKind.MOBILISE, place=0, mechanism=index["shop"], source=0)]
    rows = [row(1, Kind.DEPART, 0, resource=0, order=0, quantity=30.0)]
    for number, (source, place) in enumerate(legs, 1):
        rulings.append(
            ruling(
                number, OrderKind.MOVE, place=place, mechanism=index["mutual_aid"], source=source,
                home=3 if number == 2 else -1,  # supplies have no home, whatever an order says
            )
        )  # fmt: skip
        rows.append(row(1 + number, Kind.DEPART, source, resource=0, order=number, quantity=30.0))
    found = values([*rows, row(6, Kind.CONSUME, 0, resource=0, quantity=30.0)], world, rulings)
    assert found["supplies_used_bn_vnd", "all"] == pytest.approx(3.0)
    assert found["supplies_replaced_bn_vnd", "all"] == 0.0


# --- sums that must agree, on simulated runs ---------------------------------------------------


def busy(world):
    index = world.mechanism_index

    def decide(seen):
        if seen.day == 0:
            return [
                declare(0, 2), draw(index["grant"], 0, 50.0), mobilise(index["army"], 2, 0, 7.0),
                move(1, 0, 0, 5.0), move(1, 0, 1, 20.0), mobilise(index["army"], 0, 1, 9.0),
            ]  # fmt: skip
        if seen.day == 4:
            return [move(0, 2, 0, 2.0, home=1)]
        return [send_home(0, 0, 5.0, 1), send_home(2, 0, 7.0)] if seen.day == 6 else []

    return decide


def busy_world(**more):
    return toy_world(
        stock=((5.0, 9.0), (10.0, 100.0), (3.0, 20.0)), is_team=(True, False),
        requirement_per_100k=(100.0, 50.0),
        injects=(Inject(0, 3, 1.25), Inject(1, 2, 2.5), Inject(2, 3, 3.0)),
        links=((0, 1, 0.7, 1.5), (1, 2, 0.7, 1.5)),
        threats=toy_threats(distribution="exponential", escalation_days=(6.0, 6.0, math.inf)),
        **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def busy_runs():
    world, policy = busy_world(), Policy("busy", busy)
    return world, [simulate(world, policy, Luck(3, DrawSet.EVALUATION, n)) for n in range(12)]


def test_flows_add_up_to_all_cost(busy_runs):
    world, runs = busy_runs
    for run in runs:
        cost = {(m, k): v for m, k, v in outcomes_of(run, world)}["cost_bn_vnd", "all"]
        assert cost > 0
        assert measure(run, world).flow_cost.sum() == pytest.approx(cost, abs=1e-12)


def test_days_and_places_add_up_to_the_whole(busy_runs):
    world, runs = busy_runs
    for run in runs:
        measured = measure(run, world)
        places = dict(zip(PLACE_METRICS, measured.places.T, strict=True))
        _, need, served, unmet = measured.daily
        assert need.sum() == pytest.approx(places["need_person_days"].sum())
        assert served.sum() == pytest.approx(places["served_person_days"].sum())
        assert unmet == pytest.approx(need - served)
        assert measured.map_days[2].sum(axis=0) == pytest.approx(need)
        assert measured.served_by.sum(axis=0) == pytest.approx(served)
        assert (measured.served_by > -1e-9).all()
        assert (measured.map_days[0] < 1 + 1e-9).all()


def test_unmet_need_is_told_alike_by_metric_and_by_place(busy_runs):
    world, runs = busy_runs
    for run in runs:
        found = {(m, k): v for m, k, v in outcomes_of(run, world)}
        by_place = measure(run, world).required[1].sum(axis=0)
        assert found["unmet_need_unit_days", "r0"] == pytest.approx(by_place[0])
        assert found["unmet_need_unit_days", "r1"] == pytest.approx(by_place[1])


def test_required_at_once_and_in_all():
    world = busy_world()
    rows = [cover(1, 3, 0.5), cover(2, 3, 0.5), cover(3, 1, 0.0), cover(5, 0, 0.0)]
    required = measure(run_of(rows), world).required
    assert required[0, 0].tolist() == pytest.approx([10.0, 5.0 * 2 + 0.5 * 2])
    assert required[1, 0].tolist() == pytest.approx([5.0 * 2 + 1.0 * 2, 2.5 * 2 + 0.5 * 2])


def test_streaming_is_batch(busy_runs):
    """Merged tallies equal plain means and deviations, however the runs are split."""
    world, runs = busy_runs
    measured = [measure(run, world) for run in runs]
    whole = merge_all(tally(one) for one in measured)
    parts = [merge_all(tally(one) for one in part) for part in (measured[:5], measured[5:])]
    for made in (whole, merged(*parts)):
        places = np.array([one.places for one in measured])
        assert made.count == len(runs)
        assert made.places.mean == pytest.approx(np.nanmean(places, axis=0))
        squares = np.nansum((places - np.nanmean(places, axis=0)) ** 2, axis=0)
        assert made.places.squares == pytest.approx(squares)
        assert made.map_days == pytest.approx(sum(one.map_days for one in measured))
        flows = sum(flow_table(one, layout_of(world))[1] for one in measured).ravel()
        assert made.flow_cost == pytest.approx(flows[made.flow_slot])
        assert made.flow_cost.sum() == pytest.approx(flows.sum())


# --- against a plain replay of the trace, row by row -------------------------------------------


def at_random(seed):
    """Mobilise, move, forward and send home at random, whatever is free."""
    rng = np.random.default_rng(seed)

    def some_order(world):
        places, none = world.nodes.n_places, world.nodes.n_places
        army = world.mechanism_index["army"]
        place, source = (int(p) for p in rng.choice(places, 2, replace=False))
        units, resource = float(rng.integers(1, 6)), int(rng.integers(2))
        home = int(rng.choice([each for each in range(places + 1) if each != source]))
        return [
            mobilise(army, place, resource, units), move(source, place, resource, units),
            move(source, place, 0, units, home=home), move(source, place, 0, units, home=home),
            send_home(source, 0, units, home), send_home(source, 0, units, none),
            serve(place, float(rng.random())),
        ][rng.integers(7)]  # fmt: skip

    def opened(world):
        return lambda _: [some_order(world) for _ in range(rng.integers(4))]

    return Policy("random", opened)


def replayed(run, world, posted=(0.0, 0.0, 0.0)):
    """Team-days of own teams in use and of teams away, by plain bookkeeping.

    Teams posted before day 0 are used first, as visitors are; their days are paid beforehand.
    """
    places, horizon = world.nodes.n_places, world.horizon_days
    teams = np.zeros((places, places + 1))
    teams[np.arange(places), np.arange(places)] = world.resources.stock[:, 0]
    use = np.zeros(len(world.cells))
    own_days = away_days = created = 0.0
    away, before = 0.0, 0.0
    sent = {}
    for each in run.trace:
        now = each["tick"] / ticks(1)
        for place in range(places):
            in_use = use[world.cells.place == place].sum()
            visitors = teams[place].sum() - teams[place, place] + posted[place]
            own_days += (now - before) * max(0.0, in_use - visitors)
        away_days += (now - before) * away
        before = now
        units, node = each["quantity"], each["node"]
        if each["kind"] == Kind.COVERAGE:
            cell = world.cells.of[node, each["threat"]]
            required = world.cells.requirement[cell, int(units) - 1, 0] if units else 0.0
            use[cell] = required * each["value"]
        if each["resource"] != 0:
            continue
        order = run.rulings[each["order"]].order if each["order"] >= 0 else None
        if each["kind"] == Kind.DEPART:
            home = order.home if order.home >= 0 else places
            home = node if order.kind is OrderKind.MOVE and order.home < 0 else home
            if order.kind is OrderKind.MOBILISE:
                created, away = created + units, away + units
            else:
                teams[node, home] -= units
                away += units * (home == node)
            sent[each["order"]] = home
        if each["kind"] == Kind.ARRIVE:
            home = sent[each["order"]]
            away -= units * (node == home or node < 0)
            created -= units * (node < 0)
            if node >= 0:
                teams[node, home] += units
        assert (teams > -1e-9).all()
    for place in range(places):
        in_use = use[world.cells.place == place].sum()
        visitors = teams[place].sum() - teams[place, place] + posted[place]
        own_days += (horizon - before) * max(0.0, in_use - visitors)
    return own_days, away_days + (horizon - before) * away


def test_running_cost_is_that_of_a_plain_replay():
    """120 random books of orders, forwarded and released teams included."""
    world = busy_world()
    forwarded = released = 0
    for seed in range(120):
        run = simulate(world, at_random(seed), Luck(seed, DrawSet.EVALUATION, 0))
        own, away = replayed(run, world)
        found = {(m, k): v for m, k, v in outcomes_of(run, world)}
        assert found["running_cost_bn_vnd", "all"] == pytest.approx(0.01 * (own + away))
        flows = measure(run, world).flow_cost.sum()
        assert flows == pytest.approx(found["cost_bn_vnd", "all"])
        moved = [r for r in run.rulings if r.granted and r.order.kind is OrderKind.MOVE]
        forwarded += sum(r.order.home not in (-1, r.order.source) for r in moved)
        released += int((run.trace["node"][run.trace["kind"] == Kind.ARRIVE] < 0).sum())
    assert forwarded > 15 and released > 15, "the case must happen to be tested"


def test_running_cost_leaves_out_the_days_of_posted_teams():
    """The same books, after two teams were posted from the second place to the first."""
    terms = PreparationTerms((MoneySource("budget", 9.0),))
    world, posted = replace(busy_world(), terms=terms), (2.0, 0.0, 0.0)
    saved = 0.0
    for seed in range(40):
        policy = replace(at_random(seed), prepare=two_posted)
        run = simulate(world, policy, Luck(seed, DrawSet.EVALUATION, 0))
        ready = prepared(world, run.preparation)
        own, away = replayed(run, ready, posted)
        found = {(m, k): v for m, k, v in outcomes_of(run, world)}
        assert found["running_cost_bn_vnd", "all"] == pytest.approx(0.01 * (own + away))
        assert found["preparation_cost_bn_vnd", "posted"] == pytest.approx(2 * (0.002 + 0.1))
        flows = measure(run, world).flow_cost.sum()
        assert flows == pytest.approx(found["cost_bn_vnd", "all"])
        saved += replayed(run, ready)[0] - own
    assert saved > 10.0, "the case must happen to be tested"


def two_posted(world):
    return Preparation(np.zeros_like(world.resources.stock), ((1, 0, 0, 2.0),))


def lived(run, world):
    """What places live through, instant by instant: by day, and the most of it that lasted."""
    cells, places, days = world.cells, world.nodes.n_places, world.horizon_days
    severity, coverage = np.zeros(len(cells), dtype=np.int64), np.zeros(len(cells))
    by_day = np.zeros((4, places, days))
    required, peak, incidents, active = 0.0, np.zeros(places), np.zeros(places), 0
    own = cells.node < places
    rows = run.trace[run.trace["kind"] == Kind.COVERAGE]
    instants = np.unique(rows["tick"]).tolist()
    for now, then in zip(instants, [*instants[1:], ticks(days)], strict=True):
        for each in rows[rows["tick"] == now]:
            cell, before = cells.of[each["node"], each["threat"]], severity.copy()
            severity[cell], coverage[cell] = each["quantity"], each["value"]
            incidents[cells.place[cell]] += before[cell] == 0 and severity[cell] > 0
        ill = np.flatnonzero(severity)
        level = severity[ill] - 1
        units, lasting = np.zeros((places, len(world.resources.name))), np.zeros((4, places))
        np.add.at(units, cells.place[ill], cells.requirement[ill, level])
        np.maximum.at(lasting[1], cells.place[own], severity[own])
        lasting[0] = lasting[1] > 0
        np.add.at(lasting[2], cells.place[ill], cells.exposed[ill, level])
        np.add.at(lasting[3], cells.place[ill], cells.exposed[ill, level] * coverage[ill])
        required, peak = np.maximum(required, units), np.maximum(peak, lasting[1])
        active = max(active, len(ill))
        for day in range(days):
            part = min(then, ticks(day + 1)) - max(now, ticks(day))
            by_day[:, :, day] += lasting * max(0, part) / ticks(1)
    return by_day, required, peak, incidents, active


@pytest.mark.parametrize("scenario", ["toy", "cyber_outage"])
def test_what_places_live_through_is_that_of_a_plain_replay(busy_runs, scenario):
    """Twelve toy runs, and a shipped world with agencies that sit in places."""
    world, runs = busy_runs
    if scenario != "toy":
        world = shipped(scenario)
        runs = [simulate(world, Policy("idle", lambda _: lambda _: []), LUCK)]
        hit = runs[0].trace["node"][runs[0].trace["kind"] == Kind.COVERAGE]
        assert (hit >= world.nodes.n_places).any(), "agencies must be hit to be told apart"
    for run in runs:
        measured = measure(run, world)
        by_day, required, peak, incidents, active = lived(run, world)
        assert measured.map_days == pytest.approx(by_day)
        teams = world.resources.is_team
        assert measured.required[0][:, teams] == pytest.approx(required[:, teams])
        places = dict(zip(PLACE_METRICS, measured.places.T, strict=True))
        assert (places["peak_severity"] == peak).all()
        assert (places["incidents"] == incidents).all()
        found = {(m, k): v for m, k, v in outcomes_of(run, world)}
        assert found["peak_active", "all"] == active


# --- pieces ------------------------------------------------------------------------------------


def test_gini_by_hand():
    assert gini(np.array([1.0, 1.0]), np.array([3.0, 1.0])) == 0.0
    # one of two equal groups has everything: 1/2
    assert gini(np.array([0.0, 1.0]), np.array([1.0, 1.0])) == pytest.approx(0.5)
    # a tenth of the people has everything: 0.9
    assert gini(np.array([0.0, 1.0]), np.array([9.0, 1.0])) == pytest.approx(0.9)
    assert gini(np.array([0.0, 0.0]), np.array([1.0, 1.0])) == 0.0
    assert math.isnan(gini(np.array([]), np.array([])))


spell = st.tuples(
    st.integers(0, 640), st.integers(0, 640), st.integers(0, 2), st.floats(0.0, 1e6)
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(spell, max_size=12))
def test_daily_integrals_are_overlaps(spells):
    """Against the overlap of every spell with every day, computed one by one."""
    starts = np.array([min(a, b) / 64 for a, b, _, _ in spells])
    ends = np.array([max(a, b) / 64 for a, b, _, _ in spells])
    group = np.array([g for _, _, g, _ in spells], dtype=np.int64)
    amount = np.array([x for _, _, _, x in spells])
    found = daily_integral(starts, ends, amount[:, None], group, 3, 10)[0]
    expected = np.zeros((3, 10))
    for start, end, where, x in zip(starts, ends, group, amount, strict=True):
        for day in range(10):
            expected[where, day] += x * max(0.0, min(end, day + 1) - max(start, day))
    assert found == pytest.approx(expected, abs=1e-6)
