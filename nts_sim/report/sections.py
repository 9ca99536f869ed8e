"""The tables below the first screen: policies, requests, orders, assumptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.report.headline import against, interval, measured, total
from nts_sim.report.layout import Cell, Column, Table, amount, table
from nts_sim.study.directory import spoken_names
from nts_sim.words import name_of, number, say, sentence
from nts_sim.words.why import Names, why

_JUDGE = "total_burden_bn_vnd"
_POLICY_METRICS = ("harm_bn_vnd", "cost_bn_vnd", "served_share")
_MOST_ORDERS = 15
_ALL = ""
_STATUSES = ("sourced", "computed", "assumption")
_REQUESTS = ("declare", "draw", "mobilise", "move")


def policies(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """List the policies in order of harm and cost together."""
    ranking = frames["ranking"]
    ranked = ranking[(ranking["scenario"] == view.asked) & (ranking["metric"] == _JUDGE)]
    rows: list[tuple[str | Cell, ...]] = []
    for row in ranked.sort_values("rank").to_dict("records"):
        policy = str(row["policy"])
        others = [_mean(frames["summary"], view, policy, metric) for metric in _POLICY_METRICS]
        verdict = name_of("verdict", str(row["verdict"]).replace(" ", "_"))
        rows.append((amount(row["rank"], "0"), sentence(name_of("policy", policy)),
                     amount(row["mean"]), _against(frames["comparison"], view, policy), *others,
                     verdict))  # fmt: skip
    columns = (Column(say("report.policies.rank"), form="0"), Column(say("report.policies.policy")),
               Column(say("report.policies.burden"), form="1"),
               Column(say("report.policies.difference"), form="1"),
               *(Column(sentence(name_of("metric", metric)), form=_form(metric))
                 for metric in _POLICY_METRICS),
               Column(say("report.policies.verdict")))  # fmt: skip
    return table(columns, rows, say("report.policies.note"))


def _against(comparison: pd.DataFrame, view: View, policy: str) -> Cell:
    found = against(comparison, view, _JUDGE, policy)
    if found is None:
        return Cell("")
    ends = interval(float(found["low"]), float(found["high"]), "bn VND", signed=True)
    return Cell(f"{number(float(found['diff']), 'signed')} {ends}", value=float(found["diff"]))


def _form(metric: str) -> Literal["percent", "1"]:
    return "percent" if metric == "served_share" else "1"


def _mean(summary: pd.DataFrame, view: View, policy: str, metric: str) -> Cell:
    found = total(summary, view.asked, policy, metric)
    if found is None:
        return Cell("")
    return Cell(measured(float(found["mean"]), str(found["unit"])), value=float(found["mean"]))


def in_focus(frame: pd.DataFrame, view: View) -> pd.DataFrame:
    """Keep the rows of the policy in focus, in the scenario drawn."""
    return frame[(frame["scenario"] == view.scenario) & (frame["policy"] == view.policy)]


def requests(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """List what to ask of whom, by mechanism, with its legal basis and whether that is checked."""
    rows = in_focus(frames["orders"], view)
    rows = rows[rows["kind"].isin(_REQUESTS) & (rows["mechanism"] != "") & (rows["granted"] > 0.0)]
    terms = frames["mechanisms"]
    terms = terms[terms["scenario"] == view.scenario].set_index("mechanism")
    by_table = terms["approval_days"] + terms["handover_days"]
    lines = [
        _request(str(mechanism), orders, float(by_table.get(str(mechanism), float("nan"))))
        for mechanism, orders in rows.groupby("mechanism", sort=False)
    ]
    days = name_of("unit", "days")
    columns = (
        Column(say("report.requests.mechanism")), Column(say("report.requests.authority")),
        Column(say("report.requests.orders"), form="0"), Column(say("report.requests.amount")),
        Column(say("requests.charged"), name_of("unit", "bn VND"), "2"),
        Column(say("requests.lead"), days, "1"), Column(say("requests.by_table"), days, "1"),
        Column(say("report.requests.first"), form="0"), Column(say("report.requests.legal")),
    )  # fmt: skip
    return table(columns, lines, f"{say('report.requests.note')} {say('requests.note')}")


def _request(mechanism: str, orders: pd.DataFrame, by_table: float) -> tuple[str | Cell, ...]:
    first = orders.iloc[0]
    checked = str(first["legal_basis_checked"]) == "checked"
    badge = "" if checked else say("report.requests.not_checked")
    return (
        sentence(name_of("mechanism", mechanism)), str(first["authority"]),
        amount(len(orders), "0"), _amounts(orders), amount(float(orders["cost_bn_vnd"].sum())),
        amount(float(orders["lead_days"].median()), "1"), amount(by_table, "1"),
        amount(float(orders["day"].min()), "0"), Cell(str(first["legal_basis"]), badge),
    )  # fmt: skip


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
    rows = in_focus(frames["orders"], view)
    rows = rows[rows["kind"].isin(_REQUESTS) & ~rows["automatic"].astype(bool)]
    granted = rows[rows["granted"] > 0.0]
    shown = granted.sort_values(["day", "order"]).head(_MOST_ORDERS)
    names = spoken_names(frames)
    lines = [_order(row, names) for row in shown.to_dict("records")]
    columns = (Column(say("report.orders.day"), form="0"), Column(say("report.orders.what")),
               Column(say("report.orders.to")), Column(say("report.orders.origin")),
               Column(say("report.orders.lead"), form="1"),
               Column(say("report.orders.cost"), form="2"),
               Column(say("report.orders.reason")))  # fmt: skip
    note = say("report.orders.note", shown=len(lines), of=len(granted))
    return table(columns, lines, f"{note} {_refused(rows)}".strip())


def _refused(orders: pd.DataFrame) -> str:
    """Count the orders that got less than they asked for, by what cut them."""
    counts = orders["refusal"][orders["refusal"] != ""].value_counts()
    listed = [f"{name_of('refusal', str(why))} {number(float(count), '0')}"
              for why, count in counts.items()]  # fmt: skip
    return say("report.orders.refused", listed="; ".join(listed)) if listed else ""


def _order(row: Mapping[Any, Any], names: Names) -> tuple[str | Cell, ...]:
    granted, kind = float(row["granted"]), str(row["kind"])
    what = {
        "declare": lambda: say("report.orders.declare", level=granted),
        "draw": lambda: say("report.orders.draw", amount=granted,
                            fund=name_of("mechanism", str(row["mechanism"]))),
    }.get(kind, lambda: say("report.orders.send", amount=granted,
                            resource=name_of("resource", str(row["resource"])),
                            mechanism=name_of("mechanism", str(row["mechanism"]))))()  # fmt: skip
    return (amount(row["day"], "0"), what, str(row["name"]),
            str(row["source_name"]) if row["source_name"] != row["name"] else "",
            amount(row["lead_days"], "1"), amount(row["cost_bn_vnd"]),
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
    columns = (Column(say("report.status.table")), Column(say("report.status.rows"), form="0"),
               *(Column(name_of("status", status), form="percent")
                 for status in _STATUSES))  # fmt: skip
    return table(columns, lines, say("report.status.note"))


def _status_row(name: str, counts: Mapping[str, int]) -> tuple[str | Cell, ...]:
    rows = sum(counts.values())
    shares = [amount(counts.get(status, 0) / rows, "percent") for status in _STATUSES]
    label = say("report.status.all") if name == _ALL else sentence(name_of("table", name))
    return (label, amount(rows, "0"), *shares)
