"""One cell of an input table: text in, value or a sentence out.

Numbers are written with a decimal point and nothing between thousands. What could be read in two
ways, as Vietnamese files often can, is asked about and never guessed.
"""

from __future__ import annotations

import math
import re

from nts_sim.tables.columns import Column
from nts_sim.tables.names import nearest
from nts_sim.words import name_of, say

Cell = str | float | int | bool

_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ONE_GROUP = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_GROUPS = re.compile(r"[+-]?[0-9]{1,3}([., ][0-9]{3})+([.,][0-9]+)?")
_NOT_FINITE = frozenset({"nan", "inf", "infinity", "n/a", "na", "null"})


def parse_cell(column: Column, text: str) -> tuple[Cell, str]:
    """Return the value of a cell and, where it is wrong, the sentence that says so."""
    if not text:
        blank: Cell = math.nan if column.kind in {"number", "integer"} else ""
        return blank, "" if column.optional else say("said.tables.blank", meaning=column.told)
    if column.kind in {"number", "integer"}:
        return _number(column, text)
    if column.kind == "flag":
        return text.lower() == "true", _flag_fault(text)
    return text, _choice_fault(column, text)


def _flag_fault(text: str) -> str:
    return "" if text.lower() in {"true", "false"} else say("said.tables.flag", text=text)


def _choice_fault(column: Column, text: str) -> str:
    if not column.choices or text in column.choices:
        return ""
    close = nearest(text, column.choices)
    if close:
        return say("said.tables.choice_near", text=text, close=close)
    return say("said.tables.choice", text=text, allowed=", ".join(column.choices))


def _number(column: Column, text: str) -> tuple[Cell, str]:
    fault = _writing_fault(column, text)
    if fault:
        return 0, fault
    value = float(text)
    if not math.isfinite(value):
        return 0, say("said.tables.not_finite", text=text)
    if column.kind == "integer" and value != int(value):
        return 0, say("said.tables.not_whole", text=text)
    fault = _range_fault(column, text, value)
    return (int(value) if column.kind == "integer" and not column.optional else value), fault


def _writing_fault(column: Column, text: str) -> str:
    """Say what is wrong with the way a number is written, if anything."""
    if text.lower().lstrip("+-") in _NOT_FINITE:
        fault = "said.tables.not_finite_or_blank" if column.optional else "said.tables.not_finite"
        return say(fault, text=text)
    if _could_be_thousands(column, text):
        whole = text.replace(".", "")
        return say("said.tables.thousands_or_decimals", text=text, whole=whole)
    if _PLAIN.fullmatch(text):
        return ""
    if _GROUPS.fullmatch(text):
        return say("said.tables.groups", text=text)
    if "," in text and _PLAIN.fullmatch(text.replace(",", ".", 1)):
        return say("said.tables.decimal_comma", text=text, point=text.replace(",", ".", 1))
    if text.endswith("%"):
        return say("said.tables.percentage", text=text)
    return say("said.tables.not_number", text=text, meaning=column.told)


def _could_be_thousands(column: Column, text: str) -> bool:
    """Tell whether ``1.234`` could also mean 1234: three decimals, and 1234 would be allowed."""
    if not _ONE_GROUP.fullmatch(text):
        return False
    return column.low <= float(text.replace(".", "")) <= column.high


def _range_fault(column: Column, text: str, value: float) -> str:
    if column.low <= value <= column.high:
        return ""
    unit = f" {name_of('table_unit', column.unit)}" if column.unit else ""
    if value < column.low:
        return say("said.tables.below", text=text, allowed=f"{column.low:g}{unit}")
    return say("said.tables.above", text=text, allowed=f"{column.high:g}{unit}")
