"""The L-shaped method: cuts hold everywhere, bounds enclose, answers repeat."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning import decompose
from nts_sim.planning.decompose import solve_l_shaped
from nts_sim.planning.linear import Status
from nts_sim.planning.recourse import Recourse
from nts_sim.planning.risk import Risk
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import evaluate_first_stage, solve_two_stage
from tests.planning.test_twostage import every_risk, random_problem


@pytest.mark.parametrize("seed", range(4))
def test_a_cut_touches_where_it_is_taken_and_undercuts_elsewhere(seed):
    problem, rng = random_problem(seed), np.random.default_rng(seed)
    recourse = Recourse(problem, 60.0)
    points = np.vstack((np.zeros(3), rng.uniform(0, 5, (12, 3))))
    whole = np.zeros((len(points), 10))
    whole[:, :3] = points
    first = problem.program.cost[:3]
    known = np.array(
        [evaluate_first_stage(problem, x, Highs()) - first @ x[:3] for x in whole]
    )  # [point, sample]
    for s in range(problem.n_samples):
        for at, x in enumerate(points):
            right = recourse.cut(s, recourse.answer(s, x).row_dual)
            assert right.constant + right.slope @ x == pytest.approx(known[at, s], abs=1e-6)
            wrong = recourse.cut(s, rng.uniform(0, 1, 4))
            for cut in (right, wrong):
                values = cut.constant + points @ cut.slope
                assert np.all(values <= known[:, s] + 1e-6)


def test_what_no_sample_undercuts_holds():
    problem = random_problem(2)
    lowest = Recourse(problem, 60.0).lowest()
    solution = solve_l_shaped(problem, Risk(), gap=1e-6)
    first = problem.program.cost[:3] @ solution.x[:3]
    assert np.all(lowest <= solution.sample_cost - first + 1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_many_samples_are_solved_to_the_gap_asked_for(seed):
    problem = random_problem(seed, samples=80)
    for risk in every_risk(problem):
        truth = solve_two_stage(problem, risk, Highs(), how="deterministic equivalent").objective
        for gap in (1e-2, 1e-3, 1e-6):
            found = solve_l_shaped(problem, risk, gap=gap)
            assert found.gap <= gap + 1e-12
            assert found.bound <= truth + 1e-6 * max(1.0, abs(truth))
            assert truth <= found.objective + 1e-6 * max(1.0, abs(truth))
            assert found.status in (Status.OPTIMAL, Status.GAP_LIMIT)


def test_answers_repeat_to_the_last_bit():
    problem = random_problem(5, samples=40)
    one, two = (solve_l_shaped(problem, Risk("mean_cvar", 0.5, 0.9)) for _ in range(2))
    assert np.array_equal(one.x, two.x)
    assert np.array_equal(one.y, two.y)
    assert one.iterations == two.iterations


def test_the_best_plan_and_its_bound_are_returned_when_time_is_up(monkeypatch):
    """The clock jumps past the limit once a plan and the master's first bound are known."""
    problem = random_problem(7, samples=60)
    truth = solve_two_stage(problem, Risk(), Highs(), how="deterministic equivalent").objective
    solve_master = decompose.Master.solve
    asked = []

    def late(master, limit_s):
        asked.append(limit_s)
        solution = solve_master(master, limit_s)
        real = time.perf_counter
        monkeypatch.setattr(decompose.time, "perf_counter", lambda: real() + 1e4)
        return solution

    monkeypatch.setattr(decompose.Master, "solve", late)
    monkeypatch.setattr(decompose, "FEW", 1)
    cut = solve_l_shaped(problem, Risk(), gap=1e-9, time_limit_s=100.0)
    assert len(asked) == 1
    assert cut.status is Status.TIME_LIMIT
    assert -np.inf < cut.bound <= truth + 1e-6 <= cut.objective + 2e-6
    assert cut.gap > 0.0


def test_own_whole_numbers_are_refused_by_name():
    problem = random_problem(0, whole=True)
    integer = np.ones(10, np.bool_)
    everywhere = type(problem)(
        **{**vars(problem), "program": problem.program.with_(integer=integer)}
    )
    with pytest.raises(ValueError, match="first-stage"):
        solve_l_shaped(everywhere, Risk())
    stacked = solve_two_stage(everywhere, Risk(), Highs(), gap=1e-6)
    assert stacked.how == "deterministic equivalent"
    assert np.allclose(stacked.y, np.round(stacked.y), atol=1e-6)


def test_a_sample_without_any_answer_is_named():
    problem = random_problem(0)
    row_lower, row_upper = problem.row_lower.copy(), problem.row_upper.copy()
    row_lower[3, 0], row_upper[3, 0] = 1.0, -1.0
    broken = type(problem)(**{**vars(problem), "row_lower": row_lower, "row_upper": row_upper})
    with pytest.raises(NoAcceptableSolution):
        solve_l_shaped(broken, Risk())
