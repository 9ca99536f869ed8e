"""Read one filled-in value, or say why it is none; what can be read in two ways is asked about."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Final

from nts_sim.plan.filled_cells import Cell, Formula
from nts_sim.plan.sheet import STATUSES, status_of
from nts_sim.words import say

MOST_LETTERS: Final = 500
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00(?::00)?)?")
_PARTED: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_PLAIN: Final = re.compile(r"\d+")
_ONE_MARK: Final = re.compile(r"(\d+)([.,])(\d+)")
_GROUPED: Final = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SPACES: Final = str.maketrans("", "", "   \N{NARROW NO-BREAK SPACE}")
_FIRST, _LAST = date(1990, 1, 1), date(2199, 12, 31)


class NotReadable(ValueError):
    """What is wrong with a value, in a sentence."""


def shown(value: object, most: int = 60) -> str:
    """Return a value as it may be shown on a terminal: short, and without what steers one."""
    text = "".join(c for c in str(value) if c.isprintable())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _wrong(why: str, value: object, **others: object) -> NotReadable:
    return NotReadable(say(f"monitor.wrong.{why}", given=shown(value), **others))


def is_blank(value: Cell) -> bool:
    """Whether nothing was filled in."""
    return value is None or (isinstance(value, str) and not value.strip())


def _no_formula(value: Cell) -> None:
    if isinstance(value, Formula):
        raise NotReadable(say("monitor.wrong.formula"))


def read_status(value: Cell) -> str:
    """Return a status of the closed list; a blank one is one not started."""
    _no_formula(value)
    if is_blank(value):
        return STATUSES[0]
    found = status_of(str(value))
    if found is None:
        listed = ", ".join(say(f"tasks.status.{status}") for status in STATUSES)
        raise _wrong("status", value, known=listed)
    return found


def read_date(value: Cell, *, day_first: bool) -> date | None:
    """Return a date: a real one of a workbook, ``YYYY-MM-DD``, or ``DD/MM/YYYY``.

    Parameters
    ----------
    day_first : the file is a Vietnamese one, in which ``03/04/2024`` is 3 April; in another file
        only dates that can be read in one way are taken
    """
    _no_formula(value)
    if is_blank(value):
        return None
    if isinstance(value, date):
        return _in_our_time(value)
    if not isinstance(value, str):
        raise _wrong("date_number", value)
    iso, parted = _ISO.fullmatch(value.strip()), _PARTED.fullmatch(value.strip())
    if iso:
        return _made(value, iso[1], iso[2], iso[3])
    if not parted:
        raise _wrong("date", value)
    if not day_first and int(parted[1]) <= 12:
        raise _wrong("date_ambiguous", value)
    return _made(value, parted[3], parted[2], parted[1])


def _made(value: str, year: str, month: str, day: str) -> date:
    try:
        return _in_our_time(date(int(year), int(month), int(day)))
    except ValueError:
        raise _wrong("date_none", value) from None


def may_be_date(value: Cell, day: date) -> bool:
    """Whether a cell is a date, in whatever order a spreadsheet wrote day and month."""
    parted = _PARTED.fullmatch(value) if isinstance(value, str) else None
    if parted:
        first, second, year = (int(part) for part in parted.groups())
        return year == day.year and {first, second} == {day.month, day.day}
    try:
        return read_date(value, day_first=True) == day
    except NotReadable:
        return False


def _in_our_time(day: date) -> date:
    if not _FIRST <= day <= _LAST:
        raise _wrong("date_far", day)
    return day


def read_number(value: Cell) -> float | None:
    """Return a number of 0 or more; ``1.234`` as a text could be 1234, and is asked about."""
    _no_formula(value)
    if is_blank(value):
        return None
    if isinstance(value, bool | date):
        raise _wrong("number", value)
    number = float(value) if isinstance(value, int | float) else _number_in(str(value))
    if not math.isfinite(number) or number < 0.0:
        raise _wrong("negative", value)
    return number


def _number_in(text: str) -> float:
    plain = text.translate(_SPACES)
    negative, plain = plain.startswith(("-", "\N{MINUS SIGN}")), plain.lstrip("-+\N{MINUS SIGN}")
    one = _ONE_MARK.fullmatch(plain)
    if one and len(one[3]) == 3 and 1 <= len(one[1]) <= 3 and not one[1].startswith("0"):
        whole, small = f"{one[1]}{one[3]}", f"{one[1]}{say('format.decimal')}{one[3]}"
        raise _wrong("number_ambiguous", text, whole=whole, small=small)
    if _PLAIN.fullmatch(plain) or one:
        found = float(plain.replace(",", "."))
    elif _GROUPED.fullmatch(plain):
        decimal = max(".,", key=plain.rfind) if len(set(plain) & set(".,")) == 2 else ""
        digits = "".join(c for c in plain if c.isdigit() or c == decimal)
        found = float(digits.replace(",", "."))
    else:
        raise _wrong("number", text)
    return -found if negative else found


def read_text(value: Cell) -> str:
    """Return a remark or a name on one line."""
    _no_formula(value)
    text = "" if value is None else " ".join(str(value).split())
    return "".join(c for c in text if c.isprintable())[:MOST_LETTERS]
