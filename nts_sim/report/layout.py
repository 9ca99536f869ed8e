"""What a table of the report is made of: texts for a page, and the values behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from nts_sim.sheets import Form, Sheet, SheetColumn, Value
from nts_sim.words import number

_LINK = re.compile(r"https?://[^\s<>\"'()\[\]{}|\\^`]+")
_MOST_LETTERS = 400


@dataclass(frozen=True)
class Cell:
    """A cell: its text, a badge where something must not be overlooked, the value behind it."""

    text: str
    badge: str = ""
    value: Value = None


@dataclass(frozen=True)
class Column:
    """A column: its title and unit, and how its numbers are written in a workbook.

    A column of numbers is set flush right on a page.
    """

    title: str
    unit: str = ""
    form: Form = "text"

    @property
    def header(self) -> str:
        """Title and unit, as a page writes them."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Attributes
    ----------
    columns : one each a column
    rows : cells, as many a row as there are columns
    note : one sentence below the table
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    @property
    def headers(self) -> tuple[str, ...]:
        """Titles with their units."""
        return tuple(column.header for column in self.columns)

    @property
    def numbers(self) -> frozenset[int]:
        """Columns that hold numbers."""
        return frozenset(i for i, column in enumerate(self.columns) if column.form != "text")


def table(columns: Sequence[Column], rows: Iterable[Sequence[str | Cell]], note: str = "") -> Table:
    """Make a table; plain texts become cells without a badge."""
    cells = tuple(
        tuple(cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row) for row in rows
    )
    return Table(tuple(columns), cells, note)


def amount(value: float, form: str = "short") -> Cell:
    """Write a number into a cell, by a format of the catalogue."""
    return Cell(number(value, form), value=float(value))


def sheet_of(name: str, shown: Table, notes: Sequence[str] = ()) -> Sheet:
    """Make a sheet of a table: numbers as numbers, a badge as part of its text."""
    columns = [SheetColumn(column.title, column.unit, column.form) for column in shown.columns]
    rows = [
        [_value(cell, column) for cell, column in zip(row, shown.columns, strict=True)]
        for row in shown.rows
    ]
    return Sheet(name, columns, rows, [note for note in (*notes, shown.note) if note])


def _value(cell: Cell, column: Column) -> Value:
    if column.form != "text":
        return cell.value
    return f"{cell.text} ({cell.badge})" if cell.badge else cell.text


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
