"""Run policies × scenarios × replications on common random numbers, on several processes."""

from __future__ import annotations

import math
import multiprocessing
import multiprocessing.context
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Protocol

import pandas as pd

from nts_sim.decision.model import Policy
from nts_sim.engine.session import simulate
from nts_sim.errors import InvalidInput, NoAcceptableSolution, PlaceOrMachine, Problem
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.accumulate import tally
from nts_sim.outcomes.measures import measure
from nts_sim.outcomes.precision import Reached, enough, looks, precision_table
from nts_sim.outcomes.targets import targets_table
from nts_sim.policies.registry import make_policy
from nts_sim.policies.user import load_user_policy
from nts_sim.spec.models import ScenarioSetSpec, Study
from nts_sim.study.chunks import CHUNK, Bench, Chunk, PolicySource, Task, do, set_up, tasks, work
from nts_sim.study.collect import Collected, Member
from nts_sim.study.engines import engine_for
from nts_sim.study.finance import finance_table, mechanism_table
from nts_sim.study.orders import gap_table, order_table
from nts_sim.study.tables import Results, tables_of
from nts_sim.words import say
from nts_sim.world.model import World

_LOADED = ["nts_sim.study.sweep.unit", "nts_sim.engine.compiled"]
"""Modules that import all the work of a worker."""


class Progress(Protocol):
    """Told after every chunk, so that someone may draw a bar."""

    def __call__(self, done: int, total: int, failed: int) -> None:
        """Replications done (failed ones included), of how many, and how many failed."""
        ...


def _silent(done: int, total: int, failed: int) -> None:
    """Draw nothing."""


def policy_sources(study: Study, own: Mapping[str, str] | None = None) -> dict[str, PolicySource]:
    """Say how to make each policy of the study.

    Parameters
    ----------
    own : name → ``file.py:function`` of the planner's own policies
    """
    own = own or {}
    sources: dict[str, PolicySource] = {
        name: partial(_own_policy, name, own[name]) if name in own
        else partial(make_policy, name, spec, study.solver)
        for name, spec in study.policies.items()
    }  # fmt: skip
    return sources


def _own_policy(name: str, where: str) -> Policy:
    return replace(load_user_policy(where), name=name)


def run_comparison(
    study: Study,
    worlds: Sequence[tuple[str, float, World]],
    policies: Mapping[str, PolicySource] | None = None,
    *,
    progress: Progress = _silent,
) -> Results:
    """Run every policy in every scenario on the same luck and compare them.

    Parameters
    ----------
    study : gives replications (or the precision that decides them), seed, baseline, workers
    worlds : (scenario name, weight, world) of the scenario, or of each member of a set
    policies : how to make each policy; None: those of the study
    progress : told after every chunk

    Returns
    -------
    Results
        Without the replications that failed; these are listed in its table `failures`.

    Raises
    ------
    InvalidInput
        Where a policy cannot be made.
    PlaceOrMachine
        Where a worker process is lost.
    """
    sources = policy_sources(study) if policies is None else policies
    check_policies(sources)
    members = tuple(Member(*member) for member in worlds)
    bench = Bench([member.world for member in members], sources, study.seed, engine_for(study))
    collected, reached = _simulated(study, members, bench, progress)
    made = tables_of(collected, study.baseline, _set_name(study))
    told = {}
    if study.target.goals:
        told["targets"] = targets_table(study, made.frames["outcomes"], _ends(study, members))
    if reached is not None:
        name = _set_name(study) or members[0].name
        told["precision"] = precision_table(name, study.precision, reached)
    return replace(made, frames={**made.frames, **told})


def _simulated(
    study: Study, members: tuple[Member, ...], bench: Bench, progress: Progress
) -> tuple[Collected, Reached | None]:
    """Simulate batches until they are enough; say how precise that is where it was asked."""
    collected = Collected(members, tuple(bench.sources), 0)
    reached: Reached | None = None
    with at_work(bench, worker_count(study.workers, _most_tasks(study, collected))) as simulate:
        for batch_end in _batch_ends(study):
            expected = _expected(study, batch_end, reached)
            _simulate_batch(collected, batch_end, expected, simulate, progress)
            _require_something(collected)
            if study.replications == "auto":
                totals = collected.totals(study.precision.metric)
                reached = enough(totals, study.baseline, study.precision)
                if reached.met:
                    break
    return collected, reached


def _batch_ends(study: Study) -> Iterator[int]:
    """Numbers of replications after which a batch is complete.

    Batches end where chunks end, as they would if that many had been asked for.
    """
    return (
        looks(study.precision, CHUNK)
        if study.replications == "auto"
        else iter([study.replications])
    )


def _most_tasks(study: Study, collected: Collected) -> int:
    first = next(_batch_ends(study))
    return len(collected.piles) * -(-first // CHUNK)


def _expected(study: Study, batch_end: int, reached: Reached | None) -> int:
    """Guess the replications it will take, to tell how long."""
    if reached is None or math.isnan(reached.wanted):
        return batch_end
    return max(batch_end, min(int(reached.wanted), study.precision.most))


def _simulate_batch(
    collected: Collected, batch_end: int, expected: int, simulate: Simulate, progress: Progress
) -> None:
    first, total = collected.replications, len(collected.piles) * expected
    everything = tasks(len(collected.members), collected.policies, batch_end)
    collected.reserve(batch_end)
    progress(collected.finished, total, collected.failed)
    for chunk in simulate([task for task in everything if task.first >= first]):
        collected.add(chunk)
        progress(collected.finished, total, collected.failed)


def _require_something(collected: Collected) -> None:
    """Refuse to compare a policy none of whose replications could be finished."""
    problems = [
        Problem(
            say("said.where.policy_in", policy=policy, scenario=scenario),
            say("said.failed.every_replication", failure=pile.failures[0].told),
        )
        for (scenario, policy), pile in collected.piles.items()
        if pile.tally is None and pile.failures
    ]
    if not problems:
        return
    unsolved = {failure.error for pile in collected.piles.values() for failure in pile.failures}
    if unsolved == {NoAcceptableSolution.__name__}:
        raise NoAcceptableSolution("\n".join(f"{p.where}: {p.what}" for p in problems))
    raise InvalidInput(problems, say("said.subject.policies_running"))


def check_policies(sources: Mapping[str, PolicySource]) -> None:
    """Make every policy once, so that what is wrong with any is told before work starts."""
    problems: list[Problem] = []
    for make in sources.values():
        try:
            make()
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems, say("said.subject.policies"))


def _ends(study: Study, members: Sequence[Member]) -> dict[str, date]:
    """Return the day on which each scenario is over; a set, when the last of its members is."""
    ends = {m.name: m.world.start + timedelta(days=m.world.horizon_days) for m in members}
    return {**ends, study.scenario.name: max(ends.values())}


def _set_name(study: Study) -> str | None:
    return study.scenario.name if isinstance(study.scenario, ScenarioSetSpec) else None


def worker_count(asked: int | None, n_tasks: int) -> int:
    """Return how many processes to use: one a core unless told, never more than tasks."""
    if asked is None:
        asked = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(asked or 1, n_tasks))


Simulate = Callable[[Sequence[Task]], Iterator[Chunk]]
"""Does tasks; gives chunks as they are finished, in whatever order."""


@contextmanager
def at_work(bench: Bench, workers: int) -> Iterator[Simulate]:
    """Give what does tasks: here, or in processes that stay until the end.

    Raises
    ------
    PlaceOrMachine
        Where a worker process is lost.
    """
    if workers == 1:
        yield lambda listed: (do(task, bench) for task in listed)
        return
    given = (bench.worlds, bench.sources, bench.seed, bench.engine)
    pool = ProcessPoolExecutor(workers, worker_context(), set_up, given)
    try:
        yield lambda listed: _finished(pool.submit(work, task) for task in listed)
    except BrokenProcessPool:
        raise PlaceOrMachine(say("said.place.worker_lost")) from None
    finally:
        stop_pool(pool)


def worker_context() -> multiprocessing.context.BaseContext:
    """Start workers afresh, as a copy of a process with threads may hang.

    They are copies of one that has loaded what all need and done nothing yet: a worker that is lost
    is replaced at once.
    """
    known = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in known else "spawn")
    context.set_forkserver_preload(_LOADED)
    return context


def _finished(futures: Iterable[Future[Chunk]]) -> Iterator[Chunk]:
    for future in as_completed(list(futures)):
        yield future.result()


def stop_pool(pool: ProcessPoolExecutor) -> None:
    """Leave nothing running: drop what waits, end what runs."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()


def run_plan(
    study: Study, scenario: str, world: World, policy: str, source: PolicySource | None = None
) -> dict[str, pd.DataFrame]:
    """Run one policy once: what to mobilise and send, and what stays short.

    Replication 0 is run; orders of day 0 are what to do now, later ones are what the policy
    expects to order on this luck.

    Returns
    -------
    dict of str to DataFrame
        Tables `orders` (the plan), `gap`, `finance` and `mechanisms`.
    """
    make = source if source is not None else policy_sources(study)[policy]
    luck = Luck(study.seed, DrawSet.EVALUATION, 0)
    run = simulate(world, make(), luck, engine_for(study, replications=1))
    found = tally(measure(run, world))
    return {
        "orders": order_table(scenario, policy, world, run.rulings, run.trace),
        "gap": gap_table(scenario, policy, world, found),
        "finance": finance_table(scenario, policy, world, found),
        "mechanisms": mechanism_table(scenario, world),
    }
