"""Look up a text by its dotted id, in the language being spoken, and fill in the values.

A catalogue is a TOML file named after its language. A text is either a string or, where it counts
something, a table with the forms ``one`` and ``other``, chosen by the value named ``n``. Places for
values are written ``{name}`` or ``{name:format}``; formats of numbers are

=========  ====================================================  ================
format     meaning                                               example
=========  ====================================================  ================
0, 1, 2    that many decimals, grouped                           12,345.7
short      three significant figures, no idle zeros              12,300
signed     as ``short``, always with its sign                    +1.21 million
percent    a share in [0, 1] as per cent, no decimals            43 %
change     a per cent already, with its sign and one decimal     −8.7 %
=========  ====================================================  ================
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any

_DEFAULT = "en"
_language: ContextVar[str] = ContextVar("language", default=_DEFAULT)
_MILLION = 1e6
_MINUS = "\N{MINUS SIGN}"

Entry = str | Mapping[str, str]


def languages() -> tuple[str, ...]:
    """Name the languages that have a catalogue, in alphabetical order."""
    folder = resources.files("nts_sim.words")
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


def used_language() -> str:
    """Return the language being spoken, as a two-letter code."""
    return _language.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak another language inside a ``with`` block.

    Raises
    ------
    KeyError
        There is no catalogue of that language.
    """
    if language not in languages():
        raise KeyError(f"no catalogue for {language!r}; known: {', '.join(languages())}")
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def _is_plural(entry: object) -> bool:
    return isinstance(entry, Mapping) and set(entry) == {"one", "other"}


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Entry]]:
    for key, entry in tree.items():
        path = f"{prefix}{key}"
        if isinstance(entry, str) or _is_plural(entry):
            yield path, entry
        else:
            yield from _flatten(entry, f"{path}.")


@cache
def listing(language: str) -> Mapping[str, Entry]:
    """Return all entries of a catalogue by dotted id."""
    text = resources.files("nts_sim.words").joinpath(f"{language}.toml").read_text("utf-8")
    return dict(_flatten(tomllib.loads(text)))


def _separated(value: float, decimals: int, *, sign: bool = False) -> str:
    entries = listing(_language.get())
    plain = f"{abs(value):,.{decimals}f}"
    whole, _, fraction = plain.partition(".")
    text = whole.replace(",", str(entries["format.group"]))
    if fraction:
        text += str(entries["format.decimal"]) + fraction
    is_zero = not any(digit in "123456789" for digit in plain)
    lead = "" if is_zero else _MINUS if value < 0 else "+" if sign else ""
    return lead + text


def _three_figures(value: float, *, sign: bool) -> str:
    """Write three significant figures without idle zeros, at most 3 decimals; millions in words."""
    if abs(value) < 5e-4:
        return _separated(0.0, 0)
    rounded = round(value, 2 - math.floor(math.log10(abs(value))))
    in_millions = abs(rounded) >= _MILLION
    if in_millions:
        rounded /= _MILLION
    decimals = next(d for d in range(4) if d == 3 or abs(round(rounded, d) - rounded) < 1e-9)
    text = _separated(rounded, decimals, sign=sign)
    return f"{text} {listing(_language.get())['format.million']}" if in_millions else text


def number(value: float, form: str = "short") -> str:
    """Write a number as people of the spoken language do.

    Parameters
    ----------
    value : float
    form : str
        One of the formats in the head of this module.
    """
    value = float(value)
    if not math.isfinite(value):
        return str(listing(_language.get())["format.unknown"])
    if form in ("short", "signed"):
        return _three_figures(value, sign=form == "signed")
    if form == "percent":
        return f"{_separated(100.0 * value, 0)}\u00a0%"
    if form == "change":
        return f"{_separated(value, 1, sign=True)}\u00a0%"
    return _separated(value, int(form))


class _Filler(Formatter):
    """Fills named places only: a text can never reach into the values it is given."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Take the value of that name, as it is."""
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        """Write numbers by our formats, everything else as text."""
        return number(value, format_spec) if format_spec else str(value)


_FILLER = _Filler()


def sentence(text: str) -> str:
    """Begin a text with a capital letter, leaving all others as they are."""
    return text[:1].upper() + text[1:]


def say(key: str, /, **values: object) -> str:
    """Return the text `key` with its values filled in.

    Raises
    ------
    KeyError
        The text, or a value it needs, is missing: a fault of the program, never of a planner.
    """
    entry = listing(_language.get())[key]
    if not isinstance(entry, str):
        entry = entry["one" if values["n"] == 1 else "other"]
    return _FILLER.vformat(entry, (), values)


def name_of(group: str, ident: str) -> str:
    """Name a thing as planners do: ``name_of("policy", "per_capita")`` is "per head".

    Things the catalogue does not know, such as a planner's own policy or resource, keep their own
    name with spaces for underscores.
    """
    entry = listing(_language.get()).get(f"name.{group}.{ident}")
    return entry if isinstance(entry, str) else str(ident).replace("_", " ")


def policy_in_text(ident: str) -> str:
    """Name a policy as it stands inside a sentence: "the optimised plan"."""
    entry = listing(_language.get()).get(f"name.policy_in_text.{ident}")
    return entry if isinstance(entry, str) else name_of("policy", ident)
