"""States, reasons, who is urged and the sums, in cases small enough to work out by hand.

Every task starts on 5 September 2024; day 4 at midnight is due on the 8th.
"""

from __future__ import annotations

from datetime import date

import pytest

from nts_sim.cli.progress import superiors_of
from nts_sim.outcomes.frames import empty
from nts_sim.plan.monitor_sheets import monitoring_sheets, reasons_text, text_of
from nts_sim.plan.monitoring import (
    Monitoring,
    Superiors,
    Who,
    monitor,
    review_days,
    total_of,
    totals_by,
)
from nts_sim.plan.names import Names
from nts_sim.plan.progress import Plan, Progress, TaskReport
from nts_sim.plan.summaries import Record, courses, quarters, summary_finding, summary_sheets
from nts_sim.tables.load import load_tables
from nts_sim.words import speaking
from tests.plan.filling import table, task

DUE = date(2024, 9, 8)
SUPERIORS = Superiors(
    {"police": "MPS", "MOD": "GO"}, {"provincial_chair": "PM", "commune_chair": "provincial_chair"},
    frozenset({"PM"}),
)  # fmt: skip


def watched(
    rows: list[dict[str, object]], as_of: date, *reports: TaskReport,
    reviews: tuple[date, ...] = (),
) -> Monitoring:  # fmt: skip
    progress = Progress({report.task: report for report in reports}, as_of, True, 0)
    return monitor(Plan(table(*rows)), progress, SUPERIORS, reviews)


def one(as_of: date, report: TaskReport | None = None, **changes: object):
    reports = () if report is None else (report,)
    return watched([task("T001", **changes)], as_of, *reports).tasks[0]


def done(day: date, quantity: float | None = None, task: str = "T001") -> TaskReport:
    return TaskReport(task, "done", day, quantity)


def under_way(quantity: float | None = None, task: str = "T001") -> TaskReport:
    return TaskReport(task, "under_way", None, quantity)


# --- states ------------------------------------------------------------------------------------


def test_a_task_is_late_from_the_day_after_it_is_due() -> None:
    assert one(DUE, under_way(10.0)).state == "under_way"
    late = one(date(2024, 9, 9), under_way(10.0))
    assert (late.state, late.days_late) == ("late", 1)


def test_done_is_done_and_done_late_says_so() -> None:
    found = one(date(2024, 9, 20), done(date(2024, 9, 11)))
    assert (found.state, found.days_late, found.done_quantity) == ("done", 3, 10.0)
    assert one(date(2024, 9, 20), done(DUE)).days_late == 0


def test_less_than_planned_is_done_in_part() -> None:
    assert one(DUE, done(DUE, 9.0)).state == "part_done"
    assert one(DUE, done(DUE, 6.0), to_come=6.0).state == "done"


def test_what_is_cancelled_is_never_late() -> None:
    found = one(date(2024, 12, 1), TaskReport("T001", "cancelled"))
    assert (found.state, found.days_late, found.level) == ("cancelled", 0, "")


def test_nothing_is_wrong_before_the_start() -> None:
    assert one(date(2024, 9, 5)).state == "not_due"


# --- at risk -----------------------------------------------------------------------------------


def test_what_should_have_started_is_at_risk() -> None:
    found = one(date(2024, 9, 6))
    assert found.state == "at_risk"
    assert [reason.key for reason in found.reasons] == ["not_started"]
    assert "5 Sep 2024" in reasons_text(found)


def test_a_forecast_after_the_due_date_is_a_risk() -> None:
    found = one(date(2024, 9, 5), forecast_day=6.0)
    assert [reason.key for reason in found.reasons] == ["forecast"]


@pytest.mark.parametrize(("quantity", "state"), [(2.4, "at_risk"), (2.5, "under_way")])
def test_far_less_done_than_time_used_is_a_risk(quantity: float, state: str) -> None:
    """Two of four days are over on the 7th: a half, less the margin of a quarter."""
    assert one(date(2024, 9, 7), under_way(quantity)).state == state


def test_who_waits_for_a_late_task_is_at_risk_through_others_too() -> None:
    rows = [task("T001"), task("T002", after="T001", due_day=12.0, start_day=6.0),
            task("T003", after="T002", due_day=14.0, start_day=8.0)]  # fmt: skip
    found = watched(rows, date(2024, 9, 10)).tasks
    assert [t.state for t in found] == ["late", "at_risk", "at_risk"]
    assert [t.waits_for for t in found] == ["", "T001", "T001"]
    freed = watched(rows, date(2024, 9, 10), done(DUE)).tasks
    assert [t.state for t in freed] == ["done", "not_due", "not_due"]


def test_tasks_that_wait_for_each_other_do_not_hang_the_reader() -> None:
    rows = [task("T001", after="T002"), task("T002", after="T001")]
    assert len(watched(rows, date(2024, 9, 20)).tasks) == 2


# --- who to urge -------------------------------------------------------------------------------


def test_where_it_hangs_is_read_from_the_status() -> None:
    late = date(2024, 9, 9)
    assert (one(late).stop, one(late).urged) == ("approval", Who("MOD", "", True))
    unsigned = one(late, desk="")
    assert (unsigned.stop, unsigned.urged) == ("travel", Who("31.police", "", False))
    assert (one(late, under_way()).stop, one(late, under_way()).urged) == (
        "handover", Who("MOD", "", False),
    )  # fmt: skip
    assert (one(late, under_way(4.0)).stop, one(late, under_way(4.0)).urged) == (
        "travel", Who("31.police", "", False),
    )  # fmt: skip


def test_one_review_reminds_and_two_escalate() -> None:
    """Reviews are on the day itself and every seven days before it."""
    assert one(date(2024, 9, 9), under_way(1.0)).level == "reminder"
    assert one(date(2024, 9, 15), under_way(1.0)).level == "reminder"
    found = one(date(2024, 9, 16), under_way(1.0))
    assert (found.level, found.superior) == ("escalation", Who("MPS", "", False))


def test_days_of_review_can_be_given() -> None:
    reviews = (date(2024, 9, 9), date(2024, 12, 1))
    found = watched([task("T001")], date(2024, 9, 10), reviews=reviews)
    assert found.reviews == (date(2024, 9, 10), date(2024, 9, 9))
    assert found.tasks[0].level == "escalation"
    assert found.tasks[0].superior is None  # nobody is above this desk


def test_a_desk_is_escalated_within_its_province_or_to_the_nation() -> None:
    chair = Who("commune_chair", "31", True)
    assert SUPERIORS.of(chair) == Who("provincial_chair", "31", True)
    assert SUPERIORS.of(Who("provincial_chair", "31", True)) == Who("PM", "", True)
    assert SUPERIORS.of(Who("PM", "", True)) is None


def test_superiors_come_from_the_tables() -> None:
    found = superiors_of(load_tables(None))
    assert found.of(Who("08.police", "", False)) == Who("MPS", "", False)
    assert found.of(Who("provincial_police", "08", True)) == Who("provincial_chair", "08", True)
    assert found.of(Who("MOF", "", True)) == Who("PM", "", True)


def test_who_has_most_late_tasks_is_urged_first() -> None:
    rows = [task("T001", desk=""), task("T002"), task("T003")]
    groups = watched(rows, date(2024, 9, 9)).to_urge()
    assert [(one.who.code, len(one.tasks)) for one in groups] == [("MOD", 2), ("31.police", 1)]


def test_escalations_come_before_reminders_and_the_latest_task_first() -> None:
    rows = [task("T001"), task("T002"), task("T003", due_day=6.0), task("T004", due_day=1.0)]
    groups = watched(rows, date(2024, 9, 16), reviews=(date(2024, 9, 9),)).to_urge()
    told = [(one.level, [t.task for t in one.tasks]) for one in groups]
    assert told == [("escalation", ["T004", "T001", "T002"]), ("reminder", ["T003"])]


def test_reviews_go_back_to_the_start() -> None:
    days = review_days(date(2024, 9, 20), (), date(2024, 9, 5))
    assert days == (date(2024, 9, 20), date(2024, 9, 13), date(2024, 9, 6))


# --- sums --------------------------------------------------------------------------------------


def report_of_three() -> Monitoring:
    rows = [
        task("T001", cost_bn_vnd=2.0), task("T002", cost_bn_vnd=3.0, mechanism="police"),
        task("T003", cost_bn_vnd=5.0, start_day=30.0, due_day=34.0, forecast_day=float("nan")),
    ]  # fmt: skip
    return watched(
        rows, date(2024, 9, 9), TaskReport("T001", "done", DUE, None, 2.5),
        TaskReport("T002", "under_way", None, 4.0, 1.0),
    )  # fmt: skip


def test_totals_add_up() -> None:
    found = report_of_three()
    whole = total_of("", found.tasks)
    assert (whole.planned, whole.done, whole.late, whole.cost_bn_vnd, whole.spent_bn_vnd) == (
        3, 1, 1, 10.0, 3.5,
    )  # fmt: skip
    parts = totals_by(found.tasks, "mechanism")
    assert [(part.code, part.planned) for part in parts] == [("military", 2), ("police", 1)]
    assert sum(part.cost_bn_vnd for part in parts) == whole.cost_bn_vnd
    assert sum(part.spent_bn_vnd for part in parts) == whole.spent_bn_vnd


def test_plan_forecast_and_record_side_by_side() -> None:
    found = report_of_three()
    (course,) = courses(
        found.tasks, found.as_of, lambda t: str(t.plan["resource"]),
        lambda t: t.quantity, lambda t: t.done_quantity,
    )  # fmt: skip
    assert (course.whole, course.planned, course.forecast, course.recorded) == (30, 20, 20, 14)
    assert course.short == -6


def test_quarters_are_those_of_the_calendar() -> None:
    found = quarters(date(2024, 9, 30), date(2025, 1, 1))
    assert [(p.first, p.after) for p in found] == [
        (date(2024, 7, 1), date(2024, 10, 1)), (date(2024, 10, 1), date(2025, 1, 1)),
        (date(2025, 1, 1), date(2025, 4, 1)),
    ]  # fmt: skip
    assert found[0].has(date(2024, 9, 30)) and not found[0].has(date(2024, 10, 1))


def record() -> Record:
    found = report_of_three()
    return Record(found, {"tasks": table(task("T001"))}, Names(empty("directory")))


def test_a_quarter_counts_the_tasks_due_in_it() -> None:
    """Two are due in September, the third on 8 October."""
    sheet = summary_sheets("quarter", record())[1]
    assert [row[:2] for row in sheet.rows] == [["Quarter 3 of 2024", 2], ["Quarter 4 of 2024", 1]]
    assert sum(row[8] for row in sheet.rows) == 10.0


def test_quarters_add_up_to_the_whole_plan() -> None:
    """Resources, funds and mechanisms, in every column that is a sum."""
    by_quarter, whole = summary_sheets("quarter", record()), summary_sheets("preliminary", record())
    for sheet in whole:
        if sheet.name not in ("Quantities by resource", "Money by fund", "Money by mechanism"):
            continue
        (parts,) = [other for other in by_quarter if other.name == sheet.name]
        for index in range(1, len(sheet.columns)):
            total = sum(row[index + 1] for row in parts.rows)
            assert total == pytest.approx(sum(row[index] for row in sheet.rows))
    assert [row[:3] for row in parts.rows][-1][0] == "Quarter 4 of 2024"


def test_a_final_summary_says_what_is_open() -> None:
    assert "2 tasks are still open" in summary_finding("final", record())[1]
    assert summary_finding("preliminary", record())[1] == ""


def test_what_to_correct_is_said_in_words() -> None:
    text = " ".join(str(row[0]) for row in summary_sheets("preliminary", record())[0].rows)
    assert "14 of 20" in text and "1 late task is with its unit in charge" in text


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("kind", ["quarter", "preliminary", "final"])
def test_everything_can_be_told_in_both_languages(language: str, kind: str) -> None:
    with speaking(language):
        found = record()
        told = text_of(found.watched, found.names)
        sheets = [*monitoring_sheets(found.watched, found.names), *summary_sheets(kind, found)]
    assert "T002" in told
    for sheet in sheets:
        assert len(sheet.name) <= 31
        assert all(len(row) == len(sheet.columns) for row in sheet.rows)


def test_a_plan_in_which_nothing_is_late_says_so() -> None:
    found = watched([task("T001")], DUE, done(DUE))
    text = text_of(found, Names(empty("directory")))
    assert text.startswith("No task is late.") and "WHO TO URGE" not in text
