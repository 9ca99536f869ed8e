"""Why a plan leaves places short, read from the prices of its rows; solves nothing.

People stay without help where some resource is too scarce, and its price says which. Each column
that could have brought more of it in time is looked at: it is closed, or it costs more than the
help averts, or it takes from limits that have a price. The limit whose relaxation saves most for
its money is the cause that is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby

import numpy as np
from scipy.sparse import csc_array, eye_array

from nts_sim.planning.filling import Filled
from nts_sim.planning.marginal import fund_prices
from nts_sim.planning.scenario import ScenarioPlan
from nts_sim.planning.stages import TwoStageSolution
from nts_sim.planning.template import Template
from nts_sim.planning.variants import in_template
from nts_sim.world.model import Bools, Floats, Ints

_MATTERS = 1e-3
"""Share of all harm left below which a shortage is not told."""
_OFTEN = 0.2
"""A shortage is told where it is expected, or comes in at least this share of the futures."""
_PART = 0.05
"""Share of a unit's value: a limit that takes less of it does not keep the unit away."""
_LEAST = 0.5
"""Units a place lacks that count."""


class Why(StrEnum):
    """What keeps more help away; the closed vocabulary."""

    FUND = "fund"
    ACCOUNT = "account"
    DRAW = "draw"
    DONOR = "donor"
    HOME = "home"
    SUPPLY = "supply"
    PLACE_SUPPLY = "place_supply"
    SOURCE = "source"
    PLACE_SHARE = "place_share"
    GUIDANCE = "guidance"
    CAPACITY = "capacity"
    POSTED = "posted"
    READY = "ready"
    AWAY = "away"
    LATE = "late"
    TRIGGER = "trigger"
    DEAR = "dear"
    NOBODY = "nobody"


MONEY = frozenset({Why.FUND, Why.ACCOUNT, Why.DRAW, Why.SOURCE, Why.PLACE_SHARE})
"""Limits in bn VND; the others are in units."""


@dataclass(frozen=True)
class Cause:
    """What keeps help away, and what a little more of it would save.

    Attributes
    ----------
    what : fund, mechanism, resource or source of money; its own name
    where : place that owns the limit; "" the nation's
    limit : how much there is, bn VND or units; the first day served where help comes late
    saves_bn_vnd : expected saving of the whole plan per unit of the limit (a bn VND, a unit), all
        of the planning model; 0 where no limit has a price
    """

    why: Why
    what: str = ""
    where: str = ""
    limit: float = 0.0
    saves_bn_vnd: float = 0.0


@dataclass(frozen=True)
class Shortage:
    """A resource that a place lacks while people there go without help.

    Attributes
    ----------
    place : int; resource : int, of the world
    first_day, last_day : from the start of one to the end of the other
    units : expected lack in the futures in which it comes; teams: at the worst, supplies: in all
    share : of the futures, by their chance
    harm_bn_vnd : expected harm that this lack leaves unaverted
    """

    place: int
    resource: int
    first_day: float
    last_day: float
    units: float
    share: float
    harm_bn_vnd: float
    cause: Cause


def shortages_of(plan: ScenarioPlan, solution: TwoStageSolution) -> tuple[Shortage, ...]:
    """List what stays short and why, the most harmful first.

    Parameters
    ----------
    solution : of the plan's problem; with units that can be divided, as prices are of it
    """
    short = _short(plan, solution)
    told = _told(plan, short)
    inquiry = _Inquiry(plan, solution, short.units)
    found = []
    for place, r in np.argwhere(told.any(axis=2)).tolist():
        (periods,) = np.nonzero(told[place, r])
        causes = [(int(t), inquiry.cause(place, r, int(t))) for t in periods]
        found += [_merged(plan, short, (place, r), run) for run in _runs(causes)]
    return tuple(sorted(found, key=lambda one: (-one.harm_bn_vnd, one.place, one.resource)))


# --- what is short --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Short:
    """What people without help would take of what is scarce, [S, place, R, T].

    `units` (a day, for supplies) and `harm`, bn VND that they would avert.
    """

    units: Floats
    harm: Floats


def _short(plan: ScenarioPlan, solution: TwoStageSolution) -> _Short:
    sets, need, filled = plan.template.sets, plan.numbers.need, plan.filled
    whole = np.stack([in_template(filled, y) for y in solution.y])
    left = np.maximum(need.persons - whole[:, plan.template.columns.served], 0.0)
    left[need.worth <= 0.0] = 0.0
    harm = left * need.worth * sets.lengths_days
    price = _unit_prices(plan, solution)
    by_cell = [sets.person_need[:, :, r, None] * price[:, sets.place, r][:, :, None]
               for r in range(len(sets.resource))]  # fmt: skip
    total = np.maximum(sum(by_cell), 1e-300)
    units, lost = np.zeros((2, *price.shape))
    at_place = np.arange(sets.n_places)[:, None] == sets.place
    for r, part in enumerate(by_cell):
        share = part / total
        scarce = np.where(share > _PART, left, 0.0)
        lacking = scarce * sets.person_need[:, :, r, None]
        units[:, :, r], lost[:, :, r] = (
            at_place @ values.sum(axis=2) for values in (lacking, harm * share)
        )
    return _Short(units, lost)


def _unit_prices(plan: ScenarioPlan, solution: TwoStageSolution) -> Floats:
    """Price of one unit more (a day, for supplies) through a period, [S, place, R, T], ≥ 0.

    Of teams, that of having them, beyond what using them costs; a supply used now is not there
    later either.
    """
    sets, rows = plan.template.sets, plan.template.rows
    dual = _row_duals(plan.filled, solution)
    after = np.full_like(rows.own_balance, -1)
    after[:, :, :-1] = rows.own_balance[:, :, 1:]
    supply = sets.lengths_days * (dual[:, rows.cover] + dual[:, after])
    return np.maximum(-np.where(sets.is_team[:, None], dual[:, rows.home], supply), 0.0)


def _row_duals(filled: Filled, solution: TwoStageSolution) -> Floats:
    """Duals by template row, [S, row + 1]; the last entry is 0: what is left out has no price."""
    dual = np.zeros((len(solution.row_dual), len(filled.rows) + 1))
    dual[:, :-1][:, filled.rows] = solution.row_dual
    return dual


def _told(plan: ScenarioPlan, short: _Short) -> Bools:
    """Which lacks are worth a planner's time, bool array [place, R, T]."""
    chance = plan.numbers.need.probability
    share = np.tensordot(chance, short.units > _LEAST, axes=1)
    mean = np.tensordot(chance, short.units, axes=1)
    harm = np.tensordot(chance, short.harm, axes=1)
    counts = harm > _MATTERS * max(float(harm.sum()), 1e-9)
    return np.asarray(counts & ((share >= _OFTEN) | (mean >= _LEAST)), dtype=np.bool_)


def _runs(causes: Sequence[tuple[int, Cause]]) -> Iterator[list[tuple[int, Cause]]]:
    """Put together neighbouring periods with one cause."""
    for _, run in groupby(causes, key=lambda one: replace(one[1], saves_bn_vnd=0.0)):
        yield list(run)


def _merged(
    plan: ScenarioPlan, short: _Short, at: tuple[int, int], run: Sequence[tuple[int, Cause]]
) -> Shortage:
    """Make one shortage of periods with one cause."""
    sets, chance = plan.template.sets, plan.numbers.need.probability
    place, r = at
    periods = [t for t, _ in run]
    units = short.units[:, place, r][:, periods]
    days = sets.lengths_days[periods]
    amount = units.max(axis=1) if sets.is_team[r] else units @ days
    comes = amount > _LEAST
    share = float(chance @ comes)
    return Shortage(
        place=place,
        resource=int(sets.resource[r]),
        first_day=float(sets.edges_days[periods[0]]),
        last_day=float(sets.edges_days[periods[-1] + 1]),
        units=float(chance @ (amount * comes)) / share if share else float(chance @ amount),
        share=share,
        harm_bn_vnd=float(chance @ short.harm[:, place, r][:, periods].sum(axis=1)),
        cause=max((cause for _, cause in run), key=lambda cause: cause.saves_bn_vnd),
    )


# --- why ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Way:
    """A column that could bring more: its price in limits, bn VND a unit of the column.

    Attributes
    ----------
    column : int, of the template
    value : what its units are worth where they go; own : what itself costs
    rows : int array, template rows that it takes from at a price; paid : float array
    at_limit : price of its own upper limit, 0 where that does not bind
    """

    column: int
    value: float
    own: float
    rows: Ints
    paid: Floats
    at_limit: float

    @property
    def lacking(self) -> float:
        """What it would cost too much, bn VND a unit; 0 where the plan uses it."""
        return self.own + float(self.paid.sum()) - self.value

    @property
    def held(self) -> bool:
        """Whether its own limit keeps it from being used more; rounding of a solver does not."""
        return self.at_limit > _PART * self.value


class _Inquiry:
    """Looks for what keeps help away."""

    def __init__(self, plan: ScenarioPlan, solution: TwoStageSolution, short: Floats) -> None:
        self._plan, self._short = plan, short
        filled = plan.filled
        whole = _through(filled)
        self._matrix = (filled.two_stage.program.matrix @ whole).tocsc()
        self._shared = filled.two_stage.shared
        self._duals = solution.row_dual, np.asarray((whole.T @ solution.column_dual.T).T)
        self._row = np.flatnonzero(filled.rows)
        self._tied = np.isin(self._row, _balances(plan.template))
        self._filled = np.full(len(plan.template.program.cost) + 1, -1)
        self._filled[filled.columns] = np.arange(len(filled.columns))
        self._limits = _Limits(plan, solution)

    def cause(self, place: int, r: int, period: int) -> Cause:
        """Say why no more of a resource serves at a place in a period."""
        columns = _bringing(self._plan.template, place, r, period)
        samples = self._short[:, place, r, period] > _LEAST
        ways = self._ways(columns, samples if samples.any() else np.ones_like(samples))
        if not ways:
            return _closed(self._plan, place, r, period)
        worth = [way for way in ways if way.own < way.value]
        if not worth:
            return Cause(Why.DEAR)
        used = [way for way in worth if way.lacking <= _PART * way.value]
        near = used or [min(worth, key=lambda way: way.lacking / way.value)]
        causes = [cause for way in near for cause in self._takes(way, samples)]
        unit = self._unit_cost(r)
        return max(causes, key=lambda cause: _for_money(cause, unit), default=Cause(Why.DEAR))

    def _unit_cost(self, r: int) -> float:
        resource = self._plan.template.sets.resource[r]
        return max(float(self._plan.world.resources.acquire_cost[resource]), 1e-6)

    def _ways(self, columns: Ints, samples: Bools) -> list[_Way]:
        """Open columns with what they take and give, over some samples; first stage: over all."""
        at = self._filled[columns]
        columns, at = columns[at >= 0], at[at >= 0]
        rows, reduced = (self._summed(dual, samples) for dual in self._duals)
        found = []
        for column, here in zip(columns.tolist(), at.tolist(), strict=True):
            shared = int(self._shared[here])
            entries = slice(*self._matrix.indptr[here : here + 2])
            number = self._matrix.indices[entries]
            part = self._matrix.data[entries] * rows[shared][number]
            left = float(reduced[shared][here])
            stays = self._tied[number] & (rows[shared][number] > 0.0)  # running cost, no limit
            pays = (part < 0.0) & ~stays
            own = left + float(part.sum()) - float(part[stays].sum())
            found.append(
                _Way(
                    column, float(part[~pays & ~stays].sum()), own,
                    self._row[number[pays]], -part[pays], max(-left, 0.0),
                )
            )  # fmt: skip
        return found

    @staticmethod
    def _summed(dual: Floats, samples: Bools) -> tuple[Floats, Floats]:
        return dual[samples].sum(axis=0), dual.sum(axis=0)

    def _takes(self, way: _Way, samples: Bools) -> Iterator[Cause]:
        """Name the limits that a way takes from; money leads on to who gives it."""
        least = _PART * way.value
        if way.held:
            yield self._limits.of_column(way.column)
        for row in way.rows[way.paid > least].tolist():
            payers = self._limits.payers(row)
            if payers is None:
                cause = self._limits.of_row(row)
                if cause is not None:
                    yield cause
                continue
            lenders = [w for w in self._ways(payers, samples) if w.lacking <= _PART * w.value]
            told = [cause for one in lenders for cause in self._lends(one)]
            yield from told or filter(None, [self._limits.of_row(row)])

    def _lends(self, way: _Way) -> Iterator[Cause]:
        """Name the limits of money on its way to a place."""
        if way.held:
            yield self._limits.of_column(way.column)
        yield from filter(None, map(self._limits.of_row, way.rows.tolist()))


def _through(filled: Filled) -> csc_array:
    """Put columns that only carry on what others bring into those others, [column, column].

    What is bought or posted changes what a place has, and meets its limits there.
    """
    t, matrix = filled.template, filled.two_stage.program.matrix.tocsr()
    at_row = np.full(len(filled.rows) + 1, -1)
    at_row[:-1][filled.rows] = np.arange(int(filled.rows.sum()))
    at_column = np.full(len(t.program.cost) + 1, -1)
    at_column[filled.columns] = np.arange(len(filled.columns))
    before, made = t.rows.prepared, t.columns.prepare
    rows, columns = (
        at[np.concatenate([block.ravel() for block in blocks])]
        for at, blocks in (
            (at_row, (before.changed, before.stationed)),
            (at_column, (made.change, made.stationed)),
        )
    )
    there = (rows >= 0) & (columns >= 0)
    rows, columns = rows[there], columns[there]
    n, k = len(filled.columns), len(rows)
    carrier = csc_array((np.ones(k), (columns, np.arange(k))), shape=(n, k))
    brought = (carrier.T - matrix[rows]).tocsc()
    return csc_array(eye_array(n, format="csc") + carrier @ brought)


def _for_money(cause: Cause, unit_bn_vnd: float) -> float:
    """Return what a limit saves for a bn VND; units are taken at what new ones cost."""
    return cause.saves_bn_vnd / (1.0 if cause.why in MONEY else unit_bn_vnd)


def _bringing(t: Template, place: int, r: int, period: int) -> Ints:
    """Columns whose units could serve at a place in a period."""
    sets, c = t.sets, t.columns
    to = np.flatnonzero(sets.arc_to == place)
    onward = np.flatnonzero(sets.arc_to[sets.forward] == place)
    ways = [g for g, way in enumerate(sets.goods) if way.resource == r]
    blocks = (
        c.lend[to, r, :, : period + 1], c.forward[onward, r, :, : period + 1],
        c.create[ways, place, :, : period + 1], c.prepare.buy[place, r], c.prepare.post[to, r],
    )  # fmt: skip
    numbers = np.concatenate([np.ravel(block) for block in blocks])
    return numbers[numbers >= 0]


def _closed(plan: ScenarioPlan, place: int, r: int, wanted: int) -> Cause:
    """Say why nothing is open: it comes late, waits for its condition, or does not exist.

    Where something would come in time it is not open because the place has enough of its own: the
    plan sends that elsewhere.
    """
    sets, numbers, world = plan.template.sets, plan.numbers, plan.world
    late: list[tuple[int, str]] = []
    shut: list[str] = []
    to = np.flatnonzero(sets.arc_to == place)
    lent = numbers.arc_period[to].min(initial=sets.n_periods)
    if sets.transfer >= 0 and numbers.own[sets.arc_from[to], r].any():
        _note(late, shut, int(lent), sets.n_periods, world.mechanisms[sets.transfer].name)
    for g, way in enumerate(sets.goods):
        if way.resource == r and min(numbers.goods_left[g], numbers.goods_place_left[g, place]) > 0:
            first = int(numbers.goods_period[g, place].min())
            _note(late, shut, first, sets.n_periods, world.mechanisms[way.mechanism].name)
    if late:
        period, name = min(late)
        if period <= wanted:
            own = float(numbers.own[place, r])
            return Cause(Why.AWAY, "", world.nodes.name[place], own)
        return Cause(Why.LATE, name, limit=float(sets.edges_days[period]))
    return Cause(Why.TRIGGER, min(shut)) if shut else Cause(Why.NOBODY)


def _note(late: list[tuple[int, str]], shut: list[str], first: int, never: int, name: str) -> None:
    if first < never:
        late.append((first, name))
    else:
        shut.append(name)


# --- limits ---------------------------------------------------------------------------------


class _Limits:
    """Names rows and bounds as a planner does, with what a little more of each saves."""

    def __init__(self, plan: ScenarioPlan, solution: TwoStageSolution) -> None:
        self._plan, self._world, t = plan, plan.world, plan.template
        price = np.maximum(-_row_duals(plan.filled, solution).sum(axis=0), 0.0)
        bound = np.zeros(len(t.program.cost) + 1)
        bound[plan.filled.columns] = np.maximum(-solution.column_dual.sum(axis=0), 0.0)
        self._price, self._bound = price, bound
        self._floor = np.zeros(len(bound))
        self._floor[plan.filled.columns] = np.maximum(solution.column_dual.sum(axis=0), 0.0)
        self._fund = fund_prices(plan, price, bound).sum(axis=1)
        self._family = _families(t)

    def payers(self, row: int) -> Ints | None:
        """Columns that bring the money of a row that only passes it on; None: it is a limit."""
        t, (why, at) = self._plan.template, self._family.get(row, ("", ()))
        if why == "paid":
            return _there(t.columns.prepare.pay[:, at[0], at[1]])
        if why is Why.ACCOUNT:
            return _there(t.columns.draw[:, at[0]])
        return None

    def of_column(self, column: int) -> Cause:
        """Name the upper limit of a column: the ceiling or stock that it comes from."""
        t = self._plan.template
        c, sets, numbers = t.columns, t.sets, self._plan.numbers
        if (at := _where(c.draw, column)) is not None:
            mechanism, fund = sets.draws[at[0]].mechanism, t.charges.draw_fund[at[0], at[1]]
            if numbers.fund_open[fund, at[2]] < numbers.draw_ceiling[at[0]]:
                return self._of_fund(int(fund))
            name, ceiling = self._world.mechanisms[mechanism].name, numbers.draw_ceiling[at[0]]
            return Cause(Why.DRAW, name, "", float(ceiling), float(self._bound[column]))
        if (at := _where(c.create, column)) is not None:
            return self._of_supply(at[0], at[1])
        if (at := _where(c.lend, column)) is not None:
            return self._of_donor(int(sets.arc_from[at[0]]), at[1])
        if (at := _where(c.prepare.post, column)) is not None:
            return self._of_posting(int(sets.arc_from[at[0]]), at[1])
        arcs = sets.forward if (at := _where(c.forward, column)) is not None else None
        assert arcs is not None and at is not None, "no other column has a limit that binds"
        saves = float(self._bound[column])
        return self._of_home(int(sets.arc_from[arcs[at[0]]]), at[1], saves)

    def of_row(self, row: int) -> Cause | None:
        """Name the limit that a row is; None for rows that only tie columns together."""
        why, at = self._family.get(row, ("", ()))
        saves = float(self._price[row])
        match why:
            case Why.FUND:
                return self._of_fund(at[0])
            case Why.ACCOUNT:
                return self._of_fund(int(self._plan.template.charges.account[at[0]]))
            case Why.DONOR:
                return self._of_donor(at[0], at[1])
            case Why.HOME:
                first = self._plan.template.rows.own_balance[at[0], at[1], 0]
                return self._of_home(at[0], at[1], float(self._price[first]))
            case Why.SUPPLY:
                return self._of_supply(at[0], -1)
            case Why.PLACE_SUPPLY:
                return self._of_supply(at[0], at[1])
            case Why.READY:
                made = self._of_supply(at[0], at[1])
                return replace(made, why=Why.READY, saves_bn_vnd=saves)
            case "" | "paid":
                return None
            case Why.POSTED:
                return self._of_posting(*at)
        return self._of_preparation(Why(why), at, saves)

    def _of_fund(self, fund: int) -> Cause:
        chosen = self._world.funds[fund]
        owner = "" if chosen.place is None else self._world.nodes.name[chosen.place]
        why = Why.ACCOUNT if chosen.kind == "account" else Why.FUND
        there = float(self._plan.numbers.fund_open[fund].max())
        return Cause(why, chosen.kind, owner, there, float(self._fund[fund]))

    def _of_donor(self, place: int, r: int) -> Cause:
        """Price what a place may lend, where its row and where the bounds of loans hold it."""
        t, limit = self._plan.template, self._plan.numbers.lendable[place, r]
        away = t.sets.arc_from == place
        saves = self._price[t.rows.lend[place, r]].sum()
        if t.problem.preparing is None:  # else loans have no bounds of their own
            saves += self._bound[t.columns.lend[away, r]].sum()
        where = self._world.nodes.name[place]
        return Cause(Why.DONOR, self._resource(r), where, float(limit.max()), float(saves))

    def _of_home(self, place: int, r: int, saves: float) -> Cause:
        there = float(self._plan.numbers.own[place, r])
        return Cause(Why.HOME, self._resource(r), self._world.nodes.name[place], there, saves)

    def _of_supply(self, g: int, place: int) -> Cause:
        """Price a ceiling, where its row and where the bounds of single orders hold it."""
        t, numbers = self._plan.template, self._plan.numbers
        name = self._world.mechanisms[t.sets.goods[g].mechanism].name
        each, left = numbers.goods_place_left[g], float(numbers.goods_left[g])
        bound = self._bound[t.columns.create[g]].sum(axis=(1, 2))
        if place >= 0 and each[place] < left:
            saves = self._price[t.rows.place_supply[g, place]] + bound[place]
            where = self._world.nodes.name[place]
            return Cause(Why.PLACE_SUPPLY, name, where, float(each[place]), float(saves))
        saves = self._price[t.rows.supply[g]] + bound[each >= left].sum()
        return Cause(Why.SUPPLY, name, "", left, float(saves))

    def _of_preparation(self, why: Why, at: tuple[int, ...], saves: float) -> Cause:
        terms, names = self._plan.template.problem.preparing, self._world.nodes.name
        assert terms is not None
        if why is Why.SOURCE:
            source = terms.sources[at[0]]
            return Cause(why, source.name, "", source.amount_bn_vnd, saves)
        if why is Why.GUIDANCE:
            return Cause(why, self._resource(at[0]), "", 0.0, saves)
        limit = float(terms.depot_capacity[at[0]])
        if why is Why.PLACE_SHARE:
            limit = terms.place_share_at_most * terms.money_bn_vnd
        return Cause(why, "", names[at[0]], limit, saves)

    def _of_posting(self, place: int, r: int) -> Cause:
        """Price what a place may post elsewhere, held by its row or by what may leave its stock."""
        t = self._plan.template
        terms = t.problem.preparing
        assert terms is not None
        saves = self._price[t.rows.prepared.posted[place, r]]
        saves += self._floor[t.columns.prepare.change[place, r]]
        limit, where = terms.post_share * terms.stock[place, r], self._world.nodes.name[place]
        return Cause(Why.POSTED, self._resource(r), where, float(limit), float(saves))

    def _resource(self, r: int) -> str:
        return self._world.resources.name[int(self._plan.template.sets.resource[r])]


def _families(t: Template) -> dict[int, tuple[Why | str, tuple[int, ...]]]:
    """Template row → what kind of limit it is and of what."""
    rows, before = t.rows, t.rows.prepared
    blocks: tuple[tuple[Why | str, Ints], ...] = (
        (Why.FUND, rows.fund), (Why.ACCOUNT, rows.account), (Why.DONOR, rows.lend),
        (Why.HOME, rows.own_balance), (Why.HOME, rows.guest_balance),
        (Why.SUPPLY, rows.supply), (Why.PLACE_SUPPLY, rows.place_supply),
        (Why.SOURCE, before.source), (Why.PLACE_SHARE, before.place_share),
        (Why.GUIDANCE, before.at_most), (Why.GUIDANCE, before.at_least),
        (Why.CAPACITY, before.capacity), (Why.POSTED, before.posted), (Why.READY, before.ready),
        ("paid", before.paid),
    )  # fmt: skip
    return {
        int(block[at]): (why, tuple(map(int, at)))
        for why, block in blocks
        for at in np.ndindex(*block.shape)
        if block[at] >= 0
    }


def _balances(t: Template) -> Ints:
    return np.concatenate((t.rows.own_balance.ravel(), t.rows.guest_balance.ravel()))


def _there(block: Ints) -> Ints:
    return block[block >= 0]


def _where(block: Ints, column: int) -> tuple[int, ...] | None:
    found = np.argwhere(block == column)
    return tuple(map(int, found[0])) if len(found) else None
