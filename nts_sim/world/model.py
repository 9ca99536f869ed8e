"""The world: everything that is fixed before the first replication starts.

Immutable arrays and the maps between names and indices. `build.py` makes a `World` from a study
and its tables; engines, policies and the planning problem only read it. Axes are written as
``[place, resource]``; severity axes have length 3 and index ``severity - 1``.

Nodes are numbered places first (by code: provinces, then foreign border localities), then
agencies, so that a place's node index is its place index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

IncidentLaw = Literal["fixed", "exponential"]
"""Laws of stays, escalations, immunity and lags."""
Distribution = Literal[IncidentLaw, "lognormal"]
"""Laws of approvals and handovers too."""


class NodeKind(IntEnum):
    """What a node is."""

    PROVINCE = 0
    FOREIGN = 1
    AGENCY = 2


class Effect(IntEnum):
    """What a mechanism does; each effect is used through one kind of order."""

    MONEY = 0  # draw: credits the account of a place
    GOODS = 1  # mobilise: creates units at a hub or on the spot, charging a fund
    TRANSFER = 2  # move: takes a donor's units
    GATE = 3  # declare: raises the declared level of a place


@dataclass(frozen=True, eq=False)
class Nodes:
    """Places and agencies.

    Attributes
    ----------
    code, name : tuple of str, one per node
    kind : int array [node], a `NodeKind`
    place : int array [node], the place a node sits in (itself for a place)
    n_places : number of places (provinces and foreign localities)
    n_provinces : number of provinces; they come first
    population : float array [place], persons; 0 abroad (not ours to serve)
    latitude, longitude : float array [place], degrees
    region : tuple of str, one per place
    """

    code: tuple[str, ...]
    name: tuple[str, ...]
    kind: Ints
    place: Ints
    n_places: int
    n_provinces: int
    population: Floats
    latitude: Floats
    longitude: Floats
    region: tuple[str, ...]

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Node index by code."""
        return {code: i for i, code in enumerate(self.code)}


@dataclass(frozen=True, eq=False)
class Threats:
    """What can happen, per threat.

    Attributes
    ----------
    name, title, field : tuple of str
    relief_effect (ρ), containment_gain (κ), spread_reduction (σ) : float array [threat]
    stay_days : float array [threat, 3], mean days before falling one severity at coverage 0
    escalation_days : float array [threat, 3], mean days before rising one; inf = never
    immunity_days : float array [threat], mean; 0 = back to dormant at once
    distribution : of stays and escalations, one per threat
    blocks_roads, slows_desks : bool array [threat]
    priority_class : int array [threat]; lower is served first
    """

    name: tuple[str, ...]
    title: tuple[str, ...]
    field: tuple[str, ...]
    relief_effect: Floats
    containment_gain: Floats
    spread_reduction: Floats
    stay_days: Floats
    escalation_days: Floats
    immunity_days: Floats
    distribution: tuple[IncidentLaw, ...]
    blocks_roads: Bools
    slows_desks: Bools
    priority_class: Ints

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Threat index by name."""
        return {name: i for i, name in enumerate(self.name)}


@dataclass(frozen=True, eq=False)
class Cells:
    """One threat at one node; only the pairs that can occur, ordered by (node, threat).

    Attributes
    ----------
    node, threat, place : int array [cell]
    of : int array [node, threat], the cell or -1
    exposed : float array [cell, 3], persons exposed by severity
    requirement : float array [cell, 3, resource], units (teams) or units a day (supplies) by
        severity
    harm_rate : float array [cell, 3], bn VND a day at coverage 0
    protection : float array [cell], multiplies the success of hits on this cell, from the day on
        which the measure is ready
    at_place : tuple of int arrays, the cells drawing on each place's stock, ascending
    """

    node: Ints
    threat: Ints
    place: Ints
    of: Ints
    exposed: Floats
    requirement: Floats
    harm_rate: Floats
    protection: Floats
    at_place: tuple[Ints, ...]

    def __len__(self) -> int:
        return len(self.node)


@dataclass(frozen=True, eq=False)
class Links:
    """How an active cell reaches another; ordered by (source, target, layer).

    Attributes
    ----------
    source, target : int array [link], cells
    layer : tuple of str, one per link
    probability : float array [link], min(1, p · weight)
    lag_days : float array [link], mean
    distribution : of the lag, one per link
    repeats : bool array [link]; arms again after each hit while the source is active
    stops : bool array [link]; a hit in flight dies with its source
    out : tuple of int arrays, links by source cell, ascending
    """

    source: Ints
    target: Ints
    layer: tuple[str, ...]
    probability: Floats
    lag_days: Floats
    distribution: tuple[IncidentLaw, ...]
    repeats: Bools
    stops: Bools
    out: tuple[Ints, ...]

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, eq=False)
class Roads:
    """Travel between provinces.

    Attributes
    ----------
    leg_km : sparse float array [province, province], centre to centre over a shared border; no
        entry where provinces do not touch
    speed_km_per_day, detour_factor, own_place_days, load_days : float
    speed_share : float array [4], share of road speed by the worst road-blocking severity
        at the places a leg joins
    """

    leg_km: csr_array[np.float64]
    speed_km_per_day: float
    detour_factor: float
    own_place_days: float
    load_days: float
    speed_share: Floats


@dataclass(frozen=True, eq=False)
class Resources:
    """What help is made of.

    Attributes
    ----------
    name, title : tuple of str
    is_team, whole_units : bool array [resource]
    run_cost : float array, bn VND per unit and day away or in use
    move_cost : float array, bn VND per unit and 100 km one way
    acquire_cost : float array, bn VND per unit
    people_per_unit : float array [resource], persons
    stock : float array [place, resource], units on day 0
    idle_return_days : float, days without anybody there requiring them after which visiting teams
        go home by themselves
    """

    name: tuple[str, ...]
    title: tuple[str, ...]
    is_team: Bools
    whole_units: Bools
    run_cost: Floats
    move_cost: Floats
    acquire_cost: Floats
    people_per_unit: Floats
    stock: Floats
    idle_return_days: float

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Resource index by name."""
        return {name: i for i, name in enumerate(self.name)}


@dataclass(frozen=True, eq=False)
class Desk:
    """A queue of orders waiting for a signature.

    `host` is the agency whose hits slow it; `up` the desk that takes amounts above
    `delegation_bn_vnd` (None: the last word).
    """

    name: str
    title: str
    host: int
    servers: int
    approval_days: float
    distribution: Distribution
    delegation_bn_vnd: float
    up: int | None


@dataclass(frozen=True, eq=False)
class Trigger:
    """When a mechanism may be used; every condition must hold.

    min_severity counts the worst active or forewarned severity at the place asked for;
    after_fund names a fund kind that must be exhausted first.
    """

    min_severity: int = 0
    declared_level: int = 0
    days_since_onset: float = 0.0
    after_fund: str | None = None
    max_uses: int | None = None


@dataclass(frozen=True, eq=False)
class Supply:
    """What a goods mechanism can create.

    Attributes
    ----------
    resource : int
    hub_stock : mapping of place to units at hubs; empty: created where it is asked for
    ceiling : float, units; `scope` says per what: "national" (all together), "place" (each
        place asked for), "decision" (each order)
    place_ceiling : float array [place], further ceiling of each place (inf: none)
    unit_cost_bn_vnd : float, charged per unit
    """

    resource: int
    hub_stock: Mapping[int, float]
    ceiling: float
    scope: Literal["national", "place", "decision"]
    place_ceiling: Floats
    unit_cost_bn_vnd: float


@dataclass(frozen=True, eq=False)
class Mechanism:
    """A way to mobilise help.

    Attributes
    ----------
    desk : desk index by province (array [province]): of the place asked for, or of the donor
        (TRANSFER); the same number everywhere for a national desk
    handover_days, distribution : median lead from approval to first handover, and its law
    ramp : tuple of (whole days after handover, cumulative share): a step function, handed over in
        those tranches and ending at or below 1; empty: everything at handover
    supplies : what a GOODS mechanism creates
    fund_kind : the kind of fund a MONEY mechanism draws on, and GOODS and TRANSFER are charged
        to (``account``: the working account of the place asked for); None: nobody is charged
    fund_is_central : that fund is national (`Fund.place` None), not the place's own
    donor_share : TRANSFER: share of the donor's own stock not required at home that may be away
    ceiling_bn_vnd : MONEY: per draw
    fixed_cost_bn_vnd : charged once per order
    checked : the legal basis was seen in a retrieved text
    readiness_cost_bn_vnd : what making it ready before day 0 costs; above 0, it is not enabled
        until that is done
    """

    name: str
    title: str
    effect: Effect
    enabled: bool
    desk: Ints
    handover_days: float
    distribution: Distribution
    ramp: tuple[tuple[int, float], ...]
    trigger: Trigger
    supplies: tuple[Supply, ...]
    fund_kind: str | None
    fund_is_central: bool
    donor_share: float
    ceiling_bn_vnd: float
    fixed_cost_bn_vnd: float
    authority: str
    legal_basis: str
    checked: bool
    source: str
    readiness_cost_bn_vnd: float = 0.0


@dataclass(frozen=True, eq=False)
class Fund:
    """Money with an owner.

    `place` is the owning province, or None for the centre. `kind` ``account`` is the place's
    working account, which draws credit and orders charge. `earmark` names the mechanisms that may
    charge it (None: any). After `closes_day` nothing can be committed (lapse); None: stays open.
    """

    name: str
    kind: str
    place: int | None
    balance_bn_vnd: float
    earmark: frozenset[str] | None = None
    closes_day: float | None = None


@dataclass(frozen=True, eq=False)
class Information:
    """What a policy gets to see.

    `reported_share` is the curve of (age of the incident in days, share of the true exposed
    people reported), linear between its points, flat beyond; cells younger than a keyed
    detection time (mean `detection_days`, exponential) are not seen at all.
    """

    name: str
    lag_days: float
    detection_days: float
    reported_share: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class Inject:
    """A scripted onset: `severity` at `cell` on `day`, taking place with `probability`."""

    cell: int
    severity: int
    day: float
    probability: float = 1.0


@dataclass(frozen=True, eq=False)
class RandomEvents:
    """A stream of random events of one threat, drawn before the run (see `luck.calendar`).

    Attributes
    ----------
    threat : int
    month_rate : float array [12], national events in each calendar month; they sum to a year's
    first_weight : float array [province], weight of the first province by month row: [12, province]
    size_mean : mean number of provinces hit by an event
    growth_weight : float array [province, province], preference for the next neighbour
    severity_probability : float array [3], of the first province
    hops_per_severity : hops after which the severity falls by one
    days_per_hop : float
    """

    threat: int
    month_rate: Floats
    first_weight: Floats
    size_mean: float
    growth_weight: Floats
    severity_probability: Floats
    hops_per_severity: int
    days_per_hop: float


@dataclass(frozen=True, eq=False)
class Hazard:
    """Where onsets come from. `onset_share` is the share of entries the measure leaves."""

    injects: tuple[Inject, ...]
    events: tuple[RandomEvents, ...]
    warning_days: Floats
    onset_share: Floats


@dataclass(frozen=True, eq=False)
class Measure:
    """A prevention measure, from `ready_day` on; its shares stand with the cells and the hazard.

    `lag_factor` multiplies the lag of reports, `approval_factor` the time a signature takes. Its
    cost is part of every policy's burden alike.
    """

    cost_bn_vnd: float = 0.0
    ready_day: float = 0.0
    lag_factor: float = 1.0
    approval_factor: float = 1.0

    def factor(self, value: float, day: float) -> float:
        """Return a factor of the measure once it is ready, 1 before."""
        return value if day >= self.ready_day else 1.0


@dataclass(frozen=True, eq=False)
class MoneySource:
    """Money for use before day 0; `resources` it may pay for (None: any, depots and fees too)."""

    name: str
    amount_bn_vnd: float
    resources: frozenset[int] | None = None


@dataclass(frozen=True, eq=False)
class PreparationTerms:
    """What may be done before day 0, and what it costs.

    Attributes
    ----------
    sources : who pays; none: nothing can be paid for
    depot_cost_bn_vnd : for opening one
    depot_capacity_tonnes : supplies one holds, beyond what its place stores without
    tonnes_per_unit : by resource; resources left out need no room
    post_share : most of a place's own stock of a resource that may be posted elsewhere
    place_share_at_most : largest share of the budget that goes to one place
    resource_share_at_least, resource_share_at_most : by resource, share of the money spent on
        units and depots and fees together
    """

    sources: tuple[MoneySource, ...] = ()
    depot_cost_bn_vnd: float = 0.0
    depot_capacity_tonnes: float = 0.0
    tonnes_per_unit: Mapping[int, float] = field(default_factory=dict)
    post_share: float = 0.5
    place_share_at_most: float = 1.0
    resource_share_at_least: Mapping[int, float] = field(default_factory=dict)
    resource_share_at_most: Mapping[int, float] = field(default_factory=dict)

    @property
    def budget_bn_vnd(self) -> float:
        """Money of all sources together."""
        return sum(source.amount_bn_vnd for source in self.sources)


@dataclass(frozen=True, eq=False)
class PreparationCost:
    """Cost of a preparation by kind, bn VND.

    Attributes
    ----------
    bought : float array [place, resource]
    posted : float array [place, resource], by the place the units are posted to
    depots : float array [place]
    readiness : float array [mechanism]
    """

    bought: Floats
    posted: Floats
    depots: Floats
    readiness: Floats

    @property
    def by_kind(self) -> Mapping[str, float]:
        """Sum of each kind."""
        return {
            "bought": float(self.bought.sum()), "posted": float(self.posted.sum()),
            "depots": float(self.depots.sum()), "readiness": float(self.readiness.sum()),
        }  # fmt: skip

    @property
    def total_bn_vnd(self) -> float:
        """All kinds together."""
        return sum(self.by_kind.values())


@dataclass(frozen=True, eq=False)
class Prepared:
    """What was done before day 0; the world's stock and mechanisms have it already.

    Attributes
    ----------
    bought, posted : float array [place, resource], units bought for a place, and posted to it
    cost : PreparationCost
    """

    bought: Floats
    posted: Floats
    cost: PreparationCost


@dataclass(frozen=True, eq=False)
class World:
    """All that is fixed. Compare by identity; arrays are read-only.

    `desk_speed` is the share of normal desk speed by the severity (0..3) of its host.
    `level_desks`, int array [province, 3], are the desks that sign a declaration of level 1, 2, 3.
    `terms` say what may be prepared before day 0; `prepared` is what was (None: nothing yet).
    """

    name: str
    start: date
    horizon_days: int
    epoch_days: tuple[float, ...]
    nodes: Nodes
    threats: Threats
    cells: Cells
    links: Links
    roads: Roads
    resources: Resources
    desks: tuple[Desk, ...]
    desk_speed: Floats
    level_desks: Ints
    mechanisms: tuple[Mechanism, ...]
    funds: tuple[Fund, ...]
    information: Information
    hazard: Hazard
    measure: Measure = Measure()
    terms: PreparationTerms = PreparationTerms()
    prepared: Prepared | None = None

    @property
    def preparation_cost_bn_vnd(self) -> float:
        """Cost of what was prepared before day 0."""
        return 0.0 if self.prepared is None else self.prepared.cost.total_bn_vnd

    @cached_property
    def mechanism_index(self) -> Mapping[str, int]:
        """Mechanism index by name."""
        return {mechanism.name: i for i, mechanism in enumerate(self.mechanisms)}

    @cached_property
    def account_of(self) -> Ints:
        """Fund index of each place's working account, array [place]; -1 where it has none."""
        accounts = np.full(self.nodes.n_places, -1, dtype=np.int64)
        for index, fund in enumerate(self.funds):
            if fund.kind == "account" and fund.place is not None:
                accounts[fund.place] = index
        return accounts

    @cached_property
    def fund_index(self) -> Mapping[tuple[str, int | None], int]:
        """Fund index by (kind, owning place or None)."""
        return {(fund.kind, fund.place): i for i, fund in enumerate(self.funds)}
