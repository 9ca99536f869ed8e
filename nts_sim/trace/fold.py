"""Fold a trace into state over time, exactly: everything is constant between two rows.

Each function passes over the rows, or the spells, once: it keeps the present state and adds up
what has lasted. The loops are compiled. Times are days as floats; ticks are multiples of 2⁻¹⁶ day,
so the conversion is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY
from nts_sim.world.model import Bools, Floats, Ints

SLACK = 1e-9
"""Units below this are what rounding leaves."""


def rows_of(trace: Trace, *kinds: Kind) -> Trace:
    """Copy the rows of these kinds, in order.

    Compiled loops are given copies, so that they meet one type of array: not read-only.
    """
    chosen = np.zeros(len(trace), dtype=np.bool_)
    for kind in kinds:
        chosen |= trace["kind"] == int(kind)  # NumPy is slow to compare with an enum's member
    return trace[chosen]


@dataclass(frozen=True, eq=False)
class Spells:
    """Spells of constant severity and coverage of active cells, in the order of their starts.

    Attributes
    ----------
    cell, severity : int array [spell]; severity is 1..3
    start, end : float array [spell], days; end > start
    coverage : float array [spell], share
    """

    cell: Ints
    severity: Ints
    start: Floats
    end: Floats
    coverage: Floats

    @property
    def days(self) -> Floats:
        """Length of each spell, days."""
        return self.end - self.start

    def __len__(self) -> int:
        return len(self.cell)


def spells_of(rows: Trace, cell_of: Ints, n_cells: int, horizon: int) -> tuple[Spells, Ints, int]:
    """Tell the spells of cells; what is still active ends at the horizon.

    Parameters
    ----------
    rows : the COVERAGE rows of a trace
    cell_of : int array [node, threat]
    horizon : int, ticks

    Returns
    -------
    spells : those that lasted
    incidents : int array [cell], activations
    most : int, most cells active at the end of any instant
    """
    cell, severity, start, end, coverage, incidents, most = _spells(
        rows, cell_of, n_cells, horizon / TICKS_PER_DAY
    )
    kept = np.flatnonzero(end > start)
    spells = Spells(cell[kept], severity[kept], start[kept], end[kept], coverage[kept])
    return spells, incidents, most


@njit(cache=True)
def _spells(
    rows: Trace, cell_of: Ints, n_cells: int, horizon_days: float
) -> tuple[Ints, Ints, Floats, Floats, Floats, Ints, int]:
    """Tell the columns of the spells, those of no length included, incidents and most active."""
    cells, severity = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    start, end = np.empty(len(rows)), np.full(len(rows), horizon_days)
    coverage, incidents = np.empty(len(rows)), np.zeros(n_cells, np.int64)
    running = np.full(n_cells, -1)  # the spell each cell is in
    count = active = most = instant = 0
    for row in rows:
        cell = cell_of[row["node"], row["threat"]]
        was_active, is_active = running[cell] >= 0, row["quantity"] > 0
        if row["tick"] > instant:
            most, instant = max(most, active), row["tick"]
        active += int(is_active) - int(was_active)
        incidents[cell] += is_active and not was_active
        if was_active:
            end[running[cell]] = row["tick"] / TICKS_PER_DAY
        running[cell] = count if is_active else -1
        if is_active:
            cells[count], severity[count] = cell, int(row["quantity"])
            start[count], coverage[count] = row["tick"] / TICKS_PER_DAY, row["value"]
            count += 1
    return (
        cells[:count], severity[:count], start[:count], end[:count], coverage[:count], incidents,
        max(most, active),
    )  # fmt: skip


@njit(cache=True)
def _add_days(by_day: Floats, start: float, end: float, amount: float) -> None:
    """Add an amount per day, from `start` to `end`, to each day's integral; float array [day]."""
    for day in range(int(start), min(int(np.ceil(end)), len(by_day))):
        by_day[day] += amount * (min(end, day + 1.0) - max(start, float(day)))


@njit(cache=True)
def daily_integral(
    start: Floats, end: Floats, amounts: Floats, group: Ints, n_groups: int, n_days: int
) -> Floats:
    """Integrate piecewise-constant amounts over each day.

    Parameters
    ----------
    start, end : float array [spell], days in [0, n_days]
    amounts : float array [spell, quantity], per day
    group : int array [spell], where the spell is added

    Returns
    -------
    float array [quantity, group, day]; day d is [d, d + 1)
    """
    total = np.zeros((amounts.shape[1], n_groups, n_days))
    for spell in range(len(start)):
        for quantity, amount in enumerate(amounts[spell]):
            if amount != 0.0:
                _add_days(total[quantity, group[spell]], start[spell], end[spell], amount)
    return total


@njit(cache=True)
def worst_spells(
    rows: Trace, n_places: int, n_threats: int, horizon: int
) -> tuple[Ints, Ints, Floats, Floats]:
    """Tell the spells of constant worst severity at each place itself; agencies apart.

    Parameters
    ----------
    rows : the COVERAGE rows of a trace
    horizon : int, ticks

    Returns
    -------
    place, severity : int array [spell]; severity is 1..3
    start, end : float array [spell], days; some last an instant only
    """
    present = np.zeros((n_places, n_threats), np.int64)
    place, severity = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    start, end = np.empty(len(rows)), np.full(len(rows), horizon / TICKS_PER_DAY)
    running = np.full(n_places, -1)  # the spell each place is in
    count = 0
    for row in rows:
        node, now = row["node"], row["tick"] / TICKS_PER_DAY
        if node >= n_places:
            continue
        before = present[node].max()
        present[node, row["threat"]] = int(row["quantity"])
        worst = present[node].max()
        if worst != before and before > 0:
            end[running[node]] = now
        if worst != before and worst > 0:
            place[count], severity[count], start[count] = node, worst, now
            running[node] = count
            count += 1
    return place[:count], severity[:count], start[:count], end[:count]


@dataclass(frozen=True, eq=False)
class Levels:
    """What was required and used at places, followed over time.

    Attributes
    ----------
    required : float array [place, resource], most units required at once
    own_most, own_days : float array [place, resource], units used beyond the visitors there and
        the units posted there before: most at once, and unit-days
    """

    required: Floats
    own_most: Floats
    own_days: Floats


def levels_of(
    trace: Trace, posts: Bools, cell_of: Ints, place_of: Ints, requirement: Floats, horizon: int,
    posted: Floats,
) -> Levels:  # fmt: skip
    """Follow what is required and used at each place; what lasts an instant does not count.

    Parameters
    ----------
    posts : bool array [order], sends units from where they belong; other departures are visitors'
    cell_of : int array [node, threat]
    place_of : int array [cell]
    requirement : float array [cell, 3, resource]
    horizon : int, ticks
    posted : float array [place, resource], units posted there before, which are used first
    """
    rows = rows_of(trace, Kind.COVERAGE, Kind.DEPART, Kind.ARRIVE)
    most, total = _levels(rows, posts, cell_of, place_of, requirement, horizon, posted)
    n_resources = requirement.shape[2]
    return Levels(most[:, :n_resources], most[:, n_resources:], total[:, n_resources:])


@njit(cache=True)
def _levels(
    rows: Trace, posts: Bools, cell_of: Ints, place_of: Ints, requirement: Floats, horizon: int,
    posted: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Most and integral of each level, [place, level]: required units, then own use."""
    n_cells, _, n_resources = requirement.shape
    n_places = len(posted)
    severity, coverage = np.zeros(n_cells, np.int64), np.zeros(n_cells)
    level, since = np.zeros((n_places, 2 * n_resources)), np.zeros(n_places, np.int64)
    level[:, n_resources:] = -posted
    most, total = np.zeros_like(level), np.zeros_like(level)
    for row in rows:
        covers, leaves = row["kind"] == Kind.COVERAGE, row["kind"] == Kind.DEPART
        cell = cell_of[row["node"], row["threat"]] if covers else -1
        own = not covers and (posts[row["order"]] if leaves else row["node"] == int(row["value"]))
        place = place_of[cell] if covers else row["node"]
        if own or place < 0:
            continue
        _lasted(level[place], row["tick"] - since[place], most[place], total[place])
        since[place] = row["tick"]
        if covers:
            if severity[cell] > 0:
                _use(level[place], requirement[cell, severity[cell] - 1], -1.0, -coverage[cell])
            severity[cell], coverage[cell] = int(row["quantity"]), row["value"]
            if severity[cell] > 0:
                _use(level[place], requirement[cell, severity[cell] - 1], 1.0, coverage[cell])
        else:
            level[place, n_resources + row["resource"]] += row["quantity"] * (1 if leaves else -1)
    for place in range(n_places):
        _lasted(level[place], horizon - since[place], most[place], total[place])
    return most, total


@njit(cache=True)
def _use(level: Floats, requirement: Floats, required: float, used: float) -> None:
    """Change the levels of a place by shares of a requirement; float array [resource]."""
    for resource, units in enumerate(requirement):
        level[resource] += units * required
        level[len(requirement) + resource] += units * used


@njit(cache=True)
def _lasted(level: Floats, ticks: int, most: Floats, total: Floats) -> None:
    """Add up levels that lasted; float arrays [level]."""
    if ticks > 0:
        for index, units in enumerate(level):
            if units > SLACK:
                most[index] = max(most[index], units)
                total[index] += units * (ticks / TICKS_PER_DAY)


def sums_at(slot: Ints, amount: Floats | Ints, size: int) -> Floats:
    """Add amounts up by slot; float array [slot] of length `size`."""
    return np.bincount(slot, amount, size).astype(np.float64, copy=False)


def ratio(part: Floats, whole: Floats, empty: float = 0.0) -> Floats:
    """Divide, broadcasting; `empty` where there is no whole."""
    made = np.full(np.broadcast(part, whole).shape, empty)
    np.divide(part, whole, out=made, where=np.greater(whole, 0.0))
    return made


@dataclass(frozen=True, eq=False)
class Moves:
    """DEPART and ARRIVE rows of a trace, in time order.

    Attributes
    ----------
    day : float array [move]
    node, resource, order : int array [move]; node -1: released from duty
    units : float array [move]
    home : int array [move], of arrivals; -1: none
    arrives : bool array [move]
    """

    day: Floats
    node: Ints
    resource: Ints
    order: Ints
    units: Floats
    home: Ints
    arrives: Bools


def moves(trace: Trace) -> Moves:
    """Sort out a trace's departures and arrivals."""
    rows = rows_of(trace, Kind.DEPART, Kind.ARRIVE)
    arrives = rows["kind"] == int(Kind.ARRIVE)
    return Moves(
        rows["tick"] / TICKS_PER_DAY,
        rows["node"].astype(np.int64),
        rows["resource"].astype(np.int64),
        rows["order"].astype(np.int64),
        rows["quantity"].astype(np.float64),
        np.where(arrives, rows["value"], -1.0).astype(np.int64),
        arrives,
    )
