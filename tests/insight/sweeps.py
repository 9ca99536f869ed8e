"""Made-up tables of a sweep, of the shape a sweep leaves, from a function of its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from nts_sim.luck.draws import DrawSet, Luck, Stream
from nts_sim.outcomes.compare import compare, paired, summarise

METRIC, UNIT = "total_burden_bn_vnd", "bn VND"
Burden = Callable[[Mapping[str, Any], str], float]
"""(values of the axes, policy) → mean burden."""


def uniforms(shape: tuple[int, ...], seed: int) -> np.ndarray:
    index = np.arange(int(np.prod(shape)))
    return Luck(seed, DrawSet.EVALUATION, 0).uniform(Stream.ORDER, 99, index).reshape(shape)


def grid(**axes: Sequence[Any]) -> pd.DataFrame:
    """Cells of a full grid; a double underscore in a name stands for a dot."""
    names = [name.replace("__", ".") for name in axes]
    return cells_of(pd.DataFrame(list(product(*axes.values())), columns=names))


def cells_of(settings: pd.DataFrame) -> pd.DataFrame:
    n = len(settings)
    return pd.concat([
        pd.DataFrame({"cell": np.arange(n)}), settings,
        pd.DataFrame({"done": [20] * n, "failed": [0] * n, "command": ["nts-sim compare"] * n}),
    ], axis=1)  # fmt: skip


def axes_of(cells: pd.DataFrame) -> list[str]:
    return [name for name in cells if name not in ("cell", "done", "failed", "command")]


def results_of(
    cells: pd.DataFrame, policies: Sequence[str], burden: Burden, *, noise: float = 20.0,
    own_noise: float = 5.0, replications: int = 20, seed: int = 1, scenario: str = "typhoon_north",
) -> pd.DataFrame:  # fmt: skip
    """Table `results`: luck shared by cells and policies, and a little of each one's own."""
    axes, rows = axes_of(cells), []
    shared = noise * (uniforms((replications,), seed) - 0.5)
    own = own_noise * (uniforms((len(cells), len(policies), replications), seed + 1) - 0.5)
    for i, cell in enumerate(cells.to_dict("records")):
        for j, policy in enumerate(policies):
            mean = burden({axis: cell[axis] for axis in axes}, policy)
            rows += [(cell["cell"], *(cell[axis] for axis in axes), scenario, policy, r,
                      mean + shared[r] + own[i, j, r]) for r in range(replications)]  # fmt: skip
    columns = ["cell", *axes, "scenario", "policy", "replication", METRIC]
    return pd.DataFrame(rows, columns=columns)


def summary_of(results: pd.DataFrame, axes: Sequence[str], baseline: str) -> pd.DataFrame:
    """Table `summary`: means, paired differences to the baseline of the cell and to cell 0."""
    rows, firsts = [], {}
    for key, of_cell in results.groupby(["cell", "scenario"]):
        head = (key[0], *of_cell[list(axes)].iloc[0], key[1])
        values = {str(p): g[METRIC].to_numpy()[:, None] for p, g in of_cell.groupby("policy")}
        told = {c.policy: c for c in compare(values, baseline)} if baseline in values else {}
        for policy, column in values.items():
            s = summarise(column)
            row = [*head, policy, METRIC, UNIT, int(s.n[0]), s.mean[0], s.low[0], s.high[0]]
            if policy in told:
                d = told[policy].differences
                row += [baseline, d.summary.mean[0], d.summary.low[0], d.summary.high[0],
                        d.relative_pct[0], bool(told[policy].separable[0])]  # fmt: skip
            else:
                row += [baseline, 0.0, 0.0, 0.0, 0.0, False]
            first = firsts.setdefault((key[1], policy), column)
            change = paired(column, first).summary
            rows.append([*row, change.mean[0], change.low[0], change.high[0]])
    names = ["cell", *axes, "scenario", "policy", "metric", "unit", "n", "mean", "low", "high",
             "baseline", "diff", "diff_low", "diff_high", "relative_pct", "separable", "change",
             "change_low", "change_high"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)
