"""Reports: what is reported of every cell, worked out in one compiled pass."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from nts_sim.units import TICKS_PER_DAY
from nts_sim.world.model import Bools, Floats, Ints, World

_WORLDS = 64


class Basis(NamedTuple):
    """What reports of a world are worked out from, in contiguous copies.

    `exposed` [cell, 3] persons by severity; `place` and `blocks_roads` [cell]; the share reported
    (`curve_share`) by the age of the incident (`curve_days`) [point].
    """

    exposed: Floats
    place: Ints
    blocks_roads: Bools
    curve_days: Floats
    curve_share: Floats
    n_places: int


@lru_cache(maxsize=_WORLDS)
def basis_of(world: World) -> Basis:
    """Copy what reports of a world are worked out from."""
    cells, curve = world.cells, np.array(world.information.reported_share, dtype=np.float64)
    return Basis(
        exposed=np.array(cells.exposed, dtype=np.float64, order="C"),
        place=np.array(cells.place, dtype=np.int64),
        blocks_roads=world.threats.blocks_roads[cells.threat],
        curve_days=curve[:, 0].copy(),
        curve_share=curve[:, 1].copy(),
        n_places=world.nodes.n_places,
    )


@njit(cache=True)
def reported_share(age_days: float, curve_days: Floats, curve_share: Floats) -> float:
    """Share of the exposed people reported at an age: linear between points, flat beyond."""
    last = len(curve_days) - 1
    if age_days <= curve_days[0]:
        return float(curve_share[0])
    if age_days >= curve_days[last]:
        return float(curve_share[last])
    point = 0
    while curve_days[point + 1] <= age_days:
        point += 1
    rise = curve_share[point + 1] - curve_share[point]
    slope = rise / (curve_days[point + 1] - curve_days[point])
    return float(slope * (age_days - curve_days[point]) + curve_share[point])


@njit(cache=True)
def report(
    told: int, severity: Ints, since: Ints, noticed: Ints, exposed: Floats, place: Ints,
    blocks_roads: Bools, curve_days: Floats, curve_share: Floats, n_places: int,
) -> tuple[Ints, Floats, Floats, Floats, Ints]:  # fmt: skip
    """Work out what is reported of all cells at tick `told`.

    Parameters
    ----------
    severity, since : int array [cell], of the latest change told; the tick of activation
    noticed : int array [cell], tick from which the activation is seen
    exposed, place, blocks_roads, curve_days, curve_share, n_places : as in `Basis`

    Returns
    -------
    severity, age in days, exposed persons, share reported [cell]; worst severity that blocks roads
    [place]
    """
    n_cells = len(severity)
    seen, age = np.zeros(n_cells, np.int64), np.zeros(n_cells)
    people, share = np.zeros(n_cells), np.ones(n_cells)
    road_severity = np.zeros(n_places, np.int64)
    for cell in range(n_cells):
        if severity[cell] == 0 or noticed[cell] > told:
            continue
        seen[cell] = severity[cell]
        age[cell] = (told - since[cell]) / TICKS_PER_DAY
        share[cell] = reported_share(age[cell], curve_days, curve_share)
        people[cell] = exposed[cell, seen[cell] - 1] * share[cell]
        if blocks_roads[cell]:
            at = place[cell]
            road_severity[at] = max(road_severity[at], seen[cell])
    return seen, age, people, share, road_severity
