"""The patient rule induction method (PRIM): a box of inputs in which something happens often.

Why our own: of the kept libraries, one is under the GPL, which our licence is not, and the other
brings 28 MB and packages for statistics and plotting that we do not need; both leave the choice of
the box to a person at a screen, and neither says whether the box could be chance.

Inputs are codes of sorted levels, so that numbers and names are handled alike. The box is peeled:
again and again the cut is made that gains most density for each cell it gives up (Kwakkel &
Jaxa-Rozen 2016, "lenient" objective). Of all boxes on the way the one is kept that goes together
best with what happens, by the correlation of being inside with happening (Matthews 1975), which
weighs coverage and density alike; then it is polished: a side moves, out or in, while that helps.
Limits that luck would give as well are dropped.

References
----------
Friedman & Fisher (1999), "Bump hunting in high-dimensional data", Statistics and Computing 9,
123-143. Bryant & Lempert (2010), Technological Forecasting and Social Change 77, 34-49.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from nts_sim.outcomes.compare import LEVEL
from nts_sim.world.model import Floats, Ints

Mask = NDArray[np.bool_]

PEEL: Final = 0.05
"""Share of the box that a cut gives up at least, in whole levels."""
_LEAST_SHARE, _LEAST_CELLS = 0.05, 5
"""A box holds at least so many cells."""
_SLACK: Final = 1e-12


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of all cells as codes.

    Attributes
    ----------
    codes : int array [cell, axis]; 0, 1, … in the order of the axis's levels
    levels : how many levels each axis has
    ordered : levels of the axis are numbers, so that only its ends are cut
    """

    codes: Ints
    levels: tuple[int, ...]
    ordered: tuple[bool, ...]

    def of(self, kept: Mask) -> Inputs:
        """Keep some cells only."""
        return Inputs(self.codes[kept], self.levels, self.ordered)


@dataclass(frozen=True, eq=False)
class Box:
    """Levels that are inside, one bool array [level] per axis."""

    allowed: tuple[Mask, ...]

    def holds(self, inputs: Inputs) -> Mask:
        """Tell which cells are inside, bool array [cell]."""
        inside = np.ones(len(inputs.codes), dtype=np.bool_)
        for axis, levels in enumerate(self.allowed):
            if not levels.all():
                inside &= levels[inputs.codes[:, axis]]
        return inside

    def limits(self, inputs: Inputs) -> list[Limit]:
        """Name its limits: the lower and upper end of numbers, or the options left."""
        found = []
        for axis, levels in enumerate(self.allowed):
            if levels.all():
                continue
            if not inputs.ordered[axis]:
                found.append(Limit(axis, "options"))
                continue
            if not levels[0]:
                found.append(Limit(axis, "above"))
            if not levels[-1]:
                found.append(Limit(axis, "below"))
        return found

    def without(self, limit: Limit) -> Box:
        """Give the box without one limit."""
        levels = self.allowed[limit.axis].copy()
        inside = np.flatnonzero(levels)
        if limit.side == "options":
            levels[:] = True
        elif limit.side == "above":
            levels[: inside[0]] = True
        else:
            levels[inside[-1] :] = True
        return self.with_levels(limit.axis, levels)

    def with_levels(self, axis: int, levels: Mask) -> Box:
        """Give the box with other levels of one axis inside."""
        return Box((*self.allowed[:axis], levels, *self.allowed[axis + 1 :]))


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a box: `above` and `below` for numbers, `options` for names."""

    axis: int
    side: str


def everything(inputs: Inputs) -> Box:
    """Give the box without limits."""
    return Box(tuple(np.ones(count, dtype=np.bool_) for count in inputs.levels))


def find_box(inputs: Inputs, hit: Mask) -> tuple[Box, float]:
    """Find the box that goes together best with hits, before any limit is dropped.

    Parameters
    ----------
    inputs : Inputs
    hit : bool array [cell], where it happens

    Returns
    -------
    (Box, float)
        The box and its correlation with hits, 0 where no box is better than all cells.
    """
    best, score = everything(inputs), 0.0
    for box, inside in _peeled(inputs, hit):
        found = _correlation(int(inside.sum()), int((hit & inside).sum()), hit)
        if found > score + _SLACK:
            best, score = box, found
    return _polished(inputs, hit, best, score)


def _least(cells: int) -> int:
    return max(_LEAST_CELLS, int(np.ceil(_LEAST_SHARE * cells)))


def _correlation(n: int, k: int, hit: Mask) -> float:
    """Correlation of being one of a box's n cells, k of them hits, with being a hit: φ.

    φ = (k N − n H) / √(n (N − n) H (N − H)), N cells in all with H hits; 0 for all cells.
    """
    total, hits = len(hit), int(hit.sum())
    spread = float(n) * (total - n) * hits * (total - hits)
    return (k * total - n * hits) / spread**0.5 if spread > 0.0 else 0.0


def _peeled(inputs: Inputs, hit: Mask) -> Iterator[tuple[Box, Mask]]:
    """Cut again and again, until the box would be too small."""
    least = _least(len(hit))
    box, inside = everything(inputs), np.ones(len(hit), dtype=np.bool_)
    while (cut := _best_cut(inputs, hit, box, inside, least)) is not None:
        axis, levels = cut
        box = box.with_levels(axis, levels)
        inside &= levels[inputs.codes[:, axis]]
        yield box, inside.copy()


def _best_cut(
    inputs: Inputs, hit: Mask, box: Box, inside: Mask, least: int
) -> tuple[int, Mask] | None:
    """Choose the cut that gains most density for each cell given up."""
    codes, hits = inputs.codes[inside], hit[inside]
    n, density = len(hits), float(hits.mean())
    best: tuple[float, int, Mask] | None = None
    for axis, count in enumerate(inputs.levels):
        cells = np.bincount(codes[:, axis], minlength=count)
        happened = np.bincount(codes[hits, axis], minlength=count)
        for gone in _cuts(cells, ordered=inputs.ordered[axis]):
            left = n - int(cells[gone].sum())
            if not least <= left < n:
                continue
            gain = ((hits.sum() - happened[gone].sum()) / left - density) / (n - left)
            if best is None or gain > best[0] + _SLACK:
                best = (float(gain), axis, box.allowed[axis] & ~gone)
    return None if best is None else best[1:]


def _cuts(cells: Ints, *, ordered: bool) -> Iterator[Mask]:
    """Name the levels each possible cut would take away."""
    present = np.flatnonzero(cells)
    if not ordered:
        for level in present:
            yield np.arange(len(cells)) == level
        return
    target = PEEL * float(cells.sum())
    below = np.cumsum(cells)
    above = np.cumsum(cells[::-1])[::-1]
    yield np.arange(len(cells)) <= int(np.searchsorted(below, target))
    yield np.arange(len(cells)) >= int(np.flatnonzero(above >= target)[-1])


def _polished(inputs: Inputs, hit: Mask, box: Box, score: float) -> tuple[Box, float]:
    """Move one side at a time, out or in, to where it helps most, until nothing helps."""
    while True:
        found, best = max(
            (move for axis in range(len(inputs.levels)) for move in _moves(inputs, hit, box, axis)),
            key=lambda move: move[0],
            default=(0.0, box),
        )
        if found <= score + _SLACK:
            return box, score
        box, score = best, found


def _moves(inputs: Inputs, hit: Mask, box: Box, axis: int) -> Iterator[tuple[float, Box]]:
    """Give boxes with one side of one axis moved, each with its correlation."""
    count, allowed = inputs.levels[axis], box.allowed[axis]
    free = box.with_levels(axis, np.ones(count, dtype=np.bool_)).holds(inputs)
    cells = np.bincount(inputs.codes[free, axis], minlength=count)
    happened = np.bincount(inputs.codes[free & hit, axis], minlength=count)
    move = _shifted if inputs.ordered[axis] else _toggled
    for levels in move(cells, allowed):
        n, k = int(cells[levels].sum()), int(happened[levels].sum())
        if n >= _least(len(hit)):
            yield _correlation(n, k, hit), box.with_levels(axis, levels)


def _toggled(cells: Ints, allowed: Mask) -> Iterator[Mask]:
    """Take one option in, or out."""
    for level in np.flatnonzero(cells):
        levels = allowed.copy()
        levels[level] = not levels[level]
        yield levels


def _shifted(cells: Ints, allowed: Mask) -> Iterator[Mask]:
    """Move an end of a range by a level that has cells, or outwards by a patient step of many."""
    present = np.flatnonzero(cells)
    inside = np.flatnonzero(allowed[present])
    first, last = int(inside[0]), int(inside[-1])
    step = _patient(cells[present], int(cells[allowed].sum()), first, last)
    for start, end in {
        (first - 1, last), (first + 1, last), (step[0], last),
        (first, last + 1), (first, last - 1), (first, step[1]),
    } - {(first, last)}:  # fmt: skip
        if 0 <= start <= end < len(present):
            levels = np.zeros(len(cells), dtype=np.bool_)
            levels[0 if start == 0 else present[start] : None if end == len(present) - 1
                   else present[end] + 1] = True  # fmt: skip
            yield levels


def _patient(cells: Ints, inside: int, first: int, last: int) -> tuple[int, int]:
    """Tell how far out each end goes to take in a share of the box's cells, at most to the end."""
    target = PEEL * inside
    down, up = np.cumsum(cells[:first][::-1]), np.cumsum(cells[last + 1 :])
    start = first - 1 - int(np.searchsorted(down, target)) if first else 0
    return max(start, 0), min(last + 1 + int(np.searchsorted(up, target)), len(cells) - 1)


def quasi_p(inputs: Inputs, hit: Mask, box: Box, limit: Limit) -> float:
    """Chance to see so many hits, if the limit took cells away without regard to hits.

    P(X ≥ k), X binomial with the box's n cells and the density of the box without the limit
    (Bryant & Lempert 2010). "Quasi", as the limit was itself chosen to look good.
    """
    inside, larger = box.holds(inputs), box.without(limit).holds(inputs)
    n, k = int(inside.sum()), int(hit[inside].sum())
    if k == 0:
        return 1.0
    return float(bdtrc(k - 1, n, float(hit[larger].mean())))


def supported(inputs: Inputs, hit: Mask, box: Box) -> Box:
    """Drop limits, the weakest first, until luck would hardly have given any that are left."""
    while limits := box.limits(inputs):
        by_limit = {limit: quasi_p(inputs, hit, box, limit) for limit in limits}
        weakest = max(by_limit, key=lambda limit: by_limit[limit])
        if by_limit[weakest] <= LEVEL:
            break
        box = box.without(weakest)
    return box


def chance(inputs: Inputs, hit: Mask, score: float, shuffles: Floats, worst: float) -> float:
    """Share of shuffles of the hits in which some box does as well: a permutation test.

    Parameters
    ----------
    inputs, hit : as in `find_box`
    score : correlation of the box found
    shuffles : float array [shuffle, cell] of draws, each row ordered gives a shuffle
    worst : no use going on once the share is above this

    Returns
    -------
    float
        (1 + shuffles as good) / (1 + shuffles), or a share above `worst` as soon as that is sure.
    """
    as_good, total = 0, len(shuffles)
    for row in shuffles:
        as_good += find_box(inputs, hit[np.argsort(row)])[1] >= score - _SLACK
        if (1 + as_good) / (1 + total) > worst:
            break
    return (1 + as_good) / (1 + total)
