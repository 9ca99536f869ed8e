"""When needs are met: the day from which what a place requires stays covered to the end."""

from __future__ import annotations

import numpy as np
from numba import njit

from nts_sim.outcomes.layout import Layout
from nts_sim.outcomes.people import People
from nts_sim.world.model import Bools, Floats, Ints

ENOUGH = 0.99
"""Coverage of an incident from which on its need counts as met."""


def met_days(people: People, layout: Layout) -> tuple[Floats, Bools]:
    """Find the first day from which each need stays met until it ends.

    Returns
    -------
    day : float array [place, resource], days; NaN where the need ends unmet, or is none
    needed : bool array [place, resource], something was required there
    """
    spells = people.spells
    required = layout.needed_requirement[spells.cell, spells.severity - 1]
    shape = (layout.world.nodes.n_places, len(layout.resources))
    first, short, last = (np.full(shape, np.nan) for _ in range(3))
    needed = layout.needed
    first[:, needed], short[:, needed], last[:, needed] = _folded(
        people.place, spells.start, spells.end, spells.coverage >= ENOUGH, required, shape[0]
    )
    return np.where(short < last, np.maximum(first, short), np.nan), last > 0.0


@njit(cache=True)
def _folded(
    place: Ints, start: Floats, end: Floats, covered: Bools, required: Floats, n_places: int
) -> tuple[Floats, Floats, Floats]:
    """Tell when each need begins, is short for the last time, and ends, [place, resource].

    Parameters
    ----------
    place : int array [spell]
    start, end : float array [spell], days
    covered : bool array [spell]
    required : float array [spell, resource]
    """
    n_resources = required.shape[1]
    first = np.full((n_places, n_resources), np.inf)
    short, last = np.zeros((n_places, n_resources)), np.zeros((n_places, n_resources))
    for spell, at in enumerate(place):
        for resource in range(n_resources):
            if required[spell, resource] > 0.0:
                first[at, resource] = min(first[at, resource], start[spell])
                last[at, resource] = max(last[at, resource], end[spell])
                if not covered[spell]:
                    short[at, resource] = max(short[at, resource], end[spell])
    return first, short, last
