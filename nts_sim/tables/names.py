"""Names as people write them: folded for comparing, and the nearest known one for hints."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from nts_sim.words import name_of, say

_SEPARATORS = re.compile(r"[\s\-_.,/]+")
_PREFIX = re.compile(r"^(tinh|thanh pho|province of|city of) | (province|city)$")
_SIMILAR = 0.6


def fold(text: str) -> str:
    """Make names comparable: no diacritics, lower case, single spaces (``Đà Nẵng`` → ``da nang``).

    Hyphens, underscores, points and slashes count as spaces.
    """
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(mark for mark in plain if not unicodedata.combining(mark))
    return _SEPARATORS.sub(" ", letters).strip().casefold()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or the only one that begins with it, or None."""
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(fold(candidate), candidate)
    wanted = fold(name)
    close = get_close_matches(wanted, list(folded), n=1, cutoff=_SIMILAR)
    begun = [candidate for candidate in folded if wanted and candidate.startswith(wanted)]
    if close:
        return folded[close[0]]
    return folded[begun[0]] if len(begun) == 1 else None


def unknown(name: str, known: Iterable[str], kind: str) -> str:
    """Word the sentence for a name that is not known, with the nearest one or the whole list.

    Parameters
    ----------
    kind : what it should name, one of the texts ``name.kind.*``
    """
    names, what = sorted(known), name_of("kind", kind)
    close = nearest(name, names)
    if close is not None:
        return say("said.names.near", what=what, name=name, close=close)
    if not names:
        return say("said.names.none", what=what, name=name)
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return say("said.names.known", what=what, name=name, known=listed)


def resolve_place(text: str, codes: Mapping[str, str]) -> str | None:
    """Return the code of a place written as code, name, former name or abbreviation.

    Parameters
    ----------
    text : as written: ``08``, ``Tuyên Quang``, ``tuyen quang``, ``Hà Giang``, ``HCMC``
    codes : code by folded name (`Tables.place_codes`)
    """
    folded = fold(text)
    return codes.get(folded) or codes.get(_PREFIX.sub("", folded))
