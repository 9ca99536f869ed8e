"""What ``--help`` prints. Nothing heavy is imported here: help answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nts_sim.words import say


@dataclass(frozen=True)
class Verb:
    """How the help of a verb is put together; its texts are in the catalogue.

    Attributes
    ----------
    usage : what may be written
    study : where it stands how a study is written: alone, before or after the verb's own text
    """

    usage: str
    study: Literal["none", "alone", "first", "last"] = "none"


VERBS: dict[str, Verb] = {
    "run": Verb("nts-sim run [scenario=…] [policy=…] [key=value …]", "alone"),
    "compare": Verb(
        "nts-sim compare [experiment=typhoon_north] [policy=a,b,…] [key=value …]", "first"
    ),
    "sweep": Verb("nts-sim sweep [key=a,b …] [key=from..to:step …] [group=option …]", "last"),
    "sensitivity": Verb(
        "nts-sim sensitivity [method=morris|sobol] [key=from..to …] [policy=a,b] [key=value …]",
        "last",
    ),
    "discover": Verb("nts-sim discover FOLDER [policy=…] above=NUMBER|loses=true [metric=…]"),
    "robustness": Verb("nts-sim robustness FOLDER [metric=…] [aim=NUMBER|aim_pct=NUMBER]"),
    "breakeven": Verb(
        "nts-sim breakeven key=from..to policy=a,b [scenario=…] [metric=…] [key=value …]", "last"
    ),
    "plan": Verb("nts-sim plan [scenario=…] [key=value …]", "first"),
    "portfolios": Verb("nts-sim portfolios [measure=a,b,…] [scenario=…] [key=value …]", "first"),
    "select": Verb(
        "nts-sim select [scenario=…] policy=a,b,… [selection.method=kn|ocba] [key=value …]", "first"
    ),
    "validate": Verb("nts-sim validate [{validated}]", "first"),
    "doctor": Verb("nts-sim doctor"),
    "report": Verb("nts-sim report RUN_FOLDER [RUN_FOLDER] [format=pdf]"),
    "replay": Verb(
        "nts-sim replay RUN [results_dir=FOLDER] [workers=N] [tables_dir=…] [--policy-file …]"
    ),
    "explain": Verb("nts-sim explain RUN_FOLDER ORDER [POLICY]"),
    "data": Verb(
        "nts-sim data list | nts-sim data check [tables_dir=FOLDER] | nts-sim data find TEXT"
        " | nts-sim data communes"
    ),
}
_USAGE = "nts-sim VERB [flags] [group=option …] [key=value …]"
_START = "nts-sim compare experiment=typhoon_north"
_COMPLETION = 'eval "$(nts-sim -sc install=bash)"'


def overview() -> str:
    """Return the text of ``nts-sim --help``."""
    width = max(map(len, VERBS))
    lines = [f"  {name:<{width}}  {say(f'help.line.{name}')}" for name in VERBS]
    return "\n".join(
        [
            _USAGE,
            say("help.about"),
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
    usage = VERBS[name].usage.format(validated=say("help.validated"))
    lines = [usage, f"  {say(f'help.line.{name}')}", "", _text(name)]
    groups = [] if VERBS[name].study == "none" else ["", say("help.groups"), *_groups()]
    return "\n".join(lines + groups)


def _text(name: str) -> str:
    study = VERBS[name].study
    if study == "alone":
        return say("help.study")
    own = say(f"help.text.{name}")
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
