"""Risk measures: programs give what sorting gives."""

from __future__ import annotations

import numpy as np
import pytest

from nts_sim.planning.risk import TIE, Risk, mean_weight, risk_of, risk_program, risk_weights
from nts_sim.planning.solve import Highs


def some_costs(seed: int, n: int = 9) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n)), rng.normal(0.0, 100.0, n)


def test_four_costs_by_hand():
    """Of 1, 2, 4 and 8 the worst half is 4 and 8: mean 6; the worst 3/8 are 8 and half of 4."""
    quarter, cost = np.full(4, 0.25), np.array([4.0, 1.0, 8.0, 2.0])
    assert risk_of(Risk(), quarter, cost) == pytest.approx(3.75)
    assert risk_of(Risk("mean_cvar", 1.0, 0.5), quarter, cost) == pytest.approx(6.0)
    worst = (0.25 * 8 + 0.125 * 4) / 0.375
    assert risk_of(Risk("mean_cvar", 1.0, 0.625), quarter, cost) == pytest.approx(worst)
    mixed = 0.75 * 3.75 + 0.25 * 8.0
    assert risk_of(Risk("mean_cvar", 0.25, 0.75), quarter, cost) == pytest.approx(mixed)
    best = np.array([3.0, 1.0, 2.0, 0.0])
    regret = risk_of(Risk("minimax_regret", best=best), quarter, cost)
    assert regret == pytest.approx(6.0 + TIE * 3.75)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("level", [0.0, 0.3, 0.9, 0.99])
def test_the_program_is_the_measure(seed, level):
    probability, cost = some_costs(seed)
    best = cost - np.random.default_rng(seed).random(9) * 50.0
    for risk in (
        Risk(),
        Risk("mean_cvar", 0.3, level),
        Risk("mean_cvar", 1.0, level),
        Risk("minimax_regret", best=best),
    ):
        program, columns = risk_program(risk, probability, cost)
        solution = Highs().solve(program)
        assert solution.objective == pytest.approx(risk_of(risk, probability, cost))
        if mean_weight(risk) > 0.0:  # else a sample outside the tail may cost more for nothing
            assert solution.x[columns.cost] == pytest.approx(cost)


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_slopes(seed):
    probability, cost = some_costs(seed)
    best, step = cost - np.arange(9.0) ** 2, 1e-6
    for risk in (Risk(), Risk("mean_cvar", 0.4, 0.7), Risk("minimax_regret", best=best)):
        weights = risk_weights(risk, probability, cost)
        for s in range(9):
            moved = cost + step * (np.arange(9) == s)
            slope = (risk_of(risk, probability, moved) - risk_of(risk, probability, cost)) / step
            assert slope == pytest.approx(weights[s], abs=1e-5)


def test_a_level_of_nought_is_the_mean_and_a_high_one_the_worst():
    probability, cost = some_costs(3)
    mean = float(probability @ cost)
    assert risk_of(Risk("mean_cvar", 1.0, 0.0), probability, cost) == pytest.approx(mean)
    assert risk_of(Risk("mean_cvar", 1.0, 1 - 1e-9), probability, cost) == pytest.approx(cost.max())


def test_settings_that_mean_nothing_are_refused():
    for wrong in ({"weight": 1.2}, {"weight": -0.1}, {"level": 1.0}, {"level": -0.5}):
        with pytest.raises(ValueError, match="weight"):
            Risk("mean_cvar", **wrong)
    with pytest.raises(ValueError, match="best"):
        Risk("minimax_regret")
