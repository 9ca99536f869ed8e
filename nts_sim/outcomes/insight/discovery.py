"""Where a policy fails: boxes of inputs, found over the cells of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from nts_sim.luck import draws
from nts_sim.outcomes.frames import empty, frame
from nts_sim.outcomes.insight.axes import is_numeric, named, varied
from nts_sim.outcomes.insight.prim import (
    Box,
    Inputs,
    Limit,
    Mask,
    chance,
    find_box,
    quasi_p,
    supported,
)
from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.world.model import Floats

MOST_BOXES: Final = 4
SHUFFLES: Final = 199
RISK: Final = 0.01
"""A box stands out if shuffled failures give one as good in fewer than this share of shuffles."""


@dataclass(frozen=True, slots=True)
class Failing:
    """What failing means.

    Attributes
    ----------
    policy, metric : judged by its mean in a cell
    scenario : the one of all cells, to tell; "each" where cells have one of their own
    limit : failing is a mean beyond it, on the bad side; None: clearly worse than the baseline
    """

    policy: str
    metric: str
    scenario: str
    limit: float | None = None


@dataclass(frozen=True, eq=False)
class Discovery:
    """What was found.

    Attributes
    ----------
    failing : what failing means
    cells : axes by cell, for cells with a result
    hit : bool array [cell], where the policy fails
    missing : cells without a result
    boxes : table `boxes`, one row a limit, none where no box stands out
    """

    failing: Failing
    cells: pd.DataFrame
    hit: Mask
    missing: int
    boxes: pd.DataFrame


def discover(
    cells: pd.DataFrame, summary: pd.DataFrame, axes: Sequence[str], failing: Failing, seed: int
) -> Discovery:
    """Find boxes of inputs in which a policy fails more often than elsewhere.

    Boxes are found one after another; each next one among the cells outside those before it. A
    box stands out if it beats what is found in all but 1 % of shuffles of the failures.

    Parameters
    ----------
    cells, summary : tables of a sweep; of a set of scenarios only the rows of the set
    axes : its axes
    failing : what failing means
    seed : of the shuffles
    """
    means = failures(summary, failing)
    known = named(cells, axes)
    known = known[known["cell"].isin(means.index)].reset_index(drop=True)
    hit = means.reindex(known["cell"]).to_numpy(dtype=np.bool_)
    inputs_of = varied(known, axes)
    found = _boxes(known[inputs_of], hit, seed) if inputs_of else []
    table = _table(known[inputs_of], hit, failing, found)
    return Discovery(failing, known[["cell", *axes]], hit, len(cells) - len(known), table)


def failures(summary: pd.DataFrame, failing: Failing) -> pd.Series:
    """Tell in which cells the policy fails, by cell; cells without a mean are left out."""
    rows = summary[(summary["policy"] == failing.policy) & (summary["metric"] == failing.metric)]
    rows = rows.set_index("cell")
    sign = 1.0 if BY_NAME[failing.metric].lower_is_better else -1.0
    if failing.limit is not None:
        means = rows["mean"].dropna()
        return sign * means > sign * failing.limit
    known = rows.dropna(subset=["diff"])
    return (sign * known["diff"] > 0.0) & known["separable"].astype(bool)


def holds(cells: pd.DataFrame, box: pd.DataFrame) -> Mask:
    """Tell which cells are inside a box.

    Parameters
    ----------
    cells : columns of axes
    box : the rows of table `boxes` of one box

    Returns
    -------
    bool array [cell]
    """
    inside = np.ones(len(cells), dtype=np.bool_)
    for row in box.to_dict("records"):
        column = cells[row["axis"]]
        if row["side"] == "options":
            inside &= column.astype(str).isin(row["options"].split(" | ")).to_numpy()
        else:
            sign = 1.0 if row["side"] == "above" else -1.0
            inside &= (sign * column > sign * row["limit"]).to_numpy()
    return inside


Found = tuple[Box, Inputs, float]
"""(Box, inputs of all cells, chance that it is luck)."""


def _boxes(settings: pd.DataFrame, hit: Mask, seed: int) -> list[Found]:
    inputs, found = _coded(settings), []
    left = np.ones(len(hit), dtype=np.bool_)
    for number in range(MOST_BOXES):
        if not 0 < hit[left].sum() < left.sum():
            break
        some, happened = inputs.of(left), hit[left]
        box, score = find_box(some, happened)
        shuffles = _shuffles(int(left.sum()), seed, number)
        p_value = chance(some, happened, score, shuffles, RISK)
        box = supported(some, happened, box)
        if p_value > RISK or not box.limits(inputs):
            break
        found.append((box, inputs, p_value))
        left &= ~box.holds(inputs)
    return found


def _coded(settings: pd.DataFrame) -> Inputs:
    """Turn axes into codes of their sorted levels."""
    codes, levels = [], []
    for name in settings.columns:
        made, names = pd.factorize(settings[name], sort=True, use_na_sentinel=False)
        codes.append(made)
        levels.append(len(names))
    ordered = tuple(is_numeric(settings[name]) for name in settings.columns)
    return Inputs(np.column_stack(codes), tuple(levels), ordered)


def _shuffles(cells: int, seed: int, number: int) -> Floats:
    """Draw the numbers that order each shuffle, float array [shuffle, cell]."""
    luck = draws.Luck(seed, draws.DrawSet.PLANNING, 0)
    cell, shuffle = np.arange(cells)[None, :], np.arange(SHUFFLES)[:, None]
    return luck.uniform(draws.Stream.SHUFFLE, number, cell, shuffle)


def _table(
    settings: pd.DataFrame, hit: Mask, failing: Failing, found: Sequence[Found]
) -> pd.DataFrame:
    rows = [
        {"scenario": failing.scenario, "policy": failing.policy, "box": number, **row}
        for number, one in enumerate(found, start=1)
        for row in _rows_of(settings, hit, one)
    ]
    if not rows:
        return empty("boxes")
    return frame("boxes", {name: [row[name] for row in rows] for name in rows[0]})


def _rows_of(settings: pd.DataFrame, hit: Mask, found: Found) -> list[dict[str, object]]:
    """Write a box, one row a limit."""
    box, inputs, p_value = found
    inside = box.holds(inputs)
    n, failed = int(inside.sum()), int(hit[inside].sum())
    told = {"cells": n, "failing": failed, "coverage": failed / int(hit.sum()),
            "density": failed / n, "p_value": p_value}  # fmt: skip
    return [
        {
            **_written(settings, inputs, box, limit),
            "quasi_p": quasi_p(inputs, hit, box, limit),
            **told,
        }
        for limit in box.limits(inputs)
    ]


def _written(settings: pd.DataFrame, inputs: Inputs, box: Box, limit: Limit) -> dict[str, object]:
    """Write a limit of numbers half way between the cells that it keeps out and those inside."""
    name = str(settings.columns[limit.axis])
    if limit.side == "options":
        levels = np.sort(settings[name].unique())
        inside = [str(x) for x, is_in in zip(levels, box.allowed[limit.axis], strict=True) if is_in]
        return {"axis": name, "side": "options", "limit": np.nan, "options": " | ".join(inside)}
    values = settings[name].to_numpy(dtype=np.float64)
    within = box.holds(inputs)
    kept_out = values[box.without(limit).holds(inputs) & ~within]
    ends = (values[within].min(), kept_out.max()) if limit.side == "above" else (
        values[within].max(), kept_out.min())  # fmt: skip
    return {"axis": name, "side": limit.side, "limit": float(sum(ends)) / 2.0, "options": ""}
