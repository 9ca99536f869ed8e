"""The ledger: every fund's balance and commitments; balance ≥ committed ≥ 0 at every instant.

Money is committed when an order is applied, spent at its handover, and what was committed and not
spent is released.
"""

from __future__ import annotations

import numpy as np

from nts_sim.decision.model import Refusal
from nts_sim.world.model import Mechanism, World

_EXHAUSTED_BN_VND = 1.0
"""A fund with less than this open counts as exhausted (the trigger `after_fund`)."""


class Ledger:
    """Money of one replication.

    Attributes
    ----------
    balance, committed : float array [fund], bn VND
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.balance = np.array([fund.balance_bn_vnd for fund in world.funds], dtype=np.float64)
        self.committed = np.zeros(len(world.funds))
        self._index = world.fund_index

    def open_amount(self, fund: int, day: float) -> float:
        """Return what can still be committed on a fund; nothing after it has closed."""
        closes = self._world.funds[fund].closes_day
        if closes is not None and day >= closes:
            return 0.0
        return self.balance.item(fund) - self.committed.item(fund)

    def exhausted(self, kind: str, place: int, day: float) -> bool:
        """Whether the place's (or the central) fund of a kind is used up, or has closed."""
        fund = self._index.get((kind, place), self._index.get((kind, None)))
        return fund is None or self.open_amount(fund, day) < _EXHAUSTED_BN_VND

    def payer(self, mechanism: Mechanism, place: int) -> int:
        """Fund that an order under `mechanism` for `place` is charged to; -1: nobody."""
        if mechanism.fund_kind is None:
            return -1
        owner = None if mechanism.fund_is_central else place
        return self._index.get((mechanism.fund_kind, owner), -1)

    def earmark_refusal(self, fund: int, mechanism: Mechanism) -> Refusal | None:
        """Return EARMARK where the fund is kept for other mechanisms."""
        earmark = self._world.funds[fund].earmark
        return Refusal.EARMARK if earmark is not None and mechanism.name not in earmark else None

    def commit(self, fund: int, amount: float) -> None:
        """Set money aside when an order is applied."""
        if fund >= 0:
            self.committed[fund] += amount

    def spend(self, fund: int, committed: float, spent: float) -> None:
        """Spend at handover and release the rest of the commitment."""
        if fund >= 0:
            self.committed[fund] = max(0.0, self.committed[fund] - committed)
            self.balance[fund] -= spent

    def credit(self, place: int, amount: float) -> None:
        """Pay a drawn tranche into the account of `place`."""
        self.balance[int(self._world.account_of[place])] += amount
