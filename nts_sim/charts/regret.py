"""Regret: how far each policy falls behind the best one, future by future."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Rectangle

from nts_sim.charts.frame import Chart, View, body_share, open_chart, panel, shortened
from nts_sim.charts.style import SMALL_PT, SOFT_INK, VERMILLION, policy_colour, readable, styled
from nts_sim.charts.sweep_cells import gap, nothing_chart, value_name
from nts_sim.charts.sweep_heat import ink_on, where
from nts_sim.outcomes.insight.axes import named, varied
from nts_sim.outcomes.insight.robustness import robustness_table
from nts_sim.outcomes.metrics import BY_NAME
from nts_sim.words import name_of, number, policy_in_text, say, sentence

_REGRET = LinearSegmentedColormap.from_list("regret", ["#FFFFFF", "#F6C6A3", VERMILLION, "#7A3400"])
_WIDTH = 10.0
_LABEL = 20
"""Letters of the name of a future."""
_NAMES, _SPAN, _WORST = 0.19, 0.63, 0.83
"""Shares of the width: names of policies, end of the heat-map's width, column of worst cases."""


def robustness_sentence(table: pd.DataFrame, cells: pd.DataFrame, axes: Sequence[str]) -> str:
    """Say which policy has the least largest regret, where, and what the next one has.

    Parameters
    ----------
    table : table `robustness`
    cells, axes : of the sweep
    """
    if table.empty:
        return say("chart.regret.none")
    first = table.iloc[0]
    if not first["largest_regret"] > 0.0:
        return say("chart.regret.always_best", policy=policy_in_text(str(first["policy"])),
                   n=int(first["futures"]))  # fmt: skip
    key = "chart.regret.finding" if first["low"] > 0.0 else "chart.regret.finding_unsure"
    text = say(key, policy=policy_in_text(str(first["policy"])),
               where=_where(cells, axes, first), unit=name_of("unit", str(first["unit"])),
               regret=first["largest_regret"])  # fmt: skip
    if len(table) == 1:
        return text
    second = table.iloc[1]
    return text + say("chart.regret.next", policy=policy_in_text(str(second["policy"])),
                      regret=second["largest_regret"])  # fmt: skip


def satisficing_sentence(table: pd.DataFrame, baseline: str) -> str:
    """Say which policy is good enough in most futures, and what that means.

    Parameters
    ----------
    table : table `satisficing`, of one aim
    baseline : policy that a relative aim is held against
    """
    others = table[~np.isfinite(table["relative_pct"]) | (table["policy"] != baseline)]
    first = others.sort_values("share", ascending=False, kind="stable").iloc[0]
    metric = BY_NAME[str(first["metric"])]
    told = {"metric": name_of("metric", metric.name), "baseline": policy_in_text(baseline)}
    if np.isfinite(first["limit"]):
        key = "chart.regret.no_more" if metric.lower_is_better else "chart.regret.no_less"
        aim = say(key, limit=first["limit"], unit=name_of("unit", metric.unit), **told)
    else:
        key = "chart.regret.better" if first["relative_pct"] else "chart.regret.no_worse"
        aim = say(key, pct=first["relative_pct"], **told)
    if not first["share"] > 0.0:
        return say("chart.regret.never_enough", aim=aim, n=int(first["futures"]))
    equal = others[others["share"] == first["share"]]
    return say("chart.regret.enough", aim=aim, share=first["share"], n=int(first["futures"]),
               policy=say("chart.regret.and_also").join(map(policy_in_text, equal["policy"])),
               low=first["share_low"], high=first["share_high"])  # fmt: skip


def _where(cells: pd.DataFrame, axes: Sequence[str], row: pd.Series[Any]) -> str:
    differ = varied(cells, [axis for axis in axes if axis != "policy"])
    cell = named(cells, axes).set_index("cell").loc[[row["cell"]]].iloc[0]
    only_scenarios = differ in ([], ["scenario"])
    return name_of("scenario", str(row["scenario"])) if only_scenarios else where(differ, cell)


@styled
def regret_heat(
    regret: pd.DataFrame, cells: pd.DataFrame, axes: Sequence[str], view: View
) -> Chart:
    """Draw the regret of every policy in every future.

    Parameters
    ----------
    regret : table `regret`
    cells, axes : of the sweep
    view : View

    Returns
    -------
    Chart
        Rows are policies, the least largest regret first; columns futures; "≈" stands where a
        policy is not told from the best one; cells of the sweep without a result are hatched.
    """
    table = robustness_table(regret)
    finding = robustness_sentence(table, cells, axes)
    if table.empty:
        return nothing_chart(view, finding, say("chart.regret.nothing"))
    futures = _futures(regret, cells)
    unit = name_of("unit", str(table["unit"].iloc[0]))
    listed = "; ".join(f"{name_of('policy', row['policy'])} {number(row['largest_regret'])}"
                       for row in table.to_dict("records"))  # fmt: skip
    chart = open_chart(
        view, (_WIDTH, 3.1 + 0.38 * len(table)), finding,
        sentence(say("chart.regret.below", metric=name_of("metric", regret["metric"].iloc[0]),
                     unit=unit)),
        say("chart.regret.reading"),
        say("chart.regret.alt", finding=sentence(finding), listed=listed, unit=unit),
    )  # fmt: skip
    inch = body_share(chart, 1.0)
    drawn = panel(chart, _NAMES, 1.15 * inch, _SPAN + _NAMES, 1.0 - 0.4 * inch)
    _draw(drawn, regret, table, futures)
    _columns(drawn, cells, axes, futures)
    _worst(drawn, table, unit)
    return chart


Future = tuple[int, str]
"""(Cell, scenario)."""


def _futures(regret: pd.DataFrame, cells: pd.DataFrame) -> list[Future]:
    """All futures in order of cells; a cell without a result is one future without scenario."""
    known = sorted({(int(row["cell"]), str(row["scenario"])) for row in regret.to_dict("records")})
    lost = [(int(cell), "") for cell in cells["cell"] if cell not in set(regret["cell"])]
    return sorted([*known, *lost])


def _draw(axes: Axes, regret: pd.DataFrame, table: pd.DataFrame, futures: list[Future]) -> None:
    columns = {future: i for i, future in enumerate(futures)}
    rows = {str(policy): i for i, policy in enumerate(table["policy"])}
    scale = ScalarMappable(Normalize(0.0, float(regret["regret"].max()) or 1.0), _REGRET)
    size = min(SMALL_PT, 72.0 * (_SPAN * (_WIDTH - 0.5)) / len(futures) / 3.6)
    for row in regret.to_dict("records"):
        at = columns[int(row["cell"]), str(row["scenario"])], rows[str(row["policy"])]
        _tile(axes, at, row, scale, size)
    for future, i in columns.items():
        if not future[1]:
            gap(axes, i - 0.5, -0.5, 1.0, float(len(table)))
    axes.set(xlim=(-0.5, len(futures) - 0.5), ylim=(len(table) - 0.5, -0.5))
    axes.set_yticks(range(len(table)), [shortened(name_of("policy", p), 26) for p in rows])
    for label, policy in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_color(readable(policy_colour(policy)))
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _tile(
    axes: Axes, at: tuple[int, int], row: dict[Any, Any], scale: ScalarMappable, size: float
) -> None:
    colour = scale.to_rgba(np.array([row["regret"]]))[0][:3]
    axes.add_patch(Rectangle((at[0] - 0.5, at[1] - 0.5), 1.0, 1.0, facecolor=colour,
                             edgecolor="#E3E3E3", linewidth=0.4))  # fmt: skip
    if size < 4.5:
        return
    best = row["policy"] == row["best"]
    unsure = not best and not row["separable"]
    text = say("chart.regret.best") if best else ("≈ " if unsure else "") + number(row["regret"])
    axes.text(*at, text, ha="center", va="center", size=size, color=ink_on(colour),
              style="italic" if unsure else "normal",
              weight="bold" if best else "normal")  # fmt: skip


def _columns(
    axes: Axes, cells: pd.DataFrame, axes_of: Sequence[str], futures: list[Future]
) -> None:
    """Name the futures, by their values where there is room, else by cell."""
    by_cell = named(cells, axes_of).set_index("cell")
    differ = varied(cells, [axis for axis in axes_of if axis not in ("policy", "scenario")])
    several = len({scenario for _, scenario in futures if scenario}) > 1
    every = -(-len(futures) // 24)
    labels = []
    for cell, scenario in futures[::every]:
        parts = [value_name(axis, by_cell.loc[cell, axis]) for axis in differ]
        if several or not parts:
            parts.append(name_of("scenario", scenario))
        labels.append(", ".join(parts))
    if not several and max(map(len, labels)) > _LABEL:
        labels = [say("chart.regret.cell", n=cell) for cell, _ in futures[::every]]
    labels = [shortened(label, _LABEL) for label in labels]
    axes.set_xticks(range(0, len(futures), every), labels, rotation=40, ha="right",
                    rotation_mode="anchor")  # fmt: skip


def _worst(axes: Axes, table: pd.DataFrame, unit: str) -> None:
    """Write each policy's largest regret, with its interval, beside its row."""
    place = axes.get_yaxis_transform()
    axes.text(1.02, -0.62, say("chart.regret.worst", unit=unit), transform=place, size=SMALL_PT,
              color=SOFT_INK, va="bottom")  # fmt: skip
    for y, row in enumerate(table.to_dict("records")):
        text = number(row["largest_regret"])
        if np.isfinite(row["low"]) and row["largest_regret"] > 0.0:
            text += " " + say("chart.regret.interval", low=row["low"], high=row["high"])
        axes.text(1.02, y, text, transform=place, size=SMALL_PT + 0.5, va="center")
