"""Incidents: how a threat starts at a node, turns better or worse, ends, and spreads."""

from __future__ import annotations

import math
from collections.abc import Sequence

import simpy

from nts_sim.engine.clockwork import Life, Ticket, Work, slot
from nts_sim.engine.contract import (
    PHASE_CONTAINMENT,
    PHASE_ESCALATION,
    PHASE_IMMUNITY,
    PHASE_ONSET,
    Opening,
)
from nts_sim.engine.deck import Deck
from nts_sim.engine.rules import containment_speed, escalation_speed, hit_probability
from nts_sim.engine.stage import Stage
from nts_sim.trace.model import Kind
from nts_sim.units import days, delay_ticks

_CONTAINED, _WORSE = "contained", "worse"
_WORST_SEVERITY = 3


class Incidents:
    """All cells of a world and the links between them.

    Parameters
    ----------
    stage, deck : Stage, Deck
    """

    def __init__(self, stage: Stage, deck: Deck) -> None:
        self._stage, self._deck, self._state = stage, deck, stage.state
        cells, links, threats = stage.world.cells, stage.world.links, stage.world.threats
        env, each_cell = stage.env, range(len(cells))
        self._place = cells.place.tolist()
        self._gain = threats.containment_gain[cells.threat].tolist()
        self._sigma = threats.spread_reduction[cells.threat].tolist()
        self._protection = cells.protection.tolist()
        self._target, self._out = links.target.tolist(), [out.tolist() for out in links.out]
        self._link_probability = links.probability.tolist()
        self._repeats, self._stops = links.repeats.tolist(), links.stops.tolist()
        self._activations = [0 for _ in each_cell]
        self._immune = [False for _ in each_cell]
        self._began = [-1 for _ in each_cell]
        self._contain = [Work(env, slot(PHASE_CONTAINMENT, c), _CONTAINED) for c in each_cell]
        self._rise = [Work(env, slot(PHASE_ESCALATION, c), _WORSE) for c in each_cell]
        self._in_flight: dict[int, Ticket] = {}

    def onset(self, cell: int, severity: int, mark: float) -> None:
        """Let an entry of the hazard calendar happen."""
        if self._open(cell):
            row = self._stage.write_cell(Kind.ONSET, cell, quantity=severity, value=mark)
            self._activate(cell, severity, row)
        else:
            self._blocked(cell, -1, -1.0, -1)

    def resume(self, opening: Opening) -> None:
        """Let incidents and immunity go on that began before the start."""
        flying = set(opening.link.tolist())
        columns = (opening.cell, opening.severity, opening.since)
        for cell, severity, since in zip(*(c.tolist() for c in columns), strict=True):
            links = [link for link in self._out[cell] if link in flying]
            self._stage.env.process(self._incident(cell, severity, -1, since, links))
        for cell in opening.immune.tolist():
            self._activations[cell] = 1
            self._stage.env.process(self._recover(cell, 0, -1))

    def pace(self, cell: int) -> None:
        """Give a cell's clocks the speeds of its present coverage."""
        coverage = self._state.coverage[cell]
        self._contain[cell].pace(containment_speed(self._gain[cell], coverage))
        self._rise[cell].pace(escalation_speed(coverage))

    # --- the life of an incident --------------------------------------------------------------

    def _open(self, cell: int) -> bool:
        return not self._immune[cell] and not self._state.severity[cell]

    def _blocked(self, cell: int, link: int, value: float, cause: int) -> None:
        severity = self._state.severity[cell]
        self._stage.write_cell(
            Kind.BLOCKED, cell, quantity=severity, value=value, order=link, cause=cause
        )

    def _activate(self, cell: int, severity: int, row: int) -> None:
        now, links = self._stage.now, self._out[cell]
        self._stage.env.process(self._incident(cell, severity, row, now, links))

    def _incident(
        self, cell: int, severity: int, row: int, since: int, links: Sequence[int]
    ) -> Life:
        """Tell the life of an incident: it turns better or worse until it is over."""
        occurrence = self._activations[cell]
        self._activations[cell] += 1
        self._began[cell] = row
        self._state.since[cell] = since
        self._turn_to(cell, severity, row)
        for link in links:
            self._arm(link, cell, occurrence, 0)
        step = 0
        while severity:
            turn = yield self._race(cell, occurrence, step, severity)
            severity += 1 if turn is _WORSE else -1
            kind = Kind.RISE if turn is _WORSE else Kind.FALL
            row = self._stage.write_cell(kind, cell, quantity=severity, cause=row)
            self._turn_to(cell, severity, row)
            step += 1
        self._contain[cell].stop()
        self._rise[cell].stop()
        yield from self._recover(cell, occurrence, row)

    def _race(self, cell: int, occurrence: int, step: int, severity: int) -> simpy.Event:
        """Start both clocks of a severity; whichever ends first wakes the incident."""
        coverage = self._state.coverage[cell]
        stay = self._deck.stay(cell, occurrence, step, severity)
        contained = self._contain[cell].load(stay, containment_speed(self._gain[cell], coverage))
        rise = math.inf
        if severity < _WORST_SEVERITY:
            rise = self._deck.rise(cell, occurrence, step, severity)
        self._rise[cell].load(rise, escalation_speed(coverage), contained.callbacks)
        return contained

    def _turn_to(self, cell: int, severity: int, row: int) -> None:
        self._state.set_severity(cell, severity)
        self._stage.mark(self._place[cell], row)

    def _recover(self, cell: int, occurrence: int, row: int) -> Life:
        days = self._deck.immunity(cell, occurrence)
        if days <= 0.0:
            return
        self._immune[cell] = True
        yield Ticket(self._stage.env, slot(PHASE_IMMUNITY, cell), delay_ticks(days, 1.0))
        self._immune[cell] = False
        self._stage.write_cell(Kind.SUSCEPTIBLE, cell, quantity=0.0, cause=row)

    # --- spread -------------------------------------------------------------------------------

    def _arm(self, link: int, source: int, occurrence: int, step: int) -> None:
        """Send a hit along a link; a new activation of the source replaces one in flight."""
        if link in self._in_flight:
            self._in_flight[link].drop()
        place_in_order = slot(PHASE_ONSET, self._target[link], 1 + link)
        delay = delay_ticks(self._deck.lag(link, occurrence, step), 1.0)
        ticket = self._in_flight[link] = Ticket(self._stage.env, place_in_order, delay)
        ticket.callbacks.append(lambda _event: self._hit(link, source, occurrence, step))

    def _hit(self, link: int, source: int, occurrence: int, step: int) -> None:
        """Let a hit land: it succeeds against its mark, or is missed or blocked."""
        alive = bool(self._state.severity[source]) and self._activations[source] == occurrence + 1
        if not alive and self._stops[link]:
            return
        target, cause = self._target[link], self._began[source]
        mark = self._deck.mark(link, occurrence, step)
        if mark >= self._chance(link, source, target, alive):
            self._stage.write_cell(
                Kind.MISSED, target, quantity=0.0, value=mark, order=link, cause=cause
            )
        elif self._open(target):
            row = self._stage.write_cell(Kind.SPREAD, target, quantity=1.0, order=link, cause=cause)
            self._activate(target, 1, row)
        else:
            self._blocked(target, link, 0.0, cause)
        if self._repeats[link] and alive:
            self._arm(link, source, occurrence, step + 1)

    def _chance(self, link: int, source: int, target: int, alive: bool) -> float:
        covered = self._state.coverage[source] if alive else 0.0
        measure, today = self._stage.world.measure, days(self._stage.now)
        protection = measure.factor(self._protection[target], today)
        return hit_probability(
            self._link_probability[link], self._sigma[source], covered, protection
        )
