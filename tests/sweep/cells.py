"""A small sweep without a command line: money and stock of a calm year, two rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nts_sim.spec.load import load_scenario, load_study
from nts_sim.spec.models import ScenarioSpec, Study
from nts_sim.study.sweep.asked import Asked
from nts_sim.study.sweep.cell import Cell, Own
from nts_sim.tables.load import load_tables

CONFIGS = Path(__file__).parents[2] / "configs"
AXES = ("fund.balance_factor", "resources.stock_factor")


@lru_cache
def base(*overrides: str) -> tuple[Study, ScenarioSpec]:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        config = compose("config", ["scenario=calm_year", *overrides])
    plain = OmegaConf.to_container(config, resolve=True)
    plain.pop("hydra", None)
    return load_study({**plain, "experiment": "toy"}), load_scenario(plain["scenario"])


class ToyCells:
    """Cells of two axes; each way of going through them makes them anew."""

    axes = AXES

    def __init__(
        self, values: Sequence[tuple[float, float]], results: Path,
        policies: str = "current_practice,do_nothing", replications: int = 4,
    ) -> None:  # fmt: skip
        self.values = tuple(values)
        self.given = (f"policy=[{policies}]", f"replications={replications}")
        self.results = results

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Cell]:
        study, scenario = base(*self.given)
        for number, (money, stock) in enumerate(self.values):
            changed = study.model_copy(update={
                "fund": study.fund.model_copy(update={"balance_factor": money}),
                "resources": study.resources.model_copy(update={"stock_factor": stock}),
                "results_dir": str(self.results),
            })  # fmt: skip
            overrides = (*self.given, f"{AXES[0]}={money}", f"{AXES[1]}={stock}")
            yield Cell(number, (money, stock), overrides, changed, (("calm_year", 1.0, scenario),))


def asked(cells: ToyCells, **own: str) -> Asked:
    inputs = {f"{name}.csv": digest for name, digest in load_tables(None).digests.items()}
    mine = {
        name: Own(where, hashlib.sha256(Path(where.rpartition(":")[0]).read_bytes()).hexdigest())
        for name, where in own.items()
    }
    return Asked(cells, "compiled", inputs, mine, None)
