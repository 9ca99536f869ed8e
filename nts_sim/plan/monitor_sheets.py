"""Progress of a plan as tables for people: shown on a page, written as a workbook, printed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Final

from nts_sim.plan.clarities import fund_name, unit_of, work
from nts_sim.plan.dates import told_date
from nts_sim.plan.monitoring import (
    STATES,
    Monitoring,
    Total,
    Urging,
    Watched,
    Who,
    total_of,
    totals_by,
)
from nts_sim.plan.names import Names
from nts_sim.sheets import Form, Sheet, SheetColumn, Value
from nts_sim.words import number, say, sentence

_MONEY: Final = "tasks.unit_of.money"
_MOST_URGED, _MOST_TASKS, _MOST_AT_RISK = 6, 3, 6
"""Printed at most; pages have all."""
_WIDTH: Final = 100
NameOf = Callable[[str], str]


def column(key: str, form: Form = "text", unit_key: str = "") -> SheetColumn:
    """Make a column titled by a text of monitoring."""
    return SheetColumn(say(f"monitor.column.{key}"), say(unit_key) if unit_key else "", form)


def who_text(who: Who | None, names: Names) -> str:
    """Name who is urged; nothing where there is nobody."""
    if who is None:
        return ""
    return names.desk(who.code, who.place) if who.is_desk else names.agency(who.code)


def reasons_text(task: Watched) -> str:
    """Say why a task is at risk."""
    told = []
    for reason in task.reasons:
        days = {name: told_date(day) for name, day in reason.days.items()}
        told.append(say(f"monitor.reason.{reason.key}", **days, **reason.others))
    return sentence("; ".join(told))


def stop_text(task: Watched) -> str:
    """Say where a late task hangs."""
    return say(f"monitor.stop.{task.stop}", task=task.waits_for) if task.stop else ""


def finding(watched: Monitoring) -> list[str]:
    """Tell how the plan stands, in sentences."""
    counts = {state: len(watched.in_state(state)) for state in STATES}
    late, done = counts["late"], counts["done"] + counts["part_done"]
    told = [say("monitor.finding.late", n=late, total=len(watched.tasks)) if late
            else say("monitor.finding.none_late")]  # fmt: skip
    if counts["at_risk"]:
        told.append(say("monitor.finding.at_risk", n=counts["at_risk"]))
    told.append(say("monitor.finding.done", n=done, total=len(watched.tasks)))
    if watched.late_done:
        told.append(say("monitor.finding.late_done", n=len(watched.late_done)))
    key = "given" if watched.as_of_given else "latest"
    return [" ".join(told), say(f"monitor.as_of.{key}", day=told_date(watched.as_of))]


def monitoring_sheets(watched: Monitoring, names: Names) -> list[Sheet]:
    """Make the tables of a monitoring view: states, who to urge, late, at risk, totals, all."""
    return [
        _states(watched),
        urge_sheet(watched, names),
        _sheet("late", _late_columns(), [_late_row(t, names) for t in watched.in_state("late")]),
        _sheet("at_risk", _risk_columns(),
               [_risk_row(task, names) for task in watched.in_state("at_risk")]),
        _totals("agencies", totals_by(watched.tasks, "unit_in_charge"), names.agency),
        _totals("mechanisms", totals_by(watched.tasks, "mechanism"), names.mechanism),
        all_tasks(watched.tasks, names),
    ]  # fmt: skip


def _sheet(key: str, columns: Sequence[SheetColumn], rows: Sequence[Sequence[Value]]) -> Sheet:
    return Sheet(say(f"monitor.sheet.{key}"), columns, rows)


def _states(watched: Monitoring) -> Sheet:
    rows: list[list[Value]] = [
        [sentence(say(f"monitor.state.{state}")), len(found),
         ", ".join(task.task for task in found[:12]) + (" …" if len(found) > 12 else "")]
        for state in STATES
        if (found := watched.in_state(state))
    ]  # fmt: skip
    return _sheet("states", [column("state"), column("tasks", "0"), column("which")], rows)


def urge_sheet(watched: Monitoring, names: Names) -> Sheet:
    """List who is to be urged, what for and how loudly."""
    rows: list[list[Value]] = []
    for urging in watched.to_urge():
        stops = dict.fromkeys(stop_text(task) for task in urging.tasks)
        rows.append([
            who_text(urging.who, names), sentence(say(f"monitor.level.{urging.level}")),
            who_text(urging.superior, names), sentence("; ".join(stops)),
            urging.tasks[0].days_late, ", ".join(task.task for task in urging.tasks),
        ])  # fmt: skip
    return _sheet("urge", [
        column("urge"), column("level"), column("superior"), column("stop"),
        column("longest", "0", "monitor.unit.days"), column("which"),
    ], rows)  # fmt: skip


def _task_columns() -> list[SheetColumn]:
    return [SheetColumn(say(f"tasks.column.{name}"))
            for name in ("task", "work", "unit_in_charge")]  # fmt: skip


def _task_cells(task: Watched, names: Names) -> list[Value]:
    return [task.task, work(task.plan, names), names.agency(task.plan["unit_in_charge"])]


def _due() -> SheetColumn:
    return SheetColumn(say("tasks.column.due"), form="date")


def _done_on() -> SheetColumn:
    return SheetColumn(say("tasks.column.done_on"), form="date")


def _late_columns() -> list[SheetColumn]:
    return [
        *_task_columns(), _due(), column("days_late", "0", "monitor.unit.days"), column("stop"),
        column("urge"), column("level"), SheetColumn(say("tasks.column.remark")),
    ]  # fmt: skip


def _late_row(task: Watched, names: Names) -> list[Value]:
    return [
        *_task_cells(task, names), task.due, task.days_late, sentence(stop_text(task)),
        who_text(task.urged, names), sentence(say(f"monitor.level.{task.level}")),
        task.report.remark,
    ]  # fmt: skip


def _risk_columns() -> list[SheetColumn]:
    return [*_task_columns(), _due(), column("why"), SheetColumn(say("tasks.column.remark"))]


def _risk_row(task: Watched, names: Names) -> list[Value]:
    return [*_task_cells(task, names), task.due, reasons_text(task), task.report.remark]


def _totals(key: str, totals: Iterable[Total], name: NameOf) -> Sheet:
    columns = [
        column(key), column("tasks", "0"), column("done", "0"), column("late", "0"),
        column("at_risk", "0"), column("planned_money", "2", _MONEY),
        column("spent", "2", _MONEY),
    ]  # fmt: skip
    rows: list[list[Value]] = [
        [sentence(name(t.code)) if t.code else say("monitor.without"), t.planned, t.done, t.late,
         t.at_risk, t.cost_bn_vnd, t.spent_bn_vnd]
        for t in totals
    ]  # fmt: skip
    return _sheet(key, columns, rows)


def all_tasks(tasks: Sequence[Watched], names: Names) -> Sheet:
    """List every task with where it stands."""
    title = {name: SheetColumn(say(f"tasks.column.{name}")) for name in
             ("remark", "person", "unit")}  # fmt: skip
    columns = [
        *_task_columns(), column("state"), column("why"), _due(),
        _done_on(),
        column("days_late", "0", "monitor.unit.days"), column("planned", "2"),
        column("recorded", "2"), title["unit"], column("planned_money", "2", _MONEY),
        column("spent", "2", _MONEY), column("fund"), title["person"], title["remark"],
    ]  # fmt: skip
    return _sheet("all", columns, [_all_row(task, names) for task in tasks])


def _all_row(task: Watched, names: Names) -> list[Value]:
    why = reasons_text(task) or sentence(stop_text(task))
    return [
        *_task_cells(task, names), sentence(say(f"monitor.state.{task.state}")), why, task.due,
        task.report.done_on, task.days_late or None, task.quantity, task.done_quantity,
        unit_of(task.plan), float(task.plan["cost_bn_vnd"]), task.report.spent_bn_vnd,
        fund_name(task.plan["fund"]), task.report.person, task.report.remark,
    ]  # fmt: skip


def for_page(sheets: Sequence[Sheet], tasks: Sequence[Watched], names: Names) -> list[Sheet]:
    """Return the same tables with a list of all tasks that fits a page; it stands last."""
    columns = [
        *_task_columns(), column("state"), _due(), _done_on(), column("planned", "2"),
        column("recorded", "2"), column("spent", "2", _MONEY),
    ]  # fmt: skip
    rows: list[list[Value]] = [
        [*_task_cells(task, names), sentence(say(f"monitor.state.{task.state}")), task.due,
         task.report.done_on, task.quantity, task.done_quantity, task.report.spent_bn_vnd]
        for task in tasks
    ]  # fmt: skip
    return [*sheets[:-1], _sheet("all", columns, rows)]


def text_of(watched: Monitoring, names: Names) -> str:
    """Tell in short: how it stands, who to urge, what is at risk, money spent against plan."""
    urged = [_urge_lines(urging, names) for urging in watched.to_urge()]
    risk = [
        [say("monitor.text.risk", task=task.task, work=work(task.plan, names),
             why=reasons_text(task))]
        for task in watched.in_state("at_risk")
    ]  # fmt: skip
    whole = total_of("", watched.tasks)
    money = {"spent": whole.spent_bn_vnd, "planned": whole.cost_bn_vnd}
    lines = [*finding(watched), *_listed("urge", urged, _MOST_URGED)]
    lines += [*_listed("at_risk", risk, _MOST_AT_RISK), say("monitor.text.money", **money)]
    return "\n".join(_wrapped(line) for line in lines)


def _urge_lines(urging: Urging, names: Names) -> list[str]:
    """Say who is to be urged, how loudly, and for what."""
    above = who_text(urging.superior, names)
    key = urging.level if above or urging.level == "reminder" else "again"
    told = [
        "  " + say("monitor.text.late_task", task=task.task, work=work(task.plan, names),
                   n=task.days_late, stop=stop_text(task))
        for task in urging.tasks[:_MOST_TASKS]
    ]  # fmt: skip
    head = say(f"monitor.text.{key}", who=who_text(urging.who, names), above=above)
    return [head, *told, *_left(len(urging.tasks) - _MOST_TASKS)]


def _left(count: int) -> list[str]:
    return [f"  {say('monitor.text.more', n=count)}"] if count > 0 else []


def _listed(key: str, blocks: Sequence[Sequence[str]], most: int) -> list[str]:
    """Set blocks of lines below a title; without any, not even the title is told."""
    lines = [f"  {line}" for block in blocks[:most] for line in block]
    title = [say(f"monitor.text.{key}_title")] if lines else []
    return [*title, *lines, *_left(len(blocks) - most)]


def _wrapped(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(line, _WIDTH, subsequent_indent=f"{indent}    ", break_on_hyphens=False)


def value_text(value: Value, form: Form) -> str:
    """Write a cell as text, in the language being spoken."""
    if value is None:
        return ""
    if isinstance(value, date):
        return told_date(value)
    if isinstance(value, int | float):
        return number(float(value), form if form in ("0", "1", "2", "percent") else "short")
    return str(value)
