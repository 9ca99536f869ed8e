"""Which policy does well whatever comes: regret and satisficing over the cells of a sweep.

Cells are futures that somebody chose to look at, not draws of a law: shares of cells carry no
chance of a sample. What is uncertain is each cell's mean, and intervals say so: they come from the
replications inside the cells, paired by luck.

References
----------
Savage (1951), Journal of the American Statistical Association 46, 55-67 (minimax regret); Simon
(1956), Psychological Review 63, 129-138 (satisficing).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from nts_sim.outcomes.compare import LEVEL, holm, paired
from nts_sim.outcomes.frames import empty, frame
from nts_sim.outcomes.metrics import BY_NAME

_FUTURE: Final = ["cell", "scenario"]


@dataclass(frozen=True, slots=True)
class Aim:
    """What is good enough: a mean no worse than `limit`, or `relative_pct` better than baseline.

    Attributes
    ----------
    limit : absolute, in the unit of the metric; for burdens an upper limit
    relative_pct : least improvement on the baseline, in per cent of its mean; used if `limit` is
        None
    """

    limit: float | None = None
    relative_pct: float = 0.0


def regret_table(results: pd.DataFrame, metric: str) -> pd.DataFrame:
    """How much worse each policy does than the best one, in every future.

    Parameters
    ----------
    results : columns cell, scenario, policy, replication and the metric
    metric : name of the metric

    Returns
    -------
    DataFrame
        Table `regret`. The best policy of a future is the one of the best mean there, so that
        small regrets are too large by chance rather than too small; `separable` tells those that
        are more than that. Futures in which a policy has no result are left out whole.
    """
    rows: list[tuple[object, ...]] = []
    for (cell, scenario), values in _futures(results, metric):
        rows += [(cell, scenario, metric, BY_NAME[metric].unit, *row)
                 for row in _regrets(values, BY_NAME[metric].lower_is_better)]  # fmt: skip
    if not rows:
        return empty("regret")
    names = list(empty("regret").columns)
    return frame("regret", dict(zip(names, zip(*rows, strict=True), strict=True)))


def _futures(
    results: pd.DataFrame, metric: str
) -> Iterator[tuple[tuple[object, object], pd.DataFrame]]:
    """Give each future's values, a frame [replication, policy], where no policy is missing."""
    policies = list(dict.fromkeys(results["policy"]))
    for (cell, scenario), rows in results.groupby(_FUTURE, sort=True):
        values = rows.pivot_table(index="replication", columns="policy", values=metric,
                                  dropna=False)  # fmt: skip
        values = values.reindex(columns=policies).dropna(how="any")
        if len(values):
            yield (cell, scenario), values


def _regrets(values: pd.DataFrame, lower_is_better: bool) -> list[tuple[object, ...]]:
    """Rows (policy, best, n, mean, regret, low, high, separable) of one future."""
    sign = 1.0 if lower_is_better else -1.0
    table = sign * values.to_numpy(dtype=np.float64)
    best = int(np.argmin(table.mean(axis=0)))
    found = paired(table, table[:, [best]])
    p_values = found.p_value.copy()
    p_values[best] = np.nan
    apart = holm(p_values) < LEVEL
    told = zip(values.columns, sign * table.mean(axis=0), found.summary.mean, found.summary.low,
               found.summary.high, apart, strict=True)  # fmt: skip
    return [
        (str(policy), str(values.columns[best]), len(values), float(mean), float(regret),
         float(low), float(high), bool(is_apart))
        for policy, mean, regret, low, high, is_apart in told
    ]  # fmt: skip


def robustness_table(regret: pd.DataFrame) -> pd.DataFrame:
    """Largest and mean regret of each policy over all futures: table `robustness`.

    The first row has the least largest regret: the minimax-regret choice (Savage 1951). `low` and
    `high` are the interval of the largest regret in the future where it is met.
    """
    if regret.empty:
        return empty("robustness")
    rows = [_robust(str(policy), rows) for policy, rows in regret.groupby("policy", sort=False)]
    rows.sort(key=lambda row: (row["largest_regret"], row["mean_regret"]))
    return frame("robustness", {name: [row[name] for row in rows] for name in rows[0]})


def _robust(policy: str, rows: pd.DataFrame) -> dict[str, Any]:
    worst = rows.sort_values("regret", kind="stable").iloc[-1]
    return {
        "policy": policy, "metric": worst["metric"], "unit": worst["unit"], "futures": len(rows),
        "largest_regret": float(worst["regret"]), "low": float(worst["low"]),
        "high": float(worst["high"]), "cell": int(worst["cell"]), "scenario": worst["scenario"],
        "mean_regret": float(rows["regret"].mean()),
        "best_in": int((rows["policy"] == rows["best"]).sum()),
        "clearly_behind_in": int(rows["separable"].sum()),
    }  # fmt: skip


def satisficing_table(
    summary: pd.DataFrame, metric: str, aims: Sequence[Aim] = (Aim(),)
) -> pd.DataFrame:
    """In which share of futures each policy is good enough: table `satisficing`.

    Parameters
    ----------
    summary : table `summary` of a sweep
    metric : name of the metric
    aims : one row each and policy

    Returns
    -------
    DataFrame
        `share` by the means; `share_low` counts the futures in which the aim is met for sure (its
        95 % interval is all on the good side), `share_high` all in which it is not missed for
        sure. The baseline's own mean, of which a relative aim is a part, is taken as it is.
    """
    rows = [
        _satisfied(str(policy), metric, aim, of_policy)
        for aim in aims
        for policy, of_policy in summary[summary["metric"] == metric].groupby("policy", sort=False)
    ]
    if not rows:
        return empty("satisficing")
    return frame("satisficing", {name: [row[name] for row in rows] for name in rows[0]})


def _satisfied(policy: str, metric: str, aim: Aim, rows: pd.DataFrame) -> dict[str, Any]:
    sign = 1.0 if BY_NAME[metric].lower_is_better else -1.0
    mean, first, second, bound = _measured(rows, aim, sign)
    known = mean.notna() & bound.notna()
    best_end = np.fmin(sign * first, sign * second)[known]
    worst_end = np.fmax(sign * first, sign * second)[known]
    limit = sign * bound[known]
    return {
        "policy": policy, "metric": metric, "unit": BY_NAME[metric].unit,
        "limit": np.nan if aim.limit is None else aim.limit,
        "relative_pct": aim.relative_pct if aim.limit is None else np.nan,
        "futures": int(known.sum()),
        "share": float((sign * mean[known] <= limit).mean()),
        "share_low": float((worst_end <= limit).mean()),
        "share_high": float((~(best_end > limit)).mean()),
    }  # fmt: skip


def _measured(
    rows: pd.DataFrame, aim: Aim, sign: float
) -> tuple[pd.Series, pd.Series, pd.Series, pd.Series]:
    """Give what is held against the aim: mean, ends of its interval, and the bound."""
    if aim.limit is not None:
        return rows["mean"], rows["low"], rows["high"], rows["mean"] * 0.0 + aim.limit
    base = rows["mean"] - rows["diff"]
    return (rows["diff"], rows["diff_low"], rows["diff_high"],
            -sign * aim.relative_pct / 100.0 * base.abs())  # fmt: skip
