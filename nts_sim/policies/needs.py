"""Reported need, shortage and spare stock: how every rule reads an observation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.world.model import Bools, Effect, Floats, Ints, World

_TOLERATED_SHARE = 0.05
"""A shortage below this share of the need is left alone: every order takes a signature."""
_GRAIN = 1e-9


@dataclass(frozen=True)
class Reading:
    """How a rule reads its observation.

    Attributes
    ----------
    lookahead_days : days of need that supplies should cover, on top of the days to the next epoch
    correct_reports : divide reported people by the share known to be reported
    """

    lookahead_days: float = 7.0
    correct_reports: bool = False

    def cover_days(self, world: World) -> float:
        """Days of need that an order of supplies is meant to cover."""
        epochs = world.epoch_days
        return self.lookahead_days + (epochs[1] - epochs[0] if len(epochs) > 1 else 1.0)


@dataclass(frozen=True, eq=False)
class Picture:
    """What a planner makes of an observation; all axes run over provinces only.

    Attributes
    ----------
    worst : int array [place], worst reported severity
    exposed : float array [place], people reported exposed
    cells : int array, cells reported active, ascending
    cell_need : float array [len(cells), resource], reported requirement: units (teams) or units
        a day (supplies)
    need : float array [place, resource], the same by place
    shortage : float array [place, resource], units missing: teams against the need of today,
        supplies against the need of the days ahead; inbound units count as there
    standby : float array [place, resource], as `shortage`, for forewarned onsets as well
    have : float array [place, resource], units free or inbound
    wanted : float array [place, resource], units that would leave no shortage
    kept : float array [place, resource], as `wanted`, for forewarned onsets as well: what a donor
        does not give away
    """

    worst: Ints
    exposed: Floats
    cells: Ints
    cell_need: Floats
    need: Floats
    shortage: Floats
    standby: Floats
    have: Floats
    wanted: Floats
    kept: Floats

    @property
    def met_share(self) -> Floats:
        """Share of the wanted amount that is there, of the scarcest resource: [place]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            fill = np.where(self.wanted > 0.0, self.have / self.wanted, 1.0)
        return np.asarray(np.minimum(1.0, fill.min(axis=1)))


def reported_cells(world: World, observation: Observation) -> Ints:
    """Cells at provinces (their agencies included) that are reported active, ascending."""
    active = np.flatnonzero(observation.severity)
    return active[world.cells.place[active] < world.nodes.n_provinces]


def reported_requirement(
    world: World, observation: Observation, cells: Ints, *, correct: bool
) -> Floats:
    """Return the requirement of cells as far as people are reported.

    requirement[cell, severity] × reported exposed / exposed; a cell that exposes nobody (a hit
    agency) is reported whole. With `correct`, divided by the share known to be reported.

    Returns
    -------
    float array [len(cells), resource], units or units a day
    """
    row = observation.severity[cells] - 1
    exposed = world.cells.exposed[cells, row]
    share = np.ones(len(cells))
    np.divide(observation.exposed[cells], exposed, out=share, where=exposed > 0.0)
    if correct:
        share = np.where(exposed > 0.0, share / observation.reported_share[cells], share)
    return np.asarray(world.cells.requirement[cells, row] * share[:, None])


def forewarned_requirement(world: World, observation: Observation) -> Floats:
    """Return what forewarned onsets will require in full: [place, resource]."""
    coming = np.zeros((world.nodes.n_provinces, len(world.resources.name)))
    worst: dict[int, int] = {}
    for warning in observation.warnings:
        worst[warning.cell] = max(worst.get(warning.cell, 0), warning.severity)
    for cell, severity in worst.items():
        place = world.cells.place[cell]
        if place < len(coming) and observation.severity[cell] == 0:
            coming[place] += world.cells.requirement[cell, severity - 1]
    return coming


def inbound_units(world: World, observation: Observation, until_day: float) -> Floats:
    """Units on the way to each province: teams whenever they come, supplies up to `until_day`.

    Returns
    -------
    float array [place, resource]
    """
    units = np.zeros((world.nodes.n_provinces, len(world.resources.name)))
    is_team = world.resources.is_team
    for inbound in observation.inbound:
        inside = 0 <= inbound.place < len(units)
        if inside and (is_team[inbound.resource] or inbound.day <= until_day):
            units[inbound.place, inbound.resource] += inbound.quantity
    return units


def picture(world: World, observation: Observation, reading: Reading) -> Picture:
    """Turn an observation into need and shortage by province."""
    n = world.nodes.n_provinces
    cells = reported_cells(world, observation)
    cell_need = reported_requirement(world, observation, cells, correct=reading.correct_reports)
    place = world.cells.place[cells]
    need = np.zeros((n, len(world.resources.name)))
    worst, exposed = np.zeros(n, dtype=np.int64), np.zeros(n)
    np.add.at(need, place, cell_need)
    np.add.at(exposed, place, observation.exposed[cells])
    np.maximum.at(worst, place, observation.severity[cells])
    cover_days = reading.cover_days(world)
    days = np.where(world.resources.is_team, 1.0, cover_days)
    inbound = inbound_units(world, observation, observation.day + cover_days)
    have = observation.free[:n] + inbound
    wanted = need * days
    kept = wanted
    if observation.warnings:
        kept = wanted + forewarned_requirement(world, observation) * days
    whole = world.resources.whole_units
    return Picture(
        worst, exposed, cells, cell_need, need, _shortage(wanted, have, whole),
        _shortage(kept, have, whole), have, wanted, kept,
    )  # fmt: skip


def _shortage(wanted: Floats, have: Floats, whole_units: Bools) -> Floats:
    """Units missing, rounded up to whole ones; small shares are left alone."""
    missing = wanted - have
    missing = np.where(missing > _TOLERATED_SHARE * wanted, missing, 0.0)
    return np.where(whole_units, np.ceil(missing - _GRAIN), missing)


def spare_units(world: World, observation: Observation, kept: Floats) -> Floats:
    """Whole units of their own that donors may still send away.

    donor_share × (own stock, those away included, − kept at home) − away, at least 0.

    Parameters
    ----------
    kept : float array [place, resource], units required at home, forewarned onsets included

    Returns
    -------
    float array [place, resource]; 0 everywhere without an enabled transfer mechanism
    """
    transfers = (m for m in world.mechanisms if m.effect is Effect.TRANSFER and m.enabled)
    transfer = next(transfers, None)
    if transfer is None:
        return np.zeros_like(kept)
    away = observation.away[: len(kept)]
    own = observation.own[: len(kept)] + away
    spare = np.maximum(0.0, transfer.donor_share * np.maximum(0.0, own - kept) - away)
    return np.where(world.resources.whole_units, np.floor(spare + _GRAIN), spare)


def idle_visitors(world: World, observation: Observation, kept: Floats) -> Floats:
    """Mobilised teams at a place beyond what it needs, free to be forwarded: [place, resource]."""
    mobilised = np.zeros_like(kept)
    for visiting in observation.visitors:
        if visiting.home == world.nodes.n_places and visiting.place < len(kept):
            mobilised[visiting.place, visiting.resource] += visiting.quantity
    beyond = np.maximum(0.0, observation.free[: len(kept)] - kept)
    return np.asarray(np.floor(np.minimum(mobilised, beyond) + _GRAIN))
