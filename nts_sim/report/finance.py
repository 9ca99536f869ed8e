"""Who pays, in which order, and what is left."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.report.layout import Cell, Column, Table, amount, table
from nts_sim.report.sections import in_focus
from nts_sim.words import name_of, number, say, sentence


def finance(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """List who pays for the policy in focus, layer by layer, with what they opened with."""
    rows = in_focus(frames["finance"], view)
    cost = float(rows["spent_bn_vnd"].sum())
    lines = [
        (_layer(int(row["layer"])), sentence(name_of("fund", str(row["fund"]))),
         _known(row["opened_bn_vnd"]), amount(row["drawn_bn_vnd"]), amount(row["spent_bn_vnd"]),
         amount(row["spent_bn_vnd"] / cost if cost > 0.0 else 0.0, "percent"),
         _known(row["left_bn_vnd"]))
        for row in rows.to_dict("records")
    ]  # fmt: skip
    money = name_of("unit", "bn VND")
    columns = (
        Column(say("finance.layer")), Column(say("finance.fund")),
        Column(say("finance.opened"), money, "1"), Column(say("finance.drawn"), money, "2"),
        Column(say("finance.spent"), money, "2"), Column(say("finance.share"), form="percent"),
        Column(say("finance.left"), money, "1"),
    )  # fmt: skip
    return table(columns, lines, say("finance.note", cost=cost))


def _layer(number_of_layer: int) -> str:
    return say(f"finance.layer_{number_of_layer}")


def _known(money: float) -> Cell:
    """Write a balance; nothing for who pays without one."""
    return Cell("") if money != money else Cell(number(money), value=money)
