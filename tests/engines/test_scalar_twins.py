"""Quick forms give, to the last bit, what the plain forms give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from nts_sim.decision.model import mobilise
from nts_sim.engine.reports import reported_share
from nts_sim.engine.session import simulate
from nts_sim.engine.travel import RouteMap
from nts_sim.luck.draws import DrawSet, Luck, Stream, duration, durations
from nts_sim.policies.rules import do_nothing
from nts_sim.spec.models import PolicySpec
from nts_sim.testing import toy_world
from nts_sim.world.links import road_legs
from nts_sim.world.model import Roads
from tests.engines.helpers import ARMY, inject, watch

LUCK = Luck(147, DrawSet.EVALUATION, 3)


@pytest.fixture
def mixed() -> np.random.Generator:
    """The same numbers each time: the cases are data."""
    return np.random.default_rng(5)


@pytest.mark.parametrize("stream", [Stream.INJECT, Stream.HANDOVER])
def test_one_draw_is_the_draw_of_the_array(stream, mixed):
    some = mixed.integers(0, 2**64, 200, dtype=np.uint64).tolist()
    keys = [0, 1, 2**63 - 1, 2**63, 2**64 - 1, *some]
    array = LUCK.uniform(stream, np.array(keys, dtype=np.uint64), 2, 7)
    singly = [LUCK.one(stream, key, 2, 7) for key in keys]
    assert singly == array.tolist()
    assert len(set(singly)) == len(keys)


@pytest.mark.parametrize("law", ["fixed", "exponential", "lognormal"])
def test_one_duration_is_the_duration_of_the_array(law, mixed):
    uniforms = np.concatenate([mixed.random(500), [2.0**-54, 1.0 - 2.0**-53, 0.5]])
    array = durations(law, 2.3, uniforms)
    assert [duration(law, 2.3, u) for u in uniforms.tolist()] == array.tolist()


@pytest.mark.parametrize("points", [1, 2, 5])
def test_the_curve_of_reports_is_numpys(points, mixed):
    days = np.cumsum(mixed.random(points))
    shares = mixed.random(points)
    ages = np.concatenate([days, [0.0, days[-1] + 1.0], mixed.random(200) * days[-1]])
    singly = [reported_share(age, days, shares) for age in ages]
    assert singly == np.interp(ages, days, shares).tolist()


def test_days_on_the_road_are_scipys(mixed):
    n = 60
    tree = [(int(mixed.integers(0, i)), i) for i in range(1, n - 1)]  # the last is cut off
    more = [(int(a), int(b)) for a, b in mixed.integers(0, n - 1, (200, 2)) if a < b]
    ahead = {pair: 20.0 + 200.0 * mixed.random() for pair in (*tree, *more)}
    km = road_legs(ahead | {(b, a): length for (a, b), length in ahead.items()}, n)
    shares = np.array([1.0, 0.7, 0.4, 0.15])
    severity = mixed.integers(0, 4, n)
    made = RouteMap(Roads(km, 400.0, 1.3, 0.25, 0.25, shares), tuple(severity.tolist()))
    legs = km.tocoo()
    slowest = np.minimum(shares[severity[legs.row]], shares[severity[legs.col]])
    legs.data = legs.data * (1.3 / 400.0) / slowest
    known = dijkstra(legs.tocsr())
    assert made.road_days.tobytes() == known.tobytes()
    assert np.isinf(known).any()
    assert [made.days(3, place) for place in range(n)] == known[3].tolist()


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
def test_skipping_the_epochs_of_one_who_waits_changes_nothing(engine):
    world = replace(toy_world(), hazard=replace(toy_world().hazard, injects=(inject(0, 3),)))
    waits = do_nothing(PolicySpec())
    asked = simulate(world, replace(waits, waits=False), LUCK, engine)
    skipped = simulate(world, waits, LUCK, engine)
    assert waits.waits
    assert len(skipped.trace) > 3
    assert skipped.trace.tobytes() == asked.trace.tobytes()


def test_what_was_observed_before_is_not_changed_by_later_orders():
    world = toy_world()
    first, second = world.epoch_days[1:3]
    plan = {day: [mobilise(ARMY, 0, 0, 1.0)] for day in (first, second)}
    seen = watch(world, plan)
    given = [float(seen[day].mobilised[ARMY].sum()) for day in world.epoch_days[1:4]]
    assert given == [0.0, 1.0, 2.0]
