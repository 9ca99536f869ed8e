"""All charts of a run, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from nts_sim.charts.buildup import mechanism_buildup
from nts_sim.charts.comparison import policy_comparison, scenario_comparison
from nts_sim.charts.fans import fans
from nts_sim.charts.flow import resource_flow
from nts_sim.charts.frame import Chart, View
from nts_sim.charts.maps import incident_map, outlines, place_names

DECIDES: Final = "total_burden_bn_vnd"
"""The metric whose ranking decides which policy is in focus."""


def build_charts(
    frames: Mapping[str, pd.DataFrame], geojson: Mapping[str, Any], view: View
) -> dict[str, Chart]:
    """Draw every chart of one scenario, and the comparison over scenarios where there are several.

    Parameters
    ----------
    frames : result tables by name: comparison, daily, map_days, flows, buildup, places
    geojson : outlines of the provinces
    view : View

    Returns
    -------
    dict of str to Chart
        In the order of reading.
    """
    shapes, names = outlines(geojson), place_names(geojson)
    charts = {}
    if len(frames["comparison"]) or not len(frames["summary"]):
        charts["policy_comparison"] = policy_comparison(frames["comparison"], view)
    if frames["comparison"]["scenario"].nunique() > 1:
        charts["scenario_comparison"] = scenario_comparison(frames["comparison"], view)
    return charts | {
        "fans": fans(frames["daily"], view),
        "map": incident_map(frames["map_days"], view, shapes, names),
        "flow": resource_flow(frames["flows"], view, names),
        "buildup": mechanism_buildup(frames["buildup"], view),
    }


def view_of(frames: Mapping[str, pd.DataFrame], run_id: str, baseline: str) -> View:
    """Choose what to show: where policies are judged, the best of them, and the scenario drawn.

    Parameters
    ----------
    frames : result tables by name: summary, ranking, daily
    run_id, baseline : as in `View`; a baseline that was not simulated gives way to the best policy
    """
    summary, ranking = frames["summary"], frames["ranking"]
    asked, drawn = _stages(frames)
    rows = ranking[(ranking["scenario"] == asked) & (ranking["metric"] == DECIDES)]
    best = str(rows.sort_values("rank")["policy"].iloc[0]) if len(rows) else baseline
    replications = int(summary["n"].max()) if len(summary) else 0
    compared = baseline if (summary["policy"] == baseline).any() else best
    return View(asked, drawn, best, compared, run_id, replications)


def _stages(frames: Mapping[str, pd.DataFrame]) -> tuple[str, str]:
    """Tell where policies are judged, and what is drawn: of a set, the member of most harm."""
    summary, members = frames["summary"], set(frames["daily"]["scenario"])
    named = list(dict.fromkeys(summary["scenario"]))
    if not named:
        return "", ""
    asked = next((str(name) for name in named if name not in members), str(named[0]))
    harm = summary[(summary["metric"] == "harm_bn_vnd") & (summary["key"] == "all")
                   & summary["scenario"].isin(members)]  # fmt: skip
    if asked in members or harm.empty:
        return asked, asked
    return asked, str(harm.groupby("scenario")["mean"].mean().idxmax())
