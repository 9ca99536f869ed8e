"""What a planner reads of a sweep on a screen: a line a cell, or what stands out of many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from nts_sim.charts.sweep_labels import cell_labels
from nts_sim.cli.tell import aligned
from nts_sim.study.sweep.estimate import Estimate

_BURDEN: Final = "total_burden_bn_vnd"
_SHOWN_CELLS: Final = 24
_SHOWN_AXES: Final = 4
"""Axes with a column each; of more, one column says in what a cell differs from the first."""
_DIFFERS: Final = "differs in"
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
        return "No replication of any cell could be finished."
    best = _best(burden, cells)
    shown = [axis for axis in axes if axis in best.columns and axis not in _HEADER]
    if len(shown) > _SHOWN_AXES:
        labels = cell_labels(cells, shown)
        best, shown = best.assign(**{_DIFFERS: best["cell"].map(labels)}), [_DIFFERS]
    rows = [_row(row, shown) for _, row in best.head(_SHOWN_CELLS).iterrows()]
    header = ("cell", *shown, *_HEADER)
    if not best["baseline"].any():  # policies alone are compared with nothing
        header, rows = header[:-2], [row[:-2] for row in rows]
    title = "burden = harm + cost, bn VND, mean of replications with 95 % interval"
    lines = [title, aligned([header, *rows])]
    if len(best) > _SHOWN_CELLS:
        lines.append(f"… and {len(best) - _SHOWN_CELLS} more cells in summary.csv")
    return "\n".join([*lines, *_standing_out(best, burden)])


_HEADER: Final = (
    "scenario", "best policy", "n", "burden", "against cell 0", "against baseline", "verdict"
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
        verdict = "baseline is best"
    elif row["baseline"]:
        told = _difference(row["diff"], row["diff_low"], row["diff_high"])
        against = f"{told} ({row['relative_pct']:+.1f} %)"
        verdict = "better" if row["separable"] else "not told apart"
    return (
        str(row["cell"]), *values, row["scenario"], row["policy"], str(row["n"]),
        f"{row['mean']:,.0f} [{row['low']:,.0f}, {row['high']:,.0f}]", _since_first(row),
        against, verdict,
    )  # fmt: skip


def _since_first(row: pd.Series[Any]) -> str:
    """Tell how the policy does against the same in the first cell; nothing where luck differs."""
    if not row["cell"] or math.isnan(row["change"]):
        return ""
    return _difference(row["change"], row["change_low"], row["change_high"])


def _difference(mean: float, low: float, high: float) -> str:
    """Word a paired difference; "±" is half its interval."""
    return f"{mean:+,.0f} ± {(high - low) / 2.0:,.0f}"


def _standing_out(best: pd.DataFrame, burden: pd.DataFrame) -> list[str]:
    """Say how often each policy is best, where several are compared."""
    if burden.groupby("cell")["policy"].nunique().max() < 2:
        return []
    counts = best["policy"].value_counts()
    told = ", ".join(f"{policy} in {count}" for policy, count in counts.items())
    apart = int(best["separable"].sum())
    return [f"Best of {len(best)} cells: {told}; told apart from the baseline in {apart}."]


def estimate_text(made: Estimate) -> str:
    """Tell what a sweep would take."""
    return "\n".join(
        (
            f"{made.cells:,} cells, {made.replications:,} replications, "
            f"{made.there:,} of them there already",
            f"time    about {_duration(made.seconds)} on {made.workers} "
            f"process{'es' if made.workers != 1 else ''} (tried on the first cell)",
            f"memory  about {made.memory_bytes / _GIB:.1f} GiB",
            f"disk    about {made.disk_bytes / 2**20:,.0f} MiB",
            "nothing was run or written; leave out --dry-run to start",
        )
    )


def _duration(seconds: float) -> str:
    if seconds < 90.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 5400.0 else f"{seconds / 3600.0:.1f} h"
