"""Who can give what, how soon and at what price: what every rule knows about mechanisms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nts_sim.engine.travel import routes
from nts_sim.luck.draws import mean_from_median
from nts_sim.world.model import Bools, Effect, Floats, Mechanism, Supply, World

_STANDBY_LEAD_DAYS = 1.0
_LEAST_COUNTED_SHARE = 0.2
"""What a slow supply counts at least, so that it is not ordered over and over."""
_WORLDS_REMEMBERED = 16


@dataclass(frozen=True, eq=False)
class Giver:
    """One resource of one mechanism that creates units.

    Attributes
    ----------
    lead_days : typical days from order to half of the units, travel from a hub not included
    counted_share : share of an order that counts as there: all of a team, of a supply what is
        handed over within the days that an order is meant to cover
    contested : several places draw on the same amount (national ceiling or hubs)
    standby : may be put on call for a forewarned onset: stands everywhere, needs no declared
        level and is there within a day
    """

    mechanism: int
    title: str
    supply: Supply
    lead_days: float
    counted_share: float
    contested: bool
    standby: bool


@dataclass(frozen=True, eq=False)
class Means:
    """The ways to get help in one world.

    Attributes
    ----------
    givers : by resource, fastest first
    money : mechanisms that credit an account: the place's own funds first, those that wait for
        another to be exhausted next, the centre's last
    transfer, gate : mechanism index, -1 where there is none
    credit_days : typical days from a draw to its first tranche, by mechanism
    transfer_days : typical days from order to departure of a donor's units
    km : float array [place, place], over clear roads
    near : bool array [place, place], provinces that touch
    """

    givers: tuple[tuple[Giver, ...], ...]
    money: tuple[int, ...]
    transfer: int
    gate: int
    credit_days: tuple[float, ...]
    transfer_days: float
    km: Floats
    near: Bools


@lru_cache(maxsize=_WORLDS_REMEMBERED)
def means_of(world: World, cover_days: float) -> Means:
    """Return the ways to get help, worked out once for each world.

    Parameters
    ----------
    world : World
    cover_days : days of need that an order of supplies is meant to cover
    """
    clear = routes(world, np.zeros(world.nodes.n_places, dtype=np.int64)).road_days
    transfer = _first(world, Effect.TRANSFER)
    return Means(
        givers=tuple(
            _givers(world, resource, cover_days) for resource in range(len(world.resources.name))
        ),
        money=_money(world),
        transfer=transfer,
        gate=_first(world, Effect.GATE),
        credit_days=tuple(_first_days(world, mechanism) for mechanism in world.mechanisms),
        transfer_days=_lead_days(world, world.mechanisms[transfer]) if transfer >= 0 else np.inf,
        km=clear * (world.roads.speed_km_per_day / world.roads.detour_factor),
        near=world.roads.leg_km.toarray() > 0.0,
    )


def _first(world: World, effect: Effect) -> int:
    """Index of the first enabled mechanism with an effect; -1 where there is none."""
    found = (i for i, m in enumerate(world.mechanisms) if m.effect is effect and m.enabled)
    return next(found, -1)


def _givers(world: World, resource: int, cover_days: float) -> tuple[Giver, ...]:
    found = [
        _giver(world, index, supply, cover_days)
        for index, mechanism in enumerate(world.mechanisms)
        if mechanism.effect is Effect.GOODS and mechanism.enabled
        for supply in mechanism.supplies
        if supply.resource == resource
    ]
    return tuple(sorted(found, key=lambda giver: (giver.lead_days, giver.mechanism)))


def _giver(world: World, index: int, supply: Supply, cover_days: float) -> Giver:
    mechanism = world.mechanisms[index]
    lead = _lead_days(world, mechanism)
    everywhere = supply.scope == "national" and not supply.hub_stock
    at_once = lead <= _STANDBY_LEAD_DAYS and mechanism.trigger.declared_level == 0
    return Giver(
        mechanism=index,
        title=mechanism.title,
        supply=supply,
        lead_days=lead,
        counted_share=_counted_share(world, mechanism, supply, cover_days),
        contested=supply.scope == "national" or bool(supply.hub_stock),
        standby=everywhere and at_once,
    )


def _first_days(world: World, mechanism: Mechanism) -> float:
    """Typical days from order to the first handover: desk and handover."""
    desk = world.desks[int(mechanism.desk[0])]
    approval = mean_from_median(desk.distribution, desk.approval_days)
    return approval + mean_from_median(mechanism.distribution, mechanism.handover_days)


def _lead_days(world: World, mechanism: Mechanism) -> float:
    """Typical days from order to the handover of half the units."""
    half = next((day for day, share in mechanism.ramp if share >= 0.5), 0)
    return _first_days(world, mechanism) + half


def _counted_share(world: World, mechanism: Mechanism, supply: Supply, cover_days: float) -> float:
    if world.resources.is_team[supply.resource] or not mechanism.ramp:
        return 1.0
    left_days = cover_days - _first_days(world, mechanism)
    shares = [share for day, share in mechanism.ramp if day <= left_days]
    return max([_LEAST_COUNTED_SHARE, *shares])


def _money(world: World) -> tuple[int, ...]:
    found = [
        (mechanism.fund_is_central, mechanism.trigger.after_fund is not None, index)
        for index, mechanism in enumerate(world.mechanisms)
        if mechanism.effect is Effect.MONEY and mechanism.enabled
    ]
    return tuple(index for _, _, index in sorted(found))
