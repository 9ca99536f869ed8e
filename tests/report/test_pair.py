"""Two runs side by side: differences by hand, and what is said of them."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook
from scipy import stats

from nts_sim.outcomes.frames import frame
from nts_sim.report.pair import (
    BURDEN,
    Side,
    common_policies,
    cost_by_fund,
    difference,
    differences_of_study,
    gaps_apart,
    same_luck,
    side,
)
from nts_sim.report.pair_page import verdict, write_pair, write_pair_workbook
from nts_sim.words import say, speaking
from tests.charts import synthetic
from tests.charts.synthetic import BASELINE, BEST, SCENARIO
from tests.charts.test_report import Page, _check_harmless

FIRST, SECOND = (100.0, 110.0, 130.0, 90.0), (90.0, 99.0, 121.0, 82.0)


def _outcomes(values: tuple[float, ...], metric: str = BURDEN) -> pd.DataFrame:
    n = len(values)
    return frame("outcomes", {
        "scenario": [SCENARIO] * n, "policy": [BEST] * n, "replication": range(n),
        "metric": [metric] * n, "key": ["all"] * n, "unit": ["bn VND"] * n, "value": values,
    })  # fmt: skip


def _side(values: tuple[float, ...], run: str = "a-1", **changed: Any) -> Side:
    manifest = synthetic.manifest() | {"run_id": run, "replications": len(values)}
    manifest["config"] = manifest["config"] | changed
    manifest["seed"] = changed.get("seed", manifest["seed"])
    return side(_frames() | {"outcomes": _outcomes(values)}, manifest)


@cache
def _tables() -> tuple[tuple[str, pd.DataFrame], ...]:
    kept = ("summary", "ranking", "gap", "orders", "daily", "directory")
    return tuple((name, synthetic.frames()[name]) for name in kept)


def _frames() -> dict[str, pd.DataFrame]:
    return dict(_tables())


def test_with_the_same_luck_differences_are_paired() -> None:
    a, b = _side(FIRST), _side(SECOND, "b-2")
    assert same_luck(a, b)
    found = difference(a, b, BURDEN)
    pairs = np.subtract(SECOND, FIRST)
    half = stats.t.ppf(0.975, 3) * pairs.std(ddof=1) / 2.0
    assert found.first[0] == pytest.approx(107.5)
    assert found.diff == pytest.approx((-9.5, -9.5 - half, -9.5 + half))
    assert found.is_told


def test_with_other_luck_they_are_of_two_independent_means() -> None:
    a, b = _side(FIRST), _side(SECOND, "b-2", seed=5)
    assert not same_luck(a, b)
    found = difference(a, b, BURDEN)
    expected = stats.ttest_ind(SECOND, FIRST, equal_var=False).confidence_interval(0.95)
    assert found.diff == pytest.approx((-9.5, expected.low, expected.high))
    assert not found.is_told


@pytest.mark.parametrize("other", [{"seed": 5}, {"scenario": {"name": "x", "title": "X"}}])
def test_another_seed_or_scenario_is_other_luck(other: dict[str, Any]) -> None:
    assert not same_luck(_side(FIRST), _side(SECOND, **other))
    assert not same_luck(_side(FIRST), _side(SECOND[:3]))


def test_a_pair_leaves_out_what_one_run_lacks() -> None:
    a, b = _side(FIRST), _side((*SECOND[:3], np.nan), "b-2")
    pairs = np.subtract(SECOND, FIRST)[:3]
    assert difference(a, b, BURDEN).diff[0] == pytest.approx(pairs.mean())


def test_what_differs_in_what_was_asked_is_listed_and_nothing_else() -> None:
    a = _side(FIRST, mechanism={"name": "standard", "lead_factor": 1.0}, workers=1,
              fund={"name": "standard", "x": 1}, policies={"greedy": {"a": 1}})  # fmt: skip
    b = _side(FIRST, "b-2", mechanism={"name": "standard", "lead_factor": 1.5}, workers=4,
              fund={"name": "generous", "x": 2}, policies={})  # fmt: skip
    assert differences_of_study(a, b) == [
        ("fund", "standard", "generous"), ("mechanism.lead_factor", "1.0", "1.5"),
        ("policies.greedy", "there", "not there"),
    ]  # fmt: skip
    assert differences_of_study(a, a) == []


def test_tables_that_differ_are_listed_by_their_digests() -> None:
    a, b = _side(FIRST), _side(FIRST, "b-2")
    a.manifest["inputs"]["funds.csv"] = "0123456789abcdef"  # type: ignore[index]
    assert differences_of_study(a, b) == [("funds.csv", "01234567", "—")]


def test_gaps_that_differ_most_come_first_and_what_one_lacks_counts_nothing() -> None:
    a, b = _side(FIRST), _side(SECOND, "b-2")
    gap = synthetic.gap(SCENARIO)
    b.frames["gap"] = gap[gap["place"] != "31"]  # type: ignore[index]
    rows = gaps_apart(a, b, None)
    assert set(rows["place"]) == {"31"} and (rows["second"] == 0.0).all()
    assert (rows["diff"] == -rows["first"]).all()
    assert len(gaps_apart(a, b, 1)) == 1


def test_cost_by_fund_keeps_the_turns_to_pay() -> None:
    def paid(*rows: tuple[str, int, float]) -> pd.DataFrame:
        return pd.DataFrame([{"scenario": SCENARIO, "policy": BEST, "fund": fund, "layer": layer,
                              "spent_bn_vnd": spent} for fund, layer, spent in rows])  # fmt: skip

    a, b = _side(FIRST), _side(SECOND, "b-2")
    a.frames["finance"] = paid(("own_stock", 1, 5.0), ("reserve_fund", 4, 2.0))  # type: ignore[index]
    b.frames["finance"] = paid(("account", 2, 1.0), ("own_stock", 1, 4.0))  # type: ignore[index]
    rows = cost_by_fund(a, b)
    assert rows["fund"].tolist() == ["own_stock", "account", "reserve_fund"]
    assert rows["diff"].tolist() == [-1.0, 1.0, -2.0]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (FIRST, SECOND, "The second run does better"),
        (SECOND, FIRST, "The first run does better"),
        (FIRST, (90.0, 120.0, 131.0, 88.0), "cannot be told apart"),
        (FIRST, FIRST, "the same in every replication"),
        (FIRST, (), "not simulated many times"),
    ],
)
def test_the_verdict_in_plain_words(
    first: tuple[float, ...], second: tuple[float, ...], told: str
) -> None:
    assert told in verdict(_side(first), _side(second, "b-2"))[0]


def test_another_scenario_is_said_to_be_another_question() -> None:
    other = synthetic.manifest(name="flood_central")["config"]["scenario"]
    lines = verdict(_side(FIRST), _side(SECOND, "b-2", scenario=other))
    assert any("different scenarios" in line for line in lines)


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_page_fetches_nothing_and_the_workbook_opens(language: str) -> None:
    a, b = _side(FIRST), _side(SECOND, "b-2", fund={"name": '"><script>x</script>', "x": 1})
    with speaking(language):
        html = write_pair(a, b)
        _check_harmless(html)
        page = Page(html)
        assert say("pair.study_title") in page.text and say("pair.gaps_title") in page.text
        book = load_workbook(io.BytesIO(write_pair_workbook(a, b)))
        names = ("five", "policies", "study", "gaps", "funds")
        assert book.sheetnames == [say(f"pair.sheet_{name}") for name in names]


def test_policies_that_both_have_are_compared() -> None:
    a, b = _side(FIRST), _side(SECOND, "b-2")
    others = _outcomes(SECOND).assign(policy=BASELINE)
    b.frames["outcomes"] = pd.concat([b.frames["outcomes"], others])  # type: ignore[index]
    assert common_policies(a, b) == [BEST]
