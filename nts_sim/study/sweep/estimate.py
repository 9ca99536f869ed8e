"""What a sweep will take: time, memory and room, from a few replications of its first cell."""

from __future__ import annotations

import resource
import shutil
import sys
import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

from nts_sim.errors import PlaceOrMachine
from nts_sim.study.engines import most_replications
from nts_sim.study.sweep.asked import Asked, Keyed
from nts_sim.study.sweep.parts import Parts
from nts_sim.study.sweep.unit import COLUMNS, PART, Want, do_unit
from nts_sim.words import say
from nts_sim.words.figures import figure

_TRIED: Final = 2
_CSV_BYTES: Final = 12
"""Of a number in a table, Parquet and CSV together."""
_MOST_OF_DISK: Final = 0.8
_BLOCK_BYTES: Final = 4096
"""Room that the smallest file takes."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is to come.

    Attributes
    ----------
    cells, replications : in all; replications of every policy and scenario counted
    there : of these replications, those that are there already
    seconds : on `workers` processes
    memory_bytes : of all processes together
    disk_bytes : what is yet to be written
    """

    cells: int
    replications: int
    there: int
    workers: int
    seconds: float
    memory_bytes: int
    disk_bytes: int


def estimate(asked: Asked, parts: Parts, workers: int) -> Estimate:
    """Try the first cell, and reckon from it.

    Every replication is taken to cost what those of its policy cost in the first cell, and every
    cell what that one cost to open.
    """
    first = next(iter(asked))
    opening_s, by_policy = _timed(asked, first)
    seconds, replications, there, files = 0.0, 0, 0, 0
    for keyed in asked:
        members = len(keyed.cell.scenarios)
        wants = keyed.wants(parts)
        missing = [want for want in wants if not parts.has(want.key)]
        replications += members * sum(want.last - want.first for want in wants)
        there += members * sum(want.last - want.first for want in wants if want not in missing)
        files += len(missing)
        seconds += opening_s if missing else 0.0
        for want in missing:
            each = by_policy.get(want.policy, max(by_policy.values()))
            seconds += each * members * (want.last - want.first)
    disk = _room(files, replications)
    memory = (workers + 1) * _memory_bytes()
    used = min(workers, max(1, files))
    return Estimate(
        len(asked.cells), replications, there, workers, seconds / used, memory, disk
    )  # fmt: skip


def require_room(asked: Asked, folder: Path) -> None:
    """Refuse a sweep whose files would fill the disk.

    Parameters
    ----------
    folder : of results; it need not be there yet

    Raises
    ------
    PlaceOrMachine
        Saying how much is needed and how much there is.
    """
    files = replications = 0
    for cell in asked.cells:
        count = most_replications(cell.study) * len(cell.study.policies)
        files += ceil(count / PART)
        replications += count * len(cell.scenarios)
    nearest = next(here for here in (folder, *folder.absolute().parents) if here.exists())
    needed, free = _room(files, replications), shutil.disk_usage(nearest).free
    if needed > _MOST_OF_DISK * free:
        sizes = {"needed": figure(needed / 2**20, ",.0f"), "free": figure(free / 2**20, ",.0f")}
        raise PlaceOrMachine(say("said.place.disk_full", **sizes, folder=folder))


def _room(files: int, replications: int) -> int:
    """Bytes of so many parts, and of the tables made from them."""
    parts = files * max(_BLOCK_BYTES, PART * len(COLUMNS) * 8)
    return parts + replications * len(COLUMNS) * _CSV_BYTES


def _timed(asked: Asked, keyed: Keyed) -> tuple[float, dict[str, float]]:
    """Seconds to open a cell, and of a replication of each policy."""
    times = {policy: _seconds(asked, keyed, policy, _TRIED) for policy in keyed.study.policies}
    again = {policy: _seconds(asked, keyed, policy, _TRIED) for policy in times}
    members = len(keyed.cell.scenarios)
    opening = max(0.0, next(iter(times.values())) - next(iter(again.values())))
    return opening, {policy: taken / (_TRIED * members) for policy, taken in again.items()}


def _seconds(asked: Asked, keyed: Keyed, policy: str, count: int) -> float:
    started = time.monotonic()
    do_unit(asked.unit(keyed, [Want(policy, 0, count, "")]))
    return time.monotonic() - started


def _memory_bytes() -> int:
    """Return the most memory this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
