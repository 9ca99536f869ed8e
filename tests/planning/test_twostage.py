"""Two stages: published and closed optima, enumeration, and both ways of solving agree."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.linear import Status, violations
from nts_sim.planning.modelling import Model, Sense
from nts_sim.planning.risk import risk_of
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import (
    Risk,
    TwoStage,
    TwoStageSolution,
    deterministic_equivalent,
    evaluate_first_stage,
    solve_two_stage,
    wait_and_see,
)

WAYS = ("deterministic equivalent", "L-shaped")
TIGHT = 1e-7


def solved(problem: TwoStage, risk: Risk, how: str, gap: float = TIGHT) -> TwoStageSolution:
    return solve_two_stage(problem, risk, Highs(gap=TIGHT), gap=gap, how=how)


def newsvendor(demand: np.ndarray, probability: np.ndarray, price=5.0, cost=3.0, scrap=1.0):
    """Buy x at `cost` before demand is known; sell at `price`, return the rest at `scrap`."""
    model = Model()
    one = np.ones(1, np.bool_)
    bought = model.columns(one, cost, upper=1e4)
    sold, left = (model.columns(one, 0.0, upper=np.inf) for _ in range(2))
    balance = model.rows(one, Sense.EQUAL)
    for columns, sign in ((sold, 1.0), (left, 1.0), (bought, -1.0)):
        model.add(balance, columns, sign)
    program, n = model.export(), len(demand)
    upper = np.tile(program.upper, (n, 1))
    upper[:, 1] = demand
    return two_stage(
        program, 1, probability, cost=np.tile([0.0, -price, -scrap], (n, 1)), upper=upper
    )


def two_stage(program, n_shared, probability, **arrays) -> TwoStage:
    """Shared columns come first; what is not given is the program's own in every sample."""
    n = len(probability)
    spread = {
        name: np.tile(getattr(program, name), (n, 1))
        for name in ("lower", "upper", "row_lower", "row_upper")
    }
    return TwoStage(
        program=program,
        shared=np.arange(len(program.cost)) < n_shared,
        probability=probability,
        offset=np.zeros(n),
        **{**spread, **arrays},
    )


def random_problem(seed: int, samples: int = 6, whole: bool = False) -> TwoStage:
    """Three things to buy in advance and three at a surcharge, for four random needs."""
    rng = np.random.default_rng(seed)
    model = Model()
    x = model.columns(np.ones(3, np.bool_), rng.uniform(1, 4, 3), upper=8.0, integer=whole)
    y = model.columns(np.ones(3, np.bool_), 0.0, upper=30.0)
    short = model.columns(np.ones(4, np.bool_), 0.0, upper=np.inf)
    need = model.rows(np.ones(4, np.bool_), Sense.AT_LEAST)
    use = rng.uniform(0.2, 1.0, (4, 3)) * (rng.random((4, 3)) < 0.8)
    model.add(need[:, None], x[None], use)
    model.add(need[:, None], y[None], use)
    model.add(need, short, 1.0)
    model.add(model.rows(np.ones(1, np.bool_), Sense.AT_MOST, 15.0)[:, None], x[None], 1.0)
    program = model.export()
    row_lower = np.tile(program.row_lower, (samples, 1))
    row_lower[:, :4] = rng.gamma(2.0, 3.0, (samples, 4)) * rng.choice([0.3, 1, 3], (samples, 1))
    cost = np.zeros((samples, 10))
    cost[:, 3:6] = program.cost[:3] * rng.uniform(1.1, 2.5, (samples, 3))
    cost[:, 6:] = rng.uniform(4, 15, 4)
    lower = np.tile(program.lower, (samples, 1))
    upper = np.tile(program.upper, (samples, 1))
    upper[:, 3:6] = rng.uniform(0, 6, (samples, 3))
    made = two_stage(
        program, 3, rng.dirichlet(np.ones(samples)),
        row_lower=row_lower, cost=cost, lower=lower, upper=upper,
    )  # fmt: skip
    return TwoStage(**{**vars(made), "offset": rng.normal(size=samples)})


def every_risk(problem: TwoStage) -> list[Risk]:
    best = wait_and_see(problem, Highs())
    return [
        Risk(),
        Risk("mean_cvar", 0.5, 0.8),
        Risk("mean_cvar", 1.0, 0.5),
        Risk("minimax_regret", best=best),
    ]


def farmer() -> TwoStage:
    """Birge and Louveaux, Introduction to Stochastic Programming, section 1.1.

    500 acres of wheat, corn and sugar beets; yields are average or 20 % off, alike for all crops.
    Published: wait and see −115,406, here and now −108,390, plan for the mean −107,240.
    """
    model = Model("farmer")
    acres = model.columns(np.ones(3, np.bool_), np.array([150.0, 230.0, 260.0]), upper=500.0)
    bought = model.columns(np.ones(2, np.bool_), 0.0, upper=np.inf)
    sold = model.columns(np.ones(4, np.bool_), 0.0, upper=np.inf)
    # The matrix is one for all years, so what each kind of year would yield follows from the
    # acres, and a year may use its own harvest only.
    harvest = model.columns(np.ones((3, 3), np.bool_), 0.0, upper=np.inf)
    tons = np.outer([1.2, 1.0, 0.8], [2.5, 3.0, 20.0])
    grown = model.rows(np.ones((3, 3), np.bool_), Sense.EQUAL)
    model.add(grown, harvest, 1.0)
    model.add(grown, np.broadcast_to(acres, (3, 3)), -tons)
    land = model.rows(np.ones(1, np.bool_), Sense.AT_MOST, 500.0)
    model.add(land[:, None], acres[None], 1.0)
    used = model.columns(np.ones((3, 3), np.bool_), 0.0, upper=np.inf)
    limit = model.rows(np.ones((3, 3), np.bool_), Sense.AT_MOST)
    model.add(limit, used, 1.0)
    model.add(limit, harvest, -1.0)
    need = model.rows(np.ones(3, np.bool_), Sense.AT_LEAST, np.array([200.0, 240.0, 0.0]))
    model.add(need[None], used, 1.0)
    model.add(need[:2], bought, 1.0)
    model.add(need, sold[:3], -1.0)
    model.add(need[2:], sold[3:], -1.0)
    program = model.export()
    shared = np.zeros(len(program.cost), np.bool_)
    shared[acres] = shared[harvest] = True
    cost = np.zeros((3, len(program.cost)))
    cost[:, bought], cost[:, sold] = [238.0, 210.0], [-170.0, -150.0, -36.0, -10.0]
    upper = np.tile(program.upper, (3, 1))
    upper[:, sold[2]] = 6000.0
    for year, other in product(range(3), range(3)):
        if year != other:
            upper[year, used[other]] = 0.0
    made = two_stage(program, 0, np.full(3, 1 / 3), cost=cost, upper=upper)
    return TwoStage(**{**vars(made), "shared": shared})


@pytest.mark.parametrize("how", WAYS)
def test_the_farmer_earns_what_is_published(how):
    problem = farmer()
    solution = solved(problem, Risk(), how)
    assert solution.objective == pytest.approx(-108390.0, abs=0.5)
    assert solution.x[:3] == pytest.approx([170.0, 80.0, 250.0], abs=1e-4)
    known = wait_and_see(problem, Highs())
    assert float(problem.probability @ known) == pytest.approx(-115405.6, abs=0.5)
    for_the_mean = np.zeros(len(solution.x))
    for_the_mean[:3] = 120.0, 80.0, 300.0
    yields = np.outer([1.2, 1.0, 0.8], [2.5, 3.0, 20.0]) * for_the_mean[:3]
    for_the_mean[np.flatnonzero(problem.shared)[3:]] = yields.ravel()
    costs = evaluate_first_stage(problem, for_the_mean, Highs())
    assert float(problem.probability @ costs) == pytest.approx(-107240.0, abs=0.5)


@pytest.mark.parametrize("how", WAYS)
def test_a_newsvendor_buys_the_critical_quantile(how):
    """(price − cost) / (price − scrap) = 1/2 of the demand, discrete and nearly continuous."""
    few = newsvendor(np.array([10.0, 20.0, 70.0]), np.array([0.4, 0.2, 0.4]))
    assert solved(few, Risk(), how).x[0] == pytest.approx(20.0)
    n = 199
    demand = 100.0 * (np.arange(n) + 0.5) / n
    many = solved(newsvendor(demand, np.full(n, 1 / n), cost=2.0), Risk(), how)
    assert many.x[0] == pytest.approx(100.0 * 0.75, abs=0.5)
    assert many.objective == pytest.approx(-(5 - 2) * 75 / 2, abs=0.5)
    fewer = solved(newsvendor(demand, np.full(n, 1 / n)), Risk("mean_cvar", 1.0, 0.9), how)
    assert fewer.x[0] < 0.2 * 50.0


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_agree_for_every_risk(seed):
    problem = random_problem(seed)
    for risk in every_risk(problem):
        whole, cut = (solved(problem, risk, how) for how in WAYS)
        assert cut.objective == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)
        assert cut.how == "L-shaped"
        assert whole.how == "deterministic equivalent"
        for solution in (whole, cut):
            assert_consistent(problem, risk, solution)


def assert_consistent(problem: TwoStage, risk: Risk, solution: TwoStageSolution) -> None:
    first = float(problem.program.cost[problem.shared] @ solution.x[problem.shared])
    for s in range(problem.n_samples):
        assert not violations(problem.sample(s), solution.y[s])
        own = float(problem.cost[s] @ np.where(problem.shared, 0.0, solution.y[s]))
        assert solution.sample_cost[s] == pytest.approx(first + problem.offset[s] + own)
    alone = first + risk_of(risk, problem.probability, solution.sample_cost - first)
    assert solution.objective == pytest.approx(alone)
    assert solution.bound <= solution.objective
    assert solution.gap <= 1e-6
    assert solution.status is Status.OPTIMAL
    assert np.all(solution.x[~problem.shared] == 0.0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("how", WAYS)
def test_whole_first_stages_come_out_as_every_choice_tried(seed, how):
    problem = random_problem(seed, whole=True)
    tried = {}
    for x in product(range(9), repeat=3):
        if sum(x) <= 15 and max(x) <= 8:
            point = np.concatenate((np.array(x, dtype=float), np.zeros(7)))
            tried[x] = evaluate_first_stage(problem, point, Highs())
    best = wait_and_see(problem, Highs(gap=TIGHT))
    for risk in (Risk(), Risk("mean_cvar", 0.5, 0.8), Risk("minimax_regret", best=best)):
        first = problem.program.cost[:3]
        values = [
            first @ x + risk_of(risk, problem.probability, cost - first @ x)
            for x, cost in tried.items()
        ]
        solution = solved(problem, risk, how)
        assert solution.objective == pytest.approx(min(values), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_knowing_is_worth_something_and_so_is_planning_for_what_is_not_known(seed):
    """WS ≤ RP ≤ EEV."""
    problem = random_problem(seed, samples=8)
    handle = Highs()
    known = float(problem.probability @ wait_and_see(problem, handle))
    here = solve_two_stage(problem, Risk(), handle)
    mean = {
        name: problem.probability @ getattr(problem, name)
        for name in ("cost", "lower", "upper", "row_lower", "row_upper")
    }
    mean["cost"] = np.where(problem.shared, problem.program.cost, mean["cost"])
    mean["upper"] = np.where(problem.shared, problem.program.upper, mean["upper"])
    mean["row_upper"] = problem.row_upper[0]
    plan = handle.solve(problem.program.with_(**mean)).x
    eev = float(problem.probability @ evaluate_first_stage(problem, plan, handle))
    assert known <= here.objective + 1e-7
    assert here.objective <= eev + 1e-7


@pytest.mark.parametrize("how", WAYS)
def test_duals_are_the_slopes_of_the_optimum(how):
    problem, step = random_problem(3), 1e-4
    for risk in (Risk(), Risk("mean_cvar", 0.5, 0.8)):
        before = solved(problem, risk, how)
        for s, row in ((0, 0), (2, 1), (5, 3)):
            row_lower = problem.row_lower.copy()
            row_lower[s, row] += step
            moved = TwoStage(**{**fields(problem), "row_lower": row_lower})
            slope = (solved(moved, risk, how).objective - before.objective) / step
            assert slope == pytest.approx(before.row_dual[s, row], abs=2e-3)


def fields(problem: TwoStage) -> dict[str, object]:
    return {name: value for name, value in vars(problem).items() if name != "parts"}


def test_rows_of_the_first_stage_appear_once():
    problem = random_problem(0)
    program, layout = deterministic_equivalent(problem, Risk())
    assert len(program.row_lower) == 1 + 4 * 6
    assert len(program.cost) == 3 + 7 * 6
    assert layout.own.shape == (6, 7)


@pytest.mark.parametrize("how", WAYS)
def test_a_first_stage_that_a_sample_cannot_answer_is_not_planned(how):
    """The second sample needs 5 and can add 2, so at least 3 are bought in advance."""
    model = Model()
    x = model.columns(np.ones(1, np.bool_), 1.0, upper=9.0)
    y = model.columns(np.ones(1, np.bool_), 0.0, upper=2.0)
    row = model.rows(np.ones(1, np.bool_), Sense.AT_LEAST)
    model.add(row, x, 1.0)
    model.add(row, y, 1.0)
    problem = two_stage(
        model.export(), 1, np.array([0.9, 0.05, 0.05]),
        cost=np.array([[0.0, 0.1]] * 3), row_lower=np.array([[0.0], [5.0], [1.0]]),
    )  # fmt: skip
    solution = solved(problem, Risk(), how)
    assert solution.x[0] == pytest.approx(3.0)
    with pytest.raises(NoAcceptableSolution, match="sample 1 has no answer"):
        evaluate_first_stage(problem, np.array([2.5, 0.0]), Highs())


def test_no_time_is_a_named_error():
    with pytest.raises(NoAcceptableSolution, match="time limit"):
        solve_two_stage(farmer(), Risk(), Highs(), time_limit_s=0.0, how="L-shaped")
