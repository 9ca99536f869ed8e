"""Names as people write them: folded for comparing, and the nearest known one for hints."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from nts_sim.words import called, name_of, say

_SEPARATORS = re.compile(r"[\s\-_.,/\u2010-\u2015]+")
_STROKED_D = str.maketrans("đĐðÐ", "dDdD")
"""The last two are Icelandic letters that look like the Vietnamese one and are typed for it."""
_RANK = re.compile(r"^(tinh ?|thanh ?pho ?|tp ?|t p |t |province of |city of )| ?(province|city)$")
"""What a place is, before or after its name, as Vietnamese and English say it."""
_SIMILAR = 0.6
_SIMILAR_IN_WORDS = 0.75
"""Words of the catalogue are many, so that something is a little like almost anything."""


def fold(text: str) -> str:
    """Make names comparable: no diacritics, lower case, single spaces (``Đà Nẵng`` → ``da nang``).

    Hyphens, dashes, underscores, points and slashes count as spaces.
    """
    plain = unicodedata.normalize("NFD", text.translate(_STROKED_D))
    letters = "".join(mark for mark in plain if not unicodedata.combining(mark))
    return _SEPARATORS.sub(" ", letters).strip().casefold()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or the only one that begins with it, or None.

    What is known by a word of ours (``typhoon_north``) is also found by what the catalogue calls it
    in any language ("bão ở miền Bắc"), where nothing known is spelt alike.
    """
    listed = tuple(known)
    by_names = {fold(other): ident for ident in listed for other in called().get(ident, ())}
    wanted = fold(name)
    return (
        by_names.get(wanted)
        or _most_like(wanted, {fold(ident): ident for ident in reversed(listed)})
        or _most_like(wanted, by_names, _SIMILAR_IN_WORDS)
    )


def _most_like(wanted: str, folded: Mapping[str, str], similar: float = _SIMILAR) -> str | None:
    """Return what the name most like `wanted` stands for, or the only one that begins with it."""
    close = get_close_matches(wanted, list(folded), n=1, cutoff=similar)
    if close:
        return folded[close[0]]
    begun = {ident for other, ident in folded.items() if wanted and other.startswith(wanted)}
    return begun.pop() if len(begun) == 1 else None


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
    text : as written: ``08``, ``Tuyên Quang``, ``tỉnh Hà Giang``, ``TuyenQuang``, ``TP. HCM``
    codes : code by folded name (`Tables.place_codes`)
    """
    folded = fold(text)
    bare = _RANK.sub("", folded).strip()
    return codes.get(folded) or codes.get(bare) or codes.get(bare.replace(" ", ""))
