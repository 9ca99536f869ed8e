"""Write the report: one HTML file that needs nothing else, in any browser, offline and on paper.

Nothing in it can run: there is no script, the policy in its head forbids all but its own style and
pictures inside the file, every text is escaped, and links lead only to http and https addresses
or to tables beside the report.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from nts_sim.charts.frame import Chart, View, figure_bytes
from nts_sim.charts.gallery import view_of
from nts_sim.outcomes.frames import TABLES, empty
from nts_sim.report import headline, sections
from nts_sim.report.layout import linked
from nts_sim.spec.texts import spoken
from nts_sim.tables.load import load_tables
from nts_sim.words import name_of, number, say, sentence, used_language

_PICTURES_AS_PNG = frozenset({"map", "help_map"})
"""Outlines of many provinces many times: a tenth of the size as pixels."""
_PNG_DPI = 120
_GROUPS = (
    "network", "threat", "resources", "preparation", "mechanism", "measure", "fund", "information",
)  # fmt: skip
_KEPT_TABLES = ("summary", "comparison", "ranking", "gap", "orders")


def write_report(
    frames: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any], charts: Mapping[str, Chart]
) -> str:
    """Write the report of a run.

    Parameters
    ----------
    frames : result tables by name, as `nts_sim.outcomes.frames.TABLES` declares them
    manifest : as `nts_sim.study.manifest.manifest_of` writes it
    charts : as `nts_sim.charts.gallery.build_charts` draws them

    Returns
    -------
    str
        An HTML page; the same input gives the same page.
    """
    config = manifest["config"]
    whole = {name: _with_names(frames.get(name, empty(name))) for name in TABLES}
    view = view_of(whole, str(manifest["run_id"]), str(config["baseline"]))
    page: str = _template().render(
        css=_style(), csp=_content_policy(), language=used_language(), view=view,
        charts=[_picture(name, chart) for name, chart in charts.items()],
        kept_tables=_KEPT_TABLES, **_opening(whole, config, view),
        **_tables(whole, config, view), **_colophon(manifest),
    )  # fmt: skip
    return page


@cache
def _province_names() -> Mapping[str, str]:
    """Names of places with all their letters, by code."""
    places = load_tables(None).frames["places"]
    return dict(zip(places["code"].astype(str), places["name_vi"].astype(str), strict=True))


def _with_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Write names of places as charts do, with every letter."""
    named = {"name": "place", "source_name": "source"}
    columns = {
        name: frame[code].map(_province_names()).fillna(frame[name])
        for name, code in named.items() if name in frame.columns
    }  # fmt: skip
    return frame.assign(**columns)


def _opening(
    frames: Mapping[str, pd.DataFrame], config: Mapping[str, Any], view: View
) -> dict[str, Any]:
    scenario = config["scenario"]
    return {
        "title": str(spoken(scenario, "title")),
        "question": str(spoken(scenario, "question")),
        "verdict": headline.verdict(frames, view),
        "five": headline.five_numbers(frames, view),
        "cost": headline.cost(frames, view),
        "uncovered": headline.uncovered(frames, view),
        "failures": len(frames["failures"]),
        "shown_scenario": name_of("scenario", view.scenario),
        "is_set": view.asked != view.scenario,
    }


def _tables(
    frames: Mapping[str, pd.DataFrame], config: Mapping[str, Any], view: View
) -> dict[str, Any]:
    scenario = config["scenario"]
    return {
        "policies": sections.policies(frames, view),
        "gaps": sections.gaps(frames, view),
        "requests": sections.requests(frames, view),
        "orders": sections.order_list(frames, view),
        "assumptions": [str(text) for text in spoken(scenario, "assumptions")],
        "sources": [*map(str, spoken(scenario, "sources")), *_information_source(config)],
        "choices": _choices(config),
    }


def _information_source(config: Mapping[str, Any]) -> list[str]:
    information = config.get("information", {})
    if "source" not in information:
        return []
    return [say("report.assumptions.information", source=str(spoken(information, "source")))]


def _choices(config: Mapping[str, Any]) -> str:
    """List what was chosen for the study, so that two runs can be told apart on paper."""
    chosen = [(group, str(config[group]["name"])) for group in _GROUPS if group in config]
    return "; ".join(
        say("report.assumptions.choice", group=name_of("group", group), choice=choice)
        for group, choice in chosen
    )


def _colophon(manifest: Mapping[str, Any]) -> dict[str, Any]:
    config = manifest["config"]
    versions = manifest.get("versions", {})
    return {
        "status": sections.input_status(manifest.get("input_statuses", ())),
        "seed": manifest.get("seed", config.get("seed")),
        "package_version": versions.get("nts-sim", say("format.unknown")),
        "command": " ".join(str(word) for word in manifest.get("command", ())),
    }


def _picture(name: str, chart: Chart) -> dict[str, str]:
    kind = "png" if name in _PICTURES_AS_PNG else "svg"
    data = figure_bytes(chart, "png", _PNG_DPI) if kind == "png" else figure_bytes(chart, "svg")
    media = "image/png" if kind == "png" else "image/svg+xml"
    coded = base64.b64encode(data).decode("ascii")
    return {"name": name, "finding": chart.finding, "reading": chart.reading, "alt": chart.alt,
            "source": f"data:{media};base64,{coded}"}  # fmt: skip


def _read(name: str) -> str:
    return resources.files("nts_sim.report").joinpath(name).read_text("utf-8")


@cache
def _style() -> Markup:
    return Markup(_read("report.css"))  # noqa: S704 (our own file)


@cache
def _content_policy() -> str:
    """Forbid everything but this page's own style, known by its hash, and pictures inside it."""
    digest = base64.b64encode(hashlib.sha256(_style().encode("utf-8")).digest()).decode("ascii")
    return (f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
            "base-uri 'none'; form-action 'none'")  # fmt: skip


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    environment.globals.update(say=say, name_of=name_of, sentence=sentence)
    environment.filters.update(linked=linked, number=number)
    return environment.from_string(_read("report.html.j2"))
