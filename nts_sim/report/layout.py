"""What a table of the report is made of; all of it text, the page decides how it looks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_LINK = re.compile(r"https?://[^\s<>\"'()\[\]{}|\\^`]+")
_MOST_LETTERS = 400


@dataclass(frozen=True)
class Cell:
    """A cell: its text, and a badge beside it where something must not be overlooked."""

    text: str
    badge: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Attributes
    ----------
    headers : one each a column
    rows : cells, as many a row as there are headers
    numbers : columns that hold numbers, set flush right
    note : one sentence below the table
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: frozenset[int]
    note: str = ""


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str | Cell]], numbers: Iterable[int] = (),
    note: str = "",
) -> Table:  # fmt: skip
    """Make a table; plain texts become cells without a badge."""
    cells = tuple(
        tuple(cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row) for row in rows
    )
    return Table(tuple(headers), cells, frozenset(numbers), note)


def linked(text: str) -> Markup:
    """Escape a text and make links of its ``http`` and ``https`` addresses, and of nothing else."""
    shown = text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS] + "…"
    parts, end = [], 0
    for found in _LINK.finditer(shown):
        address = found.group().rstrip(".,;:!?")
        parts.append(escape(shown[end : found.start()]))
        parts.append(Markup('<a href="{0}" rel="noopener noreferrer">{0}</a>').format(address))
        end = found.start() + len(address)
    return Markup("").join([*parts, escape(shown[end:])])
