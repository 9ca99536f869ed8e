"""Targets: what is to be reached, by how much and when, and how likely a policy reaches it.

A target asks for a change of one outcome, such as harm 5 % below that of today's practice. Its goal
is a number: the reference's mean times (1 + change / 100). A policy's chance to meet the target is
the share of replications in which its outcome is at least as good as that number. The number is
fixed, not recomputed for each course of events, since that is how a target is judged afterwards: by
the record, in which nobody knows what another policy would have come to. Luck counts in it, so the
chance of the reference itself is told beside it; `comparison` tells the policies apart on the same
luck.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd

from nts_sim.errors import InvalidInput, Problem
from nts_sim.outcomes.frames import TABLES, frame
from nts_sim.outcomes.metrics import BY_NAME, METRICS
from nts_sim.spec.models import ScenarioSpec, Study, TargetSpec
from nts_sim.tables.names import nearest
from nts_sim.words import say

_NORMAL_975: Final = 1.959963984540054
"""The standard normal law has 2.5 % above it."""
_SLACK: Final = 1e-9
"""Relative; a smaller miss of a goal is rounding."""


def wilson(met: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of which `met` of `n` were counted.

    The score interval of Wilson (1927), "Probable inference, the law of succession, and statistical
    inference", JASA 22; recommended by Newcombe (1998), Statistics in Medicine 17, 857-872, whose
    values the tests check. NaN where nothing was counted.
    """
    if not n:
        return float("nan"), float("nan")
    z2, share = _NORMAL_975**2, met / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _NORMAL_975 / (1 + z2 / n) * float(np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)))
    return (0.0 if met == 0 else middle - half), (1.0 if met == n else middle + half)


def goal_of(spec: TargetSpec, reference: float) -> float:
    """Return the value asked for; a share is never asked to exceed 1."""
    goal = reference * (1.0 + spec.change_pct / 100.0)
    return min(goal, 1.0) if BY_NAME[spec.metric].unit == "share" else goal


def meets(metric: str, value: pd.Series[float], goal: float) -> pd.Series[bool]:
    """Say which values are at least as good as the goal."""
    slack = _SLACK * abs(goal)
    return value <= goal + slack if BY_NAME[metric].lower_is_better else value >= goal - slack


def end_of(scenario: ScenarioSpec) -> date:
    """Day on which a scenario is over; outcomes are those of the time before."""
    return scenario.start_date + timedelta(days=scenario.horizon_days)


def targets_table(study: Study, outcomes: pd.DataFrame, ends: Mapping[str, date]) -> pd.DataFrame:
    """Tell how likely every policy meets every target (table `targets`).

    A target against a policy that was not simulated is left out: there is nothing to hold it to.

    Parameters
    ----------
    study : gives targets and baseline
    outcomes : table `outcomes`
    ends : scenario → day on which it is over
    """
    rows = [
        row
        for scenario in outcomes["scenario"].unique()
        for name, spec in study.target.goals.items()
        for row in _rows(study, name, spec, outcomes[outcomes["scenario"] == scenario], ends)
    ]
    columns = [column.name for column in TABLES["targets"]]
    return frame("targets", {column: [row[column] for row in rows] for column in columns})


def _rows(
    study: Study, name: str, spec: TargetSpec, outcomes: pd.DataFrame, ends: Mapping[str, date]
) -> Iterator[dict[str, object]]:
    of_metric = outcomes[(outcomes["metric"] == spec.metric) & (outcomes["key"] == spec.key)]
    values = {policy: rows["value"].dropna() for policy, rows in of_metric.groupby("policy")}
    against = "" if spec.baseline_value is not None else spec.against or study.baseline
    if spec.baseline_value is None and not len(values.get(against, ())):
        return
    reference = float(values[against].mean()) if against else float(spec.baseline_value or 0.0)
    goal, scenario = goal_of(spec, reference), str(outcomes["scenario"].iloc[0])
    for policy in [p for p in outcomes["policy"].unique() if len(values.get(p, ()))]:
        met, n = int(meets(spec.metric, values[policy], goal).sum()), len(values[policy])
        low, high = wilson(met, n)
        yield {
            "scenario": scenario, "policy": policy, "target": name, "metric": spec.metric,
            "key": spec.key, "unit": BY_NAME[spec.metric].unit, "change_pct": spec.change_pct,
            "against": against, "reference": reference, "goal": goal,
            "by": (spec.by or ends[scenario]).isoformat(), "n": n,
            "mean": float(values[policy].mean()), "probability": met / n, "low": low, "high": high,
        }  # fmt: skip


def check_targets(study: Study, scenarios: Sequence[ScenarioSpec]) -> None:
    """Refuse targets that could never be judged.

    Parameters
    ----------
    scenarios : the scenario, or the members of the set

    Raises
    ------
    InvalidInput
        With every problem.
    """
    problems = [
        Problem(f"target.goals.{name}.{key}", what)
        for name, spec in study.target.goals.items()
        for key, what in _problems(study, spec, scenarios)
    ]
    if problems:
        raise InvalidInput(problems)


def _problems(
    study: Study, spec: TargetSpec, scenarios: Sequence[ScenarioSpec]
) -> Iterator[tuple[str, str]]:
    if spec.metric not in BY_NAME:
        yield "metric", _unknown_metric(spec.metric)
    elif spec.key == "all" and not _has_total(spec.metric):
        yield "key", say("monitor.wrong.target.no_total", metric=spec.metric)
    compared = (*study.policies, study.baseline)
    if spec.against is not None and spec.against not in compared:
        listed = ", ".join(dict.fromkeys(compared))
        yield "against", say("monitor.wrong.target.against", given=spec.against, known=listed)
    end = max(map(end_of, scenarios), default=None)
    if spec.by is not None and end is not None and spec.by < end:
        yield "by", say("monitor.wrong.target.too_early", given=spec.by, end=end)


def _has_total(metric: str) -> bool:
    return BY_NAME[metric].by == "all" or BY_NAME[metric].with_total


def _unknown_metric(given: str) -> str:
    close = nearest(given, tuple(BY_NAME))
    if close:
        return say("monitor.wrong.target.metric_near", given=given, near=close)
    listed = ", ".join(metric.name for metric in METRICS if _has_total(metric.name))
    return say("monitor.wrong.target.metric", given=given, known=listed)
