"""The conversation between the simulation and whoever decides: types only.

A policy receives an `Observation` at each epoch and answers with orders. What each order gets is
decided in one place (`engine.admission`) and told back as `Ruling`s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol

from nts_sim.trace.model import Trace
from nts_sim.world.model import Floats, Ints, World


class OrderKind(IntEnum):
    """Kinds of orders, in the order in which they are applied at an epoch."""

    DECLARE = 0
    DRAW = 1
    RETURN = 2
    MOBILISE = 3
    MOVE = 4
    SERVE = 5


class Refusal(StrEnum):
    """Why an order, or a part of it, was refused; the closed vocabulary."""

    STOCK = "stock"
    CEILING = "ceiling"
    FUND = "fund"
    EARMARK = "earmark"
    TRIGGER = "trigger"
    AUTHORITY = "authority"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Order:
    """One instruction. Use the constructors below; -1 means "does not apply".

    Attributes
    ----------
    kind : OrderKind
    place : place the help is for (DECLARE, DRAW, MOBILISE, MOVE), or is now (RETURN)
    resource : resource index
    quantity : units; bn VND for DRAW; level for DECLARE; target in [0, 1] for SERVE
    source : MOVE: the place units leave
    home : home place of the teams meant; `n_places` for mobilised teams, that have none.
        MOVE: -1 means the source's own units; RETURN: -1 means mobilised teams
    mechanism : DRAW, MOBILISE: the mechanism used
    cell : SERVE: the cell
    priority : desks take the smaller number first
    reason : one line for the planner: why
    runner_up : one line: what would have been done instead
    """

    kind: OrderKind
    place: int = -1
    resource: int = -1
    quantity: float = 0.0
    source: int = -1
    home: int = -1
    mechanism: int = -1
    cell: int = -1
    priority: int = 1
    reason: str = ""
    runner_up: str = ""


def declare(place: int, level: int, reason: str = "") -> Order:
    """Raise the declared level of civil defence at `place` to `level`."""
    return Order(OrderKind.DECLARE, place=place, quantity=float(level), reason=reason)


def draw(mechanism: int, place: int, amount_bn_vnd: float, reason: str = "") -> Order:
    """Draw `amount_bn_vnd` from the mechanism's fund into the account of `place`."""
    return Order(
        OrderKind.DRAW, place=place, quantity=amount_bn_vnd, mechanism=mechanism, reason=reason
    )


def send_home(
    place: int, resource: int, quantity: float, home: int = -1, reason: str = ""
) -> Order:
    """Send teams visiting `place` back to `home` (-1: mobilised teams, released)."""
    return Order(
        OrderKind.RETURN, place=place, resource=resource, quantity=quantity, home=home,
        reason=reason,
    )  # fmt: skip


def mobilise(
    mechanism: int, place: int, resource: int, quantity: float, reason: str = "",
    runner_up: str = "", priority: int = 1,
) -> Order:  # fmt: skip
    """Ask the mechanism for units of a resource, for use at `place`."""
    return Order(
        OrderKind.MOBILISE, place=place, resource=resource, quantity=quantity,
        mechanism=mechanism, reason=reason, runner_up=runner_up, priority=priority,
    )  # fmt: skip


def move(
    source: int, place: int, resource: int, quantity: float, home: int = -1, reason: str = "",
    runner_up: str = "", priority: int = 1,
) -> Order:  # fmt: skip
    """Send units from `source` to `place`: the source's own, or visitors whose home is `home`."""
    return Order(
        OrderKind.MOVE, place=place, resource=resource, quantity=quantity, source=source,
        home=home, reason=reason, runner_up=runner_up, priority=priority,
    )  # fmt: skip


def serve(cell: int, target: float, reason: str = "") -> Order:
    """Aim the help at a cell at a share of its requirement, until it changes severity."""
    return Order(OrderKind.SERVE, quantity=target, cell=cell, reason=reason)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an order got; the entry of the order book.

    Attributes
    ----------
    number : the order's number in the run (the trace's `order` column)
    tick : epoch at which it was applied
    order : as the policy wrote it
    granted : in the order's own unit
    refusal : what cut it when granted < asked
    mechanism : index of the mechanism it ran under (MOVE: the transfer mechanism); -1: none
    source : place the units leave; the hub of a mobilisation, the place itself on the spot
    fund : index of the fund charged (DRAW: drawn on); -1: none
    cost_bn_vnd : committed on that fund; spent at handover
    desk : who signs; -1: nobody
    expected_day : when it is expected to serve, from typical approval, lead and travel
    travel_days : of these, on the road
    last_part_days : from the first handover to the last, where it is handed over in parts
    to_come : of `granted`, what is handed over in the end
    automatic : written by the shared rule that sends idle teams home
    """

    number: int
    tick: int
    order: Order
    granted: float
    refusal: Refusal | None
    mechanism: int = -1
    source: int = -1
    fund: int = -1
    cost_bn_vnd: float = 0.0
    desk: int = -1
    expected_day: float = 0.0
    automatic: bool = False
    travel_days: float = 0.0
    last_part_days: float = 0.0
    to_come: float = 0.0


@dataclass(frozen=True, slots=True)
class Forewarning:
    """A forewarned onset: `severity` at `cell` on `day`."""

    cell: int
    severity: int
    day: float


@dataclass(frozen=True, slots=True)
class Inbound:
    """Units admitted and not yet serving.

    `day` is when they are expected to serve (estimate for what waits for a signature or is still
    to be handed over). `home` as in `Order`; teams whose home is `place` are on the way
    back.
    """

    number: int
    place: int
    resource: int
    quantity: float
    day: float
    home: int


class Visiting(NamedTuple):
    """Free teams at `place` that are not its own; home `n_places`: mobilised, they have none."""

    place: int
    resource: int
    home: int
    quantity: float


@dataclass(frozen=True)
class Observation:
    """What is known at an epoch. Arrays are contiguous, read-only copies.

    Attributes
    ----------
    day : float
    reported_day : float, the day that reports speak of: a lag before `day`, 0 at the earliest
    severity : int array [cell], as reported (a lag ago; 0 where not active or not detected)
    age_days : float array [cell], since the reported activation; 0 where not active
    exposed : float array [cell], persons reported exposed, true × reported share
    reported_share : float array [cell], the share the information setting is known to report
    warnings : onsets forewarned and not yet due
    on_hand : float array [place, resource], units present
    free : float array [place, resource], on hand less reserved for orders not yet departed
    own : float array [place, resource], of `free`, what is not visiting: the place's own teams
        that are at home, and all supplies
    visitors : the rest of `free`, by place, resource and home
    target : float array [cell], shares set by SERVE, as they stand now: a share is dropped when the
        true severity changes, which shows here before it is reported
    inbound : units on the way
    balance, committed : float array [fund], bn VND
    level : int array [place], declared
    uses : int array [mechanism], orders granted so far
    mobilised : float array [mechanism, place, resource], units granted so far
    away : float array [place, resource], own units of the place granted away and not home
    idle_days : float array [place, resource], days since units came or were last required there
    road_severity : int array [place], the worst road-blocking severity reported
    """

    day: float
    reported_day: float
    severity: Ints
    age_days: Floats
    exposed: Floats
    reported_share: Floats
    warnings: tuple[Forewarning, ...]
    on_hand: Floats
    free: Floats
    own: Floats
    visitors: tuple[Visiting, ...]
    target: Floats
    inbound: tuple[Inbound, ...]
    balance: Floats
    committed: Floats
    level: Ints
    uses: Ints
    mobilised: Floats
    away: Floats
    idle_days: Floats
    road_severity: Ints


@dataclass(frozen=True, eq=False)
class Preparation:
    """What is done before day 0, out of the money for preparation (`World.terms`).

    Quantities are rounded down to whole units where a resource comes in whole units.

    Attributes
    ----------
    bought : float array [place, resource], new units
    posted : (source, place, resource, quantity) of units moved; teams belong to the place they are
        posted to for the whole run
    depots : places where a depot is opened
    ready : mechanisms that are made ready
    """

    bought: Floats
    posted: tuple[tuple[int, int, int, float], ...] = ()
    depots: frozenset[int] = frozenset()
    ready: frozenset[int] = frozenset()


class Decide(Protocol):
    """One replication's decision maker: called at each epoch."""

    def __call__(self, observation: Observation) -> Sequence[Order]:
        """Orders for this epoch; an empty sequence waits."""
        ...


Foresee = Callable[[int], Trace]
"""Tells a replication's trace so far, and to a tick as it would go on without any help."""


@dataclass(frozen=True)
class Policy:
    """A named way to decide.

    `open` makes the decision maker of one replication, so that memory never leaks from one to the
    next. `manages_returns` switches the automatic return of idle teams off. `waits` says that the
    policy never gives an order: its epochs are skipped. `prepare` says what is done before day 0,
    once for each world, whatever the luck (None: nothing); it must be hashable. `open_knowing`
    opens a bound: it may ask what will come, which nobody knows.
    """

    name: str
    open: OpenPolicy
    manages_returns: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)
    waits: bool = False
    open_knowing: Callable[[World, Foresee], Decide] | None = None
    prepare: Callable[[World], Preparation] | None = None


class OpenPolicy(Protocol):
    """Makes the decision maker of one replication."""

    def __call__(self, world: World) -> Decide:
        """Return a fresh decision maker for `world`."""
        ...
