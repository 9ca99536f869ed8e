"""Planning problems of a few places, written in sets and prices without a world."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.numbers import Need, Numbers
from nts_sim.planning.plan import Plan, read_plan
from nts_sim.planning.problem import Charges, Goods, Preparing, Problem, Sets, Source
from nts_sim.planning.solve import Highs
from nts_sim.planning.template import template_of
from nts_sim.planning.twostage import Risk, solve_two_stage


@dataclass
class Tiny:
    """One cell a place, one severity; orders at day 0 only, unless `departure` says more.

    `need` is float array [S, place, T], persons; a person needs `per_person[r]` of each resource.
    """

    need: np.ndarray
    worth: float | np.ndarray = 1.0
    is_team: tuple[bool, ...] = (True,)
    per_person: tuple[float, ...] = (1.0,)
    run: tuple[float, ...] | None = None
    own: np.ndarray | None = None
    arcs: tuple[tuple[int, int], ...] = ()
    arc_cost: float | np.ndarray = 0.0
    arc_period: int | np.ndarray = 1
    lendable: np.ndarray | float = 0.0
    lender: bool = True
    departure: tuple[int, ...] = (0,)
    probability: tuple[float, ...] | None = None
    goods: tuple[Goods, ...] = ()
    goods_cost: float = 0.0
    goods_left: float = np.inf
    goods_place_left: float = np.inf
    prepare: dict | None = field(default_factory=dict)

    @property
    def n_places(self) -> int:
        return self.need.shape[1]

    @property
    def n_periods(self) -> int:
        return self.need.shape[2]

    def problem(self) -> Problem:
        n, n_r, arcs = self.n_places, len(self.is_team), len(self.arcs)
        ends = np.array(self.arcs, dtype=np.int64).reshape(arcs, 2)
        sets = Sets(
            edges_days=np.arange(self.n_periods + 1.0),
            departure=np.array(self.departure),
            cell=np.arange(n),
            place=np.arange(n),
            resource=np.arange(n_r),
            is_team=np.array(self.is_team),
            whole=np.ones(n_r, np.bool_),
            person_need=np.tile(np.array(self.per_person), (n, 3, 1)),
            persons=np.ones((n, 3)),
            arc_from=ends[:, 0],
            arc_to=ends[:, 1],
            near=np.ones(arcs, np.bool_),
            forward=np.zeros(0, np.int64),
            goods=self.goods,
            draws=(),
            transfer=0 if self.lender else -1,
            transfer_days=0.0,
            n_places=n,
        )
        run = np.zeros(n_r) if self.run is None else np.array(self.run)
        charges = Charges(
            run=run,
            arc=np.broadcast_to(self.arc_cost, (arcs, n_r)).astype(float),
            goods=np.full((len(self.goods), n), self.goods_cost),
            arc_fund=np.full(arcs, -1),
            goods_fund=np.full((len(self.goods), n), -1),
            draw_fund=np.zeros((0, n), np.int64),
            arc_allowed=np.ones(arcs, np.bool_),
            goods_allowed=np.ones((len(self.goods), n), np.bool_),
            account=np.full(n, -1),
            n_funds=0,
            signature=0.0,
            lender_units=np.ones((arcs, n_r)),
        )
        preparing = None if self.prepare is None else self._preparing(arcs)
        return Problem(sets, charges, preparing)

    def _preparing(self, arcs: int) -> Preparing:
        n, n_r = self.n_places, len(self.is_team)
        given = {
            "stock": self._own(),
            "buy": np.full((n, n_r), np.inf),
            "post": np.full((arcs, n_r), np.inf),
            "post_share": 1.0,
            "depot_cost": np.zeros(n),
            "depot_capacity": np.zeros(n),
            "volume": np.zeros(n_r),
            "lend_share": 1.0,
            "sources": (Source("all", 1e6),),
            "goods_limit": np.full((len(self.goods), n), 1e3),
        }
        return Preparing(**{**given, **self.prepare})

    def _own(self) -> np.ndarray:
        shape = (self.n_places, len(self.is_team))
        return np.zeros(shape) if self.own is None else np.asarray(self.own, float).reshape(shape)

    def numbers(self) -> Numbers:
        n, n_r, t, d = self.n_places, len(self.is_team), self.n_periods, len(self.departure)
        s = len(self.need)
        persons = np.zeros((s, n, 3, t))
        persons[:, :, 0] = self.need
        worth = np.zeros_like(persons)
        worth[:, :, 0] = self.worth  # one number, or [S, place, T]
        chance = np.full(s, 1.0 / s) if self.probability is None else np.array(self.probability)
        harm = (persons * worth).sum(axis=(1, 2, 3))
        flow, g = np.zeros((n, n_r, t)), len(self.goods)
        lendable = np.broadcast_to(self.lendable, (n, n_r)).astype(float)
        return Numbers(
            need=Need(chance, persons, worth, harm),
            own=self._own(),
            guest=np.zeros((n, n_r)),
            own_inflow=flow,
            guest_inflow=flow,
            lendable=np.repeat(lendable[:, :, None], d, axis=2),
            arc_period=np.broadcast_to(self.arc_period, (len(self.arcs), d)).astype(np.int64),
            goods_period=np.ones((g, n, d), np.int64),
            goods_left=np.full(g, self.goods_left),
            goods_place_left=np.full((g, n), self.goods_place_left),
            draw_period=np.zeros((0, n, d), np.int64),
            draw_ceiling=np.zeros(0),
            fund_open=np.zeros((0, d)),
            credit_due=np.zeros((n, d)),
        )

    def filled(self) -> Filled:
        return fill(template_of(self.problem()), self.numbers())

    def plan(self, risk: Risk | None = None) -> Plan:
        filled = self.filled()
        risk = Risk() if risk is None else risk
        solution = solve_two_stage(filled.two_stage, risk, Highs(30.0, 1e-9), gap=1e-9)
        return read_plan(filled, solution)
