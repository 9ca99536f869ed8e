"""The program of an epoch: bounds, limits and worth set, and what is closed left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nts_sim.planning.numbers import Numbers
from nts_sim.planning.problem import Charges, Sets
from nts_sim.planning.solve import Basis, LinearProgram
from nts_sim.planning.template import Template
from nts_sim.world.model import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Filled:
    """The program of one epoch without what it closes.

    Attributes
    ----------
    program : LinearProgram of the open columns and the rows that may bind
    columns : int array, template columns that are open
    rows : bool array [row], template rows kept
    """

    template: Template
    numbers: Numbers
    program: LinearProgram
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
        for stock, balance in ((c.own, r.own_balance), (c.guest, r.guest_balance)):
            column[stock[stock >= 0]] = 1
            row[balance[balance >= 0]] = 0
        return Basis(column[self.columns], row[self.rows])


def fill(template: Template, numbers: Numbers) -> Filled:
    """Set bounds, limits and worth for an epoch and leave out what it closes."""
    sets, program = template.sets, template.program
    demand = numbers.demand(sets)
    pair = _pairs_in_play(numbers, demand)
    upper = _bounds(template, numbers, demand, pair)
    cost = program.cost.copy()
    cost[template.columns.served] -= numbers.worth * sets.lengths_days
    row_lower, row_upper, kept = _limits(template, numbers, pair)
    columns = np.flatnonzero(upper > 0.0)
    whole = replace(program, cost=cost, upper=upper, row_lower=row_lower, row_upper=row_upper)
    opened, rows = whole.restricted(columns, kept)
    return Filled(template, numbers, opened, columns, rows)


def _pairs_in_play(numbers: Numbers, demand: Floats) -> Bools:
    """(place, resource) pairs with needs or visitors; elsewhere balances cannot bind."""
    visited = numbers.guest + numbers.guest_inflow.sum(axis=2)
    return np.asarray((demand.max(axis=2) > 0.0) | (visited > 0.0), dtype=np.bool_)


def _bounds(t: Template, numbers: Numbers, demand: Floats, pair: Bools) -> Floats:
    """Upper bounds of all columns."""
    sets, c = t.sets, t.columns
    upper = np.zeros(len(t.program.cost))
    upper[c.served] = numbers.need
    stays = np.where(pair[:, :, None], np.inf, 0.0)
    for block in (c.at_home, c.own, c.guest):
        _open(upper, block, stays)
    present = numbers.guest + numbers.guest_inflow.sum(axis=2)
    _open(upper, c.release, present[:, :, None])
    short = _shortage(sets, numbers, demand)
    _open(upper, c.lend, _lend_bounds(sets, t.charges, numbers, short))
    _open(upper, c.forward, _forward_bounds(sets, t.charges, numbers, short, present))
    _open(upper, c.create, _create_bounds(sets, t.charges, numbers, short))
    _open(upper, c.draw, _draw_bounds(t, numbers, short))
    return upper


def _open(upper: Floats, block: Ints, bounds: Floats) -> None:
    there = block >= 0
    upper[block[there]] = np.broadcast_to(bounds, block.shape)[there]


def _shortage(sets: Sets, numbers: Numbers, demand: Floats) -> Bools:
    """Whether units that serve from period t on could still be used, bool array [place, R, T]."""
    days = np.where(sets.is_team[:, None], 1.0, sets.lengths_days)
    inflow = numbers.own_inflow + numbers.guest_inflow
    there = (numbers.own + numbers.guest)[:, :, None] + np.cumsum(inflow, axis=2)
    used = np.where(sets.is_team[:, None], 0.0, np.cumsum(demand * days, axis=2) - demand * days)
    short = demand * days > there - used + 1e-9
    return np.asarray(np.flip(np.logical_or.accumulate(np.flip(short, 2), axis=2), 2))


def _first_served(period: Ints, n_periods: int) -> Bools:
    """Mask [..., D, T] that is true at the first period served."""
    return np.asarray(period[..., None] == np.arange(n_periods))


def _lend_bounds(sets: Sets, charges: Charges, numbers: Numbers, short: Bools) -> Floats:
    first = _first_served(numbers.arc_period, sets.n_periods)[:, None]
    wanted = short[sets.arc_to][:, :, None, :]
    may_pay = charges.arc_allowed[:, None, None, None]
    still = numbers.lendable >= np.maximum.accumulate(numbers.lendable, axis=2)
    lendable = (numbers.lendable * still)[sets.arc_from][:, :, :, None]
    return np.where(first & wanted & may_pay, lendable, 0.0)


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
    resource = np.array([r for _, _, r in sets.goods], dtype=np.int64)
    first = _first_served(numbers.goods_period, sets.n_periods)
    wanted = np.moveaxis(short[:, resource], 1, 0)[:, :, None, :]
    limit = np.minimum(numbers.goods_place_left, numbers.goods_left[:, None])
    may_pay = charges.goods_allowed[:, :, None, None]
    return np.where(first & wanted & may_pay, limit[:, :, None, None], 0.0)


def _draw_bounds(t: Template, numbers: Numbers, short: Bools) -> Floats:
    sets, charges = t.sets, t.charges
    first = _first_served(numbers.draw_period, sets.n_periods)
    open_money = np.append(numbers.fund_open, 0.0)[charges.draw_fund]
    limit = np.minimum(open_money, numbers.draw_ceiling[:, None])
    limit = limit * short.any(axis=(1, 2))
    return np.where(first, limit[:, :, None, None], 0.0)


def _limits(t: Template, numbers: Numbers, pair: Bools) -> tuple[Floats, Floats, Bools]:
    """Lower and upper limits of all rows, and which rows are kept."""
    r = t.rows
    upper = t.program.row_upper.copy()
    kept = np.ones(len(upper), np.bool_)
    for block in (r.cover, r.home, r.own_balance, r.guest_balance):
        played = np.broadcast_to(pair[:, :, None], block.shape)
        kept[block[(block >= 0) & ~played]] = False
    for block, stock, inflow in (
        (r.own_balance, numbers.own, numbers.own_inflow),
        (r.guest_balance, numbers.guest, numbers.guest_inflow),
    ):
        arriving = inflow.copy()
        arriving[:, :, 0] += stock
        there = block >= 0
        upper[block[there]] = arriving[there]
    upper[r.lend] = np.maximum.accumulate(numbers.lendable, axis=2)
    upper[r.supply] = numbers.goods_left
    upper[r.place_supply] = numbers.goods_place_left
    money = np.append(numbers.fund_open, np.inf)
    upper[r.fund[r.fund >= 0]] = numbers.fund_open[r.fund >= 0]
    upper[r.account] = money[t.charges.account][:, None] + numbers.credit_due
    equal = np.isfinite(t.program.row_lower)
    return np.where(equal, upper, -np.inf), upper, kept & np.isfinite(upper)
