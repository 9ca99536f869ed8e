"""``explain``: the story of one order, read from the stored trace of replication 0."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nts_sim.cli.flags import Flags
from nts_sim.errors import InvalidInput, Problem
from nts_sim.outcomes.frames import TABLES
from nts_sim.study.directory import spoken_names
from nts_sim.study.store import parquet_table, read_results
from nts_sim.tables.names import nearest
from nts_sim.trace.model import Kind
from nts_sim.units import days
from nts_sim.words.why import Names, why

MAX_CAUSES = 50


@dataclass(frozen=True)
class _Story:
    """The order, the trace of its run and what the trace's numbers stand for."""

    order: pd.Series[Any]
    trace: pd.DataFrame
    names: Mapping[str, Sequence[str]]

    def node(self, row: pd.Series[Any]) -> str:
        return self.names["nodes"][int(row["node"])]

    def threat(self, row: pd.Series[Any]) -> str:
        return self.names["threats"][int(row["threat"])]


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Print why the order was given, what it got and what came of it."""
    folder, number, policy = _read(arguments)
    frames = read_results(folder)
    orders = frames.get("orders", pd.DataFrame(columns=[c.name for c in TABLES["orders"]]))
    story = _story(folder, _order(orders, number, policy))
    names = spoken_names(frames)
    print("\n".join([*_told(story.order, names), *_causes(story), *_course(story)]))
    return 0


def _read(arguments: Sequence[str]) -> tuple[Path, int, str | None]:
    if len(arguments) not in (2, 3) or not arguments[1].isdecimal():
        what = "takes RUN_FOLDER ORDER [POLICY]; ORDER is a number in plan.csv"
        raise InvalidInput([Problem("explain", what)], "the command line")
    return Path(arguments[0]), int(arguments[1]), arguments[2] if len(arguments) == 3 else None


def _order(orders: pd.DataFrame, number: int, policy: str | None) -> pd.Series[Any]:
    """Find the order; without a policy, in the run's only one."""
    policies = sorted(orders["policy"].unique())
    if not policies:
        raise InvalidInput([Problem("explain", "no order was given in this run")], "the run")
    if policy is not None and policy not in policies:
        close = nearest(policy, policies)
        hint = f"did you mean {close}?" if close else f"in this run: {', '.join(policies)}"
        raise InvalidInput([Problem("explain", f"unknown policy {policy!r}; {hint}")], "the run")
    if policy is None and len(policies) > 1:
        what = f"holds several policies; name one: {', '.join(policies)}"
        raise InvalidInput([Problem("explain", what)], "the run")
    found = orders[(orders["order"] == number) & (orders["policy"] == (policy or policies[0]))]
    if not len(found):
        what = f"there is no order {number}; they run from 0 to {orders['order'].max():g}"
        raise InvalidInput([Problem("explain", what)], "the run")
    return found.iloc[0]


def _story(folder: Path, order: pd.Series[Any]) -> _Story:
    path, names = folder / "trace.parquet", folder / "names.json"
    if not (path.is_file() and names.is_file()):
        raise InvalidInput([Problem(str(folder), "holds no trace to explain from")], "the run")
    try:
        trace = parquet_table(path.read_bytes())
        known = json.loads(names.read_text(encoding="utf-8"))[order["scenario"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        what = "holds a trace.parquet or names.json that is not what the run wrote"
        raise InvalidInput([Problem(str(folder), what)], "the run") from error
    mine = (trace["policy"] == order["policy"]) & (trace["scenario"] == order["scenario"])
    return _Story(order, trace[mine].reset_index(drop=True), known)


def _told(order: pd.Series[Any], names: Names) -> Iterator[str]:
    """Say what was ordered, why, and by what right."""
    what = " ".join(str(order[name]) for name in ("kind", "resource") if order[name])
    origin = f" from {order['source_name']}" if order["source_name"] else ""
    yield f"Order {order['order']} of {order['policy']}, day {order['day']:g}: {what}{origin}"
    yield f"  for      {order['name']} ({order['place']})"
    yield f"  asked    {order['asked']:g} {order['unit']}, granted {order['granted']:g}"
    if order["refusal"]:
        yield f"  cut by   {order['refusal']}"
    yield f"  reason   {why(order['reason'], names) or 'none was given'}"
    if order["runner_up"]:
        yield f"  instead  {why(order['runner_up'], names)}"
    if order["mechanism"]:
        basis = f"{order['legal_basis']} ({order['legal_basis_checked']})"
        yield f"  through  {order['mechanism']}: {order['authority']}; {basis}"
    if order["cost_bn_vnd"]:
        yield f"  costs    {order['cost_bn_vnd']:.3f} bn VND, from {order['fund']}"


def _causes(story: _Story) -> Iterator[str]:
    """Say what was going on at the place when the order was given, back to the first cause."""
    place, tick = story.order["name"], story.order["day"]
    trace = story.trace
    started = trace[trace["kind"].isin([Kind.ONSET, Kind.SPREAD])]
    here = [
        index
        for index, row in started.iterrows()
        if story.node(row) == place and days(int(row["tick"])) <= tick
    ]
    yield "What was going on there:" if here else "Nothing had begun there yet."
    for index in here:
        yield f"  {' ← '.join(_chain(story, int(str(index))))}"


def _chain(story: _Story, index: int) -> Iterator[str]:
    for _ in range(MAX_CAUSES):
        row = story.trace.iloc[index]
        if Kind(int(row["kind"])) in (Kind.ONSET, Kind.SPREAD):
            yield f"{story.threat(row)} at {story.node(row)}, day {days(int(row['tick'])):.1f}"
        if int(row["cause_row"]) < 0:
            return
        index = int(row["cause_row"])


_WORDS = {
    Kind.ADMIT: "admitted: {quantity:g}",
    Kind.REFUSE: "not granted: {quantity:g}",
    Kind.TARGET: "target of {node} set to {value:g}",
    Kind.APPROVED: "signed after {value:.2f} days",
    Kind.HANDOVER: "handed over: {quantity:g}, {value:.3f} bn VND spent",
    Kind.DEPART: "{quantity:g} left {node}, {value:.2f} days of road",
    Kind.ARRIVE: "{quantity:g} began to serve at {node}",
    Kind.CREDIT: "{quantity:g} bn VND credited at {node}",
    Kind.LEVEL: "level {quantity:g} declared at {node}",
}


def _course(story: _Story) -> Iterator[str]:
    """Say what came of the order, row by row."""
    yield "What came of it:"
    own = story.trace[
        (story.trace["order"] == story.order["order"]) & story.trace["kind"].isin(list(_WORDS))
    ]
    for _, row in own.iterrows():
        words = _WORDS[Kind(int(row["kind"]))]
        told = words.format(quantity=row["quantity"], value=row["value"], node=story.node(row))
        yield f"  day {days(int(row['tick'])):6.2f}  {told}"
    if not len(own):
        yield "  nothing"
