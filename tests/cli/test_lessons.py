"""What is learnt from a kept sweep: boxes, regret; who asks wrongly gets one list and no folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nts_sim.cli.main import main
from nts_sim.errors import InvalidInput
from nts_sim.study import store
from nts_sim.study.sweep.kept import read_sweep
from tests.insight.sweeps import grid, results_of, summary_of

BASE, OTHER = "current_practice", "informed_practice"
LAG, STOCK = "information.lag_days", "resources.stock_factor"
AXES = [LAG, STOCK]


def _burden(at: Any, policy: str) -> float:
    """The other policy is better but where news is late and stock is low: there it fails."""
    planted = at[LAG] > 2.0 and at[STOCK] < 0.8
    return 2000.0 if policy == BASE else 3000.0 if planted else 1500.0


def _sweep(
    folder: Path, policies: tuple[str, ...] = (BASE, OTHER), done: bool = True, lags: int = 8
) -> Path:
    """Write a folder as `sweep` leaves it."""
    cells = grid(information__lag_days=[0.5 * i for i in range(lags)],
                 resources__stock_factor=[0.3, 0.6, 0.9, 1.2])  # fmt: skip
    results = results_of(cells, policies, _burden, replications=4, noise=1.0, own_noise=1.0)
    cells = cells.drop(columns="done").assign(scenario="typhoon_north", replications=4)
    folder.mkdir(parents=True)
    summary = summary_of(results, AXES, BASE)
    for name, table in {"cells": cells, "results": results, "summary": summary}.items():
        store.write_table(folder, name, table)
    store.write_manifest(folder, {
        "verb": "sweep", "axes": AXES, "seed": 147, "config": {"baseline": BASE},
    })  # fmt: skip
    if done:
        store.finish(folder)
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return _sweep(tmp_path / "results" / "toy" / "sweep-toy")


def _beside(kept: Path) -> list[str]:
    return sorted(path.name for path in kept.parent.iterdir() if path != kept)


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


def test_a_planted_box_is_found_kept_and_told(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _digests(kept)
    assert main(["discover", str(kept), "above=2500"]) == 0
    told = capsys.readouterr()
    assert "is above 2.25" in told.out and "is below 0.75" in told.out
    (name,) = _beside(kept)
    folder = kept.parent / name
    assert name.startswith("discover-informed_practice-") and store.is_done(folder)
    boxes = store.read_results(folder)["boxes"]
    assert set(boxes["axis"]) == {LAG, STOCK} and (boxes["density"] == 1.0).all()
    assert (folder / "en/charts/boxes.png").stat().st_size > 10_000
    assert _digests(kept) == before, "a finished sweep is never changed"
    assert main(["discover", str(kept), "above=2500"]) == 0
    again = capsys.readouterr()
    assert again.out == told.out and "already there" in again.err
    assert main(["discover", str(kept), "above=2501"]) == 0
    assert len(_beside(kept)) == 2, "another question is another folder"


def test_asked_again_in_another_language_it_is_told_in_it_and_nothing_else_changes(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["discover", str(kept), "above=2500"]
    assert main(words) == 0
    english = capsys.readouterr().out
    (name,) = _beside(kept)
    folder = kept.parent / name
    before = {file: digest for file, digest in _digests(folder).items() if file != "DONE.json"}
    assert main([*words, "language=vi"]) == 0
    told = capsys.readouterr()
    assert told.err.startswith("đã có sẵn: ")
    finding = (folder / "vi/finding.txt").read_text("utf-8").strip()
    assert finding in told.out and finding not in english
    assert (folder / "en/finding.txt").read_text("utf-8").strip() in english
    assert (folder / "vi/charts/boxes.png").stat().st_size > 10_000
    assert {(f, d) for f, d in before.items() if f[-4:] not in (".png", ".svg", ".txt")} <= set(
        _digests(folder).items()
    ), "tables and manifest stay as they were"
    assert store.read_results(folder)["boxes"].shape[0] > 0, "the checksums hold"
    assert main(words) == 0
    assert capsys.readouterr().out == english


def test_data_for_machines_are_the_same_whoever_asks_first(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["robustness", str(kept), "aim=1800", "--json"]
    assert main([*words, "language=vi"]) == 0
    first = capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out == first
    assert "has the least largest regret" in json.loads(first)["finding"][0]


def test_losing_to_the_baseline_is_a_failure_too(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["discover", str(kept), "loses=true", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert "clearly worse than current practice" in answer["finding"][0]
    assert {row["axis"] for row in answer["tables"]["boxes"]} == {LAG, STOCK}


def test_regret_and_who_is_good_enough(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Regrets: practice 500 at worst, the other 1,000; below 1,800: the other in 26 of 32."""
    assert main(["robustness", str(kept), "aim=1800"]) == 0
    told = capsys.readouterr().out
    assert "Current practice has the least largest regret: at worst 500 bn VND" in told
    assert "informed practice, in 81\u00a0% of 32" in told
    assert main(["robustness", str(kept)]) == 0
    assert "no worse than under current practice) in most" in capsys.readouterr().out
    assert main(["robustness", str(kept), "aim_pct=10", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    enough = {row["policy"]: row["share"] for row in answer["tables"]["satisficing"]}
    assert enough == {BASE: 0.0, OTHER: 26 / 32}
    assert "better than under current practice by 10" in answer["finding"][1]


def test_cells_that_failed_are_left_out_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = _sweep(tmp_path / "toy" / "sweep-toy", done=False)
    cells, summary, results = (
        pd.read_parquet(kept / f"{name}.parquet") for name in ("cells", "summary", "results")
    )
    cells.loc[3, "failed"] = 8
    summary.loc[summary["cell"] == 3, ["mean", "diff"]] = np.nan
    for name, table in {"cells": cells, "summary": summary,
                        "results": results[results["cell"] != 3]}.items():  # fmt: skip
        store.write_table(kept, name, table)
    assert main(["discover", str(kept), "above=2500"]) == 0
    told = capsys.readouterr()
    assert "8 replications of the sweep failed" in told.err and "of 31 cells" in told.out
    assert main(["robustness", str(kept), "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)["tables"]
    assert {row["futures"] for row in tables["robustness"]} == {31}


@pytest.mark.parametrize(("words", "says"), [
    ("discover {kept}", "is said by one of above=NUMBER and loses=true"),
    ("discover {kept} above=1 loses=true", "is said by one of above=NUMBER and loses=true"),
    ("discover {kept} abve=1 loses=true", "abve=1  unknown; this verb takes policy="),
    ("discover {kept} above=many", "'many' is not a number"),
    ("discover {kept} above=nan", "'nan' is not a number"),
    ("discover {kept} above=1 above=2", "is given twice"),
    ("discover {kept} below=1", "of total_burden_bn_vnd less is better, so failing is above="),
    ("discover {kept} metric=hrm_bn_vnd above=1", "did you mean harm_bn_vnd?"),
    ("discover {kept} policy=informed above=1", "'informed' is not in this sweep"),
    ("discover {kept} policy=current_practice loses=true", "is what others are compared with"),
    ("discover {kept}/none above=1", "is not there"),
    ("discover {kept}/cells.csv above=1", "is not a folder"),
    ("discover {kept}/.. above=1", "holds no sweep that ended"),
    ("discover above=1", "takes one folder"),
    ("robustness {kept} {kept}", "takes one folder"),
    ("robustness {kept} aim=1 aim_pct=2", "is either a limit or a share"),
    ("robustness {kept}/none aim=x", "is not there"),
])  # fmt: skip
def test_wrong_questions_are_told_and_leave_nothing(
    kept: Path, words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.format(kept=kept).split()) == 2
    told = capsys.readouterr()
    assert says in told.err and told.out == ""
    assert _beside(kept) == []


def test_all_that_is_wrong_is_told_at_once(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discover", f"{kept}x", "metric=harm", "above=x", "loses=maybe"]) == 2
    assert capsys.readouterr().err.startswith("4 problems in what was written after the verb")


def test_one_policy_has_no_regret_and_few_cells_no_box(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = _sweep(tmp_path / "a" / "sweep", policies=(BASE,))
    assert main(["robustness", str(alone)]) == 2
    assert "has one policy, current_practice" in capsys.readouterr().err
    few = _sweep(tmp_path / "b" / "sweep", lags=2)
    assert main(["discover", str(few), "above=1"]) == 2
    assert "has 8 cells with a result; at least 10 are needed" in capsys.readouterr().err
    assert _beside(alone) == [] and _beside(few) == []


def test_a_damaged_sweep_is_refused(kept: Path) -> None:
    table = pd.read_parquet(kept / "summary.parquet")
    table.assign(mean=0.0).to_parquet(kept / "summary.parquet")
    (kept / "results.parquet").write_bytes(b"PAR1")
    with pytest.raises(InvalidInput, match="2 problems in the sweep") as told:
        read_sweep(kept)
    assert str(told.value).count("its checksum differs") == 2


@pytest.mark.parametrize("content", ["{", "[]", '{"axes": 3}', '{"axes": [], "config": {}}'])
def test_a_strange_manifest_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InvalidInput, match="1 problem in the sweep"):
        read_sweep(tmp_path)


@pytest.mark.parametrize(("words", "says"), [
    ("sensitivity method=sobel seed=1..4", "'sobel' is not known; did you mean sobol?"),
    ("sensitivity design=sobol seed=1..4", "is chosen by method=morris or method=sobol"),
    ("sensitivity zip=seed,plan.draws seed=1,2", "inputs are varied one by one"),
    ("sensitivity fund.balance_factor=1", "has nothing to sample; give a key several values"),
    ("sensitivity fund.balnce_factor=0..1", "did you mean balance_factor?"),
    ("sensitivity metric=harm seed=1..4", "metric  'harm' is not known"),
    ("sensitivity seed=1..4 replications=2..9 design.points=90000", "cells; at most 100,000"),
    ("sensitivity design.points=2 policy=[greedy,current_practice],[current_practice]",
     "write policy=a,b"),
    ("breakeven policy=greedy,current_practice", "looks over the range of one key"),
    ("breakeven fund=standard,tight", "looks over the range of one key"),
    ("breakeven seed=1..9 fund.balance_factor=0..2", "2 are given"),
    ("breakeven fund.balance_factor=0.2..2 policy=greedy baseline=greedy", "there is one, greedy"),
    ("breakeven fund.balance_factor=1.5..2 policy=greedy,current_practice",
     "is 1 in this study, outside 1.5..2"),
    ("breakeven fund.balance_factor=0..2 policy=greedy,current_practice seed=1,2",
     "takes one value here; only fund.balance_factor is changed"),
    ("breakeven fund.balance_factor=0..2 metric=served_share", "'served_share' is not known"),
    ("breakeven fund.balance_factor=0..9999 policy=greedy,current_practice", "is above 1000"),
    ("breakeven fund.balance_factor=0..2 --dry-run", "is not for breakeven"),
])  # fmt: skip
def test_wrong_studies_are_told_and_nothing_is_run(
    tmp_path: Path, words: str, says: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(words.split()) == 2
    told = capsys.readouterr()
    assert says in told.err and told.out == ""
    assert list(tmp_path.iterdir()) == []
