"""What run, compare and plan do with a prepared study: work, keep, tell."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from nts_sim.cli import pages
from nts_sim.cli.compose import NO_MEASURE
from nts_sim.cli.flags import Flags
from nts_sim.cli.portfolio_text import portfolio_text
from nts_sim.cli.prepare import Prepared
from nts_sim.cli.selection_text import selection_text
from nts_sim.cli.target_text import tell_targets
from nts_sim.cli.tasks import tasks_of_comparison, tasks_of_plan
from nts_sim.cli.tell import (
    Alive,
    announce,
    precision_text,
    progress_on_stderr,
    ranking_text,
    tables_json,
    told_if_slow,
)
from nts_sim.engine.compiled import make_ready
from nts_sim.policies.registry import BOUND, PLANNERS
from nts_sim.spec.models import MeasureSpec, ScenarioSpec, Study
from nts_sim.study import store
from nts_sim.study.chunks import PolicySource
from nts_sim.study.directory import directory_table
from nts_sim.study.engines import engine_for, most_replications
from nts_sim.study.manifest import manifest_of
from nts_sim.study.one_plan import in_common_world, with_one_plan
from nts_sim.study.portfolios import Asked, every_portfolio, judge_portfolios, n_simulations
from nts_sim.study.runner import run_comparison, run_plan
from nts_sim.study.select import check_selection, select_policy
from nts_sim.study.tables import Results
from nts_sim.tables.load import statuses
from nts_sim.words import name_of, say
from nts_sim.words.figures import figure
from nts_sim.world.model import World

SHOWN_ORDERS = 20
_SHOWN_TABLES = ("summary", "comparison", "ranking", "precision", "targets")


def compare(prepared: Prepared, flags: Flags) -> int:
    """Simulate every policy in every scenario, keep results with charts and report, tell them."""
    return _simulated(prepared, flags, "compare")


def run(prepared: Prepared, flags: Flags) -> int:
    """Simulate one policy, keep results with charts and report, tell them."""
    return _simulated(prepared, flags, "run")


def plan(prepared: Prepared, flags: Flags) -> int:
    """Make a plan and judge it; tell what to prepare and send, what stays short, how sure it is.

    Of a rule, that has no plan, tell what it orders in one simulation and what stays short.
    """
    folder = _folder(prepared, "plan")
    if store.is_done(folder):
        announce(say("cli.already_there", folder=folder), flags)
    else:
        started = time.monotonic()
        frames = plan_frames(prepared, flags)
        with store.claimed(folder):
            for name, table in frames.items():
                store.write_table(folder, name, table)
            made = _manifest(prepared, folder, "plan", started, 0)
            for name, data in pages.plan_pages(frames, made).items():
                store.write_file(folder, name, data)
            _finish(prepared, folder, "plan", started, 0)
    frames = store.read_results(folder)
    if not pages.are_there(folder):  # it was told in another language
        pages.rebuild(folder, pages.plan_pages(frames, store.read_manifest(folder)))
    _tell_plan(frames, folder, prepared, flags)
    return 0


def portfolios(prepared: Prepared, flags: Flags) -> int:
    """Choose among all portfolios of the measures, each with a plan of its own; tell the table."""
    study = prepared.study
    every_portfolio(_measures(study))  # refused before anything is written
    folder = _folder(prepared, "portfolios")
    if store.is_done(folder):
        announce(say("cli.already_there", folder=folder), flags)
    else:
        with store.claimed(folder):
            _portfolios_into(folder, prepared, flags)
    frames = store.read_results(folder)
    if flags.json:
        print(tables_json(folder, frames))
    else:
        print(portfolio_text(frames["portfolios"]))
        print(say("cli.path.table", path=folder / "portfolios.csv"))
    return _told_failures(frames["failures"], flags)


def _portfolios_into(folder: Path, prepared: Prepared, flags: Flags) -> None:
    started = time.monotonic()
    frames = portfolio_frames(prepared, flags)
    for name, table in frames.items():
        store.write_table(folder, name, table)
    _finish(prepared, folder, "portfolios", started, len(frames["failures"]))


def portfolio_frames(prepared: Prepared, flags: Flags) -> dict[str, pd.DataFrame]:
    """Make all tables of a choice of measures, and keep nothing."""
    study, measures = prepared.study, _measures(prepared.study)
    policy, source = next(iter(prepared.policies.items()))
    asked = Asked(study, policy, source, _members(prepared), prepared.tables)
    _make_ready(prepared, flags, n_simulations(asked, measures))
    with progress_on_stderr(flags) as progress:
        return judge_portfolios(asked, measures, lambda told: announce(told, flags), progress)


def _folder(prepared: Prepared, verb: str) -> Path:
    """Folder of a run, whether it is there or not."""
    scenarios = [scenario for _, scenario in prepared.scenarios]
    members = scenarios if len(scenarios) > 1 else ()
    return store.run_folder(prepared.study, verb, prepared.inputs, members)


def _members(prepared: Prepared) -> tuple[tuple[str, float, ScenarioSpec], ...]:
    """Return name, weight and scenario of each member of a set, or of the one scenario."""
    pairs = zip(prepared.worlds, prepared.scenarios, strict=True)
    return tuple((name, weight, scenario) for (name, _, _), (weight, scenario) in pairs)


def _measures(study: Study) -> tuple[MeasureSpec, ...]:
    """Return the measures to choose from: those named together, or the one that is chosen."""
    alone = () if study.measure.name == NO_MEASURE else (study.measure,)
    return tuple(study.measures.values()) or alone


def plan_frames(prepared: Prepared, flags: Flags) -> dict[str, pd.DataFrame]:
    """Make all tables of a plan, and keep nothing."""
    _make_ready(prepared, flags, replications=1)
    with Alive(flags) as alive:
        made = _planned(prepared, alive)
    tasks = tasks_of_plan(made, prepared)
    return {**made, "tasks": tasks, "directory": directory_table(prepared.tables)}


def select(prepared: Prepared, flags: Flags) -> int:
    """Choose among the policies, simulating each as often as the choice needs; tell the table."""
    study = prepared.study
    check_selection(study)
    folder = _folder(prepared, "select")
    if store.is_done(folder):
        announce(say("cli.already_there", folder=folder), flags)
    else:
        with store.claimed(folder):
            _selection_into(folder, prepared, flags)
    frames = store.read_results(folder)
    if flags.json:
        print(tables_json(folder, frames))
    else:
        print(selection_text(frames["selection"]))
        print(say("cli.path.table", path=folder / "selection.csv"))
    return 0


def _selection_into(folder: Path, prepared: Prepared, flags: Flags) -> None:
    study, started = prepared.study, time.monotonic()
    budget = study.selection.budget
    _say_engine(prepared, flags, budget, say("cli.work.budget", n=budget))
    with progress_on_stderr(flags, at_most=True) as progress:
        table = select_policy(study, prepared.worlds, _sources(prepared, flags), progress)
    store.write_table(folder, "selection", table)
    made = int(table["n"].max())
    _finish(prepared, folder, "select", started, 0, made)


def _planned(prepared: Prepared, alive: Alive) -> dict[str, pd.DataFrame]:
    """Make all tables of a plan: judged where a planner makes it, and one course of events."""
    from nts_sim.study.judged import judge
    from nts_sim.study.plan_tables import no_plan_tables, plan_tables

    study = prepared.study
    policy, source = next(iter(prepared.policies.items()))
    made = no_plan_tables()
    if policy in PLANNERS and policy != BOUND:
        judged = judge(study, policy, prepared.worlds, _shared(prepared), alive)
        made = {**judged.simulated, **plan_tables(study.scenario.name, policy, judged)}
        policy, source = judged.rehearsal.name, judged.rehearsal.policy
    alive(say("cli.work.rehearsing", policy=policy))
    parts = [run_plan(study, name, world, policy, source) for name, _, world in prepared.worlds]
    once = {name: pd.concat([part[name] for part in parts]) for name in parts[0]}
    return once | made | {"orders": once["orders"]}


def _shared(prepared: Prepared) -> list[tuple[float, World]]:
    """Worlds to plan for: of a set, such as differ in their hazards only."""
    if len(prepared.worlds) == 1:
        return [(1.0, prepared.worlds[0][2])]
    given = prepared.scenarios, prepared.tables
    return [in_common_world(prepared.study, *member, *given) for member in prepared.scenarios]


def _sources(prepared: Prepared, flags: Flags) -> dict[str, PolicySource]:
    """Say how to make each policy, with one plan before it is known what comes."""
    return with_one_plan(
        prepared.study, prepared.scenarios, prepared.tables, prepared.policies,
        lambda message: announce(message, flags),
    )  # fmt: skip


def _simulated(prepared: Prepared, flags: Flags, verb: str) -> int:
    study = prepared.study
    folder = _folder(prepared, verb)
    if store.is_done(folder):
        announce(say("cli.already_there", folder=folder), flags)
    else:
        with store.claimed(folder):
            _simulate_into(folder, prepared, flags, verb)
    frames = store.read_results(folder)
    if not pages.are_there(folder):  # it was told in another language
        pages.rebuild(folder, pages.run_pages(frames, store.read_manifest(folder)))
    if flags.json:
        shown = [name for name in _SHOWN_TABLES if name in frames]
        print(tables_json(folder, {name: frames[name] for name in shown}))
    else:
        print(ranking_text(frames, study.baseline))
        if "precision" in frames:
            print(precision_text(frames["precision"]))
        tell_targets(frames, study.baseline)
        print(_paths(folder))
    return _told_failures(frames["failures"], flags)


def _simulate_into(folder: Path, prepared: Prepared, flags: Flags, verb: str) -> None:
    started = time.monotonic()
    results = simulated_results(prepared, flags)
    announce(say("cli.work.drawing"), flags)
    store.write_results(folder, results)
    failed = len(results.frames["failures"])
    made = _replications_made(results.frames)
    manifest = _manifest(prepared, folder, verb, started, failed, made)
    for name, data in pages.run_pages(results.frames, manifest).items():
        store.write_file(folder, name, data)
    _finish(prepared, folder, verb, started, failed, made)


def told_count(study: Study) -> str:
    """Tell how many replications a study asks for."""
    limits = study.precision
    if study.replications == "auto":
        told = figure(limits.least, "d"), figure(limits.most, "d")
        return say("cli.work.replications_between", least=told[0], most=told[1])
    return _told_replications(study.replications)


def _told_replications(count: int) -> str:
    return say("cli.work.replications", n=count)


def _replications_made(frames: Mapping[str, pd.DataFrame]) -> int:
    """Count the replications made of each policy, those that failed included."""
    numbers = pd.concat([frames[name]["replication"] for name in ("outcomes", "failures")])
    return int(numbers.max()) + 1


def simulated_results(prepared: Prepared, flags: Flags) -> Results:
    """Simulate every policy in every scenario, and keep nothing."""
    study = prepared.study
    _say_engine(prepared, flags, most_replications(study), told_count(study))
    with progress_on_stderr(flags) as progress:
        made = run_comparison(study, prepared.worlds, _sources(prepared, flags), progress=progress)
    kept = {
        **_prices(prepared, made, flags),
        "tasks": tasks_of_comparison(made.frames, prepared),
        "directory": directory_table(prepared.tables),
    }
    return replace(made, frames={**made.frames, **kept})


def _prices(prepared: Prepared, made: Results, flags: Flags) -> dict[str, pd.DataFrame]:
    """Price a little more of everything, where a comparison is won by a planner."""
    from nts_sim.study.prices import no_prices, prices

    study, best = prepared.study, made.best_policy
    baseline = prepared.policies.get(study.baseline)
    if baseline is None or best not in PLANNERS or best == BOUND or len(made.frames["failures"]):
        return no_prices()
    announce(say("cli.work.pricing"), flags)
    return prices(study, study.scenario.name, best, _shared(prepared), baseline)


def _make_ready(prepared: Prepared, flags: Flags, replications: int) -> None:
    """Say which engine works, and compile it first where it is not compiled yet."""
    _say_engine(prepared, flags, replications, _told_replications(replications))


def _say_engine(prepared: Prepared, flags: Flags, replications: int, count: str) -> None:
    chosen = engine_for(prepared.study, replications)
    announce(say("cli.work.engine", engine=chosen, count=count), flags)
    if chosen == "compiled":
        with told_if_slow(say("cli.work.compiling"), flags):
            make_ready(prepared.worlds[0][2])


def _manifest(
    prepared: Prepared, folder: Path, verb: str, started: float, failed: int,
    replications: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    seconds = time.monotonic() - started
    command = [verb, *sys.argv[1:]]
    members = _members(prepared)
    made = manifest_of(
        prepared.study, verb, folder.name, command, prepared.inputs, seconds, failed,
        members if len(members) > 1 else (), replications,
    )  # fmt: skip
    return {**made, "input_statuses": [list(row) for row in statuses(prepared.tables)]}


def _finish(
    prepared: Prepared, folder: Path, verb: str, started: float, failed: int,
    replications: int | None = None,
) -> None:  # fmt: skip
    """Write what makes the folder readable by itself, and then that it is done."""
    names = {scenario: _names(world) for scenario, _, world in prepared.worlds}
    text = json.dumps(names, ensure_ascii=False, indent=1)
    store.write_file(folder, "names.json", text.encode("utf-8"))
    store.write_manifest(folder, _manifest(prepared, folder, verb, started, failed, replications))
    store.finish(folder)


def _names(world: World) -> dict[str, Any]:
    """Say what the numbers in the trace stand for."""
    return {
        "nodes": world.nodes.name,
        "threats": world.threats.title,
        "resources": world.resources.name,
    }


def _tell_plan(
    frames: Mapping[str, pd.DataFrame], folder: Path, prepared: Prepared, flags: Flags
) -> None:
    if flags.json:
        print(tables_json(folder, frames))
        return
    if len(frames["plan_value"]):
        from nts_sim.report.plan_text import plan_text
        from nts_sim.spec.texts import spoken

        print(plan_text(frames, spoken(prepared.study.scenario.model_dump(), "question")))
        tell_targets(frames, prepared.study.baseline)
    else:
        print(_orders_text(frames["orders"]))
    report = say("cli.path.report", path=folder / pages.page(pages.REPORT))
    lines = [report, *pages.plan_paths(folder), say("cli.path.gaps", path=folder / "gap.csv")]
    print("\n".join(lines + pages.chart_lines(folder)))


_ORDER_COLUMNS = ("scenario", "day", "kind", "name", "resource", "granted", "unit", "mechanism")


def _orders_text(orders: pd.DataFrame) -> str:
    """Tell the first orders of a rule."""
    if orders.empty:
        return say("cli.work.no_orders")
    shown = orders.head(SHOWN_ORDERS)
    named = {"kind": "order_kind", "resource": "resource", "unit": "unit", "mechanism": "mechanism"}
    table = pd.DataFrame({
        say(f"cli.orders.{name}"): shown[name].map(partial(name_of, named[name]))
        if name in named else shown[name].round(1) if name == "granted" else shown[name]
        for name in _ORDER_COLUMNS
    })  # fmt: skip
    told = table.to_string(index=False, decimal=say("format.decimal"))
    left = len(orders) - len(shown)
    return f"{told}\n{say('cli.work.more_orders', n=left)}" if left else told


def _paths(folder: Path) -> str:
    report = say("cli.path.report", path=folder / pages.page(pages.REPORT))
    return "\n".join([report, *pages.plan_paths(folder), *pages.chart_lines(folder)])


def _told_failures(failures: pd.DataFrame, flags: Flags) -> int:
    if not len(failures):
        return 0
    first = failures.iloc[0]
    told = {name: first[name] for name in ("policy", "replication", "error", "message")}
    announce(say("cli.work.failed", n=len(failures), **told), Flags())
    return 3
