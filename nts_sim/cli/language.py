"""Which language to speak: as asked for, else as the planner's machine is set up."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import DEFAULT, languages, say

KEY = "language"
VARIABLE = "NTS_SIM_LANGUAGE"
_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


def take_language(
    arguments: Sequence[str], environment: Mapping[str, str] = os.environ
) -> tuple[str, list[str]]:
    """Split ``language=vi`` off the command line; results never depend on it.

    Without it ``NTS_SIM_LANGUAGE`` decides, then the machine's locale, then English.

    Raises
    ------
    InvalidInput
        The language asked for has no catalogue.
    """
    asked = [word.partition("=")[2] for word in arguments if word.startswith(f"{KEY}=")]
    rest = [word for word in arguments if not word.startswith(f"{KEY}=")]
    if asked:
        return _known(asked[-1], KEY), rest
    if environment.get(VARIABLE):
        return _known(environment[VARIABLE], VARIABLE), rest
    return _of_machine(environment), rest


def _known(language: str, where: str) -> str:
    if language not in languages():
        what = say("error.language", given=language, known=", ".join(languages()))
        raise InvalidInput([Problem(where, what)], say("error.subject.command_line"))
    return language


def _of_machine(environment: Mapping[str, str]) -> str:
    """Take the language of the first locale that is set, as ``vi`` of ``vi_VN.UTF-8``."""
    locale = next((environment[name] for name in _LOCALES if environment.get(name)), "")
    return locale[:2] if locale[:2] in languages() else DEFAULT
