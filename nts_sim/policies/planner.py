"""The planner at work: one replication under an optimised policy, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nts_sim.decision.model import (
    Foresee,
    Forewarning,
    Observation,
    Order,
    OrderKind,
    declare,
)
from nts_sim.errors import NoAcceptableSolution
from nts_sim.planning.classes import Futures, aggregated, one_mean, stratified
from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.forecast import mean_path
from nts_sim.planning.network import SIGNATURE_BN_VND, problem_of
from nts_sim.planning.numbers import Numbers, need_of, numbers_of
from nts_sim.planning.plan import OrderWriter, Plan, read_plan
from nts_sim.planning.problem import Sets, Shape
from nts_sim.planning.solve import Highs, Status
from nts_sim.planning.template import Template, template_of
from nts_sim.planning.truth import foreseen_path
from nts_sim.planning.twostage import Risk, solve_two_stage, wait_and_see
from nts_sim.policies.settings import Settings
from nts_sim.units import ticks
from nts_sim.words import say
from nts_sim.words.figures import figure
from nts_sim.world.model import Effect, Floats, World


class Planner:
    """The decision maker of one replication under an optimised policy.

    Remembers what an observation does not tell: warnings whose onset is not reported yet, draws
    not yet credited, cells that are immune, levels asked for and, if it does not re-optimise, its
    first plan.
    """

    def __init__(
        self,
        world: World,
        settings: Settings,
        highs: Highs,
        first_stage: Sequence[Order] | None = None,
        foresee: Foresee | None = None,
    ) -> None:
        self._world, self._settings, self._first_stage = world, settings, first_stage
        self._highs, self._foresee = highs, foresee
        self._template = planner_template(world, settings)
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
        targets = self._targets(plan, seen) if self._settings.serve_targets else []
        return [*self._declarations(seen, plan.numbers), *orders, *targets]

    def _targets(self, plan: Plan, observation: Observation) -> list[Order]:
        """Tell places how to split what they have over the incidents they report."""
        orders = OrderWriter(self._world, plan, observation, 0).targets(0)
        return [order for order in orders if observation.severity[order.cell] > 0]

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
        world, settings, sets = self._world, self._settings, self._template.sets
        futures = futures_of(world, sets, observation, settings, self._immune, self._foresee)
        need = need_of(
            world, sets, observation, futures, correct_reports=settings.correct_reports,
            caution=settings.caution, lever_factor=settings.lever_factor,
        )  # fmt: skip
        numbers = numbers_of(world, sets, observation, need, self._pending)
        return plan_for(self._template, numbers, settings, self._highs)

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
            orders.append(declare(place, level, f"why.expected_level?level={level}"))
        return orders

    def _levels(self, observation: Observation, numbers: Numbers) -> Floats:
        world, n = self._world, self._template.sets.n_places
        worst = np.zeros(world.nodes.n_places, dtype=np.int64)
        np.maximum.at(worst, world.cells.place, observation.severity)
        for warning in observation.warnings:
            place = world.cells.place[warning.cell]
            worst[place] = max(worst[place], warning.severity)
        most = numbers.demand(self._template.sets).max(axis=(0, 3))
        short = (most > numbers.own + 1.0).any(axis=1)
        return np.where(short & (worst[:n] > 0), np.maximum(worst[:n], 2), worst[:n])

    def _note_draws(self, observation: Observation, plan: Plan, orders: Sequence[Order]) -> None:
        sets = self._template.sets
        for order in orders:
            if order.kind is OrderKind.DRAW:
                m = next(i for i, w in enumerate(sets.draws) if w.mechanism == order.mechanism)
                period = min(int(plan.numbers.draw_period[m, order.place, 0]), sets.n_periods)
                due = observation.day + float(sets.edges_days[period])
                self._pending.append((order.place, order.quantity, due))


def planner_template(world: World, settings: Settings) -> Template:
    """Return the template a planner fills at each epoch."""
    shape = Shape(lookahead_days=settings.lookahead_days, departures=settings.departures)
    return template_of(problem_of(world, shape, SIGNATURE_BN_VND))


def futures_of(
    world: World,
    sets: Sets,
    observation: Observation,
    settings: Settings,
    immune: Floats,
    foresee: Foresee | None = None,
) -> Futures:
    """Return what may come, as the settings see it; `foresee` is needed for the truth alone."""
    given = world, observation, sets.edges_days, immune
    match settings.futures:
        case "classes":
            return aggregated(*given, settings.n_futures, settings.n_samples)
        case "samples":
            return stratified(*given, settings.n_samples, settings.n_futures)
        case "mean_path":
            return Futures(mean_path(*given)[None], np.ones(1))
        case "truth":
            assert foresee is not None
            trace = foresee(ticks(observation.day + float(sets.edges_days[-1])))
            path = foreseen_path(world, trace, sets.edges_days, observation.day)
            return Futures(path[None], np.ones(1))
        case "mean":
            return one_mean(*given, settings.n_futures)


def plan_for(template: Template, numbers: Numbers, settings: Settings, highs: Highs) -> Plan:
    """Fill the template, solve it against the risk of the settings, read the plan.

    Raises
    ------
    NoAcceptableSolution
        Also where only a plan that is not proved good is known when time ends: what is simulated
        would depend on the speed of the machine.
    """
    filled = fill(template, numbers, equity=settings.equity, commit_all=not settings.reoptimise)
    risk = _risk(filled, settings, highs)
    solution = solve_two_stage(filled.two_stage, risk, highs, start=filled.start)
    if solution.status is Status.TIME_LIMIT:
        limit, gap = figure(highs.time_limit_s), figure(solution.gap, ".1%")
        raise NoAcceptableSolution(say("said.plan.not_proved", limit=limit, gap=gap))
    return read_plan(filled, solution)


def _risk(filled: Filled, settings: Settings, highs: Highs) -> Risk:
    if settings.risk == "minimax_regret":
        return Risk("minimax_regret", best=wait_and_see(filled.two_stage, highs))
    return first_risk(settings)


def first_risk(settings: Settings) -> Risk:
    """Return what a scenario's plan is made against, where no regret is known."""
    kind = "expectation" if settings.risk == "minimax_regret" else settings.risk
    return Risk(kind, weight=settings.risk_weight, level=settings.risk_level)


def _by_day(warning: Forewarning) -> tuple[float, int]:
    return warning.day, warning.cell
