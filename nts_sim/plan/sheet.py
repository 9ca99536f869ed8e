"""The shape of an exported plan: what writes a list of tasks and what reads it back share it.

A column may be titled in either language, with or without its unit, or by its id. Columns that are
`to_fill` are left blank: whoever carries the plan out fills them in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from nts_sim.sheets import Form, SheetColumn
from nts_sim.words import languages, say, speaking


@dataclass(frozen=True, slots=True)
class PlanColumn:
    """A column of the list of tasks.

    Attributes
    ----------
    id : the same in every language
    form : how its values are written in a workbook; dates are ``YYYY-MM-DD`` in CSV
    unit_key : text of its unit; empty: none
    to_fill : left blank for those who carry the plan out
    """

    id: str
    form: Form = "text"
    unit_key: str = ""
    to_fill: bool = False

    @property
    def title_key(self) -> str:
        """Text of its title."""
        return f"tasks.column.{self.id}"

    def heading(self) -> str:
        """Return its title with its unit, in the language being spoken."""
        title = say(self.title_key)
        return f"{title} ({say(self.unit_key)})" if self.unit_key else title

    def in_workbook(self) -> SheetColumn:
        """Return the column as a workbook shows it: title and unit in rows of their own."""
        unit = say(self.unit_key) if self.unit_key else ""
        return SheetColumn(say(self.title_key), unit, self.form, self.to_fill)


_MONEY: Final = "tasks.unit_of.money"
_DATE: Final = "tasks.unit_of.date"

COLUMNS: Final = (
    PlanColumn("task"),
    PlanColumn("work"),
    PlanColumn("unit_in_charge"),
    PlanColumn("role"),
    PlanColumn("person", to_fill=True),
    PlanColumn("start", "date", _DATE),
    PlanColumn("due", "date", _DATE),
    PlanColumn("quantity", "2"),
    PlanColumn("unit"),
    PlanColumn("status", to_fill=True),
    PlanColumn("done_on", "date", _DATE, to_fill=True),
    PlanColumn("done_quantity", "2", "tasks.unit_of.as_quantity", to_fill=True),
    PlanColumn("spent_bn_vnd", "2", _MONEY, to_fill=True),
    PlanColumn("remark", to_fill=True),
    PlanColumn("place"),
    PlanColumn("approved", "date", _DATE),
    PlanColumn("handover", "date", _DATE),
    PlanColumn("forecast", "date", _DATE),
    PlanColumn("after"),
    PlanColumn("desk"),
    PlanColumn("delegation_bn_vnd", "2", _MONEY),
    PlanColumn("legal_basis"),
    PlanColumn("legal_basis_checked"),
    PlanColumn("answers"),
    PlanColumn("supports"),
    PlanColumn("result"),
    PlanColumn("mechanism"),
    PlanColumn("fund"),
    PlanColumn("cost_bn_vnd", "2", _MONEY),
    PlanColumn("reason"),
    PlanColumn("runner_up"),
    PlanColumn("run"),
)
"""Columns in the order in which they are written; `run` is the id of the run, in every row."""

BY_ID: Final[Mapping[str, PlanColumn]] = {column.id: column for column in COLUMNS}

STATUSES: Final = ("not_started", "under_way", "done", "cancelled")
"""Closed list of what may be filled in as status; its texts are ``tasks.status.<status>``."""


def folded(text: str) -> str:
    """Return a text as it is compared: small letters, no diacritics, single spaces."""
    apart = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


def column_of(title: str) -> PlanColumn | None:
    """Find a column by its id or its title in any language; None: another column."""
    return _columns().get(folded(title))


def status_of(text: str) -> str | None:
    """Find a status by its id or its text in any language; None: no status of the list."""
    return _statuses().get(folded(text))


@cache
def _columns() -> Mapping[str, PlanColumn]:
    found = {folded(column.id): column for column in COLUMNS}
    for language in languages():
        with speaking(language):
            for column in COLUMNS:
                found |= dict.fromkeys(
                    (folded(say(column.title_key)), folded(column.heading())), column
                )
    return found


@cache
def _statuses() -> Mapping[str, str]:
    found = {folded(status): status for status in STATUSES}
    for language in languages():
        with speaking(language):
            found |= {folded(say(f"tasks.status.{status}")): status for status in STATUSES}
    return found
