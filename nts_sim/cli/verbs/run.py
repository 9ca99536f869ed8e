"""``run``: checked here, done in `nts_sim.cli.work`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nts_sim.cli.flags import Flags
from nts_sim.cli.hydra_app import run_hydra_verb
from nts_sim.cli.verbs.sweep import all_cells

if TYPE_CHECKING:
    from nts_sim.cli.prepare import Prepared

DEFAULT_POLICY = "current_practice"


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Check everything, then do the work; return the exit code."""
    chosen = any(argument.lstrip("+").startswith("policy=") for argument in arguments)
    arguments = [*arguments, *(() if chosen else (f"policy={DEFAULT_POLICY}",))]
    return run_hydra_verb("run", arguments, flags, _act, "one policy", sweep=all_cells)


def _act(prepared: Prepared, flags: Flags) -> int:
    from nts_sim.cli.work import run

    return run(prepared, flags)
