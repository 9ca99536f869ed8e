"""What is done before day 0: units really there, paid once, and refused where it may not be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from nts_sim.decision.model import Observation, Order, Policy, Preparation, mobilise, move
from nts_sim.engine.choice import EngineName
from nts_sim.engine.contract import Run
from nts_sim.engine.prepared import (
    posting_cost,
    preparation_cost,
    preparation_problems,
    prepared,
)
from nts_sim.engine.session import simulate
from nts_sim.errors import InvalidInput
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.accumulate import tally
from nts_sim.outcomes.layout import layout_of
from nts_sim.outcomes.measures import measure, outcomes_of
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec
from nts_sim.study.orders import gap_table
from nts_sim.testing import toy_mechanism, toy_supply, toy_threats, toy_world
from nts_sim.world.model import Effect, Inject, MoneySource, PreparationTerms, World
from tests.engines.helpers import scripted
from tests.engines.test_shipped_worlds import shipped
from tests.property.worlds import Case, cases

LUCK = Luck(5, DrawSet.EVALUATION, 0)
ENGINES: tuple[EngineName, ...] = ("simpy", "compiled")
BOAT, KIT = 0, 1
TERMS = PreparationTerms(
    sources=(MoneySource("budget", 100.0),), depot_cost_bn_vnd=0.5, depot_capacity_tonnes=40.0,
    tonnes_per_unit={KIT: 2.0}, post_share=0.5,
)  # fmt: skip


def world_of(terms: PreparationTerms = TERMS, **parts: object) -> World:
    """Make three places 100 km apart; boats (teams) and kits (supplies); `contract` unready."""
    contract = toy_mechanism(
        "contract", Effect.GOODS, 3, supplies=(toy_supply(KIT, 3, unit_cost_bn_vnd=0.12),),
        enabled=False, readiness_cost_bn_vnd=7.0,
    )  # fmt: skip
    made = toy_world(
        stock=((4.0, 10.0), (8.0, 30.0), (2.0, 0.0)), is_team=(True, False),
        requirement_per_100k=(100.0, 50.0), injects=(Inject(0, 3, 2.25), Inject(2, 2, 3.5)),
    )  # fmt: skip
    every = (*made.mechanisms, contract)
    return replace(made, terms=terms, mechanisms=every, **parts)  # type: ignore[arg-type]


def bought(**units: float) -> np.ndarray:
    """Make a table [place, resource]; `kit_2=5` buys five kits for place 2."""
    table = np.zeros((3, 2))
    for name, quantity in units.items():
        resource, place = name.split("_")
        table[int(place), ("boat", "kit").index(resource)] = quantity
    return table


def by_hand(world: World) -> Preparation:
    """Buy kits and a boat, post boats, open a depot, sign the contract."""
    return Preparation(
        bought=bought(kit_2=15.0, boat_0=1.0), posted=((1, 0, BOAT, 3.0), (1, 2, KIT, 5.0)),
        depots=frozenset({2}), ready=frozenset({world.mechanism_index["contract"]}),
    )  # fmt: skip


def nothing(world: World) -> Preparation:
    return Preparation(np.zeros_like(world.resources.stock))


class Orders:
    """Ask the contract for kits on day 2 and note what is on hand on day 0."""

    def __init__(self, world: World) -> None:
        self.contract = world.mechanism_index["contract"]
        self.first: Observation | None = None

    def __call__(self, seen: Observation) -> Sequence[Order]:
        self.first = self.first or seen
        return [mobilise(self.contract, 0, KIT, 6.0)] if seen.day == 2 else []


def play(world: World, prepare=by_hand, engine: EngineName = "compiled") -> tuple[Run, Observation]:
    opened: list[Orders] = []

    def start(ready: World) -> Orders:
        opened.append(Orders(ready))
        return opened[-1]

    run = simulate(world, Policy("by_hand", start, prepare=prepare), LUCK, engine)
    assert opened[0].first is not None
    return run, opened[0].first


def play_orders(world: World, orders: Sequence[Order]) -> Run:
    """Give orders on day 0, nothing later."""
    policy = Policy("p", lambda _world: lambda seen: [] if seen.day else orders)
    return simulate(world, policy, LUCK)


def found(run: Run, world: World) -> dict[tuple[str, str], float]:
    return {(metric, key): value for metric, key, value in outcomes_of(run, world)}


# --- the simulation --------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_units_are_there_on_day_0(engine: EngineName) -> None:
    _, seen = play(world_of(), engine=engine)
    expected = [[4.0 + 1.0 + 3.0, 10.0], [8.0 - 3.0, 30.0 - 5.0], [2.0, 15.0 + 5.0]]
    assert seen.own.tolist() == expected
    assert not seen.away.any(), "posted teams belong to their post"


def test_both_engines_tell_the_same_story() -> None:
    world = world_of()
    simpy, compiled = (play(world, engine=engine)[0] for engine in ENGINES)
    assert simpy.trace.tobytes() == compiled.trace.tobytes()
    assert repr(simpy.rulings) == repr(compiled.rulings)


@pytest.mark.parametrize("engine", ENGINES)
def test_preparing_nothing_is_as_not_preparing(engine: EngineName) -> None:
    world = world_of()
    with_none, without = play(world, nothing, engine)[0], play(world, None, engine)[0]
    assert with_none.trace.tobytes() == without.trace.tobytes()
    assert repr(with_none.rulings) == repr(without.rulings)
    assert found(with_none, world) == pytest.approx(found(without, world), nan_ok=True)
    assert found(with_none, world)["preparation_cost_bn_vnd", "all"] == 0.0


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_not_made_ready_is_refused(engine: EngineName) -> None:
    (refused,) = play(world_of(), None, engine)[0].rulings
    (granted,) = play(world_of(), by_hand, engine)[0].rulings
    assert (refused.granted, str(refused.refusal)) == (0.0, "ready")
    assert (granted.granted, granted.refusal) == (6.0, None)


@settings(max_examples=20)
@given(cases())
def test_preparing_nothing_changes_no_world_s_story(case: Case) -> None:
    policy = scripted(case.plan, manages_returns=case.manages_returns)
    with_none = simulate(case.world, replace(policy, prepare=nothing), case.luck)
    without = simulate(case.world, policy, case.luck)
    assert with_none.trace.tobytes() == without.trace.tobytes()
    assert repr(with_none.rulings) == repr(without.rulings)


def test_both_engines_tell_the_same_story_of_a_prepared_typhoon() -> None:
    """As much again of everything everywhere, and boats posted, under today's rule."""
    made = shipped("typhoon_north")
    world = replace(made, terms=PreparationTerms((MoneySource("budget", 1e6),)))
    boats, there = made.resources.index["boat_crew"], made.nodes.index["22"]

    def prepare(world: World) -> Preparation:
        posted = tuple((j, there, boats, 3.0) for j in range(6) if j != there)
        return Preparation(world.resources.stock, posted)

    policy = replace(make_policy("current_practice", PolicySpec()), prepare=prepare)
    simpy, compiled = (simulate(world, policy, LUCK, engine) for engine in ENGINES)
    assert simpy.trace.tobytes() == compiled.trace.tobytes()
    assert repr(simpy.rulings) == repr(compiled.rulings)
    plain = simulate(world, replace(policy, prepare=None), LUCK)
    assert found(simpy, world)["harm_bn_vnd", "all"] < found(plain, world)["harm_bn_vnd", "all"]


def test_a_policy_is_asked_once_for_a_world() -> None:
    asked: list[World] = []

    def prepare(world: World) -> Preparation:
        asked.append(world)
        return nothing(world)

    world, policy = world_of(), Policy("p", lambda _world: lambda _seen: (), prepare=prepare)
    for number in range(3):
        simulate(world, policy, Luck(1, DrawSet.EVALUATION, number))
    assert asked == [world]


# --- the money -------------------------------------------------------------------------------


def test_cost_by_hand() -> None:
    """15 kits and a boat at 0.1; 3 boats over 100 km both ways and 10 days at 0.01; 5 kits."""
    world = world_of()
    cost = preparation_cost(world, by_hand(world)).by_kind
    assert cost == pytest.approx({
        "bought": 16 * 0.1, "posted": 3 * (2 * 0.001 + 10 * 0.01) + 5 * 0.001, "depots": 0.5,
        "readiness": 7.0,
    })  # fmt: skip


def test_posting_costs_are_those_of_the_order_layer_and_the_days_away() -> None:
    each = posting_cost(world_of())
    assert each[0, 2, KIT] == pytest.approx(2 * 0.001)
    assert each[0, 2, BOAT] == pytest.approx(2 * 2 * 0.001 + 10 * 0.01)
    assert not each[1, 1].any()
    orders = [move(0, 2, BOAT, 2.0), move(0, 2, KIT, 2.0)]
    boats, kits = play_orders(world_of(), orders).rulings
    assert boats.cost_bn_vnd == pytest.approx(2 * (each[0, 2, BOAT] - 10 * 0.01))
    assert kits.cost_bn_vnd == pytest.approx(2 * each[0, 2, KIT])


def test_no_road_no_posting() -> None:
    roads = replace(toy_world().roads, leg_km=csr_array((3, 3)))
    world = world_of(roads=roads)
    assert np.isinf(posting_cost(world)[0, 1]).all()
    assert "no road from Place 1 to Place 0" in refused(
        world, Preparation(bought(), ((1, 0, BOAT, 1.0),))
    )


def test_preparation_is_part_of_cost_and_burden_once() -> None:
    world = world_of()
    run, _ = play(world)
    measured, values = measure(run, world), found(run, world)
    cost = preparation_cost(world, by_hand(world))
    response = sum(
        values[metric, "all"] for metric in (
            "spent_by_fund_bn_vnd", "running_cost_bn_vnd", "supplies_replaced_bn_vnd"
        )
    )  # fmt: skip
    for kind, amount in cost.by_kind.items():
        assert values["preparation_cost_bn_vnd", kind] == pytest.approx(amount)
    assert values["cost_bn_vnd", "all"] == pytest.approx(response + cost.total_bn_vnd)
    assert values["total_burden_bn_vnd", "all"] == pytest.approx(
        values["harm_bn_vnd", "all"] + values["cost_bn_vnd", "all"]
    )
    assert measured.flow_cost.sum() == pytest.approx(values["cost_bn_vnd", "all"])


def test_flows_tell_who_paid_before_day_0() -> None:
    world = world_of()
    run, _ = play(world)
    measured, layout = measure(run, world), layout_of(world)
    shape = (len(layout.funds), len(layout.mechanisms), *layout.stock_shape)
    table = np.zeros(math.prod(shape))
    table[measured.flow_slot] = measured.flow_cost
    paid = table.reshape(shape)[layout.funds.index("preparation")]
    assert paid[layout.local, KIT, 2] == pytest.approx(15 * 0.1 + 5 * 0.001 + 0.5)
    assert paid[world.mechanism_index["contract"]].sum() == pytest.approx(7.0)


def test_bought_supplies_are_not_paid_again_when_used() -> None:
    """Place 2 holds no kits of its own: what it uses was bought, or posted there."""
    world = replace(world_of(), hazard=replace(world_of().hazard, injects=(Inject(2, 2, 3.5),)))

    def buy(world: World) -> Preparation:
        return Preparation(bought(kit_2=15.0), depots=frozenset({2}))

    def post(world: World) -> Preparation:
        return Preparation(bought(), ((1, 2, KIT, 15.0),), frozenset({2}))

    by_buying, by_posting = (found(play(world, prepare)[0], world) for prepare in (buy, post))
    used = by_buying["supplies_used_bn_vnd", "all"]
    assert 0.0 < used <= 1.5
    assert by_buying["supplies_replaced_bn_vnd", "all"] == 0.0
    assert by_posting["supplies_replaced_bn_vnd", "all"] == pytest.approx(used)


def test_bought_supplies_that_are_sent_on_are_not_paid_again() -> None:
    world = world_of()

    def buy(world: World) -> Preparation:
        return Preparation(bought(kit_1=15.0), depots=frozenset({1}))

    def start(_world: World):  # 12 of 45 kits, sent where 4 boats serve on 10 of its own
        return lambda seen: [move(1, 0, KIT, 12.0)] if seen.day == 0 else []

    sent, kept = (
        found(simulate(world, Policy("p", start, prepare=prepare), LUCK), world)
        for prepare in (buy, None)
    )
    assert sent["supplies_used_bn_vnd", "all"] == kept["supplies_used_bn_vnd", "all"]
    saved = kept["supplies_replaced_bn_vnd", "all"] - sent["supplies_replaced_bn_vnd", "all"]
    assert 0.0 < saved <= 1.2 + 1e-9


def test_posted_teams_in_use_cost_no_more_than_their_days() -> None:
    """Place 0 needs 10 boats from day 2.25 for 12 days or to the end; it has 4 of its own."""
    world = world_of(hazard=replace(world_of().hazard, injects=(Inject(0, 3, 2.25),)))
    world = replace(world, threats=toy_threats(stay_days=(30.0, 30.0, 30.0)))
    world = replace(world, resources=replace(world.resources, stock=np.array([[4.0, 900.0]] * 3)))

    def post(world: World) -> Preparation:
        return Preparation(bought(), ((1, 0, BOAT, 2.0),))

    run, _ = play(world, post)
    values, days_of_use = found(run, world), 10 - 2.25
    assert values["running_cost_bn_vnd", "all"] == pytest.approx(4 * days_of_use * 0.01)
    assert values["preparation_cost_bn_vnd", "posted"] == pytest.approx(2 * (0.002 + 0.1))
    assert values["turns_units", "r0"] == 2.0


def test_the_gap_tells_what_is_held_after_preparing() -> None:
    world = world_of()
    run, _ = play(world)
    table = gap_table("s", "p", world, tally(measure(run, world)))
    kits = table[(table["place"] == "p2") & (table["resource"] == "r1")]
    assert kits["held_units"].tolist() == [20.0]


# --- what may not be done ----------------------------------------------------------------------


def refused(world: World, preparation: Preparation) -> str:
    with pytest.raises(InvalidInput) as told:
        prepared(world, preparation)
    return str(told.value)


NO_ROOM = Preparation(bought(kit_2=1.0))
FREE = MoneySource("free", 1.0)
KITS_ONLY = MoneySource("donors", 2.0, frozenset({KIT}))


@pytest.mark.parametrize(
    ("terms", "preparation", "says"),
    [
        ({}, Preparation(bought(boat_0=1001.0)), "costs 100.1 bn VND; the budget is 100"),
        ({"sources": ()}, Preparation(bought(boat_0=1.0)), "the budget is 0"),
        ({}, Preparation(bought(), ((1, 0, BOAT, 5.0),)),
         "posts 5 of 8 units of r0; at most 4 may leave"),
        ({}, Preparation(bought(), ((1, 0, BOAT, 3.0), (1, 2, BOAT, 2.0))), "posts 5 of 8 units"),
        ({}, NO_ROOM, "depots at Place 2  2 tonnes more need a depot; open one"),
        ({}, Preparation(bought(kit_2=21.0), depots=frozenset({2})),
         "42 tonnes do not fit; it holds 40"),
        ({}, Preparation(bought(), ((1, 2, KIT, 3.0),)), "6 tonnes more need a depot"),
        ({}, Preparation(bought(boat_0=-1.0)), "has numbers that are not 0 or above"),
        ({}, Preparation(bought(boat_0=math.nan)), "has numbers that are not 0 or above"),
        ({}, Preparation(np.zeros((2, 2))), "has shape (2, 2); [place, resource] is (3, 2)"),
        ({}, Preparation(bought(), ((1, 1, BOAT, 1.0),)), "leaves units where they are"),
        ({}, Preparation(bought(), ((1, 9, BOAT, 1.0),)), "does not exist"),
        ({}, Preparation(bought(), ((1, 0, BOAT, -1.0),)), "is not a quantity of 0 or above"),
        ({}, Preparation(bought(), depots=frozenset({3})), "place 3 is no province; 0 to 2 are"),
        ({}, Preparation(bought(), ready=frozenset({2})), "army is always ready; leave it out"),
        ({}, Preparation(bought(), ready=frozenset({9})), "mechanism 9 does not exist"),
        ({"sources": (FREE, KITS_ONLY)}, Preparation(bought(boat_0=11.0)),
         "r0: 1.1 bn VND that only free may pay, with 1 bn VND"),
        ({"sources": (KITS_ONLY,)}, Preparation(bought(), depots=frozenset({0})),
         "depots and readiness: 0.5 bn VND that no source may pay"),
        ({"place_share_at_most": 0.01}, Preparation(bought(boat_0=11.0)),
         "1.1 bn VND for Place 0; at most 1 for one"),
        ({"resource_share_at_most": {BOAT: 0.5}}, Preparation(bought(boat_0=11.0)),
         "r0 gets 1.1 of 1.1 bn VND; the guidance says 0.5"),
        ({"resource_share_at_least": {KIT: 0.2}}, Preparation(bought(boat_0=11.0)),
         "r1 gets 0 of 1.1 bn VND; the guidance says 0.2"),
    ],
)  # fmt: skip
def test_what_may_not_be_done_is_told(
    terms: dict[str, object], preparation: Preparation, says: str
) -> None:
    world = world_of(replace(TERMS, **terms))  # type: ignore[arg-type]
    assert says in refused(world, preparation)


def test_earmarked_sources_pay_together() -> None:
    """Twenty kits (2.0) and ten boats (1.0) empty both sources; no money is left for a depot."""
    terms = replace(TERMS, sources=(FREE, KITS_ONLY), tonnes_per_unit={})
    prepared(world_of(terms), Preparation(bought(boat_0=10.0, kit_0=20.0)))
    assert "the budget is 3" in refused(
        world_of(terms), Preparation(bought(boat_0=10.0, kit_0=21.0))
    )


@given(
    st.lists(st.tuples(st.integers(0, 6), st.sets(st.integers(0, 2))), min_size=1, max_size=4),
    st.tuples(*[st.integers(0, 6)] * 3), st.integers(0, 3),
)  # fmt: skip
def test_money_reaches_exactly_when_a_flow_does(
    payers: list[tuple[int, set[int]]], units: tuple[int, ...], depots: int
) -> None:
    """Three kinds of boat at 1 bn VND and depots at 1: refused where the largest flow is less."""
    boats = toy_world(stock=((0.0,) * 3,) * 3, is_team=(True,) * 3, requirement_per_100k=(1.0,) * 3)
    priced = replace(boats.resources, acquire_cost=np.ones(3))
    sources = tuple(
        MoneySource(f"s{i}", amount, frozenset(may) if may else None)
        for i, (amount, may) in enumerate(payers)
    )
    world = replace(boats, resources=priced, terms=PreparationTerms(sources, depot_cost_bn_vnd=1.0))
    table = np.zeros((3, 3))
    table[0] = units
    problems = preparation_problems(world, Preparation(table, depots=frozenset(range(depots))))
    graph = nx.DiGraph()
    graph.add_nodes_from(("from", "to"))
    for i, (amount, may) in enumerate(payers):
        graph.add_edge("from", ("source", i), capacity=amount)
        for use in may or {0, 1, 2, "depots"}:
            graph.add_edge(("source", i), ("use", use))
    for use, owed in (*enumerate(units), ("depots", depots)):
        graph.add_edge(("use", use), "to", capacity=owed)
    enough = nx.maximum_flow_value(graph, "from", "to") == sum(units) + depots
    event("enough" if enough else "not enough")
    assert (not problems) == enough


def test_what_is_posted_away_leaves_room() -> None:
    swap = Preparation(bought(kit_1=5.0), ((1, 0, KIT, 5.0),), depots=frozenset({0}))
    ready = prepared(world_of(), swap)
    assert ready.resources.stock[:, KIT].tolist() == [15.0, 30.0, 0.0]


def test_units_are_rounded_down_to_whole_ones() -> None:
    world = world_of()

    def prepare(world: World) -> Preparation:
        return Preparation(bought(boat_0=2.999), ((1, 0, BOAT, 1.5), (1, 2, BOAT, 1.0 - 1e-12)))

    _, seen = play(world, prepare)
    assert seen.own[:, BOAT].tolist() == [4.0 + 2.0 + 1.0, 6.0, 3.0]


def test_a_world_is_prepared_once() -> None:
    world = world_of()
    ready = prepared(world, by_hand(world))
    assert "prepared already" in refused(ready, nothing(ready))
    run, seen = play(ready, by_hand)
    assert seen.own[2, KIT] == 20.0
    assert found(run, ready)["preparation_cost_bn_vnd", "depots"] == 0.5
