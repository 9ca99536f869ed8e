"""Two engines, one truth: the same bytes in random worlds and in every shipped scenario."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from nts_sim.engine.flat import Play
from nts_sim.engine.session import EngineName, LocalSession
from nts_sim.engine.simpy_engine import SimpyEngine
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.registry import RULE_NAMES, make_policy
from nts_sim.spec.models import PolicySpec, ScenarioSpec
from nts_sim.tables.load import load_tables
from nts_sim.testing import toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import ticks
from nts_sim.world.build import build_world
from nts_sim.world.model import World
from tests.engines.helpers import LUCK, inject, play
from tests.engines.parity.compare import difference, first_difference, play_on
from tests.engines.parity.count import Count, cases, count_parity
from tests.engines.parity.worlds import RULES, Case, case, random_stops
from tests.system.study import CONFIGS, study

NIGHTLY = os.environ.get("NTS_SIM_NIGHTLY") == "1"
QUICK_WORLDS, CI_WORLDS, NIGHTLY_WORLDS = 40, 150, 1_000
"""Worlds of each kind: quick ones in every run, the next up to CI's in slow runs, then nightly."""
LEAST_ROWS, LEAST_RUNS_PERCENT = 10, 10
"""What every kind of event must reach in a batch: rows in all, replications per hundred."""
KINDS = pytest.mark.parametrize("whole_days", [True, False], ids=["whole-day", "continuous"])


def same_and_enough(count: Count) -> None:
    """No difference, in a batch in which everything that can happen did happen, and often."""
    assert not count.differences, count.differences[0]
    for kind in Kind:
        assert count.rows_of[kind] >= LEAST_ROWS, f"too few rows of {kind.name}\n{count.table()}"
        often = count.runs_with[kind] * 100 >= LEAST_RUNS_PERCENT * count.runs
        assert often, f"too few runs with {kind.name}\n{count.table()}"


@KINDS
def test_parity_in_random_worlds(whole_days: bool) -> None:
    same_and_enough(count_parity(cases(0, QUICK_WORLDS, whole_days=whole_days)))


@pytest.mark.slow
@KINDS
def test_parity_in_more_random_worlds(whole_days: bool) -> None:
    same_and_enough(count_parity(cases(QUICK_WORLDS, CI_WORLDS, whole_days=whole_days)))


@pytest.mark.slow
@pytest.mark.skipif(not NIGHTLY, reason="nightly: set NTS_SIM_NIGHTLY=1")
@KINDS
def test_parity_in_a_thousand_random_worlds(whole_days: bool) -> None:
    worlds = cases(QUICK_WORLDS + CI_WORLDS, NIGHTLY_WORLDS, whole_days=whole_days)
    count = count_parity(worlds)
    print(count.table())
    same_and_enough(count)
    assert set(count.refused) == {
        "stock", "ceiling", "fund", "earmark", "trigger", "authority", "ready"
    }  # fmt: skip


@KINDS
def test_rows_that_run_short_at_any_moment_change_nothing(
    whole_days: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel stops, is given no more room than it needs, and goes on: thousands of times."""
    stops = Counter[str]()

    def barely_longer(play: Play, name: str, least: int = 0) -> Play:
        table, stops[name] = getattr(play, name), stops[name] + 1
        made = np.zeros(max(len(table) + 1, least), dtype=table.dtype)
        made[: len(table)] = table
        return play._replace(**{name: made})

    monkeypatch.setattr("nts_sim.engine.flat._ROWS", 1)
    monkeypatch.setattr("nts_sim.engine.flat._ROWS_A_CELL", 0)
    monkeypatch.setattr("nts_sim.engine.compiled.longer", barely_longer)
    count = count_parity(cases(0, 10, whole_days=whole_days))
    assert not count.differences, count.differences[0]
    assert stops["rows"] > 1_000


def test_whole_day_worlds_are_full_of_ties() -> None:
    """The order of an instant is only tested where instants are shared: ten times a world."""
    ties = {
        whole: count_parity(cases(0, QUICK_WORLDS, whole_days=whole)).shared_ticks
        for whole in (True, False)
    }
    assert ties[True] > 10 * QUICK_WORLDS
    assert ties[True] > 5 * ties[False]


@KINDS
def test_a_world_is_its_number(whole_days: bool) -> None:
    """Made twice, a case is the same case; made under another number, another."""
    first, again, other = (case(number, whole_days=whole_days) for number in (7, 7, 8))
    runs = [play_on("simpy", c.world, c.policy, c.luck) for c in (first, again, other)]
    assert difference(runs[0], runs[1]) is None
    assert difference(runs[0], runs[2]) is not None


# --- in pieces ------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
@KINDS
def test_stopping_anywhere_changes_nothing(whole_days: bool, engine: EngineName) -> None:
    """Interrupted two dozen times, at any tick, an engine writes the same bytes."""
    for one in cases(0, 15, whole_days=whole_days):
        stops = random_stops(one.world, 1)
        whole = play_on("simpy", one.world, one.policy, one.luck)
        parts = play_on(engine, one.world, one.policy, one.luck, stops)
        assert difference(whole, parts) is None, one.name


@pytest.mark.parametrize("engine", ["simpy", "compiled"])
@KINDS
def test_two_sessions_do_not_mix(whole_days: bool, engine: EngineName) -> None:
    """Two replications of one world, carried on in turns, are the two played one by one."""
    for one in cases(0, 10, whole_days=whole_days):
        lucks = (one.luck, replace(one.luck, replication=one.luck.replication + 1))
        alone = [play_on("simpy", one.world, one.policy, luck).trace for luck in lucks]
        for single, mixed in zip(alone, _in_turns(one, lucks, engine), strict=True):
            assert first_difference(single, mixed) is None, one.name


def _in_turns(one: Case, lucks: Sequence[Luck], engine: EngineName) -> list[Trace]:
    policy, world = one.policy, one.world
    sessions = [
        LocalSession(world, luck, manages_returns=policy.manages_returns, engine=engine)
        for luck in lucks
    ]
    decisions = [policy.open(world) for _ in lucks]
    for day in world.epoch_days:
        for session, decide in zip(sessions, decisions, strict=True):
            session.advance(ticks(day))
            session.apply(decide(session.observe()))
    for session in sessions:
        session.advance(ticks(world.horizon_days))
        session.engine.close()
    return [session.trace() for session in sessions]


# --- shipped scenarios ----------------------------------------------------------------------------

SCENARIOS = (
    "typhoon_north", "flood_central", "respiratory_epidemic", "cyber_outage", "mekong_salinity",
    "border_disease", "compound", "calm_year",
)  # fmt: skip
SETS = ("all_hazards", "north_season")
"""Sets of the scenarios above; they have no world of their own."""
INFORMATION = ("perfect", "prompt", "yagi_2024")


@lru_cache(maxsize=1)
def shipped(scenario: str, *overrides: str) -> World:
    made = study(f"scenario={scenario}", *overrides)
    assert isinstance(made.scenario, ScenarioSpec)
    return build_world(made, made.scenario, load_tables())


@pytest.mark.slow
@pytest.mark.parametrize("information", INFORMATION)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_parity_in_shipped_scenarios(scenario: str, information: str) -> None:
    """Every rule policy once; each scenario's settings and rules share no replication."""
    count = count_rules(shipped(scenario, f"information={information}"), RULES)
    assert not count.differences, count.differences[0]
    assert count.rows > 1_000
    assert sum(count.granted.values()) > 20


OTHER_SETTINGS = (
    ("mechanism=fixed_leads", "resources=lean"),
    ("fund=tight", "measure=shared_database"),
    ("measure=cyber_hardening", "resources=strong", "information=prompt"),
)


@pytest.mark.slow
@pytest.mark.parametrize("settings", OTHER_SETTINGS, ids=" ".join)
def test_parity_under_other_settings(settings: tuple[str, ...]) -> None:
    """Leads without luck, few units, little money, measures: the worst of all at once."""
    count = count_rules(shipped("compound", *settings), ("current_practice", "greedy"))
    assert not count.differences, count.differences[0]
    assert count.rows > 1_000


@pytest.mark.slow
def test_parity_under_an_optimised_policy() -> None:
    """Plans are solved from what is seen: the last bit of an observation may change them."""
    count = count_rules(shipped("typhoon_north"), ("expected_value",))
    assert not count.differences, count.differences[0]
    assert sum(count.granted.values()) > 20


def count_rules(world: World, rules: Sequence[str]) -> Count:
    """Play one replication under each policy on both engines."""
    count = Count()
    for number, rule in enumerate(rules):
        policy, luck = make_policy(rule, PolicySpec()), Luck(147, DrawSet.EVALUATION, number)
        simpy = play_on("simpy", world, policy, luck)
        compiled = play_on("compiled", world, policy, luck)
        count.take(f"{world.name}, {rule}", simpy, difference(simpy, compiled))
    return count


def test_every_shipped_scenario_and_setting_is_named_here() -> None:
    """A scenario, information setting or rule that is added is compared, too."""
    for group, known in (("scenario", SCENARIOS + SETS), ("information", INFORMATION)):
        assert {path.stem for path in (CONFIGS / group).glob("*.yaml")} == set(known)
    assert set(RULES) == set(RULE_NAMES)


# --- the comparison itself ------------------------------------------------------------------------


def test_the_engines_are_two() -> None:
    """Comparing an engine with itself proves nothing."""
    world = toy_world()
    assert isinstance(LocalSession(world, LUCK, engine="simpy").engine, SimpyEngine)
    assert not isinstance(LocalSession(world, LUCK, engine="compiled").engine, SimpyEngine)


def test_a_difference_is_shown_with_its_neighbours() -> None:
    trace = play(toy_world(injects=[inject(c, 3, d) for c in (0, 1) for d in (0.0, 5.0)])).trace
    assert len(trace) > 9
    other = trace.copy()
    other["value"][5] = np.nextafter(other["value"][5], 1.0)
    told = first_difference(trace, other)
    assert told is not None
    assert "row 5, columns value" in told
    lines = told.splitlines()
    assert sum(line.lstrip().startswith("→") for line in lines) == 2
    assert len(lines) == 1 + 2 * (1 + 7)
    assert Kind(trace["kind"][5]).name in told
    ended = first_difference(trace, trace[:-1])
    assert ended is not None
    assert "one of them ends" in ended
    assert first_difference(trace, trace.copy()) is None


def test_a_difference_in_what_is_seen_or_ruled_is_noticed() -> None:
    """The last bit of one number of one observation, and a reason."""
    one = case(3, whole_days=True)
    played = play_on("simpy", one.world, one.policy, one.luck)
    free = played.seen[-1].free.copy()
    free[0, 0] = np.nextafter(free[0, 0], 1e9)
    late = replace(played, seen=(*played.seen[:-1], replace(played.seen[-1], free=free)))
    assert "free" in (difference(played, late) or "")
    first = replace(played.rulings[0], granted=played.rulings[0].granted + 1e-9)
    ruled = replace(played, rulings=(first, *played.rulings[1:]))
    assert "ruling 0" in (difference(played, ruled) or "")
