"""What ``sweep``, ``run -m`` and ``compare -m`` do with their cells: simulate, keep, tell."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import pandas as pd

from nts_sim.charts.sweep import (
    frontier_charts,
    frontier_columns,
    money_axis,
    sweep_charts,
    sweep_view,
)
from nts_sim.cli.cells import Common
from nts_sim.cli.flags import Flags
from nts_sim.cli.pages import chart_files, chart_lines, page, rebuild
from nts_sim.cli.sweep_text import estimate_text, sweep_text
from nts_sim.cli.tell import Alive, announce, progress_on_stderr, tables_json, told_if_slow
from nts_sim.cli.work import told_count
from nts_sim.engine.compiled import make_ready
from nts_sim.spec.models import Study
from nts_sim.study import store
from nts_sim.study.engines import engine_for, most_replications
from nts_sim.study.runner import worker_count
from nts_sim.study.sweep.asked import Asked
from nts_sim.study.sweep.cell import Cells, Own
from nts_sim.study.sweep.drive import Count, drive
from nts_sim.study.sweep.estimate import Estimate, estimate, require_room
from nts_sim.study.sweep.execute import Executor, InProcess, LocalProcesses
from nts_sim.study.sweep.keep import finish, sweep_folder, write_design
from nts_sim.study.sweep.ledger import Ledger
from nts_sim.study.sweep.parts import Parts
from nts_sim.study.sweep.tables import TABLES, write_tables
from nts_sim.study.sweep.unit import PART, worlds_of
from nts_sim.tables.load import load_tables
from nts_sim.words import say

FAILED = 3


@dataclass(frozen=True)
class Swept:
    """A sweep in its folder.

    Attributes
    ----------
    frames : its tables, see `nts_sim.study.sweep.tables`
    failed : replications that failed
    """

    folder: Path
    frames: Mapping[str, pd.DataFrame]
    failed: int


def sweep(cells: Cells, common: Common, flags: Flags, verb: str) -> int:
    """Simulate every cell, keep the tables with charts, tell them; return the exit code."""
    asked = asked_of(cells, common)
    if flags.dry_run:
        print(estimate_text(estimated(asked)))
        return 0
    made = swept(asked, flags, verb)
    if flags.json:
        shown = {name: made.frames[name] for name in ("summary", "failures")}
        print(tables_json(made.folder, shown))
    else:
        print(sweep_text(made.frames, asked.cells.axes))
        print(_paths(made.folder, made.failed))
    return FAILED if made.failed else 0


def asked_of(cells: Cells, common: Common) -> Asked:
    """Say what is asked for; one engine simulates all of it."""
    study = common.study
    engine = engine_for(study, len(cells) * most_replications(study))
    inputs = {name: digest for name, digest in common.inputs.items() if name.endswith(".csv")}
    own = {
        name: Own(where, common.inputs[f"policy {name}"])
        for name, where in common.own_policies.items()
    }
    return Asked(cells, engine, inputs, own, common.tables if common.tables.own else None)


def swept(asked: Asked, flags: Flags, verb: str) -> Swept:
    """Do what of a sweep is not there yet, and read its tables."""
    folder = sweep_folder(asked)
    if store.is_done(folder):
        announce(say("cli.already_there", folder=folder), flags)
        if not (folder / page("charts")).is_dir():  # it was told in another language
            rebuild(folder, _pictures(folder, asked))
        return Swept(folder, _frames(folder), 0)
    require_room(asked, folder)
    with store.claimed(folder):
        failed = _sweep_into(folder, asked, flags, verb)
    return Swept(folder, _frames(folder), failed)


def estimated(asked: Asked) -> Estimate:
    """Reckon what a sweep will take; nothing is written."""
    study = next(iter(asked.cells)).study
    make_engine_ready(asked, Flags(quiet=True))
    results = Path(study.results_dir)
    return estimate(asked, Parts(results, results), _workers(asked, study))


def _sweep_into(folder: Path, asked: Asked, flags: Flags, verb: str) -> int:
    started = time.monotonic()
    parts, count = simulated(folder, asked, flags)
    if count.before:
        announce(say("cli.sweep.before", n=count.before, of=count.total), flags)
    with Alive(flags) as alive:
        alive(say("cli.sweep.writing"))
        failed = write_tables(folder, asked, parts)
        write_design(folder, asked.cells)
        for name, data in _pictures(folder, asked).items():
            store.write_file(folder, name, data)
    finish(folder, asked, [verb, *sys.argv[1:]], time.monotonic() - started, failed)
    return failed


def simulated(folder: Path, asked: Asked, flags: Flags) -> tuple[Parts, Count]:
    """Simulate what is not there yet; `folder` takes the ledger and files being written."""
    study = next(iter(asked.cells)).study
    parts = Parts(Path(study.results_dir), folder)
    announce(_opening(asked), flags)
    make_engine_ready(asked, flags)
    with (
        Ledger(folder) as ledger,
        executor_for(asked, study) as executor,
        progress_on_stderr(flags) as progress,
    ):
        return parts, drive(asked, parts, executor, ledger, progress)


def _opening(asked: Asked) -> str:
    study = next(iter(asked.cells)).study
    return say(
        "cli.sweep.opening", cells=say("cli.sweep.cells", n=len(asked.cells)),
        policies=say("cli.sweep.policies", n=len(study.policies)), count=told_count(study),
        engine=asked.engine,
    )  # fmt: skip


@contextmanager
def executor_for(asked: Asked, study: Study) -> Iterator[Executor]:
    """Choose who works, and leave nothing running."""
    executor: Executor
    if study.execution.name == "dask":
        from nts_sim.study.sweep.cluster import DaskCluster

        executor = DaskCluster(str(study.execution.scheduler))
    else:
        workers = _workers(asked, study)
        executor = InProcess() if workers == 1 else LocalProcesses(workers)
    try:
        yield executor
    finally:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C changes nothing
        executor.close()
        signal.signal(signal.SIGINT, before)


def _workers(asked: Asked, study: Study) -> int:
    return worker_count(study.workers, len(asked.cells) * ceil(most_replications(study) / PART))


def make_engine_ready(asked: Asked, flags: Flags) -> None:
    """Compile the fast engine before workers would all do so at once."""
    cell = next(iter(asked.cells))
    if asked.engine == "compiled" and cell.study.execution.name == "local":
        with told_if_slow(say("cli.work.compiling"), flags):
            make_ready(worlds_of(cell, asked.tables or load_tables(None))[0])


def _pictures(folder: Path, asked: Asked) -> dict[str, bytes]:
    """Draw what the shape of the grid asks for."""
    frames, study = _frames(folder), next(iter(asked.cells)).study
    view = sweep_view(frames["summary"], study.scenario.name, folder.name, study.baseline)
    cells, summary, axes = frames["cells"], frames["summary"], asked.cells.axes
    charts = sweep_charts(cells, summary, axes, view)
    money = money_axis(cells, axes)
    if money is not None:
        results = pd.read_parquet(folder / "results.parquet", columns=frontier_columns(money))
        charts |= frontier_charts(cells, summary, results, money, view)
    return chart_files(charts)


def _frames(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of a sweep that are told; not its results, which may be large."""
    return {
        name: store.parquet_table((folder / f"{name}.parquet").read_bytes())
        for name in TABLES
        if name != "results"
    }


def _paths(folder: Path, failed: int) -> str:
    lines = [
        say("cli.path.table", path=folder / "results.csv"),
        say("cli.path.summary", path=folder / "summary.csv"),
    ]
    lines += chart_lines(folder)
    if failed:
        lines.append(say("cli.path.failed", path=folder / "failures.csv", n=failed))
    return "\n".join(lines)
