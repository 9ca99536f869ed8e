"""`nts-sim select` and `replications=auto`, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from nts_sim.cli.main import main

SMALL = (
    "scenario=cyber_outage", "scenario.horizon_days=5", "engine=simpy", "workers=1",
)  # fmt: skip
SELECT = (
    "select", *SMALL, "policy=current_practice,do_nothing,nearest_first", "selection.first=6",
    "selection.batch=4", "selection.budget=60",
)  # fmt: skip


@pytest.mark.slow
def test_select_tells_keeps_and_does_not_repeat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*SELECT, f"results_dir={tmp_path}"]
    assert main(command) == 0
    first = capsys.readouterr()
    assert "at most 60 replications of all policies together" in first.err
    assert "against the chosen" in first.out and "saved" in first.out
    assert main([*command, "--json"]) == 0
    again = capsys.readouterr()
    assert "already there" in again.err
    (row, *_) = json.loads(again.out)["tables"]["selection"]
    assert row["verdict"] == "chosen" and row["method"] == "kn"
    (table,) = tmp_path.glob("*/*/selection.csv")
    assert len(pd.read_csv(table)) == 3
    assert main(["validate", *command[1:]]) == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (["policy=current_practice"], "names one policy; a selection chooses among two or more"),
        (["policy=greedy,do_nothing"], "current_practice is not among the policies"),
        (["selection.budget=17"], "17 replications are less than the first 6 of 3 policies"),
        (["selection.method=guess"], "'guess' is not one of"),
        (["selection.confidence=1"], "selection.confidence"),
        (["selection.indiference_pct=3"], "did you mean indifference_pct?"),
        (["selection=quick"], "unknown selection 'quick'"),
    ],
)
def test_what_cannot_be_selected_is_told_and_nothing_is_written(
    changed: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    assert main([*SELECT, *changed, f"results_dir={results}"]) == 2
    assert told in capsys.readouterr().err
    assert not results.exists()


@pytest.mark.slow
def test_auto_tells_the_precision_and_counts_what_it_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [
        "replications=auto",
        "precision.least=4",
        "precision.most=8",
        "precision.half_width=1e-6",
    ]
    command = [*SMALL, "policy=current_practice,do_nothing", *given, f"results_dir={tmp_path}"]
    assert main(["validate", *command]) == 0
    assert "4 to 8 replications" in capsys.readouterr().out
    assert main(["compare", *command]) == 0
    told = capsys.readouterr().out
    assert "after 8 runs of each policy (widest: do_nothing); not reached" in told
    (manifest,) = tmp_path.glob("*/*/manifest.json")
    made = json.loads(manifest.read_text(encoding="utf-8"))
    assert made["replications"] == 8 and made["config"]["replications"] == "auto"


def test_a_precision_that_cannot_be_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("validate", "compare"):
        given = [verb, *SMALL, "replications=auto", f"results_dir={tmp_path / 'results'}"]
        assert main([*given, "precision.metric=hapiness"]) == 2
        assert "hapiness is not an outcome; known: total_burden" in capsys.readouterr().err
        assert main([*given, "precision.least=50", "precision.most=20"]) == 2
        assert "least is 50, more than most, 20" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
