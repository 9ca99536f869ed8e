"""Whether a list of tasks is the plan it was made from, and can be carried out as it is dated.

Every order and every preparation is in exactly one task; sums agree to the unit; no clarity is
empty; dates follow one another and what a task waits for comes first; who signs may sign so much.
A finding on a list of ours is a fault of the program, never of a planner.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, Final, NamedTuple

import pandas as pd

from nts_sim.plan.drafts import PREPARE, RESPOND, done_preparations, granted_orders
from nts_sim.words import say

SUMMED: Final = ("kind", "mechanism", "resource", "place", "source", "fund")
"""Columns by which tasks and what they were made from have the same sums."""
_DATES: Final = ("start_day", "approved_day", "handover_day", "due_day")
_KEY: Final = ["stage", "order"]
_SLACK: Final = 1e-6
"""Days, and share of a sum, by which numbers may differ by rounding."""

Row = Mapping[str, Any]


class Finding(NamedTuple):
    """What does not agree: its kind, a task (or order, or sum), and numbers.

    Attributes
    ----------
    kind : text ``tasks.finding.<kind>`` of the catalogue
    """

    kind: str
    what: str
    is_there: str = ""
    should_be: str = ""

    def told(self) -> str:
        """Tell it in the language being spoken."""
        return say(
            f"tasks.finding.{self.kind}", what=self.what, found=self.is_there, due=self.should_be
        )


def allocation(frames: Mapping[str, pd.DataFrame], scenario: str, policy: str) -> pd.DataFrame:
    """Return what tasks are made from: the preparations and the granted orders of a policy.

    Returns
    -------
    DataFrame
        Columns stage, order, those of `SUMMED`, unit, quantity, cost_bn_vnd, lead_days.
    """
    orders = granted_orders(frames["orders"])
    orders = orders[(orders["scenario"] == scenario) & (orders["policy"] == policy)]
    lead = orders[["approval_days", "handover_days", "last_part_days", "travel_days"]].sum(axis=1)
    parts = [orders.assign(stage=RESPOND, quantity=orders["granted"], lead_days=lead)]
    if "plan_first" in frames:
        steps = done_preparations(frames)
        parts.append(steps.assign(stage=PREPARE, order=steps.index, fund="preparation",
                                  lead_days=0.0))  # fmt: skip
    columns = [*_KEY, *SUMMED, "unit", "quantity", "cost_bn_vnd", "lead_days"]
    return pd.concat([part[columns] for part in parts], ignore_index=True)


def reconcile(tasks: pd.DataFrame, given: pd.DataFrame) -> list[Finding]:
    """Compare a list of tasks with what it was made from.

    Parameters
    ----------
    tasks : table `tasks`
    given : as `allocation` returns it

    Returns
    -------
    list of Finding
        Empty where all agrees.
    """
    rows = [{str(k): v for k, v in row.items()} for row in tasks.to_dict("records")]
    found = [*_matched(tasks, given), *_sums(tasks, given)]
    for row in rows:
        found += [*_clarities(row), *_order_of_dates(row), *_delegation(row)]
    return [*found, *_leads(tasks, given), *_waits(rows)]


def reconciled_line(frames: Mapping[str, pd.DataFrame]) -> str:
    """Tell in one line how many tasks there are, of what, and how many differences."""
    tasks = frames["tasks"]
    if tasks.empty:
        return say("tasks.reconciled.nothing")
    given = allocation(frames, str(tasks["scenario"].iloc[0]), str(tasks["policy"].iloc[0]))
    findings = reconcile(tasks, given)
    return say(
        "tasks.reconciled.line", tasks=len(tasks), orders=int((given["stage"] == RESPOND).sum()),
        steps=int((given["stage"] == PREPARE).sum()), n=len(findings),
    )  # fmt: skip


# --- is it all there ----------------------------------------------------------------------------


def _matched(tasks: pd.DataFrame, given: pd.DataFrame) -> Iterator[Finding]:
    """Find orders and preparations that are not in exactly one task, and tasks of nothing."""
    have = Counter(zip(*(tasks[name] for name in _KEY), strict=True))
    want = Counter(zip(*(given[name] for name in _KEY), strict=True))
    for stage, number in sorted(have.keys() | want.keys()):
        count = have[stage, number]
        if count != want[stage, number]:
            kind = "extra" if not want[stage, number] else "missing" if not count else "twice"
            yield Finding(kind, f"{stage} {number}", str(count), str(want[stage, number]))
    for task, count in Counter(tasks["task"]).items():
        if count > 1:
            yield Finding("same_number", str(task), str(count), "1")


def sums(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """Add up quantities and costs by a column, and by what is counted: unit and resource."""
    keys = [table[name].rename(f"{name} {i}") for i, name in enumerate((by, "unit", "resource"))]
    return table.groupby(keys, sort=True)[["quantity", "cost_bn_vnd"]].sum()


def _sums(tasks: pd.DataFrame, given: pd.DataFrame) -> Iterator[Finding]:
    for by in SUMMED:
        want = sums(given, by).add_suffix(" due")
        both = sums(tasks, by).join(want, how="outer").fillna(0.0)
        for column in ("quantity", "cost_bn_vnd"):
            pairs = zip(both.index, both[column], both[f"{column} due"], strict=True)
            for key, found, due in pairs:
                if not math.isclose(found, due, rel_tol=_SLACK, abs_tol=_SLACK):
                    what = f"{by} {key[0]}, {key[2] or key[1]}, {column}"
                    yield Finding("sum", what, f"{found:g}", f"{due:g}")


# --- is each task clear -------------------------------------------------------------------------


def _clarities(row: Row) -> Iterator[Finding]:
    """Find clarities that are empty."""
    basis = row["legal_basis_checked"]
    is_clear = {
        "empty_people": row["unit_in_charge"] and row["role"],
        "empty_work": row["kind"] and (row["quantity"] > 0.0 or row["kind"] == "serve"),
        "empty_progress": all(math.isfinite(row[name]) for name in _DATES) and row["day_zero"],
        "empty_authority": basis in ("checked", "not checked")
        or not (row["desk"] or row["mechanism"]),
        "empty_responsibility": row["answers"] and row["supports"],
        "empty_result": math.isfinite(row["to_come"]) and (row["place"] or row["kind"] == "ready"),
    }
    for clarity, told in is_clear.items():
        if not told:
            yield Finding(clarity, str(row["task"]))


def _order_of_dates(row: Row) -> Iterator[Finding]:
    """Find dates that do not follow one another: started, signed, handed over, in place."""
    for first, then in pairwise(_DATES):
        if row[then] < row[first] - _SLACK:
            yield Finding(then, str(row["task"]), f"{row[then]:g}", f"{row[first]:g}")


def _delegation(row: Row) -> Iterator[Finding]:
    """Find amounts drawn or charged that are more than the desk may sign."""
    amount = row["quantity"] if row["kind"] == "draw" else row["cost_bn_vnd"]
    if row["desk"] and amount > row["delegation_bn_vnd"] * (1.0 + _SLACK):
        limit = row["delegation_bn_vnd"]
        yield Finding("delegation", str(row["task"]), f"{amount:g}", f"{limit:g}")


# --- can it be done in time ---------------------------------------------------------------------


def _leads(tasks: pd.DataFrame, given: pd.DataFrame) -> Iterator[Finding]:
    """Find tasks that are due before their steps can be done one after the other."""
    both = tasks.merge(given[[*_KEY, "lead_days"]], on=_KEY)
    early = both[both["due_day"] < both["start_day"] + both["lead_days"] - _SLACK]
    for task, due, start, lead in zip(
        *(early[name] for name in ("task", "due_day", "start_day", "lead_days")), strict=True
    ):
        yield Finding("too_early", str(task), f"{due:g}", f"{start + lead:g}")


def _waits(rows: Sequence[Row]) -> Iterator[Finding]:
    """Find what a task waits for and is not there, comes later, or waits for the task."""
    by_name = {row["task"]: row for row in rows}
    graph = {row["task"]: row["after"].split() for row in rows}
    for task, waits in graph.items():
        for other in waits:
            if other not in by_name:
                yield Finding("unknown_wait", str(task), other)
            elif by_name[other]["due_day"] > by_name[task]["start_day"] + _SLACK:
                start, due = by_name[task]["start_day"], by_name[other]["due_day"]
                yield Finding("waits_too_short", f"{task}, {other}", f"{start:g}", f"{due:g}")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield Finding("cycle", " → ".join(error.args[1]))
