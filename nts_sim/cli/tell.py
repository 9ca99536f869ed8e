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
from typing import Never

import pandas as pd
from tqdm import tqdm

from nts_sim.cli.flags import Flags
from nts_sim.study.runner import Progress

SECONDS_BETWEEN_LINES = 2.0
_BURDEN, _HARM, _COST, _SERVED = (
    "total_burden_bn_vnd", "harm_bn_vnd", "cost_bn_vnd", "served_share",
)  # fmt: skip


def say(message: str, flags: Flags) -> None:
    """Tell what is going on, unless told to be quiet."""
    if not flags.quiet:
        print(message, file=sys.stderr, flush=True)


@contextmanager
def told_if_slow(message: str, flags: Flags) -> Iterator[None]:
    """Tell what takes long, once it has taken a while."""
    timer = threading.Timer(SECONDS_BETWEEN_LINES, say, (message, flags))
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
        with tqdm(unit="run", file=sys.stderr, leave=False) as bar, _ticking(bar.refresh):
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
    bar.set_postfix_str(f"{failed} failed" if failed else "", refresh=False)
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
        worry = f", {failed} failed" if failed else ""
        print(f"{self._where(done, total, self.told)}{worry}", file=sys.stderr, flush=True)

    def _where(self, done: int, total: int, now: float) -> str:
        if self.at_most:
            return f"{done} runs, at most {total}"
        left = f", about {(now - self.started) / done * (total - done):.0f} s left" if done else ""
        return f"{done} of {total} runs{left}"


class Alive:
    """Tells what is being done, and every few seconds that it still is; a context manager."""

    def __init__(self, flags: Flags) -> None:
        self._flags, self._doing, self._told = flags, "working", 0.0
        self._started = time.monotonic()
        self._ticking = _ticking(self._tick)

    def __call__(self, doing: str) -> None:
        """Tell what is done from now on."""
        self._doing, self._told = doing, time.monotonic()
        say(doing, self._flags)

    def __enter__(self) -> Alive:
        self._ticking.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._ticking.__exit__(None, None, None)

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._told >= 0.75 * SECONDS_BETWEEN_LINES:
            self._told = now
            say(f"  … {self._doing}, {now - self._started:.0f} s so far", self._flags)


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
        title = f"{scenario}: burden = harm + cost, bn VND, mean of {n} runs with 95 % interval"
        rows = [_policy_row(frames, scenario, baseline, row) for _, row in ranked.iterrows()]
        header = ("policy", "burden", "harm", f"harm vs {baseline}", "cost", "served", "verdict")
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
    return (
        policy,
        f"{row['mean']:,.0f} [{row['low']:,.0f}, {row['high']:,.0f}]",
        f"{mean[_HARM]:,.0f}",
        "baseline" if policy == baseline else _difference(frames["comparison"], scenario, policy),
        f"{mean[_COST]:,.0f}",
        "no need" if math.isnan(served) else f"{served:.0%}",
        str(row["verdict"]),
    )


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
    told = f"{row['diff']:+,.0f} ± {half:,.0f}"
    if not math.isfinite(row["relative_pct"]):  # the baseline has no harm to compare with
        return told
    scale = row["relative_pct"] / row["diff"] if row["diff"] else 0.0
    return f"{told} ({row['relative_pct']:+.1f} ± {half * scale:.1f} %)"


def precision_text(precision: pd.DataFrame) -> str:
    """Tell how well the chosen outcome is known after as many replications as it took.

    Parameters
    ----------
    precision : the result table, one row
    """
    row = precision.iloc[0]
    reached = f"± {_short(row['reached'])} {row['unit']}, asked for ± {_short(row['target'])}"
    told = f"precision: {row['metric']} to {reached}, after {row['n']} runs of each policy"
    told += f" (widest: {row['policy']})"
    if row["met"]:
        return told
    more = "" if math.isnan(row["wanted"]) else f"; about {row['wanted']:,.0f} would be needed"
    return f"{told}; not reached: precision.most runs were not enough{more}"


def _short(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Put rows of cells into columns, the first and a last one named verdict to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = (0, *([len(widths) - 1] if rows[0][-1] == "verdict" else []))
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
