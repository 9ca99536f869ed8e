"""Futures opened on what is known: the same on both engines, and made of nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Observation, mobilise, move
from nts_sim.engine.session import LocalSession
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec
from nts_sim.testing import toy_threats, toy_world
from nts_sim.trace.model import Kind
from nts_sim.units import ticks
from nts_sim.world.model import Information, World
from tests.engines.helpers import ARMY, inject, only
from tests.engines.parity.compare import first_difference
from tests.engines.parity.worlds import case

PLANNING = [Luck(9, DrawSet.PLANNING, k) for k in range(3)]


def seen_on(world: World, luck: Luck, day: float, policy: str = "current_practice") -> Observation:
    """What is known on a day under a rule."""
    session = LocalSession(world, luck)
    decide = make_policy(policy, PolicySpec()).open(world)
    for epoch in world.epoch_days:
        session.advance(ticks(epoch))
        seen = session.observe()
        if epoch >= day:
            return seen
        session.apply(decide(seen))
    raise AssertionError("no epoch on or after that day")


def future(world: World, seen: Observation, luck: Luck, engine: str) -> LocalSession:
    """Play a future under a rule, to the horizon."""
    immune = np.full(len(world.cells), 0.2)
    session = LocalSession.open_from(world, seen, luck, immune=immune, engine=engine)
    decide = make_policy("greedy", PolicySpec()).open(world)
    for epoch in [day for day in world.epoch_days if day >= seen.day]:
        session.advance(ticks(epoch))
        session.apply(decide(session.observe()))
    session.advance(ticks(world.horizon_days))
    session.engine.close()
    return session


@pytest.mark.parametrize("whole_days", [True, False])
@pytest.mark.parametrize("number", range(25))
def test_futures_are_the_same_on_both_engines(number: int, whole_days: bool) -> None:
    """Of 50 random worlds, each on a day in its middle, played on under a rule to the horizon."""
    made = case(number, whole_days=whole_days)
    seen = seen_on(made.world, made.luck, made.world.epoch_days[len(made.world.epoch_days) // 2])
    for luck in PLANNING:
        told, fast = (future(made.world, seen, luck, name) for name in ("simpy", "compiled"))
        assert first_difference(told.trace(), fast.trace()) is None
        assert told.book.rulings == fast.book.rulings


def test_some_futures_have_something_in_them() -> None:
    """The test above would pass for the wrong reason if nothing happened in its futures."""
    kinds: set[int] = set()
    for number in range(25):
        made = case(number, whole_days=False)
        middle = made.world.epoch_days[len(made.world.epoch_days) // 2]
        trace = future(made.world, seen_on(made.world, made.luck, middle), PLANNING[0], "compiled")
        kinds |= set(trace.trace()["kind"].tolist())
    needed = {Kind.RISE, Kind.FALL, Kind.SPREAD, Kind.COVERAGE, Kind.DEPART, Kind.ARRIVE}
    assert needed <= kinds


def long_flood(**information: float) -> World:
    threats = toy_threats(stay_days=(50.0,) * 3, distribution="exponential")
    known = {"lag_days": 0.0, "detection_days": 0.0, **information}
    return toy_world(
        stock=((10.0,), (10.0,)), threats=threats, injects=[inject(0, 2), inject(1, 3, day=6.0)],
        horizon_days=12,
        parts={"information": Information("known", reported_share=((0.0, 1.0),), **known)},
    )  # fmt: skip


def test_a_future_begins_with_what_is_known() -> None:
    """Severity, stock, teams away, money and units on the way are those of the observation."""
    world, luck = long_flood(), Luck(1, DrawSet.EVALUATION, 0)
    session = LocalSession(world, luck)
    session.advance(ticks(2))
    session.apply([move(1, 0, 0, 3), mobilise(ARMY, 0, 0, 4)])
    session.advance(ticks(3))
    session.apply([mobilise(ARMY, 1, 0, 5)])
    session.advance(ticks(3.5))
    seen = session.observe()
    opened = LocalSession.open_from(world, seen, PLANNING[0])
    again = opened.observe()
    for name in ("severity", "free", "own", "balance", "committed", "level", "mobilised", "away"):
        np.testing.assert_array_equal(getattr(again, name), getattr(seen, name), name)
    assert again.visitors == seen.visitors
    assert [replace(i, number=0) for i in again.inbound] == [
        replace(i, number=0) for i in seen.inbound
    ]
    opened.advance(ticks(4))
    assert opened.observe().free.tolist() == [[17.0], [12.0]]


def test_the_script_is_nobodys_to_know() -> None:
    """The onset of day 6 is not forewarned on day 3: no future has it; on day 6 all have it."""
    world = long_flood()
    for day, severity in ((3.0, 0), (7.0, 3)):
        seen = seen_on(world, Luck(1, DrawSet.EVALUATION, 0), day, "do_nothing")
        for luck in PLANNING:
            opened = LocalSession.open_from(world, seen, luck)
            opened.advance(ticks(8.0))
            rows = only(opened.trace(), Kind.COVERAGE, node=1)
            assert [int(row["quantity"]) for row in rows[:1]] == ([severity] if severity else [])


def test_reports_are_carried_on_over_their_lag() -> None:
    """Stays of mean 1 day, reported 2 days late: still there at the present with chance e⁻².

    400 futures, within 4 standard errors: cries wolf for 1 seed in 16 000.
    """
    threats = toy_threats(stay_days=(1.0,) * 3, distribution="exponential")
    world = replace(
        long_flood(lag_days=2.0), threats=threats,
        hazard=toy_world(injects=[inject(0, 1)]).hazard,
    )  # fmt: skip
    luck = next(
        luck
        for luck in (Luck(3, DrawSet.EVALUATION, k) for k in range(99))
        if seen_on(world, luck, 3.0, "do_nothing").severity[0]
    )
    seen = seen_on(world, luck, 3.0, "do_nothing")
    there = 0
    for k in range(400):
        opened = LocalSession.open_from(world, seen, Luck(9, DrawSet.PLANNING, k))
        there += opened.engine.state.severity(0) > 0
    p = np.exp(-2.0)
    assert abs(there / 400 - p) < 4.0 * np.sqrt(p * (1.0 - p) / 400)
