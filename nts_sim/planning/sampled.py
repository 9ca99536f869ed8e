"""What will be needed, from sampled futures: replications opened on what is known, or their mean.

Each future carries what is reported on with luck of its own (see `engine.futures`), so spread,
immunity and protection are those of the model itself, and random events that nobody is forewarned
of yet come with the chance they have. No help is there or on its way: needs follow from no-response
paths. The luck is common to all epochs, so that a plan does not change for no reason.

For a mean, only when and where incidents begin is left to luck. From there on an incident is
followed in expectation, stays and escalations as rates: with exponential stays that changes the
noise and not the mean, as the course of an incident without help depends on nothing but its
beginning (filtered Monte Carlo: Fox & Glynn 1990). Where stays are fixed it is an approximation,
and better than to count futures: what is left of a stay is not reported, and futures draw it anew.

Where futures are to differ as what comes may differ, courses are drawn too: once all storms have
come, how long incidents last is all that is left to luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numba import njit
from scipy.linalg import expm

from nts_sim.decision.model import Observation
from nts_sim.engine.batch import Changes, changes_alone
from nts_sim.engine.choice import EngineName
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.planning.forecast import rates
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Floats, Ints, World

Courses = Literal["expected", "drawn"]
"""How incidents go on once they began: in expectation, or as luck has it in their future."""

FUTURES = 32
"""Futures a forecast is the mean of."""
_SEED = 2**31
"""No study can have this seed: futures share no draw with the truth, whichever set that is from."""
_STEPS_PER_DAY = 32
"""Points at which the course of an incident is tabled; between them it is off by 2e-4 day."""


@dataclass(frozen=True, eq=False)
class Incidents:
    """Incidents of sampled futures, or spells of one severity where courses are drawn.

    Attributes
    ----------
    cell : int array [incident]
    future : int array [incident]; -1: in every future (reported, and followed in expectation)
    days : float array [incident, period, 3], days of the period at each severity
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
    changes = changes_of(world, observation, edges_days, immune, n_futures, engine)
    return mean_of(followed(world, observation, edges_days, changes))


def sampled_paths(
    world: World,
    observation: Observation,
    edges_days: Floats,
    immune: Floats,
    n_futures: int = FUTURES,
    courses: Courses = "expected",
) -> Floats:
    """Forecast the occupancy of severities in each of the futures that `sampled_path` averages.

    Returns
    -------
    float array [future, cell, 3, period]; with expected courses their mean, scaled by `shares`, is
    `sampled_path`
    """
    changes = changes_of(world, observation, edges_days, immune, n_futures)
    found = _COURSES[courses](world, observation, edges_days, changes)
    return found.paths(np.eye(n_futures))


def mean_of(found: Incidents) -> Floats:
    """Average over the futures, float array [cell, 3, period]."""
    return shares(found.paths(np.full((1, found.n_futures), 1.0 / found.n_futures))[0])


def changes_of(
    world: World,
    observation: Observation,
    edges_days: Floats,
    immune: Floats,
    n_futures: int,
    engine: EngineName = "compiled",
) -> Changes:
    """Sample futures without help, up to the last edge."""
    until = int(_edge_ticks(observation, edges_days)[-1])
    return changes_alone(world, observation, _planning_luck(n_futures), immune, until, engine)


def followed(
    world: World, observation: Observation, edges_days: Floats, changes: Changes
) -> Incidents:
    """Follow incidents in expectation from their beginning or the report on."""
    active, told = np.flatnonzero(observation.severity), ticks(observation.reported_day)
    begins, edges = changes.begins, _edge_ticks(observation, edges_days)
    cell = np.concatenate((active, changes.cell[begins]))
    severity = np.concatenate((observation.severity[active], changes.severity[begins]))
    tick = np.concatenate((np.full(len(active), told), changes.tick[begins]))
    return Incidents(
        cell=cell,
        future=np.concatenate((np.full(len(active), -1), changes.future[begins])),
        days=_expected_days(world, world.cells.threat[cell], severity, tick, told, edges),
        n_futures=changes.n_futures,
        n_cells=len(world.cells),
        lengths_days=np.diff(edges_days),
    )


def drawn(
    world: World, observation: Observation, edges_days: Floats, changes: Changes
) -> Incidents:
    """Take incidents as each future has them, spell by spell, from the report on."""
    active, told = np.flatnonzero(observation.severity), ticks(observation.reported_day)
    each, edges = np.arange(changes.n_futures), _edge_ticks(observation, edges_days)
    reported = np.tile(observation.severity[active], len(each))
    future = np.concatenate((np.repeat(each, len(active)), changes.future))
    cell = np.concatenate((np.tile(active, len(each)), changes.cell))
    spells = spells_of(
        np.stack((future, cell)),
        np.concatenate((np.full(len(reported), told), changes.tick)),
        np.concatenate((reported, changes.severity)),
        int(edges[-1]),
    )
    (future, cell), days = spells.whose, spells.days(edges)
    return Incidents(cell, future, days, len(each), len(world.cells), np.diff(edges_days))


_COURSES = {"expected": followed, "drawn": drawn}


@dataclass(frozen=True, eq=False)
class Spells:
    """Spells of one severity.

    Attributes
    ----------
    whose : int array [key, spell], future and cell, or cell alone
    severity, start, end : int array [spell]; severity is 1..3, times are ticks
    """

    whose: Ints
    severity: Ints
    start: Ints
    end: Ints

    def days(self, edges: Ints) -> Floats:
        """Days of each period at each severity, [spell, period, 3]; edges in ticks."""
        within = np.clip(edges, self.start[:, None], self.end[:, None])
        days = np.zeros((len(self.severity), len(edges) - 1, 3))
        lasted = np.diff(within, axis=1) / TICKS_PER_DAY
        days[np.arange(len(days)), :, self.severity - 1] = lasted
        return days


def spells_of(whose: Ints, tick: Ints, severity: Ints, until: int) -> Spells:
    """Sort changes out into spells; what goes on ends at tick `until`.

    Parameters
    ----------
    whose : int array [key, change]; of one key in time order
    """
    order = np.lexsort((tick, *whose[::-1]))
    whose, tick, severity = whose[:, order], tick[order], severity[order]
    goes_on = (whose[:, 1:] == whose[:, :-1]).all(axis=0)
    end = np.where(np.append(goes_on, False), np.roll(tick, -1), until)
    ill = np.flatnonzero((severity > 0) & (end > tick))
    return Spells(whose[:, ill], severity[ill], tick[ill], end[ill])


def _edge_ticks(observation: Observation, edges_days: Floats) -> Ints:
    return np.array([ticks(observation.day + edge) for edge in edges_days.tolist()])


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
