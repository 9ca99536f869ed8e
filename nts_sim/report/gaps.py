"""Need, held, gap: what places require, have and lack, and from which day on it is met."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.report.layout import Cell, Column, Table, amount, table
from nts_sim.report.sections import in_focus
from nts_sim.words import name_of, number, say

MOST = 15
_NEVER = 5e-4
"""Share of replications below which a need counts as never met."""


def gaps(frames: Mapping[str, pd.DataFrame], view: View, most: int | None = MOST) -> Table:
    """List what the hardest-pressed places need, hold and lack, by what stays unmet.

    Parameters
    ----------
    most : rows at most, and only of what stays unmet; None: all needs
    """
    rows = in_focus(frames["gap"], view).sort_values("unmet_unit_days", ascending=False)
    if most is not None:
        rows = rows[rows["unmet_unit_days"] > 0.0]
    lines = [
        (row["name"], name_of("resource", row["resource"]), amount(row["need_units"]),
         amount(row["held_units"]), amount(row["gap_units"]), amount(row["unmet_unit_days"]),
         _met(row["met_day"], row["met_share"]), amount(row["met_share"], "percent"))
        for row in rows.head(most if most is not None else len(rows)).to_dict("records")
    ]  # fmt: skip
    units = name_of("unit", "units")
    columns = [
        Column(say("report.gaps.place")), Column(say("report.gaps.resource")),
        Column(say("gaps.need"), units, "1"), Column(say("gaps.held"), units, "0"),
        Column(say("gaps.gap"), units, "1"),
        Column(say("gaps.unmet"), name_of("unit", "unit-days"), "1"),
        Column(say("gaps.met_day"), form="1"), Column(say("gaps.met_share"), form="percent"),
    ]  # fmt: skip
    note = say("report.gaps.note", shown=len(lines), of=len(rows)) if most is not None else ""
    return table(columns, lines, f"{note} {say('gaps.note')}".strip())


def _met(day: float, share: float) -> Cell:
    """Tell from which day on a need is met; nothing is known of one that never is."""
    return Cell(say("gaps.never")) if share < _NEVER else Cell(number(day, "1"), value=day)
