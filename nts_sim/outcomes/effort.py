"""What was done and what it cost: orders, postings, running costs, supplies.

Costs are of three kinds. *Spent*: charged at handover. *Running*: teams, per day away from home
(mobilised teams: from handover until released) or in use at home, visitors being used first.
*Replaced*: supplies used that no order had bought, at the cost of new ones; bought supplies are
used first, and sent on first. Before day 0 comes the cost of preparation: what it bought counts as
bought, and the teams it posted are used first at their post, their days being paid. All flows are
told apart by (fund, mechanism, resource, place) and add up to the cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nts_sim.decision.model import OrderKind, Ruling
from nts_sim.outcomes.layout import OWN_STOCK, OWNER_BUDGET, PREPARATION, UNCHARGED, Layout
from nts_sim.trace.fold import Levels, Moves, levels_of, moves, ratio, rows_of, sums_at
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import ticks
from nts_sim.world.model import Bools, Floats, Ints

AID, MOBILISED = 0, 1
"""Classes of visitors: teams with a home elsewhere, and mobilised teams, that have none."""


@dataclass(frozen=True, eq=False)
class OrderBook:
    """The rulings of a run as arrays by order number.

    Attributes
    ----------
    kind, mechanism, fund, place, resource, desk : int array [order]
    posts : bool array [order], sends units from where they belong: mobilised, or a donor's own
    visitors : int array [order], AID or MOBILISED: what kind of visitors its units are
    """

    kind: Ints
    mechanism: Ints
    fund: Ints
    place: Ints
    resource: Ints
    desk: Ints
    posts: Bools
    visitors: Ints


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
    rows = np.full((9, size), -1, dtype=np.int64)
    rows[:, listed[:, 0]] = listed.T
    _, kind, mechanism, fund, place, resource, home, source, desk = rows
    created, moved = kind == int(OrderKind.MOBILISE), kind == int(OrderKind.MOVE)
    supply = ~layout.world.resources.is_team[resource]
    home = np.where(moved & (supply | (home < 0)), source, home)
    homeless = (home < 0) | (home >= n_places)
    return OrderBook(
        kind, np.where(mechanism < 0, layout.local, mechanism), fund, place, resource, desk,
        posts=created | (moved & (home == source)),
        visitors=np.where(created | homeless, MOBILISED, AID),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Help:
    """Help from elsewhere; one group a class of visitors, resource and place.

    Attributes
    ----------
    resource, place : int array [group]
    away_days : float array [group], unit-days of teams away from home
    there : float array [group, day], visiting teams there; supplies: units delivered so far
    mix : float array [group, mechanism], shares of the mechanisms it came by
    """

    resource: Ints
    place: Ints
    away_days: Floats
    there: Floats
    mix: Floats


@dataclass(frozen=True, eq=False)
class Flows:
    """Units and bn VND at flattened positions in [fund label, mechanism, resource, place]."""

    slot: Ints
    units: Floats
    cost: Floats


@dataclass(frozen=True, eq=False)
class Effort:
    """What was done in one replication.

    Attributes
    ----------
    spent_by_fund : float array [fund label], bn VND; accounts told by where their money came from
    spent_by_mechanism : float array [mechanism]
    drawn : float array [fund label], bn VND moved to accounts or charged directly; of accounts,
        what they opened with and spent
    running, supplies_used, supplies_replaced, spent : float, bn VND
    turns : float array [resource], units posted, before day 0 or since
    unit_days : float array [resource], units × days away
    wait_days : float, mean wait for a signature; NaN without orders that need one
    flows : Flows; slots ascend, and none is empty
    help : Help, from elsewhere
    levels : Levels, of what places required and used
    """

    spent_by_fund: Floats
    spent_by_mechanism: Floats
    drawn: Floats
    spent: float
    running: float
    supplies_used: float
    supplies_replaced: float
    turns: Floats
    unit_days: Floats
    wait_days: float
    flows: Flows
    help: Help
    levels: Levels


@dataclass(frozen=True, eq=False)
class _Posted:
    """Units that left where they belong, in turn; arrays [posting].

    Attributes
    ----------
    day : float array, of departure
    created : bool array, mobilised instead of taken from a place's stock
    source, place : int array, the place left and the one asked for
    """

    day: Floats
    created: Bools
    visitors: Ints
    source: Ints
    mechanism: Ints
    resource: Ints
    place: Ints
    units: Floats


@dataclass(frozen=True, eq=False)
class _Scene:
    """What the parts of this module share."""

    layout: Layout
    trace: Trace
    book: OrderBook
    moves: Moves
    posted: _Posted


def effort_of(trace: Trace, rulings: Sequence[Ruling], layout: Layout) -> Effort:
    """Work out what was done in one replication and what it cost."""
    world, resources = layout.world, layout.world.resources
    book, moved = order_book(rulings, layout), moves(trace)
    posted = _posted(moved, book)
    scene = _Scene(layout, trace, book, moved, posted)
    ledger = _ledger(scene)
    levels = levels_of(
        trace, book.posts, layout.cell_of, layout.place_of, layout.requirement,
        ticks(world.horizon_days), layout.posted_teams,
    )  # fmt: skip
    came, supplies = _help(scene), _supplies(scene)
    n_resources, n_mechanisms = len(resources.name), len(layout.mechanisms)
    away = came.away_days[:, None] * came.mix
    unit_days = sums_at(came.resource, away.sum(axis=1), n_resources)
    own_days = levels.own_days.sum(axis=0) * resources.is_team
    beforehand = layout.posted_teams.sum(axis=0)
    spent = ledger.spent.sum(axis=0)
    return Effort(
        spent_by_fund=ledger.spent.sum(axis=1),
        spent_by_mechanism=sums_at(ledger.mechanism, spent, n_mechanisms),
        drawn=_drawn(scene, ledger), spent=float(spent.sum()),
        running=float(resources.run_cost @ (unit_days + own_days)),
        supplies_used=float((supplies.used @ resources.acquire_cost).sum()),
        supplies_replaced=float((supplies.replaced @ resources.acquire_cost).sum()),
        turns=sums_at(posted.resource, posted.units, n_resources) * resources.is_team + beforehand,
        unit_days=unit_days + beforehand * world.horizon_days, wait_days=_mean_wait(scene),
        flows=_flows(scene, ledger, came, levels, supplies), help=came, levels=levels,
    )  # fmt: skip


def _mean_wait(scene: _Scene) -> float:
    rows = rows_of(scene.trace, Kind.APPROVED)
    waits = rows["value"][scene.book.desk[rows["order"]] >= 0]
    return float(waits.mean()) if len(waits) else float("nan")


# --- units -------------------------------------------------------------------------------------


def _posted(moved: Moves, book: OrderBook) -> _Posted:
    out = np.flatnonzero(~moved.arrives)
    out = out[book.posts[moved.order[out]]]
    order = moved.order[out]
    return _Posted(
        day=moved.day[out], created=book.kind[order] == int(OrderKind.MOBILISE),
        visitors=book.visitors[order], source=moved.node[out], mechanism=book.mechanism[order],
        resource=moved.resource[out], place=book.place[order], units=moved.units[out],
    )  # fmt: skip


def _help(scene: _Scene) -> Help:
    """Follow teams away from home, visitors and supplies delivered; tell how they came."""
    moved, posted, horizon = scene.moves, scene.posted, scene.layout.world.horizon_days
    visitors = scene.book.visitors[moved.order]
    away, away_place, away_days = _away(scene)
    came, came_units = _visitor_changes(scene)
    groups, (in_away, in_came, in_posted) = _numbered(
        (2, *scene.layout.stock_shape), (visitors[away], moved.resource[away], away_place),
        (visitors[came], moved.resource[came], moved.node[came]),
        (posted.visitors, posted.resource, posted.place),
    )  # fmt: skip
    of_class, resource, place = groups
    day = moved.day[came].astype(np.int64)
    there = np.cumsum(_table(in_came, day, came_units, (len(place), horizon)), axis=1)
    mix = _mix(posted, in_posted, of_class, resource, scene.layout)
    return Help(resource, place, sums_at(in_away, away_days, len(place)), there, mix)


def _numbered(
    shape: tuple[int, ...], *parts: tuple[Ints, ...]
) -> tuple[tuple[Ints, ...], list[Ints]]:  # fmt: skip
    """Give a number to each combination met, in ascending order.

    Parameters
    ----------
    shape : how many values each position can take
    parts : arrays of combinations, one array a position

    Returns
    -------
    combinations : one array a position
    numbers : for each part, the numbers of its combinations
    """
    codes = [np.ravel_multi_index(part, shape) for part in parts]
    different, number = np.unique(np.concatenate(codes), return_inverse=True)
    ends = np.cumsum([len(code) for code in codes])
    numbers = [number[end - len(code) : end] for code, end in zip(codes, ends, strict=True)]
    return np.unravel_index(different, shape), numbers


def _table(row: Ints, column: Ints, amount: Floats, shape: tuple[int, int]) -> Floats:
    """Add amounts up by row and column."""
    return sums_at(row * shape[1] + column, amount, shape[0] * shape[1]).reshape(shape)


def _mix(
    posted: _Posted, group: Ints, visitors: Ints, resource: Ints, layout: Layout
) -> Floats:  # fmt: skip
    """Shares of mechanisms in what was posted, [group, mechanism].

    Where nothing was posted (teams forwarded from elsewhere) the national shares stand in.

    Parameters
    ----------
    group : int array [posting]
    visitors, resource : int array [group]
    """
    n_resources, n_mechanisms = layout.stock_shape[0], len(layout.mechanisms)
    here = _table(group, posted.mechanism, posted.units, (len(visitors), n_mechanisms))
    national = _table(
        posted.visitors * n_resources + posted.resource, posted.mechanism, posted.units,
        (2 * n_resources, n_mechanisms),
    )[visitors * n_resources + resource]  # fmt: skip
    basis = np.where(here.sum(axis=1, keepdims=True) > 0.0, here, national)
    return ratio(basis, basis.sum(axis=1, keepdims=True))


def _away(scene: _Scene) -> tuple[Ints, Ints, Floats]:
    """Tell how moves change the team-days away from home: which move, where, unit-days.

    Counted from departure until home again (or released); the way home counts for the place left,
    the way there for the place ahead.
    """
    moved, book, world = scene.moves, scene.book, scene.layout.world
    unit_days = (world.horizon_days - moved.day) * moved.units
    teams, posts = world.resources.is_team[moved.resource], book.posts[moved.order]
    leaves, is_move = ~moved.arrives & teams, book.kind[moved.order] == int(OrderKind.MOVE)
    home_again = moved.arrives & teams & ((moved.node < 0) | (moved.node == moved.home))
    begin = np.flatnonzero(leaves & (posts | is_move))
    end = np.flatnonzero(home_again | (leaves & is_move & ~posts))
    return (
        np.concatenate((begin, end)),
        np.concatenate((book.place[moved.order[begin]], _place_left(scene)[end])),
        np.concatenate((unit_days[begin], -unit_days[end])),
    )


def _place_left(scene: _Scene) -> Ints:
    """Place the units of each order leave; int array [move]."""
    moved = scene.moves
    left = np.zeros(len(scene.book.kind), dtype=np.int64)
    departures = ~moved.arrives
    left[moved.order[departures]] = moved.node[departures]
    return left[moved.order]


def _visitor_changes(scene: _Scene) -> tuple[Ints, Floats]:
    """Find moves that change visiting teams, or supplies delivered so far, and by how much."""
    moved, world = scene.moves, scene.layout.world
    teams = world.resources.is_team[moved.resource]
    visitors_leave = teams & ~scene.book.posts[moved.order]
    visiting = np.where(moved.arrives, moved.node != moved.home, visitors_leave)
    chosen = np.flatnonzero(visiting & (moved.node >= 0) & (moved.day < world.horizon_days))
    return chosen, np.where(moved.arrives, moved.units, -moved.units)[chosen]


# --- supplies ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Supplies:
    """Supplies used at each place: all, and by who has to replace them.

    Attributes
    ----------
    used, replaced, own : float array [place, resource]; what is replaced and not the place's own
        is replaced by those who sent it
    given : float array [posting], units sent that no order had bought; 0 for teams
    """

    used: Floats
    replaced: Floats
    own: Floats
    given: Floats


def _supplies(scene: _Scene) -> _Supplies:
    """Share use out: bought supplies are used first, then goods sent, then own stock."""
    n_resources, n_places = scene.layout.stock_shape
    shape, posted = (n_places, n_resources), scene.posted
    rows = rows_of(scene.trace, Kind.CONSUME)
    used = _table(rows["node"], rows["resource"], rows["quantity"], shape)
    bought, given = _bought(scene, rows)
    replaced = np.maximum(used - bought, 0.0)
    sent = _table(posted.place, posted.resource, given, shape)
    return _Supplies(used, replaced, np.maximum(replaced - sent, 0.0), given)


def _bought(scene: _Scene, used: Trace) -> tuple[Floats, Floats]:
    """Follow what orders bought: a place that sends on sends what it bought and has not used.

    Parameters
    ----------
    used : the CONSUME rows

    Returns
    -------
    bought : float array [place, resource], units bought for a place and not sent on
    given : float array [posting], units sent that no order had bought; 0 for teams
    """
    posted, layout = scene.posted, scene.layout
    price = layout.has_price[posted.mechanism, posted.resource]
    given = posted.units * ~layout.world.resources.is_team[posted.resource]
    bought = layout.bought_before.copy()
    for each in np.flatnonzero(given).tolist():
        left, resource = posted.source[each], posted.resource[each]
        units = given[each] if price[each] else 0.0
        if not posted.created[each] and bought[left, resource] > 0.0:
            gone = _used_until(used, left, resource, ticks(posted.day[each]))
            units = min(given[each], max(0.0, bought[left, resource] - gone))
            bought[left, resource] -= units
        bought[posted.place[each], resource] += units
        given[each] -= units
    return bought, given


def _used_until(used: Trace, place: int, resource: int, tick: int) -> float:
    """Units used at a place up to a departure, at whose tick the place is settled."""
    here = (used["node"] == place) & (used["resource"] == resource) & (used["tick"] <= tick)
    return float(used["quantity"][here].sum())


# --- money -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Ledger:
    """Money spent and units sent; one line a mechanism, resource and place.

    Attributes
    ----------
    mechanism, resource, place : int array [line]
    spent : float array [fund label, line], bn VND; drawing is not spending
    charged : float array [fund label], the same, accounts by themselves
    sent : float array [line], units
    """

    mechanism: Ints
    resource: Ints
    place: Ints
    spent: Floats
    charged: Floats
    sent: Floats


def _ledger(scene: _Scene) -> _Ledger:
    """Put what was spent and sent on lines."""
    layout, book, posted = scene.layout, scene.book, scene.posted
    rows = rows_of(scene.trace, Kind.HANDOVER)
    rows = rows[(rows["value"] > 0.0) & (book.kind[rows["order"]] != int(OrderKind.DRAW))]
    order = rows["order"]
    lines, (charged, sent) = _numbered(
        (len(layout.mechanisms), *layout.stock_shape),
        (book.mechanism[order], np.maximum(book.resource[order], 0), book.place[order]),
        (posted.mechanism, posted.resource, posted.place),
    )
    mechanism, resource, place = lines
    fund = book.fund[order]
    label = np.where(fund < 0, layout.funds.index(UNCHARGED), layout.fund_kind[fund])
    spent = _table(label, charged, rows["value"], (len(layout.funds), len(place)))
    units = sums_at(sent, posted.units, len(place))
    by_origin = _by_origin(spent, place, scene)
    return _Ledger(mechanism, resource, place, by_origin, spent.sum(axis=1), units)


def _drawn(scene: _Scene, ledger: _Ledger) -> Floats:
    """Add up what was taken from funds: moved to accounts, or charged to them directly."""
    layout = scene.layout
    rows = rows_of(scene.trace, Kind.CREDIT)
    kind = layout.fund_kind[scene.book.fund[rows["order"]]]
    drawn = ledger.charged + sums_at(kind, rows["quantity"], len(layout.funds))
    if "account" in layout.funds:
        account = layout.funds.index("account")
        drawn[account] = ledger.spent[account].sum()
    return drawn


def _by_origin(spent: Floats, place: Ints, scene: _Scene) -> Floats:
    """Tell what working accounts paid by where their money came from, in proportion.

    Parameters
    ----------
    spent : float array [fund label, line], by kind of the fund charged
    place : int array [line]
    """
    layout = scene.layout
    if "account" not in layout.funds:
        return spent
    account = layout.funds.index("account")
    others = spent.copy()
    others[account] = 0.0
    origins: Floats = others + spent[account] * _account_origins(scene)[:, place]
    return origins


def _account_origins(scene: _Scene) -> Floats:
    """Shares of each place's account by origin: opening balance and draws; [fund label, place]."""
    layout, book = scene.layout, scene.book
    account = layout.funds.index("account")
    rows = rows_of(scene.trace, Kind.CREDIT)
    order = rows["order"]
    money = _table(
        layout.fund_kind[book.fund[order]], book.place[order], rows["quantity"],
        (len(layout.funds), layout.world.nodes.n_places),
    )  # fmt: skip
    money[account] += layout.opening_balance
    total = money.sum(axis=0)
    shares = ratio(money, total)
    shares[account, total <= 0.0] = 1.0
    return shares


# --- flows -------------------------------------------------------------------------------------


def _flows(
    scene: _Scene, ledger: _Ledger, came: Help, levels: Levels, supplies: _Supplies
) -> Flows:  # fmt: skip
    """Put units and cost on [fund label, mechanism, resource, place]; cost adds up to all cost."""
    layout = scene.layout
    parts = (
        _charged(ledger, layout), _by_owners(came, layout), _goods(scene, supplies),
        _own(levels, supplies, layout), *_before(layout),
    )  # fmt: skip
    slots, units, cost = (
        np.concatenate([part.ravel() for part in column]) for column in zip(*parts, strict=True)
    )
    used = np.flatnonzero((units != 0.0) | (cost != 0.0))
    slot, number = np.unique(slots[used], return_inverse=True)
    return Flows(
        slot, sums_at(number, units[used], len(slot)), sums_at(number, cost[used], len(slot))
    )


def _charged(ledger: _Ledger, layout: Layout) -> tuple[Ints, Floats, Floats]:
    """Put on funds what they spent; units sent in proportion to what each paid for them."""
    paid = ledger.spent.sum(axis=0)
    shares = ratio(ledger.spent, paid)
    shares[layout.funds.index(UNCHARGED)] += paid <= 0.0
    fund = np.arange(len(layout.funds))[:, None]
    slot = layout.flow_slot(fund, ledger.mechanism, ledger.resource, ledger.place)
    return slot, shares * ledger.sent, ledger.spent


def _by_owners(came: Help, layout: Layout) -> tuple[Ints, Floats, Floats]:
    """Put the running cost of teams away from home on who owns them."""
    owner, mechanism = layout.funds.index(OWNER_BUDGET), np.arange(len(layout.mechanisms))
    slot = layout.flow_slot(owner, mechanism[:, None], came.resource, came.place)
    run_cost = layout.world.resources.run_cost[came.resource]
    return slot, np.zeros(slot.shape), came.mix.T * (came.away_days * run_cost)


def _goods(scene: _Scene, supplies: _Supplies) -> tuple[Ints, Floats, Floats]:
    """Put goods to be replaced on those who sent them, in proportion to what each sent."""
    layout, posted = scene.layout, scene.posted
    at = posted.place, posted.resource
    sent = _table(*at, supplies.given, supplies.used.shape)[at]
    lost = (supplies.replaced - supplies.own) * layout.world.resources.acquire_cost
    owner = layout.funds.index(OWNER_BUDGET)
    slot = layout.flow_slot(owner, posted.mechanism, posted.resource, posted.place)
    return slot, np.zeros(slot.shape), ratio(supplies.given, sent) * lost[at]


def _own(
    levels: Levels, supplies: _Supplies, layout: Layout
) -> tuple[Ints, Floats, Floats]:  # fmt: skip
    """Put on own stock what places had themselves: most teams in use, supplies; what they cost."""
    resources = layout.world.resources
    n_places, n_resources = supplies.own.shape
    slot = layout.flow_slot(
        layout.funds.index(OWN_STOCK), layout.local, np.arange(n_resources),
        np.arange(n_places)[:, None],
    )  # fmt: skip
    teams = resources.is_team
    cost = levels.own_days * resources.run_cost * teams + supplies.own * resources.acquire_cost
    return slot, levels.own_most * teams + supplies.own, cost


def _before(layout: Layout) -> Iterator[tuple[Ints, Floats, Floats]]:
    """Put what was done before day 0 on the money for it.

    Units, and the depots that hold them, are the place's own; fees of readiness are the
    mechanism's, spread evenly over the provinces and what it creates.
    """
    done, world = layout.world.prepared, layout.world
    if done is None:
        return
    payer, place = layout.funds.index(PREPARATION), np.arange(world.nodes.n_places)[:, None]
    stored = np.flatnonzero(~world.resources.is_team) if not world.resources.is_team.all() else [0]
    cost = done.cost.bought + done.cost.posted
    cost[:, stored] += done.cost.depots[:, None] / len(stored)
    resource = np.arange(len(layout.resources))
    yield layout.flow_slot(payer, layout.local, resource, place), done.bought + done.posted, cost
    for index in np.flatnonzero(done.cost.readiness).tolist():
        made = np.array([s.resource for s in world.mechanisms[index].supplies] or [0])
        slot = layout.flow_slot(payer, index, made, place[: world.nodes.n_provinces])
        fee = done.cost.readiness[index] / slot.size
        yield slot, np.zeros(slot.shape), np.full(slot.shape, fee)
