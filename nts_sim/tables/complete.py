"""Rules between rows and tables: what must be there for a world to be built.

A planner's table replaces the shipped one whole, so a row left out is told and never taken for 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from nts_sim.errors import Problem
from nts_sim.tables.columns import TABLES
from nts_sim.words import say

Row = Mapping[str, object]
Rows = Mapping[str, list[Row]]

_SEVERITIES = ("1", "2", "3")
_COST_ITEMS = ("acquire", "run_per_day", "move_per_100km")
_EFFECTS = ("relief_effect", "response_containment_gain", "spread_reduction")
_SHOWN = 3


def completeness_problems(rows: Rows) -> list[Problem]:
    """Run every rule.

    Parameters
    ----------
    rows : table name → rows by column name
    """
    found = [*_needed_rows(rows), *_desk_problems(rows["desks"], rows["agencies"])]
    for mechanism in rows["mechanisms"]:
        found += _mechanism_problems(mechanism, rows)
    return found


def _kinds_of_tasks() -> list[str]:
    """Kinds that need someone in charge whatever the mechanism and resource."""
    return [kind for kind in _choices("task_roles", "kind") if kind != "any"]


def _needed_rows(rows: Rows) -> Iterator[Problem]:
    """Every combination that the world is built from has its row."""
    threats = _names(rows["threats"], "threat")
    resources = _names(rows["resources"], "resource")
    provinces = _names(rows["places"], "code")
    called = [m for m in rows["mechanisms"] if m["effect"] != "label"]
    stays = ("natural_stay_days",)
    needed = (
        ("road_speeds", ("item",), product(_choices("road_speeds", "item"))),
        ("unit_costs", ("resource", "item"), product(resources, _COST_ITEMS)),
        ("stocks", ("province_code", "resource"), product(provinces, resources)),
        ("threat_dynamics", ("threat", "parameter"), product(threats, _EFFECTS)),
        ("threat_dynamics", ("threat", "parameter", "severity"),
         product(threats, stays, _SEVERITIES)),
        ("exposure", ("threat", "severity"), product(threats, _SEVERITIES)),
        ("harm_weights", ("threat", "severity"), product(threats, _SEVERITIES)),
        ("event_rates", ("threat", "parameter"),
         product(threats, _choices("event_rates", "parameter"))),
        ("handover_lead", ("mechanism",), product(_names(called, "mechanism"))),
        ("declaration_levels", ("level",), product(_SEVERITIES)),
        ("desk_speed", ("severity",), product(("0", *_SEVERITIES))),
        ("preparation_steps", ("step",), product(_choices("preparation_steps", "step"))),
        ("task_roles", ("kind", "mechanism", "resource"), product(_kinds_of_tasks(), ("",), ("",))),
    )  # fmt: skip
    for table, columns, keys in needed:
        yield from _missing(table, columns, keys, rows[table])


def _missing(
    table: str, columns: tuple[str, ...], keys: Iterable[tuple[str, ...]], rows: list[Row]
) -> Iterator[Problem]:
    present = {tuple(_text(row[column]) for column in columns) for row in rows}
    lacking = [key for key in keys if key not in present]
    if lacking:
        blank = say("said.tables.left_blank")
        named = "; ".join(", ".join(part or blank for part in key) for key in lacking[:_SHOWN])
        by, more = say("said.tables.and").join(columns), len(lacking) - _SHOWN
        if more > 0:
            what = say("said.tables.no_rows", columns=by, named=named, more=str(more))
        else:
            what = say("said.tables.no_row", columns=by, named=named)
        yield Problem(f"{table}.csv", what)


def _text(value: object) -> str:
    """Write a whole number without its decimals, so that 1.0 and 1 are one key."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _names(rows: Iterable[Row], column: str) -> list[str]:
    return [str(row[column]) for row in rows]


def _choices(table: str, column: str) -> tuple[str, ...]:
    return next(c.choices for c in TABLES[table].columns if c.name == column)


def _desk_problems(desks: list[Row], agencies: list[Row]) -> Iterator[Problem]:
    """Find national desks that depend on something every province has."""
    level = {row["desk"]: row["level"] for row in desks}
    host_level = {row["agency"]: row["level"] for row in agencies}
    for row in desks:
        if row["level"] != "national":
            continue
        if level.get(row["up"], "national") != "national":
            what = say("said.tables.desk_up", desk=row["desk"], up=row["up"])
            yield Problem("desks.csv", what)
        if host_level[row["host"]] != "national":
            what = say("said.tables.desk_host", desk=row["desk"], host=row["host"])
            yield Problem("desks.csv", what)


def _mechanism_problems(mechanism: Row, rows: Rows) -> Iterator[Problem]:
    """Check that what takes orders has a desk, and that goods come from where it says."""
    name, effect = mechanism["mechanism"], mechanism["effect"]
    if effect in {"money", "goods", "transfer"} and not mechanism["desk"]:
        yield Problem("mechanisms.csv", say("said.tables.needs_desk", mechanism=name))
    if effect != "goods":
        return
    if not mechanism["created_at"]:
        yield Problem("mechanisms.csv", say("said.tables.needs_created_at", mechanism=name))
    supplied = {row["resource"] for row in rows["mechanism_supply"] if row["mechanism"] == name}
    at_hubs = {row["resource"] for row in rows["hub_stocks"] if row["mechanism"] == name}
    expected = supplied if mechanism["created_at"] == "hub" else set()
    if at_hubs != expected:
        named = ", ".join(sorted(map(str, at_hubs ^ expected)))
        place = mechanism["created_at"]
        what = say("said.tables.created_elsewhere", mechanism=name, place=place, named=named)
        yield Problem("hub_stocks.csv", what)
