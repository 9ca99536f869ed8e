"""The deterministic equivalent: all samples stacked into one program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csc_array

from nts_sim.planning.linear import Basis, Ints32, LinearProgram
from nts_sim.planning.risk import Risk, RiskColumns, risk_program
from nts_sim.planning.stages import TwoStage
from nts_sim.world.model import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the stacked program keeps what.

    Columns: shared, then own columns sample by sample, then the risk program's. Rows: the first
    stage's, then own rows sample by sample, then the risk program's, then one per sample that
    carries its cost into the risk program.

    Attributes
    ----------
    shared : slice of columns; own : int array [kept, own]; risk : slice of columns
    first_rows : slice of rows; own_rows : int array [kept, own row]
    risk_rows, carry : slices of rows
    columns : the risk program's own numbers, to be counted from where `risk` starts
    """

    shared: slice
    own: Ints
    risk: slice
    first_rows: slice
    own_rows: Ints
    risk_rows: slice
    carry: slice
    columns: RiskColumns | None


Measure = tuple[LinearProgram, RiskColumns]


def deterministic_equivalent(two_stage: TwoStage, risk: Risk) -> tuple[LinearProgram, Layout]:
    """Stack all samples. The mean alone prices own columns directly and needs no risk program."""
    every = np.arange(two_stage.n_samples)
    if risk.kind == "expectation":
        return stacked(two_stage, None, every)
    return stacked(two_stage, risk_program(risk, two_stage.probability), every)


def stacked(
    two_stage: TwoStage, measure: Measure | None, kept: Ints
) -> tuple[LinearProgram, Layout]:
    """Stack the first stage, some samples and the risk program over all of them.

    Parameters
    ----------
    measure : None prices own columns by their sample's probability
    kept : int array, samples whose own columns and rows are part of the program
    """
    parts, program = two_stage.parts, two_stage.program
    own, rows = np.ix_(kept, parts.own), np.ix_(kept, parts.own_rows)
    layout = _layout(two_stage, measure, len(kept))
    matrix = _matrix(two_stage, measure, kept, layout)
    weight = two_stage.probability[kept] * (measure is None)
    extra = _NOTHING if measure is None else measure[0]
    carried = two_stage.offset[kept][: layout.carry.stop - layout.carry.start]
    first_lower, first_upper = two_stage.first_limits
    own_cost = weight[:, None] * two_stage.cost[own]
    made = LinearProgram(
        cost=_stack(program.cost[parts.shared], own_cost, extra.cost),
        lower=_stack(program.lower[parts.shared], two_stage.lower[own], extra.lower),
        upper=_stack(program.upper[parts.shared], two_stage.upper[own], extra.upper),
        row_lower=_stack(first_lower, two_stage.row_lower[rows], extra.row_lower, carried),
        row_upper=_stack(
            first_upper, two_stage.row_upper[rows], extra.row_upper, np.full(len(carried), np.inf)
        ),
        start=matrix.indptr.astype(np.int32),
        index=matrix.indices.astype(np.int32),
        value=matrix.data,
        offset=program.offset + float(weight @ two_stage.offset[kept]),
        integer=_integers(two_stage, len(kept), len(extra.cost)),
    )
    return made, layout


def _stack(*parts: Floats) -> Floats:
    return np.concatenate([part.ravel() for part in parts])


def _integers(two_stage: TwoStage, n: int, extra: int) -> Bools | None:
    integer = two_stage.program.integer
    if integer is None:
        return None
    own = np.tile(two_stage.own_integers(), n)
    return np.concatenate((integer[two_stage.parts.shared], own, np.zeros(extra, np.bool_)))


_EMPTY = np.zeros(0)
_NOTHING = LinearProgram(
    _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, np.zeros(1, dtype=np.int32),
    np.zeros(0, dtype=np.int32), _EMPTY,
)  # fmt: skip


Entries = tuple[Ints, Ints | Ints32, Floats]
"""Rows, columns and values of a part of a matrix."""


def _matrix(two_stage: TwoStage, measure: Measure | None, kept: Ints, layout: Layout) -> csc_array:
    """Set up the block matrix; its last block row says F_s − q_s · y_s ≥ offset_s."""
    parts = two_stage.parts
    first, link, recourse = (part.tocoo() for part in (parts.first, parts.link, parts.recourse))
    entries = [
        (first.row, first.col, first.data),
        _repeated(layout.own_rows[:, link.row], link.col, link.data),
        _repeated(layout.own_rows[:, recourse.row], layout.own[:, recourse.col], recourse.data),
    ]
    if measure is not None:
        program, columns = measure
        risk, carry = program.matrix.tocoo(), layout.carry.start
        priced = two_stage.cost[np.ix_(kept, parts.own)]
        sample, column = np.nonzero(priced)
        ones, every = np.ones(len(kept)), np.arange(len(kept))
        entries += [
            (layout.risk_rows.start + risk.row, layout.risk.start + risk.col, risk.data),
            (carry + sample, layout.own[sample, column], -priced[sample, column]),
            (carry + every, layout.risk.start + columns.cost[kept], ones),
        ]
    row, column, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    shape = (layout.carry.stop, layout.risk.stop)
    matrix = csc_array(coo_array((value, (row, column)), shape=shape))
    matrix.sort_indices()
    return matrix


def _repeated(rows: Ints, columns: Ints | Ints32, values: Floats) -> Entries:
    """Repeat entries of a block for each sample; rows are [kept, entry]."""
    column = np.broadcast_to(columns.astype(np.int64), rows.shape)
    return rows.ravel(), column.ravel(), np.broadcast_to(values, rows.shape).ravel()


def _layout(two_stage: TwoStage, measure: Measure | None, n: int) -> Layout:
    parts = two_stage.parts
    x, y = len(parts.shared), len(parts.own)
    first, rows = len(parts.first_rows), len(parts.own_rows)
    risk_columns = 0 if measure is None else len(measure[0].cost)
    risk_rows = 0 if measure is None else len(measure[0].row_lower)
    end, below = x + n * y, first + n * rows
    return Layout(
        shared=slice(0, x),
        own=x + np.arange(n * y).reshape(n, y),
        risk=slice(end, end + risk_columns),
        first_rows=slice(0, first),
        own_rows=first + np.arange(n * rows).reshape(n, rows),
        risk_rows=slice(below, below + risk_rows),
        carry=slice(below + risk_rows, below + risk_rows + (0 if measure is None else n)),
        columns=None if measure is None else measure[1],
    )


_AT_LOWER, _BASIC, _AT_ZERO = 0, 1, 3


def tiled(start: Basis, two_stage: TwoStage, layout: Layout) -> Basis:
    """Spread one sample's starting basis over all samples; sample costs are basic."""
    parts, n = two_stage.parts, len(layout.own)
    risk = np.full(layout.risk.stop - layout.risk.start, _AT_LOWER)
    if layout.columns is not None:
        risk[layout.columns.cost] = _BASIC
        risk[layout.columns.threshold[layout.columns.threshold >= 0]] = _AT_ZERO
        risk[layout.columns.worst[layout.columns.worst >= 0]] = _AT_ZERO
    return Basis(
        columns=np.concatenate(
            (start.columns[parts.shared], np.tile(start.columns[parts.own], n), risk)
        ),
        rows=np.concatenate(
            (
                start.rows[parts.first_rows],
                np.tile(start.rows[parts.own_rows], n),
                np.full(layout.risk_rows.stop - layout.risk_rows.start, _BASIC),
                np.full(layout.carry.stop - layout.carry.start, _AT_LOWER),
            )
        ),
    )
