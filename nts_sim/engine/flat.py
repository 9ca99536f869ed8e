"""The world as flat tables of records: what the compiled engine reads, and what it writes on.

Two sets of tables. `Fixed` is made once for a world and only read; `Play` belongs to one
replication. Records have a fixed layout and sizes are not part of a type, so the kernel is
compiled once for all worlds.

Every clock has a number: containment of cell c is clock c, then escalation, end of immunity, hits
on links, and at the end order and shipment by turns (they grow while a replication runs).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nts_sim.engine.contract import (
    PHASE_CONTAINMENT,
    PHASE_ESCALATION,
    PHASE_IMMUNITY,
    PHASE_ONSET,
)
from nts_sim.luck.calendar import Calendar
from nts_sim.luck.draws import Luck, Stream
from nts_sim.luck.keys import cell_keys, link_keys
from nts_sim.trace.model import ROW
from nts_sim.units import TICKS_PER_DAY, ticks
from nts_sim.world.model import Bools, Ints, NodeKind, World

Records = NDArray[np.void]

_WORLDS = 16
_PHASES_OF_CELLS = (PHASE_CONTAINMENT, PHASE_ESCALATION, PHASE_IMMUNITY)
_ROWS, _ROWS_A_CELL, _ORDERS = 1024, 8, 64
"""Room to begin with, for most runs enough; doubled when it is used up."""


def _record(**fields: type) -> np.dtype[np.void]:
    return np.dtype(list(fields.items()), align=True)


# 64 bits for ticks; 32 are enough for indices, and smaller records stay in the cache.
_T, _I, _F, _B, _U = np.int64, np.int32, np.float64, np.bool_, np.uint64

RULES = _record(
    n_places=_T, n_cells=_T, n_links=_T, n_resources=_T, horizon=_T, measure_ready_day=_F
)
CELL = _record(
    node=_I, place=_I, threat=_I, priority=_I, first_link=_I, last_link=_I, key=_U, gain=_F,
    sigma=_F, protection=_F, immunity_days=_F, target=_F, fixed=_B, on_road=_B, on_desk=_B,
)  # fmt: skip
GRADE = _record(stay_days=_F, rise_days=_F, first_need=_I, last_need=_I)
NEED = _record(resource=_I, amount=_F)
LINK = _record(
    source=_I, target=_I, key=_U, probability=_F, lag_days=_F, fixed=_B, repeats=_B, stops=_B
)
SPAN = _record(first=_I, last=_I)
DESK = _record(host=_I, servers=_I)

CONTROL = _record(
    now=_T, next_day=_T, next_entry=_T, waiting=_T, n_rows=_T, n_dirty=_T, settled=_T,
    n_departing=_T, room=_T, phase=_T, index=_T, sub=_T, settling=_T, desks_changed=_B,
)  # fmt: skip
LIVE = _record(
    severity=_I, activations=_I, step=_I, began=_I, row=_I, told_severity=_I, since=_T,
    coverage=_F, target=_F, told_coverage=_F, immune=_B,
)  # fmt: skip
WORK = _record(left=_F, speed=_F, since=_T, loaded=_B)
AGENDA = _record(key=_T, sub=_I, clock=_I)
HIT = _record(occurrence=_I, step=_I)
SPOT = _record(active=_I, cause=_I, settled=_T, dirty=_B, in_use=_B)
STOCK = _record(on_hand=_F, held_back=_F, use=_F, last_used=_T, in_use=_B)
SCRATCH = _record(spare=_F, required=_F, fill=_F, window=_F)
NODE = _record(road_hit=_I, desk_hit=_I)
QUEUE = _record(busy=_I, head=_I, tail=_I, signing=_I)
ORDER = _record(
    kind=_I, desk=_I, approval_days=_F, handover_days=_F, place=_I, source=_I, resource=_I,
    home=_I, creates=_B, fixed_days=_F, quantity=_F, priority=_I, spend=_F, first_shipment=_I,
    n_shipments=_I, first_stop=_I, last_stop=_I, row=_I, asked=_T, handed_over=_T, next=_I,
    before=_I, after=_I, shipment=_I, stage=_I,
)  # fmt: skip
STOP = _record(place=_I, leg_days=_F)
SHIPMENT = _record(order=_I, day=_I, amount=_F, row=_I)
ENTRY = _record(tick=_T, cell=_I, severity=_I, mark=_F)
FUTURE = _record(first_entry=_I, first_link=_I, last_link=_I, first_immune=_I, last_immune=_I)
CHANGE = _record(tick=_T, future=_I, cell=_I, severity=_I, begins=_B)


class Fixed(NamedTuple):
    """What is fixed in a world; read by the kernel."""

    rules: Records
    cells: Records
    grades: Records  # [3 × cell + severity − 1]
    needs: Records
    links: Records
    at_place: Records  # spans of `cells_at_place`
    cells_at_place: NDArray[np.int32]
    at_node: Records  # spans of `cells_at_node`
    cells_at_node: NDArray[np.int32]
    desks: Records
    is_team: Bools
    slots: Ints  # of all other clocks, by clock
    road_share: NDArray[np.float64]
    desk_share: NDArray[np.float64]
    cell_of: Ints  # [node, threat]


class Play(NamedTuple):
    """The present of one replication; read and written by the kernel."""

    control: Records
    streams: NDArray[np.uint64]
    calendar: Records
    live: Records
    works: Records
    due: NDArray[np.int32]  # by clock, when it comes up; -1: not at all
    agenda: Records  # room for twice the clocks
    slots: Ints  # of the clocks of orders and shipments
    hits: Records
    spots: Records
    stock: Records  # [place, resource]
    scratch: Records
    nodes: Records
    queues: Records
    orders: Records
    stops: Records
    shipments: Records
    departing: NDArray[np.int32]
    dirty: NDArray[np.int32]
    rows: Records


class Opened(NamedTuple):
    """Openings of many futures of what is known; read by the kernel.

    `cells`, `severities` and `since` are known and so in every future; a future has spans of
    `links` with a hit in flight and of `immune` cells, and a first entry in the calendar, in which
    an entry that never comes closes each future.
    """

    cells: Ints
    severities: Ints
    since: Ints
    futures: Records
    streams: NDArray[np.uint64]  # [future, stream]
    links: Ints
    immune: Ints


def filled(dtype: np.dtype[np.void], n: int, **columns: Any) -> Records:
    """Make a table of records from its columns; the rest is 0."""
    table = np.zeros(n, dtype=dtype)
    for name, values in columns.items():
        table[name] = values
    return table


def _spans(sizes: Ints) -> Records:
    ends = np.cumsum(sizes)
    return filled(SPAN, len(sizes), first=ends - sizes, last=ends)


@lru_cache(maxsize=_WORLDS)
def fixed_tables(world: World) -> Fixed:
    """Lay a world out flat, in copies: for read-only arrays the kernel would be compiled anew."""
    nodes = len(world.nodes.code)
    by_node = np.argsort(world.cells.node, kind="stable").astype(np.int32)
    grades, needs = _grades(world)
    at_place = _spans(np.array([len(cells) for cells in world.cells.at_place], dtype=np.int64))
    return Fixed(
        rules=_rules(world),
        cells=_cells(world),
        grades=grades,
        needs=needs,
        links=_links(world),
        at_place=at_place,
        cells_at_place=np.concatenate([by_node[:0], *world.cells.at_place]).astype(np.int32),
        at_node=_spans(np.bincount(world.cells.node, minlength=nodes)),
        cells_at_node=by_node,
        desks=filled(
            DESK, len(world.desks), host=[desk.host for desk in world.desks],
            servers=[desk.servers for desk in world.desks],
        ),
        is_team=np.array(world.resources.is_team, order="C"),
        slots=_slots(world),
        road_share=np.array(world.roads.speed_share, order="C"),
        desk_share=np.array(world.desk_speed, order="C"),
        cell_of=np.array(world.cells.of, order="C"),
    )  # fmt: skip


def _rules(world: World) -> Records:
    n_resources = len(world.resources.name)
    return filled(
        RULES, 1, n_places=world.nodes.n_places, n_cells=len(world.cells),
        n_links=len(world.links), n_resources=n_resources, horizon=ticks(world.horizon_days),
        measure_ready_day=world.measure.ready_day,
    )  # fmt: skip


def _cells(world: World) -> Records:
    cells, threats, kind = world.cells, world.threats, world.nodes.kind
    of = cells.threat
    out = np.searchsorted(world.links.source, np.arange(len(cells) + 1))
    fixed = np.array([law == "fixed" for law in threats.distribution], dtype=np.bool_)
    return filled(
        CELL, len(cells), node=cells.node, place=cells.place, threat=of, key=cell_keys(world),
        gain=threats.containment_gain[of], sigma=threats.spread_reduction[of],
        protection=cells.protection, immunity_days=threats.immunity_days[of],
        target=kind[cells.node] != NodeKind.FOREIGN, fixed=fixed[of],
        on_road=threats.blocks_roads[of] & (cells.node < world.nodes.n_places),
        on_desk=threats.slows_desks[of], priority=threats.priority_class[of],
        first_link=out[:-1], last_link=out[1:],
    )  # fmt: skip


def _grades(world: World) -> tuple[Records, Records]:
    """Each cell at each severity, and the resources that it requires there."""
    cells, threats = world.cells, world.threats
    requirement = cells.requirement.reshape(3 * len(cells), cells.requirement.shape[2])
    grade, resource = np.nonzero(requirement > 0.0)
    spans = _spans(np.bincount(grade, minlength=len(requirement)))
    grades = filled(
        GRADE, len(requirement), stay_days=threats.stay_days[cells.threat].ravel(),
        rise_days=threats.escalation_days[cells.threat].ravel(), first_need=spans["first"],
        last_need=spans["last"],
    )  # fmt: skip
    amount = requirement[grade, resource]
    return grades, filled(NEED, len(grade), resource=resource, amount=amount)


def _links(world: World) -> Records:
    links = world.links
    return filled(
        LINK, len(links), source=links.source, target=links.target, key=link_keys(world),
        probability=links.probability, lag_days=links.lag_days,
        fixed=[law == "fixed" for law in links.distribution], repeats=links.repeats,
        stops=links.stops,
    )  # fmt: skip


def _slots(world: World) -> Ints:
    """Places in the order of an instant of containment, escalation, immunity and hits."""
    cells, links = np.arange(len(world.cells)), np.arange(len(world.links))
    return np.concatenate(
        [(phase << 60) | (cells << 32) for phase in _PHASES_OF_CELLS]
        + [(PHASE_ONSET << 60) | (world.links.target << 32) | (links + 1)]
    )


@lru_cache(maxsize=_WORLDS)
def _blank(world: World) -> tuple[Records, Records, Records]:
    """Make the tables of a replication that do not start empty, to be copied."""
    fixed = fixed_tables(world)
    rules = fixed.rules[0]
    live = filled(LIVE, rules["n_cells"], target=fixed.cells["target"], began=-1, row=-1)
    stock = np.zeros(world.resources.stock.shape, dtype=STOCK)
    stock["on_hand"] = world.resources.stock
    queues = filled(QUEUE, len(world.desks), head=-1, tail=-1, signing=-1)
    return live, stock, queues


def new_play(world: World, luck: Luck, calendar: Calendar, start: int) -> Play:
    """Set the tables up for a replication that starts at a tick."""
    live, stock, queues = _blank(world)
    n_clocks = 3 * len(live) + len(world.links) + 2 * _ORDERS
    n_places, n_resources = stock.shape
    return Play(
        control=filled(
            CONTROL, 1, now=start, next_day=(start // TICKS_PER_DAY + 1) * TICKS_PER_DAY,
            room=_room(world),
        ),
        streams=streams_of(luck),
        calendar=filled(
            ENTRY, len(calendar.tick), tick=calendar.tick, cell=calendar.cell,
            severity=calendar.severity, mark=calendar.mark,
        ),
        live=live.copy(),
        works=np.zeros(2 * len(live) + _ORDERS, dtype=WORK),
        due=np.full(n_clocks, -1, dtype=np.int32),
        agenda=np.empty(2 * n_clocks, dtype=AGENDA),
        slots=np.zeros(2 * _ORDERS, dtype=np.int64),
        hits=np.empty(len(world.links), dtype=HIT),
        spots=filled(SPOT, n_places, settled=start),
        stock=stock.copy(),
        scratch=np.empty(n_resources, dtype=SCRATCH),
        nodes=np.zeros(len(world.nodes.code), dtype=NODE),
        queues=queues.copy(),
        orders=np.zeros(_ORDERS, dtype=ORDER),
        stops=np.zeros(_ORDERS, dtype=STOP),
        shipments=np.zeros(_ORDERS, dtype=SHIPMENT),
        departing=np.zeros(_ORDERS, dtype=np.int32),
        dirty=np.empty(n_places, dtype=np.int32),
        rows=np.empty(_ROWS + _ROWS_A_CELL * len(live), dtype=ROW),
    )  # fmt: skip


def streams_of(luck: Luck) -> NDArray[np.uint64]:
    """Hash what all draws of a stream share, for each stream that the kernel draws from."""
    streams = (Stream.STAY, Stream.ESCALATION, Stream.IMMUNITY, Stream.LAG, Stream.HIT)
    return np.array([luck.stream(stream) for stream in streams], dtype=np.uint64)


@lru_cache(maxsize=_WORLDS)
def _room(world: World) -> int:
    """Count the most rows that settling a place, or one event that is no order's, can write."""
    most_cells = max((len(cells) for cells in world.cells.at_place), default=0)
    return most_cells + len(world.resources.name) + 4


def longer(play: Play, name: str, least: int = 0) -> Play:
    """Give a table twice its room, or `least`; what was written stays."""
    table = getattr(play, name)
    made = np.zeros(max(2 * len(table), least), dtype=table.dtype)
    made[: len(table)] = table
    return play._replace(**{name: made})
