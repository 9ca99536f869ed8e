"""Capacitated warehouse location written as a planning problem, and solved as one.

Warehouses and customers are places. Before day 0 a warehouse may open a depot and buy units at
price 0; they are lent along arcs to customers, who need them on the next day. A customer without
demand still has to be somebody's: it needs one unit of a second resource that takes no room.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.filling import fill
from nts_sim.planning.numbers import Need, Numbers
from nts_sim.planning.plan import Plan, read_plan
from nts_sim.planning.problem import Charges, Preparing, Problem, Sets, Source
from nts_sim.planning.solve import Highs, Status
from nts_sim.planning.template import template_of
from nts_sim.planning.twostage import Risk, solve_two_stage
from nts_sim.world.model import Floats, Ints
from reading import Instance

GAP = 1e-9
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


def problem_of(instance: Instance, *, from_depot: bool = True) -> Problem:
    """Write the instance in sets and prices.

    Parameters
    ----------
    from_depot : say of every arc, and not only of capacities, that it needs a depot; customers
        without demand need it to be said
    """
    lanes = _lanes(instance)
    sets = _sets(instance, lanes)
    return Problem(sets, _charges(sets, lanes), _preparing(instance, sets, lanes, from_depot))


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


def _preparing(instance: Instance, sets: Sets, lanes: _Lanes, from_depot: bool) -> Preparing:
    n, m = instance.cost.shape
    shape = (m + n, lanes.n_kinds)
    most = lanes.by_kind(np.tile(lanes.units, m))
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
        from_depot=most if from_depot else None,
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


def solve(instance: Instance, time_limit_s: float, *, from_depot: bool = True) -> Result:
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
    template = template_of(problem_of(instance, from_depot=from_depot))
    deadline, harm = time.perf_counter() + time_limit_s, _harm(instance)
    for _ in range(_HARMS):
        filled = fill(template, numbers_of(instance, harm))
        left = max(0.0, deadline - time.perf_counter())
        solution = solve_two_stage(filled.two_stage, Risk(), Highs(left, GAP), start=filled.start)
        plan = read_plan(filled, solution)
        if _all_served(plan):
            return _result(plan)
        harm *= 100.0
    raise NoAcceptableSolution("no plan is found that serves everybody")


def _harm(instance: Instance) -> float:
    """Twice what opening one more warehouse and the dearest arc cost, by unit."""
    lanes = _lanes(instance)
    return 2.0 * (instance.fixed_cost.max() / lanes.units.min() + lanes.rate.max() + 1.0)


def _all_served(plan: Plan) -> bool:
    persons = plan.numbers.need.persons
    return bool(np.all(plan.served >= persons - _SERVED * np.maximum(1.0, persons)))


def _result(plan: Plan) -> Result:
    """Judge a plan that serves all by its own cost and the bound."""
    objective = float(plan.cost_bn_vnd[0])
    gap = max(0.0, objective - plan.solution.bound) / max(abs(objective), 1e-12)
    return Result(objective, plan.solution.status, gap)
