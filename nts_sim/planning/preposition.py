"""What is done before day 0, as mathematics: buying, posting, depots, mechanisms made ready.

These columns are the first stage of the planning problem; depots and readiness are yes or no.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.planning.modelling import Model, Sense
from nts_sim.planning.problem import Preparing, Problem
from nts_sim.world.model import Floats, Ints


@dataclass(frozen=True, eq=False)
class PrepareColumns:
    """Column numbers; -1 where no such column exists.

    Attributes
    ----------
    buy : int array [place, R], units bought
    post : int array [arc, R], units posted along an arc
    change : int array [place, R], units by which all this changes what a place has
    stationed : int array [place, R], teams posted here
    spared : int array [place, R, D], units posted away that could not be lent anyhow by a departure
    depot : int array [place], 1 where a depot is opened
    ready : int array [ready], 1 where the mechanism is made ready, in the order of `readiness`
    pay : int array [source, place + 1, R + 1], bn VND paid by a source; last: depots, and
        readiness, which is nobody's place
    """

    buy: Ints
    post: Ints
    change: Ints
    stationed: Ints
    spared: Ints
    depot: Ints
    ready: Ints
    pay: Ints

    @property
    def numbers(self) -> Ints:
        """Return all that exist."""
        blocks = (
            self.buy, self.post, self.change, self.stationed, self.spared, self.depot, self.ready,
            self.pay,
        )  # fmt: skip
        every = np.concatenate([block.ravel() for block in blocks])
        return every[every >= 0]

    @property
    def binary(self) -> Ints:
        """Return those that are yes or no."""
        both = np.concatenate((self.depot, self.ready))
        return both[both >= 0]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Row numbers by family; empty where nothing may be done before day 0.

    Attributes
    ----------
    changed, stationed : int array [place, R]
    capacity : int array [place]
    posted : int array [place, R]
    spared : int array [place, R, D]
    ready : int array [goods, place]; -1 where the mechanism is ready anyhow
    paid : int array [place + 1, R + 1]
    source : int array [source]
    place_share : int array [place]
    at_most, at_least : int array [R]; -1 where there is no such guidance
    from_depot : int array [arc, R]; -1 where there is no such rule
    """

    changed: Ints
    stationed: Ints
    capacity: Ints
    posted: Ints
    spared: Ints
    ready: Ints
    paid: Ints
    source: Ints
    place_share: Ints
    at_most: Ints
    at_least: Ints
    from_depot: Ints


def _none(*shape: int) -> Ints:
    return np.full(shape, -1, dtype=np.int64)


def prepare_columns(m: Model, problem: Problem) -> PrepareColumns:
    """Add the columns; they are open, as the money limits them."""
    sets, plan = problem.sets, problem.preparing
    n, n_resources, n_departures = sets.n_places, len(sets.resource), len(sets.departure)
    if plan is None:
        return PrepareColumns(
            _none(n, n_resources), _none(len(sets.arc_from), n_resources), _none(n, n_resources),
            _none(n, n_resources), _none(n, n_resources, n_departures), _none(n), _none(0),
            _none(0, n + 1, n_resources + 1),
        )  # fmt: skip
    sold = np.isfinite(plan.buy)
    postable = np.isfinite(plan.post) & (plan.stock > 0.0)[sets.arc_from] & (plan.post_share > 0.0)
    leaves, comes = np.zeros((n, n_resources), np.bool_), sold.copy()
    np.logical_or.at(leaves, sets.arc_from, postable)
    arrives = np.zeros_like(comes)
    np.logical_or.at(arrives, sets.arc_to, postable)
    comes |= arrives
    pays = np.ones((len(plan.sources), n + 1, n_resources + 1), np.bool_)
    pays[:, n, :-1] = False
    for at, source in enumerate(plan.sources):
        if source.resources is not None:
            pays[at] &= np.isin(np.arange(n_resources + 1), sorted(source.resources))
    return PrepareColumns(
        buy=m.columns(sold, np.where(sold, plan.buy, 0.0), upper=np.inf),
        post=m.columns(postable, np.where(postable, plan.post, 0.0), upper=np.inf),
        change=m.columns(
            leaves | comes, 0.0, lower=-plan.post_share * plan.stock, upper=np.inf
        ),
        stationed=m.columns(arrives & sets.is_team, 0.0, upper=np.inf),
        spared=m.columns(np.repeat(leaves[:, :, None], n_departures, axis=2), 0.0),
        depot=m.columns(plan.depot_capacity > 0.0, plan.depot_cost, upper=1.0, integer=True),
        ready=m.columns(
            np.ones(len(plan.readiness), np.bool_), np.array([*plan.readiness.values()]),
            upper=1.0, integer=True,
        ),
        pay=m.columns(pays, 0.0, upper=np.inf),
    )  # fmt: skip


def add_preparation(
    m: Model,
    problem: Problem,
    c: PrepareColumns,
    stock_rows: Ints,
    use_rows: tuple[Ints, Ints],
    lend_rows: Ints,
    create: Ints,
    lend: Ints,
) -> Prepared:
    """Add the rows, and what is prepared to the stock of day 0 and to what may be lent.

    Parameters
    ----------
    stock_rows : int array [place, R], own balance of the first period
    use_rows : cover and home, int arrays [place, R, T]
    lend_rows : int array [place, R, D]
    create : int array [goods, place, D, T]
    lend : int array [arc, R, D, T]
    """
    sets, plan = problem.sets, problem.preparing
    n, n_resources = sets.n_places, len(sets.resource)
    if plan is None:
        return Prepared(
            _none(n, n_resources), _none(n, n_resources), _none(n), _none(n, n_resources),
            _none(*lend_rows.shape),
            _none(len(sets.goods), n), _none(n + 1, n_resources + 1), _none(0), _none(n),
            _none(n_resources), _none(n_resources), _none(len(sets.arc_from), n_resources),
        )  # fmt: skip
    _join_stock(m, plan, c, stock_rows, lend_rows)
    _at_post(m, c, *use_rows)
    return Prepared(
        changed=_changed(m, problem, c),
        stationed=_stationed(m, problem, c),
        capacity=_capacity(m, problem, plan, c),
        posted=_posted(m, problem, plan, c),
        spared=_spared(m, problem, c),
        ready=_ready(m, problem, plan, c, create),
        paid=_paid(m, problem, plan, c),
        source=_source(m, plan, c),
        place_share=_place_share(m, problem, plan, c),
        at_most=_resource_share(m, problem, plan, c, at_least=False),
        at_least=_resource_share(m, problem, plan, c, at_least=True),
        from_depot=_from_depot(m, problem, plan, c, lend),
    )


def _join_stock(m: Model, plan: Preparing, c: PrepareColumns, stock: Ints, lend: Ints) -> None:
    """own[p, r, 0] counts + change[p, r]; a share of it may be lent on.

    What is posted away takes nothing from what may be lent where nothing could be lent (`spared`).
    """
    m.add(stock, c.change, -1.0)
    m.add(lend, c.change[:, :, None], -plan.lend_share)
    m.add(lend, c.spared, -plan.lend_share)


def _at_post(m: Model, c: PrepareColumns, cover: Ints, home: Ints) -> None:
    """Teams posted here serve before own teams, at no further running cost, and stay.

    cover: use ≤ guest + at_home + stationed; home: at_home ≤ own − stationed. Their running is in
    the cost of posting, for every day.
    """
    m.add(cover, c.stationed[:, :, None], -1.0)
    m.add(home, c.stationed[:, :, None], 1.0)


def _stationed(m: Model, problem: Problem, c: PrepareColumns) -> Ints:
    """stationed[p, r] = Σ teams posted here."""
    rows = m.rows(c.stationed >= 0, Sense.EQUAL)
    m.add(rows, c.stationed, 1.0)
    m.add(rows[problem.sets.arc_to], c.post, -1.0)
    return rows


def _changed(m: Model, problem: Problem, c: PrepareColumns) -> Ints:
    """change[p, r] = bought + posted here − posted away.

    Samples meet what is prepared in this one column and not in every posting.
    """
    rows = m.rows(c.change >= 0, Sense.EQUAL)
    m.add(rows, c.change, 1.0)
    m.add(rows, c.buy, -1.0)
    m.add(rows[problem.sets.arc_to], c.post, -1.0)
    m.add(rows[problem.sets.arc_from], c.post, 1.0)
    return rows


def _capacity(m: Model, problem: Problem, plan: Preparing, c: PrepareColumns) -> Ints:
    """Σ_r volume[r] · change[p, r] ≤ capacity[p] · depot[p]."""
    rows = m.rows(np.ones(problem.sets.n_places, np.bool_), Sense.AT_MOST)
    m.add(rows[:, None], c.change, plan.volume)
    m.add(rows, c.depot, -plan.depot_capacity)
    return rows


def _from_depot(m: Model, problem: Problem, plan: Preparing, c: PrepareColumns, lend: Ints) -> Ints:
    """Σ_{d, t} lent along a of r ≤ from_depot[a, r] · depot[source of a]; where there is a rule.

    Where a destination can use no more than that, capacity says the same with whole depots; this
    says it for parts of depots too, which brings the relaxation close to the optimum.
    """
    limit = plan.from_depot
    if limit is None:
        return _none(*lend.shape[:2])
    rows = m.rows(np.isfinite(limit), Sense.AT_MOST)
    m.add(rows[:, :, None, None], lend, 1.0)
    m.add(rows, c.depot[problem.sets.arc_from][:, None], -_finite(limit))
    return rows


def _posted(m: Model, problem: Problem, plan: Preparing, c: PrepareColumns) -> Ints:
    """Σ posted away by p of r ≤ post_share · stock[p, r]."""
    mask = np.ones(plan.stock.shape, np.bool_)
    rows = m.rows(mask, Sense.AT_MOST, plan.post_share * plan.stock)
    m.add(rows[problem.sets.arc_from], c.post, 1.0)
    return rows


def _spared(m: Model, problem: Problem, c: PrepareColumns) -> Ints:
    """spared[p, r, d] ≤ Σ posted away by p of r."""
    rows = m.rows(c.spared >= 0, Sense.AT_MOST)
    m.add(rows, c.spared, 1.0)
    m.add(rows[problem.sets.arc_from], c.post[:, :, None], -1.0)
    return rows


def _ready(m: Model, problem: Problem, plan: Preparing, c: PrepareColumns, create: Ints) -> Ints:
    """Σ_{d, t} created[g, p, d, t] ≤ limit[g, p] · ready[mechanism of g]."""
    position = {mechanism: at for at, mechanism in enumerate(plan.readiness)}
    asked = np.array([way.mechanism in position for way in problem.sets.goods], np.bool_)
    rows = m.rows(np.repeat(asked[:, None], problem.sets.n_places, axis=1), Sense.AT_MOST)
    m.add(rows[:, :, None, None], create, 1.0)
    for g, way in enumerate(problem.sets.goods):
        if way.mechanism in position:
            m.add(rows[g], np.asarray(c.ready[position[way.mechanism]]), -plan.goods_limit[g])
    return rows


def _paid(m: Model, problem: Problem, plan: Preparing, c: PrepareColumns) -> Ints:
    """Σ spent at p on r = Σ_sources paid; depots and (at no place) readiness last.

    Posting is charged to the place posted to.
    """
    sets = problem.sets
    mask = np.ones((sets.n_places + 1, len(sets.resource) + 1), np.bool_)
    mask[-1, :-1] = False
    rows = m.rows(mask, Sense.EQUAL)
    m.add(rows[:-1, :-1], c.buy, _finite(plan.buy))
    m.add(rows[sets.arc_to][:, :-1], c.post, _finite(plan.post))
    m.add(rows[:-1, -1], c.depot, plan.depot_cost)
    m.add(rows[-1, -1], c.ready, np.array([*plan.readiness.values()]))
    m.add(rows[None], c.pay, -1.0)
    return rows


def _finite(price: Floats) -> Floats:
    return np.where(np.isfinite(price), price, 0.0)


def _source(m: Model, plan: Preparing, c: PrepareColumns) -> Ints:
    """Σ_{p, r} paid by a source ≤ what it has."""
    money = np.array([source.amount_bn_vnd for source in plan.sources])
    rows = m.rows(np.ones(len(money), np.bool_), Sense.AT_MOST, money)
    m.add(rows[:, None, None], c.pay, 1.0)
    return rows


def _place_share(m: Model, problem: Problem, plan: Preparing, c: PrepareColumns) -> Ints:
    """Σ spent at p, readiness aside, ≤ share · all money there is; where guidance says so."""
    n = problem.sets.n_places
    limit = np.full(n, plan.place_share_at_most * plan.money_bn_vnd)
    rows = m.rows(np.full(n, plan.place_share_at_most < 1.0), Sense.AT_MOST, limit)
    m.add(rows[None, :, None], c.pay[:, :-1], 1.0)
    return rows


def _resource_share(
    m: Model, problem: Problem, plan: Preparing, c: PrepareColumns, *, at_least: bool
) -> Ints:
    """Σ spent on r ≤ (or ≥) share[r] · all that is spent; only where guidance says so."""
    guidance = plan.resource_share_at_least if at_least else plan.resource_share_at_most
    mask = np.isin(np.arange(len(problem.sets.resource)), sorted(guidance))
    rows = m.rows(mask, Sense.AT_LEAST if at_least else Sense.AT_MOST)
    for r, share in guidance.items():
        m.add(np.asarray(rows[r]), c.pay[:, :, r], 1.0 - share)
        m.add(np.asarray(rows[r]), np.delete(c.pay, r, axis=2), -share)
    return rows
