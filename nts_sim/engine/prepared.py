"""Before day 0: what a preparation costs, whether it may be done, and the world it leaves.

Money for preparation is apart from the funds of the response. Bought supplies are paid here, not
again when they are used. Posted teams are paid here for every day of the horizon, so using them at
their post costs no more; they belong to the post for the whole run, and are home again after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import combinations

import numpy as np

from nts_sim.decision.model import Policy, Preparation
from nts_sim.engine.cashier import GRAIN, round_down
from nts_sim.engine.travel import routes
from nts_sim.errors import InvalidInput, Problem
from nts_sim.words import say
from nts_sim.words.figures import figure
from nts_sim.world.model import (
    Floats,
    Mechanism,
    MoneySource,
    PreparationCost,
    PreparationTerms,
    Prepared,
    World,
)

_WORLDS = 64
_KM_PER_MOVE = 100.0
_SLACK = 1e-6
"""Bn VND (a thousand dong), tonnes or units that sums of floats may be off by."""


def preparation_of(policy: Policy, world: World) -> Preparation | None:
    """Return what a policy prepares in a world, asked once; None where it prepares nothing."""
    if policy.prepare is None or world.prepared is not None:
        return None
    return _asked(policy.prepare, world)


@lru_cache(maxsize=_WORLDS)
def _asked(prepare: Callable[[World], Preparation], world: World) -> Preparation:
    return in_whole_units(world, prepare(world))


def in_whole_units(world: World, preparation: Preparation) -> Preparation:
    """Round quantities down, where resources come in whole units."""
    whole = world.resources.whole_units
    posted = tuple(
        (source, place, resource, round_down(quantity, bool(whole[resource])))
        for source, place, resource, quantity in preparation.posted
    )
    bought = np.where(whole, np.floor(preparation.bought + GRAIN), preparation.bought)
    return replace(preparation, bought=bought, posted=posted)


@lru_cache(maxsize=_WORLDS)
def prepared(world: World, preparation: Preparation | None) -> World:
    """Return the world as a preparation leaves it on day 0; the same one each time.

    Raises
    ------
    InvalidInput
        With everything that the preparation may not do.
    """
    if preparation is None:
        return world
    problems = preparation_problems(world, preparation)
    if problems:
        raise InvalidInput(problems, say("said.subject.preparation"))
    sent, came = posted_units(world, preparation)
    stock = world.resources.stock + preparation.bought + came - sent
    for array in (stock, came):
        array.setflags(write=False)
    return replace(
        world,
        resources=replace(world.resources, stock=stock),
        mechanisms=tuple(_made_ready(world, preparation)),
        prepared=Prepared(preparation.bought, came, preparation_cost(world, preparation)),
    )


def _made_ready(world: World, preparation: Preparation) -> Iterator[Mechanism]:
    for index, mechanism in enumerate(world.mechanisms):
        ready = index in preparation.ready
        yield replace(mechanism, enabled=True, readiness_cost_bn_vnd=0.0) if ready else mechanism


def posted_units(world: World, preparation: Preparation) -> tuple[Floats, Floats]:
    """Units posted from each place, and to each place; two float arrays [place, resource]."""
    sent, came = np.zeros((2, *world.resources.stock.shape))
    for source, place, resource, quantity in preparation.posted:
        sent[source, resource] += quantity
        came[place, resource] += quantity
    return sent, came


# --- cost --------------------------------------------------------------------------------------


@lru_cache(maxsize=_WORLDS)
def posting_cost(world: World) -> Floats:
    """Cost of posting a unit, bn VND; float array [source, place, resource], provinces only.

    Move cost × km / 100, teams there and back, and a team's running cost on every day of the
    horizon. 0 within a place; inf where no road leads.
    """
    resources, n = world.resources, world.nodes.n_provinces
    clear = routes(world, np.zeros(world.nodes.n_places, dtype=np.int64))
    by_km = resources.move_cost * np.where(resources.is_team, 2.0, 1.0) / _KM_PER_MOVE
    running = np.where(resources.is_team, resources.run_cost, 0.0) * world.horizon_days
    cost = np.full((n, n, len(resources.name)), np.inf)
    for place in range(n):
        for source in np.flatnonzero(np.isfinite(clear.days_to(place))).tolist():
            cost[source, place] = clear.trip(source, place).km * by_km + running
        cost[place, place] = 0.0
    cost.setflags(write=False)
    return cost


def preparation_cost(world: World, preparation: Preparation) -> PreparationCost:
    """Return what a preparation costs, by kind and place.

    Bought units cost what new ones cost; keeping stock is free, as it is for what places hold.
    """
    posted, each = np.zeros_like(world.resources.stock), posting_cost(world)
    for source, place, resource, quantity in preparation.posted:
        posted[place, resource] += quantity * each[source, place, resource]
    depots, readiness = np.zeros(world.nodes.n_places), np.zeros(len(world.mechanisms))
    depots[sorted(preparation.depots)] = world.terms.depot_cost_bn_vnd
    for index in preparation.ready:
        readiness[index] = world.mechanisms[index].readiness_cost_bn_vnd
    bought = preparation.bought * world.resources.acquire_cost
    return PreparationCost(bought, posted, depots, readiness)


# --- what may not be done ----------------------------------------------------------------------


def preparation_problems(world: World, preparation: Preparation) -> list[Problem]:
    """List everything a preparation does that it may not; what cannot be read comes first."""
    if world.prepared is not None:
        return [Problem("preparation", say("said.prepare.already"))]
    found = list(_unreadable(world, preparation))
    if found:
        return found
    cost = preparation_cost(world, preparation)
    return [
        *_posting_problems(world, preparation), *_room_problems(world, preparation),
        *_money_problems(world.terms, cost, world), *_guidance_problems(world, cost),
    ]  # fmt: skip


def _unreadable(world: World, preparation: Preparation) -> Iterator[Problem]:
    shape, n = world.resources.stock.shape, world.nodes.n_provinces
    bought = preparation.bought
    if bought.shape != shape:
        what = say("said.prepare.shape", given=bought.shape, shape=shape)
        yield Problem("preparation.bought", what)
    elif not np.all(np.isfinite(bought) & (bought >= 0.0)):
        yield Problem("preparation.bought", say("said.prepare.bought_below_0"))
    elif np.any(bought[n:] > 0.0):
        yield Problem("preparation.bought", say("said.prepare.bought_abroad"))
    for posting in preparation.posted:
        yield from _unreadable_posting(world, posting)
    for place in sorted(preparation.depots):
        if not 0 <= place < n:
            what = say("said.prepare.no_province", place=place, last=n - 1)
            yield Problem("preparation.depots", what)
    for index in sorted(preparation.ready):
        yield from _not_to_be_readied(world, index)


def _unreadable_posting(world: World, posting: tuple[int, int, int, float]) -> Iterator[Problem]:
    source, place, resource, quantity = posting
    n, told = world.nodes.n_provinces, f"preparation.posted {posting}"
    if not (0 <= source < n and 0 <= place < n and 0 <= resource < len(world.resources.name)):
        yield Problem(told, say("said.prepare.posts_nothing"))
    elif source == place:
        yield Problem(told, say("said.prepare.posts_home"))
    elif not math.isfinite(posting_cost(world)[source, place, resource]):
        ends = {"source": _name(world, source), "place": _name(world, place)}
        yield Problem(told, say("said.prepare.no_road", **ends))
    if not 0.0 <= quantity < math.inf:
        yield Problem(told, say("said.prepare.posts_below_0"))


def _not_to_be_readied(world: World, index: int) -> Iterator[Problem]:
    if not 0 <= index < len(world.mechanisms):
        yield Problem("preparation.ready", say("said.prepare.no_mechanism", index=index))
    elif not world.mechanisms[index].readiness_cost_bn_vnd > 0.0:
        name = world.mechanisms[index].name
        enabled = world.mechanisms[index].enabled
        fault = "said.prepare.always_ready" if enabled else "said.prepare.disabled"
        yield Problem("preparation.ready", say(fault, mechanism=name))


def _posting_problems(world: World, preparation: Preparation) -> Iterator[Problem]:
    """Places keep the rest of their own stock."""
    sent, _ = posted_units(world, preparation)
    most = world.terms.post_share * world.resources.stock
    for place, resource in np.argwhere(sent > most + _SLACK).tolist():
        what = say(
            "said.prepare.posts_too_many", sent=figure(sent[place, resource]),
            stock=figure(world.resources.stock[place, resource]),
            resource=world.resources.name[resource], most=figure(most[place, resource]),
        )  # fmt: skip
        yield Problem(say("said.where.posted", place=_name(world, place)), what)


def extra_tonnes(world: World, preparation: Preparation) -> Floats:
    """Supplies beyond what each place stores anyway, tonnes, float array [place]; may be < 0."""
    sent, came = posted_units(world, preparation)
    each = np.zeros(len(world.resources.name))
    for resource, tonnes in world.terms.tonnes_per_unit.items():
        each[resource] = tonnes
    tonnes_there: Floats = (preparation.bought + came - sent) @ each
    return tonnes_there


def _room_problems(world: World, preparation: Preparation) -> Iterator[Problem]:
    """Supplies beyond what a place stores need a depot with room for them."""
    extra, capacity = extra_tonnes(world, preparation), world.terms.depot_capacity_tonnes
    for place in np.flatnonzero(extra > _SLACK).tolist():
        where = say("said.where.depot", place=_name(world, place))
        tonnes, holds = figure(extra[place], ".6g"), figure(capacity)
        if place not in preparation.depots:
            yield Problem(where, say("said.prepare.needs_depot", tonnes=tonnes))
        elif extra[place] > capacity + _SLACK:
            yield Problem(where, say("said.prepare.depot_full", tonnes=tonnes, holds=holds))


def _money_problems(
    terms: PreparationTerms, cost: PreparationCost, world: World
) -> Iterator[Problem]:
    """Each part of the cost finds a source that may pay it.

    By Hall's condition: whatever sources are taken, the cost that only they may pay is not above
    what they hold. Taking all of them says that the cost is within the budget.
    """
    by_resource = (cost.bought + cost.posted).sum(axis=0)
    charged = np.flatnonzero(by_resource).tolist()
    free = float(cost.depots.sum() + cost.readiness.sum())
    for count in range(len(terms.sources) + 1):
        for chosen in combinations(terms.sources, count):
            others = [source for source in terms.sources if source not in chosen]
            only = [r for r in charged if not any(_pays(source, r) for source in others)]
            owed = float(by_resource[only].sum())
            owed += 0.0 if any(source.resources is None for source in others) else free
            held = sum(source.amount_bn_vnd for source in chosen)
            if owed > held + _SLACK:
                yield Problem("preparation", _too_dear(chosen, owed, held, terms, world, only))
                return


def _pays(source: MoneySource, resource: int) -> bool:
    return source.resources is None or resource in source.resources


def _too_dear(
    chosen: tuple[MoneySource, ...], owed: float, held: float, terms: PreparationTerms,
    world: World, only: list[int],
) -> str:  # fmt: skip
    cost = figure(owed, ".6g")
    if len(chosen) == len(terms.sources):
        return say("said.prepare.too_dear", owed=cost, held=figure(held))
    named = ", ".join(world.resources.name[r] for r in only) or say("said.prepare.not_goods")
    if not chosen:
        return say("said.prepare.no_payer", what=named, owed=cost)
    payers = say("said.prepare.and").join(source.name for source in chosen)
    return say("said.prepare.few_payers", what=named, owed=cost, payers=payers, held=figure(held))


def _guidance_problems(world: World, cost: PreparationCost) -> Iterator[Problem]:
    """Shares of places and resources are as the guidance says."""
    terms, spent = world.terms, cost.total_bn_vnd
    most = terms.place_share_at_most * terms.budget_bn_vnd
    at_place = (cost.bought + cost.posted).sum(axis=1) + cost.depots
    for place in np.flatnonzero(at_place > most + _SLACK).tolist():
        what = say(
            "said.prepare.place_share", spent=figure(at_place[place], ".6g"),
            place=_name(world, place), most=figure(most),
        )  # fmt: skip
        yield Problem("preparation.place_share_at_most", what)
    by_resource = (cost.bought + cost.posted).sum(axis=0).tolist()
    for key, shares, sign in (
        ("at_least", terms.resource_share_at_least, -1.0),
        ("at_most", terms.resource_share_at_most, 1.0),
    ):
        for resource, share in shares.items():
            if sign * (by_resource[resource] - share * spent) > _SLACK:
                what = say(
                    "said.prepare.resource_share", resource=world.resources.name[resource],
                    got=figure(by_resource[resource], ".6g"), spent=figure(spent, ".6g"),
                    share=f"{share:g}",
                )  # fmt: skip
                yield Problem(f"preparation.resource_share_{key}", what)


def _name(world: World, place: int) -> str:
    return world.nodes.name[place]
