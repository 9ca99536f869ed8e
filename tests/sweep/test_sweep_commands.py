"""The command itself: interrupted, in a bad place, beside another one, and gone on with."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from nts_sim.study.sweep.ledger import read_ledger
from tests.sweep.kills import tables

NTS = Path(sys.executable).with_name("nts-sim")
SWEEP = (
    "sweep", "scenario=calm_year", "policy=current_practice,do_nothing", "replications=20",
    "fund.balance_factor=0.2..1:0.2", "workers=2",
)  # fmt: skip
LONG = tuple(word.replace("=20", "=2000") for word in SWEEP)
pytestmark = pytest.mark.slow


def command(results: Path, *words: str) -> list[str]:
    return [str(NTS), *(words or SWEEP), f"results_dir={results}"]


def run(results: Path, *words: str, **how) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(results, *words), capture_output=True, text=True, **how)


def running(results: Path, *words: str) -> subprocess.Popen[str]:
    """Start a sweep and wait until it has kept something."""
    process = subprocess.Popen(
        command(results, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
        # Where tests run in the background, Ctrl-C may be ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    end = time.monotonic() + 90.0
    while not list(results.glob("parts/*/*")) and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.05)
    return process


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    results = tmp_path_factory.mktemp("undisturbed")
    done = run(results, *(word for word in SWEEP if word != "workers=2"), "workers=1")
    assert done.returncode == 0, done.stderr
    return tables(results)


def test_it_ends_with_tables_and_charts_and_is_not_run_twice(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    first = run(tmp_path)
    assert first.returncode == 0, first.stderr
    assert tables(tmp_path) == undisturbed
    folder = next(tmp_path.glob("calm_year/sweep-balance_factor-*"))
    assert (folder / "en/charts/sweep_lines.png").stat().st_size > 10_000
    assert json.loads((folder / "manifest.json").read_text())["cells"] == 5
    digests = json.loads((folder / "DONE.json").read_text())["files"]
    assert {"results.csv", "summary.parquet", "design.jsonl", "ledger.jsonl"} <= set(digests)
    again = run(tmp_path)
    assert "already there" in again.stderr
    assert again.stdout == first.stdout


@pytest.mark.parametrize("times", [1, 2])
def test_interrupted_it_leaves_a_whole_ledger_and_no_process(
    tmp_path: Path, undisturbed: dict[str, str], times: int
) -> None:
    process = running(tmp_path, *LONG)
    family = psutil.Process(process.pid).children(recursive=True)
    began = time.monotonic()
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2 * (times - 1))
    _, told = process.communicate(timeout=30)
    assert time.monotonic() - began < 5.0, "promised: within five seconds"
    assert process.returncode == 130
    assert "Traceback" not in told
    assert not [one for one in family if one.is_running() and one.status() != "zombie"]
    ledger = next(tmp_path.glob("*/sweep*"))
    text = (ledger / "ledger.jsonl").read_text()
    assert text.endswith("\n")
    assert len(list(read_ledger(ledger))) == text.count("\n") > 0
    assert not list(ledger.glob("DONE.json"))
    assert run(tmp_path).returncode == 0
    short = tables_of_short(tmp_path)
    assert short == undisturbed


def tables_of_short(results: Path) -> dict[str, str]:
    """Leave the folder of the long sweep, which is not done, out."""
    for folder in results.glob("*/sweep*"):
        if not (folder / "DONE.json").exists():
            shutil.rmtree(folder)
    return tables(results)


def test_a_second_process_in_the_same_folder_is_turned_away(tmp_path: Path) -> None:
    first = running(tmp_path, *LONG)
    try:
        second = run(tmp_path, *LONG)
        assert second.returncode == 5
        assert re.search(
            rf"another process is writing results in .* \(process {first.pid} on .*, since .*\)",
            second.stderr,
        )
        assert "Traceback" not in second.stderr
        other = run(tmp_path)  # another sweep, with parts in common
        assert other.returncode == 0, other.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
    assert (next(tmp_path.glob("*/sweep*/.lock"))).exists()
    third = running(tmp_path, *LONG)  # nothing needs to be unlocked by hand
    assert third.poll() is None
    os.killpg(third.pid, signal.SIGKILL)
    third.communicate()


def test_a_place_that_is_full_is_told_and_the_sweep_goes_on_later(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    """A limit on the size of files stands for a full disk: both refuse in the middle of a write."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    full = run(tmp_path, preexec_fn=limited, env={**os.environ, "NUMBA_CACHE_DIR": ""})
    assert full.returncode == 5, full.stderr
    assert re.search(r"cannot write results in \S+: File too large", full.stderr)
    assert "Traceback" not in full.stderr
    assert not list(tmp_path.glob("*/sweep*/DONE.json"))
    after = run(tmp_path)
    assert after.returncode == 0, after.stderr
    assert tables(tmp_path) == undisturbed
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_place_that_may_not_be_written_to_is_told_before_anything_runs(tmp_path: Path) -> None:
    place = tmp_path / "a file"
    place.write_text("")
    told = run(place)
    assert told.returncode == 5
    assert "is a file, not a folder" in told.stderr
    nowhere = run(Path("/proc/nowhere"))
    assert nowhere.returncode == 5
    assert nowhere.stderr.count("\n") <= 2
    assert "cell" not in nowhere.stdout


def test_some_cells_fail_and_the_others_are_told(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "def mine(world, observation):\n"
        "    if world.funds[0].balance_bn_vnd < 50.0: raise ZeroDivisionError('too poor')\n"
        "    return []\n"
    )
    done = run(tmp_path / "r", *SWEEP, f"--policy-file={own}:mine")
    assert done.returncode == 3, done.stderr
    assert "tries them again" in done.stdout
    folder = next((tmp_path / "r").glob("*/sweep*"))
    failures = pd.read_csv(folder / "failures.csv")
    assert set(failures["error"]) == {"InvalidInput"}, "as every failure of a planner's own file"
    assert failures["message"].str.contains("too poor").all()
    assert failures["command"].str.contains("--policy-file=").all()
    assert (folder / "en/charts/sweep_lines.png").exists()
    summary = pd.read_parquet(folder / "summary.parquet")
    assert set(summary["policy"]) == {"current_practice", "do_nothing", "mine"}
    assert run(tmp_path / "r", *SWEEP, f"--policy-file={own}:mine").returncode == 3
    assert not (folder / "DONE.json").exists()


def test_how_much_it_would_be_is_told_and_nothing_written(tmp_path: Path) -> None:
    told = run(tmp_path / "r", *LONG, "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "5 cells, 20,000 replications, 0 of them there already" in told.stdout
    assert re.search(r"time    about \d+ (s|min)", told.stdout)
    assert not (tmp_path / "r").exists()
