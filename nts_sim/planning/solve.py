"""The only module that talks to solvers: linear programs in, checked solutions out.

A program is exported from PuLP once and solved many times by a HiGHS handle that lives in this
process. Every point a solver returns is checked against rows, bounds and integrality by arithmetic
that knows no solver (`linear`), and every gap is the distance to a bound, not a solver's word.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.cbc import CbcMissing, solve_with_cbc
from nts_sim.planning.linear import (
    FEASIBILITY_TOLERANCE,
    Basis,
    LinearProgram,
    Solution,
    Status,
    accept,
    dual_bound,
    value_of,
    violations,
)
from nts_sim.planning.modelling import export
from nts_sim.words import say
from nts_sim.words.figures import figure
from nts_sim.world.model import Floats, Ints

__all__ = [
    "FEASIBILITY_TOLERANCE",
    "PROOF",
    "Basis",
    "CbcMissing",
    "Highs",
    "LinearProgram",
    "Solution",
    "Standing",
    "Status",
    "accept",
    "export",
    "solve_rounded",
    "solve_tiny",
    "solve_with_cbc",
    "standing",
    "violations",
]

PROOF = 1e-6
"""A relative gap up to this is a proof of optimality, however the solver stopped."""

_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kTimeLimit: Status.TIME_LIMIT,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE,
}
_PERTURBED = 0.0
"""Costs are not perturbed: stacked samples took twice the time with it, others no less."""
_SCALING = 2
"""HiGHS's own choice of scaling (forced equilibration)."""
_BASIS_STATUS = tuple(highspy.HighsBasisStatus(code) for code in range(4))


@dataclass(frozen=True, eq=False)
class Standing:
    """Where a search ended, in HiGHS's own form: cheap to go back to, with the same matrix only."""

    basis: highspy.HighsBasis


class Highs:
    """A HiGHS handle that stays in this process and re-solves programs of changing numbers.

    The answer of a solve depends on the program, the starting basis and the fallback alone, never
    on what the handle solved before; only `go_on` continues from where the last search ended.

    Parameters
    ----------
    time_limit_s : seconds a solve may take
    gap : relative gap at which a search over whole numbers may stop
    """

    def __init__(self, time_limit_s: float = 60.0, gap: float = 1e-4) -> None:
        self.time_limit_s, self.gap = time_limit_s, gap
        self._program: LinearProgram | None = None
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self._set(output_flag=False, threads=1, parallel="off", mip_rel_gap=gap)
        self._set(dual_simplex_cost_perturbation_multiplier=_PERTURBED)

    def solve(
        self,
        program: LinearProgram,
        start: Basis | Standing | None = None,
        fallback: Floats | None = None,
        time_limit_s: float | None = None,
    ) -> Solution:
        """Solve, check and return.

        Parameters
        ----------
        start : where the simplex search starts; not used where columns take whole numbers
        fallback : float array [column], a point known to the caller: what a search over whole
            numbers starts from, and what is returned at the time limit if nothing better is known
        time_limit_s : instead of the handle's own

        Raises
        ------
        NoAcceptableSolution
            With status and time limit, where no point is known that passes the checks.
        """
        if not len(program.cost):
            return _of_nothing(program)
        self.load(program)
        return self._run(start, fallback, time_limit_s)

    def load(self, program: LinearProgram) -> None:
        """Hand a program over; `resolve` then changes numbers in the live handle."""
        columns, rows = len(program.cost), len(program.row_lower)
        whole = np.zeros(columns) if program.integer is None else program.integer
        self._highs.passModel(
            columns, rows, len(program.value), int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), program.offset, program.cost, program.lower,
            program.upper, program.row_lower, program.row_upper, program.start, program.index,
            program.value, whole.astype(np.int32),
        )  # fmt: skip
        self._program = program
        searches = program.has_integers
        self._set(
            solver="choose" if searches else "simplex", presolve="choose" if searches else "off"
        )

    def resolve(
        self,
        *,
        cost: Floats | None = None,
        lower: Floats | None = None,
        upper: Floats | None = None,
        row_lower: Floats | None = None,
        row_upper: Floats | None = None,
        start: Basis | Standing | None = None,
        fallback: Floats | None = None,
        go_on: bool = False,
        time_limit_s: float | None = None,
    ) -> Solution:
        """Solve what was loaded with some numbers changed for good; see `solve`.

        Parameters
        ----------
        go_on : start where the last search of this handle ended; the point found then depends on
            what was solved before, though not what it costs
        """
        self.change(cost=cost, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper)
        if not go_on:
            self._highs.clearSolver()
        return self._run(start, fallback, time_limit_s)

    def add_rows(self, rows: csr_array, lower: Floats, upper: Floats) -> None:
        """Add rows lower ≤ rows · x ≤ upper to what was loaded; a basis found stays usable."""
        program = self.program
        self._highs.addRows(
            len(lower), lower, upper, rows.nnz, rows.indptr[:-1].astype(np.int32),
            rows.indices.astype(np.int32), rows.data,
        )  # fmt: skip
        matrix: csc_array = vstack((program.matrix, rows), format="csc")
        matrix.sort_indices()
        self._program = program.with_(
            row_lower=np.concatenate((program.row_lower, lower)),
            row_upper=np.concatenate((program.row_upper, upper)),
            start=matrix.indptr.astype(np.int32),
            index=matrix.indices.astype(np.int32),
            value=matrix.data,
        )

    def basis(self) -> Basis:
        """Where the last search ended."""
        basis = self._highs.getBasis()
        return Basis(_from_highs(basis.col_status), _from_highs(basis.row_status))

    def ray(self) -> Floats | None:
        """Row prices that show why what was solved last has no point; None where none is known."""
        _, known, prices = self._highs.getDualRay()
        return np.array(prices) if known else None

    @property
    def program(self) -> LinearProgram:
        """What is loaded, with every change since."""
        if self._program is None:
            raise ValueError("no program is loaded")
        return self._program

    def _set(self, **options: Any) -> None:
        for option, value in options.items():
            self._highs.setOptionValue(option, value)

    def change(self, **numbers: Floats | None) -> None:
        """Change numbers of what was loaded for good, named as in `resolve`."""
        given = _news(self.program, numbers)
        self._program = program = self.program.with_(**given)
        columns = np.arange(len(program.cost), dtype=np.int32)
        rows = np.arange(len(program.row_lower), dtype=np.int32)
        if "cost" in given:
            self._highs.changeColsCost(len(columns), columns, program.cost)
        if given.keys() & {"lower", "upper"}:
            self._highs.changeColsBounds(len(columns), columns, program.lower, program.upper)
        if given.keys() & {"row_lower", "row_upper"}:
            self._highs.changeRowsBounds(len(rows), rows, program.row_lower, program.row_upper)

    def _run(
        self, start: Basis | Standing | None, fallback: Floats | None, time_limit_s: float | None
    ) -> Solution:
        highs, program = self._highs, self.program
        if start is not None and not program.has_integers:
            highs.setBasis(start.basis if isinstance(start, Standing) else _to_highs(start))
        if fallback is not None and program.has_integers and not violations(program, fallback):
            highs.setSolution(len(fallback), np.arange(len(fallback), dtype=np.int32), fallback)
        limit_s = self.time_limit_s if time_limit_s is None else time_limit_s
        self._set(time_limit=highs.getRunTime() + max(limit_s, 0.0))
        highs.run()
        status = _STATUS.get(highs.getModelStatus(), Status.FAILED)
        if status is Status.OPTIMAL:
            found = self._found()
            if not violations(program, found.x):
                return _proved(accept(program, found, checked=True), self.gap)
            status = self._search_again()
        if status is Status.FAILED:
            status = self._second_attempt()
        if status is Status.OPTIMAL:
            return _proved(accept(program, self._found()), self.gap)
        if status is Status.TIME_LIMIT:
            others = [] if fallback is None else [fallback]
            if (best := _best_known(program, self._found(), others)) is not None:
                return _proved(best, self.gap)
        what = say("said.plan.no_point", status=status.told, limit=figure(limit_s))
        raise NoAcceptableSolution(what)

    def _second_attempt(self) -> Status:
        """Try once more from nothing, with presolve: a search may lose its way numerically."""
        presolve = self._highs.getOptionValue("presolve")[1]
        self._highs.clearSolver()
        self._set(presolve="on")
        self._highs.run()
        self._set(presolve=presolve)
        return _STATUS.get(self._highs.getModelStatus(), Status.FAILED)

    def _search_again(self) -> Status:
        """Search on where HiGHS calls a point optimal that breaks the program.

        From the same basis, without scaling and without what long use piled up.
        """
        basis = self._highs.getBasis()
        self._highs.clearSolver()
        self._set(simplex_scale_strategy=0)
        if not self.program.has_integers:
            self._highs.setBasis(basis)
        self._highs.run()
        self._set(simplex_scale_strategy=_SCALING)
        return _STATUS.get(self._highs.getModelStatus(), Status.FAILED)

    def _found(self) -> Solution:
        """Where the search stands, with the best bound known; not checked."""
        program, solution, info = self.program, self._highs.getSolution(), self._highs.getInfo()
        x = np.array(solution.col_value)
        if program.has_integers:
            row_dual, column_dual = np.full(len(program.row_lower), np.nan), np.full(len(x), np.nan)
            bound = float(info.mip_dual_bound)
        else:
            row_dual = np.array(solution.row_dual)
            column_dual = program.cost - program.matrix.T @ row_dual
            bound = dual_bound(program, row_dual)
        return Solution(
            status=Status.OPTIMAL,
            objective=float(info.objective_function_value),
            bound=bound,
            x=x,
            row_dual=row_dual,
            column_dual=column_dual,
            iterations=max(0, int(info.simplex_iteration_count)),
        )


def _news(program: LinearProgram, given: dict[str, Floats | None]) -> dict[str, Floats]:
    return {
        name: value
        for name, value in given.items()
        if value is not None and not np.array_equal(value, getattr(program, name))
    }


def _best_known(program: LinearProgram, cut: Solution, others: list[Floats]) -> Solution | None:
    """Of a search cut short: the best point that passes the checks, with the bound reached."""
    usable = [x for x in (cut.x, *others) if not violations(program, x)]
    if not usable:
        return None
    x = min(usable, key=lambda point: value_of(program, point))
    return replace(cut, status=Status.TIME_LIMIT, x=x, objective=value_of(program, x))


def _proved(solution: Solution, gap: float) -> Solution:
    """Say by the bound alone what is proved; a time limit stays one where nothing is."""
    bound = min(solution.bound, solution.objective)
    status = judged(solution.status, solution.objective, bound, gap)
    return replace(solution, bound=bound, status=status)


def judged(stopped: Status, objective: float, bound: float, gap: float) -> Status:
    """Return what a bound proves of a point, whatever the solver said.

    Raises
    ------
    NoAcceptableSolution
        Where the solver calls a point optimal and the bound is farther away than `gap`.
    """
    distance = (objective - bound) / max(1.0, abs(objective))
    if distance <= PROOF:
        return Status.OPTIMAL
    if distance <= gap:
        return Status.GAP_LIMIT
    if stopped in (Status.OPTIMAL, Status.GAP_LIMIT):
        told = {"objective": figure(objective, ".9g"), "bound": figure(bound, ".9g")}
        raise NoAcceptableSolution(say("said.plan.not_optimal", **told))
    return stopped


def solve_rounded(
    program: LinearProgram,
    highs: Highs,
    gap: float = 0.005,
    time_limit_s: float | None = None,
    start: Basis | Standing | None = None,
) -> Solution:
    """Solve a program with on/off decisions: relax, round up, re-solve, certify; else search.

    What the relaxation opens in part is opened whole, which keeps covering problems feasible. The
    relaxation's optimum bounds the gap; where it is above `gap`, HiGHS searches from that point
    on. Duals are those of the linear program left with the decisions fixed.

    Raises
    ------
    NoAcceptableSolution
        As `Highs.solve`.
    """
    deadline = time.perf_counter() + (highs.time_limit_s if time_limit_s is None else time_limit_s)
    relaxed = highs.solve(program.relaxed(), start, time_limit_s=_left(deadline))
    if not program.has_integers:
        return relaxed
    best = None
    for whole in _roundings(program, relaxed.x):
        rounded = _fixed(program, whole, highs, deadline)
        if rounded is not None and (best is None or rounded.objective < best.objective):
            best = _against(rounded, relaxed, relaxed.bound, gap)
        if best is not None and best.gap <= gap:
            return best
    found = highs.solve(program, None, None if best is None else best.x, _left(deadline))
    highs.load(program.relaxed())
    priced = _fixed(program, found.x, highs, deadline)
    if priced is None:
        return found
    return _against(priced, found, max(found.bound, relaxed.bound), gap)


def _roundings(program: LinearProgram, x: Floats) -> Iterator[Floats]:
    """Whole numbers near a relaxed point: all opened, the likelier half, what money allows, none.

    Opening all keeps covering problems feasible; opening none keeps within any budget.
    """
    assert program.integer is not None
    part = x - np.floor(x + FEASIBILITY_TOLERANCE)
    seen: list[Floats] = []
    for least in (FEASIBILITY_TOLERANCE, 0.1, 0.3, 0.5, 1.0):
        whole = np.where(program.integer, np.floor(x + FEASIBILITY_TOLERANCE) + (part > least), x)
        whole = np.minimum(whole, np.floor(program.upper + FEASIBILITY_TOLERANCE))
        if not any(np.array_equal(whole, other) for other in seen):
            seen.append(whole)
            yield whole


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.perf_counter())


def _fixed(program: LinearProgram, whole: Floats, highs: Highs, deadline: float) -> Solution | None:
    """Solve what is loaded, relaxed, with whole numbers; None where there is no answer in time.

    The search goes on from where the last one ended, which is near.
    """
    fixed = program.with_integers_fixed(whole)
    try:
        return highs.resolve(
            lower=fixed.lower, upper=fixed.upper, go_on=True, time_limit_s=_left(deadline)
        )
    except NoAcceptableSolution:
        return None


def _against(point: Solution, search: Solution, bound: float, gap: float) -> Solution:
    """Judge a point that is feasible with whole numbers by the bound of another search."""
    bound = min(bound, point.objective)
    return replace(
        point,
        status=judged(Status.TIME_LIMIT, point.objective, bound, gap),
        bound=bound,
        iterations=point.iterations + search.iterations,
    )


def solve_tiny() -> dict[str, float]:
    """Solve a problem whose optimum is −10 with every solver, to see that they work here.

    Two boats of 4 and 3 people serve at most 5 people who wait at one place, worth 2 each.

    Returns
    -------
    dict of solver name to objective; each is −10. CBC is left out where it is not installed
    """
    tiny = LinearProgram(
        cost=np.array([-2.0, -2.0]), lower=np.zeros(2), upper=np.array([4.0, 3.0]),
        row_lower=np.array([-np.inf]), row_upper=np.array([5.0]),
        start=np.array([0, 1, 2], dtype=np.int32), index=np.zeros(2, dtype=np.int32),
        value=np.ones(2),
    )  # fmt: skip
    found = {"highs": Highs().solve(tiny).objective}
    with suppress(CbcMissing):
        found["cbc"] = solve_with_cbc(tiny).objective
    return found


def _of_nothing(program: LinearProgram) -> Solution:
    """Solve a program without columns: what is fixed is what it costs."""
    nothing = Solution(
        status=Status.OPTIMAL, objective=program.offset, bound=program.offset, x=np.zeros(0),
        row_dual=np.zeros(len(program.row_lower)), column_dual=np.zeros(0), iterations=0,
    )  # fmt: skip
    return accept(program, nothing)


def standing(highs: Highs) -> Standing:
    """Return where a handle's last search ended; see `Highs.resolve`."""
    return Standing(highs._highs.getBasis())


def _to_highs(basis: Basis) -> highspy.HighsBasis:
    made = highspy.HighsBasis()
    made.col_status = [_BASIS_STATUS[code] for code in basis.columns.tolist()]
    made.row_status = [_BASIS_STATUS[code] for code in basis.rows.tolist()]
    made.valid = True
    made.alien = True
    return made


def _from_highs(statuses: list[highspy.HighsBasisStatus]) -> Ints:
    return np.fromiter((int(status) for status in statuses), dtype=np.int64, count=len(statuses))
