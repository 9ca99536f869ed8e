"""Breakeven: the value of one parameter at which another policy becomes the better one.

The procedure walks from the value in use towards both ends of a range in steps that double, until
the sign of the mean difference changes, then halves that step again and again. It finds the nearest
change that its walk steps over; two changes inside one step can hide from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from nts_sim.outcomes.compare import summarise
from nts_sim.outcomes.frames import frame
from nts_sim.world.model import Floats

Evaluate = Callable[[float], Floats]
"""Value → paired differences [replication], preferred policy less its best rival, lower better."""

_WALK: Final = (0.125, 0.25, 0.5, 1.0)
"""Shares of the way to an end at which the walk stops to look."""
_DIGITS: Final = 6
"""Of the values looked at, so that they can be read and typed again."""
Side = Literal["down", "up"]


@dataclass(frozen=True, slots=True)
class Point:
    """Difference of the preferred policy to its best rival at one value, with its 95 % interval.

    Below 0 the preferred policy is better. `low` and `high` are NaN with fewer than two
    replications.
    """

    value: float
    n: int
    mean: float
    low: float
    high: float

    @property
    def flipped(self) -> bool:
        """The rival has the better mean."""
        return self.mean > 0.0

    @property
    def told(self) -> bool:
        """The difference is told from 0."""
        return self.high < 0.0 or self.low > 0.0


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the preferred policy changes on one side of the value in use.

    Attributes
    ----------
    side : down or up
    near, far : the change lies between them; `near` is on the side of the value in use
    unsure_near, unsure_far : between them neither policy is told to be better; `unsure_far` is
        the end of the range where it is not told up to there
    """

    side: Side
    near: float
    far: float
    unsure_near: float
    unsure_far: float

    @property
    def at(self) -> float:
        """Middle of the interval the change lies in."""
        return (self.near + self.far) / 2.0


@dataclass(frozen=True, slots=True)
class Breakeven:
    """What was found: the nearest change, or none between `low` and `high`.

    Attributes
    ----------
    shipped, low, high : value in use, and range searched
    crossings : at most one each side, the smallest change first
    points : every value looked at, in order of value
    """

    shipped: float
    low: float
    high: float
    crossings: tuple[Crossing, ...]
    points: tuple[Point, ...]

    @property
    def nearest(self) -> Crossing | None:
        """The smallest change at which another policy is preferred."""
        return self.crossings[0] if self.crossings else None


def against_best_rival(values: Mapping[str, Floats], preferred: str) -> tuple[str, Floats]:
    """Name the best policy but `preferred`, and how much `preferred` has more than it.

    Parameters
    ----------
    values : policy → float array [replication], lower is better; the same luck in each
    """
    rivals = {policy: float(np.nanmean(v)) for policy, v in values.items() if policy != preferred}
    best = min(rivals, key=lambda policy: rivals[policy])
    return best, values[preferred] - values[best]


def breakeven(
    evaluate: Evaluate, shipped: float, low: float, high: float, *,
    tolerance: float | None = None, whole: bool = False,
) -> Breakeven:  # fmt: skip
    """Find the smallest change of a parameter at which the preferred policy changes.

    Parameters
    ----------
    evaluate : asked once a value
    shipped : value in use, at which the preferred policy has the better mean
    low, high : range to search, with `shipped` in it
    tolerance : width of the interval that the change is told to lie in, by default a hundredth
        of the range
    whole : the parameter takes whole numbers only
    """
    if not low <= shipped <= high:
        raise ValueError(f"{shipped} is not between {low} and {high}")
    width = max(tolerance or (high - low) / 100.0, 1.0 if whole else 0.0)
    looked: dict[float, Point] = {}

    def look(value: float) -> Point:
        if value not in (shipped, low, high):
            value = float(round(value)) if whole else float(f"{value:.{_DIGITS}g}")
        if value not in looked:
            looked[value] = _point(value, evaluate(value))
        return looked[value]

    if look(shipped).flipped:
        raise ValueError("the policy named as preferred is not so at the value in use")
    ends: tuple[tuple[Side, float], ...] = (("down", low), ("up", high))
    found = [_search(look, shipped, side, end, width) for side, end in ends if end != shipped]
    crossings = sorted((c for c in found if c is not None), key=lambda c: abs(c.at - shipped))
    points = tuple(sorted(looked.values(), key=lambda point: point.value))
    return Breakeven(shipped, low, high, tuple(crossings), points)


def breakeven_table(
    found: Breakeven, axis: str, scenario: str, policy: str, rival: Callable[[float], str],
    metric: str, unit: str,
) -> pd.DataFrame:  # fmt: skip
    """Every value looked at as the result table `breakeven`; `rival` names the best rival there."""
    fixed = {"scenario": scenario, "metric": metric, "unit": unit, "axis": axis, "policy": policy}
    points = found.points
    return frame("breakeven", {
        **{name: [text] * len(points) for name, text in fixed.items()},
        "rival": [rival(p.value) for p in points],
        "value": [p.value for p in points],
        "shipped": [p.value == found.shipped for p in points],
        "n": [p.n for p in points],
        "diff": [p.mean for p in points],
        "low": [p.low for p in points],
        "high": [p.high for p in points],
    })  # fmt: skip


def _point(value: float, differences: Floats) -> Point:
    column = np.asarray(differences, dtype=np.float64)[:, None]
    told = summarise(column)
    return Point(value, int(told.n[0]), *(float(v[0]) for v in (told.mean, told.low, told.high)))


def _search(
    look: Callable[[float], Point], shipped: float, side: Side, end: float, width: float
) -> Crossing | None:
    """Walk from the value in use to an end; narrow the first step that changes the sign."""
    near = look(shipped)
    for share in _WALK:
        far = look(shipped + share * (end - shipped))
        if far.flipped:
            break
        near = far
    else:
        return None
    inner, outer = near, far
    near, far = _halved(look, near, far, width, lambda point: point.flipped)
    return Crossing(side, near.value, far.value,
                    _sure_until(look, shipped, inner, near, width),
                    _sure_from(look, end, outer, far, width))  # fmt: skip


def _halved(
    look: Callable[[float], Point], near: Point, far: Point, width: float,
    beyond: Callable[[Point], bool],
) -> tuple[Point, Point]:  # fmt: skip
    """Narrow (near, far) to `width`, `beyond` being false at near and true at far."""
    while abs(far.value - near.value) > width * (1.0 + 1e-9):
        middle = look((near.value + far.value) / 2.0)
        if middle.value in (near.value, far.value):
            break
        near, far = (near, middle) if beyond(middle) else (middle, far)
    return near, far


def _sure_until(
    look: Callable[[float], Point], shipped: float, inner: Point, near: Point, width: float
) -> float:
    """Last value, coming from the one in use, up to which the preferred policy is told better."""
    if near.told:
        return near.value
    if not inner.told:
        inner = look(shipped)
    if not inner.told:
        return shipped
    return _halved(look, inner, near, width, lambda point: not point.told)[0].value


def _sure_from(
    look: Callable[[float], Point], end: float, outer: Point, far: Point, width: float
) -> float:
    """First value, going on to the end, from which the rival is told better."""
    if far.told:
        return far.value
    for point in _onwards(look, outer, end):
        if point.told and point.flipped:
            return _halved(look, far, point, width, lambda p: p.told and p.flipped)[1].value
    return end


def _onwards(look: Callable[[float], Point], outer: Point, end: float) -> Iterator[Point]:
    yield outer
    yield look((outer.value + end) / 2.0)
    yield look(end)
