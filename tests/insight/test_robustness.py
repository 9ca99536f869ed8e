"""Regret, minimax regret and satisficing against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nts_sim.outcomes.insight.robustness import (
    Aim,
    regret_table,
    robustness_table,
    satisficing_table,
)
from tests.insight.sweeps import METRIC, UNIT, grid, results_of, summary_of

MEANS = {"calm": {"a": 10.0, "b": 14.0, "c": 30.0}, "wild": {"a": 90.0, "b": 60.0, "c": 50.0}}
"""Regrets: a (0, 40), b (4, 10), c (20, 0): b is the minimax-regret choice and never the best."""


def _results(noise: float = 0.0) -> pd.DataFrame:
    cells = grid(weather=["calm", "wild"])
    return results_of(cells, ["a", "b", "c"], lambda at, policy: MEANS[at["weather"]][policy],
                      noise=noise, own_noise=noise / 4.0)  # fmt: skip


def test_regret_is_the_distance_to_the_best_of_each_future() -> None:
    table = regret_table(_results(), METRIC).pivot_table(
        index="cell", columns="policy", values="regret"
    )
    assert table.to_numpy().tolist() == [[0.0, 4.0, 20.0], [40.0, 10.0, 0.0]]


def test_the_least_largest_regret_comes_first() -> None:
    table = robustness_table(regret_table(_results(), METRIC))
    assert table["policy"].tolist() == ["b", "c", "a"]
    assert table["largest_regret"].tolist() == [10.0, 20.0, 40.0]
    assert table["cell"].tolist() == [1, 0, 1]
    assert table["best_in"].tolist() == [0, 1, 1] and (table["futures"] == 2).all()


def test_regret_has_the_paired_interval_of_its_replications() -> None:
    results = _results(noise=8.0)
    row = regret_table(results, METRIC).set_index(["cell", "policy"]).loc[(1, "b")]
    values = results[results["cell"] == 1].pivot_table(
        index="replication", columns="policy", values=METRIC
    )
    differences = (values["b"] - values["c"]).to_numpy()
    half = 2.093024 * differences.std(ddof=1) / np.sqrt(20)  # t(0.975, 19)
    assert row["regret"] == pytest.approx(differences.mean())
    assert row["low"] == pytest.approx(differences.mean() - half, rel=1e-5)
    assert row["high"] == pytest.approx(differences.mean() + half, rel=1e-5)
    assert row["separable"]


def test_a_future_without_one_policy_is_left_out_whole() -> None:
    results = _results()
    holed = results[~((results["cell"] == 0) & (results["policy"] == "a"))]
    assert set(regret_table(holed, METRIC)["cell"]) == {1}
    assert regret_table(results.iloc[:0], METRIC).empty
    assert robustness_table(regret_table(results.iloc[:0], METRIC)).empty


def test_two_equal_policies_have_no_regret() -> None:
    cells = grid(weather=["calm", "wild"])
    results = results_of(cells, ["a", "b"], lambda at, policy: 100.0, own_noise=0.0)
    table = regret_table(results, METRIC)
    assert (table["regret"] == 0.0).all() and not table["separable"].any()


def test_a_share_that_should_be_high_has_its_regret_turned() -> None:
    results = pd.DataFrame({
        "cell": 0, "scenario": "x", "policy": ["a", "b"] * 3, "replication": [0, 0, 1, 1, 2, 2],
        "served_share": [0.4, 0.9, 0.5, 0.9, 0.6, 0.9],
    })  # fmt: skip
    table = regret_table(results, "served_share").set_index("policy")
    assert table.loc["a", "best"] == "b" and table.loc["a", "regret"] == pytest.approx(0.4)
    assert table.loc["a", "mean"] == pytest.approx(0.5)


def _summary() -> pd.DataFrame:
    """Four futures of policy a: means 10, 20, 30, 40, each ± 4; baseline 50 in each."""
    mean = np.array([10.0, 20.0, 30.0, 40.0])
    return pd.DataFrame({
        "cell": range(4), "scenario": "x", "policy": "a", "metric": METRIC, "unit": UNIT, "n": 20,
        "mean": mean, "low": mean - 4.0, "high": mean + 4.0, "baseline": "base",
        "diff": mean - 50.0, "diff_low": mean - 53.0, "diff_high": mean - 47.0,
        "relative_pct": 2.0 * (mean - 50.0), "separable": True,
    })  # fmt: skip


@pytest.mark.parametrize(("aim", "share", "low", "high"), [
    (Aim(limit=25.0), 0.50, 0.50, 0.50),
    (Aim(limit=22.0), 0.50, 0.25, 0.50),
    (Aim(limit=27.0), 0.50, 0.50, 0.75),
    (Aim(relative_pct=0.0), 1.0, 1.0, 1.0),
    (Aim(relative_pct=42.0), 0.50, 0.50, 0.75),
    (Aim(relative_pct=38.0), 0.75, 0.50, 0.75),
    (Aim(relative_pct=90.0), 0.0, 0.0, 0.0),
])  # fmt: skip
def test_good_enough_is_counted_with_what_is_not_sure(
    aim: Aim, share: float, low: float, high: float
) -> None:
    row = satisficing_table(_summary(), METRIC, [aim]).iloc[0]
    assert (row["share"], row["share_low"], row["share_high"]) == (share, low, high)
    assert row["futures"] == 4


def test_a_future_without_result_is_no_future() -> None:
    summary = _summary()
    summary.loc[3, ["mean", "low", "high", "diff", "diff_low", "diff_high"]] = np.nan
    row = satisficing_table(summary, METRIC, [Aim(limit=25.0)]).iloc[0]
    assert row["futures"] == 3 and row["share"] == pytest.approx(2 / 3)


def test_by_hand_and_from_a_sweep_agree() -> None:
    results = _results(noise=2.0)
    table = satisficing_table(summary_of(results, ["weather"], "a"), METRIC, [Aim(limit=55.0)])
    assert table.set_index("policy")["share"].to_dict() == {"a": 0.5, "b": 0.5, "c": 1.0}
