"""The golden rule for every way to plan: what a plan promises is what its orders do."""

from __future__ import annotations

import numpy as np
import pytest

from nts_sim.planning.problem import Equity
from nts_sim.planning.twostage import Risk
from tests.planning.instances import Variant, error, prepared_world, promise, random_world, replay

INSTANCES = 60
TOLERANCE = 1e-6
ALIKE = (0.5, 0.3, 0.2)
"""Chances of three futures that are all the one that comes."""

VARIANTS = {
    "classes": Variant(ALIKE),
    "mean_cvar": Variant(ALIKE, Risk("mean_cvar", weight=0.5, level=0.8)),
    "minimax_regret": Variant(ALIKE, Risk("minimax_regret", best=np.zeros(3))),
    "all orders at once": Variant(ALIKE, commit_all=True),
    "equitable": Variant(equity=Equity(floor=0.8, price=2.0)),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_simulating_a_plan_returns_what_it_promised(name):
    made = [promise(random_world(seed), VARIANTS[name]) for seed in range(INSTANCES)]
    errors = np.array([error(one, replay(one)) for one in made])
    wrong = np.flatnonzero(errors > TOLERANCE)
    assert not len(wrong), f"instances {wrong[:5].tolist()}, worst error {errors.max():.3g}"
    assert sum(one.plan.averted_bn_vnd[0] > 0.1 for one in made) > INSTANCES // 2


@pytest.mark.slow
def test_what_is_prepared_does_and_costs_what_the_plan_said():
    made = [promise(prepared_world(seed)) for seed in range(INSTANCES)]
    errors = np.array([error(one, replay(one)) for one in made])
    wrong = np.flatnonzero(errors > TOLERANCE)
    assert not len(wrong), f"instances {wrong[:5].tolist()}, worst error {errors.max():.3g}"
    bought = sum(one.plan.bought.sum() > 1e-3 for one in made)
    posted = sum(one.plan.posted.sum() > 1e-3 for one in made)
    opened = sum(bool(one.plan.depots.any()) for one in made)
    assert min(bought, posted, opened) >= 5, (bought, posted, opened)
