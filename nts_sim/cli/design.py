"""``design=`` and ``zip=``: taken out before Hydra, and the points of a sampled design."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nts_sim.cli.grid import MAX_CELLS, Axis, Bundle, Interval, part_of
from nts_sim.errors import Problem
from nts_sim.spec.load import suggestion
from nts_sim.words import say
from nts_sim.words.figures import figure

if TYPE_CHECKING:
    from nts_sim.outcomes.insight.sensitivity import Design as SensitivityDesign

GRID, LATIN_HYPERCUBE, SOBOL = "grid", "latin_hypercube", "sobol"
MORRIS, SALTELLI = "morris", "saltelli"
_KINDS = (GRID, LATIN_HYPERCUBE, SOBOL, MORRIS, SALTELLI)
_RESERVED = re.compile(r"^(zip|design|design\.\w+)=(.*)$", re.DOTALL)
_POINTS, _TRAJECTORIES, _SEED = 64, 10, 147


@dataclass(frozen=True)
class Design:
    """How the cells of a sweep are chosen.

    Attributes
    ----------
    kind : every combination, or a sample of them drawn with `seed`
    points : how many cells; of `MORRIS` trajectories, of `SALTELLI` points each varied in turn
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

    def n_cells(self, inputs: int) -> int:
        """Return how many cells a sample of so many inputs has, by its name and points."""
        each = {MORRIS: inputs + 1, SALTELLI: inputs + 2}.get(self.kind, 1)
        points = (
            self.points if self.kind in (LATIN_HYPERCUBE, MORRIS) else power_of_two(self.points)
        )
        return each * points


def power_of_two(points: int) -> int:
    """Return the next power of two, which Sobol points come in."""
    return 1 << (points - 1).bit_length()


def take_design(texts: Sequence[str]) -> tuple[Design, list[str], list[Problem]]:
    """Split what is written after the verb into the design and the rest, in order."""
    words = [(found[1], found[2]) for found in map(_RESERVED.match, texts) if found]
    rest = [text for text in texts if not _RESERVED.match(text)]
    given = {word: value for word, value in words if word != "zip"}
    written = [word for word, _ in words]
    problems = [Problem(word, say("cli.twice")) for word in given if written.count(word) > 1]
    name = given.get("design", GRID)
    file = name if name.endswith(".csv") else None
    kind = GRID if file else name
    design = Design(
        kind=kind,
        file=file,
        points=_whole(
            given,
            "design.points",
            _TRAJECTORIES if kind == MORRIS else _POINTS,
            2,
            MAX_CELLS,
            problems,
        ),
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
    limits = {"least": figure(least, "d"), "most": figure(most, ",d")}
    problems.append(Problem(word, say("cli.whole_number", given=repr(text), **limits)))
    return otherwise


def _design_problems(design: Design, given: dict[str, str]) -> list[Problem]:
    problems = []
    if design.kind not in _KINDS:
        hint = suggestion(design.kind, _KINDS)
        what = say("cli.design.unknown", given=repr(design.kind), hint=hint)
        return [Problem("design", what)]
    for word in given:
        if word not in ("design", "design.points", "design.seed"):
            near = suggestion(word, ("design.points", "design.seed"))
            problems.append(Problem(word, say("cli.unknown", hint=near)))
        elif word != "design" and not design.sampled:
            problems.append(Problem(word, say("cli.design.no_sample")))
    return problems


def sample(
    design: Design, bundles: Sequence[tuple[Axis | Interval, ...]]
) -> tuple[list[Bundle], list[str]]:
    """Draw the points of a sampled design over everything that is swept.

    Each bundle is one dimension of the unit cube: an interval takes the number at its share of the
    way, values that are listed the one whose equal part of [0, 1) holds it.

    Returns
    -------
    the bundles, those swept now one of `Design.n_cells` values; and what there is to say

    References
    ----------
    McKay, Beckman and Conover (1979), Technometrics 21(2): Latin hypercube sampling.
    Owen (1998), J. Complexity 14(4): scrambled Sobol points.
    `nts_sim.outcomes.insight.sensitivity`: designs of sensitivity.
    """
    swept = [bundle for bundle in bundles if _is_swept(bundle)]
    points, notes = _unit_points(design, ["+".join(a.key for a in bundle) for bundle in swept])
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


def _unit_points(design: Design, inputs: Sequence[str]) -> tuple[list[list[float]], list[str]]:
    from scipy.stats import qmc

    if design.kind == MORRIS:
        return of_sensitivity(design, inputs).shares.tolist(), []
    if design.kind == LATIN_HYPERCUBE:
        sampler = qmc.LatinHypercube(len(inputs), seed=design.seed)
        return sampler.random(design.points).tolist(), []
    points, notes = power_of_two(design.points), []
    if points != design.points:
        word = "design" if design.kind == SOBOL else "method"
        told = {"points": figure(points, "d"), "asked": figure(design.points, "d")}
        notes.append(say("cli.design.power_of_two", word=f"{word}=sobol", **told))
    if design.kind == SALTELLI:
        return of_sensitivity(design, inputs).shares.tolist(), notes
    sampled = qmc.Sobol(len(inputs), seed=design.seed).random_base2(points.bit_length() - 1)
    return sampled.tolist(), notes


def of_sensitivity(design: Design, inputs: Sequence[str]) -> SensitivityDesign:
    """Draw a design of `MORRIS` or `SALTELLI`; the same whenever it is drawn."""
    from nts_sim.outcomes.insight.sensitivity import morris_design, sobol_design

    if design.kind == MORRIS:
        return morris_design(inputs, design.points, design.seed)
    return sobol_design(inputs, power_of_two(design.points), design.seed)


def _drawn(axis: Axis | Interval, shares: Sequence[float]) -> Axis:
    if isinstance(axis, Interval):
        values = tuple(axis.at(share) for share in shares)
        texts = tuple(f"{axis.prefix}{axis.key}={value!r}" for value in values)
        return Axis(axis.key, values, texts, swept=True)
    indices = [part_of(share, len(axis.texts)) for share in shares]
    return Axis(
        axis.key,
        tuple(axis.values[index] for index in indices),
        tuple(axis.texts[index] for index in indices),
        swept=True,
    )
