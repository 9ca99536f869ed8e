"""``doctor`` says whether this machine can do the work."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata

from nts_sim.cli.compiler import lacks_place, no_place
from nts_sim.cli.flags import Flags
from nts_sim.words import say
from nts_sim.words.figures import figure

OLDEST_PYTHON = (3, 11)
LEAST_FREE_GB = 1.0
TINY_OPTIMUM = -10.0
_PACKAGES = (
    "nts-sim", "hydra-core", "omegaconf", "pydantic", "simpy", "pulp", "highspy", "numpy",
    "scipy", "pandas", "pyarrow", "numba", "networkx", "matplotlib", "jinja2", "tqdm",
)  # fmt: skip


def main(arguments: Sequence[str], flags: Flags) -> int:
    """Print one line a finding; exit code 5 where something is missing."""
    fine = True
    for good, line in _findings():
        fine = fine and good
        mark = say("cli.doctor.good") if good else say("cli.doctor.bad")
        print(f"{mark}  {line}")
    print(say("cli.doctor.all_well" if fine else "cli.doctor.missing"))
    return 0 if fine else 5


def _findings() -> Iterator[tuple[bool, str]]:
    version = platform.python_version()
    yield sys.version_info >= OLDEST_PYTHON, say("cli.doctor.python", version=version)
    for name in _PACKAGES:
        yield _package(name)
    yield from _solvers()
    yield _compiler()
    free_gb = shutil.disk_usage(".").free / 1e9
    told = {"free": figure(free_gb, ".0f"), "least": figure(LEAST_FREE_GB, "g")}
    yield free_gb >= LEAST_FREE_GB, say("cli.doctor.disk", **told)
    cores = len(os.sched_getaffinity(0)) if _can_count() else os.cpu_count()
    yield True, say("cli.doctor.cores", n=cores)


def _can_count() -> bool:
    return hasattr(os, "sched_getaffinity")


def _package(name: str) -> tuple[bool, str]:
    try:
        return True, f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return False, say("cli.doctor.no_package", name=name)


def _compiler() -> tuple[bool, str]:
    """Load what is compiled on demand: on import Numba looks for a folder to keep it in."""
    try:
        importlib.import_module("nts_sim.engine.compiled")
    except RuntimeError as error:
        if not lacks_place(error):
            raise
        return False, no_place()
    return True, say("cli.doctor.compiler")


def _solvers() -> Iterator[tuple[bool, str]]:
    """Solve a problem of two columns with each solver; its optimum is known."""
    from nts_sim.planning.solve import solve_tiny

    try:
        found = solve_tiny()
    except Exception as error:  # whatever a solver dies of is what the doctor is asked for
        cause = f"{type(error).__name__}: {error}"
        yield False, say("cli.doctor.solvers", cause=cause)
        return
    for solver, optimum in found.items():
        right = abs(optimum - TINY_OPTIMUM) < 1e-9
        told = {"optimum": figure(optimum, "g"), "known": figure(TINY_OPTIMUM, "g")}
        yield right, say("cli.doctor.solver", solver=solver, **told)
