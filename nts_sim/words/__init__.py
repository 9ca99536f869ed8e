"""Words: every text a planner reads, from one catalogue a language."""

from nts_sim.words.catalogue import (
    DEFAULT,
    called,
    is_known,
    languages,
    listing,
    name_of,
    number,
    policy_in_text,
    say,
    sentence,
    speak,
    speaking,
    used_language,
)

__all__ = [
    "DEFAULT", "called", "is_known", "languages", "listing", "name_of", "number",
    "policy_in_text", "say", "sentence", "speak", "speaking", "used_language",
]  # fmt: skip
