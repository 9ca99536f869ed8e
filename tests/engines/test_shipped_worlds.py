"""The books balance, and pieces make the whole, in the shipped scenarios under shipped policies."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec, ScenarioSpec
from nts_sim.tables.load import load_tables
from nts_sim.trace.model import Kind
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.build import build_world
from nts_sim.world.model import World
from tests.engines.helpers import audit, only
from tests.system.study import study

SCENARIOS = [
    "typhoon_north", "flood_central", "respiratory_epidemic", "cyber_outage", "mekong_salinity",
    "border_disease", "compound", "calm_year",
]  # fmt: skip


@lru_cache
def shipped(scenario: str) -> World:
    made = study(f"scenario={scenario}")
    assert isinstance(made.scenario, ScenarioSpec)
    return build_world(made, made.scenario, load_tables())


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["current_practice", "per_capita"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_units_and_money_are_conserved_in_shipped_scenarios(scenario: str, policy: str) -> None:
    """One replication, checked after every row; the sorted trace has its causes first."""
    world = shipped(scenario)
    run = simulate(world, make_policy(policy, PolicySpec()), Luck(147, DrawSet.EVALUATION, 0))
    audit(world, run)
    trace = run.trace
    assert len(trace) > 200
    assert sum(ruling.granted > 0.0 for ruling in run.rulings) > 5
    keys = list(zip(*(trace[c].tolist() for c in ("tick", "phase", "index", "sub")), strict=True))
    assert keys == sorted(keys)
    assert (trace["cause_row"] < np.arange(len(trace))).all()
    coverage = only(trace, Kind.COVERAGE)["value"]
    assert ((coverage >= 0.0) & (coverage <= 1.0)).all()


@pytest.mark.slow
def test_pieces_make_the_whole_of_a_shipped_scenario() -> None:
    """The typhoon under current practice, in four pieces a day, to the byte."""
    world = shipped("typhoon_north")

    def pieces(stops_a_day: int) -> bytes:
        session = LocalSession(world, Luck(147, DrawSet.EVALUATION, 1))
        decide = make_policy("current_practice", PolicySpec()).open(world)
        for day in world.epoch_days:
            session.advance(ticks(day))
            session.apply(decide(session.observe()))
            for stop in range(1, stops_a_day):
                session.advance(ticks(day) + stop * TICKS_PER_DAY // stops_a_day)
        session.advance(ticks(world.horizon_days))
        session.engine.close()
        return session.trace().tobytes()

    assert pieces(1) == pieces(4)
