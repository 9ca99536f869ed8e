"""How many incidents are active when onsets come at random: M/G/∞ and Erlang's loss system.

In M/G/∞ every onset finds a node of its own: the number active is Poisson of mean rate × mean stay,
whatever the law of stays. Where onsets share a few nodes, and those that find theirs active are
blocked, each node is active for a / (1 + a) of the time, a = its rate × mean stay (Erlang's B with
one server, again for every law); those onsets come from the calendar of random events.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from nts_sim.engine.session import EngineName
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import toy_threats, toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import ticks
from nts_sim.world.model import Distribution, Floats, Hazard, Inject, RandomEvents, World
from tests.engines.helpers import only
from tests.theory.findings import (
    SEED,
    Finding,
    Subject,
    against_number,
    beyond,
    examine,
    replicate,
    run_alone,
)
from tests.theory.graphs import cases_over_time

DAYS = (18, 24, 30)
"""Far enough from the start and from one another for stays of 3 days."""
HORIZON_DAYS = 31


@dataclass(frozen=True)
class Stay:
    """What an onset of a severity goes through, uncovered: days of each severity, days to rise."""

    severity: int
    law: Distribution
    stay_days: tuple[float, float, float]
    rise_days: tuple[float, float, float] = (np.inf, np.inf, np.inf)

    def mean_days(self) -> float:
        """Mean time until over: m(s) = (1 + down m(s - 1) + up m(s + 1)) / (down + up)."""
        down, up = 1.0 / np.array(self.stay_days), 1.0 / np.array(self.rise_days)
        leave = np.diag(down + up) - np.diag(up[:2], 1) - np.diag(down[1:], -1)
        return float(np.linalg.solve(leave, np.ones(3))[self.severity - 1])


STAYS = {
    "fixed": Stay(1, "fixed", (3.0, 3.0, 3.0)),
    "exponential": Stay(1, "exponential", (3.0, 3.0, 3.0)),
    "three stages": Stay(3, "exponential", (1.0, 1.0, 1.0)),
    "rising and falling": Stay(1, "exponential", (1.5, 1.0, 1.0), (2.0, 3.0, np.inf)),
}


def uncovered_world(n: int, stay: Stay) -> World:
    """Make `n` places in need of teams that nobody has, so that every clock keeps its pace."""
    threats = toy_threats(
        stay_days=stay.stay_days, escalation_days=stay.rise_days, distribution=stay.law
    )
    world = toy_world(stock=((0.0,),) * n, threats=threats, horizon_days=HORIZON_DAYS)
    return replace(world, epoch_days=())


def moments(title: str, counts: Floats, mean: float, variance: float) -> Iterator[Finding]:
    """Compare counts [replication, day] with the law's mean and variance, pooled over days."""
    yield against_number(f"{title}, mean active", counts.mean(axis=1), mean)
    spread = ((counts - mean) ** 2).mean(axis=1)
    yield against_number(f"{title}, variance of active", spread, variance)


# --- every onset finds a node of its own ----------------------------------------------------------

ONSETS_PER_DAY = 4.0


def onsets_at_random(name: str, seed: int, replication: int) -> World:
    """Make a world whose onsets come at Poisson instants, each at a node of its own."""
    rng, stay = np.random.default_rng((seed, replication, len(name))), STAYS[name]
    at = rng.uniform(0.0, HORIZON_DAYS, rng.poisson(ONSETS_PER_DAY * HORIZON_DAYS))
    injects = tuple(Inject(i, stay.severity, day) for i, day in enumerate(at.tolist()))
    world = uncovered_world(len(injects), stay)
    return replace(world, hazard=replace(world.hazard, injects=injects))


def occupancy(name: str, engine: EngineName, seed: int, count: int) -> list[Finding]:
    """M/G/∞: mean and variance are both rate × mean stay."""
    counts = np.array([
        cases_over_time(
            run_alone(
                onsets_at_random(name, seed, replication),
                Luck(seed, DrawSet.EVALUATION, replication), engine,
            ),
            DAYS,
        )
        for replication in range(count)
    ])  # fmt: skip
    mean = ONSETS_PER_DAY * STAYS[name].mean_days()
    return list(moments(f"M/G/∞, {name} stays", counts, mean, mean))


# --- onsets share a few nodes ---------------------------------------------------------------------

N_SHARED = 12
EVENTS_PER_DAY = 4.0


def calendar_world(stay: Stay) -> World:
    """Make a world whose onsets come from random events of one place each, all places alike."""
    world = uncovered_world(N_SHARED, stay)
    month_days = np.array([monthrange(world.start.year, month)[1] for month in range(1, 13)])
    events = RandomEvents(
        threat=0, month_rate=EVENTS_PER_DAY * month_days, first_weight=np.ones((12, N_SHARED)),
        size_mean=1.0, growth_weight=np.zeros((N_SHARED, N_SHARED)),
        severity_probability=np.eye(3)[stay.severity - 1], hops_per_severity=1, days_per_hop=0.0,
    )  # fmt: skip
    return replace(world, hazard=Hazard((), (events,), np.zeros(1), np.ones(1)))


def loss(name: str, engine: EngineName, seed: int, count: int) -> list[Finding]:
    """Erlang's loss: Binomial(N, a / (1 + a)) active; the same share of onsets is blocked."""
    offered = EVENTS_PER_DAY / N_SHARED * STAYS[name].mean_days()
    busy = offered / (1.0 + offered)

    def read(trace: Trace) -> list[float]:
        blocked = only(trace, Kind.BLOCKED)["tick"] >= ticks(DAYS[0])
        return [*cases_over_time(trace, DAYS), blocked.sum()]

    values = replicate(calendar_world(STAYS[name]), engine, seed, count, read)
    title, counts = f"Loss system, {name} stays", values[:, :-1]
    lost = EVENTS_PER_DAY * (HORIZON_DAYS - DAYS[0]) * busy
    return [
        *moments(title, counts, N_SHARED * busy, N_SHARED * busy * (1.0 - busy)),
        against_number(f"{title}, onsets blocked", values[:, -1], lost),
    ]


SUBJECTS = (
    *(Subject(f"occupancy, {name}", partial(occupancy, name), 200) for name in STAYS),
    *(Subject(f"loss, {name}", partial(loss, name), 100) for name in STAYS),
)


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_active_incidents_are_as_many_as_theory_has_it(
    subject: Subject, engine: EngineName
) -> None:
    """4 laws of stay, 20 numbers, 200 or 100 replications each: within 4 SE, first and fresh. All
    together cry wolf for 1 seed in 500."""
    assert not beyond(examine(subject, engine))


@pytest.mark.slow
def test_occupancy_would_notice_longer_stays() -> None:
    """Negative control: fixed stays of 3 days are not of 3.3."""
    measured = occupancy("fixed", "simpy", SEED, 200)[0]
    assert beyond([replace(measured, expected=1.1 * measured.expected)])


def test_mean_time_until_over_by_hand() -> None:
    """Down at 2/3, 1, 1 and up at 1/2, 1/3 a day: m(3) = 1 + m(2), so m(2) = 4/3 + m(1), so
    m(1) = 5/2."""
    assert STAYS["three stages"].mean_days() == pytest.approx(3.0)
    assert STAYS["rising and falling"].mean_days() == pytest.approx(2.5)
    assert Stay(2, "exponential", (2.0, 5.0, 1.0)).mean_days() == pytest.approx(7.0)
