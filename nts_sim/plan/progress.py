"""Read back the list of tasks that a standing agency filled in, all of it checked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd

from nts_sim.errors import InvalidInput, Problem
from nts_sim.plan import filled_values as values
from nts_sim.plan.clarities import rows_of
from nts_sim.plan.dates import Milestones, milestones
from nts_sim.plan.filled_cells import Cell, Grid, read_grids
from nts_sim.plan.filled_values import NotReadable, is_blank
from nts_sim.plan.sheet import BY_ID, COLUMNS, column_of, folded
from nts_sim.tables.names import nearest
from nts_sim.words import say, speaking

HEADER_WITHIN: Final = 60
"""Rows among which the titles are looked for: remarks may stand above them."""
NEEDED: Final = ("task", "status", "done_on")
_HALF_A_CENT: Final = 0.0051
"""Quantities that differ by less are the same: some files show two decimals."""
T = TypeVar("T")


@dataclass(frozen=True)
class Filled:
    """A file that was filled in, its titles found; nothing else of it is checked yet.

    Attributes
    ----------
    name : of the file
    titles : column id → (position, title as written)
    rows : (number as the planner sees it, cells) below the titles
    day_first : its titles are Vietnamese, so that 03/04/2024 is 3 April
    width : cells of the row of titles
    twice : titles of columns that are there a second time
    """

    name: str
    titles: Mapping[str, tuple[int, str]]
    rows: Sequence[tuple[int, tuple[Cell, ...]]]
    day_first: bool
    width: int
    twice: tuple[str, ...]

    def cell(self, cells: Sequence[Cell], column: str) -> Cell:
        """Return what stands in a column; nothing where the file has no such column."""
        if column not in self.titles:
            return None
        index = self.titles[column][0]
        return cells[index] if index < len(cells) else None

    def where(self, row: int, column: str = "") -> str:
        """Name a cell as the planner sees it; rows are padded so that they sort by number."""
        digits = len(str(self.rows[-1][0])) if self.rows else 1
        padded = str(row).rjust(digits, "\N{FIGURE SPACE}")
        title = self.titles[column][1] if column in self.titles else column
        key = "monitor.wrong.cell" if title else "monitor.wrong.row"
        return say(key, row=padded, column=title)

    def runs(self) -> tuple[str, ...]:
        """Name the runs that its rows say they belong to."""
        found = (self.cell(cells, "run") for _, cells in self.rows)
        return tuple(dict.fromkeys(values.shown(run, 100) for run in found if not is_blank(run)))


@dataclass(frozen=True)
class TaskReport:
    """What the file says of one task; quantities in its unit, money in bn VND."""

    task: str
    status: str
    done_on: date | None = None
    done_quantity: float | None = None
    spent_bn_vnd: float | None = None
    person: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Progress:
    """What was reported of a plan.

    Attributes
    ----------
    reports : by task; tasks that are not in the file are missing
    as_of : the day for which it is looked at
    as_of_given : the planner said so; else it is the latest date in the file
    blank : tasks in the file without a status
    """

    reports: Mapping[str, TaskReport]
    as_of: date
    as_of_given: bool
    blank: int


def wrong(problems: Sequence[Problem]) -> InvalidInput:
    """Return the error that lists what is wrong with the file."""
    return InvalidInput(problems, say("monitor.wrong.subject"))


# --- titles ------------------------------------------------------------------------------------


def open_filled(path: Path) -> Filled:
    """Open a file and find its titles.

    Raises
    ------
    InvalidInput
        Where it cannot be opened, or has no list of tasks.
    """
    found = [filled for grid in read_grids(path) for filled in _headed(path.name, grid)]
    if not found:
        named = [say(BY_ID[column].title_key) for column in NEEDED]
        what = say("monitor.wrong.file.no_titles", titles=", ".join(named), within=HEADER_WITHIN)
        raise wrong([Problem(path.name, what)])
    best = max(found, key=lambda filled: len(filled.titles))
    missing = [column for column in NEEDED if column not in best.titles]
    problems = [
        Problem(path.name, say("monitor.wrong.file.no_column", title=say(BY_ID[c].title_key)))
        for c in missing
    ]
    problems += [
        Problem(path.name, say("monitor.wrong.file.column_twice", title=title))
        for title in best.twice
    ]
    if problems:
        raise wrong(problems)
    return best


def _headed(name: str, grid: Grid) -> Iterator[Filled]:
    """Find rows that can be the titles: they name the task and one column to fill at least."""
    for index, (_, cells) in enumerate(grid.rows[:HEADER_WITHIN]):
        titles: dict[str, tuple[int, str]] = {}
        twice: list[str] = []
        for position, cell in enumerate(cells):
            column = column_of(cell) if isinstance(cell, str) else None
            if column is not None and column.id in titles:
                twice.append(" ".join(str(cell).split()))
            elif column is not None:
                titles[column.id] = position, " ".join(str(cell).split())
        if "task" in titles and any(BY_ID[column].to_fill for column in titles):
            rows = [row for row in grid.rows[index + 1 :] if not all(map(is_blank, row[1]))]
            if grid.is_workbook and rows and is_blank(_at(rows[0][1], titles["task"][0])):
                rows = rows[1:]  # the units of the columns
            day_first = _is_vietnamese([title for _, title in titles.values()])
            yield Filled(name, titles, rows, day_first, len(cells), tuple(twice))


def _at(cells: Sequence[Cell], index: int) -> Cell:
    return cells[index] if index < len(cells) else None


def _is_vietnamese(titles: Sequence[str]) -> bool:
    with speaking("vi"):
        known = {folded(text) for c in COLUMNS for text in (say(c.title_key), c.heading())}
    vietnamese = sum(folded(title) in known for title in titles)
    return 2 * vietnamese > len(titles)


# --- rows --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """The stored tasks that a file is checked against: of one policy in one scenario.

    Attributes
    ----------
    tasks : table `tasks`, one row a task
    """

    tasks: pd.DataFrame

    @cached_property
    def by_task(self) -> Mapping[str, Mapping[str, Any]]:
        """Rows by task."""
        return {str(row["task"]): row for row in rows_of(self.tasks)}

    @cached_property
    def dates(self) -> Mapping[str, Milestones]:
        """Dates by task."""
        return {task: milestones(row) for task, row in self.by_task.items()}


def read_progress(filled: Filled, plan: Plan, as_of: date | None) -> Progress:
    """Check every row and return what was reported.

    Parameters
    ----------
    as_of : None: the latest date in the file

    Raises
    ------
    InvalidInput
        With every problem, by row and column.
    """
    problems: list[Problem] = []
    reports: dict[str, TaskReport] = {}
    rows: dict[str, int] = {}
    blank = 0
    for row, cells in filled.rows:
        problems += _shape_problems(filled, row, cells)
        task = _task_in(filled, plan, row, cells, rows, problems)
        if task is None:
            continue
        rows[task] = row
        report = _report_in(filled, row, cells, task, problems)
        blank += is_blank(filled.cell(cells, "status"))
        problems += _contradictions(filled, plan, row, cells, report)
        problems += _changed(filled, plan, row, cells, task)
        reports[task] = report
    day = as_of or max((r.done_on for r in reports.values() if r.done_on), default=None)
    problems += [
        Problem(filled.where(rows[r.task], "done_on"),
                say("monitor.wrong.future", given=r.done_on, as_of=day))
        for r in reports.values() if day and r.done_on and r.done_on > day
    ]  # fmt: skip
    if day is None and not problems:
        problems.append(Problem("as_of", say("monitor.wrong.as_of_needed")))
    if problems:
        raise wrong(problems)
    assert day is not None
    return Progress(reports, day, as_of is not None, blank)


def _shape_problems(filled: Filled, row: int, cells: Sequence[Cell]) -> Iterator[Problem]:
    if any(not is_blank(cell) for cell in cells[filled.width :]):
        what = say("monitor.wrong.too_many_cells", n=len(cells), titles=filled.width)
        yield Problem(filled.where(row), what)


def _task_in(
    filled: Filled, plan: Plan, row: int, cells: Sequence[Cell], known: Mapping[str, int],
    problems: list[Problem],
) -> str | None:  # fmt: skip
    """Return the task of a row, or note why it is none."""
    given = filled.cell(cells, "task")
    task = values.read_text(given if isinstance(given, str | int) else None).upper()
    where = filled.where(row, "task")
    if not task:
        problems.append(Problem(where, say("monitor.wrong.no_task")))
    elif task not in plan.by_task:
        near = nearest(task, plan.by_task)
        key = "monitor.wrong.task_near" if near else "monitor.wrong.task"
        last = max(plan.by_task, default="")
        problems.append(Problem(where, say(key, given=values.shown(task), near=near, last=last)))
    elif task in known:
        problems.append(Problem(where, say("monitor.wrong.twice", task=task, row=known[task])))
    else:
        return task
    return None


def _report_in(
    filled: Filled, row: int, cells: Sequence[Cell], task: str, problems: list[Problem]
) -> TaskReport:
    def read(column: str, reader: Callable[[Cell], T], otherwise: T) -> T:
        try:
            return reader(filled.cell(cells, column))
        except NotReadable as error:
            problems.append(Problem(filled.where(row, column), str(error)))
            return otherwise

    def read_date(cell: Cell) -> date | None:
        return values.read_date(cell, day_first=filled.day_first)

    return TaskReport(
        task, read("status", values.read_status, ""), read("done_on", read_date, None),
        read("done_quantity", values.read_number, None),
        read("spent_bn_vnd", values.read_number, None),
        read("person", values.read_text, ""), read("remark", values.read_text, ""),
    )  # fmt: skip


def _contradictions(
    filled: Filled, plan: Plan, row: int, cells: Sequence[Cell], report: TaskReport
) -> Iterator[Problem]:
    """Find what cannot be true together."""

    def problem(column: str, why: str, **others: object) -> Problem:
        return Problem(filled.where(row, column), say(f"monitor.wrong.{why}", **others))

    planned = float(plan.by_task[report.task]["quantity"])
    start, quantity = plan.dates[report.task].start, report.done_quantity
    if report.status == "done" and is_blank(filled.cell(cells, "done_on")):
        yield problem("done_on", "done_without_date")
    if report.done_on and report.status not in ("done", ""):
        yield problem("done_on", "date_not_done", status=say(f"tasks.status.{report.status}"))
    if report.done_on and report.done_on < start:
        yield problem("done_on", "before_start", given=report.done_on, start=start)
    if quantity is not None and quantity > planned + _HALF_A_CENT:
        yield problem("done_quantity", "above_plan", given=quantity, planned=planned)
    if quantity == 0.0 and planned > 0.0 and report.status == "done":
        yield problem("done_quantity", "done_nothing")
    if quantity and report.status == "not_started":
        yield problem("done_quantity", "quantity_not_started")


def _changed(
    filled: Filled, plan: Plan, row: int, cells: Sequence[Cell], task: str
) -> Iterator[Problem]:
    """Find columns of the plan itself that are not what was planned."""
    planned = float(plan.by_task[task]["quantity"])
    given = filled.cell(cells, "quantity")
    if not is_blank(given) and not _is_number(given, planned):
        what = say("monitor.wrong.changed", given=values.shown(given), planned=f"{planned:g}")
        yield Problem(filled.where(row, "quantity"), what)
    dates = plan.dates[task]
    for column, day in (("start", dates.start), ("due", dates.due)):
        given = filled.cell(cells, column)
        if not is_blank(given) and not values.may_be_date(given, day):
            what = say("monitor.wrong.changed", given=values.shown(given), planned=day)
            yield Problem(filled.where(row, column), what)


def _is_number(given: Cell, planned: float) -> bool:
    """Whether a cell is a number, read in any way it can be."""
    if isinstance(given, int | float):
        return abs(given - planned) <= max(_HALF_A_CENT, 1e-6 * abs(planned))
    text = str(given)
    grouped = (text.replace(".", "").replace(",", "."), text.replace(",", ""))
    return any(_is_number(number, planned) for number in map(_float, grouped) if number is not None)


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
