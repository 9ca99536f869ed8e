"""Negative controls: a SimPy engine with one thing wrong, which the comparison must notice.

Each control changes one rule, one order or one draw of the SimPy side by patching the name that
the engine looks up, keeps what is *written* about the order (phase, index, sub) truthful, and is
played against the untouched engine. Controls that only swap what happens first at the same tick
are seen in whole-day worlds alone; that is why those are in the batch.

No chance is involved: worlds and luck are numbered, so counts are the same in every run.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import simpy

from nts_sim.engine import clockwork, convoys, incidents, simpy_engine, stockroom
from nts_sim.engine.clockwork import Clockwork, Ticket, unfold
from nts_sim.engine.contract import (
    PHASE_CONTAINMENT,
    PHASE_DELIVERY,
    PHASE_ESCALATION,
    PHASE_IMMUNITY,
    PHASE_ONSET,
    PHASE_RESETTLE,
)
from nts_sim.engine.deck import Deck
from nts_sim.engine.incidents import Incidents
from nts_sim.engine.simpy_engine import SimpyEngine
from nts_sim.engine.stockroom import Stockroom
from nts_sim.units import NEVER, TICKS_PER_DAY
from tests.engines.parity.compare import Played, difference, play_on
from tests.engines.parity.worlds import Case, case

WORLDS = 150
"""Worlds of each kind."""
Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Control:
    """Something wrong, and in which worlds it is noticed: whole-day, continuous, or both."""

    name: str
    spoil: Callable[[Patch], None]
    whole_day: bool = True
    continuous: bool = True


# --- the order of an instant ----------------------------------------------------------------------

_ORDINARY = 2


def reorder(patch: Patch, rank: Callable[[int, int, int], tuple[int, int, int]]) -> None:
    """Let SimPy fire events of a tick by rank(phase, index, sub), then by insertion.

    Rows still say the true slot: only what happens first is changed.
    """

    def make(self: Ticket, env: Clockwork, slot: int, delay: int, value: object = None) -> None:
        simpy.Event.__init__(self, env)
        self._ok, self._value = True, value
        self.slot = slot  # type: ignore[attr-defined]
        if delay < NEVER:
            env.schedule(self, _ORDINARY + clockwork.slot(*rank(*unfold(slot))), delay)  # type: ignore[arg-type]

    def step(self: Clockwork) -> None:
        event = self._queue[0][3]
        if isinstance(event, Ticket):
            self.present = event.slot  # type: ignore[attr-defined]
        simpy.Environment.step(self)

    patch.setattr(Ticket, "__init__", make)
    patch.setattr(Clockwork, "step", step)


def exchanged(phases: dict[int, int]) -> Callable[[Patch], None]:
    """Fire phases in each other's place."""
    return lambda patch: reorder(patch, lambda phase, i, sub: (phases.get(phase, phase), i, sub))


def truthful(patch: Patch) -> None:
    """Spoil nothing, by the same means as the controls above: must not be noticed."""
    reorder(patch, lambda phase, index, sub: (phase, index, sub))


def insertion_order(patch: Patch) -> None:
    """Within a phase, first made, first fired."""
    reorder(patch, lambda phase, _index, _sub: (phase, 0, 0))


def no_order(patch: Patch) -> None:
    """Within a tick, first made, first fired."""
    reorder(patch, lambda phase, _index, _sub: (PHASE_DELIVERY, 0, 0))


def links_unordered(patch: Patch) -> None:
    """Hits on the same cell at the same tick land in the order in which they were sent."""
    reorder(patch, lambda phase, i, sub: (phase, i, min(sub, 1) if phase == PHASE_ONSET else sub))


def backwards(patch: Patch) -> None:
    """Cells and places in descending order."""
    reorder(patch, lambda phase, index, sub: (phase, 0xFFFFFF - index, sub))


# --- arithmetic -----------------------------------------------------------------------------------


def reciprocal(patch: Patch) -> None:
    """left · (1 / v) instead of left / v: the same number but for its last bit."""

    def delay(left: float, speed: float) -> int:
        if not speed > 0.0 or math.isinf(left):
            return NEVER
        return max(1, math.ceil(left * (1.0 / speed) * TICKS_PER_DAY))

    patch.setattr(clockwork, "delay_ticks", delay)


def floor(patch: Patch) -> None:
    """Delays rounded down."""

    def delay(left: float, speed: float) -> int:
        if not speed > 0.0 or math.isinf(left):
            return NEVER
        return max(1, math.floor(left / speed * TICKS_PER_DAY))

    for module in (clockwork, incidents, convoys):
        patch.setattr(module, "delay_ticks", delay)


def summed_backwards(patch: Patch) -> None:
    """Requirements of a place added up from the last cell to the first."""
    cover = Stockroom._cover_class
    patch.setattr(
        Stockroom, "_cover_class",
        lambda self, place, cells, spare: cover(self, place, cells[::-1], spare),
    )  # fmt: skip


def whole_day_supplies(patch: Patch) -> None:
    """Supplies held against a whole day's requirement, whatever is left of the day."""
    patch.setattr(stockroom, "rest_of_day", lambda _tick, _ticks_per_day: 1.0)


# --- wiring ---------------------------------------------------------------------------------------


def settle_backwards(patch: Patch) -> None:
    """Places settled in descending order."""

    def descending(places: Iterable[Any], key: Callable[[Any], Any] | None = None) -> list[Any]:
        return sorted(places, key=key, reverse=key is None)

    patch.setattr(simpy_engine, "sorted", descending, raising=False)


def no_day_boundary(patch: Patch) -> None:
    """Nothing is charged or covered afresh in the morning."""
    patch.setattr(SimpyEngine, "_day_boundary", lambda _self: None)


def no_resettling(patch: Patch) -> None:
    """What an epoch changes is settled with the next event."""
    settle = SimpyEngine._settle
    patch.setattr(
        SimpyEngine, "_settle",
        lambda self, phase: None if phase == PHASE_RESETTLE else settle(self, phase),
    )  # fmt: skip


def not_reclocked(patch: Patch) -> None:
    """Clocks keep the speed they started with."""
    patch.setattr(Incidents, "pace", lambda _self, _cell: None)


def hit_not_replaced(patch: Patch) -> None:
    """A new activation of the source leaves the hit in flight."""
    arm = Incidents._arm

    def spoilt(self: Incidents, link: int, source: int, occurrence: int, step: int) -> None:
        self._in_flight.pop(link, None)
        arm(self, link, source, occurrence, step)

    patch.setattr(Incidents, "_arm", spoilt)


def next_mark(patch: Patch) -> None:
    """One stream of draws read one step on."""
    mark = Deck.mark
    patch.setattr(Deck, "mark", lambda self, link, k, step: mark(self, link, k, step + 1))


def next_rise(patch: Patch) -> None:
    """The stream of escalations read one step on."""
    rise = Deck.rise
    patch.setattr(Deck, "rise", lambda self, cell, k, step, s: rise(self, cell, k, step + 1, s))


def desk_takes_all_alike(patch: Patch) -> None:
    """Desks sign in the order of asking, whatever the priority."""

    class Fifo(simpy.Resource):
        def request(self, priority: object) -> simpy.resources.resource.Request:
            del priority
            return super().request()

    patch.setattr(convoys, "simpy", SimpleNamespace(PriorityResource=Fifo, Event=simpy.Event))


_SWAP = {PHASE_CONTAINMENT: PHASE_ESCALATION, PHASE_ESCALATION: PHASE_CONTAINMENT}
_ONSET_FIRST = {PHASE_CONTAINMENT: PHASE_ONSET, PHASE_ONSET: PHASE_CONTAINMENT}
_IMMUNITY_FIRST = {PHASE_ONSET: PHASE_IMMUNITY, PHASE_IMMUNITY: PHASE_ONSET}
CONTROLS = (
    Control("insertion order within a phase", insertion_order),
    Control("insertion order within a tick", no_order),
    Control("descending order within a phase", backwards),
    Control("escalation before containment", exchanged(_SWAP), continuous=False),
    Control("onset before containment", exchanged(_ONSET_FIRST), continuous=False),
    Control("end of immunity before onset", exchanged(_IMMUNITY_FIRST), continuous=False),
    Control("link index ignored in ties", links_unordered, continuous=False),
    Control("left · (1/v) instead of left / v", reciprocal, continuous=False),
    Control("delays rounded down", floor),
    Control("requirements summed backwards", summed_backwards),
    Control("whole-day supply rule", whole_day_supplies),
    Control("places settled in descending order", settle_backwards),
    Control("day boundary skipped", no_day_boundary),
    Control("no settling after the epoch", no_resettling),
    Control("coverage not re-clocked", not_reclocked),
    Control("hit in flight not replaced", hit_not_replaced),
    Control("marks of hits one step on", next_mark),
    Control("escalation draws one step on", next_rise, whole_day=False),
    Control("desk priorities ignored", desk_takes_all_alike),
)


@cache
def a_case(number: int, whole_days: bool) -> Case:
    return case(number, whole_days=whole_days)


@cache
def truth(number: int, whole_days: bool) -> Played:
    """A case on the untouched engine; played outside every patch."""
    one = a_case(number, whole_days)
    return play_on("compiled", one.world, one.policy, one.luck)


def noticed(spoil: Callable[[Patch], None], number: int, *, whole_days: bool) -> bool:
    """Whether the comparison sees in a world that something is wrong."""
    right, one = truth(number, whole_days), a_case(number, whole_days)
    with Patch.context() as patch:
        spoil(patch)
        wrong = play_on("simpy", one.world, one.policy, one.luck)
    return difference(right, wrong) is not None


def times_noticed(spoil: Callable[[Patch], None], worlds: int, *, whole_days: bool) -> int:
    """In how many worlds the comparison sees that something is wrong."""
    return sum(noticed(spoil, number, whole_days=whole_days) for number in range(worlds))


EACH = pytest.mark.parametrize("control", CONTROLS, ids=[control.name for control in CONTROLS])


@EACH
def test_what_is_wrong_is_noticed(control: Control) -> None:
    """Within the worlds that the slow tests count in; stops at the first that tells."""
    numbers = range(WORLDS)
    assert any(noticed(control.spoil, i, whole_days=control.whole_day) for i in numbers)


@pytest.mark.slow
@EACH
def test_what_is_wrong_is_noticed_where_it_matters(control: Control) -> None:
    """Ties alone are seen in whole-day worlds alone, luck alone in continuous ones.

    Where it is not declared to be noticed, a coincidence may still show it in one world of fifty:
    in continuous worlds two events now and then share one of 65 536 ticks of a day.
    """
    whole = times_noticed(control.spoil, WORLDS, whole_days=True)
    continuous = times_noticed(control.spoil, WORLDS, whole_days=False)
    print(f"{control.name}: {whole} of {WORLDS} whole-day, {continuous} continuous worlds")
    for found, declared in ((whole, control.whole_day), (continuous, control.continuous)):
        assert found > 0 if declared else found <= WORLDS // 50


@pytest.mark.parametrize("whole_days", [True, False], ids=["whole-day", "continuous"])
def test_nothing_wrong_is_not_noticed(whole_days: bool) -> None:
    """Playing with the order spelt out anew, by the means of the controls, changes nothing."""
    assert times_noticed(truthful, 40, whole_days=whole_days) == 0


def main(worlds: int) -> None:
    """Print in how many worlds each control is noticed."""
    print(f"noticed in … of {worlds} worlds        whole-day continuous")
    for control in CONTROLS:
        found = [times_noticed(control.spoil, worlds, whole_days=whole) for whole in (True, False)]
        print(f"{control.name:38s}{found[0]:9d} {found[1]:10d}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
