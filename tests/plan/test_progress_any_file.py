"""Whatever is filled in, the answer is a list of problems or a view that adds up."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from nts_sim.errors import InvalidInput
from nts_sim.outcomes.frames import empty
from nts_sim.plan.filled_cells import Cell, Formula
from nts_sim.plan.monitor_sheets import monitoring_sheets, text_of
from nts_sim.plan.monitoring import STATES, Superiors, monitor, totals_by
from nts_sim.plan.names import Names
from nts_sim.plan.progress import Filled, Plan, Progress, TaskReport, read_progress
from nts_sim.plan.summaries import KINDS, Record, summary_sheets
from nts_sim.sheets import workbook
from tests.plan.filling import COLUMNS, table, task

TASKS = table(
    task("T001"), task("T002", after="T001", due_day=9.0), task("T003", quantity=0.0, to_come=0.0),
    task("T004", after="T005", resource="", unit="bn VND", desk="", forecast_day=float("nan")),
    task("T005", after="T004 T009", cost_bn_vnd=0.0, unit_in_charge="MOD"),
)  # fmt: skip
TITLES = {name: (index, name) for index, name in enumerate(COLUMNS)}
DATES = st.dates(date(2024, 9, 1), date(2024, 11, 30))
ANY: st.SearchStrategy[Cell] = st.one_of(
    st.none(), st.text(max_size=12), st.integers(-5, 20), st.floats(), DATES, st.booleans(),
    st.just(Formula()),
)  # fmt: skip


def rows(
    cells: st.SearchStrategy[dict[str, Cell]],
) -> st.SearchStrategy[list[dict[str, Cell]]]:
    return st.lists(cells, max_size=6)


WILD = rows(st.fixed_dictionaries(dict.fromkeys(COLUMNS, ANY)))
QUANTITY = st.one_of(st.none(), st.floats(0.0, 10.0))
MONEY = st.one_of(st.none(), st.floats(0.0, 9.0))
DONE = st.builds(TaskReport, st.just(""), st.just("done"), DATES, QUANTITY, MONEY)
OPEN = st.builds(
    TaskReport, st.just(""), st.sampled_from(["not_started", "under_way", "cancelled"]),
    st.none(), QUANTITY, MONEY, st.text(max_size=5), st.text(max_size=5),
)  # fmt: skip
REPORTS = st.dictionaries(st.sampled_from(list(TASKS["task"])), st.one_of(DONE, OPEN))


@settings(max_examples=30, deadline=None)
@given(WILD, DATES)
def test_anything_in_any_cell_ends_in_problems_or_in_reports(
    listed: list[dict[str, Cell]], as_of: date
) -> None:
    cells = [(n, tuple(row.get(name) for name in COLUMNS)) for n, row in enumerate(listed, 2)]
    filled = Filled("a.xlsx", TITLES, cells, True, len(COLUMNS), ())
    try:
        found = read_progress(filled, Plan(TASKS), as_of)
    except InvalidInput as error:
        assert error.problems and all(p.where and p.what for p in error.problems)
    else:
        assert set(found.reports) <= set(TASKS["task"])


@settings(max_examples=40, deadline=None)
@given(REPORTS, DATES)
def test_a_view_adds_up_and_can_always_be_told(reports: dict[str, TaskReport], as_of: date) -> None:
    view = monitor(Plan(TASKS), Progress(reports, as_of, True, 0), Superiors({}, {}, frozenset()))
    record = Record(view, {"tasks": TASKS}, Names(empty("directory")))
    assert sum(len(view.in_state(state)) for state in STATES) == len(TASKS)
    assert sum(len(one.tasks) for one in view.to_urge()) == len(view.in_state("late"))
    assert sum(total.planned for total in totals_by(view.tasks, "mechanism")) == len(TASKS)
    kind = KINDS[len(reports) % len(KINDS)]
    books = monitoring_sheets(view, record.names), summary_sheets(kind, record)
    assert text_of(view, record.names)
    assert all(workbook(sheets).startswith(b"PK") for sheets in books)
