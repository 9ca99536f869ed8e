"""What each mechanism contributes to what the plan saves: shares that add up.

The game: a coalition of mechanisms saves what the planning model costs less with only these open
than with none, each time planned anew. A mechanism's share is what it adds on average over all
orders in which the mechanisms could be opened (Shapley 1953). So money that only pays for goods is
not worth nothing, though alone it saves nothing, and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations
from math import factorial

import numpy as np

from nts_sim.luck.draws import DrawSet, Luck, Stream
from nts_sim.planning.risk import Risk
from nts_sim.planning.scenario import ScenarioPlan
from nts_sim.planning.solve import Standing
from nts_sim.planning.stages import TwoStage
from nts_sim.planning.template import Template
from nts_sim.planning.variants import Again
from nts_sim.world.model import Bools, Ints

EXACT_PLAYERS = 8
"""Up to so many players all coalitions are solved."""
ORDERS = 60
"""Orders drawn where there are more."""
_SAME = 1e-6
"""Savings that differ by less, relative to what all save, are the same."""

Coalition = frozenset[int]


@dataclass(frozen=True)
class Share:
    """A mechanism's share, bn VND; `standard_error` is 0 where it is exact."""

    mechanism: str
    share: float
    standard_error: float


@dataclass(frozen=True)
class Contributions:
    """Shares of what all mechanisms save together, bn VND, of the planning model.

    Attributes
    ----------
    shares : of every mechanism that can be ordered; they add up to `saved`
    cost_without, cost_with : cost with no mechanism and with all, yes-or-no decisions taken for
        divisible; what is prepared before day 0 is planned anew each time
    exact : all coalitions of the players that matter were solved
    """

    shares: tuple[Share, ...]
    cost_without: float
    cost_with: float
    exact: bool

    @property
    def saved(self) -> float:
        """What all save together."""
        return self.cost_without - self.cost_with


def contributions(
    plan: ScenarioPlan,
    risk: Risk,
    time_limit_s: float,
    *,
    exact_players: int = EXACT_PLAYERS,
    orders: int = ORDERS,
    seed: int = 0,
) -> Contributions:
    """Share what the plan saves among the mechanisms.

    Parameters
    ----------
    exact_players, orders, seed : with more players than that, so many orders are drawn at random
    """
    columns = mechanism_columns(plan.template)
    closed = {i: np.isin(plan.filled.columns, numbers) for i, numbers in columns.items()}
    again = Again(plan.filled.two_stage, risk, time_limit_s, plan.filled.start)
    everybody = frozenset(i for i, mask in closed.items() if mask.any())

    ended: dict[Coalition, Standing] = {}

    @cache
    def cost(coalition: Coalition) -> float:
        larger = (ended.get(coalition | {i}) for i in sorted(everybody - coalition))
        start = next((end for end in larger if end is not None), None)
        variation = _with_closed(again.two_stage, closed, everybody - coalition)
        found = again.cost(variation, start)
        ended[coalition] = again.standing()
        return found

    def saved(coalition: Coalition) -> float:
        return cost(frozenset()) - cost(coalition)

    players = players_that_matter(everybody, saved)
    exact = len(players) <= exact_players
    by_orders = partial(sampled_shares, orders=orders, seed=seed)
    found = (exact_shares if exact else by_orders)(players, saved)
    titles = plan.world.mechanisms
    shares = (Share(titles[i].title, *found.get(i, (0.0, 0.0))) for i in columns)
    return Contributions(tuple(shares), cost(frozenset()), cost(frozenset(players)), exact)


def mechanism_columns(template: Template) -> Mapping[int, Ints]:
    """Return the columns that a mechanism opens: mechanism → template column numbers."""
    sets, c = template.sets, template.columns
    found: dict[int, list[Ints]] = {}
    for g, way in enumerate(sets.goods):
        found.setdefault(way.mechanism, []).append(c.create[g].ravel())
    for m, money in enumerate(sets.draws):
        found.setdefault(money.mechanism, []).append(c.draw[m].ravel())
    if sets.transfer >= 0:
        found.setdefault(sets.transfer, []).extend((c.lend.ravel(), c.forward.ravel()))
    return {i: np.concatenate(blocks) for i, blocks in sorted(found.items())}


def _with_closed(two_stage: TwoStage, columns: Mapping[int, Bools], closed: Coalition) -> TwoStage:
    if not closed:
        return two_stage
    shut = np.logical_or.reduce([columns[i] for i in closed])
    program = two_stage.program.with_(upper=np.where(shut, 0.0, two_stage.program.upper))
    return replace(two_stage, program=program, upper=np.where(shut, 0.0, two_stage.upper))


# --- the game -------------------------------------------------------------------------------


def players_that_matter(
    everybody: Coalition, saved: Callable[[Coalition], float]
) -> tuple[int, ...]:
    """Leave out players that change nothing: alone, as the last, and in place of one another."""
    total = saved(everybody)
    slack = _SAME * max(1.0, abs(total))

    def same(one: float, other: float) -> bool:
        return abs(one - other) <= slack

    idle = frozenset(
        i
        for i in everybody
        if same(saved(everybody - {i}), total) and same(saved(frozenset({i})), 0.0)
    )
    others = everybody - idle
    idle = frozenset(i for i in idle if same(saved(others | {i}), saved(others)))
    return tuple(sorted(everybody - idle if same(saved(everybody - idle), total) else everybody))


def exact_shares(
    players: Sequence[int], saved: Callable[[Coalition], float]
) -> dict[int, tuple[float, float]]:
    """Average over all coalitions what a player adds: player → (share, 0)."""
    n = len(players)
    value = {members: saved(members) for members in _coalitions(players)}
    weight = [factorial(k) * factorial(n - k - 1) / factorial(n) for k in range(n)]
    return {
        i: (
            sum(
                weight[len(members)] * (value[members | {i}] - worth)
                for members, worth in value.items()
                if i not in members
            ),
            0.0,
        )
        for i in players
    }


def _coalitions(players: Sequence[int]) -> list[Coalition]:
    """All of them, the large ones first: what one more player closes is soon found from there."""
    sizes = range(len(players), -1, -1)
    return [frozenset(some) for size in sizes for some in combinations(players, size)]


def sampled_shares(
    players: Sequence[int],
    saved: Callable[[Coalition], float],
    orders: int,
    seed: int,
) -> dict[int, tuple[float, float]]:
    """Average over random orders: player → (share, standard error); shares still add up.

    Each order is taken with its reverse, whose errors tend to cancel; pairs are independent.
    """
    pairs = max(2, orders // 2)
    added = np.zeros((pairs, len(players)))
    for pair in range(pairs):
        order = np.argsort(Luck(seed, DrawSet.PLANNING, pair).uniform(Stream.ORDER, players))
        for way in (order, order[::-1]):
            members = frozenset(players)
            after = saved(members)
            for at in way.tolist():
                members -= {players[at]}
                before = saved(members)
                added[pair, at] += (after - before) / 2.0
                after = before
    error = added.std(axis=0, ddof=1) / pairs**0.5
    mean = added.mean(axis=0)
    return {i: (float(mean[at]), float(error[at])) for at, i in enumerate(players)}
