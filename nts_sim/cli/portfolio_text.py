"""What a planner reads of portfolios on a screen: one table, and what to make of it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nts_sim.cli.tell import aligned, mean_and_interval, verdict_of
from nts_sim.outcomes.compare import BEHIND
from nts_sim.spec.portfolio import NONE
from nts_sim.study.portfolios import EVALUATION, PLANNING
from nts_sim.words import say
from nts_sim.words.figures import figure


def _header() -> tuple[str, ...]:
    return (
        say("cli.column.portfolio"), say("cli.column.cost"), say("cli.column.burden"),
        say("cli.column.against_none"), say("cli.column.better_in"), say("cli.column.saved"),
        say("cli.column.verdict"),
    )  # fmt: skip


def portfolio_text(table: pd.DataFrame) -> str:
    """Tell the portfolios, best first, and how the best fares on draws nothing was chosen by.

    Parameters
    ----------
    table : `portfolios`, as `nts_sim.study.portfolios` makes it
    """
    chosen_by = table[table["draws"] == PLANNING].sort_values("rank")
    first = chosen_by.iloc[0]
    told = {name: str(first[name]) for name in ("scenario", "policy", "n")}
    title = say("cli.portfolios.title", **told)
    rows = [_header(), *(_row(row) for _, row in chosen_by.iterrows())]
    return "\n".join([title, aligned(rows), *_tied(chosen_by), _judged(table, chosen_by)])


def _row(row: pd.Series[Any]) -> tuple[str, ...]:
    is_none = row["portfolio"] == NONE.name
    return (
        str(row["portfolio"]),
        figure(row["cost_bn_vnd"], ",.0f"),
        mean_and_interval(row),
        "" if is_none else _difference(row),
        "" if is_none else figure(row["better_share"], ".0%"),
        "" if is_none else figure(row["saved_bn_vnd"], ",.0f"),
        verdict_of(row),
    )


def _difference(row: pd.Series[Any]) -> str:
    """Word the paired difference; "±" is half the interval."""
    return f"{figure(row['diff'], '+,.0f')} ± {figure(row['half_width'], ',.0f')}"


def _tied(chosen_by: pd.DataFrame) -> list[str]:
    """Name the cheapest portfolio that these draws do not tell from the best, if it is cheaper."""
    near = chosen_by[chosen_by["verdict"] != BEHIND]
    cheapest = near.sort_values("cost_bn_vnd", kind="stable").iloc[0]
    if cheapest["cost_bn_vnd"] >= chosen_by["cost_bn_vnd"].iloc[0]:
        return []
    cost = figure(cheapest["cost_bn_vnd"], ",.0f")
    told = {"cheapest": cheapest["portfolio"], "cost": cost}
    return [say("cli.portfolios.tied", n=len(near) - 1, **told)]


def _judged(table: pd.DataFrame, chosen_by: pd.DataFrame) -> str:
    """Say whether the best portfolio that holds a measure pays, on evaluation draws."""
    rows = table[(table["draws"] == EVALUATION) & (table["portfolio"] != NONE.name)]
    row = rows.iloc[0]
    name = str(row["portfolio"])
    does_best = chosen_by["portfolio"].iloc[0] == name
    judged = say(
        "cli.portfolios.judged_best" if does_best else "cli.portfolios.judged_next",
        portfolio=name, n=str(row["n"]), diff=_difference(row),
        share=figure(row["better_share"], ".0%"),
    )  # fmt: skip
    return f"{judged} {_verdict(row)}"


def _verdict(row: pd.Series[Any]) -> str:
    if abs(row["diff"]) <= row["half_width"]:
        return say("cli.portfolios.unclear")
    return say("cli.portfolios.pays" if row["diff"] < 0.0 else "cli.portfolios.does_not_pay")
