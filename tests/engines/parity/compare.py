"""Two runs compared to the byte: traces, rulings, and what was seen at every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from nts_sim.decision.model import Observation, Policy, Ruling
from nts_sim.engine.session import EngineName, LocalSession
from nts_sim.luck.draws import Luck
from nts_sim.trace.model import ROW, Kind, Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import World

_NEIGHBOURS = 3


@dataclass(frozen=True, eq=False)
class Played:
    """All that a replication shows to the outside."""

    trace: Trace
    rulings: tuple[Ruling, ...]
    seen: tuple[Observation, ...]


def play_on(
    engine: EngineName, world: World, policy: Policy, luck: Luck, stops: Sequence[int] = ()
) -> Played:
    """Run one replication on an engine, interrupted at `stops` (ticks, ascending)."""
    session = LocalSession(world, luck, manages_returns=policy.manages_returns, engine=engine)
    decide, seen, waiting = policy.open(world), [], list(stops)

    def advance(until: int) -> None:
        while waiting and waiting[0] <= until:
            session.advance(waiting.pop(0))
        session.advance(until)

    for day in world.epoch_days:
        advance(ticks(day))
        seen.append(session.observe())
        session.apply(decide(seen[-1]))
    advance(ticks(world.horizon_days))
    session.engine.close()
    return Played(session.trace(), tuple(session.book.rulings), tuple(seen))


def difference(a: Played, b: Played) -> str | None:
    """Say where two runs differ first; None where they are the same to the byte."""
    return (
        first_difference(a.trace, b.trace)
        or _ruling_difference(a.rulings, b.rulings)
        or _seen_difference(a.seen, b.seen)
    )


# --- traces ---------------------------------------------------------------------------------------


def first_difference(a: Trace, b: Trace) -> str | None:
    """Describe the first row in which two traces differ, with its neighbours; None if equal."""
    if a.dtype != b.dtype:
        return f"rows of different types: {a.dtype} and {b.dtype}"
    if a.tobytes() == b.tobytes():
        return None
    row = _first_row(a, b)
    return "\n".join([
        f"traces of {len(a)} and {len(b)} rows differ first in row {row}, {_columns(a, b, row)}",
        *_excerpt("first", a, row),
        *_excerpt("second", b, row),
    ])  # fmt: skip


def _first_row(a: Trace, b: Trace) -> int:
    common = min(len(a), len(b))
    width = ROW.itemsize
    bytes_a, bytes_b = (
        np.frombuffer(np.ascontiguousarray(t[:common]).tobytes(), dtype=np.uint8).reshape(-1, width)
        for t in (a, b)
    )
    unequal = np.flatnonzero((bytes_a != bytes_b).any(axis=1))
    return int(unequal[0]) if len(unequal) else common


def _columns(a: Trace, b: Trace, row: int) -> str:
    if row >= min(len(a), len(b)):
        return "where one of them ends"
    names = [name for name in ROW.names or () if a[row][name].tobytes() != b[row][name].tobytes()]
    return f"columns {', '.join(names)}"


def _excerpt(title: str, trace: Trace, row: int) -> list[str]:
    low, high = max(0, row - _NEIGHBOURS), min(len(trace), row + _NEIGHBOURS + 1)
    lines = [_line(trace[i], i, "→" if i == row else " ") for i in range(low, high)]
    return [f"  {title}:", *(lines or ["    (no rows here)"])]


def _line(row: np.void, number: int, pointer: str) -> str:
    """One row in words; floats in full, so that the last bit shows."""
    where = f"day {int(row['tick']) / TICKS_PER_DAY!r} tick {row['tick']}"
    slot = f"slot ({row['phase']}, {row['index']}, {row['sub']})"
    rest = " ".join(f"{name}={row[name].item()!r}" for name in (ROW.names or ())[5:])
    return f"  {pointer} {number:6d} {where} {slot} {Kind(row['kind']).name} {rest}"


# --- rulings and observations ---------------------------------------------------------------------


def _ruling_difference(a: Sequence[Ruling], b: Sequence[Ruling]) -> str | None:
    if len(a) != len(b):
        return f"{len(a)} rulings against {len(b)}"
    for one, other in zip(a, b, strict=True):
        if repr(one) != repr(other):  # repr tells floats to the last bit, and nan from nothing
            return f"ruling {one.number} differs:\n  first:  {one!r}\n  second: {other!r}"
    return None


def _seen_difference(a: Sequence[Observation], b: Sequence[Observation]) -> str | None:
    if len(a) != len(b):
        return f"{len(a)} observations against {len(b)}"
    for one, other in zip(a, b, strict=True):
        for column in fields(Observation):
            told = _unlike(getattr(one, column.name), getattr(other, column.name))
            if told is not None:
                return f"what is seen on day {one.day} differs in {column.name}: {told}"
    return None


def _unlike(one: object, other: object) -> str | None:
    """Say how two fields of an observation differ: arrays to the byte, type and layout."""
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)):
        return None if repr(one) == repr(other) else f"{one!r} against {other!r}"
    for what in ("dtype", "shape"):
        if getattr(one, what) != getattr(other, what):
            return f"{what} {getattr(one, what)} against {getattr(other, what)}"
    if one.flags.c_contiguous != other.flags.c_contiguous:
        return "one is contiguous, the other is not"
    if one.tobytes() == other.tobytes():
        return None
    where = np.argwhere(one != other)
    first = tuple(where[0].tolist()) if len(where) else "bits that compare equal (-0.0, nan)"
    return f"first at {first} of {len(where)}: {one[first]!r}" if len(where) else str(first)
