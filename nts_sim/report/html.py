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
from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from nts_sim.charts.frame import Chart, View, drawn
from nts_sim.plan.reconcile import reconciled_line
from nts_sim.report import headline, sections, worth
from nts_sim.report.aims import aims
from nts_sim.report.finance import finance
from nts_sim.report.gaps import gaps
from nts_sim.report.layout import linked
from nts_sim.report.plan_text import first_screen
from nts_sim.report.views import complete, view_of_report
from nts_sim.report.work_list import tasks
from nts_sim.spec.texts import spoken
from nts_sim.words import name_of, number, say, sentence, used_language

MOST_BYTES = 2_000_000
"""A report stays below this, so that it can be sent."""
_GROUPS = (
    "network", "threat", "resources", "preparation", "mechanism", "measure", "fund", "information",
)  # fmt: skip
_KEPT_TABLES = (
    "summary", "comparison", "ranking", "gap", "orders", "finance", "marginal_money", "tasks",
)  # fmt: skip

Frames = Mapping[str, pd.DataFrame]


def write_report(
    frames: Frames, manifest: Mapping[str, Any], charts: Mapping[str, Chart]
) -> str:  # fmt: skip
    """Write the report of a run, a comparison or a plan, in the language being spoken.

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
    whole = complete(frames)
    view = view_of_report(whole, manifest)
    return rendered(
        "report.html.j2", view=view, charts=pictures(charts),
        kept_tables=[name for name in _KEPT_TABLES if name in frames],
        **opening(whole, manifest, view), **_tables(whole, view), **background(manifest),
    )  # fmt: skip


def opening(frames: Frames, manifest: Mapping[str, Any], view: View) -> dict[str, Any]:
    """Return what the first screen says."""
    scenario = manifest["config"]["scenario"]
    question = str(spoken(scenario, "question"))
    compared = manifest.get("verb") != "plan" or len(frames["summary"]) > 0
    shown = (headline.rival(frames, view) or view.policy, view.baseline)
    return {
        "title": str(spoken(scenario, "title")),
        "question": question,
        "parts": first_screen(frames) if len(frames["plan_value"]) else [],
        "verdict": headline.verdict(frames, view) if compared else [say("gaps.one_course")],
        "five": headline.five_numbers(frames, view) if compared else None,
        "cost": headline.cost(frames, view),
        "uncovered": headline.uncovered(frames, view) if compared else "",
        "targets": aims(frames, view, shown),
        "reconciled": reconciled_line(frames) if len(frames["tasks"]) else "",
        "failures": len(frames["failures"]),
        "shown_scenario": name_of("scenario", view.scenario),
        "is_set": view.asked != view.scenario,
    }


def _tables(frames: Frames, view: View) -> dict[str, Any]:
    return {
        "policies": sections.policies(frames, view),
        "gaps": gaps(frames, view),
        "requests": sections.requests(frames, view),
        "finance": finance(frames, view),
        "worth": worth.sentences(frames, view),
        "worth_money": worth.money(frames),
        "worth_mechanisms": worth.mechanisms(frames),
        "tasks": tasks(frames, view),
        "orders": sections.order_list(frames, view),
    }


def background(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run rests on: choices, assumptions, sources, versions."""
    config, versions = manifest["config"], manifest.get("versions", {})
    scenario = config["scenario"]
    return {
        "assumptions": [str(text) for text in spoken(scenario, "assumptions")],
        "sources": [*map(str, spoken(scenario, "sources")), *_information_source(config)],
        "choices": _choices(config),
        "status": sections.input_status(manifest.get("input_statuses", ())),
        "seed": manifest.get("seed", config.get("seed")),
        "package_version": versions.get("nts-sim", say("format.unknown")),
        "command": " ".join(str(word) for word in manifest.get("command", ())),
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


def pictures(charts: Mapping[str, Chart]) -> list[dict[str, str]]:
    """Put charts into a form that a page can hold, each as drawing or pixels, by its size."""
    return [_picture(name, chart) for name, chart in charts.items()]


def _picture(name: str, chart: Chart) -> dict[str, str]:
    data, media = drawn(chart, "svg"), "image/svg+xml"
    if len(pixels := drawn(chart, "png")) < len(data):
        data, media = pixels, "image/png"
    coded = base64.b64encode(data).decode("ascii")
    return {"name": name, "finding": chart.finding, "reading": chart.reading, "alt": chart.alt,
            "source": f"data:{media};base64,{coded}"}  # fmt: skip


def rendered(template: str, **values: Any) -> str:
    """Fill a page of this folder; style, policy and language come by themselves."""
    page: str = _template(template).render(
        css=_style(), csp=_content_policy(), language=used_language(), **values
    )
    return page


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
def _template(name: str) -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True, loader=FunctionLoader(_read))  # fmt: skip
    environment.globals.update(say=say, name_of=name_of, sentence=sentence)
    environment.filters.update(linked=linked, number=number)
    return environment.get_template(name)
