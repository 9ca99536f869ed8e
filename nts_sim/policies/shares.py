"""Ways to divide what several places compete for; each is a plain function of the reports."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.policies.needs import Picture
from nts_sim.world.model import Floats, Ints, World

_GREEDY_STEP = 0.2
_GRAIN = 1e-9
_SEVERITY_WEIGHT = np.array([1.0, 2.0, 4.0])
"""Weight of a reported person by severity: harm doubles with each severity."""


@dataclass(frozen=True)
class Situation:
    """What a rule decides on at one epoch: the world, the reports, what may be shared out.

    Attributes
    ----------
    pool : float array [resource], units that several places compete for
    short : float array [place, resource], shortage left after the provinces' own means
    """

    world: World
    observation: Observation
    seen: Picture
    pool: Floats
    short: Floats


Share = Callable[[Situation], Floats]
"""Divide the pool: float array [place, resource], at most `short`, at most `pool` in all."""


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


def _split_by(situation: Situation, weight: Floats) -> Floats:
    """Divide every resource by the same weights, among the places that need it."""
    grants = np.zeros_like(situation.short)
    for resource in np.flatnonzero(situation.short.any(axis=0)):
        needing = situation.seen.need[:, resource] > 0.0
        grants[:, resource] = split(
            float(situation.pool[resource]), situation.short[:, resource], weight * needing
        )
    return grants


def share_equally(situation: Situation) -> Floats:
    """Give every place that needs a resource the same."""
    return _split_by(situation, np.ones(len(situation.short)))


def share_per_capita(situation: Situation) -> Floats:
    """Give by population."""
    population = situation.world.nodes.population[: len(situation.short)]
    return _split_by(situation, np.maximum(population, 1.0))


def share_by_risk(situation: Situation) -> Floats:
    """Give by reported exposed people times the weight of their severity (at least one person)."""
    cells, observation = situation.seen.cells, situation.observation
    risk = np.ones(len(situation.short))
    weight = _SEVERITY_WEIGHT[observation.severity[cells] - 1]
    np.add.at(risk, situation.world.cells.place[cells], observation.exposed[cells] * weight)
    return _split_by(situation, risk)


def _first_come(situation: Situation, order: Ints) -> Floats:
    """Serve places in an order, each in full as far as the pool goes."""
    short = situation.short[order]
    before = np.cumsum(short, axis=0) - short
    grants = np.zeros_like(situation.short)
    grants[order] = np.clip(situation.pool - before, 0.0, short)
    return grants


def share_worst_first(situation: Situation) -> Floats:
    """Serve the worst severity first, then the most people reported."""
    seen = situation.seen
    return _first_come(situation, np.lexsort((-seen.exposed, -seen.worst)))


def share_all_that_is_short(situation: Situation) -> Floats:
    """Promise everyone the whole shortage; who sends it decides how far it goes."""
    return np.array(situation.short)


def share_least_met_first(situation: Situation) -> Floats:
    """Serve the place first whose reported need is met least."""
    return _first_come(situation, np.argsort(situation.seen.met_share, kind="stable"))


def share_greedily(situation: Situation) -> Floats:
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
    granted: Floats = np.array(bidders.granted)
    return np.asarray(np.minimum(granted, situation.short))


class _Bidders:
    """Cells that bid for batches out of the pool; plain lists, as each batch is small."""

    def __init__(self, situation: Situation) -> None:
        seen, world = situation.seen, situation.world
        self.count = len(seen.cells)
        self._place: list[int] = world.cells.place[seen.cells].tolist()
        # What the own means will bring is there already: only `short` is still missing.
        self._wanted: list[list[float]] = seen.wanted.tolist()
        self._have: list[list[float]] = (seen.wanted - situation.short).tolist()
        self._pool: list[float] = situation.pool.tolist()
        self._price = [1.0 / units if units > 0.0 else np.inf for units in self._pool]
        self._requires = [np.flatnonzero(row).tolist() for row in seen.cell_need]
        self._value = _harm_averted(situation).tolist()
        self.granted = [[0.0] * len(self._pool) for _ in range(world.nodes.n_provinces)]

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
            price = sum(units * self._price[resource] for resource, units in lots)
            return -self._value[cell] / max(price, _GRAIN), level, cell
        return None

    def buy(self, cell: int, level: int) -> None:
        """Take a batch out of the pool."""
        place = self._place[cell]
        for resource, units in self._lots(cell, level):
            self._pool[resource] -= units
            self.granted[place][resource] += units


def _harm_averted(situation: Situation) -> Floats:
    """Return the reported harm that full coverage averts in a day, bn VND: [reported cell]."""
    world, cells = situation.world, situation.seen.cells
    row = situation.observation.severity[cells] - 1
    exposed = world.cells.exposed[cells, row]
    share = np.ones(len(cells))
    np.divide(situation.observation.exposed[cells], exposed, out=share, where=exposed > 0.0)
    relief = world.threats.relief_effect[world.cells.threat[cells]]
    return np.asarray(world.cells.harm_rate[cells, row] * relief * share)
