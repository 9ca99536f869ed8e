"""Random small worlds and random, often foolish, orders: reusable strategies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from nts_sim.decision.model import Order, OrderKind
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.testing import (
    toy_desk,
    toy_links,
    toy_mechanism,
    toy_supply,
    toy_threats,
    toy_world,
)
from nts_sim.world.model import Desk, Effect, Fund, Mechanism, Supply, Threats, Trigger, World
from tests.engines.helpers import Plan, inject

DAYS = 8
DAY_OF_TIES = st.integers(0, DAYS - 1).map(float)
ANY_DAY = st.floats(0.0, DAYS - 0.01, allow_nan=False)
LAWS = st.sampled_from(["fixed", "exponential"])
LEADS = st.sampled_from([0.0, 0.5, 1.0, 2.0])
AMOUNTS = st.sampled_from([0.0, 0.4, 1.0, 2.0, 5.0, 7.5, 20.0, 1e3, 1e9, -3.0])


class Case:
    """A world, what is ordered in it, and its luck (plain, so that failures print short)."""

    def __init__(self, world: World, plan: Plan, luck: Luck, manages_returns: bool) -> None:
        self.world, self.plan, self.luck = world, plan, luck
        self.manages_returns = manages_returns

    def __repr__(self) -> str:
        """Say what differs between cases, not every array."""
        w = self.world
        parts = (
            w.resources.stock.tolist(), w.hazard.injects, w.threats.distribution[0], w.desks,
            w.links.source.tolist(), w.links.target.tolist(), w.funds,
            [(m.name, m.handover_days, m.ramp, m.trigger, m.supplies, m.fund_kind, m.donor_share,
              m.ceiling_bn_vnd, m.fixed_cost_bn_vnd) for m in w.mechanisms],
            self.plan, self.luck, self.manages_returns,
        )  # fmt: skip
        return "\n".join(map(str, parts))


@st.composite
def threats(draw: st.DrawFn, n: int, law: str) -> Threats:
    """Threats that differ in what they do to roads and desks and in who is served first."""
    made = toy_threats(
        n, relief=0.5, containment_gain=draw(st.sampled_from([0.0, 1.0])),
        spread_reduction=draw(st.sampled_from([0.0, 0.5])),
        stay_days=draw(st.tuples(*[st.sampled_from([1.0, 2.0, 4.0])] * 3)),
        escalation_days=(draw(st.sampled_from([1.0, 3.0, np.inf])), 3.0, np.inf),
        immunity_days=draw(st.sampled_from([0.0, 1.0])), distribution=law,  # type: ignore[arg-type]
    )  # fmt: skip
    flags = st.lists(st.booleans(), min_size=n, max_size=n).map(np.array)
    classes = st.lists(st.integers(1, 3), min_size=n, max_size=n).map(np.array)
    return replace(
        made, blocks_roads=draw(flags), slows_desks=draw(flags), priority_class=draw(classes)
    )


@st.composite
def supplies(draw: st.DrawFn, resource: int, n: int) -> Supply:
    """What the army gives of one resource."""
    hubs = draw(st.dictionaries(st.integers(0, n - 1), st.sampled_from([3.0, 50.0]), max_size=2))
    return toy_supply(
        resource, n, hub_stock=hubs, ceiling=draw(st.sampled_from([4.0, 60.0, np.inf])),
        scope=draw(st.sampled_from(["national", "place", "decision"])),
        unit_cost_bn_vnd=draw(st.sampled_from([0.0, 0.3])),
    )  # fmt: skip


TRIGGERS = st.sampled_from(
    [
        Trigger(), Trigger(), Trigger(), Trigger(min_severity=2), Trigger(declared_level=1),
        Trigger(days_since_onset=1.0), Trigger(after_fund="reserve"), Trigger(max_uses=2),
    ]
)  # fmt: skip
PAYERS = st.sampled_from(["account", None])
RAMPS = st.sampled_from([(), (), ((0, 0.5), (2, 1.0)), ((1, 0.3), (3, 0.8)), ((0, 0.25),)])


@st.composite
def mechanisms(draw: st.DrawFn, n: int, law: str) -> tuple[Mechanism, ...]:
    """One mechanism of each effect, as in a toy world, with leads, ramps, triggers and costs."""
    goods = tuple(draw(supplies(r, n)) for r in range(2))
    effects = (Effect.GATE, Effect.MONEY, Effect.GOODS, Effect.TRANSFER)
    made = []
    for name, effect in zip(("level", "grant", "army", "mutual_aid"), effects, strict=True):
        ramp = draw(RAMPS) if effect in (Effect.MONEY, Effect.GOODS) else ()
        made.append(toy_mechanism(
            name, effect, n, handover_days=draw(LEADS), distribution=law, ramp=ramp,
            trigger=draw(TRIGGERS) if effect is not Effect.GATE else Trigger(),
            supplies=goods if effect is Effect.GOODS else (),
            fund_kind="reserve" if effect is Effect.MONEY else draw(PAYERS),
            donor_share=draw(st.sampled_from([1.0, 0.3])),
            ceiling_bn_vnd=draw(st.sampled_from([5.0, np.inf])),
            fixed_cost_bn_vnd=draw(st.sampled_from([0.0, 0.2])),
            desk=np.full(n, draw(st.integers(0, 1))),
        ))  # fmt: skip
    return tuple(made)


@st.composite
def desks(draw: st.DrawFn, law: str) -> tuple[Desk, ...]:
    """Two desks, the second above the first."""
    lower = toy_desk(
        servers=draw(st.integers(1, 2)), approval_days=draw(LEADS), distribution=law, up=1,
        delegation_bn_vnd=draw(st.sampled_from([0.5, np.inf])),
    )  # fmt: skip
    return lower, toy_desk(
        name="up", servers=1, approval_days=1.0, distribution=law,
        delegation_bn_vnd=draw(st.sampled_from([50.0, np.inf])),
    )  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """2–5 places in a row, 1–3 threats, teams and supplies; full of ties or free of them."""
    n, n_threats, law = draw(st.integers(2, 5)), draw(st.integers(1, 3)), draw(LAWS)
    n_cells, units = n * n_threats, st.sampled_from([5.0, 0.0, 40.0, 200.0])
    cell = st.integers(0, n_cells - 1)
    onset = st.builds(inject, cell, st.integers(1, 3), DAY_OF_TIES if law == "fixed" else ANY_DAY)
    link = st.tuples(cell, cell, st.sampled_from([0.5, 1.0]), st.sampled_from([1.0, 2.0]))
    links = toy_links(
        n_cells, draw(st.lists(link, max_size=5, unique_by=lambda it: it[:2])), distribution=law,  # type: ignore[arg-type]
        repeats=draw(st.booleans()), stops=draw(st.booleans()),
    )  # fmt: skip
    world = toy_world(
        stock=draw(st.lists(st.tuples(units, units), min_size=n, max_size=n)),
        is_team=(True, False), requirement_per_100k=(300.0, 2000.0), horizon_days=DAYS,
        injects=draw(st.lists(onset, min_size=1, max_size=5)), links=links,
        threats=draw(threats(n_threats, law)),
    )  # fmt: skip
    funds = tuple(
        Fund(f"{kind} p{i}", kind, i, draw(st.sampled_from([1e3, 30.0, 0.7, 0.0])),
             earmark=draw(st.sampled_from([None] * 7 + [frozenset({"army"})])),
             closes_day=draw(st.sampled_from([None] * 7 + [3.0])))
        for kind in ("account", "reserve") for i in range(n)
    )  # fmt: skip
    return replace(
        world,
        mechanisms=draw(mechanisms(n, law)),
        desks=draw(desks(law)),
        funds=funds,
        resources=replace(world.resources, idle_return_days=draw(st.sampled_from([1.0, 99.0]))),
    )


def orders(world: World) -> st.SearchStrategy[Order]:
    """Orders of all six kinds, wise and silly: wrong mechanisms, places, homes and amounts."""
    n, somewhere = world.nodes.n_places, st.integers(-1, world.nodes.n_places)
    base = {"quantity": AMOUNTS, "priority": st.integers(0, 2)}
    units = {**base, "place": somewhere, "resource": st.integers(0, 1)}
    home, mechanism = st.integers(-1, n), st.integers(0, 3)
    return st.one_of(
        st.builds(Order, kind=st.just(OrderKind.MOVE), source=somewhere, home=home, **units),
        st.builds(Order, kind=st.just(OrderKind.MOBILISE), mechanism=mechanism, **units),
        st.builds(Order, kind=st.just(OrderKind.RETURN), home=home, **units),
        st.builds(
            Order, kind=st.just(OrderKind.DRAW), mechanism=mechanism, place=somewhere, **base
        ),
        st.builds(Order, kind=st.just(OrderKind.DECLARE), place=somewhere, **base),
        st.builds(Order, kind=st.just(OrderKind.SERVE),
                  cell=st.integers(0, len(world.cells) - 1), **base),
    )  # fmt: skip


def sensible_orders(world: World) -> st.SearchStrategy[Order]:
    """Orders that have a chance of being granted, so that random plans are not all refused."""
    n = world.nodes.n_places
    place, units = st.integers(0, n - 1), st.sampled_from([5.0, 1.0, 3.0, 20.0])
    money = {"place": place, "quantity": units}
    base = {**money, "resource": st.integers(0, 1)}
    home = st.integers(-1, n)
    own = st.builds(Order, kind=st.just(OrderKind.MOVE), source=place, home=st.just(-1), **base)
    return st.one_of(
        *[own] * 4,
        st.builds(Order, kind=st.just(OrderKind.MOVE), source=place, home=home, **base),
        *[st.builds(Order, kind=st.just(OrderKind.MOBILISE), mechanism=st.just(2), **base)] * 2,
        st.builds(Order, kind=st.just(OrderKind.RETURN), home=st.just(-1), **base),
        st.builds(Order, kind=st.just(OrderKind.RETURN), home=home, **base),
        st.builds(Order, kind=st.just(OrderKind.DRAW), mechanism=st.just(1), **money),
        st.builds(Order, kind=st.just(OrderKind.DECLARE), place=place,
                  quantity=st.sampled_from([1.0, 2.0, 3.0])),
        st.builds(Order, kind=st.just(OrderKind.SERVE), cell=st.integers(0, len(world.cells) - 1),
                  quantity=st.sampled_from([0.0, 0.5, 1.0])),
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A random world under random orders."""
    world = draw(worlds())
    wise = sensible_orders(world)
    some = st.lists(st.one_of(wise, wise, wise, orders(world)), min_size=2, max_size=9)
    plan = draw(st.dictionaries(DAY_OF_TIES, some, min_size=2, max_size=6))
    luck = Luck(draw(st.integers(0, 99)), DrawSet.EVALUATION, draw(st.integers(0, 9)))
    return Case(world, plan, luck, draw(st.booleans()))
