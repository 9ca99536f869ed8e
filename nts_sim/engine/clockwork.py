"""SimPy made to keep the order of an instant.

SimPy's agenda is a heap of (time, priority, counter, event). The second field is ours to use: a
`Ticket` carries the place of its event in the order (phase, index, sub) as its priority, so two
events of the same tick never depend on which was created first. Priorities 0 and 1 stay SimPy's,
so its own chains (a granted request, a process that starts) finish before the next ticket.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from nts_sim.engine.rules import work_left
from nts_sim.units import NEVER, TICKS_PER_DAY, delay_ticks

Life = Generator[simpy.Event, Any, None]
"""The story of an incident, an order or a convoy, told as a SimPy process."""

_FIRST_PRIORITY = 2


def slot(phase: int, index: int, sub: int = 0) -> int:
    """Fold (phase, index, sub) into one number that sorts like the triple."""
    return (phase << 60) | (index << 32) | sub


def unfold(place_in_order: int) -> tuple[int, int, int]:
    """Return the (phase, index, sub) of a slot."""
    return place_in_order >> 60, (place_in_order >> 32) & 0xFFFFFFF, place_in_order & 0xFFFFFFFF


class Clockwork(simpy.Environment):
    """An environment that knows the slot of the event being processed."""

    def __init__(self, start: int) -> None:
        super().__init__(initial_time=start)
        self.present = 0

    def step(self) -> None:
        """Process the next event, remembering its slot."""
        priority = self._queue[0][1]
        if priority >= _FIRST_PRIORITY:
            self.present = priority - _FIRST_PRIORITY
        super().step()

    def run_chain(self) -> None:
        """Process what follows from the present event at once: no ticket, whenever it is due."""
        while self._queue and self._queue[0][:2] < (self.now, _FIRST_PRIORITY):
            self.step()

    def run_instant(self) -> int:
        """Process everything due at the next tick; return that tick."""
        tick = self.peek()
        while self.peek() == tick:
            self.step()
        return int(tick)


class Ticket(simpy.Event):
    """An event that will happen after a delay, at its slot in that instant; or never."""

    def __init__(
        self, env: Clockwork, place_in_order: int, delay: int, value: object = None
    ) -> None:
        super().__init__(env)
        self._ok, self._value = True, value
        if delay < NEVER:
            env.schedule(self, _FIRST_PRIORITY + place_in_order, delay)  # type: ignore[arg-type]

    def drop(self) -> None:
        """Let nobody notice when the ticket comes up."""
        self.callbacks = []


class Work:
    """A clock: work left, done at a speed that may change while somebody waits for its end.

    `load` starts it and returns the event to wait for; `pace` gives it a new speed. On a new
    speed the work left stays and its end moves: the old ticket is dropped and a new one takes
    over the callbacks, so a process that wrote ``yield work.load(…)`` never notices.
    """

    __slots__ = ("_env", "_slot", "left", "since", "speed", "ticket", "value")

    def __init__(self, env: Clockwork, place_in_order: int, value: object = None) -> None:
        self._env, self._slot, self.value = env, place_in_order, value
        self.left, self.speed, self.since = 0.0, 0.0, 0
        self.ticket: Ticket | None = None

    def load(self, days: float, speed: float, callbacks: list[Any] | None = None) -> simpy.Event:
        """Start `days` of work; `callbacks` are shared with another clock in a race."""
        self.stop()
        self.left, self.speed, self.since = days, speed, int(self._env.now)
        return self._schedule(callbacks if callbacks is not None else [])

    def pace(self, speed: float) -> None:
        """Go on at a new speed; equal speed changes nothing."""
        if self.ticket is None or self.ticket.processed or speed == self.speed:
            return
        elapsed = (self._env.now - self.since) / TICKS_PER_DAY
        self.left = work_left(self.left, self.speed, elapsed)
        self.speed, self.since = speed, int(self._env.now)
        callbacks = self.ticket.callbacks
        self.ticket.drop()
        self._schedule(callbacks)

    def stop(self) -> None:
        """Forget the work."""
        if self.ticket is not None:
            self.ticket.drop()
            self.ticket = None

    def _schedule(self, callbacks: list[Any]) -> Ticket:
        delay = delay_ticks(self.left, self.speed)
        self.ticket = Ticket(self._env, self._slot, delay, self.value)
        self.ticket.callbacks = callbacks
        return self.ticket
