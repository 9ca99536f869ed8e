"""Who pays, in which order and how much is left; and by which ways help can be mobilised."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nts_sim.outcomes.accumulate import Tally
from nts_sim.outcomes.frames import frame
from nts_sim.outcomes.layout import (
    OWN_STOCK,
    OWNER_BUDGET,
    PREPARATION,
    UNCHARGED,
    Layout,
    layout_of,
)
from nts_sim.trace.fold import sums_at
from nts_sim.world.model import Effect, Floats, World

_FIXED_LAYER = {PREPARATION: 0, OWN_STOCK: 1, OWNER_BUDGET: 1, "account": 2, UNCHARGED: 6}
_PROVINCE, _PROVINCE_LATER, _NATION = 3, 4, 5


def finance_table(scenario: str, policy: str, world: World, tally: Tally) -> pd.DataFrame:
    """Tell what each kind of fund opened with, gave and has left (table `finance`)."""
    layout = layout_of(world)
    opened, spent = _opened(layout), _spent(layout, tally)
    drawn = np.where(np.isnan(opened), spent, tally.drawn / tally.count)
    layers = np.array([_layer(world, fund) for fund in layout.funds])
    shown = np.flatnonzero((opened > 0.0) | (spent > 0.0))
    order = shown[np.lexsort((shown, layers[shown]))]
    return frame(
        "finance",
        {
            "scenario": [scenario] * len(order),
            "policy": [policy] * len(order),
            "fund": [layout.funds[fund] for fund in order],
            "layer": layers[order],
            "opened_bn_vnd": opened[order],
            "drawn_bn_vnd": drawn[order],
            "spent_bn_vnd": spent[order],
            "left_bn_vnd": (opened - drawn)[order],
        },
    )


def _opened(layout: Layout) -> Floats:
    """Balances on day 0 by label, all owners together; NaN for payers without one."""
    world = layout.world
    money = np.full(len(layout.funds), np.nan)
    for number, fund in zip(layout.fund_kind, world.funds, strict=True):
        money[number] = np.nan_to_num(money[number]) + fund.balance_bn_vnd
    if world.terms.budget_bn_vnd > 0.0:
        money[layout.funds.index(PREPARATION)] = world.terms.budget_bn_vnd
    return money


def _spent(layout: Layout, tally: Tally) -> Floats:
    """Mean cost by label; all together they are the cost of the response."""
    n_resources, n_places = layout.stock_shape
    label = tally.flow_slot // (len(layout.mechanisms) * n_resources * n_places)
    return sums_at(label, tally.flow_cost, len(layout.funds)) / tally.count


def _layer(world: World, fund: str) -> int:
    """Tell when in turn a fund pays, as table `finance` numbers the turns."""
    if fund in _FIXED_LAYER:
        return _FIXED_LAYER[fund]
    if any(each.kind == fund and each.place is None for each in world.funds):
        return _NATION
    waits = any(m.fund_kind == fund and m.effect is Effect.MONEY and m.trigger.after_fund
                for m in world.mechanisms)  # fmt: skip
    return _PROVINCE_LATER if waits else _PROVINCE


def mechanism_table(scenario: str, world: World) -> pd.DataFrame:
    """Tell how long each mechanism takes by the tables, and whether its basis was checked."""
    listed = world.mechanisms
    return frame(
        "mechanisms",
        {
            "scenario": [scenario] * len(listed),
            "mechanism": [m.name for m in listed],
            "effect": [m.effect.name.lower() for m in listed],
            "fund": [m.fund_kind or "" for m in listed],
            "approval_days": [_approval_days(world, number) for number in range(len(listed))],
            "handover_days": [m.handover_days for m in listed],
            "enabled": [m.enabled for m in listed],
            "legal_basis_checked": ["checked" if m.checked else "not checked" for m in listed],
        },
    )


def _approval_days(world: World, number: int) -> float:
    """Return the median wait for a signature in normal times; of several desks, their median."""
    desks = [int(desk) for desk in world.mechanisms[number].desk if desk >= 0]
    return float(np.median([world.desks[desk].approval_days for desk in desks])) if desks else 0.0
