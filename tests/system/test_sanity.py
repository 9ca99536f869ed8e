"""Change one number and outcomes move the way a planner expects.

Each case compares means over the same 12 replications (common random numbers) with and without
one change. What is asserted is the direction of a mean, and that it moves by more than `by` of
the base value; the directions hold by a wide margin, so a case that fails is news.
"""

from __future__ import annotations

import numpy as np
import pytest

from nts_sim.spec.models import InjectSpec
from tests.system.study import outcomes, replicate, study

pytestmark = pytest.mark.slow

REPLICATIONS = 12
NORTH = ("01", "08", "15", "19", "20", "22", "24", "25", "31", "33", "37")
HARM, WAIT, SERVED = "harm_bn_vnd", "approval_wait_days", "served_share"
UP, DOWN = 1.0, -1.0

CASES = {
    # what changes: (policy, overrides of both, the change, metric, direction, by at least)
    "twice the stock": ("current_practice", (), "resources.stock_factor=2.0", HARM, DOWN, 0.05),
    "half the stock": ("current_practice", (), "resources.stock_factor=0.5", HARM, UP, 0.05),
    "few boats": (
        "do_nothing", (), "++resources.stock_factors={boat_crew:0.3}", HARM, UP, 0.02),
    "no money": (
        "current_practice", ("resources=lean",), "fund.balance_factor=0.0", HARM, UP, 0.002),
    "leads five times as long": ("current_practice", (),
        "mechanism.lead_factor=5.0", HARM, UP, 0.005),
    "signatures ten times as slow": (
        "current_practice", (), "mechanism.approval_factor=10.0", HARM, UP, 0.005),
    "more hands at the provincial desk": (
        "current_practice", ("mechanism.approval_factor=10.0",),
        "++mechanism.desk_servers={provincial_chair:50}", WAIT, DOWN, 0.01),
    "reports five days late": ("current_practice", (), "information.lag_days=5.0", HARM, UP, 0.01),
    "incidents noticed late": (
        "current_practice", (), "information.detection_days=3.0", HARM, UP, 0.005),
    "slow roads": (
        "nearest_first", ("++mechanism.changes={military:{enabled:false}}",),
        "network.road_speed_km_per_day=40.0", HARM, UP, 0.005),
    "no mutual aid": (
        "nearest_first", (), "++mechanism.changes={mutual_aid:{enabled:false}}", HARM, UP, 0.01),
    "half the requirement": ("do_nothing", (), "threat.requirement_factor=0.5", SERVED, UP, 0.02),
    "incidents last longer": ("do_nothing", (), "threat.stay_factor=1.5", HARM, UP, 0.2),
    "no spread": ("do_nothing", (), "threat.transmission_factor=0.0", "incidents", DOWN, 0.2),
    "rivers carry no flood": (
        "do_nothing", (), "network.river_weight=0.0", "incidents", DOWN, 0.02),
}  # fmt: skip


def _mean(policy: str, metric: str, overrides: tuple[str, ...]) -> float:
    return float(np.nanmean([o[metric, "all"] for o in outcomes(policy, REPLICATIONS, *overrides)]))


@pytest.mark.parametrize("what", CASES)
def test_one_change_moves_outcomes_the_way_a_planner_expects(what: str) -> None:
    policy, base, change, metric, direction, by = CASES[what]
    before = _mean(policy, metric, base)
    after = _mean(policy, metric, (*base, change))
    assert direction * (after - before) > by * abs(before), f"{what}: {before:.3f} → {after:.3f}"


def test_harm_is_proportional_to_the_harm_weight() -> None:
    before = _mean("do_nothing", HARM, ())
    after = _mean("do_nothing", HARM, ("threat.harm_weight_factor=2.0",))
    assert after == pytest.approx(2.0 * before, rel=1e-12)


def test_harm_weights_do_not_move_what_happens() -> None:
    before = _mean("current_practice", "affected_person_days", ())
    after = _mean("current_practice", "affected_person_days", ("threat.harm_weight_factor=2.0",))
    assert after == before


def test_an_attack_on_the_desks_hosts_makes_orders_wait() -> None:
    calm = study("policy=current_practice")
    hit = tuple(
        InjectSpec(place=agency, threat="cyber_outage", severity=3, day=1.0)
        for agency in ("MOD", "MOF", "MOH", "GO", *(f"{code}.people_committee" for code in NORTH))
    )
    scenario = calm.scenario.model_copy(
        update={
            "threats": (*calm.scenario.threats, "cyber_outage"),
            "injects": (*calm.scenario.injects, *hit),
        }
    )
    attacked = calm.model_copy(update={"scenario": scenario})
    waits = [
        np.nanmean([o[WAIT, "all"] for o in replicate(made, "current_practice", REPLICATIONS)])
        for made in (calm, attacked)
    ]
    assert waits[1] > 1.5 * waits[0]
