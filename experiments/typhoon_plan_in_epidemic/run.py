"""Prepare for one emergency, then meet another.

python -m experiments.typhoon_plan_in_epidemic.run [REPLICATIONS] [PREPARATION]

What to buy, post and store before day 0 is planned for the typhoon, for the epidemic, or for both
as equally likely; each of these preparations then meets each emergency, with help planned daily
(typhoon) or weekly (epidemic) around it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import hydra
import numpy as np
import pandas as pd
from omegaconf import OmegaConf

from nts_sim.charts import View, figure_bytes
from nts_sim.charts.sweep_cells import sweep_of
from nts_sim.charts.sweep_changes import sweep_changes
from nts_sim.decision.model import Preparation
from nts_sim.engine.prepared import preparation_cost
from nts_sim.engine.session import simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.compare import paired
from nts_sim.outcomes.measures import outcomes_of
from nts_sim.planning.scenario import draw_samples, plan_of_scenario, scenario_template
from nts_sim.planning.solve import Highs
from nts_sim.planning.whole import first_plan
from nts_sim.policies.optimised import GAP, planned
from nts_sim.policies.planner import first_risk
from nts_sim.policies.settings import NAMED
from nts_sim.spec.load import load_study
from nts_sim.spec.models import PolicySpec, ScenarioSpec, Study
from nts_sim.study.one_plan import in_common_world
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from nts_sim.world.model import Floats, World

HERE = Path(__file__).parent
CONFIGS = HERE.parents[1] / "configs"
SCENARIOS = ("typhoon_north", "respiratory_epidemic")
POLICY, INCUMBENT = "expected_value", "expected_value_mean_path"
SEED, DRAWS, SAMPLES = 147, 24, 12
NOTHING, AXIS = "nothing prepared", "preparation"
METRICS = ("total_burden_bn_vnd", "harm_bn_vnd", "cost_bn_vnd")


def main(arguments: Sequence[str]) -> int:
    """Print and draw what each preparation changes in each emergency, against none."""
    replications = int(arguments[0]) if arguments else 100
    preparation = arguments[1] if len(arguments) > 1 else "standard"
    studies = {name: study_of(name, preparation) for name in SCENARIOS}
    threats = all_threats(studies.values())
    plans = plans_of(studies, threats)
    for name in SCENARIOS:
        # Posted teams are paid for as long as an emergency lasts, so the budget may not bind again.
        world = world_of(unbounded(studies[name]), threats)
        made = {about: simulated(world, plan, replications) for about, plan in plans.items()}
        found = changes(made)
        print(f"\n{name}\n{found.drop(columns=['policy', 'scenario']).round(1).to_string()}")
        (HERE / f"{name}.png").write_bytes(picture(found, name, replications))
    return 0


def study_of(scenario: str, preparation: str) -> Study:
    """Compose a scenario with money to prepare."""
    overrides = [f"scenario={scenario}", f"preparation={preparation}"]
    with hydra.initialize_config_dir(str(CONFIGS.resolve()), version_base="1.3"):
        config = OmegaConf.to_container(hydra.compose("config", overrides), resolve=True)
    return load_study({**config, "measures": {}})


def all_threats(studies: Iterable[Study]) -> tuple[str, ...]:
    """Return the threats of all emergencies: worlds that have them all share resources."""
    return tuple(dict.fromkeys(t for study in studies for t in one_scenario(study).threats))


def one_scenario(study: Study) -> ScenarioSpec:
    """Return the scenario of a study that has one."""
    assert isinstance(study.scenario, ScenarioSpec)
    return study.scenario


def unbounded(study: Study) -> Study:
    """Lift the budget: what was planned under it is carried out, whatever it comes to."""
    lifted = study.preparation.model_copy(update={"budget_bn_vnd": 1e6, "place_share_at_most": 1.0})
    return study.model_copy(update={"preparation": lifted})


def world_of(study: Study, threats: tuple[str, ...]) -> World:
    """Build the world of an emergency, with the threats of all."""
    scenario = one_scenario(study).model_copy(update={"threats": threats})
    return build_world(study, scenario, load_tables())


def plans_of(
    studies: Mapping[str, Study], threats: tuple[str, ...]
) -> dict[str, Preparation | None]:
    """Plan for nothing, for each emergency, and for both as equally likely."""
    worlds = {name: world_of(study, threats) for name, study in studies.items()}
    both = [(0.5, one_scenario(study)) for study in studies.values()]
    study = next(iter(studies.values()))
    asked = {f"prepared for {name}": [(1.0, world)] for name, world in worlds.items()}
    asked["prepared for both"] = [
        in_common_world(study, *member, both, load_tables()) for member in both
    ]
    plans: dict[str, Preparation | None] = {NOTHING: None}
    for about, members in asked.items():
        plans[about] = planned_for(members)
        tell(about, members[0][1], plans[about])
    return plans


def planned_for(worlds: Sequence[tuple[float, World]]) -> Preparation | None:
    """Plan what to prepare, on planning draws."""
    incumbent = planned(INCUMBENT, PolicySpec())
    edges = scenario_template(worlds[0][1]).sets.edges_days
    needs = [
        (weight, world, draw_samples(world, edges, SEED, range(DRAWS), SAMPLES, incumbent))
        for weight, world in worlds
    ]
    highs = Highs(300.0, GAP)
    return first_plan(plan_of_scenario(needs), first_risk(NAMED[POLICY]), highs).preparation


def tell(about: str, world: World, plan: Preparation | None) -> None:
    """Print what a plan does before day 0."""
    if plan is None:
        return
    posted: dict[str, float] = {}
    for _, _, resource, quantity in plan.posted:
        name = world.resources.name[resource]
        posted[name] = posted.get(name, 0.0) + quantity
    bought = {
        name: round(float(units))
        for name, units in zip(world.resources.name, plan.bought.sum(axis=0), strict=True)
        if units > 0.0
    }
    cost = preparation_cost(world, plan).total_bn_vnd
    units = {name: round(quantity) for name, quantity in posted.items()}
    print(f"{about}: {cost:.1f} bn VND; bought {bought}; posted {units}; {len(plan.depots)} depots")


def simulated(world: World, plan: Preparation | None, replications: int) -> Floats:
    """Simulate an emergency with what was prepared, on evaluation draws; [replication, metric]."""
    policy = planned(POLICY, PolicySpec(), preparation=plan)
    rows = []
    for number in range(replications):
        run = simulate(world, policy, Luck(SEED, DrawSet.EVALUATION, number))
        values = {metric: value for metric, key, value in outcomes_of(run, world) if key == "all"}
        rows.append([values[name] for name in METRICS])
    return np.array(rows)


def changes(made: Mapping[str, Floats]) -> pd.DataFrame:
    """Take preparing nothing from each preparation, on the same luck."""
    rows = []
    for cell, (about, values) in enumerate(made.items()):
        told = paired(values, made[NOTHING]).summary
        rows += zip(
            [cell] * len(METRICS), [about] * len(METRICS), METRICS, values.mean(axis=0), told.mean,
            told.low, told.high, strict=True,
        )  # fmt: skip
    columns = ["cell", AXIS, "metric", "mean", "change", "change_low", "change_high"]
    return pd.DataFrame(rows, columns=columns).assign(policy=POLICY, scenario="")


def picture(found: pd.DataFrame, scenario: str, replications: int) -> bytes:
    """Draw the changes as those of a sweep."""
    cells = found[["cell", AXIS]].drop_duplicates()
    about = f"typhoon_plan_in_epidemic, {scenario}"
    view = View(scenario, scenario, POLICY, POLICY, about, replications)
    return figure_bytes(sweep_changes(sweep_of(cells, found, [AXIS], view, METRICS[0])), "png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
