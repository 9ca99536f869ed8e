"""``select``: checked here, done in `nts_sim.cli.work`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nts_sim.cli.flags import Flags
from nts_sim.cli.hydra_app import run_hydra_verb

if TYPE_CHECKING:
    from nts_sim.cli.prepare import Prepared


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Check everything, then do the work; return the exit code."""
    return run_hydra_verb("select", arguments, flags, _act, "a baseline")


def _act(prepared: Prepared, flags: Flags) -> int:
    from nts_sim.cli.work import select

    return select(prepared, flags)
