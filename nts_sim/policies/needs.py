"""Reported need, shortage and spare stock: how every rule reads an observation.

Few cells are active at a time, so that what a rule works with is kept sparse and in plain Python:
a look at five places and their resources costs less than one array of all places.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.engine.sums import in_turn
from nts_sim.world.model import World

Amounts = dict[int, dict[int, float]]
"""Units by place, then by resource; 0 where nothing is listed."""

_TOLERATED_SHARE = 0.05
"""A shortage below this share of the need is left alone: every order takes a signature."""
_GRAIN = 1e-9
_WORLDS_REMEMBERED = 16


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


class Report(NamedTuple):
    """One cell at a province (its agencies included) that is reported active.

    Attributes
    ----------
    exposed : people reported exposed
    share : the same as a share of those exposed, 1 where the cell exposes nobody (a hit agency is
        reported whole)
    requirement : (resource, units or units a day) of the whole cell
    """

    cell: int
    place: int
    severity: int
    exposed: float
    share: float
    requirement: tuple[tuple[int, float], ...]


@dataclass(frozen=True, eq=False)
class Picture:
    """What a planner makes of an observation, for provinces only.

    Attributes
    ----------
    reports : cells reported active, ascending
    shortage : units missing: teams against the need of today, supplies against the need of the
        days ahead; inbound units count as there
    standby : as `shortage`, for forewarned onsets as well
    have : units free or inbound, of what is kept
    wanted : units that would leave no shortage
    kept : as `wanted`, for forewarned onsets as well: what a donor does not give away
    """

    reports: list[Report]
    shortage: Amounts
    standby: Amounts
    have: Amounts
    wanted: Amounts
    kept: Amounts

    @cached_property
    def worst(self) -> dict[int, int]:
        """Worst reported severity, by place with reports."""
        worst: dict[int, int] = {}
        for report in self.reports:
            worst[report.place] = max(worst.get(report.place, 0), report.severity)
        return worst

    @cached_property
    def exposed(self) -> dict[int, float]:
        """People reported exposed, by place with reports."""
        exposed: dict[int, float] = {}
        for report in self.reports:
            exposed[report.place] = exposed.get(report.place, 0.0) + report.exposed
        return exposed

    def met_share(self, place: int) -> float:
        """Share of the wanted amount that is there, of the scarcest resource; at most 1."""
        have, wanted = self.have[place], self.wanted[place]
        return min(1.0, min((have[r] / units for r, units in wanted.items()), default=1.0))

    def worst_first(self, places: Iterable[int]) -> list[int]:
        """Order places: worst severity first, then most people reported, then by code."""
        return sorted(places, key=lambda p: (-self.worst[p], -self.exposed[p], p))

    def scarcest_first(self, resources: Iterable[int], place: int) -> list[int]:
        """Order resources by how little of them is there, least met first."""
        have, wanted = self.have[place], self.wanted[place]
        return sorted(resources, key=lambda r: (have[r] / max(wanted[r], 1e-12), r))


class _Profile(NamedTuple):
    """Place, people exposed and requirement (resource, units) of a cell at one severity."""

    place: int
    exposed: float
    requirement: tuple[tuple[int, float], ...]


class _Profiles(dict[tuple[int, int], _Profile]):
    """Profiles by (cell, severity), taken from the world when first looked up."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._cells = world.cells

    def __missing__(self, key: tuple[int, int]) -> _Profile:
        cell, row = key[0], key[1] - 1
        units = self._cells.requirement[cell, row].tolist()
        required = tuple((resource, amount) for resource, amount in enumerate(units) if amount)
        exposed = float(self._cells.exposed[cell, row])
        self[key] = profile = _Profile(int(self._cells.place[cell]), exposed, required)
        return profile


class Reader:
    """Makes pictures of one world; what depends on the world alone is looked up once."""

    def __init__(self, world: World, reading: Reading) -> None:
        self._profiles = _Profiles(world)
        self._n = world.nodes.n_provinces
        self._corrects = reading.correct_reports
        self._cover_days = reading.cover_days(world)
        self._is_team: list[bool] = world.resources.is_team.tolist()
        self._whole: list[bool] = world.resources.whole_units.tolist()
        self._days = [1.0 if team else self._cover_days for team in self._is_team]

    def picture(self, observation: Observation, cells: Iterable[int]) -> Picture:
        """Turn an observation into need and shortage.

        Parameters
        ----------
        observation : Observation
        cells : those reported active, ascending
        """
        reports = self._reports(observation, cells)
        wanted = self._over_days(self._need(observation, reports))
        kept = self._with_forewarned(observation, wanted) if observation.warnings else wanted
        have = self._have(observation, kept)
        short = self._shortage(wanted, have)
        standby = short if kept is wanted else self._shortage(kept, have)
        return Picture(reports, short, standby, have, wanted, kept)

    def _reports(self, observation: Observation, cells: Iterable[int]) -> list[Report]:
        reports = []
        for cell in cells:
            severity, exposed = observation.severity.item(cell), observation.exposed.item(cell)
            place, everybody, requirement = self._profiles[cell, severity]
            if place < self._n:
                share = exposed / everybody if everybody > 0.0 else 1.0
                reports.append(Report(cell, place, severity, exposed, share, requirement))
        return reports

    def _need(self, observation: Observation, reports: Iterable[Report]) -> Amounts:
        """Return what the people reported require, units (teams) or units a day (supplies).

        With corrected reports, divided by the share known to be reported.
        """
        need: Amounts = {}
        for cell, place, _, exposed, share, requirement in reports:
            if self._corrects and exposed > 0.0:
                share /= observation.reported_share.item(cell)
            if share:
                _add(need, place, requirement, share)
        return need

    def _over_days(self, need: Amounts) -> Amounts:
        """Units that last for the days to cover; a team is there every day."""
        days = self._days
        return {p: {r: units * days[r] for r, units in here.items()} for p, here in need.items()}

    def _with_forewarned(self, observation: Observation, wanted: Amounts) -> Amounts:
        """Add what forewarned onsets will require in full."""
        kept = {place: dict(units) for place, units in wanted.items()}
        for place, units in self._over_days(self._forewarned(observation)).items():
            _add(kept, place, units.items())
        return kept

    def _forewarned(self, observation: Observation) -> Amounts:
        """Return what the worst forewarned onset of each cell not yet active will require."""
        worst: dict[int, int] = {}
        for warning in observation.warnings:
            worst[warning.cell] = max(worst.get(warning.cell, 0), warning.severity)
        coming: Amounts = {}
        for key in worst.items():
            place, _, requirement = self._profiles[key]
            if place < self._n and not observation.severity.item(key[0]):
                _add(coming, place, requirement)
        return coming

    def _have(self, observation: Observation, kept: Amounts) -> Amounts:
        """Units free or on the way: teams whenever they come, supplies in the days to cover."""
        until_day, is_team = observation.day + self._cover_days, self._is_team
        inbound: dict[tuple[int, int], float] = {}
        for shipment in observation.inbound:
            key = place, resource = shipment.place, shipment.resource
            if place in kept and (is_team[resource] or shipment.day <= until_day):
                inbound[key] = inbound.get(key, 0.0) + shipment.quantity
        have: Amounts = {}
        for place, units in kept.items():
            free = observation.free[place].tolist()
            have[place] = {r: free[r] + inbound.get((place, r), 0.0) for r in units}
        return have

    def _shortage(self, wanted: Amounts, have: Amounts) -> Amounts:
        """Units missing, in whole ones; small shares are left alone.

        Only places and resources where units are missing are listed.
        """
        short: Amounts = {}
        for place, units in wanted.items():
            there = have[place]
            for resource, want in units.items():
                missing = want - there[resource]
                if missing > _TOLERATED_SHARE * want:
                    if self._whole[resource]:
                        missing = float(math.ceil(missing - _GRAIN))
                    if missing > 0.0:
                        short.setdefault(place, {})[resource] = missing
        return short


@lru_cache(maxsize=_WORLDS_REMEMBERED)
def reader_of(world: World, reading: Reading) -> Reader:
    """Return the reader of a world, made once for each."""
    return Reader(world, reading)


def _add(
    amounts: Amounts, place: int, units: Iterable[tuple[int, float]], share: float = 1.0
) -> None:
    """Add a share of (resource, units) pairs to what is listed for a place."""
    here = amounts.setdefault(place, {})
    for resource, more in units:
        here[resource] = here.get(resource, 0.0) + more * share


@dataclass(frozen=True, eq=False)
class Stock:
    """Units of one resource that can be sent away; counted down as they are.

    Attributes
    ----------
    own : by place, whole units of its own that a donor may send
    visitors : by place, mobilised teams beyond what it needs, free to be forwarded
    """

    own: list[float]
    visitors: dict[int, float]

    @cached_property
    def donors(self) -> frozenset[int]:
        """Places that had a unit to send when first asked."""
        own = (place for place, units in enumerate(self.own) if units >= 1.0)
        return frozenset((*own, *self.visitors))

    def total(self) -> float:
        """Units of all places together."""
        return in_turn(self.own) + in_turn(self.visitors.values())


def stock_of(
    world: World, observation: Observation, kept: Amounts, resource: int, donor_share: float
) -> Stock:
    """Return the units of a resource that may be sent away from somewhere.

    Parameters
    ----------
    kept : units required at home, forewarned onsets included
    donor_share : share of what is not required at home that may be away
    """
    needed = {p: units[resource] for p, units in kept.items() if resource in units}
    return Stock(
        own=_spare(world, observation, needed, resource, donor_share),
        visitors=_idle(world, observation, needed, resource),
    )


def _spare(
    world: World, observation: Observation, needed: Mapping[int, float], resource: int,
    donor_share: float,
) -> list[float]:  # fmt: skip
    """Whole units of their own that donors may still send away, by place.

    donor_share × (own stock, those away included, − needed at home) − away, at least 0.
    """
    n = world.nodes.n_provinces
    away = observation.away[:n, resource]
    beyond = observation.own[:n, resource] + away
    for place, units in needed.items():
        beyond[place] -= units
    spare = np.maximum(0.0, donor_share * np.maximum(0.0, beyond) - away)
    if world.resources.whole_units[resource]:
        spare = np.floor(spare + _GRAIN)
    by_place: list[float] = spare.tolist()
    return by_place


def _idle(
    world: World, observation: Observation, needed: Mapping[int, float], resource: int
) -> dict[int, float]:
    """Mobilised teams at a place beyond what it needs, free to be forwarded."""
    mobilised: dict[int, float] = {}
    for place, kind, home, units in observation.visitors:
        if kind == resource and home == world.nodes.n_places and place < world.nodes.n_provinces:
            mobilised[place] = mobilised.get(place, 0.0) + units
    for place, units in mobilised.items():
        beyond = max(0.0, observation.free.item(place, resource) - needed.get(place, 0.0))
        mobilised[place] = float(math.floor(min(units, beyond) + _GRAIN))
    return mobilised
