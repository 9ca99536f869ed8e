"""Measure one replication: tidy outcomes, daily series, places, map, flows and build-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.engine.contract import Run
from nts_sim.engine.prepared import prepared
from nts_sim.outcomes.effort import Effort, Help, effort_of
from nts_sim.outcomes.layout import Layout, layout_of
from nts_sim.outcomes.met import met_days
from nts_sim.outcomes.people import People, gini, people_of
from nts_sim.trace.fold import SLACK, ratio, sums_at
from nts_sim.world.model import Bools, Floats, Ints, World

_NAN = float("nan")
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
    flow_slot : int array, flattened positions in [fund label, mechanism, resource, place],
        ascending
    flow_units, flow_cost : float arrays, units and bn VND at those positions
    served_by : float array [mechanism, day], person-days served by means of the mechanism
    required : float array [2, place, resource]: teams most required at once and supplies required
        in all; unit-days (supplies: units) of both not met
    held : float array [place, resource], units on day 0, what was prepared included
    met_day : float array [place, resource], from when on the need is met; NaN where it never is
    needed : bool array [place, resource], something was required
    drawn : float array [fund label], bn VND taken from funds
    """

    values: Floats
    daily: Floats
    places: Floats
    map_days: Floats
    flow_slot: Ints
    flow_units: Floats
    flow_cost: Floats
    served_by: Floats
    required: Floats
    held: Floats
    met_day: Floats
    needed: Bools
    drawn: Floats


def measure(run: Run, world: World) -> Replication:
    """Measure one replication of `world`, as the run's policy prepared it."""
    layout = layout_of(prepared(world, run.preparation))
    people = people_of(run.trace, layout)
    effort = effort_of(run.trace, run.rulings, layout)
    places = _places(people, layout)
    values = _values(people, effort, places, layout)
    _, need, served, severity = people.daily
    met_day, needed = met_days(people, layout)
    series = people.daily[:3].sum(axis=1)
    return Replication(
        values=np.array([values.get(column, 0.0) for column in layout.columns]),
        daily=np.vstack((series, series[1] - series[2])),
        places=places,
        map_days=np.stack((people.active_days, severity, need, served)),
        flow_slot=effort.flows.slot, flow_units=effort.flows.units, flow_cost=effort.flows.cost,
        served_by=_served_by(people, effort.help, layout),
        required=_required(people, effort, layout),
        held=layout.world.resources.stock,
        met_day=met_day, needed=needed, drawn=effort.drawn,
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
    world, days, threat = layout.world, people.spells.days, people.threat
    relief = world.threats.relief_effect[threat]
    harm = sums_at(threat, people.harm * days * people.relieved, len(world.threats.name))
    affected = sums_at(
        layout.field_of[threat], people.exposed * days * people.relieved, len(layout.fields)
    )
    return {
        **_split("harm_bn_vnd", world.threats.name, harm),
        ("irreducible_harm_bn_vnd", "all"): float((people.harm * days) @ (1.0 - relief)),
        **_split("affected_person_days", layout.fields, affected),
        **_split("unmet_need_unit_days", layout.keys["resource"], days @ people.unmet, total=False),
    }


def _incident_values(people: People, layout: Layout) -> Values:
    world = layout.world
    counts = sums_at(world.cells.threat, people.incidents, len(world.threats.name))
    total = counts.sum()
    return {
        **_split("incidents", world.threats.name, counts),
        ("peak_active", "all"): float(people.most_active),
        ("days_to_containment", "all"): float(people.spells.days.sum() / total) if total else _NAN,
    }


def _effort_values(effort: Effort, layout: Layout) -> Values:
    n_funds, n_mechanisms = len(layout.keys["fund"]), len(layout.world.mechanisms)
    resources, before = layout.world.resources, layout.world.preparation_cost_bn_vnd
    response = effort.spent + effort.running + effort.supplies_replaced
    return {
        ("cost_bn_vnd", "all"): response + before,
        **_preparation_values(layout),
        **_split("spent_by_fund_bn_vnd", layout.keys["fund"], effort.spent_by_fund[:n_funds]),
        **_split(
            "spent_by_mechanism_bn_vnd", layout.keys["mechanism"],
            effort.spent_by_mechanism[:n_mechanisms],
        ),
        ("measure_cost_bn_vnd", "all"): layout.world.measure.cost_bn_vnd,
        ("running_cost_bn_vnd", "all"): effort.running,
        ("supplies_used_bn_vnd", "all"): effort.supplies_used,
        ("supplies_replaced_bn_vnd", "all"): effort.supplies_replaced,
        ("approval_wait_days", "all"): effort.wait_days,
        **_split("turns_units", layout.keys["team"], effort.turns[resources.is_team], total=False),
        ("force_turns", "all"): float(effort.turns @ resources.people_per_unit),
        ("force_days", "all"): float(effort.unit_days @ resources.people_per_unit),
    }  # fmt: skip


def _preparation_values(layout: Layout) -> Values:
    done = layout.world.prepared
    parts = dict.fromkeys(layout.keys["preparation"], 0.0) if done is None else done.cost.by_kind
    return _split("preparation_cost_bn_vnd", tuple(parts), np.array(list(parts.values())))


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


def _places(people: People, layout: Layout) -> Floats:
    """Metrics of `PLACE_METRICS` by place, [place, metric]."""
    world, n_places = layout.world, layout.world.nodes.n_places
    need, served = people.daily[1:3].sum(axis=2)
    share = ratio(served, need, empty=np.nan)
    harm = sums_at(people.place, people.harm * people.spells.days * people.relieved, n_places)
    incidents = sums_at(world.cells.place, people.incidents, n_places)
    return np.column_stack((need, served, need - served, share, harm, people.peak, incidents))


def _required(people: People, effort: Effort, layout: Layout) -> Floats:
    """Units required and unit-days not met, [2, place, resource]."""
    needed, is_team = layout.needed, layout.world.resources.is_team
    n_places, n_needed = layout.world.nodes.n_places, len(layout.needed)
    slot = people.place[:, None] * n_needed + np.arange(n_needed)
    unmet_days = people.unmet * people.spells.days[:, None]
    unmet, used = np.zeros((2, n_places, len(layout.resources)))
    unmet[:, needed] = sums_at(slot.ravel(), unmet_days.ravel(), n_places * n_needed).reshape(
        n_places, n_needed
    )
    used[:, needed] = people.used.sum(axis=2).T
    return np.stack((np.where(is_team, effort.levels.required, unmet + used), unmet))


# --- who served --------------------------------------------------------------------------------


def _served_by(people: People, came: Help, layout: Layout) -> Floats:
    """Share served person-days out over mechanisms, [mechanism, day].

    At a place and day, each required resource's use is told apart by origin (teams: visitors
    before own; supplies: in proportion to what was delivered so far and own stock on day 0), and
    the resources count alike. What needed no resource counts as the place's own.
    """
    served = people.daily[2]
    kinds_in_use = (people.used > SLACK).sum(axis=0)
    use = _use_there(people, came, layout)
    part = _visiting_part(came, use, layout.world) * (use > SLACK)
    weight = ratio(served, kinds_in_use)
    by_mechanism: Floats = came.mix.T @ (part * weight[came.place])
    by_mechanism[layout.local] += served.sum(axis=0) - by_mechanism.sum(axis=0)
    return by_mechanism


def _use_there(people: People, came: Help, layout: Layout) -> Floats:
    """Units in use of each group's resource at its place, averaged over the day, [group, day]."""
    column = layout.needed_column[came.resource]
    known = column >= 0
    use = np.zeros(came.there.shape)
    use[known] = people.used[column[known], came.place[known]]
    return use


def _visiting_part(came: Help, use: Floats, world: World) -> Floats:
    """Share of use that each group of visitors or deliveries meets, [group, day].

    Parameters
    ----------
    use : float array [group, day], of its resource at its place, whoever meets it
    """
    place, resource = came.place, came.resource
    at, number = np.unique(resource * world.nodes.n_places + place, return_inverse=True)
    total = np.zeros((len(at), use.shape[1]))
    np.add.at(total, number, came.there)
    total = total[number]
    own_stock = world.resources.stock[place, resource][:, None]
    is_team = world.resources.is_team[resource][:, None]
    return ratio(came.there, np.where(is_team, np.maximum(use, total), own_stock + total))
