"""What will be needed, from sampled futures: replications opened on what is known, or their mean.

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

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from scipy.linalg import expm

from nts_sim.decision.model import Observation
from nts_sim.engine.batch import begins_alone
from nts_sim.engine.choice import EngineName
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.planning.forecast import rates
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Floats, Ints, World

FUTURES = 32
"""Futures a forecast is the mean of."""
_SEED = 2**31
"""No study can have this seed: futures share no draw with the truth, whichever set that is from."""
_STEPS_PER_DAY = 32
"""Points at which the course of an incident is tabled; between them it is off by 2e-4 day."""


@dataclass(frozen=True, eq=False)
class Incidents:
    """Incidents of sampled futures, each followed in expectation from its beginning.

    Attributes
    ----------
    cell : int array [incident]
    future : int array [incident]; -1: reported, so in every future
    days : float array [incident, period, 3], expected days of the period at each severity
    n_futures, n_cells : numbers of futures and of the world's cells
    lengths_days : float array [period]
    """

    cell: Ints
    future: Ints
    days: Floats
    n_futures: int
    n_cells: int
    lengths_days: Floats

    def paths(self, weight: Floats) -> Floats:
        """Average over futures, once for each row of weights.

        Incidents of one cell never overlap; their expectations in one future, or over a few, can,
        so a cell's shares may sum to more than 1 (see `shares`).

        Parameters
        ----------
        weight : float array [path, future]; each row sums to 1

        Returns
        -------
        float array [path, cell, 3, period], mean share of the period spent at each severity
        """
        total = np.zeros((len(weight), self.n_cells, len(self.lengths_days), 3))
        _add_up(total, self.cell, self.future, self.days, weight)
        return np.moveaxis(total, 2, 3) / self.lengths_days

    def amount(self, price: Floats) -> Floats:
        """Sum price × days over each future's incidents, those reported included.

        Parameters
        ----------
        price : float array [cell, period, 3], per day

        Returns
        -------
        float array [future]
        """
        each = (price[self.cell] * self.days).sum(axis=(1, 2))
        known = self.future < 0
        of_future = np.bincount(self.future[~known], each[~known], self.n_futures)
        return np.asarray(of_future + each[known].sum())


@njit(cache=True)
def _add_up(total: Floats, cell: Ints, future: Ints, days: Floats, weight: Floats) -> None:
    """Add the incidents' days to each path's cells, float array [path, cell, period, 3]."""
    for path in range(len(total)):
        for i in range(len(cell)):
            share = weight[path, future[i]] if future[i] >= 0 else 1.0
            if share > 0.0:
                for period in range(days.shape[1]):
                    for severity in range(3):
                        total[path, cell[i], period, severity] += share * days[i, period, severity]


def shares(paths: Floats) -> Floats:
    """Scale cells down whose shares sum to more than 1; float array [..., cell, 3, period]."""
    return np.asarray(paths / np.maximum(1.0, paths.sum(axis=-2, keepdims=True)))


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
    found = incidents_of(world, observation, edges_days, immune, n_futures, engine)
    return shares(found.paths(np.full((1, n_futures), 1.0 / n_futures))[0])


def sampled_paths(
    world: World,
    observation: Observation,
    edges_days: Floats,
    immune: Floats,
    n_futures: int = FUTURES,
    engine: EngineName = "compiled",
) -> Floats:
    """Forecast the occupancy of severities in each of the futures that `sampled_path` averages.

    Returns
    -------
    float array [future, cell, 3, period]; their mean, scaled by `shares`, is `sampled_path`
    """
    found = incidents_of(world, observation, edges_days, immune, n_futures, engine)
    return found.paths(np.eye(n_futures))


def incidents_of(
    world: World,
    observation: Observation,
    edges_days: Floats,
    immune: Floats,
    n_futures: int,
    engine: EngineName = "compiled",
) -> Incidents:
    """Sample futures without help; return their incidents, those reported first."""
    edges = np.array([ticks(observation.day + edge) for edge in edges_days.tolist()])
    lucks, until = _planning_luck(n_futures), int(edges[-1])
    begins = begins_alone(world, observation, lucks, immune, until, engine)
    active, told = np.flatnonzero(observation.severity), ticks(observation.reported_day)
    cell = np.concatenate((active, begins.cell))
    severity = np.concatenate((observation.severity[active], begins.severity))
    tick = np.concatenate((np.full(len(active), told), begins.tick))
    return Incidents(
        cell=cell,
        future=np.concatenate((np.full(len(active), -1), begins.future)),
        days=_expected_days(world, world.cells.threat[cell], severity, tick, told, edges),
        n_futures=n_futures,
        n_cells=len(world.cells),
        lengths_days=np.diff(edges_days),
    )


@lru_cache(maxsize=8)
def _planning_luck(n_futures: int) -> tuple[Luck, ...]:
    return tuple(Luck(_SEED, DrawSet.PLANNING, number) for number in range(n_futures))


def _expected_days(
    world: World, threat: Ints, severity: Ints, tick: Ints, told: int, edges: Ints
) -> Floats:
    """Days of each period that incidents spend at each severity, [incident, period, 3]."""
    course = _course(world, -(-int(edges[-1] - told) // TICKS_PER_DAY))
    steps = np.maximum(edges - tick[:, None], 0) * (_STEPS_PER_DAY / TICKS_PER_DAY)
    low = np.minimum(steps.astype(np.int64), course.shape[2] - 2)
    of = threat[:, None], severity[:, None] - 1
    share = (steps - low)[:, :, None]
    at_edges = course[*of, low] * (1.0 - share) + course[*of, low + 1] * share
    return np.diff(at_edges, axis=1)


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
