"""Coverage worked by hand: scarcest fill, shared stock, priority classes, targets, supplies.

Places have 100 000 people; a cell of severity 1 exposes 1 000 of them. `needs` writes what each
cell requires at every severity, in units (teams) or units a day (supplies).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import declare, mobilise, move, serve
from nts_sim.engine.session import LocalSession
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import toy_threats, toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import NodeKind, World
from tests.engines.helpers import (
    ARMY,
    coverage_path,
    harm,
    inject,
    only,
    open_session,
    play,
    unrelieved,
    with_desk,
)
from tests.engines.test_session import PLAN, busy_world


def needs(world: World, requirement: Mapping[int, Sequence[float]]) -> World:
    """Return the world with the requirement of each cell [resource], the same by severity."""
    table = np.zeros_like(world.cells.requirement)
    for cell, row in requirement.items():
        table[cell, :] = row
    return replace(world, cells=replace(world.cells, requirement=table))


def two_threats_here(
    stock: Sequence[float], is_team: Sequence[bool] = (True, True), **threat: object
) -> World:
    """One place hit by both of its threats on day 0."""
    return toy_world(
        stock=(stock,), is_team=is_team, requirement_per_100k=(0.0,) * len(stock),
        injects=[inject(0), inject(1)], threats=toy_threats(2, **threat),
    )  # fmt: skip


def first_coverage(world: World, plan: dict | None = None) -> list[float]:
    """Coverage of the cells at the end of the first instant."""
    session = open_session(world)
    session.advance(0)
    session.apply((plan or {}).get(0.0, []))
    coverage = [0.0] * len(world.cells)
    for row in only(session.trace(), Kind.COVERAGE):
        coverage[world.cells.of[row["node"], row["threat"]]] = float(row["value"])
    return coverage


# --- the present ----------------------------------------------------------------------------------


def test_the_scarcest_resource_decides() -> None:
    """Fills are 8/10 and 3/6: coverage 0.5, not their mean nor their product."""
    world = needs(two_threats_here((8.0, 3.0)), {0: (10.0, 6.0)})
    assert first_coverage(world) == [0.5, 1.0]


def test_a_cell_that_requires_nothing_is_covered() -> None:
    assert first_coverage(needs(two_threats_here((0.0, 0.0)), {})) == [1.0, 1.0]


def test_two_cells_share_a_place() -> None:
    """Resource 0: 6 of 4 + 8 = 0.5, resource 1: 5 of 2 + 3 = 1: both cells at 0.5."""
    world = needs(two_threats_here((6.0, 5.0)), {0: (4.0, 2.0), 1: (8.0, 3.0)})
    assert first_coverage(world) == [0.5, 0.5]


def test_what_a_bottleneck_leaves_idle_is_not_redistributed() -> None:
    """Cell 0 is held to 0.1 by resource 1; cell 1 needs only resource 0, still split at 0.5."""
    world = needs(two_threats_here((6.0, 1.0)), {0: (6.0, 10.0), 1: (6.0, 0.0)})
    assert first_coverage(world) == pytest.approx([0.1, 0.5])


def test_priority_classes_are_served_in_order() -> None:
    """Threat 1 goes first: 8 of 8; threat 0 gets the rest, 2 of 4."""
    world = needs(two_threats_here((10.0, 0.0)), {0: (4.0, 0.0), 1: (8.0, 0.0)})
    threats = replace(world.threats, priority_class=np.array([2, 1]))
    assert first_coverage(replace(world, threats=threats)) == [0.5, 1.0]
    assert first_coverage(world) == [10 / 12] * 2


def test_a_class_passes_on_what_its_bottleneck_leaves() -> None:
    """Class 1 uses only 0.25 × 8 = 2 of 10; class 2 finds 8 for its 16."""
    world = needs(two_threats_here((10.0, 1.0)), {0: (16.0, 0.0), 1: (8.0, 4.0)})
    threats = replace(world.threats, priority_class=np.array([2, 1]))
    assert first_coverage(replace(world, threats=threats)) == [0.5, 0.25]


def test_targets_scale_what_is_asked_and_what_is_given() -> None:
    """Targets 0.5 and 0: 4 of 0.5 × 8 is a fill of 1, coverage 0.5; the other gets nothing."""
    world = needs(two_threats_here((4.0, 0.0)), {0: (8.0, 0.0), 1: (8.0, 0.0)})
    plan = {0.0: [serve(0, 0.5), serve(1, 0.0)]}
    assert first_coverage(world) == [0.25, 0.25]
    assert first_coverage(world, plan) == [0.5, 0.0]


def test_a_target_falls_back_to_one_at_a_change_of_severity() -> None:
    """Severity falls on day 4: target 0.25 holds till then, 1 afterwards."""
    world = toy_world(stock=((100.0,),), injects=[inject(0, 2)])
    run = play(world, {1.0: [serve(0, 0.25)]})
    assert coverage_path(run, 0, world) == [
        (0.0, 2, 1.0), (1.0, 2, 0.25), (4.0, 1, 1.0), (8.0, 0, 0.0),
    ]  # fmt: skip


def test_a_target_falls_back_to_one_when_a_cell_is_hit_again() -> None:
    world = toy_world(
        stock=((100.0,),), injects=[inject(0), inject(0, day=3.0)],
        threats=toy_threats(stay_days=(2.0,) * 3),
    )  # fmt: skip
    run = play(world, {1.0: [serve(0, 0.25)]})
    assert [c for _, severity, c in coverage_path(run, 0, world) if severity] == [1.0, 0.25, 1.0]


def test_reserved_units_serve_nobody() -> None:
    """Six of ten teams wait for a signature from day 0 to 3; an onset on day 1 finds four."""
    world = needs(toy_world(stock=((10.0,), (0.0,)), injects=[inject(0, day=1.0)]), {0: (10.0,)})
    world = with_desk(world, approval_days=3.0)
    run = play(world, {0.0: [move(0, 1, 0, 6)]})
    assert coverage_path(run, 0, world) == [(1.0, 1, 0.4), (5.0, 0, 0.0)]
    assert only(run.trace, Kind.DEPART)["tick"].tolist() == [ticks(3)]


def test_foreign_localities_are_not_ours_to_serve() -> None:
    """A border locality stays at coverage 0, whatever its stock and whatever it requires."""
    world = toy_world(stock=((10.0,), (10.0,)), injects=[inject(0), inject(1)])
    kind = np.array([NodeKind.PROVINCE, NodeKind.FOREIGN])
    world = replace(world, nodes=replace(world.nodes, kind=kind, n_provinces=1))
    assert first_coverage(world) == [1.0, 0.0]
    assert first_coverage(needs(world, {})) == [1.0, 0.0]


def test_an_order_cannot_serve_a_foreign_locality() -> None:
    world = toy_world(stock=((10.0,), (10.0,)), injects=[inject(0), inject(1)])
    kind = np.array([NodeKind.PROVINCE, NodeKind.FOREIGN])
    world = replace(world, nodes=replace(world.nodes, kind=kind, n_provinces=1))
    assert first_coverage(world, {0.0: [serve(1, 1.0)]}) == [1.0, 0.0]


def test_agencies_draw_on_the_stock_of_their_province() -> None:
    """A province and its agency, each in need of 8, share 12 teams: 0.75 each."""
    world = needs(with_agency(), {0: (8.0,), 1: (8.0,)})
    assert first_coverage(world) == [0.75, 0.75]


def with_agency(**threat: bool) -> World:
    """One province with an agency in it, both hit on day 0; 12 teams."""
    base = toy_world(stock=((12.0,),), injects=[inject(0), inject(1)])
    nodes = replace(
        base.nodes, code=("p0", "a0"), name=("Place 0", "Agency 0"),
        kind=np.array([NodeKind.PROVINCE, NodeKind.AGENCY]), place=np.array([0, 0]),
    )  # fmt: skip
    cells = replace(
        base.cells, node=np.array([0, 1]), threat=np.array([0, 0]), place=np.array([0, 0]),
        of=np.array([[0], [1]]), exposed=np.repeat(base.cells.exposed, 2, axis=0),
        requirement=np.repeat(base.cells.requirement, 2, axis=0),
        harm_rate=np.repeat(base.cells.harm_rate, 2, axis=0), protection=np.ones(2),
        at_place=(np.array([0, 1]),),
    )  # fmt: skip
    links = replace(base.links, out=(np.array([], dtype=np.int64),) * 2)
    flags = {name: np.array([flag]) for name, flag in threat.items()}
    return replace(
        base, nodes=nodes, cells=cells, links=links, threats=replace(base.threats, **flags)
    )


def test_a_threat_that_blocks_roads_may_hit_an_agency() -> None:
    """A blocked agency slows no road: roads are slowed by what hits the place itself."""
    world = with_agency(blocks_roads=True)
    world = replace(world, hazard=replace(world.hazard, injects=(inject(1, 3),)))
    session = open_session(world)
    session.advance(ticks(1))
    assert session.engine.state.road_hit().tolist() == [0]


# --- supplies -------------------------------------------------------------------------------------


def supplies(stock: float, per_day: float, **threat: object) -> World:
    """One place whose incident requires supplies of `per_day` units a day."""
    world = toy_world(
        stock=((stock,),), is_team=(False,), injects=[inject(0)],
        threats=toy_threats(**(threat or {"stay_days": (100.0,) * 3})),
    )  # fmt: skip
    return needs(world, {0: (per_day,)})


def test_stock_for_exactly_two_and_a_half_days_lasts_as_long() -> None:
    """100 a day from 250: all of days 0 and 1, half of day 2, nothing then."""
    world = supplies(250.0, 100.0)
    run = play(world)
    assert coverage_path(run, 0, world) == [(0.0, 1, 1.0), (2.0, 1, 0.5), (3.0, 1, 0.0)]
    used = only(run.trace, Kind.CONSUME)
    assert used["quantity"].tolist() == [100.0, 100.0, 50.0]
    assert (used["tick"] / TICKS_PER_DAY).tolist() == [1.0, 2.0, 3.0]


def test_stock_for_exactly_one_day_serves_all_of_it_after_an_unrelated_event() -> None:
    """Another incident of the place, requiring nothing, starts at noon: coverage stays 1."""
    world = needs(
        toy_world(
            stock=((100.0,),), is_team=(False,), injects=[inject(0), inject(1, day=0.5)],
            threats=toy_threats(2, stay_days=(100.0,) * 3),
        ),
        {0: (100.0,)},
    )  # fmt: skip
    run = play(world)
    assert coverage_path(run, 0, world) == [(0.0, 1, 1.0), (1.0, 1, 0.0)]


def test_an_incident_at_noon_needs_half_a_day() -> None:
    """30 units against 100 a day from noon: 30 of the remaining 50."""
    world = replace(supplies(30.0, 100.0), hazard=toy_world(injects=[inject(0, 1, 0.5)]).hazard)
    assert coverage_path(play(world), 0, world)[0] == (0.5, 1, 0.6)


def test_use_is_charged_to_the_end() -> None:
    """Up to the horizon, and up to the end of the incident where that comes first."""
    used = {
        end: only(play(supplies(1e4, 100.0, stay_days=(end,) * 3)).trace, Kind.CONSUME)
        for end in (2.25, 100.0)
    }
    assert used[2.25]["quantity"].sum() == pytest.approx(225.0)
    assert used[100.0]["quantity"].sum() == pytest.approx(1000.0)


# --- settling again changes nothing ---------------------------------------------------------------


def disturbed(world: World, luck: Luck, instants: list[int]) -> Trace:
    """Run PLAN with all places settled again at extra ticks."""
    session = LocalSession(world, luck)
    engine = session.engine

    def until(tick: int) -> None:
        while instants and instants[0] <= tick:
            session.advance(instants.pop(0))
            engine.stock_up(engine.state.holdings().on_hand)
        session.advance(tick)

    for day in world.epoch_days:
        until(ticks(day))
        session.observe()
        session.apply(PLAN.get(day, []))
    until(ticks(world.horizon_days))
    engine.close()
    return session.trace()


def outcomes(world: World, trace: Trace) -> np.ndarray:
    """Harm, need, units used by place and resource, and the end of every spell, in days."""
    used = np.zeros(world.resources.stock.shape)
    rows = only(trace, Kind.CONSUME)
    np.add.at(used, (rows["node"], rows["resource"]), rows["quantity"])
    turns = trace[np.isin(trace["kind"], (Kind.RISE, Kind.FALL, Kind.SPREAD))]["tick"]
    return np.concatenate(
        ([harm(world, trace), unrelieved(world, trace)], used.ravel(), turns / TICKS_PER_DAY)
    )


@pytest.mark.parametrize("law", ["fixed", "exponential"])
@pytest.mark.parametrize("replication", range(20))
def test_twenty_extra_settles_change_no_outcome(law: str, replication: int) -> None:
    luck, world = Luck(11, DrawSet.EVALUATION, replication), busy_world(law)
    extra = sorted(np.random.default_rng(replication).integers(0, ticks(12), 20).tolist())
    calm = outcomes(world, disturbed(world, luck, []))
    np.testing.assert_allclose(
        outcomes(world, disturbed(world, luck, extra)), calm, rtol=1e-9, atol=1e-9
    )


# --- harm -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("relief", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("law", ["fixed", "exponential"])
def test_full_coverage_leaves_one_minus_rho_of_the_harm(relief: float, law: str) -> None:
    """Plenty of everything everywhere: harm = (1 − ρ) · w · exposed · days, from the trace."""
    world = toy_world(
        stock=((1e6, 1e9),) * 3, is_team=(True, False), requirement_per_100k=(100.0, 500.0),
        injects=[inject(0, 3), inject(1, 2, 2.3)], links=[(0, 2, 0.5, 1.0), (2, 1, 0.9, 1.0)],
        threats=toy_threats(relief=relief, escalation_days=(5.0, 5.0, np.inf), distribution=law),  # type: ignore[arg-type]
        horizon_days=40,
    )  # fmt: skip
    run = play(world)
    active = only(run.trace, Kind.COVERAGE)
    active = active[active["quantity"] > 0]
    assert len(active) >= 4
    assert set(active["value"].tolist()) == {1.0}
    assert harm(world, run.trace) == pytest.approx((1.0 - relief) * unrelieved(world, run.trace))
    assert unrelieved(world, run.trace) > 0.0


def test_harm_worked_by_hand() -> None:
    """Severity 2 for 4 days, then 1 for 4: 3 000 and 1 000 people at 0.001 bn a day, ρ = 0.5.

    Three teams are needed at severity 2, one at severity 1; there is one: coverage 1/3, then 1.
    Harm = 3 × 4 × (1 − 0.5/3) + 1 × 4 × 0.5 = 10 + 2.
    """
    world = toy_world(stock=((1.0,),), injects=[inject(0, 2)])
    assert harm(world, play(world).trace) == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("teams", "sigma", "missed"), [(1.0, 1.0, True), (0.0, 1.0, False), (1.0, 0.0, False)]
)
def test_covering_a_source_stops_what_it_spreads(teams: float, sigma: float, missed: bool) -> None:
    """A certain hit succeeds with 1 − σ · coverage: never from a source that is fully covered."""
    world = toy_world(
        stock=((teams,), (0.0,)), injects=[inject(0)], links=[(0, 1, 1.0, 1.0)],
        threats=toy_threats(spread_reduction=sigma),
    )  # fmt: skip
    trace = play(world).trace
    assert len(only(trace, Kind.MISSED, node=1)) == missed
    assert len(only(trace, Kind.SPREAD, node=1)) == (not missed)


def test_no_response_takes_no_stock_into_account_but_its_own() -> None:
    """Own stock serves with no order at all; a declared level and idle stock elsewhere do not."""
    world = toy_world(stock=((1.0,), (50.0,)), injects=[inject(0)])
    alone, declared = play(world), play(world, {0.0: [declare(0, 3)]})
    assert coverage_path(alone, 0, world)[0] == (0.0, 1, 1.0)
    assert harm(world, alone.trace) == harm(world, declared.trace)


def test_mobilised_goods_serve_from_the_next_morning() -> None:
    world = needs(toy_world(stock=((0.0,),), injects=[inject(0)]), {0: (4.0,)})
    run = play(world, {0.0: [mobilise(ARMY, 0, 0, 1)], 1.0: [mobilise(ARMY, 0, 0, 1)]})
    assert coverage_path(run, 0, world)[:3] == [(0.0, 1, 0.0), (1.0, 1, 0.25), (2.0, 1, 0.5)]
