"""The cashier: what of a granted quantity a fund can pay, and who signs for it."""

from __future__ import annotations

import math
from typing import NamedTuple

from nts_sim.decision.model import Refusal
from nts_sim.engine.contract import Engine
from nts_sim.engine.ledger import Ledger
from nts_sim.units import days
from nts_sim.world.model import Mechanism, World

GRAIN = 1e-9
"""Slack when rounding down to whole units, so that 3 bought with the money for 3 stays 3."""


def round_down(quantity: float, whole: bool) -> float:
    """Whole units that are in a quantity, where a resource comes in whole units."""
    return float(math.floor(quantity + GRAIN)) if whole else quantity


class Bill(NamedTuple):
    """What is paid for and signed; `refusal` says what cut it."""

    quantity: float
    refusal: Refusal | None
    fund: int = -1
    cost_bn_vnd: float = 0.0
    desk: int = -1


class Cashier:
    """Where quantities are paid for; reads the ledger, changes nothing.

    Parameters
    ----------
    world : World
    engine : its present day is the day of payment
    ledger : balances and commitments
    """

    def __init__(self, world: World, engine: Engine, ledger: Ledger) -> None:
        self._desks, self._engine, self._ledger = world.desks, engine, ledger

    def pay(
        self, asked: Bill, mechanism: Mechanism, place: int, unit_cost: float, signer: int,
        *, whole: bool,
    ) -> Bill:  # fmt: skip
        """Trim what is asked for `place` to what the fund can pay, and have it signed.

        Parameters
        ----------
        unit_cost : bn VND
        signer : place whose desk signs
        whole : the resource comes in whole units
        """
        quantity, cut = asked.quantity, asked.refusal
        fund, fixed = self._ledger.payer(mechanism, place), mechanism.fixed_cost_bn_vnd
        if mechanism.fund_kind is None:
            unit_cost = fixed = 0.0
        if unit_cost > 0.0 or fixed > 0.0:
            refusal = self.not_payable(mechanism, fund)
            if refusal is not None:
                return Bill(0.0, refusal)
            affordable = self._affordable(fund, fixed, unit_cost)
            if affordable + GRAIN < quantity:
                quantity, cut = round_down(affordable, whole), Refusal.FUND
        cost = fixed + unit_cost * quantity if quantity > 0.0 else 0.0
        return self.sign(Bill(quantity, cut, fund, cost), int(mechanism.desk[signer]))

    def not_payable(self, mechanism: Mechanism, fund: int) -> Refusal | None:
        """Why a mechanism cannot be charged to a fund; None where it can."""
        if fund < 0:
            return Refusal.FUND
        return self._ledger.earmark_refusal(fund, mechanism)

    def open_bn_vnd(self, fund: int) -> float:
        """Return what can be committed on a fund today."""
        return self._ledger.open_amount(fund, days(self._engine.now))

    def _affordable(self, fund: int, fixed: float, unit_cost: float) -> float:
        """Units that a fund can pay for."""
        left = self.open_bn_vnd(fund) - fixed
        if left < 0.0:
            return 0.0
        return left / unit_cost if unit_cost > 0.0 else math.inf

    def sign(self, bill: Bill, desk: int) -> Bill:
        """Send amounts above a desk's delegation one desk up."""
        while desk >= 0 and bill.cost_bn_vnd > self._desks[desk].delegation_bn_vnd:
            up = self._desks[desk].up
            if up is None:
                return Bill(0.0, Refusal.AUTHORITY, bill.fund)
            desk = up
        return Bill(bill.quantity, bill.refusal, bill.fund, bill.cost_bn_vnd, desk)
