"""Replications to be timed, in this process or in a fresh one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from nts_sim.decision.model import Policy
from nts_sim.engine.session import EngineName, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.trace.model import Trace
from nts_sim.world.model import World
from tests.benchmarks.case import Sample
from tests.engines.helpers import scripted

ROOT = Path(__file__).parents[2]
SEED = 147
NOTHING = scripted({})
"""Orders nothing, and spares the engine the question whether idle teams should go home."""


def luck(number: int) -> Luck:
    """Luck of a replication, the same on both sides of a pair."""
    return Luck(SEED, DrawSet.EVALUATION, number)


def replicate(
    world: World, engine: EngineName, replications: int, policy: Policy = NOTHING
) -> Callable[[int], list[Trace]]:
    """Say how to run a round: so many replications, each round with luck of its own."""

    def run(number: int) -> list[Trace]:
        first = number * replications
        return [simulate(world, policy, luck(first + k), engine).trace for k in range(replications)]

    return run


def in_fresh_process(*arguments: str) -> Sample:
    """Run ``python -m tests.benchmarks.fresh …`` and read the sample it prints."""
    command = [sys.executable, "-m", "tests.benchmarks.fresh", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-1000:])
    return Sample(**json.loads(done.stdout.splitlines()[-1]))
