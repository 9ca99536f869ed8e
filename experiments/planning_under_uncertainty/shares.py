"""Tell, from stored comparisons, how much of the gain of a perfect forecast each policy reaches.

    python experiments/planning_under_uncertainty/shares.py results/typhoon_north/RUN …

A folder a line of scenarios; each must hold `current_practice` and `perfect_information`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

BASELINE, BOUND, BURDEN = "current_practice", "perfect_information", "total_burden_bn_vnd"


def burdens(folder: Path) -> pd.DataFrame:
    """Read harm and cost of each replication, one column a policy, bn VND."""
    outcomes = pd.read_parquet(folder / "outcomes.parquet")
    chosen = outcomes[(outcomes["metric"] == BURDEN) & (outcomes["key"] == "all")]
    return chosen.pivot(index="replication", columns="policy", values="value").dropna()


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Compare each policy with the baseline on the same luck."""
    gain = table.sub(table[BASELINE], axis=0)
    half = 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))
    scale = 100.0 / table[BASELINE].mean()
    bound = gain[BOUND].mean() if BOUND in gain else np.nan
    made = pd.DataFrame({
        "burden": table.mean(),
        "difference_%": gain.mean() * scale,
        "half_width_%": half * scale,
        "wins_%": 100.0 * (gain < 0.0).mean(),
        "share_of_bound_%": 100.0 * gain.mean() / bound,
    })  # fmt: skip
    return made.sort_values("burden")


def main(folders: list[str]) -> int:
    """Print a table a folder."""
    if not folders:
        print(__doc__, file=sys.stderr)
        return 2
    for folder in map(Path, folders):
        table = burdens(folder)
        print(f"{folder.parent.name}: {len(table)} replications")
        print(shares(table).round(1).to_string(), end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
