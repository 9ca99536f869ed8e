"""What will be needed: expected occupancy of cells over the coming days, from an observation.

`mean_path` follows the mean of the no-response dynamics: stays and escalations as rates, links
with lags. It does not see the true state, and uses forewarned onsets. `sampled` has the other
forecast, of the same shape. Needs follow from no-response paths, so that they do not depend on the
plan made from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.world.model import Bools, Floats, World

STEP_DAYS = 0.5
"""Step of the mean path; leaving is exact over a step, so storms of a day or so are no problem."""


@dataclass(frozen=True, eq=False)
class Dynamics:
    """The no-response dynamics of a world as rates and shares a step.

    Attributes
    ----------
    fall_rate, rise_rate : float array [cell, 3], a day, at coverage 0
    fall, rise : float array [cell, 3], share leaving downwards and upwards in `STEP_DAYS`
    wane : float array [cell], share of the immune that lose immunity in `STEP_DAYS`; 1 where a
        threat leaves none
    fire : float array [link], share of pending hits that fire in `STEP_DAYS`
    success : float array [link], chance that a hit succeeds at coverage 0
    """

    fall_rate: Floats
    rise_rate: Floats
    fall: Floats
    rise: Floats
    wane: Floats
    fire: Floats
    success: Floats


def rates(world: World) -> tuple[Floats, Floats]:
    """Rates of falling and of rising one severity without help, float arrays [threat, 3], a day."""
    escalation = world.threats.escalation_days
    rise = np.where(np.isfinite(escalation), 1.0 / escalation, 0.0)
    rise[:, 2] = 0.0
    return 1.0 / world.threats.stay_days, rise


@lru_cache(maxsize=8)
def dynamics(world: World) -> Dynamics:
    """Return the dynamics of a world."""
    threat = world.cells.threat
    fall_rate, rise_rate = (rate[threat] for rate in rates(world))
    rate = fall_rate + rise_rate
    leave = -np.expm1(-rate * STEP_DAYS) / rate
    links = world.links
    return Dynamics(
        fall_rate,
        rise_rate,
        fall_rate * leave,
        rise_rate * leave,
        -np.expm1(-STEP_DAYS / np.maximum(world.threats.immunity_days[threat], 1e-9)),
        -np.expm1(-STEP_DAYS / np.maximum(links.lag_days, 1e-9)),
        links.probability * _protection(world)[links.target],
    )


def _protection(world: World) -> Floats:
    """Share of hits expected to succeed; a measure that is not ready yet is not counted on."""
    ready = world.measure.ready_day <= 0.0
    return world.cells.protection if ready else np.ones(len(world.cells))


def occupied(world: World, observation: Observation) -> Floats:
    """Return what is reported as a distribution over severities.

    Returns
    -------
    float array [cell, 3], 1 at the reported severity of an active cell
    """
    occupancy = np.zeros((len(world.cells), 3))
    active = np.flatnonzero(observation.severity > 0)
    occupancy[active, observation.severity[active] - 1] = 1.0
    return occupancy


def mean_path(world: World, observation: Observation, edges_days: Floats, immune: Floats) -> Floats:
    """Forecast the mean of the no-response dynamics from what is reported.

    Starts at the reported state, one reporting lag ago, and carries it forward. Links fire at
    their mean rate; a cell that is active or immune cannot be hit.

    Parameters
    ----------
    edges_days : float array [period + 1], days from now
    immune : float array [cell], chance that the cell is immune now

    Returns
    -------
    float array [cell, 3, period], expected share of the period spent at each severity
    """
    lag = world.information.lag_days
    past_steps = round(lag / STEP_DAYS)
    steps = int(np.ceil(edges_days[-1] / STEP_DAYS))
    path = np.empty((steps + 1, len(world.cells), 3))
    state = _State(world, observation, immune)
    for step in range(-past_steps, steps + 1):
        state.warn((step - 1) * STEP_DAYS, step * STEP_DAYS)
        if step >= 0:
            path[step] = state.occupancy
        state.step()
    return _period_means(path, edges_days)


class _State:
    """The mean path while it is being walked; lives for one forecast.

    `_pending`, by link, is the chance of a hit on its way; `_hit` the chance that a link that fires
    once has hit: a target still dormant was not hit, so the hits to come are that much likelier.
    """

    def __init__(self, world: World, observation: Observation, immune: Floats) -> None:
        links = world.links
        self._dynamics = dynamics(world)
        self._target, self._source = links.target, links.source
        self._repeats: Bools = links.repeats
        self._stops: Bools = links.stops
        self._warnings = observation.warnings
        self._immune = immune.copy()
        self._hit = np.zeros(len(links))
        self._now = observation.day
        self.occupancy = occupied(world, observation)
        active = observation.severity[links.source] > 0
        age = observation.age_days[links.source] / np.maximum(links.lag_days, 1e-9)
        self._pending = np.where(active, np.where(links.repeats, 1.0, np.exp(-age)), 0.0)

    def warn(self, after_days: float, until_days: float) -> None:
        """Let forewarned onsets due in (after, until] happen to what is not active yet."""
        for warning in self._warnings:
            if after_days < warning.day - self._now <= until_days:
                gain = 1.0 - self.occupancy[warning.cell].sum() - self._immune[warning.cell]
                self.occupancy[warning.cell, warning.severity - 1] += gain
                self._activate_links(warning.cell, gain)

    def _activate_links(self, cell: int, gain: float) -> None:
        hit = np.flatnonzero(self._source == cell)
        self._pending[hit] += gain

    def step(self) -> None:
        """Walk one step: hits fire, incidents rise and fall."""
        d, occupancy = self._dynamics, self.occupancy
        fired = self._pending * d.fire
        hit = fired * d.success
        hazard = hit / np.maximum(1.0 - self._hit, 1e-9)
        self._hit += np.where(self._repeats, 0.0, hit)
        arriving = np.bincount(self._target, hazard, len(occupancy))
        dormant = 1.0 - occupancy.sum(axis=1) - self._immune
        new = np.minimum(arriving, 1.0) * np.maximum(dormant, 0.0)
        down, up = occupancy * d.fall, occupancy * d.rise
        occupancy -= down + up
        occupancy[:, :2] += down[:, 1:]
        occupancy[:, 1:] += up[:, :2]
        occupancy[:, 0] += new
        self._immune += down[:, 0]
        self._immune -= self._immune * d.wane
        self._carry_links(fired, new, down[:, 0])

    def _carry_links(self, fired: Floats, new: Floats, ended: Floats) -> None:
        self._pending -= np.where(self._repeats, 0.0, fired)
        active = self.occupancy.sum(axis=1)
        keep = active / np.maximum(active + ended, 1e-12)
        self._pending *= np.where(self._stops, keep[self._source], 1.0)
        self._pending += new[self._source]


def _period_means(path: Floats, edges_days: Floats) -> Floats:
    """Mean over each period of a path sampled every `STEP_DAYS` (trapezium rule)."""
    area = np.zeros_like(path)
    np.cumsum((path[1:] + path[:-1]) * (STEP_DAYS / 2.0), axis=0, out=area[1:])
    at = edges_days / STEP_DAYS
    low = np.minimum(at.astype(np.int64), len(path) - 2)
    share = (at - low)[:, None, None]
    at_edges = area[low] * (1.0 - share) + area[low + 1] * share
    means = np.diff(at_edges, axis=0) / np.diff(edges_days)[:, None, None]
    return np.ascontiguousarray(np.moveaxis(means, 0, 2))


def persons_per_case(world: World, observation: Observation, correct_reports: bool) -> Floats:
    """Persons exposed by a cell at each severity, as the reports let one believe.

    The world's table gives the persons expected at a severity; where an incident is reported, the
    table is scaled to the report, corrected for the share known to be reported if asked.

    Returns
    -------
    float array [cell, 3], persons
    """
    table = world.cells.exposed
    active = np.flatnonzero(observation.severity > 0)
    expected = table[active, observation.severity[active] - 1]
    reported = observation.exposed[active]
    if correct_reports:
        reported = reported / observation.reported_share[active]
    scale = np.ones(len(table))
    scale[active] = np.where(expected > 0.0, reported / np.maximum(expected, 1e-12), 1.0)
    return table * scale[:, None]
