"""Every result table's columns, declared once: name, dtype, unit, meaning.

The runner writes these tables, the store keeps them, charts and the report read them. A table with
other columns, or in another order, is refused by `checked`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

Dtype = Literal["text", "int", "float", "bool"]

_PANDAS: Final[Mapping[Dtype, str]] = {
    "text": "str", "int": "int64", "float": "float64", "bool": "bool",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result table."""

    name: str
    dtype: Dtype
    unit: str
    meaning: str


def _text(name: str, meaning: str) -> Column:
    return Column(name, "text", "", meaning)


def _number(name: str, unit: str, meaning: str) -> Column:
    return Column(name, "float", unit, meaning)


def _count(name: str, unit: str, meaning: str) -> Column:
    return Column(name, "int", unit, meaning)


_SCENARIO = _text("scenario", "named future, or the weighted set of them")
_POLICY = _text("policy", "who decides")
_METRIC = _text("metric", "what is measured; see nts_sim.outcomes.metrics")
_KEY = _text(
    "key", "field, threat, resource, fund, mechanism or kind the metric is for; 'all' together"
)
_UNIT = _text("unit", "unit of the metric")
_DAY = _count("day", "day", "day d is the time from d to d + 1 after the start; averages over it")
_PLACE = _text("place", "code of the place")
_NAME = _text("name", "name of the place")
_MEAN = _number("mean", "as the metric", "mean over replications")
_LOW = _number("low", "as the metric", "lower end of the 95 % interval of the mean")
_HIGH = _number("high", "as the metric", "upper end of the 95 % interval of the mean")
_N = _count("n", "replications", "replications with a value")

TABLES: Final[Mapping[str, tuple[Column, ...]]] = {
    "outcomes": (
        _SCENARIO, _POLICY,
        _count("replication", "", "number of the replication; the same number has the same luck"),
        _METRIC, _KEY, _UNIT, _number("value", "as the metric", "missing where undefined"),
    ),
    "summary": (_SCENARIO, _POLICY, _METRIC, _KEY, _UNIT, _N, _MEAN, _LOW, _HIGH),
    "comparison": (
        _SCENARIO, _METRIC, _KEY, _UNIT, _POLICY, _text("baseline", "policy compared with"), _N,
        _number("diff", "as the metric", "mean of policy less baseline, paired by replication"),
        _number("low", "as the metric", "lower end of the 95 % interval of the difference"),
        _number("high", "as the metric", "upper end of the 95 % interval of the difference"),
        _number("relative_pct", "% of the baseline's mean", "difference, relative"),
        Column("separable", "bool", "",
               "differs from 0 at 5 %, Holm-adjusted over the policies compared"),
    ),
    "ranking": (
        _SCENARIO, _METRIC, _count("rank", "", "1 is the best mean"), _POLICY, _MEAN, _LOW, _HIGH,
        _text("verdict", "best | tied with the best | behind the best"),
        _number("replications_to_tell", "replications",
                "in all, to tell this policy from the next one in rank; missing where they are "
                "already told apart, are identical, or there is no next"),
        Column("separable_from_next", "bool", "", "told apart from the next one in rank"),
    ),
    "weights": (
        _SCENARIO, _number("harm_factor", "", "harm counts this many times against cost"), _POLICY,
        _MEAN, _LOW, _HIGH, _count("rank", "", "1 is the best mean"),
        Column("winner_changes", "bool", "", "another policy wins than at factor 1"),
    ),
    "daily": (
        _SCENARIO, _POLICY, _DAY,
        _text("series", "active_incidents, people_in_need, people_served or people_unmet"),
        _MEAN,
        *(_number(f"q{q:02d}", "as the series", f"{q} % quantile over replications")
          for q in (5, 25, 50, 75, 95)),
    ),
    "places": (_SCENARIO, _POLICY, _PLACE, _NAME, _METRIC, _MEAN, _LOW, _HIGH),
    "map_days": (
        _SCENARIO, _POLICY, _DAY, _PLACE,
        _number("active_share", "share", "of replications (and of the day) with an incident there"),
        _number("mean_severity", "1 to 3", "worst severity there, averaged, 0 while none"),
        _number("served_share", "share", "people served of people in need; missing: no need"),
    ),
    "flows": (
        _SCENARIO, _POLICY,
        _text("fund", "who pays: kind of fund; own_stock: the place itself; owner_budget: running "
              "cost of, and goods from, those who sent help; uncharged: nobody; preparation: "
              "money before day 0"),
        _text("mechanism", "way of mobilising; local_on_spot: what the place had"),
        _text("resource", "what was mobilised"), _PLACE,
        _number("units", "units", "mean units sent; own teams: most in use at once; own supplies: "
                "used"),
        _number("cost_bn_vnd", "bn VND", "mean cost, running cost included"),
    ),
    "buildup": (
        _SCENARIO, _POLICY, _DAY, _text("mechanism", "as in flows"),
        _number("share", "share of people in need", "served by means of this mechanism"),
    ),
    "failures": (
        _SCENARIO, _POLICY, _count("replication", "", "number of the replication"),
        _text("error", "kind of error"), _text("message", "what it said and where"),
    ),
    "orders": (
        _SCENARIO, _POLICY, _count("order", "", "number of the order"),
        _number("day", "days", "when it was given"),
        _text("kind", "declare, draw, return, mobilise, move or serve"), _PLACE, _NAME,
        _text("source", "code of the place units leave"), _text("source_name", "its name"),
        _text("resource", "what is sent"),
        _number("asked", "see unit", "quantity asked"),
        _number("granted", "see unit", "quantity granted"),
        _text("unit", "of asked and granted"),
        _text("refusal", "what cut it, where less was granted than asked"),
        _text("mechanism", "way of mobilising"), _text("authority", "who approves"),
        _text("desk", "who signs"), _text("desk_code", "code of that desk"),
        _text("desk_place", "its province; empty: national"),
        _number("delegation_bn_vnd", "bn VND", "largest amount the desk may sign; missing: any"),
        _text("legal_basis", "law it rests on"),
        _text("legal_basis_checked", "checked | not checked | (none)"),
        _count("needs_level", "level", "declared level that its mechanism needs at the place"),
        _number("lead_days", "days", "from the order until it is expected to serve"),
        _number("approval_days", "days", "typical, until it is signed"),
        _number("handover_days", "days", "typical, from signature to first handover"),
        _number("last_part_days", "days", "from first to last handover, by the mechanism's ramp"),
        _number("travel_days", "days", "typical, by the roads of that day"),
        _number("to_come", "see unit", "of granted, what is handed over in the end"),
        _number("in_place_day", "day", "all of it had come, in this course; missing: it had not"),
        _text("fund", "fund charged or drawn on"),
        _number("fund_opened_bn_vnd", "bn VND", "in that fund on day 0"),
        _number("cost_bn_vnd", "bn VND", "committed"),
        _text("reason", "why, as a code of nts_sim.words.why"),
        _text("runner_up", "what would have been done instead, as a code"),
        Column("automatic", "bool", "", "written by the rule that sends idle teams home"),
    ),
    "gap": (
        _SCENARIO, _POLICY, _PLACE, _NAME, _text("resource", "what is required"),
        _number("need_units", "units", "teams: most required at once; supplies: required over the "
                "whole run; mean over replications"),
        _number("held_units", "units", "own stock on day 0"),
        _number("gap_units", "units", "need less held, never below 0"),
        _number("unmet_unit_days", "unit-days", "requirement * (1 - coverage), summed over time"),
        _number("met_day", "day", "first day from which the need stays met until it ends (coverage "
                "of 99 % or more), mean over the replications in which it does; missing: in none"),
        _number("met_share", "share", "of the replications with such a need in which it is met"),
    ),
    "finance": (
        _SCENARIO, _POLICY, _text("fund", "who pays, as in flows; all provinces together"),
        _count("layer", "", "order in which they pay: 0 before day 0, 1 what places hold and "
               "senders run, 2 accounts of provinces, 3 provinces' funds, 4 their funds that wait "
               "for another to be spent, 5 the nation's funds, 6 nobody is charged"),
        _number("opened_bn_vnd", "bn VND", "balance on day 0; missing: has none"),
        _number("drawn_bn_vnd", "bn VND", "taken: moved to accounts, or charged directly; mean"),
        _number("spent_bn_vnd", "bn VND", "of that, spent; in all, the cost of the response; mean"),
        _number("left_bn_vnd", "bn VND", "balance less what was taken; missing: has none"),
    ),
    "mechanisms": (
        _SCENARIO, _text("mechanism", "way of mobilising"),
        _text("effect", "money, goods, transfer, gate or label"),
        _text("fund", "kind of fund drawn on or charged; empty: nobody is charged"),
        _number("approval_days", "days", "median wait for the first signature in normal times"),
        _number("handover_days", "days", "median from approval to the first handover"),
        Column("enabled", "bool", "", "no: needs more than an order"),
        _text("legal_basis_checked", "checked | not checked"),
    ),
    "plan_first": (
        _SCENARIO, _POLICY,
        _text("kind", "before day 0: buy, post, depot, ready ('with_one_billion:' before it: not "
              "done, as no money is given); on day 0: as in orders"),
        _PLACE, _NAME, _text("source", "code of the place units leave"),
        _text("source_name", "its name"), _text("resource", "what is bought, posted or sent"),
        _text("mechanism", "way of mobilising, or what is made ready"),
        _number("quantity", "see unit", "whole where a resource comes in whole units"),
        _text("unit", "units, bn VND, or empty for yes or no"),
        _number("cost_bn_vnd", "bn VND", "what it costs; money drawn costs nothing"),
        _text("reason", "why, as a code of nts_sim.words.why"),
        _text("runner_up", "what would have been done instead, as a code"),
    ),
    "plan_value": (
        _SCENARIO, _POLICY, _text("measure", "what is told; see nts_sim.study.plan_tables"),
        _number("value", "see unit", "missing where it is not known"), _UNIT,
        _text("note", "how it was found, as a code of nts_sim.words.why, or a policy"),
    ),
    "marginal_money": (
        _SCENARIO, _POLICY, _text("source", "fund or preparation"),
        _text("fund", "kind of fund; name of the money for preparation"),
        _text("owner", "its place; empty: the nation's"),
        _number("from_day", "day", "the money can be used from this day on"),
        _number("saved_per_bn_vnd", "bn VND per bn VND", "by the price of the limit"),
        _number("checked_bn_vnd", "bn VND", "saved by one billion more, planned again"),
        _number("holds_to_bn_vnd", "bn VND", "a billion more saves so much up to here"),
    ),
    "lead_value": (
        _SCENARIO, _POLICY, _text("mechanism", "way of mobilising; 'all' together"),
        _number("saved_bn_vnd", "bn VND", "by a day less between order and handover"),
        Column("planned_again", "bool", "", "no: no order would serve in another period"),
    ),
    "contributions": (
        _SCENARIO, _POLICY, _text("mechanism", "way of mobilising"),
        _number("share_bn_vnd", "bn VND", "of what all mechanisms save together; they add up"),
        _number("share", "share", "of what all save"),
        _number("standard_error_bn_vnd", "bn VND", "0 where exact"),
    ),
    "shortages": (
        _SCENARIO, _POLICY, _PLACE, _NAME, _text("resource", "what is short"),
        _number("first_day", "day", "start of the shortage"),
        _number("last_day", "day", "end of the shortage"),
        _number("units", "units", "short where it comes; teams: at the worst, supplies: in all"),
        _number("share", "share", "of the futures in which it comes"),
        _number("harm_bn_vnd", "bn VND", "expected harm that it leaves"),
        _text("cause", "what keeps more help away; see nts_sim.planning.explain"),
        _text("what", "fund, mechanism or resource that is the limit"),
        _text("where", "who owns the limit; empty: the nation"),
        _number("limit", "bn VND, units or day", "how much there is"),
        _number("saves_bn_vnd", "bn VND per unit of the limit", "what a little more would save"),
    ),
    "stability": (
        _SCENARIO, _POLICY, _text("kind", "buy, post, depot, ready, or a kind of order on day 0"),
        _text("thing", "resource or mechanism"), _text("where", "place; empty: the nation"),
        _number("mean_bn_vnd", "bn VND", "spent, mean over plans made for fresh draws"),
        _number("sd_bn_vnd", "bn VND", "its standard deviation over these plans"),
        _number("share", "share", "of these plans that do it"),
    ),
    "rehearsal": (
        _SCENARIO, _POLICY, _count("round", "", "0: a rule"),
        _text("candidate", "policy simulated"),
        _number("lever_factor", "", "times the worth of what help averts later"),
        Column("serve_targets", "bool", "", "places are told how to split what they have"),
        _number("promised_bn_vnd", "bn VND", "expected harm and cost, by the plan"),
        _number("simulated_bn_vnd", "bn VND", "mean harm and cost, simulated on planning draws"),
        _number("half_width_bn_vnd", "bn VND", "half of its 95 % interval"),
        Column("chosen", "bool", "", "does best in simulation"),
    ),
    "portfolios": (
        _SCENARIO, _POLICY,
        _text("draws", "planning: all portfolios, to choose by; evaluation: the best that holds a "
              "measure against none, on draws that nothing was chosen by"),
        _text("portfolio", "measures taken together, joined by +"),
        _number("cost_bn_vnd", "bn VND", "of its measures; part of the burden"),
        _count("n", "draws", "simulated without failing"),
        _number("mean", "bn VND", "mean burden: harm, response and measures"),
        _number("low", "bn VND", "lower end of the 95 % interval of the mean"),
        _number("high", "bn VND", "upper end of the 95 % interval of the mean"),
        _number("diff", "bn VND", "mean burden less that of no measure, paired by draw"),
        _number("half_width", "bn VND", "half of its 95 % interval"),
        _number("saved_bn_vnd", "bn VND", "harm and response saved, before the measures' own cost: "
                "they pay as long as they cost less"),
        _number("better_share", "share", "of draws with less burden than without a measure"),
        Column("separable", "bool", "",
               "differs from no measure at 5 %, Holm-adjusted over the portfolios"),
        _count("rank", "", "1 is the best mean"),
        _text("verdict", "best | tied with the best | behind the best"),
    ),
    "sensitivity": (
        _SCENARIO, _POLICY,
        _text("baseline", "the outcome is the difference to this policy; empty: the policy's own"),
        _METRIC, _UNIT, _text("method", "morris | sobol"),
        _text("axis", "input varied, by its key"),
        _text("measure", "morris, in the metric's unit, for a change over the whole range: effect "
              "(mean size), signed_effect (mean), spread (standard deviation: acts together with "
              "others, or bends); sobol, shares of variance: alone, in_all (with others)"),
        _number("value", "see measure", "missing where the metric is the same in every cell"),
        _number("low", "see measure", "lower end of its 95 % bootstrap interval, if it has one"),
        _number("high", "see measure", "upper end of its 95 % bootstrap interval, if it has one"),
    ),
    "boxes": (
        _SCENARIO, _POLICY,
        _count("box", "", "1, 2, ...: each found among the cells outside those before it"),
        _text("axis", "input that is limited, by its key"),
        _text("side", "above | below | options"),
        _number("limit", "as the input", "inside the box it is above, or below, this"),
        _text("options", "options inside the box, joined by |; empty: an input of numbers"),
        _number("quasi_p", "probability", "of so many failures without this limit; small: the "
                "limit is not by chance (Bryant & Lempert 2010)"),
        _count("cells", "cells", "inside the box, of all limits together"),
        _count("failing", "cells", "of these, the policy fails in so many"),
        _number("coverage", "share", "of all failing cells that are inside"),
        _number("density", "share", "of the cells inside that fail"),
        _number("p_value", "probability", "that shuffled failures give a box as good"),
    ),
    "regret": (
        _count("cell", "", "number of the cell"), _SCENARIO, _METRIC, _UNIT, _POLICY,
        _text("best", "policy of the best mean there"), _N, _MEAN,
        _number("regret", "as the metric", "how much worse than the best policy there"),
        _number("low", "as the metric", "lower end of its 95 % interval, paired by replication"),
        _number("high", "as the metric", "upper end of its 95 % interval, paired by replication"),
        Column("separable", "bool", "",
               "worse than the best at 5 %, Holm-adjusted over the policies compared"),
    ),
    "robustness": (
        _POLICY, _METRIC, _UNIT, _count("futures", "futures", "cells times scenarios compared"),
        _number("largest_regret", "as the metric", "where it does worst against the best there"),
        _number("low", "as the metric", "lower end of the 95 % interval of that regret"),
        _number("high", "as the metric", "upper end of the 95 % interval of that regret"),
        _count("cell", "", "cell in which that is"),
        _SCENARIO,
        _number("mean_regret", "as the metric", "over all futures, each weighing the same"),
        _count("best_in", "futures", "in which it has the best mean"),
        _count("clearly_behind_in", "futures", "in which it is told to be worse than the best"),
    ),
    "satisficing": (
        _POLICY, _METRIC, _UNIT,
        _number("limit", "as the metric", "the aim: no worse than this; missing: relative"),
        _number("relative_pct", "% of the baseline's mean", "the aim: better by this; missing: "
                "absolute"),
        _count("futures", "futures", "with a result"),
        _number("share", "share", "of futures in which the mean meets the aim"),
        _number("share_low", "share", "of futures in which its 95 % interval does"),
        _number("share_high", "share", "of futures in which the interval does not rule it out"),
    ),
    "breakeven": (
        _SCENARIO, _METRIC, _UNIT, _text("axis", "input changed, by its key"),
        _text("policy", "preferred at the value in use"),
        _text("rival", "best of the other policies at this value"),
        _number("value", "as the input", "value looked at"),
        Column("shipped", "bool", "", "it is the value in use"), _N,
        _number("diff", "as the metric", "preferred policy less rival, paired by replication"),
        _number("low", "as the metric", "lower end of the 95 % interval of the difference"),
        _number("high", "as the metric", "upper end of the 95 % interval of the difference"),
    ),
    "precision": (
        _SCENARIO, _METRIC, _KEY, _UNIT,
        _text("policy", "whose interval is widest: of its difference to the baseline, or alone"),
        _N,
        _number("target", "as the metric", "half of the 95 % interval, as asked for"),
        _number("reached", "as the metric", "half of the 95 % interval, as it is"),
        _number("wanted", "replications", "that would do, by what is known; missing: not known"),
        Column("met", "bool", "", "no: the most replications allowed were not enough"),
    ),
    "tasks": (
        _SCENARIO, _POLICY,
        _text("task", "T001, T002, ... in the order of their starts"),
        _text("day_zero", "date of day 0, YYYY-MM-DD"),
        _text("stage", "prepare: before day 0; respond: an order of the plan"),
        _count("order", "", "respond: number in `orders`; prepare: row in `plan_first`"),
        _text("kind", "as in `orders` or `plan_first`"), _PLACE, _NAME,
        _text("source", "code of the place units leave"), _text("source_name", "its name"),
        _text("resource", "what is sent, bought or posted"),
        _text("mechanism", "way of mobilising"),
        _number("quantity", "see unit", "granted: units, bn VND, level or share"),
        _number("to_come", "see unit", "of quantity, what the mechanism hands over in the end"),
        _text("unit", "of quantity: units, bn VND, level, share, or empty for yes or no"),
        _text("fund", "fund charged or drawn on"), _number("cost_bn_vnd", "bn VND", "committed"),
        _text("unit_in_charge", "people: code of the agency that carries it out"),
        _text("role", "people: role in that agency; the name is left to be filled in"),
        _text("desk", "authority: who signs; empty: nobody has to"),
        _text("desk_place", "province of that desk; empty: national"),
        _number("delegation_bn_vnd", "bn VND", "largest amount the desk may sign; missing: any"),
        _text("legal_basis_checked", "checked | not checked | empty: no basis needed"),
        _text("answers", "responsibility: code of the agency that answers for it"),
        _text("supports", "responsibility: codes of agencies that help, joined by spaces"),
        _number("start_day", "day", "progress: when work on it begins: the day of the order, or "
                "later, when all that it waits for is in place"),
        _number("approved_day", "day", "progress: signed, by typical approval"),
        _number("handover_day", "day", "progress: first part handed over, by typical lead"),
        _number("due_day", "day", "progress: all of it in place, by the mechanism's ramp and "
                "typical travel"),
        _number("forecast_day", "day", "in place in the simulated course; missing: not in it"),
        _text("after", "tasks it waits for, joined by spaces"),
        _text("reason", "why; see `orders`"), _text("runner_up", "what else; see `orders`"),
    ),
    "targets": (
        _SCENARIO, _POLICY, _text("target", "short name"), _METRIC, _KEY, _UNIT,
        _number("change_pct", "%", "asked for: change against the reference, -5: 5 % less"),
        _text("against", "policy that is the reference; empty: a number"),
        _number("reference", "as the metric", "mean under that policy, or the number"),
        _number("goal", "as the metric", "mean value asked for"),
        _text("by", "date by which it is asked for, YYYY-MM-DD"), _N,
        _number("mean", "as the metric", "under the policy"),
        _number("probability", "probability", "that the policy meets it: share of replications"),
        _number("low", "probability", "lower end of its 95 % interval (Wilson)"),
        _number("high", "probability", "upper end of its 95 % interval (Wilson)"),
    ),
    "directory": (
        _text("kind", "place, agency, desk, threat, mechanism; authority and legal_basis of a "
              "mechanism"),
        _text("code", "as in other tables"),
        _text("en", "in English"), _text("vi", "in Vietnamese"),
    ),
    "selection": (
        _SCENARIO, _text("method", "kn | ocba; see nts_sim.outcomes.selection"),
        _count("rank", "", "1 is chosen; the others by mean"), _POLICY,
        _count("n", "replications", "spent on the policy"),
        _number("mean", "bn VND", "mean burden over them"),
        _number("half_width", "bn VND", "half of the 95 % interval of the mean"),
        _number("diff", "bn VND", "mean burden less that of the chosen, on luck both had"),
        _number("diff_half_width", "bn VND", "half of its 95 % interval"),
        Column("different", "bool", "",
               "told apart from the chosen at 5 %, whenever one looked and whatever was chosen"),
        _text("verdict", "chosen | worse | not told apart | the same so far"),
        _number("indifference_bn_vnd", "bn VND", "smaller differences do not matter"),
        _number("probability", "share", "kn: the chosen is within the indifference of the best in "
                "at least so many of such selections, missing where the budget ended it; ocba: "
                "roughly the chance of it"),
        _text("stopped", "decided | the same so far | budget"),
    ),
}  # fmt: skip

INSIGHT_TABLES: Final = (
    "sensitivity", "boxes", "regret", "robustness", "satisficing", "breakeven",
)  # fmt: skip
"""What is learnt from a sweep; a comparison has none of them."""


def empty(table: str) -> pd.DataFrame:
    """Return the table without rows, with its declared columns and dtypes."""
    return frame(table, {column.name: () for column in TABLES[table]})


def frame(table: str, columns: Mapping[str, Iterable[object]]) -> pd.DataFrame:
    """Make a result table from its columns, in the declared order and dtypes."""
    made = pd.DataFrame({column.name: columns[column.name] for column in TABLES[table]})
    return made.astype({column.name: _PANDAS[column.dtype] for column in TABLES[table]})


def checked(table: str, data: pd.DataFrame) -> pd.DataFrame:
    """Return `data` in the declared dtypes; `ValueError` where the columns are not the declared."""
    declared = [column.name for column in TABLES[table]]
    if list(data.columns) != declared:
        raise ValueError(f"table {table} has columns {list(data.columns)}, expected {declared}")
    return data.astype({column.name: _PANDAS[column.dtype] for column in TABLES[table]})


def joined(table: str, parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Stack parts of one table; without parts, the empty table."""
    kept = [part for part in parts if len(part)]
    return checked(table, pd.concat(kept, ignore_index=True)) if kept else empty(table)
