"""Fill in a list of tasks as a standing agency would, with a second library than the one we use."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import openpyxl
import pandas as pd

from nts_sim.outcomes.frames import TABLES, frame
from nts_sim.plan.clarities import rows_of
from nts_sim.plan.dates import milestones
from nts_sim.plan.sheet import BY_ID
from nts_sim.words import say, speaking

COLUMNS = (
    "task", "status", "done_on", "done_quantity", "spent_bn_vnd", "person", "remark", "quantity",
    "start", "due", "run",
)  # fmt: skip
RUN = "toy-0123456789"
_TEXTS = {column.name for column in TABLES["tasks"] if column.dtype == "text"}


def task(name: str, **changes: object) -> dict[str, object]:
    """Make a row of the table `tasks`: 10 teams from Hà Nội to Hải Phòng, days 0 to 4."""
    row: dict[str, object] = dict.fromkeys(_TEXTS, "")
    row |= {
        "scenario": "toy", "policy": "plan", "day_zero": "2024-09-05", "task": name,
        "stage": "respond", "order": 1, "kind": "mobilise", "place": "31", "name": "Hải Phòng",
        "resource": "rescue_team", "mechanism": "military", "quantity": 10.0, "to_come": 10.0,
        "unit": "units", "fund": "ministry_budget", "cost_bn_vnd": 2.0,
        "unit_in_charge": "31.police", "role": "", "desk": "MOD", "delegation_bn_vnd": 500.0,
        "legal_basis_checked": "checked", "answers": "MOD", "supports": "31.military",
        "start_day": 0.0, "approved_day": 1.0, "handover_day": 2.0, "due_day": 4.0,
        "forecast_day": 4.0,
    }  # fmt: skip
    return row | changes


def table(*rows: Mapping[str, object]) -> pd.DataFrame:
    """Make a table `tasks`."""
    names = [column.name for column in TABLES["tasks"]]
    return frame("tasks", {name: [row[name] for row in rows] for name in names})


def filled_rows(
    tasks: pd.DataFrame, reports: Mapping[str, Mapping[str, Any]], run: str = RUN
) -> list[dict[str, Any]]:
    """Make the rows of a filled-in file, by column id."""
    rows = []
    for row in rows_of(tasks):
        dates = milestones(row)
        made = {"task": row["task"], "quantity": row["quantity"], "start": dates.start,
                "due": dates.due, "run": run}  # fmt: skip
        rows.append({**made, **reports.get(str(row["task"]), {})})
    return rows


def as_workbook(
    rows: Iterable[Mapping[str, Any]], language: str = "vi", notes: Sequence[str] = ("Ghi chú",),
    columns: Sequence[str] = COLUMNS,
) -> bytes:  # fmt: skip
    """Write rows as an XLSX file with remarks, titles and units above them."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for note in notes:
        page.append([note])
    with speaking(language):
        page.append([say(BY_ID[name].title_key) for name in columns])
        page.append([say(key) if (key := BY_ID[name].unit_key) else None for name in columns])
    for row in rows:
        page.append([row.get(name) for name in columns])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def as_csv(
    rows: Iterable[Mapping[str, Any]], language: str = "en", mark: str = ",",
    columns: Sequence[str] = COLUMNS,
) -> bytes:  # fmt: skip
    """Write rows as CSV."""
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=mark)
    with speaking(language):
        writer.writerow([BY_ID[name].heading() for name in columns])
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return sink.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)
