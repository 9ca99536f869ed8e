"""What size costs: an event among many cells, and memory for networks of the whole country."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.benchmarks.case import Case, Sample, Side, Sides, Size, about, events, timed
from tests.benchmarks.networks import grid_network
from tests.benchmarks.runs import in_fresh_process, replicate

_MICROSECONDS = 1e6


def _per_event(places: int, replications: int) -> Side:
    run = timed(replicate(grid_network(places), "compiled", replications), events)

    def side(number: int) -> Sample:
        sample = run(number)
        return replace(sample, cost=sample.cost / sample.amount * _MICROSECONDS)

    return side


def _growth(size: Size) -> Sides:
    """As many cells in all on both sides; small nets have more edge and a fifth fewer events.

    The cost is by event, so the share need only tell that both did much the same.
    """
    few, times, share = (1_000, 100, 0.3) if size == "full" else (100, 10, 9.0)
    return Sides(_per_event(few, times), _per_event(few * times, 1), about(share))


def _scale(places: int, threats: int, size: Size) -> Sides:
    places = places if size == "full" else 40
    return Sides(lambda _number: in_fresh_process("network", str(places), str(threats)))


def _memory(name: str, work: str, places: int, threats: int) -> Case:
    return Case(
        name, f"{work}, 60 days, one replication in a fresh process", "compiled, peak memory", None,
        2.0, "at most", partial(_scale, places, threats), unit="GiB",
    )  # fmt: skip


CASES = (
    Case(
        "cost_per_event", "net of places with one threat, 60 days, do nothing",
        "1,000 cells, 100 replications", "100,000 cells", 4.0, "at most", _growth,
        unit="CPU µs an event",
    ),
    _memory("communes", "3,321 communes by 6 threats", 0, 6),
    _memory("places_100000", "100,000 places, one threat", 100_000, 1),
)  # fmt: skip
