"""Texts that a planner writes, in the language being spoken.

A scenario, a measure and what is known of the state may say their texts in Vietnamese too, in a
block `vi`. No number depends on it, so it is part of no run's name and of no part of a sweep
(`NOT_OF_RESULTS`); it is kept with a run, from which pages in any language can be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nts_sim.words import used_language

NOT_OF_RESULTS: Final[Mapping[str, Any]] = {
    "scenario": {"vi"}, "measure": {"vi"}, "measures": {"__all__": {"vi"}}, "information": {"vi"},
}  # fmt: skip
"""Where a study keeps translations, as pydantic's `exclude` wants it."""


def spoken(texts: Mapping[str, Any], name: str) -> Any:
    """Return a text, or a list of texts, in the language spoken; untranslated, as it was written.

    Parameters
    ----------
    texts : a scenario, a measure or information, as a manifest keeps it
    name : the text: title, question, assumptions, sources, source

    Raises
    ------
    KeyError
        It has no such text.
    """
    return (texts.get(used_language()) or {}).get(name) or texts[name]
