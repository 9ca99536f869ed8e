"""The page and the workbook that put two runs side by side."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.report.headline import FIVE, interval, measured
from nts_sim.report.html import rendered
from nts_sim.report.layout import Cell, Column, Table, amount, sheet_of, table
from nts_sim.report.pair import (
    BURDEN,
    Difference,
    Side,
    common_policies,
    cost_by_fund,
    difference,
    differences_of_study,
    gaps_apart,
    same_luck,
)
from nts_sim.sheets import workbook
from nts_sim.spec.texts import spoken
from nts_sim.words import name_of, number, policy_in_text, say, sentence

_MOST_GAPS, _MOST_KEYS = 12, 40


def write_pair(a: Side, b: Side) -> str:
    """Write two runs side by side as one self-contained page."""
    return rendered(
        "pair.html.j2", title=say("pair.title"), a=_named(a), b=_named(b), verdict=verdict(a, b),
        **_tables(a, b, _MOST_GAPS, _MOST_KEYS),
    )  # fmt: skip


def write_pair_workbook(a: Side, b: Side) -> bytes:
    """Write two runs side by side as a workbook."""
    made = _tables(a, b, None, None)
    words = [say("report.mark"), _named(a), _named(b), *verdict(a, b)]
    first, *others = (("five", words), ("policies", ()), ("study", ()), ("gaps", ()), ("funds", ()))
    return workbook([sheet_of(say(f"pair.sheet_{name}"), made[name], notes)
                     for name, notes in (first, *others)])  # fmt: skip


def _named(one: Side) -> str:
    scenario = one.config["scenario"]
    return say(
        "pair.side", run=one.view.run_id, title=str(spoken(scenario, "title")),
        policy=policy_in_text(one.policy), n=one.view.replications, seed=one.manifest.get("seed"),
    )  # fmt: skip


def verdict(a: Side, b: Side) -> list[str]:
    """Say in plain words which run does better, and how far that can be trusted."""
    lines = []
    if len(a.values(a.policy, BURDEN)) and len(b.values(b.policy, BURDEN)):
        lines.append(_better(difference(a, b, BURDEN), a, b))
    else:
        lines.append(say("pair.not_simulated"))
    lines.append(say("pair.paired" if same_luck(a, b) else "pair.unpaired"))
    if a.config.get("scenario") != b.config.get("scenario"):
        lines.append(say("pair.other_scenario"))
    return lines


def _better(found: Difference, a: Side, b: Side) -> str:
    middle, low, high = found.diff
    told = {"a": policy_in_text(a.policy), "b": policy_in_text(b.policy)}
    if middle == 0.0 and low == high == 0.0:
        return say("pair.same", **told)
    ends = interval(min(abs(low), abs(high)), max(abs(low), abs(high)), "bn VND")
    if not found.is_told:
        ends = interval(low, high, "bn VND", signed=True)
        return say("pair.not_told", amount=middle, interval=ends, **told)
    return say("pair.second" if middle < 0.0 else "pair.first", amount=abs(middle), interval=ends,
               **told)  # fmt: skip


def _tables(a: Side, b: Side, most_gaps: int | None, most_keys: int | None) -> dict[str, Any]:
    return {
        "five": _five(a, b), "policies": _policies(a, b), "study": _study(a, b, most_keys),
        "gaps": _gaps(gaps_apart(a, b, most_gaps)), "funds": _funds(cost_by_fund(a, b)),
    }  # fmt: skip


def _sides(unit: str = "") -> list[Column]:
    titles = (say("pair.a"), say("pair.b"), say("pair.difference"))
    return [Column(title, unit, "2") for title in titles]


def _five(a: Side, b: Side) -> Table:
    rows: list[tuple[str | Cell, ...]] = []
    for metric in FIVE:
        if not (len(a.values(a.policy, metric)) and len(b.values(b.policy, metric))):
            continue
        unit = BY_NAME[metric].unit
        cells = _cells(difference(a, b, metric), unit)
        shown = "%" if unit == "share" else name_of("unit", unit)
        rows.append((sentence(name_of("metric", metric)), shown, *cells))
    columns = [Column(say("report.five.metric")), Column(say("report.five.unit")), *_sides()]
    return table(columns, rows, say("pair.five_note"))


def _cells(found: Difference, unit: str) -> list[Cell]:
    first, second = (_with_ends(values, unit) for values in (found.first, found.second))
    return [first, second, _with_ends(found.diff, unit, signed=True)]


def _with_ends(values: tuple[float, float, float], unit: str, *, signed: bool = False) -> Cell:
    middle, low, high = values
    text = measured(middle, unit, signed=signed)
    if unit == "share" and signed:
        text = say("report.points", value=text)
    elif unit == "share":
        low, high = max(low, 0.0), min(high, 1.0)
    ends = math.isfinite(low) and math.isfinite(high)
    return Cell(f"{text} {interval(low, high, unit, signed=signed)}" if ends else text,
                value=middle)  # fmt: skip


def _policies(a: Side, b: Side) -> Table:
    rows: list[tuple[str | Cell, ...]] = []
    for policy in common_policies(a, b):
        found = difference(a, b, BURDEN, (policy, policy))
        rows.append((sentence(name_of("policy", policy)), *_cells(found, "bn VND")))
    columns = [Column(say("report.policies.policy")), *_sides(name_of("unit", "bn VND"))]
    return table(columns, rows, say("pair.policies_note"))


def _study(a: Side, b: Side, most: int | None) -> Table:
    found = differences_of_study(a, b)
    shown = found if most is None else found[:most]
    columns = [Column(say("pair.key")), Column(say("pair.a")), Column(say("pair.b"))]
    note = say("pair.more_keys", n=len(found) - len(shown)) if len(shown) < len(found) else ""
    return table(columns, shown, note)


def _gaps(rows: pd.DataFrame) -> Table:
    lines: list[tuple[str | Cell, ...]] = [
        (str(row["name"]), name_of("resource", str(row["resource"])), *_amounts(row))
        for row in rows.to_dict("records")
    ]
    columns = [Column(say("report.gaps.place")), Column(say("report.gaps.resource")),
               *_sides(name_of("unit", "unit-days"))]  # fmt: skip
    return table(columns, lines, say("pair.gaps_note"))


def _funds(rows: pd.DataFrame) -> Table:
    lines: list[tuple[str | Cell, ...]] = [
        (sentence(name_of("fund", str(row["fund"]))), *_amounts(row))
        for row in rows.to_dict("records")
    ]
    columns = [Column(say("finance.fund")), *_sides(name_of("unit", "bn VND"))]
    return table(columns, lines, say("pair.funds_note"))


def _amounts(row: Any) -> list[Cell]:
    diff = float(row["diff"])
    return [amount(row["first"]), amount(row["second"]), Cell(number(diff, "signed"), value=diff)]
