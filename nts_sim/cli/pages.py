"""What a person reads of a run: files in a folder named after their language, from its tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from nts_sim.charts.frame import Chart, figure_bytes
from nts_sim.charts.gallery import build_charts, view_of
from nts_sim.plan.export import plan_files
from nts_sim.plan.schedule_chart import schedule_chart
from nts_sim.report.html import write_report
from nts_sim.study import store
from nts_sim.words import say, used_language

REPORT = "report.html"
PLAN = "plan.csv"
WORKBOOK = "plan.xlsx"
CALENDAR = "plan.ics"


def page(name: str) -> str:
    """Return the name of a page inside the folder of a run, in the language being spoken."""
    return f"{used_language()}/{name}"


def chart_files(charts: Mapping[str, Chart]) -> dict[str, bytes]:
    """Return every chart as SVG and as PNG; file name → content."""
    return {
        page(f"charts/{name}.{kind}"): figure_bytes(chart, kind)
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
        page(REPORT): write_report(frames, manifest, charts).encode("utf-8"),
    }


def plan_pages(frames: Mapping[str, pd.DataFrame], run_id: str) -> dict[str, bytes]:
    """Make all pages of a plan from its tables; file name → content."""
    files = _plan_files(frames, run_id) | chart_files({"schedule": schedule_chart(frames, run_id)})
    if frames["plan_value"].empty:  # a rule has no plan to draw
        return files
    from nts_sim.charts.plan_money import plan_charts

    return files | chart_files(plan_charts(frames, run_id))


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


def outlines() -> Mapping[str, Any]:
    """Read the shipped outlines of the provinces."""
    text = resources.files("nts_sim").joinpath("data/provinces.geojson").read_text("utf-8")
    read: Mapping[str, Any] = json.loads(text)
    return read
