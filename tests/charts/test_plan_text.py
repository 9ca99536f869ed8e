"""A plan on the screen and in charts: every part in plain words, never empty, never too long."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest

from nts_sim.charts.plan_money import contributions_chart, plan_charts
from nts_sim.outcomes.frames import TABLES, empty, frame
from nts_sim.planning.explain import Why
from nts_sim.report.plan_text import WIDTH, plan_text
from nts_sim.study.plan_tables import IF_FUNDED, PLAN_TABLES
from tests.plan.made import declare, frames_of, move

WHO = {"scenario": "typhoon_north", "policy": "stochastic"}
LONG = "Bà Rịa - Vũng Tàu và đặc khu Côn Đảo, nơi xa nhất của Thành phố Hồ Chí Minh"
VALUES = {
    "objective": 100.0, "bound": 99.9, "gap": 1e-3, "rounding_loss": 0.25,
    "futures": 8.0, "vss": 13.0, "evpi": 12.0, "saa_gap": 3.0, "saa_bound_95": 7.0,
    "stability": 0.6, "promised": 100.0, "simulated_planning": 104.0, "one_billion_saves": 0.0,
    "prepared_in_simulation": 8.5,
    "simulated": 110.0, "simulated_half_width": 20.0, "evaluation_draws": 24.0,
    "optimism_gap_planning": 3.8, "optimism_gap": 9.1, "optimism_within_luck": 1.0,
    "against_baseline": -30.0, "against_baseline_half_width": 8.0,
}  # fmt: skip


def table(name: str, *rows: Mapping[str, object]) -> pd.DataFrame:
    """Make a table of rows; what a row does not say is empty, 0 or no."""
    zero = {"text": "", "int": 0, "float": 0.0, "bool": False}
    full = [{c.name: zero[c.dtype] for c in TABLES[name]} | WHO | dict(row) for row in rows]
    return frame(name, {c.name: [row[c.name] for row in full] for c in TABLES[name]})


def frames(**tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Make the tables of a plan in which nothing happens, but for those given."""
    notes = {"against_baseline": "current_practice"}
    values = [{"measure": k, "value": v, "note": notes.get(k, "")} for k, v in VALUES.items()]
    path = [
        {"round": 1, "candidate": "stochastic", "simulated_bn_vnd": 104.0, "chosen": True},
        {"round": 0, "candidate": "greedy", "simulated_bn_vnd": 134.0},
    ]
    made = {name: empty(name) for name in (*PLAN_TABLES, "orders", "tasks", "directory")}
    made |= {"plan_value": table("plan_value", *values), "rehearsal": table("rehearsal", *path)}
    return made | tables


def told(**tables: pd.DataFrame) -> str:
    """Return the screen without its line breaks."""
    return " ".join(plan_text(frames(**tables), "What if?").split())


def test_a_plan_of_nothing_is_told_in_sentences() -> None:
    text = told()
    for sentence in (
        "What if?", "No money is given for preparation", "One billion would buy nothing",
        "Nothing yet: no order given on day 0", "Nobody that the plan could help",
        "A billion more in any fund saves nothing", "A day less between order and handover saves",
        "No way of mobilising help saves anything", "Proved within 0.10 % of the best plan",
        "Against current practice on the same luck: \N{MINUS SIGN}30 ± 8",
        "Reconciled: no tasks, as nothing is ordered.",
    ):  # fmt: skip
        assert sentence in text
    assert "Empty" not in text and "nan" not in text


def test_the_first_tasks_end_the_text() -> None:
    made = frames_of([declare(), *[move(day=1.0 + day) for day in range(8)]])
    text = told(**{name: made[name] for name in ("orders", "tasks", "directory")})
    assert "T001, due by 7 Sep 2024, 12:00: Declare civil-defence level 2 in Quảng Ninh" in text
    assert "Not checked: not approvable yet." in text
    assert "T004" in text and "T005" not in text
    assert text.endswith("and 5 more tasks: plan.xlsx Reconciled. Tasks: 9; orders: 9; "
                         "preparations: 0; differences: 0.")  # fmt: skip


def test_units_are_put_together_and_whole() -> None:
    rows = [
        {"kind": "buy", "resource": "boat_crew", "name": place, "quantity": units, "unit": "units",
         "cost_bn_vnd": 2.0}
        for place, units in (("Lào Cai", 3.0), ("Tuyên Quang", 4.0), ("Sơn La", 1.0), (LONG, 2.0))
    ]  # fmt: skip
    rows.append({"kind": "depot", "name": "Cao Bằng", "cost_bn_vnd": 0.5, "quantity": 1.0})
    text = told(
        plan_first=table("plan_first", *rows),
        marginal_money=table("marginal_money", {"source": "preparation", "fund": "budget"}),
    )
    assert "buy 10 boats with crew: Tuyên Quang 4, Lào Cai 3" in text
    assert "and 1 more; 8 bn VND" in text
    assert "open depots: Cao Bằng; 0.5 bn VND" in text
    assert "In all 8.5 bn VND; whole units instead of parts cost 0.25 bn VND more." in text


def test_preparing_that_does_worse_in_simulation_is_told() -> None:
    values = table("plan_value", *[
        {"measure": key, "value": 0.0 if key == "prepared_in_simulation" else value}
        for key, value in VALUES.items() if not key.startswith("against")
    ])  # fmt: skip
    text = told(
        plan_value=values,
        plan_first=table("plan_first", {"kind": "depot", "name": "Cao Bằng", "cost_bn_vnd": 0.5}),
        marginal_money=table("marginal_money", {"source": "preparation", "fund": "budget"}),
    )
    assert "preparing nothing did better" in text
    assert "Against" not in text


def test_one_billion_is_told_where_none_is_given() -> None:
    row = {"kind": f"{IF_FUNDED}buy", "resource": "cert_team", "name": "Hà Nội", "quantity": 1.0,
           "cost_bn_vnd": 0.8}  # fmt: skip
    values = table("plan_value", *[
        {"measure": key, "value": 5.1 if key == "one_billion_saves" else value,
         "note": "current_practice"}
        for key, value in VALUES.items()
    ])  # fmt: skip
    text = told(plan_first=table("plan_first", row), plan_value=values)
    assert "One billion would go to: buy 1 cyber teams: Hà Nội; 0.8 bn VND" in text
    assert "The plan would cost 5.1 bn VND less." in text
    assert "ORDER ON DAY 0 Nothing yet" in text


@pytest.mark.parametrize("why", list(Why))
def test_every_cause_has_its_sentence(why: Why) -> None:
    row = {"name": "Tuyên Quang", "resource": "boat_crew", "first_day": 14.0, "last_day": 21.0,
           "units": 4.0, "share": 0.24, "harm_bn_vnd": 9.0, "cause": str(why),
           "what": "local_contingency", "where": "Tuyên Quang", "limit": 12.0,
           "saves_bn_vnd": 3.2}  # fmt: skip
    text = told(shortages=table("shortages", row))
    assert "Tuyên Quang, days 14 to 21: boats with crew short by 4 (in 24 % of the futures)" in text
    assert " because " in text
    assert "saves 3.2 bn VND" in text


def test_many_causes_stay_a_screen() -> None:
    rows = [
        {"name": f"{LONG} {at}", "resource": f"r{at}", "cause": "dear", "harm_bn_vnd": 1.0 + at,
         "share": 1.0, "units": 1e7}
        for at in range(40)
    ]  # fmt: skip
    text = plan_text(frames(shortages=table("shortages", *rows)), "What if? " * 20)
    assert "32 smaller causes: shortages.csv" in text
    assert len(text.splitlines()) <= 60
    assert max(map(len, text.splitlines())) <= WIDTH


def test_money_is_told_up_to_where_it_holds() -> None:
    row = {"source": "fund", "fund": "account", "owner": "Thanh Hóa", "saved_per_bn_vnd": 3.2,
           "checked_bn_vnd": 3.1, "holds_to_bn_vnd": 16.0}  # fmt: skip
    text = told(marginal_money=table("marginal_money", row))
    assert "(Thanh Hóa) saves 3.1 bn VND, and so does each of the next, up to 16 bn VND" in text
    little = told(marginal_money=table("marginal_money", row | {"holds_to_bn_vnd": 0.25}))
    assert "saves 3.1 bn VND; its first part saves most, at a rate of 3.2 for one." in little


def test_a_rule_that_does_better_is_told() -> None:
    path = table("rehearsal", {"round": 1, "candidate": "stochastic", "simulated_bn_vnd": 9.0},
                 {"round": 0, "candidate": "greedy", "chosen": True})  # fmt: skip
    assert "did better than the plan: follow it" in told(rehearsal=path)


def test_charts_say_what_they_show_or_that_nothing_happened() -> None:
    money = table("marginal_money", {"source": "fund", "fund": "account", "owner": LONG,
                                     "saved_per_bn_vnd": 3.2, "checked_bn_vnd": 2.0,
                                     "holds_to_bn_vnd": 16.0})  # fmt: skip
    days = table("lead_value", {"mechanism": "mutual_aid", "saved_bn_vnd": 12.0})
    drawn = plan_charts(frames(marginal_money=money, lead_value=days), "run")
    assert set(drawn) == {"plan_more", "plan_contributions"}
    assert "12 bn VND" in drawn["plan_more"].finding
    (axes,) = drawn["plan_more"].axes
    assert [bar.get_width() for bar in axes.patches] == [12.0, 3.2]
    assert not drawn["plan_contributions"].axes


def test_shares_are_drawn_largest_first() -> None:
    rows = [
        {"mechanism": name, "share_bn_vnd": share, "share": share / 10.0,
         "standard_error_bn_vnd": 0.5}
        for name, share in (("military", 3.0), ("mutual_aid", 7.0), ("police", 0.0))
    ]  # fmt: skip
    charts = plan_charts(frames(contributions=table("contributions", *rows)), "run")
    chart = charts["plan_contributions"]
    assert "70\u00a0% is due to aid between provinces" in chart.finding
    assert [bar.get_width() for bar in chart.axes[0].patches] == [7.0, 3.0]
    assert contributions_chart.__name__ == "contributions_chart"
