"""``robustness``: words checked here, the work done in `nts_sim.cli.kept_verbs`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nts_sim.cli.flags import Flags
from nts_sim.cli.own_words import Words
from nts_sim.errors import Problem
from nts_sim.words import say


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Tell which policy does well in all futures of a kept sweep; return the exit code."""
    words = Words(arguments, ("metric", "aim", "aim_pct"))
    folder = words.folder()
    metric = words.metric()
    limit, relative_pct = words.number("aim"), words.number("aim_pct")
    if words.has("aim") and words.has("aim_pct"):
        words.problems.append(Problem("aim", say("cli.robustness.aims")))
    from nts_sim.cli.kept_verbs import ToRobustness, robustness
    from nts_sim.outcomes.insight.robustness import Aim
    from nts_sim.study.sweep.kept import read_sweep

    words.stop_if_wrong(*([lambda: read_sweep(Path(folder))] if folder else []))
    asked = ToRobustness(metric, Aim(limit, relative_pct or 0.0), tuple(arguments))
    return robustness(read_sweep(Path(folder)), asked, flags)
