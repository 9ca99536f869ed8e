"""The accountable plan: every order and every preparation becomes one task (table `tasks`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.outcomes.frames import TABLES, empty, frame
from nts_sim.plan.clarities import TaskLine, rows_of, task_line, work
from nts_sim.plan.dates import told_by
from nts_sim.plan.drafts import (
    PREPARE,
    Draft,
    done_preparations,
    granted_orders,
    order_draft,
    preparation_drafts,
)
from nts_sim.plan.names import Names
from nts_sim.plan.roles import Roles
from nts_sim.plan.schedule import Before, Dates, predecessors, scheduled
from nts_sim.tables.load import Tables
from nts_sim.words import say

_SAME: Final = (
    "stage", "order", "kind", "place", "name", "source", "source_name", "resource", "mechanism",
    "quantity", "to_come", "unit", "fund", "cost_bn_vnd", "desk", "desk_place",
    "delegation_bn_vnd", "legal_basis_checked", "reason", "runner_up",
)  # fmt: skip


def task_table(
    frames: Mapping[str, pd.DataFrame], tables: Tables, scenario: str, policy: str, day_zero: date
) -> pd.DataFrame:
    """Make the list of tasks of one policy in one scenario.

    Parameters
    ----------
    frames : result tables: orders; of a plan also plan_first and plan_value
    tables : who is in charge of what
    day_zero : date of day 0 of the scenario

    Returns
    -------
    DataFrame
        Table `tasks`.
    """
    drafts = list(_drafts(frames, tables, scenario, policy))
    if not drafts:
        return empty("tasks")
    before = predecessors(drafts)
    dates = scheduled(drafts, before)
    rows = _rows(drafts, dates, before, Roles(tables))
    told = {"scenario": scenario, "policy": policy, "day_zero": day_zero.isoformat()}
    columns = [column.name for column in TABLES["tasks"]]
    return frame("tasks", {name: [{**told, **row}[name] for row in rows] for name in columns})


def task_lines(frames: Mapping[str, pd.DataFrame], view: View, most: int) -> list[TaskLine]:
    """Tell the first tasks of the policy in focus, in the language being spoken.

    Parameters
    ----------
    frames : result tables: tasks and directory
    view : tasks are those of its policy in the scenario drawn
    most : lines at most
    """
    tasks = frames["tasks"]
    mine = tasks[(tasks["scenario"] == view.scenario) & (tasks["policy"] == view.policy)]
    names = Names(frames["directory"])
    return [task_line(row, names) for row in rows_of(mine.head(most))]


def first_tasks(frames: Mapping[str, pd.DataFrame], most: int) -> list[str]:
    """Tell the first tasks of a plan, one line each, and how many more there are."""
    tasks, names = frames["tasks"], Names(frames["directory"])
    lines = [_short_line(row, names) for row in rows_of(tasks.head(most))]
    if len(tasks) > most:
        lines.append(say("tasks.first.more", n=len(tasks) - most))
    return lines


def _short_line(task: Mapping[str, Any], names: Names) -> str:
    unchecked = task["legal_basis_checked"] == "not checked"
    return say(
        "tasks.first.signed" if task["desk"] else "tasks.first.unsigned",
        task=task["task"], due=told_by(task["day_zero"], task["due_day"], task["start_day"]),
        work=work(task, names), unit=names.agency(task["unit_in_charge"]),
        desk=names.desk(task["desk"], task["desk_place"]),
        note=say("tasks.first.not_checked") if unchecked else "",
    )  # fmt: skip


def _drafts(
    frames: Mapping[str, pd.DataFrame], tables: Tables, scenario: str, policy: str
) -> Iterator[Draft]:
    if "plan_first" in frames:
        yield from preparation_drafts(done_preparations(frames), tables)
    orders = granted_orders(frames["orders"])
    mine = orders[(orders["scenario"] == scenario) & (orders["policy"] == policy)]
    for row in mine.sort_values("order").to_dict("records"):
        yield order_draft({str(name): value for name, value in row.items()})


def _rows(
    drafts: Sequence[Draft], dates: Sequence[Dates], before: Before, roles: Roles
) -> list[dict[str, object]]:
    turn = sorted(range(len(drafts)), key=lambda i: (dates[i].start, drafts[i].stage, i))
    width = max(3, len(str(len(drafts))))
    names = {index: f"T{number:0{width}}" for number, index in enumerate(turn, start=1)}
    return [_row(i, drafts[i], dates[i], before[i], names, roles) for i in turn]


def _row(
    index: int, draft: Draft, dates: Dates, before: set[int], names: Mapping[int, str],
    roles: Roles,
) -> dict[str, object]:  # fmt: skip
    return {
        "task": names[index],
        **{name: getattr(draft, name) for name in _SAME},
        **roles.charge(draft)._asdict(),
        "start_day": dates.start, "approved_day": dates.approved,
        "handover_day": dates.handover, "due_day": dates.due,
        "forecast_day": dates.due if draft.stage == PREPARE else draft.forecast_day,
        "after": " ".join(sorted(names[i] for i in before)),
    }  # fmt: skip
