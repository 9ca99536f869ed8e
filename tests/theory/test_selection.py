"""Selections of known answer: they choose rightly as often as they say, for less."""

from __future__ import annotations

import pytest

from tests.theory.selection_cases import (
    ALIKE,
    CASES,
    CONFIDENCE,
    SPREAD,
    SPREAD_COMMON,
    Case,
    by_equal,
    by_first_look,
    by_kn,
    by_ocba,
    examine,
    macro_runs,
    told_apart_share,
    tolerance,
)
from tests.theory.selection_table import ALIKE_RUNS, BUDGETS, KN_RUNS, OCBA_RUNS, OCBA_SHARE

LEAST = CONFIDENCE - tolerance(CONFIDENCE, KN_RUNS)
HARD = [case for case in CASES if "slippage" in case.name and "common" not in case.name]


def named(case: Case) -> str:
    return case.name


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=named)
def test_kn_chooses_rightly_as_often_as_it_says(case: Case) -> None:
    """At least 95 % less three standard errors of 1 000 macro-runs: 92.9 %."""
    assert examine(case, by_kn, KN_RUNS).right >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize("case", HARD, ids=named)
def test_stopping_after_the_first_look_does_not(case: Case) -> None:
    """Negative control: without the sequential part these cases are beyond the first 20."""
    assert len(HARD) >= 5
    assert examine(case, by_first_look, 300).right < LEAST - 0.05


@pytest.mark.slow
def test_kn_saves_replications_where_policies_differ() -> None:
    steps = next(case for case in CASES if case.name == "steps of 1, 10 policies")
    assert examine(steps, by_kn, 200).share < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("case", [SPREAD, SPREAD_COMMON], ids=named)
@pytest.mark.parametrize("budget", BUDGETS)
def test_ocba_needs_much_less_than_equal_shares(case: Case, budget: int) -> None:
    """With 60 % of the replications it chooses rightly at least as often."""
    equal = examine(case, by_equal(budget), OCBA_RUNS)
    fewer = examine(case, by_ocba(round(OCBA_SHARE * budget)), OCBA_RUNS)
    assert fewer.replications <= 0.6 * equal.replications
    assert fewer.right >= equal.right


@pytest.mark.slow
def test_ocba_is_no_surer_than_it_may_be() -> None:
    """What it says of its own chance is not above what comes by more than 3 points."""
    made = list(macro_runs(SPREAD, by_ocba(600), 300))
    said = sum(one.probability for one in made) / len(made)
    right = sum(SPREAD.is_right(one.chosen) for one in made) / len(made)
    assert 0.5 < said < right + 0.03


@pytest.mark.slow
@pytest.mark.parametrize("case", ALIKE, ids=named)
def test_policies_of_one_law_are_seldom_told_apart(case: Case) -> None:
    assert told_apart_share(case, ALIKE_RUNS) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("case", ALIKE[1:], ids=named)
def test_a_test_after_each_batch_tells_them_apart_too_often(case: Case) -> None:
    """Negative control: that the number of looks must be paid for."""
    assert told_apart_share(case, 200, careful=False) > 0.05 + tolerance(0.05, 200)
