"""Triggers: whether a mechanism may be used at a place now."""

from __future__ import annotations

from nts_sim.engine.contract import Engine
from nts_sim.engine.facts import facts_of
from nts_sim.engine.orderbook import OrderBook
from nts_sim.engine.outlook import Outlook
from nts_sim.units import days
from nts_sim.world.model import Mechanism, World


class Triggers:
    """The closed vocabulary of conditions, read off the present.

    Parameters
    ----------
    world, engine, outlook, book : as in `grants.Counter`
    """

    def __init__(self, world: World, engine: Engine, outlook: Outlook, book: OrderBook) -> None:
        self._world, self._engine, self._outlook, self._book = world, engine, outlook, book
        self._cells_at = facts_of(world).cells_at

    def open(self, mechanism: Mechanism, place: int) -> bool:
        """Whether every condition of the mechanism's trigger holds at `place`."""
        trigger, book = mechanism.trigger, self._book
        if book.level[place] < trigger.declared_level:
            return False
        if trigger.max_uses is not None and self._uses(mechanism) >= trigger.max_uses:
            return False
        today = days(self._engine.now)
        after = trigger.after_fund
        if after is not None and not book.ledger.exhausted(after, place, today):
            return False
        if trigger.min_severity and self._worst(place) < trigger.min_severity:
            return False
        return trigger.days_since_onset <= 0.0 or self._age(place) >= trigger.days_since_onset

    def _uses(self, mechanism: Mechanism) -> int:
        return self._book.uses.item(self._world.mechanism_index[mechanism.name])

    def _worst(self, place: int) -> int:
        """Worst severity active or forewarned at a place."""
        severity, coming = self._engine.state.severity, self._outlook.severities(self._engine.now)
        return max((max(severity(c), coming.get(c, 0)) for c in self._cells_at[place]), default=0)

    def _age(self, place: int) -> float:
        """Days since the earliest onset still active at a place; -1 where nothing is active."""
        state, now = self._engine.state, self._engine.now
        ages = [days(now - state.since(c)) for c in self._cells_at[place] if state.severity(c)]
        return max(ages, default=-1.0)
