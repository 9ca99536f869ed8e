"""Rule policies: what is done today, and simple ways to divide help that one might use instead.

All rules act on reports, know the same mechanisms, declare levels, draw money and put standing
forces on call before a forewarned onset (unless `preposition` is false). A province's own
mechanisms (framework contracts, requisition) serve it first under every rule. The rules differ in
who gets first of what several places compete for: donors' spare units, national ceilings, hubs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nts_sim.decision.model import Decide, Observation, Order, Policy
from nts_sim.policies.dispatch import Dispatch, Memory, Option, Stage
from nts_sim.policies.means import means_of
from nts_sim.policies.needs import Picture, Reading, picture
from nts_sim.policies.shares import (
    Share,
    Situation,
    share_all_that_is_short,
    share_by_risk,
    share_equally,
    share_greedily,
    share_least_met_first,
    share_per_capita,
    share_worst_first,
)
from nts_sim.spec.models import PolicySpec
from nts_sim.world.model import Floats, World

_LOOKAHEAD_DAYS = 7
_COVERAGE_BELOW = 0.5
_SCARCEST_FIRST_GRAIN = 1e-12


@dataclass(frozen=True)
class Rule:
    """A way to decide, apart from what all rules have in common.

    Attributes
    ----------
    share : divides the pool among the places
    escalates : asks one stage further up at each epoch of shortage, from the stage that the
        severity says; otherwise everyone is asked at once
    nearest : donors send to the nearest shortage first, before the centre is asked
    acts_below : acts only where the share of the need that is met is below this
    """

    share: Share
    escalates: bool = False
    nearest: bool = False
    acts_below: float | None = None


# --- the policies ---------------------------------------------------------------------------------


def do_nothing(spec: PolicySpec) -> Policy:
    """Give no orders: every place serves with what it holds. The floor of every comparison."""
    del spec

    def wait(observation: Observation) -> Sequence[Order]:
        return ()

    return Policy("do_nothing", lambda world: wait, waits=True)


def current_practice(spec: PolicySpec) -> Policy:
    """Do what is done today: on the spot, the province, its neighbours, then the centre.

    Own stock serves by itself. Where a shortage is reported, the province declares the level that
    the severity says, draws its contingency and disaster funds, calls on framework contracts and
    requisitions (stage 1); then asks its neighbours (stage 2); then the centre: army, police,
    national reserve, ministries, Fatherland Front, and donors from anywhere (stage 3). Severity 1
    starts at stage 1, severity 2 at 2, severity 3 at 3, and each epoch of shortage adds one. Who
    reports the worst severity, and then the most people, is served first. Army, police and utility
    crews are put on call for forewarned onsets, as the record of 2024 shows.
    """
    return _policy("current_practice", spec, Rule(share_worst_first, escalates=True))


def informed_practice(spec: PolicySpec) -> Policy:
    """Do what is done today, but divide reported people by the share known to be reported.

    The control that tells better information from better allocation: an optimised policy that
    corrects reports should beat this, not only `current_practice`.
    """
    corrected = spec.model_copy(update={"correct_reports": True})
    return replace(current_practice(corrected), name="informed_practice")


def equal_share(spec: PolicySpec) -> Policy:
    """Split what all places together lack equally among those that need it.

    How much is asked for follows the reports; who gets it does not ask who is short. Simple to
    explain and hard to dispute, which is why it is used.
    """
    return _policy("equal_share", spec, Rule(share_equally))


def per_capita(spec: PolicySpec) -> Policy:
    """Split what all places together lack by population among those that need it.

    As `equal_share`, by head: fair in an even emergency, wasteful where a small province is hit
    hard.
    """
    return _policy("per_capita", spec, Rule(share_per_capita))


def risk_proportional(spec: PolicySpec) -> Policy:
    """Split what all places together lack by reported exposed people, weighted by severity.

    Weights are 1, 2, 4 for severity 1, 2, 3. Sensible where reports of people are better than
    reports of stock.
    """
    return _policy("risk_proportional", spec, Rule(share_by_risk))


def nearest_first(spec: PolicySpec) -> Policy:
    """Let the nearest donors with spare units fill the reported shortage; then ask the centre."""
    return _policy("nearest_first", spec, Rule(share_all_that_is_short, nearest=True))


def threshold(spec: PolicySpec) -> Policy:
    """Act only where less than `coverage_below` of the reported need is met, least met first.

    Sensible where signatures and travel are dear and small shortages can wait.
    """
    below = _COVERAGE_BELOW if spec.coverage_below is None else spec.coverage_below
    return _policy("threshold", spec, Rule(share_least_met_first, acts_below=below))


def greedy(spec: PolicySpec) -> Policy:
    """Give the next batch where it averts most harm for the share of the pool it takes.

    A batch raises the coverage of one cell by a fifth and holds what its bottleneck resources lack
    for that; it is skipped where the pool cannot complete it, so nothing is sent that another
    resource leaves idle.
    """
    return _policy("greedy", spec, Rule(share_greedily))


# --- what all rules have in common ----------------------------------------------------------------


def _policy(name: str, spec: PolicySpec, rule: Rule) -> Policy:
    lookahead = _LOOKAHEAD_DAYS if spec.lookahead_days is None else spec.lookahead_days
    reading = Reading(float(lookahead), bool(spec.correct_reports))
    on_call = spec.preposition is not False

    def open_policy(world: World) -> Decide:
        places = world.nodes.n_provinces
        memory = Memory([0] * places, [0] * places)
        means = means_of(world, reading.cover_days(world))

        def decide(observation: Observation) -> Sequence[Order]:
            if not observation.severity.any() and not (on_call and observation.warnings):
                return ()
            seen = picture(world, observation, reading)
            dispatch = Dispatch(world, observation, seen, means)
            return _respond(dispatch, memory, rule, on_call=on_call)

        return decide

    return Policy(name, open_policy, settings=spec.model_dump(exclude_none=True))


def _respond(dispatch: Dispatch, memory: Memory, rule: Rule, *, on_call: bool) -> list[Order]:
    """Write the orders of one epoch: levels, forces on call, own means, shared help, money."""
    seen = dispatch.seen
    short = seen.shortage.copy()
    if rule.acts_below is not None:
        short[seen.met_share >= rule.acts_below] = 0.0
    acting = _worst_first(seen, short)
    stages = _stages(seen, memory, short, escalates=rule.escalates)
    dispatch.declare_levels(memory, acting)
    if on_call and dispatch.observation.warnings:
        _put_on_call(dispatch, short)
    if acting:
        _use_own_means(dispatch, acting, short)
        _share_out(dispatch, rule, short, stages)
    for place in acting:
        centre = stages[place] is Stage.CENTRE
        dispatch.orders += dispatch.purse.draws(place, dispatch.means, memory.draws, centre=centre)
    return dispatch.orders


def _worst_first(seen: Picture, short: Floats) -> list[int]:
    """Places with a shortage: worst severity first, then most people reported, then by code."""
    places = np.flatnonzero(short.any(axis=1))
    order = np.lexsort((places, -seen.exposed[places], -seen.worst[places]))
    return [int(place) for place in places[order]]


def _stages(seen: Picture, memory: Memory, short: Floats, *, escalates: bool) -> list[Stage]:
    """How far up each place asks; counts the epochs of shortage on the way."""
    stages = []
    for place, lacking in enumerate(np.any(short, axis=1).tolist()):
        stage = int(seen.worst[place]) + memory.short_epochs[place]
        memory.short_epochs[place] = memory.short_epochs[place] + 1 if lacking else 0
        stages.append(Stage(min(3, max(1, stage))) if escalates else Stage.CENTRE)
    return stages


def _put_on_call(dispatch: Dispatch, short: Floats) -> None:
    """Call up standing forces for forewarned onsets, in full; lowers `short` by what they bring."""
    ahead = dispatch.seen.standby - dispatch.seen.shortage
    for place, resource in np.argwhere(ahead > 0.0).tolist():
        want = float(dispatch.seen.standby[place, resource])
        got = dispatch.fill(
            place, resource, want, standby=True, why=f"on call: {want:.0f} needed as forewarned"
        )
        short[place, resource] = max(0.0, short[place, resource] - got)


def _use_own_means(dispatch: Dispatch, places: Sequence[int], short: Floats) -> None:
    """Let every province use its own mechanisms first; lowers `short` by what they bring."""
    for place in places:
        for resource in _scarcest_first(dispatch.seen, short, place):
            got = dispatch.fill(
                place, resource, float(short[place, resource]), contested=False,
                why=_why(dispatch.seen, place, resource),
            )  # fmt: skip
            short[place, resource] = max(0.0, short[place, resource] - got)


def _scarcest_first(seen: Picture, short: Floats, place: int) -> list[int]:
    """Resources short at a place, least met first."""
    lacking = np.flatnonzero(short[place])
    met = seen.have[place, lacking] / np.maximum(seen.wanted[place, lacking], _SCARCEST_FIRST_GRAIN)
    return [int(resource) for resource in lacking[np.argsort(met, kind="stable")]]


def _why(seen: Picture, place: int, resource: int) -> str:
    have, wanted = seen.have[place, resource], seen.wanted[place, resource]
    return f"reported short: {have:.0f} of {wanted:.0f} units there or coming"


def _share_out(dispatch: Dispatch, rule: Rule, short: Floats, stages: Sequence[Stage]) -> None:
    """Divide what several places compete for and order it."""
    if not short.any():
        return
    pool = dispatch.pool()
    grants = rule.share(Situation(dispatch.world, dispatch.observation, dispatch.seen, pool, short))
    whole = dispatch.world.resources.whole_units
    grants = np.where(whole, np.floor(grants + 1e-9), grants)
    if rule.nearest:
        _send_nearest(dispatch, grants)
    for place in _worst_first(dispatch.seen, grants):
        if stages[place] is Stage.PROVINCE:
            continue
        for resource in _scarcest_first(dispatch.seen, grants, place):
            dispatch.fill(
                place, resource, float(grants[place, resource]), stage=stages[place],
                why=_why(dispatch.seen, place, resource),
            )  # fmt: skip


def _send_nearest(dispatch: Dispatch, short: Floats) -> None:
    """Match donors and places pair by pair, nearest pair first; lowers `short`."""
    spare, travel = np.asarray(dispatch.spare), np.asarray(dispatch.travel)
    names = dispatch.world.nodes.name
    for resource in np.flatnonzero(short.any(axis=0)).tolist():
        donors, takers = np.flatnonzero(spare[:, resource]), np.flatnonzero(short[:, resource])
        days = travel[np.ix_(donors, takers)]
        for pair in np.argsort(days, axis=None, kind="stable").tolist():
            source, place = int(donors[pair // len(takers)]), int(takers[pair % len(takers)])
            if source == place or short[place, resource] <= 0.0:
                continue
            option = Option(float(days.flat[pair]), source, -1, None, names[source])
            why = f"{names[source]} is the nearest with spare units"
            want = float(short[place, resource])
            short[place, resource] -= dispatch.take(
                option, place, resource, want, why, "the next nearest donor"
            )
