"""What is told of targets: what is asked for, and how likely each policy reaches it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.plan.dates import told_date
from nts_sim.words import name_of, number, policy_in_text, say, sentence


@dataclass(frozen=True)
class TargetLine:
    """One target under one policy, in words and in numbers.

    Attributes
    ----------
    asked : what is to be reached, in a clause
    goal, mean : value asked for and mean under the policy, with their unit
    probability, low, high : chance that the policy reaches it, with its 95 % interval
    n : replications
    """

    target: str
    policy: str
    asked: str
    goal: str
    mean: str
    probability: float
    low: float
    high: float
    n: int

    @property
    def chance(self) -> str:
        """Tell how often the policy reaches it."""
        return say(
            "monitor.target.met", policy=policy_in_text(self.policy), n=self.n,
            probability=self.probability, low=self.low, high=self.high,
        )  # fmt: skip


def amount_text(value: float, unit: str) -> str:
    """Write a value with its unit; a share as per cent."""
    if unit == "share":
        return number(100.0 * value, "1") + say("format.percent")
    return say("monitor.target.number", value=value, unit=name_of("unit", unit))


def target_lines(
    frames: Mapping[str, pd.DataFrame], scenario: str, policies: Iterable[str]
) -> list[TargetLine]:
    """Tell every target of a scenario, or set, under some policies; target by target.

    Parameters
    ----------
    frames : result tables by name; without `targets` there is nothing to tell
    policies : in the order in which they are told; those without a row are passed over
    """
    if "targets" not in frames:
        return []
    table = frames["targets"][frames["targets"]["scenario"] == scenario]
    listed = list(dict.fromkeys(policies))
    return [
        _line(row)
        for target in table["target"].unique()
        for policy in listed
        for _, row in table[(table["target"] == target) & (table["policy"] == policy)].iterrows()
    ]


def target_sentences(lines: Iterable[TargetLine]) -> list[str]:
    """Tell one line a target: what is asked, and the chance of every policy."""
    by_target: dict[str, list[TargetLine]] = {}
    for line in lines:
        by_target.setdefault(line.target, []).append(line)
    return [
        say("monitor.target.line", asked=sentence(same[0].asked), goal=same[0].goal,
            chances=sentence("; ".join(line.chance for line in same)))
        for same in by_target.values()
    ]  # fmt: skip


def _line(row: pd.Series[float]) -> TargetLine:
    unit = str(row["unit"])
    return TargetLine(
        str(row["target"]), str(row["policy"]), _asked(row),
        amount_text(float(row["goal"]), unit), amount_text(float(row["mean"]), unit),
        float(row["probability"]), float(row["low"]), float(row["high"]), int(row["n"]),
    )  # fmt: skip


def _asked(row: pd.Series[float]) -> str:
    metric, change = str(row["metric"]), float(row["change_pct"])
    lower = BY_NAME[metric].lower_is_better
    key = ("less" if lower else "no_less_than") if change < 0 else (
        "no_more_than" if lower else "more"
    )  # fmt: skip
    against = str(row["against"])
    reference = (
        policy_in_text(against)
        if against
        else amount_text(float(row["reference"]), str(row["unit"]))
    )
    return say(
        f"monitor.target.{key}", metric=_metric(metric, str(row["key"])), size=abs(change),
        reference=reference, by=told_date(date.fromisoformat(str(row["by"]))),
    )  # fmt: skip


def _metric(metric: str, key: str) -> str:
    named = name_of("metric", metric)
    if key == "all":
        return named
    return say("monitor.target.of_key", metric=named, key=name_of(BY_NAME[metric].by, key))
