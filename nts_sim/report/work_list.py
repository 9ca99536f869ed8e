"""The first tasks of the accountable plan, with their Six Clarities."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.plan.tasks import task_lines
from nts_sim.report.layout import Column, Table, table
from nts_sim.report.sections import in_focus
from nts_sim.words import say

MOST = 10


def tasks(frames: Mapping[str, pd.DataFrame], view: View, most: int | None = MOST) -> Table:
    """List tasks of the policy in focus.

    Parameters
    ----------
    most : rows at most; None: all
    """
    there = len(in_focus(frames["tasks"], view))
    lines = [tuple(line) for line in task_lines(frames, view, there if most is None else most)]
    columns = [Column(say(f"worklist.{name}")) for name in _COLUMNS]
    return table(columns, lines, say("worklist.note", shown=len(lines), of=there))


_COLUMNS = ("task", "people", "work", "progress", "authority", "responsibility", "result")
