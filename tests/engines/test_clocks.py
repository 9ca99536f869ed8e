"""Clocks with work left, worked by hand; and the order of events inside an instant.

The hand-worked worlds have two or three places of 100 000 people in a row, a day and a half of
leads at most, and fixed stays, so every date below can be checked with a pencil. At severity 1
there are 1 000 exposed people; one team per 500 of them makes two teams the whole requirement.
"""

from __future__ import annotations

import math

import pytest

from nts_sim.decision.model import mobilise, move, send_home
from nts_sim.engine.clockwork import Clockwork, Ticket, Work, slot, unfold
from nts_sim.engine.rules import containment_speed, escalation_speed, work_left
from nts_sim.testing import toy_links, toy_threats, toy_world
from nts_sim.trace.model import Kind
from nts_sim.units import NEVER, TICKS_PER_DAY, delay_ticks, ticks
from nts_sim.world.model import World
from tests.engines.helpers import (
    ARMY,
    coverage_path,
    inject,
    only,
    open_session,
    play,
    story,
)

NEVER_WORSE = (math.inf,) * 3


def two_teams_needed(**threat: object) -> World:
    """Place 0 is hit on day 0 and has nothing; place 1 has four teams, half a day away."""
    return toy_world(
        stock=((0.0,), (4.0,)), requirement_per_100k=(200.0,), injects=[inject(0)],
        threats=toy_threats(**threat), horizon_days=20,
    )  # fmt: skip


# --- hand-worked --------------------------------------------------------------------------------


def test_containment_speeds_up_on_arrival_and_slows_down_on_departure() -> None:
    """Stay 4, κ = 1. Two teams serve days 1 to 2, one from then on.

    Day 0–1 at speed 1, day 1–2 at speed 2: 4 − 1 − 2 = 1 day of work left on day 2, done at
    speed 1.5 in ceil(65 536 / 1.5) = 43 691 ticks.
    """
    world = two_teams_needed(containment_gain=1.0)
    run = play(world, {0.0: [move(1, 0, 0, 2)], 2.0: [send_home(0, 0, 1, home=1)]})
    assert coverage_path(run, 0, world)[:4] == [
        (0.0, 1, 0.0), (1.0, 1, 1.0), (2.0, 1, 0.5), (2 + 43_691 / 65_536, 0, 0.0),
    ]  # fmt: skip
    assert only(run.trace, Kind.FALL)["tick"].tolist() == [2 * TICKS_PER_DAY + 43_691]


def test_a_hit_that_would_come_too_late_lands_where_its_source_lasts_longer_after_all() -> None:
    """Stay 4, κ = 1, a hit every 1.3 days, two teams serve from day 1 to day 2.

    After the first hit the source is to end on day 2.5, before the second on day 2.6. When the
    teams leave, one day of work is left: it ends on day 3, after the second and before the third.
    """
    threats = toy_threats(containment_gain=1.0)
    world = toy_world(
        stock=((0.0,), (4.0,)), requirement_per_100k=(200.0,), injects=[inject(0)],
        threats=threats, links=toy_links(2, [(0, 1, 1.0, 1.3)], repeats=True), horizon_days=20,
    )  # fmt: skip
    run = play(world, {0.0: [move(1, 0, 0, 2)], 2.0: [send_home(0, 0, 2, home=1)]})
    lag = delay_ticks(1.3, 1.0)
    assert only(run.trace, Kind.FALL, node=0)["tick"].tolist() == [3 * TICKS_PER_DAY]
    assert only(run.trace, Kind.SPREAD, node=1)["tick"].tolist() == [lag]
    assert only(run.trace, Kind.BLOCKED, node=1)["tick"].tolist() == [2 * lag]


def test_escalation_pauses_under_full_coverage_and_goes_on_where_it_stopped() -> None:
    """Escalation after 3 days at speed 1 − cov: 1 + 0.5 + 0 done by day 3, then 1.5 days more.

    One team serves on day 1, two on day 2, none from day 3: severity 2 on day 4.5.
    """
    world = two_teams_needed(stay_days=(100.0,) * 3, escalation_days=(3.0, math.inf, math.inf))
    plan = {
        0.0: [move(1, 0, 0, 1)],
        1.0: [move(1, 0, 0, 1)],
        3.0: [send_home(0, 0, 2, home=1)],
    }
    run = play(world, plan)
    assert story(run.trace, Kind.RISE) == [(Kind.RISE, 4.5, 2.0)]
    assert [c for _, _, c in coverage_path(run, 0, world)] == [0.0, 0.5, 1.0, 0.0, 0.0]


def test_a_new_severity_starts_both_clocks_afresh() -> None:
    """Stays are 4, 2.5 and 3 days by severity, escalations 1 and 2 days; nobody helps.

    Up on day 1 and, as 2 < 2.5, on day 1 + 2; down on day 3 + 3; back at severity 2 both clocks
    start from nothing, so it is up again on day 6 + 2, and down on day 8 + 3.
    """
    world = two_teams_needed(stay_days=(4.0, 2.5, 3.0), escalation_days=(1.0, 2.0, math.inf))
    run = play(world)
    assert story(run.trace, Kind.RISE, Kind.FALL)[:5] == [
        (Kind.RISE, 1.0, 2.0), (Kind.RISE, 3.0, 3.0), (Kind.FALL, 6.0, 2.0),
        (Kind.RISE, 8.0, 3.0), (Kind.FALL, 11.0, 2.0),
    ]  # fmt: skip


def test_severity_three_never_rises() -> None:
    world = toy_world(
        injects=[inject(0, 3)], stock=((0.0,), (0.0,)), threats=toy_threats(
            stay_days=(4.0, 4.0, 5.0), escalation_days=(9.0, 9.0, 1.0)
        ),
    )  # fmt: skip
    assert story(play(world).trace, Kind.RISE, Kind.FALL) == [
        (Kind.FALL, 5.0, 2.0), (Kind.FALL, 9.0, 1.0),
    ]  # fmt: skip


def test_containment_comes_before_escalation_in_the_same_instant() -> None:
    world = two_teams_needed(stay_days=(3.0,) * 3, escalation_days=(3.0,) * 3)
    assert story(play(world).trace, Kind.RISE, Kind.FALL) == [(Kind.FALL, 3.0, 0.0)]


def test_containment_comes_before_an_onset_of_the_same_instant() -> None:
    """The cell is dormant again when the second onset looks: it is not blocked."""
    world = toy_world(injects=[inject(0), inject(0, day=4.0)], stock=((0.0,), (0.0,)))
    run = play(world)
    assert story(run.trace, Kind.ONSET, Kind.FALL, Kind.BLOCKED) == [
        (Kind.ONSET, 0.0, 1.0), (Kind.FALL, 4.0, 0.0), (Kind.ONSET, 4.0, 1.0),
        (Kind.FALL, 8.0, 0.0),
    ]  # fmt: skip


def test_delivery_comes_before_containment_in_the_same_instant() -> None:
    """Units that begin to serve on the day an incident ends arrive first, and serve nobody."""
    world = toy_world(
        stock=((0.0,), (4.0,)), injects=[inject(0)], threats=toy_threats(stay_days=(1.0,) * 3)
    )
    run = play(world, {0.0: [move(1, 0, 0, 2)]})
    assert story(run.trace, Kind.ARRIVE, Kind.FALL) == [
        (Kind.ARRIVE, 1.0, 2.0), (Kind.FALL, 1.0, 0.0),
    ]  # fmt: skip
    assert coverage_path(run, 0, world) == [(0.0, 1, 0.0), (1.0, 0, 0.0)]


def test_equal_speed_changes_nothing() -> None:
    """Settling again at odd ticks, and help without effect on clocks, leave every date alone."""
    world = two_teams_needed(stay_days=(3.0, 3.0, 3.0), escalation_days=(7.0,) * 3)
    quiet, helped = play(world), play(world, {0.0: [move(1, 0, 0, 1)]})
    assert story(quiet.trace, Kind.FALL) == story(helped.trace, Kind.FALL)


# --- the pieces ---------------------------------------------------------------------------------


def test_an_equal_speed_keeps_the_very_ticket() -> None:
    env = Clockwork(0)
    work = Work(env, slot(2, 0))
    work.load(3.0, 1.0)
    ticket = work.ticket
    env.run(until=12_345)
    work.pace(1.0)
    assert work.ticket is ticket
    assert (work.left, work.since) == (3.0, 0)


def test_work_goes_on_after_a_standstill() -> None:
    """3 days: 1 at full speed, 2 at none, then half speed: ends on day 1 + 2 + 4 = 7."""
    env, ended = Clockwork(0), []
    work = Work(env, slot(2, 0))
    work.load(3.0, 1.0).callbacks.append(lambda _event: ended.append(env.now))
    for day, speed in ((1, 0.0), (3, 0.5)):
        env.run(until=ticks(day))
        work.pace(speed)
    env.run(until=ticks(20))
    assert ended == [7 * TICKS_PER_DAY]


def test_a_finished_clock_is_not_started_again_by_a_new_speed() -> None:
    env, ended = Clockwork(0), []
    work = Work(env, slot(2, 0))
    work.load(1.0, 1.0).callbacks.append(lambda _event: ended.append(env.now))
    env.run(until=ticks(2))
    work.pace(0.5)
    env.run(until=ticks(20))
    assert ended == [TICKS_PER_DAY]


def test_an_instant_is_ordered_by_slot_and_not_by_creation() -> None:
    slots = [slot(5, 0), slot(2, 7, 1), slot(2, 7), slot(0, 33), slot(2, 1), slot(4, 2, 9)]
    env, seen = Clockwork(0), []
    for place in slots:
        Ticket(env, place, 10).callbacks.append(lambda _event, p=place: seen.append(p))
    env.run_instant()
    assert seen == sorted(slots)
    assert [unfold(p) for p in seen] == sorted(unfold(p) for p in slots)


@pytest.mark.parametrize(
    ("left", "speed", "expected"),
    [
        (1.0, 1.0, 65_536), (0.0, 1.0, 1), (1e-9, 1.0, 1), (1.0, 1.5, 43_691),
        (1.0, 0.0, NEVER), (math.inf, 1.0, NEVER), (math.inf, 0.0, NEVER), (1e300, 1e-300, NEVER),
        (1.0, -1.0, NEVER), (math.nan, 1.0, NEVER),
    ],
)  # fmt: skip
def test_delay_is_whole_ticks_rounded_up_and_at_least_one(
    left: float, speed: float, expected: int
) -> None:
    assert delay_ticks(left, speed) == expected


def test_scalar_rules() -> None:
    assert containment_speed(2.0, 0.25) == 1.5
    assert escalation_speed(0.25) == 0.75
    assert work_left(3.0, 0.5, 2.0) == 2.0
    assert work_left(1.0, 1.0, 2.0) == 0.0


def test_nothing_fires_at_or_after_the_horizon() -> None:
    """An incident due to end exactly at the horizon is still active; nothing is said after it."""
    world = toy_world(injects=[inject(0)], stock=((0.0,),), horizon_days=4)
    run = play(world)
    assert story(run.trace, Kind.FALL) == []
    assert run.trace["tick"].max() < ticks(4)


def test_advancing_beyond_the_horizon_lets_nothing_happen_there() -> None:
    world = toy_world(injects=[inject(0)], stock=((0.0,),), horizon_days=4)
    session = open_session(world)
    session.advance(ticks(9))
    assert story(session.trace(), Kind.FALL) == []


def test_mobilised_help_speeds_up_only_the_place_it_serves() -> None:
    """κ = 1 at two places; only place 0 is helped: 4 − 1 = 3 left at speed 2, over on day 2.5."""
    world = toy_world(
        stock=((0.0,), (0.0,)), injects=[inject(0), inject(1)],
        threats=toy_threats(containment_gain=1.0),
    )  # fmt: skip
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 5)]})
    falls = only(run.trace, Kind.FALL)
    assert falls["node"].tolist() == [0, 1]
    assert (falls["tick"] / TICKS_PER_DAY).tolist() == [2.5, 4.0]
