"""The planning problem of a scenario once more, with something changed.

Other samples, a mechanism closed, a billion more: all are the same matrix with other bounds and
limits, so one live handle solves them one after the other. What they cost does not depend on the
order in which they are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nts_sim.planning.classes import classes
from nts_sim.planning.equivalent import Layout, deterministic_equivalent, tiled
from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.linear import Basis, LinearProgram, Solution
from nts_sim.planning.numbers import Need
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import ScenarioPlan
from nts_sim.planning.solve import Highs
from nts_sim.planning.stages import TwoStage
from nts_sim.world.model import Bools, Floats, Ints


def in_template(filled: Filled, x: Floats) -> Floats:
    """Spread a point of a filled program over all columns of its template; 0 where closed."""
    whole = np.zeros(len(filled.template.program.cost))
    whole[filled.columns] = x
    return whole


def with_need(plan: ScenarioPlan, need: Need) -> ScenarioPlan:
    """Return the plan's problem with other samples of need; leads, stocks and money stay."""
    numbers = replace(plan.numbers, need=need)
    return replace(plan, numbers=numbers, filled=fill(plan.template, numbers, equity=plan.equity))


def needs_joined(needs: Sequence[Need]) -> Need:
    """Return all samples of several needs; the chances of each need's samples are kept."""
    return Need(
        probability=np.concatenate([need.probability for need in needs]),
        persons=np.concatenate([need.persons for need in needs]),
        worth=np.concatenate([need.worth for need in needs]),
        harm=np.concatenate([need.harm for need in needs]),
    )


def reduced(plan: ScenarioPlan, n_samples: int) -> ScenarioPlan:
    """Average samples within classes of like harm: faster to solve again many times.

    The persons of a class are its mean, and serving one is worth what it is on average over the
    persons of the class.
    """
    need = plan.numbers.need
    if n_samples >= len(need.probability):
        return plan
    of = classes(need.harm, n_samples)
    member = (of == np.arange(of.max() + 1)[:, None]) * need.probability
    chance = member.sum(axis=1)
    share = member / chance[:, None]
    return with_need(plan, averaged(need, share, chance))


def averaged(need: Need, share: Floats, probability: Floats) -> Need:
    """Average samples of need: shares [class, S] that add up to 1 in each class."""
    persons = np.tensordot(share, need.persons, axes=1)
    whole = np.tensordot(share, need.persons * need.worth, axes=1)
    plain = np.tensordot(share, need.worth, axes=1)
    worth = np.where(persons > 0.0, whole / np.maximum(persons, 1e-300), plain)
    return Need(probability, persons, worth, share @ need.harm)


def opened_together(fills: Sequence[Filled]) -> list[TwoStage]:
    """Return fills of one template over the columns that any of them opens.

    All get the same matrix; a column that one of them does not open has upper bound 0 in it.
    """
    template = fills[0].template
    columns = np.unique(np.concatenate([filled.columns for filled in fills]))
    rows = np.logical_or.reduce([filled.rows for filled in fills])
    program, rows = template.program.restricted(columns, rows)
    first = np.concatenate([f.columns[f.two_stage.shared] for f in fills])
    blank = TwoStage(
        program=program,
        shared=np.isin(columns, first),
        probability=np.ones(1),
        cost=np.zeros((1, len(columns))),
        lower=np.zeros((1, len(columns))),
        upper=np.zeros((1, len(columns))),
        row_lower=np.full((1, len(program.row_lower)), -np.inf),
        row_upper=np.full((1, len(program.row_lower)), np.inf),
        offset=np.zeros(1),
    )
    return [_widened(f, blank, np.searchsorted(columns, f.columns), rows) for f in fills]


def _widened(filled: Filled, blank: TwoStage, at: Ints, rows: Bools) -> TwoStage:
    """Put a filled program on a larger matrix; columns added are closed, rows added do not bind."""
    old = filled.two_stage
    row = (np.cumsum(rows) - 1)[filled.rows]

    def wide(template: Floats, where: Ints, part: Floats) -> Floats:
        made = np.repeat(template[:1], len(part), axis=0)
        made[:, where] = part
        return made

    nothing = np.zeros((1, len(blank.shared)))
    return replace(
        blank,
        program=blank.program.with_(
            lower=wide(nothing, at, old.program.lower[None])[0],
            upper=wide(nothing, at, old.program.upper[None])[0],
        ),
        probability=old.probability,
        cost=wide(nothing, at, old.cost),
        lower=wide(nothing, at, old.lower),
        upper=wide(nothing, at, old.upper),
        row_lower=wide(blank.row_lower, row, old.row_lower),
        row_upper=wide(blank.row_upper, row, old.row_upper),
        offset=old.offset,
    )


def with_decisions(two_stage: TwoStage, yes: Bools) -> TwoStage:
    """Return the problem with its yes-or-no columns decided: bool array [column]."""
    chosen = np.where(yes, 1.0, 0.0)
    return replace(two_stage, program=two_stage.program.with_integers_fixed(chosen))


class Again:
    """A two-stage problem in a live handle: variations of it are solved from where it stands.

    Variations have the problem's matrix, costs and chances, and may have other bounds and limits.
    Whole numbers are taken for divisible; decide them first (`with_decisions`) where they matter.
    """

    def __init__(
        self, two_stage: TwoStage, risk: Risk, time_limit_s: float, start: Basis | None = None
    ) -> None:
        self._risk, self._highs = risk, Highs(time_limit_s)
        program, self._layout = self._stacked(two_stage)
        tiles = None if start is None else tiled(start, two_stage, self._layout)
        self.two_stage, self.base = two_stage, self._highs.solve(program, tiles)

    def _stacked(self, two_stage: TwoStage) -> tuple[LinearProgram, Layout]:
        program, layout = deterministic_equivalent(two_stage, self._risk)
        return program.relaxed(), layout

    def solve(self, variation: TwoStage) -> Solution:
        """Solve a variation."""
        program, _ = self._stacked(variation)
        return self._highs.resolve(
            lower=program.lower, upper=program.upper, row_lower=program.row_lower,
            row_upper=program.row_upper, go_on=True,
        )  # fmt: skip

    def cost(self, variation: TwoStage) -> float:
        """What a variation costs at best, bn VND."""
        return self.solve(variation).objective

    def upper_prices(self) -> tuple[Floats, Floats]:
        """Change of the cost per unit of upper limits: float arrays [column], [row], ≤ 0.

        Limits of samples are summed: the change is for raising the limit in all of them.
        """
        parts, layout, base = self.two_stage.parts, self._layout, self.base
        column, row = np.zeros(len(self.two_stage.shared)), np.zeros(self.two_stage.row_upper.shape[1])
        column_dual, row_dual = np.minimum(base.column_dual, 0.0), np.minimum(base.row_dual, 0.0)
        column[parts.shared] = column_dual[layout.shared]
        column[parts.own] = column_dual[layout.own].sum(axis=0)
        row[parts.first_rows] = row_dual[layout.first_rows]
        row[parts.own_rows] = row_dual[layout.own_rows].sum(axis=0)
        return column, row
