"""Works: the days that signatures and handovers take, drawn when orders are applied."""

from __future__ import annotations

from functools import lru_cache

from nts_sim.decision.model import Order
from nts_sim.luck.draws import Luck, Stream, duration, mean_from_median, name_key
from nts_sim.world.model import Distribution, World

_PURPOSES = 65_536


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
        self._orders_before: dict[tuple[Stream, int], int] = {}

    def approval_days(self, order: Order, desk: int, day: float) -> float:
        """Draw the work of the signature that an order waits for from `day` on; -1: nobody's."""
        if desk < 0:
            return 0.0
        chosen, measure = self._world.desks[desk], self._world.measure
        median = chosen.approval_days * measure.factor(measure.approval_factor, day)
        return self._work(Stream.APPROVAL, order, chosen.name, chosen.distribution, median)

    def handover_days(self, order: Order, mechanism: int) -> float:
        """Draw the work from approval to first handover; -1: no mechanism, no work."""
        if mechanism < 0:
            return 0.0
        chosen = self._world.mechanisms[mechanism]
        law, median = chosen.distribution, chosen.handover_days
        return self._work(Stream.HANDOVER, order, chosen.name, law, median)

    def _work(
        self, stream: Stream, order: Order, through: str, law: Distribution, median: float
    ) -> float:
        resources = self._world.resources.name
        what = resources[order.resource] if order.resource >= 0 else "-"
        key = _purpose_key(through, self._world.nodes.code[order.place], what)
        before = self._orders_before.get((stream, key), 0)
        self._orders_before[stream, key] = before + 1
        typical = mean_from_median(law, median) if law == "exponential" else median
        return duration(law, typical, self._luck.one(stream, key, before))


@lru_cache(maxsize=_PURPOSES)
def _purpose_key(through: str, where: str, what: str) -> int:
    """Key of what an order's draws hang on: through whom, for where, of what."""
    return name_key(f"{through}|{where}|{what}")
