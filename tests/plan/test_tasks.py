"""Orders become tasks: who, when, after what, told in both languages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nts_sim.charts.frame import View
from nts_sim.cli.verbs.explain import _meant
from nts_sim.errors import InvalidInput
from nts_sim.plan.drafts import granted_orders
from nts_sim.plan.tasks import first_tasks, task_lines
from nts_sim.words import languages, speaking
from tests.plan.made import POLICY, SCENARIO, declare, draw, frames_of, mobilise, move, orders

VIEW = View(SCENARIO, SCENARIO, POLICY, "", "run", 1)


def _by_kind(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return frames["tasks"].set_index("kind")


def test_a_task_runs_through_its_steps_and_is_in_place_the_next_morning() -> None:
    task = _by_kind(frames_of([move()])).loc["move"]
    days = task[["start_day", "approved_day", "handover_day", "due_day"]]
    assert days.tolist() == [0.0, 0.5, 1.0, 2.0]  # on the road until 1.75


def test_parts_that_come_later_count() -> None:
    task = _by_kind(frames_of([move(last_part_days=3.0)])).loc["move"]
    assert (task["handover_day"], task["due_day"]) == (1.0, 5.0)


def test_what_needs_a_level_waits_for_its_declaration() -> None:
    tasks = frames_of([declare(1.0), declare(2.0), declare(3.0, order=2), mobilise(order=3)])
    found = tasks["tasks"].set_index("order")
    assert found.loc[3, "after"] == found.loc[1, "task"]


def test_a_level_declared_elsewhere_or_not_yet_in_force_is_not_waited_for() -> None:
    elsewhere = declare(2.0, place="31")
    late = declare(2.0, in_place_day=2.5)
    tasks = frames_of([elsewhere, late, mobilise()])["tasks"]
    assert set(tasks["after"]) == {""}


def test_money_is_spent_first_in_first_out() -> None:
    """1 bn VND is there; the first order takes it and 1 of the draw, the second the rest."""
    rows = [draw(1.5), draw(9.0), mobilise(needs_level=0, order=2),
            mobilise(needs_level=0, cost_bn_vnd=0.25, order=3),
            mobilise(needs_level=0, cost_bn_vnd=5.0, order=4, day=3.0)]  # fmt: skip
    tasks = frames_of(rows)["tasks"].set_index("order")
    first, second = tasks.loc[0, "task"], tasks.loc[1, "task"]
    assert tasks.loc[2, "after"] == first
    assert tasks.loc[3, "after"] == first
    assert tasks.loc[4, "after"] == f"{first} {second}"


def test_money_that_had_not_come_is_not_waited_for() -> None:
    for day in (2.5, np.nan):
        tasks = frames_of([draw(9.0, in_place_day=day), mobilise(needs_level=0)])["tasks"]
        assert set(tasks["after"]) == {""}


def test_a_task_starts_when_what_it_waits_for_is_due() -> None:
    """The draw came on day 1.5 in the simulated course; typically it takes until day 6.25."""
    tasks = _by_kind(frames_of([draw(9.0, handover_days=5.75), mobilise(needs_level=0)]))
    assert tasks.loc["draw", "due_day"] == 6.25
    assert tasks.loc["mobilise", "start_day"] == 6.25
    assert tasks.loc["mobilise", "due_day"] == 8.0


def test_preparations_are_counted_back_from_day_zero() -> None:
    buy = {"kind": "buy", "place": "01", "resource": "rice_t", "unit": "units", "quantity": 5.0}
    post = {"kind": "post", "place": "22", "source": "01", "resource": "rice_t", "unit": "units",
            "quantity": 5.0}  # fmt: skip
    depot = {"kind": "depot", "place": "22"}
    later = move(source="22", place="31", resource="rice_t")
    tasks = _by_kind(frames_of([later], [post, depot, buy]))
    assert tasks.loc["post", ["start_day", "due_day"]].tolist() == [-3.5, 0.0]
    assert tasks.loc["buy", ["start_day", "due_day"]].tolist() == [-34.0, -3.5]
    assert tasks.loc["depot", ["start_day", "due_day"]].tolist() == [-18.0, -3.5]
    assert set(tasks.loc["post", "after"].split()) == {
        tasks.loc["buy", "task"], tasks.loc["depot", "task"]
    }  # fmt: skip
    assert tasks.loc["move", "after"] == tasks.loc["post", "task"]
    assert tasks["task"].tolist() == ["T001", "T002", "T003", "T004"]


def test_a_mechanism_is_made_ready_before_it_is_used() -> None:
    ready = {"kind": "ready", "mechanism": "framework_contract"}
    use = mobilise(mechanism="framework_contract", needs_level=0)
    tasks = _by_kind(frames_of([use], [ready]))
    assert tasks.loc["mobilise", "after"] == tasks.loc["ready", "task"]
    assert tasks.loc["ready", "desk"] == "PM"  # of no province, so a national desk
    assert tasks.loc["ready", "unit_in_charge"] == "MOF"  # the superior of provinces' offices


def test_dear_preparations_are_signed_by_who_may_sign_so_much() -> None:
    cheap = {"kind": "buy", "place": "01", "resource": "rice_t", "cost_bn_vnd": 200.0}
    tasks = frames_of([], [cheap, {**cheap, "cost_bn_vnd": 200.5}])["tasks"]
    assert tasks.set_index("cost_bn_vnd")["desk"].to_dict() == {
        200.0: "provincial_chair", 200.5: "PM"
    }  # fmt: skip


def test_preparations_that_the_chosen_policy_does_not_do_are_no_tasks() -> None:
    from datetime import date

    from nts_sim.plan.tasks import task_table
    from nts_sim.tables.load import load_tables
    from tests.plan.made import spent

    frames = frames_of([move()], [{"kind": "depot", "place": "22"}])
    assert len(frames["tasks"]) == 2
    without = {**frames, "plan_value": spent(0.0)}
    tasks = task_table(without, load_tables(), SCENARIO, POLICY, date(2024, 9, 7))
    assert tasks["kind"].tolist() == ["move"]


def test_only_what_was_granted_and_is_no_standing_rule_is_a_task() -> None:
    listed = orders([
        move(), move(granted=0.0, refusal="stock"), move(automatic=True),
        {"kind": "serve", "granted": 0.0, "unit": "share"},
        {"kind": "serve", "granted": 0.0, "unit": "share", "refusal": "trigger"},
    ])  # fmt: skip
    assert granted_orders(listed)["order"].tolist() == [0, 3]


@pytest.mark.parametrize(
    ("order", "unit", "answers"),
    [
        (move(), "01.military", "01.people_committee"),
        (move(resource="health_team"), "01.health", "01.people_committee"),
        (mobilise(mechanism="military"), "22.military", "MOD"),
        (mobilise(mechanism="unheard_of", resource="", source=""), "22.people_committee", None),
        (draw(1.0, mechanism="central_contingency"), "MOF", "MOF"),
        (draw(1.0, mechanism="disaster_fund_prov"), "22.agriculture_environment", None),
        ({"kind": "return", "resource": "health_team"}, "22.health", "22.people_committee"),
    ],
)
def test_who_is_in_charge(order: dict[str, object], unit: str, answers: str | None) -> None:
    task = frames_of([order])["tasks"].iloc[0]
    assert task["unit_in_charge"] == unit
    assert answers is None or task["answers"] == answers
    assert unit not in task["supports"].split()


_EVERY_KIND = (
    declare(), draw(3.0), mobilise(), mobilise(source="01", source_name="Hà Nội"), move(),
    {"kind": "return", "in_place_day": 1.0}, {"kind": "serve", "granted": 0.8, "unit": "share"},
    draw(100.0, to_come=92.0),
)  # fmt: skip
_EVERY_STEP = (
    {"kind": "buy", "place": "01", "resource": "rice_t", "unit": "units"},
    {"kind": "post", "place": "22", "source": "01", "resource": "rice_t", "unit": "units"},
    {"kind": "depot", "place": "22"}, {"kind": "ready", "mechanism": "framework_contract"},
)  # fmt: skip


@pytest.mark.parametrize("language", languages())
def test_every_kind_of_task_has_its_six_clarities_in_words(language: str) -> None:
    frames = frames_of(_EVERY_KIND, _EVERY_STEP)
    with speaking(language):
        lines = task_lines(frames, VIEW, 100)
    assert len(lines) == 12
    for line in lines:
        for text in line:
            assert text.strip()
            assert "{" not in text
            assert "nan" not in text.split()


def test_a_task_on_a_basis_not_checked_says_so_and_is_never_called_approvable() -> None:
    lines = task_lines(frames_of([declare()]), VIEW, 1)
    assert "NOT CHECKED" in lines[0].authority
    assert "Not checked" in first_tasks(frames_of([declare()]), 1)[0]
    lines = task_lines(frames_of([move()]), VIEW, 1)
    assert "NOT CHECKED" not in lines[0].authority


def test_results_can_be_measured() -> None:
    lines = task_lines(frames_of([move(granted=115.0), draw(100.0, to_come=92.0)]), VIEW, 2)
    results = {line.result for line in lines}
    assert "115 rescue teams in place in Quảng Ninh by the end of 8 Sep 2024" in results
    assert any(result.startswith("92 bn VND on the account") for result in results)
    with speaking("vi"):
        line = task_lines(frames_of([declare()]), VIEW, 1)[0]
    assert line.result == "Cấp độ 2 có hiệu lực tại Quảng Ninh, chậm nhất 12:00 ngày 7/9/2024"


def test_lines_are_of_the_policy_in_focus() -> None:
    frames = frames_of([move()])
    other = View(SCENARIO, SCENARIO, "greedy", "", "run", 1)
    assert task_lines(frames, other, 5) == []
    assert len(first_tasks(frames_of([move()] * 5), 3)) == 4  # and how many more


def test_a_preparation_has_no_order_to_explain() -> None:
    tasks = frames_of([move()], [{"kind": "depot", "place": "22"}])["tasks"]
    assert _meant("t002", None, tasks) == (0, POLICY)
    with pytest.raises(InvalidInput, match="is done before day 0"):
        _meant("T001", None, tasks)
