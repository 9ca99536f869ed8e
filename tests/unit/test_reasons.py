"""Why an order was given: codes become sentences in either language; other words stay as they are.

Nothing that is kept of a run depends on the language spoken.
"""

from __future__ import annotations

import pytest

from nts_sim.decision.model import Policy
from nts_sim.errors import InvalidInput, Problem
from nts_sim.outcomes.frames import frame
from nts_sim.study.chunks import Bench, Task, do
from nts_sim.study.directory import spoken_names
from nts_sim.testing import toy_world
from nts_sim.words import listing, say, speaking, used_language
from nts_sim.words.figures import figure
from nts_sim.words.why import quoted, why

NAMES = {("place", "08"): "Tuyên Quang", ("mechanism", "boats_of_mine"): "Boats of mine"}


@pytest.mark.parametrize(("code", "english", "vietnamese"), [
    ("why.severity?level=2&place=08", "severity 2 reported in Tuyên Quang",
     "đã báo cáo mức nghiêm trọng 2 tại Tuyên Quang"),
    ("why.account_lacks?amount=1234.5", "account lacks 1,234.5 bn VND for what is wanted",
     "tài khoản còn thiếu 1.234,5 tỷ đồng cho những gì cần"),
    ("why.short?place=08&resource=boat_crew&n=1",
     "Tuyên Quang is short of boats with crew; these serve in 1 day", None),
    ("why.short?place=08&resource=boat_crew&n=2.5",
     "Tuyên Quang is short of boats with crew; these serve in 2.5 days", None),
    ("why.mechanism?mechanism=boats_of_mine", "Boats of mine", "Boats of mine"),
    ("why.wait_for_reports", "wait for more reports", "chờ thêm báo cáo"),
    ("why.donor?place=99", "99", "99"),
])  # fmt: skip
def test_a_code_is_said(code: str, english: str, vietnamese: str | None) -> None:
    assert why(code, NAMES) == english
    with speaking("vi"):
        told = why(code, NAMES)
    assert told == vietnamese if vietnamese else told not in (code, english)


@pytest.mark.parametrize("text", [
    "", "because I say so", "why.not", "why.severity", "why.severity?level=x&place=08",
    "why.severity?level=2", "report.title", "why not?", "why.value", "{place}",
])  # fmt: skip
def test_other_words_stay_as_they_are(text: str) -> None:
    assert why(text, NAMES) == text


def test_a_name_may_hold_any_sign() -> None:
    name = "a&b=c?d +%é"
    code = f"why.donor?place={quoted(name)}"
    assert why(code, {}) == name
    assert why(code, {("place", name): "{place} & Sons"}) == "{place} & Sons"


def test_every_reason_needs_only_what_a_code_can_carry() -> None:
    values = "place=08&mechanism=military&resource=rice_t&status=optimal&how=whole"
    numbers = "n=2&level=2&want=3&have=1&wanted=4&amount=5"
    for key in (key for key in listing("en") if key.startswith("why.")):
        assert why(f"{key}?{values}&{numbers}", NAMES) != f"{key}?{values}&{numbers}"


def test_names_are_those_of_the_language_spoken() -> None:
    row = {"kind": ["threat"], "code": ["storm"], "en": ["Storm"], "vi": ["Bão"]}
    frames = {"directory": frame("directory", row)}
    assert spoken_names(frames) == {("threat", "storm"): "Storm"}
    with speaking("vi"):
        assert spoken_names(frames) == {("threat", "storm"): "Bão"}
    assert spoken_names({}) == {}


def test_a_figure_keeps_its_digits_in_either_language() -> None:
    assert [figure(1234.5, ",.1f"), figure(0.25), figure(0.123, ".1%")] == [
        "1,234.5", "0.25", "12.3%",
    ]  # fmt: skip
    with speaking("vi"):
        assert [figure(1234.5, ",.1f"), figure(0.25), figure(0.123, ".1%")] == [
            "1.234,5", "0,25", "12,3%",
        ]  # fmt: skip


def _refusing(_world):
    def decide(_seen):
        raise InvalidInput([Problem("here", say("said.kept.not_there"))])

    return decide


def test_failures_are_kept_in_english_whatever_is_spoken() -> None:
    bench = Bench([toy_world()], {"mine": lambda: Policy("mine", _refusing)}, 1, "simpy")
    with speaking("vi"):
        chunk = do(Task(0, "mine", 0, 2), bench)
        assert used_language() == "vi"
        assert say("said.kept.not_there") == "không tồn tại"
    assert [failure.message for failure in chunk.failures] == ["here: is not there"] * 2
