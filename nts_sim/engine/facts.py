"""Facts: what the order layer looks up of a world at every order, in plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from nts_sim.luck.draws import mean_from_median
from nts_sim.world.model import Effect, World

_WORLDS = 64


@dataclass(frozen=True, eq=False)
class Facts:
    """Numbers of one world that no replication changes.

    Attributes
    ----------
    whole_units, is_team : by resource
    move_cost : by resource, bn VND per unit and 100 km one way
    cells_at : by place, the cells drawing on its stock
    approval_days, lead_days : typical, by desk and by mechanism
    gate, transfer : first mechanism with that effect; -1: none
    hub_stock : units by (mechanism, resource, hub) on day 0
    """

    whole_units: list[bool]
    is_team: list[bool]
    move_cost: list[float]
    cells_at: list[list[int]]
    approval_days: list[float]
    lead_days: list[float]
    gate: int
    transfer: int
    hub_stock: Mapping[tuple[int, int, int], float]


@lru_cache(maxsize=_WORLDS)
def facts_of(world: World) -> Facts:
    """Look up the facts of a world."""
    resources, mechanisms = world.resources, world.mechanisms
    return Facts(
        whole_units=resources.whole_units.tolist(),
        is_team=resources.is_team.tolist(),
        move_cost=resources.move_cost.tolist(),
        cells_at=[cells.tolist() for cells in world.cells.at_place],
        approval_days=[mean_from_median(d.distribution, d.approval_days) for d in world.desks],
        lead_days=[mean_from_median(m.distribution, m.handover_days) for m in mechanisms],
        gate=_first(world, Effect.GATE),
        transfer=_first(world, Effect.TRANSFER),
        hub_stock={
            (m, supply.resource, hub): stock
            for m, mechanism in enumerate(mechanisms)
            for supply in mechanism.supplies
            for hub, stock in supply.hub_stock.items()
        },
    )


def _first(world: World, effect: Effect) -> int:
    return next((i for i, mech in enumerate(world.mechanisms) if mech.effect is effect), -1)
