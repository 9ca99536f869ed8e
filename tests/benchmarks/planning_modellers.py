"""Building and solving one model in other modellers: linopy and Pyomo, both with HiGHS.

Depots buy before needs are known and ship to places after: one block in PuLP, stacked by samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from nts_sim.planning.modelling import Model, Sense
from nts_sim.planning.risk import Risk
from nts_sim.planning.solve import Highs
from nts_sim.planning.stages import TwoStage
from nts_sim.planning.twostage import solve_two_stage
from nts_sim.world.model import Floats
from tests.benchmarks.case import Case, Side, Sides, Size, timed
from tests.benchmarks.planning_direct import near

BUY = 1.0
SHORT = 10.0
"""Cost of a unit bought, and of a unit of need not met."""


@dataclass(frozen=True, eq=False)
class Transport:
    """Minimise buying + mean (shipping + shortage).

    Attributes
    ----------
    cost : float array [depot, place], of a unit shipped
    capacity : float array [depot]
    need : float array [S, place]
    """

    cost: Floats
    capacity: Floats
    need: Floats

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return len(self.need)


def transport(size: Size) -> Transport:
    """Make 34 depots and 34 places in a plane, and 50 samples of need."""
    n, n_samples = (34, 50) if size == "full" else (5, 4)
    rng = np.random.default_rng(3)
    at = rng.random((2, n, 2))
    cost = np.hypot(*(at[0][:, None] - at[1]).transpose(2, 0, 1))
    need = rng.uniform(0.0, 100.0, (n_samples, n)) * (rng.random((n_samples, n)) < 0.4)
    return Transport(cost, rng.uniform(40.0, 80.0, n), need)


def ours(t: Transport) -> float:
    """One sample's block in PuLP, all samples stacked, HiGHS from our handle."""
    model, n = Model(), len(t.capacity)
    every, here = np.ones(n, np.bool_), np.ones(t.need.shape[1], np.bool_)
    buy = model.columns(every, BUY, upper=t.capacity)
    ship = model.columns(np.ones(t.cost.shape, np.bool_), t.cost, upper=np.inf)
    short = model.columns(here, SHORT, upper=np.inf)
    sent, met = model.rows(every, Sense.AT_MOST), model.rows(here, Sense.AT_LEAST, 1.0)
    model.add(sent[:, None], ship, 1.0)
    model.add(sent, buy, -1.0)
    model.add(met, ship, 1.0)
    model.add(met, short, 1.0)
    program = model.export()
    shared = np.zeros(len(program.cost), np.bool_)
    shared[buy] = True
    row_lower = np.tile(program.row_lower, (t.n_samples, 1))
    row_lower[:, met] = t.need
    problem = TwoStage(
        program=program, shared=shared, probability=np.full(t.n_samples, 1.0 / t.n_samples),
        cost=np.tile(np.where(shared, 0.0, program.cost), (t.n_samples, 1)),
        lower=np.tile(program.lower, (t.n_samples, 1)),
        upper=np.tile(program.upper, (t.n_samples, 1)), row_lower=row_lower,
        row_upper=np.tile(program.row_upper, (t.n_samples, 1)), offset=np.zeros(t.n_samples),
    )  # fmt: skip
    return solve_two_stage(problem, Risk(), Highs(), how="deterministic equivalent").objective


def by_linopy(t: Transport) -> float:
    """Write it as labelled arrays."""
    import linopy
    import xarray

    model = linopy.Model()
    sample, depot, place = (np.arange(k) for k in (*t.need.shape[:1], *t.cost.shape))
    capacity = xarray.DataArray(t.capacity, [("depot", depot)])
    need = xarray.DataArray(t.need, [("sample", sample), ("place", place)])
    cost = xarray.DataArray(t.cost, [("depot", depot), ("place", place)])
    buy = model.add_variables(lower=0.0, upper=capacity, name="buy")
    coords = [("sample", sample), ("depot", depot), ("place", place)]
    ship = model.add_variables(
        lower=xarray.DataArray(np.zeros([len(part) for _, part in coords]), coords), name="ship"
    )
    short = model.add_variables(lower=0.0 * need, name="short")
    model.add_constraints(ship.sum("place") - buy <= 0.0, name="sent")
    model.add_constraints(ship.sum("depot") + short >= need, name="met")
    weight = 1.0 / t.n_samples
    model.add_objective(
        BUY * buy.sum() + weight * (cost * ship).sum() + weight * SHORT * short.sum()
    )
    model.solve(solver_name="highs", io_api="direct", threads=1, output_flag=False)
    return float(model.objective.value)


def by_pyomo(t: Transport) -> float:
    """Write it with sets and rules."""
    import pyomo.environ as pyo

    m, cost, need = pyo.ConcreteModel(), t.cost.tolist(), t.need.tolist()
    m.sample, m.depot, m.place = (pyo.RangeSet(0, k - 1) for k in (t.n_samples, *t.cost.shape))
    m.buy = pyo.Var(m.depot, bounds=lambda _m, i: (0.0, float(t.capacity[i])))
    m.ship = pyo.Var(m.sample, m.depot, m.place, domain=pyo.NonNegativeReals)
    m.short = pyo.Var(m.sample, m.place, domain=pyo.NonNegativeReals)
    m.sent = pyo.Constraint(
        m.sample, m.depot,
        rule=lambda m, s, i: sum(m.ship[s, i, j] for j in m.place) <= m.buy[i],
    )  # fmt: skip
    m.met = pyo.Constraint(
        m.sample, m.place,
        rule=lambda m, s, j: sum(m.ship[s, i, j] for i in m.depot) + m.short[s, j] >= need[s][j],
    )  # fmt: skip
    shipping = sum(cost[i][j] * m.ship[s, i, j] for s in m.sample for i in m.depot for j in m.place)
    shortage = SHORT * sum(m.short[s, j] for s in m.sample for j in m.place)
    m.total = pyo.Objective(
        expr=BUY * sum(m.buy[i] for i in m.depot) + (shipping + shortage) * (1.0 / t.n_samples)
    )
    solver = pyo.SolverFactory("appsi_highs")
    solver.options = {"threads": 1}
    solver.solve(m)
    return float(pyo.value(m.total))


def _side(build: Callable[[Transport], float], t: Transport) -> Side:
    return timed(lambda _number: build(t), lambda _cost: t.n_samples, lambda cost: (cost,))


def _against(other: Callable[[Transport], float], size: Size) -> Sides:
    made = transport(size)
    return Sides(_side(ours, made), _side(other, made), same=near(1e-6))


CASES = tuple(
    Case(
        name, "34 depots, 34 places, 50 samples: build and solve", "PuLP, stacked, our handle",
        told, 1.0, "at least", partial(_against, other), amount="samples", needs=(name, "highspy"),
    )
    for name, told, other in (
        ("linopy", "linopy, HiGHS", by_linopy), ("pyomo", "Pyomo, HiGHS", by_pyomo),
    )
)  # fmt: skip
