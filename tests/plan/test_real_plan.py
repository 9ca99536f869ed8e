"""A comparison on the real network: its tasks, reconciled, in files of both languages."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import icalendar
import numpy as np
import openpyxl
import pandas as pd
import pytest

from nts_sim.cli.main import main
from nts_sim.plan.drafts import granted_orders
from nts_sim.plan.reconcile import allocation, reconcile
from nts_sim.plan.sheet import COLUMNS
from nts_sim.study import store
from nts_sim.words import speaking

pytestmark = pytest.mark.slow

_ASKED = ("compare", "scenario=compound", "replications=2", "workers=1", "--quiet",
          "policy=current_practice,per_capita")  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("real") / "results"
    for language in ("en", "vi"):
        assert main([*_ASKED, f"results_dir={results}", f"language={language}"]) == 0
    (done,) = results.glob("*/*/DONE.json")
    return done.parent


@pytest.fixture(scope="module")
def frames(finished: Path) -> dict[str, pd.DataFrame]:
    return store.read_results(finished)


def test_every_granted_order_is_a_task_and_all_agrees(frames: dict[str, pd.DataFrame]) -> None:
    tasks = frames["tasks"]
    scenario, policy = str(tasks["scenario"].iloc[0]), str(tasks["policy"].iloc[0])
    given = allocation(frames, scenario, policy)
    assert len(tasks) == len(given) > 50
    assert reconcile(tasks, given) == []
    orders = granted_orders(frames["orders"])
    mine = orders[(orders["scenario"] == scenario) & (orders["policy"] == policy)]
    assert tasks["quantity"].sum() == pytest.approx(mine["granted"].sum())
    assert {"declare", "draw", "mobilise", "move"} <= set(tasks["kind"])


def test_tasks_wait_for_what_the_real_tables_demand(frames: dict[str, pd.DataFrame]) -> None:
    """Requisition and reserves need level 2, international aid 3; level 3 is declared at once."""
    tasks = frames["tasks"].set_index("task")
    needing = tasks[tasks["mechanism"].isin(["requisition", "intl_aid", "national_reserve"])]
    assert len(needing)
    for _, task in needing.iterrows():
        waits = tasks.loc[str(task["after"]).split()]
        declared = waits[waits["kind"] == "declare"]
        assert declared["quantity"].tolist() == [3.0]
        assert (waits["due_day"] <= task["start_day"]).all()


def test_whoever_signs_may_sign_so_much(frames: dict[str, pd.DataFrame]) -> None:
    tasks = frames["tasks"]
    amount = np.where(tasks["kind"] == "draw", tasks["quantity"], tasks["cost_bn_vnd"])
    limited = tasks["delegation_bn_vnd"].notna()
    assert (amount[limited] <= tasks.loc[limited, "delegation_bn_vnd"]).all()
    assert (tasks.loc[~limited, "desk"].isin(["PM", "FF", "utilities", ""])).all()


@pytest.mark.parametrize("language", ["en", "vi"])
def test_files_hold_every_task(
    finished: Path, frames: dict[str, pd.DataFrame], language: str
) -> None:
    wanted = frames["tasks"]["task"].tolist()
    folder = finished / language
    text = (folder / "plan.csv").read_text(encoding="utf-8-sig")
    table = list(csv.reader(io.StringIO(text, newline="")))
    with speaking(language):
        assert table[0] == [column.heading() for column in COLUMNS]
    assert [row[0] for row in table[1:]] == wanted
    sheet = openpyxl.load_workbook(folder / "plan.xlsx").worksheets[0]
    assert [row[0] for row in sheet.iter_rows(min_row=6, values_only=True)] == wanted
    read = icalendar.Calendar.from_ical((folder / "plan.ics").read_bytes())
    assert len(list(read.walk("VEVENT"))) == len(wanted)
    assert (folder / "charts/schedule.png").stat().st_size > 10_000
