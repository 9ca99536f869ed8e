"""The Six Clarities of a task, in the language being spoken (6 rõ).

Who does it, what the work is, when it is done, who may decide, who answers for it, and by what
result one sees that it is done.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import pandas as pd

from nts_sim.plan.dates import told_by
from nts_sim.plan.names import Names
from nts_sim.words import is_known, name_of, number, say, sentence

Row = Mapping[str, Any]
_UNITS: Final = {
    "bn VND": "tasks.unit.bn_VND", "level": "tasks.unit.level", "share": "tasks.unit.share",
    "units": "tasks.unit.units",
}  # fmt: skip


class TaskLine(NamedTuple):
    """A task as a planner reads it: its number and six texts."""

    task: str
    people: str
    work: str
    progress: str
    authority: str
    responsibility: str
    result: str


def task_line(task: Row, names: Names) -> TaskLine:
    """Tell a row of table `tasks`."""
    return TaskLine(
        task=str(task["task"]),
        people=say("tasks.people", role=role(task), unit=names.agency(task["unit_in_charge"])),
        work=work(task, names),
        progress=_progress(task),
        authority=_authority(task, names),
        responsibility=say(
            "tasks.responsibility", answers=names.agency(task["answers"]),
            supports=names.agencies(task["supports"]),
        ),
        result=result(task, names),
    )  # fmt: skip


def rows_of(tasks: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Return the rows of a table by column name."""
    for row in tasks.to_dict("records"):
        yield {str(name): value for name, value in row.items()}


def role(task: Row) -> str:
    """Name the role of who is in charge."""
    return name_of("role", task["role"])


def work(task: Row, names: Names) -> str:
    """Say what is to be done: what, how much, from where to where."""
    kind = str(task["kind"])
    moved = task["source"] and task["source"] != task["place"]
    key = "tasks.work.mobilise_from" if kind == "mobilise" and moved else f"tasks.work.{kind}"
    return sentence(say(key, **_values(task, names)))


def result(task: Row, names: Names) -> str:
    """Say by what one sees that it is done, and by when."""
    values = _values(task, names)
    values["by"] = told_by(task["day_zero"], task["due_day"], task["start_day"])
    told = sentence(say(f"tasks.result.{task['kind']}", **values))
    short = task["to_come"] < task["quantity"] - 1e-6
    return f"{told} {say('tasks.result.part', **values)}" if short else told


def legal_basis(task: Row, names: Names) -> str:
    """Name the law it rests on; whoever moves its own units home needs none."""
    if not task["legal_basis_checked"]:
        return say("tasks.no_basis")
    return names.legal_basis(task["mechanism"], task["kind"])


def badge(task: Row) -> str:
    """Say whether the legal basis was checked; a task on one that was not is not approvable."""
    checked = {"checked": "tasks.badge.checked", "not checked": "tasks.badge.not_checked"}
    return say(checked.get(task["legal_basis_checked"], "tasks.badge.none"))


def amount(value: float) -> str:
    """Write a quantity: whole units as such, others to two decimals."""
    return number(value, "0" if value == int(value) else "2")


def unit_of(task: Row) -> str:
    """Name the unit of a task's quantity: the resource where units are counted."""
    if task["unit"] == "units" and task["resource"]:
        return name_of("resource", task["resource"])
    return say(_UNITS.get(task["unit"], "tasks.unit.done"))


def fund_name(fund: str) -> str:
    """Name who pays."""
    if not fund:
        return say("tasks.no_charge")
    return name_of("fund", fund) if is_known(f"name.fund.{fund}") else say("tasks.preparation")


def _values(task: Row, names: Names) -> dict[str, object]:
    return {
        "amount": amount(task["quantity"]),
        "comes": amount(task["to_come"]),
        "share": number(task["quantity"], "percent"),
        "thing": unit_of(task),
        "place": names.place(task["place"]),
        "source": names.place(task["source"]),
        "mechanism": names.mechanism(task["mechanism"]),
        "fund": fund_name(task["fund"]),
    }


def _progress(task: Row) -> str:
    zero, start = task["day_zero"], task["start_day"]
    days = {name: told_by(zero, task[f"{name}_day"], start)
            for name in ("start", "approved", "handover", "due")}  # fmt: skip
    told = [say("tasks.progress", **days)]
    if task["after"]:
        told.append(say("tasks.waits", tasks=task["after"].replace(" ", ", ")))
    if math.isnan(task["forecast_day"]):
        told.append(say("tasks.not_in_time"))
    elif task["forecast_day"] > task["due_day"] + 1e-6:
        told.append(say("tasks.forecast_late", by=told_by(zero, task["forecast_day"], start)))
    return " ".join(told)


def _authority(task: Row, names: Names) -> str:
    if task["desk"]:
        limit = task["delegation_bn_vnd"]
        key = "tasks.authority.any" if math.isnan(limit) else "tasks.authority.up_to"
        told = say(key, desk=names.desk(task["desk"], task["desk_place"]), limit=limit)
    else:
        told = say("tasks.authority.nobody")
    return " ".join([told, say("tasks.basis", basis=legal_basis(task, names)), badge(task)])
