"""Edges of the two engines: where one could run out of room, out of time or out of the world.

Random worlds seldom get here: a table that fills up at the wrong moment, an epoch at the horizon,
a world without cells, works that never end. Each test names the edge that it guards.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nts_sim.decision.model import (
    Observation,
    Order,
    declare,
    draw,
    mobilise,
    move,
    send_home,
    serve,
)
from nts_sim.engine import compiled, flat
from nts_sim.engine.choice import EngineName
from nts_sim.engine.flat import Play
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec
from nts_sim.testing import toy_desk, toy_links, toy_mechanisms, toy_threats, toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Information, Inject, Links, World
from tests.benchmarks.networks import grid_network
from tests.engines.helpers import ARMY, GRANT, LUCK, inject, only, scripted
from tests.engines.parity.compare import Played, difference, first_difference, play_on
from tests.engines.parity.worlds import Case, case, random_stops

ROOT = Path(__file__).parents[3]
KINDS = pytest.mark.parametrize("whole_days", [True, False], ids=["whole-day", "continuous"])
Plan = Mapping[float, Sequence[Order]]


def same(world: World, plan: Plan | None = None, *, manages_returns: bool = True) -> Trace:
    """Play a script on both engines; they must agree to the byte."""
    policy = scripted(plan or {}, manages_returns=manages_returns)
    runs = [play_on(engine, world, policy, LUCK) for engine in ENGINES]
    told = difference(*runs)
    assert told is None, told
    return runs[0].trace


ENGINES: tuple[EngineName, EngineName] = ("simpy", "compiled")
BUSY: Plan = {
    0.0: [move(0, 1, 0, 2.0), mobilise(ARMY, 0, 0, 5.0), declare(0, 2), draw(GRANT, 0, 3.0),
          serve(0, 0.5)],
    3.0: [send_home(0, 0, 2.0), move(1, 0, 0, 1.0)],
}  # fmt: skip


# --- tables that fill up --------------------------------------------------------------------------


class Tight:
    """Tables get one record more at a time, or as many as are asked for."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, play: Play, name: str, least: int = 0) -> Play:
        self.times += 1
        table = getattr(play, name)
        made = np.zeros(max(len(table) + 1, least), dtype=table.dtype)
        made[: len(table)] = table
        return play._replace(**{name: made})


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> Tight:
    """Let the compiled engine begin with room for one row and one order, and grow by the least."""
    longer = Tight()
    monkeypatch.setattr(flat, "_ROWS", 1)
    monkeypatch.setattr(flat, "_ROWS_A_CELL", 0)
    monkeypatch.setattr(flat, "_ORDERS", 1)
    monkeypatch.setattr(compiled, "longer", longer)
    return longer


@KINDS
def test_tables_may_grow_after_any_event(whole_days: bool, tight: Tight) -> None:
    """Before each event and each place that is settled, rows run short once."""
    rows = 0
    for number in range(20):
        one = case(number, whole_days=whole_days)
        runs = [play_on(engine, one.world, one.policy, one.luck) for engine in ENGINES]
        told = difference(*runs)
        assert told is None, f"{one.name}: {told}"
        rows += len(runs[0].trace)
    assert tight.times > rows / 2


@pytest.mark.parametrize("room", range(1, 40))
def test_rows_may_run_short_between_the_last_event_of_an_instant_and_settling(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instant left half-way is gone on with: it is not left unsettled."""
    monkeypatch.setattr(flat, "_ROWS", room)
    monkeypatch.setattr(flat, "_ROWS_A_CELL", 0)
    injects = [inject(cell, 2, day) for cell in (0, 1) for day in (0.0, 2.0, 9.0)]
    threats = toy_threats(stay_days=(1.0,) * 3)
    trace = same(toy_world(injects=injects, threats=threats, horizon_days=12), BUSY)
    assert len(trace) > 40


@pytest.mark.slow
def test_rows_run_short_in_a_world_of_a_hundred_places() -> None:
    """With the shipped room of 1 024 rows, and thousands of rows written."""
    world, policy = grid_network(100, n_threats=2), make_policy("do_nothing", PolicySpec())
    for replication in range(10):
        luck = Luck(147, DrawSet.EVALUATION, replication)
        runs = [play_on(engine, world, policy, luck) for engine in ENGINES]
        told = difference(*runs)
        assert told is None, f"replication {replication}: {told}"


# --- the ends of time -----------------------------------------------------------------------------


def ends_of_time() -> World:
    """Onsets, hits, ends of stays and day boundaries at the first and the last tick."""
    return toy_world(
        injects=[inject(0, 2), inject(1, 1, 4.0 - 1 / TICKS_PER_DAY)], links=[(0, 1, 1.0, 4.0)],
        horizon_days=4, threats=toy_threats(stay_days=(4.0,) * 3),
    )  # fmt: skip


def called(engine: EngineName, calls: Callable[[LocalSession], object]) -> Trace:
    session = LocalSession(ends_of_time(), LUCK, manages_returns=True, engine=engine)
    calls(session)
    session.advance(ticks(4))
    session.engine.close()
    return session.trace()


def _at_the_horizon(session: LocalSession) -> None:
    session.advance(ticks(4))
    session.apply(BUSY[0.0])


def _far_beyond(session: LocalSession) -> None:
    session.advance(ticks(40))
    session.apply(BUSY[0.0])
    session.advance(ticks(50))


def _before_the_start(session: LocalSession) -> None:
    session.apply(BUSY[0.0])


def _after_the_end(session: LocalSession) -> None:
    session.advance(ticks(2))
    session.engine.close()
    session.apply(BUSY[0.0])


def _back_and_forth(session: LocalSession) -> None:
    for tick in (-5, 0, 0, TICKS_PER_DAY, 3, TICKS_PER_DAY):
        session.advance(tick)
        session.observe()
        session.apply([move(0, 1, 0, 1.0)])


def _stocked_before_the_start(session: LocalSession) -> None:
    session.engine.stock_up(np.array([[3.0], [-0.0]]))


CALLS = (
    _at_the_horizon, _far_beyond, _before_the_start, _after_the_end, _back_and_forth,
    _stocked_before_the_start,
)  # fmt: skip


@pytest.mark.parametrize("calls", CALLS, ids=lambda calls: calls.__name__.strip("_"))
def test_calls_at_the_ends_of_time(calls: Callable[[LocalSession], None]) -> None:
    """Orders let nothing happen that is not theirs, wherever in time they are applied."""
    told = first_difference(*(called(engine, calls) for engine in ENGINES))
    assert told is None, told


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_happens_at_the_horizon(engine: EngineName) -> None:
    """Events fire while tick < horizon, also when somebody orders something at the horizon."""
    trace = called(engine, _at_the_horizon)
    last = trace[trace["tick"] == ticks(4)]
    assert len(last) > 3
    assert (last["phase"] >= 6).all()
    assert len(only(trace, Kind.FALL)) == 0


# --- worlds that lack something -------------------------------------------------------------------


def without_cells() -> World:
    """A world in which nothing can happen."""
    world = toy_world()
    none, cells = np.zeros(0, dtype=np.int64), world.cells
    return replace(
        world, links=toy_links(0),
        cells=replace(
            cells, node=none, threat=none, place=none, of=np.full(cells.of.shape, -1),
            exposed=np.zeros((0, 3)), requirement=np.zeros((0, 3, 1)), harm_rate=np.zeros((0, 3)),
            protection=np.zeros(0), at_place=(none, none),
        ),
    )  # fmt: skip


def with_empty_places() -> World:
    """Only the middle one of three places has a cell."""
    world = toy_world(stock=((3.0,), (4.0,), (5.0,)), injects=[inject(0, 2)])
    none, cells, kept = np.zeros(0, dtype=np.int64), world.cells, np.array([1])
    of_cell = {name: getattr(cells, name)[kept] for name in (
        "node", "threat", "place", "exposed", "requirement", "harm_rate", "protection",
    )}  # fmt: skip
    at_place = (none, np.array([0]), none)
    return replace(
        world, links=toy_links(1),
        cells=replace(cells, **of_cell, of=np.array([[-1], [0], [-1]]), at_place=at_place),
    )  # fmt: skip


def without_desks() -> World:
    mechanisms = tuple(replace(m, desk=np.full(2, -1)) for m in toy_mechanisms(2, 1))
    parts = {"desks": (), "level_desks": np.full((2, 3), -1), "mechanisms": mechanisms}
    return toy_world(injects=[inject(0, 2)], parts=parts)


def test_a_world_without_cells() -> None:
    orders = [order for order in BUSY[0.0] if order.cell < 0]
    assert len(only(same(without_cells(), {0.0: orders}), Kind.ARRIVE)) == 2


def test_a_world_without_resources() -> None:
    injects = [inject(0, 2), inject(1, 3, 1.0)]
    world = toy_world(
        stock=np.zeros((2, 0)).tolist(), is_team=(), requirement_per_100k=(), injects=injects
    )
    assert len(same(world)) > 5


@pytest.mark.parametrize("world", [without_desks(), with_empty_places()], ids=["desks", "cells"])
def test_a_world_without_desks_or_with_places_where_nothing_can_happen(world: World) -> None:
    plan = {**BUSY, 4.0: [move(0, world.nodes.n_places - 1, 0, 1.0)]}
    assert len(only(same(world, plan, manages_returns=False), Kind.ARRIVE)) > 1


def test_a_world_of_one_place() -> None:
    plan = {0.0: [mobilise(ARMY, 0, 0, 5.0), serve(0, 1.0)], 5.0: [send_home(0, 0, 3.0)]}
    world = toy_world(stock=((3.0,),), injects=[inject(0, 2)])
    assert len(only(same(world, plan), Kind.ARRIVE)) == 2


# --- random worlds with something extreme ---------------------------------------------------------


def threats(world: World, **columns: object) -> World:
    return replace(world, threats=replace(world.threats, **columns))  # type: ignore[arg-type]


def _linked(world: World, source: np.ndarray, target: np.ndarray) -> World:
    """The world with other links, that repeat and stop by turns."""
    order = np.lexsort((target, source))
    source, target, n = source[order], target[order], len(order)
    law, each = world.threats.distribution[0], np.arange(n)
    links = Links(
        source=source, target=target, layer=("land",) * n,
        probability=np.where(each % 3, 1.0, 0.5), lag_days=np.where(each % 2, 1.5, 0.5),
        distribution=(law,) * n, repeats=each % 4 == 0, stops=each % 4 < 2,
        out=tuple(np.flatnonzero(source == cell) for cell in range(len(world.cells))),
    )  # fmt: skip
    return replace(world, links=links)


def links_to_itself(world: World) -> World:
    each = np.repeat(np.arange(len(world.cells)), 2)
    return _linked(world, each, each)


def links_between_all(world: World) -> World:
    """Every cell reaches every cell, some of them several times at once."""
    n = len(world.cells)
    source, target = (axis.ravel() for axis in np.indices((n, n)))
    return _linked(world, np.append(source, source[: 2 * n]), np.append(target, target[: 2 * n]))


def no_links(world: World) -> World:
    none = np.zeros(0, dtype=np.int64)
    return _linked(world, none, none)


def lags_of_a_tick_and_for_ever(world: World) -> World:
    days = np.resize([1e-9, np.inf, 1e300, 7.1e13, 1.0], len(world.links))
    return replace(world, links=replace(world.links, lag_days=days, repeats=days > 1e9))


def stays_of_a_tick(world: World) -> World:
    return threats(world, stay_days=world.threats.stay_days * [1e-9, 1.0, 1e-9])


def rises_of_a_tick(world: World) -> World:
    return threats(world, escalation_days=world.threats.escalation_days * [1.0, 1e-9, 1.0])


def stays_for_ever(world: World) -> World:
    return threats(world, stay_days=np.where(world.threats.stay_days > 2.0, np.inf, 7.1e13))


def immune_for_a_tick_and_for_ever(world: World) -> World:
    days = np.resize([1e-9, np.inf, 1e300, 7.1e13, 5e-324], len(world.threats.name))
    return threats(world, immunity_days=days)


def covered_fully(world: World) -> World:
    """Plenty everywhere: escalation stands still, and starts again when targets fall."""
    stock = world.resources.stock + 1e6
    rise = np.tile([1.0, 1.0, np.inf], (len(world.threats.name), 1))
    rich = replace(world, resources=replace(world.resources, stock=stock))
    return threats(rich, escalation_days=rise)


def nothing_required(world: World) -> World:
    return replace(world, cells=replace(world.cells, requirement=0.0 * world.cells.requirement))


def stock_below_zero_by_sign_only(world: World) -> World:
    stock = np.where(world.resources.stock > 5.0, world.resources.stock, -0.0)
    return replace(world, resources=replace(world.resources, stock=stock))


def classes_far_apart(world: World) -> World:
    classes = np.resize([2**31 - 1, -(2**31), 0, 0], len(world.threats.name))
    return threats(world, priority_class=classes)


def odd_gains(world: World) -> World:
    return threats(world, containment_gain=np.resize([-1.0, 1e6, 1e-17], len(world.threats.name)))


def desks_at_a_standstill(world: World) -> World:
    """One host for all desks, hit by everything; no speed, or next to none."""
    host, n = len(world.nodes.code) - 1, len(world.threats.name)
    desks = tuple(replace(d, host=host, servers=1, approval_days=2.0) for d in world.desks)
    hit = threats(world, slows_desks=np.ones(n, dtype=np.bool_))
    return replace(hit, desks=desks, desk_speed=np.array([1.0, 1e-7, 5e-324, 0.0]))


def roads_at_a_standstill(world: World) -> World:
    n = len(world.threats.name)
    slow = replace(world.roads, speed_share=np.array([1.0, 0.5, 1e-9, 1e-14]), own_place_days=0.0)
    return threats(replace(world, roads=slow), blocks_roads=np.ones(n, dtype=np.bool_))


def odd_ramps(world: World) -> World:
    """Equal days, days out of order, tranches of nothing, ends below 1 and after the horizon."""
    ramps = (
        ((0, 0.25), (0, 0.5), (0, 1.0)), ((3, 0.5), (1, 0.75)), ((0, 0.0), (2, 0.4)),
        ((0, 1e-9), (1, 1.0)), ((400, 0.5), (10**6, 1.0)),
    )  # fmt: skip
    mechanisms = enumerate(world.mechanisms)
    made = tuple(replace(m, ramp=ramps[i % 5], handover_days=i % 2 / 2) for i, m in mechanisms)
    return replace(world, mechanisms=made)


def everything_at_once(world: World) -> World:
    """Every cell is hit on the first tick, on each of the next five and on the last."""
    last = world.horizon_days - 1 / TICKS_PER_DAY
    days = [*(tick / TICKS_PER_DAY for tick in range(6)), 2.0, last]
    cells = range(len(world.cells))
    injects = tuple(Inject(cell, 1 + i % 3, day) for cell in cells for i, day in enumerate(days))
    return replace(world, hazard=replace(world.hazard, injects=injects))


def one_day_only(world: World) -> World:
    """An epoch right after another, at any instant, and at the horizon."""
    days = (0.0, 0.25, 0.25 + 1 / TICKS_PER_DAY, 0.999, 1.0)
    return replace(world, horizon_days=1, epoch_days=days)


def epochs_twice_and_at_the_horizon(world: World) -> World:
    twice = [day for epoch in world.epoch_days for day in (epoch, epoch)]
    return replace(world, epoch_days=(*twice, float(world.horizon_days)))


def cells_in_any_order(world: World) -> World:
    """Cells numbered against nodes and threats, requirements laid out the other way."""
    c, n, links = world.cells, len(world.cells), world.links
    old = np.random.default_rng(n).permutation(n)
    new = np.argsort(old)
    of = np.where(c.of >= 0, new[c.of], -1)
    source, target = new[links.source], new[links.target]
    order = np.lexsort((target, source))
    columns = ("probability", "lag_days", "repeats", "stops")
    place = c.place[old]
    cells = replace(
        c, node=c.node[old], threat=c.threat[old], place=place, of=of, exposed=c.exposed[old],
        requirement=np.asfortranarray(c.requirement[old]), harm_rate=c.harm_rate[old],
        protection=c.protection[old],
        at_place=tuple(np.flatnonzero(place == p) for p in range(world.nodes.n_places)),
    )  # fmt: skip
    turned = replace(
        links, source=source[order], target=target[order],
        layer=tuple(links.layer[i] for i in order),
        distribution=tuple(links.distribution[i] for i in order),
        out=tuple(np.flatnonzero(source[order] == cell) for cell in range(n)),
        **{name: getattr(links, name)[order] for name in columns},
    )  # fmt: skip
    injects = tuple(replace(i, cell=int(new[i.cell])) for i in world.hazard.injects)
    return replace(world, cells=cells, links=turned, hazard=replace(world.hazard, injects=injects))


EDGES = (
    links_to_itself, links_between_all, no_links, lags_of_a_tick_and_for_ever, stays_of_a_tick,
    rises_of_a_tick, stays_for_ever, immune_for_a_tick_and_for_ever, covered_fully,
    nothing_required, stock_below_zero_by_sign_only, classes_far_apart, odd_gains,
    desks_at_a_standstill, roads_at_a_standstill, odd_ramps, everything_at_once, one_day_only,
    epochs_twice_and_at_the_horizon, cells_in_any_order,
)  # fmt: skip


def at_edge(edge: Callable[[World], World], one: Case) -> Case:
    """The case at an edge, its orders spread over its epochs, with targets of 0, −0 and 1."""
    world = edge(one.world)
    lists = list(one.plan.values()) or [()]
    aims = [serve(i % len(world.cells), share) for i, share in enumerate((0.0, -0.0, 1.0, 5e-324))]
    plan = {
        day: [*one.plan.get(day, lists[i % len(lists)]), aims[i % 4]]
        for i, day in enumerate(world.epoch_days)
    }
    return replace(one, world=world, plan=plan)


def same_at_edge(edge: Callable[[World], World], number: int, *, whole_days: bool) -> int:
    """Play a case at an edge, the compiled engine in pieces; return the rows."""
    one = at_edge(edge, case(number, whole_days=whole_days))
    whole = play_on("simpy", one.world, one.policy, one.luck)
    stops = random_stops(one.world, number)
    told = difference(whole, play_on("compiled", one.world, one.policy, one.luck, stops))
    assert told is None, f"{edge.__name__}, {one.name}: {told}"
    return len(whole.trace)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.__name__)
def test_parity_at_the_edges(edge: Callable[[World], World]) -> None:
    rows = [same_at_edge(edge, number, whole_days=w) for number in range(2) for w in (True, False)]
    assert sum(rows) > 40


@pytest.mark.slow
@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.__name__)
def test_parity_further_along_the_edges(edge: Callable[[World], World]) -> None:
    for number in range(2, 20):
        for whole_days in (True, False):
            same_at_edge(edge, number, whole_days=whole_days)


# --- many at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("servers", [1, 3])
def test_a_thousand_orders_at_a_desk_that_is_hit(servers: int) -> None:
    """Of all priorities; the host is hit, stands still and recovers while the queue is long."""
    n, rng = 4, np.random.default_rng(servers)
    dynamics = toy_threats(
        stay_days=(0.7, 0.6, 0.9), immunity_days=0.3, distribution="exponential",
        escalation_days=(1.0, 1.0, np.inf),
    )  # fmt: skip
    desks = (
        toy_desk(servers=servers, approval_days=0.01 * servers, distribution="exponential"),
        toy_desk(name="other", servers=1, approval_days=0.02),
    )
    mechanisms = tuple(replace(m, desk=np.arange(n) % 2) for m in toy_mechanisms(n, 1))
    days = (0.0, 0.5, 1.0, 2.0, 3.5, 5.0)
    world = toy_world(
        stock=((1e4,),) * n, threats=replace(dynamics, slows_desks=np.array([True])),
        injects=[inject(cell, 1 + cell % 3, day) for cell in range(n) for day in days],
        links=[(a, b, 0.7, 0.3) for a in range(n) for b in range(n)], horizon_days=20,
        parts={"desks": desks, "mechanisms": mechanisms,
               "desk_speed": np.array([1.0, 0.5, 0.25, 0.0])},
    )  # fmt: skip
    orders = [
        mobilise(ARMY, int(to), 0, 1.0, priority=int(urgency)) if i % 2 else
        move(int(start), int(to), 0, 1.0, priority=int(urgency))
        for i, (start, to, urgency) in enumerate(rng.integers((0, 0, -3), (n, n, 4), (1200, 3)))
    ]  # fmt: skip
    trace = same(world, {0.0: orders[:1000], 1.0: orders[1000:]})
    waited = only(trace, Kind.APPROVED)["value"]
    assert len(waited) > 500
    assert waited.max() > 2.0


def test_more_places_to_settle_than_are_sorted_one_by_one() -> None:
    """All of eighty places are marked in one instant, in no order; then only some."""
    n = 80
    busy = toy_threats(
        2, stay_days=(2.0, 1.0, 1.0), immunity_days=1.0, escalation_days=(1.0, 3.0, np.inf)
    )
    cells = range(2 * n)
    near = [(a, a + step) for a in cells for step in (-2, -1, 0, 1, 2) if a + step in cells]
    world = toy_world(
        stock=((3.0, 50.0),) * n, is_team=(True, False), requirement_per_100k=(100.0, 900.0),
        threats=busy, injects=[inject(cell, 1 + cell % 3, float(cell % 2)) for cell in cells],
        links=[(a, b, 0.5, 1.0) for a, b in near], horizon_days=8,
    )  # fmt: skip
    moves = [move(i, (i * 7) % n, 0, 1.0) for i in reversed(range(1, n))]
    aims = [serve(cell, 0.5) for cell in cells]
    trace = same(world, {day: [*moves, *aims] for day in (0.0, 2.0, 5.0)}, manages_returns=False)
    settled = trace[(trace["phase"] == 8) & (trace["tick"] == 0)]
    assert len(np.unique(settled["index"])) > 32


def test_more_worlds_at_once_than_are_remembered() -> None:
    """Sessions of twenty worlds and of two equal ones, carried on in turns."""
    assert flat.fixed_tables.cache_parameters()["maxsize"] < 20
    cases = [case(number, whole_days=True) for number in range(20)]
    cases += [replace(one, world=replace(one.world)) for one in cases[:2]]
    alone = [play_on("simpy", one.world, one.policy, one.luck).trace for one in cases]
    for one, trace, session in zip(cases, alone, _carried_on_by_turns(cases), strict=True):
        assert first_difference(trace, session.trace()) is None, one.name


def _carried_on_by_turns(cases: Sequence[Case]) -> list[LocalSession]:
    sessions = [
        LocalSession(c.world, c.luck, manages_returns=c.policy.manages_returns) for c in cases
    ]
    decisions = [one.policy.open(one.world) for one in cases]
    for turn in range(max(len(one.world.epoch_days) for one in cases)):
        for one, session, decide in zip(cases, sessions, decisions, strict=True):
            for day in one.world.epoch_days[turn : turn + 1]:
                session.advance(ticks(day))
                session.apply(decide(session.observe()))
    for one, session in zip(cases, sessions, strict=True):
        session.advance(ticks(one.world.horizon_days))
        session.engine.close()
    return sessions


# --- futures --------------------------------------------------------------------------------------


def known_at(one: Case, tick: int) -> Observation:
    """What is known at any tick, between epochs too."""
    session = LocalSession(one.world, one.luck, manages_returns=one.policy.manages_returns)
    decide = one.policy.open(one.world)
    for day in one.world.epoch_days:
        if ticks(day) <= tick:
            session.advance(ticks(day))
            session.apply(decide(session.observe()))
    session.advance(tick)
    return session.observe()


def played_on(one: Case, known: Observation, engine: EngineName) -> Played:
    """A future under a rule that orders at its first instant already."""
    world, luck = one.world, Luck(9, DrawSet.PLANNING, 0)
    immune = np.full(len(world.cells), 0.4)
    session = LocalSession.open_from(world, known, luck, immune=immune, engine=engine)
    decide, seen = make_policy("greedy", PolicySpec()).open(world), []
    for day in (known.day, *(day for day in world.epoch_days if day >= known.day)):
        session.advance(ticks(day))
        seen.append(session.observe())
        session.apply(decide(seen[-1]))
    session.advance(ticks(world.horizon_days))
    session.engine.close()
    return Played(session.trace(), tuple(session.book.rulings), tuple(seen))


@pytest.mark.parametrize("lag_days", [0.0, 0.3, 50.0])
@KINDS
def test_futures_from_any_tick(whole_days: bool, lag_days: float) -> None:
    """The first and last ticks, whole days and any instant; reports older than the run."""
    information = Information("any", lag_days, 0.2, ((0.0, 0.5), (2.0, 1.0)))
    for number in range(3):
        one = case(number, whole_days=whole_days)
        one = replace(one, world=replace(one.world, information=information))
        end = ticks(one.world.horizon_days)
        for tick in (0, 1, 2 * TICKS_PER_DAY, end // 3 + 7, end - 1, end):
            known = known_at(one, tick)
            told = difference(*(played_on(one, known, engine) for engine in ENGINES))
            assert told is None, f"{one.name} from tick {tick}: {told}"


# --- memory ---------------------------------------------------------------------------------------

_BEYOND = """
import sys
from nts_sim.engine import _kernel, flat
from nts_sim.luck.calendar import hazard_calendar
from nts_sim.testing import toy_world
from tests.engines.helpers import LUCK
from tests.engines.parity.count import main
world = toy_world()
try:
    play = flat.new_play(world, LUCK, hazard_calendar(world, LUCK), 0)
    _kernel.required(flat.fixed_tables(world), play, 999_999, 0)
except IndexError:
    sys.exit(main(40))
sys.exit("bounds are not checked")
"""


@pytest.mark.slow
def test_the_kernel_stays_within_its_tables(tmp_path: Path) -> None:
    """Compiled with checks of every index, eighty worlds; an index too large is noticed."""
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", _BEYOND], cwd=ROOT, env=os.environ | checked, capture_output=True,
        text=True, check=False, timeout=600,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:] + run.stdout[-2000:]
    assert run.stdout.count(" 0 differences") == 2


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
def test_replications_leave_nothing_behind() -> None:
    """After a warm-up, a thousand replications with orders take less than 4 MiB more."""
    world, policy = toy_world(injects=[inject(0, 2)], links=[(0, 1, 1.0, 1.0)]), scripted(BUSY)
    taken = []
    for replication in range(1200):
        simulate(world, policy, Luck(1, DrawSet.EVALUATION, replication))
        if replication >= 200:
            taken.append(_resident_mib())
    assert max(taken) - taken[0] < 4.0


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
