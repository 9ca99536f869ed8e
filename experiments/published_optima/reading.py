"""OR-Library's capacitated warehouse location files: numbers and nothing else.

Warehouses m and customers n; capacity and fixed cost of each warehouse; for each customer its
demand and what serving all of it costs from each warehouse. Line breaks mean nothing. In capa,
capb and capc the word "capacity" stands for a number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nts_sim.world.model import Floats

_OPEN = "capacity"


class Unreadable(Exception):
    """A file that cannot be used, in one sentence."""


@dataclass(frozen=True, eq=False)
class Instance:
    """Where to open warehouses, and who serves whom.

    Attributes
    ----------
    capacity, fixed_cost : float array [warehouse]
    demand : float array [customer]
    cost : float array [customer, warehouse], of serving all the demand
    """

    name: str
    capacity: Floats
    fixed_cost: Floats
    demand: Floats
    cost: Floats


def read(path: Path, capacity: float | None = None) -> Instance:
    """Read a file; `capacity` stands where the file leaves it open.

    Raises
    ------
    Unreadable
    """
    words = _words(path)
    m, n = (_count(words, at, what) for at, what in enumerate(("warehouses", "customers")))
    expected = 2 + 2 * m + n * (1 + m)
    if len(words) != expected:
        raise Unreadable(
            f"{m} warehouses and {n} customers take {expected} numbers, but {len(words)} are there"
        )
    numbers = np.array([_number(word, at, capacity) for at, word in enumerate(words)])
    sites, customers = numbers[2 : 2 + 2 * m].reshape(m, 2), numbers[2 + 2 * m :].reshape(n, 1 + m)
    return Instance(path.stem, sites[:, 0], sites[:, 1], customers[:, 0], customers[:, 1:])


def _words(path: Path) -> list[str]:
    try:
        words = path.read_text(encoding="utf-8-sig").split()
    except UnicodeDecodeError as error:
        raise Unreadable("this is no text file") from error
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error
    if not words:
        raise Unreadable("the file is empty")
    return words


def _count(words: list[str], at: int, what: str) -> int:
    word = words[at] if at < len(words) else "nothing"
    if not (word.isascii() and word.isdigit() and int(word) > 0):
        raise Unreadable(f"the number of {what} is expected as word {at + 1}, '{word}' is there")
    return int(word)


def _number(word: str, at: int, capacity: float | None) -> float:
    if word == _OPEN:
        if capacity is None:
            raise Unreadable(
                "the file leaves the capacity open: give it with --capacity (published: 8000, "
                "10000, 12000, 14000 for capa, 5000 to 8000 by 1000 for capb, 5000 to 7250 by 750 "
                "for capc)"
            )
        return capacity
    try:
        number = float(word) if "_" not in word else math.nan
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0.0):
        raise Unreadable(f"a number of 0 or more is expected as word {at + 1}, '{word}' is there")
    return number
