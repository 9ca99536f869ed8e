"""What would come without help, given the luck: for the bound of perfect information."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nts_sim.engine.choice import make_engine
from nts_sim.luck.calendar import hazard_calendar
from nts_sim.luck.draws import Luck
from nts_sim.planning.sampled import Spells, spells_of
from nts_sim.trace import fold
from nts_sim.trace.fold import rows_of
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import ticks
from nts_sim.world.model import Floats, World


def true_path(world: World, luck: Luck, edges_days: Floats, day: float) -> Floats:
    """Tell the occupancy of severities in the one future of a luck without help at all.

    No unit serves, not even a place's own: plans count those, and forecasts leave them out as
    well. Sizes of incidents are not drawn, so persons exposed are the table's at each severity:
    occupancy × `Cells.exposed`.

    Parameters
    ----------
    edges_days : float array [period + 1], days from `day`, fractions allowed
    day : from which edges count

    Returns
    -------
    float array [cell, 3, period], share of the period spent at each severity; none after the
    horizon
    """
    return _shares(world, _true_spells(world, luck), edges_days, day)


def foreseen_path(world: World, trace: Trace, edges_days: Floats, day: float) -> Floats:
    """Tell the occupancy of severities by a trace, [cell, 3, period]; arguments as `true_path`."""
    return _shares(world, _spells(world, trace), edges_days, day)


def _shares(world: World, spells: Spells, edges_days: Floats, day: float) -> Floats:
    edges = np.array([ticks(day + edge) for edge in edges_days.tolist()])
    total = np.zeros((len(world.cells), len(edges) - 1, 3))
    np.add.at(total, spells.whose[0], spells.days(edges))
    return np.asarray(np.moveaxis(total, 1, 2) / np.diff(edges_days))


def helped_path(world: World, trace: Trace, edges_days: Floats) -> tuple[Floats, Floats]:
    """Tell the occupancy of severities in a replication that was helped, and what was covered.

    Returns
    -------
    two float arrays [cell, 3, period]: share of the period spent at each severity, and that share
    times the coverage
    """
    rows, horizon = rows_of(trace, Kind.COVERAGE), ticks(world.horizon_days)
    spells, _, _ = fold.spells_of(rows, world.cells.of, len(world.cells), horizon)
    inside = np.clip(spells.end[:, None], edges_days[:-1], edges_days[1:])
    inside -= np.clip(spells.start[:, None], edges_days[:-1], edges_days[1:])
    share = inside / np.diff(edges_days)
    both = np.zeros((2, len(world.cells), 3, len(edges_days) - 1))
    for total, part in zip(both, (share, share * spells.coverage[:, None]), strict=True):
        np.add.at(total, (spells.cell, spells.severity - 1), part)
    return both[0], both[1]


@lru_cache(maxsize=16)
def _true_spells(world: World, luck: Luck) -> Spells:
    engine = make_engine("compiled", world, luck, hazard_calendar(world, luck))
    engine.stock_up(np.zeros_like(world.resources.stock))
    engine.advance(ticks(world.horizon_days))
    return _spells(world, engine.trace())


def _spells(world: World, trace: Trace) -> Spells:
    rows = rows_of(trace, Kind.ONSET, Kind.SPREAD, Kind.RISE, Kind.FALL)
    cell = world.cells.of[rows["node"], rows["threat"]]
    horizon = ticks(world.horizon_days)
    return spells_of(cell[None], rows["tick"], rows["quantity"].astype(np.int64), horizon)
