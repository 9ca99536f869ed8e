"""A desk of five hands against Ciw, which is made for queues.

Orders and signatures are of the same laws but have luck of their own on each side, so both sign
the same number of orders, and their mean times to a signature agree with each other and with
Erlang's formula within `_WITHIN` standard errors (40 batches of 500 orders: 1 comparison in 3 500
would not by chance; seeds are fixed, so it does not come and go).

The kernel's own `advance` and `start` carry the orders, one by one as they come, called from
compiled code: there is no order layer above them here, as there is none in Ciw. The tables
they stand in are laid out before; the luck is drawn within the time measured, as in Ciw.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import ciw
import numpy as np
from numba import njit

from nts_sim.decision.model import OrderKind
from nts_sim.engine import _kernel
from nts_sim.engine.compiled import CompiledEngine
from nts_sim.engine.contract import PHASE_RESETTLE, Admitted
from nts_sim.engine.flat import Fixed, Play
from nts_sim.luck.calendar import hazard_calendar
from nts_sim.trace.model import Kind
from nts_sim.units import TICKS_PER_DAY
from nts_sim.world.model import Ints
from tests.benchmarks.case import Case, Sample, Sides, Size, timed
from tests.benchmarks.measure import PAIRS
from tests.benchmarks.runs import luck
from tests.theory.test_queues import (
    BATCH,
    BATCHES,
    SIGNED_PER_DAY,
    WARM_UP,
    Queue,
    batch_means,
    desk_world,
    mean_days_to_signature,
)

_QUEUE = Queue(5, "exponential")
_WITHIN = 4.0
_AFTER_THE_LAST_DAYS = 30
_ROWS_AN_ORDER = 2


@njit(_nrt=False, error_model="numpy")
def _serve(w: Fixed, s: Play, asked: Ints, numbers: Ints) -> bool:
    """Let each order be asked for at its tick, and sign until the horizon; False: no room."""
    for i in range(len(numbers)):
        if not _kernel.advance(w, s, asked[i]):
            return False
        _kernel.start(w, s, numbers[i : i + 1])
        s.control[0].settling = PHASE_RESETTLE
    return _kernel.advance(w, s, w.rules[0].horizon)


def _laid_out(count: int) -> CompiledEngine:
    """Make an engine whose tables hold so many orders that nobody has asked for yet."""
    world = desk_world(_QUEUE, round(count / _QUEUE.orders_per_day * 1.2) + _AFTER_THE_LAST_DAYS)
    engine = CompiledEngine(world, luck(0), hazard_calendar(world, luck(0)))
    engine._enter([_order(number) for number in range(count)])
    engine._make_room("rows", (count + 1) * _ROWS_AN_ORDER + int(engine._control["room"]))
    return engine


def _order(number: int) -> Admitted:
    return Admitted(
        number, OrderKind.DRAW, desk=0, approval_days=1.0, handover_days=0.0, place=0, source=0,
        resource=-1, home=-1, creates=True, tranches=(), route=(), leg_days=(), fixed_days=0.0,
        quantity=1.0, priority=1, spend_bn_vnd=0.0, first_shipment=0,
    )  # fmt: skip


def _ours(engines: Sequence[CompiledEngine], count: int, number: int) -> np.ndarray:
    """Days from asking to signature."""
    rng, engine = np.random.default_rng((5, number)), engines[number]
    gaps = rng.exponential(TICKS_PER_DAY / _QUEUE.orders_per_day, count)
    engine._play.orders["approval_days"][:count] = rng.exponential(1.0 / SIGNED_PER_DAY, count)
    asked = np.cumsum(np.maximum(1, np.round(gaps))).astype(np.int64)
    if not _serve(engine._fixed, engine._play, asked, np.arange(count)):
        raise RuntimeError("rows ran short")
    rows = engine.trace()
    signed = rows[rows["kind"] == Kind.APPROVED]
    return signed["value"][np.argsort(signed["order"])]


def _theirs(count: int, number: int) -> Any:
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(_QUEUE.orders_per_day)],
        service_distributions=[ciw.dists.Exponential(SIGNED_PER_DAY)],
        number_of_servers=[_QUEUE.servers],
    )
    ciw.seed(number)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(count, method="Finish")
    return simulation


def _days_in_ciw(simulation: Any) -> np.ndarray:
    records = sorted(simulation.get_all_records(), key=lambda record: record.id_number)
    return np.array([record.waiting_time + record.service_time for record in records])


def _mean(days: np.ndarray) -> tuple[float, float]:
    """Mean days to a signature with its standard error."""
    means = batch_means(days)
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))


def _same(a: Sample, b: Sample) -> bool:
    """As many orders; means like each other's and like the formula's."""
    (ours, ours_se), (theirs, theirs_se) = a.output, b.output
    expected = mean_days_to_signature(_QUEUE)
    return (
        a.amount == b.amount
        and abs(ours - theirs) <= _WITHIN * np.hypot(ours_se, theirs_se)
        and abs(ours - expected) <= _WITHIN * ours_se
        and abs(theirs - expected) <= _WITHIN * theirs_se
    )


def _desk(size: Size) -> Sides:
    count = WARM_UP + BATCH * (BATCHES if size == "full" else BATCHES // 4)
    engines = [_laid_out(count) for _ in range(PAIRS + 1)]
    return Sides(
        timed(partial(_ours, engines, count), len, _mean),
        timed(
            partial(_theirs, count),
            lambda simulation: len(_days_in_ciw(simulation)),
            lambda simulation: _mean(_days_in_ciw(simulation)),
        ),
        _same,
    )


CASES = (
    Case(
        "desk_mm5", "M/M/5 desk at load 0.7, 21,000 orders",
        "compiled, with trace; orders laid out before", "Ciw", 100.0, "at least", _desk,
        amount="signatures", needs=("ciw",),
    ),
)  # fmt: skip
