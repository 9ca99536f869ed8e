"""Workers come and go: what they were doing is done again, and what ends them each time is told."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from nts_sim.study.sweep.execute import LOST, TRIES, LocalProcesses
from tests.sweep.cells import ToyCells
from tests.sweep.test_drive import VALUES, swept

pytestmark = pytest.mark.slow


def local(folder: Path, cells: ToyCells, workers: int = 2, during=lambda _: None, **own: str):
    executor = LocalProcesses(workers)
    helper = threading.Thread(target=during, args=(executor,), daemon=True)
    helper.start()
    try:
        return swept(folder, cells, executor, **own)
    finally:
        executor.close()
        helper.join()


def pids(executor: LocalProcesses) -> list[int]:
    pool = executor._pool
    return list((pool._processes or {}) if pool is not None else [])


def test_the_same_bytes_for_any_number_of_workers(tmp_path: Path) -> None:
    _, alone = swept(tmp_path / "0/s", ToyCells(VALUES, tmp_path / "0", replications=12))
    for workers in (1, 2, 4):
        root = tmp_path / str(workers)
        _, made = local(root / "s", ToyCells(VALUES, root, replications=12), workers)
        assert made == alone


def test_killed_workers_are_replaced(tmp_path: Path) -> None:
    """A worker is killed every now and then; nothing is lost, nothing is made twice."""
    killed = []

    def kill(executor: LocalProcesses) -> None:
        while len(killed) < 4:
            time.sleep(0.7)
            for pid in pids(executor)[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    values = [(1.0 - 0.01 * k, 1.0) for k in range(60)]
    _, alone = swept(tmp_path / "0/s", ToyCells(values, tmp_path / "0", replications=20))
    cells = ToyCells(values, tmp_path / "1", replications=20)
    count, made = local(tmp_path / "1/s", cells, 2, kill)
    assert killed
    assert count.failed == 0
    assert made == alone


def test_what_ends_its_worker_each_time_is_told(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "import os\n"
        "def do_nothing(world, observation):\n"
        "    if world.funds[0].balance_bn_vnd == 0.0: os._exit(9)\n"
        "    return []\n"
    )
    cells = ToyCells([*VALUES, (0.0, 1.0)], tmp_path / "r")
    count, _ = local(tmp_path / "r/s", cells, do_nothing=f"{own}:do_nothing")
    failures = pd.read_csv(tmp_path / "r/s/failures.csv")
    assert set(failures["cell"]) == {4}
    assert set(failures["error"]) == {LOST}
    assert failures["message"].str.contains(f"ended {TRIES} times").all()
    assert count.failed == len(failures)
    results = pd.read_parquet(tmp_path / "r/s/results.parquet")
    assert results.groupby("cell").size().loc[:3].eq(8).all()


def test_threads_of_one_process_take_turns(tmp_path: Path) -> None:
    """Workers of a cluster may have several threads, and share what a cell opened to."""
    from concurrent.futures import ThreadPoolExecutor

    from nts_sim.study.sweep.asked import Keyed
    from nts_sim.study.sweep.unit import Want, do_unit
    from tests.sweep.cells import asked

    given = asked(ToyCells(VALUES[:1], tmp_path, replications=24))
    keyed: Keyed = next(iter(given))
    wants = [Want("current_practice", first, first + 4, str(first)) for first in range(0, 24, 4)]
    units = [given.unit(keyed, [want]) for want in wants]
    alone = [do_unit(unit)[0][1].values for unit in units]
    with ThreadPoolExecutor(4) as threads:
        together = [parts[0][1].values for parts in threads.map(do_unit, units)]
    for a, b in zip(alone, together, strict=True):
        assert a.tobytes() == b.tobytes()
