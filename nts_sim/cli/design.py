"""``design=`` and ``zip=``: taken out before Hydra, and the points of a sampled design."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nts_sim.cli.grid import MAX_CELLS, Axis, Bundle, Interval
from nts_sim.errors import Problem
from nts_sim.spec.load import suggestion

GRID, LATIN_HYPERCUBE, SOBOL = "grid", "latin_hypercube", "sobol"
_KINDS = (GRID, LATIN_HYPERCUBE, SOBOL)
_RESERVED = re.compile(r"^(zip|design|design\.\w+)=(.*)$", re.DOTALL)
_POINTS, _SEED = 64, 147


@dataclass(frozen=True)
class Design:
    """How the cells of a sweep are chosen.

    Attributes
    ----------
    kind : every combination, or a sample of `points` of them drawn with `seed`
    file : of rows, one cell each
    zips : keys that go together, ``key1,key2``
    words : how many of these words were written
    """

    kind: str = GRID
    file: str | None = None
    points: int = _POINTS
    seed: int = _SEED
    zips: tuple[str, ...] = ()
    words: int = 0

    @property
    def sampled(self) -> bool:
        """Whether values are drawn from what is between the ends of an axis."""
        return self.kind != GRID


def take_design(texts: Sequence[str]) -> tuple[Design, list[str], list[Problem]]:
    """Split what is written after the verb into the design and the rest, in order."""
    words = [(found[1], found[2]) for found in map(_RESERVED.match, texts) if found]
    rest = [text for text in texts if not _RESERVED.match(text)]
    given = {word: value for word, value in words if word != "zip"}
    written = [word for word, _ in words]
    problems = [Problem(word, "is given twice") for word in given if written.count(word) > 1]
    name = given.get("design", GRID)
    file = name if name.endswith(".csv") else None
    kind = GRID if file else name
    design = Design(
        kind=kind,
        file=file,
        points=_whole(given, "design.points", _POINTS, 2, MAX_CELLS, problems),
        seed=_whole(given, "design.seed", _SEED, 0, 2**31 - 1, problems),
        zips=tuple(value for word, value in words if word == "zip"),
        words=len(words),
    )
    return design, rest, problems + _design_problems(design, given)


def _whole(
    given: dict[str, str], word: str, otherwise: int, least: int, most: int, problems: list[Problem]
) -> int:
    text = given.get(word)
    if text is None:
        return otherwise
    if re.fullmatch(r"\d{1,12}", text) and least <= int(text) <= most:
        return int(text)
    problems.append(Problem(word, f"{text!r} is not a whole number from {least} to {most:,}"))
    return otherwise


def _design_problems(design: Design, given: dict[str, str]) -> list[Problem]:
    problems = []
    if design.kind not in _KINDS:
        what = f"unknown design {design.kind!r}; {suggestion(design.kind, _KINDS)} (or FILE.csv)"
        return [Problem("design", what)]
    for word in given:
        if word not in ("design", "design.points", "design.seed"):
            near = suggestion(word, ("design.points", "design.seed"))
            problems.append(Problem(word, f"unknown; {near}"))
        elif word != "design" and not design.sampled:
            what = f"says something of a sample; add design={LATIN_HYPERCUBE} or design={SOBOL}"
            problems.append(Problem(word, what))
    return problems


def sample(
    design: Design, bundles: Sequence[tuple[Axis | Interval, ...]]
) -> tuple[list[Bundle], list[str]]:
    """Draw the points of a sampled design over everything that is swept.

    Each bundle is one dimension of the unit cube: an interval takes the number at its share of the
    way, values that are listed the one whose equal part of [0, 1) holds it.

    Returns
    -------
    the bundles, those swept now one of `design.points` values; and what there is to say

    References
    ----------
    McKay, Beckman and Conover (1979), Technometrics 21(2): Latin hypercube sampling.
    Owen (1998), J. Complexity 14(4): scrambled Sobol points.
    """
    swept = [bundle for bundle in bundles if _is_swept(bundle)]
    points, notes = _unit_points(design, len(swept))
    together = [
        _drawn(axis, [point[number] for point in points])
        for number, bundle in enumerate(swept)
        for axis in bundle
    ]
    fixed = [tuple(a for a in bundle if isinstance(a, Axis)) for bundle in bundles
             if not _is_swept(bundle)]  # fmt: skip
    return [*fixed, tuple(together)], notes


def _is_swept(bundle: tuple[Axis | Interval, ...]) -> bool:
    return any(axis.swept for axis in bundle)


def _unit_points(design: Design, dimensions: int) -> tuple[list[list[float]], list[str]]:
    from scipy.stats import qmc

    if design.kind == LATIN_HYPERCUBE:
        sampler = qmc.LatinHypercube(dimensions, seed=design.seed)
        return sampler.random(design.points).tolist(), []
    power = (design.points - 1).bit_length()
    notes = []
    if 2**power != design.points:
        notes.append(f"design=sobol: {2**power} points, the next power of two, in place of "
                     f"{design.points}")  # fmt: skip
    return qmc.Sobol(dimensions, seed=design.seed).random_base2(power).tolist(), notes


def _drawn(axis: Axis | Interval, shares: Sequence[float]) -> Axis:
    if isinstance(axis, Interval):
        values = tuple(axis.at(share) for share in shares)
        texts = tuple(f"{axis.prefix}{axis.key}={value!r}" for value in values)
        return Axis(axis.key, values, texts, swept=True)
    indices = [int(share * len(axis.texts)) for share in shares]
    return Axis(
        axis.key,
        tuple(axis.values[index] for index in indices),
        tuple(axis.texts[index] for index in indices),
        swept=True,
    )
