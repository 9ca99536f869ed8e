"""The frame of every chart: finding above, unit and interval below it, run id at the foot."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from io import BytesIO
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from nts_sim.charts.style import INK, RULE, SMALL_PT, SOFT_INK, TEXT_PT, TITLE_PT, styled
from nts_sim.words import number, say, sentence

FileFormat = Literal["svg", "png"]
_MARGIN_INCHES = 0.25
_LINE = 1.35
"""Height of a line of text, in its own size."""


@dataclass(frozen=True)
class View:
    """What a set of charts is about.

    Attributes
    ----------
    asked : what the study asks about, a scenario or a set of them; policies are judged in it
    scenario : the scenario drawn; of a set, a member
    policy : the policy in focus, by default the best ranked
    baseline : the policy every comparison is made to
    run_id : printed at the foot
    replications : realisations behind each number
    """

    asked: str
    scenario: str
    policy: str
    baseline: str
    run_id: str
    replications: int


class Chart(Figure):
    """A figure that can say in words what it shows.

    Attributes
    ----------
    finding : its title, a sentence made from the numbers
    reading : one sentence that says how to read it
    alt : the same for who cannot see it
    body : (left, bottom, right, top) of what is left for axes, as shares of the figure
    """

    finding: str
    reading: str
    alt: str
    body: tuple[float, float, float, float]


class _Wrapper(textwrap.TextWrapper):
    """Breaks at ordinary spaces only, so that a number stays with its sign of per cent."""

    def _split(self, text: str) -> list[str]:
        return [part for part in re.split(r"( )", text) if part]


def wrapped(text: str, width_inches: float, size_pt: float, share: float = 0.58) -> str:
    """Break a text into lines that fit a width; `share` is the mean width of a letter in ems."""
    letters = max(12, int(width_inches * 72.0 / (size_pt * share)))
    return "\n".join(_Wrapper(letters, break_on_hyphens=False).wrap(text) or [""])


def shortened(text: str, letters: int) -> str:
    """Cut a long name, saying so with an ellipsis."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def open_chart(
    view: View, size: tuple[float, float], finding: str, below: str, reading: str, alt: str,
    foot: str | None = None,
) -> Chart:  # fmt: skip
    """Make an empty chart with its words in place.

    Parameters
    ----------
    view : View
    size : (width, height) in inches; higher where the words take more than two lines each
    finding, below, reading, alt : the words; `below` says unit, interval and what is shown
    foot : the last line; None: the run and its replications
    """
    finding = sentence(finding)
    room = size[0] - 2 * _MARGIN_INCHES
    foot = wrapped(foot or say("chart.foot", run=view.run_id, n=view.replications), room, SMALL_PT)
    heads = (
        (wrapped(finding, room, TITLE_PT, 0.61), TITLE_PT, "bold", INK),
        (wrapped(below, room, TEXT_PT, 0.57), TEXT_PT, "normal", SOFT_INK),
    )
    height = size[1] + sum(_inches(lines, size_pt, beyond=2) for lines, size_pt, *_ in heads)
    height += _inches(foot, SMALL_PT, beyond=1)
    chart = Chart(figsize=(size[0], height), dpi=130, facecolor="white")
    chart.finding, chart.reading, chart.alt = finding, sentence(reading), alt
    left, y = _MARGIN_INCHES / size[0], 1.0 - 0.15 / height
    for lines, size_pt, weight, colour in heads:
        chart.text(left, y, lines, size=size_pt, weight=weight, color=colour, va="top",
                   linespacing=1.2)  # fmt: skip
        y -= _inches(lines, size_pt) / height
    chart.text(left, 0.08 / height, foot, size=SMALL_PT, color=SOFT_INK, va="bottom")
    chart.body = (left, (0.12 + _inches(foot, SMALL_PT)) / height, 1.0 - left, y)
    return chart


def _inches(lines: str, size_pt: float, beyond: int = 0) -> float:
    """Height of the lines of a text, or of those beyond a number of them."""
    return max(0, lines.count("\n") + 1 - beyond) * size_pt * _LINE / 72.0


def body_share(chart: Chart, inches: float) -> float:
    """Tell what share of the height of a chart's body so many inches are."""
    return inches / (chart.get_figheight() * (chart.body[3] - chart.body[1]))


def empty_chart(view: View, kind: str) -> Chart:
    """Say that there is nothing to draw, instead of an empty frame."""
    chart = open_chart(
        view, (9.0, 2.2), say("chart.empty.title", chart=kind), say("chart.empty.below"),
        say("chart.empty.reading", chart=kind), say("chart.empty.reading", chart=kind),
    )  # fmt: skip
    left, bottom, right, top = chart.body
    chart.text(
        (left + right) / 2, (bottom + top) / 2, say("chart.empty.note"), ha="center", va="center",
        size=12, color=SOFT_INK, style="italic",
    )  # fmt: skip
    return chart


def panel(
    chart: Chart,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
) -> Axes:
    """Add axes inside the body: (x0, y0)–(x1, y1) are shares of the body, from its lower left."""
    left, bottom, right, top = chart.body
    wide, high = right - left, top - bottom
    box = (left + x0 * wide, bottom + y0 * high, (x1 - x0) * wide, (y1 - y0) * high)
    return chart.add_axes(box)


def plain_numbers(
    axes: Axes, which: Literal["x", "y"], form: str = "short", ticks: int = 5
) -> None:
    """Write an axis's numbers as people do, and not too many of them."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(ticks, integer=form == "0", min_n_ticks=3))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, form)))


def light_grid(axes: Axes, which: Literal["x", "y"]) -> None:
    """Draw thin lines behind the data."""
    axes.grid(axis=which, color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def spread_apart(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Move label positions apart, keeping their order, by as little as a simple pass allows.

    Parameters
    ----------
    wanted : positions, in any order
    gap : least distance between two labels
    low, high : bounds of all positions

    Returns
    -------
    list of float, in the order of `wanted`
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    room = min(gap, (high - low) / max(1, len(wanted) - 1))
    placed = [0.0] * len(wanted)
    floor = low
    for i in order:
        placed[i] = max(floor, wanted[i])
        floor = placed[i] + room
    ceiling = high
    for i in reversed(order):
        placed[i] = min(ceiling, placed[i])
        ceiling = placed[i] - room
    return placed


_drawn: WeakKeyDictionary[Chart, dict[FileFormat, bytes]] = WeakKeyDictionary()


def drawn(chart: Chart, file_format: FileFormat) -> bytes:
    """Return a finished chart as the bytes of a file; drawn once, however many pages show it."""
    files = _drawn.setdefault(chart, {})
    if file_format not in files:
        files[file_format] = figure_bytes(chart, file_format)
    return files[file_format]


@styled
def figure_bytes(figure: Figure, file_format: FileFormat, dpi: int = 130) -> bytes:
    """Return a figure as the bytes of an SVG or PNG file, the same bytes at each call.

    Text becomes outlines in SVG, so that every Vietnamese letter looks right on any device.
    """
    sink = BytesIO()
    if file_format == "png":
        FigureCanvasAgg(figure)
        figure.savefig(sink, format="png", dpi=dpi, metadata={"Software": None})
        return _few_colours(sink)
    figure.savefig(sink, format="svg", metadata={"Date": None, "Creator": None})
    return _PATH.sub(_two_decimals, sink.getvalue())


def _few_colours(sink: BytesIO) -> bytes:
    """Keep 256 colours, which is all that a chart needs: a third of the file."""
    packed = BytesIO()
    pixels = Image.open(sink).convert("RGB")
    few = pixels.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colours = few.getpalette() or []
    paper = 3 * int(np.asarray(few)[0, 0])
    colours[paper : paper + 3] = [255, 255, 255]  # as it was before the palette
    few.putpalette(colours)
    few.save(packed, "PNG")
    return packed.getvalue()


_PATH = re.compile(rb' d="[^"]*"')
_DECIMALS = re.compile(rb"(\.\d\d)\d+")


def _two_decimals(path: re.Match[bytes]) -> bytes:
    """Cut the numbers of a path to hundredths of a point: a third of the file, nothing seen."""
    return _DECIMALS.sub(rb"\1", path.group())
