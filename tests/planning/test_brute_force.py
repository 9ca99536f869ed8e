"""Tiny cells where every whole plan can be tried: the planner finds the best, and never misses it.

What a plan may do and what it brings is worked out here plan by plan, without a matrix. With whole
units asked for, the optimum is the best plan tried; without, no plan tried is better.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
import pytest

from nts_sim.planning.problem import Goods, Source
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import Risk, solve_two_stage
from tests.planning.tiny import Tiny

ARCS = ((0, 1), (1, 0))
SLACK = 1e-9


@dataclass
class Tried:
    """A whole plan; [place, R], [arc, R] twice, [goods, place], [place]."""

    bought: np.ndarray
    posted: np.ndarray
    lent: np.ndarray
    created: np.ndarray
    depots: np.ndarray = field(default_factory=lambda: np.zeros(2))
    ready: bool = False


def came_and_left(tiny: Tiny, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    came, left = np.zeros((2, tiny.n_places, len(tiny.is_team)))
    for (source, to), amount in zip(tiny.arcs, units, strict=True):
        left[source] += amount
        came[to] += amount
    return came, left


def charges(tiny: Tiny, tried: Tried) -> tuple[np.ndarray, float, float]:
    """Bn VND spent on units [place, R], on depots, on readiness."""
    plan = tiny.problem().preparing
    units = np.where(tried.bought > 0.0, tried.bought * np.where(tried.bought > 0, plan.buy, 0), 0)
    for (_, to), amount, price in zip(tiny.arcs, tried.posted, plan.post, strict=True):
        units[to] += np.where(amount > 0.0, amount * np.where(amount > 0.0, price, 0.0), 0.0)
    fee = sum(plan.readiness.values()) if tried.ready else 0.0
    return units, plan.depot_cost * tried.depots, fee


def payable(sources, units: np.ndarray, other: float) -> bool:
    """Whether some split over the sources pays; earmarked money is spent first, by hand for two."""
    owed = units.sum(axis=0)
    open_money = sum(s.amount_bn_vnd for s in sources if s.resources is None)
    for source in sources:
        if source.resources is not None:
            (only,) = source.resources
            owed[only] = max(0.0, owed[only] - source.amount_bn_vnd)
    return owed.sum() + other <= open_money + SLACK


def allowed(tiny: Tiny, tried: Tried) -> bool:
    plan, own = tiny.problem().preparing, tiny._own()
    units, depots, fee = charges(tiny, tried)
    came, left = came_and_left(tiny, tried.posted)
    extra = tried.bought + came - left
    spent = units.sum() + depots.sum() + fee
    _, lent = came_and_left(tiny, tried.lent)
    lendable = np.broadcast_to(tiny.lendable, own.shape)
    may_lend = lendable + plan.lend_share * np.where(
        lendable > 0.0, extra, np.maximum(extra, tried.bought + came)
    )
    lacking = (lendable <= 0.0) & (tiny.need.mean(axis=0)[:, :1] > 0.0)
    may_lend = np.where(lacking, 0.0, may_lend)
    shares = units.sum(axis=0)
    needed = tiny.need.max(axis=(0, 2))[:, None] > 0.0
    stays = np.where(np.array(tiny.is_team) & needed, came, 0.0)  # posted teams are not lent on
    return bool(
        np.all(left <= plan.post_share * plan.stock + SLACK)
        and np.all(extra @ plan.volume <= plan.depot_capacity * tried.depots + SLACK)
        and payable(plan.sources, units, depots.sum() + fee)
        and np.all(units.sum(1) + depots <= plan.place_share_at_most * plan.money_bn_vnd + SLACK)
        and all(shares[r] <= s * spent + SLACK for r, s in plan.resource_share_at_most.items())
        and all(shares[r] >= s * spent - SLACK for r, s in plan.resource_share_at_least.items())
        and np.all(lent <= may_lend + SLACK)
        and np.all(own + extra - lent >= stays - SLACK)
        and (tried.ready or not plan.readiness or tried.created.sum() == 0.0)
        and np.all(tried.created <= np.minimum(plan.goods_limit, tiny.goods_place_left))
        and np.all(tried.created.sum(axis=1) <= tiny.goods_left)
    )


def cost_of(tiny: Tiny, tried: Tried) -> float:
    """Harm and money of a plan on average over samples; two days, orders arrive on the second."""
    units, depots, fee = charges(tiny, tried)
    came, left = came_and_left(tiny, tried.posted)
    arrived, lent = came_and_left(tiny, tried.lent)
    for way, amount in zip(tiny.goods, tried.created, strict=True):
        arrived[:, way.resource] += amount
    base = tiny._own() + tried.bought + came - left - lent
    money = units.sum() + depots.sum() + fee + tiny.goods_cost * tried.created.sum()
    money += (np.broadcast_to(tiny.arc_cost, tried.lent.shape) * tried.lent).sum()
    run = np.zeros(len(tiny.is_team)) if tiny.run is None else np.array(tiny.run)
    money += 2.0 * (arrived * run).sum()  # a day on the way and a day there
    return float(
        money + np.mean([harm(tiny, base, came, arrived, run, need) for need in tiny.need])
    )


def harm(tiny: Tiny, base, posted, arrived, run, need) -> float:
    """Harm and running: posted teams are paid for already."""
    each, team = np.array(tiny.per_person), np.array(tiny.is_team)
    total, used = 0.0, np.zeros_like(base)
    for day in range(2):
        visiting = arrived * (day == 1)
        there = base + visiting - np.where(team, 0.0, used)
        served = np.minimum(need[:, day], (there / each).min(axis=1))
        used += served[:, None] * each
        at_home = np.where(team, np.maximum(served[:, None] * each - visiting - posted, 0.0), 0.0)
        total += tiny.worth * (need[:, day] - served).sum() + (at_home * run).sum()
    return total


def best_of(tiny: Tiny, plans) -> float:
    return min(cost_of(tiny, tried) for tried in plans if allowed(tiny, tried))


def planned(tiny: Tiny, *, whole: bool) -> float:
    filled = tiny.filled()
    stage, template = filled.two_stage, filled.template
    if whole:
        c = template.columns
        units = np.concatenate([
            block.ravel() for block in (c.prepare.buy, c.prepare.post, c.lend, c.create)
        ])  # fmt: skip
        integer = np.zeros(len(template.program.cost), np.bool_)
        integer[units[units >= 0]] = True
        integer[c.prepare.binary] = True
        stage = replace(stage, program=stage.program.with_(integer=integer[filled.columns]))
    return solve_two_stage(stage, Risk(), Highs(30.0, 1e-9), gap=1e-9).objective


def check(tiny: Tiny, plans) -> float:
    """Return the best plan's cost, if planner and enumeration agree on it."""
    best = best_of(tiny, plans)
    assert planned(tiny, whole=True) == pytest.approx(best, abs=1e-6)
    assert planned(tiny, whole=False) <= best + 1e-6
    return best


def grids(*sizes):
    """Arrays of whole numbers below the sizes given."""
    return (np.array(values, float) for values in product(*(range(size) for size in sizes)))


@pytest.mark.parametrize("seed", range(16))
def test_buying_with_depots_earmarks_and_guidance(seed):
    """A team and a supply at two places; two samples of need."""
    rng = np.random.default_rng(seed)
    prepare = {
        "buy": rng.integers(1, 6, (2, 2)) / 10.0,
        "volume": np.array([0.0, 1.0]),
        "depot_cost": rng.integers(0, 8, 2) / 10.0,
        "depot_capacity": rng.integers(0, 6, 2).astype(float),
        "sources": (
            Source("any", rng.integers(2, 14) / 10.0),
            Source("supplies", rng.integers(0, 8) / 10.0, frozenset({1})),
        ),
        "place_share_at_most": float(rng.choice([1.0, 0.75, 0.6])),
    }
    if rng.random() < 0.5:
        prepare["resource_share_at_most"] = {0: float(rng.choice([0.3, 0.5]))}
    if rng.random() < 0.5:
        prepare["resource_share_at_least"] = {1: float(rng.choice([0.25, 0.5]))}
    tiny = Tiny(
        need=rng.integers(0, 3, (2, 2, 2)).astype(float), worth=2.0, is_team=(True, False),
        per_person=(1.0, 1.0), own=rng.integers(0, 2, (2, 2)), prepare=prepare, lender=False,
    )  # fmt: skip
    nothing = np.zeros((0, 2))
    plans = [
        Tried(bought.reshape(2, 2), nothing, nothing, nothing, depots)
        for bought in grids(4, 4, 4, 4)
        for depots in grids(2, 2)
    ]
    check(tiny, plans)


@pytest.mark.parametrize("seed", range(8))
def test_posting_buying_and_lending(seed):
    """Teams of two places and roads both ways; what is not needed on the first day may be lent."""
    rng = np.random.default_rng(100 + seed)
    own = rng.integers(0, 5, (2, 1)).astype(float)
    need = rng.integers(0, 6, (1, 2, 2)).astype(float)
    share = float(rng.choice([0.5, 1.0]))
    tiny = Tiny(
        need=need, worth=float(rng.choice([1.0, 3.0])), own=own, arcs=ARCS, run=(0.01,),
        arc_cost=rng.integers(1, 9, (2, 1)) / 10.0,
        lendable=np.floor(share * np.maximum(0.0, own - need[0, :, :1])),
        prepare={
            "buy": np.array([[0.4], [np.inf]]), "post": rng.integers(1, 6, (2, 1)) / 10.0,
            "post_share": float(rng.choice([0.5, 1.0])), "lend_share": share,
            "sources": (Source("any", float(rng.integers(1, 4))),),
        },
    )  # fmt: skip
    plans = [
        Tried(
            np.array([[bought], [0.0]]), posted[:, None], lent[:, None], np.zeros((0, 2)),
        )
        for bought in range(8)
        for posted in grids(5, 5)
        for lent in grids(6, 6)
    ]  # fmt: skip
    check(tiny, plans)


@pytest.mark.parametrize("seed", range(12))
def test_readiness_all_branches(seed):
    """A mechanism that must be made ready to give; the money may go into units instead."""
    rng = np.random.default_rng(200 + seed)
    tiny = Tiny(
        need=rng.integers(0, 5, (2, 2, 2)).astype(float), worth=float(rng.choice([0.5, 2.0])),
        own=rng.integers(0, 2, (2, 1)), goods=(Goods(3, 0, 0),), lender=False, run=(0.02,),
        goods_cost=0.1, goods_left=float(rng.integers(1, 5)), goods_place_left=3.0,
        prepare={
            "buy": np.array([[0.5], [0.3]]), "readiness": {3: float(rng.choice([0.2, 1.0, 2.5]))},
            "goods_limit": np.array([[4.0, 2.0]]),
            "sources": (
                Source("any", float(rng.choice([0.9, 2.0]))),
                Source("boats", 0.5, frozenset({0})),
            ),
            "place_share_at_most": float(rng.choice([0.4, 1.0])),
        },
    )  # fmt: skip
    nothing = np.zeros((0, 1))
    plans = [
        Tried(bought[:, None], nothing, nothing, created[None], ready=ready)
        for bought in grids(5, 5)
        for created in grids(4, 4)
        for ready in (False, True)
    ]
    check(tiny, plans)


def test_readiness_is_nobodys_place():
    """At most half of all money for one place; readiness costs more than that and is allowed."""
    tiny = Tiny(
        need=np.array([[[0.0, 4.0], [0.0, 0.0]]]), goods=(Goods(3, 0, 0),), lender=False,
        prepare={
            "readiness": {3: 0.8}, "goods_limit": np.full((1, 2), 9.0),
            "sources": (Source("any", 1.0),), "place_share_at_most": 0.5,
        },
    )  # fmt: skip
    assert planned(tiny, whole=False) == pytest.approx(0.8)


def test_a_place_may_post_what_it_needs_itself():
    """Ten boats go where a person is worth more, though none of them could be lent."""
    worth = np.zeros((1, 2, 2))
    worth[0] = [[1.0, 1.0], [5.0, 5.0]]
    tiny = Tiny(
        need=np.full((1, 2, 2), 10.0), worth=worth, own=[[10.0], [0.0]], arcs=ARCS,
        prepare={"post": np.full((2, 1), 0.1), "post_share": 0.6},
    )  # fmt: skip
    plan = tiny.plan()
    assert plan.posted[:, 0] == pytest.approx([6.0, 0.0])
    assert plan.solution.objective == pytest.approx(0.6 + 2 * 6.0 + 5.0 * 2 * 4.0)


def test_a_place_that_posts_its_units_away_may_be_lent_others():
    """Without posting it would be short of nothing, so nobody would think of lending to it."""
    worth = np.zeros((1, 3, 2))
    worth[0] = [[1.0, 1.0], [5.0, 5.0], [0.0, 0.0]]
    need = np.array([[[4.0, 4.0], [4.0, 4.0], [0.0, 0.0]]])
    tiny = Tiny(
        need=need, worth=worth, own=[[4.0], [0.0], [4.0]], arcs=((0, 1), (2, 0)),
        arc_cost=np.array([[9.0], [0.1]]), lendable=np.array([[0.0], [0.0], [4.0]]),
        prepare={"post": np.array([[0.1], [np.inf]]), "post_share": 1.0},
    )  # fmt: skip
    plan = tiny.plan()
    assert plan.lend[1, 0, 0] == pytest.approx(4.0)
    assert plan.solution.objective == pytest.approx(0.4 + 4.0 + 0.4)
