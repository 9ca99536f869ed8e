"""Ranges as planners write them: ``100..1000:100``, both ends included, without shell quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, DecimalException

from nts_sim.words import say

_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?::({_NUMBER}))?")
_DECIMAL_SIGN = re.compile(r"[.eE]")


@dataclass(frozen=True)
class Range:
    """Numbers from `start` to `stop`, both included where the step meets them.

    Attributes
    ----------
    step : None where none is written: 1 between whole numbers, or anything in between in a
        sampled design
    whole : every number is written as a whole one, and so are the values
    """

    start: Decimal
    stop: Decimal
    step: Decimal | None
    whole: bool

    def count(self, step: Decimal) -> float:
        """Return how many values there are, without making them; inf beyond all counting."""
        try:
            return float((self.stop - self.start) // step) + 1.0
        except DecimalException:
            return float("inf")

    def values(self, step: Decimal) -> Iterator[int | float]:
        """Make the values: whole numbers stay whole, and decimal ones are exact (0.3)."""
        for index in range(int(self.count(step))):
            value = self.start + index * step
            yield int(value) if self.whole else float(value)

    def stepped(self) -> Decimal | str:
        """Return the step with its sign, or what is wrong with it."""
        down = self.stop < self.start
        if self.step is None:
            one = Decimal(-1 if down else 1)
            return one if self.whole else say("cli.ranges.no_step")
        if self.step == 0:
            return say("cli.ranges.step_of_0")
        if self.step < 0 and self.stop > self.start:
            return say("cli.ranges.step_away")
        return -abs(self.step) if down else abs(self.step)


def parse_range(text: str) -> Range | None:
    """Read ``start..stop`` or ``start..stop:step``; None where the text is no range."""
    found = _RANGE.fullmatch(text)
    if not found:
        return None
    written = [part for part in found.groups() if part]
    start, stop, *step = map(Decimal, written)
    whole = not any(map(_DECIMAL_SIGN.search, written))
    return Range(start, stop, step[0] if step else None, whole)
