"""What funds can pay, what triggers allow, and the draws that fill a place's account."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nts_sim.decision.model import Observation, Order, OrderKind
from nts_sim.engine.sums import in_turn
from nts_sim.policies.means import Means
from nts_sim.words.why import quoted
from nts_sim.world.model import Mechanism, World

_EXHAUSTED_BN_VND = 1.0
_LEAST_DRAW_BN_VND = 5.0
_DRAW_MARGIN = 2.0
"""A draw asks for twice the gap, so that tomorrow's orders need not wait for another one."""


@dataclass(frozen=True, slots=True)
class PendingDraw:
    """A draw asked for: `amount_bn_vnd` for `place`, expected in its account by `due_day`."""

    mechanism: int
    place: int
    amount_bn_vnd: float
    due_day: float


class _OpenAmounts(dict[int, float]):
    """What can still be committed, bn VND by fund, taken from the observation when looked up."""

    def __init__(self, world: World, observation: Observation) -> None:
        super().__init__()
        self._funds, self._observation = world.funds, observation

    def __missing__(self, fund: int) -> float:
        seen, closes_day = self._observation, self._funds[fund].closes_day
        closed = closes_day is not None and seen.day >= closes_day
        amount = 0.0 if closed else seen.balance.item(fund) - seen.committed.item(fund)
        self[fund] = amount
        return amount


class Purse:
    """Money and triggers at one epoch, as far as they are known.

    Attributes
    ----------
    open_bn_vnd : by fund, what can still be committed
    gap_bn_vnd : by place, what its account lacked for what was wanted; only where it did
    """

    def __init__(
        self, world: World, means: Means, observation: Observation, worst: Mapping[int, int]
    ) -> None:
        self._world, self._means, self._observation = world, means, observation
        self.open_bn_vnd = _OpenAmounts(world, observation)
        self.gap_bn_vnd: dict[int, float] = {}
        self._known = _known_severity(world, observation, worst)
        self._usable: dict[tuple[int, int], bool] = {}

    def usable(self, mechanism: int, place: int) -> bool:
        """Whether a mechanism may be used for a place, as far as is known."""
        key = mechanism, place
        if key not in self._usable:
            self._usable[key] = self._triggered(mechanism, place)
        return self._usable[key]

    def _triggered(self, mechanism: int, place: int) -> bool:
        trigger, seen = self._world.mechanisms[mechanism].trigger, self._observation
        return (
            self._known.get(place, 0) >= trigger.min_severity
            and seen.level.item(place) >= trigger.declared_level
            and (trigger.max_uses is None or seen.uses.item(mechanism) < trigger.max_uses)
            and (trigger.days_since_onset <= 0.0 or self._age(place) >= trigger.days_since_onset)
            and (trigger.after_fund is None or self._exhausted(trigger.after_fund, place))
        )

    def _age(self, place: int) -> float:
        """Days since the oldest incident reported at a place."""
        cells = self._world.cells.at_place[place]
        return float(self._observation.age_days[cells].max(initial=0.0))

    def _exhausted(self, kind: str, place: int) -> bool:
        index = self._world.fund_index
        fund = index.get((kind, place), index.get((kind, None)))
        return fund is None or self.open_bn_vnd[fund] < _EXHAUSTED_BN_VND

    def set_aside(self, index: int, place: int, units: float, unit_cost: float) -> float:
        """Trim units to what the paying fund has open and set that aside; note what is lacking."""
        mechanism = self._world.mechanisms[index]
        fund, fixed = _payer(self._world, mechanism, place), mechanism.fixed_cost_bn_vnd
        if fund < 0 or units <= 0.0 or fixed + unit_cost <= 0.0:
            return units
        open_bn = self.open_bn_vnd[fund]
        cost = fixed + unit_cost * units
        if cost > open_bn:
            if self._world.funds[fund].kind == "account":
                self.gap_bn_vnd[place] = self.gap_bn_vnd.get(place, 0.0) + (cost - open_bn)
            units = float(math.floor(max(0.0, open_bn - fixed) / unit_cost)) if unit_cost else 0.0
            cost = fixed + unit_cost * units if units > 0.0 else 0.0
        self.open_bn_vnd[fund] = open_bn - cost
        return units

    def draws(self, place: int, pending: list[PendingDraw], *, centre: bool) -> list[Order]:
        """Fill the account of a place for what it could not pay: own funds first.

        Parameters
        ----------
        place : int
        pending : draws on their way; those written now are added, those due are dropped
        centre : the centre's money may be asked for
        """
        lacking, day = self.gap_bn_vnd.get(place, 0.0), self._observation.day
        if not lacking:
            return []
        pending[:] = [waiting for waiting in pending if waiting.due_day > day]
        coming = {w.mechanism: w.amount_bn_vnd for w in pending if w.place == place}
        gap = lacking * _DRAW_MARGIN - in_turn(coming.values())
        why = f"why.account_lacks?amount={lacking:.1f}"
        orders = []
        for m in self._means.money:
            above = self._world.mechanisms[m].fund_is_central and not centre
            if gap <= 0.0 or above or m in coming or not self.usable(m, place):
                continue
            amount = self._drawable(m, place, max(gap, _LEAST_DRAW_BN_VND))
            if amount > 0.0:
                orders.append(self._draw(m, place, amount, why))
                due_day = day + 2.0 * self._means.credit_days[m]
                pending.append(PendingDraw(m, place, amount, due_day))
                gap -= amount
        return orders

    def _draw(self, m: int, place: int, amount: float, why: str) -> Order:
        """Write a draw; what would be done instead is to draw on the next fund."""
        later = self._means.money[self._means.money.index(m) + 1 :]
        name = quoted(self._world.mechanisms[later[0]].name) if later else ""
        instead = f"why.mechanism?mechanism={name}" if later else "why.order_less"
        return Order(
            OrderKind.DRAW, place, quantity=amount, mechanism=m, reason=why, runner_up=instead
        )

    def _drawable(self, m: int, place: int, amount: float) -> float:
        """Whole bn VND up to the ceiling and what the fund has open, taken off it."""
        mechanism = self._world.mechanisms[m]
        fund = _payer(self._world, mechanism, place)
        if fund < 0:
            return 0.0
        amount = min(float(math.ceil(amount)), mechanism.ceiling_bn_vnd, self.open_bn_vnd[fund])
        self.open_bn_vnd[fund] -= max(0.0, amount)
        return amount


def _payer(world: World, mechanism: Mechanism, place: int) -> int:
    """Fund that an order under `mechanism` for `place` is charged to; -1: nobody."""
    if mechanism.fund_kind is None:
        return -1
    owner = None if mechanism.fund_is_central else place
    return world.fund_index.get((mechanism.fund_kind, owner), -1)


def _known_severity(
    world: World, observation: Observation, worst: Mapping[int, int]
) -> dict[int, int]:
    """Worst severity reported or forewarned, by place."""
    known = dict(worst)
    for warning in observation.warnings:
        place = world.cells.place.item(warning.cell)
        known[place] = max(known.get(place, 0), warning.severity)
    return known
