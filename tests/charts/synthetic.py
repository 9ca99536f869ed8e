"""Made-up result tables of the declared shape on the real 34 provinces, for charts and reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from nts_sim.outcomes.frames import TABLES, checked, empty
from nts_sim.tables.load import DATA, load_tables

POLICIES = (
    "current_practice", "do_nothing", "equal_share", "per_capita", "risk_proportional",
    "nearest_first", "threshold", "greedy", "expected_value",
)  # fmt: skip
EFFECT = dict(zip(POLICIES, (1.0, 1.62, 1.15, 1.12, 1.04, 0.99, 1.01, 0.93, 0.88), strict=True))
BASELINE, BEST = "current_practice", "expected_value"
RUN_ID = "typhoon_north-3f9a2c71"
SCENARIO = "typhoon_north"
REPLICATIONS = 200

METRICS = {
    "harm_bn_vnd": ("bn VND", 5200.0),
    "cost_bn_vnd": ("bn VND", 310.0),
    "total_burden_bn_vnd": ("bn VND", 5510.0),
    "affected_person_days": ("person-days", 21_400_000.0),
    "served_share": ("share", 0.41),
    "served_share_worst": ("share", 0.12),
    "served_share_gini": ("0 to 1", 0.21),
    "incidents": ("incidents", 31.0),
}
_BURDEN = ("harm_bn_vnd", "total_burden_bn_vnd", "affected_person_days")
_COST = {"do_nothing": 0.0, "expected_value": 1.22, "greedy": 1.1, "threshold": 0.95}
_DAYS = 31


@cache
def geojson() -> dict[str, Any]:
    return json.loads((DATA / "provinces.geojson").read_text("utf-8"))


@cache
def provinces() -> pd.DataFrame:
    return load_tables().frames["places"]


def _level(metric: str, policy: str) -> float:
    base = METRICS[metric][1]
    if metric in _BURDEN:
        return base * EFFECT[policy]
    if metric == "cost_bn_vnd":
        return base * _COST.get(policy, 1.0)
    if metric == "incidents":
        return base
    return 0.0 if policy == "do_nothing" else base / EFFECT[policy]


def _made(table: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = [column.name for column in TABLES[table]]
    return checked(table, pd.DataFrame(rows, columns=columns)) if rows else empty(table)


def summary(scenario: str) -> pd.DataFrame:
    rows = []
    for policy in POLICIES:
        for metric, (unit, base) in METRICS.items():
            mean = _level(metric, policy)
            half = 0.03 * base if mean else 0.0
            rows.append((scenario, policy, metric, "all", unit, REPLICATIONS, mean, mean - half,
                         mean + half))  # fmt: skip
        mean = 0.6 * _level("harm_bn_vnd", policy)
        rows.append((scenario, policy, "harm_bn_vnd", "storm", "bn VND", REPLICATIONS, mean,
                     mean * 0.97, mean * 1.03))  # fmt: skip
    return _made("summary", rows)


def comparison(scenario: str) -> pd.DataFrame:
    rows = []
    for metric, (unit, base) in METRICS.items():
        reference = _level(metric, BASELINE)
        for policy in POLICIES[1:]:
            diff, half = _level(metric, policy) - reference, 0.02 * base
            rows.append((scenario, metric, "all", unit, policy, BASELINE, REPLICATIONS, diff,
                         diff - half, diff + half, 100 * diff / reference,
                         bool(abs(diff) > half)))  # fmt: skip
    return _made("comparison", rows)


def ranking(scenario: str) -> pd.DataFrame:
    rows = []
    for metric in ("harm_bn_vnd", "total_burden_bn_vnd"):
        ordered = sorted(POLICIES, key=lambda policy: _level(metric, policy))
        for rank, policy in enumerate(ordered, start=1):
            mean = _level(metric, policy)
            verdict = "best" if rank == 1 else "behind the best"
            rows.append((scenario, metric, rank, policy, mean, mean * 0.97, mean * 1.03, verdict,
                         float("nan"), True))  # fmt: skip
    return _made("ranking", rows)


def weights(scenario: str) -> pd.DataFrame:
    rows = []
    for factor in (0.5, 1.0, 2.0):
        for rank, policy in enumerate(sorted(POLICIES, key=EFFECT.__getitem__), start=1):
            mean = factor * 5000.0 * EFFECT[policy]
            rows.append((scenario, factor, policy, mean, mean, mean, rank, False))
    return _made("weights", rows)


def outcomes(scenario: str) -> pd.DataFrame:
    """Burdens of twenty replications, each of them luckier than the next by the same for all."""
    rows = [
        (scenario, policy, replication, "total_burden_bn_vnd", "all", "bn VND",
         _level("total_burden_bn_vnd", policy) + 60.0 * (replication - 9.5) + 3.0 * (i % 3))
        for i, policy in enumerate(POLICIES)
        for replication in range(20)
    ]  # fmt: skip
    return _made("outcomes", rows)


def daily(scenario: str) -> pd.DataFrame:
    t = np.arange(_DAYS)
    wave = np.exp(-((t - 6.0) ** 2) / 14.0) + 0.5 * np.exp(-((t - 12.0) ** 2) / 40.0)
    parts = []
    for policy in POLICIES:
        served = 0.0 if policy == "do_nothing" else 0.42 / EFFECT[policy]
        levels = {
            "active_incidents": 24.0 * wave,
            "people_in_need": 2.6e6 * wave,
            "people_served": 2.6e6 * wave * served,
            "people_unmet": 2.6e6 * wave * (1 - served),
        }
        for series, mean in levels.items():
            parts.append(pd.DataFrame({
                "scenario": scenario, "policy": policy, "day": t, "series": series, "mean": mean,
                "q05": 0.4 * mean, "q25": 0.75 * mean, "q50": 0.97 * mean, "q75": 1.22 * mean,
                "q95": 1.8 * mean,
            }))  # fmt: skip
    return checked("daily", pd.concat(parts, ignore_index=True))


def _weight() -> np.ndarray:
    """How hard each province is hit, falling off from a centre in the North."""
    table = provinces()
    gap = np.hypot(table["latitude"] - 21.3, table["longitude"] - 106.0)
    return np.exp(-((gap / 1.8) ** 2)).to_numpy()


def places(scenario: str) -> pd.DataFrame:
    table, weight = provinces(), _weight()
    rows = []
    for policy in POLICIES:
        share = 0.0 if policy == "do_nothing" else 0.42 / EFFECT[policy]
        at = np.arange(len(table))
        uneven = np.clip(share * (0.4 + (at % 7) / 5.0 + at / 1000.0), 0, 1)
        need = (table["population"] * 1.1 * weight).to_numpy()
        for code, name, n, s in zip(table["code"], table["name"], need, uneven, strict=True):
            values = {"need_person_days": n, "served_person_days": n * s,
                      "unmet_person_days": n * (1 - s), "served_share": s}  # fmt: skip
            for metric, value in values.items():
                rows.append((scenario, policy, code, name, metric, value, value * 0.9, value * 1.1))
    return _made("places", rows)


def map_days(scenario: str) -> pd.DataFrame:
    table, weight = provinces(), _weight()
    parts = []
    for policy in (BASELINE, BEST):
        share = 0.42 / EFFECT[policy]
        for day in range(_DAYS):
            active = np.clip(1.3 * weight * np.exp(-((day - 6.0) ** 2) / 30.0), 0, 1)
            served = share * (0.4 + (np.arange(len(table)) % 7) / 5.0) * (1 + day / 30)
            parts.append(pd.DataFrame({
                "scenario": scenario, "policy": policy, "day": day, "place": table["code"],
                "active_share": active, "mean_severity": 1 + 2 * weight,
                "served_share": np.where(active > 0.01, np.clip(served, 0, 1), np.nan),
            }))  # fmt: skip
    return checked("map_days", pd.concat(parts, ignore_index=True))


CHAINS = (
    ("own_stock", "local_on_spot", "rescue_team", 2600, 74.0),
    ("own_stock", "local_on_spot", "boat_crew", 500, 9.0),
    ("own_stock", "local_on_spot", "rice_t", 900, 14.0),
    ("account", "mutual_aid", "rescue_team", 300, 21.0),
    ("account", "mutual_aid", "power_crew", 60, 6.5),
    ("account", "requisition", "boat_crew", 210, 11.0),
    ("account", "requisition", "generator", 90, 5.0),
    ("account", "framework_contract", "family_kit", 22000, 44.0),
    ("account", "framework_contract", "medical_kit", 1500, 8.0),
    ("ministry_budget", "military", "rescue_team", 2400, 88.0),
    ("ministry_budget", "military", "boat_crew", 180, 12.0),
    ("ministry_budget", "police", "rescue_team", 700, 19.0),
    ("ministry_budget", "utility_crews", "power_crew", 320, 16.0),
    ("ministry_budget", "national_reserve", "rice_t", 4100, 37.0),
    ("uncharged", "intl_aid", "family_kit", 5200, 7.0),
)


def flows(scenario: str) -> pd.DataFrame:
    weight = np.where(_weight() > 0.02, _weight(), 0.0)
    weight = weight / weight.sum()
    rows = [
        (scenario, policy, fund, mechanism, resource, code, units * share, cost * share)
        for policy in (BASELINE, BEST)
        for fund, mechanism, resource, units, cost in CHAINS
        for code, share in zip(provinces()["code"], weight, strict=True)
        if share > 0
    ]
    return _made("flows", rows)


def buildup(scenario: str) -> pd.DataFrame:
    shares = {"local_on_spot": (0.18, 0), "mutual_aid": (0.07, 3), "military": (0.12, 1),
              "police": (0.04, 1), "utility_crews": (0.03, 2), "requisition": (0.025, 3),
              "framework_contract": (0.06, 4), "national_reserve": (0.03, 6),
              "intl_aid": (0.005, 12)}  # fmt: skip
    rows = [
        (scenario, policy, day, mechanism,
         top * min(1.0, max(0.0, (day - start + 1) / 4.0)) / EFFECT[policy])
        for policy in (BASELINE, BEST)
        for mechanism, (top, start) in shares.items()
        for day in range(_DAYS)
    ]  # fmt: skip
    return _made("buildup", rows)


def order(**changed: Any) -> dict[str, Any]:
    """One row of the order book, with what differs."""
    return {
        "scenario": SCENARIO, "policy": BEST, "order": 0, "day": 0.0, "kind": "move",
        "place": "31", "name": "Hai Phong", "source": "01", "source_name": "Ha Noi",
        "resource": "rescue_team", "asked": 232.0, "granted": 232.0, "unit": "units",
        "refusal": "", "mechanism": "mutual_aid", "authority": "Donor province",
        "desk": "Provincial chair, Ha Noi", "legal_basis": "Politburo notice 99",
        "legal_basis_checked": "checked", "lead_days": 1.785, "fund": "account",
        "cost_bn_vnd": 0.779, "reason": "Hai Phong is short of rescue teams",
        "runner_up": "ask Army and militia", "automatic": False,
        "desk_code": "provincial_chair", "desk_place": "01", "delegation_bn_vnd": 200.0,
        "needs_level": 0, "approval_days": 0.5, "handover_days": 0.25, "last_part_days": 0.0,
        "travel_days": 1.035, "to_come": 232.0, "in_place_day": 2.0, "fund_opened_bn_vnd": 77.4,
    } | changed  # fmt: skip


def orders(scenario: str) -> pd.DataFrame:
    declared = {"kind": "declare", "source": "", "source_name": "", "resource": "", "asked": 3.0,
                "granted": 3.0, "unit": "level", "mechanism": "civil_defence_level",
                "authority": "Prime Minister", "legal_basis": "Civil Defence Law art. 7",
                "legal_basis_checked": "not checked", "cost_bn_vnd": 0.0, "fund": ""}  # fmt: skip
    contract = {"kind": "mobilise", "source": "", "source_name": "", "resource": "family_kit",
                "asked": 900.0, "granted": 800.0, "refusal": "ceiling",
                "mechanism": "framework_contract", "authority": "Provincial chair",
                "legal_basis": "Bidding Law", "legal_basis_checked": "not checked"}  # fmt: skip
    refused = {"granted": 0.0, "refusal": "fund", "cost_bn_vnd": 0.0}
    listed = [order(**declared), order(order=1), order(**contract, order=2, day=1.0),
              order(**refused, order=3, day=2.0),
              order(kind="return", mechanism="", order=4, day=9.0, automatic=True)]  # fmt: skip
    columns = [column.name for column in TABLES["orders"]]
    return checked("orders", pd.DataFrame(listed).assign(scenario=scenario)[columns])


def gap(scenario: str) -> pd.DataFrame:
    rows = [
        (
            scenario,
            policy,
            code,
            name,
            resource,
            100.0 + i,
            60.0,
            40.0 + i,
            10.0 * i,
            None if i % 5 == 0 else 4.0 + i / 10.0,
            0.0 if i % 5 == 0 else 0.9,
        )
        for policy in (BASELINE, BEST)
        for i, (code, name) in enumerate(zip(provinces()["code"], provinces()["name"], strict=True))
        for resource in ("rescue_team", "family_kit")
    ]
    return _made("gap", rows)


_MAKERS = {
    "outcomes": outcomes,
    "summary": summary, "comparison": comparison, "ranking": ranking, "weights": weights,
    "daily": daily, "places": places, "map_days": map_days, "flows": flows, "buildup": buildup,
    "orders": orders, "gap": gap,
}  # fmt: skip


def frames(*scenarios: str) -> dict[str, pd.DataFrame]:
    """All tables for the scenarios named (typhoon_north alone by default)."""
    named = scenarios or (SCENARIO,)
    made = {name: pd.concat([make(s) for s in named], ignore_index=True)
            for name, make in _MAKERS.items()}  # fmt: skip
    return {name: empty(name) for name in TABLES} | made | {"directory": directory()}


def directory() -> pd.DataFrame:
    """Names of the provinces, with all their letters."""
    rows = [("place", str(f["properties"]["code"]), *[str(f["properties"]["name_vi"])] * 2)
            for f in geojson()["features"]]  # fmt: skip
    return _made("directory", rows)


def set_frames(name: str, *members: str) -> dict[str, pd.DataFrame]:
    """Tables of a scenario set: rows of its own where policies are judged, none where drawn."""
    judged = ("summary", "comparison", "ranking", "weights", "outcomes")
    made = frames(*members)
    own = {table: pd.concat([made[table], _MAKERS[table](name)], ignore_index=True)
           for table in judged}  # fmt: skip
    return made | own


def of_policies(tables: Mapping[str, pd.DataFrame], *policies: str) -> dict[str, pd.DataFrame]:
    """Keep the rows of some policies; what is compared with a baseline left out goes too."""
    kept = {name: table[table["policy"].isin(policies)] if "policy" in table else table
            for name, table in tables.items()}  # fmt: skip
    if BASELINE not in policies:
        kept["comparison"] = empty("comparison")
    ranked = kept["ranking"].copy()
    ranked["rank"] = ranked.groupby(["scenario", "metric"])["rank"].rank().astype("int64")
    return kept | {"ranking": ranked}


def empty_frames() -> dict[str, pd.DataFrame]:
    """The same tables with no rows at all."""
    return {name: empty(name) for name in TABLES}


def calm_frames() -> dict[str, pd.DataFrame]:
    """Tables of a study in which nothing happened: all zero, nobody in need, no order."""
    made = frames()
    numbers = ("mean", "low", "high", "diff", "q05", "q25", "q50", "q75", "q95", "active_share",
               "mean_severity")  # fmt: skip
    for name in ("summary", "comparison", "ranking", "weights", "daily", "places", "map_days"):
        made[name] = made[name].assign(
            **{column: 0.0 for column in numbers if column in made[name].columns}
        )
    nothing = {name: empty(name) for name in ("flows", "buildup", "orders", "gap")}
    unknown = made["map_days"].assign(served_share=float("nan"))
    told = made["comparison"].assign(relative_pct=float("nan"), separable=False)
    ranked = made["ranking"].assign(verdict="tied with the best", separable_from_next=False)
    return made | nothing | {"map_days": unknown, "comparison": told, "ranking": ranked}


def manifest(**changed: Any) -> dict[str, Any]:
    """A manifest as a run writes it, with what differs in its scenario."""
    scenario = {
        "name": SCENARIO, "title": "Typhoon in the North", "question": "Who should get boats?",
        "start_date": "2024-09-05", "horizon_days": 30,
        "sources": ["On call two days before landfall (https://example.org/yagi.html)."],
        "assumptions": ["Severity is judged by us."],
    } | changed  # fmt: skip
    return {
        "run_id": RUN_ID, "verb": "compare", "command": ["compare", "replications=200"],
        "seed": 147, "replications": REPLICATIONS, "failed_replications": 0,
        "config": {"scenario": scenario, "baseline": BASELINE, "seed": 147,
                   "tables_dir": None, "information": {"name": "yagi", "source": "bulletins"}},
        "inputs": {}, "versions": {"nts-sim": "0.1.0", "python": "3.11.7"},
        "platform": "Linux x86_64", "git_commit": None, "wall_time_s": 60.0,
    }  # fmt: skip
