"""Files from strangers: whatever stands in them, they are refused in a sentence."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pytest

from nts_sim.errors import InvalidInput
from nts_sim.plan import filled_cells
from nts_sim.plan.filled_cells import Formula, read_grids
from nts_sim.plan.progress import open_filled
from tests.plan.filling import as_csv, as_workbook, filled_rows, table, task

ROWS = filled_rows(table(task("T001")), {})


def refused(tmp_path: Path, name: str, data: bytes) -> str:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InvalidInput) as caught:
        open_filled(path)
    assert all(problem.where == name for problem in caught.value.problems)
    return "; ".join(problem.what for problem in caught.value.problems)


def archive(**entries: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in entries.items():
            made.writestr(name, data)
    return sink.getvalue()


def with_entry(name: str, data: bytes) -> bytes:
    """Return a good workbook with one entry more, or in place of its own."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(as_workbook(ROWS))) as good, zipfile.ZipFile(sink, "w") as bad:
        for entry in good.infolist():
            bad.writestr(entry.filename, data if entry.filename == name else good.read(entry))
        if name not in good.namelist():
            bad.writestr(name, data)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("plan.xlsm", b"PK\x03\x04", "macros"),
        ("plan.ods", b"PK\x03\x04", "neither .csv nor .xlsx"),
        ("plan.xlsx", b"", "is empty"),
        ("plan.xlsx", b"PK\x03\x04 and then nothing", "not a workbook"),
        ("plan.xlsx", b"task,status\n", "not a workbook"),
        ("plan.xlsx", archive(readme=b"hello"), "not a workbook"),
        ("plan.xls", filled_cells._OLE + bytes(600), "old kind"),
        ("plan.xlsx", filled_cells._OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("plan.csv", as_workbook(ROWS), "workbook with the ending .csv"),
        ("plan.csv", as_csv(ROWS).decode("utf-8-sig").encode("utf-16"), "not UTF-8"),
        ("plan.csv", "task,status,done_on\nT001,đã hoàn thành,\n".encode("cp1258", "replace"),
         "not UTF-8 (row 2)"),
        ("plan.csv", b'task,status,done_on\nT001,"done' + b"x" * 200_000, "CSV"),
    ],
)  # fmt: skip
def test_what_is_not_a_table_is_named(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    assert told in refused(tmp_path, name, data)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for place in (tmp_path / "no.xlsx", tmp_path):
        with pytest.raises(InvalidInput, match="not there"):
            open_filled(place)


def test_macros_are_refused_whatever_the_ending(tmp_path: Path) -> None:
    assert "macros" in refused(tmp_path, "plan.xlsx", with_entry("xl/vbaProject.bin", b"x"))


@pytest.mark.parametrize("coding", ["ascii", "utf-16-le", "utf-16-be"])
def test_declared_entities_are_refused(tmp_path: Path, coding: str) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'.encode(coding)
    assert "entities" in refused(tmp_path, "plan.xlsx", with_entry("xl/workbook.xml", bomb))


def test_a_declaration_across_two_pieces_is_found(tmp_path: Path) -> None:
    padded = b" " * (filled_cells._CHUNK - 4) + b"<!DOCTYPE a>"
    assert "entities" in refused(tmp_path, "plan.xlsx", with_entry("xl/a.xml", padded))


def test_what_expands_too_far_is_refused_by_its_directory(tmp_path: Path) -> None:
    assert "expands" in refused(tmp_path, "plan.xlsx", archive(a=bytes(20_000_000)))


def test_what_expands_too_far_is_refused_though_its_directory_lies(tmp_path: Path) -> None:
    """The size in the directory is set to 10 bytes; what is read is counted, or found damaged."""
    good = bytearray(archive(a=bytes(20_000_000)))
    at = good.index(b"PK\x01\x02") + 24
    good[at : at + 4] = (10).to_bytes(4, "little")
    told = refused(tmp_path, "plan.xlsx", bytes(good))
    assert "expands" in told or "not a workbook" in told


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    many = {f"a{i}": b"" for i in range(filled_cells.MOST_ENTRIES + 1)}
    assert "parts" in refused(tmp_path, "plan.xlsx", archive(**many))


def test_large_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled_cells, "MOST_BYTES", 100)
    assert "larger" in refused(tmp_path, "plan.csv", as_csv(ROWS))


@pytest.mark.parametrize("name", ["plan.csv", "plan.xlsx"])
def test_rows_are_counted(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled_cells, "MOST_ROWS", 5)
    rows = ROWS * 10
    data = as_csv(rows) if name.endswith("csv") else as_workbook(rows)
    assert "rows" in refused(tmp_path, name, data)


def test_formulas_are_not_worked_out(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["task", "status", "done_on", "spent_bn_vnd"])
    page.append(["T001", "done", "2024-09-08", "=1+1"])
    book.save(tmp_path / "plan.xlsx")
    (grid,) = read_grids(tmp_path / "plan.xlsx")
    assert grid.rows[-1][1][-1] == Formula()


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_end_in_a_sentence_or_are_read(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(as_workbook(ROWS) if seed % 2 else as_csv(ROWS))
    for _ in range(chance.randint(1, 40)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path = tmp_path / ("plan.xlsx" if seed % 2 else "plan.csv")
    path.write_bytes(bytes(data))
    try:
        open_filled(path)
    except InvalidInput as error:
        assert error.problems
