"""`nts-sim portfolios` and lists of measures, end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nts_sim.cli.gate import pass_gate
from nts_sim.cli.main import main
from nts_sim.spec.load import load_study

TOOL = Path(sys.executable).parent / "nts-sim"
SMALL = (
    "scenario=cyber_outage", "scenario.horizon_days=6", "policy=current_practice", "plan.draws=2",
    "plan.evaluation_draws=2", "engine=simpy", "workers=1",
)  # fmt: skip


def studied(*arguments: str) -> list[str]:
    opened = pass_gate(arguments)
    cells = [opened.cell(number)[0] for number in range(len(opened.grid))]
    return [load_study(cell.study).measure.name for cell in cells]


@pytest.mark.parametrize(
    "given",
    ["measure=training,cyber_hardening", "measure=[training,cyber_hardening]",
     "measures=[cyber_hardening,training]"],
)  # fmt: skip
def test_a_list_of_measures_is_one_portfolio(given: str) -> None:
    job, _ = pass_gate([given]).job()
    study = load_study(job.study)
    assert study.measure.name == "cyber_hardening+training"
    assert study.measure.cost_bn_vnd == 230.0
    assert study.measure.onset_share == {"cyber_outage": 0.7}
    assert study.measure.approval_factor == 0.85


def test_a_multirun_takes_them_one_by_one_or_in_lists() -> None:
    assert studied("-m", "measure=training,cyber_hardening") == ["training", "cyber_hardening"]
    lists = studied("-m", "measure=[training],[training,cyber_hardening]")
    assert lists == ["training", "cyber_hardening+training"]


def test_a_file_lists_them_too(tmp_path: Path) -> None:
    folder = tmp_path / "experiment"
    folder.mkdir()
    text = "# @package _global_\nexperiment: mine\nmeasures: [training, flood_defences]\n"
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    given = ("--config-dir", str(tmp_path), "experiment=mine")
    assert studied(*given) == ["flood_defences+training"]


def test_a_list_among_the_defaults_is_refused_where_the_last_would_win(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "experiment"
    folder.mkdir()
    text = "# @package _global_\ndefaults:\n  - override /measure: [training, flood_defences]\n"
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    assert main(["validate", "--config-dir", str(tmp_path), "experiment=mine"]) == 2
    assert "write the key measures: [a, b] instead" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["measure=[cyber_harding,training]"],
         "unknown measure 'cyber_harding'; did you mean cyber_hardening?"),
        (["measure=[training,training]"], "names the same measure twice"),
        (["measure=[none,training]"], "none is no measure; leave it out of the list"),
        (["measure=training", "measures=[cyber_hardening]"], "put it into the list"),
        (["measure=[training,cyber_hardening]", "measure.cost_bn_vnd=3"],
         "not said which of several measures"),
        (["measures=3"], "is not a list of names"),
        (["measures=[1]"], "is not a list of names"),
        (["measure=none"], "names no measure to choose from"),
        (["plan.draws=1"], "is below 2"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_one_sentence_and_nothing_is_written(
    given: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"results_dir={tmp_path / 'results'}"
    assert main(["portfolios", *SMALL, *given, place]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.strip().splitlines()) == 2  # one problem, and where it was found
    assert not list(tmp_path.iterdir())


def run(place: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOL, "portfolios", *SMALL, "measure=training,cyber_hardening", *more, "results_dir=out"],
        cwd=place, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_table_of_portfolios_is_told_and_kept(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("cyber_outage: portfolios of measures, planned by current_practice")
    assert {line.split()[0] for line in lines[2:6]} == {
        "none", "training", "cyber_hardening", "cyber_hardening+training",
    }  # fmt: skip
    assert "on 2 draws that nothing was chosen by" in done.stdout
    assert "12 of 12 runs" in done.stderr

    (folder,) = (path.parent for path in tmp_path.glob("out/*/*/DONE.json"))
    table = pd.read_parquet(folder / "portfolios.parquet")
    assert table["draws"].value_counts().to_dict() == {"planning": 4, "evaluation": 2}
    costs = table[table["draws"] == "planning"].set_index("portfolio")["cost_bn_vnd"]
    assert costs["cyber_hardening+training"] == 230.0
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["verb"] == "portfolios"
    assert set(manifest["config"]["measures"]) == {"training", "cyber_hardening"}

    again = run(tmp_path, "--json")
    assert again.returncode == 0
    assert again.stderr.startswith("already there: ")
    told = json.loads(again.stdout)["tables"]["portfolios"]
    assert [row["portfolio"] for row in told] == list(table["portfolio"])


def test_all_shipped_measures_are_chosen_from_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from nts_sim.cli.verbs import portfolios

    seen: list[tuple[str, ...]] = []

    def noted(prepared, flags) -> int:
        seen.append(tuple(prepared.study.measures))
        return 0

    monkeypatch.setattr(portfolios, "_act", noted)
    assert main(["portfolios", "scenario=cyber_outage"]) == 0
    assert seen == [("cyber_hardening", "flood_defences", "shared_database", "training")]
