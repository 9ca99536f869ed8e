"""The planning problem as mathematics: every column and row a network could need, built once.

PuLP builds the template; `solve.LinearProgram` holds what was exported; an epoch only changes
bounds, limits and the worth of people served (`filling`). Columns that an epoch closes (upper bound
0) are left out of the program handed to the solver, which changes no optimum. What is done before
day 0 is in `preposition`.

Units: persons, units of a resource (or units a day), bn VND, days. Coverage means what the
simulation means: a person served holds the whole requirement, so the scarcest resource decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nts_sim.planning.modelling import Model, Sense
from nts_sim.planning.preposition import (
    PrepareColumns,
    Prepared,
    add_preparation,
    prepare_columns,
)
from nts_sim.planning.problem import Charges, Problem, Ramp, Sets
from nts_sim.planning.solve import LinearProgram
from nts_sim.world.model import Bools, Floats, Ints

LATER_BN_VND = 1e-4
"""Cost of giving an order a period later, per unit: of equal plans the earlier is taken."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Column numbers by block; -1 where no such column exists.

    Attributes
    ----------
    served : int array [K, 3, T], persons served
    at_home : int array [place, R, T], own teams in use
    own : int array [place, R, T], own units (all supplies) free for use in the period; of teams
        before what arrives after the last departure, whose column it is
    guest : int array [place, R, T], visiting teams present
    release : int array [place, R, D], visitors sent home
    lend : int array [arc, R, D, T], own units sent, by departure and first period served
    forward : int array [forward, R, D, T], visitors sent on
    create : int array [goods, place, D, T], units created by a mechanism
    draw : int array [draw, place, D, T], bn VND drawn, by departure at which it can be used
    below : int array [place], person-days by which a place falls short of the equity floor
    prepare : columns of what is done before day 0
    """

    served: Ints
    at_home: Ints
    own: Ints
    guest: Ints
    release: Ints
    lend: Ints
    forward: Ints
    create: Ints
    draw: Ints
    below: Ints
    prepare: PrepareColumns

    def ordered(self, departures: slice) -> Ints:
        """Numbers of the columns that are orders of some departures."""
        blocks = (
            self.release[:, :, departures],
            self.lend[:, :, departures],
            self.forward[:, :, departures],
            self.create[:, :, departures],
            self.draw[:, :, departures],
        )
        numbers = np.concatenate([block.ravel() for block in blocks])
        return numbers[numbers >= 0]


@dataclass(frozen=True, eq=False)
class Rows:
    """Row numbers by family; -1 where no such row exists.

    Attributes
    ----------
    cover : int array [place, R, T]
    home : int array [place, R, T]
    own_balance, guest_balance : int array [place, R, T]
    lend : int array [place, R, D]
    supply : int array [goods]; place_supply : int array [goods, place]
    account : int array [place, D]
    fund : int array [fund, D]
    fair : int array [place]
    prepared : rows of what is done before day 0
    """

    cover: Ints
    home: Ints
    own_balance: Ints
    guest_balance: Ints
    lend: Ints
    supply: Ints
    place_supply: Ints
    account: Ints
    fund: Ints
    fair: Ints
    prepared: Prepared


@dataclass(frozen=True, eq=False)
class Template:
    """A network's planning problem with every column closed, ready to be filled.

    `surcharge`, float array [column], is the part of the cost that only breaks ties and spares
    desks; plans report their cost without it.
    """

    problem: Problem
    columns: Columns
    rows: Rows
    program: LinearProgram
    surcharge: Floats

    @property
    def sets(self) -> Sets:
        """What the network fixes."""
        return self.problem.sets

    @property
    def charges(self) -> Charges:
        """What a unit costs, and who pays."""
        return self.problem.charges


class _Builder(Model):
    """The model while it is being written, with the problem it is of."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem_of = problem
        self.sets, self.charges = problem.sets, problem.charges
        self._extra: list[tuple[Ints, Floats]] = []

    def charged(self, mask: Bools, cost: Floats, surcharge: Floats) -> Ints:
        """Add closed columns whose cost has a part that only breaks ties."""
        cost, surcharge = (np.broadcast_to(part, mask.shape) for part in (cost, surcharge))
        numbers = self.columns(mask, cost + surcharge)
        self._extra.append((numbers[mask], surcharge[mask]))
        return numbers

    def surcharge(self, n_columns: int) -> Floats:
        """Return the part of each column's cost that only breaks ties."""
        total = np.zeros(n_columns)
        for numbers, extra in self._extra:
            total[numbers] = extra
        return total


@lru_cache(maxsize=8)
def template_of(problem: Problem) -> Template:
    """Build the template of a planning problem."""
    builder = _Builder(problem)
    columns = _all_columns(builder)
    rows = _all_rows(builder, columns)
    program = builder.export()
    return Template(problem, columns, rows, program, builder.surcharge(len(program.cost)))


# --- columns --------------------------------------------------------------------------------


def _all_columns(b: _Builder) -> Columns:
    return Columns(
        served=_served(b),
        at_home=_at_home(b),
        own=_own(b),
        guest=_guest(b),
        release=_release(b),
        lend=_lend(b, np.arange(len(b.sets.arc_from))),
        forward=_lend(b, b.sets.forward, forwards=True),
        create=_create(b),
        draw=_draw(b),
        below=b.columns(np.ones(b.sets.n_places, np.bool_), 0.0),
        prepare=prepare_columns(b, b.problem_of),
    )


def _served(b: _Builder) -> Ints:
    """served[k, s, t]: persons of cell k at severity s served through period t."""
    return b.columns(np.ones((*b.sets.persons.shape, b.sets.n_periods), np.bool_), 0.0)


def _run_cost(b: _Builder) -> Floats:
    return b.charges.run[:, None] * b.sets.lengths_days


def _at_home(b: _Builder) -> Ints:
    """at_home[p, r, t]: own teams in use, after visitors; they cost their running while used."""
    mask = np.broadcast_to(b.sets.is_team[:, None], b.sets.stock_shape)
    return b.columns(mask, _run_cost(b))


def _own(b: _Builder) -> Ints:
    """own[p, r, t]: own units free for use in the period; for supplies all that is there.

    Teams leave at departures only, so between them one column does.
    """
    columns = b.columns(_held(b.sets), 0.0)
    return columns[:, np.arange(len(b.sets.resource))[:, None], b.sets.held_at]


def _held(sets: Sets) -> Bools:
    """Whether own units of a period have a column and a balance of their own, [place, R, T]."""
    own = sets.held_at == np.arange(sets.n_periods)
    return np.broadcast_to(own, sets.stock_shape)


def _guest(b: _Builder) -> Ints:
    """guest[p, r, t]: visiting teams present; they cost their running whether used or not."""
    mask = np.broadcast_to(b.sets.is_team[:, None], b.sets.stock_shape)
    return b.columns(mask, _run_cost(b))


def _release(b: _Builder) -> Ints:
    """release[p, r, d]: visitors sent home; their way back is counted as one day's running."""
    shape = (b.sets.n_places, len(b.sets.resource), len(b.sets.departure))
    mask = np.broadcast_to(b.sets.is_team[:, None], shape)
    return b.columns(mask, b.charges.run[:, None])


def _way(b: _Builder, notice_days: float) -> tuple[Bools, Floats]:
    """Which (departure, first period served) exist, and the days away before serving, [D, T]."""
    starts = b.sets.edges_days[:-1]
    given = b.sets.edges_days[b.sets.departure]
    wait = starts - given[:, None]
    return wait > 0.0, np.maximum(wait - notice_days, 0.0)


def _later(b: _Builder) -> Floats:
    return LATER_BN_VND * b.sets.departure[:, None].astype(np.float64)


def _lend(b: _Builder, arcs: Ints, forwards: bool = False) -> Ints:
    """lend[a, r, d, t]: units sent along arc a at departure d that serve from period t on.

    Costs: travel (return included for teams), running on the way, the tiny cost of waiting.
    Own units cost nothing until they leave; visitors run on while their order is being signed.
    """
    sets, charges = b.sets, b.charges
    exists, on_way = _way(b, 0.0 if forwards else sets.transfer_days)
    mask = np.broadcast_to(exists, (len(arcs), len(sets.resource), *exists.shape)).copy()
    mask[~sets.near[arcs], :, 1:] = False
    if forwards:
        mask[:, ~sets.is_team] = False
    if sets.transfer < 0:
        mask[:] = False
    cost = charges.arc[arcs][:, :, None, None] + charges.run[:, None, None] * on_way
    signature = charges.signature / charges.lender_units[arcs]
    return b.charged(mask, cost, _later(b) + signature[:, :, None, None])


def _create(b: _Builder) -> Ints:
    """create[g, p, d, t]: units created for place p whose first tranche serves from period t.

    Costs: unit cost and travel, running from handover, the tiny cost of waiting.
    """
    sets, charges = b.sets, b.charges
    blocks = []
    for g, way in enumerate(sets.goods):
        exists, on_way = _tranche_ways(b, way.notice_days, way.ramp)
        cost = charges.goods[g][:, None, None] + charges.run[way.resource] * on_way
        extra = _later(b) + charges.signature / way.carried
        mask = np.broadcast_to(exists, (sets.n_places, *exists.shape))
        blocks.append(b.charged(mask, cost, extra))
    shape = (0, sets.n_places, len(sets.departure), sets.n_periods)
    return np.stack(blocks) if blocks else np.zeros(shape, dtype=np.int64)


def _tranche_ways(b: _Builder, notice_days: float, ramp: Ramp) -> tuple[Bools, Floats]:
    """As `_way`, for units handed over in tranches, each away from its own handover on."""
    exists, on_way = _way(b, notice_days)
    serves, end = b.sets.edges_days[:-1], b.sets.edges_days[-1]
    total, before = np.zeros_like(on_way), 0.0
    for day, share in ramp:
        inside = np.minimum(serves + day, end) - np.minimum(serves - on_way + day, end)
        total += (share - before) * inside
        before = share
    return exists, total


def _draw(b: _Builder) -> Ints:
    """draw[m, p, d, t]: bn VND drawn that can be committed from period t on; drawing is free.

    Only periods with a departure matter; a draw is given before its credit, or at once.
    """
    sets = b.sets
    at = np.arange(sets.n_periods)
    exists = (at > sets.departure[:, None]) & np.isin(at, sets.departure)
    mask = np.broadcast_to(exists, (len(sets.draws), sets.n_places, *exists.shape))
    return b.charged(mask, np.zeros(1), np.full(1, LATER_BN_VND))


# --- rows -----------------------------------------------------------------------------------


def _all_rows(b: _Builder, c: Columns) -> Rows:
    own_balance, cover, home = _own_balance(b, c), _cover(b, c), _home(b, c)
    lend, supply, place_supply = _lend_limit(b, c), *_supply_limits(b, c)
    return Rows(
        cover=cover,
        home=home,
        own_balance=own_balance,
        guest_balance=_guest_balance(b, c),
        lend=lend,
        supply=supply,
        place_supply=place_supply,
        account=_account(b, c),
        fund=_fund(b, c),
        fair=_fair(b, c),
        prepared=add_preparation(
            b, b.problem_of, c.prepare, own_balance[:, :, 0], (cover, home), lend, c.create, c.lend
        ),
    )


def _requirement(b: _Builder, c: Columns, rows: Ints, factor: Floats) -> None:
    """Add Σ requirement · served to rows [place, R, T], times `factor` [R, T]."""
    sets = b.sets
    for k, place in enumerate(sets.place.tolist()):
        need = sets.person_need[k][:, :, None]
        b.add(rows[place][None], c.served[k][:, None, :], need * factor[None])


def _cover(b: _Builder, c: Columns) -> Ints:
    """Σ_{k at p, s} requirement[k, s, r] · served[k, s, t] ≤ guest[p, r, t] + at_home[p, r, t].

    For supplies: · length(t) ≤ own[p, r, t], what is there at the start of the period.
    """
    rows = b.rows(np.ones(b.sets.stock_shape, np.bool_), Sense.AT_MOST)
    team = b.sets.is_team[:, None]
    _requirement(b, c, rows, np.where(team, 1.0, b.sets.lengths_days))
    b.add(rows, c.guest, -1.0)
    b.add(rows, c.at_home, -1.0)
    b.add(rows, np.where(team, -1, c.own), -1.0)
    return rows


def _home(b: _Builder, c: Columns) -> Ints:
    """at_home[p, r, t] ≤ own[p, r, t] + arrivals since the last departure (limit)."""
    rows = b.rows(c.at_home >= 0, Sense.AT_MOST)
    b.add(rows, c.at_home, 1.0)
    b.add(rows, c.own, -1.0)
    return rows


def _own_balance(b: _Builder, c: Columns) -> Ints:
    """own[t] = own[t−1] − lent at t + arrivals at t − (supplies) used in t−1.

    The limit holds what is there (t = 0) and what is on the way. Teams have a balance at departures
    only, and t−1 is the departure before.
    """
    sets = b.sets
    rows = b.rows(_held(sets), Sense.EQUAL)
    b.add(rows, c.own, 1.0)
    b.add(rows[:, :, 1:], c.own[:, :, :-1], -1.0)
    _leave(b, rows, c.lend, np.arange(len(sets.arc_from)))
    supply = np.where(sets.is_team[:, None], -1, rows)
    _arrive(b, supply, c.lend, np.arange(len(sets.arc_from)))
    for g, way in enumerate(sets.goods):
        if not sets.is_team[way.resource]:
            _tranches(b, rows[:, way.resource], c.create[g], way.ramp)
    used_before = np.where(sets.is_team[:, None], -1, rows)[:, :, 1:]
    shifted = np.full_like(rows, -1)
    shifted[:, :, :-1] = used_before
    _requirement(b, c, shifted, np.broadcast_to(sets.lengths_days, rows.shape[1:]))
    return rows


def _guest_balance(b: _Builder, c: Columns) -> Ints:
    """guest[t] = guest[t−1] + arrivals at t − forwarded at t − released at t."""
    sets = b.sets
    rows = b.rows(c.guest >= 0, Sense.EQUAL)
    b.add(rows, c.guest, 1.0)
    b.add(rows[:, :, 1:], c.guest[:, :, :-1], -1.0)
    b.add(rows[:, :, sets.departure], c.release, 1.0)
    _arrive(b, rows, c.lend, np.arange(len(sets.arc_from)))
    _leave(b, rows, c.forward, sets.forward)
    _arrive(b, rows, c.forward, sets.forward)
    for g, way in enumerate(sets.goods):
        if sets.is_team[way.resource]:
            _tranches(b, rows[:, way.resource], c.create[g], way.ramp)
    return rows


def _leave(b: _Builder, rows: Ints, columns: Ints, arcs: Ints) -> None:
    """Units sent leave their source's balance at their departure."""
    left = rows[b.sets.arc_from[arcs]][:, :, b.sets.departure]
    b.add(left[:, :, :, None], columns, 1.0)


def _arrive(b: _Builder, rows: Ints, columns: Ints, arcs: Ints) -> None:
    """Units sent join their destination's balance in the first period they serve."""
    reached = rows[b.sets.arc_to[arcs]]
    b.add(reached[:, :, None, :], columns, -1.0)


def _tranches(b: _Builder, rows: Ints, columns: Ints, ramp: Ramp) -> None:
    """Let created units join the balance in tranches, so many days after the first."""
    edges = b.sets.edges_days
    before = 0.0
    for day, share in ramp:
        period = np.searchsorted(edges[:-1], edges[:-1] + day)
        there = period < b.sets.n_periods
        reached = np.where(there, rows[:, np.minimum(period, b.sets.n_periods - 1)], -1)
        b.add(reached[:, None, :], columns, before - share)
        before = share


def _lend_limit(b: _Builder, c: Columns) -> Ints:
    """Σ_{d' ≤ d} lent by p of r ≤ what the donor share leaves by departure d (limit)."""
    sets = b.sets
    shape = (sets.n_places, len(sets.resource), len(sets.departure))
    rows = b.rows(np.ones(shape, np.bool_), Sense.AT_MOST)
    for d in range(shape[2]):
        b.add(rows[sets.arc_from][:, :, d, None, None], c.lend[:, :, : d + 1], 1.0)
    return rows


def _supply_limits(b: _Builder, c: Columns) -> tuple[Ints, Ints]:
    """Σ created by a mechanism ≤ its ceiling left, in all and for each place (limits)."""
    count = len(b.sets.goods)
    total = b.rows(np.ones(count, np.bool_), Sense.AT_MOST)
    each = b.rows(np.ones((count, b.sets.n_places), np.bool_), Sense.AT_MOST)
    b.add(total[:, None, None, None], c.create, 1.0)
    b.add(each[:, :, None, None], c.create, 1.0)
    return total, each


def _charged(b: _Builder, c: Columns) -> Iterable[tuple[Ints, Ints, Floats]]:
    """Yield (fund, columns, unit cost) of everything that charges a fund, [..., D, T]."""
    arcs, charges, sets = np.arange(len(b.sets.arc_from)), b.charges, b.sets
    for block, chosen in ((c.lend, arcs), (c.forward, sets.forward)):
        fund = charges.arc_fund[chosen][:, None, None, None]
        yield fund, block, charges.arc[chosen][:, :, None, None]
    yield charges.goods_fund[:, :, None, None], c.create, charges.goods[:, :, None, None]


def _account(b: _Builder, c: Columns) -> Ints:
    """Σ_{d' ≤ d} charged to the account of p − Σ drawn and credited by d ≤ open + due (limit)."""
    sets, n_departures = b.sets, len(b.sets.departure)
    rows = b.rows(np.ones((sets.n_places, n_departures), np.bool_), Sense.AT_MOST)
    owner = np.full(b.charges.n_funds + 1, -1)
    accounts = b.charges.account
    owner[accounts[accounts >= 0]] = np.flatnonzero(accounts >= 0)
    for fund, block, cost in _charged(b, c):
        place = owner[fund]
        for d in range(n_departures):
            row = np.where(place >= 0, rows[place, d], -1)
            b.add(row, block[..., : d + 1, :], cost)
    for m, way in enumerate(sets.draws):
        for d, period in enumerate(sets.departure.tolist()):
            since = sets.edges_days[period] - sets.edges_days[:-1]
            credited = _handed_over(way.ramp, since)
            b.add(rows[:, d][:, None, None], c.draw[m], -credited)
    return rows


def _handed_over(ramp: Ramp, since_days: Floats) -> Floats:
    """Share handed over so many days after the first handover; 0 before it."""
    shares = np.zeros(since_days.shape)
    for day, share in ramp:
        shares[since_days >= day] = share
    return shares


def _fund(b: _Builder, c: Columns) -> Ints:
    """Σ_{d' ≤ d} charged to + drawn from a fund that is no account ≤ open on it by d (limit)."""
    is_account = np.zeros(b.charges.n_funds, np.bool_)
    is_account[b.charges.account[b.charges.account >= 0]] = True
    n_departures = len(b.sets.departure)
    mask = np.broadcast_to(~is_account[:, None], (b.charges.n_funds, n_departures))
    rows = b.rows(mask, Sense.AT_MOST)
    lookup = np.vstack((rows, np.full((1, n_departures), -1)))
    draw_fund = b.charges.draw_fund[:, :, None, None]
    for d in range(n_departures):
        for fund, block, cost in _charged(b, c):
            b.add(lookup[fund, d], block[..., : d + 1, :], cost)
        b.add(lookup[draw_fund, d], c.draw[:, :, : d + 1], 1.0)
    return rows


def _fair(b: _Builder, c: Columns) -> Ints:
    """Σ_{k at p, s, t} length(t) · served[k, s, t] + below[p] ≥ floor · Σ length · need (limit)."""
    rows = b.rows(np.ones(b.sets.n_places, np.bool_), Sense.AT_LEAST)
    b.add(rows[b.sets.place][:, None, None], c.served, b.sets.lengths_days)
    b.add(rows, c.below, 1.0)
    return rows
