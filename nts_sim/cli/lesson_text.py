"""What a planner reads on a screen of what was learnt from a sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from nts_sim.cli.tell import aligned

Frames = Mapping[str, pd.DataFrame]
_SHOWN: Final = 24


def lesson_text(verb: str, frames: Frames) -> str:
    """Return the tables of a verb in short."""
    return _TEXTS[verb](frames)


def _short(value: float) -> str:
    if not np.isfinite(value):
        return "not known"
    return f"{value:,.3g}" if abs(value) < 1000.0 else f"{value:,.0f}"


def _between(row: Mapping[Any, Any]) -> str:
    return f"[{_short(row['low'])}, {_short(row['high'])}]"


def _sensitivity(frames: Frames) -> str:
    table = frames["sensitivity"]
    sobol = table["method"].iloc[0] == "sobol"
    lead = "in_all" if sobol else "effect"
    parts = []
    for (policy, baseline), rows in table.groupby(["policy", "baseline"], sort=False):
        wide = rows.pivot_table(index="axis", columns="measure", values="value", dropna=False)
        first = rows[rows["measure"] == lead].sort_values("value", ascending=False, kind="stable")
        outcome = f"{policy} less {baseline}" if baseline else policy
        shown = [_input(row, wide.loc[row["axis"]], sobol) for row in first.to_dict("records")]
        parts.append(f"{_sensitivity_title(rows.iloc[0], sobol)}: {outcome}\n"
                     + aligned([_HEADS[sobol], *shown]))  # fmt: skip
    return "\n\n".join(parts)


_HEADS: Final = {
    True: ("input", "share of variance", "95 %", "by itself"),
    False: ("input", "mean effect", "95 %", "signed", "spread"),
}


def _sensitivity_title(row: pd.Series[Any], sobol: bool) -> str:
    if sobol:
        return f"{row['metric']}, shares of its variance over the ranges given"
    return f"{row['metric']}, change in {row['unit']} over the whole range of an input"


def _input(row: Mapping[Any, Any], of: pd.Series[Any], sobol: bool) -> tuple[str, ...]:
    further = ("alone",) if sobol else ("signed_effect", "spread")
    return (row["axis"], _short(row["value"]), _between(row), *(_short(of[m]) for m in further))


def _discover(frames: Frames) -> str:
    boxes = frames["boxes"]
    rows = [
        (str(row["box"]), row["axis"], _limit(row), str(row["cells"]), str(row["failing"]),
         f"{row['density']:.0%}", f"{row['coverage']:.0%}", f"{row['quasi_p']:.2g}")
        for row in boxes.to_dict("records")
    ]  # fmt: skip
    if not rows:
        return ""
    header = ("box", "input", "limit", "cells", "failing", "density", "coverage", "by chance")
    return aligned([header, *rows])


def _limit(row: Mapping[Any, Any]) -> str:
    return row["options"] or f"{row['side']} {_short(row['limit'])}"


def _robustness(frames: Frames) -> str:
    table = frames["robustness"]
    enough = frames["satisficing"].set_index("policy")
    rows = [
        (row["policy"], f"{_short(row['largest_regret'])} {_between(row)}",
         _met(row), _short(row["mean_regret"]),
         f"{row['best_in']} of {row['futures']}", str(row["clearly_behind_in"]),
         _share(enough.loc[row["policy"]]))
        for row in table.to_dict("records")
    ]  # fmt: skip
    header = ("policy", "largest regret", "met in", "mean regret", "best in", "clearly behind in",
              "good enough in")  # fmt: skip
    first = table.iloc[0]
    return f"regret in {first['metric']}, {first['unit']}\n{aligned([header, *rows])}"


def _met(row: Mapping[Any, Any]) -> str:
    return f"cell {row['cell']}, {row['scenario']}" if row["largest_regret"] > 0.0 else "nowhere"


def _share(row: pd.Series[Any]) -> str:
    if not np.isfinite(row["share"]):
        return "not known"
    return f"{row['share']:.0%} [{row['share_low']:.0%}, {row['share_high']:.0%}]"


def _breakeven(frames: Frames) -> str:
    table = frames["breakeven"]
    rows = [
        (f"{row['value']:g}" + (" (in use)" if row["shipped"] else ""), row["rival"],
         str(row["n"]), f"{row['diff']:+,.1f}", _between(row))
        for row in table.to_dict("records")
    ]  # fmt: skip
    first = table.iloc[0]
    header = (first["axis"], "best rival", "n", f"{first['policy']} less rival", "95 %")
    more = [f"… and {len(rows) - _SHOWN} more values"] if len(rows) > _SHOWN else []
    title = (
        f"{first['metric']}, {first['unit']}; {first['policy']} is preferred at the value in use"
    )
    return "\n".join([title, aligned([header, *rows[:_SHOWN]]), *more])


_TEXTS: Final[Mapping[str, Callable[[Frames], str]]] = {
    "sensitivity": _sensitivity, "discover": _discover, "robustness": _robustness,
    "breakeven": _breakeven,
}  # fmt: skip
