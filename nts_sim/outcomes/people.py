"""What happened to people: harm, need and service, from the incidents of a trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.outcomes.layout import Layout
from nts_sim.trace.fold import Spells, daily_integral, rows_of, spells_of, worst_spells
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import ticks
from nts_sim.world.model import Floats, Ints


@dataclass(frozen=True, eq=False)
class People:
    """Incidents of one replication, integrated.

    Attributes
    ----------
    spells : spells of constant severity and coverage
    incidents : int array [cell], activations
    most_active : int, most incidents active at once
    threat, place : int array [spell]
    exposed, harm : float array [spell], persons; bn VND a day at coverage 0
    relieved : float array [spell], 1 − ρ·coverage
    unmet : float array [spell, needed resource], units (a day) not there
    daily : float array [4, place, day]: active incidents, people in need, people served, all
        averaged over the day; severity of the place, averaged over the day
    used : float array [needed resource, place, day], units in use, averaged over the day
    active_days : float array [place, day], part of the day with an incident at the place itself
    peak : int array [place], worst severity at the place itself
    """

    spells: Spells
    incidents: Ints
    most_active: int
    threat: Ints
    place: Ints
    exposed: Floats
    harm: Floats
    relieved: Floats
    unmet: Floats
    daily: Floats
    used: Floats
    active_days: Floats
    peak: Ints


def people_of(trace: Trace, layout: Layout) -> People:
    """Integrate the incidents of a trace."""
    world = layout.world
    rows = rows_of(trace, Kind.COVERAGE)
    spells, incidents, most_active = spells_of(
        rows, layout.cell_of, len(world.cells), ticks(world.horizon_days)
    )
    cell, level = spells.cell, spells.severity - 1
    threat, place = world.cells.threat[cell], world.cells.place[cell]
    exposed = world.cells.exposed[cell, level]
    required = layout.needed_requirement[cell, level]
    used = required * spells.coverage[:, None]
    by_day = daily_integral(
        spells.start, spells.end,
        np.column_stack((np.ones(len(cell)), exposed, exposed * spells.coverage, used)),
        place, world.nodes.n_places, world.horizon_days,
    )  # fmt: skip
    severity, active, peak = _worst_by_day(rows, layout)
    return People(
        spells=spells, incidents=incidents, most_active=most_active, threat=threat, place=place,
        exposed=exposed, harm=world.cells.harm_rate[cell, level],
        relieved=1.0 - world.threats.relief_effect[threat] * spells.coverage,
        unmet=required * (1.0 - spells.coverage)[:, None],
        daily=np.concatenate((by_day[:3], severity[None])), used=by_day[3:],
        active_days=active, peak=peak,
    )  # fmt: skip


def _worst_by_day(rows: Trace, layout: Layout) -> tuple[Floats, Floats, Ints]:
    """Severity and activity of each place itself by day, and its peak; agencies apart."""
    world, n_places = layout.world, layout.world.nodes.n_places
    place, worst, start, end = worst_spells(
        rows, n_places, len(world.threats.name), ticks(world.horizon_days)
    )
    amounts = np.column_stack((worst.astype(np.float64), np.ones(len(worst))))
    severity, active = daily_integral(start, end, amounts, place, n_places, world.horizon_days)
    peak = np.zeros(n_places, dtype=np.int64)
    lasting = end > start
    np.maximum.at(peak, place[lasting], worst[lasting])
    return severity, active, peak


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
