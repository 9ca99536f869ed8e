"""The chart of a plan's schedule."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nts_sim.charts.frame import Chart, View
from nts_sim.charts.gantt import gantt
from nts_sim.plan.clarities import rows_of, work
from nts_sim.plan.names import Names


def schedule_chart(frames: Mapping[str, pd.DataFrame], run_id: str) -> Chart:
    """Draw the schedule of the tasks, with names in the language being spoken.

    Parameters
    ----------
    frames : result tables: tasks and directory
    """
    tasks, names = frames["tasks"], Names(frames["directory"])
    rows = list(rows_of(tasks))
    told = tasks.assign(
        unit=[names.agency(row["unit_in_charge"]) for row in rows],
        work=[work(row, names) for row in rows],
    )
    scenario, policy = ("", "") if tasks.empty else tasks[["scenario", "policy"]].iloc[0]
    view = View(str(scenario), str(scenario), str(policy), "", run_id, replications=1)
    return gantt(told, view)
