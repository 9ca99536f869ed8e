"""Capacitated warehouse location written as a planning problem, and solved as one.

Warehouses and customers are places. Before day 0 a warehouse may open a depot and buy units at
price 0; they are lent along arcs to customers, who need them on the next day. A customer without
demand still has to be somebody's: it needs one unit of a second resource that takes no room.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from reading import Instance

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.numbers import Need, Numbers
from nts_sim.planning.problem import Charges, Preparing, Problem, Sets, Source
from nts_sim.planning.solve import Highs, Solution, Status
from nts_sim.planning.template import template_of
from nts_sim.world.model import Floats, Ints

GAP = 1e-9
TIED = 30
"""Of 100 warehouses and 1000 customers, tying 30 arcs each brings the bound within 0.1 % of what
tying all of them does, in a quarter of the time."""
_SERVED = 1e-6
_HARMS = 4


@dataclass(frozen=True, slots=True)
class Result:
    """What one instance came to; `gap` is relative to the objective."""

    objective: float
    status: Status
    gap: float


@dataclass(frozen=True, eq=False)
class _Lanes:
    """Places, arcs and amounts; a warehouse's place is its number, customers follow.

    Attributes
    ----------
    units : float array [customer], units needed; kind : int array [customer], which resource
    source, to : int array [arc]; rate : float array [arc], cost per unit
    """

    units: Floats
    kind: Ints
    source: Ints
    to: Ints
    rate: Floats

    @property
    def n_kinds(self) -> int:
        return int(self.kind.max()) + 1

    def by_kind(self, values: Floats) -> Floats:
        """Put values of arcs with the resource that the arc's customer needs, [arc, R]."""
        kind = np.tile(self.kind, len(values) // len(self.kind))
        return np.where(kind[:, None] == np.arange(self.n_kinds), values[:, None], 0.0)


def _lanes(instance: Instance) -> _Lanes:
    n, m = instance.cost.shape
    units = np.where(instance.demand > 0.0, instance.demand, 1.0)
    return _Lanes(
        units=units,
        kind=(instance.demand == 0.0).astype(np.int64),
        source=np.repeat(np.arange(m), n),
        to=np.tile(m + np.arange(n), m),
        rate=(instance.cost / units[:, None]).T.ravel(),
    )


def problem_of(instance: Instance, *, tied: int = TIED) -> Problem:
    """Write the instance in sets and prices.

    Parameters
    ----------
    tied : arcs to each customer, cheapest first, of which it is said one by one that they need a
        depot at their source. Room says so of all, but customers without demand take none: their
        arcs are all tied
    """
    lanes = _lanes(instance)
    sets = _sets(instance, lanes)
    return Problem(sets, _charges(sets, lanes), _preparing(instance, sets, lanes, tied))


def _sets(instance: Instance, lanes: _Lanes) -> Sets:
    n, m = instance.cost.shape
    kinds = np.arange(lanes.n_kinds)
    needed = (lanes.kind[:, None] == kinds).astype(np.float64)
    return Sets(
        edges_days=np.array([0.0, 1.0, 2.0]),
        departure=np.array([0]),
        cell=np.arange(n),
        place=m + np.arange(n),
        resource=kinds,
        is_team=np.zeros(len(kinds), np.bool_),
        whole=np.zeros(len(kinds), np.bool_),
        person_need=np.repeat(needed[:, None], 3, axis=1),
        persons=np.repeat(lanes.units[:, None], 3, axis=1),
        arc_from=lanes.source,
        arc_to=lanes.to,
        near=np.ones(len(lanes.source), np.bool_),
        forward=np.zeros(0, np.int64),
        goods=(),
        draws=(),
        transfer=0,
        transfer_days=0.0,
        n_places=m + n,
    )


def _charges(sets: Sets, lanes: _Lanes) -> Charges:
    n, n_arcs = sets.n_places, len(sets.arc_from)
    return Charges(
        run=np.zeros(len(sets.resource)),
        arc=lanes.by_kind(lanes.rate),
        goods=np.zeros((0, n)),
        arc_fund=np.full(n_arcs, -1),
        goods_fund=np.zeros((0, n), np.int64),
        draw_fund=np.zeros((0, n), np.int64),
        arc_allowed=np.ones(n_arcs, np.bool_),
        goods_allowed=np.zeros((0, n), np.bool_),
        account=np.full(n, -1),
        n_funds=0,
        signature=0.0,
        lender_units=np.ones((n_arcs, len(sets.resource))),
    )


def _preparing(instance: Instance, sets: Sets, lanes: _Lanes, tied: int) -> Preparing:
    n, m = instance.cost.shape
    shape = (m + n, lanes.n_kinds)
    rank = np.argsort(np.argsort(instance.cost, axis=1, kind="stable"), axis=1, kind="stable")
    loose = (tied <= rank.T) & (instance.demand > 0.0)
    most = lanes.by_kind(np.where(loose, np.inf, lanes.units).ravel())
    # A site without room still takes customers without demand.
    room = np.where(instance.capacity > 0.0, instance.capacity, 1e-300)
    return Preparing(
        stock=np.zeros(shape),
        buy=np.concatenate((np.zeros((m, shape[1])), np.full((n, shape[1]), np.inf))),
        post=np.full((m * n, shape[1]), np.inf),
        post_share=0.0,
        depot_cost=np.concatenate((instance.fixed_cost, np.zeros(n))),
        depot_capacity=np.concatenate((room, np.zeros(n))),
        volume=np.array([1.0, 0.0])[: shape[1]],
        lend_share=1.0,
        sources=(Source("all", float(instance.fixed_cost.sum()) + 1.0),),
        goods_limit=np.zeros((0, m + n)),
        from_depot=most,
    )


def numbers_of(instance: Instance, harm: float) -> Numbers:
    """Return the need of each customer, a unit not served doing so much harm."""
    n, m = instance.cost.shape
    lanes = _lanes(instance)
    persons = np.zeros((1, n, 3, 2))
    persons[0, :, 0, 1] = lanes.units
    nothing = np.zeros((m + n, lanes.n_kinds))
    flow = np.zeros((*nothing.shape, 2))
    worth = np.where(persons > 0.0, harm, 0.0)
    return Numbers(
        need=Need(np.ones(1), persons, worth, (persons * worth).sum(axis=(1, 2, 3))),
        own=nothing,
        guest=nothing,
        own_inflow=flow,
        guest_inflow=flow,
        lendable=nothing[:, :, None],
        arc_period=np.ones((m * n, 1), np.int64),
        goods_period=np.zeros((0, m + n, 1), np.int64),
        goods_left=np.zeros(0),
        goods_place_left=np.zeros((0, m + n)),
        draw_period=np.zeros((0, m + n, 1), np.int64),
        draw_ceiling=np.zeros(0),
        fund_open=np.zeros((0, 1)),
        credit_due=np.zeros((m + n, 1)),
    )


def solve(instance: Instance, time_limit_s: float) -> Result:
    """Solve an instance to proven optimality, or to a certified gap in the time given.

    Serving is worth so much that all are served. Whatever it is worth, the planning problem
    allows more than the published one does, so its bound holds; and where its plan serves all, the
    plan is one of the published problem's. Where it does not, serving is made worth more.

    Raises
    ------
    NoAcceptableSolution
    """
    if instance.capacity.sum() < instance.demand.sum() * (1.0 - 1e-12):
        raise NoAcceptableSolution(
            f"all warehouses together hold {instance.capacity.sum():g}, less than the "
            f"{instance.demand.sum():g} that customers need"
        )
    deadline, harm = time.perf_counter() + time_limit_s, _harm(instance)
    for _ in range(_HARMS):
        filled, found = _planned(instance, harm, deadline)
        if _all_served(filled, found.x):
            return _result(filled, found)
        harm *= 100.0
    raise NoAcceptableSolution("no plan is found that serves everybody")


def _planned(instance: Instance, harm: float, deadline: float) -> tuple[Filled, Solution]:
    """Search from a first plan, with every arc tied to its depot; return the best and its bound.

    The first plan opens what the relaxation without these ties opens in part: both are found at
    once, also where one search of the tied problem takes minutes.
    """
    numbers, highs = numbers_of(instance, harm), Highs(gap=GAP)
    loose = fill(template_of(problem_of(instance, tied=0)), numbers)
    program = loose.two_stage.sample(0)
    relaxed = highs.solve(program.relaxed(), loose.start)
    opened = program.with_integers_fixed(np.ceil(relaxed.x - 1e-6))
    first = highs.solve(opened, loose.start)
    filled = fill(template_of(problem_of(instance)), numbers)
    left_s = max(0.0, deadline - time.perf_counter())
    found = highs.solve(filled.two_stage.sample(0), None, first.x, left_s)
    final = highs.solve(program.with_integers_fixed(found.x), loose.start)
    best = final if final.objective < first.objective else first
    return filled, replace(best, bound=max(found.bound, relaxed.bound), status=found.status)


def _harm(instance: Instance) -> float:
    """Twice what opening one more warehouse and the dearest arc cost, by unit."""
    lanes = _lanes(instance)
    return 2.0 * (instance.fixed_cost.max() / lanes.units.min() + lanes.rate.max() + 1.0)


def _all_served(filled: Filled, x: Floats) -> bool:
    persons = filled.numbers.need.persons[0]
    served = _of_template(filled, x)[filled.template.columns.served]
    return bool(np.all(served >= persons - _SERVED * np.maximum(1.0, persons)))


def _result(filled: Filled, found: Solution) -> Result:
    """Judge a plan that serves all by what it costs and the bound."""
    template = filled.template
    objective = float((template.program.cost - template.surcharge) @ _of_template(filled, found.x))
    gap = max(0.0, objective - found.bound) / max(abs(objective), 1e-12)
    return Result(objective, Status.OPTIMAL if gap <= GAP else found.status, gap)


def _of_template(filled: Filled, x: Floats) -> Floats:
    every = np.zeros(len(filled.template.program.cost))
    every[filled.columns] = x
    return every
