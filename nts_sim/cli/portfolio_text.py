"""What a planner reads of portfolios on a screen: one table, and what to make of it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nts_sim.cli.tell import aligned
from nts_sim.outcomes.compare import BEHIND
from nts_sim.spec.portfolio import NONE
from nts_sim.study.portfolios import EVALUATION, PLANNING

_HEADER = (
    "portfolio", "cost", "burden", "against none", "better in", "saved before cost", "verdict",
)  # fmt: skip


def portfolio_text(table: pd.DataFrame) -> str:
    """Tell the portfolios, best first, and how the best fares on draws nothing was chosen by.

    Parameters
    ----------
    table : `portfolios`, as `nts_sim.study.portfolios` makes it
    """
    chosen_by = table[table["draws"] == PLANNING].sort_values("rank")
    first = chosen_by.iloc[0]
    title = (
        f"{first['scenario']}: portfolios of measures, planned by {first['policy']}; bn VND, mean "
        f"of {first['n']} planning draws"
    )
    rows = [_HEADER, *(_row(row) for _, row in chosen_by.iterrows())]
    return "\n".join([title, aligned(rows), *_tied(chosen_by), _judged(table, chosen_by)])


def _row(row: pd.Series[Any]) -> tuple[str, ...]:
    is_none = row["portfolio"] == NONE.name
    return (
        str(row["portfolio"]),
        f"{row['cost_bn_vnd']:,.0f}",
        f"{row['mean']:,.0f} [{row['low']:,.0f}, {row['high']:,.0f}]",
        "" if is_none else _difference(row),
        "" if is_none else f"{row['better_share']:.0%}",
        "" if is_none else f"{row['saved_bn_vnd']:,.0f}",
        str(row["verdict"]),
    )


def _difference(row: pd.Series[Any]) -> str:
    """Word the paired difference; "±" is half the interval."""
    return f"{row['diff']:+,.0f} ± {row['half_width']:,.0f}"


def _tied(chosen_by: pd.DataFrame) -> list[str]:
    """Name the cheapest portfolio that these draws do not tell from the best, if it is cheaper."""
    near = chosen_by[chosen_by["verdict"] != BEHIND]
    cheapest = near.sort_values("cost_bn_vnd", kind="stable").iloc[0]
    if cheapest["cost_bn_vnd"] >= chosen_by["cost_bn_vnd"].iloc[0]:
        return []
    return [
        f"Not told apart from the best on these draws: {len(near) - 1}; the cheapest of them: "
        f"{cheapest['portfolio']}, {cheapest['cost_bn_vnd']:,.0f} bn VND."
    ]


def _judged(table: pd.DataFrame, chosen_by: pd.DataFrame) -> str:
    """Say whether the best portfolio that holds a measure pays, on evaluation draws."""
    rows = table[(table["draws"] == EVALUATION) & (table["portfolio"] != NONE.name)]
    row = rows.iloc[0]
    name = str(row["portfolio"])
    opening = "" if chosen_by["portfolio"].iloc[0] == name else "No measure does best; the next, "
    return (
        f"{opening}{name} against none on {row['n']} draws that nothing was chosen by: "
        f"{_difference(row)} bn VND, better in {row['better_share']:.0%} of them. {_verdict(row)}"
    )


def _verdict(row: pd.Series[Any]) -> str:
    if abs(row["diff"]) <= row["half_width"]:
        return "Not told apart: it may or may not pay."
    return "It pays." if row["diff"] < 0.0 else "It does not pay."
