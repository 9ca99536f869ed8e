"""Forecasts and lever values against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.decision.model import Forewarning
from nts_sim.planning.forecast import mean_path, persons_per_case
from nts_sim.planning.levers import averted_later, harm_to_come, relieved_by_cover
from nts_sim.testing import toy_links, toy_threats, toy_world
from nts_sim.world.model import Inject
from tests.planning.instances import first_observation

EDGES = np.arange(7.0)


def one_cell(horizon=60, **threat):
    """A single active cell of severity 1, exponential stays."""
    threats = toy_threats(distribution="exponential", **threat)
    injects = (Inject(0, 1, 0.0),)
    return toy_world(stock=((0.0,),), threats=threats, injects=injects, horizon_days=horizon)


def no_immunity(world):
    return np.zeros(len(world.cells))


def test_a_warning_counts_from_its_day():
    """An onset on day 2.5 for good, met by the trapezium rule over half-day steps."""
    world = toy_world(injects=(), threats=toy_threats(stay_days=(1e9,) * 3))
    seen = replace(first_observation(world), warnings=(Forewarning(1, 3, 2.5),))
    path = mean_path(world, seen, EDGES, no_immunity(world))
    assert path[1, 2] == pytest.approx([0.0, 0.0, 0.75, 1.0, 1.0, 1.0])
    assert path.sum() == pytest.approx(path[1, 2].sum())


def test_the_mean_path_of_one_incident_decays_as_its_stay_says():
    """Mean over day t of exp(−t/4): 4 (e^(−t/4) − e^(−(t+1)/4)); trapezium error below 1e-2."""
    world = one_cell(stay_days=(4.0, 4.0, 4.0))
    path = mean_path(world, first_observation(world), EDGES, no_immunity(world))
    day = np.arange(6)
    exact = 4.0 * (np.exp(-day / 4.0) - np.exp(-(day + 1) / 4.0))
    assert path[0, 0] == pytest.approx(exact, rel=1e-2)


def test_the_mean_path_escalates_at_its_rate():
    """With falling almost never and rising at 1/5 a day, half is at severity 2 or more by 3.5."""
    world = one_cell(stay_days=(1e9,) * 3, escalation_days=(5.0, 1e9, np.inf))
    path = mean_path(world, first_observation(world), np.array([3.0, 4.0]), no_immunity(world))
    assert path[0, 1, 0] == pytest.approx(1.0 - np.exp(-3.5 / 5.0), abs=0.01)
    assert path[0].sum() == pytest.approx(1.0)


def test_a_link_brings_its_target_in_at_its_lag_and_chance():
    links = toy_links(2, [(0, 1, 0.6, 2.0)], distribution="exponential", stops=False)
    threats = toy_threats(stay_days=(1e9,) * 3)
    world = toy_world(links=links, threats=threats, injects=(Inject(0, 1, 0.0),))
    path = mean_path(world, first_observation(world), np.array([3.0, 4.0]), no_immunity(world))
    assert path[1, 0, 0] == pytest.approx(0.6 * (1.0 - np.exp(-3.5 / 2.0)), abs=0.02)


def test_an_immune_cell_is_not_forecast_to_be_hit():
    links = toy_links(2, [(0, 1, 1.0, 1.0)], stops=False)
    threats = toy_threats(stay_days=(1e9,) * 3, immunity_days=1e9)
    world = toy_world(links=links, threats=threats, injects=(Inject(0, 1, 0.0),))
    path = mean_path(world, first_observation(world), EDGES, np.array([0.0, 1.0]))
    assert path[1].max() == pytest.approx(0.0, abs=1e-6)


def test_chances_stay_chances():
    links = toy_links(3, [(0, 1, 1.0, 0.5), (1, 2, 1.0, 0.5), (2, 0, 1.0, 0.5)], repeats=True)
    world = toy_world(stock=((1.0,),) * 3, links=links, injects=(Inject(0, 3, 0.0),))
    path = mean_path(world, first_observation(world), np.arange(31.0), no_immunity(world))
    assert path.min() >= 0.0
    assert path.sum(axis=1).max() <= 1.0 + 1e-9


def test_reports_are_corrected_by_the_share_known_to_be_reported():
    world = one_cell()
    seen = first_observation(world)
    late = replace(seen, exposed=seen.exposed * 0.4, reported_share=seen.reported_share * 0.4)
    table = world.cells.exposed
    assert persons_per_case(world, late, True) == pytest.approx(table)
    assert persons_per_case(world, late, False) == pytest.approx(table * 0.4)


def test_harm_to_come_of_one_incident_is_rate_times_stay():
    """Severity 1, stay 4 days, horizon long: h · 4; severity 2 adds its own stay."""
    world = one_cell(stay_days=(4.0, 3.0, 2.0))
    values, harm = harm_to_come(world)[-1, 0], world.cells.harm_rate[0]
    assert values[1] == pytest.approx(harm[0] * 4.0, rel=1e-3)
    assert values[2] == pytest.approx(harm[0] * 4.0 + harm[1] * 3.0, rel=2e-2)


def averted_by_cover(world, seen):
    return relieved_by_cover(world) + averted_later(world, seen)


def test_averted_by_cover_is_relief_plus_a_shorter_and_milder_incident():
    """ρ·h + κ·μ·(V1 − V0) + ε·(V2 − V1), V from `harm_to_come`."""
    world = one_cell(
        relief=0.5, containment_gain=0.8, stay_days=(4.0, 3.0, 2.0),
        escalation_days=(10.0, np.inf, np.inf),
    )  # fmt: skip
    values, harm = harm_to_come(world)[-1, 0], world.cells.harm_rate[0]
    expected = 0.5 * harm[0] + 0.8 * values[1] / 4.0 + (values[2] - values[1]) / 10.0
    assert averted_by_cover(world, first_observation(world))[0, 0] == pytest.approx(expected)


def test_averted_by_cover_is_relief_alone_where_help_can_do_no_more():
    world = one_cell(relief=0.5)
    averted = averted_by_cover(world, first_observation(world))
    assert averted == pytest.approx(0.5 * world.cells.harm_rate)


def test_stopping_spread_is_worth_the_harm_it_would_bring():
    """σ · p/lag · V(target, 1) a day, where the target is free; nothing where it is hit already."""
    links = toy_links(2, [(0, 1, 0.6, 2.0)], distribution="exponential")
    threats = toy_threats(relief=0.0, spread_reduction=0.5)
    world = toy_world(links=links, threats=threats, injects=(Inject(0, 1, 0.0),), horizon_days=60)
    seen = first_observation(world)
    value = harm_to_come(world)[-1, 1, 1]
    assert averted_by_cover(world, seen)[0, 0] == pytest.approx(0.5 * 0.6 / 2.0 * value)
    hit = replace(seen, severity=np.array([1, 1]))
    assert averted_by_cover(world, hit)[0, 0] == 0.0
