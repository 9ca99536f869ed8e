"""The future of a luck without help: against a simulation walked row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.planning.truth import true_path
from nts_sim.testing import toy_threats, toy_world
from nts_sim.world.model import Inject
from tests.planning.instances import LUCK, no_response_occupancy, random_world


def test_whole_days_are_those_of_a_simulation_without_orders():
    """In worlds where help relieves only, units that serve at home change no course."""
    for seed in range(20):
        world = random_world(seed)
        by_day = no_response_occupancy(world)
        edges = np.arange(world.horizon_days + 1.0)
        assert np.array_equal(true_path(world, LUCK, edges, 0.0), by_day)
        later = true_path(world, LUCK, edges[:-1], 1.0)
        assert np.array_equal(later, by_day[:, :, 1:])
        assert by_day.any()


def test_periods_start_and_end_within_days():
    """Severity 2 from day 1.25 on, one severity less after each 2 days; horizon 6 days."""
    world = toy_world(
        stock=((1e6,),), injects=(Inject(0, 2, 1.25),), horizon_days=6,
        threats=toy_threats(stay_days=(2.0, 2.0, 2.0), containment_gain=1.0),
    )  # fmt: skip
    path = true_path(world, LUCK, np.array([0.0, 1.0, 3.0, 7.0]), 0.5)[0]
    assert path[0] == pytest.approx([0.0, 0.25 / 2.0, 1.75 / 4.0])
    assert path[1] == pytest.approx([0.25, 1.75 / 2.0, 0.0])
    assert path[2].tolist() == [0.0, 0.0, 0.0]


def test_nothing_is_there_after_the_horizon():
    world = toy_world(injects=(Inject(0, 1, 0.0),), threats=toy_threats(stay_days=(1e9,) * 3))
    path = true_path(world, LUCK, np.array([0.0, 1.0, 2.0]), world.horizon_days - 1.0)
    assert path[0, 0].tolist() == [1.0, 0.0]


def test_another_luck_has_another_future():
    threats = toy_threats(distribution="exponential")
    world = toy_world(injects=(Inject(0, 1, 0.0),), threats=threats, horizon_days=30)
    lucks = [Luck(1, DrawSet.EVALUATION, k) for k in (0, 1, 0)]
    a, b, again = (true_path(world, luck, np.arange(31.0), 0.0) for luck in lucks)
    assert np.array_equal(a, again)
    assert not np.array_equal(a, b)
    other = replace(world, hazard=replace(world.hazard, injects=()))
    assert not true_path(other, lucks[0], np.arange(31.0), 0.0).any()
