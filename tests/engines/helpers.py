"""Ways to run a toy world by a script of orders and to read its trace by hand.

Nothing here uses `nts_sim.trace.fold` or `nts_sim.outcomes`: what tests conclude from a trace is
worked out row by row, independently of the code that production reads traces with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nts_sim.decision.model import Observation, Order, OrderKind, Policy, Ruling
from nts_sim.engine.contract import Run
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.trace.model import Kind, Trace
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Desk, Fund, Inject, Mechanism, World

LUCK = Luck(1, DrawSet.EVALUATION, 0)
Plan = Mapping[float, Sequence[Order]]


def scripted(plan: Plan, *, manages_returns: bool = True) -> Policy:
    """Make a policy that issues the plan's orders on their days and nothing else."""

    def decide(observation: Observation) -> Sequence[Order]:
        return plan.get(observation.day, ())

    return Policy("scripted", lambda _world: decide, manages_returns=manages_returns)


def play(world: World, plan: Plan | None = None, luck: Luck = LUCK, **policy: bool) -> Run:
    """Run one replication of a script."""
    return simulate(world, scripted(plan or {}, **policy), luck)


def watch(world: World, plan: Plan | None = None, luck: Luck = LUCK) -> dict[float, Observation]:
    """Run one replication of a script; return what was observed, by day."""
    seen: dict[float, Observation] = {}

    def decide(observation: Observation) -> Sequence[Order]:
        seen[observation.day] = observation
        return (plan or {}).get(observation.day, ())

    simulate(world, Policy("watcher", lambda _world: decide, manages_returns=True), luck)
    return seen


def open_session(world: World, luck: Luck = LUCK) -> LocalSession:
    """Open a session without automatic returns."""
    return LocalSession(world, luck, manages_returns=True)


def only(trace: Trace, kind: Kind, **columns: int) -> Trace:
    """Rows of one kind, with the given values in other columns."""
    chosen = trace["kind"] == kind
    for name, value in columns.items():
        chosen &= trace[name] == value
    return trace[chosen]


def days_of(rows: Trace) -> list[float]:
    """Days of rows, exact."""
    return (rows["tick"] / TICKS_PER_DAY).tolist()


def story(trace: Trace, *kinds: Kind) -> list[tuple[Kind, float, float]]:
    """(kind, day, quantity) of the rows of some kinds, in order."""
    rows = trace[np.isin(trace["kind"], kinds)]
    return [(Kind(r["kind"]), r["tick"] / TICKS_PER_DAY, float(r["quantity"])) for r in rows]


def coverage_path(run: Run, cell: int, world: World) -> list[tuple[float, int, float]]:
    """(day, severity, coverage) of a cell, as told by its COVERAGE rows."""
    rows = only(
        run.trace, Kind.COVERAGE, node=int(world.cells.node[cell]),
        threat=int(world.cells.threat[cell]),
    )  # fmt: skip
    return [(r["tick"] / TICKS_PER_DAY, int(r["quantity"]), float(r["value"])) for r in rows]


def ruled(run: Run) -> list[tuple[float, str | None]]:
    """(granted, reason) of every order, by number."""
    return [(r.granted, None if r.refusal is None else r.refusal.value) for r in run.rulings]


def integrate(world: World, trace: Trace, weight: Callable[[int, int, float], float]) -> float:
    """Integrate weight(cell, severity, coverage) over the days of all active cells."""
    horizon = ticks(world.horizon_days)
    present: dict[int, tuple[int, int, float]] = {}
    total = 0.0

    def close(cell: int, now: int) -> float:
        since, severity, coverage = present.get(cell, (now, 0, 0.0))
        return weight(cell, severity, coverage) * (now - since) / TICKS_PER_DAY if severity else 0.0

    for row in only(trace, Kind.COVERAGE):
        cell, now = int(world.cells.of[row["node"], row["threat"]]), int(row["tick"])
        total += close(cell, now)
        present[cell] = (now, int(row["quantity"]), float(row["value"]))
    return total + sum(close(cell, horizon) for cell in present)


def harm(world: World, trace: Trace) -> float:
    """Harm of a replication, bn VND: w · exposed · days · (1 − ρ · coverage)."""
    rate, relief = world.cells.harm_rate, world.threats.relief_effect[world.cells.threat]
    return integrate(world, trace, lambda c, s, cov: rate[c, s - 1] * (1.0 - relief[c] * cov))


def unrelieved(world: World, trace: Trace) -> float:
    """Harm of the same incidents had nobody been covered, bn VND."""
    return integrate(world, trace, lambda c, s, _: world.cells.harm_rate[c, s - 1])


@dataclass
class Books:
    """Units and money of one replication, kept row by row by an auditor who trusts nobody."""

    world: World
    rulings: Sequence[Ruling]

    def __post_init__(self) -> None:
        self.on_hand = self.world.resources.stock.astype(float).copy()
        self.held = np.zeros_like(self.on_hand)
        n_resources = self.on_hand.shape[1]
        self.on_road = np.zeros(n_resources)
        self.consumed, self.created, self.released = np.zeros((3, n_resources))
        self.shipments: dict[int, list[float]] = {}
        self.balance = np.array([fund.balance_bn_vnd for fund in self.world.funds])
        self.committed = np.zeros_like(self.balance)
        self.spent = 0.0
        self.drawn_not_credited: dict[int, float] = {}
        self._begin = self.total_units(), self.total_money()

    def total_units(self) -> np.ndarray:
        """On hand, on the road, used up and released, less what was created [resource]."""
        here = self.on_hand.sum(axis=0) + self.on_road
        return here + self.consumed + self.released - self.created

    def total_money(self) -> float:
        """Balances, money on its way to an account, and what was spent on help."""
        return self.balance.sum() + sum(self.drawn_not_credited.values()) + self.spent

    def take(self, row: np.void) -> None:
        """Book one row."""
        kind = Kind(row["kind"])
        if kind is Kind.CONSUME:
            self.on_hand[row["node"], row["resource"]] -= row["quantity"]
            self.consumed[row["resource"]] += row["quantity"]
        elif row["order"] >= 0 and kind not in (Kind.SPREAD, Kind.BLOCKED, Kind.MISSED):
            self._order(kind, row, self.rulings[row["order"]])

    def _order(self, kind: Kind, row: np.void, ruling: Ruling) -> None:
        order, number = ruling.order, ruling.number
        takes = order.kind in (OrderKind.MOVE, OrderKind.RETURN)
        if kind is Kind.ADMIT:
            self._commit(ruling)
            if takes:
                self.held[ruling.source, order.resource] += row["quantity"]
        elif kind is Kind.HANDOVER:
            self._spend(ruling, float(row["value"]))
        elif kind is Kind.CREDIT:
            self.drawn_not_credited[number] -= row["quantity"]
            self.balance[self.world.account_of[order.place]] += row["quantity"]
        elif kind is Kind.DEPART:
            self._depart(row, ruling, takes)
        elif kind is Kind.ARRIVE:
            self._arrive(row, number)

    def _commit(self, ruling: Ruling) -> None:
        if ruling.fund >= 0:
            self.committed[ruling.fund] += ruling.cost_bn_vnd

    def _spend(self, ruling: Ruling, amount: float) -> None:
        if ruling.fund < 0:
            assert amount == 0.0
            return
        self.committed[ruling.fund] -= ruling.cost_bn_vnd
        self.balance[ruling.fund] -= amount
        if ruling.order.kind is OrderKind.DRAW:
            self.drawn_not_credited[ruling.number] = amount
        else:
            self.spent += amount

    def _depart(self, row: np.void, ruling: Ruling, takes: bool) -> None:
        place, resource, units = int(row["node"]), int(row["resource"]), float(row["quantity"])
        assert place == ruling.source
        self.on_road[resource] += units
        self.shipments.setdefault(ruling.number, []).append(units)
        if takes:
            self.held[place, resource] -= units
            self.on_hand[place, resource] -= units
        else:
            self.created[resource] += units

    def _arrive(self, row: np.void, number: int) -> None:
        place, resource, units = int(row["node"]), int(row["resource"]), float(row["quantity"])
        self.shipments[number].remove(units)
        self.on_road[resource] -= units
        if place >= 0:
            self.on_hand[place, resource] += units
        else:
            self.released[resource] += units

    def check(self, slack: float = 1e-6) -> None:
        """Nothing below zero, nothing lost, nothing promised twice."""
        units, money = self._begin
        assert (self.on_hand >= -slack).all(), "negative stock"
        assert (self.held >= -slack).all(), "negative reservation"
        assert (self.on_hand - self.held >= -slack).all(), "reserved more than there is"
        assert (self.on_road >= -slack).all(), "arrived without having left"
        assert (self.committed >= -slack).all(), "negative commitment"
        assert (self.balance - self.committed >= -slack).all(), "committed more than there is"
        assert all(left >= -slack for left in self.drawn_not_credited.values())
        assert (abs(self.total_units() - units) <= slack * (1.0 + units)).all(), "units lost"
        assert abs(self.total_money() - money) <= slack * (1.0 + money), "money lost"


def audit(world: World, run: Run) -> Books:
    """Check the books after every row of a replication; return them as they stand at its end."""
    books = Books(world, run.rulings)
    for row in run.trace:
        books.take(row)
        books.check()
    return books


def changed(world: World, mechanism: str, **changes: object) -> World:
    """Return the world with one mechanism changed."""
    mechanisms: tuple[Mechanism, ...] = tuple(
        replace(m, **changes) if m.name == mechanism else m  # type: ignore[arg-type]
        for m in world.mechanisms
    )
    return replace(world, mechanisms=mechanisms)


def with_desk(world: World, **changes: object) -> World:
    """Return the world with its first desk changed."""
    first: Desk = replace(world.desks[0], **changes)  # type: ignore[arg-type]
    return replace(world, desks=(first, *world.desks[1:]))


def with_fund(world: World, kind: str, place: int, **changes: object) -> World:
    """Return the world with one fund changed."""
    funds: tuple[Fund, ...] = tuple(
        replace(f, **changes) if (f.kind, f.place) == (kind, place) else f  # type: ignore[arg-type]
        for f in world.funds
    )
    return replace(world, funds=funds)


def inject(cell: int, severity: int = 1, day: float = 0.0) -> Inject:
    """Make a certain onset."""
    return Inject(cell, severity, day)


LEVEL, GRANT, ARMY, MUTUAL_AID = range(4)
"""Mechanisms of a toy world."""
