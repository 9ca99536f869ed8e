"""Maps of Viet Nam's provinces: where the emergency is, and how much of the need is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from nts_sim.charts.frame import Chart, View, empty_chart, open_chart, panel, shortened
from nts_sim.charts.ground import COUNTRY, Ground, colours, draw_islands, draw_land, inside
from nts_sim.charts.style import MAP_COLOURS, SMALL_PT, SOFT_INK, styled
from nts_sim.words import number, policy_in_text, say, sentence

_MOST_DAYS = 4
_LIKELY = 0.5
_ALL_SERVED = 0.995
RELEVANT = 0.02
"""Places active in a smaller share of replications have no need worth colouring."""


def days_shown(map_days: pd.DataFrame, most: int = _MOST_DAYS) -> list[int]:
    """Choose days that tell the story: evenly among those with incidents, the widest among them."""
    spread = map_days.groupby("day")["active_share"].sum()
    live = spread[spread > 0.1 * spread.max()] if len(spread) else spread
    if live.empty:
        return []
    at = np.linspace(0, len(live) - 1, most).round().astype(int)
    days = [int(day) for day in dict.fromkeys(live.index.to_numpy()[at])]
    widest = _widest(live)
    if widest not in days:
        nearest = int(np.argmin([abs(day - widest) for day in days]))
        days[nearest] = widest
    return days


def _widest(spread: pd.Series[float]) -> int:
    """Day on which most provinces are hit, on average."""
    days = spread.index.to_numpy(dtype=np.int64)
    return int(days[np.argmax(spread.to_numpy())])


@styled
def incident_map(map_days: pd.DataFrame, view: View, ground: Ground) -> Chart:
    """Draw where incidents are and what share of the need is served, on up to four days.

    Parameters
    ----------
    map_days : columns scenario, policy, day, place, active_share (of replications), mean_severity,
        served_share (of the day's need)
    view : View
    ground : Ground

    Returns
    -------
    Chart
        Rows: incidents; served share under the policy in focus; under the baseline. Columns: days.
    """
    rows = map_days[map_days["scenario"] == view.scenario]
    rows = rows.assign(place=rows["place"].astype(str))
    focus = rows[rows["policy"] == view.policy]
    at_home = focus[focus["place"].isin(list(ground.shapes))]
    days = days_shown(at_home)
    if not days:
        return empty_chart(view, say("chart.map.name"))
    base = rows[rows["policy"] == view.baseline]
    strips = [("active_share", focus, say("chart.map.incidents")),
              ("served_share", focus, _served(view.policy))]  # fmt: skip
    if view.policy != view.baseline and len(base):
        strips.append(("served_share", base, _served(view.baseline)))
    finding, alt = _words(at_home, view, ground.names)
    chart = open_chart(view, (10.0, 1.1 + 2.95 * len(strips)), finding, say("chart.map.below"),
                       say("chart.map.reading"), alt)  # fmt: skip
    for index, (column, table, title) in enumerate(strips):
        _strip(chart, (index, len(strips)), days, column, table, title, ground)
    return chart


def _served(policy: str) -> str:
    return shortened(say("chart.map.served", policy=policy_in_text(policy)), 100)


def _words(focus: pd.DataFrame, view: View, names: Mapping[str, str]) -> tuple[str, str]:
    spread = focus.groupby("day")["active_share"].sum()
    day = _widest(spread)
    then = focus[focus["day"] == day].set_index("place")
    hit = then[then["active_share"] >= _LIKELY]
    known = (hit if len(hit) else then)["served_share"].dropna().sort_values()
    told = {"day": day, "n": len(hit), "policy": policy_in_text(view.policy)}
    if known.empty:
        finding = say("chart.map.finding_bare", **told)
    elif float(known.iloc[0]) > _ALL_SERVED:
        finding = say("chart.map.finding_served", **told)
    else:
        worst = str(known.index[0])
        finding = say("chart.map.finding", place=names.get(worst, worst),
                      share=float(known.iloc[0]), **told)  # fmt: skip
    listed = "; ".join(f"{names.get(str(p), str(p))} {number(float(v), 'percent')}"
                       for p, v in known.head(8).items())  # fmt: skip
    return finding, say("chart.map.alt", finding=sentence(finding), listed=listed, day=day)


def _strip(
    chart: Chart, position: tuple[int, int], days: Sequence[int], column: str,
    table: pd.DataFrame, title: str, ground: Ground,
) -> None:  # fmt: skip
    """Draw one row of maps and its scale."""
    index, of = position
    height = 1.0 / of
    top = 1.0 - index * height
    heading = panel(chart, 0.0, top - 0.09 * height, 0.9, top)
    heading.axis("off")
    heading.text(0.0, 0.55, title, size=9.5, weight="bold", va="center")
    width = 0.9 / _MOST_DAYS
    for i, day in enumerate(days):
        axes = panel(chart, i * width, top - height, (i + 1) * width - 0.006, top - 0.09 * height)
        _draw(axes, table[table["day"] == day].set_index("place"), column, ground)
        axes.text(0.97, 0.97, say("chart.map.day", day=day), transform=axes.transAxes, ha="right",
                  va="top", size=8.5)  # fmt: skip
    share_scale(chart, panel(chart, 0.925, top - 0.85 * height, 0.94, top - 0.2 * height))


def _draw(axes: Axes, rows: pd.DataFrame, column: str, ground: Ground) -> None:
    relevant = rows[rows["active_share"] > RELEVANT]
    values = {str(k): float(v) for k, v in relevant[column].items()}
    draw_land(axes, ground.shapes, values, COUNTRY)
    draw_islands(axes, ground, values)
    if column == "active_share":
        draw_abroad(axes, ground, values)


def draw_abroad(axes: Axes, ground: Ground, values: Mapping[str, float]) -> None:
    """Draw the neighbours that have an incident as squares, those far off at the map's edge."""
    for spot in ground.abroad:
        if spot.code in values:
            x, y = inside(spot, COUNTRY, 0.25)
            axes.scatter([x], [y], s=13, marker="s", c=colours(values, [spot.code]), zorder=3,
                         edgecolors=SOFT_INK, linewidths=0.5)  # fmt: skip


def share_scale(chart: Chart, axes: Axes) -> None:
    """Draw the scale of shares that all maps have."""
    bar = chart.colorbar(ScalarMappable(Normalize(0.0, 1.0), MAP_COLOURS), cax=axes)
    bar.set_ticks([0.0, 0.5, 1.0], labels=[number(v, "percent") for v in (0.0, 0.5, 1.0)])
    bar.ax.tick_params(labelsize=SMALL_PT, length=2)
    bar.outline.set_linewidth(0.4)
