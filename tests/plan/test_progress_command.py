"""A plan is made, its workbook filled in by another library, and read back: in a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from nts_sim.cli.main import main
from nts_sim.cli.verbs.plan import take_progress
from nts_sim.plan.sheet import column_of

pytestmark = pytest.mark.slow
AS_OF = datetime(2024, 9, 9)


def nts(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from nts_sim.cli.main import main; raise SystemExit(main())"]
    return subprocess.run(
        [*command, *words], cwd=cwd, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"NTS_SIM_LANGUAGE": "en"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a plan of the rule in use: quick to make, with tasks of every kind."""
    here = tmp_path_factory.mktemp("progress")
    made = nts("plan", "policy=current_practice", "language=vi", "--quiet", cwd=here)
    assert made.returncode == 0, made.stderr
    return next((here / "results" / "typhoon_north").iterdir())


def columns(page: Worksheet) -> tuple[int, dict[str, int]]:
    for row in page.iter_rows(max_row=20):
        found = {c.id: cell.column for cell in row if (c := column_of(str(cell.value)))}
        if len(found) > 10:
            return row[0].row, found
    raise AssertionError("no titles")


def rows(page: Worksheet, top: int, at: dict[str, int]) -> Iterator[int]:
    for row in range(top + 2, page.max_row + 1):
        if page.cell(row, at["task"]).value:
            yield row


def fill(source: Path, target: Path, late: int = 3) -> list[str]:
    """Report everything due as done, but for some tasks; return these."""
    book = openpyxl.load_workbook(source)
    page = book.worksheets[0]
    top, at = columns(page)
    left: list[str] = []
    for row in rows(page, top, at):
        due = page.cell(row, at["due"]).value
        if due < AS_OF and len(left) < late:
            left.append(str(page.cell(row, at["task"]).value))
            page.cell(row, at["status"]).value = "Đang thực hiện"
        elif due < AS_OF:
            page.cell(row, at["status"]).value = "đã hoàn thành"
            page.cell(row, at["done_on"]).value = due.strftime("%d/%m/%Y")
    book.save(target)
    return left


def test_the_standing_agency_sees_the_three_late_tasks(run: Path) -> None:
    here = run.parents[2]
    late = fill(run / "vi" / "plan.xlsx", here / "filled.xlsx")
    words = ("plan", "--progress", "filled.xlsx", "as_of=2024-09-09")
    told = json.loads(nts(*words, "--json", cwd=here).stdout)
    assert told["states"]["late"] == late
    assert sorted(task for urging in told["urge"] for task in urging["tasks"]) == late
    english = nts(*words, "summary=preliminary", cwd=here)
    assert english.returncode == 0, english.stderr
    assert english.stdout.startswith("3 of ")
    for kind in ("html", "xlsx", "csv"):
        assert (run / "en" / f"monitoring_2024-09-09.{kind}").is_file()
    assert (run / "en" / "summary_preliminary_2024-09-09.html").is_file()
    vietnamese = nts(*words, "summary=final", "language=vi", cwd=here)
    assert vietnamese.stdout.startswith("3 trong ")
    page = (run / "vi" / "summary_final_2024-09-09.html").read_text("utf-8")
    assert "chưa đầy đủ" in page and "<script" not in page and "://" not in page


def test_a_second_library_opens_what_is_written(run: Path) -> None:
    book = openpyxl.load_workbook(run / "en" / "monitoring_2024-09-09.xlsx")
    assert book.sheetnames[:3] == ["Where the plan stands", "Who to urge", "Late tasks"]
    assert book["Late tasks"].max_row == 2 + 3


def test_the_same_record_changes_nothing_and_another_gets_a_name_of_its_own(run: Path) -> None:
    here = run.parents[2]
    before = {path: path.read_bytes() for path in (run / "en").glob("monitoring*")}
    nts("plan", "--progress=filled.xlsx", "as_of=2024-09-09", cwd=here)
    assert {path: path.read_bytes() for path in (run / "en").glob("monitoring*")} == before
    fill(run / "vi" / "plan.xlsx", here / "other.xlsx", late=2)
    other = nts("plan", "--progress=other.xlsx", "as_of=2024-09-09", cwd=here)
    assert "monitoring_2024-09-09_2.html" in other.stdout
    assert all(path.read_bytes() == data for path, data in before.items())


def test_the_exported_text_file_is_read_back_too(run: Path) -> None:
    """As exported, with nothing filled in: every task counts as not started."""
    here = run.parents[2]
    told = nts("plan", "--progress", str(run / "vi" / "plan.csv"), "as_of=2024-09-05", cwd=here)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("No task is late.")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--progress",), "needs a file"),
        (("--progress", "no.xlsx"), "is not there"),
        (("--progress", "filled.xlsx", "as_of=9/9/2024", "summary=yearly", "fund=tight"), "fund"),
        (("--progress", "filled.xlsx", "results_dir=elsewhere"), "not below elsewhere"),
        (("--progress", "filled.xlsx", "run=elsewhere"), "is of the run"),
        (("--progress", "filled.xlsx", "as_of=2024-09-06"), "after the day"),
    ],
)  # fmt: skip
def test_mistakes_end_in_sentences(
    run: Path, words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(run.parents[2])
    assert main(["plan", *words, "language=en"]) == 2
    shown = capsys.readouterr()
    assert told in shown.err and not shown.out


def test_the_plan_is_as_it_was(run: Path) -> None:
    """Tables still have the checksums they were written with."""
    from nts_sim.study.store import read_results

    assert len(read_results(run)["tasks"]) > 10


def test_the_flag_is_taken_in_both_forms() -> None:
    assert take_progress(["--progress", "a.csv", "as_of=x"]) == ("a.csv", ["as_of=x"])
    assert take_progress(["--progress=a.csv"]) == ("a.csv", [])
    assert take_progress(["policy=greedy"]) == (None, ["policy=greedy"])
