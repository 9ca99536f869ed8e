"""Killed at any moment, then the same again: only what is missing is made, to the same bytes.

The process that drives a sweep is a copy of this one, so that a kill costs milliseconds; commands
that are killed with their workers are in `test_sweep_commands` and, many more of them, in
``python -m tests.sweep.kills``.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from nts_sim.study import store
from nts_sim.study.sweep.execute import InProcess
from nts_sim.study.sweep.keep import finish, write_design
from nts_sim.study.sweep.ledger import read_ledger
from tests.sweep.cells import ToyCells, asked
from tests.sweep.test_drive import VALUES, digests, swept

KILLS = 60


def whole(root: Path) -> None:
    """A sweep from claim to ``DONE.json``."""
    cells, folder = ToyCells(VALUES, root, replications=12), root / "sweep"
    with store.claimed(folder):
        count, _ = swept(folder, cells, InProcess())
        write_design(folder, cells)
        finish(folder, asked(cells), [], 0.0, count.failed)


def started(root: Path) -> int:
    child = os.fork()
    if not child:
        try:
            whole(root)
        finally:
            os._exit(0)
    return child


@pytest.mark.slow
def test_killed_at_random_and_gone_on_with(tmp_path: Path) -> None:
    luck, kills, unfinished = random.Random(20261122), 0, 0
    whole(tmp_path / "straight")
    began = time.monotonic()
    whole(tmp_path / "warm")
    lasts = time.monotonic() - began
    expected = digests(tmp_path / "straight/sweep")
    while kills < KILLS:
        root = tmp_path / "killed"
        for _ in range(luck.randint(1, 6)):
            child = started(root)
            time.sleep(luck.uniform(0.0, 1.3 * lasts))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            kills += 1
            if store.is_done(root / "sweep"):
                break
            unfinished += 1
            assert not list((root / "parts").rglob("*.tmp"))
        if not store.is_done(root / "sweep"):
            whole(root)
        assert digests(root / "sweep") == expected
        made = Counter(line["part"] for line in read_ledger(root / "sweep"))
        assert set(made.values()) == {1}, "a finished part was made again"
        shutil.rmtree(root)
    assert unfinished > KILLS / 3


def test_without_renaming_a_kill_would_be_noticed(tmp_path: Path) -> None:
    """The control: half a table under its final name is another table."""
    whole(tmp_path)
    expected = digests(tmp_path / "sweep")
    table = tmp_path / "sweep/summary.parquet"
    table.write_bytes(table.read_bytes()[:1000])
    assert digests(tmp_path / "sweep") != expected
