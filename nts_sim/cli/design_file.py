"""A design from a file: a CSV table of one row a run, its header the keys."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

from nts_sim.cli.grid import MAX_CELLS, Axis
from nts_sim.errors import Problem
from nts_sim.words import say

MAX_BYTES = 16 << 20
MAX_TOLD = 50
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d*)")
_FLOAT = re.compile(r"[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_TEXT = ("true", "false", "null", "nan", "inf")
_WORDS = {"true": True, "false": False, "null": None}

Check = Callable[[str, Any], Sequence[Problem]]
"""Says what is wrong with setting a key to a value."""


def read_design(
    name: str, options: Mapping[str, tuple[str, ...]], check: Check
) -> tuple[tuple[Axis, ...], list[Problem]]:
    """Read a design; return its columns as axes that go together, or its problems.

    Numbers, true, false and null are read as such, everything else as text; a column `policy`
    takes several names, separated by commas. The values are never read as overrides.

    Parameters
    ----------
    options : names of each group
    check : the checks of overrides, for one key and value
    """
    text, problems = _text(Path(name))
    if text is None:
        return (), problems
    rows, problems = _rows(name, text)
    if problems:
        return (), problems
    header, *body = rows
    problems = _header_problems(name, header, check) or _shape_problems(name, header, body)
    if problems:
        return (), _few(name, problems)
    axes = []
    for number, key in enumerate(header):
        axis, found = _column(name, key, [row[number] for row in body], options, check)
        problems += found
        axes.append(axis)
    return tuple(axes), _few(name, problems)


def _text(path: Path) -> tuple[str | None, list[Problem]]:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None, [Problem(str(path), say("cli.file.missing"))]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or say("cli.file.no_name")
        return None, [Problem(str(path), say("cli.file.unreadable", reason=reason))]
    if len(raw) > MAX_BYTES:
        return None, [Problem(str(path), say("cli.design_file.too_large"))]
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None, [Problem(str(path), say("cli.design_file.utf16"))]
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        where = _at_row(str(path), raw[: error.start].count(b"\n") + 1)
        return None, [Problem(where, say("cli.design_file.no_utf8"))]


def _at_row(name: str, row: int) -> str:
    return say("cli.where.row", file=name, row=row)


def _at_cell(name: str, row: int, column: object) -> str:
    return say("cli.where.cell", file=name, row=row, column=column)


def _rows(name: str, text: str) -> tuple[list[list[str]], list[Problem]]:
    if "\0" in text:
        return [], [Problem(name, say("cli.design_file.nul"))]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [[cell.strip() for cell in row] for row in reader]
    except csv.Error as error:
        what = say("cli.design_file.no_csv", reason=error)
        return [], [Problem(_at_row(name, reader.line_num), what)]
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        return [], [Problem(name, say("cli.design_file.empty"))]
    if len(rows) == 1:
        return [], [Problem(name, say("cli.design_file.no_rows"))]
    if len(rows) - 1 > MAX_CELLS:
        what = say("cli.design_file.too_many", rows=len(rows) - 1, most=MAX_CELLS)
        return [], [Problem(name, what)]
    return rows, []


def _header_problems(name: str, header: Sequence[str], check: Check) -> list[Problem]:
    if len(header) == 1 and ";" in header[0]:
        return [Problem(name, say("cli.design_file.semicolons"))]
    problems = []
    for number, key in enumerate(header, start=1):
        where = _at_cell(name, 1, key or number)
        if not key:
            problems.append(Problem(where, say("cli.design_file.no_key")))
        elif header.index(key) + 1 < number:
            problems.append(Problem(where, say("cli.design_file.twice")))
        else:
            problems += [Problem(where, found.what) for found in check(key, None)]
    return problems


def _shape_problems(
    name: str, header: Sequence[str], body: Sequence[Sequence[str]]
) -> list[Problem]:
    return [
        Problem(
            _at_row(name, number), say("cli.design_file.shape", cells=len(row), wanted=len(header))
        )
        for number, row in enumerate(body, start=2)
        if len(row) != len(header)
    ]


def _column(
    name: str,
    key: str,
    cells: Sequence[str],
    options: Mapping[str, tuple[str, ...]],
    check: Check,
) -> tuple[Axis, list[Problem]]:
    problems: list[Problem] = []
    values, texts = [], []
    known: dict[str, tuple[Any, list[Problem]]] = {}
    prefix = "" if key in options else "++"
    for number, cell in enumerate(cells, start=2):
        if cell not in known:
            known[cell] = _value(key, cell, options, check)
        value, found = known[cell]
        problems += [Problem(_at_cell(name, number, key), one.what) for one in found]
        values.append(value)
        texts.append(f"{prefix}{key}={written(value)}")
    return Axis(key, tuple(values), tuple(texts), swept=True, file=name), problems


def _value(
    key: str, cell: str, options: Mapping[str, tuple[str, ...]], check: Check
) -> tuple[Any, list[Problem]]:
    refused = _refusal(key, cell)
    if refused:
        return None, [Problem(key, refused)]
    if key == "policy" and ("," in cell or cell.startswith("[")):
        value: Any = [part.strip() for part in cell.removeprefix("[").removesuffix("]").split(",")]
    else:
        value = cell if key in options and key != "experiment" else plain_value(cell)
    return value, list(check(key, value)) if key in options else []


def _refusal(key: str, cell: str) -> str | None:
    if not cell:
        return say("cli.design_file.blank")
    if not cell.isprintable():
        return say("cli.design_file.unprintable")
    if "${" in cell:
        return say("cli.design_file.reference")
    if key != "policy" and cell[0] in "[{":
        return say("cli.design_file.list")
    if key != "policy" and _DECIMAL_COMMA.fullmatch(cell):
        plain = cell.replace(",", ".")
        return say("cli.design_file.decimal_comma", given=repr(cell), plain=plain)
    return None


def plain_value(cell: str) -> str | int | float | bool | None:
    """Read a number, true, false or null; everything else is text."""
    if cell.lower() in _WORDS:
        return _WORDS[cell.lower()]
    if _INTEGER.fullmatch(cell):
        return int(cell) if len(cell) < 20 else float(cell)
    number = _FLOAT.fullmatch(cell) and (len(cell) < 2 or cell[0] != "0" or cell[1] in ".eE")
    return float(cell) if number else cell


def written(value: Any) -> str:
    """Write a value so that Hydra reads the same from it."""
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    return QuotedString(value, Quote.single).with_quotes()


def _few(name: str, problems: list[Problem]) -> list[Problem]:
    """Keep so many problems that all can be read."""
    if len(problems) <= MAX_TOLD:
        return problems
    more = len(problems) - MAX_TOLD
    further = Problem(say("cli.where.further", file=name), say("cli.design_file.more", n=more))
    return [*problems[:MAX_TOLD], further]
