"""Choose among the policies of a study, simulating each as often as the choice needs.

Replications are evaluation draws: planners look ahead on planning draws, so their outcomes on
those would flatter them. Of many policies the chosen one is somewhat lucky on the draws it was
chosen by; to judge it on fresh luck, run it with another seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nts_sim.errors import InvalidInput, NoAcceptableSolution, Problem
from nts_sim.outcomes.apart import differences, told_apart
from nts_sim.outcomes.compare import summarise, weighted_mean
from nts_sim.outcomes.frames import frame
from nts_sim.outcomes.selection import (
    Effort,
    Indifference,
    Selection,
    Wanted,
    fixed,
    kn,
    ocba,
    share_of,
)
from nts_sim.spec.models import SelectionSpec, Study
from nts_sim.study.chunks import CHUNK, Bench, Chunk, PolicySource, Task
from nts_sim.study.collect import Member
from nts_sim.study.engines import engine_for
from nts_sim.study.runner import Progress, Simulate, at_work, worker_count
from nts_sim.words import say
from nts_sim.world.model import Floats, World

CHOSEN, WORSE, NOT_APART, SAME = "chosen", "worse", "not told apart", "the same so far"
_BURDEN = "total_burden_bn_vnd", "all"


def check_selection(study: Study) -> None:
    """Refuse a selection that cannot be made.

    Raises
    ------
    InvalidInput
        Where there is nothing to choose from, or the budget ends before the first look.
    """
    n, spec = len(study.policies), study.selection
    if n < 2:
        raise InvalidInput([Problem("policy", say("said.selection.one_policy"))])
    if n * spec.first > spec.budget:
        given = {"budget": spec.budget, "first": spec.first, "policies": n}
        what = say("said.selection.small_budget", **given, least=n * spec.first)
        raise InvalidInput([Problem("selection.budget", what)])


def select_policy(
    study: Study, worlds: Sequence[tuple[str, float, World]],
    policies: Mapping[str, PolicySource], progress: Progress,
) -> pd.DataFrame:  # fmt: skip
    """Choose among the policies by total burden; return the table `selection`.

    Parameters
    ----------
    worlds : (scenario name, weight, world) of the scenario, or of each member of a set; of a set
        the weighted burden counts
    progress : told after every chunk; its total is what the budget allows

    Raises
    ------
    InvalidInput, NoAcceptableSolution
        Where a replication fails: a selection needs every one.
    """
    members, spec = tuple(Member(*member) for member in worlds), study.selection
    engine = engine_for(study, spec.budget)
    bench = Bench([member.world for member in members], policies, study.seed, engine)
    n_tasks = len(members) * len(policies) * -(-spec.first // CHUNK)
    with at_work(bench, worker_count(study.workers, n_tasks)) as simulate:
        stage = _Stage(members, tuple(policies), simulate, progress, spec.budget * len(members))
        made = _choose(spec, tuple(policies), stage, study.baseline)
    return selection_table(study.scenario.name, tuple(policies), spec.method, made)


def _choose(
    spec: SelectionSpec, policies: tuple[str, ...], stage: _Stage, baseline: str
) -> Selection:
    effort = Effort(spec.first, spec.batch, spec.budget)
    indifference = _indifference(spec, policies, baseline)
    if spec.method == "kn":
        return kn(len(policies), stage.sample, effort, spec.confidence, indifference)
    return ocba(len(policies), stage.sample, effort, indifference)


def _indifference(spec: SelectionSpec, policies: tuple[str, ...], baseline: str) -> Indifference:
    if spec.indifference_bn_vnd is not None:
        return fixed(spec.indifference_bn_vnd)
    return share_of(policies.index(baseline), spec.indifference_pct)


# --- simulating ---------------------------------------------------------------------------------


@dataclass
class _Stage:
    """Makes replications of policies, weighing the scenarios; remembers how many."""

    members: tuple[Member, ...]
    policies: tuple[str, ...]
    simulate: Simulate
    progress: Progress
    total: int
    finished: int = 0

    def sample(self, asked: Sequence[Wanted]) -> list[Floats]:
        """Simulate what is asked; of each, float array [replication], burden in bn VND."""
        burden = {
            (scenario, wanted.policy): np.full(wanted.last - wanted.first, np.nan)
            for scenario in range(len(self.members))
            for wanted in asked
        }
        first = {self.policies[wanted.policy]: wanted.first for wanted in asked}
        for chunk in self.simulate([task for one in asked for task in self._tasks(one)]):
            self._require_all(chunk)
            task = chunk.task
            column = self.members[task.scenario].layout.columns.index(_BURDEN)
            rows = np.array(chunk.done) - first[task.policy]
            key = task.scenario, self.policies.index(task.policy)
            burden[key][rows] = chunk.values[:, column]
            self.finished += task.last - task.first
            self.progress(self.finished, self.total, 0)
        return [self._weighed(burden, wanted.policy) for wanted in asked]

    def _tasks(self, wanted: Wanted) -> list[Task]:
        return [
            Task(scenario, self.policies[wanted.policy], here, min(here + CHUNK, wanted.last))
            for scenario in range(len(self.members))
            for here in range(wanted.first, wanted.last, CHUNK)
        ]

    def _weighed(self, burden: Mapping[tuple[int, int], Floats], policy: int) -> Floats:
        values = [burden[scenario, policy] for scenario in range(len(self.members))]
        return weighted_mean(values, [member.weight for member in self.members])

    def _require_all(self, chunk: Chunk) -> None:
        if not chunk.failures:
            return
        failure, task = chunk.failures[0], chunk.task
        name = self.members[task.scenario].name
        where = say("said.where.policy_in", policy=task.policy, scenario=name)
        what = say("said.selection.failed", replication=failure.replication, failure=failure.told)
        if failure.error == NoAcceptableSolution.__name__:
            raise NoAcceptableSolution(f"{where}: {what}")
        raise InvalidInput([Problem(where, what)], say("said.subject.policies_running"))


# --- the table ----------------------------------------------------------------------------------


def selection_table(
    scenario: str, policies: tuple[str, ...], method: str, made: Selection
) -> pd.DataFrame:
    """List the policies, the chosen first and then by burden against it."""
    chosen = made.values[made.chosen]
    against = [differences(values, chosen) for values in made.values]
    order = sorted(range(len(policies)), key=lambda p: (p != made.chosen, float(against[p].mean())))
    apart = told_apart(made.values, made.looks, made.chosen)
    own = [_mean_and_half(made.values[p]) for p in order]
    paired = [_mean_and_half(against[p]) for p in order]
    n = len(order)
    return frame("selection", {
        "scenario": [scenario] * n, "method": [method] * n, "rank": range(1, n + 1),
        "policy": [policies[p] for p in order], "n": [len(made.values[p]) for p in order],
        "mean": [mean for mean, _ in own], "half_width": [half for _, half in own],
        "diff": [mean for mean, _ in paired], "diff_half_width": [half for _, half in paired],
        "different": [apart[p] for p in order],
        "verdict": [_verdict(p == made.chosen, apart[p], against[p]) for p in order],
        "indifference_bn_vnd": [made.indifference] * n, "probability": [made.probability] * n,
        "stopped": [made.stopped] * n,
    })  # fmt: skip


def _mean_and_half(values: Floats) -> tuple[float, float]:
    found = summarise(values[:, None])
    return float(found.mean[0]), float(found.high[0] - found.low[0]) / 2.0


def _verdict(is_chosen: bool, is_apart: bool, against: Floats) -> str:
    if is_chosen:
        return CHOSEN
    if not against.any():
        return SAME
    return WORSE if is_apart and against.mean() > 0.0 else NOT_APART
