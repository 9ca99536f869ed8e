"""Progress and summaries of a plan as one HTML file, in the look and by the rules of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nts_sim.plan.monitor_sheets import value_text
from nts_sim.report.html import rendered
from nts_sim.report.layout import Column, Table, table
from nts_sim.sheets import Sheet
from nts_sim.words import say

MOST_ROWS = 400
"""Rows of one table on a page; the workbook has all."""


@dataclass(frozen=True)
class Head:
    """What stands above the tables.

    Attributes
    ----------
    title, subtitle : of the page
    finding : sentences, the first the most important
    warning : shown beside them where it is not empty
    run_id : of the plan
    file : name of the file with the record
    """

    title: str
    subtitle: str
    finding: Sequence[str]
    run_id: str
    file: str
    warning: str = ""


def write_page(head: Head, sheets: Sequence[Sheet]) -> str:
    """Write the page; the same input gives the same page."""
    parts = [(sheet.name, list(sheet.notes), _table(sheet)) for sheet in sheets]
    return rendered("monitor.html.j2", head=head, parts=parts)


def _table(sheet: Sheet) -> Table:
    """Make a table of a page; columns in which nothing stands are left out."""
    rows = sheet.rows[:MOST_ROWS]
    kept = [i for i in range(len(sheet.columns)) if any(row[i] not in (None, "") for row in rows)]
    columns = [sheet.columns[i] for i in kept]
    shown = [Column(c.title, c.unit, "text" if c.form == "date" else c.form) for c in columns]
    texts = [[value_text(row[i], sheet.columns[i].form) for i in kept] for row in rows]
    left = len(sheet.rows) - MOST_ROWS
    note = say("monitor.text.more", n=left) if left > 0 else ""
    return table(shown, texts, note)
