"""The planning problem of a scenario before it begins: what may come, and what to do first.

Needs come from replications on planning draws: the planner knows the scenario and not its luck. The
first stage is what is prepared before day 0 and the orders of day 0; later orders may
follow what has come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nts_sim.decision.model import Forewarning, Observation, Policy
from nts_sim.engine.session import LocalSession, simulate
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.planning.classes import Futures, classes, joined
from nts_sim.planning.filling import Filled, fill
from nts_sim.planning.leads import Leads
from nts_sim.planning.network import SIGNATURE_BN_VND, problem_of
from nts_sim.planning.numbers import Need, Numbers, need_of, numbers_of
from nts_sim.planning.problem import Equity, Sets, Shape
from nts_sim.planning.template import Template, template_of
from nts_sim.planning.truth import helped_path, true_path
from nts_sim.world.model import Floats, Ints, World

HORIZON_DAYS = 400
"""A scenario is planned for at most so many days; what comes later is planned for when it nears."""
DEPARTURES = 4
"""Epochs at which orders may be given in the plan of a scenario, from day 0 on."""
_LIKELY = 0.3
"""Onsets that come in at least this share of the samples are counted on to open triggers."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Needs drawn for a scenario.

    Attributes
    ----------
    futures : what comes
    covered : float array [S, cell, 3, period], share of the period at a severity that was covered
    drawn : int array [S], number of the planning draw behind each
    """

    futures: Futures
    covered: Floats
    drawn: Ints


@dataclass(frozen=True, eq=False)
class ScenarioPlan:
    """A scenario's planning problem, filled with samples.

    Attributes
    ----------
    world : of the scenario, not prepared
    template, numbers, filled : as at an epoch; the samples are in `numbers.need`
    observation : what is known on day 0
    foretold : the same, with warnings of what likely comes
    equity : soft floor on served shares; None: none
    lever_factor : times the worth of what help averts later
    """

    world: World
    template: Template
    numbers: Numbers
    filled: Filled
    observation: Observation
    foretold: Observation
    equity: Equity | None = None
    lever_factor: float = 1.0


def scenario_template(world: World) -> Template:
    """Return the template of a scenario's plan, what may be done before day 0 included."""
    days = min(world.horizon_days, HORIZON_DAYS)
    prepare = world.terms.budget_bn_vnd > 0.0
    shape = Shape(lookahead_days=days, departures=DEPARTURES, forwards=0, prepare=prepare)
    return template_of(problem_of(world, shape, SIGNATURE_BN_VND))


def draw_samples(
    world: World,
    edges_days: Floats,
    seed: int,
    draws: Sequence[int],
    n_samples: int | None = None,
    incumbent: Policy | None = None,
) -> Samples:
    """Draw needs on planning draws, as they are under a policy; keep samples that stand for all.

    Needs depend on the help that comes: an incident that is served rises less and ends sooner. So
    they are taken from simulations of the policy in hand, the incumbent.

    Parameters
    ----------
    n_samples : see `stand_ins`; None: keep all draws
    incumbent : None: nobody helps at all
    """
    lucks = [Luck(seed, DrawSet.PLANNING, number) for number in draws]
    seen = [_paths(world, luck, edges_days, incumbent) for luck in lucks]
    path, covered = (np.stack(part) for part in zip(*seen, strict=True))
    count = len(draws) if n_samples is None else n_samples
    kept = stand_ins(path, covered, edges_days, world, count)
    return replace(kept, drawn=np.array(draws)[kept.drawn])


def stand_ins(
    path: Floats, covered: Floats, edges_days: Floats, world: World, n_samples: int
) -> Samples:
    """Choose samples that stand for all draws, stratified by the harm that comes.

    Draws are put in classes of like harm, so that a rare severe one is present with its chance;
    the draw nearest to its class stands for it.

    Parameters
    ----------
    path, covered : float array [draw, cell, 3, period]
    """
    harm = np.einsum("ikst,ks,t->i", path, world.cells.harm_rate, np.diff(edges_days))
    of = classes(harm, n_samples)
    size = np.bincount(of)
    off = np.abs(harm - (np.bincount(of, harm) / size)[of])
    chosen = [int(np.where(of == k, off, np.inf).argmin()) for k in range(len(size))]
    return Samples(Futures(path[chosen], size / len(path)), covered[chosen], np.array(chosen))


def _paths(
    world: World, luck: Luck, edges_days: Floats, incumbent: Policy | None
) -> tuple[Floats, Floats]:
    if incumbent is None:
        path = true_path(world, luck, edges_days, 0.0)
        return path, np.zeros_like(path)
    return helped_path(world, simulate(world, incumbent, luck).trace, edges_days)


Members = Sequence[tuple[float, World, Samples]]
"""Scenarios planned for together: (weight, world, samples); worlds differ in their hazards only."""


def plan_of_scenario(
    members: Members,
    equity: Equity | None = None,
    lever_factor: float = 1.0,
) -> ScenarioPlan:
    """Fill the planning problem of a scenario, or of a weighted set of them.

    Parameters
    ----------
    lever_factor : times the worth of what help averts later
    """
    world = members[0][1]
    template = scenario_template(world)
    futures = joined([(weight, samples.futures) for weight, _, samples in members])
    observation = day_zero(world)
    need = need_of_members(members, template.sets, observation, lever_factor)
    numbers = numbers_of(world, template.sets, observation, need)
    foretold = _foretold(world, template.sets, observation, futures)
    numbers = with_leads(numbers, world, template.sets, (observation, foretold))
    filled = fill(template, numbers, equity=equity)
    return ScenarioPlan(
        world, template, numbers, filled, observation, foretold, equity, lever_factor
    )


def need_of_members(
    members: Members, sets: Sets, observation: Observation, lever_factor: float
) -> Need:
    """Return the need of a weighted set of scenarios, sample by sample."""
    return need_of(
        members[0][1],
        sets,
        observation,
        joined([(weight, samples.futures) for weight, _, samples in members]),
        lever_factor=lever_factor,
        covered=np.concatenate([samples.covered for _, _, samples in members]),
    )


def with_leads(
    numbers: Numbers,
    world: World,
    sets: Sets,
    seen: tuple[Observation, Observation],
    sooner_days: Mapping[int, float] | None = None,
) -> Numbers:
    """Set when orders begin to serve: those of day 0 by what is known, later ones as foretold.

    Parameters
    ----------
    seen : what is known on day 0; the same with warnings of what likely comes
    sooner_days : mechanism → days by which its lead is shorter than it is
    """
    now, then = (Leads(world, sets, observation, sooner_days) for observation in seen)
    return replace(
        numbers,
        arc_period=_later(now.arcs(), then.arcs()),
        goods_period=_later(now.goods(), then.goods()),
        draw_period=_later(now.draws(), then.draws()),
    )


def day_zero(world: World) -> Observation:
    """Return what is known on day 0, on the first planning draw."""
    session = LocalSession(world, Luck(0, DrawSet.PLANNING, 0))
    session.advance(0)
    return session.observe()


def _later(now: Ints, then: Ints) -> Ints:
    """Take first periods served of day 0 as they are, of later departures as foretold."""
    made = then.copy()
    made[..., 0] = now[..., 0]
    return made


def _foretold(world: World, sets: Sets, observation: Observation, futures: Futures) -> Observation:
    """Add warnings of what likely comes: a trigger that is closed on day 0 opens when it nears."""
    chance = np.einsum("i,ikst->ks", futures.probability, futures.path > 0.0)
    warnings = [
        Forewarning(cell, int(np.flatnonzero(chance[cell] >= _LIKELY).max()) + 1, 0.0)
        for cell in np.flatnonzero((chance >= _LIKELY).any(axis=1)).tolist()
    ]
    return replace(observation, warnings=(*observation.warnings, *warnings))
