"""Reconciliation finds whatever is not as the plan says; each check is shown to fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nts_sim.plan.reconcile import allocation, reconcile, reconciled_line
from nts_sim.words import languages, speaking
from tests.plan.made import (
    POLICY,
    SCENARIO,
    Row,
    declare,
    draw,
    frames_of,
    mobilise,
    move,
    nothing_ordered,
)

_PLAN = (declare(), draw(90.0), mobilise(), move(), move(resource="rice_t", granted=12.5))
_STEPS = ({"kind": "buy", "place": "01", "resource": "rice_t", "unit": "units", "quantity": 9.0},)

Change = Callable[[pd.DataFrame], pd.DataFrame]


def _frames() -> dict[str, pd.DataFrame]:
    return frames_of(_PLAN, _STEPS)


def _set(task: str, **values: object) -> Change:
    def change(tasks: pd.DataFrame) -> pd.DataFrame:
        changed = tasks.copy()
        for column, value in values.items():
            changed.loc[changed["task"] == task, column] = value
        return changed

    return change


def _findings(change: Change) -> set[str]:
    frames = _frames()
    given_plan = allocation(frames, SCENARIO, POLICY)
    return {finding.kind for finding in reconcile(change(frames["tasks"]), given_plan)}


def test_a_plan_as_it_is_made_reconciles() -> None:
    frames = _frames()
    assert frames["tasks"]["task"].tolist() == ["T001", "T002", "T003", "T004", "T005", "T006"]
    kinds = ["buy", "declare", "draw", "move", "move", "mobilise"]
    assert frames["tasks"]["kind"].tolist() == kinds
    assert _findings(lambda tasks: tasks) == set()
    told = "Reconciled. Tasks: 6; orders: 5; preparations: 1; differences: 0."
    assert reconciled_line(frames) == told


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda tasks: tasks[tasks["task"] != "T004"], {"missing", "sum"}),
        (lambda tasks: tasks[tasks["task"] != "T001"], {"missing", "sum", "unknown_wait"}),
        (lambda tasks: pd.concat([tasks, tasks.iloc[:1]]), {"twice", "same_number", "sum"}),
        (_set("T004", order=77), {"missing", "extra"}),
        (_set("T004", quantity=9.0, to_come=9.0), {"sum"}),
        (_set("T004", cost_bn_vnd=0.7), {"sum"}),
        (_set("T004", place="31"), {"sum"}),
        (_set("T004", source="31"), {"sum"}),
        (_set("T004", fund="ministry_budget"), {"sum"}),
        (_set("T004", mechanism="military"), {"sum"}),
        (_set("T004", resource="boat_crew"), {"sum"}),
        (_set("T004", unit_in_charge=""), {"empty_people"}),
        (_set("T004", role=""), {"empty_people"}),
        (_set("T004", answers=""), {"empty_responsibility"}),
        (_set("T004", supports=""), {"empty_responsibility"}),
        (_set("T004", legal_basis_checked=""), {"empty_authority"}),
        (_set("T004", start_day=np.nan), {"empty_progress"}),
        (_set("T004", to_come=np.nan), {"empty_result"}),
        (_set("T004", kind=""), {"empty_work", "sum"}),
        (_set("T004", due_day=1.0), {"too_early"}),
        (_set("T004", approved_day=-1.0), {"approved_day"}),
        (_set("T004", handover_day=0.25), {"handover_day"}),
        (_set("T004", due_day=0.5), {"due_day", "too_early"}),
        (_set("T003", delegation_bn_vnd=89.0), {"delegation"}),
        (_set("T006", delegation_bn_vnd=1.0), {"delegation"}),
        (_set("T006", start_day=1.0), {"waits_too_short"}),
        (_set("T003", after="T006"), {"waits_too_short", "cycle"}),
        (_set("T003", after="T999"), {"unknown_wait"}),
    ],
)
def test_whatever_is_spoilt_is_found(change: Change, found: set[str]) -> None:
    assert _findings(change) == found


def test_a_desk_without_a_limit_may_sign_anything() -> None:
    assert _findings(_set("T003", delegation_bn_vnd=np.nan)) == set()


@pytest.mark.parametrize("language", languages())
def test_findings_are_told_in_words(language: str) -> None:
    frames = _frames()
    spoilt = _set("T004", due_day=0.5, answers="")(frames["tasks"])
    with speaking(language):
        told = [f.told() for f in reconcile(spoilt, allocation(frames, SCENARIO, POLICY))]
    assert len(told) == 3
    assert all("T004" in line for line in told)


def test_no_tasks_reconcile_with_no_orders() -> None:
    frames = nothing_ordered()
    assert reconciled_line(frames) == "Reconciled: no tasks, as nothing is ordered."
    assert reconcile(frames["tasks"], allocation(frames, SCENARIO, POLICY)) == []


def _free(make: Callable[..., Row], **fixed: object) -> Callable[..., Row]:
    """Make an order that costs nothing, some of whose values are fixed."""
    return lambda **given_: make(**{**given_, "cost_bn_vnd": 0.0, **fixed})


def _draw(granted: float, **others: object) -> Row:
    return draw(granted, **others)


def _declare(granted: float, **others: object) -> Row:
    return declare(granted, **others)


_MAKERS = (move, mobilise, _free(_draw), _free(_declare, granted=2.0))
_days = st.floats(0.0, 20.0, allow_nan=False).map(lambda day: round(day, 3))
_order = st.builds(
    lambda make, place, day, cost, amount, steps, there, level: make(
        place=place, day=day, cost_bn_vnd=cost, granted=amount, needs_level=level,
        approval_days=steps[0], handover_days=steps[1], travel_days=steps[2],
        last_part_days=steps[3], in_place_day=there,
    ),
    st.sampled_from(_MAKERS),
    st.sampled_from(["22", "31"]), _days, st.floats(0.0, 50.0), st.floats(0.5, 150.0),
    st.tuples(_days, _days, _days, _days), st.one_of(_days, st.just(float("nan"))),
    st.sampled_from([0, 2]),
)  # fmt: skip


@pytest.mark.slow
@given(st.lists(_order, max_size=12))
@settings(max_examples=40, deadline=None)
def test_any_orders_make_tasks_that_reconcile(rows: list[dict[str, object]]) -> None:
    ordered = sorted(rows, key=lambda row: float(str(row["day"])))
    frames = frames_of(ordered)
    assert len(frames["tasks"]) == len(rows)
    assert reconcile(frames["tasks"], allocation(frames, SCENARIO, POLICY)) == []
