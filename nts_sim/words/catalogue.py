"""Look up a text by its dotted id, in the language being spoken, and fill in the values.

A catalogue is a folder of TOML files named after its language. A text is either a string or, where
it counts something, a table with the forms ``one`` and ``other``, chosen by the value named ``n``.
Places for values are written ``{name}`` or ``{name:format}``; formats of numbers are

=========  ====================================================  ================
format     meaning                                               example
=========  ====================================================  ================
0, 1, 2    that many decimals, grouped                           12,345.7
short      three significant figures, no idle zeros              12,300
signed     as ``short``, always with its sign                    +1.21 million
percent    a share in [0, 1] as per cent, no decimals            43 %
change     a per cent already, with its sign and one decimal     −8.7 %
=========  ====================================================  ================

One language is spoken in the whole process: `speak` sets it. `speaking` sets another for a while,
for the thread that asks for it: what others tell meanwhile, such as progress, is not touched.
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

DEFAULT = "en"
_MILLION = 1e6
_MINUS = "\N{MINUS SIGN}"
_spoken = [DEFAULT]
"""The language of the process."""
_here: ContextVar[str | None] = ContextVar("_here", default=None)
"""Another one that this thread speaks for a while."""

_CHOSEN = frozenset({"policy", "scenario", "threat", "mechanism", "resource", "metric", "fund"})
"""Groups of names that a planner may type."""

Entry = str | Mapping[str, str]


@cache
def languages() -> tuple[str, ...]:
    """Name the languages that have a catalogue, in alphabetical order."""
    folder = resources.files("nts_sim.words")
    return tuple(sorted(f.name for f in folder.iterdir() if f.is_dir() and len(f.name) == 2))


def used_language() -> str:
    """Return the language being spoken, as a two-letter code."""
    return _here.get() or _spoken[0]


def speak(language: str) -> None:
    """Speak a language from now on.

    Raises
    ------
    KeyError
        There is no catalogue of that language.
    """
    if _here.get() is None:
        _spoken[0] = _known(language)
    else:
        _here.set(_known(language))


def _known(language: str) -> str:
    if language not in languages():
        raise KeyError(f"no catalogue for {language!r}; known: {', '.join(languages())}")
    return language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak another language inside a ``with`` block, in this thread.

    Raises
    ------
    KeyError
        There is no catalogue of that language.
    """
    token = _here.set(_known(language))
    try:
        yield
    finally:
        _here.reset(token)


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
    folder = resources.files("nts_sim.words").joinpath(language)
    parts = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    trees = (tomllib.loads(part.read_text("utf-8")) for part in parts)
    return {key: entry for tree in trees for key, entry in _flatten(tree)}


def _entry(key: str) -> Entry | None:
    """Find a text; one that is not translated is told in English rather than not at all."""
    return listing(used_language()).get(key) or listing(DEFAULT).get(key)


def is_known(key: str) -> bool:
    """Whether the catalogue has a text."""
    return _entry(key) is not None


def _format(name: str) -> str:
    return str(listing(used_language())[f"format.{name}"])


def _separated(value: float, decimals: int, *, sign: bool = False) -> str:
    plain = f"{abs(value):,.{decimals}f}"
    whole, _, fraction = plain.partition(".")
    text = whole.replace(",", _format("group"))
    if fraction:
        text += _format("decimal") + fraction
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
    return f"{text} {_format('million')}" if in_millions else text


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
        return _format("unknown")
    if form in ("short", "signed"):
        return _three_figures(value, sign=form == "signed")
    if form == "percent":
        return _separated(100.0 * value, 0) + _format("percent")
    if form == "change":
        return _separated(value, 1, sign=True) + _format("percent")
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
    entry = _entry(key)
    if entry is None:
        raise KeyError(key)
    if not isinstance(entry, str):
        entry = entry["one" if values["n"] == 1 else "other"]
    return _FILLER.vformat(entry, (), values)


def name_of(group: str, ident: str) -> str:
    """Name a thing as planners do: ``name_of("policy", "per_capita")`` is "per head".

    Things the catalogue does not know, such as a planner's own policy or resource, keep their own
    name with spaces for underscores.
    """
    entry = _entry(f"name.{group}.{ident}")
    return entry if isinstance(entry, str) else str(ident).replace("_", " ")


@cache
def called() -> Mapping[str, frozenset[str]]:
    """Return what the catalogues call the things that a planner chooses among, by identifier."""
    found: dict[str, set[str]] = {}
    for language in languages():
        for key, entry in listing(language).items():
            group, _, ident = key.removeprefix("name.").partition(".")
            if key.startswith("name.") and group in _CHOSEN and isinstance(entry, str):
                found.setdefault(ident, set()).add(entry)
    return {ident: frozenset(names) for ident, names in found.items()}


def policy_in_text(ident: str) -> str:
    """Name a policy as it stands inside a sentence: "the optimised plan"."""
    entry = _entry(f"name.policy_in_text.{ident}")
    return entry if isinstance(entry, str) else name_of("policy", ident)
