"""When tasks start and are due: each waits until all that it needs is in place.

A respond task starts on the day of its order, or when the last of its predecessors is due if that
is later; its own steps follow at their typical lengths. Preparations are counted back from day 0:
each is due when the first that waits for it starts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate, islice
from typing import Final, NamedTuple

from nts_sim.plan.drafts import PREPARE, PREPARING, Draft

Before = list[set[int]]
"""By task, the positions of the tasks it waits for."""


_SENT: Final = ("mobilise", "move", "return")
"""Kinds of orders by which units travel: they serve from the next morning on, as simulated."""
_SLACK: Final = 1e-9


class Dates(NamedTuple):
    """Days after the start of the scenario; negative before it."""

    start: float
    approved: float
    handover: float
    due: float


def scheduled(tasks: Sequence[Draft], before: Before) -> list[Dates]:
    """Give every task its dates.

    Parameters
    ----------
    tasks : preparations first, orders by number; nobody waits for a later order
    before : as `predecessors` returns it
    """
    made: dict[int, Dates] = {}
    for index in _backwards(tasks):
        after = [made[i].start for i in made if index in before[i]]
        due = min([0.0, *after])
        made[index] = _dates(tasks[index], due - tasks[index].lead_days)
    for index, task in enumerate(tasks):
        if index not in made:
            start = max([task.day, *(made[i].due for i in before[index])])
            made[index] = _dates(task, start)
    return [made[index] for index in range(len(tasks))]


def _backwards(tasks: Sequence[Draft]) -> list[int]:
    """Positions of the preparations, the last to be done first."""
    listed = [index for index, task in enumerate(tasks) if task.stage == PREPARE]
    return sorted(listed, key=lambda index: -PREPARING.index(tasks[index].kind))


def _dates(task: Draft, start: float) -> Dates:
    steps = (task.approval_days, task.handover_days, task.parts_days + task.travel_days)
    start, approved, handover, due = accumulate(steps, initial=start)
    if task.kind in _SENT:
        due = float(math.ceil(due - _SLACK))
    return Dates(start, approved, handover, due)


# --- what waits for what ------------------------------------------------------------------------


def predecessors(tasks: Sequence[Draft]) -> Before:
    """Say which tasks each task waits for.

    A purchase waits for the depot at its place; a posting for the depot and the purchase it takes
    from; an order for its mechanism being made ready, for the declared level that opens it, for
    units bought or posted where it takes them, and for the draws whose money it spends.
    """
    before: Before = [set() for _ in tasks]
    preparations = [i for i, task in enumerate(tasks) if task.stage == PREPARE]
    declarations = [i for i, task in enumerate(tasks) if task.kind == "declare"]
    for index, task in enumerate(tasks):
        before[index] |= {i for i in preparations if i != index and _prepares(tasks[i], task)}
        if task.needs_level:
            opening = (i for i in declarations if i < index and _opens(tasks[i], task))
            before[index] |= set(islice(opening, 1))
    for index, draws in _paid_by(tasks).items():
        before[index] |= draws
    return before


def _prepares(step: Draft, task: Draft) -> bool:
    """Whether a step before day 0 has to be done before a task."""
    if step.kind == "ready":
        return task.kind == "mobilise" and task.mechanism == step.mechanism
    if step.kind == "depot":
        return task.stage == PREPARE and task.kind in ("buy", "post") and task.place == step.place
    takes = task.source == step.place and task.resource == step.resource
    return takes and (task.kind == "move" or (step.kind, task.kind) == ("buy", "post"))


def _opens(declared: Draft, task: Draft) -> bool:
    """Whether a declaration was in force and opened the mechanism of a task."""
    is_enough = declared.place == task.place and declared.quantity >= task.needs_level
    return is_enough and declared.forecast_day <= task.day


def _paid_by(tasks: Sequence[Draft]) -> dict[int, set[int]]:
    """Say which draws filled the account that each task is charged to, first in, first out."""
    found: dict[int, set[int]] = defaultdict(set)
    spent: dict[str, float] = defaultdict(float)
    drawn: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for index, task in enumerate(tasks):
        if task.kind == "draw":
            drawn[task.place].append((index, task.to_come))
        elif task.fund == "account" and task.cost_bn_vnd > 0.0:
            first, last = spent[task.place], spent[task.place] + task.cost_bn_vnd
            spent[task.place], level = last, task.opened_bn_vnd
            for i, amount in drawn[task.place]:
                uses = level < last and level + amount > first
                if uses and _was_there(tasks[i], task):
                    found[index].add(i)
                level += amount
    return found


def _was_there(draw: Draft, task: Draft) -> bool:
    """Whether all the money of a draw had come when a task was ordered."""
    return not math.isnan(draw.forecast_day) and draw.forecast_day <= task.day
