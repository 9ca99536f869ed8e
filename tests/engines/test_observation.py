"""What a policy gets to see: late, under-reported and only once detected; its own means exactly."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Forewarning, Observation, draw, mobilise, move
from nts_sim.engine.session import LocalSession
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import toy_desk, toy_threats, toy_world
from nts_sim.units import ticks
from nts_sim.world.model import Information, World
from tests.engines.helpers import ARMY, GRANT, LUCK, Books, inject, open_session, watch
from tests.engines.test_session import PLAN, busy_world

YAGI = ((0.0, 0.1), (1.0, 0.2), (5.0, 0.55), (14.0, 1.0))


def seen_through(world: World, **settings: object) -> World:
    """Return the world under another information setting."""
    perfect = Information("test", 0.0, 0.0, ((0.0, 1.0),))
    return replace(world, information=replace(perfect, **settings))  # type: ignore[arg-type]


def long_incident(**settings: object) -> World:
    """Severity 2 from day 1 to 9, then severity 1 to day 17; nobody helps."""
    world = toy_world(
        stock=((0.0,), (7.0,)), injects=[inject(0, 2, 1.0)], horizon_days=20,
        threats=toy_threats(stay_days=(8.0,) * 3),
    )  # fmt: skip
    return seen_through(world, **settings)


def test_perfect_information_shows_the_present() -> None:
    seen = watch(long_incident())
    assert [int(seen[float(d)].severity[0]) for d in (0, 1, 8, 9, 16, 17)] == [0, 2, 2, 1, 1, 0]
    assert seen[6.0].exposed.tolist() == [3000.0, 0.0]
    assert seen[9.0].exposed.tolist() == [1000.0, 0.0]
    assert seen[6.0].age_days[0] == 5.0
    assert seen[17.0].age_days[0] == 0.0


@pytest.mark.parametrize("lag", [1.0, 2.0, 2.5])
def test_cells_are_seen_as_they_were_a_lag_ago(lag: float) -> None:
    true, late = watch(long_incident()), watch(long_incident(lag_days=lag))
    first = int(np.ceil(1.0 + lag))
    assert [int(late[float(d)].severity[0]) for d in (first - 1, first)] == [0, 2]
    assert late[float(first)].age_days[0] == pytest.approx(first - lag - 1.0)
    if lag == int(lag):
        for day in range(int(lag), 20):
            for name in ("severity", "age_days", "exposed"):
                before, now = getattr(true[day - lag], name), getattr(late[float(day)], name)
                np.testing.assert_array_equal(before, now)


def test_own_means_have_no_lag() -> None:
    """Stock, funds and pipeline are told exactly, whatever the lag."""
    plan = {0.0: [move(1, 0, 0, 3), draw(GRANT, 0, 9.0)]}
    prompt, late = watch(long_incident(), plan), watch(long_incident(lag_days=3.0), plan)
    for day, observation in prompt.items():
        for name in ("on_hand", "free", "own", "balance", "committed", "away", "mobilised"):
            np.testing.assert_array_equal(getattr(late[day], name), getattr(observation, name))
        assert late[day].visitors == observation.visitors
        assert late[day].inbound == observation.inbound
    assert late[1.0].on_hand.tolist() == [[3.0], [4.0]]


def test_the_reporting_curve_gives_055_at_day_5() -> None:
    """True × R(age), R linear between its points: 0.2 on day 1, 0.55 on day 5, 0.775 at 9.5."""
    seen = watch(long_incident(reported_share=YAGI))
    assert seen[6.0].reported_share[0] == pytest.approx(0.55)
    assert seen[6.0].exposed[0] == pytest.approx(0.55 * 3000)
    assert seen[2.0].exposed[0] == pytest.approx(0.2 * 3000)
    assert seen[4.0].reported_share[0] == pytest.approx(0.2 + 0.35 * 2 / 4)
    assert seen[16.0].exposed[0] == pytest.approx(1000)  # flat beyond day 14, severity 1 by now
    assert seen[6.0].reported_share[1] == 1.0


def test_lag_and_curve_together_report_the_age_of_a_lag_ago() -> None:
    """On day 8 with a lag of two days: as on day 6, five days after the onset."""
    seen = watch(long_incident(reported_share=YAGI, lag_days=2.0))
    assert seen[8.0].exposed[0] == pytest.approx(0.55 * 3000)


def first_seen(luck: Luck, detection: float, lag: float = 0.0) -> float:
    """Day on which an incident of day 0 is first seen (60: never)."""
    world = toy_world(
        stock=((0.0,),), injects=[inject(0)], horizon_days=60,
        threats=toy_threats(stay_days=(500.0,) * 3),
    )  # fmt: skip
    session = open_session(seen_through(world, detection_days=detection, lag_days=lag), luck)
    for day in range(60):
        session.advance(ticks(day))
        if session.observe().severity[0]:
            return float(day)
    return 60.0


def test_nothing_is_seen_before_it_is_detected_and_the_age_is_true() -> None:
    lucks = [Luck(4, DrawSet.EVALUATION, r) for r in range(12)]
    days = [first_seen(luck, 4.0) for luck in lucks]
    assert len(set(days)) > 3
    assert [first_seen(luck, 4.0, lag=2.0) for luck in lucks] == [day + 2.0 for day in days]
    assert [first_seen(luck, 0.0) for luck in lucks] == [0.0] * 12


@pytest.mark.slow
def test_detection_days_are_exponential_with_the_stated_mean() -> None:
    """600 replications; seen at the first midnight after Exp(4): P(by day k) = 1 − e^(−k/4).

    Each of five shares within 4 standard errors: cries wolf once in 3 000 seeds.
    """
    days = np.array([first_seen(Luck(4, DrawSet.EVALUATION, r), 4.0) for r in range(600)])
    for k in (1, 2, 4, 8, 12):
        expected = 1.0 - np.exp(-k / 4.0)
        error = np.sqrt(expected * (1.0 - expected) / len(days))
        assert abs((days <= k).mean() - expected) < 4.0 * error, k


@pytest.mark.parametrize("warning", [0.0, 1.0, 2.0, 2.5])
def test_onsets_are_forewarned_exactly_warning_days_ahead(warning: float) -> None:
    """Onsets of day 5 and 6.5 are told from day 5 − w and 6.5 − w, until they are due."""
    world = toy_world(injects=[inject(0, 3, 5.0), inject(1, 1, 6.5)])
    world = replace(world, hazard=replace(world.hazard, warning_days=np.array([warning])))
    seen = watch(world)
    for day, observation in seen.items():
        expected = [
            Forewarning(cell, severity, onset)
            for cell, severity, onset in ((0, 3, 5.0), (1, 1, 6.5))
            if onset - warning <= day < onset
        ]
        assert list(observation.warnings) == expected, day


def test_a_lag_does_not_delay_warnings() -> None:
    world = toy_world(injects=[inject(0, 3, 5.0)])
    world = replace(world, hazard=replace(world.hazard, warning_days=np.array([2.0])))
    seen = watch(seen_through(world, lag_days=4.0))
    assert [bool(seen[d].warnings) for d in (2.0, 3.0, 4.0, 5.0)] == [False, True, True, False]


def test_roads_are_reported_as_the_cells_are() -> None:
    world = replace(long_incident(lag_days=2.0), threats=replace(
        toy_threats(stay_days=(8.0,) * 3), blocks_roads=np.array([True])
    ))  # fmt: skip
    seen = watch(world)
    assert [seen[float(d)].road_severity.tolist() for d in (2, 3, 11, 19)] == [
        [0, 0], [2, 0], [1, 0], [0, 0],
    ]  # fmt: skip


# --- copies ---------------------------------------------------------------------------------------


def test_spoiling_an_observation_changes_nothing() -> None:
    """Whatever a policy writes into the arrays it was shown, the run goes on the same."""
    world, luck = busy_world(), Luck(3, DrawSet.EVALUATION, 1)

    def run(spoil: bool) -> tuple[bytes, list]:
        session = LocalSession(world, luck)
        later = []
        for day in world.epoch_days:
            session.advance(ticks(day))
            shown = session.observe()
            later.append([np.array(value) for value in arrays(shown)])
            for array in arrays(shown) if spoil else ():
                if array.flags.writeable:
                    array[...] = 77
            session.apply(PLAN.get(day, []))
        return session.trace().tobytes(), later

    (trace, shown), (spoilt_trace, spoilt_shown) = run(False), run(True)
    assert spoilt_trace == trace
    for before, after in zip(shown, spoilt_shown, strict=True):
        for a, b in zip(before, after, strict=True):
            np.testing.assert_array_equal(a, b)


def arrays(observation: Observation) -> list[np.ndarray]:
    """All arrays of an observation."""
    values = [getattr(observation, field.name) for field in dataclasses.fields(observation)]
    return [value for value in values if isinstance(value, np.ndarray)]


def test_an_observation_keeps_what_it_showed() -> None:
    """An observation kept by a policy is not changed by what happens afterwards."""
    session = LocalSession(busy_world(), LUCK)
    session.advance(0)
    shown = session.observe()
    before = [array.copy() for array in arrays(shown)]
    for day in range(8):
        session.advance(ticks(day))
        session.apply(PLAN.get(float(day), []))
    for a, b in zip(before, arrays(shown), strict=True):
        np.testing.assert_array_equal(a, b)


def test_arrays_are_contiguous() -> None:
    session = open_session(busy_world())
    session.advance(ticks(2))
    assert all(array.flags.c_contiguous for array in arrays(session.observe()))


@pytest.mark.parametrize("replication", range(5))
def test_own_means_are_what_the_trace_says(replication: int) -> None:
    """Stock, reservations, balances and commitments at each epoch = the books kept from rows."""
    world, luck = busy_world(), Luck(3, DrawSet.EVALUATION, replication)
    world = replace(world, desks=(toy_desk(servers=1, approval_days=0.8),))
    session = LocalSession(world, luck)
    for day in world.epoch_days:
        session.advance(ticks(day))
        shown = session.observe()
        books = Books(world, session.book.rulings)
        for row in session.trace():
            books.take(row)
        np.testing.assert_allclose(shown.on_hand, books.on_hand, atol=1e-9)
        np.testing.assert_allclose(shown.free, books.on_hand - books.held, atol=1e-9)
        visiting = np.zeros_like(shown.free)
        for place, resource, _, units in shown.visitors:
            visiting[place, resource] += units
        np.testing.assert_allclose(shown.own + visiting, shown.free, atol=1e-9)
        np.testing.assert_allclose(shown.balance, books.balance, atol=1e-9)
        np.testing.assert_allclose(shown.committed, books.committed, atol=1e-9)
        session.apply(PLAN.get(day, []))


def test_uses_levels_and_units_granted_are_told() -> None:
    world = toy_world(stock=((0.0,), (5.0,)))
    seen = watch(world, {0.0: [mobilise(ARMY, 0, 0, 3), mobilise(ARMY, 0, 0, 4), move(1, 0, 0, 2)]})
    assert seen[0.0].uses.tolist() == [0, 0, 0, 0]
    assert seen[1.0].uses.tolist() == [0, 0, 2, 1]
    assert seen[1.0].mobilised[ARMY].tolist() == [[7.0], [0.0]]
    assert seen[1.0].away.tolist() == [[0.0], [2.0]]
    assert seen[1.0].own.tolist() == [[0.0], [3.0]]
    assert seen[1.0].visitors == ((0, 0, 1, 2.0), (0, 0, 2, 7.0))


def test_idle_days_count_from_the_last_use() -> None:
    """In use from day 0 to 4; on day 4 just used, on day 6 idle for two days."""
    world = toy_world(stock=((5.0,), (5.0,)), injects=[inject(0)])
    seen = watch(world)
    assert [seen[d].idle_days[0, 0] for d in (2.0, 4.0, 6.0)] == [0.0, 0.0, 2.0]
    assert seen[6.0].idle_days[1, 0] == 6.0
