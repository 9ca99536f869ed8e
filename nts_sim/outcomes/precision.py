"""How many replications are enough: stop once the 95 % interval is narrow enough.

After each whole batch the widest half-width among the policies is compared with its target. What
stops it is a function of complete batches only, so it does not matter who simulated what.

Looking until an interval is narrow makes it cover the truth a little less often than it says;
the loss goes to 0 as the target gets small against the spread (Chow & Robbins 1965, "On the
asymptotic theory of fixed-width sequential confidence intervals for the mean"). A floor on the
first look keeps it small here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from nts_sim.errors import InvalidInput, Problem
from nts_sim.outcomes.compare import Summary, paired, summarise
from nts_sim.outcomes.frames import frame
from nts_sim.outcomes.metrics import BY_NAME, METRICS
from nts_sim.spec.models import PrecisionSpec
from nts_sim.words import say
from nts_sim.world.model import Floats

BATCH: Final = 20
"""Replications between two looks."""
_TOTAL = "all"


@dataclass(frozen=True, slots=True)
class Reached:
    """How well the outcome is known.

    Attributes
    ----------
    target, reached : half-widths asked for and reached, in the unit of the outcome; NaN unknown
    policy : the one whose interval is widest
    n : replications with a value of it
    wanted : replications that would do, by what is known so far; NaN where none can be named
    met : the target is reached
    """

    target: float
    reached: float
    policy: str
    n: int
    wanted: float
    met: bool


def looks(precision: PrecisionSpec, grain: int = 1) -> Iterator[int]:
    """Numbers of replications after which to look, until the cap.

    Parameters
    ----------
    grain : the first look comes after a multiple of so many; `BATCH` must be one too
    """
    count = -(-precision.least // grain) * grain
    while count < precision.most:
        yield count
        count += BATCH
    yield precision.most


def enough(values: Mapping[str, Floats], baseline: str, precision: PrecisionSpec) -> Reached:
    """Say how well differences to the baseline are known, and whether that is enough.

    Parameters
    ----------
    values : policy → float array [replication] of the outcome; the same place has the same luck
    baseline : policy compared with; where it is missing, the first takes its place. Of one
        policy alone the interval of its mean counts.

    Returns
    -------
    Reached
        Of the policy whose interval is widest.
    """
    base = baseline if baseline in values else next(iter(values))
    names = [policy for policy in values if policy != base] or [base]
    table = np.column_stack([values[name] for name in names])
    column = values[base][:, None]
    found = summarise(table) if names == [base] else paired(table, column).summary
    return _judged(names, found, _target(float(summarise(column).mean[0]), precision))


def _target(mean: float, precision: PrecisionSpec) -> float:
    if precision.half_width is not None:
        return precision.half_width
    return abs(mean) * precision.half_width_pct / 100.0


def _judged(names: list[str], found: Summary, target: float) -> Reached:
    half = (found.high - found.low) / 2.0
    # A policy of which nothing is known has the widest interval of all.
    widest = int(np.argmax(np.where(np.isnan(half), np.inf, half)))
    reached, n = float(half[widest]), int(found.n[widest])
    return Reached(
        target, reached, names[widest], n, _wanted(n, reached, target), bool(reached <= target)
    )


def _wanted(n: int, reached: float, target: float) -> float:
    """Replications that would do: half-widths shrink with the root of their number."""
    if reached <= target:
        return float(n)
    ratio = reached / target if target > 0.0 else math.nan
    return math.ceil(n * ratio**2) if math.isfinite(ratio) else math.nan


def check_precision(precision: PrecisionSpec) -> None:
    """Refuse an outcome that there is none of, or that has no total.

    Raises
    ------
    InvalidInput
        Naming what can be asked for.
    """
    metric = BY_NAME.get(precision.metric)
    if metric is not None and metric.with_total:
        return
    known = ", ".join(one.name for one in METRICS if one.with_total)
    fault = "said.precision.no_outcome" if metric is None else "said.precision.no_total"
    what = say(fault, metric=precision.metric, known=known)
    raise InvalidInput([Problem("precision.metric", what)])


def precision_table(scenario: str, precision: PrecisionSpec, found: Reached) -> pd.DataFrame:
    """Make the result table `precision`."""
    return frame("precision", {
        "scenario": [scenario], "metric": [precision.metric], "key": [_TOTAL],
        "unit": [BY_NAME[precision.metric].unit], "policy": [found.policy], "n": [found.n],
        "target": [found.target], "reached": [found.reached], "wanted": [found.wanted],
        "met": [found.met],
    })  # fmt: skip
