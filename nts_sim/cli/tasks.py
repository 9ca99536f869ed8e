"""The list of tasks of a run: of the policy in focus, reconciled before anything is written."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nts_sim.charts.gallery import view_of
from nts_sim.cli.prepare import Prepared
from nts_sim.plan.reconcile import allocation, reconcile
from nts_sim.plan.tasks import task_table


def tasks_of_comparison(frames: Mapping[str, pd.DataFrame], prepared: Prepared) -> pd.DataFrame:
    """Make the tasks of the policy and the scenario that the charts show."""
    view = view_of(frames, "", prepared.study.baseline)
    return _tasks(frames, prepared, view.scenario, view.policy)


def tasks_of_plan(frames: Mapping[str, pd.DataFrame], prepared: Prepared) -> pd.DataFrame:
    """Make the tasks of a plan; of a set of scenarios, in the one that asks for most money."""
    orders = frames["orders"]
    if orders.empty:
        return _tasks(frames, prepared, prepared.worlds[0][0], next(iter(prepared.policies)))
    asked = orders["cost_bn_vnd"] + orders["granted"].where(orders["kind"] == "draw", 0.0)
    totals = asked.groupby(orders["scenario"], sort=False).sum()
    return _tasks(frames, prepared, str(totals.idxmax()), str(orders["policy"].iloc[0]))


def _tasks(
    frames: Mapping[str, pd.DataFrame], prepared: Prepared, scenario: str, policy: str
) -> pd.DataFrame:
    starts = {
        name: spec.start_date
        for (name, _, _), (_, spec) in zip(prepared.worlds, prepared.scenarios, strict=True)
    }
    tasks = task_table(frames, prepared.tables, scenario, policy, starts[scenario])
    findings = reconcile(tasks, allocation(frames, scenario, policy))
    if findings:
        raise RuntimeError("; ".join(finding.told() for finding in findings[:5]))
    return tasks
