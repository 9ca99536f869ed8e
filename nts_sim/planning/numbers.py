"""What an epoch fills in: needs, stocks, arrivals, ceilings and money, from an observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from nts_sim.decision.model import Observation
from nts_sim.planning.classes import Futures
from nts_sim.planning.forecast import persons_per_case
from nts_sim.planning.leads import Leads, open_money
from nts_sim.planning.levers import averted_later, relieved_by_cover
from nts_sim.planning.network import supply_of
from nts_sim.planning.problem import Sets
from nts_sim.world.model import Bools, Floats, Ints, World

_EPS = 1e-6
CAUTION = 0.2
"""Severities that are reached with less than this chance are not planned for."""
_LEAST_CHANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Need:
    """What is planned for, sample by sample.

    Attributes
    ----------
    probability : float array [S]
    persons : float array [S, K, 3, T], persons to be served at a severity
    worth : float array [S, K, 3, T], bn VND averted per person served for a day
    harm : float array [S], bn VND of harm without help, what could be averted later included
    """

    probability: Floats
    persons: Floats
    worth: Floats
    harm: Floats


@dataclass(frozen=True, eq=False)
class Numbers:
    """What an epoch fills in.

    Attributes
    ----------
    need : Need
    own, guest : float array [place, R], free units now: the place's own (all supplies), visitors
    own_inflow, guest_inflow : float array [place, R, T], units already on the way, by the period
        in which they begin to serve
    lendable : float array [place, R, D], own units that may be lent by each departure
    arc_period : int array [arc, D], first period served by units sent at a departure; T: too late
    goods_period : int array [goods, place, D]; T also where the mechanism may not be used
    goods_left : float array [goods], units left in all; goods_place_left : [goods, place]
    draw_period : int array [draw, place, D]; draw_ceiling : float array [draw]
    fund_open : float array [fund, D], bn VND that can still be committed by each departure
    credit_due : float array [place, D], bn VND of earlier draws credited by a departure
    """

    need: Need
    own: Floats
    guest: Floats
    own_inflow: Floats
    guest_inflow: Floats
    lendable: Floats
    arc_period: Ints
    goods_period: Ints
    goods_left: Floats
    goods_place_left: Floats
    draw_period: Ints
    draw_ceiling: Floats
    fund_open: Floats
    credit_due: Floats

    def demand(self, sets: Sets) -> Floats:
        """Units for full coverage, float array [S, place, R, T] (a day, for supplies)."""
        return _demand(sets, self.need.persons)


Pending = Sequence[tuple[int, float, float]]
"""Draws not yet credited: (place, bn VND, day expected)."""


def need_of(
    world: World,
    sets: Sets,
    observation: Observation,
    futures: Futures,
    *,
    correct_reports: bool = True,
    caution: float = CAUTION,
    lever_factor: float = 1.0,
    covered: Floats | None = None,
) -> Need:
    """Return the need to plan for in each of the futures; none after the horizon.

    `covered`, [S, cell, 3, T], is the share of each period at each severity that the help behind
    the futures covered: what that help averted later is averted already. None: there was none, and
    what could be averted later counts as harm.

    A cell's help is worth its expectation over the severities the cell may be at: the first units
    serve every severity, the next only the worse ones. So the persons of severity s are those that
    a lesser possible severity does not already provide for, and serving one is worth

        Σ_{s' ≥ s} chance(s') · averted(s') · ratio(s, s') / persons(s)

    with ratio(s, s') the share of the requirement at s' that the requirement at s makes up.
    Severities reached with less than `caution` are not planned for. A severity that is certain is
    planned for as it is.
    """
    chance = futures.path[:, sets.cell]
    persons = persons_per_case(world, observation, correct_reports)[sets.cell]
    persons = np.where(world.cells.exposed[sets.cell] > 0.0, persons, 1.0)[:, :, None]
    reached = np.flip(np.cumsum(np.flip(chance, 2), axis=2), 2)
    planned = (reached >= caution) & (chance >= _LEAST_CHANCE)
    ratio = _requirement_ratio(sets)
    lever = lever_factor * averted_later(world, observation)[sets.cell]
    averted = (relieved_by_cover(world)[sets.cell] + lever)[:, :, None]
    expected = np.matmul(ratio, chance * averted)
    within = np.clip(world.horizon_days - observation.day - sets.edges_days, 0.0, None)
    inside = -np.diff(within) / sets.lengths_days
    extra = 1.0 - _provided(planned, ratio)
    worth = planned * expected * inside / np.maximum(persons, 1e-12)
    counted = chance if covered is None else covered[:, sets.cell]
    harm = _harm(chance, world.cells.harm_rate[sets.cell], -np.diff(within))
    harm = harm + _harm(counted, lever, -np.diff(within))
    return Need(futures.probability, planned * extra * persons, worth, harm)


def _harm(chance: Floats, rate: Floats, days: Floats) -> Floats:
    """Add up shares of periods, [S, K, 3, T], at a rate a day, [K, 3]; by future, [S]."""
    return np.asarray(np.einsum("ikst,ks,t->i", chance, rate, days, optimize=True))


@lru_cache(maxsize=16)
def _requirement_ratio(sets: Sets) -> Floats:
    """Share of the requirement at severity s' that the one at s makes up, [K, s, s']; 0 below s."""
    units = sets.person_need * sets.persons[:, :, None]
    low, high = units[:, :, None, :], units[:, None, :, :]
    share = np.where(high > 0.0, np.minimum(low / np.maximum(high, 1e-300), 1.0), 0.0)
    required = (high > 0.0).sum(axis=3)
    mean = np.where(required > 0, share.sum(axis=3) / np.maximum(required, 1), 1.0)
    return np.asarray(np.triu(mean))


def _provided(planned: Bools, ratio: Floats) -> Floats:
    """Share of a severity's requirement that the next lesser planned severity makes up."""
    from_first = np.where(planned[:, :, 0], ratio[:, 0, 1, None], 0.0)
    from_second = np.where(planned[:, :, 1], ratio[:, 1, 2, None], 0.0)
    skipping = np.where(planned[:, :, 0], ratio[:, 0, 2, None], 0.0)
    third = np.where(planned[:, :, 1], from_second, skipping)
    return np.stack((np.zeros_like(from_first), from_first, third), axis=2)


def certain_need(world: World, sets: Sets, observation: Observation, persons: Floats) -> Need:
    """Return the need where the persons to be served, [K, 3, T], are known."""
    lever = averted_later(world, observation)[sets.cell]
    averted = relieved_by_cover(world)[sets.cell] + lever
    worth = np.repeat((averted / sets.persons)[:, :, None], sets.n_periods, axis=2)
    chance = persons / sets.persons[:, :, None]
    harm = _harm(chance[None], world.cells.harm_rate[sets.cell] + lever, sets.lengths_days)
    return Need(np.ones(1), persons[None], worth[None], harm)


def numbers_of(
    world: World, sets: Sets, observation: Observation, need: Need, pending: Pending = ()
) -> Numbers:
    """Fill in the numbers of an epoch, for a given need."""
    own, guest = _stocks(sets, observation)
    own_inflow, guest_inflow = _inflows(sets, observation)
    lead = Leads(world, sets, observation)
    left, place_left = _ceilings(world, sets, observation)
    return Numbers(
        need=need,
        own=own,
        guest=guest,
        own_inflow=own_inflow,
        guest_inflow=guest_inflow,
        lendable=_lendable(world, sets, observation, need, own),
        arc_period=lead.arcs(),
        goods_period=lead.goods(),
        goods_left=left,
        goods_place_left=place_left,
        draw_period=lead.draws(),
        draw_ceiling=np.array([world.mechanisms[w.mechanism].ceiling_bn_vnd for w in sets.draws]),
        fund_open=_open_by_departure(world, sets, observation),
        credit_due=_credits(sets, observation.day, pending),
    )


def _open_by_departure(world: World, sets: Sets, observation: Observation) -> Floats:
    """Money that can still be committed at each departure; none once a fund has closed."""
    days = observation.day + sets.edges_days[sets.departure]
    return np.stack([open_money(world, observation, day) for day in days.tolist()], axis=1)


def _stocks(sets: Sets, observation: Observation) -> tuple[Floats, Floats]:
    """Free units by place and resource: own (supplies count as own) and visiting."""
    own, free = (a[: sets.n_places][:, sets.resource] for a in (observation.own, observation.free))
    return np.maximum(own, 0.0), np.maximum(free - own, 0.0)


def _inflows(sets: Sets, observation: Observation) -> tuple[Floats, Floats]:
    """Own units (and supplies) and visitors on the way, by the period they begin to serve in."""
    own = np.zeros((sets.n_places, len(sets.resource), sets.n_periods))
    guest = np.zeros_like(own)
    position = {int(r): at for at, r in enumerate(sets.resource)}
    for item in observation.inbound:
        r = position.get(item.resource)
        wait = max(item.day - observation.day, 0.0)
        period = int(np.searchsorted(sets.edges_days[:-1], np.ceil(wait - _EPS)))
        if r is None or not 0 <= item.place < sets.n_places or period >= sets.n_periods:
            continue
        is_own = not sets.is_team[r] or item.home == item.place
        (own if is_own else guest)[item.place, r, period] += item.quantity
    return own, guest


def _credits(sets: Sets, day: float, pending: Pending) -> Floats:
    """Money drawn earlier that is credited by each departure, [place, D]."""
    credit = np.zeros((sets.n_places, len(sets.departure)))
    for place, amount, due in pending:
        credit[place, due - day <= sets.edges_days[sets.departure] + _EPS] += amount
    return credit


def _lendable(
    world: World, sets: Sets, observation: Observation, need: Need, own: Floats
) -> Floats:
    """Own units a place may lend by each departure.

    The donor share of what is not required at home by then, less what is away. Supplies needed at
    home before a departure count as used up; what may still arrive is not counted on.
    """
    if sets.transfer < 0:
        return np.zeros((*own.shape, len(sets.departure)))
    demand = np.tensordot(need.probability, _demand(sets, need.persons), axes=1)
    before = np.cumsum(demand * sets.lengths_days, axis=2) - demand * sets.lengths_days
    used = np.where(sets.is_team[:, None], 0.0, before)[:, :, sets.departure]
    away = observation.away[: sets.n_places][:, sets.resource][:, :, None]
    share = world.mechanisms[sets.transfer].donor_share
    spare = own[:, :, None] + away - used - demand[:, :, sets.departure]
    limit = share * np.maximum(spare, 0.0) - away
    return np.clip(limit, 0.0, own[:, :, None])


def _demand(sets: Sets, persons: Floats) -> Floats:
    """Units required by so many persons, summed over the cells of each place, [S, place, R, T]."""
    by_cell = np.matmul(np.swapaxes(sets.person_need, 1, 2), persons).swapaxes(0, 1)
    flat = _cells_of_places(sets) @ by_cell.reshape(len(sets.cell), -1)
    by_place = np.reshape(flat, (sets.n_places, *by_cell.shape[1:]))
    return np.asarray(by_place.swapaxes(0, 1))


@lru_cache(maxsize=16)
def _cells_of_places(sets: Sets) -> csr_array[np.float64]:
    """Which cells are at which place, [place, K]."""
    at = np.arange(len(sets.cell))
    shape = (sets.n_places, len(at))
    return csr_array((np.ones(len(at)), (sets.place, at)), shape=shape)


def _ceilings(world: World, sets: Sets, observation: Observation) -> tuple[Floats, Floats]:
    """Units each goods mechanism can still create: in all, and for each place."""
    left = np.full(len(sets.goods), np.inf)
    place_left = np.empty((len(sets.goods), sets.n_places))
    for g, way in enumerate(sets.goods):
        supply = supply_of(world, way)
        given = observation.mobilised[way.mechanism, : sets.n_places, supply.resource]
        place_left[g] = supply.place_ceiling[: sets.n_places] - given
        if supply.scope == "national":
            left[g] = supply.ceiling - given.sum()
        elif supply.scope == "place":
            place_left[g] = np.minimum(place_left[g], supply.ceiling - given)
        else:
            place_left[g] = np.minimum(place_left[g], supply.ceiling)
        if supply.hub_stock:
            left[g] = min(left[g], sum(supply.hub_stock.values()) - given.sum())
    return np.maximum(left, 0.0), np.maximum(place_left, 0.0)
