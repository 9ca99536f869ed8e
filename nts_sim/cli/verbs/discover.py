"""``discover``: words checked here, the work done in `nts_sim.cli.kept_verbs`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nts_sim.cli.flags import Flags
from nts_sim.cli.own_words import Words
from nts_sim.errors import Problem


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Find where a policy fails in a kept sweep; return the exit code."""
    words = Words(arguments, ("policy", "metric", "above", "below", "loses"))
    folder = words.folder()
    metric = words.metric()
    beyond, other = ("above", "below") if metric.lower_is_better else ("below", "above")
    if words.has(other):
        better = "less" if metric.lower_is_better else "more"
        what = f"of {metric.name} {better} is better, so failing is {beyond}=…"
        words.problems.append(Problem(other, what))
    limit = words.number(beyond)
    loses = words.one_of("loses", ("true", "false"), "false") == "true"
    if loses == (words.has("above") or words.has("below")):
        what = f"is said by one of {beyond}=NUMBER and loses=true (clearly worse than the baseline)"
        words.problems.append(Problem("failing", what))
    from nts_sim.cli.kept_verbs import ToDiscover, discover
    from nts_sim.study.sweep.kept import read_sweep

    words.stop_if_wrong(*([lambda: read_sweep(Path(folder))] if folder else []))
    asked = ToDiscover(words.text("policy", ""), metric, limit, tuple(arguments))
    return discover(read_sweep(Path(folder)), asked, flags)
