"""Solvers: an optimum is proved, a bad point is caught, a failure has a name."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.filling import fill
from nts_sim.planning.linear import dual_bound
from nts_sim.planning.modelling import Model, Sense
from nts_sim.planning.solve import (
    Basis,
    CbcMissing,
    Highs,
    LinearProgram,
    Solution,
    Status,
    accept,
    solve_rounded,
    solve_tiny,
    solve_with_cbc,
    violations,
)
from tests.planning.instances import first_observation, promise, random_world


def random_program(seed: int, n: int = 6, m: int = 4) -> LinearProgram:
    """Bounded and feasible: 0 is inside every row."""
    rng = np.random.default_rng(seed)
    dense = rng.integers(-3, 6, (m, n)) * (rng.random((m, n)) < 0.6)
    column, row = np.nonzero(dense.T)
    counts = np.bincount(column, minlength=n)
    return LinearProgram(
        cost=rng.integers(-5, 3, n).astype(float),
        lower=np.zeros(n),
        upper=rng.integers(1, 5, n).astype(float),
        row_lower=np.full(m, -np.inf),
        row_upper=rng.integers(1, 9, m).astype(float),
        start=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
        index=row.astype(np.int32),
        value=dense.T[column, row].astype(float),
    )


def second_opinion(program: LinearProgram) -> Solution:
    try:
        return solve_with_cbc(program)
    except CbcMissing as missing:
        pytest.skip(str(missing))


def covering_program(seed: int, n: int, m: int, whole: bool = False) -> LinearProgram:
    """Cover m demands with n things of 0 or 1; 0 is not feasible, all ones are."""
    rng = np.random.default_rng(seed)
    model = Model()
    columns = model.columns(
        np.ones(n, np.bool_), rng.integers(5, 50, n).astype(float), upper=1.0, integer=whole
    )
    share = rng.integers(1, 30, (m, n)) * (rng.random((m, n)) < 0.3)
    rows = model.rows(np.ones(m, np.bool_), Sense.AT_LEAST, share.sum(axis=1) * 0.4)
    model.add(rows[:, None], columns[None], share.astype(float))
    return model.export()


def brute_force(program: LinearProgram) -> float:
    """Least cost over all vertices: every choice of n tight rows and bounds."""
    n = len(program.cost)
    matrix = program.matrix.toarray()
    planes = [(np.eye(n)[j], b) for j in range(n) for b in (program.lower[j], program.upper[j])]
    planes += [(matrix[i], program.row_upper[i]) for i in range(len(matrix))]
    best = np.inf
    for chosen in combinations(planes, n):
        normals = np.array([normal for normal, _ in chosen])
        if abs(np.linalg.det(normals)) > 1e-9:
            x = np.linalg.solve(normals, np.array([limit for _, limit in chosen]))
            if not violations(program, x):
                best = min(best, float(program.cost @ x))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_highs_finds_the_best_vertex(seed):
    program = random_program(seed, n=3, m=3)
    assert Highs().solve(program).objective == pytest.approx(brute_force(program), abs=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_highs_agrees_with_another_library(seed):
    program = random_program(seed, n=12, m=8)
    other = linprog(
        program.cost, A_ub=program.matrix.toarray(), b_ub=program.row_upper,
        bounds=list(zip(program.lower, program.upper, strict=True)),
    )  # fmt: skip
    assert Highs().solve(program).objective == pytest.approx(other.fun, abs=1e-7)


def test_cbc_agrees_on_a_planning_problem():
    for seed in (3, 8, 21):
        made = promise(random_world(seed))
        program = fill(made.plan.template, made.numbers).two_stage.sample(0)
        highs = Highs().solve(program)
        assert second_opinion(program).objective == pytest.approx(highs.objective, abs=1e-6)


def test_a_transport_problem_costs_what_network_flow_says():
    """Ship from three depots to four places at least cost; solved by networkx as a flow."""
    rng = np.random.default_rng(4)
    supply, demand = np.array([9, 6, 5]), np.array([4, 7, 3, 5])
    cost = rng.integers(1, 20, (3, 4))
    model = Model("transport")
    x = model.columns(np.ones((3, 4), np.bool_), cost.astype(float), upper=np.inf)
    left = model.rows(np.ones(3, np.bool_), Sense.AT_MOST, supply.astype(float))
    model.add(left[:, None], x, 1.0)
    met = model.rows(np.ones(4, np.bool_), Sense.EQUAL, demand.astype(float))
    model.add(met[None], x, 1.0)
    graph = nx.DiGraph()
    graph.add_node("spare", demand=int(supply.sum() - demand.sum()))
    for i in range(3):
        graph.add_node(("depot", i), demand=-int(supply[i]))
        graph.add_edge(("depot", i), "spare", weight=0)
    for j in range(4):
        graph.add_node(("place", j), demand=int(demand[j]))
    for i, j in product(range(3), range(4)):
        graph.add_edge(("depot", i), ("place", j), weight=int(cost[i, j]))
    solution = Highs().solve(model.export())
    assert solution.objective == pytest.approx(nx.min_cost_flow_cost(graph))


def test_warm_starts_end_where_cold_starts_end():
    program = random_program(5, n=30, m=20)
    handle = Highs()
    cold = handle.solve(program)
    warm = handle.solve(program, handle.basis())
    assert warm.iterations == 0
    assert warm.objective == pytest.approx(cold.objective, abs=1e-9)


def test_an_answer_does_not_depend_on_what_was_solved_before():
    program, other = random_program(5, n=30, m=20), random_program(6, n=30, m=20)
    handle = Highs()
    first = handle.solve(program).x
    handle.solve(other)
    assert np.array_equal(handle.solve(program).x, first)


def test_a_corrupted_solution_is_caught():
    program = random_program(1)
    good = Highs().solve(program)
    used = int(np.argmax(good.x))
    for x in (good.x * 1.5 + 1.0, np.where(np.arange(6) == used, -1.0, good.x)):
        with pytest.raises(NoAcceptableSolution, match="fails"):
            accept(program, replace(good, x=x, objective=float(program.cost @ x)))
    with pytest.raises(NoAcceptableSolution, match="missing or infinite"):
        accept(program, replace(good, x=np.full(6, np.nan)))
    with pytest.raises(NoAcceptableSolution, match="reported objective"):
        accept(program, replace(good, objective=good.objective - 1.0))


def test_a_program_without_a_feasible_point_is_a_named_error():
    program = replace(random_program(1), row_lower=np.full(4, 1e6), row_upper=np.full(4, 2e6))
    with pytest.raises(NoAcceptableSolution, match="infeasible"):
        Highs().solve(program)
    with pytest.raises(NoAcceptableSolution, match="infeasible"):
        second_opinion(program)


def test_no_time_is_a_named_error_that_says_so():
    with pytest.raises(NoAcceptableSolution, match="status 'time limit'"):
        Highs(time_limit_s=0.0).solve(covering_program(2, n=600, m=400))


def test_an_optimum_is_its_own_bound():
    solution = Highs().solve(random_program(3))
    assert solution.status is Status.OPTIMAL
    assert solution.gap == pytest.approx(0.0, abs=1e-9)


def test_every_solver_solves_the_tiny_problem():
    found = solve_tiny()
    assert {"highs"} <= found.keys() <= {"highs", "cbc"}
    assert list(found.values()) == pytest.approx([-10.0] * len(found))


def test_leaving_out_closed_columns_changes_no_optimum():
    for seed in range(10):
        program = random_program(seed, n=12, m=8)
        upper = np.where(np.arange(12) % 3 == 0, 0.0, program.upper)
        closed = replace(program, upper=upper)
        smaller, _ = closed.restricted(np.flatnonzero(upper > 0.0), np.ones(8, np.bool_))
        whole = Highs().solve(closed).objective
        assert Highs().solve(smaller).objective == pytest.approx(whole, abs=1e-9)


def test_first_observation_is_deterministic():
    one, two = (first_observation(random_world(2)) for _ in range(2))
    assert np.array_equal(one.exposed, two.exposed)


# --- whole numbers, time limits, bounds -------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_whole_numbers_come_out_as_every_choice_tried(seed):
    program = covering_program(seed, n=9, m=4, whole=True)
    choices = np.array(list(product((0.0, 1.0), repeat=9)))
    feasible = [x for x in choices if not violations(program, x)]
    best = min(float(program.cost @ x) for x in feasible)
    handle = Highs()
    for solution in (handle.solve(program), solve_rounded(program, handle, gap=0.0)):
        assert solution.objective == pytest.approx(best, abs=1e-6)
        assert solution.status is Status.OPTIMAL
        assert solution.gap <= 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_cbc_agrees_on_whole_numbers(seed):
    program = covering_program(seed, n=14, m=8, whole=True)
    highs = Highs(gap=0.0).solve(program)
    assert second_opinion(program).objective == pytest.approx(highs.objective, abs=1e-6)


def test_a_fraction_is_no_whole_number():
    program = covering_program(0, n=9, m=4, whole=True)
    assert any("no whole number" in fault for fault in violations(program, np.full(9, 0.5)))
    assert not violations(program.relaxed(), np.full(9, 0.5))


def test_rounding_up_is_certified_by_the_relaxation():
    program = covering_program(3, n=60, m=30, whole=True)
    handle = Highs()
    relaxed = handle.solve(program.relaxed())
    loose = solve_rounded(program, handle, gap=0.5)
    assert not violations(program, loose.x)
    assert loose.bound == pytest.approx(relaxed.bound)
    assert 0.0 < loose.gap <= 0.5
    assert loose.status is Status.GAP_LIMIT
    assert np.all(np.isfinite(loose.row_dual))
    tight = solve_rounded(program, handle, gap=0.005)
    assert tight.gap <= 0.005 < loose.gap
    assert tight.objective < loose.objective


def test_a_time_limit_returns_the_point_known_and_a_bound_that_holds():
    program = covering_program(4, n=120, m=60, whole=True)
    known, optimum = np.ones(120), Highs(time_limit_s=30.0, gap=0.02).solve(program)
    cut = Highs(time_limit_s=0.0).solve(program, fallback=known)
    assert cut.status is Status.TIME_LIMIT
    assert not violations(program, cut.x)
    assert cut.objective <= known @ program.cost + 1e-9
    assert cut.bound <= optimum.objective + 1e-6


def test_a_linear_program_cut_short_returns_the_fallback_and_says_what_is_proved():
    program = covering_program(4, n=120, m=60)
    cut = Highs(time_limit_s=0.0).solve(program, fallback=np.ones(120))
    assert cut.status is Status.TIME_LIMIT
    assert np.array_equal(cut.x, np.ones(120))
    assert -np.inf < cut.bound <= Highs().solve(program).objective


def test_a_fallback_that_breaks_the_program_is_not_returned():
    with pytest.raises(NoAcceptableSolution, match="time limit"):
        Highs(time_limit_s=0.0).solve(covering_program(4, n=120, m=60), fallback=np.zeros(120))


@pytest.mark.parametrize("seed", range(8))
def test_any_prices_give_a_bound_and_the_right_ones_the_optimum(seed):
    program = random_program(seed, n=12, m=8)
    solution = Highs().solve(program)
    assert dual_bound(program, solution.row_dual) == pytest.approx(solution.objective, abs=1e-7)
    rng = np.random.default_rng(seed)
    for _ in range(20):
        assert dual_bound(program, rng.normal(size=8)) <= solution.objective + 1e-9


def test_duals_are_the_slopes_of_the_optimum():
    program = covering_program(5, n=12, m=5)
    handle, step = Highs(), 1e-5
    solution = handle.solve(program)
    for row in range(5):
        moved = program.row_lower + step * (np.arange(5) == row)
        slope = (
            handle.solve(replace(program, row_lower=moved)).objective - solution.objective
        ) / step
        assert slope == pytest.approx(solution.row_dual[row], abs=1e-3)
    upper = program.upper + step * (np.arange(12) == int(np.argmin(solution.column_dual)))
    slope = (handle.solve(replace(program, upper=upper)).objective - solution.objective) / step
    assert slope == pytest.approx(solution.column_dual.min(), abs=1e-3)


def test_a_live_handle_gives_the_answer_of_a_new_one():
    program = covering_program(6, n=40, m=20)
    live, rng = Highs(), np.random.default_rng(0)
    live.load(program)
    start = Basis(np.zeros(40, dtype=np.int64), np.ones(20, dtype=np.int64))
    for _ in range(5):
        cost, row_lower = rng.random(40) + 0.1, program.row_lower * rng.random(20)
        upper = 1.0 + rng.random(40)
        changed = replace(program, cost=cost, row_lower=row_lower, upper=upper)
        again = live.resolve(cost=cost, row_lower=row_lower, upper=upper, start=start)
        fresh = Highs().solve(changed, start)
        assert np.array_equal(again.x, fresh.x)
        assert np.array_equal(again.row_dual, fresh.row_dual)
        going_on = live.resolve(go_on=True)
        assert going_on.objective == pytest.approx(fresh.objective)
        assert going_on.iterations == 0


def test_added_rows_bind():
    program = covering_program(7, n=10, m=4)
    live = Highs()
    live.load(program)
    before = live.resolve()
    live.add_rows(csr_array(np.ones((1, 10))), np.array([9.5]), np.array([np.inf]))
    after = live.resolve(go_on=True)
    assert after.x.sum() == pytest.approx(9.5)
    assert after.objective > before.objective
    assert len(after.row_dual) == 5


def test_restricting_keeps_what_must_be_whole():
    program = covering_program(1, n=6, m=3, whole=True)
    smaller, _ = program.restricted(np.array([0, 2, 5]), np.ones(3, np.bool_))
    assert smaller.integer is not None
    assert smaller.integer.tolist() == [True] * 3
