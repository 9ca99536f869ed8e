"""The tables of a judged plan, with names in place of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from nts_sim.decision.model import Order, OrderKind
from nts_sim.engine.prepared import posting_cost, preparation_cost
from nts_sim.outcomes.frames import TABLES, empty, frame
from nts_sim.planning.marginal import LeadValue, MarginalMoney
from nts_sim.planning.network import supply_of
from nts_sim.planning.plan import OrderWriter
from nts_sim.planning.shapley import Contributions
from nts_sim.planning.whole import FirstPlan
from nts_sim.study.judged import Judged
from nts_sim.world.model import World

PLAN_TABLES = (
    "plan_first", "plan_value", "marginal_money", "lead_value", "contributions", "shortages",
    "stability", "rehearsal",
)  # fmt: skip
WORTH_TELLING = 1e-3
"""Bn VND saved by a bn VND below which a price only breaks ties between equal plans."""
IF_FUNDED = "with_one_billion:"
_HOW = {"L-shaped": "l_shaped", "deterministic equivalent": "whole"}
"""Before the kind of what is not done, but would be if there were money."""
_BURDEN = "total_burden_bn_vnd"

Row = Mapping[str, object]


def plan_tables(scenario: str, name: str, judged: Judged) -> dict[str, pd.DataFrame]:
    """Make the tables of a plan.

    Parameters
    ----------
    scenario : name of the scenario or of the set
    name : of the planner
    """
    who = {"scenario": scenario, "policy": name}
    world = judged.members[0][1]
    made = {
        "targets": judged.simulated.get("targets", empty("targets")),
        "plan_first": _table("plan_first", who, _first(judged)),
        "plan_value": _table("plan_value", who, _value(judged, scenario)),
        **price_tables(scenario, name, world, judged.money, judged.days, judged.shares),
        "shortages": _table("shortages", who, _shortages(judged, world)),
        "stability": _table("stability", who, _stability(judged)),
    }
    path = judged.rehearsal.path.assign(**who)
    names = [column.name for column in TABLES["rehearsal"]]
    return {**made, "rehearsal": frame("rehearsal", {key: path[key] for key in names})}


def price_tables(
    scenario: str, name: str, world: World, money: Sequence[MarginalMoney],
    days: Sequence[LeadValue], shares: Contributions,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Make the tables of what a little more would be worth."""
    who = {"scenario": scenario, "policy": name}
    return {
        "marginal_money": _table("marginal_money", who, _money(money)),
        "lead_value": _table("lead_value", who, _days(days, world)),
        "contributions": _table("contributions", who, _shares(shares, world)),
    }


def no_plan_tables() -> dict[str, pd.DataFrame]:
    """Return the tables of a plan that a rule has none of: all empty."""
    return {name: empty(name) for name in PLAN_TABLES}


def _table(table: str, who: Row, rows: Iterable[Row]) -> pd.DataFrame:
    listed = [{**who, **row} for row in rows]
    columns = [column.name for column in TABLES[table]]
    return frame(table, {column: [row[column] for row in listed] for column in columns})


# --- what to do first -----------------------------------------------------------------------


def _first(judged: Judged) -> Iterator[Row]:
    """List what is done before day 0 and the orders of day 0, in whole units."""
    first = judged.rehearsal.first_plan
    yield from _prepared(first)
    if judged.billion is not None:
        for row in _prepared(judged.billion):
            yield {**row, "kind": f"{IF_FUNDED}{row['kind']}"}
    problem = first.problem
    writer = OrderWriter(problem.world, first.plan, problem.observation, 0)
    for order in writer.orders():
        yield _ordered(first, order)


def _row(world: World, kind: str, place: int = -1, **others: object) -> dict[str, object]:
    made: dict[str, object] = dict.fromkeys(
        ("source", "source_name", "resource", "mechanism", "unit", "reason", "runner_up"), ""
    )
    where = {
        "place": world.nodes.code[place] if place >= 0 else "",
        "name": world.nodes.name[place] if place >= 0 else "",
    }
    return {**made, "kind": kind, "quantity": 1.0, "cost_bn_vnd": 0.0, **where, **others}


def _prepared(first: FirstPlan) -> Iterator[Row]:
    done, world = first.preparation, first.problem.world
    if done is None:
        return
    names, price = world.resources.name, world.resources.acquire_cost
    for place, r in np.argwhere(done.bought > 0.0).tolist():
        units = float(done.bought[place, r])
        yield _row(world, "buy", place, resource=names[r], quantity=units, unit="units",
                   cost_bn_vnd=units * float(price[r]))  # fmt: skip
    each = posting_cost(world)
    for source, place, r, units in done.posted:
        yield _row(
            world, "post", place, source=world.nodes.code[source],
            source_name=world.nodes.name[source], resource=names[r], quantity=units, unit="units",
            cost_bn_vnd=units * float(each[source, place, r]),
        )  # fmt: skip
    for place in sorted(done.depots):
        yield _row(world, "depot", place, cost_bn_vnd=world.terms.depot_cost_bn_vnd)
    for m in sorted(done.ready):
        chosen = world.mechanisms[m]
        yield _row(world, "ready", mechanism=chosen.name, cost_bn_vnd=chosen.readiness_cost_bn_vnd)


def _ordered(first: FirstPlan, order: Order) -> Row:
    world = first.problem.world
    mechanism = order.mechanism
    if order.kind is OrderKind.MOVE:
        mechanism = first.problem.template.sets.transfer
    source = order.source if order.kind is OrderKind.MOVE else -1
    return _row(
        world, order.kind.name.lower(), order.place,
        source=world.nodes.code[source] if source >= 0 else "",
        source_name=world.nodes.name[source] if source >= 0 else "",
        resource=world.resources.name[order.resource] if order.resource >= 0 else "",
        mechanism=world.mechanisms[mechanism].name if mechanism >= 0 else "",
        quantity=order.quantity, unit="bn VND" if order.kind is OrderKind.DRAW else "units",
        cost_bn_vnd=_cost(first, order), reason=order.reason, runner_up=order.runner_up,
    )  # fmt: skip


def _cost(first: FirstPlan, order: Order) -> float:
    """Return what is charged for an order by roads that are free, bn VND."""
    sets, charges = first.problem.template.sets, first.problem.template.charges
    if order.kind is OrderKind.MOVE:
        arc = np.flatnonzero((sets.arc_from == order.source) & (sets.arc_to == order.place))
        r = int(np.flatnonzero(sets.resource == order.resource)[0])
        return order.quantity * float(charges.arc[arc[0], r])
    if order.kind is OrderKind.MOBILISE:
        return order.quantity * next(
            float(charges.goods[g, order.place])
            for g, way in enumerate(sets.goods)
            if way.mechanism == order.mechanism
            and supply_of(first.problem.world, way).resource == order.resource
        )
    return 0.0


# --- what it is worth -----------------------------------------------------------------------


def _value(judged: Judged, scenario: str) -> Iterator[Row]:
    """List how good the plan is, and how sure that is."""
    first, rehearsal = judged.rehearsal.first_plan, judged.rehearsal
    solution = first.divisible
    status, how = solution.status.name.lower(), _HOW[solution.how]
    rows: list[tuple[str, float, str, str]] = [
        ("objective", first.plan.solution.objective, "bn VND", "why.value.objective"),
        ("bound", solution.bound, "bn VND", "why.value.bound"),
        ("gap", solution.gap, "share", f"why.value.gap?status={status}&how={how}"),
        ("rounding_loss", first.rounding_loss_bn_vnd, "bn VND", "why.value.rounding_loss"),
        ("futures", len(solution.sample_cost), "futures", "why.value.futures"),
        ("vss", judged.worth.vss, "bn VND", "why.value.vss"),
        ("evpi", judged.worth.evpi, "bn VND", "why.value.evpi"),
        ("saa_gap", judged.gap.gap, "bn VND", f"why.value.saa_gap?n={len(judged.gap.each)}"),
        ("saa_bound_95", judged.gap.bound_95, "bn VND", "why.value.saa_bound_95"),
        ("stability", judged.stability.tested_spread_percent, "%", "why.value.stability"),
        ("promised", rehearsal.promised_bn_vnd, "bn VND", "why.value.promised"),
        ("simulated_planning", rehearsal.simulated_bn_vnd, "bn VND", "why.value.on_planning"),
        ("one_billion_saves", judged.billion_saves, "bn VND", "why.value.one_billion"),
    ]  # fmt: skip
    rows.append(("prepared_in_simulation", _spent(judged), "bn VND", "why.value.prepared"))
    rows += _simulated(judged, scenario)
    for measure, value, unit, note in rows:
        yield {"measure": measure, "value": value, "unit": unit, "note": note}


def _spent(judged: Judged) -> float:
    """Return what the chosen policy spends before day 0: the best round may be one without."""
    world, policy = judged.members[0][1], judged.rehearsal.policy()
    return (
        0.0
        if policy.prepare is None
        else preparation_cost(world, policy.prepare(world)).total_bn_vnd
    )


def _simulated(judged: Judged, scenario: str) -> list[tuple[str, float, str, str]]:
    """Tell what the chosen policy comes to on evaluation draws, and how far off the promise was."""
    rehearsal = judged.rehearsal
    summary = judged.simulated["summary"]
    row = _only(summary[(summary["policy"] == rehearsal.name)], scenario)
    n, mean = int(row["n"]), float(row["mean"])
    half = (float(row["high"]) - float(row["low"])) / 2.0
    found = [
        ("simulated", mean, "bn VND", "why.value.simulated"),
        ("simulated_half_width", half, "bn VND", "why.value.half_width"),
        ("evaluation_draws", n, "draws", rehearsal.name),
    ]
    chosen = rehearsal.path[rehearsal.path["chosen"]].iloc[0]
    if chosen["round"] > 0 and judged.whole_horizon and mean:
        found += _optimism(rehearsal.promised_bn_vnd, mean, half, chosen)
    rows = judged.simulated["comparison"]
    rows = rows[rows["policy"] == rehearsal.name]
    if len(rows):
        against = _only(rows, scenario)
        half = (float(against["high"]) - float(against["low"])) / 2.0
        diff, baseline = float(against["diff"]), str(against["baseline"])
        found.append(("against_baseline", diff, "bn VND", baseline))
        found.append(("against_baseline_half_width", half, "bn VND", "why.value.half_width"))
    return found


def _optimism(
    promised: float, mean: float, half: float, planning: pd.Series[float]
) -> list[tuple[str, float, str, str]]:
    """Tell how far simulations are off the promise: on the same luck and on other luck."""
    same, other = float(planning["simulated_bn_vnd"]), float(planning["half_width_bn_vnd"])
    luck = abs(mean - promised) <= (half**2 + other**2) ** 0.5
    return [
        ("optimism_gap_planning", 100.0 * (same - promised) / abs(same), "%",
         "why.value.optimism_gap_planning"),
        ("optimism_gap", 100.0 * (mean - promised) / abs(mean), "%", "why.value.optimism_gap"),
        ("optimism_within_luck", float(luck), "yes: 1", "why.value.within_luck"),
    ]  # fmt: skip


def _only(table: pd.DataFrame, scenario: str) -> pd.Series[float]:
    """Return the row of all burden in the scenario, or in the set that it is."""
    found = table[(table["metric"] == _BURDEN) & (table["key"] == "all")]
    return found[found["scenario"] == scenario].iloc[0]


def _money(values: Sequence[MarginalMoney]) -> Iterator[Row]:
    """List money that would save something, and all money of day 0 kept for the nation."""
    for one in sorted(values, key=lambda one: -one.dual):
        if one.dual < WORTH_TELLING and not (one.owner == "" and one.from_day == 0.0):
            continue
        yield {
            "source": one.source, "fund": one.name, "owner": one.owner, "from_day": one.from_day,
            "saved_per_bn_vnd": one.dual,
            "checked_bn_vnd": np.nan if one.difference is None else one.difference,
            "holds_to_bn_vnd": np.nan if one.holds_to is None else one.holds_to,
        }  # fmt: skip


def _names(world: World) -> dict[str, str]:
    """Title → name of every mechanism."""
    return {mechanism.title: mechanism.name for mechanism in world.mechanisms}


def _days(days: Sequence[LeadValue], world: World) -> Iterator[Row]:
    names = _names(world)
    for one in days:
        alone = len(one.mechanisms) == 1
        yield {
            "mechanism": names[one.mechanisms[0]] if alone else "all",
            "saved_bn_vnd": one.saved, "planned_again": one.solved,
        }  # fmt: skip


def _shares(found: Contributions, world: World) -> Iterator[Row]:
    names, saved = _names(world), found.saved
    for one in sorted(found.shares, key=lambda one: -one.share):
        yield {
            "mechanism": names[one.mechanism], "share_bn_vnd": one.share,
            "share": one.share / saved if saved > 0.0 else np.nan,
            "standard_error_bn_vnd": one.standard_error,
        }  # fmt: skip


def _shortages(judged: Judged, world: World) -> Iterator[Row]:
    for one in judged.shortages:
        yield {
            "place": world.nodes.code[one.place], "name": world.nodes.name[one.place],
            "resource": world.resources.name[one.resource], "first_day": one.first_day,
            "last_day": one.last_day, "units": one.units, "share": one.share,
            "harm_bn_vnd": one.harm_bn_vnd, "cause": str(one.cause.why), "what": one.cause.what,
            "where": one.cause.where, "limit": one.cause.limit,
            "saves_bn_vnd": one.cause.saves_bn_vnd,
        }  # fmt: skip


def _stability(judged: Judged) -> Iterator[Row]:
    for one in judged.stability.spending:
        yield {
            "kind": one.kind, "thing": one.thing, "where": one.place, "mean_bn_vnd": one.mean,
            "sd_bn_vnd": one.sd, "share": one.share,
        }  # fmt: skip
