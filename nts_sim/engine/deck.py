"""The deck: luck of one replication, dealt to an engine in ready-made tables.

Engines ask by (entity, occurrence, step) and get a number. Tables are filled for all entities at
once when an occurrence is first asked for, which is a hundred times cheaper than drawing singly.
"""

from __future__ import annotations

import numpy as np

from nts_sim.luck.draws import Luck, Stream, durations
from nts_sim.luck.keys import Keys, cell_keys, link_keys
from nts_sim.world.model import Floats, World

_STEPS = 8


class _Table:
    """Unit durations or marks of one stream, by (occurrence, block of steps)."""

    def __init__(
        self, luck: Luck, stream: Stream, keys: Keys, fixed: Floats, *, marks: bool = False
    ) -> None:
        self._luck, self._stream, self._keys = luck, stream, keys
        self._fixed, self._marks = fixed, marks
        self._blocks: dict[tuple[int, int], list[list[float]]] = {}

    def deal(self, entity: int, occurrence: int, step: int) -> float:
        block, offset = divmod(step, _STEPS)
        rows = self._blocks.get((occurrence, block))
        if rows is None:
            rows = self._blocks[occurrence, block] = self._draw(occurrence, block)
        return rows[entity][offset]

    def _draw(self, occurrence: int, block: int) -> list[list[float]]:
        steps = np.arange(_STEPS) + block * _STEPS
        uniform = self._luck.uniform(self._stream, self._keys[:, None], occurrence, steps)
        if self._marks:
            return uniform.tolist()  # type: ignore[no-any-return]
        unit = durations("exponential", 1.0, uniform)
        return np.where(self._fixed[:, None] > 0, 1.0, unit).tolist()  # type: ignore[no-any-return]


class Deck:
    """Luck of the cells and links of one world in one replication.

    Every method returns days for the `occurrence`-th activation, counted from 0; `step` counts
    changes of severity within it, or repeats of a link.
    """

    def __init__(self, world: World, luck: Luck) -> None:
        cells, links, threats = world.cells, world.links, world.threats
        at_cell, on_link = cell_keys(world), link_keys(world)
        fixed_threat = np.array([law == "fixed" for law in threats.distribution], dtype=np.float64)
        fixed_cell = fixed_threat[cells.threat]
        fixed_link = np.array([law == "fixed" for law in links.distribution], dtype=np.float64)
        self._stay_days = threats.stay_days[cells.threat].tolist()
        self._rise_days = threats.escalation_days[cells.threat].tolist()
        self._immunity_days = threats.immunity_days[cells.threat].tolist()
        self._lag_days = links.lag_days.tolist()
        self._stay = _Table(luck, Stream.STAY, at_cell, fixed_cell)
        self._rise = _Table(luck, Stream.ESCALATION, at_cell, fixed_cell)
        self._immunity = _Table(luck, Stream.IMMUNITY, at_cell, fixed_cell)
        self._lag = _Table(luck, Stream.LAG, on_link, fixed_link)
        self._mark = _Table(luck, Stream.HIT, on_link, fixed_link, marks=True)

    def stay(self, cell: int, occurrence: int, step: int, severity: int) -> float:
        """Containment work at this severity, days."""
        return float(self._stay_days[cell][severity - 1]) * self._stay.deal(cell, occurrence, step)

    def rise(self, cell: int, occurrence: int, step: int, severity: int) -> float:
        """Escalation work at this severity, days; inf where it never escalates."""
        return float(self._rise_days[cell][severity - 1]) * self._rise.deal(cell, occurrence, step)

    def immunity(self, cell: int, occurrence: int) -> float:
        """Days of immunity after the incident; 0: dormant at once."""
        mean = float(self._immunity_days[cell])
        return mean * self._immunity.deal(cell, occurrence, 0) if mean else 0.0

    def lag(self, link: int, occurrence: int, step: int) -> float:
        """Days from the activation of the source (or the last hit) to the hit."""
        return float(self._lag_days[link]) * self._lag.deal(link, occurrence, step)

    def mark(self, link: int, occurrence: int, step: int) -> float:
        """Uniform that the hit's chance of success is held against."""
        return self._mark.deal(link, occurrence, step)
