"""Tell what plans promise and what comes: the optimism gap of `stochastic`, scenario by scenario.

    python experiments/planning_under_uncertainty/optimism.py DRAWS results/SCENARIO/RUN …

A plan is made from DRAWS simulations on planning draws; what comes is read from stored comparisons
that hold `stochastic` on evaluation draws.
"""

from __future__ import annotations

import sys
from pathlib import Path

import hydra
import numpy as np
from omegaconf import OmegaConf
from shares import burdens

from nts_sim.planning.scenario import draw_samples, plan_of_scenario, scenario_template
from nts_sim.planning.solve import Highs
from nts_sim.planning.whole import first_plan
from nts_sim.policies.optimised import GAP, planned
from nts_sim.policies.planner import first_risk
from nts_sim.policies.settings import NAMED
from nts_sim.spec.load import load_study
from nts_sim.spec.models import PolicySpec, ScenarioSpec
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from nts_sim.world.model import World

CONFIGS = Path(__file__).parents[2] / "configs"
POLICY, SAMPLES, SEED = "stochastic", 24, 147


def world_of(scenario: str) -> World:
    """Build a shipped scenario's world."""
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = hydra.compose("config", overrides=[f"scenario={scenario}"])
    study = load_study(OmegaConf.to_container(config, resolve=True))
    assert isinstance(study.scenario, ScenarioSpec)
    return build_world(study, study.scenario, load_tables())


def promised(world: World, draws: int) -> float:
    """Return expected harm and cost by the plan, for needs as they come under it, bn VND."""
    incumbent = planned(POLICY, PolicySpec())
    edges = scenario_template(world).sets.edges_days
    samples = draw_samples(world, edges, SEED, range(draws), SAMPLES, incumbent)
    problem = plan_of_scenario([(1.0, world, samples)])
    plan = first_plan(problem, first_risk(NAMED[POLICY]), Highs(300.0, GAP)).plan
    return float(problem.numbers.need.probability @ plan.solution.sample_cost)


def main(arguments: list[str]) -> int:
    """Print a line a folder."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    draws, print_row = int(arguments[0]), "{:<22}{:>10}{:>12}{:>8}{:>10}".format
    print(print_row("scenario", "promised", "simulated", "+/-", "gap_%"))
    for folder in map(Path, arguments[1:]):
        came = burdens(folder)[POLICY]
        plan = promised(world_of(folder.parent.name), draws)
        half = 1.96 * came.std(ddof=1) / np.sqrt(len(came))
        gap = 100.0 * (plan - came.mean()) / came.mean()
        cells = f"{plan:,.0f}", f"{came.mean():,.0f}", f"{half:,.0f}", f"{gap:+.1f}"
        print(print_row(folder.parent.name, *cells), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
