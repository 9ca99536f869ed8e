"""Selections: edges of the procedures, differences under repeated looks, the study's table."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats

from nts_sim.cli.selection_text import selection_text
from nts_sim.errors import InvalidInput, NoAcceptableSolution
from nts_sim.outcomes.apart import told_apart
from nts_sim.outcomes.selection import (
    BUDGET,
    DECIDED,
    THE_SAME,
    Effort,
    _factor,
    fixed,
    kn,
    ocba,
    share_of,
)
from nts_sim.spec.models import ScenarioSetSpec, SelectionSpec
from nts_sim.study import run_comparison
from nts_sim.study.select import NOT_APART, SAME, WORSE, check_selection, select_policy
from tests.unit.test_store import POLICIES, failing, made, study, toy

WORLDS = [("toy", 1.0, toy())]


def columns(*listed):
    """Make replications from columns known beforehand."""
    return lambda asked: [listed[one.policy][one.first : one.last] for one in asked]


def noise(seed, n=2000, scale=1.0):
    return np.random.default_rng(seed).normal(100.0, scale, n)


# --- procedures --------------------------------------------------------------------------------


def test_the_constant_of_kn():
    """η solves ½(1 + 2η)^(−(n₀ − 1)/2) = α/(k − 1), and h² = 2η(n₀ − 1)."""
    for n, k, confidence in ((20, 5, 0.95), (10, 2, 0.9), (50, 20, 0.99)):
        eta = _factor(n, k, confidence) / (2 * (n - 1))
        assert 0.5 * (1 + 2 * eta) ** (-(n - 1) / 2) == pytest.approx((1 - confidence) / (k - 1))


@pytest.mark.parametrize("procedure", ["kn", "ocba"])
def test_policies_that_do_the_same_end_at_the_first_look(procedure):
    same = noise(1)
    asked = 3, columns(same, same.copy(), same.copy()), Effort(20, 8, 1000)
    found = kn(*asked, 0.95, fixed(0.1)) if procedure == "kn" else ocba(*asked, fixed(0.1))
    assert found.chosen == 0 and found.stopped == THE_SAME and found.spent == 60
    assert told_apart(found.values, found.looks, found.chosen) == [False] * 3


def test_a_double_of_the_best_does_not_keep_kn_going():
    best = noise(2)
    found = kn(
        3, columns(noise(3) + 9.0, best, best.copy()), Effort(20, 8, 10**4), 0.95, fixed(0.5)
    )
    assert found.chosen == 1 and found.stopped == THE_SAME and found.spent == 60


def test_a_constant_difference_decides_at_once():
    luck = noise(4, scale=50.0)
    found = kn(2, columns(luck + 0.25, luck), Effort(20, 8, 1000), 0.95, fixed(0.1))
    assert found.chosen == 1 and found.stopped == DECIDED and found.spent == 40


def test_what_is_left_out_costs_no_more():
    values = columns(noise(5), noise(6) + 0.3, noise(7) + 5.0)
    found = kn(3, values, Effort(20, 8, 10**4), 0.95, fixed(0.2))
    assert len(found.values[2]) == 20 < len(found.values[1])
    assert found.looks[-1].tolist() == [len(one) for one in found.values]
    assert found.spent == found.looks[-1].sum() < found.equal_share


def test_later_spread_counts():
    """Where the first replications happen to vary little, kn does not stop by them."""
    calm, same = noise(8, scale=0.1), np.full(2000, 100.0)
    found = kn(2, columns(calm, same), Effort(20, 8, 4000), 0.95, fixed(0.02))
    assert found.stopped == DECIDED and 40 < found.spent < 400
    wilder = np.concatenate([calm[:20], noise(9, 1980, 5.0)])
    found = kn(2, columns(wilder, same), Effort(20, 8, 4000), 0.95, fixed(0.02))
    assert found.stopped == BUDGET


def test_a_budget_ends_kn_without_a_guarantee():
    found = kn(2, columns(noise(11), noise(12)), Effort(20, 8, 100), 0.95, fixed(1e-3))
    assert found.stopped == BUDGET and math.isnan(found.probability)
    assert 100 - 16 < found.spent <= 100


def test_ocba_spends_all_and_not_more():
    values = columns(*(noise(20 + p) + 0.3 * p for p in range(4)))
    found = ocba(4, values, Effort(10, 7, 200), fixed(1e-6))
    assert 200 - 7 < found.spent <= 200 and found.chosen == 0
    spent = [len(one) for one in found.values]
    assert spent[3] < spent[1], "what is far behind gets little"
    assert 0.0 < found.probability < 1.0


def test_ocba_leaves_near_ones_alone_below_the_indifference():
    values = columns(noise(30), noise(31) + 0.01, noise(32) + 1.0)
    fine = ocba(3, values, Effort(10, 6, 600), fixed(1e-6))
    coarse = ocba(3, values, Effort(10, 6, 600), fixed(0.5))
    assert len(fine.values[2]) < len(coarse.values[2])
    assert coarse.probability > fine.probability


def test_a_share_of_nothing_is_refused():
    with pytest.raises(InvalidInput, match="say it in bn VND"):
        kn(2, columns(np.zeros(50), noise(1)), Effort(20, 8, 100), 0.95, share_of(0, 1.0))
    assert share_of(1, 2.0)([noise(1), np.full(20, -50.0)]) == pytest.approx(1.0)


# --- told apart --------------------------------------------------------------------------------


def test_a_clear_difference_is_told():
    a, b = noise(40, 200), noise(41, 200) + 0.8
    looks = np.repeat(np.arange(20, 201, 20)[:, None], 2, axis=1)
    assert told_apart([a, b], looks, 0) == [False, True]
    assert told_apart([a, b], looks, 1) == [True, False]


def test_looks_are_paid_for():
    """Two policies of one law, 50 looks, 1 000 times: ≤ 5 %; a plain test each time: far more."""
    looks = np.repeat(np.arange(20, 511, 10)[:, None], 2, axis=1)
    careful = careless = 0
    for seed in range(1000):
        a, b = np.random.default_rng(seed).normal(size=(2, 510))
        careful += told_apart([a, b], looks, 0)[1]
        counts, moved = looks[:, 0], np.cumsum(a - b)
        error = np.sqrt(np.array([(a - b)[:n].var(ddof=1) for n in counts]) / counts)
        p_values = 2 * stats.t.sf(np.abs(moved[counts - 1] / counts) / error, counts - 1)
        careless += (p_values < 0.05).any()
    assert careful <= 50
    assert careless > 150, "negative control"


def test_rounding_is_no_difference():
    luck = noise(42, 40, 20.0)
    looks = np.full((1, 2), 40)
    assert told_apart([luck, luck * (1 + 1e-15)], looks, 0) == [False, False]


# --- in a study --------------------------------------------------------------------------------


def selecting(workers=1, **changes):
    settings = {"name": "test", "first": 10, "batch": 6, "indifference_bn_vnd": 0.5} | changes
    return study(selection=SelectionSpec(**settings), workers=workers)


def silent(done, total, failed):
    assert done <= total and failed == 0


THREE = {**POLICIES, "again": POLICIES["idle"]}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["kn", "ocba"])
def test_a_study_chooses_and_keeps_each_replication_as_compare_makes_it(method):
    table = select_policy(selecting(method=method, budget=300), WORLDS, THREE, silent)
    assert table["policy"].iloc[0] == "busy" and table["verdict"].tolist()[1:] != [SAME, SAME]
    n = int(table["n"].iloc[0])
    outcomes = run_comparison(study(replications=n), WORLDS, POLICIES).frames["summary"]
    mean = outcomes.query("metric == 'total_burden_bn_vnd' and policy == 'busy'")["mean"].iloc[0]
    assert table["mean"].iloc[0] == pytest.approx(mean, rel=1e-12)


@pytest.mark.slow
def test_workers_make_no_difference():
    one = select_policy(selecting(), WORLDS, THREE, silent)
    two = select_policy(selecting(workers=2), WORLDS, THREE, silent)
    assert_frame_equal(one, two, check_exact=True)


def test_a_set_counts_with_its_weights():
    together = ScenarioSetSpec(
        name="both", title="Both", question="?", weights={"mild": 0.75, "severe": 0.25},
        sources=("test",),
    )  # fmt: skip
    asked = selecting().model_copy(update={"scenario": together})
    worlds = [("mild", 0.75, toy(1)), ("severe", 0.25, toy(3))]
    table = select_policy(asked, worlds, POLICIES, silent)
    n = int(table["n"].iloc[0])
    made_of = asked.model_copy(update={"replications": n})
    summary = run_comparison(made_of, worlds, POLICIES).frames["summary"]
    mean = summary.query(
        "scenario == 'both' and metric == 'total_burden_bn_vnd' and policy == @table.policy[0]"
    )["mean"]
    assert table["scenario"].iloc[0] == "both"
    assert table["mean"].iloc[0] == pytest.approx(mean.iloc[0], rel=1e-12)


def test_a_failed_replication_ends_it_with_the_cause():
    policies = {**POLICIES, "failing": partial(made, "failing", failing)}
    with pytest.raises(InvalidInput, match=r"failing in toy.*no idea.*needs every replication"):
        select_policy(selecting(), WORLDS, policies, silent)


def test_no_acceptable_solution_stays_what_it_is():
    def unsolved(_world):
        raise NoAcceptableSolution("no plan in time")

    with pytest.raises(NoAcceptableSolution, match="no plan in time"):
        select_policy(selecting(), WORLDS, {"idle": partial(made, "x", unsolved)}, silent)


def test_what_cannot_be_selected_is_refused():
    with pytest.raises(InvalidInput, match="chooses among two or more"):
        check_selection(study(policies={"idle": study().policies["idle"]}))
    with pytest.raises(InvalidInput, match="at least 40"):
        check_selection(study(selection=SelectionSpec(name="x", budget=30)))
    check_selection(study(selection=SelectionSpec(name="x", budget=40)))


# --- what is told ------------------------------------------------------------------------------


def test_the_text_says_what_it_is_worth():
    kept = selection_text(select_policy(selecting(), WORLDS, THREE, silent))
    assert "at least 95 of 100 selections" in kept and "within 0.5 bn VND" in kept
    assert "replications; as many of every policy would be" in kept
    short = selecting(budget=40, indifference_bn_vnd=1e-4)
    assert "no guarantee" in selection_text(select_policy(short, WORLDS, THREE, silent))
    rough = selecting(method="ocba", budget=60)
    assert "(an estimate)" in selection_text(select_policy(rough, WORLDS, THREE, silent))
    doubles = {"idle": POLICIES["idle"], "again": POLICIES["idle"]}
    same = selection_text(select_policy(selecting(), WORLDS, doubles, silent))
    assert "idle and again did the same in all 10 replications" in same


def test_verdicts_are_those_of_the_glossary():
    table = select_policy(selecting(), WORLDS, THREE, silent)
    assert set(table["verdict"]) <= {"chosen", WORSE, NOT_APART, SAME}
    assert (table["verdict"] == "chosen").tolist() == [True, False, False]
