"""The schedule as a chart: nothing cut, nothing over another, something said where it is empty."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

from nts_sim.charts.frame import figure_bytes
from nts_sim.plan.schedule_chart import schedule_chart
from nts_sim.words import languages, say, speaking
from tests.charts.test_charts import LONG, _faults, _texts
from tests.plan.made import declare, draw, frames_of, mobilise, move, nothing_ordered

_DEPOT = {"kind": "depot", "place": "22"}


def _many() -> dict[str, pd.DataFrame]:
    moves = [move(day=float(day), place=place, resource=resource, cost_bn_vnd=1.0 + day)
             for day in range(6) for place in ("22", "31", "08")
             for resource in ("rescue_team", "health_team")]  # fmt: skip
    return frames_of([declare(), draw(90.0), mobilise(), *moves], [_DEPOT])


def _with_long_names() -> dict[str, pd.DataFrame]:
    frames = _many()
    changed = frames["directory"].copy()
    changed.loc[changed["kind"] == "agency", ["en", "vi"]] = LONG
    changed.loc[changed["kind"] == "place", ["en", "vi"]] = LONG
    return {**frames, "directory": changed}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    "frames", [_many(), _with_long_names(), frames_of([move()]), frames_of([declare()])],
    ids=["many", "long names", "one", "an instant"],
)  # fmt: skip
def test_no_text_leaves_the_page_or_hides_another(
    frames: dict[str, pd.DataFrame], language: str
) -> None:
    with warnings.catch_warnings(), speaking(language):
        warnings.simplefilter("error")
        chart = schedule_chart(frames, "run")
        assert _faults(chart) == []
        assert chart.finding in _texts(chart)


def test_the_dearest_tasks_are_drawn_with_their_steps() -> None:
    frames = _many()
    chart = schedule_chart(frames, "run")
    texts = " ".join(_texts(chart))
    assert "Draw 90 bn VND" in texts  # what is drawn counts as money
    assert "The 25 tasks of most money, of 40" in texts
    labels = [text for text in _texts(chart) if text[:1] == "T" and text[1:4].isdigit()]
    assert len(labels) == 25


def test_a_basis_not_checked_is_marked_and_lateness_counted() -> None:
    chart = schedule_chart(frames_of([mobilise(in_place_day=9.0)]), "run")
    assert any(text.endswith("*") for text in _texts(chart))
    assert "late in the simulated course: 1" in chart.finding
    chart = schedule_chart(frames_of([move()]), "run")
    assert not any(text.endswith("*") for text in _texts(chart))


@pytest.mark.parametrize("language", languages())
def test_nothing_ordered_says_so(language: str) -> None:
    with speaking(language):
        chart = schedule_chart(nothing_ordered(), "run")
        assert say("chart.empty.note") in _texts(chart)


@pytest.mark.slow
def test_the_same_tasks_give_the_same_bytes() -> None:
    once, again = (schedule_chart(_many(), "run") for _ in range(2))
    assert figure_bytes(once, "svg") == figure_bytes(again, "svg")
