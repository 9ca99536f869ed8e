"""The report as a workbook: opened by a second library, and by an office program."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from nts_sim.report.workbook import write_workbook
from nts_sim.sheets import Sheet, SheetColumn, workbook
from nts_sim.words import listing, say, speaking
from tests.charts import synthetic
from tests.charts.test_plan_text import frames as plan_frames

HOSTILE = ("=1+1", "@SUM(A1)", "+84 24 3733", "-1", "\t=1+1", "=HYPERLINK(\"http://x\")",
           "http://example.org", "{=1+1}", "1234")  # fmt: skip
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")


def _frames() -> dict[str, Any]:
    return synthetic.frames() | plan_frames()


def _book(data: bytes) -> Workbook:
    return load_workbook(io.BytesIO(data))


@pytest.fixture(params=["en", "vi"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """The language spoken meanwhile."""
    with speaking(request.param):
        yield str(request.param)


@pytest.fixture
def book(language: str) -> Workbook:
    """The workbook of a plan with hostile texts in what its planner wrote."""
    return _of_plan(language)


@cache
def _of_plan(_language: str) -> Workbook:
    manifest = synthetic.manifest(assumptions=list(HOSTILE), title=HOSTILE[0], question=HOSTILE[1])
    return _book(write_workbook(_frames(), manifest | {"verb": "plan"}))


def _head(page: Worksheet) -> int:
    """Number of the row of titles: the last but one above what scrolls."""
    frozen = page.freeze_panes
    assert frozen is not None, page.title
    return int("".join(letter for letter in frozen if letter.isdigit())) - 2


def test_every_sheet_is_there_with_its_head_frozen(book: Workbook) -> None:
    names = ("first", "five", "aims", "policies", "gaps", "requests", "finance", "worth_money",
             "worth_mechanisms", "tasks", "assumptions", "sources", "inputs")  # fmt: skip
    assert book.sheetnames == [say(f"book.{name}") for name in names]
    for page in book:
        head = _head(page)
        assert head >= 1
        titles = [cell.value for cell in page[head]]
        assert all(titles), page.title
        assert page.column_dimensions["A"].width >= 8


def test_numbers_are_numbers_with_their_unit_and_format(book: Workbook) -> None:
    page = book[say("book.gaps")]
    head = _head(page)
    units = [cell.value for cell in page[head + 1]]
    assert units[2] == say("name.unit.units")
    rows = list(page.iter_rows(min_row=head + 2))
    assert len(rows) > 60, "all needs, not those of the page only"
    for row in rows:
        assert [cell.data_type for cell in row[:2]] == ["s", "s"]
        assert all(cell.data_type == "n" for cell in row[2:6])
    assert rows[0][2].number_format == "#,##0.0"
    assert rows[0][7].number_format == "0%"


def test_the_five_numbers_have_their_intervals(book: Workbook) -> None:
    page = book[say("book.five")]
    rows = list(page.iter_rows(min_row=_head(page) + 2, values_only=True))
    assert len(rows) == 5
    for row in rows:
        for low, mean, high in ((row[3], row[2], row[4]), (row[6], row[5], row[7])):
            assert float(str(low)) <= float(str(mean)) <= float(str(high))


def test_no_text_becomes_a_formula_or_a_link(book: Workbook) -> None:
    for page in book:
        for row in page.iter_rows():
            assert all(cell.data_type != "f" and cell.hyperlink is None for cell in row)
    listed = [row[0] for row in book[say("book.assumptions")].iter_rows(values_only=True)]
    assert set(HOSTILE) <= set(listed), "as they were written, not changed"
    assert any(HOSTILE[0] in str(row[1]) and HOSTILE[1] in str(row[1])
               for row in book[say("book.first")].iter_rows(values_only=True))  # fmt: skip


def test_the_same_run_gives_the_same_workbook(language: str) -> None:
    made = [write_workbook(synthetic.frames(), synthetic.manifest()) for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize("frames", [synthetic.empty_frames(), synthetic.calm_frames()],
                         ids=["no rows", "calm"])  # fmt: skip
def test_where_nothing_happened_the_workbook_still_stands(frames: dict[str, Any]) -> None:
    assert len(_book(write_workbook(frames, synthetic.manifest())).sheetnames) == 13


def test_rows_are_as_high_as_their_texts_and_columns_as_wide_as_their_numbers() -> None:
    sheet = Sheet("s", [SheetColumn("Text"), SheetColumn("Number", form="2")],
                  [["long " * 40, 12_345_678.9], ["short", 1.0]], ["remark " * 40])  # fmt: skip
    page = _book(workbook([sheet])).active
    assert page is not None
    heights = page.row_dimensions
    assert heights[1].height >= 45, "the remark is wrapped"
    assert heights[4].height >= 60 and heights[5].height is None
    assert page.column_dimensions["B"].width >= len("12,345,678.90")
    assert page["A1"].value == "remark " * 40


def test_no_title_of_a_sheet_is_cut() -> None:
    for language in ("en", "vi"):
        titles = [text for key, text in listing(language).items() if key.startswith("book.")]
        assert all(len(str(text)) <= 31 for text in titles)


@pytest.mark.slow
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not on this machine")
def test_an_office_program_opens_it(tmp_path: Path) -> None:
    """LibreOffice reads the first sheet as we wrote it; a cell like =1+1 is not worked out."""
    manifest = synthetic.manifest(title=HOSTILE[0], question="Ai cần xuồng?")
    (tmp_path / "report.xlsx").write_bytes(write_workbook(_frames(), manifest))
    assert OFFICE is not None
    subprocess.run(
        [OFFICE, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", str(tmp_path),
         str(tmp_path / "report.xlsx")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    rows = list(csv.reader((tmp_path / "report.csv").open(encoding="utf-8")))
    assert rows[0][0] == say("report.mark")
    assert rows[3] == [say("book.question"), "=1+1. Ai cần xuồng?"]
