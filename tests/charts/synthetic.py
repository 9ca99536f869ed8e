"""Made-up result tables of the declared shape on the real 34 provinces, for charts and reports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "nts_sim" / "data"
SHARED = ROOT.parent / "shared" / "data"

POLICIES = (
    "current_practice", "do_nothing", "equal_share", "per_capita", "risk_proportional",
    "nearest_first", "threshold", "greedy", "expected_value",
)  # fmt: skip
EFFECT = dict(zip(POLICIES, (1.0, 1.62, 1.15, 1.12, 1.04, 0.99, 1.01, 0.93, 0.88), strict=True))
RUN_ID = "typhoon-north-3f9a2c71"


def _first(*paths):
    return next((path for path in paths if path.exists()), None)


def provinces() -> pd.DataFrame:
    path = _first(SHARED / "provinces.csv", SHIPPED / "provinces.csv")
    if path is None:
        import pytest

        pytest.skip("no table of provinces here")
    return pd.read_csv(path, dtype={"code": str})


def geojson() -> dict:
    path = _first(SHIPPED / "provinces.geojson", SHARED / "provinces_naturalearth.geojson")
    if path is None:
        import pytest

        pytest.skip("no outlines of provinces here")
    return json.loads(path.read_text("utf-8"))


METRICS = {
    "harm_bn_vnd": ("bn VND", 5200.0),
    "cost_bn_vnd": ("bn VND", 310.0),
    "total_burden_bn_vnd": ("bn VND", 5510.0),
    "affected_person_days": ("person-days", 21_400_000.0),
    "served_share": ("share", 0.41),
    "served_share_worst": ("share", 0.12),
    "served_share_gini": ("index", 0.21),
    "incidents": ("incidents", 31.0),
}
_BURDEN = ("harm_bn_vnd", "total_burden_bn_vnd", "affected_person_days")
_COST = {"do_nothing": 0.0, "expected_value": 1.22, "greedy": 1.1, "threshold": 0.95}


def _level(metric: str, policy: str) -> float:
    base = METRICS[metric][1]
    if metric in _BURDEN:
        return base * EFFECT[policy]
    if metric == "cost_bn_vnd":
        return base * _COST.get(policy, 1.0)
    if metric == "incidents":
        return base
    if policy == "do_nothing":
        return 0.0
    return base / EFFECT[policy]


def summary(scenario: str = "typhoon_north", n: int = 200) -> pd.DataFrame:
    rows = []
    for policy in POLICIES:
        for metric, (unit, base) in METRICS.items():
            mean = _level(metric, policy)
            half = 0.03 * base if mean else 0.0
            rows.append((scenario, policy, metric, "all", unit, n, mean, mean - half, mean + half))
        for threat, share in (("storm", 0.6), ("flood_landslide", 0.4)):
            mean = share * _level("harm_bn_vnd", policy)
            rows.append((scenario, policy, "harm_bn_vnd", threat, "bn VND", n, mean,
                         mean * 0.97, mean * 1.03))  # fmt: skip
    columns = ["scenario", "policy", "metric", "key", "unit", "n", "mean", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def comparison(scenario: str = "typhoon_north", n: int = 200) -> pd.DataFrame:
    rows = []
    for metric, (unit, base) in METRICS.items():
        reference = _level(metric, "current_practice")
        for policy in POLICIES[1:]:
            diff = _level(metric, policy) - reference
            half = 0.02 * base
            rows.append((scenario, metric, "all", unit, policy, "current_practice", n, diff,
                         diff - half, diff + half, 100 * diff / reference,
                         bool(abs(diff) > half)))  # fmt: skip
    columns = ["scenario", "metric", "key", "unit", "policy", "baseline", "n", "diff", "low",
               "high", "relative_pct", "separable"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def ranking(scenario: str = "typhoon_north") -> pd.DataFrame:
    rows = []
    for metric in ("harm_bn_vnd", "total_burden_bn_vnd"):
        ordered = sorted(POLICIES, key=lambda policy: _level(metric, policy))
        for rank, policy in enumerate(ordered, start=1):
            mean = _level(metric, policy)
            verdict = "best" if rank == 1 else "separable"
            rows.append((scenario, metric, rank, policy, mean, mean * 0.97, mean * 1.03, verdict,
                         float("nan")))  # fmt: skip
    return pd.DataFrame(rows, columns=["scenario", "metric", "rank", "policy", "mean", "low",
                                       "high", "verdict", "replications_to_tell"])  # fmt: skip


def daily(scenario: str = "typhoon_north", days: int = 30) -> pd.DataFrame:
    t = np.arange(days + 1)
    wave = np.exp(-((t - 6.0) ** 2) / 14.0) + 0.5 * np.exp(-((t - 12.0) ** 2) / 40.0)
    sizes = {"active_incidents": 24.0, "people_in_need": 2_600_000.0}
    parts = []
    for policy in POLICIES:
        served = 0.0 if policy == "do_nothing" else 0.42 / EFFECT[policy]
        levels = {
            "active_incidents": sizes["active_incidents"] * wave,
            "people_in_need": sizes["people_in_need"] * wave,
            "people_served": sizes["people_in_need"] * wave * served,
            "people_unmet": sizes["people_in_need"] * wave * (1 - served),
        }
        for series, mean in levels.items():
            parts.append(pd.DataFrame({
                "scenario": scenario, "policy": policy, "day": t, "series": series, "mean": mean,
                "q05": 0.4 * mean, "q25": 0.75 * mean, "q50": 0.97 * mean, "q75": 1.22 * mean,
                "q95": 1.8 * mean,
            }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _weight(table: pd.DataFrame) -> np.ndarray:
    centre = np.array([21.3, 106.0])
    gap = np.hypot(table["lat"] - centre[0], table["lon"] - centre[1])
    return np.exp(-((gap / 1.8) ** 2)).to_numpy()


def places(scenario: str = "typhoon_north") -> pd.DataFrame:
    table = provinces()
    weight = _weight(table)
    parts = []
    for policy in POLICIES:
        share = 0.0 if policy == "do_nothing" else 0.42 / EFFECT[policy]
        need = table["population"] * 1.1 * weight
        uneven = np.clip(share * (0.4 + (np.arange(len(table)) % 7) / 5.0), 0, 1)
        for metric, mean in (("need_person_days", need), ("served_person_days", need * uneven)):
            parts.append(pd.DataFrame({
                "scenario": scenario, "policy": policy, "place": table["code"],
                "name": table["name_vi"], "metric": metric, "mean": mean, "low": mean * 0.9,
                "high": mean * 1.1,
            }))  # fmt: skip
        with np.errstate(invalid="ignore"):
            ratio = pd.Series(np.where(need > 1000, uneven, np.nan))
        parts.append(pd.DataFrame({
            "scenario": scenario, "policy": policy, "place": table["code"],
            "name": table["name_vi"], "metric": "served_share", "mean": ratio,
            "low": ratio - 0.05, "high": ratio + 0.05,
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def map_days(scenario: str = "typhoon_north", days: int = 30) -> pd.DataFrame:
    table = provinces()
    weight = _weight(table)
    parts = []
    for policy in ("current_practice", "expected_value"):
        share = 0.42 / EFFECT[policy]
        for day in range(days + 1):
            wave = np.exp(-((day - 6.0) ** 2) / 30.0)
            active = np.clip(1.3 * weight * wave, 0, 1)
            served = np.clip(
                share * (0.4 + (np.arange(len(table)) % 7) / 5.0) * (1 + day / 30), 0, 1
            )
            parts.append(pd.DataFrame({
                "scenario": scenario, "policy": policy, "day": day, "place": table["code"],
                "active_share": active, "mean_severity": 1 + 2 * weight,
                "served_share": np.where(active > 0.01, served, np.nan),
            }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


_CHAINS = (
    ("own_stock", "local_on_spot", "rescue_team", 2600, 74.0),
    ("own_stock", "local_on_spot", "boat_crew", 500, 9.0),
    ("own_stock", "local_on_spot", "rice_t", 900, 14.0),
    ("account", "mutual_aid", "rescue_team", 300, 21.0),
    ("account", "mutual_aid", "power_crew", 60, 6.5),
    ("account", "requisition", "boat_crew", 210, 11.0),
    ("account", "requisition", "generator", 90, 5.0),
    ("account", "framework_contract", "family_kit", 22000, 44.0),
    ("account", "framework_contract", "medical_kit", 1500, 8.0),
    ("central_budget", "military", "rescue_team", 2400, 88.0),
    ("central_budget", "military", "boat_crew", 180, 12.0),
    ("central_budget", "police", "rescue_team", 700, 19.0),
    ("central_budget", "utility_crews", "power_crew", 320, 16.0),
    ("central_budget", "national_reserve", "rice_t", 4100, 37.0),
    ("intl_aid", "intl_aid", "family_kit", 5200, 7.0),
)


def flows(scenario: str = "typhoon_north") -> pd.DataFrame:
    table = provinces()
    weight = _weight(table)
    weight = np.where(weight > 0.02, weight, 0.0)
    weight = weight / weight.sum()
    rows = []
    for policy in ("current_practice", "expected_value"):
        for fund, mechanism, resource, units, cost in _CHAINS:
            for code, share in zip(table["code"], weight, strict=True):
                if share > 0:
                    rows.append((scenario, policy, fund, mechanism, resource, code,
                                 units * share, cost * share))  # fmt: skip
    return pd.DataFrame(rows, columns=["scenario", "policy", "fund", "mechanism", "resource",
                                       "place", "units", "cost_bn_vnd"])  # fmt: skip


def buildup(scenario: str = "typhoon_north", days: int = 30) -> pd.DataFrame:
    shares = {"local_on_spot": (0.18, 0), "mutual_aid": (0.07, 3), "military": (0.12, 1),
              "police": (0.04, 1), "utility_crews": (0.03, 2), "requisition": (0.025, 3),
              "framework_contract": (0.06, 4), "national_reserve": (0.03, 6),
              "intl_aid": (0.005, 12)}  # fmt: skip
    rows = []
    for policy in ("current_practice", "expected_value"):
        for mechanism, (top, start) in shares.items():
            for day in range(days + 1):
                ramp = min(1.0, max(0.0, (day - start + 1) / 4.0))
                rows.append((scenario, policy, day, mechanism, top * ramp / EFFECT[policy]))
    return pd.DataFrame(rows, columns=["scenario", "policy", "day", "mechanism", "share"])


def frames(*scenarios: str) -> dict[str, pd.DataFrame]:
    """All tables for the scenarios named (typhoon_north alone by default)."""
    makers = {"summary": summary, "comparison": comparison, "ranking": ranking, "daily": daily,
              "places": places, "map_days": map_days, "flows": flows, "buildup": buildup}  # fmt: skip
    named = scenarios or ("typhoon_north",)
    return {key: pd.concat([make(s) for s in named], ignore_index=True)
            for key, make in makers.items()}  # fmt: skip


def empty_frames() -> dict[str, pd.DataFrame]:
    """The same tables with no rows at all."""
    return {key: frame.iloc[0:0] for key, frame in frames().items()}
