"""What a planner reads of a plan on a screen: plain words, at most some sixty lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from nts_sim.plan.reconcile import reconciled_line
from nts_sim.plan.tasks import first_tasks
from nts_sim.planning.explain import MONEY, Why
from nts_sim.study.plan_tables import IF_FUNDED, WORTH_TELLING
from nts_sim.words import is_known, name_of, number, policy_in_text, say, sentence

WIDTH = 100
_CAUSES, _ORDERS, _PLACES, _RULES, _TASKS = 8, 8, 3, 3, 4
_RELAXED = 5e-3
"""Bn VND saved by a unit more of a limit below which it is no relaxation to tell of."""
_PREPARING = ("buy", "post", "depot", "ready")

_ALIKE = ["kind", "resource", "mechanism"]
"""Things that are put together in one line."""

Frames = Mapping[str, pd.DataFrame]


def plan_text(frames: Frames, question: str) -> str:
    """Tell a plan.

    Parameters
    ----------
    frames : tables of one plan, as `nts_sim.study.plan_tables` makes them
    question : what the scenario asks
    """
    value = _values(frames["plan_value"])
    parts = [
        _part("plan.title.asked", [question, _asked(frames, value)]),
        _part("plan.title.prepare", _prepare(frames, value)),
        _part("plan.title.first", _orders(frames["plan_first"])),
        _part("plan.title.short", _short(frames["shortages"])),
        _part("plan.title.more", more_lines(frames)),
        _part("plan.title.shares", share_lines(frames["contributions"])),
        _part("plan.title.sure", _sure(frames, value)),
        _part("tasks.first.title", [*first_tasks(frames, _TASKS), reconciled_line(frames)]),
    ]
    return "\n".join(parts)


@dataclass(frozen=True)
class Part:
    """A heading and what is told under it, one line a thing."""

    title: str
    lines: tuple[str, ...]


def first_screen(frames: Frames) -> list[Part]:
    """Tell what a deputy minister asks of a plan: what to prepare and order, who stays short.

    Parameters
    ----------
    frames : tables of one plan, as `nts_sim.study.plan_tables` makes them
    """
    value = _values(frames["plan_value"])
    told = (
        ("plan.title.prepare", _prepare(frames, value)),
        ("plan.title.first", _orders(frames["plan_first"])),
        ("plan.title.short", _short(frames["shortages"])),
        ("plan.title.sure", _sure(frames, value)),
    )
    return [Part(say(title).capitalize(), tuple(map(sentence, lines))) for title, lines in told]


def _values(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["measure"], table["value"].astype(float), strict=True))


def _part(name: str, lines: Iterable[str]) -> str:
    title = say(name)
    shown = [
        textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="    ",
                      break_on_hyphens=False)
        for line in lines
    ]  # fmt: skip
    return "\n".join([title, *shown])


# --- what was asked, and what to do ---------------------------------------------------------


def _asked(frames: Frames, value: Mapping[str, float]) -> str:
    row = frames["plan_value"].iloc[0]
    return say(
        "plan.asked", scenario=name_of("scenario", row["scenario"]), futures=value["futures"],
        policy=policy_in_text(row["policy"]),
    )  # fmt: skip


def _prepare(frames: Frames, value: Mapping[str, float]) -> Iterator[str]:
    rows = frames["plan_first"]
    done = rows[rows["kind"].isin(_PREPARING)]
    funded = rows[rows["kind"].str.startswith(IF_FUNDED)]
    if (frames["marginal_money"]["source"] == "preparation").any():
        if done.empty:
            yield say("plan.prepare.nothing")
            return
        yield from _grouped(done)
        total = float(done["cost_bn_vnd"].sum())
        yield say("plan.prepare.total", amount=total, loss=value["rounding_loss"])
        if value["prepared_in_simulation"] <= 0.0:
            yield say("plan.prepare.better_without")
        return
    yield say("plan.prepare.no_money")
    if funded.empty or value["one_billion_saves"] < WORTH_TELLING:
        yield say("plan.prepare.billion_nothing")
        return
    listed = "; ".join(_grouped(funded.assign(kind=funded["kind"].str.removeprefix(IF_FUNDED))))
    yield say("plan.prepare.billion", listed=listed, saves=value["one_billion_saves"])


def _grouped(rows: pd.DataFrame, most: int = 8) -> list[str]:
    """Put things of one kind in one line, the dearest first."""
    parts = [part for _, part in rows.groupby(_ALIKE, sort=False)]
    parts = sorted(parts, key=lambda part: -float(part["cost_bn_vnd"].sum()))
    lines = [_group(part) for part in parts[:most]]
    if len(parts) > most:
        rest = sum(float(part["cost_bn_vnd"].sum()) for part in parts[most:])
        lines.append(say("plan.prepare.others", n=len(parts) - most, amount=rest))
    return lines


def _group(rows: pd.DataFrame) -> str:
    kind, resource, mechanism = (
        str(rows[key].iloc[0]) for key in ("kind", "resource", "mechanism")
    )
    by_place = rows.groupby("name")["quantity"].sum().sort_values(ascending=False)
    thing = name_of("resource", resource) if resource else name_of("mechanism", mechanism)
    alone = kind == "depot" or len(by_place) == 1
    each = "plan.place_money" if kind == "draw" else "plan.place"
    places = [
        str(name) if alone else say(each, place=name, amount=units)
        for name, units in by_place.items()
    ]
    return say(
        _DO[kind], amount=float(rows["quantity"].sum()), thing=thing, places=_some(places),
        cost=float(rows["cost_bn_vnd"].sum()), mechanism=name_of("mechanism", mechanism),
    )  # fmt: skip


_DO = {
    "buy": "plan.do.buy", "post": "plan.do.post", "depot": "plan.do.depot",
    "ready": "plan.do.ready", "move": "plan.do.move", "mobilise": "plan.do.mobilise",
    "draw": "plan.do.draw", "return": "plan.do.return",
}  # fmt: skip


def _some(names: Sequence[str], most: int = _PLACES) -> str:
    """List names, and how many more there are."""
    shown = ", ".join(names[:most])
    left = len(names) - most
    return shown if left <= 0 else say("plan.and_more", listed=shown, n=left)


def _orders(rows: pd.DataFrame) -> list[str]:
    kinds = set(_DO) - set(_PREPARING)
    given = rows[rows["kind"].isin(kinds)]
    if given.empty:
        return [say("plan.first.nothing")]
    return [say("plan.first.given", n=len(given)), *_grouped(given, _ORDERS)]


# --- what stays short -----------------------------------------------------------------------


def _short(rows: pd.DataFrame) -> Iterator[str]:
    if rows.empty:
        yield say("plan.short.nobody")
        return
    # one cause for one resource is one line, whatever the places
    parts = [part for _, part in rows.groupby(["resource", "cause", "what"], sort=False)]
    parts = sorted(parts, key=lambda part: -float(part["harm_bn_vnd"].sum()))
    for part in parts[:_CAUSES]:
        yield _cause_line(part.sort_values("harm_bn_vnd", ascending=False))
    if len(parts) > _CAUSES:
        yield say("plan.short.others", n=len(parts) - _CAUSES)


def _cause_line(rows: pd.DataFrame) -> str:
    worst = rows.iloc[0]
    resource = name_of("resource", worst["resource"])
    lead = say(
        "plan.short.line", place=worst["name"], first=worst["first_day"], last=worst["last_day"],
        resource=resource, units=worst["units"], share=worst["share"],
    )  # fmt: skip
    others = [str(name) for name in dict.fromkeys(rows["name"]) if name != worst["name"]]
    also = say("plan.short.also", places=_some(others)) if others else ""
    harm = say("plan.short.harm", amount=float(rows["harm_bn_vnd"].sum()))
    return f"{lead}{also}; {_because(worst)} {harm}"


_BECAUSE = {
    "fund": "plan.because.fund",
    "account": "plan.because.account",
    "draw": "plan.because.draw",
    "donor": "plan.because.donor",
    "home": "plan.because.home",
    "supply": "plan.because.supply",
    "place_supply": "plan.because.place_supply",
    "source": "plan.because.source",
    "place_share": "plan.because.place_share",
    "guidance": "plan.because.guidance",
    "capacity": "plan.because.capacity",
    "posted": "plan.because.posted",
    "ready": "plan.because.ready",
    "away": "plan.because.away",
    "late": "plan.because.late",
    "trigger": "plan.because.trigger",
    "dear": "plan.because.dear",
    "nobody": "plan.because.nobody",
}


def _because(row: pd.Series[float]) -> str:
    key, cause = str(row["what"]), str(row["cause"])
    what = next(
        (name_of(group, key) for group in ("fund", "mechanism", "resource")
         if is_known(f"name.{group}.{key}")), key.replace("_", " "),
    )  # fmt: skip
    where = str(row["where"]) or say("plan.nation")
    told = say(_BECAUSE[cause], what=what, where=where, limit=float(row["limit"]))
    saves = float(row["saves_bn_vnd"])
    if saves < _RELAXED:
        return f"{told}."
    relaxed = "plan.relax.money" if Why(cause) in MONEY else "plan.relax.unit"
    return f"{told}; {say(relaxed, saves=saves)}."


# --- what more would be worth ---------------------------------------------------------------


def more_lines(frames: Frames) -> Iterator[str]:
    """Tell what one more billion in a fund, and a day less of a mechanism, would save."""
    money, days = frames["marginal_money"], frames["lead_value"]
    worth = money[money["saved_per_bn_vnd"] >= WORTH_TELLING]
    early = worth.sort_values(["from_day", "saved_per_bn_vnd"], ascending=[True, False])
    early = early.drop_duplicates(["source", "fund", "owner"]).head(3)
    if early.empty:
        yield say("plan.more.no_money")
    for _, row in early.iterrows():
        yield _billion(row)
    alone = days[(days["mechanism"] != "all") & (days["saved_bn_vnd"] >= WORTH_TELLING)]
    alone = alone.sort_values("saved_bn_vnd", ascending=False).head(3)
    if alone.empty:
        yield say("plan.more.no_day")
        return
    listed = ", ".join(
        say("plan.amount_of", thing=name_of("mechanism", name), amount=saved)
        for name, saved in zip(alone["mechanism"], alone["saved_bn_vnd"], strict=True)
    )
    every = days.loc[days["mechanism"] == "all", "saved_bn_vnd"]
    yield say("plan.more.day", listed=listed, every=float(every.max()))


def _billion(row: pd.Series[float]) -> str:
    """Tell what one billion more in a fund saves, and how far that goes on."""
    where = f" ({row['owner']})" if row["owner"] else ""
    told = {"fund": f"{name_of('fund', str(row['fund']))}{where}", "saves": row["checked_bn_vnd"]}
    if row["holds_to_bn_vnd"] >= 1.0:
        return say("plan.more.money", **told, holds=row["holds_to_bn_vnd"])
    return say("plan.more.money_first", **told, rate=row["saved_per_bn_vnd"])


def share_lines(rows: pd.DataFrame) -> Iterator[str]:
    """Tell what each way of mobilising contributes to what all save together."""
    kept = rows[rows["share_bn_vnd"] >= WORTH_TELLING].head(6)
    if kept.empty:
        yield say("plan.shares.none")
        return
    listed = ", ".join(
        say("plan.share_of", thing=name_of("mechanism", name), amount=share, share=part)
        for name, share, part in zip(
            kept["mechanism"], kept["share_bn_vnd"], kept["share"], strict=True
        )
    )
    yield say("plan.shares.line", total=float(rows["share_bn_vnd"].sum()), listed=listed)
    if (rows["standard_error_bn_vnd"] > 0.0).any():
        yield say("plan.shares.drawn")


# --- how sure -------------------------------------------------------------------------------


def _sure(frames: Frames, value: Mapping[str, float]) -> Iterator[str]:
    note = frames["plan_value"].set_index("measure")["note"]
    proved = "plan.sure.proved" if value["gap"] > 1e-6 else "plan.sure.best"
    yield say(proved, gap=number(100.0 * value["gap"], "2"))
    yield say("plan.sure.forecast", evpi=value["evpi"], vss=value["vss"])
    yield say("plan.sure.sampling", gap=value["saa_gap"], bound=value["saa_bound_95"],
              spread=number(value["stability"], "1"))  # fmt: skip
    path = frames["rehearsal"]
    chosen = path[path["chosen"]].iloc[0]
    if "optimism_gap" in value:
        yield say(
            "plan.sure.promised", promised=value["promised"],
            planning=value["simulated_planning"], off=value["optimism_gap_planning"],
        )  # fmt: skip
    told = {
        "simulated": value["simulated"],
        "half": value["simulated_half_width"],
        "n": int(value["evaluation_draws"]),
    }
    if "optimism_gap" in value:
        luck = say("plan.sure.luck") if value["optimism_within_luck"] else ""
        yield say("plan.sure.simulated", **told, off=value["optimism_gap"], luck=luck)
    else:
        yield say("plan.sure.simulated_alone", **told)
    if "against_baseline" in value:
        yield say("plan.sure.against", diff=value["against_baseline"],
                  half=value["against_baseline_half_width"],
                  baseline=policy_in_text(note["against_baseline"]))  # fmt: skip
    yield _path(path)
    if chosen["round"] == 0:
        yield say("plan.sure.rule", rule=policy_in_text(chosen["candidate"]))


def _path(path: pd.DataFrame) -> str:
    rounds, rules = path[path["round"] > 0], path[path["round"] == 0]
    listed = ", ".join(
        say("plan.sure.round", number=row["round"], simulated=row["simulated_bn_vnd"],
            targets=say("plan.sure.targets") if row["serve_targets"] else "")
        for _, row in rounds.iterrows()
    )  # fmt: skip
    best = rules.sort_values("simulated_bn_vnd").head(_RULES)
    others = ", ".join(
        f"{policy_in_text(row['candidate'])} {number(row['simulated_bn_vnd'], '0')}"
        for _, row in best.iterrows()
    )
    return sentence(say("plan.sure.path", listed=listed, rules=others))
