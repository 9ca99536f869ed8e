"""Whose teams are where: free teams away from home, kept from orders and arrivals.

Engines count units and not whose they are; a place's own units are what is free there and not
visiting.
"""

from __future__ import annotations

from collections.abc import Iterator

from nts_sim.decision.model import Visiting
from nts_sim.engine.sums import in_turn


class Visitors:
    """Free visiting teams of one replication, by (place, resource) and home."""

    def __init__(self) -> None:
        self._free: dict[tuple[int, int], dict[int, float]] = {}
        self._listed: tuple[Visiting, ...] | None = ()

    def arrive(self, place: int, resource: int, home: int, units: float) -> None:
        """Count teams that came."""
        self._listed = None
        homes = self._free.setdefault((place, resource), {})
        homes[home] = homes.get(home, 0.0) + units

    def promise(self, place: int, resource: int, home: int, units: float) -> None:
        """Take teams off that an order moves on or sends home."""
        self._listed = None
        homes = self._free[place, resource]
        homes[home] -= units
        if homes[home] <= 0.0:
            del homes[home]

    def free(self, place: int, resource: int, home: int) -> float:
        """Free teams of a home at a place."""
        return self._free.get((place, resource), {}).get(home, 0.0)

    def all_free(self, place: int, resource: int) -> float:
        """Free teams of all other homes at a place."""
        return in_turn(self._free.get((place, resource), {}).values())

    def listed(self) -> tuple[Visiting, ...]:
        """Everything that is visiting, by place, resource and home."""
        if self._listed is None:
            self._listed = tuple(
                Visiting(place, resource, home, units)
                for (place, resource), homes in sorted(self._free.items())
                for home, units in sorted(homes.items())
            )
        return self._listed

    def __iter__(self) -> Iterator[Visiting]:
        return iter(self.listed())
