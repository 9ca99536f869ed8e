"""The verbs, end to end on small studies: exit codes, files, what is printed where."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import nts_sim
from nts_sim.cli.compiler import no_place
from nts_sim.cli.flags import Flags
from nts_sim.cli.helptext import VERBS
from nts_sim.cli.main import main
from nts_sim.cli.tell import Alive
from nts_sim.study.directory import spoken_names
from nts_sim.words.why import why

TOOL = Path(sys.executable).parent / "nts-sim"
SMALL = (
    "scenario.horizon_days=8",
    "replications=2",
    "workers=1",
    "policy=current_practice,per_capita",
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of its own, as the working directory of the whole module."""
    folder = tmp_path_factory.mktemp("planner")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="module")
def finished(here: Path) -> Path:
    """The folder of a finished small comparison."""
    assert main(["compare", *SMALL, "--quiet"]) == 0
    (done,) = here.glob("results/*/*/DONE.json")
    return done.parent


def test_every_verb_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    overview = capsys.readouterr().out
    for verb in VERBS:
        assert f"  {verb}" in overview
        assert main([verb, "--help"]) == 0
        assert capsys.readouterr().out.startswith("nts-sim ")


def test_comparison_leaves_what_a_planner_needs(finished: Path) -> None:
    present = {path.relative_to(finished).as_posix() for path in finished.rglob("*")}
    assert {"DONE.json", "manifest.json", "summary.csv", "comparison.parquet",
            "trace.parquet", "en/report.html", "en/plan.csv", "en/plan.xlsx", "en/plan.ics",
            "tasks.parquet", "en/charts/schedule.png", "en/charts/map.svg",
            "en/charts/map.png"} <= present  # fmt: skip
    manifest = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["config"]["replications"] == 2
    assert finished.parent.name == "typhoon_north"


def test_hydra_wrote_nothing(finished: Path, here: Path) -> None:
    assert [path.name for path in here.iterdir()] == ["results"]


def test_again_is_told_and_not_done_again(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stamp = (finished / "DONE.json").stat().st_mtime_ns
    assert main(["compare", *SMALL]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("already there: ")
    assert "current_practice" in told.out
    assert (finished / "DONE.json").stat().st_mtime_ns == stamp


def test_json_is_json_and_alone(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *SMALL, "--json", "--quiet"]) == 0
    told = capsys.readouterr()
    tables = json.loads(told.out)["tables"]
    stored = pd.read_parquet(finished / "summary.parquet")
    assert len(tables["summary"]) == len(stored)
    assert tables["summary"][0]["mean"] == pytest.approx(stored["mean"].iloc[0])
    assert told.err == ""


def test_report_again(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (finished / "en/report.html").read_bytes()
    assert main(["report", str(finished)]) == 0
    assert capsys.readouterr().out.strip().endswith("report.html")
    assert (finished / "en/report.html").read_bytes() == before


def test_explain(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orders = pd.read_csv(finished / "orders.csv")
    mine = orders[(orders["policy"] == "per_capita") & (orders["kind"] == "mobilise")].iloc[0]
    assert main(["explain", str(finished), str(mine["order"]), "per_capita"]) == 0
    told = capsys.readouterr().out
    assert str(mine["name"]) in told
    names = spoken_names({"directory": pd.read_csv(finished / "directory.csv", dtype=str)})
    assert str(mine["reason"]).startswith("why.")
    assert f"  reason   {why(str(mine['reason']), names)}\n" in told
    assert "What came of it:\n  day" in told


def test_a_task_is_explained_as_its_order(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = pd.read_csv(finished / "tasks.csv")
    task = tasks.iloc[-1]
    assert main(["explain", str(finished), str(task["task"]).lower()]) == 0
    told = capsys.readouterr().out
    assert main(["explain", str(finished), str(task["order"]), str(task["policy"])]) == 0
    assert capsys.readouterr().out == told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["explain", "FOLDER", "0"], "name one: current_practice, per_capita"),
        (["explain", "FOLDER", "0", "per_capta"], "did you mean per_capita?"),
        (["explain", "FOLDER", "999999", "per_capita"], "there is no order 999999"),
        (["explain", "FOLDER"], "takes RUN_FOLDER ORDER [POLICY]"),
        (["explain", "FOLDER", "T9999"], "there is no task T9999 in this run"),
        (["explain", "FOLDER", "T001", "none"], "there is no task T001 in this run, or not of"),
        (["explain", "FOLDER", "T1"], "takes RUN_FOLDER ORDER [POLICY]"),
        (["explain", "nowhere", "0"], "is not there"),
        (["report", "nowhere"], "is not there"),
        (["report"], "takes one folder"),
        (["data"], "say data list or data check"),
        (["data", "check", "tables=x"], "did you mean tables_dir=FOLDER?"),
        (["run", "policy=greedy,per_capita"], "takes one policy here"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)  # fmt: skip
def test_wrong_words_get_a_sentence(
    arguments: list[str], says: str, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(finished) if word == "FOLDER" else word for word in arguments]
    assert main(given) == 2
    assert says in capsys.readouterr().err


def test_a_changed_table_is_not_reported(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in finished.glob("*.*"):
        (copy / path.name).write_bytes(path.read_bytes())
    data = bytearray((copy / "summary.parquet").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "summary.parquet").write_bytes(data)
    assert main(["report", str(copy)]) == 2
    assert "its checksum differs" in capsys.readouterr().err


def test_run_takes_one_policy_and_a_planners_own(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def wait(world, observation):\n    return []\n", encoding="utf-8")
    small = [*SMALL[:3], f"results_dir={tmp_path}/r", "--quiet"]
    assert main(["run", *small, "policy=do_nothing", "--json"]) == 0
    nothing = json.loads(capsys.readouterr().out)["tables"]["summary"]
    assert main(["run", *small, "--policy-file", f"{file}:wait", "--json"]) == 0
    own = json.loads(capsys.readouterr().out)["tables"]["summary"]
    assert {row["policy"] for row in own} == {"wait"}
    assert [row["mean"] for row in own] == [row["mean"] for row in nothing]


def test_plan_tells_orders_and_gaps(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", SMALL[0], "policy=per_capita", f"results_dir={tmp_path}/r"]) == 0
    told = capsys.readouterr().out
    assert all(f"{name}\n" in told for name in ("plan.csv", "plan.xlsx", "plan.ics"))
    (gap,) = tmp_path.glob("r/*/*/gap.csv")
    assert (pd.read_csv(gap)["gap_units"] >= 0).all()


QUICK = (
    "scenario.horizon_days=10", "plan.draws=2", "plan.samples=2", "plan.batches=3",
    "plan.batch_draws=1", "plan.detail_samples=1", "plan.evaluation_draws=2", "workers=1",
)  # fmt: skip


@pytest.mark.slow
def test_plan_is_judged_and_told(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["plan", *QUICK, "preparation=standard", f"results_dir={tmp_path}/r"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    for title in (
        "ASKED", "PREPARE BEFORE DAY 0", "ORDER ON DAY 0", "WHO STAYS SHORT, AND WHY",
        "WHAT MORE WOULD SAVE", "WHAT EACH WAY OF HELPING CONTRIBUTES", "HOW SURE",
    ):  # fmt: skip
        assert f"{title}\n" in told.out
    text = [line for line in told.out.splitlines() if str(tmp_path) not in line]
    assert len(text) <= 60  # a screen or two; where its files are comes after it
    assert "round 1: simulating stochastic" in told.err
    (folder,) = {path.parent for path in tmp_path.glob("r/*/*/DONE.json")}
    assert main([*arguments, "--json", "--quiet"]) == 0
    again = capsys.readouterr()
    tables = json.loads(again.out)["tables"]
    assert again.err == ""
    assert {"plan_first", "plan_value", "marginal_money", "lead_value", "contributions",
            "shortages", "stability", "rehearsal", "orders", "gap", "tasks", "targets",
            "directory"} <= set(tables)  # fmt: skip
    for name in tables:
        assert (folder / f"{name}.csv").is_file() and (folder / f"{name}.parquet").is_file()
    drawn = ("plan_more", "plan_contributions", "schedule", "policy_comparison", "map", "flow")
    assert {path.name for path in folder.glob("en/charts/*")} >= {
        f"{name}.{kind}" for name in drawn for kind in ("svg", "png")
    }
    _check_plan({row["measure"]: row["value"] for row in tables["plan_value"]}, tables)


def _check_plan(value: dict[str, float], tables: dict[str, list[dict[str, float]]]) -> None:
    """What must hold of any judged plan."""
    assert value["bound"] <= value["objective"] + 1e-6
    assert value["evpi"] >= -1e-6
    assert value["rounding_loss"] >= -abs(value["gap"] * value["objective"]) - 1e-6
    assert value["saa_bound_95"] >= value["saa_gap"]
    shares = [row["share_bn_vnd"] for row in tables["contributions"]]
    assert sum(row["share"] or 0.0 for row in tables["contributions"]) == pytest.approx(1.0)
    assert shares == sorted(shares, reverse=True)
    assert sum(row["chosen"] for row in tables["rehearsal"]) == 1
    supplies = {"rice_t", "family_kit", "medical_kit", "disinfectant_t"}
    for row in tables["plan_first"]:
        if row["unit"] == "units" and row["resource"] not in supplies:
            assert float(row["quantity"]).is_integer()


@pytest.mark.slow
def test_no_plan_in_time_is_told(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = [*QUICK, "solver.time_limit_s=1e-9", f"results_dir={tmp_path}/r", "--quiet"]
    assert main(["plan", *short]) == 4
    assert not list(tmp_path.glob("r/*/*/DONE.json"))
    assert "Traceback" not in capsys.readouterr().err


def test_an_empty_plan_is_a_sentence(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", SMALL[0], "policy=do_nothing", f"results_dir={tmp_path}/r"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("No orders: ")
    assert "DataFrame" not in told


def test_work_is_told_while_it_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    with Alive(Flags()) as alive:
        alive("thinking")
        time.sleep(2.2)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "thinking"
    assert told[1].startswith("  … thinking, ")
    with Alive(Flags(quiet=True)) as alive:
        alive("thinking")
    assert capsys.readouterr().err == ""


def test_multirun_runs_each_value_once(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = ["plan", "-m", "seed=1..2", SMALL[0], "policy=do_nothing", "--quiet"]
    assert main([*plan, f"results_dir={tmp_path}/r"]) == 0
    runs = list(tmp_path.glob("r/*/*/manifest.json"))
    assert sorted(json.loads(run.read_text())["seed"] for run in runs) == [1, 2]
    assert not list(here.glob("multirun*"))


def test_cfg_shows_the_study(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--cfg", "job", "resources=lean", "network.detour_factor=2"]) == 0
    told = capsys.readouterr().out
    assert "stock_factor: 0.6" in told
    assert "detour_factor: 2" in told


def test_completion(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COMP_LINE", "nts-sim co")
    assert main(["-sc", "query=bash"]) == 0
    assert capsys.readouterr().out == "compare\n"
    monkeypatch.setenv("COMP_LINE", "nts-sim compare fund=")
    assert main(["-sc", "query=bash"]) == 0
    assert capsys.readouterr().out == "fund=standard fund=tight\n"


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "highs solves a small problem (optimum -10" in told
    assert "cbc solves a small problem (optimum -10" in told
    assert "ok   compiled code can be kept" in told
    assert told.endswith("all well\n")


def test_data_list_tells_where_numbers_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["table", "rows", "columns", "sourced", "computed", "assumption"]
    assert any(line.split()[:2] == ["places", "34"] for line in lines)


def test_an_error_of_ours_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nts_sim.cli.verbs import data

    def broken(*_: object) -> int:
        raise RuntimeError("the cat sat on it")

    monkeypatch.setattr(data, "load_tables", broken)
    assert main(["data", "list"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "internal error, not yours: RuntimeError: the cat sat on it" in told
    assert main(["data", "list", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [TOOL, "data", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as p:
        assert p.stdout is not None and p.stderr is not None
        p.stdout.close()
        told = p.stderr.read().decode()
    assert told == ""
    assert p.returncode == 0


def test_without_a_place_for_compiled_code_there_is_one_sentence(tmp_path: Path) -> None:
    """Numba looks in the package, at home and where it is told; files stand in all their ways."""
    package = Path(nts_sim.__file__).parent
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / "nts_sim", ignore=skipped)
    for module in ("engine", "luck", "trace"):
        (tmp_path / "nts_sim" / module / "__pycache__").touch()
    nowhere = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"), os.devnull)
    nowhere["MPLCONFIGDIR"] = str(tmp_path)  # Matplotlib would tell of its own trouble
    start = "import sys; from nts_sim.cli.main import main; sys.exit(main(sys.argv[1:]))"

    def tried(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-B", "-c", start, *arguments], capture_output=True, text=True,
            env={**os.environ, **nowhere, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    assert tried("report", ".") == (5, "", f"{no_place()}\n")
    code, told, _ = tried("doctor")
    assert code == 5
    assert f"NOT  {no_place()}\n" in told


@pytest.mark.slow
def test_compiling_is_told_the_first_time(tmp_path: Path) -> None:
    """A message late by 2 s: told of 30 s of compiling, not of half a second of loading."""

    def told(number: int) -> str:
        done = subprocess.run(
            [TOOL, "plan", SMALL[0], "policy=do_nothing", "engine=compiled",
             f"results_dir={tmp_path}/{number}"],
            capture_output=True, text=True, check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "compiled")},
        )  # fmt: skip
        return done.stderr

    first, second = told(1), told(2)
    assert "engine: compiled, 1 replication\ncompiling" in first
    assert "engine: compiled, 1 replication\n" in second
    assert "compiling" not in second


def _as_on_a_terminal() -> None:
    """Listen to Ctrl-C, which a shell tells what it starts in the background to ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    arguments = [TOOL, "compare", "policy=current_practice,per_capita", "replications=2000"]
    with subprocess.Popen(
        arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=_as_on_a_terminal,
    ) as running:  # fmt: skip
        assert running.stderr is not None
        assert any(" runs, about" in line for line in running.stderr)  # it simulates
        started = time.monotonic()
        running.send_signal(signal.SIGINT)
        told = running.stderr.read()
        code = running.wait(timeout=10)
    assert code == 130, told
    assert time.monotonic() - started < 5.0
    assert "Traceback" not in told
    assert not list(tmp_path.rglob("DONE.json"))
