"""Names of months, in the language being spoken."""

from __future__ import annotations

from typing import Final

from nts_sim.words.catalogue import say

_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip


def month_name(month: int) -> str:
    """Name a month, 1 to 12, as it stands in a date."""
    return say(f"tasks.month.{_MONTHS[month - 1]}")
