"""Rule policies: what is done today, and simple ways to divide help that one might use instead.

All rules act on reports, know the same mechanisms, declare levels, draw money and put standing
forces on call before a forewarned onset (unless `preposition` is false). A province's own
mechanisms (framework contracts, requisition) serve it first under every rule. The rules differ in
who gets first of what several places compete for: donors' spare units, national ceilings, hubs.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nts_sim.decision.model import Decide, Observation, Order, Policy
from nts_sim.policies.dispatch import Dispatch, Memory, Option, Stage
from nts_sim.policies.means import means_of
from nts_sim.policies.needs import Amounts, Picture, Reading, reader_of
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
from nts_sim.world.model import World

_LOOKAHEAD_DAYS = 7
_COVERAGE_BELOW = 0.5
_GRAIN = 1e-9


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
        memory = Memory()
        means = means_of(world, reading.cover_days(world))
        reader = reader_of(world, reading)

        def decide(observation: Observation) -> Sequence[Order]:
            active = observation.severity.nonzero()[0].tolist()
            if not active and not (on_call and observation.warnings):
                return ()
            seen = reader.picture(observation, active)
            short = _shortage(seen, rule)
            stages = _stages(seen, memory, short, escalates=rule.escalates)
            if not short and not (on_call and seen.standby != seen.shortage):
                return ()
            dispatch = Dispatch(world, observation, seen, means)
            return _respond(dispatch, memory, rule, short, stages, on_call=on_call)

        return decide

    return Policy(name, open_policy, settings=spec.model_dump(exclude_none=True))


def _shortage(seen: Picture, rule: Rule) -> Amounts:
    """Copy the shortages that the rule acts on."""
    below = rule.acts_below
    return {
        place: dict(units)
        for place, units in seen.shortage.items()
        if below is None or seen.met_share(place) < below
    }


def _stages(seen: Picture, memory: Memory, short: Amounts, *, escalates: bool) -> dict[int, Stage]:
    """How far up each place that is short asks; counts its epochs of shortage on the way."""
    before = memory.short_epochs
    memory.short_epochs = {place: before.get(place, 0) + 1 for place in short}
    if not escalates:
        return dict.fromkeys(short, Stage.CENTRE)
    return {p: Stage(min(3, max(1, seen.worst[p] + before.get(p, 0)))) for p in short}


def _respond(
    dispatch: Dispatch, memory: Memory, rule: Rule, short: Amounts, stages: Mapping[int, Stage],
    *, on_call: bool,
) -> list[Order]:  # fmt: skip
    """Write the orders of one epoch: levels, forces on call, own means, shared help, money."""
    acting = dispatch.seen.worst_first(short)
    dispatch.declare_levels(memory, acting)
    if on_call and dispatch.observation.warnings:
        _put_on_call(dispatch, short)
    if acting:
        _use_own_means(dispatch, acting, short)
        _share_out(dispatch, rule, short, stages)
    for place in acting:
        centre = stages[place] is Stage.CENTRE
        dispatch.orders += dispatch.purse.draws(place, memory.draws, centre=centre)
    return dispatch.orders


def _put_on_call(dispatch: Dispatch, short: Amounts) -> None:
    """Call up standing forces for forewarned onsets, in full; lowers `short` by what they bring."""
    seen, standing = dispatch.seen, dispatch.means.standing
    for place in sorted(seen.standby):
        missing = seen.shortage.get(place, {})
        for resource, want in sorted(seen.standby[place].items()):
            if standing[resource] and want > missing.get(resource, 0.0):
                why = f"why.on_call?want={want:.0f}"
                got = dispatch.put_on_call(place, resource, want, why)
                _lower(short, place, resource, got)


def _use_own_means(dispatch: Dispatch, places: Sequence[int], short: Amounts) -> None:
    """Let every province use its own mechanisms first; lowers `short` by what they bring."""
    own = dispatch.means.own
    for place in places:
        lacking = short.get(place, {})
        served = [resource for resource in lacking if own[resource]]
        for resource in dispatch.seen.scarcest_first(served, place):
            why = _why(dispatch.seen, place, resource)
            got = dispatch.use_own_means(place, resource, lacking[resource], why)
            _lower(short, place, resource, got)


def _lower(short: Amounts, place: int, resource: int, units: float) -> None:
    """Take units off what is short; what is no longer short is not listed."""
    lacking = short.get(place, {})
    left = lacking.pop(resource, 0.0) - units
    if left > 0.0:
        lacking[resource] = left
    elif not lacking:
        short.pop(place, None)


def _why(seen: Picture, place: int, resource: int) -> str:
    have, wanted = seen.have[place][resource], seen.wanted[place][resource]
    return f"why.reported_short?have={have:.0f}&wanted={wanted:.0f}"


def _share_out(dispatch: Dispatch, rule: Rule, short: Amounts, stages: Mapping[int, Stage]) -> None:
    """Divide what several places compete for and order it."""
    if not short:
        return
    pool = dispatch.pool(sorted({resource for lacking in short.values() for resource in lacking}))
    situation = Situation(dispatch.world, dispatch.observation, dispatch.seen, pool, short)
    grants = _whole(rule.share(situation), dispatch.means.whole_units)
    if rule.nearest:
        _send_nearest(dispatch, grants)
    for place in dispatch.seen.worst_first(grants):
        # A place that is given something without being short asks everyone.
        stage = stages.get(place, Stage.CENTRE)
        if stage is Stage.PROVINCE:
            continue
        for resource in dispatch.seen.scarcest_first(grants[place], place):
            why = _why(dispatch.seen, place, resource)
            dispatch.use_shared(place, resource, grants[place][resource], stage, why)


def _whole(grants: Amounts, whole_units: Sequence[bool]) -> Amounts:
    """Round down to whole units where units are whole; drop what is left at 0."""
    rounded: Amounts = {}
    for place, granted in grants.items():
        for resource, units in granted.items():
            kept = float(math.floor(units + _GRAIN)) if whole_units[resource] else units
            if kept > 0.0:
                rounded.setdefault(place, {})[resource] = kept
    return rounded


def _send_nearest(dispatch: Dispatch, short: Amounts) -> None:
    """Match donors and places pair by pair, nearest pair first; lowers `short`."""
    code = dispatch.means.code
    for resource in sorted({resource for lacking in short.values() for resource in lacking}):
        for days, source, place in _pairs(dispatch, resource, short):
            option = Option(days, source, -1, None, f"why.donor?place={code[source]}")
            why = f"why.nearest?place={code[source]}"
            want = short[place][resource]
            got = dispatch.take(option, place, resource, want, why, "why.next_nearest")
            _lower(short, place, resource, got)


def _pairs(dispatch: Dispatch, resource: int, short: Amounts) -> Iterator[tuple[float, int, int]]:
    """Donors and places still short of a resource as (days, source, place), nearest first."""
    spare = dispatch.stock(resource).own
    takers = [place for place, lacking in short.items() if resource in lacking]
    ways = [[(*way, place) for way in dispatch.trips.soonest(place)] for place in takers]
    for pair in heapq.merge(*ways):
        if spare[pair[1]] and resource in short.get(pair[2], ()):
            yield pair
