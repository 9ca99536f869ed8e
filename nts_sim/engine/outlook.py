"""The outlook: which onsets of the calendar are forewarned at an instant."""

from __future__ import annotations

from bisect import bisect_right

from nts_sim.decision.model import Forewarning
from nts_sim.luck.calendar import Calendar
from nts_sim.units import days


class Outlook:
    """Onsets whose warning is out and which are not yet due.

    Parameters
    ----------
    calendar : Calendar
    """

    def __init__(self, calendar: Calendar) -> None:
        columns = (calendar.tick, calendar.cell, calendar.severity, calendar.visible_tick)
        self._entries = sorted(zip(*(column.tolist() for column in columns), strict=True))
        self._ticks = [entry[0] for entry in self._entries]
        self._now = -1
        self._warnings: tuple[Forewarning, ...] = ()
        self._worst: dict[int, int] = {}

    def warnings(self, now: int) -> tuple[Forewarning, ...]:
        """Return what is forewarned at tick `now`, by day and cell."""
        self._look(now)
        return self._warnings

    def severities(self, now: int) -> dict[int, int]:
        """Return the worst forewarned severity by cell."""
        self._look(now)
        return self._worst

    def _look(self, now: int) -> None:
        """Bring what is forewarned up to tick `now`."""
        if now == self._now:
            return
        to_come = self._entries[bisect_right(self._ticks, now) :]
        self._warnings = tuple(
            Forewarning(cell, severity, days(tick))
            for tick, cell, severity, visible in to_come
            if visible <= now
        )
        self._worst = {}
        for told in self._warnings:
            self._worst[told.cell] = max(self._worst.get(told.cell, 0), told.severity)
        self._now = now
