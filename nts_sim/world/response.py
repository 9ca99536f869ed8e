"""What help there is and how it is called: resources, desks, mechanisms and funds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from nts_sim.spec.models import (
    FundSpec,
    MechanismChange,
    MechanismSpec,
    MoneySourceSpec,
    PreparationSpec,
    ResourcesSpec,
)
from nts_sim.tables.columns import CENTRAL
from nts_sim.tables.load import Tables
from nts_sim.tables.names import resolve_place
from nts_sim.world.model import (
    Bools,
    Desk,
    Effect,
    Floats,
    Fund,
    Ints,
    Mechanism,
    MoneySource,
    Nodes,
    PreparationTerms,
    Resources,
    Supply,
    Trigger,
)
from nts_sim.world.nodes import nodes_by_kind

_AS_IS = MechanismChange()
_LABEL = "label"


def unit_costs(tables: Tables) -> Mapping[tuple[str, str], float]:
    """Costs by (resource, item), bn VND."""
    rows = tables.columns("unit_costs", "resource", "item", "value")
    return {(str(resource), str(item)): float(value) for resource, item, value in rows}


def make_resources(tables: Tables, nodes: Nodes, spec: ResourcesSpec) -> Resources:
    """Take resources and stocks from the tables, with the study's factors and own stocks."""
    frame = tables["resources"]
    names = tuple(frame["resource"])
    costs = unit_costs(tables)
    whole = frame["whole_units"].to_numpy(dtype=np.bool_)
    return Resources(
        name=names,
        title=tuple(frame["title"]),
        is_team=(frame["kind"] == "team").to_numpy(dtype=np.bool_),
        whole_units=whole,
        run_cost=np.array([costs[name, "run_per_day"] for name in names]),
        move_cost=np.array([costs[name, "move_per_100km"] for name in names]),
        acquire_cost=np.array([costs[name, "acquire"] for name in names]),
        people_per_unit=frame["people_per_unit"].to_numpy(dtype=np.float64),
        stock=_stock(tables, nodes, names, whole, spec),
        idle_return_days=spec.idle_return_days,
    )


def _stock(
    tables: Tables, nodes: Nodes, names: tuple[str, ...], whole: Bools, spec: ResourcesSpec
) -> Floats:
    """Units on day 0, float array [place, resource]; whole where only whole units are sent."""
    stock = np.zeros((nodes.n_places, len(names)))
    column = {name: i for i, name in enumerate(names)}
    for place, resource, value in tables.columns("stocks", "province_code", "resource", "value"):
        stock[nodes.index[str(place)], column[str(resource)]] = float(value)
    stock *= spec.stock_factor
    stock *= np.array([spec.stock_factors.get(name, 1.0) for name in names])
    for place, own in spec.stocks_units.items():
        for resource, units in own.items():
            stock[place_index(tables, nodes, place), column[resource]] = units
    return np.where(whole, np.floor(stock), stock)


def make_terms(resources: Resources, spec: PreparationSpec) -> PreparationTerms:
    """Say what may be done before day 0; resources by number."""
    index = resources.index
    own = {"budget": MoneySourceSpec(amount_bn_vnd=spec.budget_bn_vnd or 0.0)}
    return PreparationTerms(
        sources=tuple(
            MoneySource(
                name, source.amount_bn_vnd,
                frozenset(index[r] for r in source.resources) if source.resources else None,
            )
            for name, source in (spec.sources or own).items()
        ),
        depot_cost_bn_vnd=spec.depot_cost_bn_vnd,
        depot_capacity_tonnes=spec.depot_capacity_tonnes,
        tonnes_per_unit={index[r]: tonnes for r, tonnes in spec.tonnes_per_unit.items()},
        post_share=spec.post_share,
        place_share_at_most=spec.place_share_at_most,
        resource_share_at_least={index[r]: s for r, s in spec.resource_share_at_least.items()},
        resource_share_at_most={index[r]: s for r, s in spec.resource_share_at_most.items()},
    )  # fmt: skip


def place_index(tables: Tables, nodes: Nodes, place: str) -> int:
    """Index of a place written in any known way; the study's names were checked before."""
    return nodes.index[resolve_place(place, tables.place_codes) or place]


def make_desks(
    tables: Tables, nodes: Nodes, spec: MechanismSpec
) -> tuple[tuple[Desk, ...], Mapping[str, Ints]]:
    """Make national desks once and provincial desks in every province.

    Returns
    -------
    desks, and the desk index of each kind of desk by province (int array [province])
    """
    frame = tables["desks"]
    hosts = nodes_by_kind(tables, nodes)
    n = nodes.n_provinces
    of: dict[str, Ints] = {}
    for kind, level in zip(frame["desk"], frame["level"], strict=True):
        start = sum(len(np.unique(indices)) for indices in of.values())
        of[kind] = np.full(n, start) if level == "national" else np.arange(start, start + n)
    factor = spec.approval_factor
    desks: list[Desk] = []
    for row in tables.rows("desks"):
        host = hosts[row["host"]]
        if row["level"] == "national":
            desks.append(_desk(row, int(host[0]), of, 0, spec, factor))
            continue
        for p in range(n):
            desk = _desk(row, int(np.broadcast_to(host, n)[p]), of, p, spec, factor)
            name, title = f"{desk.name}.{nodes.code[p]}", f"{desk.title}, {nodes.name[p]}"
            desks.append(replace(desk, name=name, title=title))
    return tuple(desks), of


def _desk(
    row: Mapping[str, Any], host: int, of: Mapping[str, Ints], province: int, spec: MechanismSpec,
    factor: float,
) -> Desk:  # fmt: skip
    return Desk(
        name=row["desk"],
        title=row["title"],
        host=host,
        servers=spec.desk_servers.get(row["desk"], int(row["servers"])),
        approval_days=float(row["approval_days_median"]) * factor,
        distribution=spec.approval_distribution,
        delegation_bn_vnd=_or_inf(row["delegation_bn_vnd"]),
        up=int(of[row["up"]][province]) if row["up"] else None,
    )


def _or_inf(value: float) -> float:
    """Read a blank limit as none."""
    return float("inf") if np.isnan(value) else float(value)


def desk_speed(tables: Tables) -> Floats:
    """Share of normal desk speed by severity 0..3 of the host."""
    speed = np.ones(4)
    for severity, value in tables.columns("desk_speed", "severity", "value"):
        speed[int(severity)] = float(value)
    return speed


def level_desks(tables: Tables, desks_of: Mapping[str, Ints]) -> Ints:
    """Desk that signs a declaration, int array [province, level - 1]."""
    rows = dict(tables.columns("declaration_levels", "level", "desk"))
    return np.stack([desks_of[str(rows[level])] for level in (1, 2, 3)], axis=1)


def _scaled(ceiling: float, factor: float) -> float:
    """Scale a ceiling; a factor of 0 closes even one that has no limit."""
    return ceiling * factor if factor > 0.0 else 0.0


def make_mechanisms(
    tables: Tables, nodes: Nodes, resources: Resources, spec: MechanismSpec,
    desks_of: Mapping[str, Ints],
) -> tuple[Mechanism, ...]:  # fmt: skip
    """Take mechanisms from the tables with the study's changes.

    Rows of effect ``label`` (four on the spot) are no mechanism: own stock serves without orders.
    """
    leads = {str(m): float(v) for m, v in tables.columns("handover_lead", "mechanism", "value")}
    supplies = _supplies(tables, nodes, resources, spec)
    ramps = _ramps(tables)
    no_desk = level_desks(tables, desks_of)[:, 0]
    made = []
    for row in tables.rows("mechanisms"):
        if row["effect"] == _LABEL:
            continue
        name = row["mechanism"]
        change = spec.changes.get(name, _AS_IS)
        lead = change.handover_lead_days
        enabled = bool(row["enabled"]) if change.enabled is None else change.enabled
        made.append(
            Mechanism(
                name=name,
                title=row["title"],
                effect=Effect[row["effect"].upper()],
                enabled=enabled and change.readiness_cost_bn_vnd == 0.0,
                desk=desks_of[row["desk"]] if row["desk"] else no_desk,
                handover_days=(leads[name] if lead is None else lead) * spec.lead_factor,
                distribution=spec.lead_distribution,
                ramp=ramps.get(name, ()),
                trigger=_trigger(row, change),
                supplies=supplies.get(name, ()),
                fund_kind=row["fund"] or None,
                fund_is_central=bool(row["fund_is_central"]),
                donor_share=_donor_share(row["donor_share"], change),
                ceiling_bn_vnd=_scaled(_or_inf(row["ceiling_bn_vnd"]), change.ceiling_factor),
                fixed_cost_bn_vnd=float(row["fixed_cost_bn_vnd"]) * change.unit_cost_factor,
                authority=row["authority"],
                legal_basis=row["legal_basis"],
                checked=bool(row["checked"]),
                source=row["source"],
                readiness_cost_bn_vnd=change.readiness_cost_bn_vnd if enabled else 0.0,
            )
        )
    return tuple(made)


def _donor_share(table_share: float, change: MechanismChange) -> float:
    if change.donor_share is not None:
        return change.donor_share
    return 0.0 if np.isnan(table_share) else float(table_share)


def _trigger(row: Mapping[str, Any], change: MechanismChange) -> Trigger:
    level = change.min_declared_level
    uses = None if np.isnan(row["max_uses"]) else int(row["max_uses"])
    return Trigger(
        min_severity=int(row["min_severity"]),
        declared_level=int(row["declared_level"]) if level is None else level,
        days_since_onset=float(row["days_since_onset"]),
        after_fund=row["after_fund"] or None,
        max_uses=uses if change.max_uses is None else change.max_uses,
    )


def _ramps(tables: Tables) -> Mapping[str, tuple[tuple[int, float], ...]]:
    """Tranches by mechanism, in order of days."""
    ramps: dict[str, list[tuple[int, float]]] = {}
    for mechanism, day, share in tables.columns("ramps", "mechanism", "day", "value"):
        ramps.setdefault(str(mechanism), []).append((int(day), float(share)))
    return {mechanism: tuple(sorted(steps)) for mechanism, steps in ramps.items()}


def _supplies(
    tables: Tables, nodes: Nodes, resources: Resources, spec: MechanismSpec
) -> Mapping[str, tuple[Supply, ...]]:
    """List what each goods mechanism can create, with its price and ceilings."""
    costs = unit_costs(tables)
    hubs = _hubs(tables, nodes)
    made: dict[str, list[Supply]] = {}
    for row in tables.rows("mechanism_supply"):
        mechanism, resource = row["mechanism"], row["resource"]
        change = spec.changes.get(mechanism, _AS_IS)
        index = resources.index[resource]
        most = row["value"] * change.ceiling_factor
        of_stock = row["scope"] == "share_of_stock"
        hub_stock = hubs.get((mechanism, resource), {})
        price = costs[resource, row["cost_base"]] * row["cost_factor"] * change.unit_cost_factor
        no_limit = np.full(nodes.n_places, np.inf)
        made.setdefault(mechanism, []).append(
            Supply(
                resource=index,
                hub_stock={hub: units * change.ceiling_factor for hub, units in hub_stock.items()},
                ceiling=float("inf") if of_stock else most,
                scope="place" if of_stock else row["scope"],
                place_ceiling=resources.stock[:, index] * most if of_stock else no_limit,
                unit_cost_bn_vnd=price,
            )
        )
    return {mechanism: tuple(supplies) for mechanism, supplies in made.items()}


def _hubs(tables: Tables, nodes: Nodes) -> Mapping[tuple[str, str], dict[int, float]]:
    """Units at hubs by (mechanism, resource): {place: units}."""
    hubs: dict[tuple[str, str], dict[int, float]] = {}
    columns = ("mechanism", "resource", "province_code", "value")
    for mechanism, resource, place, value in tables.columns("hub_stocks", *columns):
        at = hubs.setdefault((str(mechanism), str(resource)), {})
        at[nodes.index[str(place)]] = float(value)
    return hubs


def make_funds(tables: Tables, nodes: Nodes, spec: FundSpec, start: date) -> tuple[Fund, ...]:
    """Take funds from the tables with the study's balances, earmarks and closing day."""
    own = {
        (CENTRAL if owner == CENTRAL else nodes.code[place_index(tables, nodes, owner)], kind): bn
        for owner, kinds in spec.balances_bn_vnd.items()
        for kind, bn in kinds.items()
    }
    closes = None if spec.closes_on is None else float((spec.closes_on - start).days)
    rows = {(row["owner"], row["fund"]): float(row["value"]) for row in tables.rows("funds")}
    factors = {key: spec.balance_factor * spec.balance_factors.get(key[1], 1.0) for key in rows}
    balances = {key: bn * factors[key] for key, bn in rows.items()} | own
    return tuple(
        Fund(
            name=kind if owner == CENTRAL else f"{kind}.{owner}",
            kind=kind,
            place=None if owner == CENTRAL else nodes.index[owner],
            balance_bn_vnd=balance,
            earmark=frozenset(spec.earmarks[kind]) if kind in spec.earmarks else None,
            closes_day=closes,
        )
        for (owner, kind), balance in sorted(balances.items())
    )
