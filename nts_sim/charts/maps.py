"""Maps of Viet Nam's provinces: where the emergency is, and how much of the need is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.patheffects import withStroke

from nts_sim.charts.frame import Chart, View, empty_chart, open_chart, panel
from nts_sim.charts.style import INK, MAP_COLOURS, NO_NEED, SMALL_PT, SOFT_INK, styled
from nts_sim.words import number, policy_in_text, say, sentence
from nts_sim.world.model import Floats

Outlines = Mapping[str, tuple[Floats, ...]]


@dataclass(frozen=True)
class OffshoreZone:
    """An island district too far out for the outlines: a labelled point of its province."""

    name: str
    province: str
    latitude: float
    longitude: float


OFFSHORE = (
    OffshoreZone("Hoàng Sa", "48", 16.5, 112.0),
    OffshoreZone("Trường Sa", "56", 9.3, 113.2),
)
_EXTENT = (101.9, 115.3, 8.0, 23.6)
"""West, east, south, north of every map, degrees."""
_MOST_DAYS = 4
_GRID_DEGREES = 0.04
"""Outlines are drawn to this grid: under a pixel of a small map, a tenth of the file."""
_LIKELY = 0.5
_ALL_SERVED = 0.995
_RELEVANT = 0.02
"""Provinces active in a smaller share of replications have no need worth colouring."""


def outlines(geojson: Mapping[str, Any]) -> Outlines:
    """Read the outer rings of each province, arrays [point, (longitude, latitude)], by code."""
    rings: dict[str, tuple[Floats, ...]] = {}
    for feature in geojson["features"]:
        shape = feature["geometry"]
        parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        rings[str(feature["properties"]["code"])] = tuple(
            ring for part in parts if len(ring := _to_grid(part[0])) > 3
        )
    return rings


def _to_grid(ring: Sequence[Sequence[float]]) -> Floats:
    """Round a ring to the grid, which keeps borders shared, and drop points that fall together."""
    points = np.round(np.asarray(ring, dtype=np.float64) / _GRID_DEGREES) * _GRID_DEGREES
    moved = np.any(np.diff(points, axis=0, prepend=points[-1:] + 1.0) != 0.0, axis=1)
    return np.round(points[moved], 2)


def place_names(geojson: Mapping[str, Any]) -> dict[str, str]:
    """Read the name of each province, by code."""
    return {str(f["properties"]["code"]): str(f["properties"]["name_vi"])
            for f in geojson["features"]}  # fmt: skip


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
def incident_map(
    map_days: pd.DataFrame, view: View, shapes: Outlines, names: Mapping[str, str]
) -> Chart:
    """Draw where incidents are and what share of the need is served, on up to four days.

    Parameters
    ----------
    map_days : columns scenario, policy, day, place, active_share (of replications), mean_severity,
        served_share (of the day's need)
    view : View
    shapes : outlines by place code
    names : names by place code

    Returns
    -------
    Chart
        Rows: incidents; served share under the policy in focus; under the baseline. Columns: days.
    """
    rows = map_days[(map_days["scenario"] == view.scenario) & map_days["place"].isin(list(shapes))]
    rows = rows.assign(place=rows["place"].astype(str))
    focus = rows[rows["policy"] == view.policy]
    days = days_shown(focus)
    if not days:
        return empty_chart(view, say("chart.map.name"))
    base = rows[rows["policy"] == view.baseline]
    strips = [("active_share", focus, say("chart.map.incidents")),
              ("served_share", focus, _served(view.policy))]  # fmt: skip
    if view.policy != view.baseline and len(base):
        strips.append(("served_share", base, _served(view.baseline)))
    finding, alt = _words(focus, view, names)
    chart = open_chart(view, (10.0, 1.1 + 2.95 * len(strips)), finding, say("chart.map.below"),
                       say("chart.map.reading"), alt)  # fmt: skip
    for index, (column, table, title) in enumerate(strips):
        _strip(chart, (index, len(strips)), days, column, table, title, shapes)
    return chart


def _served(policy: str) -> str:
    return say("chart.map.served", policy=policy_in_text(policy))


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
    table: pd.DataFrame, title: str, shapes: Outlines,
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
        _draw(axes, table[table["day"] == day].set_index("place"), column, shapes)
        axes.text(0.97, 0.97, say("chart.map.day", day=day), transform=axes.transAxes, ha="right",
                  va="top", size=8.5)  # fmt: skip
    _scale(panel(chart, 0.925, top - 0.85 * height, 0.94, top - 0.2 * height), chart)


def _colours(values: Mapping[str, float], codes: Sequence[str]) -> list[Any]:
    scale = colormaps[MAP_COLOURS]
    return [scale(values[c]) if c in values and np.isfinite(values[c]) else NO_NEED for c in codes]


def _draw(axes: Axes, rows: pd.DataFrame, column: str, shapes: Outlines) -> None:
    axes.set_xlim(_EXTENT[0], _EXTENT[1])
    axes.set_ylim(_EXTENT[2], _EXTENT[3])
    axes.set_aspect(1.0 / np.cos(np.radians(16.0)), anchor="W")
    axes.axis("off")
    relevant = rows[rows["active_share"] > _RELEVANT] if "active_share" in rows else rows
    values = {str(k): float(v) for k, v in relevant[column].items()}
    codes = [code for code, rings in shapes.items() for _ in rings]
    rings = [ring for parts in shapes.values() for ring in parts]
    axes.add_collection(PolyCollection(rings, facecolors=_colours(values, codes),
                                       edgecolors="#8C8C8C", linewidths=0.25))  # fmt: skip
    for zone in OFFSHORE:
        _offshore(axes, zone, values, shapes)


def _offshore(
    axes: Axes, zone: OffshoreZone, values: Mapping[str, float], shapes: Outlines
) -> None:
    if zone.province not in shapes:
        return
    axes.scatter([zone.longitude], [zone.latitude], s=14, c=_colours(values, [zone.province]),
                 edgecolors=SOFT_INK, linewidths=0.5, zorder=3)  # fmt: skip
    text = say("chart.map.zone", zone=zone.name, province=_PARENT[zone.province])
    axes.text(zone.longitude, zone.latitude - 0.45, text, size=5.5, ha="center", va="top",
              color=INK, path_effects=[withStroke(linewidth=1.5, foreground="white")])  # fmt: skip


_PARENT = {"48": "Đà Nẵng", "56": "Khánh Hòa"}


def _scale(axes: Axes, chart: Chart) -> None:
    bar = chart.colorbar(ScalarMappable(Normalize(0.0, 1.0), MAP_COLOURS), cax=axes)
    bar.set_ticks([0.0, 0.5, 1.0], labels=[number(v, "percent") for v in (0.0, 0.5, 1.0)])
    bar.ax.tick_params(labelsize=SMALL_PT, length=2)
    bar.outline.set_linewidth(0.4)
