"""The only module that talks to solvers: linear programs in, checked solutions out.

A program is exported from PuLP once and solved many times by a HiGHS handle that lives in this
process. Every point a solver returns is checked here against rows and bounds by arithmetic that
knows no solver; what fails is a `NoAcceptableSolution`, never a silent plan of zeros.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray
from scipy.sparse import csc_array

from nts_sim.errors import NoAcceptableSolution
from nts_sim.world.model import Bools, Floats, Ints

Ints32 = NDArray[np.int32]

FEASIBILITY_TOLERANCE = 1e-6
"""Largest violation of a row or bound, relative to max(1, |its limit|)."""


class Status(StrEnum):
    """How a solver stopped."""

    OPTIMAL = "optimal"
    TIME_LIMIT = "time limit"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    FAILED = "failed"


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """Minimise cost · x + offset subject to row_lower ≤ A x ≤ row_upper, lower ≤ x ≤ upper.

    Attributes
    ----------
    cost, lower, upper : float array [column]
    row_lower, row_upper : float array [row]
    start, index, value : A by columns (compressed sparse columns, sorted rows)
    offset : float
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

    @cached_property
    def matrix(self) -> csc_array:
        """A, [row, column]."""
        shape = (len(self.row_lower), len(self.cost))
        return csc_array((self.value, self.index, self.start), shape=shape)

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
    iterations : int
    """

    status: Status
    objective: float
    bound: float
    x: Floats
    row_dual: Floats
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
        return ("the point has missing or infinite entries",)
    activity = program.matrix @ x
    checks = (
        ("column", "below its lower bound", program.lower - x, program.lower),
        ("column", "above its upper bound", x - program.upper, program.upper),
        ("row", "below its lower limit", program.row_lower - activity, program.row_lower),
        ("row", "above its upper limit", activity - program.row_upper, program.row_upper),
    )
    return tuple(text for check in checks if (text := _worst(*check)) is not None)


def _worst(what: str, how: str, excess: Floats, limit: Floats) -> str | None:
    if not len(excess):
        return None
    scale = np.maximum(1.0, np.abs(np.where(np.isfinite(limit), limit, 0.0)))
    relative = excess / scale
    worst = int(np.argmax(relative))
    if relative[worst] <= FEASIBILITY_TOLERANCE:
        return None
    return f"{what} {worst} is {excess[worst]:.3g} {how} {limit[worst]:.6g}"


def accept(program: LinearProgram, solution: Solution) -> Solution:
    """Return the solution if it stands the checks.

    Raises
    ------
    NoAcceptableSolution
        Naming every check that failed.
    """
    faults = list(violations(program, solution.x))
    true_objective = float(program.cost @ solution.x) + program.offset
    if not abs(true_objective - solution.objective) <= 1e-6 * max(1.0, abs(true_objective)):
        faults.append(f"reported objective {solution.objective:.9g} is {true_objective:.9g}")
    if faults:
        raise NoAcceptableSolution(
            f"the solver stopped with status '{solution.status}' and a point that fails: "
            + "; ".join(faults)
        )
    return solution


_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE,
}
_BASIS_STATUS = tuple(highspy.HighsBasisStatus(code) for code in range(4))


def export(problem: pulp.LpProblem, variables: Sequence[pulp.LpVariable]) -> LinearProgram:
    """Read a PuLP problem into arrays; columns in the order of `variables`, rows as added."""
    if problem.sense != pulp.LpMinimize:
        raise ValueError("only minimisation is exported: dual signs would flip")
    column = {id(variable): at for at, variable in enumerate(variables)}
    constraints = problem.constraints()
    entry_row, entry_column, value = array("l"), array("l"), array("d")
    for row, constraint in enumerate(constraints):
        for variable, coefficient in constraint.items():
            entry_row.append(row)
            entry_column.append(column[id(variable)])
            value.append(coefficient)
    shape = (len(constraints), len(variables))
    matrix = csc_array((np.array(value), (np.array(entry_row), np.array(entry_column))), shape)
    matrix.sort_indices()
    limit = np.array([-c.constant for c in constraints])
    sense = np.array([c.sense for c in constraints])
    cost = np.zeros(len(variables))
    for variable, coefficient in problem.objective.items():
        cost[column[id(variable)]] = coefficient
    return LinearProgram(
        cost=cost,
        lower=np.array([_or_inf(v.lowBound, -1.0) for v in variables]),
        upper=np.array([_or_inf(v.upBound, 1.0) for v in variables]),
        row_lower=np.where(sense == pulp.LpConstraintLE, -np.inf, limit),
        row_upper=np.where(sense == pulp.LpConstraintGE, np.inf, limit),
        start=matrix.indptr.astype(np.int32),
        index=matrix.indices.astype(np.int32),
        value=matrix.data,
        offset=float(problem.objective.constant),
    )


def _or_inf(bound: float | None, sign: float) -> float:
    return sign * np.inf if bound is None else float(bound)


class Highs:
    """A HiGHS handle that stays in this process and re-solves programs of changing numbers.

    The answer of a solve depends on the program and the starting basis alone, never on what the
    handle solved before.
    """

    def __init__(self, time_limit_s: float = 60.0) -> None:
        self.time_limit_s = time_limit_s
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("solver", "simplex"),
            ("parallel", "off"),
            ("presolve", "off"),
        ):
            self._highs.setOptionValue(option, value)

    def solve(self, program: LinearProgram, start: Basis | None = None) -> Solution:
        """Solve, check and return.

        Raises
        ------
        NoAcceptableSolution
            With status and time, where no optimum is proved or the point fails the checks.
        """
        highs = self._highs
        if not len(program.cost):
            return _of_nothing(program)
        self._pass(program)
        if start is not None:
            highs.setBasis(_to_highs(start))
        highs.setOptionValue("time_limit", highs.getRunTime() + self.time_limit_s)
        highs.run()
        status = _STATUS.get(highs.getModelStatus(), Status.FAILED)
        info = highs.getInfo()
        if status is not Status.OPTIMAL:
            raise NoAcceptableSolution(
                f"the solver stopped with status '{status}' and no optimum "
                f"(time limit {self.time_limit_s:g} s)"
            )
        return accept(program, self._read(info))

    def basis(self) -> Basis:
        """Where the last search ended."""
        basis = self._highs.getBasis()
        return Basis(_from_highs(basis.col_status), _from_highs(basis.row_status))

    def _pass(self, program: LinearProgram) -> None:
        columns, rows = len(program.cost), len(program.row_lower)
        self._highs.passModel(
            columns, rows, len(program.value), int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), program.offset, program.cost, program.lower,
            program.upper, program.row_lower, program.row_upper, program.start, program.index,
            program.value, np.zeros(columns, dtype=np.int32),
        )  # fmt: skip

    def _read(self, info: highspy.HighsInfo) -> Solution:
        solution = self._highs.getSolution()
        objective = float(info.objective_function_value)
        return Solution(
            status=Status.OPTIMAL,
            objective=objective,
            bound=objective,
            x=np.array(solution.col_value),
            row_dual=np.array(solution.row_dual),
            iterations=int(info.simplex_iteration_count),
        )


def solve_with_cbc(program: LinearProgram, time_limit_s: float = 60.0) -> Solution:
    """Solve with CBC through PuLP: a second opinion, independent of HiGHS.

    Raises
    ------
    NoAcceptableSolution
        Where CBC proves no optimum, or its point fails the checks.
    """
    problem, variables = _as_pulp(program)
    problem.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=time_limit_s, threads=1))
    if problem.status != pulp.LpStatusOptimal:
        raise NoAcceptableSolution(
            f"CBC stopped with status '{pulp.LpStatus[problem.status].lower()}' and no optimum"
        )
    x = np.array([variable.value() or 0.0 for variable in variables])
    objective = float(program.cost @ x) + program.offset
    dual = np.array([row.pi or 0.0 for row in problem.constraints()])
    return accept(program, Solution(Status.OPTIMAL, objective, objective, x, dual, 0))


def _as_pulp(program: LinearProgram) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """Write arrays as a PuLP problem; a row with two limits becomes two constraints."""
    problem = pulp.LpProblem("program", pulp.LpMinimize)
    bounds = zip(program.lower.tolist(), program.upper.tolist(), strict=True)
    variables = [
        problem.add_variable(f"x{j}", *(None if np.isinf(bound) else bound for bound in pair))
        for j, pair in enumerate(bounds)
    ]
    problem += pulp.LpAffineExpression(list(zip(variables, program.cost.tolist(), strict=True)))
    rows = program.matrix.tocsr()
    for i, (low, high) in enumerate(zip(program.row_lower, program.row_upper, strict=True)):
        part = slice(rows.indptr[i], rows.indptr[i + 1])
        pairs = zip(rows.indices[part].tolist(), rows.data[part].tolist(), strict=True)
        terms = [(variables[j], value) for j, value in pairs]
        if low == high:
            problem += pulp.LpConstraint(pulp.LpAffineExpression(terms), 0, f"r{i}", float(low))
        else:
            for limit, sense in ((low, pulp.LpConstraintGE), (high, pulp.LpConstraintLE)):
                if np.isfinite(limit):
                    problem += pulp.LpConstraint(
                        pulp.LpAffineExpression(terms), sense, f"r{i}_{sense}", float(limit)
                    )
    return problem, variables


def solve_tiny() -> dict[str, float]:
    """Solve a problem whose optimum is −10 with every solver, to see that they work here.

    Two boats of 4 and 3 people serve at most 5 people who wait at one place, worth 2 each.

    Returns
    -------
    dict of solver name to objective; each is −10
    """
    tiny = LinearProgram(
        cost=np.array([-2.0, -2.0]), lower=np.zeros(2), upper=np.array([4.0, 3.0]),
        row_lower=np.array([-np.inf]), row_upper=np.array([5.0]),
        start=np.array([0, 1, 2], dtype=np.int32), index=np.zeros(2, dtype=np.int32),
        value=np.ones(2),
    )  # fmt: skip
    return {"highs": Highs().solve(tiny).objective, "cbc": solve_with_cbc(tiny).objective}


def _of_nothing(program: LinearProgram) -> Solution:
    """Solve a program without columns: what is fixed is what it costs."""
    nothing = Solution(
        status=Status.OPTIMAL, objective=program.offset, bound=program.offset, x=np.zeros(0),
        row_dual=np.zeros(len(program.row_lower)), iterations=0,
    )  # fmt: skip
    return accept(program, nothing)


def _to_highs(basis: Basis) -> highspy.HighsBasis:
    made = highspy.HighsBasis()
    made.col_status = [_BASIS_STATUS[code] for code in basis.columns.tolist()]
    made.row_status = [_BASIS_STATUS[code] for code in basis.rows.tolist()]
    made.valid = True
    made.alien = True
    return made


def _from_highs(statuses: list[highspy.HighsBasisStatus]) -> Ints:
    return np.fromiter((int(status) for status in statuses), dtype=np.int64, count=len(statuses))
