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
from nts_sim.charts.ground import ground_of
from nts_sim.charts.help_map import help_map
from nts_sim.charts.maps import incident_map
from nts_sim.charts.regret import regret_heat
from nts_sim.charts.tradeoff import tradeoff
from nts_sim.outcomes.insight.robustness import regret_table
from nts_sim.policies.registry import BOUND

DECIDES: Final = "total_burden_bn_vnd"
"""The metric whose ranking decides which policy is in focus."""


def build_charts(
    frames: Mapping[str, pd.DataFrame], geojson: Mapping[str, Any], view: View
) -> dict[str, Chart]:
    """Draw every chart of one scenario, and the comparison over scenarios where there are several.

    Parameters
    ----------
    frames : result tables by name: comparison, summary, outcomes, daily, map_days, places, orders,
        flows, buildup, directory
    geojson : outlines of the provinces
    view : View

    Returns
    -------
    dict of str to Chart
        In the order of reading.
    """
    ground = ground_of(geojson, frames["directory"])
    return _judged(frames, view) | {
        "fans": fans(frames["daily"], view),
        "map": incident_map(frames["map_days"], view, ground),
        "help_map": help_map(frames["map_days"], frames["places"], frames["orders"], view, ground),
        "flow": resource_flow(frames["flows"], view, ground.names),
        "buildup": mechanism_buildup(frames["buildup"], view),
    }


def _judged(frames: Mapping[str, pd.DataFrame], view: View) -> dict[str, Chart]:
    """Draw what compares policies; of one policy alone there is nothing to compare."""
    charts = {}
    if len(frames["comparison"]) or not len(frames["summary"]):
        charts["policy_comparison"] = policy_comparison(frames["comparison"], view)
        charts["tradeoff"] = tradeoff(frames["summary"], view)
    if frames["comparison"]["scenario"].nunique() > 1:
        charts["scenario_comparison"] = scenario_comparison(frames["comparison"], view)
        regret, cells = compared_regret(frames, view)
        if len(regret):
            charts["regret"] = regret_heat(regret, cells, ["scenario"], view)
    return charts


def compared_regret(
    frames: Mapping[str, pd.DataFrame], view: View
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return tables `regret` and `cells` of a comparison: each scenario is a future, a set is none.

    Parameters
    ----------
    frames : result tables by name: outcomes, daily
    view : View
    """
    rows = frames["outcomes"].query("metric == @DECIDES and key == 'all'")
    members = set(frames["daily"]["scenario"]) or {view.asked}
    named = [str(name) for name in dict.fromkeys(rows["scenario"]) if name in members]
    cells = pd.DataFrame({"cell": range(len(named)), "scenario": named})
    rows = rows[rows["scenario"].isin(named)].rename(columns={"value": DECIDES})
    rows = rows.assign(cell=[named.index(name) for name in rows["scenario"]])
    return regret_table(rows, DECIDES), cells


def view_of(frames: Mapping[str, pd.DataFrame], run_id: str, baseline: str) -> View:
    """Choose what to show: where policies are judged, the best of them, and the scenario drawn.

    Nobody can follow what only a perfect forecast would order: the best other policy counts.

    Parameters
    ----------
    frames : result tables by name: summary, ranking, daily
    run_id, baseline : as in `View`; a baseline that was not simulated gives way to the best policy
    """
    summary, ranking = frames["summary"], frames["ranking"]
    asked, drawn = _stages(frames)
    rows = ranking[(ranking["scenario"] == asked) & (ranking["metric"] == DECIDES)]
    rows = rows.sort_values("rank")
    ranked = [str(policy) for policy in rows["policy"]]
    possible = [policy for policy in ranked if policy != BOUND]
    best = next(iter([*possible, *ranked]), baseline)
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
