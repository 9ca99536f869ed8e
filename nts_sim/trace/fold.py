"""Fold a trace into state over time, exactly: everything is constant between two rows.

All functions are vectorised over the rows of one replication. Times are days as floats; ticks are
multiples of 2⁻¹⁶ day, so the conversion is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY
from nts_sim.world.model import Cells, Floats, Ints


@dataclass(frozen=True, eq=False)
class Segments:
    """Spells of constant severity and coverage of active cells, ordered by (cell, time).

    Attributes
    ----------
    cell, severity : int array [segment]; severity is 1..3
    start, end : float array [segment], days; end > start
    coverage : float array [segment], share
    """

    cell: Ints
    severity: Ints
    start: Floats
    end: Floats
    coverage: Floats

    @property
    def days(self) -> Floats:
        """Length of each segment, days."""
        return self.end - self.start

    def __len__(self) -> int:
        return len(self.cell)


@dataclass(frozen=True, eq=False)
class CoverageRows:
    """The COVERAGE rows of a trace, ordered by (cell, row).

    Attributes
    ----------
    cell, severity : int array [row]; severity 0: the incident is over
    tick : int array [row]
    row : int array [row], position among the COVERAGE rows of the trace
    coverage : float array [row]
    last : bool array [row], the last row of its cell
    """

    cell: Ints
    severity: Ints
    tick: Ints
    row: Ints
    coverage: Floats
    last: NDArray[np.bool_]


def coverage_rows(trace: Trace, cells: Cells) -> CoverageRows:
    """Sort out a trace's COVERAGE rows by cell."""
    rows = trace[trace["kind"] == Kind.COVERAGE]
    cell = cells.of[rows["node"], rows["threat"]]
    order = np.argsort(cell, kind="stable")
    rows, cell = rows[order], cell[order]
    last = np.ones(len(cell), dtype=np.bool_)
    last[:-1] = cell[1:] != cell[:-1]
    return CoverageRows(
        cell, rows["quantity"].astype(np.int64), rows["tick"].astype(np.int64), order,
        rows["value"].astype(np.float64), last,
    )  # fmt: skip


def segments(rows: CoverageRows, horizon_ticks: int) -> Segments:
    """Turn COVERAGE rows into spells; what is still active ends at the horizon."""
    until = np.full(len(rows.cell), horizon_ticks, dtype=np.int64)
    until[:-1][~rows.last[:-1]] = rows.tick[1:][~rows.last[:-1]]
    kept = (rows.severity > 0) & (until > rows.tick)
    return Segments(
        rows.cell[kept], rows.severity[kept], rows.tick[kept] / TICKS_PER_DAY,
        until[kept] / TICKS_PER_DAY, rows.coverage[kept],
    )  # fmt: skip


def previous_severity(rows: CoverageRows) -> Ints:
    """Severity of the same cell before each row; 0 before its first."""
    before = np.zeros(len(rows.cell), dtype=np.int64)
    before[1:] = np.where(rows.last[:-1], 0, rows.severity[:-1])
    return before


def most_at_once(rows: CoverageRows) -> int:
    """Most cells active at the end of any instant."""
    if not len(rows.cell):
        return 0
    change = (rows.severity > 0).astype(np.int64) - (previous_severity(rows) > 0)
    time_order = np.argsort(rows.row)
    active, tick = np.cumsum(change[time_order]), rows.tick[time_order]
    ends_instant = np.append(tick[1:] != tick[:-1], True)
    return int(active[ends_instant].max())


def sums_at(slot: Ints, amount: Floats, size: int) -> Floats:
    """Add amounts up by slot; float array [slot] of length `size`."""
    return np.bincount(slot, amount, size).astype(np.float64, copy=False)


def ratio(part: Floats, whole: Floats, empty: float = 0.0) -> Floats:
    """Divide, broadcasting; `empty` where there is no whole."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    made = np.full(shape, empty)
    np.divide(part, whole, out=made, where=np.greater(whole, 0.0))
    return made


def daily_integral(
    start: Floats, end: Floats, amounts: Floats, group: Ints, n_groups: int, n_days: int
) -> Floats:
    """Integrate piecewise-constant amounts over each day.

    Parameters
    ----------
    start, end : float array [segment], days in [0, n_days]
    amounts : float array [quantity, segment], per day
    group : int array [segment], where the segment is added

    Returns
    -------
    float array [quantity, group, day]; day d is [d, d + 1)

    Notes
    -----
    A segment adds x·(t − start)⁺ − x·(t − end)⁺ to the running integral at t; differences of that
    between day boundaries are a part for the day of each end and x for every later day.
    """
    width = n_days + 2
    times = np.concatenate((start, end))
    day = times.astype(np.int64)
    slot = np.concatenate((group, group)) * width + day
    rest_of_day = day + 1.0 - times
    result = np.empty((len(amounts), n_groups, n_days))
    for index, amount in enumerate(amounts):
        signed = np.concatenate((amount, -amount))
        part = sums_at(slot, signed * rest_of_day, n_groups * width).reshape(n_groups, width)
        whole = sums_at(slot + 1, signed, n_groups * width + 1)[:-1]
        total = part + np.cumsum(whole.reshape(n_groups, width), axis=1)
        result[index] = total[:, :n_days]
    return result


def place_severity(rows: CoverageRows, place: Ints, n_channels: int, channel: Ints) -> Ints:
    """Worst severity of several cells together, as it is after each row.

    Parameters
    ----------
    rows : already ordered by (place, row)
    place : int array [row]
    channel : int array [row], number of the cell among those of its place, below n_channels

    Returns
    -------
    int array [row]
    """
    count = len(place)
    position = np.arange(count)
    first = np.ones(count, dtype=np.bool_)
    first[1:] = place[1:] != place[:-1]
    group_start = np.maximum.accumulate(np.where(first, position, 0))
    worst = np.zeros(count, dtype=np.int64)
    for number in range(n_channels):
        latest = np.maximum.accumulate(np.where(channel == number, position, -1))
        known = latest >= group_start
        worst = np.maximum(worst, np.where(known, rows.severity[latest], 0))
    return worst


def by_place(rows: CoverageRows, place: Ints) -> CoverageRows:
    """Order COVERAGE rows by (place, row) instead; `last` is then the last row of the place."""
    order = np.lexsort((rows.row, place))
    sorted_place = place[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = sorted_place[1:] != sorted_place[:-1]
    return CoverageRows(
        rows.cell[order], rows.severity[order], rows.tick[order], rows.row[order],
        rows.coverage[order], last,
    )  # fmt: skip


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
    arrives: NDArray[np.bool_]


def moves(trace: Trace) -> Moves:
    """Sort out a trace's departures and arrivals."""
    rows = trace[(trace["kind"] == Kind.DEPART) | (trace["kind"] == Kind.ARRIVE)]
    arrives = rows["kind"] == Kind.ARRIVE
    return Moves(
        rows["tick"] / TICKS_PER_DAY,
        rows["node"].astype(np.int64),
        rows["resource"].astype(np.int64),
        rows["order"].astype(np.int64),
        rows["quantity"].astype(np.float64),
        np.where(arrives, rows["value"], -1.0).astype(np.int64),
        arrives,
    )


def group_sums_over_time(
    group: Ints, changes: Floats, tick: Ints, horizon_ticks: int
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Follow levels that change at rows ordered by (group, time), each group from 0.

    Parameters
    ----------
    group, tick : int array [row]
    changes : float array [row, quantity]

    Returns
    -------
    level : float array [row, quantity], after each row
    days : float array [row], how long it lasts
    first : bool array [row], the first row of its group
    """
    first = np.ones(len(group), dtype=np.bool_)
    first[1:] = group[1:] != group[:-1]
    total = np.cumsum(changes, axis=0)
    starts = np.flatnonzero(first)
    base = np.zeros((len(starts), changes.shape[1]))
    base[1:] = total[starts[1:] - 1]
    level = total - np.repeat(base, np.diff(np.append(starts, len(group))), axis=0)
    until = np.full(len(group), horizon_ticks, dtype=np.int64)
    until[:-1] = np.where(first[1:], horizon_ticks, tick[1:])
    return level, (until - tick) / TICKS_PER_DAY, first
