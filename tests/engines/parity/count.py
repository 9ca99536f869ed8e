"""The parity count: how much of what was compared, and how often it differed.

Run as ``python -m tests.engines.parity.count [worlds of each kind]``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from nts_sim.decision.model import OrderKind
from nts_sim.trace.model import Kind
from tests.engines.parity.compare import Played, difference, play_on
from tests.engines.parity.worlds import Case, case


@dataclass
class Count:
    """What a batch of comparisons amounts to.

    Attributes
    ----------
    runs, rows, seen : replications, rows of their traces, observations
    rows_of, runs_with : rows of each kind, and replications in which it occurs
    granted : orders granted, by kind
    refused : refusals, by reason
    shared_ticks : ticks at which more than one cell, desk or shipment had something happen
    differences : what differed, in words
    """

    runs: int = 0
    rows: int = 0
    seen: int = 0
    shared_ticks: int = 0
    rows_of: Counter[Kind] = field(default_factory=Counter)
    runs_with: Counter[Kind] = field(default_factory=Counter)
    granted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def take(self, name: str, played: Played, told: str | None) -> None:
        """Count one comparison."""
        kinds = Counter(Kind(kind) for kind in played.trace["kind"].tolist())
        self.runs += 1
        self.rows += len(played.trace)
        self.seen += len(played.seen)
        self.shared_ticks += _shared_ticks(played)
        self.rows_of.update(kinds)
        self.runs_with.update(kinds.keys())
        for ruling in played.rulings:
            self.granted[ruling.order.kind.name] += ruling.granted > 0.0
            if ruling.refusal is not None:
                self.refused[ruling.refusal.value] += 1
        if told is not None:
            self.differences.append(f"{name}: {told}")

    def table(self) -> str:
        """Word the count."""
        return "\n".join([
            f"{self.runs} replications, {self.rows} rows, {self.seen} observations, "
            f"{self.shared_ticks} ticks shared by several events, "
            f"{len(self.differences)} differences",
            *(f"  {kind.name:12s}{self.rows_of[kind]:9d} rows in {self.runs_with[kind]:5d} runs"
              for kind in Kind),
            "  granted: " + ", ".join(f"{k.name} {self.granted[k.name]}" for k in OrderKind),
            "  refused: " + ", ".join(f"{k} {n}" for k, n in sorted(self.refused.items())),
        ])  # fmt: skip


def _shared_ticks(played: Played) -> int:
    """Ticks at which events of phases 0 to 5 happened in more than one slot."""
    rows = played.trace[played.trace["phase"] <= 5]
    slots = np.unique(rows[["tick", "phase", "index", "sub"]])
    _, times = np.unique(slots["tick"], return_counts=True)
    return int((times > 1).sum())


def count_parity(cases: Iterable[Case]) -> Count:
    """Play every case on both engines; count rows and differences."""
    count = Count()
    for one in cases:
        simpy = play_on("simpy", one.world, one.policy, one.luck)
        compiled = play_on("compiled", one.world, one.policy, one.luck)
        count.take(one.name, simpy, difference(simpy, compiled))
    return count


def cases(first: int, worlds: int, *, whole_days: bool) -> Iterable[Case]:
    """Make cases by number, one at a time."""
    return (case(number, whole_days=whole_days) for number in range(first, first + worlds))


def main(worlds: int) -> int:
    """Print the parity count; return the number of differences."""
    found = 0
    for whole_days in (True, False):
        count = count_parity(cases(0, worlds, whole_days=whole_days))
        print(f"{'whole-day' if whole_days else 'continuous'} worlds: {count.table()}")
        print("\n".join(count.differences[:3]))
        found += len(count.differences)
    return found


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500) > 0)
