"""The hazard calendar: every onset of a replication, fixed before the run for all policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.luck.draws import Luck, Stream
from nts_sim.units import ticks
from nts_sim.world.model import Floats, Ints, World


@dataclass(frozen=True, eq=False)
class Calendar:
    """Onsets sorted by (tick, cell), at most one each.

    Attributes
    ----------
    tick, cell, severity, visible_tick : int array [entry]
    mark : float array [entry], uniform held against the share of onsets that measures leave
    """

    tick: Ints
    cell: Ints
    severity: Ints
    mark: Floats
    visible_tick: Ints


def hazard_calendar(world: World, luck: Luck) -> Calendar:
    """Draw the onsets of one replication."""
    entries = []
    marks = luck.uniform(Stream.INJECT, np.arange(len(world.hazard.injects)))
    for inject, mark in zip(world.hazard.injects, marks, strict=True):
        if mark < inject.probability:
            tick = ticks(inject.day)
            warning = ticks(float(world.hazard.warning_days[world.cells.threat[inject.cell]]))
            entries.append((tick, inject.cell, inject.severity, float(mark), tick - warning))
    entries.sort()
    columns = list(zip(*entries, strict=True)) or [()] * 5
    ints = [np.array(columns[i], dtype=np.int64) for i in (0, 1, 2, 4)]
    return Calendar(ints[0], ints[1], ints[2], np.array(columns[3], dtype=np.float64), ints[3])
