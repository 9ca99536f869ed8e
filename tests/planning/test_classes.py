"""Classes of futures: what they promise of the futures they stand for."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from nts_sim.planning.classes import aggregated, classes, joined, one_mean, stratified
from nts_sim.planning.sampled import sampled_path
from nts_sim.testing import toy_links, toy_threats, toy_world
from nts_sim.world.model import Inject
from tests.planning.instances import first_observation

EDGES = np.arange(7.0)


def rarely_catastrophic():
    """A small incident that brings one a hundred times as harmful, with a chance of 3 %."""
    threats = toy_threats(stay_days=(1e9,) * 3)
    links = toy_links(3, [(0, 1, 0.03, 0.01), (0, 2, 0.5, 0.01)], stops=False)
    world = toy_world(
        stock=((0.0,),) * 3, links=links, threats=threats, injects=(Inject(0, 1, 0.0),),
        horizon_days=30,
    )  # fmt: skip
    harm_rate = world.cells.harm_rate * np.array([[1.0], [100.0], [1.0]])
    world = replace(world, cells=replace(world.cells, harm_rate=harm_rate))
    return world, first_observation(world), np.zeros(len(world.cells))


def test_a_rare_catastrophe_has_a_class_of_its_own_with_the_chance_it_has_in_the_futures():
    world, seen, immune = rarely_catastrophic()
    drawn = sampled_path(world, seen, EDGES, immune, 48)[1, 0, -1]
    assert 0.9 / 48.0 <= drawn <= 3.1 / 48.0
    for made in (aggregated, stratified):
        futures = made(world, seen, EDGES, immune)
        at_worst = futures.path[:, 1, 0, -1]
        assert at_worst[:-1] == pytest.approx(0.0), made.__name__
        assert at_worst[-1] == pytest.approx(1.0)
        assert futures.probability[-1] == pytest.approx(drawn)


def test_classes_keep_the_mean_of_the_futures():
    world, seen, immune = rarely_catastrophic()
    mean = sampled_path(world, seen, EDGES, immune, 48)
    assert aggregated(world, seen, EDGES, immune).mean == pytest.approx(mean)
    assert np.array_equal(
        one_mean(world, seen, EDGES, immune).path[0], sampled_path(world, seen, EDGES, immune)
    )


def test_classes_are_those_of_least_squared_differences():
    """Against every way to cut nine sorted harms in three."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        harm = np.round(rng.exponential(1.0, 9), 1)
        of, ordered = classes(harm, 3), np.sort(harm)
        loss = sum(((harm[of == k] - harm[of == k].mean()) ** 2).sum() for k in range(3))
        parts = (np.split(ordered, cuts) for cuts in combinations(range(1, 9), 2))
        least = min(sum(((part - part.mean()) ** 2).sum() for part in three) for three in parts)
        assert loss == pytest.approx(least, abs=1e-9)
        assert max(harm[of == 0]) <= min(harm[of == 1]) <= max(harm[of == 1]) <= min(harm[of == 2])


def test_joined_futures_have_the_weights_of_their_members():
    world, seen, immune = rarely_catastrophic()
    one, three = one_mean(world, seen, EDGES, immune), aggregated(world, seen, EDGES, immune)
    both = joined([(1.0, one), (3.0, three)])
    assert both.path.shape == (4, *one.path.shape[1:])
    assert both.probability == pytest.approx([0.25, *(0.75 * three.probability)])
    assert both.mean == pytest.approx(0.25 * one.mean + 0.75 * three.mean)
