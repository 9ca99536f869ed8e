"""What will be needed, from sampled futures: the mean over replications opened on what is known.

Each future carries what is reported on with luck of its own (see `engine.futures`), so spread,
immunity and protection are those of the model itself, and random events that nobody is forewarned
of yet come with the chance they have. No help is there or on its way: needs follow from no-response
paths. The luck is common to all epochs, so that a plan does not change for no reason.

Only when and where incidents begin is left to luck. From there on an incident is followed in
expectation, stays and escalations as rates: with exponential stays that changes the noise and not
the mean, as the course of an incident without help depends on nothing but its beginning (filtered
Monte Carlo: Fox & Glynn 1990). Where stays are fixed it is an approximation, and better than to
count futures: what is left of a stay is not reported, and futures draw it anew.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.linalg import expm

from nts_sim.decision.model import Observation
from nts_sim.engine.choice import EngineName
from nts_sim.engine.futures import open_future
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.planning.forecast import rates
from nts_sim.trace.fold import rows_of
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Floats, Ints, World

FUTURES = 32
"""Futures a forecast is the mean of."""
_SEED = 2**31
"""No study can have this seed: futures share no draw with the truth, whichever set that is from."""
_STEPS_PER_DAY = 32
"""Points at which the course of an incident is tabled; between them it is off by 2e-4 day."""


def sampled_path(
    world: World,
    observation: Observation,
    edges_days: Floats,
    immune: Floats,
    n_futures: int = FUTURES,
    engine: EngineName = "compiled",
) -> Floats:
    """Forecast the mean occupancy of severities over sampled futures without help.

    Parameters
    ----------
    edges_days : float array [period + 1], days from now
    immune : float array [cell], chance that the cell is immune now
    engine : which engine carries the futures; the result is the same

    Returns
    -------
    float array [cell, 3, period], mean share of the period spent at each severity
    """
    alone = replace(observation, free=np.zeros_like(observation.free), inbound=())
    edges = np.array([ticks(observation.day + edge) for edge in edges_days.tolist()])
    begins = np.concatenate([
        _begins(world, alone, luck, immune, engine, int(edges[-1]))
        for luck in _planning_luck(n_futures)
    ])  # fmt: skip
    path = _expected_days(world, observation, begins, edges, n_futures) / np.diff(edges_days)
    # Incidents of one cell never overlap; their expectations over a few futures can.
    return np.asarray(path / np.maximum(1.0, path.sum(axis=1, keepdims=True)))


@lru_cache(maxsize=8)
def _planning_luck(n_futures: int) -> tuple[Luck, ...]:
    return tuple(Luck(_SEED, DrawSet.PLANNING, number) for number in range(n_futures))


def _begins(
    world: World,
    observation: Observation,
    luck: Luck,
    immune: Floats,
    engine: EngineName,
    until: int,
) -> Trace:
    """Run one future; return the rows with which incidents begin, from the report on."""
    future = open_future(world, observation, luck, immune, engine).engine
    future.advance(until)
    return rows_of(future.trace(), Kind.ONSET, Kind.SPREAD)


def _expected_days(
    world: World, observation: Observation, begins: Trace, edges: Ints, n_futures: int
) -> Floats:
    """Days of each period at each severity, given when incidents begin, [cell, 3, period]."""
    active, told = np.flatnonzero(observation.severity), ticks(observation.reported_day)
    cell = np.concatenate((active, world.cells.of[begins["node"], begins["threat"]]))
    severity = np.concatenate((observation.severity[active], begins["quantity"].astype(np.int64)))
    tick = np.concatenate((np.full(len(active), told), begins["tick"]))
    weight = np.repeat((1.0, 1.0 / n_futures), (len(active), len(begins)))
    course = _course(world, -(-int(edges[-1] - told) // TICKS_PER_DAY))
    steps = np.maximum(edges - tick[:, None], 0) * (_STEPS_PER_DAY / TICKS_PER_DAY)
    low = np.minimum(steps.astype(np.int64), course.shape[2] - 2)
    of = world.cells.threat[cell, None], severity[:, None] - 1
    share = (steps - low)[:, :, None]
    at_edges = course[*of, low] * (1.0 - share) + course[*of, low + 1] * share
    total = np.zeros((len(world.cells), len(edges) - 1, 3))
    np.add.at(total, cell, weight[:, None, None] * np.diff(at_edges, axis=1))
    return np.moveaxis(total, 1, 2)


@lru_cache(maxsize=16)
def _course(world: World, n_days: int) -> Floats:
    """Table the expected days at each severity since an incident began, without help.

    With Q the rates between severities, ∫ exp(Q t) dt over a step is a block of the exponential
    of [[Q, 1], [0, 0]]; its powers give the integrals up to every step.

    Returns
    -------
    float array [threat, severity at the start, step, severity], `_STEPS_PER_DAY` steps a day
    """
    fall, rise = rates(world)
    generator = np.zeros((len(fall), 6, 6))
    each = np.arange(3)
    generator[:, each, each] = -(fall + rise)
    generator[:, each[1:], each[:-1]] = fall[:, 1:]
    generator[:, each[:-1], each[1:]] = rise[:, :2]
    generator[:, each, each + 3] = 1.0
    step = expm(generator / _STEPS_PER_DAY)
    power = np.broadcast_to(np.eye(6), step.shape)
    course = np.zeros((len(fall), 3, n_days * _STEPS_PER_DAY + 1, 3))
    for at in range(1, course.shape[2]):
        power = power @ step
        course[:, :, at] = power[:, :3, 3:]
    return course
