"""CBC, driven by PuLP: a second opinion, independent of HiGHS.

PuLP 3.3 brings CBC along; PuLP 4 finds it in the package `cbcbox` (`pip install pulp[cbc]`) or as
`cbc` on the path.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pulp

from nts_sim.errors import NoAcceptableSolution, PlaceOrMachine
from nts_sim.planning.linear import LinearProgram, Solution, Status, accept
from nts_sim.planning.modelling import Model, Sense
from nts_sim.words import say
from nts_sim.world.model import Bools, Floats


class CbcMissing(PlaceOrMachine):
    """CBC is not installed, so there is no second opinion."""


def solve_with_cbc(program: LinearProgram, time_limit_s: float = 60.0) -> Solution:
    """Solve with CBC, whole numbers included.

    Raises
    ------
    CbcMissing
        Where PuLP finds no CBC.
    NoAcceptableSolution
        Where CBC proves no optimum, or its point fails the checks.
    """
    problem, variables = _model_of(program).written()
    status = _solve(problem, time_limit_s)
    if status != "Optimal":
        raise NoAcceptableSolution(say("said.plan.cbc_stopped", status=status.lower()))
    x = np.array([variable.varValue or 0.0 for variable in variables])
    objective = float(pulp.value(problem.objective) or 0.0) + program.offset
    row_dual = np.full(len(program.row_lower), np.nan)
    if not program.has_integers:
        row_dual = _row_duals(program, [row.pi or 0.0 for row in problem.constraints()])
    column_dual = program.cost - program.matrix.T @ row_dual
    return accept(
        program, Solution(Status.OPTIMAL, objective, objective, x, row_dual, column_dual, 0)
    )


def _model_of(program: LinearProgram) -> Model:
    """Write arrays as a PuLP model; a row with two different limits becomes two rows."""
    model = Model("program")
    all_columns = np.ones(len(program.cost), np.bool_)
    whole = False if program.integer is None else program.integer
    columns = model.columns(
        all_columns, program.cost, lower=program.lower, upper=program.upper, integer=whole
    )
    entries = program.matrix.tocoo()
    for mask, sense, limit in _sides(program):
        rows = model.rows(mask, sense, limit)
        model.add(rows[entries.row], columns[entries.col], entries.data)
    return model


def _sides(program: LinearProgram) -> list[tuple[Bools, Sense, Floats]]:
    low, high = program.row_lower, program.row_upper
    equal = low == high
    return [
        (equal, Sense.EQUAL, low),
        (np.isfinite(low) & ~equal, Sense.AT_LEAST, low),
        (np.isfinite(high) & ~equal, Sense.AT_MOST, high),
    ]


def _row_duals(program: LinearProgram, prices: list[float]) -> Floats:
    """Add up the prices of a row's sides."""
    duals, first = np.zeros(len(program.row_lower)), 0
    for mask, _, _ in _sides(program):
        count = int(mask.sum())
        duals[mask] += prices[first : first + count]
        first += count
    return duals


def _solve(problem: Any, time_limit_s: float) -> str:
    """Run CBC and return PuLP's word for how it stopped."""
    options: dict[str, Any] = {"msg": False, "timeLimit": time_limit_s, "threads": 1}
    brought_along = getattr(pulp, "PULP_CBC_CMD", None)
    if brought_along is not None:
        options["path"] = brought_along.pulp_cbc_path
    solver = pulp.COIN_CMD(**options)
    if not solver.available():
        raise CbcMissing(say("said.plan.no_cbc"))
    answer = problem.solve(solver)
    status = getattr(answer, "status", answer)
    return str(pulp.LpStatus[status]) if isinstance(answer, int) else str(status.name)
