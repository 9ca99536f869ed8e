"""The plan as a calendar that any calendar program opens: iCalendar, RFC 5545.

One event a task, from its start until it is due. Its UID is made of the run and the task, so that a
calendar that is imported again is brought up to date instead of doubled.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd

from nts_sim.plan.clarities import Row, rows_of, task_line
from nts_sim.plan.dates import moment
from nts_sim.plan.names import Names
from nts_sim.words import say

_OCTETS = 75
"""Longest line, RFC 5545, 3.1."""


def calendar(tasks: pd.DataFrame, names: Names, run_id: str) -> bytes:
    """Write tasks as an iCalendar file in UTF-8.

    Parameters
    ----------
    tasks : table `tasks`
    names : in the language being spoken
    run_id : makes the UID of each event
    """
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//nts_sim//plan//EN", "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH", f"X-WR-CALNAME:{escaped(run_id)}", "X-WR-TIMEZONE:Asia/Ho_Chi_Minh",
    ]  # fmt: skip
    for row in rows_of(tasks):
        lines += _event(row, names, run_id)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines).encode()


def _event(task: Row, names: Names, run_id: str) -> Iterator[str]:
    start = moment(task["day_zero"], task["start_day"])
    due = moment(task["day_zero"], task["due_day"])
    line = task_line(task, names)
    is_firm = task["legal_basis_checked"] != "not checked"
    yield "BEGIN:VEVENT"
    yield f"UID:{escaped(f'{run_id}-{line.task}@nts-sim')}"
    yield f"DTSTAMP:{_utc(moment(task['day_zero'], 0.0))}"
    yield f"DTSTART:{_utc(start)}"
    if due > start:
        yield f"DTEND:{_utc(due)}"
    yield f"SUMMARY:{escaped(f'{line.task} {line.work}')}"
    yield f"DESCRIPTION:{escaped(_description(line))}"
    if task["place"]:
        yield f"LOCATION:{escaped(names.place(task['place']))}"
    yield f"CATEGORIES:{escaped(names.agency(task['unit_in_charge']))}"
    yield f"STATUS:{'CONFIRMED' if is_firm else 'TENTATIVE'}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _description(line: tuple[str, ...]) -> str:
    """Tell the Six Clarities, a line each, below their names."""
    clarities = ("people", "work", "progress", "authority", "responsibility", "result")
    return "\n".join(
        f"{say(f'tasks.clarity.{name}')}: {text}"
        for name, text in zip(clarities, line[1:], strict=True)
    )


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """Escape a text value, RFC 5545, 3.3.11; what cannot be shown is left out."""
    for sign, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(sign, written)
    return "".join(sign for sign in text.replace("\N{NO-BREAK SPACE}", " ") if sign.isprintable())


def folded(line: str) -> str:
    """Break a line into parts of at most 75 octets, never inside a letter, RFC 5545, 3.1."""
    parts, size = [""], 0
    for sign in line:
        width = len(sign.encode())
        if size + width > _OCTETS:
            parts.append("")
            size = 1  # the space that marks what goes on
        parts[-1] += sign
        size += width
    return "\r\n ".join(parts)
