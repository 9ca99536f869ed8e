"""Every metric, declared once: name, unit, meaning, direction.

All are burdens, lower is better, except those that say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

By = Literal[
    "all", "field", "threat", "resource", "team", "supply", "fund", "mechanism", "preparation"
]
"""What a metric is split by; every split but `team`, `resource` and `supply` also has 'all'."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One outcome of a replication.

    Attributes
    ----------
    name, unit, meaning : str
    by : the split of its keys; "all" is the single key 'all'
    with_total : a split metric that also has the key 'all'
    lower_is_better : bool
    ranked : policies are ranked by its key 'all'
    """

    name: str
    unit: str
    meaning: str
    by: By = "all"
    with_total: bool = True
    lower_is_better: bool = True
    ranked: bool = False


METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "total_burden_bn_vnd", "bn VND",
        "harm, cost of the response and cost of the prevention measure together", ranked=True),
    Metric(
        "measure_cost_bn_vnd", "bn VND",
        "cost of the prevention measure, the same under every policy"),
    Metric(
        "harm_bn_vnd", "bn VND",
        "harm rate * days * (1 - relief effect * coverage), summed over incidents",
        by="threat", ranked=True),
    Metric(
        "irreducible_harm_bn_vnd", "bn VND",
        "harm that would remain of the same incidents if everyone were covered throughout"),
    Metric(
        "affected_person_days", "person-days",
        "people exposed * days * (1 - relief effect * coverage)", by="field", ranked=True),
    Metric(
        "unmet_need_unit_days", "unit-days",
        "required units * days * (1 - coverage)", by="resource", with_total=False),
    Metric(
        "cost_bn_vnd", "bn VND",
        "all cost: preparation, spent, running cost of teams, supplies to be replaced",
        ranked=True),
    Metric(
        "preparation_cost_bn_vnd", "bn VND",
        "paid before day 0: units bought, units posted with their days away, depots, readiness",
        by="preparation"),
    Metric(
        "spent_by_fund_bn_vnd", "bn VND",
        "charged at handover; what a working account paid is told by where its money came from",
        by="fund"),
    Metric(
        "spent_by_mechanism_bn_vnd", "bn VND", "charged at handover", by="mechanism"),
    Metric(
        "running_cost_bn_vnd", "bn VND",
        "teams: per day away from home, or in use at home; not charged to a fund"),
    Metric(
        "supplies_used_bn_vnd", "bn VND", "supplies used, at the cost of new ones"),
    Metric(
        "supplies_replaced_bn_vnd", "bn VND",
        "the part of supplies used that was not bought by an order, at the cost of new ones"),
    Metric("incidents", "incidents", "activations of a threat at a place or agency", by="threat"),
    Metric("peak_active", "incidents", "most incidents active at once"),
    Metric(
        "days_to_containment", "days",
        "mean length of an incident; one still active at the end counts until the end"),
    Metric("approval_wait_days", "days", "mean wait of an order for its signature"),
    Metric(
        "turns_units", "units", "teams posted away from home or mobilised, each posting once",
        by="team", with_total=False),
    Metric("force_turns", "people", "people in teams posted, each posting once"),
    Metric("force_days", "person-days", "people in teams * days from departure until home again"),
    Metric(
        "served_share", "share", "served person-days of needed person-days",
        lower_is_better=False, ranked=True),
    Metric(
        "served_share_worst", "share", "served share of the worst served province in need",
        lower_is_better=False, ranked=True),
    Metric(
        "served_share_gini", "0 to 1",
        "inequality of served shares between provinces in need, weighted by population; 0 = equal",
        ranked=True),
)  # fmt: skip

BY_NAME: Final = {metric.name: metric for metric in METRICS}
RANKED: Final = tuple(metric.name for metric in METRICS if metric.ranked)

PLACE_METRICS: Final[tuple[str, ...]] = (
    "need_person_days", "served_person_days", "unmet_person_days", "served_share",
    "harm_bn_vnd", "peak_severity", "incidents",
)  # fmt: skip
"""Per place, in the table `places`; served_share only over replications with need there."""

SERIES: Final = ("active_incidents", "people_in_need", "people_served", "people_unmet")
"""Per day, in the table `daily`."""
