"""The compiled engine against the readable one: the same traces, to the byte."""

from __future__ import annotations

from functools import partial

from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec
from tests.benchmarks.case import Case, Sides, Size, digest, events, timed
from tests.benchmarks.networks import grid_network
from tests.benchmarks.runs import replicate
from tests.engines.test_shipped_worlds import shipped


def _typhoon(policy: str, size: Size) -> Sides:
    world, replications = shipped("typhoon_north"), 10 if size == "full" else 1
    made = make_policy(policy, PolicySpec())
    a, b = (replicate(world, name, replications, made) for name in ("compiled", "simpy"))
    return Sides(timed(a, events, digest), timed(b, events, digest))


def _large(size: Size) -> Sides:
    world = grid_network(3200 if size == "full" else 50)
    a, b = (replicate(world, name, 1) for name in ("compiled", "simpy"))
    return Sides(timed(a, events, digest), timed(b, events, digest))


def _case(name: str, work: str, target: float, prepare: partial[Sides]) -> Case:
    return Case(name, work, "compiled", "SimPy engine", target, "at least", prepare)


CASES = (
    _case(
        "typhoon_current_practice", "typhoon_north with trace, current_practice, 10 replications",
        15.0, partial(_typhoon, "current_practice"),
    ),
    _case(
        "typhoon_do_nothing", "typhoon_north with trace, do_nothing, 10 replications",
        25.0, partial(_typhoon, "do_nothing"),
    ),
    _case("places_3200", "net of 3,200 places, 60 days, with trace", 60.0, partial(_large)),
)  # fmt: skip
