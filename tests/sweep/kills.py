"""Kill a sweep, its driver and its workers, at random moments, and go on; a log of what came.

    python -m tests.sweep.kills local 60
    python -m tests.sweep.kills dask 60

Every round begins in an empty folder. The driver is killed up to four times, workers in between;
then the same command runs to its end. Its tables must be, byte for byte, those of a run in one
process that nobody disturbed, and no finished part may have been made twice.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from nts_sim.study.sweep.ledger import read_ledger

SWEEP = (
    "sweep", "scenario=calm_year", "policy=current_practice,do_nothing", "replications=20",
    "fund.balance_factor=0.1..1:0.1", "resources.stock_factor=0.5,1", "--quiet",
)  # fmt: skip
NTS = Path(sys.executable).with_name("nts-sim")
DASK = Path(sys.executable).with_name("dask")
LOOPBACK = "127.0.0.1"


class Round(NamedTuple):
    """One round: kills of the driver and of workers, and what came of it."""

    drivers: int
    workers: int
    same: bool
    twice: int


def tables(results: Path) -> dict[str, str]:
    paths = [p for kind in ("csv", "parquet") for p in results.glob(f"*/sweep*/*.{kind}")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def made_twice(results: Path) -> int:
    """Count parts that were finished more than once; those that failed are tried again."""
    ledger = next(results.glob("*/sweep*/ledger.jsonl")).parent
    parts = Counter(line["part"] for line in read_ledger(ledger) if not line["failed"])
    return sum(count > 1 for count in parts.values())


def started(results: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [str(NTS), *SWEEP, *more, f"results_dir={results}"]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def local_workers(driver: int) -> list[psutil.Process]:
    """Processes that simulate: children of the one that makes copies of itself."""
    with contextlib.suppress(psutil.Error):
        servers = psutil.Process(driver).children()
        return [worker for server in servers for worker in server.children()]
    return []


@contextlib.contextmanager
def cluster(port: int, folder: Path) -> Iterator[psutil.Process]:
    """Start a scheduler and two workers on loopback, as README says; give who keeps the workers."""
    address = f"tcp://{LOOPBACK}:{port}"
    local = ["--host", LOOPBACK, "--dashboard-address", f"{LOOPBACK}:0"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    scheduler = subprocess.Popen([DASK, "scheduler", "--port", str(port), *local], **quiet)
    time.sleep(3.0)
    more = ["--nworkers", "2", "--nthreads", "1", "--local-directory", str(folder)]
    keeper = subprocess.Popen([DASK, "worker", address, *local, *more], **quiet)
    try:
        time.sleep(5.0)
        yield psutil.Process(keeper.pid)
    finally:
        for process in (keeper, scheduler):
            process.send_signal(signal.SIGTERM)
            process.wait()


def dask_workers(keeper: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return [p for p in keeper.children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
    return []


def one_round(
    luck: random.Random, results: Path, expected: dict[str, str], lasts: float,
    more: tuple[str, ...], keeper: psutil.Process | None,
) -> Round:  # fmt: skip
    drivers = workers = 0
    for _ in range(luck.randint(1, 4)):
        driver = started(results, *more)
        end = time.monotonic() + luck.uniform(0.3 * lasts, 1.2 * lasts)
        while time.monotonic() < end and driver.poll() is None:
            time.sleep(min(0.7, max(0.0, end - time.monotonic())))
            there = local_workers(driver.pid) if keeper is None else dask_workers(keeper)
            if there and luck.random() < 0.1:
                with contextlib.suppress(psutil.Error):
                    luck.choice(there).kill()
                    workers += 1
        if driver.poll() is None:
            os.kill(driver.pid, signal.SIGKILL)
            drivers += 1
        driver.wait()
    last = started(results, *more)
    told = last.communicate()[1].decode()
    if last.returncode:
        print(told, file=sys.stderr)
    return Round(drivers, workers, tables(results) == expected, made_twice(results))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("where", choices=("local", "dask"))
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=147)
    given = parser.parse_args()
    luck, rounds = random.Random(given.seed), []
    with tempfile.TemporaryDirectory(prefix="nts-kills-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        alone = started(folder / "alone", "workers=1")
        assert alone.wait() == 0, alone.communicate()
        expected = tables(folder / "alone")
        keeper, more = None, ("workers=2",)
        if given.where == "dask":
            port = 20_000 + os.getpid() % 10_000
            keeper = stack.enter_context(cluster(port, folder))
            more = ("execution=dask", f"execution.scheduler=tcp://{LOOPBACK}:{port}")
        began = time.monotonic()
        assert started(folder / "warm", *more).wait() == 0
        lasts = time.monotonic() - began
        print(
            f"{given.where}, seed {given.seed}: undisturbed {lasts:.1f} s, {len(expected)} tables"
        )
        while sum(one.drivers + one.workers for one in rounds) < given.kills:
            results = folder / f"round{len(rounds)}"
            rounds.append(one_round(luck, results, expected, lasts, more, keeper))
            shutil.rmtree(results)
            told = rounds[-1]
            print(
                f"round {len(rounds)}: {told.drivers} drivers and {told.workers} workers killed; "
                f"{'the same bytes' if told.same else 'OTHER BYTES'}; parts made twice: "
                f"{told.twice}", flush=True,
            )  # fmt: skip
    drivers, workers = sum(one.drivers for one in rounds), sum(one.workers for one in rounds)
    wrong = sum(not one.same or one.twice > 0 for one in rounds)
    print(f"{drivers + workers} kills ({drivers} drivers, {workers} workers): {wrong} rounds wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
