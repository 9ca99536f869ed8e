"""Measure one replication: tidy outcomes, daily series, places, map, flows and build-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.engine.contract import Run
from nts_sim.outcomes.effort import Effort, Visitors, effort_of
from nts_sim.outcomes.layout import Layout, layout_of
from nts_sim.outcomes.people import People, activations, gini, most_required, people_of
from nts_sim.trace.fold import daily_integral, most_at_once, ratio, sums_at
from nts_sim.world.model import Floats, World

_NAN = float("nan")
_SLACK = 1e-9
"""Units below this are what rounding leaves."""
Values = dict[tuple[str, str], float]


@dataclass(frozen=True, eq=False)
class Replication:
    """What one replication under one policy came to.

    Attributes
    ----------
    values : float array [column], in the order of `Layout.columns`; NaN where undefined
    daily : float array [4, day], the series of `metrics.SERIES`
    places : float array [place, metric], as `metrics.PLACE_METRICS`
    map_days : float array [4, place, day]: part of the day with an incident, mean severity,
        person-days in need, person-days served
    flow_units, flow_cost : float array [fund label, mechanism, resource, place]
    served_by : float array [mechanism, day], person-days served by means of the mechanism
    required : float array [2, place, resource]: teams most required at once and supplies required
        in all; unit-days (supplies: units) of both not met
    """

    values: Floats
    daily: Floats
    places: Floats
    map_days: Floats
    flow_units: Floats
    flow_cost: Floats
    served_by: Floats
    required: Floats


def measure(run: Run, world: World) -> Replication:
    """Measure one replication."""
    layout = layout_of(world)
    people = people_of(run.trace, layout)
    effort = effort_of(run.trace, run.rulings, people, layout)
    places = _places(people, world)
    values = _values(people, effort, places, layout)
    active, need, served, severity = people.daily
    series = (active.sum(axis=0), need.sum(axis=0), served.sum(axis=0))
    return Replication(
        values=np.array([values.get(column, 0.0) for column in layout.columns]),
        daily=np.stack((*series, series[1] - series[2])),
        places=places,
        map_days=np.stack((people.active_days, severity, need, served)),
        flow_units=effort.flow_units, flow_cost=effort.flow_cost,
        served_by=_served_by(people, effort, layout), required=_required(people, layout),
    )  # fmt: skip


def outcomes_of(run: Run, world: World) -> list[tuple[str, str, float]]:
    """Tidy outcomes of one replication: (metric, key, value); NaN where undefined."""
    columns = layout_of(world).columns
    values = measure(run, world).values.tolist()
    return [(metric, key, value) for (metric, key), value in zip(columns, values, strict=True)]


# --- numbers of the replication ----------------------------------------------------------------


def _values(people: People, effort: Effort, places: Floats, layout: Layout) -> Values:
    values: Values = {}
    values |= _harm_values(people, layout)
    values |= _incident_values(people, layout)
    values |= _effort_values(effort, layout)
    values |= _share_values(people, places, layout.world)
    values["total_burden_bn_vnd", "all"] = (
        values["harm_bn_vnd", "all"]
        + values["cost_bn_vnd", "all"]
        + layout.world.measure.cost_bn_vnd
    )
    return values


def _split(metric: str, keys: tuple[str, ...], amounts: Floats, *, total: bool = True) -> Values:
    listed = amounts.tolist()
    values = {(metric, key): amount for key, amount in zip(keys, listed, strict=True)}
    if total:
        values[metric, "all"] = float(amounts.sum())
    return values


def _harm_values(people: People, layout: Layout) -> Values:
    world, days = layout.world, people.spells.days
    threat = world.cells.threat[people.spells.cell]
    relief = world.threats.relief_effect[threat]
    harm = sums_at(threat, people.harm * days * people.relieved, len(world.threats.name))
    affected = sums_at(
        layout.field_of[threat], people.exposed * days * people.relieved, len(layout.fields)
    )
    unmet = days @ people.unmet
    return {
        **_split("harm_bn_vnd", world.threats.name, harm),
        ("irreducible_harm_bn_vnd", "all"): float((people.harm * days) @ (1.0 - relief)),
        **_split("affected_person_days", layout.fields, affected),
        **_split("unmet_need_unit_days", layout.keys("resource"), unmet, total=False),
    }


def _incident_values(people: People, layout: Layout) -> Values:
    world = layout.world
    threat = world.cells.threat[activations(people)]
    counts = np.bincount(threat, minlength=len(world.threats.name)).astype(np.float64)
    total = counts.sum()
    return {
        **_split("incidents", world.threats.name, counts),
        ("peak_active", "all"): float(most_at_once(people.rows)),
        ("days_to_containment", "all"): float(people.spells.days.sum() / total) if total else _NAN,
    }


def _effort_values(effort: Effort, layout: Layout) -> Values:
    n_funds, n_mechanisms = len(layout.keys("fund")), len(layout.world.mechanisms)
    teams = layout.world.resources.is_team
    return {
        ("cost_bn_vnd", "all"): effort.spent + effort.running + effort.supplies_replaced,
        **_split("spent_by_fund_bn_vnd", layout.keys("fund"), effort.spent_by_fund[:n_funds]),
        **_split(
            "spent_by_mechanism_bn_vnd", layout.keys("mechanism"),
            effort.spent_by_mechanism[:n_mechanisms],
        ),
        ("measure_cost_bn_vnd", "all"): layout.world.measure.cost_bn_vnd,
        ("running_cost_bn_vnd", "all"): effort.running,
        ("supplies_used_bn_vnd", "all"): effort.supplies_used,
        ("supplies_replaced_bn_vnd", "all"): effort.supplies_replaced,
        ("approval_wait_days", "all"): effort.wait_days,
        **_split("turns_units", layout.keys("team"), effort.turns[teams], total=False),
        ("force_turns", "all"): float(effort.turns @ layout.people),
        ("force_days", "all"): float(effort.unit_days @ layout.people),
    }  # fmt: skip


def _share_values(people: People, places: Floats, world: World) -> Values:
    need, served = places[:, 0], places[:, 1]
    provinces = np.flatnonzero(need[: world.nodes.n_provinces] > 0.0)
    share = places[provinces, 3]
    total = float(need.sum())
    return {
        ("served_share", "all"): float(served.sum()) / total if total > 0.0 else _NAN,
        ("served_share_worst", "all"): float(share.min()) if len(share) else _NAN,
        ("served_share_gini", "all"): gini(share, world.nodes.population[provinces]),
    }


# --- places ------------------------------------------------------------------------------------


def _places(people: People, world: World) -> Floats:
    """Metrics of `PLACE_METRICS` by place, [place, metric]."""
    n_places, days, place = world.nodes.n_places, people.spells.days, people.place

    def at_place(amount: Floats) -> Floats:
        return sums_at(place, amount * days, n_places)

    need = at_place(people.exposed)
    served = at_place(people.exposed * people.spells.coverage)
    share = ratio(served, need, empty=np.nan)
    harm = at_place(people.harm * people.relieved)
    incidents = np.bincount(world.cells.place[activations(people)], minlength=n_places)
    return np.column_stack((need, served, need - served, share, harm, people.peak, incidents))


def _required(people: People, layout: Layout) -> Floats:
    """Units required and unit-days not met, [2, place, resource]."""
    world, days = layout.world, people.spells.days
    n_places, needed = world.nodes.n_places, layout.needed
    made = np.zeros((2, n_places, len(layout.resources)))
    made[0] = most_required(people, world)
    for column, resource in enumerate(needed):
        unmet = people.unmet[:, column] * days
        made[1, :, resource] = sums_at(people.place, unmet, n_places)
        if not world.resources.is_team[resource]:
            all_days = (people.unmet[:, column] + people.used[:, column]) * days
            made[0, :, resource] = sums_at(people.place, all_days, n_places)
    return made


# --- who served --------------------------------------------------------------------------------


def _served_by(people: People, effort: Effort, layout: Layout) -> Floats:
    """Share served person-days out over mechanisms, [mechanism, day].

    At a place and day, each required resource's use is told apart by origin (teams: visitors
    before own; supplies: in proportion to what was delivered so far and own stock on day 0), and
    the resources count alike. What needed no resource counts as the place's own.
    """
    visitors, served = effort.visitors, people.daily[2]
    use = _daily_use(people, layout)
    part = _visiting_part(visitors, use, layout.world)
    in_use = use > _SLACK
    weight = ratio(np.ones(()), in_use.sum(axis=0))
    place, resource = visitors.place, visitors.resource
    scaled = part * in_use[resource, place] * weight[place] * served[place]
    by_mechanism: Floats = visitors.mix.T @ scaled
    by_mechanism[layout.local] += served.sum(axis=0) - by_mechanism.sum(axis=0)
    return by_mechanism


def _daily_use(people: People, layout: Layout) -> Floats:
    """Units in use, averaged over the day, [resource, place, day]."""
    world, spells = layout.world, people.spells
    n_places, horizon = world.nodes.n_places, world.horizon_days
    use = np.zeros((len(layout.resources), n_places, horizon))
    use[layout.needed] = daily_integral(
        spells.start, spells.end, np.ascontiguousarray(people.used.T), people.place, n_places,
        horizon,
    )  # fmt: skip
    return use


def _visiting_part(visitors: Visitors, use: Floats, world: World) -> Floats:
    """Share of use that each group of visitors or deliveries meets, [group, day]."""
    place, resource = visitors.place, visitors.resource
    came = np.zeros_like(use)
    np.add.at(came, (resource, place), visitors.there)
    is_team = world.resources.is_team[resource][:, None]
    own_stock = world.resources.stock[place, resource][:, None]
    total = came[resource, place]
    basis = np.where(is_team, np.maximum(use[resource, place], total), own_stock + total)
    return ratio(visitors.there, basis)
