"""``discover``: words checked here, the work done in `nts_sim.cli.kept_verbs`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nts_sim.cli.flags import Flags
from nts_sim.cli.own_words import Words
from nts_sim.errors import Problem
from nts_sim.words import say


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Find where a policy fails in a kept sweep; return the exit code."""
    words = Words(arguments, ("policy", "metric", "above", "below", "loses"))
    folder = words.folder()
    metric = words.metric()
    beyond, other = ("above", "below") if metric.lower_is_better else ("below", "above")
    if words.has(other):
        less = metric.lower_is_better
        key = "cli.discover.less_is_better" if less else "cli.discover.more_is_better"
        words.problems.append(Problem(other, say(key, metric=metric.name)))
    limit = words.number(beyond)
    loses = words.one_of("loses", ("true", "false"), "false") == "true"
    if loses == (words.has("above") or words.has("below")):
        where, what = say("cli.discover.failing"), say("cli.discover.how", beyond=beyond)
        words.problems.append(Problem(where, what))
    from nts_sim.cli.kept_verbs import ToDiscover, discover
    from nts_sim.study.sweep.kept import read_sweep

    words.stop_if_wrong(*([lambda: read_sweep(Path(folder))] if folder else []))
    asked = ToDiscover(words.text("policy", ""), metric, limit, tuple(arguments))
    return discover(read_sweep(Path(folder)), asked, flags)
