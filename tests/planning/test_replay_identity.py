"""The golden rule: the optimiser and the simulation mean the same thing.

With relief only, fixed leads, known needs and one-day periods, simulating a plan's own orders
returns the plan's own harm and cost. Whoever changes what an order gets, what coverage is, when
help serves or what it costs, in one of the two and not in the other, fails here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import OrderKind
from nts_sim.engine import stockroom
from tests.planning.instances import Promise, error, outcome, promise, random_world, replay

INSTANCES = 220
CONTROLS = 80
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def promises() -> list[Promise]:
    return [promise(random_world(seed)) for seed in range(INSTANCES)]


def test_simulating_a_plan_returns_its_own_harm_and_cost(promises):
    errors = np.array([error(made, replay(made)) for made in promises])
    wrong = np.flatnonzero(errors > TOLERANCE)
    assert not len(wrong), f"instances {wrong[:5].tolist()}, worst error {errors.max():.3g}"


def test_the_instances_are_not_empty(promises):
    """An identity over plans that do nothing would hold for the wrong reason."""
    runs = [replay(made) for made in promises]
    granted = dict.fromkeys(OrderKind, 0)
    for run in runs:
        for ruling in run.rulings:
            granted[ruling.order.kind] += ruling.granted > 0.0
    assert granted[OrderKind.MOBILISE] > 100
    assert granted[OrderKind.MOVE] > 200
    assert granted[OrderKind.DRAW] > 20
    averting = sum(made.plan.averted_bn_vnd[0] > 0.1 for made in promises)
    assert averting > INSTANCES // 2


def test_nothing_a_plan_orders_is_refused(promises):
    for made in promises[:CONTROLS]:
        for ruling in replay(made).rulings:
            if ruling.order.kind is not OrderKind.DECLARE:
                assert ruling.granted == pytest.approx(ruling.order.quantity, abs=1e-9)


def _broken(promises, **how) -> int:
    return sum(error(made, replay(made, **how)) > 1e-4 for made in promises[:CONTROLS])


def test_control_dropping_the_targets_is_noticed(promises):
    """Without the plan's split a place shares out its help alike, and less well."""
    assert _broken(promises, targets=False) >= 10


def test_control_orders_a_day_late_are_noticed(promises):
    held = {}

    def late(orders, day):
        before, held[0] = held.get(0, []), orders
        return [] if day == 0 else before

    noticed = 0
    for made in promises[:CONTROLS]:
        held.clear()
        noticed += error(made, replay(made, edit=late)) > 1e-4
    assert noticed >= 15


def test_control_a_draw_forgotten_is_noticed(promises):
    def no_draws(orders, day):
        return [order for order in orders if order.kind is not OrderKind.DRAW]

    drawing = [made for made in promises if made.plan.draw.max(initial=0.0) > 1e-3]
    assert len(drawing) >= 10
    assert sum(error(made, replay(made, edit=no_draws)) > 1e-5 for made in drawing) >= 5


def test_control_a_world_with_another_coverage_rule_is_noticed(promises):
    """Plan with one requirement, simulate with a tenth more: coverage no longer means the same."""
    noticed = 0
    for made in promises[:CONTROLS]:
        cells = replace(made.world.cells, requirement=made.world.cells.requirement * 1.1)
        other = replace(made, world=replace(made.world, cells=cells))
        noticed += error(other, replay(other)) > 1e-4
    assert noticed >= 15


def test_control_holding_supplies_against_a_whole_day_is_noticed(promises, monkeypatch):
    """Against the whole day's requirement, a place settled at noon would serve less."""
    monkeypatch.setattr(stockroom, "rest_of_day", lambda _tick, _ticks_per_day: 1.0)
    assert _broken(promises, engine="simpy") >= 3  # the rule of the kernel is compiled in


def test_the_plan_does_no_worse_than_doing_nothing(promises):
    for made in promises[:CONTROLS]:
        idle = replay(made, targets=False, edit=lambda orders, day: [])
        harm, cost = outcome(made.world, idle)
        assert made.harm_bn_vnd + made.cost_bn_vnd <= harm + cost + 1e-6
