"""What coverage averts: harm relieved now, and the lever value of a shorter, milder incident.

Serving one person for one day averts ρ of the person's harm. Beyond that, coverage c speeds
containment by 1 + κ·c, slows escalation to 1 − c and stops a share σ·c of spread. To first order
around no response these are worth, for each day at coverage 1 and severity s,

    ρ·h(s) + κ·μ(s)·(V(s) − V(s−1)) + ε(s)·(V(s+1) − V(s)) + σ·Σ rate · p · V(target, 1)

with V(s) the expected harm to come from a cell at severity s until the horizon, μ and ε the rates
of falling and rising at coverage 0 and h the harm a day. For exponential stays the middle terms
are the exact derivative; spread is followed for two generations.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.planning.forecast import Dynamics, dynamics
from nts_sim.world.model import Floats, World

GENERATIONS = 2


@lru_cache(maxsize=8)
def harm_to_come(world: World) -> Floats:
    """Value the harm to come from a cell until the horizon without response.

    Returns
    -------
    float array [days to go, cell, 4], bn VND; the last axis is severity 0..3
    """
    values = np.zeros((world.horizon_days + 1, len(world.cells), 4))
    for generation in range(GENERATIONS + 1):
        previous = values.copy() if generation else None
        _walk_back(world, values, previous)
    return values


def _walk_back(world: World, values: Floats, offspring: Floats | None) -> None:
    """Fill `values` day by day; `offspring` values what spreads (None: nothing spreads)."""
    d = dynamics(world)
    total = d.fall_rate + d.rise_rate
    stay_share = -np.expm1(-total)
    fall, rise = stay_share * d.fall_rate / total, stay_share * d.rise_rate / total
    spread_rate = _spread_rate(world, d)
    for day in range(1, len(values)):
        after = values[day - 1]
        rate = world.cells.harm_rate.copy()
        if offspring is not None:
            rate += _spread_harm(world, spread_rate, offspring[day - 1])
        values[day, :, 1:] = (
            rate * stay_share / total
            + (1.0 - stay_share) * after[:, 1:]
            + fall * after[:, :3]
            + rise * np.roll(after[:, 1:], -1, axis=1)
        )


def _spread_rate(world: World, d: Dynamics) -> Floats:
    """Successful hits a day of each link while its source is active, [link, 3]."""
    links = world.links
    stay = 1.0 / d.fall_rate[links.source]
    once = np.where(links.stops[:, None], stay + links.lag_days[:, None], stay)
    repeated = np.maximum(links.lag_days, 1e-9)[:, None]
    return d.success[:, None] / np.where(links.repeats[:, None], repeated, once)


def _spread_harm(world: World, rate: Floats, values: Floats) -> Floats:
    """Harm to come caused a day by spread from each cell, [cell, 3]."""
    links, n = world.links, len(world.cells)
    worth = rate * values[links.target, 1][:, None]
    return np.stack([np.bincount(links.source, worth[:, s], n) for s in range(3)], axis=1)


def relieved_by_cover(world: World) -> Floats:
    """Harm relieved at once by a day at coverage 1, float array [cell, 3], bn VND a day."""
    relief = world.threats.relief_effect[world.cells.threat]
    return np.asarray(relief[:, None] * world.cells.harm_rate)


def averted_later(world: World, observation: Observation) -> Floats:
    """Harm to come that a day at coverage 1 averts: the lever value, [cell, 3], bn VND a day."""
    d, threats, threat = dynamics(world), world.threats, world.cells.threat
    to_go = max(0, round(world.horizon_days - observation.day))
    values = harm_to_come(world)[to_go]
    step = np.diff(values, axis=1)
    contain = threats.containment_gain[threat][:, None] * d.fall_rate * step
    escalate = d.rise_rate * np.concatenate((step[:, 1:], np.zeros((len(step), 1))), axis=1)
    averted: Floats = np.maximum(contain, 0.0) + np.maximum(escalate, 0.0)
    if threats.spread_reduction.any():
        averted += _spread_averted(world, observation, values)
    return averted


def _spread_averted(world: World, observation: Observation, values: Floats) -> Floats:
    links = world.links
    lag = np.maximum(links.lag_days, 1e-9)
    unfired = np.where(links.repeats, 1.0, np.exp(-observation.age_days[links.source] / lag))
    open_target = observation.severity[links.target] == 0
    worth = dynamics(world).success * unfired / lag * open_target * values[links.target, 1]
    sigma = world.threats.spread_reduction[world.cells.threat]
    total = sigma * np.bincount(links.source, worth, len(world.cells))
    return np.repeat(total[:, None], 3, axis=1)
