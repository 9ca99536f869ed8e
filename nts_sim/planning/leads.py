"""When an order given now, or at a coming epoch, would begin to serve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nts_sim.decision.model import Observation
from nts_sim.engine.travel import travel_days
from nts_sim.luck.draws import mean_from_median
from nts_sim.planning.network import supply_of
from nts_sim.planning.problem import Sets
from nts_sim.world.model import Bools, Effect, Floats, Ints, Supply, World

NEVER_DAYS = 1e6
_EXHAUSTED_BN_VND = 1.0
"""A fund with less than this open counts as exhausted, as in the ledger."""
_EPS = 1e-6


def open_money(world: World, observation: Observation, day: float | None = None) -> Floats:
    """Return what can still be committed on each fund on a day, float array [fund], bn VND."""
    closes = [np.inf if f.closes_day is None else f.closes_day for f in world.funds]
    open_now = observation.balance - observation.committed
    at = observation.day if day is None else day
    return np.where(at < np.array(closes), np.maximum(open_now, 0.0), 0.0)


class Leads:
    """When an order would begin to serve: typical approval, handover, travel, muster, triggers.

    `sooner_days`, mechanism → days, are taken off a mechanism's approval and handover.
    """

    def __init__(
        self,
        world: World,
        sets: Sets,
        observation: Observation,
        sooner_days: Mapping[int, float] | None = None,
    ) -> None:
        self._world, self._sets, self._observation = world, sets, observation
        self._sooner_days = sooner_days or {}
        self._approval = self._approvals()
        self._worst = self._worst_severity()
        self._travel = travel_days(world, observation.road_severity)

    def arcs(self) -> Ints:
        """First period served by units lent or forwarded, int array [arc, D]."""
        sets = self._sets
        if sets.transfer < 0:
            return np.full((len(sets.arc_from), len(sets.departure)), sets.n_periods)
        lead = self._lead(sets.transfer)
        ready = self._usable(sets.transfer)[sets.arc_to]
        days = lead[sets.arc_from] + self._travel[sets.arc_from, sets.arc_to]
        return self._period(ready, days)

    def goods(self) -> Ints:
        """First period served by units created, int array [goods, place, D]."""
        return np.stack(
            [
                self._period(
                    self._usable(way.mechanism),
                    self._lead(way.mechanism) + self._from_hub(supply_of(self._world, way)),
                )
                for way in self._sets.goods
            ]
            or [np.zeros((self._sets.n_places, len(self._sets.departure)), dtype=np.int64)]
        )[: len(self._sets.goods)]

    def draws(self) -> Ints:
        """First period at whose start drawn money can be committed, int array [draw, place, D]."""
        return np.stack(
            [
                self._period(self._usable(way.mechanism), self._lead(way.mechanism))
                for way in self._sets.draws
            ]
            or [np.zeros((self._sets.n_places, len(self._sets.departure)), dtype=np.int64)]
        )[: len(self._sets.draws)]

    def _period(self, ready: Floats, days: Floats) -> Ints:
        """First period that starts at or after the arrival; T where the order may not be given."""
        sets = self._sets
        given = sets.edges_days[sets.departure]
        arrival = np.maximum(np.ceil(given + days[:, None] - _EPS), given + 1.0)
        period = np.searchsorted(sets.edges_days[:-1], arrival)
        return np.where(ready[:, None] <= given + _EPS, period, sets.n_periods)

    def _lead(self, mechanism: int) -> Floats:
        """Typical days from order to handover, by the place whose desk signs."""
        chosen = self._world.mechanisms[mechanism]
        handover = mean_from_median(chosen.distribution, chosen.handover_days)
        desk = chosen.desk[: self._sets.n_places]
        days = np.where(desk >= 0, self._approval[desk], 0.0) + handover
        return np.maximum(days - self._sooner_days.get(mechanism, 0.0), 0.0)

    def _approvals(self) -> Floats:
        """Typical days at each desk, slowed by what is reported at its host."""
        world, severity = self._world, self._observation.severity
        worst = np.zeros(len(world.nodes.code), dtype=np.int64)
        slowing = np.flatnonzero((severity > 0) & world.threats.slows_desks[world.cells.threat])
        np.maximum.at(worst, world.cells.node[slowing], severity[slowing])
        typical = [mean_from_median(d.distribution, d.approval_days) for d in world.desks]
        return np.array(typical) / world.desk_speed[worst[[d.host for d in world.desks]]]

    def _worst_severity(self) -> Ints:
        """Worst severity reported or forewarned at each place, int array [place]."""
        world, observation = self._world, self._observation
        worst = np.zeros(world.nodes.n_places, dtype=np.int64)
        np.maximum.at(worst, world.cells.place, observation.severity)
        for warning in observation.warnings:
            place = world.cells.place[warning.cell]
            worst[place] = max(worst[place], warning.severity)
        return worst[: self._sets.n_places]

    def _usable(self, mechanism: int) -> Floats:
        """Days from now until the mechanism's trigger can hold, [place]; a large number: never."""
        trigger, observation, n = (
            self._world.mechanisms[mechanism].trigger, self._observation, self._sets.n_places,
        )  # fmt: skip
        ready = self._declared(trigger.declared_level)
        ready[self._worst < trigger.min_severity] = NEVER_DAYS
        if trigger.max_uses is not None and observation.uses[mechanism] >= trigger.max_uses:
            ready[:] = NEVER_DAYS
        if trigger.after_fund is not None:
            ready[~self._exhausted(trigger.after_fund)] = NEVER_DAYS
        if trigger.days_since_onset > 0.0:
            age = np.full(self._world.nodes.n_places, -np.inf)
            active = np.flatnonzero(observation.severity > 0)
            np.maximum.at(age, self._world.cells.place[active], observation.age_days[active])
            ready = np.maximum(ready, trigger.days_since_onset - age[:n])
        return ready

    def _declared(self, level: int) -> Floats:
        """Days until a place can stand at a level: 0 where it does, else a declaration now."""
        world, n = self._world, self._sets.n_places
        if level == 0:
            return np.zeros(n)
        gates = (i for i, m in enumerate(world.mechanisms) if m.effect is Effect.GATE and m.enabled)
        if (at := next(gates, None)) is None:
            days = np.full(n, NEVER_DAYS)
        else:
            gate, sooner = world.mechanisms[at], self._sooner_days.get(at, 0.0)
            handover = mean_from_median(gate.distribution, gate.handover_days)
            days = self._approval[world.level_desks[:n, level - 1]] + handover - sooner
        return np.where(self._observation.level[:n] >= level, 0.0, np.maximum(days, _EPS * 2))

    def _exhausted(self, kind: str) -> Bools:
        world, money = self._world, open_money(self._world, self._observation)
        funds = [
            world.fund_index.get((kind, p), world.fund_index.get((kind, None), -1))
            for p in range(self._sets.n_places)
        ]
        return np.array([f < 0 or money[f] < _EXHAUSTED_BN_VND for f in funds])

    def _from_hub(self, supply: Supply) -> Floats:
        """Travel of created units: locally, or from the nearest hub."""
        n = self._sets.n_places
        if not supply.hub_stock:
            return np.diagonal(self._travel)[:n].copy()
        return np.asarray(self._travel[sorted(supply.hub_stock), :n].min(axis=0))
