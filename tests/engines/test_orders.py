"""What an order gets and how it is carried out: every refusal, lead, road and return by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Order, declare, draw, mobilise, move, send_home, serve
from nts_sim.engine.session import LocalSession
from nts_sim.testing import (
    toy_desk,
    toy_roads,
    toy_supply,
    toy_threats,
    toy_world,
)
from nts_sim.trace.model import Kind
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.links import road_legs
from nts_sim.world.model import Fund, Trigger, World
from tests.engines.helpers import (
    ARMY,
    GRANT,
    LEVEL,
    LUCK,
    audit,
    changed,
    days_of,
    inject,
    only,
    open_session,
    play,
    ruled,
    watch,
    with_desk,
    with_fund,
)

PEOPLE_PER_TEAM = 30


def provinces(*stock: float, **settings: object) -> World:
    """Make a row of quiet provinces, each with the given teams."""
    return toy_world(stock=[(units,) for units in stock], **settings)  # type: ignore[arg-type]


def army(world: World, **supply: object) -> World:
    """Change what the army supplies (one resource)."""
    return changed(world, "army", supplies=(toy_supply(0, world.nodes.n_places, **supply),))


# --- force turns ----------------------------------------------------------------------------------


def test_1070_teams_of_30_posted_once_are_32100_turns() -> None:
    """1 070 teams sent once, in three orders, are 1 070 departures: 32 100 people-turns."""
    world = provinces(0.0, 500.0, 570.0)
    run = play(world, {0.0: [move(1, 0, 0, 500), move(2, 0, 0, 300)], 2.0: [move(2, 0, 0, 270)]})
    departures = only(run.trace, Kind.DEPART)["quantity"].sum()
    assert departures == 1070
    assert departures * PEOPLE_PER_TEAM == 32_100
    assert only(run.trace, Kind.ARRIVE)["quantity"].sum() == 1070
    audit(world, run)


def test_mobilised_in_tranches_1070_teams_are_still_1070_departures() -> None:
    world = changed(provinces(0.0), "army", ramp=((0, 0.1), (1, 0.37), (3, 1.0)))
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 1070)]})
    assert only(run.trace, Kind.DEPART)["quantity"].tolist() == [107.0, 288.0, 675.0]
    assert only(run.trace, Kind.DEPART)["quantity"].sum() * PEOPLE_PER_TEAM == 32_100


# --- ceilings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("supply", "expected"),
    [
        ({"ceiling": 10.0, "scope": "national"}, [6, (4, "ceiling"), (0, "ceiling")]),
        ({"ceiling": 10.0, "scope": "place"}, [6, 6, (4, "ceiling")]),
        ({"ceiling": 5.0, "scope": "decision"}, [(5, "ceiling"), (5, "ceiling"), (5, "ceiling")]),
        ({"ceiling": 6.0, "scope": "decision"}, [6, 6, 6]),
        ({"place_ceiling": np.array([7.0, 2.0])}, [6, (2, "ceiling"), (1, "ceiling")]),
        ({"hub_stock": {1: 8.0}}, [6, (2, "ceiling"), (0, "ceiling")]),
        ({"ceiling": 7.0, "hub_stock": {1: 80.0}}, [6, (1, "ceiling"), (0, "ceiling")]),
    ],
)  # fmt: skip
def test_ceilings_of_goods(supply: dict, expected: list) -> None:
    """Six for place 0, six for place 1, six more for place 0."""
    run = play(
        army(provinces(0.0, 0.0), **supply), {0.0: [mobilise(ARMY, p, 0, 6) for p in (0, 1, 0)]}
    )
    assert ruled(run) == [x if isinstance(x, tuple) else (x, None) for x in expected]


def test_ceilings_hold_over_epochs() -> None:
    world = army(provinces(0.0, 0.0), ceiling=10.0)
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 6)], 4.0: [mobilise(ARMY, 1, 0, 6)]})
    assert ruled(run) == [(6, None), (4, "ceiling")]


def test_the_donor_keeps_what_it_requires_and_lends_its_share_of_the_rest() -> None:
    """50 own, 10 required at severity 3: 30 % of 40 may be away at any time, 12 in all."""
    world = provinces(0.0, 50.0, 0.0, injects=[inject(1, 3)])
    world = changed(world, "mutual_aid", donor_share=0.3)
    plan = {
        0.0: [move(1, 0, 0, 7), move(1, 2, 0, 7), move(1, 0, 0, 1)],
        1.0: [move(1, 0, 0, 1)],
        2.0: [send_home(2, 0, 5, home=1)],
        3.0: [move(1, 0, 0, 9)],
    }
    run = play(world, plan)
    assert ruled(run) == [
        (7, None), (5, "ceiling"), (0, "ceiling"), (0, "ceiling"), (5, None), (5, "ceiling"),
    ]  # fmt: skip


def test_teams_on_their_way_home_are_still_away() -> None:
    """Sent home on day 2, five teams are back on day 3: nothing more may leave before."""
    world = changed(provinces(0.0, 50.0), "mutual_aid", donor_share=0.1)
    plan = {
        0.0: [move(1, 0, 0, 5)],
        2.0: [send_home(0, 0, 5, home=1), move(1, 0, 0, 1)],
        3.0: [move(1, 0, 0, 1)],
    }
    assert ruled(play(world, plan)) == [(5, None), (5, None), (0, "ceiling"), (1, None)]


def test_sending_home_teams_that_are_at_home_is_no_way_round_the_donor_share() -> None:
    world = changed(provinces(0.0, 50.0), "mutual_aid", donor_share=0.1)
    plan = {0.0: [send_home(1, 0, 20, home=1)], 2.0: [move(1, 0, 0, 50)]}
    assert ruled(play(world, plan))[1] == (5, "ceiling")


def test_teams_moved_back_home_are_no_longer_away() -> None:
    """Visitors forwarded to their own home are at home: the donor may lend them again."""
    world = changed(provinces(0.0, 50.0), "mutual_aid", donor_share=0.1)
    plan = {0.0: [move(1, 0, 0, 5)], 2.0: [move(0, 1, 0, 5, home=1)], 4.0: [move(1, 0, 0, 5)]}
    assert ruled(play(world, plan)) == [(5, None)] * 3


def test_visitors_are_forwarded_free_of_the_ceiling() -> None:
    """Place 1 may lend nothing of its own; teams of place 2 and of the army may pass through."""
    world = provinces(0.0, 10.0, 30.0)
    to_one = {0.0: [move(2, 1, 0, 8), mobilise(ARMY, 1, 0, 4)]}
    onward = [move(1, 0, 0, 8, home=2), move(1, 0, 0, 4, home=3), move(1, 0, 0, 1)]
    world = changed(world, "mutual_aid", donor_share=0.3)
    busy = replace(world, hazard=toy_world(injects=[inject(1, 3, 1.0)]).hazard)
    run = play(busy, to_one | {1.0: onward})
    assert ruled(run)[2:] == [(8, None), (4, None), (0, "ceiling")]
    assert only(run.trace, Kind.ARRIVE, node=0)["value"].tolist() == [2.0, 3.0]


def test_only_what_is_there_and_free_can_be_sent() -> None:
    world = provinces(5.0, 0.0, 0.0)
    plan = {0.0: [move(0, 1, 0, 4), move(0, 2, 0, 4), move(0, 2, 0, 4, home=1), move(2, 1, 0, 1)]}
    got = ruled(play(world, plan))
    assert [granted for granted, _ in got] == [4, 1, 0, 0]
    assert all(reason in ("stock", "ceiling") for _, reason in got[1:])


def test_units_are_whole() -> None:
    world = changed(provinces(10.0, 0.0), "mutual_aid", donor_share=0.37)
    assert ruled(play(world, {0.0: [move(0, 1, 0, 9)]})) == [(3, "ceiling")]
    run = play(provinces(10.0, 0.0), {0.0: [mobilise(ARMY, 0, 0, 1.5), move(0, 1, 0, 2.7)]})
    assert [r.granted for r in run.rulings] == [1, 2]


def test_a_resource_may_come_in_parts() -> None:
    world = provinces(10.0, 0.0)
    parts = replace(world.resources, whole_units=np.array([False]))
    run = play(replace(world, resources=parts), {0.0: [move(0, 1, 0, 2.75)]})
    assert ruled(run) == [(2.75, None)]


# --- triggers -------------------------------------------------------------------------------------


def triggered(plan: dict, trigger: Trigger, **settings: object) -> list[tuple[float, str | None]]:
    """Rulings on army orders only, under a trigger."""
    world = changed(provinces(0.0, 0.0, **settings), "army", trigger=trigger)
    return [
        (r.granted, r.refusal and r.refusal.value)
        for r in play(world, plan).rulings
        if r.mechanism == ARMY
    ]


def test_trigger_min_severity() -> None:
    """Worst severity active at the place asked for: 2 until day 4, then 1."""
    plan = {day: [mobilise(ARMY, 0, 0, 1), mobilise(ARMY, 1, 0, 1)] for day in (0.0, 3.0, 4.0)}
    no, yes = (0.0, "trigger"), (1.0, None)
    assert triggered(plan, Trigger(min_severity=2), injects=[inject(0, 2)]) == [
        yes, no, yes, no, no, no,
    ]  # fmt: skip


def test_trigger_min_severity_counts_what_is_forewarned() -> None:
    """An onset of severity 3 on day 5 is forewarned two days ahead, from day 3."""
    world = changed(
        provinces(0.0, injects=[inject(0, 3, 5.0)]), "army", trigger=Trigger(min_severity=3)
    )
    world = replace(world, hazard=replace(world.hazard, warning_days=np.array([2.0])))
    plan = {day: [mobilise(ARMY, 0, 0, 1)] for day in (2.0, 3.0, 4.0, 5.0, 9.0)}
    assert [granted for granted, _ in ruled(play(world, plan))] == [0, 1, 1, 1, 0]


def test_trigger_declared_level() -> None:
    """A level declared and signed on day 1 opens the trigger at the next epoch, there only."""
    plan = {
        0.0: [mobilise(ARMY, 0, 0, 1)],
        1.0: [declare(0, 2)],
        2.0: [mobilise(ARMY, 0, 0, 1), mobilise(ARMY, 1, 0, 1)],
    }
    assert triggered(plan, Trigger(declared_level=2)) == [
        (0, "trigger"), (1, None), (0, "trigger"),
    ]  # fmt: skip
    assert triggered(plan, Trigger(declared_level=3))[1] == (0, "trigger")


def test_a_level_counts_when_it_is_signed() -> None:
    world = changed(provinces(0.0), "army", trigger=Trigger(declared_level=1))
    world = with_desk(world, approval_days=2.5)
    world = replace(world, mechanisms=tuple(
        replace(m, desk=np.array([1])) if m.name == "army" else m for m in world.mechanisms
    ), desks=(*world.desks, toy_desk()))  # fmt: skip
    plan = {day: [mobilise(ARMY, 0, 0, 1)] for day in (1.0, 2.0, 3.0)}
    run = play(world, {0.0: [declare(0, 1)], **plan})
    assert [granted for granted, _ in ruled(run)] == [1, 0, 0, 1]
    assert days_of(only(run.trace, Kind.LEVEL)) == [2.5]


def test_trigger_days_since_onset() -> None:
    """Two days after the onset on day 1, and not after the incident is over on day 5."""
    plan = {day: [mobilise(ARMY, 0, 0, 1)] for day in (0.0, 2.0, 3.0, 4.0, 5.0)}
    granted = [
        g for g, _ in triggered(plan, Trigger(days_since_onset=2.0), injects=[inject(0, 1, 1.0)])
    ]
    assert granted == [0, 0, 1, 1, 0]


def test_trigger_after_fund() -> None:
    """Open once the reserve of the place has less than 1 bn open; commitments count."""
    world = with_fund(provinces(0.0, 0.0), "reserve", 0, balance_bn_vnd=100.0)
    world = changed(world, "army", trigger=Trigger(after_fund="reserve"))
    plan = {
        0.0: [draw(GRANT, 0, 99.0), mobilise(ARMY, 0, 0, 1)],
        1.0: [draw(GRANT, 0, 0.5), mobilise(ARMY, 0, 0, 1), mobilise(ARMY, 1, 0, 1)],
    }
    assert [(g, why) for g, why in ruled(play(world, plan))] == [
        (99, None), (0, "trigger"), (0.5, None), (1, None), (0, "trigger"),
    ]  # fmt: skip


def test_trigger_max_uses() -> None:
    """Refused orders do not count as uses."""
    plan = {
        0.0: [mobilise(ARMY, 0, 0, 0), mobilise(ARMY, 0, 0, 1)],
        1.0: [mobilise(ARMY, 1, 0, 1), mobilise(ARMY, 1, 0, 1)],
    }
    assert [g for g, _ in triggered(plan, Trigger(max_uses=2))] == [0, 1, 1, 0]


# --- who may and what for -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (mobilise(GRANT, 0, 0, 1), "ready"), (mobilise(LEVEL, 0, 0, 1), "ready"),
        (draw(ARMY, 0, 1.0), "ready"), (draw(LEVEL, 0, 1.0), "ready"),
        (move(0, 0, 0, 1), "authority"), (move(0, 2, 0, 1), "authority"),
        (move(2, 0, 0, 1), "authority"), (move(-1, 0, 0, 1), "authority"),
        (mobilise(ARMY, 2, 0, 1), "authority"), (mobilise(ARMY, -1, 0, 1), "authority"),
        (draw(GRANT, 7, 1.0), "authority"), (declare(9, 1), "authority"),
        (send_home(-1, 0, 1), "authority"), (send_home(0, 0, 1), "stock"),
        (send_home(0, 0, 1, home=1), "stock"),
        (declare(0, 0), "trigger"), (declare(0, 4), "trigger"), (declare(0, -1), "trigger"),
        (serve(0, 0.5), "trigger"), (serve(0, -0.1), "trigger"),
    ],
)  # fmt: skip
def test_orders_nobody_may_give(order: Order, reason: str) -> None:
    """Two provinces of ten teams; nothing happens there."""
    assert ruled(play(provinces(10.0, 10.0), {0.0: [order]})) == [(0, reason)]


@pytest.mark.parametrize("target", [-0.1, 1.1, float("nan"), float("inf")])
def test_targets_are_shares(target: float) -> None:
    world = provinces(10.0, injects=[inject(0)])
    assert ruled(play(world, {0.0: [serve(0, target)]})) == [(0, "trigger")]


def test_a_disabled_mechanism_is_not_ready() -> None:
    for name, order in (
        ("level", declare(0, 1)), ("grant", draw(GRANT, 0, 1.0)),
        ("army", mobilise(ARMY, 0, 0, 1)), ("mutual_aid", move(1, 0, 0, 1)),
    ):  # fmt: skip
        world = changed(provinces(10.0, 10.0), name, enabled=False)
        assert ruled(play(world, {0.0: [order]})) == [(0, "ready")]


def test_a_level_is_declared_once_and_only_upwards() -> None:
    plan = {0.0: [declare(0, 2), declare(0, 2), declare(0, 1), declare(0, 3)], 1.0: [declare(0, 3)]}
    assert ruled(play(provinces(1.0), plan)) == [
        (2, None), (0, "trigger"), (0, "trigger"), (3, None), (0, "trigger"),
    ]  # fmt: skip


def test_orders_are_applied_by_kind_and_then_in_list_order() -> None:
    """Numbers tell the order of application: declare, draw, return, mobilise, move, serve."""
    world = provinces(10.0, 10.0, injects=[inject(0)])
    orders = [
        serve(0, 0.5), move(1, 0, 0, 1), mobilise(ARMY, 0, 0, 2), send_home(0, 0, 3),
        draw(GRANT, 0, 4.0), declare(0, 1), move(1, 0, 0, 5), declare(1, 1),
    ]  # fmt: skip
    run = play(world, {0.0: orders})
    assert [r.order for r in run.rulings] == [orders[i] for i in (5, 7, 4, 3, 2, 1, 6, 0)]
    assert [r.number for r in run.rulings] == list(range(8))


# --- money ----------------------------------------------------------------------------------------


def test_costs_are_fixed_plus_units_plus_travel() -> None:
    """2 + 5 × (0.3 + travel): teams pay 2 × 0.001 × 200 km / 100 km, return included."""
    world = army(provinces(0.0, 0.0, 0.0), hub_stock={2: 50.0}, unit_cost_bn_vnd=0.3)
    world = changed(world, "army", fixed_cost_bn_vnd=2.0)
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 5)]})
    assert run.rulings[0].cost_bn_vnd == pytest.approx(2.0 + 5 * (0.3 + 0.004))
    assert only(run.trace, Kind.HANDOVER)["value"].tolist() == [run.rulings[0].cost_bn_vnd]


def test_supplies_pay_one_way() -> None:
    world = toy_world(stock=((0.0,), (100.0,)), is_team=(False,))
    run = play(world, {0.0: [move(1, 0, 0, 50)]})
    assert run.rulings[0].cost_bn_vnd == pytest.approx(50 * 0.001)
    assert run.rulings[0].fund == 0  # the account of the place asked for


def test_an_order_gets_the_units_its_fund_can_pay() -> None:
    """10 bn open, 1 fixed, 2 a unit: 4 units; then nothing is left but 1."""
    world = with_fund(army(provinces(0.0), unit_cost_bn_vnd=2.0), "account", 0, balance_bn_vnd=10.0)
    world = changed(world, "army", fixed_cost_bn_vnd=1.0)
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 6), mobilise(ARMY, 0, 0, 1)]})
    assert ruled(run) == [(4, "fund"), (0, "fund")]
    assert [r.cost_bn_vnd for r in run.rulings] == [9.0, 0.0]


def test_a_fixed_cost_that_cannot_be_paid_buys_nothing() -> None:
    """Units that cost nothing themselves are still not had without the order's fixed cost."""
    world = changed(provinces(0.0), "army", fixed_cost_bn_vnd=0.2)
    for balance, expected in ((0.1, (0, "fund")), (0.2, (5, None))):
        poor = with_fund(world, "account", 0, balance_bn_vnd=balance)
        assert ruled(play(poor, {0.0: [mobilise(ARMY, 0, 0, 5)]})) == [expected]


def test_exactly_what_the_money_is_for_can_be_bought() -> None:
    """0.1 × 3 is more than 0.3 in binary; three are granted all the same."""
    world = army(provinces(0.0), unit_cost_bn_vnd=0.1)
    run = play(with_fund(world, "account", 0, balance_bn_vnd=0.3), {0.0: [mobilise(ARMY, 0, 0, 3)]})
    assert ruled(run) == [(3, None)]


def test_money_drawn_pays_at_the_next_epoch() -> None:
    world = with_fund(army(provinces(0.0), unit_cost_bn_vnd=1.0), "account", 0, balance_bn_vnd=0.0)
    plan = {0.0: [draw(GRANT, 0, 5.0)], 1.0: [mobilise(ARMY, 0, 0, 9)]}
    run = play(world, plan)
    assert ruled(run) == [(5, None), (5, "fund")]
    books = audit(world, run)
    assert books.balance.tolist() == [0.0, 995.0]


def test_draws_are_cut_by_their_ceiling_and_their_fund() -> None:
    world = changed(provinces(0.0), "grant", ceiling_bn_vnd=600.0)
    run = play(world, {0.0: [draw(GRANT, 0, 700.0), draw(GRANT, 0, 600.0), draw(GRANT, 0, 1.0)]})
    assert ruled(run) == [(600, "ceiling"), (400, "fund"), (0, "fund")]


def test_an_earmarked_fund_pays_for_nothing_else() -> None:
    world = army(provinces(0.0, 0.0), unit_cost_bn_vnd=1.0)
    for_aid = with_fund(world, "account", 0, earmark=frozenset({"mutual_aid"}))
    orders = {0.0: [mobilise(ARMY, 0, 0, 1), mobilise(ARMY, 1, 0, 1)]}
    assert ruled(play(for_aid, orders)) == [(0, "earmark"), (1, None)]
    for_army = with_fund(world, "account", 0, earmark=frozenset({"army"}))
    assert ruled(play(for_army, orders)) == [(1, None), (1, None)]
    reserve = with_fund(world, "reserve", 0, earmark=frozenset({"army"}))
    assert ruled(play(reserve, {0.0: [draw(GRANT, 0, 1.0)]})) == [(0, "earmark")]


def test_a_fund_lapses_when_its_period_ends() -> None:
    world = with_fund(provinces(0.0), "reserve", 0, closes_day=3.0)
    plan = {day: [draw(GRANT, 0, 10.0)] for day in (2.0, 3.0, 4.0)}
    assert ruled(play(world, plan)) == [(10, None), (0, "fund"), (0, "fund")]


def test_a_central_fund_is_charged_for_every_place() -> None:
    world = army(provinces(0.0, 0.0), unit_cost_bn_vnd=1.0)
    world = changed(world, "army", fund_kind="budget", fund_is_central=True)
    world = replace(world, funds=(*world.funds, Fund("budget", "budget", None, 7.0)))
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 4), mobilise(ARMY, 1, 0, 4)]})
    assert ruled(run) == [(4, None), (3, "fund")]
    assert {r.fund for r in run.rulings} == {4}


def test_a_mechanism_that_charges_nobody_is_free() -> None:
    """`fund_kind` None: nobody is charged (see `world.model.Mechanism`)."""
    world = changed(army(provinces(0.0), unit_cost_bn_vnd=1.0), "army", fund_kind=None)
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 4)]})
    assert ruled(run) == [(4, None)]
    assert run.rulings[0].cost_bn_vnd == 0.0


def test_a_mechanism_whose_fund_the_place_lacks_gets_nothing() -> None:
    world = changed(army(provinces(0.0), unit_cost_bn_vnd=1.0), "army", fund_kind="no_such_fund")
    assert ruled(play(world, {0.0: [mobilise(ARMY, 0, 0, 4)]})) == [(0, "fund")]
    world = changed(provinces(0.0), "grant", fund_kind="no_such_fund")
    assert ruled(play(world, {0.0: [draw(GRANT, 0, 4.0)]})) == [(0, "fund")]


# --- desks ----------------------------------------------------------------------------------------


def ladder(*delegations: float) -> tuple:
    """Desks above one another, each signing up to its delegation in a day; the last is the top."""
    last = len(delegations) - 1
    return tuple(
        toy_desk(name=f"desk {i}", delegation_bn_vnd=limit, approval_days=1.0 + i,
                 up=i + 1 if i < last else None)
        for i, limit in enumerate(delegations)
    )  # fmt: skip


def test_amounts_above_the_delegation_go_up_and_stop_at_the_top() -> None:
    world = replace(provinces(0.0), desks=ladder(10.0, 100.0, 500.0))
    orders = [draw(GRANT, 0, amount) for amount in (10.0, 10.5, 100.5, 500.5)]
    run = play(world, {0.0: orders})
    assert [r.desk for r in run.rulings[:3]] == [0, 1, 2]
    assert ruled(run)[3] == (0, "authority")
    approved = only(run.trace, Kind.APPROVED)
    assert days_of(approved) == approved["value"].tolist() == [1.0, 2.0, 3.0]


def test_one_server_signs_one_order_at_a_time_by_priority_and_number() -> None:
    """Priorities 2, 1, 1: the second order first, then the third; a later 0 overtakes nobody."""
    world = with_desk(provinces(0.0), approval_days=1.5, servers=1)
    asked = [mobilise(ARMY, 0, 0, q, priority=p) for q, p in ((1, 2), (2, 1), (3, 1))]
    late = mobilise(ARMY, 0, 0, 4, priority=0)
    run = play(world, {0.0: asked, 1.0: [late]})
    rows = only(run.trace, Kind.APPROVED)
    told = zip(days_of(rows), rows["quantity"].tolist(), rows["value"].tolist(), strict=True)
    assert list(told) == [
        (1.5, 2, 1.5), (3.0, 4, 2.0), (4.5, 3, 4.5), (6.0, 1, 6.0),
    ]  # fmt: skip


def test_c_servers_sign_c_orders_at_a_time() -> None:
    world = with_desk(provinces(0.0), approval_days=1.0, servers=3)
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 1) for _ in range(7)]})
    assert days_of(only(run.trace, Kind.APPROVED)) == [1.0] * 3 + [2.0] * 3 + [3.0]


def slow_desk(severity: int, day: float, stay: float) -> World:
    """One signature of three days at a desk whose host is hit."""
    world = provinces(
        0.0, injects=[inject(0, severity, day)], horizon_days=40,
        threats=replace(toy_threats(stay_days=(stay,) * 3), slows_desks=np.array([True])),
    )  # fmt: skip
    return with_desk(world, approval_days=3.0)


@pytest.mark.parametrize(("severity", "speed"), [(1, 0.6), (2, 0.3), (3, 0.1)])
def test_a_hit_on_the_host_slows_a_signature_in_progress(severity: int, speed: float) -> None:
    """Two of three days done when the host is hit on day 2; the last takes 1 / speed."""
    run = play(slow_desk(severity, 2.0, 100.0), {0.0: [mobilise(ARMY, 0, 0, 1)]})
    tick = only(run.trace, Kind.APPROVED)["tick"].tolist()
    assert tick == [2 * TICKS_PER_DAY + -(-TICKS_PER_DAY // speed)]


def test_a_signature_speeds_up_again_as_its_host_recovers() -> None:
    """Severity 3 on day 1, then 2, 1, 0 after five days each: 1 + 0.5 + 1.5 = 3 on day 11."""
    run = play(slow_desk(3, 1.0, 5.0), {0.0: [mobilise(ARMY, 0, 0, 1)]})
    assert only(run.trace, Kind.APPROVED)["tick"][0] / TICKS_PER_DAY == pytest.approx(11, abs=2e-5)


def test_a_signature_begun_while_the_host_is_down_is_slow_from_the_start() -> None:
    run = play(slow_desk(2, 0.0, 100.0), {1.0: [mobilise(ARMY, 0, 0, 1)]})
    assert only(run.trace, Kind.APPROVED)["tick"][0] / TICKS_PER_DAY == pytest.approx(11, abs=2e-5)


# --- handover, ramp, roads, muster ----------------------------------------------------------------


def test_lead_then_tranches_on_their_days() -> None:
    """Signed on day 0.5, handed over 1.25 later; tranches 0, 2 and 5 days on; 75 % in the end."""
    world = with_desk(provinces(0.0), approval_days=0.5)
    world = changed(world, "army", handover_days=1.25, ramp=((0, 0.25), (2, 0.5), (5, 0.75)))
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 10)]})
    assert days_of(only(run.trace, Kind.HANDOVER)) == [1.75]
    left, came = only(run.trace, Kind.DEPART), only(run.trace, Kind.ARRIVE)
    assert days_of(left) == [1.75, 3.75, 6.75]
    assert left["quantity"].tolist() == [2, 3, 2]  # 25, 50, 75 % of ten, rounded down in all
    assert days_of(came) == [2.0, 4.0, 7.0]
    audit(world, run)


def test_a_draw_is_credited_in_tranches() -> None:
    world = changed(provinces(0.0), "grant", handover_days=1.0, ramp=((0, 0.5), (3, 1.0)))
    run = play(world, {0.0: [draw(GRANT, 0, 80.0)]})
    credit = only(run.trace, Kind.CREDIT)
    assert (days_of(credit), credit["quantity"].tolist()) == ([1.0, 4.0], [40.0, 40.0])
    assert audit(world, run).balance.tolist() == [1080.0, 920.0]


def test_what_a_ramp_never_hands_over_is_not_paid() -> None:
    """One unit under a ramp that ends at a half: nothing whole is ever handed over."""
    world = changed(army(provinces(0.0), unit_cost_bn_vnd=3.0), "army", ramp=((0, 0.5),))
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 1)]})
    assert len(only(run.trace, Kind.DEPART)) == 0
    assert only(run.trace, Kind.HANDOVER)["value"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("km", "serves"), [(100.0, 1.0), (300.0, 1.0), (301.0, 2.0), (400.0, 2.0), (700.0, 2.0)]
)
def test_arrivals_serve_from_the_next_day_boundary(km: float, serves: float) -> None:
    """0.25 loading + km / 400: arriving at midnight sharp serves at that midnight."""
    world = replace(provinces(5.0, 0.0), roads=toy_roads(2, km))
    run = play(world, {0.0: [move(0, 1, 0, 5)]})
    assert days_of(only(run.trace, Kind.ARRIVE)) == [serves]
    assert only(run.trace, Kind.DEPART)["value"][0] == pytest.approx(0.25 + km / 400.0)
    assert run.rulings[0].expected_day == pytest.approx(0.25 + km / 400.0)


def stormy(severity: int, cell: int, day: float, km: float = 400.0) -> World:
    """Three provinces in a row; a storm that blocks roads."""
    blocks = replace(toy_threats(stay_days=(50.0,) * 3), blocks_roads=np.array([True]))
    world = provinces(
        20.0, 0.0, 0.0, injects=[inject(cell, severity, day)], threats=blocks, horizon_days=20
    )
    return replace(world, roads=toy_roads(3, km), cells=replace(
        world.cells, requirement=world.cells.requirement * 0.0
    ))  # fmt: skip


@pytest.mark.parametrize(("severity", "share"), [(1, 0.7), (2, 0.4), (3, 0.15)])
def test_a_storm_at_the_source_slows_the_first_leg_only(severity: int, share: float) -> None:
    """Two legs of a day each at full speed: 0.25 + 1 / share + 1."""
    run = play(stormy(severity, 0, 0.0), {0.0: [move(0, 2, 0, 5)]})
    assert only(run.trace, Kind.DEPART)["value"][0] == pytest.approx(1.25 + 1.0 / share)


def test_a_storm_half_way_slows_both_legs() -> None:
    run = play(stormy(3, 1, 0.0), {0.0: [move(0, 2, 0, 5)]})
    assert only(run.trace, Kind.DEPART)["value"][0] == pytest.approx(0.25 + 2.0 / 0.15)


def test_travel_is_fixed_at_departure_and_not_when_ordered_or_on_the_way() -> None:
    """Ordered in the calm of day 0, signed on day 1.5 in the storm of day 1: slow. On the road
    when the storm comes: not slowed."""
    late = play(
        with_desk(stormy(3, 2, 1.0), approval_days=1.5), {0.0: [move(0, 1, 0, 5), move(0, 2, 0, 5)]}
    )
    assert only(late.trace, Kind.DEPART)["value"].tolist() == pytest.approx([1.25, 1.25 + 1 / 0.15])
    early = play(stormy(3, 2, 1.0), {0.0: [move(0, 2, 0, 5)]})
    assert only(early.trace, Kind.DEPART)["value"].tolist() == pytest.approx([2.25])


def test_routes_avoid_a_storm_where_another_way_is_faster() -> None:
    """A square: 0–1–3 is 200 km, 0–2–3 is 300 km; with place 1 under a storm, 2 is faster."""
    legs = {(0, 1): 100.0, (1, 3): 100.0, (0, 2): 150.0, (2, 3): 150.0}
    km = road_legs(legs | {(b, a): length for (a, b), length in legs.items()}, 4)
    blocks = replace(toy_threats(), blocks_roads=np.array([True]))
    world = provinces(5.0, 0.0, 0.0, 0.0, threats=blocks)
    world = replace(world, roads=replace(toy_roads(4), leg_km=km))
    hit = replace(world, hazard=toy_world(injects=[inject(1, 3)]).hazard)
    for chosen, days in ((world, 0.25 + 0.5), (hit, 0.25 + 0.75)):
        run = play(chosen, {0.0: [move(0, 3, 0, 2)]})
        assert only(run.trace, Kind.DEPART)["value"][0] == pytest.approx(days)


def test_the_nearest_hub_with_stock_gives() -> None:
    """Hubs at places 2 and 4 of a row; place 1 takes from 2 until it is empty, then from 4."""
    world = army(provinces(*[0.0] * 5), hub_stock={4: 50.0, 2: 6.0})
    orders = [mobilise(ARMY, 1, 0, 4), mobilise(ARMY, 1, 0, 4), mobilise(ARMY, 1, 0, 4)]
    run = play(world, {0.0: orders})
    assert [(r.source, *got) for r, got in zip(run.rulings, ruled(run), strict=True)] == [
        (2, 4, None), (2, 2, "ceiling"), (4, 4, None),
    ]  # fmt: skip
    assert only(run.trace, Kind.DEPART)["node"].tolist() == [2, 2, 4]
    near = play(world, {0.0: [mobilise(ARMY, 3, 0, 1)]})
    assert near.rulings[0].source == 2  # equally far: the smaller code


# --- returns --------------------------------------------------------------------------------------


def test_return_releases_mobilised_teams_and_brings_visitors_home() -> None:
    world = provinces(0.0, 10.0)
    plan = {0.0: [mobilise(ARMY, 0, 0, 6), move(1, 0, 0, 4)],
            3.0: [send_home(0, 0, 5), send_home(0, 0, 9, home=1)]}  # fmt: skip
    run = play(world, plan)
    assert ruled(run)[2:] == [(5, None), (4, "stock")]
    books = audit(world, run)
    assert books.on_hand[:, 0].tolist() == [1.0, 10.0]
    assert books.released.tolist() == [5.0]
    back = only(run.trace, Kind.ARRIVE)
    back = back[back["tick"] > ticks(3)]
    assert back["node"].tolist() == [-1, 1]
    assert days_of(back) == [4.0, 4.0]


def test_supplies_are_not_sent_home() -> None:
    """Return is for teams: supplies have no home, and must not vanish by being sent there."""
    world = toy_world(stock=((100.0,),), is_team=(False,))
    run = play(world, {0.0: [send_home(0, 0, 50)]})
    assert run.rulings[0].granted == 0.0
    assert run.rulings[0].refusal is not None


def auto(world: World, plan: dict, days: int = 12) -> LocalSession:
    """Run with the shared return rule on."""
    session = LocalSession(world, LUCK)
    for day in range(days):
        session.advance(ticks(day))
        session.apply(plan.get(day, []))
    return session


def automatic(session: LocalSession) -> list[tuple[float, int, int, float]]:
    """(day, place, home, teams) of returns that the rule wrote."""
    return [
        (r.tick / TICKS_PER_DAY, r.order.place, r.order.home, r.granted)
        for r in session.book.rulings
        if r.automatic
    ]


def idle_world(idle_days: float, **settings: object) -> World:
    """Place 0 has no teams of its own and an incident from day 0 to 4."""
    world = provinces(0.0, 10.0, injects=[inject(0)], horizon_days=13, **settings)
    return replace(world, resources=replace(world.resources, idle_return_days=idle_days))


def test_idle_visitors_go_home_by_themselves() -> None:
    """In use till day 4; three idle days later, on day 7, both kinds of visitors are sent home."""
    session = auto(idle_world(3.0), {0: [move(1, 0, 0, 2), mobilise(ARMY, 0, 0, 1)]})
    assert automatic(session) == [(7.0, 0, 1, 2.0), (7.0, 0, 2, 1.0)]
    assert session.engine.state.holdings().on_hand.tolist() == [[0.0], [10.0]]


def test_visitors_that_were_never_used_wait_from_their_arrival() -> None:
    session = auto(idle_world(2.0), {5: [move(1, 0, 0, 2)]})
    assert automatic(session) == [(8.0, 0, 1, 2.0)]


def test_visitors_stay_where_an_onset_is_forewarned() -> None:
    world = idle_world(2.0)
    hazard = replace(
        world.hazard, injects=(inject(0), inject(0, day=8.0)), warning_days=np.array([3.0])
    )
    session = auto(replace(world, hazard=hazard), {0: [move(1, 0, 0, 2)]}, 12)
    assert automatic(session) == []


def test_a_policy_that_manages_returns_is_left_alone() -> None:
    session = open_session(idle_world(1.0))
    for day in range(12):
        session.advance(ticks(day))
        session.apply([move(1, 0, 0, 2)] if day == 0 else [])
    assert automatic(session) == []


# --- what was promised ----------------------------------------------------------------------------


def test_the_pipeline_tells_what_is_on_the_way() -> None:
    world = changed(with_desk(provinces(0.0, 9.0), approval_days=0.5), "army", handover_days=1.0,
                    ramp=((0, 0.5), (2, 1.0)))  # fmt: skip
    seen = watch(world, {0.0: [mobilise(ARMY, 0, 0, 4)], 1.0: [move(1, 0, 0, 3)]})

    def due(day: float) -> list[tuple[float, float]]:
        return sorted((item.quantity, item.day) for item in seen[day].inbound)

    assert due(0.0) == []
    assert due(1.0) == [(2.0, 2.0), (2.0, 4.0)]
    assert due(2.0) == [(2.0, 4.0)]  # the move, signed on day 1.5, arrived at this midnight
    assert due(5.0) == []
    assert seen[5.0].on_hand[0, 0] == 7.0


@pytest.mark.parametrize("granted", [1.0, 3.0, 8.0])
def test_reservation_follows_the_order_to_its_departure(granted: float) -> None:
    """Held from the epoch to the signature on day 2.5; on the road and gone afterwards."""
    world = with_desk(provinces(8.0, 0.0), approval_days=2.5)
    seen = watch(world, {0.0: [move(0, 1, 0, granted)]})
    held: Sequence[float] = [(o.on_hand - o.free)[0, 0] for o in seen.values()]
    assert list(held)[:5] == [0.0, granted, granted, 0.0, 0.0]
    assert [seen[day].on_hand[0, 0] for day in (1.0, 2.0, 3.0)] == [8.0, 8.0, 8.0 - granted]


@pytest.mark.parametrize("quantity", [float("inf"), float("nan"), -3.0])
@pytest.mark.parametrize("kind", ["declare", "draw", "return", "mobilise", "move"])
def test_a_quantity_that_is_no_amount_gets_nothing_or_its_limit(kind: str, quantity: float) -> None:
    """No policy can crash a run or gain units with inf, NaN or a negative amount."""
    order = {
        "declare": declare(0, 1), "draw": draw(GRANT, 0, 1.0), "return": send_home(0, 0, 1),
        "mobilise": mobilise(ARMY, 0, 0, 1), "move": move(1, 0, 0, 1),
    }[kind]  # fmt: skip
    world = provinces(0.0, 10.0)
    run = play(world, {0.0: [replace(order, quantity=quantity)]})
    granted = run.rulings[0].granted
    assert np.isfinite(granted)
    assert granted >= 0.0
    audit(world, run)
