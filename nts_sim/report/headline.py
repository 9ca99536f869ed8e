"""The first screen: what was asked, five numbers, a verdict in plain words, cost, who stays short."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.report.layout import Table, table
from nts_sim.words import name_of, number, policy_in_text, say, sentence

FIVE = (
    "total_burden_bn_vnd", "harm_bn_vnd", "cost_bn_vnd", "affected_person_days", "served_share",
)  # fmt: skip
_JUDGE = "total_burden_bn_vnd"
_MOST_MORE = 100_000
_MOST_FUNDS = 4
_MOST_PLACES = 5
_LEAST_NEED = 1000.0
"""Person-days of need below which a province is not listed as uncovered."""


def measured(value: float, unit: str, *, signed: bool = False) -> str:
    """Write a value of a metric: shares as per cent, everything else by three figures."""
    if unit == "share":
        return f"{number(100.0 * value, 'signed')}\u00a0%" if signed else number(value, "percent")
    return number(value, "signed" if signed else "short")


def interval(low: float, high: float, unit: str, *, signed: bool = False) -> str:
    """Write an interval."""
    return say("report.interval", low=measured(low, unit, signed=signed),
               high=measured(high, unit, signed=signed))  # fmt: skip


def total(summary: pd.DataFrame, scenario: str, policy: str, metric: str) -> pd.Series[Any] | None:
    """Find the row of a metric, all keys together; None where it was not measured."""
    rows = summary[(summary["scenario"] == scenario) & (summary["policy"] == policy)
                   & (summary["metric"] == metric) & (summary["key"] == "all")]  # fmt: skip
    return rows.iloc[0] if len(rows) else None


def against(comparison: pd.DataFrame, view: View, metric: str, policy: str) -> pd.Series[Any] | None:
    """Find the paired difference of a policy to the baseline; None where there is none."""
    rows = comparison[(comparison["scenario"] == view.asked) & (comparison["policy"] == policy)
                      & (comparison["metric"] == metric) & (comparison["key"] == "all")]  # fmt: skip
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
    headers = [say("report.five.metric"), say("report.five.unit")]
    headers += [sentence(name_of("policy", policy)) for policy in shown]
    if len(shown) == 2:
        headers.append(say("report.five.difference"))
    return table(headers, rows, range(2, 5), say("report.five.note", n=view.replications))


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
    cells = [sentence(name_of("metric", metric)), "%" if unit == "share" else unit]
    cells += [f"{measured(float(row['mean']), unit)} "
              f"{interval(float(row['low']), float(row['high']), unit)}" for row in measures]  # fmt: skip
    if len(shown) == 2:
        cells.append(_change(frames["comparison"], view, metric, shown[0], unit))
    return cells


def _change(comparison: pd.DataFrame, view: View, metric: str, policy: str, unit: str) -> str:
    found = against(comparison, view, metric, policy)
    if found is None:
        return ""
    diff = measured(float(found["diff"]), unit, signed=True)
    return f"{diff} {interval(float(found['low']), float(found['high']), unit, signed=True)}"


def verdict(frames: Mapping[str, pd.DataFrame], view: View) -> list[str]:
    """Say in plain words which policy to prefer, or that it is too early to say.

    Returns
    -------
    list of str
        Sentences, the most important first.
    """
    base = policy_in_text(view.baseline)
    if not len(frames["comparison"]):
        return [say("report.verdict.alone", policy=sentence(policy_in_text(view.policy)))]
    if view.policy == view.baseline:
        return [say("report.verdict.baseline_best", baseline=sentence(base)), *_next(frames, view)]
    found = against(frames["comparison"], view, _JUDGE, view.policy)
    if found is None:
        return [say("report.verdict.alone", policy=sentence(policy_in_text(view.policy)))]
    told = {"policy": sentence(policy_in_text(view.policy)), "baseline": base}
    if bool(found["separable"]):
        first = say("report.verdict.better", amount=abs(float(found["diff"])),
                    relative=float(found["relative_pct"]),
                    interval=interval(float(found["low"]), float(found["high"]), "bn VND",
                                      signed=True), **told)  # fmt: skip
    else:
        first = say("report.verdict.not_separable", **told) + " " + _more(more_replications(found))
    return [first, *_next(frames, view), *_weights(frames, view)]


def more_replications(found: pd.Series[Any]) -> int | None:
    """Estimate how many more replications would tell a paired difference from 0.

    An interval is ± t·s/√n; it excludes 0 once n reaches n₀ · (half width / difference)². None
    where no number of replications would.
    """
    diff, half = abs(float(found["diff"])), (float(found["high"]) - float(found["low"])) / 2.0
    if not diff > 0.0 or not math.isfinite(half):
        return None
    wanted = math.ceil(float(found["n"]) * (half / diff) ** 2)
    return max(1, min(wanted, _MOST_MORE) - int(found["n"]))


def _more(count: int | None) -> str:
    return say("report.verdict.identical") if count is None else say("report.verdict.more", n=count)


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
    told = {"policy": sentence(policy_in_text(view.policy)), "other": policy_in_text(second)}
    return [say("report.verdict.tied", **told) + " " + _more(count)]


def _weights(frames: Mapping[str, pd.DataFrame], view: View) -> list[str]:
    rows = frames["weights"]
    rows = rows[(rows["scenario"] == view.asked) & (rows["rank"] == 1)]
    changed = rows[rows["winner_changes"].astype(bool)]
    if not len(rows):
        return []
    if not len(changed):
        return [say("report.verdict.weights_hold", low=float(rows["harm_factor"].min()),
                    high=float(rows["harm_factor"].max()))]  # fmt: skip
    return [say("report.verdict.weights_change", factor=float(row.harm_factor),
                policy=policy_in_text(str(row.policy))) for row in changed.itertuples()]  # fmt: skip


def cost(frames: Mapping[str, pd.DataFrame], view: View) -> str:
    """Say what the policy in focus costs and which funds pay most of it."""
    found = total(frames["summary"], view.asked, view.policy, "cost_bn_vnd")
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
    wide = wide[wide["need_person_days"] >= _LEAST_NEED]
    need = float(wide["need_person_days"].sum())
    if not need > 0.0:
        return say("report.uncovered.nobody")
    short = (wide["need_person_days"] - wide["served_person_days"]).clip(lower=0.0)
    share = short / wide["need_person_days"]
    listed = [say("report.uncovered.one", place=str(name), share=float(share.loc[(place, name)]))
              for place, name in share.sort_values(ascending=False).head(_MOST_PLACES).index]  # fmt: skip
    return say("report.uncovered.all", share=float(short.sum()) / need,
               amount=float(short.sum()), listed="; ".join(listed))  # fmt: skip
