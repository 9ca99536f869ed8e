"""Read input tables: the shipped ones, or a planner's own in their place.

Every cell is checked against `columns.TABLES`; every problem found is told at once, with file,
row, column, the value met and what is allowed. Nothing is guessed.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import pandas as pd

from nts_sim.errors import InvalidInput, Problem
from nts_sim.tables.cells import Cell, parse_cell
from nts_sim.tables.columns import MAP_TABLES, TABLES, Column, Table
from nts_sim.tables.complete import completeness_problems
from nts_sim.tables.names import fold, nearest, resolve_place
from nts_sim.words import say

DATA: Final = Path(__file__).resolve().parent.parent / "data"
MAX_BYTES: Final = 20 * 2**20
_SHOWN_PER_FILE = 25
_IGNORED_SUFFIXES = frozenset({".md", ".txt", ".geojson", ""})

Rows = dict[str, list[Cell]]


@dataclass(frozen=True, eq=False)
class Tables:
    """All input tables, checked.

    Attributes
    ----------
    frames : table name → data frame with the declared columns; codes and texts are str ("" where
        blank), numbers float64 (NaN where blank), integers int64 (float64 where they may be
        blank), flags bool
    digests : table name → SHA-256 of the file it was read from
    own : names of the tables that a planner's folder replaced
    """

    frames: Mapping[str, pd.DataFrame]
    digests: Mapping[str, str]
    own: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one table."""
        return self.frames[name]

    def columns(self, name: str, *wanted: str) -> Iterator[tuple[Any, ...]]:
        """Iterate over rows of plain Python values of some columns of a table."""
        return zip(*(self._lists[name][column] for column in wanted), strict=True)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return one table as a list of rows by column name."""
        lists = self._lists[name]
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]

    @cached_property
    def _lists(self) -> Mapping[str, Mapping[str, list[Any]]]:
        """Every column as plain Python values, taken out once: a sweep builds many worlds."""
        return {
            name: {str(column): frame[column].tolist() for column in frame}
            for name, frame in self.frames.items()
        }

    @cached_property
    def place_codes(self) -> Mapping[str, str]:
        """Code of every place by folded code, name, former name and abbreviation."""
        return _place_codes({name: _plain(self.frames[name]) for name in _PLACE_TABLES})

    @cached_property
    def place_labels(self) -> Mapping[str, str]:
        """Label of every province and border locality, such as ``Tuyên Quang (08)``, by code."""
        return _place_labels({name: _plain(self.frames[name]) for name in _PLACE_TABLES})


@dataclass(frozen=True)
class _Read:
    """One file as read: parsed cells by column, row numbers, and what is wrong with it."""

    rows: Rows
    numbers: list[int]
    problems: list[Problem]
    digest: str


_PLACE_TABLES = ("places", "foreign_places", "place_aliases")


def load_tables(folder: Path | None = None) -> Tables:
    """Read all tables; files in `folder` replace the shipped ones of the same name.

    Raises
    ------
    InvalidInput
        With every problem in every file.
    """
    if folder is None:
        return _shipped()
    own, problems = _own_files(folder)
    return _load({name: own.get(name, DATA / f"{name}.csv") for name in TABLES}, own, problems)


@lru_cache(maxsize=1)
def _shipped() -> Tables:
    return _load({name: DATA / f"{name}.csv" for name in TABLES}, {}, [])


def load_map_table(name: str) -> pd.DataFrame:
    """Read a shipped table that is for drawing only, see `nts_sim.tables.columns.MAP_TABLES`.

    Raises
    ------
    InvalidInput
        With every problem in the file.
    """
    read = _read(MAP_TABLES[name], DATA / f"{name}.csv")
    if read.problems:
        raise InvalidInput(_shortened(read.problems), say("said.subject.tables"))
    return _frame(MAP_TABLES[name], read.rows)


def _load(
    paths: Mapping[str, Path], own: Mapping[str, Path], problems: Sequence[Problem]
) -> Tables:
    reads = {name: _read(TABLES[name], path) for name, path in paths.items()}
    found = [*problems, *(problem for read in reads.values() for problem in read.problems)]
    found += _reference_problems(reads) + _duplicates(reads)
    if not found:
        found = completeness_problems({name: _by_row(read.rows) for name, read in reads.items()})
    if found:
        raise InvalidInput(_shortened(found), say("said.subject.tables"))
    return Tables(
        {name: _frame(TABLES[name], read.rows) for name, read in reads.items()},
        {name: read.digest for name, read in reads.items()},
        frozenset(own),
    )


def _by_row(rows: Rows) -> list[Mapping[str, object]]:
    return [dict(zip(rows, cells, strict=True)) for cells in zip(*rows.values(), strict=True)]


def _own_files(folder: Path) -> tuple[dict[str, Path], list[Problem]]:
    """Find the tables in a planner's folder."""
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        reason = error.strerror or say("said.tables.cannot_be_read")
        what = say("said.tables.folder_closed", folder=folder, reason=reason)
        raise InvalidInput([Problem("tables_dir", what)], say("said.subject.tables")) from error
    own: dict[str, Path] = {}
    problems = []
    for path in files:
        if path.suffix == ".csv" and path.stem in TABLES and path.is_file():
            own[path.stem] = path
        elif path.suffix not in _IGNORED_SUFFIXES:
            problems.append(Problem(path.name, _not_a_table(path)))
    if not own and not problems:
        problems.append(Problem("tables_dir", say("said.tables.folder_empty", folder=folder)))
    return own, problems


def _not_a_table(path: Path) -> str:
    if path.suffix.lower() in {".xlsx", ".xls", ".ods"}:
        return say("said.tables.workbook")
    close = nearest(path.stem, TABLES)
    if close:
        return say("said.tables.no_table_near", close=close)
    return say("said.tables.no_table", tables=", ".join(sorted(TABLES)))


def _read(table: Table, path: Path) -> _Read:
    """Read and check one file."""
    file = f"{table.name}.csv"
    try:
        raw = b"" if path.stat().st_size > MAX_BYTES else path.read_bytes()
        too_big = path.stat().st_size > MAX_BYTES
    except OSError as error:
        return _failed(file, say("said.tables.unreadable", reason=error.strerror), "")
    digest = hashlib.sha256(raw).hexdigest()
    if too_big:
        return _failed(file, say("said.tables.too_large", limit=MAX_BYTES // 2**20), digest)
    text, fault = _decode(raw)
    if fault:
        return _failed(file, fault, digest)
    records, faults = _records(file, text)
    rows, numbers, cell_faults = _parse(table, file, records)
    return _Read(rows, numbers, faults + cell_faults, digest)


def _failed(file: str, what: str, digest: str) -> _Read:
    return _Read({}, [], [Problem(file, what)], digest)


def _decode(raw: bytes) -> tuple[str, str]:
    """Return the text, or what is wrong with the bytes."""
    if not raw.strip():
        return "", say("said.tables.empty")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "", say("said.tables.utf16")
    if b"\0" in raw:
        return "", say("said.tables.nul")
    try:
        return raw.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return "", say("said.tables.not_utf8", line=line)


def _records(file: str, text: str) -> tuple[list[list[str]], list[Problem]]:
    """Split a text into records; blank lines give empty records, so that rows keep numbers."""
    header = text.splitlines()[0]
    for separator, fault in ((";", "said.tables.semicolons"), ("\t", "said.tables.tabs")):
        if separator in header and "," not in header:
            return [], [Problem(file, say(fault))]
    records: list[list[str]] = []
    try:
        records.extend(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        where = _row(file, len(records) + 1)
        return [], [Problem(where, say("said.tables.not_csv", reason=error))]
    return records, []


def _parse(
    table: Table, file: str, records: list[list[str]]
) -> tuple[Rows, list[int], list[Problem]]:
    """Check header and cells; return cells by column, and the row number of each."""
    if not records:
        return {}, [], []
    header = [name.strip() for name in records[0]]
    problems = _header_problems(table, file, header)
    rows: Rows = {column.name: [] for column in table.columns}
    numbers: list[int] = []
    if problems:
        return rows, numbers, problems
    if not any(any(record) for record in records[1:]):
        return rows, numbers, [Problem(file, say("said.tables.header_only"))]
    columns = {column.name: column for column in table.columns}
    for number, record in enumerate(records[1:], start=2):
        if not any(cell.strip() for cell in record):
            continue
        if len(record) != len(header):
            what = say("said.tables.cells", cells=len(record), header=len(header))
            problems.append(Problem(_row(file, number), what))
            continue
        numbers.append(number)
        for name, text in zip(header, record, strict=True):
            cell, fault = parse_cell(columns[name], text.strip())
            rows[name].append(cell)
            if fault:
                problems.append(Problem(_cell(file, number, name), fault))
    return rows, numbers, problems


def _row(file: str, number: int) -> str:
    return say("said.where.row", file=file, number=number)


def _cell(file: str, number: int, column: str) -> str:
    return say("said.where.cell", file=file, number=number, column=column)


def _header_problems(table: Table, file: str, header: list[str]) -> list[Problem]:
    known = [column.name for column in table.columns]
    missing = [name for name in known if name not in header]
    problems = []
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            problems.append(Problem(_row(file, 1), say("said.tables.column_twice", name=name)))
        if name not in known:
            close = nearest(name, missing)
            if close:
                what = say("said.tables.column_near", name=name, close=close)
            else:
                what = say("said.tables.column", name=name, columns=", ".join(known))
            problems.append(Problem(_row(file, 1), what))
    lacking = (say("said.tables.column_missing", name=name) for name in missing)
    return problems + [Problem(_row(file, 1), what) for what in lacking]


def _duplicates(reads: Mapping[str, _Read]) -> list[Problem]:
    """Find rows that repeat the key of an earlier row, once place names have become codes."""
    readable = {name: read for name, read in reads.items() if read.numbers}
    return [problem for name, read in readable.items() for problem in _repeats(TABLES[name], read)]


def _repeats(table: Table, read: _Read) -> list[Problem]:
    seen: dict[tuple[str, ...], int] = {}
    problems = []
    keys = zip(*(map(str, read.rows[name]) for name in table.key), strict=True)
    for number, key in zip(read.numbers, keys, strict=True):
        first = seen.setdefault(key, number)
        if first != number:
            named = ", ".join(f"{n} '{v}'" for n, v in zip(table.key, key, strict=True))
            what = say("said.tables.repeated", named=named, first=first)
            problems.append(Problem(_row(f"{table.name}.csv", number), what))
    return problems


def _shortened(problems: Iterable[Problem]) -> list[Problem]:
    """Keep the first problems of each file and count the others."""
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        by_file.setdefault(problem.where.partition(" ")[0], []).append(problem)
    kept = []
    for file, found in by_file.items():
        kept += found[:_SHOWN_PER_FILE]
        if len(found) > _SHOWN_PER_FILE:
            more = len(found) - _SHOWN_PER_FILE
            kept.append(Problem(file, say("said.tables.more", more=more)))
    return kept


def _reference_problems(reads: Mapping[str, _Read]) -> list[Problem]:
    """Check that every code refers to a row that exists; place names become codes."""
    rows = {name: read.rows for name, read in reads.items()}
    places = {name: rows[name] for name in _PLACE_TABLES}
    readable = all(reads[name].numbers for name in _PLACE_TABLES)
    codes = _place_codes(places) if readable else {}
    labels = _place_labels(places) if readable else {}
    problems: list[Problem] = []
    for name, read in reads.items():
        for column in TABLES[name].columns:
            known = _known_values(column, reads)
            if known is not None and read.numbers:
                problems += _unknown_codes(f"{name}.csv", column, read, known, codes, labels)
    return problems


def _known_values(column: Column, reads: Mapping[str, _Read]) -> frozenset[str] | None:
    """Return what a column may refer to; None: nothing to check, or the target is unreadable."""
    targets = [target.split(".") for target in column.refers_to]
    if not targets or not all(reads[table].numbers for table, _ in targets):
        return None
    values = {str(cell) for table, name in targets for cell in reads[table].rows[name]}
    return frozenset(values.union(column.also))


def _unknown_codes(
    file: str, column: Column, read: _Read, known: frozenset[str], codes: Mapping[str, str],
    labels: Mapping[str, str],
) -> list[Problem]:  # fmt: skip
    problems = []
    cells = read.rows[column.name]
    told = {problem.where for problem in read.problems}
    is_place = any(target.endswith("places.code") for target in column.refers_to)
    for index, cell in enumerate(cells):
        text = str(cell)
        if text in known or (column.optional and not text):
            continue
        where = _cell(file, read.numbers[index], column.name)
        if where in told:
            continue
        code = resolve_place(text, codes) if is_place else None
        if code in known:
            cells[index] = code
            continue
        named = {name: labels[at] for name, at in codes.items() if at in known} if is_place else {}
        what = _unknown_code(text, column, known, named)
        problems.append(Problem(where, what))
    return problems


def _unknown_code(
    text: str, column: Column, known: frozenset[str], named: Mapping[str, str]
) -> str:
    """Word the sentence for a code that refers to nothing; `named`: label of a place by name."""
    what = column.told
    if f"0{text}" in known:
        return say("said.tables.code_lost_0", what=what, text=text)
    if named:
        close = nearest(text, named)
        if close:
            return say("said.names.near", what=what, name=text, close=named[close])
        return say("said.tables.code_of_place", what=what, text=text)
    close = nearest(text, known)
    if close:
        return say("said.names.near", what=what, name=text, close=close)
    return say("said.names.known", what=what, name=text, known=", ".join(sorted(known)[:12]))


def _place_codes(places: Mapping[str, Rows]) -> dict[str, str]:
    """Map folded aliases, names and codes to codes; codes win over names, names over aliases.

    Each stands there without spaces too (``TuyenQuang``).
    """
    pairs: list[tuple[Cell, Cell]] = []
    for table, name in (
        ("place_aliases", "alias"), ("foreign_places", "name"), ("foreign_places", "name_vi"),
        ("places", "name"), ("places", "name_vi"), ("foreign_places", "code"), ("places", "code"),
    ):  # fmt: skip
        pairs += zip(places[table][name], places[table]["code"], strict=True)
    folded = {fold(str(name)): str(code) for name, code in pairs}
    return {name.replace(" ", ""): code for name, code in folded.items()} | folded


def _place_labels(places: Mapping[str, Rows]) -> dict[str, str]:
    return {
        str(code): f"{name} ({code})"
        for table in ("places", "foreign_places")
        for code, name in zip(places[table]["code"], places[table]["name_vi"], strict=True)
    }


def _plain(frame: pd.DataFrame) -> Rows:
    return {str(name): frame[name].tolist() for name in frame.columns}


def _frame(table: Table, rows: Rows) -> pd.DataFrame:
    """Make the data frame with declared dtypes."""
    series = {c.name: pd.Series(rows[c.name], dtype=_dtype(c)) for c in table.columns}
    return pd.DataFrame(series)


def _dtype(column: Column) -> str:
    if column.kind == "number" or (column.kind == "integer" and column.optional):
        return "float64"
    return {"integer": "int64", "flag": "bool"}.get(column.kind, "object")


def statuses(tables: Tables) -> Iterable[tuple[str, int, str, int]]:
    """Count the rows of each table by status: (table, rows, status, rows of that status)."""
    for name, frame in tables.frames.items():
        for status, count in frame["status"].value_counts().items():
            yield name, len(frame), str(status), int(count)
