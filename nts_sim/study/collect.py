"""Gather chunks as they come, merging them in the order of replications."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nts_sim.engine.contract import Run
from nts_sim.outcomes.accumulate import Tally, merged
from nts_sim.outcomes.compare import weighted_mean
from nts_sim.outcomes.layout import Layout, layout_of
from nts_sim.outcomes.metrics import SERIES
from nts_sim.study.chunks import Chunk, Failure
from nts_sim.world.model import Floats, World


@dataclass(frozen=True, eq=False)
class Member:
    """A scenario of the study with its weight and world."""

    name: str
    weight: float
    world: World

    @property
    def layout(self) -> Layout:
        """Names and columns of the world's outcomes."""
        return layout_of(self.world)


@dataclass
class Pile:
    """What is known of one policy in one scenario.

    Attributes
    ----------
    values : float array [replication, column]; NaN until done, or failed
    daily : float array [replication, series, day]
    tally : of the chunks merged so far, None before the first
    waiting : tallies that came before their turn, by first replication
    """

    values: Floats
    daily: Floats
    tally: Tally | None = None
    merged_to: int = 0
    waiting: dict[int, tuple[int, Tally | None]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    sample: Run | None = None

    def reserve(self, replications: int) -> None:
        """Make room for more replications."""
        more = replications - len(self.values)
        self.values, self.daily = (
            np.concatenate([known, np.full((more, *known.shape[1:]), np.nan)])
            for known in (self.values, self.daily)
        )

    def add(self, chunk: Chunk) -> None:
        """Add a chunk; merge all whose turn has come."""
        if chunk.done:
            rows = list(chunk.done)
            self.values[rows], self.daily[rows] = chunk.values, chunk.daily
        self.failures += chunk.failures
        self.sample = chunk.sample or self.sample
        self.waiting[chunk.task.first] = (chunk.task.last, chunk.tally)
        while self.merged_to in self.waiting:
            self.merged_to, following = self.waiting.pop(self.merged_to)
            if following is not None:
                self.tally = following if self.tally is None else merged(self.tally, following)


class Collected:
    """Everything known so far, by (scenario, policy)."""

    def __init__(
        self, members: tuple[Member, ...], policies: tuple[str, ...], replications: int
    ) -> None:
        self.members, self.policies, self.replications = members, policies, replications
        self.piles = {
            (member.name, policy): _empty(member, replications)
            for member in members
            for policy in policies
        }
        self.finished = 0

    def reserve(self, replications: int) -> None:
        """Make room for more replications of everything."""
        self.replications = replications
        for pile in self.piles.values():
            pile.reserve(replications)

    def totals(self, metric: str) -> dict[str, Floats]:
        """Weigh the scenarios' totals of an outcome: policy → float array [replication]."""
        weights = [member.weight for member in self.members]
        return {
            policy: weighted_mean([self._total(m, policy, metric) for m in self.members], weights)
            for policy in self.policies
        }

    def _total(self, member: Member, policy: str, metric: str) -> Floats:
        column = member.layout.columns.index((metric, "all"))
        return self.piles[member.name, policy].values[:, column]

    def add(self, chunk: Chunk) -> None:
        """Add a chunk to its pile."""
        task = chunk.task
        self.piles[self.members[task.scenario].name, task.policy].add(chunk)
        self.finished += task.last - task.first

    @property
    def failed(self) -> int:
        """Replications that failed."""
        return sum(len(pile.failures) for pile in self.piles.values())


def _empty(member: Member, replications: int) -> Pile:
    days, columns = member.world.horizon_days, len(member.layout.columns)
    return Pile(
        np.full((replications, columns), np.nan),
        np.full((replications, len(SERIES), days), np.nan),
    )
