"""Units: ticks and days, persons, billion VND.

Time inside the engines is an integer count of ticks, 65 536 a day, so that "the same instant" is
exact and a day, an hour of 2 731 ticks and a sixteenth of a day mean the same to every engine.
Money is billion VND (tỷ đồng) at the prices of `PRICE_YEAR`.
"""

from __future__ import annotations

import math
from typing import Final

TICKS_PER_DAY: Final = 65_536
NEVER: Final = 2**62
"""A tick beyond every horizon: "not scheduled"."""

PRICE_YEAR: Final = 2024
PEOPLE_PER_100K: Final = 100_000.0


def ticks(days: float) -> int:
    """Whole ticks nearest to `days`; for dates and horizons, not for work (see `delay_ticks`)."""
    return round(days * TICKS_PER_DAY)


def days(tick_count: int) -> float:
    """Days of a tick count."""
    return tick_count / TICKS_PER_DAY


def delay_ticks(left_days: float, speed: float) -> int:
    """Ticks until `left_days` of work are done at `speed`; at least one.

    Parameters
    ----------
    left_days : float
        Work left, in days at speed 1.
    speed : float
        Share of the normal speed.

    Returns
    -------
    int
        max(1, ceil(left / speed × 65 536)), or `NEVER` where the speed is 0 or the end is
        beyond every horizon.
    """
    if not speed > 0.0:
        return NEVER
    exact = left_days / speed * TICKS_PER_DAY
    if not exact < NEVER:
        return NEVER
    return max(1, math.ceil(exact))
