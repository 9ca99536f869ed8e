"""The program of an epoch: bounds, limits and worth set, and what is closed left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nts_sim.planning.numbers import Numbers
from nts_sim.planning.problem import Charges, Equity, Sets
from nts_sim.planning.solve import Basis
from nts_sim.planning.template import Template
from nts_sim.planning.twostage import TwoStage
from nts_sim.world.model import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Filled:
    """The program of one epoch without what it closes.

    Attributes
    ----------
    two_stage : TwoStage of the open columns and the rows that may bind
    columns : int array, template columns that are open in some sample
    rows : bool array [row], template rows kept
    """

    template: Template
    numbers: Numbers
    two_stage: TwoStage
    columns: Ints
    rows: Bools

    @property
    def start(self) -> Basis:
        """The basis every search starts from: stocks stay where they are and nobody is served.

        Balances are carried by the stock they balance, all other rows by their slack. It depends
        on the network and on what is open, never on an earlier search.
        """
        c, r, t = self.template.columns, self.template.rows, self.template
        column = np.zeros(len(t.program.cost), dtype=np.int64)
        row = np.ones(len(t.program.row_upper), dtype=np.int64)
        is_open = np.zeros(len(column), np.bool_)
        is_open[self.columns] = True
        pairs = (
            (c.own, r.own_balance), (c.guest, r.guest_balance), (c.below[None], r.fair[None]),
            (c.prepare.change, r.prepared.changed), (c.prepare.stationed, r.prepared.stationed),
        )  # fmt: skip
        for stock, balance in pairs:
            there = (stock >= 0) & (balance >= 0)
            there[there] = is_open[stock[there]]
            column[stock[there]] = 1
            row[balance[there]] = 0
        return Basis(column[self.columns], row[self.rows])


def fill(
    template: Template,
    numbers: Numbers,
    *,
    equity: Equity | None = None,
    commit_all: bool = False,
) -> Filled:
    """Set bounds, limits and worth for an epoch and leave out what it closes.

    Parameters
    ----------
    equity : soft floor on served shares; None: none
    commit_all : orders of all departures are given now, not only those of the first
    """
    sets, program, need = template.sets, template.program, numbers.need
    demand = numbers.demand(sets).max(axis=0)
    pair = _pairs_in_play(numbers, demand)
    upper = _bounds(template, numbers, demand, pair)
    if equity is not None:
        upper[template.columns.below] = np.where(_needed(sets, need.persons).any(axis=0), np.inf, 0)
    row_lower, row_upper, kept = _limits(template, numbers, demand > 0.0, pair, equity)
    columns = np.flatnonzero(upper > 0.0)
    whole = replace(program, upper=upper, row_lower=row_lower, row_upper=row_upper)
    opened, rows = whole.restricted(columns, kept)
    shared = np.zeros(len(upper), np.bool_)
    shared[template.columns.ordered(slice(None) if commit_all else slice(1))] = True
    shared[template.columns.prepare.numbers] = True
    return Filled(
        template=template,
        numbers=numbers,
        two_stage=TwoStage(
            program=opened,
            shared=shared[columns],
            probability=need.probability,
            cost=_costs(template, numbers, columns, shared[columns], equity),
            lower=np.broadcast_to(opened.lower, (len(need.probability), len(columns))),
            upper=_by_sample(template, opened.upper, need.persons, columns),
            row_lower=_floors(template, numbers, opened.row_lower, rows, equity),
            row_upper=np.broadcast_to(opened.row_upper, (len(need.probability), rows.sum())),
            offset=need.harm,
        ),
        columns=columns,
        rows=rows,
    )


def _needed(sets: Sets, persons: Floats) -> Floats:
    """Person-days needed at each place, [S, place]."""
    by_cell = np.einsum("ikst,t->ik", persons, sets.lengths_days)
    return np.stack([np.bincount(sets.place, row, sets.n_places) for row in by_cell])


def _costs(
    t: Template, numbers: Numbers, columns: Ints, shared: Bools, equity: Equity | None
) -> Floats:
    """Cost of each column by sample: what it costs less what it averts; 0 where shared."""
    sets, need = t.sets, numbers.need
    base = t.program.cost.copy()
    if equity is not None:
        days = need.persons * sets.lengths_days
        base[t.columns.below] = equity.price * (need.worth * days).sum() / max(days.sum(), 1e-12)
    cost = _by_sample(t, base[columns], -need.worth * sets.lengths_days, columns)
    cost[:, shared] = 0.0
    return cost


def _by_sample(t: Template, common: Floats, of_served: Floats, columns: Ints) -> Floats:
    """Repeat what is common to all samples, with each sample's own for people served, [S, column].

    Parameters
    ----------
    of_served : float array [S, K, 3, T]
    """
    place = np.full(len(t.program.cost), -1)
    place[columns] = np.arange(len(columns))
    at = place[t.columns.served]
    open_here = at >= 0
    made = np.repeat(common[None], len(of_served), axis=0)
    made[:, at[open_here]] = of_served[:, open_here]
    return made


def _floors(
    t: Template, numbers: Numbers, lower: Floats, rows: Bools, equity: Equity | None
) -> Floats:
    """Lower limits of rows by sample: the equity floor depends on the sample's need."""
    made = np.repeat(lower[None], len(numbers.need.probability), axis=0)
    if equity is not None:
        number = np.cumsum(rows) - 1
        there = rows[t.rows.fair]
        floors = equity.floor * _needed(t.sets, numbers.need.persons)
        made[:, number[t.rows.fair[there]]] = floors[:, there]
    return made


def _pairs_in_play(numbers: Numbers, demand: Floats) -> Bools:
    """(place, resource) pairs with needs or visitors; elsewhere balances cannot bind."""
    visited = numbers.guest + numbers.guest_inflow.sum(axis=2)
    return np.asarray((demand.max(axis=2) > 0.0) | (visited > 0.0), dtype=np.bool_)


def _bounds(t: Template, numbers: Numbers, demand: Floats, pair: Bools) -> Floats:
    """Upper bounds of all columns; of people served, the most that any sample needs."""
    sets, c = t.sets, t.columns
    upper = np.zeros(len(t.program.cost))
    upper[c.served] = numbers.need.persons.max(axis=0)
    upper[c.prepare.numbers] = t.program.upper[c.prepare.numbers]
    stays = np.where(pair[:, :, None], np.inf, 0.0)
    _open(upper, c.own, stays)
    _open(upper, c.at_home, np.where(demand > 0.0, np.inf, 0.0))
    present = numbers.guest + numbers.guest_inflow.sum(axis=2)
    _open(upper, c.release, present[:, :, None])
    short = _shortage(sets, numbers, demand, _least_own(t, numbers))
    _open(upper, c.prepare.spared, _spared_bounds(t, numbers))
    _open(upper, c.lend, _lend_bounds(t, numbers, short))
    _open(upper, c.forward, _forward_bounds(sets, t.charges, numbers, short, present))
    _open(upper, c.create, _create_bounds(sets, t.charges, numbers, short))
    _open(upper, c.guest, np.where(_visited(t, numbers, upper), stays, 0.0))
    _open(upper, c.draw, _draw_bounds(t, numbers, short))
    return upper


def _open(upper: Floats, block: Ints, bounds: Floats) -> None:
    there = block >= 0
    upper[block[there]] = np.broadcast_to(bounds, block.shape)[there]


def _least_own(t: Template, numbers: Numbers) -> Floats:
    """Own units that are there whatever is posted away before day 0, float array [place, R]."""
    preparing = t.problem.preparing
    if preparing is None:
        return numbers.own
    return np.asarray(numbers.own - preparing.post_share * preparing.stock)


def _spared_bounds(t: Template, numbers: Numbers) -> Floats:
    """Where nothing of a place's own may be lent, what it posts away is not missed by lending."""
    preparing = t.problem.preparing
    if preparing is None:
        return np.zeros(t.columns.prepare.spared.shape)
    posted = (preparing.post_share * preparing.stock)[:, :, None]
    return np.where(np.maximum.accumulate(numbers.lendable, axis=2) > 0.0, 0.0, posted)


def _visited(t: Template, numbers: Numbers, upper: Floats) -> Bools:
    """Whether visitors may be there in a period, bool array [place, R, T]."""
    sets, c = t.sets, t.columns
    there = np.cumsum(numbers.guest_inflow, axis=2) + numbers.guest[:, :, None] > 0.0
    every = np.arange(len(sets.arc_from))
    for arcs, block in ((every, c.lend), (sets.forward, c.forward)):
        open_now = ((upper[block] > 0.0) & (block >= 0)).any(axis=2)
        np.logical_or.at(there, sets.arc_to[arcs], open_now)
    for g, way in enumerate(sets.goods):
        there[:, way.resource] |= ((upper[c.create[g]] > 0.0) & (c.create[g] >= 0)).any(axis=1)
    return np.logical_or.accumulate(there, axis=2)


def _shortage(sets: Sets, numbers: Numbers, demand: Floats, own: Floats) -> Bools:
    """Whether units that serve from period t on could still be used, bool array [place, R, T]."""
    days = np.where(sets.is_team[:, None], 1.0, sets.lengths_days)
    inflow = numbers.own_inflow + numbers.guest_inflow
    there = (own + numbers.guest)[:, :, None] + np.cumsum(inflow, axis=2)
    used = np.where(sets.is_team[:, None], 0.0, np.cumsum(demand * days, axis=2) - demand * days)
    short = demand * days > there - used + 1e-9
    return np.asarray(np.flip(np.logical_or.accumulate(np.flip(short, 2), axis=2), 2))


def _first_served(period: Ints, n_periods: int) -> Bools:
    """Mask [..., D, T] that is true at the first period served."""
    return np.asarray(period[..., None] == np.arange(n_periods))


def _lend_bounds(t: Template, numbers: Numbers, short: Bools) -> Floats:
    sets, charges = t.sets, t.charges
    first = _first_served(numbers.arc_period, sets.n_periods)[:, None]
    wanted = short[sets.arc_to][:, :, None, :]
    may_pay = charges.arc_allowed[:, None, None, None]
    still = numbers.lendable >= np.maximum.accumulate(numbers.lendable, axis=2)
    room = numbers.lendable * still
    if t.problem.preparing is not None:
        room = np.where(still & _may_lend_on(sets, numbers), np.inf, 0.0)
    lendable = room[sets.arc_from][:, :, :, None]
    return np.where(first & wanted & may_pay, lendable, 0.0)


def _may_lend_on(sets: Sets, numbers: Numbers) -> Bools:
    """Whether a place may lend what it bought or had posted, bool array [place, R, D].

    Not where it lacks units of its own: the first of these units then cover what it needs itself,
    and a limit that grows only beyond that is no linear one.
    """
    demand = np.tensordot(numbers.need.probability, numbers.demand(sets), axes=1)
    needed = np.maximum.accumulate(demand > 0.0, axis=2)[:, :, sets.departure]
    return np.asarray((numbers.lendable > 0.0) | ~needed, dtype=np.bool_)


def _forward_bounds(
    sets: Sets, charges: Charges, numbers: Numbers, short: Bools, present: Floats
) -> Floats:
    arcs = sets.forward
    first = _first_served(numbers.arc_period[arcs], sets.n_periods)[:, None]
    wanted = short[sets.arc_to[arcs]][:, :, None, :]
    may_pay = charges.arc_allowed[arcs][:, None, None, None]
    here = present[sets.arc_from[arcs]][:, :, None, None]
    return np.where(first & wanted & may_pay, here, 0.0)


def _create_bounds(sets: Sets, charges: Charges, numbers: Numbers, short: Bools) -> Floats:
    resource = np.array([way.resource for way in sets.goods], dtype=np.int64)
    first = _first_served(numbers.goods_period, sets.n_periods)
    wanted = np.moveaxis(short[:, resource], 1, 0)[:, :, None, :]
    limit = np.minimum(numbers.goods_place_left, numbers.goods_left[:, None])
    limit = np.where(limit > 0.0, 2.0 * limit + 1.0, 0.0)  # rows bind, so that prices are theirs
    may_pay = charges.goods_allowed[:, :, None, None]
    return np.where(first & wanted & may_pay, limit[:, :, None, None], 0.0)


def _draw_bounds(t: Template, numbers: Numbers, short: Bools) -> Floats:
    sets, charges = t.sets, t.charges
    first = _first_served(numbers.draw_period, sets.n_periods)
    nobody = np.zeros((1, len(sets.departure)))
    open_money = np.vstack((numbers.fund_open, nobody))[charges.draw_fund]
    limit = np.minimum(open_money, numbers.draw_ceiling[:, None, None])
    limit = limit * np.asarray(short.any(axis=(1, 2)))[:, None]
    return np.where(first, limit[:, :, :, None], 0.0)


def _limits(
    t: Template, numbers: Numbers, wanted: Bools, pair: Bools, equity: Equity | None
) -> tuple[Floats, Floats, Bools]:
    """Lower and upper limits of all rows, and which rows are kept."""
    r = t.rows
    upper = t.program.row_upper.copy()
    kept = np.ones(len(upper), np.bool_)
    played = np.broadcast_to(pair[:, :, None], wanted.shape)
    for block, binds in (
        (r.cover, wanted), (r.home, wanted), (r.own_balance, played), (r.guest_balance, played),
    ):  # fmt: skip
        kept[block[(block >= 0) & ~binds]] = False
    own, since = _own_arriving(t.sets, numbers)
    guest = numbers.guest_inflow.copy()
    guest[:, :, 0] += numbers.guest
    for block, arriving in ((r.own_balance, own), (r.home, since), (r.guest_balance, guest)):
        there = block >= 0
        upper[block[there]] = arriving[there]
    upper[r.lend] = np.maximum.accumulate(numbers.lendable, axis=2)
    upper[r.supply] = numbers.goods_left
    upper[r.place_supply] = numbers.goods_place_left
    money = np.vstack((numbers.fund_open, np.full((1, numbers.fund_open.shape[1]), np.inf)))
    upper[r.fund[r.fund >= 0]] = numbers.fund_open[r.fund >= 0]
    upper[r.account] = money[t.charges.account] + numbers.credit_due
    kept[r.fair] = equity is not None
    at_least = np.isinf(t.program.row_upper)
    equal = np.isfinite(t.program.row_lower) & ~at_least
    lower = np.where(equal, upper, t.program.row_lower)
    return lower, upper, kept & (np.isfinite(upper) | at_least)


def _own_arriving(sets: Sets, numbers: Numbers) -> tuple[Floats, Floats]:
    """Own units that come between one balance and the next, and since the last, [place, R, T]."""
    come, resource = np.cumsum(numbers.own_inflow, axis=2), np.arange(len(sets.resource))[:, None]
    balanced = come.copy()
    balanced[:, :, 1:] -= come[:, resource, sets.held_at[:, :-1]]
    balanced[:, :, 0] += numbers.own
    return balanced, come - come[:, resource, sets.held_at]
