"""A sweep is made again from its manifest and design alone; somebody else's are read as data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nts_sim.cli.main import main

WORDS = (
    "sweep", "scenario=calm_year,mekong_salinity", "policy=current_practice,do_nothing",
    "replications=3", "seed=1,2", "workers=1", "--quiet",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("kept")
    assert main([*WORDS, f"results_dir={results}"]) == 0
    return next(results.glob("sweep/sweep-*"))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


@pytest.mark.slow
def test_it_is_the_same(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(made), "workers=1", "--quiet"]) == 0
    assert "the same: 4 of 4 tables" in capsys.readouterr().out


@pytest.mark.slow
def test_what_differs_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (folder / "design.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    last["differs"]["seed"] = 3
    (folder / "design.jsonl").write_text("\n".join([*lines[:-1], json.dumps(last)]))
    assert main(["replay", str(folder), "workers=1", "--quiet"]) == 3
    told = capsys.readouterr().out
    assert "results" in told and "row " in told
    assert "design.jsonl" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{",
        '{"differs": 3}',
        '{"values": [1], "overrides": [], "differs": {}}',
        '{"values": [1, 2], "overrides": [], "differs": {"scenarios": [["a"]]}}',
        '{"values": [1, 2], "overrides": [], "differs": {"scenarios": [], "_target_": "x"}}',
        '{"values": [1, 2], "overrides": [], "differs": {"scenarios": [["a", 1, {}]]}}',
        "[" * 100_000,
    ],
)
def test_a_hostile_design_is_refused(
    folder: Path, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "design.jsonl").write_text(line)
    assert main(["replay", str(folder), "workers=1", "--quiet"]) == 2
    assert "Traceback" not in capsys.readouterr().err
