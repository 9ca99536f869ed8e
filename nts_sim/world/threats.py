"""Threats, and the cells at which they can occur with what they touch and require."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from nts_sim.spec.models import MeasureSpec, ScenarioSpec, ThreatSpec
from nts_sim.tables.load import Tables
from nts_sim.tables.names import resolve_place
from nts_sim.units import PEOPLE_PER_100K
from nts_sim.world.model import Bools, Cells, Floats, Ints, NodeKind, Nodes, Resources, Threats

_PEOPLE_PER_WEIGHT = 1000.0


def make_threats(tables: Tables, names: Collection[str], spec: ThreatSpec) -> Threats:
    """Take the scenario's threats from the tables, in the order of the table."""
    frame = tables["threats"]
    rows = frame[frame["threat"].isin(names)]
    order = {str(name): i for i, name in enumerate(rows["threat"])}
    shares, stay, escalation = _dynamics(tables, order)
    return Threats(
        name=tuple(order),
        title=tuple(rows["title"]),
        field=tuple(rows["field"]),
        relief_effect=shares["relief_effect"],
        containment_gain=shares["response_containment_gain"],
        spread_reduction=shares["spread_reduction"],
        stay_days=stay * spec.stay_factor,
        escalation_days=escalation,
        immunity_days=rows["immunity_days"].to_numpy(dtype=np.float64),
        distribution=(spec.distribution,) * len(order),
        blocks_roads=rows["blocks_roads"].to_numpy(dtype=np.bool_),
        slows_desks=rows["slows_desks"].to_numpy(dtype=np.bool_),
        priority_class=rows["priority_class"].to_numpy(dtype=np.int64),
    )


def _dynamics(tables: Tables, order: Mapping[str, int]) -> tuple[dict[str, Floats], Floats, Floats]:
    """Read shares [threat] and days [threat, severity]; a blank escalation never comes."""
    names = ("relief_effect", "response_containment_gain", "spread_reduction")
    shares = {name: np.zeros(len(order)) for name in names}
    stay, escalation = np.ones((len(order), 3)), np.full((len(order), 3), np.inf)
    days = {"natural_stay_days": stay, "escalation_days": escalation}
    columns = ("threat", "severity", "parameter", "value")
    for threat, severity, parameter, value in tables.columns("threat_dynamics", *columns):
        row = order.get(str(threat))
        if row is None:
            continue
        if parameter in shares:
            shares[str(parameter)][row] = float(value)
        elif value == value:  # not blank
            days[str(parameter)][row, int(severity) - 1] = float(value)
    return shares, stay, escalation


def make_cells(
    tables: Tables, nodes: Nodes, threats: Threats, resources: Resources, scenario: ScenarioSpec,
    threat_spec: ThreatSpec, measure: MeasureSpec,
) -> Cells:  # fmt: skip
    """Make the cells that can occur, with exposure, requirement and harm by severity.

    Abroad nothing is ours to serve: exposure, requirement and harm are 0. At an agency the
    requirement per node counts and people do not (they are counted at the province).
    """
    possible = _possible(tables, nodes, threats, scenario)
    node, threat = (axis.astype(np.int64) for axis in np.nonzero(possible))
    of = np.full(possible.shape, -1, dtype=np.int64)
    of[node, threat] = np.arange(len(node))
    place = nodes.place[node]
    kind = nodes.kind[node]
    exposed = _exposed(tables, nodes, threats, node, threat)
    per_100k, per_node = _requirements(tables, threats, resources)
    required = exposed[:, :, None] / PEOPLE_PER_100K * per_100k[threat]
    required += np.where(kind == NodeKind.FOREIGN, 0.0, 1.0)[:, None, None] * per_node[threat]
    weight = _by_severity(tables, "harm_weights", threats) * threat_spec.harm_weight_factor
    return Cells(
        node=node,
        threat=threat,
        place=place,
        of=of,
        exposed=exposed,
        requirement=required * threat_spec.requirement_factor,
        harm_rate=exposed / _PEOPLE_PER_WEIGHT * weight[threat],
        protection=by_threat(threats, measure.hit_share)[threat],
        at_place=tuple(np.flatnonzero(place == p) for p in range(nodes.n_places)),
    )


def by_threat(threats: Threats, share: Mapping[str, float], default: float = 1.0) -> Floats:
    """Spread a mapping by threat name over an array [threat]."""
    return np.array([share.get(name, default) for name in threats.name], dtype=np.float64)


def _possible(tables: Tables, nodes: Nodes, threats: Threats, scenario: ScenarioSpec) -> Bools:
    """Tell which threats can occur at which nodes, bool array [node, threat].

    Provinces: all. Agencies: those that slow desks. Abroad: those that cross the border, and what
    the script starts there.
    """
    crosses = {
        str(source)
        for source, layer in tables.columns("spread_links", "from_threat", "layer")
        if layer == "border"
    }
    rows = {
        NodeKind.PROVINCE: np.ones(len(threats.name), dtype=np.bool_),
        NodeKind.FOREIGN: np.array([name in crosses for name in threats.name], dtype=np.bool_),
        NodeKind.AGENCY: threats.slows_desks,
    }
    possible = np.stack([rows[NodeKind(kind)] for kind in nodes.kind.tolist()])
    for inject in scenario.injects:
        node = inject_node(tables, nodes, inject.place)
        if node is not None and node < nodes.n_places and inject.threat in threats.index:
            possible[node, threats.index[inject.threat]] = True
    return possible


def inject_node(tables: Tables, nodes: Nodes, place: str) -> int | None:
    """Find the node a script means: an agency's code, or a place by any of its names."""
    if place in nodes.index:
        return nodes.index[place]
    code = resolve_place(place, tables.place_codes)
    return nodes.index.get(code) if code else None


def _by_severity(tables: Tables, table: str, threats: Threats) -> Floats:
    """Read a table of values by threat and severity into an array [threat, severity]."""
    values = np.zeros((len(threats.name), 3))
    for threat, severity, value in tables.columns(table, "threat", "severity", "value"):
        if threat in threats.index:
            values[threats.index[str(threat)], int(severity) - 1] = float(value)
    return values


def _exposed(tables: Tables, nodes: Nodes, threats: Threats, node: Ints, threat: Ints) -> Floats:
    """Persons exposed, float array [cell, severity]; 0 at agencies and abroad."""
    share = _by_severity(tables, "exposure", threats)
    people = np.zeros(len(nodes.code))
    people[: nodes.n_places] = nodes.population
    return people[node, None] * share[threat]


def _requirements(tables: Tables, threats: Threats, resources: Resources) -> tuple[Floats, Floats]:
    """Read requirements per 100 000 exposed and per node, each [threat, severity, resource]."""
    shape = (len(threats.name), 3, len(resources.name))
    arrays = {"per_100k_exposed": np.zeros(shape), "per_node": np.zeros(shape)}
    columns = ("threat", "severity", "resource", "base", "value")
    for threat, severity, resource, base, value in tables.columns("requirements", *columns):
        if threat in threats.index:
            at = threats.index[str(threat)], int(severity) - 1, resources.index[str(resource)]
            arrays[str(base)][at] = float(value)
    return arrays["per_100k_exposed"], arrays["per_node"]
