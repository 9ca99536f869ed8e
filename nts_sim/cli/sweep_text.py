"""What a planner reads of a sweep on a screen: a line a cell, or what stands out of many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from nts_sim.charts.sweep_labels import cell_labels
from nts_sim.cli.tell import aligned, mean_and_interval
from nts_sim.study.sweep.estimate import Estimate
from nts_sim.words import say
from nts_sim.words.figures import figure

_BURDEN: Final = "total_burden_bn_vnd"
_SHOWN_CELLS: Final = 24
_SHOWN_AXES: Final = 4
"""Axes with a column each; of more, one column says in what a cell differs from the first."""

_GIB: Final = 2**30


def sweep_text(frames: Mapping[str, pd.DataFrame], axes: Sequence[str]) -> str:
    """Tell the best policy of every cell and its paired difference to the baseline.

    Parameters
    ----------
    frames : `summary` and `cells`, as `nts_sim.study.sweep.tables` writes them
    """
    burden = frames["summary"].query("metric == @_BURDEN", local_dict={"_BURDEN": _BURDEN})
    burden = burden[burden["n"] > 0]
    cells = frames["cells"]
    if burden.empty:
        return say("cli.sweep.nothing")
    best = _best(burden, cells)
    shown = [axis for axis in axes if axis in best.columns and axis not in _OWN_COLUMNS]
    if len(shown) > _SHOWN_AXES:
        labels, differs = cell_labels(cells, shown), say("cli.column.differs")
        best, shown = best.assign(**{differs: best["cell"].map(labels)}), [differs]
    rows = [_row(row, shown) for _, row in best.head(_SHOWN_CELLS).iterrows()]
    header = (say("cli.column.cell"), *shown, *_header())
    if not best["baseline"].any():  # policies alone are compared with nothing
        header, rows = header[:-2], [row[:-2] for row in rows]
    lines = [say("cli.sweep.title"), aligned([header, *rows])]
    if len(best) > _SHOWN_CELLS:
        lines.append(say("cli.sweep.more_cells", n=len(best) - _SHOWN_CELLS))
    return "\n".join([*lines, *_standing_out(best, burden)])


_OWN_COLUMNS: Final = ("scenario", "n")
"""Axes that have a column of their own anyway."""


def _header() -> tuple[str, ...]:
    return (
        say("cli.column.scenario"), say("cli.column.best_policy"), say("cli.column.n"),
        say("cli.column.burden"), say("cli.column.against_first"),
        say("cli.column.against_baseline"), say("cli.column.verdict"),
    )  # fmt: skip


def _best(burden: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the row of the best policy of every cell, in the cell's own scenario or set."""
    own = burden.merge(cells[["cell", "scenario"]], on=["cell", "scenario"])
    return own.loc[own.groupby("cell")["mean"].idxmin()].sort_values("cell")


def _row(row: pd.Series[Any], axes: Sequence[str]) -> tuple[str, ...]:
    values = tuple(
        f"{row[axis]:g}" if isinstance(row[axis], float) else str(row[axis]) for axis in axes
    )
    against, verdict = "", ""
    if row["baseline"] == row["policy"]:
        verdict = say("cli.sweep.baseline_best")
    elif row["baseline"]:
        told = _difference(row["diff"], row["diff_low"], row["diff_high"])
        against = f"{told} ({figure(row['relative_pct'], '+.1f')}{say('cli.percent')})"
        verdict = say("cli.sweep.better" if row["separable"] else "cli.sweep.not_apart")
    return (
        str(row["cell"]), *values, row["scenario"], row["policy"], str(row["n"]),
        mean_and_interval(row), _since_first(row), against, verdict,
    )  # fmt: skip


def _since_first(row: pd.Series[Any]) -> str:
    """Tell how the policy does against the same in the first cell; nothing where luck differs."""
    if not row["cell"] or math.isnan(row["change"]):
        return ""
    return _difference(row["change"], row["change_low"], row["change_high"])


def _difference(mean: float, low: float, high: float) -> str:
    """Word a paired difference; "±" is half its interval."""
    return f"{figure(mean, '+,.0f')} ± {figure((high - low) / 2.0, ',.0f')}"


def _standing_out(best: pd.DataFrame, burden: pd.DataFrame) -> list[str]:
    """Say how often each policy is best, where several are compared."""
    if burden.groupby("cell")["policy"].nunique().max() < 2:
        return []
    counts = best["policy"].value_counts()
    told = [say("cli.sweep.best_in", policy=policy, n=count) for policy, count in counts.items()]
    apart = int(best["separable"].sum())
    return [say("cli.sweep.best_of", n=len(best), listed=", ".join(told), apart=apart)]


def estimate_text(made: Estimate) -> str:
    """Tell what a sweep would take."""
    counts = {"cells": made.cells, "replications": made.replications, "there": made.there}
    return "\n".join(
        (
            say("cli.estimate.counts", **counts),
            say("cli.estimate.time", n=made.workers, time=_duration(made.seconds)),
            say("cli.estimate.memory", size=figure(made.memory_bytes / _GIB, ".1f")),
            say("cli.estimate.disk", size=figure(made.disk_bytes / 2**20, ",.0f")),
            say("cli.estimate.nothing_run"),
        )
    )


def _duration(seconds: float) -> str:
    if seconds < 90.0:
        return say("cli.estimate.seconds", time=figure(seconds, ".0f"))
    if seconds < 5400.0:
        return say("cli.estimate.minutes", time=figure(seconds / 60.0, ".0f"))
    return say("cli.estimate.hours", time=figure(seconds / 3600.0, ".1f"))
