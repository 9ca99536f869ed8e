"""Names in a study, held against the tables: every unknown one with the nearest known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nts_sim.errors import Problem
from nts_sim.spec.models import InjectSpec, ScenarioSpec, Study
from nts_sim.tables.columns import CENTRAL
from nts_sim.tables.load import Tables
from nts_sim.tables.names import nearest, resolve_place, unknown
from nts_sim.words import name_of, say


def study_problems(study: Study, scenario: ScenarioSpec, tables: Tables) -> list[Problem]:
    """List every name in the study that the tables do not know, and dates that cannot be."""
    return [
        *_scenario_problems(scenario, tables),
        *_resource_problems(study, tables),
        *_preparation_problems(study, tables),
        *_mechanism_problems(study, tables),
        *_fund_problems(study, scenario, tables),
        *_measure_problems(study, tables),
    ]


def _known(tables: Tables, table: str, column: str | None = None) -> set[str]:
    frame = tables[table]
    return set(frame[column or frame.columns[0]])


def _check(where: str, names: Iterable[str], known: Iterable[str], kind: str) -> Iterator[Problem]:
    listed = set(known)
    for name in names:
        if name not in listed:
            yield Problem(f"{where}.{name}", unknown(name, listed, kind))


def place_problem(where: str, place: str, tables: Tables) -> Iterator[Problem]:
    """Check the name of a place; the hint carries its code."""
    if resolve_place(place, tables.place_codes) is None:
        close = nearest(place, tables.place_codes)
        if close:
            what = say("said.names.near", what=name_of("kind", "place"), name=place,
                       close=tables.place_labels[tables.place_codes[close]])  # fmt: skip
        else:
            what = say("said.world.place", place=place)
        yield Problem(where, what)


def _scenario_problems(scenario: ScenarioSpec, tables: Tables) -> Iterator[Problem]:
    threats = _known(tables, "threats")
    where = say("said.where.scenario", name=scenario.name)
    yield from _check(f"{where}.threats", scenario.threats, threats, "threat")
    for key, names in (
        ("random_events", scenario.random_events),
        ("warning_days", scenario.warning_days),
    ):
        yield from _check(f"{where}.{key}", names, scenario.threats, "scenario_threat")
    for number, inject in enumerate(scenario.injects):
        yield from _inject_problems(f"{where}.injects[{number}]", inject, scenario, tables)
    if not scenario.injects and not scenario.random_events:
        yield Problem(where, say("said.world.nothing_happens"))


def _inject_problems(
    where: str, inject: InjectSpec, scenario: ScenarioSpec, tables: Tables
) -> Iterator[Problem]:
    if inject.threat not in scenario.threats:
        what = unknown(inject.threat, scenario.threats, "scenario_threat")
        yield Problem(f"{where}.threat", what)
    if inject.day >= scenario.horizon_days:
        horizon = scenario.horizon_days
        what = say("said.world.after_horizon", day=f"{inject.day:g}", horizon=horizon)
        yield Problem(f"{where}.day", what)
    agency = _agency(inject.place, tables)
    if agency is None:
        yield from place_problem(f"{where}.place", inject.place, tables)
    elif inject.threat in scenario.threats and not _slows_desks(inject.threat, tables):
        what = say("said.world.cannot_hit", threat=inject.threat, agency=inject.place)
        yield Problem(f"{where}.place", what)


def _agency(place: str, tables: Tables) -> str | None:
    """Return the agency that a code such as ``MOF`` or ``08.people_committee`` names, or None."""
    levels = dict(tables.columns("agencies", "agency", "level"))
    if levels.get(place) == "national":
        return place
    province, _, kind = place.partition(".")
    known = province in _known(tables, "places") and levels.get(kind) == "provincial"
    return place if known else None


def _slows_desks(threat: str, tables: Tables) -> bool:
    return bool(dict(tables.columns("threats", "threat", "slows_desks")).get(threat, False))


def _resource_problems(study: Study, tables: Tables) -> Iterator[Problem]:
    known = _known(tables, "resources")
    spec = study.resources
    yield from _check("resources.stock_factors", spec.stock_factors, known, "resource")
    for place, own in spec.stocks_units.items():
        where = f"resources.stocks_units.{place}"
        yield from place_problem(where, place, tables)
        yield from _check(where, own, known, "resource")


def _preparation_problems(study: Study, tables: Tables) -> Iterator[Problem]:
    kinds = dict(tables.columns("resources", "resource", "kind"))
    supplies = [name for name, kind in kinds.items() if kind == "supply"]
    spec = study.preparation
    yield from _check("preparation.tonnes_per_unit", spec.tonnes_per_unit, supplies, "supply")
    for key, names in (
        ("resource_share_at_least", spec.resource_share_at_least),
        ("resource_share_at_most", spec.resource_share_at_most),
    ):
        yield from _check(f"preparation.{key}", names, kinds, "resource")
    for name, source in spec.sources.items():
        where = f"preparation.sources.{name}.resources"
        yield from _check(where, source.resources, kinds, "resource")


def _mechanism_problems(study: Study, tables: Tables) -> Iterator[Problem]:
    spec = study.mechanism
    yield from _check("mechanism.desk_servers", spec.desk_servers, _known(tables, "desks"), "desk")
    yield from _check("mechanism.changes", spec.changes, _known(tables, "mechanisms"), "mechanism")


def _fund_problems(study: Study, scenario: ScenarioSpec, tables: Tables) -> Iterator[Problem]:
    spec = study.fund
    kinds = _known(tables, "funds", "fund")
    mechanisms = _known(tables, "mechanisms")
    yield from _check("fund.balance_factors", spec.balance_factors, kinds, "fund")
    for owner, balances in spec.balances_bn_vnd.items():
        where = f"fund.balances_bn_vnd.{owner}"
        if owner != CENTRAL:
            yield from place_problem(where, owner, tables)
        yield from _check(where, balances, kinds, "fund")
    for kind, allowed in spec.earmarks.items():
        yield from _check("fund.earmarks", [kind], kinds, "fund")
        yield from _check(f"fund.earmarks.{kind}", allowed, mechanisms, "mechanism")
    if spec.closes_on is not None and spec.closes_on < scenario.start_date:
        start = scenario.start_date
        what = say("said.world.closes_early", closes=spec.closes_on, start=start)
        yield Problem("fund.closes_on", what)


def _measure_problems(study: Study, tables: Tables) -> Iterator[Problem]:
    threats = _known(tables, "threats")
    yield from _check("measure.onset_share", study.measure.onset_share, threats, "threat")
    yield from _check("measure.hit_share", study.measure.hit_share, threats, "threat")
