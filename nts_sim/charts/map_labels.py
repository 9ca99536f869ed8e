"""Names on a map, put where they hide nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from matplotlib.axes import Axes

from nts_sim.charts.ground import HALO
from nts_sim.charts.style import INK, SOFT_INK

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, inches from the lower left corner of the panel."""

_LETTER: Final = 0.6
"""Mean width of a letter, in its own size."""
_LINE: Final = 1.25


@dataclass(frozen=True)
class Label:
    """A name and the point it belongs to, in degrees.

    Attributes
    ----------
    needed : it is written even where it hides something
    offset_inches : how far from its point it is put first; 0: upon it
    """

    text: str
    longitude: float
    latitude: float
    size_pt: float = 7.0
    weight: Literal["normal", "bold"] = "normal"
    style: Literal["normal", "italic"] = "normal"
    colour: str = INK
    needed: bool = True
    offset_inches: float = 0.0


def write_labels(axes: Axes, labels: Sequence[Label], taken: Sequence[Box] = ()) -> None:
    """Write names, each where it hides nothing written before it, joined to its point if far.

    Parameters
    ----------
    axes : a map whose limits are set
    labels : the most important first
    taken : boxes that must stay free
    """
    boxes, size = list(taken), _size(axes)
    for label in labels:
        point = _in_inches(axes, label.longitude, label.latitude)
        box = _free(label, *point, size, boxes)
        if box is not None:
            boxes.append(box)
            _write(axes, label, box, point, size)


def box_at(axes: Axes, longitude: float, latitude: float, half_inches: float = 0.05) -> Box:
    """Give the box of a sign drawn at a point."""
    x, y = _in_inches(axes, longitude, latitude)
    return x - half_inches, y - half_inches, x + half_inches, y + half_inches


def _size(axes: Axes) -> tuple[float, float]:
    """Width and height of a panel, inches."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    spot = axes.get_position()
    return spot.width * figure.get_figwidth(), spot.height * figure.get_figheight()


def _in_inches(axes: Axes, longitude: float, latitude: float) -> tuple[float, float]:
    wide, high = _size(axes)
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    return (longitude - west) / (east - west) * wide, (latitude - south) / (north - south) * high


def _free(
    label: Label, x: float, y: float, size: tuple[float, float], boxes: Sequence[Box]
) -> Box | None:
    """Choose the first place around a point that is free and on the map."""
    lines = label.text.split("\n")
    half_w = 0.5 * max(map(len, lines)) * _LETTER * label.size_pt / 72.0
    half_h = 0.5 * len(lines) * _LINE * label.size_pt / 72.0
    fallback = None
    for dx, dy in _offsets(label.offset_inches, half_w, half_h):
        left = min(max(x + dx - half_w, 0.0), size[0] - 2 * half_w)
        bottom = min(max(y + dy - half_h, 0.0), size[1] - 2 * half_h)
        box = (left, bottom, left + 2 * half_w, bottom + 2 * half_h)
        fallback = fallback or box
        if not any(_overlap(box, other) for other in boxes):
            return box
    return fallback if label.needed else None


def _offsets(first: float, half_w: float, half_h: float) -> list[tuple[float, float]]:
    """List places around a point, the nearest first."""
    places = [] if first else [(0.0, 0.0)]
    for step in (0.0, 0.12, 0.3, 0.5, 0.75, 1.0):
        away = first + step
        side, up = half_w + away, half_h + away
        places += [(side, 0.0), (-side, 0.0), (0.0, up), (0.0, -up),
                   (side, up), (-side, up), (side, -up), (-side, -up)]  # fmt: skip
    return places


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _write(
    axes: Axes, label: Label, box: Box, point: tuple[float, float], size: tuple[float, float]
) -> None:
    """Write a name in its box; one that stands off its point is joined to it by a thin line."""
    x, y = (box[0] + box[2]) / 2.0, (box[1] + box[3]) / 2.0
    near = (min(max(point[0], box[0]), box[2]), min(max(point[1], box[1]), box[3]))
    if abs(near[0] - point[0]) + abs(near[1] - point[1]) > 0.2:
        axes.plot([point[0] / size[0], near[0] / size[0]], [point[1] / size[1], near[1] / size[1]],
                  transform=axes.transAxes, color=SOFT_INK, linewidth=0.5, zorder=5)  # fmt: skip
    axes.text(x / size[0], y / size[1], label.text, transform=axes.transAxes, ha="center",
              va="center", size=label.size_pt, weight=label.weight, style=label.style,
              color=label.colour, path_effects=HALO, zorder=6, linespacing=1.1)  # fmt: skip
