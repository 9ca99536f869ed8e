"""Workbooks: tables of text, numbers and dates as an XLSX file that opens anywhere.

Each sheet has a row of titles and a row of units, both frozen, and a filter. Texts stay texts: none
is taken for a formula, a link or a number, whatever it begins with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Final, Literal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

Value = str | float | int | bool | date | None
Form = Literal["text", "0", "1", "2", "percent", "date"]

_FORMATS: Final[dict[Form, str]] = {
    "text": "@", "0": "#,##0", "1": "#,##0.0", "2": "#,##0.00", "percent": "0%",
    "date": "yyyy-mm-dd",
}  # fmt: skip
_WIDEST: Final = 60
_DECIMALS: Final[dict[Form, int]] = {"0": 0, "1": 1, "2": 2}
_DATE: Final = 10
"""Letters of a date."""
_LINE_POINTS: Final = 15.0
_MOST_LINES: Final = 27
"""A row is at most 409 points high."""
_FILLED: Final = 0.85
"""Share of a wrapped line that is filled."""
_SAMPLED: Final = 200
"""Rows looked at to choose the width of a column."""
_EPOCH: Final = datetime(2026, 1, 1)
"""Time of making written into every file, so that equal tables give equal files."""


@dataclass(frozen=True)
class SheetColumn:
    """A column of a sheet: its title, its unit and how its values are written."""

    title: str
    unit: str = ""
    form: Form = "text"
    to_fill: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table to be written, with remarks above it.

    Attributes
    ----------
    name : of its tab, at most 31 letters
    frozen : columns that stay in view
    """

    name: str
    columns: Sequence[SheetColumn]
    rows: Sequence[Sequence[Value]]
    notes: Sequence[str] = ()
    frozen: int = 1


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """Return an XLSX file; the same bytes for the same sheets."""
    sink = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False, "nan_inf_to_errors": False}  # fmt: skip
    with xlsxwriter.Workbook(sink, options) as book:
        book.set_properties({"created": _EPOCH})
        styles = _Styles(book)
        for sheet in sheets:
            _write(book.add_worksheet(sheet.name[:31]), sheet, styles)
    return sink.getvalue()


class _Styles:
    """Formats of cells; a format belongs to one workbook."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        wrapped = {"text_wrap": True, "valign": "top"}
        self.note: Format = book.add_format({**wrapped, "italic": True, "font_color": "#595959"})
        self.title: Format = book.add_format(
            {**wrapped, "bold": True, "bg_color": "#DCE9F3", "bottom": 1}
        )
        self.unit: Format = book.add_format(
            {**wrapped, "italic": True, "bg_color": "#EEF5FA", "bottom": 1}
        )
        self.cell: dict[tuple[Form, bool], Format] = {
            (form, fill): book.add_format(
                {**wrapped, "num_format": code, **({"bg_color": "#FFF9DB"} if fill else {})}
            )
            for form, code in _FORMATS.items()
            for fill in (False, True)
        }


def _write(page: Worksheet, sheet: Sheet, styles: _Styles) -> None:
    top, widths = len(sheet.notes), [_width(sheet, i) for i in range(len(sheet.columns))]
    _write_notes(page, sheet.notes, widths, styles.note)
    for index, column in enumerate(sheet.columns):
        page.write_string(top, index, column.title, styles.title)
        page.write_string(top + 1, index, column.unit, styles.unit)
        page.set_column(index, index, widths[index])
        form = styles.cell[column.form, column.to_fill]
        for row, values in enumerate(sheet.rows, top + 2):
            _write_cell(page, row, index, values[index], form)
    _set_height(page, top, [column.title for column in sheet.columns], widths)
    for row, values in enumerate(sheet.rows, top + 2):
        _set_height(page, row, values, widths)
    page.freeze_panes(top + 2, sheet.frozen)
    if sheet.rows and sheet.columns:
        page.autofilter(top + 1, 0, top + 1 + len(sheet.rows), len(sheet.columns) - 1)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(top, top + 1)


def _write_notes(
    page: Worksheet, notes: Sequence[str], widths: Sequence[float], style: Format
) -> None:  # fmt: skip
    """Write remarks over the whole width of the table, wrapped, so that they print with it."""
    for row, note in enumerate(notes):
        if len(widths) > 1:
            page.merge_range(row, 0, row, len(widths) - 1, "", style)
        page.write_string(row, 0, note, style)
        _set_height(page, row, [note], [sum(widths)])


def _set_height(
    page: Worksheet, row: int, values: Sequence[Value], widths: Sequence[float]
) -> None:  # fmt: skip
    """Make a row as high as its texts need when wrapped: not every program does it by itself."""
    lines = max(
        (_lines(value, width) for value, width in zip(values, widths, strict=True)
         if isinstance(value, str)), default=1,
    )  # fmt: skip
    if lines > 1:
        page.set_row(row, _LINE_POINTS * min(lines, _MOST_LINES))


def _lines(text: str, width: float) -> int:
    letters = max(4.0, _FILLED * width)
    return sum(
        1 if len(part) < width else math.ceil(len(part) / letters) for part in text.split("\n")
    )


def _write_cell(page: Worksheet, row: int, column: int, value: Value, form: Format) -> None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        page.write_blank(row, column, None, form)
    elif isinstance(value, bool):
        page.write_boolean(row, column, value, form)
    elif isinstance(value, (int, float)):
        page.write_number(row, column, value, form)
    elif isinstance(value, date):
        page.write_datetime(row, column, value, form)
    else:
        page.write_string(row, column, str(value), form)


def _width(sheet: Sheet, index: int) -> float:
    """Choose a width that shows most values; long texts are wrapped."""
    column = sheet.columns[index]
    values = [row[index] for row in sheet.rows[:_SAMPLED]]
    lengths = [_letters(value, column.form) for value in values]
    longest = max([*lengths, len(column.unit), max(map(len, column.title.split() or [""]))])
    return float(min(max(longest, 8) + 2, _WIDEST))


def _letters(value: Value, form: Form) -> int:
    """Count the letters that a value takes as it is written."""
    if isinstance(value, (int, float)) and form in _DECIMALS and math.isfinite(value):
        return len(f"{value:,.{_DECIMALS[form]}f}") + 1
    return len(value) if isinstance(value, str) else _DATE
