"""Runs on several processes, and results that are kept: same answers, nothing overwritten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from nts_sim.decision.model import Policy, declare, draw, mobilise, move
from nts_sim.errors import InvalidInput, PlaceOrMachine, Problem
from nts_sim.outcomes.frames import INSIGHT_TABLES, TABLES, empty
from nts_sim.spec.models import (
    EngineSpec,
    FundSpec,
    InformationSpec,
    MeasureSpec,
    MechanismSpec,
    NetworkSpec,
    PolicySpec,
    PreparationSpec,
    ResourcesSpec,
    ScenarioSetSpec,
    ScenarioSpec,
    ScenarioTexts,
    SolverSpec,
    Study,
    ThreatSpec,
)
from nts_sim.study import run_comparison, run_plan, store
from nts_sim.study.chunks import Bench, do, tasks
from nts_sim.study.collect import Collected, Member
from nts_sim.study.manifest import manifest_of, without_path
from nts_sim.study.plan_tables import PLAN_TABLES
from nts_sim.study.tables import tables_of
from nts_sim.testing import toy_threats, toy_world
from nts_sim.world.model import Inject

SCENARIO = ScenarioSpec(
    name="toy", title="Toy", question="?", start_date="2026-01-01", horizon_days=10,
    threats=("t0",), sources=("test",),
)  # fmt: skip


def study(tmp_path=None, **changes):
    parts = {
        "experiment": "trial", "scenario": SCENARIO, "network": NetworkSpec(name="toy"),
        "threat": ThreatSpec(name="toy"), "resources": ResourcesSpec(name="toy"),
        "preparation": PreparationSpec(name="none", budget_bn_vnd=0.0),
        "mechanism": MechanismSpec(name="toy"), "measure": MeasureSpec(name="none"),
        "fund": FundSpec(name="toy"),
        "information": InformationSpec(
            name="perfect", lag_days=0.0, reported_share=((0.0, 1.0),), source="test"
        ),
        "policies": {"idle": PolicySpec(), "busy": PolicySpec()},
        "engine": EngineSpec(name="simpy"), "solver": SolverSpec(name="highs"),
        "baseline": "idle", "replications": 10, "workers": 1,
    }  # fmt: skip
    if tmp_path is not None:
        parts["results_dir"] = str(tmp_path)
    return Study(**{**parts, **changes})


def toy(severity=3):
    return toy_world(
        stock=((5.0, 9.0), (10.0, 100.0), (3.0, 20.0)), is_team=(True, False),
        requirement_per_100k=(100.0, 50.0),
        injects=(Inject(0, severity, 1.25), Inject(1, 2, 2.5, 0.6)),
        links=((0, 1, 0.7, 1.5), (1, 2, 0.7, 1.5)),
        threats=toy_threats(distribution="exponential"),
    )  # fmt: skip


def idle(_world):
    return lambda _seen: []


def busy(world):
    index = world.mechanism_index
    orders = [
        declare(0, 2), draw(index["grant"], 0, 50.0), mobilise(index["army"], 0, 0, 7.0, "=why"),
        move(1, 0, 1, 20.0),
    ]  # fmt: skip
    return lambda seen: orders if seen.day == 1 else []


def failing(world):
    """Fail in the replications in which the second place is hit."""

    def decide(seen):
        if seen.severity[1] == 2 and seen.day == 3:
            raise RuntimeError("no idea")
        return []

    return decide


def slow(_world):
    def decide(_seen):
        time.sleep(0.2)
        return []

    return decide


def made(name, opener):
    return Policy(name, opener)


POLICIES = {"idle": partial(made, "idle", idle), "busy": partial(made, "busy", busy)}


OTHERS = {*PLAN_TABLES, *INSIGHT_TABLES, "portfolios", "precision", "selection", "targets"}
OTHERS |= {"directory", "tasks"}
"""Tables that come of other work than simulating and comparing."""
COMPARED = [name for name in TABLES if name not in OTHERS]


@pytest.fixture(scope="module")
def results():
    return run_comparison(study(), [("toy", 1.0, toy())], POLICIES)


# --- running -----------------------------------------------------------------------------------


def test_tables_are_as_declared(results):
    assert set(results.frames) == set(COMPARED)
    for name, table in results.frames.items():
        assert list(table.columns) == [column.name for column in TABLES[name]]
        assert table.dtypes.astype(str).to_dict() == empty(name).dtypes.astype(str).to_dict()
        assert len(table) or name == "failures", name
    assert results.exit_code == 0


def test_one_worker_or_two_make_no_difference(results):
    """Equal to the last bit, whoever did which chunk."""
    other = run_comparison(study(workers=2), [("toy", 1.0, toy())], POLICIES)
    for name in COMPARED:
        assert_frame_equal(results.frames[name], other.frames[name], check_exact=True)
    assert_frame_equal(results.trace, other.trace, check_exact=True)


def test_the_order_in_which_chunks_come_makes_no_difference(results):
    member = Member("toy", 1.0, toy())
    bench = Bench([member.world], POLICIES, study().seed, "compiled")
    collected = Collected((member,), tuple(POLICIES), 10)
    for task in reversed(list(tasks(1, tuple(POLICIES), 10))):
        collected.add(do(task, bench))
    other = tables_of(collected, "idle", None)
    for name in COMPARED:
        assert_frame_equal(results.frames[name], other.frames[name], check_exact=True)


def test_more_replications_keep_the_first(results):
    more = run_comparison(study(replications=13), [("toy", 1.0, toy())], POLICIES)
    first = more.frames["outcomes"].query("replication < 10").reset_index(drop=True)
    columns = ["policy", "replication", "metric", "key"]
    both = [t.sort_values(columns, ignore_index=True) for t in (first, results.frames["outcomes"])]
    assert_frame_equal(*both, check_exact=True)


def test_help_helps(results):
    ranking = results.frames["ranking"].query("metric == 'harm_bn_vnd'")
    assert ranking["policy"].tolist() == ["busy", "idle"]
    assert results.frames["comparison"]["policy"].unique().tolist() == ["busy"]
    assert results.best_policy in {"busy", "idle"}


def test_the_order_book_tells_names(results):
    orders = results.frames["orders"].query("policy == 'busy'").set_index("kind")
    assert orders.loc["mobilise", "mechanism"] == "army"
    assert orders.loc["mobilise", "name"] == "Place 0"
    assert orders.loc["move", "source"] == "p1"
    assert orders.loc["move", "granted"] == 20.0
    assert orders.loc["move", "legal_basis_checked"] == "checked"
    assert orders.loc["draw", "cost_bn_vnd"] == 0.0, "drawing is not spending"
    assert orders.loc["declare", "unit"] == "level"


def test_daily_quantiles_are_in_order(results):
    daily = results.frames["daily"]
    for low, high in (("q05", "q25"), ("q25", "q50"), ("q50", "q75"), ("q75", "q95")):
        assert (daily[low] <= daily[high]).all()


def test_flows_conserve_and_add_up_to_cost(results):
    flows = results.frames["flows"].groupby("policy")["cost_bn_vnd"].sum()
    summary = results.frames["summary"].query("metric == 'cost_bn_vnd'").set_index("policy")["mean"]
    for policy in POLICIES:
        assert flows[policy] == pytest.approx(summary[policy])


def test_buildup_adds_up_to_the_share_served(results):
    daily = (
        results.frames["daily"]
        .query("policy == 'busy'")
        .pivot(index="day", columns="series", values="mean")
    )
    share = daily["people_served"] / daily["people_in_need"]
    built = results.frames["buildup"].query("policy == 'busy'").groupby("day")["share"].sum()
    needed = daily["people_in_need"] > 1e-6
    assert built[needed].to_numpy() == pytest.approx(share[needed].to_numpy())


def test_a_failed_replication_is_told_and_left_out():
    policies = {**POLICIES, "failing": partial(made, "failing", failing)}
    found = run_comparison(study(), [("toy", 1.0, toy())], policies)
    failures = found.frames["failures"]
    assert 0 < len(failures) < 10
    assert found.exit_code == 3
    assert failures["message"].str.contains(r"no idea \(test_store.py, line \d+\)").all()
    n = found.frames["summary"].query("metric == 'harm_bn_vnd'").groupby("policy")["n"].max()
    assert n["failing"] == 10 - len(failures) and n["busy"] == 10
    pairs = found.frames["comparison"].query("metric == 'harm_bn_vnd' and policy == 'failing'")
    assert (pairs["n"] == n["failing"]).all()


def test_a_policy_that_never_finishes_a_replication_is_told_with_the_cause():
    def never(_world):
        raise RuntimeError("not today")

    with pytest.raises(InvalidInput, match="every replication failed: RuntimeError: not today"):
        run_comparison(study(), [("toy", 1.0, toy())], {"idle": partial(made, "idle", never)})


def test_a_policy_that_cannot_be_made_is_told_before_work_starts():
    def broken():
        raise InvalidInput([Problem("policies.x", "unknown")])

    seen = []
    with pytest.raises(InvalidInput, match=r"policies\.x"):
        run_comparison(
            study(), [("toy", 1.0, toy())], {"x": broken},
            progress=lambda *state: seen.append(state),
        )  # fmt: skip
    assert not seen


def test_progress_counts_replications():
    seen = []
    run_comparison(
        study(), [("toy", 1.0, toy())], POLICIES, progress=lambda *state: seen.append(state)
    )  # fmt: skip
    assert seen[0] == (0, 20, 0) and seen[-1] == (20, 20, 0)
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


def test_a_weighted_set_is_judged_on_each_member_and_together():
    weights = {"mild": 0.75, "severe": 0.25}
    together = ScenarioSetSpec(
        name="both", title="Both", question="?", weights=weights, sources=("test",)
    )
    members = [("mild", 0.75, toy(1)), ("severe", 0.25, toy(3))]
    found = run_comparison(study(scenario=together), members, POLICIES)
    summary = found.frames["summary"].query("metric == 'harm_bn_vnd' and key == 'all'")
    mean = summary.set_index(["scenario", "policy"])["mean"]
    for policy in POLICIES:
        expected = 0.75 * mean["mild", policy] + 0.25 * mean["severe", policy]
        assert mean["both", policy] == pytest.approx(expected)
    assert set(found.frames["ranking"]["scenario"]) == {"mild", "severe", "both"}


def test_a_plan_is_one_run():
    found = run_plan(study(), "toy", toy(), "busy", POLICIES["busy"])
    assert found["orders"]["day"].unique().tolist() == [1.0]
    gap = found["gap"].set_index(["place", "resource"])
    # 10 000 exposed at severity 3 need 10 teams; 5 are held
    assert gap.loc[("p0", "r0"), ["need_units", "held_units", "gap_units"]].tolist() == [10, 5, 5]


# --- keeping -----------------------------------------------------------------------------------


def keep(folder, results):
    with store.claimed(folder):
        store.write_results(folder, results)
        store.write_manifest(folder, {"run_id": folder.name})
        store.finish(folder)


def test_what_is_kept_is_what_is_read(tmp_path, results):
    keep(tmp_path / "run", results)
    read = store.read_results(tmp_path / "run")
    for name in COMPARED:
        assert_frame_equal(read[name], results.frames[name], check_exact=True)
    assert store.read_manifest(tmp_path / "run") == {"run_id": "run"}


def test_the_same_results_are_the_same_bytes(tmp_path, results):
    keep(tmp_path / "a", results)
    keep(tmp_path / "b", run_comparison(study(workers=2), [("toy", 1.0, toy())], POLICIES))
    a, b = (json.loads((tmp_path / run / store.DONE).read_text())["files"] for run in "ab")
    assert {k: v for k, v in a.items() if k != store.MANIFEST} == {
        k: v for k, v in b.items() if k != store.MANIFEST
    }


def test_run_id_is_stable_and_says_what_it_is(tmp_path):
    tables = {"stocks": "aa", "places": "bb"}
    found = store.run_id(study(), "compare", tables)
    assert found.startswith("toy-")
    same = [
        store.run_id(study(tmp_path, workers=2), "compare", tables),
        store.run_id(study(), "compare", dict(reversed(tables.items()))),
    ]
    told = SCENARIO.model_copy(update={"vi": ScenarioTexts(title="Thử")})
    same.append(store.run_id(study(scenario=told), "compare", tables))
    longer = SCENARIO.model_copy(update={"horizon_days": 32})
    others = [
        store.run_id(study(seed=1), "compare", tables),
        store.run_id(study(), "run", tables),
        store.run_id(study(), "compare", tables, [SCENARIO]),
        store.run_id(study(), "compare", tables, [longer]),
        store.run_id(study(), "compare", {**tables, "stocks": "ab"}),
        store.run_id(study(policies={"idle": PolicySpec()}), "compare", tables),
    ]
    assert set(same) == {found}
    assert len({found, *others}) == 1 + len(others)


def test_a_finished_run_is_never_overwritten(tmp_path, results):
    folder = tmp_path / "run"
    keep(folder, results)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(PlaceOrMachine, match="never overwritten"), store.claimed(folder):
        pass
    with pytest.raises(PlaceOrMachine, match="never overwritten"):
        store.write_file(folder, "summary.csv", b"x")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_rebuilt_report_keeps_the_run_whole(tmp_path, results):
    keep(tmp_path / "run", results)
    store.rebuild_file(tmp_path / "run", "report.html", b"<p>")
    assert (tmp_path / "run" / "report.html").read_bytes() == b"<p>"
    store.read_results(tmp_path / "run")


def test_a_changed_table_is_found_out(tmp_path, results):
    keep(tmp_path / "run", results)
    path = tmp_path / "run" / "summary.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (tmp_path / "run" / "daily.parquet").unlink()
    with pytest.raises(InvalidInput) as caught:
        store.read_results(tmp_path / "run")
    assert [p.where.rsplit("/", 1)[1] for p in caught.value.problems] == [
        "daily.parquet", "summary.parquet"
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, "", "[]", '{"files": 3}', "{"])
def test_an_unfinished_or_spoilt_run_is_told_in_a_sentence(tmp_path, content):
    folder = tmp_path / "run"
    folder.mkdir()
    if content is not None:
        (folder / store.DONE).write_text(content)
    with pytest.raises(InvalidInput, match="1 problem in the results"):
        store.read_results(folder)
    with pytest.raises(InvalidInput, match="is not there"):
        store.read_results(tmp_path / "elsewhere")


def test_a_disk_that_refuses_is_told_in_a_sentence(tmp_path, results, monkeypatch):
    def full(_fd):
        raise OSError(28, "No space left on device")

    with store.claimed(tmp_path / "run") as folder:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(PlaceOrMachine, match="No space left on device"):
            store.write_results(folder, results)
        monkeypatch.undo()
        assert not store.is_done(folder)
        assert [path.name for path in folder.iterdir()] == [".lock"], "no half-written file"


def test_a_file_in_the_way_is_told_in_a_sentence(tmp_path):
    (tmp_path / "results").write_text("")
    folder = tmp_path / "results" / "run"
    with pytest.raises(PlaceOrMachine, match="cannot write results"), store.claimed(folder):
        pass


def test_two_writers_are_kept_apart(tmp_path):
    folder = tmp_path / "run"
    told = pytest.raises(PlaceOrMachine, match="another process")
    with store.claimed(folder), told, store.claimed(folder):
        pass


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r", "\uff1d1", "  =1"], ids=repr
)  # fmt: skip
def test_no_cell_is_a_formula(cell):
    table = pd.DataFrame({"text": pd.Series([cell, "plain"], dtype="str"), "number": [-1.5, 2.0]})
    written = store.csv_bytes(table).decode()
    assert f'"\'{cell}"' in written
    assert '"plain"' in written
    assert "-1.5" in written, "numbers stay numbers"


def test_formulas_in_reasons_are_made_safe(results):
    plan = results.frames["orders"].query("policy == 'busy'")
    assert "=why" in plan["reason"].tolist()
    assert '"\'=why"' in store.csv_bytes(plan).decode()


def test_the_manifest_says_nothing_about_the_person(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARY", "canary-in-the-environment")
    told = manifest_of(
        study(tmp_path, tables_dir="/home/somebody/tables"), "compare", "toy-1",
        ["compare", f"results_dir={tmp_path}", "--policy-file", "/home/somebody/mine.py:choose"],
        {"stocks": "aa"}, 1.234, 0,
    )  # fmt: skip
    text = json.dumps(told)
    assert "somebody" not in text and str(tmp_path.parent) not in text and "canary" not in text
    assert told["config"]["tables_dir"] == "tables"
    assert told["command"][-1] == "mine.py:choose"
    assert told["versions"]["numpy"] and told["config"]["seed"] == told["seed"]


def test_paths_lose_all_but_their_last_part():
    assert without_path("results_dir=/a/b c") == "results_dir=b c"
    assert without_path("results_dir=/a b/c d/e") == "results_dir=e"
    assert without_path("results_dir=out/here") == "results_dir=here"
    assert without_path("policy=[a,b]") == "policy=[a,b]"
    assert without_path(r"C:\\Users\\me\\t") == "t"


# --- stopping half-way -------------------------------------------------------------------------


SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[2])
    import test_store as t
    from functools import partial

    folder = Path(sys.argv[1])
    policies = {"idle": partial(t.made, "idle", t.slow)}
    with t.store.claimed(folder):
        t.store.write_file(folder, "early.txt", b"x")
        print("started", flush=True)
        results = t.run_comparison(
            t.study(workers=2, replications=40), [("toy", 1.0, t.toy())], policies)
        t.store.write_results(folder, results)
        t.store.finish(folder)
    """
)


_HELPERS = 2
"""Processes besides the workers: the server that starts them and the tracker of resources."""


def parent_of(process):
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it ended meanwhile
        return None


def descendants_of(pid):
    processes = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    children = [int(path.name) for path in processes if parent_of(path) == pid]
    return children + [below for child in children for below in descendants_of(child)]


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def as_on_a_terminal():
    """Listen to Ctrl-C, which a shell tells what it starts in the background to ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_run_stopped_half_way_is_not_done_and_can_be_made_again(tmp_path, results, stop):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(Path(__file__).parent)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=as_on_a_terminal,
    )  # fmt: skip
    assert process.stdout.readline() == "started\n"
    deadline = time.monotonic() + 20
    while (
        len(workers := descendants_of(process.pid)) < _HELPERS + 2 and time.monotonic() < deadline
    ):
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(stop)
    _, told = process.communicate(timeout=10)
    assert process.returncode != 0
    assert not store.is_done(folder)
    if stop is signal.SIGINT:
        assert told.count("KeyboardInterrupt") <= 2 and "Process-" not in told
    deadline = time.monotonic() + 5
    while not all(gone(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(workers) == _HELPERS + 2 and all(gone(pid) for pid in workers), (
        "no process is left behind"
    )
    keep(folder, results)
    assert store.is_done(folder)


def dies(_world):
    return lambda _seen: os._exit(1)


def test_a_lost_worker_is_told_in_a_sentence():
    with pytest.raises(PlaceOrMachine, match="worker process stopped"):
        run_comparison(
            study(workers=2), [("toy", 1.0, toy())], {"idle": partial(made, "idle", dies)}
        )  # fmt: skip


def test_world_parts_are_not_shared_by_name_only():
    """Two worlds that differ give different results: nothing is cached by name."""
    world = toy()
    harsher = replace(world, cells=replace(world.cells, harm_rate=2 * world.cells.harm_rate))
    harms = []
    for each in (world, harsher):
        found = run_comparison(study(replications=2), [("toy", 1.0, each)], POLICIES)
        summary = found.frames["summary"].query("metric == 'harm_bn_vnd' and key == 'all'")
        harms.append(summary["mean"].to_numpy())
    assert harms[1] == pytest.approx(2 * harms[0])
