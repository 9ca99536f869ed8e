"""The compiled engine's story, on flat tables: the same events in the same order as SimPy's.

Read it beside `incidents`, `convoys` and `stockroom`: names and cases are theirs. `w` is the
world's tables and `s` the present of the replication (see `flat`). Arithmetic is that of `rules`;
luck is drawn where it is needed, from the same keys.

A reader's path: `advance` → `step` → `turn` and `land` (incidents), `sign` → `hand_over` → `depart`
→ `arrive` (orders) → `settle` → `cover`. Nothing here allocates or checks bounds: whoever calls
makes room first, and `advance` stops when rows run short and goes on when called again.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from nts_sim.decision.model import OrderKind
from nts_sim.engine import contract, rules
from nts_sim.engine.flat import Fixed, Opened, Play, Records
from nts_sim.luck.compiled import draw, standard_exponential
from nts_sim.trace.model import Kind
from nts_sim.units import NEVER, TICKS_PER_DAY
from nts_sim.units import delay_ticks as _delay_ticks
from nts_sim.world.model import Ints

# Without reference counts, tuples of tables cost nothing to make (counting made a run 6 × slower);
# passed to a function that is not inlined they cost 0.1 µs, which only orders can afford.
_OPTIONS: dict[str, Any] = {"_nrt": False, "error_model": "numpy"}
_INNER: dict[str, Any] = {**_OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

F = TypeVar("F", bound=Callable[..., Any])


def entry(function: F) -> F:
    """Compile a function of tables and numbers that Python calls; it may not allocate."""
    return cast(F, njit(cache=True, **_OPTIONS)(function))


def inlined(function: F) -> F:
    """Compile into whatever calls it."""
    return cast(F, njit(forceinline=True, **_INNER)(function))


def called(function: F) -> F:
    """Compile once, to be called where it is rarely needed."""
    return cast(F, njit(**_INNER)(function))


fill = inlined(rules.fill)
containment_speed = inlined(rules.containment_speed)
escalation_speed = inlined(rules.escalation_speed)
hit_probability = inlined(rules.hit_probability)
work_left = inlined(rules.work_left)
rest_of_day = inlined(rules.rest_of_day)
delay_ticks = inlined(_delay_ticks)

_WORST_SEVERITY = 3
_STAY, _RISE, _IMMUNITY, _LAG, _HIT = range(5)
_SIGNING, _HANDING_OVER, _SENDING = range(3)

_DELIVERY, _DEPARTURE = contract.PHASE_DELIVERY, contract.PHASE_DEPARTURE
_ONSET = contract.PHASE_ONSET
_SETTLE, _EPOCH = contract.PHASE_SETTLE, contract.PHASE_EPOCH
_RESETTLE = contract.PHASE_RESETTLE

_ROW_ONSET, _ROW_SPREAD = int(Kind.ONSET), int(Kind.SPREAD)
_ROW_BLOCKED, _ROW_MISSED = int(Kind.BLOCKED), int(Kind.MISSED)
_ROW_RISE, _ROW_FALL, _ROW_SUSCEPTIBLE = int(Kind.RISE), int(Kind.FALL), int(Kind.SUSCEPTIBLE)
_ROW_COVERAGE, _ROW_CONSUME = int(Kind.COVERAGE), int(Kind.CONSUME)
_ROW_APPROVED, _ROW_HANDOVER = int(Kind.APPROVED), int(Kind.HANDOVER)
_ROW_LEVEL, _ROW_CREDIT = int(Kind.LEVEL), int(Kind.CREDIT)
_ROW_TARGET = int(Kind.TARGET)
_ROW_DEPART, _ROW_ARRIVE = int(Kind.DEPART), int(Kind.ARRIVE)
_DECLARE, _DRAW = int(OrderKind.DECLARE), int(OrderKind.DRAW)


# --- the agenda: a heap by (key, sub), four children to a parent ----------------------------------
# The key is due tick, phase and index in one number. A clock that is set anew leaves its old entry
# where it is; `due` of the clock tells which is true.


@inlined
def slot_of(w: Fixed, s: Play, clock: int) -> int:
    """Place of a clock's event in the order of an instant, as one number (`clockwork.slot`)."""
    n = len(w.slots)
    return int(w.slots[clock] if clock < n else s.slots[clock - n])


@inlined
def _sooner(key: int, sub: int, than_key: int, than_sub: int) -> bool:
    """Whether one entry comes before another, without a jump that the processor cannot foresee."""
    return bool((key < than_key) | ((key == than_key) & (sub < than_sub)))


@inlined
def _put(s: Play, at: int, key: int, sub: int, clock: int) -> None:
    entry = s.agenda[at]
    entry.key, entry.sub, entry.clock = key, sub, clock


@inlined
def _rise(s: Play, at: int, key: int, sub: int, clock: int) -> None:
    """Put an entry at a free place of the agenda, or before its parents that come later."""
    while at > 0:
        parent = s.agenda[(at - 1) >> 2]
        if not _sooner(key, sub, parent.key, parent.sub):
            break
        _put(s, at, parent.key, parent.sub, parent.clock)
        at = (at - 1) >> 2
    _put(s, at, key, sub, clock)


@inlined
def _take_first(s: Play) -> None:
    """Take the first entry off: the last one goes to its place, or behind what comes sooner."""
    control = s.control[0]
    control.waiting -= 1
    n, at, last = control.waiting, 0, s.agenda[control.waiting]
    while 4 * at + 1 < n:
        first = 4 * at + 1
        key, sub = s.agenda[first].key, s.agenda[first].sub
        for child in range(first + 1, min(first + 4, n)):
            entry = s.agenda[child]
            sooner = _sooner(entry.key, entry.sub, key, sub)
            first = child if sooner else first
            key, sub = entry.key if sooner else key, entry.sub if sooner else sub
        if not _sooner(key, sub, last.key, last.sub):
            break
        _put(s, at, key, sub, s.agenda[first].clock)
        at = first
    _put(s, at, last.key, last.sub, last.clock)


@inlined
def _is_true(w: Fixed, s: Play, at: int) -> bool:
    """Whether an entry's clock was not set anew; where an order stands changes as it goes on."""
    entry, n = s.agenda[at], len(w.slots)
    if s.due[entry.clock] != entry.key >> 32:
        return False
    slot = ((entry.key & 0xFFFFFFFF) << 32) | entry.sub
    return bool(entry.clock < n or s.slots[entry.clock - n] == slot)


@inlined
def _waits(w: Fixed, s: Play) -> bool:
    """Whether anything is on the agenda; its first entry is then true."""
    control = s.control[0]
    while control.waiting > 0 and not _is_true(w, s, 0):
        _take_first(s)
    return bool(control.waiting > 0)


@inlined
def drop(s: Play, clock: int) -> None:
    """Let a clock not come up."""
    s.due[clock] = -1


@inlined
def schedule(w: Fixed, s: Play, clock: int, delay: int) -> None:
    """Let a clock come up after a delay, instead of when it was to; beyond the horizon: never."""
    control = s.control[0]
    due = control.now + delay
    if delay >= NEVER or due >= w.rules[0].horizon:
        drop(s, clock)
        return
    s.due[clock] = due
    enter(w, s, clock)


@inlined
def enter(w: Fixed, s: Play, clock: int) -> None:
    """Put a clock on the agenda at the tick when it is due."""
    control, slot = s.control[0], slot_of(w, s, clock)
    if control.waiting == len(s.agenda):
        _tidy(w, s)
    control.waiting += 1
    key = (np.int64(s.due[clock]) << 32) | (slot >> 32)
    _rise(s, control.waiting - 1, int(key), slot & 0xFFFFFFFF, clock)


@called
def _tidy(w: Fixed, s: Play) -> None:
    """Keep one true entry a clock, for which there is room twice."""
    control, kept = s.control[0], 0
    for at in range(control.waiting):
        entry = s.agenda[at]
        if _is_true(w, s, at):
            drop(s, entry.clock)
            _rise(s, kept, entry.key, entry.sub, entry.clock)
            kept += 1
    control.waiting = kept
    for at in range(kept):
        s.due[s.agenda[at].clock] = s.agenda[at].key >> 32


# --- clocks: work left, done at a speed that may change -------------------------------------------


@inlined
def load(w: Fixed, s: Play, clock: int, days: float, speed: float) -> None:
    """Start `days` of work."""
    work = s.works[_work(w, clock)]
    work.left, work.speed, work.since, work.loaded = days, speed, s.control[0].now, True
    schedule(w, s, clock, delay_ticks(days, speed))


@inlined
def pace(w: Fixed, s: Play, clock: int, speed: float) -> None:
    """Go on at a new speed; equal speed changes nothing."""
    work = s.works[_work(w, clock)]
    if not work.loaded or speed == work.speed:
        return
    now = s.control[0].now
    work.left = work_left(work.left, work.speed, (now - work.since) / TICKS_PER_DAY)
    work.speed, work.since = speed, now
    schedule(w, s, clock, delay_ticks(work.left, speed))


@inlined
def stop(w: Fixed, s: Play, clock: int) -> None:
    """Forget the work."""
    s.works[_work(w, clock)].loaded = False
    drop(s, clock)


@inlined
def _work(w: Fixed, clock: int) -> int:
    """Where the work of a clock is kept: a cell's two side by side, then those of orders."""
    n_cells, n = w.rules[0].n_cells, len(w.slots)
    if clock >= n:
        return int(2 * n_cells + ((clock - n) >> 1))
    return int(2 * clock if clock < n_cells else 2 * (clock - n_cells) + 1)


# --- the trace --------------------------------------------------------------------------------


@inlined
def at_slot(s: Play, phase: int, index: int, sub: int) -> None:
    """Say where in the instant the present is."""
    control = s.control[0]
    control.phase, control.index, control.sub = phase, index, sub


@inlined
def write(
    s: Play,
    kind: int,
    node: int,
    threat: int,
    resource: int,
    order: int,
    quantity: float,
    value: float,
    cause: int,
) -> int:
    """Write a row at the present instant and slot; return its number."""
    control = s.control[0]
    row = s.rows[control.n_rows]
    row["tick"], row["phase"], row["index"] = control.now, control.phase, control.index
    row["sub"], row["kind"], row["node"], row["threat"] = control.sub, kind, node, threat
    row["resource"], row["order"], row["quantity"] = resource, order, quantity
    row["value"], row["cause_row"] = value, cause
    control.n_rows += 1
    return int(control.n_rows - 1)


@inlined
def write_cell(
    w: Fixed, s: Play, kind: int, cell: int, quantity: float, value: float, order: int, cause: int
) -> int:
    """Write a row about a cell; return its number."""
    about = w.cells[cell]
    return write(s, kind, about.node, about.threat, -1, order, float(quantity), value, cause)


@inlined
def write_order(
    s: Play, kind: int, number: int, node: int, quantity: float, value: float, cause: int
) -> int:
    """Write a row about an order; return its number."""
    resource = s.orders[number].resource
    return write(s, kind, node, -1, resource, number, quantity, value, cause)


@inlined
def mark(s: Play, place: int, cause: int) -> None:
    """Have a place settled at the end of the instant."""
    spot = s.spots[place]
    if not spot.dirty:
        spot.dirty, spot.cause = True, cause
        s.dirty[s.control[0].n_dirty] = place
        s.control[0].n_dirty += 1


# --- the life of an incident ----------------------------------------------------------------------


@inlined
def unit_time(
    s: Play, stream: int, key: np.uint64, fixed: bool, occurrence: int, step: int
) -> float:
    """Draw a duration of mean 1."""
    return 1.0 if fixed else standard_exponential(draw(s.streams[stream], key, occurrence, step))


@inlined
def is_open(s: Play, cell: int) -> bool:
    """Whether a cell can become active."""
    return s.live[cell].severity == 0 and not s.live[cell].immune


@inlined
def onset(w: Fixed, s: Play, cell: int, severity: int, entry_mark: float) -> None:
    """Let an entry of the hazard calendar happen."""
    if is_open(s, cell):
        row = write_cell(w, s, _ROW_ONSET, cell, severity, entry_mark, -1, -1)
        activate(w, s, cell, severity, row)
    else:
        write_cell(w, s, _ROW_BLOCKED, cell, s.live[cell].severity, -1.0, -1, -1)


@inlined
def activate(w: Fixed, s: Play, cell: int, severity: int, row: int) -> None:
    """Start an incident: its clocks, and a hit along every link."""
    live = s.live[cell]
    live.activations += 1
    live.began, live.row, live.since, live.step = row, row, s.control[0].now, 0
    turn_to(w, s, cell, severity, row)
    race(w, s, cell)
    for link in range(w.cells[cell].first_link, w.cells[cell].last_link):
        arm(w, s, link, live.activations - 1, 0)


@entry
def resume(
    w: Fixed, s: Play, cells: Ints, severities: Ints, since: Ints, links: Ints, immune: Ints
) -> None:
    """Let incidents, hits and immunity go on that began before the start."""
    at_slot(s, _EPOCH, 1, 0)
    for i in range(len(cells)):
        live = s.live[cells[i]]
        live.activations, live.since = 1, since[i]
        turn_to(w, s, cells[i], severities[i], -1)
        race(w, s, cells[i])
    for link in links:
        arm(w, s, link, 0, 0)
    for cell in immune:
        s.live[cell].activations = 1
        recover(w, s, cell)


@inlined
def turn_to(w: Fixed, s: Play, cell: int, severity: int, row: int) -> None:
    """Change a cell's severity; its target starts afresh."""
    about, live = w.cells[cell], s.live[cell]
    s.spots[about.place].active += (severity > 0) - (live.severity > 0)
    live.severity, live.target = severity, about.target
    if about.on_road:
        s.nodes[about.node].road_hit = _worst(w, s, about.node, True)
    if about.on_desk:
        s.nodes[about.node].desk_hit = _worst(w, s, about.node, False)
        s.control[0].desks_changed = True
    mark(s, about.place, row)


@called
def _worst(w: Fixed, s: Play, node: int, on_road: bool) -> int:
    """Worst severity at a node of the threats that block roads, or of those that slow desks."""
    worst = 0
    for at in range(w.at_node[node].first, w.at_node[node].last):
        cell = w.cells_at_node[at]
        if w.cells[cell].on_road if on_road else w.cells[cell].on_desk:
            worst = max(worst, s.live[cell].severity)
    return worst


@inlined
def race(w: Fixed, s: Play, cell: int) -> None:
    """Start both clocks of a severity."""
    about, live = w.cells[cell], s.live[cell]
    occurrence, step = live.activations - 1, live.step
    grade = w.grades[3 * cell + live.severity - 1]
    stay = grade.stay_days * unit_time(s, _STAY, about.key, about.fixed, occurrence, step)
    rise = inf
    if live.severity < _WORST_SEVERITY:
        rise = grade.rise_days * unit_time(s, _RISE, about.key, about.fixed, occurrence, step)
    speed = containment_speed(about.gain, live.coverage)
    load(w, s, cell, stay, speed)
    speed = escalation_speed(live.coverage)
    load(w, s, w.rules[0].n_cells + cell, rise, speed)


@inlined
def turn(w: Fixed, s: Play, cell: int, change: int) -> None:
    """Let an incident turn better or worse, or end."""
    live = s.live[cell]
    severity = live.severity + change
    kind = _ROW_RISE if change > 0 else _ROW_FALL
    live.row = write_cell(w, s, kind, cell, severity, 0.0, -1, live.row)
    turn_to(w, s, cell, severity, live.row)
    live.step += 1
    if severity > 0:
        end = s.due[cell]
        race(w, s, cell)
        await_hits(w, s, cell, end)
    else:
        stop(w, s, cell)
        stop(w, s, w.rules[0].n_cells + cell)
        lapse(w, s, cell)
        recover(w, s, cell)


@inlined
def lapse(w: Fixed, s: Play, cell: int) -> None:
    """Let hits in flight not land that end with their source."""
    for link in range(w.cells[cell].first_link, w.cells[cell].last_link):
        if w.links[link].stops:
            drop(s, 3 * w.rules[0].n_cells + link)


@inlined
def recover(w: Fixed, s: Play, cell: int) -> None:
    """Make a cell immune for a while, where its threat leaves immunity."""
    about, live = w.cells[cell], s.live[cell]
    if about.immunity_days == 0.0:
        return
    unit = unit_time(s, _IMMUNITY, about.key, about.fixed, live.activations - 1, 0)
    days = about.immunity_days * unit
    if days > 0.0:
        live.immune = True
        clock = 2 * w.rules[0].n_cells + cell
        schedule(w, s, clock, delay_ticks(days, 1.0))


@inlined
def be_susceptible(w: Fixed, s: Play, cell: int) -> None:
    """End a cell's immunity."""
    s.live[cell].immune = False
    write_cell(w, s, _ROW_SUSCEPTIBLE, cell, 0.0, 0.0, -1, s.live[cell].row)


@inlined
def arm(w: Fixed, s: Play, link: int, occurrence: int, step: int) -> None:
    """Send a hit along a link; a new activation of the source replaces one in flight."""
    about = w.links[link]
    s.hits[link].occurrence, s.hits[link].step = occurrence, step
    lag = about.lag_days * unit_time(s, _LAG, about.key, about.fixed, occurrence, step)
    clock, delay = 3 * w.rules[0].n_cells + link, delay_ticks(lag, 1.0)
    due, end = s.control[0].now + delay, s.due[about.source]
    if about.stops and 0 <= end <= due < w.rules[0].horizon:
        s.due[clock] = due
    else:
        schedule(w, s, clock, delay)


@inlined
def await_hits(w: Fixed, s: Play, cell: int, end: int) -> None:
    """Put hits on the agenda that would have come too late, now that the source lasts longer.

    A hit that ends with its source and comes after it (as far as is known) is not put there.
    """
    due = s.due[cell]
    first, last = end if end >= 0 else s.control[0].now, due if due >= 0 else w.rules[0].horizon
    if first >= last:
        return
    for link in range(w.cells[cell].first_link, w.cells[cell].last_link):
        clock = 3 * w.rules[0].n_cells + link
        if w.links[link].stops and first <= s.due[clock] < last:
            enter(w, s, clock)


@inlined
def land(w: Fixed, s: Play, link: int) -> None:
    """Let a hit land: it succeeds against its mark, or is missed or blocked."""
    about, hit = w.links[link], s.hits[link]
    occurrence, step = hit.occurrence, hit.step
    source = s.live[about.source]
    alive = source.severity > 0 and source.activations == occurrence + 1
    target, cause = about.target, source.began
    chance = draw(s.streams[_HIT], about.key, occurrence, step)
    if chance >= _chance(w, s, link, source.coverage if alive else 0.0):
        write_cell(w, s, _ROW_MISSED, target, 0.0, chance, link, cause)
    elif is_open(s, target):
        row = write_cell(w, s, _ROW_SPREAD, target, 1.0, 0.0, link, cause)
        activate(w, s, target, 1, row)
    else:
        write_cell(w, s, _ROW_BLOCKED, target, s.live[target].severity, 0.0, link, cause)
    if about.repeats and alive:
        arm(w, s, link, occurrence, step + 1)


@inlined
def _chance(w: Fixed, s: Play, link: int, covered: float) -> float:
    about = w.links[link]
    ready = s.control[0].now / TICKS_PER_DAY >= w.rules[0].measure_ready_day
    protection = w.cells[about.target].protection if ready else 1.0
    return hit_probability(about.probability, w.cells[about.source].sigma, covered, protection)


# --- orders on their way ------------------------------------------------------------------------


@inlined
def order_clock(w: Fixed, number: int) -> int:
    """Clock of an order: its signature, its handover, its next shipment."""
    return int(3 * w.rules[0].n_cells + w.rules[0].n_links + 2 * number)


@inlined
def stand_at(w: Fixed, s: Play, clock: int, phase: int, index: int, sub: int) -> None:
    """Say at which slot the next event of an order or a shipment stands."""
    s.slots[clock - len(w.slots)] = (phase << 60) | (index << 32) | sub


@entry
def start(w: Fixed, s: Play, numbers: Ints) -> None:
    """Reserve what orders take and start their stories, in the order given."""
    at_slot(s, _EPOCH, 1, 0)
    for number in numbers:
        order = s.orders[number]
        if not order.creates and order.resource >= 0:
            s.stock[order.source, order.resource].held_back += order.quantity
            mark(s, order.source, -1)
    for number in numbers:
        sign(w, s, number)
    depart_all(w, s)


@entry
def aim(w: Fixed, s: Play, cell: int, target: float, order: int) -> None:
    """Set the target of an active cell."""
    s.live[cell].target = target
    at_slot(s, _EPOCH, 0, order)
    severity = s.live[cell].severity
    mark(s, w.cells[cell].place, write_cell(w, s, _ROW_TARGET, cell, severity, target, order, -1))


@inlined
def sign(w: Fixed, s: Play, number: int) -> None:
    """Wait for a free hand at the desk, then for the signature."""
    order = s.orders[number]
    if order.desk < 0 or order.approval_days <= 0.0:
        approve(w, s, number, 0.0)
        return
    order.asked = s.control[0].now
    if s.queues[order.desk].busy < w.desks[order.desk].servers:
        take_up(w, s, number)
    else:
        _line_up(s, number)


@inlined
def _line_up(s: Play, number: int) -> None:
    """Wait behind every order that is not less urgent, or was there before."""
    order, queue = s.orders[number], s.queues[s.orders[number].desk]
    if queue.head < 0 or order.priority < s.orders[queue.head].priority:
        order.next, queue.head = queue.head, number
    else:
        before = queue.head
        if order.priority >= s.orders[queue.tail].priority:
            before = queue.tail
        while (
            s.orders[before].next >= 0
            and s.orders[s.orders[before].next].priority <= order.priority
        ):
            before = s.orders[before].next
        order.next, s.orders[before].next = s.orders[before].next, number
    if order.next < 0:
        queue.tail = number


@inlined
def take_up(w: Fixed, s: Play, number: int) -> None:
    """Start a signature at the desk's present speed."""
    order = s.orders[number]
    queue = s.queues[order.desk]
    queue.busy += 1
    order.stage, order.before, order.after = _SIGNING, -1, queue.signing
    if queue.signing >= 0:
        s.orders[queue.signing].before = number
    queue.signing = number
    clock = order_clock(w, number)
    stand_at(w, s, clock, _DEPARTURE, w.rules[0].n_places + 1 + order.desk, number)
    load(w, s, clock, order.approval_days, _desk_speed(w, s, order.desk))


@inlined
def _desk_speed(w: Fixed, s: Play, desk: int) -> float:
    return float(w.desk_share[s.nodes[w.desks[desk].host].desk_hit])


@called
def pace_desks(w: Fixed, s: Play) -> None:
    """Give every signature in progress the speed of its desk."""
    for desk in range(len(w.desks)):
        number = s.queues[desk].signing
        while number >= 0:
            pace(w, s, order_clock(w, number), _desk_speed(w, s, desk))
            number = s.orders[number].after


@inlined
def signed(w: Fixed, s: Play, number: int) -> None:
    """Let a signature be done: the order goes on and the desk takes up the next."""
    order = s.orders[number]
    queue = s.queues[order.desk]
    if order.before >= 0:
        s.orders[order.before].after = order.after
    else:
        queue.signing = order.after
    if order.after >= 0:
        s.orders[order.after].before = order.before
    stop(w, s, order_clock(w, number))
    queue.busy -= 1
    approve(w, s, number, (s.control[0].now - order.asked) / TICKS_PER_DAY)
    if queue.head >= 0:
        following = queue.head
        queue.head = s.orders[following].next
        take_up(w, s, following)


@inlined
def approve(w: Fixed, s: Play, number: int, waited_days: float) -> None:
    """Go on from the signature to the handover."""
    order = s.orders[number]
    order.row = write_order(
        s, _ROW_APPROVED, number, order.place, order.quantity, waited_days, order.row
    )
    if order.handover_days > 0.0:
        order.stage = _HANDING_OVER
        clock = order_clock(w, number)
        stand_at(w, s, clock, _DEPARTURE, w.rules[0].n_places, number)
        schedule(w, s, clock, delay_ticks(order.handover_days, 1.0))
    else:
        hand_over(w, s, number)


@inlined
def hand_over(w: Fixed, s: Play, number: int) -> None:
    """Spend the money; raise the level or start to send."""
    order = s.orders[number]
    order.row = write_order(
        s, _ROW_HANDOVER, number, order.place, order.quantity, order.spend, order.row
    )
    if order.kind == _DECLARE:
        write_order(s, _ROW_LEVEL, number, order.place, order.quantity, 0.0, order.row)
    order.handed_over, order.shipment = s.control[0].now, order.first_shipment
    send(w, s, number)


@inlined
def send(w: Fixed, s: Play, number: int) -> None:
    """Send the shipments that are due and wait for the next."""
    order = s.orders[number]
    while order.shipment < order.first_shipment + order.n_shipments:
        shipment = s.shipments[order.shipment]
        due = order.handed_over + shipment.day * TICKS_PER_DAY
        if due > s.control[0].now:
            order.stage = _SENDING
            clock = order_clock(w, number)
            stand_at(w, s, clock, _DEPARTURE, order.source, order.shipment)
            schedule(w, s, clock, due - s.control[0].now)
            return
        if order.kind == _DRAW:
            write_order(s, _ROW_CREDIT, number, order.place, shipment.amount, 0.0, order.row)
        else:
            s.departing[s.control[0].n_departing] = order.shipment
            s.control[0].n_departing += 1
        order.shipment += 1


@inlined
def depart_all(w: Fixed, s: Play) -> None:
    """Let leave what is ready to."""
    for at in range(s.control[0].n_departing):
        depart(w, s, s.departing[at])
    s.control[0].n_departing = 0


@called
def depart(w: Fixed, s: Play, number: int) -> None:
    """Let a shipment leave; it serves from the morning after it arrives."""
    shipment = s.shipments[number]
    order = s.orders[shipment.order]
    days = _travel_days(w, s, shipment.order)
    if not order.creates:
        stock = s.stock[order.source, order.resource]
        stock.held_back -= shipment.amount
        stock.on_hand -= shipment.amount
    mark(s, order.source, order.row)
    shipment.row = write_order(
        s, _ROW_DEPART, shipment.order, order.source, shipment.amount, days, order.row
    )
    now, delay = s.control[0].now, delay_ticks(days, 1.0)
    if delay < NEVER:
        morning = -(-(now + delay) // TICKS_PER_DAY) * TICKS_PER_DAY
        door = order.place if order.place >= 0 else order.source
        clock = order_clock(w, number) + 1
        stand_at(w, s, clock, _DELIVERY, door, number)
        schedule(w, s, clock, morning - now)


@inlined
def _travel_days(w: Fixed, s: Play, number: int) -> float:
    """Days on the way, fixed at departure by the state of the roads."""
    order = s.orders[number]
    days, here = order.fixed_days, order.source
    for at in range(order.first_stop, order.last_stop):
        there = s.stops[at].place
        worst = max(s.nodes[here].road_hit, s.nodes[there].road_hit)
        days += s.stops[at].leg_days / w.road_share[worst]
        here = there
    return float(days)


@called
def arrive(s: Play, number: int) -> None:
    """Let a shipment serve where it is wanted, or go home, or be released."""
    shipment = s.shipments[number]
    order = s.orders[shipment.order]
    row = write_order(
        s,
        _ROW_ARRIVE,
        shipment.order,
        order.place,
        shipment.amount,
        float(order.home),
        shipment.row,
    )
    if order.place >= 0:
        stock = s.stock[order.place, order.resource]
        stock.on_hand += shipment.amount
        stock.last_used = s.control[0].now
        mark(s, order.place, row)


# --- coverage and use -----------------------------------------------------------------------------


@inlined
def settle(w: Fixed, s: Play) -> bool:
    """Bring dirty places up to date in ascending order, then the desks; False: rows run short."""
    control = s.control[0]
    if control.settled == 0 and control.n_dirty > 1:
        _in_order(w, s)
    while control.settled < control.n_dirty:
        if control.n_rows + control.room > len(s.rows):
            return False
        place = s.dirty[control.settled]
        at_slot(s, control.settling, place, 0)
        charge(w, s, place)
        cover(w, s, place)
        tell_coverage(w, s, place)
        s.spots[place].dirty = False
        control.settled += 1
    control.settled = control.n_dirty = control.settling = 0
    if control.desks_changed:
        pace_desks(w, s)
        control.desks_changed = False
    return True


@called
def _in_order(w: Fixed, s: Play) -> None:
    """Sort dirty places: a few by insertion, many by going through all places."""
    n = s.control[0].n_dirty
    if n > 32:
        n = 0
        for place in range(w.rules[0].n_places):
            if s.spots[place].dirty:
                s.dirty[n] = place
                n += 1
        return
    for i in range(1, n):
        place, j = s.dirty[i], i
        while j > 0 and s.dirty[j - 1] > place:
            s.dirty[j] = s.dirty[j - 1]
            j -= 1
        s.dirty[j] = place


@inlined
def charge(w: Fixed, s: Play, place: int) -> None:
    """Charge what was used since the place was last settled."""
    now = s.control[0].now
    elapsed = (now - s.spots[place].settled) / TICKS_PER_DAY
    s.spots[place].settled = now
    for resource in range(w.rules[0].n_resources):
        stock = s.stock[place, resource]
        if not stock.in_use:
            continue
        stock.last_used = now
        used = 0.0 if w.is_team[resource] else min(stock.on_hand, stock.use * elapsed)
        if used > 0.0:
            stock.on_hand -= used
            write(s, _ROW_CONSUME, place, -1, resource, -1, used, 0.0, -1)


@inlined
def cover(w: Fixed, s: Play, place: int) -> None:
    """Compute coverage of the place's cells afresh, class by class."""
    rest = rest_of_day(s.control[0].now, TICKS_PER_DAY)
    s.spots[place].in_use = False
    for resource in range(w.rules[0].n_resources):
        stock, scratch = s.stock[place, resource], s.scratch[resource]
        stock.use, stock.in_use = 0.0, False
        scratch.spare = stock.on_hand - stock.held_back
        scratch.window = 1.0 if w.is_team[resource] else rest
    priority = _next_class(w, s, place, -NEVER)
    while priority < NEVER:
        require_class(w, s, place, priority)
        cover_class(w, s, place, priority)
        priority = _next_class(w, s, place, priority)


@inlined
def _next_class(w: Fixed, s: Play, place: int, after: int) -> int:
    """Find the least class above `after` among the place's active cells; NEVER: none."""
    least = NEVER
    for at in range(w.at_place[place].first, w.at_place[place].last):
        cell = w.cells_at_place[at]
        if s.live[cell].severity > 0 and after < w.cells[cell].priority < least:
            least = w.cells[cell].priority
    return least


@inlined
def require_class(w: Fixed, s: Play, place: int, priority: int) -> None:
    """Sum up what a class requires and find how far stock goes."""
    for resource in range(w.rules[0].n_resources):
        s.scratch[resource].required = 0.0
    for at in range(w.at_place[place].first, w.at_place[place].last):
        cell = w.cells_at_place[at]
        live = s.live[cell]
        if live.severity > 0 and w.cells[cell].priority == priority:
            grade = w.grades[3 * cell + live.severity - 1]
            for need in range(grade.first_need, grade.last_need):
                required = live.target * w.needs[need].amount
                s.scratch[w.needs[need].resource].required += required
    for resource in range(w.rules[0].n_resources):
        scratch = s.scratch[resource]
        scratch.fill = fill(scratch.spare, scratch.required * scratch.window)


@inlined
def cover_class(w: Fixed, s: Play, place: int, priority: int) -> None:
    """Serve the cells of a class, each by its scarcest resource."""
    now = s.control[0].now
    for at in range(w.at_place[place].first, w.at_place[place].last):
        cell = w.cells_at_place[at]
        live = s.live[cell]
        if live.severity == 0 or w.cells[cell].priority != priority:
            continue
        grade = w.grades[3 * cell + live.severity - 1]
        scarcest = 1.0
        for need in range(grade.first_need, grade.last_need):
            scarcest = min(scarcest, s.scratch[w.needs[need].resource].fill)
        live.coverage = live.target * scarcest
        for need in range(grade.first_need, grade.last_need):
            resource, amount = w.needs[need].resource, w.needs[need].amount
            stock, scratch = s.stock[place, resource], s.scratch[resource]
            stock.use += live.coverage * amount
            stock.in_use, stock.last_used, s.spots[place].in_use = True, now, True
            scratch.spare -= live.coverage * amount * scratch.window


@inlined
def tell_coverage(w: Fixed, s: Play, place: int) -> None:
    """Write what changed and give clocks their new speeds."""
    for at in range(w.at_place[place].first, w.at_place[place].last):
        cell = w.cells_at_place[at]
        live = s.live[cell]
        if live.severity == 0:
            live.coverage = 0.0
        if live.severity != live.told_severity or live.coverage != live.told_coverage:
            live.told_severity, live.told_coverage = live.severity, live.coverage
            cause = s.spots[place].cause
            write_cell(w, s, _ROW_COVERAGE, cell, live.severity, live.coverage, -1, cause)
            speed = containment_speed(w.cells[cell].gain, live.coverage)
            end = s.due[cell]
            pace(w, s, cell, speed)
            await_hits(w, s, cell, end)
            pace(w, s, w.rules[0].n_cells + cell, escalation_speed(live.coverage))


@entry
def required(w: Fixed, s: Play, place: int, resource: int) -> float:
    """Sum the full requirement of the place's active cells."""
    total = 0.0
    for at in range(w.at_place[place].first, w.at_place[place].last):
        cell = w.cells_at_place[at]
        if s.live[cell].severity == 0:
            continue
        grade = w.grades[3 * cell + s.live[cell].severity - 1]
        for need in range(grade.first_need, grade.last_need):
            if w.needs[need].resource == resource:
                total += w.needs[need].amount
    return total


# --- time -----------------------------------------------------------------------------------------


@entry
def advance(w: Fixed, s: Play, until: int) -> bool:
    """Let everything due at or before `until` happen; False: rows run short, call again.

    Where `settling` was set to a phase, dirty places are first settled in it.
    """
    control, horizon = s.control[0], w.rules[0].horizon
    last = min(until, horizon - 1)
    while True:
        if not control.settling:
            if control.n_dirty == 0:  # else rows ran short within an instant: it goes on
                tick = _next_tick(w, s)
                control.now = max(control.now, min(tick, until, horizon))
                if tick > last:
                    return True
            while True:
                if control.n_rows + control.room > len(s.rows):
                    return False
                if not step(w, s):
                    break
            control.settling = _SETTLE
        if not settle(w, s):
            return False


@entry
def go_alone(
    w: Fixed, s: Play, blank: Play, opened: Opened, changes: Records, progress: Ints, until: int
) -> bool:
    """Carry futures to `until`, one after the other on the same tables; tell their incidents.

    `progress` counts futures that are done and changes told. False: rows or changes run short,
    call again; the future that was under way starts again.
    """
    for future in range(progress[0], len(opened.futures)):
        one = opened.futures[future]
        _wipe(s, blank)
        s.control[0].next_entry = one.first_entry
        for stream in range(len(s.streams)):
            s.streams[stream] = opened.streams[future, stream]
        links = opened.links[one.first_link : one.last_link]
        immune = opened.immune[one.first_immune : one.last_immune]
        resume(w, s, opened.cells, opened.severities, opened.since, links, immune)
        s.control[0].settling = _RESETTLE
        if not advance(w, s, until) or progress[1] + s.control[0].n_rows > len(changes):
            return False
        _tell_changes(w, s, future, changes, progress)
        progress[0] = future + 1
    return True


@called
def _wipe(s: Play, blank: Play) -> None:
    """Set the tables to what they are before anything happened; orders were never there."""
    s.control[0] = blank.control[0]
    for i in range(len(s.live)):
        s.live[i] = blank.live[i]
    for i in range(len(s.works)):
        s.works[i].loaded = False
    for i in range(len(s.due)):
        s.due[i] = -1
    for place in range(len(s.spots)):
        s.spots[place] = blank.spots[place]
        for resource in range(s.stock.shape[1]):
            s.stock[place, resource] = blank.stock[place, resource]
    for i in range(len(s.nodes)):
        s.nodes[i] = blank.nodes[i]


@called
def _tell_changes(w: Fixed, s: Play, future: int, changes: Records, progress: Ints) -> None:
    """List the rows with which incidents begin or change their severity."""
    for at in range(s.control[0].n_rows):
        row = s.rows[at]
        kind = row["kind"]
        begins = kind in (_ROW_ONSET, _ROW_SPREAD)
        if begins or kind in (_ROW_RISE, _ROW_FALL):
            change = changes[progress[1]]
            change.future, change.tick, change.begins = future, row["tick"], begins
            change.cell = w.cell_of[row["node"], row["threat"]]
            change.severity = int(row["quantity"])
            progress[1] += 1


@inlined
def _next_tick(w: Fixed, s: Play) -> int:
    """Tick of the next event, day boundary or entry of the calendar; NEVER: there is none."""
    control, tick = s.control[0], NEVER
    if _waits(w, s):
        tick = s.agenda[0].key >> 32
    if control.next_day < w.rules[0].horizon:
        tick = min(tick, control.next_day)
    if control.next_entry < len(s.calendar):
        tick = min(tick, s.calendar[control.next_entry].tick)
    return tick


@inlined
def step(w: Fixed, s: Play) -> bool:
    """Let the next event of the present instant happen, first by slot; False: there is none."""
    control = s.control[0]
    waits = _waits(w, s) and s.agenda[0].key >> 32 == control.now
    if control.next_entry < len(s.calendar):
        entry = s.calendar[control.next_entry]
        onset_key = (control.now << 32) | (_ONSET << 28) | entry.cell
        if entry.tick == control.now and not (waits and s.agenda[0].key < onset_key):
            control.next_entry += 1
            at_slot(s, _ONSET, entry.cell, 0)
            onset(w, s, entry.cell, entry.severity, entry.mark)
            return True
    if waits:
        happen(w, s)
        depart_all(w, s)
    elif control.next_day == control.now:
        begin_day(w, s)
    else:
        return False
    return True


@inlined
def happen(w: Fixed, s: Play) -> None:
    """Take the first clock off the agenda and let its event happen."""
    key, sub, clock = s.agenda[0].key, s.agenda[0].sub, s.agenda[0].clock
    drop(s, clock)
    _take_first(s)
    at_slot(s, (key >> 28) & 0xF, key & 0xFFFFFFF, sub)
    n_cells = w.rules[0].n_cells
    kind, at = clock // max(n_cells, 1), clock - 3 * n_cells
    if at >= w.rules[0].n_links:
        happen_to_order(w, s, at - w.rules[0].n_links)
    elif at >= 0:
        land(w, s, at)
    elif kind == 0:
        turn(w, s, clock, -1)
    elif kind == 1:
        turn(w, s, clock - n_cells, 1)
    else:
        be_susceptible(w, s, clock - 2 * n_cells)


@called
def happen_to_order(w: Fixed, s: Play, at: int) -> None:
    """Let an order or, by turns, a shipment go on."""
    number = at >> 1
    if at & 1:
        arrive(s, number)
    elif s.orders[number].stage == _SIGNING:
        signed(w, s, number)
    elif s.orders[number].stage == _HANDING_OVER:
        hand_over(w, s, number)
    else:
        send(w, s, number)


@called
def begin_day(w: Fixed, s: Play) -> None:
    """Mark every place where units are in use: use is charged and supplies are counted afresh."""
    s.control[0].next_day += TICKS_PER_DAY
    for place in range(w.rules[0].n_places):
        if s.spots[place].in_use:
            mark(s, place, -1)


@entry
def mark_in_need(w: Fixed, s: Play) -> None:
    """Mark every place with active cells."""
    for place in range(w.rules[0].n_places):
        if s.spots[place].active > 0:
            mark(s, place, -1)


@entry
def charge_all(w: Fixed, s: Play) -> None:
    """Charge what was used up to the horizon; rows for it must be there."""
    for place in range(w.rules[0].n_places):
        at_slot(s, _SETTLE, place, 0)
        charge(w, s, place)
