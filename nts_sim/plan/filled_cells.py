"""Open a table that somebody filled in, CSV or XLSX, and trust nothing in it.

A workbook is a ZIP archive of XML from a stranger: its size, its entries and what they expand to
are limited, by what its directory says and by counting; macros, passwords and declarations of XML
entities are refused. Nothing in it is run, and no formula is worked out.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import say

MEGABYTE: Final = 1_000_000
MOST_BYTES: Final = 20 * MEGABYTE
MOST_EXPANDED_BYTES: Final = 100 * MEGABYTE
MOST_EXPANSION: Final = 100
"""Times its size that a workbook may expand to; small ones, to `_SMALL_BYTES`, may do so more."""
MOST_ENTRIES: Final = 1_000
MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 100
_SMALL_BYTES: Final = MEGABYTE
_CHUNK: Final = 1 << 16
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARED: Final = tuple(
    word.encode(coding)
    for word in ("<!DOCTYPE", "<!ENTITY")
    for coding in ("ascii", "utf-16-le", "utf-16-be")
)
_DELIMITERS: Final = ",;\t"


@dataclass(frozen=True)
class Formula:
    """A formula whose value is not in the file."""


Cell = str | float | int | bool | date | Formula | None


@dataclass(frozen=True)
class Grid:
    """Rows of a sheet or of a text file.

    Attributes
    ----------
    rows : (number of the row as the planner sees it, its cells)
    is_workbook : whether cells have types; else all are texts
    """

    rows: Sequence[tuple[int, tuple[Cell, ...]]]
    is_workbook: bool


def read_grids(path: Path) -> list[Grid]:
    """Read every sheet of a workbook, or a text file in each way its columns may be parted.

    Raises
    ------
    InvalidInput
        Where the file is not there, is not what its name says, or is larger than allowed.
    """
    data = _bytes_of(path)
    suffix = path.suffix.lower()
    if data.startswith(_OLE):
        locked = "EncryptedPackage".encode("utf-16-le") in data
        raise _refused(path, "encrypted" if locked else "old_workbook")
    if suffix == ".csv":
        return _text_grids(path, data)
    if suffix == ".xlsx":
        return _sheet_grids(path, data)
    raise _refused(path, "macros" if suffix in (".xlsm", ".xltm") else "kind", given=path.suffix)


def _refused(path: Path, kind: str, /, **values: object) -> InvalidInput:
    what = say(f"monitor.wrong.file.{kind}", **values)
    return InvalidInput([Problem(path.name, what)], say("monitor.wrong.subject"))


def _bytes_of(path: Path) -> bytes:
    if not path.is_file():
        raise _refused(path, "not_there")
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _refused(path, "unreadable", why=error.strerror or "") from None
    if len(data) > MOST_BYTES:
        raise _refused(path, "too_large", most=MOST_BYTES / MEGABYTE)
    if not data.strip():
        raise _refused(path, "empty")
    return data


# --- text --------------------------------------------------------------------------------------


def _text_grids(path: Path, data: bytes) -> list[Grid]:
    if data.startswith(_UTF16) or b"\0" in data:
        raise _refused(path, "zip_as_csv" if data.startswith(b"PK") else "utf16")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise _refused(path, "encoding", row=row) from None
    return [Grid(_text_rows(path, text, mark), False) for mark in _DELIMITERS if mark in text]


def _text_rows(path: Path, text: str, mark: str) -> list[tuple[int, tuple[Cell, ...]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    try:
        for cells in reader:
            rows.append((len(rows) + 1, tuple(map(_unguarded, cells))))
            if len(rows) > MOST_ROWS:
                raise _refused(path, "too_many_rows", most=MOST_ROWS)
    except csv.Error as error:
        raise _refused(path, "csv", row=len(rows) + 1, why=str(error)) from None
    return rows


def _unguarded(text: str) -> str:
    """Take away the mark that keeps a text from being read as a formula, and spaces around it."""
    text = text.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@") else text


# --- workbooks ---------------------------------------------------------------------------------


def _sheet_grids(path: Path, data: bytes) -> list[Grid]:
    _check_archive(path, data)
    from openpyxl import load_workbook

    try:
        values = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        written = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
        pairs = zip(values.worksheets, written.worksheets, strict=True)
        return [Grid(_sheet_rows(path, *pair), True) for pair in pairs]
    except InvalidInput:
        raise
    except Exception as error:
        # openpyxl raises whatever comes: KeyError, ParseError, ValueError, AttributeError …
        raise _refused(path, "not_a_workbook", why=type(error).__name__) from None


def _check_archive(path: Path, data: bytes) -> None:
    """Refuse an archive that is none, is locked, carries macros or expands too far."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise _refused(path, "too_many_entries", most=MOST_ENTRIES)
            if any(entry.flag_bits & 1 for entry in entries):
                raise _refused(path, "encrypted")
            names = {entry.filename.lower() for entry in entries}
            if any(name.endswith("vbaproject.bin") for name in names):
                raise _refused(path, "macros", given=path.suffix)
            _check_expanded(path, sum(entry.file_size for entry in entries), len(data))
            _count(path, archive, entries, len(data))
    except InvalidInput:
        raise
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError):
        raise _refused(path, "not_a_workbook", why="ZIP") from None
    except Exception as error:  # what the decompressors raise on damaged data
        raise _refused(path, "not_a_workbook", why=type(error).__name__) from None


def _count(
    path: Path, archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], size: int
) -> None:
    """Expand every entry once, keeping nothing: directories of archives can lie."""
    total = 0
    for entry in entries:
        before = b""
        with archive.open(entry) as file:
            while piece := file.read(_CHUNK):
                total += len(piece)
                _check_expanded(path, total, size)
                if any(word in before + piece for word in _DECLARED):
                    raise _refused(path, "entities")
                before = piece[-32:]


def _check_expanded(path: Path, expanded: int, size: int) -> None:
    too_far = expanded > max(MOST_EXPANSION * size, _SMALL_BYTES)
    if too_far or expanded > MOST_EXPANDED_BYTES:
        most = MOST_EXPANDED_BYTES / MEGABYTE
        raise _refused(path, "bomb", most=most, times=MOST_EXPANSION)


def _sheet_rows(path: Path, values: Any, written: Any) -> list[tuple[int, tuple[Cell, ...]]]:
    """Read rows that hold something; where a formula has no value, say so."""
    rows = []
    for number, (row, texts) in enumerate(zip(_raw(values), _raw(written), strict=True), 1):
        if number > MOST_ROWS:
            raise _refused(path, "too_many_rows", most=MOST_ROWS)
        filled = [index for index, text in enumerate(texts, 1) if text is not None]
        if filled:
            pairs = islice(zip(row, texts, strict=True), filled[-1])
            rows.append((number, tuple(_cell(*pair) for pair in pairs)))
    return rows


def _raw(sheet: Any) -> Iterator[tuple[object, ...]]:
    sheet.reset_dimensions()  # what a file says of its size need not be so
    return islice(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), MOST_ROWS + 1)


def _cell(value: object, written: object) -> Cell:
    if value is None and isinstance(written, str) and written.startswith("="):
        return Formula()
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, str | float | int | bool | date):
        return value.strip() if isinstance(value, str) else value
    return str(value)
