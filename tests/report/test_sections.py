"""Sections of the report on tables made by hand, in both languages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from nts_sim.charts.frame import View
from nts_sim.outcomes.frames import TABLES, empty, frame
from nts_sim.report import worth
from nts_sim.report.aims import aims
from nts_sim.report.finance import finance
from nts_sim.report.gaps import gaps
from nts_sim.report.html import write_report
from nts_sim.report.layout import Table
from nts_sim.report.naming import named
from nts_sim.report.sections import requests
from nts_sim.report.views import view_of_report
from nts_sim.words import say, speaking
from tests.charts import synthetic
from tests.charts.synthetic import BASELINE, BEST, SCENARIO
from tests.charts.test_plan_text import frames as plan_frames
from tests.charts.test_report import Page

VIEW = View(SCENARIO, SCENARIO, BEST, BASELINE, "run-1", 8)
WHO = {"scenario": SCENARIO, "policy": BEST}
ZERO: Mapping[str, object] = {"text": "", "int": 0, "float": math.nan, "bool": False}


def made(table: str, *rows: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """All tables empty, but for one with these rows."""
    full = [{c.name: ZERO[c.dtype] for c in TABLES[table]} | WHO | dict(row) for row in rows]
    filled = frame(table, {c.name: [row[c.name] for row in full] for c in TABLES[table]})
    return {name: empty(name) for name in TABLES} | {table: filled}


def texts(shown: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in shown.rows]


def test_a_gap_tells_from_which_day_it_is_met_and_how_often() -> None:
    need = {"resource": "rescue_team", "need_units": 10.0, "held_units": 4.0, "gap_units": 6.0}
    frames = made(
        "gap",
        {**need, "name": "A", "unmet_unit_days": 3.0, "met_day": 4.25, "met_share": 0.75},
        {**need, "name": "B", "unmet_unit_days": 9.0, "met_share": 0.0},
        {**need, "name": "C", "unmet_unit_days": 0.0, "met_day": 1.0, "met_share": 1.0},
    )
    shown = gaps(frames, VIEW)
    assert [row[0] for row in texts(shown)] == ["B", "A"], "the largest first, none that is met"
    assert texts(shown)[0][-2:] == ["never", "0\u00a0%"]
    assert texts(shown)[1][-2:] == ["4.2", "75\u00a0%"]
    whole = gaps(frames, VIEW, most=None)
    assert [row[0] for row in texts(whole)] == ["B", "A", "C"]
    assert whole.rows[0][-2].value is None, "never is no number in a workbook"


def test_who_pays_adds_up_and_says_what_is_left() -> None:
    frames = made(
        "finance",
        {"fund": "own_stock", "layer": 1, "drawn_bn_vnd": 30.0, "spent_bn_vnd": 30.0},
        {"fund": "local_contingency", "layer": 3, "opened_bn_vnd": 100.0, "drawn_bn_vnd": 20.0,
         "spent_bn_vnd": 10.0, "left_bn_vnd": 80.0},
    )  # fmt: skip
    shown = finance(frames, VIEW)
    assert texts(shown) == [
        ["On the spot and by senders", "Own stock", "", "30", "30", "75\u00a0%", ""],
        ["Provincial funds, first", "Local contingency", "100", "20", "10", "25\u00a0%", "80"],
    ]
    assert "cost of 40 bn VND" in shown.note


@pytest.mark.parametrize("layer", range(7))
@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_turn_to_pay_has_its_name(layer: int, language: str) -> None:
    with speaking(language):
        frames = made("finance", {"fund": "account", "layer": layer, "spent_bn_vnd": 1.0})
        assert len(texts(finance(frames, VIEW))[0][0]) > 4


def test_requests_tell_how_long_they_take_here_and_by_the_tables() -> None:
    frames = synthetic.frames()
    terms = made("mechanisms", {"mechanism": "mutual_aid", "approval_days": 0.5,
                                "handover_days": 0.25})  # fmt: skip
    shown = requests({**frames, "mechanisms": terms["mechanisms"]}, VIEW)
    rows = {row[0]: row for row in texts(shown)}
    assert rows["Aid between provinces"][5:7] == ["1.8", "0.8"]
    assert rows["Framework contracts"][6] == "not known"
    assert [row[-1].badge for row in shown.rows if row[0].text == "Framework contracts"] == [
        "not checked"
    ]


def test_names_come_from_the_directory_in_the_language() -> None:
    frames = synthetic.frames()
    listed = [("place", "31", "Hai Phong City", "Thành phố Hải Phòng"),
              ("authority", "mutual_aid", "Donor province", "Tỉnh chi viện"),
              ("legal_basis", "mutual_aid", "Notice 99", "Thông báo 99")]  # fmt: skip
    columns = ("kind", "code", "en", "vi")
    frames["directory"] = frame(
        "directory", {c: [row[i] for row in listed] for i, c in enumerate(columns)}
    )
    for language, place, basis in (
        ("en", "Hai Phong City", "Notice 99"), ("vi", "Thành phố Hải Phòng", "Thông báo 99"),
    ):  # fmt: skip
        with speaking(language):
            orders = named(frames)["orders"]
        assert set(orders.loc[orders["place"] == "31", "name"]) == {place}
        aid = orders[orders["mechanism"] == "mutual_aid"]
        assert set(aid["legal_basis"]) == {basis}
        contracts = orders[orders["mechanism"] == "framework_contract"]
        assert set(contracts["legal_basis"]) == {"Bidding Law"}, "what is not listed stays"


def test_without_prices_the_report_says_which_command_gives_them() -> None:
    (told,) = worth.sentences(made("gap"), VIEW)
    assert f"nts-sim plan scenario={SCENARIO}" in told


def test_what_more_is_worth_leaves_out_what_saves_nothing() -> None:
    frames = made("lead_value", {"mechanism": "mutual_aid", "saved_bn_vnd": 2.0},
                  {"mechanism": "police", "saved_bn_vnd": 0.0}, {"mechanism": "all",
                   "saved_bn_vnd": 3.0})  # fmt: skip
    shares = made("contributions", {"mechanism": "mutual_aid", "share_bn_vnd": 50.0, "share": 1.0},
                  {"mechanism": "police", "share_bn_vnd": 0.0, "share": 0.0})  # fmt: skip
    shown = worth.mechanisms({**frames, "contributions": shares["contributions"]})
    assert texts(shown) == [["Aid between provinces", "50", "100\u00a0%", "2"]]


def test_a_target_has_its_chance_under_both_policies() -> None:
    rows = [
        {"policy": policy, "target": "harm", "metric": "harm_bn_vnd", "key": "all", "n": 8,
         "unit": "bn VND", "change_pct": -5.0, "against": BASELINE, "reference": 100.0,
         "goal": 95.0, "by": "2026-10-25", "mean": 90.0, "probability": chance, "low": 0.2,
         "high": 0.9}
        for policy, chance in ((BEST, 0.75), (BASELINE, 0.25))
    ]  # fmt: skip
    shown = aims(made("targets", *rows), VIEW, (BEST, BASELINE))
    ((target, goal, best, base),) = texts(shown)
    assert "5 %" in target and "95" in goal
    assert best.startswith("75\u00a0%") and base.startswith("25\u00a0%")


# --- a plan ---------------------------------------------------------------------------------------


def _plan(**changed: Any) -> dict[str, Any]:
    return synthetic.manifest() | {"verb": "plan"} | changed


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_plan_says_first_what_to_prepare_and_order_and_who_stays_short(language: str) -> None:
    frames = synthetic.frames() | plan_frames()
    with speaking(language):
        page = Page(write_report(frames, _plan(), {}))
        heads = [say(f"plan.title.{name}").capitalize() for name in ("prepare", "first", "short")]
        numbers = page.text.index(say("report.five.metric"))
    places = [page.text.index(head) for head in heads]
    assert places == sorted(places)
    assert places[-1] < numbers


def test_a_plan_is_in_focus_even_where_another_policy_does_better() -> None:
    frames = synthetic.frames()
    worse = frames["orders"].assign(policy="per_capita")
    view = view_of_report({**frames, "orders": worse}, _plan())
    assert view.policy == "per_capita"
    assert view_of_report(frames, synthetic.manifest()).policy == BEST


def test_a_rule_without_simulations_still_has_a_report() -> None:
    kept = {name: synthetic.frames()[name] for name in ("orders", "gap")}
    page = Page(write_report({**synthetic.empty_frames(), **kept}, _plan(), {}))
    assert "One simulated course of events" in page.text
    assert "Hải Phòng" in page.text or "Hai Phong" in page.text
