"""``sweep``: many cells in one command, checked here, done in `nts_sim.cli.sweeping`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nts_sim.cli.flags import Flags
from nts_sim.cli.hydra_app import run_hydra_verb

if TYPE_CHECKING:
    from nts_sim.cli.cells import Common, SweptCells


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Check every cell, then do the work; return the exit code."""
    return run_hydra_verb("sweep", ["-m", *arguments], flags, None, "either", sweep=all_cells)


def all_cells(cells: SweptCells, common: Common, flags: Flags, verb: str) -> int:
    """Do the work; what it needs is loaded only now, after the gate."""
    from nts_sim.cli.sweeping import sweep

    return sweep(cells, common, flags, verb)
