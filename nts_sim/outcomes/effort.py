"""What was done and what it cost: orders, postings, running costs, supplies.

Costs are of three kinds. *Spent*: charged at handover. *Running*: teams, per day away from home
(mobilised teams: from handover until released) or in use at home, visitors being used first.
*Replaced*: supplies used that no order had bought, at the cost of new ones; bought supplies are
used first. All flows are told apart by (fund, mechanism, resource, place) and add up to the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nts_sim.decision.model import OrderKind, Ruling
from nts_sim.outcomes.layout import OWN_STOCK, OWNER_BUDGET, UNCHARGED, Layout
from nts_sim.outcomes.people import People, level_changes
from nts_sim.trace.fold import Moves, group_sums_over_time, moves, ratio, sums_at
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import ticks
from nts_sim.world.model import Floats, Ints

AID, MOBILISED = 0, 1
"""Classes of visitors: teams with a home elsewhere, and mobilised teams, that have none."""


@dataclass(frozen=True, eq=False)
class OrderBook:
    """The rulings of a run as arrays by order number.

    Attributes
    ----------
    kind, mechanism, fund, place, resource, desk : int array [order]
    home : int array [order], home of the teams meant; -1 mobilised teams and supplies
    posts : bool array [order], sends units from where they belong: mobilised, or a donor's own
    """

    kind: Ints
    mechanism: Ints
    fund: Ints
    place: Ints
    resource: Ints
    desk: Ints
    home: Ints
    posts: NDArray[np.bool_]


def _order_row(ruling: Ruling) -> tuple[int, ...]:
    order = ruling.order
    return (
        ruling.number, order.kind, ruling.mechanism, ruling.fund, order.place, order.resource,
        order.home, ruling.source, ruling.desk,
    )  # fmt: skip


def order_book(rulings: Sequence[Ruling], layout: Layout) -> OrderBook:
    """Turn rulings into arrays by order number."""
    n_places = layout.world.nodes.n_places
    listed = np.array([_order_row(ruling) for ruling in rulings], dtype=np.int64).reshape(-1, 9)
    size = int(listed[:, 0].max(initial=-1)) + 1
    rows = np.full((size, 9), -1, dtype=np.int64)
    rows[listed[:, 0]] = listed
    _, kind, mechanism, fund, place, resource, home, source, desk = rows.T
    moved_own = (kind == OrderKind.MOVE) & (home < 0)
    home = np.where(moved_own, source, np.where(home >= n_places, -1, home))
    posts = (kind == OrderKind.MOBILISE) | ((kind == OrderKind.MOVE) & (home == source))
    mechanism = np.where(mechanism < 0, layout.local, mechanism)
    return OrderBook(kind, mechanism, fund, place, resource, desk, home, posts)


@dataclass(frozen=True, eq=False)
class Visitors:
    """Help from elsewhere at a place; one group a place, resource and class of visitors.

    Attributes
    ----------
    place, resource : int array [group]
    there : float array [group, day], visiting teams there; supplies: units delivered so far
    mix : float array [group, mechanism], shares of the mechanisms it came by
    """

    place: Ints
    resource: Ints
    there: Floats
    mix: Floats


@dataclass(frozen=True, eq=False)
class Effort:
    """What was done in one replication.

    Attributes
    ----------
    spent_by_fund : float array [fund label], bn VND; accounts told by where their money came from
    spent_by_mechanism : float array [mechanism]
    running, supplies_used, supplies_replaced, spent : float, bn VND
    turns : float array [resource], units posted
    unit_days : float array [resource], units × days away
    wait_days : float, mean wait for a signature; NaN without orders that need one
    flow_units, flow_cost : float array [fund label, mechanism, resource, place]
    visitors : Visitors
    """

    spent_by_fund: Floats
    spent_by_mechanism: Floats
    spent: float
    running: float
    supplies_used: float
    supplies_replaced: float
    turns: Floats
    unit_days: Floats
    wait_days: float
    flow_units: Floats
    flow_cost: Floats
    visitors: Visitors


@dataclass(frozen=True, eq=False)
class _Scene:
    """What the parts of this module share."""

    layout: Layout
    trace: Trace
    book: OrderBook
    moves: Moves
    people: People

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of mechanisms, resources and places."""
        world = self.layout.world
        return (
            len(self.layout.mechanisms), len(world.resources.name), world.nodes.n_places
        )  # fmt: skip


def effort_of(trace: Trace, rulings: Sequence[Ruling], people: People, layout: Layout) -> Effort:
    """Work out what was done in one replication and what it cost."""
    world = layout.world
    book = order_book(rulings, layout)
    scene = _Scene(layout, trace, book, moves(trace), people)
    posted = _posted_units(scene)
    mix = _mix(posted)
    charges = _charges(scene)
    away = _away_days(scene, mix)
    home_days, home_peak = _use_of_own_teams(scene)
    supplies = _supplies(scene, posted)
    flow_cost, flow_units = _flows(scene, charges, posted, away, home_days, home_peak, supplies)
    teams = world.resources.is_team
    unit_days = away.sum(axis=(0, 2)) * teams
    running = world.resources.run_cost * (unit_days + home_days.sum(axis=0))
    return Effort(
        spent_by_fund=charges.sum(axis=(1, 2, 3)),
        spent_by_mechanism=charges.sum(axis=(0, 2, 3)),
        spent=float(charges.sum()),
        running=float(running.sum()),
        supplies_used=float((supplies.used * world.resources.acquire_cost).sum()),
        supplies_replaced=float((supplies.replaced * world.resources.acquire_cost).sum()),
        turns=posted.sum(axis=(0, 1, 3)) * teams,
        unit_days=unit_days,
        wait_days=_mean_wait(scene),
        flow_units=flow_units, flow_cost=flow_cost,
        visitors=_visitors(scene, mix),
    )  # fmt: skip


def _mean_wait(scene: _Scene) -> float:
    rows = scene.trace[scene.trace["kind"] == Kind.APPROVED]
    waits = rows["value"][scene.book.desk[rows["order"]] >= 0]
    return float(waits.mean()) if len(waits) else float("nan")


# --- units -------------------------------------------------------------------------------------


def _class_of(book: OrderBook, order: Ints) -> Ints:
    """AID or MOBILISED: what kind of visitors an order's units are."""
    created = book.kind[order] == OrderKind.MOBILISE
    forwarded_mobilised = (book.kind[order] != OrderKind.MOBILISE) & (book.home[order] < 0)
    return np.where(created | forwarded_mobilised, MOBILISED, AID)


def _posted_units(scene: _Scene) -> Floats:
    """Units that left where they belong; float array [class, mechanism, resource, place]."""
    moved, book = scene.moves, scene.book
    out = np.flatnonzero(~moved.arrives)
    out = out[book.posts[moved.order[out]]]
    order = moved.order[out]
    shape = (2, *scene.shape)
    where = (_class_of(book, order), book.mechanism[order], moved.resource[out], book.place[order])
    return _sums(where, moved.units[out], shape)


def _sums(where: tuple[Ints, ...], amount: Floats, shape: tuple[int, ...]) -> Floats:
    flat = np.ravel_multi_index(where, shape) if len(amount) else np.zeros(0, dtype=np.int64)
    return sums_at(flat, amount, int(np.prod(shape))).reshape(shape)


def _mix(posted: Floats) -> Floats:
    """Shares of mechanisms in what was posted, [class, mechanism, resource, place].

    Where nothing was posted (teams forwarded from elsewhere) the national shares stand in.
    """
    national = np.broadcast_to(posted.sum(axis=3, keepdims=True), posted.shape)
    basis = np.where(posted.sum(axis=1, keepdims=True) > 0.0, posted, national)
    total = basis.sum(axis=1, keepdims=True)
    return ratio(basis, total)


def _away_days(scene: _Scene, mix: Floats) -> Floats:
    """Team-days away from home, by what was called for and where; [mechanism, resource, place].

    Counted from departure until home again (or released); the way home counts for the place left,
    the way there for the place ahead.
    """
    moved, book, world = scene.moves, scene.book, scene.layout.world
    left = world.horizon_days - moved.day
    teams = world.resources.is_team[moved.resource]
    kind, place = book.kind[moved.order], book.place[moved.order]
    leaves = ~moved.arrives & teams
    forwards = leaves & (kind == OrderKind.MOVE) & ~book.posts[moved.order]
    starts = leaves & book.posts[moved.order]
    ends = moved.arrives & teams & ((moved.node < 0) | (moved.node == moved.home))
    from_place = np.where(moved.arrives, _place_left(scene), moved.node)
    parts = (
        (starts, place, left), (forwards, place, left), (forwards, from_place, -left),
        (ends, from_place, -left),
    )  # fmt: skip
    rows = np.concatenate([np.flatnonzero(chosen) for chosen, _, _ in parts])
    at = np.concatenate([where[chosen] for chosen, where, _ in parts])
    weight = np.concatenate([(days * moved.units)[chosen] for chosen, _, days in parts])
    _, n_resources, n_places = scene.shape
    pools = _sums(
        (_class_of(book, moved.order[rows]), moved.resource[rows], at),
        weight, (2, n_resources, n_places),
    )  # fmt: skip
    days: Floats = np.einsum("cmrp,crp->mrp", mix, pools)
    return days


def _place_left(scene: _Scene) -> Ints:
    """Place the units of each order leave; int array [move]."""
    moved, size = scene.moves, len(scene.book.kind)
    left = np.zeros(size, dtype=np.int64)
    departures = ~moved.arrives
    left[moved.order[departures]] = moved.node[departures]
    return left[moved.order] if size else np.zeros(len(moved.day), dtype=np.int64)


def _visitor_changes(scene: _Scene) -> tuple[NDArray[np.bool_], Floats]:
    """Find moves that change the visitors at a place, and by how much; [move] each."""
    moved, book = scene.moves, scene.book
    visiting = np.where(moved.arrives, moved.node != moved.home, ~book.posts[moved.order])
    changes = visiting & (moved.node >= 0)
    return changes, np.where(moved.arrives, moved.units, -moved.units)


def _visitors(scene: _Scene, mix: Floats) -> Visitors:
    """Follow visiting teams, and supplies delivered so far, by day."""
    moved, world = scene.moves, scene.layout.world
    horizon = world.horizon_days
    teams = world.resources.is_team[moved.resource]
    changes, units = _visitor_changes(scene)
    chosen = np.flatnonzero(changes & (teams | moved.arrives) & (moved.day < horizon))
    _, n_resources, n_places = scene.shape
    shape = (2, n_resources, n_places)
    kind = _class_of(scene.book, moved.order[chosen])
    group = np.ravel_multi_index((kind, moved.resource[chosen], moved.node[chosen]), shape)
    groups, number = np.unique(group, return_inverse=True)
    change = _sums(
        (number, moved.day[chosen].astype(np.int64)), units[chosen], (len(groups), horizon)
    )
    of_class, resource, place = np.unravel_index(groups, shape)
    return Visitors(place, resource, np.cumsum(change, axis=1), mix[of_class, :, resource, place])


def _use_of_own_teams(scene: _Scene) -> tuple[Floats, Floats]:
    """Own teams in use: team-days, and most at once; each [place, resource].

    Own use at a place is what is used beyond its visitors, max(0, use − visitors).
    """
    world, people, layout = scene.layout.world, scene.people, scene.layout
    moved = scene.moves
    changes, units = _visitor_changes(scene)
    wanted = np.flatnonzero(changes & np.isin(moved.resource, layout.teams))
    visitor = np.zeros((len(wanted), len(layout.teams)))
    visitor[np.arange(len(wanted)), np.searchsorted(layout.teams, moved.resource[wanted])] = -units[
        wanted
    ]
    used = level_changes(people, world, layout.teams, people.rows.coverage)
    place = np.concatenate((world.cells.place[people.rows.cell], moved.node[wanted]))
    tick = np.concatenate((people.rows.tick, ticks_of(moved.day[wanted])))
    change = np.concatenate((used, visitor))
    order = np.lexsort((tick, place))
    days_by_place = np.zeros((world.nodes.n_places, len(world.resources.name)))
    peak = np.zeros_like(days_by_place)
    if len(order):
        place, tick = place[order], tick[order]
        level, days, first = group_sums_over_time(
            place, change[order], tick, ticks(world.horizon_days)
        )
        own = np.maximum(level, 0.0)
        own[own < 1e-9] = 0.0
        starts = np.flatnonzero(first)
        at = np.ix_(place[starts], layout.teams)
        days_by_place[at] = np.add.reduceat(own * days[:, None], starts)
        peak[at] = np.maximum.reduceat(np.where(days[:, None] > 0.0, own, 0.0), starts)
    return days_by_place, peak


def ticks_of(day: Floats) -> Ints:
    """Ticks of exact days."""
    return np.asarray(np.rint(day * ticks(1)), dtype=np.int64)


# --- supplies ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Supplies:
    """Supplies used at each place: all, and by who has to replace them; [place, resource] each."""

    used: Floats
    replaced: Floats
    own: Floats


def _supplies(scene: _Scene, posted: Floats) -> _Supplies:
    """Share use out: bought supplies are used first, then goods sent, then own stock."""
    _, n_resources, n_places = scene.shape
    rows = scene.trace[scene.trace["kind"] == Kind.CONSUME]
    used = _sums(
        (rows["node"].astype(np.int64), rows["resource"].astype(np.int64)),
        rows["quantity"].astype(np.float64), (n_places, n_resources),
    )  # fmt: skip
    supplies = ~scene.layout.world.resources.is_team
    sent = posted.sum(axis=0) * supplies[:, None]
    bought = (sent * _has_price(scene.layout)[:, :, None]).sum(axis=0).T
    replaced = np.maximum(used - bought, 0.0)
    own = np.maximum(replaced - (sent.sum(axis=0).T - bought), 0.0)
    return _Supplies(used, replaced, own)


def _has_price(layout: Layout) -> Floats:
    """1 where units of a resource are bought under a mechanism; [mechanism, resource]."""
    made = np.zeros((len(layout.mechanisms), len(layout.world.resources.name)))
    for index, mechanism in enumerate(layout.world.mechanisms):
        for supply in mechanism.supplies:
            made[index, supply.resource] = float(supply.unit_cost_bn_vnd > 0.0)
    return made


# --- money -------------------------------------------------------------------------------------


def _charges(scene: _Scene) -> Floats:
    """Money spent, by [fund label, mechanism, resource, place]; drawing is not spending."""
    layout, book = scene.layout, scene.book
    rows = scene.trace[scene.trace["kind"] == Kind.HANDOVER]
    rows = rows[(rows["value"] > 0.0) & (book.kind[rows["order"]] != OrderKind.DRAW)]
    shape = (len(layout.funds), *scene.shape)
    order = rows["order"].astype(np.int64)
    fund, amount = book.fund[order], rows["value"].astype(np.float64)
    resource = np.maximum(book.resource[order], 0)
    label = np.where(fund < 0, layout.funds.index(UNCHARGED), layout.fund_kind[fund])
    by_kind = _sums((label, book.mechanism[order], resource, book.place[order]), amount, shape)
    return _by_origin(by_kind, scene)


def _by_origin(charges: Floats, scene: _Scene) -> Floats:
    """Tell what working accounts paid by where their money came from, in proportion."""
    layout = scene.layout
    if "account" not in layout.funds:
        return charges
    account = layout.funds.index("account")
    shares = _account_origins(scene)
    paid = charges[account].copy()
    charges[account] = 0.0
    for label in np.flatnonzero(shares.any(axis=1)):
        charges[label] += paid * shares[label]
    return charges


def _account_origins(scene: _Scene) -> Floats:
    """Shares of each place's account by origin: opening balance and draws; [fund label, place]."""
    layout, book, world = scene.layout, scene.book, scene.layout.world
    n_places, account = world.nodes.n_places, layout.funds.index("account")
    rows = scene.trace[scene.trace["kind"] == Kind.CREDIT]
    order = rows["order"].astype(np.int64)
    money = _sums(
        (layout.fund_kind[book.fund[order]], book.place[order]),
        rows["quantity"].astype(np.float64), (len(layout.funds), n_places),
    )  # fmt: skip
    for fund in world.funds:
        if fund.kind == "account" and fund.place is not None:
            money[account, fund.place] += fund.balance_bn_vnd
    total = money.sum(axis=0)
    shares = ratio(money, total)
    shares[account, total <= 0.0] = 1.0
    return shares


def _flows(
    scene: _Scene, charges: Floats, posted: Floats, away: Floats, home_days: Floats,
    home_peak: Floats, supplies: _Supplies,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Put cost and units on [fund label, mechanism, resource, place]; cost adds up to all cost."""
    layout, resources = scene.layout, scene.layout.world.resources
    own, owner = layout.funds.index(OWN_STOCK), layout.funds.index(OWNER_BUDGET)
    teams = resources.is_team
    sent = posted.sum(axis=0)
    cost = charges.copy()
    cost[owner] += away * (teams * resources.run_cost)[:, None]
    goods_mix = _mix((sent * (~teams)[:, None] * (1.0 - _has_price(layout))[:, :, None])[None])[0]
    others = (supplies.replaced - supplies.own) * resources.acquire_cost
    cost[owner] += goods_mix * others.T
    cost[own, layout.local] += (
        home_days * resources.run_cost + supplies.own * resources.acquire_cost
    ).T
    units = _units_by_payer(charges, sent, layout)
    units[own, layout.local] += (home_peak + supplies.own).T
    return cost, units


def _units_by_payer(charges: Floats, sent: Floats, layout: Layout) -> Floats:
    """Share units sent over the funds in proportion to what each paid for them."""
    paid = charges.sum(axis=0)
    shares = ratio(charges, paid)
    shares[layout.funds.index(UNCHARGED)] += paid <= 0.0
    units: Floats = shares * sent
    return units
