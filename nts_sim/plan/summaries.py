"""Summaries of a plan: what was planned, what the simulation expected, and what was recorded.

By quarter, as of a day (preliminary) or when all is over (final). The forecast is the simulated
course kept with the plan: what was to be in place by the day. The record is the file that a
standing agency filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from nts_sim.plan.clarities import fund_name
from nts_sim.plan.dates import told_date
from nts_sim.plan.monitor_sheets import all_tasks, column, urge_sheet
from nts_sim.plan.monitoring import Monitoring, Watched
from nts_sim.plan.names import Names
from nts_sim.plan.targets import TargetLine, amount_text, target_lines, target_sentences
from nts_sim.sheets import Sheet, SheetColumn, Value
from nts_sim.words import name_of, say, sentence

KINDS: Final = ("quarter", "preliminary", "final")
_MONEY: Final = "tasks.unit_of.money"
_NOTED_SHARE: Final = 0.1
"""A shortfall of what was planned by the day is told in words above this share."""
_MOST_LINES: Final = 8
_OUTCOMES: Final = (
    "total_burden_bn_vnd", "harm_bn_vnd", "cost_bn_vnd", "affected_person_days", "served_share",
    "served_share_worst",
)  # fmt: skip


@dataclass(frozen=True)
class Record:
    """A plan with what became of it, and its other tables.

    Attributes
    ----------
    watched : tasks as of the day
    frames : result tables of the run
    """

    watched: Monitoring
    frames: Mapping[str, pd.DataFrame]
    names: Names

    @property
    def tasks(self) -> tuple[Watched, ...]:
        """All tasks."""
        return self.watched.tasks

    @property
    def as_of(self) -> date:
        """The day."""
        return self.watched.as_of

    @property
    def open(self) -> tuple[Watched, ...]:
        """Tasks that are not over."""
        return tuple(task for task in self.tasks if task.is_open)

    @property
    def scenario(self) -> str:
        """Scenario of the plan."""
        return str(self.frames["tasks"]["scenario"].iloc[0])

    @property
    def policy(self) -> str:
        """Policy of the plan."""
        return str(self.frames["tasks"]["policy"].iloc[0])


def summary_title(kind: str, record: Record) -> str:
    """Name the summary."""
    day = told_date(record.as_of)
    unfinished = kind == "final" and record.open
    return say(f"monitor.summary.title.{'final_unfinished' if unfinished else kind}", day=day)


def summary_finding(kind: str, record: Record) -> tuple[list[str], str]:
    """Tell the summary in sentences, and what keeps it from being final."""
    due = [t for t in record.tasks if _due_by(t, record.as_of) and t.state != "cancelled"]
    done = [task for task in due if task.state in ("done", "part_done")]
    told = [
        say("monitor.summary.finding.tasks", n=len(due), done=len(done),
            late=len(record.watched.in_state("late"))),
        _money_sentence(record),
        *target_sentences(line for line in _targets(record) if line.policy == _judged_one(record)),
    ]  # fmt: skip
    warning = ""
    if kind == "final" and record.open:
        warning = say("monitor.summary.unfinished", n=len(record.open))
    return told, warning


def _money_sentence(record: Record) -> str:
    planned = _sum(record.tasks, lambda task: _cost(task) if _due_by(task, record.as_of) else 0.0)
    spent = _sum(record.tasks, lambda task: task.spent_bn_vnd)
    return say("monitor.summary.finding.money", spent=spent, planned=planned)


def summary_sheets(kind: str, record: Record) -> list[Sheet]:
    """Make the tables of a summary."""
    periods = _quarters(record) if kind == "quarter" else [_whole(record)]
    return [
        _corrections(record),
        _tasks_sheet(periods, record),
        *([_sheet("late", *_late(record))] if record.watched.in_state("late") else []),
        _resources(periods, record),
        _money("funds", "fund", _fund, periods, record),
        _money("mechanisms", "mechanisms", lambda t: _mechanism(t, record), periods, record),
        *(sheet for sheet in (_outcomes(record), _target_sheet(record)) if sheet.rows),
        all_tasks(record.tasks, record.names),
    ]  # fmt: skip


def _sheet(
    key: str, columns: Sequence[SheetColumn], rows: Sequence[Sequence[Value]], note: str = ""
) -> Sheet:
    return Sheet(say(f"monitor.summary.sheet.{key}"), columns, rows, [note] if note else ())


# --- tasks by time -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """From a day to before another, with its name."""

    name: str
    first: date
    after: date

    def has(self, day: date | None) -> bool:
        """Whether a day is in it."""
        return day is not None and self.first <= day < self.after


def quarters(first: date, last: date) -> list[Period]:
    """List the calendar quarters from that of one day to that of another."""
    found, year, quarter = [], first.year, (first.month - 1) // 3
    while (begin := date(year, 3 * quarter + 1, 1)) <= last:
        year, quarter = (year + 1, 0) if quarter == 3 else (year, quarter + 1)
        end = date(year, 3 * quarter + 1, 1)
        name = say("monitor.summary.quarter", quarter=(begin.month + 2) // 3, year=str(begin.year))
        found.append(Period(name, begin, end))
    return found


def _quarters(record: Record) -> list[Period]:
    days = [day for task in record.tasks for day in (task.start, task.due)]
    return quarters(min(days), max(*days, record.as_of))


def _whole(record: Record) -> Period:
    days = [day for task in record.tasks for day in (task.start, task.due)]
    last = max(*days, record.as_of) + timedelta(days=1)
    return Period(say("monitor.summary.whole"), min(days), last)


def _tasks_sheet(periods: Sequence[Period], record: Record) -> Sheet:
    columns = [
        column("period"), column("planned_tasks", "0"), column("forecast_tasks", "0"),
        column("done", "0"), column("done_late", "0"), column("late", "0"),
        column("not_over", "0"), column("cancelled", "0"), column("planned_money", "2", _MONEY),
        column("spent_on_these", "2", _MONEY),
    ]  # fmt: skip
    note = say("monitor.summary.note.periods")
    return _sheet("tasks", columns, [_period_row(p, record) for p in periods], note)


def _period_row(period: Period, record: Record) -> list[Value]:
    mine = [task for task in record.tasks if period.has(task.due)]
    done = [task for task in mine if task.state in ("done", "part_done")]
    late = sum(task.state == "late" for task in mine)
    return [
        period.name, len(mine), sum(period.has(task.forecast) for task in record.tasks),
        len(done), sum(task.days_late > 0 for task in done), late,
        sum(task.is_open for task in mine) - late,
        sum(task.state == "cancelled" for task in mine), _sum(mine, _cost),
        _sum(mine, lambda task: task.spent_bn_vnd),
    ]  # fmt: skip


def _late(record: Record) -> tuple[Sequence[SheetColumn], Sequence[Sequence[Value]]]:
    sheet = urge_sheet(record.watched, record.names)
    return sheet.columns, sheet.rows


# --- plan, forecast, record ----------------------------------------------------------------------


@dataclass(frozen=True)
class Course:
    """One quantity, or cost, over the tasks it belongs to.

    Attributes
    ----------
    whole : of the whole plan
    planned, forecast, recorded : by the day, as planned, as simulated and by the record
    """

    name: str
    whole: float
    planned: float
    forecast: float
    recorded: float

    @property
    def short(self) -> float:
        """Recorded less planned by the day."""
        return self.recorded - self.planned


def courses(
    tasks: Iterable[Watched], as_of: date, name: Callable[[Watched], str],
    planned: Callable[[Watched], float], recorded: Callable[[Watched], float],
) -> list[Course]:  # fmt: skip
    """Add up tasks by name, the largest first; cancelled tasks stay planned."""
    groups: dict[str, list[Watched]] = {}
    for task in tasks:
        groups.setdefault(name(task), []).append(task)
    made = [
        Course(
            who, _sum(group, planned),
            _sum([task for task in group if _due_by(task, as_of)], planned),
            _sum([task for task in group if task.forecast and task.forecast <= as_of], planned),
            _sum(group, recorded),
        )
        for who, group in groups.items()
    ]  # fmt: skip
    return sorted(made, key=lambda course: (-course.whole, course.name))


def _due_by(task: Watched, as_of: date) -> bool:
    return task.due <= as_of


def _cost(task: Watched) -> float:
    return float(task.plan["cost_bn_vnd"])


def _sum(tasks: Iterable[Watched], value: Callable[[Watched], float]) -> float:
    return float(sum(value(task) for task in tasks))


Adding = Callable[[Iterable[Watched], date], list[Course]]
"""Adds up tasks as of a day."""


def _by_resource(tasks: Iterable[Watched], as_of: date) -> list[Course]:
    return courses(
        [task for task in tasks if task.plan["unit"] == "units"], as_of,
        lambda task: name_of("resource", task.plan["resource"]),
        lambda task: task.quantity, lambda task: task.done_quantity,
    )  # fmt: skip


def _money_by(name: Callable[[Watched], str]) -> Adding:
    def add(tasks: Iterable[Watched], as_of: date) -> list[Course]:
        paid = [task for task in tasks if _cost(task) > 0.0 or task.spent_bn_vnd > 0.0]
        return courses(paid, as_of, name, _cost, lambda task: task.spent_bn_vnd)

    return add


def _fund(task: Watched) -> str:
    return fund_name(task.plan["fund"])


def _course_sheet(
    key: str, first: SheetColumn, numbers: Sequence[SheetColumn], add: Adding,
    periods: Sequence[Period], record: Record,
) -> Sheet:  # fmt: skip
    """Show plan, forecast and record of the tasks due in each period."""
    rows: list[list[Value]] = [
        [period.name, sentence(course.name), course.whole, course.planned, course.forecast,
         course.recorded, course.short]
        for period in periods
        for course in add([t for t in record.tasks if period.has(t.due)], record.as_of)
    ]  # fmt: skip
    columns = [column("period"), first, *numbers]
    skipped = 0 if len(periods) > 1 else 1
    note = say("monitor.summary.note.by_day", day=told_date(record.as_of))
    return _sheet(key, columns[skipped:], [row[skipped:] for row in rows], note)


def _resources(periods: Sequence[Period], record: Record) -> Sheet:
    numbers = [column(name, "0") for name in _numbers("recorded", periods)]
    return _course_sheet(
        "resources", column("resource"), numbers, _by_resource, periods, record
    )  # fmt: skip


def _money(
    key: str, title: str, name: Callable[[Watched], str], periods: Sequence[Period],
    record: Record,
) -> Sheet:  # fmt: skip
    numbers = [column(number, "2", _MONEY) for number in _numbers("spent", periods)]
    return _course_sheet(key, column(title), numbers, _money_by(name), periods, record)


def _numbers(recorded: str, periods: Sequence[Period]) -> tuple[str, ...]:
    whole = "whole_plan" if len(periods) == 1 else "whole_quarter"
    return whole, "planned_by", "forecast_by", recorded, "difference"


def _mechanism(task: Watched, record: Record) -> str:
    code = str(task.plan["mechanism"])
    return record.names.mechanism(code) if code else say("monitor.without")


# --- outcomes and targets ------------------------------------------------------------------------


def _outcomes(record: Record) -> Sheet:
    columns = [column("outcome"), column("mean"), column("low"), column("high"),
               column("runs", "0")]  # fmt: skip
    rows = list(_summarised(record)) or list(_judged(record))
    note = say("monitor.summary.note.outcomes")
    return _sheet("outcomes", columns, rows, note)


def _summarised(record: Record) -> Iterator[list[Value]]:
    summary = record.frames.get("summary")
    if summary is None:
        return
    mine = summary[
        (summary["scenario"] == record.scenario) & (summary["policy"] == record.policy)
        & (summary["key"] == "all") & summary["metric"].isin(_OUTCOMES)
    ]  # fmt: skip
    for row in mine.to_dict("records"):
        unit = str(row["unit"])
        low_mean_high = (amount_text(float(row[name]), unit) for name in ("mean", "low", "high"))
        yield [sentence(name_of("metric", row["metric"])), *low_mean_high, int(row["n"])]


def _judged(record: Record) -> Iterator[list[Value]]:
    """Tell what a plan came to on draws it never saw."""
    table = record.frames.get("plan_value")
    if table is None or table.empty:
        return
    value: Mapping[str, Any] = dict(zip(table["measure"], table["value"], strict=True))
    if "simulated" not in value:
        return
    mean, half = float(value["simulated"]), float(value["simulated_half_width"])
    ends = [amount_text(number_, "bn VND") for number_ in (mean, mean - half, mean + half)]
    name = sentence(name_of("metric", "total_burden_bn_vnd"))
    yield [name, *ends, int(value["evaluation_draws"])]


def _targets(record: Record) -> list[TargetLine]:
    if "targets" not in record.frames or record.frames["targets"].empty:
        return []
    table = record.frames["targets"]
    scenario = record.scenario
    if scenario not in set(table["scenario"]):
        scenario = str(table["scenario"].iloc[-1])
    policies = [record.policy, *table["policy"].unique()]
    return target_lines(record.frames, scenario, policies)


def _judged_one(record: Record) -> str:
    """Name the policy whose targets count: that of the tasks, else the first that was judged."""
    table = record.frames["targets"]
    told = list(table["policy"].unique())
    return record.policy if record.policy in told else str(told[-1])


def _target_sheet(record: Record) -> Sheet:
    shares = [column(name, "percent") for name in ("chance", "low", "high")]
    columns = [*(column(name) for name in ("target", "policy", "goal", "mean")), *shares]
    rows: list[list[Value]] = [
        [sentence(line.asked), sentence(name_of("policy", line.policy)), line.goal, line.mean,
         line.probability, line.low, line.high]
        for line in _targets(record)
    ]  # fmt: skip
    return _sheet("targets", columns, rows, say("monitor.summary.note.targets"))


# --- what to correct ---------------------------------------------------------------------------


def _corrections(record: Record) -> Sheet:
    rows: list[list[Value]] = [[sentence(text)] for text in corrections(record)]
    if not rows:
        rows = [[say("monitor.summary.correct.nothing")]]
    return _sheet("correct", [column("correct")], rows)


def corrections(record: Record) -> list[str]:
    """Say in words what differs from the plan by the day, and what to do about it."""
    told = [
        say("monitor.summary.correct.resource", name=course.name, planned=course.planned,
            recorded=course.recorded, short=-course.short)
        for course in _noted(_by_resource(record.tasks, record.as_of))
    ]  # fmt: skip
    by_fund = _money_by(_fund)(record.tasks, record.as_of)
    told += [
        say("monitor.summary.correct.over", name=course.name, planned=course.planned,
            spent=course.recorded)
        for course in by_fund
        if course.recorded > course.whole * (1.0 + 1e-9) + 1e-9
    ]  # fmt: skip
    told += list(_plan_itself(record))
    return told


def _noted(found: Iterable[Course]) -> list[Course]:
    short = [c for c in found if -c.short > _NOTED_SHARE * c.planned and c.planned > 0.0]
    return sorted(short, key=lambda course: course.short / course.planned)[:_MOST_LINES]


def _plan_itself(record: Record) -> Iterator[str]:
    """Tell what the plan should change, whoever carries it out."""
    stops = {"approval": 0, "handover": 0, "travel": 0, "task": 0}
    for task in record.watched.in_state("late"):
        if task.stop:
            stops[task.stop] += 1
    for stop, count in stops.items():
        if count:
            yield say(f"monitor.summary.correct.stop_{stop}", n=count)
    slow = [t for t in record.open if t.forecast is not None and t.forecast > t.due]
    if slow:
        yield say("monitor.summary.correct.forecast", n=len(slow), tasks=_ids(slow))
    part = record.watched.in_state("part_done")
    if part:
        yield say("monitor.summary.correct.part", n=len(part), tasks=_ids(part))
    unspent = [t for t in record.watched.in_state("done") if t.report.spent_bn_vnd is None
               and _cost(t) > 0.0]  # fmt: skip
    if unspent:
        yield say("monitor.summary.correct.unreported", n=len(unspent), tasks=_ids(unspent))


def _ids(tasks: Sequence[Watched]) -> str:
    return ", ".join(task.task for task in tasks[:_MOST_LINES]) + (
        " …" if len(tasks) > _MOST_LINES else ""
    )
