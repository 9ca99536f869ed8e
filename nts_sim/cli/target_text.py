"""What is printed of targets."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import pandas as pd

from nts_sim.plan.targets import target_lines, target_sentences
from nts_sim.words import name_of, say

WIDTH = 100


def tell_targets(frames: Mapping[str, pd.DataFrame], baseline: str) -> None:
    """Print one line a target: how likely the best policy reaches it, and the baseline."""
    table = frames.get("targets")
    if table is None:
        return
    if table.empty:
        print(say("monitor.target.unknown", baseline=name_of("policy", baseline)))
        return
    scenario = str(table["scenario"].iloc[-1])  # of a set, the set itself comes last
    told = dict.fromkeys(table.loc[table["scenario"] == scenario, "policy"])
    others = [policy for policy in told if policy != baseline]
    best = next((policy for policy in _ranked(frames, scenario) if policy in told), None)
    best = best or (others or [baseline])[0]  # a plan is judged against the baseline only
    lines = target_sentences(target_lines(frames, scenario, (best, baseline)))
    print(say("monitor.target.title"))
    print("\n".join(map(_indented, lines)))


def _indented(line: str) -> str:
    return fill(
        line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )  # fmt: skip


def _ranked(frames: Mapping[str, pd.DataFrame], scenario: str) -> list[str]:
    """Name the policies of a comparison by total burden, the best first."""
    if "ranking" not in frames:
        return []
    ranking = frames["ranking"]
    chosen = (ranking["scenario"] == scenario) & (ranking["metric"] == "total_burden_bn_vnd")
    return [str(policy) for policy in ranking[chosen].sort_values("rank")["policy"]]
