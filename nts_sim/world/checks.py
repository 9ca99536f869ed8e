"""What must hold in every world: one small function a rule.

Each takes the world and yields the problems it finds; `world_problems` runs them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from nts_sim.errors import Problem
from nts_sim.words import say
from nts_sim.words.figures import figure
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
        yield Problem("adjacency.csv", say("said.world.no_road", places=named))


def roads_both_ways(world: World) -> Iterator[Problem]:
    """Roads lead back with the same length."""
    km, code = world.roads.leg_km, world.nodes.code
    for a, b in np.transpose((km - km.T).nonzero()).tolist():
        what = say("said.world.road_one_way", one=code[a], other=code[b])
        yield Problem("adjacency.csv", what)


def speeds_fall(world: World) -> Iterator[Problem]:
    """Roads and desks work, and do not get faster as severity rises."""
    for where, share in (
        ("road_speeds.csv", world.roads.speed_share), ("desk_speed.csv", world.desk_speed),
    ):  # fmt: skip
        if share[0] != 1.0 or np.any(np.diff(share) > 0.0) or np.any(share <= 0.0):
            listed = ", ".join(f"{value:g}" for value in share)
            yield Problem(where, say("said.world.speeds", shares=listed))
    if not world.roads.speed_km_per_day > 0.0 or not world.roads.detour_factor >= 1.0:
        yield Problem("road_speeds.csv", say("said.world.road_speed"))


def links_are_chances(world: World) -> Iterator[Problem]:
    """Probabilities of links lie in [0, 1] and lags are above 0."""
    chance = world.links.probability
    if not np.all((chance >= 0.0) & (chance <= 1.0)):
        yield Problem("spread_links.csv", say("said.world.chance"))
    if np.any(world.links.lag_days <= 0.0):
        yield Problem("spread_links.csv", say("said.world.lag"))


def repeats_take_time(world: World) -> Iterator[Problem]:
    """Links that repeat stop with their source, or they would never end."""
    if np.any(world.links.repeats & ~world.links.stops):
        yield Problem("spread_links.csv", say("said.world.repeats"))


def stays_end(world: World) -> Iterator[Problem]:
    """Every threat has a stay above 0 at every severity, and escalations take time."""
    threats = world.threats
    where = "threat_dynamics.csv"
    for threat, name in enumerate(threats.name):
        stay, rise = threats.stay_days[threat], threats.escalation_days[threat]
        if not np.all((stay > 0.0) & np.isfinite(stay)):
            yield Problem(where, say("said.world.stay", threat=name))
        if not np.all(rise > 0.0):
            yield Problem(where, say("said.world.escalation", threat=name))


def effects_are_shares(world: World) -> Iterator[Problem]:
    """Relief and spread reduction are shares."""
    for threat, name in enumerate(world.threats.name):
        for label, value in (
            ("relief_effect", world.threats.relief_effect[threat]),
            ("spread_reduction", world.threats.spread_reduction[threat]),
        ):
            if not 0.0 <= value <= 1.0:
                told = f"{label} {value:g}"
                what = say("said.world.not_a_share", threat=name, value=told)
                yield Problem("threat_dynamics.csv", what)


def exposure_rises(world: World) -> Iterator[Problem]:
    """Worse incidents never touch fewer people."""
    for threat, name in enumerate(world.threats.name):
        exposed = world.cells.exposed[world.cells.threat == threat]
        if np.any(np.diff(exposed, axis=1) < 0.0):
            yield Problem("exposure.csv", say("said.world.exposure_falls", threat=name))


def incidents_require_help(world: World) -> Iterator[Problem]:
    """Every threat requires some resource at provinces, or coverage would mean nothing."""
    cells = world.cells
    at_province = world.nodes.kind[cells.node] == NodeKind.PROVINCE
    for threat, name in enumerate(world.threats.name):
        required = cells.requirement[at_province & (cells.threat == threat)]
        if required.size and not np.all(required.max(axis=2) > 0.0):
            yield Problem("requirements.csv", say("said.world.requires_nothing", threat=name))


def ramps_rise(world: World) -> Iterator[Problem]:
    """Ramps rise with the days and end at or below 1."""
    for mechanism in world.mechanisms:
        shares = [share for _, share in mechanism.ramp]
        rising = all(a < b for a, b in pairwise(shares))
        if not rising or (shares and not 0.0 <= shares[-1] <= 1.0):
            yield Problem("ramps.csv", say("said.world.ramp", mechanism=mechanism.name))


def desks_end(world: World) -> Iterator[Problem]:
    """From every desk the way up ends at one without a limit."""
    for desk in world.desks:
        seen, at = {desk.name}, desk
        while at.up is not None:
            at = world.desks[at.up]
            if at.name in seen:
                yield Problem("desks.csv", say("said.world.desk_circle", desk=desk.name))
                break
            seen.add(at.name)
        else:
            if np.isfinite(at.delegation_bn_vnd):
                limit = figure(at.delegation_bn_vnd)
                what = say("said.world.desk_limit", desk=at.name, limit=limit)
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
            what = say("said.world.no_fund", mechanism=mechanism.name)
            yield Problem("mechanisms.csv", what)
        return
    owners = [None] if mechanism.fund_is_central else list(range(world.nodes.n_provinces))
    lacking = [owner for owner in owners if (kind, owner) not in world.fund_index]
    if lacking:
        if lacking[0] is None:
            what = say("said.world.no_central_fund", mechanism=mechanism.name, fund=kind)
        else:
            whose = world.nodes.code[lacking[0]]
            what = say("said.world.no_such_fund", mechanism=mechanism.name, fund=kind, place=whose)
        yield Problem("funds.csv", what)


def earmarks_leave_a_payer(world: World) -> Iterator[Problem]:
    """No enabled mechanism is shut out of its own fund by an earmark."""
    for mechanism in world.mechanisms:
        funds = [fund for fund in world.funds if fund.kind == mechanism.fund_kind]
        marks = [fund.earmark for fund in funds if fund.earmark is not None]
        shut_out = marks and all(mechanism.name not in mark for mark in marks)
        if _may_be_used(mechanism) and shut_out:
            fund, name = mechanism.fund_kind, mechanism.name
            yield Problem("fund.earmarks", say("said.world.earmark", fund=fund, mechanism=name))


def accounts_everywhere(world: World) -> Iterator[Problem]:
    """Every province has a working account."""
    for place in np.flatnonzero(world.account_of[: world.nodes.n_provinces] < 0).tolist():
        yield Problem("funds.csv", say("said.world.no_account", place=world.nodes.code[place]))


def goods_have_supplies(world: World) -> Iterator[Problem]:
    """Goods mechanisms can create something; other effects create nothing."""
    for mechanism in world.mechanisms:
        if (mechanism.effect is Effect.GOODS) != bool(mechanism.supplies):
            is_goods = mechanism.effect is Effect.GOODS
            fault = "said.world.creates_nothing" if is_goods else "said.world.may_not_create"
            yield Problem("mechanism_supply.csv", say(fault, mechanism=mechanism.name))


def injects_lead_somewhere(world: World) -> Iterator[Problem]:
    """Incidents that start abroad can reach a province."""
    for inject in world.hazard.injects:
        abroad = world.nodes.kind[world.cells.node[inject.cell]] == NodeKind.FOREIGN
        if abroad and not len(world.links.out[inject.cell]):
            node, threat = world.cells.node[inject.cell], world.cells.threat[inject.cell]
            place, where = world.nodes.name[node], say("said.where.scenario", name=world.name)
            what = say("said.world.cannot_leave", threat=world.threats.name[threat], place=place)
            yield Problem(f"{where}.injects", what)


def events_can_happen(world: World) -> Iterator[Problem]:
    """Streams of random events have a rate, a season, places and shares that sum to 1."""
    for event in world.hazard.events:
        name = world.threats.name[event.threat]
        if not np.isclose(event.severity_probability.sum(), 1.0):
            yield Problem("event_rates.csv", say("said.world.severities", threat=name))
        if event.size_mean < 1.0:
            yield Problem("event_rates.csv", say("said.world.event_size", threat=name))
        if not np.all(np.isfinite(event.month_rate)) or event.month_rate.sum() <= 0.0:
            yield Problem("event_places.csv", say("said.world.event_nowhere", threat=name))


RULES = (
    roads_in_one_piece, roads_both_ways, speeds_fall, links_are_chances, repeats_take_time,
    stays_end, effects_are_shares, exposure_rises, incidents_require_help, ramps_rise, desks_end,
    funds_exist, earmarks_leave_a_payer, accounts_everywhere, goods_have_supplies,
    injects_lead_somewhere, events_can_happen,
)  # fmt: skip
