"""Every input table's columns, declared once: validation, documentation and export read this place.

A column says its kind, unit, meaning, allowed values and what it refers to. Every table also ends
with ``source`` (where a row comes from) and ``status`` (how firm it is), added here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from nts_sim.words import is_known, say

Kind = Literal["code", "text", "number", "integer", "flag"]

STATUSES: Final = ("sourced", "computed", "assumption")
SEA: Final = "SEA"
CENTRAL: Final = "CENTRAL"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an input table.

    Attributes
    ----------
    name, unit, meaning : str
    kind : code (short name other tables may refer to), text, number, integer or flag (true, false)
    low, high : inclusive range of a number
    choices : closed vocabulary of a code or text; empty: open
    refers_to : "table.column" entries among which the value must be found
    also : values allowed beside those
    key : part of the table's key, which must not repeat
    optional : may be blank
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    low: float = 0.0
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    key: bool = False
    optional: bool = False

    @property
    def told(self) -> str:
        """Its meaning, in the language spoken."""
        key = f"said.meaning.{self.meaning}"
        return say(key) if is_known(key) else self.meaning


@dataclass(frozen=True, slots=True)
class Table:
    """One input table: its file name without ``.csv``, its meaning and its columns."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns whose values together must not repeat."""
        return tuple(column.name for column in self.columns if column.key)


_SOURCE = Column("source", "text", "where the row comes from")
_STATUS = Column("status", "text", "how firm the row is", choices=STATUSES)
_UNIT = Column("unit", "text", "unit of the value")


def _table(name: str, meaning: str, *columns: Column) -> Table:
    return Table(name, meaning, (*columns, _SOURCE, _STATUS))


def _valued(name: str, meaning: str, value: Column, *keys: Column) -> Table:
    return Table(name, meaning, (*keys, value, _UNIT, _SOURCE, _STATUS))


def _value(meaning: str, high: float = float("inf"), *, optional: bool = False) -> Column:
    return Column("value", "number", meaning, high=high, optional=optional)


def _province(name: str = "province_code", *, key: bool = True) -> Column:
    return Column(name, "code", "province", refers_to=("places.code",), key=key)


def _threat(name: str = "threat", *, key: bool = True) -> Column:
    return Column(name, "code", "threat", refers_to=("threats.threat",), key=key)


def _resource(*, key: bool = True) -> Column:
    return Column("resource", "code", "resource", refers_to=("resources.resource",), key=key)


def _mechanism(*, key: bool = True) -> Column:
    return Column("mechanism", "code", "mechanism", refers_to=("mechanisms.mechanism",), key=key)


def _place(name: str, *extra: str) -> Column:
    return Column(
        name, "code", "province or border locality", key=True, also=extra,
        refers_to=("places.code", "foreign_places.code"),
    )  # fmt: skip


def _severity(low: float = 1, *, optional: bool = False) -> Column:
    return Column(
        "severity", "integer", "1 commune, 2 province, 3 national", low=low, high=3, key=True,
        optional=optional,
    )  # fmt: skip


_LATITUDE = Column("latitude", "number", "seat of government", "degrees north", 0.0, 60.0)
_LONGITUDE = Column("longitude", "number", "seat of government", "degrees east", 60.0, 180.0)
_KM = Column("shared_border_km", "number", "length of the shared border", "km", 0.1, 5000)

_PLACES = (
    _table(
        "places", "provinces and centrally run cities",
        Column("code", "code", "official code, two digits", key=True),
        Column("name_vi", "text", "name with diacritics"),
        Column("name", "text", "name without diacritics"),
        Column("kind", "text", "status on 2025-07-01", choices=("city", "province")),
        Column("region_id", "code", "socio-economic region"),
        Column("region", "text", "its name"),
        Column("admin_centre", "text", "seat of government"),
        _LATITUDE, _LONGITUDE,
        Column("area_km2", "number", "area", "km2", high=1e6),
        Column("population", "integer", "people", "persons", low=1, high=5e7),
        Column("grdp_bn_vnd", "number", "gross regional product 2024", "bn VND"),
        Column("grdp_basis", "text", "published, or how it was estimated"),
        Column("coastal", "flag", "has a sea coast"),
    ),
    _table(
        "foreign_places", "provinces of neighbouring countries on the land border",
        Column("code", "code", "ISO 3166-2", key=True),
        Column("name", "text", "name"),
        Column("name_vi", "text", "Vietnamese name"),
        Column("country", "text", "country"),
        _LATITUDE, _LONGITUDE,
    ),
    _table(
        "place_aliases", "former provinces, abbreviations and other spellings",
        Column("alias", "text", "what a planner may write", key=True),
        _province("code", key=False),
        Column("kind", "text", "why it is known", choices=("former_province", "abbreviation")),
    ),
    _table(
        "adjacency", "pairs of provinces that touch, in both directions",
        _province("from_code"), _province("to_code"), _KM,
        Column("centre_distance_km", "number", "straight line between seats", "km", 1, 3000),
        Column("water_only", "flag", "the border lies in a river mouth: no road crosses it"),
    ),
    _table(
        "rivers", "directed river reaches, upstream to downstream",
        Column("basin", "text", "basin"),
        Column("river", "text", "river", key=True),
        _place("from_code"), _place("to_code", SEA),
        Column("note", "text", "remark", optional=True),
    ),
    _table(
        "border_links", "border localities abroad and the provinces they touch",
        Column("foreign_code", "code", "locality", refers_to=("foreign_places.code",), key=True),
        _province(), _KM,
    ),
)  # fmt: skip

_AGENCIES = (
    _table(
        "agencies", "ministries (national) and the agencies that every province has (provincial)",
        Column("agency", "code", "short name; a provincial node is <province>.<agency>", key=True),
        Column("title", "text", "name"),
        Column("title_vi", "text", "Vietnamese name"),
        Column("level", "text", "level", choices=("national", "provincial")),
        Column("fields", "text", "what it answers for"),
        Column(
            "reports_to", "code", "superior agency", refers_to=("agencies.agency",), optional=True
        ),
    ),
    _valued(
        "digital_links", "who takes whose systems down, between kinds of node",
        _value("share of the link probability", 1.0),
        Column(
            "from_kind", "code", "agency, or province: the place itself", key=True,
            refers_to=("agencies.agency",), also=("province",),
        ),
        Column(
            "to_kind", "code", "as from_kind", key=True, refers_to=("agencies.agency",),
            also=("province",),
        ),
    ),
    _table(
        "desks", "who signs orders, and how fast",
        Column("desk", "code", "desk; a provincial one exists in every province", key=True),
        Column("title", "text", "name"),
        Column("title_vi", "text", "Vietnamese name"),
        Column("level", "text", "level", choices=("national", "provincial")),
        Column("host", "code", "agency whose outage slows it", refers_to=("agencies.agency",)),
        Column("servers", "integer", "orders signed at a time", low=1, high=1000),
        Column("approval_days_median", "number", "time to sign one order", "days", high=365),
        Column(
            "delegation_bn_vnd", "number", "largest amount it may sign; blank: no limit", "bn VND",
            optional=True,
        ),
        Column(
            "up", "code", "desk that signs larger amounts", refers_to=("desks.desk",),
            optional=True,
        ),
    ),
    _valued(
        "desk_speed", "share of normal desk speed while the host is hit",
        _value("share of normal speed", 1.0), _severity(0),
    ),
    _table(
        "declaration_levels", "who declares which level of civil defence",
        Column("level", "integer", "declared level", low=1, high=3, key=True),
        Column("desk", "code", "who signs", refers_to=("desks.desk",)),
        Column("authority", "text", "who declares"),
        Column("checked", "flag", "the legal basis was seen in a retrieved text"),
    ),
)  # fmt: skip

_RESOURCES = (
    _table(
        "resources", "what help is made of",
        Column("resource", "code", "short name", key=True),
        Column("title", "text", "name"),
        Column("kind", "text", "teams come back, supplies are used up", choices=("team", "supply")),
        Column("meaning", "text", "what one unit is"),
        Column("whole_units", "flag", "only whole units are sent"),
        Column("people_per_unit", "integer", "people in one unit", "persons", high=1000),
    ),
    _valued(
        "unit_costs", "cost of one unit", _value("cost"),
        _resource(),
        Column(
            "item", "code", "what is paid for", key=True,
            choices=("acquire", "hold_per_year", "run_per_day", "move_per_100km"),
        ),
    ),
    _valued("stocks", "units held on day 0", _value("units"), _province(), _resource()),
    _valued(
        "hub_stocks", "units reachable only through a mechanism", _value("units"),
        _mechanism(), _province(), _resource(),
    ),
)  # fmt: skip

_DYNAMICS = (
    "relief_effect", "response_containment_gain", "spread_reduction", "natural_stay_days",
    "escalation_days",
)  # fmt: skip
_LAYERS = ("self", "land", "river", "transport", "border", "digital")

_THREATS = (
    _table(
        "threats", "what can happen",
        Column("threat", "code", "short name", key=True),
        Column("title", "text", "name"),
        Column("title_vi", "text", "Vietnamese name"),
        Column("field", "text", "field of non-traditional security"),
        Column("blocks_roads", "flag", "slows convoys through places it hits"),
        Column("slows_desks", "flag", "can hit agencies and slows their desks"),
        Column("immunity_days", "number", "mean; 0: can return at once", "days", high=3650),
        Column("warning_days", "number", "known this long before", "days", high=60),
        Column("priority_class", "integer", "lower is served first", low=1, high=9),
    ),
    _valued(
        "threat_dynamics", "how an incident grows and ends (blank escalation: never)",
        _value("value of the parameter", 3650, optional=True),
        _threat(), _severity(optional=True),
        Column("parameter", "code", "which", choices=_DYNAMICS, key=True),
    ),
    _valued(
        "exposure", "share of a place's people that an incident touches",
        _value("share of the population", 1.0), _threat(), _severity(),
    ),
    _valued(
        "requirements", "what one incident needs: units of teams, units a day of supplies",
        _value("units"), _threat(), _severity(), _resource(),
        Column("base", "code", "per what", choices=("per_100k_exposed", "per_node"), key=True),
    ),
    _valued(
        "harm_weights", "harm of one thousand affected person-days",
        _value("bn VND per 1000 affected person-days"), _threat(), _severity(),
    ),
    _table(
        "spread_links", "which threat leads to which, over which layer",
        _threat("from_threat"), _threat("to_threat"),
        Column("layer", "code", "layer of the network", choices=_LAYERS, key=True),
        Column("probability", "number", "per activation of the source at weight 1", high=1.0),
        Column("lag_days", "number", "mean time to the hit", "days", high=3650),
        Column("repeats", "flag", "arms again after each hit while the source is active"),
        Column("stops", "flag", "a hit in flight dies with its source"),
    ),
)  # fmt: skip

_SCOPES = ("national", "place", "decision", "share_of_stock")

_MECHANISMS = (
    _valued(
        "funds", "money on day 0", _value("balance"),
        Column(
            "owner", "code", "province, or CENTRAL", refers_to=("places.code",), also=(CENTRAL,),
            key=True,
        ),
        Column("fund", "code", "kind of fund; account: the working account", key=True),
    ),
    _table(
        "mechanisms", "ways to mobilise help",
        Column("mechanism", "code", "short name", key=True),
        Column("title", "text", "name"),
        Column("title_vi", "text", "Vietnamese name"),
        Column(
            "effect", "code", "label: own stock, needs no order",
            choices=("money", "goods", "transfer", "gate", "label"),
        ),
        Column("desk", "code", "who signs", refers_to=("desks.desk",), optional=True),
        Column(
            "fund", "code", "fund drawn on or charged; blank: none", refers_to=("funds.fund",),
            optional=True,
        ),
        Column("fund_is_central", "flag", "the fund is national, not the place's own"),
        Column("enabled", "flag", "available by default"),
        Column("min_severity", "integer", "worst severity at the place, at least", high=3),
        Column("declared_level", "integer", "level declared at the place, at least", high=3),
        Column("days_since_onset", "number", "at least", "days", high=365),
        Column(
            "after_fund", "code", "kind of fund that must be exhausted first",
            refers_to=("funds.fund",), optional=True,
        ),
        Column("max_uses", "integer", "blank: no limit", high=1e5, optional=True),
        Column("ceiling_bn_vnd", "number", "largest draw; blank: the fund", optional=True),
        Column("fixed_cost_bn_vnd", "number", "charged once per order", "bn VND"),
        Column(
            "donor_share", "number", "share of spare own stock that may be away", high=1.0,
            optional=True,
        ),
        Column(
            "created_at", "code", "goods: at hubs, or on the spot", choices=("hub", "spot"),
            optional=True,
        ),
        Column("authority", "text", "who approves"),
        Column("authority_vi", "text", "the same in Vietnamese"),
        Column("legal_basis", "text", "on what basis"),
        Column("legal_basis_vi", "text", "the same in Vietnamese"),
        Column("checked", "flag", "the basis was seen in a retrieved text"),
    ),
    _valued(
        "mechanism_supply", "what a goods mechanism can create, at most", _value("ceiling"),
        _mechanism(), _resource(),
        Column(
            "scope", "code", "ceiling for all together, each place, each order, or as a share of "
            "the place's own stock", choices=_SCOPES,
        ),
        Column(
            "cost_base", "code", "unit cost it is priced on",
            choices=("acquire", "hold_per_year", "run_per_day", "move_per_100km"),
        ),
        Column("cost_factor", "number", "times that unit cost", high=1000),
    ),
    _valued("handover_lead", "median days from approval to first handover",
            _value("days", 3650), _mechanism()),
    _valued(
        "ramps", "tranches in which help is handed over", _value("cumulative share", 1.0),
        _mechanism(),
        Column("day", "integer", "whole days after the first handover", "days", high=365, key=True),
    ),
    _valued(
        "road_speeds", "travel and mobility", _value("value of the item"),
        Column("item", "code", "which", key=True, choices=(
            "road_speed_km_per_day", "detour_factor", "speed_share_0", "speed_share_1",
            "speed_share_2", "speed_share_3", "own_place_days", "load_days",
            "gravity_exponent_population", "gravity_exponent_distance", "gravity_min_distance_km",
        )),
    ),
)  # fmt: skip

_EVENTS = (
    _valued(
        "event_rates", "random events of a threat", _value("value of the parameter"),
        _threat(),
        Column("parameter", "code", "which", key=True, choices=(
            "events_per_year", "provinces_per_event", "first_severity_1", "first_severity_2",
            "first_severity_3", "hops_per_severity", "days_per_hop",
        )),
    ),
    _table(
        "event_places", "where random events begin and grow",
        _threat(), _province(),
        Column("weight", "number", "preference when an event grows", "events a year or share"),
        Column("first_weight", "number", "chance to be the first province", "as weight"),
    ),
    _valued(
        "event_months", "season of random events by region", _value("share of the year", 1.0),
        _threat(),
        Column("region_id", "code", "region", refers_to=("places.region_id",), key=True),
        Column("month", "integer", "calendar month", low=1, high=12, key=True),
    ),
)  # fmt: skip

_TASK_KINDS = (
    "declare", "draw", "return", "mobilise", "move", "serve", "buy", "post", "depot", "ready",
)  # fmt: skip
_ROLES = ("chair", "deputy_chair", "director", "commander", "head_of_department")


def _agency(name: str, meaning: str, *, optional: bool = False) -> Column:
    return Column(name, "code", meaning, refers_to=("agencies.agency",), optional=optional)


_TASKS = (
    _table(
        "task_roles", "who carries out a task, who answers for it and who supports; the row that "
        "says most about a task counts",
        Column("kind", "code", "of task; any: whatever is done with a resource", key=True,
               choices=(*_TASK_KINDS, "any")),
        Column("mechanism", "code", "blank: any", key=True, optional=True,
               refers_to=("mechanisms.mechanism",)),
        Column("resource", "code", "blank: any", key=True, optional=True,
               refers_to=("resources.resource",)),
        _agency("unit_in_charge", "agency that carries it out"),
        Column("role", "code", "role in that agency", choices=_ROLES),
        _agency("answers", "agency that answers for it"),
        _agency("supports", "agency that supports"),
        _agency("supports_too", "another one", optional=True),
        Column("acts_in", "code", "whose agencies carry it out and answer, where they are "
               "provincial: of the place helped, or of that which units leave",
               choices=("place", "source")),
    ),
    _table(
        "preparation_steps", "how what is done before day 0 is decided on",
        Column("step", "code", "what is done", key=True,
               choices=("buy", "post", "depot", "ready")),
        Column("desk", "code", "who signs", refers_to=("desks.desk",)),
        Column("lead_days", "number", "from signature until it is in place", "days", high=3650),
        Column("legal_basis", "text", "on what basis; blank: as the mechanism", optional=True),
        Column("legal_basis_vi", "text", "the same in Vietnamese", optional=True),
        Column("checked", "flag", "the basis was seen in a retrieved text"),
    ),
)  # fmt: skip

TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (*_PLACES, *_AGENCIES, *_RESOURCES, *_THREATS, *_MECHANISMS, *_EVENTS, *_TASKS)
}

_MAPS = (
    _table(
        "special_zones", "special zones on islands: points to draw, no outlines",
        Column("code", "code", "official code of the unit, five digits", key=True),
        Column("name_vi", "text", "name with diacritics"),
        _province(key=False), _LATITUDE, _LONGITUDE,
    ),
    _table(
        "communes_08", "communes and wards of Tuyen Quang: points to draw, no outlines",
        Column("code", "code", "official code, five digits", key=True),
        Column("name_vi", "text", "name with diacritics"),
        Column("name", "text", "name without diacritics"),
        _province(key=False),
        Column("kind", "text", "status", choices=("ward", "commune", "special_zone")),
        _LATITUDE, _LONGITUDE,
        Column("area_km2", "number", "area", "km2", high=1e5),
        Column("population", "integer", "people, modelled", "persons", low=1, high=1e6),
        Column("borders_abroad", "flag", "lies on a land border with another country"),
        Column("is_seat", "flag", "seat of the provincial government"),
    ),
)  # fmt: skip

MAP_TABLES: Final[Mapping[str, Table]] = {table.name: table for table in _MAPS}
"""Tables for drawing only: no study reads them, and no result depends on them."""
