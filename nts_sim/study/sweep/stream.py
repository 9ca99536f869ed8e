"""Write a table as it is made, as Parquet and CSV, without holding more than a part of it."""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from nts_sim.study.store import in_place, safe_cell

Kind = Literal["text", "int", "float", "bool"]
_ARROW: Final = {
    "text": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()
}  # fmt: skip
_HELD_ROWS: Final = 20_000
"""Rows held before they are written; always as many, so that the same table has the same bytes."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a table whose columns are known only when a sweep is asked for."""

    name: str
    kind: Kind


class Streamed:
    """A table being written; a context manager. It gets its name when it is complete."""

    def __init__(self, folder: Path, name: str, fields: Sequence[Field]) -> None:
        self._folder, self._name, self._fields = folder, name, tuple(fields)
        self._schema = pa.schema([(field.name, _ARROW[field.kind]) for field in fields])
        self._held: dict[str, list[Any]] = {field.name: [] for field in fields}
        self._rows = 0

    def __enter__(self) -> Streamed:
        in_place(self._open, self._folder)
        return self

    def _open(self) -> None:
        self._files: dict[str, IO[bytes]] = {
            kind: self._beside(kind).open("wb", buffering=0) for kind in ("parquet", "csv")
        }
        self._files["csv"].write(codecs.BOM_UTF8)
        self._parquet = pa.parquet.ParquetWriter(self._files["parquet"], self._schema)
        self._csv = pa.csv.CSVWriter(self._files["csv"], self._schema)

    def add(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add rows, given as columns of one length."""
        for name, held in self._held.items():
            held.extend(columns[name])
        self._rows += len(columns[self._fields[0].name])
        while self._rows >= _HELD_ROWS:
            in_place(lambda: self._write(_HELD_ROWS), self._folder)

    def _write(self, count: int) -> None:
        made = {name: held[:count] for name, held in self._held.items()}
        self._parquet.write_table(pa.table(made, schema=self._schema))
        for field in self._fields:
            if field.kind == "text":
                made[field.name] = [safe_cell(text) for text in made[field.name]]
        self._csv.write_table(pa.table(made, schema=self._schema))
        self._held = {name: held[count:] for name, held in self._held.items()}
        self._rows -= count

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                in_place(self._finish, self._folder)
        finally:
            self._parquet.is_open = False  # or it would try to end its file when it is forgotten
            for file_kind, file in self._files.items():
                file.close()
                self._beside(file_kind).unlink(missing_ok=True)

    def _finish(self) -> None:
        if self._rows:
            self._write(self._rows)
        self._parquet.close()
        self._csv.close()
        for kind, file in self._files.items():
            os.fsync(file.fileno())
            self._beside(kind).replace(self._folder / f"{self._name}.{kind}")

    def _beside(self, kind: str) -> Path:
        return self._folder / f".{self._name}.{kind}.tmp"
