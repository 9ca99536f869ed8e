"""Days of a scenario as dates and times, in Viet Nam's time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Final, NamedTuple

from nts_sim.words import say
from nts_sim.words.dates import month_name

ZONE: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Viet Nam keeps one time all year."""
_SLACK: Final = 1e-6


class Milestones(NamedTuple):
    """Dates of a task; what is due at midnight is due by the day that ends then."""

    start: date
    approved: date
    handover: date
    due: date


def moment(day_zero: str, day: float) -> datetime:
    """Return the time of a day of the scenario, up to the next full hour.

    Parameters
    ----------
    day_zero : date of day 0, YYYY-MM-DD, which begins at midnight
    day : days after it
    """
    hours = math.ceil(day * 24.0 - _SLACK)
    return datetime.combine(date.fromisoformat(day_zero), time(), ZONE) + timedelta(hours=hours)


def date_by(day_zero: str, day: float, start_day: float) -> date:
    """Return the last date of what is done by a day: the date that ends at midnight."""
    begun, ends = moment(day_zero, start_day), moment(day_zero, day)
    return max(begun.date(), (ends - timedelta(seconds=1)).date())


def milestones(task: Mapping[str, Any]) -> Milestones:
    """Return the dates of a row of table `tasks`."""
    zero, start = task["day_zero"], task["start_day"]
    later = (date_by(zero, task[name], start) for name in ("approved_day", "handover_day",
                                                           "due_day"))  # fmt: skip
    return Milestones(moment(zero, start).date(), *later)


def told_date(day: date) -> str:
    """Write a date as people of the spoken language do."""
    return say("tasks.date", day=f"{day.day}", month=month_name(day.month),
               year=f"{day.year}")  # fmt: skip


def told_by(day_zero: str, day: float, start_day: float) -> str:
    """Write by when something is done: the hour, or the end of a day."""
    at = moment(day_zero, day)
    if at.hour == 0 and at > moment(day_zero, start_day):
        return say("tasks.end_of", date=told_date(date_by(day_zero, day, start_day)))
    return say("tasks.at", date=told_date(at.date()), time=f"{at:%H:%M}")
