"""What every engine does, and the order of things inside an instant.

Phases of an instant (events fire in order of tick, phase, index, sub):

= =====================================  =========================  ==========================
0 delivery: units begin to serve         index: place               sub: shipment number
1 handover and departure, then approval  index: place; P + desk     sub: shipment; order number
2 containment                            index: cell
3 escalation                             index: cell
4 calendar onset, then spread            index: target cell         sub: 0 onset; 1 + link
5 end of immunity                        index: cell
6 day boundary, then settle              index: place, ascending
7 decision epoch, then settle again
= =====================================  =========================  ==========================

Settling a place charges what was used since it was last settled, computes coverage afresh, writes
what changed and gives clocks their new speeds. No effect is scheduled at the current tick. Events
fire while tick < horizon.

An engine knows cells, desks, shipments and stock. It knows nothing of mechanisms, funds or
policies: what an order gets is decided once, by `engine.admission`, and reaches an engine as
numbers (`Admitted`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nts_sim.decision.model import Observation, Order, OrderKind, Ruling
from nts_sim.luck.draws import Luck
from nts_sim.trace.model import Trace
from nts_sim.world.model import Floats, Ints

PHASE_DELIVERY = 0
PHASE_DEPARTURE = 1
PHASE_CONTAINMENT = 2
PHASE_ESCALATION = 3
PHASE_ONSET = 4
PHASE_IMMUNITY = 5
PHASE_SETTLE = 6
PHASE_EPOCH = 7


@dataclass(frozen=True, slots=True)
class Admitted:
    """An order as an engine sees it: numbers only.

    Attributes
    ----------
    number : order number; kind : OrderKind
    desk : desk index, or -1 where nobody signs
    approval_days, handover_days : work, at speed 1
    place, source : destination and the place of departure (hub, donor; the same place where
        units are created on the spot)
    resource : -1 for DECLARE and DRAW
    home : home place of the teams meant; -1 for mobilised teams and supplies
    creates : units come into being at departure (GOODS) instead of being taken from stock
    tranches : (days after handover, amount), amounts sum to at most `quantity`
    route : places after the source, in order, with `leg_days` at full road speed; empty: own place
    fixed_days : loading or local travel, never slowed
    quantity : granted units, bn VND or level
    spend_bn_vnd : money spent at handover, for the trace
    """

    number: int
    kind: OrderKind
    desk: int
    approval_days: float
    handover_days: float
    place: int
    source: int
    resource: int
    home: int
    creates: bool
    tranches: tuple[tuple[int, float], ...]
    route: tuple[int, ...]
    leg_days: tuple[float, ...]
    fixed_days: float
    quantity: float
    priority: int
    spend_bn_vnd: float
    first_shipment: int


class State(Protocol):
    """What an engine shows of its present, as arrays that must only be read."""

    severity: Ints  # [cell]
    since: Ints  # [cell] tick of activation, meaningful while active
    coverage: Floats  # [cell]
    target: Floats  # [cell]
    on_hand: Floats  # [place, resource]
    reserved: Floats  # [place, home, resource]; the last home is "none"
    teams: Floats  # [place, home, resource] units present by home; supplies under "none"
    last_used: Ints  # [place, resource] tick at which the resource last had an active requirement


class Engine(Protocol):
    """The spread and response engine: advances time and carries admitted orders out."""

    state: State
    now: int

    def advance(self, until: int) -> None:
        """Let everything due at or before `until` happen, settling after each instant."""
        ...

    def submit(self, orders: Sequence[Admitted]) -> None:
        """Take admitted orders at the present epoch; units are reserved at once."""
        ...

    def aim(self, cell: int, target: float, order: int) -> None:
        """Set the target of an active cell."""
        ...

    def note(self, row: tuple[float, ...]) -> int:
        """Write a row of the shared order layer into the trace; return its number."""
        ...

    def settle(self) -> None:
        """Settle the places made dirty since the instant was settled."""
        ...

    def rows_since(self, row: int) -> Trace:
        """Rows written from number `row` on."""
        ...


@dataclass(frozen=True)
class Run:
    """One replication under one policy, as everything above the engine reads it.

    `trace` is sorted; `rulings` is the order book, by order number.
    """

    policy: str
    luck: Luck
    trace: Trace
    rulings: tuple[Ruling, ...]


class Session(Protocol):
    """One replication under one policy: open → (advance → observe → apply)* → advance → trace."""

    def advance(self, until: int) -> None:
        """Run to tick `until`, its events and settling included."""
        ...

    def observe(self) -> Observation:
        """Return what is known at the present tick."""
        ...

    def apply(self, orders: Sequence[Order]) -> tuple[Ruling, ...]:
        """Decide what each order gets, carry it into the engine, settle."""
        ...

    def trace(self) -> Trace:
        """Return all rows so far, sorted as in semantics."""
        ...
