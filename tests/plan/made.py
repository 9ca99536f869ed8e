"""Orders and preparations written by hand, as tables of a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

import numpy as np
import pandas as pd

from nts_sim.outcomes.frames import TABLES, empty, frame
from nts_sim.plan.tasks import task_table
from nts_sim.study.directory import directory_table
from nts_sim.tables.load import load_tables

ZERO = date(2024, 9, 7)
SCENARIO, POLICY = "typhoon_north", "expected_value"
_ORDER: dict[str, object] = {
    "scenario": SCENARIO, "policy": POLICY, "day": 0.0, "kind": "move", "place": "22",
    "name": "Quảng Ninh", "source": "", "source_name": "", "resource": "rescue_team",
    "asked": 10.0, "granted": 10.0, "unit": "units", "refusal": "", "mechanism": "",
    "authority": "", "desk": "", "desk_code": "", "desk_place": "",
    "delegation_bn_vnd": np.nan, "legal_basis": "", "legal_basis_checked": "", "needs_level": 0,
    "lead_days": 0.0, "approval_days": 0.0, "handover_days": 0.0, "last_part_days": 0.0,
    "travel_days": 0.0, "in_place_day": np.nan, "fund": "", "fund_opened_bn_vnd": 0.0,
    "cost_bn_vnd": 0.0, "reason": "short of rescue teams", "runner_up": "", "automatic": False,
}  # fmt: skip
Row = dict[str, object]


def declare(level: float = 2.0, **others: object) -> Row:
    """Declare a level in Quảng Ninh."""
    return {
        "kind": "declare", "resource": "", "granted": level, "unit": "level",
        "mechanism": "civil_defence_level", "desk_code": "provincial_chair", "desk_place": "22",
        "delegation_bn_vnd": 200.0, "legal_basis_checked": "not checked", "approval_days": 0.5,
        "in_place_day": 0.4, **others,
    }  # fmt: skip


def draw(amount_bn_vnd: float, **others: object) -> Row:
    """Draw on the contingency of Quảng Ninh."""
    return {
        "kind": "draw", "resource": "", "granted": amount_bn_vnd, "unit": "bn VND",
        "mechanism": "local_contingency", "desk_code": "provincial_chair", "desk_place": "22",
        "delegation_bn_vnd": 200.0, "legal_basis_checked": "not checked", "approval_days": 0.5,
        "handover_days": 0.75, "fund": "local_contingency", "in_place_day": 1.5, **others,
    }  # fmt: skip


def mobilise(**others: object) -> Row:
    """Mobilise boats for Quảng Ninh by requisition, which needs level 2."""
    return {
        "kind": "mobilise", "resource": "boat_crew", "granted": 4.0, "mechanism": "requisition",
        "source": "22", "source_name": "Quảng Ninh", "desk_code": "provincial_chair",
        "desk_place": "22", "delegation_bn_vnd": 200.0, "legal_basis_checked": "not checked",
        "approval_days": 0.5, "handover_days": 0.25, "travel_days": 0.25, "needs_level": 2,
        "fund": "account", "cost_bn_vnd": 2.0, "fund_opened_bn_vnd": 1.0, "in_place_day": 4.0,
        "day": 2.0, **others,
    }  # fmt: skip


def move(**others: object) -> Row:
    """Send rescue teams of Hà Nội to Quảng Ninh."""
    return {
        "kind": "move", "source": "01", "source_name": "Hà Nội", "mechanism": "mutual_aid",
        "desk_code": "provincial_chair", "desk_place": "01", "delegation_bn_vnd": 200.0,
        "legal_basis_checked": "checked", "approval_days": 0.5, "handover_days": 0.5,
        "travel_days": 0.75, "fund": "account", "cost_bn_vnd": 0.5, "fund_opened_bn_vnd": 1.0,
        "in_place_day": 2.0, **others,
    }  # fmt: skip


def orders(rows: Iterable[Row]) -> pd.DataFrame:
    """Make table `orders`; each row says what differs from an order that gets what it asks."""
    listed = []
    for number, row in enumerate(rows):
        made = {**_ORDER, "order": number, **row}
        listed.append({**made, "to_come": made["granted"], "asked": made["granted"], **row})
    names = [column.name for column in TABLES["orders"]]
    return frame("orders", {name: [row[name] for row in listed] for name in names})


def steps(rows: Iterable[Row]) -> pd.DataFrame:
    """Make table `plan_first`."""
    nothing: Row = {
        "scenario": SCENARIO, "policy": POLICY, "place": "", "name": "", "source": "",
        "source_name": "", "resource": "", "mechanism": "", "quantity": 1.0, "unit": "",
        "cost_bn_vnd": 1.0, "reason": "", "runner_up": "",
    }  # fmt: skip
    listed = [{**nothing, **row} for row in rows]
    names = [column.name for column in TABLES["plan_first"]]
    return frame("plan_first", {name: [row[name] for row in listed] for name in names})


def spent(amount_bn_vnd: float) -> pd.DataFrame:
    """Make table `plan_value` that says what the chosen policy spends before day 0."""
    row = {
        "scenario": SCENARIO, "policy": POLICY, "measure": "prepared_in_simulation",
        "value": amount_bn_vnd, "unit": "bn VND", "note": "",
    }  # fmt: skip
    return frame("plan_value", {name: [value] for name, value in row.items()})


def frames_of(rows: Iterable[Row], prepared: Iterable[Row] = ()) -> dict[str, pd.DataFrame]:
    """Make the tables of a run, with its tasks."""
    first = steps(prepared)
    frames = {"orders": orders(rows), "plan_first": first, "plan_value": spent(len(first))}
    tables = load_tables()
    tasks = task_table(frames, tables, SCENARIO, POLICY, ZERO)
    return {**frames, "tasks": tasks, "directory": _directory()}


def nothing_ordered() -> dict[str, pd.DataFrame]:
    """Make the tables of a run that orders nothing."""
    return {"orders": empty("orders"), "tasks": empty("tasks"), "directory": _directory()}


@cache
def _directory() -> pd.DataFrame:
    return directory_table(load_tables())
