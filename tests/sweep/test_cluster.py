"""The same sweep on a Dask cluster on loopback: the same bytes, whatever happens to its workers."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.sweep.kills import LOOPBACK, cluster, dask_workers, local_workers, tables
from tests.sweep.test_sweep_commands import SWEEP, run, running

pytestmark = pytest.mark.slow
ON_ONE = (*SWEEP[:-1], "workers=1")


def on(port: int) -> tuple[str, ...]:
    return ("execution=dask", f"execution.scheduler=tcp://{LOOPBACK}:{port}")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, psutil.Process]]:
    port = random.Random(os.getpid()).randint(20_000, 30_000)
    with cluster(port, tmp_path_factory.mktemp("cluster")) as keeper:
        yield port, keeper


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    results = tmp_path_factory.mktemp("undisturbed")
    assert run(results, *ON_ONE).returncode == 0
    return tables(results)


def test_the_same_bytes_also_when_workers_are_killed(
    tmp_path: Path, here: tuple[int, psutil.Process], undisturbed: dict[str, str]
) -> None:
    port, keeper = here
    process = running(tmp_path, *SWEEP, *on(port))
    killed = dask_workers(keeper)[0]
    killed.kill()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert "distributed" not in told, "what Dask logs is not for a planner"
    assert tables(tmp_path) == undisturbed
    assert not local_workers(process.pid)


def test_only_loopback_is_listened_on(here: tuple[int, psutil.Process]) -> None:
    _, keeper = here
    family = [keeper, *keeper.children(recursive=True), *keeper.parent().children(recursive=True)]
    listening = {
        one.laddr.ip
        for process in family
        for one in process.net_connections(kind="tcp")
        if one.status == psutil.CONN_LISTEN
    }
    assert listening <= {LOOPBACK}
    assert listening


def test_a_scheduler_that_goes_is_told_and_the_rest_done_elsewhere(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, undisturbed: dict[str, str]
) -> None:
    port = random.Random(os.getpid() + 1).randint(30_001, 40_000)
    longer = tuple(word.replace("=20", "=2000") for word in SWEEP)
    with cluster(port, tmp_path_factory.mktemp("gone")) as keeper:
        process = running(tmp_path, *longer, *on(port))
        scheduler = next(
            one for one in psutil.Process().children() if "scheduler" in " ".join(one.cmdline())
            and str(port) in " ".join(one.cmdline())
        )  # fmt: skip
        scheduler.send_signal(signal.SIGKILL)
        _, told = process.communicate(timeout=60)
        assert keeper.is_running()
    assert process.returncode == 5, told
    assert f"the cluster at tcp://{LOOPBACK}:{port}" in told
    assert "the same command goes on from there" in told
    assert "Traceback" not in told
    assert not list(tmp_path.glob("*/sweep*/DONE.json"))


def test_nobody_there_is_told(tmp_path: Path) -> None:
    began = time.monotonic()
    told = run(tmp_path, *SWEEP, *on(19_999))
    assert told.returncode == 5
    assert "nobody answers; start one with: dask scheduler" in told.stderr
    assert "Traceback" not in told.stderr
    assert time.monotonic() - began < 60.0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("execution=dask",), "dask needs its scheduler"),
        (("execution=dask", "execution.scheduler=tcp://10.0.0.1:8786"), "is on another machine"),
        (("execution=dask", "execution.scheduler=here:8786"), "is not tcp://HOST:PORT"),
        (("execution=dsak",), "did you mean dask?"),
    ],
)
def test_a_scheduler_that_may_not_be_used_is_refused(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    told = run(tmp_path, *SWEEP, *words)
    assert told.returncode == 2
    assert sentence in told.stderr
    assert not list(tmp_path.iterdir())
