"""Solvers: an optimum is proved, a bad point is caught, a failure has a name."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import networkx as nx
import numpy as np
import pulp
import pytest
from scipy.optimize import linprog

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.filling import fill
from nts_sim.planning.solve import (
    Highs,
    LinearProgram,
    Status,
    accept,
    export,
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
        program = fill(made.plan.template, made.numbers).program
        highs = Highs().solve(program)
        assert solve_with_cbc(program).objective == pytest.approx(highs.objective, abs=1e-6)


def test_a_transport_problem_costs_what_network_flow_says():
    """Ship from three depots to four places at least cost; solved by networkx as a flow."""
    rng = np.random.default_rng(4)
    supply, demand = [9, 6, 5], [4, 7, 3, 5]
    cost = rng.integers(1, 20, (3, 4))
    problem = pulp.LpProblem("transport", pulp.LpMinimize)
    pairs = list(product(range(3), range(4)))
    x = {pair: problem.add_variable(f"x{pair[0]}_{pair[1]}", 0) for pair in pairs}
    problem += pulp.LpAffineExpression([(v, float(cost[pair])) for pair, v in x.items()])
    for i in range(3):
        problem += pulp.LpAffineExpression([(x[i, j], 1.0) for j in range(4)]) <= supply[i]
    for j in range(4):
        problem += pulp.LpAffineExpression([(x[i, j], 1.0) for i in range(3)]) == demand[j]
    graph = nx.DiGraph()
    graph.add_node("spare", demand=sum(supply) - sum(demand))
    for i in range(3):
        graph.add_node(("depot", i), demand=-supply[i])
        graph.add_edge(("depot", i), "spare", weight=0)
    for j in range(4):
        graph.add_node(("place", j), demand=demand[j])
    for i, j in x:
        graph.add_edge(("depot", i), ("place", j), weight=int(cost[i, j]))
    solution = Highs().solve(export(problem, list(x.values())))
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
        solve_with_cbc(program)


def test_no_time_is_a_named_error_that_says_so():
    with pytest.raises(NoAcceptableSolution, match="status 'time limit'"):
        Highs(time_limit_s=0.0).solve(random_program(2, n=600, m=400))


def test_an_optimum_is_its_own_bound():
    solution = Highs().solve(random_program(3))
    assert solution.status is Status.OPTIMAL
    assert solution.gap == 0.0


def test_every_solver_solves_the_tiny_problem():
    assert solve_tiny() == pytest.approx({"highs": -10.0, "cbc": -10.0})


def test_export_refuses_maximisation():
    with pytest.raises(ValueError, match="minimisation"):
        export(pulp.LpProblem("wrong", pulp.LpMaximize), [])


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
