"""What became of a plan as of a day: done, late, at risk, who to urge and where it hangs.

The same record and the same day give the same answer; nothing here depends on today's date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from math import isnan
from typing import Any, Final, Literal, NamedTuple

from nts_sim.plan.dates import date_by
from nts_sim.plan.progress import Plan, Progress, TaskReport

State = Literal[
    "done", "part_done", "cancelled", "late", "at_risk", "under_way", "not_due"
]  # fmt: skip
Stop = Literal["approval", "handover", "travel", "task", ""]
Level = Literal["", "reminder", "escalation"]

REVIEW_EVERY_DAYS: Final = 7
BEHIND_MARGIN: Final = 0.25
"""A task is at risk where the share of its time that is used is above the share done by this."""
STATES: Final[tuple[State, ...]] = (
    "late", "at_risk", "under_way", "not_due", "part_done", "done", "cancelled",
)  # fmt: skip
"""In the order in which they are told."""


class Who(NamedTuple):
    """An agency, or a desk with the province it is of; a national desk has no place."""

    code: str
    place: str
    is_desk: bool


@dataclass(frozen=True)
class Reason:
    """Why a task is at risk: a text of the catalogue, and the days and others it tells."""

    key: str
    days: Mapping[str, date] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Watched:
    """One task as of the day.

    Attributes
    ----------
    task, plan, report : its id, its row of the table `tasks`, and what was reported
    start, due : dates
    forecast : date on which it is in place in the simulated course; None: not in it
    days_late : past its due date: until the day where it is open, until it was done else
    done_share : of its quantity
    reasons : of being at risk
    stop : where it hangs: approval, handover, travel, or another task
    waits_for : that task
    urged : the desk or agency to urge
    level : reminder after one review, escalation after two
    superior : to whom it is escalated
    """

    task: str
    plan: Mapping[str, Any]
    report: TaskReport
    start: date
    due: date
    forecast: date | None
    state: State
    days_late: int
    done_share: float
    reasons: tuple[Reason, ...] = ()
    stop: Stop = ""
    waits_for: str = ""
    urged: Who | None = None
    level: Level = ""
    superior: Who | None = None

    @property
    def is_open(self) -> bool:
        """Whether something remains to be done."""
        return self.state in ("late", "at_risk", "under_way", "not_due")

    @property
    def quantity(self) -> float:
        """Quantity that is to come."""
        return float(self.plan["to_come"])

    @property
    def done_quantity(self) -> float:
        """Quantity done; of a task reported as done without one, all of it."""
        given = self.report.done_quantity
        if given is not None:
            return given
        return self.quantity if self.report.status == "done" else 0.0

    @property
    def spent_bn_vnd(self) -> float:
        """Money reported as spent, bn VND."""
        return self.report.spent_bn_vnd or 0.0


@dataclass(frozen=True)
class Urging:
    """Late tasks of which somebody is reminded, or which are escalated; the latest first."""

    level: Level
    who: Who
    superior: Who | None
    tasks: tuple[Watched, ...]


@dataclass(frozen=True)
class Superiors:
    """Who is above whom.

    Attributes
    ----------
    agencies : agency → agency it reports to; of provincial ones by their kind, as ``police``
    desks : desk → desk above it
    national : desks of the nation
    """

    agencies: Mapping[str, str]
    desks: Mapping[str, str]
    national: frozenset[str]

    def of(self, who: Who) -> Who | None:
        """Who is above somebody; None: nobody."""
        if not who.is_desk:
            above = self.agencies.get(who.code.rpartition(".")[2], "")
            return Who(above, "", False) if above else None
        above = self.desks.get(who.code, "")
        place = "" if above in self.national else who.place
        return Who(above, place, True) if above else None


@dataclass(frozen=True)
class Monitoring:
    """All tasks of a plan as of a day, in the order of the plan.

    Attributes
    ----------
    tasks : as of the day
    as_of : the day
    reviews : days of review up to it, the latest first
    """

    tasks: tuple[Watched, ...]
    as_of: date
    as_of_given: bool
    reviews: tuple[date, ...]

    def in_state(self, *states: State) -> tuple[Watched, ...]:
        """Tasks in some states."""
        return tuple(task for task in self.tasks if task.state in states)

    @cached_property
    def late_done(self) -> tuple[Watched, ...]:
        """Tasks that were done after their due date."""
        done = self.in_state("done", "part_done")
        return tuple(task for task in done if task.days_late > 0)

    def to_urge(self) -> list[Urging]:
        """Late tasks by who is urged and how loudly: escalations first, then who has most."""
        groups: dict[tuple[Level, Who, Who | None], list[Watched]] = {}
        for task in self.in_state("late"):
            if task.urged is not None:
                groups.setdefault((task.level, task.urged, task.superior), []).append(task)
        made = [
            Urging(*key, tuple(sorted(tasks, key=lambda task: (-task.days_late, task.task))))
            for key, tasks in groups.items()
        ]
        return sorted(made, key=lambda one: (one.level, -len(one.tasks), one.who))


def review_days(as_of: date, given: Sequence[date], first: date) -> tuple[date, ...]:
    """List the reviews up to a day, the latest first; the day itself is one.

    Parameters
    ----------
    given : days of review; none: every `REVIEW_EVERY_DAYS` days back from the day
    first : no review before
    """
    if given:
        return tuple(sorted({as_of, *(day for day in given if day <= as_of)}, reverse=True))
    count = max(0, (as_of - first).days // REVIEW_EVERY_DAYS) + 1
    return tuple(as_of - timedelta(days=REVIEW_EVERY_DAYS * k) for k in range(count))


def monitor(
    plan: Plan, progress: Progress, superiors: Superiors, reviews: Sequence[date] = ()
) -> Monitoring:
    """Say where every task stands.

    Parameters
    ----------
    reviews : days of review; none: every seven days back from the day
    """
    tasks = {task: _watched(plan, progress, task) for task in plan.by_task}
    first = min((task.start for task in tasks.values()), default=progress.as_of)
    days = review_days(progress.as_of, reviews, first)
    roots = _waiting_for(tasks)
    placed = {name: _at_risk(task, roots[name], progress.as_of) for name, task in tasks.items()}
    urged = tuple(
        _urged(task, roots[name], placed, superiors, days) for name, task in placed.items()
    )
    return Monitoring(urged, progress.as_of, progress.as_of_given, days)


def _watched(plan: Plan, progress: Progress, task: str) -> Watched:
    """Place a task by its own dates only."""
    row = plan.by_task[task]
    report = progress.reports.get(task, TaskReport(task, "not_started"))
    start, due, forecast = plan.dates[task].start, plan.dates[task].due, _forecast(row)
    share = _done_share(report, float(row["to_come"]))
    state = _own_state(report, start, due, progress.as_of, share)
    ended = report.done_on if report.status == "done" else progress.as_of
    days_late = 0 if state == "cancelled" or ended is None else max(0, (ended - due).days)
    return Watched(task, row, report, start, due, forecast, state, days_late, share)


def _forecast(row: Mapping[str, Any]) -> date | None:
    day = float(row["forecast_day"])
    return None if isnan(day) else date_by(row["day_zero"], day, row["start_day"])


def _done_share(report: TaskReport, to_come: float) -> float:
    """Share of what was to come; without a quantity, all of it where it is reported as done."""
    if report.done_quantity is None or to_come <= 0.0:
        return float(report.status == "done")
    return min(report.done_quantity / to_come, 1.0)


def _own_state(report: TaskReport, start: date, due: date, as_of: date, share: float) -> State:
    if report.status == "cancelled":
        return "cancelled"
    if report.status == "done":
        return "done" if share > 1.0 - 1e-6 else "part_done"
    if due < as_of:
        return "late"
    return "under_way" if report.status == "under_way" else "not_due"


def _waiting_for(tasks: Mapping[str, Watched]) -> dict[str, str]:
    """Name for every open task the late task it waits for, through others too; empty: none."""
    known: dict[str, str] = {}

    def root(name: str, seen: frozenset[str]) -> str:
        if name in known:
            return known[name]
        before = [b for b in str(tasks[name].plan["after"]).split() if b in tasks and b not in seen]
        found = next((b for b in before if tasks[b].state == "late"), "")
        for b in before:
            deeper = root(b, seen | {name}) if tasks[b].is_open else ""
            found = deeper or found
        known[name] = found
        return found

    return {name: root(name, frozenset()) if task.is_open else "" for name, task in tasks.items()}


def _at_risk(task: Watched, root: str, as_of: date) -> Watched:
    """Add the reasons of a task that is not late yet and may become so."""
    if task.state not in ("under_way", "not_due"):
        return task
    reasons = tuple(_reasons(task, root, as_of))
    return replace(task, state="at_risk", reasons=reasons) if reasons else task


def _reasons(task: Watched, root: str, as_of: date) -> Iterable[Reason]:
    if root:
        yield Reason("waits", others={"task": root})
    if task.report.status == "not_started" and task.start < as_of:
        yield Reason("not_started", {"start": task.start})
    if task.forecast is not None and task.forecast > task.due:
        yield Reason("forecast", {"forecast": task.forecast, "due": task.due})
    used = _time_used(task, as_of)
    if task.report.status == "under_way" and used > task.done_share + BEHIND_MARGIN:
        yield Reason("behind", others={"used": used, "done": task.done_share})


def _time_used(task: Watched, as_of: date) -> float:
    """Share of its days from start to due, both counted, that are over when the day begins."""
    days = (task.due - task.start).days + 1
    return min(max((as_of - task.start).days / days, 0.0), 1.0)


def _urged(
    task: Watched, root: str, tasks: Mapping[str, Watched], superiors: Superiors,
    reviews: Sequence[date],
) -> Watched:  # fmt: skip
    """Say whom to urge for a late task, and how loudly."""
    if task.state not in ("late", "at_risk"):
        return task
    stop, who = _where_it_hangs(task, root, tasks)
    found = replace(task, stop=stop, waits_for=root, urged=who)
    if task.state == "at_risk":
        return found
    if sum(task.due < review for review in reviews) < 2:
        return replace(found, level="reminder")
    return replace(found, level="escalation", superior=superiors.of(who))


def _where_it_hangs(task: Watched, root: str, tasks: Mapping[str, Watched]) -> tuple[Stop, Who]:
    """Tell where a task hangs, and the agency or desk that can move it.

    The record has no day of signature or of handover, so the stage is read from the status: not
    started waits for a signature where one is needed; under way with nothing done waits for the
    handover; under way with something done is on its way.
    """
    row = task.plan
    if root:
        return "task", _where_it_hangs(tasks[root], "", tasks)[1]
    if task.report.status == "not_started" and row["desk"]:
        return "approval", Who(str(row["desk"]), str(row["desk_place"]), True)
    if task.report.status == "under_way" and task.done_share <= 0.0:
        return "handover", Who(str(row["answers"]), "", False)
    return "travel", Who(str(row["unit_in_charge"]), "", False)


# --- totals ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Total:
    """Tasks and money of an agency, a mechanism or all."""

    code: str
    planned: int
    done: int
    late: int
    at_risk: int
    cost_bn_vnd: float
    spent_bn_vnd: float


def total_of(code: str, tasks: Iterable[Watched]) -> Total:
    """Add up tasks; cancelled ones stay in what was planned."""
    listed = list(tasks)
    states = [task.state for task in listed]
    return Total(
        code, len(listed), states.count("done"), states.count("late"), states.count("at_risk"),
        sum(float(task.plan["cost_bn_vnd"]) for task in listed),
        sum(task.spent_bn_vnd for task in listed),
    )  # fmt: skip


def totals_by(tasks: Iterable[Watched], column: str) -> list[Total]:
    """Add up tasks by a column of the plan, the most tasks first."""
    groups: dict[str, list[Watched]] = {}
    for task in tasks:
        groups.setdefault(str(task.plan[column]), []).append(task)
    found = [total_of(code, listed) for code, listed in groups.items()]
    return sorted(found, key=lambda total: (-total.planned, total.code))
