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
from nts_sim.plan.progress import Filled, Plan, read_progress
from nts_sim.plan.summaries import KINDS, Record, summary_sheets
from nts_sim.sheets import workbook
from tests.plan.filling import COLUMNS, table, task

TASKS = table(
    task("T001"), task("T002", after="T001", due_day=9.0), task("T003", quantity=0.0, to_come=0.0),
    task("T004", after="T005", resource="", unit="bn VND", desk="", forecast_day=float("nan")),
    task("T005", after="T004 T009", cost_bn_vnd=0.0, unit_in_charge="MOD"),
)  # fmt: skip
TITLES = {name: (index, name) for index, name in enumerate(COLUMNS)}
STATUS = st.sampled_from(["", "done", "under way", "đã hủy", "not started", "Da hoan thanh", "?"])
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
TAME = st.lists(
    st.fixed_dictionaries({
        "task": st.sampled_from(["T001", "T002", "T003", "T004", "T005"]), "status": STATUS,
        "done_on": st.one_of(st.none(), DATES), "spent_bn_vnd": st.floats(0.0, 9.0),
        "done_quantity": st.one_of(st.none(), st.floats(0.0, 10.0)), "remark": st.text(max_size=9),
    }),
    max_size=5, unique_by=lambda row: row["task"],
)  # fmt: skip


def seen(listed: list[dict[str, Cell]], as_of: date) -> Record | None:
    cells = [(n, tuple(row.get(name) for name in COLUMNS)) for n, row in enumerate(listed, 2)]
    filled = Filled("a.xlsx", TITLES, cells, True, len(COLUMNS), ())
    plan = Plan(TASKS)
    try:
        progress = read_progress(filled, plan, as_of)
    except InvalidInput as error:
        assert error.problems and all(p.where and p.what for p in error.problems)
        return None
    found = monitor(plan, progress, Superiors({}, {}, frozenset()))
    return Record(found, {"tasks": TASKS}, Names(empty("directory")))


@settings(max_examples=30, deadline=None)
@given(WILD, DATES)
def test_anything_in_any_cell_ends_in_problems_or_a_view(
    listed: list[dict[str, Cell]], as_of: date
) -> None:
    record = seen(listed, as_of)
    assert record is None or len(record.tasks) == len(TASKS)


@settings(max_examples=60, deadline=None)
@given(TAME, DATES)
def test_a_view_adds_up_and_can_always_be_told(listed: list[dict[str, Cell]], as_of: date) -> None:
    record = seen(listed, as_of)
    if record is None:
        return
    view = record.watched
    assert sum(len(view.in_state(state)) for state in STATES) == len(TASKS)
    assert sum(len(one.tasks) for one in view.to_urge()) == len(view.in_state("late"))
    assert sum(total.planned for total in totals_by(view.tasks, "mechanism")) == len(TASKS)
    sheets = [*monitoring_sheets(view, record.names), *summary_sheets(KINDS[len(listed) % 3],
                                                                      record)]  # fmt: skip
    assert text_of(view, record.names)
    assert len(sheets) > 8 and workbook(sheets[:1]).startswith(b"PK")
