"""Intervals, paired differences and rankings on data with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nts_sim.outcomes.accumulate import Moments, merged_moments, moments
from nts_sim.outcomes.compare import (
    BEHIND,
    BEST,
    MOST_REPLICATIONS,
    TIED,
    compare,
    holm,
    paired,
    rank,
    replications_to_tell,
    summarise,
    sweep_harm_weight,
    weighted_mean,
)


def noise(n, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(0.0, scale, n)


def column(values):
    return np.asarray(values, dtype=float)[:, None]


def test_intervals_are_those_of_scipy():
    values = noise(17, 1) * 3 + 10
    found = summarise(column(values))
    expected = stats.t.interval(0.95, 16, loc=values.mean(), scale=stats.sem(values))
    assert found.n[0] == 17
    assert (found.low[0], found.high[0]) == pytest.approx(expected)


def test_intervals_cover_as_often_as_they_say():
    """2 000 samples of 8: the true mean is inside 95 % of the time; 4 standard errors allowed."""
    values = np.random.default_rng(5).normal(3.0, 2.0, (8, 2000))
    found = summarise(values)
    inside = ((found.low <= 3.0) & (found.high >= 3.0)).mean()
    assert abs(inside - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 2000)


def test_missing_values_are_left_out():
    found = summarise(np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]]))
    assert found.n.tolist() == [2, 1, 0]
    assert found.mean[:2].tolist() == [2.0, 5.0]
    assert np.isnan(found.mean[2])
    assert np.isnan(found.low[1]) and np.isnan(found.high[2])


def test_paired_differences_are_those_of_scipy():
    luck = noise(30, 2, 100.0)
    baseline, policy = luck + noise(30, 3), luck + noise(30, 4) + 1.0
    found = paired(column(policy), column(baseline))
    expected = stats.ttest_rel(policy, baseline)
    interval = expected.confidence_interval()
    assert found.p_value[0] == pytest.approx(expected.pvalue)
    assert (found.summary.low[0], found.summary.high[0]) == pytest.approx(tuple(interval))
    relative = 100 * (policy - baseline).mean() / abs(baseline.mean())
    assert found.relative_pct[0] == pytest.approx(relative)


def test_common_luck_makes_small_differences_visible():
    """The same difference drowns where replications are not paired."""
    luck = noise(30, 2, 100.0)
    policy = luck + noise(30, 4) + 1.0
    assert paired(column(policy), column(luck)).p_value[0] < 0.001
    assert paired(column(policy), column(np.roll(luck, 1))).p_value[0] > 0.1


def test_a_missing_replication_drops_its_pair_only():
    baseline = np.array([1.0, 2.0, 3.0, np.nan])
    policy = np.array([2.0, np.nan, 5.0, 1.0])
    found = paired(column(policy), column(baseline))
    assert found.summary.n[0] == 2
    assert found.summary.mean[0] == pytest.approx(1.5)
    assert found.relative_pct[0] == pytest.approx(75.0)


def test_rounding_is_no_difference():
    value = np.array([0.1 + 0.2, 1e9 * (1 + 1e-15)])
    found = paired(column(value), column([0.3, 1e9]))
    assert found.summary.mean[0] == 0.0 and found.p_value[0] == 1.0


def test_holm_by_hand():
    """0.01·3, 0.02·2, then 0.03·1 may not fall below 0.04; missing values are no family."""
    found = holm(np.array([0.03, np.nan, 0.01, 0.02]))
    assert found[[0, 2, 3]] == pytest.approx([0.04, 0.03, 0.04])
    assert np.isnan(found[1])
    assert holm(np.array([0.6, 0.9])).tolist() == [1.0, 1.0]


def test_a_family_is_held_to_a_stricter_standard_than_one_comparison():
    """p = 0.02 is told apart alone, and not among 16 of which 15 show nothing."""
    swing = np.where(np.arange(20) % 2, 1.0, -1.0)
    base = noise(20, 7)
    hint = base + 0.5 + 0.858 * swing
    alone = compare({"b": column(base), "x": column(hint)}, "b")[0]
    crowd = {f"n{i}": column(base + (1 + i) * swing) for i in range(15)}
    among = compare({"b": column(base), "x": column(hint), **crowd}, "b")[0]
    assert alone.differences.p_value[0] == pytest.approx(0.02, abs=0.002)
    assert alone.separable[0] and not among.separable[0]


def test_ranking_with_a_known_answer():
    luck = noise(40, 1, 50.0)
    ranked = rank({
        "worst": luck + 30 + noise(40, 2), "best": luck + noise(40, 3),
        "middle": luck + 10 + noise(40, 4),
    })  # fmt: skip
    assert [row.policy for row in ranked] == ["best", "middle", "worst"]
    assert [row.verdict for row in ranked] == [BEST, BEHIND, BEHIND]
    assert [row.separable_from_next for row in ranked] == [True, True, False]
    assert all(math.isnan(row.replications_to_tell) for row in ranked)


def test_where_more_is_better_the_ranking_turns_round():
    values = {"low": 1 + noise(20, 1, 0.01), "high": 2 + noise(20, 2, 0.01)}
    assert [row.policy for row in rank(values, lower_is_better=False)] == ["high", "low"]


def test_two_identical_policies_are_tied_and_no_number_would_tell():
    luck = noise(40, 1, 50.0)
    ranked = rank({"a": luck, "b": luck.copy(), "c": luck + 20 + noise(40, 2)})
    assert [row.verdict for row in ranked] == [TIED, TIED, BEHIND]
    assert not ranked[0].separable_from_next
    assert math.isnan(ranked[0].replications_to_tell)


def test_the_number_that_would_tell_does_tell():
    """With that many replications of the same mean and deviation, t reaches its quantile."""
    wanted = replications_to_tell(1.0, 5.0)
    for n, told in ((wanted, True), (wanted - 1, False)):
        t = 1.0 / (5.0 / math.sqrt(n))
        assert bool(t >= stats.t.ppf(0.975, n - 1)) is told
    assert replications_to_tell(1e-9, 5.0) == MOST_REPLICATIONS
    assert math.isnan(replications_to_tell(0.0, 5.0))


def test_not_separable_asks_for_more_than_there_are():
    luck = noise(10, 1, 50.0)
    ranked = rank({"a": luck, "b": luck + 0.2 + noise(10, 3)})
    assert ranked[0].verdict == TIED and ranked[0].replications_to_tell > 10


def test_one_policy_alone_is_the_best():
    ranked = rank({"only": noise(5)})
    assert [(row.rank, row.verdict) for row in ranked] == [(1, BEST)]


def test_a_policy_without_values_comes_last():
    ranked = rank({"lost": np.full(5, np.nan), "there": noise(5)})
    assert [row.policy for row in ranked] == ["there", "lost"]


def test_weight_of_harm_can_change_the_winner():
    """Costly help: harm 10 cost 9; no help: harm 16 cost 0. It pays from 9/6 = 1.5 on."""
    small = noise(20, 1, 0.01)
    harm = {"help": 10 + small, "none": 16 + small}
    cost = {"help": np.full(20, 9.0), "none": np.zeros(20)}
    swept = {step.factor: step for step in sweep_harm_weight(harm, cost)}
    assert [swept[f].ranking[0].policy for f in (0.5, 1.0, 1.4, 2.0)] == ["none"] * 3 + ["help"]
    assert [swept[f].winner_changes for f in (0.5, 1.0, 1.4, 2.0)] == [False] * 3 + [True]


def test_a_weighted_set_keeps_replications_paired():
    first, second = column([1.0, 3.0]), column([10.0, np.nan])
    found = weighted_mean([first, second], [0.75, 0.25])
    assert found[0, 0] == pytest.approx(3.25)
    assert np.isnan(found[1, 0])


floats = st.floats(-1e6, 1e6) | st.just(math.nan)


@settings(max_examples=200, deadline=None)
@given(st.lists(floats, min_size=1, max_size=30), st.data())
def test_merged_moments_are_those_of_all(values, data):
    cut = data.draw(st.integers(0, len(values)))
    known = np.array([v for v in values if not math.isnan(v)])

    def together(part):
        made = Moments(np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1))
        for value in part:
            made = merged_moments(made, moments(np.array([value])))
        return made

    found = merged_moments(together(values[:cut]), together(values[cut:]))
    assert found.n[0] == len(known)
    if len(known):
        assert found.mean[0] == pytest.approx(known.mean(), abs=1e-6)
        squares = ((known - known.mean()) ** 2).sum()
        assert found.squares[0] == pytest.approx(squares, rel=1e-9, abs=1e-3)
