"""The same units in the hubs of the national reserve, or with the provinces.

python -m experiments.central_or_local.run [SCENARIO] [REPLICATIONS] [POLICY …]

Tables of stocks and hubs are written anew for every share; nothing else changes.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import hydra
import pandas as pd
from omegaconf import OmegaConf

from nts_sim.charts import View, figure_bytes
from nts_sim.charts.sweep_cells import sweep_of
from nts_sim.charts.sweep_changes import sweep_changes
from nts_sim.outcomes.compare import paired
from nts_sim.spec.load import load_study
from nts_sim.spec.models import ScenarioSpec, Study
from nts_sim.study import run_comparison
from nts_sim.tables.load import DATA, load_tables
from nts_sim.world.build import build_world
from nts_sim.world.model import World

HERE = Path(__file__).parent
CONFIGS = HERE.parents[1] / "configs"
RESOURCES = ("boat_crew", "family_kit", "rice_t")
"""What the national reserve keeps in its hubs."""
METRIC, AXIS = "total_burden_bn_vnd", "stock"
SHARES = {
    "as it is": (0.0, 0.0),
    "half the reserve to provinces": (0.5, 0.0),
    "all the reserve to provinces": (1.0, 0.0),
    "a quarter of provinces' to hubs": (0.0, 0.25),
    "half of provinces' to hubs": (0.0, 0.5),
}
"""Shares that move: of the hubs to the provinces, of the provinces to the hubs."""


def main(arguments: Sequence[str]) -> int:
    """Print the differences to the reserve as it is, and draw them."""
    scenario = arguments[0] if arguments else "typhoon_north"
    replications = int(arguments[1]) if len(arguments) > 1 else 100
    policies = arguments[2:] or ["current_practice", "informed_practice"]
    study = study_of(scenario, replications, policies)
    worlds = {name: world_with(study, *shares) for name, shares in SHARES.items()}
    results = run_comparison(study, [(name, 1.0, world) for name, world in worlds.items()])
    found = changes(results.frames["outcomes"])
    print(found.drop(columns=["metric", "scenario"]).round(1).to_string(index=False))
    (HERE / f"{scenario}.png").write_bytes(picture(found, scenario, replications))
    return 0


def changes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Take stocks as they are from stocks moved, policy by policy, on the same luck."""
    kept = outcomes[(outcomes["key"] == "all") & (outcomes["metric"] == METRIC)]
    rows = []
    for policy, mine in kept.groupby("policy", sort=False):
        wide = mine.pivot(index="replication", columns="scenario", values="value")[list(SHARES)]
        told = paired(wide.to_numpy(), wide[["as it is"]].to_numpy()).summary
        rows += zip(
            range(len(SHARES)), SHARES, [policy] * len(SHARES), wide.mean(), told.mean, told.low,
            told.high, strict=True,
        )  # fmt: skip
    columns = ["cell", AXIS, "policy", "mean", "change", "change_low", "change_high"]
    return pd.DataFrame(rows, columns=columns).assign(metric=METRIC, scenario="")


def picture(found: pd.DataFrame, scenario: str, replications: int) -> bytes:
    """Draw the changes as those of a sweep."""
    cells = found[["cell", AXIS]].drop_duplicates()
    view = View(scenario, scenario, "informed_practice", "current_practice",
                f"central_or_local, {scenario}", replications)  # fmt: skip
    return figure_bytes(sweep_changes(sweep_of(cells, found, [AXIS], view, METRIC)), "png")


def study_of(scenario: str, replications: int, policies: Sequence[str]) -> Study:
    """Compose the study of a scenario."""
    overrides = [f"scenario={scenario}", f"policy=[{','.join(policies)}]", "workers=1",
                 f"replications={replications}"]  # fmt: skip
    with hydra.initialize_config_dir(str(CONFIGS.resolve()), version_base="1.3"):
        config = OmegaConf.to_container(hydra.compose("config", overrides), resolve=True)
    return load_study({**config, "measures": {}})


def world_with(study: Study, to_provinces: float, to_hubs: float) -> World:
    """Build the world in which these shares have moved."""
    assert isinstance(study.scenario, ScenarioSpec)
    with tempfile.TemporaryDirectory() as folder:
        stocks, hubs = moved(to_provinces, to_hubs)
        stocks.to_csv(Path(folder) / "stocks.csv", index=False)
        hubs.to_csv(Path(folder) / "hub_stocks.csv", index=False)
        return build_world(study, study.scenario, load_tables(Path(folder)))


def moved(to_provinces: float, to_hubs: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Move units, to provinces by what they hold already, to hubs in equal parts."""
    stocks = pd.read_csv(DATA / "stocks.csv", dtype={"province_code": str})
    hubs = pd.read_csv(DATA / "hub_stocks.csv", dtype={"province_code": str})
    stocks["value"], hubs["value"] = stocks["value"].astype(float), hubs["value"].astype(float)
    for resource in RESOURCES:
        here = stocks["resource"] == resource
        there = (hubs["resource"] == resource) & (hubs["mechanism"] == "national_reserve")
        local, central = stocks.loc[here, "value"], hubs.loc[there, "value"]
        given = to_provinces * central.sum()
        taken = (to_hubs * local).round()
        stocks.loc[here, "value"] = local - taken + whole(local / local.sum() * given)
        hubs.loc[there, "value"] = (1.0 - to_provinces) * central + whole(
            pd.Series(taken.sum() / len(central), index=central.index)
        )
    return stocks, hubs


def whole(shares: pd.Series) -> pd.Series:
    """Round to whole units that add up: the largest remainders get one more."""
    floor = shares.round(6) // 1
    left = round(float(shares.sum() - floor.sum()))
    more = (shares - floor).sort_values(ascending=False, kind="stable").index[:left]
    floor.loc[more] += 1.0
    return floor


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
