"""What every engine does, and the order of things inside an instant.

Phases of an instant (events fire in order of tick, phase, index, sub):

= =====================================  =========================  ==========================
0 delivery: units begin to serve         index: place               sub: shipment number
1 departure, then handover, then         index: place; P;           sub: shipment; order number;
  approval                               P + 1 + desk               order number
2 containment                            index: cell
3 escalation                             index: cell
4 calendar onset, then spread            index: target cell         sub: 0 onset; 1 + link
5 end of immunity                        index: cell
6 day boundary, then settle              index: place, ascending
7 decision epoch: rulings, then          index: 0; 1                sub: order number; 0
  what follows from them at once
8 settle after the epoch                 index: place, ascending
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
from nts_sim.trace.model import Kind, Row, Trace
from nts_sim.world.model import Floats

PHASE_DELIVERY = 0
PHASE_DEPARTURE = 1
PHASE_CONTAINMENT = 2
PHASE_ESCALATION = 3
PHASE_ONSET = 4
PHASE_IMMUNITY = 5
PHASE_SETTLE = 6
PHASE_EPOCH = 7
PHASE_RESETTLE = 8


@dataclass(frozen=True, slots=True)
class Admitted:
    """An order as an engine sees it: numbers only.

    Attributes
    ----------
    number : order number; kind : OrderKind
    desk : desk index, or -1 where nobody signs
    approval_days, handover_days : work, at speed 1
    place, source : destination and the place of departure (hub, donor; the same place where
        units are created on the spot); RETURN of mobilised teams: destination -1, they are released
    resource : -1 for DECLARE and DRAW
    home : home place of the teams meant; `n_places` for mobilised teams and for supplies
    creates : units come into being at departure (GOODS) instead of being taken from stock
    is_team : the resource is teams
    tranches : (days after handover, amount), amounts sum to at most `quantity`
    route : places after the source, in order, with `leg_days` at full road speed; empty: own place
    fixed_days : loading or local travel, never slowed. A shipment serves from the day boundary at
        or after its arrival, and never at the instant it left
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
    is_team: bool
    tranches: tuple[tuple[int, float], ...]
    route: tuple[int, ...]
    leg_days: tuple[float, ...]
    fixed_days: float
    quantity: float
    priority: int
    spend_bn_vnd: float
    first_shipment: int


class State(Protocol):
    """What an engine shows of its present; only to be read.

    Attributes
    ----------
    severity, since, coverage, target : by cell; `since` is the tick of activation
    on_hand, held_back, last_used : by place and resource; held back are units reserved and not
        yet departed, `last_used` the tick of the last use or arrival
    teams, reserved : [place, home, resource]; the last home is "none" (mobilised, supplies)
    road_hit : by place, worst severity of threats that block roads
    """

    severity: list[int]
    since: list[int]
    coverage: list[float]
    target: list[float]
    on_hand: list[list[float]]
    held_back: list[list[float]]
    teams: Floats
    reserved: Floats
    last_used: list[list[int]]
    road_hit: list[int]

    def required_units(self, place: int) -> dict[int, float]:
        """Full requirement of the place's active cells by resource."""
        ...


class Engine(Protocol):
    """The spread and response engine: advances time and carries admitted orders out."""

    @property
    def state(self) -> State:
        """The present."""
        ...

    @property
    def now(self) -> int:
        """The present tick."""
        ...

    def advance(self, until: int) -> None:
        """Let everything due at or before `until` happen, settling after each instant."""
        ...

    def submit(self, orders: Sequence[Admitted]) -> None:
        """Take admitted orders at the present epoch; units are reserved at once."""
        ...

    def aim(self, cell: int, target: float, order: int) -> None:
        """Set the target of an active cell."""
        ...

    def note(
        self, order: int, kind: Kind, node: int, resource: int, quantity: float, value: float
    ) -> int:
        """Write a row of the shared order layer into the trace; return its number."""
        ...

    def close(self) -> None:
        """Charge what was used up to the horizon; the last thing done."""
        ...

    def rows_since(self, row: int) -> Sequence[Row]:
        """Rows written from number `row` on, as tuples in the order of the trace's columns."""
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
