"""Whose teams are where: free teams away from home, kept from orders and arrivals.

Engines count units and not whose they are; a place's own units are what is free there and not
visiting.
"""

from __future__ import annotations

from collections.abc import Iterator

from nts_sim.decision.model import Visiting


class Visitors:
    """Free visiting teams of one replication, by (place, resource) and home."""

    def __init__(self) -> None:
        self._free: dict[tuple[int, int], dict[int, float]] = {}

    def arrive(self, place: int, resource: int, home: int, units: float) -> None:
        """Count teams that came."""
        homes = self._free.setdefault((place, resource), {})
        homes[home] = homes.get(home, 0.0) + units

    def promise(self, place: int, resource: int, home: int, units: float) -> None:
        """Take teams off that an order moves on or sends home."""
        homes = self._free[place, resource]
        homes[home] -= units
        if homes[home] <= 0.0:
            del homes[home]

    def free(self, place: int, resource: int, home: int) -> float:
        """Free teams of a home at a place."""
        return self._free.get((place, resource), {}).get(home, 0.0)

    def all_free(self, place: int, resource: int) -> float:
        """Free teams of all other homes at a place."""
        return sum(self._free.get((place, resource), {}).values())

    def __iter__(self) -> Iterator[Visiting]:
        """Everything that is visiting, by place, resource and home."""
        for (place, resource), homes in sorted(self._free.items()):
            for home in sorted(homes):
                yield Visiting(place, resource, home, homes[home])
