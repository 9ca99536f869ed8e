"""Rule policies: who gets what, in what order, with whose money, and never what does not exist."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nts_sim.decision.model import Observation, Order, OrderKind, Policy
from nts_sim.engine.session import LocalSession
from nts_sim.errors import InvalidInput
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies import POLICY_NAMES, load_user_policy, make_policy
from nts_sim.policies.means import trips
from nts_sim.policies.needs import Picture, Reading, reader_of, stock_of
from nts_sim.policies.registry import RULE_NAMES
from nts_sim.policies.shares import split
from nts_sim.spec.models import PolicySpec
from nts_sim.testing import (
    toy_desk,
    toy_mechanism,
    toy_nodes,
    toy_supply,
    toy_threats,
    toy_world,
)
from nts_sim.units import ticks
from nts_sim.words.why import why
from nts_sim.world.model import Effect, Fund, Hazard, Inject, Mechanism, Trigger, World

RULES = RULE_NAMES
ACTIVE_RULES = tuple(name for name in RULES if name != "do_nothing")
DIVIDING_RULES = ("equal_share", "per_capita", "risk_proportional")


def orders_on(
    world: World, policy: Policy, day: float, *, before: tuple[float, ...] = ()
) -> list[Order]:
    """Orders at the epoch of `day`, after epochs at the days `before`."""
    session = LocalSession(world, Luck(1, DrawSet.EVALUATION, 0))
    decide = policy.open(world)
    for epoch in before:
        session.advance(ticks(epoch))
        session.apply(decide(session.observe()))
    session.advance(ticks(day))
    return list(decide(session.observe()))


def sent(orders: list[Order], kind: OrderKind = OrderKind.MOVE) -> dict[int, float]:
    """Units ordered of one kind, by place."""
    units: dict[int, float] = {}
    for order in orders:
        if order.kind is kind:
            units[order.place] = units.get(order.place, 0.0) + order.quantity
    return units


def two_in_need(**changes: object) -> World:
    """p0 (severity 3) needs 100 teams, p1 (severity 1) needs 10; p2 can spare 40 of its 80."""
    world = toy_world(
        stock=((0.0,), (0.0,), (80.0,), (0.0,)),
        requirement_per_100k=(1000.0,),
        injects=(Inject(0, 3, 1.0), Inject(1, 1, 1.0)),
        parts={"mechanisms": (toy_mechanism("mutual_aid", Effect.TRANSFER, 4, donor_share=0.5),)},
    )
    return replace(world, **changes)  # type: ignore[arg-type]


# --- who gets what -------------------------------------------------------------------------------


def test_split_by_weights_worked_by_hand():
    # 150 are short in all and the pool has them: 1 : 3 of 150, whoever is short.
    shares = split(300.0, np.array([100.0, 50.0]), np.array([1.0, 3.0]))
    np.testing.assert_allclose(shares, [37.5, 112.5])
    # The pool has only 40: halves of 40; the third place does not need the resource.
    shares = split(40.0, np.array([100.0, 10.0, 0.0]), np.array([1.0, 1.0, 0.0]))
    np.testing.assert_allclose(shares, [20.0, 20.0, 0.0])
    assert split(5.0, np.zeros(2), np.zeros(2)).sum() == 0.0


def test_equal_share_gives_halves():
    orders = orders_on(two_in_need(), make_policy("equal_share", PolicySpec()), 1.0)
    assert sent(orders) == {0: 20.0, 1: 20.0}


def test_per_capita_gives_by_population():
    world = two_in_need(nodes=toy_nodes([1e5, 3e5, 1e5, 1e5]))
    orders = orders_on(world, make_policy("per_capita", PolicySpec()), 1.0)
    assert sent(orders) == {0: 10.0, 1: 30.0}


def test_risk_proportional_gives_by_weighted_reports():
    # 10 000 people at severity 3 (weight 4) against 1 000 at severity 1, one more head each:
    # 40 · 40 001 / 41 002 = 39.02 and 40 · 1 001 / 41 002 = 0.98, in whole teams.
    orders = orders_on(two_in_need(), make_policy("risk_proportional", PolicySpec()), 1.0)
    assert sent(orders) == {0: 39.0}


def test_current_practice_serves_the_worst_first():
    orders = orders_on(two_in_need(), make_policy("current_practice", PolicySpec()), 1.0)
    assert sent(orders) == {0: 40.0}


def test_nearest_first_serves_the_neighbour_first():
    orders = orders_on(two_in_need(), make_policy("nearest_first", PolicySpec()), 1.0)
    assert sent(orders) == {1: 10.0, 0: 30.0}


def test_threshold_leaves_a_place_alone_that_is_met_well_enough():
    # p0 has 60 of 100, p1 has 4 of 10.
    world = toy_world(
        stock=((60.0,), (4.0,), (80.0,)),
        requirement_per_100k=(1000.0,),
        injects=(Inject(0, 3, 1.0), Inject(1, 1, 1.0)),
    )
    spec = PolicySpec(coverage_below=0.5)
    assert set(sent(orders_on(world, make_policy("threshold", spec), 1.0), OrderKind.MOVE)) <= {1}
    everywhere = PolicySpec(coverage_below=0.9)
    orders = orders_on(world, make_policy("threshold", everywhere), 1.0)
    assert {order.place for order in orders} == {0, 1}


def bottleneck_world() -> World:
    """p0 and p1 need teams of both kinds; p1 is harmed three times as much; no r1 for all."""
    world = toy_world(
        stock=((0.0, 0.0), (0.0, 0.0), (400.0, 20.0)),
        is_team=(True, True),
        requirement_per_100k=(1000.0, 100.0),
        injects=(Inject(0, 3, 1.0), Inject(1, 3, 1.0)),
        parts={"mechanisms": (toy_mechanism("mutual_aid", Effect.TRANSFER, 3, donor_share=0.5),)},
    )
    harm = world.cells.harm_rate * np.array([[1.0], [3.0], [1.0]])
    return replace(world, cells=replace(world.cells, harm_rate=harm))


def test_greedy_gives_whole_batches_where_most_harm_is_averted():
    # 200 teams r0 and 10 teams r1 to share; each place wants 100 and 10. p1 is worth three times
    # as much, takes all of r1, and no r0 is wasted on p0, whose r1 is missing.
    orders = orders_on(bottleneck_world(), make_policy("greedy", PolicySpec()), 1.0)
    assert {(o.place, o.resource): o.quantity for o in orders if o.kind is OrderKind.MOVE} == {
        (1, 0): 100.0,
        (1, 1): 10.0,
    }


def test_reports_are_corrected_only_on_request():
    world = two_in_need()
    half = replace(world.information, reported_share=((0.0, 0.5),))
    world = replace(world, information=half)
    plain = orders_on(world, make_policy("nearest_first", PolicySpec()), 1.0)
    corrected = PolicySpec(correct_reports=True)
    assert sent(plain)[1] == 5.0
    assert sent(orders_on(world, make_policy("nearest_first", corrected), 1.0))[1] == 10.0


# --- reading reports -----------------------------------------------------------------------------


def seen_on(world: World, day: float) -> tuple[Observation, Picture]:
    """What is reported on a day, and what a rule makes of it."""
    session = LocalSession(world, Luck(1, DrawSet.EVALUATION, 0))
    session.advance(ticks(day))
    observation = session.observe()
    cells = np.flatnonzero(observation.severity).tolist()
    return observation, reader_of(world, Reading(lookahead_days=7.0)).picture(observation, cells)


def supplied_world() -> World:
    """p0 is hit twice, p1 a little; r0 are teams, r1 is used up day by day."""
    return toy_world(
        stock=((30.0, 50.0), (9.6, 0.0), (8.0, 4.0)),
        is_team=(True, False),
        requirement_per_100k=(1000.0, 100.0),
        injects=(Inject(0, 3, 1.0), Inject(1, 1, 1.0), Inject(2, 1, 1.0)),
        threats=toy_threats(2),
    )


def test_shortage_worked_by_hand():
    # p0: 10 000 + 1 000 people need 110 teams and 11 units a day, 88 for 8 days; 30 and 50 there.
    # p1: 1 000 people need 10 teams and 1 unit a day; 9.6 teams are within 5 % of that.
    _, seen = seen_on(supplied_world(), 1.0)
    assert seen.wanted == {0: {0: 110.0, 1: 88.0}, 1: {0: 10.0, 1: 8.0}}
    assert seen.shortage == {0: {0: 80.0, 1: 38.0}, 1: {1: 8.0}}
    assert seen.worst == {0: 3, 1: 1}
    assert seen.exposed == {0: 11_000.0, 1: 1_000.0}
    assert seen.worst_first([1, 0]) == [0, 1]
    assert seen.scarcest_first([0, 1], 0) == [0, 1]
    assert seen.scarcest_first([0, 1], 1) == [1, 0]


def test_donors_keep_what_they_need():
    # Half of what is not needed at home, in whole units; p0 and p1 need all they have.
    world = supplied_world()
    observation, seen = seen_on(world, 1.0)
    stock = stock_of(world, observation, seen.kept, 0, 0.5)
    assert stock.own == [0.0, 0.0, 4.0]
    assert stock.visitors == {}
    assert stock.donors == {2}
    assert stock_of(world, observation, {}, 0, 0.5).own == [15.0, 4.0, 4.0]


def test_trips_put_the_nearest_first():
    # Legs of 100 km take a quarter of a day, loading as long; then p2 is hit.
    world = toy_world(stock=((0.0,),) * 4)
    clear = trips(world, (0, 0, 0, 0))
    assert clear.soonest(1, 1.0) == [(1.5, 0), (1.5, 2), (1.75, 3)]
    assert clear.days(1, 1) == world.roads.own_place_days
    slowed = trips(world, (0, 0, 3, 0))
    assert [source for _, source in slowed.soonest(1)] == [0, 2, 3]
    assert slowed.days(2, 1) > 1.0


# --- levels, stages, forces on call, money -------------------------------------------------------


def ladder() -> tuple[Mechanism, ...]:
    """A contract of 2 teams for each place, mutual aid, an army, and levels."""
    contract = toy_supply(0, 4, scope="place", ceiling=2.0)
    return (
        toy_mechanism("level", Effect.GATE, 4),
        toy_mechanism("contract", Effect.GOODS, 4, supplies=(contract,)),
        toy_mechanism("mutual_aid", Effect.TRANSFER, 4, donor_share=0.5),
        toy_mechanism("army", Effect.GOODS, 4, supplies=(toy_supply(0, 4),), fund_kind=None),
    )


def escalating_world(severity: int) -> World:
    # p1 borders p0; p3 is far. Units arrive late, so that the shortage lasts.
    return toy_world(
        stock=((0.0,), (4.0,), (0.0,), (4.0,)),
        requirement_per_100k=(2000.0,),
        injects=(Inject(0, severity, 1.0),),
        threats=toy_threats(stay_days=(50.0, 50.0, 50.0)),
        parts={"mechanisms": ladder()},
    )


def givers(orders: list[Order]) -> set[tuple[str, int]]:
    """Kind of order and who gives: the donor, or the mechanism."""
    return {
        (o.kind.name, o.source if o.kind is OrderKind.MOVE else o.mechanism)
        for o in orders
        if o.kind in (OrderKind.MOBILISE, OrderKind.MOVE)
    }


def test_current_practice_goes_up_one_stage_an_epoch():
    world, policy = escalating_world(1), make_policy("current_practice", PolicySpec())
    assert givers(orders_on(world, policy, 1.0)) == {("MOBILISE", 1)}
    assert givers(orders_on(world, policy, 2.0, before=(1.0,))) == {("MOVE", 1)}
    third = givers(orders_on(world, policy, 3.0, before=(1.0, 2.0)))
    assert ("MOBILISE", 3) in third


def test_severity_three_asks_the_centre_at_once():
    orders = orders_on(escalating_world(3), make_policy("current_practice", PolicySpec()), 1.0)
    assert ("MOBILISE", 3) in givers(orders)
    levels = [o.quantity for o in orders if o.kind is OrderKind.DECLARE]
    assert levels == [3.0]


def test_a_level_is_asked_for_once():
    world, policy = escalating_world(2), make_policy("per_capita", PolicySpec())
    later = orders_on(world, policy, 2.0, before=(1.0,))
    assert not [o for o in later if o.kind is OrderKind.DECLARE]


def test_army_is_put_on_call_before_a_forewarned_onset():
    world = toy_world(
        stock=((0.0,), (0.0,)), injects=(Inject(0, 3, 3.0),), requirement_per_100k=(1000.0,)
    )
    warned = Hazard(world.hazard.injects, (), np.array([2.0]), np.ones(1))
    world = replace(world, hazard=warned)
    on_call, late = PolicySpec(), PolicySpec(preposition=False)
    assert sent(
        orders_on(world, make_policy("current_practice", on_call), 1.0), OrderKind.MOBILISE
    ) == {0: 100.0}
    assert orders_on(world, make_policy("current_practice", late), 1.0) == []
    assert orders_on(world, make_policy("current_practice", on_call), 0.0) == []


def poor_world(own: float) -> World:
    """p0 wants 100 teams at 1 bn VND; its account has 10, its contingency `own`, the centre 500."""
    army = toy_supply(0, 2, unit_cost_bn_vnd=1.0)
    after = Trigger(after_fund="contingency")
    return toy_world(
        stock=((0.0,), (0.0,)),
        requirement_per_100k=(1000.0,),
        injects=(Inject(0, 3, 1.0),),
        parts={
            "mechanisms": (
                toy_mechanism("centre", Effect.MONEY, 2, fund_kind="central", fund_is_central=True),
                toy_mechanism("reserve", Effect.MONEY, 2, fund_kind="reserve", trigger=after),
                toy_mechanism("contingency", Effect.MONEY, 2, fund_kind="contingency"),
                toy_mechanism("army", Effect.GOODS, 2, supplies=(army,)),
            ),
            "funds": (
                Fund("account p0", "account", 0, 10.0),
                Fund("contingency p0", "contingency", 0, own),
                Fund("reserve p0", "reserve", 0, 50.0),
                Fund("central", "central", None, 500.0),
            ),
            "desks": (toy_desk(approval_days=1.0),),
        },
    )


def test_what_the_account_lacks_is_drawn_from_own_funds_first():
    # 100 wanted, 10 paid: the gap is 90, the draw twice that.
    orders = orders_on(poor_world(1000.0), make_policy("equal_share", PolicySpec()), 1.0)
    assert sent(orders, OrderKind.MOBILISE) == {0: 10.0}
    assert [(o.mechanism, o.quantity) for o in orders if o.kind is OrderKind.DRAW] == [(2, 180.0)]


def test_the_next_fund_follows_when_one_is_exhausted():
    # 180 wanted: 100 of the contingency, then the reserve's 50, then 30 of the centre.
    orders = orders_on(poor_world(100.0), make_policy("equal_share", PolicySpec()), 1.0)
    drawn = [(o.mechanism, o.quantity) for o in orders if o.kind is OrderKind.DRAW]
    assert drawn == [(2, 100.0), (1, 50.0), (0, 30.0)]


def test_a_draw_on_its_way_is_not_asked_for_again():
    policy = make_policy("equal_share", PolicySpec())
    later = orders_on(poor_world(1000.0), policy, 2.0, before=(1.0,))
    assert not [o for o in later if o.kind is OrderKind.DRAW]


# --- properties ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_nothing_reported_nothing_ordered(name):
    world = toy_world(stock=((3.0,), (5.0,)))
    assert orders_on(world, make_policy(name, PolicySpec()), 2.0, before=(0.0, 1.0)) == []


units = st.integers(0, 60).map(float)


@st.composite
def worlds(draw):
    """Worlds of 2 to 5 places with incidents, tight funds, ceilings, hubs and leads."""
    n = draw(st.integers(2, 5))
    stock = draw(st.lists(st.tuples(units, units), min_size=n, max_size=n))
    cells = st.integers(0, n - 1)
    injects = draw(
        st.lists(
            st.builds(Inject, cells, st.integers(1, 3), st.integers(0, 5).map(float)),
            max_size=6,
            unique_by=lambda inject: (inject.cell, inject.day),
        )
    )
    share, ceiling = draw(st.floats(0.0, 1.0)), draw(units)
    lead = draw(st.sampled_from((0.0, 0.5, 2.0)))
    hub = {draw(cells): draw(units)}
    price = draw(st.sampled_from((0.0, 0.3)))
    mechanisms = (
        toy_mechanism("level", Effect.GATE, n),
        toy_mechanism("grant", Effect.MONEY, n, fund_kind="reserve", handover_days=lead),
        toy_mechanism(
            "contract", Effect.GOODS, n, handover_days=lead, ramp=((0, 0.3), (7, 1.0)),
            supplies=(toy_supply(1, n, scope="place", ceiling=ceiling, unit_cost_bn_vnd=price),),
        ),
        toy_mechanism(
            "army", Effect.GOODS, n, trigger=Trigger(min_severity=2, declared_level=2),
            supplies=(toy_supply(0, n, ceiling=ceiling, unit_cost_bn_vnd=price),),
        ),
        toy_mechanism(
            "stockpile", Effect.GOODS, n, fund_kind="account",
            supplies=(toy_supply(1, n, scope="decision", ceiling=20.0, hub_stock=hub),),
        ),
        toy_mechanism("mutual_aid", Effect.TRANSFER, n, donor_share=share, handover_days=lead),
    )  # fmt: skip
    balance = draw(st.sampled_from((0.0, 3.0, 1000.0)))
    funds = tuple(
        Fund(f"{kind} p{place}", kind, place, balance)
        for kind in ("account", "reserve")
        for place in range(n)
    )
    world = toy_world(
        stock=stock, is_team=(True, False), requirement_per_100k=(400.0, 100.0), injects=injects,
        threats=toy_threats(containment_gain=0.3), parts={"mechanisms": mechanisms, "funds": funds},
    )  # fmt: skip
    warned = replace(world.hazard, warning_days=np.array([draw(st.sampled_from((0.0, 2.0)))]))
    return replace(world, hazard=warned)


def check(order: Order, world: World) -> None:
    """An order is well formed: known indices, positive whole amounts, a reason."""
    places, resources = world.resources.stock.shape
    assert 0 <= order.place < places
    assert np.isfinite(order.quantity)
    assert order.quantity > 0.0
    for code in (order.reason, order.runner_up):
        assert code.startswith("why.")
        assert why(code, {}) != code
    if order.kind in (OrderKind.MOBILISE, OrderKind.MOVE):
        assert 0 <= order.resource < resources
        assert order.quantity == int(order.quantity)
    if order.kind is OrderKind.MOVE:
        assert 0 <= order.source < places
        assert order.source != order.place
    wanted = {OrderKind.MOBILISE: Effect.GOODS, OrderKind.DRAW: Effect.MONEY}.get(order.kind)
    if wanted is not None:
        assert world.mechanisms[order.mechanism].effect is wanted


@pytest.mark.parametrize("name", ACTIVE_RULES)
@settings(max_examples=25, deadline=None)
@given(world=worlds())
def test_orders_are_feasible(name, world):
    """With perfect reports every order is well formed and granted in full."""
    session = LocalSession(world, Luck(1, DrawSet.EVALUATION, 0))
    decide = make_policy(name, PolicySpec()).open(world)
    for day in world.epoch_days:
        session.advance(ticks(day))
        orders = decide(session.observe())
        for order in orders:
            check(order, world)
        for ruling in session.apply(orders):
            assert ruling.refusal is None, (ruling, day)


@pytest.mark.parametrize("name", ACTIVE_RULES)
def test_the_worlds_of_the_property_give_rules_something_to_do(name):
    """Every kind of order turns up, so that the property does not hold for want of orders."""
    worlds_seen = (escalating_world(2), poor_world(100.0), two_in_need())
    policy = make_policy(name, PolicySpec())
    kinds = {order.kind for world in worlds_seen for order in orders_on(world, policy, 1.0)}
    assert kinds == {OrderKind.DECLARE, OrderKind.DRAW, OrderKind.MOBILISE, OrderKind.MOVE}


def test_the_check_would_notice_an_infeasible_order():
    """Negative control of the property above."""
    world = two_in_need()
    order = orders_on(world, make_policy("equal_share", PolicySpec()), 1.0)[0]
    for wrong in (
        {"quantity": -1.0}, {"quantity": 1.5}, {"place": 9}, {"resource": 4}, {"source": 0},
        {"reason": ""},
    ):  # fmt: skip
        with pytest.raises(AssertionError):
            check(replace(order, **wrong), world)


@pytest.mark.parametrize("name", ACTIVE_RULES)
def test_replications_share_no_memory(name):
    world, policy = escalating_world(2), make_policy(name, PolicySpec())
    first = orders_on(world, policy, 2.0, before=(1.0,))
    assert orders_on(world, policy, 2.0, before=(1.0,)) == first


@pytest.mark.parametrize("name", DIVIDING_RULES)
def test_rules_that_divide_send_no_more_than_is_lacking(name):
    orders = orders_on(two_in_need(), make_policy(name, PolicySpec()), 1.0)
    assert sum(sent(orders).values()) <= 40.0


# --- by name and from a file ---------------------------------------------------------------------


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_every_name_makes_its_policy(name):
    assert make_policy(name, PolicySpec()).name == name


def test_unknown_policy_names_the_nearest():
    with pytest.raises(InvalidInput, match="did you mean 'per_capita'") as caught:
        make_policy("per_capta", PolicySpec())
    assert "known: do_nothing, current_practice" in str(caught.value)


GOOD = """
from nts_sim.decision.model import declare

def watch(world, observation):
    return [declare(0, 1, "as an example")] if observation.day == 1 else []

def broken(world, observation):
    return 1 / 0

def mute(world, observation):
    return None

def short(world):
    return []
"""


@pytest.fixture
def policy_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    return path


def test_user_policy_decides(policy_file):
    policy = load_user_policy(f"{policy_file}:watch")
    assert policy.name == "watch"
    assert orders_on(toy_world(), policy, 0.0) == []
    assert sent(orders_on(toy_world(), policy, 1.0), OrderKind.DECLARE) == {0: 1.0}


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("wach", r"mine.py +has no function 'wach'; functions there: broken, .*watch"),
        ("short", r"mine.py, line 13 +'short\(world\)' cannot be called as short\(world, obs"),
    ],
)
def test_user_policy_is_refused_when_loaded(policy_file, function, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        load_user_policy(f"{policy_file}:{function}")


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("broken", r"mine.py, line 8 +ZeroDivisionError on day 1: division by zero"),
        ("mute", r"mine.py, line 10 +'mute' must return a list of orders, not NoneType"),
    ],
)
def test_user_policy_that_fails_names_its_line(policy_file, function, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        orders_on(toy_world(), load_user_policy(f"{policy_file}:{function}"), 1.0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def f(:\n", r"own.py, line 1 +SyntaxError while the file was read"),
        ("x = 1\nraise ValueError('no')\n", r"own.py, line 2 +ValueError while .*: no"),
    ],
)
def test_user_file_that_cannot_be_run(tmp_path, text, sentence):
    path = tmp_path / "own.py"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=sentence):
        load_user_policy(f"{path}:f")


@pytest.mark.parametrize("reference", ["mine.py", "mine:f", "mine.py:", "mine.py:a-b"])
def test_user_reference_of_another_form(reference):
    with pytest.raises(InvalidInput, match=r"is not of the form FILE.py:function"):
        load_user_policy(reference)


def test_user_file_that_is_not_there(tmp_path):
    with pytest.raises(InvalidInput, match="no such file"):
        load_user_policy(f"{tmp_path}/none.py:f")
