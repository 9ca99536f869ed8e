"""What each sample answers to a first stage, and what no first stage near or far can undercut.

One live handle holds the recourse program; from sample to sample only its numbers change. Which of
several equally good answers comes out may depend on the order of the questions; what it costs does
not, and cuts are certified by arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.linear import (
    Basis,
    LinearProgram,
    Solution,
    least,
    usable_prices,
    without_dust,
)
from nts_sim.planning.solve import Highs
from nts_sim.planning.stages import TwoStage
from nts_sim.words import say
from nts_sim.world.model import Floats


@dataclass(frozen=True, eq=False)
class Cut:
    """F_s(x) ≥ constant + slope · x for every first stage x, float array [shared]."""

    constant: float
    slope: Floats


class Recourse:
    """The recourse program of a two-stage problem in a handle of its own."""

    def __init__(
        self, two_stage: TwoStage, time_limit_s: float, start: Basis | None = None
    ) -> None:
        self._two_stage, parts = two_stage, two_stage.parts
        self._highs = Highs(time_limit_s)
        self._matrix, self._link = parts.recourse, parts.link.tocsr()
        own, rows = parts.own, parts.own_rows
        self._cost, self._lower = two_stage.cost[:, own], two_stage.lower[:, own]
        self._upper = two_stage.upper[:, own]
        self._row_lower = two_stage.row_lower[:, rows]
        self._row_upper = two_stage.row_upper[:, rows]
        self._start = None if start is None else Basis(start.columns[own], start.rows[rows])
        self._fresh = True
        self._highs.load(self.program(0))

    def program(self, s: int) -> LinearProgram:
        """Return the recourse program of a sample at x = 0."""
        matrix, whole = self._matrix, self._two_stage.own_integers()
        return LinearProgram(
            cost=self._cost[s],
            lower=self._lower[s],
            upper=self._upper[s],
            row_lower=self._row_lower[s],
            row_upper=self._row_upper[s],
            start=matrix.indptr.astype(np.int32),
            index=matrix.indices.astype(np.int32),
            value=matrix.data,
            offset=0.0,
            integer=whole if whole.any() else None,
        )

    def answer(self, s: int, x: Floats, time_limit_s: float | None = None) -> Solution:
        """Return the best answer of a sample to x, float array [shared]; offset_s not counted.

        Raises
        ------
        NoAcceptableSolution
            Naming the sample, where it has no answer to x.
        """
        used = self._link @ x
        start, self._fresh = (self._start if self._fresh else None), False
        try:
            return self._highs.resolve(
                cost=self._cost[s],
                lower=self._lower[s],
                upper=self._upper[s],
                row_lower=self._row_lower[s] - used,
                row_upper=self._row_upper[s] - used,
                start=start,
                go_on=True,
                time_limit_s=time_limit_s,
            )
        except NoAcceptableSolution as error:
            what = say("said.plan.no_answer", sample=s, error=error)
            raise NoAcceptableSolution(what) from error

    def refusal(self, s: int, x: Floats) -> Cut | None:
        """Return a cut that x breaks and no first stage with an answer does, after `answer` failed.

        Along a ray of prices the recourse has value 0, so 0 ≥ constant + slope · x is needed.
        """
        ray = self._highs.ray()
        cuts = () if ray is None else (self._cut(s, sign * ray, 0.0) for sign in (1.0, -1.0))
        worst = max(cuts, key=lambda cut: cut.constant + cut.slope @ x, default=None)
        return worst if worst is not None and worst.constant + worst.slope @ x > 0.0 else None

    def cut(self, s: int, row_dual: Floats) -> Cut:
        """Return the cut that row prices prove; valid for any prices, by weak duality.

        With d = q_s − recourseᵀ π, over rows and bounds of the sample:

            F_s(x) ≥ offset_s + Σ_i min π_i a_i + Σ_j min d_j y_j − (linkᵀ π) · x
        """
        cut = self._cut(s, row_dual, 1.0)
        return Cut(cut.constant + float(self._two_stage.offset[s]), cut.slope)

    def _cut(self, s: int, row_dual: Floats, priced: float) -> Cut:
        program = self.program(s)
        price = usable_prices(program, row_dual)
        reduced = without_dust(program, priced * program.cost - self._matrix.T @ price)
        rows = least(price, program.row_lower, program.row_upper)
        constant = rows + least(reduced, program.lower, program.upper)
        return Cut(constant, np.asarray(-(self._link.T @ price)))

    def lowest(self) -> Floats:
        """Return what no sample can cost less than, by its bounds alone, float array [S]."""
        pairs = zip(self._cost, self._lower, self._upper, strict=True)
        lowest: Floats = self._two_stage.offset + np.array([least(*one) for one in pairs])
        return lowest
