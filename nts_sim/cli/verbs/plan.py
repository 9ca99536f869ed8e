"""``plan``: checked here, done in `nts_sim.cli.work`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nts_sim.cli.flags import Flags
from nts_sim.cli.hydra_app import run_hydra_verb

if TYPE_CHECKING:
    from nts_sim.cli.prepare import Prepared

DEFAULT_POLICY = "stochastic"


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Check everything, then do the work; return the exit code."""
    file, arguments = take_progress(arguments)
    if file is not None:
        from nts_sim.cli.progress import show_progress

        return show_progress(file, arguments, flags)
    chosen = any(argument.lstrip("+").startswith("policy=") for argument in arguments)
    arguments = [*arguments, *(() if chosen else (f"policy={DEFAULT_POLICY}",))]
    return run_hydra_verb("plan", arguments, flags, _act, "one policy")


def take_progress(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Split ``--progress FILE`` off; a file that is not named is empty."""
    file: str | None = None
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--progress":
            file = next(waiting, "")
        elif argument.startswith("--progress="):
            file = argument.partition("=")[2]
        else:
            rest.append(argument)
    return file, rest


def _act(prepared: Prepared, flags: Flags) -> int:
    from nts_sim.cli.work import plan

    return plan(prepared, flags)
