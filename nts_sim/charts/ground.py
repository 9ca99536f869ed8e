"""What every map stands on: outlines of provinces, islands and neighbours abroad as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patheffects import withStroke

from nts_sim.charts.frame import shortened
from nts_sim.charts.style import INK, MAP_COLOURS, NO_NEED, SOFT_INK
from nts_sim.tables.load import load_map_table, load_tables
from nts_sim.words import say, used_language
from nts_sim.world.model import Floats

Outlines = Mapping[str, tuple[Floats, ...]]
Extent = tuple[float, float, float, float]
"""West, east, south, north, degrees."""

COUNTRY: Final[Extent] = (101.9, 115.3, 8.0, 23.6)
FAR_OUT: Final = ("20333", "22736")
"""Hoàng Sa and Trường Sa, named with their province on every map; small maps name no others."""
_GRID_DEGREES = 0.04
"""Outlines are drawn to this grid: under a pixel of a small map, a tenth of the file."""
_FINE_DEGREES = 0.01
_BORDER = "#8C8C8C"
HALO: Final = (withStroke(linewidth=1.8, foreground="white"),)


@dataclass(frozen=True)
class Spot:
    """A place drawn as a point, in degrees.

    Attributes
    ----------
    parent : code of the province an island belongs to; country of a place abroad
    """

    code: str
    name: str
    parent: str
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Ground:
    """Everything of a map that does not change from run to run.

    Attributes
    ----------
    shapes : outlines by province code
    fine : the same for large maps
    names : names of provinces and of places abroad, by code
    islands : special zones offshore, which outlines leave out or show too small to see
    abroad : border localities of the neighbours
    borders : (code abroad, code of the province it touches)
    """

    shapes: Outlines
    fine: Outlines
    names: Mapping[str, str]
    islands: tuple[Spot, ...]
    abroad: tuple[Spot, ...]
    borders: tuple[tuple[str, str], ...]


def ground_of(geojson: Mapping[str, Any], directory: pd.DataFrame | None = None) -> Ground:
    """Put together outlines, the shipped points, and names in the language being spoken.

    Parameters
    ----------
    geojson : outlines of the provinces
    directory : table `directory` of a run, whose names of places abroad are used; None: shipped
    """
    tables = load_tables()
    own = _directory_names(directory)
    abroad = _spots(tables["foreign_places"], "country", own)
    islands = _spots(load_map_table("special_zones"), "province_code", {})
    names = {str(f["properties"]["code"]): str(f["properties"]["name_vi"])
             for f in geojson["features"]}  # fmt: skip
    pairs = tables.columns("border_links", "foreign_code", "province_code")
    return Ground(
        outlines(geojson), outlines(geojson, _FINE_DEGREES),
        names | {spot.code: spot.name for spot in abroad}, islands, abroad,
        tuple((str(foreign), str(province)) for foreign, province in pairs),
    )  # fmt: skip


def _directory_names(directory: pd.DataFrame | None) -> dict[str, str]:
    if directory is None or directory.empty:
        return {}
    places = directory[directory["kind"] == "place"]
    return dict(zip(places["code"], places[used_language()], strict=True))


def _spots(table: pd.DataFrame, parent: str, own: Mapping[str, str]) -> tuple[Spot, ...]:
    column = "name_vi" if used_language() == "vi" or "name" not in table else "name"
    return tuple(
        Spot(str(row["code"]), own.get(str(row["code"]), str(row[column])), str(row[parent]),
             float(row["latitude"]), float(row["longitude"]))
        for row in table.to_dict("records")
    )  # fmt: skip


def outlines(geojson: Mapping[str, Any], grid_degrees: float = _GRID_DEGREES) -> Outlines:
    """Read the outer rings of each province, arrays [point, (longitude, latitude)], by code."""
    rings: dict[str, tuple[Floats, ...]] = {}
    for feature in geojson["features"]:
        shape = feature["geometry"]
        parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        rings[str(feature["properties"]["code"])] = tuple(
            ring for part in parts if len(ring := _to_grid(part[0], grid_degrees)) > 3
        )
    return rings


def _to_grid(ring: Sequence[Sequence[float]], grid_degrees: float) -> Floats:
    """Round a ring to a grid, which keeps borders shared, and drop points that fall together."""
    points = np.round(np.asarray(ring, dtype=np.float64) / grid_degrees) * grid_degrees
    moved = np.any(np.diff(points, axis=0, prepend=points[-1:] + 1.0) != 0.0, axis=1)
    return np.round(points[moved], 2)


def colours(values: Mapping[str, float], codes: Sequence[str]) -> list[Any]:
    """Colour shares in [0, 1] on the scale of all maps; what has no value is grey."""
    scale = colormaps[MAP_COLOURS]
    return [scale(values[c]) if c in values and np.isfinite(values[c]) else NO_NEED for c in codes]


def draw_land(
    axes: Axes, shapes: Outlines, values: Mapping[str, float], extent: Extent, line: float = 0.25
) -> None:
    """Draw all provinces, coloured by their values, inside an extent."""
    axes.set_xlim(extent[0], extent[1])
    axes.set_ylim(extent[2], extent[3])
    axes.set_aspect(_stretch(extent), anchor="W")
    axes.axis("off")
    codes = [code for code, rings in shapes.items() for _ in rings]
    rings = [ring for parts in shapes.values() for ring in parts]
    axes.add_collection(PolyCollection(rings, facecolors=colours(values, codes), edgecolors=_BORDER,
                                       linewidths=line))  # fmt: skip


def _stretch(extent: Extent) -> float:
    """How much longer a degree of latitude is than one of longitude, in the middle of a map."""
    return float(1.0 / np.cos(np.radians((extent[2] + extent[3]) / 2.0)))


def draw_islands(
    axes: Axes, ground: Ground, values: Mapping[str, float], size: float = 14.0
) -> None:
    """Draw the islands as points coloured as their province; name those far out."""
    shown = [spot for spot in ground.islands if spot.parent in ground.shapes]
    for spot in shown:
        far = spot.code in FAR_OUT
        axes.scatter([spot.longitude], [spot.latitude], s=size if far else size / 3.0,
                     c=colours(values, [spot.parent]), edgecolors=SOFT_INK,
                     linewidths=0.5 if far else 0.3, zorder=3, clip_on=True)  # fmt: skip
        if far:
            province = shortened(ground.names[spot.parent], 20)
            text = say("chart.map.zone", zone=shortened(spot.name, 20), province=province)
            axes.text(spot.longitude, spot.latitude - 0.45, text, size=5.5, ha="center", va="top",
                      color=INK, path_effects=HALO)  # fmt: skip


def inside(spot: Spot, extent: Extent, margin: float) -> tuple[float, float]:
    """Give a point's place on a map; one beyond its edge is drawn at the edge."""
    west, east, south, north = extent
    return (min(max(spot.longitude, west + margin), east - margin),
            min(max(spot.latitude, south + margin), north - margin))  # fmt: skip


def extent_of(points: Floats, shape: float, least_degrees: float, margin: float) -> Extent:
    """Choose an extent that holds points and has the shape of its panel.

    Parameters
    ----------
    points : float array [point, (longitude, latitude)]
    shape : width of the panel by its height
    least_degrees : from south to north, at least
    margin : share of the height that is left free around the points
    """
    west, south = points.min(axis=0)
    east, north = points.max(axis=0)
    middle = (south + north) / 2.0
    stretch = 1.0 / np.cos(np.radians(middle))
    height = max(least_degrees, north - south, (east - west) / stretch / shape)
    height *= 1.0 + 2.0 * margin
    width = height * shape * stretch
    centre = (west + east) / 2.0
    return (float(centre - width / 2.0), float(centre + width / 2.0),
            float(middle - height / 2.0), float(middle + height / 2.0))  # fmt: skip


def heart(rings: Sequence[Floats]) -> tuple[float, float]:
    """Return the centre (longitude, latitude) of a place's largest part.

    The centroid of a polygon, by the shoelace formula.
    """

    def area(ring: Floats) -> float:
        x, y = ring.T
        return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))

    ring = max(rings, key=lambda part: abs(area(part)))
    x, y = ring.T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    size = 6.0 * area(ring)
    return (float(np.sum((x + np.roll(x, -1)) * cross) / size),
            float(np.sum((y + np.roll(y, -1)) * cross) / size))  # fmt: skip
