"""Cells of a sweep against one of them, paired by replication: a table, and a chart of intervals.

python -m experiments.paired CHART.png "TITLE" CELL SWEEP_FOLDER …

CELL is the number of the cell compared with. Several sweeps of the same cells may hold different
policies. Replication n has the same luck in
every cell, so a difference is taken replication by replication. bn VND of burden (harm and cost).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.stats import t as student

from nts_sim.charts.frame import (
    View,
    figure_bytes,
    light_grid,
    open_chart,
    panel,
    plain_numbers,
    shortened,
)
from nts_sim.charts.style import INK, policy_colour, policy_marker, styled
from nts_sim.words import name_of

BURDEN, HARM, COST = "total_burden_bn_vnd", "harm_bn_vnd", "cost_bn_vnd"
AS_IT_IS, TIMES, LETTERS = "as it is", "\N{MULTIPLICATION SIGN}", 40
MOST_TOLD = 3
"""Values told one by one; of more, only their group is named."""
NOTHING_BN_VND = 0.5
"""Differences below this are not drawn, whatever their interval."""


def main(arguments: Sequence[str]) -> int:
    """Read a sweep, print its differences, draw them."""
    chart, title, reference = Path(arguments[0]), arguments[1], int(arguments[2])
    results = pd.concat(pd.read_parquet(Path(name) / "results.parquet") for name in arguments[3:])
    axes = list(results.columns[1 : results.columns.get_loc("scenario")])
    names = labels(results[["cell", *axes]].drop_duplicates("cell").set_index("cell"), reference)
    found = differences(results.assign(cell=results["cell"].map(names)), names[reference])
    print(drawn(found, names[reference]).round(1).to_string(index=False))
    draw(found, title, names[reference], chart)
    return 0


def labels(values: pd.DataFrame, reference: int) -> dict[int, str]:
    """Name cells after what differs from the reference, and that one after its values if few."""
    base = values.loc[reference]
    told = {
        int(str(cell)): _all_told({key: row[key] for key in values if row[key] != base[key]})
        for cell, row in values.iterrows()
    }
    few = _all_told(dict(base.items())) if len(base) <= MOST_TOLD else AS_IT_IS
    return {cell: text or few for cell, text in told.items()}


def _all_told(changes: Mapping[str, object]) -> str:
    if len(changes) <= MOST_TOLD:
        return ", ".join(_told(key, value) for key, value in changes.items())
    groups = dict.fromkeys(key.split(".")[-2].replace("_", " ") for key in changes)
    return f"{', '.join(groups)}, all {len(changes)}"


def _told(key: str, value: object) -> str:
    *_, group, leaf = ["", *key.replace("_", " ").split(".")]
    if leaf == "enabled":
        return f"{'with' if value == 'true' else 'without'} {group}"
    told = f"{value:g}" if isinstance(value, float) else str(value)
    name = f"{group}, ceiling" if leaf == "ceiling factor" else leaf.removesuffix(" factor")
    return f"{name} {TIMES if 'factor' in key else ''}{told}"


def differences(results: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Pair every cell with the reference, for each policy.

    Parameters
    ----------
    results : columns cell, policy, replication and the outcomes

    Returns
    -------
    DataFrame
        cell, policy, n, mean burden, its difference, half of the 95 % interval, and
        differences of harm and cost.
    """
    rows = []
    for (cell, policy), mine in results.groupby(["cell", "policy"], sort=False):
        base = results[(results["cell"] == reference) & (results["policy"] == policy)]
        both = mine.merge(base, on="replication", suffixes=("", "_base"))
        by = {name: both[name] - both[f"{name}_base"] for name in (BURDEN, HARM, COST)}
        n = len(both)
        half = float(student.ppf(0.975, n - 1) * by[BURDEN].std(ddof=1) / np.sqrt(n))
        rows.append({
            "cell": cell, "policy": policy, "n": n, "burden": both[BURDEN].mean(),
            "diff": by[BURDEN].mean(), "half": half, "harm": by[HARM].mean(),
            "cost": by[COST].mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)


@styled
def draw(found: pd.DataFrame, title: str, reference: str, path: Path) -> None:
    """Draw a row a cell, a dot with its interval a policy; the reference itself is the line."""
    shown = drawn(found, reference)
    left_out = found["cell"].nunique() - shown["cell"].nunique() - 1
    cells, policies = list(dict.fromkeys(shown["cell"])), list(dict.fromkeys(shown["policy"]))
    counts = sorted(set(shown["n"]))
    told = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    more = "1 more cell" if left_out == 1 else f"{left_out} more cells"
    others = f" {more} cannot be told from it." if left_out else ""
    below = (
        f"Burden (harm and cost) against '{reference}' on the same luck, bn VND; left of the line "
        f"is better. Bars: 95 % intervals of the paired difference, {told} replications.{others}"
    )
    high = 0.17 * len(cells) * (len(policies) + 0.6)
    chart = open_chart(View("", "", "", "", "", 0), (9.0, high + 1.9), title, below, below, title,
                       "Evaluation draws, seed 147; numbers are partly assumptions.")  # fmt: skip
    _, bottom, _, top = chart.body
    room = (top - bottom) * (high + 1.9)
    axes = panel(chart, 0.30, 0.3 / room, 0.99, 1.0 - 0.4 / room)
    places = _marks(axes, shown, cells, policies)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    axes.set_yticks(places, [shortened(cell, LETTERS) for cell in cells])
    axes.set_ylim(max(places) + 0.8, min(places) - 0.8)
    plain_numbers(axes, "x")
    light_grid(axes, "x")
    axes.legend(ncols=min(4, len(policies)), loc="lower left", bbox_to_anchor=(-0.02, 1.0),
                frameon=False, fontsize=8)  # fmt: skip
    path.write_bytes(figure_bytes(chart, "png"))


def drawn(found: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Leave out the reference itself, and cells not told apart from it under any policy."""
    apart = found["diff"].abs() >= found["half"].clip(lower=NOTHING_BN_VND)
    any_apart = apart.groupby(found["cell"]).transform("any")
    return found[(found["cell"] != reference) & any_apart]


def _marks(axes: Axes, shown: pd.DataFrame, cells: list[str], policies: list[str]) -> list[float]:
    step = 0.8 / len(policies)
    for number, policy in enumerate(policies):
        mine = shown[shown["policy"] == policy].set_index("cell").reindex(cells)
        y = np.arange(len(cells)) - 0.4 + step * (number + 0.5)
        axes.errorbar(
            mine["diff"], y, xerr=mine["half"], fmt=policy_marker(policy), markersize=4.5,
            color=policy_colour(policy), elinewidth=1.2, label=name_of("policy", policy),
        )  # fmt: skip
    return list(np.arange(len(cells), dtype=float))


def simulated(worlds: Mapping[str, object], outcomes: pd.DataFrame) -> pd.DataFrame:
    """Put outcomes of a comparison into the columns of a sweep: a cell for every scenario name."""
    kept = outcomes[(outcomes["key"] == "all") & outcomes["metric"].isin([BURDEN, HARM, COST])]
    wide = kept.pivot(index=["scenario", "policy", "replication"], columns="metric", values="value")
    made = wide.reset_index().rename(columns={"scenario": "cell"})
    order = {name: number for number, name in enumerate(worlds)}
    return made.sort_values("cell", key=lambda cells: cells.map(order), kind="stable")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
