"""What the planner may do, in sets and prices, without a world and without a solver.

`Sets` are what a network fixes: cells, resources, arcs, mechanisms and periods; `Charges` what a
unit costs and who pays; `Preparing` what may be done before day 0. Times are days from now; period
edges are whole days and an order given at a period's start serves from the first period that starts
at or after its arrival. `network` makes them from a world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nts_sim.world.model import Bools, Floats, Ints


@dataclass(frozen=True)
class Shape:
    """How much of the future and of the network a template holds.

    Attributes
    ----------
    lookahead_days : how far needs are planned for
    departures : number of epochs, from now on, at which orders may be given
    donors : at later departures only so many nearest places lend; now, all do
    forwards : visitors may go on to so many nearest places
    daily : every period is one day long
    prepare : what may be done before day 0 is part of the problem
    """

    lookahead_days: int = 9
    departures: int = 3
    donors: int = 12
    forwards: int = 6
    daily: bool = False
    prepare: bool = False


Ramp = tuple[tuple[int, float], ...]
"""(Whole days after the first handover, cumulative share handed over)."""
AT_ONCE: Ramp = ((0, 1.0),)


@dataclass(frozen=True, slots=True)
class Goods:
    """A way to create units of one resource.

    Attributes
    ----------
    mechanism : int, of the world; supply : int, position among what the mechanism supplies
    resource : int, position among the resources planned for
    ramp : tranches after the first handover
    notice_days : shortest typical time from order to handover; nothing runs before
    carried : units one order may carry, over which the price of a signature is spread
    """

    mechanism: int
    supply: int
    resource: int
    ramp: Ramp = AT_ONCE
    notice_days: float = 0.0
    carried: float = 100.0


@dataclass(frozen=True, slots=True)
class Money:
    """A way to credit an account: the mechanism and its tranches."""

    mechanism: int
    ramp: Ramp = AT_ONCE


@dataclass(frozen=True, eq=False)
class Sets:
    """What a network fixes.

    Attributes
    ----------
    edges_days : float array [period + 1], days from now
    departure : int array [departure], period at whose start orders may be given
    cell : int array [K], world cells planned for
    place : int array [K], their places
    resource : int array [R], world resources that some cell of these requires
    is_team, whole : bool array [R]
    person_need : float array [K, 3, R], units per person (a day, for supplies)
    persons : float array [K, 3], persons exposed by the tables; 1 where nobody is (an agency)
    arc_from, arc_to : int array [arc], places; own units are lent along arcs
    near : bool array [arc], arcs that stay open at later departures
    forward : int array, arcs along which visitors may go on
    goods : ways to create units
    draws : ways to credit accounts
    transfer : the mechanism that lends own units, or -1
    transfer_days : shortest typical time from its order to handover
    n_places : number of provinces
    """

    edges_days: Floats
    departure: Ints
    cell: Ints
    place: Ints
    resource: Ints
    is_team: Bools
    whole: Bools
    person_need: Floats
    persons: Floats
    arc_from: Ints
    arc_to: Ints
    near: Bools
    forward: Ints
    goods: tuple[Goods, ...]
    draws: tuple[Money, ...]
    transfer: int
    transfer_days: float
    n_places: int

    @property
    def lengths_days(self) -> Floats:
        """Length of each period, float array [period]."""
        return np.diff(self.edges_days)

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.edges_days) - 1

    @property
    def stock_shape(self) -> tuple[int, int, int]:
        """Size of what is kept by place, resource and period."""
        return self.n_places, len(self.resource), self.n_periods

    @cached_property
    def held_at(self) -> Ints:
        """Period in whose column own units of a period are kept, int array [R, T].

        Own teams leave at departures only, so the last one's stands for the periods after it.
        """
        period = np.arange(self.n_periods)
        departure = self.departure[np.searchsorted(self.departure, period, side="right") - 1]
        return np.where(self.is_team[:, None], departure, period)


@dataclass(frozen=True, eq=False)
class Charges:
    """What a unit costs, by the roads as they are when free; fixed with the network.

    Attributes
    ----------
    run : float array [R], bn VND per team and day away or in use; 0 for supplies
    arc : float array [arc, R], bn VND per unit lent or forwarded
    goods : float array [goods, place], bn VND per unit created for a place
    arc_fund : int array [arc], fund charged; -1 nobody
    goods_fund : int array [goods, place]
    draw_fund : int array [draw, place]
    arc_allowed : bool array [arc]; goods_allowed : bool array [goods, place]; somebody may pay
    account : int array [place], fund that is the place's account; -1 none
    n_funds : number of funds
    signature : float, bn VND that one more order on a desk is worth avoiding; it breaks ties only
    lender_units : float array [arc, R], units an order along an arc may carry
    """

    run: Floats
    arc: Floats
    goods: Floats
    arc_fund: Ints
    goods_fund: Ints
    draw_fund: Ints
    arc_allowed: Bools
    goods_allowed: Bools
    account: Ints
    n_funds: int
    signature: float
    lender_units: Floats


@dataclass(frozen=True, slots=True)
class Source:
    """Money for use before day 0, and the resources (positions) it may buy; None: anything."""

    name: str
    amount_bn_vnd: float
    resources: frozenset[int] | None = None


@dataclass(frozen=True, eq=False)
class Preparing:
    """What may be done before day 0, and the rules for it.

    Attributes
    ----------
    stock : float array [place, R], units a place holds
    buy : float array [place, R], bn VND per unit bought; inf: not for sale there
    post : float array [arc, R], bn VND per unit posted
    post_share : largest share of a place's own units that may be posted elsewhere
    depot_cost : float array [place], bn VND, paid once; depot_capacity : float array [place]
    volume : float array [R], depot capacity that a unit takes; 0: it needs none
    lend_share : share of units bought or posted that the place may lend on
    readiness : mechanism → bn VND; the others are ready
    goods_limit : float array [goods, place], most that may be created where ready
    sources : money by source
    place_share_at_most : guidance, largest share of all money spent for one place
    resource_share_at_most, resource_share_at_least : guidance, shares of what is spent, by resource
    from_depot : float array [arc, R], most units an arc carries once its source has a depot, and
        none before, for places that hold nothing of their own; inf or None: no such rule
    """

    stock: Floats
    buy: Floats
    post: Floats
    post_share: float
    depot_cost: Floats
    depot_capacity: Floats
    volume: Floats
    lend_share: float
    sources: tuple[Source, ...]
    goods_limit: Floats
    readiness: Mapping[int, float] = field(default_factory=dict)
    place_share_at_most: float = 1.0
    resource_share_at_most: Mapping[int, float] = field(default_factory=dict)
    resource_share_at_least: Mapping[int, float] = field(default_factory=dict)
    from_depot: Floats | None = None

    @property
    def money_bn_vnd(self) -> float:
        """All money there is for preparation."""
        return sum(source.amount_bn_vnd for source in self.sources)


@dataclass(frozen=True, eq=False)
class Problem:
    """Sets and prices together; `preparing` is None where nothing may be done before day 0."""

    sets: Sets
    charges: Charges
    preparing: Preparing | None = None


@dataclass(frozen=True, slots=True)
class Equity:
    """A soft floor on the share of a place's need that is served.

    Attributes
    ----------
    floor : share of needed person-days
    price : what a person-day below the floor costs, in times the mean worth of a person-day
    """

    floor: float
    price: float


def period_edges(step_days: int, shape: Shape) -> tuple[Floats, Ints]:
    """Choose period edges: daily at first, then coarser, with an edge at each coming epoch.

    Returns
    -------
    (float array [period + 1], int array [departure])
    """
    last = max(shape.lookahead_days, step_days * (shape.departures + 1))
    widths = (1,) * 64 if shape.daily else (1, 1, 1, 1, 2, 3, 4, 6, 8, 12, 18, 30, 60, 120, 180)
    pattern = [int(edge) for edge in np.cumsum((0, *widths)) if edge < last]
    epochs = [step_days * k for k in range(shape.departures)]
    edges = sorted({*pattern, *epochs, last})
    departure = [edges.index(epoch) for epoch in epochs]
    return np.array(edges, dtype=np.float64), np.array(departure)
