"""The tables below the first screen: policies, gaps, requests, orders, assumptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.report.headline import against, interval, measured, total
from nts_sim.report.layout import Cell, Table, table
from nts_sim.study.directory import spoken_names
from nts_sim.words import name_of, number, say, sentence
from nts_sim.words.why import Names, why

_JUDGE = "total_burden_bn_vnd"
_POLICY_METRICS = ("harm_bn_vnd", "cost_bn_vnd", "served_share")
_MOST_GAPS = 15
_MOST_ORDERS = 15
_ALL = ""
_STATUSES = ("sourced", "computed", "assumption")
_REQUESTS = ("declare", "draw", "mobilise", "move")


def policies(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """List the policies in order of harm and cost together."""
    ranking = frames["ranking"]
    ranked = ranking[(ranking["scenario"] == view.asked) & (ranking["metric"] == _JUDGE)]
    rows = []
    for row in ranked.sort_values("rank").to_dict("records"):
        policy = str(row["policy"])
        found = against(frames["comparison"], view, _JUDGE, policy)
        diff = "" if found is None else (
            f"{number(float(found['diff']), 'signed')} "
            f"{interval(float(found['low']), float(found['high']), 'bn VND', signed=True)}"
        )  # fmt: skip
        others = [_mean(frames["summary"], view, policy, metric) for metric in _POLICY_METRICS]
        verdict = name_of("verdict", str(row["verdict"]).replace(" ", "_"))
        rows.append((str(row["rank"]), sentence(name_of("policy", policy)),
                     number(row["mean"]), diff, *others, verdict))  # fmt: skip
    headers = (say("report.policies.rank"), say("report.policies.policy"),
               say("report.policies.burden"), say("report.policies.difference"),
               *(sentence(name_of("metric", metric)) for metric in _POLICY_METRICS),
               say("report.policies.verdict"))  # fmt: skip
    return table(headers, rows, (0, *range(2, 7)), say("report.policies.note"))


def _mean(summary: pd.DataFrame, view: View, policy: str, metric: str) -> str:
    found = total(summary, view.asked, policy, metric)
    return "" if found is None else measured(float(found["mean"]), str(found["unit"]))


def _mine(frame: pd.DataFrame, view: View) -> pd.DataFrame:
    return frame[(frame["scenario"] == view.scenario) & (frame["policy"] == view.policy)]


def gaps(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """List what the hardest-pressed places need, hold and lack, by what stays unmet."""
    rows = _mine(frames["gap"], view).sort_values("unmet_unit_days", ascending=False)
    rows = rows[rows["unmet_unit_days"] > 0.0]
    lines = [
        (row["name"], name_of("resource", row["resource"]), number(row["need_units"]),
         number(row["held_units"]), number(row["gap_units"]), number(row["unmet_unit_days"]))
        for row in rows.head(_MOST_GAPS).to_dict("records")
    ]  # fmt: skip
    headers = [
        say("report.gaps.place"), say("report.gaps.resource"), say("report.gaps.need"),
        say("report.gaps.held"), say("report.gaps.gap"), say("report.gaps.unmet"),
    ]  # fmt: skip
    note = say("report.gaps.note", shown=len(lines), of=len(rows))
    return table(headers, lines, range(2, 6), note)


def requests(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """List what to ask of whom, by mechanism, with its legal basis and whether that is checked."""
    rows = _mine(frames["orders"], view)
    rows = rows[rows["kind"].isin(_REQUESTS) & (rows["mechanism"] != "") & (rows["granted"] > 0.0)]
    lines = []
    for mechanism, orders in rows.groupby("mechanism", sort=False):
        first = orders.iloc[0]
        checked = str(first["legal_basis_checked"]) == "checked"
        badge = "" if checked else say("report.requests.not_checked")
        lines.append((
            sentence(name_of("mechanism", str(mechanism))), str(first["authority"]),
            number(float(len(orders)), "0"), _amounts(orders),
            number(float(orders["cost_bn_vnd"].sum())), number(float(orders["day"].min()), "0"),
            Cell(str(first["legal_basis"]), badge),
        ))  # fmt: skip
    headers = (say("report.requests.mechanism"), say("report.requests.authority"),
               say("report.requests.orders"), say("report.requests.amount"),
               say("report.requests.cost"), say("report.requests.first"),
               say("report.requests.legal"))  # fmt: skip
    return table(headers, lines, (2, 4, 5), say("report.requests.note"))


def _amounts(orders: pd.DataFrame) -> str:
    """Sum what was granted, resource by resource; money and levels by themselves."""
    if (orders["kind"] == "draw").all():
        return say("report.requests.money", amount=float(orders["granted"].sum()))
    if (orders["kind"] == "declare").all():
        return say("report.requests.level", level=float(orders["granted"].max()))
    sums = orders.groupby("resource")["granted"].sum().sort_values(ascending=False)
    return "; ".join(f"{name_of('resource', str(r))} {number(float(v), '0')}"
                     for r, v in sums.items())  # fmt: skip


def order_list(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """List the first orders of the policy in focus, each with its reason."""
    rows = _mine(frames["orders"], view)
    rows = rows[rows["kind"].isin(_REQUESTS) & ~rows["automatic"].astype(bool)]
    granted = rows[rows["granted"] > 0.0]
    shown = granted.sort_values(["day", "order"]).head(_MOST_ORDERS)
    names = spoken_names(frames)
    lines = [_order(row, names) for row in shown.to_dict("records")]
    headers = (say("report.orders.day"), say("report.orders.what"), say("report.orders.to"),
               say("report.orders.origin"), say("report.orders.lead"), say("report.orders.cost"),
               say("report.orders.reason"))  # fmt: skip
    note = say("report.orders.note", shown=len(lines), of=len(granted))
    return table(headers, lines, (0, 4, 5), f"{note} {_refused(rows)}".strip())


def _refused(orders: pd.DataFrame) -> str:
    """Count the orders that got less than they asked for, by what cut them."""
    counts = orders["refusal"][orders["refusal"] != ""].value_counts()
    listed = [f"{name_of('refusal', str(why))} {number(float(count), '0')}"
              for why, count in counts.items()]  # fmt: skip
    return say("report.orders.refused", listed="; ".join(listed)) if listed else ""


def _order(row: Mapping[Any, Any], names: Names) -> tuple[str, ...]:
    amount, kind = float(row["granted"]), str(row["kind"])
    what = {
        "declare": lambda: say("report.orders.declare", level=amount),
        "draw": lambda: say("report.orders.draw", amount=amount,
                            fund=name_of("mechanism", str(row["mechanism"]))),
    }.get(kind, lambda: say("report.orders.send", amount=amount,
                            resource=name_of("resource", str(row["resource"])),
                            mechanism=name_of("mechanism", str(row["mechanism"]))))()  # fmt: skip
    return (number(float(row["day"]), "0"), what, str(row["name"]),
            str(row["source_name"]) if row["source_name"] != row["name"] else "",
            number(float(row["lead_days"]), "1"), number(float(row["cost_bn_vnd"])),
            _reason(why(str(row["reason"]), names), why(str(row["runner_up"]), names)))  # fmt: skip


def _reason(reason: str, runner_up: str) -> str:
    return say("report.orders.why", reason=reason, other=runner_up) if runner_up else reason


def input_status(counted: Iterable[tuple[str, int, str, int]]) -> Table:
    """Tell which share of the input rows is sourced, computed or assumed, by table and in all.

    Parameters
    ----------
    counted : (table, its rows, status, rows of that status)
    """
    counts: dict[str, dict[str, int]] = {}
    for name, _, status, count in counted:
        for group in (_ALL, str(name)):
            row = counts.setdefault(group, {})
            row[str(status)] = row.get(str(status), 0) + int(count)
    lines = [_status_row(name, counts[name]) for name in sorted(counts)]
    headers = (say("report.status.table"), say("report.status.rows"),
               *(name_of("status", status) for status in _STATUSES))  # fmt: skip
    return table(headers, lines, range(1, 5), say("report.status.note"))


def _status_row(name: str, counts: Mapping[str, int]) -> tuple[str, ...]:
    rows = sum(counts.values())
    shares = [number(counts.get(status, 0) / rows, "percent") for status in _STATUSES]
    label = say("report.status.all") if name == _ALL else sentence(name_of("table", name))
    return (label, number(rows, "0"), *shares)
