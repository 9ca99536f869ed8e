"""Random small worlds in which a plan must come true to the last bit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from nts_sim.decision.model import Observation, Order, Policy, Preparation, declare
from nts_sim.engine.choice import EngineName
from nts_sim.engine.contract import Run
from nts_sim.engine.prepared import prepared
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.effort import effort_of
from nts_sim.outcomes.layout import layout_of
from nts_sim.outcomes.people import people_of
from nts_sim.planning.filling import fill
from nts_sim.planning.network import problem_of
from nts_sim.planning.numbers import Need, Numbers, certain_need, numbers_of
from nts_sim.planning.plan import OrderWriter, Plan, read_plan
from nts_sim.planning.problem import Equity, Shape
from nts_sim.planning.solve import Highs
from nts_sim.planning.template import template_of
from nts_sim.planning.twostage import Risk, solve_two_stage
from nts_sim.planning.whole import preparation_of_plan
from nts_sim.testing import toy_desk, toy_mechanism, toy_supply, toy_threats, toy_world
from nts_sim.trace.model import Kind
from nts_sim.units import TICKS_PER_DAY
from nts_sim.world.model import (
    Effect,
    Floats,
    Fund,
    Inject,
    MoneySource,
    PreparationTerms,
    Trigger,
    World,
)

LUCK = Luck(7, DrawSet.PLANNING, 0)
_SEVERITY_KINDS = (Kind.ONSET, Kind.SPREAD, Kind.RISE, Kind.FALL)


def random_world(seed: int) -> World:
    """Relief only, fixed leads, whole-day needs, divisible units, funds and ceilings that bind."""
    rng = np.random.default_rng(seed)
    n, n_threats = int(rng.integers(2, 5)), int(rng.integers(1, 3))
    is_team = rng.random(int(rng.integers(1, 4))) < 0.6
    horizon = int(rng.integers(4, 8))
    threats = toy_threats(
        n_threats, relief=float(rng.uniform(0.2, 0.9)), stay_days=rng.integers(1, 5, 3) * 1.0
    )
    cells = [c for c in range(n * n_threats) if rng.random() < 0.7] or [0]
    injects = [Inject(c, int(rng.integers(1, 4)), float(rng.integers(0, 3))) for c in cells]
    world = toy_world(
        stock=rng.integers(0, 40, (n, len(is_team))).astype(float),
        is_team=is_team.tolist(),
        requirement_per_100k=rng.integers(50, 1000, len(is_team)).astype(float),
        injects=injects, threats=threats, horizon_days=horizon,
    )  # fmt: skip
    return _with_variety(world, rng)


def prepared_world(seed: int) -> World:
    """As `random_world`, with money to buy, post and open depots before day 0."""
    world, rng = random_world(seed), np.random.default_rng(50_000 + seed)
    n_resources = len(world.resources.name)
    terms = PreparationTerms(
        sources=(MoneySource("budget", float(rng.uniform(0.5, 4.0))),),
        depot_cost_bn_vnd=float(rng.uniform(0.0, 0.2)),
        depot_capacity_tonnes=float(rng.uniform(5.0, 40.0)),
        tonnes_per_unit={r: 1.0 for r in range(n_resources) if not world.resources.is_team[r]},
        post_share=float(rng.choice([0.3, 1.0])),
        place_share_at_most=float(rng.choice([0.6, 1.0])),
    )
    resources = replace(world.resources, acquire_cost=rng.uniform(0.01, 0.2, n_resources))
    return replace(world, resources=resources, terms=terms)


def _with_variety(world: World, rng: np.random.Generator) -> World:
    n, n_resources = world.nodes.n_provinces, len(world.resources.name)
    weight = rng.random((len(world.threats.name), 1, n_resources)) * (
        rng.random((len(world.threats.name), 1, n_resources)) < 0.8
    )
    cells = replace(
        world.cells,
        requirement=world.cells.requirement * weight[world.cells.threat],
        harm_rate=world.cells.harm_rate * rng.uniform(0.2, 3.0, world.cells.harm_rate.shape),
    )
    resources = replace(
        world.resources, whole_units=np.zeros(n_resources, dtype=np.bool_),
        run_cost=np.where(world.resources.is_team, rng.uniform(0, 0.01, n_resources), 0.0),
        move_cost=rng.uniform(0, 0.05, n_resources),
    )  # fmt: skip
    desks = tuple(
        toy_desk(name=f"desk {k}", approval_days=float(rng.choice([0.0, 0.25, 0.5, 1.0])))
        for k in range(3)
    )
    funds = (
        *(
            Fund(f"account p{i}", "account", i, float(rng.choice([0.0, 0.2, 2.0])))
            for i in range(n)
        ),
        *(Fund(f"reserve p{i}", "reserve", i, float(rng.uniform(0, 2))) for i in range(n)),
        Fund("centre", "army", None, float(rng.uniform(0, 3))),
    )
    return replace(
        world, cells=cells, resources=resources, desks=desks, funds=funds,
        mechanisms=_mechanisms(n, n_resources, rng),
    )  # fmt: skip


def _mechanisms(n: int, n_resources: int, rng: np.random.Generator) -> tuple[object, ...]:
    def desk() -> object:
        return np.full(n, rng.integers(0, 3))

    def lead() -> float:
        return float(rng.choice([0.0, 0.25, 0.5, 1.25]))

    supplies = tuple(
        toy_supply(
            r, n, ceiling=float(rng.uniform(0, 60)),
            scope=str(rng.choice(["national", "place"])),
            place_ceiling=rng.uniform(0, 40, n), unit_cost_bn_vnd=float(rng.uniform(0, 0.05)),
            hub_stock={int(rng.integers(0, n)): 25.0} if rng.random() < 0.3 else {},
        )
        for r in range(n_resources)
        if rng.random() < 0.7
    )  # fmt: skip
    ramp = ((0, 0.5), (1, 0.75), (3, 1.0)) if rng.random() < 0.4 else ()
    level, central = int(rng.random() < 0.4), bool(rng.random() < 0.4)
    return (
        toy_mechanism("level", Effect.GATE, n, desk=desk()),
        toy_mechanism("grant", Effect.MONEY, n, fund_kind="reserve", desk=desk(),
                      handover_days=lead(), ceiling_bn_vnd=1.5),
        toy_mechanism("army", Effect.GOODS, n, supplies=supplies, ramp=ramp, desk=desk(),
                      fund_kind="army" if central else "account", fund_is_central=central,
                      handover_days=lead(),
                      trigger=Trigger(declared_level=level)),
        toy_mechanism("mutual_aid", Effect.TRANSFER, n, desk=desk(), handover_days=lead(),
                      donor_share=float(rng.choice([0.3, 0.7, 1.0]))),
    )  # fmt: skip


@dataclass(frozen=True)
class Promise:
    """A plan with its world, and the needs it was made for."""

    world: World
    plan: Plan
    numbers: Numbers
    harm_bn_vnd: float

    @property
    def cost_bn_vnd(self) -> float:
        return float(self.plan.cost_bn_vnd[0])


def no_response_occupancy(world: World) -> Floats:
    """Severities by day without response, [cell, 3, day]; changes fall on whole days."""
    silent = Policy("silent", lambda world: lambda observation: [], manages_returns=True)
    trace = simulate(world, silent, LUCK).trace
    occupancy = np.zeros((len(world.cells), 3, world.horizon_days))
    for row in trace[np.isin(trace["kind"], _SEVERITY_KINDS)]:
        day = int(row["tick"]) // TICKS_PER_DAY
        assert row["tick"] % TICKS_PER_DAY == 0
        cell = int(world.cells.of[row["node"], row["threat"]])
        occupancy[cell, :, day:] = 0.0
        if row["quantity"] > 0:
            occupancy[cell, int(row["quantity"]) - 1, day:] = 1.0
    return occupancy


@dataclass(frozen=True)
class Variant:
    """A way to plan: futures all alike, a risk, all orders given at once or not."""

    chances: tuple[float, ...] = (1.0,)
    risk: Risk = field(default_factory=Risk)
    commit_all: bool = False
    equity: Equity | None = None


PLAIN = Variant()


def promise(world: World, variant: Variant = PLAIN) -> Promise:
    """Plan the whole horizon at day 0, in one-day periods, for the needs that will come.

    Of several futures, all alike, what is promised is the first's.
    """
    horizon = world.horizon_days
    prepare = world.terms.budget_bn_vnd > 0.0
    shape = Shape(
        horizon, departures=horizon - 1, donors=9, forwards=9, daily=True, prepare=prepare
    )
    template = template_of(problem_of(world, shape))
    sets = template.sets
    need = no_response_occupancy(world)[sets.cell] * sets.persons[:, :, None]
    observation = first_observation(world)
    certain = certain_need(world, sets, observation, need)
    numbers = numbers_of(world, sets, observation, _repeated(certain, variant.chances))
    filled = fill(template, numbers, equity=variant.equity, commit_all=variant.commit_all)
    highs = Highs()
    solution = solve_two_stage(filled.two_stage, variant.risk, highs, start=filled.start)
    plan = _first_future(read_plan(filled, solution), certain)
    per_person = world.cells.harm_rate[sets.cell] / sets.persons
    harm = float(np.einsum("ks,kst->", per_person, need)) - float(plan.averted_bn_vnd[0])
    return Promise(world, plan, plan.numbers, harm)


def _repeated(need: Need, chances: tuple[float, ...]) -> Need:
    n = len(chances)
    return Need(
        np.array(chances), np.repeat(need.persons, n, 0), np.repeat(need.worth, n, 0),
        np.repeat(need.harm, n),
    )  # fmt: skip


def _first_future(plan: Plan, need: Need) -> Plan:
    return replace(
        plan, numbers=replace(plan.numbers, need=need), served=plan.served[:1],
        cost_bn_vnd=plan.cost_bn_vnd[:1],
    )  # fmt: skip


def first_observation(world: World) -> Observation:
    session = LocalSession(world, LUCK, manages_returns=True)
    session.advance(0)
    return session.observe()


def replay(
    made: Promise, *, targets: bool = True, edit=lambda orders, day: orders,
    engine: EngineName = "compiled",
) -> Run:  # fmt: skip
    """Simulate a plan's own orders; `edit` may spoil them."""

    def decide(observation: Observation) -> list[Order]:
        day = round(observation.day)
        orders: list[Order] = []
        if day == 0:
            orders += [declare(place, 1) for place in range(made.world.nodes.n_provinces)]
        writer = OrderWriter(made.world, made.plan, observation, day)
        if day < len(made.plan.template.sets.departure):
            orders += edit(writer.orders(), day)
        return orders + (writer.targets(day) if targets else [])

    prepare = None
    if made.plan.template.problem.preparing is not None:
        prepare = Given(made.world, made.plan)
    policy = Policy("replay", lambda world: decide, manages_returns=True, prepare=prepare)
    return simulate(made.world, policy, LUCK, engine)


@dataclass(frozen=True, eq=False)
class Given:
    """Prepares what a plan says, to the fraction."""

    world: World
    plan: Plan

    def __call__(self, world: World) -> Preparation:
        return preparation_of_plan(self.world, self.plan, self.plan.bought, self.plan.posted)


def outcome(world: World, run: Run) -> tuple[float, float]:
    """Harm and cost (money spent, teams' running, what was prepared) of a run, bn VND."""
    world = prepared(world, run.preparation)
    layout = layout_of(world)
    people = people_of(run.trace, layout)
    effort = effort_of(run.trace, run.rulings, layout)
    harm = float((people.harm * people.spells.days * people.relieved).sum())
    return harm, effort.spent + effort.running + world.preparation_cost_bn_vnd


def error(made: Promise, run: Run) -> float:
    """Largest difference between what was promised and what came, relative to max(1, amount)."""
    harm, cost = outcome(made.world, run)
    return max(
        abs(harm - made.harm_bn_vnd) / max(1.0, abs(made.harm_bn_vnd)),
        abs(cost - made.cost_bn_vnd) / max(1.0, abs(made.cost_bn_vnd)),
    )
