"""Charts in Vietnamese: longer words fit where English ones do, and none is left in English."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from nts_sim.charts.breakeven import breakeven_line
from nts_sim.charts.discovery import discovery_chart
from nts_sim.charts.frame import Chart
from nts_sim.charts.regret import regret_heat
from nts_sim.charts.sensitivity import sensitivity_charts
from nts_sim.outcomes.insight.breakeven import breakeven
from nts_sim.outcomes.insight.robustness import regret_table
from nts_sim.outcomes.insight.sensitivity import Design, morris_design, sobol_design
from nts_sim.words import speaking
from tests.charts import synthetic
from tests.charts.test_charts import FRAMES, _built, _faults, _texts, _with_long_names
from tests.charts.test_sweep_charts import (
    BASE,
    INPUTS,
    METRIC,
    OPTION,
    PLAN,
    POLICIES,
    SHAPES,
    VIEW,
    _burden,
    _discovered,
    _drawn,
    _model,
    _table,
    axes_of,
    results_of,
)
from tests.charts.test_sweep_charts import _faults as _sweep_faults
from tests.charts.test_words import VIETNAMESE

pytestmark = pytest.mark.slow

ENGLISH = re.compile(
    r"\b(?:the|of|and|is|are|with|than|under|days?|units?|bn VND|million|mean|share|harm|cost|"
    r"policy|plan for|cells?|better|worse|against|between|others?)\b"
)


def _fits_and_is_vietnamese(charts: dict[str, Chart], faults: Callable[..., list[str]]) -> None:
    assert charts
    for name, chart in charts.items():
        assert faults(chart) == [], name
        told = [chart.finding, chart.reading, chart.alt, *_texts(chart)]
        assert [text for text in told if ENGLISH.search(text)] == [], name
        assert any(letter in VIETNAMESE for letter in chart.finding), name


@pytest.mark.parametrize("frames", [FRAMES, synthetic.of_policies(FRAMES, "do_nothing")],
                         ids=["usual", "one policy"])  # fmt: skip
def test_charts_of_a_run(frames: dict) -> None:
    with speaking("vi"), warnings.catch_warnings():
        warnings.simplefilter("error")
        _fits_and_is_vietnamese(_built(frames), _faults)


@pytest.mark.parametrize("frames", [_with_long_names(), synthetic.calm_frames(),
                                    synthetic.empty_frames()],
                         ids=["long names", "calm", "no rows"])  # fmt: skip
def test_charts_with_long_names_and_without_anything(frames: dict) -> None:
    with speaking("vi"):
        assert {
            name: _faults(chart) for name, chart in _built(frames).items() if _faults(chart)
        } == {}


@pytest.mark.parametrize("name", SHAPES)
def test_charts_of_a_sweep(name: str) -> None:
    with speaking("vi"):
        for policies in (POLICIES[:3], [PLAN]):
            charts = _drawn(SHAPES[name][0], policies, lost=(1,), replications=4)
            for chart in charts.values():
                assert _sweep_faults(chart) == []
                ours = chart.finding.replace(OPTION.replace("_", " "), "")
                assert not ENGLISH.search(ours)


@pytest.mark.parametrize("design", [sobol_design(INPUTS, 256, 1), morris_design(INPUTS, 20, 1)],
                         ids=["sobol", "morris"])  # fmt: skip
@pytest.mark.parametrize("baseline", ["", BASE])
def test_charts_of_what_matters(design: Design, baseline: str) -> None:
    table = _table(design, _model)
    with speaking("vi"):
        charts = sensitivity_charts(table.assign(baseline=baseline) if baseline else table, VIEW)
        assert [_sweep_faults(chart) for chart in charts.values()] == [[] for _ in charts]


def test_charts_of_boxes_regrets_and_breakevens() -> None:
    cells = SHAPES["two"][0]
    regret = regret_table(results_of(cells, POLICIES[:3], _burden, replications=5), METRIC)
    turn = breakeven(lambda v: 20.0 * v - 60.0 + np.linspace(-5.0, 5.0, 20), 1.0, 0.0, 6.0)
    _, found = _discovered()
    with speaking("vi"):
        axis = "information.lag_days"
        charts = {
            "regret": regret_heat(regret, cells, axes_of(cells), VIEW),
            "breakeven": breakeven_line(turn, axis, PLAN, BASE, "bn VND", VIEW),
        }
        _fits_and_is_vietnamese(charts, _sweep_faults)
        assert _sweep_faults(discovery_chart(found, VIEW)) == []
