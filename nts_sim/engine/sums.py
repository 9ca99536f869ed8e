"""Sums whose last bit is the same under every Python."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import add


def in_turn(amounts: Iterable[float]) -> float:
    """Add up one after the other; `sum` does so too, but from Python 3.12 on rounds otherwise."""
    return reduce(add, amounts, 0.0)
