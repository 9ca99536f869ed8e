"""What a little more would be worth: a billion in a fund, a day less, each way of mobilising."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.report.layout import Cell, Column, Table, amount, table
from nts_sim.report.plan_text import more_lines, share_lines
from nts_sim.words import name_of, number, say, sentence

Frames = Mapping[str, pd.DataFrame]
_LEAST_BN_VND = 5e-3
"""Saved by a day less, or by a mechanism at all, below which it is not listed."""


def is_priced(frames: Frames) -> bool:
    """Whether the run tells what a little more would be worth."""
    return len(frames["lead_value"]) > 0


def sentences(frames: Frames, view: View) -> list[str]:
    """Tell what a billion and a day more would save; else, which command tells it."""
    if not is_priced(frames):
        return [say("worth.command", command=f"nts-sim plan scenario={view.asked}")]
    return [*more_lines(frames), *share_lines(frames["contributions"])]


def money(frames: Frames) -> Table:
    """List money that would save something, the most valuable first."""
    rows = frames["marginal_money"]
    rows = rows[rows["saved_per_bn_vnd"] >= _LEAST_BN_VND]
    lines = [
        (fund_name(row), amount(row["from_day"], "0"), amount(row["saved_per_bn_vnd"]),
         _known(row["checked_bn_vnd"]), _known(row["holds_to_bn_vnd"]))
        for row in rows.to_dict("records")
    ]  # fmt: skip
    unit = name_of("unit", "bn VND")
    columns = (
        Column(say("worth.fund")), Column(say("worth.from_day"), form="0"),
        Column(say("worth.rate"), unit, "2"), Column(say("worth.checked"), unit, "2"),
        Column(say("worth.holds"), unit, "1"),
    )  # fmt: skip
    return table(columns, lines, say("worth.money_note"))


def fund_name(row: Mapping[Any, Any]) -> str:
    """Name a fund and whose it is."""
    name = sentence(name_of("fund", str(row["fund"])))
    return f"{name} ({row['owner']})" if row["owner"] else name


def mechanisms(frames: Frames) -> Table:
    """List what each mechanism saves, and what a day less of it would save more."""
    days = frames["lead_value"].set_index("mechanism")["saved_bn_vnd"]
    shares = frames["contributions"].set_index("mechanism")
    both = pd.DataFrame({"saves": shares["share_bn_vnd"], "share": shares["share"], "day": days})
    both = both[(both[["saves", "day"]].max(axis=1) >= _LEAST_BN_VND) & (both.index != "all")]
    both = both.sort_values(["saves", "day"], ascending=False)
    lines = [
        (sentence(name_of("mechanism", str(name))), _known(row["saves"]),
         _known(row["share"], "percent"), _known(row["day"]))
        for name, row in both.iterrows()
    ]  # fmt: skip
    unit = name_of("unit", "bn VND")
    columns = (
        Column(say("worth.mechanism")), Column(say("worth.saves"), unit, "1"),
        Column(say("worth.share"), form="percent"), Column(say("worth.day_less"), unit, "2"),
    )  # fmt: skip
    return table(columns, lines, say("worth.mechanism_note"))


def _known(value: float, form: str = "short") -> Cell:
    return Cell("") if value != value else Cell(number(value, form), value=float(value))
