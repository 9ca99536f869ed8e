"""Orders on their way: signed at a desk, handed over, sent in tranches, brought to a place."""

from __future__ import annotations

from collections.abc import Generator

import simpy

from nts_sim.decision.model import OrderKind
from nts_sim.engine.clockwork import Life, Ticket, Work, slot
from nts_sim.engine.contract import PHASE_DELIVERY, PHASE_DEPARTURE, Admitted
from nts_sim.engine.stage import Stage
from nts_sim.trace.model import Kind
from nts_sim.units import TICKS_PER_DAY, delay_ticks, ticks


class Convoys:
    """The desks of a world and every order under way.

    Parameters
    ----------
    stage : Stage
    """

    def __init__(self, stage: Stage) -> None:
        self._stage, self._state = stage, stage.state
        self._world = stage.world
        self._desks = [simpy.PriorityResource(stage.env, d.servers) for d in self._world.desks]
        self._signing: list[dict[int, Work]] = [{} for _ in self._world.desks]
        self._admit_row: dict[int, int] = {}

    def admitted_at(self, order: int, row: int) -> None:
        """Remember the row that admitted an order: the cause of all that follows."""
        self._admit_row[order] = row

    def start(self, order: Admitted) -> None:
        """Reserve what an order takes and start its story."""
        if not order.creates and order.resource >= 0:
            self._state.reserve(order)
            self._stage.mark(order.source)
        self._stage.env.process(self._carry_out(order))

    def pace_desks(self) -> None:
        """Give every signature in progress the speed of its desk."""
        for desk, works in enumerate(self._signing):
            if works:
                speed = self._desk_speed(desk)
                for work in works.values():
                    work.pace(speed)

    def _desk_speed(self, desk: int) -> float:
        """Share of normal speed of a desk, by the worst hit on its host."""
        worst = self._state.worst_desk_hit(self._world.desks[desk].host)
        return float(self._world.desk_speed[worst])

    def _carry_out(self, order: Admitted) -> Life:
        """Tell the life of an order: signed, handed over, sent in tranches."""
        row = yield from self._sign(order)
        if order.handover_days > 0.0:
            place_in_order = slot(PHASE_DEPARTURE, self._world.nodes.n_places, order.number)
            yield Ticket(self._stage.env, place_in_order, delay_ticks(order.handover_days, 1.0))
        row = self._write(Kind.HANDOVER, order, order.quantity, order.spend_bn_vnd, row)
        if order.kind is OrderKind.DECLARE:
            self._write(Kind.LEVEL, order, order.quantity, 0.0, row)
        yield from self._send(order, row)

    def _sign(self, order: Admitted) -> Generator[simpy.Event, object, int]:
        """Wait for a free hand at the desk, then for the signature; return its row."""
        row = self._admit_row.pop(order.number, -1)
        if order.desk < 0 or order.approval_days <= 0.0:
            return self._write(Kind.APPROVED, order, order.quantity, 0.0, row)
        asked = self._stage.now
        place_in_order = slot(
            PHASE_DEPARTURE, self._world.nodes.n_places + 1 + order.desk, order.number
        )
        turn = (order.priority, asked, order.number)
        with self._desks[order.desk].request(priority=turn) as request:  # type: ignore[arg-type]
            yield request
            work = Work(self._stage.env, place_in_order)
            self._signing[order.desk][order.number] = work
            yield work.load(order.approval_days, self._desk_speed(order.desk))
            del self._signing[order.desk][order.number]
        waited = (self._stage.now - asked) / TICKS_PER_DAY
        return self._write(Kind.APPROVED, order, order.quantity, waited, row)

    def _send(self, order: Admitted, cause: int) -> Life:
        """Send the tranches of an order, each on its day after handover."""
        handed_over = self._stage.now
        for shipment, (days, amount) in enumerate(order.tranches, start=order.first_shipment):
            due = handed_over + ticks(days)
            if due > self._stage.now:
                place_in_order = slot(PHASE_DEPARTURE, order.source, shipment)
                yield Ticket(self._stage.env, place_in_order, due - self._stage.now)
            if order.kind is OrderKind.DRAW:
                self._write(Kind.CREDIT, order, amount, 0.0, cause)
            else:
                self._stage.env.process(self._convoy(order, shipment, amount, cause))

    def _convoy(self, order: Admitted, shipment: int, amount: float, cause: int) -> Life:
        """Tell the life of a shipment: it leaves, travels and serves from the next morning."""
        env, state = self._stage.env, self._state
        days = self._travel_days(order)
        state.take(order, amount)
        self._stage.mark(order.source, cause)
        row = self._write(Kind.DEPART, order, amount, days, cause, node=order.source)
        arrival = self._stage.now + delay_ticks(days, 1.0)
        morning = -(-arrival // TICKS_PER_DAY) * TICKS_PER_DAY
        door = order.place if order.place >= 0 else order.source
        yield Ticket(env, slot(PHASE_DELIVERY, door, shipment), morning - self._stage.now)
        row = self._write(Kind.ARRIVE, order, amount, order.home, row)
        if order.place >= 0:
            state.receive(order, amount)
            self._stage.mark(order.place, row)

    def _travel_days(self, order: Admitted) -> float:
        """Days on the way, fixed at departure by the state of the roads."""
        share, hit = self._world.roads.speed_share, self._state.road_hit
        days, here = order.fixed_days, order.source
        for stop, leg_days in zip(order.route, order.leg_days, strict=True):
            days += leg_days / float(share[max(hit[here], hit[stop])])
            here = stop
        return days

    def _write(
        self, kind: Kind, order: Admitted, quantity: float, value: float, cause: int,
        node: int | None = None,
    ) -> int:  # fmt: skip
        return self._stage.write(
            kind, order.place if node is None else node, resource=order.resource,
            order=order.number, quantity=quantity, value=value, cause=cause,
        )  # fmt: skip
