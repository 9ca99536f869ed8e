"""Shares against averages over all orders, their axioms, and coalitions planned afresh."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from nts_sim.planning.risk import Risk
from nts_sim.planning.shapley import (
    contributions,
    exact_shares,
    mechanism_columns,
    players_that_matter,
    sampled_shares,
)
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import solve_two_stage
from tests.planning.toy_plans import toy_plan

MEAN = Risk()
LIMIT_S = 30.0


def random_game(n, seed):
    """Any value for each coalition, 0 for nobody."""
    value = np.random.default_rng(seed).uniform(-1.0, 3.0, 2**n)
    value[0] = 0.0
    return lambda members: float(value[sum(1 << i for i in members)])


def by_all_orders(n, saved):
    total = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        members = frozenset()
        for i in order:
            total[i] += saved(members | {i}) - saved(members)
            members |= {i}
    return total / len(orders)


@pytest.mark.parametrize("seed", range(5))
def test_exact_shares_are_the_mean_over_all_orders(seed):
    saved = random_game(5, seed)
    shares = exact_shares(range(5), saved)
    assert [shares[i][0] for i in range(5)] == pytest.approx(by_all_orders(5, saved).tolist())
    assert sum(share for share, _ in shares.values()) == pytest.approx(saved(frozenset(range(5))))


def test_substitutes_and_what_needs_both():
    """Goods 0 or 1 save 6, and only with money 2; 3 does nothing."""

    def saved(members):
        return 6.0 if 2 in members and members & {0, 1} else 0.0

    assert players_that_matter(frozenset(range(4)), saved) == (0, 1, 2)
    shares = exact_shares((0, 1, 2), saved)
    assert [shares[i][0] for i in range(3)] == pytest.approx([1.0, 1.0, 4.0])
    with_dummy = exact_shares(range(4), saved)
    assert with_dummy[3] == (0.0, 0.0)
    assert with_dummy[2] == pytest.approx(shares[2])
    assert with_dummy[0] == with_dummy[1]


def test_sampled_shares_add_up_and_err_as_they_say():
    """Twelve shares at 4 standard errors cry wolf at one seed in 1 300; 60 orders of fixed luck."""
    for seed in range(2):
        saved = random_game(6, seed)
        true = by_all_orders(6, saved)
        found = sampled_shares(range(6), saved, 120, seed)
        total = sum(share for share, _ in found.values())
        assert total == pytest.approx(saved(frozenset(range(6))))
        off = np.array([abs(found[i][0] - true[i]) / found[i][1] for i in range(6)])
        assert off.max() < 4.0
        assert off.max() > 0.05
    other = sampled_shares(range(6), saved, 120, 99)
    assert other != found


@pytest.mark.slow
def test_shares_of_plans_add_up_to_what_all_mechanisms_save():
    several = 0
    for seed in range(10):
        plan = toy_plan(seed)
        found = contributions(plan, MEAN, LIMIT_S)
        assert found.exact
        assert sum(s.share for s in found.shares) == pytest.approx(found.saved, abs=1e-6)
        assert found.cost_with == pytest.approx(optimum(plan, ()), abs=1e-5)
        everybody = tuple(mechanism_columns(plan.template))
        assert found.cost_without == pytest.approx(optimum(plan, everybody), abs=1e-5)
        several += sum(s.share > 1e-3 for s in found.shares) >= 2
    assert several >= 4


def optimum(plan, closed):
    """What the plan costs with some mechanisms' columns shut, solved afresh."""
    two_stage, columns = plan.filled.two_stage, mechanism_columns(plan.template)
    shut = np.isin(
        plan.filled.columns, np.concatenate([np.zeros(0), *(columns[i] for i in closed)])
    )
    program = two_stage.program.relaxed().with_(upper=np.where(shut, 0, two_stage.program.upper))
    made = replace(two_stage, program=program, upper=np.where(shut, 0.0, two_stage.upper))
    return solve_two_stage(made, MEAN, Highs(), gap=1e-9).objective


@pytest.mark.slow
def test_drawn_orders_agree_with_all_coalitions():
    plan = next(
        plan
        for plan in map(toy_plan, range(10))
        if sum(s.share > 1e-3 for s in contributions(plan, MEAN, LIMIT_S).shares) == 3
    )
    exact = contributions(plan, MEAN, LIMIT_S)
    drawn = contributions(plan, MEAN, LIMIT_S, exact_players=2, orders=100)
    assert not drawn.exact
    assert sum(s.share for s in drawn.shares) == pytest.approx(drawn.saved)
    for true, found in zip(exact.shares, drawn.shares, strict=True):
        assert abs(true.share - found.share) <= 4.0 * found.standard_error + 1e-6
    assert any(s.standard_error > 0.0 for s in drawn.shares)
