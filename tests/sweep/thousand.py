"""A thousand cells on two processes, and on a cluster of two workers of which one is killed.

    python -m tests.sweep.thousand

prints wall times, what was killed when, and the SHA-256 of every table, which must agree.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.sweep.kills import LOOPBACK, NTS, cluster, dask_workers, tables

SWEEP = (
    "sweep", "scenario=typhoon_north", "policy=current_practice,informed_practice",
    "replications=4", "information.lag_days=0..4.875:0.125", "resources.stock_factor=0.4..1.6:0.05",
    "--quiet",
)  # fmt: skip


def timed(results: Path, *more: str) -> tuple[float, dict[str, str]]:
    """Run the sweep to its end: wall seconds and digests."""
    began = time.perf_counter()
    driver = _started(results, *more)
    assert driver.wait() == 0
    return time.perf_counter() - began, tables(results)


def _started(results: Path, *more: str):
    from subprocess import DEVNULL, Popen

    return Popen([str(NTS), *SWEEP, *more, f"results_dir={results}"], stdout=DEVNULL)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="nts-thousand-") as name:
        folder, port = Path(name), 20_000 + os.getpid() % 10_000
        local_s, local = timed(folder / "local", "workers=2")
        print(f"two local processes: {local_s:.0f} s", flush=True)
        on = ("execution=dask", f"execution.scheduler=tcp://{LOOPBACK}:{port}")
        with cluster(port, folder) as keeper:
            began = time.perf_counter()
            driver = _started(folder / "dask", *on)
            while len(list((folder / "dask").glob("parts/*/*"))) < 1000:
                time.sleep(0.2)
            worker = dask_workers(keeper)[0]
            worker.kill()
            killed_s = time.perf_counter() - began
            assert driver.wait() == 0
            dask_s = time.perf_counter() - began
        print(f"two workers of a cluster: {dask_s:.0f} s; one was killed after {killed_s:.0f} s")
        cluster_tables = tables(folder / "dask")
    for table, digest in sorted(local.items()):
        same = "the same" if cluster_tables[table] == digest else "OTHER BYTES"
        print(f"{table:<16} {digest}  {same}")
    return int(cluster_tables != local)


if __name__ == "__main__":
    sys.exit(main())
