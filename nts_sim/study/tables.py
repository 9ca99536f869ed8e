"""Make the result tables of a study from what was collected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nts_sim.outcomes.accumulate import Tally
from nts_sim.outcomes.compare import (
    compare,
    rank,
    summarise,
    sweep_harm_weight,
    weighted_mean,
)
from nts_sim.outcomes.frames import frame, joined
from nts_sim.outcomes.metrics import BY_NAME, PLACE_METRICS, RANKED, SERIES
from nts_sim.study.collect import Collected, Member, Pile
from nts_sim.study.finance import finance_table, mechanism_table
from nts_sim.study.orders import gap_table, order_table
from nts_sim.trace.model import ROW, Trace
from nts_sim.world.model import Floats

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
Key = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Results:
    """What a study came to: tables only.

    Attributes
    ----------
    frames : table name → data frame, as `nts_sim.outcomes.frames.TABLES` declares them
    trace : rows of replication 0 of every scenario and policy, columns scenario, policy, row
        (what `cause_row` counts) and those of `nts_sim.trace.model.ROW`
    best_policy : best by total burden, in the set or the first scenario
    """

    frames: Mapping[str, pd.DataFrame]
    trace: pd.DataFrame
    best_policy: str

    @property
    def exit_code(self) -> int:
        """0, or 3 where some replications failed."""
        return 3 if len(self.frames["failures"]) else 0


@dataclass(frozen=True, eq=False)
class Sheet:
    """Outcomes of a scenario, or of a weighted set: policy → [replication, column]."""

    scenario: str
    columns: tuple[Key, ...]
    values: Mapping[str, Floats]

    def of(self, metric: str, key: str = "all") -> dict[str, Floats]:
        """One column of every policy."""
        column = self.columns.index((metric, key))
        return {policy: table[:, column] for policy, table in self.values.items()}


def tables_of(collected: Collected, baseline: str, set_name: str | None) -> Results:
    """Make all result tables.

    Parameters
    ----------
    baseline : policy compared with; without it there is no comparison
    set_name : name of the scenario set, which gets rows of its own; None: single scenarios
    """
    sheets = [_sheet(collected, member) for member in collected.members]
    if set_name is not None:
        sheets.append(_set_sheet(set_name, sheets, collected.members))
    piles = [(member, policy, collected.piles[member.name, policy])
             for member in collected.members for policy in collected.policies]  # fmt: skip
    tallied = [(m, policy, pile.tally) for m, policy, pile in piles if pile.tally is not None]
    sampled = [(m, policy, pile.sample) for m, policy, pile in piles if pile.sample is not None]
    ranking = joined("ranking", _ranking(sheets))
    frames = {
        "outcomes": joined("outcomes", (_outcomes(sheet) for sheet in sheets)),
        "summary": joined("summary", (_summary(sheet) for sheet in sheets)),
        "comparison": joined("comparison", (_comparison(sheet, baseline) for sheet in sheets)),
        "ranking": ranking,
        "weights": joined("weights", (_weights(sheet) for sheet in sheets)),
        "daily": joined("daily", (_daily(m, policy, pile) for m, policy, pile in piles)),
        "places": joined("places", (_places(m, policy, tally) for m, policy, tally in tallied)),
        "map_days": joined("map_days", (_map_days(*row) for row in tallied)),
        "flows": joined("flows", (_flows(*row) for row in tallied)),
        "buildup": joined("buildup", (_buildup(*row) for row in tallied)),
        "gap": joined("gap", (gap_table(m.name, p, m.world, t) for m, p, t in tallied)),
        "finance": joined("finance", (finance_table(m.name, p, m.world, t) for m, p, t in tallied)),
        "mechanisms": joined(
            "mechanisms", (mechanism_table(m.name, m.world) for m in collected.members)
        ),
        "failures": joined("failures", (_failures(*row) for row in piles)),
        "orders": joined(
            "orders",
            (order_table(m.name, p, m.world, run.rulings, run.trace) for m, p, run in sampled),
        ),
    }
    traces = [_trace(m.name, policy, run.trace) for m, policy, run in sampled]
    return Results(
        frames, pd.concat(traces, ignore_index=True) if traces else pd.DataFrame(),
        _best(ranking, sheets[-1].scenario if set_name else sheets[0].scenario),
    )  # fmt: skip


def _sheet(collected: Collected, member: Member) -> Sheet:
    values = {p: collected.piles[member.name, p].values for p in collected.policies}
    return Sheet(member.name, member.layout.columns, values)


def _set_sheet(name: str, sheets: Iterable[Sheet], members: Iterable[Member]) -> Sheet:
    """Weigh the members' outcomes replication by replication; what a member lacks counts 0."""
    listed, weights = list(sheets), [member.weight for member in members]
    columns = tuple(dict.fromkeys(column for sheet in listed for column in sheet.columns))
    values = {
        policy: weighted_mean([_aligned(sheet, policy, columns) for sheet in listed], weights)
        for policy in listed[0].values
    }
    return Sheet(name, columns, values)


def _aligned(sheet: Sheet, policy: str, columns: tuple[Key, ...]) -> Floats:
    table = sheet.values[policy]
    failed = np.isnan(table).all(axis=1)
    made = np.zeros((len(table), len(columns)))
    position = {column: index for index, column in enumerate(sheet.columns)}
    for index, column in enumerate(columns):
        if column in position:
            made[:, index] = table[:, position[column]]
    made[failed] = np.nan
    return made


def _column_words(columns: tuple[Key, ...]) -> dict[str, Floats]:
    words = np.array([(metric, key, BY_NAME[metric].unit) for metric, key in columns], dtype=object)
    return dict(zip(("metric", "key", "unit"), words.T, strict=True))


def _outcomes(sheet: Sheet) -> pd.DataFrame:
    words = _column_words(sheet.columns)
    parts = []
    for policy, table in sheet.values.items():
        done = np.flatnonzero(~np.isnan(table).all(axis=1))
        parts.append(frame("outcomes", {
            "scenario": [sheet.scenario] * (len(done) * len(sheet.columns)),
            "policy": [policy] * (len(done) * len(sheet.columns)),
            "replication": np.repeat(done, len(sheet.columns)),
            **{name: np.tile(column, len(done)) for name, column in words.items()},
            "value": table[done].ravel(),
        }))  # fmt: skip
    return joined("outcomes", parts)


def _summary(sheet: Sheet) -> pd.DataFrame:
    words, count = _column_words(sheet.columns), len(sheet.columns)
    parts = []
    for policy, table in sheet.values.items():
        found = summarise(table)
        parts.append(frame("summary", {
            "scenario": [sheet.scenario] * count, "policy": [policy] * count, **words,
            "n": found.n, "mean": found.mean, "low": found.low, "high": found.high,
        }))  # fmt: skip
    return joined("summary", parts)


def _comparison(sheet: Sheet, baseline: str) -> pd.DataFrame:
    if baseline not in sheet.values:
        return joined("comparison", ())
    words, count = _column_words(sheet.columns), len(sheet.columns)
    parts = []
    for found in compare(sheet.values, baseline):
        difference = found.differences.summary
        parts.append(frame("comparison", {
            "scenario": [sheet.scenario] * count, **words, "policy": [found.policy] * count,
            "baseline": [baseline] * count, "n": difference.n, "diff": difference.mean,
            "low": difference.low, "high": difference.high,
            "relative_pct": found.differences.relative_pct, "separable": found.separable,
        }))  # fmt: skip
    return joined("comparison", parts)


def _ranking(sheets: Iterable[Sheet]) -> Iterator[pd.DataFrame]:
    for sheet in sheets:
        for metric in RANKED:
            ranked = rank(sheet.of(metric), lower_is_better=BY_NAME[metric].lower_is_better)
            yield frame("ranking", {
                "scenario": [sheet.scenario] * len(ranked), "metric": [metric] * len(ranked),
                "rank": [row.rank for row in ranked], "policy": [row.policy for row in ranked],
                "mean": [row.mean for row in ranked], "low": [row.low for row in ranked],
                "high": [row.high for row in ranked], "verdict": [row.verdict for row in ranked],
                "replications_to_tell": [row.replications_to_tell for row in ranked],
                "separable_from_next": [row.separable_from_next for row in ranked],
            })  # fmt: skip


def _weights(sheet: Sheet) -> pd.DataFrame:
    swept = sweep_harm_weight(sheet.of("harm_bn_vnd"), sheet.of("cost_bn_vnd"))
    rows = [(step, row) for step in swept for row in step.ranking]
    return frame("weights", {
        "scenario": [sheet.scenario] * len(rows), "harm_factor": [step.factor for step, _ in rows],
        "policy": [row.policy for _, row in rows], "mean": [row.mean for _, row in rows],
        "low": [row.low for _, row in rows], "high": [row.high for _, row in rows],
        "rank": [row.rank for _, row in rows],
        "winner_changes": [step.winner_changes for step, _ in rows],
    })  # fmt: skip


def _daily(member: Member, policy: str, pile: Pile) -> pd.DataFrame:
    done = pile.daily[~np.isnan(pile.daily).all(axis=(1, 2))]
    if not len(done):
        return joined("daily", ())
    _, n_series, n_days = done.shape
    count = n_series * n_days
    quantiles = np.quantile(done, _QUANTILES, axis=0).reshape(len(_QUANTILES), count)
    return frame("daily", {
        "scenario": [member.name] * count, "policy": [policy] * count,
        "day": np.tile(np.arange(n_days), n_series), "series": np.repeat(SERIES, n_days),
        "mean": done.mean(axis=0).ravel(),
        **{f"q{round(100 * q):02d}": row for q, row in zip(_QUANTILES, quantiles, strict=True)},
    })  # fmt: skip


def _places(member: Member, policy: str, tally: Tally) -> pd.DataFrame:
    nodes = member.world.nodes
    found, count = tally.places.summary(), nodes.n_places * len(PLACE_METRICS)
    repeats = len(PLACE_METRICS)
    return frame("places", {
        "scenario": [member.name] * count, "policy": [policy] * count,
        "place": np.repeat(nodes.code[: nodes.n_places], repeats),
        "name": np.repeat(nodes.name[: nodes.n_places], repeats),
        "metric": np.tile(PLACE_METRICS, nodes.n_places),
        "mean": found.mean, "low": found.low, "high": found.high,
    })  # fmt: skip


def _map_days(member: Member, policy: str, tally: Tally) -> pd.DataFrame:
    nodes, horizon = member.world.nodes, member.world.horizon_days
    active, severity, need, served = (part.T.ravel() for part in tally.map_days)
    share = np.divide(served, need, out=np.full(len(need), np.nan), where=need > 1e-6)
    return frame("map_days", {
        "scenario": [member.name] * len(active), "policy": [policy] * len(active),
        "day": np.repeat(np.arange(horizon), nodes.n_places),
        "place": np.tile(nodes.code[: nodes.n_places], horizon),
        "active_share": _clean(active / tally.count),
        "mean_severity": _clean(severity / tally.count),
        "served_share": np.clip(share, 0.0, 1.0),
    })  # fmt: skip


def _clean(values: Floats) -> Floats:
    """Take away what rounding leaves where there is nothing."""
    return np.where(values < 1e-9, 0.0, values)


def _flows(member: Member, policy: str, tally: Tally) -> pd.DataFrame:
    layout = member.layout
    nodes = member.world.nodes
    axes = (layout.funds, layout.mechanisms, layout.resources, nodes.code[: nodes.n_places])
    where = np.unravel_index(tally.flow_slot, tuple(len(axis) for axis in axes))
    names = [np.asarray(axis, dtype=object)[at] for axis, at in zip(axes, where, strict=True)]
    count = len(tally.flow_slot)
    return frame("flows", {
        "scenario": [member.name] * count, "policy": [policy] * count,
        **dict(zip(("fund", "mechanism", "resource", "place"), names, strict=True)),
        "units": tally.flow_units / tally.count, "cost_bn_vnd": tally.flow_cost / tally.count,
    })  # fmt: skip


def _buildup(member: Member, policy: str, tally: Tally) -> pd.DataFrame:
    mechanisms, horizon = member.layout.mechanisms, member.world.horizon_days
    share = np.divide(
        tally.served_by, tally.need, out=np.zeros_like(tally.served_by), where=tally.need > 1e-6
    )
    kept = np.flatnonzero(share.any(axis=1))
    return frame("buildup", {
        "scenario": [member.name] * (len(kept) * horizon),
        "policy": [policy] * (len(kept) * horizon),
        "day": np.tile(np.arange(horizon), len(kept)),
        "mechanism": np.repeat(np.asarray(mechanisms, dtype=object)[kept], horizon),
        "share": np.clip(share[kept], 0.0, 1.0).ravel(),
    })  # fmt: skip


def _failures(member: Member, policy: str, pile: Pile) -> pd.DataFrame:
    failures = sorted(pile.failures, key=lambda failure: failure.replication)
    return frame("failures", {
        "scenario": [member.name] * len(failures), "policy": [policy] * len(failures),
        "replication": [failure.replication for failure in failures],
        "error": [failure.error for failure in failures],
        "message": [failure.message for failure in failures],
    })  # fmt: skip


def _trace(scenario: str, policy: str, trace: Trace) -> pd.DataFrame:
    made = pd.DataFrame({name: trace[name] for name in ROW.names or ()})
    made.insert(0, "row", np.arange(len(made)))
    made.insert(0, "policy", policy)
    made.insert(0, "scenario", scenario)
    return made


def _best(ranking: pd.DataFrame, scenario: str) -> str:
    chosen = ranking[
        (ranking["scenario"] == scenario) & (ranking["metric"] == "total_burden_bn_vnd")
    ]
    return str(chosen.sort_values("rank")["policy"].iloc[0]) if len(chosen) else ""
