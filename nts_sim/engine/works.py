"""Works: the days that signatures and handovers take, drawn when orders are applied."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from nts_sim.decision.model import Ruling
from nts_sim.luck.draws import Luck, Stream, durations, mean_from_median, name_key
from nts_sim.units import days
from nts_sim.world.model import Distribution, World

_NO_WORK: tuple[Distribution, float] = ("fixed", 0.0)


class Works:
    """Draws of approval and handover works in one replication.

    Keyed on through whom, for where, of what, and on how many such orders there were before: what
    happens elsewhere changes nothing.

    Parameters
    ----------
    world, luck : World, Luck
    """

    def __init__(self, world: World, luck: Luck) -> None:
        self._world, self._luck = world, luck
        self._occurrences: dict[tuple[Stream, str], int] = {}

    def draw(self, rulings: Sequence[Ruling]) -> list[tuple[float, float]]:
        """Return (approval days, handover days) of each order of an epoch, in two draws in all."""
        if not rulings:
            return []
        approval = self._works(
            Stream.APPROVAL,
            [self._purpose(self._desk_name(ruling.desk), ruling) for ruling in rulings],
            [self._desk_law(ruling) for ruling in rulings],
        )
        handover = self._works(
            Stream.HANDOVER,
            [self._purpose(self._mechanism_name(ruling.mechanism), ruling) for ruling in rulings],
            [self._lead_law(ruling.mechanism) for ruling in rulings],
        )
        return list(zip(approval, handover, strict=True))

    def _purpose(self, through: str, ruling: Ruling) -> str:
        """Name what an order's draws are keyed on: through whom, for where, of what."""
        order = ruling.order
        what = self._world.resources.name[order.resource] if order.resource >= 0 else "-"
        return f"{through}|{self._world.nodes.code[order.place]}|{what}"

    def _desk_name(self, desk: int) -> str:
        return self._world.desks[desk].name if desk >= 0 else "-"

    def _mechanism_name(self, mechanism: int) -> str:
        return self._world.mechanisms[mechanism].name if mechanism >= 0 else "-"

    def _desk_law(self, ruling: Ruling) -> tuple[Distribution, float]:
        if ruling.desk < 0:
            return _NO_WORK
        desk, measure = self._world.desks[ruling.desk], self._world.measure
        quicker = measure.factor(measure.approval_factor, days(ruling.tick))
        return desk.distribution, desk.approval_days * quicker

    def _lead_law(self, mechanism: int) -> tuple[Distribution, float]:
        if mechanism < 0:
            return _NO_WORK
        chosen = self._world.mechanisms[mechanism]
        return chosen.distribution, chosen.handover_days

    def _works(
        self,
        stream: Stream,
        purposes: Sequence[str],
        laws: Sequence[tuple[Distribution, float]],
    ) -> list[float]:
        occurrences = []
        for purpose in purposes:
            occurrences.append(self._occurrences.get((stream, purpose), 0))
            self._occurrences[stream, purpose] = occurrences[-1] + 1
        uniform = self._luck.uniform(
            stream,
            np.array([_key(purpose) for purpose in purposes], dtype=np.uint64),
            np.array(occurrences),
        )
        medians = np.array([median for _, median in laws])
        works = np.zeros(len(purposes))
        for law in {law for law, _ in laws}:
            chosen = np.array([own == law for own, _ in laws])
            means = np.array([mean_from_median(law, m) for m in medians[chosen]])
            typical = means if law == "exponential" else medians[chosen]
            works[chosen] = durations(law, typical, uniform[chosen])
        return works.tolist()


_key = lru_cache(maxsize=65_536)(name_key)
