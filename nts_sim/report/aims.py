"""How likely each target is met, under the policy in focus and under the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.plan.targets import TargetLine, target_lines
from nts_sim.report.headline import interval
from nts_sim.report.layout import Cell, Column, Table, table
from nts_sim.words import name_of, number, say, sentence


def aims(frames: Mapping[str, pd.DataFrame], view: View, policies: Sequence[str]) -> Table:
    """List the targets, each with its chance under some policies.

    Parameters
    ----------
    policies : those shown, in their order
    """
    shown = list(dict.fromkeys(policies))
    found: dict[str, dict[str, TargetLine]] = {}
    for line in target_lines(frames, view.asked, shown):
        found.setdefault(line.target, {})[line.policy] = line
    rows: list[tuple[str | Cell, ...]] = [
        (sentence(first.asked), first.goal, *(_chance(lines.get(policy)) for policy in shown))
        for lines in found.values()
        for first in [next(iter(lines.values()))]
    ]
    columns = [Column(say("aims.target")), Column(say("aims.goal"))]
    columns += [Column(say("aims.chance", policy=name_of("policy", p)), form="percent")
                for p in shown]  # fmt: skip
    return table(columns, rows, say("aims.note"))


def _chance(line: TargetLine | None) -> Cell:
    if line is None:
        return Cell("")
    ends = interval(line.low, line.high, "share")
    return Cell(f"{number(line.probability, 'percent')} {ends}", value=line.probability)
