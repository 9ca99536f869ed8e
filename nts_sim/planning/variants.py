"""The planning problem of a scenario once more, with something changed.

Other samples, a mechanism closed, a billion more: all are the same matrix with other bounds and
limits, so one live handle solves them one after the other, each from a known start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nts_sim.planning.classes import classes
from nts_sim.planning.equivalent import Layout, deterministic_equivalent, tiled
from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.linear import Basis, LinearProgram
from nts_sim.planning.numbers import Need
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import ScenarioPlan
from nts_sim.planning.solve import Highs, Standing, standing
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


@dataclass(frozen=True, eq=False)
class Opened:
    """One matrix for several fills of a template: the columns that any of them opens.

    Attributes
    ----------
    columns : int array, template columns; rows : bool array [template row]
    program : LinearProgram, the matrix
    shared : bool array [column]
    """

    columns: Ints
    rows: Bools
    program: LinearProgram
    shared: Bools

    def of(self, filled: Filled) -> TwoStage:
        """Put a fill on this matrix; columns added are closed and rows added do not bind.

        Columns added have their price: they may be open in a variation.
        """
        old, at = filled.two_stage, np.searchsorted(self.columns, filled.columns)
        row = (np.cumsum(self.rows) - 1)[filled.rows]
        n_columns, n_rows = len(self.columns), len(self.program.row_lower)
        lower, upper = old.program.lower[None], old.program.upper[None]
        cost = np.tile(np.where(self.shared, 0.0, self.program.cost), (old.n_samples, 1))
        cost[:, at] = old.cost
        return TwoStage(
            program=self.program.with_(
                lower=_wide(lower, 0.0, n_columns, at)[0],
                upper=_wide(upper, 0.0, n_columns, at)[0],
            ),
            shared=self.shared,
            probability=old.probability,
            cost=cost,
            lower=_wide(old.lower, 0.0, n_columns, at),
            upper=_wide(old.upper, 0.0, n_columns, at),
            row_lower=_wide(old.row_lower, -np.inf, n_rows, row),
            row_upper=_wide(old.row_upper, np.inf, n_rows, row),
            offset=old.offset,
        )


def _wide(part: Floats, other: float, size: int, at: Ints) -> Floats:
    made = np.full((len(part), size), other)
    made[:, at] = part
    return made


def opened_together(fills: Sequence[Filled]) -> Opened:
    """Find what any of these fills of one template opens or keeps."""
    columns = np.unique(np.concatenate([filled.columns for filled in fills]))
    rows = np.logical_or.reduce([filled.rows for filled in fills])
    program, rows = fills[0].template.program.restricted(columns, rows)
    first = np.concatenate([filled.columns[filled.two_stage.shared] for filled in fills])
    return Opened(columns, rows, program, np.isin(columns, first))


def decided(two_stage: TwoStage, yes: Bools) -> TwoStage:
    """Return the problem with its yes-or-no columns decided: bool array [column]."""
    chosen = np.where(yes, 1.0, 0.0)
    return replace(two_stage, program=two_stage.program.with_integers_fixed(chosen))


class Again:
    """A two-stage problem in a live handle, and what variations of it cost.

    Variations have the problem's matrix, costs and chances, and may have other bounds and limits.
    Whole numbers are taken for divisible; decide them first (`decided`) where they matter.
    """

    def __init__(
        self, two_stage: TwoStage, risk: Risk, time_limit_s: float, start: Basis | None = None
    ) -> None:
        self._risk, self._highs = risk, Highs(time_limit_s)
        program, self._layout = self._stacked(two_stage)
        tiles = None if start is None else tiled(start, two_stage, self._layout)
        self.two_stage, self.base = two_stage, self._highs.solve(program, tiles)
        self._optimum = self.standing()

    def _stacked(self, two_stage: TwoStage) -> tuple[LinearProgram, Layout]:
        program, layout = deterministic_equivalent(two_stage, self._risk)
        return program.relaxed(), layout

    def cost(self, variation: TwoStage, start: Standing | None = None) -> float:
        """Solve a variation, from the problem's optimum on; return what it costs, bn VND.

        Parameters
        ----------
        start : where the search for a nearer variation ended (`standing`)
        """
        program, _ = self._stacked(variation)
        return self._highs.resolve(
            lower=program.lower, upper=program.upper, row_lower=program.row_lower,
            row_upper=program.row_upper, start=start or self._optimum, go_on=True,
        ).objective  # fmt: skip

    def standing(self) -> Standing:
        """Where the last search ended."""
        return standing(self._highs)

    def upper_prices(self) -> tuple[Floats, Floats]:
        """Change of the cost per unit of upper limits: float arrays [column], [row], ≤ 0.

        Limits of samples are summed: the change is for raising the limit in all of them.
        """
        two_stage, layout, base = self.two_stage, self._layout, self.base
        parts = two_stage.parts
        column, row = np.zeros(len(two_stage.shared)), np.zeros(two_stage.row_upper.shape[1])
        column_dual, row_dual = np.minimum(base.column_dual, 0.0), np.minimum(base.row_dual, 0.0)
        column[parts.shared] = column_dual[layout.shared]
        column[parts.own] = column_dual[layout.own].sum(axis=0)
        row[parts.first_rows] = row_dual[layout.first_rows]
        row[parts.own_rows] = row_dual[layout.own_rows].sum(axis=0)
        return column, row
