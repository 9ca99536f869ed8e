"""Two stages: what is decided now for all samples alike, and what each sample answers.

Every sample has the same matrix A; costs, bounds and limits differ. A column is shared (first
stage) or the sample's own; a row that touches no own column is the first stage's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array

from nts_sim.planning.linear import LinearProgram, Status
from nts_sim.planning.solve import Standing
from nts_sim.world.model import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class TwoStage:
    """One matrix for all samples.

    Minimise first · x + ρ(F_1 … F_S) with F_s = offset_s + q_s · y_s, subject to
    row_lower_s ≤ A (x, y_s) ≤ row_upper_s and bounds.

    Attributes
    ----------
    program : LinearProgram, A over all columns; its cost, bounds and integrality hold for the
        shared columns, its integrality for all; its offset is the first stage's
    shared : bool array [column], first stage
    probability : float array [S], sums to 1
    cost : float array [S, column], q; not read on shared columns
    lower, upper : float array [S, column], bounds of own columns; not read on shared columns
    row_lower, row_upper : float array [S, row]
    offset : float array [S]
    """

    program: LinearProgram
    shared: Bools
    probability: Floats
    cost: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    offset: Floats

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return len(self.probability)

    @cached_property
    def parts(self) -> Parts:
        """A cut into its blocks."""
        matrix = self.program.matrix.tocsr()
        own = np.flatnonzero(~self.shared)
        touched = np.bincount(matrix[:, own].nonzero()[0], minlength=matrix.shape[0]) > 0
        shared, rows = np.flatnonzero(self.shared), np.flatnonzero(touched)
        first_rows = np.flatnonzero(~touched)
        return Parts(
            shared=shared,
            own=own,
            first_rows=first_rows,
            own_rows=rows,
            first=matrix[first_rows][:, shared].tocsc(),
            link=matrix[rows][:, shared].tocsc(),
            recourse=matrix[rows][:, own].tocsc(),
        )

    @property
    def first_limits(self) -> tuple[Floats, Floats]:
        """Limits of the first stage's rows: what every sample allows."""
        rows = self.parts.first_rows
        return self.row_lower[:, rows].max(axis=0), self.row_upper[:, rows].min(axis=0)

    def own_integers(self) -> Bools:
        """Which own columns take whole numbers, bool array [own]."""
        own = self.parts.own
        return np.zeros(len(own), np.bool_) if self.program.integer is None else (
            self.program.integer[own]
        )  # fmt: skip

    def sample(self, s: int) -> LinearProgram:
        """Return the program of one sample known in advance, first stage included."""
        return self.program.with_(
            cost=np.where(self.shared, self.program.cost, self.cost[s]),
            lower=np.where(self.shared, self.program.lower, self.lower[s]),
            upper=np.where(self.shared, self.program.upper, self.upper[s]),
            row_lower=self.row_lower[s],
            row_upper=self.row_upper[s],
            offset=self.program.offset + float(self.offset[s]),
        )

    def some(self, samples: Ints) -> TwoStage:
        """Return the problem over some samples, their probabilities scaled to add up to 1.

        The first stage's rows keep the limits that all samples allow.
        """
        row_lower, row_upper = self.row_lower[samples], self.row_upper[samples]
        row_lower[:, self.parts.first_rows], row_upper[:, self.parts.first_rows] = self.first_limits
        made = TwoStage(
            program=self.program,
            shared=self.shared,
            probability=self.probability[samples] / self.probability[samples].sum(),
            cost=self.cost[samples],
            lower=self.lower[samples],
            upper=self.upper[samples],
            row_lower=row_lower,
            row_upper=row_upper,
            offset=self.offset[samples],
        )
        made.__dict__["parts"] = self.parts
        return made


@dataclass(frozen=True, eq=False)
class Parts:
    """Blocks of A: first stage rows over x, and link · x + recourse · y_s in each sample.

    Attributes
    ----------
    shared, own : int arrays, columns; first_rows, own_rows : int arrays, rows
    first : [first row, shared]; link : [own row, shared]; recourse : [own row, own]
    """

    shared: Ints
    own: Ints
    first_rows: Ints
    own_rows: Ints
    first: csc_array
    link: csc_array
    recourse: csc_array


@dataclass(frozen=True, eq=False)
class TwoStageSolution:
    """A plan for all samples, with what it costs in each and the bound no plan undercuts.

    Attributes
    ----------
    objective : float, first · x + ρ of what the samples cost, computed without a solver
    bound, gap : float; gap is relative to max(1, |objective|)
    x : float array [column], first stage; 0 elsewhere
    y : float array [S, column], whole point of each sample; shared columns repeated
    sample_cost : float array [S], F_s + first · x
    row_dual : float array [S, row], change of the objective per unit of a row's limit in that
        sample; the first stage's rows, which are one for all, are split by probability
    column_dual : float array [S, column], reduced costs, split alike
    how : "deterministic equivalent" or "L-shaped"
    iterations : simplex iterations, or rounds of cuts
    ended : where the search over the stacked program ended; None after cuts
    """

    status: Status
    objective: float
    bound: float
    gap: float
    x: Floats
    y: Floats
    sample_cost: Floats
    row_dual: Floats
    column_dual: Floats
    seconds: float
    how: str
    iterations: int
    ended: Standing | None = None
