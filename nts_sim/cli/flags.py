"""Flags of our own, taken out before Hydra reads the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import say


@dataclass(frozen=True)
class Flags:
    """What a planner asked of a verb, apart from the study itself.

    `dry_run` asks how much a sweep would be, and for nothing to be run. `policy_file` is
    ``FILE.py:function``: the planner's own policy, which is code by design and
    therefore only ever named here.
    """

    json: bool = False
    quiet: bool = False
    help: bool = False
    debug: bool = False
    dry_run: bool = False
    policy_file: str | None = None


def take_flags(arguments: Sequence[str]) -> tuple[Flags, list[str]]:
    """Split the arguments after a verb into our flags and the rest, in order."""
    rest: list[str] = []
    policy_file: str | None = None
    switches = {"--json": False, "--quiet": False, "--debug": False, "--help": False,
                "--dry-run": False}  # fmt: skip
    waiting = iter(arguments)
    for argument in waiting:
        name = "--help" if argument == "-h" else argument
        if name in switches:
            switches[name] = True
        elif argument == "--policy-file":
            policy_file = next(waiting, "")
        elif argument.startswith("--policy-file="):
            policy_file = argument.partition("=")[2]
        else:
            rest.append(argument)
    if policy_file is not None:
        _check_policy_file(policy_file)
    flags = Flags(
        json=switches["--json"],
        quiet=switches["--quiet"],
        help=switches["--help"],
        debug=switches["--debug"],
        dry_run=switches["--dry-run"],
        policy_file=policy_file,
    )
    return flags, rest


def _check_policy_file(given: str) -> None:
    path, colon, function = given.rpartition(":")
    if not (colon and path.endswith(".py") and function.isidentifier()):
        what = say("cli.flags.policy_file", given=repr(given))
        raise InvalidInput([Problem("--policy-file", what)], say("error.subject.command_line"))
