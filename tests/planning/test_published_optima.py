"""Published optima come out, and what is no instance is said in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "experiments" / "published_optima" / "run.py"
REFERENCE = Path(os.environ.get("NTS_SHARED", ROOT.parent / "shared")) / "reference" / "orlib_cap"
PUBLISHED = {
    "cap41": 1040444.375, "cap71": 932615.750, "cap101": 796648.4375, "cap131": 793439.5625,
}  # fmt: skip

FILE = """ 3 4
 capacity 30.
 capacity 25
 20 0.
 10
 10.5 40 70
 12
 30 6 50
 0
 5 9 2e1
 15
 70 60.25 8
"""


@pytest.fixture
def run(monkeypatch, capsys):
    """The script's main, its output lines, messages and exit code."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import run as script

    def call(*arguments):
        code = script.main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        return code, [line.split() for line in told.out.splitlines()], told.err

    return call


@pytest.fixture
def written(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def best_by_enumeration(capacity, fixed, demand, cost):
    """Try every set of open warehouses; x, the share of a customer served, by linear programs."""
    n, m = cost.shape
    best = np.inf
    for number in range(1, 2**m):
        is_open = (number >> np.arange(m)) & 1
        room = np.kron(np.ones((1, n)), np.eye(m)) * np.repeat(demand, m)
        found = linprog(
            cost.ravel(), A_ub=room, b_ub=capacity * is_open,
            A_eq=np.kron(np.eye(n), np.ones((1, m))), b_eq=np.ones(n),
            bounds=[(0, u) for u in np.tile(is_open, n)],
        )  # fmt: skip
        if found.status == 0:
            best = min(best, found.fun + fixed @ is_open)
    return best


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the published instances are not here")
def test_published_optima_come_out(run):
    code, lines, _ = run(*(REFERENCE / f"{name}.txt" for name in PUBLISHED))
    assert code == 0
    assert [line[0] for line in lines] == list(PUBLISHED)
    for name, objective, status, gap, seconds in lines:
        assert float(objective) == pytest.approx(PUBLISHED[name], rel=1e-9)
        assert (status, len(gap) < 8, float(seconds) < 60.0) == ("optimal", True, True)
        assert float(gap) <= 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_small_instances_come_out_as_by_enumeration(run, written, seed):
    """Tight room, customers without demand (some with a cost), sites that cost or hold nothing."""
    rng = np.random.default_rng(seed)
    m, n = int(rng.integers(2, 5)), int(rng.integers(2, 6))
    demand = rng.integers(0, 9, n) * rng.choice([1.0, 0.5])
    capacity = rng.integers(0, 12, m) + np.ceil(demand.sum() / m)
    capacity[0] *= rng.integers(0, 2)
    fixed = rng.integers(0, 60, m) * (rng.random(m) < 0.8)
    cost = rng.integers(0, 50, (n, m)).astype(float)
    rows = [f"{m} {n}", *(f"{c} {f}" for c, f in zip(capacity, fixed, strict=True))]
    rows += [f"{d}\n" + " ".join(map(str, row)) for d, row in zip(demand, cost, strict=True)]
    code, lines, told = run(written("small.txt", "\n".join(rows)))
    best = best_by_enumeration(capacity, fixed, demand, cost)
    if np.isinf(best):
        assert (code, lines) == (4, [])
        assert "less than" in told
    else:
        assert code == 0
        assert float(lines[0][1]) == pytest.approx(best, rel=1e-8, abs=1e-6)
        assert lines[0][2] == "optimal"


def test_the_word_capacity_asks_for_a_number(run, written):
    path = written("capx.txt", FILE)
    code, lines, told = run(path)
    assert (code, lines) == (2, [])
    assert "--capacity" in told
    answers = {}
    for capacity in (10, 27):
        code, lines, _ = run("--capacity", capacity, path)
        cost = np.array([[10.5, 40, 70], [30, 6, 50], [5, 9, 20], [70, 60.25, 8]])
        best = best_by_enumeration(
            np.array([capacity, capacity, 20.0]), np.array([30.0, 25.0, 0.0]),
            np.array([10.0, 12.0, 0.0, 15.0]), cost,
        )  # fmt: skip
        answers[capacity] = float(lines[0][1])
        assert (code, lines[0][0]) == (0, "capx")
        assert answers[capacity] == pytest.approx(best, rel=1e-9)
    assert answers[10] > answers[27] + 1.0


def test_line_breaks_and_marks_of_other_systems_mean_nothing(run, written):
    text = FILE.replace("capacity", "27")
    variants = (
        text,
        text.replace("\n", "\r\n"),
        " ".join(text.split()),
        "\n".join(text.split()) + "\n\n",
        text.replace(" ", "\t"),
        b"\xef\xbb\xbf" + text.encode(),
    )
    paths = [written(f"v{at}.txt", variant) for at, variant in enumerate(variants)]
    code, lines, _ = run(*paths)
    assert code == 0
    assert len({line[1] for line in lines}) == 1
    assert len(lines) == len(variants)


GOOD = FILE.replace("capacity", "27")
WRONG = {
    "truncated": GOOD[:-12],
    "long": GOOD + " 7",
    "empty": "",
    "letters": GOOD.replace("40", "forty"),
    "negative": GOOD.replace("40", "-40"),
    "nan": GOOD.replace("40", "nan"),
    "infinite": GOOD.replace("40", "inf"),
    "underscore": GOOD.replace("40", "4_0"),
    "no warehouses": "0 3",
    "half a warehouse": GOOD.replace("3 4", "3.5 4"),
    "one number": "16",
    "huge": "99999999 99999999 1 2",
    "binary": b"\xff\xfe\x00\x81" * 9,
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_instance_is_said_in_one_sentence(run, written, name):
    """Files before and after it are solved all the same."""
    good = written("good.txt", GOOD)
    code, lines, told = run(good, written("wrong.txt", WRONG[name]), good)
    assert code == 2
    assert [line[0] for line in lines] == ["good", "good"]
    assert told.count("\n") == 1
    assert "wrong.txt" in told


def test_a_missing_file_a_folder_and_too_little_room(run, written, tmp_path):
    code, lines, told = run(tmp_path / "nowhere.txt", tmp_path, written("good.txt", GOOD))
    assert (code, len(lines), told.count("\n")) == (2, 1, 2)
    code, lines, told = run(written("small.txt", FILE.replace("capacity", "5")))
    assert (code, lines) == (4, [])
    assert "less than the 37" in told


def test_the_script_runs_from_the_command_line(written):
    path = written("good.txt", GOOD)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True, cwd=path.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[0] == "good"
    wrong = subprocess.run(
        [sys.executable, str(SCRIPT), "--time-limit", "soon", str(path)],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert wrong.returncode == 2


@pytest.mark.slow
def test_at_the_time_limit_there_is_a_plan_and_its_gap(run, written):
    """100 warehouses, 200 customers and no time to search."""
    rng = np.random.default_rng(5)
    site, home = rng.uniform(0, 1000, (100, 2)), rng.uniform(0, 1000, (200, 2))
    demand = rng.integers(1, 100, 200)
    cost = np.linalg.norm(home[:, None] - site[None], axis=2) * demand[:, None]
    rows = ["100 200", *(f"1500 {f}" for f in rng.integers(1_000_000, 2_000_000, 100))]
    rows += [f"{d} " + " ".join(map(str, row)) for d, row in zip(demand, cost, strict=True)]
    code, lines, _ = run("--time-limit", 0.5, written("big.txt", "\n".join(rows)))
    assert code == 0
    assert lines[0][2] == "time-limit"
    assert 1e-6 < float(lines[0][3]) < 1.0
