"""Enough replications: they stop when the interval is narrow enough, and not by who worked."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from nts_sim.errors import InvalidInput
from nts_sim.outcomes.compare import paired, summarise
from nts_sim.outcomes.metrics import METRICS
from nts_sim.outcomes.precision import BATCH, check_precision, enough, looks
from nts_sim.spec.load import load_study
from nts_sim.spec.models import PrecisionSpec, ScenarioSetSpec
from nts_sim.study import run_comparison
from nts_sim.study.chunks import CHUNK
from nts_sim.study.collect import Collected, Member
from nts_sim.study.engines import engine_for, most_replications
from tests.unit.test_store import POLICIES, study, toy

WORLDS = [("toy", 1.0, toy())]


def asked(**changes):
    return PrecisionSpec(name="test", **changes)


def auto(workers=1, **changes):
    return study(replications="auto", precision=asked(**changes), workers=workers)


# --- the rule ----------------------------------------------------------------------------------


def test_looks_come_after_whole_chunks_until_the_cap():
    assert list(looks(asked(least=18, most=70), 4)) == [20, 40, 60, 70]
    assert list(looks(asked(least=60, most=60), 4)) == [60]
    assert list(looks(asked(least=59, most=60), 4)) == [60]
    assert BATCH % CHUNK == 0, "otherwise later looks come amid a chunk"


def test_the_widest_difference_decides():
    rng = np.random.default_rng(1)
    luck = rng.normal(100.0, 30.0, 50)
    values = {"base": luck, "near": luck + rng.normal(0, 1, 50), "far": luck + rng.normal(0, 5, 50)}
    found = enough(values, "base", asked(half_width_pct=1.0))
    differences = paired(values["far"][:, None], luck[:, None]).summary
    assert found.policy == "far" and found.n == 50
    assert found.reached == pytest.approx(float((differences.high - differences.low)[0]) / 2)
    assert found.target == pytest.approx(luck.mean() / 100.0)
    assert not found.met
    assert found.wanted == math.ceil(50 * (found.reached / found.target) ** 2)
    assert enough(values, "base", asked(half_width=found.reached)).met
    assert not enough(values, "base", asked(half_width=found.reached * 0.999)).met


def test_one_policy_alone_is_judged_by_its_mean():
    values = np.random.default_rng(2).normal(10.0, 1.0, 30)
    found = enough({"only": values}, "missing", asked())
    alone = summarise(values[:, None])
    assert found.reached == pytest.approx(float(alone.high[0] - alone.low[0]) / 2)
    assert found.target == pytest.approx(0.02 * values.mean())


def test_policies_that_do_the_same_are_known_at_once():
    values = np.random.default_rng(3).normal(0.0, 1.0, 20)
    found = enough({"a": values, "b": values.copy()}, "a", asked(half_width=1e-9))
    assert found.met and found.reached == 0.0 and found.wanted == 20


def test_what_is_not_known_is_not_enough():
    nothing, one = np.full(4, np.nan), np.array([1.0, np.nan, np.nan, np.nan])
    found = enough({"a": np.ones(4), "b": nothing, "c": np.ones(4)}, "a", asked())
    assert found.policy == "b" and not found.met and math.isnan(found.wanted)
    assert not enough({"a": one, "b": one}, "a", asked()).met


def test_a_share_of_nothing_is_never_reached_by_noise():
    rng = np.random.default_rng(4)
    zero = np.zeros(20)
    found = enough({"a": zero, "b": rng.normal(0, 1, 20)}, "a", asked())
    assert found.target == 0.0 and not found.met and math.isnan(found.wanted)


def test_intervals_that_stopped_the_work_still_cover():
    """1 000 sequences: looking until it is narrow costs less than 2 points of 95 %."""
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(1000):
        base, other = rng.normal(100.0, 10.0, (2, 500))
        for n in looks(asked(half_width=3.0), CHUNK):
            found = enough({"a": base[:n], "b": other[:n]}, "a", asked(half_width=3.0))
            if found.met:
                break
        inside.append(abs((other[:n] - base[:n]).mean()) <= found.reached)
    assert 0.93 - 3 * math.sqrt(0.93 * 0.07 / 1000) < np.mean(inside) < 0.97


# --- in a study --------------------------------------------------------------------------------


def half_width(frames):
    row = frames["comparison"].query("metric == 'total_burden_bn_vnd' and key == 'all'").iloc[-1]
    return float(row["high"] - row["low"]) / 2


@pytest.fixture(scope="module")
def target():
    """Half-width that needs more than the floor and much less than the cap."""
    return 0.6 * half_width(run_comparison(study(replications=20), WORLDS, POLICIES).frames)


def test_auto_gives_what_that_many_replications_give(target):
    """Equal to the last bit, besides the table that tells the precision."""
    found = run_comparison(auto(half_width=target), WORLDS, POLICIES)
    precision = found.frames["precision"].iloc[0]
    n = int(found.frames["summary"]["n"].max())
    assert precision["n"] == n and 20 < n < 500, "the target decides, not the floor or the cap"
    outright = run_comparison(study(replications=n), WORLDS, POLICIES)
    assert set(found.frames) - set(outright.frames) == {"precision"}
    for name, table in outright.frames.items():
        assert_frame_equal(table, found.frames[name], check_exact=True)
    assert_frame_equal(outright.trace, found.trace, check_exact=True)
    assert precision["met"] and precision["reached"] <= target
    assert precision["reached"] == pytest.approx(half_width(outright.frames), rel=1e-12)
    before = run_comparison(study(replications=n - BATCH), WORLDS, POLICIES).frames
    assert half_width(before) > target, "it stopped as soon as it could"


@pytest.mark.slow
def test_workers_make_no_difference(target):
    one = run_comparison(auto(half_width=target), WORLDS, POLICIES).frames
    two = run_comparison(auto(half_width=target, workers=2), WORLDS, POLICIES).frames
    for name, table in one.items():
        assert_frame_equal(table, two[name], check_exact=True)


def test_the_cap_stops_it_and_that_is_told():
    seen = []
    found = run_comparison(
        auto(half_width_pct=0.001, least=8, most=30), WORLDS, POLICIES,
        progress=lambda *state: seen.append(state),
    )  # fmt: skip
    row = found.frames["precision"].iloc[0]
    assert not row["met"] and row["n"] == 30 and row["wanted"] > 30
    assert seen[-1] == (60, 60, 0), "progress counts up to the cap and not beyond"


def test_a_set_is_judged_by_its_weighted_row():
    together = ScenarioSetSpec(
        name="both", title="Both", question="?", weights={"mild": 0.75, "severe": 0.25},
        sources=("test",),
    )  # fmt: skip
    worlds = [("mild", 0.75, toy(1)), ("severe", 0.25, toy(3))]
    made = auto(half_width_pct=50.0, least=8).model_copy(update={"scenario": together})
    found = run_comparison(made, worlds, POLICIES).frames
    told = found["precision"].iloc[0]
    assert found["comparison"]["scenario"].iloc[-1] == told["scenario"] == "both"
    assert told["reached"] == pytest.approx(half_width(found), rel=1e-12)


def test_every_outcome_with_a_total_can_be_asked_for():
    collected = Collected((Member("toy", 1.0, toy()),), ("idle",), 1)
    for metric in METRICS:
        if metric.with_total:
            check_precision(asked(metric=metric.name))
            assert set(collected.totals(metric.name)) == {"idle"}
        else:
            with pytest.raises(InvalidInput, match="has no total; known: total_burden"):
                check_precision(asked(metric=metric.name))
    with pytest.raises(InvalidInput, match="is not an outcome"):
        check_precision(asked(metric="happiness"))


def test_where_a_number_is_needed_the_cap_stands_in():
    assert most_replications(auto(most=70)) == 70
    assert most_replications(study(replications=5)) == 5
    made = auto(most=70).model_copy(update={"engine": study().engine})
    assert engine_for(made) == "simpy"


@pytest.mark.parametrize(
    ("given", "told"),
    [("many", "'many' is not a whole number or auto"), (True, "True is not a whole number or auto"),
     (2.0, "2.0 is not a whole number or auto"), (1, "1 is below 2"),
     (200_000, "200000 is above 100000"), (None, "None is not a whole number or auto")],
)  # fmt: skip
def test_a_wrong_number_of_replications_is_told(given, told):
    config = {**study().model_dump(mode="json"), "replications": given}
    with pytest.raises(InvalidInput, match=told):
        load_study(config)


def test_auto_survives_being_written_down():
    made = auto()
    assert load_study(made.model_dump(mode="json")) == made
