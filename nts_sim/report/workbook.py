"""The report as a workbook: every table of it in full, with numbers as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from nts_sim.charts.frame import View
from nts_sim.report import headline, sections, worth
from nts_sim.report.finance import finance
from nts_sim.report.gaps import gaps
from nts_sim.report.html import background, opening
from nts_sim.report.layout import sheet_of
from nts_sim.report.views import complete, view_of_report
from nts_sim.report.work_list import tasks
from nts_sim.sheets import Sheet, SheetColumn, Value, workbook
from nts_sim.words import name_of, say, sentence

Frames = Mapping[str, pd.DataFrame]


def write_workbook(frames: Frames, manifest: Mapping[str, Any]) -> bytes:
    """Write the report of a run as an XLSX file, in the language being spoken.

    Parameters
    ----------
    frames, manifest : as for `nts_sim.report.html.write_report`
    """
    whole = complete(frames)
    view = view_of_report(whole, manifest)
    return workbook([*_result_sheets(whole, manifest, view), *_background_sheets(manifest)])


def _result_sheets(frames: Frames, manifest: Mapping[str, Any], view: View) -> list[Sheet]:
    mark = say("report.mark")
    return [
        _first(frames, manifest, view),
        _five(frames, view),
        sheet_of(say("book.aims"), opening(frames, manifest, view)["targets"]),
        sheet_of(say("book.policies"), sections.policies(frames, view)),
        sheet_of(say("book.gaps"), gaps(frames, view, most=None), [mark]),
        sheet_of(say("book.requests"), sections.requests(frames, view), [mark]),
        sheet_of(say("book.finance"), finance(frames, view)),
        sheet_of(say("book.worth_money"), worth.money(frames), worth.sentences(frames, view)),
        sheet_of(say("book.worth_mechanisms"), worth.mechanisms(frames)),
        sheet_of(say("book.tasks"), tasks(frames, view, most=None), [mark]),
    ]


def _first(frames: Frames, manifest: Mapping[str, Any], view: View) -> Sheet:
    """Tell what the first screen says in words, one heading a row."""
    told = opening(frames, manifest, view)
    run = say("report.foot.run", run=view.run_id, n=view.replications, seed=manifest.get("seed"),
              version=background(manifest)["package_version"])  # fmt: skip
    rows = [
        (say("book.question"), f"{told['title']}. {told['question']}"),
        *((say("book.verdict"), text) for text in told["verdict"]),
        *((part.title, line) for part in told["parts"] for line in part.lines),
        (say("report.cost.title"), told["cost"]),
        (say("report.uncovered.title"), told["uncovered"]),
        (say("worklist.title_short"), told["reconciled"]),
        (say("book.run"), run),
    ]
    columns = [SheetColumn(say("book.heading")), SheetColumn(say("book.text"))]
    return Sheet(say("book.first"), columns, [row for row in rows if row[1]], [say("report.mark")])


def _five(frames: Frames, view: View) -> Sheet:
    """List the five numbers of both policies with their intervals, and their difference."""
    shown = list(dict.fromkeys([headline.rival(frames, view) or view.policy, view.baseline]))
    columns = [SheetColumn(say("report.five.metric")), SheetColumn(say("report.five.unit"))]
    for title in [*(sentence(name_of("policy", policy)) for policy in shown), *_against(shown)]:
        columns += [SheetColumn(f"{title}: {say(key)}", "", "2") for key in _ENDS]
    rows = [_numbers(frames, view, metric, shown) for metric in headline.FIVE]
    note = say("report.five.note", n=view.replications)
    return Sheet(say("book.five"), columns, [row for row in rows if row], [note], 2)


_ENDS = ("book.mean", "book.low", "book.high")


def _against(shown: list[str]) -> list[str]:
    return [say("report.five.difference")] if len(shown) == 2 else []


def _numbers(frames: Frames, view: View, metric: str, shown: list[str]) -> list[Value]:
    """Return a metric's mean and interval under each policy, and of the difference."""
    found = [headline.total(frames["summary"], view.asked, policy, metric) for policy in shown]
    measured = [row for row in found if row is not None]
    if len(measured) < len(shown):
        return []
    values: list[Value] = [sentence(name_of("metric", metric)),
                           name_of("unit", str(measured[0]["unit"]))]  # fmt: skip
    for row in measured:
        values += [float(row[end]) for end in ("mean", "low", "high")]
    if len(shown) == 2:
        diff = headline.against(frames["comparison"], view, metric, shown[0])
        values += [None if diff is None else float(diff[end]) for end in ("diff", "low", "high")]
    return values


def _background_sheets(manifest: Mapping[str, Any]) -> list[Sheet]:
    told = background(manifest)
    choices = [say("report.assumptions.choices", listed=told["choices"])]
    return [
        Sheet(say("book.assumptions"), [SheetColumn(say("report.assumptions.assumed"))],
              [[text] for text in told["assumptions"]], choices),
        Sheet(say("book.sources"), [SheetColumn(say("report.assumptions.sources"))],
              [[text] for text in told["sources"]]),
        sheet_of(say("book.inputs"), told["status"]),
    ]  # fmt: skip
