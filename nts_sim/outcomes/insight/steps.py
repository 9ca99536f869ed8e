"""What each step of more money saves, paired by luck: the slope of the budget frontier."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from nts_sim.outcomes.compare import LEVEL, holm, paired
from nts_sim.outcomes.metrics import BY_NAME

STEP_COLUMNS: Final = ("policy", "start", "end", "n", "saved", "low", "high", "told")
"""Policy; ends of the step, in the axis's unit; pairs; saved by one unit more, with the ends of its
95 % interval, in the metric's unit; told from nothing at 5 %, Holm-adjusted over the steps."""


def steps_table(results: pd.DataFrame, axis: str, metric: str) -> pd.DataFrame:
    """Tell what one more unit of an axis saves between each value and the next, by policy.

    Parameters
    ----------
    results : rows of one scenario: columns cell, policy, replication, the axis and the metric
    axis : key of an axis of numbers; no other axis differs
    metric : name of a metric; saved means less of a burden, or more of what is better

    Returns
    -------
    DataFrame
        Columns `STEP_COLUMNS`. A step's mean and interval come from the differences of replications
        that share their luck, divided by the length of the step.
    """
    rows: list[tuple[object, ...]] = []
    for policy, mine in results.groupby("policy", sort=False):
        wide = mine.pivot_table(index="replication", columns=axis, values=metric).dropna()
        if len(wide) and wide.shape[1] > 1:
            rows += [(str(policy), *row) for row in _steps(wide, BY_NAME[metric].lower_is_better)]
    return pd.DataFrame(rows, columns=list(STEP_COLUMNS))


def _steps(wide: pd.DataFrame, lower_is_better: bool) -> list[tuple[object, ...]]:
    """Rows (start, end, n, saved, low, high, told); `wide` is [replication, value]."""
    values = wide.to_numpy(dtype=np.float64) * (1.0 if lower_is_better else -1.0)
    found = paired(values[:, :-1], values[:, 1:])
    told = holm(found.p_value) < LEVEL
    ends = [(float(start), float(end)) for start, end in pairwise(wide.columns)]
    return [
        (start, end, len(wide), *(float(x) / (end - start) for x in figures), bool(is_told))
        for (start, end), *figures, is_told in zip(
            ends, found.summary.mean, found.summary.low, found.summary.high, told, strict=True
        )
    ]  # fmt: skip
