"""Breakeven: the change is found where algebra says, and only there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nts_sim.luck.draws import DrawSet, Luck, Stream
from nts_sim.outcomes.insight.breakeven import (
    Breakeven,
    against_best_rival,
    breakeven,
    breakeven_table,
)

_NOISE = Luck(5, DrawSet.PLANNING, 0).uniform(Stream.ORDER, 1, np.arange(400)) - 0.5
_NOISE -= _NOISE.mean()
"""Luck that all values share, of mean 0."""


def _toy(mean: Callable[[float], float], scale: float = 0.0) -> Callable[[float], np.ndarray]:
    return lambda value: mean(value) + scale * _NOISE


def test_a_straight_line_changes_sign_where_it_should() -> None:
    found = breakeven(_toy(lambda v: 3.0 * (v - 7.31)), 5.0, 0.0, 10.0, tolerance=0.01)
    assert found.nearest is not None and found.nearest.side == "up"
    assert found.nearest.near <= 7.31 <= found.nearest.far
    assert found.nearest.far - found.nearest.near <= 0.0101
    assert len(found.crossings) == 1 and len(found.points) < 20


@pytest.mark.parametrize(("root", "side"), [(1.7, "down"), (4.2, "up")])
def test_a_curve_is_found_on_either_side(root: float, side: str) -> None:
    """exp and cubic toys; the shipped value is 3."""
    sign = -1.0 if side == "down" else 1.0
    for shape in (lambda v: sign * (np.exp(v) - np.exp(root)), lambda v: sign * (v - root) ** 3):
        found = breakeven(_toy(shape), 3.0, 0.0, 6.0, tolerance=1e-3)
        assert found.nearest is not None and found.nearest.side == side
        assert abs(found.nearest.at - root) <= 1e-3


def test_the_smaller_of_two_changes_comes_first() -> None:
    found = breakeven(_toy(lambda v: (v - 2.0) * (v - 9.0)), 3.0, 0.0, 12.0, tolerance=0.01)
    assert [crossing.side for crossing in found.crossings] == ["down", "up"]
    assert np.allclose([crossing.at for crossing in found.crossings], [2.0, 9.0], atol=0.01)


def test_running_again_beside_the_breakeven_flips_the_winner() -> None:
    evaluate = _toy(lambda v: np.tanh(v - 1.23) + 0.2, scale=0.5)
    found = breakeven(evaluate, 0.0, -4.0, 4.0, tolerance=1e-3).nearest
    assert found is not None
    assert evaluate(found.at - 2e-3).mean() < 0.0 < evaluate(found.at + 2e-3).mean()


def test_no_change_is_said_to_be_none() -> None:
    found = breakeven(_toy(lambda v: -1.0 - v * v), 0.5, -2.0, 2.0)
    assert found.nearest is None and found.crossings == ()
    assert {found.points[0].value, found.points[-1].value} == {-2.0, 2.0}


def test_where_neither_is_told_better_is_reported() -> None:
    """The difference is v − 5 with an interval of ± h: untold for |v − 5| < h."""
    half = float(1.966 * _NOISE.std(ddof=1) * 20.0 / np.sqrt(400))
    found = breakeven(_toy(lambda v: v - 5.0, scale=20.0), 1.0, 0.0, 10.0, tolerance=0.02).nearest
    assert found is not None
    assert found.unsure_near == pytest.approx(5.0 - half, abs=0.03)
    assert found.unsure_far == pytest.approx(5.0 + half, abs=0.03)


def test_what_is_never_told_is_unsure_from_the_value_in_use_to_the_end() -> None:
    found = breakeven(_toy(lambda v: 0.001 * (v - 5.0), scale=20.0), 4.0, 0.0, 10.0).nearest
    assert found is not None
    assert (found.unsure_near, found.unsure_far) == (4.0, 10.0)


def test_whole_numbers_are_never_halved() -> None:
    found = breakeven(_toy(lambda v: v - 6.5), 2, 0, 40, whole=True, tolerance=1.0)
    assert found.nearest is not None
    assert (found.nearest.near, found.nearest.far) == (6.0, 7.0)
    assert all(point.value == round(point.value) for point in found.points)


def test_each_value_is_run_once() -> None:
    asked: list[float] = []

    def evaluate(value: float) -> np.ndarray:
        asked.append(value)
        return np.array([value - 3.3, value - 3.1])

    breakeven(evaluate, 1.0, 0.0, 8.0)
    assert len(asked) == len(set(asked))


def test_a_wrong_start_is_a_fault() -> None:
    with pytest.raises(ValueError, match="not so at the value in use"):
        breakeven(_toy(lambda v: 1.0), 1.0, 0.0, 2.0)
    with pytest.raises(ValueError, match="not between"):
        breakeven(_toy(lambda v: -1.0), 3.0, 0.0, 2.0)


def test_the_rival_is_the_best_of_the_others() -> None:
    values = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 3.0]), "c": np.array([2.0, 2.0])}
    rival, differences = against_best_rival(values, "a")
    assert rival == "c" and differences.tolist() == [-1.0, 0.0]


def test_the_result_table_is_the_declared_one() -> None:
    found: Breakeven = breakeven(_toy(lambda v: v - 2.0, scale=1.0), 1.0, 0.0, 4.0)
    table = breakeven_table(found, "fund.balance_factor", "storm", "plan", lambda v: "practice",
                            "total_burden_bn_vnd", "bn VND")  # fmt: skip
    assert len(table) == len(found.points) and table["shipped"].sum() == 1
