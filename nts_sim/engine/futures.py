"""Futures from what is known: an engine opened on an observation, with luck of its own.

What is reported is carried on from the instant it speaks of, a lag ago, without help; at the
present the units that are there join in, and those on their way will. What an observation does not
tell is drawn or left out:

* works left are drawn anew: exact where they are exponential;
* a forewarned onset that is due and not reported yet comes right after what is reported;
* a one-time hit on a cell that is not reported active is in flight with the chance that it has not
  come yet, given that it has not succeeded;
* onsets are those forewarned, and random events drawn for the days beyond the warnings; the script
  of a scenario is nobody's to know;
* immunity is told by the caller, as a chance for each cell;
* orders waiting for a signature count as granted, and arrive when they are expected.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nts_sim.decision.model import Inbound, Observation, OrderKind
from nts_sim.engine.choice import EngineName, make_engine
from nts_sim.engine.contract import Admitted, Engine, Opening
from nts_sim.engine.orderbook import on_the_way
from nts_sim.luck.calendar import Calendar, hazard_calendar
from nts_sim.luck.draws import Luck, Stream
from nts_sim.luck.keys import cell_keys, link_keys
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Floats, World

_FUTURES = 512
"""Futures whose own luck is remembered: it is the same at every epoch."""


class Future(NamedTuple):
    """One future of what is known: its engine, at the present, and its calendar."""

    known: Observation
    calendar: Calendar
    engine: Engine


def open_future(
    world: World, observation: Observation, luck: Luck, immune: Floats, engine: EngineName
) -> Future:
    """Open one future, at the present of the observation.

    Parameters
    ----------
    luck : of this future, from the planning set: the true future shares no draw with it
    immune : float array [cell], chance that a cell is immune
    """
    calendar = future_calendar(world, observation, luck)
    opened = make_engine(engine, world, luck, calendar, _opening(world, observation, luck, immune))
    opened.stock_up(np.zeros_like(observation.free))
    opened.advance(ticks(observation.day))
    opened.stock_up(observation.free)
    opened.submit(_on_their_way(observation))
    return Future(observation, calendar, opened)


def future_calendar(world: World, observation: Observation, luck: Luck) -> Calendar:
    """Return the onsets of one future: those forewarned, and events drawn for later."""
    drawn, first = events(world, luck), ticks(observation.reported_day) + 1
    hidden = drawn.visible_tick > ticks(observation.day)
    warned = [(max(first, ticks(w.day)), w.cell, w.severity) for w in observation.warnings]
    known = np.array(warned, dtype=np.int64).reshape(-1, 3).T
    tick = np.concatenate((known[0], drawn.tick[hidden]))
    cell = np.concatenate((known[1], drawn.cell[hidden]))
    order = np.lexsort((cell, tick))
    return Calendar(
        tick=tick[order],
        cell=cell[order],
        severity=np.concatenate((known[2], drawn.severity[hidden]))[order],
        mark=np.concatenate((np.zeros(len(warned)), drawn.mark[hidden]))[order],
        visible_tick=np.concatenate((0 * known[0], drawn.visible_tick[hidden]))[order],
    )


@lru_cache(maxsize=_FUTURES)
def events(world: World, luck: Luck) -> Calendar:
    """Draw the random events of one future; the same at every epoch."""
    return hazard_calendar(world, luck, scripted=False)


@lru_cache(maxsize=_FUTURES)
def marks(world: World, luck: Luck) -> tuple[Floats, Floats]:
    """Draw what the chances of being immune and of a hit in flight are held against."""
    at_cell = luck.uniform(Stream.FUTURE, cell_keys(world), 0)
    return at_cell, luck.uniform(Stream.FUTURE, link_keys(world), 1)


def _opening(world: World, observation: Observation, luck: Luck, immune: Floats) -> Opening:
    """Draw one state of the cells that fits the report, at the instant it speaks of."""
    told = ticks(observation.reported_day)
    active = np.flatnonzero(observation.severity)
    age_ticks = np.rint(observation.age_days[active] * TICKS_PER_DAY).astype(np.int64)
    at_cell, on_link = marks(world, luck)
    immune_now = (at_cell < immune) & (observation.severity == 0)
    return Opening(
        tick=told,
        cell=active,
        severity=observation.severity[active],
        since=told - age_ticks,
        link=np.flatnonzero(on_link < in_flight(world, observation)),
        immune=np.flatnonzero(immune_now),
    )


def in_flight(world: World, observation: Observation) -> Floats:
    """Chance that each link has a hit on its way: [link].

    One that repeats always has. Of one that comes once after an exponential lag, given that its
    target was not hit: e / (e + (1 − e)(1 − p)) with e = exp(−age / lag).
    """
    links = world.links
    age = observation.age_days[links.source]
    e = np.exp(-age / np.maximum(links.lag_days, 1e-9))
    once = e / np.maximum(e + (1.0 - e) * (1.0 - links.probability), np.finfo(np.float64).tiny)
    pending = np.where(links.repeats, 1.0, once)
    return np.where(observation.severity[links.source] > 0, pending, 0.0)


def _on_their_way(observation: Observation) -> list[Admitted]:
    """Units already ordered, as orders that need nobody's signature."""
    coming = enumerate(on_the_way(observation))
    return [_delivery(number, inbound, observation.day) for number, inbound in coming]


def _delivery(number: int, inbound: Inbound, day: float) -> Admitted:
    return Admitted(
        number=number, kind=OrderKind.MOBILISE, desk=-1, approval_days=0.0, handover_days=0.0,
        place=inbound.place, source=inbound.place, resource=inbound.resource, home=inbound.home,
        creates=True, tranches=((0, inbound.quantity),), route=(), leg_days=(),
        fixed_days=max(0.0, inbound.day - day), quantity=inbound.quantity, priority=1,
        spend_bn_vnd=0.0, first_shipment=number,
    )  # fmt: skip
