"""The stage: what the actors of a replication share — time, the present, and the trace."""

from __future__ import annotations

from nts_sim.engine.clockwork import Clockwork, unfold
from nts_sim.engine.stockroom import Stockroom
from nts_sim.trace.model import Kind, Row
from nts_sim.world.model import World


class Stage:
    """Time, the present and the trace of one replication.

    Parameters
    ----------
    world : World
    start : tick

    Attributes
    ----------
    env : the SimPy environment
    state : the present
    rows : the trace so far
    dirty : places to be settled, each with the row that made it so
    """

    def __init__(self, world: World, start: int) -> None:
        self.world = world
        self.env = Clockwork(start)
        self.state = Stockroom(world, self)
        self.rows: list[Row] = []
        self.dirty: dict[int, int] = {}
        self._node, self._threat = world.cells.node.tolist(), world.cells.threat.tolist()

    @property
    def now(self) -> int:
        """The present tick."""
        return int(self.env.now)

    def mark(self, place: int, cause: int = -1) -> None:
        """Have a place settled at the end of the instant."""
        self.dirty.setdefault(place, cause)

    def write(
        self, kind: Kind, node: int, *, threat: int = -1, resource: int = -1, order: int = -1,
        quantity: float = 0.0, value: float = 0.0, cause: int = -1,
    ) -> int:  # fmt: skip
        """Write a row at the present instant and slot; return its number."""
        phase, index, sub = unfold(self.env.present)
        self.rows.append(
            (self.now, phase, index, sub, int(kind), node, threat, resource, order,
             float(quantity), float(value), cause)
        )  # fmt: skip
        return len(self.rows) - 1

    def write_cell(
        self, kind: Kind, cell: int, *, quantity: float, value: float = 0.0, order: int = -1,
        cause: int = -1,
    ) -> int:  # fmt: skip
        """Write a row about a cell; return its number."""
        return self.write(
            kind, self._node[cell], threat=self._threat[cell], quantity=quantity, value=value,
            order=order, cause=cause,
        )  # fmt: skip
