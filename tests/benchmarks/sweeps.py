"""What a cell of a sweep costs apart from its simulations, and what more cells cost in memory."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd

from tests.benchmarks.case import Case, Sample, Sides, Size

TIMES_MORE = 10
NTS = Path(sys.executable).with_name("nts-sim")
NOTHING = ("scenario=calm_year", "policy=do_nothing", "replications=2", "--quiet")
"""Two replications in which nobody decides: about 5 ms, and a world to build in 15."""


def swept(cells: int) -> tuple[float, float, int]:
    """Run a sweep as its own command: wall seconds, peak GiB of all its processes, rows."""
    import psutil

    with tempfile.TemporaryDirectory(prefix="nts-bench-") as results:
        last = 0.001 * cells
        command = [
            str(NTS), "sweep", *NOTHING, f"fund.balance_factor=0.001..{last:g}:0.001", "workers=2",
            f"results_dir={results}",
        ]  # fmt: skip
        began, peak = time.perf_counter(), 0
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        family = psutil.Process(driver.pid)
        while driver.poll() is None:
            with suppress(psutil.NoSuchProcess):
                every = [family, *family.children(recursive=True)]
                peak = max(peak, sum(process.memory_info().rss for process in every))
            time.sleep(0.1)
        seconds = time.perf_counter() - began
        assert driver.returncode == 0
        table = next(Path(results).glob("*/sweep*/results.parquet"))
        return seconds, peak / 2**30, len(pd.read_parquet(table, columns=["cell"]))


def _cells(size: Size) -> Sides:
    cells = 1000 if size == "full" else 3

    def side(_number: int) -> Sample:
        seconds, _, rows = swept(cells)
        return Sample(seconds, rows // 2, remark=f"{1000 * seconds / cells:.0f} ms a cell, all in")

    return Sides(side)


def _more_cells(size: Size) -> Sides:
    few = 200 if size == "full" else 2

    def side(cells: int):
        def run(_number: int) -> Sample:
            _, memory, rows = swept(cells)
            return Sample(memory, rows)

        return run

    many = few * TIMES_MORE
    return Sides(side(few), side(many), same=lambda a, b: b.amount == TIMES_MORE * a.amount)


CASES = (
    Case(
        "sweep_cells", "calm_year, do_nothing, two replications a cell, on two processes",
        "1,000 cells, tables and charts, from start to end", None, 60.0, "at most", _cells,
        unit="s", amount="cells", needs=("psutil",),
    ),
    Case(
        "sweep_memory", "the same, peak memory of all its processes",
        "200 cells", "2,000 cells", 1.2, "at most", _more_cells,
        unit="GiB", amount="rows", needs=("psutil",),
    ),
)  # fmt: skip
