"""Targets: goals and chances in closed form, intervals as published, what is refused and told."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from nts_sim.cli.compose import Composer
from nts_sim.cli.gate import list_options
from nts_sim.cli.main import main
from nts_sim.errors import InvalidInput
from nts_sim.outcomes.frames import frame
from nts_sim.outcomes.targets import check_targets, targets_table, wilson
from nts_sim.plan.targets import amount_text, target_lines, target_sentences
from nts_sim.spec.load import load_study
from nts_sim.spec.models import ScenarioSpec, Study
from nts_sim.words import speaking

HARM = {"metric": "harm_bn_vnd", "change_pct": -5.0}
ENDS = {"typhoon_north": date(2024, 10, 5)}


@pytest.fixture(scope="module")
def config() -> dict[str, object]:
    return Composer(None, list_options(None)).whole(("policy=[current_practice,greedy]",)).study


def study(config: dict[str, object], **goals: object) -> Study:
    return load_study({**config, "target": {"name": "own", "goals": goals}})


def outcomes(metric: str = "harm_bn_vnd", **values: list[float]) -> pd.DataFrame:
    rows = [(p, i, v) for p, listed in values.items() for i, v in enumerate(listed)]
    return frame("outcomes", {
        "scenario": ["typhoon_north"] * len(rows), "policy": [p for p, _, _ in rows],
        "replication": [i for _, i, _ in rows], "metric": [metric] * len(rows),
        "key": ["all"] * len(rows), "unit": [""] * len(rows), "value": [v for _, _, v in rows],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("met", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_intervals_are_those_published(met: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), table I, method 3."""
    assert wilson(met, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(n - met, n) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_of_nothing_counted_nothing_is_known() -> None:
    assert np.isnan(wilson(0, 0)).all()


def test_goal_and_chance_in_closed_form(config: dict[str, object]) -> None:
    """Mean of the reference 100, goal 95: met by 90 and by 95 itself, missed by 95.1."""
    made = outcomes(current_practice=[80.0, 100.0, 120.0], greedy=[90.0, 95.0, 95.1])
    table = targets_table(study(config, harm=HARM), made, ENDS).set_index("policy")
    assert (table["reference"] == 100.0).all() and (table["goal"] == 95.0).all()
    assert table["probability"].to_dict() == pytest.approx(
        {"current_practice": 1 / 3, "greedy": 2 / 3}
    )
    assert table.loc["greedy", ["low", "high"]].tolist() == pytest.approx(wilson(2, 3))
    assert (table["by"] == "2024-10-05").all() and (table["n"] == 3).all()


def test_more_is_better_for_shares_and_none_exceeds_one(config: dict[str, object]) -> None:
    goal = {"metric": "served_share", "change_pct": 5.0}
    made = outcomes("served_share", current_practice=[0.98, 0.98], greedy=[1.0, 0.99])
    table = targets_table(study(config, served=goal), made, ENDS).set_index("policy")
    assert table.loc["greedy", ["goal", "probability"]].tolist() == [1.0, 0.5]


def test_a_number_can_be_the_reference(config: dict[str, object]) -> None:
    goal = {**HARM, "baseline_value": 200.0}
    table = targets_table(study(config, harm=goal), outcomes(greedy=[189.0, 191.0]), ENDS)
    assert table.iloc[0][["against", "goal", "probability"]].tolist() == ["", 190.0, 0.5]


def test_without_its_reference_a_target_is_not_told(config: dict[str, object]) -> None:
    made = outcomes(greedy=[1.0, 2.0])
    assert targets_table(study(config, harm=HARM), made, ENDS).empty


def test_replications_without_a_value_do_not_count(config: dict[str, object]) -> None:
    made = outcomes(current_practice=[100.0, np.nan], greedy=[np.nan, 95.0])
    table = targets_table(study(config, harm=HARM), made, ENDS).set_index("policy")
    assert table["n"].to_dict() == {"current_practice": 1, "greedy": 1}
    assert table.loc["greedy", "probability"] == 1.0


def test_all_that_cannot_be_judged_is_listed(config: dict[str, object]) -> None:
    made = study(
        config, a={"metric": "harm_bn", "change_pct": -5.0},
        b={**HARM, "against": "nearest_first", "by": "2024-09-20"},
        c={"metric": "turns_units", "change_pct": -5.0},
    )  # fmt: skip
    assert isinstance(made.scenario, ScenarioSpec)
    with pytest.raises(InvalidInput) as caught:
        check_targets(made, [made.scenario])
    told = {problem.where: problem.what for problem in caught.value.problems}
    assert set(told) == {
        "target.goals.a.metric", "target.goals.b.against", "target.goals.b.by",
        "target.goals.c.key",
    }  # fmt: skip
    assert "did you mean harm_bn_vnd?" in told["target.goals.a.metric"]
    assert "2024-10-05" in told["target.goals.b.by"]


def test_wrong_targets_end_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "target.goals.harm.by=2024-09-20"]) == 2
    assert "2024-10-05" in capsys.readouterr().err


def test_a_target_has_one_reference(config: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="one reference"):
        study(config, harm={**HARM, "against": "greedy", "baseline_value": 1.0})


def test_targets_are_told_in_both_languages(config: dict[str, object]) -> None:
    made = outcomes(current_practice=[80.0, 100.0, 120.0], greedy=[90.0, 95.0, 95.1])
    frames = {"targets": targets_table(study(config, harm=HARM), made, ENDS)}
    english = target_sentences(target_lines(frames, "typhoon_north", ["greedy"]))
    assert len(english) == 1
    assert "at least 5 % below current practice by 5 Oct 2024: goal 95 bn VND." in english[0]
    with speaking("vi"):
        told = target_sentences(target_lines(frames, "typhoon_north", ["greedy"]))[0]
    assert "ít nhất 5%" in told and "5/10/2024" in told


def test_values_are_written_as_the_language_does() -> None:
    assert amount_text(0.815, "share") == "81.5\u00a0%"
    assert amount_text(12.0, "person-days") == "12 person-days"
    with speaking("vi"):
        assert amount_text(0.815, "share") == "81,5%"
