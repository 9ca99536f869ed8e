"""What a sweep does with its cells."""

from __future__ import annotations

from nts_sim.cli.cells import Common, SweptCells
from nts_sim.cli.flags import Flags


def sweep(cells: SweptCells, common: Common, flags: Flags, verb: str) -> int:
    """Tell how many cells there are."""
    print(f"{len(cells):,} cells")
    return 0
