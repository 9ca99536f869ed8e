"""Where mobilised help comes from and where it goes: fund → mechanism → resource → province.

Widths are money, the one unit all kinds of help share; at every stage they add up to the same sum.
`flow_layout` is arithmetic only, `resource_flow` draws it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from nts_sim.charts.frame import (
    Chart,
    View,
    empty_chart,
    open_chart,
    panel,
    shortened,
    spread_apart,
)
from nts_sim.charts.style import SMALL_PT, SOFT_INK, TEXT_PT, mechanism_colour, styled
from nts_sim.words import name_of, number, policy_in_text, say, sentence

STAGES = ("fund", "mechanism", "resource", "place")
_MOST_NODES = {"fund": 6, "mechanism": 8, "resource": 9, "place": 12}
_LEAST_SHARE = 0.005
"""Names with less of the money than this are told together."""
OTHER = "other"
_GAP = 0.026
"""Space between two nodes, as a share of the height."""


@dataclass(frozen=True)
class Node:
    """A bar of one stage: from `bottom` to `top`, in shares of the height; `value` in bn VND."""

    stage: int
    name: str
    value: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Ribbon:
    """A band between two stages, as wide at its end as at its start.

    `mechanism` gives its colour; `start` and `end` are the lower edges, `width` the width, in
    shares of the height; `value` in bn VND.
    """

    stage: int
    source: str
    target: str
    mechanism: str
    value: float
    start: float
    end: float
    width: float


@dataclass(frozen=True)
class Layout:
    """Everything that is drawn, before it is drawn."""

    nodes: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]
    total_bn_vnd: float


def folded(flows: pd.DataFrame, view: View) -> pd.DataFrame:
    """Sum flows over chains of names, small names of each stage folded into ``other``.

    Returns
    -------
    DataFrame
        Columns fund, mechanism, resource, place, cost_bn_vnd; the sum is that of the flows.
    """
    rows = flows[(flows["scenario"] == view.scenario) & (flows["policy"] == view.policy)]
    rows = rows[rows["cost_bn_vnd"] > 0.0][[*STAGES, "cost_bn_vnd"]].copy()
    for stage in STAGES:
        rows[stage] = rows[stage].fillna("").astype(str)
        sums = rows.groupby(stage)["cost_bn_vnd"].sum().sort_values(ascending=False)
        large = sums[sums >= _LEAST_SHARE * sums.sum()]
        if len(sums) - len(large) > 1 or len(sums) > _MOST_NODES[stage]:
            kept = set(large.index[: _MOST_NODES[stage] - 1])
            rows[stage] = rows[stage].where(rows[stage].isin(kept), OTHER)
    return rows.groupby(list(STAGES))["cost_bn_vnd"].sum().reset_index()


def flow_layout(chains: pd.DataFrame) -> Layout:
    """Place the bars and ribbons of folded flows.

    Parameters
    ----------
    chains : as returned by `folded`, with at least one row

    Returns
    -------
    Layout
        Bars of a stage add up to the total; the ribbons that leave a bar are as wide as the bar,
        and so are those that reach it.
    """
    total = float(chains["cost_bn_vnd"].sum())
    most = max(chains[stage].nunique() for stage in STAGES)
    scale = (1.0 - _GAP * (most - 1)) / total
    nodes = [node for i, stage in enumerate(STAGES) for node in _stage(chains, i, stage, scale)]
    at = {(node.stage, node.name): node for node in nodes}
    ribbons = [r for i in range(len(STAGES) - 1) for r in _ribbons(chains, i, at, scale)]
    return Layout(tuple(nodes), tuple(ribbons), total)


def _stage(chains: pd.DataFrame, index: int, stage: str, scale: float) -> list[Node]:
    """Stack a stage's bars downwards, largest first and ``other`` last, centred."""
    sums = chains.groupby(stage)["cost_bn_vnd"].sum()
    order = sorted(sums.index, key=lambda name: (name == OTHER, -sums[name], name))
    used = float(sums.sum()) * scale + _GAP * (len(order) - 1)
    top = 1.0 - (1.0 - used) / 2
    nodes = []
    for name in order:
        height = float(sums[name]) * scale
        nodes.append(Node(index, str(name), float(sums[name]), top - height, top))
        top -= height + _GAP
    return nodes


def _ribbons(
    chains: pd.DataFrame, stage: int, at: Mapping[tuple[int, str], Node], scale: float
) -> list[Ribbon]:
    source, target = STAGES[stage], STAGES[stage + 1]
    keys = list(dict.fromkeys([source, target, "mechanism"]))
    sums = chains.groupby(keys)["cost_bn_vnd"].sum().reset_index()
    rows = sums.to_dict("records")
    links = [(str(r[source]), str(r[target]), str(r["mechanism"])) for r in rows]
    values = [float(r["cost_bn_vnd"]) for r in rows]
    widths = [value * scale for value in values]
    starts = _edges(links, widths, 0, stage, at)
    ends = _edges(links, widths, 1, stage, at)
    return [Ribbon(stage, *link, value, start, end, width) for link, value, start, end, width
            in zip(links, values, starts, ends, widths, strict=True)]  # fmt: skip


def _edges(
    links: Sequence[tuple[str, str, str]], widths: Sequence[float], side: int, stage: int,
    at: Mapping[tuple[int, str], Node],
) -> list[float]:  # fmt: skip
    """Lower edge of each ribbon at one side, ribbons stacked by where their other end lies."""
    other = 1 - side
    order = sorted(range(len(links)), key=lambda i: (-at[stage + other, links[i][other]].top,
                                                     links[i][2]))  # fmt: skip
    level = {key: node.top for key, node in at.items()}
    edges = [0.0] * len(links)
    for i in order:
        key = (stage + side, links[i][side])
        level[key] -= widths[i]
        edges[i] = level[key]
    return edges


@styled
def resource_flow(flows: pd.DataFrame, view: View, places: Mapping[str, str]) -> Chart:
    """Draw the flow of mobilised resources under the policy in focus.

    Parameters
    ----------
    flows : columns scenario, policy, fund, mechanism, resource, place, units, cost_bn_vnd
    view : View
    places : name of each place code
    """
    chains = folded(flows, view)
    if chains.empty:
        return empty_chart(view, say("chart.flow.name"))
    layout = flow_layout(chains)
    finding, alt = _words(layout, view, places)
    most = max(sum(node.stage == i for node in layout.nodes) for i in range(len(STAGES)))
    chart = open_chart(view, (10.0, 3.4 + 0.27 * most), finding,
                       say("chart.flow.below", policy=policy_in_text(view.policy)),
                       say("chart.flow.reading"), alt)  # fmt: skip
    axes = panel(chart, 0.0, 0.02, 1.0, 0.98)
    _draw(axes, layout, places, axes.get_position().height * chart.get_figheight())
    return chart


def _name(stage: int, ident: str, places: Mapping[str, str]) -> str:
    if ident == OTHER:
        return say("chart.flow.other")
    if STAGES[stage] == "place":
        return places.get(ident, ident)
    return name_of(STAGES[stage], ident)


def _words(layout: Layout, view: View, places: Mapping[str, str]) -> tuple[str, str]:
    by_stage = [[n for n in layout.nodes if n.stage == i and n.name != OTHER] for i in range(4)]
    mechanism, place = by_stage[1][0], by_stage[3][0]
    finding = say("chart.flow.finding", amount=layout.total_bn_vnd,
                  mechanism=shortened(_name(1, mechanism.name, places), 40),
                  share=mechanism.value / layout.total_bn_vnd, place=_name(3, place.name, places),
                  part=place.value / layout.total_bn_vnd)  # fmt: skip
    listed = "; ".join(f"{_name(1, n.name, places)} {number(n.value)}" for n in by_stage[1])
    return finding, say("chart.flow.alt", finding=sentence(finding), listed=listed,
                        policy=policy_in_text(view.policy))  # fmt: skip


_BAR = 0.014
_LABEL_GAP_INCHES = 0.115
_REACH = (-0.02, 1.09)
"""Lower and upper end of the drawing; bars stand between 0 and 1, headings above."""
_X = (0.175, 0.395, 0.615, 0.835)


def _draw(axes: Axes, layout: Layout, places: Mapping[str, str], height_inches: float) -> None:
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(*_REACH)
    gap = _LABEL_GAP_INCHES * (_REACH[1] - _REACH[0]) / height_inches
    axes.axis("off")
    for ribbon in layout.ribbons:
        axes.add_patch(_band(ribbon))
    for index in range(len(STAGES)):
        _labels(axes, [node for node in layout.nodes if node.stage == index], places, gap)
    for node in layout.nodes:
        colour = mechanism_colour(node.name) if node.stage == 1 else "#404040"
        corner = (_X[node.stage] - _BAR / 2, node.bottom)
        axes.add_patch(Rectangle(corner, _BAR, node.top - node.bottom, facecolor=colour,
                                 linewidth=0))  # fmt: skip
    for stage, x in zip(STAGES, _X, strict=True):
        axes.text(x, 1.045, name_of("stage", stage), ha="center",
                  va="bottom", size=TEXT_PT, weight="bold")  # fmt: skip


def _band(ribbon: Ribbon) -> PathPatch:
    x0, x1 = _X[ribbon.stage] + _BAR / 2, _X[ribbon.stage + 1] - _BAR / 2
    middle = (x0 + x1) / 2
    low0, low1 = ribbon.start, ribbon.end
    high0, high1 = low0 + ribbon.width, low1 + ribbon.width
    points = [(x0, low0), (middle, low0), (middle, low1), (x1, low1), (x1, high1),
              (middle, high1), (middle, high0), (x0, high0), (x0, low0)]  # fmt: skip
    codes = np.array([Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO,
                      Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.CLOSEPOLY])  # fmt: skip
    return PathPatch(Path(np.array(points), codes), alpha=0.45, linewidth=0,
                     facecolor=mechanism_colour(ribbon.mechanism))  # fmt: skip


def _labels(axes: Axes, nodes: Sequence[Node], places: Mapping[str, str], gap: float) -> None:
    """Name the bars of a stage, labels of thin bars moved apart."""
    middles = [(node.bottom + node.top) / 2 for node in nodes]
    for node, y in zip(nodes, spread_apart(middles, gap, 0.0, 1.0), strict=True):
        _label(axes, node, _name(node.stage, node.name, places), y)


def _label(axes: Axes, node: Node, name: str, y: float) -> None:
    """Write a bar's name and sum beside it: outside at the ends, to the right within."""
    at_start = node.stage == 0
    text = f"{shortened(name, 22)} {number(node.value)}"
    x = _X[node.stage] + (-1 if at_start else 1) * (_BAR / 2 + 0.004)
    box = {"facecolor": "white", "alpha": 0.65, "edgecolor": "none", "pad": 0.6}
    inner = node.stage in (1, 2)
    axes.text(x, y, text, size=SMALL_PT, va="center",
              ha="right" if at_start else "left", color="black" if inner else SOFT_INK,
              bbox=box if inner else None)  # fmt: skip
