"""Who is hit and who helps: one large map, with the ways that help takes between provinces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from nts_sim.charts.frame import Chart, View, empty_chart, open_chart, panel, shortened
from nts_sim.charts.ground import (
    COUNTRY,
    FAR_OUT,
    Extent,
    Ground,
    Spot,
    colours,
    draw_islands,
    draw_land,
    extent_of,
    heart,
    inside,
)
from nts_sim.charts.map_labels import Label, box_at, write_labels
from nts_sim.charts.maps import RELEVANT, share_scale
from nts_sim.charts.style import INK, SMALL_PT, SOFT_INK, VERMILLION, styled
from nts_sim.words import number, policy_in_text, say, sentence

_SIZE: Final = (10.0, 9.4)
_MAIN_WIDTH: Final = 0.72
_HIGH: Final = 0.985
"""Shares of the body that the main map takes."""
_LIKELY: Final = 0.5
_MOST_ARROWS: Final = 40
_WIDEST_PT: Final = 5.0
_WIDE_FROM: Final = 6
"""Orders that make an arrow of full width, if there is no wider one."""
_MOST_FAR: Final = 9
_LETTERS: Final = 18
"""Letters of a name on the map."""


Hearts = Mapping[str, tuple[float, float]]
"""Centres (longitude, latitude) of provinces."""


@dataclass(frozen=True)
class Help:
    """What a map of help shows.

    Attributes
    ----------
    peak : highest daily share of replications with an incident, by place
    served : share of the need served over the whole event, by province in need
    sent : number of orders by (from, to), the largest first
    national : orders that bring help of the nation's own forces and stocks
    """

    peak: Mapping[str, float]
    served: Mapping[str, float]
    sent: Mapping[tuple[str, str], int]
    national: int

    @property
    def hit(self) -> list[str]:
        """Places hit in at least half of the replications, the surest first."""
        known = sorted(self.peak, key=lambda code: (-self.peak[code], code))
        return [code for code in known if self.peak[code] >= _LIKELY]


def help_of(map_days: pd.DataFrame, places: pd.DataFrame, orders: pd.DataFrame, view: View) -> Help:
    """Read from the tables of a run who is hit and who sends help, under the policy in focus."""
    peak = _mine(map_days, view).groupby("place")["active_share"].max()
    served = _mine(places, view).query("metric == 'served_share'").set_index("place")["mean"]
    given = _mine(orders, view).query("granted > 0")
    moved = given[(given["kind"] == "move") & (given["source"] != given["place"])
                  & (given["source"] != "")]  # fmt: skip
    sent = moved.groupby(["source", "place"]).size().sort_values(ascending=False, kind="stable")
    return Help(
        {str(code): float(share) for code, share in peak.items() if share > RELEVANT},
        {str(code): float(share) for code, share in served.dropna().items()},
        {(str(key[0]), str(key[1])): int(n) for key, n in zip(sent.index, sent, strict=True)},
        int((given["kind"] == "mobilise").sum()),
    )


def _mine(table: pd.DataFrame, view: View) -> pd.DataFrame:
    return table[(table["scenario"] == view.scenario) & (table["policy"] == view.policy)]


@styled
def help_map(
    map_days: pd.DataFrame, places: pd.DataFrame, orders: pd.DataFrame, view: View, ground: Ground
) -> Chart:
    """Draw which provinces are hit, what share of their need is served, and who sends them help.

    Parameters
    ----------
    map_days, places, orders : result tables
    view : View
    ground : Ground

    Returns
    -------
    Chart
        Colour: how surely a place is hit. Arrows: help ordered between provinces in one simulated
        course of events; their width is the number of orders.
    """
    shown = help_of(map_days, places, orders, view)
    at_home = [code for code in shown.peak if code in ground.shapes]
    if not at_home:
        return empty_chart(view, say("chart.help.name"))
    finding = _finding(shown, view, ground)
    listed = "; ".join(_told(pair, n, ground) for pair, n in list(shown.sent.items())[:8])
    chart = open_chart(view, _SIZE, finding,
                       say("chart.help.below", policy=policy_in_text(view.policy),
                           n=shown.national),
                       say("chart.help.reading"),
                       say("chart.help.alt", finding=sentence(finding),
                           listed=listed or say("chart.help.nobody")))  # fmt: skip
    extent = _extent(chart, shown, ground)
    _draw(panel(chart, 0.0, 0.0, _MAIN_WIDTH, _HIGH), shown, ground, extent)
    _side(chart, shown, ground, extent)
    return chart


def _finding(shown: Help, view: View, ground: Ground) -> str:
    hit = [code for code in shown.hit if code in ground.shapes]
    told = {"n": len(hit), "policy": policy_in_text(view.policy)}
    if not shown.sent:
        return say("chart.help.alone", **told)
    giving = _totals(shown.sent, 0)
    taking = _totals(shown.sent, 1)
    return say("chart.help.finding", giver=ground.names.get(giving[0][0], giving[0][0]),
               given=giving[0][1], givers=len(giving), orders=sum(shown.sent.values()),
               taker=ground.names.get(taking[0][0], taking[0][0]), taken=taking[0][1],
               **told)  # fmt: skip


def _totals(sent: Mapping[tuple[str, str], int], end: int) -> list[tuple[str, int]]:
    """Add up orders by who sends (0) or receives (1), the most first."""
    totals: dict[str, int] = {}
    for pair, n in sent.items():
        totals[pair[end]] = totals.get(pair[end], 0) + n
    return sorted(totals.items(), key=lambda item: (-item[1], item[0]))


def _told(pair: tuple[str, str], n: int, ground: Ground) -> str:
    return say("chart.help.one", giver=ground.names.get(pair[0], pair[0]), n=n,
               taker=ground.names.get(pair[1], pair[1]))  # fmt: skip


def _extent(chart: Chart, shown: Help, ground: Ground) -> Extent:
    """Choose the part of the country that is hit; help from further away comes in at the edge."""
    codes = [code for code in shown.hit if code in ground.shapes] or [
        max((c for c in shown.peak if c in ground.shapes), key=lambda c: shown.peak[c])
    ]
    points = np.concatenate([ring for code in codes for ring in ground.shapes[code]])
    left, bottom, right, top = chart.body
    width, height = chart.get_size_inches()
    shape = (right - left) * _MAIN_WIDTH * width / ((top - bottom) * _HIGH * height)
    return extent_of(points, shape, 3.5, 0.09)


def _draw(axes: Axes, shown: Help, ground: Ground, extent: Extent) -> None:
    draw_land(axes, ground.fine, shown.peak, extent, line=0.6)
    hearts = {code: heart(rings) for code, rings in ground.shapes.items()}
    _abroad(axes, shown, ground, extent, hearts)
    islands = [
        spot for spot in ground.islands
        if spot.parent in hearts and _within((spot.longitude, spot.latitude), extent)
    ]  # fmt: skip
    for spot in islands:
        axes.scatter([spot.longitude], [spot.latitude], s=14, c=colours(shown.peak, [spot.parent]),
                     edgecolors=SOFT_INK, linewidths=0.5, zorder=4)  # fmt: skip
    _arrows(axes, shown, hearts)
    seen = {code: heart for code, heart in hearts.items() if _within(heart, extent)}
    labels = _province_labels(shown, ground, seen) + _abroad_labels(ground, shown, extent)
    labels += [
        Label(shortened(spot.name, _LETTERS), spot.longitude, spot.latitude, 6.0, style="italic",
              colour=SOFT_INK, needed=spot.code in FAR_OUT, offset_inches=0.06)
        for spot in islands
    ]  # fmt: skip
    write_labels(
        axes, labels, [box_at(axes, *_place(spot, extent)) for spot in _near(ground, extent)]
    )


def _within(point: tuple[float, float], extent: Extent) -> bool:
    return extent[0] < point[0] < extent[1] and extent[2] < point[1] < extent[3]


def _place(spot: Spot, extent: Extent) -> tuple[float, float]:
    """Give the place of a neighbour: far ones stand at the edge of the map."""
    return inside(spot, extent, 0.02 * (extent[1] - extent[0]))


def _arrows(axes: Axes, shown: Help, hearts: Hearts, scale: float = 1.0) -> None:
    """Draw the ways of help, the widest on top; `scale` shrinks them for a small map."""
    drawn = [(pair, n) for pair, n in shown.sent.items() if set(pair) <= set(hearts)]
    for (giver, taker), n in drawn[:_MOST_ARROWS][::-1]:
        axes.add_patch(FancyArrowPatch(
            hearts[giver], hearts[taker], connectionstyle="arc3,rad=0.18", arrowstyle="-|>",
            mutation_scale=scale * (8 + 0.8 * _width_pt(n, shown)), zorder=5, color=VERMILLION,
            linewidth=scale * _width_pt(n, shown), alpha=0.75, shrinkA=4 * scale,
            shrinkB=6 * scale,
        ))  # fmt: skip


def _width_pt(n: int, shown: Help) -> float:
    """Give the width of an arrow of so many orders, in points."""
    return 0.8 + _WIDEST_PT * n / max(_WIDE_FROM, *shown.sent.values())


def _province_labels(shown: Help, ground: Ground, hearts: Hearts) -> list[Label]:
    """Name provinces that are hit, in bold with the share served, and all that send or receive."""
    hit = [code for code in shown.hit if code in hearts]
    ends = dict.fromkeys(code for pair in shown.sent for code in pair)
    others = [code for code in ends if code in hearts and code not in hit]
    made = []
    for code in hit:
        name = shortened(ground.names.get(code, code), _LETTERS)
        if code in shown.served:
            name += "\n" + number(shown.served[code], "percent")
        made.append(Label(name, *hearts[code], size_pt=7.5, weight="bold"))
    return made + [
        Label(shortened(ground.names.get(code, code), _LETTERS), *hearts[code], size_pt=7.0,
              style="italic", needed=False)
        for code in others
    ]  # fmt: skip


def _abroad(axes: Axes, shown: Help, ground: Ground, extent: Extent, hearts: Hearts) -> None:
    """Draw neighbours as squares, and their border links where an incident may cross."""
    places = {spot.code: _place(spot, extent) for spot in _near(ground, extent)}
    for foreign, province in ground.borders:
        if foreign in places and foreign in shown.peak and province in shown.peak:
            (x0, y0), (x1, y1) = places[foreign], hearts[province]
            axes.plot([x0, x1], [y0, y1], color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=4)
    for code, (x, y) in places.items():
        axes.scatter([x], [y], s=26, marker="s", c=colours(shown.peak, [code]), zorder=4,
                     edgecolors=INK, linewidths=0.6)  # fmt: skip


def _near(ground: Ground, extent: Extent) -> list[Spot]:
    """Neighbours that touch a province in the extent, or lie in it."""
    seen = {code for code, rings in ground.shapes.items() if _within(heart(rings), extent)}
    touching = {foreign for foreign, province in ground.borders if province in seen}
    return [spot for spot in ground.abroad if spot.code in touching]


def _abroad_labels(ground: Ground, shown: Help, extent: Extent) -> list[Label]:
    return [
        Label(shortened(spot.name, _LETTERS), *_place(spot, extent), 6.5, style="italic",
              colour=INK if spot.code in shown.peak else SOFT_INK,
              needed=spot.code in shown.peak, offset_inches=0.07)
        for spot in _near(ground, extent)
    ]  # fmt: skip


def _side(chart: Chart, shown: Help, ground: Ground, extent: Extent) -> None:
    """Draw the whole country beside the map, with what part of it the map shows, and the scales."""
    axes = panel(chart, _MAIN_WIDTH + 0.02, 0.45, 1.0, _HIGH)
    draw_land(axes, ground.shapes, shown.peak, COUNTRY)
    draw_islands(axes, ground, shown.peak)
    hearts = {code: heart(rings) for code, rings in ground.shapes.items()}
    _arrows(axes, shown, hearts, scale=0.3)
    west, east = max(extent[0], COUNTRY[0]), min(extent[1], COUNTRY[1])
    south, north = max(extent[2], COUNTRY[2]), min(extent[3], COUNTRY[3])
    axes.add_patch(Rectangle((west, south), east - west, north - south, fill=False, edgecolor=INK,
                             linewidth=0.8, zorder=6))  # fmt: skip
    words = panel(chart, _MAIN_WIDTH + 0.03, 0.0, 1.0, 0.43)
    words.axis("off")
    words.set_xlim(0.0, 1.0)
    words.set_ylim(0.0, 1.0)
    words.text(0.0, 1.0, say("chart.help.scale"), size=SMALL_PT, va="top", linespacing=1.3)
    share_scale(chart, panel(chart, _MAIN_WIDTH + 0.035, 0.22, _MAIN_WIDTH + 0.05, 0.37))
    _key(words, shown)
    _far(words, shown, ground, hearts, extent)


def _key(words: Axes, shown: Help) -> None:
    """Say how many orders make an arrow how wide."""
    most = max(shown.sent.values(), default=0)
    for row, n in enumerate(sorted({most, min(most, 1)} - {0}, reverse=True)):
        y = 0.82 - 0.14 * row
        words.plot([0.42, 0.6], [y, y], color=VERMILLION, alpha=0.75, solid_capstyle="butt",
                   linewidth=_width_pt(n, shown))  # fmt: skip
        words.text(0.64, y, say("chart.help.orders", n=n), size=SMALL_PT, va="center")


def _far(words: Axes, shown: Help, ground: Ground, hearts: Hearts, extent: Extent) -> None:
    """List who helps from beyond the map."""
    far = [(code, n) for code, n in _totals(shown.sent, 0)
           if code in hearts and not _within(hearts[code], extent)]  # fmt: skip
    if not far:
        return
    lines = [f"{shortened(ground.names.get(code, code), 24)} {n}" for code, n in far[:_MOST_FAR]]
    if len(far) > _MOST_FAR:
        lines.append(say("chart.help.more", n=len(far) - _MOST_FAR))
    words.text(0.0, 0.42, say("chart.help.far"), size=SMALL_PT, va="top", weight="bold")
    words.text(0.0, 0.36, "\n".join(lines), size=SMALL_PT - 0.5, va="top", linespacing=1.25)
