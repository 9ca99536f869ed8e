"""Ways to divide what several places compete for; each is a plain function of the reports."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.engine.sums import in_turn
from nts_sim.policies.needs import Amounts, Picture, Report
from nts_sim.world.model import Floats, World

_GREEDY_STEP = 0.2
_GRAIN = 1e-9
_SEVERITY_WEIGHT = (1.0, 2.0, 4.0)
"""Weight of a reported person by severity: harm doubles with each severity."""


@dataclass(frozen=True)
class Situation:
    """What a rule decides on at one epoch: the world, the reports, what may be shared out.

    Attributes
    ----------
    pool : by resource that is short, units that several places compete for
    short : shortage left after the provinces' own means
    """

    world: World
    observation: Observation
    seen: Picture
    pool: Mapping[int, float]
    short: Amounts


Share = Callable[[Situation], Amounts]
"""Divide the pool: at most `short`, at most `pool` in all."""


def split(pool: float, short: Floats, weight: Floats) -> Floats:
    """Divide what all places together are short of, as far as the pool goes, by weights alone.

    min(pool, Σ short) · weight / Σ weight: how much is asked for follows the reports, who gets it
    follows the formula, whether or not that place is short. What it misses is asked for again at
    the next epoch.

    Parameters
    ----------
    pool : units
    short : float array [place], units missing
    weight : float array [place], 0 where the resource is not needed
    """
    total = min(pool, float(short.sum()))
    return np.asarray(total * weight / max(float(weight.sum()), _GRAIN))


def _split_by(situation: Situation, weight: Floats) -> Amounts:
    """Divide every resource by the same weights, among the places that need it."""
    grants: Amounts = {place: {} for place in situation.seen.wanted}
    for resource, pool in situation.pool.items():
        short, needing = np.zeros_like(weight), np.zeros_like(weight)
        for place, units in situation.short.items():
            short[place] = units.get(resource, 0.0)
        for place, units in situation.seen.wanted.items():
            needing[place] = resource in units
        granted = split(pool, short, weight * needing)
        for place in np.flatnonzero(granted).tolist():
            grants[place][resource] = granted.item(place)
    return grants


def share_equally(situation: Situation) -> Amounts:
    """Give every place that needs a resource the same."""
    return _split_by(situation, np.ones(situation.world.nodes.n_provinces))


def share_per_capita(situation: Situation) -> Amounts:
    """Give by population."""
    nodes = situation.world.nodes
    return _split_by(situation, np.maximum(nodes.population[: nodes.n_provinces], 1.0))


def share_by_risk(situation: Situation) -> Amounts:
    """Give by reported exposed people times the weight of their severity (at least one person)."""
    risk = np.ones(situation.world.nodes.n_provinces)
    for report in situation.seen.reports:
        risk[report.place] += report.exposed * _SEVERITY_WEIGHT[report.severity - 1]
    return _split_by(situation, risk)


def _first_come(situation: Situation, order: Sequence[int]) -> Amounts:
    """Serve places in an order, each in full as far as the pool goes."""
    asked = dict.fromkeys(situation.pool, 0.0)
    grants: Amounts = {}
    for place in order:
        grants[place] = {}
        for resource, short in situation.short[place].items():
            asked[resource] += short
            left = situation.pool[resource] - (asked[resource] - short)
            grants[place][resource] = min(max(left, 0.0), short)
    return grants


def share_worst_first(situation: Situation) -> Amounts:
    """Serve the worst severity first, then the most people reported."""
    return _first_come(situation, situation.seen.worst_first(situation.short))


def share_all_that_is_short(situation: Situation) -> Amounts:
    """Promise everyone the whole shortage; who sends it decides how far it goes."""
    return {place: dict(units) for place, units in situation.short.items()}


def share_least_met_first(situation: Situation) -> Amounts:
    """Serve the place first whose reported need is met least."""
    met_share = situation.seen.met_share
    return _first_come(situation, sorted(situation.short, key=lambda p: (met_share(p), p)))


def share_greedily(situation: Situation) -> Amounts:
    """Give batch by batch where most harm is averted for the share of the pool that it takes.

    The next batch of a cell raises its coverage c by a fifth: of each resource it requires, what
    its place lacks for fill c + 1/5. Its value is harm rate × relief effect × reported share / 5
    a day; its price the sum over resources of units / pool.
    """
    bidders = _Bidders(situation)
    heap = [entry for cell in range(bidders.count) if (entry := bidders.bid(cell)) is not None]
    heapq.heapify(heap)
    while heap:
        _, level, cell = heapq.heappop(heap)
        now = bidders.bid(cell, level)
        if now is None:
            continue
        if heap and now > heap[0]:
            heapq.heappush(heap, now)
            continue
        bidders.buy(cell, now[1])
        after = bidders.bid(cell, now[1] + 1)
        if after is not None:
            heapq.heappush(heap, after)
    return {
        place: {r: min(units, situation.short[place][r]) for r, units in granted.items()}
        for place, granted in bidders.granted.items()
    }


class _Bidders:
    """Cells at places that are short, bidding for batches out of the pool."""

    def __init__(self, situation: Situation) -> None:
        seen, short = situation.seen, situation.short
        reports = [report for report in seen.reports if report.place in short and report.share]
        self.count = len(reports)
        self._place = [report.place for report in reports]
        # A batch is made of what is still missing after the own means.
        self._requires = [
            [resource for resource, _ in report.requirement if resource in short[report.place]]
            for report in reports
        ]
        self._wanted = seen.wanted
        self._have = {
            place: {r: seen.wanted[place][r] - units for r, units in lacking.items()}
            for place, lacking in short.items()
        }
        self._pool = dict(situation.pool)
        self._price = {r: 1.0 / units if units > 0.0 else np.inf for r, units in self._pool.items()}
        self._value = [_harm_averted(situation.world, report) for report in reports]
        self.granted = {place: dict.fromkeys(lacking, 0.0) for place, lacking in short.items()}

    def _lots(self, cell: int, level: int) -> list[tuple[int, float]]:
        """Resources and units that raise the fill of a cell's place to `level` steps."""
        place = self._place[cell]
        wanted, have, granted = self._wanted[place], self._have[place], self.granted[place]
        share = min(1.0, level * _GREEDY_STEP)
        lots = []
        for resource in self._requires[cell]:
            missing = share * wanted[resource] - have[resource] - granted[resource]
            if missing > _GRAIN:
                lots.append((resource, missing))
        return lots

    def bid(self, cell: int, level: int = 1) -> tuple[float, int, int] | None:
        """Best next batch of a cell as (−value per share of the pool, level, cell), or None."""
        while level * _GREEDY_STEP <= 1.0 + _GRAIN:
            lots = self._lots(cell, level)
            if not lots:
                level += 1
                continue
            if any(units > self._pool[resource] for resource, units in lots):
                return None
            price = in_turn(units * self._price[resource] for resource, units in lots)
            return -self._value[cell] / max(price, _GRAIN), level, cell
        return None

    def buy(self, cell: int, level: int) -> None:
        """Take a batch out of the pool."""
        place = self._place[cell]
        for resource, units in self._lots(cell, level):
            self._pool[resource] -= units
            self.granted[place][resource] += units


def _harm_averted(world: World, report: Report) -> float:
    """Return the reported harm that full coverage of a cell averts in a day, bn VND."""
    harm = float(world.cells.harm_rate[report.cell, report.severity - 1])
    return harm * float(world.threats.relief_effect[world.cells.threat[report.cell]]) * report.share
