"""Models: what is written as blocks is what PuLP holds and what comes out as arrays."""

from __future__ import annotations

import numpy as np
import pulp
import pytest

from nts_sim.planning.modelling import Model, Sense, export

EVERY = np.ones(3, np.bool_)


def small_model() -> Model:
    model = Model("small")
    ship = model.columns(np.array([True, False, True]), np.array([1.0, 9.0, 2.0]), upper=np.inf)
    is_open = model.columns(np.ones(1, np.bool_), 5.0, upper=1.0, integer=True)
    need = model.rows(EVERY, Sense.AT_LEAST, np.array([4.0, 0.0, 3.0]))
    model.add(need, ship, np.array([1.0, 1.0, 0.5]))
    model.add(need, is_open, np.array([0.0, 1.0, 0.0]))
    total = model.rows(np.ones(1, np.bool_), Sense.AT_MOST, 8.0)
    model.add(total, ship, 1.0)
    model.add(total, is_open, -2.0)
    return model


def test_numbers_follow_the_mask():
    model = Model()
    first = model.columns(np.array([[True, False], [False, True]]), 0.0)
    assert first.tolist() == [[0, -1], [-1, 1]]
    assert model.columns(np.array([False, True]), 0.0).tolist() == [-1, 2]
    assert model.rows(np.array([False, True]), Sense.EQUAL).tolist() == [-1, 0]
    assert model.rows(EVERY, Sense.EQUAL).tolist() == [1, 2, 3]


def test_arrays_are_what_was_written():
    program = small_model().export()
    expected = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.5, 0.0], [1.0, 1.0, -2.0]]
    assert program.matrix.toarray().tolist() == expected
    assert program.cost.tolist() == [1.0, 2.0, 5.0]
    assert program.upper.tolist() == [np.inf, np.inf, 1.0]
    assert program.lower.tolist() == [0.0, 0.0, 0.0]
    assert program.row_lower.tolist() == [4.0, 0.0, 3.0, -np.inf]
    assert program.row_upper.tolist() == [np.inf, np.inf, np.inf, 8.0]
    assert program.integer is not None
    assert program.integer.tolist() == [False, False, True]


def test_the_text_reads_as_the_model():
    text = small_model().lp_text(
        ["ship_north", "ship_south", "open_depot"], ["need_0", "need_1", "need_2", "total"]
    )
    assert text == "\n".join((
        "\\* small *\\", "Minimize", "OBJ: 5 open_depot + ship_north + 2 ship_south",
        "Subject To", "need_0: ship_north >= 4", "need_1: open_depot >= 0",
        "need_2: 0.5 ship_south >= 3", "total: - 2 open_depot + ship_north + ship_south <= 8",
        "Binaries", "open_depot", "End", "",
    ))  # fmt: skip


def test_equal_places_add_up_and_what_cancels_is_gone():
    model = Model()
    x = model.columns(np.ones(2, np.bool_), 1.0, upper=1.0)
    row = model.rows(np.ones(1, np.bool_), Sense.AT_MOST, 1.0)
    model.add(row[:, None], x[None], np.array([[2.0, 1.0]]))
    model.add(row[:, None], x[None], np.array([[3.0, -1.0]]))
    program = model.export()
    assert program.matrix.toarray().tolist() == [[5.0, 0.0]]
    assert len(program.value) == 1


def test_a_column_without_rows_or_cost_is_still_there():
    model = Model()
    model.columns(EVERY, 0.0, lower=-np.inf, upper=np.array([1.0, np.inf, 0.0]))
    program = model.export()
    assert program.lower.tolist() == [-np.inf] * 3
    assert program.upper.tolist() == [1.0, np.inf, 0.0]
    assert program.matrix.shape == (0, 3)


def test_a_model_of_nothing_is_a_program_of_nothing():
    program = Model().export()
    assert len(program.cost) == len(program.row_lower) == len(program.value) == 0


def test_large_numbers_survive_to_the_last_bit():
    rng = np.random.default_rng(7)
    values, costs = (
        rng.normal(size=(40, 60)) * 10.0 ** rng.integers(-9, 9, (40, 60)),
        rng.normal(size=60),
    )
    model = Model()
    x = model.columns(np.ones(60, np.bool_), costs)
    limit = rng.normal(size=40)
    model.add(model.rows(np.ones(40, np.bool_), Sense.EQUAL, limit)[:, None], x[None], values)
    program = model.export()
    assert np.array_equal(program.matrix.toarray(), values)
    assert np.array_equal(program.cost, costs)
    assert np.array_equal(program.row_upper, limit)


def test_export_refuses_maximisation():
    with pytest.raises(ValueError, match="minimisation"):
        export(pulp.LpProblem("wrong", pulp.LpMaximize), [])
