"""A session may be advanced in any pieces; its trace is sorted and every cause precedes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Order, declare, draw, mobilise, move, send_home, serve
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import toy_desk, toy_threats, toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import ticks
from nts_sim.world.model import World
from tests.engines.helpers import ARMY, GRANT, changed, inject, open_session, scripted

PLAN: dict[float, list[Order]] = {
    0.0: [
        declare(0, 2), draw(GRANT, 0, 30.0), draw(GRANT, 1, 5000.0), mobilise(ARMY, 0, 0, 7),
        move(1, 0, 0, 4), move(2, 0, 1, 60), move(3, 3, 0, 1),
    ],
    1.0: [serve(0, 0.5), serve(1, 0.5)],
    3.0: [move(2, 1, 0, 3), mobilise(ARMY, 1, 1, 50)],
    5.0: [send_home(0, 0, 2, home=1), send_home(0, 0, 3), declare(0, 1)],
}  # fmt: skip


def busy_world(law: str = "exponential") -> World:
    """Four places, two threats, spread, desks that take their time, ramps, teams and supplies."""
    whole_days = law == "fixed"
    world = toy_world(
        stock=((4.0, 100.0), (6.0, 300.0), (8.0, 400.0), (0.0, 0.0)), is_team=(True, False),
        requirement_per_100k=(300.0, 2000.0),
        injects=[inject(0, 2), inject(3, 1, 0.0 if whole_days else 0.3), inject(1, 3, 4.0)],
        links=[(0, 2, 0.9, 1.0), (2, 4, 0.7, 2.0), (2, 0, 0.5, 1.0), (3, 1, 1.0, 1.0),
               (4, 6, 0.8, 1.0)],
        threats=toy_threats(
            2, containment_gain=1.0, spread_reduction=0.5, escalation_days=(3.0, 3.0, np.inf),
            immunity_days=1.0, distribution=law,  # type: ignore[arg-type]
        ),
        horizon_days=12,
        parts={"desks": (toy_desk(servers=1, approval_days=0.5, distribution=law),)},
    )  # fmt: skip
    return changed(
        world, "army", handover_days=1.0, distribution=law, ramp=((0, 0.4), (2, 1.0)),
        fixed_cost_bn_vnd=0.5,
    )  # fmt: skip


def in_pieces(world: World, luck: Luck, cuts: list[int]) -> Trace:
    """Run PLAN, stopping on the way at every one of `cuts` (ticks)."""
    session = LocalSession(world, luck)
    for day in world.epoch_days:
        for cut in (cut for cut in cuts if ticks(day - 1) < cut < ticks(day)):
            session.advance(cut)
        session.advance(ticks(day))
        session.observe()
        session.apply(PLAN.get(day, []))
    for cut in (cut for cut in cuts if cut > ticks(world.epoch_days[-1])):
        session.advance(cut)
    session.advance(ticks(world.horizon_days))
    session.engine.close()
    return session.trace()


@pytest.fixture(params=["fixed", "exponential"])
def law(request: pytest.FixtureRequest) -> str:
    """Whole-day worlds have many ties; continuous ones have none."""
    return str(request.param)


def test_the_busy_world_is_busy(law: str) -> None:
    """Every kind of row occurs, so that the tests below do not pass for the wrong reason."""
    kinds = set()
    for replication in range(8):
        luck = Luck(3, DrawSet.EVALUATION, replication)
        kinds |= set(in_pieces(busy_world(law), luck, [])["kind"].tolist())
    assert kinds == {int(kind) for kind in Kind}


@pytest.mark.parametrize("replication", range(6))
def test_advancing_in_pieces_is_advancing_at_once(law: str, replication: int) -> None:
    """advance(a); advance(b) = advance(b), to the byte, at odd ticks and at whole days."""
    luck = Luck(3, DrawSet.EVALUATION, replication)
    world = busy_world(law)
    at_once = in_pieces(world, luck, [])
    step = (1, 7_919, 21_845, 32_768, 65_535, 65_537)[replication]
    odd = sorted(range(1 + replication, ticks(12), max(step, 4_001)))
    whole = [ticks(day) for day in range(12)]
    assert in_pieces(world, luck, odd).tobytes() == at_once.tobytes()
    assert in_pieces(world, luck, sorted(odd + whole)).tobytes() == at_once.tobytes()


def test_every_row_in_turn_is_a_stop(law: str) -> None:
    """Stopping at, just before and just after everything that happens changes nothing."""
    luck, world = Luck(3, DrawSet.EVALUATION, 1), busy_world(law)
    at_once = in_pieces(world, luck, [])
    happening = {int(t) + d for t in at_once["tick"] for d in (-1, 0, 1)}
    cuts = sorted(cut for cut in happening if 0 < cut < ticks(12))
    assert in_pieces(world, luck, cuts).tobytes() == at_once.tobytes()


def test_advancing_to_the_past_or_present_does_nothing() -> None:
    session = open_session(busy_world())
    session.advance(ticks(3))
    before = session.trace().tobytes()
    session.advance(ticks(3))
    session.advance(ticks(1))
    assert session.trace().tobytes() == before
    assert session.engine.now == ticks(3)


def test_observing_changes_nothing(law: str) -> None:
    luck, world = Luck(3, DrawSet.EVALUATION, 2), busy_world(law)

    def run(looks: int) -> bytes:
        session = LocalSession(world, luck)
        for day in world.epoch_days:
            session.advance(ticks(day))
            for _ in range(looks):
                session.observe()
            session.apply(PLAN.get(day, []))
        return session.trace().tobytes()

    assert run(0) == run(1) == run(3)


def test_the_same_luck_gives_the_same_bytes(law: str) -> None:
    world, policy = busy_world(law), scripted(PLAN)
    first, again, other = (
        simulate(world, policy, Luck(seed, DrawSet.EVALUATION, 0)) for seed in (5, 5, 6)
    )
    assert first.trace.tobytes() == again.trace.tobytes()
    assert first.rulings == again.rulings
    assert first.trace.tobytes() != other.trace.tobytes()


def test_a_world_made_again_gives_the_same_bytes(law: str) -> None:
    policy, luck = scripted(PLAN), Luck(5, DrawSet.EVALUATION, 0)
    first, again = (simulate(busy_world(law), policy, luck) for _ in range(2))
    assert first.trace.tobytes() == again.trace.tobytes()


# --- the order of rows and their causes -----------------------------------------------------------


CAUSES: dict[Kind, set[Kind | None]] = {
    Kind.ONSET: {None},
    Kind.SPREAD: {Kind.ONSET, Kind.SPREAD},
    Kind.MISSED: {Kind.ONSET, Kind.SPREAD},
    Kind.BLOCKED: {None, Kind.ONSET, Kind.SPREAD},
    Kind.RISE: {Kind.ONSET, Kind.SPREAD, Kind.RISE, Kind.FALL},
    Kind.FALL: {Kind.ONSET, Kind.SPREAD, Kind.RISE, Kind.FALL},
    Kind.SUSCEPTIBLE: {Kind.FALL},
    Kind.COVERAGE: {
        None, Kind.ONSET, Kind.SPREAD, Kind.RISE, Kind.FALL, Kind.ARRIVE, Kind.HANDOVER,
        Kind.TARGET,
    },
    Kind.ADMIT: {None}, Kind.REFUSE: {None}, Kind.TARGET: {None}, Kind.CONSUME: {None},
    Kind.APPROVED: {Kind.ADMIT},
    Kind.HANDOVER: {Kind.APPROVED},
    Kind.DEPART: {Kind.HANDOVER},
    Kind.ARRIVE: {Kind.DEPART},
    Kind.CREDIT: {Kind.HANDOVER},
    Kind.LEVEL: {Kind.HANDOVER},
}  # fmt: skip
SAME_ORDER = (Kind.APPROVED, Kind.HANDOVER, Kind.DEPART, Kind.ARRIVE, Kind.CREDIT, Kind.LEVEL)
SAME_CELL = (Kind.RISE, Kind.FALL, Kind.SUSCEPTIBLE)


@pytest.mark.parametrize("replication", range(6))
def test_rows_are_sorted_and_causes_come_first(law: str, replication: int) -> None:
    world = busy_world(law)
    trace = in_pieces(world, Luck(3, DrawSet.EVALUATION, replication), [])
    keys = list(zip(*(trace[c].tolist() for c in ("tick", "phase", "index", "sub")), strict=True))
    assert keys == sorted(keys)
    assert (trace["cause_row"] < np.arange(len(trace))).all()
    for row in trace:
        cause = trace[row["cause_row"]] if row["cause_row"] >= 0 else None
        kind = Kind(row["kind"])
        assert (None if cause is None else Kind(cause["kind"])) in CAUSES[kind], (kind, cause)
        if cause is not None and kind in SAME_ORDER:
            assert cause["order"] == row["order"]
        if cause is not None and kind in SAME_CELL:
            assert (cause["node"], cause["threat"]) == (row["node"], row["threat"])
        if cause is not None and kind in (Kind.SPREAD, Kind.MISSED, Kind.BLOCKED):
            source = world.links.source[row["order"]]
            where = world.cells.node[source], world.cells.threat[source]
            assert (cause["node"], cause["threat"]) == where


def test_an_incident_of_no_immunity_can_be_hit_again_at_once() -> None:
    """Two cells that infect each other after a day, each over after one: ping-pong for ever."""
    world = toy_world(
        stock=((0.0,), (0.0,)), injects=[inject(0)], horizon_days=9,
        links=[(0, 1, 1.0, 1.0), (1, 0, 1.0, 1.0)],
        threats=toy_threats(stay_days=(1.0,) * 3, distribution="fixed"),
    )  # fmt: skip
    world = replace(world, links=replace(world.links, stops=np.zeros(2, dtype=np.bool_)))
    trace = simulate(world, scripted({}), Luck(1, DrawSet.EVALUATION, 0)).trace
    spread = trace[trace["kind"] == Kind.SPREAD]
    assert (spread["tick"] / ticks(1)).tolist() == list(range(1, 9))
    assert spread["node"].tolist() == [1, 0] * 4
