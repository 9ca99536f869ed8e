"""Words: every text a planner reads in charts and reports, from one catalogue a language."""

from nts_sim.words.catalogue import (
    languages,
    listing,
    name_of,
    number,
    policy_in_text,
    say,
    sentence,
    speaking,
    used_language,
)

__all__ = [
    "languages", "listing", "name_of", "number", "policy_in_text", "say", "sentence", "speaking",
    "used_language",
]  # fmt: skip
