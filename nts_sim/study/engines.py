"""Which engine a study takes, and making it ready before work starts."""

from __future__ import annotations

from nts_sim.engine.choice import EngineName
from nts_sim.spec.models import Study

_HANDFUL = 10
"""Replications below which compiling is not worth the wait where nothing is compiled yet."""


def most_replications(study: Study) -> int:
    """Return how many replications of each policy a study may come to."""
    return study.precision.most if study.replications == "auto" else study.replications


def engine_for(study: Study, replications: int | None = None) -> EngineName:
    """Choose the engine; `auto` goes by the number of replications (None: the study's most)."""
    if study.engine.name != "auto":
        return study.engine.name
    count = most_replications(study) if replications is None else replications
    return "simpy" if count < _HANDFUL else "compiled"
