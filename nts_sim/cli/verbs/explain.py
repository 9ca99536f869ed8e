"""``explain``: the story of one order, read from the stored trace of replication 0."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from nts_sim.cli.flags import Flags
from nts_sim.errors import InvalidInput, Problem
from nts_sim.outcomes.frames import TABLES
from nts_sim.plan.drafts import PREPARE
from nts_sim.study.directory import spoken_names
from nts_sim.study.store import parquet_table, read_results
from nts_sim.tables.names import nearest
from nts_sim.trace.model import Kind
from nts_sim.units import days
from nts_sim.words import name_of, say, used_language
from nts_sim.words.figures import figure
from nts_sim.words.why import Names, why

MAX_CAUSES = 50


class _Spoken:
    """Names in the language being spoken, by the directory kept with a run."""

    def __init__(self, directory: pd.DataFrame) -> None:
        keys = zip(directory["kind"], directory["en"], strict=True)
        self._names = dict(zip(keys, directory[used_language()], strict=True))

    def name(self, kind: str, english: str) -> str:
        """Return the name of a thing; English where the run does not know another."""
        return str(self._names.get((kind, english), english))


_ORDER_OR_TASK: Final = re.compile(r"[0-9]{1,9}|[Tt][0-9]{3,9}", re.ASCII)


@dataclass(frozen=True)
class _Story:
    """The order, the trace of its run and what the trace's numbers stand for."""

    order: pd.Series[Any]
    trace: pd.DataFrame
    names: Mapping[str, Sequence[str]]
    spoken: _Spoken

    def node(self, row: pd.Series[Any]) -> str:
        return self.names["nodes"][int(row["node"])]

    def threat(self, row: pd.Series[Any]) -> str:
        return self.spoken.name("threat", self.names["threats"][int(row["threat"])])


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Print why the order was given, what it got and what came of it."""
    folder, asked, policy = _read(arguments)
    frames = read_results(folder)
    number, policy = _meant(asked, policy, _table(frames, "tasks"))
    names = spoken_names(frames)
    spoken = _Spoken(_table(frames, "directory"))
    story = _story(folder, _order(_table(frames, "orders"), number, policy), spoken)
    told = [*_told(story.order, names), *_right(story.order, spoken)]
    print("\n".join([*told, *_causes(story), *_course(story)]))
    return 0


def _table(frames: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """Return a table; one without rows where the run has none."""
    return frames.get(name, pd.DataFrame(columns=[column.name for column in TABLES[name]]))


def _read(arguments: Sequence[str]) -> tuple[Path, str, str | None]:
    if len(arguments) not in (2, 3) or not _ORDER_OR_TASK.fullmatch(arguments[1]):
        what = say("cli.explain.usage")
        raise InvalidInput([Problem("explain", what)], say("error.subject.command_line"))
    return Path(arguments[0]), arguments[1], arguments[2] if len(arguments) == 3 else None


def _meant(asked: str, policy: str | None, tasks: pd.DataFrame) -> tuple[int, str | None]:
    """Return the number of the order that is asked about, and its policy; a task is its order."""
    if asked.isdecimal():
        return int(asked), policy
    found = tasks[tasks["task"] == asked.upper()]
    if found.empty or policy not in (None, found["policy"].iloc[0]):
        raise _refused("explain", say("tasks.explain.unknown", task=asked))
    task = found.iloc[0]
    if task["stage"] == PREPARE:
        raise _refused("explain", say("tasks.explain.before", task=asked))
    return int(task["order"]), str(task["policy"])


def _order(orders: pd.DataFrame, number: int, policy: str | None) -> pd.Series[Any]:
    """Find the order; without a policy, in the run's only one."""
    policies = sorted(orders["policy"].unique())
    listed = ", ".join(policies)
    if not policies:
        raise _refused("explain", say("cli.explain.no_orders"))
    if policy is not None and policy not in policies:
        close = nearest(policy, policies)
        hint = say("cli.near", near=close) if close else say("cli.explain.in_run", listed=listed)
        what = say("cli.unknown_option", group="policy", given=repr(policy), hint=hint)
        raise _refused("explain", what)
    if policy is None and len(policies) > 1:
        raise _refused("explain", say("cli.explain.several", listed=listed))
    found = orders[(orders["order"] == number) & (orders["policy"] == (policy or policies[0]))]
    if not len(found):
        last = f"{orders['order'].max():g}"
        raise _refused("explain", say("cli.explain.no_order", n=str(number), last=last))
    return found.iloc[0]


def _refused(where: str, what: str) -> InvalidInput:
    return InvalidInput([Problem(where, what)], say("cli.subject.run"))


def _story(folder: Path, order: pd.Series[Any], spoken: _Spoken) -> _Story:
    path, names = folder / "trace.parquet", folder / "names.json"
    if not (path.is_file() and names.is_file()):
        raise _refused(str(folder), say("cli.explain.no_trace"))
    try:
        trace = parquet_table(path.read_bytes())
        known = json.loads(names.read_text(encoding="utf-8"))[order["scenario"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _refused(str(folder), say("cli.explain.damaged")) from error
    mine = (trace["policy"] == order["policy"]) & (trace["scenario"] == order["scenario"])
    return _Story(order, trace[mine].reset_index(drop=True), known, spoken)


def _told(order: pd.Series[Any], names: Names) -> Iterator[str]:
    """Say what was ordered, why, and by what right."""
    words = [name_of("order_kind", order["kind"])]
    words += [name_of("resource", order["resource"])] if order["resource"] else []
    opening = {name: order[name] for name in ("order", "policy", "source_name")}
    opening |= {"day": figure(order["day"], "g"), "what": " ".join(words)}
    yield say("cli.explain.order_from" if order["source_name"] else "cli.explain.order", **opening)
    yield say("cli.explain.place", name=order["name"], place=order["place"])
    amounts = {name: figure(order[name], "g") for name in ("asked", "granted")}
    yield say("cli.explain.asked", unit=name_of("unit", order["unit"]), **amounts)
    if order["refusal"]:
        yield say("cli.explain.cut", by=name_of("refusal", order["refusal"]))
    reason = why(order["reason"], names) or say("cli.explain.no_reason")
    yield say("cli.explain.reason", reason=reason)
    if order["runner_up"]:
        yield say("cli.explain.instead", what=why(order["runner_up"], names))


def _right(order: pd.Series[Any], spoken: _Spoken) -> Iterator[str]:
    """Say by which way, who approves, on what law, and what it costs whom."""
    if order["mechanism"]:
        yield say(
            "cli.explain.through", mechanism=name_of("mechanism", order["mechanism"]),
            authority=spoken.name("authority", order["authority"]),
            legal_basis=spoken.name("legal_basis", order["legal_basis"]),
            checked=name_of("checked", str(order["legal_basis_checked"]).replace(" ", "_")),
        )  # fmt: skip
    if order["cost_bn_vnd"]:
        cost = figure(order["cost_bn_vnd"], ".3f")
        yield say("cli.explain.costs", cost=cost, fund=name_of("fund", order["fund"]))


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
    yield say("cli.explain.going_on" if here else "cli.explain.nothing_begun")
    for index in here:
        yield f"  {' ← '.join(_chain(story, int(str(index))))}"


def _chain(story: _Story, index: int) -> Iterator[str]:
    for _ in range(MAX_CAUSES):
        row = story.trace.iloc[index]
        if Kind(int(row["kind"])) in (Kind.ONSET, Kind.SPREAD):
            day = figure(days(int(row["tick"])), ".1f")
            told = {"threat": story.threat(row), "place": story.node(row)}
            yield say("cli.explain.cause", day=day, **told)
        if int(row["cause_row"]) < 0:
            return
        index = int(row["cause_row"])


_STEPS = {
    Kind.ADMIT: ("cli.explain.admitted", "g"),
    Kind.REFUSE: ("cli.explain.refused", "g"),
    Kind.TARGET: ("cli.explain.target", "g"),
    Kind.APPROVED: ("cli.explain.approved", ".2f"),
    Kind.HANDOVER: ("cli.explain.handover", ".3f"),
    Kind.DEPART: ("cli.explain.depart", ".2f"),
    Kind.ARRIVE: ("cli.explain.arrive", "g"),
    Kind.CREDIT: ("cli.explain.credit", "g"),
    Kind.LEVEL: ("cli.explain.level", "g"),
}
"""Kinds of rows that are told: the key of the sentence, and the format of its value."""


def _course(story: _Story) -> Iterator[str]:
    """Say what came of the order, row by row."""
    yield say("cli.explain.course")
    own = story.trace[
        (story.trace["order"] == story.order["order"]) & story.trace["kind"].isin(list(_STEPS))
    ]
    for _, row in own.iterrows():
        key, form = _STEPS[Kind(int(row["kind"]))]
        numbers = {"quantity": figure(row["quantity"], "g"), "value": figure(row["value"], form)}
        told = say(key, node=story.node(row), **numbers)
        yield say("cli.explain.step", day=figure(days(int(row["tick"])), "6.2f"), told=told)
    if not len(own):
        yield say("cli.explain.nothing")
