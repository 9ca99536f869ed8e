"""Orders out of a solution: what is sent, created, drawn and released, in whole units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nts_sim.decision.model import Observation, Order, draw, mobilise, move, send_home, serve
from nts_sim.planning.filling import Filled
from nts_sim.planning.numbers import Numbers
from nts_sim.planning.problem import Sets
from nts_sim.planning.template import Template
from nts_sim.planning.twostage import TwoStageSolution
from nts_sim.words.why import quoted
from nts_sim.world.model import Bools, Floats, Ints, World

_DUST = 1e-9


@dataclass(frozen=True, eq=False)
class Plan:
    """A solution read back into blocks.

    Attributes
    ----------
    served : float array [S, K, 3, T], persons
    lend : float array [arc, R, D]; forward : [forward, R, D]; create : [goods, place, D];
        release : [place, R, D]; units ordered at each departure; those of departures that are not
        decided yet are what the first sample would order
    draw : float array [draw, place, D], bn VND
    bought : float array [place, R]; posted : float array [arc, R], units before day 0
    depots : bool array [place]; ready : bool array [ready]
    cost_bn_vnd : float array [S], what is spent and run, without what only breaks ties
    opening : bool array [column], columns that the epoch left open
    solution : TwoStageSolution
    """

    template: Template
    numbers: Numbers
    served: Floats
    lend: Floats
    forward: Floats
    create: Floats
    release: Floats
    draw: Floats
    bought: Floats
    posted: Floats
    depots: Bools
    ready: Bools
    cost_bn_vnd: Floats
    opening: Bools
    solution: TwoStageSolution

    @property
    def averted_bn_vnd(self) -> Floats:
        """Harm that the plan averts by sample, lever values included, [S]."""
        days = self.served * self.template.sets.lengths_days
        return np.asarray((self.numbers.need.worth * days).sum(axis=(1, 2, 3)))


def read_plan(filled: Filled, solution: TwoStageSolution) -> Plan:
    """Read a checked solution back into blocks."""
    t = filled.template
    c, prepare = t.columns, t.columns.prepare
    y = np.maximum(solution.y, 0.0)
    every = np.zeros((len(y), len(t.program.cost) + 1))
    every[:, filled.columns] = y
    opening = np.zeros(len(t.program.cost) + 1, dtype=np.bool_)
    opening[filled.columns] = True
    x = every[0]
    price = (t.program.cost - t.surcharge)[filled.columns]
    return Plan(
        template=t,
        numbers=filled.numbers,
        served=every[:, c.served],
        lend=x[c.lend].sum(axis=3),
        forward=x[c.forward].sum(axis=3),
        create=x[c.create].sum(axis=3),
        release=x[c.release],
        draw=x[c.draw].sum(axis=3),
        bought=x[prepare.buy],
        posted=x[prepare.post],
        depots=x[prepare.depot] > 0.5,
        ready=x[prepare.ready] > 0.5,
        cost_bn_vnd=(y * price).sum(axis=1),
        opening=opening,
        solution=solution,
    )


def whole_units(amount: Floats, group: Ints, limit: Floats) -> Floats:
    """Round down to whole units, then give back what a group lost, largest fraction first.

    Parameters
    ----------
    amount : float array [item], units
    group : int array [item]; items of one destination and resource
    limit : float array [item], most an item may have

    Returns
    -------
    float array [item]; the sum of a group is the whole part of what it was
    """
    down = np.floor(amount + _DUST)
    fraction = amount - down
    for one in np.unique(group[fraction > _DUST]):
        members = np.flatnonzero(group == one)
        spare = int(np.floor(fraction[members].sum() + _DUST))
        for item in members[np.argsort(-fraction[members], kind="stable")]:
            if spare and down[item] + 1.0 <= limit[item] + _DUST:
                down[item] += 1.0
                spare -= 1
    return down


def _rounded(sets: Sets, amounts: Floats, resource: Ints, group: Ints, limit: Floats) -> Floats:
    whole = sets.whole[resource]
    made = amounts.copy()
    made[whole] = whole_units(amounts[whole], group[whole], limit[whole])
    return made


def _by_place_and_resource(observation: Observation) -> dict[tuple[int, int], dict[int, float]]:
    """Free visitors by home, at each place of each resource."""
    found: dict[tuple[int, int], dict[int, float]] = {}
    for place, resource, home, units in observation.visitors:
        found.setdefault((place, resource), {})[home] = units
    return found


class OrderWriter:
    """Writes the orders of one departure of a plan, each with its reason and runner-up."""

    def __init__(self, world: World, plan: Plan, observation: Observation, departure: int) -> None:
        self._world, self._plan, self._departure = world, plan, departure
        self._sets, self._numbers = plan.template.sets, plan.numbers
        self._visitors = _by_place_and_resource(observation)
        self._codes = [quoted(code) for code in world.nodes.code]

    def orders(self) -> list[Order]:
        """Draws, returns, mobilisations and moves of this departure."""
        return [*self.draws(), *self.releases(), *self.creations(), *self.loans(), *self.forwards()]

    def draws(self) -> list[Order]:
        """Money for the accounts that orders of this plan charge."""
        plan, out = self._plan, []
        for m, place in np.argwhere(plan.draw[:, :, self._departure] > 1e-6).tolist():
            amount = float(plan.draw[m, place, self._departure])
            mechanism = self._sets.draws[m].mechanism
            reason = f"why.account_too_small?place={self._codes[place]}"
            out.append(draw(mechanism, place, amount, reason))
        return out

    def creations(self) -> list[Order]:
        """Mobilisations, in whole units."""
        sets, plan, d = self._sets, self._plan, self._departure
        at = np.argwhere(plan.create[:, :, d] > _DUST)
        amounts = plan.create[at[:, 0], at[:, 1], d]
        resource = np.array([sets.goods[g].resource for g in at[:, 0]], dtype=np.int64)
        limit = np.minimum(
            self._numbers.goods_place_left[at[:, 0], at[:, 1]], self._numbers.goods_left[at[:, 0]]
        )
        group = at[:, 0] * len(sets.resource) + resource
        whole = _rounded(sets, amounts, resource, group, limit)
        out = []
        for (g, place), units in zip(at.tolist(), whole.tolist(), strict=True):
            if units > 0.0:
                way = sets.goods[g]
                r = way.resource
                day = self._day(self._numbers.goods_period[g, place, d])
                out.append(
                    mobilise(
                        way.mechanism, place, int(sets.resource[r]), units,
                        self._why(place, r, day), self._instead(place, r, ("create", g)),
                    )
                )  # fmt: skip
        return out

    def loans(self) -> list[Order]:
        """Move provinces' own units, in whole units."""
        sets, d = self._sets, self._departure
        out = []
        for arc, r, units in self._sent(self._plan.lend, np.arange(len(sets.arc_from))):
            source, place = int(sets.arc_from[arc]), int(sets.arc_to[arc])
            day = self._day(self._numbers.arc_period[arc, d])
            home = source if sets.is_team[r] else -1
            out.append(
                move(
                    source, place, int(sets.resource[r]), units, home,
                    self._why(place, r, day), self._instead(place, r, ("lend", arc)),
                )
            )  # fmt: skip
        return out

    def forwards(self) -> list[Order]:
        """Move visitors to where they are needed next, by home."""
        sets, d = self._sets, self._departure
        out = []
        for arc, r, units in self._sent(self._plan.forward, sets.forward):
            source, place = int(sets.arc_from[arc]), int(sets.arc_to[arc])
            day = self._day(self._numbers.arc_period[arc, d])
            for home, part in self._by_home(source, r, units):
                out.append(
                    move(
                        source, place, int(sets.resource[r]), part, home,
                        self._why(place, r, day), "why.send_home",
                    )
                )  # fmt: skip
        return out

    def releases(self) -> list[Order]:
        """Visitors that the forecast has no more use for go home."""
        sets, out = self._sets, []
        nobody = self._world.nodes.n_places
        for place, r in np.argwhere(self._plan.release[:, :, self._departure] > _DUST).tolist():
            units = np.floor(self._plan.release[place, r, self._departure] + _DUST)
            for home, part in self._by_home(place, r, units):
                resource = int(sets.resource[r])
                reason = f"why.no_more_use?place={self._codes[place]}"
                out.append(send_home(place, resource, part, -1 if home == nobody else home, reason))
        return out

    def targets(self, period: int) -> list[Order]:
        """Shares of requirement to aim at in a period: how a place splits what it has."""
        chance, out = self._numbers.need.probability, list[Order]()
        need = np.tensordot(chance, self._numbers.need.persons[:, :, :, period], axes=1)
        served = np.tensordot(chance, self._plan.served[:, :, :, period], axes=1)
        for k in np.flatnonzero(need.sum(axis=1) > 0.0).tolist():
            share = min(1.0, float(served[k].sum() / need[k].sum()))
            out.append(serve(int(self._sets.cell[k]), share, "why.plan_split"))
        return out

    def _sent(self, block: Floats, arcs: Ints) -> list[tuple[int, int, float]]:
        """(arc, resource position, units) of a block of sendings, in whole units."""
        sets, d = self._sets, self._departure
        at = np.argwhere(block[:, :, d] > _DUST)
        arc, resource = arcs[at[:, 0]], at[:, 1]
        amounts = block[at[:, 0], resource, d]
        group = sets.arc_to[arc] * len(sets.resource) + resource
        limit = np.ceil(amounts)
        whole = _rounded(sets, amounts, resource, group, limit)
        triples = zip(arc.tolist(), resource.tolist(), whole.tolist(), strict=True)
        return [triple for triple in triples if triple[2] > 0.0]

    def _by_home(self, place: int, r: int, units: float) -> list[tuple[int, float]]:
        """Take visitors of one place by home, mobilised and larger parties first."""
        resource, out = int(self._sets.resource[r]), []
        free = self._visitors.get((place, resource), {})
        for home in sorted(free, key=lambda home: (-free[home], home)):
            part = min(units, free[home])
            if self._sets.whole[r]:
                part = float(np.floor(part + _DUST))
            if part > 0.0:
                out.append((home, part))
                free[home] -= part
                units -= part
        return out

    def _day(self, period: int) -> float:
        return float(self._sets.edges_days[period])

    def _why(self, place: int, r: int, day: float) -> str:
        resource = quoted(self._world.resources.name[self._sets.resource[r]])
        return f"why.short?place={self._codes[place]}&resource={resource}&n={day:g}"

    def _instead(self, place: int, r: int, chosen: tuple[str, int]) -> str:
        """Name the best source that was open for the same need and not chosen."""
        sets, c, d = self._sets, self._plan.template.columns, self._departure
        others: list[tuple[float, str]] = []
        for arc in np.flatnonzero(sets.arc_to == place).tolist():
            period = int(self._numbers.arc_period[arc, d])
            if ("lend", arc) != chosen and self._open(c.lend[arc, r, d], period):
                source = self._codes[sets.arc_from[arc]]
                others.append((self._day(period), f"why.lend?place={source}"))
        for g, way in enumerate(sets.goods):
            period = int(self._numbers.goods_period[g, place, d])
            other = way.resource == r and ("create", g) != chosen
            if other and self._open(c.create[g, place, d], period):
                name = quoted(self._world.mechanisms[way.mechanism].name)
                others.append((self._day(period), f"why.ask?mechanism={name}"))
        if not others:
            return "why.no_other_source"
        day, code = min(others)
        return f"{code}&n={day:g}"

    def _open(self, columns: Ints, period: int) -> bool:
        return period < len(columns) and bool(self._plan.opening[columns[period]])
