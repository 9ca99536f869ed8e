"""The flow of resources conserves money: at every stage, at every bar, to the last dong drawn."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nts_sim.charts.flow import OTHER, STAGES, Layout, flow_layout, folded
from nts_sim.charts.gallery import view_of
from tests.charts import synthetic

VIEW = view_of(synthetic.frames(), synthetic.RUN_ID, synthetic.BASELINE)
TINY = 1e-9


def _flows(chains: list[tuple[str, str, str, str, float]]) -> pd.DataFrame:
    made = pd.DataFrame(chains, columns=[*STAGES, "cost_bn_vnd"])
    return made.assign(scenario=VIEW.scenario, policy=VIEW.policy, units=1.0)


def _check(layout: Layout) -> None:
    """Every stage sums to the total; what enters and leaves a bar is as wide as the bar."""
    stages: dict[int, float] = defaultdict(float)
    leaving: dict[tuple[int, str], float] = defaultdict(float)
    reaching: dict[tuple[int, str], float] = defaultdict(float)
    for node in layout.nodes:
        stages[node.stage] += node.value
    for ribbon in layout.ribbons:
        leaving[ribbon.stage, ribbon.source] += ribbon.width
        reaching[ribbon.stage + 1, ribbon.target] += ribbon.width
    assert list(stages.values()) == pytest.approx([layout.total_bn_vnd] * 4)
    for node in layout.nodes:
        width = node.top - node.bottom
        if node.stage < 3:
            assert leaving[node.stage, node.name] == pytest.approx(width, abs=TINY)
        if node.stage > 0:
            assert reaching[node.stage, node.name] == pytest.approx(width, abs=TINY)


_names = st.sampled_from([f"name{i:02d}" for i in range(20)])
_chain = st.tuples(_names, _names, _names, _names, st.floats(0.001, 1e4))


@given(st.lists(_chain, min_size=1, max_size=60))
@settings(max_examples=60)
def test_any_flow_is_conserved(chains: list[tuple[str, str, str, str, float]]) -> None:
    flows = _flows(chains)
    layout = flow_layout(folded(flows, VIEW))
    assert layout.total_bn_vnd == pytest.approx(flows["cost_bn_vnd"].sum())
    _check(layout)


@given(st.lists(_chain, min_size=1, max_size=60))
@settings(max_examples=30)
def test_bars_and_ribbons_do_not_overlap_or_leave_the_page(
    chains: list[tuple[str, str, str, str, float]],
) -> None:
    layout = flow_layout(folded(_flows(chains), VIEW))
    for stage in range(len(STAGES)):
        bars = sorted((n.bottom, n.top) for n in layout.nodes if n.stage == stage)
        assert bars[0][0] > -TINY and bars[-1][1] < 1.0 + TINY
        assert all(low[1] < high[0] for low, high in pairwise(bars))
    at = {(n.stage, n.name): n for n in layout.nodes}
    for ribbon in layout.ribbons:
        for node, edge in ((at[ribbon.stage, ribbon.source], ribbon.start),
                           (at[ribbon.stage + 1, ribbon.target], ribbon.end)):  # fmt: skip
            assert node.bottom - TINY <= edge
            assert edge + ribbon.width <= node.top + TINY


def test_the_real_chains_are_conserved_and_small_names_folded() -> None:
    flows = synthetic.flows(synthetic.SCENARIO)
    layout = flow_layout(folded(flows, VIEW))
    _check(layout)
    assert layout.total_bn_vnd == pytest.approx(sum(cost for *_, cost in synthetic.CHAINS))
    military = next(n for n in layout.nodes if n.stage == 1 and n.name == "military")
    assert military.value == pytest.approx(88.0 + 12.0)
    places = [n for n in layout.nodes if n.stage == 3]
    assert len(places) == 12 and places[-1].name == OTHER


def test_other_policies_and_what_cost_nothing_stay_out() -> None:
    flows = _flows([("f", "m", "r", "01", 3.0), ("f", "m", "r", "02", 0.0)])
    others = flows.assign(policy="greedy")
    chains = folded(pd.concat([flows, others]), VIEW)
    assert chains["cost_bn_vnd"].tolist() == [3.0]
    assert folded(flows, replace(VIEW, policy="nobody")).empty
