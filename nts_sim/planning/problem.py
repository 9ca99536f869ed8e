"""What the planner may do, in sets and prices, without a solver.

`Sets` are what a network fixes: cells, resources, arcs, mechanisms and periods; `Charges` what a
unit costs and who pays. Times are days from now; period edges are whole days and an order given at
a period's start serves from the first period that starts at or after its arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nts_sim.engine.travel import routes, travel_days
from nts_sim.world.model import Bools, Effect, Floats, Ints, Mechanism, Supply, World


@dataclass(frozen=True)
class Shape:
    """How much of the future and of the network a template holds.

    Attributes
    ----------
    lookahead_days : how far needs are planned for
    departures : number of epochs, from now on, at which orders may be given
    donors : at later departures only so many nearest places lend; now, all do
    forwards : visitors may go on to so many nearest places
    """

    lookahead_days: int = 9
    departures: int = 3
    donors: int = 12
    forwards: int = 6
    daily: bool = False


@dataclass(frozen=True, eq=False)
class Sets:
    """What a network fixes.

    Attributes
    ----------
    edges_days : float array [period + 1], days from now
    departure : int array [departure], period at whose start orders may be given
    cell : int array [K], world cells planned for
    place : int array [K], their places
    resource : int array [R], world resources that some cell of these requires
    is_team, whole : bool array [R]
    person_need : float array [K, 3, R], units per person (a day, for supplies)
    persons : float array [K, 3], persons exposed by the tables; 1 where nobody is (an agency)
    arc_from, arc_to : int array [arc], places; own units are lent along arcs
    near : bool array [arc], arcs that stay open at later departures
    forward : int array, arcs along which visitors may go on
    goods : (mechanism, supply, resource position) of each way to create units
    draws : mechanisms that credit accounts
    transfer : the mechanism that lends own units, or -1
    n_places : number of provinces
    """

    edges_days: Floats
    departure: Ints
    cell: Ints
    place: Ints
    resource: Ints
    is_team: Bools
    whole: Bools
    person_need: Floats
    persons: Floats
    arc_from: Ints
    arc_to: Ints
    near: Bools
    forward: Ints
    goods: tuple[tuple[int, Supply, int], ...]
    draws: tuple[int, ...]
    transfer: int
    n_places: int

    @property
    def lengths_days(self) -> Floats:
        """Length of each period, float array [period]."""
        return np.diff(self.edges_days)

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.edges_days) - 1


def period_edges(step_days: int, shape: Shape) -> tuple[Floats, Ints]:
    """Choose period edges: daily at first, then coarser, with an edge at each coming epoch.

    Returns
    -------
    (float array [period + 1], int array [departure])
    """
    last = max(shape.lookahead_days, step_days * (shape.departures + 1))
    widths = (1,) * 64 if shape.daily else (1, 1, 1, 1, 2, 3, 4, 6, 8, 12, 18)
    pattern = [int(edge) for edge in np.cumsum((0, *widths)) if edge < last]
    epochs = [step_days * k for k in range(shape.departures)]
    edges = sorted({*pattern, *epochs, last})
    departure = [edges.index(epoch) for epoch in epochs]
    return np.array(edges, dtype=np.float64), np.array(departure)


@lru_cache(maxsize=16)
def sets_of(world: World, shape: Shape) -> Sets:
    """Return the sets of a world's planning problem."""
    step = round(world.epoch_days[1] - world.epoch_days[0]) if len(world.epoch_days) > 1 else 1
    edges, departure = period_edges(step, shape)
    cells, n = world.cells, world.nodes.n_provinces
    chosen = np.flatnonzero(cells.place < n)
    required = cells.requirement[chosen].max(axis=(0, 1), initial=0.0) > 0.0
    resource = np.flatnonzero(required)
    persons = np.where(cells.exposed[chosen] > 0.0, cells.exposed[chosen], 1.0)
    arc_from, arc_to, rank = _arcs(world)
    enabled = [(i, m) for i, m in enumerate(world.mechanisms) if m.enabled]
    position = {int(r): at for at, r in enumerate(resource)}
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
        goods=tuple(
            (i, supply, position[supply.resource])
            for i, m in enabled
            if m.effect is Effect.GOODS
            for supply in m.supplies
            if supply.resource in position
        ),
        draws=tuple(i for i, m in enabled if m.effect is Effect.MONEY and m.fund_kind is not None),
        transfer=next((i for i, m in enabled if m.effect is Effect.TRANSFER), -1),
        n_places=n,
    )


def _arcs(world: World) -> tuple[Ints, Ints, Ints]:
    """Arcs between all provinces that roads join: source, destination, rank among its sources."""
    days = travel_days(world, np.zeros(world.nodes.n_places, dtype=np.int64)).copy()
    np.fill_diagonal(days, np.inf)
    rank = np.argsort(np.argsort(days, axis=0, kind="stable"), axis=0, kind="stable")
    source, to = np.nonzero(np.isfinite(days))
    return source, to, rank[source, to]


@dataclass(frozen=True, eq=False)
class Charges:
    """What a unit costs, by the roads as they are when free; fixed with the network.

    Attributes
    ----------
    arc : float array [arc, R], bn VND per unit lent or forwarded
    goods : float array [goods, place], bn VND per unit created for a place
    arc_fund : int array [arc], fund charged; -1 nobody
    goods_fund : int array [goods, place]
    draw_fund : int array [draw, place]
    arc_allowed : bool array [arc]; goods_allowed : bool array [goods, place]; somebody may pay
    account : int array [place], fund that is the place's account; -1 none
    """

    arc: Floats
    goods: Floats
    arc_fund: Ints
    goods_fund: Ints
    draw_fund: Ints
    arc_allowed: Bools
    goods_allowed: Bools
    account: Ints


@lru_cache(maxsize=16)
def charges_of(world: World, sets: Sets) -> Charges:
    """Return unit charges and the funds that bear them."""
    n, road = sets.n_places, routes(world, np.zeros(world.nodes.n_places, dtype=np.int64))
    km = np.zeros((n, n))
    for source in range(n):
        for place in range(n):
            if source != place and np.isfinite(road.road_days[source, place]):
                km[source, place] = road.trip(source, place).km
    ways = np.where(sets.is_team, 2.0, 1.0)
    per_km = world.resources.move_cost[sets.resource] * ways / 100.0
    goods, goods_fund = _goods_charges(world, sets, km, per_km)
    arc = km[sets.arc_from, sets.arc_to][:, None] * per_km
    lender = world.mechanisms[sets.transfer] if sets.transfer >= 0 else None
    arc_fund = np.array([payer(world, lender, int(to)) for to in sets.arc_to], dtype=np.int64)
    makers = [world.mechanisms[m] for m, _, _ in sets.goods]
    draws = [[payer(world, world.mechanisms[m], p) for p in range(n)] for m in sets.draws]
    return Charges(
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
    )


def _may_pay(world: World, mechanism: Mechanism | None, fund: Ints, cost: Floats) -> Bools:
    """Whether what costs something has a fund that is not kept for other mechanisms."""
    name = mechanism.name if mechanism is not None else ""
    earmarks = [world.funds[f].earmark if f >= 0 else frozenset[str]() for f in fund.tolist()]
    payable = np.array([earmark is None or name in earmark for earmark in earmarks], np.bool_)
    return payable | (cost <= 0.0)


def _goods_charges(world: World, sets: Sets, km: Floats, per_km: Floats) -> tuple[Floats, Ints]:
    n = sets.n_places
    cost, fund = np.zeros((len(sets.goods), n)), np.full((len(sets.goods), n), -1)
    for g, (mechanism, supply, r) in enumerate(sets.goods):
        hubs = sorted(supply.hub_stock)
        from_hub = km[hubs].min(axis=0) if hubs else np.zeros(n)
        cost[g] = supply.unit_cost_bn_vnd + from_hub * per_km[r]
        fund[g] = [payer(world, world.mechanisms[mechanism], p) for p in range(n)]
    return cost, fund


def payer(world: World, mechanism: Mechanism | None, place: int) -> int:
    """Fund charged by a mechanism for a place; -1: nobody."""
    if mechanism is None or mechanism.fund_kind is None:
        return -1
    owner = None if mechanism.fund_is_central else place
    return world.fund_index.get((mechanism.fund_kind, owner), -1)
