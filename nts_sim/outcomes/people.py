"""What happened to people: harm, need and service, from the incidents of a trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.outcomes.layout import Layout
from nts_sim.trace.fold import (
    CoverageRows,
    Segments,
    by_place,
    coverage_rows,
    daily_integral,
    group_sums_over_time,
    place_severity,
    previous_severity,
    segments,
)
from nts_sim.trace.model import Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Floats, Ints, World


@dataclass(frozen=True, eq=False)
class People:
    """Incidents of one replication, integrated.

    Attributes
    ----------
    rows, spells : the COVERAGE rows and the segments they mean
    place : int array [segment]
    exposed, harm : float array [segment], persons; bn VND a day at coverage 0
    relieved : float array [segment], 1 − ρ·coverage
    unmet : float array [segment, needed resource], units (a day) not there
    daily : float array [4, place, day]: active incidents, people in need, people served, all
        averaged over the day; severity of the place, averaged over the day
    active_days : float array [place, day], part of the day with an incident at the place itself
    peak : int array [place], worst severity at the place itself
    """

    rows: CoverageRows
    spells: Segments
    place: Ints
    exposed: Floats
    harm: Floats
    relieved: Floats
    unmet: Floats
    used: Floats
    daily: Floats
    active_days: Floats
    peak: Ints


def people_of(trace: Trace, layout: Layout) -> People:
    """Integrate the incidents of a trace."""
    world = layout.world
    rows = coverage_rows(trace, world.cells)
    spells = segments(rows, ticks(world.horizon_days))
    level = spells.severity - 1
    exposed = world.cells.exposed[spells.cell, level]
    required = world.cells.requirement[spells.cell, level][:, layout.needed]
    relief = world.threats.relief_effect[world.cells.threat[spells.cell]]
    place = world.cells.place[spells.cell]
    daily, active, peak = _daily(rows, spells, place, exposed, layout)
    return People(
        rows=rows, spells=spells, place=place, exposed=exposed,
        harm=world.cells.harm_rate[spells.cell, level],
        relieved=1.0 - relief * spells.coverage,
        unmet=required * (1.0 - spells.coverage)[:, None],
        used=required * spells.coverage[:, None],
        daily=daily, active_days=active, peak=peak,
    )  # fmt: skip


def _daily(
    rows: CoverageRows, spells: Segments, place: Ints, exposed: Floats, layout: Layout
) -> tuple[Floats, Floats, Ints]:
    world, n_places = layout.world, layout.world.nodes.n_places
    amounts = np.stack((np.ones(len(spells)), exposed, exposed * spells.coverage))
    by_incident = daily_integral(
        spells.start, spells.end, amounts, place, n_places, world.horizon_days
    )
    severity, active, peak = _worst_by_place(rows, layout)
    return np.concatenate((by_incident, severity[None])), active, peak


def _worst_by_place(rows: CoverageRows, layout: Layout) -> tuple[Floats, Floats, Ints]:
    """Severity and activity of each place itself by day, and its peak; agencies apart."""
    world, n_places = layout.world, layout.world.nodes.n_places
    local = _only(rows, layout)
    ordered = by_place(local, world.cells.place[local.cell])
    place, threat = world.cells.place[ordered.cell], world.cells.threat[ordered.cell]
    worst = place_severity(ordered, place, len(world.threats.name), threat)
    until = np.full(len(place), ticks(world.horizon_days), dtype=np.int64)
    until[:-1] = np.where(ordered.last[:-1], until[:-1], ordered.tick[1:])
    lasting = until > ordered.tick
    peak = np.zeros(n_places, dtype=np.int64)
    np.maximum.at(peak, place[lasting], worst[lasting])
    daily = daily_integral(
        ordered.tick / TICKS_PER_DAY, until / TICKS_PER_DAY,
        np.stack((worst.astype(np.float64), (worst > 0).astype(np.float64))),
        place, n_places, world.horizon_days,
    )  # fmt: skip
    return daily[0], daily[1], peak


def _only(rows: CoverageRows, layout: Layout) -> CoverageRows:
    if layout.is_local_cell.all():
        return rows
    kept = layout.is_local_cell[rows.cell]
    return CoverageRows(
        rows.cell[kept], rows.severity[kept], rows.tick[kept], rows.row[kept],
        rows.coverage[kept], rows.last[kept],
    )  # fmt: skip


def level_changes(people: People, world: World, resources: Ints, share: Floats) -> Floats:
    """Change at each COVERAGE row of share × requirement; float array [row, resource].

    Parameters
    ----------
    share : float array [row]; coverage gives the change of use, 1 that of the requirement

    Returns
    -------
    float array [row, resource], units (a day), in the order of `people.rows`
    """
    rows = people.rows
    level = np.maximum(rows.severity - 1, 0)
    required = world.cells.requirement[rows.cell, level][:, resources]
    amount = required * np.where(rows.severity > 0, share, 0.0)[:, None]
    change = amount.copy()
    same_cell = ~rows.last[:-1]
    change[1:][same_cell] -= amount[:-1][same_cell]
    return change


def most_required(people: People, world: World) -> Floats:
    """Most units of each resource required at once at each place, [place, resource]."""
    n_resources = len(world.resources.name)
    most = np.zeros((world.nodes.n_places, n_resources))
    if not len(people.rows.cell):
        return most
    changed = np.concatenate(([True], people.rows.severity[1:] != people.rows.severity[:-1]))
    changed[1:] |= people.rows.last[:-1]
    place, tick = world.cells.place[people.rows.cell], people.rows.tick
    order = np.flatnonzero(changed)
    order = order[np.lexsort((tick[order], place[order]))]
    everything = np.arange(n_resources)
    changes = level_changes(people, world, everything, np.ones(len(place)))[order]
    level, days, first = group_sums_over_time(
        place[order], changes, tick[order], ticks(world.horizon_days)
    )
    starts = np.flatnonzero(first)
    lasting = np.where(days[:, None] > 0.0, np.maximum(level, 0.0), 0.0)
    most[place[order][starts]] = np.maximum.reduceat(lasting, starts)
    return most


def activations(people: People) -> Ints:
    """Cell of every activation, in the order of `people.rows`."""
    rows = people.rows
    started = (rows.severity > 0) & (previous_severity(rows) == 0)
    cells: Ints = rows.cell[started]
    return cells


def gini(value: Floats, weight: Floats) -> float:
    """Weighted Gini coefficient: Σᵢⱼ wᵢ wⱼ |xᵢ − xⱼ| / (2 W² mean); 0 where all are 0.

    Parameters
    ----------
    value, weight : float arrays of the same length; missing (NaN) where there is nothing to give
    """
    total = weight.sum()
    if len(value) == 0 or total <= 0.0:
        return float("nan")
    mean = float(value @ weight) / total
    if mean <= 0.0:
        return 0.0
    spread = np.abs(value[:, None] - value[None, :])
    return float(weight @ spread @ weight / (2.0 * total * total * mean))
