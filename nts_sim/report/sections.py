"""The tables below the first screen: policies, gaps, requests, orders, assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.report.headline import against, interval, measured, total
from nts_sim.report.layout import Cell, Table, table
from nts_sim.words import name_of, number, say, sentence

_JUDGE = "total_burden_bn_vnd"
_POLICY_METRICS = ("harm_bn_vnd", "cost_bn_vnd", "served_share")
_MOST_GAPS = 15
_MOST_ORDERS = 25
_REQUESTS = ("declare", "draw", "mobilise", "move")


def policies(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """One row a policy, in order of harm and cost together."""
    ranking = frames["ranking"]
    ranked = ranking[(ranking["scenario"] == view.asked) & (ranking["metric"] == _JUDGE)]
    rows = []
    for row in ranked.sort_values("rank").itertuples():
        policy = str(row.policy)
        found = against(frames["comparison"], view, _JUDGE, policy)
        diff = "" if found is None else (
            f"{number(float(found['diff']), 'signed')} "
            f"{interval(float(found['low']), float(found['high']), 'bn VND', signed=True)}"
        )  # fmt: skip
        others = [_mean(frames["summary"], view, policy, metric) for metric in _POLICY_METRICS]
        verdict = name_of("verdict", str(row.verdict).replace(" ", "_"))
        rows.append((str(row.rank), sentence(name_of("policy", policy)),
                     number(float(row.mean)), diff, *others, verdict))  # fmt: skip
    headers = (say("report.policies.rank"), say("report.policies.policy"),
               say("report.policies.burden"), say("report.policies.difference"),
               *(sentence(name_of("metric", metric)) for metric in _POLICY_METRICS),
               say("report.policies.verdict"))  # fmt: skip
    return table(headers, rows, range(2, 7), say("report.policies.note"))


def _mean(summary: pd.DataFrame, view: View, policy: str, metric: str) -> str:
    found = total(summary, view.asked, policy, metric)
    return "" if found is None else measured(float(found["mean"]), str(found["unit"]))


def _mine(frame: pd.DataFrame, view: View) -> pd.DataFrame:
    return frame[(frame["scenario"] == view.scenario) & (frame["policy"] == view.policy)]


def gaps(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """What the hardest-pressed places need, hold and lack, by what stays unmet."""
    rows = _mine(frames["gap"], view).sort_values("unmet_unit_days", ascending=False)
    rows = rows[rows["unmet_unit_days"] > 0.0]
    lines = [
        (str(row.name), name_of("resource", str(row.resource)), number(float(row.need_units)),
         number(float(row.held_units)), number(float(row.gap_units)),
         number(float(row.unmet_unit_days)))
        for row in rows.head(_MOST_GAPS).itertuples(index=False)
    ]  # fmt: skip
    headers = (say("report.gaps.place"), say("report.gaps.resource"), say("report.gaps.need"),
               say("report.gaps.held"), say("report.gaps.gap"), say("report.gaps.unmet"))  # fmt: skip
    note = say("report.gaps.note", shown=len(lines), of=len(rows))
    return table(headers, lines, range(2, 6), note)


def requests(frames: Mapping[str, pd.DataFrame], view: View) -> Table:
    """What to ask of whom, by mechanism: authority, amount, legal basis and whether it is checked."""
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
    """The first orders of the policy in focus, each with its reason."""
    rows = _mine(frames["orders"], view)
    rows = rows[rows["kind"].isin(_REQUESTS) & ~rows["automatic"].astype(bool)]
    granted = rows[rows["granted"] > 0.0]
    shown = granted.sort_values(["day", "order"]).head(_MOST_ORDERS)
    lines = [_order(row) for row in shown.to_dict("records")]
    headers = (say("report.orders.day"), say("report.orders.what"), say("report.orders.to"),
               say("report.orders.origin"), say("report.orders.lead"), say("report.orders.cost"),
               say("report.orders.reason"))  # fmt: skip
    note = say("report.orders.note", shown=len(lines), of=len(granted),
               refused=len(rows) - len(granted))  # fmt: skip
    return table(headers, lines, (0, 4, 5), note)


def _order(row: Mapping[str, Any]) -> tuple[str, ...]:
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
            str(row["reason"]))  # fmt: skip


def input_status(tables: Mapping[str, pd.DataFrame]) -> Table:
    """Share of the input rows that are sourced, computed or assumed, table by table and in all."""
    statuses = ("sourced", "computed", "assumption")
    counts = {name: frame["status"].value_counts() for name, frame in tables.items()
              if "status" in frame.columns and len(frame)}  # fmt: skip
    everything = pd.Series(
        {s: sum(int(count.get(s, 0)) for count in counts.values()) for s in statuses}
    )
    lines = [_status_row(say("report.status.all"), everything, statuses)]
    lines += [_status_row(name.replace("_", " "), counts[name], statuses) for name in sorted(counts)]
    headers = (say("report.status.table"), say("report.status.rows"),
               *(name_of("status", status) for status in statuses))  # fmt: skip
    return table(headers, lines, range(1, 5), say("report.status.note"))


def _status_row(name: str, counts: pd.Series[Any], statuses: tuple[str, ...]) -> tuple[str, ...]:
    rows = float(counts.sum())
    shares = (number(float(counts.get(s, 0.0)) / rows if rows else 0.0, "percent") for s in statuses)
    return (name, number(rows, "0"), *shares)
