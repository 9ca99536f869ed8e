"""The first screen: five numbers, a verdict in plain words, what it costs, who stays short."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.outcomes.compare import LEVEL, replications_to_tell, t_quantile
from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.report.layout import Column, Table, table
from nts_sim.words import name_of, number, policy_in_text, say, sentence

FIVE = (
    "harm_bn_vnd", "affected_person_days", "served_share", "served_share_worst", "cost_bn_vnd",
)  # fmt: skip
_CAVEATS = ("cost_bn_vnd", "affected_person_days", "served_share", "served_share_worst")
"""What is told of a better policy where it is clearly worse than the baseline."""
_JUDGE = "total_burden_bn_vnd"
_HOPELESS = 20_000
"""From so many more replications on, a difference is too small to matter."""
_MOST_FUNDS = 4
_MOST_PLACES = 5
_LEAST_NEED = 0.01
"""Share of all need below which a province is not listed as uncovered."""


def measured(value: float, unit: str, *, signed: bool = False) -> str:
    """Write a value of a metric: shares as per cent, all else by three figures.

    Differences of shares (`signed`) are percentage points, said by `_change`.
    """
    if unit == "share":
        return number(100.0 * value, "signed") if signed else number(value, "percent")
    return number(value, "signed" if signed else "short")


def interval(low: float, high: float, unit: str, *, signed: bool = False) -> str:
    """Write an interval."""
    return say("report.interval", low=measured(low, unit, signed=signed),
               high=measured(high, unit, signed=signed))  # fmt: skip


def with_interval(row: pd.Series[Any], value: str, unit: str, *, signed: bool = False) -> str:
    """Write a value and its interval; one that is not known only once.

    Parameters
    ----------
    row : with the columns `value`, low and high
    value : name of the column that holds the value
    unit : str; a share is not written beyond 0 and 1, where the interval of its mean may reach
    signed : a difference, of shares in percentage points
    """
    middle, low, high = (float(row[column]) for column in (value, "low", "high"))
    if not math.isfinite(middle):
        return number(middle)
    text = measured(middle, unit, signed=signed)
    if unit == "share" and signed:
        text = say("report.points", value=text)
    if unit == "share" and not signed:
        low, high = max(low, 0.0), min(high, 1.0)
    both = math.isfinite(low) and math.isfinite(high)
    return f"{text} {interval(low, high, unit, signed=signed)}" if both else text


def total(summary: pd.DataFrame, scenario: str, policy: str, metric: str) -> pd.Series[Any] | None:
    """Find the row of a metric, all keys together; None where it was not measured."""
    rows = summary[(summary["scenario"] == scenario) & (summary["policy"] == policy)
                   & (summary["metric"] == metric) & (summary["key"] == "all")]  # fmt: skip
    return rows.iloc[0] if len(rows) else None


def against(
    comparison: pd.DataFrame, view: View, metric: str, policy: str
) -> pd.Series[Any] | None:
    """Find the paired difference of a policy to the baseline; None where there is none."""
    rows = comparison[(comparison["scenario"] == view.asked) & (comparison["metric"] == metric)]
    rows = rows[(rows["policy"] == policy) & (rows["key"] == "all")]
    return rows.iloc[0] if len(rows) else None


def rival(frames: Mapping[str, pd.DataFrame], view: View) -> str | None:
    """Choose the policy shown beside the baseline: the one in focus, else the next in rank."""
    if view.policy != view.baseline:
        return view.policy
    rows = frames["ranking"]
    rows = rows[(rows["scenario"] == view.asked) & (rows["metric"] == _JUDGE)]
    others = [str(p) for p in rows.sort_values("rank")["policy"] if p != view.baseline]
    return others[0] if others else None


def five_numbers(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """Five numbers of a policy with their intervals, against the baseline."""
    other = rival(frames, view)
    shown = [p for p in (other, view.baseline) if p is not None and _known(frames, view, p)]
    rows = [row for metric in FIVE if (row := _five_row(frames, view, metric, shown))]
    columns = [Column(say("report.five.metric")), Column(say("report.five.unit"))]
    columns += [Column(sentence(name_of("policy", policy)), form="2") for policy in shown]
    if len(shown) == 2:
        columns.append(Column(say("report.five.difference"), form="2"))
    return table(columns, rows, say("report.five.note", n=view.replications))


def _known(frames: Mapping[str, pd.DataFrame], view: View, policy: str) -> bool:
    return total(frames["summary"], view.asked, policy, _JUDGE) is not None


def _five_row(
    frames: Mapping[str, pd.DataFrame], view: View, metric: str, shown: list[str]
) -> list[str]:
    found = [total(frames["summary"], view.asked, policy, metric) for policy in shown]
    measures = [row for row in found if row is not None]
    if not shown or len(measures) < len(shown):
        return []
    unit = str(measures[0]["unit"])
    cells = [sentence(name_of("metric", metric)), "%" if unit == "share" else name_of("unit", unit)]
    cells += [with_interval(row, "mean", unit) for row in measures]
    if len(shown) == 2:
        cells.append(_change(frames["comparison"], view, metric, shown[0], unit))
    return cells


def _change(comparison: pd.DataFrame, view: View, metric: str, policy: str, unit: str) -> str:
    found = against(comparison, view, metric, policy)
    return "" if found is None else with_interval(found, "diff", unit, signed=True)


def verdict(frames: Mapping[str, pd.DataFrame], view: View) -> list[str]:
    """Say in plain words which policy to prefer, or that it is too early to say.

    Returns
    -------
    list of str
        Sentences, the most important first.
    """
    base = policy_in_text(view.baseline)
    if not len(frames["comparison"]):
        return [sentence(say("report.verdict.alone", policy=policy_in_text(view.policy)))]
    if view.policy == view.baseline:
        return [sentence(say("report.verdict.baseline_best", baseline=base)), *_next(frames, view)]
    found = against(frames["comparison"], view, _JUDGE, view.policy)
    if found is None:
        return [sentence(say("report.verdict.alone", policy=policy_in_text(view.policy)))]
    told = {"policy": policy_in_text(view.policy), "baseline": base}
    if bool(found["separable"]):
        first = say("report.verdict.better", amount=-float(found["diff"]),
                    relative=-float(found["relative_pct"]) / 100.0,
                    interval=interval(-float(found["high"]), -float(found["low"]), "bn VND"),
                    **told)  # fmt: skip
    elif float(found["diff"]) == 0.0:
        first = say("report.verdict.same", **told)
    else:
        compared = frames["comparison"]["policy"].nunique()
        more = more_replications(found, compared)
        first = say("report.verdict.not_separable", **told) + " " + _more(more)
    return [sentence(first), *_caveats(frames, view), *_next(frames, view), *_weights(frames, view)]


def _caveats(frames: Mapping[str, pd.DataFrame], view: View) -> list[str]:
    """Say in what the policy in focus is clearly worse than the baseline."""
    told = []
    for metric in _CAVEATS:
        found = against(frames["comparison"], view, metric, view.policy)
        if found is None or not bool(found["separable"]):
            continue
        worse = float(found["diff"]) * (1.0 if BY_NAME[metric].lower_is_better else -1.0)
        if worse > 0.0:
            told.append(say("report.verdict.worse_in", metric=name_of("metric", metric),
                            change=_change(frames["comparison"], view, metric, view.policy,
                                           str(found["unit"]))))  # fmt: skip
    return told


def more_replications(found: pd.Series[Any], compared: int) -> int | None:
    """Estimate how many more replications would tell a paired difference from 0.

    Parameters
    ----------
    found : row of the comparison, with the 95 % interval of the difference: ± t·s/√n
    compared : policies compared at once; the strictest level of Holm's adjustment is asked for

    Returns
    -------
    int or None
        None where no number of replications would tell.
    """
    n, half = int(found["n"]), (float(found["high"]) - float(found["low"])) / 2.0
    t = float(t_quantile(1.0 - LEVEL / 2.0, np.array([n - 1.0]))[0])
    wanted = replications_to_tell(
        float(found["diff"]), half * math.sqrt(n) / t, LEVEL / max(1, compared)
    )
    return None if math.isnan(wanted) else max(1, int(wanted) - n)


def _more(count: int | None) -> str:
    if count is None:
        return say("report.verdict.identical")
    return say("report.verdict.more", n=count) if count < _HOPELESS else say("report.verdict.tiny")


def _next(frames: Mapping[str, pd.DataFrame], view: View) -> list[str]:
    """Say whether the runner-up can be told from the best."""
    ranking = frames["ranking"]
    rows = ranking[(ranking["scenario"] == view.asked) & (ranking["metric"] == _JUDGE)]
    rows = rows.sort_values("rank")
    if len(rows) < 2 or bool(rows["separable_from_next"].iloc[0]):
        return []
    second, wanted = str(rows["policy"].iloc[1]), float(rows["replications_to_tell"].iloc[0])
    if second == view.baseline and view.policy != view.baseline:
        return []  # the first sentence has said so
    count = None if math.isnan(wanted) else max(1, int(wanted) - view.replications)
    told = {"policy": policy_in_text(view.policy), "other": policy_in_text(second)}
    return [sentence(say("report.verdict.tied", **told)) + " " + _more(count)]


def _weights(frames: Mapping[str, pd.DataFrame], view: View) -> list[str]:
    rows = frames["weights"]
    rows = rows[(rows["scenario"] == view.asked) & (rows["rank"] == 1)]
    changed = rows[rows["winner_changes"].astype(bool)]
    if not len(rows):
        return []
    if not len(changed):
        return [say("report.verdict.weights_hold", low=float(rows["harm_factor"].min()),
                    high=float(rows["harm_factor"].max()))]  # fmt: skip
    return [
        say("report.verdict.weights_change", factor=row["harm_factor"],
            policy=policy_in_text(row["policy"]))
        for row in changed.to_dict("records")
    ]  # fmt: skip


def cost(frames: Mapping[str, pd.DataFrame], view: View) -> str:
    """Say what the policy in focus costs in the scenario drawn, and which funds pay most of it."""
    found = total(frames["summary"], view.scenario, view.policy, "cost_bn_vnd")
    if found is None:
        return ""
    told = say("report.cost.total", mean=float(found["mean"]),
               interval=interval(float(found["low"]), float(found["high"]), "bn VND"))  # fmt: skip
    flows = frames["flows"]
    flows = flows[(flows["scenario"] == view.scenario) & (flows["policy"] == view.policy)]
    funds = flows.groupby("fund")["cost_bn_vnd"].sum().sort_values(ascending=False)
    listed = [f"{name_of('fund', str(fund))} {number(float(value))}"
              for fund, value in funds.head(_MOST_FUNDS).items() if value > 0.0]  # fmt: skip
    return f"{told} {say('report.cost.funds', listed='; '.join(listed))}" if listed else told


def uncovered(frames: Mapping[str, pd.DataFrame], view: View) -> str:
    """Say who stays without help: the share in all, and the worst served provinces."""
    rows = frames["places"]
    rows = rows[(rows["scenario"] == view.scenario) & (rows["policy"] == view.policy)]
    wide = rows.pivot_table(index=["place", "name"], columns="metric", values="mean")
    if not {"need_person_days", "served_person_days"} <= set(wide.columns):
        return say("report.uncovered.nobody")
    need = float(wide["need_person_days"].sum())
    if not need > 0.0:
        return say("report.uncovered.nobody")
    short = (wide["need_person_days"] - wide["served_person_days"]).clip(lower=0.0)
    share = short[wide["need_person_days"] >= _LEAST_NEED * need] / wide["need_person_days"]
    worst = share[share > 0.0].sort_values(ascending=False, kind="stable").head(_MOST_PLACES)
    listed = [say("report.uncovered.one", place=name, share=float(value))
              for (_, name), value in zip(worst.index, worst, strict=True)]  # fmt: skip
    if not listed:
        return say("report.uncovered.all_served")
    return say("report.uncovered.all", share=float(short.sum()) / need,
               amount=float(short.sum()), listed="; ".join(listed))  # fmt: skip
