"""``breakeven``: words and cells checked here, the work done in `nts_sim.cli.breakeven`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nts_sim.cli.flags import Flags
from nts_sim.cli.gate import pass_gate
from nts_sim.cli.hydra_app import run_hydra_verb
from nts_sim.cli.own_words import Words
from nts_sim.cli.ranges import parse_range
from nts_sim.errors import Problem
from nts_sim.words import say

if TYPE_CHECKING:
    from nts_sim.cli.cells import Common, SweptCells


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Find the value of one key at which another policy is preferred; return the exit code."""
    words = Words(arguments, ("metric",))
    metric = words.metric(burdens=True)
    spans = [(text, parse_range(text.partition("=")[2])) for text in words.rest]
    ranges = [(text, span) for text, span in spans if span]
    if len(ranges) != 1:
        words.problems.append(Problem("breakeven", say("cli.breakeven.ranges", n=len(ranges))))
    if flags.dry_run:
        words.problems.append(Problem("--dry-run", say("cli.breakeven.dry_run")))
    ends = {text: f"{text.partition('=')[0]}={span.start},{span.stop}" for text, span in ranges}
    overrides = ["-m", *(ends.get(text, text) for text in words.rest)]
    words.stop_if_wrong(lambda: pass_gate(overrides, compares=True))
    ((written, span),) = ranges
    key = written.partition("=")[0].lstrip("+")

    def act(cells: SweptCells, common: Common, flags: Flags, verb: str) -> int:
        from nts_sim.cli.breakeven import Asked, breakeven

        low, high = sorted((float(span.start), float(span.stop)))
        tolerance = None if span.step is None else abs(float(span.step))
        asked = Asked(key, low, high, tolerance, metric, tuple(arguments))
        return breakeven(asked, cells, common, flags)

    return run_hydra_verb("breakeven", overrides, flags, None, "either", sweep=act)
