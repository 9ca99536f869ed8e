"""The order book and the gap table, as a planner reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nts_sim.decision.model import OrderKind, Ruling
from nts_sim.engine.facts import facts_of
from nts_sim.outcomes.accumulate import Tally
from nts_sim.outcomes.frames import TABLES, frame
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import days
from nts_sim.world.model import World

_UNITS = {
    OrderKind.DECLARE: "level", OrderKind.DRAW: "bn VND", OrderKind.RETURN: "units",
    OrderKind.MOBILISE: "units", OrderKind.MOVE: "units", OrderKind.SERVE: "share",
}  # fmt: skip

_IN_PLACE = (Kind.ARRIVE, Kind.CREDIT, Kind.LEVEL, Kind.TARGET)
"""Rows of the trace that say what an order brought."""
_SLACK = 1e-6
"""Units by which parts may fall short of their sum, by rounding."""


def order_table(
    scenario: str, policy: str, world: World, rulings: Sequence[Ruling], trace: Trace
) -> pd.DataFrame:
    """Tell the order book with names instead of numbers (table `orders`).

    Parameters
    ----------
    trace : the course of events in which the orders were given
    """
    there = _days_in_place(rulings, trace)
    rows = [_order_row(world, ruling, there[ruling.number]) for ruling in rulings]
    names = [column.name for column in TABLES["orders"]][2:]
    columns: dict[str, list[object]] = {name: [row[name] for row in rows] for name in names}
    count = len(rows)
    return frame("orders", {"scenario": [scenario] * count, "policy": [policy] * count, **columns})


def _days_in_place(rulings: Sequence[Ruling], trace: Trace) -> list[float]:
    """Day on which all that an order grants had come; NaN where it never did."""
    reached = np.zeros(len(rulings))
    found = np.full(len(rulings), np.nan)
    for row in trace[np.isin(trace["kind"], _IN_PLACE)]:
        order = int(row["order"])
        if order < 0:
            continue
        reached[order] += 0.0 if row["kind"] == Kind.TARGET else float(row["quantity"])
        wanted = rulings[order].to_come
        if row["kind"] == Kind.TARGET or (wanted > 0.0 and reached[order] >= wanted - _SLACK):
            found[order] = np.fmin(found[order], days(int(row["tick"])))
    return [float(day) for day in found]


def _order_row(world: World, ruling: Ruling, in_place_day: float) -> dict[str, object]:
    order, day = ruling.order, days(ruling.tick)
    place = int(world.cells.place[order.cell]) if order.cell >= 0 else order.place
    source = ruling.source if order.kind in (OrderKind.MOVE, OrderKind.MOBILISE) else -1
    return {
        "order": ruling.number,
        "day": day,
        "kind": order.kind.name.lower(),
        "place": _at(world.nodes.code, place),
        "name": _at(world.nodes.name, place),
        "source": _at(world.nodes.code, source),
        "source_name": _at(world.nodes.name, source),
        "resource": _at(world.resources.name, order.resource),
        "asked": order.quantity,
        "granted": ruling.granted,
        "unit": _UNITS[order.kind],
        "refusal": "" if ruling.refusal is None else str(ruling.refusal),
        "lead_days": max(0.0, ruling.expected_day - day),
        "fund": "" if ruling.fund < 0 else world.funds[ruling.fund].kind,
        "cost_bn_vnd": 0.0 if order.kind is OrderKind.DRAW else ruling.cost_bn_vnd,
        **_signed(world, ruling.desk),
        **_typical_days(world, ruling),
        "to_come": ruling.to_come,
        "in_place_day": in_place_day,
        "fund_opened_bn_vnd": (0.0 if ruling.fund < 0 else world.funds[ruling.fund].balance_bn_vnd),
        "reason": order.reason,
        "runner_up": order.runner_up,
        "automatic": ruling.automatic,
        **_authority(world, ruling.mechanism),
    }


def _signed(world: World, index: int) -> dict[str, object]:
    """Say who signs, and how much they may sign."""
    if index < 0:
        return {"desk": "", "desk_code": "", "desk_place": "", "delegation_bn_vnd": np.nan}
    desk = world.desks[index]
    code, _, place = desk.name.partition(".")
    limit = desk.delegation_bn_vnd if np.isfinite(desk.delegation_bn_vnd) else np.nan
    return {
        "desk": desk.title, "desk_code": code, "desk_place": place, "delegation_bn_vnd": limit,
    }  # fmt: skip


def _typical_days(world: World, ruling: Ruling) -> dict[str, object]:
    facts = facts_of(world)
    return {
        "approval_days": facts.approval_days[ruling.desk] if ruling.desk >= 0 else 0.0,
        "handover_days": facts.lead_days[ruling.mechanism] if ruling.mechanism >= 0 else 0.0,
        "last_part_days": ruling.last_part_days,
        "travel_days": ruling.travel_days,
    }


def _at(names: Sequence[str], index: int) -> str:
    return names[index] if index >= 0 else ""


def _authority(world: World, index: int) -> dict[str, object]:
    if index < 0:
        nothing = ("mechanism", "authority", "legal_basis", "legal_basis_checked")
        return {**dict.fromkeys(nothing, ""), "needs_level": 0}
    mechanism = world.mechanisms[index]
    return {
        "mechanism": mechanism.name,
        "authority": mechanism.authority,
        "legal_basis": mechanism.legal_basis,
        "legal_basis_checked": "checked" if mechanism.checked else "not checked",
        "needs_level": mechanism.trigger.declared_level,
    }


def gap_table(scenario: str, policy: str, world: World, tally: Tally) -> pd.DataFrame:
    """Say what each place needs, holds and lacks (table `gap`); only places with a need."""
    need, unmet = tally.required / tally.count
    held = tally.held / tally.count
    place, resource = np.nonzero(need > 0.0)
    return frame(
        "gap",
        {
            "scenario": [scenario] * len(place),
            "policy": [policy] * len(place),
            "place": [world.nodes.code[p] for p in place],
            "name": [world.nodes.name[p] for p in place],
            "resource": [world.resources.name[r] for r in resource],
            "need_units": need[place, resource],
            "held_units": held[place, resource],
            "gap_units": np.maximum(need - held, 0.0)[place, resource],
            "unmet_unit_days": unmet[place, resource],
            "met_day": tally.met_days.summary().mean.reshape(need.shape)[place, resource],
            "met_share": (tally.met_days.n / np.maximum(tally.needed, 1))[place, resource],
        },
    )
