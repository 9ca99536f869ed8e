"""What a first stage spends, on what and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nts_sim.planning.filling import Filled
from nts_sim.planning.network import supply_of
from nts_sim.planning.template import Template
from nts_sim.planning.variants import in_template
from nts_sim.world.model import Floats, Ints, World

_LEAST_BN_VND = 1e-6
"""Spending below this is rounding."""

Item = tuple[str, str, str]
"""(Kind, thing, place)."""


@dataclass(frozen=True)
class Spending:
    """Spending on one thing over several plans, bn VND.

    Attributes
    ----------
    kind : "buy", "post", "depot", "ready", "lend", "forward", "create" or "draw" (money drawn)
    thing : resource or mechanism; place : that gets it, empty for the nation
    mean, sd : over plans; 0 where a plan does not do it
    share : share of the plans that do it
    """

    kind: str
    thing: str
    place: str
    mean: float
    sd: float
    share: float


def spending_of(world: World, filled: Filled, x: Floats) -> dict[Item, float]:
    """Return what a first stage spends, bn VND, on each thing at each place.

    Parameters
    ----------
    x : float array [column] of the filled program
    """
    template, found = filled.template, dict[Item, float]()
    whole = np.append(in_template(filled, x), 0.0)
    price = np.append(template.program.cost - template.surcharge, 0.0)
    price[template.columns.draw] = 1.0
    for kind, block, things, places in _blocks(world, template):
        spent = np.where(block >= 0, whole[block] * price[block], 0.0)
        for at in np.argwhere(np.abs(spent) > _LEAST_BN_VND).tolist():
            item = kind, things[at[1]], places[at[0]]
            found[item] = found.get(item, 0.0) + float(spent[*at])
    return found


def _blocks(
    world: World, template: Template
) -> Iterator[tuple[str, Ints, Sequence[str], Sequence[str]]]:
    """Kind, columns [place-like, thing, …], names of the things and of the place-likes."""
    c, sets, names = template.columns, template.sets, world.nodes.name
    titles = [world.resources.title[r] for r in sets.resource]
    here = names[: sets.n_places]
    towards = [names[to] for to in sets.arc_to]
    onward = [towards[arc] for arc in sets.forward]
    makers = [
        f"{world.mechanisms[w.mechanism].title}: "
        f"{world.resources.title[supply_of(world, w).resource]}"
        for w in sets.goods
    ]
    lenders = [world.mechanisms[w.mechanism].title for w in sets.draws]
    plan = template.problem.preparing
    ready = [world.mechanisms[i].title for i in (plan.readiness if plan is not None else ())]
    yield "buy", c.prepare.buy, titles, here
    yield "post", c.prepare.post, titles, towards
    yield "depot", c.prepare.depot[:, None], ("depot",), here
    yield "ready", c.prepare.ready[None], ready, ("",)
    yield "lend", c.lend[:, :, :1], titles, towards
    yield "forward", c.forward[:, :, :1], titles, onward
    yield "create", np.moveaxis(c.create[:, :, :1], 0, 1), makers, here
    yield "draw", np.moveaxis(c.draw[:, :, :1], 0, 1), lenders, here


def spread_of_spending(plans: Sequence[dict[Item, float]]) -> tuple[Spending, ...]:
    """Return mean, standard deviation and occurrence over plans; the largest mean first."""
    items = sorted({item for plan in plans for item in plan})
    rows = []
    for item in items:
        amounts = np.array([plan.get(item, 0.0) for plan in plans])
        sd = float(np.std(amounts, ddof=1)) if len(plans) > 1 else 0.0
        share = float(np.mean(np.abs(amounts) > _LEAST_BN_VND))
        rows.append(Spending(*item, float(amounts.mean()), sd, share))
    return tuple(sorted(rows, key=lambda row: -abs(row.mean)))
