"""What orders say of their steps, worked out by hand in a small world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from nts_sim.decision.model import Policy, declare, draw, mobilise, move
from nts_sim.engine.session import simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.study.orders import order_table
from nts_sim.testing import toy_desk, toy_world
from nts_sim.world.model import Inject, World


def _world() -> World:
    """Three places in a row, 100 km apart; three desks of which the first two have a limit."""
    world = toy_world(
        stock=((5.0,), (40.0,), (3.0,)), requirement_per_100k=(100.0,),
        injects=(Inject(0, 3, 0.0),), horizon_days=20,
    )  # fmt: skip
    desks = (
        replace(toy_desk(), name="chair.p0", approval_days=0.5, delegation_bn_vnd=20.0, up=1),
        replace(toy_desk(), name="minister", approval_days=1.0, delegation_bn_vnd=60.0, up=2),
        replace(toy_desk(), name="premier", approval_days=2.0),
    )
    gate, money, goods, aid = world.mechanisms
    goods = replace(
        goods, handover_days=0.25, ramp=((0, 0.25), (2, 0.75)), fund_kind=None,
        trigger=replace(goods.trigger, declared_level=2),
    )  # fmt: skip
    money = replace(money, handover_days=1.0)
    return replace(world, desks=desks, mechanisms=(gate, money, goods, aid))


def _orders(world: World) -> pd.DataFrame:
    """Give orders on day 0 and 3."""
    first = [declare(0, 2), draw(1, 0, 15.0), draw(1, 0, 50.0), draw(1, 0, 70.0),
             move(1, 0, 0, 8.0)]  # fmt: skip
    later = [mobilise(2, 0, 0, 9.0)]

    def decide(seen):  # type: ignore[no-untyped-def]
        return first if seen.day == 0 else later if seen.day == 3 else []

    run = simulate(world, Policy("p", lambda _: decide), Luck(1, DrawSet.EVALUATION, 0), "simpy")
    return order_table("s", "p", world, run.rulings, run.trace)


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return _orders(_world())


def test_amounts_above_a_delegation_are_signed_one_desk_up(orders: pd.DataFrame) -> None:
    draws = orders[orders["kind"] == "draw"]
    assert draws["granted"].tolist() == [15.0, 50.0, 70.0]
    assert draws["desk_code"].tolist() == ["chair", "minister", "premier"]
    assert draws["desk_place"].tolist() == ["p0", "", ""]
    assert draws["approval_days"].tolist() == [0.5, 1.0, 2.0]
    limits = draws["delegation_bn_vnd"].tolist()
    assert limits[:2] == [20.0, 60.0]
    assert np.isnan(limits[2])  # any amount


def test_money_is_in_place_when_it_is_credited(orders: pd.DataFrame) -> None:
    """Fixed times: signature, then a day until the money is on the account."""
    draws = orders[orders["kind"] == "draw"]
    assert draws["in_place_day"].tolist() == pytest.approx([1.5, 2.0, 3.0])
    assert draws["handover_days"].tolist() == [1.0] * 3


def test_units_are_in_place_when_all_that_will_come_has_come(orders: pd.DataFrame) -> None:
    """9 granted, whole units in parts: 2 at handover, 4 two days later, 3 never."""
    row = orders.set_index("kind").loc["mobilise"]
    assert (row["granted"], row["to_come"], row["last_part_days"]) == (9.0, 6.0, 2.0)
    assert row["needs_level"] == 2
    signed_and_ready = 3.0 + 0.5 + 0.25
    there = np.ceil(signed_and_ready + 2.0 + row["travel_days"])
    assert row["in_place_day"] == there


def test_lent_units_travel(orders: pd.DataFrame) -> None:
    row = orders.set_index("kind").loc["move"]
    assert row["travel_days"] > 0.0
    assert row["lead_days"] == pytest.approx(
        row["approval_days"] + row["handover_days"] + row["travel_days"]
    )
    assert row["to_come"] == row["granted"] == 8.0
    assert row["in_place_day"] == np.ceil(0.5 + row["travel_days"])


def test_a_level_is_in_place_when_it_is_in_force(orders: pd.DataFrame) -> None:
    assert orders.set_index("kind").loc["declare", "to_come"] == 2.0
    assert orders.set_index("kind").loc["declare", "in_place_day"] >= 0.0


def test_what_comes_after_the_end_is_missing() -> None:
    world = _world()
    goods = replace(world.mechanisms[2], ramp=((0, 0.5), (30, 1.0)))
    listed = _orders(replace(world, mechanisms=(*world.mechanisms[:2], goods, world.mechanisms[3])))
    row = listed.set_index("kind").loc["mobilise"]
    assert row["to_come"] == 9.0
    assert np.isnan(row["in_place_day"])
