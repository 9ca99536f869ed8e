"""Small worlds for tests: every number in sight, every part replaceable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from nts_sim.world.links import road_legs
from nts_sim.world.model import (
    Cells,
    Desk,
    Effect,
    Fund,
    Hazard,
    IncidentLaw,
    Information,
    Inject,
    Links,
    Mechanism,
    Nodes,
    Resources,
    Roads,
    Supply,
    Threats,
    Trigger,
    World,
)

Link = tuple[int, int, float, float]
"""Source cell, target cell, probability, mean lag in days."""


def toy_nodes(population: Sequence[float]) -> Nodes:
    """Make provinces ``p0``, ``p1`` … with the given populations."""
    n = len(population)
    return Nodes(
        code=tuple(f"p{i}" for i in range(n)),
        name=tuple(f"Place {i}" for i in range(n)),
        kind=np.zeros(n, dtype=np.int64),
        place=np.arange(n),
        n_places=n,
        n_provinces=n,
        population=np.asarray(population, dtype=np.float64),
        latitude=np.linspace(10.0, 20.0, n),
        longitude=np.full(n, 105.0),
        region=("R",) * n,
    )


def toy_threats(
    n: int = 1, *, relief: float = 0.5, containment_gain: float = 0.0,
    spread_reduction: float = 0.0,
    stay_days: Sequence[float] = (4.0, 4.0, 4.0), escalation_days: Sequence[float] = (np.inf,) * 3,
    immunity_days: float = 0.0, distribution: IncidentLaw = "fixed",
) -> Threats:  # fmt: skip
    """Make `n` threats that all behave the same."""
    return Threats(
        name=tuple(f"t{i}" for i in range(n)),
        title=tuple(f"Threat {i}" for i in range(n)),
        field=("test",) * n,
        relief_effect=np.full(n, relief),
        containment_gain=np.full(n, containment_gain),
        spread_reduction=np.full(n, spread_reduction),
        stay_days=np.tile(np.asarray(stay_days, dtype=np.float64), (n, 1)),
        escalation_days=np.tile(np.asarray(escalation_days, dtype=np.float64), (n, 1)),
        immunity_days=np.full(n, immunity_days),
        distribution=(distribution,) * n,
        blocks_roads=np.zeros(n, dtype=np.bool_),
        slows_desks=np.zeros(n, dtype=np.bool_),
        priority_class=np.ones(n, dtype=np.int64),
    )


def toy_cells(
    nodes: Nodes, threats: Threats, requirement_per_100k: Sequence[float], *,
    exposed_share: Sequence[float] = (0.01, 0.03, 0.1), harm_per_person_day: float = 1e-3,
) -> Cells:  # fmt: skip
    """Make a cell for every threat at every place, with the same requirement everywhere."""
    n_nodes, n_threats = len(nodes.code), len(threats.name)
    node, threat = (axis.ravel() for axis in np.indices((n_nodes, n_threats)))
    exposed = nodes.population[nodes.place[node], None] * np.asarray(exposed_share)
    per_100k = np.asarray(requirement_per_100k, dtype=np.float64)
    return Cells(
        node=node,
        threat=threat,
        place=nodes.place[node],
        of=np.arange(len(node)).reshape(n_nodes, n_threats),
        exposed=exposed,
        requirement=exposed[:, :, None] * per_100k / 1e5,
        harm_rate=exposed * harm_per_person_day,
        protection=np.ones(len(node)),
        at_place=tuple(np.flatnonzero(nodes.place[node] == p) for p in range(nodes.n_places)),
    )


def toy_links(
    n_cells: int, links: Sequence[Link] = (), *, distribution: IncidentLaw = "fixed",
    repeats: bool = False, stops: bool = True,
) -> Links:  # fmt: skip
    """Make links from (source, target, probability, lag_days), in that order."""
    ordered = sorted(links)
    source = np.array([link[0] for link in ordered], dtype=np.int64)
    return Links(
        source=source,
        target=np.array([link[1] for link in ordered], dtype=np.int64),
        layer=("land",) * len(ordered),
        probability=np.array([link[2] for link in ordered], dtype=np.float64),
        lag_days=np.array([link[3] for link in ordered], dtype=np.float64),
        distribution=(distribution,) * len(ordered),
        repeats=np.full(len(ordered), repeats),
        stops=np.full(len(ordered), stops),
        out=tuple(np.flatnonzero(source == cell) for cell in range(n_cells)),
    )


def toy_roads(n_places: int, leg_km: float = 100.0) -> Roads:
    """Make a chain of places, one leg apart."""
    ahead = {(i, i + 1): leg_km for i in range(n_places - 1)}
    back = {(b, a): km for (a, b), km in ahead.items()}
    return Roads(
        road_legs(ahead | back, n_places), 400.0, 1.0, 0.25, 0.25, np.array([1.0, 0.7, 0.4, 0.15])
    )


def toy_resources(
    stock: Sequence[Sequence[float]], is_team: Sequence[bool], *, idle_return_days: float = 1e6
) -> Resources:
    """Make resources from a stock table [place, resource]."""
    n = len(is_team)
    return Resources(
        name=tuple(f"r{i}" for i in range(n)),
        title=tuple(f"Resource {i}" for i in range(n)),
        is_team=np.asarray(is_team, dtype=np.bool_),
        whole_units=np.ones(n, dtype=np.bool_),
        run_cost=np.where(is_team, 0.01, 0.0),
        move_cost=np.full(n, 0.001),
        acquire_cost=np.full(n, 0.1),
        people_per_unit=np.zeros(n),
        stock=np.asarray(stock, dtype=np.float64),
        idle_return_days=idle_return_days,
    )


def toy_desk(host: int = 0, **changes: object) -> Desk:
    """Make a desk that signs everything at once, unless told otherwise."""
    desk = Desk("chair", "Chair", host, 1_000_000, 0.0, "fixed", np.inf, None)
    return replace(desk, **changes)  # type: ignore[arg-type]


def toy_mechanism(name: str, effect: Effect, n_places: int, **changes: object) -> Mechanism:
    """Make a mechanism with no trigger, no lead and no cost, unless told otherwise."""
    mechanism = Mechanism(
        name=name, title=name, effect=effect, enabled=True,
        desk=np.zeros(n_places, dtype=np.int64), handover_days=0.0, distribution="fixed",
        ramp=(), trigger=Trigger(), supplies=(), fund_kind="account", fund_is_central=False,
        donor_share=1.0, ceiling_bn_vnd=np.inf, fixed_cost_bn_vnd=0.0, authority="chair",
        legal_basis="none", checked=True, source="test",
    )  # fmt: skip
    return replace(mechanism, **changes)  # type: ignore[arg-type]


def toy_supply(resource: int, n_places: int, **changes: object) -> Supply:
    """Make a supply without ceilings or price, unless told otherwise."""
    supply = Supply(resource, {}, np.inf, "national", np.full(n_places, np.inf), 0.0)
    return replace(supply, **changes)  # type: ignore[arg-type]


def toy_mechanisms(n_places: int, n_resources: int) -> tuple[Mechanism, ...]:
    """Make one mechanism of each effect: level, grant, army, mutual_aid."""
    supplies = tuple(toy_supply(r, n_places) for r in range(n_resources))
    return (
        toy_mechanism("level", Effect.GATE, n_places),
        toy_mechanism("grant", Effect.MONEY, n_places, fund_kind="reserve"),
        toy_mechanism("army", Effect.GOODS, n_places, supplies=supplies),
        toy_mechanism("mutual_aid", Effect.TRANSFER, n_places),
    )


def toy_world(
    *,
    stock: Sequence[Sequence[float]] = ((10.0,), (10.0,)),
    is_team: Sequence[bool] = (True,),
    requirement_per_100k: Sequence[float] = (100.0,),
    injects: Sequence[Inject] = (),
    links: Sequence[Link] | Links = (),
    threats: Threats | None = None,
    horizon_days: int = 10,
    parts: Mapping[str, object] | None = None,
) -> World:
    """Make a chain of places of 100 000 people, each with the given stock.

    `parts` replaces whole fields of the world, e.g. ``{"desks": (...), "funds": (...)}``.
    """
    n = len(stock)
    nodes = toy_nodes([1e5] * n)
    threats = threats or toy_threats()
    cells = toy_cells(nodes, threats, requirement_per_100k)
    made = links if isinstance(links, Links) else toy_links(len(cells), links)
    world = World(
        name="toy",
        start=date(2026, 1, 1),
        horizon_days=horizon_days,
        epoch_days=tuple(float(day) for day in range(horizon_days)),
        nodes=nodes,
        threats=threats,
        cells=cells,
        links=made,
        roads=toy_roads(n),
        resources=toy_resources(stock, is_team),
        desks=(toy_desk(),),
        desk_speed=np.array([1.0, 0.6, 0.3, 0.1]),
        level_desks=np.zeros((n, 3), dtype=np.int64),
        mechanisms=toy_mechanisms(n, len(is_team)),
        funds=(
            *(Fund(f"account p{i}", "account", i, 1000.0) for i in range(n)),
            *(Fund(f"reserve p{i}", "reserve", i, 1000.0) for i in range(n)),
        ),
        information=Information("perfect", 0.0, 0.0, ((0.0, 1.0),)),
        hazard=Hazard(
            injects=tuple(injects),
            events=(),
            warning_days=np.zeros(len(threats.name)),
            onset_share=np.ones(len(threats.name)),
        ),
    )
    return replace(world, **dict(parts or {}))  # type: ignore[arg-type]
