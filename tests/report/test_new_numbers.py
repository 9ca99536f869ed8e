"""Numbers that the report adds: the day a need is met, who pays in which order; by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Order, OrderKind, Ruling
from nts_sim.engine.contract import Run
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.accumulate import merge_all, tally
from nts_sim.outcomes.measures import Replication, measure
from nts_sim.study.finance import finance_table, mechanism_table
from nts_sim.study.orders import gap_table
from nts_sim.testing import toy_world
from nts_sim.trace.model import Kind, as_trace
from nts_sim.units import ticks
from nts_sim.world.model import Fund, World

Row = tuple[int, int, int, int, int, int, int, int, int, float, float, int]


def _cover(day: float, severity: int, coverage: float, node: int = 0) -> Row:
    return (ticks(day), 0, 0, 0, int(Kind.COVERAGE), node, 0, -1, -1, severity, coverage, -1)


def _measured(world: World, *rows: Row, rulings: tuple[Ruling, ...] = ()) -> Replication:
    luck = Luck(1, DrawSet.EVALUATION, 0)
    trace = as_trace(sorted(rows, key=lambda row: row[0]))
    return measure(Run("p", luck, trace, rulings), world)


@pytest.mark.parametrize(
    ("rows", "day"),
    [
        ([_cover(1, 3, 1.0), _cover(4, 0, 0.0)], 1.0),
        ([_cover(1, 3, 0.5), _cover(2.5, 3, 1.0), _cover(4, 0, 0.0)], 2.5),
        ([_cover(1, 3, 0.5), _cover(2.5, 3, 0.995), _cover(4, 0, 0.0)], 2.5),
        ([_cover(1, 3, 1.0), _cover(2, 3, 0.5), _cover(3, 3, 1.0), _cover(4, 0, 0.0)], 3.0),
        ([_cover(1, 3, 0.5), _cover(2, 3, 1.0), _cover(3, 3, 0.98), _cover(4, 0, 0.0)], math.nan),
        ([_cover(1, 3, 0.5), _cover(4, 0, 0.0)], math.nan),
        # it ends unmet, comes again, and is met then
        ([_cover(1, 3, 0.5), _cover(4, 0, 0.0), _cover(6, 1, 1.0), _cover(8, 0, 0.0)], 4.0),
        ([_cover(2, 3, 0.5), _cover(3, 3, 1.0)], 3.0),  # it goes on to the horizon
    ],
    ids=["at once", "later", "nearly all", "lost and won", "lost", "never", "again", "horizon"],
)
def test_a_need_is_met_from_the_day_that_nothing_is_short_to_its_end(
    rows: list[Row], day: float
) -> None:
    measured = _measured(toy_world(), *rows)
    assert measured.needed.tolist() == [[True], [False]]
    assert measured.met_day[0, 0] == pytest.approx(day, nan_ok=True)
    assert math.isnan(measured.met_day[1, 0])


def test_the_gap_table_averages_over_the_replications_that_meet_the_need() -> None:
    world = toy_world()
    always = [_cover(1, 3, 1.0), _cover(4, 0, 0.0)]
    late = [_cover(1, 3, 0.5), _cover(3, 3, 1.0), _cover(4, 0, 0.0)]
    never = [_cover(1, 3, 0.5), _cover(4, 0, 0.0)]
    elsewhere = [_cover(1, 3, 0.5, node=1), _cover(4, 0, 0.0, node=1)]
    pile = merge_all(tally(_measured(world, *rows)) for rows in (always, late, never, elsewhere))
    assert pile is not None
    table = gap_table("s", "p", world, pile)
    assert table["place"].tolist() == list(world.nodes.code[:2])
    assert table["met_day"].tolist() == pytest.approx([(1 + 3) / 2, math.nan], nan_ok=True)
    assert table["met_share"].tolist() == pytest.approx([2 / 3, 0.0])


def _funded() -> World:
    world = toy_world()
    return replace(world, funds=(
        Fund("a", "account", 0, 100.0), Fund("b", "account", 1, 100.0),
        Fund("r", "reserve", 0, 900.0), Fund("s", "reserve", 1, 900.0),
        Fund("n", "nation", None, 50.0),
    ))  # fmt: skip


def _ruling(number: int, kind: OrderKind, mechanism: int, fund: int) -> Ruling:
    order = Order(kind, place=0, resource=0, quantity=1.0)
    return Ruling(number, 0, order, 1.0, None, mechanism, 0, fund, 0.0, -1)


def _row(day: float, kind: Kind, order: int, quantity: float, value: float = 0.0) -> Row:
    return (ticks(day), 0, 0, 0, int(kind), 0, -1, 0, order, quantity, value, -1)


def _paid() -> tuple[World, Replication]:
    """An account of 100 with 300 drawn from the reserve pays 8; the nation pays 5 directly."""
    world = _funded()
    index = world.mechanism_index
    rulings = (
        _ruling(0, OrderKind.DRAW, index["grant"], 2),
        _ruling(1, OrderKind.MOBILISE, index["army"], 0),
        _ruling(2, OrderKind.MOBILISE, index["army"], 4),
    )
    rows = (
        _row(1, Kind.HANDOVER, 0, 300.0, 300.0), _row(1, Kind.CREDIT, 0, 300.0),
        _row(2, Kind.HANDOVER, 1, 5.0, 8.0), _row(2, Kind.HANDOVER, 2, 5.0, 5.0),
    )  # fmt: skip
    return world, _measured(world, *rows, rulings=rulings)


def test_funds_are_told_in_the_order_they_pay_with_what_is_left() -> None:
    world, measured = _paid()
    table = finance_table("s", "p", world, tally(measured)).set_index("fund")
    assert table["layer"].to_dict() == {"account": 2, "reserve": 3, "nation": 5}
    assert table["opened_bn_vnd"].to_dict() == {"account": 200, "reserve": 1800, "nation": 50}
    assert table["drawn_bn_vnd"].to_dict() == pytest.approx(
        {"account": 2.0, "reserve": 300.0, "nation": 5.0}
    )
    assert table["spent_bn_vnd"].to_dict() == pytest.approx(
        {"account": 2.0, "reserve": 6.0, "nation": 5.0}
    )
    assert table["left_bn_vnd"].to_dict() == pytest.approx(
        {"account": 198.0, "reserve": 1500.0, "nation": 45.0}
    )
    cost = measured.values[[c == ("cost_bn_vnd", "all") for c in _columns(world)]]
    assert table["spent_bn_vnd"].sum() == pytest.approx(float(cost[0]))


def _columns(world: World) -> tuple[tuple[str, str], ...]:
    from nts_sim.outcomes.layout import layout_of

    return layout_of(world).columns


def test_mechanisms_tell_their_times_by_the_tables() -> None:
    world = toy_world()
    table = mechanism_table("s", world).set_index("mechanism")
    assert list(table.index) == [mechanism.name for mechanism in world.mechanisms]
    assert table["handover_days"].tolist() == [m.handover_days for m in world.mechanisms]
    assert table.loc["army", "effect"] == "goods"
    signed = [m.name for m in world.mechanisms if (np.asarray(m.desk) >= 0).any()]
    assert (table.loc[signed, "approval_days"] == world.desks[0].approval_days).all()
