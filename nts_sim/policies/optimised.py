"""Optimised policies: at each epoch, the best plan for what is expected, and its first orders.

`expected_value` solves the planning problem for the mean of the coming days, from what is observed
and forewarned, and issues the orders of the first period. Sensible where lead times and travel
decide, where several places compete for the same units, and where reports come late or short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from nts_sim.decision.model import (
    Forewarning,
    Observation,
    Order,
    OrderKind,
    Policy,
    declare,
)
from nts_sim.planning.filling import fill
from nts_sim.planning.numbers import Numbers, Outlook, expected_path, need_of, numbers_of
from nts_sim.planning.plan import OrderWriter, Plan, read_plan
from nts_sim.planning.problem import Shape
from nts_sim.planning.solve import Highs
from nts_sim.planning.template import Template, template_of
from nts_sim.spec.models import PolicySpec, SolverSpec
from nts_sim.world.model import Effect, Floats, World

_DESK_PRICE_BN_VND = 0.05
"""What one more order on a desk is worth avoiding, spread over what the order could carry."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What of a `PolicySpec` matters to `expected_value`.

    Attributes
    ----------
    lookahead_days : days of need that are planned for
    correct_reports : divide reported people by the share known to be reported
    preposition : act on forewarned onsets
    reoptimise : solve again at each epoch; otherwise the first plan with orders is carried out
    forecast : "sampled" (futures drawn from what is known) or "mean_path" (mean-field equations)
    """

    lookahead_days: int = 9
    correct_reports: bool = True
    preposition: bool = True
    reoptimise: bool = True
    forecast: str = "sampled"

    @classmethod
    def of(cls, spec: PolicySpec) -> Settings:
        """Take what the planner set; the rest stays as it is by default."""
        given = {name: getattr(spec, name) for name in asdict(cls())}
        return cls(**{name: value for name, value in given.items() if value is not None})


def expected_value(
    spec: PolicySpec,
    solver: SolverSpec | None = None,
    first_stage: Sequence[Order] | None = None,
) -> Policy:
    """Plan for the expected need, re-solved at each epoch on what is observed.

    `first_stage` holds the orders of day 0 where one plan is made for a scenario set.

    Pre-positions during warning days, corrects reports, sends its own visitors home, and names for
    each order its reason and runner-up. Deterministic: the same observations give the same orders.
    """
    settings = Settings.of(spec)
    limit_s = (solver or SolverSpec(name="highs")).time_limit_s
    return Policy(
        name="expected_value",
        open=lambda world: ExpectedValue(world, settings, Highs(limit_s), first_stage),
        manages_returns=True,
        settings=asdict(settings),
    )


class ExpectedValue:
    """The decision maker of one replication under `expected_value`.

    Remembers what an observation does not tell: warnings whose onset is not reported yet, draws
    not yet credited, cells that are immune, levels asked for and, if it does not re-optimise, its
    first plan.
    """

    def __init__(
        self, world: World, settings: Settings, highs: Highs, first_stage: Sequence[Order] | None
    ) -> None:
        self._world, self._settings, self._first_stage = world, settings, first_stage
        self._highs = highs
        self._template = _template(world, settings)
        self._outlook = Outlook(settings.forecast, settings.correct_reports)
        self._warned: dict[tuple[int, float], Forewarning] = {}
        self._pending: list[tuple[int, float, float]] = []
        self._was_active = np.zeros(len(world.cells), dtype=np.bool_)
        self._immune = np.zeros(len(world.cells))
        self._day = 0.0
        self._asked_level = np.zeros(world.nodes.n_places, dtype=np.int64)
        self._kept: tuple[Plan, float] | None = None
        self._gate = next((m for m in world.mechanisms if m.effect is Effect.GATE), None)

    def __call__(self, observation: Observation) -> Sequence[Order]:
        """Return the orders of this epoch."""
        seen = self._remember(observation)
        self._follow_immunity(seen)
        if self._first_stage is not None and observation.day <= 0.0:
            return self._first_stage
        if self._kept is not None:
            return self._carry_on(*self._kept, seen)
        if not (seen.severity.any() or seen.warnings or self._visitors(seen)):
            return []
        plan = self._solve(seen)
        orders = OrderWriter(self._world, plan, seen, 0).orders()
        if orders and not self._settings.reoptimise:
            self._kept = plan, observation.day
        self._note_draws(seen, plan, orders)
        return [*self._declarations(seen, plan.numbers), *orders]

    def _carry_on(self, plan: Plan, made_day: float, observation: Observation) -> list[Order]:
        """Return what the first plan foresaw for today."""
        days = plan.template.sets.edges_days[plan.template.sets.departure]
        (today,) = np.nonzero(days == observation.day - made_day)
        return [
            order
            for departure in today.tolist()
            for order in OrderWriter(self._world, plan, observation, departure).orders()
        ]

    def _remember(self, observation: Observation) -> Observation:
        """Keep warnings until their onset would be reported; drop draws that are credited."""
        for warning in observation.warnings:
            self._warned[warning.cell, warning.day] = warning
        patience = self._world.information.lag_days + self._world.information.detection_days
        self._warned = {
            key: w for key, w in self._warned.items() if w.day > observation.day - patience - 1e-9
        }
        self._pending = [draw for draw in self._pending if draw[2] > observation.day]
        if not self._settings.preposition:
            return replace(observation, warnings=())
        return replace(observation, warnings=tuple(sorted(self._warned.values(), key=_by_day)))

    def _follow_immunity(self, observation: Observation) -> None:
        """Count a cell immune when its incident ends, less and less as time goes by."""
        mean_days = self._world.threats.immunity_days[self._world.cells.threat]
        active = observation.severity > 0
        elapsed = observation.day - self._day
        self._immune *= np.exp(-elapsed / np.maximum(mean_days, 1e-9))
        self._immune[self._was_active & ~active & (mean_days > 0.0)] = 1.0
        self._immune[active] = 0.0
        self._was_active, self._day = active, observation.day

    def _visitors(self, observation: Observation) -> bool:
        planned = set(self._template.sets.resource.tolist())
        return any(visiting.resource in planned for visiting in observation.visitors)

    def _solve(self, observation: Observation) -> Plan:
        sets = self._template.sets
        path = expected_path(self._world, sets, observation, self._outlook, self._immune)
        need = need_of(self._world, sets, observation, self._outlook, path)
        numbers = numbers_of(self._world, sets, observation, need, self._pending)
        return _plan_for(self._template, numbers, self._highs)

    def _declarations(self, observation: Observation, numbers: Numbers) -> list[Order]:
        """Declare what severity calls for, and level 2 where a province cannot cope alone.

        An approval takes time and a declaration costs nothing, so it comes with the warning.
        """
        if self._gate is None:
            return []
        wanted = self._levels(observation, numbers)
        asked = np.maximum(observation.level, self._asked_level)
        orders = []
        for place in np.flatnonzero(wanted > asked[: len(wanted)]).tolist():
            self._asked_level[place] = level = int(wanted[place])
            orders.append(declare(place, level, f"expected severity or shortage at level {level}"))
        return orders

    def _levels(self, observation: Observation, numbers: Numbers) -> Floats:
        world, n = self._world, self._template.sets.n_places
        worst = np.zeros(world.nodes.n_places, dtype=np.int64)
        np.maximum.at(worst, world.cells.place, observation.severity)
        for warning in observation.warnings:
            place = world.cells.place[warning.cell]
            worst[place] = max(worst[place], warning.severity)
        most = numbers.demand(self._template.sets).max(axis=2)
        short = (most > numbers.own + 1.0).any(axis=1)
        return np.where(short & (worst[:n] > 0), np.maximum(worst[:n], 2), worst[:n])

    def _note_draws(self, observation: Observation, plan: Plan, orders: Sequence[Order]) -> None:
        sets = self._template.sets
        for order in orders:
            if order.kind is OrderKind.DRAW:
                m = sets.draws.index(order.mechanism)
                period = min(int(plan.numbers.draw_period[m, order.place, 0]), sets.n_periods)
                due = observation.day + float(sets.edges_days[period])
                self._pending.append((order.place, order.quantity, due))


def _template(world: World, settings: Settings) -> Template:
    return template_of(world, Shape(lookahead_days=settings.lookahead_days), _DESK_PRICE_BN_VND)


def _plan_for(template: Template, numbers: Numbers, highs: Highs) -> Plan:
    filled = fill(template, numbers)
    return read_plan(filled, highs.solve(filled.program, filled.start))


def plan_for_set(
    members: Sequence[tuple[float, World, Observation]], spec: PolicySpec
) -> list[Order]:
    """Return the orders of day 0 of one plan for a scenario set, before it is known which comes.

    The need is the expectation over the members: chances of severities are weighted means.

    Parameters
    ----------
    members : (weight, world, observation of day 0); the worlds differ in their hazards only
    spec : settings of the policy
    """
    settings = Settings.of(spec)
    _, world, observation = members[0]
    template, outlook = (
        _template(world, settings),
        Outlook(settings.forecast, settings.correct_reports),
    )
    immune = np.zeros(len(world.cells))
    path = sum(
        weight * expected_path(member, template.sets, seen, outlook, immune)
        for weight, member, seen in members
    )
    need = need_of(world, template.sets, observation, outlook, np.asarray(path))
    plan = _plan_for(template, numbers_of(world, template.sets, observation, need, ()), Highs())
    return OrderWriter(world, plan, observation, 0).orders()


def _by_day(warning: Forewarning) -> tuple[float, int]:
    return warning.day, warning.cell
