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
        columns = (calendar.visible_tick, calendar.tick, calendar.cell, calendar.severity)
        self._entries = sorted(zip(*(column.tolist() for column in columns), strict=True))
        self._visible = [entry[0] for entry in self._entries]
        self._memory: tuple[int, tuple[Forewarning, ...]] = (-1, ())

    def warnings(self, now: int) -> tuple[Forewarning, ...]:
        """Return what is forewarned at tick `now`, by day and cell."""
        if self._memory[0] != now:
            out = self._entries[: bisect_right(self._visible, now)]
            due = sorted((tick, cell, severity) for _, tick, cell, severity in out if tick > now)
            told = tuple(Forewarning(cell, severity, days(tick)) for tick, cell, severity in due)
            self._memory = (now, told)
        return self._memory[1]

    def severities(self, now: int) -> dict[int, int]:
        """Return the worst forewarned severity by cell."""
        worst: dict[int, int] = {}
        for warning in self.warnings(now):
            worst[warning.cell] = max(worst.get(warning.cell, 0), warning.severity)
        return worst
