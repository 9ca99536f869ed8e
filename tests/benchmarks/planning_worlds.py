"""Planning problems to be timed: recorded epochs, and scenarios' plans with samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from nts_sim.decision.model import Observation, Order, Policy
from nts_sim.engine.session import simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.numbers import Numbers, need_of, numbers_of
from nts_sim.planning.scenario import Samples, draw_samples, scenario_template
from nts_sim.planning.solve import Highs
from nts_sim.planning.template import Template
from nts_sim.policies.optimised import GAP, planned
from nts_sim.policies.planner import Planner, futures_of, planner_template
from nts_sim.policies.registry import make_policy
from nts_sim.policies.settings import settings_of
from nts_sim.spec.models import PolicySpec
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from nts_sim.world.model import World
from tests.benchmarks.runs import SEED
from tests.system.study import study


@cache
def storm(*terms: str) -> World:
    """Build the world of typhoon_north."""
    made = study("scenario=typhoon_north", *terms)
    return build_world(made, made.scenario, load_tables())


@lru_cache(maxsize=16)
def observations(world: World, name: str, number: int) -> Sequence[Observation]:
    """Record what a planner sees in a replication in which it acts."""
    seen: list[Observation] = []
    policy = planned(name, PolicySpec())

    def open_one(world: World, luck: Luck | None = None):
        decide = policy.open(world)

        def watch(observation: Observation) -> Sequence[Order]:
            seen.append(observation)
            return decide(observation)

        return watch

    watched = Policy(name=name, open=open_one, manages_returns=True, settings={})
    simulate(world, watched, Luck(SEED, DrawSet.EVALUATION, number))
    return tuple(seen)


def replay(world: World, name: str, seen: Sequence[Observation]) -> list[Sequence[Order]]:
    """Let a fresh planner decide on recorded observations; its orders, epoch by epoch."""
    planner = Planner(world, settings_of(name, PolicySpec()), Highs(gap=GAP))
    return [planner(observation) for observation in seen]


@dataclass(frozen=True, eq=False)
class Epochs:
    """Problems of recorded epochs, filled by one template."""

    template: Template
    numbers: Sequence[Numbers]

    def filled(self) -> list[Filled]:
        """Fill the template for each."""
        return [fill(self.template, numbers) for numbers in self.numbers]


def epochs(world: World, name: str, number: int) -> Epochs:
    """Make the numbers of every epoch at which the planner had something to plan for."""
    settings = settings_of(name, PolicySpec())
    template = planner_template(world, settings)
    made = []
    for seen in observations(world, name, number):
        if not (seen.severity.any() or seen.warnings):
            continue
        immune = np.zeros(len(world.cells))
        futures = futures_of(world, template.sets, seen, settings, immune)
        need = need_of(world, template.sets, seen, futures, caution=settings.caution)
        made.append(numbers_of(world, template.sets, seen, need))
    return Epochs(template, made)


def samples_of(world: World, n_samples: int) -> Samples:
    """Draw samples of need with the help of current practice."""
    edges = scenario_template(world).sets.edges_days
    incumbent = make_policy("current_practice", PolicySpec())
    return draw_samples(world, edges, SEED, range(n_samples), n_samples, incumbent)
