"""``sensitivity``: every cell checked here, the work done in `nts_sim.cli.sensitivity`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nts_sim.cli.design import MORRIS, SALTELLI, take_design
from nts_sim.cli.flags import Flags
from nts_sim.cli.gate import pass_gate
from nts_sim.cli.hydra_app import run_hydra_verb
from nts_sim.cli.own_words import Words
from nts_sim.errors import Problem
from nts_sim.words import say

if TYPE_CHECKING:
    from nts_sim.cli.cells import Common, SweptCells

_KINDS = {"morris": MORRIS, "sobol": SALTELLI}


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Check everything, run the cells, tell which inputs matter; return the exit code."""
    words = Words(arguments, ("method", "metric"))
    kind = _KINDS[words.one_of("method", _KINDS, "morris")]
    metric = words.metric()
    for text in words.rest:
        if text.startswith("design="):
            words.problems.append(Problem("design", say("cli.sensitivity.design")))
        if text.startswith("zip="):
            words.problems.append(Problem("zip", say("cli.sensitivity.zip")))
    rest = [text for text in words.rest if not text.startswith(("design=", "zip="))]
    overrides = ["-m", f"design={kind}", *rest]
    words.stop_if_wrong(lambda: pass_gate(overrides, compares=True))
    design, _, _ = take_design(overrides)

    def act(cells: SweptCells, common: Common, flags: Flags, verb: str) -> int:
        from nts_sim.cli.sensitivity import Asked, sensitivity

        return sensitivity(Asked(design, metric, tuple(arguments)), cells, common, flags)

    return run_hydra_verb("sensitivity", overrides, flags, None, "either", sweep=act)
