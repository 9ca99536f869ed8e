"""What the full trace costs: the kernel as it is, and one that counts its rows and keeps none."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

from nts_sim.engine import _kernel, compiled
from nts_sim.engine.compiled import CompiledEngine
from nts_sim.luck.calendar import hazard_calendar
from nts_sim.units import ticks
from nts_sim.world.model import World
from tests.benchmarks.case import Case, Sides, Size, timed
from tests.benchmarks.networks import commune_network, grid_network
from tests.benchmarks.runs import luck

_WRITES = "    row = s.rows[control.n_rows]\n", "    control.n_rows += 1\n"
"""The first line of `write` that touches a row, and the line after the last."""


def forgetful_kernel() -> ModuleType:
    """Make a second kernel of the same text but for `write`, which keeps nothing but the count.

    Nothing is kept of what is compiled either: the cache goes by files.
    """
    text = Path(_kernel.__file__).read_text(encoding="utf-8")
    head, first, rest = text.partition(_WRITES[0])
    _, last, tail = rest.partition(_WRITES[1])
    if not (first and last):
        raise RuntimeError("the kernel writes its rows in another way")
    made = ModuleType("forgetful_kernel")
    exec(compile((head + last + tail).replace("cache=True, ", ""), "forgetful", "exec"), vars(made))
    return made


def _run(kernel: AbstractContextManager[object], world: World, room: int, number: int) -> int:
    """Run one replication without orders; the number of rows."""
    with kernel:
        engine = CompiledEngine(world, luck(number), hazard_calendar(world, luck(number)))
        engine._make_room("rows", room)  # never touched where none is kept
        engine.advance(ticks(world.horizon_days))
        return int(engine._control["n_rows"])


def _trace_cost(size: Size) -> Sides:
    world = commune_network() if size == "full" else grid_network(50, n_threats=2)
    room = 2_000_000 if size == "full" else 20_000
    forgetful = patch.object(compiled, "_kernel", forgetful_kernel())
    as_it_is = patch.object(compiled, "_kernel", _kernel)
    return Sides(
        timed(partial(_run, forgetful, world, room), int),
        timed(partial(_run, as_it_is, world, room), int),
    )


CASES = (
    Case(
        "trace_cost", "3,321 communes by 6 threats, 60 days, one replication without orders",
        "compiled, rows only counted", "compiled, full trace", 1.3, "at most", _trace_cost,
        amount="rows",
    ),
)  # fmt: skip
