"""The commands themselves, on a calm year: run, asked again, and held against sweeps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

NTS = Path(sys.executable).with_name("nts-sim")
STUDY = ("scenario=calm_year", "replications=10", "workers=1", "--quiet")
pytestmark = pytest.mark.slow


def run(place: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [str(NTS), *words], capture_output=True, text=True, cwd=place, timeout=300, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def in_vietnamese(place: Path, folder: Path, *words: str) -> tuple[str, str]:
    """Ask again in Vietnamese; return what is printed and the finding."""
    told = run(place, *words, "language=vi")
    finding = (folder / "vi/finding.txt").read_text("utf-8").strip()
    assert finding in told
    assert finding != (folder / "en/finding.txt").read_text("utf-8").strip()
    assert len(list(folder.glob("vi/charts/*.png"))) == len(list(folder.glob("en/charts/*.png")))
    return told, finding


@pytest.mark.parametrize(("method", "cells", "measures"), [
    ("morris", 4 * 3, {"effect", "signed_effect", "spread"}), ("sobol", 4 * 4, {"alone", "in_all"}),
])  # fmt: skip
def test_what_matters_is_told_of_each_policy_and_of_their_difference(
    tmp_path: Path, method: str, cells: int, measures: set[str]
) -> None:
    words = ("sensitivity", f"method={method}", "design.points=4", *STUDY,
             "policy=current_practice,do_nothing", "threat.harm_weight_factor=0.5..1.5",
             "resources=standard,lean")  # fmt: skip
    assert f"{cells} cells" in run(tmp_path, *words, "--dry-run")
    assert not (tmp_path / "results").exists()
    told = run(tmp_path, *words)
    assert "do_nothing less current_practice" in told
    (folder,) = tmp_path.glob("results/calm_year/sensitivity-*")
    table = pd.read_parquet(folder / "sensitivity.parquet")
    assert set(table["measure"]) == measures
    assert set(table["axis"]) == {"threat.harm_weight_factor", "resources"}
    outcomes = table[["policy", "baseline"]].drop_duplicates().apply(tuple, axis=1).tolist()
    assert outcomes == [("current_practice", ""), ("do_nothing", ""),
                        ("do_nothing", "current_practice")]  # fmt: skip
    (sweep,) = tmp_path.glob("results/calm_year/sweep-*")
    assert len(pd.read_parquet(sweep / "cells.parquet")) == cells
    assert len(json.loads((folder / "manifest.json").read_text())["finding"]) == 3
    assert run(tmp_path, *words) == told
    parts = sorted(tmp_path.glob("results/parts/*/*"))
    _, finding = in_vietnamese(tmp_path, folder, *words)
    assert len(finding.splitlines()) == 3
    assert (sweep / "vi/charts").is_dir(), "the sweep's charts are drawn too"
    assert sorted(tmp_path.glob("results/parts/*/*")) == parts, "nothing is simulated again"


def test_a_doubled_weight_of_harm_doubles_it(tmp_path: Path) -> None:
    """Harm is a straight line in its weight: one exact effect, without spread."""
    run(tmp_path, "sensitivity", *STUDY, "design.points=3", "policy=do_nothing",
        "baseline=do_nothing", "threat.harm_weight_factor=0..2", "metric=harm_bn_vnd")  # fmt: skip
    (path,) = tmp_path.glob("results/calm_year/sensitivity-*/sensitivity.parquet")
    found = pd.read_parquet(path).set_index("measure")["value"]
    (cells,) = tmp_path.glob("results/calm_year/sweep-*/summary.parquet")
    harm = pd.read_parquet(cells).query("metric == 'harm_bn_vnd'")
    by_weight = (harm["mean"] / harm["threat.harm_weight_factor"]).dropna()
    assert found["effect"] == pytest.approx(2.0 * by_weight.iloc[0], rel=1e-4)
    assert found["spread"] == pytest.approx(0.0, abs=1e-3 * found["effect"])


def test_a_policy_that_fails_leaves_no_indices_and_3(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "def mine(world, observation):\n"
        "    if world.funds[0].balance_bn_vnd < 50.0: raise ZeroDivisionError('too poor')\n"
        "    return []\n"
    )
    words = (*STUDY, "fund.balance_factor=0.1..1", f"--policy-file={own}:mine")
    run(tmp_path, "sensitivity", *words, "design.points=2", "policy=current_practice", code=3)
    assert not list(tmp_path.glob("results/*/sensitivity-*"))
    run(tmp_path, "breakeven", *words, "policy=current_practice", code=3)
    assert not list(tmp_path.glob("results/*/breakeven-*/DONE.json"))


def test_beside_the_breakeven_the_winner_is_another(tmp_path: Path) -> None:
    """Help that costs more than the harm it averts is not worth giving."""
    policies = "policy=current_practice,do_nothing"
    words = ("breakeven", *STUDY, policies, "threat.harm_weight_factor=0..1:0.01")
    told = run(tmp_path, *words)
    assert "is preferred until weight of harm" in told
    (folder,) = tmp_path.glob("results/calm_year/breakeven-*")
    table = pd.read_parquet(folder / "breakeven.parquet")
    beyond = table["diff"] > 0.0
    assert beyond.any() and not beyond[table["shipped"]].any()
    up = table.loc[beyond, "value"].min() > table.loc[table["shipped"], "value"].item()
    near = table.loc[~beyond, "value"].max() if up else table.loc[~beyond, "value"].min()
    far = table.loc[beyond, "value"].min() if up else table.loc[beyond, "value"].max()
    assert abs(near - far) <= 0.01 + 1e-9
    low, high = min(near, far), max(near, far)
    run(tmp_path, "sweep", *STUDY, policies,
        f"threat.harm_weight_factor={max(low - 0.01, 0.0):.6g},{high + 0.01:.6g}")  # fmt: skip
    (path,) = tmp_path.glob("results/calm_year/sweep-*/summary.parquet")
    rows = pd.read_parquet(path).query("metric == 'total_burden_bn_vnd' and policy == 'do_nothing'")
    assert sorted(rows["diff"] > 0.0) == [False, True], "another policy wins on either side"
    (folder / "DONE.json").unlink()
    assert run(tmp_path, *words) == told, "what is there already is not simulated again"
    parts = sorted(tmp_path.glob("results/parts/*/*"))
    spoken, _ = in_vietnamese(tmp_path, folder, *words)
    assert "(đang dùng)" in spoken and "trừ đối thủ" in spoken
    assert sorted(tmp_path.glob("results/parts/*/*")) == parts
    assert not list(folder.parent.glob(".nts-sim-*"))


def test_a_sweep_is_asked_where_a_policy_fails(tmp_path: Path) -> None:
    run(tmp_path, "sweep", *STUDY, "design=latin_hypercube", "design.points=24",
        "policy=current_practice,do_nothing", "threat.harm_weight_factor=0..2",
        "fund.balance_factor=0.5..1")  # fmt: skip
    (sweep,) = tmp_path.glob("results/calm_year/sweep-*")
    burden = pd.read_parquet(sweep / "summary.parquet").query(
        "metric == 'total_burden_bn_vnd' and policy == 'do_nothing'"
    )
    limit = burden["mean"].median()
    told = run(tmp_path, "discover", str(sweep), f"above={limit}", "--json")
    boxes = pd.DataFrame(json.loads(told)["tables"]["boxes"])
    assert set(boxes["axis"]) == {"threat.harm_weight_factor"}
    assert boxes["side"].tolist() == ["above"] and boxes["coverage"].tolist() == [1.0]
    least = json.loads(run(tmp_path, "robustness", str(sweep), "--json"))["tables"]["robustness"][0]
    assert (least["policy"], least["futures"]) == ("current_practice", 24)
