"""The hazard calendar: every onset of a replication, fixed before the run for all policies.

Two sources: the script, each entry with its probability, and random events. An event begins in a
first province, grows over neighbours to a random size, weakens with every few hops and reaches
each hop a little later. Independent provincial processes would make mutual aid look free: the
record's median storm hits three provinces at once.

Events of a calendar month are drawn for the whole month, whatever part of it the scenario covers,
so that a shorter horizon gives a prefix. Draws are keyed by names, not by indices, so that a
threat that nobody uses changes nobody's luck.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from nts_sim.luck.draws import Luck, Stream, name_key
from nts_sim.luck.keys import cell_keys
from nts_sim.units import days, ticks
from nts_sim.world.model import Floats, Ints, RandomEvents, World

_EVENTS_PER_MONTH = 1024
"""Room for events in a month, in the numbering of occurrences."""


@dataclass(frozen=True, eq=False)
class Calendar:
    """Onsets sorted by (tick, cell), at most one each: of several, the worst is kept.

    Attributes
    ----------
    tick, cell, severity, visible_tick : int array [entry]; visible from the start at the earliest
    mark : float array [entry], uniform held against the probability of a scripted entry and the
        share of onsets that measures leave
    """

    tick: Ints
    cell: Ints
    severity: Ints
    mark: Floats
    visible_tick: Ints


class Footprint(NamedTuple):
    """Provinces of one event in the order in which it takes them, with hops from the first."""

    provinces: tuple[int, ...]
    hops: tuple[int, ...]


class _Entry(NamedTuple):
    tick: int
    cell: int
    severity: int
    mark: float


def hazard_calendar(world: World, luck: Luck, *, scripted: bool = True) -> Calendar:
    """Draw the onsets of one replication; without the script where nobody is to know it.

    An entry of the script stays when its mark is below probability × the share of onsets that
    measures leave; an entry of a random event when its mark is below that share.
    """
    entries = list(_scripted(world, luck)) if scripted else []
    for events in world.hazard.events:
        entries += _random(world, events, luck)
    horizon = ticks(world.horizon_days)
    worst: dict[tuple[int, int], _Entry] = {}
    for entry in entries:
        known = worst.get(entry[:2])
        if entry.tick < horizon and (known is None or entry.severity > known.severity):
            worst[entry[:2]] = entry
    return _calendar(world, [worst[key] for key in sorted(worst)])


def _calendar(world: World, entries: list[_Entry]) -> Calendar:
    tick, cell, severity = (
        np.array([entry[i] for entry in entries], dtype=np.int64) for i in range(3)
    )
    warning_days = world.hazard.warning_days[world.cells.threat[cell]]
    warning = np.array([ticks(float(days)) for days in warning_days], dtype=np.int64)
    return Calendar(
        tick=tick,
        cell=cell,
        severity=severity,
        mark=np.array([entry.mark for entry in entries], dtype=np.float64),
        visible_tick=np.maximum(tick - warning, 0),
    )


def _scripted(world: World, luck: Luck) -> Iterator[_Entry]:
    injects = world.hazard.injects
    for inject, mark in zip(injects, _script_marks(world, luck), strict=True):
        left = _left(world, int(world.cells.threat[inject.cell]), inject.day)
        if mark < inject.probability * left:
            yield _Entry(ticks(inject.day), inject.cell, inject.severity, mark)


def _script_marks(world: World, luck: Luck) -> list[float]:
    """Draw the marks of the script, keyed by the cell and which of its entries it is, in order.

    An entry added elsewhere in the script changes nobody else's luck.
    """
    cells = [inject.cell for inject in world.hazard.injects]
    which = [cells[:position].count(cell) for position, cell in enumerate(cells)]
    keys = cell_keys(world)[np.array(cells, dtype=np.int64)]
    return luck.uniform(Stream.INJECT, keys, which).tolist()  # type: ignore[no-any-return]


def _random(world: World, events: RandomEvents, luck: Luck) -> Iterator[_Entry]:
    """Draw the entries of one stream, month by month."""
    for number, first_day in enumerate(_months(world.start, world.horizon_days)):
        count = _event_count(world, events, luck, number, first_day)
        for event in range(count):
            occurrence = number * _EVENTS_PER_MONTH + event
            for entry in _event(world, events, luck, first_day, occurrence):
                if entry.tick >= 0 and entry.mark < _left(world, events.threat, days(entry.tick)):
                    yield entry


def _left(world: World, threat: int, day: float) -> float:
    """Share of onsets that the measure leaves on a day."""
    return world.measure.factor(float(world.hazard.onset_share[threat]), day)


def _months(start: date, horizon_days: int) -> Iterator[date]:
    """First days of the calendar months that the scenario touches."""
    month = start.replace(day=1)
    end = start + timedelta(days=horizon_days)
    while month < end:
        yield month
        month = _next_month(month)


def _next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _event_count(
    world: World, events: RandomEvents, luck: Luck, number: int, first_day: date
) -> int:
    """Draw how many events begin in a month: Poisson, by inversion."""
    mean = float(events.month_rate[first_day.month - 1])
    u = float(luck.uniform(Stream.EVENT_COUNT, _key(world, events), number))
    return poisson(mean, u)


def poisson(mean: float, u: float) -> int:
    """Return the smallest k with P(Poisson(mean) ≤ k) ≥ u."""
    term = float(np.exp(-mean))
    total, k = term, 0
    while total < u and k < _EVENTS_PER_MONTH - 1:
        k += 1
        term *= mean / k
        total += term
    return k


def geometric(mean: float, u: float) -> int:
    """Return a size of at least 1 with the given mean: 1 + floor(ln(1 − u) / ln(1 − 1/mean))."""
    if mean <= 1.0:
        return 1
    return 1 + int(np.log1p(-u) / np.log1p(-1.0 / mean))


def _event(
    world: World, events: RandomEvents, luck: Luck, first_day: date, occurrence: int
) -> Iterator[_Entry]:
    """Draw one event: day, first province, size, severity, growth; an entry per province."""
    u = luck.uniform(Stream.EVENT, _key(world, events), occurrence, np.arange(4)).tolist()
    month_days = (_next_month(first_day) - first_day).days
    day = (first_day - world.start).days + u[0] * month_days
    first = _choose(events.first_weight[first_day.month - 1], u[1])
    worst = 1 + _choose(events.severity_probability, u[3])
    steps = np.arange(4, 3 + geometric(events.size_mean, u[2]))
    choices = luck.uniform(Stream.EVENT, _key(world, events), occurrence, steps).tolist()
    footprint = grow(events.growth_weight, first, choices)
    names = [f"{world.threats.name[events.threat]}@{world.nodes.code[p]}" for p in footprint[0]]
    keys = np.array([name_key(name) for name in names], dtype=np.uint64)
    marks = luck.uniform(Stream.ENTRY_MARK, keys, occurrence).tolist()
    for province, hop, mark in zip(*footprint, marks, strict=True):
        cell = int(world.cells.of[province, events.threat])
        severity = max(1, worst - hop // events.hops_per_severity)
        yield _Entry(ticks(day + hop * events.days_per_hop), cell, severity, mark)


def _key(world: World, events: RandomEvents) -> int:
    return name_key(world.threats.name[events.threat])


def _choose(weight: Floats, u: float) -> int:
    """Return the index that `u` falls on when weights are laid end to end."""
    ends = np.cumsum(weight)
    return int(np.searchsorted(ends, u * ends[-1], side="right"))


def grow(growth_weight: Floats, first: int, choices: Sequence[float]) -> Footprint:
    """Grow an event from its first province, by one province a choice, or as far as it gets.

    Each step takes a province outside with chance in proportion to the sum of its weights from the
    provinces inside. (Always taking the largest, as the planning assumption has it, never brings a
    storm to some inland provinces that the record shows hit every four years.) A province's hop is
    one more than the least hop from which it can be reached.

    Parameters
    ----------
    growth_weight : float array [from province, to province]; 0 where an event cannot go
    choices : uniforms, one for each province to add
    """
    hop = {first: 0}
    pull = growth_weight[first].copy()
    pull[first] = 0.0
    for u in choices:
        if not pull.sum() > 0.0:
            break
        taken = _choose(pull, u)
        hop[taken] = 1 + min(h for p, h in hop.items() if growth_weight[p, taken] > 0.0)
        pull += growth_weight[taken]
        pull[list(hop)] = 0.0
    return Footprint(tuple(hop), tuple(hop.values()))
