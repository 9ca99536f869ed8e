"""Sweeps over two axes and more: heat-maps of the difference to the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.patches import Rectangle

from nts_sim.charts.frame import Chart, open_chart, panel, shortened, wrapped
from nts_sim.charts.style import BLUE, INK, MAP_COLOURS, SMALL_PT, TEXT_PT, VERMILLION, styled
from nts_sim.charts.sweep_cells import (
    Sweep,
    axis_name,
    further_axes,
    gap,
    highest,
    inner_axes,
    lowest,
    told_below,
    value_name,
)
from nts_sim.words import name_of, number, policy_in_text, say, sentence

DIVERGING = LinearSegmentedColormap.from_list("difference", [BLUE, "#FFFFFF", VERMILLION])
"""Blue is better than the baseline, red worse; both darken from white at 0, also in print."""
_WIDTH = 10.0
_SPAN = 0.92
"""Share of the body's width that is heat-maps; the scale stands beside."""


@styled
def sweep_heat(sweep: Sweep) -> Chart:
    """Draw the difference of the policy in focus to the baseline over two axes and more.

    Returns
    -------
    Chart
        One heat-map over two axes, one for each choice of the others. "≈" stands before numbers
        that are not told from 0, cells without a result are hatched. With one policy only, its
        means are drawn.
    """
    settings = _settings(sweep)
    layout = _layout(sweep, len(settings))
    finding = _finding(sweep)
    height = 1.45 + layout.rows * layout.tall
    chart = open_chart(sweep.view, (_WIDTH, height), finding, _below(sweep),
                       say("chart.sweep_two.reading"), _alt(sweep, finding))  # fmt: skip
    scale = _scale(sweep)
    for i, setting in enumerate(settings):
        _draw(
            _placed(chart, layout, i), sweep, setting, scale, layout, first=not i % layout.columns
        )
    bar = chart.colorbar(ScalarMappable(*scale), cax=panel(chart, 0.935, 0.2, 0.95, 0.9))
    bar.set_label(sweep.unit, size=SMALL_PT)
    bar.ax.tick_params(labelsize=SMALL_PT, length=2)
    bar.ax.yaxis.set_major_formatter(lambda value, _: number(value, _form(sweep)))
    bar.outline.set_linewidth(0.4)
    return chart


@dataclass(frozen=True, slots=True)
class _Layout:
    """How panels are laid out.

    Attributes
    ----------
    columns, rows : of panels
    title_lines : above each panel
    tall : height of a panel with all around it, inches
    left : share of the body's width for the names of the rows
    number_pt : size of the numbers in cells; 0: too small to write
    """

    columns: int
    rows: int
    title_lines: int
    tall: float
    left: float
    number_pt: float


def _layout(sweep: Sweep, panels: int) -> _Layout:
    columns = 1 if panels == 1 else 2 if panels <= 4 else 3
    x, y = inner_axes(sweep)
    lines = len(further_axes(sweep))
    left = 0.07 if sweep.numeric(y) else 0.17
    inches = _SPAN * (_WIDTH - 0.5) * (1.0 - left) / columns / len(sweep.values(x))
    size = min(SMALL_PT + 0.5, 72.0 * inches / 5.0)
    tall = 0.75 + 0.17 * lines + max(0.34 * len(sweep.values(y)), 1.2)
    return _Layout(columns, -(-panels // columns), lines, tall, left, size if size >= 6.0 else 0.0)


def _settings(sweep: Sweep) -> list[Mapping[str, Any]]:
    """Choices of the axes outside the heat-maps, one for each panel."""
    others = further_axes(sweep)
    return [dict(zip(others, chosen, strict=True))
            for chosen in product(*(sweep.values(axis) for axis in others))]  # fmt: skip


def _form(sweep: Sweep) -> str:
    return "signed" if sweep.compared else "short"


def _column(sweep: Sweep) -> str:
    return "diff" if sweep.compared else "mean"


def _below(sweep: Sweep) -> str:
    told = {"policy": policy_in_text(sweep.focus), "unit": sweep.unit,
            "metric": name_of("metric", sweep.metric)}  # fmt: skip
    if not sweep.compared:
        return told_below(sweep, say("chart.sweep_two.below_alone", **told))
    base = policy_in_text(sweep.view.baseline)
    return told_below(sweep, say("chart.sweep_two.below", baseline=base, **told))


def _finding(sweep: Sweep) -> str:
    rows = sweep.of(sweep.focus)
    policy, metric = policy_in_text(sweep.focus), name_of("metric", sweep.metric)
    if not sweep.compared:
        least, most = lowest(rows, "mean"), highest(rows, "mean")
        return say("chart.sweep_two.alone", policy=policy, metric=metric, unit=sweep.unit,
                   least=float(least["mean"]), most=float(most["mean"]),
                   where=where(sweep.axes, most))  # fmt: skip
    clear = rows[rows["separable"].astype(bool)]
    better = len(sweep.better(rows))
    told = {
        "policy": policy,
        "baseline": policy_in_text(sweep.view.baseline),
        "of": len(rows),
        "better": better,
        "worse": len(clear) - better,
    }
    if clear.empty:
        return say("chart.sweep_two.nowhere", **told)
    widest = highest(rows.assign(reach=rows["diff"].abs()), "reach")
    return say("chart.sweep_two.finding", diff=float(widest["diff"]), unit=sweep.unit,
               where=where(sweep.axes, widest), **told)  # fmt: skip


def where(axes: Sequence[str], row: pd.Series[Any]) -> str:
    """Name a cell by its values: "reporting lag (days) = 2, policy = greedy"."""
    return ", ".join(
        f"{axis_name(axis)}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{value_name(axis, row[axis])}"
        for axis in axes
    )


def _alt(sweep: Sweep, finding: str) -> str:
    rows = sweep.of(sweep.focus).head(12)
    listed = ". ".join(
        f"{where(sweep.axes, row)}: {number(float(row[_column(sweep)]), _form(sweep))}"
        for _, row in rows.iterrows()
    )
    return say("chart.sweep_two.alt", finding=sentence(finding), listed=listed)


def _scale(sweep: Sweep) -> tuple[Normalize, Colormap | str]:
    values = sweep.of(sweep.focus)[_column(sweep)]
    if not sweep.compared:
        return Normalize(float(values.min()), float(values.max()) or 1.0), MAP_COLOURS
    reach = float(values.abs().max()) or 1.0
    return Normalize(-reach, reach), DIVERGING if sweep.sign > 0 else DIVERGING.reversed()


def _placed(chart: Chart, layout: _Layout, index: int) -> Axes:
    row, column = divmod(index, layout.columns)
    width, height = (_SPAN - layout.left) / layout.columns, 1.0 / layout.rows
    x0, y1 = layout.left + column * width, 1.0 - row * height
    over = 0.12 + 0.17 * layout.title_lines
    return panel(chart, x0 + 0.01, y1 - height * (1.0 - 0.5 / layout.tall), x0 + width - 0.01,
                 y1 - height * over / layout.tall)  # fmt: skip


def _draw(
    axes: Axes, sweep: Sweep, setting: Mapping[str, Any], scale: tuple[Normalize, Colormap | str],
    layout: _Layout, *, first: bool,
) -> None:  # fmt: skip
    x, y = inner_axes(sweep)
    across, up = sweep.values(x), sweep.values(y)
    rows = sweep.of(sweep.focus)
    for axis, value in setting.items():
        rows = rows[rows[axis] == value]
    known = {(row[x], row[y]): row for row in rows.to_dict("records")}
    for (i, a), (j, b) in product(enumerate(across), enumerate(up)):
        if (a, b) in known:
            _tile(axes, (i, j), known[a, b], sweep, scale, layout.number_pt)
        else:
            gap(axes, i - 0.5, j - 0.5, 1.0, 1.0)
    _edges(axes, sweep, layout, first=first)
    title = [f"{sentence(axis_name(k))}: {value_name(k, v)}" for k, v in setting.items()]
    axes.set_title("\n".join(shortened(line, 100 // layout.columns) for line in title), loc="left",
                   size=8.0, weight="bold", linespacing=1.2)  # fmt: skip


def _tile(
    axes: Axes, at: tuple[int, int], row: Mapping[Any, Any], sweep: Sweep,
    scale: tuple[Normalize, Colormap | str], size: float,
) -> None:  # fmt: skip
    """Colour one cell and write its number, or a dot for what is not told from 0."""
    value = float(row[_column(sweep)])
    colour = ScalarMappable(*scale).to_rgba(np.array([value]))[0][:3]
    axes.add_patch(Rectangle((at[0] - 0.5, at[1] - 0.5), 1.0, 1.0, facecolor=colour,
                             edgecolor="white", linewidth=0.6))  # fmt: skip
    unsure = sweep.compared and not bool(row["separable"])
    text = ("≈ " if unsure else "") + number(value, _form(sweep)) if size else "≈" if unsure else ""
    axes.text(*at, text, ha="center", va="center", size=size or 6.0, color=ink_on(colour),
              style="italic" if unsure else "normal")  # fmt: skip


def ink_on(colour: Any) -> str:
    """Black or white, whichever stands out from a colour."""
    red, green, blue = to_rgb(colour)
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else INK


def _edges(axes: Axes, sweep: Sweep, layout: _Layout, *, first: bool) -> None:
    x, y = inner_axes(sweep)
    across, up = sweep.values(x), sweep.values(y)
    axes.set_xlim(-0.5, len(across) - 0.5)
    axes.set_ylim(-0.5, len(up) - 0.5)
    room = 110 // layout.columns
    every = -(-len(across) * 6 // room) if sweep.numeric(x) else 1
    wide = 12 if sweep.numeric(x) else max(4, room // len(across))
    axes.set_xticks(range(0, len(across), every),
                    [shortened(value_name(x, v), wide) for v in across[::every]])  # fmt: skip
    names = [shortened(value_name(y, v), 22) if first else "" for v in up]
    axes.set_yticks(range(len(up)), names)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel(sentence(shortened(axis_name(x), room)))
    if first:
        name = sentence(shortened(axis_name(y), 40))
        axes.set_ylabel(wrapped(name, layout.tall - 0.62, TEXT_PT))
