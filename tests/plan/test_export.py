"""The files of a plan: what other programs read is what the tasks say."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import icalendar
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nts_sim.plan.calendar import escaped, folded
from nts_sim.plan.export import plan_files
from nts_sim.plan.sheet import COLUMNS, column_of
from nts_sim.words import languages, speaking
from tests.plan.made import declare, draw, frames_of, mobilise, move, nothing_ordered

RUN = "typhoon_north-0123456789"
_EVIL = ("=1+1", "+84", "-1", "@SUM(A1)", "\t=1", "\uff1d1")


def _files(language: str, frames: dict[str, pd.DataFrame] | None = None) -> dict[str, bytes]:
    frames = frames or frames_of(
        [declare(), draw(90.0, to_come=81.0), mobilise(), move(reason="=HYPERLINK(1)")],
        [{"kind": "depot", "place": "22"}],
    )
    with speaking(language):
        return plan_files(frames, RUN)


def _table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def _book(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def _listed(data: bytes) -> list[dict[str, object]]:
    """Read the first sheet by the ids of its columns."""
    rows = list(_book(data).worksheets[0].iter_rows(values_only=True))
    top = next(i for i, row in enumerate(rows) if column_of(str(row[0])) is not None)
    titles = [column_of(str(title)) for title in rows[top]]
    return [
        {title.id: cell for title, cell in zip(titles, row, strict=True) if title}
        for row in rows[top + 2 :]
    ]


@pytest.mark.parametrize("language", languages())
def test_csv_and_workbook_say_the_same(language: str) -> None:
    files = _files(language)
    assert files["plan.csv"].startswith(b"\xef\xbb\xbf")
    table, listed = _table(files["plan.csv"]), _listed(files["plan.xlsx"])
    assert len(table) == len(listed) == 5
    with speaking(language):
        for row, cells in zip(table, listed, strict=True):
            assert len(row) == len(COLUMNS) == len(cells)
            for column in COLUMNS:
                text, value = row[column.heading()], cells[column.id]
                if isinstance(value, datetime):
                    assert text == value.date().isoformat()
                elif isinstance(value, (int, float)):
                    assert float(text) == pytest.approx(value)
                else:
                    assert text.removeprefix("'") == (value or "")
            assert all(cells[column.id] is None for column in COLUMNS if column.to_fill)
            assert cells["run"] == RUN


def test_dates_are_the_last_that_are_in_time() -> None:
    """A mobilisation of day 2: signed on day 2.5, handed over on 2.75, there on day 3 at midnight;
    the draw and the declaration that it waits for are due before.
    """
    rows = {row["task"]: row for row in _listed(_files("en")["plan.xlsx"])}
    depot = rows["T001"]
    assert depot["start"] == datetime(2024, 8, 23)
    assert depot["due"] == datetime(2024, 9, 6)
    boats = next(row for row in rows.values() if row["unit"] == "boats with crew")
    assert [boats[name] for name in ("start", "approved", "handover", "due", "forecast")] == [
        datetime(2024, 9, 9), datetime(2024, 9, 9), datetime(2024, 9, 9), datetime(2024, 9, 9),
        datetime(2024, 9, 10),
    ]  # fmt: skip


def test_what_only_partly_comes_says_so() -> None:
    drawn = next(row for row in _table(_files("en")["plan.csv"]) if "Draw" in row["Work"])
    assert drawn["Quantity"] == "90"
    assert "81 bn VND" in drawn["Result"]
    assert "never hands over the rest" in drawn["Result"]


@pytest.mark.parametrize("text", _EVIL)
def test_no_text_is_taken_for_a_formula(text: str) -> None:
    files = _files("en", frames_of([move(reason=text, runner_up=text)]))
    row = _table(files["plan.csv"])[0]
    assert row["Why"] == row["Instead of"] == f"'{text}"
    for sheet in _book(files["plan.xlsx"]):
        assert all(cell.data_type != "f" for line in sheet.iter_rows() for cell in line)


@pytest.mark.parametrize("language", languages())
def test_sheets_of_sums_agree_with_the_list(language: str) -> None:
    files = _files(language)
    book = _book(files["plan.xlsx"])
    assert len(book.worksheets) == 6
    listed = _listed(files["plan.xlsx"])
    _, printed, agencies, mechanisms, reconciliation, _ = (
        list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets
    )
    assert [row[0] for row in printed[3:]] == [row["task"] for row in listed]
    assert sum(row[1] for row in agencies[2:]) == len(listed)
    assert sum(row[5] for row in agencies[2:]) == pytest.approx(
        sum(float(str(row["cost_bn_vnd"])) for row in listed)
    )
    assert sum(row[3] for row in mechanisms[2:]) == len(listed)
    assert {row[5] for row in reconciliation[3:]} == {0}
    for sheet in book.worksheets:
        assert sheet.freeze_panes is not None


@pytest.mark.parametrize("language", languages())
def test_the_calendar_is_read_by_another_library(language: str) -> None:
    frames = frames_of([declare(), mobilise(), {"kind": "serve", "unit": "share"}])
    read = icalendar.Calendar.from_ical(_files(language, frames)["plan.ics"])
    events = {str(event["UID"]): event for event in read.walk("VEVENT")}
    assert sorted(events) == [f"{RUN}-T00{n}@nts-sim" for n in (1, 2, 3)]
    tasks = frames["tasks"].set_index("task")
    for uid, event in events.items():
        task = tasks.loc[uid[-12:-8]]
        midnight = datetime(2024, 9, 6, 17, tzinfo=event["DTSTART"].dt.tzinfo)
        starts = midnight + timedelta(days=float(task["start_day"]))
        assert event["DTSTART"].dt == starts
        ends = event["DTEND"].dt if "DTEND" in event else starts
        assert ends == midnight + timedelta(days=float(task["due_day"]))
        unchecked = task["legal_basis_checked"] == "not checked"
        assert event["STATUS"] == ("TENTATIVE" if unchecked else "CONFIRMED")
        assert len(str(event["DESCRIPTION"]).splitlines()) == 6
        assert str(event["LOCATION"]) == "Quảng Ninh"


def test_equal_tasks_give_equal_files() -> None:
    assert _files("vi") == _files("vi")


@pytest.mark.parametrize("language", languages())
def test_nothing_ordered_gives_files_without_rows(language: str) -> None:
    files = _files(language, nothing_ordered())
    assert _table(files["plan.csv"]) == []
    assert _listed(files["plan.xlsx"]) == []
    assert list(icalendar.Calendar.from_ical(files["plan.ics"]).walk("VEVENT")) == []


_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]))


@given(_text)
def test_lines_are_folded_within_75_octets_and_unfold_to_what_they_were(text: str) -> None:
    parts = folded(text).split("\r\n")
    assert all(len(part.encode()) <= 75 for part in parts)
    assert parts[0] + "".join(part[1:] for part in parts[1:]) == text
    assert all(part.startswith(" ") for part in parts[1:])


@given(_text)
def test_escaped_text_is_read_back(text: str) -> None:
    shown = "".join(sign for sign in text if sign.isprintable())
    line = folded(f"SUMMARY:{escaped(f'a;b,c {shown} d')}")
    event = f"BEGIN:VEVENT\r\nUID:1\r\n{line}\r\nEND:VEVENT\r\n"
    read = icalendar.Event.from_ical(event)
    assert str(read["SUMMARY"]) == f"a;b,c {shown} d"


def test_line_breaks_and_backslashes_are_escaped() -> None:
    assert escaped("a\nb\\c") == "a\\nb\\\\c"
    assert escaped("bell\x07\r") == "bell"
