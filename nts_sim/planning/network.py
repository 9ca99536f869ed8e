"""The planning problem of a world: its sets and prices."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from nts_sim.engine.prepared import posting_cost
from nts_sim.engine.travel import RouteMap, routes, travel_days
from nts_sim.luck.draws import mean_from_median
from nts_sim.planning.problem import (
    AT_ONCE,
    Charges,
    Goods,
    Money,
    Preparing,
    Problem,
    Sets,
    Shape,
    Source,
    period_edges,
)
from nts_sim.world.model import Bools, Effect, Floats, Ints, Mechanism, Supply, World

SIGNATURE_BN_VND = 0.05
"""What one more order on a desk is worth avoiding, spread over what the order could carry."""


@lru_cache(maxsize=16)
def problem_of(world: World, shape: Shape, signature_bn_vnd: float = 0.0) -> Problem:
    """Return the planning problem of a world."""
    sets = _sets_of(world, shape)
    charges = _charges_of(world, sets, signature_bn_vnd)
    return Problem(sets, charges, _preparing(world, sets) if shape.prepare else None)


def supply_of(world: World, goods: Goods) -> Supply:
    """Return what a way to create units supplies."""
    return world.mechanisms[goods.mechanism].supplies[goods.supply]


def _sets_of(world: World, shape: Shape) -> Sets:
    step = round(world.epoch_days[1] - world.epoch_days[0]) if len(world.epoch_days) > 1 else 1
    edges, departure = period_edges(step, shape)
    cells, n = world.cells, world.nodes.n_provinces
    chosen = np.flatnonzero(cells.place < n)
    required = cells.requirement[chosen].max(axis=(0, 1), initial=0.0) > 0.0
    resource = np.flatnonzero(required)
    persons = np.where(cells.exposed[chosen] > 0.0, cells.exposed[chosen], 1.0)
    arc_from, arc_to, rank = _arcs(world)
    enabled = [
        i
        for i, m in enumerate(world.mechanisms)
        if m.enabled or (shape.prepare and m.readiness_cost_bn_vnd > 0.0)
    ]
    transfer = next((i for i in enabled if world.mechanisms[i].effect is Effect.TRANSFER), -1)
    return Sets(
        edges_days=edges,
        departure=departure,
        cell=chosen,
        place=cells.place[chosen],
        resource=resource,
        is_team=world.resources.is_team[resource],
        whole=world.resources.whole_units[resource],
        person_need=cells.requirement[chosen][:, :, resource] / persons[:, :, None],
        persons=persons,
        arc_from=arc_from,
        arc_to=arc_to,
        near=rank < shape.donors,
        forward=np.flatnonzero(rank < shape.forwards),
        goods=_goods(world, enabled, resource),
        draws=tuple(
            Money(i, world.mechanisms[i].ramp or AT_ONCE)
            for i in enabled
            if world.mechanisms[i].effect is Effect.MONEY
            and world.mechanisms[i].fund_kind is not None
        ),
        transfer=transfer,
        transfer_days=_notice_days(world, transfer) if transfer >= 0 else 0.0,
        n_places=n,
    )


def _arcs(world: World) -> tuple[Ints, Ints, Ints]:
    """Arcs between all provinces that roads join: source, destination, rank among its sources."""
    days = travel_days(world, np.zeros(world.nodes.n_places, dtype=np.int64)).copy()
    np.fill_diagonal(days, np.inf)
    rank = np.argsort(np.argsort(days, axis=0, kind="stable"), axis=0, kind="stable")
    source, to = np.nonzero(np.isfinite(days))
    return source, to, rank[source, to]


def _goods(world: World, enabled: list[int], resource: Ints) -> tuple[Goods, ...]:
    position = {int(r): at for at, r in enumerate(resource)}
    return tuple(
        Goods(
            mechanism=i,
            supply=at,
            resource=position[supply.resource],
            ramp=world.mechanisms[i].ramp or AT_ONCE,
            notice_days=_notice_days(world, i),
            carried=max(1.0, min(supply.ceiling, 100.0)),
        )
        for i in enabled
        if world.mechanisms[i].effect is Effect.GOODS
        for at, supply in enumerate(world.mechanisms[i].supplies)
        if supply.resource in position
    )


def _notice_days(world: World, mechanism: int) -> float:
    chosen = world.mechanisms[mechanism]
    desks = [world.desks[d] for d in set(chosen.desk.tolist()) if d >= 0]
    approval = [mean_from_median(d.distribution, d.approval_days) for d in desks]
    return mean_from_median(chosen.distribution, chosen.handover_days) + min(approval, default=0.0)


def _charges_of(world: World, sets: Sets, signature_bn_vnd: float) -> Charges:
    n, resources = sets.n_places, world.resources
    km = road_km(routes(world, np.zeros(world.nodes.n_places, dtype=np.int64)), n)
    ways = np.where(sets.is_team, 2.0, 1.0)
    per_km = resources.move_cost[sets.resource] * ways / 100.0
    goods, goods_fund = _goods_charges(world, sets, km, per_km)
    arc = km[sets.arc_from, sets.arc_to][:, None] * per_km
    lender = world.mechanisms[sets.transfer] if sets.transfer >= 0 else None
    arc_fund = np.array([payer(world, lender, int(to)) for to in sets.arc_to], dtype=np.int64)
    makers = [world.mechanisms[way.mechanism] for way in sets.goods]
    draws = [[payer(world, world.mechanisms[w.mechanism], p) for p in range(n)] for w in sets.draws]
    return Charges(
        run=(resources.run_cost * resources.is_team)[sets.resource],
        arc=arc,
        goods=goods,
        arc_fund=arc_fund,
        goods_fund=goods_fund,
        draw_fund=np.array(draws, dtype=np.int64).reshape(len(sets.draws), n),
        arc_allowed=_may_pay(world, lender, arc_fund, arc.max(axis=1, initial=0.0)),
        goods_allowed=np.array(
            [_may_pay(world, m, goods_fund[g], goods[g]) for g, m in enumerate(makers)], np.bool_
        ).reshape(goods.shape),
        account=world.account_of[:n],
        n_funds=len(world.funds),
        signature=signature_bn_vnd,
        lender_units=np.maximum(resources.stock[sets.arc_from][:, sets.resource], 1.0),
    )


def _preparing(world: World, sets: Sets) -> Preparing:
    """Say what may be done before day 0, by the terms of the world."""
    terms, n = world.terms, sets.n_places
    position = {int(r): at for at, r in enumerate(sets.resource)}
    tonnes = np.array([terms.tonnes_per_unit.get(int(r), 0.0) for r in sets.resource])
    lender = world.mechanisms[sets.transfer] if sets.transfer >= 0 else None
    limits = [np.minimum(w.place_ceiling[:n], w.ceiling) for w in _supplies(world, sets)]
    return Preparing(
        stock=world.resources.stock[:n][:, sets.resource],
        buy=np.repeat(world.resources.acquire_cost[sets.resource][None], n, axis=0),
        post=posting_cost(world)[sets.arc_from, sets.arc_to][:, sets.resource],
        post_share=terms.post_share,
        depot_cost=np.full(n, terms.depot_cost_bn_vnd),
        depot_capacity=np.full(n, terms.depot_capacity_tonnes),
        volume=tonnes,
        lend_share=0.0 if lender is None else lender.donor_share,
        sources=tuple(
            Source(s.name, s.amount_bn_vnd, _positions(s.resources, position))
            for s in terms.sources
        ),
        goods_limit=np.array(limits).reshape(len(sets.goods), n),
        readiness={
            i: m.readiness_cost_bn_vnd
            for i, m in enumerate(world.mechanisms)
            if m.readiness_cost_bn_vnd > 0.0 and any(w.mechanism == i for w in sets.goods)
        },
        place_share_at_most=terms.place_share_at_most,
        resource_share_at_most=_by_position(terms.resource_share_at_most, position),
        resource_share_at_least=_by_position(terms.resource_share_at_least, position),
    )


def _supplies(world: World, sets: Sets) -> list[Supply]:
    return [supply_of(world, way) for way in sets.goods]


def _positions(resources: frozenset[int] | None, position: dict[int, int]) -> frozenset[int] | None:
    """Positions of resources; those that nobody requires are not planned for."""
    if resources is None:
        return None
    return frozenset(position[r] for r in resources if r in position)


def _by_position(shares: Mapping[int, float], position: dict[int, int]) -> dict[int, float]:
    return {position[r]: share for r, share in shares.items() if r in position}


def road_km(road: RouteMap, n: int) -> Floats:
    """Return km by road between the first n places, float array [n, n]; 0 where none leads."""
    km = np.zeros((n, n))
    for source in range(n):
        for place in range(n):
            if source != place and np.isfinite(road.road_days[source, place]):
                km[source, place] = road.trip(source, place).km
    return km


def _may_pay(world: World, mechanism: Mechanism | None, fund: Ints, cost: Floats) -> Bools:
    """Whether what costs something has a fund that is not kept for other mechanisms."""
    name = mechanism.name if mechanism is not None else ""
    earmarks = [world.funds[f].earmark if f >= 0 else frozenset[str]() for f in fund.tolist()]
    payable = np.array([earmark is None or name in earmark for earmark in earmarks], np.bool_)
    return payable | (cost <= 0.0)


def _goods_charges(world: World, sets: Sets, km: Floats, per_km: Floats) -> tuple[Floats, Ints]:
    n = sets.n_places
    cost, fund = np.zeros((len(sets.goods), n)), np.full((len(sets.goods), n), -1)
    for g, way in enumerate(sets.goods):
        supply = supply_of(world, way)
        hubs = sorted(supply.hub_stock)
        from_hub = km[hubs].min(axis=0) if hubs else np.zeros(n)
        cost[g] = supply.unit_cost_bn_vnd + from_hub * per_km[way.resource]
        fund[g] = [payer(world, world.mechanisms[way.mechanism], p) for p in range(n)]
    return cost, fund


def payer(world: World, mechanism: Mechanism | None, place: int) -> int:
    """Fund charged by a mechanism for a place; -1: nobody."""
    if mechanism is None or mechanism.fund_kind is None:
        return -1
    owner = None if mechanism.fund_is_central else place
    return world.fund_index.get((mechanism.fund_kind, owner), -1)
