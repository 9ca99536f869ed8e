"""A naive model of the same world: the SimPy that a modeller would write first.

A process for every incident, for every link that carries a hit, and for every order; clocks are
plain timeouts raced with ``|``, and whoever waits is told when its speed changes. It shares no
code with `nts_sim.engine`: only the draws of luck and the hazard calendar. It is a third witness
for what happens, and what the engines are timed against.

It takes decisions as given: `plan` is the order book of a run (`Ruling`s), and what each order was
granted, from where and at which desk is carried out without asking for money, triggers or ceilings
again. Units leave the free stock when they are granted; where teams are at home is not kept. What
happens at the same tick happens in SimPy's order of insertion (coverage last), so it agrees with
the engines where such ties do not matter: in continuous worlds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Sequence
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np
import simpy
from scipy.sparse import coo_array

from nts_sim.decision.model import OrderKind, Ruling
from nts_sim.luck.calendar import hazard_calendar
from nts_sim.luck.draws import Luck, Stream, durations, mean_from_median, name_key
from nts_sim.luck.keys import cell_keys, link_keys
from nts_sim.trace.model import Kind
from nts_sim.world.model import NodeKind, World

DAY = 65_536
"""Ticks a day."""
_STEPS = 8
_SETTLE_LAST = 9
Incident = tuple[int, Kind, int, int]
"""Tick, what happened, to which cell, severity."""
Steps = Generator[Any, Any, Any]


def naive_run(world: World, luck: Luck, plan: Sequence[Ruling] | None = None) -> list[Incident]:
    """Run one replication; return what happened to cells, in order of time.

    Parameters
    ----------
    world, luck : World, Luck
    plan : the order book to carry out; None: nobody gives orders
    """
    model = Naive(world, Draws(world, luck))
    calendar = hazard_calendar(world, luck)
    columns = (calendar.tick, calendar.cell, calendar.severity)
    entries = zip(*(column.tolist() for column in columns), strict=True)
    for tick, cell, severity in entries:
        model.env.process(model.strike(tick, cell, severity))
    model.env.process(model.places.mornings())
    orders = Orders(model)
    granted = [ruling for ruling in plan or () if ruling.granted > 0.0 or _aims(ruling)]
    works = draw_works(world, luck, granted)
    for ruling in sorted(granted, key=lambda r: (r.tick, r.order.priority, r.number)):
        model.env.process(orders.order(ruling, *works[ruling.number]))
    model.env.run(until=world.horizon_days * DAY)
    return model.log


def _aims(ruling: Ruling) -> bool:
    return ruling.order.kind is OrderKind.SERVE and ruling.refusal is None


def in_ticks(days: float) -> int:
    """Whole ticks that a duration takes, at least one."""
    return max(1, math.ceil(days * DAY))


class Draws:
    """Durations and marks of cells and links, by occurrence and step."""

    def __init__(self, world: World, luck: Luck) -> None:
        self._luck = luck
        self._known: dict[tuple[Stream, int, int], list[list[float]]] = {}
        self._cells, self._links = cell_keys(world), link_keys(world)
        self._fixed_cell = [world.threats.distribution[t] == "fixed" for t in world.cells.threat]
        self._fixed_link = [law == "fixed" for law in world.links.distribution]

    def mark(self, link: int, occurrence: int, step: int) -> float:
        return self._deal(Stream.HIT, self._links, occurrence, step)[link]

    def lag(self, link: int, mean: float, occurrence: int, step: int) -> float:
        unit = self._deal(Stream.LAG, self._links, occurrence, step)[link]
        return mean if self._fixed_link[link] else mean * unit

    def time(self, stream: Stream, cell: int, mean: float, occurrence: int, step: int) -> float:
        unit = self._deal(stream, self._cells, occurrence, step)[cell]
        return mean if self._fixed_cell[cell] else mean * unit

    def _deal(self, stream: Stream, keys: Any, occurrence: int, step: int) -> list[float]:
        """Marks, or exponentials of mean 1, of all cells or links: drawn a few steps at a time."""
        block = stream, occurrence, step // _STEPS
        if block not in self._known:
            steps = np.arange(_STEPS)[:, None] + step // _STEPS * _STEPS
            unit = self._luck.uniform(stream, keys, occurrence, steps)
            if stream is not Stream.HIT:
                unit = durations("exponential", 1.0, unit)
            self._known[block] = unit.tolist()
        return self._known[block][step % _STEPS]


def draw_works(world: World, luck: Luck, plan: Sequence[Ruling]) -> dict[int, tuple[float, float]]:
    """Draw days to sign and to hand over, by order number."""
    count: Counter[tuple[Stream, str]] = Counter()

    def work(stream: Stream, ruling: Ruling, who: Any, median: float) -> float:
        if who is None:
            return 0.0
        what = world.resources.name[ruling.order.resource] if ruling.order.resource >= 0 else "-"
        purpose = f"{who.name}|{world.nodes.code[ruling.order.place]}|{what}"
        u = luck.uniform(stream, name_key(purpose), count[stream, purpose])
        count[stream, purpose] += 1
        law = who.distribution
        typical = mean_from_median(law, median) if law == "exponential" else median
        return float(durations(law, typical, u))

    works = {}
    for ruling in plan:
        desk = world.desks[ruling.desk] if ruling.desk >= 0 else None
        chosen = world.mechanisms[ruling.mechanism] if ruling.mechanism >= 0 else None
        quicker = world.measure.factor(world.measure.approval_factor, ruling.tick / DAY)
        sign = work(Stream.APPROVAL, ruling, desk, desk.approval_days * quicker if desk else 0.0)
        give = work(Stream.HANDOVER, ruling, chosen, chosen.handover_days if chosen else 0.0)
        works[ruling.number] = sign, give
    return works


class Naive:
    """The cells: incidents as processes, and the links between them."""

    def __init__(self, world: World, draws: Draws) -> None:
        self.world, self.draws, self.env = world, draws, simpy.Environment()
        self.log: list[Incident] = []
        n = len(world.cells)
        self.severity, self.activations, self.immune = [0] * n, [0] * n, [False] * n
        self.coverage = [0.0] * n
        kinds = world.nodes.kind[world.cells.node]
        self.usual_target = (kinds != NodeKind.FOREIGN).astype(float).tolist()
        self.target = list(self.usual_target)
        self.news = [self.env.event() for _ in range(n)]
        self.desk_news = self.env.event()
        self.places = Places(self)

    def tell(self, kind: Kind, cell: int, severity: int) -> None:
        self.log.append((int(self.env.now), kind, cell, severity))

    def strike(self, tick: int, cell: int, severity: int) -> Steps:
        yield self.env.timeout(tick)
        self.begin(Kind.ONSET, cell, severity)

    def begin(self, kind: Kind, cell: int, severity: int) -> None:
        """Start an incident, unless the cell has one or is immune."""
        if self.severity[cell] or self.immune[cell]:
            self.tell(Kind.BLOCKED, cell, self.severity[cell])
            return
        self.tell(kind, cell, severity)
        self.activations[cell] += 1
        self.turn(cell, severity)
        self.env.process(self.incident(cell, self.activations[cell] - 1))
        for link in self.world.links.out[cell].tolist():
            self.env.process(self.link(link, cell, self.activations[cell] - 1))

    def turn(self, cell: int, severity: int) -> None:
        """Change a severity; coverage and desks will follow."""
        self.severity[cell], self.target[cell] = severity, self.usual_target[cell]
        self.places.touch(int(self.world.cells.place[cell]))
        if self.world.threats.slows_desks[self.world.cells.threat[cell]]:
            told, self.desk_news = self.desk_news, self.env.event()
            told.succeed()

    def incident(self, cell: int, occurrence: int) -> Steps:
        """The life of an incident: better or worse, until it is over; then immunity."""
        threats, threat = self.world.threats, self.world.cells.threat[cell]
        step = 0
        while self.severity[cell]:
            severity = self.severity[cell]
            stay, rise = float(threats.stay_days[threat, severity - 1]), math.inf
            if severity < 3:
                rise = float(threats.escalation_days[threat, severity - 1])
            stay = self.draws.time(Stream.STAY, cell, stay, occurrence, step)
            rise = self.draws.time(Stream.ESCALATION, cell, rise, occurrence, step)
            worse = yield from self.race(cell, stay, rise, float(threats.containment_gain[threat]))
            severity += 1 if worse else -1
            self.tell(Kind.RISE if worse else Kind.FALL, cell, severity)
            self.turn(cell, severity)
            step += 1
        immunity = float(threats.immunity_days[threat])
        if immunity > 0.0:
            self.immune[cell] = True
            immunity = self.draws.time(Stream.IMMUNITY, cell, immunity, occurrence, 0)
            yield self.env.timeout(in_ticks(immunity))
            self.immune[cell] = False
            self.tell(Kind.SUSCEPTIBLE, cell, 0)

    def race(self, cell: int, stay: float, rise: float, gain: float) -> Steps:
        """Wait for containment or escalation, starting again when coverage changes."""
        while True:
            better, worse = 1.0 + gain * self.coverage[cell], 1.0 - self.coverage[cell]
            began, escalated = self.env.now, self.env.event()
            contained = self.env.timeout(in_ticks(stay / better))
            if worse > 0.0 and rise < math.inf:
                escalated = self.env.timeout(in_ticks(rise / worse))
            happened = yield contained | escalated | self.news[cell]
            if contained in happened or escalated in happened:
                return contained not in happened
            elapsed = (self.env.now - began) / DAY
            stay, rise = max(0.0, stay - better * elapsed), max(0.0, rise - worse * elapsed)

    def link(self, link: int, source: int, occurrence: int) -> Steps:
        """A hit on its way; repeated while its source lasts, dropped when that starts anew."""
        links, step = self.world.links, 0
        target = int(links.target[link])
        while True:
            lag = self.draws.lag(link, float(links.lag_days[link]), occurrence, step)
            yield self.env.timeout(in_ticks(lag))
            alive = self.severity[source] > 0
            if self.activations[source] != occurrence + 1 or (links.stops[link] and not alive):
                return
            if self.draws.mark(link, occurrence, step) >= self.chance(link, source, alive):
                self.tell(Kind.MISSED, target, 0)
            else:
                self.begin(Kind.SPREAD, target, 1)
            if not (links.repeats[link] and alive):
                return
            step += 1

    def chance(self, link: int, source: int, alive: bool) -> float:
        links, cells, measure = self.world.links, self.world.cells, self.world.measure
        sigma = float(self.world.threats.spread_reduction[cells.threat[source]])
        protection = float(cells.protection[links.target[link]])
        covered = self.coverage[source] if alive else 0.0
        protected = measure.factor(protection, self.env.now / DAY)
        return float(links.probability[link]) * (1.0 - sigma * covered) * protected

    def hit(self, node: int, flag: str) -> int:
        """Worst severity at a node of the threats that block roads, or slow desks."""
        cells = self.world.cells.of[node][getattr(self.world.threats, flag)].tolist()
        return max((self.severity[cell] for cell in cells if cell >= 0), default=0)


class Places:
    """The places: what is there, and how much of it every incident gets."""

    def __init__(self, model: Naive) -> None:
        self.model, self.world, self.env = model, model.world, model.env
        n = self.world.nodes.n_places
        self.stock: list[list[float]] = self.world.resources.stock.tolist()
        self.use: list[dict[int, float]] = [{} for _ in range(n)]
        self.settled = [0.0] * n
        self.stale: set[int] = set()

    def mornings(self) -> Steps:
        while True:
            yield self.env.timeout(DAY)
            for place in range(self.world.nodes.n_places):
                self.touch(place)

    def touch(self, place: int) -> None:
        """Have the coverage of a place worked out at the end of the instant."""
        if place not in self.stale:
            self.stale.add(place)
            end = self.env.event()
            end._ok, end._value = True, None
            end.callbacks.append(lambda _event: self.settle(place))
            self.env.schedule(end, priority=_SETTLE_LAST)  # type: ignore[arg-type]

    def settle(self, place: int) -> None:
        """Charge supplies used, work out coverage, tell incidents whose coverage changed."""
        self.stale.discard(place)
        now, stock = self.env.now, self.stock[place]
        elapsed, self.settled[place] = (now - self.settled[place]) / DAY, now
        for resource, rate in self.use[place].items():
            if not self.world.resources.is_team[resource]:
                stock[resource] -= min(stock[resource], rate * elapsed)
        self.use[place], spare = {}, list(stock)
        cells = self.world.cells.at_place[place].tolist()
        classes: dict[int, list[int]] = {}
        for cell in cells:
            if self.model.severity[cell]:
                threat = self.world.cells.threat[cell]
                classes.setdefault(int(self.world.threats.priority_class[threat]), []).append(cell)
        before = [self.model.coverage[cell] for cell in cells]
        for cell in cells:
            self.model.coverage[cell] = 0.0
        for first in sorted(classes):
            self.cover(place, classes[first], spare)
        for cell, old in zip(cells, before, strict=True):
            if self.model.coverage[cell] != old:
                told, self.model.news[cell] = self.model.news[cell], self.env.event()
                told.succeed()

    def cover(self, place: int, cells: list[int], spare: list[float]) -> None:
        """Share what is there among cells of one class: each gets its scarcest resource's share."""
        rest_of_day = 1.0 - (self.env.now % DAY) / DAY
        need = {
            c: self.world.cells.requirement[c, self.model.severity[c] - 1].tolist() for c in cells
        }
        share, window = [1.0] * len(spare), [1.0] * len(spare)
        for r in range(len(spare)):
            window[r] = 1.0 if self.world.resources.is_team[r] else rest_of_day
            required = sum(self.model.target[c] * need[c][r] for c in cells) * window[r]
            if required > 0.0:
                share[r] = min(1.0, max(0.0, spare[r]) / required)
        for c in cells:
            scarcest = min((share[r] for r in range(len(spare)) if need[c][r] > 0.0), default=1.0)
            self.model.coverage[c] = self.model.target[c] * scarcest
            for r in range(len(spare)):
                used = self.model.coverage[c] * need[c][r]
                spare[r] -= used * window[r]
                self.use[place][r] = self.use[place].get(r, 0.0) + used


class Orders:
    """The orders: signed at desks, handed over in tranches, brought by convoys."""

    def __init__(self, model: Naive) -> None:
        self.model, self.world, self.env = model, model.world, model.env
        self.places = model.places
        self.desks = [simpy.PriorityResource(self.env, desk.servers) for desk in self.world.desks]

    def order(self, ruling: Ruling, sign_days: float, give_days: float) -> Steps:
        """The life of an order: signed, handed over, sent in tranches."""
        order, place, source = ruling.order, ruling.order.place, ruling.source
        yield self.env.timeout(ruling.tick)
        if order.kind is OrderKind.SERVE:
            self.model.target[order.cell] = order.quantity
            self.places.touch(int(self.world.cells.place[order.cell]))
            return
        if order.kind in (OrderKind.MOVE, OrderKind.RETURN):
            self.places.stock[source][order.resource] -= ruling.granted
            self.places.touch(source)
        if order.kind is OrderKind.RETURN:
            place = order.home
        route = self.route(source, place)
        if sign_days > 0.0:
            turn = (order.priority, self.env.now, ruling.number)
            with self.desks[ruling.desk].request(priority=turn) as request:  # type: ignore[arg-type]
                yield request
                yield from self.sign(self.world.desks[ruling.desk].host, sign_days)
        if give_days > 0.0:
            yield self.env.timeout(in_ticks(give_days))
        began = self.env.now
        for day, amount in self.tranches(ruling):
            yield self.env.timeout(began + day * DAY - self.env.now)
            self.env.process(self.convoy(place, order.resource, amount, route))

    def sign(self, host: int, left: float) -> Steps:
        """Sign at the speed of the desk, which hits on its host slow."""
        while True:
            worst, began = self.model.hit(host, "slows_desks"), self.env.now
            speed = float(self.world.desk_speed[worst])
            signed = self.env.timeout(in_ticks(left / speed)) if speed > 0.0 else self.env.event()
            happened = yield signed | self.model.desk_news
            if signed in happened:
                return
            left = max(0.0, left - speed * (self.env.now - began) / DAY)

    def tranches(self, ruling: Ruling) -> list[tuple[int, float]]:
        """(days after handover, units); nothing is sent of money and levels."""
        kind, resource = ruling.order.kind, ruling.order.resource
        if kind in (OrderKind.DECLARE, OrderKind.DRAW):
            return []
        ramp: tuple[tuple[int, float], ...] = ((0, 1.0),)
        if kind is OrderKind.MOBILISE:
            ramp = self.world.mechanisms[ruling.mechanism].ramp or ramp
        given, made = 0.0, []
        for day, share in ramp:
            total = ruling.granted * share
            if self.world.resources.whole_units[resource]:
                total = math.floor(total + 1e-9)
            if total > given:
                made.append((day, total - given))
                given = total
        return made

    def route(self, source: int, place: int) -> list[int]:
        """Places from source to destination by the fewest days, as roads are now."""
        provinces = self.world.nodes.n_provinces
        if source < 0 or source == place or not 0 <= place < provinces:
            return [source]
        legs, graph = coo_array(self.world.roads.leg_km), nx.Graph()
        for a, b, km in zip(*(e.tolist() for e in (legs.row, legs.col, legs.data)), strict=True):
            if 0.0 < km < math.inf:
                graph.add_edge(a, b, km=km, days=km / self.road_speed(a, b))
        return list(nx.dijkstra_path(graph, source, place, weight="days"))

    def road_speed(self, a: int, b: int) -> float:
        roads = self.world.roads
        worst = max(self.model.hit(a, "blocks_roads"), self.model.hit(b, "blocks_roads"))
        return roads.speed_km_per_day / roads.detour_factor * float(roads.speed_share[worst])

    def convoy(self, place: int, resource: int, amount: float, route: list[int]) -> Steps:
        """Units on their way; they serve from the next morning."""
        roads, days = self.world.roads, self.world.roads.own_place_days
        if len(route) > 1:
            legs = coo_array(roads.leg_km).tocsr()
            days = roads.load_days + sum(
                float(legs[a, b]) / self.road_speed(a, b) for a, b in pairwise(route)
            )
        arrival = self.env.now + in_ticks(days)
        yield self.env.timeout(-(-arrival // DAY) * DAY - self.env.now)
        if 0 <= place < self.world.nodes.n_places:
            self.places.stock[place][resource] += amount
            self.places.touch(place)
