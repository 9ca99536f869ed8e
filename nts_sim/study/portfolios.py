"""Which measures to take together: every portfolio with a plan of its own, judged by simulation.

The choice of measures is the outer one. For each subset of them a world is built in which they
work, the policy plans inside it, and all subsets are simulated on the same planning draws. The
best is then simulated once more, against no measure, on evaluation draws that nothing was chosen
by: of many portfolios the winner is always somewhat lucky.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from types import TracebackType

import numpy as np
import pandas as pd

from nts_sim.engine.choice import EngineName
from nts_sim.errors import InvalidInput, NoAcceptableSolution, Problem
from nts_sim.luck.draws import DrawSet
from nts_sim.outcomes.compare import compare, paired, rank, summarise, weighted_mean
from nts_sim.outcomes.frames import frame, joined
from nts_sim.outcomes.layout import layout_of
from nts_sim.spec.models import MeasureSpec, ScenarioSpec, Study
from nts_sim.spec.portfolio import NONE, combined
from nts_sim.study.chunks import CHUNK, Bench, Failure, PolicySource, Task, do, follow_parent
from nts_sim.study.engines import engine_for
from nts_sim.study.one_plan import with_one_plan
from nts_sim.study.runner import Progress, stop_pool, worker_context, worker_count
from nts_sim.tables.load import Tables
from nts_sim.words import say
from nts_sim.world.build import build_world
from nts_sim.world.model import Floats, World

MOST_MEASURES = 6
"""Measures to choose from: 2⁶ portfolios are simulated within minutes."""
PLANNING, EVALUATION = "planning", "evaluation"
_BURDEN = "total_burden_bn_vnd", "all"
_KEPT_WORLDS = 32
"""Worlds a worker keeps; of a set, each portfolio has one a member."""


@dataclass(frozen=True)
class Portfolio:
    """Measures taken together, and how the policy that plans with them is made."""

    measure: MeasureSpec
    policy: PolicySource


@dataclass(frozen=True)
class Asked:
    """What portfolios are judged by.

    Attributes
    ----------
    study : its `measure` is replaced by each portfolio in turn
    policy : name of the policy that decides
    source : how to make it
    scenarios : (name, weight, scenario); weights sum to 1
    """

    study: Study
    policy: str
    source: PolicySource
    scenarios: tuple[tuple[str, float, ScenarioSpec], ...]
    tables: Tables


def every_portfolio(measures: Sequence[MeasureSpec]) -> list[MeasureSpec]:
    """List every subset of the measures, the smallest first; the first is no measure.

    Raises
    ------
    InvalidInput
        Where there is nothing to choose from, or too much, or measures cannot be combined.
    """
    if not measures:
        raise InvalidInput([Problem("measure", say("said.portfolios.none"))])
    if len(measures) > MOST_MEASURES:
        counts = {"measures": len(measures), "portfolios": 2 ** len(measures)}
        what = say("said.portfolios.too_many", **counts, most=MOST_MEASURES)
        raise InvalidInput([Problem("measure", what)])
    sizes = range(len(measures) + 1)
    return [combined(chosen) for size in sizes for chosen in combinations(measures, size)]


def n_simulations(asked: Asked, measures: Sequence[MeasureSpec]) -> int:
    """Count what `judge_portfolios` will simulate."""
    spec, n_portfolios = asked.study.plan, len(every_portfolio(measures))
    return len(asked.scenarios) * (n_portfolios * spec.draws + 2 * spec.evaluation_draws)


def judge_portfolios(
    asked: Asked, measures: Sequence[MeasureSpec], told: Callable[[str], None], progress: Progress
) -> dict[str, pd.DataFrame]:
    """Plan inside every portfolio, simulate them on the same luck, and say which is best.

    Parameters
    ----------
    measures : to choose from
    told : is told what is being done
    progress : is told after every few simulations

    Returns
    -------
    dict of str to DataFrame
        Tables `portfolios` and `failures`.
    """
    planned = [_planned(asked, measure, told) for measure in every_portfolio(measures)]
    spec, total = asked.study.plan, n_simulations(asked, measures)
    told(say("said.doing.portfolios", portfolios=len(planned), draws=spec.draws))
    with _Theatre(asked, planned, total, progress) as theatre:
        everyone = range(len(planned))
        chosen_by = theatre.simulate(everyone, DrawSet.PLANNING, spec.draws)
        best = _best_of(chosen_by)
        finalists = [0, next(p for p in everyone if planned[p].measure.name == best)]
        judged_by = theatre.simulate(finalists, DrawSet.EVALUATION, spec.evaluation_draws)
    costs = {one.measure.name: one.measure.cost_bn_vnd for one in planned}
    tables = [
        _table(asked, PLANNING, chosen_by, costs), _table(asked, EVALUATION, judged_by, costs)
    ]  # fmt: skip
    failures = _failure_table(asked, planned, theatre.failures)
    return {"portfolios": joined("portfolios", tables), "failures": failures}


def _planned(asked: Asked, measure: MeasureSpec, told: Callable[[str], None]) -> Portfolio:
    """Plan what is decided before day 0 in the world of a portfolio; the rest is planned there."""
    study = asked.study.model_copy(update={"measure": measure})
    scenarios = [(weight, scenario) for _, weight, scenario in asked.scenarios]
    sources = with_one_plan(
        study, scenarios, asked.tables, {asked.policy: asked.source},
        lambda message: told(f"{measure.name}: {message}"),
    )  # fmt: skip
    return Portfolio(measure, sources[asked.policy])


def _best_of(burden: Mapping[str, Floats]) -> str:
    """Name the portfolio with the best mean among those that hold a measure."""
    return next(row.policy for row in rank(burden) if row.policy != NONE.name)


# --- simulating -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Job:
    """Draws first … last − 1 of a portfolio in a scenario (numbers of both)."""

    portfolio: int
    scenario: int
    draws: DrawSet
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class _Done:
    """Burden of the draws of a job, bn VND; NaN where a draw failed."""

    job: _Job
    burden: Floats
    failures: tuple[Failure, ...]


class _Bench:
    """What a worker keeps: the portfolios, and worlds once built."""

    def __init__(self, asked: Asked, portfolios: Sequence[Portfolio], engine: EngineName) -> None:
        self._asked, self._portfolios, self._engine = asked, portfolios, engine
        self.world = lru_cache(_KEPT_WORLDS)(self._build)

    def _build(self, portfolio: int, scenario: int) -> World:
        asked = self._asked
        update = {"measure": self._portfolios[portfolio].measure}
        study = asked.study.model_copy(update=update)
        return build_world(study, asked.scenarios[scenario][2], asked.tables)

    def one(self, job: _Job) -> _Done:
        """Simulate the draws of a job."""
        asked, world = self._asked, self.world(job.portfolio, job.scenario)
        sources = {asked.policy: self._portfolios[job.portfolio].policy}
        bench = Bench([world], sources, asked.study.seed, self._engine, job.draws)
        chunk = do(Task(0, asked.policy, job.first, job.last), bench)
        burden = np.full(job.last - job.first, np.nan)
        if chunk.done:
            rows = np.array(chunk.done) - job.first
            burden[rows] = chunk.values[:, layout_of(world).columns.index(_BURDEN)]
        return _Done(job, burden, chunk.failures)


_benches: list[_Bench] = []


def _set_up(asked: Asked, portfolios: Sequence[Portfolio], engine: EngineName) -> None:
    follow_parent()
    _benches[:] = [_Bench(asked, portfolios, engine)]


def _work(job: _Job) -> _Done:
    return _benches[0].one(job)


@dataclass
class _Theatre(AbstractContextManager["_Theatre"]):
    """Simulates portfolios on the same luck, in processes that stay."""

    asked: Asked
    portfolios: Sequence[Portfolio]
    total: int
    progress: Progress
    failures: list[tuple[_Job, Failure]] = field(default_factory=list)
    finished: int = 0

    def __post_init__(self) -> None:
        given = (self.asked, self.portfolios, engine_for(self.asked.study, self.total))
        jobs = self.total // CHUNK
        workers = worker_count(self.asked.study.workers, max(jobs, 1))
        self._bench = _Bench(*given)
        self._pool = (
            None if workers == 1 else ProcessPoolExecutor(workers, worker_context(), _set_up, given)
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._pool is not None:
            stop_pool(self._pool)

    def simulate(self, which: Sequence[int], draws: DrawSet, n_draws: int) -> dict[str, Floats]:
        """Simulate portfolios; return by name float array [draw], burden over the set, bn VND.

        Raises
        ------
        InvalidInput, NoAcceptableSolution
            Where every draw of a portfolio failed.
        """
        burden = np.full((len(self.portfolios), len(self.asked.scenarios), n_draws), np.nan)
        jobs = list(_jobs(which, len(self.asked.scenarios), draws, n_draws))
        for done in self._done(jobs):
            job = done.job
            burden[job.portfolio, job.scenario, job.first : job.last] = done.burden
            self.failures += [(job, failure) for failure in done.failures]
            self.finished += job.last - job.first
            self.progress(self.finished, self.total, len(self.failures))
        weights = [weight for _, weight, _ in self.asked.scenarios]
        made = {p: weighted_mean(list(burden[p]), weights) for p in which}
        self._require_something(made)
        return {self.portfolios[p].measure.name: values for p, values in made.items()}

    def _done(self, jobs: Sequence[_Job]) -> Iterator[_Done]:
        return map(self._bench.one, jobs) if self._pool is None else self._pool.map(_work, jobs)

    def _require_something(self, made: Mapping[int, Floats]) -> None:
        lost = [p for p, burden in made.items() if np.isnan(burden).all()]
        failed = {p: [f for job, f in self.failures if job.portfolio == p] for p in lost}
        if not failed:
            return
        problems = [
            Problem(
                say(
                    "said.where.policy_with",
                    policy=self.asked.policy,
                    measure=self.portfolios[p].measure.name,
                ),
                say("said.failed.every_simulation", failure=failures[0].told),
            )
            for p, failures in failed.items()
        ]
        unsolved = {failure.error for failures in failed.values() for failure in failures}
        if unsolved == {NoAcceptableSolution.__name__}:
            raise NoAcceptableSolution("\n".join(f"{p.where}: {p.what}" for p in problems))
        raise InvalidInput(problems, say("said.subject.policies_running"))


def _jobs(which: Sequence[int], n_scenarios: int, draws: DrawSet, n_draws: int) -> Iterator[_Job]:
    for portfolio in which:
        for scenario in range(n_scenarios):
            for first in range(0, n_draws, CHUNK):
                yield _Job(portfolio, scenario, draws, first, min(first + CHUNK, n_draws))


# --- the table --------------------------------------------------------------------------------


def _table(
    asked: Asked, draws: str, burden: Mapping[str, Floats], costs: Mapping[str, float]
) -> pd.DataFrame:
    """List portfolios by mean burden, each against no measure on the same luck."""
    none = burden[NONE.name]
    ranked = rank(burden)
    names = [row.policy for row in ranked]
    found = paired(np.column_stack([burden[name] for name in names]), _column(none))
    told_apart = {
        one.policy: bool(one.separable[0])
        for one in compare({name: _column(values) for name, values in burden.items()}, NONE.name)
    }
    diff, cost = found.summary, np.array([costs[name] for name in names])
    n = len(names)
    return frame("portfolios", {
        "scenario": [asked.study.scenario.name] * n, "policy": [asked.policy] * n,
        "draws": [draws] * n, "portfolio": names, "cost_bn_vnd": cost,
        "n": summarise(np.column_stack([burden[name] for name in names])).n,
        "mean": [row.mean for row in ranked], "low": [row.low for row in ranked],
        "high": [row.high for row in ranked], "diff": diff.mean,
        "half_width": (diff.high - diff.low) / 2.0, "saved_bn_vnd": cost - diff.mean,
        "better_share": [_better_share(burden[name], none) for name in names],
        "separable": [told_apart.get(name, False) for name in names],
        "rank": [row.rank for row in ranked], "verdict": [row.verdict for row in ranked],
    })  # fmt: skip


def _column(values: Floats) -> Floats:
    return values[:, None]


def _better_share(burden: Floats, none: Floats) -> float:
    """Share of draws in which the portfolio leaves less burden than no measure."""
    both = ~np.isnan(burden - none)
    return float((burden < none)[both].mean()) if both.any() else float("nan")


def _failure_table(
    asked: Asked, planned: Sequence[Portfolio], failures: Sequence[tuple[_Job, Failure]]
) -> pd.DataFrame:
    return frame("failures", {
        "scenario": [asked.scenarios[job.scenario][0] for job, _ in failures],
        "policy": [
            f"{asked.policy} with {planned[job.portfolio].measure.name}" for job, _ in failures
        ],
        "replication": [failure.replication for _, failure in failures],
        "error": [failure.error for _, failure in failures],
        "message": [failure.message for _, failure in failures],
    })  # fmt: skip
