"""A prevention measure works from its ready day on, and nothing of it before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Policy, move
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.calendar import hazard_calendar
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import toy_desk, toy_world
from nts_sim.trace.model import Kind
from nts_sim.world.model import Inject, Measure

LUCK = Luck(5, DrawSet.EVALUATION, 0)
STARTS = (Inject(0, 1, 1.0), Inject(0, 1, 7.0))


def world(ready_day, **parts):
    measure = Measure(ready_day=ready_day, lag_factor=0.0, approval_factor=0.25)
    return toy_world(injects=STARTS, horizon_days=12, parts={"measure": measure, **parts})


def test_onsets_are_prevented_from_the_ready_day_on():
    base = world(5.0)
    shielded = replace(base, hazard=replace(base.hazard, onset_share=np.zeros(1)))
    assert hazard_calendar(shielded, LUCK).tick.tolist() == [65_536]


@pytest.mark.parametrize(("ready_day", "spread"), [(0.0, 0), (5.0, 1), (20.0, 2)])
def test_hits_are_prevented_from_the_ready_day_on(ready_day, spread):
    linked = toy_world(
        injects=STARTS, links=[(0, 1, 1.0, 1.0)], horizon_days=20,
        parts={"measure": Measure(ready_day=ready_day)},
    )  # fmt: skip
    shielded = replace(linked, cells=replace(linked.cells, protection=np.zeros(2)))
    trace = simulate(shielded, Policy("idle", lambda _world: lambda _seen: []), LUCK).trace
    assert (trace["kind"] == Kind.SPREAD).sum() == spread


def test_reports_lag_until_the_ready_day():
    base = world(3.0)
    session = LocalSession(replace(base, information=replace(base.information, lag_days=1.5)), LUCK)
    seen = []
    for day in range(1, 5):
        session.advance(day * 65_536)
        seen.append(int(session.observe().severity[0]))
    assert seen == [0, 0, 1, 1]


def test_signatures_come_sooner_from_the_ready_day_on():
    slow = world(6.0, desks=(toy_desk(approval_days=2.0, servers=9),))
    session = LocalSession(slow, LUCK)
    for day in (0, 6):
        session.advance(day * 65_536)
        session.apply([move(0, 1, 0, 1.0)])
    session.advance(12 * 65_536)
    trace = session.trace()
    assert trace["value"][trace["kind"] == Kind.APPROVED].tolist() == [2.0, 0.5]
