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

from nts_sim.decision.model import Observation, Order, OrderKind, Preparation, Ruling
from nts_sim.luck.draws import Luck
from nts_sim.trace.model import Kind, Row, Trace
from nts_sim.world.model import Floats, Ints

PHASE_DELIVERY = 0
PHASE_DEPARTURE = 1
PHASE_CONTAINMENT = 2
PHASE_ESCALATION = 3
PHASE_ONSET = 4
PHASE_IMMUNITY = 5
PHASE_SETTLE = 6
PHASE_EPOCH = 7
PHASE_RESETTLE = 8


NEWS = frozenset(
    (
        Kind.ONSET, Kind.SPREAD, Kind.RISE, Kind.FALL,
        Kind.HANDOVER, Kind.CREDIT, Kind.LEVEL, Kind.DEPART, Kind.ARRIVE,
    )
)  # fmt: skip
"""Kinds of rows that change what is reported of cells, or what the order book says."""


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
    home : home place of the teams meant, for the trace; `n_places` for mobilised teams and supplies
    creates : units come into being at departure (GOODS) instead of being taken from stock
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
    tranches: tuple[tuple[int, float], ...]
    route: tuple[int, ...]
    leg_days: tuple[float, ...]
    fixed_days: float
    quantity: float
    priority: int
    spend_bn_vnd: float
    first_shipment: int


@dataclass(frozen=True, eq=False)
class Opening:
    """What is going on where a replication does not start on day 0.

    Attributes
    ----------
    tick : the start
    cell, severity, since : int array [active cell], ascending; `since` is the tick of activation
    link : int array, links with a hit in flight, ascending
    immune : int array, cells that are immune, ascending
    """

    tick: int
    cell: Ints
    severity: Ints
    since: Ints
    link: Ints
    immune: Ints


@dataclass(frozen=True, slots=True)
class Holdings:
    """Copies of what an engine holds, contiguous.

    Attributes
    ----------
    on_hand, free : float array [place, resource]; free: less what is reserved and not yet departed
    last_used : int array [place, resource], tick of the last use or arrival
    target : float array [cell]
    """

    on_hand: Floats
    free: Floats
    last_used: Ints
    target: Floats


class State(Protocol):
    """What an engine shows of its present; only to be read."""

    def severity(self, cell: int) -> int:
        """Severity of a cell, 0 where it is not active."""
        ...

    def since(self, cell: int) -> int:
        """Tick of the latest activation of a cell."""
        ...

    def free(self, place: int, resource: int) -> float:
        """Units on hand less those reserved for orders that have not departed."""
        ...

    def required(self, place: int, resource: int) -> float:
        """Full requirement of the place's active cells: units, or units a day."""
        ...

    def last_used(self, place: int, resource: int) -> int:
        """Tick of the last use or arrival."""
        ...

    def road_hit(self) -> Ints:
        """Worst severity of the threats that block roads, by place."""
        ...

    def holdings(self) -> Holdings:
        """Copy everything that observations show of stock and targets."""
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

    def stock_up(self, on_hand: Floats) -> None:
        """Put units where they are, [place, resource], instead of what is there; settle."""
        ...

    def note(
        self, order: int, kind: Kind, node: int, resource: int, quantity: float, value: float
    ) -> int:
        """Write a row of the shared order layer into the trace; return its number."""
        ...

    def close(self) -> None:
        """Charge what was used up to the horizon; the last thing done."""
        ...

    def news(self) -> Sequence[Row]:
        """Return the rows of kinds in `NEWS` written since last asked."""
        ...

    def trace(self) -> Trace:
        """Return all rows so far, in order."""
        ...


@dataclass(frozen=True)
class Run:
    """One replication under one policy, as everything above the engine reads it.

    `trace` is sorted; `rulings` is the order book, by order number; `preparation` is what was done
    to the world before day 0 (None: it ran as it was).
    """

    policy: str
    luck: Luck
    trace: Trace
    rulings: tuple[Ruling, ...]
    preparation: Preparation | None = None


class Session(Protocol):
    """One replication under one policy: open → (advance → observe → apply)* → advance → trace.

    Opened on day 0, or on a future of what is known (`session.LocalSession.open_from`).
    """

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
