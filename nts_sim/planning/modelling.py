"""PuLP: programs written column block by column block and row family by row family.

The only module that builds PuLP problems. Blocks come as arrays; PuLP is given the whole problem
once, when it is exported, and what it then holds is read back into a `LinearProgram`. Works with
PuLP 3.3 and with PuLP 4, where variables and constraints live outside Python.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pulp
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array

from nts_sim.planning.linear import LinearProgram
from nts_sim.world.model import Bools, Floats, Ints

_PULP_4 = not hasattr(pulp, "LpConstraintVar")
"""PuLP 4 has constraints only inside problems, and wrappers made anew at each look."""


class Sense(StrEnum):
    """How a row's sum relates to its limit."""

    AT_MOST = "<="
    EQUAL = "="
    AT_LEAST = ">="


_SENSE = {
    Sense.AT_MOST: pulp.LpConstraintLE,
    Sense.EQUAL: pulp.LpConstraintEQ,
    Sense.AT_LEAST: pulp.LpConstraintGE,
}


class Model:
    """A minimisation while it is being written; lives for one build."""

    def __init__(self, name: str = "allocation") -> None:
        self._name = name
        self._columns: list[tuple[Floats, Floats, Floats, Bools]] = []
        self._senses: list[int] = []
        self._limits: list[Floats] = []
        self._terms: list[tuple[Ints, Ints, Floats]] = []
        self._n_columns = 0

    def columns(
        self,
        mask: Bools,
        cost: Floats | float,
        *,
        upper: Floats | float = 0.0,
        lower: Floats | float = 0.0,
        integer: Bools | bool = False,
    ) -> Ints:
        """Add a column wherever `mask` is true; costs and bounds are spread over the mask.

        Returns
        -------
        int array, shape of `mask`: the columns' numbers, -1 where there is none
        """
        numbers = _numbered(mask, self._n_columns)
        whole = np.broadcast_to(integer, mask.shape)[mask]
        self._columns.append(
            (_spread(cost, mask), _spread(lower, mask), _spread(upper, mask), whole)
        )
        self._n_columns += len(whole)
        return numbers

    def rows(self, mask: Bools, sense: Sense, limit: Floats | float = 0.0) -> Ints:
        """Add an empty row wherever `mask` is true.

        Returns
        -------
        int array, shape of `mask`: the rows' numbers, -1 where there is none
        """
        numbers = _numbered(mask, len(self._senses))
        limits = _spread(limit, mask)
        self._limits.append(limits)
        self._senses += [_SENSE[sense]] * len(limits)
        return numbers

    def add(self, rows: Ints, columns: Ints, coefficients: Floats | float) -> None:
        """Put coefficients where both the row and the column exist; equal places add up."""
        rows, columns, values = np.broadcast_arrays(rows, columns, coefficients)
        there = (rows >= 0) & (columns >= 0) & (values != 0.0)
        self._terms.append((rows[there], columns[there], values[there].astype(np.float64)))

    def export(self) -> LinearProgram:
        """Let PuLP build the problem and read it back into arrays."""
        with _no_collection():
            return export(*self.written())

    def written(
        self, columns: Sequence[str] | None = None, rows: Sequence[str] | None = None
    ) -> tuple[Any, list[Any]]:
        """Build the PuLP problem.

        Parameters
        ----------
        columns, rows : a name for each; numbered where None

        Returns
        -------
        (pulp.LpProblem, list of pulp.LpVariable in the order of the columns)
        """
        problem = pulp.LpProblem(self._name, pulp.LpMinimize)
        cost, lower, upper, integer = _joined(self._columns, 4)
        names = columns or [f"x{j}" for j in range(self._n_columns)]
        kinds = [pulp.LpInteger if whole else pulp.LpContinuous for whole in integer.tolist()]
        described = zip(names, _or_none(lower), _or_none(upper), kinds, strict=True)
        variables = [problem.add_variable(*one) for one in described]
        priced = np.flatnonzero(cost)
        pairs = zip(map(variables.__getitem__, priced.tolist()), cost[priced].tolist(), strict=True)
        problem += _expression(pairs, 0.0)
        self._write_rows(problem, variables, rows or [f"r{i}" for i in range(len(self._senses))])
        return problem, variables

    def lp_text(self, columns: Sequence[str], rows: Sequence[str]) -> str:
        """Write a small problem in LP format, with a name for each column and row."""
        problem, _ = self.written(columns, rows)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.lp"
            problem.writeLP(str(path))
            return path.read_text(encoding="utf-8")

    def _write_rows(self, problem: Any, variables: list[Any], names: Sequence[str]) -> None:
        row, column, value = _joined(self._terms, 3)
        shape = (len(self._senses), self._n_columns)
        place = (row.astype(np.int64), column.astype(np.int64))
        matrix = coo_array((value, place), shape=shape).tocsr()
        matrix.eliminate_zeros()
        held, values = [variables[j] for j in matrix.indices.tolist()], matrix.data.tolist()
        starts = matrix.indptr.tolist()
        limits = np.concatenate((np.zeros(0), *self._limits)).tolist()
        for i, (name, sense, limit) in enumerate(zip(names, self._senses, limits, strict=True)):
            part = slice(starts[i], starts[i + 1])
            expression = _expression(zip(held[part], values[part], strict=True), -limit)
            problem.addConstraint(_constraint(expression, sense), name)


def _numbered(mask: Bools, first: int) -> Ints:
    """Count on from `first` where the mask is true; -1 elsewhere."""
    numbers = np.full(mask.shape, -1, dtype=np.int64)
    numbers[mask] = np.arange(first, first + int(mask.sum()))
    return numbers


def _spread(values: Floats | float, mask: Bools) -> Floats:
    return np.broadcast_to(np.asarray(values, dtype=np.float64), mask.shape)[mask]


def _joined(blocks: Sequence[tuple[NDArray[Any], ...]], width: int) -> list[NDArray[Any]]:
    """Concatenate blocks part by part; `width` empty arrays where there is no block."""
    if not blocks:
        return [np.zeros(0)] * width
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def _or_none(bounds: Floats) -> list[float | None]:
    return [bound if math.isfinite(bound) else None for bound in bounds.tolist()]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from walking a problem that only grows: a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# --- where PuLP 3.3 and PuLP 4 differ ---------------------------------------------------------


def _expression(pairs: Iterable[tuple[Any, float]], constant: float) -> Any:
    """Σ coefficient · variable + constant."""
    if _PULP_4:
        return pulp.LpAffineExpression.from_list(pairs, constant)
    return pulp.LpAffineExpression(pairs, constant)


def _constraint(expression: Any, sense: int) -> Any:
    """State that an expression is (at most, equal to, at least) 0, outside any problem yet."""
    if _PULP_4:
        expression.sense = sense
        return expression
    return pulp.LpConstraint(expression, sense)


def _keys(elements: Iterable[Any]) -> Iterable[int]:
    """Tell variables apart; PuLP 4 wraps a variable anew at each look, under the same number."""
    return (element.id for element in elements) if _PULP_4 else map(id, elements)


def _entries(rows: Sequence[Any]) -> tuple[list[int], Iterable[int], Iterable[float]]:
    """Entries of each row, counted, and the keys and values of all of them in order."""
    if _PULP_4:  # looking at a row copies it, so it is looked at once
        held = [row.items() for row in rows]
        flat = list(chain.from_iterable(held))
        return [len(pairs) for pairs in held], (v.id for v, _ in flat), (c for _, c in flat)
    keys = map(id, chain.from_iterable(row.keys() for row in rows))
    return [len(row) for row in rows], keys, chain.from_iterable(row.values() for row in rows)


def export(problem: Any, variables: Sequence[Any]) -> LinearProgram:
    """Read a PuLP problem into arrays; columns in the order of `variables`, rows as added."""
    if problem.sense != pulp.LpMinimize:
        raise ValueError("only minimisation is exported: dual signs would flip")
    column = {key: at for at, key in enumerate(_keys(variables))}
    rows = problem.constraints()
    counts, keys, values = _entries(rows)
    starts = np.concatenate(([0], np.cumsum(np.array(counts, dtype=np.int64))))
    places = np.fromiter(map(column.__getitem__, keys), dtype=np.int64, count=starts[-1])
    entries = np.fromiter(values, dtype=np.float64, count=starts[-1])
    matrix = csr_array((entries, places, starts), shape=(len(rows), len(variables))).tocsc()
    matrix.sort_indices()
    return _program(problem, variables, column, matrix)


def _program(
    problem: Any, variables: Sequence[Any], column: dict[int, int], matrix: csc_array
) -> LinearProgram:
    rows = problem.constraints()
    limit = np.array([-row.constant for row in rows], dtype=np.float64) + 0.0
    sense = np.array([row.sense for row in rows], dtype=np.int64)
    cost = np.zeros(len(variables))
    objective = problem.objective
    if objective is not None:
        cost[[column[key] for key in _keys(objective.keys())]] = list(objective.values())
    integer = np.array([variable.cat == pulp.LpInteger for variable in variables], dtype=np.bool_)
    return LinearProgram(
        cost=cost,
        lower=np.array([_or_inf(v.lowBound, -1.0) for v in variables], dtype=np.float64),
        upper=np.array([_or_inf(v.upBound, 1.0) for v in variables], dtype=np.float64),
        row_lower=np.where(sense == pulp.LpConstraintLE, -np.inf, limit),
        row_upper=np.where(sense == pulp.LpConstraintGE, np.inf, limit),
        start=matrix.indptr.astype(np.int32),
        index=matrix.indices.astype(np.int32),
        value=matrix.data,
        offset=float(objective.constant) if objective is not None else 0.0,
        integer=integer if integer.any() else None,
    )


def _or_inf(bound: float | None, sign: float) -> float:
    return sign * np.inf if bound is None else float(bound)
