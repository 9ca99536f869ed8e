"""The L-shaped method: a master over the first stage, and a cut for each sample and round.

Multi-cut (Birge and Louveaux, 1988): the master holds ρ over a column for the cost of each sample
and learns from each sample at each point what it costs there and how that changes. In-out
stabilised (Ben-Ameur and Neto, "Acceleration of cutting-plane and column generation algorithms",
Networks 49(1), 2007): cuts are taken between the best plan known (in) and the master's optimum
(out), and at the master's optimum itself where a point between teaches the master nothing. The
first plan comes from the deterministic equivalent of a few samples.

The master's bound and the best plan's true cost enclose the optimum, whatever happened before.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.equivalent import deterministic_equivalent, stacked, tiled
from nts_sim.planning.linear import Basis, Solution, Status
from nts_sim.planning.recourse import Cut, Recourse
from nts_sim.planning.risk import Risk, risk_of, risk_program, risk_weights
from nts_sim.planning.solve import PROOF, Highs
from nts_sim.planning.stages import TwoStage, TwoStageSolution
from nts_sim.words import say
from nts_sim.world.model import Floats, Ints

STEP = 0.5
"""How far from the best plan known towards the master's optimum cuts are taken."""


FEW = 10
"""Samples whose deterministic equivalent gives the first plan."""
KEPT = 3
"""Samples that are part of the master."""
NEAR = 3
"""Rounds with whole numbers near the relaxation's before a search over all of them."""
_NEWS = 1e-7
"""A cut that lifts a sample's cost by less than this, relative, teaches the master nothing."""

_DUST = 1e-9
"""Slopes up to this are rounding; HiGHS keeps no such coefficient."""


class _TimeIsUp(Exception):
    """Not enough time for another round."""


class _Refused(Exception):
    """A sample has no answer to a first stage."""

    def __init__(self, cut: Cut) -> None:
        super().__init__()
        self.cut = cut


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a first stage costs, by sample, and the cuts this proves.

    Attributes
    ----------
    x : float array [shared]
    y : float array [S, own]; price : float array [S, own row]
    cost : float array [S], F_s; objective : float
    constant : float array [S]; slope : float array [S, shared]
    """

    x: Floats
    y: Floats
    price: Floats
    cost: Floats
    objective: float
    constant: Floats
    slope: Floats


class Master:
    """The first stage with ρ over what is known of each sample's cost.

    A few samples are part of it (partial decomposition: Crainic, Hewitt, Maggioni and Rei, 2021),
    so that it knows what first stages can be answered; of the others it knows cuts.
    """

    def __init__(self, two_stage: TwoStage, risk: Risk, lowest: Floats, gap: float) -> None:
        measure = risk_program(risk, two_stage.probability, lowest)
        kept = _spread(two_stage.n_samples, KEPT)
        self._program, layout = stacked(two_stage, measure, kept)
        self._theta = layout.risk.start + measure[1].cost
        self._n_shared, self._n_first = layout.shared.stop, layout.first_rows.stop
        self._highs = Highs(gap=0.3 * gap)
        self._highs.load(self._program.relaxed())

    @property
    def has_integers(self) -> bool:
        """Whether first-stage columns take whole numbers."""
        return self._program.has_integers

    def near(self, x: Floats, time_limit_s: float) -> Floats | None:
        """Return the best first stage with the whole numbers nearest to x; None: there is none."""
        before = self._highs.program
        integer = self._program.integer
        assert integer is not None
        whole = np.flatnonzero(integer)
        lower, upper = before.lower.copy(), before.upper.copy()
        lower[whole] = upper[whole] = np.clip(np.round(x[whole]), lower[whole], upper[whole])
        try:
            point = self._highs.resolve(
                lower=lower, upper=upper, go_on=True, time_limit_s=time_limit_s
            )
            return self.x(point)
        except NoAcceptableSolution:
            return None
        finally:
            self._highs.change(lower=before.lower, upper=before.upper)

    def demand_whole_numbers(self) -> None:
        """Keep the cuts and from now on search over whole numbers."""
        self._highs.load(self._highs.program.with_(integer=self._program.integer))

    def solve(self, time_limit_s: float) -> Solution:
        """Return the optimum of what is known so far."""
        return self._highs.resolve(go_on=True, time_limit_s=time_limit_s)

    def x(self, point: Solution) -> Floats:
        """First stage of a solution, float array [shared]."""
        return point.x[: self._n_shared]

    def first_dual(self, point: Solution) -> Floats:
        """Prices of the first stage's rows."""
        return point.row_dual[: self._n_first]

    def learn(self, seen: Evaluation, point: Solution | None = None) -> bool:
        """Add the cuts that are news at a solution, or all; say whether there were any."""
        fresh = np.ones(len(seen.cost), np.bool_)
        if point is not None:
            theta = point.x[self._theta]
            known = seen.constant + seen.slope @ self.x(point)
            fresh = known > theta + _NEWS * np.maximum(1.0, np.abs(theta))
        which = np.flatnonzero(fresh)
        if len(which):
            self._add(seen.constant[which], seen.slope[which], self._theta[which])
        return len(which) > 0

    def forbid(self, cut: Cut) -> None:
        """Leave out first stages that a sample has no answer to: 0 ≥ constant + slope · x."""
        self._add(np.array([cut.constant]), cut.slope[None], None)

    def _add(self, constant: Floats, slope: Floats, theta: Ints | None) -> None:
        """Theta − slope · x ≥ constant, without theta where None."""
        n, width = len(constant), len(self._program.cost)
        row, column = np.nonzero(np.abs(slope) > _DUST)
        value = -slope[row, column]
        if theta is not None:
            row, column = np.append(row, np.arange(n)), np.append(column, theta)
            value = np.append(value, np.ones(n))
        rows = csr_array((value, (row, column)), shape=(n, width))
        self._highs.add_rows(rows, constant, np.full(n, np.inf))


def _spread(n: int, few: int) -> Ints:
    """At most `few` of n samples, evenly spread."""
    return np.unique(np.linspace(0, n - 1, few).astype(np.int64))


def solve_l_shaped(
    two_stage: TwoStage,
    risk: Risk,
    *,
    start: Basis | None = None,
    gap: float = 1e-3,
    time_limit_s: float = 60.0,
) -> TwoStageSolution:
    """Solve a two-stage problem by cuts; first-stage columns may take whole numbers.

    Parameters
    ----------
    start : starting basis of one sample's program
    gap : relative gap at which to stop
    time_limit_s : seconds; then the best plan and the best bound known are returned

    Raises
    ------
    NoAcceptableSolution
        Where a sample has no answer to a first stage, or time ends before the first plan.
    """
    if two_stage.own_integers().any():
        raise ValueError("only first-stage columns may take whole numbers here")
    return _Search(two_stage, risk, start, gap, time_limit_s).run()


class _Search:
    """One run of the method."""

    def __init__(
        self, two_stage: TwoStage, risk: Risk, start: Basis | None, gap: float, limit_s: float
    ) -> None:
        self._begun = time.perf_counter()
        self._deadline, self._gap = self._begun + limit_s, max(gap, PROOF)
        self._two_stage, self._risk, self._start = two_stage, risk, start
        self._recourse = Recourse(two_stage, limit_s, start)
        self._master = Master(two_stage, risk, self._recourse.lowest(), gap)
        self._best: Evaluation | None = None
        self._bound, self._rounds = -np.inf, 0
        self._first_dual = np.zeros(len(two_stage.parts.first_rows))

    def run(self) -> TwoStageSolution:
        """Search the relaxation first, then whole numbers where there are any."""
        try:
            self._search_relaxed()
            if self._master.has_integers:
                self._search_near()
                if not self._closed():
                    self._master.demand_whole_numbers()
                    self._search_whole()
        except _TimeIsUp:
            pass
        if self._best is None:
            raise NoAcceptableSolution(say("said.plan.too_late"))
        return self._told(self._best)

    def _search_relaxed(self) -> None:
        """Ask between the best plan and the master's, then at the master's, until all is known."""
        self._ask(self._first_plan(), None)
        learned = True
        while learned:
            out = self._solve_master()
            if self._closed():
                return
            target, learned = self._master.x(out), False
            if self._best is not None:
                learned = self._ask(self._best.x + STEP * (target - self._best.x), out)
            learned = learned or self._ask(target, out)

    def _search_near(self) -> None:
        """Ask at whole numbers near the relaxation's; its bound often proves them good enough."""
        assert self._best is not None
        relaxed, self._best = self._best.x, None
        for _ in range(NEAR):
            x = self._master.near(relaxed, self._left())
            if x is None or not self._ask(x, None) or self._closed():
                return

    def _search_whole(self) -> None:
        """Ask at the master's optimum until it knows what its own plan costs."""
        learned = True
        while learned:
            out = self._solve_master()
            if self._closed():
                return
            learned = self._ask(_whole(self._two_stage, self._master.x(out)), out)

    def _ask(self, x: Floats, out: Solution | None) -> bool:
        """Ask every sample, keep the better plan and say whether the master learned anything."""
        try:
            seen = self._evaluate(x)
        except _Refused as refused:
            self._master.forbid(refused.cut)
            return True
        if self._best is None or seen.objective < self._best.objective:
            self._best = seen
        return self._master.learn(seen, out)

    def _closed(self) -> bool:
        if self._best is None:
            return False
        best = self._best.objective
        return best - self._bound <= self._gap * max(1.0, abs(best))

    def _left(self) -> float:
        left = self._deadline - time.perf_counter()
        if left <= 0.0:
            raise _TimeIsUp
        return left

    def _first_plan(self) -> Floats:
        """Plan for a few samples, spread evenly over all, whole numbers relaxed."""
        two_stage, risk = self._two_stage, self._risk
        few = _spread(two_stage.n_samples, FEW)
        if risk.best is not None:
            risk = replace(risk, best=risk.best[few])
        part = two_stage.some(few)
        program, layout = deterministic_equivalent(part, risk)
        start = None if self._start is None else tiled(self._start, part, layout)
        return Highs(self._left()).solve(program.relaxed(), start).x[layout.shared]

    def _solve_master(self) -> Solution:
        try:
            out = self._master.solve(self._left())
        except NoAcceptableSolution:
            self._left()
            raise
        self._bound = max(self._bound, out.bound)
        self._first_dual = self._master.first_dual(out)
        self._rounds += 1
        return out

    def _evaluate(self, x: Floats) -> Evaluation:
        """Ask every sample."""
        two_stage, recourse = self._two_stage, self._recourse
        answers, cuts = [], []
        for s in range(two_stage.n_samples):
            try:
                answers.append(recourse.answer(s, x, self._left()))
            except NoAcceptableSolution:
                self._left()
                if (cut := recourse.refusal(s, x)) is None:
                    raise
                raise _Refused(cut) from None
            cuts.append(recourse.cut(s, answers[-1].row_dual))
        cost = two_stage.offset + np.array([answer.objective for answer in answers])
        return Evaluation(
            x=x,
            y=np.stack([answer.x for answer in answers]),
            price=np.stack([answer.row_dual for answer in answers]),
            cost=cost,
            objective=first_cost(two_stage, x) + risk_of(self._risk, two_stage.probability, cost),
            constant=np.array([cut.constant for cut in cuts]),
            slope=np.stack([cut.slope for cut in cuts]),
        )

    def _told(self, best: Evaluation) -> TwoStageSolution:
        two_stage, parts = self._two_stage, self._two_stage.parts
        n, width = two_stage.n_samples, len(two_stage.shared)
        bound = min(self._bound, best.objective)
        gap = (best.objective - bound) / max(1.0, abs(best.objective))
        x = np.zeros(width)
        x[parts.shared] = best.x
        y = np.tile(x, (n, 1))
        y[:, parts.own] = best.y
        row_dual, column_dual = _duals(two_stage, self._risk, best, self._first_dual)
        reached = Status.OPTIMAL if gap <= PROOF else Status.GAP_LIMIT
        return TwoStageSolution(
            status=reached if gap <= self._gap else Status.TIME_LIMIT,
            objective=best.objective,
            bound=bound,
            gap=gap,
            x=x,
            y=y,
            sample_cost=best.cost + first_cost(two_stage, best.x),
            row_dual=row_dual,
            column_dual=column_dual,
            seconds=time.perf_counter() - self._begun,
            how="L-shaped",
            iterations=self._rounds,
        )


def first_cost(two_stage: TwoStage, x: Floats) -> float:
    """First · x of a first stage, float array [shared], offset included."""
    program = two_stage.program
    return float(program.cost[two_stage.parts.shared] @ x) + program.offset


def _whole(two_stage: TwoStage, x: Floats) -> Floats:
    integer = two_stage.program.integer
    assert integer is not None
    return np.where(integer[two_stage.parts.shared], np.round(x), x)


def _duals(
    two_stage: TwoStage, risk: Risk, best: Evaluation, first_dual: Floats
) -> tuple[Floats, Floats]:
    """Prices of the answers, weighed as the risk measure weighs their samples."""
    parts, probability = two_stage.parts, two_stage.probability
    weight = risk_weights(risk, probability, best.cost)[:, None]
    row_dual = np.zeros(two_stage.row_lower.shape)
    row_dual[:, parts.own_rows] = weight * best.price
    row_dual[:, parts.first_rows] = probability[:, None] * first_dual
    column_dual = np.zeros(two_stage.cost.shape)
    own = weight * (two_stage.cost[:, parts.own] - best.price @ parts.recourse)
    first = two_stage.program.cost[parts.shared] - first_dual @ parts.first
    column_dual[:, parts.own] = own
    column_dual[:, parts.shared] = probability[:, None] * (
        first - (weight * best.price).sum(axis=0) @ parts.link
    )
    return row_dual, column_dual
