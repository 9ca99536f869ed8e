"""A list of tasks is read back in either language, and all that is wrong with it is listed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nts_sim.errors import InvalidInput
from nts_sim.plan.filled_cells import Formula
from nts_sim.plan.filled_values import NotReadable, read_date, read_number, read_status
from nts_sim.plan.progress import Plan, Progress, open_filled, read_progress
from nts_sim.words import speaking
from tests.plan.filling import RUN, as_csv, as_workbook, filled_rows, table, task

TASKS = table(task("T001"), task("T002", after="T001"), task("T003", quantity=1234.5,
                                                                to_come=1234.5))  # fmt: skip
DONE = {"status": "done", "done_on": date(2024, 9, 8), "done_quantity": 10.0, "spent_bn_vnd": 1.5}


def read(path: Path, as_of: date | None = None) -> Progress:
    return read_progress(open_filled(path), Plan(TASKS), as_of)


def written(tmp_path: Path, data: bytes, name: str = "plan.csv") -> Path:
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def problems(path: Path, as_of: date | None = None) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        read(path, as_of)
    return {problem.where: problem.what for problem in caught.value.problems}


def csv_of(reports: Mapping[str, Mapping[str, Any]], **options: Any) -> bytes:
    return as_csv(filled_rows(TASKS, reports), **options)


# --- what is right -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_workbook_is_read_in_either_language(tmp_path: Path, language: str) -> None:
    status = {"en": "Done", "vi": "Da HOAN thanh"}[language]
    rows = filled_rows(TASKS, {"T001": {**DONE, "status": status, "person": "Nguyễn Văn A"}})
    path = written(tmp_path, as_workbook(rows, language), "plan.xlsx")
    filled = open_filled(path)
    assert filled.runs() == (RUN,)
    assert filled.day_first == (language == "vi")
    found = read(path)
    report = found.reports["T001"]
    assert (report.status, report.done_on, report.done_quantity) == ("done", date(2024, 9, 8), 10.0)
    assert (report.spent_bn_vnd, report.person) == (1.5, "Nguyễn Văn A")
    assert found.as_of == date(2024, 9, 8) and not found.as_of_given
    assert found.blank == 2


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_text_is_read_however_its_columns_are_parted(
    tmp_path: Path, language: str, mark: str
) -> None:
    data = csv_of({"T001": DONE}, language=language, mark=mark)
    assert read(written(tmp_path, data)).reports["T001"].status == "done"


def test_order_is_free_and_further_columns_are_passed_over(tmp_path: Path) -> None:
    text = "colour,done_on,STATUS,task\nred,2024-09-08,done,t001\n"
    found = read(written(tmp_path, text.encode()))
    assert list(found.reports) == ["T001"]
    assert found.reports["T001"].done_quantity is None


def test_vietnamese_files_write_the_day_first(tmp_path: Path) -> None:
    data = csv_of({"T001": {**DONE, "done_on": "08/09/2024"}}, language="vi")
    assert read(written(tmp_path, data)).as_of == date(2024, 9, 8)


def test_numbers_are_read_as_people_write_them() -> None:
    texts = ["1234,5", "1234.5", "1.234,5", "1,234.5", "1 234,5", "1234.50"]
    assert [read_number(text) for text in texts] == [1234.5] * 6
    assert read_number("1.234.567") == 1_234_567.0
    assert read_number("0,125") == 0.125
    assert read_number(" ") is None


# --- what is wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1.234", "1,234", "12.345", "123,456"])
def test_what_can_be_two_numbers_is_asked_about(text: str) -> None:
    with pytest.raises(NotReadable, match="without a mark for thousands"):
        read_number(text)


@pytest.mark.parametrize("text", ["-1", "ten", "1e400", "nan", "1.2.3", "12.34.567", "#REF!", True])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NotReadable):
        read_number(text)


def test_dates_are_never_guessed() -> None:
    assert read_date("2024-09-08", day_first=False) == date(2024, 9, 8)
    assert read_date("8/9/2024", day_first=True) == date(2024, 9, 8)
    assert read_date("13/09/2024", day_first=False) == date(2024, 9, 13)
    with pytest.raises(NotReadable, match="two different dates"):
        read_date("08/09/2024", day_first=False)
    for wrong in ("2024-02-30", "31/02/2024", "8 Sep", "2024-9-8", "0008-09-08", 45543, 1.5):
        with pytest.raises(NotReadable):
            read_date(wrong, day_first=True)


def test_a_formula_without_a_value_is_told() -> None:
    for reader in (read_status, read_number):
        with pytest.raises(NotReadable, match="formula"):
            reader(Formula())


def test_every_problem_is_listed_with_row_and_column(tmp_path: Path) -> None:
    rows = filled_rows(TASKS, {
        "T001": {"status": "finished", "done_on": "08/09/2024", "done_quantity": "1.234"},
        "T002": {"status": "done", "done_quantity": 11, "due": "2024-12-24"},
        "T003": {"status": "under way", "done_on": "2024-09-01", "spent_bn_vnd": "-3"},
    })  # fmt: skip
    rows += [{"task": "T01"}, {"task": "T001"}, {"status": "done"}]
    told = problems(written(tmp_path, as_csv(rows)), date(2024, 9, 9))
    assert set(told) == {
        "row 2, Status", "row 2, Done on (date)",
        "row 2, Quantity done (in the unit of the quantity)", "row 3, Done on (date)",
        "row 3, Quantity done (in the unit of the quantity)", "row 3, Due (date)",
        "row 4, Done on (date)", "row 4, Spent (bn VND)", "row 5, Task", "row 6, Task",
        "row 7, Task",
    }  # fmt: skip
    assert "did you mean T001?" in told["row 5, Task"]
    assert "stands in row 2 too" in told["row 6, Task"]
    assert "11.00 is more than the task asks for (10.00)" in " ".join(told.values())


@pytest.mark.parametrize("due", ["2024-09-08", "08/09/2024", "9/8/2024", "8.9.2024"])
def test_dates_of_the_plan_may_be_written_anew_by_a_spreadsheet(tmp_path: Path, due: str) -> None:
    path = written(tmp_path, csv_of({"T001": {**DONE, "due": due}}))
    assert read(path).reports["T001"].status == "done"


def test_what_is_shown_cannot_steer_a_terminal(tmp_path: Path) -> None:
    text = "task,status,done_on\n\x1b[2J\x1b]0;T9,\x1b[31mred,\n"
    told = problems(written(tmp_path, text.encode()), date(2024, 9, 9))
    assert told and "\x1b" not in str(list(told.values()))
    assert all(what.isprintable() for what in told.values())


def test_what_contradicts_itself_is_told(tmp_path: Path) -> None:
    data = csv_of({
        "T001": {"status": "done", "done_on": "2024-09-04", "done_quantity": 0},
        "T002": {"status": "not started", "done_quantity": 3},
        "T003": {"quantity": 1200},
    })  # fmt: skip
    told = " ".join(problems(written(tmp_path, data), date(2024, 9, 9)).values())
    assert "before the task starts (2024-09-05)" in told
    assert "is 0, and the task is reported as done" in told
    assert "reported as not started" in told
    assert "1200 is not what was planned (1234.5)" in told


def test_what_is_done_lies_before_the_day_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, csv_of({"T001": DONE}))
    assert read(path, date(2024, 9, 8)).as_of_given
    assert "after the day" in problems(path, date(2024, 9, 7))["row 2, Done on (date)"]


def test_without_anything_done_the_day_must_be_given(tmp_path: Path) -> None:
    path = written(tmp_path, csv_of({"T001": {"status": "under way"}}))
    assert list(problems(path)) == ["as_of"]
    assert read(path, date(2024, 9, 7)).as_of == date(2024, 9, 7)


def test_a_comma_too_many_is_told(tmp_path: Path) -> None:
    text = "task,status,done_on,spent_bn_vnd\nT001,done,2024-09-08,1,5\n"
    assert "must stand in quotes" in problems(written(tmp_path, text.encode()))["row 2"]


def test_titles_are_needed_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no row of titles"):
        read(written(tmp_path, b"a,b\n1,2\n"))
    with pytest.raises(InvalidInput, match="no column “Done on”"):
        read(written(tmp_path, b"task,status\nT001,done\n"))
    with pytest.raises(InvalidInput, match="twice"):
        read(written(tmp_path, b"task,status,done_on,Status\nT001,done,,\n"))


def test_problems_are_told_in_vietnamese_too(tmp_path: Path) -> None:
    path = written(tmp_path, csv_of({"T001": {"status": "xong"}}, language="vi"))
    with speaking("vi"):
        told = problems(path, date(2024, 9, 9))
    assert "không phải là tình trạng hợp lệ" in told["dòng 2, Tình trạng"]
    assert "đã hoàn thành" in told["dòng 2, Tình trạng"]
