"""Marginal values against problems solved afresh with more money or shorter leads."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from nts_sim.planning.filling import fill
from nts_sim.planning.marginal import FALLEN, lead_values, marginal_money
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import plan_of_scenario
from nts_sim.planning.solve import Highs
from nts_sim.planning.twostage import solve_two_stage
from nts_sim.planning.variants import decided, in_template
from nts_sim.world.model import MoneySource
from tests.planning.toy_plans import random_futures, samples_of, toy_plan

MEAN = Risk()
SEEDS = range(14)
LIMIT_S = 30.0


@lru_cache
def planned(seed):
    """A toy plan, its first stage over the template's columns, and its marginal values."""
    plan = toy_plan(seed)
    solution = solve_two_stage(plan.filled.two_stage, MEAN, Highs(), gap=1e-9)
    x = in_template(plan.filled, solution.x)
    return plan, x, marginal_money(plan, x, MEAN, LIMIT_S)


def cost(filled, x, risk=MEAN):
    """What a filled problem costs with the plan's decisions kept, solved afresh."""
    problem = decided(filled.two_stage, x[filled.columns] > 0.5)
    return solve_two_stage(problem, risk, Highs(), gap=1e-9).objective


def with_more(plan, value, step):
    """Fill with more money in a fund from a departure on, by the world's own numbering."""
    funds, numbers = plan.world.funds, plan.numbers
    places = plan.world.nodes.name
    fund = next(
        i
        for i, f in enumerate(funds)
        if f.kind == value.name and value.owner == ("" if f.place is None else places[f.place])
    )
    days = plan.template.sets.edges_days[plan.template.sets.departure]
    more = numbers.fund_open.copy()
    more[fund, days >= value.from_day] += step
    return fill(plan.template, replace(numbers, fund_open=more))


@pytest.mark.slow
def test_duals_of_funds_are_what_a_little_more_money_saves():
    """A dual bounds what more money saves; where it says 0, more money saves nothing."""
    priced = held = 0
    for seed in SEEDS:
        plan, x, values = planned(seed)
        before = cost(plan.filled, x)
        for value in (v for v in values if v.source == "fund"):
            saved = before - cost(with_more(plan, value, 0.01), x)
            assert -1e-6 <= saved <= 0.01 * value.dual + 1e-6
            priced += value.dual > 0.0
            if value.holds_to:
                held += 1
                assert saved == pytest.approx(0.01 * value.dual, rel=FALLEN, abs=1e-6)
            if value.dual > 0.0:
                whole = before - cost(with_more(plan, value, 1.0), x)
                assert value.difference == pytest.approx(whole, abs=1e-5)
    assert priced >= 20
    assert held >= 10


def test_duals_weigh_samples_as_the_risk_measure_does():
    risk, differ = Risk("mean_cvar", weight=1.0, level=0.7), 0
    for seed in range(6):
        plan, x, of_mean = planned(seed)
        before = cost(plan.filled, x, risk)
        for value, other in zip(marginal_money(plan, x, risk, LIMIT_S), of_mean, strict=True):
            if value.source == "fund" and value.holds_to:
                saved = before - cost(with_more(plan, value, 0.01), x, risk)
                assert saved == pytest.approx(0.01 * value.dual, rel=FALLEN, abs=1e-6)
                differ += abs(value.dual - other.dual) > 0.05
    assert differ >= 3


@pytest.mark.slow
def test_money_to_prepare_with_is_priced_with_its_guidance():
    priced = 0
    for seed in SEEDS:
        plan, x, values = planned(seed)
        value = next(v for v in values if v.source == "preparation")
        before = cost(plan.filled, x)
        world, source = plan.world, plan.world.terms.sources[0]
        futures = random_futures(world, np.random.default_rng(10_000 + seed), 4)
        for step, least in ((1e-3, 0.0), (1.0, None)):
            more = MoneySource(source.name, source.amount_bn_vnd + step)
            richer = replace(world, terms=replace(world.terms, sources=(more,)))
            other = plan_of_scenario([(1.0, richer, samples_of(futures))])
            saved = before - cost(other.filled, x)
            if least is None and value.dual > 0.0:
                assert value.difference == pytest.approx(saved, abs=1e-5)
            assert saved <= step * value.dual + 1e-6
            if least is not None and value.holds_to:
                assert saved == pytest.approx(step * value.dual, rel=FALLEN, abs=1e-6)
        priced += value.dual > 0.0
    assert priced >= 4


def test_values_fall_as_money_comes_later_and_steps_are_told():
    for seed in range(4):
        _, _, values = planned(seed)
        for before, after in pairwise(values):
            if before.source == "fund" == after.source and before.from_day < after.from_day:
                assert before.dual >= after.dual - 1e-9
        for value in values:
            assert (value.difference is None) == (value.holds_to is None) == (value.dual == 0.0)


def test_money_that_has_lapsed_is_no_money():
    plan, x, values = planned(1)
    funds = tuple(replace(f, closes_day=0.5) for f in plan.world.funds)
    closed = replace(plan, world=replace(plan.world, funds=funds))
    shut = plan.numbers.fund_open.copy()
    shut[:, 1:] = 0.0
    numbers = replace(plan.numbers, fund_open=shut)
    closed = replace(closed, numbers=numbers, filled=fill(plan.template, numbers))
    found = marginal_money(closed, x, MEAN, LIMIT_S)
    late = [v for v in found if v.source == "fund" and v.from_day >= 1.0]
    assert late
    assert all(v.dual == 0.0 for v in late)
    assert any(v.dual > 0.0 for v in values if v.source == "fund" and v.from_day >= 1.0)


def shorter(world, titles):
    """The world with a day off the handover of some mechanisms."""
    return replace(
        world,
        mechanisms=tuple(
            replace(m, handover_days=m.handover_days - 1.0) if m.title in titles else m
            for m in world.mechanisms
        ),
    )


@pytest.mark.slow
def test_a_day_less_is_worth_what_a_world_with_a_day_less_saves():
    solved = saving = 0
    for seed in range(10):
        base = toy_plan(seed)
        slow = replace(
            base.world,
            mechanisms=tuple(
                replace(m, handover_days=m.handover_days + 1.5) for m in base.world.mechanisms
            ),
        )
        futures = random_futures(base.world, np.random.default_rng(10_000 + seed), 4)
        plan = plan_of_scenario([(1.0, slow, samples_of(futures))])
        solution = solve_two_stage(plan.filled.two_stage, MEAN, Highs(), gap=1e-9)
        x = in_template(plan.filled, solution.x)
        before = cost(plan.filled, x)
        for value in lead_values(plan, x, MEAN, LIMIT_S):
            quick = shorter(slow, value.mechanisms)
            other = plan_of_scenario([(1.0, quick, samples_of(futures))])
            # the template of the slow world: notice days, and so running costs, are its own
            numbers = replace(
                plan.numbers,
                arc_period=other.numbers.arc_period,
                goods_period=other.numbers.goods_period,
                draw_period=other.numbers.draw_period,
            )
            saved = before - cost(fill(plan.template, numbers), x)
            assert value.saved == pytest.approx(saved, abs=1e-5)
            solved += value.solved
            saving += value.saved > 1e-4
    assert solved >= 10
    assert saving >= 5


def test_only_leads_that_change_a_period_are_solved():
    plan, _, _ = planned(2)
    at_once = tuple(replace(m, handover_days=0.0) for m in plan.world.mechanisms)
    desks = tuple(replace(d, approval_days=0.0) for d in plan.world.desks)
    world = replace(plan.world, mechanisms=at_once, desks=desks)
    futures = random_futures(world, np.random.default_rng(1), 2)
    quick = plan_of_scenario([(1.0, world, samples_of(futures))])
    solution = solve_two_stage(quick.filled.two_stage, MEAN, Highs())
    found = lead_values(quick, in_template(quick.filled, solution.x), MEAN, LIMIT_S)
    assert all(not value.solved and value.saved == 0.0 for value in found)
    assert len(found[-1].mechanisms) == len(found) - 1
