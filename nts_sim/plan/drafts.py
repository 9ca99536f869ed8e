"""What is to be done, from the tables of a run: granted orders and preparations, without dates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from nts_sim.tables.load import Tables

PREPARE: Final = "prepare"
RESPOND: Final = "respond"
PREPARING: Final = ("ready", "depot", "buy", "post")
"""Kinds of preparation, in the order in which they are done."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A task before it has dates and a number; attributes as in table `tasks`.

    Attributes
    ----------
    day : when it was ordered; missing before day 0
    approval_days, handover_days, parts_days, travel_days : typical, one after the other: until it
        is signed, handed over in its first part, in its last, and there
    needs_level : declared level that its mechanism needs
    forecast_day : in place in the simulated course; preparations are taken to be there in time
    opened_bn_vnd : in the fund it is charged to, on day 0
    """

    stage: str
    order: int
    kind: str
    place: str
    name: str
    source: str
    source_name: str
    resource: str
    mechanism: str
    quantity: float
    to_come: float
    unit: str
    fund: str
    cost_bn_vnd: float
    desk: str
    desk_place: str
    delegation_bn_vnd: float
    legal_basis_checked: str
    reason: str
    runner_up: str
    day: float
    approval_days: float
    handover_days: float
    parts_days: float
    travel_days: float
    forecast_day: float
    needs_level: int = 0
    opened_bn_vnd: float = 0.0

    @property
    def lead_days(self) -> float:
        """From its start until all of it is in place, typically."""
        return self.approval_days + self.handover_days + self.parts_days + self.travel_days

    @property
    def amount_bn_vnd(self) -> float:
        """What is signed for, bn VND."""
        return self.quantity if self.kind == "draw" else self.cost_bn_vnd


def granted_orders(orders: pd.DataFrame) -> pd.DataFrame:
    """Orders that somebody has to carry out: granted, and not written by the rule of returns."""
    aimed = (orders["kind"] == "serve") & (orders["refusal"] == "")
    return orders[((orders["granted"] > 0.0) | aimed) & ~orders["automatic"]]


def done_preparations(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the steps before day 0; none where what did best in simulation does none.

    The index is their number in table `plan_first`.
    """
    steps = frames["plan_first"].reset_index(drop=True)
    value = frames["plan_value"]
    spent = value.loc[value["measure"] == "prepared_in_simulation", "value"].sum()
    return steps[steps["kind"].isin(PREPARING) & bool(spent > 0.0)]


def order_draft(row: Row) -> Draft:
    """Make a draft of a row of `orders`."""
    same = ("kind", "place", "name", "source", "source_name", "resource", "mechanism", "to_come",
            "unit", "fund", "cost_bn_vnd", "desk_place", "delegation_bn_vnd",
            "legal_basis_checked", "reason", "runner_up", "day", "approval_days", "handover_days",
            "travel_days", "needs_level")  # fmt: skip
    return Draft(
        stage=RESPOND, order=int(row["order"]), quantity=row["granted"], desk=row["desk_code"],
        parts_days=row["last_part_days"], forecast_day=row["in_place_day"],
        opened_bn_vnd=row["fund_opened_bn_vnd"], **{name: row[name] for name in same},
    )  # fmt: skip


def preparation_drafts(steps: pd.DataFrame, tables: Tables) -> Iterator[Draft]:
    """Make a draft of every step before day 0."""
    rules = {row["step"]: row for row in tables.rows("preparation_steps")}
    checked = dict(tables.columns("mechanisms", "mechanism", "checked"))
    desks = {row["desk"]: row for row in tables.rows("desks")}
    for number, row in zip(steps.index, steps.to_dict("records"), strict=True):
        rule = rules[row["kind"]]
        where = row["source"] or row["place"]
        desk = _signing(desks, rule["desk"], row["cost_bn_vnd"], where)
        is_known = checked[row["mechanism"]] if row["kind"] == "ready" else rule["checked"]
        same = ("kind", "place", "name", "source", "source_name", "resource", "mechanism",
                "quantity", "unit", "cost_bn_vnd", "reason", "runner_up")  # fmt: skip
        yield Draft(
            stage=PREPARE, order=int(number), to_come=row["quantity"], fund="preparation",
            desk=desk["desk"], desk_place=where if desk["level"] == "provincial" else "",
            delegation_bn_vnd=desk["delegation_bn_vnd"], day=math.nan,
            legal_basis_checked="checked" if is_known else "not checked",
            approval_days=desk["approval_days_median"], handover_days=rule["lead_days"],
            parts_days=0.0, travel_days=0.0, forecast_day=math.nan,
            **{name: row[name] for name in same},
        )  # fmt: skip


def _signing(desks: Mapping[str, Row], desk: str, amount_bn_vnd: float, where: str) -> Row:
    """Find the desk that may sign an amount: each sends what is above its delegation one up.

    What is of no province is signed by a national desk.
    """
    found = desks[desk]
    while found["up"] and (
        amount_bn_vnd > found["delegation_bn_vnd"] or (found["level"] == "provincial" and not where)
    ):
        found = desks[found["up"]]
    return found
