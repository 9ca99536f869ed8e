"""Linear programs as arrays, points as solvers return them, and the arithmetic that judges both.

Knows no solver: what a point costs, where it breaks a program and what no plan can undercut are
computed here from the arrays alone. A point that fails is a `NoAcceptableSolution`, never a silent
plan of zeros.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from nts_sim.errors import NoAcceptableSolution
from nts_sim.words import name_of, say
from nts_sim.words.figures import figure
from nts_sim.world.model import Bools, Floats, Ints

Ints32 = NDArray[np.int32]

FEASIBILITY_TOLERANCE = 1e-6
"""Largest violation of a row or bound, relative to max(1, |its limit|), and of integrality."""

ROUNDING = 1e-8
"""What a row of large terms may lose beyond that, relative to the sum of their sizes."""


class Status(StrEnum):
    """How a solver stopped."""

    OPTIMAL = "optimal"
    GAP_LIMIT = "gap limit"
    TIME_LIMIT = "time limit"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    FAILED = "failed"

    @property
    def told(self) -> str:
        """The same in the language spoken."""
        return name_of("solver_status", self.name.lower())


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """Minimise cost · x + offset subject to row_lower ≤ A x ≤ row_upper, lower ≤ x ≤ upper.

    Attributes
    ----------
    cost, lower, upper : float array [column]
    row_lower, row_upper : float array [row]
    start, index, value : A by columns (compressed sparse columns, sorted rows)
    offset : float
    integer : bool array [column], columns that take whole numbers; None where none does
    """

    cost: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    start: Ints32
    index: Ints32
    value: Floats
    offset: float = 0.0
    integer: Bools | None = None

    @cached_property
    def matrix(self) -> csc_array:
        """A, [row, column]."""
        shape = (len(self.row_lower), len(self.cost))
        return csc_array((self.value, self.index, self.start), shape=shape)

    @property
    def has_integers(self) -> bool:
        """Whether a column must take whole numbers."""
        return self.integer is not None and bool(self.integer.any())

    def with_(self, **changes: Any) -> Self:
        """Return a copy with some arrays exchanged; what was built of A is kept where A is."""
        made = replace(self, **changes)
        if "matrix" in self.__dict__ and not changes.keys() & {"start", "index", "value"}:
            made.__dict__["matrix"] = self.matrix
        return made

    def relaxed(self) -> Self:
        """Return the program without integrality."""
        return self.with_(integer=None)

    def with_integers_fixed(self, x: Floats) -> Self:
        """Return the linear program left when the whole-number columns stay as in `x`."""
        if self.integer is None:
            return self
        whole = np.round(x)
        lower = np.where(self.integer, whole, self.lower)
        return self.with_(
            lower=lower, upper=np.where(self.integer, whole, self.upper), integer=None
        )

    def restricted(self, columns: Ints, rows: Bools) -> tuple[LinearProgram, Bools]:
        """Keep some columns, with the other columns at 0, and the rows that can still bind.

        Parameters
        ----------
        columns : int array, columns kept, ascending
        rows : bool array [row], rows that may be kept; the caller knows the others to hold

        Returns
        -------
        (LinearProgram, bool array [row]): rows without an entry that hold at 0 are left out too
        """
        counts = np.diff(self.start)[columns]
        first = np.concatenate(([0], np.cumsum(counts)))
        entry = np.arange(first[-1]) + np.repeat(self.start[columns] - first[:-1], counts)
        touched = np.bincount(self.index[entry], minlength=len(rows)) > 0
        rows = rows & (touched | (self.row_lower > 0.0) | (self.row_upper < 0.0))
        kept = rows[self.index[entry]]
        kept_before = np.concatenate(([0], np.cumsum(kept)))
        entry = entry[kept]
        new_row = np.cumsum(rows) - 1
        program = LinearProgram(
            cost=self.cost[columns],
            lower=self.lower[columns],
            upper=self.upper[columns],
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
            start=kept_before[first].astype(np.int32),
            index=new_row[self.index[entry]].astype(np.int32),
            value=self.value[entry],
            offset=self.offset,
            integer=None if self.integer is None else self.integer[columns],
        )
        return program, rows


@dataclass(frozen=True, eq=False)
class Basis:
    """Where a simplex search starts: a status per column and per row, as HiGHS numbers them.

    Attributes
    ----------
    columns, rows : int array, 0 at lower bound, 1 basic, 2 at upper bound, 3 at zero
    """

    columns: Ints
    rows: Ints


@dataclass(frozen=True, eq=False)
class Solution:
    """A checked point.

    Attributes
    ----------
    status : how the solver stopped
    objective : float
    bound : float, no plan of this program costs less
    x : float array [column]
    row_dual : float array [row], change of the objective per unit of the row's limit
    column_dual : float array [column], change of the objective per unit of the column (reduced
        cost)
    iterations : int

    Duals are those of a linear program; where columns take whole numbers they are NaN (fix these
    columns and solve again to price the rest).
    """

    status: Status
    objective: float
    bound: float
    x: Floats
    row_dual: Floats
    column_dual: Floats
    iterations: int

    @property
    def gap(self) -> float:
        """(objective − bound) / max(1, |objective|)."""
        return (self.objective - self.bound) / max(1.0, abs(self.objective))


def violations(program: LinearProgram, x: Floats) -> tuple[str, ...]:
    """Say where a point breaks the program; knows no solver.

    Returns
    -------
    tuple of str
        One sentence a kind of violation with its worst place; empty where the point is feasible.
    """
    if x.shape != program.cost.shape or not np.all(np.isfinite(x)):
        return (say("said.plan.not_finite"),)
    activity = program.matrix @ x
    below, above = program.row_lower - activity, activity - program.row_upper
    if np.any(np.maximum(below, above) > FEASIBILITY_TOLERANCE):
        lost = ROUNDING * (abs(program.matrix) @ np.abs(x))
        below, above = below - lost, above - lost
    checks = (
        ("said.plan.column_below", program.lower - x, program.lower),
        ("said.plan.column_above", x - program.upper, program.upper),
        ("said.plan.row_below", below, program.row_lower),
        ("said.plan.row_above", above, program.row_upper),
    )
    found = [text for check in checks if (text := _worst(*check)) is not None]
    if program.integer is not None:
        broken = np.where(program.integer, np.abs(x - np.round(x)), 0.0)
        worst = int(np.argmax(broken)) if len(broken) else 0
        if len(broken) and broken[worst] > FEASIBILITY_TOLERANCE:
            value = figure(x[worst], ".9g")
            found.append(say("said.plan.column_not_whole", column=worst, value=value))
    return tuple(found)


def _worst(fault: str, excess: Floats, limit: Floats) -> str | None:
    if not len(excess):
        return None
    scale = np.maximum(1.0, np.abs(np.where(np.isfinite(limit), limit, 0.0)))
    relative = excess / scale
    worst = int(np.argmax(relative))
    if relative[worst] <= FEASIBILITY_TOLERANCE:
        return None
    by, bound = figure(excess[worst], ".3g"), figure(limit[worst], ".6g")
    return say(fault, number=worst, by=by, limit=bound)


def accept(program: LinearProgram, solution: Solution, *, checked: bool = False) -> Solution:
    """Return the solution if it stands the checks.

    Parameters
    ----------
    checked : the caller has seen that the point has no `violations`

    Raises
    ------
    NoAcceptableSolution
        Naming every check that failed.
    """
    faults = [] if checked else list(violations(program, solution.x))
    true_objective = value_of(program, solution.x)
    if not abs(true_objective - solution.objective) <= 1e-6 * max(1.0, abs(true_objective)):
        told, true = figure(solution.objective, ".9g"), figure(true_objective, ".9g")
        faults.append(say("said.plan.objective_differs", told=told, true=true))
    if faults:
        status, listed = solution.status.told, "; ".join(faults)
        raise NoAcceptableSolution(say("said.plan.point_fails", status=status, faults=listed))
    return solution


def value_of(program: LinearProgram, x: Floats) -> float:
    """Return what a point costs, offset included."""
    return float((program.cost * x).sum()) + program.offset  # a long dot product wakes threads


_DUST = 1e-7
"""Reduced costs of a column without limit, relative to max(1, |its cost|), taken for 0."""


def dual_bound(program: LinearProgram, row_dual: Floats) -> float:
    """Return what no point of the program can cost less than, whatever the duals are.

    For any y, minimising cost · x − y · (A x − a) over lower ≤ x ≤ upper and over activities
    row_lower ≤ a ≤ row_upper undercuts the program (weak duality):

        offset + Σ_i min_a y_i a_i + Σ_j min_x (cost − Aᵀ y)_j x_j

    Prices of limits that do not exist are left out first. −inf where a column without limit has a
    reduced cost of the wrong sign. Integrality is not used.
    """
    price = usable_prices(program, row_dual)
    reduced = program.cost - program.matrix.T @ price
    rows = least(price, program.row_lower, program.row_upper)
    return (
        program.offset + rows + least(without_dust(program, reduced), program.lower, program.upper)
    )


def usable_prices(program: LinearProgram, row_dual: Floats) -> Floats:
    """Row prices with 0 where the price asks for a limit that the row does not have."""
    limit = np.where(row_dual > 0.0, program.row_lower, program.row_upper)
    return np.where(np.isfinite(limit), row_dual, 0.0)


def without_dust(program: LinearProgram, reduced: Floats) -> Floats:
    """Reduced costs with 0 where they are dust and the column has no limit on that side."""
    limit = np.where(reduced > 0.0, program.lower, program.upper)
    dust = np.abs(reduced) <= _DUST * np.maximum(1.0, np.abs(program.cost))
    return np.where(dust & ~np.isfinite(limit), 0.0, reduced)


def least(price: Floats, lower: Floats, upper: Floats) -> float:
    """Σ min(price · v) over lower ≤ v ≤ upper; −inf where a price pulls to no limit."""
    priced = price != 0.0
    limit = np.where(price > 0.0, lower, upper)[priced]
    return float((price[priced] * limit).sum()) if np.all(np.isfinite(limit)) else -np.inf
