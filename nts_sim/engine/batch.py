"""Many futures of one observation, without help: the course of incidents in each.

A forecast opens dozens of futures at every epoch and asks one thing of them. On the compiled
engine they are carried one after the other on the same tables in a single call; what does not
change from epoch to epoch is drawn once. On the SimPy engine each is opened by itself, and what
begins is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nts_sim.decision.model import Observation
from nts_sim.engine import _kernel
from nts_sim.engine.choice import EngineName
from nts_sim.engine.flat import (
    CHANGE,
    FUTURE,
    Opened,
    Play,
    filled,
    fixed_tables,
    longer,
    new_play,
    streams_of,
)
from nts_sim.engine.futures import events, in_flight, marks, open_future
from nts_sim.luck.calendar import Calendar
from nts_sim.luck.draws import Luck
from nts_sim.trace.fold import rows_of
from nts_sim.trace.model import Kind
from nts_sim.units import NEVER, TICKS_PER_DAY, ticks
from nts_sim.world.model import Bools, Floats, Ints, World

_CHANGES_A_FUTURE = 64
"""Room to begin with; doubled when it is used up."""
_BEGIN_KINDS = (Kind.ONSET, Kind.SPREAD)
_KINDS = (*_BEGIN_KINDS, Kind.RISE, Kind.FALL)


@dataclass(frozen=True, eq=False)
class Changes:
    """Changes of severity after the report, in futures without help: by future, then in time.

    Attributes
    ----------
    future, tick, cell, severity : int array [change]; severity 0: the incident is over
    begins : bool array [change], an incident begins
    n_futures : number of futures
    """

    future: Ints
    tick: Ints
    cell: Ints
    severity: Ints
    begins: Bools
    n_futures: int


def changes_alone(
    world: World, observation: Observation, lucks: tuple[Luck, ...], immune: Floats, until: int,
    engine: EngineName = "compiled",
) -> Changes:  # fmt: skip
    """Carry futures from the report up to tick `until`, without help there or on its way.

    Parameters
    ----------
    lucks : of the futures, from the planning set
    immune : float array [cell], chance that the cell is immune now
    engine : which engine carries the futures; the result is the same
    """
    if engine == "compiled":
        return _changes_at_once(world, observation, lucks, immune, until)
    alone = replace(observation, free=np.zeros_like(observation.free), inbound=())
    traces = []
    for luck in lucks:
        future = open_future(world, alone, luck, immune, engine).engine
        future.advance(until)
        traces.append(rows_of(future.trace(), *_KINDS))
    rows = np.concatenate(traces)
    return Changes(
        np.repeat(np.arange(len(lucks)), [len(trace) for trace in traces]), rows["tick"],
        world.cells.of[rows["node"], rows["threat"]], rows["quantity"].astype(np.int64),
        np.isin(rows["kind"], _BEGIN_KINDS), len(lucks),
    )  # fmt: skip


def _changes_at_once(
    world: World, observation: Observation, lucks: tuple[Luck, ...], immune: Floats, until: int
) -> Changes:
    drawn = _drawn(world, lucks)
    calendar, first_entry = _calendars(drawn, observation, len(lucks))
    opened = _opened(world, observation, drawn, immune, first_entry)
    told = ticks(observation.reported_day)
    play, blank = (_without_stock(new_play(world, lucks[0], calendar, told)) for _ in range(2))
    changes = np.empty(len(lucks) * _CHANGES_A_FUTURE, CHANGE)
    fixed, progress = fixed_tables(world), np.zeros(2, dtype=np.int64)
    while not _kernel.go_alone(fixed, play, blank, opened, changes, progress, until):
        play = longer(play, "rows")
        changes = np.concatenate((changes, np.empty(len(changes) + len(play.rows), CHANGE)))
    made = changes[: progress[1]]
    future, tick, cell, severity = (
        made[name].astype(np.int64) for name in ("future", "tick", "cell", "severity")
    )
    return Changes(future, tick, cell, severity, made["begins"], len(lucks))


def _without_stock(play: Play) -> Play:
    play.stock["on_hand"] = 0.0
    return play


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What is drawn once for some futures of a world, whatever is observed.

    Attributes
    ----------
    streams : array [future, stream]
    at_cell : float array [future, cell]; on_link : float array [future, link]
    events : random events, by future; `event_of` : int array [entry], their futures
    """

    streams: NDArray[np.uint64]
    at_cell: Floats
    on_link: Floats
    events: Calendar
    event_of: Ints


@lru_cache(maxsize=16)
def _drawn(world: World, lucks: tuple[Luck, ...]) -> _Drawn:
    each = [events(world, luck) for luck in lucks]
    at_cell, on_link = zip(*(marks(world, luck) for luck in lucks), strict=True)
    names = ("tick", "cell", "severity", "mark", "visible_tick")
    return _Drawn(
        streams=np.array([streams_of(luck) for luck in lucks]),
        at_cell=np.array(at_cell),
        on_link=np.array(on_link),
        events=Calendar(*(np.concatenate([getattr(e, name) for e in each]) for name in names)),
        event_of=np.repeat(np.arange(len(lucks)), [len(e.tick) for e in each]),
    )


def _calendars(drawn: _Drawn, observation: Observation, n: int) -> tuple[Calendar, Ints]:
    """Return the calendars of `n` futures end to end, and where each begins.

    Each holds what `futures.future_calendar` does, in its order, and an entry that never comes.
    """
    hidden = drawn.events.visible_tick > ticks(observation.day)
    first = ticks(observation.reported_day) + 1
    warned = [(max(first, ticks(w.day)), w.cell, w.severity) for w in observation.warnings]
    common = np.array([*warned, (NEVER, 0, 0)], dtype=np.int64).T
    tick, cell, severity = (
        np.concatenate((np.tile(known, n), events[hidden]))
        for known, events in zip(
            common, (drawn.events.tick, drawn.events.cell, drawn.events.severity), strict=True
        )
    )
    of = np.concatenate((np.repeat(np.arange(n), len(warned) + 1), drawn.event_of[hidden]))
    mark = np.concatenate((np.zeros(n * (len(warned) + 1)), drawn.events.mark[hidden]))
    order = np.lexsort((cell, tick, of))
    starts = np.searchsorted(of[order], np.arange(n))
    tick = tick[order]
    return Calendar(tick, cell[order], severity[order], mark[order], np.zeros_like(tick)), starts


def _opened(
    world: World, observation: Observation, drawn: _Drawn, immune: Floats, first_entry: Ints
) -> Opened:
    """Return the openings of all futures, as `futures` has them one by one."""
    told, active = ticks(observation.reported_day), np.flatnonzero(observation.severity)
    age_ticks = np.rint(observation.age_days[active] * TICKS_PER_DAY).astype(np.int64)
    flying = drawn.on_link < in_flight(world, observation)
    immune_now = (drawn.at_cell < immune) & (observation.severity == 0)
    links, immune_cells = (np.nonzero(which)[1].copy() for which in (flying, immune_now))
    link_ends, immune_ends = np.cumsum(flying.sum(axis=1)), np.cumsum(immune_now.sum(axis=1))
    futures = filled(
        FUTURE, len(first_entry), first_entry=first_entry,
        first_link=link_ends - flying.sum(axis=1), last_link=link_ends,
        first_immune=immune_ends - immune_now.sum(axis=1), last_immune=immune_ends,
    )  # fmt: skip
    return Opened(
        active, observation.severity[active].astype(np.int64), told - age_ticks, futures,
        drawn.streams, links, immune_cells,
    )  # fmt: skip
