"""Two-stage plans: PuLP against bare arrays, warm against anew, cuts against one program.

The instance is written in sets and prices: places in a plane that buy two resources before needs
are known and lend them to near places after. The time of a planning problem of the country at this
size goes to its solve; its template, built once for all epochs, is in the other planning cases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from unittest.mock import patch

import numpy as np

from nts_sim.planning.equivalent import deterministic_equivalent, tiled
from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.linear import LinearProgram
from nts_sim.planning.modelling import Model, Sense
from nts_sim.planning.problem import Source
from nts_sim.planning.risk import Risk
from nts_sim.planning.solve import Highs
from nts_sim.planning.template import template_of
from nts_sim.planning.twostage import How, solve_two_stage
from nts_sim.world.model import Floats
from tests.benchmarks.case import Case, Sample, Side, Sides, Size, timed
from tests.benchmarks.planning_direct import (
    arrays_of,
    near,
    objective_of,
    solved_directly,
)
from tests.planning.tiny import Tiny

MEAN = Risk()
CHANGES = 10
"""Programs solved one after the other in a warm round."""


def depots(n_places: int, n_samples: int, *, fixed_cost: float = 0.0, seed: int = 0) -> Tiny:
    """Make places in a plane, a few of which are hit in each sample, with depots to be bought for.

    Parameters
    ----------
    fixed_cost : of a depot; 0: none is needed
    """
    rng = np.random.default_rng(seed)
    at = rng.random((n_places, 2))
    days = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1)) * 2.0
    near_first = np.argsort(days, axis=0, kind="stable")[1 : min(9, n_places)]
    arcs = tuple((int(i), j) for j in range(n_places) for i in near_first[:, j])
    long = np.array([days[arc] for arc in arcs])
    centre = at[rng.integers(0, n_places, n_samples)]
    hit = np.exp(-12.0 * ((at[None] - centre[:, None]) ** 2).sum(axis=2))
    need = hit[:, :, None] * rng.uniform(50.0, 200.0, (n_samples, n_places, 4))
    own = rng.uniform(5.0, 20.0, (n_places, 2))
    return Tiny(
        need=need, worth=2.0, is_team=(True, False), per_person=(0.5, 1.0), run=(0.05, 0.0),
        own=own, arcs=arcs, arc_cost=0.1 + np.repeat(long[:, None], 2, axis=1) * 0.2,
        arc_period=np.repeat(1 + (long[:, None] > 0.4), 2, axis=1) + np.array([0, 1]),
        lendable=own * 0.5, departure=(0, 1),
        prepare={
            "buy": np.full((n_places, 2), 0.8), "volume": np.array([1.0, 1.0]),
            "sources": (Source("all", 15.0 * n_places),), "lend_share": 0.7,
            "depot_cost": np.full(n_places, fixed_cost),
            "depot_capacity": np.full(n_places, 60.0 if fixed_cost else 0.0),
            **({} if fixed_cost else {"volume": np.zeros(2)}),
        },
    )  # fmt: skip


@dataclass(frozen=True)
class _Plan:
    """What a side came to."""

    objective: float
    size: int
    gap: float = 0.0


def _planned(filled: Filled, how: How, gap: float = 1e-3, limit_s: float = 60.0) -> _Plan:
    made = solve_two_stage(
        filled.two_stage, MEAN, Highs(limit_s, gap), start=filled.start, gap=gap, how=how
    )
    return _Plan(made.objective, len(made.x), made.gap)


def _side(run: Callable[[int], _Plan]) -> Side:
    return timed(run, lambda plan: plan.size, lambda plan: (plan.objective,))


# --- PuLP against arrays ------------------------------------------------------------------------


def _by_pulp(problem: Tiny, _number: int) -> _Plan:
    filled = fill(template_of.__wrapped__(problem.problem()), problem.numbers())
    return _planned(filled, "deterministic equivalent")


def _by_arrays(problem: Tiny, _number: int) -> _Plan:
    with patch.object(Model, "export", arrays_of):
        filled = fill(template_of.__wrapped__(problem.problem()), problem.numbers())
    program, layout = deterministic_equivalent(filled.two_stage, MEAN)
    highs = solved_directly(program, tiled(filled.start, filled.two_stage, layout))
    return _Plan(objective_of(highs), len(filled.columns))


def _pulp_against_arrays(n_samples: int, size: Size) -> Sides:
    problem = depots(24, n_samples) if size == "full" else depots(6, 4)
    return Sides(
        _side(partial(_by_arrays, problem)), _side(partial(_by_pulp, problem)), same=near(1e-6)
    )


# --- warm against direct, and against anew --------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Series:
    """One program, solved, and upper bounds that its columns take one after the other."""

    program: LinearProgram
    uppers: tuple[Floats, ...]
    ours: Highs
    direct: object

    def __init__(self, size: Size) -> None:
        problem = depots(34, 20) if size == "full" else depots(6, 4)
        filled = problem.filled()
        program, layout = deterministic_equivalent(filled.two_stage, MEAN)
        start = tiled(filled.start, filled.two_stage, layout)
        rng = np.random.default_rng(1)
        finite = np.isfinite(program.upper)
        uppers = tuple(
            np.where(finite, program.upper * rng.uniform(0.95, 1.05, len(finite)), np.inf)
            for _ in range(CHANGES)
        )
        ours = Highs()
        ours.solve(program, start)
        for name, value in (
            ("program", program), ("uppers", uppers), ("ours", ours),
            ("direct", solved_directly(program, start)),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    def by_our_handle(self, _number: int) -> list[float]:
        """Change bounds and solve, checks and bound included."""
        return [self.ours.resolve(upper=upper, go_on=True).objective for upper in self.uppers]

    def by_highspy(self, _number: int) -> list[float]:
        """Change bounds and solve."""
        columns, lower = np.arange(len(self.program.cost), dtype=np.int32), self.program.lower
        found = []
        for upper in self.uppers:
            self.direct.changeColsBounds(len(columns), columns, lower, upper)
            self.direct.run()
            found.append(objective_of(self.direct))
        return found

    def anew(self, _number: int) -> list[float]:
        """Write the program in PuLP for each change and solve it."""
        return [Highs().solve(_written(self.program, upper)).objective for upper in self.uppers]


def _written(program: LinearProgram, upper: Floats) -> LinearProgram:
    """Write a program in PuLP, column by column and row by row, and read it back."""
    model = Model()
    model.columns(np.ones(len(upper), np.bool_), program.cost, lower=program.lower, upper=upper)
    equal = program.row_lower == program.row_upper
    for sense, rows, limit in (
        (Sense.EQUAL, equal, program.row_upper),
        (Sense.AT_MOST, ~equal & np.isfinite(program.row_upper), program.row_upper),
        (Sense.AT_LEAST, ~equal & np.isinf(program.row_upper), program.row_lower),
    ):
        part = program.matrix.tocsr()[np.flatnonzero(rows)].tocoo()
        numbers = model.rows(np.ones(int(rows.sum()), np.bool_), sense, limit[rows])
        model.add(numbers[part.row], part.col.astype(np.int64), part.data)
    return replace(model.export(), offset=program.offset)


def _several(run: Callable[[int], list[float]]) -> Side:
    return timed(run, len, tuple)


def _warm_handle(size: Size) -> Sides:
    made = _Series(size)
    return Sides(_several(made.by_highspy), _several(made.by_our_handle), same=near(1e-6))


def _rebuild(size: Size) -> Sides:
    made = _Series(size)
    return Sides(_several(made.by_our_handle), _several(made.anew), same=near(1e-6))


# --- cuts, and whole numbers ----------------------------------------------------------------------


def _within(gap: float) -> Callable[[Sample, Sample], bool]:
    """Costs agree to the gaps proved, which are both within what is asked."""
    return lambda a, b: near(2.0 * gap)(a, b) and max(a.output[1], b.output[1]) <= gap


def _solved(run: Callable[[], _Plan]) -> Side:
    return timed(
        lambda _number: run(), lambda plan: plan.size, lambda plan: (plan.objective, plan.gap)
    )


def _cuts(size: Size) -> Sides:
    problem = depots(12, 300) if size == "full" else depots(6, 8)
    filled = problem.filled()
    return Sides(
        _solved(partial(_planned, filled, "deterministic equivalent")),
        _solved(partial(_planned, filled, "L-shaped")),
        same=_within(1e-3),
    )


def _whole_numbers(size: Size) -> Sides:
    problem = depots(34, 20, fixed_cost=12.0) if size == "full" else depots(6, 4, fixed_cost=3.0)
    filled = problem.filled()
    program = filled.two_stage.program
    assert program.has_integers
    relaxed = replace(filled, two_stage=replace(filled.two_stage, program=program.relaxed()))
    how: How = "deterministic equivalent"
    return Sides(
        _solved(partial(_planned, relaxed, how, 0.005)),
        _solved(partial(_planned, filled, how, 0.005)),
        same=_within(0.005),
    )


CASES = (
    *(
        Case(
            f"pulp_{n_samples}",
            f"24 places, {n_samples} samples: template, fill, stack, solve",
            "arrays handed to highspy", "written in PuLP, our handle", target, "at most",
            partial(_pulp_against_arrays, n_samples), amount="columns",
        )
        for n_samples, target in ((20, 1.5), (100, 1.15))
    ),
    Case(
        "warm_handle", "34 places, 20 samples, new bounds, solved on", "highspy",
        "our handle, checks and proof included", 1.2, "at most", _warm_handle, amount="solves",
    ),
    Case(
        "rebuild", "34 places, 20 samples, new bounds", "our handle, solved on",
        "written in PuLP and solved anew", 25.0, "at least", _rebuild, amount="solves",
    ),
    Case(
        "cuts", "12 places, 300 samples, one program or cuts", "deterministic equivalent",
        "L-shaped, gap 0.1 %", 0.35, "at most", _cuts, amount="columns",
    ),
    Case(
        "whole_numbers", "34 depots, 20 samples", "the linear program",
        "depots whole, gap 0.5 % certified", 3.0, "at most", _whole_numbers, amount="columns",
    ),
)  # fmt: skip
