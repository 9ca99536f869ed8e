"""Solve OR-Library's capacitated warehouse location files through the planning code.

Prints ``name objective status gap seconds``, a line a file; messages go to standard error. Exit
codes: 0 done, 2 a file cannot be used, 4 no acceptable solution. The other files are solved anyway.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from location import solve
from reading import Unreadable, read

from nts_sim.errors import InvalidInput, NoAcceptableSolution


def main(arguments: Sequence[str] | None = None) -> int:
    """Solve the files named; return the exit code, of the worst input first."""
    chosen = _parser().parse_args(arguments)
    codes = [_one(path, chosen.capacity, chosen.time_limit) for path in chosen.files]
    return min(filter(None, codes), default=0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py", description="Solve capacitated warehouse location files of OR-Library."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--capacity", type=_above_zero, metavar="UNITS", help="where a file says 'capacity'"
    )
    parser.add_argument(
        "--time-limit", type=_above_zero, default=600.0, metavar="SECONDS",
        help="for each file; then the best plan found, with its gap (default: %(default)g)",
    )  # fmt: skip
    return parser


def _above_zero(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0.0):
        raise argparse.ArgumentTypeError(f"a number above 0 is expected, not '{text}'")
    return number


def _one(path: Path, capacity: float | None, time_limit_s: float) -> int:
    """Solve one file and print its line; return its exit code."""
    began = time.perf_counter()
    try:
        found = solve(read(path, capacity), time_limit_s)
    except Unreadable as error:
        print(f"{path}: {error}", file=sys.stderr)
        return InvalidInput.exit_code
    except NoAcceptableSolution as error:
        print(f"{path}: {error}", file=sys.stderr)
        return NoAcceptableSolution.exit_code
    status, gap = found.status.replace(" ", "-"), round(found.gap, 12)
    seconds = time.perf_counter() - began
    print(f"{path.stem} {found.objective:.10g} {status} {gap:.2g} {seconds:.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
