"""A typhoon while an epidemic goes on, against the two of them apart.

python -m experiments.typhoon_plan_in_epidemic.together [REPLICATIONS] [POLICY …]

Three courses of events on the same luck, 45 days, daily decisions: typhoon, epidemic, both. What
both come to beyond the sum is told for each policy; under do_nothing it is what one does to the
other by itself, under the others also what one takes from the other's help.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t as student

from experiments.paired import BURDEN, HARM, simulated
from experiments.typhoon_plan_in_epidemic.run import SCENARIOS, all_threats, one_scenario, study_of
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
    found = simulated(courses, results.frames["outcomes"])
    print(
        pd.DataFrame([excess(found, policy) for policy in policies]).round(1).to_string(index=False)
    )
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


def excess(found: pd.DataFrame, policy: str) -> dict[str, object]:
    """Take the sum of both alone from both together, replication by replication."""
    mine = found[found["policy"] == policy].pivot(index="replication", columns="cell")
    row: dict[str, object] = {"policy": policy, "n": len(mine)}
    for outcome, name in ((BURDEN, "burden"), (HARM, "harm")):
        values = mine[outcome]
        more = values["both"] - values[list(SCENARIOS)].sum(axis=1)
        half = student.ppf(0.975, len(more) - 1) * more.std(ddof=1) / np.sqrt(len(more))
        row |= {f"{name} both": values["both"].mean(), f"{name} excess": more.mean(),
                f"{name} ±": half}  # fmt: skip
    return row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
