"""Random worlds by number, and what is ordered in them: the same number, the same world.

Plain generators and not hypothesis: a thousand worlds are made in seconds, and world 317 is
world 317 tomorrow. Two kinds. *Whole-day* worlds have fixed laws and whole or half days only, so
that most things happen at the same tick as others and the order of an instant is put to the test.
*Continuous* worlds draw every duration, so that the arithmetic is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

import numpy as np

from nts_sim.decision.model import Order, OrderKind, Policy
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import PolicySpec
from nts_sim.testing import toy_cells, toy_desk, toy_mechanism, toy_roads, toy_supply
from nts_sim.units import TICKS_PER_DAY
from nts_sim.world.model import (
    Cells,
    Desk,
    Distribution,
    Effect,
    Fund,
    Hazard,
    Information,
    Inject,
    Links,
    Measure,
    Mechanism,
    NodeKind,
    Nodes,
    RandomEvents,
    Resources,
    Supply,
    Threats,
    Trigger,
    World,
)
from tests.engines.helpers import scripted

T = TypeVar("T")
RULES = (
    "do_nothing", "current_practice", "informed_practice", "equal_share", "per_capita",
    "risk_proportional", "nearest_first", "threshold", "greedy",
)  # fmt: skip
_GAINS = (0.0, 1.0, 0.8, 1.35)
"""Gains of containment; three days at 1 + 0.8 or 1 + 1.35 round differently when multiplied by
the reciprocal of the speed instead of divided by it."""
_RULE_SHARE = 0.25
_PERFECT = Information("perfect", 0.0, 0.0, ((0.0, 1.0),))
_LATE = Information("late", 0.5, 0.25, ((1.0, 0.1), (2.5, 0.4), (6.0, 1.0)))
_HALF_DAY = Information("half a day", 0.5, 0.0, ((0.0, 0.5), (2.0, 1.0)))
_CHAIN_KM = (100.0, 130.0, 200.0)


class Dice:
    """What a world is made with: a numbered stream of choices, whole days or not."""

    def __init__(self, number: int, *, whole_days: bool) -> None:
        self.whole_days = whole_days
        self._stream = np.random.default_rng([number, whole_days])

    def one_of(self, options: Sequence[T]) -> T:
        return options[int(self._stream.integers(len(options)))]

    def count(self, least: int, most: int) -> int:
        return int(self._stream.integers(least, most + 1))

    def chance(self, probability: float) -> bool:
        return bool(self._stream.random() < probability)

    def number(self, least: float, most: float) -> float:
        return float(self._stream.uniform(least, most))

    def days(self, most: float) -> float:
        """A duration up to `most` days, never 0: whole or half, or any."""
        if not self.whole_days:
            return self.number(0.1, most)
        return self.one_of([d for d in (0.5, 1.0, 1.0, 2.0, 3.0, 4.0) if d <= most])

    def day(self, horizon_days: int) -> float:
        """A day of the horizon, exact in ticks."""
        if not self.whole_days:
            return int(self.number(0.0, horizon_days) * TICKS_PER_DAY) / TICKS_PER_DAY
        return self.count(0, 2 * horizon_days - 1) / 2 if self.chance(0.3) else float(
            self.count(0, horizon_days - 1)
        )  # fmt: skip

    def law(self) -> Distribution:
        laws: tuple[Distribution, ...] = ("exponential", "lognormal", "exponential", "fixed")
        return "fixed" if self.whole_days else self.one_of(laws)


@dataclass(frozen=True, eq=False)
class Case:
    """A world, what is ordered in it (a script, or a shipped rule), and its luck."""

    name: str
    world: World
    luck: Luck
    rule: str | None
    plan: Mapping[float, Sequence[Order]]
    manages_returns: bool

    @property
    def policy(self) -> Policy:
        """A fresh policy."""
        if self.rule is not None:
            return make_policy(self.rule, PolicySpec())
        return scripted(self.plan, manages_returns=self.manages_returns)


def case(number: int, *, whole_days: bool) -> Case:
    """Make case `number` of its kind."""
    dice = Dice(number, whole_days=whole_days)
    world = random_world(dice)
    return Case(
        name=f"{'whole-day' if whole_days else 'continuous'} world {number}",
        world=world,
        luck=Luck(dice.count(0, 999), dice.one_of(tuple(DrawSet)), dice.count(0, 9)),
        rule=dice.one_of(RULES) if dice.chance(_RULE_SHARE) else None,
        plan=_plan(dice, world),
        manages_returns=dice.chance(0.4),
    )


def random_world(dice: Dice) -> World:
    """Make a world of 2–7 places, 1–4 threats, teams and supplies, desks, funds, mechanisms."""
    horizon_days = dice.count(6, 15)
    nodes, threats = _nodes(dice), _threats(dice)
    resources = _resources(dice, nodes)
    cells = _cells(dice, nodes, threats, len(resources.name))
    desks = _desks(dice, nodes)
    n = nodes.n_provinces
    return World(
        name="random",
        start=date(2026, 8, 1),
        horizon_days=horizon_days,
        epoch_days=_epochs(dice, horizon_days),
        nodes=nodes,
        threats=threats,
        cells=cells,
        links=_links(dice, cells),
        roads=toy_roads(n, dice.one_of(_CHAIN_KM)),
        resources=resources,
        desks=desks,
        desk_speed=np.array([1.0, *dice.one_of(((0.6, 0.3, 0.1), (0.5, 0.5, 0.0)))]),
        level_desks=np.array(
            [[dice.count(-1, len(desks) - 1) for _ in range(3)] for _ in range(n)]
        ),
        mechanisms=_mechanisms(dice, n, len(desks), len(resources.name)),
        funds=_funds(dice, n),
        information=dice.one_of((_PERFECT, _LATE, _HALF_DAY)),
        hazard=_hazard(dice, nodes, cells, len(threats.name), horizon_days),
        measure=_measure(dice),
    )


# --- who can be hit -------------------------------------------------------------------------------


def _nodes(dice: Dice) -> Nodes:
    """Provinces, then foreign localities, then agencies that sit in provinces, some together."""
    provinces, foreign, agencies = dice.count(2, 5), dice.count(0, 2), dice.count(0, 3)
    n = provinces + foreign
    seats = [dice.count(0, provinces - 1) for _ in range(agencies)]
    kinds = (NodeKind.PROVINCE,) * provinces + (NodeKind.FOREIGN,) * foreign
    code = tuple(f"{'p' if i < provinces else 'f'}{i}" for i in range(n))
    code += tuple(f"{code[seat]}.office{i}" for i, seat in enumerate(seats))
    population = [dice.number(4e4, 3e5) if i < provinces else 0.0 for i in range(n)]
    return Nodes(
        code=code, name=code,
        kind=np.array([*kinds, *[NodeKind.AGENCY] * agencies], dtype=np.int64),
        place=np.array([*range(n), *seats], dtype=np.int64), n_places=n, n_provinces=provinces,
        population=np.array(population), latitude=np.linspace(10.0, 20.0, n),
        longitude=np.full(n, 105.0), region=("R",) * n,
    )  # fmt: skip


def _threats(dice: Dice) -> Threats:
    """Threats that differ in everything."""
    n = dice.count(1, 4)
    each = range(n)
    gain = [dice.one_of(_GAINS) for _ in each]
    return Threats(
        name=tuple(f"t{i}" for i in each), title=tuple(f"Threat {i}" for i in each),
        field=("test",) * n, relief_effect=np.full(n, 0.5),
        containment_gain=np.array(gain),
        spread_reduction=np.array([dice.one_of((0.0, 0.5, 0.9)) for _ in each]),
        stay_days=np.array([[_stay(dice, gain[i]) for _ in range(3)] for i in each]),
        escalation_days=np.array(
            [[np.inf if dice.chance(0.3) else dice.days(3.0) for _ in range(2)] + [np.inf]
             for _ in each]
        ),
        immunity_days=np.array([0.0 if dice.chance(0.5) else dice.days(2.0) for _ in each]),
        distribution=tuple("fixed" if dice.whole_days else "exponential" for _ in each),
        blocks_roads=np.array([dice.chance(0.5) for _ in each]),
        slows_desks=np.array([dice.chance(0.5) for _ in each]),
        priority_class=np.array([dice.count(1, 3) for _ in each]),
    )  # fmt: skip


def _stay(dice: Dice, gain: float) -> float:
    """A stay of whole days at coverage 0; now and then one that takes whole days at coverage 1."""
    return 3.0 * (1.0 + gain) if dice.whole_days and dice.chance(0.3) else dice.days(4.0)


def _cells(dice: Dice, nodes: Nodes, threats: Threats, n_resources: int) -> Cells:
    """Most pairs of node and threat; the first threat is at every province, for random events."""
    full = toy_cells(nodes, threats, [1.0] * n_resources)
    kept = np.array([
        (t == 0 and node < nodes.n_provinces) or dice.chance(0.75)
        for node, t in zip(full.node.tolist(), full.threat.tolist(), strict=True)
    ])  # fmt: skip
    node, threat = full.node[kept], full.threat[kept]
    of = np.full(full.of.shape, -1)
    of[node, threat] = np.arange(len(node))
    units = np.array([
        [dice.one_of((0.0, 50.0, 90.0, 333.3)) for _ in range(n_resources)] for _ in threats.name
    ])  # fmt: skip
    return Cells(
        node=node, threat=threat, place=full.place[kept], of=of, exposed=full.exposed[kept],
        requirement=full.requirement[kept] * units[threat][:, None, :],
        harm_rate=full.harm_rate[kept],
        protection=np.array([dice.one_of((1.0, 1.0, 0.6)) for _ in node]),
        at_place=tuple(np.flatnonzero(full.place[kept] == p) for p in range(nodes.n_places)),
    )  # fmt: skip


def _links(dice: Dice, cells: Cells) -> Links:
    """Links within and across threats, some pairs joined twice."""
    n = len(cells)
    ends = [(dice.count(0, n - 1), dice.count(0, n - 1)) for _ in range(dice.count(0, 3 * n))]
    layers = ("air", "dependence", "land")
    ordered = sorted({(a, b, dice.one_of(layers)) for a, b in ends if a != b})
    source = np.array([link[0] for link in ordered], dtype=np.int64)
    each = range(len(ordered))
    return Links(
        source=source, target=np.array([link[1] for link in ordered], dtype=np.int64),
        layer=tuple(link[2] for link in ordered),
        probability=np.array([dice.one_of((1.0, 0.5, 0.3)) for _ in each], dtype=np.float64),
        lag_days=np.array([dice.days(3.0) for _ in each], dtype=np.float64),
        distribution=tuple("fixed" if dice.whole_days else "exponential" for _ in each),
        repeats=np.array([dice.chance(0.4) for _ in each], dtype=np.bool_),
        stops=np.array([dice.chance(0.5) for _ in each], dtype=np.bool_),
        out=tuple(np.flatnonzero(source == cell) for cell in range(n)),
    )  # fmt: skip


def _hazard(dice: Dice, nodes: Nodes, cells: Cells, n_threats: int, horizon_days: int) -> Hazard:
    injects = tuple(
        Inject(
            cell=dice.count(0, len(cells) - 1), severity=dice.count(1, 3),
            day=dice.day(horizon_days // 2), probability=dice.one_of((1.0, 1.0, 0.6)),
        )
        for _ in range(dice.count(3, 9))
    )  # fmt: skip
    return Hazard(
        injects=injects,
        events=(_events(dice, nodes.n_provinces),) if dice.chance(0.3) else (),
        warning_days=np.array([dice.one_of((0.0, 1.0, 2.5)) for _ in range(n_threats)]),
        onset_share=np.array([dice.one_of((1.0, 1.0, 0.7)) for _ in range(n_threats)]),
    )


def _events(dice: Dice, provinces: int) -> RandomEvents:
    weight = np.ones((12, provinces))
    growth = np.eye(provinces, k=1) + np.eye(provinces, k=-1)
    return RandomEvents(
        threat=0, month_rate=np.full(12, dice.number(0.5, 6.0)), first_weight=weight,
        size_mean=2.0, growth_weight=growth, severity_probability=np.array([0.3, 0.4, 0.3]),
        hops_per_severity=2, days_per_hop=0.25,
    )  # fmt: skip


def _measure(dice: Dice) -> Measure:
    if dice.chance(0.6):
        return Measure()
    return Measure(3.0, dice.one_of((0.0, 2.0, 5.0)), dice.one_of((1.0, 0.5)), 0.5)


# --- who can help ---------------------------------------------------------------------------------


def _resources(dice: Dice, nodes: Nodes) -> Resources:
    """Teams first, then supplies; whole units or parts."""
    is_team = [True, *[dice.chance(0.5) for _ in range(dice.count(0, 2))], False]
    n = len(is_team)
    amounts = (0.0, 3.0, 8.0, 20.5, 60.0)
    stock = [
        [dice.one_of(amounts) if place < nodes.n_provinces else 0.0 for _ in is_team]
        for place in range(nodes.n_places)
    ]
    return Resources(
        name=tuple(f"r{i}" for i in range(n)), title=tuple(f"Resource {i}" for i in range(n)),
        is_team=np.array(is_team), whole_units=np.array([dice.chance(0.6) for _ in is_team]),
        run_cost=np.where(is_team, 0.01, 0.0), move_cost=np.full(n, 0.001),
        acquire_cost=np.full(n, 0.1), people_per_unit=np.zeros(n), stock=np.array(stock),
        idle_return_days=dice.one_of((0.5, 1.0, 2.0, 99.0)),
    )  # fmt: skip


def _desks(dice: Dice, nodes: Nodes) -> tuple[Desk, ...]:
    """1–4 desks; amounts above a delegation go to the desk after it."""
    n = dice.count(1, 4)
    return tuple(
        toy_desk(
            name=f"desk{i}", host=dice.count(nodes.n_provinces - 1, len(nodes.code) - 1),
            servers=dice.one_of((1, 1, 2, 3)), distribution=dice.law(),
            approval_days=0.0 if dice.chance(0.2) else dice.days(3.0),
            delegation_bn_vnd=dice.one_of((0.5, 5.0, np.inf)), up=i + 1 if i + 1 < n else None,
        )
        for i in range(n)
    )  # fmt: skip


def _funds(dice: Dice, n: int) -> tuple[Fund, ...]:
    """Accounts and reserves of every province, and the state's."""

    def fund(kind: str, place: int | None) -> Fund:
        return Fund(
            f"{kind} {place}", kind, place, dice.one_of((1e3, 1e3, 30.0, 0.7, 0.0)),
            earmark=frozenset({"goods0", "money"}) if dice.chance(0.1) else None,
            closes_day=dice.one_of((2.0, 5.5)) if dice.chance(0.1) else None,
        )  # fmt: skip

    own = [fund(kind, place) for kind in ("account", "reserve") for place in range(n)]
    return (*own, fund("state", None))


_TRIGGERS = (
    *[Trigger()] * 8, Trigger(min_severity=2), Trigger(declared_level=1),
    Trigger(days_since_onset=1.0), Trigger(after_fund="reserve"), Trigger(max_uses=2),
)  # fmt: skip
_RAMPS = ((), (), ((0, 0.5), (2, 1.0)), ((1, 0.3), (3, 0.8)), ((0, 0.25), (1, 0.5), (2, 1.0)))


def _mechanisms(dice: Dice, n: int, n_desks: int, n_resources: int) -> tuple[Mechanism, ...]:
    """A way to declare, and several of every other effect."""
    kinds = [
        ("level", Effect.GATE), ("money", Effect.MONEY), ("money1", Effect.MONEY),
        ("goods0", Effect.GOODS), ("goods1", Effect.GOODS), ("aid", Effect.TRANSFER),
    ]  # fmt: skip
    return tuple(_mechanism(dice, name, effect, n, n_desks, n_resources) for name, effect in kinds)


def _mechanism(
    dice: Dice, name: str, effect: Effect, n: int, n_desks: int, n_resources: int
) -> Mechanism:
    ramped = effect in (Effect.MONEY, Effect.GOODS)
    payer = dice.one_of(("reserve", "state") if effect is Effect.MONEY else
                        ("account", "account", "state", None))  # fmt: skip
    desks = [dice.count(-1 if dice.chance(0.2) else 0, n_desks - 1) for _ in range(n)]
    return toy_mechanism(
        name, effect, n, enabled=dice.chance(0.95),
        desk=np.array(desks), distribution=dice.law(),
        handover_days=0.0 if dice.chance(0.3) else dice.days(2.0),
        ramp=dice.one_of(_RAMPS) if ramped else (),
        trigger=dice.one_of(_TRIGGERS) if effect is not Effect.GATE else Trigger(),
        supplies=tuple(
            _supply(dice, r, n) for r in range(n_resources) if dice.chance(0.8)
        ) if effect is Effect.GOODS else (),
        fund_kind=payer, fund_is_central=payer == "state",
        donor_share=dice.one_of((1.0, 1.0, 0.3)), ceiling_bn_vnd=dice.one_of((5.0, np.inf)),
        fixed_cost_bn_vnd=dice.one_of((0.0, 0.2)),
    )  # fmt: skip


def _supply(dice: Dice, resource: int, n: int) -> Supply:
    hubs = {dice.count(0, n - 1): dice.one_of((3.0, 50.0)) for _ in range(dice.count(0, 2))}
    return toy_supply(
        resource, n, hub_stock=hubs, ceiling=dice.one_of((4.0, 60.0, np.inf)),
        scope=dice.one_of(("national", "place", "decision")),
        place_ceiling=np.array([dice.one_of((7.0, np.inf)) for _ in range(n)]),
        unit_cost_bn_vnd=dice.one_of((0.0, 0.03)),
    )  # fmt: skip


# --- who orders what ------------------------------------------------------------------------------


def _epochs(dice: Dice, horizon_days: int) -> tuple[float, ...]:
    """Days of decision: every day, or some days, half days, or any instants."""
    every = tuple(float(day) for day in range(horizon_days))
    if dice.chance(0.4):
        return every
    return tuple(sorted({dice.day(horizon_days) for _ in range(dice.count(3, 12))}))


def _plan(dice: Dice, world: World) -> dict[float, list[Order]]:
    return {
        day: [_order(dice, world) for _ in range(dice.count(1, 8))]
        for day in world.epoch_days
        if dice.chance(0.8)
    }


_WISE = (
    OrderKind.MOVE, OrderKind.MOVE, OrderKind.MOVE, OrderKind.MOBILISE, OrderKind.MOBILISE,
    OrderKind.RETURN, OrderKind.DRAW, OrderKind.DECLARE, OrderKind.SERVE, OrderKind.SERVE,
)  # fmt: skip
_FOOLISH_AMOUNTS = (0.0, 0.4, 7.5, 1e3, 1e9, -3.0, float("nan"), float("inf"))
_AMOUNTS = (1.0, 2.0, 3.0, 5.0, 2.5, 20.0)


def _order(dice: Dice, world: World) -> Order:
    """An order that has a chance; one in five has something wrong with it."""
    n, kind = world.nodes.n_provinces, dice.one_of(_WISE)
    units = kind in (OrderKind.MOVE, OrderKind.MOBILISE, OrderKind.RETURN)
    wise = Order(
        kind, place=dice.count(0, n - 1), quantity=_amount(dice, kind),
        resource=dice.count(0, len(world.resources.name) - 1) if units else -1,
        source=dice.count(0, n - 1),
        home=dice.count(-1, world.nodes.n_places) if dice.chance(0.3) else -1,
        mechanism={OrderKind.DRAW: 1, OrderKind.MOBILISE: 3}.get(kind, 0) + dice.count(0, 1),
        cell=dice.count(0, len(world.cells) - 1), priority=dice.count(0, 2),
    )  # fmt: skip
    if dice.chance(0.8):
        return wise
    return replace(
        wise, quantity=dice.one_of(_FOOLISH_AMOUNTS),
        resource=dice.count(0, len(world.resources.name) - 1),
        place=dice.count(-1, world.nodes.n_places), source=dice.count(-1, world.nodes.n_places),
        mechanism=dice.count(0, len(world.mechanisms) - 1),
    )  # fmt: skip


def _amount(dice: Dice, kind: OrderKind) -> float:
    if kind is OrderKind.DECLARE:
        return float(dice.count(1, 3))
    return dice.one_of((0.0, 0.5, 0.7)) if kind is OrderKind.SERVE else dice.one_of(_AMOUNTS)


def random_stops(world: World, number: int) -> list[int]:
    """Ticks at which a run is interrupted, ascending: any, and some on day boundaries."""
    stream, days = np.random.default_rng(number), world.horizon_days
    anywhere = stream.integers(0, days * TICKS_PER_DAY, 20)
    boundaries = stream.integers(0, days, 4) * TICKS_PER_DAY
    return sorted({*anywhere.tolist(), *boundaries.tolist()})
