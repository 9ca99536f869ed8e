"""Problems whose best plan is known on paper, written in sets and prices and planned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from nts_sim.planning.problem import Source
from tests.planning.tiny import Tiny


def newsvendor(demand, price, worth, probability=None):
    """Units are bought before day 0 and serve demand of day 0; what is left over is lost."""
    need = np.asarray(demand, float)[:, None, None]
    return Tiny(
        need=need, worth=worth, is_team=(False,), probability=probability, lender=False,
        prepare={"buy": np.array([[price]])},
    )  # fmt: skip


@pytest.mark.parametrize(("price", "best"), [(0.95, 0), (0.8, 10), (0.5, 20), (0.15, 30), (0, 40)])
def test_newsvendor_with_a_few_demands_buys_the_critical_fractile(price, best):
    """The least x with P(demand ≤ x) ≥ (worth − price) / worth; here P = 0.1, 0.4, 0.8, 0.9, 1."""
    demand, chance = np.array([0, 10, 20, 30, 40]), (0.1, 0.3, 0.4, 0.1, 0.1)
    plan = newsvendor(demand, price, 1.0, chance).plan()
    cost = price * best + np.array(chance) @ np.maximum(demand - best, 0.0)
    assert plan.solution.objective == pytest.approx(cost, abs=1e-9)
    if price:
        assert plan.bought[0, 0] == pytest.approx(best, abs=1e-7)


def test_newsvendor_with_a_normal_demand():
    """With z = Φ⁻¹(fractile): buy μ + σ z; cost price · μ + worth · σ φ(z); 400 quantiles."""
    mean, deviation, price, worth = 100.0, 20.0, 0.3, 1.0
    demand = norm.ppf((np.arange(400) + 0.5) / 400, mean, deviation)
    plan = newsvendor(demand, price, worth).plan()
    z = norm.ppf(1.0 - price / worth)
    assert plan.bought[0, 0] == pytest.approx(mean + deviation * z, abs=0.1)
    assert plan.solution.objective == pytest.approx(
        price * mean + worth * deviation * norm.pdf(z), rel=1e-3
    )


def test_newsvendor_with_too_little_money_spends_it_all():
    tiny = newsvendor([0.0, 10.0, 20.0], 0.5, 4.0)
    tiny.prepare["sources"] = (Source("all", 3.0),)
    plan = tiny.plan()
    assert plan.bought[0, 0] == pytest.approx(6.0)
    assert plan.solution.objective == pytest.approx(3.0 + 4.0 * (0 + 4 + 14) / 3.0)


# Dantzig's canning plants, Linear Programming and Extensions (1963), ch. 3.3, as GAMS's
# `transport` model has it: distances in 1000 miles at $90 per 1000 miles and case; 153.675.
PLANTS = np.array([350.0, 600.0])
MARKETS = np.array([325.0, 300.0, 275.0])
FREIGHT = 0.09 * np.array([[2.5, 1.7, 1.8], [2.5, 1.8, 1.4]])


def test_dantzigs_transport_problem():
    """Two plants lend to three markets; every case is worth more than its freight."""
    arcs = tuple((plant, 2 + market) for plant in range(2) for market in range(3))
    need = np.zeros((1, 5, 2))
    need[0, 2:, 1] = MARKETS
    stock = np.concatenate((PLANTS, np.zeros(3)))[:, None]
    tiny = Tiny(
        need=need, is_team=(False,), own=stock, lendable=stock, arcs=arcs,
        arc_cost=FREIGHT.reshape(-1, 1), prepare=None,
    )  # fmt: skip
    plan = tiny.plan()
    assert plan.served.sum() == pytest.approx(MARKETS.sum())
    assert plan.cost_bn_vnd[0] == pytest.approx(153.675, rel=1e-9)
    sent = plan.lend[:, 0, 0].reshape(2, 3)
    # Prices of markets less those of plants never exceed freight, and equal it where cases go:
    # a certificate of optimality without a solver.
    plant, market = np.array([0.0, 0.0]), np.array([0.225, 0.153, 0.126])
    assert np.all(market - plant[:, None] <= FREIGHT + 1e-12)
    assert market @ MARKETS - plant @ PLANTS == pytest.approx(153.675)
    assert np.all(sent.sum(axis=1) <= PLANTS + 1e-6)


def test_a_depot_is_opened_where_what_it_saves_is_more_than_it_costs():
    """10 persons a day for two days, worth 1 each: 20 saved, units at 0.2 each, two days' use."""
    for cost, opened in ((15.9, True), (16.1, False)):
        tiny = Tiny(
            need=np.full((1, 1, 2), 10.0), is_team=(False,), lender=False,
            prepare={
                "buy": np.array([[0.2]]), "volume": np.array([2.0]),
                "depot_cost": np.array([cost]), "depot_capacity": np.array([40.0]),
            },
        )  # fmt: skip
        plan = tiny.plan()
        assert bool(plan.depots[0]) is opened
        expected = cost + 4.0 if opened else 20.0
        assert plan.solution.objective == pytest.approx(expected)
