"""Measures taken together: what they come to, what is refused, and which are best."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from nts_sim.decision.model import Policy
from nts_sim.engine.session import simulate
from nts_sim.errors import InvalidInput
from nts_sim.luck.draws import DrawSet, Luck
from nts_sim.outcomes.measures import outcomes_of
from nts_sim.policies.registry import make_policy
from nts_sim.spec.models import EngineSpec, MeasureSpec, PolicySpec
from nts_sim.spec.portfolio import NONE, combined
from nts_sim.study import portfolios
from nts_sim.study.portfolios import Asked, every_portfolio, judge_portfolios
from nts_sim.tables.load import load_tables
from nts_sim.world.build import build_world
from tests.system.study import study

TABLES = load_tables()
DO_NOTHING = partial(make_policy, "do_nothing", PolicySpec())
DYKES = MeasureSpec(
    name="dykes", cost_bn_vnd=40.0, onset_share={"flood_landslide": 0.8, "storm": 0.5},
    hit_share={"flood_landslide": 0.7}, approval_factor=0.9,
)  # fmt: skip
DRAINS = MeasureSpec(
    name="drains", cost_bn_vnd=2.5, onset_share={"flood_landslide": 0.6}, hit_share={"dengue": 0.3},
    approval_factor=0.5, reporting_lag_factor=0.25,
)  # fmt: skip

# --- combining --------------------------------------------------------------------------------


def test_costs_add_and_shares_multiply() -> None:
    both = combined([DYKES, DRAINS])
    assert (both.name, both.cost_bn_vnd, both.ready_day) == ("dykes+drains", 42.5, 0.0)
    assert both.onset_share == {"flood_landslide": pytest.approx(0.48), "storm": 0.5}
    assert both.hit_share == {"flood_landslide": 0.7, "dengue": 0.3}
    assert both.approval_factor == pytest.approx(0.45)
    assert both.reporting_lag_factor == 0.25


def test_one_or_none_stays_what_it_is() -> None:
    assert combined([]) == NONE
    assert combined([DYKES]).model_copy(update={"title": ""}) == DYKES


def test_a_world_has_what_the_portfolio_does() -> None:
    made = study("scenario=typhoon_north")
    worlds = [
        build_world(made.model_copy(update={"measure": measure}), made.scenario, TABLES)
        for measure in (DYKES, DRAINS, combined([DYKES, DRAINS]))
    ]
    dykes, drains, both = worlds
    assert both.measure.cost_bn_vnd == dykes.measure.cost_bn_vnd + drains.measure.cost_bn_vnd
    np.testing.assert_allclose(
        both.hazard.onset_share, dykes.hazard.onset_share * drains.hazard.onset_share
    )
    assert both.hazard.onset_share.min() == pytest.approx(0.48)
    np.testing.assert_allclose(
        both.cells.protection, dykes.cells.protection * drains.cells.protection
    )


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (
            DRAINS.model_copy(update={"ready_day": 30.0}),
            "dykes is ready on day 0 and drains on day 30; "
            "measures taken together must be ready on the same day",
        ),
        (DYKES, "two of the measures are named 'dykes'; rename one"),
    ],
)
def test_what_cannot_be_combined_is_said_in_one_sentence(other: MeasureSpec, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        combined([DYKES, other])
    assert [problem.what for problem in refused.value.problems] == [told]


def test_measures_ready_on_the_same_later_day_are_combined() -> None:
    late = [one.model_copy(update={"ready_day": 9.0}) for one in (DYKES, DRAINS)]
    assert combined(late).ready_day == 9.0


# --- every subset -----------------------------------------------------------------------------


def test_every_subset_once_and_none_first() -> None:
    third = MeasureSpec(name="third")
    names = [one.name for one in every_portfolio([DYKES, DRAINS, third])]
    assert names == [
        "none", "dykes", "drains", "third", "dykes+drains", "dykes+third", "drains+third",
        "dykes+drains+third",
    ]  # fmt: skip


def test_too_many_measures_and_none_at_all_are_refused() -> None:
    many = [MeasureSpec(name=f"m{k}") for k in range(7)]
    assert len(every_portfolio(many[:6])) == 64
    with pytest.raises(InvalidInput, match="7 measures, 128 portfolios; choose from at most 6"):
        every_portfolio(many)
    with pytest.raises(InvalidInput, match="no measure to choose from"):
        every_portfolio([])


# --- judged -----------------------------------------------------------------------------------

GOOD = MeasureSpec(
    name="good", cost_bn_vnd=1.0, onset_share={"storm": 0.0, "flood_landslide": 0.0},
)  # fmt: skip
IDLE = MeasureSpec(name="idle", cost_bn_vnd=50.0)
QUIET = {"told": lambda _: None, "progress": lambda done, total, failed: None}


def asked(source=DO_NOTHING, weights=(("typhoon_north", 1.0),), **changes) -> Asked:
    made = study("scenario=typhoon_north", "scenario.horizon_days=9")
    plan = made.plan.model_copy(update={"draws": 4, "evaluation_draws": 3})
    engine = EngineSpec(name="simpy")
    made = made.model_copy(update={"plan": plan, "engine": engine, "workers": 1, **changes})
    scenarios = tuple(
        (name, weight, study(f"scenario={name}", "scenario.horizon_days=9").scenario)
        for name, weight in weights
    )
    return Asked(made, "do_nothing", source, scenarios, TABLES)


def burdens(measure: MeasureSpec, draws: DrawSet, n: int, name="typhoon_north") -> list[float]:
    """Burden of each draw, without any of the machinery."""
    made = study(f"scenario={name}", "scenario.horizon_days=9")
    world = build_world(made.model_copy(update={"measure": measure}), made.scenario, TABLES)
    runs = (simulate(world, DO_NOTHING(), Luck(made.seed, draws, k)) for k in range(n))
    return [
        {(m, k): v for m, k, v in outcomes_of(run, world)}["total_burden_bn_vnd", "all"]
        for run in runs
    ]


@pytest.fixture(scope="module")
def judged():
    return judge_portfolios(asked(), [GOOD, IDLE], **QUIET)["portfolios"]


def test_the_portfolio_known_to_be_best_is_found(judged) -> None:
    """No storm, no harm: `good` leaves its cost of 1 and nothing else; `idle` costs and does 0."""
    planning = judged[judged["draws"] == "planning"].set_index("portfolio")
    none = np.mean(burdens(NONE, DrawSet.PLANNING, 4))
    assert none > 51.0
    assert list(planning.index) == ["good", "good+idle", "none", "idle"]
    assert list(planning["mean"]) == pytest.approx([1.0, 51.0, none, none + 50.0])
    assert list(planning["diff"]) == pytest.approx([1.0 - none, 51.0 - none, 0.0, 50.0])
    assert planning["half_width"]["idle"] == pytest.approx(0.0, abs=1e-6)
    assert list(planning["better_share"]) == [1.0, 1.0, 0.0, 0.0]
    # 50 bn VND more in every draw is told apart, harm that varies so much not in four draws.
    assert planning["verdict"]["good+idle"] == "behind the best"
    assert planning["separable"]["idle"]


def test_costs_are_counted_once(judged) -> None:
    planning = judged[judged["draws"] == "planning"].set_index("portfolio")
    assert dict(planning["cost_bn_vnd"]) == {
        "none": 0.0, "good": 1.0, "idle": 50.0, "good+idle": 51.0,
    }  # fmt: skip
    assert planning["saved_bn_vnd"]["idle"] == pytest.approx(0.0, abs=1e-9)
    assert planning["saved_bn_vnd"]["good"] == pytest.approx(planning["mean"]["none"])
    assert planning["saved_bn_vnd"]["good+idle"] == pytest.approx(planning["mean"]["none"])


def test_the_winner_is_judged_on_draws_it_was_not_chosen_by(judged) -> None:
    evaluation = judged[judged["draws"] == "evaluation"].set_index("portfolio")
    fresh = np.mean(burdens(NONE, DrawSet.EVALUATION, 3))
    assert fresh != pytest.approx(np.mean(burdens(NONE, DrawSet.PLANNING, 3)))
    assert list(evaluation.index) == ["good", "none"]
    assert evaluation["mean"]["none"] == pytest.approx(fresh)
    assert list(evaluation["n"]) == [3, 3]


def test_of_measures_that_do_not_pay_the_least_bad_is_judged() -> None:
    dear = IDLE.model_copy(update={"name": "dear", "cost_bn_vnd": 90.0})
    made = judge_portfolios(asked(), [dear, IDLE], **QUIET)["portfolios"]
    planning, evaluation = (made[made["draws"] == d] for d in ("planning", "evaluation"))
    assert list(planning["portfolio"]) == ["none", "idle", "dear", "dear+idle"]
    assert list(evaluation["portfolio"]) == ["none", "idle"]


def test_a_set_is_weighed() -> None:
    weights = (("typhoon_north", 0.25), ("flood_central", 0.75))
    made = judge_portfolios(asked(weights=weights), [IDLE], **QUIET)["portfolios"]
    planning = made[made["draws"] == "planning"].set_index("portfolio")
    north, centre = (burdens(NONE, DrawSet.PLANNING, 4, name) for name, _ in weights)
    expected = 0.25 * np.mean(north) + 0.75 * np.mean(centre)
    assert planning["mean"]["none"] == pytest.approx(expected)
    assert planning["mean"]["idle"] == pytest.approx(expected + 50.0)


def test_every_portfolio_is_planned_for_in_its_own_world(monkeypatch) -> None:
    planned_in: list[str] = []

    def noted(study, scenarios, tables, sources, told):
        planned_in.append(study.measure.name)
        return dict(sources)

    monkeypatch.setattr(portfolios, "with_one_plan", noted)
    judge_portfolios(asked(), [GOOD, IDLE], **QUIET)
    assert planned_in == ["none", "good", "idle", "good+idle"]


def _failing(worlds_that_fail: tuple[float, ...], times: int) -> Policy:
    """Do nothing, but fail the first `times` times in worlds of these costs."""
    plain, left = DO_NOTHING(), [times]

    def open_one(world):
        if world.measure.cost_bn_vnd in worlds_that_fail and left[0] > 0:
            left[0] -= 1
            raise RuntimeError("lost the thread")
        return plain.open(world)

    return replace(plain, open=open_one, waits=False)


def test_a_failed_simulation_is_left_out_and_listed() -> None:
    frames = judge_portfolios(asked(_Once((50.0,), 1)), [GOOD, IDLE], **QUIET)
    planning = frames["portfolios"].query("draws == 'planning'").set_index("portfolio")
    assert dict(planning["n"]) == {"none": 4, "good": 4, "idle": 3, "good+idle": 4}
    assert planning["diff"]["idle"] == pytest.approx(50.0)
    (failure,) = frames["failures"].to_dict("records")
    assert failure["policy"] == "do_nothing with idle"
    assert (failure["replication"], failure["error"]) == (0, "RuntimeError")


def test_a_portfolio_that_never_works_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"do_nothing with idle.*lost the thread"):
        judge_portfolios(asked(_Once((50.0,), 99)), [GOOD, IDLE], **QUIET)


class _Once:
    """Makes the failing policy once, so that it counts over all portfolios."""

    def __init__(self, costs: tuple[float, ...], times: int) -> None:
        self._made = _failing(costs, times)

    def __call__(self) -> Policy:
        return self._made


@pytest.mark.slow
def test_workers_change_nothing(judged) -> None:
    again = judge_portfolios(asked(workers=2), [GOOD, IDLE], **QUIET)["portfolios"]
    assert again.equals(judged)
