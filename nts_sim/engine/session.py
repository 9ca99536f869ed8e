"""A session joins an engine, the shared order layer and the observer; `simulate` runs it."""

from __future__ import annotations

from nts_sim.decision.model import Policy
from nts_sim.engine.contract import Run
from nts_sim.luck.draws import Luck
from nts_sim.world.model import World


def simulate(world: World, policy: Policy, luck: Luck) -> Run:
    """Run one replication of `world` under `policy` with the given luck."""
    raise NotImplementedError
