"""Choose among policies and spend replications where they matter. Less burden is better.

`kn` leaves worse policies out as it goes and ends when one is left, with a guarantee; `ocba` makes
the best of a fixed number of replications. Both see replications only through a function that
makes them, so tests use laws with a known answer. Whether policies differ is asked elsewhere
(`nts_sim.outcomes.apart`): that a policy was left out does not tell it apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy import special

from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import say
from nts_sim.world.model import Bools, Floats, Ints

DECIDED, THE_SAME, BUDGET = "decided", "the same so far", "budget"
"""What ended a selection."""
_TINY: Final = 1e-9
"""Gaps below this share of the largest spread are no gaps."""


class Wanted(NamedTuple):
    """Replications first … last − 1 of a policy (numbers)."""

    policy: int
    first: int
    last: int


Sample = Callable[[Sequence[Wanted]], Sequence[Floats]]
"""Makes replications: the burden of each; the same number has the same luck."""
Indifference = Callable[[Sequence[Floats]], float]
"""Says, after the first replications of every policy, below what a difference does not matter."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is spent.

    Attributes
    ----------
    first : replications of every policy before the first look
    batch : between looks: of each policy that is left (`kn`), of all together (`ocba`)
    budget : of all policies together, at most
    """

    first: int
    batch: int
    budget: int


@dataclass(frozen=True, eq=False)
class Selection:
    """What a selection came to.

    Attributes
    ----------
    chosen : number of the policy
    values : of each policy, float array [replication]
    looks : int array [look, policy], replications there were of each policy
    indifference : differences below it do not matter, in the unit of the values
    probability : that the chosen is within the indifference of the best: `kn` at least, NaN where
        nothing is guaranteed; `ocba` roughly
    stopped : DECIDED, THE_SAME or BUDGET
    """

    chosen: int
    values: tuple[Floats, ...]
    looks: Ints
    indifference: float
    probability: float
    stopped: str

    @property
    def spent(self) -> int:
        """Replications of all policies together."""
        return sum(map(len, self.values))

    @property
    def equal_share(self) -> int:
        """Replications if every policy were given as many as the one with the most."""
        return len(self.values) * max(map(len, self.values))


def fixed(indifference: float) -> Indifference:
    """Give an indifference that was said beforehand: the guarantee of `kn` holds for it."""
    return lambda _values: indifference


def share_of(baseline: int, percent: float) -> Indifference:
    """Give an indifference in % of a policy's mean over the first replications.

    It is known before anything is left out, but not before anything is simulated. The proof of
    `kn` takes it as fixed, so strictly it is not covered: the first replications decide both the
    indifference and, with later ones, the winner. What that may do is small, because the
    indifference moves by the relative error of one mean only (a tenth of it where the mean is
    known to ± 10 %); the table of known answers has a row for it.
    """

    def of(values: Sequence[Floats]) -> float:
        found = abs(float(values[baseline].mean())) * percent / 100.0
        if found == 0.0:
            what = say("said.selection.no_burden")
            raise InvalidInput([Problem("selection.indifference_bn_vnd", what)])
        return found

    return of


class _Record:
    """Replications made so far, and how many there were at each look."""

    def __init__(self, n_policies: int, sample: Sample) -> None:
        self._sample = sample
        self._parts: list[list[Floats]] = [[] for _ in range(n_policies)]
        self.counts = np.zeros(n_policies, dtype=np.int64)
        self._looks: list[Ints] = []

    def add(self, more: Ints) -> list[Floats]:
        """Make `more` replications of each policy, then count it as a look; return the new."""
        asked = [
            Wanted(p, int(self.counts[p]), int(self.counts[p] + more[p]))
            for p in np.flatnonzero(more).tolist()
        ]
        new = list(self._sample(asked))
        for wanted, values in zip(asked, new, strict=True):
            self._parts[wanted.policy].append(values)
        self.counts = self.counts + more
        self._looks.append(self.counts)
        return new

    @property
    def values(self) -> tuple[Floats, ...]:
        return tuple(np.concatenate(parts) for parts in self._parts)

    @property
    def looks(self) -> Ints:
        return np.array(self._looks)


# --- the fully sequential procedure -------------------------------------------------------------


def kn(
    n_policies: int, sample: Sample, effort: Effort, confidence: float, indifference: Indifference
) -> Selection:
    """Leave policies out as soon as they are clearly not the best, until one is left.

    The procedure KN of Kim & Nelson (2001, "A fully sequential procedure for indifference-zone
    selection in simulation", ACM TOMACS 11(3)), with c = 1. For normal replications, independent
    from one number to the next and however correlated between policies (common luck helps), KN
    chooses the best with at least the given probability if it is better than every other by the
    indifference or more. If others are nearer, one of those is chosen instead, up to chains of
    near ones, which the theorem leaves out; the table of known answers has such cases.

    Two things differ from KN, both to the careful side. A batch larger than one looks at the same
    random walks less often; a walk seen at fewer times leaves its triangle by the wrong side no
    more often (Jennison, Johnstone & Turnbull 1982). And where later replications vary more than
    the first, the larger variance counts, as skewed burdens hide their spread in a small first
    stage (updated variances are those of KN++, Kim & Nelson 2006): nobody is left out whom KN
    would keep at that look, though the theorem does not follow the triangle as it grows.

    Returns
    -------
    Selection
        With the probability NaN where the budget ended it.
    """
    record = _Record(n_policies, sample)
    first = record.add(np.full(n_policies, effort.first))
    delta, spread = indifference(first), _Spread(np.column_stack(first))
    factor = _factor(effort.first, n_policies, confidence) / delta**2
    alive, sums = np.ones(n_policies, dtype=bool), np.array([one.sum() for one in first])
    while True:
        n = int(record.counts.max())
        slack = np.maximum(0.0, delta / (2.0 * n) * (factor * spread.largest - n))
        means = sums / n
        alive &= ~((means[:, None] > means + slack) & alive).any(axis=1)
        over = not slack[np.ix_(alive, alive)].any()
        if over or effort.batch * alive.sum() > effort.budget - record.counts.sum():
            break
        new = record.add(np.where(alive, effort.batch, 0))
        sums[alive] += [one.sum() for one in new]
        spread.add(np.column_stack(new), alive)
    chosen = int(np.argmin(np.where(alive, means, np.inf)))
    stopped = BUDGET if not over else DECIDED if alive.sum() == 1 else THE_SAME
    probability = math.nan if stopped == BUDGET else confidence
    return Selection(chosen, record.values, record.looks, delta, probability, stopped)


def _factor(n: int, k: int, confidence: float) -> float:
    """Return h² = 2η(n₀ − 1), η = ((2α/(k − 1))^(−2/(n₀ − 1)) − 1)/2 (Kim & Nelson 2001, c = 1)."""
    eta = ((2.0 * (1.0 - confidence) / (k - 1)) ** (-2.0 / (n - 1)) - 1.0) / 2.0
    return float(2.0 * eta * (n - 1))


class _Spread:
    """Variances of the differences within replications; float arrays [policy, policy].

    `largest` is the larger of that of the first replications and that of all, for policies left.
    """

    def __init__(self, first: Floats) -> None:
        difference = _pairwise(first)
        self._n, self._centre = len(first), difference.mean(axis=0)
        self._moved = np.zeros_like(self._centre)
        self._squares = ((difference - self._centre) ** 2).sum(axis=0)
        self._first = self.largest = self._squares / (self._n - 1)

    def add(self, new: Floats, alive: Bools) -> None:
        """Add replications of the policies left."""
        left = np.ix_(alive, alive)
        moved = _pairwise(new) - self._centre[left]
        self._n += len(new)
        self._moved[left] += moved.sum(axis=0)
        self._squares[left] += (moved**2).sum(axis=0)
        now = (self._squares - self._moved**2 / self._n) / (self._n - 1)
        self.largest = np.maximum(self._first, now)


def _pairwise(values: Floats) -> Floats:
    """Differences of all pairs; float array [replication, policy, policy]."""
    return values[:, :, None] - values[:, None, :]


# --- a fixed budget -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Standing:
    """Policies against the best, by what is known; arrays [policy].

    Attributes
    ----------
    best : number of the policy with the least mean
    gap : mean less that of the best
    own : standard deviation left of a replication where that of the best is known
    shared : standard deviation that the difference takes from the best: |1 − slope| σ_best
    common : replications both have
    """

    best: int
    gap: Floats
    own: Floats
    shared: Floats
    common: Ints


def ocba(n_policies: int, sample: Sample, effort: Effort, indifference: Indifference) -> Selection:
    """Spend a budget where it helps most to choose rightly.

    Optimal computing budget allocation (Chen, Lin, Yücesan & Chick 2000, "Simulation budget
    allocation for further enhancing the efficiency of ordinal optimization", Discrete Event
    Dynamic Systems 10): after each batch, replications go where the ratios N_i ∝ (σ_i/gap_i)² and
    N_best = σ_best √(Σ N_i²/σ_i²) ask for more; these are the rate-optimal ratios of Glynn &
    Juneja (2004) where the best gets many. Gaps below the indifference count as the indifference:
    telling near policies apart is not worth the budget.

    Policies here share their luck, which those ratios ignore. So means are first freed of it, by
    regression on the policy with the most replications (a control variate, Lavenberg & Welch
    1981): σ_i is what remains, and σ_best the part that does not cancel. Without common luck the
    slope is 0 and the ratios are Chen's.

    Returns
    -------
    Selection
        Its probability is an estimate (a sum of pairwise normal tails, as in Chen et al.), not a
        guarantee.
    """
    record = _Record(n_policies, sample)
    delta = indifference(record.add(np.full(n_policies, effort.first)))
    standing = _standing(record.values)
    while effort.batch <= effort.budget - record.counts.sum() and _undecided(standing):
        ratio = _ratios(standing, delta)
        record.add(_more(ratio, record.counts, effort.batch))
        standing = _standing(record.values)
    stopped = BUDGET if _undecided(standing) else THE_SAME
    probability = _probability(standing, len(record.values[standing.best]), delta)
    return Selection(standing.best, record.values, record.looks, delta, probability, stopped)


def _undecided(standing: _Standing) -> bool:
    """Whether there is any luck left: where no difference varies, more would tell nothing."""
    return bool(standing.own.any() or standing.shared.any())


def _standing(values: Sequence[Floats]) -> _Standing:
    most = max(range(len(values)), key=lambda p: len(values[p]))
    against_most = [_against(one, values[most]) for one in values]
    means = np.array([mean for mean, _, _ in against_most])
    best = int(np.argmin(means))
    against = [_against(one, values[best]) for one in values]
    own, shared = (np.array([row[i] for row in against]) for i in (1, 2))
    own[best] = shared[best] = 0.0
    common = np.array([min(len(one), len(values[best])) for one in values])
    return _Standing(best, means - means[best], own, shared, common)


def _against(values: Floats, control: Floats) -> tuple[float, float, float]:
    """Return the mean freed of the control's luck, and the spreads `own` and `shared`."""
    n = min(len(values), len(control))
    x, y = values[:n] - values[:n].mean(), control[:n] - control[:n].mean()
    squares = float(y @ y)
    slope = float(x @ y) / squares if squares > 0.0 else 0.0
    mean = values.mean() - slope * (control[:n].mean() - control.mean())
    rest = x - slope * y
    own = math.sqrt(float(rest @ rest) / max(n - 2, 1))
    if own <= _TINY * math.sqrt(squares / n):  # rounding, where one is a multiple of the other
        own = 0.0
    left = abs(1.0 - slope)
    return float(mean), own, left * float(control.std(ddof=1)) if left > _TINY else 0.0


def _ratios(standing: _Standing, delta: float) -> Floats:
    """Return what each policy should have had, up to a common factor; float array [policy]."""
    own, best = standing.own, standing.best
    least = _TINY * max(float(own.max()), float(standing.shared.max()))
    gap = np.maximum(standing.gap, max(delta, least))
    ratio = (own / gap) ** 2
    ratio[best] = math.sqrt(float(((standing.shared * own / gap**2) ** 2).sum()))
    ratio[best] = ratio.max()  # it is the control of the others: never fewer
    return ratio if ratio.any() else np.ones(len(ratio))


def _more(ratio: Floats, counts: Ints, batch: int) -> Ints:
    """Divide a batch among those that have less than their ratio; whole numbers."""
    target = ratio / ratio.sum() * (counts.sum() + batch)
    lacking = np.maximum(target - counts, 0.0)
    exact = lacking / lacking.sum() * batch
    given: Ints = np.floor(exact).astype(np.int64)
    left = np.argsort(given - exact, kind="stable")[: batch - given.sum()]
    given[left] += 1
    return given


def _probability(standing: _Standing, n_best: int, delta: float) -> float:
    """Return 1 less the chances that another is better by more than the indifference."""
    error = np.sqrt(standing.own**2 / standing.common + standing.shared**2 / n_best)
    margin = standing.gap + delta
    z = np.divide(margin, error, out=np.full(len(margin), np.inf), where=error > 0.0)
    z[standing.best] = np.inf
    return max(0.0, 1.0 - float(special.ndtr(-z).sum()))
