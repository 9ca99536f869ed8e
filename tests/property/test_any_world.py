"""In any world and under any orders: nothing is lost, nothing is owed twice, nothing crashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import event, given, settings

from nts_sim.decision.model import Observation, Order, OrderKind, Policy
from nts_sim.engine.contract import Run
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.trace.model import Kind
from nts_sim.units import TICKS_PER_DAY, ticks
from tests.engines.helpers import Books, audit, harm, only, scripted, unrelieved
from tests.property.worlds import Case, cases


def run(case: Case) -> Run:
    policy = scripted(case.plan, manages_returns=case.manages_returns)
    return simulate(case.world, policy, case.luck)


@settings(max_examples=100)
@given(cases())
def test_units_and_money_are_conserved_at_every_instant(case: Case) -> None:
    """Books kept from the rows alone balance after every row, and nothing is below zero."""
    done = run(case)
    for ruling in done.rulings:
        if ruling.granted > 0.0:
            event(f"granted {ruling.order.kind.name}")
    audit(case.world, done)


@settings(max_examples=50)
@given(cases())
def test_the_state_agrees_with_the_books_at_every_epoch(case: Case) -> None:
    """Teams by home add up to the stock at hand; every home's teams are somewhere."""
    world = case.world
    session = LocalSession(world, case.luck, manages_returns=case.manages_returns)
    for day in world.epoch_days:
        session.advance(ticks(day))
        shown = session.observe()
        books = Books(world, session.book.rulings)
        for row in session.trace():
            books.take(row)
        check_state(session, books)
        np.testing.assert_allclose(shown.balance, books.balance, atol=1e-6)
        np.testing.assert_allclose(shown.committed, books.committed, atol=1e-6)
        session.apply(case.plan.get(day, ()))
        held = session.engine.state.holdings()
        assert (held.free > -1e-9).all(), "promised twice"
        assert (held.on_hand - held.free > -1e-9).all()
        assert all(visiting.quantity > 0.0 for visiting in session.book.visitors)


def check_state(session: LocalSession, books: Books) -> None:
    state, world = session.engine.state, books.world
    held = state.holdings()
    np.testing.assert_allclose(held.on_hand, books.on_hand, atol=1e-6)
    np.testing.assert_allclose(held.on_hand - held.free, books.held, atol=1e-6)
    away = teams_away(session)
    for place, resource, home, units in session.book.visitors:
        assert units <= away[place, home] + 1e-9, "free visitors that are not there"
        assert resource == 0
    of_home = held.on_hand[:, 0] - away.sum(axis=1) + away.sum(axis=0)[:-1]
    for number, shipments in books.shipments.items():
        home = on_the_road_for(session, number)
        if home is not None:
            of_home[home] += sum(shipments)
    np.testing.assert_allclose(of_home, world.resources.stock[:, 0], atol=1e-6)


def teams_away(session: LocalSession) -> np.ndarray:
    """Teams of other homes at each place [place, home], replayed from the trace."""
    n_places = session.engine.state.holdings().on_hand.shape[0]
    away = np.zeros((n_places, n_places + 1))
    for row in session.trace():
        if row["resource"] != 0 or row["kind"] not in (Kind.DEPART, Kind.ARRIVE):
            continue
        ruling = session.book.rulings[row["order"]]
        if row["kind"] == Kind.DEPART and ruling.order.kind is OrderKind.MOBILISE:
            continue
        if row["kind"] == Kind.ARRIVE:
            place, home, units = row["node"], int(row["value"]), row["quantity"]
        else:
            place, units = row["node"], -row["quantity"]
            home = ruling.source if ruling.order.kind is OrderKind.MOVE else n_places
            home = ruling.order.home if ruling.order.home >= 0 else home
        if place >= 0 and place != home:
            away[place, home] += units
    return away


def on_the_road_for(session: LocalSession, number: int) -> int | None:
    """Home of the teams under way by an order; None for supplies and mobilised teams."""
    ruling = session.book.rulings[number]
    order, n_places = ruling.order, session.engine.state.holdings().on_hand.shape[0]
    if order.resource != 0 or order.kind is OrderKind.MOBILISE:
        return None
    home = order.home
    if order.kind is OrderKind.MOVE and home < 0:
        home = ruling.source
    return home if 0 <= home < n_places else None


@settings(max_examples=50)
@given(cases())
def test_rulings_are_consistent(case: Case) -> None:
    """0 ≤ granted ≤ asked; a whole unit less than asked has its reason; numbers count up."""
    done = run(case)
    world = case.world
    uses: Counter[int] = Counter()
    for number, ruling in enumerate(done.rulings):
        order = ruling.order
        assert ruling.number == number
        assert 0.0 <= ruling.granted <= max(0.0, order.quantity)
        whole = order.kind in (OrderKind.MOVE, OrderKind.MOBILISE, OrderKind.RETURN)
        asked = np.floor(max(0.0, order.quantity) + 1e-9) if whole else order.quantity
        if ruling.refusal is None:
            assert ruling.granted == asked or order.kind is OrderKind.DECLARE
        else:
            assert ruling.granted < order.quantity or order.quantity <= 0.0 or ruling.granted == 0.0
        assert ruling.cost_bn_vnd >= 0.0
        if ruling.granted == 0.0:
            assert ruling.cost_bn_vnd == 0.0
        elif ruling.mechanism >= 0:
            uses[ruling.mechanism] += 1
    for index, mechanism in enumerate(world.mechanisms):
        most = mechanism.trigger.max_uses
        assert most is None or index == 0 or uses[index] <= most
    every_order = sum(map(len, case.plan.values())) + sum(r.automatic for r in done.rulings)
    assert len(done.rulings) == every_order
    check_rows(done)


def check_rows(done: Run) -> None:
    """Every ruling has its ADMIT, REFUSE or TARGET row, and says the same as they do."""
    admitted = {int(r["order"]): r for r in only(done.trace, Kind.ADMIT)}
    refused = {int(r["order"]) for r in only(done.trace, Kind.REFUSE)}
    aimed = {int(r["order"]) for r in only(done.trace, Kind.TARGET)}
    for ruling in done.rulings:
        assert (ruling.refusal is not None) == (ruling.number in refused)
        if ruling.order.kind is OrderKind.SERVE:
            assert (ruling.refusal is None) == (ruling.number in aimed)
            continue
        assert (ruling.granted > 0.0) == (ruling.number in admitted)
        if ruling.granted > 0.0:
            row = admitted[ruling.number]
            assert (row["quantity"], row["value"]) == (ruling.granted, ruling.cost_bn_vnd)
            assert row["tick"] == ruling.tick


@settings(max_examples=50)
@given(cases())
def test_the_trace_is_sorted_and_deterministic(case: Case) -> None:
    done = run(case)
    trace = done.trace
    keys = list(zip(*(trace[c].tolist() for c in ("tick", "phase", "index", "sub")), strict=True))
    assert keys == sorted(keys)
    assert (trace["cause_row"] < np.arange(len(trace))).all()
    assert (trace["tick"] <= ticks(case.world.horizon_days)).all()
    assert run(case).trace.tobytes() == trace.tobytes()


@settings(max_examples=40)
@given(cases())
def test_stopping_on_the_way_changes_nothing(case: Case) -> None:
    world = case.world

    def pieces(stops_a_day: int) -> bytes:
        session = LocalSession(world, case.luck, manages_returns=case.manages_returns)
        for day in range(world.horizon_days):
            session.advance(ticks(day))
            session.observe()
            session.apply(case.plan.get(float(day), ()))
            for stop in range(1, stops_a_day):
                session.advance(ticks(day) + stop * TICKS_PER_DAY // stops_a_day)
        session.engine.close()
        return session.trace().tobytes()

    assert pieces(1) == pieces(7)


@settings(max_examples=40)
@given(cases())
def test_coverage_is_a_share_and_relief_is_bounded(case: Case) -> None:
    """0 ≤ coverage ≤ 1, so harm lies between (1 − ρ) and 1 times the harm of nobody helping."""
    trace = run(case).trace
    coverage = only(trace, Kind.COVERAGE)["value"]
    assert ((coverage >= 0.0) & (coverage <= 1.0)).all()
    most = unrelieved(case.world, trace)
    assert 0.5 * most - 1e-9 <= harm(case.world, trace) <= most + 1e-9


@settings(max_examples=40)
@given(cases())
def test_a_policy_of_no_orders_is_no_policy(case: Case) -> None:
    """Refused orders change nothing but their own rows."""
    foolish = [replace(order, quantity=-1.0) for orders in case.plan.values() for order in orders]

    def decide(_observation: Observation) -> list[Order]:
        return foolish

    refused = simulate(
        case.world, Policy("fool", lambda _w: decide, manages_returns=True), case.luck
    )
    quiet = simulate(case.world, scripted({}), case.luck)
    rest = refused.trace[refused.trace["kind"] != Kind.REFUSE]
    columns = [name for name in rest.dtype.names or () if name != "cause_row"]
    assert rest[columns].tolist() == quiet.trace[columns].tolist()
