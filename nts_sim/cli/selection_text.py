"""What a planner reads of a selection on a screen: one table, and what it is worth."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from nts_sim.cli.tell import aligned, verdict_of
from nts_sim.outcomes.selection import THE_SAME
from nts_sim.study.select import SAME
from nts_sim.words import say
from nts_sim.words.figures import figure


def _header() -> tuple[str, ...]:
    return (
        say("cli.column.policy"), say("cli.column.replications"), say("cli.column.burden"),
        say("cli.column.against_chosen"), say("cli.column.verdict"),
    )  # fmt: skip


def selection_text(table: pd.DataFrame) -> str:
    """Tell the policies, the chosen first, with the guarantee and what was saved.

    Parameters
    ----------
    table : `selection`, as `nts_sim.study.select` makes it
    """
    scenario = table["scenario"].iloc[0]
    title = say("cli.select.title", scenario=scenario)
    rows = [_header(), *(_row(row) for _, row in table.iterrows())]
    return "\n".join([title, aligned(rows), _worth(table), _saved(table)])


def _row(row: pd.Series[Any]) -> tuple[str, ...]:
    return (
        str(row["policy"]),
        figure(row["n"], ",d"),
        f"{figure(row['mean'], ',.0f')} ± {figure(row['half_width'], ',.0f')}",
        "" if row["rank"] == 1 else _difference(row),
        verdict_of(row),
    )


def _difference(row: pd.Series[Any]) -> str:
    """Word the paired difference; "±" is half the interval."""
    return f"{figure(row['diff'], '+,.1f')} ± {figure(row['diff_half_width'], ',.1f')}"


def _worth(table: pd.DataFrame) -> str:
    """Say how far the choice can be trusted."""
    first = table.iloc[0]
    policy, margin = first["policy"], figure(first["indifference_bn_vnd"], ",.3g")
    alike = [policy, *table["policy"][table["verdict"] == SAME]]
    if first["stopped"] == THE_SAME:
        listed = policy
        if len(alike) > 1:
            listed = say("cli.select.and", listed=", ".join(alike[:-1]), last=alike[-1])
        return say("cli.select.same", policies=listed, n=str(first["n"]))
    if first["method"] == "ocba":
        chance = figure(min(100.0 * first["probability"], 99.9), ".3g")
        return say("cli.select.estimate", policy=policy, margin=margin, chance=chance)
    if math.isnan(first["probability"]):
        return say("cli.select.no_guarantee", policy=policy)
    times = figure(100.0 * first["probability"], ".4g")
    return say("cli.select.guarantee", policy=policy, margin=margin, times=times)


def _saved(table: pd.DataFrame) -> str:
    spent, equal = int(table["n"].sum()), int(table["n"].max()) * len(table)
    told = {"spent": spent, "equal": equal}
    if equal <= spent:
        return say("cli.select.none_saved", **told)
    share = figure(1.0 - spent / equal, ".0%")
    return say("cli.select.saved", **told, saved=equal - spent, share=share)
