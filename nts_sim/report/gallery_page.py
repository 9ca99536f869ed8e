"""The gallery: one page a language with every chart, drawn from real data, long names and nothing.

``python -m nts_sim.report.gallery_page RUNS OUT`` reads finished runs from the folder RUNS and
writes ``OUT/<language>/index.html``; ``make gallery`` makes the runs first.
"""

from __future__ import annotations

import base64
import html
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from nts_sim.charts.frame import Chart, figure_bytes
from nts_sim.charts.ground import ground_of
from nts_sim.errors import InvalidInput
from nts_sim.report.gallery_list import GALLERY
from nts_sim.report.gallery_material import Material, emptied, read_material, with_long_names
from nts_sim.tables.load import load_map_table
from nts_sim.words import languages, say, speaking, used_language

_DPI: Final = 80
_STYLE: Final = """
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem;
  color: #1a1a1a; background: #fff; }
nav a { display: inline-block; margin: 0 .8rem .3rem 0; }
h2 { margin: 2.5rem 0 .2rem; border-top: 1px solid #d9d9d9; padding-top: 1rem; }
figure { margin: 1rem 0; }
figcaption { color: #595959; font-size: .9rem; margin-bottom: .3rem; }
img { max-width: 100%; height: auto; border: 1px solid #e5e5e5; }
@media print { h2 { break-before: page; } nav { display: none; } }
"""


def drawn(material: Material) -> Iterator[tuple[str, str, Chart]]:
    """Draw every chart three times: (name, "real", "long" or "empty", chart).

    Parameters
    ----------
    material : real tables
    """
    kinds = {"real": material, "long": with_long_names(material), "empty": emptied(material)}
    for name, shown in GALLERY.items():
        for kind, given in kinds.items():
            yield name, kind, shown.draws(given)


def gallery_html(charts: Sequence[tuple[str, str, Chart]]) -> str:
    """Make the page, in the language being spoken, with its pictures inside.

    Parameters
    ----------
    charts : as made by `drawn`
    """
    names = list(dict.fromkeys(name for name, _, _ in charts))
    links = "\n".join(f'<a href="#{name}">{_title(name)}</a>' for name in names)
    rooms = "\n".join(
        _room(name, [(kind, chart) for own, kind, chart in charts if own == name])
        for name in names
    )  # fmt: skip
    title = html.escape(say("gallery.title"))
    return (
        f'<!doctype html>\n<html lang="{used_language()}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        f"<p>{html.escape(say('gallery.lead', n=len(names)))}</p>\n<nav>{links}</nav>\n"
        f"{rooms}\n</body></html>\n"
    )


def _title(name: str) -> str:
    return html.escape(say(f"gallery.chart.{name}"))


def _room(name: str, pictures: Sequence[tuple[str, Chart]]) -> str:
    figures = "\n".join(_figure(kind, chart) for kind, chart in pictures)
    reading = html.escape(pictures[0][1].reading)
    return f'<section id="{name}"><h2>{_title(name)}</h2>\n<p>{reading}</p>\n{figures}</section>'


def _figure(kind: str, chart: Chart) -> str:
    data = base64.b64encode(figure_bytes(chart, "png", _DPI)).decode("ascii")
    caption = html.escape(say(f"gallery.kind.{kind}"))
    return (f"<figure><figcaption>{caption}</figcaption>"
            f'<img loading="lazy" alt="{html.escape(chart.alt)}" '
            f'src="data:image/png;base64,{data}"></figure>')  # fmt: skip


def write_gallery(runs: Path, out: Path) -> list[Path]:
    """Write one page a language; return their paths.

    Parameters
    ----------
    runs : folder with finished runs
    out : folder of the gallery, whose pages are made anew

    Raises
    ------
    InvalidInput
        Where a run that some chart needs is not there.
    """
    geojson, communes = _outlines(), load_map_table("communes_08")
    written = []
    for language in languages():
        with speaking(language):
            material = read_material(runs, communes, ground_of(geojson))
            page = out / language / "index.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(gallery_html(list(drawn(material))), encoding="utf-8")
        written.append(page)
    return written


def _outlines() -> Mapping[str, Any]:
    text = resources.files("nts_sim").joinpath("data/provinces.geojson").read_text("utf-8")
    read: Mapping[str, Any] = json.loads(text)
    return read


def main(arguments: Sequence[str]) -> int:
    """Write the gallery of a folder of runs; return the exit code."""
    if len(arguments) != 2:
        print(say("gallery.usage"), file=sys.stderr)
        return 2
    try:
        pages = write_gallery(Path(arguments[0]), Path(arguments[1]))
    except InvalidInput as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(str(page) for page in pages))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
