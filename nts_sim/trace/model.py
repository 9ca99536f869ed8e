"""The trace: one flat row per thing that happened, from which every statistic is computed.

Rows stand in the order (tick, phase, index, sub, row). What each kind puts into its columns:

===========  ===============  ========  ========  =====  ====================  =================
kind         node             threat    resource  order  quantity              value
===========  ===============  ========  ========  =====  ====================  =================
ONSET        cell's node      threat    -         -      severity              mark
SPREAD       target's node    threat    -         link   severity (1)          0
BLOCKED      target's node    threat    -         link   severity of target    0 (-1: onset)
MISSED       target's node    threat    -         link   0                     mark
RISE         cell's node      threat    -         -      new severity          0
FALL         cell's node      threat    -         -      new severity, 0 over   0
SUSCEPTIBLE  cell's node      threat    -         -      0                     0
COVERAGE     cell's node      threat    -         -      severity              coverage
ADMIT        place for        -         resource  order  granted               committed bn VND
REFUSE       place for        -         resource  order  asked less granted    reason number
TARGET       cell's node      threat    -         order  severity              target
APPROVED     place for        -         resource  order  granted               days waited
HANDOVER     place for        -         resource  order  granted               spent bn VND
DEPART       place left       -         resource  order  units                 travel days
ARRIVE       place reached    -         resource  order  units                 home (no place: none)
CONSUME      place            -         resource  -      units used            0
CREDIT       place for        -         -         order  bn VND                0
LEVEL        place for        -         -         order  level                 0
===========  ===============  ========  ========  =====  ====================  =================

`cause_row` is the row that led to this one, -1 for none: an incident's onset or the activation it
spread from, an approval's admission, an arrival's departure.

The rows of a future (`engine.futures`) begin at the instant that the report speaks of: what is
active then has a COVERAGE row and no ONSET or SPREAD, and units that are there have no ARRIVE.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Kind(IntEnum):
    """What happened."""

    ONSET = 0
    SPREAD = 1
    BLOCKED = 2
    MISSED = 3
    RISE = 4
    FALL = 5
    SUSCEPTIBLE = 6
    COVERAGE = 7
    ADMIT = 8
    REFUSE = 9
    TARGET = 10
    APPROVED = 11
    HANDOVER = 12
    DEPART = 13
    ARRIVE = 14
    CONSUME = 15
    CREDIT = 16
    LEVEL = 17


ROW = np.dtype(
    [
        ("tick", np.int64),
        ("phase", np.int8),
        ("index", np.int32),
        ("sub", np.int32),
        ("kind", np.int8),
        ("node", np.int32),
        ("threat", np.int16),
        ("resource", np.int16),
        ("order", np.int32),
        ("quantity", np.float64),
        ("value", np.float64),
        ("cause_row", np.int32),
    ]
)

Trace = NDArray[np.void]
"""Structured array of `ROW`."""

Row = tuple[int, int, int, int, int, int, int, int, int, float, float, int]
"""One row while it is being written: the columns of `ROW` in order."""


def as_trace(rows: Sequence[Row]) -> Trace:
    """Turn written rows into the array that everything above the engines reads."""
    return np.array(rows, dtype=ROW)
