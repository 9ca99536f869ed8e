"""What a person reads of a run: files in a folder named after their language, from its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from nts_sim.charts.frame import Chart, drawn
from nts_sim.charts.gallery import build_charts, view_of
from nts_sim.outcomes.frames import empty
from nts_sim.plan.export import plan_files
from nts_sim.plan.schedule_chart import schedule_chart
from nts_sim.report.geo import geojson_bytes, map_geojson
from nts_sim.report.html import write_report
from nts_sim.report.views import complete, view_of_report
from nts_sim.report.workbook import write_workbook
from nts_sim.study import store
from nts_sim.words import say, used_language

REPORT = "report.html"
BOOK = "report.xlsx"
MAP = "map.geojson"
PDF = "report.pdf"
PLAN = "plan.csv"
WORKBOOK = "plan.xlsx"
CALENDAR = "plan.ics"


def page(name: str) -> str:
    """Return the name of a page inside the folder of a run, in the language being spoken."""
    return f"{used_language()}/{name}"


def chart_files(charts: Mapping[str, Chart]) -> dict[str, bytes]:
    """Return every chart as SVG and as PNG; file name → content."""
    return {
        page(f"charts/{name}.{kind}"): drawn(chart, kind)
        for name, chart in charts.items()
        for kind in ("svg", "png")
    }


def chart_lines(folder: Path) -> list[str]:
    """Tell where the charts of a run are, one line each."""
    paths = sorted((folder / page("charts")).glob("*.png"))
    return [say("cli.path.chart", path=path) for path in paths]


def run_pages(frames: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """Make all pages of a run or comparison from its tables; file name → content."""
    view = view_of(frames, manifest["run_id"], manifest["config"]["baseline"])
    charts = build_charts(frames, outlines(), view)
    charts["schedule"] = schedule_chart(frames, view.run_id)
    return {
        **chart_files(charts),
        **_plan_files(frames, view.run_id),
        **_reports(frames, manifest, charts),
    }


def plan_pages(
    frames: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any]
) -> dict[str, bytes]:  # fmt: skip
    """Make all pages of a plan from its tables; file name → content."""
    run_id = manifest["run_id"]
    charts: dict[str, Chart] = {"schedule": schedule_chart(frames, run_id)}
    if len(frames["plan_value"]):  # a rule has no plan to draw
        from nts_sim.charts.plan_money import plan_charts

        view = view_of_report(complete(frames), manifest)
        charts |= plan_charts(frames, run_id) | build_charts(frames, outlines(), view)
    return {
        **chart_files(charts),
        **_plan_files(frames, run_id),
        **_reports(frames, manifest, charts),
    }


def _reports(
    frames: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any], charts: Mapping[str, Chart]
) -> dict[str, bytes]:
    """Make the report as a page and as a workbook, and the map, which speaks no language."""
    view = view_of_report(complete(frames), manifest)
    places = frames["places"] if "places" in frames else empty("places")
    return {
        page(REPORT): write_report(frames, manifest, charts).encode("utf-8"),
        page(BOOK): write_workbook(frames, manifest),
        MAP: geojson_bytes(map_geojson(places, view, outlines())),
    }


def _plan_files(frames: Mapping[str, pd.DataFrame], run_id: str) -> dict[str, bytes]:
    """Return the list of tasks as files; file name → content."""
    return {page(name): data for name, data in plan_files(frames, run_id).items()}


def plan_paths(folder: Path) -> list[str]:
    """Tell where the files of a plan are, one line each."""
    kinds = (
        ("cli.path.plan", PLAN),
        ("tasks.path.workbook", WORKBOOK),
        ("tasks.path.calendar", CALENDAR),
    )
    return [say(key, path=folder / page(name)) for key, name in kinds]


def are_there(folder: Path) -> bool:
    """Whether a finished run has its pages in the language being spoken."""
    return (folder / page(PLAN)).is_file()


def rebuild(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put pages into a finished run, in place of those it had in that language."""
    for name, data in files.items():
        store.rebuild_file(folder, name, data)


def printed(folder: Path) -> Path:
    """Print the report of a finished run to PDF, beside it.

    Raises
    ------
    PlaceOrMachine
        There is no browser to print with.
    """
    from nts_sim.report.pdf import printed as as_pdf

    data = as_pdf((folder / page(REPORT)).read_bytes())
    return store.rebuild_file(folder, page(PDF), data)


def outlines() -> Mapping[str, Any]:
    """Read the shipped outlines of the provinces."""
    text = resources.files("nts_sim").joinpath("data/provinces.geojson").read_text("utf-8")
    read: Mapping[str, Any] = json.loads(text)
    return read
