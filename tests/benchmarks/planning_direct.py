"""The same arrays handed to highspy directly: what PuLP and our handle are compared with."""

from __future__ import annotations

from collections.abc import Callable

import highspy
import numpy as np
from scipy.sparse import coo_array

from nts_sim.planning.linear import Basis, LinearProgram
from nts_sim.planning.modelling import _SENSE, Model, Sense, _joined
from nts_sim.planning.solve import _PERTURBED, _to_highs
from tests.benchmarks.case import Sample


def arrays_of(model: Model) -> LinearProgram:
    """Assemble what was written into a model without PuLP; takes the place of `Model.export`."""
    cost, lower, upper, integer = _joined(model._columns, 4)
    row, column, value = _joined(model._terms, 3)
    limit, sense = np.concatenate((np.zeros(0), *model._limits)), np.array(model._senses)
    matrix = coo_array(
        (value, (row.astype(np.int64), column.astype(np.int64))), shape=(len(limit), len(cost))
    ).tocsc()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return LinearProgram(
        cost=cost, lower=lower, upper=upper,
        row_lower=np.where(sense == _SENSE[Sense.AT_MOST], -np.inf, limit),
        row_upper=np.where(sense == _SENSE[Sense.AT_LEAST], np.inf, limit),
        start=matrix.indptr.astype(np.int32), index=matrix.indices.astype(np.int32),
        value=matrix.data, integer=integer if integer.any() else None,
    )  # fmt: skip


def handed_over(program: LinearProgram) -> highspy.Highs:
    """Pass a program's arrays, its whole numbers relaxed, to a silent HiGHS of one thread."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.passModel(
        len(program.cost), len(program.row_lower), len(program.value),
        int(highspy.MatrixFormat.kColwise), int(highspy.ObjSense.kMinimize), program.offset,
        program.cost, program.lower, program.upper, program.row_lower, program.row_upper,
        program.start, program.index, program.value, np.zeros(len(program.cost), dtype=np.int32),
    )  # fmt: skip
    return highs


def solved_directly(program: LinearProgram, start: Basis) -> highspy.Highs:
    """Solve as our handle does: dual simplex from a basis, no presolve; nothing is checked."""
    highs = handed_over(program)
    for option, value in (
        ("solver", "simplex"), ("presolve", "off"), ("parallel", "off"),
        ("dual_simplex_cost_perturbation_multiplier", _PERTURBED),
    ):  # fmt: skip
        highs.setOptionValue(option, value)
    highs.setBasis(_to_highs(start))
    highs.run()
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return highs


def objective_of(highs: highspy.Highs) -> float:
    """What the last solve came to."""
    return float(highs.getInfo().objective_function_value)


def near(share: float) -> Callable[[Sample, Sample], bool]:
    """Both did as much work and came to objectives that agree to within a share."""

    def same(a: Sample, b: Sample) -> bool:
        return a.amount == b.amount > 0 and bool(
            np.allclose(np.asarray(a.output), np.asarray(b.output), rtol=share, atol=share)
        )

    return same
