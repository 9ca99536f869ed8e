"""What a planner reads of a selection on a screen: one table, and what it is worth."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from nts_sim.cli.tell import aligned
from nts_sim.outcomes.selection import THE_SAME
from nts_sim.study.select import SAME

_HEADER = ("policy", "replications", "burden", "against the chosen", "verdict")


def selection_text(table: pd.DataFrame) -> str:
    """Tell the policies, the chosen first, with the guarantee and what was saved.

    Parameters
    ----------
    table : `selection`, as `nts_sim.study.select` makes it
    """
    scenario = table["scenario"].iloc[0]
    title = f"{scenario}: burden = harm + cost, bn VND, mean ± half of its 95 % interval"
    rows = [_HEADER, *(_row(row) for _, row in table.iterrows())]
    return "\n".join([title, aligned(rows), _worth(table), _saved(table)])


def _row(row: pd.Series[Any]) -> tuple[str, ...]:
    return (
        str(row["policy"]),
        f"{row['n']:,}",
        f"{row['mean']:,.0f} ± {row['half_width']:,.0f}",
        "" if row["rank"] == 1 else f"{row['diff']:+,.1f} ± {row['diff_half_width']:,.1f}",
        str(row["verdict"]),
    )


def _worth(table: pd.DataFrame) -> str:
    """Say how far the choice can be trusted."""
    first = table.iloc[0]
    chosen, near = first["policy"], f"or within {first['indifference_bn_vnd']:,.3g} bn VND of it"
    alike = [chosen, *table["policy"][table["verdict"] == SAME]]
    if len(alike) > 1:
        chosen = f"{', '.join(alike[:-1])} and {alike[-1]}"
    if first["stopped"] == THE_SAME:
        return f"{chosen} did the same in all {first['n']} replications, and none did better."
    if first["method"] == "ocba":
        chance = f"about {min(100.0 * first['probability'], 99.9):.3g} %"
        return f"{first['policy']} does best. It is the best, {near}: {chance} (an estimate)."
    if math.isnan(first["probability"]):
        return (
            f"{first['policy']} does best so far, but the budget ended before the others could be "
            f"left out: no guarantee. More: selection.budget=…, or a larger indifference."
        )
    times = f"at least {100.0 * first['probability']:.4g} of 100 selections like this one"
    return f"{first['policy']} is chosen. In {times} the chosen is the best policy, {near}."


def _saved(table: pd.DataFrame) -> str:
    spent, equal = int(table["n"].sum()), int(table["n"].max()) * len(table)
    saved = (
        f"{equal - spent:,} ({1.0 - spent / equal:.0%}) saved" if equal > spent else "none saved"
    )
    return f"{spent:,} replications; as many of every policy would be {equal:,}: {saved}."
