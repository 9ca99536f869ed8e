"""Which engine carries a replication: the readable one or the fast one, with the same traces."""

from __future__ import annotations

from typing import Literal

from nts_sim.engine.compiled import CompiledEngine
from nts_sim.engine.contract import Engine, Opening
from nts_sim.engine.deck import Deck
from nts_sim.engine.simpy_engine import SimpyEngine
from nts_sim.luck.calendar import Calendar
from nts_sim.luck.draws import Luck
from nts_sim.world.model import World

EngineName = Literal["simpy", "compiled"]


def make_engine(
    name: EngineName, world: World, luck: Luck, calendar: Calendar, opening: Opening | None = None
) -> Engine:
    """Make the engine of a replication."""
    if name == "compiled":
        return CompiledEngine(world, luck, calendar, opening)
    return SimpyEngine(world, Deck(world, luck), calendar, opening)
