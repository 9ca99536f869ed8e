"""What is printed: results to standard output, messages and progress to standard error."""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Never

import pandas as pd
from tqdm import tqdm

from nts_sim.cli.flags import Flags
from nts_sim.study.runner import Progress
from nts_sim.words import name_of, say
from nts_sim.words.figures import figure

SECONDS_BETWEEN_LINES = 2.0
_BURDEN, _HARM, _COST, _SERVED = (
    "total_burden_bn_vnd", "harm_bn_vnd", "cost_bn_vnd", "served_share",
)  # fmt: skip


def announce(message: str, flags: Flags) -> None:
    """Tell what is going on, unless told to be quiet."""
    if not flags.quiet:
        print(message, file=sys.stderr, flush=True)


@contextmanager
def told_if_slow(message: str, flags: Flags) -> Iterator[None]:
    """Tell what takes long, once it has taken a while."""
    timer = threading.Timer(SECONDS_BETWEEN_LINES, announce, (message, flags))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def progress_on_stderr(flags: Flags, *, at_most: bool = False) -> Iterator[Progress]:
    """Give a progress teller: a bar on a terminal, plain lines elsewhere, nothing when quiet.

    Parameters
    ----------
    at_most : the total is what may be done at most, so that no time left is told
    """
    if flags.quiet:
        yield lambda done, total, failed: None
    elif sys.stderr.isatty():
        unit = say("cli.progress.unit")
        with tqdm(unit=unit, file=sys.stderr, leave=False) as bar, _ticking(bar.refresh):
            yield lambda done, total, failed: _move(bar, done, total, failed)
    else:
        lines = _Lines(at_most)
        with _ticking(lines.again):
            yield lines


@contextmanager
def _ticking(act: Callable[[], object]) -> Iterator[None]:
    """Do something every now and then, so that nobody takes slow work for none."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(SECONDS_BETWEEN_LINES / 4.0):
            act()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _move(bar: tqdm[Never], done: int, total: int, failed: int) -> None:
    bar.total = total
    worry = say("cli.progress.failed", n=failed) if failed else ""
    bar.set_postfix_str(worry, refresh=False)
    bar.update(done - bar.n)


class _Lines:
    """Plain lines with the time left, one every few seconds."""

    def __init__(self, at_most: bool) -> None:
        self.at_most = at_most
        self.started = self.told = time.monotonic()

        self.state = 0, 0, 0

    def __call__(self, done: int, total: int, failed: int) -> None:
        """Tell where the work is, if it is time to."""
        self.state = done, total, failed
        if done >= total or time.monotonic() - self.told >= SECONDS_BETWEEN_LINES:
            self._tell()

    def again(self) -> None:
        """Tell it once more, where nothing was told for a while."""
        if self.state[1] and time.monotonic() - self.told >= 0.75 * SECONDS_BETWEEN_LINES:
            self._tell()

    def _tell(self) -> None:
        done, total, failed = self.state
        self.told = time.monotonic()
        where = self._where(done, total, self.told)
        told = say("cli.progress.with_failed", told=where, n=failed) if failed else where
        print(told, file=sys.stderr, flush=True)

    def _where(self, done: int, total: int, now: float) -> str:
        counts = {"done": figure(done, "d"), "total": figure(total, "d")}
        if self.at_most:
            return say("cli.progress.at_most", **counts)
        if not done:
            return say("cli.progress.begun", **counts)
        left_s = (now - self.started) / done * (total - done)
        return say("cli.progress.left", **counts, seconds=figure(left_s, ".0f"))


class Alive:
    """Tells what is being done, and every few seconds that it still is; a context manager."""

    def __init__(self, flags: Flags) -> None:
        self._flags, self._doing, self._told = flags, say("cli.progress.working"), 0.0
        self._started = time.monotonic()
        self._ticking = _ticking(self._tick)

    def __call__(self, doing: str) -> None:
        """Tell what is done from now on."""
        self._doing, self._told = doing, time.monotonic()
        announce(doing, self._flags)

    def __enter__(self) -> Alive:
        self._ticking.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._ticking.__exit__(None, None, None)

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._told >= 0.75 * SECONDS_BETWEEN_LINES:
            self._told = now
            seconds = figure(now - self._started, ".0f")
            told = say("cli.progress.still", doing=self._doing, seconds=seconds)
            announce(f"  … {told}", self._flags)


def tables_json(
    folder: Path, tables: Mapping[str, pd.DataFrame], finding: Sequence[str] = ()
) -> str:
    """Return tables as one JSON document; what is missing or not finite is null.

    Parameters
    ----------
    finding : sentences that say what the tables mean
    """
    records = {
        name: json.loads(table.to_json(orient="records", force_ascii=False, double_precision=15))
        for name, table in tables.items()
    }
    told = {"finding": list(finding)} if finding else {}
    content = {"run": str(folder), **told, "tables": records}
    return json.dumps(content, ensure_ascii=False, indent=1)


def ranking_text(frames: Mapping[str, pd.DataFrame], baseline: str) -> str:
    """Return the policies of each scenario, best first, with intervals and a verdict."""
    parts = []
    ranking = frames["ranking"]
    for scenario in ranking["scenario"].unique():
        chosen = (ranking["scenario"] == scenario) & (ranking["metric"] == _BURDEN)
        ranked = ranking[chosen].sort_values("rank")
        n = int(frames["summary"]["n"].max())
        title = say("cli.ranking.title", scenario=scenario, n=figure(n, "d"))
        rows = [_policy_row(frames, scenario, baseline, row) for _, row in ranked.iterrows()]
        header = (
            say("cli.column.policy"), say("cli.column.burden"), say("cli.column.harm"),
            say("cli.column.harm_against", baseline=baseline), say("cli.column.cost"),
            say("cli.column.served"), say("cli.column.verdict"),
        )  # fmt: skip
        shown = [header, *rows]
        if not len(frames["comparison"]):  # a single policy is compared with nothing
            shown = [(*row[:3], *row[4:-1]) for row in shown]
        parts.append(f"{title}\n{aligned(shown)}")
    return "\n\n".join(parts)


def _policy_row(
    frames: Mapping[str, pd.DataFrame], scenario: str, baseline: str, row: pd.Series[float]
) -> tuple[str, ...]:
    policy = str(row["policy"])
    mean = {name: _mean(frames["summary"], scenario, policy, name) for name in (_HARM, _COST)}
    served = _mean(frames["summary"], scenario, policy, _SERVED)
    is_baseline = policy == baseline
    return (
        policy,
        mean_and_interval(row),
        figure(mean[_HARM], ",.0f"),
        say("cli.ranking.baseline") if is_baseline
        else _difference(frames["comparison"], scenario, policy),
        figure(mean[_COST], ",.0f"),
        say("cli.ranking.no_need") if math.isnan(served) else figure(served, ".0%"),
        verdict_of(row),
    )  # fmt: skip


def mean_and_interval(row: pd.Series[Any]) -> str:
    """Write a mean with its interval in brackets, without decimals."""
    return "{} [{}{} {}]".format(
        figure(row["mean"], ",.0f"), figure(row["low"], ",.0f"), say("cli.list_mark"),
        figure(row["high"], ",.0f"),
    )  # fmt: skip


def verdict_of(row: Mapping[str, Any] | pd.Series[Any]) -> str:
    """Name the verdict of a row as planners do."""
    return name_of("verdict", str(row["verdict"]).replace(" ", "_"))


def _one(table: pd.DataFrame, scenario: str, policy: str, metric: str) -> pd.DataFrame:
    return table[
        (table["scenario"] == scenario) & (table["policy"] == policy)
        & (table["metric"] == metric) & (table["key"] == "all")
    ]  # fmt: skip


def _mean(summary: pd.DataFrame, scenario: str, policy: str, metric: str) -> float:
    found = _one(summary, scenario, policy, metric)
    return float(found["mean"].iloc[0]) if len(found) else float("nan")


def _difference(comparison: pd.DataFrame, scenario: str, policy: str) -> str:
    """Word the paired difference in harm; "±" is half the interval."""
    found = _one(comparison, scenario, policy, _HARM)
    if not len(found):
        return ""
    row = found.iloc[0]
    half = (row["high"] - row["low"]) / 2.0
    told = f"{figure(row['diff'], '+,.0f')} ± {figure(half, ',.0f')}"
    if not math.isfinite(row["relative_pct"]):  # the baseline has no harm to compare with
        return told
    scale = row["relative_pct"] / row["diff"] if row["diff"] else 0.0
    relative = figure(row["relative_pct"], "+.1f"), figure(half * scale, ".1f")
    return f"{told} ({' ± '.join(relative)}{say('cli.percent')})"


def precision_text(precision: pd.DataFrame) -> str:
    """Tell how well the chosen outcome is known after as many replications as it took.

    Parameters
    ----------
    precision : the result table, one row
    """
    row = precision.iloc[0]
    told: dict[str, object] = {
        "metric": row["metric"], "reached": _short(row["reached"]), "policy": row["policy"],
        "unit": name_of("unit", str(row["unit"])),
        "target": _short(row["target"]), "n": figure(row["n"], "d"),
    }  # fmt: skip
    if row["met"]:
        return say("cli.precision.met", **told)
    if math.isnan(row["wanted"]):
        return say("cli.precision.missed", **told)
    return say("cli.precision.missed_by", **told, wanted=figure(row["wanted"], ",.0f"))


def _short(value: float) -> str:
    if math.isnan(value):
        return say("cli.precision.unknown")
    return figure(value, ",.3g" if value < 100 else ",.0f")


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Put rows of cells into columns, the first and a last one named verdict to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = (0, *([len(widths) - 1] if rows[0][-1] == say("cli.column.verdict") else []))
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
