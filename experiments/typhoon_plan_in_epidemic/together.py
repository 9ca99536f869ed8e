"""A typhoon while an epidemic goes on, against the two of them apart.

python -m experiments.typhoon_plan_in_epidemic.together [REPLICATIONS] [POLICY …]

Three courses of events on the same luck, 45 days, daily decisions: typhoon, epidemic, both. What
both come to beyond the sum is told for each policy; under do_nothing it is what one does to the
other by itself, under the others also what one takes from the other's help.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pandas as pd

from experiments.typhoon_plan_in_epidemic.run import SCENARIOS, all_threats, one_scenario, study_of
from nts_sim.outcomes.compare import paired
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec, ScenarioSpec
from nts_sim.study import run_comparison
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world

HORIZON_DAYS = 45
POLICIES = ("do_nothing", "current_practice", "informed_practice")


def main(arguments: Sequence[str]) -> int:
    """Print the excess of both together over the sum of each, by policy."""
    replications = int(arguments[0]) if arguments else 100
    policies = tuple(arguments[1:]) or POLICIES
    studies = {name: study_of(name, "none") for name in SCENARIOS}
    first = next(iter(studies.values()))
    study = first.model_copy(
        update={"replications": replications, "workers": 1,
                "policies": {name: PolicySpec() for name in policies}}
    )  # fmt: skip
    courses = together(
        [one_scenario(one) for one in studies.values()], all_threats(studies.values())
    )
    worlds = [(name, 1.0, build_world(study, course, load_tables()))
              for name, course in courses.items()]  # fmt: skip
    sources = {name: lambda name=name: make_policy(name, PolicySpec(), study.solver)
               for name in policies}  # fmt: skip
    results = run_comparison(study, worlds, sources)
    outcomes = results.frames["outcomes"].query("key == 'all'")
    rows = [excess(outcomes[outcomes["policy"] == policy]) for policy in policies]
    print(pd.DataFrame(rows, index=policies).round(1).to_string())
    return 0


def together(
    scenarios: Sequence[ScenarioSpec], threats: tuple[str, ...]
) -> dict[str, ScenarioSpec]:
    """Make each emergency alone, and both, all with the same days and threats."""
    shared = {"threats": threats, "horizon_days": HORIZON_DAYS, "epoch_every_days": 1,
              "start_date": scenarios[0].start_date,
              "warning_days": scenarios[0].warning_days}  # fmt: skip
    alone = {one.name: one.model_copy(update=shared) for one in scenarios}
    injects = tuple(inject for one in scenarios for inject in one.injects)
    both = scenarios[0].model_copy(update={**shared, "name": "both", "injects": injects})
    return {**alone, "both": both}


def excess(outcomes: pd.DataFrame) -> dict[str, float]:
    """Take the sum of both alone from both together, replication by replication, of one policy."""
    row: dict[str, float] = {}
    for metric, name in (("total_burden_bn_vnd", "burden"), ("harm_bn_vnd", "harm")):
        mine = outcomes[outcomes["metric"] == metric]
        values = mine.pivot(index="replication", columns="scenario", values="value")
        apart = values[list(SCENARIOS)].sum(axis=1).to_numpy()[:, None]
        more = paired(values[["both"]].to_numpy(), apart).summary
        row |= {"n": len(values), f"{name} both": values["both"].mean(),
                f"{name} excess": more.mean[0],
                f"{name} ±": (more.high[0] - more.low[0]) / 2.0}  # fmt: skip
    return row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
