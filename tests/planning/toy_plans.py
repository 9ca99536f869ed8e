"""Small planning problems of scenarios, with preparation, and samples made up at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csc_array

from nts_sim.planning.classes import Futures
from nts_sim.planning.linear import LinearProgram
from nts_sim.planning.problem import Equity
from nts_sim.planning.scenario import Samples, ScenarioPlan, plan_of_scenario, scenario_template
from nts_sim.planning.stages import TwoStage
from nts_sim.world.model import MoneySource, PreparationTerms, World
from tests.planning.instances import random_world


def toy_scenario(seed: int) -> World:
    """Make a random world in which money, depots and readiness matter before day 0."""
    rng = np.random.default_rng(seed)
    world = random_world(seed)
    terms = PreparationTerms(
        sources=(MoneySource("budget", float(rng.uniform(0.2, 4.0))),),
        depot_cost_bn_vnd=0.05,
        depot_capacity_tonnes=float(rng.uniform(5.0, 40.0)),
        tonnes_per_unit={int(r): 0.5 for r in np.flatnonzero(~world.resources.is_team)},
        post_share=0.5,
        place_share_at_most=float(rng.choice([0.5, 1.0])),
    )
    mechanisms = tuple(
        replace(m, readiness_cost_bn_vnd=0.05) if m.name == "army" and rng.random() < 0.5 else m
        for m in world.mechanisms
    )
    cost = rng.uniform(0.01, 0.1, len(world.resources.name))
    resources = replace(world.resources, acquire_cost=cost)
    return replace(world, terms=terms, mechanisms=mechanisms, resources=resources)


def random_futures(world: World, rng: np.random.Generator, n_samples: int) -> Futures:
    """Make up who is struck when: in each sample some cells, at one severity, for a while."""
    edges = scenario_template(world).sets.edges_days
    path = np.zeros((n_samples, len(world.cells), 3, len(edges) - 1))
    for sample, cell in np.ndindex(n_samples, len(world.cells)):
        if rng.random() < 0.6:
            first, last = np.sort(rng.integers(0, world.horizon_days + 1, 2))
            path[sample, cell, rng.integers(0, 3), first:last] = 1.0
    chance = rng.uniform(0.5, 1.5, n_samples)
    return Futures(path, chance / chance.sum())


def toy_plan(seed: int, n_samples: int = 4, equity: Equity | None = None) -> ScenarioPlan:
    """Make the planning problem of a random world with random samples."""
    world = toy_scenario(seed)
    futures = random_futures(world, np.random.default_rng(10_000 + seed), n_samples)
    return plan_of_scenario([(1.0, world, samples_of(futures))], equity)


def samples_of(futures: Futures) -> Samples:
    """Say of futures that all that comes was covered."""
    return Samples(futures, futures.path, np.arange(len(futures.probability)))


def newsvendor(demand: np.ndarray, cost: float = 1.0, price: float = 4.0) -> TwoStage:
    """Buy x now at `cost`, sell what is asked for at `price`; samples are equally likely."""
    matrix = csc_array(np.array([[-1.0, 1.0]]))
    n = len(demand)
    program = LinearProgram(
        cost=np.array([cost, 0.0]), lower=np.zeros(2), upper=np.array([1e3, 1e3]),
        row_lower=np.array([-np.inf]), row_upper=np.zeros(1),
        start=matrix.indptr.astype(np.int32), index=matrix.indices.astype(np.int32),
        value=matrix.data,
    )  # fmt: skip
    return TwoStage(
        program=program,
        shared=np.array([True, False]),
        probability=np.full(n, 1.0 / n),
        cost=np.tile([0.0, -price], (n, 1)),
        lower=np.zeros((n, 2)),
        upper=np.stack((np.zeros(n), demand), axis=1),
        row_lower=np.full((n, 1), -np.inf),
        row_upper=np.zeros((n, 1)),
        offset=np.zeros(n),
    )
