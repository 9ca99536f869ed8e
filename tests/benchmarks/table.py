"""Findings as a table that can be read (markdown) and one that can be computed with (CSV)."""

from __future__ import annotations

import csv
import io
import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from tests.benchmarks.measure import Finding

_VERSIONS = ("numba", "numpy", "simpy", "EoN", "Ciw")
_HEADS = (
    "case", "work", "A", "B", "unit", "median A", "median B", "pairs", "amount of A",
    "ratio B / A", "lowest", "highest", "target", "verdict", "remark",
)  # fmt: skip


def machine() -> str:
    """Say what was measured on, naming neither host nor path."""
    return ", ".join(
        [f"Python {platform.python_version()}", *map(_version, _VERSIONS),
         f"{platform.machine()}, {os.cpu_count()} CPUs"]
    )  # fmt: skip


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} not installed"


def row(finding: Finding) -> dict[str, str]:
    """One row of the table; ratio columns hold the cost itself where there is one side."""
    case = finding.case
    said = {"case": case.name, "work": case.work, "A": case.a, "B": case.b or "", "unit": case.unit}
    said["target"] = f"{case.sense} {case.target:g} {'times' if case.b else case.unit}"
    if finding.trouble is not None:
        return {head: said.get(head, "") for head in _HEADS} | {"verdict": finding.trouble}
    costs = {"median A": finding.a, "median B": finding.b}
    medians = {
        head: _digits(statistics.median(sample.cost for sample in samples))
        for head, samples in costs.items()
        if samples
    }
    values = finding.values
    return dict.fromkeys(_HEADS, "") | said | medians | {
        "pairs": str(len(finding.a)),
        "amount of A": f"{statistics.median(s.amount for s in finding.a):.0f} {case.amount}",
        "ratio B / A": _digits(statistics.median(values)) if case.b else "",
        "lowest": _digits(min(values)), "highest": _digits(max(values)),
        "verdict": _verdict(finding), "remark": finding.a[-1].remark,
    }  # fmt: skip


def _digits(value: float) -> str:
    """Three significant digits, or all before the point."""
    return f"{value:.0f}" if value >= 100.0 else f"{value:.3g}"


def _verdict(finding: Finding) -> str:
    by = finding.missed_by
    return f"met, {-by:.0%} to spare" if by <= 0.0 else f"missed by {by:.0%}"


def markdown(findings: Sequence[Finding]) -> str:
    """The table with what a reader must know to trust it."""
    rows = [row(finding) for finding in findings]
    lines = [
        "# Benchmarks", "", machine() + ".", "",
        "Pairs are run in turn, A B A B, after one uncounted pair; both sides of a pair do the "
        "same work, which is asserted. The ratio is the median over pairs of cost of B / cost of "
        "A, with its lowest and highest; where there is one side, lowest and highest are costs.",
        "",
        "| " + " | ".join(_HEADS) + " |", "|" + " --- |" * len(_HEADS),
        *("| " + " | ".join(row[head] for head in _HEADS) + " |" for row in rows), "",
    ]  # fmt: skip
    return "\n".join(lines)


def as_csv(findings: Sequence[Finding]) -> str:
    """One row per case; columns as in the readable table."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _HEADS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(finding) for finding in findings)
    return text.getvalue()
