"""One cell of an input table: text in, value or a sentence out.

Numbers are written with a decimal point and nothing between thousands. What could be read in two
ways, as Vietnamese files often can, is asked about and never guessed.
"""

from __future__ import annotations

import math
import re

from nts_sim.tables.columns import Column
from nts_sim.tables.names import nearest

Cell = str | float | int | bool

_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ONE_GROUP = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_GROUPS = re.compile(r"[+-]?[0-9]{1,3}([., ][0-9]{3})+([.,][0-9]+)?")
_NOT_FINITE = frozenset({"nan", "inf", "infinity", "n/a", "na", "null"})


def parse_cell(column: Column, text: str) -> tuple[Cell, str]:
    """Return the value of a cell and, where it is wrong, the sentence that says so."""
    if not text:
        blank: Cell = math.nan if column.kind in {"number", "integer"} else ""
        return blank, "" if column.optional else f"is blank; {column.meaning} is needed"
    if column.kind in {"number", "integer"}:
        return _number(column, text)
    if column.kind == "flag":
        return text.lower() == "true", _flag_fault(text)
    return text, _choice_fault(column, text)


def _flag_fault(text: str) -> str:
    return "" if text.lower() in {"true", "false"} else f"'{text}' is not true or false"


def _choice_fault(column: Column, text: str) -> str:
    if not column.choices or text in column.choices:
        return ""
    close = nearest(text, column.choices)
    hint = f"did you mean {close}?" if close else f"allowed: {', '.join(column.choices)}"
    return f"'{text}' is not allowed; {hint}"


def _number(column: Column, text: str) -> tuple[Cell, str]:
    fault = _writing_fault(column, text)
    if fault:
        return 0, fault
    value = float(text)
    if not math.isfinite(value):
        return 0, f"'{text}' is not a finite number"
    if column.kind == "integer" and value != int(value):
        return 0, f"'{text}' is not a whole number"
    fault = _range_fault(column, text, value)
    return (int(value) if column.kind == "integer" and not column.optional else value), fault


def _writing_fault(column: Column, text: str) -> str:
    """Say what is wrong with the way a number is written, if anything."""
    if text.lower().lstrip("+-") in _NOT_FINITE:
        return f"'{text}' is not a finite number" + (
            "; leave the cell blank" if column.optional else ""
        )
    if _could_be_thousands(column, text):
        whole = text.replace(".", "")
        return f"'{text}' is ambiguous: write {whole} for the larger number or {text}0 for decimals"
    if _PLAIN.fullmatch(text):
        return ""
    if _GROUPS.fullmatch(text):
        return f"'{text}' is ambiguous: write 1234.5, a point for decimals and nothing in between"
    if "," in text and _PLAIN.fullmatch(text.replace(",", ".", 1)):
        return f"'{text}' has a decimal comma; write {text.replace(',', '.', 1)}"
    if text.endswith("%"):
        return f"'{text}' is a percentage; write a share between 0 and 1"
    return f"'{text}' is not a number ({column.meaning})"


def _could_be_thousands(column: Column, text: str) -> bool:
    """Tell whether ``1.234`` could also mean 1234: three decimals, and 1234 would be allowed."""
    if not _ONE_GROUP.fullmatch(text):
        return False
    return column.low <= float(text.replace(".", "")) <= column.high


def _range_fault(column: Column, text: str, value: float) -> str:
    unit = f" {column.unit}" if column.unit else ""
    if value < column.low:
        return f"{text} is below {column.low:g}{unit}, the least allowed"
    if value > column.high:
        return f"{text} is above {column.high:g}{unit}, the most allowed"
    return ""
