"""The approval desk is an M/M/c queue when orders come at random: Erlang-C, Little's law."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest

from nts_sim.decision.model import draw
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import toy_world
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY, delay_ticks, ticks
from tests.engines.helpers import GRANT, only, open_session, with_desk, with_fund

SIGNED_PER_DAY = 20.0
LOAD = 0.7
ORDERS = 12_000
WARM_UP, BATCHES = 1_000, 22


def erlang_c_days(arrivals_per_day: float, signed_per_day: float, servers: int) -> float:
    """Mean wait before service in M/M/c: C(c, a) / (c μ − λ), a = λ / μ (Erlang 1917)."""
    a = arrivals_per_day / signed_per_day
    below = sum(a**k / math.factorial(k) for k in range(servers))
    last = a**servers / math.factorial(servers) / (1.0 - a / servers)
    return last / (below + last) / (servers * signed_per_day - arrivals_per_day)


@lru_cache
def queue(servers: int, law: str = "exponential") -> Trace:
    """Run ORDERS draws through a desk, one by one at exponential intervals, until all are signed.

    `Desk.approval_days` is a median: an exponential of mean 1/μ has median ln 2 / μ.
    """
    gaps = np.random.default_rng(servers).exponential(
        1.0 / (LOAD * servers * SIGNED_PER_DAY), ORDERS
    )
    at = np.cumsum(np.maximum(1, np.round(gaps * TICKS_PER_DAY))).astype(int)
    horizon = int(at[-1] / TICKS_PER_DAY) + 30
    median = math.log(2.0) / SIGNED_PER_DAY if law == "exponential" else 1.0 / SIGNED_PER_DAY
    world = with_desk(toy_world(stock=((0.0,),), horizon_days=horizon),
                      approval_days=median, distribution=law, servers=servers)  # fmt: skip
    world = with_fund(world, "reserve", 0, balance_bn_vnd=1e9)
    session = open_session(world, Luck(11, DrawSet.EVALUATION, servers))
    for tick in at.tolist():
        session.advance(tick)
        session.apply([draw(GRANT, 0, 1.0)])
    session.advance(ticks(horizon))
    return session.trace()


def batch_means(values: np.ndarray) -> tuple[float, float]:
    """Mean after the warm-up and its standard error, by batch means (waits are correlated)."""
    batches = values[WARM_UP:].reshape(BATCHES, -1).mean(axis=1)
    return float(batches.mean()), float(batches.std(ddof=1) / math.sqrt(BATCHES))


def by_order(trace: Trace) -> np.ndarray:
    """Days from asking to signature, by order number."""
    approved = only(trace, Kind.APPROVED)
    return np.asarray(approved["value"][np.argsort(approved["order"])])


@pytest.mark.slow
@pytest.mark.parametrize("servers", [1, 2, 3])
def test_mean_wait_is_erlang_c(servers: int) -> None:
    """11 000 orders after warm-up, 22 batches; within 4 SE: cries wolf for 1 seed in 2 000."""
    waited = by_order(queue(servers))
    assert len(waited) == ORDERS
    arrivals = LOAD * servers * SIGNED_PER_DAY
    expected = erlang_c_days(arrivals, SIGNED_PER_DAY, servers) + 1.0 / SIGNED_PER_DAY
    mean, error = batch_means(waited)
    assert error < 0.1 * expected, "too few orders to tell"
    assert abs(mean - expected) < 4.0 * error


@pytest.mark.slow
def test_mean_wait_of_fixed_signatures_is_pollaczek_khinchine() -> None:
    """M/D/1: ρ / (2 μ (1 − ρ)) + 1/μ, half the queue of M/M/1; within 4 SE as above."""
    expected = LOAD / (2.0 * SIGNED_PER_DAY * (1.0 - LOAD)) + 1.0 / SIGNED_PER_DAY
    mean, error = batch_means(by_order(queue(1, "fixed")))
    assert abs(mean - expected) < 4.0 * error
    assert abs(mean - erlang_c_days(LOAD * 20, 20, 1) - 0.05) > 8.0 * error, "cannot tell M/D/1"


@pytest.mark.slow
@pytest.mark.parametrize("servers", [1, 2, 3])
def test_littles_law_from_the_trace(servers: int) -> None:
    """L = λ W exactly: orders waiting or in signature, integrated over ADMIT and APPROVED rows,
    against the waits the rows tell, over a period that begins and ends empty."""
    trace = queue(servers)
    admitted, approved = only(trace, Kind.ADMIT), only(trace, Kind.APPROVED)
    tick = np.concatenate((admitted["tick"], approved["tick"]))
    step = np.concatenate((np.ones(len(admitted)), -np.ones(len(approved))))
    time_order = np.lexsort((-step, tick))
    inside = np.cumsum(step[time_order])
    assert inside[-1] == 0
    assert inside.min() >= 0
    integral = (inside[:-1] * np.diff(tick[time_order])).sum() / TICKS_PER_DAY
    period = (tick.max() - tick.min()) / TICKS_PER_DAY
    length, rate, wait = integral / period, len(admitted) / period, approved["value"].mean()
    assert length == pytest.approx(rate * wait, rel=1e-9)


@pytest.mark.slow
def test_never_more_signatures_at_once_than_servers() -> None:
    """One server of fixed signatures: no two are closer than a signature takes."""
    signed = only(queue(1, "fixed"), Kind.APPROVED)["tick"]
    assert np.diff(signed).min() == delay_ticks(1.0 / SIGNED_PER_DAY, 1.0)
