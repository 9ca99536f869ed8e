"""What each further billion for preparation saves: by the plan's price, and in simulation.

python experiments/budget_frontier/run.py [REPLICATIONS] [BUDGET …]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import hydra
import numpy as np
import pandas as pd
from omegaconf import OmegaConf

from nts_sim.charts.frame import (
    View,
    figure_bytes,
    light_grid,
    open_chart,
    panel,
    plain_numbers,
)
from nts_sim.charts.style import BLUE, styled
from nts_sim.engine.session import simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.measures import outcomes_of
from nts_sim.planning.marginal import marginal_money
from nts_sim.planning.scenario import draw_samples, plan_of_scenario, scenario_template
from nts_sim.planning.solve import Highs
from nts_sim.planning.variants import in_template
from nts_sim.planning.whole import FirstPlan, first_plan
from nts_sim.policies.optimised import GAP, planned
from nts_sim.policies.planner import first_risk
from nts_sim.policies.settings import NAMED
from nts_sim.spec.load import load_study
from nts_sim.spec.models import PolicySpec, ScenarioSpec, Study
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from nts_sim.world.model import World

CONFIGS = Path(__file__).parents[2] / "configs"
POLICY, DRAWS, SAMPLES = "stochastic", 24, 12
BUDGETS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


def main(arguments: Sequence[str]) -> int:
    """Print the frontier; bn VND."""
    replications = int(arguments[0]) if arguments else 100
    budgets = [float(text) for text in arguments[1:]] or list(BUDGETS)
    rows, before, saved_before = [], 0.0, np.zeros(replications)
    nothing = simulated(world_with(0.0), None, replications)
    for budget in budgets:
        world = world_with(budget)
        plan = planned_for(world)
        saved = nothing - simulated(world, plan, replications)
        step = (saved - saved_before) / (budget - before)
        rows.append({
            "budget": budget,
            "spent": _spent(plan, world),
            "promised burden": plan.plan.solution.objective,
            "one more saves (price)": price(plan),
            "each more saved (simulated)": step.mean(),
            "+/-": 1.96 * step.std(ddof=1) / np.sqrt(replications),
            "saved in all (simulated)": saved.mean(),
            "in all +/-": 1.96 * saved.std(ddof=1) / np.sqrt(replications),
        })  # fmt: skip
        print(pd.DataFrame(rows[-1:]).round(2).to_string(index=False, header=len(rows) == 1))
        before, saved_before = budget, saved
    draw(pd.DataFrame(rows), replications)
    return 0


@styled
def draw(found: pd.DataFrame, replications: int) -> None:
    """Draw what is saved in all over what is on offer."""
    title = "A quarter of a billion saves some thirty billion, further billions nothing"
    below = (
        "Burden (harm and cost) saved against preparing nothing, on the same luck, bn VND; bars: "
        f"95 % intervals, {replications} replications."
    )
    foot = "typhoon_north, evaluation draws, seed 147; numbers are partly assumptions."
    chart = open_chart(View("", "", "", "", "", 0), (9.0, 4.2), title, below, below, title, foot)
    axes = panel(chart, 0.07, 0.18, 0.99, 0.96)
    budget, saved = [0.0, *found["budget"]], [0.0, *found["saved in all (simulated)"]]
    axes.errorbar(budget, saved, yerr=[0.0, *found["in all +/-"]], fmt="o-", color=BLUE)
    axes.set_xlabel("money on offer before day 0, bn VND")
    axes.set_ylim(bottom=0.0)
    plain_numbers(axes, "x")
    light_grid(axes, "y")
    (Path(__file__).parent / "frontier.png").write_bytes(figure_bytes(chart, "png"))


def study_with(budget_bn_vnd: float) -> Study:
    """Compose the typhoon with so much money for preparation."""
    overrides = ["scenario=typhoon_north", "preparation=standard",
                 f"preparation.budget_bn_vnd={budget_bn_vnd}"]  # fmt: skip
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = hydra.compose("config", overrides=overrides)
    return load_study(OmegaConf.to_container(config, resolve=True))


def world_with(budget_bn_vnd: float) -> World:
    """Build the world of the typhoon with so much money for preparation."""
    study = study_with(budget_bn_vnd)
    assert isinstance(study.scenario, ScenarioSpec)
    return build_world(study, study.scenario, load_tables())


def planned_for(world: World) -> FirstPlan:
    """Plan what to prepare, on planning draws."""
    incumbent = planned("expected_value_mean_path", PolicySpec())
    edges = scenario_template(world).sets.edges_days
    samples = draw_samples(world, edges, 147, range(DRAWS), SAMPLES, incumbent)
    problem = plan_of_scenario([(1.0, world, samples)])
    return first_plan(problem, first_risk(NAMED[POLICY]), Highs(120.0, GAP))


def price(plan: FirstPlan) -> float:
    """Return what one more billion saves by the prices of the plan."""
    x = in_template(plan.problem.filled, plan.plan.solution.x)
    found = marginal_money(plan.problem, x, first_risk(NAMED[POLICY]), 120.0)
    return sum(money.dual for money in found if money.source == "preparation")


def _spent(plan: FirstPlan, world: World) -> float:
    from nts_sim.engine.prepared import preparation_cost

    if plan.preparation is None:
        return 0.0
    return preparation_cost(world, plan.preparation).total_bn_vnd


def simulated(world: World, plan: FirstPlan | None, replications: int) -> np.ndarray:
    """Harm and cost of each replication, on evaluation draws."""
    policy = planned(POLICY, PolicySpec(), preparation=plan.preparation if plan else None)
    burdens = []
    for number in range(replications):
        run = simulate(world, policy, Luck(147, DrawSet.EVALUATION, number))
        values = {(m, key): value for m, key, value in outcomes_of(run, world)}
        burdens.append(values["total_burden_bn_vnd", "all"])
    return np.array(burdens)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
