"""From a swept override to its values: ranges of ours, and Hydra's own sweeps."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, NamedTuple

from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    RangeSweep,
    Transformer,
)

from nts_sim.cli.grid import MAX_CELLS, Axis, Interval
from nts_sim.cli.ranges import Range, parse_range
from nts_sim.errors import Problem
from nts_sim.spec.load import is_whole
from nts_sim.words import say
from nts_sim.words.figures import figure

_COUNTABLE = 1e30


class Key(NamedTuple):
    """A key, and what Hydra wants before it: ``++`` where it is no group."""

    name: str
    prefix: str


def too_many(count: float) -> Problem:
    """Say that there would be more cells than are ever run."""
    countable = count < _COUNTABLE
    told = {"asked": figure(int(count), ",d") if countable else "", "most": MAX_CELLS}
    key = "cli.unfold.too_many" if countable else "cli.unfold.endless"
    return Problem(say("cli.subject.sweep"), say(key, **told))


def ranged(key: Key, span: Range, sampled: bool) -> Axis | Interval | list[Problem]:
    """Unfold a range of ours, or keep it as an interval to sample from."""
    if span.step is None and sampled:
        low, high = sorted((float(span.start), float(span.stop)))
        return _interval(key, low, high)
    step = span.stepped()
    if isinstance(step, str):
        return [Problem(key.name, step)]
    if span.count(step) > MAX_CELLS:
        return [too_many(span.count(step))]
    values = tuple(span.values(step))
    texts = tuple(f"{key.prefix}{key.name}={value!r}" for value in values)
    return Axis(key.name, values, texts, swept=True)


def several_values(key: Key, override: Override, sampled: bool) -> Axis | Interval | list[Problem]:
    """Unfold one of Hydra's own sweeps, or keep its interval to sample from."""
    sweep = override.value()
    if isinstance(sweep, IntervalSweep):
        if sampled:
            return _interval(key, float(sweep.start or 0.0), float(sweep.end or 0.0))
        return [Problem(key.name, say("cli.unfold.interval"))]
    if not isinstance(sweep, ChoiceSweep | RangeSweep):
        return [Problem(key.name, say("cli.unfold.glob"))]
    if sweep.shuffle:
        return [Problem(key.name, say("cli.unfold.shuffle"))]
    values = _hydra_range(key, sweep) if isinstance(sweep, RangeSweep) else sweep.list
    if isinstance(values, Problem):
        return [values]
    if any(isinstance(one, str) and parse_range(one) for one in values):
        return [Problem(key.name, say("cli.unfold.range_alone"))]
    texts = tuple(f"{key.prefix}{key.name}={Transformer.str(one)}" for one in values)
    return Axis(key.name, tuple(map(Override._convert_value, values)), texts, swept=True)


def _interval(key: Key, low: float, high: float) -> Interval | list[Problem]:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        return [Problem(key.name, say("cli.unfold.no_interval", ends=f"{low:g}..{high:g}"))]
    whole = is_whole(key.name)
    if whole and not (low.is_integer() and high.is_integer()):
        return [Problem(key.name, say("cli.unfold.whole", ends=f"{low:g}..{high:g}"))]
    return Interval(key.name, low, high, whole, key.prefix)


def _hydra_range(key: Key, sweep: RangeSweep) -> list[Any] | Problem:
    """List Hydra's ``range(start,stop,step)``, which leaves its end out, in exact decimals."""
    start, stop, step = (Decimal(str(number)) for number in (sweep.start, sweep.stop, sweep.step))
    if not step or not all(number.is_finite() for number in (start, stop, step)):
        return Problem(key.name, say("cli.unfold.range_endless"))
    count = math.ceil((stop - start) / step)
    if count < 1:
        return Problem(key.name, say("cli.unfold.range_empty"))
    if count > MAX_CELLS:
        return too_many(count)
    whole = all(isinstance(number, int) for number in (sweep.start, sweep.stop, sweep.step))
    values = [start + index * step for index in range(count)]
    return [int(value) if whole else float(value) for value in values]
