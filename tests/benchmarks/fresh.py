"""What is measured in a process of its own: the first result, and memory.

``python -m tests.benchmarks.fresh first | network PLACES THREATS | comparison REPLICATIONS``
prints one sample as JSON. Imports stand where they are used: the first result must not wait for
what it does not need.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

GIB = 1024.0**3


def peak_bytes() -> float:
    """Most memory this process ever held.

    Linux hands the peak of the parent on to a child that it starts, as if it were the child's
    own (`getrusage`); the mark kept with the address space starts afresh.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) * 1024.0
    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak if sys.platform == "darwin" else peak * 1024.0


def first() -> dict[str, object]:
    """Load a study, build its world and run one replication; the parent takes the time."""
    from nts_sim.engine.session import simulate
    from nts_sim.luck.draws import DrawSet, Luck
    from nts_sim.policies.registry import make_policy
    from nts_sim.tables.load import load_tables
    from nts_sim.world.build import build_world
    from tests.system.study import study

    made = study("scenario=typhoon_north", "policy=current_practice")
    world = build_world(made, made.scenario, load_tables())
    policy = make_policy("current_practice", made.policies["current_practice"])
    run = simulate(world, policy, Luck(made.seed, DrawSet.EVALUATION, 0), "compiled")
    return {"cost": 0.0, "amount": len(run.trace)}


def network(places: int, threats: int) -> dict[str, object]:
    """Run one replication of 60 days of a network; 0 places: the country's communes."""
    from tests.benchmarks.case import events, timed
    from tests.benchmarks.networks import commune_network, grid_network
    from tests.benchmarks.runs import replicate

    begin = time.process_time()
    made = grid_network(places, n_threats=threats) if places else commune_network(n_threats=threats)
    built = time.process_time()
    sample = timed(replicate(made, "compiled", 1), events)(0)
    return {
        "cost": peak_bytes() / GIB, "amount": sample.amount,
        "remark": f"{sample.amount / sample.cost:,.0f} events a CPU second in "
        f"{sample.cost:.1f} s; built in {built - begin:.1f} s",
    }  # fmt: skip


def comparison(replications: int) -> dict[str, object]:
    """Compare one policy with itself over so many replications, in one process."""
    from tests.benchmarks.processes import compare

    compare(replications, workers=1)
    return {"cost": peak_bytes() / GIB, "amount": replications}


if __name__ == "__main__":
    verb, *numbers = sys.argv[1:]
    verbs = {"first": first, "network": network, "comparison": comparison}
    print(json.dumps(verbs[verb](*map(int, numbers))))
