"""Worth of planning, sampling gap and stability, against closed forms and on many toy worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student

from nts_sim.planning.risk import Risk
from nts_sim.planning.solve import Highs
from nts_sim.planning.spending import spending_of, spread_of_spending
from nts_sim.planning.twostage import solve_two_stage
from nts_sim.planning.value import (
    fresh_batches,
    mean_sample,
    saa_gap,
    solve_batches,
    stability,
    worth,
    worth_of_planning,
)
from nts_sim.planning.variants import reduced
from tests.planning.toy_plans import newsvendor, random_futures, samples_of, toy_plan

MEAN = Risk()


def test_newsvendor_in_closed_form():
    """Cost 1, price 4, demands 10, 20, 60: buy 20 of 20; the mean's plan buys 30."""
    two_stage = newsvendor(np.array([10.0, 20.0, 60.0]))
    best = min(range(61), key=lambda x: x - 4.0 * np.minimum(x, [10, 20, 60]).mean())
    assert best == 60  # critical ratio 3/4 lies in the last third
    found = worth(two_stage, solve_two_stage(two_stage, MEAN, Highs()), Highs())
    assert found.plan == pytest.approx(60.0 - 4.0 * 30.0)
    assert found.wait_and_see == pytest.approx(-3.0 * 30.0)
    assert found.mean_plan == pytest.approx(30.0 - 4.0 * 20.0)
    assert found.evpi == pytest.approx(30.0)
    assert found.vss == pytest.approx(10.0)


def worths(seeds):
    highs = Highs()
    for seed in seeds:
        plan = toy_plan(seed)
        solution = solve_two_stage(plan.filled.two_stage, MEAN, highs, gap=1e-9)
        yield worth_of_planning(plan, solution, highs)


@pytest.mark.slow
def test_knowing_beats_planning_beats_the_mean_on_many_worlds():
    found = list(worths(range(24)))
    for one in found:
        slack = 1e-6 * max(1.0, abs(one.plan))
        assert one.wait_and_see <= one.plan_bound + slack
        assert one.plan_bound <= one.plan + slack
        assert one.plan <= one.mean_plan + slack
    assert sum(one.evpi > 1e-3 for one in found) >= 12
    assert sum(one.vss > 1e-3 for one in found) >= 6


def test_the_mean_need_is_worth_what_the_needs_are():
    two_stage = newsvendor(np.array([0.0, 30.0]))
    priced = replace(two_stage, cost=np.array([[0.0, 0.0], [0.0, -8.0]]))
    mean = mean_sample(priced)
    assert mean.upper[0, 1] == 15.0
    assert mean.cost[0, 1] == -8.0  # not −4: where nobody asks, nothing is said of the price


def test_gap_is_paired_and_bounded_by_student():
    demands = np.random.default_rng(3).uniform(0.0, 100.0, (6, 40))
    solved = solve_batches(lambda m: newsvendor(demands[m]), 6, MEAN, Highs())
    x_hat = np.array([30.0, 0.0])
    at_x = 30.0 - 4.0 * np.minimum(30.0, demands).mean(axis=1)
    best = np.sort(demands, axis=1)[:, 29]  # 75 % of 40; the cost is flat up to the next demand
    at_best = best - 4.0 * np.minimum(best[:, None], demands).mean(axis=1)
    gaps = at_x - at_best
    found = saa_gap(solved, x_hat, Highs())
    assert found.each == pytest.approx(gaps)
    assert found.gap == pytest.approx(gaps.mean())
    bound = gaps.mean() + student.ppf(0.95, 5) * gaps.std(ddof=1) / np.sqrt(6)
    assert found.bound_95 == pytest.approx(bound)
    true_gap = (30.0 - 4.0 * (30.0 - 4.5)) - (75.0 - 4.0 * (75.0 - 28.125))
    assert gaps.min() > 0.0
    assert found.bound_95 > true_gap


def test_one_batch_bounds_nothing():
    solved = solve_batches(lambda m: newsvendor(np.array([1.0, 2.0])), 1, MEAN, Highs())
    with pytest.raises(ValueError, match="two batches"):
        saa_gap(solved, np.zeros(2), Highs())


@pytest.mark.parametrize("kind", ["expectation", "mean_cvar", "minimax_regret"])
def test_the_best_first_stage_of_a_batch_has_no_gap(kind):
    demands = np.random.default_rng(5).uniform(0.0, 100.0, (1, 20)).repeat(2, axis=0)
    risk = Risk(kind, weight=0.5, level=0.8, best=np.zeros(20))
    solved = solve_batches(lambda m: newsvendor(demands[m]), 2, risk, Highs())
    found = saa_gap(solved, solved[0].solution.x, Highs())
    assert found.each == pytest.approx((0.0, 0.0), abs=1e-6)
    worse = saa_gap(solved, solved[0].solution.x * 0.5, Highs())
    assert min(worse.each) > 1.0


def batches_of(seed, n_batches=3):
    plan = toy_plan(seed)
    highs = Highs()
    solution = solve_two_stage(plan.filled.two_stage, MEAN, highs, gap=1e-9)
    rng = np.random.default_rng(20_000 + seed)
    drawn = [samples_of(random_futures(plan.world, rng, 3)) for _ in range(n_batches + 1)]
    made = fresh_batches(plan, solution, [[(1.0, plan.world, samples)] for samples in drawn])
    solved = solve_batches(lambda m: made.problems[m], n_batches, MEAN, highs, made.filled.start)
    return plan, solution, made, solved, highs


@pytest.mark.slow
def test_a_plan_is_a_plan_for_every_batch():
    for seed in range(12):
        _, _, made, solved, highs = batches_of(seed)
        gap = saa_gap(solved, made.x, highs, made.filled.start)
        assert min(gap.each) >= -1e-6 * max(1.0, *(abs(s.solution.objective) for s in solved))


def test_the_plans_own_samples_as_a_batch_show_no_gap():
    plan = toy_plan(3)
    highs = Highs()
    solution = solve_two_stage(plan.filled.two_stage, MEAN, highs, gap=1e-9)
    samples = samples_of(random_futures(plan.world, np.random.default_rng(10_003), 4))
    made = fresh_batches(plan, solution, [[(1.0, plan.world, samples)]] * 2)
    solved = solve_batches(lambda m: made.problems[m], 2, MEAN, highs, made.filled.start)
    found = solved[0].solution
    assert found.objective == pytest.approx(solution.objective, rel=1e-5)
    unproved = solution.objective - found.bound  # the bound is certified to 0.1 % only
    assert unproved <= 1e-3 * abs(found.bound)
    assert saa_gap(solved, made.x, highs).gap == pytest.approx(unproved, abs=1e-6)


def test_stability_tells_spread_of_spending_and_cost():
    plan, _, made, solved, highs = batches_of(4)
    found = stability(plan, made, solved, made.problems[-1], highs)
    assert len(found.values) == len(found.tested) == 3
    best = solve_two_stage(made.problems[-1], MEAN, highs, gap=1e-9).objective
    assert min(found.tested) >= best - 1e-6 * abs(best)
    same = stability(plan, made, (solved[0],) * 3, made.problems[-1], highs)
    assert same.tested_spread_percent == pytest.approx(0.0, abs=1e-9)
    assert all(row.share == 1.0 and row.sd == pytest.approx(0.0) for row in same.spending)
    assert found.tested_spread_percent > 0.0


def test_spending_adds_up_to_the_first_stages_cost():
    kinds = set()
    for seed in range(24):
        plan = toy_plan(seed)
        filled = plan.filled
        solution = solve_two_stage(filled.two_stage, MEAN, Highs())
        spent = spending_of(plan.world, filled, solution.x)
        price = (filled.template.program.cost - filled.template.surcharge)[filled.columns]
        release = np.isin(filled.columns, filled.template.columns.release)
        expected = float(price[~release] @ solution.x[~release])
        total = sum(amount for item, amount in spent.items() if item[0] != "draw")
        assert total == pytest.approx(expected, abs=1e-5)
        kinds |= {item[0] for item in spent}
    assert kinds >= {"buy", "post", "depot", "ready", "lend", "create"}


def test_spread_of_spending():
    rows = spread_of_spending([{("buy", "kit", "A"): 2.0}, {}, {("buy", "kit", "A"): 4.0}])
    assert (rows[0].mean, rows[0].sd, rows[0].share) == pytest.approx((2.0, 2.0, 2 / 3))


def test_reduced_samples_keep_the_mean_need_and_its_worth():
    plan = toy_plan(6, n_samples=9)
    need, less = plan.numbers.need, reduced(plan, 3).numbers.need
    assert len(less.probability) == 3
    for whole, part in (
        (need.probability @ need.harm, less.probability @ less.harm),
        (
            np.tensordot(need.probability, need.persons * need.worth, 1).sum(),
            np.tensordot(less.probability, less.persons * less.worth, 1).sum(),
        ),
    ):
        assert part == pytest.approx(whole)
    assert reduced(plan, 9) is plan
