"""What a sweep tells on the screen stays readable, however many axes it has."""

import pandas as pd

from nts_sim.cli.sweep_text import sweep_text
from tests.insight.sweeps import axes_of, cells_of, results_of, summary_of

BASE, RULE = "current_practice", "informed_practice"
FIRST = {
    "information.lag_days": 1.0, "resources.stock_factor": 1.0, "mechanism.approval_factor": 1.0,
    "mechanism.changes.military.enabled": "true", "mechanism.desk_servers.PM": 2,
}  # fmt: skip


def told(*axes: str) -> list[list[str]]:
    """Lines of the table for a first cell and one with twice the stock, as columns."""
    cells = cells_of(pd.DataFrame([FIRST, FIRST | {"resources.stock_factor": 2.0}])[list(axes)])
    results = results_of(cells, [BASE, RULE], lambda at, policy: 100.0 * (policy == BASE))
    summary = summary_of(results, axes_of(cells), BASE)
    text = sweep_text(
        {"summary": summary, "cells": cells.assign(scenario="typhoon_north")}, axes_of(cells)
    )
    return [[part.strip() for part in line.split("  ") if part.strip()]
            for line in text.splitlines()[1:4]]  # fmt: skip


def test_few_axes_have_a_column_each() -> None:
    header, _, second = told(*list(FIRST)[:4])
    assert header[:6] == ["cell", *list(FIRST)[:4], "scenario"]
    assert second[:5] == ["1", "1", "2", "1", "true"]


def test_many_axes_share_a_column_that_says_what_differs() -> None:
    header, first, second = told(*FIRST)
    assert header[:3] == ["cell", "differs in", "scenario"]
    assert first[:2] == ["0", "typhoon_north"]
    assert second[:3] == ["1", "stock held \N{MULTIPLICATION SIGN}2", "typhoon_north"]
