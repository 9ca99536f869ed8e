"""What a plan is worth, and how far to trust it; all of it of the planning model.

- Worth of planning (Birge 1982; Birge & Louveaux 2011, §4): wait-and-see ≤ the plan ≤ planning for
  the mean alone. EVPI is what knowing the future would save, VSS what planning for many saves.
- The gap left by sampling (Mak, Morton & Wood 1999): on fresh samples, what the plan costs less
  what the best plan for just these samples costs, on the same samples; a one-sided 95 % bound.
- Stability: how the plans made for fresh samples differ, in what they do and in what they cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.stats import t as student

from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.linear import Basis
from nts_sim.planning.risk import Risk, risk_of
from nts_sim.planning.scenario import Members, ScenarioPlan, need_of_members
from nts_sim.planning.solve import Highs
from nts_sim.planning.spending import Spending, spending_of, spread_of_spending
from nts_sim.planning.stages import TwoStage, TwoStageSolution
from nts_sim.planning.twostage import (
    How,
    evaluate_first_stage,
    solve_two_stage,
    wait_and_see,
)
from nts_sim.planning.variants import in_template, needs_joined
from nts_sim.world.model import Floats

CONFIDENCE = 0.95
_STACKED: How = "deterministic equivalent"
"""Batches are small: stacked, 8 samples of a shipped scenario take 1.3 s, and 7 to 15 s by cuts."""


@dataclass(frozen=True)
class Worth:
    """Expected costs, bn VND, of the planning model.

    Attributes
    ----------
    plan : the plan's; no plan costs less than `plan_bound`
    wait_and_see : if each sample were known in advance; whole numbers taken for divisible, so
        never more than it is
    mean_plan : of the plan made for the mean of the samples, on the samples
    """

    plan: float
    plan_bound: float
    wait_and_see: float
    mean_plan: float

    @property
    def evpi(self) -> float:
        """Value of perfect information: most that knowing the future would save."""
        return self.plan - self.wait_and_see

    @property
    def vss(self) -> float:
        """Value of the stochastic solution: what planning for many samples saves."""
        return self.mean_plan - self.plan


def worth_of_planning(plan: ScenarioPlan, solution: TwoStageSolution, highs: Highs) -> Worth:
    """Compare a plan for the expectation with perfect information and with the mean's plan.

    Parameters
    ----------
    solution : of the plan's problem; the expectation is its objective
    """
    return worth(plan.filled.two_stage, solution, highs, plan.filled.start)


def worth(
    two_stage: TwoStage, solution: TwoStageSolution, highs: Highs, start: Basis | None = None
) -> Worth:
    """As `worth_of_planning`, of any two-stage problem."""
    chance = two_stage.probability
    known = wait_and_see(_divisible(two_stage), highs, start)
    mean = solve_two_stage(mean_sample(two_stage), Risk(), highs, start=start)
    of_mean = evaluate_first_stage(two_stage, mean.x, highs, start)
    return Worth(
        plan=float(chance @ solution.sample_cost),
        plan_bound=solution.bound,
        wait_and_see=float(chance @ known),
        mean_plan=float(chance @ of_mean),
    )


def _divisible(two_stage: TwoStage) -> TwoStage:
    return replace(two_stage, program=two_stage.program.relaxed())


def mean_sample(two_stage: TwoStage) -> TwoStage:
    """Replace all samples by their mean.

    A unit of an own column is worth what it is worth on average where there is room for it: the
    mean of cost × room over the mean of room. So the mean need is worth as much as the needs are.
    """
    chance = two_stage.probability
    room = two_stage.upper - two_stage.lower
    room = np.where(np.isfinite(room), room, 1.0)
    total = chance @ room
    weighed = chance @ (two_stage.cost * room) / np.where(total > 0.0, total, 1.0)
    cost = np.where(total > 0.0, weighed, chance @ two_stage.cost)
    return replace(
        two_stage,
        probability=np.ones(1),
        cost=cost[None],
        lower=(chance @ two_stage.lower)[None],
        upper=(chance @ two_stage.upper)[None],
        row_lower=(chance @ two_stage.row_lower)[None],
        row_upper=(chance @ two_stage.row_upper)[None],
        offset=(chance @ two_stage.offset)[None],
    )


# --- fresh samples --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Batches:
    """A plan's problem on fresh samples, batch by batch, all with the same columns.

    Attributes
    ----------
    filled : with the samples of the plan and of all batches
    problems : one a batch
    x : float array [column], the plan's first stage
    """

    filled: Filled
    problems: tuple[TwoStage, ...]
    x: Floats


def fresh_batches(
    plan: ScenarioPlan, solution: TwoStageSolution, batches: Sequence[Members]
) -> Batches:
    """Put fresh samples in the place of the plan's, batch by batch.

    Stocks, leads and what may be lent stay as the plan has them, so that its first stage is a
    first stage of every batch. Batches should be plain draws, each with its own chance: only then
    is the gap's bound what it says.
    """
    sets = plan.template.sets
    factor = plan.lever_factor
    needs = [need_of_members(fresh, sets, plan.observation, factor) for fresh in batches]
    together = needs_joined([plan.numbers.need, *needs])
    numbers = replace(plan.numbers, need=together)
    filled = fill(plan.template, numbers, equity=plan.equity)
    ends = np.cumsum([len(plan.numbers.need.probability), *(len(n.probability) for n in needs)])
    ranges = [np.arange(a, b) for a, b in pairwise(ends.tolist())]
    x = in_template(plan.filled, solution.x)[filled.columns]
    return Batches(filled, tuple(filled.two_stage.some(at) for at in ranges), x)


@dataclass(frozen=True, eq=False)
class Solved:
    """A batch and the best plan for it."""

    two_stage: TwoStage
    risk: Risk
    solution: TwoStageSolution


def solve_batches(
    make: Callable[[int], TwoStage],
    n_batches: int,
    risk: Risk,
    highs: Highs,
    start: Basis | None = None,
) -> tuple[Solved, ...]:
    """Find the best plan for each batch; regret is taken against the batch's own samples."""
    solved = []
    for number in range(n_batches):
        two_stage = make(number)
        own = _of_batch(risk, two_stage, highs, start)
        solution = solve_two_stage(two_stage, own, highs, start=start, how=_STACKED)
        solved.append(Solved(two_stage, own, solution))
    return tuple(solved)


def _of_batch(risk: Risk, two_stage: TwoStage, highs: Highs, start: Basis | None) -> Risk:
    if risk.kind != "minimax_regret":
        return risk
    return replace(risk, best=wait_and_see(two_stage, highs, start))


@dataclass(frozen=True)
class SaaGap:
    """How much less a better plan could cost, by fresh samples; bn VND, of the planning model.

    Attributes
    ----------
    gap : mean over batches of what the plan costs more than the batch's best plan
    bound_95 : one-sided bound; the true gap is below it with 95 % confidence
    each : the gap of each batch, against the certified bound of the batch's optimum
    """

    gap: float
    bound_95: float
    each: tuple[float, ...]


def saa_gap(
    solved: Sequence[Solved], x_hat: Floats, highs: Highs, start: Basis | None = None
) -> SaaGap:
    """Bound the gap of a first stage by batches of fresh samples, paired (Mak et al. 1999).

    gap_m = f_m(x̂) − v_m with both on the samples of batch m; as E[v_m] is at most the true
    optimum, the mean overstates the true gap, the more the smaller the batches.

    Parameters
    ----------
    x_hat : float array [column], the plan's first stage
    """
    if len(solved) < 2:
        raise ValueError("a bound needs two batches or more")
    gaps = [cost_of(one, x_hat, highs, start) - one.solution.bound for one in solved]
    n, mean = len(gaps), float(np.mean(gaps))
    quantile = float(student.ppf(CONFIDENCE, n - 1))
    return SaaGap(mean, mean + quantile * float(np.std(gaps, ddof=1)) / n**0.5, tuple(gaps))


def cost_of(one: Solved, x: Floats, highs: Highs, start: Basis | None = None) -> float:
    """Price a first stage on the samples of a batch, as its risk measure weighs them."""
    two_stage = one.two_stage
    return _weighed(two_stage, one.risk, x, evaluate_first_stage(two_stage, x, highs, start))


def _weighed(two_stage: TwoStage, risk: Risk, x: Floats, cost: Floats) -> float:
    first = float(two_stage.program.cost @ np.where(two_stage.shared, x, 0.0))
    return first + risk_of(risk, two_stage.probability, cost - first)


# --- stability ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stability:
    """How plans for fresh samples differ; bn VND, of the planning model.

    Attributes
    ----------
    spending : what the plans' first stages spend, by kind, thing and place; largest mean first
    values : optimal value of each batch
    tested : what each batch's first stage costs on one common test batch
    """

    spending: tuple[Spending, ...]
    values: tuple[float, ...]
    tested: tuple[float, ...]

    @property
    def tested_spread_percent(self) -> float:
        """Largest less smallest cost on the test batch, % of its mean."""
        mean = abs(float(np.mean(self.tested)))
        return 100.0 * float(np.ptp(self.tested)) / mean if mean else 0.0


def stability(
    plan: ScenarioPlan,
    batches: Batches,
    solved: Sequence[Solved],
    test: TwoStage,
    highs: Highs,
) -> Stability:
    """Compare the plans of the batches.

    Parameters
    ----------
    test : samples on which all first stages are evaluated, with the columns of the batches; the
        risk is that of the first batch
    """
    filled = batches.filled
    spent = [spending_of(plan.world, filled, one.solution.x) for one in solved]
    risk = _of_batch(solved[0].risk, test, highs, filled.start)
    common = [replace(one, two_stage=test, risk=risk) for one in solved]
    return Stability(
        spending=spread_of_spending(spent),
        values=tuple(one.solution.objective for one in solved),
        tested=tuple(cost_of(one, one.solution.x, highs, filled.start) for one in common),
    )
