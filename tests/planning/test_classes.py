"""Classes of futures: what they promise of the futures they stand for."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from nts_sim.planning.classes import aggregated, classes, joined, matched, one_mean, stratified
from nts_sim.planning.sampled import sampled_path, sampled_paths
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
    for n in (48, 1000):
        drawn = sampled_path(world, seen, EDGES, immune, n)[1, 0, -1]
        for made in (aggregated, stratified):
            futures = made(world, seen, EDGES, immune, n_futures=n)
            at_worst = futures.path[:, 1, 0, -1]
            rare = at_worst > 0.5
            assert at_worst[rare] == pytest.approx(1.0), made.__name__
            assert at_worst[~rare] == pytest.approx(0.0)
            assert futures.probability[rare].sum() == pytest.approx(drawn)
    assert drawn == pytest.approx(0.03, abs=4.0 * np.sqrt(0.03 * 0.97 / 1000))


def test_even_shares_would_bury_the_catastrophe():
    """Why classes are cut by breaks: in the worst third it would look like a chance of 6 %."""
    world, seen, immune = rarely_catastrophic()
    worst = sampled_paths(world, seen, EDGES, immune, 48, "drawn")[:, 1, 0, -1]
    assert np.sort(worst)[-16:].mean() < 0.2


def spreading():
    """Incidents that last and rise as luck has it, and hit each other."""
    threats = toy_threats(
        distribution="exponential", stay_days=(2.0, 3.0, 4.0), escalation_days=(3.0, 5.0, np.inf)
    )
    links = toy_links(4, [(0, 1, 0.5, 1.0), (1, 2, 0.5, 1.0), (0, 3, 0.3, 2.0)], stops=False)
    world = toy_world(
        stock=((0.0,),) * 4, links=links, threats=threats, injects=(Inject(0, 2, 0.0),),
        horizon_days=30,
    )  # fmt: skip
    return world, first_observation(world), np.zeros(len(world.cells))


@pytest.mark.parametrize("made", [aggregated, stratified])
def test_the_mean_is_the_forecast_shares_are_shares_and_harm_rises(made):
    world, seen, immune = spreading()
    futures = made(world, seen, EDGES, immune)
    assert futures.probability.sum() == pytest.approx(1.0)
    assert futures.mean == pytest.approx(sampled_path(world, seen, EDGES, immune, 48), abs=1e-12)
    assert futures.path.min() >= 0.0
    assert futures.path.sum(axis=2).max() <= 1.0 + 1e-12
    harm = np.einsum("skvt,kv->s", futures.path, world.cells.harm_rate)
    assert harm[-1] > 1.2 * harm[0] > 0.0


def test_nothing_that_may_come_makes_classes_of_nothing():
    world = toy_world()
    futures = aggregated(world, first_observation(world), EDGES, np.zeros(len(world.cells)))
    assert len(futures.probability) == 3
    assert futures.path.max() == 0.0


def test_what_a_path_cannot_take_goes_where_there_is_room():
    """Hit in the second of two futures, 0.7 expected: 1 there and 0.4 in the first."""
    paths = np.zeros((2, 1, 3, 1))
    paths[1, 0, 2, 0] = 1.0
    mean = np.zeros((1, 3, 1))
    mean[0, 2, 0] = 0.7
    assert matched(paths, np.array([0.5, 0.5]), mean)[:, 0, 2, 0] == pytest.approx([0.4, 1.0])
    assert matched(paths, np.array([0.5, 0.5]), mean / 2)[:, 0, 2, 0] == pytest.approx([0.0, 0.7])


def test_one_mean_is_the_forecast():
    world, seen, immune = rarely_catastrophic()
    one = one_mean(world, seen, EDGES, immune)
    assert np.array_equal(one.path, sampled_path(world, seen, EDGES, immune)[None])
    assert one.probability.tolist() == [1.0]


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
