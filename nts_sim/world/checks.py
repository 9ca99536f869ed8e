"""What must hold in every world: one small function a rule.

Each takes the world and yields the problems it finds; `world_problems` runs them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from nts_sim.errors import Problem
from nts_sim.world.graph import road_pieces
from nts_sim.world.model import Effect, Mechanism, NodeKind, World


def world_problems(world: World) -> list[Problem]:
    """Run every rule and return all problems."""
    return [problem for rule in RULES for problem in rule(world)]


def roads_in_one_piece(world: World) -> Iterator[Problem]:
    """Every province can be reached over land from every other."""
    pieces = road_pieces(world)
    for piece in pieces[1:]:
        named = ", ".join(f"{world.nodes.name[world.nodes.index[c]]} ({c})" for c in piece[:5])
        what = f"no road joins {named} to the other provinces; add rows for them"
        yield Problem("adjacency.csv", what)


def roads_both_ways(world: World) -> Iterator[Problem]:
    """Roads lead back with the same length."""
    km, code = world.roads.leg_km, world.nodes.code
    for a, b in np.transpose((km - km.T).nonzero()).tolist():
        yield Problem("adjacency.csv", f"{code[a]} → {code[b]} and {code[b]} → {code[a]} differ")


def speeds_fall(world: World) -> Iterator[Problem]:
    """Roads and desks work, and do not get faster as severity rises."""
    for where, share in (
        ("road_speeds.csv", world.roads.speed_share), ("desk_speed.csv", world.desk_speed),
    ):  # fmt: skip
        if share[0] != 1.0 or np.any(np.diff(share) > 0.0) or np.any(share <= 0.0):
            listed = ", ".join(f"{value:g}" for value in share)
            yield Problem(where, f"speed shares {listed} must fall from 1 and stay above 0")
    if not world.roads.speed_km_per_day > 0.0 or not world.roads.detour_factor >= 1.0:
        yield Problem("road_speeds.csv", "road speed must be above 0 and detour factor at least 1")


def links_are_chances(world: World) -> Iterator[Problem]:
    """Probabilities of links lie in [0, 1] and lags are above 0."""
    chance = world.links.probability
    if not np.all((chance >= 0.0) & (chance <= 1.0)):
        yield Problem("spread_links.csv", "probability times weight leaves [0, 1]")
    if np.any(world.links.lag_days <= 0.0):
        yield Problem("spread_links.csv", "lag_days must be above 0: no effect is instant")


def repeats_take_time(world: World) -> Iterator[Problem]:
    """Links that repeat stop with their source, or they would never end."""
    if np.any(world.links.repeats & ~world.links.stops):
        yield Problem("spread_links.csv", "a link that repeats must also stop with its source")


def stays_end(world: World) -> Iterator[Problem]:
    """Every threat has a stay above 0 at every severity, and escalations take time."""
    threats = world.threats
    where = "threat_dynamics.csv"
    for threat, name in enumerate(threats.name):
        stay, rise = threats.stay_days[threat], threats.escalation_days[threat]
        if not np.all((stay > 0.0) & np.isfinite(stay)):
            yield Problem(where, f"{name} needs natural_stay_days above 0 for 1, 2, 3")
        if not np.all(rise > 0.0):
            yield Problem(where, f"{name}: escalation_days must be above 0 or blank")


def effects_are_shares(world: World) -> Iterator[Problem]:
    """Relief and spread reduction are shares."""
    for threat, name in enumerate(world.threats.name):
        for label, value in (
            ("relief_effect", world.threats.relief_effect[threat]),
            ("spread_reduction", world.threats.spread_reduction[threat]),
        ):
            if not 0.0 <= value <= 1.0:
                yield Problem("threat_dynamics.csv", f"{name}: {label} {value:g} is not in 0 to 1")


def exposure_rises(world: World) -> Iterator[Problem]:
    """Worse incidents never touch fewer people."""
    for threat, name in enumerate(world.threats.name):
        exposed = world.cells.exposed[world.cells.threat == threat]
        if np.any(np.diff(exposed, axis=1) < 0.0):
            yield Problem("exposure.csv", f"{name}: fewer people exposed at a higher severity")


def incidents_require_help(world: World) -> Iterator[Problem]:
    """Every threat requires some resource at provinces, or coverage would mean nothing."""
    cells = world.cells
    at_province = world.nodes.kind[cells.node] == NodeKind.PROVINCE
    for threat, name in enumerate(world.threats.name):
        required = cells.requirement[at_province & (cells.threat == threat)]
        if required.size and not np.all(required.max(axis=2) > 0.0):
            yield Problem("requirements.csv", f"{name} requires nothing at some severity")


def ramps_rise(world: World) -> Iterator[Problem]:
    """Ramps rise with the days and end at or below 1."""
    for mechanism in world.mechanisms:
        shares = [share for _, share in mechanism.ramp]
        rising = all(a < b for a, b in pairwise(shares))
        if not rising or (shares and not 0.0 <= shares[-1] <= 1.0):
            yield Problem("ramps.csv", f"{mechanism.name}: shares must rise and end at or below 1")


def desks_end(world: World) -> Iterator[Problem]:
    """From every desk the way up ends at one without a limit."""
    for desk in world.desks:
        seen, at = {desk.name}, desk
        while at.up is not None:
            at = world.desks[at.up]
            if at.name in seen:
                yield Problem("desks.csv", f"the way up from {desk.name} runs in a circle")
                break
            seen.add(at.name)
        else:
            if np.isfinite(at.delegation_bn_vnd):
                what = f"nobody above {at.name} signs more than {at.delegation_bn_vnd:g} bn VND"
                yield Problem("desks.csv", what)


def funds_exist(world: World) -> Iterator[Problem]:
    """Every enabled mechanism that costs money has a fund to pay it."""
    for mechanism in world.mechanisms:
        if _may_be_used(mechanism) and mechanism.effect is not Effect.GATE:
            yield from _fund_problems(world, mechanism)


def _may_be_used(mechanism: Mechanism) -> bool:
    """Whether it is enabled, or can be by making it ready."""
    return mechanism.enabled or mechanism.readiness_cost_bn_vnd > 0.0


def _fund_problems(world: World, mechanism: Mechanism) -> Iterator[Problem]:
    kind = mechanism.fund_kind
    if kind is None:
        free = all(supply.unit_cost_bn_vnd == 0.0 for supply in mechanism.supplies)
        if mechanism.effect is not Effect.GOODS or not free or mechanism.fixed_cost_bn_vnd > 0.0:
            yield Problem("mechanisms.csv", f"{mechanism.name} costs money and names no fund")
        return
    owners = [None] if mechanism.fund_is_central else list(range(world.nodes.n_provinces))
    lacking = [owner for owner in owners if (kind, owner) not in world.fund_index]
    if lacking:
        whose = "the centre" if lacking[0] is None else world.nodes.code[lacking[0]]
        what = f"{mechanism.name} charges fund '{kind}', which {whose} does not have"
        yield Problem("funds.csv", what)


def earmarks_leave_a_payer(world: World) -> Iterator[Problem]:
    """No enabled mechanism is shut out of its own fund by an earmark."""
    for mechanism in world.mechanisms:
        funds = [fund for fund in world.funds if fund.kind == mechanism.fund_kind]
        marks = [fund.earmark for fund in funds if fund.earmark is not None]
        shut_out = marks and all(mechanism.name not in mark for mark in marks)
        if _may_be_used(mechanism) and shut_out:
            what = f"'{mechanism.fund_kind}' leaves out {mechanism.name}, which charges it"
            yield Problem("fund.earmarks", f"{what}; add it or disable the mechanism")


def accounts_everywhere(world: World) -> Iterator[Problem]:
    """Every province has a working account."""
    for place in np.flatnonzero(world.account_of[: world.nodes.n_provinces] < 0).tolist():
        yield Problem("funds.csv", f"{world.nodes.code[place]} has no row 'account'")


def goods_have_supplies(world: World) -> Iterator[Problem]:
    """Goods mechanisms can create something; other effects create nothing."""
    for mechanism in world.mechanisms:
        if (mechanism.effect is Effect.GOODS) != bool(mechanism.supplies):
            verb = "creates nothing" if mechanism.effect is Effect.GOODS else "may not create goods"
            yield Problem("mechanism_supply.csv", f"{mechanism.name} {verb}")


def injects_lead_somewhere(world: World) -> Iterator[Problem]:
    """Incidents that start abroad can reach a province."""
    for inject in world.hazard.injects:
        abroad = world.nodes.kind[world.cells.node[inject.cell]] == NodeKind.FOREIGN
        if abroad and not len(world.links.out[inject.cell]):
            node, threat = world.cells.node[inject.cell], world.cells.threat[inject.cell]
            what = f"{world.threats.name[threat]} cannot leave {world.nodes.name[node]}"
            yield Problem(f"scenario {world.name}.injects", f"{what}: no layer leads from there")


def events_can_happen(world: World) -> Iterator[Problem]:
    """Streams of random events have a rate, a season, places and shares that sum to 1."""
    for event in world.hazard.events:
        name = world.threats.name[event.threat]
        if not np.isclose(event.severity_probability.sum(), 1.0):
            yield Problem("event_rates.csv", f"{name}: first_severity_1, 2, 3 do not sum to 1")
        if event.size_mean < 1.0:
            yield Problem("event_rates.csv", f"{name}: provinces_per_event must be at least 1")
        if not np.all(np.isfinite(event.month_rate)) or event.month_rate.sum() <= 0.0:
            yield Problem("event_places.csv", f"{name}: no province and month has any weight")


RULES = (
    roads_in_one_piece, roads_both_ways, speeds_fall, links_are_chances, repeats_take_time,
    stays_end, effects_are_shares, exposure_rises, incidents_require_help, ramps_rise, desks_end,
    funds_exist, earmarks_leave_a_payer, accounts_everywhere, goods_have_supplies,
    injects_lead_somewhere, events_can_happen,
)  # fmt: skip
