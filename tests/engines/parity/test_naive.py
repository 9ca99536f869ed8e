"""A third witness: a naive SimPy model that shares only the draws tells the same incidents.

In continuous worlds, where nothing of weight hangs on what happens first at the same tick, it must
agree to the tick with both engines, for spread alone and with the whole response. In whole-day
worlds it does not, which is why the order of an instant is part of the model.

No chance is involved: worlds and luck are numbered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Order, OrderKind
from nts_sim.engine.deck import Deck
from nts_sim.engine.session import EngineName
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec
from nts_sim.trace.model import Kind, Trace
from nts_sim.world.model import World
from tests.engines.parity.compare import play_on
from tests.engines.parity.naive import Incident, naive_run
from tests.engines.parity.test_parity import SCENARIOS, shipped
from tests.engines.parity.worlds import Case, case

WORLDS, MORE_WORLDS = 60, 300
INCIDENT_KINDS = (
    Kind.ONSET, Kind.SPREAD, Kind.BLOCKED, Kind.MISSED, Kind.RISE, Kind.FALL, Kind.SUSCEPTIBLE
)  # fmt: skip
ENGINES = pytest.mark.parametrize("engine", ["simpy", "compiled"])


def incidents(world: World, trace: Trace) -> list[Incident]:
    """What a trace says about cells: tick, kind, cell, severity; sorted."""
    rows = trace[np.isin(trace["kind"], INCIDENT_KINDS)]
    cells = world.cells.of[rows["node"], rows["threat"]]
    columns = (rows["tick"], rows["kind"], cells, rows["quantity"].astype(int))
    told = zip(*(column.tolist() for column in columns), strict=True)
    return sorted((tick, Kind(kind), cell, severity) for tick, kind, cell, severity in told)


def ordered(number: int, *, whole_days: bool = False) -> Case:
    """A case whose draws and declarations name no resource: what a naive reader takes them for."""
    made = case(number, whole_days=whole_days)
    return replace(made, plan={day: _plain(orders) for day, orders in made.plan.items()})


def _plain(orders: Sequence[Order]) -> list[Order]:
    nothing = (OrderKind.DECLARE, OrderKind.DRAW)
    return [replace(o, resource=-1) if o.kind in nothing else o for o in orders]


def helpless(number: int) -> World:
    """A continuous world in which everything is required and nothing is there."""
    world = case(number, whole_days=False).world
    return replace(
        world,
        resources=replace(world.resources, stock=np.zeros_like(world.resources.stock)),
        cells=replace(world.cells, requirement=world.cells.requirement + 1.0),
    )


@ENGINES
def test_spread_without_help_is_told_alike(engine: EngineName) -> None:
    """Onset, spread, blocked and missed hits, rise, fall, immunity, links across threats."""
    kinds: Counter[Kind] = Counter()
    across = 0
    for number in range(WORLDS):
        world, luck = helpless(number), Luck(number, DrawSet.EVALUATION, 0)
        done = play_on(engine, world, make_policy("do_nothing", PolicySpec()), luck)
        assert not done.trace["value"][done.trace["kind"] == Kind.COVERAGE].any()
        told = incidents(world, done.trace)
        assert sorted(naive_run(world, luck)) == told, number
        kinds.update(kind for _, kind, _, _ in told)
        across += _spread_across_threats(world, done.trace)
    assert min(kinds[kind] for kind in INCIDENT_KINDS) > 100, kinds
    assert across > 100


def _spread_across_threats(world: World, trace: Trace) -> int:
    links = trace["order"][trace["kind"] == Kind.SPREAD]
    source, target = world.links.source[links], world.links.target[links]
    return int((world.cells.threat[source] != world.cells.threat[target]).sum())


def agrees(one: Case, engine: EngineName) -> bool:
    """Whether the naive model, carrying out the same order book, tells the same incidents."""
    done = play_on(engine, one.world, one.policy, one.luck)
    told = incidents(one.world, done.trace)
    return sorted(naive_run(one.world, one.luck, done.rulings)) == told


@ENGINES
def test_incidents_under_response_are_told_alike(engine: EngineName) -> None:
    """Coverage by teams and supplies, desks, leads, tranches, roads, targets."""
    assert all(agrees(ordered(number), engine) for number in range(WORLDS))


@pytest.mark.slow
@ENGINES
def test_incidents_under_response_are_told_alike_in_more_worlds(engine: EngineName) -> None:
    assert all(agrees(ordered(i), engine) for i in range(WORLDS, WORLDS + MORE_WORLDS))


@pytest.mark.slow
@ENGINES
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_shipped_scenarios_are_told_alike(scenario: str, engine: EngineName) -> None:
    world, luck = shipped(scenario), Luck(147, DrawSet.EVALUATION, 3)
    done = play_on(engine, world, make_policy("current_practice", PolicySpec()), luck)
    told = incidents(world, done.trace)
    assert len(told) > 20
    assert sorted(naive_run(world, luck, done.rulings)) == told


# --- the witness itself ---------------------------------------------------------------------------


def test_the_witness_sees_what_help_does() -> None:
    """Negative control: without the orders, incidents differ in many of these worlds."""
    unlike = 0
    for number in range(WORLDS):
        one = ordered(number)
        done = play_on("simpy", one.world, one.policy, one.luck)
        unlike += sorted(naive_run(one.world, one.luck)) != incidents(one.world, done.trace)
    print(f"orders matter to incidents in {unlike} of {WORLDS} worlds")
    assert unlike >= WORLDS // 5


def test_the_witness_sees_one_wrong_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: an engine that reads the marks of hits one step on is contradicted."""
    mark = Deck.mark
    monkeypatch.setattr(Deck, "mark", lambda self, link, k, step: mark(self, link, k, step + 1))
    assert not all(agrees(ordered(number), "simpy") for number in range(10))


def test_whole_day_worlds_need_the_order_of_an_instant() -> None:
    """Insertion order, which is all the naive model has, tells another story in most of them."""
    alike = sum(agrees(ordered(number, whole_days=True), "simpy") for number in range(WORLDS))
    print(f"the naive model agrees in {alike} of {WORLDS} whole-day worlds")
    assert 0 < alike < WORLDS // 2
