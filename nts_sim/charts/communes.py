"""The second level of the map: communes of one province, and how far help has to go to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Normalize

from nts_sim.charts.frame import Chart, View, open_chart, panel, shortened
from nts_sim.charts.ground import Extent, Ground, Outlines, draw_land, extent_of, inside
from nts_sim.charts.map_labels import Label, box_at, write_labels
from nts_sim.charts.style import INK, MAP_COLOURS, NO_NEED, SMALL_PT, SOFT_INK, VERMILLION, styled
from nts_sim.charts.sweep_cells import nothing_chart
from nts_sim.words import name_of, number, say, sentence
from nts_sim.world.model import Floats

FAR_HOURS: Final = 4.0
"""Places further than this count as far: planning assumption, half a day of driving."""
DRIVING_HOURS_A_DAY: Final = 8.0
"""As in the basis of road_speeds.csv: 50 km/h for 8 h."""
_EARTH_KM: Final = 6371.0
_SIZE: Final = (10.0, 9.4)
_MAIN_WIDTH: Final = 0.76
_NAMED: Final = 6
_PEOPLE: Final = (5_000, 20_000, 60_000)


def hours_from_seat(communes: pd.DataFrame, roads: Mapping[str, float]) -> pd.Series[float]:
    """Hours of driving from the seat of the province to each commune.

    The great circle between points (haversine formula) times the detour factor, over road speed.

    Parameters
    ----------
    communes : columns latitude, longitude (degrees), is_seat; without a seat, from their middle
    roads : values of table `road_speeds` by item
    """
    seat = communes[communes["is_seat"]]
    start = (seat if len(seat) else communes)[["latitude", "longitude"]].mean()
    lat, lon = (np.radians(communes[name].to_numpy()) for name in ("latitude", "longitude"))
    lat0, lon0 = np.radians(start["latitude"]), np.radians(start["longitude"])
    across = np.cos(lat0) * np.cos(lat) * np.sin((lon - lon0) / 2) ** 2
    half = np.sin((lat - lat0) / 2) ** 2 + across
    road_km = 2.0 * _EARTH_KM * np.arcsin(np.sqrt(half)) * roads["detour_factor"]
    hours = road_km / roads["road_speed_km_per_day"] * DRIVING_HOURS_A_DAY
    return pd.Series(hours, index=communes.index, dtype="float64")


@styled
def commune_map(
    communes: pd.DataFrame, roads: Mapping[str, float], province: str, ground: Ground
) -> Chart:
    """Draw the communes of a province as points: people by size, hours from the seat by colour.

    Parameters
    ----------
    communes : table `communes_08`, or rows of such a table
    roads : values of table `road_speeds` by item
    province : code of the province
    ground : Ground
    """
    view = View("", "", "", "", "", 0)
    if communes.empty or province not in ground.shapes:
        return nothing_chart(view, say("chart.communes.nothing"), say("chart.communes.none"),
                             say("chart.communes.foot"))  # fmt: skip
    table = communes.assign(hours=hours_from_seat(communes, roads), name=communes["name_vi"])
    table = table.sort_values("population", ascending=False, kind="stable")
    finding, alt = _words(table, ground.names[province])
    chart = open_chart(view, _SIZE, finding, say("chart.communes.below", far=FAR_HOURS),
                       say("chart.communes.reading"), alt, say("chart.communes.foot"))  # fmt: skip
    left, bottom, right, top = chart.body
    width, height = chart.get_size_inches()
    shape = (right - left) * _MAIN_WIDTH * width / ((top - bottom) * height)
    points = np.concatenate(ground.fine[province])
    extent = extent_of(points, shape, 0.5, 0.06)
    axes = panel(chart, 0.0, 0.0, _MAIN_WIDTH, 1.0)
    _land(axes, ground, province, extent)
    most = float(np.ceil(table["hours"].max())) or 1.0
    _points(axes, table, most)
    _labels(axes, table, province, ground, extent)
    _key(chart, most)
    return chart


def _words(table: pd.DataFrame, province: str) -> tuple[str, str]:
    far = table[table["hours"] > FAR_HOURS]
    last = table.sort_values("hours").iloc[-1]
    told = {"n": len(far), "of": len(table), "people": float(far["population"].sum()),
            "hours": FAR_HOURS, "province": province, "place": shortened(last["name"], 40),
            "most": float(last["hours"])}  # fmt: skip
    finding = say("chart.communes.finding" if len(far) else "chart.communes.none_far", **told)
    listed = "; ".join(
        say("chart.communes.one", place=row["name"], hours=row["hours"], people=row["population"])
        for row in table.sort_values("hours", ascending=False).head(8).to_dict("records")
    )
    return finding, say("chart.communes.alt", finding=sentence(finding), listed=listed,
                        province=province)  # fmt: skip


def _land(axes: Axes, ground: Ground, province: str, extent: Extent) -> None:
    draw_land(axes, ground.fine, {}, extent, line=0.5)
    axes.add_collection(PolyCollection(list(ground.fine[province]), facecolors="#FFFFFF",
                                       edgecolors=INK, linewidths=1.1, zorder=1.5))  # fmt: skip

    axes.add_collection(LineCollection(_border_abroad(ground.fine, province), colors=VERMILLION,
                                       linewidths=2.4, zorder=1.6))  # fmt: skip


def _border_abroad(shapes: Outlines, province: str) -> list[Floats]:
    """Return the stretches of a province's outline that no other province shares."""
    others = {tuple(point) for code, rings in shapes.items() if code != province
              for ring in rings for point in ring}  # fmt: skip
    stretches = []
    for ring in shapes[province]:
        closed = np.vstack([ring, ring[:1]])
        alone = [tuple(point) not in others for point in closed]
        stretches += [closed[i : i + 2] for i in range(len(ring)) if alone[i] or alone[i + 1]]
    return stretches


def _points(axes: Axes, table: pd.DataFrame, most: float) -> None:
    """Draw communes, those on a border abroad ringed, far ones as diamonds, the seat as a star."""
    scale = colormaps[MAP_COLOURS]
    for row in table.to_dict("records"):
        marker = "*" if row["is_seat"] else "D" if row["hours"] > FAR_HOURS else "o"
        size = _area(row["population"]) * (2.2 if row["is_seat"] else 1.0)
        at = [row["longitude"]], [row["latitude"]]
        axes.scatter(*at, s=size, marker=marker, color=scale(row["hours"] / most), edgecolors=INK,
                     linewidths=0.5, zorder=4)  # fmt: skip
        if row["borders_abroad"]:
            axes.scatter(*at, s=2.2 * size + 40.0, facecolors="none", edgecolors=VERMILLION,
                         linewidths=1.3, zorder=3)  # fmt: skip


def _area(people: float) -> float:
    """Area of a point, in square points: as many people, as much ink."""
    return 8.0 + 90.0 * people / _PEOPLE[-1]


def _labels(axes: Axes, table: pd.DataFrame, province: str, ground: Ground, extent: Extent) -> None:
    largest = table.head(_NAMED)
    furthest = table.sort_values("hours", ascending=False).head(_NAMED)
    seat = table[table["is_seat"]]
    named = pd.concat([seat, largest, furthest]).drop_duplicates("code")
    labels = [
        Label(_label(row), row["longitude"], row["latitude"], 7.0,
              "bold" if row["is_seat"] else "normal", offset_inches=0.1)
        for row in named.to_dict("records")
    ]  # fmt: skip
    others = _neighbours(province, ground, extent)
    taken = [
        box_at(axes, row["longitude"], row["latitude"], 0.04) for row in table.to_dict("records")
    ]
    write_labels(axes, labels + others, taken)


def _label(row: Mapping[Any, Any]) -> str:
    name = shortened(str(row["name"]), 28)
    return f"{name} · {say('chart.communes.hours', hours=row['hours'])}"


def _neighbours(province: str, ground: Ground, extent: Extent) -> list[Label]:
    """Name the provinces around, and what lies over the border."""
    made = []
    for code, rings in ground.shapes.items():
        seen = np.concatenate(rings)
        here = ((seen[:, 0] > extent[0]) & (seen[:, 0] < extent[1])
                & (seen[:, 1] > extent[2]) & (seen[:, 1] < extent[3]))  # fmt: skip
        if code != province and here.sum() >= 3:
            x, y = seen[here].mean(axis=0)
            name = shortened(ground.names[code], 30)
            made.append(Label(name, float(x), float(y), 8.0, style="italic", colour=SOFT_INK,
                              needed=False))  # fmt: skip
    touching = {foreign for foreign, own in ground.borders if own == province}
    for spot in ground.abroad:
        if spot.code in touching:
            x, y = inside(spot, extent, 0.08)
            text = say("chart.communes.abroad", name=shortened(spot.name, 30),
                       country=name_of("country", spot.parent))  # fmt: skip
            made.append(Label(text, x, y, 8.0, style="italic", colour=VERMILLION))
    return made


def _key(chart: Chart, most: float) -> None:
    words = panel(chart, _MAIN_WIDTH + 0.02, 0.0, 1.0, 1.0)
    words.axis("off")
    words.set_xlim(0.0, 1.0)
    words.set_ylim(0.0, 1.0)
    words.text(0.0, 0.93, say("chart.communes.scale"), size=SMALL_PT, va="top", linespacing=1.3)
    scale = panel(chart, _MAIN_WIDTH + 0.025, 0.62, _MAIN_WIDTH + 0.04, 0.86)
    bar = chart.colorbar(ScalarMappable(Normalize(0.0, most), MAP_COLOURS), cax=scale)
    ticks = [0.0, most / 2.0, most]
    bar.set_ticks(ticks, labels=[number(value) for value in ticks])
    bar.ax.tick_params(labelsize=SMALL_PT, length=2)
    bar.outline.set_linewidth(0.4)
    _signs(words)


def _signs(words: Axes) -> None:
    """Explain the sizes and signs of the points."""
    rows: list[tuple[str, str, float, str, str]] = [
        *(("o", NO_NEED, _area(people), INK, say("chart.communes.people", people=people))
          for people in _PEOPLE),
        ("D", NO_NEED, 40.0, INK, say("chart.communes.far", hours=FAR_HOURS)),
        ("*", NO_NEED, 160.0, INK, say("chart.communes.seat")),
        ("o", "none", 130.0, VERMILLION, say("chart.communes.border")),
    ]  # fmt: skip
    for row, (marker, fill, size, edge, text) in enumerate(rows):
        y = 0.54 - 0.06 * row
        words.scatter([0.08], [y], s=size, marker=marker, facecolors=fill, edgecolors=edge,
                      linewidths=1.3 if edge == VERMILLION else 0.6)  # fmt: skip
        words.text(0.2, y, text, size=SMALL_PT, va="center", linespacing=1.15)
