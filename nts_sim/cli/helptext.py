"""What ``--help`` prints. Nothing heavy is imported here: help answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nts_sim.words import say


@dataclass(frozen=True)
class Verb:
    """How the help of a verb is put together; its texts are ``help.<verb>.…`` of the catalogue.

    Attributes
    ----------
    study : where it stands how a study is written: alone, before or after the verb's own text
    """

    study: Literal["none", "alone", "first", "last"] = "none"


VERBS: dict[str, Verb] = {
    "run": Verb("alone"),
    "compare": Verb("first"),
    "sweep": Verb("last"),
    "sensitivity": Verb("last"),
    "discover": Verb(),
    "robustness": Verb(),
    "breakeven": Verb("last"),
    "plan": Verb("first"),
    "portfolios": Verb("first"),
    "select": Verb("first"),
    "validate": Verb("first"),
    "doctor": Verb(),
    "report": Verb(),
    "replay": Verb(),
    "explain": Verb(),
    "data": Verb(),
}
_START = "nts-sim compare experiment=typhoon_north"
_COMPLETION = 'eval "$(nts-sim -sc install=bash)"'


def overview() -> str:
    """Return the text of ``nts-sim --help``."""
    width = max(map(len, VERBS))
    lines = [f"  {name:<{width}}  {say(f'help.{name}.line')}" for name in VERBS]
    return "\n".join(
        [
            say("help.usage"),
            say("help.line"),
            "",
            *lines,
            "",
            say("help.start", command=_START),
            say("help.more"),
            say("help.language"),
            say("help.completion", command=_COMPLETION),
        ]
    )


def verb_help(name: str) -> str:
    """Return the text of ``nts-sim VERB --help``."""
    lines = [say(f"help.{name}.usage"), f"  {say(f'help.{name}.line')}", "", _text(name)]
    groups = [] if VERBS[name].study == "none" else ["", say("help.groups"), *_groups()]
    return "\n".join(lines + groups)


def _text(name: str) -> str:
    study = VERBS[name].study
    if study == "alone":
        return say("help.study")
    own = say(f"help.{name}.text")
    if study == "none":
        return own
    return f"{say('help.study')}\n{own}" if study == "first" else f"{own}\n\n{say('help.study')}"


def _groups() -> list[str]:
    package = Path(__file__).resolve().parent.parent
    inside = package / "configs"
    root = inside if inside.is_dir() else package.parent / "configs"
    found = {
        folder.name: sorted(path.stem for path in folder.glob("*.yaml"))
        for folder in sorted(root.iterdir())
        if folder.is_dir()
    }
    width = max(map(len, found), default=0)
    return [f"  {group:<{width}}  {', '.join(names)}" for group, names in found.items()]
