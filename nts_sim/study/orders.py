"""The order book and the gap table, as a planner reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nts_sim.decision.model import OrderKind, Ruling
from nts_sim.outcomes.accumulate import Tally
from nts_sim.outcomes.frames import TABLES, frame
from nts_sim.units import days
from nts_sim.world.model import World

_UNITS = {
    OrderKind.DECLARE: "level", OrderKind.DRAW: "bn VND", OrderKind.RETURN: "units",
    OrderKind.MOBILISE: "units", OrderKind.MOVE: "units", OrderKind.SERVE: "share",
}  # fmt: skip


def order_table(
    scenario: str, policy: str, world: World, rulings: Sequence[Ruling]
) -> pd.DataFrame:
    """Tell the order book with names instead of numbers (table `orders`)."""
    rows = [_order_row(world, ruling) for ruling in rulings]
    names = [column.name for column in TABLES["orders"]][2:]
    columns: dict[str, list[object]] = {name: [row[name] for row in rows] for name in names}
    count = len(rows)
    return frame("orders", {"scenario": [scenario] * count, "policy": [policy] * count, **columns})


def _order_row(world: World, ruling: Ruling) -> dict[str, object]:
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
        "desk": "" if ruling.desk < 0 else world.desks[ruling.desk].title,
        "reason": order.reason,
        "runner_up": order.runner_up,
        "automatic": ruling.automatic,
        **_authority(world, ruling.mechanism),
    }


def _at(names: Sequence[str], index: int) -> str:
    return names[index] if index >= 0 else ""


def _authority(world: World, index: int) -> dict[str, object]:
    if index < 0:
        return {"mechanism": "", "authority": "", "legal_basis": "", "legal_basis_checked": ""}
    mechanism = world.mechanisms[index]
    return {
        "mechanism": mechanism.name,
        "authority": mechanism.authority,
        "legal_basis": mechanism.legal_basis,
        "legal_basis_checked": "checked" if mechanism.checked else "not checked",
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
