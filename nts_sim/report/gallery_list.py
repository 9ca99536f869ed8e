"""Every chart there is, and how the gallery draws it: a chart that is not here fails a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from nts_sim.charts.breakeven import breakeven_line
from nts_sim.charts.buildup import mechanism_buildup
from nts_sim.charts.communes import commune_map
from nts_sim.charts.comparison import policy_comparison, scenario_comparison
from nts_sim.charts.discovery import discovery_chart
from nts_sim.charts.fans import fans
from nts_sim.charts.flow import resource_flow
from nts_sim.charts.frame import Chart
from nts_sim.charts.frontier import METRIC, budget_frontier
from nts_sim.charts.gallery import DECIDES, compared_regret
from nts_sim.charts.gantt import gantt
from nts_sim.charts.help_map import help_map
from nts_sim.charts.maps import incident_map
from nts_sim.charts.plan_money import contributions_chart, what_more_saves
from nts_sim.charts.regret import regret_heat
from nts_sim.charts.sensitivity import morris_plane, sensitivity_bars
from nts_sim.charts.sweep import sweep_charts
from nts_sim.charts.sweep_cells import Sweep, sweep_of
from nts_sim.charts.sweep_changes import sweep_changes
from nts_sim.charts.sweep_heat import sweep_heat
from nts_sim.charts.sweep_lines import sweep_dots, sweep_lines
from nts_sim.charts.sweep_scatter import sweep_scatter
from nts_sim.charts.tradeoff import tradeoff
from nts_sim.outcomes.insight.axes import own_rows
from nts_sim.outcomes.insight.breakeven import Breakeven, breakeven
from nts_sim.outcomes.insight.discovery import Failing, discover
from nts_sim.outcomes.insight.steps import steps_table
from nts_sim.plan.schedule_chart import schedule_chart
from nts_sim.report.gallery_material import Material, Swept, differences_between
from nts_sim.tables.load import load_tables


@dataclass(frozen=True)
class Shown:
    """A chart of the gallery.

    Attributes
    ----------
    makes : the chart's function
    draws : draws it from any material
    """

    makes: Callable[..., Chart]
    draws: Callable[[Material], Chart]


def _of_run(make: Callable[..., Chart], *tables: str) -> Shown:
    """Show a chart of result tables of one scenario."""
    return Shown(make, lambda m: make(*(m.run[table] for table in tables), m.run_view))


def _on_map(make: Callable[..., Chart], *tables: str) -> Shown:
    return Shown(make, lambda m: make(*(m.run[table] for table in tables), m.run_view, m.ground))


def _of_sweep(make: Callable[[Sweep], Chart], which: str) -> Shown:
    """Show a chart of a sweep; `which` names a sweep of the material."""
    return Shown(make, lambda m: _swept(make, getattr(m, which)))


def _swept(make: Callable[[Sweep], Chart], swept: Swept) -> Chart:
    """Draw a sweep; one without a result as the command does."""
    sweep = _sweep(swept, DECIDES)
    if len(sweep.rows):
        return make(sweep)
    return sweep_charts(swept.cells, swept.summary, swept.axes, swept.view)["sweep"]


def _sweep(swept: Swept, metric: str) -> Sweep:
    return sweep_of(swept.cells, swept.summary, swept.axes, swept.view, metric)


def _regret(material: Material) -> Chart:
    regret, cells = compared_regret(material.many, material.many_view)
    return regret_heat(regret, cells, ["scenario"], material.many_view)


def _frontier(material: Material) -> Chart:
    swept = material.money
    steps = steps_table(swept.results, swept.axes[0], METRIC)
    return budget_frontier(_sweep(swept, METRIC), steps)


def _discovery(material: Material) -> Chart:
    swept, view = material.sample, material.sample.view
    rows = own_rows(swept.cells, swept.summary)
    means = rows.loc[(rows["metric"] == DECIDES) & (rows["policy"] == view.policy), "mean"]
    failing = Failing(
        view.policy, DECIDES, view.asked, float(means.median()) if len(means) else None
    )
    return discovery_chart(discover(swept.cells, rows, swept.axes, failing, 1), view)


def _breakeven(material: Material) -> Chart:
    swept, view = material.money, material.money.view
    axis = swept.axes[0]
    values = [float(value) for value in swept.cells[axis]]
    found = Breakeven(values[-1], values[0], values[-1], (), ())
    if len(swept.results):
        look = partial(differences_between, swept, axis, view.policy, view.baseline, DECIDES)
        found = breakeven(look, values[-1], values[0], values[-1], tolerance=None, whole=False)
    return breakeven_line(found, axis, view.policy, view.baseline, "bn VND", view)


def _communes(material: Material) -> Chart:
    roads: Mapping[str, Any] = dict(load_tables().columns("road_speeds", "item", "value"))
    return commune_map(material.communes, roads, "08", material.ground)


GALLERY: Final[Mapping[str, Shown]] = {
    "policy_comparison": _of_run(policy_comparison, "comparison"),
    "tradeoff": _of_run(tradeoff, "summary"),
    "scenario_comparison": Shown(
        scenario_comparison, lambda m: scenario_comparison(m.many["comparison"], m.many_view)
    ),
    "regret": Shown(regret_heat, _regret),
    "fans": _of_run(fans, "daily"),
    "map": _on_map(incident_map, "map_days"),
    "help_map": _on_map(help_map, "map_days", "places", "orders"),
    "communes": Shown(commune_map, _communes),
    "flow": Shown(
        resource_flow, lambda m: resource_flow(m.run["flows"], m.run_view, m.ground.names)
    ),
    "buildup": _of_run(mechanism_buildup, "buildup"),
    "gantt": Shown(gantt, lambda m: schedule_chart(m.plan, m.plan_view.run_id)),
    "plan_more": Shown(
        what_more_saves,
        lambda m: what_more_saves(m.plan["marginal_money"], m.plan["lead_value"], m.plan_view),
    ),
    "plan_contributions": Shown(
        contributions_chart, lambda m: contributions_chart(m.plan["contributions"], m.plan_view)
    ),
    "budget_frontier": Shown(budget_frontier, _frontier),
    "sweep_lines": _of_sweep(sweep_lines, "money"),
    "sweep_dots": _of_sweep(sweep_dots, "names"),
    "sweep_changes": _of_sweep(sweep_changes, "names"),
    "sweep_heat": _of_sweep(sweep_heat, "heat"),
    "sweep_scatter": _of_sweep(sweep_scatter, "sample"),
    "sensitivity_sobol": Shown(
        sensitivity_bars, lambda m: sensitivity_bars(m.sobol, m.sample.view)
    ),
    "sensitivity_morris": Shown(
        sensitivity_bars, lambda m: sensitivity_bars(m.morris, m.sample.view)
    ),
    "morris_plane": Shown(morris_plane, lambda m: morris_plane(m.morris, m.sample.view)),
    "boxes": Shown(discovery_chart, _discovery),
    "breakeven": Shown(breakeven_line, _breakeven),
}
"""By name, in the order of the page."""
