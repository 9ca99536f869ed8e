"""Compose studies from the shipped configuration, in process, as the commands do."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import hydra
from omegaconf import OmegaConf

from nts_sim.engine.session import simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.measures import outcomes_of
from nts_sim.policies.registry import make_policy
from nts_sim.spec.load import load_study
from nts_sim.spec.models import PolicySpec, ScenarioSpec, Study
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world

CONFIGS = Path(__file__).parents[2] / "configs"


def study(*overrides: str) -> Study:
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = hydra.compose("config", overrides=list(overrides))
    return load_study(OmegaConf.to_container(config, resolve=True))


def replicate(made: Study, policy: str, replications: int) -> list[dict[tuple[str, str], float]]:
    """Outcomes of each replication of a study under one policy, by (metric, key)."""
    assert isinstance(made.scenario, ScenarioSpec)
    world = build_world(made, made.scenario, load_tables())
    chosen = make_policy(policy, made.policies.get(policy, PolicySpec()))
    runs = (simulate(world, chosen, Luck(147, DrawSet.EVALUATION, k)) for k in range(replications))
    return [{(m, key): value for m, key, value in outcomes_of(run, world)} for run in runs]


@lru_cache
def outcomes(policy: str, replications: int, *overrides: str) -> list[dict[tuple[str, str], float]]:
    """Outcomes under a shipped study with overrides; remembered."""
    return replicate(study(*overrides, f"policy={policy}"), policy, replications)
