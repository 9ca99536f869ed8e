"""Where onsets come from: the script, and the streams of random events."""

from __future__ import annotations

import numpy as np

from nts_sim.spec.models import MeasureSpec, ScenarioSpec
from nts_sim.tables.load import Tables
from nts_sim.world.model import Cells, Floats, Hazard, Inject, Nodes, RandomEvents, Threats
from nts_sim.world.threats import by_threat, inject_node

MONTHS = 12
_LEAST_WEIGHT = 1e-12


def make_hazard(
    tables: Tables, nodes: Nodes, threats: Threats, cells: Cells, scenario: ScenarioSpec,
    measure: MeasureSpec,
) -> Hazard:  # fmt: skip
    """Make the script and the random streams; a scenario's warning days replace the table's."""
    frame = tables["threats"]
    warned = dict(zip(frame["threat"], frame["warning_days"], strict=True)) | scenario.warning_days
    injects = []
    for entry in scenario.injects:
        node = inject_node(tables, nodes, entry.place)
        cell = int(cells.of[-1 if node is None else node, threats.index[entry.threat]])
        injects.append(Inject(cell, entry.severity, entry.day, entry.probability))
    chosen = [name for name in threats.name if name in scenario.random_events]
    return Hazard(
        injects=tuple(injects),
        events=tuple(_events(tables, nodes, threats, name) for name in chosen),
        warning_days=by_threat(threats, warned, default=0.0),
        onset_share=by_threat(threats, measure.onset_share),
    )


def _events(tables: Tables, nodes: Nodes, threats: Threats, threat: str) -> RandomEvents:
    """Make the stream of one threat.

    The first province is drawn with weight (its own) × (its region's share of the month); the
    national rate of a month is the yearly rate × the month's share of all such weight, so that
    season and place go together: landfalls in the centre come later in the year than in the north.
    """
    rates = {
        str(parameter): float(value)
        for name, parameter, value in tables.columns("event_rates", "threat", "parameter", "value")
        if name == threat
    }
    first, grow = _weights(tables, nodes, threat)
    first_weight = _season(tables, nodes, threat) * first
    by_month = first_weight.sum(axis=1)
    return RandomEvents(
        threat=threats.index[threat],
        month_rate=rates["events_per_year"] * by_month / max(by_month.sum(), _LEAST_WEIGHT),
        first_weight=first_weight,
        size_mean=rates["provinces_per_event"],
        growth_weight=_shared_border_km(tables, nodes) * grow[None, :],
        severity_probability=np.array([rates[f"first_severity_{s}"] for s in (1, 2, 3)]),
        hops_per_severity=int(rates["hops_per_severity"]),
        days_per_hop=rates["days_per_hop"],
    )


def _weights(tables: Tables, nodes: Nodes, threat: str) -> tuple[Floats, Floats]:
    """Weights to be first and to be grown into, each [province]."""
    first, grow = np.zeros(nodes.n_provinces), np.zeros(nodes.n_provinces)
    columns = ("threat", "province_code", "first_weight", "weight")
    for name, code, first_weight, weight in tables.columns("event_places", *columns):
        if name == threat:
            first[nodes.index[str(code)]] = float(first_weight)
            grow[nodes.index[str(code)]] = float(weight)
    return first, grow


def _season(tables: Tables, nodes: Nodes, threat: str) -> Floats:
    """Share of the year by month and province, [month, province]."""
    region = dict(tables.columns("places", "code", "region_id"))
    share = {
        (region_id, month): float(value)
        for name, region_id, month, value in tables.columns(
            "event_months", "threat", "region_id", "month", "value"
        )
        if name == threat
    }
    provinces = nodes.code[: nodes.n_provinces]
    return np.array(
        [
            [share.get((region[code], month), 0.0) for code in provinces]
            for month in range(1, MONTHS + 1)
        ]
    )


def _shared_border_km(tables: Tables, nodes: Nodes) -> Floats:
    km = np.zeros((nodes.n_provinces, nodes.n_provinces))
    for a, b, length in tables.columns("adjacency", "from_code", "to_code", "shared_border_km"):
        km[nodes.index[str(a)], nodes.index[str(b)]] = float(length)
    return km
