"""The tables of a sweep, written cell by cell.

=========== ====================================================================================
results     one row a cell, scenario, policy and replication; a column for every axis and outcome
summary     one row a cell, scenario, policy and outcome: mean, paired difference to the baseline
            and change against the first cell, with 95 % intervals
cells       one row a cell: replications, failures, and the command that makes it alone
failures    one row a replication that failed, with cause and command
=========== ====================================================================================

Of a weighted set of scenarios each member has rows, and the set has rows under its own name.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np

from nts_sim.outcomes.compare import Comparison, Summary, compare, paired, summarise, weighted_mean
from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.spec.models import ScenarioSetSpec
from nts_sim.study.sweep.asked import Asked, Keyed
from nts_sim.study.sweep.cell import Cells, Value
from nts_sim.study.sweep.parts import Parts
from nts_sim.study.sweep.stream import Field, Kind, Streamed
from nts_sim.study.sweep.unit import COLUMNS
from nts_sim.world.model import Floats

TABLES: Final = ("results", "summary", "cells", "failures")
_NAN = float("nan")
Columns = dict[str, Sequence[Any]]
_Sheets = dict[tuple[str, int], Mapping[str, Floats]]
"""Outcomes by policy, float arrays [replication, column], by scenario and seed."""


def write_tables(folder: Path, asked: Asked, parts: Parts) -> int:
    """Write every table of a sweep; return how many replications failed."""
    axes = axis_fields(asked.cells)
    failed = 0
    with ExitStack() as open_tables:
        tables = {
            name: open_tables.enter_context(Streamed(folder, name, _fields(axes, fields)))
            for name, fields in _FIELDS.items()
        }
        first: _Sheets = {}
        for keyed in asked:
            made = _of_cell(keyed, parts, first)
            failed += len(made["failures"]["replication"])
            for name, columns in made.items():
                count = len(next(iter(columns.values())))
                tables[name].add(_axis_columns(asked.cells, axes, keyed, count) | columns)
    return failed


def _fields(axes: Sequence[Field], others: Sequence[Field]) -> list[Field]:
    """Put an axis before the other columns, unless one of these says it anyway."""
    own = {field.name for field in others}
    return [_CELL, *(axis for axis in axes if axis.name not in own), *others]


def axis_fields(cells: Cells) -> list[Field]:
    """Say which columns the axes get: whole numbers, numbers, or text."""
    kinds: dict[str, set[Kind]] = {axis: set() for axis in cells.axes}
    for cell in cells:
        for axis, value in zip(cells.axes, cell.values, strict=True):
            kinds[axis].add(_kind(value))
    return [Field(axis, _common(found)) for axis, found in kinds.items()]


def _kind(value: Value) -> Kind:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "text"
    return "int" if isinstance(value, int) else "float"


def _common(kinds: set[Kind]) -> Kind:
    if "text" in kinds:
        return "text"
    return "int" if kinds == {"int"} else "float"


def _axis_columns(cells: Cells, axes: Sequence[Field], keyed: Keyed, count: int) -> Columns:
    values = dict(zip(cells.axes, keyed.cell.values, strict=True))
    made: Columns = {field.name: [_as(values[field.name], field.kind)] * count for field in axes}
    return {"cell": [keyed.cell.number] * count} | made


def _as(value: Value, kind: Kind) -> Value:
    if kind == "float":
        return float(value)  # type: ignore[arg-type]  # numbers only, by `axis_fields`
    if kind == "int" or isinstance(value, str):
        return value
    return "none" if value is None else str(value).lower()


_CELL = Field("cell", "int")
_FIELDS: Final[Mapping[str, Sequence[Field]]] = {
    "results": (
        Field("scenario", "text"), Field("policy", "text"), Field("replication", "int"),
        *(Field(column, "float") for column in COLUMNS),
    ),
    "summary": (
        Field("scenario", "text"), Field("policy", "text"), Field("metric", "text"),
        Field("unit", "text"), Field("n", "int"), Field("mean", "float"), Field("low", "float"),
        Field("high", "float"), Field("baseline", "text"), Field("diff", "float"),
        Field("diff_low", "float"), Field("diff_high", "float"), Field("relative_pct", "float"),
        Field("separable", "bool"), Field("change", "float"), Field("change_low", "float"),
        Field("change_high", "float"),
    ),
    "cells": (
        Field("scenario", "text"), Field("replications", "int"), Field("failed", "int"),
        Field("command", "text"),
    ),
    "failures": (
        Field("scenario", "text"), Field("policy", "text"), Field("replication", "int"),
        Field("error", "text"), Field("message", "text"), Field("command", "text"),
    ),
}  # fmt: skip


def _of_cell(keyed: Keyed, parts: Parts, first: _Sheets) -> dict[str, Columns]:
    """Make the rows of a cell; `first` holds the outcomes of the first one, by scenario."""
    values = keyed.values(parts)
    command = _command(keyed)
    failures = _failures(keyed, parts, command)
    sheets = dict(_sheets(keyed, values))
    if not keyed.cell.number:
        first |= {(name, keyed.study.seed): sheet for name, sheet in sheets.items()}
    replications = next(iter(values.values())).shape[1]
    return {
        "results": _joined([_results(name, sheet) for name, sheet in sheets.items()]),
        "summary": _joined(
            [
                _summary(name, sheet, keyed.study.baseline)
                | _changes(sheet, first.get((name, keyed.study.seed), {}))
                for name, sheet in sheets.items()
            ]
        ),
        "cells": {
            "scenario": [keyed.study.scenario.name], "replications": [replications],
            "failed": [len(failures["replication"])], "command": [command],
        },
        "failures": failures,
    }  # fmt: skip


def _command(keyed: Keyed) -> str:
    """Write the command that makes a cell alone."""
    verb = "run" if len(keyed.study.policies) == 1 else "compare"
    return shlex.join(["nts-sim", verb, *keyed.cell.told])


def _sheets(
    keyed: Keyed, values: Mapping[str, Floats]
) -> Iterator[tuple[str, Mapping[str, Floats]]]:
    """Outcomes by policy, float arrays [replication, column]: of every scenario, and of the set."""
    for number, (name, _, _) in enumerate(keyed.cell.scenarios):
        yield name, {policy: table[number] for policy, table in values.items()}
    scenario = keyed.study.scenario
    if isinstance(scenario, ScenarioSetSpec):
        weights = [weight for _, weight, _ in keyed.cell.scenarios]
        yield (
            scenario.name,
            {policy: weighted_mean(list(table), weights) for policy, table in values.items()},
        )


def _results(scenario: str, sheet: Mapping[str, Floats]) -> Columns:
    kept = {policy: ~np.isnan(table).all(axis=1) for policy, table in sheet.items()}
    counts = {policy: int(there.sum()) for policy, there in kept.items()}
    rows = np.concatenate([table[kept[policy]] for policy, table in sheet.items()])
    return {
        "scenario": [scenario] * len(rows),
        "policy": [policy for policy, count in counts.items() for _ in range(count)],
        "replication": np.concatenate([np.flatnonzero(there) for there in kept.values()]).tolist(),
        **{name: column.tolist() for name, column in zip(COLUMNS, rows.T, strict=True)},
    }


def _summary(scenario: str, sheet: Mapping[str, Floats], baseline: str) -> Columns:
    found = {c.policy: c for c in compare(sheet, baseline)} if baseline in sheet else {}
    parts = [
        _summary_of(policy, summarise(table), found.get(policy), policy == baseline)
        for policy, table in sheet.items()
    ]
    made = _joined(parts)
    count = len(made["policy"])
    return made | {"scenario": [scenario] * count, "baseline": [baseline if found else ""] * count}


def _summary_of(
    policy: str, summary: Summary, against: Comparison | None, is_baseline: bool
) -> Columns:
    count = len(COLUMNS)
    nothing = [0.0 if is_baseline else _NAN] * count
    made: Columns = {
        "policy": [policy] * count, "metric": list(COLUMNS),
        "unit": [BY_NAME[name].unit for name in COLUMNS], "n": summary.n.tolist(),
        "mean": summary.mean.tolist(), "low": summary.low.tolist(), "high": summary.high.tolist(),
    }  # fmt: skip
    if against is None:
        told = dict.fromkeys(("diff", "diff_low", "diff_high", "relative_pct"), nothing)
        return made | told | {"separable": [False] * count}
    difference = against.differences.summary
    return made | {
        "diff": difference.mean.tolist(), "diff_low": difference.low.tolist(),
        "diff_high": difference.high.tolist(),
        "relative_pct": against.differences.relative_pct.tolist(),
        "separable": against.separable.tolist(),
    }  # fmt: skip


def _changes(sheet: Mapping[str, Floats], first: Mapping[str, Floats]) -> Columns:
    """Compare a cell with the first one, policy by policy, where both had the same luck."""
    made: dict[str, list[float]] = {"change": [], "change_low": [], "change_high": []}
    for policy, table in sheet.items():
        shared = first.get(policy, table[:0])
        n = min(len(shared), len(table))
        found = paired(table[:n], shared[:n]).summary
        for name, values in zip(made, (found.mean, found.low, found.high), strict=True):
            made[name] += values.tolist()
    return dict(made)


def _failures(keyed: Keyed, parts: Parts, command: str) -> Columns:
    names = [name for name, _, _ in keyed.cell.scenarios]
    rows = [
        (names[scenario], want.policy, told.replication, told.error, told.message, command)
        for want in keyed.wants(parts)
        for scenario, told in parts.require(want.key).failures
    ]
    fields = [field.name for field in _FIELDS["failures"]]
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    return dict(zip(fields, columns, strict=True))


def _joined(parts: Sequence[Columns]) -> Columns:
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}
