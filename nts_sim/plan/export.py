"""A plan as files that a standing agency works with: CSV, workbook, calendar.

Made from the stored tables in the language being spoken. The shape of the list of tasks is that of
`nts_sim.plan.sheet`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from nts_sim.plan.calendar import calendar
from nts_sim.plan.clarities import (
    badge,
    fund_name,
    legal_basis,
    result,
    role,
    rows_of,
    unit_of,
    work,
)
from nts_sim.plan.dates import date_by, milestones
from nts_sim.plan.names import Names
from nts_sim.plan.reconcile import SUMMED, allocation, reconcile, reconciled_line, sums
from nts_sim.plan.sheet import BY_ID, COLUMNS, STATUSES
from nts_sim.sheets import Sheet, SheetColumn, Value, workbook
from nts_sim.study.store import csv_bytes
from nts_sim.words import name_of, say, sentence

Frames = Mapping[str, pd.DataFrame]
Row = Mapping[str, Any]


def plan_files(frames: Frames, run_id: str) -> dict[str, bytes]:
    """Make the files of a plan: file name → content.

    Parameters
    ----------
    frames : result tables: tasks, orders, directory; of a plan also plan_first and plan_value
    run_id : written into every row, so that a file read back finds its run
    """
    names = Names(frames["directory"])
    cells = [task_cells(row, names, run_id) for row in rows_of(frames["tasks"])]
    return {
        "plan.csv": _csv(cells),
        "plan.xlsx": workbook(_sheets(frames, cells, run_id)),
        "plan.ics": calendar(frames["tasks"], names, run_id),
    }


def task_cells(task: Row, names: Names, run_id: str) -> dict[str, Value]:
    """Return the values of a row of the exported list by column id; blank where to be filled in."""
    dates = milestones(task)
    return {
        **{column.id: None for column in COLUMNS if column.to_fill},
        **{name: _blank(task[name]) for name in ("task", "quantity", "cost_bn_vnd",
                                                 "delegation_bn_vnd")},
        "reason": names.why(task["reason"]),
        "runner_up": names.why(task["runner_up"]),
        "work": work(task, names),
        "unit_in_charge": names.agency(task["unit_in_charge"]),
        "role": role(task),
        "place": names.place(task["place"]),
        "unit": unit_of(task),
        **dates._asdict(),
        "forecast": _forecast(task),
        "after": task["after"],
        "desk": _desk(task, names),
        "legal_basis": legal_basis(task, names),
        "legal_basis_checked": badge(task),
        "answers": names.agency(task["answers"]),
        "supports": names.agencies(task["supports"]),
        "result": result(task, names),
        "mechanism": names.mechanism(task["mechanism"]) if task["mechanism"] else "",
        "fund": fund_name(task["fund"]),
        "run": run_id,
    }  # fmt: skip


def _blank(value: Value) -> Value:
    """Leave out what is missing, and what rounding adds to a number of a thousand dong."""
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value


def _forecast(task: Row) -> date | None:
    day = task["forecast_day"]
    return None if math.isnan(day) else date_by(task["day_zero"], day, task["start_day"])


def _desk(task: Row, names: Names) -> str:
    if not task["desk"]:
        return say("tasks.authority.nobody")
    return names.desk(task["desk"], task["desk_place"])


def _csv(cells: Sequence[Mapping[str, Value]]) -> bytes:
    """Write the list of tasks as UTF-8 that spreadsheets know, without anything like a formula."""
    table = {
        column.heading(): pd.Series([row[column.id] for row in cells], dtype="float64")
        if column.form == "2" and not column.to_fill
        else pd.Series([_text(row[column.id]) for row in cells], dtype="str")
        for column in COLUMNS
    }
    return csv_bytes(pd.DataFrame(table))


def _text(value: Value) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


# --- the workbook -------------------------------------------------------------------------------


def _sheets(frames: Frames, cells: Sequence[Mapping[str, Value]], run_id: str) -> list[Sheet]:
    tasks = frames["tasks"]
    listed = Sheet(
        say("tasks.sheet.tasks"), [column.in_workbook() for column in COLUMNS],
        [[row[column.id] for column in COLUMNS] for row in cells],
        [say("tasks.note.fill"), say("tasks.note.statuses", listed=_statuses()),
         say("tasks.note.figures")], frozen=2,
    )  # fmt: skip
    printed = Sheet(
        say("tasks.sheet.print"), [BY_ID[name].in_workbook() for name in _PRINTED],
        [[row[name] for name in _PRINTED] for row in cells], [say("tasks.note.figures")],
    )  # fmt: skip
    return [
        listed, printed, _by_agency(tasks, Names(frames["directory"])),
        _by_mechanism(tasks, Names(frames["directory"])), _reconciliation(frames),
        _notes(frames, run_id),
    ]  # fmt: skip


_PRINTED = ("task", "work", "unit_in_charge", "start", "due", "desk", "legal_basis_checked",
            "answers")  # fmt: skip
"""Columns that fit on a sheet of paper."""


def _statuses() -> str:
    return ", ".join(say(f"tasks.status.{status}") for status in STATUSES)


def _by_agency(tasks: pd.DataFrame, names: Names) -> Sheet:
    """Count what each unit has to do, and by when."""
    rows: list[list[Value]] = []
    for unit, mine in tasks.groupby("unit_in_charge", sort=False):
        dates = [milestones(row) for row in rows_of(mine)]
        rows.append([
            names.agency(str(unit)), len(mine), min(d.start for d in dates),
            max(d.due for d in dates), int((mine["legal_basis_checked"] == "not checked").sum()),
            float(mine["cost_bn_vnd"].sum()),
        ])  # fmt: skip
    columns = [
        _titled("unit_in_charge"), SheetColumn(say("tasks.sum.tasks"), "", "0"),
        SheetColumn(say("tasks.sum.first"), say("tasks.unit_of.date"), "date"),
        SheetColumn(say("tasks.sum.last"), say("tasks.unit_of.date"), "date"),
        SheetColumn(say("tasks.sum.not_checked"), "", "0"), _money(),
    ]  # fmt: skip
    return Sheet(say("tasks.sheet.agencies"), columns, sorted(rows, key=lambda row: str(row[0])))


def _by_mechanism(tasks: pd.DataFrame, names: Names) -> Sheet:
    """Add up what each way of mobilising brings."""
    rows: list[list[Value]] = []
    for keys, mine in tasks.groupby(["kind", "mechanism", "resource", "unit"]):
        kind, mechanism, _, _ = (str(key) for key in keys)
        first = next(rows_of(mine))
        rows.append([
            say(f"tasks.kind.{kind}"), names.mechanism(mechanism) if mechanism else "",
            unit_of(first), len(mine), float(mine["quantity"].sum()),
            float(mine["cost_bn_vnd"].sum()),
        ])  # fmt: skip
    columns = [
        SheetColumn(say("tasks.sum.kind")), _titled("mechanism"), _titled("unit"),
        SheetColumn(say("tasks.sum.tasks"), "", "0"), _titled("quantity", "2"), _money(),
    ]  # fmt: skip
    return Sheet(say("tasks.sheet.mechanisms"), columns, rows)


def _titled(column: str, form: Any = "text") -> SheetColumn:
    return SheetColumn(say(f"tasks.column.{column}"), "", form)


def _money() -> SheetColumn:
    return SheetColumn(say("tasks.column.cost_bn_vnd"), say("tasks.unit_of.money"), "2")


def _reconciliation(frames: Frames) -> Sheet:
    """Show sums of the tasks beside those of the plan, by everything they are added up by."""
    tasks = frames["tasks"]
    given = _given(frames)
    rows: list[list[Value]] = []
    directory = Names(frames["directory"])
    for by in SUMMED:
        have, want = sums(tasks, by), sums(given, by)
        for key in sorted(set(have.index) | set(want.index)):
            both = [float(table["quantity"].get(key, 0.0)) for table in (want, have)]
            unit = unit_of({"unit": key[1], "resource": key[2]})
            rows.append([say(f"tasks.by.{by}"), _key_name(by, str(key[0]), directory), unit, *both,
                         both[1] - both[0]])  # fmt: skip
    columns = [
        SheetColumn(say("tasks.sum.by")), SheetColumn(say("tasks.sum.what")), _titled("unit"),
        *(SheetColumn(say(f"tasks.sum.{name}"), "", "2") for name in ("plan", "in_tasks",
                                                                      "difference")),
    ]  # fmt: skip
    findings = reconcile(tasks, given) if len(tasks) else []
    notes = [reconciled_line(frames), *(finding.told() for finding in findings)]
    return Sheet(say("tasks.sheet.reconciliation"), columns, rows, notes, frozen=2)


def _given(frames: Frames) -> pd.DataFrame:
    tasks = frames["tasks"]
    scenario, policy = ("", "") if tasks.empty else tasks[["scenario", "policy"]].iloc[0]
    return allocation(frames, str(scenario), str(policy))


def _key_name(by: str, key: str, names: Names) -> str:
    """Name what a sum is of."""
    if by in ("place", "source"):
        return names.place(key) if key else say("tasks.sum.none")
    if by == "kind":
        return say(f"tasks.kind.{key}")
    if by == "fund":
        return sentence(fund_name(key))
    if not key:
        return say("tasks.sum.none")
    return names.mechanism(key) if by == "mechanism" else name_of(by, key)


def _notes(frames: Frames, run_id: str) -> Sheet:
    """Say where the plan is from and how to read it."""
    tasks = frames["tasks"]
    scenario, policy = ("", "") if tasks.empty else tasks[["scenario", "policy"]].iloc[0]
    mine = frames["orders"]
    mine = mine[(mine["scenario"] == scenario) & (mine["policy"] == policy)]
    returns = int((mine["automatic"] & (mine["granted"] > 0.0)).sum())
    unchecked = int((tasks["legal_basis_checked"] == "not checked").sum())
    told = {
        "run": run_id, "scenario": name_of("scenario", scenario),
        "policy": name_of("policy", policy), "n": returns, "unchecked": unchecked,
    }  # fmt: skip
    rows = [[say(f"tasks.notes.{key}", **told)] for key in _NOTES]
    return Sheet(say("tasks.sheet.notes"), [SheetColumn(say("tasks.sheet.notes"))], rows, frozen=0)


_NOTES = ("from", "one_course", "dates", "roles", "unchecked", "returns", "back")
