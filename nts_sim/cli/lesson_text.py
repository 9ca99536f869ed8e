"""What a planner reads on a screen of what was learnt from a sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from nts_sim.cli.tell import aligned
from nts_sim.words import name_of, say
from nts_sim.words.figures import figure

Frames = Mapping[str, pd.DataFrame]
_SHOWN: Final = 24


def lesson_text(verb: str, frames: Frames) -> str:
    """Return the tables of a verb in short."""
    return _TEXTS[verb](frames)


def _short(value: float) -> str:
    if not np.isfinite(value):
        return say("format.unknown")
    return figure(value, ",.3g" if abs(value) < 1000.0 else ",.0f")


def _between(row: Mapping[Any, Any]) -> str:
    return f"[{_short(row['low'])}{say('cli.list_mark')} {_short(row['high'])}]"


def _sensitivity(frames: Frames) -> str:
    table = frames["sensitivity"]
    sobol = table["method"].iloc[0] == "sobol"
    lead = "in_all" if sobol else "effect"
    parts = []
    for (policy, baseline), rows in table.groupby(["policy", "baseline"], sort=False):
        wide = rows.pivot_table(index="axis", columns="measure", values="value", dropna=False)
        first = rows[rows["measure"] == lead].sort_values("value", ascending=False, kind="stable")
        less = {"policy": policy, "baseline": baseline}
        outcome = say("cli.lesson.less", **less) if baseline else policy
        shown = [_input(row, wide.loc[row["axis"]], sobol) for row in first.to_dict("records")]
        parts.append(f"{_sensitivity_title(rows.iloc[0], sobol)}: {outcome}\n"
                     + aligned([_input_header(sobol), *shown]))  # fmt: skip
    return "\n\n".join(parts)


def _input_header(sobol: bool) -> tuple[str, ...]:
    if sobol:
        return (
            say("cli.column.input"), say("cli.column.variance"), say("cli.column.interval"),
            say("cli.column.by_itself"),
        )  # fmt: skip
    return (
        say("cli.column.input"), say("cli.column.effect"), say("cli.column.interval"),
        say("cli.column.signed"), say("cli.column.spread"),
    )  # fmt: skip


def _sensitivity_title(row: pd.Series[Any], sobol: bool) -> str:
    if sobol:
        return say("cli.sensitivity.shares", metric=row["metric"])
    return say("cli.sensitivity.effects", metric=row["metric"], unit=_unit(row))


def _unit(row: pd.Series[Any]) -> str:
    return name_of("unit", str(row["unit"]))


def _input(row: Mapping[Any, Any], of: pd.Series[Any], sobol: bool) -> tuple[str, ...]:
    further = ("alone",) if sobol else ("signed_effect", "spread")
    return (row["axis"], _short(row["value"]), _between(row), *(_short(of[m]) for m in further))


def _discover(frames: Frames) -> str:
    boxes = frames["boxes"]
    rows = [
        (str(row["box"]), row["axis"], _limit(row), str(row["cells"]), str(row["failing"]),
         figure(row["density"], ".0%"), figure(row["coverage"], ".0%"),
         figure(row["quasi_p"], ".2g"))
        for row in boxes.to_dict("records")
    ]  # fmt: skip
    if not rows:
        return ""
    header = (
        say("cli.column.box"), say("cli.column.input"), say("cli.column.limit"),
        say("cli.column.cells"), say("cli.column.failing"), say("cli.column.density"),
        say("cli.column.coverage"), say("cli.column.by_chance"),
    )  # fmt: skip
    return aligned([header, *rows])


def _limit(row: Mapping[Any, Any]) -> str:
    return row["options"] or f"{row['side']} {_short(row['limit'])}"


def _robustness(frames: Frames) -> str:
    table = frames["robustness"]
    enough = frames["satisficing"].set_index("policy")
    rows = [
        (row["policy"], f"{_short(row['largest_regret'])} {_between(row)}",
         _met(row), _short(row["mean_regret"]),
         say("cli.robustness.best_in", n=row["best_in"], of=row["futures"]),
         str(row["clearly_behind_in"]),
         _share(enough.loc[row["policy"]]))
        for row in table.to_dict("records")
    ]  # fmt: skip
    header = (
        say("cli.column.policy"), say("cli.column.largest_regret"), say("cli.column.met_in"),
        say("cli.column.mean_regret"), say("cli.column.best_in"), say("cli.column.behind_in"),
        say("cli.column.enough_in"),
    )  # fmt: skip
    first = table.iloc[0]
    title = say("cli.robustness.title", metric=first["metric"], unit=_unit(first))
    return f"{title}\n{aligned([header, *rows])}"


def _met(row: Mapping[Any, Any]) -> str:
    if row["largest_regret"] > 0.0:
        return say("cli.robustness.met", cell=row["cell"], scenario=row["scenario"])
    return say("cli.robustness.nowhere")


def _share(row: pd.Series[Any]) -> str:
    if not np.isfinite(row["share"]):
        return say("format.unknown")
    ends = figure(row["share_low"], ".0%"), figure(row["share_high"], ".0%")
    return f"{figure(row['share'], '.0%')} [{(say('cli.list_mark') + ' ').join(ends)}]"


def _breakeven(frames: Frames) -> str:
    table = frames["breakeven"]
    rows = [
        (_value(row), row["rival"], str(row["n"]), figure(row["diff"], "+,.1f"), _between(row))
        for row in table.to_dict("records")
    ]
    first = table.iloc[0]
    header = (
        first["axis"], say("cli.column.rival"), say("cli.column.n"),
        say("cli.column.less_rival", policy=first["policy"]), say("cli.column.interval"),
    )  # fmt: skip
    more = [say("cli.breakeven.more", n=len(rows) - _SHOWN)] if len(rows) > _SHOWN else []
    told = {"metric": first["metric"], "unit": _unit(first), "policy": first["policy"]}
    title = say("cli.breakeven.title", **told)
    return "\n".join([title, aligned([header, *rows[:_SHOWN]]), *more])


def _value(row: Mapping[Any, Any]) -> str:
    """Write a value of the key as a planner types it."""
    value = f"{row['value']:g}"
    return say("cli.breakeven.in_use", value=value) if row["shipped"] else value


_TEXTS: Final[Mapping[str, Callable[[Frames], str]]] = {
    "sensitivity": _sensitivity, "discover": _discover, "robustness": _robustness,
    "breakeven": _breakeven,
}  # fmt: skip
