"""What ``breakeven`` does: one value after another, each as a sweep of one cell would be run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nts_sim.charts.breakeven import breakeven_line, breakeven_sentence
from nts_sim.charts.frame import View
from nts_sim.cli.cells import Common, SweptCells
from nts_sim.cli.flags import Flags
from nts_sim.cli.grid import Axis, Grid
from nts_sim.cli.lesson import Learnt, tell_again, tell_lesson
from nts_sim.cli.sweeping import asked_of, executor_for, make_engine_ready
from nts_sim.cli.tell import announce, progress_on_stderr
from nts_sim.errors import InvalidInput, Problem, SomeFailed
from nts_sim.outcomes.insight.breakeven import (
    Breakeven,
    against_best_rival,
    breakeven_table,
)
from nts_sim.outcomes.insight.breakeven import breakeven as search
from nts_sim.outcomes.metrics import Metric
from nts_sim.spec.load import is_whole
from nts_sim.spec.models import Study
from nts_sim.study import store
from nts_sim.study.sweep.asked import Asked as Sweep
from nts_sim.study.sweep.asked import Keyed
from nts_sim.study.sweep.drive import drive
from nts_sim.study.sweep.execute import Executor
from nts_sim.study.sweep.kept import Question, keep_lesson
from nts_sim.study.sweep.ledger import Ledger
from nts_sim.study.sweep.parts import Parts
from nts_sim.study.sweep.unit import COLUMNS
from nts_sim.words import say, sentence
from nts_sim.world.model import Floats


@dataclass(frozen=True)
class Asked:
    """What is asked.

    Attributes
    ----------
    key : of the parameter that is changed
    low, high : range looked over
    tolerance : width of the interval that the change is told to lie in; None: a hundredth of range
    metric : a burden, by whose mean policies are preferred
    command : words of the command line, after the verb
    """

    key: str
    low: float
    high: float
    tolerance: float | None
    metric: Metric
    command: Sequence[str]


def breakeven(asked: Asked, cells: SweptCells, common: Common, flags: Flags) -> int:
    """Find where the preferred policy changes, keep and tell it; return the exit code."""
    shipped = _checked(asked, cells, common.study)
    sweep = asked_of(_at(cells, asked.key, [asked.low, shipped, asked.high]), common)
    study = next(iter(sweep.cells)).study
    content = {
        "key": asked.key, "low": asked.low, "high": asked.high, "tolerance": asked.tolerance,
        "in_use": shipped, "metric": asked.metric.name, "cells": sweep.digest,
    }  # fmt: skip
    question = Question(
        "breakeven", asked.key.split(".")[-1], content, sweep.inputs, study.seed
    )  # fmt: skip
    folder = question.folder(Path(study.results_dir) / study.experiment)
    if store.is_done(folder):
        tell_again(
            folder, flags, lambda: _searched_again(folder, asked, shipped, sweep, cells, flags)
        )
        return 0
    started = time.monotonic()
    with store.claimed(folder):
        lesson = _searched(folder, folder, asked, shipped, sweep, cells, flags).as_kept()
        words = ["breakeven", *asked.command]
        keep_lesson(folder, question, lesson, words, time.monotonic() - started)
    tell_lesson(folder, flags)
    return 0


# --- what is asked --------------------------------------------------------------------------------


def _checked(asked: Asked, cells: SweptCells, study: Study) -> float:
    """Return the value in use, or raise what is wrong with the question."""
    problems = [
        Problem(axis, say("cli.breakeven.one_value", key=asked.key))
        for axis in cells.axes if axis != asked.key
    ]  # fmt: skip
    if len(study.policies) < 2:
        what = say("cli.breakeven.one_policy", policy=", ".join(study.policies))
        problems.append(Problem("policy", what))
    value = None if problems else _in_use(_without(cells, asked.key), asked.key)
    if value is None and not problems:
        problems.append(Problem(asked.key, say("cli.breakeven.no_number")))
    elif value is not None and not asked.low <= value <= asked.high:
        ends = f"{asked.low:g}..{asked.high:g}"
        what = say("cli.breakeven.outside", value=f"{value:g}", range=ends)
        problems.append(Problem(asked.key, what))
    if problems or value is None:
        raise InvalidInput(problems, say("cli.subject.written"))
    return value


def _without(cells: SweptCells, key: str) -> Study:
    """Compose the study as it is where the key is not written."""
    bundles = tuple(bundle for bundle in cells.opened.grid.bundles if bundle[0].key != key)
    return replace(cells, opened=replace(cells.opened, grid=Grid(bundles))).load(0).study


def _in_use(study: Study, key: str) -> float | None:
    """Look a key up; None where it is not set or no number."""
    here: Any = study.model_dump()
    for part in key.split("."):
        if isinstance(here, Sequence) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            here = here.get(part) if isinstance(here, Mapping) else None
    return float(here) if isinstance(here, int | float) and not isinstance(here, bool) else None


def _at(cells: SweptCells, key: str, values: Sequence[float]) -> SweptCells:
    """Give the cells at some values of the key."""
    plain = [int(value) if is_whole(key) else value for value in values]
    texts = tuple(f"++{key}={value!r}" for value in plain)
    axis = Axis(key, tuple(plain), texts, swept=True)
    bundles = tuple(
        (axis,) if bundle[0].key == key else bundle for bundle in cells.opened.grid.bundles
    )
    return replace(cells, opened=replace(cells.opened, grid=Grid(bundles)))


# --- searching ------------------------------------------------------------------------------------


class _Looks:
    """Simulates what is missing at a value, and remembers what came of it."""

    def __init__(
        self, asked: Asked, sweep: Sweep, cells: SweptCells, parts: Parts, executor: Executor,
        ledger: Ledger, flags: Flags,
    ) -> None:  # fmt: skip
        self._asked, self._sweep, self._cells = asked, sweep, cells
        self._parts, self._executor, self._ledger = parts, executor, ledger
        self._flags = flags
        self._known: dict[float, Mapping[str, Floats]] = {}

    def at(self, value: float) -> Mapping[str, Floats]:
        """Return the outcome at a value, policy → float array [replication]."""
        if value not in self._known:
            self._known[value] = self._simulated(value)
        return self._known[value]

    def preferred(self, value: float) -> str:
        """Name the policy with the best mean."""
        means = {policy: float(np.nanmean(v)) for policy, v in self.at(value).items()}
        return min(means, key=lambda policy: means[policy])

    def difference(self, policy: str, value: float) -> Floats:
        """Return what a policy has more than its best rival, float array [replication]."""
        return against_best_rival(self.at(value), policy)[1]

    def rival(self, policy: str, value: float) -> str:
        """Name the best of the others."""
        return against_best_rival(self.at(value), policy)[0]

    def _simulated(self, value: float) -> Mapping[str, Floats]:
        at = f"{self._asked.key} = {value:g}"
        announce(say("cli.breakeven.looking", at=at), self._flags)
        sweep = replace(self._sweep, cells=_at(self._cells, self._asked.key, [value]))
        with progress_on_stderr(self._flags) as progress:
            drive(sweep, self._parts, self._executor, self._ledger, progress)
        (keyed,) = sweep
        self._refuse_failures(keyed, value)
        weights = np.array([weight for _, weight, _ in keyed.cell.scenarios])
        column = COLUMNS.index(self._asked.metric.name)
        tables = keyed.values(self._parts)
        made = {policy: weights @ table[:, :, column] for policy, table in tables.items()}
        if any(np.isnan(values).all() for values in made.values()):
            what = say("cli.breakeven.no_value", metric=self._asked.metric.name, at=at)
            raise InvalidInput([Problem("metric", what)], say("cli.subject.written"))
        return made

    def _refuse_failures(self, keyed: Keyed, value: float) -> None:
        for want in keyed.wants(self._parts):
            for _, failure in self._parts.require(want.key).failures:
                at = f"{self._asked.key} = {value:g}"
                told = {"policy": want.policy, "n": failure.replication, "cause": failure.message}
                raise SomeFailed(say("cli.breakeven.failed", at=at, **told))


def _searched_again(
    folder: Path, asked: Asked, shipped: float, sweep: Sweep, cells: SweptCells, flags: Flags
) -> Learnt:
    """Search as before, over what was simulated then, to tell it in another language."""
    with tempfile.TemporaryDirectory(prefix=".nts-sim-", dir=folder.parent) as scratch:
        return _searched(folder, Path(scratch), asked, shipped, sweep, cells, flags)


def _searched(
    folder: Path, writing: Path, asked: Asked, shipped: float, sweep: Sweep, cells: SweptCells,
    flags: Flags,
) -> Learnt:  # fmt: skip
    """Search; `writing` takes the ledger and files being written."""
    study = next(iter(sweep.cells)).study
    parts = Parts(Path(study.results_dir), writing)
    make_engine_ready(sweep, flags)
    with Ledger(writing) as ledger, executor_for(sweep, study) as executor:
        looks = _Looks(asked, sweep, cells, parts, executor, ledger, flags)
        policy = looks.preferred(shipped)
        found = search(
            partial(looks.difference, policy), shipped, asked.low, asked.high,
            tolerance=asked.tolerance, whole=is_whole(asked.key),
        )  # fmt: skip
    return _lesson(found, looks, policy, asked, study, folder.name)


def _lesson(
    found: Breakeven, looks: _Looks, policy: str, asked: Asked, study: Study, run_id: str
) -> Learnt:
    scenario, unit = study.scenario.name, asked.metric.unit
    table = breakeven_table(
        found, asked.key, scenario, policy, partial(looks.rival, policy), asked.metric.name, unit
    )
    nearest = found.nearest
    rival = looks.rival(policy, nearest.far if nearest else found.shipped)
    n = max(point.n for point in found.points)
    view = View(scenario, scenario, policy, study.baseline, run_id, n)
    return Learnt(
        {"breakeven": table},
        lambda: {"breakeven": breakeven_line(found, asked.key, policy, rival, unit, view)},
        lambda: [sentence(breakeven_sentence(found, asked.key, policy, rival)) + "."],
    )
