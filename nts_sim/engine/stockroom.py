"""What is where, and whom it serves: stock, reservations, coverage and use of every place.

Coverage of a cell is its target times the scarcest fill over the resources it requires; what a
bottleneck leaves idle is not redistributed. Supplies are held against the requirement of the rest
of the day, so that settling again changes nothing unless stock or need changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from nts_sim.engine.contract import Admitted, Holdings
from nts_sim.engine.rules import fill, rest_of_day
from nts_sim.units import TICKS_PER_DAY
from nts_sim.world.model import Floats, Ints, NodeKind, World

Need = list[tuple[int, float]]
"""Resources a cell requires, with amounts: units, or units a day."""


class _Clock(Protocol):
    @property
    def now(self) -> int: ...


class Stockroom:
    """The present of a replication, as the SimPy engine keeps it.

    Parameters
    ----------
    world : World
    clock : whoever knows the present tick
    """

    def __init__(self, world: World, clock: _Clock) -> None:
        cells, nodes, threats = world.cells, world.nodes, world.threats
        self._clock = clock
        n_cells, n_resources = len(cells), len(world.resources.name)
        self.severity = [0] * n_cells
        self.since = [0] * n_cells
        self.coverage = [0.0] * n_cells
        self.default_target = [
            float(nodes.kind[node] != NodeKind.FOREIGN) for node in cells.node.tolist()
        ]
        self.target = list(self.default_target)
        self.on_hand: list[list[float]] = world.resources.stock.tolist()
        self.held_back = [[0.0] * n_resources for _ in range(nodes.n_places)]
        self.last_used = [[0] * n_resources for _ in range(nodes.n_places)]
        self.road_hit = [0] * nodes.n_places
        self._desk_hit = [0] * len(nodes.code)
        self._needs = _needs(world)
        self._cells_at = [cell.tolist() for cell in cells.at_place]
        self._node, self._place = cells.node.tolist(), cells.place.tolist()
        on_road = threats.blocks_roads[cells.threat] & (cells.node < nodes.n_places)
        self._road_cells = _cells_by_node(world, on_road)
        self._desk_cells = _cells_by_node(world, threats.slows_desks[cells.threat])
        self._class = threats.priority_class[cells.threat].tolist()
        self._is_team = world.resources.is_team.tolist()
        self._use: list[dict[int, float]] = [{} for _ in range(nodes.n_places)]
        self._settled = [clock.now] * nodes.n_places
        self._told = [(0, 0.0)] * n_cells
        self._active = [0] * nodes.n_places

    # --- cells ------------------------------------------------------------------------------

    def set_severity(self, cell: int, severity: int) -> None:
        """Change a cell's severity; its target starts afresh."""
        node, place = self._node[cell], self._place[cell]
        self._active[place] += (severity > 0) - (self.severity[cell] > 0)
        self.severity[cell] = severity
        self.target[cell] = self.default_target[cell]
        if cell in self._road_cells.get(node, ()):
            self.road_hit[node] = self._worst(self._road_cells[node])
        if cell in self._desk_cells.get(node, ()):
            self._desk_hit[node] = self._worst(self._desk_cells[node])

    def _worst(self, cells: list[int]) -> int:
        return max(self.severity[cell] for cell in cells)

    def worst_desk_hit(self, node: int) -> int:
        """Worst severity of the threats that slow desks at an agency (0..3)."""
        return self._desk_hit[node]

    def places_in_need(self) -> Iterator[int]:
        """Places with active cells, ascending."""
        return (place for place, active in enumerate(self._active) if active)

    # --- stock ------------------------------------------------------------------------------

    def stock_up(self, on_hand: Floats) -> None:
        """Put units where they are, instead of what is there."""
        self.on_hand = on_hand.tolist()

    def reserve(self, order: Admitted) -> None:
        """Hold back units of an admitted order until they depart."""
        self.held_back[order.source][order.resource] += order.quantity

    def take(self, order: Admitted, amount: float) -> None:
        """Let reserved units leave; units that an order creates were never in stock."""
        if order.creates:
            return
        self.held_back[order.source][order.resource] -= amount
        self.on_hand[order.source][order.resource] -= amount

    def receive(self, order: Admitted, amount: float) -> None:
        """Let units arrive where they are wanted, or home."""
        self.on_hand[order.place][order.resource] += amount
        self.last_used[order.place][order.resource] = self._clock.now

    # --- coverage and use -------------------------------------------------------------------

    def charge(self, place: int) -> list[tuple[int, float]]:
        """Charge use since the place was last settled; return (resource, units consumed)."""
        now, use = self._clock.now, self._use[place]
        elapsed = (now - self._settled[place]) / TICKS_PER_DAY
        self._settled[place] = now
        consumed = []
        for resource, rate in sorted(use.items()):
            self.last_used[place][resource] = now
            used = 0.0 if self._is_team[resource] else min(
                self.on_hand[place][resource], rate * elapsed
            )  # fmt: skip
            if used > 0.0:
                self.on_hand[place][resource] -= used
                consumed.append((resource, used))
        return consumed

    def cover(self, place: int) -> list[int]:
        """Compute coverage of the place's cells afresh; return those that changed, ascending."""
        active = [cell for cell in self._cells_at[place] if self.severity[cell]]
        self._use[place] = {}
        spare = self._spare(place)
        for priority in sorted({self._class[cell] for cell in active}):
            self._cover_class(place, [c for c in active if self._class[c] == priority], spare)
        for resource in self._use[place]:
            self.last_used[place][resource] = self._clock.now
        return [cell for cell in self._cells_at[place] if self._changed(cell)]

    def _spare(self, place: int) -> list[float]:
        pairs = zip(self.on_hand[place], self.held_back[place], strict=True)
        return [on_hand - held for on_hand, held in pairs]

    def _cover_class(self, place: int, cells: list[int], spare: list[float]) -> None:
        rest = rest_of_day(self._clock.now, TICKS_PER_DAY)
        required: dict[int, float] = {}
        for cell in cells:
            for resource, amount in self._need(cell):
                required[resource] = required.get(resource, 0.0) + self.target[cell] * amount
        window = {r: 1.0 if self._is_team[r] else rest for r in required}
        fills = {r: fill(spare[r], total * window[r]) for r, total in required.items()}
        use = self._use[place]
        for cell in cells:
            need = self._need(cell)
            scarcest = min((fills[resource] for resource, _ in need), default=1.0)
            coverage = self.coverage[cell] = self.target[cell] * scarcest
            for resource, amount in need:
                use[resource] = use.get(resource, 0.0) + coverage * amount
                spare[resource] -= coverage * amount * window[resource]

    def _need(self, cell: int) -> Need:
        return self._needs[cell][self.severity[cell] - 1]

    def _changed(self, cell: int) -> bool:
        if not self.severity[cell]:
            self.coverage[cell] = 0.0
        present = self.severity[cell], self.coverage[cell]
        changed = present != self._told[cell]
        self._told[cell] = present
        return changed

    def required(self, place: int, resource: int) -> float:
        """Full requirement of the place's active cells: units, or units a day."""
        total = 0.0
        for cell in self._cells_at[place]:
            for needed, amount in self._need(cell) if self.severity[cell] else ():
                total += amount if needed == resource else 0.0
        return total


class Shown:
    """What is shown of a stockroom (see `contract.State`)."""

    def __init__(self, room: Stockroom) -> None:
        self._room = room

    def severity(self, cell: int) -> int:
        """Severity of a cell, 0 where it is not active."""
        return self._room.severity[cell]

    def since(self, cell: int) -> int:
        """Tick of the latest activation of a cell."""
        return self._room.since[cell]

    def free(self, place: int, resource: int) -> float:
        """Units on hand less those reserved."""
        return self._room.on_hand[place][resource] - self._room.held_back[place][resource]

    def required(self, place: int, resource: int) -> float:
        """Full requirement of the place's active cells."""
        return self._room.required(place, resource)

    def last_used(self, place: int, resource: int) -> int:
        """Tick of the last use or arrival."""
        return self._room.last_used[place][resource]

    def road_hit(self) -> Ints:
        """Worst severity of the threats that block roads, by place."""
        return np.array(self._room.road_hit, dtype=np.int64)

    def holdings(self) -> Holdings:
        """Copy stock and targets."""
        on_hand = np.array(self._room.on_hand)
        return Holdings(
            on_hand, on_hand - np.array(self._room.held_back), np.array(self._room.last_used),
            np.array(self._room.target),
        )  # fmt: skip


def _needs(world: World) -> list[list[Need]]:
    return [
        [[(r, amount) for r, amount in enumerate(row) if amount > 0.0] for row in severities]
        for severities in world.cells.requirement.tolist()
    ]


def _cells_by_node(
    world: World, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> dict[int, list[int]]:
    by_node: dict[int, list[int]] = {}
    for cell in np.flatnonzero(chosen).tolist():
        by_node.setdefault(int(world.cells.node[cell]), []).append(cell)
    return by_node
