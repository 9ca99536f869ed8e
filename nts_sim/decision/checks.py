"""Checks of orders that come from outside: indices in range, nothing set that does not apply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nts_sim.decision.model import Order, OrderKind
from nts_sim.errors import Problem
from nts_sim.words import say
from nts_sim.world.model import World

_APPLIES = {
    OrderKind.DECLARE: {"place"},
    OrderKind.DRAW: {"place", "mechanism"},
    OrderKind.RETURN: {"place", "resource", "home"},
    OrderKind.MOBILISE: {"place", "resource", "mechanism"},
    OrderKind.MOVE: {"place", "resource", "source", "home"},
    OrderKind.SERVE: {"cell"},
}
_OPTIONAL = frozenset({"home"})


def order_problems(world: World, orders: Sequence[Order]) -> list[Problem]:
    """Return what is wrong with orders that a planner's own code has written."""
    sizes = {
        "place": world.nodes.n_places,
        "source": world.nodes.n_places,
        "home": world.nodes.n_places + 1,
        "resource": len(world.resources.name),
        "mechanism": len(world.mechanisms),
        "cell": len(world.cells),
    }
    return [
        Problem(say("said.where.order", number=number, kind=order.kind.name.lower()), what)
        for number, order in enumerate(orders, start=1)
        for what in _faults(order, sizes)
    ]


def _faults(order: Order, sizes: dict[str, int]) -> Iterator[str]:
    applies = _APPLIES[order.kind]
    for field, size in sizes.items():
        value = getattr(order, field)
        if field not in applies and value != -1:
            yield say("said.order.does_not_apply", field=field, value=value)
        elif field in applies and not (-1 if field in _OPTIONAL else 0) <= value < size:
            yield say("said.order.does_not_exist", field=field, value=value, last=size - 1)
