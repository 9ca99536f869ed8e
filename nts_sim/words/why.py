"""Why an order was given: kept as a code with values, said in whatever language is spoken.

A reason is the key of a text, with its values as in a web address::

    why.severity?level=2&place=08

Places stand there by code, mechanisms and resources by short name, amounts as plain numbers, so
that results do not depend on a language. Whoever writes a reason puts `quoted` names into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from nts_sim.words.catalogue import is_known, name_of, say

_ROOM = "why."
_GROUPS = {
    "mechanism": "mechanism", "resource": "resource", "status": "solver_status", "how": "solving",
}  # fmt: skip
"""Groups of names in the catalogue, by what a value is called; all other values are numbers."""

Names = Mapping[tuple[str, str], str]
"""What things are called in the language spoken, by kind and code: ``("place", "08")``."""


def quoted(code: str) -> str:
    """Write a code so that it can stand in a reason."""
    return quote(code, safe="")


def why(text: str, names: Names) -> str:
    """Say a reason in the language spoken.

    Parameters
    ----------
    text : str
        As kept with an order. What is not one of our codes, such as the words of a planner's own
        policy, is returned as it is.
    names : mapping
        Names of places, and of mechanisms of a planner's own, by kind and code; without one, the
        code is shown.
    """
    key, _, query = text.partition("?")
    if not (key.startswith(_ROOM) and is_known(key)):
        return text
    try:
        return say(key, **{kind: _told(kind, code, names) for kind, code in parse_qsl(query)})
    except (KeyError, ValueError):
        return text


def _told(kind: str, code: str, names: Names) -> str | float:
    if kind == "place":
        return names.get((kind, code), code)
    if kind not in _GROUPS:
        return float(code)
    group = _GROUPS[kind]
    known = is_known(f"name.{group}.{code}")
    return name_of(group, code) if known else names.get((kind, code), name_of(group, code))
